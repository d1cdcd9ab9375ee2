/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DesignWare I2C controller used by two processors at once: one runs the
 * interrupt handler of Linux's driver while the other starts a transfer.  The
 * first is a real vCPU with a small program of ours, as the model tells vCPUs
 * apart; the other is the test itself.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "dw-i2c-util.h"

#define ROM_SIZE (64 * 1024)
#define ROM_BASE 0xffff0000u
/* Places in the ROM; the reset vector is 16 bytes before its end */
#define ROM_GDT 0x80
#define ROM_GDTR 0xa0
#define ROM_RESET (ROM_SIZE - 16)

/* Words in RAM: orders to the vCPU and what came of them */
#define MAILBOX 0x1000
#define BOX_TOLD (MAILBOX + 0)
#define BOX_DONE (MAILBOX + 4)
#define BOX_ADDR (MAILBOX + 8)
#define BOX_VALUE (MAILBOX + 12)
#define BOX_STORE (MAILBOX + 16)

static const uint8_t program[] = {
    /* 16-bit: to protected mode with flat segments */
    0xfa,                                           /* cli */
    0x2e, 0x66, 0x0f, 0x01, 0x16, ROM_GDTR, 0x00,   /* lgdt cs:ROM_GDTR */
    0x0f, 0x20, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0, /* cr0 |= 1 */
    0x66, 0xea, 0x18, 0x00, 0xff, 0xff, 0x08, 0x00, /* ljmp 8:ROM + 18h */
    /* 32-bit, offset 18h */
    0x66, 0xb8, 0x10, 0x00, 0x8e, 0xd8,             /* ds = 10h */
    0xbf, 0x00, 0x10, 0x00, 0x00,                   /* edi = MAILBOX */
    /* loop: */
    0x8b, 0x07, 0x3b, 0x47, 0x04, 0x74, 0xf9,       /* TOLD == DONE: loop */
    0x8b, 0x5f, 0x08, 0x80, 0x7f, 0x10, 0x00,       /* ADDR, STORE? */
    0x75, 0x07,
    0x8b, 0x0b, 0x89, 0x4f, 0x0c, 0xeb, 0x05,       /* load, VALUE */
    0x8b, 0x4f, 0x0c, 0x89, 0x0b,                   /* or VALUE, store */
    0x89, 0x47, 0x04, 0xeb, 0xdf,                   /* DONE = TOLD; loop */
};

