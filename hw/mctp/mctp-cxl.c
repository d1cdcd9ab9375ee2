/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL component commands over MCTP, whatever the link: checks a message,
 * runs it on the component's CCI and sends the answer back.
 *
 * Reference: CXL r3.2 7.6.3; DMTF DSP0234 (type 7) and DSP0281 (type 8).
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/registerfields.h"
#include "hw/mctp/mctp_cxl.h"
#include "trace.h"

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

/* Type byte plus header */
#define MCTP_CXL_OVERHEAD       (1 + CXL_CCI_MSG_HEADER)
#define MCTP_CXL_SLACK          16

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

uint32_t mctp_cxl_message_max(uint32_t payload_max)
{
    return MIN((uint64_t)payload_max + MCTP_CXL_OVERHEAD + MCTP_CXL_SLACK,
               MCTP_MESSAGE_MAX);
}

static void mctp_cxl_request(void *opaque, MCTPEndpoint *ep,
                             const MCTPMessage *msg)
{
    MCTPCXLTarget *target = opaque;
    uint8_t type = msg->body[0];
    MCTPCXLAnswer answer = { .ret_code = CXL_RC_SUCCESS };
    g_autofree uint8_t *reply = NULL;
    size_t room;
    CXLCCIMsg head;

    if (!cxl_cci_msg_decode(msg->body + 1, msg->len - 1, &head) ||
        head.category != CXL_CCI_MSG_REQUEST) {
        mctp_endpoint_count_drop(ep, MCTP_DROP_MALFORMED);
        return;
    }

    room = MIN(target->payload_max, MCTP_MESSAGE_MAX - MCTP_CXL_OVERHEAD);
    reply = g_malloc(MCTP_CXL_OVERHEAD + room);
    if (msg->total != msg->len ||
        msg->len - MCTP_CXL_OVERHEAD != head.length || head.length > room) {
        answer.ret_code = CXL_RC_INVALID_PAYLOAD_LENGTH;
    } else if (mctp_cxl_type_for(head.opcode) != type) {
        answer.ret_code = CXL_RC_UNSUPPORTED;
    } else if (!target->run(target->opaque, head.opcode,
                            msg->body + MCTP_CXL_OVERHEAD, head.length,
                            reply + MCTP_CXL_OVERHEAD, room, &answer)) {
        mctp_endpoint_count_drop(ep, MCTP_DROP_REFUSED);
        return;
    }
    assert(answer.len <= room);

    trace_mctp_cxl_request(type, head.tag, head.opcode, msg->total,
                           answer.ret_code, answer.len);
    head = (CXLCCIMsg) {
        .category = CXL_CCI_MSG_RESPONSE,
        .tag = head.tag,
        .opcode = head.opcode,
        .length = answer.len,
        .background = answer.background,
        .ret_code = answer.ret_code,
    };
    reply[0] = type;
    cxl_cci_msg_encode(&head, reply + 1);
    mctp_endpoint_reply(ep, &msg->request, reply,
                        MCTP_CXL_OVERHEAD + answer.len,
                        msg->request.arrival);
}

bool mctp_cxl_attach(MCTPEndpoint *ep, MCTPCXLTarget *target)
{
    return mctp_endpoint_add_type(ep, MCTP_TYPE_CXL_FMAPI, MCTP_VERSION_1_0,
                                  mctp_cxl_request, target) &&
           mctp_endpoint_add_type(ep, MCTP_TYPE_CXL_CCI, MCTP_VERSION_1_0,
                                  mctp_cxl_request, target);
}
