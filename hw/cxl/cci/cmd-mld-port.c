/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 53h: MLD Port (CXL r3.2 7.6.7.3)
 *
 * A tunnel brings a command to a component that the Fabric Manager has no wire
 * to: from a switch to the memory device behind a port, from the device's
 * out-of-band CCI to one of its logical devices.  CXL.io requests reach the
 * function that a logical device shows to its host.
 */
#include "qemu/osdep.h"
#include "hw/cxl/switch/io-request.h"
#include "hw/cxl/cci/cci-msg.h"
#include "cmd-sets.h"
#include "switch-cci.h"
#include "hw/cxl/trace.h"

/* Port or LD, target type, size of what is enclosed */
#define TUNNEL_HEAD     4
/* Where a tunnel leads: by its identifier, or to the pool of the LDs */
#define TARGET_BY_ID    0
#define TARGET_POOL     1

/* -- tunnels -------------------------------------------------------------- */

/* Where a tunnel from @cci ends, or NULL */
static CXLCCI *mld_port_tunnel_end(CXLCCI *cci, uint8_t target, uint8_t id)
{
    if (target == TARGET_POOL) {
        return cci->pool;
    }
    if (cci->kind == CXL_CCI_SWITCH) {
        return cxl_switch_cci_at(cci, id);
    }
    return cxl_cci_ld(cci, id);
}

/*
 * Room for an enclosed answer's payload is what is left of ours: a list comes
 * shorter through a tunnel, and again through two.  Ours ends with a 16-bit
 * count of what is enclosed.
 */
static size_t mld_port_room(const CXLWriter *out)
{
    return MIN(cxl_writer_fits(out, 1, CXL_CCI_MSG_HEADER),
               UINT16_MAX - CXL_CCI_MSG_HEADER);
}

