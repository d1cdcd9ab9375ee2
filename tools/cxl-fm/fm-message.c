/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests and answers as messages over MCTP (CXL r3.2 7.6.3). The header's
 * layout is that of QEMU's MCTP library; here is what a requester checks.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/cxl/cci/cci-msg.h"
#include "fm-message.h"

G_STATIC_ASSERT(FM_MESSAGE_HEADER == CXL_CCI_MSG_HEADER);

#define NOTICE_OPCODE   0x0106
#define NOTICE_LEN      2

uint8_t fm_message_type(uint16_t opcode)
{
    return mctp_cxl_type_for(opcode);
}

size_t fm_message_build(const struct cxl_req *req, uint8_t tag, uint8_t *out)
{
    const CXLCCIMsg head = {
        .category = CXL_CCI_MSG_REQUEST,
        .tag = tag,
        .opcode = req->opcode,
        .length = req->len,
    };

    cxl_cci_msg_encode(&head, out);
    memcpy(out + FM_MESSAGE_HEADER, req->data, req->len);
    return FM_MESSAGE_HEADER + req->len;
}

int fm_message_read(const uint8_t *msg, size_t n, const struct cxl_req *req,
                    uint8_t tag, struct cxl_rsp *rsp)
{
    CXLCCIMsg head;

    if (!cxl_cci_msg_decode(msg, n, &head) ||
        head.category != CXL_CCI_MSG_RESPONSE) {
        return -EPROTO;
    }
    if (head.tag != tag) {
        /* its request was given up earlier */
        return -EAGAIN;
    }
    if (head.opcode != req->opcode || head.length != n - FM_MESSAGE_HEADER ||
        head.length > sizeof(rsp->data)) {
        return -EPROTO;
    }
    rsp->rc = head.ret_code;
    rsp->len = head.length;
    memcpy(rsp->data, msg + FM_MESSAGE_HEADER, head.length);
    return 0;
}

bool fm_message_notice(const uint8_t *msg, size_t n, uint16_t *conditions,
                       uint8_t *answer)
{
    CXLCCIMsg head;

    if (!cxl_cci_msg_decode(msg, n, &head) ||
        head.category != CXL_CCI_MSG_REQUEST ||
        head.opcode != NOTICE_OPCODE || head.length != NOTICE_LEN ||
        n != FM_MESSAGE_HEADER + NOTICE_LEN) {
        return false;
    }
    *conditions = lduw_le_p(msg + FM_MESSAGE_HEADER);
    head.category = CXL_CCI_MSG_RESPONSE;
    head.length = 0;
    head.ret_code = 0;
    head.vendor_status = 0;
    head.background = false;
    cxl_cci_msg_encode(&head, answer);
    return true;
}
