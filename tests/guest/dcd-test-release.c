/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity tests: 5605h by tag and by extent, forced, sanitizing, and
 * 4803h on the host's own account (CXL r3.2 7.6.7.6.6)
 */
#include "dcd-bench.h"
#include "region.h"
#include "tap.h"

#define STRIDE (64ul << 10)

/* An extent that the host holds, without a word about it in the collection */
static void hold(struct dcd_bench *b, const struct cxl_extent *ext, unsigned n)
{
    struct fm_order order = {
        .policy = FM_ADD_PRESCRIPTIVE, .ext = ext, .n = n,
    };

    tap_rc(fm_add(b->fm, &order), 0, "an extent is offered");
    bench_host(b, HOST_ACCEPT_ALL);
    bench_expect_fm_records(b, "held", CXL_EV_ADD_RESPONSE, n);
    bench_expect(b, "held", ext, n, true);
    bench_forget(b);
}

static int ask_tag(struct dcd_bench *b, unsigned tag, uint64_t len,
                   unsigned flags)
{
    struct fm_order order = {
        .policy = FM_RELEASE_TAG | flags, .len = len, .tag = bench_tag(tag),
    };

    return fm_release(b->fm, &order);
}

static int ask_extent(struct dcd_bench *b, const struct cxl_extent *ext,
                      unsigned n, unsigned flags)
{
    struct fm_order order = {
        .policy = FM_RELEASE_PRESCRIPTIVE | flags, .ext = ext, .n = n,
    };

    return fm_release(b->fm, &order);
}

/* A request changes nothing; the host gives back in pieces and in its time */
static void by_tag_in_pieces(struct dcd_bench *b)
{
    struct cxl_extent ext = bench_extent(b, 0, b->step, b->step, 10);
    struct cxl_extent rest[2] = { ext, ext };
    struct cxl_range middle = {
        ext.dpa + ext.len / 4, ext.len / 2
    };
    struct cxl_range ends[2];

    if (!(b->info.release_policies & 1 << FM_RELEASE_TAG)) {
        tap_skip("release by tag", "the device does not offer this policy");
        return;
    }
    hold(b, &ext, 1);
    b->agent.release = false;
    tap_rc(ask_tag(b, 10, ext.len, 0), 0, "by tag: the request is taken");
    bench_host(b, HOST_SILENT);
    bench_expect_records(b, "by tag", CXL_EV_RELEASE, 1);
    bench_expect(b, "by tag, not answered", &ext, 1, false);
    bench_memory_works(b, "by tag, not answered", ext.dpa, ext.len);

    tap_rc(host_release(b->host, &middle, 1), 0, "4803 for the middle");
    rest[0].len = ext.len / 4;
    rest[1].dpa = middle.dpa + middle.len;
    rest[1].len = ext.len / 4;
    bench_expect(b, "middle released", rest, 2, true);
    bench_expect_fm_records(b, "middle released", CXL_EV_RELEASED, 1);
    bench_memory_absent(b, "middle released", middle.dpa, middle.len);
    bench_memory_works(b, "end kept", rest[1].dpa, rest[1].len);

    for (unsigned i = 0; i < 2; i++) {
        ends[i].dpa = rest[i].dpa;
        ends[i].len = rest[i].len;
    }
    tap_rc(host_release(b->host, ends, 2), 0, "4803 for both ends");
    bench_expect(b, "ends released", NULL, 0, true);
    bench_expect_fm_records(b, "ends released", CXL_EV_RELEASED, 2);
    b->agent.release = true;
}

static void by_extent(struct dcd_bench *b)
{
    struct cxl_extent ext[] = {
        bench_extent(b, 0, 0, b->step, 11),
        bench_extent(b, b->regions.n - 1, b->step, b->step, 12),
    };

    hold(b, ext, 2);
    tap_rc(ask_extent(b, ext, 2, 0), 0, "by extent: the request is taken");
    bench_host(b, HOST_ACCEPT_ALL);
    tap_rc(b->agent.last_rc, 0, "by extent: 4803 gives them back");
    bench_expect_records(b, "by extent", CXL_EV_RELEASE, 2);
    bench_expect_fm_records(b, "by extent", CXL_EV_RELEASED, 2);
    bench_expect(b, "by extent", NULL, 0, true);
    bench_memory_absent(b, "by extent", ext[0].dpa, ext[0].len);
}

