/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity model: the order in which consequences reach the owner (see
 * struct CXLDCOps).  Each string lists the calls of one operation by the
 * letters of DCRecorder.order.
 */
#include "qemu/osdep.h"
#include "dc-test.h"

#define TAG 7

static void assert_order(DCTest *t, const char *order)
{
    g_assert_cmpstr(t->rec->order->str, ==, order);
    g_assert_false(t->rec->unsettled);
}

static DCTest *new_with_wiped_share(void)
{
    CXLDCConfig c = dc_test_config();

    c.region[SHARED].sanitize = true;
    return dc_test_new_with(&c, &dc_recorder_ops);
}

static void test_offer(DCTest *t)
{
    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 0), 1, 0), CXL_RC_SUCCESS);
    assert_order(t, "l");
}

static void test_accept(DCTest *t)
{
    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 0), 2, 0), CXL_RC_SUCCESS);
    assert_rc(host_accept(t, 0, DPA(PLAIN, 0), 1), CXL_RC_SUCCESS);
    assert_order(t, "nslr");
}

static void test_release_request(DCTest *t)
{
    give(t, 0, DPA(WIPED, 0), 2, 0);
    assert_rc(fm_release(t, 0, DPA(WIPED, 0), 1, false, true),
              CXL_RC_SUCCESS);
    assert_order(t, "l");
}

static void test_release_by_host(DCTest *t)
{
    give(t, 0, DPA(WIPED, 0), 2, 0);
    assert_rc(host_release(t, 0, DPA(WIPED, 0), 1), CXL_RC_SUCCESS);
    assert_order(t, "oswslr");
}

static void test_forced_release(DCTest *t)
{
    give(t, 0, DPA(PLAIN, 0), 2, 0);
    assert_rc(fm_release(t, 0, DPA(PLAIN, 0), 1, true, true), CXL_RC_SUCCESS);
    assert_order(t, "oswslr");
    assert_rc(fm_release(t, 0, DPA(PLAIN, 1), 1, true, false),
              CXL_RC_SUCCESS);
    assert_order(t, "oslr");
}

static void test_shared_capacity_is_wiped_after_the_last_host(void)
{
    g_autoptr(DCTest) t = new_with_wiped_share();

    give(t, 0, DPA(SHARED, 0), 2, TAG);
    assert_rc(fm_share(t, 1, SHARED, TAG), CXL_RC_SUCCESS);
    host_accept_all(t, 1);
    assert_rc(host_release(t, 0, DPA(SHARED, 0), 2), CXL_RC_SUCCESS);
    assert_order(t, "oslr");
    assert_rc(host_release(t, 1, DPA(SHARED, 0), 2), CXL_RC_SUCCESS);
    assert_order(t, "oswslr");
}

/* The last who could have had it says no: nobody loses access here */
static void test_refusal_that_ends_a_share(void)
{
    g_autoptr(DCTest) t = new_with_wiped_share();

    give(t, 0, DPA(SHARED, 0), 2, TAG);
    assert_rc(fm_share(t, 1, SHARED, TAG), CXL_RC_SUCCESS);
    assert_rc(host_release(t, 0, DPA(SHARED, 0), 2), CXL_RC_SUCCESS);
    assert_order(t, "oslr");
    assert_rc(host_refuse(t, 1), CXL_RC_SUCCESS);
    assert_order(t, "wsr");
}

static void test_remove_reference(void)
{
    g_autoptr(DCTest) t = new_with_wiped_share();
    QemuUUID uuid = tag_nr(TAG);

    give(t, 0, DPA(SHARED, 0), 2, TAG);
    assert_rc(cxl_dc_add_reference(t->dc, &uuid), CXL_RC_SUCCESS);
    assert_rc(host_release(t, 0, DPA(SHARED, 0), 2), CXL_RC_SUCCESS);
    assert_order(t, "oslr");
    dc_recorder_clear(t->rec);
    assert_rc(cxl_dc_remove_reference(t->dc, &uuid), CXL_RC_SUCCESS);
    assert_order(t, "ws");
}

static void test_reset(void)
{
    g_autoptr(DCTest) t = new_with_wiped_share();

    give(t, 0, DPA(SHARED, 0), 2, TAG);
    dc_recorder_clear(t->rec);
    cxl_dc_reset_host(t->dc, 0);
    assert_order(t, "oswsr");
}

static void test_set_region(DCTest *t)
{
    assert_rc(cxl_dc_set_region(t->dc, PLAIN, 4 * KiB, false, NULL),
              CXL_RC_SUCCESS);
    assert_order(t, "l");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) g_test_add_func("/cxl/dc/order/" #f, test_ ## f)
#define DC(f) dc_test_add("/cxl/dc/order/" #f, test_ ## f)
    DC(offer);
    DC(accept);
    DC(release_request);
    DC(release_by_host);
    DC(forced_release);
    T(shared_capacity_is_wiped_after_the_last_host);
    T(refusal_that_ends_a_share);
    T(remove_reference);
    T(reset);
    DC(set_region);
    return g_test_run();
}
