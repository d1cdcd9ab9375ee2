/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Transport: a CCI behind an MCTP endpoint at the other end of a byte stream,
 * with the serial binding's frames (DSP0253) and packets (DSP0236) made here
 * in user space by QEMU's own MCTP library
 *
 * The link has two ends and no bus owner: requests go to the null endpoint ID,
 * which is whoever is there, so that no ID has to be assigned first.
 */
#include "qemu/osdep.h"
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hw/cxl/cci/cci-msg.h"
#include "hw/mctp/mctp_assembler.h"
#include "hw/mctp/mctp_serial_frame.h"
#include "hw/mctp/mctp_txqueue.h"

#include "fm-message.h"
#include "fm-serial.h"

/* Our own endpoint ID; nobody else is on the link to have the same */
#define OWN_EID     MCTP_EID_FIRST
#define TAGS        8
/* For QEMU to take what is written, if it listens to us */
#define TAKEN_MS    2000

struct serial_conn {
    struct cxl_conn conn;
    int fd;
    unsigned timeout_ms;
    uint8_t cci_tag;
    uint8_t mctp_tag;
    bool waits;                 /* the user knows that somebody is before us */
    uint16_t told;              /* conditions of notices not asked for yet */
    /* bytes that were read, from @pos on not looked at; and when that was */
    uint8_t data[4096];
    size_t pos, len;
    int64_t read_at;
    MCTPStats stats;
    MCTPTxQueue tx;
    MCTPAssembler rx;
    MCTPSerialParser parser;
};

static int64_t now_ns(void)
{
    return g_get_monotonic_time() * 1000;
}

