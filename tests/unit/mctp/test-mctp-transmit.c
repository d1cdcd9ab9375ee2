/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MCTP answers: fragmentation, addressing, order, refused packets, deadlines.
 * Reference: DMTF DSP0236 8.2; DSP0237 on NACKed writes.
 */
#include "qemu/osdep.h"
#include "mctp-test-util.h"
#include "hw/mctp/mctp-internal.h"

typedef struct Fixture {
    MCTPEndpoint *ep;
    Recorder *r;
    unsigned kicks;
} Fixture;

static void kick(void *opaque)
{
    ((Fixture *)opaque)->kicks++;
}

static void setup(Fixture *f, uint8_t eid, uint32_t unit)
{
    const MCTPEndpointConfig config = {
        .kick = kick,
        .kick_opaque = f,
        .max_message = 4096,
        .unit = unit,
        .static_eid = eid,
    };

    *f = (Fixture) { .r = recorder_new(&config) };
    f->ep = f->r->ep;
}

/* What most tests begin and end with */
static void begin(Fixture *f, gconstpointer data)
{
    setup(f, 9, 64);
}

static void end(Fixture *f, gconstpointer data)
{
    recorder_free(f->r);
}

static const MCTPRequest *request(Fixture *f, unsigned n)
{
    g_assert_cmpuint(n, <, f->r->msg->len);
    return &g_array_index(f->r->msg, MCTPMessage, n).request;
}

static MCTPDrop reply(Fixture *f, unsigned n, const char *body, int64_t now)
{
    g_autoptr(GByteArray) bytes = span(body);

    return mctp_endpoint_reply(f->ep, request(f, n), bytes->data, bytes->len,
                               now);
}

static uint64_t drops(Fixture *f, MCTPDrop why)
{
    return f->ep->stats.drop[why];
}

/* Header of the answer by header of the request and by own EID */
static const struct {
    uint8_t eid;
    const char *request;
    const char *answer;
} addressing[] = {
    { 9, "01 09 08 c8 | 08", "01 08 09 c0 | 08 11" },
    { 9, "01 09 08 cf | 08", "01 08 09 c7 | 08 11" },
    { 9, "01 09 00 ca | 08", "01 00 09 c2 | 08 11" },
    { 9, "01 00 08 c8 | 08", "01 08 09 c0 | 08 11" },
    { 0, "01 00 08 cb | 08", "01 08 00 c3 | 08 11" },
    { 0, "01 00 00 c8 | 08", "01 00 00 c0 | 08 11" },
    /* the request's sequence number has nothing to do with the answer's */
    { 9, "01 09 08 f8 | 08", "01 08 09 c0 | 08 11" },
};

static void test_addressing(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(addressing); i++) {
        Fixture f;

        setup(&f, addressing[i].eid, 64);
        g_assert_cmpint(feed(f.ep, addressing[i].request, 0x10, 0), ==, 0);
        expect_tx(f.ep, 0, NULL);
        g_assert_cmpuint(f.kicks, ==, 0);
        g_assert_cmpint(reply(&f, 0, "08 11", 0), ==, 0);
        g_assert_cmpuint(f.kicks, ==, 1);
        expect_tx(f.ep, 0, addressing[i].answer);
        expect_tx(f.ep, 0, NULL);
        end(&f, NULL);
    }
}

static const struct {
    unsigned unit;
    unsigned len;
    unsigned packets;
} splits[] = {
    { 64, 1, 1 }, { 64, 63, 1 }, { 64, 64, 1 }, { 64, 65, 2 },
    { 64, 128, 2 }, { 64, 129, 3 }, { 64, 256, 4 }, { 64, 257, 5 },
    { 64, 525, 9 }, { 64, 65536, 1024 }, { 65, 65, 1 }, { 65, 66, 2 },
    { 128, 129, 2 }, { 249, 250, 2 }, { 250, 250, 1 }, { 250, 251, 2 },
    { 250, 65536, 263 },
    /* the baseline is the least, an SMBus write the most there is */
    { 1, 65, 2 }, { 4000, 251, 2 },
};

