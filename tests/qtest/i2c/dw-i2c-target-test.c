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
    dw_echo(t, OWN, 0x11, 0x12);
    dw_listen(t);
}

static void test_stored_while_deaf_presented_after_settle(void)
{
    DwI2c t;

    start_armed(&t);
    dw_echo(&t, OWN, 0x11, 0x22);
    dw_assert_quiet(&t);
    dw_target_mode(&t, OWN);
    dw_assert_quiet(&t);
    qtest_clock_step(t.qts, SETTLE_NS - 1);
    dw_assert_quiet(&t);
    qtest_clock_step(t.qts, 1);
    g_assert_true(dw_line(&t));
    g_assert_cmphex(dw_rd(&t, R_RAW_INTR_STAT), ==, I_RX_FULL);
    g_assert_cmphex(dw_rd(&t, R_RXFLR), ==, 2);
    dw_take(&t, 0x11, 0x22);
    dw_assert_quiet(&t);
    dw_stop(&t);
}

static void test_nothing_before_an_address_was_chosen(void)
{
    DwI2c t;

    dw_start(&t, NULL);
    /* 0x55 is what SAR holds after reset. */
    dw_echo(&t, 0x55, 0x11, 0x22);
    dw_target_mode(&t, 0x55);
    dw_settle(&t);
    dw_assert_quiet(&t);
    dw_echo(&t, 0x55, 0x33, 0x44);
    dw_target_mode(&t, 0x55);
    dw_settle(&t);
    dw_take(&t, 0x33, 0x44);
    dw_stop(&t);
}

static void test_only_own_address(void)
{
    DwI2c t;

    start_armed(&t);
    dw_echo(&t, OWN + 1, 0x11, 0x22);
    dw_listen(&t);
    dw_assert_quiet(&t);
    dw_stop(&t);
}

static void test_stop_after_drain_then_next_packet(void)
{
    DwI2c t;

    start_armed(&t);
    dw_echo(&t, OWN, 0x11, 0x12);
    dw_echo(&t, OWN, 0x21, 0x22);
    dw_listen(&t);

    g_assert_cmphex(dw_rd(&t, R_INTR_STAT), ==, I_RX_FULL);
    g_assert_cmphex(dw_rd(&t, R_RXFLR), ==, 2);
    g_assert_cmphex(dw_rd(&t, R_DATA_CMD), ==, 0x11 | FIRST_BYTE);
    g_assert_cmphex(dw_rd(&t, R_RAW_INTR_STAT), ==, I_RX_FULL);
    g_assert_cmphex(dw_rd(&t, R_DATA_CMD), ==, 0x12);
    /* Only now the STOP, alone, and nothing of the second packet. */
    g_assert_cmphex(dw_rd(&t, R_RAW_INTR_STAT), ==, I_STOP_DET);
    g_assert_cmphex(dw_rd(&t, R_RXFLR), ==, 0);
    qtest_clock_step(t.qts, 10 * HOLDOFF_NS);
    g_assert_cmphex(dw_rd(&t, R_RAW_INTR_STAT), ==, I_STOP_DET);
    g_assert_true(dw_line(&t));

    dw_rd(&t, R_CLR_STOP_DET);
    g_assert_cmphex(dw_rd(&t, R_RAW_INTR_STAT), ==, I_RX_FULL);
    dw_take(&t, 0x21, 0x22);
    dw_assert_quiet(&t);
    dw_stop(&t);
}

static void test_clear_all_ends_a_packet_too(void)
{
    DwI2c t;

    start_presented(&t);
    dw_rd(&t, R_DATA_CMD);
    /* RX_FULL is a level, so this neither clears nor ends anything yet. */
    dw_rd(&t, R_CLR_INTR);
    g_assert_cmphex(dw_rd(&t, R_RAW_INTR_STAT), ==, I_RX_FULL);
    dw_rd(&t, R_DATA_CMD);
    dw_rd(&t, R_CLR_INTR);
    dw_assert_quiet(&t);
    dw_listen(&t);
    dw_assert_quiet(&t);
    dw_stop(&t);
}

