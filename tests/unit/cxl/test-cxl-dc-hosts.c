/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity model: hosts that see the regions at addresses of their own,
 * and hosts that go (CXL r3.2 9.13.3).
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "dc-test.h"

#define TAG     7
/* What host 1 has below its regions */
#define HIGHER  (2 * CXL_DC_GRANULE)

static DCTest *hosts_new(void)
{
    DCTest *t = dc_test_new();

    g_assert_true(cxl_dc_set_host_base(t->dc, 1, HIGHER, &error_abort));
    return t;
}

static void test_each_host_has_its_own_addresses(void)
{
    g_autoptr(DCTest) t = hosts_new();
    CXLDCExtent e;
    unsigned group;
    bool dead;

    g_assert_cmpuint(cxl_dc_host_base(t->dc, 0), ==, 0);
    g_assert_cmpuint(cxl_dc_host_base(t->dc, 1), ==, HIGHER);
    assert_rc(fm_add_one(t, 1, HIGHER + DPA(PLAIN, 3), 2, TAG),
              CXL_RC_SUCCESS);
    e = pending_at(t, 1, 0, &group, &dead);
    assert_extent(&e, HIGHER + DPA(PLAIN, 3), 2, TAG, 0);
    g_assert_cmphex(dc_event(t->rec, 0)->extent.dpa, ==,
                    HIGHER + DPA(PLAIN, 3));
    /* the addresses of another host are not its own */
    dc_recorder_clear(t->rec);
    assert_rc(fm_add_one(t, 1, HIGHER + DPA(PLAIN, 8), 1, 0), CXL_RC_SUCCESS);
    assert_rc(host_accept(t, 1, DPA(PLAIN, 3), 2), CXL_RC_INVALID_PHYS_ADDR);
    assert_rc(host_accept(t, 1, HIGHER + DPA(PLAIN, 3), 2), CXL_RC_SUCCESS);
    e = added_at(t, 1, 0);
    assert_extent(&e, HIGHER + DPA(PLAIN, 3), 2, TAG, 0);
    g_assert_true(can_access(t, 1, HIGHER + DPA(PLAIN, 3), 2));
    g_assert_false(can_access(t, 1, DPA(PLAIN, 3), 1));
    g_assert_false(can_access(t, 0, DPA(PLAIN, 3), 1));
    /* the medium is one: what host 1 has, host 0 cannot get */
    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 4), 1, 0),
              CXL_RC_INVALID_EXTENT_LIST);
    give(t, 0, DPA(PLAIN, 5), 1, 0);
}

static void test_access_is_told_in_the_hosts_addresses(void)
{
    g_autoptr(DCTest) t = hosts_new();
    uint64_t dpa = HIGHER + DPA(WIPED, 1), media, len;
    CXLDCRange range;

    give(t, 1, dpa, 4, 0);
    g_assert_true(cxl_dc_next(t->dc, 1, 0, &range, &media));
    g_assert_cmphex(range.dpa, ==, dpa);
    g_assert_cmphex(range.len, ==, 4 * BLOCK);
    g_assert_cmphex(media, ==, dpa);
    g_assert_true(cxl_dc_translate(t->dc, 1, dpa + BLOCK, &media, &len));
    g_assert_cmphex(media, ==, dpa + BLOCK);
    g_assert_false(cxl_dc_translate(t->dc, 1, dpa - HIGHER, &media, &len));

    dc_recorder_clear(t->rec);
    assert_rc(fm_release(t, 1, dpa + BLOCK, 2, false, false), CXL_RC_SUCCESS);
    g_assert_cmphex(dc_event(t->rec, 0)->extent.dpa, ==, dpa + BLOCK);
    dc_recorder_clear(t->rec);
    assert_rc(host_release(t, 1, dpa + BLOCK, 2), CXL_RC_SUCCESS);
    g_assert_cmpuint(t->rec->access->len, ==, 1);
    g_assert_cmphex(g_array_index(t->rec->access, DCAccessCall, 0).range.dpa,
                    ==, dpa + BLOCK);
    g_assert_cmphex(dc_event(t->rec, 0)->extent.dpa, ==, dpa + BLOCK);
    /* but what is wiped is of the medium */
    g_assert_cmphex(dc_wiped(t->rec, 0)->dpa, ==, DPA(WIPED, 2));
    g_assert_cmpuint(nr_added(t, 1), ==, 2);
}

static void test_shared_capacity_is_the_same_medium(void)
{
    g_autoptr(DCTest) t = hosts_new();
    uint64_t media0, media1, len;

    give(t, 0, DPA(SHARED, 6), 3, TAG);
    assert_rc(fm_share(t, 1, SHARED_RO, TAG), CXL_RC_SUCCESS);
    host_accept_all(t, 1);
    g_assert_true(cxl_dc_translate(t->dc, 0, DPA(SHARED, 6), &media0, &len));
    g_assert_true(cxl_dc_translate(t->dc, 1, HIGHER + DPA(SHARED_RO, 0),
                                   &media1, &len));
    g_assert_cmphex(media1, ==, media0 + HIGHER);
    g_assert_cmpint(cxl_dc_access(t->dc, 1, HIGHER + DPA(SHARED_RO, 0), 64),
                    ==, CXL_DC_ACCESS_READ_ONLY);
}

