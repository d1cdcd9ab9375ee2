/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity model: one that shows what hosts of another one have
 * (CXL r3.2 9.13.3).
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "dc-test.h"

#define HIGHER  (2 * CXL_DC_GRANULE)

static CXLDCPiece piece(uint64_t dpa, uint64_t blocks, uint64_t media)
{
    return (CXLDCPiece) { dpa, blocks * BLOCK, media };
}

static CXLDCPiece same(uint64_t dpa, uint64_t blocks)
{
    return piece(dpa, blocks, dpa);
}

static bool turn(DCTest *t, bool on, unsigned host, CXLDCPiece p)
{
    dc_recorder_clear(t->rec);
    return (on ? cxl_dc_view_on : cxl_dc_view_off)(t->dc, host, &p, 1);
}

static void assert_access(DCTest *t, unsigned i, uint64_t dpa, uint64_t blocks,
                          bool on)
{
    const DCAccessCall *call;

    g_assert_cmpuint(i, <, t->rec->access->len);
    call = &g_array_index(t->rec->access, DCAccessCall, i);
    g_assert_cmphex(call->range.dpa, ==, dpa);
    g_assert_cmphex(call->range.len, ==, blocks * BLOCK);
    g_assert_cmpint(call->on, ==, on);
}

static uint64_t media_of(DCTest *t, unsigned host, uint64_t dpa)
{
    uint64_t media, len;

    g_assert_true(cxl_dc_translate(t->dc, host, dpa, &media, &len));
    return media;
}

static void it_shows_what_it_is_told(void)
{
    g_autoptr(DCTest) t = dc_test_new();

    g_assert_true(turn(t, true, 0, same(DPA(PLAIN, 2), 4)));
    g_assert_cmpstr(t->rec->order->str, ==, "ns");
    assert_access(t, 0, DPA(PLAIN, 2), 4, true);
    g_assert_true(can_access(t, 0, DPA(PLAIN, 2), 4));
    g_assert_false(can_access(t, 0, DPA(PLAIN, 6), 1));
    g_assert_false(can_access(t, 1, DPA(PLAIN, 2), 1));
    g_assert_true(turn(t, false, 0, same(DPA(PLAIN, 3), 2)));
    g_assert_cmpstr(t->rec->order->str, ==, "os");
    assert_access(t, 0, DPA(PLAIN, 3), 2, false);
    g_assert_true(can_access(t, 0, DPA(PLAIN, 2), 1));
    g_assert_false(can_access(t, 0, DPA(PLAIN, 3), 1));
    g_assert_true(can_access(t, 0, DPA(PLAIN, 5), 1));
    /* what is not there is off already */
    g_assert_true(turn(t, false, 0, same(DPA(PLAIN, 3), 2)));
    g_assert_cmpuint(t->rec->access->len, ==, 0);
    cxl_dc_view_leave(t->dc, 0, true);
}

static void shared_capacity_may_be_elsewhere(void)
{
    g_autoptr(DCTest) t = dc_test_new();

    g_assert_true(cxl_dc_set_host_base(t->dc, 1, HIGHER, &error_abort));
    g_assert_true(turn(t, true, 1, piece(HIGHER + DPA(SHARED_RO, 8), 4,
                                         HIGHER + DPA(SHARED, 1))));
    g_assert_cmphex(media_of(t, 1, HIGHER + DPA(SHARED_RO, 10)), ==,
                    HIGHER + DPA(SHARED, 3));
    g_assert_cmpint(cxl_dc_access(t->dc, 1, HIGHER + DPA(SHARED_RO, 8), 64),
                    ==, CXL_DC_ACCESS_READ_ONLY);
    /* parts that stay are where they were */
    g_assert_true(turn(t, false, 1, piece(HIGHER + DPA(SHARED_RO, 9), 1,
                                          HIGHER + DPA(SHARED, 2))));
    g_assert_cmphex(media_of(t, 1, HIGHER + DPA(SHARED_RO, 8)), ==,
                    HIGHER + DPA(SHARED, 1));
    g_assert_cmphex(media_of(t, 1, HIGHER + DPA(SHARED_RO, 11)), ==,
                    HIGHER + DPA(SHARED, 4));
    cxl_dc_view_leave(t->dc, 1, true);
}

