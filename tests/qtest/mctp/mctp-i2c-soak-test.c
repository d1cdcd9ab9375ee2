/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ten thousand commands of a Fabric Manager over a bad I2C bus: each ends in
 * an answer or in a timeout that has a reason, the endpoint is as good after
 * them as it was before, and holds no more memory. Each run has another
 * seed; MCTP_SOAK_SEED=N in the environment repeats one.
 * Reference: CXL r3.2 7.6.7.6, 8.2.10.9.9; DMTF DSP0236 8.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "mctp-lossy.h"
#include "hw/mctp/mctp_i2c_frame.h"

#define ENDPOINT 0x22
#define EID 11

#define COMMANDS 10000
#define ONE_IN 8
/* The host looks at its event log after so many commands */
#define HOST_PERIOD 20
/* ... and both sides are compared after so many */
#define COMPARE_PERIOD 1000
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

/*
 * Shared memory behind the device, so that capacity which is sanitized does
 * not count as memory of the process. Few extents and tags, so that limits
 * are met and lists stay short.
 */
#define EXTENTS_MAX 8
#define TAGS_MAX 4
#define MACHINE \
    "-M q35,cxl=on -nodefaults -display none -m 256M " \
    "-device dw-i2c-pci,id=dw,bus=pcie.0,addr=05.0 " \
    "-object memory-backend-ram,id=vmem,size=256M,share=on " \
    "-object memory-backend-ram,id=dcmem,size=512M,share=on " \
    "-device cxl-type3,id=mem0,bus=pcie.0,addr=07.0,volatile-memdev=vmem," \
    "volatile-dc-memdev=dcmem,num-dc-regions=2,dc1-sharable=on," \
    "dc-extents-max=8,dc-tags-max=4,dc-event-log-depth=32,sn=0x99 " \
    "-device i2c_mctp_cxl,bus=dw.0,address=0x22,target=mem0 "

#define BLOCK (2 * MiB)
#define REGION0 (256 * MiB)
#define REGION_BLOCKS 128

#define RC(x) (1u << (x))
#define RC_ADDRESS 0x0f
#define RC_LENGTH 0x16

#define EXTENT_SIZE 0x28
#define RANGE_SIZE 0x18
#define RECORD_SIZE 0x80
#define DC_LOG 4

enum { EVENT_ADD, EVENT_RELEASE };

typedef struct Extent {
    uint64_t dpa;
    uint64_t len;
} Extent;

typedef struct Soak {
    DwI2c t;
    Mailbox host;
    LossyLink link;
    /* extents of the last list that the FM got */
    Extent known[EXTENTS_MAX];
    unsigned num_known;
    /* answers with and without success, by kinds[] */
    unsigned good[16], bad[16];
} Soak;

typedef struct Request {
    uint8_t data[512];
    size_t len;
} Request;

static unsigned roll(Soak *s, unsigned sides)
{
    return g_rand_int_range(s->link.rand, 0, sides);
}

/* -- requests of the FM -------------------------------------------------- */

static void put_tag(uint8_t *at, unsigned tag)
{
    memset(at, tag, 16);
}

static void ask_regions(Soak *s, Request *r)
{
    r->len = 4;
    r->data[0] = roll(s, 8) == 0;       /* a host that is not there */
    r->data[2] = roll(s, 4);
    r->data[3] = roll(s, 3);
}

static void ask_extents(Soak *s, Request *r)
{
    r->len = 12;
    stl_le_p(r->data + 4, roll(s, 4) ? EXTENTS_MAX : roll(s, 3));
    stl_le_p(r->data + 8, roll(s, 4) ? 0 : roll(s, EXTENTS_MAX + 2));
}

static void put_extents(Soak *s, Request *r, bool known, unsigned count)
{
    r->len = 0x20 + count * EXTENT_SIZE;
    stl_le_p(r->data + 0x1c, count);
    for (unsigned i = 0; i < count; i++) {
        uint8_t *at = r->data + 0x20 + i * EXTENT_SIZE;
        Extent e = {
            .dpa = REGION0 + (uint64_t)roll(s, REGION_BLOCKS) * BLOCK,
            .len = BLOCK,
        };

        if (known && s->num_known) {
            e = s->known[roll(s, s->num_known)];
        } else if (roll(s, 32) == 0) {
            e.dpa += BLOCK / 2;         /* not on a block's boundary */
        }
        stq_le_p(at, e.dpa);
        stq_le_p(at + 8, e.len);
    }
}

static void ask_add(Soak *s, Request *r)
{
    unsigned policy = roll(s, 3);

    r->data[2] = policy;
    if (policy == 2) {
        put_extents(s, r, false, 1 + roll(s, 3));
        return;
    }
    r->len = roll(s, 2) ? 0x1c : 0x20;
    r->data[3] = roll(s, 2);
    stq_le_p(r->data + 4, (1 + roll(s, 2)) * BLOCK);
    if (r->data[3]) {
        put_tag(r->data + 0xc, 1 + roll(s, TAGS_MAX + 1));
    }
}

