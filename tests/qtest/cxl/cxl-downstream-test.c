/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slot of a switch's downstream port: its power, and device_del of what is in
 * it (PCIe r6.2 6.7.3, 7.5.3.9 to 7.5.3.11)
 */
#include "qemu/osdep.h"
#include "hw/pci/pci_regs.h"
#include "qobject/qdict.h"
#include "cxl-qtest-switch.h"

#define OFF (PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_PCC)
#define ON PCI_EXP_SLTCTL_PWR_IND_ON
#define NOTHING 0xffffffff
#define NO_POWER "-global cxl-downstream.power_controller_present=off"
/* Attention button, both indicators, surprise, hot-plug, lock; slot 4 */
#define SLOT_CAP (4u << 19 | 0x20079)

static uint32_t slot_cap(CxlSwitch *sw, unsigned n)
{
    return cfg_readl(&sw->dsp[n], cfg_find_cap(&sw->dsp[n], PCI_CAP_ID_EXP) +
                     PCI_EXP_SLTCAP);
}

static bool is_plugged(CxlSwitch *sw)
{
    QDict *rsp = qtest_qmp(sw->qts, "{'execute': 'qom-get', 'arguments': {"
                           "'path': 'cxl-mem0', 'property': 'realized'}}");
    bool there = qdict_haskey(rsp, "return");

    qobject_unref(rsp);
    return there;
}

static void device_del(CxlSwitch *sw)
{
    qtest_qmp_device_del_send(sw->qts, "cxl-mem0");
}

static void the_slot_has_a_power_controller(void)
{
    CxlSwitch sw;

    switch_start(&sw, SWITCH_DEVICE);
    g_assert_cmphex(cfg_readl(&sw.dsp[0], PCI_VENDOR_ID), ==, 0xa12919e5);
    g_assert_cmphex(slot_cap(&sw, 0), ==, SLOT_CAP | PCI_EXP_SLTCAP_PCP);
    /* after a reset a slot is on if there is something in it */
    g_assert_cmphex(slot_control(&sw, 0) & PCI_EXP_SLTCTL_PCC, ==, 0);
    g_assert_cmphex(slot_control(&sw, 1) & PCI_EXP_SLTCTL_PCC, !=, 0);
    qtest_quit(sw.qts);

    switch_start(&sw, SWITCH_DEVICE NO_POWER);
    g_assert_cmphex(slot_cap(&sw, 0), ==, SLOT_CAP);
    slot_set_control(&sw, 0, OFF);
    g_assert_cmphex(slot_control(&sw, 0) & PCI_EXP_SLTCTL_PCC, ==, 0);
    g_assert_cmphex(cfg_readl(&sw.below[0], 0), !=, NOTHING);
    qtest_quit(sw.qts);
}

static void device_del_ends_when_the_host_switches_off(CxlSwitch *sw)
{
    slot_set_control(sw, 0, ON);
    slot_clear_status(sw, 0);
    for (unsigned round = 0; round < 3; round++) {
        device_del(sw);
        g_assert_cmphex(slot_status(sw, 0) & PCI_EXP_SLTSTA_ABP, !=, 0);
        /* power first, then the indicator, as Linux does */
        slot_set_control(sw, 0, PCI_EXP_SLTCTL_PWR_IND_BLINK |
                         PCI_EXP_SLTCTL_PCC);
        g_assert_true(is_plugged(sw));
        slot_set_control(sw, 0, OFF);
        qtest_qmp_eventwait(sw->qts, "DEVICE_DELETED");
        g_assert_cmphex(slot_status(sw, 0) & PCI_EXP_SLTSTA_PDS, ==, 0);

        slot_clear_status(sw, 0);
        qtest_qmp_device_add(sw->qts, "cxl-type3", "cxl-mem0",
                             "{'bus': 'ds0', 'volatile-memdev': 'vm0'}");
        g_assert_cmphex(slot_status(sw, 0) & PCI_EXP_SLTSTA_PDS, !=, 0);
        g_assert_cmphex(cfg_readl(&sw->below[0], 0), ==, NOTHING);
        slot_set_control(sw, 0, ON);
        g_assert_cmphex(cfg_readl(&sw->below[0], 0), !=, NOTHING);
        slot_clear_status(sw, 0);
    }
}

/* Nobody took it out: it has no power, and is as after a reset then */
static void a_host_may_switch_off_and_on(CxlSwitch *sw)
{
    cfg_writel(&sw->below[0], PCI_BASE_ADDRESS_0, 0x12340000);
    slot_set_control(sw, 0, OFF);
    g_assert_true(is_plugged(sw));
    g_assert_cmphex(slot_status(sw, 0) & PCI_EXP_SLTSTA_PDS, !=, 0);
    g_assert_cmphex(cfg_readl(&sw->below[0], 0), ==, NOTHING);
    slot_set_control(sw, 0, ON);
    g_assert_cmphex(cfg_readl(&sw->below[0], 0), !=, NOTHING);
    g_assert_cmphex(cfg_readl(&sw->below[0], PCI_BASE_ADDRESS_0) & ~0xfu, ==,
                    0);

    /* off already: the device goes when it is asked for */
    slot_set_control(sw, 0, OFF);
    device_del(sw);
    qtest_qmp_eventwait(sw->qts, "DEVICE_DELETED");
    g_assert_cmphex(slot_status(sw, 0) & PCI_EXP_SLTSTA_PDS, ==, 0);
}

/* A link that a Fabric Manager resets makes Linux switch the slot off and on */
static void a_reset_of_the_link_survives_the_host(CxlSwitch *sw)
{
    slot_set_control(sw, 0, ON);
    g_assert_cmphex(switch_control(sw, SWITCH_DSP_PORT(0), 2), ==, 0);
    slot_set_control(sw, 0, ON | PCI_EXP_SLTCTL_PCC);
    slot_set_control(sw, 0, OFF);
    g_assert_true(is_plugged(sw));
    g_assert_cmphex(slot_status(sw, 0) & PCI_EXP_SLTSTA_PDS, !=, 0);
    slot_set_control(sw, 0, ON);
    g_assert_cmphex(cfg_readl(&sw->below[0], 0), !=, NOTHING);
}

static void power_moves_with_the_machine(void)
{
    g_autofree char *args = cxl_args(SWITCH_PORTS SWITCH_MAILBOX
                                     SWITCH_DEVICE);
    QTestState *to;
    CxlSwitch sw;

    switch_probe(qtest_init(args), &sw);
    slot_set_control(&sw, 0, OFF);
    to = cxl_migrate(sw.qts, args);
    sw.qts = sw.dsp[0].qts = sw.below[0].qts = to;
    g_assert_cmphex(cfg_readl(&sw.below[0], 0), ==, NOTHING);
    slot_set_control(&sw, 0, ON);
    g_assert_cmphex(cfg_readl(&sw.below[0], 0), !=, NOTHING);
    qtest_quit(to);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/downstream/" #f, f)
#define SW(f) switch_add_test("/cxl/downstream/" #f, f, SWITCH_DEVICE)
    T(the_slot_has_a_power_controller);
    SW(device_del_ends_when_the_host_switches_off);
    SW(a_host_may_switch_off_and_on);
    SW(a_reset_of_the_link_survives_the_host);
    T(power_moves_with_the_machine);
    return g_test_run();
}