static void test_splits(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(splits); i++) {
        unsigned unit = MIN(MAX(splits[i].unit, 64), 250);
        unsigned at = 0, n = 0;
        g_autofree uint8_t *body = g_malloc(splits[i].len);
        MCTPTxPacket pkt;
        Fixture f;

        for (unsigned b = 0; b < splits[i].len; b++) {
            body[b] = b * 7 + b / 64;
        }
        setup(&f, 9, splits[i].unit);
        g_assert_cmpint(feed(f.ep, "01 09 08 cd | 08", 0x10, 0), ==, 0);
        g_assert_cmpint(mctp_endpoint_reply(f.ep, request(&f, 0), body,
                                            splits[i].len, 0), ==, 0);
        while (mctp_txqueue_peek(mctp_endpoint_tx(f.ep), 0, &pkt)) {
            unsigned part = MIN(unit, splits[i].len - at);
            uint8_t flags = (n == 0 ? 0x80 : 0) | (n & 3) << 4 | 5 |
                            (at + part == splits[i].len ? 0x40 : 0);
            const uint8_t hdr[] = { 0x01, 0x08, 0x09, flags };

            g_assert_cmphex(pkt.link, ==, 0x10);
            g_assert_cmpmem(pkt.data, MCTP_HEADER_BYTES, hdr, sizeof(hdr));
            g_assert_cmpmem(pkt.data + 4, pkt.len - 4, body + at, part);
            mctp_txqueue_sent(mctp_endpoint_tx(f.ep), pkt.id, 0);
            at += part;
            n++;
        }
        g_assert_cmpuint(n, ==, splits[i].packets);
        g_assert_cmpuint(at, ==, splits[i].len);
        g_assert_cmpuint(f.ep->stats.tx_messages, ==, 1);
        end(&f, NULL);
    }
}

static void test_bad_lengths(Fixture *f, gconstpointer data)
{
    g_autofree uint8_t *body = g_malloc0(MCTP_MESSAGE_MAX + 1);

    feed(f->ep, "01 09 08 c8 | 08", 0, 0);
    g_assert_cmpint(mctp_endpoint_reply(f->ep, request(f, 0), body, 0, 0), ==,
                    MCTP_DROP_TOO_LONG);
    feed(f->ep, "01 09 08 c8 | 08", 0, 0);
    g_assert_cmpint(mctp_endpoint_reply(f->ep, request(f, 1), body,
                                        MCTP_MESSAGE_MAX + 1, 0), ==,
                    MCTP_DROP_TOO_LONG);
    g_assert_cmpint(f->kicks, ==, 0);
    expect_tx(f->ep, 0, NULL);
}

/* A refused packet comes again unchanged, later each time */
static void test_refusal_repeats_the_packet(Fixture *f, gconstpointer data)
{
    static const int pause_us[] = { 500, 1000, 2000, 4000, 8000, 8000 };
    MCTPTxQueue *tx = mctp_endpoint_tx(f->ep);
    MCTPTxPacket a, b;
    int64_t now = 5 * MS;

    feed(f->ep, "01 09 08 c8 | 08", 0x10, now);
    reply(f, 0, "08 11*63 22*64 33", now);
    g_assert_true(mctp_txqueue_peek(tx, now, &a));
    mctp_txqueue_sent(tx, a.id, now);

    g_assert_true(mctp_txqueue_peek(tx, now, &a));
    assert_span(a.data, a.len, "01 08 09 10 | 22*64");
    for (size_t i = 0; i < ARRAY_SIZE(pause_us); i++) {
        mctp_txqueue_refused(tx, a.id, now);
        g_assert_cmpint(mctp_txqueue_next(tx), ==, now + pause_us[i] * 1000);
        g_assert_false(mctp_txqueue_peek(tx, now, &b));
        now = mctp_txqueue_next(tx);
        g_assert_false(mctp_txqueue_peek(tx, now - 1, &b));
        g_assert_true(mctp_txqueue_peek(tx, now, &b));
        g_assert_cmpmem(a.data, a.len, b.data, b.len);
    }
    g_assert_cmpuint(f->ep->stats.tx_refusals, ==,
                     ARRAY_SIZE(pause_us));
    mctp_txqueue_sent(tx, b.id, now);
    expect_tx(f->ep, now, "01 08 09 60 | 33");
    g_assert_cmpint(mctp_txqueue_next(tx), ==, -1);
}

