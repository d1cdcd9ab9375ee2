/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A CXL component behind an MCTP endpoint: the two message types that carry
 * its commands.
 *
 * Reference: CXL r3.2 7.6.3 (CCI message format), DMTF DSP0234 (CXL FM API
 * over MCTP, type 7), DSP0281 (CXL Type 3 CCI over MCTP, type 8).
 */
#ifndef HW_MCTP_CXL_H
#define HW_MCTP_CXL_H

#include "hw/cxl/cxl_cci.h"
#include "hw/mctp/mctp_cxl_msg.h"
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
} MCTPCXLAnswer;

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
 * Returns false if the component cannot answer at all at the moment, as
 * during a reset: the request gets no reply then.
 */
typedef bool MCTPCXLRun(void *opaque, uint16_t opcode, const void *in,
                        size_t in_len, void *out, size_t out_size,
                        MCTPCXLAnswer *answer);

/**
 * struct MCTPCXLTarget - the CXL component behind an endpoint
 */
typedef struct MCTPCXLTarget {
    /** @run: runs a request */
    MCTPCXLRun *run;
    /** @opaque: first argument of @run */
    void *opaque;
    /** @payload_max: bytes of the longest payload, either direction */
    uint32_t payload_max;
    /** @from: while @run runs: who asks */
    MCTPPath from;
    /** @response: takes answers to mctp_cxl_send(), or %NULL; hostile */
    void (*response)(void *opaque, uint8_t mctp_tag, const CXLCCIMsg *msg);
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

#endif
