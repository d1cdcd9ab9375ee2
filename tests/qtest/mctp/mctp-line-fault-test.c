/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults of what an endpoint sends, over a serial line and over USB, and of a
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

typedef struct Test {
    const LineKind *kind;
    DwI2c t;
    Line *l;
} Test;

static void start(Test *test, const LineKind *kind)
{
    g_autofree char *line = kind->args(0, "us0");
    g_autofree char *args = g_strconcat(
        MCTP_MACHINE "-device cxl-switch-mailbox-cci,id=" MAILBOX
        ",bus=pcie.0,addr=06.0,target=us0 ", kind->machine, line, NULL);

    test->kind = kind;
    dw_start_args(&test->t, args);
    if (kind->start) {
        kind->start(test->t.qts, test->t.pci);
    }
    test->l = kind->open(0);
}

static void stop(Test *test)
{
    line_quiet(test->l);
    line_close(test->l);
    if (test->kind->stop) {
        test->kind->stop();
    }
    dw_stop(&test->t);
}

static void ask(Test *test)
{
    line_request(test->l, PEER_EID, 1, 0x55, IDENTIFY, NULL, 0);
}

static GByteArray *identify(Test *test)
{
    ask(test);
    return line_packet(test->l);
}

static void is_as_ever(Test *test, const GByteArray *good)
{
    g_autoptr(GByteArray) packet = identify(test);

    g_assert_cmpmem(packet->data, packet->len, good->data, good->len);
    line_quiet(test->l);
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

static void each_packet_is_as_the_fault_has_it(gconstpointer kind)
{
    g_autoptr(GByteArray) good = NULL;
    unsigned i, k;
    Test test;

    start(&test, kind);
    good = identify(&test);
    g_assert_cmpuint(good->len, ==, BODY + CCI_OVERHEAD + IDENTITY);
    for (i = 0; i < ARRAY_SIZE(rows); i++) {
        g_autoptr(GByteArray) bad = NULL;

        fault_arm(test.t.qts, LINK, rows[i].kind, rows[i].arguments);
        bad = identify(&test);
        for (k = 0; k < rows[i].bytes; k++) {
            bad->data[rows[i].at + k] ^= rows[i].flip >> 8 * k;
        }
        g_assert_cmpmem(bad->data, bad->len, good->data, good->len);
        is_as_ever(&test, good);
        fault_clear(test.t.qts, LINK);
    }
    stop(&test);
}

static void packets_come_late_twice_short_or_not_at_all(gconstpointer kind)
{
    g_autoptr(GByteArray) good = NULL, once = NULL, twice = NULL, late = NULL;
    g_autoptr(GByteArray) cut = NULL, least = NULL, code = NULL;
    Test test;

    start(&test, kind);
    good = identify(&test);
    fault_arm(test.t.qts, LINK, "packet-drop", "");
    ask(&test);
    line_quiet(test.l);
    is_as_ever(&test, good);

    fault_arm(test.t.qts, LINK, "packet-duplicate", "");
    once = identify(&test);
    twice = line_packet(test.l);
    g_assert_cmpmem(once->data, once->len, good->data, good->len);
    g_assert_cmpmem(twice->data, twice->len, good->data, good->len);
    is_as_ever(&test, good);

    /* the next answers overtake it */
    fault_arm(test.t.qts, LINK, "packet-late", "'delay': 200");
    ask(&test);
    line_quiet(test.l);
    is_as_ever(&test, good);
    qtest_clock_step(test.t.qts, 200 * MS);
    late = line_packet(test.l);
    g_assert_cmpmem(late->data, late->len, good->data, good->len);

    fault_arm(test.t.qts, LINK, "packet-truncate", "'value': 5");
    cut = identify(&test);
    g_assert_cmpmem(cut->data, cut->len, good->data, good->len - 5);
    /* a byte of payload is left */
    fault_arm(test.t.qts, LINK, "packet-truncate", "'value': 255");
    least = identify(&test);
    g_assert_cmpuint(least->len, ==, BODY + 1);
    is_as_ever(&test, good);

    fault_arm(test.t.qts, LINK, "answer-code", "'value': 6");
    code = identify(&test);
    g_assert_cmpuint(code->len, ==, BODY + CCI_OVERHEAD);
    g_assert_cmphex(code->data[CODE], ==, BUSY);
    is_as_ever(&test, good);
    stop(&test);
}

static void packets_come_in_another_order(gconstpointer kind)
{
    static const uint8_t effects[] = CXL_LOG_UUID_EFFECTS;
    static const uint8_t sequence[] = { 0, 2, 1 };
    uint8_t request[24] = { };
    unsigned i;
    Test test;

    start(&test, kind);
    /* 128 bytes of the Command Effects Log: three packets */
    memcpy(request, effects, sizeof(effects));
    request[20] = 128;
    fault_arm(test.t.qts, LINK, "packet-reorder", "'when': 'nth', 'n': 2");
    line_request(test.l, PEER_EID, 1, 0x55, GET_LOG, request, sizeof(request));
    for (i = 0; i < 3; i++) {
        g_autoptr(GByteArray) packet = NULL;

        if (i == 2) {
            qtest_clock_step(test.t.qts, 20 * MS);
        }
        packet = line_packet(test.l);
        g_assert_cmphex(packet->data[FLAGS] >> 4 & 3, ==, sequence[i]);
    }
    stop(&test);
}

static void a_transfer_can_be_short(void)
{
    static const uint16_t lengths[] = { 0, 1, 3, 4, 6, 20 };
    g_autoptr(GByteArray) good = NULL, whole = NULL;
    unsigned i;
    Test test;

    start(&test, &line_usb);
    good = identify(&test);
    ask(&test);
    whole = usb_read(test.l);
    for (i = 0; i < ARRAY_SIZE(lengths); i++) {
        g_autofree char *value = g_strdup_printf("'value': %u", lengths[i]);
        g_autoptr(GByteArray) piece = NULL;

        fault_arm(test.t.qts, LINK, "transfer-short", value);
        ask(&test);
        piece = usb_read(test.l);
        g_assert_cmpmem(piece->data, piece->len, whole->data, lengths[i]);
        /* the rest of it does not follow */
        is_as_ever(&test, good);
        fault_clear(test.t.qts, LINK);
    }
    stop(&test);
}

static void a_line_has_no_transfers(void)
{
    Test test;

    start(&test, &line_serial);
    fault_refused(test.t.qts, LINK, "transfer-short", "",
                  "argument 'kind' is 'transfer-short', a fault of USB "
                  "transfers, which a mctp-serial-cxl does not have");
    stop(&test);
}

static void code_is(Mailbox *m, unsigned want)
{
    answer_is(mailbox_command(m, IDENTIFY, NULL, 0), want);
}

/* The same component by another way is as it was */
static void a_switch_mailbox_lies(void)
{
    g_autoptr(GByteArray) good = NULL;
    uint64_t status;
    Test test;
    Mailbox m;

    start(&test, &line_serial);
    good = identify(&test);
    m = mailbox_open(&test.t, QPCI_DEVFN(6, 0), 0);
    code_is(&m, SUCCESS);
    fault_arm(test.t.qts, MAILBOX, "answer-code", "'value': 6");
    is_as_ever(&test, good);
    code_is(&m, BUSY);
    code_is(&m, SUCCESS);

    status = qpci_io_readq(m.dev, m.bar, 0);
    fault_arm(test.t.qts, MAILBOX, "array-count", "");
    g_assert_cmphex(qpci_io_readq(m.dev, m.bar, 0), !=, status);
    g_assert_cmphex(qpci_io_readq(m.dev, m.bar, 0), ==, status);
    fault_refused(test.t.qts, MAILBOX, "event-lost", "",
                  "argument 'kind' is 'event-lost', a fault of event records, "
                  "which a cxl-switch-mailbox-cci does not have");
    mailbox_close(&m);
    stop(&test);
}

static bool is_tested(const char *kind)
{
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        if (g_str_equal(rows[i].kind, kind)) {
            return true;
        }
    }
    /* functions of their own; those of frames in mctp-i2c-fault-test.c */
    return fault_is_in("packet-drop packet-duplicate packet-late "
                       "packet-reorder packet-truncate frame-pec "
                       "frame-arbitration transfer-short", kind);
}

