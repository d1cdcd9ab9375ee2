/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DesignWare I2C controller as a master, with an EEPROM and i2c-echo on the
 * bus.
 */
#include "qemu/osdep.h"
#include "dw-i2c-util.h"

static void read_eeprom(DwI2c *t, uint8_t from, uint8_t *buf, size_t len)
{
    size_t i;

    dw_master_mode(t, CON_LINUX_MASTER, EEPROM);
    dw_wr(t, R_DATA_CMD, from);
    for (i = 0; i < len; i++) {
        dw_wr(t, R_DATA_CMD, CMD_READ | (i ? 0 : CMD_RESTART) |
                             (i == len - 1 ? CMD_STOP : 0));
    }
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==,
                    I_STOP_DET | I_TX_EMPTY | I_RX_FULL);
    g_assert_cmphex(dw_rd(t, R_RXFLR), ==, len);
    g_assert_cmphex(dw_rd(t, R_STATUS) & (ST_ACTIVITY | ST_MASTER), ==, 0);
    for (i = 0; i < len; i++) {
        uint32_t val = dw_rd(t, R_DATA_CMD);

        g_assert_cmphex(val, <=, 0xff);
        buf[i] = val;
    }
    /* RX_FULL is gone with the data, without a clear register. */
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_STOP_DET | I_TX_EMPTY);
}

static void test_eeprom_round_trip(DwI2c *t)
{
    uint8_t out[1 + 256], in[256];
    int i;

    out[0] = 0;
    for (i = 0; i < 256; i++) {
        out[1 + i] = i * 7 + 3;
    }
    dw_write_bytes(t, EEPROM, out, sizeof(out));
    read_eeprom(t, 0, in, 256);
    g_assert_cmpmem(in, 256, out + 1, 256);

    out[0] = 0x80;
    memset(out + 1, 0xa5, 16);
    dw_write_bytes(t, EEPROM, out, 17);
    read_eeprom(t, 0x7f, in, 18);
    g_assert_cmphex(in[0], ==, (uint8_t)(0x7f * 7 + 3));
    g_assert_cmpmem(in + 1, 16, out + 1, 16);
    g_assert_cmphex(in[17], ==, (uint8_t)(0x90 * 7 + 3));
}

static void test_direction_change_without_restart_enable(DwI2c *t)
{
    dw_write_bytes(t, EEPROM, (uint8_t[]) { 0x20, 0x77 }, 2);
    dw_master_mode(t, CON_LINUX_MASTER & ~0x20, EEPROM);
    dw_wr(t, R_DATA_CMD, 0x20);
    dw_wr(t, R_DATA_CMD, CMD_READ | CMD_STOP);
    g_assert_cmphex(dw_rd(t, R_DATA_CMD), ==, 0x77);
}

static void test_absent_address(DwI2c *t)
{
    dw_master_mode(t, CON_LINUX_MASTER, ABSENT);
    dw_wr(t, R_DATA_CMD, 0x11);
    g_assert_true(dw_line(t));
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==,
                    I_TX_ABRT | I_STOP_DET | I_TX_EMPTY);
    g_assert_cmphex(dw_rd(t, R_TX_ABRT_SOURCE), ==, 1 << 0);
    g_assert_cmphex(dw_rd(t, R_STATUS), ==, ST_IDLE);

    /* Until the abort is cleared, words are dropped: also with a target. */
    dw_rd(t, R_CLR_STOP_DET);
    dw_wr(t, R_TAR, EEPROM);
    dw_wr(t, R_DATA_CMD, 0x11 | CMD_STOP);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_TX_ABRT | I_TX_EMPTY);
    g_assert_cmphex(dw_rd(t, R_TXFLR), ==, 0);

    dw_rd(t, R_CLR_TX_ABRT);
    g_assert_cmphex(dw_rd(t, R_TX_ABRT_SOURCE), ==, 0);
    dw_wr(t, R_DATA_CMD, 0x11 | CMD_STOP);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_STOP_DET | I_TX_EMPTY);
}

static void test_ten_bit_address_is_absent(DwI2c *t)
{
    dw_master_mode(t, CON_LINUX_MASTER, 0);
    dw_wr(t, R_TAR, 0x1000 | EEPROM);
    dw_wr(t, R_DATA_CMD, CMD_STOP);
    g_assert_cmphex(dw_rd(t, R_TX_ABRT_SOURCE), ==, 1 << 1);
}