static void test_refused_too_long(Fixture *f, gconstpointer data)
{
    MCTPTxQueue *tx = mctp_endpoint_tx(f->ep);
    MCTPTxPacket pkt;
    int64_t now = 0;
    unsigned tries = 0;

    feed(f->ep, "01 09 08 c8 | 08", 0x10, now);
    reply(f, 0, "08 11*63 22", now);
    while ((now = mctp_txqueue_next(tx)) >= 0) {
        if (mctp_txqueue_peek(tx, now, &pkt)) {
            assert_span(pkt.data, pkt.len, "01 08 09 80 | 08 11*63");
            g_assert_cmpint(now, <, MCTP_TX_LIFETIME_NS);
            mctp_txqueue_refused(tx, pkt.id, now);
            tries++;
        }
    }
    g_assert_cmpuint(tries, >, 200);
    g_assert_cmpuint(drops(f, MCTP_DROP_REFUSED), ==, 1);
}

/* Each packet taken gives the message its full time again */
static void test_progress_extends_the_deadline(Fixture *f, gconstpointer data)
{
    feed(f->ep, "01 09 08 c8 | 08", 0x10, 0);
    reply(f, 0, "08 11*63 22*64 33", 0);
    expect_tx(f->ep, 1999 * MS, "01 08 09 80 | 08 11*63");
    expect_tx(f->ep, 3998 * MS, "01 08 09 10 | 22*64");
    expect_tx(f->ep, 5998 * MS, NULL);
    g_assert_cmpuint(drops(f, MCTP_DROP_REFUSED), ==, 1);
}

/* A dead address holds up nobody else; each gets its messages in order */
static void test_order_per_link(Fixture *f, gconstpointer data)
{
    MCTPTxQueue *tx = mctp_endpoint_tx(f->ep);
    MCTPTxPacket pkt;

    feed(f->ep, "01 09 08 c8 | 08", 0x10, 0);
    feed(f->ep, "01 09 08 c9 | 08", 0x10, 0);
    feed(f->ep, "01 09 0b c8 | 08", 0x11, 0);
    reply(f, 0, "08 01", 0);
    reply(f, 1, "08 02", 0);
    reply(f, 2, "08 03", 0);
    g_assert_true(mctp_txqueue_peek(tx, 0, &pkt));
    assert_span(pkt.data, pkt.len, "01 08 09 c0 | 08 01");
    mctp_txqueue_refused(tx, pkt.id, 0);
    expect_tx(f->ep, 0, "01 0b 09 c0 | 08 03");
    expect_tx(f->ep, 0, NULL);
    expect_tx(f->ep, MS, "01 08 09 c0 | 08 01");
    expect_tx(f->ep, MS, "01 08 09 c1 | 08 02");
}

static void test_queue_full(Fixture *f, gconstpointer data)
{
    for (unsigned i = 0; i <= MCTP_TX_SLOTS; i++) {
        g_autofree char *packet = g_strdup_printf("01 09 %02x c8 | 08",
                                                  20 + i);

        g_assert_cmpint(feed(f->ep, packet, 0x10, 0), ==, 0);
        g_assert_cmpint(reply(f, i, "08 11", 0), ==,
                        i < MCTP_TX_SLOTS ? MCTP_DROP_NONE :
                                            MCTP_DROP_QUEUE_FULL);
    }
    for (unsigned i = 0; i < MCTP_TX_SLOTS; i++) {
        g_autofree char *packet = g_strdup_printf("01 %02x 09 c0 | 08 11",
                                                  20 + i);

        expect_tx(f->ep, 0, packet);
    }
    expect_tx(f->ep, 0, NULL);
}

static void test_answered_once(Fixture *f, gconstpointer data)
{
    feed(f->ep, "01 09 08 c8 | 08", 0, 0);
    g_assert_cmpint(reply(f, 0, "08 01", 0), ==, MCTP_DROP_NONE);
    g_assert_cmpint(reply(f, 0, "08 02", 0), ==, MCTP_DROP_SUPERSEDED);
    expect_tx(f->ep, 0, "01 08 09 c0 | 08 01");
    expect_tx(f->ep, 0, NULL);
}

