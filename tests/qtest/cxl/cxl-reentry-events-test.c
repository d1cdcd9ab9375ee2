/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything that makes a memory device interrupt its host, with a message
 * that takes the device, its port or the switch above away
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "hw/pci/pci_regs.h"
#include "cxl-qtest-ras.h"
#include "reentry-requests.h"

/* Vector of the dynamic capacity log */
#define VECTOR_DC       6
/* A background operation here is over after so many steps */
#define STEPS           600

/**
 * struct Row - a way to an interrupt
 * @prepare: before messages are aimed; may be NULL
 * @fire: what raises the interrupt, or what goes before @request; may be NULL
 * @unseen: set of aims whose effect cannot be told from what else happened
 * @by, @op, @request: a request that raises it; NULL: it is @fire that does
 */
typedef struct Row {
    const char *name;
    void (*prepare)(Reentry *r);
    void (*fire)(Reentry *r);
    unsigned unseen;
    ReentrySend *by;
    uint16_t op;
    CxlReq (*request)(Reentry *r);
} Row;

/* -- before --------------------------------------------------------------- */

static void hold(Reentry *r)
{
    const CxlExtent extent = { REENTRY_DC_BASE, CXL_BLOCK };

    cxl_hold(&r->mem, &extent, 1);
}

static void set_life_used(Reentry *r, int percent)
{
    qtest_qmp_assert_success(r->qts, "{'execute': 'qom-set', 'arguments': {"
                             "'path': 'mem0', 'property': 'life-used', "
                             "'value': %d}}", percent);
}

static void wear(Reentry *r)
{
    set_life_used(r, 50);
}

static void arm_alert(Reentry *r)
{
    CxlReq req = reentry_alert(40);

    g_assert_cmphex(cxl_cmd(&r->mem, 0x4202, &req, NULL), ==, 0);
}

static void inject(Reentry *r, uint64_t dpa)
{
    qtest_qmp_assert_success(r->qts, "{'execute': 'cxl-inject-poison', "
                             "'arguments': {'path': 'mem0', 'start': %" PRIu64
                             ", 'length': 64}}", dpa);
}

static void poison(Reentry *r)
{
    inject(r, 0);
}

static void start_scrub(Reentry *r)
{
    poison(r);
    ras_set_scrub(&r->mem, RAS_FULL, 1, true);
}

/* -- requests -------------------------------------------------------------- */

static CxlReq add(Reentry *r)
{
    return reentry_capacity(ADD_PRESCRIPTIVE);
}

static CxlReq release(Reentry *r)
{
    return reentry_capacity(REL_PRESCRIPTIVE);
}

static CxlReq forced_release(Reentry *r)
{
    return reentry_capacity(REL_PRESCRIPTIVE | REL_FORCED);
}

static CxlReq forced_release_wipes(Reentry *r)
{
    return reentry_capacity(REL_PRESCRIPTIVE | REL_FORCED | REL_SANITIZE);
}

static CxlReq region(Reentry *r)
{
    return reentry_region(2 * CXL_BLOCK);
}

static CxlReq first_line(Reentry *r)
{
    return reentry_address(0);
}

static CxlReq sparing(Reentry *r)
{
    return reentry_sparing();
}

static CxlReq alert(Reentry *r)
{
    return reentry_alert(40);
}

static CxlReq doe_control(Reentry *r)
{
    return reentry_config(MEM_DOE + DOE_CONTROL, DOE_GO | DOE_INT_EN);
}

/* -- registers, by the host and through the switch ------------------------ */

static void put_discovery(Reentry *r)
{
    static const uint32_t discovery[] = { 0x00000001, 3, 0 };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(discovery); i++) {
        cfg_writel(&r->mem, MEM_DOE + DOE_WRITE, discovery[i]);
    }
}

static void doe_go(Reentry *r)
{
    put_discovery(r);
    cfg_writel(&r->mem, MEM_DOE + DOE_CONTROL, DOE_GO | DOE_INT_EN);
}

static void put_add(Reentry *r)
{
    CxlReq req = add(r);

    qtest_memwrite(r->qts, r->mem.bar[2] + REG_MB_PAYLOAD, req.data, req.len);
    dev_writeq(&r->mem, REG_MB_COMMAND, 0x5604 | (uint64_t)req.len << 16);
}

/* -- masks: what was raised before comes when they go -------------------- */

static void mailbox_add(Reentry *r)
{
    CxlReq req = add(r);

    reentry_by_mailbox(r, 0x5604, &req);
}