static void ask_release(Soak *s, Request *r)
{
    uint8_t flags = roll(s, 4) << 4;    /* forced, sanitize */

    if (roll(s, 2)) {
        put_extents(s, r, true, 1 + roll(s, 2));
        r->data[2] = 1 | flags;
        return;
    }
    r->len = 0x1c;
    r->data[2] = flags;
    stq_le_p(r->data + 4, (1 + roll(s, 2)) * BLOCK);
    put_tag(r->data + 0xc, roll(s, TAGS_MAX + 1));
}

static void ask_reference(Soak *s, Request *r)
{
    r->len = 16;
    put_tag(r->data, 1 + roll(s, TAGS_MAX + 1));
}

static void ask_tags(Soak *s, Request *r)
{
    r->len = 8;
    stl_le_p(r->data, roll(s, 4) ? 0 : roll(s, TAGS_MAX + 2));
    stl_le_p(r->data + 4, roll(s, TAGS_MAX + 1));
}

static void ask_events(Soak *s, Request *r)
{
    r->len = 1;
    r->data[0] = roll(s, 4) ? DC_LOG : roll(s, 7);
}

/*
 * The opcodes, how often of the sum of @share they are asked, which return
 * codes they may have, and how long a successful answer is: @fixed bytes
 * and @count_size times the number at @count_at.
 */
static const struct {
    uint16_t opcode;
    uint8_t share;
    uint8_t fixed;
    uint8_t count_at;
    uint8_t count_size;
    uint32_t ret_codes;
    void (*ask)(Soak *s, Request *r);
} kinds[] = {
    { 0x0001, 28, 18, 0, 0, RC(0), NULL },
    { 0x0100, 2, 0x20, 0x14, RECORD_SIZE, RC(0) | RC(2), ask_events },
    { 0x5600, 2, 0x54, 0, 0, RC(0), NULL },
    { 0x5601, 3, 20, 3, 0x28, RC(0) | RC(2), ask_regions },
    { 0x5603, 5, 0x18, 8, EXTENT_SIZE, RC(0) | RC(2), ask_extents },
    { 0x5604, 17, 0, 0, 0, RC(0) | RC(2) | RC(5) | RC(0x1d) | RC(0x1e),
      ask_add },
    { 0x5605, 14, 0, 0, 0,
      RC(0) | RC(2) | RC(5) | RC(0xf) | RC(0x1d) | RC(0x1e), ask_release },
    { 0x5606, 12, 0, 0, 0, RC(0) | RC(2), ask_reference },
    { 0x5607, 14, 0, 0, 0, RC(0) | RC(2), ask_reference },
    { 0x5608, 3, 0x10, 8, 0x54, RC(0) | RC(2), ask_tags },
};

QEMU_BUILD_BUG_ON(ARRAY_SIZE(kinds) > 16);

static unsigned pick_kind(Soak *s)
{
    unsigned sum = 0, at;

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        sum += kinds[i].share;
    }
    at = roll(s, sum);
    for (unsigned i = 0; ; i++) {
        if (at < kinds[i].share) {
            return i;
        }
        at -= kinds[i].share;
    }
}

/* Clear Event Records for what Get Event Records gave; returns its length */
static size_t clear_request(const GByteArray *events, uint8_t log,
                            uint8_t *clear)
{
    unsigned n = MIN(lduw_le_p(events->data + 0x14), 16);

    memset(clear, 0, 6);
    clear[0] = log;
    clear[2] = n;
    for (unsigned i = 0; i < n; i++) {
        memcpy(clear + 6 + i * 2,
               events->data + 0x20 + i * RECORD_SIZE + 0x14, 2);
    }
    return n ? 6 + n * 2 : 0;
}

static void learn(Soak *s, unsigned kind, const Request *r,
                  const LossyAnswer *a)
{
    const uint8_t *p = a->payload->data;

    if (kinds[kind].opcode == 0x5603) {
        s->num_known = ldl_le_p(p + 8);
        g_assert_cmpuint(s->num_known, <=, EXTENTS_MAX);
        for (unsigned i = 0; i < s->num_known; i++) {
            s->known[i].dpa = ldq_le_p(p + 0x18 + i * EXTENT_SIZE);
            s->known[i].len = ldq_le_p(p + 0x20 + i * EXTENT_SIZE);
        }
    } else if (kinds[kind].opcode == 0x0100) {
        uint8_t clear[6 + 2 * 16];
        size_t len = clear_request(a->payload, r->data[0], clear);

        if (len) {
            /* may be lost as well: then they are still there next time */
            LossyAnswer c = lossy_command(&s->link, 0x0101, clear, len);

            g_assert_true(c.ret_code == 0 || c.ret_code == NO_ANSWER ||
                          /* came twice, the first has cleared them */
                          c.ret_code == 0x0e);
            lossy_answer_clear(&c);
        }
    }
}

