/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Thousands of FM commands over sockets that are cut at random: no answer
 * is wrong, lost or somebody else's as long as a line holds, and what a cut
 * leaves undecided is looked up. Reference: DMTF DSP0253; CXL r3.2 7.6.3.
 *
 * MCTP_SERIAL_SOAK=N runs N commands; MCTP_SERIAL_SEED=N repeats a run.
 */
#include "qemu/osdep.h"
#include <sys/socket.h>
#include "qemu/bswap.h"
#include "qemu/cutils.h"
#include "mctp-line.h"

/* Seconds on an idle machine; nothing in here depends on time */
#define COMMANDS 100000
/* A peer has eight tags; more requests would replace older ones */
#define BATCH_MAX 8
/* One batch in so many ends in a cut */
#define CUT_ONE_IN 40

#define GET_LIMIT 0x0003
#define SET_LIMIT 0x0004
#define DC_INFO 0x5600

/* A response message limit that cuts none of the answers */
#define LIMIT_FIRST 10
#define LIMIT_LAST 12

typedef struct Sent {
    GByteArray *frames;
    uint16_t opcode;
    uint8_t cci_tag;
    uint8_t limit;          /* that it sets */
} Sent;

/* A line with its own command state of a switch, or that of a device */
typedef struct SoakLine {
    Line *line;
    unsigned n;
    GByteArray *reference[2];   /* answers that never change */
    uint8_t limit;              /* in force, as far as answers tell */
    uint8_t counter;
    unsigned commands;
    unsigned answers;
    unsigned cuts;
} SoakLine;

static const uint16_t constant[] = { 0x0001, DC_INFO };

static void check(const SoakLine *r, bool truth, const char *what)
{
    if (!truth) {
        g_test_message("line %u, command %u: %s", r->n, r->commands, what);
    }
    g_assert_true(truth);
}

static GByteArray *fixed_answer(Line *l, uint16_t opcode)
{
    Answer a = line_command(l, opcode, NULL, 0);
    uint8_t rc[2];

    stw_le_p(rc, a.ret_code);
    return g_byte_array_prepend(a.payload, rc, sizeof(rc));
}

static uint8_t read_limit(Line *l)
{
    g_autoptr(GByteArray) limit =
        answer_bytes(line_command(l, GET_LIMIT, NULL, 0));

    g_assert_cmpuint(limit->len, ==, 1);
    return limit->data[0];
}

static void set_limit(Line *l, uint8_t limit)
{
    answer_is(line_command(l, SET_LIMIT, &limit, 1), 0);
}

static void soak_line_start(SoakLine *r, unsigned n)
{
    r->n = n;
    r->line = line_open(n);
    for (size_t i = 0; i < ARRAY_SIZE(constant); i++) {
        r->reference[i] = fixed_answer(r->line, constant[i]);
    }
    r->limit = LIMIT_FIRST;
    set_limit(r->line, r->limit);
}

static void soak_line_end(SoakLine *r)
{
    line_quiet(r->line);
    g_test_message("line %u: %u commands, %u answers, %u cuts", r->n,
                   r->commands, r->answers, r->cuts);
    line_close(r->line);
    for (size_t i = 0; i < ARRAY_SIZE(constant); i++) {
        g_byte_array_unref(r->reference[i]);
    }
}

static Sent make_request(SoakLine *r, GRand *rand, uint8_t tag)
{
    static const uint16_t opcodes[] = {
        0x0001, DC_INFO, GET_LIMIT, SET_LIMIT,
    };
    Sent s = {
        .opcode = opcodes[g_rand_int_range(rand, 0, ARRAY_SIZE(opcodes))],
        .cci_tag = r->counter++,
        .limit = g_rand_int_range(rand, LIMIT_FIRST, LIMIT_LAST + 1),
    };

    s.frames = line_cci(r->line->eid, PEER_EID, tag, s.cci_tag, s.opcode,
                        &s.limit, s.opcode == SET_LIMIT);
    r->commands++;
    return s;
}

