/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity model: saving and loading in every state, and streams that
 * are not what they should be.
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "dc-test.h"

#define TAG 7

/* The model moves through a stream into a new one */
static void move(DCTest *t)
{
    g_autoptr(GByteArray) bytes = dc_save(t->dc), again = NULL;
    CXLDynCap *copy = cxl_dc_new(&t->config, &dc_recorder_ops, t->rec,
                                 &error_abort);
    uint32_t tag_generation = cxl_dc_tag_generation(t->dc);

    dc_recorder_clear(t->rec);
    g_assert_cmpint(dc_load_bytes(copy, bytes->data, bytes->len), ==, 0);
    /* Loading tells nobody: the owner looks for itself */
    g_assert_cmpuint(t->rec->access->len, ==, 0);
    g_assert_cmpuint(t->rec->events->len, ==, 0);
    g_assert_cmpstr(t->rec->order->str, ==, "");
    again = dc_save(copy);
    g_assert_cmpmem(bytes->data, bytes->len, again->data, again->len);
    g_assert_cmpuint(cxl_dc_tag_generation(copy), ==, tag_generation);
    cxl_dc_free(t->dc);
    t->dc = copy;
}

static void test_empty(DCTest *t)
{
    g_autoptr(GByteArray) bytes = dc_save(t->dc);

    g_assert_cmpuint(bytes->len, <, 64);
    move(t);
    give(t, 0, DPA(PLAIN, 0), BLOCKS, 1);
}

static void test_added(DCTest *t)
{
    CXLDCExtent e;

    give(t, 0, DPA(PLAIN, 0), 6, 3);
    give(t, 1, DPA(WIPED, BLOCKS - 1), 1, 0);
    assert_rc(host_release(t, 0, DPA(PLAIN, 2), 1), CXL_RC_SUCCESS);
    move(t);
    g_assert_cmpuint(nr_added(t, 0), ==, 2);
    e = added_at(t, 0, 1);
    assert_extent(&e, DPA(PLAIN, 3), 3, 3, 0);
    g_assert_cmpuint(cxl_dc_generation(t->dc, 0), ==, 2);
    g_assert_cmpuint(cxl_dc_generation(t->dc, 1), ==, 1);
    g_assert_cmpuint(extents_left(t, 0), ==, 510);
    g_assert_cmpuint(tags_left(t, 0), ==, 63);
    g_assert_true(can_access(t, 1, DPA(WIPED, BLOCKS - 1), 1));
    assert_rc(fm_release_tag(t, 0, 3, 5 * BLOCK, true), CXL_RC_SUCCESS);
    assert_rc(fm_add_one(t, 0, DPA(PLAIN, 0), BLOCKS, 3), CXL_RC_SUCCESS);
}

static void test_pending_and_dead(DCTest *t)
{
    CXLDCExtent e[3] = {
        extent_of(DPA(PLAIN, 9), 1, 1), extent_of(DPA(PLAIN, 2), 3, 1),
        extent_of(DPA(SHARED, 0), 1, 2),
    };

    assert_rc(fm_add_one(t, 0, DPA(WIPED, 0), 1, 0), CXL_RC_SUCCESS);
    assert_rc(fm_release(t, 0, DPA(WIPED, 0), 1, true, false),
              CXL_RC_SUCCESS);
    assert_rc(fm_add(t, 0, e, 3), CXL_RC_SUCCESS);
    move(t);
    g_assert_cmpuint(nr_pending(t, 0), ==, 4);
    g_assert_cmpuint(extents_left(t, 0), ==, 508);
    assert_rc(host_accept(t, 0, DPA(WIPED, 0), 1), CXL_RC_INVALID_PHYS_ADDR);
    move(t);
    assert_rc(host_accept(t, 0, DPA(PLAIN, 3), 1), CXL_RC_SUCCESS);
    move(t);
    e[0] = added_at(t, 0, 0);
    assert_extent(&e[0], DPA(PLAIN, 3), 1, 1, 0);
    g_assert_cmpuint(cxl_dc_tag_count(t->dc), ==, 1);
}

static bool take_sanitize(void *opaque, const CXLDCRange *range,
                          bool sanitize)
{
    *(unsigned *)opaque = *(unsigned *)opaque * 10 + 1 + sanitize;
    return true;
}

