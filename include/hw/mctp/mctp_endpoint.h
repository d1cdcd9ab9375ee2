/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MCTP endpoint: everything above a link and below a message type. The owner
 * (a device on some bus) feeds received packets and takes packets to send;
 * message types are handled by whoever registers for them.
 *
 * Reference: DMTF DSP0236 (base specification) 8 and 12 (control protocol).
 *
 * There is no thread, timer or bus in here. Every time is handed in by the
 * caller, in ns of one clock that never runs backwards.
 */
#ifndef HW_MCTP_ENDPOINT_H
#define HW_MCTP_ENDPOINT_H

#include "hw/mctp/mctp_packet.h"
#include "hw/mctp/mctp_txqueue.h"

/* Message types besides control that one endpoint can offer */
#define MCTP_TYPES_MAX          16

/* An answer that took longer than this is not sent, see MCTP_TX_LIFETIME_NS */
#define MCTP_REPLY_LIMIT_NS     2000000000LL

/* Versions as Get MCTP Version Support reports them: BCD, F for no digit */
#define MCTP_VERSION_1_0        0xf1f0ff00
#define MCTP_VERSION_1_3_1      0xf1f3f100

typedef struct MCTPEndpoint MCTPEndpoint;

/**
 * struct MCTPRequest - whom an answer goes to
 *
 * A handler that cannot answer at once keeps a copy.
 */
typedef struct MCTPRequest {
    /** @serial: this request's number, never given to another */
    uint64_t serial;
    /** @arrival: when its last packet came, ns */
    int64_t arrival;
    /** @path: where it came from */
    MCTPPath path;
} MCTPRequest;

/**
 * struct MCTPMessage - a request as handed to its handler
 */
typedef struct MCTPMessage {
    /** @request: handle for mctp_endpoint_reply() */
    MCTPRequest request;
    /** @body: type byte first; valid until the handler returns */
    const uint8_t *body;
    /** @len: bytes at @body, at least 1 */
    uint32_t len;
    /** @total: bytes sent; above @len if the message was over-long */
    uint32_t total;
} MCTPMessage;

/**
 * typedef MCTPHandler - takes the requests of a message type
 * @opaque: as registered
 * @ep: the endpoint that was asked
 * @msg: the request; hostile
 *
 * May answer at once, later, or never.
 */
typedef void MCTPHandler(void *opaque, MCTPEndpoint *ep,
                         const MCTPMessage *msg);

/**
 * struct MCTPEndpointConfig - what the owner decides
 */
typedef struct MCTPEndpointConfig {
    /** @kick: called when a packet may be waiting to be sent; may be %NULL */
    void (*kick)(void *opaque);
    /** @kick_opaque: first argument of @kick */
    void *kick_opaque;
    /** @uuid: 16 bytes, RFC 4122 order, copied; %NULL if there is none */
    const uint8_t *uuid;
    /** @max_message: longest request kept, bytes, up to MCTP_MESSAGE_MAX */
    uint32_t max_message;
    /** @unit: payload bytes per packet sent, 64..MCTP_UNIT_MAX */
    uint32_t unit;
    /** @static_eid: EID after power-on and reset, 0 for none */
    uint8_t static_eid;
    /** @medium: medium specific byte of the Get Endpoint ID answer */
    uint8_t medium;
} MCTPEndpointConfig;

/**
 * mctp_endpoint_new() - create an endpoint in its power-on state
 * @config: copied
 *
 * Returns the endpoint, the caller's to free with mctp_endpoint_free().
 */
MCTPEndpoint *mctp_endpoint_new(const MCTPEndpointConfig *config);

/**
 * mctp_endpoint_free() - free an endpoint and all it holds
 * @ep: the endpoint, or %NULL
 */
void mctp_endpoint_free(MCTPEndpoint *ep);

/**
 * mctp_endpoint_reset() - back to the power-on state
 * @ep: the endpoint
 *
 * EID, messages under way, messages to be sent and requests not answered yet
 * are lost; registrations and counters stay.
 */
void mctp_endpoint_reset(MCTPEndpoint *ep);

/**
 * mctp_endpoint_flush() - the link was cut
 * @ep: the endpoint
 *
 * What mctp_endpoint_reset() drops, but the EID in force stays.
 */
void mctp_endpoint_flush(MCTPEndpoint *ep);

