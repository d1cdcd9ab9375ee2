/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DesignWare I2C controller: identity, registers and the interrupt line.
 */
#include "qemu/osdep.h"
#include "dw-i2c-util.h"
#include "hw/pci/pci_regs.h"
#include "qemu/host-utils.h"

static void test_identity(DwI2c *t)
{
    g_assert_cmphex(qpci_config_readl(t->dev, PCI_VENDOR_ID), ==, 0x4bb98086);
    g_assert_cmphex(qpci_config_readw(t->dev, PCI_CLASS_DEVICE), ==, 0x0c80);
    g_assert_cmphex(qpci_config_readb(t->dev, PCI_INTERRUPT_PIN), ==, 1);
    g_assert_cmphex(qpci_config_readw(t->dev, PCI_STATUS) &
                    PCI_STATUS_CAP_LIST, ==, 0);
}

static void assert_reset_values(DwI2c *t)
{
    static const struct {
        uint8_t offset;
        uint32_t value;
    } reg[] = {
        { R_CON, 0x7f }, { R_TAR, 0x1055 }, { R_SAR, 0x55 },
        { R_INTR_STAT, 0 }, { R_INTR_MASK, 0x8ff }, { R_RAW_INTR_STAT, 0 },
        { R_RX_TL, 0 }, { R_TX_TL, 0 }, { R_ENABLE, 0 }, { R_STATUS, 0x06 },
        { R_TXFLR, 0 }, { R_RXFLR, 0 }, { R_SDA_HOLD, 1 },
        { R_TX_ABRT_SOURCE, 0 }, { R_ENABLE_STATUS, 0 }, { 0x14, 0 },
        { 0x28, 0 }, { 0xc8, 0 }, { 0xcc, 0 }, { 0xd4, 0 },
        { R_COMP_PARAM_1, 0x00ffffae }, { R_COMP_VERSION, 0x3230312a },
        { R_COMP_TYPE, 0x44570140 },
    };
    int i;

    for (i = 0; i < ARRAY_SIZE(reg); i++) {
        g_assert_cmphex(dw_rd(t, reg[i].offset), ==, reg[i].value);
    }
    g_assert_false(dw_line(t));
}

static void test_probe_sequence(DwI2c *t)
{
    unsigned i;

    g_assert_cmphex(dw_rd(t, R_COMP_TYPE), ==, 0x44570140);
    g_assert_cmphex(dw_rd(t, R_COMP_VERSION), >=, 0x3131312a);
    g_assert_cmphex(dw_rd(t, R_SDA_HOLD), ==, 1);
    g_assert_cmphex(dw_rd(t, R_COMP_PARAM_1), ==, 0x00ffffae);
    /* Bus clear would be copied into the master setup. */
    g_assert_cmphex(dw_rd(t, R_CON) & 0x800, ==, 0);

    dw_disable(t);
    dw_wr(t, 0xcc, 0);
    for (i = 0x14; i <= 0x28; i += 4) {
        dw_wr(t, i, 0x100 + i);
    }
    dw_wr(t, R_SDA_HOLD, 0x10001);
    dw_wr(t, R_TX_TL, 0x80);
    dw_wr(t, R_RX_TL, 0);
    dw_wr(t, R_CON, CON_LINUX_MASTER);
    dw_wr(t, R_INTR_MASK, 0);

    for (i = 0x14; i <= 0x28; i += 4) {
        g_assert_cmphex(dw_rd(t, i), ==, 0x100 + i);
    }
    g_assert_cmphex(dw_rd(t, R_SDA_HOLD), ==, 0x10001);
    g_assert_cmphex(dw_rd(t, R_TX_TL), ==, 0x80);
    g_assert_cmphex(dw_rd(t, R_CON), ==, CON_LINUX_MASTER);
    g_assert_cmphex(dw_rd(t, R_INTR_MASK), ==, 0);
    g_assert_false(dw_line(t));
}

static void test_all_offsets(DwI2c *t)
{
    unsigned i;

    /* Whatever is written, nothing but the known registers keeps it. */
    for (i = 0; i < 0x1000; i += 4) {
        dw_wr(t, i, 0xffffffff);
    }
    for (i = 0x100; i < 0x1000; i += 4) {
        g_assert_cmphex(dw_rd(t, i), ==, 0);
    }
    for (i = 0; i < 0x100; i += 4) {
        dw_rd(t, i);
    }
    g_assert_cmphex(dw_rd(t, R_CON), ==, 0x3ff);
    g_assert_cmphex(dw_rd(t, R_SAR), ==, 0x3ff);
    g_assert_cmphex(dw_rd(t, R_ENABLE), ==, 1);
    g_assert_cmphex(dw_rd(t, R_COMP_TYPE), ==, 0x44570140);
}

static void test_reset_values(DwI2c *t)
{
    unsigned i;

    assert_reset_values(t);
    /* A reset in the middle of a transfer, with the line high. */
    for (i = 0; i < 0x80; i += 4) {
        if (i != R_ENABLE) {
            dw_wr(t, i, 0x5a);
        }
    }
    dw_master_mode(t, CON_LINUX_MASTER, EEPROM);
    dw_wr(t, R_DATA_CMD, 0);
    g_assert_true(dw_line(t));
    qtest_system_reset(t->qts);
    dw_map(t);
    assert_reset_values(t);
    /* The bus is free again. */
    dw_write_bytes(t, ECHO, (uint8_t[]) { 1, 2 }, 2);
}

/*
 * Anything in any order. The registers that matter come often, and values
 * that make the controller do something.
 */
