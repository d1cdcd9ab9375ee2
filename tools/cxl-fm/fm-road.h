/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words after --connect: a road to a component
 */
#ifndef FM_ROAD_H
#define FM_ROAD_H

#include <glib.h>

#include "cxl-conn.h"

enum fm_road_kind {
    FM_ROAD_UNIX,
    FM_ROAD_TCP,
    FM_ROAD_PTY,
    FM_ROAD_MCTP,
    FM_ROAD_IOCTL,
};

/** struct fm_road - a road as the user named it */
struct fm_road {
    enum fm_road_kind kind;
    char *place;                /* path or host name */
    uint16_t port;              /* TCP */
    unsigned net;               /* MCTP */
    uint8_t eid;                /* MCTP */
};

/**
 * fm_road_parse() - read "unix:PATH", "tcp:HOST:PORT", "pty:PATH",
 * "mctp:NET,EID", "ioctl:PATH" or a bare path of a device or a socket
 * Return: FALSE with @error set and nothing to free
 */
gboolean fm_road_parse(const char *text, struct fm_road *road,
                       GError **error);

void fm_road_clear(struct fm_road *road);

/**
 * fm_road_open() - go there
 * @text: what the user wrote, for messages
 * @timeout_ms: to connect, and for each command later
 * Return: owned by the caller; NULL with @error set
 */
struct cxl_conn *fm_road_open(const struct fm_road *road, const char *text,
                              unsigned timeout_ms, GError **error);

#endif /* FM_ROAD_H */
