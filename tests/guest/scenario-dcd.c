/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "dcd": Fabric Manager and host share the PCI mailbox of one device
 */
#include "dcd-bench.h"
#include "dmesg.h"
#include "region.h"
#include "scenario.h"
#include "tap.h"

#define SETTLE_S    30
#define MEMDEV      "mem0"

void scenario_dcd(void)
{
    static struct dcd_bench bench;
    struct cxl_conn *conn;

    if (!tap_check(sys_await(SETTLE_S, "/dev/cxl/" MEMDEV) &&
                   sys_await(SETTLE_S, CXL_SYS "/" MEMDEV "/driver"),
                   "drivers bind " MEMDEV)) {
        return;
    }
    /* The driver's own decoder comes first, the one for DC memory above it */
    region_of_static(MEMDEV);
    conn = cxl_conn_open_ioctl("/dev/cxl/" MEMDEV);
    if (!tap_check(conn != NULL, "the mailbox can be reached")) {
        return;
    }
    if (bench_open(&bench, conn, conn, MEMDEV, false)) {
        dcd_test_all(&bench);
    }
    cxl_conn_close(conn);
    tap_check(!dmesg_complaints(), "no warning in dmesg");
}
