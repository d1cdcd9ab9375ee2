/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual switch commands (52h): bindings, hot-plug by bind and by an unbind
 * that does not ask the host; every return code
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "cxl-qtest-vcs.h"

/* States of a port in 5101h */
#define STATE_BINDING   1
#define STATE_UNBINDING 2

static void info_lists_vppbs(CxlSwitch *sw)
{
    CxlReq req;
    CxlRsp rsp;

    vcs_info_request(&req, 0, 255, 0);
    g_assert_cmphex(cxl_cmd(&sw->mailbox, OP_INFO, &req, &rsp), ==, 0);
    g_assert_cmpuint(rsp.len, ==, 4 + 4 + 3 * 4);
    g_assert_cmphex(ldl_le_p(rsp.data), ==, 1);
    g_assert_cmphex(ldl_le_p(rsp.data + 4), ==,
                    0 | 1 << 8 | SWITCH_USP_PORT << 16 | 3 << 24);
    g_assert_cmphex(ldl_le_p(rsp.data + 8), ==,
                    BOUND | SWITCH_USP_PORT << 8 | 0xff << 16);
    g_assert_cmphex(ldl_le_p(rsp.data + 12), ==,
                    BOUND | SWITCH_DSP_PORT(0) << 8 | 0xff << 16);
    g_assert_cmphex(ldl_le_p(rsp.data + 16), ==,
                    BOUND | SWITCH_DSP_PORT(1) << 8 | 0xff << 16);

    /* a part of the list, its end, nothing of it */
    vcs_info_request(&req, 1, 1, 0);
    g_assert_cmphex(cxl_cmd(&sw->mailbox, OP_INFO, &req, &rsp), ==, 0);
    g_assert_cmpuint(rsp.len, ==, 12);
    g_assert_cmpuint(rsp.data[7], ==, 3);
    g_assert_cmpuint(rsp.data[9], ==, SWITCH_DSP_PORT(0));
    vcs_info_request(&req, 3, 255, 0);
    g_assert_cmphex(cxl_cmd(&sw->mailbox, OP_INFO, &req, &rsp), ==, 0);
    g_assert_cmpuint(rsp.len, ==, 8);
    vcs_info_request(&req, 255, 255, 0);
    g_assert_cmphex(cxl_cmd(&sw->mailbox, OP_INFO, &req, &rsp), ==, 0);
    g_assert_cmpuint(rsp.len, ==, 8);
    vcs_info_request(&req, 0, 0, 0);
    g_assert_cmphex(cxl_cmd(&sw->mailbox, OP_INFO, &req, &rsp), ==, 0);
    g_assert_cmpuint(rsp.len, ==, 8);

    /* who is unknown is told so, beside who is not */
    vcs_info_request(&req, 0, 1, 5);
    req.data[2] = 2;
    req8(&req, 0);
    g_assert_cmphex(cxl_cmd(&sw->mailbox, OP_INFO, &req, &rsp), ==, 0);
    g_assert_cmpuint(rsp.len, ==, 4 + 4 + 8);
    g_assert_cmphex(ldl_le_p(rsp.data + 4), ==, 5 | 0xff << 8);
    g_assert_cmphex(rsp.data[8 + 1], ==, 1);
}

static void info_refuses_what_does_not_fit(CxlSwitch *sw)
{
    CxlReq req;
    unsigned i;

    vcs_info_request(&req, 0, 255, 0);
    req.data[2] = 2;
    switch_refused(sw, OP_INFO, &req, RC_LENGTH);
    req.len = 2;
    switch_refused(sw, OP_INFO, &req, RC_LENGTH);
    vcs_info_request(&req, 0, 255, 0);
    req.data[2] = 255;
    for (i = 1; i < 255; i++) {
        req8(&req, 0);
    }
    switch_refused(sw, OP_INFO, &req, RC_INPUT);
}

