/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL component commands over MCTP, whatever the link: checks a message,
 * runs it on the component's CCI and sends the answer back.
 *
 * Reference: CXL r3.2 7.6.3; DMTF DSP0234 (type 7) and DSP0281 (type 8).
 */
#include "qemu/osdep.h"
#include "hw/mctp/mctp_cxl.h"
#include "trace.h"

/* Type byte plus header */
#define MCTP_CXL_OVERHEAD       (1 + CXL_CCI_MSG_HEADER)
#define MCTP_CXL_SLACK          16

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

    target->from = msg->request.path;
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

static void mctp_cxl_response(void *opaque, MCTPEndpoint *ep,
                              const MCTPMessage *msg)
{
    MCTPCXLTarget *target = opaque;
    CXLCCIMsg head;

    if (!cxl_cci_msg_decode(msg->body + 1, msg->len - 1, &head) ||
        head.category != CXL_CCI_MSG_RESPONSE || !target->response) {
        mctp_endpoint_count_drop(ep, MCTP_DROP_MALFORMED);
        return;
    }
    target->response(target->opaque, msg->request.path.tag, &head);
}

int mctp_cxl_send(MCTPEndpoint *ep, uint32_t link, uint8_t dest,
                  uint8_t cci_tag, uint16_t opcode, const void *in,
                  size_t len, int64_t now)
{
    g_autofree uint8_t *body = g_malloc(MCTP_CXL_OVERHEAD + len);
    const CXLCCIMsg head = {
        .category = CXL_CCI_MSG_REQUEST,
        .tag = cci_tag,
        .opcode = opcode,
        .length = len,
    };

    body[0] = mctp_cxl_type_for(opcode);
    cxl_cci_msg_encode(&head, body + 1);
    memcpy(body + MCTP_CXL_OVERHEAD, in, len);
    return mctp_endpoint_request(ep, link, dest, body,
                                 MCTP_CXL_OVERHEAD + len, now);
}

bool mctp_cxl_attach(MCTPEndpoint *ep, MCTPCXLTarget *target)
{
    static const uint8_t types[] = { MCTP_TYPE_CXL_FMAPI, MCTP_TYPE_CXL_CCI };

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        if (!mctp_endpoint_add_type(ep, types[i], MCTP_VERSION_1_0,
                                    mctp_cxl_request, target)) {
            return false;
        }
        mctp_endpoint_on_response(ep, types[i], mctp_cxl_response);
    }
    return true;
}
