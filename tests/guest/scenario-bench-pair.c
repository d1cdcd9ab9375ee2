/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "bench-pair": what interleaved memory costs, as a guest sees it
 * (CXL r3.2 9.13.1)
 *
 * Two devices behind one host bridge; a quarter of each for each granularity.
 */
#include "scenario.h"
#include "tap.h"
#include "weigh.h"

#define SETTLE_S    30
#define EACH        (256ull << 20)

void scenario_bench_pair(void)
{
    static const unsigned granularity[] = { 256, 1024, 4096, 16384 };

    if (!tap_check(sys_await(SETTLE_S, CXL_SYS "/mem0/driver") &&
                   sys_await(SETTLE_S, CXL_SYS "/mem1/driver"),
                   "drivers bind two devices")) {
        return;
    }
    for (size_t i = 0; i < sizeof(granularity) / sizeof(*granularity); i++) {
        const struct region_plan plan = {
            .memdev = { "mem0", "mem1" }, .ways = 2, .each = EACH,
            .granularity = granularity[i],
        };
        struct ram_region region;
        char name[32];

        if (!tap_rc(region_create_as(&region, "decoder0.0", &plan), 0,
                    "a region has chunks of %u bytes", granularity[i])) {
            return;
        }
        snprintf(name, sizeof(name), "interleaved-%u", granularity[i]);
        weigh_region(name, &region);
    }
}
