/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults of what an endpoint sends, over a serial line, USB and I2C, and of a
 * switch's mailbox
 */
#include "qemu/osdep.h"
#include "tests/qtest/cxl/cxl-log-uuids.h"
#include "tests/qtest/cxl/cxl-qtest-fault.h"
#include "mctp-line.h"
#include "mctp-usb-line.h"

#define LINK        "link0"
#define MAILBOX     "sw0"
#define MS          1000000ll
#define IDENTIFY    0x0001
#define GET_LOG     0x0401
#define SUCCESS     0
#define BUSY        6

/* A packet: destination, source and flags, type, header of the CCI message */
#define SOURCE      2
#define FLAGS       3
#define BODY        4
#define OPCODE      (BODY + 4)
#define LENGTH      (BODY + 6)
#define CODE        (BODY + 9)
#define VENDOR      (BODY + 11)
#define IDENTITY    18

static const LineSetup setup = {
    .machine = MCTP_MACHINE "-device cxl-switch-mailbox-cci,id=" MAILBOX
        ",bus=pcie.0,addr=06.0,target=us0 ",
    .target = { "us0" },
    .devfn = QPCI_DEVFN(6, 0),
};

static void ask(Line *l)
{
    line_request(l, PEER_EID, 1, 0x55, IDENTIFY, NULL, 0);
}

static GByteArray *identify(Line *l)
{
    ask(l);
    return line_packet(l);
}

static void next_is(Line *l, const GByteArray *good)
{
    g_autoptr(GByteArray) packet = line_packet(l);

    g_assert_cmpmem(packet->data, packet->len, good->data, good->len);
}

static void is_as_ever(Line *l, const GByteArray *good)
{
    ask(l);
    next_is(l, good);
    line_quiet(l);
}

/* @bytes from byte @at on are flipped by @flip */
static const struct {
    const char *kind, *arguments;
    unsigned at, bytes;
    uint32_t flip;
} rows[] = {
    { "packet-corrupt", "'offset': 4", BODY + 4, 1, 0xff },
    { "packet-corrupt", "'offset': 4, 'value': 3", BODY + 4, 1, 3 },
    { "packet-tag", "", FLAGS, 1, 1 },
    { "packet-sequence", "'value': 2", FLAGS, 1, 0x20 },
    { "packet-eid", "", SOURCE, 1, LINE_EID(0) ^ 0xfe },
    { "answer-opcode", "", OPCODE, 2, 0xfffe },
    { "answer-length", "'value': 1", LENGTH, 1, IDENTITY ^ 1 },
    { "answer-vendor-status", "", VENDOR, 2, 0xffff },
};

static void each_packet_is_as_the_fault_has_it(LineTest *t, Line *l)
{
    g_autoptr(GByteArray) good = identify(l);

    g_assert_cmpuint(good->len, ==, BODY + CCI_OVERHEAD + IDENTITY);
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        g_autoptr(GByteArray) bad = NULL;

        fault_arm(t->i2c.qts, LINK, rows[i].kind, rows[i].arguments);
        bad = identify(l);
        for (unsigned k = 0; k < rows[i].bytes; k++) {
            bad->data[rows[i].at + k] ^= rows[i].flip >> 8 * k;
        }
        g_assert_cmpmem(bad->data, bad->len, good->data, good->len);
        is_as_ever(l, good);
        fault_clear(t->i2c.qts, LINK);
    }
}

