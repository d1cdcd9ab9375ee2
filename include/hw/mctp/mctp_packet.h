/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MCTP packets: the four byte transport header, endpoint IDs, and the list
 * of reasons for which a receiver throws something away.
 *
 * Reference: DMTF DSP0236 (MCTP Base Specification) 8.1 "MCTP packet fields".
 */
#ifndef HW_MCTP_PACKET_H
#define HW_MCTP_PACKET_H

#define MCTP_HEADER_BYTES       4
#define MCTP_HEADER_VERSION     1

#define MCTP_EID_NULL           0       /* "whoever has this link address" */
#define MCTP_EID_FIRST          8       /* 1..7 are reserved */
#define MCTP_EID_LAST           254
#define MCTP_EID_BROADCAST      255

/* Payload bytes per packet that every endpoint takes without negotiation */
#define MCTP_UNIT_BASELINE      64
/* What one SMBus block write can carry, the largest unit we ever send */
#define MCTP_UNIT_MAX           250
#define MCTP_PACKET_MAX         (MCTP_HEADER_BYTES + MCTP_UNIT_MAX)

/*
 * Longest message body, type byte included, in either direction. Linux, the
 * usual peer, neither assembles nor sends more than this.
 */
#define MCTP_MESSAGE_MAX        (64 * 1024)

/* First byte of every message body */
#define MCTP_TYPE_MASK          0x7f
#define MCTP_TYPE_IC            0x80    /* an integrity check follows */

#define MCTP_TYPE_CONTROL       0x00

/**
 * enum MCTPDrop - why a packet, message or reply went no further
 *
 * Nobody is told on the wire about any of these; they index
 * &MCTPStats.drop, and trace events carry them.
 */
typedef enum MCTPDrop {
    /** @MCTP_DROP_NONE: it was not dropped */
    MCTP_DROP_NONE = 0,
    /** @MCTP_DROP_SHORT: no room for a header and one payload byte */
    MCTP_DROP_SHORT,
    /** @MCTP_DROP_VERSION: header version is not 1 */
    MCTP_DROP_VERSION,
    /** @MCTP_DROP_SOURCE: source EID 1..7 or 255 */
    MCTP_DROP_SOURCE,
    /** @MCTP_DROP_DESTINATION: for another endpoint, or a bad broadcast */
    MCTP_DROP_DESTINATION,
    /** @MCTP_DROP_TAG: a reply (TO=0) to a request nobody sent */
    MCTP_DROP_TAG,
    /** @MCTP_DROP_NO_START: middle or end packet without a start */
    MCTP_DROP_NO_START,
    /** @MCTP_DROP_SEQUENCE: sequence gap or repetition; assembly lost */
    MCTP_DROP_SEQUENCE,
    /** @MCTP_DROP_UNIT: packet size differs from the first; assembly lost */
    MCTP_DROP_UNIT,
    /** @MCTP_DROP_RESTARTED: an assembly lost to a new start packet */
    MCTP_DROP_RESTARTED,
    /** @MCTP_DROP_EXPIRED: an assembly whose next packet never came */
    MCTP_DROP_EXPIRED,
    /** @MCTP_DROP_EVICTED: the stalest assembly, lost to a newer one */
    MCTP_DROP_EVICTED,
    /** @MCTP_DROP_TYPE: no handler for this message type */
    MCTP_DROP_TYPE,
    /** @MCTP_DROP_INTEGRITY: IC bit on a type that has no check */
    MCTP_DROP_INTEGRITY,
    /** @MCTP_DROP_CONTROL: control message of a form that gets no answer */
    MCTP_DROP_CONTROL,
    /** @MCTP_DROP_SUPERSEDED: reply to a request that was sent anew */
    MCTP_DROP_SUPERSEDED,
    /** @MCTP_DROP_LATE: reply that came after the requester gave up */
    MCTP_DROP_LATE,
    /** @MCTP_DROP_QUEUE_FULL: no room in the transmit queue */
    MCTP_DROP_QUEUE_FULL,
    /** @MCTP_DROP_TOO_LONG: reply of no or more than the allowed bytes */
    MCTP_DROP_TOO_LONG,
    /** @MCTP_DROP_REFUSED: the link refused a packet for too long */
    MCTP_DROP_REFUSED,
    /** @MCTP_DROP_MALFORMED: a type's own header did not parse */
    MCTP_DROP_MALFORMED,
    /** @MCTP_DROP__COUNT: number of reasons, none of them */
    MCTP_DROP__COUNT,
} MCTPDrop;

/** mctp_drop_name() - a word for @why, for traces */
const char *mctp_drop_name(MCTPDrop why);

/**
 * struct MCTPStats - what an endpoint has seen; counters only ever grow
 */
typedef struct MCTPStats {
    /** @drop: events by &enum MCTPDrop */
    uint64_t drop[MCTP_DROP__COUNT];
    /** @rx_packets: packets handed in, dropped ones included */
    uint64_t rx_packets;
    /** @rx_messages: complete messages handed to a handler */
    uint64_t rx_messages;
    /** @tx_packets: packets the link has taken */
    uint64_t tx_packets;
    /** @tx_messages: messages of which the link took every packet */
    uint64_t tx_messages;
    /** @tx_refusals: packets the link refused and that are sent again */
    uint64_t tx_refusals;
} MCTPStats;

/**
 * struct MCTPHeader - the transport header, decoded
 */
typedef struct MCTPHeader {
    /** @dest: destination EID */
    uint8_t dest;
    /** @src: source EID */
    uint8_t src;
    /** @seq: packet sequence number, 0..3 */
    uint8_t seq;
    /** @tag: message tag, 0..7 */
    uint8_t tag;
    /** @som: first packet of a message */
    bool som;
    /** @eom: last packet of a message */
    bool eom;
    /** @to: the sender allocated the tag, that is, this is a request */
    bool to;
} MCTPHeader;

/**
 * struct MCTPPath - the two ends of a message and its tag
 *
 * Two packets belong to one message only if all of these agree.
 */
typedef struct MCTPPath {
    /** @link: sender's address on the link, as the binding defines it */
    uint32_t link;
    /** @remote: EID of the other end, 0 if it has none */
    uint8_t remote;
    /** @local: EID by which it called us: own, 0 or broadcast */
    uint8_t local;
    /** @tag: message tag, 0..7 */
    uint8_t tag;
    /** @to: the other end owns the tag */
    bool to;
} MCTPPath;

/**
 * mctp_eid_unicast() - is this an EID that one endpoint can have
 * @eid: the endpoint ID
 */
static inline bool mctp_eid_unicast(uint8_t eid)
{
    return eid >= MCTP_EID_FIRST && eid <= MCTP_EID_LAST;
}

/**
 * mctp_path_equal() - do two packets travel the same path
 * @a: one path
 * @b: the other
 */
bool mctp_path_equal(const MCTPPath *a, const MCTPPath *b);

/**
 * mctp_header_decode() - read and check the header of a packet
 * @packet: the packet as received, header first
 * @len: its bytes; hostile
 * @hdr: filled on success
 *
 * Reserved bits are ignored. Returns MCTP_DROP_NONE, or why the packet is
 * useless to any receiver.
 */
MCTPDrop mctp_header_decode(const uint8_t *packet, size_t len,
                            MCTPHeader *hdr);

/**
 * mctp_header_encode() - write a header
 * @hdr: what to write
 * @out: MCTP_HEADER_BYTES bytes
 */
void mctp_header_encode(const MCTPHeader *hdr, uint8_t *out);

#endif
