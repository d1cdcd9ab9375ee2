/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest's MCTP driver on usb-cxl-mctp devices, as lines.
 * Reference: DMTF DSP0236, DSP0283; Linux's mctp-usb.
 */
#ifndef TESTS_QTEST_MCTP_USB_LINE_H
#define TESTS_QTEST_MCTP_USB_LINE_H

#include "mctp-line.h"
#include "xhci.h"

/** usb_start_at() - run a controller that is elsewhere, bus << 8 | devfn */
void usb_start_at(QTestState *qts, QPCIBus *pci, int bdf);

/**
 * usb_keep() - what the guest's driver has outside of the guest's memory, with
 * a snapshot of the machine; nothing may be left to read
 */
void usb_keep(Line *l);
/** usb_restore() - the same, as it was kept, when the snapshot is loaded */
void usb_restore(Line *l);

/** usb_device() - what is below a line */
XhciDevice *usb_device(Line *l);

/** usb_write() - one transfer of these bytes; it must be taken */
void usb_write(Line *l, const void *data, size_t len);
/** usb_queue() - the same, without waiting for it; %NULL is zeroes */
uint64_t usb_queue(Line *l, const void *data, size_t len);
/**
 * usb_post() - have a transfer of @len bytes wait for packets
 *
 * Returns the guest memory that it fills.
 */
uint64_t usb_post(Line *l, size_t len);
/** usb_read() - the bytes of the next transfer, and post another of 512 */
GByteArray *usb_read(Line *l);

/* Opens device @n as Linux does; one transfer is waiting */
extern const LineKind line_usb;

#endif
