/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Physical switch commands (51h) and the switch's event logs through its
 * mailbox function: every field, every return code, what a host sees of it
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/pci/pci_regs.h"
#include "qobject/qdict.h"
#include "cxl-qtest-switch.h"

#define RC_INPUT    0x02
#define RC_INTERNAL 0x04
#define RC_LENGTH   0x16

enum { ASSERT, DEASSERT, RESET };

#define STATE_DSP   3
#define STATE_USP   4
#define MODE_VH     2
#define TYPE_SLD    4
#define LTSSM_L0    4
#define FLAG_PERST  0x02
#define FLAG_HERE   0x04
#define FLAG_POWER  0x08
#define BLOCK_FLAGS 0xd

static void identify_counts_ports_and_vppbs(CxlSwitch *sw)
{
    CxlRsp rsp;

    g_assert_cmphex(cxl_cmd(&sw->mailbox, 0x5100, NULL, &rsp), ==, 0);
    g_assert_cmpuint(rsp.len, ==, 0x49);
    g_assert_cmpuint(rsp.data[0], ==, SWITCH_USP_PORT);
    g_assert_cmpuint(rsp.data[2], ==, 3);
    g_assert_cmpuint(rsp.data[3], ==, 1);
    g_assert_cmphex(ldq_le_p(rsp.data + 4), ==, 1 << 3 | 1 << 4 | 1 << 7);
    g_assert_cmphex(ldq_le_p(rsp.data + 0x24), ==, 1);
    g_assert_cmpuint(lduw_le_p(rsp.data + 0x44), ==, 3);
    g_assert_cmpuint(lduw_le_p(rsp.data + 0x46), ==, 3);
    g_assert_cmpuint(rsp.data[0x48], ==, 4);
}

static void port_state_is_that_of_the_ports(CxlSwitch *sw)
{
    CxlReq req;
    uint8_t b[16];
    CxlRsp rsp;

    switch_port(sw, SWITCH_DSP_PORT(0), b);
    g_assert_cmpuint(b[1], ==, STATE_DSP);
    g_assert_cmpuint(b[2], ==, MODE_VH);
    g_assert_cmpuint(b[4], ==, TYPE_SLD);
    g_assert_cmphex(b[5], ==, 2);
    /* x16 both; the port could do 64 GT/s, the device 32 */
    g_assert_cmphex(b[6], ==, 0x10);
    g_assert_cmphex(b[7], ==, 0x10);
    g_assert_cmphex(b[8], ==, 0x3f);
    g_assert_cmphex(b[9], ==, 6);
    g_assert_cmphex(b[0xa], ==, 5);
    g_assert_cmpuint(b[0xb], ==, LTSSM_L0);
    g_assert_cmphex(lduw_le_p(b + BLOCK_FLAGS), ==, FLAG_HERE | FLAG_POWER);
    g_assert_cmpuint(b[0xf], ==, 0);

    /* a PCIe device is not CXL */
    switch_port(sw, SWITCH_DSP_PORT(1), b);
    g_assert_cmpuint(b[2], ==, 0);
    g_assert_cmpuint(b[4], ==, 1);
    g_assert_cmpuint(b[0xb], ==, LTSSM_L0);

    switch_port(sw, SWITCH_USP_PORT, b);
    g_assert_cmpuint(b[1], ==, STATE_USP);
    g_assert_cmpuint(b[2], ==, MODE_VH);
    g_assert_cmpuint(b[4], ==, 0);
    g_assert_cmphex(b[7], ==, 0x10);
    g_assert_cmphex(b[0xa], ==, 5);

    /* in the order asked for, twice if asked twice */
    req = cxl_req(0x5101, 3, SWITCH_USP_PORT);
    req8(&req, SWITCH_DSP_PORT(1));
    req8(&req, SWITCH_USP_PORT);
    g_assert_cmphex(cxl_cmd(&sw->mailbox, 0x5101, &req, &rsp), ==, 0);
    g_assert_cmpuint(rsp.len, ==, 4 + 3 * 16);
    g_assert_cmpuint(rsp.data[4], ==, SWITCH_USP_PORT);
    g_assert_cmpuint(rsp.data[20], ==, SWITCH_DSP_PORT(1));
    g_assert_cmpmem(rsp.data + 4, 16, rsp.data + 36, 16);
}