static void test_disable_in_mid_drain_replays(void)
{
    DwI2c t;

    start_presented(&t);
    g_assert_cmphex(dw_rd(&t, R_INTR_STAT), ==, I_RX_FULL);
    g_assert_cmphex(dw_rd(&t, R_DATA_CMD), ==, 0x11 | FIRST_BYTE);
    dw_disable(&t);
    dw_assert_quiet(&t);
    g_assert_cmphex(dw_rd(&t, R_STATUS), ==, ST_IDLE);

    /* The whole packet was read but its STOP was not taken. */
    dw_listen(&t);
    g_assert_cmphex(dw_rd(&t, R_DATA_CMD), ==, 0x11 | FIRST_BYTE);
    g_assert_cmphex(dw_rd(&t, R_DATA_CMD), ==, 0x12);
    g_assert_cmphex(dw_rd(&t, R_RAW_INTR_STAT), ==, I_STOP_DET);
    dw_disable(&t);
    dw_assert_quiet(&t);

    dw_listen(&t);
    dw_take(&t, 0x11, 0x12);

    /* Taken: not again. */
    dw_listen(&t);
    dw_assert_quiet(&t);
    dw_stop(&t);
}

static void test_master_transfer_before_the_replay(void)
{
    DwI2c t;

    start_presented(&t);
    g_assert_cmphex(dw_rd(&t, R_INTR_STAT), ==, I_RX_FULL);
    dw_rd(&t, R_DATA_CMD);
    /* A transfer starts and brings another packet. */
    dw_echo(&t, OWN, 0x21, 0x22);
    dw_listen(&t);
    dw_take(&t, 0x11, 0x12);
    dw_take(&t, 0x21, 0x22);
    dw_stop(&t);
}

static void test_idle_poll_holds_off(void)
{
    DwI2c t;

    start_armed(&t);
    dw_echo(&t, OWN, 0x11, 0x12);
    dw_target_mode(&t, OWN);
    /* Not an idle poll: the handler reads RAW_INTR_STAT first. */
    dw_rd(&t, R_RAW_INTR_STAT);
    g_assert_cmphex(dw_rd(&t, R_STATUS), ==, ST_IDLE);
    qtest_clock_step(t.qts, SETTLE_NS - 1);
    dw_rd(&t, R_ENABLE);
    g_assert_cmphex(dw_rd(&t, R_STATUS), ==, ST_IDLE);
    qtest_clock_step(t.qts, HOLDOFF_NS - 1);
    dw_assert_quiet(&t);
    qtest_clock_step(t.qts, 1);
    g_assert_cmphex(dw_rd(&t, R_RAW_INTR_STAT), ==, I_RX_FULL);
    dw_take(&t, 0x11, 0x12);
    dw_stop(&t);
}

static void test_handler_reads_of_status_do_not_hold_off(void)
{
    DwI2c t;

    start_armed(&t);
    dw_echo(&t, OWN, 0x11, 0x12);
    dw_target_mode(&t, OWN);
    dw_rd(&t, R_RAW_INTR_STAT);
    dw_rd(&t, R_STATUS);
    dw_settle(&t);
    g_assert_cmphex(dw_rd(&t, R_RAW_INTR_STAT), ==, I_RX_FULL);
    g_assert_cmphex(dw_rd(&t, R_STATUS), ==,
                    ST_IDLE | ST_RX_NOT_EMPTY | ST_ACTIVITY | ST_TARGET);
    dw_stop(&t);
}

static void test_disable_ends_the_hold_off(void)
{
    DwI2c t;

    start_armed(&t);
    dw_echo(&t, OWN, 0x11, 0x12);
    dw_target_mode(&t, OWN);
    dw_rd(&t, R_ENABLE);
    dw_rd(&t, R_STATUS);
    dw_disable(&t);
    dw_listen(&t);
    dw_take(&t, 0x11, 0x12);
    dw_stop(&t);
}

static void test_unnoticed_packet_is_withdrawn(void)
{
    DwI2c t;

    start_presented(&t);
    g_assert_true(dw_line(&t));
    g_assert_cmphex(dw_rd(&t, R_RXFLR), ==, 2);
    /* The idle poll of a starting transfer. */
    g_assert_cmphex(dw_rd(&t, R_STATUS), ==, ST_IDLE);
    dw_assert_quiet(&t);
    qtest_clock_step(t.qts, HOLDOFF_NS);
    dw_take(&t, 0x11, 0x12);
    dw_stop(&t);
}

