/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "bench-pair": what interleaved memory costs, as a guest sees it
 * (CXL r3.2 9.13.1)
 *
 * Two devices behind one host bridge, a quarter of each for each granularity;
 * or three behind three, which is how Linux takes them ("cxlthree=1").
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario.h"
#include "tap.h"
#include "weigh.h"

#define SETTLE_S    30
#define EACH        (256ull << 20)
#define FINEST      256

/* Linux numbers devices as they come; the window has bridges in their order */
static int by_place(const void *a, const void *b)
{
    char path[2][PATH_MAX] = { "", "" };

    for (unsigned i = 0; i < 2; i++) {
        char link[64];

        snprintf(link, sizeof(link), CXL_SYS "/%s", (const char *)(i ? b : a));
        if (!realpath(link, path[i])) {
            path[i][0] = '\0';
        }
    }
    return strcmp(path[0], path[1]);
}

static void weigh_ways(unsigned ways, unsigned granularity)
{
    char memdev[3][8] = { "mem0", "mem1", "mem2" };
    struct region_plan plan = {
        .ways = ways, .each = EACH, .granularity = granularity,
    };
    struct ram_region region;
    char name[32];

    qsort(memdev, ways, sizeof(memdev[0]), by_place);
    for (unsigned i = 0; i < ways; i++) {
        plan.memdev[i] = memdev[i];
    }
    if (tap_rc(region_create_as(&region, "decoder0.0", &plan), 0,
               "%u ways have chunks of %u bytes", ways, granularity)) {
        snprintf(name, sizeof(name), "%u-ways-%u", ways, granularity);
        weigh_region(name, &region);
    }
}

void scenario_bench_pair(void)
{
    static const unsigned granularity[] = { FINEST, 1024, 4096, 16384 };
    /* words of the kernel's command line come to us so */
    bool three = getenv("cxlthree");

    for (unsigned n = 0; n < (three ? 3u : 2u); n++) {
        if (!tap_check(sys_await(SETTLE_S, CXL_SYS "/mem%u/driver", n),
                       "a driver binds mem%u", n)) {
            return;
        }
    }
    if (three) {
        weigh_ways(3, FINEST);
        return;
    }
    for (size_t i = 0; i < sizeof(granularity) / sizeof(*granularity); i++) {
        weigh_ways(2, granularity[i]);
    }
}
