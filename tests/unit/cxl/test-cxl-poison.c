/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Poison list: order, room, overflow, splitting, scan, migration
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "hw/cxl/memdev/poison.h"
#include "fake-clock.h"
#include "state-bytes.h"

#define LINE        CXL_POISON_LINE
#define LIMIT       4
#define HOST_TIME   77000u
#define LAST_LINE   (0 - (uint64_t)LINE)

/* Of the random test: few enough lines that ranges meet all the time */
#define LINES       96
#define STEPS       100000

typedef struct Fixture {
    CXLTimestamp clock;
    CXLPoison p;
} Fixture;

static void setup(Fixture *f, gconstpointer data)
{
    cxl_timestamp_set(&f->clock, HOST_TIME);
    cxl_poison_init(&f->p, LIMIT, &f->clock);
}

static void teardown(Fixture *f, gconstpointer data)
{
    cxl_poison_destroy(&f->p);
}

static void expect_list(const CXLPoison *p, const CXLPoisonRange *want,
                        unsigned n)
{
    CXLPoisonRange r;
    uint64_t from = 0;
    unsigned i;

    for (i = 0; i < n; i++) {
        g_assert_true(cxl_poison_next(p, from, &r));
        g_assert_cmphex(r.dpa, ==, want[i].dpa);
        g_assert_cmphex(r.len, ==, want[i].len);
        g_assert_cmpuint(r.source, ==, want[i].source);
        from = r.dpa + r.len;
    }
    g_assert_false(from && cxl_poison_next(p, from, &r));
}

static void test_sorted(Fixture *f, gconstpointer data)
{
    const CXLPoisonRange want[] = {
        { 0, LINE, CXL_POISON_INJECTED },
        { 2 * LINE, 3 * LINE, CXL_POISON_INTERNAL },
        { 0x10000, LINE, CXL_POISON_EXTERNAL },
    };

    g_assert_cmpint(cxl_poison_found(&f->p, 0x10000, LINE,
                                     CXL_POISON_EXTERNAL),
                    ==, CXL_POISON_DONE);
    g_assert_cmpint(cxl_poison_inject(&f->p, 0), ==, CXL_POISON_DONE);
    g_assert_cmpint(cxl_poison_found(&f->p, 2 * LINE, 3 * LINE,
                                     CXL_POISON_INTERNAL),
                    ==, CXL_POISON_DONE);
    expect_list(&f->p, want, ARRAY_SIZE(want));
}

static void test_walk_clips_its_start(Fixture *f, gconstpointer data)
{
    CXLPoisonRange r;

    cxl_poison_found(&f->p, 0, 4 * LINE, CXL_POISON_INTERNAL);
    g_assert_true(cxl_poison_next(&f->p, 3 * LINE, &r));
    g_assert_cmphex(r.dpa, ==, 3 * LINE);
    g_assert_cmphex(r.len, ==, LINE);
    g_assert_false(cxl_poison_next(&f->p, 4 * LINE, &r));
}

static void test_pieces_are_clipped(Fixture *f, gconstpointer data)
{
    CXLPoisonRange r;

    cxl_poison_found(&f->p, LINE, 4 * LINE, CXL_POISON_INTERNAL);
    cxl_poison_found(&f->p, LAST_LINE, LINE, CXL_POISON_INTERNAL);
    g_assert_false(cxl_poison_piece(&f->p, 0, LINE, &r));
    g_assert_false(cxl_poison_piece(&f->p, LINE, 0, &r));
    g_assert_true(cxl_poison_piece(&f->p, 0, 3 * LINE, &r));
    g_assert_cmphex(r.dpa, ==, LINE);
    g_assert_cmphex(r.len, ==, 2 * LINE);
    g_assert_true(cxl_poison_piece(&f->p, 3 * LINE, 9 * LINE, &r));
    g_assert_cmphex(r.dpa, ==, 3 * LINE);
    g_assert_cmphex(r.len, ==, 2 * LINE);
    g_assert_true(cxl_poison_piece(&f->p, 5 * LINE, 0 - 5ull * LINE, &r));
    g_assert_cmphex(r.dpa, ==, LAST_LINE);
    g_assert_cmphex(r.len, ==, LINE);
    /* also what no host sees */
    cxl_poison_destroy(&f->p);
    cxl_poison_init(&f->p, 1, NULL);
    cxl_poison_found(&f->p, 0, LINE, CXL_POISON_INTERNAL);
    cxl_poison_found(&f->p, 4 * LINE, LINE, CXL_POISON_INTERNAL);
    g_assert_true(cxl_poison_piece(&f->p, LINE, 9 * LINE, &r));
    g_assert_cmphex(r.dpa, ==, 4 * LINE);
}

