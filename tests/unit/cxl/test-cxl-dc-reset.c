/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity model: reset of a host (CXL r3.2 9.13.3) and Sanitize.
 */
#include "qemu/osdep.h"
#include "dc-test.h"

#define TAG 7

static void test_plain_capacity_stays(DCTest *t)
{
    give(t, 0, DPA(PLAIN, 0), 4, 1);
    dc_recorder_clear(t->rec);
    cxl_dc_reset_host(t->dc, 0);
    g_assert_cmpuint(nr_added(t, 0), ==, 1);
    g_assert_true(can_access(t, 0, DPA(PLAIN, 0), 4));
    g_assert_cmpuint(cxl_dc_generation(t->dc, 0), ==, 1);
    g_assert_cmpuint(t->rec->events->len, ==, 0);
    g_assert_cmpuint(t->rec->access->len, ==, 0);
}

static void test_shared_capacity_goes_without_record(DCTest *t)
{
    give(t, 0, DPA(SHARED, 0), 4, TAG);
    give(t, 0, DPA(PLAIN, 0), 1, 0);
    assert_rc(fm_share(t, 1, SHARED, TAG), CXL_RC_SUCCESS);
    host_accept_all(t, 1);
    dc_recorder_clear(t->rec);
    cxl_dc_reset_host(t->dc, 0);
    g_assert_cmpuint(nr_added(t, 0), ==, 1);
    g_assert_false(can_access(t, 0, DPA(SHARED, 0), 1));
    g_assert_cmpuint(cxl_dc_generation(t->dc, 0), ==, 3);
    g_assert_cmpuint(t->rec->events->len, ==, 0);
    g_assert_cmpuint(t->rec->access->len, ==, 1);
    /* The other host keeps it */
    g_assert_true(can_access(t, 1, DPA(SHARED, 0), 4));
    g_assert_cmpuint(cxl_dc_generation(t->dc, 1), ==, 1);
    cxl_dc_reset_host(t->dc, 1);
    g_assert_cmpuint(cxl_dc_tag_count(t->dc), ==, 0);
    assert_rc(fm_add_one(t, 0, DPA(SHARED, 0), 4, 1), CXL_RC_SUCCESS);
}

static void test_offers_are_dropped(DCTest *t)
{
    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 0), 1, 1), CXL_RC_SUCCESS);
    assert_rc(fm_add_one(t, 0, DPA(SHARED, 0), 1, 2), CXL_RC_SUCCESS);
    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 4), 1, 0), CXL_RC_SUCCESS);
    assert_rc(fm_release(t, 0, DPA(PLAIN, 4), 1, true, false),
              CXL_RC_SUCCESS);
    assert_rc(fm_add_one(t, 1, DPA(PLAIN, 8), 1, 3), CXL_RC_SUCCESS);
    dc_recorder_clear(t->rec);
    cxl_dc_reset_host(t->dc, 0);
    g_assert_cmpuint(nr_pending(t, 0), ==, 0);
    g_assert_cmpuint(nr_pending(t, 1), ==, 1);
    g_assert_cmpuint(extents_left(t, 0), ==, 512);
    g_assert_cmpuint(tags_left(t, 0), ==, 64);
    g_assert_cmpuint(cxl_dc_tag_count(t->dc), ==, 1);
    g_assert_cmpuint(cxl_dc_generation(t->dc, 0), ==, 0);
    g_assert_cmpuint(t->rec->events->len, ==, 0);
    assert_rc(host_refuse(t, 0), CXL_RC_INVALID_INPUT);
    give(t, 1, DPA(SHARED, 0), 1, 2);
}

static void test_chain_is_forgotten(DCTest *t)
{
    CXLDCRange r = { DPA(PLAIN, 0), BLOCK };

    give(t, 0, DPA(PLAIN, 0), 4, 0);
    assert_rc(cxl_dc_host_release(t->dc, 0, &r, 1, true), CXL_RC_SUCCESS);
    cxl_dc_reset_host(t->dc, 0);
    r.dpa = DPA(PLAIN, 3);
    assert_rc(cxl_dc_host_release(t->dc, 0, &r, 1, false), CXL_RC_SUCCESS);
    g_assert_true(can_access(t, 0, DPA(PLAIN, 0), 3));
}

static void test_references_stay(DCTest *t)
{
    QemuUUID uuid = tag_nr(TAG);

    give(t, 0, DPA(SHARED, 0), 4, TAG);
    assert_rc(cxl_dc_add_reference(t->dc, &uuid), CXL_RC_SUCCESS);
    cxl_dc_reset_host(t->dc, 0);
    g_assert_cmpuint(nr_added(t, 0), ==, 0);
    g_assert_cmpuint(cxl_dc_tag_count(t->dc), ==, 1);
    g_assert_cmpuint(extents_left(t, 0), ==, 511);
}

static void test_shared_capacity_is_sanitized(void)
{
    CXLDCConfig c = dc_test_config();
    g_autoptr(DCTest) t = NULL;

    c.region[SHARED].sanitize = true;
    t = dc_test_new_with(&c, &dc_recorder_ops);
    give(t, 0, DPA(SHARED, 0), 4, TAG);
    dc_recorder_clear(t->rec);
    cxl_dc_reset_host(t->dc, 0);
    g_assert_cmpuint(t->rec->wiped->len, ==, 1);
}

static void test_unknown_host(DCTest *t)
{
    dc_recorder_clear(t->rec);
    cxl_dc_reset_host(t->dc, 2);
    g_assert_cmpstr(t->rec->order->str, ==, "");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) g_test_add_func("/cxl/dc/reset/" #f, test_ ## f)
#define DC(f) dc_test_add("/cxl/dc/reset/" #f, test_ ## f)
    DC(plain_capacity_stays);
    DC(shared_capacity_goes_without_record);
    DC(offers_are_dropped);
    DC(chain_is_forgotten);
    DC(references_stay);
    T(shared_capacity_is_sanitized);
    DC(unknown_host);
    return g_test_run();
}