static void each_kind_is_tested(void)
{
    Test test;

    start(&test, &line_serial);
    fault_family_is_tested(test.t.qts, "mctp", is_tested);
    stop(&test);
}

int main(int argc, char **argv)
{
    int ret;

    g_test_init(&argc, &argv, NULL);
#define T(kind, f) \
    qtest_add_data_func("/mctp-" kind "/fault/" #f, \
                        g_str_equal(kind, "usb") ? &line_usb : &line_serial, f)
    T("serial", each_packet_is_as_the_fault_has_it);
    T("serial", packets_come_late_twice_short_or_not_at_all);
    T("serial", packets_come_in_another_order);
    T("usb", each_packet_is_as_the_fault_has_it);
    T("usb", packets_come_late_twice_short_or_not_at_all);
    T("usb", packets_come_in_another_order);
#undef T
    qtest_add_func("/mctp-usb/fault/a_transfer_can_be_short",
                   a_transfer_can_be_short);
    qtest_add_func("/mctp-serial/fault/a_line_has_no_transfers",
                   a_line_has_no_transfers);
    qtest_add_func("/switch-mailbox/fault/a_switch_mailbox_lies",
                   a_switch_mailbox_lies);
    qtest_add_func("/mctp/fault/each_kind_is_tested", each_kind_is_tested);
    ret = g_test_run();
    line_cleanup();
    return ret;
}