static void test_bad_ranges(Fixture *f, gconstpointer data)
{
    g_assert_cmpint(cxl_poison_inject(&f->p, 1), ==, CXL_POISON_BAD_RANGE);
    g_assert_cmpint(cxl_poison_clear(&f->p, 1), ==, CXL_POISON_BAD_RANGE);
    g_assert_cmpint(cxl_poison_found(&f->p, 0, 1, 0), ==,
                    CXL_POISON_BAD_RANGE);
    g_assert_cmpint(cxl_poison_found(&f->p, LAST_LINE, 2 * LINE, 0), ==,
                    CXL_POISON_BAD_RANGE);
    g_assert_cmpint(cxl_poison_found(&f->p, LINE, 0, 0), ==, CXL_POISON_DONE);
    g_assert_cmpuint(f->p.n, ==, 0);
}

static void test_top_of_the_address_space(Fixture *f, gconstpointer data)
{
    g_assert_cmpint(cxl_poison_inject(&f->p, LAST_LINE), ==, CXL_POISON_DONE);
    g_assert_true(cxl_poison_hits(&f->p, UINT64_MAX, 1));
    g_assert_false(cxl_poison_hits(&f->p, LAST_LINE - 1, 1));
    g_assert_true(cxl_poison_hits(&f->p, LAST_LINE - 1, 2));
    g_assert_cmpint(cxl_poison_inject(&f->p, LAST_LINE), ==,
                    CXL_POISON_ALREADY);
    g_assert_cmpint(cxl_poison_clear(&f->p, LAST_LINE), ==, CXL_POISON_DONE);
    g_assert_cmpuint(f->p.n, ==, 0);
}

static void test_host_is_refused_when_full(Fixture *f, gconstpointer data)
{
    unsigned i;

    for (i = 0; i < LIMIT; i++) {
        g_assert_cmpint(cxl_poison_inject(&f->p, i * 2 * LINE), ==,
                        CXL_POISON_DONE);
    }
    g_assert_cmpint(cxl_poison_inject(&f->p, 0), ==, CXL_POISON_ALREADY);
    g_assert_cmpint(cxl_poison_inject(&f->p, LINE), ==, CXL_POISON_FULL);
    g_assert_false(cxl_poison_hits(&f->p, LINE, LINE));
    g_assert_false(f->p.overflowed);
}

static void test_overflow_and_scan(Fixture *f, gconstpointer data)
{
    CXLPoisonRange r;
    unsigned i;

    for (i = 0; i <= LIMIT; i++) {
        g_assert_cmpint(cxl_poison_found(&f->p, i * 2 * LINE, LINE,
                                         CXL_POISON_INTERNAL),
                        ==, CXL_POISON_DONE);
    }
    g_assert_true(f->p.overflowed);
    g_assert_cmpuint(f->p.overflow_ns, ==, HOST_TIME);
    /* The last one is there, but not listed */
    g_assert_true(cxl_poison_hits(&f->p, LIMIT * 2 * LINE, LINE));
    g_assert_false(cxl_poison_next(&f->p, LIMIT * 2 * LINE, &r));

    /* A scan finds no room, then too small a range, then it */
    g_assert_cmpuint(cxl_poison_scan(&f->p, 0, UINT64_MAX), ==, 0);
    g_assert_cmpint(cxl_poison_clear(&f->p, 0), ==, CXL_POISON_DONE);
    g_assert_cmpuint(cxl_poison_scan(&f->p, 0, LIMIT * 2 * LINE), ==, 0);
    g_assert_true(f->p.overflowed);
    g_assert_cmpuint(cxl_poison_scan(&f->p, 0, LIMIT * 2 * LINE + 1), ==, 1);
    g_assert_false(f->p.overflowed);
    g_assert_cmpuint(f->p.overflow_ns, ==, 0);
    g_assert_true(cxl_poison_next(&f->p, LIMIT * 2 * LINE, &r));
}

