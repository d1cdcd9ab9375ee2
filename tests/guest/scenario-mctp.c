/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "mctp": the Fabric Manager comes over MCTP on I2C or on USB, the
 * host over the PCI mailbox, from one unmodified kernel (DSP0237, DSP0283,
 * DSP0234, DSP0281)
 */
#include <errno.h>
#include <unistd.h>

#include "dcd-bench.h"
#include "dmesg.h"
#include "mctp-control.h"
#include "mctp-link.h"
#include "program.h"
#include "region.h"
#include "scenario.h"
#include "tap.h"

#define SETTLE_S    30
#define MEMDEV      "mem0"
#define TYPE_3      3
#define NOTICE_TAG  1
/* A notice that is not answered is repeated after two seconds */
#define NOTICE_MS   10000
#define SILENCE_MS  2500
/* In the machine of scripts/run-guest.py */
#define USB_ID      "usb0"
#define CYCLES      50
#define NAP_MS      20
#define MTU_MIN     68
#define MTU_MAX     251
/* Bytes of a request that has none, in several transfers of 512 */
#define LONG_REQUEST 1000

static struct mctp_link fm_link;

static bool is_usb(void)
{
    return fm_link.adapter < 0;
}

static struct cxl_conn *bring_up(void)
{
    struct mctp_peer peer = { .i2c = MCTP_FIRST_I2C, .eid = MCTP_FIRST_EID };
    static const uint8_t no_uuid[16];
    struct mctp_addr_to to;
    uint8_t answer[MCTP_CTRL_MAX];

    if (!tap_check(mctp_link_present(),
                   "an I2C controller or a USB device has a driver") ||
        !tap_rc(mctp_link_up(&fm_link), 0, "the MCTP link comes up") ||
        !tap_rc(mctp_link_peer(&fm_link, &peer), 0,
                "the endpoint takes an ID and answers")) {
        return NULL;
    }
    tap_check(peer.type_fm && peer.type_cci,
              "the endpoint offers FM API and CCI messages");
    tap_check(memcmp(peer.uuid, no_uuid, 16), "the endpoint has a UUID");
    to = (struct mctp_addr_to) { .eid = peer.eid };
    tap_check(mctp_control(&to, 0x7f, NULL, 0, answer) ==
              -(MCTP_CC_BASE + MCTP_CC_UNSUPPORTED),
              "an unknown control command is refused");
    to = (struct mctp_addr_to) { .ifindex = fm_link.index, .i2c = peer.i2c };
    tap_check(mctp_control(&to, 0x01, "\0\xff", 2, answer) ==
              -(MCTP_CC_BASE + MCTP_CC_INVALID_DATA),
              "endpoint ID 255 is refused");
    return mctp_link_connect(&peer);
}

/* The same question on both transports */
static void compare(struct cxl_conn *fm, struct cxl_conn *host)
{
    static const uint16_t question[] = { 0x4000, 0x5600 };
    struct cxl_req req;
    struct cxl_rsp a, b;
    struct fm_identity id;

    tap_check(!fm_identify(fm, &id) && id.type == TYPE_3 &&
              id.max_msg_log2 >= 8 && id.max_msg_log2 <= 20,
              "0001 tells a Type 3 device");
    for (size_t i = 0; i < sizeof(question) / sizeof(question[0]); i++) {
        int rc;

        req_start(&req, question[i]);
        rc = cxl_run(fm, &req, &a);
        if (rc == CXL_RC_UNSUPPORTED) {
            tap_skip("same answer", "not on the FM's interface");
            continue;
        }
        tap_check(!rc && !cxl_run(host, &req, &b) && a.len == b.len &&
                  !memcmp(a.data, b.data, a.len),
                  "%04x gives the same bytes on both transports", question[i]);
    }
    req_start(&req, 0x4802);
    req_zeros(&req, 8);
    tap_rc(cxl_run(fm, &req, &a), CXL_RC_UNSUPPORTED,
           "the host's commands are not for the FM");
}

/* The program for people, a static one here, takes both transports too */
static void try_program(const char *name)
{
    program_ok("cxl-fm --connect %s --json info", name);
    program_says("\"hosts\": 1, \"capacity\": ");
    program_ok("cxl-fm --connect %s regions", name);
    program_says("region 1 at 0x");
    tap_check(program_run("cxl-fm --connect %s extents --host 9", name) == 1,
              "an error of the component is status 1");
    program_says("5603h Get DC Region Extent Lists: the component answers "
                 "02h, invalid input: there is no such host");
}