static void test_random_accesses(DwI2c *t)
{
    static const uint8_t often[] = {
        R_CON, R_TAR, R_SAR, R_DATA_CMD, R_DATA_CMD, R_DATA_CMD, R_INTR_MASK,
        R_RX_TL, R_ENABLE, R_CLR_INTR, R_CLR_STOP_DET, R_STATUS, R_INTR_STAT,
    };
    static const uint16_t value[] = {
        0, 1, 1, 1, 3, OWN, EEPROM, ECHO, CON_LINUX_MASTER, CON_LINUX_TARGET,
        CON_LINUX_MASTER | 0x200, CMD_READ, CMD_STOP, CMD_READ | CMD_STOP,
        CMD_RESTART | OWN, 0x2e0, 0xffff,
    };
    g_autoptr(GRand) r = g_rand_new_with_seed(0x4bb9);
    int i;

    for (i = 0; i < 20000; i++) {
        unsigned offset = g_rand_int_range(r, 0, 8) ?
            often[g_rand_int_range(r, 0, ARRAY_SIZE(often))] :
            g_rand_int_range(r, 0, 64) * 4;

        switch (g_rand_int_range(r, 0, 16)) {
        case 0 ... 3:
            dw_rd(t, offset);
            break;
        case 4:
            qtest_clock_step(t->qts, SETTLE_NS);
            break;
        default:
            dw_wr(t, offset, value[g_rand_int_range(r, 0, ARRAY_SIZE(value))]);
        }
    }
    dw_wr(t, R_ENABLE, 0);
    g_assert_false(dw_line(t));
    g_assert_cmphex(dw_rd(t, R_STATUS), ==, ST_IDLE);
    qtest_system_reset(t->qts);
    dw_map(t);
    assert_reset_values(t);
}

static void test_con_is_locked_while_enabled(DwI2c *t)
{
    dw_master_mode(t, CON_LINUX_MASTER, EEPROM);
    dw_wr(t, R_CON, CON_LINUX_TARGET);
    dw_wr(t, R_SAR, 0x33);
    g_assert_cmphex(dw_rd(t, R_CON), ==, CON_LINUX_MASTER);
    g_assert_cmphex(dw_rd(t, R_SAR), ==, 0x55);
}

static void test_line_follows_mask(DwI2c *t)
{
    dw_master_mode(t, CON_LINUX_MASTER, EEPROM);
    /* TX_EMPTY is a level: enabled, FIFO empty. */
    g_assert_true(dw_line(t));
    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, I_TX_EMPTY);
    dw_wr(t, R_INTR_MASK, 0x244);
    g_assert_false(dw_line(t));
    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, 0);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_TX_EMPTY);
    dw_wr(t, R_DATA_CMD, CMD_READ);
    g_assert_true(dw_line(t));
    dw_rd(t, R_CLR_INTR);
    g_assert_true(dw_line(t));
    dw_rd(t, R_DATA_CMD);
    g_assert_false(dw_line(t));
    dw_wr(t, R_DATA_CMD, CMD_READ | CMD_STOP);
    dw_rd(t, R_DATA_CMD);
    g_assert_true(dw_line(t));
    dw_rd(t, R_CLR_STOP_DET);
    g_assert_false(dw_line(t));
}

/* q35 routes slot 5, pin A to one of the inputs 16..23 of the I/O APIC. */
static unsigned apic_inputs(DwI2c *t)
{
    unsigned i, set = 0;

    for (i = 16; i < 24; i++) {
        set |= qtest_get_irq(t->qts, i) << i;
    }
    return set;
}

static void test_line_reaches_the_interrupt_controller(DwI2c *t)
{
    unsigned on;

    qtest_irq_intercept_in(t->qts, "ioapic");
    g_assert_cmphex(apic_inputs(t), ==, 0);
    dw_master_mode(t, CON_LINUX_MASTER, EEPROM);
    on = apic_inputs(t);
    g_assert_cmpuint(ctpop32(on), ==, 1);
    dw_wr(t, R_INTR_MASK, 0);
    g_assert_cmphex(apic_inputs(t), ==, 0);
}

static void test_line_is_low_while_disabled(DwI2c *t)
{
    /* Every cause at once, then ENABLE goes to 0. */
    dw_master_mode(t, CON_LINUX_MASTER, EEPROM);
    dw_wr(t, R_INTR_MASK, 0x3fff);
    dw_wr(t, R_DATA_CMD, CMD_READ | CMD_STOP);
    dw_wr(t, R_TAR, ABSENT);
    dw_wr(t, R_DATA_CMD, 0);
    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==,
                    I_RX_FULL | I_TX_EMPTY | I_STOP_DET | I_TX_ABRT);
    g_assert_true(dw_line(t));
    dw_wr(t, R_ENABLE, 0);
    g_assert_false(dw_line(t));
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, 0);
    g_assert_cmphex(dw_rd(t, R_RXFLR), ==, 0);
    g_assert_cmphex(dw_rd(t, R_TX_ABRT_SOURCE), ==, 0);
    g_assert_cmphex(dw_rd(t, R_STATUS), ==, ST_IDLE);

    /* Writes that would raise something do not while disabled. */
    dw_wr(t, R_DATA_CMD, 0);
    dw_rd(t, R_DATA_CMD);
    g_assert_false(dw_line(t));
    dw_wr(t, R_ENABLE, 1);
    /* Nothing latched has survived; TX_EMPTY is a level. */
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_TX_EMPTY);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define DW(f) dw_add_test("/dw-i2c-reg/" #f, test_ ## f, NULL)
    DW(identity);
    DW(probe_sequence);
    DW(all_offsets);
    DW(reset_values);
    DW(random_accesses);
    DW(con_is_locked_while_enabled);
    DW(line_follows_mask);
    DW(line_reaches_the_interrupt_controller);
    DW(line_is_low_while_disabled);
    return g_test_run();
}
