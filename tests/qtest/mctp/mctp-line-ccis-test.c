/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Serial lines, USB and I2C beside mailboxes of the same component: answers
 * must not depend on the CCI, and what one has done another one sees.
 * Reference: CXL r3.2 7.6.3, 8.2.8.4; DMTF DSP0236, DSP0253.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "mctp-line.h"
#include "mctp-usb-line.h"

#define RC_STARTED      0x01
#define RC_INPUT        0x02
#define RC_BUSY         0x06
#define RC_LENGTH       0x16
#define RC_EXTENT_LIST  0x1e

/* Line 0 to a switch, 1 to its mailbox function, 2 to a memory device */
static const LineSetup a_switch = {
    .machine = MCTP_MACHINE
        "-device cxl-downstream,id=ds0,bus=us0,port=0,chassis=0,slot=4 "
        "-device cxl-switch-mailbox-cci,id=sw0,bus=pcie.0,addr=06.0,"
        "target=us0 "
        "-object memory-backend-ram,id=vmem,size=256M "
        "-object memory-backend-ram,id=dcmem,size=512M "
        "-device cxl-type3,id=mem0,bus=ds0,volatile-memdev=vmem,"
        "volatile-dc-memdev=dcmem,num-dc-regions=2,sn=0x99 ",
    .target = { "us0", "sw0", "mem0" },
    .devfn = QPCI_DEVFN(6, 0),
};

/* A switch with nothing at its port, whose binding takes less time */
static const LineSetup bindings = {
    .machine = MCTP_MACHINE
        "-device cxl-downstream,id=ds0,bus=us0,port=0,chassis=0,slot=4 "
        "-device cxl-switch-mailbox-cci,id=sw0,bus=pcie.0,addr=06.0,"
        "target=us0 ",
    .target = { "us0", "sw0" },
    .devfn = QPCI_DEVFN(6, 0),
};

/* Lines 0 and 1 to a memory device */
static const LineSetup device = {
    .machine = MCTP_MACHINE
        "-object memory-backend-ram,id=vmem,size=256M "
        "-object memory-backend-ram,id=dcmem,size=2G "
        "-device cxl-type3,id=mem0,bus=pcie.0,addr=07.0,volatile-memdev=vmem,"
        "volatile-dc-memdev=dcmem,num-dc-regions=2,sn=0x99 ",
    .target = { "mem0", "mem0" },
    .devfn = QPCI_DEVFN(7, 0),
    .bar = 2,
};

/* @differs: a mailbox has another answer, or none */
typedef struct Request {
    uint16_t opcode;
    uint16_t len;
    uint8_t in[40];
    bool differs;
} Request;

/* Everything that must not depend on the CCI: also errors do not */
static const Request switch_requests[] = {
    { 0x0001, 0 },
    { 0x0001, 1, { 0 } },
    { 0x0002, 0 },
    { 0x0300, 0 },
    { 0x0301, 8, { 0x15, 0xcd, 0x5b, 0x07, 0, 0, 0, 0 } },
    { 0x0301, 7, { 0 } },
    /* only a message based CCI has a message limit, its log tells so */
    { 0x0400, 0, .differs = true },
    { 0x0401, 24, { 0 }, .differs = true },
    { 0x0401, 25, { 0 } },
    { 0x5100, 0 },
    { 0x5100, 1, { 0 } },
    { 0x5101, 2, { 1, 0 } },
    { 0x5101, 3, { 0, 1, 0 } },
    { 0x5101, 2, { 1, 9 } },
    { 0x5102, 2, { 9, 0 } },
    { 0x5102, 2, { 0, 1 } },
    { 0x5103, 8, { 0, 0, 0xf0, 0 } },
    { 0x5103, 8, { 9, 0, 0xf0, 0 } },
    { 0x5104, 0 },
    { 0x5106, 1, { 0 } },
    { 0x5106, 1, { 1 } },
    { 0x5107, 1, { 0 } },
    { 0x5200, 4, { 0, 255, 1, 0 } },
    { 0x5200, 5, { 0, 255, 1, 0 } },
    { 0x5201, 6, { 0, 1, 0, 0, 0xff, 0xff } },
    { 0x5202, 3, { 0, 9, 2 } },
    { 0x5203, 40, { 0, 9, 0, 0, 0x10 } },
    { 0x0100, 1, { 0 } },
    { 0x0100, 1, { 9 } },
    { 0x0101, 8, { 0, 0, 1, 0, 0, 0, 1, 0 } },
    { 0x5300, 16, { 0, 0, 12, 0, 0, 0, 0, 1, 0, 0, 0, 0 } },
    { 0x5300, 4, { 0 } },
    { 0x5600, 0 },
    { 0x4000, 0 },
    { 0xff42, 3, { 1, 2, 3 } },
};

