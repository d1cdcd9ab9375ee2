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
 *   end
 */
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "dmesg.h"
#include "fm-print.h"
#include "hdm-window.h"
#include "host-agent.h"
#include "region.h"
#include "scenario.h"
#include "tap.h"

#define SETTLE_S    30
#define MEMDEV      "mem0"
/* Words that are touched lie this far apart */
#define STRIDE      (64ul << 10)
/* How often the event log is looked at */
#define POLL_MS     20

static struct host_agent agent;
static struct host_regions regions;
static struct hdm_window win;

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

/* All extents that the host has in a region; how many */
static unsigned touch_region(enum order what, unsigned region, uint64_t seed,
                             uint64_t *wrong)
{
    const struct host_region *r = &regions.region[region];
    static struct cxl_extent_page page;
    unsigned n = 0;

    *wrong = 0;
    if (!tap_rc(host_get_extents(agent.conn, CXL_PAGE_MAX, 0, &page), 0,
                "4801 answers")) {
        return 0;
    }
    for (uint32_t i = 0; i < page.n; i++) {
        const struct cxl_extent *e = &page.ext[i];

        if (e->dpa >= r->base && e->dpa - r->base < r->len) {
            *wrong += touch(what, win.mem + (e->dpa - win.dpa), e->len, seed);
            n++;
        }
    }
    return n;
}

static const struct {
    const char *word, *says;
} orders[] = {
    [FILL] = { "fill", "writes to its memory" },
    [CHECK] = { "check", "reads what was written" },
    [ZEROES] = { "zeroes", "finds zeroes" },
    [NONE] = { "none", "has nothing there" },
};

/* False: that was the last one */
static bool obey(const char *line)
{
    unsigned region = 0, seed = 0;
    char word[16] = "";
    uint64_t wrong;

    sscanf(line, "%15s %u %u", word, &region, &seed);
    if (!strcmp(word, "end")) {
        return false;
    }
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        if (!strcmp(word, orders[i].word) && region < regions.n) {
            unsigned n = touch_region(i, region, seed, &wrong);
            bool ok = !wrong && !n == (i == NONE);

            tap_say("%s%s", orders[i].says, ok ? "" : ": BROKEN");
            tap_check(ok, "region %u: it %s", region, orders[i].says);
            tap_say("# done");
            return true;
        }
    }
    tap_check(false, "the host knows what '%s' is", line);
    return false;
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

    if (!tap_check(sys_await(SETTLE_S, "/dev/cxl/" MEMDEV) &&
                   sys_await(SETTLE_S, CXL_SYS "/" MEMDEV "/driver"),
                   "drivers bind " MEMDEV)) {
        return;
    }
    conn = cxl_conn_open_ioctl("/dev/cxl/" MEMDEV);
    if (!tap_check(conn, "the mailbox can be reached") ||
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
