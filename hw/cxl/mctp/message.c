/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL component commands over MCTP, whatever the link: keeps a message until
 * it can be run, runs it on the component's CCI and sends the answer back.
 *
 * Reference: CXL r3.2 7.6.3; DMTF DSP0234 (type 7) and DSP0281 (type 8).
 */
#include "qemu/osdep.h"
#include "message.h"
#include "trace/trace-hw_cxl.h"

/* Type byte plus header */
#define MCTP_CXL_OVERHEAD       (1 + CXL_CCI_MSG_HEADER)
#define MCTP_CXL_SLACK          16

uint32_t mctp_cxl_message_max(uint32_t payload_max)
{
    return MIN((uint64_t)payload_max + MCTP_CXL_OVERHEAD + MCTP_CXL_SLACK,
               MCTP_MESSAGE_MAX);
}

/* Returns false if there is no room; its drop is counted */
static bool mctp_cxl_keep(MCTPCXLTarget *target, MCTPEndpoint *ep,
                          const MCTPMessage *msg)
{
    MCTPCXLWaiting *w = &target->waiting[target->num_waiting];

    if (target->num_waiting == MCTP_CXL_WAITING_MAX) {
        mctp_endpoint_count_drop(ep, MCTP_DROP_QUEUE_FULL);
        return false;
    }
    *w = (MCTPCXLWaiting) {
        .request = msg->request,
        .total = msg->total,
        .body = g_byte_array_sized_new(msg->len),
    };
    g_byte_array_append(w->body, msg->body, msg->len);
    target->num_waiting++;
    return true;
}

/* A control request does not overtake a command, nor is it ever refused */
static bool mctp_cxl_hold_control(void *opaque, const MCTPMessage *msg)
{
    MCTPCXLTarget *target = opaque;

    return (target->num_waiting || target->later.body) &&
           target->num_waiting < MCTP_CXL_WAITING_MAX &&
           mctp_cxl_keep(target, NULL, msg);
}

/*
 * A request is kept: it arrives inside a bus event or a chardev's receive,
 * and what its command does may end the bus or the device behind the chardev.
 */
static void mctp_cxl_request(void *opaque, MCTPEndpoint *ep,
                             const MCTPMessage *msg)
{
    MCTPCXLTarget *target = opaque;
    CXLCCIMsg head;

    if (!cxl_cci_msg_decode(msg->body + 1, msg->len - 1, &head) ||
        head.category != CXL_CCI_MSG_REQUEST) {
        mctp_endpoint_count_drop(ep, MCTP_DROP_MALFORMED);
        return;
    }
    if (mctp_cxl_keep(target, ep, msg)) {
        target->arrived(target->opaque);
    }
}

/* @reply has room for the header in front of the answer's payload */
static void mctp_cxl_reply(MCTPEndpoint *ep, const MCTPCXLWaiting *w,
                           const MCTPCXLAnswer *answer, uint8_t *reply,
                           int64_t now)
{
    uint8_t type = w->body->data[0];
    CXLCCIMsg head;

    /* was one when it came, and when it was loaded */
    cxl_cci_msg_decode(w->body->data + 1, w->body->len - 1, &head);
    trace_mctp_cxl_request(type, head.tag, head.opcode, w->total,
                           answer->ret_code, answer->len);
    head = (CXLCCIMsg) {
        .category = CXL_CCI_MSG_RESPONSE,
        .tag = head.tag,
        .opcode = answer->opcode,
        .length = answer->announced < 0 ? answer->len : answer->announced,
        .background = answer->background,
        .ret_code = answer->ret_code,
        .vendor_status = answer->vendor_status,
    };
    reply[0] = type;
    cxl_cci_msg_encode(&head, reply + 1);
    mctp_endpoint_reply(ep, &w->request, reply,
                        MCTP_CXL_OVERHEAD + answer->len, now);
}

