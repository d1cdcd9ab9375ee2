/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "host": one of the hosts of a pool, each in a machine of its own.
 * It takes what the Fabric Manager outside offers, gives back what it is asked
 * for, and does with its memory what scripts/run-pool.py says, line by line:
 *
 *   fill REGION SEED     write it
 *   check REGION SEED    is that there?
 *   zeroes REGION        is it all zero?
 *   none REGION          has this host nothing there?
 *   keep REGION          a process writes and checks it, and memory of its own,
 *                        again and again, while machines are moved
 *   kept                 it still does, has found all of it whole, and ends
 *   weigh REGION         what its first extent costs, beside plain memory
 *   end
 */
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dmesg.h"
#include "fm-print.h"
#include "hdm-window.h"
#include "host-agent.h"
#include "region.h"
#include "scenario.h"
#include "tap.h"
#include "weigh.h"

#define MEMDEV      "mem0"
/* Words that are touched lie this far apart */
#define STRIDE      (64ul << 10)
/* How often the event log is looked at */
#define POLL_MS     20
/* What a process that keeps memory has of its own, a word of every page */
#define OWN_SIZE    (4ul << 20)
#define OWN_STRIDE  4096
/* Passes over it that are waited for, and how long */
#define PASSES      10
#define PASSES_S    120

static struct host_agent agent;
static struct host_regions regions;
static struct hdm_window win;
/* What the host had when that was asked last */
static struct cxl_extent_page page;

/**
 * struct keeper - a process that keeps memory
 * @seed: of what it has written last, so many passes are done
 * @wrong: words that it did not find
 */
static struct keeper {
    volatile uint64_t seed, wrong;  /* volatile: shared with that process */
    volatile bool stop;             /* volatile: the same */
} *keeper;
static pid_t keeper_pid;

static void host_tells(struct host_agent *from, const struct cxl_dc_event *ev,
                       const char *answer)
{
    char size[FM_TEXT];

    tap_say("event: %s, %s at 0x%" PRIx64, fm_event_name(ev->type),
            fm_text_size(size, ev->extent.len), ev->extent.dpa);
    if (answer) {
        tap_say("  %s: %s", answer, cxl_rc_name(from->last_rc));
        tap_rc(from->last_rc, 0, "the host's answer is taken");
    }
}

enum order { FILL, CHECK, ZEROES, NONE };

/* What is wrong with an extent that the host has */
static uint64_t touch(enum order what, dev8_t *mem, size_t size, uint64_t seed)
{
    switch (what) {
    case FILL:
        memtest_fill(mem, size, STRIDE, seed);
        return 0;
    case CHECK:
        return memtest_check(mem, size, STRIDE, seed);
    case ZEROES:
        return memtest_is(mem, size, STRIDE, 0);
    default:
        return 1;
    }
}

static void ask_for_extents(void)
{
    if (!tap_rc(host_get_extents(agent.conn, CXL_PAGE_MAX, 0, &page), 0,
                "4801 answers")) {
        page.n = 0;
    }
}

static bool is_in(const struct cxl_extent *e, unsigned region)
{
    const struct host_region *r = &regions.region[region];

    return e->dpa >= r->base && e->dpa - r->base < r->len;
}

static dev8_t *memory_of(const struct cxl_extent *e)
{
    return win.mem + (e->dpa - win.dpa);
}

/* All extents that the host has in a region; how many */
static unsigned touch_region(enum order what, unsigned region, uint64_t seed,
                             uint64_t *wrong)
{
    unsigned n = 0;

    *wrong = 0;
    for (uint32_t i = 0; i < page.n; i++) {
        const struct cxl_extent *e = &page.ext[i];

        if (is_in(e, region)) {
            *wrong += touch(what, memory_of(e), e->len, seed);
            n++;
        }
    }
    return n;
}

static void weigh_extent(unsigned region)
{
    const struct cxl_extent *e = page.ext;

    ask_for_extents();
    while (e < page.ext + page.n && !is_in(e, region)) {
        e++;
    }
    if (tap_check(e < page.ext + page.n && e->len >= WEIGH_BYTES,
                  "region %u: it has something there", region)) {
        weigh("head", memory_of(e));
    }
}

static const struct {
    const char *word, *says;
} orders[] = {
    [FILL] = { "fill", "writes to its memory" },
    [CHECK] = { "check", "reads what was written" },
    [ZEROES] = { "zeroes", "finds zeroes" },
    [NONE] = { "none", "has nothing there" },
};

