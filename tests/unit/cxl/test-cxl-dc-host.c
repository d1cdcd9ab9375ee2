/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity model: answers to offers, in one payload or more (CXL r3.2
 * 8.2.10.9.9.3).
 */
#include "qemu/osdep.h"
#include "dc-test.h"

/* -- Add Dynamic Capacity Response ---------------------------------------- */

static void test_nothing_pending(DCTest *t)
{
    assert_rc(host_refuse(t, 0), CXL_RC_INVALID_INPUT);
    assert_rc(host_accept(t, 0, DPA(PLAIN, 0), 1), CXL_RC_INVALID_PHYS_ADDR);
    assert_rc(host_refuse(t, 2), CXL_RC_INVALID_INPUT);
    g_assert_cmpstr(t->rec->order->str, ==, "");
}

static void test_accept(DCTest *t)
{
    const DCAccessCall *on;
    const CXLDCEvent *ev;
    uint32_t generation;
    CXLDCExtent e;

    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 2), 3, 5), CXL_RC_SUCCESS);
    generation = cxl_dc_generation(t->dc, 0);
    assert_rc(host_accept(t, 0, DPA(PLAIN, 2), 3), CXL_RC_SUCCESS);
    g_assert_cmpuint(cxl_dc_generation(t->dc, 0), !=, generation);
    g_assert_cmpuint(cxl_dc_generation(t->dc, 1), ==, 0);
    g_assert_cmpuint(nr_pending(t, 0), ==, 0);
    g_assert_cmpuint(nr_added(t, 0), ==, 1);
    e = added_at(t, 0, 0);
    assert_extent(&e, DPA(PLAIN, 2), 3, 5, 0);
    g_assert_true(can_access(t, 0, DPA(PLAIN, 2), 3));
    g_assert_false(can_access(t, 1, DPA(PLAIN, 2), 1));
    g_assert_cmpuint(extents_left(t, 0), ==, 511);

    g_assert_cmpuint(t->rec->access->len, ==, 1);
    on = &g_array_index(t->rec->access, DCAccessCall, 0);
    g_assert_true(on->on);
    g_assert_cmphex(on->range.dpa, ==, DPA(PLAIN, 2));
    g_assert_cmphex(on->range.len, ==, 3 * BLOCK);
    g_assert_cmpuint(t->rec->events->len, ==, 1);
    ev = dc_event(t->rec, 0);
    g_assert_cmpint(ev->type, ==, CXL_DC_EV_ADD_RESPONSE);
    g_assert_true(cxl_dc_event_is_for_fm(ev->type));
    g_assert_cmpuint(ev->host, ==, 0);
    g_assert_cmpuint(ev->avail_extents, ==, 511);
    assert_extent(&ev->extent, DPA(PLAIN, 2), 3, 5, 0);
    assert_report(t, 0, CXL_DC_ACCEPTED, CXL_DC_BY_HOST, 1);
}

static void test_refuse(DCTest *t)
{
    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 2), 3, 5), CXL_RC_SUCCESS);
    assert_rc(host_refuse(t, 0), CXL_RC_SUCCESS);
    g_assert_cmpuint(cxl_dc_generation(t->dc, 0), ==, 0);
    g_assert_cmpuint(nr_pending(t, 0), ==, 0);
    g_assert_cmpuint(extents_left(t, 0), ==, 512);
    g_assert_cmpuint(tags_left(t, 0), ==, 64);
    g_assert_cmpuint(cxl_dc_tag_count(t->dc), ==, 0);
    /* No record for the FM, but a word to the monitor */
    g_assert_cmpuint(t->rec->events->len, ==, 0);
    g_assert_cmpuint(t->rec->reports->len, ==, 1);
    assert_report(t, 0, CXL_DC_REFUSED, CXL_DC_BY_HOST, 1);
    assert_rc(fm_add_one(t, 1, DPA(PLAIN, 2), 3, 5), CXL_RC_SUCCESS);
}

