/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waiting until a host has done what the FM asked for
 */
#ifndef FM_WAIT_H
#define FM_WAIT_H

#include "fm-app.h"

/**
 * struct fm_wait - from before a command until the host has reacted
 * @seconds: how long to wait
 * @bytes: what the host has accepted or released since fm_wait_begin(), even if
 *         that was undone
 */
struct fm_wait {
    int seconds;
    guint64 bytes;
    guint64 held;               /* bytes held before the command */
    gboolean looked;            /* at the tags, when they had this generation */
    guint32 generation;
    gboolean listens;           /* to the FM's events, of which ... */
    guint16 heard;              /* ... this one was the last, 0 for none, ... */
    gboolean cut;               /* ... and there may be more, out of sight */
    guint64 told;               /* bytes that the host's events were about */
};

/** fm_order_bytes() - bytes that a command is about, 0 if the tag says. */
guint64 fm_order_bytes(const struct fm_order *order);

/** fm_held_bytes() - what the host has of the order's tag or addresses. */
int fm_held_bytes(struct cxl_conn *conn, const struct fm_order *order,
                  guint64 *bytes);

/** fm_wait_begin() - note how things stand. 0 or as a command's function */
int fm_wait_begin(struct cxl_conn *conn, const struct fm_order *order,
                  struct fm_wait *wait);

/** fm_wait_tag() - what tells the offer from others, NULL if nothing does. */
const guint8 *fm_wait_tag(const struct fm_order *order);

/** fm_wait_answer() - until a tagged offer is answered. Return: exit status */
int fm_wait_answer(struct fm_app *app, const struct fm_order *order,
                   struct fm_wait *wait);

/** fm_wait_release() - until capacity is given back. Return: exit status */
int fm_wait_release(struct fm_app *app, const struct fm_order *order,
                    struct fm_wait *wait);

#endif /* FM_WAIT_H */