static void table_unmask(Reentry *r)
{
    uint64_t control = r->mem.bar[4] + VECTOR_DC * PCI_MSIX_ENTRY_SIZE +
                       PCI_MSIX_ENTRY_VECTOR_CTRL;

    qtest_writel(r->qts, control, PCI_MSIX_ENTRY_CTRL_MASKBIT);
    mailbox_add(r);
    cxl_settle(r->qts);
    qtest_writel(r->qts, control, 0);
}

static unsigned raise_masked(Reentry *r)
{
    unsigned cap = cfg_find_cap(&r->mem, PCI_CAP_ID_MSIX);

    cfg_writew(&r->mem, cap + PCI_MSIX_FLAGS,
               PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
    mailbox_add(r);
    cxl_settle(r->qts);
    return cap;
}

static void config_unmask(Reentry *r)
{
    unsigned cap = raise_masked(r);

    cfg_writew(&r->mem, cap + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE);
}

static void switch_line_unmask(Reentry *r)
{
    unsigned cap = raise_masked(r);
    CxlReq req = reentry_config(cap, (uint32_t)PCI_MSIX_FLAGS_ENABLE << 16);

    reentry_send_line(r, LINE_SWITCH, 0x5301, &req);
}

/* -- timers --------------------------------------------------------------- */

static void background(Reentry *r, uint16_t op, CxlReq req)
{
    unsigned i;

    g_assert_cmphex(cxl_cmd(&r->mem, op, &req, NULL), ==, 1);
    dev_writeq(&r->mem, REG_MB_COMMAND, 0x4000);
    for (i = 0; (dev_readq(&r->mem, REG_MB_STATUS) & 1) && i < STEPS; i++) {
        qtest_clock_step(r->qts, STEP_NS);
    }
    g_assert_cmpuint(i, <, STEPS);
}

static void end_of_scan(Reentry *r)
{
    background(r, 0x4304, reentry_scan());
}

static void end_of_sanitize(Reentry *r)
{
    background(r, 0x4400, (CxlReq) { 0 });
}

static void end_of_overwrite(Reentry *r)
{
    background(r, 0x4402, reentry_overwrite());
}

static void end_of_firmware_transfer(Reentry *r)
{
    background(r, 0x0201, reentry_firmware());
}

static void abort_of_scan(Reentry *r)
{
    CxlReq req = reentry_scan();

    g_assert_cmphex(cxl_cmd(&r->mem, 0x4304, &req, NULL), ==, 1);
    reentry_send(&r->mem, 0x0005, NULL);
}

static void scrub_timer(Reentry *r)
{
    qtest_clock_step(r->qts, RAS_HOUR_NS);
}

/* -- the monitor ---------------------------------------------------------- */

static void monitor(Reentry *r, const char *command, const char *arguments)
{
    g_autofree char *text = g_strdup_printf(
        "{'execute': '%s', 'arguments': {'path': 'mem0', %s}}", command,
        arguments);

    qtest_qmp_assert_success(r->qts, text, NULL);
}

#define MEDIA_EVENT "'log': 'fatal', 'flags': 3, 'dpa': 64, " \
                    "'descriptor': 1, 'type': 0, 'transaction-type': 1"
#define DC_EXTENT   "'host-id': 0, 'region': 0, " \
                    "'extents': [ { 'offset': 0, 'len': 2097152 } ]"

static void monitor_general_media(Reentry *r)
{
    monitor(r, "cxl-inject-general-media-event", MEDIA_EVENT);
}

static void monitor_dram(Reentry *r)
{
    monitor(r, "cxl-inject-dram-event", MEDIA_EVENT);
}

static void monitor_memory_module(Reentry *r)
{
    monitor(r, "cxl-inject-memory-module-event",
            "'log': 'warning', 'flags': 1, 'type': 0, 'health-status': 0, "
            "'media-status': 0, 'additional-status': 0, 'life-used': 1, "
            "'temperature': 20, 'dirty-shutdown-count': 0, "
            "'corrected-volatile-error-count': 0, "
            "'corrected-persistent-error-count': 0");
}

static void monitor_add(Reentry *r)
{
    monitor(r, "cxl-add-dynamic-capacity",
            "'selection-policy': 'prescriptive', " DC_EXTENT);
}

static void monitor_release(Reentry *r)
{
    monitor(r, "cxl-release-dynamic-capacity",
            "'removal-policy': 'prescriptive', " DC_EXTENT);
}

static void monitor_forced_release(Reentry *r)
{
    monitor(r, "cxl-release-dynamic-capacity",
            "'removal-policy': 'prescriptive', 'forced-removal': true, "
            "'sanitize-on-release': true, " DC_EXTENT);
}

static void monitor_life_used(Reentry *r)
{
    set_life_used(r, 50);
}

/* -- the table ------------------------------------------------------------ */

#define BY(way, op, request) .by = reentry_by_ ## way, op, request

static const Row rows[] = {
    { "mailbox/add", BY(mailbox, 0x5604, add) },
    { "mailbox/release", hold, BY(mailbox, 0x5605, release) },
    { "mailbox/forced-release", hold,
      BY(mailbox, 0x5605, forced_release_wipes) },
    { "mailbox/region", BY(mailbox, 0x5602, region) },
    { "mailbox/poison", BY(mailbox, 0x4301, first_line) },
    { "mailbox/sparing", BY(mailbox, 0x0600, sparing) },
    { "mailbox/alert", wear, BY(mailbox, 0x4202, alert) },
    /* has no length that could be wrong the second time */
    { "mailbox/abort-of-scan", NULL, abort_of_scan, 1u << AIM_DOORBELL },
    { "line/add", BY(line, 0x5604, add) },
    { "line/forced-release", hold, BY(line, 0x5605, forced_release) },
    { "line/region", BY(line, 0x5602, region) },
    { "line/alert", wear, BY(line, 0x4202, alert) },
    { "line/tunnel-poison", BY(ld, 0x4301, first_line) },
    { "i2c/add", BY(i2c, 0x5604, add) },
    { "switch-mailbox/tunnel-add", BY(tunnel, 0x5604, add) },
    { "switch-mailbox/tunnel-region", BY(tunnel, 0x5602, region) },
    { "switch-mailbox/doe-go", NULL, put_discovery,
      BY(switch_mailbox, 0x5301, doe_control) },
    { "switch-mailbox/doorbell", NULL, put_add,
      BY(switch_mailbox, 0x5302, reentry_doorbell) },
    { "switch-line/tunnel-add", BY(line_tunnel, 0x5604, add) },
    { "switch-line/tunnel-region", BY(line_tunnel, 0x5602, region) },
    { "switch-line/doe-go", NULL, put_discovery,
      BY(switch_line, 0x5301, doe_control) },
    { "switch-line/doorbell", NULL, put_add,
      BY(switch_line, 0x5302, reentry_doorbell) },
    { "switch-i2c/tunnel-add", BY(i2c_tunnel, 0x5604, add) },
    { "switch-line/unmask", NULL, switch_line_unmask },
    { "config/doe-go", NULL, doe_go },
    /* the base sends at once, and blocks what comes back to where it is */
    { "config/unmask", NULL, config_unmask, AIMS_MSIX },
    { "table/unmask", NULL, table_unmask, 1u << AIM_DOORBELL },
    { "timer/scan", NULL, end_of_scan },
    { "timer/scan-finds", poison, end_of_scan },
    { "timer/sanitize", NULL, end_of_sanitize },
    { "timer/overwrite", NULL, end_of_overwrite },
    { "timer/firmware", NULL, end_of_firmware_transfer },
    { "timer/scrub", start_scrub, scrub_timer },
    { "monitor/general-media", NULL, monitor_general_media },
    { "monitor/dram", NULL, monitor_dram },
    { "monitor/memory-module", NULL, monitor_memory_module },
    { "monitor/add", NULL, monitor_add },
    { "monitor/release", hold, monitor_release },
    { "monitor/forced-release", hold, monitor_forced_release },
    { "monitor/life-used", arm_alert, monitor_life_used },
};

typedef struct Case {
    const Row *row;
    ReentryAim aim;
} Case;

static void outlives_its_message(const void *data)
{
    const Case *c = data;
    bool hit;
    Reentry r;

    reentry_start(&r, "");
    if (c->row->prepare) {
        c->row->prepare(&r);
    }
    reentry_arm_mem(&r, c->aim);
    if (c->row->fire) {
        c->row->fire(&r);
    }
    if (c->row->request) {
        CxlReq req = c->row->request(&r);

        c->row->by(&r, c->row->op, &req);
    }
    hit = reentry_after(&r);
    g_assert_true(hit || (c->row->unseen & 1u << c->aim));
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
                "/cxl/reentry/%s/%s", rows[i].name, reentry_aim_name[aim]);
            Case *c;

            if (!(AIMS_MSIX & 1u << aim)) {
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
