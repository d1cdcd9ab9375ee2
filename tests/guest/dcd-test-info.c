/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity tests: what the device tells about itself, and 5602h
 */
#include <inttypes.h>

#include "dcd-bench.h"
#include "tap.h"

/* Command effects of facts about 56xxh: r3.2 7.6.7.6 */
static const struct fm_cel_entry fm_set[] = {
    { 0x5600, 0x0000 }, { 0x5601, 0x0000 }, { 0x5602, 0x0e07 },
    { 0x5603, 0x0000 }, { 0x5604, 0x0e07 }, { 0x5605, 0x0e07 },
    { 0x5606, 0x0e03 }, { 0x5607, 0x0e03 }, { 0x5608, 0x0000 },
};
static const struct fm_cel_entry host_set[] = {
    { 0x4800, 0x0000 }, { 0x4801, 0x0000 }, { 0x4802, 0x0002 },
    { 0x4803, 0x0002 },
};

static bool lists(const struct fm_cel *cel, const struct fm_cel_entry *want,
                  size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct fm_cel_entry *e = fm_cel_find(cel, want[i].opcode);

        if (!e || e->effects != want[i].effects) {
            tap_note("%04x %s, effects %04x", want[i].opcode,
                     e ? "is listed" : "is missing", e ? e->effects : 0);
            return false;
        }
    }
    return true;
}

static void check_cel(struct dcd_bench *b)
{
    static struct fm_cel cel;

    tap_check(!fm_read_cel(b->fm, &cel) && lists(&cel, fm_set, 9),
              "the FM's command effects log has 5600..5608");
    tap_check(!fm_read_cel(b->host, &cel) && lists(&cel, host_set, 4),
              "the host's command effects log has 4800..4803");
}

static void check_info(struct dcd_bench *b)
{
    const struct fm_dcd_info *info = &b->info;
    uint64_t sum = 0;
    bool masks = true;

    for (unsigned i = 0; i < b->regions.n; i++) {
        const struct fm_region *r = &b->regions.region[i];

        sum += r->len;
        masks &= (info->block_mask[i] & r->block) == r->block;
    }
    for (unsigned i = b->regions.n; i < CXL_DC_REGIONS; i++) {
        masks &= info->block_mask[i] == 0;
    }
    tap_check(info->hosts == 1 && info->regions == b->regions.n &&
              info->regions == b->regions.available,
              "5600: one host, the regions of 5601");
    tap_check((info->add_policies & ~7) == 0 && (info->add_policies & 4) &&
              (info->release_policies & ~3) == 0 && info->release_policies,
              "5600: known policies");
    tap_check(info->capacity == sum, "5600: total is the sum of the regions");
    tap_check(masks, "5600: masks hold the block sizes in use");
}

static void check_regions(struct dcd_bench *b)
{
    struct host_regions host;
    struct fm_regions part;
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

        same = f->base == h->base && f->decode_len == h->decode_len &&
               f->len == h->len && f->block == h->block &&
               f->sanitize == h->sanitize &&
               f->base % CXL_DC_UNIT == 0 && f->len <= f->decode_len &&
               (!i || f->base >= f[-1].base + f[-1].decode_len);
    }
    tap_check(same, "4800 and 5601 agree, regions are in order");
    tap_check(b->regions.counts.extents_free == b->regions.counts.extents &&
              b->regions.counts.tags_free == b->regions.counts.tags &&
              b->regions.counts.tags, "all extents and tags are free");
    tap_check(!fm_get_regions(b->fm, 0, 0xff, 0, &part) &&
              part.n == b->regions.n, "5601: a large count is a maximum");
    tap_check(!fm_get_regions(b->fm, 0, 0, 0, &part) && part.n == 0 &&
              part.available == b->regions.n, "5601: count 0 gives none");
    if (b->regions.n > 1) {
        tap_check(!fm_get_regions(b->fm, 0, 8, 1, &part) &&
                  part.n == b->regions.n - 1 &&
                  part.region[0].base == b->regions.region[1].base,
                  "5601: a list can start at region 1");
    }
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

void dcd_test_info(struct dcd_bench *b)
{
    check_cel(b);
    check_info(b);
    check_regions(b);
    check_set_region(b);
    bench_expect(b, "untouched", NULL, 0, false);
    bench_memory_absent(b, "region 0, free", b->regions.region[0].base,
                        b->step);
}