/* As any answer that fails: the offer ends, and nobody has reached anything */
static void test_owner_cannot_let_the_host_have_it(DCTest *t)
{
    t->rec->refuses = true;
    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 2), 3, 5), CXL_RC_SUCCESS);
    assert_rc(host_accept(t, 0, DPA(PLAIN, 2), 3), CXL_RC_RESOURCES_EXHAUSTED);
    g_assert_cmphex(t->rec->media, ==, DPA(PLAIN, 2));
    g_assert_cmpuint(t->rec->access->len, ==, 0);
    g_assert_cmpuint(t->rec->events->len, ==, 0);
    assert_report(t, 0, CXL_DC_REFUSED, CXL_DC_BY_ERROR, 1);
    g_assert_cmpuint(nr_pending(t, 0), ==, 0);
    g_assert_cmpuint(extents_left(t, 0), ==, 512);
    g_assert_false(can_access(t, 0, DPA(PLAIN, 2), 1));

    t->rec->refuses = false;
    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 2), 3, 5), CXL_RC_SUCCESS);
    assert_rc(host_accept(t, 0, DPA(PLAIN, 2), 3), CXL_RC_SUCCESS);
}

static void test_accept_part_of_extent(DCTest *t)
{
    CXLDCRange r[2] = {
        range_of(DPA(PLAIN, 8), 1), range_of(DPA(PLAIN, 5), 2)
    };
    CXLDCExtent e;

    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 4), 6, 5), CXL_RC_SUCCESS);
    assert_rc(cxl_dc_host_respond(t->dc, 0, r, 2, false), CXL_RC_SUCCESS);
    g_assert_cmpuint(nr_added(t, 0), ==, 2);
    /* Tag kept; the rest is free at once */
    e = added_at(t, 0, 0);
    assert_extent(&e, DPA(PLAIN, 5), 2, 5, 0);
    e = added_at(t, 0, 1);
    assert_extent(&e, DPA(PLAIN, 8), 1, 5, 0);
    g_assert_cmpuint(extents_left(t, 0), ==, 510);
    assert_rc(fm_add_one(t, 1, DPA(PLAIN, 4), 1, 0), CXL_RC_SUCCESS);
    assert_rc(fm_add_one(t, 1, DPA(PLAIN, 7), 1, 0), CXL_RC_SUCCESS);
    assert_rc(fm_add_one(t, 1, DPA(PLAIN, 9), 1, 0), CXL_RC_SUCCESS);
    assert_rc(fm_add_one(t, 1, DPA(PLAIN, 5), 1, 0),
              CXL_RC_INVALID_EXTENT_LIST);
}

static void test_accept_some_extents(DCTest *t)
{
    CXLDCExtent e[3] = {
        extent_of(DPA(PLAIN, 0), 1, 1), extent_of(DPA(PLAIN, 2), 1, 2),
        extent_of(DPA(PLAIN, 4), 1, 0),
    };

    assert_rc(fm_add(t, 0, e, 3), CXL_RC_SUCCESS);
    assert_rc(host_accept(t, 0, DPA(PLAIN, 2), 1), CXL_RC_SUCCESS);
    g_assert_cmpuint(nr_added(t, 0), ==, 1);
    g_assert_cmpuint(extents_left(t, 0), ==, 511);
    g_assert_cmpuint(tags_left(t, 0), ==, 63);
    g_assert_cmpuint(t->rec->events->len, ==, 1);
}

static void answer_two_extents(DCTest *t, const CXLDCRange *r, size_t n,
                               CXLRetCode rc)
{
    CXLDCExtent e[2] = {
        extent_of(DPA(PLAIN, 4), 4, 5), extent_of(DPA(PLAIN, 8), 2, 6),
    };

    assert_rc(fm_add(t, 0, e, 2), CXL_RC_SUCCESS);
    dc_recorder_clear(t->rec);
    assert_rc(cxl_dc_host_respond(t->dc, 0, r, n, false), rc);
    g_assert_cmpuint(nr_added(t, 0), ==, 0);
}

