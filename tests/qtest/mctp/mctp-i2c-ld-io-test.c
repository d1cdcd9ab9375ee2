/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL.io requests through a switch to the function of a logical device:
 * configuration space and memory. Reference: CXL r3.2 7.6.7.3.2, 7.6.7.3.3.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/pci/pci_regs.h"
#include "mctp-net.h"

#define OP_CONFIG 0x5301
#define OP_MEMORY 0x5302
#define HEAD 0x10
#define HEAD_SHORT 0x0f

/* Where the test maps the function; nobody else needs to see it there */
#define BAR_COMPONENT 0xd0000000u
#define BAR_REGISTERS 0xd0100000u
#define REGISTERS_SIZE 0x4000

/* Registers behind BAR 2 */
#define MBOX_CONTROL (BAR_REGISTERS + 0x8c)
#define MBOX_COMMAND (BAR_REGISTERS + 0x90)
#define MBOX_STATUS (BAR_REGISTERS + 0x98)
#define MBOX_PAYLOAD (BAR_REGISTERS + 0xa8)

static const NetCCI ccis[] = { NET_CCI_SWITCH_PCI, NET_CCI_SWITCH_MCTP };

/* -- configuration -------------------------------------------------------- */

static Answer config(LineTest *n, NetCCI cci, uint8_t port, uint16_t ld,
                     unsigned reg, unsigned enables, bool write,
                     uint32_t data)
{
    uint8_t in[12] = { port, reg, reg >> 8 | enables << 4, write << 7 };

    stw_le_p(in + 4, ld);
    stl_le_p(in + 8, data);
    return net_ask(n, cci, OP_CONFIG, in, sizeof(in));
}

static void config_write(LineTest *n, unsigned reg, unsigned enables,
                         uint32_t data)
{
    static unsigned turn;
    const uint8_t nothing[4] = { 0 };

    assert_answer(config(n, ccis[turn++ % ARRAY_SIZE(ccis)], PORT_DEVICE, 0,
                         reg, enables, true, data), 0, nothing,
                  sizeof(nothing));
}

static uint32_t config_read(LineTest *n, unsigned reg, unsigned enables)
{
    uint32_t value[ARRAY_SIZE(ccis)];

    for (size_t i = 0; i < ARRAY_SIZE(ccis); i++) {
        g_autoptr(GByteArray) bytes = answer_bytes(
            config(n, ccis[i], PORT_DEVICE, 0, reg, enables, false,
                   0xffffffff));

        g_assert_cmpuint(bytes->len, ==, 4);
        value[i] = ldl_le_p(bytes->data);
    }
    g_assert_cmphex(value[0], ==, value[1]);
    return value[0];
}

/* Ports and LDs that there are not */
static const struct {
    uint8_t port;
    uint16_t ld;
} nobody[] = {
    { PORT_EMPTY, 0 }, { PORT_OTHER, 0 }, { PORT_NONE, 0 }, { 0xff, 0 },
    { PORT_DEVICE, 1 }, { PORT_DEVICE, 0xffff }, { PORT_DEVICE, 0x100 },
};

static void test_config_refused(LineTest *n, Line *l)
{
    const uint8_t in[13] = { PORT_DEVICE, 0, 0xf0 };

    for (size_t d = 0; d < ARRAY_SIZE(ccis); d++) {
        for (size_t i = 0; i < ARRAY_SIZE(nobody); i++) {
            answer_is(config(n, ccis[d], nobody[i].port, nobody[i].ld, 0, 15,
                             false, 0), RC_INVALID);
        }
        answer_is(net_ask(n, ccis[d], OP_CONFIG, in, 11), RC_LENGTH);
        answer_is(net_ask(n, ccis[d], OP_CONFIG, in, 13), RC_LENGTH);
    }
    /* a switch's command: the device itself has no ports */
    answer_is(net_ask(n, NET_CCI_DEVICE_MCTP, OP_CONFIG, in, 12),
              RC_UNSUPPORTED);
    answer_is(net_ask(n, NET_CCI_DEVICE_MCTP, OP_MEMORY, in, HEAD_SHORT - 3),
              RC_UNSUPPORTED);
}

