/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything that makes a switch's port or the root port above it interrupt
 * the host, with a message that takes a device or the switch away: hot-plug by
 * a Fabric Manager (CXL r3.2 7.6.7.1.3, 7.6.7.2), errors (7.6.7.2.4)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "hw/pci/pcie_regs.h"
#include "reentry-requests.h"

/* Headers that AER keeps at most, if told to keep more than one */
#define HEADERS         8

/**
 * enum Port - whose message it is
 */
typedef enum Port { DSP, EMPTY, ROOT } Port;

/* The ports' own hot-plug logic, in place of the board's */
#define NATIVE "-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off "

/**
 * struct Row - a way to an interrupt
 * @prepare: before the message is aimed; may be NULL
 * @fire: what raises the interrupt
 * @restore: bring mem0 back into its host's sight; NULL: it was there
 * @more: arguments of the machine; NULL: none
 * @shown: mem0 was hidden before the message, nobody wants it removed any more
 */
typedef struct Row {
    const char *name;
    Port port;
    void (*prepare)(Reentry *r);
    void (*fire)(Reentry *r);
    void (*restore)(Reentry *r);
    const char *more;
    bool shown;
} Row;

/* -- CCIs ---------------------------------------------------------------- */

static void by_mailbox(Reentry *r, uint16_t op, CxlReq req)
{
    reentry_send(&r->sw, op, &req);
}

static void by_line(Reentry *r, uint16_t op, CxlReq req)
{
    reentry_send_line(r, LINE_SWITCH, op, &req);
    cxl_settle(r->qts);
}

static void by_i2c(Reentry *r, uint16_t op, CxlReq req)
{
    reentry_send_i2c(r, true, op, &req);
}

/* The mailbox is free for a ring that is to be seen, then time passes */
static void timer_ends(Reentry *r)
{
    dev_writeq(&r->sw, REG_MB_COMMAND, 0x0001);
    qtest_clock_step(r->qts, STEP_NS);
}

/* -- before and after ----------------------------------------------------- */

static void wait_for_operation(Reentry *r)
{
    unsigned i;

    for (i = 0; dev_readq(&r->sw, REG_MB_STATUS) & 1; i++) {
        g_assert_cmpuint(i, <, 2 * HOST_NS / STEP_NS);
        qtest_clock_step(r->qts, STEP_NS);
    }
}

static void assert_perst(Reentry *r)
{
    CxlReq req = reentry_control(PERST_ASSERT);

    g_assert_cmphex(cxl_cmd(&r->sw, 0x5102, &req, NULL), ==, 0);
}

static void deassert_perst(Reentry *r)
{
    CxlReq req = reentry_control(PERST_DEASSERT);

    g_assert_cmphex(cxl_cmd(&r->sw, 0x5102, &req, NULL), ==, 0);
}

static void unbind_first(Reentry *r)
{
    CxlReq req = reentry_unbind(SURPRISE);

    g_assert_cmphex(cxl_cmd(&r->sw, OP_UNBIND, &req, NULL), ==, RC_STARTED);
    wait_for_operation(r);
}

static void bind_again(Reentry *r)
{
    CxlReq req = reentry_bind();

    uint16_t rc;

    wait_for_operation(r);
    rc = cxl_cmd(&r->sw, OP_BIND, &req, NULL);
    /* a host that was reset in the middle has not let go: bound as before */
    g_assert_true(rc == RC_STARTED || rc == RC_INPUT);
    wait_for_operation(r);
}

/* What another CCI began goes on for as long as it waits for the host */
static void bind_late(Reentry *r)
{
    qtest_clock_step(r->qts, HOST_NS);
    bind_again(r);
}

/* -- fire: hot-plug ------------------------------------------------------- */

static void mailbox_perst(Reentry *r)
{
    by_mailbox(r, 0x5102, reentry_control(PERST_ASSERT));
}

static void mailbox_perst_ends(Reentry *r)
{
    by_mailbox(r, 0x5102, reentry_control(PERST_DEASSERT));
}