static void keep_on(struct keeper *k, unsigned region, dev8_t *own)
{
    uint64_t wrong;

    while (true) {
        touch_region(FILL, region, k->seed, &wrong);
        memtest_fill(own, OWN_SIZE, OWN_STRIDE, k->seed);
        if (k->stop) {
            _exit(0);
        }
        touch_region(CHECK, region, k->seed, &wrong);
        k->wrong += wrong + memtest_check(own, OWN_SIZE, OWN_STRIDE, k->seed);
        k->seed++;
    }
}

/* It does not stand still, wherever it runs */
static bool keeps_on(void)
{
    uint64_t from = keeper->seed;

    for (unsigned i = 0; i < PASSES_S * 100; i++) {
        if (keeper->seed >= from + PASSES) {
            return true;
        }
        usleep(10000);
    }
    return false;
}

static void *fresh_memory(size_t size)
{
    void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return mem == MAP_FAILED ? NULL : mem;
}

static void keep(unsigned region)
{
    dev8_t *own = fresh_memory(OWN_SIZE);
    uint64_t wrong;

    keeper = fresh_memory(sizeof(*keeper));
    ask_for_extents();
    if (!tap_check(own && keeper, "there is memory for a process") ||
        !tap_check(touch_region(FILL, region, 0, &wrong),
                   "region %u: it has something there", region)) {
        return;
    }
    keeper_pid = fork();
    if (!keeper_pid) {
        keep_on(keeper, region, own);
    }
    tap_check(keeps_on(), "region %u: a process writes and checks it", region);
}

static void kept(void)
{
    if (!tap_check(keeper_pid > 0, "a process keeps memory")) {
        return;
    }
    tap_check(keeps_on(), "the process still writes and checks it");
    keeper->stop = true;
    waitpid(keeper_pid, NULL, 0);
    tap_say("%" PRIu64 " passes, %" PRIu64 " words wrong", keeper->seed,
            keeper->wrong);
    tap_check(!keeper->wrong, "it has found all that it wrote");
}

static bool knows(const char *word, unsigned region, uint64_t seed)
{
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        if (!strcmp(word, orders[i].word) && region < regions.n) {
            uint64_t wrong;
            unsigned n;
            bool ok;

            ask_for_extents();
            n = touch_region(i, region, seed, &wrong);
            ok = !wrong && !n == (i == NONE);
            tap_say("%s%s", orders[i].says, ok ? "" : ": BROKEN");
            tap_check(ok, "region %u: it %s", region, orders[i].says);
            return true;
        }
    }
    return false;
}

/* False: that was the last one */
static bool obey(const char *line)
{
    unsigned region = 0, seed = 0;
    char word[16] = "";

    sscanf(line, "%15s %u %u", word, &region, &seed);
    if (!strcmp(word, "end")) {
        return false;
    }
    if (!strcmp(word, "keep") && region < regions.n) {
        keep(region);
    } else if (!strcmp(word, "kept")) {
        kept();
    } else if (!strcmp(word, "weigh") && region < regions.n) {
        weigh_extent(region);
    } else if (!knows(word, region, seed)) {
        tap_check(false, "the host knows what '%s' is", line);
        return false;
    }
    tap_say("# done");
    return true;
}

static void live(void)
{
    struct pollfd p = { .fd = fileno(tap_out()), .events = POLLIN };
    char line[64];
    size_t len = 0;

    tap_say("# host is ready");
    while (true) {
        char c;

        if (poll(&p, 1, POLL_MS) > 0 && read(p.fd, &c, 1) == 1) {
            if (c != '\n' && len < sizeof(line) - 1) {
                line[len++] = c;
                continue;
            }
            line[len] = '\0';
            len = 0;
            if (!obey(line)) {
                return;
            }
        } else if (host_agent_run(&agent) < 0) {
            tap_check(false, "the host reads its log");
            return;
        }
    }
}

void scenario_host(void)
{
    struct cxl_conn *conn;
    struct utsname uts;
    uint64_t base;

    conn = memdev_open(MEMDEV);
    if (!tap_check(conn, "drivers bind " MEMDEV " and give its mailbox") ||
        !tap_rc(host_get_regions(conn, CXL_DC_REGIONS, 0, &regions), 0,
                "4800 answers") ||
        !tap_check(regions.n == 2, "the pool has two regions")) {
        return;
    }
    host_agent_init(&agent, conn, HOST_ACCEPT_ALL);
    agent.release = true;
    agent.told = host_tells;
    base = regions.region[0].base;
    if (!tap_rc(hdm_window_open(&win, MEMDEV, "decoder0.0", base,
                                regions.region[1].base +
                                regions.region[1].decode_len - base), 0,
                "a decoder maps the regions")) {
        return;
    }
    uname(&uts);
    tap_say("Linux %s", uts.release);
    live();
    tap_check(!dmesg_complaints(), "no warning in dmesg");
}
