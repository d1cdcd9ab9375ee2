/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Patrol scrub: pace, what it comes by and what not, migration
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "qemu/units.h"
#include "fake-clock.h"
#include "state-bytes.h"
#include "hw/cxl/memdev/scrub.h"

#define SIZE        (256 * MiB)
#define PART        (SIZE / CXL_SCRUB_STEPS)
#define HOUR        (3600 * NANOSECONDS_PER_SECOND)
#define STEP        (HOUR / CXL_SCRUB_STEPS)
#define LIMIT       4

typedef struct Patrol {
    CXLPoison poison;
    CXLScrub scrub;
    CXLPoisonRange last;
    unsigned found;
    bool heals;
} Patrol;

static void found(void *opaque, const CXLPoisonRange *r)
{
    Patrol *p = opaque;

    p->last = *r;
    p->found++;
    if (p->heals) {
        cxl_poison_clear(&p->poison, r->dpa);
    }
}

static void setup(Patrol *p, gconstpointer unused)
{
    cxl_poison_init(&p->poison, LIMIT, NULL);
    cxl_scrub_init(&p->scrub, &p->poison, SIZE, found, p);
}

static void teardown(Patrol *p, gconstpointer unused)
{
    cxl_scrub_destroy(&p->scrub);
    cxl_poison_destroy(&p->poison);
}

static void poison(Patrol *p, uint64_t dpa, uint64_t len)
{
    g_assert_cmpint(cxl_poison_found(&p->poison, dpa, len,
                                     CXL_POISON_INTERNAL), ==,
                    CXL_POISON_DONE);
}

/* @steps later @n pieces of poison were found that were not before */
static void finds(Patrol *p, unsigned steps, unsigned n)
{
    unsigned before = p->found;

    while (steps--) {
        fake_clock_step(STEP);
    }
    g_assert_cmpuint(p->found - before, ==, n);
}

static void test_off(Patrol *p, gconstpointer unused)
{
    poison(p, 0, 64);
    finds(p, 2 * CXL_SCRUB_STEPS, 0);
    cxl_scrub_set(&p->scrub, true, 1);
    cxl_scrub_set(&p->scrub, false, 1);
    finds(p, 2 * CXL_SCRUB_STEPS, 0);
}

static void test_pace(Patrol *p, gconstpointer unused)
{
    poison(p, 0, 64);
    poison(p, SIZE - 64, 64);
    cxl_scrub_set(&p->scrub, true, 1);
    finds(p, 0, 0);
    finds(p, 1, 1);
    g_assert_cmphex(p->last.dpa, ==, 0);
    finds(p, CXL_SCRUB_STEPS - 2, 0);
    finds(p, 1, 1);
    g_assert_cmphex(p->last.dpa, ==, SIZE - 64);
    finds(p, CXL_SCRUB_STEPS, 2);

    /* half as fast, from where it is */
    cxl_scrub_set(&p->scrub, true, 2);
    finds(p, 1, 0);
    finds(p, 1, 1);
    finds(p, 2 * CXL_SCRUB_STEPS - 3, 0);
    finds(p, 1, 1);

    /* from the start again */
    finds(p, CXL_SCRUB_STEPS, 1);
    cxl_scrub_set(&p->scrub, false, 2);
    cxl_scrub_set(&p->scrub, true, 1);
    finds(p, 1, 1);
    g_assert_cmphex(p->last.dpa, ==, 0);
}

static void test_once_a_cycle(Patrol *p, gconstpointer unused)
{
    /* over three parts, and one behind it in the last of them */
    poison(p, PART / 2, 2 * PART);
    poison(p, PART / 2 + 2 * PART, 64);
    poison(p, 3 * PART - 64, 64);
    cxl_scrub_set(&p->scrub, true, 1);
    finds(p, 1, 1);
    g_assert_cmphex(p->last.dpa, ==, PART / 2);
    g_assert_cmphex(p->last.len, ==, 2 * PART);
    finds(p, 1, 0);
    finds(p, 1, 2);
    g_assert_cmphex(p->last.dpa, ==, 3 * PART - 64);
    /* what ends at a part's end hides nothing at the start of the next */
    poison(p, 3 * PART, 64);
    finds(p, 1, 1);
    finds(p, CXL_SCRUB_STEPS, 4);
}