static void test_config_read(LineTest *n, Line *l)
{
    g_assert_cmphex(config_read(n, 0, 15), ==, 0x0d938086);
    /* only what is enabled; the low bits of the register do not count */
    for (unsigned enables = 0; enables < 16; enables++) {
        uint32_t mask = 0;

        for (unsigned i = 0; i < 4; i++) {
            mask |= (enables >> i & 1) * 0xffu << 8 * i;
        }
        g_assert_cmphex(config_read(n, enables & 3, enables), ==,
                        0x0d938086 & mask);
    }
    /* the serial number, in extended space, and the very end */
    g_assert_cmphex(config_read(n, 0x100, 3), ==, 0x0003);
    g_assert_cmphex(config_read(n, 0x104, 15), ==, 0x99);
    g_assert_cmphex(config_read(n, 0xffc, 15), ==, 0);
}

static void test_config_write(LineTest *n, Line *l)
{
    uint32_t class_and_revision;

    /* what is read-only stays */
    config_write(n, PCI_VENDOR_ID, 15, 0xffffffff);
    g_assert_cmphex(config_read(n, 0, 15), ==, 0x0d938086);
    class_and_revision = config_read(n, PCI_CLASS_REVISION, 15);
    config_write(n, PCI_CLASS_REVISION, 15, ~class_and_revision);
    g_assert_cmphex(config_read(n, PCI_CLASS_REVISION, 15), ==,
                    class_and_revision);

    /* a BAR tells its size */
    config_write(n, PCI_BASE_ADDRESS_2, 15, 0xffffffff);
    g_assert_cmphex(config_read(n, PCI_BASE_ADDRESS_2, 15) & ~0xfu, ==,
                    ~(REGISTERS_SIZE - 1u));

    /* and is written by halves and bytes */
    config_write(n, PCI_BASE_ADDRESS_2, 15, 0);
    config_write(n, PCI_BASE_ADDRESS_2, 0, 0xffffffff);
    g_assert_cmphex(config_read(n, PCI_BASE_ADDRESS_2, 14), ==, 0);
    config_write(n, PCI_BASE_ADDRESS_2, 4, 0x12345678);
    g_assert_cmphex(config_read(n, PCI_BASE_ADDRESS_2, 14), ==, 0x00340000);
    config_write(n, PCI_BASE_ADDRESS_2, 8, 0xd0ffffff);
    g_assert_cmphex(config_read(n, PCI_BASE_ADDRESS_2, 14), ==, 0xd0340000);
    config_write(n, PCI_BASE_ADDRESS_2, 12, 0x56780000);
    g_assert_cmphex(config_read(n, PCI_BASE_ADDRESS_2, 14), ==, 0x56780000);
    config_write(n, PCI_BASE_ADDRESS_2, 6, 0x0012c000);
    g_assert_cmphex(config_read(n, PCI_BASE_ADDRESS_2, 14), ==, 0x5612c000);
}

/* -- memory --------------------------------------------------------------- */

typedef struct Mem {
    uint8_t port;
    uint16_t ld;
    uint64_t addr;
    uint16_t len;
    uint8_t first;
    uint8_t last;
    bool write;
} Mem;

/* @head is HEAD, or HEAD_SHORT, which lacks the third of three bytes */
static Answer memory(LineTest *n, NetCCI cci, const Mem *m, size_t head,
                     const void *data, size_t size)
{
    g_autofree uint8_t *in = g_malloc0(head + size);
    uint8_t *rest = in + head - HEAD + 4;

    in[0] = m->port;
    in[2] = m->first << 4;
    if (head == HEAD) {
        in[3] = m->last | m->write << 7;
    }
    stw_le_p(rest, m->ld);
    stw_le_p(rest + 2, m->len);
    stq_le_p(rest + 4, m->addr);
    if (size) {
        memcpy(in + head, data, size);
    }
    return net_ask(n, cci, OP_MEMORY, in, head + size);
}