/* One command; true if it was answered */
static bool fm_command(Soak *s)
{
    unsigned k = pick_kind(s);
    Request r = { .len = 0 };
    LossyAnswer a;
    bool answered;

    if (kinds[k].ask) {
        kinds[k].ask(s, &r);
    }
    a = lossy_command(&s->link, kinds[k].opcode, r.data, r.len);
    answered = a.payload;
    if (!answered) {
        return false;
    }
    if (a.shortened) {
        g_assert_cmphex(a.ret_code, ==, RC_LENGTH);
    } else {
        if (a.ret_code > 31 || !(RC(a.ret_code) & kinds[k].ret_codes)) {
            g_test_message("%04x: return code %02x", kinds[k].opcode,
                           a.ret_code);
            g_test_fail();
        }
        s->good[k] += a.ret_code == 0;
        s->bad[k] += a.ret_code != 0;
    }
    if (a.ret_code == 0) {
        unsigned count = kinds[k].count_size && a.payload->len >=
                         kinds[k].fixed ?
                         a.payload->data[kinds[k].count_at] : 0;

        g_assert_cmpuint(a.payload->len, ==, kinds[k].fixed +
                         count * kinds[k].count_size);
        learn(s, k, &r, &a);
    } else {
        g_assert_cmpuint(a.payload->len, ==, 0);
    }
    lossy_answer_clear(&a);
    return answered;
}

/* -- the host ------------------------------------------------------------ */

static uint16_t host_ranges(Soak *s, uint16_t opcode, const GArray *list)
{
    g_autofree uint8_t *in = g_malloc0(8 + list->len * RANGE_SIZE);
    Answer a;

    stl_le_p(in, list->len);
    for (unsigned i = 0; i < list->len; i++) {
        const Extent *e = &g_array_index(list, Extent, i);

        stq_le_p(in + 8 + i * RANGE_SIZE, e->dpa);
        stq_le_p(in + 16 + i * RANGE_SIZE, e->len);
    }
    a = mailbox_command(&s->host, opcode, in, 8 + list->len * RANGE_SIZE);
    answer_clear(&a);
    return a.ret_code;
}

static void host_event(Soak *s, const uint8_t *record, GArray *group)
{
    const Extent e = {
        .dpa = ldq_le_p(record + 0x38),
        .len = ldq_le_p(record + 0x40),
    };
    uint16_t ret_code;

    if (record[0x30] == EVENT_ADD) {
        g_array_append_val(group, e);
        if (record[0x35] & 1) {
            return;
        }
        if (roll(s, 4) == 0) {
            g_array_set_size(group, 0);
        }
        ret_code = host_ranges(s, 0x4802, group);
        if (ret_code == RC_ADDRESS) {
            /* forced back by the FM meanwhile */
            g_assert_cmpuint(group->len, >, 0);
        } else {
            g_assert_cmphex(ret_code, ==, 0);
        }
        g_array_set_size(group, 0);
    } else if (record[0x30] == EVENT_RELEASE) {
        g_autoptr(GArray) list = g_array_new(false, false, sizeof(Extent));

        g_array_append_val(list, e);
        /* refused if it is gone already */
        host_ranges(s, 0x4803, list);
    }
}

static void host_turn(Soak *s)
{
    const uint8_t log = DC_LOG;
    g_autoptr(GArray) group = g_array_new(false, false, sizeof(Extent));

    for (;;) {
        Answer a = mailbox_command(&s->host, 0x0100, &log, 1);
        uint8_t clear[6 + 2 * 16];
        size_t len;

        g_assert_cmphex(a.ret_code, ==, 0);
        len = clear_request(a.payload, DC_LOG, clear);
        for (unsigned i = 0; len && i < clear[2]; i++) {
            host_event(s, a.payload->data + 0x20 + i * RECORD_SIZE, group);
        }
        answer_clear(&a);
        if (!len) {
            break;
        }
        answer_is(mailbox_command(&s->host, 0x0101, clear, len), 0);
    }
    g_assert_cmpuint(group->len, ==, 0);
}

/* -- checks -------------------------------------------------------------- */

/* Memory of QEMU that no file or shared memory is behind */
static int64_t memory_held(Soak *s)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/statm",
                                            (int)qtest_pid(s->t.qts));
    g_autofree char *text = NULL;
    int64_t size, resident, shared;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpint(sscanf(text, "%" SCNd64 " %" SCNd64 " %" SCNd64, &size,
                           &resident, &shared), ==, 3);
    return (resident - shared) * qemu_real_host_page_size();
}

