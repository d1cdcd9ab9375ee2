/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DesignWare I2C controller with hide-linux-races=on: what Linux's driver does
 * in an order that would cost it a packet or a transfer, and what the registers
 * say to it instead. Whichever vCPU does it, the model does not look at that,
 * so here all accesses come from one.
 */
#include "qemu/osdep.h"
#include "dw-i2c-util.h"

/* A machine whose guest has registered its address once. */
static void start_armed(DwI2c *t)
{
    dw_start(t, "-global dw-i2c-pci.hide-linux-races=on");
    dw_target_mode(t, OWN);
}

/* ... and sees the packet 11h 12h, which came while it did not listen. */
static void start_presented(DwI2c *t)
{
    start_armed(t);
    dw_present(t, 0x11, 0x12);
}

static void test_idle_poll_holds_off(DwI2c *t)
{
    dw_echo(t, OWN, 0x11, 0x12);
    dw_target_mode(t, OWN);
    /* Not an idle poll: the handler reads RAW_INTR_STAT first. */
    dw_rd(t, R_RAW_INTR_STAT);
    g_assert_cmphex(dw_rd(t, R_STATUS), ==, ST_IDLE);
    qtest_clock_step(t->qts, SETTLE_NS - 1);
    dw_rd(t, R_ENABLE);
    g_assert_cmphex(dw_rd(t, R_STATUS), ==, ST_IDLE);
    qtest_clock_step(t->qts, HOLDOFF_NS - 1);
    dw_assert_quiet(t);
    qtest_clock_step(t->qts, 1);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_RX_FULL);
    dw_take(t, 0x11, 0x12);
}

static void test_handler_reads_of_status_do_not_hold_off(DwI2c *t)
{
    dw_echo(t, OWN, 0x11, 0x12);
    dw_target_mode(t, OWN);
    dw_rd(t, R_RAW_INTR_STAT);
    dw_rd(t, R_STATUS);
    dw_settle(t);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_RX_FULL);
    g_assert_cmphex(dw_rd(t, R_STATUS), ==,
                    ST_IDLE | ST_RX_NOT_EMPTY | ST_ACTIVITY | ST_TARGET);
}

static void test_disable_ends_the_hold_off(DwI2c *t)
{
    dw_echo(t, OWN, 0x11, 0x12);
    dw_target_mode(t, OWN);
    dw_rd(t, R_ENABLE);
    dw_rd(t, R_STATUS);
    dw_disable(t);
    dw_listen(t);
    dw_take(t, 0x11, 0x12);
}

static void test_unnoticed_packet_is_withdrawn(DwI2c *t)
{
    g_assert_true(dw_line(t));
    /* The idle poll of a starting transfer. */
    g_assert_cmphex(dw_rd(t, R_STATUS), ==, ST_IDLE);
    dw_assert_quiet(t);
    qtest_clock_step(t->qts, HOLDOFF_NS);
    dw_take(t, 0x11, 0x12);
}

/* A poll that finds a packet in progress: that one ends, no other begins. */
static void test_busy_poll_holds_the_next_packet_back(DwI2c *t)
{
    dw_echo(t, OWN, 0x11, 0x12);
    dw_present(t, 0x21, 0x22);
    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, I_RX_FULL);
    g_assert_cmphex(dw_rd(t, R_STATUS) & ST_ACTIVITY, ==, ST_ACTIVITY);
    dw_rd(t, R_DATA_CMD);
    dw_rd(t, R_DATA_CMD);
    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, I_STOP_DET);
    dw_rd(t, R_CLR_STOP_DET);
    dw_assert_quiet(t);
    /* The poll is repeated and the transfer starts. */
    g_assert_cmphex(dw_rd(t, R_STATUS), ==, ST_IDLE);
    dw_disable(t);
    dw_listen(t);
    dw_take(t, 0x21, 0x22);
}

/* It takes nothing. */
static void wrong_handler_looks(DwI2c *t)
{
    g_assert_true(dw_line(t));
    dw_rd(t, R_ENABLE);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_RX_FULL);
    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, I_RX_FULL);
}

static void comes_again_after(DwI2c *t, int64_t wait)
{
    dw_assert_quiet(t);
    qtest_clock_step(t->qts, wait - 1);
    dw_assert_quiet(t);
    qtest_clock_step(t->qts, 1);
    g_assert_true(dw_line(t));
}

/* It masks, in vain, and nothing comes before the time is over. */
static void wrong_handler(DwI2c *t, int64_t wait)
{
    wrong_handler_looks(t);
    dw_wr(t, R_INTR_MASK, 0);
    g_assert_cmphex(dw_rd(t, R_INTR_MASK), ==, MASK_LINUX_TARGET);
    comes_again_after(t, wait);
}

