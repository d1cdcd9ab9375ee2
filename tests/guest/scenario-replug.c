/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "replug": Linux lets the device go and takes it back, twice; the
 * device comes back empty
 */
#include <time.h>
#include <unistd.h>

#include "dcd-bench.h"
#include "dmesg.h"
#include "region.h"
#include "scenario.h"
#include "tap.h"

#define SETTLE_S    30
#define DEVICE      "mem0"
#define ROUNDS      2

/* The only memory device, whatever number it has got */
static bool find(char *name, size_t size, bool there)
{
    for (unsigned i = 0; i < SETTLE_S * 20; i++) {
        bool found = !sys_find(name, size, "/dev/cxl", "mem");

        if (found == there && (!there || sys_exists(CXL_SYS "/%s/driver",
                                                    name))) {
            return true;
        }
        usleep(50 * 1000);
    }
    return false;
}

/* An extent is held and an offer is open when the device goes */
static void use(const char *memdev)
{
    static struct host_agent agent;
    static struct cxl_extent_page page;
    struct fm_order order = {
        .policy = FM_ADD_CONTIGUOUS, .tag = bench_tag(60),
    };
    struct fm_regions regions;
    struct cxl_conn *conn;

    conn = memdev_open(memdev);
    if (!tap_check(conn && !fm_get_regions(conn, 0, 8, 0, &regions) &&
                   regions.n, "the mailbox answers")) {
        return;
    }
    tap_check(!host_get_extents(conn, 1, 0, &page) && !page.total &&
              regions.counts.extents_free == regions.counts.extents,
              "the device is empty");
    order.len = regions.region[0].block;
    host_agent_init(&agent, conn, HOST_ACCEPT_ALL);
    tap_rc(fm_add(conn, &order), 0, "an extent is offered");
    tap_check(host_agent_run(&agent) == 1 && !agent.last_rc,
              "the host accepts it");
    order.tag = bench_tag(61);
    tap_rc(fm_add(conn, &order), 0, "another is offered");
    cxl_conn_close(conn);
}

void scenario_replug(void)
{
    char memdev[64];

    for (unsigned i = 0; i <= ROUNDS; i++) {
        if (!tap_check(find(memdev, sizeof(memdev), true),
                       "drivers bind the device")) {
            return;
        }
        use(memdev);
        if (i < ROUNDS) {
            time_t start = time(NULL);

            tap_check(tap_ask("unplug " DEVICE) &&
                      find(memdev, sizeof(memdev), false),
                      "the device goes");
            tap_note("that took %ld s", (long)(time(NULL) - start));
            tap_check(tap_ask("plug " DEVICE), "a device is plugged in");
        }
    }
    tap_check(!dmesg_complaints(), "no warning in dmesg");
}
