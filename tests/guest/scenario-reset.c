/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "reset": what dynamic capacity is left when the machine starts anew
 * (CXL r3.2 9.13.3)
 *
 * The same program runs before and after. Before: the host holds an extent, has
 * not answered an offer and is asked to give the extent back. After: it finds
 * the extent with its contents, and nothing of the offer.
 */
#include <stdlib.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "dcd-bench.h"
#include "dmesg.h"
#include "region.h"
#include "scenario.h"
#include "tap.h"

#define MEMDEV      "mem0"
#define STRIDE      (64ul << 10)
#define SEED        17
#define HELD_TAG    50
#define OFFERED_TAG 51

static struct dcd_bench bench;

static void offer(const struct cxl_extent *ext)
{
    struct fm_order order = {
        .policy = FM_ADD_PRESCRIPTIVE, .ext = ext, .n = 1,
    };

    tap_rc(fm_add(bench.fm, &order), 0, "an extent is offered");
}

static void start_anew(void)
{
    fflush(tap_out());
    sync();
    reboot(RB_AUTOBOOT);
    exit(1);
}

static void before(void)
{
    struct cxl_extent held = bench_extent(&bench, 0, 0, bench.step, HELD_TAG);
    struct cxl_extent open = bench_extent(&bench, 0, bench.step, bench.step,
                                          OFFERED_TAG);
    struct fm_order back = {
        .policy = FM_RELEASE_PRESCRIPTIVE, .ext = &held, .n = 1,
    };
    dev8_t *mem = bench_mem(&bench, held.dpa);

    offer(&held);
    bench_host(&bench, HOST_ACCEPT_ALL);
    bench_expect(&bench, "before the reset", &held, 1, true);
    if (tap_check(mem != NULL, "memory of the extent is in reach")) {
        memtest_fill(mem, held.len, STRIDE, SEED);
    }
    offer(&open);
    bench_expect_offer(&bench, "before the reset", bench_tag(OFFERED_TAG), 1);
    tap_rc(fm_release(bench.fm, &back), 0, "the first is asked back");
    tap_note("the machine starts anew");
    start_anew();
}

static void after(void)
{
    struct cxl_extent held = bench_extent(&bench, 0, 0, bench.step, HELD_TAG);
    struct cxl_extent open = bench_extent(&bench, 0, bench.step, bench.step,
                                          OFFERED_TAG);
    struct cxl_range range = { held.dpa, held.len };
    static struct cxl_dc_events events;
    dev8_t *mem = bench_mem(&bench, held.dpa);

    tap_check(!fm_read_dc_events(bench.host, &events) && !events.n &&
              !events.overflow, "after the reset: the event log is empty");
    bench_expect(&bench, "after the reset", &held, 1, false);
    bench_expect_offer(&bench, "after the reset", bench_tag(OFFERED_TAG), 0);
    if (tap_check(mem != NULL, "memory of the extent is in reach")) {
        tap_check(!memtest_check(mem, held.len, STRIDE, SEED),
                  "after the reset: the extent's contents are there");
        bench_memory_absent(&bench, "after the reset", open.dpa, open.len);
    }
    tap_rc(host_respond(bench.host, NULL, 0), CXL_RC_INVALID_INPUT,
           "after the reset: there is nothing to answer");
    tap_rc(host_release(bench.host, &range, 1), 0, "the host gives it back");
    bench_expect(&bench, "at the end", NULL, 0, true);
    offer(&open);
    bench_host(&bench, HOST_ACCEPT_ALL);
    tap_rc(bench.agent.last_rc, 0, "a new offer can be accepted");
    tap_check(!dmesg_complaints(), "no warning in dmesg");
}

void scenario_reset(void)
{
    static struct cxl_extent_page page;
    struct cxl_conn *conn = memdev_open(MEMDEV);
    bool again;

    again = conn && !host_get_extents(conn, 1, 0, &page) && page.total;
    if (conn && !again) {
        tap_quiet();
    }
    region_of_static(MEMDEV);
    if (!tap_check(conn != NULL, "the mailbox can be reached") ||
        !bench_open(&bench, conn, conn, MEMDEV, false)) {
        return;
    }
    if (again) {
        after();
    } else {
        before();
    }
}
