/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Migration of an MCTP endpoint, also in the middle of messages. Buffers are
 * read with their limit in hand; everything that the code elsewhere takes
 * for granted about its own state is checked here once.
 *
 * Reference: none, this is QEMU's own format.
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "migration/qemu-file-types.h"
#include "hw/mctp/mctp_vmstate.h"
#include "mctp-internal.h"

/* A GByteArray or NULL: be32 of length + 1 (0 is NULL), then the bytes */
static int mctp_get_body(QEMUFile *f, void *pv, size_t size,
                         const VMStateField *field)
{
    GByteArray **body = pv;
    uint32_t len = qemu_get_be32(f);

    g_clear_pointer(body, g_byte_array_unref);
    if (len == 0) {
        return 0;
    }
    if (--len > MCTP_MESSAGE_MAX) {
        error_report("MCTP: message of %u bytes in the stream, at most %u",
                     len, MCTP_MESSAGE_MAX);
        return -EINVAL;
    }
    *body = g_byte_array_sized_new(len);
    g_byte_array_set_size(*body, len);
    if (qemu_get_buffer(f, (*body)->data, len) != len) {
        g_clear_pointer(body, g_byte_array_unref);
        return -EINVAL;
    }
    return 0;
}

static int mctp_put_body(QEMUFile *f, void *pv, size_t size,
                         const VMStateField *field, JSONWriter *vmdesc)
{
    const GByteArray *body = *(GByteArray **)pv;

    qemu_put_be32(f, body ? body->len + 1 : 0);
    if (body) {
        qemu_put_buffer(f, body->data, body->len);
    }
    return 0;
}

const VMStateInfo vmstate_info_mctp_body = {
    .name = "mctp-body",
    .get = mctp_get_body,
    .put = mctp_put_body,
};

static const VMStateDescription vmstate_path = {
    .name = "mctp-path",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(link, MCTPPath),
        VMSTATE_UINT8(remote, MCTPPath),
        VMSTATE_UINT8(local, MCTPPath),
        VMSTATE_UINT8(tag, MCTPPath),
        VMSTATE_BOOL(to, MCTPPath),
        VMSTATE_END_OF_LIST()
    },
};

#define VMSTATE_MCTP_PATH(_f, _s) VMSTATE_STRUCT(_f, _s, 1, vmstate_path, \
                                                 MCTPPath)

static bool path_valid(const MCTPPath *path, bool to)
{
    return (path->remote == MCTP_EID_NULL || mctp_eid_unicast(path->remote)) &&
           (path->local == MCTP_EID_NULL || mctp_eid_unicast(path->local) ||
            (to && path->local == MCTP_EID_BROADCAST)) &&
           path->tag < 8 && path->to == to;
}

/* Times only have to survive the arithmetic that is done with them */
static bool time_valid(int64_t t)
{
    return t >= 0 && t < INT64_MAX / 2;
}

/*
 * A body comes last in its slot and its slot is checked at once: should the
 * load fail later on, every slot in use is still sound.
 */
static int assembly_post_load(void *opaque, int version_id)
{
    MCTPAssembly *slot = opaque;

    if (!slot->body ||
        (path_valid(&slot->path, slot->path.to) && time_valid(slot->stamp) &&
         slot->next_seq < 4 && slot->unit > 0 &&
         slot->total >= slot->unit && slot->body->len > 0 &&
         slot->body->len <= slot->total)) {
        return 0;
    }
    error_report("MCTP: impossible message under assembly in the stream");
    g_clear_pointer(&slot->body, g_byte_array_unref);
    return -EINVAL;
}

