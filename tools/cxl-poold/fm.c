/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cxl-poold: Fabric Managers, each on a line of its own: MCTP in serial frames,
 * as on a serial port (DMTF DSP0253; CXL r3.2 7.6.3)
 */
#include "qemu/osdep.h"
#include <sys/socket.h>
#include "qemu/error-report.h"
#include "qemu/timer.h"
#include "hw/cxl/cci/cmd-sets.h"
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

/* A manager may not wait longer than two seconds, and is answered before */
#define TUNNEL_WAIT_MS  1500

static unsigned fm_count;
/* Whose request runs */
static struct FM *fm_served;

/**
 * struct FM - a Fabric Manager
 * @tunnel: number of its request that the process of @head is asked, 0: none
 * @request, @room: that is in the tunnel, and what its answer may have
 * @timer: does not wait for it any longer
 */
typedef struct FM {
    Conn *conn;
    MCTPEndpoint *ep;
    MCTPCXLTarget target;
    MCTPSerialParser parser;
    uint64_t tunnel;
    const Head *head;
    CXLCCIMsg request;
    size_t room;
    guint timer;
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

    fm_served = fm;
    answer->ret_code = cxl_cci_process(&p->cci, opcode, in, in_len, out,
                                       out_size, &answer->len);
    fm_served = NULL;
    if (fm->tunnel) {
        return MCTP_CXL_LATER;
    }
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

    if (fm->tunnel) {
        /* Its answer comes first; fm_answer() asks again */
        return 0;
    }
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

static void fm_close_tunnel(FM *fm)
{
    if (fm->tunnel) {
        g_source_remove(fm->timer);
        fm->tunnel = 0;
    }
}

static void fm_closed(Conn *c)
{
    FM *fm = c->opaque;

    fm_close_tunnel(fm);
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

/* -- tunnels to logical devices, which are in the processes of heads ------- */

static void fm_answer(FM *fm, CXLRetCode rc, const void *out, size_t len)
{
    fm_close_tunnel(fm);
    mctp_cxl_answer(fm->ep, &fm->target, rc, out, len,
                    fm->conn->pool->cci.bg.running, fm_now());
    mctp_cxl_run(fm->ep, &fm->target, fm_now());
    fm_send(fm->conn);
    conn_take(fm->conn);
}

/* As a head that is not there */
static gboolean fm_give_up(gpointer opaque)
{
    FM *fm = opaque;
    Poold *p = fm->conn->pool;

    fm_answer(fm, CXL_RC_INVALID_INPUT, NULL, 0);
    pool_turn_end(p);
    return G_SOURCE_REMOVE;
}

CXLRetCode fm_tunnel(const CXLHeads *heads, unsigned head,
                     const CXLCCIMsg *request, const uint8_t *payload,
                     size_t room)
{
    Poold *p = container_of(heads, Poold, heads);
    const CXLPoolRequest ask = {
        .id = p->last_tunnel + 1, .opcode = request->opcode, .room = room,
        .payload = payload, .len = request->length,
    };
    const Head *h = &p->head[head];
    FM *fm = fm_served;

    if (!h->conn || !h->known || conn_is_full(h->conn)) {
        return CXL_RC_INVALID_INPUT;
    }
    cxl_pool_put_tunnel(h->conn->out, h->nr, &ask);
    fm->tunnel = ++p->last_tunnel;
    fm->head = h;
    fm->request = *request;
    fm->room = room;
    fm->timer = g_timeout_add(TUNNEL_WAIT_MS, fm_give_up, fm);
    return CXL_RC_SUCCESS;
}

/* Whose tunnel it is; NULL: nobody waits for that any more */
static FM *fm_find(const Poold *p, uint64_t tunnel)
{
    for (guint i = 0; i < p->conns->len; i++) {
        const Conn *c = g_ptr_array_index(p->conns, i);
        FM *fm = c->ops == &fm_ops ? c->opaque : NULL;

        if (fm && fm->tunnel == tunnel) {
            return fm;
        }
    }
    return NULL;
}

bool fm_replied(const Head *h, const CXLPoolAnswer *answer)
{
    const Poold *p = h->pool;
    g_autofree uint8_t *out = NULL;
    CXLCCIMsg response;
    CXLWriter w;
    FM *fm;

    if (!answer->id || answer->id > p->last_tunnel) {
        return false;
    }
    fm = fm_find(p, answer->id);
    if (!fm) {
        return true;
    }
    if (fm->head != h || answer->len > fm->room) {
        return false;
    }
    response = (CXLCCIMsg) {
        .category = CXL_CCI_MSG_RESPONSE,
        .tag = fm->request.tag,
        .opcode = fm->request.opcode,
        .length = answer->len,
        .background = answer->background,
        .ret_code = answer->rc,
    };
    out = g_malloc(p->cci.payload_max);
    cxl_writer_init(&w, out, p->cci.payload_max);
    cxl_tunnel_put_answer(&w, &response, answer->payload);
    fm_answer(fm, CXL_RC_SUCCESS, out, w.len);
    return true;
}

/* In a turn of its own: there may be the end of one around this */
void fm_lost(const Head *h)
{
    for (guint i = 0; i < h->pool->conns->len; i++) {
        const Conn *c = g_ptr_array_index(h->pool->conns, i);
        FM *fm = c->ops == &fm_ops ? c->opaque : NULL;

        if (fm && fm->tunnel && fm->head == h) {
            g_source_remove(fm->timer);
            fm->timer = g_timeout_add(0, fm_give_up, fm);
        }
    }
}

/* -- connections ----------------------------------------------------------- */

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
