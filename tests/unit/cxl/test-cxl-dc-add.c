/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity model: Initiate Dynamic Capacity Add (CXL r3.2 7.6.7.6.5).
 */
#include "qemu/osdep.h"
#include "dc-test.h"

/* Nothing happened */
static void assert_untouched(DCTest *t)
{
    g_assert_cmpuint(nr_pending(t, 0), ==, 0);
    g_assert_cmpuint(extents_left(t, 0), ==, 512);
    g_assert_cmpuint(tags_left(t, 0), ==, 64);
    g_assert_cmpuint(cxl_dc_tag_count(t->dc), ==, 0);
    g_assert_cmpuint(t->rec->events->len, ==, 0);
    g_assert_cmpstr(t->rec->order->str, ==, "");
    assert_rc(fm_add_sized(t, 0, CXL_DC_ADD_CONTIGUOUS, PLAIN, CXL_DC_GRANULE,
                           0), CXL_RC_SUCCESS);
}

static void test_offer_is_pending(DCTest *t)
{
    CXLDCExtent e;

    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 3), 2, 5), CXL_RC_SUCCESS);
    g_assert_cmpuint(nr_added(t, 0), ==, 0);
    g_assert_cmpuint(cxl_dc_generation(t->dc, 0), ==, 0);
    g_assert_false(can_access(t, 0, DPA(PLAIN, 3), 1));
    g_assert_cmpuint(t->rec->access->len, ==, 0);
    e = pending_at(t, 0, 0, NULL, NULL);
    assert_extent(&e, DPA(PLAIN, 3), 2, 5, 0);
    /* Counted at once, for this host */
    g_assert_cmpuint(extents_left(t, 0), ==, 511);
    g_assert_cmpuint(tags_left(t, 0), ==, 63);
    g_assert_cmpuint(extents_left(t, 1), ==, 512);
    g_assert_cmpuint(tags_left(t, 1), ==, 64);
}

/*
 * A host that puts a tag's extents one after the other does it in the order of
 * the records now, and in that of 4801h after a reset.
 */
static void test_group_is_logged_in_the_order_of_the_list(DCTest *t)
{
    CXLDCExtent e[4] = {
        extent_of(DPA(PLAIN, 9), 1, 1), extent_of(DPA(PLAIN, 0), 2, 1),
        extent_of(DPA(SHARED, 4), 1, 2), extent_of(DPA(SHARED, 0), 1, 2),
    };

    assert_rc(fm_add(t, 0, e, 4), CXL_RC_SUCCESS);
    for (unsigned i = 0; i < 4; i++) {
        CXLDCExtent offered = pending_at(t, 0, i, NULL, NULL);
        const CXLDCExtent *logged = &dc_event(t->rec, i)->extent;

        g_assert_cmpmem(&offered, sizeof(offered), logged, sizeof(*logged));
    }
    /* Numbers of what is shared go by the FM's list */
    assert_extent(&dc_event(t->rec, 0)->extent, DPA(PLAIN, 0), 2, 1, 0);
    assert_extent(&dc_event(t->rec, 1)->extent, DPA(PLAIN, 9), 1, 1, 0);
    assert_extent(&dc_event(t->rec, 2)->extent, DPA(SHARED, 0), 1, 2, 1);
    assert_extent(&dc_event(t->rec, 3)->extent, DPA(SHARED, 4), 1, 2, 0);
    host_accept_all(t, 0);
    for (unsigned i = 0; i < 4; i++) {
        CXLDCExtent listed = added_at(t, 0, i);

        assert_extent(&listed, e[i ^ 1].dpa, i ? 1 : 2, i < 2 ? 1 : 2,
                      i == 2);
    }
}