static void surprise_and_back(CxlSwitch *sw)
{
    uint8_t port[16], status[4];

    cfg_writel(&sw->below[0], PCI_BASE_ADDRESS_0, 0x12340000);
    g_assert_cmphex(vppb_unbind(sw, 0, 1, SURPRISE), ==, RC_STARTED);
    switch_port(sw, SWITCH_DSP_PORT(0), port);
    g_assert_cmpuint(port[1], ==, STATE_UNBINDING);
    g_assert_cmpuint(vppb_state(sw, 1), ==, CHANGING);
    g_assert_true(host_sees(sw, 0));
    switch_ends(sw, OP_UNBIND, 0);

    g_assert_false(host_sees(sw, 0));
    g_assert_cmphex(slot_status(sw, 0), ==,
                    PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_DLLSC);
    g_assert_cmphex(link_status(sw, 0) & PCI_EXP_LNKSTA_DLLLA, ==, 0);
    vppb_binding(sw, 1, status);
    g_assert_cmphex(ldl_le_p(status), ==, UNBOUND | 0xff << 16);
    /* for the Fabric Manager the device is where it was */
    switch_port(sw, SWITCH_DSP_PORT(0), port);
    g_assert_cmpuint(port[1], ==, 3);
    g_assert_cmpuint(port[4], ==, 4);
    g_assert_cmpuint(port[0xb], ==, 4);

    slot_clear_status(sw, 0);
    g_assert_cmphex(vppb_bind(sw, 0, 1, SWITCH_DSP_PORT(0), NO_LD), ==,
                    RC_STARTED);
    switch_port(sw, SWITCH_DSP_PORT(0), port);
    g_assert_cmpuint(port[1], ==, STATE_BINDING);
    g_assert_false(host_sees(sw, 0));
    switch_ends(sw, OP_BIND, 0);
    g_assert_true(host_sees(sw, 0));
    g_assert_cmphex(cfg_readl(&sw->below[0], PCI_BASE_ADDRESS_0) & ~15, ==, 0);
    g_assert_cmphex(slot_status(sw, 0) &
                    (PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_PDS), ==,
                    PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_PDS);
    g_assert_cmphex(link_status(sw, 0) & PCI_EXP_LNKSTA_DLLLA, !=, 0);
    g_assert_cmpuint(vppb_state(sw, 1), ==, BOUND);
}

#define MSI_MARK        0xbeef
#define MSI_ADDRESS     (64 * MiB)

/* A host with an attention button waits for the link, not for presence */
static void surprise_interrupts_the_host(CxlSwitch *sw)
{
    unsigned msi;

    msi = cfg_find_cap(&sw->dsp[0], PCI_CAP_ID_MSI);
    g_assert_cmpuint(msi, !=, 0);
    cfg_writel(&sw->dsp[0], msi + PCI_MSI_ADDRESS_LO, MSI_ADDRESS);
    cfg_writel(&sw->dsp[0], msi + PCI_MSI_ADDRESS_HI, 0);
    cfg_writew(&sw->dsp[0], msi + PCI_MSI_DATA_64, MSI_MARK);
    cfg_writew(&sw->dsp[0], msi + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE);
    slot_set_control(sw, 0, PIC_ON | PCI_EXP_SLTCTL_HPIE |
                     PCI_EXP_SLTCTL_DLLSCE | PCI_EXP_SLTCTL_ABPE);
    g_assert_cmphex(slot_control(sw, 0) & PCI_EXP_SLTCTL_DLLSCE, !=, 0);
    slot_clear_status(sw, 0);
    qtest_writel(sw->qts, MSI_ADDRESS, 0);

    g_assert_cmphex(vppb_unbind(sw, 0, 1, SURPRISE), ==, RC_STARTED);
    g_assert_cmphex(qtest_readl(sw->qts, MSI_ADDRESS), ==, 0);
    switch_ends(sw, OP_UNBIND, 0);
    cxl_settle(sw->qts);
    g_assert_cmphex(qtest_readl(sw->qts, MSI_ADDRESS), ==, MSI_MARK);
    g_assert_cmphex(slot_status(sw, 0) & PCI_EXP_SLTSTA_DLLSC, !=, 0);
    slot_clear_status(sw, 0);
    g_assert_cmphex(slot_status(sw, 0), ==, 0);

    qtest_writel(sw->qts, MSI_ADDRESS, 0);
    g_assert_cmphex(vppb_bind(sw, 0, 1, SWITCH_DSP_PORT(0), NO_LD), ==,
                    RC_STARTED);
    switch_ends(sw, OP_BIND, 0);
    cxl_settle(sw->qts);
    g_assert_cmphex(qtest_readl(sw->qts, MSI_ADDRESS), ==, MSI_MARK);

    /* a reset turns the interrupt off */
    qtest_system_reset(sw->qts);
    switch_probe(sw->qts, sw);
    g_assert_cmphex(slot_control(sw, 0) & PCI_EXP_SLTCTL_DLLSCE, ==, 0);
    g_assert_cmphex(slot_status(sw, 0), ==, PCI_EXP_SLTSTA_PDS);
}

