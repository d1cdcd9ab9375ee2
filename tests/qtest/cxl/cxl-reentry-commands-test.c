/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every command of every CCI, with interrupts whose messages take the device,
 * its bus or the switch away: the machine goes on, whatever the command did
 *
 * Which commands there are comes from the tables in the code.  Each is sent as
 * zeroes and as ones, and some with a request that makes them interrupt.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "hw/pci/pci_regs.h"
#include "reentry-requests.h"
#include "robust-rows.h"

/* Longer than any operation here: 30 s for a host, four for sanitize */
#define BACKGROUND_NS   (40 * 1000000000ll)
/* Endpoints send notices only when they are told to, and need no reader */
#define OP_SET_NOTICES  0x0105

/**
 * struct TestCCI - one CCI, and a way to it
 * @kind: a bit of CXLCCIKind
 * @slow: every byte takes several steps of the test
 */
typedef struct TestCCI {
    const char *name;
    unsigned kind;
    bool slow;
    ReentrySend *send;
} TestCCI;

typedef struct Case {
    const TestCCI *cci;
    ReentryAim aim;
} Case;

typedef struct Run {
    Reentry r;
    const Case *c;
    unsigned sent, hits;
} Run;

/* -- CCIs ---------------------------------------------------------------- */

static const TestCCI ccis[] = {
    { "mailbox", KIND_MAILBOX, false, reentry_by_mailbox },
    { "line", KIND_FM, false, reentry_by_line },
    { "i2c", KIND_FM, true, reentry_by_i2c },
    { "tunnel", KIND_FM, false, reentry_by_tunnel },
    { "ld", KIND_LD, false, reentry_by_ld },
    { "switch-mailbox", KIND_SWITCH, false, reentry_by_switch_mailbox },
    { "switch-line", KIND_SWITCH, false, reentry_by_switch_line },
    { "switch-i2c", KIND_SWITCH, true, reentry_by_switch_i2c },
};

/* -- one command ---------------------------------------------------------- */

/* Ports as they were, no operation under way, messages aimed */
static void arm(Run *run)
{
    Reentry *r = &run->r;
    CxlReq perst_ends = reentry_control(PERST_DEASSERT);
    CxlReq bind = reentry_bind();

    reentry_find(r);
    /* an operation whose end starts another one would never end */
    reentry_disarm(&r->mem);
    qtest_clock_step(r->qts, BACKGROUND_NS);
    cxl_cmd(&r->sw, 0x5102, &perst_ends, NULL);
    if (cxl_cmd(&r->sw, OP_BIND, &bind, NULL) == RC_STARTED) {
        qtest_clock_step(r->qts, BACKGROUND_NS);
    }
    reentry_find(r);
    reentry_arm_mem(r, run->c->aim);
    if (run->c->cci->kind == KIND_SWITCH &&
        (AIMS_MSI & 1u << run->c->aim)) {
        reentry_arm_errors(r);
        reentry_arm_msi(r, &r->dsp[0], run->c->aim);
        reentry_arm_msi(r, &r->root, run->c->aim);
    }
}

/* @held: see struct Reentry */
static void one(Run *run, uint16_t op, const CxlReq *req, bool held)
{
    Reentry *r = &run->r;
    bool gone;

    arm(run);
    r->held = held;
    run->c->cci->send(r, op, req);
    cxl_settle(r->qts);
    qtest_clock_step(r->qts, BACKGROUND_NS);
    run->sent++;
    if (!reentry_after(r)) {
        return;
    }
    g_test_message("%04xh interrupted", op);
    run->hits++;
    gone = run->c->aim == AIM_SLOT || run->c->aim == AIM_SWITCH;
    if (gone) {
        /* endpoints have lost their component for good */
        reentry_stop(r);
        reentry_start(r, "");
    }
}

