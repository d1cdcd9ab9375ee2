/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MCTP over I2C, USB or a serial line from nothing: link, addresses, endpoint
 * IDs (DSP0236, DSP0237, DSP0253, DSP0283)
 *
 * Linux's I2C controller becomes a target at our own address when an
 * "mctp-i2c-interface" device is made on its adapter; with it comes a network
 * interface.  A serial line becomes one by its line discipline, a USB device
 * by itself.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/mctp.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/tty.h>

#include "mctp-control.h"
#include "mctp-link.h"
#include "netlink.h"
#include "sysfs.h"
#include "tap.h"

#ifndef AF_MCTP
#define AF_MCTP         45
#endif

#define I2C_SYS         "/sys/bus/i2c/devices"
#define SETTLE_S        10
/* Bit of new_device that says "we are at this address" */
#define I2C_OWN_ADDRESS 0x1000
/* Baseline packet: 64 bytes and the header; larger ones are negotiated */
#define BASELINE_MTU    68
/* The FM's CCI takes what fits its own limit; requests above get 16h */
#define FM_PAYLOAD      1024

enum {
    CTRL_SET_EID        = 0x01,
    CTRL_GET_EID        = 0x02,
    CTRL_GET_UUID       = 0x03,
    CTRL_GET_TYPES      = 0x05,
};

/* Number of the first adapter of a controller that has a target mode */
static int find_adapter(void)
{
    struct dirent *entry;
    int found = -ENODEV;
    char name[80];
    DIR *dir = opendir(I2C_SYS);

    while (dir && found < 0 && (entry = readdir(dir))) {
        if (!strncmp(entry->d_name, "i2c-", 4) &&
            !sys_read(name, sizeof(name), I2C_SYS "/%.40s/name",
                      entry->d_name) && strstr(name, "DesignWare")) {
            found = atoi(entry->d_name + 4);
        }
    }
    if (dir) {
        closedir(dir);
    }
    return found;
}

/* A USB controller is there at once, what it finds on its ports is not */
bool mctp_link_present(void)
{
    return find_adapter() >= 0 ||
           (sys_exists("/sys/bus/usb/devices/usb1") &&
            sys_await(SETTLE_S, "/sys/class/net/mctpusb0"));
}

static int set_network(const struct mctp_link *link)
{
    struct ifinfomsg ifi = { .ifi_index = link->index };
    uint32_t net = MCTP_NET;
    struct nl_req req;
    size_t spec, family;

    nl_start(&req, RTM_SETLINK, 0, &ifi, sizeof(ifi));
    spec = nl_nest(&req, IFLA_AF_SPEC);
    family = nl_nest(&req, AF_MCTP);
    nl_attr(&req, IFLA_MCTP_NET, &net, sizeof(net));
    nl_end(&req, family);
    nl_end(&req, spec);
    return nl_talk(&req);
}

int mctp_link_set(const struct mctp_link *link, bool up)
{
    struct ifinfomsg ifi = {
        .ifi_index = link->index, .ifi_flags = up ? IFF_UP : 0,
        .ifi_change = IFF_UP,
    };
    struct nl_req req;

    nl_start(&req, RTM_NEWLINK, 0, &ifi, sizeof(ifi));
    return nl_talk(&req);
}

static int set_address(const struct mctp_link *link, uint8_t eid)
{
    struct ifaddrmsg ifa = {
        .ifa_family = AF_MCTP, .ifa_index = link->index,
    };
    struct nl_req req;

    nl_start(&req, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &ifa, sizeof(ifa));
    nl_attr(&req, IFA_LOCAL, &eid, sizeof(eid));
    return nl_talk(&req);
}

static void start_route(struct nl_req *req, uint16_t type, uint16_t flags,
                        const struct mctp_link *link, uint8_t eid)
{
    struct rtmsg rtm = { .rtm_family = AF_MCTP, .rtm_type = RTN_UNICAST };
    uint32_t index = link->index;

    nl_start(req, type, flags, &rtm, sizeof(rtm));
    nl_attr(req, RTA_DST, &eid, sizeof(eid));
    nl_attr(req, RTA_OIF, &index, sizeof(index));
}

static int set_route(const struct mctp_link *link, uint8_t eid, uint32_t mtu)
{
    struct nl_req req;
    size_t metrics;

    start_route(&req, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, link, eid);
    metrics = nl_nest(&req, RTA_METRICS);
    nl_attr(&req, RTAX_MTU, &mtu, sizeof(mtu));
    nl_end(&req, metrics);
    return nl_talk(&req);
}

int mctp_link_mtu(const struct mctp_link *link, uint8_t eid, uint32_t mtu)
{
    struct ifinfomsg ifi = { .ifi_index = link->index };
    struct nl_req req;
    int ret;

    nl_start(&req, RTM_NEWLINK, 0, &ifi, sizeof(ifi));
    nl_attr(&req, IFLA_MTU, &mtu, sizeof(mtu));
    ret = nl_talk(&req);
    if (!ret) {
        start_route(&req, RTM_DELROUTE, 0, link, eid);
        ret = nl_talk(&req);
    }
    return ret ? ret : set_route(link, eid, mtu);
}

static int set_neighbour(const struct mctp_link *link, uint8_t eid,
                         uint8_t i2c)
{
    struct ndmsg ndm = {
        .ndm_family = AF_MCTP, .ndm_ifindex = link->index,
    };
    struct nl_req req;

    nl_start(&req, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_EXCL, &ndm, sizeof(ndm));
    nl_attr(&req, NDA_DST, &eid, sizeof(eid));
    nl_attr(&req, NDA_LLADDR, &i2c, sizeof(i2c));
    return nl_talk(&req);
}