/* An answer about the offer that fails refuses it */
static void spoils(const CXLDCRange *r, size_t n, CXLRetCode rc)
{
    g_autoptr(DCTest) t = dc_test_new();

    answer_two_extents(t, r, n, rc);
    g_assert_cmpuint(nr_pending(t, 0), ==, 0);
    g_assert_cmpuint(extents_left(t, 0), ==, 512);
    g_assert_cmpuint(tags_left(t, 0), ==, 64);
    g_assert_cmpuint(cxl_dc_generation(t->dc, 0), ==, 0);
    g_assert_cmpstr(t->rec->order->str, ==, "r");
    assert_report(t, 0, CXL_DC_REFUSED, CXL_DC_BY_ERROR, 2);
    /* Later offers are not in the way of it, and the capacity is free */
    give(t, 0, DPA(PLAIN, 4), 6, 5);

    /* The same list to give back, with the same answer but for the span */
    if (rc == CXL_RC_INVALID_EXTENT_LIST) {
        assert_rc(cxl_dc_host_release(t->dc, 0, r, n, false), rc);
        g_assert_cmpuint(nr_added(t, 0), ==, 1);
    }
}

/* An answer about something else changes nothing */
static void ignored(const CXLDCRange *r, size_t n, CXLRetCode rc)
{
    g_autoptr(DCTest) t = dc_test_new();

    answer_two_extents(t, r, n, rc);
    g_assert_cmpstr(t->rec->order->str, ==, "");
    g_assert_cmpuint(nr_pending(t, 0), ==, 2);
    host_accept_all(t, 0);
    g_assert_cmpuint(nr_added(t, 0), ==, 2);
}

static void test_zero_length(void)
{
    CXLDCRange r[2] = {
        range_of(DPA(PLAIN, 4), 1), range_of(DPA(PLAIN, 5), 0)
    };

    spoils(r, 2, CXL_RC_INVALID_EXTENT_LIST);
}

static void test_off_block(void)
{
    CXLDCRange r = { DPA(PLAIN, 4), BLOCK / 2 };

    spoils(&r, 1, CXL_RC_INVALID_EXTENT_LIST);
    r = (CXLDCRange) { DPA(PLAIN, 4) + 64, BLOCK };
    spoils(&r, 1, CXL_RC_INVALID_EXTENT_LIST);
}

static void test_overlap_in_list(void)
{
    CXLDCRange r[2] = {
        range_of(DPA(PLAIN, 5), 1), range_of(DPA(PLAIN, 4), 2)
    };

    spoils(r, 2, CXL_RC_INVALID_EXTENT_LIST);
    r[0] = r[1];
    spoils(r, 2, CXL_RC_INVALID_EXTENT_LIST);
}

static void test_partly_outside_of_offer(void)
{
    CXLDCRange r = range_of(DPA(PLAIN, 3), 2);

    spoils(&r, 1, CXL_RC_INVALID_PHYS_ADDR);
    r = range_of(DPA(PLAIN, 9), 2);
    spoils(&r, 1, CXL_RC_INVALID_PHYS_ADDR);
    r = range_of(DPA(PLAIN, 0), BLOCKS);
    spoils(&r, 1, CXL_RC_INVALID_PHYS_ADDR);
}

static void test_outside_of_offer(void)
{
    CXLDCRange r = range_of(0, 1);

    ignored(&r, 1, CXL_RC_INVALID_PHYS_ADDR);
    r = range_of(DPA(NR_REGIONS, 0), 1);
    ignored(&r, 1, CXL_RC_INVALID_PHYS_ADDR);
    r = range_of(DPA(PLAIN, 10), 1);
    ignored(&r, 1, CXL_RC_INVALID_PHYS_ADDR);
    r = range_of(DPA(PLAIN, 3), 1);
    ignored(&r, 1, CXL_RC_INVALID_PHYS_ADDR);
    /* not even well made */
    r.len = 0;
    ignored(&r, 1, CXL_RC_INVALID_EXTENT_LIST);
}

