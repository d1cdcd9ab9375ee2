/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unbind (5202h) that leaves the last word to the host: managed removal by the
 * slot's attention button, and waiting for the link (CXL r3.2 7.6.7.2)
 */
#include "qemu/osdep.h"
#include "cxl-qtest-vcs.h"

#define LISTENS (PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_ABPE)

/**
 * struct Slot - slots with and without a power controller
 * @off: what a host writes when it has done its part
 */
typedef struct Slot {
    const char *args;
    uint16_t off;
} Slot;

static const Slot with_power = { "", PIC_OFF | PCI_EXP_SLTCTL_PCC };
static const Slot without_power = {
    "-global cxl-downstream.power_controller_present=off", PIC_OFF
};

static void start(CxlSwitch *sw, const Slot *slot)
{
    g_autofree char *more = g_strconcat(SWITCH_DEVICE, slot->args, NULL);

    switch_start(sw, more);
}

static void managed_removal_asks_the_host(const void *data)
{
    const Slot *slot = data;
    CxlSwitch sw;

    start(&sw, slot);
    /* a host that uses the slot */
    slot_set_control(&sw, 0, PIC_ON | LISTENS);
    slot_clear_status(&sw, 0);
    g_assert_cmphex(vppb_unbind(&sw, 0, 1, MANAGED), ==, RC_STARTED);
    g_assert_cmphex(slot_status(&sw, 0) & PCI_EXP_SLTSTA_ABP, !=, 0);
    slot_set_control(&sw, 0, PIC_BLINK | LISTENS);
    qtest_clock_step(sw.qts, 5 * STEP_NS);
    g_assert_true(switch_busy(&sw));
    g_assert_true(host_sees(&sw, 0));
    if (slot == &with_power) {
        /* as Linux does: power first, then the indicator */
        slot_set_control(&sw, 0, PIC_BLINK | PCI_EXP_SLTCTL_PCC | LISTENS);
        qtest_clock_step(sw.qts, 5 * STEP_NS);
        g_assert_true(switch_busy(&sw));
    }
    slot_set_control(&sw, 0, slot->off | LISTENS);
    switch_ends(&sw, OP_UNBIND, 0);
    g_assert_false(host_sees(&sw, 0));
    g_assert_cmphex(slot_status(&sw, 0) & PCI_EXP_SLTSTA_PDS, ==, 0);

    /* still QEMU's: it can come back, and go again with nobody to ask */
    g_assert_cmphex(vppb_bind(&sw, 0, 1, SWITCH_DSP_PORT(0), NO_LD), ==,
                    RC_STARTED);
    switch_ends(&sw, OP_BIND, 0);
    slot_set_control(&sw, 0, PIC_ON);
    g_assert_true(host_sees(&sw, 0));
    slot_set_control(&sw, 0, PIC_OFF);
    slot_clear_status(&sw, 0);
    g_assert_cmphex(vppb_unbind(&sw, 0, 1, MANAGED), ==, RC_STARTED);
    g_assert_cmphex(slot_status(&sw, 0) & PCI_EXP_SLTSTA_ABP, ==, 0);
    switch_ends(&sw, OP_UNBIND, 0);
    qtest_quit(sw.qts);
}

/* In a slot that was filled at boot the indicator is off from the start */
static void managed_removal_of_a_boot_device(const void *data)
{
    const Slot *slot = data;
    CxlSwitch sw;

    start(&sw, slot);
    slot_set_control(&sw, 0, PIC_OFF | LISTENS);
    slot_clear_status(&sw, 0);
    g_assert_cmphex(vppb_unbind(&sw, 0, 1, MANAGED), ==, RC_STARTED);
    g_assert_cmphex(slot_status(&sw, 0) & PCI_EXP_SLTSTA_ABP, !=, 0);
    qtest_clock_step(sw.qts, 5 * STEP_NS);
    g_assert_true(switch_busy(&sw));
    slot_set_control(&sw, 0, PIC_BLINK | LISTENS);
    qtest_clock_step(sw.qts, 5 * STEP_NS);
    g_assert_true(switch_busy(&sw));
    g_assert_true(host_sees(&sw, 0));
    slot_set_control(&sw, 0, slot->off | LISTENS);
    switch_ends(&sw, OP_UNBIND, 0);
    g_assert_false(host_sees(&sw, 0));
    qtest_quit(sw.qts);
}

/* A host that has switched the slot off needs not be asked */
static void what_is_off_is_unbound_at_once(void)
{
    CxlSwitch sw;

    start(&sw, &with_power);
    slot_set_control(&sw, 0, with_power.off | LISTENS);
    slot_clear_status(&sw, 0);
    g_assert_false(host_sees(&sw, 0));
    g_assert_cmphex(vppb_unbind(&sw, 0, 1, MANAGED), ==, RC_STARTED);
    g_assert_cmphex(slot_status(&sw, 0) & PCI_EXP_SLTSTA_ABP, ==, 0);
    switch_ends(&sw, OP_UNBIND, 0);
    qtest_quit(sw.qts);
}