static void test_noticed_packet_shows_as_activity(void)
{
    DwI2c t;

    start_presented(&t);
    g_assert_cmphex(dw_rd(&t, R_INTR_STAT), ==, I_RX_FULL);
    g_assert_cmphex(dw_rd(&t, R_STATUS), ==,
                    ST_IDLE | ST_RX_NOT_EMPTY | ST_ACTIVITY | ST_TARGET);
    dw_rd(&t, R_DATA_CMD);
    dw_rd(&t, R_DATA_CMD);
    dw_rd(&t, R_ENABLE);
    /* Until the STOP was taken. */
    g_assert_cmphex(dw_rd(&t, R_STATUS), ==,
                    ST_IDLE | ST_ACTIVITY | ST_TARGET);
    dw_rd(&t, R_CLR_STOP_DET);
    g_assert_cmphex(dw_rd(&t, R_STATUS), ==, ST_IDLE);
    dw_stop(&t);
}

/* A poll that finds a packet in progress: that one ends, no other begins. */
static void test_busy_poll_holds_the_next_packet_back(void)
{
    DwI2c t;

    start_armed(&t);
    dw_echo(&t, OWN, 0x11, 0x12);
    dw_echo(&t, OWN, 0x21, 0x22);
    dw_listen(&t);
    g_assert_cmphex(dw_rd(&t, R_INTR_STAT), ==, I_RX_FULL);
    g_assert_cmphex(dw_rd(&t, R_STATUS) & ST_ACTIVITY, ==, ST_ACTIVITY);
    dw_rd(&t, R_DATA_CMD);
    dw_rd(&t, R_DATA_CMD);
    g_assert_cmphex(dw_rd(&t, R_INTR_STAT), ==, I_STOP_DET);
    dw_rd(&t, R_CLR_STOP_DET);
    dw_assert_quiet(&t);
    /* The poll is repeated and the transfer starts. */
    g_assert_cmphex(dw_rd(&t, R_STATUS), ==, ST_IDLE);
    dw_disable(&t);
    dw_listen(&t);
    dw_take(&t, 0x21, 0x22);
    dw_stop(&t);
}

/* It finds no interrupt, and none comes before the time is over. */
static void wrong_handler(DwI2c *t, int64_t wait)
{
    g_assert_true(dw_line(t));
    dw_rd(t, R_ENABLE);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_RX_FULL);
    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, 0);
    dw_assert_quiet(t);
    qtest_clock_step(t->qts, wait - 1);
    dw_assert_quiet(t);
    qtest_clock_step(t->qts, 1);
    g_assert_true(dw_line(t));
}

/*
 * The handler of master mode does not read STATUS before INTR_STAT. If it is
 * called in target mode, the driver has not remembered the mode yet.
 */
static void test_handler_of_the_other_mode_sees_nothing(void)
{
    DwI2c t;

    start_presented(&t);
    wrong_handler(&t, 2 * SETTLE_NS);
    dw_take(&t, 0x11, 0x12);
    dw_stop(&t);
}

/* It may come again and again, but not for ever. */
static void test_other_handler_gets_it_in_the_end(void)
{
    int64_t wait = SETTLE_NS;
    DwI2c t;
    int i;

    start_presented(&t);
    for (i = 0; i < SETTLE_DOUBLINGS; i++) {
        wait *= 2;
        wrong_handler(&t, wait);
    }
    dw_rd(&t, R_RAW_INTR_STAT);
    g_assert_cmphex(dw_rd(&t, R_INTR_STAT), ==, I_RX_FULL);
    /* The next time that it listens begins with the short time. */
    dw_disable(&t);
    dw_listen(&t);
    wrong_handler(&t, 2 * SETTLE_NS);
    dw_take(&t, 0x11, 0x12);
    dw_stop(&t);
}

/*
 * That handler masks all interrupts when no transfer is active, and nobody
 * would unmask them before the next transfer. It is not an unregistration.
 */