static void test_poison_at_the_top(Patrol *p, gconstpointer unused)
{
    poison(p, SIZE - 64, UINT64_MAX - (SIZE - 64) - 63);
    poison(p, -64ull, 64);
    cxl_scrub_set(&p->scrub, true, 1);
    finds(p, CXL_SCRUB_STEPS, 1);
    finds(p, CXL_SCRUB_STEPS, 1);
}

static void test_unlisted(Patrol *p, gconstpointer unused)
{
    unsigned i;

    for (i = 0; i <= LIMIT; i++) {
        poison(p, 128 * i, 64);
    }
    g_assert_true(p->poison.overflowed);
    cxl_scrub_set(&p->scrub, true, 1);
    finds(p, 1, LIMIT);
    cxl_poison_clear(&p->poison, 0);
    g_assert_true(p->poison.overflowed);
    /* a scan has the list in its hands */
    p->poison.frozen = true;
    finds(p, CXL_SCRUB_STEPS, LIMIT - 1);
    p->poison.frozen = false;
    finds(p, CXL_SCRUB_STEPS, LIMIT);
    g_assert_false(p->poison.overflowed);
}

static void test_found_may_heal(Patrol *p, gconstpointer unused)
{
    p->heals = true;
    poison(p, 0, 64);
    poison(p, 64, 64);
    poison(p, 4096, 64);
    cxl_scrub_set(&p->scrub, true, 1);
    finds(p, 1, 3);
    g_assert_cmpuint(p->poison.n, ==, 0);
    finds(p, CXL_SCRUB_STEPS, 0);
}

static void test_migration(Patrol *p, gconstpointer unused)
{
    GByteArray *saved;
    unsigned i;

    poison(p, 2 * PART, 64);
    cxl_scrub_set(&p->scrub, true, 1);
    finds(p, 2, 0);
    saved = state_save(&vmstate_cxl_scrub, &p->scrub);
    cxl_scrub_set(&p->scrub, false, 7);
    g_assert_cmpint(state_load(&vmstate_cxl_scrub, &p->scrub, saved->data,
                               saved->len), ==, 0);
    finds(p, 1, 1);
    for (i = 0; i < saved->len; i++) {
        g_assert_true(state_is_refused(&vmstate_cxl_scrub, &p->scrub,
                                       saved->data, i));
    }
    cxl_scrub_set(&p->scrub, true, 1);
    p->scrub.hours = 0;
    g_byte_array_unref(saved);
    saved = state_save(&vmstate_cxl_scrub, &p->scrub);
    g_assert_true(state_is_refused(&vmstate_cxl_scrub, &p->scrub, saved->data,
                                   saved->len));
    p->scrub.hours = 1;
    p->scrub.step = CXL_SCRUB_STEPS;
    g_byte_array_unref(saved);
    saved = state_save(&vmstate_cxl_scrub, &p->scrub);
    g_assert_true(state_is_refused(&vmstate_cxl_scrub, &p->scrub, saved->data,
                                   saved->len));
    p->scrub.step = 0;
    p->scrub.next_ns = -1;
    g_byte_array_unref(saved);
    saved = state_save(&vmstate_cxl_scrub, &p->scrub);
    g_assert_true(state_is_refused(&vmstate_cxl_scrub, &p->scrub, saved->data,
                                   saved->len));
    g_byte_array_unref(saved);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fake_clock_init();
    module_call_init(MODULE_INIT_QOM);
#define T(name, f) g_test_add("/cxl/scrub/" name, Patrol, NULL, setup, f, \
                              teardown)
    T("off", test_off);
    T("pace", test_pace);
    T("once-a-cycle", test_once_a_cycle);
    T("poison-at-the-top", test_poison_at_the_top);
    T("unlisted", test_unlisted);
    T("found-may-heal", test_found_may_heal);
    T("migration", test_migration);
    return g_test_run();
}