static void test_split_keeps_both_parts(Fixture *f, gconstpointer data)
{
    const CXLPoisonRange want[] = {
        { 0, 2 * LINE, CXL_POISON_VENDOR },
        { 3 * LINE, LINE, CXL_POISON_VENDOR },
    };

    cxl_poison_found(&f->p, 0, 4 * LINE, CXL_POISON_VENDOR);
    g_assert_cmpint(cxl_poison_clear(&f->p, 2 * LINE), ==, CXL_POISON_DONE);
    expect_list(&f->p, want, ARRAY_SIZE(want));
    g_assert_cmpint(cxl_poison_clear(&f->p, 2 * LINE), ==, CXL_POISON_DONE);
    expect_list(&f->p, want, ARRAY_SIZE(want));
}

static void test_split_without_room(Fixture *f, gconstpointer data)
{
    unsigned i;

    for (i = 0; i < LIMIT; i++) {
        cxl_poison_found(&f->p, i * 4 * LINE, 3 * LINE, CXL_POISON_INTERNAL);
    }
    g_assert_cmpint(cxl_poison_clear(&f->p, LINE), ==, CXL_POISON_DONE);
    g_assert_cmpuint(f->p.n, ==, LIMIT + 1);
    g_assert_cmpuint(f->p.n_listed, ==, LIMIT);
    g_assert_true(f->p.overflowed);
    g_assert_true(cxl_poison_hits(&f->p, 2 * LINE, LINE));
}

static void test_wipe(Fixture *f, gconstpointer data)
{
    const CXLPoisonRange ends[] = {
        { 0, LINE, CXL_POISON_INTERNAL },
        { 9 * LINE, LINE, CXL_POISON_INTERNAL },
    };

    cxl_poison_found(&f->p, 0, 4 * LINE, CXL_POISON_INTERNAL);
    cxl_poison_found(&f->p, 5 * LINE, LINE, CXL_POISON_INTERNAL);
    cxl_poison_found(&f->p, 7 * LINE, 3 * LINE, CXL_POISON_INTERNAL);
    f->p.frozen = true;
    cxl_poison_wipe(&f->p, 4 * LINE, 0);
    g_assert_cmpuint(f->p.n, ==, 3);
    cxl_poison_wipe(&f->p, LINE, 8 * LINE);
    g_assert_cmpuint(f->p.n, ==, 2);
    expect_list(&f->p, ends, 2);
    cxl_poison_found(&f->p, LAST_LINE, LINE, CXL_POISON_INTERNAL);
    cxl_poison_wipe(&f->p, 9 * LINE, LAST_LINE - 8 * LINE);
    expect_list(&f->p, ends, 1);
    g_assert_cmpuint(f->p.n, ==, 1);
}

static void test_scan_freezes_hosts(Fixture *f, gconstpointer data)
{
    cxl_poison_inject(&f->p, 0);
    f->p.frozen = true;
    g_assert_cmpint(cxl_poison_inject(&f->p, LINE), ==, CXL_POISON_FROZEN);
    g_assert_cmpint(cxl_poison_clear(&f->p, 0), ==, CXL_POISON_FROZEN);
    g_assert_true(cxl_poison_hits(&f->p, 0, LINE));
    g_assert_cmpint(cxl_poison_found(&f->p, LINE, LINE, CXL_POISON_INTERNAL),
                    ==, CXL_POISON_DONE);
}

static void test_migrated(Fixture *f, gconstpointer data)
{
    g_autoptr(GByteArray) state = NULL;
    CXLPoison q;
    unsigned i;

    for (i = 0; i < LIMIT + 2; i++) {
        cxl_poison_found(&f->p, i * 2 * LINE, LINE, CXL_POISON_INTERNAL);
    }
    state = state_save(&vmstate_cxl_poison, &f->p);

    cxl_poison_init(&q, LIMIT, &f->clock);
    cxl_poison_inject(&q, 0x100000);
    g_assert_cmpint(state_load(&vmstate_cxl_poison, &q, state->data,
                               state->len), ==, 0);
    g_assert_cmpuint(q.n, ==, LIMIT + 2);
    g_assert_cmpuint(q.n_listed, ==, LIMIT);
    g_assert_true(q.overflowed);
    g_assert_cmpuint(q.overflow_ns, ==, HOST_TIME);
    for (i = 0; i < q.n; i++) {
        g_assert_cmphex(q.range[i].dpa, ==, i * 2 * LINE);
        g_assert_cmpint(q.range[i].listed, ==, i < LIMIT);
    }
    /* What arrived can grow */
    g_assert_cmpint(cxl_poison_clear(&q, 0), ==, CXL_POISON_DONE);
    g_assert_cmpint(cxl_poison_inject(&q, LINE), ==, CXL_POISON_DONE);
    cxl_poison_destroy(&q);
}

