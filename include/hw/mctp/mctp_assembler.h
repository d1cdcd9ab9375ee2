/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Putting MCTP messages together from packets of interleaved senders.
 *
 * Reference: DMTF DSP0236 8.3 "Message assembly", 8.4 "Dropped packets".
 */
#ifndef HW_MCTP_ASSEMBLER_H
#define HW_MCTP_ASSEMBLER_H

#include "hw/mctp/mctp_packet.h"

/*
 * Messages under way at one time: all eight tags of four requesters. Beyond
 * that the stalest gives way, so memory stays below
 * MCTP_ASSEMBLY_SLOTS * MCTP_MESSAGE_MAX whatever a guest sends.
 */
#define MCTP_ASSEMBLY_SLOTS     32

/* Linux forgets a request after 6 s; nothing later can be part of it */
#define MCTP_ASSEMBLY_TIMEOUT_NS 6000000000LL

/**
 * struct MCTPAssembly - one message under way
 */
typedef struct MCTPAssembly {
    /** @body: type byte and what followed; %NULL while the slot is free */
    GByteArray *body;
    /** @stamp: when the newest packet came, ns */
    int64_t stamp;
    /** @path: whose message this is */
    MCTPPath path;
    /** @unit: payload bytes of the first packet, binding for the rest */
    uint32_t unit;
    /** @total: bytes seen; above what @body holds if that is cut off */
    uint32_t total;
    /** @next_seq: sequence number the next packet must have */
    uint8_t next_seq;
} MCTPAssembly;

/**
 * struct MCTPAssembler - all messages under way at one endpoint
 */
typedef struct MCTPAssembler {
    /** @slot: the messages, in no order */
    MCTPAssembly slot[MCTP_ASSEMBLY_SLOTS];
    /** @stats: where dropped assemblies are counted; not owned */
    MCTPStats *stats;
    /** @max_message: bytes kept of a message, up to MCTP_MESSAGE_MAX */
    uint32_t max_message;
} MCTPAssembler;

/**
 * struct MCTPAssembled - a message as its last packet completes it
 */
typedef struct MCTPAssembled {
    /** @body: the message; the caller frees it */
    GByteArray *body;
    /**
     * @total: its length on the wire. If above @body->len the message was
     * over-long and @body has only its beginning.
     */
    uint32_t total;
} MCTPAssembled;

/**
 * mctp_assembler_init() - an assembler with nothing under way
 * @a: to be initialised
 * @max_message: bytes kept per message, clamped to 1..MCTP_MESSAGE_MAX
 * @stats: counters, must outlive @a
 */
void mctp_assembler_init(MCTPAssembler *a, uint32_t max_message,
                         MCTPStats *stats);

/**
 * mctp_assembler_reset() - forget every message under way
 * @a: the assembler
 */
void mctp_assembler_reset(MCTPAssembler *a);

/**
 * mctp_assembler_feed() - take one packet
 * @a: the assembler
 * @hdr: its header; addresses are the caller's to check
 * @link: sender's address on the link
 * @payload: bytes after the header
 * @len: their number, at least 1
 * @now: time of arrival, ns of any clock that never runs backwards
 * @done: filled when the packet completes a message, else @done->body is
 *        %NULL
 *
 * Returns MCTP_DROP_NONE if the packet was used. An over-long message is
 * followed to its end, so that its sender can be answered, but not kept.
 */
MCTPDrop mctp_assembler_feed(MCTPAssembler *a, const MCTPHeader *hdr,
                             uint32_t link, const uint8_t *payload,
                             size_t len, int64_t now, MCTPAssembled *done);

#endif
