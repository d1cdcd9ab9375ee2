/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity model: Initiate Dynamic Capacity Release (CXL r3.2
 * 7.6.7.6.6), asked for and forced.
 */
#include "qemu/osdep.h"
#include "dc-test.h"

typedef struct Asked {
    CXLDCRange range[8];
    bool sanitize[8];
    unsigned n;
} Asked;

static bool take_asked(void *opaque, const CXLDCRange *range, bool sanitize)
{
    Asked *a = opaque;

    a->range[a->n] = *range;
    a->sanitize[a->n++] = sanitize;
    return a->n < 8;
}

static Asked asked(DCTest *t, unsigned host)
{
    Asked a = { };

    cxl_dc_release_requests(t->dc, host, take_asked, &a);
    return a;
}

static void test_request_changes_nothing_but_asks(DCTest *t)
{
    const CXLDCEvent *ev;
    Asked a;

    give(t, 0, DPA(PLAIN, 0), 4, 3);
    assert_rc(fm_release(t, 0, DPA(PLAIN, 1), 2, false, false),
              CXL_RC_SUCCESS);
    g_assert_cmpuint(nr_added(t, 0), ==, 1);
    g_assert_cmpuint(cxl_dc_generation(t->dc, 0), ==, 1);
    g_assert_true(can_access(t, 0, DPA(PLAIN, 0), 4));
    g_assert_cmpuint(t->rec->access->len, ==, 0);
    g_assert_cmpuint(t->rec->events->len, ==, 1);
    ev = dc_event(t->rec, 0);
    g_assert_cmpint(ev->type, ==, CXL_DC_EV_RELEASE);
    g_assert_cmpuint(ev->avail_extents, ==, 511);
    assert_extent(&ev->extent, DPA(PLAIN, 1), 2, 3, 0);
    a = asked(t, 0);
    g_assert_cmpuint(a.n, ==, 1);
    g_assert_cmphex(a.range[0].dpa, ==, DPA(PLAIN, 1));
    g_assert_cmphex(a.range[0].len, ==, 2 * BLOCK);
    g_assert_false(a.sanitize[0]);
}

static void test_request_may_be_repeated(DCTest *t)
{
    give(t, 0, DPA(PLAIN, 0), 4, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_rc(fm_release(t, 0, DPA(PLAIN, 0), 4, false, false),
                  CXL_RC_SUCCESS);
        g_assert_cmpuint(t->rec->events->len, ==, 1);
        g_assert_cmpuint(asked(t, 0).n, ==, 1);
    }
}

static void test_rest_stays_asked(DCTest *t)
{
    Asked a;

    give(t, 0, DPA(PLAIN, 0), 4, 3);
    assert_rc(fm_release(t, 0, DPA(PLAIN, 0), 4, false, false),
              CXL_RC_SUCCESS);
    assert_rc(host_release(t, 0, DPA(PLAIN, 1), 1), CXL_RC_SUCCESS);
    a = asked(t, 0);
    g_assert_cmpuint(a.n, ==, 2);
    g_assert_cmphex(a.range[0].len, ==, BLOCK);
    g_assert_cmphex(a.range[1].dpa, ==, DPA(PLAIN, 2));
    assert_rc(host_release(t, 0, DPA(PLAIN, 0), 1), CXL_RC_SUCCESS);
    assert_rc(host_release(t, 0, DPA(PLAIN, 2), 2), CXL_RC_SUCCESS);
    g_assert_cmpuint(asked(t, 0).n, ==, 0);
}

static void test_wish_to_sanitize_is_kept(DCTest *t)
{
    Asked a;

    give(t, 0, DPA(PLAIN, 0), 6, 3);
    assert_rc(fm_release(t, 0, DPA(PLAIN, 2), 2, false, true),
              CXL_RC_SUCCESS);
    assert_rc(fm_release(t, 0, DPA(PLAIN, 0), 6, false, false),
              CXL_RC_SUCCESS);
    a = asked(t, 0);
    g_assert_cmpuint(a.n, ==, 3);
    g_assert_true(a.sanitize[1]);
    assert_rc(host_release(t, 0, DPA(PLAIN, 0), 3), CXL_RC_SUCCESS);
    g_assert_cmpuint(t->rec->wiped->len, ==, 1);
    g_assert_cmphex(dc_wiped(t->rec, 0)->dpa, ==, DPA(PLAIN, 2));
    g_assert_cmphex(dc_wiped(t->rec, 0)->len, ==, BLOCK);
    assert_rc(host_release(t, 0, DPA(PLAIN, 3), 3), CXL_RC_SUCCESS);
    g_assert_cmpuint(t->rec->wiped->len, ==, 1);
    g_assert_cmphex(dc_wiped(t->rec, 0)->dpa, ==, DPA(PLAIN, 3));
    /* Given again, it is not asked back any more */
    give(t, 0, DPA(PLAIN, 0), 6, 3);
    g_assert_cmpuint(asked(t, 0).n, ==, 0);
}

