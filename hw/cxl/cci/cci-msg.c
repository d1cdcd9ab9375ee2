/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Header of a CCI message, to and from bytes, and the MCTP message type that
 * an opcode travels in.
 *
 * Reference: CXL r3.2 7.6.3; DMTF DSP0234 (type 7) and DSP0281 (type 8).
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/registerfields.h"
#include "hw/cxl/cci/cci-msg.h"

/* Offsets in a CCI message without MCTP type byte */
enum {
    MSG_CATEGORY        = 0,
    MSG_TAG             = 1,
    MSG_OPCODE          = 3,
    MSG_LENGTH          = 5,
    MSG_RET_CODE        = 8,
    MSG_VENDOR_STATUS   = 10,
};

#define MSG_CATEGORY_MASK       0x0f

/* The 24 bits at MSG_LENGTH */
FIELD(MSG_LEN, BYTES, 0, 20)
FIELD(MSG_LEN, BO, 23, 1)

#define FMAPI_SET_FIRST         0x51
#define FMAPI_SET_LAST          0x5f

bool cxl_cci_msg_decode(const uint8_t *data, size_t len, CXLCCIMsg *msg)
{
    uint32_t length;

    if (len < CXL_CCI_MSG_HEADER) {
        return false;
    }
    length = lduw_le_p(data + MSG_LENGTH) | data[MSG_LENGTH + 2] << 16;
    *msg = (CXLCCIMsg) {
        .length = FIELD_EX32(length, MSG_LEN, BYTES),
        .opcode = lduw_le_p(data + MSG_OPCODE),
        .ret_code = lduw_le_p(data + MSG_RET_CODE),
        .vendor_status = lduw_le_p(data + MSG_VENDOR_STATUS),
        .category = data[MSG_CATEGORY] & MSG_CATEGORY_MASK,
        .tag = data[MSG_TAG],
        .background = FIELD_EX32(length, MSG_LEN, BO),
    };
    return true;
}

void cxl_cci_msg_encode(const CXLCCIMsg *msg, uint8_t *out)
{
    uint32_t length = 0;

    length = FIELD_DP32(length, MSG_LEN, BYTES, msg->length);
    length = FIELD_DP32(length, MSG_LEN, BO, msg->background);
    memset(out, 0, CXL_CCI_MSG_HEADER);
    out[MSG_CATEGORY] = msg->category;
    out[MSG_TAG] = msg->tag;
    stw_le_p(out + MSG_OPCODE, msg->opcode);
    stw_le_p(out + MSG_LENGTH, length & 0xffff);
    out[MSG_LENGTH + 2] = length >> 16;
    stw_le_p(out + MSG_RET_CODE, msg->ret_code);
    stw_le_p(out + MSG_VENDOR_STATUS, msg->vendor_status);
}

uint8_t mctp_cxl_type_for(uint16_t opcode)
{
    uint8_t set = opcode >> 8;

    return set >= FMAPI_SET_FIRST && set <= FMAPI_SET_LAST ?
           MCTP_TYPE_CXL_FMAPI : MCTP_TYPE_CXL_CCI;
}
