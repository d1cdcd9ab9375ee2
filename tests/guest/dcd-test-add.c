/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity tests: 5604h by each policy and every answer of the host
 * (CXL r3.2 7.6.7.6.5)
 */
#include "dcd-bench.h"
#include "tap.h"

/* Releases what is left of a test, by force, and lets the host see it */
static void tidy(struct dcd_bench *b, const struct cxl_extent *ext, unsigned n)
{
    struct fm_order order = {
        .policy = FM_RELEASE_PRESCRIPTIVE | FM_RELEASE_FORCED,
        .ext = ext, .n = n,
    };

    tap_rc(fm_release(b->fm, &order), 0, "tidy up");
    bench_host(b, HOST_SILENT);
    bench_forget(b);
    bench_expect(b, "tidy", NULL, 0, true);
}

/* Free and contiguous: the device chooses, the record tells where */
static void add_by_length(struct dcd_bench *b, unsigned policy,
                          const char *name, unsigned tag)
{
    struct fm_order order = {
        .policy = policy, .region = 0, .len = b->step, .tag = bench_tag(tag),
    };
    struct cxl_extent got[BENCH_RECORDS];
    uint64_t sum = 0;
    unsigned n;

    if (!(b->info.add_policies & 1 << policy)) {
        tap_skip(name, "the device does not offer this policy");
        return;
    }
    bench_forget(b);
    tap_rc(fm_add(b->fm, &order), 0, "%s: accepted by the device", name);
    bench_expect(b, "offered", NULL, 0, false);
    bench_host(b, HOST_ACCEPT_ALL);
    tap_rc(b->agent.last_rc, 0, "%s: 4802 takes all", name);
    n = b->nr_rec;
    for (unsigned i = 0; i < n; i++) {
        got[i] = b->rec[i].extent;
        sum += got[i].len;
    }
    tap_check(sum == b->step && (policy == FM_ADD_FREE || n == 1) &&
              !memcmp(got[0].tag, bench_tag(tag), 16),
              "%s: records hold the length and the tag", name);
    bench_expect_records(b, name, CXL_EV_ADD, n);
    bench_expect_fm_records(b, name, CXL_EV_ADD_RESPONSE, n);
    bench_expect(b, name, got, n, true);
    bench_expect_offer(b, name, bench_tag(tag), 0);
    bench_memory_works(b, name, got[0].dpa, got[0].len);
    tidy(b, got, n);
    bench_memory_absent(b, name, got[0].dpa, got[0].len);
}

/* @before: extents of groups that are waiting already */
static void prescribe(struct dcd_bench *b, const struct cxl_extent *ext,
                      unsigned n, unsigned before, const char *name)
{
    struct fm_order order = {
        .policy = FM_ADD_PRESCRIPTIVE, .ext = ext, .n = n,
    };

    bench_forget(b);
    tap_rc(fm_add(b->fm, &order), 0, "%s: offered", name);
    bench_expect_offer(b, name, ext->tag, before + n);
}

static void add_two_take_all(struct dcd_bench *b)
{
    struct cxl_extent ext[] = {
        bench_extent(b, 0, 4 * b->step, b->step, 3),
        bench_extent(b, b->regions.n - 1, 0, b->step, 4),
    };

    prescribe(b, ext, 2, 0, "two extents");
    bench_host(b, HOST_ACCEPT_ALL);
    tap_rc(b->agent.last_rc, 0, "two extents: 4802 takes all");
    bench_expect_records(b, "two extents", CXL_EV_ADD, 2);
    bench_expect_fm_records(b, "two extents", CXL_EV_ADD_RESPONSE, 2);
    bench_expect(b, "two extents", ext, 2, true);
    bench_memory_works(b, "first extent", ext[0].dpa, ext[0].len);
    bench_memory_works(b, "second extent", ext[1].dpa, ext[1].len);
    bench_memory_absent(b, "behind the first", ext[0].dpa + ext[0].len,
                        b->step);
    tidy(b, ext, 2);
}

static void add_two_take_part(struct dcd_bench *b)
{
    struct cxl_extent ext[] = {
        bench_extent(b, 0, 0, b->step, 5),
        bench_extent(b, 0, 2 * b->step, b->step, 5),
    };
    struct cxl_extent part = ext[0];

    prescribe(b, ext, 2, 0, "part");
    bench_host(b, HOST_ACCEPT_PART);
    tap_rc(b->agent.last_rc, 0, "part: 4802 takes half an extent");
    part.len /= 2;
    bench_expect(b, "part", &part, 1, true);
    bench_expect_fm_records(b, "part", CXL_EV_ADD_RESPONSE, 1);
    bench_expect_offer(b, "part", bench_tag(5), 0);
    bench_memory_works(b, "accepted half", part.dpa, part.len);
    bench_memory_absent(b, "other half", part.dpa + part.len, part.len);
    tidy(b, &part, 1);
}

static void add_refused(struct dcd_bench *b)
{
    struct cxl_extent ext = bench_extent(b, 0, 0, b->step, 6);

    prescribe(b, &ext, 1, 0, "refusal");
    bench_host(b, HOST_REFUSE);
    tap_rc(b->agent.last_rc, 0, "refusal: 4802 with an empty list");
    bench_expect(b, "refusal", NULL, 0, false);
    bench_expect_offer(b, "refusal", bench_tag(6), 0);
    bench_memory_absent(b, "refusal", ext.dpa, ext.len);
}

/* The second group can be answered only after the first */
static void add_out_of_order(struct dcd_bench *b)
{
    struct cxl_extent ext[] = {
        bench_extent(b, 0, 0, b->step, 7),
        bench_extent(b, 0, b->step, b->step, 8),
    };
    struct cxl_range range[] = {
        { ext[0].dpa, ext[0].len }, { ext[1].dpa, ext[1].len }
    };
    int rc;

    prescribe(b, &ext[0], 1, 0, "first group");
    prescribe(b, &ext[1], 1, 1, "second group");
    bench_host(b, HOST_SILENT);
    rc = host_respond(b->host, &range[1], 1);
    tap_check(rc == CXL_RC_INVALID_PA || rc == CXL_RC_INVALID_INPUT,
              "4802 for the second group first is refused");
    bench_expect(b, "wrong order", NULL, 0, false);
    tap_rc(host_respond(b->host, &range[0], 1), 0, "4802 for the first group");
    tap_rc(host_respond(b->host, &range[1], 1), 0, "4802 for the second group");
    bench_expect(b, "right order", ext, 2, true);
    bench_expect_fm_records(b, "right order", CXL_EV_ADD_RESPONSE, 2);
    tidy(b, ext, 2);
}

void dcd_test_add(struct dcd_bench *b)
{
    add_by_length(b, FM_ADD_FREE, "free policy", 1);
    add_by_length(b, FM_ADD_CONTIGUOUS, "contiguous policy", 2);
    add_two_take_all(b);
    add_two_take_part(b);
    add_refused(b);
    add_out_of_order(b);
}
