/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A CXL component behind an MCTP endpoint: the two message types that carry
 * its commands.
 *
 * Reference: CXL r3.2 7.6.3 (CCI message format), DMTF DSP0234 (CXL FM API
 * over MCTP, type 7), DSP0281 (CXL Type 3 CCI over MCTP, type 8).
 */
#ifndef CXL_MCTP_MESSAGE_H
#define CXL_MCTP_MESSAGE_H

#include "hw/cxl/cxl_cci.h"
#include "hw/cxl/cci/cci-msg.h"
#include "hw/mctp/mctp_endpoint.h"

/**
 * struct MCTPCXLAnswer - what a command came to
 */
typedef struct MCTPCXLAnswer {
    /** @len: payload bytes written */
    size_t len;
    /** @ret_code: return code */
    CXLRetCode ret_code;
    /** @background: a background operation is running now */
    bool background;
    /** @opcode: what the answer repeats of the request, filled in before */
    uint16_t opcode;
    /** @vendor_status: vendor specific extended status */
    uint16_t vendor_status;
    /** @announced: bytes of payload that it says it has, -1: @len */
    int32_t announced;
} MCTPCXLAnswer;

/* Requests that wait to be run; one for each that an endpoint remembers */
#define MCTP_CXL_WAITING_MAX    32

/**
 * struct MCTPCXLWaiting - a request that waits to be run
 *
 * Control requests that come behind it wait, too.
 */
typedef struct MCTPCXLWaiting {
    /** @request: whom the answer goes to */
    MCTPRequest request;
    /** @total: bytes sent; above those of @body if it was over-long */
    uint32_t total;
    /** @body: type byte first; %NULL if the place is free */
    GByteArray *body;
} MCTPCXLWaiting;

/**
 * enum MCTPCXLRan - how a request was taken
 */
typedef enum MCTPCXLRan {
    /** @MCTP_CXL_ANSWERED: the answer says what it came to */
    MCTP_CXL_ANSWERED,
    /**
     * @MCTP_CXL_LATER: mctp_cxl_answer() answers, or nobody does if
     * mctp_cxl_forget() comes first; others wait for that.  Not in a machine:
     * it is not migrated
     */
    MCTP_CXL_LATER,
    /** @MCTP_CXL_SILENT: the component cannot answer at the moment */
    MCTP_CXL_SILENT,
    /** @MCTP_CXL_GONE: endpoint and target are gone: touch nothing of them */
    MCTP_CXL_GONE,
} MCTPCXLRan;

/**
 * typedef MCTPCXLRun - run one request on the CCI behind an endpoint
 * @opaque: the target's
 * @opcode: command set in the high byte
 * @in: request payload
 * @in_len: its bytes
 * @out: room for the response payload
 * @out_size: bytes at @out
 * @answer: result, zeroed before the call
 *
 * May run anything: a command's effects reach the buses.
 */
typedef MCTPCXLRan MCTPCXLRun(void *opaque, uint16_t opcode, const void *in,
                              size_t in_len, void *out, size_t out_size,
                              MCTPCXLAnswer *answer);

/**
 * struct MCTPCXLTarget - the CXL component behind an endpoint
 */
typedef struct MCTPCXLTarget {
    /** @run: runs a request */
    MCTPCXLRun *run;
    /** @arrived: a request waits for mctp_cxl_run(); called inside a receive */
    void (*arrived)(void *opaque);
    /** @opaque: first argument of these */
    void *opaque;
    /** @payload_max: bytes of the longest payload, either direction */
    uint32_t payload_max;
    /** @from: while @run runs: who asks */
    MCTPPath from;
    /** @response: takes answers to mctp_cxl_send(), or %NULL; hostile */
    void (*response)(void *opaque, uint8_t mctp_tag, const CXLCCIMsg *msg);
    /** @num_waiting: places of @waiting in use, from the first on */
    uint32_t num_waiting;
    /** @waiting: oldest first */
    MCTPCXLWaiting waiting[MCTP_CXL_WAITING_MAX];
    /** @later: is to be answered later, unless its body is %NULL */
    MCTPCXLWaiting later;
} MCTPCXLTarget;

/**
 * mctp_cxl_send() - send a command to somebody else's CCI
 * @ep: the endpoint
 * @link: address on the link
 * @dest: EID
 * @cci_tag: tag of the CCI message
 * @opcode: command set in the high byte
 * @in: request payload
 * @len: its bytes
 * @now: time, ns
 *
 * Returns the MCTP tag as mctp_endpoint_request() does, or -1.
 */
int mctp_cxl_send(MCTPEndpoint *ep, uint32_t link, uint8_t dest,
                  uint8_t cci_tag, uint16_t opcode, const void *in,
                  size_t len, int64_t now);

/**
 * mctp_cxl_message_max() - the endpoint's message limit for a payload limit
 * @payload_max: bytes of payload
 *
 * Some bytes more than a legal message has, so that a little too long a
 * request reaches the length check whole; a much longer one is answered from
 * its head.
 */
uint32_t mctp_cxl_message_max(uint32_t payload_max);

/**
 * mctp_cxl_attach() - offer both CXL message types at an endpoint
 * @ep: the endpoint
 * @target: where requests go; not copied, must outlive @ep
 *
 * Returns false if the types are taken.
 */
bool mctp_cxl_attach(MCTPEndpoint *ep, MCTPCXLTarget *target);

/**
 * mctp_cxl_run() - run the requests that wait
 * @ep: the endpoint
 * @target: attached to it
 * @now: time, ns
 *
 * To be called where nothing of the caller's is half done, which is not inside
 * a receive: a command can have the endpoint unplugged, or its bus. Returns
 * false if that happened; then neither argument may be touched.
 */
bool mctp_cxl_run(MCTPEndpoint *ep, MCTPCXLTarget *target, int64_t now);

/**
 * mctp_cxl_answer() - answer the request that @run took with MCTP_CXL_LATER
 * @ep: the endpoint
 * @target: attached to it
 * @rc: return code
 * @out: response payload
 * @len: its bytes
 * @background: a background operation is running now
 * @now: time, ns
 *
 * Those that wait for that are for mctp_cxl_run().
 */
void mctp_cxl_answer(MCTPEndpoint *ep, MCTPCXLTarget *target, CXLRetCode rc,
                     const void *out, size_t len, bool background,
                     int64_t now);

/**
 * mctp_cxl_forget() - drop the requests that wait
 * @target: where they would have run
 */
void mctp_cxl_forget(MCTPCXLTarget *target);

/** vmstate_mctp_cxl_waiting - of an &MCTPCXLTarget, after the endpoint's */
extern const struct VMStateDescription vmstate_mctp_cxl_waiting;

#endif
