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

static char *machine_args(void)
{
    g_autofree char *one = line_args(0, "us0");
    g_autofree char *two = line_args(1, "us0");

    return g_strconcat(MCTP_MACHINE, one, two, NULL);
}

static QTestState *start(void)
{
    g_autofree char *args = machine_args();

    return qtest_init(args);
}

static void stop(QTestState *qts)
{
    /* QEMU is there to its end: its links are empty and it answers */
    g_assert_true(qtest_probe_child(qts));
    qtest_quit(qts);
}

static const uint8_t identify_head[] = {
    1, PEER_EID, LINE_EID(0), 0xc3, 8, 1, 0x55, 0, 1, 0, 18, 0, 0, 0, 0, 0, 0,
};

/* As recorded from Linux, and what goes back, byte for byte */
static void test_golden_frames(void)
{
    static const uint8_t get_eid[] = {
        0x7e, 0x01, 0x07, 0x01, 0x00, 0x08, 0xc8, 0x00, 0x80, 0x02, 0x2b,
        0xc1, 0x7e,
    };
    static const uint8_t want[] = {
        0x7e, 0x01, 0x0b, 0x01, 0x08, 0x09, 0xc0, 0x00, 0x00, 0x02, 0x00,
        0x09, 0x02, 0x00, 0xa1, 0x01, 0x7e,
    };
    QTestState *qts = start();
    g_autoptr(Line) l = line_open(0);
    uint8_t reply[sizeof(want)];

    line_write(l, get_eid, sizeof(get_eid));
    line_bytes(l, reply, sizeof(reply));
    g_assert_cmpmem(reply, sizeof(reply), want, sizeof(want));
    line_quiet(l);
    stop(qts);
}

/* However the bytes are cut into pieces on their way */
static void test_pieces(void)
{
    QTestState *qts = start();
    g_autoptr(Line) l = line_open(0);
    g_autoptr(GByteArray) request = line_cci(LINE_EID(0), PEER_EID, 3, 0x55,
                                             1, NULL, 0);

    for (unsigned piece = 1; piece <= request->len; piece++) {
        g_autoptr(GByteArray) packet = NULL;

        for (unsigned at = 0; at < request->len; at += piece) {
            line_write(l, request->data + at, MIN(piece, request->len - at));
            if (piece < 4) {
                /* time for the main loop to see the piece alone */
                qtest_readb(qts, 0);
            }
        }
        packet = line_packet(l);
        g_assert_cmpmem(packet->data, MIN(packet->len, 17), identify_head, 17);
    }
    line_quiet(l);
    stop(qts);
}

static void test_garbage(void)
{
    const uint32_t seed = g_test_rand_int();
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    QTestState *qts = start();
    g_autoptr(Line) l = line_open(0);
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
    stop(qts);
}

/* What an old peer left half is nothing to the new one */
static void test_reconnect(void)
{
    g_autoptr(GByteArray) request = line_cci(LINE_EID(0), PEER_EID, 3, 0x55,
                                             1, NULL, 0);
    QTestState *qts = start();

    for (unsigned cut = 0; cut <= request->len; cut++) {
        Line *l = line_open(0);

        line_write(l, request->data, cut);
        line_close(l);
        l = line_open(0);
        /* with no flag in front the rest alone is noise */
        line_write(l, request->data + cut, request->len - cut);
        if (cut == 0) {
            g_autoptr(GByteArray) packet = line_packet(l);

            g_assert_cmpmem(packet->data, MIN(packet->len, 17),
                            identify_head, 17);
        }
        line_quiet(l);
        line_close(l);
    }
    stop(qts);
}

/* A message of two packets, the line cut between them */
static void test_reconnect_in_a_message(void)
{
    static const uint8_t in[100];
    g_autoptr(GByteArray) request = line_cci(LINE_EID(0), PEER_EID, 3, 0x55,
                                             1, in, sizeof(in));
    /* all bytes of the first packet's frame, none is escaped */
    const unsigned first = 6 + 4 + 64;
    QTestState *qts = start();
    Line *l = line_open(0);
    g_autoptr(GByteArray) body = NULL;
    MCTPHeader hdr;

    g_assert_cmphex(request->data[first - 1], ==, 0x7e);
    g_assert_cmphex(request->data[first], ==, 0x7e);
    line_write(l, request->data, first);
    line_quiet(l);
    line_close(l);
    l = line_open(0);
    line_write(l, request->data + first, request->len - first);
    line_quiet(l);

    /* uncut, they are a message */
    line_write(l, request->data, request->len);
    body = line_message(l, &hdr);
    answer_is(line_answer(body, 0x55, 1), 0x16);
    line_close(l);
    stop(qts);
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
    Answer a = line_answer(body, n, 1);

    g_assert_cmphex(hdr.dest, ==, 8 + n / 8 % 200);
    g_assert_cmphex(hdr.tag, ==, n & 7);
    g_assert_cmphex(a.ret_code, ==, 0);
    g_assert_cmpuint(a.payload->len, ==, 18);
    answer_clear(&a);
}