static void test_handler_of_the_other_mode_cannot_deafen(void)
{
    DwI2c t;

    start_presented(&t);
    dw_rd(&t, R_ENABLE);
    dw_rd(&t, R_RAW_INTR_STAT);
    dw_rd(&t, R_INTR_STAT);
    dw_wr(&t, R_INTR_MASK, 0);
    qtest_clock_step(t.qts, 2 * SETTLE_NS);
    g_assert_true(dw_line(&t));
    dw_take(&t, 0x11, 0x12);
    dw_stop(&t);
}

/*
 * The driver skips a message when its target handler ran while the transfer
 * was prepared. Both forms are answered by a lost arbitration.
 */
static void test_skipped_message_is_a_lost_arbitration(void)
{
    DwI2c t;

    start_presented(&t);
    dw_take(&t, 0x11, 0x12);
    /* The only message: no more words are asked for, none has come. */
    dw_master_mode(&t, CON_LINUX_MASTER, EEPROM);
    dw_wr(&t, R_INTR_MASK, 0x244);
    g_assert_true(dw_line(&t));
    g_assert_cmphex(dw_rd(&t, R_INTR_STAT), ==, I_TX_ABRT);
    g_assert_cmphex(dw_rd(&t, R_TX_ABRT_SOURCE), ==, 1 << 12);
    dw_target_mode(&t, OWN);

    /* The first of two: the second begins with a repeated START. */
    dw_echo(&t, OWN, 0x21, 0x22);
    dw_listen(&t);
    dw_take(&t, 0x21, 0x22);
    dw_master_mode(&t, CON_LINUX_MASTER, EEPROM);
    dw_wr(&t, R_DATA_CMD, CMD_READ | CMD_RESTART | CMD_STOP);
    g_assert_cmphex(dw_rd(&t, R_TX_ABRT_SOURCE), ==, 1 << 12);
    g_assert_cmphex(dw_rd(&t, R_RXFLR), ==, 0);
    dw_target_mode(&t, OWN);

    /* Sent in full, or no packet before it: nothing is lost. */
    dw_echo(&t, OWN, 0x31, 0x32);
    dw_listen(&t);
    dw_take(&t, 0x31, 0x32);
    dw_master_mode(&t, CON_LINUX_MASTER, EEPROM);
    dw_wr(&t, R_DATA_CMD, 0 | CMD_STOP);
    dw_wr(&t, R_INTR_MASK, 0x244);
    g_assert_cmphex(dw_rd(&t, R_INTR_STAT), ==, I_STOP_DET);
    dw_target_mode(&t, OWN);
    dw_master_mode(&t, CON_LINUX_MASTER, EEPROM);
    dw_wr(&t, R_INTR_MASK, 0x244);
    g_assert_cmphex(dw_rd(&t, R_INTR_STAT), ==, 0);
    dw_wr(&t, R_DATA_CMD, CMD_READ | CMD_RESTART | CMD_STOP);
    g_assert_cmphex(dw_rd(&t, R_INTR_STAT), ==, I_STOP_DET | I_RX_FULL);
    dw_stop(&t);
}

/* The handler was shown a packet, but the disable came before it could read. */
static void test_message_skipped_for_a_lost_packet(void)
{
    DwI2c t;

    start_presented(&t);
    g_assert_cmphex(dw_rd(&t, R_INTR_STAT), ==, I_RX_FULL);
    dw_master_mode(&t, CON_LINUX_MASTER, EEPROM);
    /* The handler goes on and finds nothing. */
    g_assert_cmphex(dw_rd(&t, R_DATA_CMD), ==, 0);
    dw_wr(&t, R_INTR_MASK, 0x244);
    g_assert_cmphex(dw_rd(&t, R_INTR_STAT), ==, I_TX_ABRT);
    g_assert_cmphex(dw_rd(&t, R_TX_ABRT_SOURCE), ==, 1 << 12);

    /* Nothing comes between until the transfer is started again. */
    dw_listen(&t);
    qtest_clock_step(t.qts, HOLDOFF_NS - SETTLE_NS - 1);
    dw_assert_quiet(&t);
    dw_write_bytes(&t, EEPROM, (uint8_t[]) { 5, 6 }, 2);
    dw_listen(&t);
    dw_take(&t, 0x11, 0x12);
    dw_stop(&t);
}

