/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a host may touch, and where it is, where a map of blocks tells and where
 * the region has too many blocks for a map (CXL r3.2 9.13.3).
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "dc-test.h"
#include "../../../hw/cxl/dcd/dc-internal.h"

/* The smallest blocks that a map of this region is small enough for */
#define LEN         (16 * CXL_DC_GRANULE)
#define MAPPED      (LEN / (8 * DC_MAP_MAX_BYTES))
#define UNMAPPED    (MAPPED / 2)
/* All happens here, so that ranges meet; over words of both maps */
#define SPAN        (300 * MAPPED)
#define STEPS       20000

/* Two regions without a gap; the second one cannot be written */
static DCTest *model(uint64_t block)
{
    CXLDCConfig config = {
        .nr_hosts = 1, .nr_regions = 2, .max_extents = 400, .max_tags = 400,
    };

    for (unsigned r = 0; r < 2; r++) {
        config.region[r] = (CXLDCRegion) {
            .base = r * LEN, .decode_len = LEN, .len = LEN,
            .block_size = block, .block_mask = block, .read_only = r,
        };
    }
    return dc_test_new_with(&config, &dc_recorder_ops);
}

static bool has_map(DCTest *t, unsigned region)
{
    return t->dc->host[0].map[region].bit;
}

/* Around the border of the two regions */
static uint64_t any_dpa(void)
{
    return LEN - SPAN / 2 +
           (uint64_t)g_test_rand_int_range(0, SPAN / MAPPED) * MAPPED;
}

static uint64_t any_len(uint64_t dpa)
{
    uint64_t most = dpa < LEN ? LEN - dpa : LEN + SPAN / 2 - dpa;
    unsigned blocks = MIN(most / MAPPED, g_test_rand_bit() ? 2 : 90);

    return (uint64_t)g_test_rand_int_range(1, blocks + 1) * MAPPED;
}

/* Both models get the same and answer the same */
static void step(DCTest **t)
{
    int dice = g_test_rand_int_range(0, 100);
    CXLDCExtent e = { .dpa = any_dpa() };
    CXLDCRange r = { e.dpa, e.len = any_len(e.dpa) };
    CXLDCReleaseRequest back = {
        .policy = CXL_DC_RELEASE_PRESCRIPTIVE, .extents = &e, .nr_extents = 1,
        .forced = true,
    };
    CXLRetCode rc[2];

    for (unsigned i = 0; i < 2; i++) {
        if (dice < 45) {
            rc[i] = fm_add(t[i], 0, &e, 1);
            if (rc[i] == CXL_RC_SUCCESS) {
                host_accept_all(t[i], 0);
            }
        } else if (dice < 85) {
            rc[i] = cxl_dc_host_release(t[i]->dc, 0, &r, 1, false);
        } else if (dice < 97) {
            rc[i] = cxl_dc_release(t[i]->dc, &back, NULL);
        } else if (dice < 98) {
            g_autoptr(GByteArray) bytes = dc_save(t[i]->dc);

            rc[i] = dc_load_bytes(t[i]->dc, bytes->data, bytes->len);
        } else {
            cxl_dc_reset_host(t[i]->dc, 0);
            rc[i] = CXL_RC_SUCCESS;
        }
    }
    g_assert_cmphex(rc[0], ==, rc[1]);
}

static void same_answers(DCTest **t)
{
    uint64_t dpa = any_dpa() + g_test_rand_int_range(0, MAPPED);
    uint64_t len = 1 + g_test_rand_int_range(0, g_test_rand_bit() ? 64 :
                                                100 * MAPPED);
    uint64_t media[2] = { }, row[2] = { };
    CXLDCAccess may[2];
    bool there[2];

    for (unsigned i = 0; i < 2; i++) {
        may[i] = cxl_dc_access(t[i]->dc, 0, dpa, len);
        there[i] = cxl_dc_translate(t[i]->dc, 0, dpa, &media[i], &row[i]);
    }
    g_assert_cmpint(may[0], ==, may[1]);
    g_assert_cmpint(there[0], ==, there[1]);
    if (there[0]) {
        g_assert_cmphex(media[0], ==, dpa);
        g_assert_cmphex(media[1], ==, dpa);
        /* The map may tell of several extents, but of no more than are there */
        g_assert_cmpint(cxl_dc_access(t[1]->dc, 0, dpa, row[0]), !=,
                        CXL_DC_ACCESS_NONE);
        g_assert_cmpuint(row[0], >=, MAPPED - dpa % MAPPED);
    }
}