/* An FM that waits to be told, by way of a socket of its own */
static void be_told(struct dcd_bench *b)
{
    struct cxl_extent ext = bench_extent(b, 0, 0, b->step, NOTICE_TAG);
    struct fm_order order = {
        .policy = FM_ADD_PRESCRIPTIVE, .ext = &ext, .n = 1,
    };
    static struct cxl_dc_events old;
    uint16_t policy = 0;

    while (!fm_read_dc_events(b->fm, &old) && old.n &&
           !fm_clear_dc_events(b->fm, &old, old.n)) {
        continue;
    }
    tap_rc(b->fm->await(b->fm, 0), 0, "the FM listens, nobody speaks");
    tap_rc(fm_set_notices(b->fm, FM_NOTICE_DC), 0, "0105 answers");
    tap_rc(fm_get_notices(b->fm, &policy), 0, "0104 answers");
    tap_check(policy == FM_NOTICE_DC, "... with what was set");
    tap_rc(fm_add(b->fm, &order), 0, "an extent is offered");
    tap_rc(b->fm->await(b->fm, 0), 0, "an offer is no news");
    bench_host(b, HOST_ACCEPT_ALL);
    tap_check(b->fm->await(b->fm, NOTICE_MS) == FM_NOTICE_DC,
              "the device tells that its log has a record");
    bench_expect_fm_records(b, "told", CXL_EV_ADD_RESPONSE, 1);
    /* longer than an answer is waited for: ours has arrived */
    tap_rc(b->fm->await(b->fm, SILENCE_MS), 0, "it does so once");
    order.policy = FM_RELEASE_PRESCRIPTIVE | FM_RELEASE_FORCED;
    tap_rc(fm_release(b->fm, &order), 0, "the extent is taken back");
    tap_rc(fm_set_notices(b->fm, 0), 0, "0105 ends it");
    bench_host(b, HOST_ACCEPT_ALL);
    bench_forget(b);
}

/* Linux counts what it could not make sense of */
static void expect_no_loss(void)
{
    static const char *const counter[] = {
        "rx_errors", "rx_dropped", "rx_length_errors", "tx_errors",
        "tx_dropped",
    };

    for (size_t i = 0; i < sizeof(counter) / sizeof(counter[0]); i++) {
        uint64_t n = 1;

        tap_check(!sys_read_u64(&n, "/sys/class/net/%s/statistics/%s",
                                fm_link.name, counter[i]) && n == 0,
                  "%s of %s is 0", counter[i], fm_link.name);
    }
}

/* Linux takes out what was there before it looks what else there is */
static bool is_another(void)
{
    uint64_t index = fm_link.index;

    for (unsigned ms = 0; ms < SETTLE_S * 1000 && index == fm_link.index;
         ms += NAP_MS) {
        usleep(NAP_MS * 1000);
        if (sys_read_u64(&index, "/sys/class/net/%s/ifindex", fm_link.name)) {
            index = fm_link.index;
        }
    }
    return index != fm_link.index;
}

/* Requests in packets of every size that the binding allows */
static void resize(struct cxl_conn *fm)
{
    static const uint32_t mtus[] = { 69, 250, MTU_MAX, MTU_MIN };
    struct cxl_req req;
    struct cxl_rsp rsp;

    req_start(&req, 0x0001);
    req_zeros(&req, LONG_REQUEST);
    for (size_t i = 0; i < sizeof(mtus) / sizeof(mtus[0]); i++) {
        tap_rc(mctp_link_mtu(&fm_link, MCTP_FIRST_EID, mtus[i]), 0,
               "the MTU becomes %u", mtus[i]);
        tap_rc(cxl_run(fm, &req, &rsp), CXL_RC_PAYLOAD_LENGTH,
               "all of a long request arrives");
    }
    tap_check(mctp_link_mtu(&fm_link, MCTP_FIRST_EID, MTU_MAX + 1) < 0,
              "an MTU of %u is too much", MTU_MAX + 1);
}

/* The link goes down and up, the device is taken out and put in again */
static struct cxl_conn *disturb(struct cxl_conn *fm)
{
    struct mctp_peer peer = { .eid = MCTP_FIRST_EID };
    struct fm_identity id;
    unsigned good = 0;

    for (unsigned i = 0; i < CYCLES; i++) {
        good += !mctp_link_set(&fm_link, false) &&
                !mctp_link_set(&fm_link, true) && !fm_identify(fm, &id);
    }
    tap_check(good == CYCLES, "the link goes down and up %u times", CYCLES);
    cxl_conn_close(fm);
    tap_check(tap_ask("unplug " USB_ID), "the USB device is taken out");
    tap_check(tap_ask("plug " USB_ID), "... and plugged in again");
    tap_check(is_another(), "its interface is another one");
    if (!tap_rc(mctp_link_usb(&fm_link, 0), 0, "a new interface comes up") ||
        !tap_rc(mctp_link_peer(&fm_link, &peer), 0,
                "the new endpoint takes an ID and answers")) {
        return NULL;
    }
    fm = mctp_link_connect(&peer);
    tap_check(fm && !fm_identify(fm, &id) && id.type == TYPE_3,
              "0001 tells the same device");
    return fm;
}

void scenario_mctp(void)
{
    static struct dcd_bench bench;
    struct cxl_conn *fm, *host;

    host = memdev_open(MEMDEV);
    region_of_static(MEMDEV);
    fm = bring_up();
    if (!tap_check(host && fm, "FM and host have their transports")) {
        return;
    }
    compare(fm, host);
    try_program(fm->name);
    try_program(host->name);
    if (bench_open(&bench, fm, host, MEMDEV, true)) {
        dcd_test_all(&bench);
        be_told(&bench);
    }
    if (is_usb()) {
        resize(fm);
        expect_no_loss();
        fm = disturb(fm);
    }
    tap_check(!dmesg_complaints(), "no warning in dmesg");
    cxl_conn_close(fm);
    cxl_conn_close(host);
}
