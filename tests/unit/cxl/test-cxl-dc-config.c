/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity model: configuration rules, counters and region settings
 * (CXL r3.2 8.2.10.9.9.1, 7.6.7.6.1 to 7.6.7.6.3).
 */
#include "qemu/osdep.h"
#include "dc-test.h"

static void refused(const CXLDCConfig *config, const char *why)
{
    Error *err = NULL;
    CXLDynCap *dc = cxl_dc_new(config, NULL, NULL, &err);

    g_assert_null(dc);
    g_assert_nonnull(err);
    g_assert_nonnull(strstr(error_get_pretty(err), why));
    error_free(err);
}

static void test_hosts(void)
{
    CXLDCConfig c = dc_test_config();

    c.nr_hosts = 0;
    refused(&c, "0 hosts");
    c.nr_hosts = 257;
    refused(&c, "257 hosts");
}

static void test_regions(void)
{
    CXLDCConfig c = dc_test_config();

    c.nr_regions = 0;
    refused(&c, "0 DC regions");
    c.nr_regions = 9;
    refused(&c, "9 DC regions");
    c.nr_regions = 64;
    refused(&c, "64 DC regions");
}

static void test_no_extents(void)
{
    CXLDCConfig c = dc_test_config();

    c.max_extents = 0;
    refused(&c, "0 extents");
}

static void test_decode_length(void)
{
    CXLDCConfig c = dc_test_config();

    c.region[1].decode_len = 0;
    refused(&c, "DC region 1: decode length 0x0");
    c.region[1].decode_len = CXL_DC_GRANULE + BLOCK;
    refused(&c, "DC region 1: decode length 0x10200000");
    c.region[3].decode_len = c.region[1].decode_len = CXL_DC_GRANULE;
    c.region[3].base = -CXL_DC_GRANULE;
    refused(&c, "DC region 3: decode length");
}

static void test_base(void)
{
    CXLDCConfig c = dc_test_config();

    c.region[0].base += BLOCK;
    refused(&c, "DC region 0: base");
    c = dc_test_config();
    c.region[2].base = c.region[1].base;
    refused(&c, "below the end of region 1");
}

static void test_length(void)
{
    CXLDCConfig c = dc_test_config();

    c.region[0].len = 0;
    refused(&c, "DC region 0: length 0x0");
    c.region[0].len = c.region[0].decode_len + BLOCK;
    refused(&c, "DC region 0: length");
    c.region[0].len = BLOCK + 4 * KiB;
    refused(&c, "is not a multiple of block size 0x200000");
}

static void test_block_size(void)
{
    CXLDCConfig c = dc_test_config();

    c.region[0].block_size = 0;
    refused(&c, "block size 0x0");
    c.region[0].block_size = 3 * MiB;
    refused(&c, "block size 0x300000");
    c.region[0].block_size = MiB;
    refused(&c, "not in the block size mask");
    c.region[0].block_mask = 0;
    refused(&c, "block size mask 0x0");
    c.region[0].block_size = c.region[0].block_mask = 32;
    refused(&c, "block size mask 0x20");
    c.region[0].block_size = c.region[0].block_mask = 1ULL << 52;
    refused(&c, "block size mask");
}

static void test_gap_and_short_region(void)
{
    CXLDCConfig c = dc_test_config();
    DCTest *t;

    c.nr_regions = 2;
    c.region[0].len = 4 * BLOCK;
    c.region[1].base += 4 * CXL_DC_GRANULE;
    t = dc_test_new_with(&c, &dc_recorder_ops);
    g_assert_cmpuint(cxl_dc_total_capacity(t->dc), ==,
                     4 * BLOCK + CXL_DC_GRANULE);
    g_assert_cmpint(cxl_dc_region_of(t->dc, DPA(0, 3), BLOCK), ==, 0);
    g_assert_cmpint(cxl_dc_region_of(t->dc, DPA(0, 3), 2 * BLOCK), ==, -1);
    g_assert_cmpint(cxl_dc_region_of(t->dc, DPA(0, 4), BLOCK), ==, -1);
    g_assert_cmpint(cxl_dc_region_of(t->dc, DPA(5, 0), BLOCK), ==, 1);
    /* The rest of the decoded span cannot be given away */
    assert_rc(fm_add_one(t, 0, DPA(0, 4), 1, 0), CXL_RC_INVALID_EXTENT_LIST);
    assert_rc(fm_add_sized(t, 0, CXL_DC_ADD_FREE, 0, 5 * BLOCK, 0),
              CXL_RC_RESOURCES_EXHAUSTED);
    dc_test_free(t);
}

