/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity tests: sharable regions, references of the FM, 5606h and
 * 5607h (CXL r3.2 9.13.3.2, 7.6.7.6.7, 7.6.7.6.8)
 */
#include "dcd-bench.h"
#include "region.h"
#include "tap.h"

#define STRIDE (64ul << 10)

static bool has_tag(struct dcd_bench *b, const uint8_t *tag, bool *referenced,
                    bool *accepted)
{
    static struct fm_tags tags;

    if (fm_list_tags(b->fm, 0, FM_TAGS_MAX, &tags)) {
        return false;
    }
    for (uint32_t i = 0; i < tags.n; i++) {
        if (!memcmp(tags.entry[i].tag, tag, 16)) {
            *referenced = tags.entry[i].referenced;
            *accepted = tags.entry[i].accepted[0] & 1;
            return true;
        }
    }
    return false;
}

/* Capacity that the FM refers to outlives the host's use of it */
static void reference(struct dcd_bench *b, unsigned region)
{
    struct cxl_extent ext = bench_extent(b, region, 0, b->step, 20);
    const uint8_t *tag = bench_tag(20);
    struct fm_order add = {
        .policy = FM_ADD_CONTIGUOUS, .region = region, .len = b->step,
        .tag = tag,
    };
    struct fm_order again = {
        .policy = FM_ADD_SHARED, .region = region, .tag = tag,
    };
    struct fm_order back = {
        .policy = FM_RELEASE_TAG, .len = b->step, .tag = tag,
    };
    bool referenced = false, accepted = false;
    dev8_t *mem;

    tap_rc(fm_add(b->fm, &add), 0, "shared: capacity under a tag is offered");
    bench_host(b, HOST_ACCEPT_ALL);
    tap_check(b->nr_rec == 1, "shared: one extent");
    ext.dpa = b->rec[0].extent.dpa;
    bench_expect(b, "shared", &ext, 1, true);
    bench_expect_fm_records(b, "shared", CXL_EV_ADD_RESPONSE, 1);
    mem = bench_mem(b, ext.dpa);
    if (mem) {
        memtest_fill(mem, ext.len, STRIDE, 9);
    }
    tap_rc(fm_add_reference(b->fm, tag), 0, "5606: the FM refers to the tag");
    tap_rc(fm_add_reference(b->fm, tag), 0, "5606 again is no error");
    tap_check(has_tag(b, tag, &referenced, &accepted) && referenced &&
              accepted, "5608 shows the reference and the host");

    tap_rc(fm_release(b->fm, &back), 0, "shared: asked back by tag");
    bench_host(b, HOST_ACCEPT_ALL);
    tap_rc(b->agent.last_rc, 0, "shared: the host gives it back");
    bench_expect(b, "referenced only", NULL, 0, true);
    bench_expect_fm_records(b, "referenced only", CXL_EV_RELEASED, 1);
    tap_check(has_tag(b, tag, &referenced, &accepted) && referenced &&
              !accepted, "5608: the tag lives on without a host");
    tap_rc(fm_add(b->fm, &again), 0, "5604 policy 3 offers it once more");
    bench_host(b, HOST_ACCEPT_ALL);
    bench_expect(b, "shared again", &ext, 1, true);
    bench_expect_fm_records(b, "shared again", CXL_EV_ADD_RESPONSE, 1);
    if (mem) {
        tap_check(!memtest_check(mem, ext.len, STRIDE, 9),
                  "shared: the contents are still there");
    }
    tap_rc(fm_remove_reference(b->fm, tag), 0, "5607: the FM lets go");
    tap_check(has_tag(b, tag, &referenced, &accepted) && !referenced &&
              accepted, "5608: the host's use remains");
    back.policy |= FM_RELEASE_FORCED;
    tap_rc(fm_release(b->fm, &back), 0, "shared: removed by force");
    bench_host(b, HOST_SILENT);
    bench_expect(b, "gone", NULL, 0, true);
    tap_check(!has_tag(b, tag, &referenced, &accepted),
              "5608: the tag is gone with its last user");
    bench_forget(b);
}

void dcd_test_share(struct dcd_bench *b)
{
    unsigned region;

    bench_forget(b);
    tap_rc(fm_add_reference(b->fm, bench_tag(30)), CXL_RC_INVALID_INPUT,
           "5606 of an unknown tag");
    tap_rc(fm_remove_reference(b->fm, bench_tag(30)), CXL_RC_INVALID_INPUT,
           "5607 of an unknown tag");
    for (region = 0; region < b->regions.n; region++) {
        if (b->regions.region[region].attributes & FM_REGION_SHARABLE) {
            reference(b, region);
            return;
        }
    }
    tap_skip("references", "no region is sharable");
}
