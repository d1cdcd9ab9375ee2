/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Header of a CCI message, which MCTP and tunnels share, to and from bytes.
 * Needs no device: requesters such as tools/cxl-fm use it too.
 *
 * Reference: CXL r3.2 7.6.3; DMTF DSP0234 (type 7) and DSP0281 (type 8).
 */
#ifndef CXL_CCI_MSG_H
#define CXL_CCI_MSG_H

/* MCTP message types that carry it */
#define MCTP_TYPE_CXL_FMAPI     0x07
#define MCTP_TYPE_CXL_CCI       0x08

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

#endif