static void wrong_bindings_are_refused(CxlSwitch *sw)
{
    const uint8_t port = SWITCH_DSP_PORT(0);

    /* bound already */
    g_assert_cmphex(vppb_bind(sw, 0, 1, port, NO_LD), ==, RC_INPUT);
    g_assert_cmphex(vppb_unbind(sw, 1, 1, SURPRISE), ==, RC_INPUT);
    g_assert_cmphex(vppb_unbind(sw, 0, 0, SURPRISE), ==, RC_INPUT);
    g_assert_cmphex(vppb_unbind(sw, 0, 4, SURPRISE), ==, RC_INPUT);
    g_assert_cmphex(vppb_unbind(sw, 0, 255, SURPRISE), ==, RC_INPUT);
    g_assert_cmphex(vppb_unbind(sw, 0, 1, 3), ==, RC_INPUT);
    /* no hot-plug logic */
    g_assert_cmphex(vppb_unbind(sw, 0, 3, SURPRISE), ==, RC_INPUT);
    g_assert_false(switch_busy(sw));
    g_assert_true(host_sees(sw, 0));

    g_assert_cmphex(vppb_unbind(sw, 0, 1, SURPRISE), ==, RC_STARTED);
    /* one at a time, even if it would be wrong anyway */
    g_assert_cmphex(vppb_unbind(sw, 0, 2, SURPRISE), ==, RC_BUSY);
    g_assert_cmphex(vppb_bind(sw, 0, 2, 99, NO_LD), ==, RC_BUSY);
    g_assert_cmphex(switch_control(sw, port, 0), ==, RC_BUSY);
    switch_ends(sw, OP_UNBIND, 0);

    /* unbound already */
    g_assert_cmphex(vppb_unbind(sw, 0, 1, SURPRISE), ==, RC_INPUT);
    g_assert_cmphex(vppb_bind(sw, 1, 1, port, NO_LD), ==, RC_INPUT);
    g_assert_cmphex(vppb_bind(sw, 0, 0, port, NO_LD), ==, RC_INPUT);
    g_assert_cmphex(vppb_bind(sw, 0, 9, port, NO_LD), ==, RC_INPUT);
    g_assert_cmphex(vppb_bind(sw, 0, 1, 99, NO_LD), ==, RC_INPUT);
    g_assert_cmphex(vppb_bind(sw, 0, 1, SWITCH_USP_PORT, NO_LD), ==, RC_INPUT);
    g_assert_cmphex(vppb_bind(sw, 0, 1, SWITCH_DSP_PORT(1), NO_LD), ==,
                    RC_INPUT);
    /* a single logical device has no LD to bind */
    g_assert_cmphex(vppb_bind(sw, 0, 1, port, 0), ==, RC_INPUT);
    g_assert_cmphex(vppb_bind(sw, 0, 1, port, 15), ==, RC_INPUT);
    g_assert_false(switch_busy(sw));
    g_assert_false(host_sees(sw, 0));
}