/* Same requester, same tag, first one still computing */
static void test_newest_request_wins(Fixture *f, gconstpointer data)
{
    feed(f->ep, "01 09 08 c8 | 08 01", 0, 0);
    feed(f->ep, "01 09 08 c8 | 08 02", 0, 0);
    g_assert_cmpint(reply(f, 0, "08 01", 0), ==, MCTP_DROP_SUPERSEDED);
    g_assert_cmpint(reply(f, 1, "08 02", 0), ==, MCTP_DROP_NONE);
    expect_tx(f->ep, 0, "01 08 09 c0 | 08 02");
    expect_tx(f->ep, 0, NULL);
}

/* Same again, the first answer queued or half sent already */
static void test_newest_request_cancels_answer(Fixture *f, gconstpointer data)
{
    MCTPTxQueue *tx = mctp_endpoint_tx(f->ep);
    MCTPTxPacket pkt;

    feed(f->ep, "01 09 08 c8 | 08 01", 0, 0);
    feed(f->ep, "01 09 08 c9 | 08 01", 0, 0);
    reply(f, 0, "08 11*63 22", 0);
    reply(f, 1, "08 44", 0);
    expect_tx(f->ep, 0, "01 08 09 80 | 08 11*63");
    g_assert_true(mctp_txqueue_peek(tx, 0, &pkt));
    assert_span(pkt.data, pkt.len, "01 08 09 50 | 22");

    feed(f->ep, "01 09 08 c8 | 08 02", 0, 0);
    g_assert_cmpuint(drops(f, MCTP_DROP_SUPERSEDED), ==, 1);
    reply(f, 2, "08 33", 0);
    /* the verdict on a packet of the cancelled message hits nobody */
    mctp_txqueue_sent(tx, pkt.id, 0);
    mctp_txqueue_refused(tx, pkt.id, 0);
    expect_tx(f->ep, 0, "01 08 09 c1 | 08 44");
    expect_tx(f->ep, 0, "01 08 09 c0 | 08 33");
    expect_tx(f->ep, 0, NULL);
}

static void test_late_answer(Fixture *f, gconstpointer data)
{
    feed(f->ep, "01 09 08 c8 | 08", 0, 0);
    feed(f->ep, "01 09 08 c9 | 08", 0, 0);
    g_assert_cmpint(reply(f, 0, "08 01", 2000 * MS), ==, MCTP_DROP_NONE);
    g_assert_cmpint(reply(f, 1, "08 01", 2000 * MS + 1), ==,
                    MCTP_DROP_LATE);
}

static void test_reset_drops_everything(Fixture *f, gconstpointer data)
{
    MCTPTxQueue *tx = mctp_endpoint_tx(f->ep);
    MCTPTxPacket pkt;

    feed(f->ep, "01 09 08 c8 | 08", 0, 0);
    feed(f->ep, "01 09 08 c9 | 08", 0, 0);
    reply(f, 0, "08 11*63 22", 0);
    g_assert_true(mctp_txqueue_peek(tx, 0, &pkt));
    mctp_endpoint_reset(f->ep);
    expect_tx(f->ep, 0, NULL);
    g_assert_cmpint(reply(f, 1, "08 01", 0), ==, MCTP_DROP_SUPERSEDED);

    /* ids from before the reset mean nothing after it */
    feed(f->ep, "01 09 08 c8 | 08", 0, 0);
    reply(f, 2, "08 02", 0);
    mctp_txqueue_sent(tx, pkt.id, 0);
    expect_tx(f->ep, 0, "01 08 09 c0 | 08 02");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) g_test_add_func("/mctp/transmit/" #f, test_ ## f)
    T(addressing);
    T(splits);
#undef T
#define T(f) \
    g_test_add("/mctp/transmit/" #f, Fixture, NULL, begin, test_ ## f, end)
    T(bad_lengths);
    T(refusal_repeats_the_packet);
    T(refused_too_long);
    T(progress_extends_the_deadline);
    T(order_per_link);
    T(queue_full);
    T(answered_once);
    T(newest_request_wins);
    T(newest_request_cancels_answer);
    T(late_answer);
    T(reset_drops_everything);
#undef T
    return g_test_run();
}