static int tx_message_post_load(void *opaque, int version_id)
{
    MCTPTxMessage *msg = opaque;

    if (!msg->body ||
        (path_valid(&msg->path, msg->path.to) && time_valid(msg->deadline) &&
         time_valid(msg->not_before) &&
         msg->backoff >= MCTP_TX_BACKOFF_MIN_NS &&
         msg->backoff <= MCTP_TX_BACKOFF_MAX_NS && msg->id > 0 &&
         msg->unit > 0 && msg->unit <= MCTP_UNIT_MAX &&
         msg->offset < msg->body->len && msg->offset % msg->unit == 0 &&
         msg->seq == ((msg->offset / msg->unit) & 3))) {
        return 0;
    }
    error_report("MCTP: impossible message to be sent in the stream");
    g_clear_pointer(&msg->body, g_byte_array_unref);
    return -EINVAL;
}

static int request_post_load(void *opaque, int version_id)
{
    MCTPRequest *r = opaque;

    if (!r->serial ||
        (time_valid(r->arrival) && path_valid(&r->path, true))) {
        return 0;
    }
    error_report("MCTP: impossible request in the stream");
    r->serial = 0;
    return -EINVAL;
}

static const VMStateDescription vmstate_assembly = {
    .name = "mctp-assembly",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = assembly_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_INT64(stamp, MCTPAssembly),
        VMSTATE_MCTP_PATH(path, MCTPAssembly),
        VMSTATE_UINT32(unit, MCTPAssembly),
        VMSTATE_UINT32(total, MCTPAssembly),
        VMSTATE_UINT8(next_seq, MCTPAssembly),
        VMSTATE_MCTP_BODY(body, MCTPAssembly),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_tx_message = {
    .name = "mctp-tx-message",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = tx_message_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(id, MCTPTxMessage),
        VMSTATE_INT64(deadline, MCTPTxMessage),
        VMSTATE_INT64(not_before, MCTPTxMessage),
        VMSTATE_INT64(backoff, MCTPTxMessage),
        VMSTATE_MCTP_PATH(path, MCTPTxMessage),
        VMSTATE_UINT32(offset, MCTPTxMessage),
        VMSTATE_UINT32(unit, MCTPTxMessage),
        VMSTATE_UINT8(seq, MCTPTxMessage),
        VMSTATE_MCTP_BODY(body, MCTPTxMessage),
        VMSTATE_END_OF_LIST()
    },
};

const VMStateDescription vmstate_mctp_request = {
    .name = "mctp-request",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = request_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(serial, MCTPRequest),
        VMSTATE_INT64(arrival, MCTPRequest),
        VMSTATE_MCTP_PATH(path, MCTPRequest),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_own_request = {
    .name = "mctp-own-request",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(link, MCTPOwnRequest),
        VMSTATE_UINT8(remote, MCTPOwnRequest),
        VMSTATE_BOOL(waiting, MCTPOwnRequest),
        VMSTATE_END_OF_LIST()
    },
};

static int endpoint_pre_load(void *opaque)
{
    MCTPEndpoint *ep = opaque;

    mctp_endpoint_reset(ep);
    return 0;
}

/* What can only be told with the other slots in view */
static bool assembly_fits(const MCTPAssembler *rx, size_t at)
{
    const MCTPAssembly *slot = &rx->slot[at];

    for (size_t i = 0; i < at; i++) {
        if (rx->slot[i].body &&
            mctp_path_equal(&rx->slot[i].path, &slot->path)) {
            return false;
        }
    }
    return slot->body->len == MIN(slot->total, rx->max_message);
}

static bool tx_message_fits(const MCTPEndpoint *ep, size_t at)
{
    const MCTPTxQueue *tx = &ep->tx;
    const MCTPPath *path = &tx->slot[at].path;
    const MCTPOwnRequest *own = &ep->own[path->tag];

    if (path->to && (!own->waiting || own->link != path->link ||
                     own->remote != path->remote)) {
        return false;
    }
    for (size_t i = 0; i < at; i++) {
        if (tx->slot[i].body && tx->slot[i].id == tx->slot[at].id) {
            return false;
        }
    }
    return tx->slot[at].id <= tx->last_id;
}

