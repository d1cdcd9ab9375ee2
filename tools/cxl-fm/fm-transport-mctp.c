/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Transport: a CCI behind an MCTP endpoint, over Linux's AF_MCTP sockets
 *
 * Opcodes of the Fabric Manager sets travel as message type 7 (DSP0234), all
 * others as type 8 (DSP0281).  The kernel adds the type byte.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <linux/mctp.h>

#include "cxl-conn.h"
#include "fm-message.h"

#ifndef AF_MCTP
#define AF_MCTP 45
#endif

/* DSP0281: what is not of the Fabric Manager's sets */
#define TYPE_CCI        8

/* Linux forgets a tag after 6 s; nothing that comes later can be received */
#define TIMEOUT_S       6

struct mctp_conn {
    struct cxl_conn conn;
    struct sockaddr_mctp peer;
    uint8_t tag;
    int fd;
    int notices;                /* what the component says by itself, or -1 */
};

static int mctp_run(struct cxl_conn *conn, const struct cxl_req *req,
                    struct cxl_rsp *rsp)
{
    struct mctp_conn *c = (struct mctp_conn *)conn;
    uint8_t msg[FM_MESSAGE_MAX];
    size_t len = fm_message_build(req, ++c->tag, msg);
    struct sockaddr_mctp to = c->peer, from;
    socklen_t size = sizeof(from);
    ssize_t n;
    int ret;

    to.smctp_type = fm_message_type(req->opcode);
    n = sendto(c->fd, msg, len, 0, (struct sockaddr *)&to, sizeof(to));
    if (n < 0) {
        return -errno;
    }
    do {
        n = recvfrom(c->fd, msg, sizeof(msg), 0, (struct sockaddr *)&from,
                     &size);
        if (n < 0) {
            return errno == EAGAIN || errno == EINTR ? -ETIMEDOUT : -errno;
        }
        /* Linux finds who asked by the tag alone */
        if (from.smctp_type != to.smctp_type) {
            return -EPROTO;
        }
        ret = fm_message_read(msg, n, req, c->tag, rsp);
    } while (ret == -EAGAIN);
    return ret;
}

/* Messages of a type come to the one program that has bound it */
static int open_notices(struct mctp_conn *c)
{
    struct sockaddr_mctp own = {
        .smctp_family = AF_MCTP,
        .smctp_network = c->peer.smctp_network,
        .smctp_addr.s_addr = MCTP_ADDR_ANY,
        .smctp_type = TYPE_CCI,
    };
    int fd = socket(AF_MCTP, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return -errno;
    }
    if (bind(fd, (struct sockaddr *)&own, sizeof(own))) {
        int ret = -errno;

        close(fd);
        return ret;
    }
    c->notices = fd;
    return 0;
}

static int take_notice(struct mctp_conn *c, uint16_t *conditions)
{
    uint8_t msg[FM_MESSAGE_MAX], answer[FM_MESSAGE_HEADER];
    struct sockaddr_mctp from;
    socklen_t size = sizeof(from);
    ssize_t n = recvfrom(c->notices, msg, sizeof(msg), 0,
                         (struct sockaddr *)&from, &size);

    if (n < 0) {
        return errno == EINTR ? 0 : -errno;
    }
    if (size < sizeof(from) || !(from.smctp_tag & MCTP_TAG_OWNER) ||
        from.smctp_addr.s_addr != c->peer.smctp_addr.s_addr ||
        !fm_message_notice(msg, n, conditions, answer)) {
        return 0;
    }
    from.smctp_tag &= ~MCTP_TAG_OWNER;
    n = sendto(c->notices, answer, sizeof(answer), 0,
               (struct sockaddr *)&from, sizeof(from));
    return n < 0 ? -errno : 0;
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

static int mctp_await(struct cxl_conn *conn, unsigned ms)
{
    struct mctp_conn *c = (struct mctp_conn *)conn;
    int ret = c->notices < 0 ? open_notices(c) : 0;
    int64_t end = now_ms() + ms;
    uint16_t conditions = 0;

    while (!ret && !conditions) {
        struct pollfd p = { .fd = c->notices, .events = POLLIN };
        int64_t left = end - now_ms();
        int n = poll(&p, 1, left > 0 ? left : 0);

        if (n == 0) {
            break;
        }
        if (n > 0) {
            ret = take_notice(c, &conditions);
        } else if (errno != EINTR) {
            ret = -errno;
        }
    }
    return ret ? ret : conditions;
}

static void mctp_close(struct cxl_conn *conn)
{
    struct mctp_conn *c = (struct mctp_conn *)conn;

    if (c->notices >= 0) {
        close(c->notices);
    }
    close(c->fd);
    free(c);
}

struct cxl_conn *cxl_conn_open_mctp(unsigned net, uint8_t eid,
                                    size_t max_payload)
{
    struct timeval limit = { .tv_sec = TIMEOUT_S };
    struct mctp_conn *c;
    int fd = socket(AF_MCTP, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return NULL;
    }
    c = calloc(1, sizeof(*c));
    if (!c || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit))) {
        close(fd);
        free(c);
        return NULL;
    }
    c->fd = fd;
    c->notices = -1;
    c->peer.smctp_family = AF_MCTP;
    c->peer.smctp_network = net;
    c->peer.smctp_addr.s_addr = eid;
    c->peer.smctp_tag = MCTP_TAG_OWNER;
    c->conn.run = mctp_run;
    c->conn.await = mctp_await;
    c->conn.close = mctp_close;
    if (max_payload > CXL_WIRE_MAX) {
        max_payload = CXL_WIRE_MAX;
    }
    c->conn.max_req = c->conn.max_rsp = max_payload;
    snprintf(c->conn.name, sizeof(c->conn.name), "mctp:%u,%u", net, eid);
    return &c->conn;
}
