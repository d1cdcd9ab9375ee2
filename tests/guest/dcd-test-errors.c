/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity tests: what the FM may not do; nothing changes by it
 */
#include "dcd-bench.h"
#include "tap.h"

/* A raw request of @n bytes, all zero */
static int run_zeros(struct cxl_conn *conn, uint16_t opcode, size_t n)
{
    struct cxl_req req;
    struct cxl_rsp rsp;

    req_start(&req, opcode);
    req_zeros(&req, n);
    return cxl_run(conn, &req, &rsp);
}

static void bad_lengths(struct dcd_bench *b)
{
    static const struct {
        uint16_t opcode;
        uint8_t right;
    } row[] = {
        { 0x5600, 0 }, { 0x5601, 4 }, { 0x5602, 16 }, { 0x5603, 12 },
        { 0x5604, 32 }, { 0x5605, 32 }, { 0x5606, 16 }, { 0x5607, 16 },
        { 0x5608, 8 },
    };

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        tap_rc(run_zeros(b->fm, row[i].opcode, row[i].right + 1),
               CXL_RC_PAYLOAD_LENGTH, "%04x with a byte too much",
               row[i].opcode);
    }
    tap_rc(run_zeros(b->fm, 0x5604, 27), CXL_RC_PAYLOAD_LENGTH,
           "5604 without the end of its tag");
    tap_rc(run_zeros(b->fm, 0x5609, 0), CXL_RC_UNSUPPORTED,
           "5609 does not exist");
}

static void bad_hosts(struct dcd_bench *b)
{
    struct cxl_extent ext = bench_extent(b, 0, 0, b->step, 40);
    struct fm_order order = {
        .host = 1, .policy = FM_ADD_PRESCRIPTIVE, .ext = &ext, .n = 1,
    };
    static struct cxl_extent_page page;
    struct fm_regions regions;

    tap_rc(fm_get_regions(b->fm, 1, 8, 0, &regions), CXL_RC_INVALID_INPUT,
           "5601 of host 1");
    tap_rc(fm_get_extents(b->fm, 0xffff, 8, 0, &page), CXL_RC_INVALID_INPUT,
           "5603 of host 65535");
    tap_rc(fm_add(b->fm, &order), CXL_RC_INVALID_INPUT, "5604 for host 1");
    order.policy = FM_RELEASE_PRESCRIPTIVE;
    tap_rc(fm_release(b->fm, &order), CXL_RC_INVALID_INPUT,
           "5605 for host 1");
}

static void bad_adds(struct dcd_bench *b)
{
    uint64_t len = b->regions.region[0].len;
    const struct {
        const char *name;
        int rc;
        uint64_t offset, len;
    } row[] = {
        { "no length", CXL_RC_EXTENT_LIST, 0, 0 },
        { "an odd length", CXL_RC_EXTENT_LIST, 0, b->step + 64 },
        { "an odd address", CXL_RC_EXTENT_LIST, 64, b->step },
        { "an end behind the region", CXL_RC_EXTENT_LIST, len - b->step,
          2 * b->step },
        { "an end before its start", CXL_RC_EXTENT_LIST, b->step,
          -b->step },
        { "a place below all regions", CXL_RC_EXTENT_LIST, -b->step,
          b->step },
    };
    struct cxl_extent ext[2];
    struct fm_order order = {
        .policy = FM_ADD_PRESCRIPTIVE, .ext = ext, .n = 1,
    };

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        ext[0] = bench_extent(b, 0, row[i].offset, row[i].len, 41);
        tap_rc(fm_add(b->fm, &order), row[i].rc, "5604 with %s", row[i].name);
    }
    ext[0] = bench_extent(b, 0, 0, 2 * b->step, 41);
    ext[1] = bench_extent(b, 0, b->step, b->step, 42);
    order.n = 2;
    tap_rc(fm_add(b->fm, &order), CXL_RC_EXTENT_LIST,
           "5604 with overlapping extents");
    order.n = 0;
    tap_rc(fm_add(b->fm, &order), CXL_RC_EXTENT_LIST, "5604 without extents");
    order.policy = 4;
    tap_rc(fm_add(b->fm, &order), CXL_RC_INVALID_INPUT,
           "5604 with an unknown policy");
    order = (struct fm_order) {
        .policy = FM_ADD_CONTIGUOUS, .region = 0, .tag = bench_tag(43),
        .len = len + b->step,
    };
    tap_rc(fm_add(b->fm, &order), CXL_RC_RESOURCES,
           "5604 for more than the region has");
    order.len = b->step + 64;
    tap_rc(fm_add(b->fm, &order), CXL_RC_INVALID_INPUT,
           "5604 for a part of a block");
    order.len = b->step;
    order.region = b->regions.n;
    tap_rc(fm_add(b->fm, &order), CXL_RC_INVALID_INPUT,
           "5604 in a region that does not exist");
    order.policy = FM_ADD_SHARED;
    order.region = 0;
    tap_rc(fm_add(b->fm, &order), CXL_RC_INVALID_INPUT,
           "5604 sharing an unknown tag");
}