static void test_release_requests(DCTest *t)
{
    unsigned seen = 0;

    give(t, 0, DPA(PLAIN, 0), 6, 3);
    assert_rc(fm_release(t, 0, DPA(PLAIN, 0), 6, false, false),
              CXL_RC_SUCCESS);
    assert_rc(fm_release(t, 0, DPA(PLAIN, 2), 1, false, true),
              CXL_RC_SUCCESS);
    move(t);
    cxl_dc_release_requests(t->dc, 0, take_sanitize, &seen);
    g_assert_cmpuint(seen, ==, 121);
    assert_rc(host_release(t, 0, DPA(PLAIN, 0), 6), CXL_RC_SUCCESS);
    g_assert_cmpuint(t->rec->wiped->len, ==, 1);
}

static void test_shared(DCTest *t)
{
    QemuUUID uuid = tag_nr(TAG);
    CXLDCExtent e[2] = {
        extent_of(DPA(SHARED, 8), 2, TAG), extent_of(DPA(SHARED, 4), 3, TAG),
    };
    uint64_t media, len;

    assert_rc(fm_add(t, 0, e, 2), CXL_RC_SUCCESS);
    host_accept_all(t, 0);
    assert_rc(fm_share(t, 1, SHARED_RO, TAG), CXL_RC_SUCCESS);
    move(t);
    host_accept_all(t, 1);
    move(t);
    g_assert_true(cxl_dc_translate(t->dc, 1, DPA(SHARED_RO, 2), &media, &len));
    g_assert_cmphex(media, ==, DPA(SHARED, 4));
    assert_rc(cxl_dc_add_reference(t->dc, &uuid), CXL_RC_SUCCESS);
    assert_rc(fm_release_tag(t, 0, TAG, 5 * BLOCK, true), CXL_RC_SUCCESS);
    assert_rc(fm_release_tag(t, 1, TAG, 5 * BLOCK, true), CXL_RC_SUCCESS);
    move(t);
    g_assert_cmpuint(extents_left(t, 0), ==, 510);
    assert_rc(fm_share(t, 1, SHARED, TAG), CXL_RC_SUCCESS);
    move(t);
    assert_rc(cxl_dc_remove_reference(t->dc, &uuid), CXL_RC_SUCCESS);
    assert_rc(host_refuse(t, 1), CXL_RC_SUCCESS);
    g_assert_cmpuint(cxl_dc_tag_count(t->dc), ==, 0);
    assert_rc(fm_add_one(t, 0, DPA(SHARED, 0), BLOCKS, 1), CXL_RC_SUCCESS);
    assert_rc(fm_add_one(t, 0, DPA(SHARED_RO, 0), BLOCKS, 2), CXL_RC_SUCCESS);
}

static void test_shared_sanitize_is_kept(DCTest *t)
{
    give(t, 0, DPA(SHARED, 0), 1, TAG);
    assert_rc(fm_share(t, 1, SHARED, TAG), CXL_RC_SUCCESS);
    assert_rc(fm_release(t, 0, DPA(SHARED, 0), 1, true, true),
              CXL_RC_SUCCESS);
    move(t);
    assert_rc(host_refuse(t, 1), CXL_RC_SUCCESS);
    g_assert_cmpuint(t->rec->wiped->len, ==, 1);
}

static void test_chain(DCTest *t)
{
    CXLDCRange r = { DPA(PLAIN, 0), BLOCK }, odd = { UINT64_MAX, 3 };

    give(t, 0, DPA(PLAIN, 0), 4, 0);
    assert_rc(cxl_dc_host_release(t->dc, 0, &r, 1, true), CXL_RC_SUCCESS);
    move(t);
    r.dpa = DPA(PLAIN, 3);
    assert_rc(cxl_dc_host_release(t->dc, 0, &r, 1, false), CXL_RC_SUCCESS);
    g_assert_false(can_access(t, 0, DPA(PLAIN, 0), 1));
    /* Not judged yet, so anything may be in it */
    assert_rc(cxl_dc_host_release(t->dc, 0, &odd, 1, true), CXL_RC_SUCCESS);
    move(t);
    assert_rc(cxl_dc_host_release(t->dc, 0, &odd, 1, false),
              CXL_RC_INVALID_EXTENT_LIST);
}