static void empty_port_has_no_link(CxlSwitch *sw)
{
    uint8_t b[16];

    switch_port(sw, SWITCH_DSP_PORT(1), b);
    g_assert_cmpuint(b[1], ==, STATE_DSP);
    g_assert_cmpuint(b[2], ==, 0);
    g_assert_cmpuint(b[4], ==, 0);
    g_assert_cmpuint(b[7], ==, 0);
    g_assert_cmpuint(b[0xa], ==, 0);
    g_assert_cmpuint(b[0xb], ==, 0);
    /* off, until there is something that a host can switch on */
    g_assert_cmphex(lduw_le_p(b + BLOCK_FLAGS), ==, 0);
}

static void wrong_properties_of_the_mailbox_are_named(void)
{
    static const struct { const char *props, *text; } rows[] = {
        { "", "property 'target' is not set: give the id of the cxl-upstream" },
        { ", 'target': 'us0', 'mailbox-payload': 100",
          "property 'mailbox-payload' is 100" },
    };
    QTestState *qts = cxl_start(SWITCH_PORTS);
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(rows); i++) {
        g_autofree char *json = g_strdup_printf(
            "{'execute': 'device_add', 'arguments': {'driver': "
            "'cxl-switch-mailbox-cci', 'id': 'm', 'bus': 'rp1'%s}}",
            rows[i].props);
        QDict *rsp = qtest_qmp(qts, json, NULL);

        g_assert_true(qdict_haskey(rsp, "error"));
        g_assert_nonnull(strstr(qdict_get_str(qdict_get_qdict(rsp, "error"),
                                              "desc"), rows[i].text));
        qobject_unref(rsp);
    }
    qtest_quit(qts);
}

static void port_state_of_strangers_is_refused(CxlSwitch *sw)
{
    CxlReq one, many = { 0 }, wrong, none = { 0 };
    CxlRsp rsp;
    unsigned i;

    one = cxl_req(0x5101, 2, SWITCH_USP_PORT);
    req8(&one, 99);
    switch_refused(sw, 0x5101, &one, RC_INPUT);

    /* 2048 bytes hold 127 ports */
    req8(&many, 128);
    for (i = 0; i < 128; i++) {
        req8(&many, SWITCH_USP_PORT);
    }
    switch_refused(sw, 0x5101, &many, RC_INPUT);
    many.data[0] = 127;
    many.len--;
    g_assert_cmphex(cxl_cmd(&sw->mailbox, 0x5101, &many, &rsp), ==, 0);
    g_assert_cmpuint(rsp.len, ==, 4 + 127 * 16);

    wrong = cxl_req(0x5101, 2, SWITCH_USP_PORT);
    switch_refused(sw, 0x5101, &wrong, RC_LENGTH);
    switch_refused(sw, 0x5101, NULL, RC_LENGTH);
    req8(&none, 0);
    g_assert_cmphex(cxl_cmd(&sw->mailbox, 0x5101, &none, &rsp), ==, 0);
    g_assert_cmpuint(rsp.len, ==, 4);
}