static void test_group_is_logged_in_one_row(DCTest *t)
{
    CXLDCExtent e[3] = {
        extent_of(DPA(PLAIN, 9), 1, 1), extent_of(DPA(PLAIN, 0), 2, 0),
        extent_of(DPA(WIPED, 4), 1, 2),
    };

    assert_rc(fm_add(t, 1, e, 3), CXL_RC_SUCCESS);
    g_assert_cmpuint(t->rec->events->len, ==, 3);
    for (unsigned i = 0; i < 3; i++) {
        const CXLDCEvent *ev = dc_event(t->rec, i);

        g_assert_cmpint(ev->type, ==, CXL_DC_EV_ADD);
        g_assert_cmpuint(ev->host, ==, 1);
        g_assert_cmpint(ev->more, ==, i < 2);
        g_assert_cmpuint(ev->avail_extents, ==, 509);
        g_assert_cmpuint(ev->avail_tags, ==, 62);
    }
    assert_extent(&dc_event(t->rec, 0)->extent, DPA(PLAIN, 0), 2, 0, 0);
    assert_extent(&dc_event(t->rec, 1)->extent, DPA(PLAIN, 9), 1, 1, 0);
    assert_extent(&dc_event(t->rec, 2)->extent, DPA(WIPED, 4), 1, 2, 0);
}

static void test_unknown_host(DCTest *t)
{
    assert_rc(fm_add_one(t, 2, DPA(PLAIN, 0), 1, 0), CXL_RC_INVALID_INPUT);
    assert_rc(fm_add_sized(t, 7, CXL_DC_ADD_FREE, 0, BLOCK, 0),
              CXL_RC_INVALID_INPUT);
    assert_untouched(t);
}

static void test_unknown_policy(DCTest *t)
{
    assert_rc(fm_add_sized(t, 0, 4, 0, BLOCK, 0), CXL_RC_INVALID_INPUT);
    assert_rc(fm_add_sized(t, 0, 15, 0, BLOCK, 0), CXL_RC_INVALID_INPUT);
    assert_untouched(t);
}

static void test_unknown_region(DCTest *t)
{
    for (unsigned policy = 0; policy < 4; policy++) {
        if (policy != CXL_DC_ADD_PRESCRIPTIVE) {
            assert_rc(fm_add_sized(t, 0, policy, NR_REGIONS, BLOCK, 1),
                      CXL_RC_INVALID_INPUT);
            assert_rc(fm_add_sized(t, 0, policy, 255, BLOCK, 1),
                      CXL_RC_INVALID_INPUT);
        }
    }
    assert_untouched(t);
}

/* -- free and contiguous -------------------------------------------------- */

static void test_sized_bad_length(DCTest *t)
{
    for (unsigned policy = 0; policy < 2; policy++) {
        assert_rc(fm_add_sized(t, 0, policy, PLAIN, 0, 0),
                  CXL_RC_INVALID_INPUT);
        assert_rc(fm_add_sized(t, 0, policy, PLAIN, BLOCK + 64, 0),
                  CXL_RC_INVALID_INPUT);
    }
    assert_untouched(t);
}

static void test_sized_too_long(DCTest *t)
{
    for (unsigned policy = 0; policy < 2; policy++) {
        assert_rc(fm_add_sized(t, 0, policy, PLAIN, CXL_DC_GRANULE + BLOCK, 0),
                  CXL_RC_RESOURCES_EXHAUSTED);
        assert_rc(fm_add_sized(t, 0, policy, PLAIN, -BLOCK, 0),
                  CXL_RC_RESOURCES_EXHAUSTED);
    }
    assert_untouched(t);
}

static void test_contiguous_takes_lowest_hole_that_fits(DCTest *t)
{
    CXLDCExtent e;

    /* Holes: block 1, blocks 3..4, from block 6 on */
    give(t, 0, DPA(PLAIN, 0), 1, 0);
    give(t, 1, DPA(PLAIN, 2), 1, 0);
    give(t, 1, DPA(PLAIN, 5), 1, 0);
    assert_rc(fm_add_sized(t, 0, CXL_DC_ADD_CONTIGUOUS, PLAIN, 2 * BLOCK, 3),
              CXL_RC_SUCCESS);
    e = pending_at(t, 0, 0, NULL, NULL);
    assert_extent(&e, DPA(PLAIN, 3), 2, 3, 0);
    g_assert_cmpuint(nr_pending(t, 0), ==, 1);
}

static void test_contiguous_without_hole(DCTest *t)
{
    give(t, 0, DPA(PLAIN, BLOCKS / 2), 1, 0);
    assert_rc(fm_add_sized(t, 0, CXL_DC_ADD_CONTIGUOUS, PLAIN,
                           (BLOCKS / 2 + 1) * BLOCK, 0),
              CXL_RC_RESOURCES_EXHAUSTED);
    g_assert_cmpuint(nr_pending(t, 0), ==, 0);
    assert_rc(fm_add_sized(t, 0, CXL_DC_ADD_CONTIGUOUS, PLAIN,
                           BLOCKS / 2 * BLOCK, 0), CXL_RC_SUCCESS);
}