static void test_wraps(void)
{
    CXLDCRange r = { DPA(PLAIN, 4), -32 * MiB };

    spoils(&r, 1, CXL_RC_INVALID_PHYS_ADDR);
    r = (CXLDCRange) { -BLOCK, 2 * BLOCK };
    ignored(&r, 1, CXL_RC_INVALID_PHYS_ADDR);
}

static void test_range_over_two_extents(void)
{
    CXLDCRange r = range_of(DPA(PLAIN, 7), 2);

    spoils(&r, 1, CXL_RC_INVALID_PHYS_ADDR);
}

/* As drivers do that answer once more what they find at start-up */
static void test_already_added(DCTest *t)
{
    give(t, 0, DPA(PLAIN, 0), 2, 0);
    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 4), 1, 0), CXL_RC_SUCCESS);
    assert_rc(host_accept(t, 0, DPA(PLAIN, 0), 1), CXL_RC_INVALID_PHYS_ADDR);
    g_assert_cmpuint(nr_pending(t, 0), ==, 1);
    assert_rc(host_accept(t, 0, DPA(PLAIN, 4), 1), CXL_RC_SUCCESS);
}

static void test_offers_are_answered_in_order(DCTest *t)
{
    CXLDCExtent e[2] = {
        extent_of(DPA(PLAIN, 0), 1, 0), extent_of(DPA(PLAIN, 2), 1, 0),
    };
    CXLDCRange both[2] = {
        range_of(DPA(PLAIN, 0), 1), range_of(DPA(PLAIN, 2), 1)
    };

    assert_rc(fm_add(t, 0, &e[0], 1), CXL_RC_SUCCESS);
    assert_rc(fm_add(t, 0, &e[1], 1), CXL_RC_SUCCESS);
    assert_rc(host_accept(t, 0, DPA(PLAIN, 2), 1), CXL_RC_INVALID_PHYS_ADDR);
    g_assert_cmpuint(nr_pending(t, 0), ==, 2);
    /* One of them is about the first offer, which ends by the error */
    assert_rc(cxl_dc_host_respond(t->dc, 0, both, 2, false),
              CXL_RC_INVALID_PHYS_ADDR);
    g_assert_cmpuint(nr_added(t, 0), ==, 0);
    assert_rc(host_accept(t, 0, DPA(PLAIN, 2), 1), CXL_RC_SUCCESS);
    /* Another host's offers are its own */
    assert_rc(fm_add_one(t, 1, DPA(PLAIN, 9), 1, 0), CXL_RC_SUCCESS);
    assert_rc(host_accept(t, 0, DPA(PLAIN, 9), 1), CXL_RC_INVALID_PHYS_ADDR);
}

static void test_group_may_fill_all_extents(void)
{
    g_autoptr(DCTest) t = dc_test_new_extents(8);
    CXLDCExtent e[8];

    for (unsigned i = 0; i < 8; i++) {
        e[i] = extent_of(DPA(PLAIN, 2 * i), 1, 0);
    }
    /* More than half of the limit: offered and accepted are not added up */
    assert_rc(fm_add(t, 0, e, 8), CXL_RC_SUCCESS);
    host_accept_all(t, 0);
    g_assert_cmpuint(nr_added(t, 0), ==, 8);
    g_assert_cmpuint(extents_left(t, 0), ==, 0);
}

static void test_accepting_in_parts_is_limited(void)
{
    g_autoptr(DCTest) t = dc_test_new_extents(2);
    CXLDCRange r[3];

    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 0), 8, 0), CXL_RC_SUCCESS);
    for (unsigned i = 0; i < 3; i++) {
        r[i] = range_of(DPA(PLAIN, 2 * i), 1);
    }
    assert_rc(cxl_dc_host_respond(t->dc, 0, r, 3, false),
              CXL_RC_RESOURCES_EXHAUSTED);
    g_assert_cmpuint(nr_pending(t, 0), ==, 0);
    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 0), 8, 0), CXL_RC_SUCCESS);
    assert_rc(cxl_dc_host_respond(t->dc, 0, r, 2, false), CXL_RC_SUCCESS);
}

