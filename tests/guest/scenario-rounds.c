/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "rounds": a Fabric Manager and a host do at random what either can
 * do about dynamic capacity (CXL r3.2 9.13.3). Whatever that was, a host that
 * has answered each offer once has no offer before it, and the host, the device
 * and the monitor agree on what it has.
 *
 * The kernel's command line may have cxlseed=N, which repeats a run, and
 * cxlrounds=N.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "dmesg.h"
#include "host-agent.h"
#include "region.h"
#include "scenario.h"
#include "sysfs.h"
#include "tap.h"

#define MEMDEV      "mem0"
#define ROUNDS      1000
/* The same rounds each time, unless another seed is asked for */
#define SEED        1128
/* Between two resets of the device */
#define RESET_EVERY 100
/* Extents of one offer, blocks of one extent */
#define PARTS_MAX   6
#define BLOCKS_MAX  4
/* Blocks of a region that are used: a place that is free is found by chance */
#define BLOCKS_USED 48

enum deed { ADD, ADD_LIST, ASK, FORCE, WITHDRAW, ANSWER, FAIL, GIVE, RESET,
            DEEDS };

static const char *const deed_names[] = {
    "offers", "offers by address", "requests", "forced releases",
    "offers withdrawn", "answers by policy", "answers that fail",
    "releases unasked", "resets",
};

static struct run {
    struct cxl_conn *conn;
    struct host_agent agent;
    struct fm_regions regions;
    uint64_t random;
    uint32_t tags;              /* tags given out */
    unsigned done[DEEDS];
    char reset[SYS_PATH];       /* file that resets the device */
    bool resets;
} run;

static unsigned rnd(unsigned n)
{
    run.random ^= run.random << 13;
    run.random ^= run.random >> 7;
    run.random ^= run.random << 17;
    return run.random % n;
}

static bool chance(unsigned percent)
{
    return rnd(100) < percent;
}

static void any_tag(uint8_t tag[16])
{
    memset(tag, 0, 16);
    if (chance(70)) {
        /* now and then one that was given out before */
        uint32_t n = run.tags && chance(10) ? rnd(run.tags) : run.tags++;

        tag[0] = 0xda;
        memcpy(tag + 12, &n, sizeof(n));
    }
}

static struct cxl_extent any_place(void)
{
    const struct fm_region *r = &run.regions.region[rnd(run.regions.n)];
    struct cxl_extent ext = {
        .dpa = r->base + rnd(BLOCKS_USED) * r->block,
        .len = (1 + rnd(BLOCKS_MAX)) * r->block,
    };

    return ext;
}

/* -- the Fabric Manager --------------------------------------------------- */

static int add(void)
{
    unsigned region = rnd(run.regions.n);
    uint8_t tag[16];
    struct fm_order order = {
        .policy = chance(50) ? FM_ADD_FREE : FM_ADD_CONTIGUOUS,
        .region = region, .tag = tag,
        .len = (1 + rnd(BLOCKS_MAX)) * run.regions.region[region].block,
    };

    any_tag(tag);
    return fm_add(run.conn, &order);
}

static int add_list(void)
{
    struct cxl_extent ext[PARTS_MAX];
    struct fm_order order = {
        .policy = FM_ADD_PRESCRIPTIVE, .ext = ext, .n = 1 + rnd(PARTS_MAX),
    };
    bool one_tag = chance(60);

    for (unsigned i = 0; i < order.n; i++) {
        ext[i] = any_place();
        if (i && one_tag) {
            memcpy(ext[i].tag, ext[0].tag, 16);
        } else {
            any_tag(ext[i].tag);
        }
    }
    return fm_add(run.conn, &order);
}

/* Something that the host has, or nothing if it has nothing */
static const struct cxl_extent *any_held(void)
{
    const struct host_list *has = &run.agent.has;

    return has->n ? &has->ext[rnd(has->n)] : NULL;
}

static int release(unsigned how)
{
    const struct cxl_extent *held = any_held();
    struct cxl_extent ext;
    struct fm_order order = {
        .policy = FM_RELEASE_PRESCRIPTIVE | how, .ext = &ext, .n = 1,
    };

    if (!held) {
        return CXL_RC_INVALID_PA;
    }
    ext = *held;
    if (chance(30)) {
        ext.len = run.regions.region[0].block;
    }
    return fm_release(run.conn, &order);
}

