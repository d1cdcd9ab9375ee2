/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event Notification: who set the policy is told, on serial lines, on USB and
 * on I2C, of a log that got records and of an operation that ended.
 * Reference: CXL r3.2 8.2.10.2.6 to 8.2.10.2.8; DMTF DSP0236 8.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "mctp-line.h"
#include "mctp-usb-line.h"

#define GET_POLICY 0x0104
#define SET_POLICY 0x0105
#define NOTICE 0x0106
#define DC_LOG 0x10
#define BACKGROUND 0x8000
#define EXTENT (2 * MiB)
#define DC_BASE (256 * MiB)

/* What the transfer of a whole package takes */
#define FIRMWARE_NS 10000000000LL

/* Lines 0 and 1 to a memory device, 2 to a switch */
static const LineSetup setup = {
    .machine = MCTP_MACHINE
        "-device cxl-switch-mailbox-cci,id=sw0,bus=pcie.0,addr=06.0,"
        "target=us0 "
        "-object memory-backend-ram,id=vmem,size=256M "
        "-object memory-backend-ram,id=dcmem,size=512M "
        "-device cxl-type3,id=mem0,bus=pcie.0,addr=07.0,volatile-memdev=vmem,"
        "volatile-dc-memdev=dcmem,num-dc-regions=2,sn=0x99 ",
    .target = { "mem0", "mem0", "us0" },
    .devfn = QPCI_DEVFN(7, 0),
    .bar = 2,
};

static void set_policy(Line *l, uint16_t policy, uint16_t rc)
{
    uint8_t in[2];

    stw_le_p(in, policy);
    answer_is(line_command(l, SET_POLICY, in, sizeof(in)), rc);
}

static void expect_policy(Line *l, uint16_t policy)
{
    const uint8_t out[] = { policy & 0xff, policy >> 8 };

    assert_answer(line_command(l, GET_POLICY, NULL, 0), 0, out, sizeof(out));
}

/* An extent more is offered and accepted: a record for the FM */
static void fill_log(LineTest *t, Line *l)
{
    uint8_t add[2 + 1 + 1 + 8 + 16 + 4] = { 0 };
    uint8_t accept[8 + 0x18] = { 1 };

    stq_le_p(add + 4, EXTENT);
    answer_is(line_command(l, 0x5604, add, sizeof(add)), 0);
    stq_le_p(accept + 8, DC_BASE + t->count++ * EXTENT);
    stq_le_p(accept + 16, EXTENT);
    answer_is(mailbox_command(&t->mailbox, 0x4802, accept, sizeof(accept)), 0);
}

/* Read the log and clear what was read, as an FM does */
static void empty_log(Line *l)
{
    const uint8_t log = 4;
    uint8_t clear[6 + 2] = { 4, 0, 1 };

    for (;;) {
        g_autoptr(GByteArray) events =
            answer_bytes(line_command(l, 0x0100, &log, 1));

        if (lduw_le_p(events->data + 0x14) == 0) {
            break;
        }
        memcpy(clear + 6, events->data + 0x20 + 0x14, 2);
        answer_is(line_command(l, 0x0101, clear, sizeof(clear)), 0);
    }
}

typedef struct Notice {
    uint8_t tag;
    uint8_t cci_tag;
} Notice;

static Notice expect_notice(Line *l, uint8_t eid, uint16_t conditions)
{
    MCTPHeader hdr;
    g_autoptr(GByteArray) body = line_message(l, &hdr);
    const uint8_t want[] = {
        8, 0, body->data[2], 0, 0x06, 0x01, 2, 0, 0, 0, 0, 0, 0,
        conditions & 0xff, conditions >> 8,
    };

    g_assert_true(hdr.to);
    g_assert_cmphex(hdr.src, ==, l->eid);
    g_assert_cmphex(hdr.dest, ==, eid);
    g_assert_cmpmem(body->data, body->len, want, sizeof(want));
    return (Notice) { hdr.tag, body->data[2] };
}

/* The machine's time goes on only after it has seen the answer */
static void acknowledge(Line *l, uint8_t eid, Notice n)
{
    const uint8_t packet[] = {
        1, l->eid, eid, 0xc0 | n.tag, 8, 1, n.cci_tag, 0, 0x06, 0x01,
        0, 0, 0, 0, 0, 0, 0,
    };

    line_send_packet(l, packet, sizeof(packet));
    line_quiet(l);
}

