/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity model: what a host gives back (CXL r3.2 8.2.10.9.9.4).
 */
#include "qemu/osdep.h"
#include "dc-test.h"

static void test_release_nothing(DCTest *t)
{
    give(t, 0, DPA(PLAIN, 0), 4, 0);
    assert_rc(cxl_dc_host_release(t->dc, 0, NULL, 0, false),
              CXL_RC_INVALID_INPUT);
    assert_rc(cxl_dc_host_release(t->dc, 0, NULL, 0, true),
              CXL_RC_INVALID_INPUT);
    assert_rc(cxl_dc_host_release(t->dc, 5, NULL, 1, true),
              CXL_RC_INVALID_INPUT);
}

static void test_release_unasked(DCTest *t)
{
    const CXLDCEvent *ev;

    give(t, 0, DPA(PLAIN, 0), 4, 3);
    assert_rc(host_release(t, 0, DPA(PLAIN, 0), 4), CXL_RC_SUCCESS);
    g_assert_cmpuint(nr_added(t, 0), ==, 0);
    g_assert_cmpuint(cxl_dc_generation(t->dc, 0), ==, 2);
    g_assert_cmpuint(extents_left(t, 0), ==, 512);
    g_assert_cmpuint(cxl_dc_tag_count(t->dc), ==, 0);
    g_assert_cmpuint(t->rec->events->len, ==, 1);
    ev = dc_event(t->rec, 0);
    g_assert_cmpint(ev->type, ==, CXL_DC_EV_RELEASED);
    assert_extent(&ev->extent, DPA(PLAIN, 0), 4, 3, 0);
    g_assert_cmpuint(t->rec->wiped->len, ==, 0);
    g_assert_cmpuint(t->rec->access->len, ==, 1);
    g_assert_false(g_array_index(t->rec->access, DCAccessCall, 0).on);
}

static void test_release_splits(DCTest *t)
{
    CXLDCExtent e;

    give(t, 0, DPA(PLAIN, 0), 8, 3);
    assert_rc(host_release(t, 0, DPA(PLAIN, 3), 2), CXL_RC_SUCCESS);
    g_assert_cmpuint(nr_added(t, 0), ==, 2);
    e = added_at(t, 0, 0);
    assert_extent(&e, DPA(PLAIN, 0), 3, 3, 0);
    e = added_at(t, 0, 1);
    assert_extent(&e, DPA(PLAIN, 5), 3, 3, 0);
    g_assert_false(can_access(t, 0, DPA(PLAIN, 2), 2));
    /* Its two ends, and the blocks go to others */
    assert_rc(fm_add_one(t, 1, DPA(PLAIN, 3), 2, 0), CXL_RC_SUCCESS);
    g_assert_cmpuint(extents_left(t, 0), ==, 510);
}

static void test_release_spans_extents(DCTest *t)
{
    CXLDCExtent e;

    give(t, 0, DPA(PLAIN, 0), 2, 1);
    give(t, 0, DPA(PLAIN, 2), 2, 2);
    give(t, 0, DPA(PLAIN, 4), 2, 3);
    assert_rc(host_release(t, 0, DPA(PLAIN, 1), 4), CXL_RC_SUCCESS);
    g_assert_cmpuint(nr_added(t, 0), ==, 2);
    e = added_at(t, 0, 0);
    assert_extent(&e, DPA(PLAIN, 0), 1, 1, 0);
    e = added_at(t, 0, 1);
    assert_extent(&e, DPA(PLAIN, 5), 1, 3, 0);
    g_assert_cmpuint(t->rec->events->len, ==, 3);
    g_assert_cmpuint(tags_left(t, 0), ==, 62);
}

/* The FM hears of what the host named, however it was given */
static void test_release_of_one_range_is_one_record(DCTest *t)
{
    CXLDCRange list[] = {
        range_of(DPA(PLAIN, 5), 1), range_of(DPA(PLAIN, 1), 4),
    };

    give(t, 0, DPA(PLAIN, 0), 2, 0);
    give(t, 0, DPA(PLAIN, 2), 1, 0);
    give(t, 0, DPA(PLAIN, 3), 1, 7);
    give(t, 0, DPA(PLAIN, 4), 4, 0);
    dc_recorder_clear(t->rec);
    assert_rc(cxl_dc_host_release(t->dc, 0, list, ARRAY_SIZE(list), false),
              CXL_RC_SUCCESS);
    g_assert_cmpuint(t->rec->events->len, ==, 4);
    assert_extent(&dc_event(t->rec, 0)->extent, DPA(PLAIN, 1), 2, 0, 0);
    assert_extent(&dc_event(t->rec, 1)->extent, DPA(PLAIN, 3), 1, 7, 0);
    assert_extent(&dc_event(t->rec, 2)->extent, DPA(PLAIN, 4), 1, 0, 0);
    assert_extent(&dc_event(t->rec, 3)->extent, DPA(PLAIN, 5), 1, 0, 0);
}