/* Offers that nobody has answered yet: the FM knows of them by chance only */
static int withdraw(void)
{
    struct cxl_extent ext = any_place();
    struct fm_order order = {
        .policy = FM_RELEASE_PRESCRIPTIVE | FM_RELEASE_FORCED, .ext = &ext,
        .n = 1,
    };

    if (chance(50)) {
        static struct fm_tags tags;
        int ret = fm_list_tags(run.conn, 0, FM_TAGS_MAX, &tags);
        unsigned i = 0;

        while (!ret && i < tags.n && !fm_tag_offered(&tags.entry[i], 0)) {
            i++;
        }
        if (ret || i == tags.n) {
            return ret ? ret : CXL_RC_INVALID_INPUT;
        }
        order = (struct fm_order) {
            .policy = FM_RELEASE_TAG | FM_RELEASE_FORCED,
            .tag = tags.entry[i].tag, .len = run.regions.region[0].block,
        };
    } else {
        ext.len = run.regions.region[0].block;
    }
    return fm_release(run.conn, &order);
}

/* -- the host ------------------------------------------------------------- */

/* The oldest offer whose records the host reads next, answered wrongly */
static int fail(void)
{
    static struct cxl_dc_events events;
    struct cxl_range ranges[2];
    unsigned n = 1;
    int ret = fm_read_dc_events(run.conn, &events);

    /* a group that is in one answer, and nothing before it */
    if (ret || !events.n || events.ev[0].type != CXL_EV_ADD ||
        events.ev[0].more || run.agent.nr_group) {
        return ret ? ret : CXL_RC_INVALID_INPUT;
    }
    ret = fm_clear_dc_events(run.conn, &events, 1);
    if (ret) {
        return ret;
    }
    ranges[0].dpa = events.ev[0].extent.dpa;
    ranges[0].len = events.ev[0].extent.len;
    switch (rnd(3)) {
    case 0:
        ranges[0].len = 0;
        break;
    case 1:
        ranges[0].len += run.regions.region[0].block;
        break;
    default:
        ranges[n++] = ranges[0];
    }
    return host_respond(run.conn, ranges, n) > 0 ? 0 : -EPROTO;
}

static int give(void)
{
    const struct cxl_extent *held = any_held();
    struct cxl_range range;
    int ret;

    if (!held) {
        return CXL_RC_INVALID_PA;
    }
    range.dpa = held->dpa;
    range.len = chance(50) ? held->len : run.regions.region[0].block;
    ret = host_release(run.conn, &range, 1);
    if (!ret) {
        host_list_cut(&run.agent.has, &range);
        host_list_cut(&run.agent.linux_view.has, &range);
    }
    return ret;
}

static int answer(void)
{
    run.agent.policy = chance(60) ? HOST_LINUX : rnd(HOST_LINUX);
    run.agent.release = chance(70);
    return host_agent_run(&run.agent) < 0 ? -EIO : 0;
}

/* The device forgets offers and its log; its driver starts anew */
static int reset(void)
{
    int ret = sys_write("1", "%s", run.reset);

    return ret ? ret : host_agent_restart(&run.agent);
}

/* -- rounds --------------------------------------------------------------- */

static int by_address(const void *a, const void *b)
{
    const struct cxl_extent *x = a, *y = b;

    return x->dpa < y->dpa ? -1 : x->dpa > y->dpa;
}

/* All of 4801h or 5603h is what @has has */
static bool same_list(const struct host_list *has, bool of_fm)
{
    static struct cxl_extent_page page;
    uint32_t at = 0;

    do {
        if (of_fm ? fm_get_extents(run.conn, 0, CXL_PAGE_MAX, at, &page)
                  : host_get_extents(run.conn, CXL_PAGE_MAX, at, &page)) {
            return false;
        }
        if (page.total != has->n || (!page.n && at < page.total)) {
            tap_note("%u extents in the list, the host has %u", page.total,
                     has->n);
            return false;
        }
        for (uint32_t i = 0; i < page.n; i++) {
            const struct cxl_extent *a = &page.ext[i], *b = &has->ext[at + i];

            if (a->dpa != b->dpa || a->len != b->len ||
                memcmp(a->tag, b->tag, 16)) {
                tap_note("0x%" PRIx64 " + 0x%" PRIx64 " in the list, the host "
                         "has 0x%" PRIx64 " + 0x%" PRIx64, a->dpa, a->len,
                         b->dpa, b->len);
                return false;
            }
        }
        at += page.n;
    } while (at < page.total);
    return true;
}