static void fixed(Run *run, const RobustRow *row, uint8_t byte)
{
    CxlReq req = { .len = row->min };

    memset(req.data, byte, row->min);
    if (row->record) {
        memset(req.data + row->count_at, 0, row->count_size);
    }
    one(run, row->opcode, &req, false);
}

/* Requests that are right, and that make something happen */
static void interrupting(Run *run)
{
    Reentry *r = &run->r;
    CxlReq add = reentry_capacity(ADD_PRESCRIPTIVE);
    CxlReq tunnel = reentry_tunnel(0x5604, &add);
    const CxlExtent extent = { REENTRY_DC_BASE, CXL_BLOCK };
    struct {
        uint16_t op;
        CxlReq req;
        bool held;
    } memory[] = {
        /* of what the host holds by then */
        { 0x5605, reentry_capacity(REL_PRESCRIPTIVE | REL_FORCED) },
        { 0x5604, add },
        { 0x5602, reentry_region(2 * CXL_BLOCK) },
        { 0x5602, reentry_region(CXL_BLOCK) },
        { 0x4301, reentry_address(0) },
        { 0x4304, reentry_scan() },
        { 0x4402, reentry_overwrite() },
        { 0x0201, reentry_firmware() },
        { 0x0600, reentry_sparing() },
    }, fabric[] = {
        { 0x5102, reentry_control(PORT_RESET), true },
        { 0x5102, reentry_control(PERST_ASSERT), true },
        { 0x5103, reentry_slot_config(r) },
        { OP_UNBIND, reentry_unbind(SURPRISE), true },
        { OP_UNBIND, reentry_unbind(MANAGED), true },
        { OP_AER, reentry_aer(PCI_ERR_UNC_COMP_TIME) },
        { 0x5300, tunnel },
        { 0x5301, reentry_config(MEM_DOE + DOE_CONTROL, DOE_GO | DOE_INT_EN) },
        { 0x5302, reentry_doorbell(r) },
    };
    unsigned i;

    if (run->c->cci->kind == KIND_SWITCH) {
        for (i = 0; i < ARRAY_SIZE(fabric); i++) {
            one(run, fabric[i].op, &fabric[i].req, fabric[i].held);
        }
    } else {
        cxl_hold(&r->mem, &extent, 1);
        for (i = 0; i < ARRAY_SIZE(memory); i++) {
            one(run, memory[i].op, &memory[i].req, false);
        }
    }
}

static void outlives_every_command(const void *data)
{
    Run run = { .c = data };
    const TestCCI *cci = run.c->cci;
    const GArray *rows = robust_rows();
    unsigned i;

    reentry_start(&run.r, "");
    interrupting(&run);
    for (i = 0; i < rows->len && !cci->slow; i++) {
        const RobustRow *row = &g_array_index(rows, RobustRow, i);

        if (!(row->kinds & cci->kind) || row->opcode == OP_SET_NOTICES) {
            continue;
        }
        fixed(&run, row, 0x00);
        fixed(&run, row, 0xff);
    }
    arm(&run);
    g_test_message("%u requests, %u messages that hit", run.sent, run.hits);
    g_assert_cmpuint(run.hits, >, 0);
    reentry_stop(&run.r);
}

int main(int argc, char **argv)
{
    unsigned d, aim;
    int ret;

    g_test_init(&argc, &argv, NULL);
    for (d = 0; d < ARRAY_SIZE(ccis); d++) {
        for (aim = 0; aim < AIM__COUNT; aim++) {
            g_autofree char *path = g_strdup_printf(
                "/cxl/reentry-commands/%s/%s", ccis[d].name,
                reentry_aim_name[aim]);
            Case *c;

            if (!(AIMS_MSIX & 1u << aim)) {
                continue;
            }
            c = g_new(Case, 1);
            *c = (Case) { &ccis[d], aim };
            qtest_add_data_func_full(path, c, outlives_every_command, g_free);
        }
    }
    ret = g_test_run();
    line_cleanup();
    return ret;
}