/* -- withdrawn offers ----------------------------------------------------- */

static void withdraw_offer(DCTest *t)
{
    CXLDCTagInfo info;
    uint32_t generation;
    bool dead;

    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 0), 4, 5), CXL_RC_SUCCESS);
    g_assert_true(find_tag(t, 5, &info));
    g_assert_true(test_bit(0, info.pending));
    generation = cxl_dc_tag_generation(t->dc);
    assert_rc(fm_release(t, 0, DPA(PLAIN, 1), 1, true, false),
              CXL_RC_SUCCESS);
    pending_at(t, 0, 0, NULL, &dead);
    g_assert_true(dead);
    /* The tag lives, but it is not offered any more */
    g_assert_cmpuint(cxl_dc_tag_generation(t->dc), !=, generation);
    g_assert_true(find_tag(t, 5, &info));
    g_assert_false(test_bit(0, info.pending));
    /* Counted until the host has answered */
    g_assert_cmpuint(extents_left(t, 0), ==, 511);
    g_assert_cmpuint(tags_left(t, 0), ==, 63);
}

static void test_withdrawn_accepted(DCTest *t)
{
    withdraw_offer(t);
    assert_rc(host_accept(t, 0, DPA(PLAIN, 0), 4), CXL_RC_INVALID_PHYS_ADDR);
    assert_report(t, 0, CXL_DC_REFUSED, CXL_DC_BY_FM, 1);
    g_assert_cmpuint(nr_added(t, 0), ==, 0);
    g_assert_cmpuint(extents_left(t, 0), ==, 512);
    /* That was the answer: later offers are not blocked */
    give(t, 0, DPA(PLAIN, 0), 1, 5);
}

static void test_withdrawn_refused(DCTest *t)
{
    withdraw_offer(t);
    assert_rc(host_refuse(t, 0), CXL_RC_SUCCESS);
    assert_report(t, 0, CXL_DC_REFUSED, CXL_DC_BY_FM, 1);
    g_assert_cmpuint(extents_left(t, 0), ==, 512);
    g_assert_cmpuint(tags_left(t, 0), ==, 64);
    give(t, 0, DPA(PLAIN, 0), 4, 5);
}

static void test_withdrawn_keeps_its_blocks_until_answered(DCTest *t)
{
    withdraw_offer(t);
    assert_rc(fm_add_one(t, 1, DPA(PLAIN, 0), 1, 0),
              CXL_RC_INVALID_EXTENT_LIST);
}

/* The host lost the records of what was withdrawn, and answers the next */
static void test_withdrawn_is_passed(DCTest *t)
{
    withdraw_offer(t);
    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 8), 1, 6), CXL_RC_SUCCESS);
    assert_rc(fm_release(t, 0, DPA(PLAIN, 8), 1, true, false),
              CXL_RC_SUCCESS);
    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 10), 2, 7), CXL_RC_SUCCESS);
    assert_rc(host_accept(t, 0, DPA(PLAIN, 10), 2), CXL_RC_SUCCESS);
    g_assert_cmpuint(t->rec->reports->len, ==, 3);
    assert_report(t, 0, CXL_DC_REFUSED, CXL_DC_BY_FM, 1);
    assert_report(t, 1, CXL_DC_REFUSED, CXL_DC_BY_FM, 1);
    assert_report(t, 2, CXL_DC_ACCEPTED, CXL_DC_BY_HOST, 1);
    g_assert_cmpuint(nr_pending(t, 0), ==, 0);
    g_assert_cmpuint(nr_added(t, 0), ==, 1);
    g_assert_cmpuint(extents_left(t, 0), ==, 511);
}