static void packets_come_late_twice_short_or_not_at_all(LineTest *t, Line *l)
{
    static const char *const lost[] = { "packet-drop", "answer-never" };
    g_autoptr(GByteArray) good = identify(l);
    g_autoptr(GByteArray) cut = NULL, least = NULL, code = NULL;
    QTestState *qts = t->i2c.qts;
    uint32_t id;

    for (unsigned i = 0; i < ARRAY_SIZE(lost); i++) {
        fault_arm(qts, LINK, lost[i], "");
        ask(l);
        line_quiet(l);
        is_as_ever(l, good);
    }
    fault_arm(qts, LINK, "packet-duplicate", "");
    ask(l);
    next_is(l, good);
    next_is(l, good);
    is_as_ever(l, good);

    /* the next answers overtake it */
    fault_arm(qts, LINK, "packet-late", "'delay': 200");
    ask(l);
    line_quiet(l);
    is_as_ever(l, good);
    qtest_clock_step(qts, 200 * MS);
    next_is(l, good);

    /* no other answer does: this one is not there yet */
    id = fault_arm(qts, LINK, "answer-late", "'delay': 200");
    ask(l);
    while (fault_hits(qts, LINK, id) < 1) {
        /* the request is on its way */
    }
    if (t->kind == &line_i2c) {
        g_autoptr(GByteArray) early = mctp_receive_frame(&t->i2c, 170 * MS);

        g_assert_null(early);
    }
    qtest_clock_step(qts, 200 * MS);
    next_is(l, good);
    is_as_ever(l, good);

    fault_arm(qts, LINK, "packet-truncate", "'value': 5");
    cut = identify(l);
    g_assert_cmpmem(cut->data, cut->len, good->data, good->len - 5);
    /* a byte of payload is left */
    fault_arm(qts, LINK, "packet-truncate", "'value': 255");
    least = identify(l);
    g_assert_cmpuint(least->len, ==, BODY + 1);
    is_as_ever(l, good);

    fault_arm(qts, LINK, "answer-code", "'value': 6");
    code = identify(l);
    g_assert_cmpuint(code->len, ==, BODY + CCI_OVERHEAD);
    g_assert_cmphex(code->data[CODE], ==, BUSY);
    is_as_ever(l, good);
}

static void packets_come_in_another_order(LineTest *t, Line *l)
{
    static const uint8_t effects[] = CXL_LOG_UUID_EFFECTS;
    static const uint8_t sequence[] = { 0, 2, 1 };
    uint8_t request[24] = { };

    /* 128 bytes of the Command Effects Log: three packets */
    memcpy(request, effects, sizeof(effects));
    request[20] = 128;
    fault_arm(t->i2c.qts, LINK, "packet-reorder", "'when': 'nth', 'n': 2");
    line_request(l, PEER_EID, 1, 0x55, GET_LOG, request, sizeof(request));
    for (unsigned i = 0; i < 3; i++) {
        g_autoptr(GByteArray) packet = NULL;

        if (i == 2) {
            qtest_clock_step(t->i2c.qts, 20 * MS);
        }
        packet = line_packet(l);
        g_assert_cmphex(packet->data[FLAGS] >> 4 & 3, ==, sequence[i]);
    }
}

static void what_is_late_migrates(LineTest *t, Line *l)
{
    g_autoptr(GByteArray) good = identify(l);
    uint32_t id = fault_arm(t->i2c.qts, LINK, "packet-late", "'delay': 200");

    ask(l);
    line_quiet(l);
    line_migrate(t);
    g_assert_cmpint(fault_hits(t->i2c.qts, LINK, id), ==, 1);
    /* the clock of the new machine begins anew */
    qtest_clock_step(t->i2c.qts, ANSWER_NS);
    next_is(line_of(t, 0), good);
}

/* -- USB ---------------------------------------------------------------- */

static void a_transfer_can_be_short(LineTest *t, Line *l)
{
    static const uint16_t lengths[] = { 0, 1, 3, 4, 6, 20 };
    g_autoptr(GByteArray) good = identify(l), whole = NULL;

    ask(l);
    whole = usb_read(l);
    for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
        g_autofree char *value = g_strdup_printf("'value': %u", lengths[i]);
        g_autoptr(GByteArray) piece = NULL;

        fault_arm(t->i2c.qts, LINK, "transfer-short", value);
        ask(l);
        piece = usb_read(l);
        g_assert_cmpmem(piece->data, piece->len, whole->data, lengths[i]);
        /* the rest of it does not follow */
        is_as_ever(l, good);
        fault_clear(t->i2c.qts, LINK);
    }
}

static void a_line_has_no_transfers(LineTest *t, Line *l)
{
    fault_refused(t->i2c.qts, LINK, "transfer-short", "",
                  "argument 'kind' is 'transfer-short', a fault of USB "
                  "transfers, which a mctp-serial-cxl does not have");
}

