/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Transport: a CCI behind an MCTP endpoint, over Linux's AF_MCTP sockets
 *
 * Opcodes of the Fabric Manager sets travel as message type 7 (DSP0234), all
 * others as type 8 (DSP0281).  The message body is the 12-byte header of CXL
 * r3.2 7.6.3 and the payload; the kernel adds the type byte.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/mctp.h>

#include "cxl-conn.h"

#ifndef AF_MCTP
#define AF_MCTP 45
#endif

#define TYPE_FM_API     7
#define TYPE_CCI        8
#define HEADER          12
#define CATEGORY_RSP    1
/* Linux forgets a tag after 6 s; nothing that comes later can be received */
#define TIMEOUT_S       6

struct mctp_conn {
    struct cxl_conn conn;
    struct sockaddr_mctp peer;
    uint8_t tag;
    int fd;
};

static uint8_t message_type(uint16_t opcode)
{
    uint8_t set = opcode >> 8;

    return set >= 0x51 && set <= 0x5f ? TYPE_FM_API : TYPE_CCI;
}

/* An answer to an earlier, abandoned request carries another CCI tag */
static int check_answer(const uint8_t *msg, size_t n, const uint8_t *req,
                        struct cxl_rsp *rsp)
{
    struct cxl_rd rd;
    uint32_t len;

    rd_start(&rd, msg, n);
    if ((rd_num(&rd, 1) & 0xf) != CATEGORY_RSP) {
        return -EPROTO;
    }
    if (rd_num(&rd, 1) != req[1]) {
        return -EAGAIN;
    }
    rd_skip(&rd, 1);
    if (rd_num(&rd, 2) != (unsigned)(req[3] | req[4] << 8)) {
        return -EPROTO;
    }
    len = rd_num(&rd, 3) & 0xfffff;
    rsp->rc = rd_num(&rd, 2);
    rd_skip(&rd, 2);
    if (rd.bad || len != rd.left || len > sizeof(rsp->data)) {
        return -EPROTO;
    }
    rsp->len = len;
    rd_copy(&rd, rsp->data, len);
    return 0;
}

static int mctp_run(struct cxl_conn *conn, const struct cxl_req *req,
                    struct cxl_rsp *rsp)
{
    struct mctp_conn *c = (struct mctp_conn *)conn;
    uint8_t msg[HEADER + CXL_WIRE_MAX];
    uint8_t head[HEADER] = {
        [1] = ++c->tag,
        [3] = req->opcode & 0xff, [4] = req->opcode >> 8,
        [5] = req->len & 0xff, [6] = req->len >> 8 & 0xff,
    };
    struct sockaddr_mctp to = c->peer;
    ssize_t n;
    int ret;

    memcpy(msg, head, HEADER);
    memcpy(msg + HEADER, req->data, req->len);
    to.smctp_type = message_type(req->opcode);
    n = sendto(c->fd, msg, HEADER + req->len, 0, (struct sockaddr *)&to,
               sizeof(to));
    if (n < 0) {
        return -errno;
    }
    do {
        n = recv(c->fd, msg, sizeof(msg), 0);
        if (n < 0) {
            return errno == EAGAIN || errno == EINTR ? -ETIMEDOUT : -errno;
        }
        ret = check_answer(msg, n, head, rsp);
    } while (ret == -EAGAIN);
    return ret;
}

static void mctp_close(struct cxl_conn *conn)
{
    struct mctp_conn *c = (struct mctp_conn *)conn;

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
    c->peer.smctp_family = AF_MCTP;
    c->peer.smctp_network = net;
    c->peer.smctp_addr.s_addr = eid;
    c->peer.smctp_tag = MCTP_TAG_OWNER;
    c->conn.run = mctp_run;
    c->conn.close = mctp_close;
    if (max_payload > CXL_WIRE_MAX) {
        max_payload = CXL_WIRE_MAX;
    }
    c->conn.max_req = c->conn.max_rsp = max_payload;
    snprintf(c->conn.name, sizeof(c->conn.name), "mctp:%u,%u", net, eid);
    return &c->conn;
}
