/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of an MCTP endpoint, shared by its core, the control protocol and
 * the migration description. Reference: DMTF DSP0236.
 */
#ifndef HW_MCTP_INTERNAL_H
#define HW_MCTP_INTERNAL_H

#include "hw/mctp/mctp_assembler.h"
#include "hw/mctp/mctp_endpoint.h"
#include "hw/mctp/mctp_txqueue.h"

/* Requests that handlers may be busy with at one time */
#define MCTP_PENDING_SLOTS      32

#define MCTP_UUID_BYTES         16

/* Longest control message in either direction: one baseline packet */
#define MCTP_CONTROL_MAX        MCTP_UNIT_BASELINE

/* Tags that we own ourselves, to whomever requests go */
#define MCTP_TAGS               8

/* A request of ours that waits for its answer; the tag is its place */
typedef struct MCTPOwnRequest {
    uint32_t link;
    uint8_t remote;
    bool waiting;
} MCTPOwnRequest;

typedef struct MCTPType {
    MCTPHandler *handler;
    MCTPHandler *response;
    void *opaque;
    uint32_t version;
    uint8_t type;
} MCTPType;

struct MCTPEndpoint {
    MCTPEndpointConfig config;
    uint8_t uuid[MCTP_UUID_BYTES];

    MCTPType type[MCTP_TYPES_MAX];      /* ascending */
    unsigned num_types;

    bool (*hold_control)(void *opaque, const MCTPMessage *msg);
    void *hold_opaque;

    MCTPAssembler rx;
    MCTPTxQueue tx;
    MCTPRequest pending[MCTP_PENDING_SLOTS];    /* free: serial 0 */
    uint64_t last_serial;
    MCTPOwnRequest own[MCTP_TAGS];
    MCTPStats stats;
    uint8_t eid;
};

/**
 * mctp_control_request() - act on a control message
 * @ep: the endpoint
 * @body: the message, type byte first; hostile
 * @len: bytes, at least 1
 * @reply: MCTP_CONTROL_MAX bytes for the answer
 * @reply_len: bytes of the answer, 0 if there is none to send
 *
 * Returns MCTP_DROP_NONE, or MCTP_DROP_CONTROL for what is ignored.
 */
MCTPDrop mctp_control_request(MCTPEndpoint *ep, const uint8_t *body,
                              size_t len, uint8_t *reply, size_t *reply_len);

#endif