/* The driver gives up, or not: nobody is left without the packet. */
static void test_lost_transfer_that_is_not_repeated(void)
{
    DwI2c t;

    start_presented(&t);
    g_assert_cmphex(dw_rd(&t, R_INTR_STAT), ==, I_RX_FULL);
    dw_master_mode(&t, CON_LINUX_MASTER, EEPROM);
    dw_wr(&t, R_INTR_MASK, 0x244);
    dw_target_mode(&t, OWN);
    qtest_clock_step(t.qts, HOLDOFF_NS);
    dw_take(&t, 0x11, 0x12);
    dw_stop(&t);
}

static uint32_t poll_for_idle(DwI2c *t)
{
    return dw_rd(t, R_STATUS) & ST_ACTIVITY;
}

/*
 * The handler has been shown a packet and does not go on. The driver would
 * fail the transfer after 20 ms, with a last look at their end.
 */
static void test_stuck_handler_does_not_keep_a_transfer_waiting(void)
{
    DwI2c t;
    int i;

    start_presented(&t);
    g_assert_cmphex(dw_rd(&t, R_INTR_STAT), ==, I_RX_FULL);
    for (i = 0; i < 20; i++) {
        g_assert_cmphex(poll_for_idle(&t), ==, ST_ACTIVITY);
        qtest_clock_step(t.qts, POLL_NS);
    }
    qtest_clock_step(t.qts, BUSY_NS - 20 * POLL_NS);
    g_assert_cmphex(poll_for_idle(&t), ==, 0);
    /* Its bytes are still there. */
    g_assert_cmphex(dw_rd(&t, R_RXFLR), ==, 2);
    dw_disable(&t);
    dw_listen(&t);

    /* The next one counts again; this time the vCPU that polls had stopped. */
    g_assert_cmphex(dw_rd(&t, R_INTR_STAT), ==, I_RX_FULL);
    g_assert_cmphex(poll_for_idle(&t), ==, ST_ACTIVITY);
    g_assert_cmphex(poll_for_idle(&t), ==, 0);
    dw_disable(&t);
    dw_listen(&t);

    /* And now both had. */
    g_assert_cmphex(dw_rd(&t, R_INTR_STAT), ==, I_RX_FULL);
    qtest_clock_step(t.qts, BUSY_NS);
    g_assert_cmphex(poll_for_idle(&t), ==, 0);
    dw_disable(&t);
    dw_listen(&t);
    dw_take(&t, 0x11, 0x12);
    dw_stop(&t);
}

/* What the handler knows to be complete does not come a second time. */
static void test_shown_stop_ends_a_packet(void)
{
    DwI2c t;

    start_presented(&t);
    g_assert_cmphex(dw_rd(&t, R_INTR_STAT), ==, I_RX_FULL);
    dw_rd(&t, R_DATA_CMD);
    dw_rd(&t, R_DATA_CMD);
    g_assert_cmphex(dw_rd(&t, R_INTR_STAT), ==, I_STOP_DET);
    dw_disable(&t);
    dw_rd(&t, R_CLR_STOP_DET);
    dw_listen(&t);
    dw_assert_quiet(&t);
    dw_stop(&t);
}

/* A driver without interrupts sees a packet after a few polls. */
static void test_polling_does_not_starve(void)
{
    uint32_t status = 0;
    DwI2c t;
    int i;

    start_armed(&t);
    dw_echo(&t, OWN, 0x11, 0x12);
    dw_target_mode(&t, OWN);
    for (i = 0; i < 20 && !(status & ST_RX_NOT_EMPTY); i++) {
        dw_rd(&t, R_ENABLE);
        status = dw_rd(&t, R_STATUS);
        qtest_clock_step(t.qts, HOLDOFF_NS / 2);
    }
    g_assert_cmphex(status & ST_RX_NOT_EMPTY, ==, ST_RX_NOT_EMPTY);
    g_assert_cmphex(dw_rd(&t, R_DATA_CMD), ==, 0x11 | FIRST_BYTE);
    dw_stop(&t);
}

static void test_abort_leaves_the_packet(void)
{
    DwI2c t;

    start_presented(&t);
    g_assert_cmphex(dw_rd(&t, R_INTR_STAT), ==, I_RX_FULL);
    dw_wr(&t, R_ENABLE, 3);
    g_assert_cmphex(dw_rd(&t, R_ENABLE), ==, 1);
    g_assert_cmphex(dw_rd(&t, R_RAW_INTR_STAT), ==, I_RX_FULL);
    dw_wr(&t, R_ENABLE, 0);
    dw_listen(&t);
    dw_take(&t, 0x11, 0x12);
    dw_stop(&t);
}

