/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MCTP transmit queue: messages in, one packet at a time out. The link says
 * of each packet whether it was taken; a refused one is offered again, byte
 * for byte the same, after a pause that grows, until its time is up.
 *
 * Reference: DMTF DSP0236 8.2 "Message disassembly"; DSP0237 (SMBus/I2C
 * binding) on NACKed writes.
 */
#ifndef HW_MCTP_TXQUEUE_H
#define HW_MCTP_TXQUEUE_H

#include "hw/mctp/mctp_packet.h"

/* Four requesters with all their tags in use; a reply more is dropped */
#define MCTP_TX_SLOTS           32

/* First pause after a refusal, doubled each time up to the longest */
#define MCTP_TX_BACKOFF_MIN_NS  500000LL
#define MCTP_TX_BACKOFF_MAX_NS  8000000LL

/*
 * How long a message may stand without the link taking a packet of it. FM
 * software waits 2 s for an answer and could mistake a later one for the
 * answer to its next request.
 */
#define MCTP_TX_LIFETIME_NS     2000000000LL

/**
 * struct MCTPTxMessage - a message that waits or is being sent
 */
typedef struct MCTPTxMessage {
    /** @body: type byte first; %NULL while the slot is free */
    GByteArray *body;
    /** @id: grows with each message; gives their order, never 0 */
    uint64_t id;
    /** @deadline: when it is given up unless a packet is taken, ns */
    int64_t deadline;
    /** @not_before: when its next packet may be tried, ns */
    int64_t not_before;
    /** @backoff: the next pause, ns */
    int64_t backoff;
    /** @path: seen from here: @path.local is the source EID */
    MCTPPath path;
    /** @offset: bytes of @body that the link has taken */
    uint32_t offset;
    /** @unit: payload bytes per packet */
    uint32_t unit;
    /** @seq: sequence number of the next packet */
    uint8_t seq;
} MCTPTxMessage;

/**
 * struct MCTPTxQueue - all messages an endpoint has to send
 */
typedef struct MCTPTxQueue {
    /** @slot: the messages; their order is by id */
    MCTPTxMessage slot[MCTP_TX_SLOTS];
    /** @stats: counters; not owned */
    MCTPStats *stats;
    /** @last_id: the newest message's id */
    uint64_t last_id;
} MCTPTxQueue;

/**
 * struct MCTPTxPacket - a packet as offered to the link
 */
typedef struct MCTPTxPacket {
    /** @id: message it belongs to, for the verdict */
    uint64_t id;
    /** @link: address on the link to send it to */
    uint32_t link;
    /** @len: bytes used of @data */
    uint32_t len;
    /** @data: header and payload */
    uint8_t data[MCTP_PACKET_MAX];
} MCTPTxPacket;

/**
 * mctp_txqueue_init() - an empty queue
 * @q: to be initialised
 * @stats: counters, must outlive @q
 */
void mctp_txqueue_init(MCTPTxQueue *q, MCTPStats *stats);

/**
 * mctp_txqueue_reset() - drop every message, also one half sent
 * @q: the queue
 */
void mctp_txqueue_reset(MCTPTxQueue *q);

/**
 * mctp_txqueue_push() - queue a message
 * @q: the queue
 * @path: destination, source EID, tag and TO as they go into the packets
 * @unit: payload bytes per packet, 1..MCTP_UNIT_MAX
 * @body: message, type byte first; copied
 * @len: its bytes, 1..MCTP_MESSAGE_MAX
 * @now: time, ns
 *
 * Returns MCTP_DROP_NONE, or why it was not queued.
 */
MCTPDrop mctp_txqueue_push(MCTPTxQueue *q, const MCTPPath *path,
                           uint32_t unit, const void *body, size_t len,
                           int64_t now);

/**
 * mctp_txqueue_room() - how many messages more can be queued
 * @q: the queue
 */
unsigned mctp_txqueue_room(const MCTPTxQueue *q);

/**
 * mctp_txqueue_cancel() - drop the messages of one path
 * @q: the queue
 * @path: as given to mctp_txqueue_push(), except that the local EID is not
 *        compared: a requester that is assigned an EID keeps its tags
 *
 * Returns how many there were.
 */
unsigned mctp_txqueue_cancel(MCTPTxQueue *q, const MCTPPath *path);

/**
 * mctp_txqueue_peek() - the packet to send now
 * @q: the queue
 * @now: time, ns
 * @pkt: filled if there is one
 *
 * Messages to one link address go in order. While one of them pauses after
 * a refusal, messages to other addresses go on. Messages whose time is up
 * are dropped here. Returns false if nothing can be sent at @now.
 */
bool mctp_txqueue_peek(MCTPTxQueue *q, int64_t now, MCTPTxPacket *pkt);

/**
 * mctp_txqueue_sent() - the link took the packet
 * @q: the queue
 * @id: from mctp_txqueue_peek(); ignored if that message is gone
 * @now: time, ns
 */
void mctp_txqueue_sent(MCTPTxQueue *q, uint64_t id, int64_t now);

/**
 * mctp_txqueue_refused() - the link did not take the packet, or only a part
 * @q: the queue
 * @id: from mctp_txqueue_peek(); ignored if that message is gone
 * @now: time, ns
 */
void mctp_txqueue_refused(MCTPTxQueue *q, uint64_t id, int64_t now);

/**
 * mctp_txqueue_next() - when to look again
 * @q: the queue
 *
 * Returns the time, ns, from which mctp_txqueue_peek() has work, possibly in
 * the past; -1 if the queue is empty.
 */
int64_t mctp_txqueue_next(MCTPTxQueue *q);

#endif
