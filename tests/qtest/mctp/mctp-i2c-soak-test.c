/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ten thousand commands of a Fabric Manager over a bad I2C bus: each ends in
 * an answer or in a timeout that has a reason, the endpoint is as good after
 * them as it was before, and holds no more memory. What the commands of
 * dynamic capacity do in any order is for cxl-fuzz and test-cxl-dc-random.
 *
 * What becomes of each exchange is worked out apart from the MCTP library and
 * held against what the endpoint does.
 *
 * Each run has another seed; MCTP_SOAK_SEED=N in the environment repeats one.
 * Reference: CXL r3.2 7.6.3, 8.2.10.1; DMTF DSP0236 8.
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "tests/qtest/cxl/cxl-log-uuids.h"
#include "mctp-line.h"
#include "hw/mctp/mctp_assembler.h"
#include "hw/mctp/mctp_i2c_frame.h"

#define ENDPOINT LINE_ADDRESS(0)
#define EID LINE_EID(0)

#define COMMANDS 10000
#define ONE_IN 8
/* Memory is compared between this command and the last */
#define WARM 2000

/*
 * What the process may hold more after COMMANDS - WARM commands: 32 bytes for
 * each, some times what fragmentation makes of it
 */
#define GROWTH_MAX (256 * KiB)

/* The address sanitizer keeps what was freed, but finds leaks by itself */
#ifdef QEMU_SANITIZE_ADDRESS
#define MEMORY_TELLS false
#else
#define MEMORY_TELLS true
#endif

/* -- a bus owner on a bad link ------------------------------------------ */

/* What the link does to a packet, or to an exchange */
typedef enum LossyFault {
    LOSSY_FINE = 0,
    LOSSY_DROPPED,
    LOSSY_DOUBLED,
    /* one of the frame's bytes is another */
    LOSSY_DAMAGED,
    /* the bus owner NACKs the answer for a while */
    LOSSY_DEAF,
    /* ... until the endpoint gives up */
    LOSSY_STALLED,
    LOSSY__COUNT,
} LossyFault;

/* One endpoint and the way to it */
typedef struct LossyLink {
    DwI2c *t;
    GRand *rand;
    /* a packet in so many is hit; 0 for none */
    unsigned one_in;
    /* the controller knows the endpoint's address */
    bool aimed;
    /* exchanges so far; tags are made from it */
    unsigned serial;
    unsigned timeouts;
    /* what was done, to requests [0] and answers [1] */
    unsigned faults[2][LOSSY__COUNT];
} LossyLink;

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
    GByteArray *body;       /* of the answer under way */
    GByteArray *reply;      /* the first that was whole */
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

static void lossy_deaf(LossyLink *link)
{
    /* target mode is on; as a driver that shuts down ends it */
    dw_wr(link->t, R_CON, CON_LINUX_TARGET | CON_TARGET_DISABLE);
}

static uint32_t step(LossyLink *link, int64_t ns)
{
    qtest_clock_step(link->t->qts, ns);
    for (int i = 0; i < PUMP; i++) {
        dw_rd(link->t, R_COMP_TYPE);
    }
    return dw_rd(link->t, R_RXFLR);
}

static GByteArray *lossy_frame(LossyLink *link)
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
static void lossy_write(LossyLink *link, const uint8_t *frame, size_t len)
{
    DwI2c *t = link->t;

    g_assert_cmphex(frame[0], ==, ENDPOINT << 1);
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
    size_t len = mctp_i2c_encode(ENDPOINT, OWN, pkt->data, pkt->len,
                                 frame);
    MCTPHeader hdr;

    g_assert_cmpuint(len, >, 0);
    g_assert_cmpint(mctp_header_decode(pkt->data, pkt->len, &hdr), ==, 0);
    if (fault == LOSSY_DROPPED) {
        return;
    }
    if (fault == LOSSY_DAMAGED) {
        damage(link, frame, len);
    }
    for (int i = 0; i < (fault == LOSSY_DOUBLED ? 2 : 1); i++) {
        if (fault != LOSSY_DAMAGED) {
            follow(&x->request, &hdr, index);
        }
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
        expect(link, x, !lossy_frame(link), "an answer in spite of NACKs");
        if (x->mood == LOSSY_STALLED) {
            step(link, ANSWER_NS);
        }
        dw_target_mode(link->t, OWN);
    } else {
        /* what else there is to target mode is as it was */
        dw_wr(link->t, R_ENABLE, 0);
        dw_wr(link->t, R_CON, CON_LINUX_TARGET);
        dw_wr(link->t, R_ENABLE, 1);
    }
}

