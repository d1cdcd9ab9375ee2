/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity model: sharing, tags, sequence numbers and references (CXL
 * r3.2 9.13.3.2, 7.6.7.6.5 policy 3, 7.6.7.6.7 to 7.6.7.6.9).
 */
#include "qemu/osdep.h"
#include "dc-test.h"

#define TAG 7

static CXLRetCode refer(DCTest *t, unsigned tag)
{
    QemuUUID uuid = tag_nr(tag);

    return cxl_dc_add_reference(t->dc, &uuid);
}

static CXLRetCode unrefer(DCTest *t, unsigned tag)
{
    QemuUUID uuid = tag_nr(tag);

    dc_recorder_clear(t->rec);
    return cxl_dc_remove_reference(t->dc, &uuid);
}

/* Host 0 holds two shared extents of TAG */
static DCTest *with_share(void)
{
    DCTest *t = dc_test_new();
    CXLDCExtent e[2] = {
        extent_of(DPA(SHARED, 8), 2, TAG), extent_of(DPA(SHARED, 4), 3, TAG),
    };

    assert_rc(fm_add(t, 0, e, 2), CXL_RC_SUCCESS);
    host_accept_all(t, 0);
    return t;
}

/* -- tags and sequence numbers -------------------------------------------- */

static void test_shared_needs_tag(DCTest *t)
{
    assert_rc(fm_add_one(t, 0, DPA(SHARED, 0), 1, 0),
              CXL_RC_INVALID_EXTENT_LIST);
    assert_rc(fm_add_sized(t, 0, CXL_DC_ADD_FREE, SHARED, BLOCK, 0),
              CXL_RC_INVALID_INPUT);
    assert_rc(fm_add_sized(t, 0, CXL_DC_ADD_CONTIGUOUS, SHARED, BLOCK, 0),
              CXL_RC_INVALID_INPUT);
}

static void test_device_numbers_extents(void)
{
    g_autoptr(DCTest) t = with_share();
    CXLDCExtent e = added_at(t, 0, 0);

    /* In the order of the FM's list; the records and the host's list are not */
    assert_extent(&e, DPA(SHARED, 4), 3, TAG, 1);
    e = added_at(t, 0, 1);
    assert_extent(&e, DPA(SHARED, 8), 2, TAG, 0);
}

static void test_fm_numbers_extents(DCTest *t)
{
    CXLDCExtent e[3] = {
        extent_of(DPA(SHARED, 0), 1, TAG), extent_of(DPA(SHARED, 2), 1, TAG),
        extent_of(DPA(SHARED, 4), 1, TAG),
    };

    e[0].seq = 2;
    e[1].seq = 0;
    e[2].seq = 1;
    assert_rc(fm_add(t, 0, e, 3), CXL_RC_SUCCESS);
    for (unsigned i = 0; i < 3; i++) {
        g_assert_cmpuint(dc_event(t->rec, i)->extent.seq, ==, e[i].seq);
    }
    host_accept_all(t, 0);
    g_assert_cmpuint(added_at(t, 0, 0).seq, ==, 2);
}

static void test_wrong_numbers(DCTest *t)
{
    CXLDCExtent e[2] = {
        extent_of(DPA(SHARED, 0), 1, TAG), extent_of(DPA(SHARED, 2), 1, TAG),
    };

    e[0].seq = e[1].seq = 1;
    assert_rc(fm_add(t, 0, e, 2), CXL_RC_INVALID_EXTENT_LIST);
    e[0].seq = 2;
    assert_rc(fm_add(t, 0, e, 2), CXL_RC_INVALID_EXTENT_LIST);
    e[0].seq = 0xffff;
    assert_rc(fm_add(t, 0, e, 2), CXL_RC_INVALID_EXTENT_LIST);
    g_assert_cmpuint(cxl_dc_tag_count(t->dc), ==, 0);
}

static void test_free_policy_numbers_extents(DCTest *t)
{
    give(t, 1, DPA(SHARED, 1), BLOCKS - 2, 1);
    assert_rc(fm_add_sized(t, 0, CXL_DC_ADD_FREE, SHARED, 2 * BLOCK, TAG),
              CXL_RC_SUCCESS);
    g_assert_cmpuint(t->rec->events->len, ==, 2);
    assert_extent(&dc_event(t->rec, 0)->extent, DPA(SHARED, 0), 1, TAG, 0);
    assert_extent(&dc_event(t->rec, 1)->extent, DPA(SHARED, BLOCKS - 1), 1,
                  TAG, 1);
}