static char *rom_make(void)
{
    static const uint8_t jump[] = { 0xe9, 0x0d, 0x00 };
    g_autofree uint8_t *rom = g_malloc0(ROM_SIZE);
    char *path;
    int fd = g_file_open_tmp("dw-i2c-rom-XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    memcpy(rom, program, sizeof(program));
    stq_le_p(rom + ROM_GDT + 8, 0x00cf9b000000ffffull);
    stq_le_p(rom + ROM_GDT + 16, 0x00cf93000000ffffull);
    stw_le_p(rom + ROM_GDTR, 3 * 8 - 1);
    stl_le_p(rom + ROM_GDTR + 2, ROM_BASE + ROM_GDT);
    memcpy(rom + ROM_RESET, jump, sizeof(jump));
    g_assert_cmpint(write(fd, rom, ROM_SIZE), ==, ROM_SIZE);
    close(fd);
    return path;
}

static void await_line(DwI2c *t)
{
    while (!dw_line(t)) {
        g_usleep(50);
    }
}

/* A guest that has an address, and a packet 11h 12h that makes the line high */
static void start_presented(DwI2c *t)
{
    g_autofree char *rom = rom_make();
    g_autofree char *args = g_strdup_printf(
        "-M q35 -nodefaults -accel tcg -S -bios %s " DW_I2C_DEVICES("dw"), rom);

    dw_start_args(t, args);
    unlink(rom);
    qtest_memset(t->qts, MAILBOX, 0, 0x20);
    qtest_qmp_assert_success(t->qts, "{'execute': 'cont'}");
    dw_target_mode(t, OWN);
    dw_echo(t, OWN, 0x11, 0x12);
    dw_target_mode(t, OWN);
    await_line(t);
}

static uint32_t cpu_do(DwI2c *t, bool store, unsigned offset, uint32_t value)
{
    uint32_t n = qtest_readl(t->qts, BOX_DONE) + 1;

    qtest_writel(t->qts, BOX_STORE, store);
    qtest_writel(t->qts, BOX_ADDR, t->bar.addr + offset);
    qtest_writel(t->qts, BOX_VALUE, value);
    qtest_writel(t->qts, BOX_TOLD, n);
    while (qtest_readl(t->qts, BOX_DONE) != n) {
        g_usleep(50);
    }
    return qtest_readl(t->qts, BOX_VALUE);
}

static uint32_t cpu_rd(DwI2c *t, unsigned offset)
{
    return cpu_do(t, false, offset, 0);
}

static void cpu_wr(DwI2c *t, unsigned offset, uint32_t value)
{
    cpu_do(t, true, offset, value);
}

/* The handler of master mode up to the place where it may mask everything */
static uint32_t master_handler(DwI2c *t)
{
    g_assert_cmphex(cpu_rd(t, R_ENABLE), ==, 1);
    g_assert_cmphex(cpu_rd(t, R_RAW_INTR_STAT), !=, 0);
    return cpu_rd(t, R_INTR_STAT);
}

/* The transfer that the test has set up is driven by the vCPU */
static void transfer_goes_well(DwI2c *t)
{
    g_assert_cmphex(dw_rd(t, R_INTR_MASK), ==, MASK_LINUX_MASTER);
    g_assert_true(dw_line(t));
    g_assert_cmphex(master_handler(t), ==, I_TX_EMPTY);
    cpu_wr(t, R_DATA_CMD, 5);
    cpu_wr(t, R_DATA_CMD, 6 | CMD_STOP);
    cpu_wr(t, R_INTR_MASK, 0x244);
    g_assert_cmphex(master_handler(t), ==, I_STOP_DET);
    cpu_rd(t, R_CLR_STOP_DET);
    g_assert_false(dw_line(t));
}

/*
 * Called in target mode before the driver remembers that mode, this handler
 * sees no active transfer; its mask arrives when the next one waits for
 * TX_EMPTY.
 */
static void test_late_mask_does_not_stop_a_transfer(void)
{
    DwI2c t;

    start_presented(&t);
    g_assert_cmphex(master_handler(&t), ==, 0);
    g_assert_cmphex(dw_rd(&t, R_STATUS) & ST_ACTIVITY, ==, 0);
    dw_master_mode(&t, CON_LINUX_MASTER, EEPROM);
    cpu_wr(&t, R_INTR_MASK, 0);
    transfer_goes_well(&t);
    dw_target_mode(&t, OWN);
    await_line(&t);
    dw_take(&t, 0x11, 0x12);
    dw_stop(&t);
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
            cpu_wr(&t, R_INTR_MASK, 0);
        }
        dw_wr(&t, R_ENABLE, 1);
        if (late) {
            cpu_wr(&t, R_INTR_MASK, 0);
        }
        g_assert_cmphex(dw_rd(&t, R_INTR_MASK), ==, MASK_LINUX_TARGET);
        await_line(&t);
        dw_take(&t, 0x11, 0x12);
        dw_stop(&t);
    }
}

/* Masks that mean what they say */
static void test_mask_in_time_is_obeyed(void)
{
    DwI2c t;

    start_presented(&t);
    dw_master_mode(&t, CON_LINUX_MASTER, EEPROM);
    g_assert_cmphex(master_handler(&t), ==, I_TX_EMPTY);
    cpu_wr(&t, R_INTR_MASK, 0);
    g_assert_cmphex(dw_rd(&t, R_INTR_MASK), ==, 0);

    /* Another vCPU has run the handler since, so this one has left it */
    dw_wr(&t, R_INTR_MASK, MASK_LINUX_MASTER);
    g_assert_cmphex(master_handler(&t), ==, I_TX_EMPTY);
    dw_master_mode(&t, CON_LINUX_MASTER, EEPROM);
    g_assert_cmphex(dw_rd(&t, R_INTR_STAT), ==, I_TX_EMPTY);
    cpu_wr(&t, R_INTR_MASK, 0);
    g_assert_cmphex(dw_rd(&t, R_INTR_MASK), ==, 0);

    /* An access between says that the handler is over */
    dw_wr(&t, R_INTR_MASK, MASK_LINUX_MASTER);
    g_assert_cmphex(master_handler(&t), ==, I_TX_EMPTY);
    dw_master_mode(&t, CON_LINUX_MASTER, EEPROM);
    cpu_rd(&t, R_CLR_INTR);
    cpu_wr(&t, R_INTR_MASK, 0);
    g_assert_cmphex(dw_rd(&t, R_INTR_MASK), ==, 0);
    dw_stop(&t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (!qtest_has_accel("tcg")) {
        g_test_message("built without TCG");
        return g_test_run();
    }
    qtest_add_func("/dw-i2c/cpu/late-mask-does-not-stop-a-transfer",
                   test_late_mask_does_not_stop_a_transfer);
    qtest_add_func("/dw-i2c/cpu/late-mask-does-not-deafen-a-target",
                   test_late_mask_does_not_deafen_a_target);
    qtest_add_func("/dw-i2c/cpu/mask-in-time-is-obeyed",
                   test_mask_in_time_is_obeyed);
    return g_test_run();
}
