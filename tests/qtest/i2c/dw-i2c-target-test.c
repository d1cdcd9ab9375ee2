/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DesignWare I2C controller as a target: what the guest sees of writes from
 * another master, and when.  The other master is i2c-echo.
 */
#include "qemu/osdep.h"
#include "dw-i2c-util.h"

/* A machine whose guest has registered its address once. */
static void start_armed(DwI2c *t)
{
    dw_start(t, NULL);
    dw_target_mode(t, OWN);
}

/* ... and sees the packet 11h 12h, which came while it did not listen. */
static void start_presented(DwI2c *t)
{
    start_armed(t);
    dw_present(t, 0x11, 0x12);
}

static void test_stored_while_deaf_presented_after_settle(DwI2c *t)
{
    dw_echo(t, OWN, 0x11, 0x22);
    dw_assert_quiet(t);
    dw_target_mode(t, OWN);
    dw_assert_quiet(t);
    qtest_clock_step(t->qts, SETTLE_NS - 1);
    dw_assert_quiet(t);
    qtest_clock_step(t->qts, 1);
    g_assert_true(dw_line(t));
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_RX_FULL);
    g_assert_cmphex(dw_rd(t, R_RXFLR), ==, 2);
    dw_take(t, 0x11, 0x22);
    dw_assert_quiet(t);
}

static void test_nothing_before_an_address_was_chosen(DwI2c *t)
{
    /* 0x55 is what SAR holds after reset. */
    dw_echo(t, 0x55, 0x11, 0x22);
    dw_target_mode(t, 0x55);
    dw_settle(t);
    dw_assert_quiet(t);
    dw_echo(t, 0x55, 0x33, 0x44);
    dw_target_mode(t, 0x55);
    dw_settle(t);
    dw_take(t, 0x33, 0x44);
}

static void test_only_own_address(DwI2c *t)
{
    dw_echo(t, OWN + 1, 0x11, 0x22);
    dw_listen(t);
    dw_assert_quiet(t);
}

static void test_stop_after_drain_then_next_packet(DwI2c *t)
{
    dw_echo(t, OWN, 0x11, 0x12);
    dw_present(t, 0x21, 0x22);

    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, I_RX_FULL);
    g_assert_cmphex(dw_rd(t, R_RXFLR), ==, 2);
    g_assert_cmphex(dw_rd(t, R_DATA_CMD), ==, 0x11 | FIRST_BYTE);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_RX_FULL);
    g_assert_cmphex(dw_rd(t, R_DATA_CMD), ==, 0x12);
    /* Only now the STOP, alone, and nothing of the second packet. */
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_STOP_DET);
    g_assert_cmphex(dw_rd(t, R_RXFLR), ==, 0);
    qtest_clock_step(t->qts, 10 * HOLDOFF_NS);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_STOP_DET);
    g_assert_true(dw_line(t));

    dw_rd(t, R_CLR_STOP_DET);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_RX_FULL);
    dw_take(t, 0x21, 0x22);
    dw_assert_quiet(t);
}

static void test_clear_all_ends_a_packet_too(DwI2c *t)
{
    dw_rd(t, R_DATA_CMD);
    /* RX_FULL is a level, so this neither clears nor ends anything yet. */
    dw_rd(t, R_CLR_INTR);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_RX_FULL);
    dw_rd(t, R_DATA_CMD);
    dw_rd(t, R_CLR_INTR);
    dw_assert_quiet(t);
    dw_listen(t);
    dw_assert_quiet(t);
}

static void test_disable_in_mid_drain_replays(DwI2c *t)
{
    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, I_RX_FULL);
    g_assert_cmphex(dw_rd(t, R_DATA_CMD), ==, 0x11 | FIRST_BYTE);
    dw_disable(t);
    dw_assert_quiet(t);
    g_assert_cmphex(dw_rd(t, R_STATUS), ==, ST_IDLE);

    /* The whole packet was read but its STOP was not taken. */
    dw_listen(t);
    g_assert_cmphex(dw_rd(t, R_DATA_CMD), ==, 0x11 | FIRST_BYTE);
    g_assert_cmphex(dw_rd(t, R_DATA_CMD), ==, 0x12);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_STOP_DET);
    dw_disable(t);
    dw_assert_quiet(t);

    dw_listen(t);
    dw_take(t, 0x11, 0x12);

    /* Taken: not again. */
    dw_listen(t);
    dw_assert_quiet(t);
}

static void test_master_transfer_before_the_replay(DwI2c *t)
{
    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, I_RX_FULL);
    dw_rd(t, R_DATA_CMD);
    /* A transfer starts and brings another packet. */
    dw_present(t, 0x21, 0x22);
    dw_take(t, 0x11, 0x12);
    dw_take(t, 0x21, 0x22);
}

