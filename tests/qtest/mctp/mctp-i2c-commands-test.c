/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL commands over MCTP and I2C, and the same through a PCI mailbox: the
 * answers must be equal byte for byte. Reference: CXL r3.2 7.6.3, 8.2.8.4.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "mctp-guest.h"

#define EP_SWITCH 0x20
#define EP_MAILBOX 0x21
#define EP_DEVICE 0x22
#define EID_SWITCH 9
#define EID_MAILBOX 10
#define EID_DEVICE 11

#define SWITCH_ARGS MCTP_MACHINE \
    "-device cxl-downstream,id=ds0,bus=us0,port=0,chassis=0,slot=4 " \
    "-device cxl-switch-mailbox-cci,id=sw0,bus=pcie.0,addr=06.0,target=us0 " \
    "-device i2c_mctp_cxl,bus=dw.0,address=0x20,target=us0 " \
    "-device i2c_mctp_cxl,bus=dw.0,address=0x21,target=sw0 "

#define DEVICE_ARGS SWITCH_ARGS \
    "-object memory-backend-ram,id=vmem,size=256M " \
    "-object memory-backend-ram,id=dcmem,size=2G " \
    "-device cxl-type3,id=mem0,bus=pcie.0,addr=07.0,volatile-memdev=vmem," \
    "volatile-dc-memdev=dcmem,num-dc-regions=2,sn=0x99 " \
    "-device i2c_mctp_cxl,bus=dw.0,address=0x22,target=mem0 "

#define RC_LENGTH 0x16

/* Byte 16 of Identify is the size of the CCI's own messages */
static void mask_message_size(Answer *a)
{
    g_assert_cmpuint(a->payload->len, ==, 18);
    g_assert_cmpuint(a->payload->data[16], >=, 8);
    g_assert_cmpuint(a->payload->data[16], <=, 20);
    a->payload->data[16] = 0;
}

static void start(DwI2c *t, const char *args)
{
    dw_start_args(t, args);
    mctp_listen(t);
    mctp_assign(t, EP_SWITCH, EID_SWITCH);
    mctp_assign(t, EP_MAILBOX, EID_MAILBOX);
}

typedef struct Request {
    uint16_t opcode;
    uint16_t len;
    uint8_t in[40];
} Request;

#define RC_STARTED 0x01
#define RC_INPUT 0x02
#define RC_BUSY 0x06

static const uint8_t unbind_surprise[] = { 0, 1, 2 };

/* A CCI has its own background operation; the switch has one binding */
static void test_doors_share_bindings(void)
{
    static const uint8_t info[] = { 1, 1, 1, 0 };
    Mailbox m;
    Answer a;
    DwI2c t;

    start(&t, SWITCH_ARGS);
    m = mailbox_open(&t, QPCI_DEVFN(6, 0), 0);
    answer_is(mailbox_command(&m, 0x5202, unbind_surprise, 3), RC_STARTED);
    a = mctp_command(&t, EP_SWITCH, EID_SWITCH, 0x5202, unbind_surprise, 3);
    g_assert_cmphex(a.ret_code, ==, RC_BUSY);
    g_assert_false(a.background);
    answer_clear(&a);
    qtest_clock_step(t.qts, 200 * 1000 * 1000);
    a = mctp_command(&t, EP_MAILBOX, EID_MAILBOX, 0x5200, info, 4);
    g_assert_cmphex(a.ret_code, ==, 0);
    g_assert_cmpuint(a.payload->len, ==, 12);
    g_assert_cmpuint(a.payload->data[8], ==, 0);
    answer_clear(&a);
    answer_is(mctp_command(&t, EP_SWITCH, EID_SWITCH, 0x5202, unbind_surprise,
                           3), RC_INPUT);

    /* and back, by another CCI, which tells that it is at work */
    a = mctp_command(&t, EP_SWITCH, EID_SWITCH, 0x5201,
                     (const uint8_t[]) { 0, 1, 0, 0, 0xff, 0xff }, 6);
    g_assert_cmphex(a.ret_code, ==, RC_STARTED);
    g_assert_true(a.background);
    answer_clear(&a);
    qtest_clock_step(t.qts, 200 * 1000 * 1000);
    a = mctp_command(&t, EP_SWITCH, EID_SWITCH, 0x0002, NULL, 0);
    g_assert_cmphex(ldq_le_p(a.payload->data), ==, 0x520100c8);
    answer_clear(&a);
    a = mailbox_command(&m, 0x5200, info, 4);
    g_assert_cmpuint(a.payload->data[8], ==, 2);
    answer_clear(&a);
    mailbox_close(&m);
    dw_stop(&t);
}

