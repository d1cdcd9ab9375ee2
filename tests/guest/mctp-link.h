/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MCTP over I2C, USB or a serial line from nothing: link, addresses, endpoint
 * IDs (DSP0236, DSP0237, DSP0253, DSP0283)
 */
#ifndef GUEST_MCTP_LINK_H
#define GUEST_MCTP_LINK_H

#include <stdbool.h>

#include "cxl-conn.h"

/* Our own endpoint ID and I2C address; the first ID that peers are given */
#define MCTP_OWN_EID    8
#define MCTP_OWN_I2C    0x10
#define MCTP_FIRST_EID  9
/* I2C address of the first endpoint in the machine of scripts/run-guest.py */
#define MCTP_FIRST_I2C  0x20
/* Linux's default network */
#define MCTP_NET        1

/** struct mctp_link - a network interface for MCTP */
struct mctp_link {
    int adapter;                /* number of the I2C adapter, or -1 */
    char name[32];
    unsigned index;
};

/** struct mctp_peer - an endpoint on the link */
struct mctp_peer {
    uint8_t i2c, eid;           /* i2c is 0 on other links */
    uint8_t uuid[16];
    bool type_fm, type_cci;     /* message types 7 and 8 */
};

/**
 * mctp_link_present() - is there an I2C adapter that can be a target, or a USB
 * device with an MCTP interface?
 */
bool mctp_link_present(void);
/**
 * mctp_link_up() - make the interface of the first of these, and give it
 * MCTP_OWN_EID
 * Return: 0 or negative errno; steps that fail are noted
 */
int mctp_link_up(struct mctp_link *link);
/** mctp_link_usb() - the same for the USB device of that number */
int mctp_link_usb(struct mctp_link *link, unsigned number);
/** mctp_link_set() - switch an interface on or off */
int mctp_link_set(const struct mctp_link *link, bool up);
/** mctp_link_mtu() - of an interface, and of the route to a peer */
int mctp_link_mtu(const struct mctp_link *link, uint8_t eid, uint32_t mtu);
/**
 * mctp_link_serial() - the same on a serial line
 * @tty: "/dev/ttyS2"; stays open, since the interface goes with it
 */
int mctp_link_serial(struct mctp_link *link, const char *tty);
/**
 * mctp_link_peer() - be the bus owner for one endpoint: set its endpoint ID, a
 * route and a neighbour, ask for its UUID and message types
 */
int mctp_link_peer(const struct mctp_link *link, struct mctp_peer *peer);

/** mctp_link_connect() - a connection to the CCI of an endpoint. */
struct cxl_conn *mctp_link_connect(const struct mctp_peer *peer);

/**
 * mctp_link_open_first() - the FM's connection to the endpoint at the first I2C
 * address of the runner's machine, or on USB; NULL where there is neither
 */
struct cxl_conn *mctp_link_open_first(void);

#endif /* GUEST_MCTP_LINK_H */