static void test_region_of(DCTest *t)
{
    g_assert_cmpint(cxl_dc_region_of(t->dc, DPA(1, 0), 1), ==, 1);
    g_assert_cmpint(cxl_dc_region_of(t->dc, DPA(1, 0), 0), ==, -1);
    g_assert_cmpint(cxl_dc_region_of(t->dc, 0, 1), ==, -1);
    g_assert_cmpint(cxl_dc_region_of(t->dc, DPA(0, BLOCKS - 1), 2 * BLOCK),
                    ==, -1);
    g_assert_cmpint(cxl_dc_region_of(t->dc, DPA(3, 1), UINT64_MAX), ==, -1);
    g_assert_null(cxl_dc_region(t->dc, NR_REGIONS));
    g_assert_cmpuint(cxl_dc_region(t->dc, 2)->dsmad_handle, ==, 2);
}

static void test_policies(DCTest *t)
{
    /* Bit masks; the bit of "enable shared access" must be 0 */
    g_assert_cmphex(cxl_dc_add_policies(t->dc), ==, 7);
    g_assert_cmphex(cxl_dc_release_policies(t->dc), ==, 3);
}

static void test_idle_model_is_small(void)
{
    CXLDCConfig c = dc_test_config();
    DCTest *t;

    c.nr_hosts = 1;
    c.nr_regions = 4;
    c.max_extents = CXL_DC_DEFAULT_EXTENTS;
    c.max_tags = CXL_DC_DEFAULT_TAGS;
    t = dc_test_new_with(&c, &dc_recorder_ops);
    g_assert_cmpuint(cxl_dc_memory(t->dc), <, 64 * KiB);
    dc_test_free(t);
}

static void test_unknown_host_is_empty(DCTest *t)
{
    g_assert_cmpuint(nr_added(t, 2), ==, 0);
    g_assert_cmpuint(cxl_dc_generation(t->dc, 2), ==, 0);
    g_assert_false(can_access(t, 2, DPA(0, 0), 1));
    g_assert_cmpuint(nr_pending(t, 2), ==, 0);
}

/* -- Set DC Region Configuration ------------------------------------------ */

static CXLRetCode set(DCTest *t, unsigned region, uint64_t block, bool wipe)
{
    Error *err = NULL;
    CXLRetCode rc;

    dc_recorder_clear(t->rec);
    rc = cxl_dc_set_region(t->dc, region, block, wipe, &err);
    g_assert_true(!!err == (rc != CXL_RC_SUCCESS));
    error_free(err);
    return rc;
}

static void test_set_tells_all_hosts(DCTest *t)
{
    assert_rc(set(t, PLAIN, 4 * KiB, false), CXL_RC_SUCCESS);
    g_assert_cmphex(cxl_dc_region(t->dc, PLAIN)->block_size, ==, 4 * KiB);
    g_assert_cmpuint(t->rec->events->len, ==, 2);
    for (unsigned h = 0; h < 2; h++) {
        const CXLDCEvent *e = dc_event(t->rec, h);

        g_assert_cmpint(e->type, ==, CXL_DC_EV_REGION_UPDATED);
        g_assert_cmpuint(e->host, ==, h);
        g_assert_cmpuint(e->region, ==, PLAIN);
        g_assert_false(e->more);
        g_assert_cmphex(e->extent.len, ==, 0);
        g_assert_cmpuint(e->avail_extents, ==, 512);
        g_assert_cmpuint(e->avail_tags, ==, 64);
    }
}

static void test_set_same_tells_too(DCTest *t)
{
    assert_rc(set(t, SHARED, BLOCK, false), CXL_RC_SUCCESS);
    g_assert_cmpuint(t->rec->events->len, ==, 2);
}

static void test_set_smaller_blocks_are_usable(DCTest *t)
{
    CXLDCRange r = { DPA(PLAIN, 1) + 4 * KiB, 4 * KiB };
    CXLDCExtent e = { .dpa = r.dpa, .len = r.len };

    assert_rc(fm_add(t, 0, &e, 1), CXL_RC_INVALID_EXTENT_LIST);
    assert_rc(set(t, PLAIN, 4 * KiB, false), CXL_RC_SUCCESS);
    assert_rc(fm_add(t, 0, &e, 1), CXL_RC_SUCCESS);
    assert_rc(cxl_dc_host_respond(t->dc, 0, &r, 1, false), CXL_RC_SUCCESS);
    g_assert_cmpint(cxl_dc_access(t->dc, 0, r.dpa + r.len - 8, 8), ==,
                    CXL_DC_ACCESS_OK);
    g_assert_cmpint(cxl_dc_access(t->dc, 0, r.dpa + r.len - 4, 8), ==,
                    CXL_DC_ACCESS_NONE);
}

