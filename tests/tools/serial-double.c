/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A component behind an MCTP endpoint on a socket pair. The endpoint, its
 * packets and frames are those of hw/mctp; faults are put in by hand.
 */
#include "qemu/osdep.h"
#include <sys/socket.h>
#include <unistd.h>

#include "hw/cxl/cci/cci-msg.h"
#include "hw/mctp/mctp_endpoint.h"
#include "hw/mctp/mctp_serial_frame.h"

#include "fm-serial.h"
#include "serial-double.h"

struct serial_double {
    enum double_fault fault;
    uint16_t rc;
    int here, there;
    GThread *thread;
    MCTPEndpoint *ep;
};

static int64_t now_ns(void)
{
    return g_get_monotonic_time() * 1000;
}

static void put(struct serial_double *d, const uint8_t *data, size_t len)
{
    while (len) {
        ssize_t n = send(d->here, data, d->fault == DOUBLE_DRIPS ? 1 : len,
                         MSG_NOSIGNAL);

        if (n <= 0) {
            return;
        }
        data += n;
        len -= n;
    }
}

static void put_packet(struct serial_double *d, const uint8_t *packet,
                       size_t len)
{
    uint8_t frame[MCTP_SERIAL_FRAME_MAX(MCTP_SERIAL_TX_MAX)];
    size_t n = mctp_serial_encode(packet, len, frame);

    if (d->fault == DOUBLE_DAMAGES) {
        frame[n / 2] ^= 1;
    }
    if (d->fault == DOUBLE_CLOSES_EARLY) {
        n /= 2;
    }
    put(d, frame, n);
}

/* Something on the wire that is not the answer */
static void put_other(struct serial_double *d)
{
    static const uint8_t noise[] = { 0x7e, 0x01, 0x09, 0x55, 0x7e, 0x00, 0xff,
                                     0x7d, 0x7e, 0x7e, 0x01, 0x03 };
    /* 0106h of the component, one packet that owns its tag */
    static const uint8_t event[] = { 0x01, 0x08, 0x00, 0xc8, 0x08, 0x00, 0x01,
                                     0x00, 0x06, 0x01, 0x02, 0x00, 0x00, 0x00,
                                     0x00, 0x00, 0x00, 0x10, 0x00 };

    if (d->fault == DOUBLE_NOISE_FIRST) {
        put(d, noise, sizeof(noise));
    }
    if (d->fault == DOUBLE_NOTIFIES_FIRST) {
        put_packet(d, event, sizeof(event));
    }
}

static void answer(void *opaque, MCTPEndpoint *ep, const MCTPMessage *msg)
{
    struct serial_double *d = opaque;
    g_autofree uint8_t *reply = g_memdup2(msg->body, msg->len);
    size_t len = msg->len;
    CXLCCIMsg head;

    g_assert_true(cxl_cci_msg_decode(msg->body + 1, msg->len - 1, &head));
    g_assert_cmpuint(head.length, ==, msg->len - 1 - CXL_CCI_MSG_HEADER);
    g_assert_cmpuint(msg->body[0], ==, mctp_cxl_type_for(head.opcode));
    head.category = d->fault == DOUBLE_IS_REQUEST ? CXL_CCI_MSG_REQUEST :
                                                    CXL_CCI_MSG_RESPONSE;
    head.ret_code = d->rc;
    head.opcode ^= d->fault == DOUBLE_OTHER_OPCODE;
    head.length += d->fault == DOUBLE_LONG_LENGTH;
    head.length -= d->fault == DOUBLE_SHORT_LENGTH;
    cxl_cci_msg_encode(&head, reply + 1);
    if (d->fault == DOUBLE_NO_HEADER) {
        len = CXL_CCI_MSG_HEADER;
    }
    mctp_endpoint_reply(ep, &msg->request, reply, len, now_ns());
}

static void flush(struct serial_double *d)
{
    MCTPTxQueue *tx = mctp_endpoint_tx(d->ep);
    MCTPTxPacket pkt;

    while (mctp_txqueue_peek(tx, now_ns(), &pkt)) {
        put_other(d);
        if (d->fault == DOUBLE_STALE_FIRST) {
            /* CCI tag: behind the packet header, type and category bytes */
            pkt.data[MCTP_HEADER_BYTES + 2] ^= 0x40;
            put_packet(d, pkt.data, pkt.len);
            pkt.data[MCTP_HEADER_BYTES + 2] ^= 0x40;
        }
        if (d->fault != DOUBLE_SILENT && d->fault != DOUBLE_CLOSES) {
            put_packet(d, pkt.data, pkt.len);
        }
        mctp_txqueue_sent(tx, pkt.id, now_ns());
        if (d->fault == DOUBLE_CLOSES || d->fault == DOUBLE_CLOSES_EARLY) {
            shutdown(d->here, SHUT_RDWR);
        }
    }
}

static gpointer run(gpointer opaque)
{
    struct serial_double *d = opaque;
    MCTPSerialParser parser = { 0 };
    uint8_t data[256];
    ssize_t n;

    while ((n = read(d->here, data, sizeof(data))) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            if (mctp_serial_feed(&parser, data[i]) == MCTP_SERIAL_PACKET) {
                mctp_endpoint_receive(d->ep, parser.packet, parser.len, 0,
                                      now_ns());
                flush(d);
            }
        }
    }
    return NULL;
}

struct serial_double *double_start(enum double_fault fault, uint16_t rc)
{
    struct serial_double *d = g_new0(struct serial_double, 1);
    const MCTPEndpointConfig config = {
        .max_message = MCTP_MESSAGE_MAX, .unit = MCTP_UNIT_BASELINE,
    };
    int pair[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
    d->fault = fault;
    d->rc = rc;
    d->here = pair[0];
    d->there = pair[1];
    d->ep = mctp_endpoint_new(&config);
    mctp_endpoint_add_type(d->ep, MCTP_TYPE_CXL_FMAPI, MCTP_VERSION_1_0,
                           answer, d);
    mctp_endpoint_add_type(d->ep, MCTP_TYPE_CXL_CCI, MCTP_VERSION_1_0,
                           answer, d);
    d->thread = g_thread_new("component", run, d);
    return d;
}

struct cxl_conn *double_connect(struct serial_double *d, unsigned timeout_ms)
{
    return cxl_conn_open_serial(d->there, "double", timeout_ms);
}

void double_stop(struct serial_double *d)
{
    g_thread_join(d->thread);
    close(d->here);
    mctp_endpoint_free(d->ep);
    g_free(d);
}