static void test_request_over_two_extents(DCTest *t)
{
    give(t, 0, DPA(PLAIN, 0), 2, 1);
    give(t, 0, DPA(PLAIN, 2), 2, 2);
    assert_rc(fm_release(t, 0, DPA(PLAIN, 1), 2, false, false),
              CXL_RC_SUCCESS);
    g_assert_cmpuint(t->rec->events->len, ==, 2);
    assert_extent(&dc_event(t->rec, 0)->extent, DPA(PLAIN, 1), 1, 1, 0);
    assert_extent(&dc_event(t->rec, 1)->extent, DPA(PLAIN, 2), 1, 2, 0);
    g_assert_true(dc_event(t->rec, 0)->more);
    g_assert_false(dc_event(t->rec, 1)->more);
}

static void test_request_of_many_is_no_new_tracking(void)
{
    g_autoptr(DCTest) t = dc_test_new_extents(8);
    CXLDCExtent e[8];
    CXLDCReleaseRequest req = {
        .policy = CXL_DC_RELEASE_PRESCRIPTIVE, .extents = e, .nr_extents = 8,
    };

    for (unsigned i = 0; i < 8; i++) {
        e[i] = extent_of(DPA(PLAIN, 2 * i), 1, 0);
    }
    assert_rc(fm_add(t, 0, e, 8), CXL_RC_SUCCESS);
    host_accept_all(t, 0);
    for (unsigned i = 0; i < 4; i++) {
        assert_rc(cxl_dc_release(t->dc, &req, NULL), CXL_RC_SUCCESS);
    }
}

static void test_split_beyond_tracking(void)
{
    g_autoptr(DCTest) t = dc_test_new_extents(1);

    give(t, 0, DPA(PLAIN, 0), 3, 0);
    for (unsigned forced = 0; forced < 2; forced++) {
        assert_rc(fm_release(t, 0, DPA(PLAIN, 1), 1, forced, false),
                  CXL_RC_RESOURCES_EXHAUSTED);
        g_assert_cmpuint(t->rec->events->len, ==, 0);
    }
    assert_rc(fm_release(t, 0, DPA(PLAIN, 0), 1, true, false),
              CXL_RC_SUCCESS);
}

static void test_log_room(DCTest *t)
{
    give(t, 0, DPA(PLAIN, 0), 2, 1);
    give(t, 0, DPA(PLAIN, 2), 2, 2);
    t->rec->room[0] = 1;
    assert_rc(fm_release(t, 0, DPA(PLAIN, 0), 4, false, false),
              CXL_RC_RETRY_REQUIRED);
    g_assert_cmpuint(asked(t, 0).n, ==, 0);
    g_assert_cmpuint(t->rec->events->len, ==, 0);
    /* Force does not wait for the log */
    assert_rc(fm_release(t, 0, DPA(PLAIN, 0), 4, true, false),
              CXL_RC_SUCCESS);
    g_assert_cmpuint(t->rec->events->len, ==, 2);
}

/* -- refusals ------------------------------------------------------------- */

static void test_unknown_host_or_policy(DCTest *t)
{
    CXLDCExtent e = extent_of(DPA(PLAIN, 0), 1, 0);
    CXLDCReleaseRequest req = {
        .policy = 2, .extents = &e, .nr_extents = 1, .len = BLOCK,
    };

    give(t, 0, DPA(PLAIN, 0), 1, 0);
    assert_rc(fm_release(t, 2, DPA(PLAIN, 0), 1, false, false),
              CXL_RC_INVALID_INPUT);
    assert_rc(cxl_dc_release(t->dc, &req, NULL), CXL_RC_INVALID_INPUT);
    req.policy = 9;
    assert_rc(cxl_dc_release(t->dc, &req, NULL), CXL_RC_INVALID_INPUT);
}