static void test_set_unknown_region(DCTest *t)
{
    assert_rc(set(t, NR_REGIONS, BLOCK, false), CXL_RC_INVALID_INPUT);
    assert_rc(set(t, 200, BLOCK, false), CXL_RC_INVALID_INPUT);
}

static void test_set_bad_block_size(DCTest *t)
{
    assert_rc(set(t, PLAIN, 0, false), CXL_RC_INVALID_INPUT);
    assert_rc(set(t, PLAIN, 3 * MiB, false), CXL_RC_INVALID_INPUT);
    assert_rc(set(t, PLAIN, MiB, false), CXL_RC_INVALID_INPUT);
    assert_rc(set(t, PLAIN, BLOCK | 4 * KiB, false), CXL_RC_INVALID_INPUT);
    g_assert_cmphex(cxl_dc_region(t->dc, PLAIN)->block_size, ==, BLOCK);
    g_assert_cmpuint(t->rec->events->len, ==, 0);
}

static void test_set_busy_region(DCTest *t)
{
    assert_rc(fm_add_one(t, 1, DPA(PLAIN, 7), 1, 0), CXL_RC_SUCCESS);
    assert_rc(set(t, PLAIN, 4 * KiB, false), CXL_RC_UNSUPPORTED);
    host_accept_all(t, 1);
    assert_rc(set(t, PLAIN, 4 * KiB, false), CXL_RC_UNSUPPORTED);
    assert_rc(host_release(t, 1, DPA(PLAIN, 7), 1), CXL_RC_SUCCESS);
    assert_rc(set(t, PLAIN, 4 * KiB, false), CXL_RC_SUCCESS);
}

static void test_set_referenced_region(DCTest *t)
{
    QemuUUID tag = tag_nr(1);

    give(t, 0, DPA(SHARED, 0), 1, 1);
    assert_rc(cxl_dc_add_reference(t->dc, &tag), CXL_RC_SUCCESS);
    assert_rc(host_release(t, 0, DPA(SHARED, 0), 1), CXL_RC_SUCCESS);
    assert_rc(set(t, SHARED, BLOCK, false), CXL_RC_UNSUPPORTED);
}

static void test_set_sanitize(DCTest *t)
{
    assert_rc(set(t, PLAIN, BLOCK, true), CXL_RC_UNSUPPORTED);
    g_assert_false(cxl_dc_region(t->dc, PLAIN)->sanitize);
    assert_rc(set(t, WIPED, BLOCK, false), CXL_RC_SUCCESS);
    g_assert_false(cxl_dc_region(t->dc, WIPED)->sanitize);
    /* It is what counts from now on */
    give(t, 0, DPA(WIPED, 0), 1, 0);
    assert_rc(host_release(t, 0, DPA(WIPED, 0), 1), CXL_RC_SUCCESS);
    g_assert_cmpuint(t->rec->wiped->len, ==, 0);
}

static void test_set_needs_log_room(DCTest *t)
{
    t->rec->room[1] = 0;
    assert_rc(set(t, PLAIN, 4 * KiB, false), CXL_RC_RETRY_REQUIRED);
    g_assert_cmphex(cxl_dc_region(t->dc, PLAIN)->block_size, ==, BLOCK);
    g_assert_cmpuint(t->rec->events->len, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) g_test_add_func("/cxl/dc-config/" #f, test_ ## f)
#define DC(f) dc_test_add("/cxl/dc-config/" #f, test_ ## f)
    T(hosts);
    T(regions);
    T(no_extents);
    T(decode_length);
    T(base);
    T(length);
    T(block_size);
    T(gap_and_short_region);
    DC(region_of);
    DC(policies);
    T(idle_model_is_small);
    DC(unknown_host_is_empty);
    DC(set_tells_all_hosts);
    DC(set_same_tells_too);
    DC(set_smaller_blocks_are_usable);
    DC(set_unknown_region);
    DC(set_bad_block_size);
    DC(set_busy_region);
    DC(set_referenced_region);
    DC(set_sanitize);
    DC(set_needs_log_room);
    return g_test_run();
}
