/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MCTP packets in USB bulk transfers. A transfer carries one or more whole
 * packets back to back, each behind a header of its own.
 *
 * Reference: DMTF DSP0283 1.0 (MCTP USB Transport Binding).
 */
#ifndef HW_MCTP_USB_FRAME_H
#define HW_MCTP_USB_FRAME_H

#include "hw/mctp/mctp_packet.h"

/* Two bytes of DMTF's identifier, a reserved byte, the length */
#define MCTP_USB_PREFIX         4
/* The length byte counts the prefix as well */
#define MCTP_USB_FRAME_MAX      255
#define MCTP_USB_PACKET_MAX     (MCTP_USB_FRAME_MAX - MCTP_USB_PREFIX)
#define MCTP_USB_UNIT_MAX       (MCTP_USB_PACKET_MAX - MCTP_HEADER_BYTES)
/* A transfer is one USB packet of a high-speed bulk endpoint */
#define MCTP_USB_TRANSFER_MAX   512

/**
 * enum MCTPUSBVerdict - what is next in a transfer
 */
typedef enum MCTPUSBVerdict {
    /** @MCTP_USB_PACKET: a packet, whole */
    MCTP_USB_PACKET = 0,
    /** @MCTP_USB_END: nothing, the packet before was the last */
    MCTP_USB_END,
    /** @MCTP_USB_SHORT: less than a header */
    MCTP_USB_SHORT,
    /** @MCTP_USB_BAD_ID: not DMTF's identifier */
    MCTP_USB_BAD_ID,
    /** @MCTP_USB_BAD_LENGTH: no room for a packet, or more than is left */
    MCTP_USB_BAD_LENGTH,
    /** @MCTP_USB__COUNT: number of verdicts, none of them */
    MCTP_USB__COUNT,
} MCTPUSBVerdict;

/**
 * struct MCTPUSBFrame - one packet found in a transfer
 */
typedef struct MCTPUSBFrame {
    /** @packet: the MCTP packet, a part of the transfer's bytes */
    const uint8_t *packet;
    /** @len: bytes at @packet, 4..MCTP_USB_PACKET_MAX; 4 is a bare header */
    size_t len;
    /** @taken: bytes of the transfer up to the next packet */
    size_t taken;
} MCTPUSBFrame;

/**
 * mctp_usb_encode() - put a packet into a transfer
 * @packet: header and payload
 * @len: its bytes, 5..MCTP_USB_PACKET_MAX
 * @out: where it goes
 * @room: bytes at @out
 *
 * Returns the bytes used of @out; 0 if it does not fit or @len is out of range.
 */
size_t mctp_usb_encode(const uint8_t *packet, size_t len, uint8_t *out,
                       size_t room);

/**
 * mctp_usb_decode() - the first packet of what is left of a transfer
 * @data: hostile
 * @len: bytes at @data
 * @frame: filled if there is a packet
 *
 * Whatever is not MCTP_USB_PACKET ends the transfer: there is no way to tell
 * where the next packet would begin.
 */
MCTPUSBVerdict mctp_usb_decode(const uint8_t *data, size_t len,
                               MCTPUSBFrame *frame);

#endif
