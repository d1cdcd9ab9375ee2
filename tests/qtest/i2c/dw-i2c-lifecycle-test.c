/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DesignWare I2C controller: migration with work in progress, streams that
 * lie, reset, hot unplug and the name of the bus.
 */
#include "qemu/osdep.h"
#include <glib/gstdio.h>
#include "dw-i2c-util.h"
#include "qemu/bswap.h"

#define MACHINE "-M q35 -nodefaults " DW_I2C_DEVICES("dw")

/*
 * Where fields are in the stream, relative to the first packet slot, which
 * is found by its content. Integers are big endian.
 */
#define SLOT_SIZE (2 + 512)
#define AT_CON (-1362)
#define AT_RAW (-1326)
#define AT_RX_TL (-1318)
#define AT_ENABLE (-1310)
#define AT_TX_HEAD (-274)
#define AT_TX_NUM (-270)
#define AT_RX_HEAD (-10)
#define AT_RX_NUM (-6)
#define AT_OPEN (-2)
#define AT_HEAD (16 * SLOT_SIZE)
#define AT_COUNT (AT_HEAD + 1)
#define AT_RECEIVING (AT_HEAD + 2)
#define AT_ARMED (AT_HEAD + 5)
#define AT_PRESENTED (AT_HEAD + 6)
#define AT_POS (AT_HEAD + 9)
#define AT_NOT_BEFORE (AT_HEAD + 13)
#define AT_HIDES (AT_HEAD + 48)

static void start(DwI2c *t)
{
    dw_start_args(t, MACHINE);
}

/* A guest that has registered its address */
static void start_armed(DwI2c *t)
{
    start(t);
    dw_target_mode(t, OWN);
}

/* ... and to whom a packet came, which makes the place in a stream findable */
static void start_queued(DwI2c *t)
{
    start_armed(t);
    dw_echo(t, OWN, 0x5a, 0xc3);
}

/* 300 reads, 256 done: the bus is held and 44 words wait. */
static void start_held_read(DwI2c *t)
{
    int i;

    start_queued(t);
    dw_write_bytes(t, EEPROM, (uint8_t[]) { 0, 0x77 }, 2);
    dw_master_mode(t, CON_LINUX_MASTER | 0x200, EEPROM);
    for (i = 0; i < 300; i++) {
        dw_wr(t, R_DATA_CMD, CMD_READ | (i == 299 ? CMD_STOP : 0));
    }
}

static void test_save_with_queued_packets(DwI2c *t)
{
    dw_echo(t, OWN, 0x11, 0x12);
    dw_echo(t, OWN, 0x21, 0x22);
    dw_migrate(t, MACHINE);
    g_assert_cmphex(dw_rd(t, R_CON), ==, CON_LINUX_MASTER);
    g_assert_cmphex(dw_rd(t, R_SAR), ==, OWN);
    dw_assert_quiet(t);
    dw_listen(t);
    dw_take(t, 0x11, 0x12);
    dw_take(t, 0x21, 0x22);
    dw_assert_quiet(t);
    /* The target still answers. */
    dw_deliver(t, 0x31, 0x32);
}

static void test_save_in_settle_time(DwI2c *t)
{
    dw_echo(t, OWN, 0x11, 0x12);
    dw_target_mode(t, OWN);
    dw_migrate(t, MACHINE);
    /* It comes by itself; the new process has its own clock. */
    qtest_clock_step(t->qts, HOLDOFF_NS);
    dw_take(t, 0x11, 0x12);
}

static void test_save_in_mid_drain(DwI2c *t)
{
    dw_echo(t, OWN, 0x11, 0x12);
    dw_present(t, 0x21, 0x22);
    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, I_RX_FULL);
    g_assert_cmphex(dw_rd(t, R_DATA_CMD), ==, 0x11 | FIRST_BYTE);
    dw_migrate(t, MACHINE);
    g_assert_true(dw_line(t));
    g_assert_cmphex(dw_rd(t, R_STATUS), ==,
                    ST_IDLE | ST_RX_NOT_EMPTY | ST_ACTIVITY | ST_TARGET);
    g_assert_cmphex(dw_rd(t, R_DATA_CMD), ==, 0x12);
    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, I_STOP_DET);
    dw_migrate(t, MACHINE);
    g_assert_cmphex(dw_rd(t, R_INTR_STAT), ==, I_STOP_DET);
    dw_rd(t, R_CLR_STOP_DET);
    /* The new process has its own clock, so a wait is possible. */
    qtest_clock_step(t->qts, HOLDOFF_NS);
    dw_take(t, 0x21, 0x22);
    dw_assert_quiet(t);
}

