/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mctp-serial-cxl and the peers that it may meet: exact bytes, garbage,
 * halves of frames, peers that flood, that never read, that come and go.
 * Reference: DMTF DSP0236, DSP0253; CXL r3.2 7.6.3.
 */
#include "qemu/osdep.h"
#include <poll.h>
#include "qemu/bswap.h"
#include "tests/qtest/cxl/cxl-log-uuids.h"
#include "tests/qtest/cxl/cxl-qtest.h"
#include "mctp-line.h"

static const LineSetup setup = {
    .machine = MCTP_MACHINE, .target = { "us0", "us0" },
};

static const LineSetup units = {
    .machine = MCTP_MACHINE,
    .target = {
        "us0", "us0,x-transmission-unit=70", "us0,x-transmission-unit=121",
    },
};

#define ADD_NULL \
    "{'execute': 'chardev-add', 'arguments': {'id': 'more', " \
    "'backend': {'type': 'null', 'data': {}}}}"

static GByteArray *identify(void)
{
    return line_cci(LINE_EID(0), PEER_EID, 3, 0x55, 1, NULL, 0);
}

/* As recorded from Linux, and what goes back, byte for byte */
static void test_golden_frames(LineTest *t, Line *l)
{
    static const uint8_t get_eid[] = {
        0x7e, 0x01, 0x07, 0x01, 0x00, 0x08, 0xc8, 0x00, 0x80, 0x02, 0x2b,
        0xc1, 0x7e,
    };
    static const uint8_t want[] = {
        0x7e, 0x01, 0x0b, 0x01, 0x08, 0x09, 0xc0, 0x00, 0x00, 0x02, 0x00,
        0x09, 0x02, 0x00, 0xa1, 0x01, 0x7e,
    };
    uint8_t reply[sizeof(want)];

    line_write(l, get_eid, sizeof(get_eid));
    line_bytes(l, reply, sizeof(reply));
    g_assert_cmpmem(reply, sizeof(reply), want, sizeof(want));
}

static void test_garbage(LineTest *t, Line *l)
{
    const uint32_t seed = g_test_rand_int();
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    g_autofree uint8_t *noise = g_malloc(8192);

    g_test_message("seed %u", seed);
    for (int round = 0; round < 20; round++) {
        size_t len = g_rand_int_range(rand, 1, 8192);

        for (size_t i = 0; i < len; i++) {
            /* more often than by chance what steers the parser */
            static const uint8_t hot[] = { 0x7e, 0x7d, 0x01, 0x05 };

            noise[i] = g_rand_boolean(rand) ? g_rand_int(rand) :
                       hot[g_rand_int_range(rand, 0, sizeof(hot))];
        }
        line_write(l, noise, len);
        line_resync(l);
    }
    answer_is(line_command(l, 1, NULL, 0), 0);
}

/* What an old peer left half is nothing to the new one */
static void test_reconnect(LineTest *t, Line *l)
{
    g_autoptr(GByteArray) request = identify();

    for (unsigned cut = 0; cut <= request->len; cut++) {
        l = line_anew(t, 0);
        line_write(l, request->data, cut);
        l = line_anew(t, 0);
        /* with no flag in front the rest alone is noise */
        line_write(l, request->data + cut, request->len - cut);
        if (cut == 0) {
            answer_has(line_next(l, 0x55, 1), 18);
        }
        line_quiet(l);
    }
}

/* A message of two packets, the line cut between them */
static void test_reconnect_in_a_message(LineTest *t, Line *l)
{
    line_half(l, l->eid, 0);
    line_quiet(l);
    l = line_anew(t, 0);
    line_half(l, l->eid, 1);
    line_quiet(l);

    /* uncut, they are a message */
    line_half(l, l->eid, 0);
    line_half(l, l->eid, 1);
    line_whole(l);
}

/* The @n-th request of a flood: no two that can be under way share a tag */
static GByteArray *flood_request(unsigned n)
{
    return line_cci(LINE_EID(0), 8 + n / 8 % 200, n & 7, n, 1, NULL, 0);
}

/*
 * Has QEMU stopped to read? Each access takes its main loop round, and in each
 * round it reads some of what is there: a small part of so many would make
 * room for more.
 */
static bool is_stalled(QTestState *qts, Line *l)
{
    struct pollfd p = { .fd = l->fd, .events = POLLOUT };

    for (int i = 0; i < 300; i++) {
        qtest_readb(qts, 0);
        if (poll(&p, 1, 0) != 0) {
            return false;
        }
    }
    return true;
}

