/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random MCTP traffic. Messages that are cut up, interleaved and, on some
 * runs, damaged come out whole or not at all; garbage never does harm.
 * Reference: DMTF DSP0236 8. The seed is printed; repeat with --seed=.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "mctp-test-util.h"
#include "hw/mctp/mctp-internal.h"

#define SENDERS 6
#define MESSAGES 200
/* the message type, and the number of the message among its sender's */
#define MIN_BODY 5

typedef struct Sender {
    MCTPTxQueue queue;
    MCTPStats stats;
    GPtrArray *sent;
} Sender;

static bool equal_bytes(const GByteArray *a, const GByteArray *b)
{
    return a->len == b->len && !memcmp(a->data, b->data, a->len);
}

/*
 * The transmit queue of each sender is the fragmenter, the endpoint the
 * assembler; @loss in 1000 packets is dropped or doubled. Never two in a row
 * of one sender and tag: with two bits of sequence number no receiver can tell
 * a message that lost its end, before one that lost its start, from a whole
 * one.
 */
static void round_trip(unsigned loss)
{
    const MCTPEndpointConfig config = {
        .max_message = MCTP_MESSAGE_MAX,
        .unit = 64,
        .static_eid = 9,
    };
    g_autoptr(Recorder) r = recorder_new(&config);
    MCTPEndpoint *ep = r->ep;
    g_autofree Sender *sender = g_new0(Sender, SENDERS);
    unsigned next[SENDERS] = { 0 };
    bool spoiled[SENDERS][8] = { { false } };
    unsigned left = SENDERS * MESSAGES;
    unsigned got = 0;

    for (unsigned s = 0; s < SENDERS; s++) {
        mctp_txqueue_init(&sender[s].queue, &sender[s].stats);
        sender[s].sent = g_ptr_array_new_with_free_func(
            (GDestroyNotify)g_byte_array_unref);
    }
    for (;;) {
        unsigned s = g_test_rand_int_range(0, SENDERS);
        MCTPTxPacket pkt;
        unsigned tag;

        if (left && g_test_rand_int_range(0, 4) == 0) {
            unsigned len = g_test_rand_int_range(0, 8) ?
                           g_test_rand_int_range(MIN_BODY, 600) :
                           g_test_rand_int_range(MIN_BODY,
                                                 MCTP_MESSAGE_MAX + 1);
            GByteArray *body = g_byte_array_sized_new(len);
            const MCTPPath path = {
                .remote = 9,
                .local = 20 + s,
                .tag = g_test_rand_int_range(0, 8),
                .to = true,
            };

            g_byte_array_set_size(body, len);
            for (unsigned i = 0; i < len; i++) {
                body->data[i] = g_test_rand_int();
            }
            body->data[0] = 0x08;
            stl_le_p(body->data + 1, sender[s].sent->len);
            if (mctp_txqueue_push(&sender[s].queue, &path,
                                  g_test_rand_int_range(64, 251),
                                  body->data, len, 0) == MCTP_DROP_NONE) {
                g_ptr_array_add(sender[s].sent, body);
                left--;
            } else {
                g_byte_array_unref(body);
            }
        }
        if (!mctp_txqueue_peek(&sender[s].queue, 0, &pkt)) {
            bool idle = left == 0;

            for (unsigned i = 0; i < SENDERS; i++) {
                idle = idle && mctp_txqueue_next(&sender[i].queue) < 0;
            }
            if (idle) {
                break;
            }
            continue;
        }
        mctp_txqueue_sent(&sender[s].queue, pkt.id, 0);
        tag = pkt.data[3] & 7;
        spoiled[s][tag] = !spoiled[s][tag] &&
                          g_test_rand_int_range(0, 1000) < loss;
        if (spoiled[s][tag]) {
            switch (g_test_rand_int_range(0, 2)) {
            case 0:
                continue;
            case 1:
                mctp_endpoint_receive(ep, pkt.data, pkt.len, s, 0);
                break;
            }
        }
        mctp_endpoint_receive(ep, pkt.data, pkt.len, s, 0);
    }

    /* per sender in order; with losses some are missing, none is wrong */
    for (unsigned i = 0; i < r->body->len; i++) {
        unsigned s = g_array_index(r->msg, MCTPMessage, i).request.path.link;
        const GByteArray *body = g_ptr_array_index(r->body, i);
        unsigned number = ldl_le_p(body->data + 1);

        g_assert_cmpuint(number, <, sender[s].sent->len);
        g_assert_true(equal_bytes(body, g_ptr_array_index(sender[s].sent,
                                                          number)));
        if (loss && next[s] && number == next[s] - 1) {
            /* a single packet message that was doubled on the way */
            continue;
        }
        g_assert_cmpuint(number, >=, next[s]);
        next[s] = number + 1;
        got++;
    }
    g_test_message("%u of %u messages, %" PRIu64 " packets", got,
                   SENDERS * MESSAGES, ep->stats.rx_packets);
    if (!loss) {
        g_assert_cmpuint(got, ==, SENDERS * MESSAGES);
    } else {
        g_assert_cmpuint(got, >, SENDERS * MESSAGES / 4);
        g_assert_cmpuint(got, <, SENDERS * MESSAGES);
    }
    for (unsigned s = 0; s < SENDERS; s++) {
        g_ptr_array_unref(sender[s].sent);
        mctp_txqueue_reset(&sender[s].queue);
    }
}