static void test_data_nack(DwI2c *t)
{
    int i;

    dw_master_mode(t, CON_LINUX_MASTER, ECHO);
    /* i2c-echo holds three bytes. */
    for (i = 0; i < 3; i++) {
        dw_wr(t, R_DATA_CMD, ABSENT);
    }
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_TX_EMPTY | I_ON_HOLD);
    dw_wr(t, R_DATA_CMD, 4);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==,
                    I_TX_ABRT | I_STOP_DET | I_TX_EMPTY);
    g_assert_cmphex(dw_rd(t, R_TX_ABRT_SOURCE), ==, 1 << 3);
    g_assert_cmphex(dw_rd(t, R_STATUS), ==, ST_IDLE);
}

static void test_hold_and_abort(DwI2c *t)
{
    dw_master_mode(t, CON_LINUX_MASTER, EEPROM);
    dw_wr(t, R_DATA_CMD, 0x40);
    g_assert_cmphex(dw_rd(t, R_STATUS), ==,
                    ST_IDLE | ST_ACTIVITY | ST_MASTER | ST_HOLD);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_TX_EMPTY | I_ON_HOLD);

    dw_wr(t, R_ENABLE, 3);
    g_assert_cmphex(dw_rd(t, R_ENABLE), ==, 1);
    g_assert_cmphex(dw_rd(t, R_STATUS), ==, ST_IDLE);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==,
                    I_TX_ABRT | I_STOP_DET | I_TX_EMPTY);
    g_assert_cmphex(dw_rd(t, R_TX_ABRT_SOURCE), ==, 1 << 16);

    /* Without a transfer there is nothing to abort. */
    dw_rd(t, R_CLR_INTR);
    dw_wr(t, R_ENABLE, 3);
    g_assert_cmphex(dw_rd(t, R_ENABLE), ==, 1);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_TX_EMPTY);
}

static void test_disable_ends_the_transfer(DwI2c *t)
{
    dw_master_mode(t, CON_LINUX_MASTER, EEPROM);
    dw_wr(t, R_DATA_CMD, 0x40);
    dw_wr(t, R_ENABLE, 0);
    g_assert_cmphex(dw_rd(t, R_STATUS), ==, ST_IDLE);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, 0);
    /* Another device can be addressed: the EEPROM is not any more. */
    dw_write_bytes(t, ECHO, (uint8_t[]) { ABSENT, 2, 3 }, 3);
}

static void test_full_rx_fifo_holds_the_bus(DwI2c *t)
{
    uint8_t out[257];
    int i;

    for (i = 0; i < 257; i++) {
        out[i] = i;
    }
    dw_write_bytes(t, EEPROM, out, 257);
    /* The EEPROM's address counter has wrapped to 0: byte n holds n + 1. */
    dw_master_mode(t, CON_LINUX_MASTER | 0x200, EEPROM);
    for (i = 0; i < 300; i++) {
        dw_wr(t, R_DATA_CMD, CMD_READ | (i == 299 ? CMD_STOP : 0));
    }
    g_assert_cmpuint(dw_rd(t, R_RXFLR), ==, 256);
    g_assert_cmpuint(dw_rd(t, R_TXFLR), ==, 44);
    g_assert_cmphex(dw_rd(t, R_STATUS), ==,
                    ST_TX_NOT_FULL | ST_RX_NOT_EMPTY | ST_RX_FULL |
                    ST_ACTIVITY | ST_MASTER);
    for (i = 0; i < 300; i++) {
        g_assert_cmphex(dw_rd(t, R_DATA_CMD), ==, (i + 1) & 0xff);
    }
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_STOP_DET | I_TX_EMPTY);
}

static void test_fifo_limits(DwI2c *t)
{
    int i;

    dw_master_mode(t, CON_LINUX_MASTER, EEPROM);
    for (i = 0; i < 256; i++) {
        dw_wr(t, R_DATA_CMD, CMD_READ);
    }
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT) & I_RX_OVER, ==, 0);
    dw_wr(t, R_DATA_CMD, CMD_READ);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT) & I_RX_OVER, ==, I_RX_OVER);
    g_assert_cmpuint(dw_rd(t, R_RXFLR), ==, 256);

    dw_master_mode(t, CON_LINUX_MASTER | 0x200, EEPROM);
    for (i = 0; i < 256 + 256; i++) {
        dw_wr(t, R_DATA_CMD, CMD_READ);
    }
    g_assert_cmpuint(dw_rd(t, R_TXFLR), ==, 256);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_RX_FULL);
    g_assert_cmphex(dw_rd(t, R_STATUS) & ST_TX_NOT_FULL, ==, 0);
    dw_wr(t, R_DATA_CMD, CMD_READ);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_RX_FULL | I_TX_OVER);
    g_assert_cmpuint(dw_rd(t, R_TXFLR), ==, 256);

    dw_master_mode(t, CON_LINUX_MASTER, EEPROM);
    g_assert_cmphex(dw_rd(t, R_DATA_CMD), ==, 0);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_RX_UNDER | I_TX_EMPTY);
    dw_rd(t, R_CLR_RX_UNDER);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_TX_EMPTY);
}

