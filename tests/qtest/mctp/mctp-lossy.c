/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bus owner on a bad link. Reference: DMTF DSP0236 8; DSP0237; CXL r3.2
 * 7.6.3.
 */
#include "qemu/osdep.h"
#include "mctp-lossy.h"
#include "hw/mctp/mctp_assembler.h"
#include "hw/mctp/mctp_i2c_frame.h"

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
    LossyFault mood;
    bool disturbed;
    uint8_t tag;
} Exchange;

static void expect(const LossyLink *link, const Exchange *x, bool truth,
                   const char *what)
{
    if (!truth) {
        g_test_message("exchange %u, tag %u, mood %d: %s; messages: request "
                       "%u, sent %u, answer %u", link->serial, x->tag,
                       x->mood, what, x->request.whole, x->sent.whole,
                       x->answer.whole);
    }
    g_assert_true(truth);
}

static bool hit(LossyLink *link, unsigned share)
{
    return link->one_in &&
           g_rand_int_range(link->rand, 0, link->one_in * share) == 0;
}

static LossyFault packet_fault(LossyLink *link, Exchange *x, unsigned way)
{
    LossyFault fault = LOSSY_FINE;

    if (hit(link, 1)) {
        fault = g_rand_int_range(link->rand, LOSSY_DROPPED, LOSSY_DAMAGED + 1);
        x->disturbed = true;
    }
    link->faults[way][fault]++;
    return fault;
}

static LossyFault exchange_fault(LossyLink *link, Exchange *x)
{
    LossyFault fault = hit(link, STALLED_SHARE) ? LOSSY_STALLED :
                      hit(link, DEAF_SHARE) ? LOSSY_DEAF : LOSSY_FINE;

    if (fault != LOSSY_FINE) {
        x->disturbed = true;
        link->faults[1][fault]++;
    }
    return fault;
}

/* Not the address byte: it would go to another device, or to none */
static void damage(LossyLink *link, uint8_t *frame, size_t len)
{
    frame[g_rand_int_range(link->rand, 1, len)] ^=
        g_rand_int_range(link->rand, 1, 256);
}

void lossy_deaf(LossyLink *link)
{
    /* target mode is on; as a driver that shuts down ends it */
    dw_wr(link->t, R_CON, CON_LINUX_TARGET | CON_TARGET_DISABLE);
}

void lossy_listen(LossyLink *link)
{
    dw_target_mode(link->t, OWN);
}

static uint32_t step(LossyLink *link, int64_t ns)
{
    qtest_clock_step(link->t->qts, ns);
    for (int i = 0; i < PUMP; i++) {
        dw_rd(link->t, R_COMP_TYPE);
    }
    return dw_rd(link->t, R_RXFLR);
}

