/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer target: bytes of a serial line go through the parser into an
 * endpoint that answers, and its answers through the encoder. Built where
 * QEMU is configured with --enable-fuzzing. Reference: DMTF DSP0253, DSP0236.
 *
 * The first byte picks how the endpoint is made; the others are the line.
 */
#include "qemu/osdep.h"
#include "hw/mctp/mctp_endpoint.h"
#include "hw/mctp/mctp_serial_frame.h"

/* the name by which libFuzzer calls it */
typedef int FuzzerEntry(const uint8_t *data, size_t size);
FuzzerEntry LLVMFuzzerTestOneInput;

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
        uint8_t frame[MCTP_SERIAL_FRAME_MAX(MCTP_SERIAL_TX_MAX)];
        size_t n = mctp_serial_encode(pkt.data, pkt.len, frame);
        MCTPSerialParser p = { 0 };
        MCTPSerialEvent e = MCTP_SERIAL_MORE;

        g_assert(n > 0 && n <= sizeof(frame));
        for (size_t i = 0; i < n; i++) {
            g_assert(e == MCTP_SERIAL_MORE);
            e = mctp_serial_feed(&p, frame[i]);
        }
        g_assert(e == MCTP_SERIAL_PACKET && p.len == pkt.len &&
                 !memcmp(p.packet, pkt.data, pkt.len));
        mctp_txqueue_sent(tx, pkt.id, now);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const MCTPEndpointConfig config = {
        .max_message = 700,
        .unit = MCTP_UNIT_BASELINE,
        .static_eid = size && (data[0] & 1) ? 9 : 0,
    };
    MCTPEndpoint *ep = mctp_endpoint_new(&config);
    MCTPSerialParser p = { 0 };
    const uint8_t ask[] = { 0x08, 0x01 };

    mctp_endpoint_add_type(ep, 0x08, MCTP_VERSION_1_0, echo, NULL);
    mctp_endpoint_on_response(ep, 0x08, echo);
    if (size && (data[0] & 2)) {
        mctp_endpoint_request(ep, 0, 8, ask, sizeof(ask), 0);
    }
    for (size_t i = 1; i < size; i++) {
        MCTPSerialEvent e = mctp_serial_feed(&p, data[i]);

        g_assert(mctp_serial_valid(&p));
        if (e == MCTP_SERIAL_PACKET) {
            mctp_endpoint_receive(ep, p.packet, p.len, 0, i);
        }
        if (e != MCTP_SERIAL_MORE && (data[0] & 4)) {
            drain(ep, i);
        }
    }
    drain(ep, size);
    mctp_endpoint_free(ep);
    return 0;
}
