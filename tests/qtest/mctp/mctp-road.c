/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bus owner on a bad road. Reference: DMTF DSP0236 8; DSP0237; CXL r3.2
 * 7.6.3.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "mctp-road.h"
#include "hw/mctp/mctp_assembler.h"
#include "hw/mctp/mctp_i2c_frame.h"
#include "hw/mctp/mctp_txqueue.h"

#define CCI_OVERHEAD 13

/* Of the exchanges that a packet may be hit in, fewer are hit as a whole */
#define DEAF_SHARE 4
#define STALLED_SHARE 16

/*
 * Steps of virtual time in which an answer must show up. The first lets the
 * controller settle; the endpoint itself takes no time, unless it has been
 * refused: all together are more than its longest pause between two tries.
 * A refusal needs no deaf controller: on a busy machine the answer to the
 * first of two equal requests meets the second one's register writes.
 */
static const int64_t patience[] = {
    500000, 500000, 1000000, 2000000, 4000000, 8000000, 8000000,
};

/* Register accesses that let the machine's main loop run after a step */
#define PUMP 2

/* What a receiver of packets makes of them */
typedef struct Follower {
    unsigned next_seq;
    unsigned packets;       /* of the message under way */
    unsigned whole;         /* messages that came to an end */
    bool open;
    bool cut;               /* one of them without some of its packets */
} Follower;

static void follow(Follower *f, const MCTPHeader *hdr, unsigned index)
{
    if (hdr->som) {
        f->open = true;
        f->packets = 0;
    } else if (f->open && hdr->seq != f->next_seq) {
        f->open = false;
    }
    f->next_seq = (hdr->seq + 1) & 3;
    f->packets++;
    if (hdr->eom && f->open) {
        f->open = false;
        f->whole++;
        f->cut |= f->packets != index + 1;
    }
}

/* One exchange: its tag, what got through, what became of it */
typedef struct Exchange {
    Follower request;
    Follower sent;          /* by the endpoint */
    Follower answer;        /* of that, what reached us */
    RoadFault mood;
    bool disturbed;
    uint8_t tag;
} Exchange;

static void expect(const Road *road, const Exchange *x, bool truth,
                   const char *what)
{
    if (!truth) {
        g_test_message("exchange %u, tag %u, mood %d: %s; messages: request "
                       "%u, sent %u, answer %u", road->serial, x->tag,
                       x->mood, what, x->request.whole, x->sent.whole,
                       x->answer.whole);
    }
    g_assert_true(truth);
}

static bool hit(Road *road, unsigned share)
{
    return road->one_in &&
           g_rand_int_range(road->rand, 0, road->one_in * share) == 0;
}

static RoadFault packet_fault(Road *road, Exchange *x, unsigned way)
{
    RoadFault fault = ROAD_FINE;

    if (hit(road, 1)) {
        fault = g_rand_int_range(road->rand, ROAD_DROPPED, ROAD_DAMAGED + 1);
        x->disturbed = true;
    }
    road->faults[way][fault]++;
    return fault;
}

static RoadFault exchange_fault(Road *road, Exchange *x)
{
    RoadFault fault = hit(road, STALLED_SHARE) ? ROAD_STALLED :
                      hit(road, DEAF_SHARE) ? ROAD_DEAF : ROAD_FINE;

    if (fault != ROAD_FINE) {
        x->disturbed = true;
        road->faults[1][fault]++;
    }
    return fault;
}

/* Not the address byte: it would go to another device, or to none */
static void damage(Road *road, uint8_t *frame, size_t len)
{
    frame[g_rand_int_range(road->rand, 1, len)] ^=
        g_rand_int_range(road->rand, 1, 256);
}

void road_deaf(Road *road)
{
    /* target mode is on; as a driver that shuts down ends it */
    dw_wr(road->t, R_CON, CON_LINUX_TARGET | CON_TARGET_DISABLE);
}

void road_listen(Road *road)
{
    dw_target_mode(road->t, OWN);
}

static uint32_t step(Road *road, int64_t ns)
{
    qtest_clock_step(road->t->qts, ns);
    for (int i = 0; i < PUMP; i++) {
        dw_rd(road->t, R_COMP_TYPE);
    }
    return dw_rd(road->t, R_RXFLR);
}

GByteArray *road_frame(Road *road)
{
    DwI2c *t = road->t;
    uint32_t level = dw_rd(t, R_RXFLR);
    GByteArray *frame;
    uint8_t byte = OWN << 1;

    for (size_t i = 0; !level; i++) {
        if (i == ARRAY_SIZE(patience)) {
            return NULL;
        }
        level = step(road, patience[i]);
    }
    frame = g_byte_array_sized_new(level + 1);
    g_byte_array_append(frame, &byte, 1);
    for (uint32_t i = 0; i < level; i++) {
        uint32_t word = dw_rd(t, R_DATA_CMD);

        g_assert_cmpuint(!!(word & FIRST_BYTE), ==, i == 0);
        byte = word;
        g_byte_array_append(frame, &byte, 1);
    }
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_STOP_DET);
    dw_rd(t, R_CLR_STOP_DET);
    return frame;
}