/*
 * The handler of master mode masks everything when no transfer is active. If
 * it is called in target mode, the driver has not remembered the mode yet, and
 * nobody would unmask before the next transfer.
 */
static void test_handler_of_the_other_mode_cannot_deafen(DwI2c *t)
{
    wrong_handler(t, 2 * SETTLE_NS);
    dw_take(t, 0x11, 0x12);
    /* It has not touched the driver's status word. */
    dw_disable(t);
    dw_listen(t);
    dw_present(t, 0x21, 0x22);
    wrong_handler(t, 2 * SETTLE_NS);
    dw_rd(t, R_STATUS);
    dw_master_mode(t, CON_LINUX_MASTER, EEPROM);
    dw_wr(t, R_INTR_MASK, 0x244);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_TX_EMPTY);
}

/*
 * With a transfer active, it does not mask.  It cannot take the packet either,
 * and is called for it before the driver comes to remember target mode.
 */
static void busy_handler(DwI2c *t, int64_t wait)
{
    wrong_handler_looks(t);
    dw_rd(t, R_ENABLE);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, 0);
    comes_again_after(t, wait);
}

static void test_busy_handler_of_the_other_mode_comes_to_an_end(DwI2c *t)
{
    busy_handler(t, 2 * SETTLE_NS);
    busy_handler(t, 4 * SETTLE_NS);
    /* One that has begun to take it is that of target mode. */
    wrong_handler_looks(t);
    g_assert_cmphex(dw_rd(t, R_DATA_CMD) & 0xff, ==, 0x11);
    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, I_RX_FULL);
    dw_rd(t, R_ENABLE);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_RX_FULL);
    g_assert_cmphex(dw_rd(t, R_DATA_CMD) & 0xff, ==, 0x12);
}

/* The other vCPU, about to disable, reads ENABLE behind the handler's look. */
static void test_disable_between_look_and_take_is_no_handler(DwI2c *t)
{
    wrong_handler_looks(t);
    dw_rd(t, R_ENABLE);
    g_assert_cmphex(dw_rd(t, R_DATA_CMD) & 0xff, ==, 0x11);
    g_assert_cmphex(dw_rd(t, R_DATA_CMD) & 0xff, ==, 0x12);
}

/* A vCPU that stands still for long takes the packet all the same. */
static void test_other_handler_waits_no_longer_than_a_limit(DwI2c *t)
{
    int64_t wait = SETTLE_NS;
    int i;

    for (i = 0; i < SETTLE_DOUBLINGS; i++) {
        wait *= 2;
        wrong_handler(t, wait);
    }
    wrong_handler(t, wait);
    wrong_handler(t, wait);
    /* The next time that it listens begins with the short time. */
    dw_disable(t);
    dw_listen(t);
    wrong_handler(t, 2 * SETTLE_NS);
    dw_take(t, 0x11, 0x12);
}

/*
 * The driver skips a message when its target handler ran while the transfer
 * was prepared. Both forms are answered by a lost arbitration.
 */
static void test_skipped_message_is_a_lost_arbitration(DwI2c *t)
{
    dw_take(t, 0x11, 0x12);
    /* The only message: no more words are asked for, none has come. */
    dw_master_mode(t, CON_LINUX_MASTER, EEPROM);
    dw_wr(t, R_INTR_MASK, 0x244);
    g_assert_true(dw_line(t));
    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, I_TX_ABRT);
    g_assert_cmphex(dw_rd(t, R_TX_ABRT_SOURCE), ==, 1 << 12);
    dw_target_mode(t, OWN);

    /* The first of two: the second begins with a repeated START. */
    dw_deliver(t, 0x21, 0x22);
    dw_master_mode(t, CON_LINUX_MASTER, EEPROM);
    dw_wr(t, R_DATA_CMD, CMD_READ | CMD_RESTART | CMD_STOP);
    g_assert_cmphex(dw_rd(t, R_TX_ABRT_SOURCE), ==, 1 << 12);
    g_assert_cmphex(dw_rd(t, R_RXFLR), ==, 0);
    dw_target_mode(t, OWN);

    /* Sent in full, or no packet before it: nothing is lost. */
    dw_deliver(t, 0x31, 0x32);
    dw_master_mode(t, CON_LINUX_MASTER, EEPROM);
    dw_wr(t, R_DATA_CMD, 0 | CMD_STOP);
    dw_wr(t, R_INTR_MASK, 0x244);
    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, I_STOP_DET);
    dw_target_mode(t, OWN);
    dw_master_mode(t, CON_LINUX_MASTER, EEPROM);
    dw_wr(t, R_INTR_MASK, 0x244);
    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, 0);
    dw_wr(t, R_DATA_CMD, CMD_READ | CMD_RESTART | CMD_STOP);
    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, I_STOP_DET | I_RX_FULL);
}