static void test_bad_stream_is_refused(Fixture *f, gconstpointer data)
{
    g_autoptr(GByteArray) state = NULL;
    CXLPoison q;

    cxl_poison_inject(&f->p, 0);
    cxl_poison_inject(&f->p, 2 * LINE);
    /* Two ranges that overlap */
    f->p.range[1].dpa = 0;
    state = state_save(&vmstate_cxl_poison, &f->p);
    cxl_poison_init(&q, LIMIT, &f->clock);
    g_assert_true(state_is_refused(&vmstate_cxl_poison, &q, state->data,
                                   state->len));
    cxl_poison_destroy(&q);
}

/* However a stream ends, what is left of it is a set */
static void test_failed_load_leaves_an_empty_set(Fixture *f,
                                                 gconstpointer data)
{
    g_autoptr(GByteArray) state = NULL, bad = NULL;
    CXLPoison q;
    size_t len;

    cxl_poison_inject(&f->p, 0);
    cxl_poison_inject(&f->p, 2 * LINE);
    state = state_save(&vmstate_cxl_poison, &f->p);
    cxl_poison_init(&q, LIMIT, &f->clock);
    for (len = 0; len + 1 < state->len; len++) {
        cxl_poison_inject(&q, 4 * LINE);
        g_assert_true(state_is_refused(&vmstate_cxl_poison, &q, state->data,
                                       len));
        g_assert_cmpuint(q.n, ==, 0);
        g_assert_null(q.range);
        q.frozen = false;
    }
    bad = g_byte_array_new();
    for (len = 0; len < state->len - 4; len++) {
        g_byte_array_set_size(bad, 0);
        g_byte_array_append(bad, state->data, state->len);
        memset(bad->data + len, 0xff, 4);
        if (state_is_refused(&vmstate_cxl_poison, &q, bad->data, bad->len)) {
            g_assert_cmpuint(q.n, ==, 0);
            g_assert_false(cxl_poison_hits(&q, 0, UINT64_MAX));
        }
        q.frozen = false;
        cxl_poison_wipe(&q, 0, LAST_LINE);
        cxl_poison_found(&q, 4 * LINE, LINE, CXL_POISON_INTERNAL);
        cxl_poison_scan(&q, 0, UINT64_MAX);
    }
    cxl_poison_destroy(&q);
}