static void perst_takes_the_device_from_the_host(CxlSwitch *sw)
{
    uint8_t b[16];

    g_assert_cmphex(cfg_readl(&sw->below[0], 0), !=, 0xffffffff);
    cfg_writel(&sw->below[0], PCI_BASE_ADDRESS_0, 0x12340000);
    g_assert_cmphex(slot_status(sw, 0), ==, PCI_EXP_SLTSTA_PDS);
    g_assert_cmphex(link_status(sw, 0) & PCI_EXP_LNKSTA_DLLLA, !=, 0);

    g_assert_cmphex(switch_control(sw, SWITCH_DSP_PORT(0), ASSERT), ==, 0);
    g_assert_cmphex(cfg_readl(&sw->below[0], 0), ==, 0xffffffff);
    g_assert_cmphex(slot_status(sw, 0), ==,
                    PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_DLLSC);
    g_assert_cmphex(link_status(sw, 0) & PCI_EXP_LNKSTA_DLLLA, ==, 0);
    switch_port(sw, SWITCH_DSP_PORT(0), b);
    g_assert_cmpuint(b[2], ==, 0);
    g_assert_cmpuint(b[4], ==, 0);
    g_assert_cmpuint(b[0xb], ==, 0);
    g_assert_cmphex(lduw_le_p(b + BLOCK_FLAGS), ==,
                    FLAG_PERST | FLAG_HERE | FLAG_POWER);

    slot_clear_status(sw, 0);
    g_assert_cmphex(slot_status(sw, 0), ==, 0);
    g_assert_cmphex(switch_control(sw, SWITCH_DSP_PORT(0), DEASSERT), ==, 0);
    g_assert_cmphex(slot_status(sw, 0) & PCI_EXP_SLTSTA_PDS, !=, 0);
    g_assert_cmphex(slot_status(sw, 0) & PCI_EXP_SLTSTA_PDC, !=, 0);
    g_assert_cmphex(link_status(sw, 0) & PCI_EXP_LNKSTA_DLLLA, !=, 0);
    /* it comes back from a reset */
    g_assert_cmphex(cfg_readl(&sw->below[0], 0), !=, 0xffffffff);
    g_assert_cmphex(cfg_readl(&sw->below[0], PCI_BASE_ADDRESS_0) & ~15, ==, 0);
    switch_port(sw, SWITCH_DSP_PORT(0), b);
    g_assert_cmpuint(b[0xb], ==, LTSSM_L0);
}

static void control_knows_its_states(CxlSwitch *sw)
{
    uint8_t port = SWITCH_DSP_PORT(0);

    g_assert_cmphex(switch_control(sw, SWITCH_USP_PORT, ASSERT), ==, RC_INPUT);
    g_assert_cmphex(switch_control(sw, 99, ASSERT), ==, RC_INPUT);
    g_assert_cmphex(switch_control(sw, port, 3), ==, RC_INPUT);
    g_assert_cmphex(switch_control(sw, port, DEASSERT), ==, RC_INTERNAL);
    g_assert_cmphex(cfg_readl(&sw->below[0], 0), !=, 0xffffffff);
    g_assert_cmphex(switch_control(sw, port, ASSERT), ==, 0);
    g_assert_cmphex(switch_control(sw, port, ASSERT), ==, RC_INTERNAL);
    g_assert_cmphex(switch_control(sw, port, RESET), ==, RC_INTERNAL);
    g_assert_cmphex(switch_control(sw, port, DEASSERT), ==, 0);
    /* an empty port has the pin too, and nothing happens to its slot */
    port = SWITCH_DSP_PORT(1);
    g_assert_cmphex(switch_control(sw, port, ASSERT), ==, 0);
    g_assert_cmphex(switch_control(sw, port, DEASSERT), ==, 0);
    g_assert_cmphex(switch_control(sw, port, RESET), ==, 0);
    g_assert_cmphex(slot_status(sw, 1), ==, 0);
}

static void reset_looks_like_a_replug(CxlSwitch *sw)
{
    cfg_writel(&sw->below[0], PCI_BASE_ADDRESS_0, 0x12340000);
    g_assert_cmphex(switch_control(sw, SWITCH_DSP_PORT(0), RESET), ==, 0);
    g_assert_cmphex(cfg_readl(&sw->below[0], 0), !=, 0xffffffff);
    g_assert_cmphex(cfg_readl(&sw->below[0], PCI_BASE_ADDRESS_0) & ~15, ==, 0);
    g_assert_cmphex(slot_status(sw, 0) & PCI_EXP_SLTSTA_PDS, !=, 0);
    g_assert_cmphex(slot_status(sw, 0) & PCI_EXP_SLTSTA_PDC, !=, 0);
}

static uint16_t config_request(CxlSwitch *sw, uint8_t port, unsigned reg,
                               unsigned enables, bool write, uint32_t value,
                               uint32_t *answer)
{
    CxlRsp rsp;
    uint16_t rc;

    rc = cxl_run(&sw->mailbox, &rsp, 0x5103, port, (reg & 0xfff) | enables <<
                 12, write ? 0x80 : 0, value);
    if (!rc) {
        g_assert_cmpuint(rsp.len, ==, 4);
        *answer = ldl_le_p(rsp.data);
    }
    return rc;
}

