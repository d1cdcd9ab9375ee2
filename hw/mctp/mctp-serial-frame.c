/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MCTP serial framing: encoder and a parser that finds its way back into
 * step after any garbage. Pure functions; the chardev is elsewhere.
 *
 * Reference: DMTF DSP0253 5. The FCS is the HDLC one without the final
 * inversion, sent high byte first and never escaped (as Linux has it).
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/crc-ccitt.h"
#include "hw/mctp/mctp_serial_frame.h"

#define SERIAL_FLAG             0x7e
#define SERIAL_ESCAPE           0x7d
#define SERIAL_ESCAPED_BIT      0x20
#define SERIAL_REVISION         0x01
#define SERIAL_FCS_START        0xffff

enum {
    IN_NOISE,           /* hunting for a flag, told so already */
    IN_IDLE,            /* hunting for a flag */
    IN_OPEN,            /* after a flag; it may have closed a frame too */
    IN_LENGTH,
    IN_PACKET,
    IN_ESCAPE,
    IN_FCS_HIGH,
    IN_FCS_LOW,
    IN_CLOSE,
    IN__COUNT,
};

/* All zero must be a usable start; noise before the first flag is normal */
QEMU_BUILD_BUG_ON(IN_NOISE != 0);

static bool serial_is_special(uint8_t byte)
{
    return byte == SERIAL_FLAG || byte == SERIAL_ESCAPE;
}

size_t mctp_serial_encode(const uint8_t *packet, size_t len, uint8_t *out)
{
    const uint8_t head[] = { SERIAL_REVISION, len };
    uint16_t fcs;
    size_t n = 0;

    if (len <= MCTP_HEADER_BYTES || len > MCTP_SERIAL_TX_MAX) {
        return 0;
    }
    fcs = crc_ccitt(SERIAL_FCS_START, head, sizeof(head));
    fcs = crc_ccitt(fcs, packet, len);

    out[n++] = SERIAL_FLAG;
    out[n++] = head[0];
    out[n++] = head[1];
    for (size_t i = 0; i < len; i++) {
        if (serial_is_special(packet[i])) {
            out[n++] = SERIAL_ESCAPE;
            out[n++] = packet[i] & ~SERIAL_ESCAPED_BIT;
        } else {
            out[n++] = packet[i];
        }
    }
    out[n++] = fcs >> 8;
    out[n++] = fcs & 0xff;
    out[n++] = SERIAL_FLAG;
    return n;
}

void mctp_serial_reset(MCTPSerialParser *p)
{
    memset(p, 0, sizeof(*p));
}

static MCTPSerialEvent serial_go(MCTPSerialParser *p, uint8_t state,
                                 MCTPSerialEvent event)
{
    p->state = state;
    return event;
}

static MCTPSerialEvent serial_take_byte(MCTPSerialParser *p, uint8_t byte)
{
    p->packet[p->len++] = byte;
    p->fcs = crc_ccitt_byte(p->fcs, byte);
    return serial_go(p, p->len == p->want ? IN_FCS_HIGH : IN_PACKET,
                     MCTP_SERIAL_MORE);
}

MCTPSerialEvent mctp_serial_feed(MCTPSerialParser *p, uint8_t byte)
{
    bool flag = byte == SERIAL_FLAG;

    switch (p->state) {
    case IN_NOISE:
        return serial_go(p, flag ? IN_OPEN : IN_NOISE, MCTP_SERIAL_MORE);

    case IN_IDLE:
        return flag ? serial_go(p, IN_OPEN, MCTP_SERIAL_MORE) :
                      serial_go(p, IN_NOISE, MCTP_SERIAL_NOISE);

    case IN_OPEN:
        if (flag) {
            return MCTP_SERIAL_MORE;
        }
        if (byte != SERIAL_REVISION) {
            return serial_go(p, IN_NOISE, MCTP_SERIAL_BAD_HEADER);
        }
        p->fcs = crc_ccitt_byte(SERIAL_FCS_START, byte);
        return serial_go(p, IN_LENGTH, MCTP_SERIAL_MORE);

    case IN_LENGTH:
        /*
         * A flag here is taken as the start of the next frame: nobody sends
         * 126 byte packets, and a lost byte is cheaper than two lost frames.
         */
        if (flag) {
            return serial_go(p, IN_OPEN, MCTP_SERIAL_ABORTED);
        }
        if (byte <= MCTP_HEADER_BYTES) {
            return serial_go(p, IN_NOISE, MCTP_SERIAL_BAD_HEADER);
        }
        p->want = byte;
        p->len = 0;
        p->fcs = crc_ccitt_byte(p->fcs, byte);
        return serial_go(p, IN_PACKET, MCTP_SERIAL_MORE);

    case IN_PACKET:
        if (flag) {
            return serial_go(p, IN_OPEN, MCTP_SERIAL_ABORTED);
        }
        if (byte == SERIAL_ESCAPE) {
            return serial_go(p, IN_ESCAPE, MCTP_SERIAL_MORE);
        }
        return serial_take_byte(p, byte);

    case IN_ESCAPE:
        if (flag) {
            return serial_go(p, IN_OPEN, MCTP_SERIAL_ABORTED);
        }
        return serial_take_byte(p, byte | SERIAL_ESCAPED_BIT);

    case IN_FCS_HIGH:
        p->sent_fcs = byte << 8;
        return serial_go(p, IN_FCS_LOW, MCTP_SERIAL_MORE);

    case IN_FCS_LOW:
        p->sent_fcs |= byte;
        return serial_go(p, IN_CLOSE, MCTP_SERIAL_MORE);

    case IN_CLOSE:
        if (!flag) {
            return serial_go(p, IN_NOISE, MCTP_SERIAL_NO_END);
        }
        return serial_go(p, IN_OPEN, p->sent_fcs == p->fcs ?
                         MCTP_SERIAL_PACKET : MCTP_SERIAL_BAD_FCS);
    }
    g_assert_not_reached();
}

/* The bytes of a packet up to the next that means something else */
static size_t serial_take_plain(MCTPSerialParser *p, const uint8_t *data,
                                size_t len)
{
    size_t most = MIN(len, p->want - p->len);
    size_t n = 0;

    while (n < most && !serial_is_special(data[n])) {
        p->packet[p->len + n] = data[n];
        n++;
    }
    p->fcs = crc_ccitt(p->fcs, data, n);
    p->len += n;
    if (p->len == p->want) {
        p->state = IN_FCS_HIGH;
    }
    return n;
}

size_t mctp_serial_scan(MCTPSerialParser *p, const uint8_t *data, size_t len,
                        MCTPSerialEvent *event)
{
    size_t n = 0;

    *event = MCTP_SERIAL_MORE;
    while (n < len && *event == MCTP_SERIAL_MORE) {
        if (p->state == IN_PACKET && !serial_is_special(data[n])) {
            n += serial_take_plain(p, data + n, len - n);
        } else {
            *event = mctp_serial_feed(p, data[n++]);
        }
    }
    return n;
}

bool mctp_serial_valid(const MCTPSerialParser *p)
{
    switch (p->state) {
    case IN_PACKET:
    case IN_ESCAPE:
        return p->want > MCTP_HEADER_BYTES && p->len < p->want;
    case IN_FCS_HIGH:
    case IN_FCS_LOW:
    case IN_CLOSE:
        return p->want > MCTP_HEADER_BYTES && p->len == p->want;
    default:
        return p->state < IN__COUNT;
    }
}
