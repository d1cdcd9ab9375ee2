/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenarios "manager" and "managed": two machines. The Fabric Manager runs
 * in the one, on Linux's MCTP over a serial line (DSP0253); the other has the
 * device, and a host that knows nothing of it but offers and requests.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/mctp.h>

#include "dmesg.h"
#include "fm-cmds.h"
#include "host-agent.h"
#include "mctp-link.h"
#include "region.h"
#include "scenario.h"
#include "sysfs.h"
#include "tap.h"

#ifndef AF_MCTP
#define AF_MCTP         45
#endif

#define LINE            "/dev/ttyS2"
/* The other machine boots at the same time, perhaps without KVM */
#define OTHER_S         240
#define NAP_MS          50
#define TYPE_3          3
#define TYPE_CCI        8
#define SET_POLICY      0x0105
#define NOTICE          0x0106
#define NOTICE_DC       (1 << CXL_LOG_DC)
/* CCI message header without the type byte, which Linux keeps to itself */
#define CCI_HEADER      12
#define QUESTIONS       200

static const uint8_t tag[16] = "two machines";

static struct cxl_conn *bring_up(void)
{
    struct mctp_peer peer = { .eid = MCTP_FIRST_EID };
    struct mctp_link link;

    if (!tap_rc(mctp_link_serial(&link, LINE), 0,
                "Linux's mctp-serial takes the line") ||
        !tap_rc(mctp_link_peer(&link, &peer), 0,
                "the endpoint behind it takes an ID and answers")) {
        return NULL;
    }
    tap_check(peer.type_fm && peer.type_cci,
              "the endpoint offers FM API and CCI messages");
    return mctp_link_connect(&peer);
}

/* A socket for what the component sends without being asked */
static int listen_for_notices(void)
{
    const struct sockaddr_mctp addr = {
        .smctp_family = AF_MCTP,
        .smctp_network = MCTP_NET_ANY,
        .smctp_addr = { MCTP_ADDR_ANY },
        .smctp_type = TYPE_CCI,
    };
    struct timeval limit = { .tv_sec = OTHER_S };
    int fd = socket(AF_MCTP, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 &&
        (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) ||
         bind(fd, (const struct sockaddr *)&addr, sizeof(addr)))) {
        close(fd);
        return -1;
    }
    return fd;
}

static void take_notice(int fd)
{
    struct sockaddr_mctp from;
    socklen_t size = sizeof(from);
    uint8_t msg[64];
    ssize_t n = recvfrom(fd, msg, sizeof(msg), 0, (struct sockaddr *)&from,
                         &size);

    tap_check(n == CCI_HEADER + 2 && msg[0] == 0 &&
              msg[3] == (NOTICE & 0xff) && msg[4] == NOTICE >> 8 &&
              msg[CCI_HEADER] == NOTICE_DC && msg[CCI_HEADER + 1] == 0,
              "the component tells that its log has records");
    if (n < CCI_HEADER) {
        return;
    }
    /* a response to the same tag, which is the component's */
    msg[0] = 1;
    memset(msg + 5, 0, CCI_HEADER - 5);
    from.smctp_tag &= ~MCTP_TAG_OWNER;
    tap_check(sendto(fd, msg, CCI_HEADER, 0, (struct sockaddr *)&from,
                     sizeof(from)) == CCI_HEADER,
              "the notice is acknowledged");
}

/* Wait until the host has @n extents; @page is what it has then */
static bool host_has(struct cxl_conn *fm, unsigned n,
                     struct cxl_extent_page *page)
{
    for (unsigned ms = 0; ms < OTHER_S * 1000; ms += NAP_MS) {
        if (fm_get_extents(fm, 0, CXL_PAGE_MAX, 0, page)) {
            return false;
        }
        if (page->total == n) {
            return true;
        }
        usleep(NAP_MS * 1000);
    }
    return false;
}

static void move_capacity(struct cxl_conn *fm)
{
    static struct cxl_extent_page page;
    struct fm_order order = { .tag = tag };
    struct fm_regions regions;
    struct cxl_req req;
    struct cxl_rsp rsp;
    int notices = listen_for_notices();

    if (!tap_rc(fm_get_regions(fm, 0, CXL_DC_REGIONS, 0, &regions), 0,
                "5601 tells the regions") ||
        !tap_check(notices >= 0, "type 8 can be listened to")) {
        return;
    }
    req_start(&req, SET_POLICY);
    req_num(&req, NOTICE_DC, 2);
    tap_rc(cxl_run(fm, &req, &rsp), 0, "0105 asks for notices");

    order.len = 2 * regions.region[0].block;
    tap_rc(fm_add(fm, &order), 0, "5604 offers capacity");
    take_notice(notices);
    close(notices);
    tap_check(host_has(fm, 1, &page) && page.ext[0].len == order.len &&
              page.ext[0].dpa == regions.region[0].base &&
              !memcmp(page.ext[0].tag, tag, sizeof(tag)),
              "the host in the other machine accepts it");
    order.policy = FM_RELEASE_TAG;
    tap_rc(fm_release(fm, &order), 0, "5605 asks for it back");
    tap_check(host_has(fm, 0, &page), "the other machine gives it back");
}

void scenario_manager(void)
{
    static struct fm_cel cel;
    struct cxl_conn *fm = bring_up();
    struct fm_identity id;
    unsigned good = 0;

    if (!tap_check(fm != NULL, "AF_MCTP leads to the component")) {
        return;
    }
    tap_check(!fm_identify(fm, &id) && id.type == TYPE_3,
              "0001 tells a Type 3 device");
    tap_check(!fm_read_cel(fm, &cel) && fm_cel_find(&cel, 0x5604),
              "its command effects log comes in many packets");
    for (unsigned i = 0; i < QUESTIONS; i++) {
        struct fm_identity again;

        good += !fm_identify(fm, &again) && again.serial == id.serial;
    }
    tap_check(good == QUESTIONS, "%u questions, %u answers", QUESTIONS,
              QUESTIONS);
    move_capacity(fm);
    tap_check(!dmesg_complaints(), "no warning in dmesg");
    cxl_conn_close(fm);
}

/* Accepts and gives back, until the runner ends the machine */
void scenario_managed(void)
{
    static struct host_agent agent;
    struct cxl_conn *host;

    host = memdev_open("mem0");
    if (!tap_check(host, "the host has its mailbox")) {
        return;
    }
    host_agent_init(&agent, host, HOST_ACCEPT_ALL);
    while (host_agent_run(&agent) >= 0) {
        usleep(NAP_MS * 1000);
    }
    tap_check(false, "the host's log can be read");
    cxl_conn_close(host);
}