static const Request device_requests[] = {
    { 0x0001, 0 },
    { 0x0001, 2, { 0 } },
    { 0x0300, 0 },
    { 0x0400, 0, .differs = true },
    { 0x4000, 1, { 0 } },
    { 0x5100, 0 },
    { 0x5300, 4, { 0 }, .differs = true },
    { 0x5600, 0 },
    { 0x5600, 1, { 0 } },
    { 0x5601, 3, { 0, 2, 0 } },
    { 0x5601, 3, { 0, 9, 0 } },
    { 0x5601, 4, { 0, 0, 2, 0 } },
    { 0x5601, 4, { 0, 0, 1, 1 } },
    { 0x5601, 4, { 1, 0, 2, 0 } },
    { 0x5602, 16, { 9 } },
    { 0x5603, 12, { 0 } },
    { 0x5603, 12, { 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0 } },
    { 0x5603, 12, { 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0 } },
    { 0x5604, 28, { 0, 0, 15 } },
    { 0x5605, 27, { 0 } },
    { 0x5606, 16, { 1 } },
    { 0x5607, 16, { 1 } },
    { 0x5608, 8, { 0, 0, 0, 0, 10, 0, 0, 0 } },
    { 0xff42, 3, { 1, 2, 3 } },
};

/* Byte 16 of Identify is the size of the CCI's own messages */
static void mask_message_size(Answer *a)
{
    g_assert_cmpuint(a->payload->len, ==, 18);
    g_assert_cmpuint(a->payload->data[16], >=, 8);
    g_assert_cmpuint(a->payload->data[16], <=, 20);
    a->payload->data[16] = 0;
}

/*
 * Two lines, whose requests cross on their way, and a mailbox; @first are the
 * answers on the first kind of line
 */
static void compare_ccis(LineTest *t, const Request *requests, size_t n,
                         Answer *first)
{
    Line *one = line_of(t, 0), *other = line_of(t, 1);

    for (size_t i = 0; i < n; i++) {
        const Request *r = &requests[i];
        Answer a, b, c;

        line_request(one, PEER_EID, 1, i, r->opcode, r->in, r->len);
        b = line_command(other, r->opcode, r->in, r->len);
        a = line_next(one, i, r->opcode);
        c = mailbox_command(&t->mailbox, r->opcode, r->in, r->len);
        g_test_message("%04x: return code %02x, %u bytes", r->opcode,
                       a.ret_code, a.payload->len);
        assert_equal_answers(&a, &b);
        if (first[i].payload) {
            assert_equal_answers(&first[i], &b);
        } else {
            first[i] = b;
            b.payload = NULL;
        }
        if (r->opcode == 0x0001 && a.ret_code == 0) {
            mask_message_size(&a);
            mask_message_size(&c);
        }
        if (!r->differs) {
            assert_equal_answers(&a, &c);
        }
        answer_clear(&a);
        answer_clear(&b);
        answer_clear(&c);
    }
}

static void test_switch(LineTest *t, Line *l)
{
    static Answer first[ARRAY_SIZE(switch_requests)];

    compare_ccis(t, switch_requests, ARRAY_SIZE(switch_requests), first);
}

static void test_device(LineTest *t, Line *l)
{
    static Answer first[ARRAY_SIZE(device_requests)];

    compare_ccis(t, device_requests, ARRAY_SIZE(device_requests), first);
}