static void by_force(struct dcd_bench *b)
{
    struct cxl_extent ext = bench_extent(b, 0, 0, b->step, 13);
    struct cxl_range range = { ext.dpa, ext.len };

    hold(b, &ext, 1);
    tap_rc(ask_tag(b, 13, ext.len, FM_RELEASE_FORCED), 0,
           "forced: the request is taken");
    bench_expect(b, "forced", NULL, 0, true);
    bench_memory_absent(b, "forced", ext.dpa, ext.len);
    bench_host(b, HOST_ACCEPT_ALL);
    bench_expect_records(b, "forced", CXL_EV_FORCED_RELEASE, 1);
    tap_rc(host_release(b->host, &range, 1), CXL_RC_INVALID_PA,
           "forced: 4803 afterwards");
}

/* The host learns that its offer died only when it answers */
static void pending_by_force(struct dcd_bench *b)
{
    struct cxl_extent ext = bench_extent(b, 0, 0, b->step, 14);
    struct cxl_range range = { ext.dpa, ext.len };
    struct fm_order order = {
        .policy = FM_ADD_PRESCRIPTIVE, .ext = &ext, .n = 1,
    };

    tap_rc(fm_add(b->fm, &order), 0, "dead offer: offered");
    bench_host(b, HOST_SILENT);
    bench_forget(b);
    tap_rc(ask_extent(b, &ext, 1, 0), CXL_RC_INVALID_PA,
           "dead offer: a request without force");
    tap_rc(ask_extent(b, &ext, 1, FM_RELEASE_FORCED), 0,
           "dead offer: removed by force");
    bench_host(b, HOST_SILENT);
    tap_check(b->nr_rec == 0, "dead offer: no record tells the host");
    bench_expect_offer(b, "dead offer, not answered", NULL, 1);
    tap_rc(host_respond(b->host, &range, 1), CXL_RC_INVALID_PA,
           "dead offer: 4802 afterwards");
    bench_expect(b, "dead offer", NULL, 0, false);
    bench_expect_offer(b, "dead offer, answered", bench_tag(14), 0);
}

static void sanitized(struct dcd_bench *b)
{
    struct cxl_extent ext = bench_extent(b, 0, 2 * b->step, b->step, 15);
    dev8_t *mem = bench_mem(b, ext.dpa);

    hold(b, &ext, 1);
    if (mem) {
        memtest_fill(mem, ext.len, STRIDE, 5);
    }
    tap_rc(ask_extent(b, &ext, 1, FM_RELEASE_SANITIZE), 0,
           "sanitize: the request is taken");
    if (mem) {
        tap_check(!memtest_check(mem, ext.len, STRIDE, 5),
                  "sanitize: contents stay until the host lets go");
    }
    bench_host(b, HOST_ACCEPT_ALL);
    bench_expect_fm_records(b, "sanitize", CXL_EV_RELEASED, 1);
    bench_expect(b, "sanitize", NULL, 0, true);
    hold(b, &ext, 1);
    if (mem) {
        tap_check(!memtest_is(mem, ext.len, STRIDE, 0),
                  "sanitize: capacity comes back zeroed");
    }
    tap_rc(ask_extent(b, &ext, 1, FM_RELEASE_FORCED), 0, "removed by force");
    bench_host(b, HOST_SILENT);
    bench_expect(b, "removed", NULL, 0, true);
}

static void unsolicited(struct dcd_bench *b)
{
    struct cxl_extent ext = bench_extent(b, 0, 3 * b->step, b->step, 16);
    struct cxl_range range = { ext.dpa, ext.len };
    struct cxl_range absent = { ext.dpa + ext.len, ext.len };

    hold(b, &ext, 1);
    tap_rc(host_release(b->host, &absent, 1), CXL_RC_INVALID_PA,
           "4803 of capacity that the host lacks");
    tap_rc(host_release(b->host, NULL, 0), CXL_RC_INVALID_INPUT,
           "4803 with an empty list");
    bench_expect(b, "refused", &ext, 1, false);
    tap_rc(host_release(b->host, &range, 1), 0, "4803 that nobody asked for");
    bench_expect(b, "given back", NULL, 0, true);
    bench_expect_fm_records(b, "given back", CXL_EV_RELEASED, 1);
}

void dcd_test_release(struct dcd_bench *b)
{
    by_tag_in_pieces(b);
    by_extent(b);
    by_force(b);
    pending_by_force(b);
    sanitized(b);
    unsolicited(b);
}
