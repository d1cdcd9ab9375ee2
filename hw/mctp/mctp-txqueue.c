/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MCTP transmit queue and fragmentation. A position moves only when the link
 * has taken the packet, so a repeated packet is the same packet.
 *
 * Reference: DMTF DSP0236 8.2 "Message disassembly"; DSP0237 on NACKs.
 */
#include "qemu/osdep.h"
#include "hw/mctp/mctp_txqueue.h"
#include "trace.h"

void mctp_txqueue_init(MCTPTxQueue *q, MCTPStats *stats)
{
    memset(q, 0, sizeof(*q));
    q->stats = stats;
}

static void txqueue_message_free(MCTPTxMessage *msg)
{
    g_clear_pointer(&msg->body, g_byte_array_unref);
}

void mctp_txqueue_reset(MCTPTxQueue *q)
{
    for (size_t i = 0; i < ARRAY_SIZE(q->slot); i++) {
        txqueue_message_free(&q->slot[i]);
    }
}

MCTPDrop mctp_txqueue_push(MCTPTxQueue *q, const MCTPPath *path,
                           uint32_t unit, const void *body, size_t len,
                           int64_t now)
{
    if (len == 0 || len > MCTP_MESSAGE_MAX) {
        return MCTP_DROP_TOO_LONG;
    }
    for (size_t i = 0; i < ARRAY_SIZE(q->slot); i++) {
        MCTPTxMessage *msg = &q->slot[i];

        if (msg->body) {
            continue;
        }
        *msg = (MCTPTxMessage) {
            .body = g_byte_array_sized_new(len),
            .id = ++q->last_id,
            .deadline = now + MCTP_TX_LIFETIME_NS,
            .not_before = now,
            .backoff = MCTP_TX_BACKOFF_MIN_NS,
            .path = *path,
            .unit = MIN(MAX(unit, 1), MCTP_UNIT_MAX),
        };
        g_byte_array_append(msg->body, body, len);
        return MCTP_DROP_NONE;
    }
    return MCTP_DROP_QUEUE_FULL;
}

unsigned mctp_txqueue_room(const MCTPTxQueue *q)
{
    unsigned room = 0;

    for (size_t i = 0; i < ARRAY_SIZE(q->slot); i++) {
        room += !q->slot[i].body;
    }
    return room;
}

unsigned mctp_txqueue_cancel(MCTPTxQueue *q, const MCTPPath *path)
{
    unsigned count = 0;

    for (size_t i = 0; i < ARRAY_SIZE(q->slot); i++) {
        MCTPTxMessage *msg = &q->slot[i];

        if (msg->body && msg->path.link == path->link &&
            msg->path.remote == path->remote &&
            msg->path.tag == path->tag && msg->path.to == path->to) {
            txqueue_message_free(msg);
            count++;
        }
    }
    return count;
}

static MCTPTxMessage *txqueue_find_id(MCTPTxQueue *q, uint64_t id)
{
    for (size_t i = 0; i < ARRAY_SIZE(q->slot); i++) {
        if (q->slot[i].body && q->slot[i].id == id) {
            return &q->slot[i];
        }
    }
    return NULL;
}

/* The messages there are, which mostly is one */
typedef struct Waiting {
    MCTPTxMessage *msg[MCTP_TX_SLOTS];
    size_t n;
} Waiting;

static void txqueue_find_waiting(MCTPTxQueue *q, Waiting *w)
{
    w->n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(q->slot); i++) {
        if (q->slot[i].body) {
            w->msg[w->n++] = &q->slot[i];
        }
    }
}

static void txqueue_drop_expired(MCTPTxQueue *q, Waiting *w, int64_t now)
{
    size_t left = 0;

    for (size_t i = 0; i < w->n; i++) {
        MCTPTxMessage *msg = w->msg[i];

        if (now < msg->deadline) {
            w->msg[left++] = msg;
            continue;
        }
        trace_mctp_tx_expired(msg->path.remote, msg->path.tag, msg->offset,
                              msg->body->len);
        q->stats->drop[MCTP_DROP_REFUSED]++;
        txqueue_message_free(msg);
    }
    w->n = left;
}

/* The oldest message to its link address, the only one that may go there */
static bool txqueue_is_head(const Waiting *w, const MCTPTxMessage *msg)
{
    for (size_t i = 0; i < w->n; i++) {
        if (w->msg[i]->path.link == msg->path.link &&
            w->msg[i]->id < msg->id) {
            return false;
        }
    }
    return true;
}

static void txqueue_build_packet(const MCTPTxMessage *msg, MCTPTxPacket *pkt)
{
    uint32_t left = msg->body->len - msg->offset;
    uint32_t part = MIN(left, msg->unit);
    const MCTPHeader hdr = {
        .dest = msg->path.remote,
        .src = msg->path.local,
        .seq = msg->seq,
        .tag = msg->path.tag,
        .som = msg->offset == 0,
        .eom = part == left,
        .to = msg->path.to,
    };

    pkt->id = msg->id;
    pkt->link = msg->path.link;
    pkt->len = MCTP_HEADER_BYTES + part;
    mctp_header_encode(&hdr, pkt->data);
    memcpy(pkt->data + MCTP_HEADER_BYTES, msg->body->data + msg->offset,
           part);
}

bool mctp_txqueue_peek(MCTPTxQueue *q, int64_t now, MCTPTxPacket *pkt)
{
    const MCTPTxMessage *best = NULL;
    Waiting w;

    txqueue_find_waiting(q, &w);
    txqueue_drop_expired(q, &w, now);
    for (size_t i = 0; i < w.n; i++) {
        const MCTPTxMessage *msg = w.msg[i];

        if (msg->not_before <= now && (!best || msg->id < best->id) &&
            txqueue_is_head(&w, msg)) {
            best = msg;
        }
    }
    if (!best) {
        return false;
    }
    txqueue_build_packet(best, pkt);
    return true;
}

void mctp_txqueue_sent(MCTPTxQueue *q, uint64_t id, int64_t now)
{
    MCTPTxMessage *msg = txqueue_find_id(q, id);

    if (!msg) {
        return;
    }
    q->stats->tx_packets++;
    msg->offset += MIN(msg->unit, msg->body->len - msg->offset);
    msg->seq = (msg->seq + 1) & 3;
    msg->backoff = MCTP_TX_BACKOFF_MIN_NS;
    msg->not_before = now;
    msg->deadline = now + MCTP_TX_LIFETIME_NS;
    if (msg->offset == msg->body->len) {
        q->stats->tx_messages++;
        txqueue_message_free(msg);
    }
}

void mctp_txqueue_refused(MCTPTxQueue *q, uint64_t id, int64_t now)
{
    MCTPTxMessage *msg = txqueue_find_id(q, id);

    if (!msg) {
        return;
    }
    q->stats->tx_refusals++;
    msg->not_before = now + msg->backoff;
    msg->backoff = MIN(msg->backoff * 2, MCTP_TX_BACKOFF_MAX_NS);
}

int64_t mctp_txqueue_next(MCTPTxQueue *q)
{
    int64_t when = -1;
    Waiting w;

    txqueue_find_waiting(q, &w);
    for (size_t i = 0; i < w.n; i++) {
        const MCTPTxMessage *msg = w.msg[i];

        if ((when < 0 || msg->not_before < when) && txqueue_is_head(&w, msg)) {
            when = msg->not_before;
        }
    }
    return when;
}