/* Whom device_del asked deletes its device with that; for an unbind it stays */
static void power_off_keeps_an_unbound_device(CxlSwitch *sw)
{
    slot_set_control(sw, 0, PIC_ON);
    g_assert_cmphex(vppb_unbind(sw, 0, 1, MANAGED), ==, RC_STARTED);
    slot_set_control(sw, 0, PIC_OFF | PCI_EXP_SLTCTL_PCC);
    g_assert_cmphex(slot_status(sw, 0) & PCI_EXP_SLTSTA_PDS, ==, 0);
    switch_ends(sw, OP_UNBIND, 0);
    g_assert_cmphex(vppb_bind(sw, 0, 1, SWITCH_DSP_PORT(0), NO_LD), ==,
                    RC_STARTED);
    switch_ends(sw, OP_BIND, 0);
    slot_set_control(sw, 0, PIC_ON);
    g_assert_true(host_sees(sw, 0));
}

static void a_host_that_holds_on_keeps_it(CxlSwitch *sw)
{
    uint64_t bg;

    slot_set_control(sw, 0, PIC_ON);
    g_assert_cmphex(vppb_unbind(sw, 0, 1, MANAGED), ==, RC_STARTED);
    qtest_clock_step(sw->qts, HOST_NS);
    g_assert_false(switch_busy(sw));
    bg = dev_readq(&sw->mailbox, REG_MB_BG_STATUS);
    g_assert_cmphex(bg >> 32 & 0xffff, ==, RC_RETRY);
    g_assert_cmpuint(vppb_state(sw, 1), ==, BOUND);
    g_assert_true(host_sees(sw, 0));

    /* it is busy with the slot: pressing the button now would cancel that */
    slot_set_control(sw, 0, PIC_BLINK);
    g_assert_cmphex(vppb_unbind(sw, 0, 1, MANAGED), ==, RC_RETRY);
    g_assert_false(switch_busy(sw));
}

static void unbind_can_wait_for_the_link(CxlSwitch *sw)
{
    uint64_t bg;

    g_assert_cmphex(vppb_unbind(sw, 0, 1, WAIT_LINK_DOWN), ==, RC_STARTED);
    g_assert_cmphex(slot_status(sw, 0) & PCI_EXP_SLTSTA_ABP, ==, 0);
    qtest_clock_step(sw->qts, 5 * STEP_NS);
    g_assert_true(switch_busy(sw));
    qtest_clock_step(sw->qts, HOST_NS);
    bg = dev_readq(&sw->mailbox, REG_MB_BG_STATUS);
    g_assert_cmphex(bg >> 32 & 0xffff, ==, RC_RETRY);
    g_assert_true(host_sees(sw, 0));

    g_assert_cmphex(switch_control(sw, SWITCH_DSP_PORT(0), 0), ==, 0);
    g_assert_cmphex(vppb_unbind(sw, 0, 1, WAIT_LINK_DOWN), ==, RC_STARTED);
    switch_ends(sw, OP_UNBIND, 0);
    g_assert_cmpuint(vppb_state(sw, 1), ==, UNBOUND);

    /* bound again it stays in reset, and is seen when that ends */
    g_assert_cmphex(vppb_bind(sw, 0, 1, SWITCH_DSP_PORT(0), NO_LD), ==,
                    RC_STARTED);
    switch_ends(sw, OP_BIND, 0);
    g_assert_false(host_sees(sw, 0));
    g_assert_cmphex(switch_control(sw, SWITCH_DSP_PORT(0), 1), ==, 0);
    g_assert_true(host_sees(sw, 0));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_data_func("/cxl/vcs/managed", &with_power,
                        managed_removal_asks_the_host);
    qtest_add_data_func("/cxl/vcs/managed_without_power", &without_power,
                        managed_removal_asks_the_host);
    qtest_add_data_func("/cxl/vcs/managed_at_boot", &with_power,
                        managed_removal_of_a_boot_device);
    qtest_add_data_func("/cxl/vcs/managed_at_boot_without_power",
                        &without_power, managed_removal_of_a_boot_device);
#define T(f) qtest_add_func("/cxl/vcs/" #f, f)
#define SW(f) switch_add_test("/cxl/vcs/" #f, f, SWITCH_DEVICE)
    T(what_is_off_is_unbound_at_once);
    SW(power_off_keeps_an_unbound_device);
    SW(a_host_that_holds_on_keeps_it);
    SW(unbind_can_wait_for_the_link);
    return g_test_run();
}