static void test_errors_name_the_hosts_addresses(void)
{
    g_autoptr(DCTest) t = hosts_new();
    CXLDCExtent e = extent_of(HIGHER + DPA(PLAIN, 0) + 1, 1, 0);
    CXLDCAddRequest add = {
        .host = 1, .policy = CXL_DC_ADD_PRESCRIPTIVE, .extents = &e,
        .nr_extents = 1,
    };
    CXLDCReleaseRequest release = {
        .host = 1, .policy = CXL_DC_RELEASE_PRESCRIPTIVE, .extents = &e,
        .nr_extents = 1,
    };
    g_autofree char *shown = g_strdup_printf("DPA 0x%" PRIx64, e.dpa);
    g_autofree char *text = fm_add_error(t, &add, CXL_RC_INVALID_EXTENT_LIST);
    g_autofree char *missing = NULL;

    g_assert_nonnull(strstr(text, shown));
    g_free(shown);
    e.dpa -= 1;
    shown = g_strdup_printf("DPA 0x%" PRIx64, e.dpa);
    missing = fm_release_error(t, &release, CXL_RC_INVALID_PHYS_ADDR);
    g_assert_nonnull(strstr(missing, shown));
    /* below the host's regions there is nothing, however it is counted */
    e.dpa = 0;
    g_free(text);
    text = fm_add_error(t, &add, CXL_RC_INVALID_EXTENT_LIST);
    assert_rc(host_release(t, 1, 0, 1), CXL_RC_INVALID_PHYS_ADDR);
}

static void refuses_base(DCTest *t, unsigned host, uint64_t base,
                         const char *says)
{
    g_autoptr(Error) err = NULL;

    g_assert_false(cxl_dc_set_host_base(t->dc, host, base, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), says));
}

static void test_bases_that_are_refused(void)
{
    g_autoptr(DCTest) t = dc_test_new();

    refuses_base(t, 2, 0, "host ID 2");
    refuses_base(t, 0, MiB, "0x100000 is not a multiple of 0x200000");
    refuses_base(t, 0, UINT64_MAX - BLOCK + 1, "leave the address space");
    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 0), 1, 0), CXL_RC_SUCCESS);
    refuses_base(t, 0, CXL_DC_GRANULE, "host 0 has capacity or offers");
    host_accept_all(t, 0);
    refuses_base(t, 0, CXL_DC_GRANULE, "host 0 has capacity or offers");
    g_assert_cmpuint(cxl_dc_host_base(t->dc, 0), ==, 0);
}

static void test_bases_are_no_state(void)
{
    g_autoptr(DCTest) t = hosts_new();
    g_autoptr(DCTest) other = hosts_new();
    g_autoptr(GByteArray) bytes = NULL;
    CXLDCExtent e;

    give(t, 1, HIGHER + DPA(PLAIN, 1), 1, TAG);
    bytes = dc_save(t->dc);
    g_assert_cmpint(dc_load_bytes(other->dc, bytes->data, bytes->len), ==, 0);
    g_assert_cmphex(cxl_dc_host_base(other->dc, 1), ==, HIGHER);
    e = added_at(other, 1, 0);
    assert_extent(&e, HIGHER + DPA(PLAIN, 1), 1, TAG, 0);
    cxl_dc_forget(other->dc);
    g_assert_cmphex(cxl_dc_host_base(other->dc, 1), ==, HIGHER);
}

static void test_a_host_that_goes_leaves_all_of_it(void)
{
    g_autoptr(DCTest) t = hosts_new();

    give(t, 1, HIGHER + DPA(WIPED, 0), 2, 1);
    give(t, 1, HIGHER + DPA(SHARED, 0), 2, TAG);
    assert_rc(fm_share(t, 0, SHARED, TAG), CXL_RC_SUCCESS);
    host_accept_all(t, 0);
    assert_rc(fm_add_one(t, 1, HIGHER + DPA(PLAIN, 0), 1, 2), CXL_RC_SUCCESS);
    dc_recorder_clear(t->rec);
    cxl_dc_remove_host(t->dc, 1);
    g_assert_cmpuint(nr_added(t, 1), ==, 0);
    g_assert_cmpuint(nr_pending(t, 1), ==, 0);
    g_assert_cmpuint(t->rec->events->len, ==, 0);
    g_assert_cmpuint(t->rec->wiped->len, ==, 1);
    g_assert_cmphex(dc_wiped(t->rec, 0)->dpa, ==, DPA(WIPED, 0));
    assert_report(t, 0, CXL_DC_REFUSED, CXL_DC_BY_RESET, 1);
    assert_report(t, 1, CXL_DC_RELEASED, CXL_DC_BY_RESET, 2);
    /* others keep what they share, and can have the rest */
    g_assert_true(can_access(t, 0, DPA(SHARED, 0), 2));
    give(t, 0, DPA(WIPED, 0), 2, 1);
    give(t, 0, DPA(PLAIN, 0), 1, 2);
    /* and the next one may be of another kind */
    g_assert_true(cxl_dc_set_host_base(t->dc, 1, 0, &error_abort));
    give(t, 1, DPA(PLAIN, 1), 1, 3);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    module_call_init(MODULE_INIT_QOM);
#define ADD(name, fn) g_test_add_func("/cxl/dc/hosts/" name, fn)
    ADD("addresses", test_each_host_has_its_own_addresses);
    ADD("access", test_access_is_told_in_the_hosts_addresses);
    ADD("shared", test_shared_capacity_is_the_same_medium);
    ADD("errors", test_errors_name_the_hosts_addresses);
    ADD("refused", test_bases_that_are_refused);
    ADD("state", test_bases_are_no_state);
    ADD("removal", test_a_host_that_goes_leaves_all_of_it);
    return g_test_run();
}