/* -- whole or not at all -------------------------------------------------- */

static void test_accept_part_of_share(DCTest *t)
{
    CXLDCExtent e[3] = {
        extent_of(DPA(SHARED, 0), 2, TAG), extent_of(DPA(SHARED, 4), 2, TAG),
        extent_of(DPA(SHARED, 8), 2, TAG + 1),
    };
    CXLDCRange r[3];

    for (unsigned i = 0; i < 3; i++) {
        r[i] = (CXLDCRange) { e[i].dpa, e[i].len };
    }
    assert_rc(fm_add(t, 0, e, 3), CXL_RC_SUCCESS);
    /* One extent of two */
    assert_rc(cxl_dc_host_respond(t->dc, 0, r, 1, false),
              CXL_RC_INVALID_EXTENT_LIST);
    /* Half an extent */
    assert_rc(fm_add(t, 0, e, 3), CXL_RC_SUCCESS);
    r[1].len = BLOCK;
    assert_rc(cxl_dc_host_respond(t->dc, 0, r, 2, false),
              CXL_RC_INVALID_EXTENT_LIST);
    g_assert_cmpuint(nr_pending(t, 0), ==, 0);
    g_assert_cmpuint(cxl_dc_tag_count(t->dc), ==, 0);
    assert_rc(fm_add(t, 0, e, 3), CXL_RC_SUCCESS);
    r[1].len = 2 * BLOCK;
    /* One whole tag of two */
    assert_rc(cxl_dc_host_respond(t->dc, 0, r, 2, false), CXL_RC_SUCCESS);
    g_assert_cmpuint(nr_added(t, 0), ==, 2);
    g_assert_cmpuint(cxl_dc_tag_count(t->dc), ==, 1);
}

static void test_refuse_share(DCTest *t)
{
    assert_rc(fm_add_one(t, 0, DPA(SHARED, 0), 2, TAG), CXL_RC_SUCCESS);
    assert_rc(host_refuse(t, 0), CXL_RC_SUCCESS);
    g_assert_cmpuint(cxl_dc_tag_count(t->dc), ==, 0);
    give(t, 1, DPA(SHARED, 0), 2, TAG);
}

static void test_release_part_of_share(void)
{
    g_autoptr(DCTest) t = with_share();

    assert_rc(host_release(t, 0, DPA(SHARED, 8), 2),
              CXL_RC_INVALID_EXTENT_LIST);
    assert_rc(host_release(t, 0, DPA(SHARED, 8), 1),
              CXL_RC_INVALID_EXTENT_LIST);
    for (unsigned forced = 0; forced < 2; forced++) {
        assert_rc(fm_release(t, 0, DPA(SHARED, 8), 2, forced, false),
                  CXL_RC_INVALID_INPUT);
        assert_rc(fm_release_tag(t, 0, TAG, 4 * BLOCK, forced),
                  CXL_RC_INVALID_INPUT);
        assert_rc(fm_release_tag(t, 0, TAG, 6 * BLOCK, forced),
                  CXL_RC_RESOURCES_EXHAUSTED);
    }
    g_assert_cmpuint(nr_added(t, 0), ==, 2);
    g_assert_cmpuint(cxl_dc_generation(t->dc, 0), ==, 1);
}

static void test_release_whole_share(void)
{
    g_autoptr(DCTest) t = with_share();
    CXLDCRange r[3] = {
        { DPA(SHARED, 8), 2 * BLOCK }, { DPA(SHARED, 4), BLOCK },
        { DPA(SHARED, 5), 2 * BLOCK },
    };

    assert_rc(cxl_dc_host_release(t->dc, 0, r, 3, false), CXL_RC_SUCCESS);
    g_assert_cmpuint(nr_added(t, 0), ==, 0);
    g_assert_cmpuint(cxl_dc_tag_count(t->dc), ==, 0);
}

/* -- sharing -------------------------------------------------------------- */