/* Check a frame, and take it as often as the link likes */
static void take_frame(LossyLink *link, Exchange *x, GByteArray *frame,
                       unsigned *index)
{
    LossyFault fault = packet_fault(link, x, 1);
    unsigned times = fault == LOSSY_DOUBLED ? 2 : 1;
    MCTPI2CFrame f;
    MCTPHeader hdr;

    g_assert_cmpint(mctp_i2c_decode(frame->data, frame->len, &f), ==,
                    MCTP_I2C_OK);
    g_assert_cmphex(f.source, ==, ENDPOINT);
    g_assert_cmpuint(f.len, <=, MCTP_HEADER_BYTES + MCTP_UNIT_BASELINE);
    g_assert_cmpint(mctp_header_decode(f.packet, f.len, &hdr), ==, 0);
    expect(link, x, hdr.dest == GUEST_EID && hdr.src == EID &&
           hdr.tag == x->tag && !hdr.to, "a packet of another exchange");
    *index = hdr.som ? 0 : *index + 1;
    follow(&x->sent, &hdr, *index);

    if (fault == LOSSY_DAMAGED) {
        damage(link, frame->data, frame->len);
        expect(link, x, mctp_i2c_decode(frame->data, frame->len, &f) !=
               MCTP_I2C_OK, "damage that does not show");
    }
    if (fault == LOSSY_DAMAGED || fault == LOSSY_DROPPED) {
        return;
    }
    while (times--) {
        follow(&x->answer, &hdr, *index);
        if (hdr.som) {
            g_byte_array_set_size(x->body, 0);
        }
        g_byte_array_append(x->body, f.packet + MCTP_HEADER_BYTES,
                            f.len - MCTP_HEADER_BYTES);
        /* a request that came twice is answered twice, and so may a packet */
        if (x->answer.whole && !x->reply) {
            x->reply = g_byte_array_append(g_byte_array_new(), x->body->data,
                                           x->body->len);
        }
    }
}

static void receive_answer(LossyLink *link, Exchange *x)
{
    unsigned index = 0;

    /* a disturbed exchange may have more to come: wait until it is quiet */
    while (!x->reply || x->disturbed) {
        g_autoptr(GByteArray) frame = lossy_frame(link);

        if (!frame) {
            break;
        }
        expect(link, x, x->request.whole && x->mood != LOSSY_STALLED,
               "an answer to nothing");
        take_frame(link, x, frame, &index);
    }
    expect(link, x, !x->sent.cut, "gaps in what the endpoint sent");
    expect(link, x, x->sent.whole <= x->request.whole, "too many answers");
    if (x->request.whole && x->mood != LOSSY_STALLED) {
        expect(link, x, x->sent.whole > 0, "no answer");
    }
}

/*
 * Asserts that an answer comes if, and only if, enough of the request and of
 * the answer got through, that it is the one to this request, and that there
 * is silence after it or after the timeout, which is NO_ANSWER. @shortened: the
 * request lost packets in a way that sequence numbers, of two bits, do not
 * show.
 */
static Answer lossy_command(LossyLink *link, uint16_t opcode, const void *in,
                            size_t len, bool *shortened)
{
    const uint8_t cci_tag = link->serial++;
    g_autoptr(GByteArray) body = g_byte_array_new();
    Exchange x = { .tag = cci_tag & 7, .body = body };
    g_autoptr(GPtrArray) packets = line_packets(EID, GUEST_EID, x.tag,
                                                cci_tag, opcode, in, len);
    g_autoptr(GByteArray) reply = NULL;

    x.mood = exchange_fault(link, &x);
    send_request(link, &x, packets);
    receive_answer(link, &x);
    reply = x.reply;
    *shortened = x.request.cut;
    /* of one with a gap FM software sees that the length is wrong */
    if (reply && !x.answer.cut) {
        return line_answer(reply, cci_tag, opcode);
    }
    link->timeouts++;
    expect(link, &x, x.disturbed, "a timeout without a reason");
    /*
     * Tags come round after eight exchanges: until then the endpoint must have
     * given up what it has of this request, or the end of another one, whose
     * beginning is lost, may fit to it.
     */
    expect(link, &x, !step(link, ANSWER_NS) &&
           !step(link, MCTP_ASSEMBLY_TIMEOUT_NS),
           "an answer after the timeout");
    return (Answer) { NO_ANSWER, .payload = g_byte_array_new() };
}