static void test_withdrawn_is_passed_by_an_answer_that_fails(DCTest *t)
{
    withdraw_offer(t);
    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 10), 1, 7), CXL_RC_SUCCESS);
    assert_rc(host_accept(t, 0, DPA(PLAIN, 10), 2), CXL_RC_INVALID_PHYS_ADDR);
    assert_report(t, 0, CXL_DC_REFUSED, CXL_DC_BY_FM, 1);
    assert_report(t, 1, CXL_DC_REFUSED, CXL_DC_BY_ERROR, 1);
    g_assert_cmpuint(nr_pending(t, 0), ==, 0);
}

/* Nor by one that is about nothing that is offered */
static void test_withdrawn_is_not_passed_for_nothing(DCTest *t)
{
    withdraw_offer(t);
    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 10), 1, 7), CXL_RC_SUCCESS);
    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 12), 1, 8), CXL_RC_SUCCESS);
    assert_rc(host_accept(t, 0, DPA(PLAIN, 20), 1), CXL_RC_INVALID_PHYS_ADDR);
    g_assert_cmpuint(nr_pending(t, 0), ==, 3);
    /* The second one lives, and comes before the third */
    assert_rc(host_accept(t, 0, DPA(PLAIN, 12), 1), CXL_RC_INVALID_PHYS_ADDR);
    g_assert_cmpstr(t->rec->order->str, ==, "");
    g_assert_cmpuint(nr_pending(t, 0), ==, 3);
    /* A refusal has no ranges: it is about the oldest */
    assert_rc(host_refuse(t, 0), CXL_RC_SUCCESS);
    assert_report(t, 0, CXL_DC_REFUSED, CXL_DC_BY_FM, 1);
    g_assert_cmpuint(nr_pending(t, 0), ==, 2);
}

/* -- More ----------------------------------------------------------------- */

static void test_more_commits_once(DCTest *t)
{
    CXLDCExtent e[2] = {
        extent_of(DPA(PLAIN, 0), 1, 0), extent_of(DPA(PLAIN, 2), 1, 0),
    };
    CXLDCRange r[2] = {
        range_of(DPA(PLAIN, 0), 1), range_of(DPA(PLAIN, 2), 1)
    };

    assert_rc(fm_add(t, 0, e, 2), CXL_RC_SUCCESS);
    dc_recorder_clear(t->rec);
    assert_rc(cxl_dc_host_respond(t->dc, 0, &r[0], 1, true), CXL_RC_SUCCESS);
    g_assert_cmpuint(nr_added(t, 0), ==, 0);
    g_assert_cmpuint(nr_pending(t, 0), ==, 2);
    g_assert_cmpuint(cxl_dc_generation(t->dc, 0), ==, 0);
    g_assert_cmpstr(t->rec->order->str, ==, "");
    assert_rc(cxl_dc_host_respond(t->dc, 0, &r[1], 1, false), CXL_RC_SUCCESS);
    g_assert_cmpuint(nr_added(t, 0), ==, 2);
    g_assert_cmpuint(cxl_dc_generation(t->dc, 0), ==, 1);
}

static void test_more_release(DCTest *t)
{
    CXLDCRange r[2] = {
        range_of(DPA(PLAIN, 0), 1), range_of(DPA(PLAIN, 3), 1)
    };

    give(t, 0, DPA(PLAIN, 0), 4, 0);
    assert_rc(cxl_dc_host_release(t->dc, 0, &r[0], 1, true), CXL_RC_SUCCESS);
    g_assert_true(can_access(t, 0, DPA(PLAIN, 0), 4));
    assert_rc(cxl_dc_host_release(t->dc, 0, &r[1], 1, false), CXL_RC_SUCCESS);
    g_assert_cmpuint(nr_added(t, 0), ==, 1);
    g_assert_false(can_access(t, 0, DPA(PLAIN, 0), 1));
    g_assert_true(can_access(t, 0, DPA(PLAIN, 1), 2));
}

