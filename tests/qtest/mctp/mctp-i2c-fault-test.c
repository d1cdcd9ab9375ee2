/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults of what an endpoint sends: packets and I2C frames as a bus owner gets
 * them
 */
#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "hw/mctp/mctp_i2c_frame.h"
#include "tests/qtest/cxl/cxl-log-uuids.h"
#include "tests/qtest/cxl/cxl-qtest-fault.h"
#include "mctp-guest.h"

#define ENDPOINT    0x20
#define EID         9
#define LINK        "ep0"
#define MACHINE \
    MCTP_MACHINE "-device i2c_mctp_cxl,id=" LINK ",bus=dw.0,address=0x20," \
    "target=us0,eid=9"
#define MS          1000000ll
#define IDENTIFY    0x0001
#define GET_LOG     0x0401

/* An I2C frame: address, command, count, source, packet, PEC */
#define COUNT       2
#define PACKET      4
#define SOURCE      (PACKET + 2)
#define FLAGS       (PACKET + 3)
#define BODY        (PACKET + 4)
/* Type, category, tag, reserved, opcode, length, code, vendor status */
#define OPCODE      (BODY + 4)
#define LENGTH      (BODY + 6)
#define CODE        (BODY + 9)
#define VENDOR      (BODY + 11)

static void start(DwI2c *t)
{
    dw_start_args(t, MACHINE);
    mctp_listen(t);
}

static void ask(DwI2c *t, uint16_t opcode, const void *in, uint8_t len)
{
    uint8_t packet[64] = {
        1, EID, GUEST_EID, 0xc8, 8, 0, 0x55, 0, opcode, opcode >> 8, len,
    };

    memcpy(packet + 17, in, len);
    mctp_send_packet(t, ENDPOINT, packet, 17 + len);
}

static GByteArray *answer(DwI2c *t)
{
    return mctp_receive_frame(t, 50 * MS);
}

static GByteArray *identify(DwI2c *t)
{
    ask(t, IDENTIFY, "", 0);
    return answer(t);
}

static void is_quiet(DwI2c *t)
{
    g_autoptr(GByteArray) frame = answer(t);

    g_assert_null(frame);
}

static void is_as_ever(DwI2c *t, const GByteArray *good)
{
    g_autoptr(GByteArray) frame = identify(t);

    g_assert_nonnull(frame);
    g_assert_cmpmem(frame->data, frame->len, good->data, good->len);
    is_quiet(t);
}

/* @bytes from byte @at on are flipped by @flip; the PEC is another one then */
static const struct {
    const char *kind, *arguments;
    unsigned at, bytes;
    uint32_t flip;
} rows[] = {
    { "packet-corrupt", "'offset': 4", BODY + 4, 1, 0xff },
    { "packet-corrupt", "'offset': 4, 'value': 3", BODY + 4, 1, 3 },
    { "packet-tag", "", FLAGS, 1, 1 },
    { "packet-sequence", "'value': 2", FLAGS, 1, 0x20 },
    { "packet-eid", "", SOURCE, 1, EID ^ 0xfe },
    { "answer-opcode", "", OPCODE, 2, 0xfffe },
    { "answer-length", "'value': 1", LENGTH, 1, 18 ^ 1 },
    { "answer-vendor-status", "", VENDOR, 2, 0xffff },
};

static void each_frame_is_as_the_fault_has_it(DwI2c *t)
{
    g_autoptr(GByteArray) good = NULL;
    unsigned i, k;

    good = identify(t);
    g_assert_cmpuint(good->len, ==, BODY + 13 + 18 + 1);
    for (i = 0; i < ARRAY_SIZE(rows); i++) {
        g_autoptr(GByteArray) bad = NULL;

        fault_arm(t->qts, LINK, rows[i].kind, rows[i].arguments);
        bad = identify(t);
        g_assert_nonnull(bad);
        for (k = 0; k < rows[i].bytes; k++) {
            bad->data[rows[i].at + k] ^= rows[i].flip >> 8 * k;
        }
        g_assert_cmpmem(bad->data, bad->len - 1, good->data, good->len - 1);
        g_assert_cmphex(bad->data[bad->len - 1], !=,
                        good->data[good->len - 1]);
        is_as_ever(t, good);
        fault_clear(t->qts, LINK);
    }
}

static void frames_come_late_twice_or_not_at_all(DwI2c *t)
{
    g_autoptr(GByteArray) good = NULL, once = NULL, twice = NULL, late = NULL;
    g_autoptr(GByteArray) code = NULL, slow = NULL;

    good = identify(t);
    fault_arm(t->qts, LINK, "packet-drop", "");
    ask(t, IDENTIFY, "", 0);
    is_quiet(t);
    is_as_ever(t, good);

    fault_arm(t->qts, LINK, "answer-never", "");
    ask(t, IDENTIFY, "", 0);
    is_quiet(t);
    is_as_ever(t, good);

    fault_arm(t->qts, LINK, "packet-duplicate", "");
    once = identify(t);
    twice = answer(t);
    g_assert_cmpmem(once->data, once->len, good->data, good->len);
    g_assert_cmpmem(twice->data, twice->len, good->data, good->len);
    is_as_ever(t, good);

    fault_arm(t->qts, LINK, "packet-late", "'delay': 200");
    ask(t, IDENTIFY, "", 0);
    late = mctp_receive_frame(t, 170 * MS);
    g_assert_null(late);
    late = answer(t);
    g_assert_cmpmem(late->data, late->len, good->data, good->len);
    is_as_ever(t, good);

    fault_arm(t->qts, LINK, "answer-late", "'delay': 200");
    ask(t, IDENTIFY, "", 0);
    slow = mctp_receive_frame(t, 170 * MS);
    g_assert_null(slow);
    slow = answer(t);
    g_assert_cmpmem(slow->data, slow->len, good->data, good->len);

    fault_arm(t->qts, LINK, "answer-code", "'value': 6");
    code = identify(t);
    g_assert_cmpuint(code->len, ==, BODY + 13 + 1);
    g_assert_cmphex(code->data[CODE], ==, 6);
    is_as_ever(t, good);
}

