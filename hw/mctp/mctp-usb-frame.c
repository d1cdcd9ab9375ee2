/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MCTP over USB framing. Pure functions; the USB device is elsewhere.
 *
 * Reference: DMTF DSP0283 1.0. Version 1.1, whose packets may cross from one
 * transfer into the next, is another interface subclass.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/mctp/mctp_usb_frame.h"

/* DMTF as a PCI vendor */
#define USB_DMTF_ID     0x1ab4

size_t mctp_usb_encode(const uint8_t *packet, size_t len, uint8_t *out,
                       size_t room)
{
    if (len <= MCTP_HEADER_BYTES || len > MCTP_USB_PACKET_MAX ||
        room < MCTP_USB_PREFIX + len) {
        return 0;
    }
    stw_be_p(out, USB_DMTF_ID);
    out[2] = 0;
    out[3] = MCTP_USB_PREFIX + len;
    memcpy(out + MCTP_USB_PREFIX, packet, len);
    return MCTP_USB_PREFIX + len;
}

MCTPUSBVerdict mctp_usb_decode(const uint8_t *data, size_t len,
                               MCTPUSBFrame *frame)
{
    if (len == 0) {
        return MCTP_USB_END;
    }
    if (len < MCTP_USB_PREFIX) {
        return MCTP_USB_SHORT;
    }
    if (lduw_be_p(data) != USB_DMTF_ID) {
        return MCTP_USB_BAD_ID;
    }
    /* data[2] is reserved, so receivers ignore it */
    if (data[3] < MCTP_USB_PREFIX + MCTP_HEADER_BYTES || data[3] > len) {
        return MCTP_USB_BAD_LENGTH;
    }
    frame->packet = data + MCTP_USB_PREFIX;
    frame->len = data[3] - MCTP_USB_PREFIX;
    frame->taken = data[3];
    return MCTP_USB_PACKET;
}
