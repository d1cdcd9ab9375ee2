/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waiting until a host has done what the FM asked for. Offers that are not
 * answered stand in no list (CXL r3.2 9.13.3.3), but their tags do; what is
 * over before the next look stands in the FM's event log (8.2.10.2.1.6).
 */
#include "fm-wait.h"

#define POLL_MS     100

guint64 fm_order_bytes(const struct fm_order *order)
{
    guint64 sum = order->len;

    for (uint32_t i = 0; i < order->n; i++) {
        sum += order->ext[i].len;
    }
    return sum;
}

/* Bytes that two ranges have in common */
static guint64 overlap(const struct cxl_extent *a, const struct cxl_extent *b)
{
    guint64 skip;

    if (a->dpa > b->dpa) {
        const struct cxl_extent *swap = a;

        a = b;
        b = swap;
    }
    skip = b->dpa - a->dpa;
    return skip >= a->len ? 0 : MIN(a->len - skip, b->len);
}

/* Bytes of @ext that @order is about */
static guint64 ordered(const struct fm_order *order,
                       const struct cxl_extent *ext)
{
    guint64 bytes = 0;

    if (!order->ext) {
        return memcmp(ext->tag, order->tag, 16) ? 0 : ext->len;
    }
    for (uint32_t k = 0; k < order->n; k++) {
        bytes += overlap(ext, &order->ext[k]);
    }
    return bytes;
}

int fm_held_bytes(struct cxl_conn *conn, const struct fm_order *order,
                  guint64 *bytes)
{
    g_autoptr(GArray) list = NULL;
    uint32_t generation;
    int ret = fm_all_extents(conn, order->host, &list, &generation);

    *bytes = 0;
    for (guint i = 0; !ret && i < list->len; i++) {
        *bytes += ordered(order, &g_array_index(list, struct cxl_extent, i));
    }
    return ret;
}

int fm_wait_begin(struct cxl_conn *conn, const struct fm_order *order,
                  struct fm_wait *wait)
{
    static struct cxl_dc_events log;

    /* records that are out of sight now would look new later */
    if (!fm_read_dc_events(conn, &log) && !log.more) {
        wait->listens = TRUE;
        wait->heard = log.n ? log.ev[log.n - 1].handle : 0;
    }
    return fm_held_bytes(conn, order, &wait->held);
}

/*
 * Adds up what new events say of the order. The log is left as it is, for
 * another program may follow it, and may clear it: so this comes beside a look
 * at the lists, and after it, when what these show is in the log.
 */
static void listen_for(struct cxl_conn *conn, const struct fm_order *order,
                       enum cxl_dc_event_type type, struct fm_wait *wait)
{
    static struct cxl_dc_events log;
    unsigned i, first = 0;

    if (!wait->listens || fm_read_dc_events(conn, &log)) {
        return;
    }
    for (i = 0; i < log.n; i++) {
        if (log.ev[i].handle == wait->heard) {
            first = i + 1;
        }
    }
    for (i = first; i < log.n; i++) {
        const struct cxl_dc_event *ev = &log.ev[i];

        if (ev->type == type && ev->host == order->host) {
            wait->told += ordered(order, &ev->extent);
        }
        wait->heard = ev->handle;
    }
    wait->cut = log.more;
}

const guint8 *fm_wait_tag(const struct fm_order *order)
{
    static const guint8 none[16];

    for (uint32_t i = 0; i < order->n; i++) {
        if (memcmp(order->ext[i].tag, none, sizeof(none))) {
            return order->ext[i].tag;
        }
    }
    return !order->ext && memcmp(order->tag, none, sizeof(none)) ?
           order->tag : NULL;
}

enum offer_state { OFFER_OPEN, OFFER_ANSWERED, OFFER_WITHDRAWN };

static int look(struct cxl_conn *conn, const struct fm_order *order,
                struct fm_wait *wait, enum offer_state *state, guint64 *held)
{
    static struct fm_tags tags;
    struct fm_tag entry;
    gboolean found;
    int ret;

