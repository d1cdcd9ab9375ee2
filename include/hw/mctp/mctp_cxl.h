/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL commands as messages: the CCI message header, which MCTP and tunnels
 * share, and the two MCTP message types that carry it.
 *
 * Reference: CXL r3.2 7.6.3 (CCI message format), DMTF DSP0234 (CXL FM API
 * over MCTP, type 7), DSP0281 (CXL Type 3 CCI over MCTP, type 8).
 */
#ifndef HW_MCTP_CXL_H
#define HW_MCTP_CXL_H

#include "hw/cxl/cxl_cci.h"
#include "hw/mctp/mctp_endpoint.h"

/* Header of a CCI message, without the MCTP type byte */
#define CXL_CCI_MSG_HEADER      12
/* Its length field has 20 bits */
#define CXL_CCI_MSG_LEN_MAX     0xfffff

#define CXL_CCI_MSG_REQUEST     0
#define CXL_CCI_MSG_RESPONSE    1

/**
 * struct CXLCCIMsg - header of a CCI message
 */
typedef struct CXLCCIMsg {
    /** @length: payload bytes as announced, 0..CXL_CCI_MSG_LEN_MAX */
    uint32_t length;
    /** @opcode: command set in the high byte */
    uint16_t opcode;
    /** @ret_code: of a response, &enum CXLRetCode */
    uint16_t ret_code;
    /** @vendor_status: of a response, vendor specific extended status */
    uint16_t vendor_status;
    /** @category: CXL_CCI_MSG_REQUEST or CXL_CCI_MSG_RESPONSE */
    uint8_t category;
    /** @tag: chosen by the requester */
    uint8_t tag;
    /** @background: of a response, a background operation is running */
    bool background;
} CXLCCIMsg;

/**
 * cxl_cci_msg_decode() - read a header
 * @data: message without type byte; hostile
 * @len: its bytes
 * @msg: filled on success; @msg->length is not compared with @len
 *
 * Returns false if there is no whole header.
 */
bool cxl_cci_msg_decode(const uint8_t *data, size_t len, CXLCCIMsg *msg);

/**
 * cxl_cci_msg_encode() - write a header
 * @msg: what to write
 * @out: CXL_CCI_MSG_HEADER bytes
 */
void cxl_cci_msg_encode(const CXLCCIMsg *msg, uint8_t *out);

/**
 * mctp_cxl_type_for() - the MCTP message type that an opcode travels in
 * @opcode: command set in the high byte
 *
 * Returns MCTP_TYPE_CXL_FMAPI for the sets of the FM API, 51h to 5Fh, and
 * MCTP_TYPE_CXL_CCI for every other.
 */
uint8_t mctp_cxl_type_for(uint16_t opcode);

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
} MCTPCXLTarget;

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
