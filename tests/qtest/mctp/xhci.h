/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest's driver does with an xHCI controller: rings in guest memory,
 * commands, one device on a port, control and bulk transfers.
 * Reference: eXtensible Host Controller Interface 1.2; USB 2.0 9.
 */
#ifndef TESTS_QTEST_MCTP_XHCI_H
#define TESTS_QTEST_MCTP_XHCI_H

#include "tests/qtest/libqtest.h"
#include "tests/qtest/libqos/pci.h"
#include "tests/qtest/libqos/pci-pc.h"

/* Completion codes */
#define XHCI_SUCCESS        1
#define XHCI_BABBLE         3
#define XHCI_STALL          6
#define XHCI_SHORT          13

/* Of PORTSC: what a port tells, and what is written to it */
#define XHCI_PORT_CONNECTED     0x00000001
#define XHCI_PORT_LINK          0x000001e0
#define XHCI_PORT_ACTIVE        0x00000000
#define XHCI_PORT_SUSPENDED     0x00000060
#define XHCI_PORT_RESUMING      0x000001e0
#define XHCI_PORT_SET_LINK      0x00010000

/* Device Context Index of endpoint 0, of bulk endpoints 1 and others */
#define XHCI_CONTROL        1
#define XHCI_OUT            2
#define XHCI_IN             3
#define XHCI_OUT_OF(nr)     (2 * (nr))
#define XHCI_IN_OF(nr)      (2 * (nr) + 1)
#define XHCI_ENDPOINTS      6

#define XHCI_PORTS          8

typedef struct XhciRing {
    uint64_t base;
    unsigned at;
    uint32_t cycle;
} XhciRing;

/**
 * struct XhciDone - how a transfer ended
 */
typedef struct XhciDone {
    /** @trb: address of the last TRB that was looked at */
    uint64_t trb;
    /** @code: completion code */
    unsigned code;
    /** @left: bytes of that TRB that were not transferred */
    unsigned left;
    unsigned slot;
    unsigned endpoint;
} XhciDone;

typedef struct Xhci {
    QTestState *qts;
    QPCIDevice *dev;
    QPCIBar bar;
    /* guest memory that is not in use yet */
    uint64_t free;
    uint64_t contexts;
    XhciRing command;
    XhciRing event;
    /* slots of the ports, 0 if there is none */
    unsigned slot[XHCI_PORTS];
    /* ends of transfers that nobody has asked for yet, of XhciDone */
    GQueue *done;
} Xhci;

/**
 * struct XhciDevice - an addressed and configured device
 */
typedef struct XhciDevice {
    Xhci *x;
    unsigned slot;
    /** @port: as PORTSC registers are counted, from 0 */
    unsigned port;
    uint64_t input;
    XhciRing ring[XHCI_ENDPOINTS];
} XhciDevice;

/** xhci_start() - find the controller and run it, also after a reset */
Xhci *xhci_start(QTestState *qts, QPCIBus *pci, int devfn);
void xhci_free(Xhci *x);
/** xhci_move() - the machine goes on in another QEMU */
void xhci_move(Xhci *x, QTestState *qts, QPCIBus *pci, int devfn);

/** xhci_alloc() - zeroed guest memory, on a page of its own */
uint64_t xhci_alloc(Xhci *x, size_t len);
uint32_t xhci_portsc(Xhci *x, unsigned port);
void xhci_write_portsc(Xhci *x, unsigned port, uint32_t value);

/**
 * xhci_connect() - reset a port and address what is there, without configuring
 * @port: of USB 2, counted from 0
 *
 * What was there before is no longer addressed.
 */
XhciDevice *xhci_connect(Xhci *x, unsigned port);
/** xhci_enable_bulk() - contexts of both bulk endpoints @nr, no request */
void xhci_enable_bulk(XhciDevice *d, unsigned nr);

/** xhci_control() - a control transfer; the length transferred is @len */
unsigned xhci_control(XhciDevice *d, uint8_t type, uint8_t request,
                      uint16_t value, uint16_t index, void *data,
                      uint16_t *len);
/** xhci_configure() - SET_CONFIGURATION */
void xhci_configure(XhciDevice *d, uint8_t value);

/**
 * xhci_queue() - put a transfer on a ring and ring its doorbell
 * @buffer: guest memory
 *
 * More than 64 KiB are several TRBs. Returns the address of the last.
 */
uint64_t xhci_queue(XhciDevice *d, unsigned endpoint, uint64_t buffer,
                    size_t len);
/** xhci_queue_immediate() - 8 bytes that stand in the TRB itself */
uint64_t xhci_queue_immediate(XhciDevice *d, unsigned endpoint,
                              uint64_t bytes);
/** xhci_poll() - the end of a transfer of this endpoint, if it is there */
bool xhci_poll(XhciDevice *d, unsigned endpoint, XhciDone *done);
/** xhci_wait() - the same, and it must come */
XhciDone xhci_wait(XhciDevice *d, unsigned endpoint);

/** xhci_stop_endpoint() - Stop Endpoint; its transfer ends as stopped */
void xhci_stop_endpoint(XhciDevice *d, unsigned endpoint);
/** xhci_revive() - after a halt: reset the endpoint, begin its ring anew */
void xhci_revive(XhciDevice *d, unsigned endpoint);

#endif