static void test_region_settings(DCTest *t)
{
    CXLDCExtent e = { .dpa = DPA(PLAIN, 0) + 4 * KiB, .len = 4 * KiB };

    assert_rc(cxl_dc_set_region(t->dc, PLAIN, 4 * KiB, false, NULL),
              CXL_RC_SUCCESS);
    assert_rc(cxl_dc_set_region(t->dc, WIPED, BLOCK, false, NULL),
              CXL_RC_SUCCESS);
    assert_rc(fm_add(t, 0, &e, 1), CXL_RC_SUCCESS);
    move(t);
    g_assert_cmphex(cxl_dc_region(t->dc, PLAIN)->block_size, ==, 4 * KiB);
    g_assert_false(cxl_dc_region(t->dc, WIPED)->sanitize);
    host_accept_all(t, 0);
}

/* -- hostile streams ------------------------------------------------------ */

/* A bit of everything */
static DCTest *with_all(void)
{
    DCTest *t = dc_test_new();
    QemuUUID uuid = tag_nr(TAG + 1);
    CXLDCRange r = { DPA(PLAIN, 0), BLOCK };

    give(t, 0, DPA(PLAIN, 0), 6, 3);
    give(t, 0, DPA(PLAIN, 10), 2, 0);
    assert_rc(host_release(t, 0, DPA(PLAIN, 2), 1), CXL_RC_SUCCESS);
    assert_rc(fm_release(t, 0, DPA(PLAIN, 3), 2, false, true),
              CXL_RC_SUCCESS);
    give(t, 0, DPA(SHARED, 0), 2, TAG);
    give(t, 0, DPA(SHARED, 4), 2, TAG + 1);
    assert_rc(cxl_dc_add_reference(t->dc, &uuid), CXL_RC_SUCCESS);
    assert_rc(fm_release_tag(t, 0, TAG + 1, 2 * BLOCK, true), CXL_RC_SUCCESS);
    assert_rc(fm_share(t, 1, SHARED_RO, TAG), CXL_RC_SUCCESS);
    assert_rc(fm_add_one(t, 1, DPA(WIPED, 5), 3, 4), CXL_RC_SUCCESS);
    assert_rc(fm_release(t, 1, DPA(WIPED, 5), 1, true, false),
              CXL_RC_SUCCESS);
    assert_rc(cxl_dc_host_release(t->dc, 0, &r, 1, true), CXL_RC_SUCCESS);
    return t;
}

/* All there is can be given away, and that is all there is */
static void assert_clean(CXLDynCap *dc)
{
    for (unsigned h = 0; h < 2; h++) {
        g_assert_cmpuint(cxl_dc_extent_count(dc, h), ==, 0);
        g_assert_cmpuint(cxl_dc_generation(dc, h), ==, 0);
    }
    g_assert_cmpuint(cxl_dc_tag_count(dc), ==, 0);
    for (unsigned r = 0; r < NR_REGIONS; r++) {
        CXLDCAddRequest req = {
            .policy = CXL_DC_ADD_CONTIGUOUS, .region = r,
            .len = CXL_DC_GRANULE, .tag = tag_nr(1 + r),
        };

        assert_rc(cxl_dc_add(dc, &req, NULL), CXL_RC_SUCCESS);
    }
}

static void test_every_cut_is_refused(void)
{
    g_autoptr(DCTest) t = with_all();
    g_autoptr(GByteArray) bytes = dc_save(t->dc);

    for (guint n = 0; n < bytes->len; n++) {
        CXLDynCap *dc = cxl_dc_new(&t->config, NULL, NULL, &error_abort);

        g_assert_cmpint(dc_load_bytes(dc, bytes->data, n), !=, 0);
        assert_clean(dc);
        cxl_dc_free(dc);
    }
}

/*
 * Any byte may be anything.  What is taken has to be a state that can be saved,
 * used and left again without a wrong step; what is not leaves nothing.
 */