/* CCIs of one component say so */
static void test_uuid(LineTest *t, Line *l)
{
    g_autoptr(GByteArray) sw = line_uuid(l);
    g_autoptr(GByteArray) mailbox = line_uuid(line_of(t, 1));
    g_autoptr(GByteArray) mem = line_uuid(line_of(t, 2));

    /* a name-based UUID, and not all the same byte */
    g_assert_cmphex(sw->data[4 + 6] >> 4, ==, 5);
    g_assert_cmphex(sw->data[4 + 8] >> 6, ==, 2);
    g_assert_cmpmem(sw->data, sw->len, mailbox->data, mailbox->len);
    g_assert_true(memcmp(sw->data, mem->data, mem->len));
}

/* Identify as libcxlmi reads it */
static void test_identify_switch(LineTest *t, Line *l)
{
    g_autoptr(GByteArray) id = answer_bytes(line_command(l, 1, NULL, 0));

    g_assert_cmpuint(id->len, ==, 18);
    g_assert_cmphex(lduw_le_p(id->data), ==, 0x19e5);
    g_assert_cmphex(lduw_le_p(id->data + 2), ==, 0xa128);
    g_assert_cmphex(ldq_le_p(id->data + 8), ==, 0x1122334455667788);
    g_assert_cmpuint(id->data[17], ==, 0);
}

static void binding_is(GByteArray *info, uint8_t status)
{
    g_assert_cmpuint(info->len, ==, 12);
    g_assert_cmpuint(info->data[8], ==, status);
    g_byte_array_unref(info);
}

/* A CCI has its own background operation; the switch has one binding */
static void test_bindings_are_shared(LineTest *t, Line *l)
{
    static const uint8_t info[] = { 1, 1, 1, 0 };
    static const uint8_t unbind[] = { 0, 1, 2 };
    static const uint8_t bind[] = { 0, 1, 0, 0, 0xff, 0xff };
    g_autoptr(GByteArray) status = NULL;
    Answer a;

    answer_is(mailbox_command(&t->mailbox, 0x5202, unbind, 3), RC_STARTED);
    a = line_command(l, 0x5202, unbind, 3);
    g_assert_false(a.background);
    answer_is(a, RC_BUSY);
    qtest_clock_step(t->i2c.qts, 200 * 1000 * 1000);
    binding_is(answer_bytes(line_command(line_of(t, 1), 0x5200, info, 4)), 0);
    answer_is(line_command(l, 0x5202, unbind, 3), RC_INPUT);

    /* and back, by another CCI, which tells that it is at work */
    a = line_command(l, 0x5201, bind, sizeof(bind));
    g_assert_true(a.background);
    answer_is(a, RC_STARTED);
    qtest_clock_step(t->i2c.qts, 200 * 1000 * 1000);
    status = answer_bytes(line_command(l, 0x0002, NULL, 0));
    g_assert_cmphex(ldq_le_p(status->data), ==, 0x520100c8);
    binding_is(answer_bytes(mailbox_command(&t->mailbox, 0x5200, info, 4)),
               2);
}

/*
 * As many extents as fit 4096 bytes: 4072 of request and 4064 of list, in
 * packets of 64. The Fabric Manager adds over MCTP, the host accepts in the
 * mailbox, which takes 2048 bytes.
 */
#define EXTENTS 101
#define MAILBOX_EXTENTS 50
#define ADD_HEAD 0x20
#define EXTENT_SIZE 0x28
#define ACCEPT_HEAD 8
#define ACCEPT_SIZE 0x18
#define LIST_HEAD 0x18
#define POLICY_PRESCRIPTIVE 2

static uint64_t extent_start(unsigned i)
{
    /* behind 256 MiB of static memory, every other block of 2 MiB */
    return (256 + i * 4) * MiB;
}

/* A part of the answer; what is behind it comes with more */
static void accept_part(Mailbox *m, unsigned from, unsigned to)
{
    uint8_t in[ACCEPT_HEAD + MAILBOX_EXTENTS * ACCEPT_SIZE] = {
        [4] = to < EXTENTS,
    };

    stl_le_p(in, to - from);
    for (unsigned i = from; i < to; i++) {
        uint8_t *r = in + ACCEPT_HEAD + (i - from) * ACCEPT_SIZE;

        stq_le_p(r, extent_start(i));
        stq_le_p(r + 8, 2 * MiB);
    }
    answer_is(mailbox_command(m, 0x4802, in,
                              ACCEPT_HEAD + (to - from) * ACCEPT_SIZE), 0);
}

