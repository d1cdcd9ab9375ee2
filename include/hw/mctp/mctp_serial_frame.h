/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MCTP packets on a serial line: flags, escapes and FCS, byte by byte.
 *
 * Reference: DMTF DSP0253 (MCTP Serial Transport Binding) 5.
 */
#ifndef HW_MCTP_SERIAL_FRAME_H
#define HW_MCTP_SERIAL_FRAME_H

#include "hw/mctp/mctp_packet.h"

/*
 * Longest packet to send: one byte more and the length is the flag, which is
 * not escaped there. Linux takes those of the baseline unit.
 */
#define MCTP_SERIAL_TX_MAX      125
#define MCTP_SERIAL_UNIT_MAX    (MCTP_SERIAL_TX_MAX - MCTP_HEADER_BYTES)
/* What the length byte can say; longer than anybody sends */
#define MCTP_SERIAL_RX_MAX      255
/* Both flags, revision, length, FCS, and each packet byte escaped */
#define MCTP_SERIAL_FRAME_MAX(len)  (6 + 2 * (len))

/**
 * enum MCTPSerialEvent - what a received byte led to
 */
typedef enum MCTPSerialEvent {
    /** @MCTP_SERIAL_MORE: nothing yet */
    MCTP_SERIAL_MORE = 0,
    /** @MCTP_SERIAL_PACKET: a sound packet is complete */
    MCTP_SERIAL_PACKET,
    /** @MCTP_SERIAL_NOISE: first of some bytes outside any frame */
    MCTP_SERIAL_NOISE,
    /** @MCTP_SERIAL_BAD_HEADER: wrong revision or impossible length */
    MCTP_SERIAL_BAD_HEADER,
    /** @MCTP_SERIAL_ABORTED: a flag in the middle of a frame */
    MCTP_SERIAL_ABORTED,
    /** @MCTP_SERIAL_BAD_FCS: damaged */
    MCTP_SERIAL_BAD_FCS,
    /** @MCTP_SERIAL_NO_END: no flag after the FCS */
    MCTP_SERIAL_NO_END,
    /** @MCTP_SERIAL__COUNT: number of events, none of them */
    MCTP_SERIAL__COUNT,
} MCTPSerialEvent;

/**
 * struct MCTPSerialParser - receiver of one line; all zero is its start
 */
typedef struct MCTPSerialParser {
    /** @state: where in a frame it is, private */
    uint8_t state;
    /** @want: packet bytes announced */
    uint8_t want;
    /** @len: packet bytes in @packet */
    uint8_t len;
    /** @fcs: FCS over what came so far */
    uint16_t fcs;
    /** @sent_fcs: FCS the sender computed */
    uint16_t sent_fcs;
    /** @packet: the packet; complete on MCTP_SERIAL_PACKET */
    uint8_t packet[MCTP_SERIAL_RX_MAX];
} MCTPSerialParser;

/**
 * mctp_serial_encode() - frame a packet
 * @packet: header and payload
 * @len: its bytes, 5..MCTP_SERIAL_TX_MAX
 * @out: MCTP_SERIAL_FRAME_MAX(@len) bytes
 *
 * Returns the bytes used of @out, 0 if @len is out of range.
 */
size_t mctp_serial_encode(const uint8_t *packet, size_t len, uint8_t *out);

/**
 * mctp_serial_reset() - forget a frame half received
 * @p: the parser
 */
void mctp_serial_reset(MCTPSerialParser *p);

/**
 * mctp_serial_feed() - take one byte from the line
 * @p: the parser
 * @byte: hostile
 *
 * On MCTP_SERIAL_PACKET @p->packet and @p->len hold a packet until the next
 * call. After an error the parser is ready for the next frame. Idle flags
 * and a flag shared by two frames are understood, although not every
 * receiver does.
 */
MCTPSerialEvent mctp_serial_feed(MCTPSerialParser *p, uint8_t byte);

/**
 * mctp_serial_scan() - take bytes from the line until something happens
 * @p: the parser
 * @data: hostile
 * @len: bytes of @data
 * @event: what mctp_serial_feed() says of the last byte that was taken;
 *         MCTP_SERIAL_MORE if all were taken and nothing happened
 *
 * Returns how many bytes were taken, at least one if there is one.
 */
size_t mctp_serial_scan(MCTPSerialParser *p, const uint8_t *data, size_t len,
                        MCTPSerialEvent *event);

/**
 * mctp_serial_valid() - can a parser be in this state
 * @p: a parser that was read from outside, such as a migration stream
 */
bool mctp_serial_valid(const MCTPSerialParser *p);

#endif