static void mailbox_reset(Reentry *r)
{
    by_mailbox(r, 0x5102, reentry_control(PORT_RESET));
}

static void line_perst(Reentry *r)
{
    by_line(r, 0x5102, reentry_control(PERST_ASSERT));
}

static void line_perst_ends(Reentry *r)
{
    by_line(r, 0x5102, reentry_control(PERST_DEASSERT));
}

static void line_reset(Reentry *r)
{
    by_line(r, 0x5102, reentry_control(PORT_RESET));
}

static void i2c_reset(Reentry *r)
{
    by_i2c(r, 0x5102, reentry_control(PORT_RESET));
}

static void mailbox_unbind(Reentry *r)
{
    by_mailbox(r, OP_UNBIND, reentry_unbind(SURPRISE));
    timer_ends(r);
}

static void mailbox_button(Reentry *r)
{
    by_mailbox(r, OP_UNBIND, reentry_unbind(MANAGED));
}

static void mailbox_bind(Reentry *r)
{
    by_mailbox(r, OP_BIND, reentry_bind());
    timer_ends(r);
}

static void line_unbind(Reentry *r)
{
    by_line(r, OP_UNBIND, reentry_unbind(SURPRISE));
    timer_ends(r);
}

static void line_button(Reentry *r)
{
    by_line(r, OP_UNBIND, reentry_unbind(MANAGED));
}

static void line_bind(Reentry *r)
{
    by_line(r, OP_BIND, reentry_bind());
    timer_ends(r);
}

static void mailbox_config(Reentry *r)
{
    by_mailbox(r, 0x5103, reentry_slot_config(r));
}

static void line_config(Reentry *r)
{
    by_line(r, 0x5103, reentry_slot_config(r));
}

/* By port I/O: a message into the window of the other way would be blocked */
static void host_config(Reentry *r)
{
    CxlDev *port = &r->dsp[0];
    unsigned reg = cfg_find_cap(port, PCI_CAP_ID_EXP) + PCI_EXP_SLTCTL;

    qtest_outl(r->qts, 0xcf8, 0x80000000u | port->bus << 16 | reg);
    qtest_outw(r->qts, 0xcfc, PCI_EXP_SLTCTL_PWR_IND_ON |
               PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_CCIE);
}

static void monitor_device_del(Reentry *r)
{
    qtest_qmp_device_del_send(r->qts, "mem0");
}

static void monitor_device_add(Reentry *r)
{
    qtest_qmp_device_add(r->qts, "pci-testdev", "new", "{'bus': 'ds1'}");
}

/* -- fire: errors --------------------------------------------------------- */

static void mailbox_correctable(Reentry *r)
{
    by_mailbox(r, OP_AER, reentry_aer(PCI_ERR_COR_BAD_TLP));
}

static void mailbox_uncorrectable(Reentry *r)
{
    by_mailbox(r, OP_AER, reentry_aer(PCI_ERR_UNC_COMP_TIME));
}

static void line_uncorrectable(Reentry *r)
{
    by_line(r, OP_AER, reentry_aer(PCI_ERR_UNC_COMP_TIME));
}

static void monitor_uncorrectable(Reentry *r)
{
    qtest_qmp_assert_success(r->qts,
        "{'execute': 'cxl-inject-uncorrectable-errors', 'arguments': {"
        "'path': 'mem0', 'errors': [ {'type': 'internal', "
        "'header': [ 1 ]}, {'type': 'mem-data-ecc', 'header': [] } ]}}");
}

static void monitor_correctable(Reentry *r)
{
    qtest_qmp_assert_success(r->qts,
        "{'execute': 'cxl-inject-correctable-error', 'arguments': {"
        "'path': 'mem0', 'type': 'physical'}}");
}

/* -- before: a header log that is full ------------------------------------ */

/* An error that overflows it makes two error messages, one after the other */
static void fill_log(Reentry *r)
{
    unsigned i;

    cfg_writel(&r->dsp[0], PORT_AER + PCI_ERR_CAP, PCI_ERR_CAP_MHRE);
    for (i = 0; i < HEADERS + 2; i++) {
        mailbox_uncorrectable(r);
        cxl_settle(r->qts);
    }
    cfg_writel(&r->root, PORT_AER + PCI_ERR_ROOT_STATUS, 0x7f);
}