/* -- I2C: frames -------------------------------------------------------- */

static GByteArray *frame(LineTest *t, Line *l)
{
    GByteArray *bytes;

    ask(l);
    bytes = mctp_receive_frame(&t->i2c, ANSWER_NS);
    g_assert_nonnull(bytes);
    return bytes;
}

static void a_frame_can_have_a_wrong_code(LineTest *t, Line *l)
{
    g_autoptr(GByteArray) packet = identify(l);
    g_autoptr(GByteArray) good = frame(t, l), bad = NULL;

    fault_arm(t->i2c.qts, LINK, "frame-pec", "'value': 1");
    bad = frame(t, l);
    bad->data[bad->len - 1] ^= 1;
    g_assert_cmpmem(bad->data, bad->len, good->data, good->len);
    is_as_ever(l, packet);
}

static void a_frame_that_lost_the_bus_is_sent_again(LineTest *t, Line *l)
{
    g_autoptr(GByteArray) packet = identify(l);
    g_autoptr(GByteArray) good = frame(t, l), piece = NULL;

    fault_arm(t->i2c.qts, LINK, "frame-arbitration", "'value': 6");
    piece = frame(t, l);
    g_assert_cmpmem(piece->data, piece->len, good->data, 6);
    next_is(l, packet);
    /* before its address was out */
    fault_arm(t->i2c.qts, LINK, "frame-arbitration", "'value': 0");
    is_as_ever(l, packet);
}

/* -- a mailbox ---------------------------------------------------------- */

static void code_is(Mailbox *m, unsigned want)
{
    answer_is(mailbox_command(m, IDENTIFY, NULL, 0), want);
}

/* The same component by another way is as it was */
static void a_switch_mailbox_lies(LineTest *t, Line *l)
{
    g_autoptr(GByteArray) good = identify(l);
    Mailbox *m = &t->mailbox;
    uint64_t status;

    code_is(m, SUCCESS);
    fault_arm(t->i2c.qts, MAILBOX, "answer-code", "'value': 6");
    is_as_ever(l, good);
    code_is(m, BUSY);
    code_is(m, SUCCESS);

    status = qpci_io_readq(m->dev, m->bar, 0);
    fault_arm(t->i2c.qts, MAILBOX, "array-count", "");
    g_assert_cmphex(qpci_io_readq(m->dev, m->bar, 0), !=, status);
    g_assert_cmphex(qpci_io_readq(m->dev, m->bar, 0), ==, status);
    fault_refused(t->i2c.qts, MAILBOX, "event-lost", "",
                  "argument 'kind' is 'event-lost', a fault of event records, "
                  "which a cxl-switch-mailbox-cci does not have");
}

static bool is_tested(const char *kind)
{
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        if (g_str_equal(rows[i].kind, kind)) {
            return true;
        }
    }
    /* functions of their own */
    return fault_is_in("packet-drop packet-duplicate packet-late "
                       "packet-reorder packet-truncate frame-pec "
                       "frame-arbitration transfer-short", kind);
}

static void each_kind_is_tested(LineTest *t, Line *l)
{
    fault_family_is_tested(t->i2c.qts, "mctp", is_tested);
}

int main(int argc, char **argv)
{
    static const LineKind *const kinds[] = {
        &line_serial, &line_usb, &line_i2c,
    };

    g_test_init(&argc, &argv, NULL);
#define T(kind, f) line_add_test(kind, "fault/" #f, &setup, f)
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        T(kinds[i], each_packet_is_as_the_fault_has_it);
        T(kinds[i], packets_come_late_twice_short_or_not_at_all);
        T(kinds[i], packets_come_in_another_order);
        T(kinds[i], what_is_late_migrates);
    }
    T(&line_usb, a_transfer_can_be_short);
    T(&line_i2c, a_frame_can_have_a_wrong_code);
    T(&line_i2c, a_frame_that_lost_the_bus_is_sent_again);
    T(&line_serial, a_line_has_no_transfers);
    T(&line_serial, a_switch_mailbox_lies);
    T(&line_serial, each_kind_is_tested);
    return line_test_main();
}