/* How it was taken */
static MCTPCXLRan mctp_cxl_run_one(MCTPEndpoint *ep, MCTPCXLTarget *target,
                                   const MCTPCXLWaiting *w, int64_t now)
{
    const uint8_t *body = w->body->data;
    size_t room = MIN(target->payload_max,
                      MCTP_MESSAGE_MAX - MCTP_CXL_OVERHEAD);
    g_autofree uint8_t *reply = g_malloc(MCTP_CXL_OVERHEAD + room);
    MCTPCXLAnswer answer = { .ret_code = CXL_RC_SUCCESS };
    MCTPCXLRan ran = MCTP_CXL_ANSWERED;
    uint8_t type = body[0];
    CXLCCIMsg head;

    /* was one when it came, and when it was loaded */
    cxl_cci_msg_decode(body + 1, w->body->len - 1, &head);
    answer.opcode = head.opcode;
    answer.announced = -1;
    if (w->total != w->body->len ||
        w->body->len - MCTP_CXL_OVERHEAD != head.length ||
        head.length > room) {
        answer.ret_code = CXL_RC_INVALID_PAYLOAD_LENGTH;
    } else if (mctp_cxl_type_for(head.opcode) != type) {
        answer.ret_code = CXL_RC_UNSUPPORTED;
    } else {
        target->from = w->request.path;
        ran = target->run(target->opaque, head.opcode,
                          body + MCTP_CXL_OVERHEAD, head.length,
                          reply + MCTP_CXL_OVERHEAD, room, &answer);
    }
    if (ran == MCTP_CXL_SILENT) {
        mctp_endpoint_count_drop(ep, MCTP_DROP_REFUSED);
    } else if (ran == MCTP_CXL_ANSWERED) {
        assert(answer.len <= room);
        mctp_cxl_reply(ep, w, &answer, reply, now);
    }
    return ran;
}

void mctp_cxl_answer(MCTPEndpoint *ep, MCTPCXLTarget *target, CXLRetCode rc,
                     const void *out, size_t len, bool background, int64_t now)
{
    g_autofree uint8_t *reply = g_malloc(MCTP_CXL_OVERHEAD + len);
    const GByteArray *body = target->later.body;
    MCTPCXLAnswer answer = {
        .len = len,
        .ret_code = rc,
        .background = background,
        .announced = -1,
    };
    CXLCCIMsg head;

    cxl_cci_msg_decode(body->data + 1, body->len - 1, &head);
    answer.opcode = head.opcode;
    if (len) {
        memcpy(reply + MCTP_CXL_OVERHEAD, out, len);
    }
    mctp_cxl_reply(ep, &target->later, &answer, reply, now);
    g_clear_pointer(&target->later.body, g_byte_array_unref);
}

static void mctp_cxl_run_control(MCTPEndpoint *ep, const MCTPCXLWaiting *w)
{
    const MCTPMessage msg = {
        .request = w->request,
        .body = w->body->data,
        .len = w->body->len,
        .total = w->total,
    };

    mctp_endpoint_control(ep, &msg);
}

bool mctp_cxl_run(MCTPEndpoint *ep, MCTPCXLTarget *target, int64_t now)
{
    MCTPCXLRan ran = MCTP_CXL_ANSWERED;

    while (ran != MCTP_CXL_GONE && target->num_waiting && !target->later.body) {
        MCTPCXLWaiting w = target->waiting[0];

        target->num_waiting--;
        memmove(&target->waiting[0], &target->waiting[1],
                target->num_waiting * sizeof(w));
        target->waiting[target->num_waiting].body = NULL;
        if (w.body->data[0] == MCTP_TYPE_CONTROL) {
            mctp_cxl_run_control(ep, &w);
        } else {
            ran = mctp_cxl_run_one(ep, target, &w, now);
        }
        if (ran == MCTP_CXL_LATER) {
            target->later = w;
        } else {
            g_byte_array_unref(w.body);
        }
    }
    return ran != MCTP_CXL_GONE;
}

void mctp_cxl_forget(MCTPCXLTarget *target)
{
    for (size_t i = 0; i < ARRAY_SIZE(target->waiting); i++) {
        g_clear_pointer(&target->waiting[i].body, g_byte_array_unref);
    }
    g_clear_pointer(&target->later.body, g_byte_array_unref);
    target->num_waiting = 0;
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
    mctp_endpoint_hold_control(ep, mctp_cxl_hold_control, target);
    return true;
}