static void test_second_host_sees_the_same(void)
{
    g_autoptr(DCTest) t = with_share();
    CXLDCTagInfo info;
    uint64_t media, len;

    assert_rc(fm_share(t, 1, SHARED, TAG), CXL_RC_SUCCESS);
    g_assert_cmpuint(t->rec->events->len, ==, 2);
    g_assert_cmpuint(dc_event(t->rec, 0)->host, ==, 1);
    assert_extent(&dc_event(t->rec, 0)->extent, DPA(SHARED, 4), 3, TAG, 1);
    assert_extent(&dc_event(t->rec, 1)->extent, DPA(SHARED, 8), 2, TAG, 0);
    g_assert_cmpuint(extents_left(t, 1), ==, 510);
    g_assert_cmpuint(tags_left(t, 1), ==, 63);
    g_assert_true(find_tag(t, TAG, &info));
    g_assert_true(test_bit(0, info.accepted) && !test_bit(1, info.accepted));
    g_assert_true(test_bit(1, info.pending) && !test_bit(0, info.pending));
    host_accept_all(t, 1);
    g_assert_true(find_tag(t, TAG, &info));
    g_assert_true(test_bit(1, info.accepted) && !test_bit(1, info.pending));
    g_assert_true(can_access(t, 0, DPA(SHARED, 4), 3));
    g_assert_true(can_access(t, 1, DPA(SHARED, 4), 3));
    g_assert_true(cxl_dc_translate(t->dc, 1, DPA(SHARED, 4) + 64, &media,
                                   &len));
    g_assert_cmphex(media, ==, DPA(SHARED, 4) + 64);
    g_assert_cmphex(len, ==, 3 * BLOCK - 64);
}

static void test_share_refusals(void)
{
    g_autoptr(DCTest) t = with_share();

    give(t, 0, DPA(PLAIN, 0), 1, 9);
    assert_rc(fm_share(t, 1, PLAIN, TAG), CXL_RC_INVALID_INPUT);
    assert_rc(fm_share(t, 1, SHARED, TAG + 1), CXL_RC_INVALID_INPUT);
    assert_rc(fm_share(t, 1, SHARED, 0), CXL_RC_INVALID_INPUT);
    assert_rc(fm_share(t, 1, SHARED, 9), CXL_RC_INVALID_INPUT);
    assert_rc(fm_share(t, 0, SHARED, TAG), CXL_RC_INVALID_INPUT);
    assert_rc(fm_share(t, 1, SHARED, TAG), CXL_RC_SUCCESS);
    /* Offered is enough */
    assert_rc(fm_share(t, 1, SHARED, TAG), CXL_RC_INVALID_INPUT);
    g_assert_cmpuint(nr_pending(t, 1), ==, 2);
}

static void test_share_limits(void)
{
    CXLDCConfig c = dc_test_config();
    g_autoptr(DCTest) t = NULL;
    CXLDCExtent e[2] = {
        extent_of(DPA(SHARED, 8), 2, TAG), extent_of(DPA(SHARED, 4), 3, TAG),
    };

    c.max_extents = 2;
    c.max_tags = 1;
    t = dc_test_new_with(&c, &dc_recorder_ops);
    assert_rc(fm_add(t, 0, e, 2), CXL_RC_SUCCESS);
    host_accept_all(t, 0);
    assert_rc(fm_add_one(t, 1, DPA(PLAIN, 0), 1, 0), CXL_RC_SUCCESS);
    assert_rc(fm_share(t, 1, SHARED, TAG), CXL_RC_RESOURCES_EXHAUSTED);
    assert_rc(host_refuse(t, 1), CXL_RC_SUCCESS);
    t->rec->room[1] = 1;
    assert_rc(fm_share(t, 1, SHARED, TAG), CXL_RC_RETRY_REQUIRED);
    t->rec->room[1] = 2;
    assert_rc(fm_share(t, 1, SHARED, TAG), CXL_RC_SUCCESS);
}