static void config_requests_reach_the_port(CxlSwitch *sw)
{
    uint8_t port = SWITCH_DSP_PORT(1);
    uint32_t v;

    g_assert_cmphex(config_request(sw, port, 0, 0xf, false, 0, &v), ==, 0);
    g_assert_cmphex(v, ==, 0xa12919e5);
    g_assert_cmphex(config_request(sw, SWITCH_USP_PORT, 0, 0xf, false, 0, &v),
                    ==, 0);
    g_assert_cmphex(v, ==, 0xa12819e5);
    g_assert_cmphex(config_request(sw, port, 2, 0x6, false, 0, &v), ==, 0);
    g_assert_cmphex(v, ==, 0x002919 << 8);
    g_assert_cmphex(config_request(sw, port, 0, 0, false, 0, &v), ==, 0);
    g_assert_cmphex(v, ==, 0);
    /* extended: AER stands first */
    g_assert_cmphex(config_request(sw, port, 0x100, 0x3, false, 0, &v), ==, 0);
    g_assert_cmphex(v, ==, PCI_EXT_CAP_ID_ERR);

    /* what is read-only stays so, what is not enabled too */
    g_assert_cmphex(config_request(sw, port, 0, 0xf, true, 0, &v), ==, 0);
    g_assert_cmphex(cfg_readl(&sw->dsp[1], 0), ==, 0xa12919e5);
    v = cfg_readl(&sw->dsp[1], PCI_MEMORY_BASE);
    cfg_writel(&sw->dsp[1], PCI_MEMORY_BASE, 0x22201110);
    g_assert_cmphex(config_request(sw, port, PCI_MEMORY_BASE, 0x9, true,
                                   0x77665540, &v), ==, 0);
    g_assert_cmphex(v, ==, 0);
    g_assert_cmphex(cfg_readl(&sw->dsp[1], PCI_MEMORY_BASE), ==, 0x77201140);
    g_assert_cmphex(config_request(sw, port, PCI_MEMORY_BASE, 0xc, true,
                                   0x88800000, &v), ==, 0);
    g_assert_cmphex(cfg_readl(&sw->dsp[1], PCI_MEMORY_BASE), ==, 0x88801140);
    g_assert_cmphex(config_request(sw, port, PCI_MEMORY_BASE, 0, true,
                                   0xfff0fff0, &v), ==, 0);
    g_assert_cmphex(cfg_readl(&sw->dsp[1], PCI_MEMORY_BASE), ==, 0x88801140);
    g_assert_cmphex(config_request(sw, port, PCI_MEMORY_BASE, 0xf, true,
                                   0x33303330, &v), ==, 0);
    g_assert_cmphex(cfg_readl(&sw->dsp[1], PCI_MEMORY_BASE), ==, 0x33303330);
    /* the very last bytes */
    g_assert_cmphex(config_request(sw, port, 0xfff, 0xf, false, 0, &v), ==, 0);

    g_assert_cmphex(config_request(sw, 99, 0, 0xf, false, 0, &v), ==, RC_INPUT);
}

static uint8_t sv_state(CxlSwitch *sw)
{
    CxlReq vcs = { .len = 1 };
    CxlRsp own, other;

    g_assert_cmphex(cxl_cmd(&sw->mailbox, 0x5104, NULL, &own), ==, 0);
    g_assert_cmpuint(own.len, ==, 1);
    g_assert_cmphex(cxl_cmd(&sw->mailbox, 0x5106, &vcs, &other), ==, 0);
    g_assert_cmpuint(other.len, ==, 1);
    g_assert_cmpuint(own.data[0], ==, other.data[0]);
    return own.data[0];
}