/* The host has answered all that it was told of */
static bool agree(void)
{
    struct host_list *has = &run.agent.has;
    struct fm_regions regions;
    uint32_t unanswered;

    if (fm_get_regions(run.conn, 0, CXL_DC_REGIONS, 0, &regions)) {
        return false;
    }
    qsort(has->ext, has->n, sizeof(has->ext[0]), by_address);
    unanswered = regions.counts.extents - regions.counts.extents_free -
                 has->n;
    if (unanswered) {
        tap_note("%d extents still wait for an answer", (int)unanswered);
    }
    return same_list(has, false) && same_list(has, true) && !unanswered;
}

static bool survive_reset(void)
{
    static struct host_list before;
    bool ok = !answer() && agree();

    before = run.agent.has;
    ok &= !reset();
    tap_note("reset %u", ++run.done[RESET]);
    return ok && same_list(&before, false) && agree();
}

static bool one_round(unsigned number)
{
    static const unsigned weight[] = {
        [ADD] = 18, [ADD_LIST] = 22, [ASK] = 10, [FORCE] = 6, [WITHDRAW] = 8,
        [ANSWER] = 22, [FAIL] = 8, [GIVE] = 6,
    };
    unsigned dice = rnd(100), deed = 0;
    bool ok = true;
    int ret;

    if (run.resets && number % RESET_EVERY == RESET_EVERY - 1) {
        return survive_reset();
    }
    while (dice >= weight[deed]) {
        dice -= weight[deed++];
    }
    switch (deed) {
    case ADD:
        ret = add();
        break;
    case ADD_LIST:
        ret = add_list();
        break;
    case ASK:
        ret = release(chance(30) ? FM_RELEASE_SANITIZE : 0);
        break;
    case FORCE:
        ret = release(FM_RELEASE_FORCED);
        break;
    case WITHDRAW:
        ret = withdraw();
        break;
    case FAIL:
        ret = fail();
        break;
    case GIVE:
        ret = give();
        break;
    default:
        ret = answer();
        ok = agree();
        break;
    }
    run.done[deed] += !ret;
    if (ret < 0) {
        tap_note("%s: %s", deed_names[deed], strerror(-ret));
    }
    return ok && ret >= 0;
}

/* -- the monitor ---------------------------------------------------------- */

static bool monitor_agrees(void)
{
    const struct host_list *has = &run.agent.has;
    char *words = NULL;
    size_t size;
    FILE *out = open_memstream(&words, &size);
    bool ok;

    fputs("extents mem0", out);
    for (unsigned i = 0; i < has->n; i++) {
        fprintf(out, " 0x%" PRIx64 "+0x%" PRIx64, has->ext[i].dpa,
                has->ext[i].len);
    }
    fclose(out);
    ok = tap_ask(words);
    free(words);
    return ok;
}

static unsigned number_of(const char *name, unsigned other)
{
    const char *text = getenv(name);
    unsigned n;

    return text && sscanf(text, "%u", &n) == 1 ? n : other;
}

void scenario_rounds(void)
{
    unsigned seed = number_of("cxlseed", SEED);
    unsigned rounds = number_of("cxlrounds", ROUNDS), i;
    bool ok = true;

    run.conn = memdev_open(MEMDEV);
    snprintf(run.reset, sizeof(run.reset), CXL_SYS "/" MEMDEV "/../reset");
    if (!tap_check(run.conn != NULL, "the mailbox can be reached")) {
        return;
    }
    run.resets = !sys_write("1", "%s", run.reset);
    if (!run.resets) {
        tap_skip("resets of the device", "Linux has no way to do it here");
    }
    if (!tap_rc(fm_get_regions(run.conn, 0, CXL_DC_REGIONS, 0, &run.regions),
                0, "5601 tells the regions")) {
        return;
    }
    tap_note("cxlseed=%u", seed);
    run.random = 0x9e3779b97f4a7c15ull ^ seed;
    host_agent_init(&run.agent, run.conn, HOST_LINUX);
    for (i = 0; ok && i < rounds; i++) {
        ok = one_round(i);
    }
    if (!ok) {
        tap_note("in round %u", i);
    }
    tap_check(ok, "rounds of everything, and no offer is left unanswered");
    for (unsigned deed = 0; deed < DEEDS; deed++) {
        tap_note("%s: %u", deed_names[deed], run.done[deed]);
        ok &= run.done[deed] > rounds / 250 || (deed == RESET && !run.resets);
    }
    tap_check(ok, "each kind of thing has happened");
    tap_check(!answer() && agree(), "the host and the device agree");
    tap_check(monitor_agrees(), "the monitor agrees");
    tap_check(!dmesg_complaints(), "no warning in dmesg");
    cxl_conn_close(run.conn);
}
