/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cxl-poold: Fabric Managers, each on a line of its own: MCTP in serial frames,
 * as on a serial port (DMTF DSP0253; CXL r3.2 7.6.3)
 */
#include "qemu/osdep.h"
#include <sys/socket.h>
#include "qemu/error-report.h"
#include "qemu/timer.h"
#include "hw/cxl/mctp/message.h"
#include "hw/mctp/mctp_serial_frame.h"
#include "poold.h"

/* A line has two ends, so there is nothing to tell peers apart by */
#define THE_PEER    0
/* Gathered at once */
#define OUT_BYTES   (64 * KiB)
/* Places in the transmit queue for what is not an answer */
#define TX_RESERVE  4
/* Connections at once; with more there might be no descriptor for a head */
#define FM_MAX      64

static unsigned fm_count;

typedef struct FM {
    Conn *conn;
    MCTPEndpoint *ep;
    MCTPCXLTarget target;
    MCTPSerialParser parser;
} FM;

static int64_t fm_now(void)
{
    return get_clock();
}

static MCTPCXLRan fm_run(void *opaque, uint16_t opcode, const void *in,
                         size_t in_len, void *out, size_t out_size,
                         MCTPCXLAnswer *answer)
{
    FM *fm = opaque;
    Poold *p = fm->conn->pool;
    const CXLCmd *cmd = cxl_cci_find(&p->cci, opcode);

    answer->ret_code = cxl_cci_process(&p->cci, opcode, in, in_len, out,
                                       out_size, &answer->len);
    answer->background = p->cci.bg.running;
    if (cmd && cmd->effects) {
        p->changed_model = true;
        p->changed_log |= opcode >> 8 == 0x01;
    }
    return MCTP_CXL_ANSWERED;
}

static void fm_arrived(void *opaque)
{
}

static void fm_send(Conn *c)
{
    const size_t room = MCTP_SERIAL_FRAME_MAX(MCTP_SERIAL_TX_MAX);
    MCTPTxQueue *q;
    MCTPTxPacket pkt;
    FM *fm = c->opaque;

    q = mctp_endpoint_tx(fm->ep);
    while (c->out->len < OUT_BYTES &&
           mctp_txqueue_peek(q, fm_now(), &pkt)) {
        guint was = c->out->len;

        g_byte_array_set_size(c->out, was + room);
        g_byte_array_set_size(c->out, was +
                              mctp_serial_encode(pkt.data, pkt.len,
                                                 c->out->data + was));
        mctp_txqueue_sent(q, pkt.id, fm_now());
    }
}

static bool fm_has_room(const FM *fm)
{
    return mctp_txqueue_room(mctp_endpoint_tx(fm->ep)) >
           TX_RESERVE + fm->target.num_waiting;
}

/* A frame at a time, so that each request in it finds a place for its answer */
static ssize_t fm_take(Conn *c, const uint8_t *data, size_t len)
{
    FM *fm = c->opaque;
    MCTPSerialEvent event;
    size_t n;

    if (!fm_has_room(fm)) {
        fm_send(c);
        if (!fm_has_room(fm)) {
            /* There is something to be sent first; this is asked again */
            return 0;
        }
    }
    n = mctp_serial_scan(&fm->parser, data, len, &event);
    if (event == MCTP_SERIAL_PACKET) {
        mctp_endpoint_receive(fm->ep, fm->parser.packet, fm->parser.len,
                              THE_PEER, fm_now());
        mctp_cxl_run(fm->ep, &fm->target, fm_now());
        fm_send(c);
    }
    return n;
}

static void fm_closed(Conn *c)
{
    FM *fm = c->opaque;

    mctp_cxl_forget(&fm->target);
    mctp_endpoint_free(fm->ep);
    g_free(fm);
    fm_count--;
}

static const ConnOps fm_ops = {
    .take = fm_take,
    .ready = fm_send,
    .closed = fm_closed,
};

/* By TCP there is nobody to be asked for: its address is who may */
static bool fm_may_connect(const Poold *p, int fd)
{
    static uid_t told = -1;
    struct sockaddr_storage addr;
    socklen_t len = sizeof(addr);
    uid_t user;

    if (getsockname(fd, (struct sockaddr *)&addr, &len)) {
        return false;
    }
    if (addr.ss_family != AF_UNIX ||
        access_allows(&p->options.allow_fm, fd, &user)) {
        return true;
    }
    /* MCTP has no words for it; nobody fills a log with them */
    if (user != told) {
        warn_report("user %u may not be a Fabric Manager: --allow-fm says who "
                    "may", user);
        told = user;
    }
    return false;
}

void fm_accepted(Poold *p, int fd)
{
    const MCTPEndpointConfig config = {
        .unit = MCTP_UNIT_BASELINE,
        .max_message = mctp_cxl_message_max(p->cci.payload_max),
    };
    FM *fm;

    if (fm_count >= FM_MAX) {
        warn_report_once("there are %d Fabric Managers: no more are taken",
                         FM_MAX);
        close(fd);
        return;
    }
    if (!fm_may_connect(p, fd)) {
        close(fd);
        return;
    }
    fm_count++;
    fm = g_new0(FM, 1);
    fm->target = (MCTPCXLTarget) {
        .run = fm_run,
        .arrived = fm_arrived,
        .opaque = fm,
        .payload_max = p->cci.payload_max,
    };
    fm->ep = mctp_endpoint_new(&config);
    mctp_cxl_attach(fm->ep, &fm->target);
    fm->conn = conn_new(p, fd, &fm_ops, fm);
}