static void test_save_in_master_transfer(DwI2c *t)
{
    int i;

    dw_migrate(t, MACHINE);
    g_assert_cmpuint(dw_rd(t, R_TXFLR), ==, 44);
    g_assert_cmphex(dw_rd(t, R_STATUS) & (ST_ACTIVITY | ST_MASTER), ==,
                    ST_ACTIVITY | ST_MASTER);
    for (i = 0; i < 300; i++) {
        uint32_t val = dw_rd(t, R_DATA_CMD);

        /* Byte 0 comes last of the first 256. */
        if (i == 255) {
            g_assert_cmphex(val, ==, 0x77);
        }
    }
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_STOP_DET | I_TX_EMPTY);
    /* The bus is not owned any more: the next transfer runs at once. */
    dw_write_bytes(t, EEPROM, (uint8_t[]) { 5, 6 }, 2);
}

typedef struct Stream {
    char *path;
    QPCIBar bar;
    char *data;
    gsize len;
    char *slot;
} Stream;

/* Save the machine, which ends, with the packet of start_queued(). */
static void stream_of(DwI2c *t, Stream *s)
{
    static const char packet[] = "\0\2\x5a\xc3\0\0\0\0";

    s->bar = t->bar;
    s->path = dw_save(t);
    dw_stop(t);
    g_assert_true(g_file_get_contents(s->path, &s->data, &s->len, NULL));
    s->slot = memmem(s->data, s->len, packet, sizeof(packet) - 1);
    g_assert_nonnull(s->slot);
    /* The place is right: one packet, armed. */
    g_assert_cmphex(s->slot[AT_HEAD], ==, 0);
    g_assert_cmphex(s->slot[AT_COUNT], ==, 1);
    g_assert_cmphex(s->slot[AT_ARMED], ==, 1);
}

static bool stream_loads(DwI2c *t, Stream *s)
{
    g_assert_true(g_file_set_contents(s->path, s->data, s->len, NULL));
    return dw_load(t, MACHINE, s->path, s->bar);
}

static void stream_free(Stream *s)
{
    g_unlink(s->path);
    g_free(s->path);
    g_free(s->data);
}

/* The state of a master that was waiting for the bus when it was saved. */
static void test_load_of_waiting_master(DwI2c *t)
{
    Stream s;

    stream_of(t, &s);
    g_assert_cmphex(s.slot[AT_OPEN], ==, 1);
    g_assert_cmphex(ldl_be_p(s.slot + AT_RX_NUM), ==, 256);
    s.slot[AT_OPEN] = 0;
    stl_be_p(s.slot + AT_RX_NUM, 0);

    g_assert_true(stream_loads(t, &s));
    dw_pump(t);
    g_assert_cmpuint(dw_rd(t, R_TXFLR), ==, 0);
    g_assert_cmpuint(dw_rd(t, R_RXFLR), ==, 44);
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==,
                    I_STOP_DET | I_TX_EMPTY | I_RX_FULL);
    g_assert_cmphex(dw_rd(t, R_STATUS) & ST_MASTER, ==, 0);
    dw_write_bytes(t, EEPROM, (uint8_t[]) { 5, 6 }, 2);
    stream_free(&s);
}

