/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MCTP control messages as a bus owner sends them (DSP0236)
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/mctp.h>

#include "cxl-wire.h"
#include "mctp-control.h"
#include "mctp-link.h"

#ifndef AF_MCTP
#define AF_MCTP     45
#endif
#ifndef SOL_MCTP
#define SOL_MCTP    285
#endif

#define TYPE_CONTROL    0
#define REQUEST         0x80
#define INSTANCE_MASK   0x1f
/* Linux drops what comes later than this after the request */
#define TIMEOUT_S       6

static int open_socket(bool physical)
{
    struct timeval limit = { .tv_sec = TIMEOUT_S };
    int on = 1;
    int fd = socket(AF_MCTP, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return -errno;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) ||
        (physical && setsockopt(fd, SOL_MCTP, MCTP_OPT_ADDR_EXT, &on,
                                sizeof(on)))) {
        int err = errno;

        close(fd);
        return -err;
    }
    return fd;
}

static int check(const uint8_t *msg, ssize_t n, const uint8_t *req,
                 uint8_t *answer)
{
    /* instance and command echoed, request bit gone, completion code there */
    if (n < 3 || msg[0] != (req[0] & INSTANCE_MASK) || msg[1] != req[1]) {
        return -EPROTO;
    }
    if (msg[2]) {
        return -(MCTP_CC_BASE + msg[2]);
    }
    memcpy(answer, msg + 3, n - 3);
    return n - 3;
}

int mctp_control(const struct mctp_addr_to *to, uint8_t command,
                 const void *data, size_t size, uint8_t *answer)
{
    static uint8_t instance;
    bool physical = !to->eid;
    uint8_t req[MCTP_CTRL_MAX], msg[MCTP_CTRL_MAX];
    struct sockaddr_mctp_ext addr = {
        .smctp_base = {
            .smctp_family = AF_MCTP,
            .smctp_network = MCTP_NET,
            .smctp_addr = { to->eid },
            .smctp_type = TYPE_CONTROL,
            .smctp_tag = MCTP_TAG_OWNER,
        },
        .smctp_ifindex = to->ifindex,
        /* a serial line has no addresses */
        .smctp_halen = to->i2c ? 1 : 0,
        .smctp_haddr = { to->i2c },
    };
    ssize_t n;
    int fd;

    if (size + 2 > sizeof(req)) {
        return -EMSGSIZE;
    }
    fd = open_socket(physical);
    if (fd < 0) {
        return fd;
    }
    req[0] = REQUEST | (++instance & INSTANCE_MASK);
    req[1] = command;
    if (size) {
        memcpy(req + 2, data, size);
    }
    n = sendto(fd, req, size + 2, 0, (struct sockaddr *)&addr,
               physical ? sizeof(addr) : sizeof(addr.smctp_base));
    if (n >= 0) {
        n = recv(fd, msg, sizeof(msg), 0);
    }
    n = n < 0 ? -(errno == EAGAIN ? ETIMEDOUT : errno) :
        check(msg, n, req, answer);
    close(fd);
    return n;
}