static void what_no_host_can_have_changes_nothing(void)
{
    const CXLDCPiece good = same(DPA(PLAIN, 0), 1);
    const CXLDCPiece bad[] = {
        same(0, 1), same(DPA(NR_REGIONS, 0), 1),
        same(DPA(PLAIN, BLOCKS - 1), 2), piece(DPA(PLAIN, 4), 1, 0),
        piece(DPA(PLAIN, 4), 1, DPA(PLAIN, 5)),
        piece(DPA(SHARED, 4), 2, DPA(SHARED, BLOCKS - 1)),
        { DPA(PLAIN, 4), 0, DPA(PLAIN, 4) },
        { DPA(PLAIN, 4) + 1, BLOCK, DPA(PLAIN, 4) + 1 },
        { DPA(PLAIN, 4), UINT64_MAX, DPA(PLAIN, 4) },
    };
    g_autoptr(DCTest) t = dc_test_new();

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        const CXLDCPiece list[] = { good, bad[i] };

        g_assert_false(cxl_dc_view_on(t->dc, 0, list, 2));
        g_assert_false(cxl_dc_view_become(t->dc, 0, list, 2));
        g_assert_false(cxl_dc_view_off(t->dc, 0, list, 2));
    }
    {
        const CXLDCPiece twice[] = { good, good };

        g_assert_false(cxl_dc_view_on(t->dc, 0, twice, 2));
        g_assert_false(cxl_dc_view_become(t->dc, 0, twice, 2));
    }
    g_assert_cmpuint(nr_added(t, 0), ==, 0);
    g_assert_true(cxl_dc_view_on(t->dc, 0, &good, 1));
    g_assert_false(cxl_dc_view_on(t->dc, 0, &good, 1));
    g_assert_cmpuint(nr_added(t, 0), ==, 1);
}

static void it_becomes_another_by_what_differs(void)
{
    const CXLDCPiece was[] = {
        same(DPA(PLAIN, 0), 8), same(DPA(SHARED, 0), 4),
        piece(DPA(SHARED_RO, 0), 4, DPA(SHARED, 8)),
    };
    const CXLDCPiece is[] = {
        /* the middle of it is gone, the end is longer */
        same(DPA(PLAIN, 0), 2), same(DPA(PLAIN, 6), 4),
        same(DPA(SHARED, 0), 4),
        /* it is elsewhere now */
        piece(DPA(SHARED_RO, 0), 4, DPA(SHARED, 16)),
    };
    g_autoptr(DCTest) t = dc_test_new();

    g_assert_true(cxl_dc_view_become(t->dc, 0, was, ARRAY_SIZE(was)));
    dc_recorder_clear(t->rec);
    g_assert_true(cxl_dc_view_become(t->dc, 0, was, ARRAY_SIZE(was)));
    g_assert_cmpuint(t->rec->access->len, ==, 0);
    g_assert_true(cxl_dc_view_become(t->dc, 0, is, ARRAY_SIZE(is)));
    g_assert_cmpstr(t->rec->order->str, ==, "osns");
    g_assert_cmpuint(t->rec->access->len, ==, 4);
    assert_access(t, 0, DPA(PLAIN, 2), 4, false);
    assert_access(t, 1, DPA(SHARED_RO, 0), 4, false);
    assert_access(t, 2, DPA(PLAIN, 8), 2, true);
    assert_access(t, 3, DPA(SHARED_RO, 0), 4, true);
    g_assert_cmphex(media_of(t, 0, DPA(SHARED_RO, 1)), ==, DPA(SHARED, 17));
    g_assert_true(cxl_dc_view_become(t->dc, 0, NULL, 0));
    g_assert_cmpuint(nr_added(t, 0), ==, 0);
}

static void a_reset_takes_what_is_shared(void)
{
    g_autoptr(DCTest) t = dc_test_new();

    g_assert_true(turn(t, true, 0, same(DPA(PLAIN, 0), 1)));
    g_assert_true(turn(t, true, 0, same(DPA(SHARED, 0), 1)));
    cxl_dc_view_leave(t->dc, 0, false);
    g_assert_true(can_access(t, 0, DPA(PLAIN, 0), 1));
    g_assert_false(can_access(t, 0, DPA(SHARED, 0), 1));
    cxl_dc_view_leave(t->dc, 0, true);
    g_assert_cmpuint(nr_added(t, 0), ==, 0);
}

#define ADD(name) g_test_add_func("/cxl/dc/view/" #name, name)

int main(int argc, char **argv)
{
    module_call_init(MODULE_INIT_QOM);
    g_test_init(&argc, &argv, NULL);
    ADD(it_shows_what_it_is_told);
    ADD(shared_capacity_may_be_elsewhere);
    ADD(what_no_host_can_have_changes_nothing);
    ADD(it_becomes_another_by_what_differs);
    ADD(a_reset_takes_what_is_shared);
    return g_test_run();
}