static void not_there(DCTest *t, uint64_t dpa, uint64_t len)
{
    CXLDCRange r = { dpa, len };

    assert_rc(cxl_dc_host_release(t->dc, 0, &r, 1, false),
              CXL_RC_INVALID_PHYS_ADDR);
}

static void test_release_what_is_not_added(DCTest *t)
{
    give(t, 0, DPA(PLAIN, 0), 4, 0);
    give(t, 1, DPA(PLAIN, 8), 1, 0);
    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 4), 1, 0), CXL_RC_SUCCESS);
    not_there(t, DPA(PLAIN, 3), 2 * BLOCK);
    not_there(t, DPA(PLAIN, 4), BLOCK);
    not_there(t, DPA(PLAIN, 8), BLOCK);
    not_there(t, DPA(PLAIN, 20), BLOCK);
    not_there(t, DPA(PLAIN, 0), -32 * MiB);
    not_there(t, 0, BLOCK);
    g_assert_cmpuint(nr_added(t, 0), ==, 1);
    g_assert_cmpuint(cxl_dc_generation(t->dc, 0), ==, 1);
    /* One bad range of many: nothing is released */
    {
        CXLDCRange r[2] = {
            range_of(DPA(PLAIN, 0), 1), range_of(DPA(PLAIN, 20), 1),
        };

        assert_rc(cxl_dc_host_release(t->dc, 0, r, 2, false),
                  CXL_RC_INVALID_PHYS_ADDR);
        g_assert_true(can_access(t, 0, DPA(PLAIN, 0), 4));
    }
    /* Twice */
    assert_rc(host_release(t, 0, DPA(PLAIN, 0), 1), CXL_RC_SUCCESS);
    not_there(t, DPA(PLAIN, 0), BLOCK);
}

static void test_release_is_judged_by_its_end(void)
{
    CXLDCConfig c = dc_test_config();
    g_autoptr(DCTest) t = NULL;
    CXLDCRange r[2] = {
        range_of(DPA(PLAIN, 1), 1), range_of(DPA(WIPED, 0), 1)
    };

    c.max_extents = 2;
    for (unsigned order = 0; order < 2; order++) {
        t = dc_test_new_with(&c, &dc_recorder_ops);
        give(t, 0, DPA(PLAIN, 0), 3, 0);
        give(t, 0, DPA(WIPED, 0), 1, 0);
        /* The split alone does not fit */
        assert_rc(cxl_dc_host_release(t->dc, 0, &r[0], 1, false),
                  CXL_RC_RESOURCES_EXHAUSTED);
        g_assert_cmpuint(nr_added(t, 0), ==, 2);
        /* With the other extent gone it does, in any order */
        if (order) {
            CXLDCRange swap = r[0];

            r[0] = r[1];
            r[1] = swap;
        }
        assert_rc(cxl_dc_host_release(t->dc, 0, r, 2, false), CXL_RC_SUCCESS);
        g_assert_cmpuint(nr_added(t, 0), ==, 2);
        if (!order) {
            dc_test_free(g_steal_pointer(&t));
        }
    }
}

static void test_release_sanitizes(DCTest *t)
{
    give(t, 0, DPA(WIPED, 0), 4, 0);
    assert_rc(host_release(t, 0, DPA(WIPED, 1), 2), CXL_RC_SUCCESS);
    g_assert_cmpuint(t->rec->wiped->len, ==, 1);
    g_assert_cmphex(dc_wiped(t->rec, 0)->dpa, ==, DPA(WIPED, 1));
    g_assert_cmphex(dc_wiped(t->rec, 0)->len, ==, 2 * BLOCK);
}

static void test_list_keeps_its_order(DCTest *t)
{
    for (unsigned i = 0; i < 10; i++) {
        give(t, 0, DPA(PLAIN, (i * 7) % 10 * 4), 3, 0);
    }
    assert_rc(host_release(t, 0, DPA(PLAIN, 13), 1), CXL_RC_SUCCESS);
    g_assert_cmpuint(nr_added(t, 0), ==, 11);
    for (unsigned i = 1; i < 11; i++) {
        g_assert_cmphex(added_at(t, 0, i - 1).dpa, <, added_at(t, 0, i).dpa);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) g_test_add_func("/cxl/dc/return/" #f, test_ ## f)
#define DC(f) dc_test_add("/cxl/dc/return/" #f, test_ ## f)
    DC(release_nothing);
    DC(release_unasked);
    DC(release_splits);
    DC(release_spans_extents);
    DC(release_of_one_range_is_one_record);
    DC(release_what_is_not_added);
    T(release_is_judged_by_its_end);
    DC(release_sanitizes);
    DC(list_keeps_its_order);
    return g_test_run();
}