static void test_noticed_packet_shows_as_activity(DwI2c *t)
{
    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, I_RX_FULL);
    g_assert_cmphex(dw_rd(t, R_STATUS), ==,
                    ST_IDLE | ST_RX_NOT_EMPTY | ST_ACTIVITY | ST_TARGET);
    dw_rd(t, R_DATA_CMD);
    dw_rd(t, R_DATA_CMD);
    dw_rd(t, R_ENABLE);
    /* Until the STOP was taken. */
    g_assert_cmphex(dw_rd(t, R_STATUS), ==, ST_IDLE | ST_ACTIVITY | ST_TARGET);
    dw_rd(t, R_CLR_STOP_DET);
    g_assert_cmphex(dw_rd(t, R_STATUS), ==, ST_IDLE);
}

/* What the handler knows to be complete does not come a second time. */
static void test_shown_stop_ends_a_packet(DwI2c *t)
{
    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, I_RX_FULL);
    dw_rd(t, R_DATA_CMD);
    dw_rd(t, R_DATA_CMD);
    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, I_STOP_DET);
    dw_disable(t);
    dw_rd(t, R_CLR_STOP_DET);
    dw_listen(t);
    dw_assert_quiet(t);
}

static void test_abort_leaves_the_packet(DwI2c *t)
{
    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, I_RX_FULL);
    dw_wr(t, R_ENABLE, 3);
    g_assert_cmphex(dw_rd(t, R_ENABLE), ==, 1);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_RX_FULL);
    dw_wr(t, R_ENABLE, 0);
    dw_listen(t);
    dw_take(t, 0x11, 0x12);
}

static void test_unregister_drops_and_refuses(DwI2c *t)
{
    g_assert_true(dw_line(t));
    dw_wr(t, R_INTR_MASK, 0);
    g_assert_false(dw_line(t));
    dw_disable(t);
    dw_wr(t, R_INTR_MASK, 0);
    dw_rd(t, R_CLR_INTR);
    dw_wr(t, R_CON, CON_LINUX_MASTER);
    dw_echo(t, OWN, 0x21, 0x22);

    dw_listen(t);
    dw_assert_quiet(t);
    dw_deliver(t, 0x31, 0x32);
}

/* Disabled first, then masked: nobody listens until target mode is back. */
static void test_suspend_drops_and_refuses(DwI2c *t)
{
    dw_disable(t);
    dw_wr(t, R_INTR_MASK, 0);
    dw_rd(t, R_CLR_INTR);
    dw_refuse(t, 0x21, 0x22);
    dw_deliver(t, 0x31, 0x32);
}

/* On the way to a transfer the mask is 0 too, in master mode. */
static void test_mask_before_a_transfer_keeps_packets(DwI2c *t)
{
    dw_echo(t, OWN, 0x11, 0x12);
    dw_target_mode(t, OWN);
    dw_write_bytes(t, EEPROM, (uint8_t[]) { 5, 6 }, 2);
    dw_listen(t);
    dw_take(t, 0x11, 0x12);
}

/* A handler that masks, and a thread that takes the packet and unmasks. */
static void test_mask_is_obeyed(DwI2c *t)
{
    dw_wr(t, R_INTR_MASK, I_RX_FULL);
    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, I_RX_FULL);
    dw_wr(t, R_INTR_MASK, 0);
    g_assert_cmphex(dw_rd(t, R_INTR_MASK), ==, 0);
    g_assert_false(dw_line(t));
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_RX_FULL);
    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, 0);

    g_assert_cmphex(dw_rd(t, R_DATA_CMD), ==, 0x11 | FIRST_BYTE);
    g_assert_cmphex(dw_rd(t, R_DATA_CMD), ==, 0x12);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_STOP_DET);
    g_assert_false(dw_line(t));
    dw_wr(t, R_INTR_MASK, MASK_LINUX_TARGET);
    g_assert_true(dw_line(t));
    dw_rd(t, R_CLR_STOP_DET);
    dw_assert_quiet(t);

    /* Nor has it cost the address. */
    dw_deliver(t, 0x21, 0x22);
}

/* The same in a transfer, before anybody has looked at INTR_STAT. */
static void test_mask_in_a_transfer_is_obeyed(DwI2c *t)
{
    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, I_RX_FULL);
    dw_master_mode(t, CON_LINUX_MASTER, EEPROM);
    g_assert_true(dw_line(t));
    dw_wr(t, R_INTR_MASK, 0);
    g_assert_cmphex(dw_rd(t, R_INTR_MASK), ==, 0);
    g_assert_false(dw_line(t));
}

/* Whoever reads what in which order: a packet that is there stays there. */
static void test_status_takes_nothing_back(DwI2c *t)
{
    int i;

    for (i = 0; i < 20; i++) {
        dw_rd(t, R_ENABLE);
        g_assert_cmphex(dw_rd(t, R_STATUS), ==,
                        ST_IDLE | ST_RX_NOT_EMPTY | ST_ACTIVITY | ST_TARGET);
        g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_RX_FULL);
        g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, I_RX_FULL);
        g_assert_true(dw_line(t));
        qtest_clock_step(t->qts, BUSY_NS);
    }
    dw_take(t, 0x11, 0x12);
}

