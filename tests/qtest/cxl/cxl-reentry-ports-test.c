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
 * @fire: what raises the interrupt, or what follows @request; may be NULL
 * @restore: bring mem0 back into its host's sight; NULL: it was there
 * @more: arguments of the machine; NULL: none
 * @shown: mem0 was hidden before the message, nobody wants it removed any more
 * @by, @op, @request: a request to the switch that raises it; NULL: it is @fire
 */
typedef struct Row {
    const char *name;
    Port port;
    void (*prepare)(Reentry *r);
    void (*fire)(Reentry *r);
    void (*restore)(Reentry *r);
    const char *more;
    bool shown;
    ReentrySend *by;
    uint16_t op;
    CxlReq (*request)(Reentry *r);
} Row;

/* -- CCIs ---------------------------------------------------------------- */

static void by_line(Reentry *r, uint16_t op, const CxlReq *req)
{
    reentry_by_switch_line(r, op, req);
    cxl_settle(r->qts);
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

/* -- requests -------------------------------------------------------------- */

static CxlReq perst(Reentry *r)
{
    return reentry_control(PERST_ASSERT);
}

static CxlReq perst_ends(Reentry *r)
{
    return reentry_control(PERST_DEASSERT);
}

static CxlReq reset(Reentry *r)
{
    return reentry_control(PORT_RESET);
}

static CxlReq surprise(Reentry *r)
{
    return reentry_unbind(SURPRISE);
}

static CxlReq button(Reentry *r)
{
    return reentry_unbind(MANAGED);
}

static CxlReq bind_mem(Reentry *r)
{
    return reentry_bind();
}

static CxlReq correctable(Reentry *r)
{
    return reentry_aer(PCI_ERR_COR_BAD_TLP);
}

static CxlReq uncorrectable(Reentry *r)
{
    return reentry_aer(PCI_ERR_UNC_COMP_TIME);
}

/* -- fire ----------------------------------------------------------------- */

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
    CxlReq req = uncorrectable(r);
    unsigned i;

    cfg_writel(&r->dsp[0], PORT_AER + PCI_ERR_CAP, PCI_ERR_CAP_MHRE);
    for (i = 0; i < HEADERS + 2; i++) {
        reentry_by_switch_mailbox(r, OP_AER, &req);
        cxl_settle(r->qts);
    }
    cfg_writel(&r->root, PORT_AER + PCI_ERR_ROOT_STATUS, 0x7f);
}

/* -- the table ------------------------------------------------------------ */

#define MAILBOX(op, request) .by = reentry_by_switch_mailbox, op, request
#define LINE(op, request)    .by = by_line, op, request

static const Row rows[] = {
    { "mailbox/perst", DSP, NULL, NULL, deassert_perst,
      MAILBOX(0x5102, perst) },
    { "mailbox/perst-ends", DSP, assert_perst, .shown = true,
      MAILBOX(0x5102, perst_ends) },
    { "mailbox/reset", DSP, .shown = true, MAILBOX(0x5102, reset) },
    { "mailbox/unbind", DSP, NULL, timer_ends, bind_again,
      MAILBOX(OP_UNBIND, surprise) },
    { "mailbox/button", DSP, NULL, NULL, bind_again,
      MAILBOX(OP_UNBIND, button) },
    { "mailbox/bind", DSP, unbind_first, timer_ends, .shown = true,
      MAILBOX(OP_BIND, bind_mem) },
    { "mailbox/config", DSP, MAILBOX(0x5103, reentry_slot_config) },
    { "line/perst", DSP, NULL, NULL, deassert_perst, LINE(0x5102, perst) },
    { "line/perst-ends", DSP, assert_perst, .shown = true,
      LINE(0x5102, perst_ends) },
    { "line/reset", DSP, .shown = true, LINE(0x5102, reset) },
    { "line/unbind", DSP, NULL, timer_ends, bind_late,
      LINE(OP_UNBIND, surprise) },
    { "line/button", DSP, NULL, NULL, bind_late, LINE(OP_UNBIND, button) },
    { "line/bind", DSP, unbind_first, timer_ends, .shown = true,
      LINE(OP_BIND, bind_mem) },
    { "line/config", DSP, LINE(0x5103, reentry_slot_config) },
    { "i2c/reset", DSP, .shown = true,
      .by = reentry_by_switch_i2c, 0x5102, reset },
    { "host/config", DSP, NULL, host_config },
    { "monitor/device-del", DSP, NULL, monitor_device_del, NULL, NATIVE },
    { "monitor/device-add", EMPTY, NULL, monitor_device_add, NULL, NATIVE },
    { "mailbox/correctable", ROOT, MAILBOX(OP_AER, correctable) },
    { "mailbox/uncorrectable", ROOT, MAILBOX(OP_AER, uncorrectable) },
    { "line/uncorrectable", ROOT, LINE(OP_AER, uncorrectable) },
    { "monitor/uncorrectable", ROOT, NULL, monitor_uncorrectable },
    { "monitor/correctable", ROOT, NULL, monitor_correctable },
    { "mailbox/overflow", ROOT, fill_log, MAILBOX(OP_AER, uncorrectable) },
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
    if (row->request) {
        CxlReq req = row->request(&r);

        row->by(&r, row->op, &req);
    }
    if (row->fire) {
        row->fire(&r);
    }
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
