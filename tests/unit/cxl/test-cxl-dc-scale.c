/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity model: a million extents work and stay cheap in memory.
 * Nothing here looks at a clock.
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "dc-test.h"

#define MILLION     1000000
#define BLOCK_LEN   (64 * KiB)
/* FM commands of a group each */
#define GROUP       1000

static DCTest *large(void)
{
    CXLDCConfig config = {
        .nr_hosts = 1, .nr_regions = 1, .max_extents = MILLION,
        .max_tags = MILLION,
        .region[0] = {
            .base = 0, .decode_len = 512 * CXL_DC_GRANULE,
            .len = 512 * CXL_DC_GRANULE, .block_size = BLOCK_LEN,
            .block_mask = BLOCK_LEN,
        },
    };

    return dc_test_new_with(&config, &dc_recorder_ops);
}

/* Extent @i is every second block, so that holes are as many as extents */
static void fill(DCTest *t, bool scattered)
{
    g_autofree CXLDCExtent *e = g_new0(CXLDCExtent, GROUP);

    for (unsigned g = 0; g < MILLION / GROUP; g++) {
        for (unsigned i = 0; i < GROUP; i++) {
            uint64_t nr = g * GROUP + i;

            if (scattered) {
                nr = nr * 700001 % MILLION;     /* prime to a million */
            }
            e[i].dpa = 2 * nr * BLOCK_LEN;
            e[i].len = BLOCK_LEN;
        }
        assert_rc(fm_add(t, 0, e, GROUP), CXL_RC_SUCCESS);
        host_accept_all(t, 0);
    }
    g_assert_cmpuint(nr_added(t, 0), ==, MILLION);
}

typedef struct Seen {
    uint64_t next;
    unsigned n;
} Seen;

static bool see(void *opaque, const CXLDCExtent *e)
{
    Seen *seen = opaque;

    g_assert_cmphex(e->dpa, ==, seen->next);
    seen->next += 2 * BLOCK_LEN;
    seen->n++;
    return true;
}

static void work(bool scattered)
{
    g_autoptr(DCTest) t = large();
    g_autoptr(GByteArray) bytes = NULL;
    Seen seen = { };
    size_t memory;

    fill(t, scattered);
    memory = cxl_dc_memory(t->dc);
    g_test_message("%zu bytes per extent", memory / MILLION);
    /* Extent and hole together */
    g_assert_cmpuint(memory, <, 150 * (size_t)MILLION);
    cxl_dc_extents(t->dc, 0, 0, see, &seen);
    g_assert_cmpuint(seen.n, ==, MILLION);
    for (unsigned k = 0; k < MILLION; k += 997) {
        g_assert_cmphex(added_at(t, 0, k).dpa, ==, 2ULL * k * BLOCK_LEN);
    }
    assert_rc(fm_add_sized(t, 0, CXL_DC_ADD_FREE, 0, BLOCK_LEN, 0),
              CXL_RC_RESOURCES_EXHAUSTED);

    bytes = dc_save(t->dc);
    g_test_message("%u bytes saved", bytes->len);
    g_assert_cmpuint(bytes->len, <, 8 * MILLION);
    g_assert_cmpint(dc_load_bytes(t->dc, bytes->data, bytes->len), ==, 0);
    g_assert_cmpuint(nr_added(t, 0), ==, MILLION);

    for (unsigned i = 0; i < MILLION; i++) {
        uint64_t nr = (uint64_t)i * 300007 % MILLION;
        CXLDCRange r = { 2 * nr * BLOCK_LEN, BLOCK_LEN };

        dc_recorder_clear(t->rec);
        assert_rc(cxl_dc_host_release(t->dc, 0, &r, 1, false),
                  CXL_RC_SUCCESS);
    }
    g_assert_cmpuint(nr_added(t, 0), ==, 0);
    g_assert_cmpuint(cxl_dc_memory(t->dc), <, 64 * KiB);
    assert_rc(fm_add_sized(t, 0, CXL_DC_ADD_CONTIGUOUS, 0,
                           512 * CXL_DC_GRANULE, 0), CXL_RC_SUCCESS);
}

static void test_ascending(void)
{
    work(false);
}

static void test_scattered(void)
{
    work(true);
}

static void test_one_group(void)
{
    g_autoptr(DCTest) t = large();
    g_autofree CXLDCExtent *e = g_new0(CXLDCExtent, MILLION);
    CXLDCReleaseRequest req = {
        .policy = CXL_DC_RELEASE_TAG, .forced = true, .tag = tag_nr(1),
        .len = (uint64_t)MILLION * BLOCK_LEN,
    };

    for (unsigned i = 0; i < MILLION; i++) {
        e[i].dpa = 2ULL * i * BLOCK_LEN;
        e[i].len = BLOCK_LEN;
        e[i].tag = tag_nr(1);
    }
    assert_rc(fm_add(t, 0, e, MILLION), CXL_RC_SUCCESS);
    host_accept_all(t, 0);
    g_assert_cmpuint(nr_added(t, 0), ==, MILLION);
    g_assert_cmpuint(cxl_dc_memory(t->dc), <, 150 * (size_t)MILLION);
    assert_rc(cxl_dc_release(t->dc, &req, NULL), CXL_RC_SUCCESS);
    g_assert_cmpuint(nr_added(t, 0), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    module_call_init(MODULE_INIT_QOM);
    g_test_add_func("/cxl/dc/scale/million-ascending", test_ascending);
    g_test_add_func("/cxl/dc/scale/million-scattered", test_scattered);
    g_test_add_func("/cxl/dc/scale/million-in-one-group", test_one_group);
    return g_test_run();
}