static int note(const char *step, int ret)
{
    if (ret < 0) {
        int cc = -ret - MCTP_CC_BASE;

        tap_note("%s: %s %d", step, cc > 0 ? "completion code" : "error",
                 cc > 0 ? cc : -ret);
    }
    return ret;
}

/* What is there from the last time is as good */
static int unless_there(int ret)
{
    return ret == -EEXIST ? 0 : ret;
}

/* An interface: into the network, with our ID */
static int configure(struct mctp_link *link)
{
    uint64_t index = 0;
    int ret;

    if (!sys_await(SETTLE_S, "/sys/class/net/%s", link->name)) {
        return note("interface", -ENODEV);
    }
    ret = note("index", sys_read_u64(&index, "/sys/class/net/%s/ifindex",
                                     link->name));
    if (ret) {
        return ret;
    }
    link->index = index;
    ret = note("network", set_network(link));
    if (!ret) {
        ret = note("link up", mctp_link_set(link, true));
    }
    if (!ret) {
        ret = note("address", unless_there(set_address(link, MCTP_OWN_EID)));
    }
    return ret;
}

int mctp_link_serial(struct mctp_link *link, const char *tty)
{
    const int discipline = N_MCTP;
    struct termios line;
    int fd = open(tty, O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (fd < 0) {
        return note(tty, -errno);
    }
    if (tcgetattr(fd, &line)) {
        goto fail;
    }
    cfmakeraw(&line);
    line.c_cflag |= CLOCAL | CREAD;
    cfsetspeed(&line, B115200);
    if (tcsetattr(fd, TCSANOW, &line) || ioctl(fd, TIOCSETD, &discipline)) {
        goto fail;
    }
    *link = (struct mctp_link) { .adapter = -1 };
    snprintf(link->name, sizeof(link->name), "mctpserial0");
    return configure(link);

fail:
    note(tty, -errno);
    close(fd);
    return -EIO;
}

int mctp_link_usb(struct mctp_link *link, unsigned number)
{
    *link = (struct mctp_link) { .adapter = -1 };
    snprintf(link->name, sizeof(link->name), "mctpusb%u", number);
    return configure(link);
}

int mctp_link_up(struct mctp_link *link)
{
    char device[64];
    int adapter = find_adapter();
    int ret = 0;

    if (adapter < 0 && mctp_link_present()) {
        return mctp_link_usb(link, 0);
    }
    if (adapter < 0) {
        return note("I2C adapter", adapter);
    }
    link->adapter = adapter;
    snprintf(link->name, sizeof(link->name), "mctpi2c%d", adapter);
    snprintf(device, sizeof(device), "mctp-i2c-interface 0x%x",
             I2C_OWN_ADDRESS | MCTP_OWN_I2C);
    if (!sys_exists("/sys/class/net/%s", link->name)) {
        ret = sys_write(device, I2C_SYS "/i2c-%d/new_device", adapter);
    }
    if (ret) {
        return note("new_device", ret);
    }
    return configure(link);
}

static int read_types(const struct mctp_addr_to *to, struct mctp_peer *peer)
{
    uint8_t answer[MCTP_CTRL_MAX];
    int n = note("Get Message Types",
                 mctp_control(to, CTRL_GET_TYPES, NULL, 0, answer));

    if (n < 0) {
        return n;
    }
    if (n < 1 || n != 1 + answer[0]) {
        return -EPROTO;
    }
    for (int i = 1; i < n; i++) {
        peer->type_fm |= answer[i] == 7;
        peer->type_cci |= answer[i] == 8;
    }
    return 0;
}

int mctp_link_peer(const struct mctp_link *link, struct mctp_peer *peer)
{
    struct mctp_addr_to to = { .ifindex = link->index };
    uint8_t set[2] = { 0, peer->eid }, answer[MCTP_CTRL_MAX];
    int ret;

    if (link->adapter < 0) {
        /* there is one peer, it has no address */
        peer->i2c = 0;
    }
    to.i2c = peer->i2c;
    ret = note("Get Endpoint ID",
               mctp_control(&to, CTRL_GET_EID, NULL, 0, answer));
    if (ret < 0) {
        return ret;
    }
    ret = note("Set Endpoint ID",
               mctp_control(&to, CTRL_SET_EID, set, sizeof(set), answer));
    if (ret < 0) {
        return ret;
    }
    /* accepted (bits 5:4), the ID that was asked for, no pool of IDs */
    if (ret != 3 || (answer[0] & 0x30) || answer[1] != peer->eid) {
        return -EPROTO;
    }
    ret = note("route", unless_there(set_route(link, peer->eid,
                                                BASELINE_MTU)));
    if (!ret && peer->i2c) {
        ret = note("neighbour", unless_there(set_neighbour(link, peer->eid,
                                                           peer->i2c)));
    }
    if (ret) {
        return ret;
    }
    to.eid = peer->eid;
    ret = note("Get UUID", mctp_control(&to, CTRL_GET_UUID, NULL, 0, answer));
    if (ret != 16) {
        return ret < 0 ? ret : -EPROTO;
    }
    memcpy(peer->uuid, answer, sizeof(peer->uuid));
    return read_types(&to, peer);
}

struct cxl_conn *mctp_link_connect(const struct mctp_peer *peer)
{
    return cxl_conn_open_mctp(MCTP_NET, peer->eid, FM_PAYLOAD);
}

struct cxl_conn *mctp_link_open_first(void)
{
    struct mctp_peer peer = { .i2c = MCTP_FIRST_I2C, .eid = MCTP_FIRST_EID };
    struct mctp_link link;

    if (!mctp_link_present() || mctp_link_up(&link) ||
        mctp_link_peer(&link, &peer)) {
        return NULL;
    }
    return mctp_link_connect(&peer);
}