/* Shorter than what Linux does, which other tests do: each access takes time */
void road_write(Road *road, const uint8_t *frame, size_t len)
{
    DwI2c *t = road->t;

    g_assert_cmphex(frame[0], ==, road->address << 1);
    dw_wr(t, R_ENABLE, 0);
    dw_wr(t, R_CON, CON_LINUX_MASTER);
    if (!road->aimed) {
        dw_wr(t, R_TAR, frame[0] >> 1);
        road->aimed = true;
    }
    dw_wr(t, R_ENABLE, 1);
    for (size_t i = 1; i < len; i++) {
        dw_wr(t, R_DATA_CMD, frame[i] | (i == len - 1 ? CMD_STOP : 0));
    }
    /* acknowledged, every byte */
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_STOP_DET | I_TX_EMPTY);
}

static void send_packet(Road *road, Exchange *x, const MCTPTxPacket *pkt,
                        unsigned index)
{
    RoadFault fault = packet_fault(road, x, 0);
    uint8_t frame[MCTP_I2C_FRAME_MAX];
    size_t len = mctp_i2c_encode(road->address, OWN, pkt->data, pkt->len,
                                 frame);
    MCTPHeader hdr;

    g_assert_cmpuint(len, >, 0);
    g_assert_cmpint(mctp_header_decode(pkt->data, pkt->len, &hdr), ==, 0);
    if (fault == ROAD_DROPPED) {
        return;
    }
    if (fault == ROAD_DAMAGED) {
        damage(road, frame, len);
        road_write(road, frame, len);
        return;
    }
    for (int i = 0; i < (fault == ROAD_DOUBLED ? 2 : 1); i++) {
        follow(&x->request, &hdr, index);
        road_write(road, frame, len);
    }
}

static void send_request(Road *road, Exchange *x, const void *body,
                         size_t len)
{
    const MCTPPath path = {
        .remote = road->eid,
        .local = GUEST_EID,
        .tag = x->tag,
        .to = true,
    };
    g_autofree MCTPTxQueue *tx = g_new0(MCTPTxQueue, 1);
    MCTPStats stats = { 0 };
    MCTPTxPacket pkt;
    unsigned index = 0;

    mctp_txqueue_init(tx, &stats);
    g_assert_cmpint(mctp_txqueue_push(tx, &path, MCTP_UNIT_BASELINE, body,
                                      len, 0), ==, 0);
    if (x->mood != ROAD_FINE) {
        road_deaf(road);
    }
    while (mctp_txqueue_peek(tx, 0, &pkt)) {
        send_packet(road, x, &pkt, index++);
        mctp_txqueue_sent(tx, pkt.id, 0);
    }
    if (x->mood != ROAD_FINE) {
        /* tries of the endpoint, all in vain */
        expect(road, x, !road_frame(road),
               "an answer in spite of NACKs");
        if (x->mood == ROAD_STALLED) {
            step(road, ANSWER_NS);
        }
        road_listen(road);
    } else {
        /* what else there is to target mode is as it was */
        dw_wr(road->t, R_ENABLE, 0);
        dw_wr(road->t, R_CON, CON_LINUX_TARGET);
        dw_wr(road->t, R_ENABLE, 1);
    }
}

/* Check a frame and give it to the assembler, as often as the road likes */
static GByteArray *take_frame(Road *road, Exchange *x, MCTPAssembler *rx,
                              GByteArray *frame, unsigned *index)
{
    RoadFault fault = packet_fault(road, x, 1);
    GByteArray *reply = NULL;
    MCTPI2CFrame f;
    MCTPHeader hdr;

    g_assert_cmpint(mctp_i2c_decode(frame->data, frame->len, &f), ==,
                    MCTP_I2C_OK);
    g_assert_cmphex(f.source, ==, road->address);
    g_assert_cmpuint(f.len, <=, MCTP_HEADER_BYTES + MCTP_UNIT_BASELINE);
    g_assert_cmpint(mctp_header_decode(f.packet, f.len, &hdr), ==, 0);
    expect(road, x, hdr.dest == GUEST_EID && hdr.src == road->eid &&
           hdr.tag == x->tag && !hdr.to, "a packet of another exchange");
    *index = hdr.som ? 0 : *index + 1;
    follow(&x->sent, &hdr, *index);

    if (fault == ROAD_DAMAGED) {
        damage(road, frame->data, frame->len);
        expect(road, x, mctp_i2c_decode(frame->data, frame->len, &f) !=
               MCTP_I2C_OK, "damage that does not show");
    }
    if (fault == ROAD_DAMAGED || fault == ROAD_DROPPED) {
        return NULL;
    }
    for (int i = 0; i < (fault == ROAD_DOUBLED ? 2 : 1); i++) {
        MCTPAssembled done;

        follow(&x->answer, &hdr, *index);
        mctp_assembler_feed(rx, &hdr, f.source, f.packet + MCTP_HEADER_BYTES,
                            f.len - MCTP_HEADER_BYTES, 0, &done);
        if (done.body && reply) {
            /* a message of one packet, twice */
            g_byte_array_unref(done.body);
        } else if (done.body) {
            reply = done.body;
        }
    }
    return reply;
}