static void secret_value_is_set_once(CxlSwitch *sw)
{
    CxlReq sv = { .len = 16 }, vcs = { .len = 1 }, bad = { 0 };
    CxlRsp rsp;
    unsigned i;

    for (i = 0; i < 16; i++) {
        sv.data[i] = 0x10 + i;
    }
    g_assert_cmpuint(sv_state(sw), ==, 0);
    g_assert_cmphex(cxl_cmd(&sw->mailbox, 0x5105, &sv, &rsp), ==, 0);
    g_assert_cmpuint(sv_state(sw), ==, 1);
    g_assert_cmphex(cxl_cmd(&sw->mailbox, 0x5107, &vcs, &rsp), ==, 0);
    g_assert_cmpmem(rsp.data, rsp.len, sv.data, 16);

    req_zero(&bad, 16);
    switch_refused(sw, 0x5105, &bad, RC_INPUT);
    g_assert_cmphex(cxl_cmd(&sw->mailbox, 0x5107, &vcs, &rsp), ==, 0);
    g_assert_cmpmem(rsp.data, rsp.len, sv.data, 16);
    bad = (CxlReq) { 0 };
    req8(&bad, 1);
    switch_refused(sw, 0x5106, &bad, RC_INPUT);
    switch_refused(sw, 0x5107, &bad, RC_INPUT);

    /* until the next conventional reset */
    qtest_system_reset(sw->qts);
    switch_probe(sw->qts, sw);
    g_assert_cmpuint(sv_state(sw), ==, 0);
    g_assert_cmphex(cxl_cmd(&sw->mailbox, 0x5107, &vcs, &rsp), ==, 0);
    g_assert_cmphex(ldq_le_p(rsp.data) | ldq_le_p(rsp.data + 8), ==, 0);
}

static void port_changes_are_logged(CxlSwitch *sw)
{
    static const uint8_t uuid[16] = {
        0x77, 0xcf, 0x92, 0x71, 0x9c, 0x02, 0x47, 0x0b,
        0x9f, 0xe4, 0xbc, 0x7b, 0x75, 0xf2, 0xda, 0x97,
    };
    CxlReq log = { .len = 1 }, clear;
    const uint8_t *r;
    uint8_t b[16];
    CxlRsp rsp;

    g_assert_cmphex(dev_readq(&sw->mailbox, REG_EVENT_STATUS), ==, 0);
    g_assert_cmphex(cxl_cmd(&sw->mailbox, 0x0100, &log, &rsp), ==, 0);
    g_assert_cmpuint(lduw_le_p(rsp.data + 0x14), ==, 0);

    g_assert_cmphex(switch_control(sw, SWITCH_DSP_PORT(0), ASSERT), ==, 0);
    g_assert_cmphex(dev_readq(&sw->mailbox, REG_EVENT_STATUS), ==, 1);
    switch_port(sw, SWITCH_DSP_PORT(0), b);
    g_assert_cmphex(cxl_cmd(&sw->mailbox, 0x0100, &log, &rsp), ==, 0);
    g_assert_cmpuint(lduw_le_p(rsp.data + 0x14), ==, 1);
    r = rsp.data + 0x20;
    g_assert_cmpmem(r, 16, uuid, 16);
    g_assert_cmpuint(r[0x10], ==, 0x80);
    g_assert_cmpuint(r[0x30], ==, SWITCH_DSP_PORT(0));
    g_assert_cmpuint(r[0x31], ==, 0);
    g_assert_cmphex(lduw_le_p(r + 0x32), ==,
                    PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_DLLSC);
    g_assert_cmpmem(r + 0x35, 15, b + 1, 15);

    /* a wrong handle clears nothing, the right one does */
    clear = cxl_req(0x0101, 0, 0, 1);
    req16(&clear, 77);
    switch_refused(sw, 0x0101, &clear, 0x0e);
    memcpy(clear.data + 6, r + 0x14, 2);
    g_assert_cmphex(cxl_cmd(&sw->mailbox, 0x0101, &clear, &rsp), ==, 0);
    g_assert_cmphex(dev_readq(&sw->mailbox, REG_EVENT_STATUS), ==, 0);
    log.data[0] = 5;
    switch_refused(sw, 0x0100, &log, RC_INPUT);
}

