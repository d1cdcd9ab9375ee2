/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "demo": the guest's half of a story for people.  A Fabric Manager
 * outside, scripts/fm_story.py, gives this host memory and takes it back; every
 * event that the host reads is told, with its answer
 */
#include <inttypes.h>
#include <poll.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "dcd-bench.h"
#include "fm-print.h"
#include "region.h"
#include "scenario.h"
#include "tap.h"

#define MEMDEV      "mem0"
#define MIB         (UINT64_C(1) << 20)
/* How often the event log is looked at */
#define POLL_MS     20

static struct dcd_bench bench;

/* Called by the agent for every record, after its answer */
static void host_tells(struct host_agent *agent,
                       const struct cxl_dc_event *ev, const char *answer)
{
    char size[FM_TEXT];

    tap_say("event: %s", fm_event_name(ev->type));
    tap_say("  %s at 0x%" PRIx64 "%s", fm_text_size(size, ev->extent.len),
            ev->extent.dpa, ev->more ? ", and more" : "");
    if (answer) {
        tap_say("  %s: %s, %s", answer,
                ev->type == CXL_EV_RELEASE ? "4803h" : "4802h",
                cxl_rc_name(agent->last_rc));
        tap_rc(agent->last_rc, 0, "the host's answer is taken");
    }
    if (bench.nr_rec < BENCH_RECORDS) {
        bench.rec[bench.nr_rec++] = *ev;
    }
}

static void topology(const struct ram_region *region)
{
    struct utsname uts;

    uname(&uts);
    tap_say("Linux %s, the host", uts.release);
    tap_say("/dev/cxl/" MEMDEV ": %" PRIu64 " MiB static as %s, %" PRIu64
            " MiB dynamic, none of it here yet", region->size / MIB,
            region->name, bench.info.capacity / MIB);
}

static void use_memory(const struct cxl_extent *ext)
{
    dev8_t *mem = bench_mem(&bench, ext->dpa);
    bool ok;

    if (!mem) {
        return;
    }
    ok = !memtest_words(mem, ext->len, 64 << 10);
    tap_say("writes and reads it at 0x%" PRIx64 ": %s",
            bench.win.hpa + ext->dpa - bench.win.dpa, ok ? "intact" : "BROKEN");
    tap_check(ok, "the new memory keeps what is written");
}

/* What the host thinks of the first, the second ... offer */
static enum host_policy taste(unsigned offers)
{
    static const enum host_policy order[] = {
        HOST_ACCEPT_ALL, HOST_ACCEPT_PART, HOST_REFUSE
    };
    const unsigned n = sizeof(order) / sizeof(order[0]);

    return offers < n ? order[offers] : HOST_ACCEPT_ALL;
}

static void ready(void)
{
    tap_say("# host is ready");
    fflush(tap_out());
}

/* The runner sends a line when the story is over; or it went wrong */
static bool over(int wait_ms)
{
    struct pollfd p = { .fd = fileno(tap_out()), .events = POLLIN };

    return poll(&p, 1, wait_ms) > 0;
}

static void live(void)
{
    int n;

    ready();
    while (!over(POLL_MS)) {
        unsigned offers = bench.agent.groups;

        bench_forget(&bench);
        bench.agent.policy = taste(offers);
        n = host_agent_run(&bench.agent);
        if (n < 0) {
            tap_rc(n, 0, "the host reads its log");
            return;
        }
        if (n > 0) {
            if (!offers && bench.agent.groups) {
                use_memory(&bench.rec[0].extent);
            }
            ready();
        }
    }
}

void scenario_demo(void)
{
    struct ram_region region = { .name = "" };
    struct cxl_conn *host;

    host = memdev_open(MEMDEV);
    if (!tap_check(host, "drivers bind " MEMDEV " and give its mailbox")) {
        return;
    }
    tap_rc(region_create(&region, "decoder0.0", MEMDEV), 0,
           "a region takes the static capacity");
    if (!bench_open(&bench, host, host, MEMDEV, false)) {
        return;
    }
    bench.agent.told = host_tells;
    topology(&region);
    live();
}