/* Identify as libcxlmi reads it */
static void test_identify_switch(void)
{
    Answer a;
    DwI2c t;

    start(&t, SWITCH_ARGS);
    a = mctp_command(&t, EP_SWITCH, EID_SWITCH, 0x0001, NULL, 0);
    g_assert_cmphex(a.ret_code, ==, 0);
    g_assert_cmpuint(a.payload->len, ==, 18);
    g_assert_cmphex(lduw_le_p(a.payload->data), ==, 0x19e5);
    g_assert_cmphex(lduw_le_p(a.payload->data + 2), ==, 0xa128);
    g_assert_cmphex(ldq_le_p(a.payload->data + 8), ==, 0x1122334455667788);
    g_assert_cmpuint(a.payload->data[17], ==, 0);
    answer_clear(&a);
    dw_stop(&t);
}

/* What both CCIs of a memory device have, errors among it */
static const Request device_requests[] = {
    { 0x0001, 0 },
    { 0x0001, 2, { 0 } },
    { 0x0300, 0 },
    { 0x4000, 1, { 0 } },
    { 0x5600, 0 },
    { 0x5600, 1, { 0 } },
    { 0x5601, 4, { 0, 0, 2, 0 } },
    { 0x5601, 4, { 0, 0, 1, 1 } },
    { 0x5601, 4, { 1, 0, 2, 0 } },
    { 0x5602, 16, { 9 } },
    { 0x5603, 12, { 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0 } },
    { 0x5603, 12, { 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0 } },
    { 0x5604, 28, { 0, 0, 15 } },
    { 0x5605, 27, { 0 } },
    { 0x5606, 16, { 1 } },
    { 0x5607, 16, { 1 } },
    { 0x5608, 8, { 0, 0, 0, 0, 10, 0, 0, 0 } },
    { 0xff42, 3, { 1, 2, 3 } },
};

/* A memory device with an EID and a mailbox; false: QEMU has none */
static bool start_device(DwI2c *t, Mailbox *m)
{
    if (!qtest_has_device("cxl-type3")) {
        g_test_skip("no cxl-type3");
        return false;
    }
    start(t, DEVICE_ARGS);
    mctp_assign(t, EP_DEVICE, EID_DEVICE);
    *m = mailbox_open(t, QPCI_DEVFN(7, 0), 2);
    return true;
}