static void an_unbound_port_can_be_empty(CxlSwitch *sw)
{
    CxlRsp rsp;

    g_assert_cmphex(vppb_unbind(sw, 0, 2, WAIT_LINK_DOWN), ==, RC_STARTED);
    switch_ends(sw, OP_UNBIND, 0);
    g_assert_cmphex(slot_status(sw, 1), ==, 0);
    g_assert_cmphex(cxl_cmd(&sw->mailbox, 0x5100, NULL, &rsp), ==, 0);
    g_assert_cmpuint(lduw_le_p(rsp.data + 0x44), ==, 3);
    g_assert_cmpuint(lduw_le_p(rsp.data + 0x46), ==, 2);

    /* what is plugged now waits for a bind */
    qtest_qmp_device_add(sw->qts, "virtio-rng-pci", "later",
                         "{'bus': 'ds1'}");
    g_assert_false(host_sees(sw, 1));
    g_assert_cmphex(slot_status(sw, 1), ==, 0);
    g_assert_cmphex(vppb_bind(sw, 0, 2, SWITCH_DSP_PORT(1), NO_LD), ==,
                    RC_STARTED);
    switch_ends(sw, OP_BIND, 0);
    g_assert_cmphex(slot_status(sw, 1) & PCI_EXP_SLTSTA_PDS, !=, 0);
    slot_set_control(sw, 1, PIC_ON);
    g_assert_true(host_sees(sw, 1));
}

static void bindings_are_logged(CxlSwitch *sw)
{
    static const uint8_t uuid[16] = {
        0x40, 0xd2, 0x64, 0x25, 0x33, 0x96, 0x4c, 0x4d,
        0xa5, 0xda, 0x3d, 0x47, 0x26, 0x3a, 0xf4, 0x25,
    };
    CxlReq log = { .len = 1 };
    const uint8_t *r;
    CxlRsp rsp;

    g_assert_cmphex(vppb_unbind(sw, 0, 1, SURPRISE), ==, RC_STARTED);
    g_assert_cmphex(cxl_cmd(&sw->mailbox, 0x0100, &log, &rsp), ==, 0);
    g_assert_cmpuint(lduw_le_p(rsp.data + 0x14), ==, 0);
    switch_ends(sw, OP_UNBIND, 0);
    g_assert_cmphex(vppb_bind(sw, 0, 1, SWITCH_DSP_PORT(0), NO_LD), ==,
                    RC_STARTED);
    switch_ends(sw, OP_BIND, 0);
    g_assert_cmphex(cxl_cmd(&sw->mailbox, 0x0100, &log, &rsp), ==, 0);
    /* each: binding of the vPPB, slot of the port */
    g_assert_cmpuint(lduw_le_p(rsp.data + 0x14), ==, 4);
    r = rsp.data + 0x20;
    g_assert_cmpmem(r, 16, uuid, 16);
    g_assert_cmphex(ldl_le_p(r + 0x30), ==, 0 | 1 << 8 | 0 << 16);
    g_assert_cmphex(r[0x33], ==, UNBOUND);
    g_assert_cmphex(r[0x35], ==, 0xff);
    r += 0x80;
    g_assert_cmphex(r[0], ==, 0x77);
    g_assert_cmphex(r[0x30], ==, SWITCH_DSP_PORT(0));
    g_assert_cmphex(r[0x31], ==, 1);
    r += 0x80;
    g_assert_cmphex(r[0x33], ==, BOUND);
    g_assert_cmphex(r[0x34], ==, SWITCH_DSP_PORT(0));
}

