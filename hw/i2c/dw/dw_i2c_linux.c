/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Synopsys DesignWare I2C controller: what property hide-linux-races does.
 *
 * Linux 7.3 keeps its mode and the state of a transfer in variables that its
 * interrupt handlers and the code that starts transfers change without a lock.
 * On hardware it loses packets and transfers that way. Each rule here goes by
 * what the registers show of the transfer, and each lets a register say what
 * the databook does not, so all of them are off by default.
 */
#include "qemu/osdep.h"
#include "dw_i2c_internal.h"
#include "trace.h"

/*
 * A poll that finds a packet in progress comes again, as its end will be soon;
 * but the vCPU that takes the packet can lose its time slice.  Linux gives up
 * after 20 ms and tells an error.  What stops that vCPU may have stopped the
 * one that polls, before its first look: so the time is that of the packet.
 * Linux's last look follows the one before without the sleep of 251 us or
 * more, so that is known too.
 */
#define BUSY_NS (10 * SCALE_MS)
#define LAST_LOOK_NS (250 * SCALE_US)
/*
 * Presentations that may be put off until the next disable.  A driver that
 * polls STATUS to receive would never see a packet without this limit.
 */
#define HOLDOFFS_MAX 4

/* Show nothing new for a while. */
static void dw_i2c_linux_put_off(DWI2CState *s, int64_t ns, bool withdraw)
{
    DWI2CTargetSide *t = &s->target;

    trace_dw_i2c_target_holdoff(ns, withdraw);
    t->not_before = MAX(t->not_before,
                        qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + ns);
    if (withdraw) {
        dw_i2c_target_withdraw(t);
    }
}

/*
 * A poll finds a noticed packet.  On hardware its bytes would lie in the FIFO
 * and the bus be idle; a disable then takes them from the handler, which
 * costs the driver a second start of its transfer, see below.
 */
static void dw_i2c_linux_busy_poll(DWI2CState *s)
{
    DWI2CTargetSide *t = &s->target;
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);

    if (!t->overdue &&
        (now - t->busy_since >= BUSY_NS ||
         (t->polled && s->last_read == DW_I2C_STATUS &&
          now - t->polled_at < LAST_LOOK_NS))) {
        t->overdue = true;
        trace_dw_i2c_target_overdue();
    }
    t->polled = true;
    t->polled_at = now;
}

/*
 * Linux clears its status word, polls STATUS for an idle bus, disables and
 * becomes master.  A packet between makes it lose the transfer.  So a poll
 * withdraws a packet that no register has shown yet; one that was shown is
 * activity and is finished first, but no other may follow.
 */
void dw_i2c_linux_status_poll(DWI2CState *s)
{
    DWI2CTargetSide *t = &s->target;
    bool noticed = dw_i2c_target_noticed(t);

    /* The handler and its drain loop read STATUS right behind these two. */
    if (!s->hide_linux_races || !dw_i2c_is_listening(s) ||
        s->last_read == DW_I2C_RAW_INTR_STAT ||
        s->last_read == DW_I2C_DATA_CMD) {
        return;
    }
    if (noticed) {
        dw_i2c_linux_busy_poll(s);
    }
    if (t->holdoffs < HOLDOFFS_MAX) {
        t->holdoffs += !noticed;
        dw_i2c_linux_put_off(s, DW_I2C_HOLDOFF_NS, t->presented && !noticed);
    }
}

/*
 * The handler of master mode has found a packet: the driver has not remembered
 * yet that it enabled target mode.  It cannot take the packet, and would be
 * called again and again by the vCPU that is about to remember it, so the
 * packet comes later, each time twice as late up to a limit.
 */
static bool dw_i2c_linux_too_early(DWI2CState *s)
{
    DWI2CTargetSide *t = &s->target;

    if (!t->presented || t->pos || t->stop_sent) {
        return false;
    }
    t->doublings += t->doublings < DW_I2C_SETTLE_DOUBLINGS;
    dw_i2c_linux_put_off(s, DW_I2C_SETTLE_NS << t->doublings, true);
    return true;
}

/*
 * A handler begins with ENABLE and RAW_INTR_STAT, and goes by INTR_STAT.  If it
 * begins again at once and has taken nothing of a packet, it is that of master
 * mode, for which a transfer is active that has ended in an error.  One who
 * disables reads ENABLE as well, but then writes it.
 */
void dw_i2c_linux_handler_begins(DWI2CState *s)
{
    if (s->hide_linux_races && dw_i2c_is_listening(s) &&
        s->last_read == DW_I2C_ENABLE && s->told_last) {
        dw_i2c_linux_too_early(s);
    }
}

/*
 * Linux's handler of master mode masks everything when it finds no transfer
 * active.  It reads INTR_STAT, looks, and writes the mask.  The write can
 * - hit a mask that was set behind its look, for the next transfer or for
 *   target mode: nobody has read INTR_STAT since;
 * - come in target mode, which the driver enables before it remembers it.
 * Nobody unmasks either until the next transfer.  Linux has no other use for
 * a mask of 0 in these two states but to give its address up, and then it
 * disables and masks again.
 */
bool dw_i2c_linux_ignores_mask(DWI2CState *s)
{
    bool listening = dw_i2c_is_listening(s);

    if (!s->hide_linux_races || !(s->mask_is_new || listening)) {
        return false;
    }
    trace_dw_i2c_mask_ignored(s->mask_is_new);
    if (listening && dw_i2c_linux_too_early(s)) {
        s->target.handled = false;
    }
    return true;
}

/*
 * When the target handler finds RX_FULL behind the clearing of the status word
 * but before the poll, which is too early for us to know, the word says that a
 * message is half sent: the first message is skipped and, if it was the only
 * one, the transfer times out after a second.  A lost arbitration makes the
 * driver start again at once, four times at most.
 */
bool dw_i2c_linux_loses_message(DWI2CState *s)
{
    if (!s->hide_linux_races || s->master.commanded || !s->target.handled) {
        return false;
    }
    s->target.handled = false;
    s->target.retry = true;
    dw_i2c_master_fail(s, ABRT_ARB_LOST);
    return true;
}