/* -- what it asks ------------------------------------------------------- */

#define RC_LENGTH 0x16
#define GET_LIMIT 0x0003
#define SET_LIMIT 0x0004
/* A response message limit that cuts none of the answers */
#define LIMIT_FIRST 10
#define LIMIT_LAST 12

static const LineSetup setup = {
    .machine = MCTP_MACHINE
        "-object memory-backend-ram,id=vmem,size=256M,share=on "
        "-object memory-backend-ram,id=dcmem,size=512M,share=on "
        "-device cxl-type3,id=mem0,bus=pcie.0,addr=07.0,volatile-memdev=vmem,"
        "volatile-dc-memdev=dcmem,num-dc-regions=2,sn=0x99 ",
    .target = { "mem0" },
};

static const struct {
    uint8_t uuid[CXL_LOG_UUID_BYTES], offset[4], length[4];
} effects = { .uuid = CXL_LOG_UUID_EFFECTS, .length = { 160 } };
static const uint8_t too_long[300];

/* What is asked: short and long both ways, and a state */
static const struct {
    uint16_t opcode;
    uint16_t len;
    const void *in;
} requests[] = {
    { 0x0001 }, { 0x5600 }, { GET_LIMIT },
    { 0x0401, sizeof(effects), &effects },
    { 0x0001, sizeof(too_long), too_long },
    { SET_LIMIT, 1 },
};

typedef struct Soak {
    LossyLink link;
    /* of requests that have the same one each time */
    Answer reference[ARRAY_SIZE(requests)];
    unsigned answers[ARRAY_SIZE(requests)];
    /* a bit for each limit that may be in force */
    uint32_t limits;
} Soak;

/* One command; true if it was answered */
static bool command(Soak *s)
{
    const unsigned i = g_rand_int_range(s->link.rand, 0, ARRAY_SIZE(requests));
    const uint8_t limit = g_rand_int_range(s->link.rand, LIMIT_FIRST,
                                           LIMIT_LAST + 1);
    const uint16_t opcode = requests[i].opcode;
    const bool sets = opcode == SET_LIMIT;
    bool shortened;
    Answer a = lossy_command(&s->link, opcode, sets ? &limit : requests[i].in,
                             requests[i].len, &shortened);
    const bool answered = a.ret_code != NO_ANSWER;

    s->answers[i] += answered;
    if (sets) {
        /* it may have come although no answer did */
        s->limits |= 1u << limit;
    }
    if (answered && shortened) {
        g_assert_cmphex(a.ret_code, ==, RC_LENGTH);
        g_assert_cmpuint(a.payload->len, ==, 0);
    } else if (answered && (sets || opcode == GET_LIMIT)) {
        g_assert_cmphex(a.ret_code, ==, 0);
        g_assert_cmpuint(a.payload->len, ==, 1);
        g_assert_true(!sets || a.payload->data[0] == limit);
        g_assert_cmphex(s->limits & 1u << a.payload->data[0], !=, 0);
        s->limits = 1u << a.payload->data[0];
    } else if (answered && !s->reference[i].payload) {
        s->reference[i] = a;
        return true;
    } else if (answered) {
        assert_equal_answers(&a, &s->reference[i]);
    }
    answer_clear(&a);
    return answered;
}

/* Memory of QEMU that no file or shared memory is behind */
static int64_t memory_held(Soak *s)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/statm",
                                            (int)qtest_pid(s->link.t->qts));
    g_autofree char *text = NULL;
    int64_t size, resident, shared;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpint(sscanf(text, "%" SCNd64 " %" SCNd64 " %" SCNd64, &size,
                           &resident, &shared), ==, 3);
    return (resident - shared) * qemu_real_host_page_size();
}

/*
 * All tags of four requesters at once while nobody takes the answers. That
 * is as much as the endpoint has room for, so nothing may be left in it.
 */