static void test_last_host_ends_the_tag(void)
{
    g_autoptr(DCTest) t = with_share();

    assert_rc(fm_share(t, 1, SHARED, TAG), CXL_RC_SUCCESS);
    host_accept_all(t, 1);
    /* In any order; sanitize waits for the last one */
    assert_rc(fm_release_tag(t, 0, TAG, 5 * BLOCK, false), CXL_RC_SUCCESS);
    {
        CXLDCExtent e[2] = {
            extent_of(DPA(SHARED, 8), 2, 0), extent_of(DPA(SHARED, 4), 3, 0),
        };
        CXLDCReleaseRequest req = {
            .policy = CXL_DC_RELEASE_PRESCRIPTIVE, .forced = true,
            .sanitize = true, .extents = e, .nr_extents = 2,
        };

        dc_recorder_clear(t->rec);
        assert_rc(cxl_dc_release(t->dc, &req, NULL), CXL_RC_SUCCESS);
    }
    g_assert_cmpuint(t->rec->wiped->len, ==, 0);
    g_assert_cmpuint(cxl_dc_tag_count(t->dc), ==, 1);
    assert_rc(fm_add_one(t, 0, DPA(SHARED, 4), 1, 1),
              CXL_RC_INVALID_EXTENT_LIST);
    assert_rc(fm_release_tag(t, 1, TAG, 5 * BLOCK, true), CXL_RC_SUCCESS);
    g_assert_cmpuint(t->rec->wiped->len, ==, 2);
    g_assert_cmpuint(cxl_dc_tag_count(t->dc), ==, 0);
    assert_rc(fm_add_one(t, 0, DPA(SHARED, 4), 5, 1), CXL_RC_SUCCESS);
}

static void test_share_with_offer_that_is_refused(DCTest *t)
{
    /* Nobody ever saw it: there is nothing to wipe */
    assert_rc(fm_add_one(t, 0, DPA(SHARED, 0), 1, TAG), CXL_RC_SUCCESS);
    assert_rc(fm_share(t, 1, SHARED, TAG), CXL_RC_SUCCESS);
    assert_rc(host_refuse(t, 0), CXL_RC_SUCCESS);
    g_assert_cmpuint(cxl_dc_tag_count(t->dc), ==, 1);
    host_accept_all(t, 1);
    g_assert_true(can_access(t, 1, DPA(SHARED, 0), 1));
}

/* -- a second, read-only region ------------------------------------------- */

static void test_read_only_view(void)
{
    g_autoptr(DCTest) t = with_share();
    uint64_t media, len;
    CXLDCExtent e;

    assert_rc(fm_add_one(t, 0, DPA(SHARED_RO, 0), 1, 1), CXL_RC_SUCCESS);
    assert_rc(fm_share(t, 1, SHARED_RO, TAG), CXL_RC_SUCCESS);
    host_accept_all(t, 1);
    /* Blocks 1..2 (sequence 0) and 3..5 (sequence 1) are free there */
    e = added_at(t, 1, 0);
    assert_extent(&e, DPA(SHARED_RO, 1), 2, TAG, 0);
    e = added_at(t, 1, 1);
    assert_extent(&e, DPA(SHARED_RO, 3), 3, TAG, 1);
    g_assert_cmpint(cxl_dc_access(t->dc, 1, DPA(SHARED_RO, 1), 64), ==,
                    CXL_DC_ACCESS_READ_ONLY);
    g_assert_cmpint(cxl_dc_access(t->dc, 0, DPA(SHARED, 8), 64), ==,
                    CXL_DC_ACCESS_OK);
    g_assert_true(cxl_dc_translate(t->dc, 1, DPA(SHARED_RO, 2) + 64, &media,
                                   &len));
    g_assert_cmphex(media, ==, DPA(SHARED, 9) + 64);
    g_assert_cmphex(len, ==, BLOCK - 64);
    g_assert_false(cxl_dc_translate(t->dc, 1, DPA(SHARED, 9), &media, &len));
    /* Those addresses are taken, until the last one lets go */
    assert_rc(fm_add_one(t, 0, DPA(SHARED_RO, 1), 1, 2),
              CXL_RC_INVALID_EXTENT_LIST);
    assert_rc(fm_release_tag(t, 1, TAG, 5 * BLOCK, true), CXL_RC_SUCCESS);
    assert_rc(fm_add_one(t, 0, DPA(SHARED_RO, 1), 1, 2), CXL_RC_SUCCESS);
    g_assert_true(can_access(t, 0, DPA(SHARED, 4), 3));
}

static void test_read_only_view_without_room(void)
{
    g_autoptr(DCTest) t = with_share();

    /* Room for the first extent, not for both */
    give(t, 0, DPA(SHARED_RO, 4), BLOCKS - 4, 1);
    assert_rc(fm_share(t, 1, SHARED_RO, TAG), CXL_RC_RESOURCES_EXHAUSTED);
    assert_rc(fm_add_one(t, 0, DPA(SHARED_RO, 0), 4, 2), CXL_RC_SUCCESS);
}

