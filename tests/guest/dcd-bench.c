/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the dynamic capacity tests have in common (CXL r3.2 9.13.3)
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "dcd-bench.h"
#include "region.h"
#include "tap.h"

/* Blocks in a step: enough that a half and a quarter are whole blocks too */
#define STEP_BLOCKS     16
/* Words that are touched in a range lie this far apart */
#define STRIDE          (64ul << 10)
#define LIST_MAX        64
/* Tags that the tests tell apart */
#define TAGS            64

struct list {
    struct cxl_extent ext[LIST_MAX];
    uint32_t n, total, generation;
};

const uint8_t *bench_tag(unsigned n)
{
    static uint8_t tags[TAGS][16];
    uint8_t *tag = tags[n % TAGS];

    memset(tag, 0x40 + n % TAGS, 16);
    return tag;
}

struct cxl_extent bench_extent(const struct dcd_bench *b, unsigned region,
                               uint64_t offset, uint64_t len, unsigned tag)
{
    struct cxl_extent ext = {
        .dpa = b->regions.region[region].base + offset, .len = len
    };

    if (tag) {
        memcpy(ext.tag, bench_tag(tag), sizeof(ext.tag));
    }
    return ext;
}

static void collect(struct host_agent *agent, const struct cxl_dc_event *ev,
                    const char *answer)
{
    struct dcd_bench *b = agent->opaque;

    (void)answer;
    if (b->nr_rec < BENCH_RECORDS) {
        b->rec[b->nr_rec++] = *ev;
    }
}

void bench_host(struct dcd_bench *b, enum host_policy policy)
{
    b->agent.policy = policy;
    b->agent.last_rc = 0;
    tap_check(host_agent_run(&b->agent) >= 0, "the host reads its event log");
}

void bench_forget(struct dcd_bench *b)
{
    b->nr_rec = 0;
}

/* All pages of 4801h or 5603h, in pages of odd size so that paging is used */
static int read_list(struct dcd_bench *b, bool of_fm, struct list *list)
{
    static struct cxl_extent_page page;
    int ret;

    list->n = 0;
    do {
        ret = of_fm ? fm_get_extents(b->fm, 0, 3, list->n, &page) :
                      host_get_extents(b->host, 3, list->n, &page);
        if (ret) {
            return ret;
        }
        if (list->n && (page.generation != list->generation || !page.n)) {
            return -EBADMSG;
        }
        list->total = page.total;
        list->generation = page.generation;
        for (uint32_t i = 0; i < page.n && list->n < LIST_MAX; i++) {
            list->ext[list->n++] = page.ext[i];
        }
    } while (list->n < list->total && list->n < LIST_MAX);
    return 0;
}

bool bench_open(struct dcd_bench *b, struct cxl_conn *fm,
                struct cxl_conn *host, const char *memdev, bool fm_log)
{
    uint64_t end = 0, most = 0;
    static struct list list;
    int ret;

    memset(b, 0, sizeof(*b));
    b->fm = fm;
    b->host = host;
    b->fm_log = fm_log;
    host_agent_init(&b->agent, host, HOST_ACCEPT_ALL);
    b->agent.told = collect;
    b->agent.opaque = b;
    if (!tap_rc(fm_get_dcd_info(fm, &b->info), 0, "5600 answers") ||
        !tap_rc(fm_get_regions(fm, 0, CXL_DC_REGIONS, 0, &b->regions), 0,
                "5601 answers") ||
        !tap_check(b->regions.n > 0, "the device has regions")) {
        return false;
    }
    if (!tap_rc(read_list(b, true, &list), 0, "5603 answers")) {
        return false;
    }
    b->generation = list.generation;
    for (unsigned i = 0; i < b->regions.n; i++) {
        const struct fm_region *r = &b->regions.region[i];

        end = r->base + r->decode_len;
        most = r->block > most ? r->block : most;
    }
    b->step = most * STEP_BLOCKS;
    ret = hdm_window_open(&b->win, memdev, "decoder0.0",
                          b->regions.region[0].base,
                          end - b->regions.region[0].base);
    if (ret) {
        b->win.mem = NULL;
    }
    tap_rc(ret, 0, "a decoder maps the regions");
    return true;
}

static bool same_extent(const struct cxl_extent *a, const struct cxl_extent *b)
{
    return a->dpa == b->dpa && a->len == b->len && a->seq == b->seq &&
           !memcmp(a->tag, b->tag, sizeof(a->tag));
}

static bool same_list(const struct cxl_extent *got, unsigned n,
                      const struct cxl_extent *want, unsigned nr_want)
{
    if (n != nr_want) {
        tap_note("%u extents instead of %u", n, nr_want);
        return false;
    }
    for (unsigned i = 0; i < nr_want; i++) {
        unsigned k = 0;

        while (k < n && !same_extent(&got[k], &want[i])) {
            k++;
        }
        if (k == n) {
            tap_note("no extent 0x%" PRIx64 " + 0x%" PRIx64 " with tag %02x..",
                     want[i].dpa, want[i].len, want[i].tag[0]);
            return false;
        }
    }
    return true;
}