static void test_device_as_its_mailbox(void)
{
    Mailbox m;
    DwI2c t;

    if (!start_device(&t, &m)) {
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(device_requests); i++) {
        const Request *r = &device_requests[i];
        Answer a = mctp_command(&t, EP_DEVICE, EID_DEVICE, r->opcode, r->in,
                                r->len);
        Answer b = mailbox_command(&m, r->opcode, r->in, r->len);

        g_test_message("%04x: return code %02x, %u bytes", r->opcode,
                       a.ret_code, a.payload->len);
        if (r->opcode == 0x0001 && a.ret_code == 0) {
            mask_message_size(&a);
            mask_message_size(&b);
        }
        assert_equal_answers(&a, &b);
        answer_clear(&a);
        answer_clear(&b);
    }
    mailbox_close(&m);
    dw_stop(&t);
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
#define RC_EXTENT_LIST 0x1e

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

static void add_extents(DwI2c *t, Mailbox *m)
{
    const size_t part = ADD_HEAD + MAILBOX_EXTENTS * EXTENT_SIZE;
    uint8_t add[ADD_HEAD + EXTENTS * EXTENT_SIZE] = {
        [2] = POLICY_PRESCRIPTIVE,
    };
    Answer a, b;

    stl_le_p(add + 0x1c, EXTENTS);
    for (unsigned i = 0; i < EXTENTS; i++) {
        stq_le_p(add + ADD_HEAD + i * EXTENT_SIZE, extent_start(i));
        stq_le_p(add + ADD_HEAD + i * EXTENT_SIZE + 8, 2 * MiB);
    }
    a = mctp_command(t, EP_DEVICE, EID_DEVICE, 0x5604, add, sizeof(add));
    g_assert_cmphex(a.ret_code, ==, 0);
    g_assert_cmpuint(a.payload->len, ==, 0);
    answer_clear(&a);

    /* it is there now: both CCIs refuse the same */
    stl_le_p(add + 0x1c, MAILBOX_EXTENTS);
    a = mctp_command(t, EP_DEVICE, EID_DEVICE, 0x5604, add, part);
    b = mailbox_command(m, 0x5604, add, part);
    g_assert_cmphex(a.ret_code, ==, RC_EXTENT_LIST);
    assert_equal_answers(&a, &b);
    answer_clear(&a);
    answer_clear(&b);
    for (unsigned i = 0; i < EXTENTS; i += MAILBOX_EXTENTS) {
        accept_part(m, i, MIN(i + MAILBOX_EXTENTS, EXTENTS));
    }
}

/* One byte more than the endpoint has told that it takes */
static void expect_limit(DwI2c *t)
{
    Answer a = mctp_command(t, EP_DEVICE, EID_DEVICE, 0x0001, NULL, 0);
    g_autofree uint8_t *in = NULL;
    size_t limit;

    g_assert_cmphex(a.ret_code, ==, 0);
    g_assert_cmpuint(a.payload->len, ==, 18);
    limit = 1u << a.payload->data[16];
    answer_clear(&a);
    in = g_malloc0(limit + 1);
    answer_is(mctp_command(t, EP_DEVICE, EID_DEVICE, 0x5604, in, limit + 1),
              RC_LENGTH);
}

static void test_long_messages(void)
{
    const uint8_t list[12] = { [4] = EXTENTS };
    const uint8_t part[12] = { [4] = MAILBOX_EXTENTS };
    const uint8_t limit = 8;
    Mailbox m;
    Answer a, b;
    DwI2c t;

    if (!start_device(&t, &m)) {
        return;
    }
    expect_limit(&t);
    add_extents(&t, &m);

    /* what was done through one CCI is seen through the other */
    a = mctp_command(&t, EP_DEVICE, EID_DEVICE, 0x5603, list, sizeof(list));
    g_assert_cmphex(a.ret_code, ==, 0);
    g_assert_cmpuint(a.payload->len, ==, LIST_HEAD + EXTENTS * EXTENT_SIZE);
    for (unsigned i = 0; i < EXTENTS; i++) {
        g_assert_cmphex(ldq_le_p(a.payload->data + LIST_HEAD +
                                 i * EXTENT_SIZE), ==, extent_start(i));
    }
    answer_clear(&a);
    a = mctp_command(&t, EP_DEVICE, EID_DEVICE, 0x5603, part, sizeof(part));
    b = mailbox_command(&m, 0x5603, part, sizeof(part));
    g_assert_cmpuint(a.payload->len, ==,
                     LIST_HEAD + MAILBOX_EXTENTS * EXTENT_SIZE);
    assert_equal_answers(&a, &b);
    answer_clear(&a);
    answer_clear(&b);

    /* with the response limited to 256 bytes as many as fit */
    answer_is(mctp_command(&t, EP_DEVICE, EID_DEVICE, 0x0004, &limit, 1), 0);
    a = mctp_command(&t, EP_DEVICE, EID_DEVICE, 0x5603, list, sizeof(list));
    g_assert_cmphex(a.ret_code, ==, 0);
    g_assert_cmpuint(a.payload->len, ==, LIST_HEAD + 5 * EXTENT_SIZE);
    g_assert_cmpuint(ldl_le_p(a.payload->data + 0x08), ==, 5);
    g_assert_cmpuint(ldl_le_p(a.payload->data + 0x0c), ==, EXTENTS);
    answer_clear(&a);
    mailbox_close(&m);
    dw_stop(&t);
}

/*
 * The target goes while the endpoint stays: it is deleted at once, and there
 * is no answer any more. The endpoint itself is still there.
 */
static void test_target_unplugged(void)
{
    const uint8_t get_eid[] = { 0x00, 0x80, 0x02 };
    g_autoptr(GByteArray) reply = NULL;
    DwI2c t;

    if (!qtest_has_device("cxl-type3")) {
        g_test_skip("no cxl-type3");
        return;
    }
    dw_start_args(&t, MCTP_MACHINE
                  "-object memory-backend-ram,id=vmem,size=256M "
                  "-device pcie-root-port,id=p1,bus=pcie.0,addr=08.0,"
                  "chassis=7,slot=7 "
                  "-device cxl-type3,id=mem0,bus=p1,volatile-memdev=vmem "
                  "-device i2c_mctp_cxl,bus=dw.0,address=0x22,target=mem0");
    mctp_listen(&t);
    mctp_assign(&t, EP_DEVICE, EID_DEVICE);
    answer_is(mctp_command(&t, EP_DEVICE, EID_DEVICE, 0x0001, NULL, 0), 0);
    mctp_unplug(&t, "p1", "mem0");
    answer_is(mctp_command(&t, EP_DEVICE, EID_DEVICE, 0x0001, NULL, 0),
              NO_ANSWER);
    reply = mctp_exchange(&t, EP_DEVICE, EID_DEVICE, 64, get_eid,
                          sizeof(get_eid));
    g_assert_nonnull(reply);
    qtest_system_reset(t.qts);
    dw_stop(&t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/mctp-i2c-commands/" #f, test_ ## f)
    T(doors_share_bindings);
    T(identify_switch);
    T(device_as_its_mailbox);
    T(long_messages);
    T(target_unplugged);
    return g_test_run();
}