/* -- the table ------------------------------------------------------------ */

static const Row rows[] = {
    { "mailbox/perst", DSP, NULL, mailbox_perst, deassert_perst },
    { "mailbox/perst-ends", DSP, assert_perst, mailbox_perst_ends,
      .shown = true },
    { "mailbox/reset", DSP, NULL, mailbox_reset, .shown = true },
    { "mailbox/unbind", DSP, NULL, mailbox_unbind, bind_again },
    { "mailbox/button", DSP, NULL, mailbox_button, bind_again },
    { "mailbox/bind", DSP, unbind_first, mailbox_bind, .shown = true },
    { "mailbox/config", DSP, NULL, mailbox_config },
    { "line/perst", DSP, NULL, line_perst, deassert_perst },
    { "line/perst-ends", DSP, assert_perst, line_perst_ends, .shown = true },
    { "line/reset", DSP, NULL, line_reset, .shown = true },
    { "line/unbind", DSP, NULL, line_unbind, bind_late },
    { "line/button", DSP, NULL, line_button, bind_late },
    { "line/bind", DSP, unbind_first, line_bind, .shown = true },
    { "line/config", DSP, NULL, line_config },
    { "i2c/reset", DSP, NULL, i2c_reset, .shown = true },
    { "host/config", DSP, NULL, host_config },
    { "monitor/device-del", DSP, NULL, monitor_device_del, NULL, NATIVE },
    { "monitor/device-add", EMPTY, NULL, monitor_device_add, NULL, NATIVE },
    { "mailbox/correctable", ROOT, NULL, mailbox_correctable },
    { "mailbox/uncorrectable", ROOT, NULL, mailbox_uncorrectable },
    { "line/uncorrectable", ROOT, NULL, line_uncorrectable },
    { "monitor/uncorrectable", ROOT, NULL, monitor_uncorrectable },
    { "monitor/correctable", ROOT, NULL, monitor_correctable },
    { "mailbox/overflow", ROOT, fill_log, mailbox_uncorrectable },
};

typedef struct Case {
    const Row *row;
    ReentryAim aim;
} Case;

static void outlives_its_message(const void *data)
{
    Reentry r;
    const Case *c = data;
    const Row *row = c->row;
    CxlDev *const port[] = {
        [DSP] = &r.dsp[0], [EMPTY] = &r.dsp[1], [ROOT] = &r.root,
    };

    reentry_start(&r, row->more ?: "");
    reentry_arm_errors(&r);
    if (row->prepare) {
        row->prepare(&r);
    }
    r.asks = row->fire == monitor_device_del;
    reentry_arm_msi(&r, port[row->port], c->aim);
    r.held = row->restore || row->shown;
    row->fire(&r);
    g_assert_true(reentry_after(&r));
    if (c->aim != AIM_SWITCH) {
        reentry_disarm(port[row->port]);
        if (row->restore) {
            row->restore(&r);
        }
        reentry_find(&r);
    }
    cxl_alive(&r.mem);
    reentry_stop(&r);
}

int main(int argc, char **argv)
{
    unsigned i, aim;
    int ret;

    g_test_init(&argc, &argv, NULL);
    for (i = 0; i < ARRAY_SIZE(rows); i++) {
        for (aim = 0; aim < AIM__COUNT; aim++) {
            g_autofree char *path = g_strdup_printf(
                "/cxl/reentry-ports/%s/%s", rows[i].name,
                reentry_aim_name[aim]);
            Case *c;

            if (!(AIMS_MSI & 1u << aim)) {
                continue;
            }
            c = g_new(Case, 1);
            *c = (Case) { &rows[i], aim };
            qtest_add_data_func_full(path, c, outlives_its_message, g_free);
        }
    }
    ret = g_test_run();
    line_cleanup();
    return ret;
}
