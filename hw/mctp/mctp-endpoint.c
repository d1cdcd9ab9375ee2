/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MCTP endpoint core: which packets are for us, who handles a message, and
 * which answer still has somebody waiting for it.
 *
 * Reference: DMTF DSP0236 8.1 "MCTP packet fields", 8.3, 8.4.
 */
#include "qemu/osdep.h"
#include "mctp-internal.h"
#include "trace.h"

MCTPEndpoint *mctp_endpoint_new(const MCTPEndpointConfig *config)
{
    MCTPEndpoint *ep = g_new0(MCTPEndpoint, 1);

    ep->config = *config;
    if (config->uuid) {
        memcpy(ep->uuid, config->uuid, sizeof(ep->uuid));
        ep->config.uuid = ep->uuid;
    }
    ep->config.unit = MIN(MAX(config->unit, MCTP_UNIT_BASELINE),
                          MCTP_UNIT_MAX);
    if (!mctp_eid_unicast(config->static_eid)) {
        ep->config.static_eid = MCTP_EID_NULL;
    }
    mctp_assembler_init(&ep->rx, MAX(config->max_message, MCTP_CONTROL_MAX),
                        &ep->stats);
    mctp_txqueue_init(&ep->tx, &ep->stats);
    mctp_endpoint_reset(ep);
    return ep;
}

void mctp_endpoint_free(MCTPEndpoint *ep)
{
    if (ep) {
        mctp_assembler_reset(&ep->rx);
        mctp_txqueue_reset(&ep->tx);
        g_free(ep);
    }
}

/*
 * Serials and message ids go on counting: what a handler or the link still
 * holds from before must not match anything that comes after.
 */
void mctp_endpoint_flush(MCTPEndpoint *ep)
{
    mctp_assembler_reset(&ep->rx);
    mctp_txqueue_reset(&ep->tx);
    memset(ep->pending, 0, sizeof(ep->pending));
    memset(ep->own, 0, sizeof(ep->own));
}

void mctp_endpoint_reset(MCTPEndpoint *ep)
{
    mctp_endpoint_flush(ep);
    ep->eid = ep->config.static_eid;
}

bool mctp_endpoint_add_type(MCTPEndpoint *ep, uint8_t type, uint32_t version,
                            MCTPHandler *handler, void *opaque)
{
    unsigned at = 0;

    if (type == MCTP_TYPE_CONTROL || type > MCTP_TYPE_MASK ||
        ep->num_types == ARRAY_SIZE(ep->type)) {
        return false;
    }
    while (at < ep->num_types && ep->type[at].type < type) {
        at++;
    }
    if (at < ep->num_types && ep->type[at].type == type) {
        return false;
    }
    memmove(&ep->type[at + 1], &ep->type[at],
            (ep->num_types - at) * sizeof(ep->type[0]));
    ep->type[at] = (MCTPType) {
        .handler = handler,
        .opaque = opaque,
        .version = version,
        .type = type,
    };
    ep->num_types++;
    return true;
}

MCTPTxQueue *mctp_endpoint_tx(MCTPEndpoint *ep)
{
    return &ep->tx;
}

void mctp_endpoint_count_drop(MCTPEndpoint *ep, MCTPDrop why)
{
    assert(why < MCTP_DROP__COUNT);
    ep->stats.drop[why]++;
}

static MCTPDrop endpoint_dropped(MCTPEndpoint *ep, MCTPDrop why)
{
    if (why != MCTP_DROP_NONE) {
        mctp_endpoint_count_drop(ep, why);
    }
    return why;
}

/*
 * Remember a request that is handed to a handler. One with the same path is
 * the same requester's older one, given up by it: the newest wins. With all
 * slots taken the oldest goes, it is the likeliest never to be answered.
 */
static MCTPRequest *endpoint_pending_add(MCTPEndpoint *ep, const MCTPPath *path,
                                         int64_t now)
{
    MCTPRequest *slot = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(ep->pending); i++) {
        MCTPRequest *r = &ep->pending[i];

        if (r->serial && mctp_path_equal(&r->path, path)) {
            slot = r;
            break;
        }
        if (!slot || r->serial < slot->serial) {
            slot = r;
        }
    }
    *slot = (MCTPRequest) {
        .serial = ++ep->last_serial,
        .arrival = now,
        .path = *path,
    };
    return slot;
}

static MCTPRequest *endpoint_pending_find(MCTPEndpoint *ep, uint64_t serial)
{
    for (size_t i = 0; i < ARRAY_SIZE(ep->pending); i++) {
        if (serial && ep->pending[i].serial == serial) {
            return &ep->pending[i];
        }
    }
    return NULL;
}