/*
 * A peer that writes and never reads is made to wait; others do not notice,
 * and once it reads it gets every answer, in order.
 */
static void test_flood(void)
{
    QTestState *qts = start();
    g_autoptr(Line) l = line_open(0);
    g_autoptr(Line) other = line_open(1);
    g_autoptr(GByteArray) rest = NULL;
    unsigned n = flood(qts, l, &rest);

    g_test_message("%u requests", n);
    answer_is(line_command(other, 1, NULL, 0), 0);
    line_quiet(other);

    for (unsigned i = 0; i < n - 1; i++) {
        expect_flood_answer(l, i);
    }
    line_write(l, rest->data, rest->len);
    expect_flood_answer(l, n - 1);
    line_quiet(l);
    stop(qts);
}

/* ... unless it takes so long that nobody can still be waiting for them */
static void test_flood_too_late(void)
{
    QTestState *qts = start();
    g_autoptr(Line) l = line_open(0);
    g_autoptr(GByteArray) rest = NULL;
    unsigned n = flood(qts, l, &rest), answers = 0, last = 0;
    bool first = true;

    qtest_clock_step(qts, ANSWER_NS + 1);
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
    line_quiet(l);
    stop(qts);
}

/* The flooding peer goes; its unread answers do not reach the next one */
static void test_flood_and_leave(void)
{
    QTestState *qts = start();
    Line *l = line_open(0);
    g_autoptr(GByteArray) rest = NULL;

    flood(qts, l, &rest);
    line_close(l);
    l = line_open(0);
    line_quiet(l);
    line_close(l);
    stop(qts);
}

/* While the machine is stopped, so is the line */
static void test_stopped_machine(void)
{
    QTestState *qts = start();
    g_autoptr(Line) l = line_open(0);
    g_autoptr(GByteArray) request = line_cci(LINE_EID(0), PEER_EID, 3, 0x55,
                                             1, NULL, 0);
    g_autoptr(GByteArray) body = NULL;
    struct pollfd p = { .fd = l->fd, .events = POLLIN };
    MCTPHeader hdr;

    line_quiet(l);
    qtest_qmp_assert_success(qts, "{'execute': 'stop'}");
    line_write(l, request->data, request->len);
    for (int i = 0; i < 20; i++) {
        qtest_qmp_assert_success(qts, "{'execute': 'query-status'}");
        g_assert_cmpint(poll(&p, 1, 1), ==, 0);
    }
    qtest_qmp_assert_success(qts, "{'execute': 'cont'}");
    body = line_message(l, &hdr);
    answer_is(line_answer(body, 0x55, 1), 0);
    stop(qts);
}

/* Two peers of one component, requests of both under way at one time */
static void test_two_lines(void)
{
    QTestState *qts = start();
    Line *l[2] = { line_open(0), line_open(1) };

    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 2; i++) {
            g_autoptr(GByteArray) request = line_cci(LINE_EID(i), PEER_EID, 1,
                                                     round * 2 + i, 1, NULL,
                                                     0);

            line_write(l[i], request->data, request->len);
        }
        for (int i = 1; i >= 0; i--) {
            MCTPHeader hdr;
            g_autoptr(GByteArray) body = line_message(l[i], &hdr);
            Answer a = line_answer(body, round * 2 + i, 1);

            g_assert_cmphex(hdr.src, ==, LINE_EID(i));
            answer_clear(&a);
        }
    }
    for (int i = 0; i < 2; i++) {
        line_quiet(l[i]);
        line_close(l[i]);
    }
    stop(qts);
}

static GByteArray *line_uuid(void)
{
    static const uint8_t get_uuid[] = {
        1, LINE_EID(0), PEER_EID, 0xc8, 0, 0x80, 3,
    };
    g_autoptr(Line) l = line_open(0);
    GByteArray *answer;
    MCTPHeader hdr;

    line_send_packet(l, get_uuid, sizeof(get_uuid));
    answer = line_message(l, &hdr);
    g_assert_cmpuint(answer->len, ==, 4 + 16);
    g_assert_cmphex(answer->data[3], ==, 0);
    return answer;
}

static char *line_replace(const char *text, const char *old, const char *new)
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
    g_autofree char *numbered = machine_args();
    g_autofree char *args = line_replace(numbered, ",sn=0x1122334455667788",
                                         "");
    g_autofree char *renamed = line_replace(args, "us0", "upper");
    QTestState *qts = qtest_init(args);
    g_autoptr(GByteArray) before = line_uuid(), after = NULL, fresh = NULL;

    qts = cxl_migrate(qts, renamed);
    after = line_uuid();
    g_assert_cmpmem(after->data, after->len, before->data, before->len);
    stop(qts);

    qts = qtest_init(renamed);
    fresh = line_uuid();
    g_assert_cmpint(memcmp(fresh->data, before->data, fresh->len), !=, 0);
    stop(qts);
}