static void test_cannot_sanitize(void)
{
    CXLDCConfig c = dc_test_config();
    g_autoptr(DCTest) t = dc_test_new_with(&c, &dc_recorder_ops_no_sanitize);

    give(t, 0, DPA(PLAIN, 0), 1, 0);
    assert_rc(fm_release(t, 0, DPA(PLAIN, 0), 1, false, true),
              CXL_RC_INVALID_INPUT);
    assert_rc(fm_release(t, 0, DPA(PLAIN, 0), 1, false, false),
              CXL_RC_SUCCESS);
}

static void refused(DCTest *t, uint64_t dpa, uint64_t len, CXLRetCode rc,
                    const char *why)
{
    for (unsigned forced = 0; forced < 2; forced++) {
        CXLDCExtent e[2] = {
            extent_of(DPA(PLAIN, 0), 1, 0), { .dpa = dpa, .len = len },
        };
        CXLDCReleaseRequest req = {
            .policy = CXL_DC_RELEASE_PRESCRIPTIVE, .forced = forced,
            .extents = e, .nr_extents = 2,
        };
        g_autofree char *text = NULL;

        dc_recorder_clear(t->rec);
        text = fm_release_error(t, &req, rc);
        g_assert_true(g_str_has_prefix(text, why));
        g_assert_nonnull(strstr(text, "0x"));
        /* Nothing happened, not even to the good first extent */
        g_assert_cmpstr(t->rec->order->str, ==, "");
        g_assert_cmpuint(asked(t, 0).n, ==, 0);
        g_assert_true(can_access(t, 0, DPA(PLAIN, 0), 4));
    }
}

static void test_bad_lists(DCTest *t)
{
    CXLDCReleaseRequest none = { .policy = CXL_DC_RELEASE_PRESCRIPTIVE };
    const CXLRetCode bad = CXL_RC_INVALID_EXTENT_LIST;

    give(t, 0, DPA(PLAIN, 0), 4, 0);
    assert_rc(cxl_dc_release(t->dc, &none, NULL), bad);
    refused(t, DPA(PLAIN, 2), 0, bad, "extent with 0 length is not allowed");
    refused(t, DPA(PLAIN, 2), 64, bad,
            "dpa or len is not aligned to region block size");
    refused(t, DPA(PLAIN, 2) + 64, BLOCK, bad,
            "dpa or len is not aligned to region block size");
    refused(t, DPA(PLAIN, 0), BLOCK, bad,
            "duplicate or overlapped extents are detected");
    refused(t, DPA(PLAIN, BLOCKS - 1), 2 * BLOCK, bad,
            "extent range is beyond the region end");
    refused(t, DPA(PLAIN, 2), -BLOCK, bad,
            "extent range is beyond the region end");
}

static void test_not_backed(DCTest *t)
{
    const CXLRetCode rc = CXL_RC_INVALID_PHYS_ADDR;
    const char *why = "cannot release extent with non-existing DPA range";

    give(t, 0, DPA(PLAIN, 0), 4, 0);
    give(t, 1, DPA(PLAIN, 10), 1, 0);
    refused(t, DPA(PLAIN, 3), 2 * BLOCK, rc, why);
    refused(t, DPA(PLAIN, 10), BLOCK, rc, why);
    refused(t, DPA(WIPED, 0), BLOCK, rc, why);
    refused(t, 0, BLOCK, rc, why);
}

static void test_pending_is_not_asked_back(DCTest *t)
{
    CXLDCExtent e = extent_of(DPA(PLAIN, 0), 1, 0);
    CXLDCReleaseRequest req = {
        .policy = CXL_DC_RELEASE_PRESCRIPTIVE, .extents = &e, .nr_extents = 1,
    };
    g_autofree char *text = NULL;

    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 0), 1, 7), CXL_RC_SUCCESS);
    text = fm_release_error(t, &req, CXL_RC_INVALID_PHYS_ADDR);
    g_assert_true(g_str_has_prefix(text, "cannot release extent with pending "
                                         "DPA range"));
    assert_rc(fm_release_tag(t, 0, 7, BLOCK, false),
              CXL_RC_INVALID_PHYS_ADDR);
}

/* -- forced --------------------------------------------------------------- */