/* Wait for the stream. 1: ready, 0: time is up, or a negative errno */
static int await(struct serial_conn *c, short events, int64_t end)
{
    struct pollfd p = { .fd = c->fd, .events = events };
    int n;

    do {
        int64_t left = end - g_get_monotonic_time();

        n = poll(&p, 1, left > 0 ? (left + 999) / 1000 : 0);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

/* A socket whose other end is gone answers an error, not a signal */
static ssize_t write_some(int fd, const uint8_t *data, size_t len)
{
    ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

    return n < 0 && errno == ENOTSOCK ? write(fd, data, len) : n;
}

static int write_all(struct serial_conn *c, const uint8_t *data, size_t len,
                     int64_t end)
{
    while (len) {
        ssize_t n = write_some(c->fd, data, len);

        if (n > 0) {
            data += n;
            len -= n;
        } else if (n == 0 || errno == EAGAIN) {
            int ret = await(c, POLLOUT, end);

            if (ret <= 0) {
                return ret ? ret : -ETIMEDOUT;
            }
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

static int send_message(struct serial_conn *c, const MCTPPath *path,
                        const uint8_t *body, size_t len, int64_t end)
{
    g_autoptr(GByteArray) frames = g_byte_array_new();
    MCTPTxPacket pkt;

    mctp_txqueue_reset(&c->tx);
    if (mctp_txqueue_push(&c->tx, path, MCTP_UNIT_BASELINE, body, len,
                          now_ns()) != MCTP_DROP_NONE) {
        return -EMSGSIZE;
    }
    while (mctp_txqueue_peek(&c->tx, now_ns(), &pkt)) {
        uint8_t frame[MCTP_SERIAL_FRAME_MAX(MCTP_SERIAL_TX_MAX)];
        size_t n = mctp_serial_encode(pkt.data, pkt.len, frame);

        g_byte_array_append(frames, frame, n);
        mctp_txqueue_sent(&c->tx, pkt.id, now_ns());
    }
    /* in one piece, as each write wakes the other end */
    return write_all(c, frames->data, frames->len, end);
}

/* A packet may complete a message; what is for nobody here is overlooked */
static GByteArray *take_packet(struct serial_conn *c, MCTPHeader *hdr)
{
    MCTPAssembled done = { .body = NULL };

    if (mctp_header_decode(c->parser.packet, c->parser.len, hdr) !=
        MCTP_DROP_NONE || hdr->dest != OWN_EID ||
        (!hdr->to && hdr->tag != c->mctp_tag)) {
        return NULL;
    }
    mctp_assembler_feed(&c->rx, hdr, 0,
                        c->parser.packet + MCTP_HEADER_BYTES,
                        c->parser.len - MCTP_HEADER_BYTES, c->read_at, &done);
    return done.body;
}

/* Read the stream until a message is complete; @hdr is of its last packet */
static int next_message(struct serial_conn *c, int64_t end, MCTPHeader *hdr,
                        GByteArray **body)
{
    for (;;) {
        ssize_t n;
        int ret;

        while (c->pos < c->len) {
            MCTPSerialEvent event;

            c->pos += mctp_serial_scan(&c->parser, c->data + c->pos,
                                       c->len - c->pos, &event);
            *body = event == MCTP_SERIAL_PACKET ? take_packet(c, hdr) : NULL;
            if (*body) {
                return 0;
            }
        }
        ret = await(c, POLLIN, end);
        if (ret <= 0) {
            return ret ? ret : -ETIMEDOUT;
        }
        n = read(c->fd, c->data, sizeof(c->data));
        if (n == 0) {
            return -ECONNRESET;
        }
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            return -errno;
        }
        c->pos = 0;
        c->len = MAX(n, 0);
        c->read_at = now_ns();
    }
}

/* A request of the component: the one that there is is acknowledged */
static int take_request(struct serial_conn *c, const MCTPHeader *hdr,
                        const GByteArray *body, int64_t end)
{
    const MCTPPath path = {
        .remote = hdr->src, .local = OWN_EID, .tag = hdr->tag,
    };
    uint8_t answer[1 + FM_MESSAGE_HEADER];
    uint16_t conditions;

    if (body->data[0] != MCTP_TYPE_CXL_CCI ||
        !fm_message_notice(body->data + 1, body->len - 1, &conditions,
                           answer + 1)) {
        return 0;
    }
    c->told |= conditions;
    answer[0] = MCTP_TYPE_CXL_CCI;
    return send_message(c, &path, answer, sizeof(answer), end);
}

/* Answers that belong to a request that was given up are overlooked */
static int receive(struct serial_conn *c, const struct cxl_req *req,
                   struct cxl_rsp *rsp, int64_t end)
{
    int ret;

    do {
        g_autoptr(GByteArray) body = NULL;
        MCTPHeader hdr;

        ret = next_message(c, end, &hdr, &body);
        if (ret) {
            return ret;
        }
        if (hdr.to) {
            ret = take_request(c, &hdr, body, end);
            ret = ret ? ret : -EAGAIN;
        } else if (body->data[0] != fm_message_type(req->opcode)) {
            ret = -EAGAIN;
        } else {
            ret = fm_message_read(body->data + 1, body->len - 1, req,
                                  c->cci_tag, rsp);
        }
    } while (ret == -EAGAIN);
    return ret;
}

static int serial_await(struct cxl_conn *conn, unsigned ms)
{
    struct serial_conn *c = (struct serial_conn *)conn;
    int64_t end = g_get_monotonic_time() + ms * 1000ll;
    uint16_t told;

    while (!c->told) {
        g_autoptr(GByteArray) body = NULL;
        MCTPHeader hdr;
        int ret = next_message(c, end, &hdr, &body);

        if (!ret && hdr.to) {
            ret = take_request(c, &hdr, body, end);
        }
        if (ret) {
            return ret == -ETIMEDOUT ? 0 : ret;
        }
    }
    told = c->told;
    c->told = 0;
    return told;
}

/* QEMU serves one program at a time: the others are connected, and wait */
static void tell_if_waiting(struct serial_conn *c)
{
    int left;

    if (!c->waits && !ioctl(c->fd, SIOCOUTQ, &left) && left > 0) {
        c->waits = true;
        fprintf(stderr, "cxl-fm: %s: nobody takes the request; QEMU serves one "
                "program at a time there, is another one connected?\n",
                c->conn.name);
    }
}

static int serial_run(struct cxl_conn *conn, const struct cxl_req *req,
                      struct cxl_rsp *rsp)
{
    struct serial_conn *c = (struct serial_conn *)conn;
    int64_t end = g_get_monotonic_time() + c->timeout_ms * 1000ll;
    int64_t taken = MIN(end, g_get_monotonic_time() + TAKEN_MS * 1000ll);
    uint8_t body[1 + FM_MESSAGE_MAX];
    MCTPPath path = {
        .remote = MCTP_EID_NULL, .local = OWN_EID, .to = true,
    };
    size_t len;
    int ret;

    c->cci_tag++;
    c->mctp_tag = path.tag = (c->mctp_tag + 1) % TAGS;
    body[0] = fm_message_type(req->opcode);
    len = 1 + fm_message_build(req, c->cci_tag, body + 1);
    ret = send_message(c, &path, body, len, end);
    ret = ret ? ret : receive(c, req, rsp, taken);
    if (ret == -ETIMEDOUT && taken < end) {
        tell_if_waiting(c);
        ret = receive(c, req, rsp, end);
    }
    return ret;
}

static void serial_close(struct cxl_conn *conn)
{
    struct serial_conn *c = (struct serial_conn *)conn;

    mctp_txqueue_reset(&c->tx);
    mctp_assembler_reset(&c->rx);
    close(c->fd);
    g_free(c);
}

struct cxl_conn *cxl_conn_open_serial(int fd, const char *name,
                                      unsigned timeout_ms)
{
    struct serial_conn *c = g_new0(struct serial_conn, 1);

    c->fd = fd;
    c->timeout_ms = timeout_ms;
    /* answers to a program that used the line before us have other tags */
    c->cci_tag = g_random_int_range(0, 256);
    c->mctp_tag = g_random_int_range(0, TAGS);
    mctp_txqueue_init(&c->tx, &c->stats);
    mctp_assembler_init(&c->rx, 1 + FM_MESSAGE_MAX, &c->stats);
    c->conn.run = serial_run;
    c->conn.await = serial_await;
    c->conn.close = serial_close;
    c->conn.max_req = c->conn.max_rsp = CXL_WIRE_MAX;
    g_strlcpy(c->conn.name, name, sizeof(c->conn.name));
    return &c->conn;
}