static void assert_read(Answer a, const void *data, size_t len)
{
    g_assert_cmphex(a.ret_code, ==, 0);
    g_assert_cmpuint(a.payload->len, ==, 4 + len);
    g_assert_cmphex(ldl_le_p(a.payload->data), ==, len);
    g_assert_cmpmem(a.payload->data + 4, len, data, len);
    answer_clear(&a);
}

static void assert_written(Answer a, size_t len)
{
    uint8_t done[4] = { len, len >> 8 };

    assert_answer(a, 0, done, sizeof(done));
}

static Mem range(uint64_t addr, uint16_t len)
{
    return (Mem) {
        .port = PORT_DEVICE, .addr = addr, .len = len, .first = 15, .last = 15,
    };
}

static void read_is(LineTest *n, Mem m, const void *data)
{
    for (size_t i = 0; i < ARRAY_SIZE(ccis); i++) {
        assert_read(memory(n, ccis[i], &m, HEAD, NULL, 0), data, m.len);
    }
}

static void write_to(LineTest *n, Mem m, const void *data)
{
    static unsigned turn;

    m.write = true;
    assert_written(memory(n, ccis[turn++ % ARRAY_SIZE(ccis)], &m, HEAD, data,
                          m.len), m.len);
}

static void refused(LineTest *n, Mem m, size_t size, uint16_t rc)
{
    const uint8_t data[64] = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(ccis); i++) {
        answer_is(memory(n, ccis[i], &m, HEAD, data, size), rc);
    }
}

static void map_function(LineTest *n)
{
    config_write(n, PCI_BASE_ADDRESS_0, 15, BAR_COMPONENT);
    config_write(n, PCI_BASE_ADDRESS_2, 15, BAR_REGISTERS);
    config_write(n, PCI_COMMAND, 1, PCI_COMMAND_MEMORY);
}

static Mem writing(Mem m)
{
    m.write = true;
    return m;
}

static void test_memory_refused(LineTest *n, Line *l)
{
    const Mem good = range(BAR_REGISTERS, 8);
    const uint8_t in[HEAD] = { PORT_DEVICE };
    Mem m;

    /* no memory space yet */
    refused(n, good, 0, RC_INTERNAL);
    refused(n, writing(good), 8, RC_INTERNAL);
    map_function(n);

    for (size_t i = 0; i < ARRAY_SIZE(ccis); i++) {
        answer_is(net_ask(n, ccis[i], OP_MEMORY, in, HEAD_SHORT - 1),
                  RC_LENGTH);
    }
    for (size_t i = 0; i < ARRAY_SIZE(nobody); i++) {
        m = good;
        m.port = nobody[i].port;
        m.ld = nobody[i].ld;
        refused(n, m, 0, RC_INVALID);
        refused(n, writing(m), 8, RC_INVALID);
    }
    refused(n, range(BAR_REGISTERS, 0), 0, RC_INVALID);
    refused(n, range(BAR_REGISTERS, 4097), 0, RC_INVALID);
    refused(n, range(BAR_REGISTERS, 0xffff), 0, RC_INVALID);
    /* an answer that would not fit, but in a mailbox */
    m = range(BAR_REGISTERS, 4096);
    for (size_t i = 0; i < ARRAY_SIZE(ccis); i++) {
        answer_is(memory(n, ccis[i], &m, HEAD, NULL, 0),
                  ccis[i] == NET_CCI_SWITCH_PCI ? 0 : RC_INVALID);
    }
    refused(n, range(UINT64_MAX, 1), 0, RC_INVALID);
    refused(n, range(UINT64_MAX - 6, 8), 0, RC_INVALID);
    /* data that is not there, and data that nobody asked for */
    refused(n, writing(good), 7, RC_INVALID);
    refused(n, writing(good), 0, RC_INVALID);
    refused(n, writing(good), 10, RC_LENGTH);
    refused(n, good, 4, RC_LENGTH);

    /* what no BAR has, all of it or a part */
    refused(n, range(0, 8), 0, RC_INTERNAL);
    refused(n, range(BAR_REGISTERS - 4, 8), 0, RC_INTERNAL);
    refused(n, range(BAR_REGISTERS + REGISTERS_SIZE, 4), 0, RC_INTERNAL);
    refused(n, range(BAR_REGISTERS + REGISTERS_SIZE - 4, 8), 0, RC_INTERNAL);
    refused(n, writing(range(BAR_REGISTERS + REGISTERS_SIZE - 4, 8)), 8,
            RC_INTERNAL);
}