static void test_write_in_target_mode(DwI2c *t)
{
    dw_target_mode(t, OWN);
    dw_wr(t, R_DATA_CMD, 0x11);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_TX_ABRT);
    g_assert_cmphex(dw_rd(t, R_TX_ABRT_SOURCE), ==, 1 << 11);
}

static void test_own_address_as_master(DwI2c *t)
{
    dw_target_mode(t, OWN);
    dw_master_mode(t, CON_LINUX_MASTER, OWN);
    dw_wr(t, R_DATA_CMD, 0x11 | CMD_STOP);
    g_assert_cmphex(dw_rd(t, R_TX_ABRT_SOURCE), ==, 1 << 0);
}

/* As master of i2c-echo, with one read more than the RX FIFO has room for. */
static void start_with_full_rx(DwI2c *t)
{
    int i;

    dw_start(t, NULL);
    dw_target_mode(t, OWN);
    dw_master_mode(t, CON_LINUX_MASTER | 0x200, ECHO);
    for (i = 0; i < 257; i++) {
        dw_wr(t, R_DATA_CMD, CMD_READ);
    }
}

/*
 * Two transfers wait in the TX FIFO behind a full RX FIFO. The first ends
 * with i2c-echo becoming the next master, so the second finds the bus taken
 * inside the same register access.
 */
static void test_waits_for_another_master(DwI2c *t)
{
    int i;

    for (i = 0; i < 2; i++) {
        dw_wr(t, R_DATA_CMD, OWN | CMD_RESTART);
        dw_wr(t, R_DATA_CMD, 0xa0 + i);
        dw_wr(t, R_DATA_CMD, (0xb0 + i) | CMD_STOP);
    }
    g_assert_cmpuint(dw_rd(t, R_TXFLR), ==, 7);
    dw_rd(t, R_DATA_CMD);
    dw_pump(t);
    g_assert_cmpuint(dw_rd(t, R_TXFLR), ==, 0);
    /* No lost arbitration is reported. */
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT) & (I_TX_ABRT | I_STOP_DET),
                    ==, I_STOP_DET);
    g_assert_cmphex(dw_rd(t, R_STATUS) & (ST_ACTIVITY | ST_MASTER), ==, 0);

    dw_listen(t);
    dw_take(t, 0xa0, 0xb0);
    dw_take(t, 0xa1, 0xb1);
    dw_assert_quiet(t);
}

/*
 * The same, but the guest gives up while it waits: the grant goes back. On a
 * busy machine the grant may be first; then i2c-echo gets the last word, and
 * once more has an address to write to, which must not be the general call.
 */
static void test_gives_up_while_waiting(DwI2c *t)
{
    dw_wr(t, R_DATA_CMD, OWN | CMD_RESTART);
    dw_wr(t, R_DATA_CMD, 0xa0);
    dw_wr(t, R_DATA_CMD, 0xb0 | CMD_STOP);
    dw_wr(t, R_DATA_CMD, OWN);
    dw_rd(t, R_DATA_CMD);
    dw_wr(t, R_ENABLE, 0);
    dw_pump(t);
    dw_write_bytes(t, EEPROM, (uint8_t[]) { 1, 2 }, 2);
    dw_listen(t);
    dw_take(t, 0xa0, 0xb0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define FULL(f) \
    dw_add_test("/dw-i2c/master/" #f, test_ ## f, start_with_full_rx)
#define DW(f) dw_add_test("/dw-i2c/master/" #f, test_ ## f, NULL)
    DW(eeprom_round_trip);
    DW(direction_change_without_restart_enable);
    DW(absent_address);
    DW(ten_bit_address_is_absent);
    DW(data_nack);
    DW(hold_and_abort);
    DW(disable_ends_the_transfer);
    DW(full_rx_fifo_holds_the_bus);
    DW(fifo_limits);
    DW(write_in_target_mode);
    DW(own_address_as_master);
    FULL(waits_for_another_master);
    FULL(gives_up_while_waiting);
    return g_test_run();
}