GByteArray *lossy_frame(LossyLink *link)
{
    DwI2c *t = link->t;
    uint32_t level = dw_rd(t, R_RXFLR);
    GByteArray *frame;
    uint8_t byte = OWN << 1;

    for (size_t i = 0; !level; i++) {
        if (i == ARRAY_SIZE(patience)) {
            return NULL;
        }
        level = step(link, patience[i]);
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
void lossy_write(LossyLink *link, const uint8_t *frame, size_t len)
{
    DwI2c *t = link->t;

    g_assert_cmphex(frame[0], ==, link->address << 1);
    dw_wr(t, R_ENABLE, 0);
    dw_wr(t, R_CON, CON_LINUX_MASTER);
    if (!link->aimed) {
        dw_wr(t, R_TAR, frame[0] >> 1);
        link->aimed = true;
    }
    dw_wr(t, R_ENABLE, 1);
    for (size_t i = 1; i < len; i++) {
        dw_wr(t, R_DATA_CMD, frame[i] | (i == len - 1 ? CMD_STOP : 0));
    }
    /* acknowledged, every byte */
    g_assert_cmphex(dw_rd(t, R_RAW_INTR_STAT), ==, I_STOP_DET | I_TX_EMPTY);
}

static void send_packet(LossyLink *link, Exchange *x, const GByteArray *pkt,
                        unsigned index)
{
    LossyFault fault = packet_fault(link, x, 0);
    uint8_t frame[MCTP_I2C_FRAME_MAX];
    size_t len = mctp_i2c_encode(link->address, OWN, pkt->data, pkt->len,
                                 frame);
    MCTPHeader hdr;

    g_assert_cmpuint(len, >, 0);
    g_assert_cmpint(mctp_header_decode(pkt->data, pkt->len, &hdr), ==, 0);
    if (fault == LOSSY_DROPPED) {
        return;
    }
    if (fault == LOSSY_DAMAGED) {
        damage(link, frame, len);
        lossy_write(link, frame, len);
        return;
    }
    for (int i = 0; i < (fault == LOSSY_DOUBLED ? 2 : 1); i++) {
        follow(&x->request, &hdr, index);
        lossy_write(link, frame, len);
    }
}

static void send_request(LossyLink *link, Exchange *x,
                         const GPtrArray *packets)
{
    if (x->mood != LOSSY_FINE) {
        lossy_deaf(link);
    }
    for (unsigned i = 0; i < packets->len; i++) {
        send_packet(link, x, g_ptr_array_index(packets, i), i);
    }
    if (x->mood != LOSSY_FINE) {
        /* tries of the endpoint, all in vain */
        expect(link, x, !lossy_frame(link),
               "an answer in spite of NACKs");
        if (x->mood == LOSSY_STALLED) {
            step(link, ANSWER_NS);
        }
        lossy_listen(link);
    } else {
        /* what else there is to target mode is as it was */
        dw_wr(link->t, R_ENABLE, 0);
        dw_wr(link->t, R_CON, CON_LINUX_TARGET);
        dw_wr(link->t, R_ENABLE, 1);
    }
}

/* Check a frame and give it to the assembler, as often as the link likes */
static GByteArray *take_frame(LossyLink *link, Exchange *x, MCTPAssembler *rx,
                              GByteArray *frame, unsigned *index)
{
    LossyFault fault = packet_fault(link, x, 1);
    GByteArray *reply = NULL;
    MCTPI2CFrame f;
    MCTPHeader hdr;

    g_assert_cmpint(mctp_i2c_decode(frame->data, frame->len, &f), ==,
                    MCTP_I2C_OK);
    g_assert_cmphex(f.source, ==, link->address);
    g_assert_cmpuint(f.len, <=, MCTP_HEADER_BYTES + MCTP_UNIT_BASELINE);
    g_assert_cmpint(mctp_header_decode(f.packet, f.len, &hdr), ==, 0);
    expect(link, x, hdr.dest == GUEST_EID && hdr.src == link->eid &&
           hdr.tag == x->tag && !hdr.to, "a packet of another exchange");
    *index = hdr.som ? 0 : *index + 1;
    follow(&x->sent, &hdr, *index);

    if (fault == LOSSY_DAMAGED) {
        damage(link, frame->data, frame->len);
        expect(link, x, mctp_i2c_decode(frame->data, frame->len, &f) !=
               MCTP_I2C_OK, "damage that does not show");
    }
    if (fault == LOSSY_DAMAGED || fault == LOSSY_DROPPED) {
        return NULL;
    }
    for (int i = 0; i < (fault == LOSSY_DOUBLED ? 2 : 1); i++) {
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

static GByteArray *receive_answer(LossyLink *link, Exchange *x)
{
    g_autofree MCTPAssembler *rx = g_new0(MCTPAssembler, 1);
    MCTPStats stats = { 0 };
    GByteArray *reply = NULL;
    unsigned index = 0;

    mctp_assembler_init(rx, MCTP_MESSAGE_MAX, &stats);
    /* a disturbed exchange may have more to come: wait until it is quiet */
    while (!reply || x->disturbed) {
        g_autoptr(GByteArray) frame = lossy_frame(link);
        GByteArray *body;

        if (!frame) {
            break;
        }
        expect(link, x, x->request.whole && x->mood != LOSSY_STALLED,
               "an answer to nothing");
        body = take_frame(link, x, rx, frame, &index);
        if (body && reply) {
            /* the request came twice, and so does the answer */
            g_byte_array_unref(body);
        } else if (body) {
            reply = body;
        }
    }
    mctp_assembler_reset(rx);
    expect(link, x, !x->sent.cut, "gaps in what the endpoint sent");
    expect(link, x, x->sent.whole <= x->request.whole, "too many answers");
    if (x->request.whole && x->mood != LOSSY_STALLED) {
        expect(link, x, x->sent.whole > 0, "no answer");
    }
    expect(link, x, !!x->answer.whole == !!reply, "assembly");
    if (x->answer.cut) {
        /* FM software sees the wrong length */
        g_clear_pointer(&reply, g_byte_array_unref);
    }
    return reply;
}

static GByteArray *exchange(LossyLink *link, const GPtrArray *packets,
                            Exchange *x)
{
    GByteArray *reply;

    x->mood = exchange_fault(link, x);
    send_request(link, x, packets);
    reply = receive_answer(link, x);
    if (!reply) {
        link->timeouts++;
        expect(link, x, x->disturbed, "a timeout without a reason");
        /*
         * Tags come round after eight exchanges: until then the endpoint must
         * have given up what it has of this request, or the end of another
         * one, whose beginning is lost, may fit to it.
         */
        expect(link, x, !step(link, ANSWER_NS) &&
               !step(link, MCTP_ASSEMBLY_TIMEOUT_NS),
               "an answer after the timeout");
    }
    return reply;
}

Answer lossy_command(LossyLink *link, uint16_t opcode, const void *in,
                     size_t len, bool *shortened)
{
    const uint8_t cci_tag = link->serial++;
    Exchange x = { .tag = cci_tag & 7 };
    g_autoptr(GPtrArray) packets = line_packets(link->eid, GUEST_EID, x.tag,
                                                cci_tag, opcode, in, len);
    g_autoptr(GByteArray) reply = exchange(link, packets, &x);

    *shortened = x.request.cut;
    return reply ? line_answer(reply, cci_tag, opcode) :
           (Answer) { NO_ANSWER, .payload = g_byte_array_new() };
}