/* Path of the answer to a request, as the transmit queue wants it */
static MCTPPath endpoint_reply_path(const MCTPEndpoint *ep,
                                    const MCTPPath *request)
{
    MCTPPath path = *request;

    path.to = false;
    if (!mctp_eid_unicast(path.local)) {
        path.local = ep->eid;
    }
    return path;
}

MCTPDrop mctp_endpoint_reply(MCTPEndpoint *ep, const MCTPRequest *request,
                             const void *body, size_t len, int64_t now)
{
    MCTPRequest *pending = endpoint_pending_find(ep, request->serial);
    MCTPDrop why;
    MCTPPath path;

    if (!pending) {
        return endpoint_dropped(ep, MCTP_DROP_SUPERSEDED);
    }
    path = endpoint_reply_path(ep, &pending->path);
    why = now - pending->arrival > MCTP_REPLY_LIMIT_NS ? MCTP_DROP_LATE :
          mctp_txqueue_push(&ep->tx, &path, ep->config.unit, body, len, now);
    pending->serial = 0;
    trace_mctp_reply(path.remote, path.tag, len, mctp_drop_name(why));
    if (why == MCTP_DROP_NONE && ep->config.kick) {
        ep->config.kick(ep->config.kick_opaque);
    }
    return endpoint_dropped(ep, why);
}

MCTPDrop mctp_endpoint_control(MCTPEndpoint *ep, const MCTPMessage *msg)
{
    uint8_t reply[MCTP_CONTROL_MAX];
    size_t reply_len = 0;
    MCTPDrop why = mctp_control_request(ep, msg->body, msg->len, reply,
                                        &reply_len);

    if (reply_len) {
        /* counts its own drops */
        return mctp_endpoint_reply(ep, &msg->request, reply, reply_len,
                                   msg->request.arrival);
    }
    return endpoint_dropped(ep, why);
}

static const MCTPType *endpoint_find_type(const MCTPEndpoint *ep, uint8_t type)
{
    for (unsigned i = 0; i < ep->num_types; i++) {
        if (ep->type[i].type == type) {
            return &ep->type[i];
        }
    }
    return NULL;
}

void mctp_endpoint_on_response(MCTPEndpoint *ep, uint8_t type,
                               MCTPHandler *handler)
{
    for (unsigned i = 0; i < ep->num_types; i++) {
        if (ep->type[i].type == type) {
            ep->type[i].response = handler;
        }
    }
}

void mctp_endpoint_hold_control(MCTPEndpoint *ep,
                                bool (*hold)(void *opaque,
                                             const MCTPMessage *msg),
                                void *opaque)
{
    ep->hold_control = hold;
    ep->hold_opaque = opaque;
}

/* Path of a request of ours, as the transmit queue wants it */
static MCTPPath endpoint_own_path(const MCTPEndpoint *ep, uint8_t tag)
{
    return (MCTPPath) {
        .link = ep->own[tag].link,
        .remote = ep->own[tag].remote,
        .local = ep->eid,
        .tag = tag,
        .to = true,
    };
}

int mctp_endpoint_request(MCTPEndpoint *ep, uint32_t link, uint8_t dest,
                          const void *body, size_t len, int64_t now)
{
    for (unsigned tag = 0; tag < MCTP_TAGS; tag++) {
        MCTPPath path;
        MCTPDrop why;

        if (ep->own[tag].waiting) {
            continue;
        }
        ep->own[tag] = (MCTPOwnRequest) { .link = link, .remote = dest };
        path = endpoint_own_path(ep, tag);
        why = mctp_txqueue_push(&ep->tx, &path, ep->config.unit, body, len,
                                now);
        trace_mctp_own_request(dest, tag, len, mctp_drop_name(why));
        if (endpoint_dropped(ep, why) != MCTP_DROP_NONE) {
            return -1;
        }
        ep->own[tag].waiting = true;
        if (ep->config.kick) {
            ep->config.kick(ep->config.kick_opaque);
        }
        return tag;
    }
    return -1;
}

void mctp_endpoint_withdraw(MCTPEndpoint *ep, uint8_t tag)
{
    if (tag < MCTP_TAGS && ep->own[tag].waiting) {
        MCTPPath path = endpoint_own_path(ep, tag);

        mctp_txqueue_cancel(&ep->tx, &path);
        ep->own[tag].waiting = false;
    }
}

/* An answer to us: it counts once, whatever it is */
static MCTPDrop endpoint_deliver_response(MCTPEndpoint *ep,
                                          const MCTPPath *path,
                                          const MCTPAssembled *done)
{
    const MCTPType *t = endpoint_find_type(ep, done->body->data[0]);
    MCTPMessage msg = {
        .request.path = *path,
        .body = done->body->data,
        .len = done->body->len,
        .total = done->total,
    };

    if (!t || !t->response) {
        return endpoint_dropped(ep, MCTP_DROP_TYPE);
    }
    /* whoever guesses the tag may answer before the request is out */
    mctp_endpoint_withdraw(ep, path->tag);
    ep->stats.rx_messages++;
    t->response(t->opaque, ep, &msg);
    return MCTP_DROP_NONE;
}