/* Plugged and unplugged by the user: the Fabric Manager hears of it */
static void hot_plugs_are_logged(CxlSwitch *sw)
{
    CxlReq log = { .len = 1 };
    uint8_t b[16];
    CxlRsp rsp;

    for (unsigned n = 0; n < 2; n++) {
        slot_set_control(sw, n, PCI_EXP_SLTCTL_PWR_IND_ON);
    }
    qtest_qmp_device_add(sw->qts, "virtio-rng-pci", "plain",
                         "{'bus': 'ds1'}");
    g_assert_cmphex(cxl_cmd(&sw->mailbox, 0x0100, &log, &rsp), ==, 0);
    g_assert_cmpuint(lduw_le_p(rsp.data + 0x14), ==, 1);
    g_assert_cmpuint(rsp.data[0x20 + 0x30], ==, SWITCH_DSP_PORT(1));
    /* what is connected */
    g_assert_cmpuint(rsp.data[0x20 + 0x38], ==, 1);
    /* below PERST there is nothing to see, and nothing to take */
    g_assert_cmphex(switch_control(sw, SWITCH_DSP_PORT(0), ASSERT), ==, 0);
    qtest_qmp_device_add(sw->qts, "virtio-rng-pci", "hidden",
                         "{'bus': 'ds0'}");
    g_assert_cmphex(cfg_readl(&sw->below[0], 0), ==, 0xffffffff);
    g_assert_cmphex(slot_status(sw, 0) & ~PCI_EXP_SLTSTA_CC, ==, 0);
    switch_port(sw, SWITCH_DSP_PORT(0), b);
    g_assert_cmphex(lduw_le_p(b + BLOCK_FLAGS) & (FLAG_PERST | FLAG_HERE), ==,
                    FLAG_PERST | FLAG_HERE);
    g_assert_cmphex(switch_control(sw, SWITCH_DSP_PORT(0), DEASSERT), ==, 0);
    g_assert_cmphex(cfg_readl(&sw->below[0], 0), !=, 0xffffffff);
}

static bool is_error(QDict *rsp)
{
    bool failed = qdict_haskey(rsp, "error");

    qobject_unref(rsp);
    return failed;
}

static void a_held_device_stays(CxlSwitch *sw)
{
    g_assert_cmphex(switch_control(sw, SWITCH_DSP_PORT(0), ASSERT), ==, 0);
    g_assert_true(is_error(qtest_qmp(sw->qts, "{'execute': 'device_del',"
                                     " 'arguments': {'id': 'cxl-mem0'}}")));
    /* its place is not free */
    g_assert_true(is_error(qtest_qmp(sw->qts, "{'execute': 'device_add',"
                                     " 'arguments': {'driver':"
                                     " 'virtio-rng-pci', 'bus': 'ds0',"
                                     " 'addr': '0.0', 'id': 'other'}}")));
    g_assert_cmphex(switch_control(sw, SWITCH_DSP_PORT(0), DEASSERT), ==, 0);
    g_assert_false(is_error(qtest_qmp(sw->qts, "{'execute': 'device_del',"
                                      " 'arguments': {'id': 'cxl-mem0'}}")));
}

/* The whole switch is unplugged, with a device that PERST holds */
static void a_switch_goes_with_what_it_holds(CxlSwitch *sw)
{
    cxl_slot_power(sw->qts, 0, true);
    g_assert_cmphex(switch_control(sw, SWITCH_DSP_PORT(0), ASSERT), ==, 0);
    g_assert_false(is_error(qtest_qmp(sw->qts, "{'execute': 'device_del',"
                                      " 'arguments': {'id': 'us0'}}")));
    cxl_slot_power(sw->qts, 0, false);
    g_assert_cmphex(cfg_readl(&sw->usp, 0), ==, 0xffffffff);
    /* all of it: names and memory are free again */
    g_assert_true(is_error(qtest_qmp(sw->qts, "{'execute': 'qom-list',"
                                     " 'arguments': {'path':"
                                     " '/machine/peripheral/cxl-mem0'}}")));
    g_assert_false(is_error(qtest_qmp(sw->qts, "{'execute': 'object-del',"
                                      " 'arguments': {'id': 'vm0'}}")));
}

/* The Fabric Manager's decisions are not the host's to undo */
static void perst_survives_a_reset_of_the_host(CxlSwitch *sw)
{
    g_assert_cmphex(switch_control(sw, SWITCH_DSP_PORT(0), ASSERT), ==, 0);
    qtest_system_reset(sw->qts);
    switch_probe(sw->qts, sw);
    g_assert_cmphex(cfg_readl(&sw->below[0], 0), ==, 0xffffffff);
    g_assert_cmphex(slot_status(sw, 0) & PCI_EXP_SLTSTA_PDS, ==, 0);
    g_assert_cmphex(switch_control(sw, SWITCH_DSP_PORT(0), DEASSERT), ==, 0);
    /* the slot was empty at the reset, so its power is off */
    g_assert_cmphex(slot_status(sw, 0) & PCI_EXP_SLTSTA_PDS, !=, 0);
    slot_set_control(sw, 0, PCI_EXP_SLTCTL_PWR_IND_ON);
    g_assert_cmphex(cfg_readl(&sw->below[0], 0), !=, 0xffffffff);
}

