/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MCTP packets as SMBus block writes with PEC, to and from bytes.
 *
 * Reference: DMTF DSP0237 (MCTP SMBus/I2C Transport Binding) 6.
 */
#ifndef HW_MCTP_I2C_FRAME_H
#define HW_MCTP_I2C_FRAME_H

#include "hw/mctp/mctp_packet.h"

/* Address byte, command, count, source address; then packet; then PEC */
#define MCTP_I2C_PREFIX         4
#define MCTP_I2C_FRAME_MIN      (MCTP_I2C_PREFIX + MCTP_HEADER_BYTES + 1 + 1)
#define MCTP_I2C_FRAME_MAX      (MCTP_I2C_PREFIX + MCTP_PACKET_MAX + 1)

/**
 * enum MCTPI2CError - what is wrong with a bus write
 */
typedef enum MCTPI2CError {
    /** @MCTP_I2C_OK: a sound MCTP frame */
    MCTP_I2C_OK = 0,
    /** @MCTP_I2C_NOT_MCTP: another SMBus command (ARP, Host Notify, ...) */
    MCTP_I2C_NOT_MCTP,
    /** @MCTP_I2C_BAD_LENGTH: too short, or not as long as it says */
    MCTP_I2C_BAD_LENGTH,
    /** @MCTP_I2C_BAD_PEC: damaged */
    MCTP_I2C_BAD_PEC,
    /** @MCTP_I2C_BAD_SOURCE: nobody can be answered at that address */
    MCTP_I2C_BAD_SOURCE,
    /** @MCTP_I2C__COUNT: number of verdicts, none of them */
    MCTP_I2C__COUNT,
} MCTPI2CError;

/**
 * struct MCTPI2CFrame - a received frame taken apart
 */
typedef struct MCTPI2CFrame {
    /** @packet: the MCTP packet, a part of the decoded bytes */
    const uint8_t *packet;
    /** @len: bytes at @packet, 5..MCTP_PACKET_MAX */
    size_t len;
    /** @source: 7-bit address the sender takes answers at */
    uint8_t source;
} MCTPI2CFrame;

/**
 * mctp_i2c_encode() - frame a packet
 * @dest: 7-bit address to write to
 * @source: own 7-bit address
 * @packet: header and payload
 * @len: its bytes, 5..MCTP_PACKET_MAX
 * @out: MCTP_I2C_FRAME_MAX bytes; out[0] is the address byte
 *
 * Returns the bytes used of @out, 0 if @len is out of range.
 */
size_t mctp_i2c_encode(uint8_t dest, uint8_t source, const uint8_t *packet,
                       size_t len, uint8_t *out);

/**
 * mctp_i2c_decode() - check a bus write and find the packet in it
 * @wire: bytes written, address byte first; hostile
 * @len: their number
 * @frame: filled on success, points into @wire
 */
MCTPI2CError mctp_i2c_decode(const uint8_t *wire, size_t len,
                             MCTPI2CFrame *frame);

#endif