/* Time for any number of tries, and nothing comes */
static void expect_silence(LineTest *t, Line *l)
{
    for (int i = 0; i < 4; i++) {
        qtest_clock_step(t->i2c.qts, ANSWER_NS + 1);
        line_quiet(l);
    }
}

/* An FM on line 0, told of the first record in the log */
static Notice first_notice(LineTest *t, Line *l)
{
    set_policy(l, DC_LOG, 0);
    fill_log(t, l);
    return expect_notice(l, PEER_EID, DC_LOG);
}

static void test_policy(LineTest *t, Line *l)
{
    Line *sw = line_of(t, 2);
    Mailbox mailbox;

    expect_policy(l, 0);
    set_policy(l, 0x801f, 0);
    expect_policy(l, 0x801f);
    for (int bit = 5; bit < 15; bit++) {
        set_policy(l, 1 << bit, 2);
    }
    expect_policy(l, 0x801f);
    answer_is(line_command(l, SET_POLICY, "", 1), 0x16);
    answer_is(line_command(l, GET_POLICY, "", 1), 0x16);
    set_policy(l, 0, 0);
    expect_policy(l, 0);
    /* a component that is told something acknowledges it */
    answer_is(line_command(l, NOTICE, "\x10", 2), 0);
    answer_is(line_command(l, NOTICE, "\x20", 2), 2);
    answer_is(line_command(l, NOTICE, "\x10", 1), 0x16);

    set_policy(sw, BACKGROUND, 0);
    expect_policy(sw, BACKGROUND);
    set_policy(sw, 0x20, 2);
    /* a mailbox has no way to send anything */
    mailbox = mailbox_open(&t->i2c, QPCI_DEVFN(6, 0), 0);
    answer_is(mailbox_command(&mailbox, GET_POLICY, NULL, 0), 0x15);
    answer_is(mailbox_command(&mailbox, SET_POLICY, "\0", 2), 0x15);
    mailbox_close(&mailbox);
}

static void test_log(LineTest *t, Line *l)
{
    empty_log(l);
    /* not asked for */
    fill_log(t, l);
    expect_silence(t, l);
    /* not from empty */
    set_policy(l, DC_LOG, 0);
    fill_log(t, l);
    expect_silence(t, l);
    empty_log(l);
    for (int i = 0; i < 10; i++) {
        fill_log(t, l);
        acknowledge(l, PEER_EID, expect_notice(l, PEER_EID, DC_LOG));
        fill_log(t, l);
        line_quiet(l);
        empty_log(l);
    }
    expect_silence(t, l);
}

/* Told three times, then the FM is taken to be away; then it is back */
static void test_no_answer(LineTest *t, Line *l)
{
    Notice n = first_notice(t, l);

    for (int i = 0; i < 2; i++) {
        Notice again;

        line_quiet(l);
        qtest_clock_step(t->i2c.qts, ANSWER_NS + 1);
        again = expect_notice(l, PEER_EID, DC_LOG);
        g_assert_cmphex(again.cci_tag, ==, n.cci_tag);
    }
    expect_silence(t, l);
    empty_log(l);
    fill_log(t, l);
    n = expect_notice(l, PEER_EID, DC_LOG);
    acknowledge(l, PEER_EID, n);
    expect_silence(t, l);
}

/* Answers that are none do not end the wait */
static void test_wrong_answers(LineTest *t, Line *l)
{
    Notice n = first_notice(t, l);

    acknowledge(l, PEER_EID, (Notice) { n.tag ^ 1, n.cci_tag });
    acknowledge(l, 77, n);
    line_quiet(l);
    qtest_clock_step(t->i2c.qts, ANSWER_NS + 1);
    n = expect_notice(l, PEER_EID, DC_LOG);
    /* this one takes the place of the answer and is thrown away */
    acknowledge(l, PEER_EID, (Notice) { n.tag, n.cci_tag + 1 });
    acknowledge(l, PEER_EID, n);
    line_quiet(l);
    qtest_clock_step(t->i2c.qts, ANSWER_NS + 1);
    n = expect_notice(l, PEER_EID, DC_LOG);
    acknowledge(l, PEER_EID, n);
    acknowledge(l, PEER_EID, n);
    expect_silence(t, l);
}

