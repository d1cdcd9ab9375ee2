/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity tests: all that an FM, a host and a processor do with it
 * between them (CXL r3.2 7.6.7.6, 9.13.3).  What each command refuses, unit
 * tests and qtests know; here a refusal has to arrive.
 */
#include "dcd-bench.h"
#include "region.h"
#include "tap.h"

#define STRIDE (64ul << 10)

/* -- what the device tells about itself, and 5602h ---------------------- */

static void check_regions(struct dcd_bench *b)
{
    const struct fm_dcd_info *info = &b->info;
    struct host_regions host;
    uint64_t sum = 0;
    bool same;

    if (!tap_rc(host_get_regions(b->host, CXL_DC_REGIONS, 0, &host), 0,
                "4800 answers")) {
        return;
    }
    same = host.n == b->regions.n &&
           !memcmp(&host.counts, &b->regions.counts, sizeof(host.counts));
    for (unsigned i = 0; same && i < host.n; i++) {
        const struct fm_region *f = &b->regions.region[i];
        const struct host_region *h = &host.region[i];

        sum += f->len;
        same = f->base == h->base && f->decode_len == h->decode_len &&
               f->len == h->len && f->block == h->block &&
               f->sanitize == h->sanitize &&
               f->base % CXL_DC_UNIT == 0 && f->len <= f->decode_len &&
               (!i || f->base >= f[-1].base + f[-1].decode_len);
    }
    tap_check(same, "4800 and 5601 agree, regions are in order");
    tap_check(info->hosts == 1 && info->regions == b->regions.n &&
              info->capacity == sum,
              "5600: one host, the regions of 5601 and their sum");
    tap_check(b->regions.counts.extents_free == b->regions.counts.extents &&
              b->regions.counts.tags_free == b->regions.counts.tags &&
              b->regions.counts.tags, "all extents and tags are free");
}

static void set_and_check(struct dcd_bench *b, unsigned region,
                          uint64_t block, const char *what)
{
    struct host_regions host;

    bench_forget(b);
    tap_rc(fm_set_region(b->fm, region, block,
                         b->regions.region[region].sanitize), 0,
           "5602: %s", what);
    bench_host(b, HOST_ACCEPT_ALL);
    tap_check(b->nr_rec == 1 && b->rec[0].type == CXL_EV_REGION_UPDATED &&
              b->rec[0].region == region, "%s: the host gets a record", what);
    tap_check(!host_get_regions(b->host, 8, 0, &host) &&
              host.region[region].block == block,
              "%s: 4800 shows it", what);
}

static void check_set_region(struct dcd_bench *b)
{
    unsigned region = b->regions.n - 1;
    const struct fm_region *r = &b->regions.region[region];
    uint64_t other = b->info.block_mask[region] & ~r->block;

    /* Smallest size that the mask offers beside the one in use */
    other &= -other;
    if (!other) {
        set_and_check(b, region, r->block, "same block size");
        return;
    }
    set_and_check(b, region, other, "another block size");
    set_and_check(b, region, r->block, "the first block size again");
}

static void check_refusals(struct dcd_bench *b)
{
    struct cxl_extent ext[] = {
        bench_extent(b, 0, 0, 2 * b->step, 41),
        bench_extent(b, 0, b->step, b->step, 42),
    };
    struct fm_order order = {
        .host = 1, .policy = FM_ADD_PRESCRIPTIVE, .ext = ext, .n = 2,
    };
    struct cxl_req req;
    struct cxl_rsp rsp;

    req_start(&req, 0x5606);
    req_zeros(&req, 17);
    tap_rc(cxl_run(b->fm, &req, &rsp), CXL_RC_PAYLOAD_LENGTH,
           "5606 with a byte too much");
    tap_rc(fm_add(b->fm, &order), CXL_RC_INVALID_INPUT, "5604 for host 1");
    order.host = 0;
    tap_rc(fm_add(b->fm, &order), CXL_RC_EXTENT_LIST,
           "5604 with overlapping extents");
    order.policy = FM_RELEASE_PRESCRIPTIVE;
    order.n = 1;
    tap_rc(fm_release(b->fm, &order), CXL_RC_INVALID_PA,
           "5605 of free capacity");
    tap_rc(fm_add_reference(b->fm, bench_tag(30)), CXL_RC_INVALID_INPUT,
           "5606 of an unknown tag");
    bench_expect(b, "after refused commands", NULL, 0, false);
}

/* -- 5604h, and every answer of the host -------------------------------- */

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

/* -- 5605h by tag and by extent, forced, sanitizing --------------------- */

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

/* -- sharable regions, references of the FM ----------------------------- */

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

static void check_references(struct dcd_bench *b)
{
    for (unsigned region = 0; region < b->regions.n; region++) {
        if (b->regions.region[region].attributes & FM_REGION_SHARABLE) {
            reference(b, region);
            return;
        }
    }
    tap_skip("references", "no region is sharable");
}

void dcd_test_all(struct dcd_bench *b)
{
    bench_expect(b, "at the start", NULL, 0, false);
    check_regions(b);
    check_set_region(b);
    check_refusals(b);
    bench_memory_absent(b, "region 0, free", b->regions.region[0].base,
                        b->step);
    add_by_length(b, FM_ADD_FREE, "free policy", 1);
    add_by_length(b, FM_ADD_CONTIGUOUS, "contiguous policy", 2);
    add_two_take_all(b);
    add_two_take_part(b);
    add_refused(b);
    by_tag_in_pieces(b);
    by_extent(b);
    by_force(b);
    sanitized(b);
    bench_forget(b);
    check_references(b);
}