/* The answers of one requester come in the order of its requests */
static void take_answer(SoakLine *r, const Sent *s, uint8_t tag)
{
    MCTPHeader hdr;
    g_autoptr(GByteArray) body = line_message(r->line, &hdr);
    Answer a = line_answer(body, s->cci_tag, s->opcode);

    check(r, hdr.tag == tag && !hdr.to && hdr.dest == PEER_EID, "not ours");
    r->answers++;
    switch (s->opcode) {
    case GET_LIMIT:
        check(r, a.ret_code == 0 && a.payload->len == 1, "no limit");
        check(r, a.payload->data[0] == r->limit, "another limit");
        break;
    case SET_LIMIT:
        check(r, a.ret_code == 0 && a.payload->len == 1 &&
              a.payload->data[0] == s->limit, "limit not set");
        r->limit = s->limit;
        break;
    default:
        for (size_t i = 0; i < ARRAY_SIZE(constant); i++) {
            const GByteArray *want = r->reference[i];

            if (constant[i] == s->opcode) {
                check(r, a.ret_code == lduw_le_p(want->data) &&
                      a.payload->len == want->len - 2 &&
                      (!a.payload->len ||
                       !memcmp(a.payload->data, want->data + 2,
                               a.payload->len)), "another answer");
            }
        }
        break;
    }
    answer_clear(&a);
}

/*
 * Cut the line somewhere in a batch, with some of its answers unread. Which
 * of its requests were run only the endpoint knows: the limit must be one
 * that the batch, or what was before it, has set. When the new connection is
 * answered the old one is over, so nothing can change any more.
 */
static void cut(SoakLine *r, GRand *rand, Sent *batch, unsigned n,
                unsigned next_answer)
{
    unsigned allowed = 1u << r->limit;

    for (unsigned i = next_answer; i < n; i++) {
        if (batch[i].opcode == SET_LIMIT) {
            allowed |= 1u << batch[i].limit;
        }
    }
    line_close(r->line);
    r->cuts++;
    r->line = line_open(r->n);
    line_quiet(r->line);
    r->limit = read_limit(r->line);
    check(r, allowed & 1u << r->limit, "a limit that nobody set");
}

static void run_batch(SoakLine *r, GRand *rand)
{
    Sent batch[BATCH_MAX];
    unsigned n = g_rand_int_range(rand, 1, BATCH_MAX + 1);
    bool cutting = g_rand_int_range(rand, 0, CUT_ONE_IN) == 0;
    unsigned whole = cutting ? g_rand_int_range(rand, 0, n + 1) : n;
    unsigned read = cutting ? g_rand_int_range(rand, 0, whole + 1) : n;

    for (unsigned i = 0; i < n; i++) {
        batch[i] = make_request(r, rand, i);
    }
    for (unsigned i = 0; i < whole; i++) {
        line_write(r->line, batch[i].frames->data, batch[i].frames->len);
    }
    if (whole < n) {
        const GByteArray *part = batch[whole].frames;

        line_write(r->line, part->data,
                   g_rand_int_range(rand, 0, part->len));
    }
    for (unsigned i = 0; i < read; i++) {
        take_answer(r, &batch[i], i);
    }
    if (cutting) {
        cut(r, rand, batch, whole, read);
    }
    for (unsigned i = 0; i < n; i++) {
        g_byte_array_unref(batch[i].frames);
    }
}

static uint32_t number_from(const char *name, uint32_t otherwise)
{
    const char *text = g_getenv(name);
    unsigned value = otherwise;

    if (text) {
        g_assert_cmpint(qemu_strtoui(text, NULL, 0, &value), ==, 0);
    }
    return value;
}

static const LineSetup setup = {
    .machine = MCTP_MACHINE
        "-object memory-backend-ram,id=vmem,size=256M "
        "-object memory-backend-ram,id=dcmem,size=512M "
        "-device cxl-type3,id=mem0,bus=pcie.0,addr=07.0,volatile-memdev=vmem,"
        "volatile-dc-memdev=dcmem,num-dc-regions=2,sn=0x99 ",
    .target = { "us0", "us0", "mem0" },
};

static void test_soak(LineTest *t, Line *unused)
{
    const uint32_t total = number_from("MCTP_SERIAL_SOAK", COMMANDS);
    const uint32_t seed = number_from("MCTP_SERIAL_SEED", g_test_rand_int());
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    SoakLine line[3] = { 0 };

    g_test_message("MCTP_SERIAL_SEED=%u MCTP_SERIAL_SOAK=%u", seed, total);
    line_drop(t, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(line); i++) {
        soak_line_start(&line[i], i);
    }
    while (line[0].commands + line[1].commands + line[2].commands < total) {
        run_batch(&line[g_rand_int_range(rand, 0, ARRAY_SIZE(line))], rand);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(line); i++) {
        soak_line_end(&line[i]);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    line_add_test(&line_serial, "soak", &setup, test_soak);
    return line_test_main();
}