static void test_init_then_share(void)
{
    g_autoptr(DCTest) t = with_share();

    assert_rc(refer(t, TAG), CXL_RC_SUCCESS);
    assert_rc(fm_release_tag(t, 0, TAG, 5 * BLOCK, true), CXL_RC_SUCCESS);
    /* Even with the only host */
    assert_rc(fm_share(t, 0, SHARED_RO, TAG), CXL_RC_SUCCESS);
    host_accept_all(t, 0);
    assert_rc(unrefer(t, TAG), CXL_RC_SUCCESS);
    g_assert_cmpuint(cxl_dc_tag_count(t->dc), ==, 1);
    g_assert_cmpint(cxl_dc_access(t->dc, 0, DPA(SHARED_RO, 0), 64), ==,
                    CXL_DC_ACCESS_READ_ONLY);
    assert_rc(fm_release_tag(t, 0, TAG, 5 * BLOCK, true), CXL_RC_SUCCESS);
    g_assert_cmpuint(cxl_dc_tag_count(t->dc), ==, 0);
    assert_rc(fm_add_one(t, 0, DPA(SHARED, 0), BLOCKS, 1), CXL_RC_SUCCESS);
    assert_rc(fm_add_one(t, 0, DPA(SHARED_RO, 0), BLOCKS, 2), CXL_RC_SUCCESS);
}

/* -- references ----------------------------------------------------------- */

static void test_reference_keeps_capacity(void)
{
    g_autoptr(DCTest) t = with_share();

    assert_rc(refer(t, TAG), CXL_RC_SUCCESS);
    assert_rc(refer(t, TAG), CXL_RC_SUCCESS);
    assert_rc(fm_release_tag(t, 0, TAG, 5 * BLOCK, true), CXL_RC_SUCCESS);
    g_assert_cmpuint(cxl_dc_tag_count(t->dc), ==, 1);
    /* Used, for everybody */
    for (unsigned h = 0; h < 2; h++) {
        g_assert_cmpuint(extents_left(t, h), ==, 510);
        g_assert_cmpuint(tags_left(t, h), ==, 63);
    }
    assert_rc(fm_add_one(t, 0, DPA(SHARED, 8), 1, 1),
              CXL_RC_INVALID_EXTENT_LIST);
    /* A flag, not a counter */
    assert_rc(unrefer(t, TAG), CXL_RC_SUCCESS);
    g_assert_cmpuint(cxl_dc_tag_count(t->dc), ==, 0);
    g_assert_cmpuint(extents_left(t, 1), ==, 512);
    g_assert_cmpuint(t->rec->wiped->len, ==, 0);
    assert_rc(fm_add_one(t, 0, DPA(SHARED, 8), 1, 1), CXL_RC_SUCCESS);
    assert_rc(unrefer(t, TAG), CXL_RC_INVALID_INPUT);
}

static void test_reference_of_unknown_tag(void)
{
    g_autoptr(DCTest) t = with_share();

    give(t, 0, DPA(PLAIN, 0), 1, 9);
    assert_rc(refer(t, 1), CXL_RC_INVALID_INPUT);
    assert_rc(unrefer(t, 1), CXL_RC_INVALID_INPUT);
    assert_rc(refer(t, 0), CXL_RC_INVALID_INPUT);
    assert_rc(unrefer(t, 0), CXL_RC_INVALID_INPUT);
    /* Known, but not sharable */
    assert_rc(refer(t, 9), CXL_RC_INVALID_INPUT);
    assert_rc(unrefer(t, 9), CXL_RC_INVALID_INPUT);
    /* Known, but not referenced */
    assert_rc(unrefer(t, TAG), CXL_RC_SUCCESS);
    g_assert_cmpuint(cxl_dc_tag_count(t->dc), ==, 2);
}

