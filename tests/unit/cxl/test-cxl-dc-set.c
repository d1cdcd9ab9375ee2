/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ordered set of the dynamic capacity model against a plain array.
 */
#include "qemu/osdep.h"
#include "../../../hw/cxl/dcd/dc-internal.h"

#define SLOTS 5000

/* Slot i holds a record of len[i] at (i << 12) + skip[i], if that is not 0 */
static uint64_t len[SLOTS];
static uint64_t skip[SLOTS];

static uint64_t slot_dpa(unsigned i)
{
    return ((uint64_t)i << 12) + skip[i];
}

/* Another place and length within the slot */
static void slot_choose(unsigned i)
{
    skip[i] = g_test_rand_bit() ? 0 : g_test_rand_int_range(0, 0x1000);
    len[i] = g_test_rand_int_range(1, 0x1001 - skip[i]);
}

static void compare_all(const DCSet *set)
{
    const DCRec *rec, *fit = NULL;
    uint64_t longest = 0;
    uint32_t k = 0;
    DCCursor cur, walk;

    rec = dc_set_nth(set, 0, &walk);
    for (unsigned i = 0; i < SLOTS; i++) {
        if (!len[i]) {
            continue;
        }
        g_assert_nonnull(rec);
        g_assert_cmphex(rec->dpa, ==, slot_dpa(i));
        g_assert_cmphex(rec->len, ==, len[i]);
        g_assert_true(dc_set_nth(set, k, &cur) == rec);
        if (len[i] > longest) {
            longest = len[i];
            fit = rec;
        }
        k++;
        rec = dc_set_next(&walk);
    }
    g_assert_null(rec);
    g_assert_cmpuint(set->count, ==, k);
    g_assert_null(dc_set_nth(set, k, &cur));
    g_assert_true(dc_set_longest(set) == fit);
    g_assert_null(dc_set_first_fit(set, longest + 1));
}

static void compare_at(const DCSet *set, uint64_t dpa)
{
    uint64_t slot = dpa >> 12;
    bool inside = slot < SLOTS && dpa >= slot_dpa(slot) &&
                  dpa - slot_dpa(slot) < len[slot];
    const DCRec *rec = dc_set_find(set, dpa);
    DCCursor cur;

    g_assert_true(!!rec == inside);
    if (!inside) {
        while (slot < SLOTS && (!len[slot] || slot_dpa(slot) <= dpa)) {
            slot++;
        }
        rec = dc_set_from(set, dpa, &cur);
        g_assert_true(!!rec == (slot < SLOTS));
    }
    if (rec) {
        g_assert_cmphex(rec->dpa, ==, slot_dpa(slot));
    }
}

static void run(bool ascending)
{
    DCSet set = { };

    memset(len, 0, sizeof(len));
    memset(skip, 0, sizeof(skip));
    for (unsigned step = 0; step < 60000; step++) {
        /* Fill up, thin out, fill up, empty */
        unsigned odds[] = { 9, 2, 7, 0 };
        bool add = g_test_rand_int_range(0, 10) < odds[step / 15000];
        unsigned i = ascending && add ? step % SLOTS
                                      : g_test_rand_int_range(0, SLOTS);

        if (add && !len[i]) {
            DCRec rec = { };

            slot_choose(i);
            rec.dpa = slot_dpa(i);
            rec.len = len[i];
            dc_set_insert(&set, &rec);
        } else if (add) {
            uint64_t was = slot_dpa(i);

            slot_choose(i);
            dc_set_change(&set, was, slot_dpa(i), len[i]);
        } else if (len[i]) {
            dc_set_remove(&set, slot_dpa(i));
            len[i] = 0;
        }
        compare_at(&set, g_test_rand_int_range(0, (SLOTS + 1) << 12));
        if (step % 997 == 0) {
            compare_all(&set);
        }
    }
    compare_all(&set);
    for (unsigned i = 0; i < SLOTS; i++) {
        if (len[i]) {
            dc_set_remove(&set, slot_dpa(i));
        }
    }
    g_assert_cmpuint(set.count, ==, 0);
    g_assert_cmpuint(dc_set_memory(&set), ==, 0);
    g_assert_null(set.root);
}

static void test_like_array(void)
{
    run(false);
}

static void test_ascending_like_array(void)
{
    run(true);
}

static void test_ascending_is_compact(void)
{
    DCSet set = { };

    for (unsigned i = 0; i < 100000; i++) {
        DCRec rec = { .dpa = (uint64_t)i << 12, .len = 1 };

        dc_set_insert(&set, &rec);
    }
    g_assert_cmpuint(dc_set_memory(&set), <, 100000 * 42);
    dc_set_clear(&set);
    g_assert_cmpuint(dc_set_memory(&set), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cxl/dc/set/like-array", test_like_array);
    g_test_add_func("/cxl/dc/set/ascending-like-array",
                    test_ascending_like_array);
    g_test_add_func("/cxl/dc/set/ascending-is-compact",
                    test_ascending_is_compact);
    return g_test_run();
}