/* Runs what is enclosed and encloses the answer */
static void mld_port_run_enclosed(CXLCCI *end, const CXLCCIMsg *request,
                                  const uint8_t *payload, CXLWriter *out)
{
    size_t room = mld_port_room(out);
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

void cxl_tunnel_put_answer(CXLWriter *out, const CXLCCIMsg *response,
                           const void *payload)
{
    uint8_t head[CXL_CCI_MSG_HEADER];

    cxl_put_le16(out, CXL_CCI_MSG_HEADER + response->length);
    cxl_put_zero(out, TUNNEL_HEAD - 2);
    cxl_cci_msg_encode(response, head);
    cxl_put_bytes(out, head, sizeof(head));
    cxl_put_bytes(out, payload, response->length);
}

/* Does the end that is not here belong to a head in another process? */
static bool mld_port_is_elsewhere(const CXLCCI *cci, uint8_t target, uint8_t id)
{
    return target == TARGET_BY_ID && cci->heads && cci->heads->tunnel &&
           id < cci->heads->n;
}

static CXLRetCode mld_port_tunnel(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    uint8_t id = cxl_get_u8(in);
    uint8_t target = cxl_get_u8(in);
    uint16_t size = cxl_get_le16(in);
    const uint8_t *message;
    CXLCCIMsg request;
    bool elsewhere;
    CXLCCI *end;

    /* A header is inside: the row's length rule says so */
    if (size != cxl_reader_left(in)) {
        return CXL_RC_INVALID_PAYLOAD_LENGTH;
    }
    message = cxl_reader_bytes(in, size);
    if (!cxl_cci_msg_decode(message, size, &request)) {
        return CXL_RC_INVALID_PAYLOAD_LENGTH;
    }
    if (request.category != CXL_CCI_MSG_REQUEST || target > TARGET_POOL) {
        return CXL_RC_INVALID_INPUT;
    }
    end = mld_port_tunnel_end(cci, target, id);
    elsewhere = !end && mld_port_is_elsewhere(cci, target, id);
    if (!end && !elsewhere) {
        trace_cxl_tunnel_no_end(cxl_cci_kind_name(cci->kind), id);
        return CXL_RC_INVALID_INPUT;
    }
    if (request.length != size - CXL_CCI_MSG_HEADER) {
        return CXL_RC_INVALID_PAYLOAD_LENGTH;
    }

    trace_cxl_tunnel(cxl_cci_kind_name(cci->kind), id, request.opcode,
                     request.length);
    cxl_put_zero(out, TUNNEL_HEAD);
    if (elsewhere) {
        return cci->heads->tunnel(cci->heads, id, &request,
                                  message + CXL_CCI_MSG_HEADER,
                                  mld_port_room(out));
    }
    mld_port_run_enclosed(end, &request, message + CXL_CCI_MSG_HEADER, out);
    cxl_patch_le16(out, 0, out->len - TUNNEL_HEAD);
    return CXL_RC_SUCCESS;
}

/* -- CXL.io --------------------------------------------------------------- */

/* The function that logical device @ld of the device at @port shows, or NULL */
static PCIDevice *mld_port_find_function(CXLCCI *cci, uint8_t port, uint16_t ld)
{
    CXLCCI *end = cxl_switch_cci_at(cci, port);

    return end && ld < end->nr_lds ? PCI_DEVICE(end->lds[ld].owner) : NULL;
}

static CXLRetCode mld_port_send_config(CXLCCI *cci, CXLReader *in,
                                       CXLWriter *out)
{
    uint8_t port = cxl_get_u8(in);
    uint32_t what = cxl_get_le24(in);
    uint16_t ld = cxl_get_le16(in);
    PCIDevice *pci = mld_port_find_function(cci, port, ld);
    uint32_t data;

    if (!pci) {
        return CXL_RC_INVALID_INPUT;
    }
    cxl_get_skip(in, 2);
    data = cxl_get_le32(in);
    trace_cxl_ld_config(port, ld, CXL_IO_CONFIG_REGISTER(what),
                        CXL_IO_FIRST_BE(what), what & CXL_IO_WRITE, data);
    cxl_put_le32(out, cxl_io_config(pci, what, data));
    return CXL_RC_SUCCESS;
}

/* Header of a memory request, and as one client has it, with a byte less */
#define MEMORY_HEAD         0x10
#define MEMORY_HEAD_SHORT   0x0f

typedef struct MemoryRequest {
    CXLIOMemory io;
    uint16_t ld;
    uint8_t port;
    bool write;
} MemoryRequest;

static void mld_port_get_head(CXLReader *in, bool is_short, MemoryRequest *req)
{
    uint32_t what;

    req->port = cxl_get_u8(in);
    what = is_short ? cxl_get_le16(in) : cxl_get_le24(in);
    req->ld = cxl_get_le16(in);
    req->io.len = cxl_get_le16(in);
    req->io.addr = cxl_get_le64(in);
    req->io.first_be = CXL_IO_FIRST_BE(what);
    /* where the missing byte would tell, there is data or there is none */
    req->io.last_be = is_short ? 0xf : CXL_IO_LAST_BE(what);
    req->write = is_short ? cxl_reader_left(in) : what & CXL_IO_WRITE;
}

/*
 * Which of both it is follows from the length of the message.  The one that
 * could be either, a short write of one byte, counts as a full read: reading
 * does less harm.
 */
static void mld_port_get_request(CXLReader *in, MemoryRequest *req)
{
    CXLReader other = *in;
    MemoryRequest brief;
    size_t data;

    mld_port_get_head(&other, true, &brief);
    if (cxl_reader_left(in) == MEMORY_HEAD_SHORT) {
        *req = brief;
        *in = other;
        return;
    }
    mld_port_get_head(in, false, req);
    data = cxl_reader_left(in);
    if (data != (req->write ? req->io.len : 0) &&
        brief.io.len == cxl_reader_left(&other)) {
        *req = brief;
        *in = other;
    }
}

static CXLRetCode mld_port_send_memory(CXLCCI *cci, CXLReader *in,
                                       CXLWriter *out)
{
    MemoryRequest req;
    PCIDevice *pci;
    size_t data;
    bool done;

    mld_port_get_request(in, &req);
    data = cxl_reader_left(in);
    pci = mld_port_find_function(cci, req.port, req.ld);
    if (!pci || !req.io.len || req.io.len > CXL_IO_MEMORY_MAX ||
        req.io.addr > UINT64_MAX - req.io.len) {
        return CXL_RC_INVALID_INPUT;
    }
    cxl_put_le16(out, req.io.len);
    cxl_put_zero(out, 2);
    if (req.io.len > (req.write ? data : cxl_writer_fits(out, 1, 0))) {
        return CXL_RC_INVALID_INPUT;
    }
    if (data != (req.write ? req.io.len : 0)) {
        return CXL_RC_INVALID_PAYLOAD_LENGTH;
    }
    if (req.write) {
        done = cxl_io_write(pci, &req.io, cxl_reader_bytes(in, data));
    } else {
        done = cxl_io_read(pci, &req.io, cxl_put_space(out, req.io.len));
    }
    trace_cxl_ld_memory(req.port, req.ld, req.io.addr, req.io.len, req.write,
                        done);
    /* As a completer says "unsupported request"; there is no code for that */
    return done ? CXL_RC_SUCCESS : CXL_RC_INTERNAL_ERROR;
}

static bool mld_port_has_ends(const CXLCCI *cci)
{
    return cci->kind == CXL_CCI_SWITCH || cxl_cci_nr_lds(cci);
}

static const CXLCmd rows[] = {
    CXL_ROW(0x5300, "Tunnel Management Command",
            CXL_CCI_SWITCH | CXL_CCI_FM | CXL_CCI_MHD,
            CXL_LEN_MIN(TUNNEL_HEAD + CXL_CCI_MSG_HEADER), mld_port_tunnel,
            .present = mld_port_has_ends),
    CXL_ROW(0x5301, "Send LD CXL.io Configuration Request", CXL_CCI_SWITCH,
            CXL_LEN(12), mld_port_send_config, .flags = CXL_CMD_IO),
    CXL_ROW(0x5302, "Send LD CXL.io Memory Request", CXL_CCI_SWITCH,
            CXL_LEN_MIN(MEMORY_HEAD_SHORT), mld_port_send_memory,
            .flags = CXL_CMD_IO),
};

const CXLCmdSet cxl_cmds_mld_port = CXL_CMD_SET("MLD Port", rows);