static void same_by_both(LineTest *t, uint16_t opcode, const void *in,
                         size_t len, uint16_t rc, size_t out_len)
{
    Answer a = line_command(line_of(t, 0), opcode, in, len);
    Answer b = mailbox_command(&t->mailbox, opcode, in, len);

    g_assert_cmphex(a.ret_code, ==, rc);
    g_assert_cmpuint(a.payload->len, ==, out_len);
    assert_equal_answers(&a, &b);
    answer_clear(&a);
    answer_clear(&b);
}

static void add_extents(LineTest *t, Line *l)
{
    uint8_t add[ADD_HEAD + EXTENTS * EXTENT_SIZE] = {
        [2] = POLICY_PRESCRIPTIVE,
    };

    stl_le_p(add + 0x1c, EXTENTS);
    for (unsigned i = 0; i < EXTENTS; i++) {
        stq_le_p(add + ADD_HEAD + i * EXTENT_SIZE, extent_start(i));
        stq_le_p(add + ADD_HEAD + i * EXTENT_SIZE + 8, 2 * MiB);
    }
    assert_answer(line_command(l, 0x5604, add, sizeof(add)), 0, NULL, 0);

    /* it is there now: both CCIs refuse the same */
    stl_le_p(add + 0x1c, MAILBOX_EXTENTS);
    same_by_both(t, 0x5604, add, ADD_HEAD + MAILBOX_EXTENTS * EXTENT_SIZE,
                 RC_EXTENT_LIST, 0);
    for (unsigned i = 0; i < EXTENTS; i += MAILBOX_EXTENTS) {
        accept_part(&t->mailbox, i, MIN(i + MAILBOX_EXTENTS, EXTENTS));
    }
}

/* One byte more than the endpoint has told that it takes */
static void expect_limit(Line *l)
{
    g_autoptr(GByteArray) id = answer_bytes(line_command(l, 1, NULL, 0));
    const size_t limit = 1u << id->data[16];
    g_autofree uint8_t *in = g_malloc0(limit + 1);

    g_assert_cmpuint(id->len, ==, 18);
    answer_is(line_command(l, 0x5604, in, limit + 1), RC_LENGTH);
}

static void test_long_messages(LineTest *t, Line *l)
{
    const uint8_t list[12] = { [4] = EXTENTS };
    const uint8_t part[12] = { [4] = MAILBOX_EXTENTS };
    const uint8_t limit = 8;
    g_autoptr(GByteArray) all = NULL, some = NULL;

    expect_limit(l);
    add_extents(t, l);

    /* what was done through one CCI is seen through the other */
    all = answer_bytes(line_command(l, 0x5603, list, sizeof(list)));
    g_assert_cmpuint(all->len, ==, LIST_HEAD + EXTENTS * EXTENT_SIZE);
    for (unsigned i = 0; i < EXTENTS; i++) {
        g_assert_cmphex(ldq_le_p(all->data + LIST_HEAD + i * EXTENT_SIZE), ==,
                        extent_start(i));
    }
    same_by_both(t, 0x5603, part, sizeof(part), 0,
                 LIST_HEAD + MAILBOX_EXTENTS * EXTENT_SIZE);

    /* with the response limited to 256 bytes as many as fit */
    answer_is(line_command(l, 0x0004, &limit, 1), 0);
    some = answer_bytes(line_command(l, 0x5603, list, sizeof(list)));
    g_assert_cmpuint(some->len, ==, LIST_HEAD + 5 * EXTENT_SIZE);
    g_assert_cmpuint(ldl_le_p(some->data + 0x08), ==, 5);
    g_assert_cmpuint(ldl_le_p(some->data + 0x0c), ==, EXTENTS);
}

int main(int argc, char **argv)
{
    static const LineKind *const kinds[] = {
        &line_serial, &line_usb, &line_i2c,
    };

    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
#define T(setup, f) line_add_test(kinds[i], "ccis/" #f, &setup, test_ ## f)
        T(a_switch, switch);
        T(a_switch, uuid);
        T(a_switch, identify_switch);
        T(bindings, bindings_are_shared);
        T(device, device);
        T(device, long_messages);
#undef T
    }
    return line_test_main();
}