static void bad_releases(struct dcd_bench *b)
{
    struct cxl_extent ext = bench_extent(b, 0, 0, b->step, 0);
    struct fm_order order = {
        .policy = FM_RELEASE_TAG, .tag = bench_tag(44), .len = b->step,
    };

    tap_rc(fm_release(b->fm, &order), CXL_RC_INVALID_INPUT,
           "5605 of an unknown tag");
    order.policy = 2;
    tap_rc(fm_release(b->fm, &order), CXL_RC_INVALID_INPUT,
           "5605 with an unknown policy");
    order.policy = FM_RELEASE_PRESCRIPTIVE;
    tap_rc(fm_release(b->fm, &order), CXL_RC_EXTENT_LIST,
           "5605 without extents");
    order.ext = &ext;
    order.n = 1;
    tap_rc(fm_release(b->fm, &order), CXL_RC_INVALID_PA,
           "5605 of free capacity");
}

static void bad_settings(struct dcd_bench *b)
{
    const struct fm_region *r = &b->regions.region[0];
    struct cxl_extent ext = bench_extent(b, 0, 0, b->step, 45);
    struct fm_order order = {
        .policy = FM_ADD_PRESCRIPTIVE, .ext = &ext, .n = 1,
    };

    tap_rc(fm_set_region(b->fm, b->regions.n, r->block, r->sanitize),
           CXL_RC_INVALID_INPUT, "5602 of a region that does not exist");
    tap_rc(fm_set_region(b->fm, 200, r->block, r->sanitize),
           CXL_RC_INVALID_INPUT, "5602 of region 200");
    tap_rc(fm_set_region(b->fm, 0, 0, r->sanitize), CXL_RC_INVALID_INPUT,
           "5602 with block size 0");
    tap_rc(fm_set_region(b->fm, 0, r->block * 3, r->sanitize),
           CXL_RC_INVALID_INPUT, "5602 with three bits in the block size");
    tap_rc(fm_add(b->fm, &order), 0, "a region comes into use");
    bench_host(b, HOST_ACCEPT_ALL);
    tap_rc(fm_set_region(b->fm, 0, r->block, r->sanitize), CXL_RC_UNSUPPORTED,
           "5602 of a region in use");
    order.policy = FM_RELEASE_PRESCRIPTIVE | FM_RELEASE_FORCED;
    tap_rc(fm_release(b->fm, &order), 0, "the region is free again");
    bench_host(b, HOST_SILENT);
    bench_expect(b, "after a setting was refused", NULL, 0, true);
    bench_expect_fm_records(b, "after a setting was refused",
                            CXL_EV_ADD_RESPONSE, 1);
}

void dcd_test_errors(struct dcd_bench *b)
{
    static struct fm_tags tags;

    bad_lengths(b);
    bad_hosts(b);
    bad_adds(b);
    bad_releases(b);
    bench_expect(b, "after refused commands", NULL, 0, false);
    bad_settings(b);
    tap_check(!fm_list_tags(b->fm, 0, 0, &tags) && tags.total == 0,
              "5608: no tag is left");
}