static void test_free_uses_many_holes(DCTest *t)
{
    CXLDCExtent e;

    give(t, 1, DPA(PLAIN, 1), 1, 0);
    give(t, 1, DPA(PLAIN, 5), BLOCKS - 5, 0);
    /* Holes: block 0, blocks 2..4 */
    assert_rc(fm_add_sized(t, 0, CXL_DC_ADD_FREE, PLAIN, 4 * BLOCK, 7),
              CXL_RC_SUCCESS);
    g_assert_cmpuint(nr_pending(t, 0), ==, 2);
    e = pending_at(t, 0, 0, NULL, NULL);
    assert_extent(&e, DPA(PLAIN, 0), 1, 7, 0);
    e = pending_at(t, 0, 1, NULL, NULL);
    assert_extent(&e, DPA(PLAIN, 2), 3, 7, 0);
    g_assert_true(dc_event(t->rec, 0)->more);
    g_assert_false(dc_event(t->rec, 1)->more);
    assert_rc(fm_add_sized(t, 0, CXL_DC_ADD_FREE, PLAIN, BLOCK, 0),
              CXL_RC_RESOURCES_EXHAUSTED);
}

static void test_free_prefers_one_extent(DCTest *t)
{
    give(t, 1, DPA(PLAIN, 1), 1, 0);
    assert_rc(fm_add_sized(t, 0, CXL_DC_ADD_FREE, PLAIN, 4 * BLOCK, 0),
              CXL_RC_SUCCESS);
    g_assert_cmpuint(nr_pending(t, 0), ==, 1);
    g_assert_cmphex(pending_at(t, 0, 0, NULL, NULL).dpa, ==, DPA(PLAIN, 2));
}

static void test_free_that_cannot_be_tracked_takes_nothing(void)
{
    g_autoptr(DCTest) t = dc_test_new_extents(8);

    /* Every other block of the first 16 is in use by host 1 */
    for (unsigned i = 0; i < 8; i++) {
        give(t, 1, DPA(PLAIN, 2 * i), i < 7 ? 1 : BLOCKS - 14, 0);
    }
    give(t, 0, DPA(WIPED, 0), 1, 0);
    give(t, 0, DPA(WIPED, 2), 1, 0);
    /* 7 blocks in 7 extents; 6 can be tracked */
    assert_rc(fm_add_sized(t, 0, CXL_DC_ADD_FREE, PLAIN, 7 * BLOCK, 0),
              CXL_RC_RESOURCES_EXHAUSTED);
    g_assert_cmpuint(nr_pending(t, 0), ==, 0);
    t->rec->room[0] = 5;
    assert_rc(fm_add_sized(t, 0, CXL_DC_ADD_FREE, PLAIN, 6 * BLOCK, 0),
              CXL_RC_RETRY_REQUIRED);
    g_assert_cmpuint(nr_pending(t, 0), ==, 0);
    t->rec->room[0] = 6;
    assert_rc(fm_add_sized(t, 0, CXL_DC_ADD_FREE, PLAIN, 6 * BLOCK, 0),
              CXL_RC_SUCCESS);
    g_assert_cmpuint(nr_pending(t, 0), ==, 6);
}

/* -- prescriptive --------------------------------------------------------- */

static void test_list_empty(DCTest *t)
{
    assert_rc(fm_add(t, 0, NULL, 0), CXL_RC_INVALID_EXTENT_LIST);
    assert_untouched(t);
}

static void bad_list(uint64_t dpa, uint64_t len, const char *why)
{
    g_autoptr(DCTest) t = dc_test_new();
    CXLDCExtent e[2] = {
        extent_of(DPA(PLAIN, 0), 1, 1), { .dpa = dpa, .len = len },
    };
    CXLDCAddRequest req = {
        .policy = CXL_DC_ADD_PRESCRIPTIVE, .extents = e, .nr_extents = 2,
    };
    g_autofree char *text = fm_add_error(t, &req, CXL_RC_INVALID_EXTENT_LIST);

    g_assert_true(g_str_has_prefix(text, why));
    g_assert_nonnull(strstr(text, "0x"));
    assert_untouched(t);
}

