/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 53h: MLD Port (CXL r3.2 7.6.7.3)
 *
 * A tunnel brings a command to a component that the Fabric Manager has no wire
 * to: from a switch to the memory device behind a port, from the device's
 * out-of-band CCI to one of its logical devices.
 */
#include "qemu/osdep.h"
#include "hw/cxl/cxl_switch.h"
#include "hw/mctp/mctp_cxl_msg.h"
#include "cmd-sets.h"
#include "trace.h"

/* Port or LD, target type, size of what is enclosed */
#define TUNNEL_HEAD     4
/* What the identifier of a tunnel names; 1, an LD pool, no component has */
#define TARGET_BY_ID    0

/* Where a tunnel from @cci ends, or NULL */
static CXLCCI *tunnel_end(CXLCCI *cci, uint8_t id)
{
    CXLType3Dev *d;

    if (cci->kind == CXL_CCI_SWITCH) {
        d = cxl_switch_type3_at(cci, id);
        return d ? cxl_type3_fm_cci(d) : NULL;
    }
    return cxl_type3_ld_cci(cxl_cci_type3(cci), id);
}

/*
 * Runs what is enclosed and encloses the answer.  The room for that is what is
 * left of ours: a list comes shorter through a tunnel, and again through two.
 */
static void run_enclosed(CXLCCI *end, const CXLCCIMsg *request,
                         const uint8_t *payload, CXLWriter *out)
{
    size_t room = cxl_writer_fits(out, 1, CXL_CCI_MSG_HEADER);
    uint8_t *head = cxl_put_space(out, CXL_CCI_MSG_HEADER);
    uint8_t *answer = cxl_put_space(out, room);
    CXLCCIMsg response;
    CXLRetCode rc;
    size_t len;

    if (!head) {
        return;
    }
    rc = cxl_cci_process(end, request->opcode, payload, request->length,
                         answer, room, &len);
    response = (CXLCCIMsg) {
        .category = CXL_CCI_MSG_RESPONSE,
        .tag = request->tag,
        .opcode = request->opcode,
        .length = len,
        .background = end->bg.running,
        .ret_code = rc,
    };
    cxl_cci_msg_encode(&response, head);
    cxl_writer_unput(out, room - len);
}

static CXLRetCode tunnel(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    uint8_t id = cxl_get_u8(in);
    uint8_t target = cxl_get_u8(in);
    uint16_t size = cxl_get_le16(in);
    const uint8_t *message;
    CXLCCIMsg request;
    CXLCCI *end;

    /* A header is inside: the row's length rule says so */
    if (size != cxl_reader_left(in)) {
        return CXL_RC_INVALID_PAYLOAD_LENGTH;
    }
    message = cxl_reader_bytes(in, size);
    if (!cxl_cci_msg_decode(message, size, &request)) {
        return CXL_RC_INVALID_PAYLOAD_LENGTH;
    }
    if (request.category != CXL_CCI_MSG_REQUEST || target != TARGET_BY_ID) {
        return CXL_RC_INVALID_INPUT;
    }
    end = tunnel_end(cci, id);
    if (!end) {
        trace_cxl_tunnel_no_end(cxl_cci_kind_name(cci->kind), id);
        return CXL_RC_INVALID_INPUT;
    }
    if (request.length != size - CXL_CCI_MSG_HEADER) {
        return CXL_RC_INVALID_PAYLOAD_LENGTH;
    }

    trace_cxl_tunnel(cxl_cci_kind_name(cci->kind), id, request.opcode,
                     request.length);
    cxl_put_zero(out, TUNNEL_HEAD);
    run_enclosed(end, &request, message + CXL_CCI_MSG_HEADER, out);
    cxl_patch_le16(out, 0, out->len - TUNNEL_HEAD);
    return CXL_RC_SUCCESS;
}

static bool has_ends(const CXLCCI *cci)
{
    return cci->kind == CXL_CCI_SWITCH || cxl_cci_is_type3(cci);
}

static const CXLCmd rows[] = {
    {
        .opcode = 0x5300,
        .name = "Tunnel Management Command",
        .where = CXL_CCI_SWITCH | CXL_CCI_FM | CXL_CCI_MHD,
        .len = CXL_LEN_MIN(TUNNEL_HEAD + CXL_CCI_MSG_HEADER),
        .handler = tunnel,
        .present = has_ends,
    },
};

const CXLCmdSet cxl_cmds_mld_port = CXL_CMD_SET("MLD Port", rows);