/* Write requests until no more are taken; returns how many were begun */
static unsigned flood(QTestState *qts, Line *l, GByteArray **rest)
{
    unsigned n = 0;

    /* far more than all buffers on the way can hold */
    while (n < 1000000) {
        g_autoptr(GByteArray) request = flood_request(n++);
        size_t at = 0;

        while (at < request->len) {
            ssize_t taken = line_try_write(l, request->data + at,
                                           request->len - at);

            g_assert_cmpint(taken, >=, 0);
            at += taken;
            if (taken == 0 && is_stalled(qts, l)) {
                *rest = g_byte_array_new();
                g_byte_array_append(*rest, request->data + at,
                                    request->len - at);
                return n;
            }
        }
    }
    g_assert_not_reached();
}

static void expect_flood_answer(Line *l, unsigned n)
{
    MCTPHeader hdr;
    g_autoptr(GByteArray) body = line_message(l, &hdr);

    g_assert_cmphex(hdr.dest, ==, 8 + n / 8 % 200);
    g_assert_cmphex(hdr.tag, ==, n & 7);
    answer_has(line_answer(body, n, 1), 18);
}

/*
 * A peer that writes and never reads is made to wait; others do not notice,
 * and once it reads it gets every answer, in order.
 */
static void test_flood(LineTest *t, Line *l)
{
    Line *other = line_of(t, 1);
    g_autoptr(GByteArray) rest = NULL;
    unsigned n = flood(t->i2c.qts, l, &rest);

    g_test_message("%u requests", n);
    answer_is(line_command(other, 1, NULL, 0), 0);
    line_quiet(other);

    for (unsigned i = 0; i < n - 1; i++) {
        expect_flood_answer(l, i);
    }
    line_write(l, rest->data, rest->len);
    expect_flood_answer(l, n - 1);
}

/* ... unless it takes so long that nobody can still be waiting for them */
static void test_flood_too_late(LineTest *t, Line *l)
{
    g_autoptr(GByteArray) rest = NULL;
    unsigned n = flood(t->i2c.qts, l, &rest), answers = 0, last = 0;
    bool first = true;

    qtest_clock_step(t->i2c.qts, ANSWER_NS + 1);
    /* the next answers that come are of the requests after the lost ones */
    do {
        MCTPHeader hdr;
        g_autoptr(GByteArray) body = line_message(l, &hdr);
        unsigned at;

        at = (hdr.dest - 8) * 8 + hdr.tag;
        g_assert_true(first || at != last);
        first = false;
        last = at;
        answers++;
    } while (last != (n - 2) % 1600 || answers + 64 < n - 1);
    g_assert_cmpuint(answers, <, n - 1);
    line_write(l, rest->data, rest->len);
    expect_flood_answer(l, n - 1);
}

/* The flooding peer goes; its unread answers do not reach the next one */
static void test_flood_and_leave(LineTest *t, Line *l)
{
    g_autoptr(GByteArray) rest = NULL;

    flood(t->i2c.qts, l, &rest);
    line_quiet(line_anew(t, 0));
}

/* While the machine is stopped, so is the line */
static void test_stopped_machine(LineTest *t, Line *l)
{
    g_autoptr(GByteArray) request = identify();
    struct pollfd p = { .fd = l->fd, .events = POLLIN };

    line_quiet(l);
    qtest_qmp_assert_success(t->i2c.qts, "{'execute': 'stop'}");
    line_write(l, request->data, request->len);
    for (int i = 0; i < 20; i++) {
        qtest_qmp_assert_success(t->i2c.qts, "{'execute': 'query-status'}");
        g_assert_cmpint(poll(&p, 1, 1), ==, 0);
    }
    qtest_qmp_assert_success(t->i2c.qts, "{'execute': 'cont'}");
    answer_has(line_next(l, 0x55, 1), 18);
}

/* Two peers of one component, requests of both under way at one time */
static void test_two_lines(LineTest *t, Line *l)
{
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 2; i++) {
            line_request(line_of(t, i), PEER_EID, 1, round * 2 + i, 1, NULL,
                         0);
        }
        for (int i = 1; i >= 0; i--) {
            answer_has(line_next(line_of(t, i), round * 2 + i, 1), 18);
        }
    }
}

static GByteArray *uuid(void)
{
    g_autoptr(Line) l = line_open(0);

    return line_uuid(l);
}

static char *replace(const char *text, const char *old, const char *new)
{
    g_auto(GStrv) parts = g_strsplit(text, old, -1);

    return g_strjoinv(new, parts);
}