static void test_hostile_streams(DwI2c *t)
{
    static const struct {
        const char *what;
        int at;
        uint8_t size;
        uint32_t value;
    } lie[] = {
        { "control bits", AT_CON, 4, 0xffffffff },
        { "enable bits", AT_ENABLE, 4, 3 },
        { "interrupts while disabled", AT_RAW, 4, 0x200 },
        { "level bits latched", AT_RAW, 4, 0x4 },
        { "threshold", AT_RX_TL, 4, 0x100 },
        { "TX FIFO head", AT_TX_HEAD, 4, 1024 },
        { "TX FIFO head between words", AT_TX_HEAD, 4, 2 },
        { "TX FIFO level", AT_TX_NUM, 4, 1028 },
        { "TX FIFO level while disabled", AT_TX_NUM, 4, 4 },
        { "RX FIFO head", AT_RX_HEAD, 4, 256 },
        { "RX FIFO level", AT_RX_NUM, 4, 0x7fffffff },
        { "transfer while disabled", AT_OPEN, 1, 1 },
        { "packet too long", 0, 2, 513 },
        { "packet far too long", 0, 2, 0xffff },
        { "empty packet", 0, 2, 0 },
        { "queue head", AT_HEAD, 1, 16 },
        { "queue length", AT_COUNT, 1, 17 },
        { "queue length with garbage", AT_COUNT, 1, 2 },
        { "full queue and one more", AT_RECEIVING, 1, 1 },
        { "packets of nobody", AT_ARMED, 1, 0 },
        { "presented while disabled", AT_PRESENTED, 1, 1 },
        { "property hide-linux-races", AT_HIDES, 1, 1 },
    };
    Stream s;
    int i;

    stream_of(t, &s);
    for (i = 0; i < ARRAY_SIZE(lie); i++) {
        char *copy = g_memdup2(s.data, s.len);
        char *p = s.slot + lie[i].at;

        if (lie[i].size == 4) {
            stl_be_p(p, lie[i].value);
        } else if (lie[i].size == 2) {
            stw_be_p(p, lie[i].value);
        } else {
            *p = lie[i].value;
        }
        if (lie[i].at == AT_RECEIVING) {
            /* All slots hold a packet, so only the sum is wrong. */
            int n;

            for (n = 0; n < 16; n++) {
                stw_be_p(s.slot + n * SLOT_SIZE, 2);
            }
            s.slot[AT_COUNT] = 16;
        }
        g_test_message("%s", lie[i].what);
        g_assert_false(stream_loads(t, &s));
        dw_stop(t);
        memcpy(s.data, copy, s.len);
        g_free(copy);
    }

    /* A late date is no error, but nothing waits longer than a hold-off. */
    memset(s.slot + AT_NOT_BEFORE, 0x7f, 8);
    g_assert_true(stream_loads(t, &s));
    dw_listen(t);
    dw_take(t, 0x5a, 0xc3);
    stream_free(&s);
}

/* A presented packet with its position behind the end. */
static void test_hostile_position(DwI2c *t)
{
    Stream s;

    dw_listen(t);
    dw_rd(t, R_DATA_CMD);
    stream_of(t, &s);
    g_assert_cmpuint(lduw_be_p(s.slot + AT_POS), ==, 1);
    stw_be_p(s.slot + AT_POS, 3);
    g_assert_false(stream_loads(t, &s));
    stream_free(&s);
}

static void test_reset_drops_packets(DwI2c *t)
{
    dw_present(t, 0x11, 0x12);
    g_assert_true(dw_line(t));
    qtest_system_reset(t->qts);
    dw_map(t);
    g_assert_false(dw_line(t));
    /* Not armed after a reset. */
    dw_refuse(t, 0x21, 0x22);
}

/* Sections of I2C buses in a stream: each has its length before its name. */
static unsigned bus_sections(const char *path)
{
    static const char name[] = "\7i2c_bus";
    g_autofree char *data = NULL;
    unsigned n = 0;
    gsize len, i;

    g_assert_true(g_file_get_contents(path, &data, &len, NULL));
    for (i = 0; i + sizeof(name) - 1 <= len; i++) {
        n += !memcmp(data + i, name, sizeof(name) - 1);
    }
    return n;
}

/*
 * A guest gives the pin another route while it is asserted: the bus has counted
 * it for one line and takes it off another
 */
static void test_reset_after_another_route(void)
{
    static const unsigned rcba = 0xfed1c000, lpc_rcba = 0xf0, d27ir = 0x3148;
    QPCIDevice *lpc;
    DwI2c t = { 0 };

    t.qts = qtest_init("-M q35 -nodefaults -device dw-i2c-pci,addr=1b.0");
    qtest_irq_intercept_in(t.qts, "ioapic");
    t.pci = qpci_new_pc(t.qts, NULL);
    lpc = qpci_device_find(t.pci, QPCI_DEVFN(0x1f, 0));
    t.dev = qpci_device_find(t.pci, QPCI_DEVFN(0x1b, 0));
    for (int i = 0; i < 2; i++) {
        qpci_device_enable(t.dev);
        t.bar = qpci_iomap(t.dev, 0, NULL);
        dw_master_mode(&t, CON_LINUX_MASTER, ECHO);
        g_assert_true(dw_line(&t));
        g_assert_true(qtest_get_irq(t.qts, 16));

        qpci_config_writel(lpc, lpc_rcba, rcba | 1);
        qtest_writew(t.qts, rcba + d27ir, 0x0123);
        qtest_system_reset(t.qts);
        g_assert_false(dw_line(&t));
        g_assert_false(qtest_get_irq(t.qts, 16));
        g_assert_false(qtest_get_irq(t.qts, 19));
    }
    g_free(lpc);
    dw_stop(&t);
}