static bool request_fits(const MCTPEndpoint *ep, size_t at)
{
    const MCTPRequest *r = &ep->pending[at];

    for (size_t i = 0; i < at; i++) {
        const MCTPRequest *other = &ep->pending[i];

        if (other->serial && (other->serial == r->serial ||
                              mctp_path_equal(&other->path, &r->path))) {
            return false;
        }
    }
    return r->serial <= ep->last_serial;
}

static int endpoint_post_load(void *opaque, int version_id)
{
    MCTPEndpoint *ep = opaque;
    bool good = ep->eid == MCTP_EID_NULL || mctp_eid_unicast(ep->eid);

    for (size_t i = 0; i < ARRAY_SIZE(ep->rx.slot); i++) {
        good = good && (!ep->rx.slot[i].body || assembly_fits(&ep->rx, i));
    }
    for (size_t i = 0; i < ARRAY_SIZE(ep->tx.slot); i++) {
        good = good && (!ep->tx.slot[i].body || tx_message_fits(ep, i));
    }
    for (size_t i = 0; i < ARRAY_SIZE(ep->pending); i++) {
        good = good && (!ep->pending[i].serial || request_fits(ep, i));
    }
    for (size_t i = 0; i < ARRAY_SIZE(ep->own); i++) {
        good = good && (ep->own[i].remote == MCTP_EID_NULL ||
                        mctp_eid_unicast(ep->own[i].remote));
    }
    if (!good) {
        error_report("MCTP: impossible endpoint state in the stream");
        mctp_endpoint_reset(ep);
        return -EINVAL;
    }
    return 0;
}

const VMStateDescription vmstate_mctp_endpoint = {
    .name = "mctp-endpoint",
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_load = endpoint_pre_load,
    .post_load = endpoint_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8(eid, MCTPEndpoint),
        /* the running guest knows the endpoint by it */
        VMSTATE_UINT8_ARRAY(uuid, MCTPEndpoint, MCTP_UUID_BYTES),
        VMSTATE_STRUCT_ARRAY(rx.slot, MCTPEndpoint, MCTP_ASSEMBLY_SLOTS, 1,
                             vmstate_assembly, MCTPAssembly),
        VMSTATE_UINT64(tx.last_id, MCTPEndpoint),
        VMSTATE_STRUCT_ARRAY(tx.slot, MCTPEndpoint, MCTP_TX_SLOTS, 1,
                             vmstate_tx_message, MCTPTxMessage),
        VMSTATE_UINT64(last_serial, MCTPEndpoint),
        VMSTATE_STRUCT_ARRAY(pending, MCTPEndpoint, MCTP_PENDING_SLOTS, 1,
                             vmstate_mctp_request, MCTPRequest),
        VMSTATE_STRUCT_ARRAY(own, MCTPEndpoint, MCTP_TAGS, 1,
                             vmstate_own_request, MCTPOwnRequest),
        VMSTATE_END_OF_LIST()
    },
};

static int parser_pre_load(void *opaque)
{
    mctp_serial_reset(opaque);
    return 0;
}

static int parser_post_load(void *opaque, int version_id)
{
    if (!mctp_serial_valid(opaque)) {
        error_report("MCTP: impossible serial parser state in the stream");
        mctp_serial_reset(opaque);
        return -EINVAL;
    }
    return 0;
}

const VMStateDescription vmstate_mctp_serial_parser = {
    .name = "mctp-serial-parser",
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_load = parser_pre_load,
    .post_load = parser_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8(want, MCTPSerialParser),
        VMSTATE_UINT8(len, MCTPSerialParser),
        VMSTATE_UINT16(fcs, MCTPSerialParser),
        VMSTATE_UINT16(sent_fcs, MCTPSerialParser),
        VMSTATE_UINT8_ARRAY(packet, MCTPSerialParser, MCTP_SERIAL_RX_MAX),
        /* last: until it is there the parser stands at its start */
        VMSTATE_UINT8(state, MCTPSerialParser),
        VMSTATE_END_OF_LIST()
    },
};
