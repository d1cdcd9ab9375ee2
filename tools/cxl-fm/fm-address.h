/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words after --connect: the address of a component
 */
#ifndef FM_ADDRESS_H
#define FM_ADDRESS_H

#include <glib.h>

#include "cxl-conn.h"

enum fm_address_kind {
    FM_ADDRESS_UNIX,
    FM_ADDRESS_TCP,
    FM_ADDRESS_PTY,
    FM_ADDRESS_MCTP,
    FM_ADDRESS_IOCTL,
};

/** struct fm_address - where a component is, as the user named it */
struct fm_address {
    enum fm_address_kind kind;
    char *place;                /* path or host name */
    uint16_t port;              /* TCP */
    unsigned net;               /* MCTP */
    uint8_t eid;                /* MCTP */
};

/**
 * fm_address_parse() - read "unix:PATH", "tcp:HOST:PORT", "pty:PATH",
 * "mctp:NET,EID", "ioctl:PATH" or a bare path of a device or a socket
 * Return: FALSE with @error set and nothing to free
 */
gboolean fm_address_parse(const char *text, struct fm_address *address,
                          GError **error);

void fm_address_clear(struct fm_address *address);

/**
 * fm_address_open() - go there
 * @text: what the user wrote, for messages
 * @timeout_ms: to connect, and for each command later
 * Return: owned by the caller; NULL with @error set
 */
struct cxl_conn *fm_address_open(const struct fm_address *address,
                                 const char *text,
                                 unsigned timeout_ms, GError **error);

#endif /* FM_ADDRESS_H */