/* Each line has a policy, and each policy the EID that set it */
static void test_who_is_told(LineTest *t, Line *one)
{
    const uint8_t policy[] = { DC_LOG, 0 };
    g_autoptr(GByteArray) body = NULL;
    Line *two = line_of(t, 1);
    MCTPHeader hdr;

    set_policy(two, DC_LOG, 0);
    expect_policy(one, 0);
    fill_log(t, one);
    acknowledge(two, PEER_EID, expect_notice(two, PEER_EID, DC_LOG));
    line_quiet(one);

    set_policy(one, DC_LOG, 0);
    empty_log(one);
    fill_log(t, one);
    acknowledge(one, PEER_EID, expect_notice(one, PEER_EID, DC_LOG));
    acknowledge(two, PEER_EID, expect_notice(two, PEER_EID, DC_LOG));

    /* somebody else behind line two takes over */
    line_request(two, 0x42, 1, 1, SET_POLICY, policy, 2);
    body = line_message(two, &hdr);
    g_assert_cmphex(hdr.dest, ==, 0x42);
    set_policy(one, 0, 0);
    empty_log(one);
    fill_log(t, one);
    acknowledge(two, 0x42, expect_notice(two, 0x42, DC_LOG));
    expect_silence(t, one);
    line_quiet(two);
}

/* A cut line loses the notice, not the news: it comes again on the new one */
static void test_reconnect(LineTest *t, Line *l)
{
    first_notice(t, l);
    l = line_anew(t, 0);
    line_quiet(l);
    qtest_clock_step(t->i2c.qts, ANSWER_NS + 1);
    acknowledge(l, PEER_EID, expect_notice(l, PEER_EID, DC_LOG));
    expect_silence(t, l);
}

static void test_reset(LineTest *t, Line *l)
{
    first_notice(t, l);
    line_reset(t);
    l = line_of(t, 0);
    expect_silence(t, l);
    expect_policy(l, 0);
}

/*
 * A notice under way goes along to a machine with a peer on the same line.
 * Time starts there from zero, as it did here, where little of it has passed.
 */
static void test_migrate(LineTest *t, Line *l)
{
    first_notice(t, l);
    line_migrate(t);
    l = line_of(t, 0);
    expect_policy(l, DC_LOG);
    qtest_clock_step(t->i2c.qts, ANSWER_NS + ANSWER_NS / 2);
    acknowledge(l, PEER_EID, expect_notice(l, PEER_EID, DC_LOG));
    expect_silence(t, l);
}

/* A firmware transfer takes its time in the background */
static void test_background(LineTest *t, Line *l)
{
    uint8_t transfer[0x80 + 128] = { 0, 2 };

    set_policy(l, BACKGROUND, 0);
    answer_is(line_command(l, 0x0201, transfer, sizeof(transfer)), 1);
    line_quiet(l);
    /* ten seconds; a step too far would make the notice itself too old */
    qtest_clock_step(t->i2c.qts, FIRMWARE_NS - 1);
    line_quiet(l);
    qtest_clock_step(t->i2c.qts, 1);
    acknowledge(l, PEER_EID, expect_notice(l, PEER_EID, BACKGROUND));
    expect_silence(t, l);
}

static const struct {
    const char *name;
    void (*run)(LineTest *t, Line *l);
    /* not on it: the line ends with the machine; time passes with each byte */
    const LineKind *but, *nor;
} tests[] = {
    { "policy", test_policy },
    { "log", test_log },
    { "no-answer", test_no_answer },
    { "wrong-answers", test_wrong_answers },
    { "who-is-told", test_who_is_told },
    { "reconnect", test_reconnect, &line_usb, &line_i2c },
    { "reset", test_reset },
    { "migrate", test_migrate },
    { "background", test_background, &line_i2c },
};

int main(int argc, char **argv)
{
    static const LineKind *const kinds[] = {
        &line_serial, &line_usb, &line_i2c,
    };

    g_test_init(&argc, &argv, NULL);
    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
        for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
            g_autofree char *name = g_strdup_printf("notify/%s",
                                                    tests[i].name);

            if (kinds[k] != tests[i].but && kinds[k] != tests[i].nor) {
                line_add_test(kinds[k], name, &setup, tests[i].run);
            }
        }
    }
    return line_test_main();
}