/* The handler was shown a packet, but the disable came before it could read. */
static void test_message_skipped_for_a_lost_packet(DwI2c *t)
{
    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, I_RX_FULL);
    dw_master_mode(t, CON_LINUX_MASTER, EEPROM);
    /* The handler goes on and finds nothing. */
    g_assert_cmphex(dw_rd(t, R_DATA_CMD), ==, 0);
    dw_wr(t, R_INTR_MASK, 0x244);
    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, I_TX_ABRT);
    g_assert_cmphex(dw_rd(t, R_TX_ABRT_SOURCE), ==, 1 << 12);

    /* Nothing comes between until the transfer is started again. */
    dw_listen(t);
    qtest_clock_step(t->qts, HOLDOFF_NS - SETTLE_NS - 1);
    dw_assert_quiet(t);
    dw_write_bytes(t, EEPROM, (uint8_t[]) { 5, 6 }, 2);
    dw_listen(t);
    dw_take(t, 0x11, 0x12);
}

/* The driver gives up, or not: nobody is left without the packet. */
static void test_lost_transfer_that_is_not_repeated(DwI2c *t)
{
    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, I_RX_FULL);
    dw_master_mode(t, CON_LINUX_MASTER, EEPROM);
    dw_wr(t, R_INTR_MASK, 0x244);
    dw_target_mode(t, OWN);
    qtest_clock_step(t->qts, HOLDOFF_NS);
    dw_take(t, 0x11, 0x12);
}

static uint32_t poll_for_idle(DwI2c *t)
{
    return dw_rd(t, R_STATUS) & ST_ACTIVITY;
}

/*
 * The handler has been shown a packet and does not go on. The driver would
 * fail the transfer after 20 ms, with a last look at their end.
 */
static void test_stuck_handler_does_not_keep_a_transfer_waiting(DwI2c *t)
{
    int i;

    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, I_RX_FULL);
    for (i = 0; i < 20; i++) {
        g_assert_cmphex(poll_for_idle(t), ==, ST_ACTIVITY);
        qtest_clock_step(t->qts, POLL_NS);
    }
    qtest_clock_step(t->qts, BUSY_NS - 20 * POLL_NS);
    g_assert_cmphex(poll_for_idle(t), ==, 0);
    /* Its bytes are still there. */
    g_assert_cmphex(dw_rd(t, R_RXFLR), ==, 2);
    dw_disable(t);
    dw_listen(t);

    /* The next one counts again; this time the vCPU that polls had stopped. */
    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, I_RX_FULL);
    g_assert_cmphex(poll_for_idle(t), ==, ST_ACTIVITY);
    g_assert_cmphex(poll_for_idle(t), ==, 0);
    dw_disable(t);
    dw_listen(t);

    /* And now both had. */
    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, I_RX_FULL);
    qtest_clock_step(t->qts, BUSY_NS);
    g_assert_cmphex(poll_for_idle(t), ==, 0);
    dw_disable(t);
    dw_listen(t);
    dw_take(t, 0x11, 0x12);
}

/* A driver without interrupts sees a packet after a few polls. */
static void test_polling_does_not_starve(DwI2c *t)
{
    uint32_t status = 0;
    int i;

    dw_echo(t, OWN, 0x11, 0x12);
    dw_target_mode(t, OWN);
    for (i = 0; i < 20 && !(status & ST_RX_NOT_EMPTY); i++) {
        dw_rd(t, R_ENABLE);
        status = dw_rd(t, R_STATUS);
        qtest_clock_step(t->qts, HOLDOFF_NS / 2);
    }
    g_assert_cmphex(status & ST_RX_NOT_EMPTY, ==, ST_RX_NOT_EMPTY);
    g_assert_cmphex(dw_rd(t, R_DATA_CMD), ==, 0x11 | FIRST_BYTE);
}

/* That handler up to the place where it may mask everything */
static uint32_t master_handler(DwI2c *t)
{
    g_assert_cmphex(dw_rd(t, R_ENABLE), ==, 1);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), !=, 0);
    return dw_rd(t, R_INTR_STAT);
}

/*
 * Two vCPUs: one is in that handler, which has found no transfer active, while
 * the other starts one. The mask arrives when it waits for TX_EMPTY.
 */
