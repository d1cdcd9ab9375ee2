/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults of what an endpoint sends, as a bus owner on I2C gets it: frames.
 * Those of packets are the same on any line, see mctp-line-fault-test.c.
 */
#include "qemu/osdep.h"
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

/* An I2C frame: address, command, count, source, header of the packet, body */
#define BODY        8

static void start(DwI2c *t)
{
    dw_start_args(t, MACHINE);
    mctp_listen(t);
}

static void ask(DwI2c *t)
{
    static const uint8_t packet[17] = {
        1, EID, GUEST_EID, 0xc8, 8, 0, 0x55, 0, IDENTIFY,
    };

    mctp_send_packet(t, ENDPOINT, packet, sizeof(packet));
}

static GByteArray *answer(DwI2c *t)
{
    return mctp_receive_frame(t, 50 * MS);
}

static GByteArray *identify(DwI2c *t)
{
    ask(t);
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

/* A packet is spoilt before it is framed: the PEC is that of what is sent */
static void a_spoilt_packet_has_a_good_frame(DwI2c *t)
{
    g_autoptr(GByteArray) good = identify(t), bad = NULL;

    g_assert_cmpuint(good->len, ==, BODY + 13 + 18 + 1);
    fault_arm(t->qts, LINK, "packet-corrupt", "'offset': 4");
    bad = identify(t);
    g_assert_nonnull(bad);
    bad->data[BODY + 4] ^= 0xff;
    g_assert_cmpmem(bad->data, bad->len - 1, good->data, good->len - 1);
    g_assert_cmphex(bad->data[bad->len - 1], !=, good->data[good->len - 1]);
    is_as_ever(t, good);
}

static void answers_come_late_or_not_at_all(DwI2c *t)
{
    g_autoptr(GByteArray) good = identify(t), slow = NULL;

    fault_arm(t->qts, LINK, "answer-never", "");
    ask(t);
    is_quiet(t);
    is_as_ever(t, good);

    fault_arm(t->qts, LINK, "answer-late", "'delay': 200");
    ask(t);
    slow = mctp_receive_frame(t, 170 * MS);
    g_assert_null(slow);
    slow = answer(t);
    g_assert_cmpmem(slow->data, slow->len, good->data, good->len);
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
    ask(t);
    is_quiet(t);
    dw_migrate(t, MACHINE);
    g_assert_cmpint(fault_hits(t->qts, LINK, id), ==, 1);
    /* the clock of the new machine begins anew */
    late = mctp_receive_frame(t, ANSWER_NS);
    g_assert_nonnull(late);
    g_assert_cmpmem(late->data, late->len, good->data, good->len);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) dw_add_test("/mctp/fault/" #f, f, start)
    T(a_spoilt_packet_has_a_good_frame);
    T(answers_come_late_or_not_at_all);
    T(a_frame_can_have_a_wrong_code);
    T(a_frame_that_lost_the_bus_is_sent_again);
    T(what_is_late_migrates);
    return g_test_run();
}