static void test_unregister_drops_and_refuses(void)
{
    DwI2c t;

    start_presented(&t);
    g_assert_true(dw_line(&t));
    dw_wr(&t, R_INTR_MASK, 0);
    dw_assert_quiet(&t);
    dw_disable(&t);
    dw_wr(&t, R_INTR_MASK, 0);
    dw_rd(&t, R_CLR_INTR);
    dw_wr(&t, R_CON, CON_LINUX_MASTER);
    dw_echo(&t, OWN, 0x21, 0x22);

    dw_listen(&t);
    dw_assert_quiet(&t);
    dw_echo(&t, OWN, 0x31, 0x32);
    dw_listen(&t);
    dw_take(&t, 0x31, 0x32);
    dw_stop(&t);
}

static void test_mask_while_disabled_keeps_packets(void)
{
    DwI2c t;

    start_armed(&t);
    dw_echo(&t, OWN, 0x11, 0x12);
    /* Suspend: disabled first, then masked. */
    dw_wr(&t, R_CON, CON_LINUX_TARGET);
    dw_wr(&t, R_INTR_MASK, 0);
    dw_rd(&t, R_CLR_INTR);
    dw_listen(&t);
    dw_take(&t, 0x11, 0x12);
    dw_stop(&t);
}

static void test_shutdown_drops_and_refuses(void)
{
    DwI2c t;

    start_presented(&t);
    g_assert_cmphex(dw_rd(&t, R_CON), ==, CON_LINUX_TARGET);
    dw_wr(&t, R_CON, 0x2e0);
    g_assert_cmphex(dw_rd(&t, R_CON), ==, 0x2e0);
    dw_assert_quiet(&t);
    dw_disable(&t);
    dw_echo(&t, OWN, 0x21, 0x22);
    dw_listen(&t);
    dw_assert_quiet(&t);
    dw_stop(&t);
}

static void test_new_address_drops_packets(void)
{
    DwI2c t;

    start_armed(&t);
    dw_echo(&t, OWN, 0x11, 0x12);
    dw_target_mode(&t, OWN + 1);
    dw_settle(&t);
    dw_assert_quiet(&t);
    dw_echo(&t, OWN, 0x11, 0x12);
    dw_echo(&t, OWN + 1, 0x21, 0x22);
    dw_target_mode(&t, OWN + 1);
    dw_settle(&t);
    dw_take(&t, 0x21, 0x22);
    dw_assert_quiet(&t);
    dw_stop(&t);
}

static void test_queue_of_sixteen(void)
{
    DwI2c t;
    int i;

    start_armed(&t);
    for (i = 0; i < 17; i++) {
        dw_echo(&t, OWN, 0x40 + i, i);
    }
    dw_listen(&t);
    for (i = 0; i < 16; i++) {
        dw_take(&t, 0x40 + i, i);
    }
    /* The last one was refused; there is room again. */
    dw_assert_quiet(&t);
    for (i = 0; i < 16; i++) {
        dw_echo(&t, OWN, 0x60 + i, i);
    }
    dw_listen(&t);
    for (i = 0; i < 16; i++) {
        dw_take(&t, 0x60 + i, i);
    }
    dw_stop(&t);
}