static GByteArray *receive_answer(Road *road, Exchange *x)
{
    g_autofree MCTPAssembler *rx = g_new0(MCTPAssembler, 1);
    MCTPStats stats = { 0 };
    GByteArray *reply = NULL;
    unsigned index = 0;

    mctp_assembler_init(rx, MCTP_MESSAGE_MAX, &stats);
    /* a disturbed exchange may have more to come: wait until it is quiet */
    while (!reply || x->disturbed) {
        g_autoptr(GByteArray) frame = road_frame(road);
        GByteArray *body;

        if (!frame) {
            break;
        }
        expect(road, x, x->request.whole && x->mood != ROAD_STALLED,
               "an answer to nothing");
        body = take_frame(road, x, rx, frame, &index);
        if (body && reply) {
            /* the request came twice, and so does the answer */
            g_byte_array_unref(body);
        } else if (body) {
            reply = body;
        }
    }
    mctp_assembler_reset(rx);
    expect(road, x, !x->sent.cut, "gaps in what the endpoint sent");
    expect(road, x, x->sent.whole <= x->request.whole, "too many answers");
    if (x->request.whole && x->mood != ROAD_STALLED) {
        expect(road, x, x->sent.whole > 0, "no answer");
    }
    expect(road, x, !!x->answer.whole == !!reply, "assembly");
    if (x->answer.cut) {
        /* FM software sees the wrong length */
        g_clear_pointer(&reply, g_byte_array_unref);
    }
    return reply;
}

static GByteArray *exchange(Road *road, const void *body, size_t len,
                            bool *shortened)
{
    Exchange x = { .tag = road->serial++ & 7 };
    GByteArray *reply;

    x.mood = exchange_fault(road, &x);
    send_request(road, &x, body, len);
    reply = receive_answer(road, &x);
    if (!reply) {
        road->timeouts++;
        expect(road, &x, x.disturbed, "a timeout without a reason");
        /*
         * Tags come round after eight exchanges: until then the endpoint must
         * have given up what it has of this request, or the end of another
         * one, whose beginning is lost, may fit to it.
         */
        expect(road, &x, !step(road, ANSWER_NS) &&
               !step(road, MCTP_ASSEMBLY_TIMEOUT_NS),
               "an answer after the timeout");
    }
    *shortened = x.request.cut;
    return reply;
}

RoadAnswer road_command(Road *road, uint16_t opcode, const void *in,
                        size_t len)
{
    const uint8_t type = opcode >= 0x5100 && opcode < 0x6000 ? 7 : 8;
    const uint8_t tag = road->serial;
    g_autofree uint8_t *body = g_malloc0(CCI_OVERHEAD + len);
    g_autoptr(GByteArray) reply = NULL;
    RoadAnswer a = { .ret_code = NO_ANSWER };

    body[0] = type;
    body[2] = tag;
    stw_le_p(body + 4, opcode);
    stw_le_p(body + 6, len);
    if (len) {
        memcpy(body + CCI_OVERHEAD, in, len);
    }
    reply = exchange(road, body, CCI_OVERHEAD + len, &a.shortened);
    if (!reply) {
        return a;
    }
    g_assert_cmpuint(reply->len, >=, CCI_OVERHEAD);
    g_assert_cmphex(reply->data[0], ==, type);
    g_assert_cmphex(reply->data[1], ==, 1);
    g_assert_cmphex(reply->data[2], ==, tag);
    g_assert_cmphex(lduw_le_p(reply->data + 4), ==, opcode);
    g_assert_cmphex(reply->data[8], ==, 0);
    g_assert_cmpuint(lduw_le_p(reply->data + 6), ==,
                     reply->len - CCI_OVERHEAD);
    a.ret_code = lduw_le_p(reply->data + 9);
    a.payload = g_byte_array_new();
    g_byte_array_append(a.payload, reply->data + CCI_OVERHEAD,
                        reply->len - CCI_OVERHEAD);
    return a;
}

void road_answer_clear(RoadAnswer *a)
{
    g_clear_pointer(&a->payload, g_byte_array_unref);
}