/* A driver that polls STATUS gets the next packet as soon as the last. */
static void test_polls_do_not_delay(DwI2c *t)
{
    dw_echo(t, OWN, 0x11, 0x12);
    dw_target_mode(t, OWN);
    dw_rd(t, R_ENABLE);
    g_assert_cmphex(dw_rd(t, R_STATUS), ==, ST_IDLE);
    dw_settle(t);
    dw_take(t, 0x11, 0x12);
}

/* TX_ABRT comes from the bus, not from what the driver fails to write. */
static void test_no_words_are_no_abort(DwI2c *t)
{
    dw_take(t, 0x11, 0x12);
    dw_master_mode(t, CON_LINUX_MASTER, EEPROM);
    dw_wr(t, R_INTR_MASK, 0x244);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_TX_EMPTY);
    g_assert_cmphex(dw_rd(t, R_TX_ABRT_SOURCE), ==, 0);
    dw_wr(t, R_DATA_CMD, CMD_READ | CMD_RESTART | CMD_STOP);
    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, I_STOP_DET | I_RX_FULL);
}

static void test_shutdown_drops_and_refuses(DwI2c *t)
{
    g_assert_cmphex(dw_rd(t, R_CON), ==, CON_LINUX_TARGET);
    dw_wr(t, R_CON, 0x2e0);
    g_assert_cmphex(dw_rd(t, R_CON), ==, 0x2e0);
    dw_assert_quiet(t);
    dw_disable(t);
    dw_refuse(t, 0x21, 0x22);
}

static void test_new_address_drops_packets(DwI2c *t)
{
    dw_echo(t, OWN, 0x11, 0x12);
    dw_target_mode(t, OWN + 1);
    dw_settle(t);
    dw_assert_quiet(t);
    dw_echo(t, OWN, 0x11, 0x12);
    dw_echo(t, OWN + 1, 0x21, 0x22);
    dw_target_mode(t, OWN + 1);
    dw_settle(t);
    dw_take(t, 0x21, 0x22);
    dw_assert_quiet(t);
}

static void test_queue_of_sixteen(DwI2c *t)
{
    int i;

    for (i = 0; i < 17; i++) {
        dw_echo(t, OWN, 0x40 + i, i);
    }
    dw_listen(t);
    for (i = 0; i < 16; i++) {
        dw_take(t, 0x40 + i, i);
    }
    /* The last one was refused; there is room again. */
    dw_assert_quiet(t);
    for (i = 0; i < 16; i++) {
        dw_echo(t, OWN, 0x60 + i, i);
    }
    dw_listen(t);
    for (i = 0; i < 16; i++) {
        dw_take(t, 0x60 + i, i);
    }
}

/* With a threshold the STOP takes the place of RX_FULL for the rest. */
static void test_rx_threshold(DwI2c *t)
{
    dw_echo(t, OWN, 0x11, 0x12);
    dw_echo(t, OWN, 0x21, 0x22);
    dw_target_mode(t, OWN);
    dw_wr(t, R_RX_TL, 1);
    dw_settle(t);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_RX_FULL);
    dw_rd(t, R_DATA_CMD);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_STOP_DET);
    dw_rd(t, R_CLR_STOP_DET);
    /* The rest stays readable, the next packet waits for it. */
    g_assert_cmphex(dw_rd(t, R_RXFLR), ==, 1);
    g_assert_cmphex(dw_rd(t, R_DATA_CMD), ==, 0x12);
    g_assert_cmphex(dw_rd(t, R_DATA_CMD), ==, 0x21 | FIRST_BYTE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define NEW(f) dw_add_test("/dw-i2c/target/" #f, test_ ## f, NULL)
#define ARMED(f) dw_add_test("/dw-i2c/target/" #f, test_ ## f, start_armed)
#define PRESENTED(f) \
    dw_add_test("/dw-i2c/target/" #f, test_ ## f, start_presented)
    ARMED(stored_while_deaf_presented_after_settle);
    NEW(nothing_before_an_address_was_chosen);
    ARMED(only_own_address);
    ARMED(stop_after_drain_then_next_packet);
    PRESENTED(clear_all_ends_a_packet_too);
    PRESENTED(disable_in_mid_drain_replays);
    PRESENTED(master_transfer_before_the_replay);
    PRESENTED(noticed_packet_shows_as_activity);
    PRESENTED(shown_stop_ends_a_packet);
    PRESENTED(abort_leaves_the_packet);
    PRESENTED(unregister_drops_and_refuses);
    PRESENTED(suspend_drops_and_refuses);
    ARMED(mask_before_a_transfer_keeps_packets);
    PRESENTED(mask_is_obeyed);
    PRESENTED(mask_in_a_transfer_is_obeyed);
    PRESENTED(status_takes_nothing_back);
    ARMED(polls_do_not_delay);
    PRESENTED(no_words_are_no_abort);
    PRESENTED(shutdown_drops_and_refuses);
    ARMED(new_address_drops_packets);
    ARMED(queue_of_sixteen);
    ARMED(rx_threshold);
    return g_test_run();
}