/**
 * mctp_endpoint_add_type() - offer a message type
 * @ep: the endpoint
 * @type: 0x01..0x7f, not yet taken
 * @version: as Get MCTP Version Support reports it, MCTP_VERSION_*
 * @handler: takes its requests
 * @opaque: first argument of @handler
 *
 * Returns false if the type is taken, illegal, or one too many.
 */
bool mctp_endpoint_add_type(MCTPEndpoint *ep, uint8_t type, uint32_t version,
                            MCTPHandler *handler, void *opaque);

/**
 * mctp_endpoint_on_response() - take answers to requests of ours as well
 * @ep: the endpoint
 * @type: offered already
 * @handler: takes them, with the type's @opaque; @msg->request is no handle
 */
void mctp_endpoint_on_response(MCTPEndpoint *ep, uint8_t type,
                               MCTPHandler *handler);

/**
 * mctp_endpoint_hold_control() - let control requests wait for others
 * @ep: the endpoint
 * @hold: returns false if the request is to be answered at once; else it has
 *        kept a copy for mctp_endpoint_control()
 * @opaque: first argument of @hold
 *
 * So that answers keep the order of the requests.
 */
void mctp_endpoint_hold_control(MCTPEndpoint *ep,
                                bool (*hold)(void *opaque,
                                             const MCTPMessage *msg),
                                void *opaque);

/**
 * mctp_endpoint_control() - answer a control request that was held
 * @ep: the endpoint
 * @msg: as it was given to the function that held it
 *
 * Returns MCTP_DROP_NONE, or why there is no answer (already counted).
 */
MCTPDrop mctp_endpoint_control(MCTPEndpoint *ep, const MCTPMessage *msg);

/**
 * mctp_endpoint_request() - send a request of our own
 * @ep: the endpoint
 * @link: address on the link to send it to
 * @dest: EID to send it to
 * @body: type byte first; copied
 * @len: its bytes, 1..MCTP_MESSAGE_MAX
 * @now: time, ns
 *
 * One answer is passed on, to the type's mctp_endpoint_on_response(). Time is
 * the caller's affair: it withdraws what it does not want to wait for any
 * longer. Returns the tag, or -1 if none is free or there is no room.
 */
int mctp_endpoint_request(MCTPEndpoint *ep, uint32_t link, uint8_t dest,
                          const void *body, size_t len, int64_t now);

/**
 * mctp_endpoint_withdraw() - forget a request of our own
 * @ep: the endpoint
 * @tag: from mctp_endpoint_request()
 *
 * If it has not been sent it will not be, and an answer is dropped.
 */
void mctp_endpoint_withdraw(MCTPEndpoint *ep, uint8_t tag);

/**
 * mctp_endpoint_count_drop() - count something a handler threw away
 * @ep: the endpoint
 * @why: the reason
 */
void mctp_endpoint_count_drop(MCTPEndpoint *ep, MCTPDrop why);

/**
 * mctp_endpoint_receive() - take a packet from the link
 * @ep: the endpoint
 * @packet: header and payload; hostile
 * @len: bytes
 * @link: the sender's address on the link, where answers go
 * @now: time of arrival, ns
 *
 * If it completes a message the handler runs inside this call. Returns
 * MCTP_DROP_NONE, or why the packet or the message it completed was dropped
 * (already counted).
 */
MCTPDrop mctp_endpoint_receive(MCTPEndpoint *ep, const uint8_t *packet,
                               size_t len, uint32_t link, int64_t now);

/**
 * mctp_endpoint_reply() - queue the answer to a request
 * @ep: the endpoint
 * @request: from the message; each can be answered once
 * @body: answer, type byte first; copied
 * @len: its bytes, 1..MCTP_MESSAGE_MAX
 * @now: time, ns
 *
 * Returns MCTP_DROP_NONE, or why nothing will be sent (already counted): the
 * requester has used the tag for a new request meanwhile, the answer is too
 * late, or there is no room.
 */
MCTPDrop mctp_endpoint_reply(MCTPEndpoint *ep, const MCTPRequest *request,
                             const void *body, size_t len, int64_t now);

/**
 * mctp_endpoint_tx() - the transmit queue, for the owner to empty
 * @ep: the endpoint
 */
MCTPTxQueue *mctp_endpoint_tx(MCTPEndpoint *ep);

#endif