    *state = OFFER_OPEN;
    /* the list may be long, and nothing in it has changed */
    ret = fm_list_tags(conn, 0, 0, &tags);
    if (ret || (wait->looked && tags.generation == wait->generation)) {
        *held = wait->held;
        return ret;
    }
    wait->looked = TRUE;
    wait->generation = tags.generation;
    /* before the extents, so that these are there when it is answered */
    ret = fm_find_tag(conn, fm_wait_tag(order), &entry, &found);
    if (!ret && !(found && fm_tag_offered(&entry, order->host))) {
        *state = found && entry.withdrawn ? OFFER_WITHDRAWN : OFFER_ANSWERED;
    }
    return ret ? ret : fm_held_bytes(conn, order, held);
}

/* How far @part of @whole is; an unknown whole is done all at once */
static void show(const char *what, guint64 part, guint64 whole)
{
    fm_progress(what, whole ? MIN(part, whole) / (whole / 100.0) : 0);
}

int fm_wait_answer(struct fm_app *app, const struct fm_order *order,
                   struct fm_wait *wait)
{
    gint64 end = g_get_monotonic_time() + wait->seconds * G_USEC_PER_SEC;
    guint64 wanted = fm_order_bytes(order), held;
    char have[FM_TEXT], want[FM_TEXT];
    enum offer_state state;

    for (;;) {
        int ret = look(app->conn, order, wait, &state, &held);

        if (ret) {
            return fm_fail(app, ret);
        }
        listen_for(app->conn, order, CXL_EV_ADD_RESPONSE, wait);
        wait->bytes = MAX(held > wait->held ? held - wait->held : 0,
                          wait->told);
        if (wait->told && !wait->cut) {
            state = OFFER_ANSWERED;
        }
        if (state != OFFER_OPEN || g_get_monotonic_time() >= end) {
            break;
        }
        show("waiting for the host", wait->bytes, wanted);
        g_usleep(POLL_MS * 1000);
    }
    fm_progress("", G_MAXUINT);
    if (state == OFFER_WITHDRAWN) {
        return fm_not_done(app, "the offer to host %u was withdrawn",
                           order->host);
    }
    if (state == OFFER_OPEN) {
        return fm_not_done(app, "host %u has not answered within %d s; the "
                           "offer stands", order->host, wait->seconds);
    }
    if (!wait->bytes) {
        return fm_not_done(app, "host %u has refused the offer", order->host);
    }
    if (wait->bytes < wanted) {
        return fm_not_done(app, "host %u has accepted %s of %s", order->host,
                           fm_text_size(have, wait->bytes),
                           fm_text_size(want, wanted));
    }
    return FM_DONE;
}

int fm_wait_release(struct fm_app *app, const struct fm_order *order,
                    struct fm_wait *wait)
{
    gint64 end = g_get_monotonic_time() + wait->seconds * G_USEC_PER_SEC;
    guint64 wanted = fm_order_bytes(order), held;
    char have[FM_TEXT], want[FM_TEXT];

    for (;;) {
        int ret = fm_held_bytes(app->conn, order, &held);

        if (ret) {
            return fm_fail(app, ret);
        }
        listen_for(app->conn, order, CXL_EV_RELEASED, wait);
        wait->bytes = MAX(wait->held > held ? wait->held - held : 0,
                          wait->told);
        if (wait->bytes >= wanted || !held) {
            break;
        }
        if (g_get_monotonic_time() >= end) {
            fm_progress("", G_MAXUINT);
            return fm_not_done(app, "host %u has released %s of %s within "
                               "%d s; it may do so later, or have forgotten "
                               "the request: then ask again", order->host,
                               fm_text_size(have, wait->bytes),
                               fm_text_size(want, wanted), wait->seconds);
        }
        show("waiting for the host", wait->bytes, wanted);
        g_usleep(POLL_MS * 1000);
    }
    fm_progress("", G_MAXUINT);
    return FM_DONE;
}