static void test_forced(DCTest *t)
{
    const CXLDCEvent *ev;

    give(t, 0, DPA(PLAIN, 0), 4, 3);
    assert_rc(fm_release(t, 0, DPA(PLAIN, 0), 4, false, false),
              CXL_RC_SUCCESS);
    assert_rc(fm_release(t, 0, DPA(PLAIN, 1), 2, true, false),
              CXL_RC_SUCCESS);
    g_assert_cmpuint(nr_added(t, 0), ==, 2);
    g_assert_cmpuint(cxl_dc_generation(t->dc, 0), ==, 2);
    g_assert_false(can_access(t, 0, DPA(PLAIN, 1), 1));
    g_assert_cmpuint(t->rec->wiped->len, ==, 0);
    g_assert_cmpuint(t->rec->reports->len, ==, 1);
    assert_report(t, 0, CXL_DC_RELEASED, CXL_DC_BY_FM, 1);
    g_assert_cmpuint(t->rec->events->len, ==, 1);
    ev = dc_event(t->rec, 0);
    g_assert_cmpint(ev->type, ==, CXL_DC_EV_FORCED_RELEASE);
    g_assert_cmpuint(ev->avail_extents, ==, 510);
    assert_extent(&ev->extent, DPA(PLAIN, 1), 2, 3, 0);
    g_assert_cmpuint(asked(t, 0).n, ==, 2);
    /* What the host says afterwards has no influence */
    assert_rc(host_release(t, 0, DPA(PLAIN, 1), 2), CXL_RC_INVALID_PHYS_ADDR);
    assert_rc(fm_add_one(t, 1, DPA(PLAIN, 1), 2, 0), CXL_RC_SUCCESS);
}

static void test_forced_sanitizes(DCTest *t)
{
    give(t, 0, DPA(PLAIN, 0), 4, 3);
    assert_rc(fm_release(t, 0, DPA(PLAIN, 1), 1, true, true),
              CXL_RC_SUCCESS);
    g_assert_cmpuint(t->rec->wiped->len, ==, 1);
    g_assert_cmphex(dc_wiped(t->rec, 0)->dpa, ==, DPA(PLAIN, 1));
    give(t, 0, DPA(WIPED, 0), 1, 0);
    assert_rc(fm_release(t, 0, DPA(WIPED, 0), 1, true, false),
              CXL_RC_SUCCESS);
    g_assert_cmpuint(t->rec->wiped->len, ==, 1);
}

static void test_forced_pending_is_silent(DCTest *t)
{
    CXLDCExtent e[2] = {
        extent_of(DPA(PLAIN, 0), 1, 1), extent_of(DPA(PLAIN, 2), 1, 2),
    };
    unsigned group;
    bool dead;

    assert_rc(fm_add(t, 0, e, 2), CXL_RC_SUCCESS);
    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 4), 1, 0), CXL_RC_SUCCESS);
    assert_rc(fm_release(t, 0, DPA(PLAIN, 2), 1, true, false),
              CXL_RC_SUCCESS);
    g_assert_cmpuint(t->rec->events->len, ==, 0);
    g_assert_cmpuint(cxl_dc_generation(t->dc, 0), ==, 0);
    /* All of the group, and only that */
    pending_at(t, 0, 0, &group, &dead);
    g_assert_true(dead && group == 0);
    pending_at(t, 0, 1, &group, &dead);
    g_assert_true(dead && group == 0);
    pending_at(t, 0, 2, &group, &dead);
    g_assert_true(!dead && group == 1);
    /* Again, by its other tag */
    assert_rc(fm_release_tag(t, 0, 1, BLOCK, true), CXL_RC_SUCCESS);
    g_assert_cmpuint(nr_pending(t, 0), ==, 3);
}

static void test_forced_mixed(DCTest *t)
{
    bool dead;

    give(t, 0, DPA(PLAIN, 0), 2, 0);
    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 2), 2, 0), CXL_RC_SUCCESS);
    /* One range over both */
    assert_rc(fm_release(t, 0, DPA(PLAIN, 1), 2, true, false),
              CXL_RC_SUCCESS);
    g_assert_cmpuint(nr_added(t, 0), ==, 1);
    g_assert_cmphex(added_at(t, 0, 0).len, ==, BLOCK);
    pending_at(t, 0, 0, NULL, &dead);
    g_assert_true(dead);
    g_assert_cmpuint(t->rec->events->len, ==, 1);
    assert_extent(&dc_event(t->rec, 0)->extent, DPA(PLAIN, 1), 1, 0, 0);
}