/* Who adds keeps the bound, and so what there is can always be saved */
static void test_the_number_of_ranges_is_bounded(Fixture *f,
                                                 gconstpointer data)
{
    const uint64_t big = 8 * LINE;
    g_autoptr(GByteArray) state = NULL;
    uint64_t at = big;
    CXLPoison q;

    cxl_poison_found(&f->p, 0, big, CXL_POISON_INTERNAL);
    while (f->p.n < CXL_POISON_RANGES_MAX) {
        at += 2 * LINE;
        g_assert_cmpint(cxl_poison_found(&f->p, at, LINE, CXL_POISON_INTERNAL),
                        ==, CXL_POISON_DONE);
    }
    g_assert_cmpint(cxl_poison_found(&f->p, at + 2 * LINE, LINE,
                                     CXL_POISON_INTERNAL),
                    ==, CXL_POISON_FULL);
    /* the middle of a range leaves two of it, and changes nothing then */
    g_assert_false(cxl_poison_can_wipe(&f->p, 2 * LINE, LINE));
    g_assert_false(cxl_poison_wipe(&f->p, 2 * LINE, 2 * LINE));
    g_assert_cmpint(cxl_poison_clear(&f->p, 2 * LINE), ==, CXL_POISON_FULL);
    g_assert_true(cxl_poison_hits(&f->p, 2 * LINE, LINE));
    g_assert_cmpuint(f->p.n, ==, CXL_POISON_RANGES_MAX);
    /* an end of it, the whole of it, and several of them do not */
    g_assert_cmpint(cxl_poison_clear(&f->p, 0), ==, CXL_POISON_DONE);
    g_assert_true(cxl_poison_wipe(&f->p, big - LINE, LINE));
    g_assert_false(cxl_poison_hits(&f->p, big - LINE, LINE));

    state = state_save(&vmstate_cxl_poison, &f->p);
    cxl_poison_init(&q, LIMIT, &f->clock);
    g_assert_cmpint(state_load(&vmstate_cxl_poison, &q, state->data,
                               state->len), ==, 0);
    g_assert_cmpuint(q.n, ==, CXL_POISON_RANGES_MAX);
    cxl_poison_destroy(&q);

    /* with room for one more, it goes on */
    g_assert_true(cxl_poison_wipe(&f->p, at, LINE));
    g_assert_cmpint(cxl_poison_clear(&f->p, 3 * LINE), ==, CXL_POISON_DONE);
    g_assert_cmpuint(f->p.n, ==, CXL_POISON_RANGES_MAX);
}

/* Every line by itself says whether it is bad; the set must agree */
static void test_random_against_lines(Fixture *f, gconstpointer data)
{
    bool bad[LINES] = { false };
    unsigned step, i;

    for (step = 0; step < STEPS; step++) {
        unsigned at = g_test_rand_int_range(0, LINES);
        unsigned n = g_test_rand_int_range(1, MIN(6, LINES - at) + 1);
        bool any = false;

        for (i = at; i < at + n; i++) {
            any |= bad[i];
        }
        g_assert_cmpint(cxl_poison_hits(&f->p, at * LINE, n * LINE), ==, any);

        switch (g_test_rand_int_range(0, 4)) {
        case 0:
            g_assert_cmpint(cxl_poison_found(&f->p, at * LINE, n * LINE,
                                             CXL_POISON_INTERNAL),
                            ==, any ? CXL_POISON_ALREADY : CXL_POISON_DONE);
            if (!any) {
                memset(&bad[at], true, n);
            }
            break;
        case 1:
            cxl_poison_scan(&f->p, at * LINE, n * LINE);
            break;
        default:
            g_assert_cmpint(cxl_poison_clear(&f->p, at * LINE), ==,
                            CXL_POISON_DONE);
            bad[at] = false;
            break;
        }
        g_assert_cmpuint(f->p.n_listed, <=, LIMIT);
        g_assert_cmpint(f->p.overflowed, ==, f->p.n_listed < f->p.n);
        for (i = 1; i < f->p.n; i++) {
            g_assert_cmphex(f->p.range[i - 1].dpa + f->p.range[i - 1].len, <=,
                            f->p.range[i].dpa);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    module_call_init(MODULE_INIT_QOM);
    fake_clock_init();

#define ADD(name, fn) \
    g_test_add("/cxl/poison/" name, Fixture, NULL, setup, fn, teardown)
    ADD("sorted", test_sorted);
    ADD("walk-clips-its-start", test_walk_clips_its_start);
    ADD("pieces-are-clipped", test_pieces_are_clipped);
    ADD("bad-ranges", test_bad_ranges);
    ADD("top-of-the-address-space", test_top_of_the_address_space);
    ADD("host-is-refused-when-full", test_host_is_refused_when_full);
    ADD("overflow-and-scan", test_overflow_and_scan);
    ADD("split-keeps-both-parts", test_split_keeps_both_parts);
    ADD("split-without-room", test_split_without_room);
    ADD("wipe", test_wipe);
    ADD("scan-freezes-hosts", test_scan_freezes_hosts);
    ADD("migrated", test_migrated);
    ADD("bad-stream-is-refused", test_bad_stream_is_refused);
    ADD("failed-load-leaves-an-empty-set",
        test_failed_load_leaves_an_empty_set);
    ADD("the-number-of-ranges-is-bounded",
        test_the_number_of_ranges_is_bounded);
    ADD("random-against-lines", test_random_against_lines);
    return g_test_run();
}
