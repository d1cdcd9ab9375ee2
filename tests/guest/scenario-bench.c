/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "bench": what memory and commands cost, as a guest sees it
 *
 * It runs on the unmodified base too, which has the host's commands only: the
 * Fabric Manager's part is done through the monitor, or left out.
 */
#include "hdm-window.h"
#include "host-agent.h"
#include "mctp-link.h"
#include "scenario.h"
#include "tap.h"
#include "weigh.h"

#define MEMDEV      "mem0"
#define WINDOW_UNIT (256ull << 20)
/* The monitor's name for it, and what it shall give */
#define DEVICE      "mem0"
#define EXTENT      (32ull << 20)
/* Commands of a kind, and how often so many for the median */
#define COMMANDS    50
#define TURNS       9

static void weigh_static(void)
{
    struct ram_region region;

    if (tap_rc(region_create(&region, "decoder0.0", MEMDEV), 0,
               "a region takes the static capacity")) {
        weigh_region("static", &region);
    }
}

static void weigh_dynamic(struct cxl_conn *host)
{
    static struct host_agent agent;
    struct host_regions regions;
    struct hdm_window win;
    char wish[80];

    if (!tap_rc(host_get_regions(host, CXL_DC_REGIONS, 0, &regions), 0,
                "4800 answers") ||
        !tap_rc(hdm_window_open(&win, MEMDEV, "decoder0.0",
                                regions.region[0].base, WINDOW_UNIT), 0,
                "a decoder takes dynamic capacity")) {
        return;
    }
    snprintf(wish, sizeof(wish), "offer " DEVICE " 0 0x%llx", EXTENT);
    host_agent_init(&agent, host, HOST_ACCEPT_ALL);
    if (!tap_check(tap_ask(wish), "an extent is offered") ||
        !tap_check(host_agent_run(&agent) >= 0 && agent.groups == 1 &&
                   !agent.last_rc, "the host accepts it")) {
        return;
    }
    weigh("dynamic", win.mem);
    /* what is not there is not reached without a trap each time */
    weigh("absent", win.mem + EXTENT);
}

static double command_ns(struct cxl_conn *conn, const struct cxl_req *req)
{
    static struct cxl_rsp rsp;
    double ns[TURNS];
    int rc = 0;

    for (unsigned turn = 0; turn < TURNS; turn++) {
        uint64_t start = weigh_now();

        for (unsigned i = 0; i < COMMANDS && !rc; i++) {
            rc = cxl_run(conn, req, &rsp);
        }
        ns[turn] = (double)(weigh_now() - start) / COMMANDS;
    }
    tap_rc(rc, 0, "%04xh runs by way of %s", req->opcode, conn->name);
    return weigh_median(ns, TURNS);
}

/* Commands that the base has as well */
static void time_host(struct cxl_conn *host)
{
    static struct cxl_req req;

    req_start(&req, 0x4000);
    weigh_figure("host", "4000", command_ns(host, &req));
    req_start(&req, 0x4801);
    req_num(&req, CXL_PAGE_MAX, 4);
    req_zeros(&req, 4);
    weigh_figure("host", "4801", command_ns(host, &req));
}

static void time_manager(const char *transport, struct cxl_conn *fm)
{
    static struct cxl_req req;

    req_start(&req, 0x5600);
    weigh_figure(transport, "5600", command_ns(fm, &req));
    req_start(&req, 0x5603);
    req_zeros(&req, 4);
    req_num(&req, CXL_PAGE_MAX, 4);
    req_zeros(&req, 4);
    weigh_figure(transport, "5603", command_ns(fm, &req));
}

/* The endpoint on USB of the same device, which has an ID on I2C already */
static struct cxl_conn *open_usb(void)
{
    struct mctp_peer peer = { .eid = MCTP_FIRST_EID + 1 };
    struct mctp_link link;

    if (mctp_link_usb(&link, 0) || mctp_link_peer(&link, &peer)) {
        return NULL;
    }
    return mctp_link_connect(&peer);
}

void scenario_bench(void)
{
    struct cxl_conn *fm, *host;

    host = memdev_open(MEMDEV);
    if (!tap_check(host, "drivers bind " MEMDEV " and give its mailbox")) {
        return;
    }
    weigh_static();
    weigh_dynamic(host);
    time_host(host);
    fm = mctp_link_open_first();
    if (fm) {
        time_manager("mailbox", host);
        time_manager("i2c", fm);
    }
    if (fm && sys_exists("/sys/bus/usb/devices/usb1")) {
        cxl_conn_close(fm);
        fm = open_usb();
        if (tap_check(fm != NULL, "the FM has a transport on USB")) {
            time_manager("usb", fm);
        }
    }
    cxl_conn_close(fm);
    cxl_conn_close(host);
}
