/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MCTP packet header, to and from bytes.
 *
 * Reference: DMTF DSP0236 8.1 "MCTP packet fields".
 */
#include "qemu/osdep.h"
#include "hw/registerfields.h"
#include "hw/mctp/mctp_packet.h"

FIELD(MCTP_VER, HEADER, 0, 4)
FIELD(MCTP_FLAGS, TAG, 0, 3)
FIELD(MCTP_FLAGS, TO, 3, 1)
FIELD(MCTP_FLAGS, SEQ, 4, 2)
FIELD(MCTP_FLAGS, EOM, 6, 1)
FIELD(MCTP_FLAGS, SOM, 7, 1)

const char *mctp_drop_name(MCTPDrop why)
{
    static const char *const names[MCTP_DROP__COUNT] = {
        [MCTP_DROP_NONE] = "not dropped",
        [MCTP_DROP_SHORT] = "too short",
        [MCTP_DROP_VERSION] = "header version",
        [MCTP_DROP_SOURCE] = "source EID",
        [MCTP_DROP_DESTINATION] = "not for this endpoint",
        [MCTP_DROP_TAG] = "reply to no request",
        [MCTP_DROP_NO_START] = "no start packet",
        [MCTP_DROP_SEQUENCE] = "sequence number",
        [MCTP_DROP_UNIT] = "packet size",
        [MCTP_DROP_RESTARTED] = "started anew",
        [MCTP_DROP_EXPIRED] = "next packet never came",
        [MCTP_DROP_EVICTED] = "lost to a newer one",
        [MCTP_DROP_TYPE] = "message type",
        [MCTP_DROP_INTEGRITY] = "integrity check bit",
        [MCTP_DROP_CONTROL] = "control message without answer",
        [MCTP_DROP_SUPERSEDED] = "request was sent anew",
        [MCTP_DROP_LATE] = "requester gave up",
        [MCTP_DROP_QUEUE_FULL] = "queue is full",
        [MCTP_DROP_TOO_LONG] = "too long, or empty",
        [MCTP_DROP_REFUSED] = "refused",
        [MCTP_DROP_MALFORMED] = "header of the type",
    };

    return names[why];
}

bool mctp_path_equal(const MCTPPath *a, const MCTPPath *b)
{
    return a->link == b->link && a->remote == b->remote &&
           a->local == b->local && a->tag == b->tag && a->to == b->to;
}

MCTPDrop mctp_header_decode(const uint8_t *packet, size_t len,
                            MCTPHeader *hdr)
{
    uint8_t flags;

    if (len <= MCTP_HEADER_BYTES) {
        return MCTP_DROP_SHORT;
    }
    if (FIELD_EX8(packet[0], MCTP_VER, HEADER) != MCTP_HEADER_VERSION) {
        return MCTP_DROP_VERSION;
    }
    if (packet[2] != MCTP_EID_NULL && !mctp_eid_unicast(packet[2])) {
        return MCTP_DROP_SOURCE;
    }
    flags = packet[3];
    *hdr = (MCTPHeader) {
        .dest = packet[1],
        .src = packet[2],
        .seq = FIELD_EX8(flags, MCTP_FLAGS, SEQ),
        .tag = FIELD_EX8(flags, MCTP_FLAGS, TAG),
        .som = FIELD_EX8(flags, MCTP_FLAGS, SOM),
        .eom = FIELD_EX8(flags, MCTP_FLAGS, EOM),
        .to = FIELD_EX8(flags, MCTP_FLAGS, TO),
    };
    return MCTP_DROP_NONE;
}

void mctp_header_encode(const MCTPHeader *hdr, uint8_t *out)
{
    uint8_t flags = 0;

    flags = FIELD_DP8(flags, MCTP_FLAGS, TAG, hdr->tag);
    flags = FIELD_DP8(flags, MCTP_FLAGS, TO, hdr->to);
    flags = FIELD_DP8(flags, MCTP_FLAGS, SEQ, hdr->seq);
    flags = FIELD_DP8(flags, MCTP_FLAGS, EOM, hdr->eom);
    flags = FIELD_DP8(flags, MCTP_FLAGS, SOM, hdr->som);
    out[0] = MCTP_HEADER_VERSION;
    out[1] = hdr->dest;
    out[2] = hdr->src;
    out[3] = flags;
}