static void test_reference_delays_sanitize(void)
{
    CXLDCConfig c = dc_test_config();
    g_autoptr(DCTest) t = NULL;

    c.region[SHARED].sanitize = true;
    t = dc_test_new_with(&c, &dc_recorder_ops);
    give(t, 0, DPA(SHARED, 0), 2, TAG);
    assert_rc(refer(t, TAG), CXL_RC_SUCCESS);
    assert_rc(host_release(t, 0, DPA(SHARED, 0), 2), CXL_RC_SUCCESS);
    g_assert_cmpuint(t->rec->wiped->len, ==, 0);
    assert_rc(unrefer(t, TAG), CXL_RC_SUCCESS);
    g_assert_cmpuint(t->rec->wiped->len, ==, 1);
    g_assert_cmphex(dc_wiped(t->rec, 0)->dpa, ==, DPA(SHARED, 0));
    g_assert_cmphex(dc_wiped(t->rec, 0)->len, ==, 2 * BLOCK);
}

/* -- the list of tags ----------------------------------------------------- */

static bool count_tag(void *opaque, const CXLDCTagInfo *info)
{
    GArray *list = opaque;

    g_array_append_val(list, info->tag.data[0]);
    return true;
}

static void test_tag_list_is_stable(DCTest *t)
{
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, 1);

    for (unsigned i = 0; i < 6; i++) {
        give(t, i % 2, DPA(PLAIN, 2 * i), 1, 9 - i);
    }
    assert_rc(host_release(t, 0, DPA(PLAIN, 4), 1), CXL_RC_SUCCESS);
    g_assert_cmpuint(cxl_dc_tag_count(t->dc), ==, 5);
    cxl_dc_tags(t->dc, 1, count_tag, list);
    g_assert_cmpmem(list->data, list->len, "\x08\x06\x05\x04", 4);
    g_array_set_size(list, 0);
    cxl_dc_tags(t->dc, 5, count_tag, list);
    g_assert_cmpuint(list->len, ==, 0);
}

static void test_tag_generation(DCTest *t)
{
    uint32_t seen[8];
    unsigned n = 0;

    seen[n++] = cxl_dc_tag_generation(t->dc);
    assert_rc(fm_add_one(t, 0, DPA(SHARED, 0), 1, TAG), CXL_RC_SUCCESS);
    seen[n++] = cxl_dc_tag_generation(t->dc);
    host_accept_all(t, 0);
    seen[n++] = cxl_dc_tag_generation(t->dc);
    assert_rc(fm_share(t, 1, SHARED, TAG), CXL_RC_SUCCESS);
    seen[n++] = cxl_dc_tag_generation(t->dc);
    assert_rc(host_refuse(t, 1), CXL_RC_SUCCESS);
    seen[n++] = cxl_dc_tag_generation(t->dc);
    assert_rc(refer(t, TAG), CXL_RC_SUCCESS);
    seen[n++] = cxl_dc_tag_generation(t->dc);
    assert_rc(fm_release_tag(t, 0, TAG, BLOCK, true), CXL_RC_SUCCESS);
    seen[n++] = cxl_dc_tag_generation(t->dc);
    assert_rc(unrefer(t, TAG), CXL_RC_SUCCESS);
    seen[n++] = cxl_dc_tag_generation(t->dc);
    for (unsigned i = 0; i < n; i++) {
        for (unsigned k = 0; k < i; k++) {
            g_assert_cmpuint(seen[i], !=, seen[k]);
        }
    }
    /* What the list does not show does not change it */
    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 0), 1, 0), CXL_RC_SUCCESS);
    host_accept_all(t, 0);
    g_assert_cmpuint(cxl_dc_tag_generation(t->dc), ==, seen[n - 1]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) g_test_add_func("/cxl/dc-share/" #f, test_ ## f)
#define DC(f) dc_test_add("/cxl/dc-share/" #f, test_ ## f)
    DC(shared_needs_tag);
    T(device_numbers_extents);
    DC(fm_numbers_extents);
    DC(wrong_numbers);
    DC(free_policy_numbers_extents);
    DC(accept_part_of_share);
    DC(refuse_share);
    T(release_part_of_share);
    T(release_whole_share);
    T(second_host_sees_the_same);
    T(share_refusals);
    T(share_limits);
    T(last_host_ends_the_tag);
    DC(share_with_offer_that_is_refused);
    T(read_only_view);
    T(read_only_view_without_room);
    T(init_then_share);
    T(reference_keeps_capacity);
    T(reference_of_unknown_tag);
    T(reference_delays_sanitize);
    DC(tag_list_is_stable);
    DC(tag_generation);
    return g_test_run();
}