/* A link without faults: through it the FM sees what the host sees */
static void compare(Soak *s)
{
    static const Request same[] = {
        { .len = 0 }, { .len = 4, .data = { 0, 0, 2, 0 } },
        { .len = 12, .data = { [4] = EXTENTS_MAX } },
        { .len = 8, .data = { [4] = TAGS_MAX } },
    };
    static const uint16_t opcode[] = { 0x5600, 0x5601, 0x5603, 0x5608 };
    const uint8_t list[8] = { EXTENTS_MAX };
    const unsigned one_in = s->link.one_in;
    LossyAnswer fm = { 0 };
    Answer host;

    s->link.one_in = 0;
    for (size_t i = 0; i < ARRAY_SIZE(opcode); i++) {
        fm = lossy_command(&s->link, opcode[i], same[i].data, same[i].len);
        host = mailbox_command(&s->host, opcode[i], same[i].data,
                               same[i].len);
        g_assert_cmphex(fm.ret_code, ==, 0);
        g_assert_cmphex(host.ret_code, ==, 0);
        g_assert_cmpmem(fm.payload->data, fm.payload->len,
                        host.payload->data, host.payload->len);
        answer_clear(&host);
        lossy_answer_clear(&fm);
    }

    fm = lossy_command(&s->link, 0x5603, same[2].data, same[2].len);
    host = mailbox_command(&s->host, 0x4801, list, sizeof(list));
    g_assert_cmphex(host.ret_code, ==, 0);
    g_assert_cmpuint(host.payload->len, >=, 0x10);
    g_assert_cmpuint(fm.payload->len, ==, host.payload->len + 8);
    /* how many are there, how many in all, and the generation */
    g_assert_cmpmem(fm.payload->data + 8, 12, host.payload->data, 12);
    g_assert_cmpmem(fm.payload->data + 0x18, fm.payload->len - 0x18,
                    host.payload->data + 0x10, host.payload->len - 0x10);
    g_test_message("exchange %u: %u extents on both sides, %" PRId64 " KiB",
                   s->link.serial, ldl_le_p(host.payload->data + 4),
                   memory_held(s) / KiB);
    answer_clear(&host);
    lossy_answer_clear(&fm);
    s->link.one_in = one_in;
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
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        g_test_message("%04x: %u done, %u refused", kinds[i].opcode,
                       s->good[i], s->bad[i]);
        g_assert_cmpuint(s->good[i], >, 0);
        g_assert_true(s->bad[i] || kinds[i].ret_codes == RC(0));
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

static void test_ten_thousand(void)
{
    const char *given = g_getenv("MCTP_SOAK_SEED");
    uint32_t seed = given ? g_ascii_strtoull(given, NULL, 0) :
                    g_random_int();
    bool answered = true, after_timeout;
    int64_t warm = 0, end;
    Soak s = { 0 };

    if (!qtest_has_device("cxl-type3")) {
        g_test_skip("no cxl-type3");
        return;
    }
    g_test_message("MCTP_SOAK_SEED=0x%08x", seed);
    dw_start_args(&s.t, MACHINE);
    mctp_listen(&s.t);
    mctp_assign(&s.t, ENDPOINT, EID);
    s.host = mailbox_open(&s.t, QPCI_DEVFN(7, 0), 2);
    s.link = (LossyLink) {
        .t = &s.t,
        .rand = g_rand_new_with_seed(seed),
        .address = ENDPOINT,
        .eid = EID,
    };

    for (unsigned i = 1; i <= COMMANDS; i++) {
        s.link.one_in = answered ? ONE_IN : 0;
        after_timeout = !answered;
        answered = fm_command(&s);
        /* after a timeout the next one has a good link, and an answer */
        g_assert_true(answered || !after_timeout);
        if (i % HOST_PERIOD == 0) {
            host_turn(&s);
        }
        if (i % COMPARE_PERIOD == 0) {
            compare(&s);
        }
        if (i == WARM) {
            warm = memory_held(&s);
        }
    }
    fill_endpoint(&s);
    compare(&s);
    assert_variety(&s);
    end = memory_held(&s);
    g_test_message("memory: %" PRId64 " KiB after %u commands, %" PRId64
                   " KiB after %u", warm / KiB, WARM, end / KiB, COMMANDS);
    if (MEMORY_TELLS) {
        g_assert_cmpint(end - warm, <=, GROWTH_MAX);
    }

    g_rand_free(s.link.rand);
    mailbox_close(&s.host);
    dw_stop(&s.t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/mctp-i2c/soak/ten-thousand", test_ten_thousand);
    return g_test_run();
}