static void test_clean(void)
{
    round_trip(0);
}

static void test_lossy(void)
{
    round_trip(30);
}

/* Answers at once with what it was asked, and counts */
static void echo(void *opaque, MCTPEndpoint *ep, const MCTPMessage *msg)
{
    mctp_endpoint_reply(ep, &msg->request, msg->body, msg->len,
                        msg->request.arrival);
    ++*(unsigned *)opaque;
}

/* Packets with a likely header and anything behind, packets taken or not */
static void test_garbage(void)
{
    static const uint8_t eids[] = { 0, 1, 8, 9, 10, 254, 255 };
    const MCTPEndpointConfig config = {
        .max_message = 700,
        .unit = 64,
        .static_eid = 9,
    };
    MCTPEndpoint *ep = mctp_endpoint_new(&config);
    MCTPTxQueue *tx = mctp_endpoint_tx(ep);
    const MCTPStats *stats = &ep->stats;
    unsigned echoes = 0;
    int64_t now = 0;

    mctp_endpoint_add_type(ep, 0x08, MCTP_VERSION_1_0, echo, &echoes);
    for (unsigned i = 0; i < 200000; i++) {
        uint8_t packet[300];
        size_t len = g_test_rand_int_range(0, 8) ? 68 :
                     g_test_rand_int_range(0, sizeof(packet));
        MCTPTxPacket pkt;

        for (size_t b = 0; b < sizeof(packet); b++) {
            packet[b] = g_test_rand_int();
        }
        packet[0] = g_test_rand_int_range(0, 50) ? 1 : packet[0];
        packet[1] = eids[g_test_rand_int_range(0, ARRAY_SIZE(eids))];
        packet[2] = eids[g_test_rand_int_range(0, ARRAY_SIZE(eids))];
        packet[3] |= 0x08;
        packet[4] = g_test_rand_int_range(0, 2) ? 0x08 : 0x00;
        mctp_endpoint_receive(ep, packet, len,
                              g_test_rand_int_range(0, 3), now);
        now += g_test_rand_int_range(0, 100) ? MS / 10 : 1000 * MS;
        if (g_test_rand_int_range(0, 2) &&
            mctp_txqueue_peek(tx, now, &pkt)) {
            if (g_test_rand_int_range(0, 3)) {
                mctp_txqueue_sent(tx, pkt.id, now);
            } else {
                mctp_txqueue_refused(tx, pkt.id, now);
            }
        }
    }
    g_assert_cmpuint(stats->rx_packets, ==, 200000);
    g_assert_cmpuint(echoes, >, 1000);
    g_assert_cmpuint(stats->tx_messages, >, 1000);
    mctp_endpoint_free(ep);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mctp/random/clean", test_clean);
    g_test_add_func("/mctp/random/lossy", test_lossy);
    g_test_add_func("/mctp/random/garbage", test_garbage);
    return g_test_run();
}