static void fill_endpoint(Soak *s)
{
    enum { REQUESTERS = 4, TAGS = 8 };
    bool seen[REQUESTERS][TAGS] = { 0 };

    lossy_deaf(&s->link);
    for (unsigned i = 0; i < REQUESTERS * TAGS; i++) {
        const uint8_t packet[4 + 13] = {
            1, EID, GUEST_EID + i / TAGS, 0xc8 | i % TAGS, 8, 0, i, 0, 1,
        };
        uint8_t frame[MCTP_I2C_FRAME_MAX];
        size_t len = mctp_i2c_encode(ENDPOINT, OWN, packet, sizeof(packet),
                                     frame);

        lossy_write(&s->link, frame, len);
    }
    g_assert_null(lossy_frame(&s->link));
    dw_target_mode(s->link.t, OWN);
    for (unsigned i = 0; i < REQUESTERS * TAGS; i++) {
        g_autoptr(GByteArray) frame = lossy_frame(&s->link);
        MCTPI2CFrame f;
        unsigned who, tag;

        g_assert_nonnull(frame);
        g_assert_cmpint(mctp_i2c_decode(frame->data, frame->len, &f), ==,
                        MCTP_I2C_OK);
        g_assert_cmpuint(f.len, ==, 4 + 13 + 18);
        who = f.packet[1] - GUEST_EID;
        tag = f.packet[3] & 7;
        g_assert_cmpuint(who, <, REQUESTERS);
        g_assert_cmphex(f.packet[3] & ~7, ==, 0xc0);
        g_assert_cmphex(f.packet[6], ==, who * TAGS + tag);
        g_assert_false(seen[who][tag]);
        seen[who][tag] = true;
    }
    g_assert_null(lossy_frame(&s->link));
}

/* The run must have been what it says: everything in it, both ways */
static void assert_variety(const Soak *s)
{
    for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
        g_assert_cmpuint(s->answers[i], >, 0);
    }
    for (int way = 0; way < 2; way++) {
        const unsigned *n = s->link.faults[way];

        g_test_message("%s: %u packets fine, %u dropped, %u doubled, %u "
                       "damaged; deaf %u, stalled %u",
                       way ? "answers" : "requests", n[LOSSY_FINE],
                       n[LOSSY_DROPPED], n[LOSSY_DOUBLED], n[LOSSY_DAMAGED],
                       n[LOSSY_DEAF], n[LOSSY_STALLED]);
        for (int f = LOSSY_DROPPED; f <= (way ? LOSSY_STALLED :
                                          LOSSY_DAMAGED); f++) {
            g_assert_cmpuint(n[f], >, 0);
        }
    }
    g_test_message("%u of %u exchanges timed out", s->link.timeouts,
                   s->link.serial);
    g_assert_cmpuint(s->link.timeouts, >, 0);
}

static void test_ten_thousand(LineTest *t, Line *l)
{
    const char *given = g_getenv("MCTP_SOAK_SEED");
    const uint32_t seed = given ? g_ascii_strtoull(given, NULL, 0) :
                          g_random_int();
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    bool answered = true, after_timeout;
    int64_t warm = 0, end;
    Soak s = {
        .link = { .t = &t->i2c, .rand = rand },
        .limits = UINT32_MAX,
    };

    g_test_message("MCTP_SOAK_SEED=0x%08x", seed);
    for (unsigned i = 1; i <= COMMANDS; i++) {
        s.link.one_in = answered ? ONE_IN : 0;
        after_timeout = !answered;
        answered = command(&s);
        /* after a timeout the next one has a good link, and an answer */
        g_assert_true(answered || !after_timeout);
        if (i == WARM) {
            warm = memory_held(&s);
        }
    }
    fill_endpoint(&s);
    assert_variety(&s);
    end = memory_held(&s);
    g_test_message("memory: %" PRId64 " KiB after %u commands, %" PRId64
                   " KiB after %u", warm / KiB, WARM, end / KiB, COMMANDS);
    if (MEMORY_TELLS) {
        g_assert_cmpint(end - warm, <=, GROWTH_MAX);
    }
    for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
        answer_clear(&s.reference[i]);
    }
    /* as its driver leaves it */
    mctp_listen(&t->i2c);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    line_add_test(&line_i2c, "soak/ten-thousand", &setup, test_ten_thousand);
    return line_test_main();
}