static void state_migrates(void)
{
    g_autofree char *args = cxl_args(SWITCH_PORTS SWITCH_MAILBOX
                                     SWITCH_DEVICE);
    CxlReq sv = { .len = 16, .data = { 0xab } }, one = { .len = 1 };
    uint8_t before[16], after[16];
    CxlSwitch sw;
    CxlRsp rsp, old;

    switch_probe(qtest_init(args), &sw);
    g_assert_cmphex(cxl_run(&sw.mailbox, NULL, 0x0301, 1000000000000ull), ==,
                    0);
    g_assert_cmphex(cxl_cmd(&sw.mailbox, 0x5105, &sv, NULL), ==, 0);
    g_assert_cmphex(switch_control(&sw, SWITCH_DSP_PORT(0), ASSERT), ==, 0);
    switch_port(&sw, SWITCH_DSP_PORT(0), before);
    g_assert_cmphex(cxl_cmd(&sw.mailbox, 0x0100, &one, &old), ==, 0);

    sw.qts = cxl_migrate(sw.qts, args);
    sw.mailbox.qts = sw.usp.qts = sw.qts;
    sw.dsp[0].qts = sw.below[0].qts = sw.qts;
    g_assert_cmpuint(sv_state(&sw), ==, 1);
    g_assert_cmphex(cxl_cmd(&sw.mailbox, 0x5107, &one, &rsp), ==, 0);
    g_assert_cmpmem(rsp.data, rsp.len, sv.data, 16);
    g_assert_cmphex(cxl_cmd(&sw.mailbox, 0x0300, NULL, &rsp), ==, 0);
    g_assert_cmpuint(ldq_le_p(rsp.data), >=, 1000000000000ull);
    g_assert_cmphex(cxl_cmd(&sw.mailbox, 0x0100, &one, &rsp), ==, 0);
    g_assert_cmpmem(rsp.data, rsp.len, old.data, old.len);
    switch_port(&sw, SWITCH_DSP_PORT(0), after);
    g_assert_cmpmem(before, 16, after, 16);
    g_assert_cmphex(cfg_readl(&sw.below[0], 0), ==, 0xffffffff);
    g_assert_cmphex(slot_status(&sw, 0) & PCI_EXP_SLTSTA_PDS, ==, 0);
    g_assert_cmphex(switch_control(&sw, SWITCH_DSP_PORT(0), DEASSERT), ==, 0);
    g_assert_cmphex(cfg_readl(&sw.below[0], 0), !=, 0xffffffff);
    qtest_quit(sw.qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/switch/" #f, f)
#define SW(f, args) switch_add_test("/cxl/switch/" #f, f, args)
    SW(identify_counts_ports_and_vppbs, "");
    SW(port_state_is_that_of_the_ports,
       SWITCH_DEVICE "-device virtio-rng-pci,bus=ds1,id=plain ");
    SW(empty_port_has_no_link, "");
    T(wrong_properties_of_the_mailbox_are_named);
    SW(port_state_of_strangers_is_refused,
       "-global cxl-switch-mailbox-cci.mailbox-payload=2K");
    SW(perst_takes_the_device_from_the_host, SWITCH_DEVICE);
    SW(control_knows_its_states, SWITCH_DEVICE);
    SW(reset_looks_like_a_replug, SWITCH_DEVICE);
    SW(config_requests_reach_the_port, "");
    SW(secret_value_is_set_once, "");
    SW(port_changes_are_logged, SWITCH_DEVICE);
    SW(hot_plugs_are_logged, "");
    SW(a_held_device_stays, SWITCH_DEVICE);
    SW(a_switch_goes_with_what_it_holds, SWITCH_DEVICE);
    SW(perst_survives_a_reset_of_the_host, SWITCH_DEVICE);
    T(state_migrates);
    return g_test_run();
}