static void test_unplug(void)
{
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;
    unsigned buses;
    DwI2c t;

    dw_start_args(&t, "-M pc -nodefaults -device dw-i2c-pci,id=dw,addr=05.0");
    before = dw_save(&t);
    buses = bus_sections(before);
    g_unlink(before);
    dw_stop(&t);

    /* With packets, an armed timer and a held transfer on the bus. */
    dw_start_args(&t, "-M pc -nodefaults " DW_I2C_DEVICES("dw"));
    dw_target_mode(&t, OWN);
    dw_echo(&t, OWN, 0x11, 0x12);
    dw_echo(&t, OWN, 0x21, 0x22);
    dw_master_mode(&t, CON_LINUX_MASTER, EEPROM);
    dw_wr(&t, R_DATA_CMD, 0);
    dw_wr(&t, R_ENABLE, 0);
    dw_target_mode(&t, OWN);
    qpci_unplug_acpi_device_test(t.qts, "dw", 5);
    qtest_clock_step(t.qts, 10 * HOLDOFF_NS);
    g_assert_null(qpci_device_find(t.pci, QPCI_DEVFN(5, 0)));

    /* It comes again, empty. */
    qtest_qmp_device_add(t.qts, "dw-i2c-pci", "dw", "{'addr': '5.0'}");
    dw_map(&t);
    g_assert_cmphex(dw_rd(&t, R_SAR), ==, 0x55);
    dw_listen(&t);
    dw_assert_quiet(&t);
    dw_master_mode(&t, CON_LINUX_MASTER, EEPROM);
    dw_wr(&t, R_DATA_CMD, CMD_STOP);
    g_assert_cmphex(dw_rd(&t, R_TX_ABRT_SOURCE), ==, 1);

    /* In the middle of a transfer to nobody, then save without it. */
    qpci_unplug_acpi_device_test(t.qts, "dw", 5);
    after = dw_save(&t);
    g_assert_cmpuint(bus_sections(after), ==, buses - 1);
    g_unlink(after);
    dw_stop(&t);
}

static void test_bus_is_named_after_the_id(void)
{
    DwI2c t;

    dw_start_args(&t, "-M q35 -nodefaults "
                  "-device dw-i2c-pci,id=aspeed.i2c.bus,addr=05.0 "
                  "-device i2c-echo,bus=aspeed.i2c.bus.0,address=0x30");
    dw_write_bytes(&t, ECHO, (uint8_t[]) { ABSENT, 1, 2 }, 3);
    dw_stop(&t);
}

static void test_two_controllers(void)
{
    DwI2c t;

    dw_start_args(&t, MACHINE "-device dw-i2c-pci,id=other,addr=06.0 "
                  "-device i2c-echo,bus=other.0,address=0x31");
    dw_write_bytes(&t, ECHO, (uint8_t[]) { ABSENT, 1, 2 }, 3);
    dw_master_mode(&t, CON_LINUX_MASTER, ECHO + 1);
    dw_wr(&t, R_DATA_CMD, CMD_STOP);
    g_assert_cmphex(dw_rd(&t, R_TX_ABRT_SOURCE), ==, 1);
    dw_stop(&t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define DW(f, start) \
    dw_add_test("/dw-i2c-lifecycle/" #f, test_ ## f, start)
#define T(f) qtest_add_func("/dw-i2c-lifecycle/" #f, test_ ## f)
    DW(save_with_queued_packets, start_armed);
    DW(save_in_settle_time, start_armed);
    DW(save_in_mid_drain, start_armed);
    DW(save_in_master_transfer, start_held_read);
    DW(load_of_waiting_master, start_held_read);
    DW(hostile_streams, start_queued);
    DW(hostile_position, start_queued);
    DW(reset_drops_packets, start_armed);
    T(reset_after_another_route);
    T(unplug);
    T(bus_is_named_after_the_id);
    T(two_controllers);
    return g_test_run();
}