static void test_memory_read(LineTest *n, Line *l)
{
    /* capability array: three headers, version 1 */
    const uint8_t head[16] = { [2] = 1, [4] = 3 };
    Mem m;
    Answer a;

    map_function(n);
    read_is(n, range(BAR_REGISTERS, 8), head);
    read_is(n, range(BAR_REGISTERS, 1), head);
    read_is(n, range(BAR_REGISTERS + 1, 15), head + 1);
    read_is(n, range(BAR_REGISTERS + 2, 3), head + 2);

    /* a single dword has no last one */
    m = range(BAR_REGISTERS, 4);
    m.last = 0;
    read_is(n, m, head);
    m.first = 8;
    read_is(n, m, (uint8_t[4]) { 0 });
    m = range(BAR_REGISTERS, 8);
    m.last = 0;
    read_is(n, m, (uint8_t[8]) { [2] = 1 });
    m.first = 3;
    m.last = 1;
    read_is(n, m, (uint8_t[8]) { [4] = 3 });

    /* as much as an answer holds; registers are blocks side by side */
    m = range(BAR_REGISTERS, 2044);
    a = memory(n, NET_CCI_SWITCH_PCI, &m, HEAD, NULL, 0);
    g_assert_cmphex(a.ret_code, ==, 0);
    g_assert_cmpuint(a.payload->len, ==, 2048);
    g_assert_cmpmem(a.payload->data + 4, 16, head, 8 + 8);
    answer_clear(&a);
}

static void test_memory_write(LineTest *n, Line *l)
{
    uint8_t data[24], want[24];
    Mem m;

    for (unsigned i = 0; i < sizeof(data); i++) {
        data[i] = 0x40 + i;
    }
    map_function(n);
    write_to(n, range(MBOX_PAYLOAD, 24), data);
    read_is(n, range(MBOX_PAYLOAD, 24), data);

    /* off every alignment, and only in part */
    memcpy(want, data, sizeof(want));
    m = range(MBOX_PAYLOAD + 3, 11);
    m.first = 8;
    m.last = 1;
    memset(data, 0xee, sizeof(data));
    write_to(n, m, data);
    /* dwords 0 to 3; of 0 byte 3, all of 1 and 2, of 3 byte 0 */
    memset(want + 3, 0xee, 10);
    read_is(n, range(MBOX_PAYLOAD, 24), want);

    /* nothing enabled, nothing done */
    m = range(MBOX_PAYLOAD, 4);
    m.first = 0;
    write_to(n, m, data + 8);
    read_is(n, range(MBOX_PAYLOAD, 24), want);
}

/* A command through the host's mailbox: the answer is the LD's own */
static void test_mailbox_by_hand(LineTest *n, Line *l)
{
    uint8_t command[8] = { 0x00, 0x40 };
    const uint8_t doorbell[4] = { 1 };
    g_autoptr(GByteArray) id = NULL;

    map_function(n);
    write_to(n, range(MBOX_COMMAND, 8), command);
    write_to(n, range(MBOX_CONTROL, 4), doorbell);
    read_is(n, range(MBOX_CONTROL, 4), (uint8_t[4]) { 0 });
    read_is(n, range(MBOX_STATUS, 8), (uint8_t[8]) { 0 });
    id = answer_bytes(net_through(n, to_ld[1], 0x4000, NULL, 0));
    g_assert_cmpuint(id->len, ==, 0x45);
    read_is(n, range(MBOX_PAYLOAD, 0x45), id->data);
}

