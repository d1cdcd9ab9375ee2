/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "noise": thousands of Fabric Manager commands over MCTP while
 * somebody else sends broken packets to the same endpoint
 *
 * Packets of strangers must not disturb at all. Where an impostor claims to be
 * the Fabric Manager, a command may end in a clean timeout, or with the answer
 * to a request of the impostor that bore its MCTP tag, which the Fabric Manager
 * refuses; never in a wrong answer. Nothing may wedge, and the runner watches
 * that QEMU's memory does not grow.
 */
#include <errno.h>

#include "dmesg.h"
#include "host-agent.h"
#include "mctp-link.h"
#include "mctp-noise.h"
#include "region.h"
#include "scenario.h"
#include "tap.h"

#define MEMDEV      "mem0"
#define COMMANDS    10000
/* The runner's measure of QEMU's memory starts behind the warm-up */
#define WARM_UP     2000
/* With an impostor; each timeout is 6 s long */
#define SPOILED     1000
#define LOST_MAX    10
#define IN_SILENCE  200
#define STEP        (UINT64_C(32) << 20)
#define SEED        20260101

struct count {
    unsigned right, lost, wrong;
};

struct run {
    struct cxl_conn *fm;
    struct host_agent agent;
    struct fm_identity id;
    struct fm_dcd_info info;
    struct count count;
};

static void score(struct run *run, int rc, bool same, const char *what)
{
    if (rc == -ETIMEDOUT || rc == -EPROTO) {
        run->count.lost++;
    } else if (rc || !same) {
        if (!run->count.wrong++) {
            tap_note("%s: %s", what, rc ? cxl_rc_name(rc) : "other content");
        }
    } else {
        run->count.right++;
    }
}

static void ask(struct run *run, unsigned i)
{
    static struct cxl_extent_page page;
    static struct fm_tags tags;
    static struct fm_cel cel;
    struct fm_identity id = { 0 };
    struct fm_dcd_info info = { 0 };
    struct fm_regions regions;
    int rc;

    switch (i % 6) {
    case 0:
        rc = fm_identify(run->fm, &id);
        score(run, rc, id.serial == run->id.serial, "0001");
        break;
    case 1:
        rc = fm_get_dcd_info(run->fm, &info);
        score(run, rc, info.capacity == run->info.capacity, "5600");
        break;
    case 2:
        rc = fm_get_regions(run->fm, 0, CXL_DC_REGIONS, 0, &regions);
        score(run, rc, regions.n == run->info.regions, "5601");
        break;
    case 3:
        rc = fm_get_extents(run->fm, 0, 8, 0, &page);
        score(run, rc, page.total == 0, "5603");
        break;
    case 4:
        rc = fm_list_tags(run->fm, 0, 8, &tags);
        score(run, rc, tags.total == 0, "5608");
        break;
    default:
        rc = fm_read_cel(run->fm, &cel);
        score(run, rc, cel.n && fm_cel_find(&cel, 0x5608), "0401");
        break;
    }
}

/*
 * A whole life of an extent.  5604 and 5605 whose answer got lost may or may
 * not have been carried out: the host's list tells.
 */
static void live(struct run *run)
{
    static struct cxl_dc_events events;
    static const uint8_t tag[16] = { 0x77 };
    struct fm_order order = {
        .policy = FM_ADD_CONTIGUOUS, .len = STEP, .tag = tag,
    };
    static struct cxl_extent_page page;

    score(run, fm_add(run->fm, &order), true, "5604");
    host_agent_run(&run->agent);
    if (host_get_extents(run->agent.conn, 1, 0, &page) || !page.total) {
        return;
    }
    order.policy = FM_RELEASE_TAG | FM_RELEASE_FORCED;
    score(run, fm_release(run->fm, &order), true, "5605");
    host_agent_run(&run->agent);
    if (!host_get_extents(run->agent.conn, 1, 0, &page) && page.total) {
        struct cxl_range range = { page.ext[0].dpa, page.ext[0].len };

        host_release(run->agent.conn, &range, 1);
    }
    if (!fm_read_dc_events(run->fm, &events) && events.n) {
        fm_clear_dc_events(run->fm, &events, events.n);
    }
}

static void run_commands(struct run *run, unsigned n)
{
    run->count = (struct count) { 0 };
    for (unsigned i = 0; i < n; i++) {
        if (i % 50 == 49) {
            live(run);
        } else {
            ask(run, i);
        }
        if (i % 1000 == 999) {
            tap_note("%u commands", i + 1);
        }
        if (i == WARM_UP) {
            tap_note("memory: from here");
        }
    }
}

static void run_with_noise(struct run *run, int adapter, bool impostor,
                           unsigned n)
{
    pid_t noise = mctp_noise_start(adapter, MCTP_FIRST_I2C, MCTP_FIRST_EID,
                                   SEED, impostor);
    unsigned packets;

    if (!tap_check(noise > 0, "noise of %s, seed %d",
                   impostor ? "an impostor" : "a stranger", SEED)) {
        return;
    }
    run_commands(run, n);
    packets = mctp_noise_stop(noise);
    tap_note("%u right, %u lost, %u wrong, %u packets of noise",
             run->count.right, run->count.lost, run->count.wrong, packets);
    tap_check(packets > n / 100, "there was noise all the time");
    tap_check(!run->count.wrong, "no answer was wrong");
}

static bool prepare(struct run *run, int *adapter)
{
    struct mctp_peer peer = { .i2c = MCTP_FIRST_I2C, .eid = MCTP_FIRST_EID };
    struct cxl_conn *host = memdev_open(MEMDEV);
    struct mctp_link link;

    if (!host || mctp_link_up(&link) || mctp_link_peer(&link, &peer)) {
        return false;
    }
    *adapter = link.adapter;
    run->fm = mctp_link_connect(&peer);
    if (!run->fm) {
        return false;
    }
    host_agent_init(&run->agent, host, HOST_ACCEPT_ALL);
    return !fm_identify(run->fm, &run->id) &&
           !fm_get_dcd_info(run->fm, &run->info);
}

void scenario_noise(void)
{
    static struct run run;
    int adapter = -1;

    if (!tap_check(prepare(&run, &adapter),
                   "FM and host have their transports")) {
        return;
    }
    run_with_noise(&run, adapter, false, COMMANDS);
    tap_check(!run.count.lost, "all commands were answered");
    tap_note("memory: to here");
    run_with_noise(&run, adapter, true, SPOILED);
    tap_check(run.count.lost <= LOST_MAX,
              "nearly all commands were answered");
    run_commands(&run, IN_SILENCE);
    tap_check(!run.count.lost && !run.count.wrong,
              "in silence all commands are answered");
    tap_check(!dmesg_complaints(), "no warning in dmesg");
}