static void test_list_zero_length(void)
{
    bad_list(DPA(PLAIN, 4), 0, "extent with 0 length is not allowed");
}

static void test_list_off_block(void)
{
    const char *why = "dpa or len is not aligned to region block size";

    bad_list(DPA(PLAIN, 4) + 4 * KiB, BLOCK, why);
    bad_list(DPA(PLAIN, 4), BLOCK + 64, why);
}

static void test_list_beyond_region(void)
{
    const char *why = "extent range is beyond the region end";

    bad_list(DPA(PLAIN, BLOCKS - 1), 2 * BLOCK, why);
    bad_list(DPA(NR_REGIONS, 0), BLOCK, why);
    bad_list(0, BLOCK, why);
}

static void test_list_wraps(void)
{
    bad_list(DPA(PLAIN, 4), -BLOCK, "extent range is beyond the region end");
    bad_list(-BLOCK, BLOCK, "extent range is beyond the region end");
    bad_list(DPA(PLAIN, 4), UINT64_MAX, "dpa or len is not aligned");
}

static void test_list_overlap(void)
{
    const char *why = "duplicate or overlapped extents are detected";

    bad_list(DPA(PLAIN, 0), BLOCK, why);
    bad_list(DPA(PLAIN, 0), 4 * BLOCK, why);
}

static void in_use(DCTest *t, uint64_t dpa, const char *why)
{
    CXLDCExtent e = extent_of(dpa, 2, 0);
    CXLDCAddRequest req = {
        .policy = CXL_DC_ADD_PRESCRIPTIVE, .extents = &e, .nr_extents = 1,
    };
    g_autofree char *text = fm_add_error(t, &req, CXL_RC_INVALID_EXTENT_LIST);

    g_assert_true(g_str_has_prefix(text, why));
}

static void test_list_in_use(DCTest *t)
{
    give(t, 0, DPA(PLAIN, 1), 1, 0);
    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 11), 1, 0), CXL_RC_SUCCESS);
    give(t, 1, DPA(PLAIN, 21), 1, 0);
    in_use(t, DPA(PLAIN, 0), "cannot add DPA already accessible to the same "
           "LD");
    in_use(t, DPA(PLAIN, 10), "cannot add DPA again while still pending");
    in_use(t, DPA(PLAIN, 20), "cannot add DPA in use by another LD");
}

static void test_list_sequence_of_plain_capacity_is_zero(DCTest *t)
{
    CXLDCExtent e = extent_of(DPA(PLAIN, 0), 1, 1);

    e.seq = 9;
    assert_rc(fm_add(t, 0, &e, 1), CXL_RC_SUCCESS);
    g_assert_cmpuint(dc_event(t->rec, 0)->extent.seq, ==, 0);
    host_accept_all(t, 0);
    g_assert_cmpuint(added_at(t, 0, 0).seq, ==, 0);
}

static void test_list_tag_in_two_regions(DCTest *t)
{
    CXLDCExtent e[2] = {
        extent_of(DPA(PLAIN, 0), 1, 1), extent_of(DPA(WIPED, 0), 1, 1),
    };

    assert_rc(fm_add(t, 0, e, 2), CXL_RC_INVALID_EXTENT_LIST);
    assert_untouched(t);
}

static void test_tag_in_use(DCTest *t)
{
    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 0), 1, 1), CXL_RC_SUCCESS);
    assert_rc(fm_add_one(t, 1, DPA(PLAIN, 4), 1, 1), CXL_RC_INVALID_INPUT);
    assert_rc(fm_add_sized(t, 1, CXL_DC_ADD_FREE, PLAIN, BLOCK, 1),
              CXL_RC_INVALID_INPUT);
    assert_rc(host_refuse(t, 0), CXL_RC_SUCCESS);
    assert_rc(fm_add_one(t, 1, DPA(PLAIN, 4), 1, 1), CXL_RC_SUCCESS);
}

/* -- limits --------------------------------------------------------------- */