static void test_late_mask_does_not_stop_a_transfer(DwI2c *t)
{
    g_assert_cmphex(master_handler(t), ==, I_RX_FULL);
    dw_master_mode(t, CON_LINUX_MASTER, EEPROM);
    dw_wr(t, R_INTR_MASK, 0);
    g_assert_cmphex(dw_rd(t, R_INTR_MASK), ==, MASK_LINUX_MASTER);
    g_assert_true(dw_line(t));
    g_assert_cmphex(master_handler(t), ==, I_TX_EMPTY);
    dw_wr(t, R_DATA_CMD, 5);
    dw_wr(t, R_DATA_CMD, 6 | CMD_STOP);
    dw_wr(t, R_INTR_MASK, 0x244);
    g_assert_cmphex(master_handler(t), ==, I_STOP_DET);
    dw_rd(t, R_CLR_STOP_DET);
    g_assert_false(dw_line(t));
    dw_target_mode(t, OWN);
    dw_settle(t);
    dw_take(t, 0x11, 0x12);
}

/* The same the other way round, at each place where target mode is set up */
static void test_late_mask_does_not_deafen_a_target(void)
{
    DwI2c t;

    for (unsigned late = 0; late < 2; late++) {
        start_presented(&t);
        dw_master_mode(&t, CON_LINUX_MASTER, EEPROM);
        /* No more words: the handler is called for nothing */
        dw_wr(&t, R_DATA_CMD, 5 | CMD_STOP);
        dw_wr(&t, R_INTR_MASK, 0x244);
        dw_rd(&t, R_CLR_STOP_DET);
        g_assert_cmphex(master_handler(&t), ==, 0);
        dw_wr(&t, R_ENABLE, 0);
        dw_wr(&t, R_TX_TL, 0);
        dw_wr(&t, R_CON, CON_LINUX_TARGET);
        dw_wr(&t, R_SAR, OWN);
        dw_wr(&t, R_INTR_MASK, MASK_LINUX_TARGET);
        if (!late) {
            dw_wr(&t, R_INTR_MASK, 0);
        }
        dw_wr(&t, R_ENABLE, 1);
        if (late) {
            dw_wr(&t, R_INTR_MASK, 0);
        }
        g_assert_cmphex(dw_rd(&t, R_INTR_MASK), ==, MASK_LINUX_TARGET);
        dw_settle(&t);
        dw_take(&t, 0x11, 0x12);
        dw_stop(&t);
    }
}

/* A mask that means what it says: the transfer was looked at */
static void test_mask_in_time_is_obeyed(DwI2c *t)
{
    dw_master_mode(t, CON_LINUX_MASTER, EEPROM);
    g_assert_cmphex(master_handler(t), ==, I_TX_EMPTY);
    dw_wr(t, R_INTR_MASK, 0);
    g_assert_cmphex(dw_rd(t, R_INTR_MASK), ==, 0);

    /* Nobody has looked, but the transfer is over */
    dw_wr(t, R_INTR_MASK, MASK_LINUX_MASTER);
    dw_disable(t);
    dw_wr(t, R_INTR_MASK, 0);
    g_assert_cmphex(dw_rd(t, R_INTR_MASK), ==, 0);
}

/* The address is given up: masked in vain, disabled, masked. */
static void test_unregister_drops_and_refuses(DwI2c *t)
{
    dw_wr(t, R_INTR_MASK, 0);
    dw_disable(t);
    dw_wr(t, R_INTR_MASK, 0);
    g_assert_cmphex(dw_rd(t, R_INTR_MASK), ==, 0);
    dw_rd(t, R_CLR_INTR);
    dw_wr(t, R_CON, CON_LINUX_MASTER);
    dw_refuse(t, 0x21, 0x22);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/dw-i2c/linux/" #f, test_ ## f)
#define ARMED(f) dw_add_test("/dw-i2c/linux/" #f, test_ ## f, start_armed)
#define PRESENTED(f) \
    dw_add_test("/dw-i2c/linux/" #f, test_ ## f, start_presented)
    ARMED(idle_poll_holds_off);
    ARMED(handler_reads_of_status_do_not_hold_off);
    ARMED(disable_ends_the_hold_off);
    PRESENTED(unnoticed_packet_is_withdrawn);
    ARMED(busy_poll_holds_the_next_packet_back);
    PRESENTED(busy_handler_of_the_other_mode_comes_to_an_end);
    PRESENTED(disable_between_look_and_take_is_no_handler);
    PRESENTED(other_handler_waits_no_longer_than_a_limit);
    PRESENTED(handler_of_the_other_mode_cannot_deafen);
    PRESENTED(skipped_message_is_a_lost_arbitration);
    PRESENTED(message_skipped_for_a_lost_packet);
    PRESENTED(lost_transfer_that_is_not_repeated);
    PRESENTED(stuck_handler_does_not_keep_a_transfer_waiting);
    ARMED(polling_does_not_starve);
    PRESENTED(late_mask_does_not_stop_a_transfer);
    T(late_mask_does_not_deafen_a_target);
    PRESENTED(mask_in_time_is_obeyed);
    PRESENTED(unregister_drops_and_refuses);
    return g_test_run();
}