static void reset_ends_what_runs(CxlSwitch *sw)
{
    g_assert_cmphex(vppb_unbind(sw, 0, 1, SURPRISE), ==, RC_STARTED);
    qtest_system_reset(sw->qts);
    switch_probe(sw->qts, sw);
    g_assert_false(switch_busy(sw));
    qtest_clock_step(sw->qts, STEP_NS);
    g_assert_true(host_sees(sw, 0));
    g_assert_cmpuint(vppb_state(sw, 1), ==, BOUND);

    /* what is done stays done */
    g_assert_cmphex(vppb_unbind(sw, 0, 1, SURPRISE), ==, RC_STARTED);
    switch_ends(sw, OP_UNBIND, 0);
    qtest_system_reset(sw->qts);
    switch_probe(sw->qts, sw);
    g_assert_false(host_sees(sw, 0));
    g_assert_cmpuint(vppb_state(sw, 1), ==, UNBOUND);
}

static void follow(CxlSwitch *sw, const char *args, int64_t already_ns)
{
    unsigned i;

    sw->qts = cxl_migrate(sw->qts, args);
    sw->mailbox.qts = sw->usp.qts = sw->qts;
    for (i = 0; i < ARRAY_SIZE(sw->dsp); i++) {
        sw->dsp[i].qts = sw->below[i].qts = sw->qts;
    }
    /* the clock of a qtest starts anew: up to the end of what runs, nearly */
    if (already_ns) {
        qtest_clock_step(sw->qts, already_ns);
    }
}

static void bindings_migrate(void)
{
    g_autofree char *args = cxl_args(SWITCH_PORTS SWITCH_MAILBOX
                                     SWITCH_DEVICE);
    CxlSwitch sw;

    switch_probe(qtest_init(args), &sw);
    /* in the middle of an unbind */
    slot_set_control(&sw, 0, PIC_ON);
    g_assert_cmphex(vppb_unbind(&sw, 0, 1, MANAGED), ==, RC_STARTED);
    follow(&sw, args, 0);
    g_assert_true(host_sees(&sw, 0));
    g_assert_cmpuint(vppb_state(&sw, 1), ==, CHANGING);
    g_assert_cmphex(vppb_unbind(&sw, 0, 2, SURPRISE), ==, RC_BUSY);
    slot_set_control(&sw, 0, PIC_OFF | PCI_EXP_SLTCTL_PCC);
    switch_ends(&sw, OP_UNBIND, 0);
    g_assert_false(host_sees(&sw, 0));

    /* unbound, in the middle of a bind */
    g_assert_cmphex(vppb_bind(&sw, 0, 1, SWITCH_DSP_PORT(0), NO_LD), ==,
                    RC_STARTED);
    follow(&sw, args, STEP_NS);
    g_assert_false(host_sees(&sw, 0));
    g_assert_cmphex(slot_status(&sw, 0) & PCI_EXP_SLTSTA_PDS, ==, 0);
    switch_ends(&sw, OP_BIND, 0);
    g_assert_false(host_sees(&sw, 0));
    slot_set_control(&sw, 0, PIC_ON);
    g_assert_true(host_sees(&sw, 0));
    follow(&sw, args, 0);
    g_assert_true(host_sees(&sw, 0));
    g_assert_cmpuint(vppb_state(&sw, 1), ==, BOUND);
    qtest_quit(sw.qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/vcs/" #f, f)
#define SW(f, args) switch_add_test("/cxl/vcs/" #f, f, args)
    SW(info_lists_vppbs, "");
    SW(info_refuses_what_does_not_fit,
       "-global cxl-switch-mailbox-cci.mailbox-payload=2K ");
    SW(surprise_and_back, SWITCH_DEVICE);
    SW(surprise_interrupts_the_host, SWITCH_DEVICE);
    SW(wrong_bindings_are_refused,
       SWITCH_DEVICE "-device cxl-downstream,id=ds2,bus=us0,port=9,chassis=0,"
       "slot=6,addr=2.0,hotplug=off ");
    SW(an_unbound_port_can_be_empty, "");
    SW(bindings_are_logged, SWITCH_DEVICE);
    SW(reset_ends_what_runs, SWITCH_DEVICE);
    T(bindings_migrate);
    return g_test_run();
}