static void test_more_overlap_between_payloads(DCTest *t)
{
    CXLDCRange r = range_of(DPA(PLAIN, 0), 1);

    give(t, 0, DPA(PLAIN, 0), 4, 0);
    assert_rc(cxl_dc_host_release(t->dc, 0, &r, 1, true), CXL_RC_SUCCESS);
    assert_rc(cxl_dc_host_release(t->dc, 0, &r, 1, false),
              CXL_RC_INVALID_EXTENT_LIST);
    /* The chain is over */
    assert_rc(cxl_dc_host_release(t->dc, 0, &r, 1, false), CXL_RC_SUCCESS);
}

static void test_more_other_answer_breaks_the_chain(DCTest *t)
{
    CXLDCRange r = range_of(DPA(PLAIN, 0), 1);

    give(t, 0, DPA(PLAIN, 0), 4, 0);
    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 10), 1, 0), CXL_RC_SUCCESS);
    assert_rc(cxl_dc_host_release(t->dc, 0, &r, 1, true), CXL_RC_SUCCESS);
    assert_rc(host_refuse(t, 0), CXL_RC_SUCCESS);
    assert_rc(host_release(t, 0, DPA(PLAIN, 3), 1), CXL_RC_SUCCESS);
    g_assert_true(can_access(t, 0, DPA(PLAIN, 0), 3));
}

static void test_more_cannot_grow_for_ever(void)
{
    g_autoptr(DCTest) t = dc_test_new_extents(8);
    CXLDCRange r = range_of(DPA(PLAIN, 0), 1);
    unsigned n = 0;

    give(t, 0, DPA(PLAIN, 0), 4, 0);
    while (cxl_dc_host_release(t->dc, 0, &r, 1, true) == CXL_RC_SUCCESS) {
        g_assert_cmpuint(n++, <, 1000);
    }
    g_assert_cmpuint(n, >=, 2 * 8);
    /* All forgotten */
    assert_rc(host_release(t, 0, DPA(PLAIN, 0), 1), CXL_RC_SUCCESS);
}

/* Too long to be remembered: an answer that fails, like others */
static void test_more_too_long_an_answer_refuses(void)
{
    g_autoptr(DCTest) t = dc_test_new_extents(8);
    CXLDCRange r = range_of(DPA(PLAIN, 0), 1);
    unsigned n = 0;

    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 0), 4, 0), CXL_RC_SUCCESS);
    dc_recorder_clear(t->rec);
    while (cxl_dc_host_respond(t->dc, 0, &r, 1, true) == CXL_RC_SUCCESS) {
        g_assert_cmpuint(n++, <, 1000);
    }
    assert_report(t, 0, CXL_DC_REFUSED, CXL_DC_BY_ERROR, 1);
    g_assert_cmpuint(nr_pending(t, 0), ==, 0);
    give(t, 0, DPA(PLAIN, 0), 4, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) g_test_add_func("/cxl/dc-host/" #f, test_ ## f)
#define DC(f) dc_test_add("/cxl/dc-host/" #f, test_ ## f)
    DC(nothing_pending);
    DC(accept);
    DC(refuse);
    DC(owner_cannot_let_the_host_have_it);
    DC(accept_part_of_extent);
    DC(accept_some_extents);
    T(zero_length);
    T(off_block);
    T(overlap_in_list);
    T(outside_of_offer);
    T(partly_outside_of_offer);
    T(wraps);
    T(range_over_two_extents);
    DC(already_added);
    DC(offers_are_answered_in_order);
    T(group_may_fill_all_extents);
    T(accepting_in_parts_is_limited);
    DC(withdrawn_accepted);
    DC(withdrawn_refused);
    DC(withdrawn_keeps_its_blocks_until_answered);
    DC(withdrawn_is_passed);
    DC(withdrawn_is_passed_by_an_answer_that_fails);
    DC(withdrawn_is_not_passed_for_nothing);
    DC(more_commits_once);
    DC(more_release);
    DC(more_overlap_between_payloads);
    DC(more_other_answer_breaks_the_chain);
    T(more_cannot_grow_for_ever);
    T(more_too_long_an_answer_refuses);
    return g_test_run();
}