static void test_extents_limit_counts_pending(void)
{
    g_autoptr(DCTest) t = dc_test_new_extents(4);

    give(t, 0, DPA(PLAIN, 0), 1, 0);
    for (unsigned i = 1; i < 4; i++) {
        assert_rc(fm_add_one(t, 0, DPA(PLAIN, 2 * i), 1, 0), CXL_RC_SUCCESS);
    }
    g_assert_cmpuint(extents_left(t, 0), ==, 0);
    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 20), 1, 0),
              CXL_RC_RESOURCES_EXHAUSTED);
    assert_rc(fm_add_sized(t, 0, CXL_DC_ADD_FREE, PLAIN, BLOCK, 0),
              CXL_RC_RESOURCES_EXHAUSTED);
    assert_rc(fm_add_one(t, 1, DPA(PLAIN, 20), 1, 0), CXL_RC_SUCCESS);
    /* Refused: room again */
    assert_rc(host_refuse(t, 0), CXL_RC_SUCCESS);
    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 30), 1, 0), CXL_RC_SUCCESS);
}

static void test_tags_limit(void)
{
    CXLDCConfig c = dc_test_config();
    g_autoptr(DCTest) t = NULL;
    CXLDCExtent e[2] = {
        extent_of(DPA(PLAIN, 0), 1, 1), extent_of(DPA(PLAIN, 2), 1, 2),
    };

    c.max_tags = 1;
    t = dc_test_new_with(&c, &dc_recorder_ops);
    assert_rc(fm_add(t, 0, e, 2), CXL_RC_RESOURCES_EXHAUSTED);
    assert_rc(fm_add(t, 0, e, 1), CXL_RC_SUCCESS);
    assert_rc(fm_add(t, 0, e + 1, 1), CXL_RC_RESOURCES_EXHAUSTED);
    assert_rc(fm_add_sized(t, 0, CXL_DC_ADD_FREE, PLAIN, BLOCK, 3),
              CXL_RC_RESOURCES_EXHAUSTED);
    /* No tag needs no tag */
    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 4), 1, 0), CXL_RC_SUCCESS);
}

static void test_log_room(DCTest *t)
{
    CXLDCExtent e[3] = {
        extent_of(DPA(PLAIN, 0), 1, 1), extent_of(DPA(PLAIN, 2), 1, 2),
        extent_of(DPA(PLAIN, 4), 1, 0),
    };

    t->rec->room[0] = 2;
    assert_rc(fm_add(t, 0, e, 3), CXL_RC_RETRY_REQUIRED);
    t->rec->room[0] = 0;
    assert_rc(fm_add_sized(t, 0, CXL_DC_ADD_CONTIGUOUS, PLAIN, BLOCK, 1),
              CXL_RC_RETRY_REQUIRED);
    t->rec->room[0] = UINT32_MAX;
    assert_untouched(t);
}

static void test_no_ops_no_bound(void)
{
    CXLDCConfig c = dc_test_config();
    CXLDynCap *dc = cxl_dc_new(&c, NULL, NULL, &error_abort);
    CXLDCAddRequest add = { .region = WIPED, .len = BLOCK };
    CXLDCRange r = { DPA(WIPED, 0), BLOCK };

    assert_rc(cxl_dc_add(dc, &add, NULL), CXL_RC_SUCCESS);
    assert_rc(cxl_dc_host_respond(dc, 0, &r, 1, false), CXL_RC_SUCCESS);
    assert_rc(cxl_dc_host_release(dc, 0, &r, 1, false), CXL_RC_SUCCESS);
    cxl_dc_free(dc);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) g_test_add_func("/cxl/dc-add/" #f, test_ ## f)
#define DC(f) dc_test_add("/cxl/dc-add/" #f, test_ ## f)
    DC(offer_is_pending);
    DC(group_is_logged_in_the_order_of_the_list);
    DC(group_is_logged_in_one_row);
    DC(unknown_host);
    DC(unknown_policy);
    DC(unknown_region);
    DC(sized_bad_length);
    DC(sized_too_long);
    DC(contiguous_takes_lowest_hole_that_fits);
    DC(contiguous_without_hole);
    DC(free_uses_many_holes);
    DC(free_prefers_one_extent);
    T(free_that_cannot_be_tracked_takes_nothing);
    DC(list_empty);
    T(list_zero_length);
    T(list_off_block);
    T(list_beyond_region);
    T(list_wraps);
    T(list_overlap);
    DC(list_in_use);
    DC(list_sequence_of_plain_capacity_is_zero);
    DC(list_tag_in_two_regions);
    DC(tag_in_use);
    T(extents_limit_counts_pending);
    T(tags_limit);
    DC(log_room);
    T(no_ops_no_bound);
    return g_test_run();
}
