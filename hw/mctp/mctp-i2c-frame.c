/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MCTP over SMBus/I2C framing. Pure functions; the bus is elsewhere.
 *
 * Reference: DMTF DSP0237 6; SMBus 2.0 5.4 "Packet error checking".
 */
#include "qemu/osdep.h"
#include "hw/mctp/mctp_i2c_frame.h"

#define MCTP_I2C_COMMAND        0x0f
#define PEC_POLYNOMIAL          0x07
#define GENERAL_CALL            0x00

/* The count byte covers the source address and the packet */
#define COUNT_OF(packet_len)    (1 + (packet_len))

/* SMBus packet error code: CRC-8, start value 0 */
static uint8_t frame_pec(const uint8_t *data, size_t len)
{
    uint8_t crc = 0;

    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc << 1) ^ (crc & 0x80 ? PEC_POLYNOMIAL : 0);
        }
    }
    return crc;
}

size_t mctp_i2c_encode(uint8_t dest, uint8_t source, const uint8_t *packet,
                       size_t len, uint8_t *out)
{
    size_t at = MCTP_I2C_PREFIX;

    if (len <= MCTP_HEADER_BYTES || len > MCTP_PACKET_MAX) {
        return 0;
    }
    out[0] = dest << 1;
    out[1] = MCTP_I2C_COMMAND;
    out[2] = COUNT_OF(len);
    out[3] = (source << 1) | 1;
    memcpy(out + at, packet, len);
    at += len;
    out[at] = frame_pec(out, at);
    return at + 1;
}

MCTPI2CError mctp_i2c_decode(const uint8_t *wire, size_t len,
                             MCTPI2CFrame *frame)
{
    size_t packet_len;

    if (len >= 2 && wire[1] != MCTP_I2C_COMMAND) {
        return MCTP_I2C_NOT_MCTP;
    }
    if (len < MCTP_I2C_FRAME_MIN || len > MCTP_I2C_FRAME_MAX) {
        return MCTP_I2C_BAD_LENGTH;
    }
    packet_len = len - MCTP_I2C_PREFIX - 1;
    if (wire[2] != COUNT_OF(packet_len)) {
        return MCTP_I2C_BAD_LENGTH;
    }
    if (frame_pec(wire, len - 1) != wire[len - 1]) {
        return MCTP_I2C_BAD_PEC;
    }
    if (wire[3] >> 1 == GENERAL_CALL) {
        /* the answer would be written into every device of the bus */
        return MCTP_I2C_BAD_SOURCE;
    }
    frame->packet = wire + MCTP_I2C_PREFIX;
    frame->len = packet_len;
    /* bit 0 should be 1 here; Linux ignores it, and so do we */
    frame->source = wire[3] >> 1;
    return MCTP_I2C_OK;
}