/*
 * Components without a serial number get their UUID from their id; a bus owner
 * in the guest may not see another one because the host uses other ids
 */
static void test_uuid_of_another_id(void)
{
    g_autofree char *line = line_args(0, "us0");
    g_autofree char *numbered = g_strconcat(MCTP_MACHINE, line, NULL);
    g_autofree char *args = replace(numbered, ",sn=0x1122334455667788", "");
    g_autofree char *renamed = replace(args, "us0", "upper");
    QTestState *qts = qtest_init(args);
    g_autoptr(GByteArray) before = uuid(), after = NULL, fresh = NULL;

    qts = cxl_migrate(qts, renamed);
    after = uuid();
    g_assert_cmpmem(after->data, after->len, before->data, before->len);
    qtest_quit(qts);

    qts = qtest_init(renamed);
    fresh = uuid();
    g_assert_cmpint(memcmp(fresh->data, before->data, fresh->len), !=, 0);
    qtest_quit(qts);
}

/*
 * Bytes in the first packet of a long answer, Command Effects Log entries: the
 * unit is Linux's unless the user says that the peer takes a larger one
 */
static void test_unit(LineTest *t, Line *unused)
{
    static const unsigned first[] = {
        4 + 64, 4 + 70, 4 + CCI_OVERHEAD + 64,
    };
    static const struct {
        uint8_t uuid[CXL_LOG_UUID_BYTES], offset[4], length[4];
    } cel = { .uuid = CXL_LOG_UUID_EFFECTS, .length = { 64 } };

    for (unsigned n = 0; n < ARRAY_SIZE(first); n++) {
        Line *l = line_of(t, n);
        bool end = false;

        answer_has(line_command(l, 0x0401, &cel, sizeof(cel)), 64);
        line_request(l, PEER_EID, 1, 7, 0x0401, &cel, sizeof(cel));
        for (unsigned at = 0; !end; at++) {
            g_autoptr(GByteArray) packet = line_packet(l);

            g_assert_true(at || packet->len == first[n]);
            end = packet->data[3] & 0x40;
        }
    }
}

static void test_bad_unit(LineTest *t, Line *l)
{
    static const char *const unit[] = { "0", "63", "122" };

    qtest_qmp_assert_success(t->i2c.qts, ADD_NULL);
    for (size_t i = 0; i < ARRAY_SIZE(unit); i++) {
        g_autofree char *props = g_strconcat(
            "'driver': 'mctp-serial-cxl', 'chardev': 'more',"
            "'target': 'us0', 'x-transmission-unit': ", unit[i], NULL);

        line_plug(t->i2c.qts, props, "'x-transmission-unit' is");
    }
    /* none has kept the chardev */
    qtest_qmp_assert_success(t->i2c.qts, "{'execute': 'chardev-remove',"
                             "'arguments': {'id': 'more'}}");
}

/* A link has a name in the stream, whether the user gave it an id or not */
static void test_links_without_id(void)
{
    static const char unnamed[] = "mctp-serial-cxl,target=us0,chardev=more";
    g_autofree char *line = line_args(0, "us0");
    g_autofree char *args = g_strdup_printf(
        MCTP_MACHINE "%s-chardev null,id=more0 -chardev null,id=more1 "
        "-device %s0 -device %s1", line, unnamed, unnamed);
    QTestState *qts = cxl_migrate(qtest_init(args), args);
    g_autoptr(Line) l = line_open(0);

    answer_is(line_command(l, 1, NULL, 0), 0);
    qtest_qmp_assert_success(qts, ADD_NULL);
    line_plug(qts, "'driver': 'mctp-serial-cxl', 'chardev': 'more',"
              "'target': 'us0'", NULL);
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(name, f) line_add_test(&line_serial, name, &setup, test_ ## f)
    T("golden-frames", golden_frames);
    T("garbage", garbage);
    T("reconnect", reconnect);
    T("reconnect-in-a-message", reconnect_in_a_message);
    T("flood", flood);
    T("flood-too-late", flood_too_late);
    T("flood-and-leave", flood_and_leave);
    T("stopped-machine", stopped_machine);
    T("two-lines", two_lines);
    T("bad-transmission-unit", bad_unit);
    line_add_test(&line_serial, "transmission-unit", &units, test_unit);
    qtest_add_func("/mctp-serial/links-without-id", test_links_without_id);
    qtest_add_func("/mctp-serial/uuid-of-another-id", test_uuid_of_another_id);
    return line_test_main();
}
