/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "dcd": Fabric Manager and host share the PCI mailbox of one device
 */
#include "dcd-bench.h"
#include "dmesg.h"
#include "region.h"
#include "scenario.h"
#include "tap.h"

#define MEMDEV      "mem0"

void scenario_dcd(void)
{
    static struct dcd_bench bench;
    struct cxl_conn *conn;

    conn = memdev_open(MEMDEV);
    if (!tap_check(conn, "drivers bind " MEMDEV " and give its mailbox")) {
        return;
    }
    /* The driver's own decoder comes first, the one for DC memory above it */
    region_of_static(MEMDEV);
    if (bench_open(&bench, conn, conn, MEMDEV, false)) {
        dcd_test_all(&bench);
    }
    cxl_conn_close(conn);
    tap_check(!dmesg_complaints(), "no warning in dmesg");
}