static void a_packet_can_be_short(DwI2c *t)
{
    g_autoptr(GByteArray) good = NULL, bad = NULL, least = NULL;

    good = identify(t);
    fault_arm(t->qts, LINK, "packet-truncate", "'value': 5");
    bad = identify(t);
    g_assert_cmpuint(bad->len, ==, good->len - 5);
    g_assert_cmpuint(bad->data[COUNT], ==, good->data[COUNT] - 5);
    g_assert_cmpmem(bad->data + PACKET, bad->len - PACKET - 1,
                    good->data + PACKET, bad->len - PACKET - 1);
    /* a byte of payload is left */
    fault_arm(t->qts, LINK, "packet-truncate", "'value': 255");
    least = identify(t);
    g_assert_cmpuint(least->len, ==, BODY + 1 + 1);
    is_as_ever(t, good);
}

static void packets_can_come_in_another_order(DwI2c *t)
{
    static const uint8_t effects[] = CXL_LOG_UUID_EFFECTS;
    uint8_t request[24] = { };
    unsigned i;

    /* 128 bytes of the Command Effects Log: three packets */
    memcpy(request, effects, sizeof(effects));
    request[20] = 128;
    fault_arm(t->qts, LINK, "packet-reorder", "'when': 'nth', 'n': 2");
    ask(t, GET_LOG, request, sizeof(request));
    for (i = 0; i < 3; i++) {
        static const uint8_t sequence[] = { 0, 2, 1 };
        g_autoptr(GByteArray) frame = answer(t);

        g_assert_nonnull(frame);
        g_assert_cmphex(frame->data[FLAGS] >> 4 & 3, ==, sequence[i]);
    }
    is_quiet(t);
}

static void a_frame_can_have_a_wrong_code(DwI2c *t)
{
    g_autoptr(GByteArray) good = NULL, bad = NULL;

    good = identify(t);
    fault_arm(t->qts, LINK, "frame-pec", "'value': 1");
    bad = identify(t);
    bad->data[bad->len - 1] ^= 1;
    g_assert_cmpmem(bad->data, bad->len, good->data, good->len);
    is_as_ever(t, good);
}

static void a_frame_that_lost_the_bus_is_sent_again(DwI2c *t)
{
    g_autoptr(GByteArray) good = NULL, piece = NULL, whole = NULL;

    good = identify(t);
    fault_arm(t->qts, LINK, "frame-arbitration", "'value': 6");
    piece = identify(t);
    g_assert_cmpmem(piece->data, piece->len, good->data, 6);
    whole = answer(t);
    g_assert_nonnull(whole);
    g_assert_cmpmem(whole->data, whole->len, good->data, good->len);
    /* before its address was out */
    fault_arm(t->qts, LINK, "frame-arbitration", "'value': 0");
    is_as_ever(t, good);
}

static void what_is_late_migrates(DwI2c *t)
{
    g_autoptr(GByteArray) good = NULL, late = NULL;
    uint32_t id;

    good = identify(t);
    id = fault_arm(t->qts, LINK, "packet-late", "'delay': 200");
    ask(t, IDENTIFY, "", 0);
    is_quiet(t);
    dw_migrate(t, MACHINE);
    g_assert_cmpint(fault_hits(t->qts, LINK, id), ==, 1);
    /* the clock of the new machine begins anew */
    late = mctp_receive_frame(t, ANSWER_NS);
    g_assert_nonnull(late);
    g_assert_cmpmem(late->data, late->len, good->data, good->len);
}

static bool is_tested(const char *kind)
{
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        if (g_str_equal(rows[i].kind, kind)) {
            return true;
        }
    }
    /* functions of their own; the last in mctp-line-fault-test.c */
    return fault_is_in("packet-drop packet-duplicate packet-late "
                       "packet-reorder packet-truncate frame-pec "
                       "frame-arbitration transfer-short", kind);
}

static void each_kind_is_tested(DwI2c *t)
{
    fault_family_is_tested(t->qts, "mctp", is_tested);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) dw_add_test("/mctp/fault/" #f, f, start)
    T(each_frame_is_as_the_fault_has_it);
    T(frames_come_late_twice_or_not_at_all);
    T(a_packet_can_be_short);
    T(packets_can_come_in_another_order);
    T(a_frame_can_have_a_wrong_code);
    T(a_frame_that_lost_the_bus_is_sent_again);
    T(what_is_late_migrates);
    T(each_kind_is_tested);
    return g_test_run();
}