static void test_every_changed_byte_is_harmless(void)
{
    g_autoptr(DCTest) t = with_all();
    g_autoptr(GByteArray) bytes = dc_save(t->dc);
    unsigned refused = 0, taken = 0;

    for (guint i = 0; i < bytes->len; i++) {
        uint8_t was = bytes->data[i];

        for (unsigned v = 0; v < 256; v++) {
            CXLDynCap *dc;

            if (v == was) {
                continue;
            }
            bytes->data[i] = v;
            dc = cxl_dc_new(&t->config, NULL, NULL, &error_abort);
            if (dc_load_bytes(dc, bytes->data, bytes->len)) {
                refused++;
            } else {
                g_autoptr(GByteArray) again = dc_save(dc);
                CXLDCReleaseRequest all = {
                    .policy = CXL_DC_RELEASE_TAG, .forced = true,
                };

                taken++;
                for (unsigned k = 0; k < 16; k++) {
                    QemuUUID uuid = tag_nr(k);

                    cxl_dc_remove_reference(dc, &uuid);
                    all.tag = uuid;
                    all.len = 2 * BLOCK;
                    cxl_dc_release(dc, &all, NULL);
                }
                for (unsigned h = 0; h < 2; h++) {
                    while (cxl_dc_host_respond(dc, h, NULL, 0, false) ==
                           CXL_RC_SUCCESS) {
                        /* until nothing is pending */
                    }
                    cxl_dc_reset_host(dc, h);
                }
            }
            cxl_dc_free(dc);
        }
        bytes->data[i] = was;
    }
    g_test_message("%u refused, %u taken", refused, taken);
    g_assert_cmpuint(refused, >, taken);
    g_assert_cmpuint(taken, >, 0);
}

static void test_other_make_is_refused(void)
{
    g_autoptr(DCTest) t = with_all();
    g_autoptr(GByteArray) bytes = dc_save(t->dc);
    CXLDCConfig c = t->config;
    CXLDynCap *dc;

    c.nr_regions--;
    dc = cxl_dc_new(&c, NULL, NULL, &error_abort);
    g_assert_cmpint(dc_load_bytes(dc, bytes->data, bytes->len), !=, 0);
    cxl_dc_free(dc);
    c = t->config;
    c.nr_hosts = 1;
    dc = cxl_dc_new(&c, NULL, NULL, &error_abort);
    g_assert_cmpint(dc_load_bytes(dc, bytes->data, bytes->len), !=, 0);
    cxl_dc_free(dc);
    c = t->config;
    c.max_extents = 3;
    dc = cxl_dc_new(&c, NULL, NULL, &error_abort);
    g_assert_cmpint(dc_load_bytes(dc, bytes->data, bytes->len), !=, 0);
    cxl_dc_free(dc);
    c = t->config;
    c.max_tags = 1;
    dc = cxl_dc_new(&c, NULL, NULL, &error_abort);
    g_assert_cmpint(dc_load_bytes(dc, bytes->data, bytes->len), !=, 0);
    cxl_dc_free(dc);
}

static void test_failure_empties_a_used_model(void)
{
    g_autoptr(DCTest) t = with_all();
    g_autoptr(GByteArray) bytes = dc_save(t->dc);

    g_assert_cmpint(dc_load_bytes(t->dc, bytes->data, bytes->len - 1), !=, 0);
    assert_clean(t->dc);
}

static void test_load_replaces_a_used_model(void)
{
    g_autoptr(DCTest) t = with_all(), other = dc_test_new();
    g_autoptr(GByteArray) bytes = dc_save(t->dc), again = NULL;

    give(other, 0, DPA(PLAIN, 50), 20, 9);
    g_assert_cmpint(dc_load_bytes(other->dc, bytes->data, bytes->len), ==, 0);
    again = dc_save(other->dc);
    g_assert_cmpmem(bytes->data, bytes->len, again->data, again->len);
    /* It is still the owner's; the chain in the stream would go on */
    host_refuse(other, 0);
    assert_rc(host_release(other, 0, DPA(PLAIN, 10), 2), CXL_RC_SUCCESS);
    g_assert_cmpuint(other->rec->events->len, ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    module_call_init(MODULE_INIT_QOM);
#define T(f) g_test_add_func("/cxl/dc/vmstate/" #f, test_ ## f)
#define DC(f) dc_test_add("/cxl/dc/vmstate/" #f, test_ ## f)
    DC(empty);
    DC(added);
    DC(pending_and_dead);
    DC(release_requests);
    DC(shared);
    DC(shared_sanitize_is_kept);
    DC(chain);
    DC(region_settings);
    T(every_cut_is_refused);
    T(every_changed_byte_is_harmless);
    T(other_make_is_refused);
    T(failure_empties_a_used_model);
    T(load_replaces_a_used_model);
    return g_test_run();
}