/* With a threshold the STOP takes the place of RX_FULL for the rest. */
static void test_rx_threshold(void)
{
    DwI2c t;

    start_armed(&t);
    dw_echo(&t, OWN, 0x11, 0x12);
    dw_echo(&t, OWN, 0x21, 0x22);
    dw_target_mode(&t, OWN);
    dw_wr(&t, R_RX_TL, 1);
    dw_settle(&t);
    g_assert_cmphex(dw_rd(&t, R_RAW_INTR_STAT), ==, I_RX_FULL);
    dw_rd(&t, R_DATA_CMD);
    g_assert_cmphex(dw_rd(&t, R_RAW_INTR_STAT), ==, I_STOP_DET);
    dw_rd(&t, R_CLR_STOP_DET);
    /* The rest stays readable, the next packet waits for it. */
    g_assert_cmphex(dw_rd(&t, R_RXFLR), ==, 1);
    g_assert_cmphex(dw_rd(&t, R_DATA_CMD), ==, 0x12);
    g_assert_cmphex(dw_rd(&t, R_DATA_CMD), ==, 0x21 | FIRST_BYTE);
    dw_stop(&t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/dw-i2c/target/stored-while-deaf-presented-after-settle",
                   test_stored_while_deaf_presented_after_settle);
    qtest_add_func("/dw-i2c/target/nothing-before-an-address-was-chosen",
                   test_nothing_before_an_address_was_chosen);
    qtest_add_func("/dw-i2c/target/only-own-address", test_only_own_address);
    qtest_add_func("/dw-i2c/target/stop-after-drain-then-next-packet",
                   test_stop_after_drain_then_next_packet);
    qtest_add_func("/dw-i2c/target/clear-all-ends-a-packet-too",
                   test_clear_all_ends_a_packet_too);
    qtest_add_func("/dw-i2c/target/disable-in-mid-drain-replays",
                   test_disable_in_mid_drain_replays);
    qtest_add_func("/dw-i2c/target/master-transfer-before-the-replay",
                   test_master_transfer_before_the_replay);
    qtest_add_func("/dw-i2c/target/idle-poll-holds-off",
                   test_idle_poll_holds_off);
    qtest_add_func("/dw-i2c/target/handler-reads-of-status-do-not-hold-off",
                   test_handler_reads_of_status_do_not_hold_off);
    qtest_add_func("/dw-i2c/target/disable-ends-the-hold-off",
                   test_disable_ends_the_hold_off);
    qtest_add_func("/dw-i2c/target/unnoticed-packet-is-withdrawn",
                   test_unnoticed_packet_is_withdrawn);
    qtest_add_func("/dw-i2c/target/noticed-packet-shows-as-activity",
                   test_noticed_packet_shows_as_activity);
    qtest_add_func("/dw-i2c/target/busy-poll-holds-the-next-packet-back",
                   test_busy_poll_holds_the_next_packet_back);
    qtest_add_func("/dw-i2c/target/handler-of-the-other-mode-sees-nothing",
                   test_handler_of_the_other_mode_sees_nothing);
    qtest_add_func("/dw-i2c/target/other-handler-gets-it-in-the-end",
                   test_other_handler_gets_it_in_the_end);
    qtest_add_func("/dw-i2c/target/handler-of-the-other-mode-cannot-deafen",
                   test_handler_of_the_other_mode_cannot_deafen);
    qtest_add_func("/dw-i2c/target/skipped-message-is-a-lost-arbitration",
                   test_skipped_message_is_a_lost_arbitration);
    qtest_add_func("/dw-i2c/target/message-skipped-for-a-lost-packet",
                   test_message_skipped_for_a_lost_packet);
    qtest_add_func("/dw-i2c/target/lost-transfer-that-is-not-repeated",
                   test_lost_transfer_that_is_not_repeated);
    qtest_add_func("/dw-i2c/target/stuck-handler-lets-a-transfer-start",
                   test_stuck_handler_does_not_keep_a_transfer_waiting);
    qtest_add_func("/dw-i2c/target/shown-stop-ends-a-packet",
                   test_shown_stop_ends_a_packet);
    qtest_add_func("/dw-i2c/target/polling-does-not-starve",
                   test_polling_does_not_starve);
    qtest_add_func("/dw-i2c/target/abort-leaves-the-packet",
                   test_abort_leaves_the_packet);
    qtest_add_func("/dw-i2c/target/unregister-drops-and-refuses",
                   test_unregister_drops_and_refuses);
    qtest_add_func("/dw-i2c/target/mask-while-disabled-keeps-packets",
                   test_mask_while_disabled_keeps_packets);
    qtest_add_func("/dw-i2c/target/shutdown-drops-and-refuses",
                   test_shutdown_drops_and_refuses);
    qtest_add_func("/dw-i2c/target/new-address-drops-packets",
                   test_new_address_drops_packets);
    qtest_add_func("/dw-i2c/target/queue-of-sixteen", test_queue_of_sixteen);
    qtest_add_func("/dw-i2c/target/rx-threshold", test_rx_threshold);
    return g_test_run();
}