void bench_expect(struct dcd_bench *b, const char *when,
                  const struct cxl_extent *want, unsigned n, bool changed)
{
    static struct list fm, host;
    int fm_rc = read_list(b, true, &fm), host_rc = read_list(b, false, &host);
    bool moved;

    if (!tap_rc(fm_rc, 0, "%s: 5603 answers", when) ||
        !tap_rc(host_rc, 0, "%s: 4801 answers", when)) {
        return;
    }
    tap_check(same_list(fm.ext, fm.n, want, n) && fm.total == n,
              "%s: 5603 lists what the host accepted", when);
    tap_check(same_list(host.ext, host.n, want, n) && host.total == n &&
              host.generation == fm.generation,
              "%s: 4801 shows the same", when);
    moved = fm.generation != b->generation;
    tap_check(moved == changed, "%s: generation number %s", when,
              changed ? "changes" : "stays");
    b->generation = fm.generation;
}

void bench_expect_offer(struct dcd_bench *b, const char *when,
                        const uint8_t *tag, unsigned n)
{
    static struct fm_tags tags;
    struct fm_regions now;
    struct list list;
    bool pending = false;

    if (!tap_rc(fm_list_tags(b->fm, 0, 4, &tags), 0, "%s: 5608 answers",
                when)) {
        return;
    }
    for (uint32_t i = 0; i < tags.n; i++) {
        if (tag && !memcmp(tags.entry[i].tag, tag, 16)) {
            pending = tags.entry[i].pending[0] & 1;
        }
    }
    tap_check((tags.validity & 3) == 3 && (!tag || pending == (n > 0)),
              "%s: 5608 %s the tag as offered", when, n ? "shows" : "lacks");
    if (!tap_check(!fm_get_regions(b->fm, 0, 1, 0, &now) &&
                   !read_list(b, true, &list), "%s: counts are readable",
                   when)) {
        return;
    }
    tap_check(now.counts.extents_free + list.n + n == now.counts.extents,
              "%s: offers count as used extents", when);
}

void bench_expect_records(struct dcd_bench *b, const char *when,
                          enum cxl_dc_event_type type, unsigned n)
{
    bool right = b->nr_rec == n;

    for (unsigned i = 0; right && i < n; i++) {
        const struct cxl_dc_event *ev = &b->rec[i];

        right = ev->type == type && ev->more == (i + 1 < n) &&
                !(ev->flags & 3) && ev->handle && ev->host == 0 &&
                (ev->validity & 1);
        if (!right) {
            tap_note("record %u: type %u more %u flags 0x%x handle %u host %u "
                     "validity %u", i, ev->type, ev->more, ev->flags,
                     ev->handle, ev->host, ev->validity);
        }
    }
    if (b->nr_rec != n) {
        tap_note("%u records instead of %u", b->nr_rec, n);
    }
    tap_check(right, "%s: the host's log has %u record%s of type %u", when, n,
              n == 1 ? "" : "s", type);
    bench_forget(b);
}

void bench_expect_fm_records(struct dcd_bench *b, const char *when,
                             enum cxl_dc_event_type type, unsigned n)
{
    static struct cxl_dc_events events;
    unsigned found = 0;
    bool right = true;

    if (!b->fm_log) {
        return;
    }
    do {
        if (fm_read_dc_events(b->fm, &events) ||
            (events.n && fm_clear_dc_events(b->fm, &events, events.n))) {
            right = false;
            break;
        }
        for (unsigned i = 0; i < events.n; i++) {
            right &= events.ev[i].type == type && events.ev[i].host == 0;
        }
        found += events.n;
    } while (events.n);
    tap_check(right && found == n, "%s: the FM's log has %u record%s of "
              "type %u", when, n, n == 1 ? "" : "s", type);
    if (found != n) {
        tap_note("found %u", found);
    }
}

dev8_t *bench_mem(const struct dcd_bench *b, uint64_t dpa)
{
    return b->win.mem ? b->win.mem + (dpa - b->win.dpa) : NULL;
}

void bench_memory_works(struct dcd_bench *b, const char *which, uint64_t dpa,
                        uint64_t len)
{
    dev8_t *mem = bench_mem(b, dpa);

    if (mem) {
        tap_check(!memtest_widths(mem) && !memtest_words(mem, len, STRIDE),
                  "%s: memory keeps what is written", which);
    }
}

void bench_memory_absent(struct dcd_bench *b, const char *which, uint64_t dpa,
                         uint64_t len)
{
    dev8_t *mem = bench_mem(b, dpa);

    if (mem) {
        memtest_fill(mem, len, STRIDE, 3);
        tap_check(!memtest_is(mem, len, STRIDE, UINT64_MAX),
                  "%s: loads give all ones, stores nothing", which);
    }
}
