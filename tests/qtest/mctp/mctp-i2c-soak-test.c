/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ten thousand commands of a Fabric Manager over a bad I2C bus: each ends in
 * an answer or in a timeout that has a reason, the endpoint is as good after
 * them as it was before, and holds no more memory. What the commands of
 * dynamic capacity do in any order is for cxl-fuzz and test-cxl-dc-random.
 * Each run has another seed; MCTP_SOAK_SEED=N in the environment repeats one.
 * Reference: CXL r3.2 7.6.3, 8.2.10.1; DMTF DSP0236 8.
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "tests/qtest/cxl/cxl-log-uuids.h"
#include "mctp-lossy.h"
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
    DwI2c *t;
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
                                            (int)qtest_pid(s->t->qts));
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
    lossy_listen(&s->link);
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
        for (int f = LOSSY_DROPPED; f <= LOSSY_DAMAGED; f++) {
            g_assert_cmpuint(n[f], >, 0);
        }
    }
    g_assert_cmpuint(s->link.faults[1][LOSSY_DEAF], >, 0);
    g_assert_cmpuint(s->link.faults[1][LOSSY_STALLED], >, 0);
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
        .t = &t->i2c,
        .link = {
            .t = &t->i2c, .rand = rand, .address = ENDPOINT, .eid = EID,
        },
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