static MCTPDrop endpoint_deliver(MCTPEndpoint *ep, const MCTPPath *path,
                                 const MCTPAssembled *done, int64_t now)
{
    uint8_t type = done->body->data[0];
    MCTPMessage msg = {
        .body = done->body->data,
        .len = done->body->len,
        .total = done->total,
    };
    const MCTPType *t = NULL;

    trace_mctp_message(path->remote, path->local, path->tag, type,
                       done->total);
    if (type & MCTP_TYPE_IC) {
        return endpoint_dropped(ep, MCTP_DROP_INTEGRITY);
    }
    if (!path->to) {
        return endpoint_deliver_response(ep, path, done);
    }
    if (type != MCTP_TYPE_CONTROL) {
        t = endpoint_find_type(ep, type);
        if (!t) {
            return endpoint_dropped(ep, MCTP_DROP_TYPE);
        }
    }
    ep->stats.rx_messages++;
    msg.request = *endpoint_pending_add(ep, path, now);
    if (!t && ep->hold_control && ep->hold_control(ep->hold_opaque, &msg)) {
        return MCTP_DROP_NONE;
    }
    if (!t) {
        return mctp_endpoint_control(ep, &msg);
    }
    t->handler(t->opaque, ep, &msg);
    return MCTP_DROP_NONE;
}

/* Is a packet addressed to this endpoint, in a way that it may be */
static MCTPDrop endpoint_check_addressing(const MCTPEndpoint *ep,
                                          const MCTPHeader *hdr, uint32_t link,
                                          uint8_t first)
{
    const MCTPOwnRequest *own = &ep->own[hdr->tag];
    bool single = hdr->som && hdr->eom;

    if (hdr->dest == MCTP_EID_BROADCAST) {
        if (!single || (first & MCTP_TYPE_MASK) != MCTP_TYPE_CONTROL) {
            return MCTP_DROP_DESTINATION;
        }
    } else if (hdr->dest != MCTP_EID_NULL &&
               (hdr->dest != ep->eid || !mctp_eid_unicast(hdr->dest))) {
        return MCTP_DROP_DESTINATION;
    }
    if (!hdr->to && (!own->waiting || own->link != link ||
                     own->remote != hdr->src ||
                     hdr->dest == MCTP_EID_BROADCAST)) {
        return MCTP_DROP_TAG;
    }
    /* control messages fit one packet, or are none */
    if (hdr->som && !single &&
        (first & MCTP_TYPE_MASK) == MCTP_TYPE_CONTROL) {
        return MCTP_DROP_CONTROL;
    }
    return MCTP_DROP_NONE;
}

MCTPDrop mctp_endpoint_receive(MCTPEndpoint *ep, const uint8_t *packet,
                               size_t len, uint32_t link, int64_t now)
{
    MCTPAssembled done = { .body = NULL };
    MCTPHeader hdr;
    MCTPPath path;
    MCTPDrop why;

    ep->stats.rx_packets++;
    why = mctp_header_decode(packet, len, &hdr);
    if (why == MCTP_DROP_NONE) {
        why = endpoint_check_addressing(ep, &hdr, link,
                                        packet[MCTP_HEADER_BYTES]);
    }
    if (why != MCTP_DROP_NONE) {
        trace_mctp_packet_dropped(link, mctp_drop_name(why));
        return endpoint_dropped(ep, why);
    }

    path = (MCTPPath) {
        .link = link,
        .remote = hdr.src,
        .local = hdr.dest,
        .tag = hdr.tag,
        .to = hdr.to,
    };
    if (hdr.som && hdr.to) {
        MCTPPath old = endpoint_reply_path(ep, &path);
        unsigned n = mctp_txqueue_cancel(&ep->tx, &old);

        /*
         * The tag is in use for something new, so nobody waits for what is
         * left of an older answer; sent now, it would spoil the new one.
         */
        ep->stats.drop[MCTP_DROP_SUPERSEDED] += n;
    }

    why = mctp_assembler_feed(&ep->rx, &hdr, link,
                              packet + MCTP_HEADER_BYTES,
                              len - MCTP_HEADER_BYTES, now, &done);
    if (why != MCTP_DROP_NONE) {
        trace_mctp_packet_dropped(link, mctp_drop_name(why));
        return endpoint_dropped(ep, why);
    }
    if (done.body) {
        /* out of the slot already: a handler may reset the endpoint */
        why = endpoint_deliver(ep, &path, &done, now);
        g_byte_array_unref(done.body);
    }
    return why;
}
