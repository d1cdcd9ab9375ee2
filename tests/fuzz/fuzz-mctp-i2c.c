/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer target: frames of an I2C bus, from several addresses, go into an
 * endpoint that answers, and its answers through the encoder. Built where QEMU
 * is configured with --enable-fuzzing. Reference: DMTF DSP0236, DSP0237.
 *
 * The first byte picks how the endpoint is made; each step after it begins
 * with a byte.
 */
#include "qemu/osdep.h"
#include "hw/mctp/mctp_endpoint.h"
#include "hw/mctp/mctp_i2c_frame.h"

/* the name by which libFuzzer calls it */
typedef int FuzzerEntry(const uint8_t *data, size_t size);
FuzzerEntry LLVMFuzzerTestOneInput;

#define OWN 0x20

static void echo(void *opaque, MCTPEndpoint *ep, const MCTPMessage *msg)
{
    mctp_endpoint_reply(ep, &msg->request, msg->body, msg->len,
                        msg->request.arrival);
}

/* All that is queued must frame, and the frame must be read as the packet */
static void drain(MCTPEndpoint *ep, int64_t now)
{
    MCTPTxQueue *tx = mctp_endpoint_tx(ep);
    MCTPTxPacket pkt;

    while (mctp_txqueue_peek(tx, now, &pkt)) {
        uint8_t bytes[MCTP_I2C_FRAME_MAX];
        size_t n = mctp_i2c_encode(OWN + 1, OWN, pkt.data, pkt.len, bytes);
        MCTPI2CFrame frame;

        g_assert(n > 0 && n <= sizeof(bytes));
        g_assert(mctp_i2c_decode(bytes, n, &frame) == MCTP_I2C_OK);
        g_assert(frame.source == OWN && frame.len == pkt.len &&
                 !memcmp(frame.packet, pkt.data, pkt.len));
        mctp_txqueue_sent(tx, pkt.id, now);
    }
}

/* A frame as it stands, or one that only the packet in it is bad in */
static void receive(MCTPEndpoint *ep, const uint8_t *data, size_t len,
                    bool framed, uint8_t source, int64_t now)
{
    uint8_t bytes[MCTP_I2C_FRAME_MAX];
    MCTPI2CFrame frame;

    if (framed) {
        len = mctp_i2c_encode(OWN, source & 0x7f, data, len, bytes);
        data = bytes;
    }
    if (len && mctp_i2c_decode(data, len, &frame) == MCTP_I2C_OK) {
        g_assert(frame.packet >= data &&
                 frame.packet + frame.len <= data + len);
        mctp_endpoint_receive(ep, frame.packet, frame.len, frame.source, now);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const MCTPEndpointConfig config = {
        .max_message = 700,
        .unit = size && (data[0] & 2) ? MCTP_UNIT_MAX : MCTP_UNIT_BASELINE,
        .static_eid = size && (data[0] & 1) ? 9 : 0,
    };
    MCTPEndpoint *ep = mctp_endpoint_new(&config);
    int64_t now = 0;

    mctp_endpoint_add_type(ep, 0x08, MCTP_VERSION_1_0, echo, NULL);
    for (size_t at = 1; at + 3 <= size; ) {
        uint8_t step = data[at], source = data[at + 1];
        size_t len = MIN(data[at + 2], size - at - 3);

        at += 3;
        if (step & 1) {
            now += (int64_t)len << 24;
        } else {
            receive(ep, data + at, len, step & 2, source, now);
            at += len;
        }
        if (step & 4) {
            drain(ep, now);
        }
    }
    drain(ep, now);
    mctp_endpoint_free(ep);
    return 0;
}