static void test_map_or_not(void)
{
    DCTest *t[2] = { model(MAPPED), model(UNMAPPED) };
    unsigned seen[2] = { };

    for (unsigned i = 0; i < STEPS; i++) {
        step(t);
        for (unsigned k = 0; k < 10; k++) {
            same_answers(t);
        }
        for (unsigned r = 0; r < 2; r++) {
            g_assert_false(has_map(t[1], r));
            g_assert_true(has_map(t[0], r) ==
                          !!t[0]->dc->host[0].map[r].blocks);
            seen[r] += has_map(t[0], r);
        }
    }
    g_assert_cmpuint(seen[0], >, STEPS / 2);
    g_assert_cmpuint(seen[1], >, STEPS / 2);
    dc_test_free(t[0]);
    dc_test_free(t[1]);
}

/* A device whose hosts hold nothing is as small as a new one */
static void test_map_goes(void)
{
    g_autoptr(DCTest) t = model(MAPPED);
    CXLDCExtent e = { .dpa = LEN, .len = MAPPED };
    CXLDCRange r = { e.dpa, e.len };
    size_t idle = cxl_dc_memory(t->dc);

    g_assert_cmpuint(idle, <, 8 * KiB);
    assert_rc(fm_add(t, 0, &e, 1), CXL_RC_SUCCESS);
    g_assert_false(has_map(t, 1));
    host_accept_all(t, 0);
    g_assert_true(has_map(t, 1));
    g_assert_false(has_map(t, 0));
    g_assert_cmpuint(cxl_dc_memory(t->dc), >, DC_MAP_MAX_BYTES);
    assert_rc(cxl_dc_host_release(t->dc, 0, &r, 1, false), CXL_RC_SUCCESS);
    g_assert_false(has_map(t, 1));
    g_assert_cmpuint(cxl_dc_memory(t->dc), ==, idle);
}

/* Blocks of another size take the map of their size */
static void test_block_size_changes(void)
{
    g_autoptr(DCTest) t = dc_test_new();
    const CXLDCRegion *r = cxl_dc_region(t->dc, PLAIN);
    CXLDCRange range = { DPA(PLAIN, 3), BLOCK };
    uint64_t media, row;

    give(t, 0, range.dpa, 1, 0);
    g_assert_true(can_access(t, 0, range.dpa, 1));
    g_assert_true(cxl_dc_translate(t->dc, 0, range.dpa + 64, &media, &row));
    g_assert_cmpuint(row, ==, BLOCK - 64);
    assert_rc(cxl_dc_host_release(t->dc, 0, &range, 1, false),
              CXL_RC_SUCCESS);
    assert_rc(cxl_dc_set_region(t->dc, PLAIN, 4 * KiB, false, NULL),
              CXL_RC_SUCCESS);
    g_assert_cmpuint(r->block_size, ==, 4 * KiB);
    g_assert_false(can_access(t, 0, range.dpa, 1));
    give(t, 0, range.dpa, 1, 0);
    range.len = 4 * KiB;
    range.dpa += 8 * KiB;
    assert_rc(cxl_dc_host_release(t->dc, 0, &range, 1, false),
              CXL_RC_SUCCESS);
    g_assert_true(cxl_dc_translate(t->dc, 0, range.dpa - 64, &media, &row));
    g_assert_cmpuint(row, ==, 64);
    g_assert_false(cxl_dc_translate(t->dc, 0, range.dpa, &media, &row));
    g_assert_true(cxl_dc_translate(t->dc, 0, range.dpa + 4 * KiB, &media,
                                   &row));
    g_assert_cmpint(cxl_dc_access(t->dc, 0, DPA(PLAIN, 4) - 1, 1), ==,
                    CXL_DC_ACCESS_OK);
    g_assert_cmpint(cxl_dc_access(t->dc, 0, DPA(PLAIN, 4) - 1, 2), ==,
                    CXL_DC_ACCESS_NONE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    module_call_init(MODULE_INIT_QOM);
#define T(f) g_test_add_func("/cxl/dc/access/" #f, test_ ## f)
    T(map_or_not);
    T(map_goes);
    T(block_size_changes);
    return g_test_run();
}