/* -- by tag --------------------------------------------------------------- */

static void test_tag(DCTest *t)
{
    CXLDCExtent e[3] = {
        extent_of(DPA(PLAIN, 8), 2, 1), extent_of(DPA(PLAIN, 0), 2, 2),
        extent_of(DPA(PLAIN, 4), 2, 1),
    };

    assert_rc(fm_add(t, 0, e, 3), CXL_RC_SUCCESS);
    host_accept_all(t, 0);
    assert_rc(fm_release_tag(t, 0, 1, 4 * BLOCK, false), CXL_RC_SUCCESS);
    g_assert_cmpuint(t->rec->events->len, ==, 2);
    assert_extent(&dc_event(t->rec, 0)->extent, DPA(PLAIN, 4), 2, 1, 0);
    assert_extent(&dc_event(t->rec, 1)->extent, DPA(PLAIN, 8), 2, 1, 0);
    assert_rc(fm_release_tag(t, 0, 1, 4 * BLOCK, true), CXL_RC_SUCCESS);
    g_assert_cmpuint(nr_added(t, 0), ==, 1);
    assert_rc(fm_release_tag(t, 0, 1, BLOCK, true), CXL_RC_INVALID_INPUT);
}

static void test_tag_in_part(DCTest *t)
{
    CXLDCExtent e;

    give(t, 0, DPA(PLAIN, 0), 4, 1);
    assert_rc(host_release(t, 0, DPA(PLAIN, 1), 1), CXL_RC_SUCCESS);
    give(t, 0, DPA(PLAIN, 1), 1, 2);
    /* Three blocks are left of it; the highest go */
    assert_rc(fm_release_tag(t, 0, 1, 4 * BLOCK, true),
              CXL_RC_RESOURCES_EXHAUSTED);
    assert_rc(fm_release_tag(t, 0, 1, BLOCK, true), CXL_RC_SUCCESS);
    g_assert_cmpuint(nr_added(t, 0), ==, 3);
    e = added_at(t, 0, 2);
    assert_extent(&e, DPA(PLAIN, 2), 1, 1, 0);
    assert_rc(fm_release_tag(t, 0, 1, 2 * BLOCK, true), CXL_RC_SUCCESS);
    g_assert_cmpuint(nr_added(t, 0), ==, 1);
}

static void test_tag_refusals(DCTest *t)
{
    give(t, 0, DPA(PLAIN, 0), 4, 1);
    give(t, 0, DPA(PLAIN, 8), 1, 0);
    assert_rc(fm_release_tag(t, 0, 2, BLOCK, false), CXL_RC_INVALID_INPUT);
    assert_rc(fm_release_tag(t, 1, 1, BLOCK, false), CXL_RC_INVALID_INPUT);
    /* No tag is not a tag */
    assert_rc(fm_release_tag(t, 0, 0, BLOCK, false), CXL_RC_INVALID_INPUT);
    assert_rc(fm_release_tag(t, 0, 1, 0, false), CXL_RC_INVALID_INPUT);
    assert_rc(fm_release_tag(t, 0, 1, BLOCK + 64, false),
              CXL_RC_INVALID_INPUT);
    assert_rc(fm_release_tag(t, 0, 1, 5 * BLOCK, false),
              CXL_RC_RESOURCES_EXHAUSTED);
    g_assert_cmpuint(asked(t, 0).n, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) g_test_add_func("/cxl/dc/release/" #f, test_ ## f)
#define DC(f) dc_test_add("/cxl/dc/release/" #f, test_ ## f)
    DC(request_changes_nothing_but_asks);
    DC(request_may_be_repeated);
    DC(rest_stays_asked);
    DC(wish_to_sanitize_is_kept);
    DC(request_over_two_extents);
    T(request_of_many_is_no_new_tracking);
    T(split_beyond_tracking);
    DC(log_room);
    DC(unknown_host_or_policy);
    T(cannot_sanitize);
    DC(bad_lists);
    DC(not_backed);
    DC(pending_is_not_asked_back);
    DC(forced);
    DC(forced_sanitizes);
    DC(forced_pending_is_silent);
    DC(forced_mixed);
    DC(tag);
    DC(tag_in_part);
    DC(tag_refusals);
    return g_test_run();
}
