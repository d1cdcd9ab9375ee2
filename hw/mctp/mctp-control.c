/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MCTP control protocol of a simple endpoint: what a bus owner needs to find
 * it, give it an ID and learn what it speaks.
 *
 * Reference: DMTF DSP0236 11 "MCTP control protocol", 12 "control messages".
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "mctp-internal.h"
#include "trace.h"

/* Offsets in the body; data of a request starts at the completion code */
enum {
    CTRL_TYPE       = 0,
    CTRL_FLAGS      = 1,
    CTRL_COMMAND    = 2,
    CTRL_DATA       = 3,
    CTRL_COMPLETION = 3,
    CTRL_REPLY_DATA = 4,
};

#define CTRL_FLAG_REQUEST       0x80
#define CTRL_FLAG_DATAGRAM      0x40
#define CTRL_INSTANCE_MASK      0x1f

enum {
    COMPLETE_OK             = 0x00,
    COMPLETE_BAD_DATA       = 0x02,
    COMPLETE_BAD_LENGTH     = 0x03,
    COMPLETE_UNSUPPORTED    = 0x05,
    COMPLETE_NO_SUCH_TYPE   = 0x80,     /* Get MCTP Version Support only */
};

enum {
    SET_EID_SET             = 0,
    SET_EID_FORCE           = 1,
    SET_EID_RESET           = 2,
    SET_EID_DISCOVERED      = 3,
};

#define VERSION_OF_BASE         0xff

/* EID type field of Get Endpoint ID; the endpoint type, simple, is 0 */
enum {
    EID_DYNAMIC             = 0,
    EID_STATIC_IN_FORCE     = 2,
    EID_STATIC_OVERRIDDEN   = 3,
};

/* Data bytes of a reply, limited by construction: see the assertion below */
typedef struct CtrlReply {
    uint8_t *data;
    size_t len;
} CtrlReply;

QEMU_BUILD_BUG_ON(CTRL_REPLY_DATA + MCTP_UUID_BYTES > MCTP_CONTROL_MAX);
QEMU_BUILD_BUG_ON(CTRL_REPLY_DATA + 1 + MCTP_TYPES_MAX > MCTP_CONTROL_MAX);

static void control_put8(CtrlReply *r, uint8_t value)
{
    r->data[r->len++] = value;
}

static void control_put32(CtrlReply *r, uint32_t value)
{
    stl_be_p(r->data + r->len, value);
    r->len += 4;
}

static uint8_t control_set_eid(MCTPEndpoint *ep, const uint8_t *data,
                               CtrlReply *r)
{
    uint8_t eid = data[1];

    switch (data[0] & 3) {
    case SET_EID_SET:
    case SET_EID_FORCE:
        if (!mctp_eid_unicast(eid)) {
            return COMPLETE_BAD_DATA;
        }
        break;
    case SET_EID_RESET:
        eid = ep->config.static_eid;
        if (eid == MCTP_EID_NULL) {
            return COMPLETE_BAD_DATA;
        }
        break;
    case SET_EID_DISCOVERED:
        /* a flag of links with a discovery process, none of ours */
        return COMPLETE_BAD_DATA;
    }
    trace_mctp_eid(ep->eid, eid);
    ep->eid = eid;
    control_put8(r, 0);     /* accepted; wants no pool of EIDs */
    control_put8(r, ep->eid);
    control_put8(r, 0);     /* pool size */
    return COMPLETE_OK;
}

static uint8_t control_get_eid(MCTPEndpoint *ep, const uint8_t *data,
                               CtrlReply *r)
{
    uint8_t fixed = ep->config.static_eid;

    control_put8(r, ep->eid);
    control_put8(r, fixed == MCTP_EID_NULL ? EID_DYNAMIC :
            fixed == ep->eid ? EID_STATIC_IN_FORCE : EID_STATIC_OVERRIDDEN);
    control_put8(r, ep->config.medium);
    return COMPLETE_OK;
}

static uint8_t control_get_uuid(MCTPEndpoint *ep, const uint8_t *data,
                                CtrlReply *r)
{
    if (!ep->config.uuid) {
        return COMPLETE_UNSUPPORTED;
    }
    memcpy(r->data + r->len, ep->uuid, MCTP_UUID_BYTES);
    r->len += MCTP_UUID_BYTES;
    return COMPLETE_OK;
}

static uint8_t control_get_version(MCTPEndpoint *ep, const uint8_t *data,
                                   CtrlReply *r)
{
    uint32_t version = MCTP_VERSION_1_3_1;

    if (data[0] != VERSION_OF_BASE && data[0] != MCTP_TYPE_CONTROL) {
        unsigned i = 0;

        while (i < ep->num_types && ep->type[i].type != data[0]) {
            i++;
        }
        if (i == ep->num_types) {
            return COMPLETE_NO_SUCH_TYPE;
        }
        version = ep->type[i].version;
    }
    control_put8(r, 1);     /* entries */
    control_put32(r, version);
    return COMPLETE_OK;
}

static uint8_t control_get_types(MCTPEndpoint *ep, const uint8_t *data,
                                 CtrlReply *r)
{
    control_put8(r, ep->num_types);
    for (unsigned i = 0; i < ep->num_types; i++) {
        control_put8(r, ep->type[i].type);
    }
    return COMPLETE_OK;
}

/* Bridge, discovery, network and vendor commands are not for this endpoint */
static const struct {
    uint8_t command;
    uint8_t min_data;
    uint8_t (*run)(MCTPEndpoint *ep, const uint8_t *data, CtrlReply *r);
} ctrl_commands[] = {
    { 0x01, 2, control_set_eid },
    { 0x02, 0, control_get_eid },
    { 0x03, 0, control_get_uuid },
    { 0x04, 1, control_get_version },
    { 0x05, 0, control_get_types },
};

static uint8_t control_run_command(MCTPEndpoint *ep, uint8_t command,
                                   const uint8_t *data, size_t len,
                                   CtrlReply *r)
{
    for (size_t i = 0; i < ARRAY_SIZE(ctrl_commands); i++) {
        if (ctrl_commands[i].command == command) {
            return len < ctrl_commands[i].min_data ?
                   COMPLETE_BAD_LENGTH : ctrl_commands[i].run(ep, data, r);
        }
    }
    return COMPLETE_UNSUPPORTED;
}

MCTPDrop mctp_control_request(MCTPEndpoint *ep, const uint8_t *body,
                              size_t len, uint8_t *reply, size_t *reply_len)
{
    CtrlReply r = { .data = reply + CTRL_REPLY_DATA };
    uint8_t code;

    *reply_len = 0;
    if (len < CTRL_DATA || !(body[CTRL_FLAGS] & CTRL_FLAG_REQUEST)) {
        /* a fragment, or an answer to a request that we never send */
        return MCTP_DROP_CONTROL;
    }
    code = control_run_command(ep, body[CTRL_COMMAND], body + CTRL_DATA,
                               len - CTRL_DATA, &r);
    trace_mctp_control(body[CTRL_COMMAND], len, code);
    if (body[CTRL_FLAGS] & CTRL_FLAG_DATAGRAM) {
        return MCTP_DROP_NONE;
    }
    reply[CTRL_TYPE] = MCTP_TYPE_CONTROL;
    reply[CTRL_FLAGS] = body[CTRL_FLAGS] & CTRL_INSTANCE_MASK;
    reply[CTRL_COMMAND] = body[CTRL_COMMAND];
    reply[CTRL_COMPLETION] = code;
    *reply_len = CTRL_REPLY_DATA + (code == COMPLETE_OK ? r.len : 0);
    return MCTP_DROP_NONE;
}