/* Bytes in the first packet of a long answer: Command Effects Log entries */
static unsigned first_packet(const char *unit)
{
    static const struct {
        uint8_t uuid[CXL_LOG_UUID_BYTES], offset[4], length[4];
    } cel = { .uuid = CXL_LOG_UUID_EFFECTS, .length = { 64 } };
    g_autofree char *line = g_strchomp(line_args(0, "us0"));
    g_autofree char *args = g_strconcat(MCTP_MACHINE, line, unit, NULL);
    QTestState *qts = qtest_init(args);
    g_autoptr(Line) l = line_open(0);
    g_autoptr(GByteArray) ask = line_cci(LINE_EID(0), PEER_EID, 1, 7, 0x0401,
                                         &cel, sizeof(cel));
    g_autoptr(GByteArray) packet = NULL;
    Answer a;

    a = line_command(l, 0x0401, &cel, sizeof(cel));
    g_assert_cmphex(a.ret_code, ==, 0);
    g_assert_cmpuint(a.payload->len, ==, 64);
    answer_clear(&a);
    line_write(l, ask->data, ask->len);
    packet = line_packet(l);
    for (bool end = packet->data[3] & 0x40; !end;) {
        g_autoptr(GByteArray) more = line_packet(l);

        end = more->data[3] & 0x40;
    }
    line_quiet(l);
    stop(qts);
    return packet->len;
}

/* The unit is Linux's unless the user says that the peer takes a larger one */
static void test_unit(void)
{
    g_assert_cmpuint(first_packet(""), ==, 4 + 64);
    g_assert_cmpuint(first_packet(",x-transmission-unit=70"), ==, 4 + 70);
    g_assert_cmpuint(first_packet(",x-transmission-unit=121"), ==,
                     4 + CCI_OVERHEAD + 64);
}

static void test_bad_unit(void)
{
    static const int unit[] = { 0, 63, 122 };
    QTestState *qts = start();

    for (int i = 0; i < ARRAY_SIZE(unit); i++) {
        QDict *rsp = qtest_qmp(qts, "{'execute': 'chardev-add', 'arguments': {"
                               "'id': 'more', 'backend': {'type': 'null',"
                               "'data': {}}}}");

        g_assert_true(qdict_haskey(rsp, "return"));
        qobject_unref(rsp);
        rsp = qtest_qmp(qts, "{'execute': 'device_add', 'arguments': {"
                        "'driver': 'mctp-serial-cxl', 'chardev': 'more',"
                        "'target': 'us0', 'x-transmission-unit': %d}}",
                        unit[i]);
        qmp_expect_error_and_unref(rsp, "GenericError");
        qtest_qmp_assert_success(qts, "{'execute': 'chardev-remove',"
                                 "'arguments': {'id': 'more'}}");
    }
    stop(qts);
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
    qtest_qmp_assert_success(qts, "{'execute': 'chardev-add', 'arguments': {"
                             "'id': 'more2', 'backend': {'type': 'null',"
                             "'data': {}}}}");
    qtest_qmp_assert_success(qts, "{'execute': 'device_add', 'arguments': {"
                             "'driver': 'mctp-serial-cxl',"
                             "'chardev': 'more2', 'target': 'us0'}}");
    stop(qts);
}

int main(int argc, char **argv)
{
    int ret;

    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/mctp-serial/golden-frames", test_golden_frames);
    qtest_add_func("/mctp-serial/pieces", test_pieces);
    qtest_add_func("/mctp-serial/garbage", test_garbage);
    qtest_add_func("/mctp-serial/reconnect", test_reconnect);
    qtest_add_func("/mctp-serial/reconnect-in-a-message",
                   test_reconnect_in_a_message);
    qtest_add_func("/mctp-serial/flood", test_flood);
    qtest_add_func("/mctp-serial/flood-too-late", test_flood_too_late);
    qtest_add_func("/mctp-serial/flood-and-leave", test_flood_and_leave);
    qtest_add_func("/mctp-serial/stopped-machine", test_stopped_machine);
    qtest_add_func("/mctp-serial/two-lines", test_two_lines);
    qtest_add_func("/mctp-serial/transmission-unit", test_unit);
    qtest_add_func("/mctp-serial/bad-transmission-unit", test_bad_unit);
    qtest_add_func("/mctp-serial/links-without-id", test_links_without_id);
    qtest_add_func("/mctp-serial/uuid-of-another-id", test_uuid_of_another_id);
    ret = g_test_run();
    line_cleanup();
    return ret;
}