static void test_short_header(LineTest *n, Line *l)
{
    const uint8_t head[8] = { [2] = 1, [4] = 3 };
    const uint8_t data[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

    map_function(n);
    for (size_t i = 0; i < ARRAY_SIZE(ccis); i++) {
        Mem m = range(BAR_REGISTERS, 8);

        assert_read(memory(n, ccis[i], &m, HEAD_SHORT, NULL, 0), head, 8);
        m = range(MBOX_PAYLOAD + 8 * i, 8);
        assert_written(memory(n, ccis[i], &m, HEAD_SHORT, data, 8), 8);
        read_is(n, m, data);
        /* with one byte it is as long as a full header, and taken for that */
        m.len = 1;
        answer_is(memory(n, ccis[i], &m, HEAD_SHORT, data + 4, 1), RC_INVALID);
        read_is(n, m, data);

        m.ld = 1;
        answer_is(memory(n, ccis[i], &m, HEAD_SHORT, NULL, 0), RC_INVALID);
        m = range(MBOX_PAYLOAD, 0);
        answer_is(memory(n, ccis[i], &m, HEAD_SHORT, NULL, 0), RC_INVALID);
    }
}

/* -- a port that no host uses --------------------------------------------- */

#define UNBIND_NS 20000000000LL
#define SURPRISE 2
#define PERST_ASSERT 0
#define PERST_DEASSERT 1

/* Virtual switch 0; vPPB 1 is the first downstream port */
static void unbind(LineTest *n)
{
    const uint8_t in[] = { 0, 1, SURPRISE };
    g_autoptr(GByteArray) status = NULL;

    answer_is(net_ask(n, NET_CCI_SWITCH_PCI, 0x5202, in, sizeof(in)),
              RC_BG_STARTED);
    qtest_clock_step(n->i2c.qts, UNBIND_NS);
    status = answer_bytes(net_ask(n, NET_CCI_SWITCH_PCI, 0x0002, NULL, 0));
    g_assert_cmphex(status->data[0], ==, 100 << 1);
    g_assert_cmphex(lduw_le_p(status->data + 4), ==, 0);
}

/* The manager looks after a device before a host gets it */
static void test_unbound(LineTest *n, Line *l)
{
    const uint8_t head[8] = { [2] = 1, [4] = 3 };
    Answer a, b;

    a = net_through(n, to_ld[1], 0x4000, NULL, 0);
    unbind(n);
    b = net_through(n, to_ld[1], 0x4000, NULL, 0);
    g_assert_cmphex(b.ret_code, ==, 0);
    assert_same_answers(&a, &b);
    answer_clear(&a);
    answer_clear(&b);

    g_assert_cmphex(config_read(n, 0, 15), ==, 0x0d938086);
    refused(n, range(BAR_REGISTERS, 8), 0, RC_INTERNAL);
    map_function(n);
    read_is(n, range(BAR_REGISTERS, 8), head);
}

static void control(LineTest *n, uint8_t op)
{
    const uint8_t in[] = { PORT_DEVICE, op };

    assert_answer(net_ask(n, NET_CCI_SWITCH_MCTP, 0x5102, in, sizeof(in)), 0,
                  NULL, 0);
}

/* A device that is held in reset does not answer */
static void test_held_in_reset(LineTest *n, Line *l)
{
    const uint8_t identify[16] = { PORT_DEVICE, 0, 12, [7] = 1 };

    control(n, PERST_ASSERT);
    for (size_t i = 0; i < ARRAY_SIZE(ccis); i++) {
        answer_is(net_ask(n, ccis[i], 0x5300, identify, sizeof(identify)),
                  RC_INVALID);
        answer_is(config(n, ccis[i], PORT_DEVICE, 0, 0, 15, false, 0),
                  RC_INVALID);
    }
    refused(n, range(BAR_REGISTERS, 8), 0, RC_INVALID);
    control(n, PERST_DEASSERT);
    g_assert_cmphex(config_read(n, 0, 15), ==, 0x0d938086);
    for (size_t i = 0; i < ARRAY_SIZE(to_device); i++) {
        answer_is(net_through(n, to_device[i], 0x0001, NULL, 0), 0);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) line_add_test(&line_i2c, "ld-io/" #f, &net_setup, test_ ## f)
    T(config_refused);
    T(config_read);
    T(config_write);
    T(memory_refused);
    T(memory_read);
    T(memory_write);
    T(mailbox_by_hand);
    T(short_header);
    T(unbound);
    T(held_in_reset);
    return line_test_main();
}
