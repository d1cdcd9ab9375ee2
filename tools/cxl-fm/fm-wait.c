/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waiting until a host has done what the FM asked for. Offers that are not
 * answered stand in no list (CXL r3.2 9.13.3.3): they show as extents that
 * are neither free nor accepted.
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

static int look(struct cxl_conn *conn, const struct fm_order *order,
                guint64 *bytes, guint *extents)
{
    g_autoptr(GArray) list = NULL;
    uint32_t generation;
    int ret = fm_all_extents(conn, order->host, &list, &generation);

    if (ret) {
        return ret;
    }
    *bytes = 0;
    *extents = list->len;
    for (guint i = 0; i < list->len; i++) {
        const struct cxl_extent *ext = &g_array_index(list, struct cxl_extent,
                                                      i);

        if (!order->ext) {
            *bytes += memcmp(ext->tag, order->tag, 16) ? 0 : ext->len;
        }
        for (uint32_t k = 0; k < order->n; k++) {
            *bytes += overlap(ext, &order->ext[k]);
        }
    }
    return 0;
}

int fm_held_bytes(struct cxl_conn *conn, const struct fm_order *order,
                  guint64 *bytes)
{
    guint extents;

    return look(conn, order, bytes, &extents);
}

static int measure(struct cxl_conn *conn, const struct fm_order *order,
                   guint64 *bytes, gint64 *unanswered)
{
    struct fm_regions regions;
    guint extents = 0;
    int ret = look(conn, order, bytes, &extents);

    if (!ret) {
        ret = fm_get_regions(conn, order->host, CXL_DC_REGIONS, 0, &regions);
    }
    if (!ret) {
        *unanswered = (gint64)regions.counts.extents -
                      regions.counts.extents_free - extents;
    }
    return ret;
}

int fm_wait_begin(struct cxl_conn *conn, const struct fm_order *order,
                  struct fm_wait *wait)
{
    return measure(conn, order, &wait->held, &wait->unanswered);
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
    gint64 unanswered;

    for (;;) {
        int ret = measure(app->conn, order, &held, &unanswered);

        if (ret) {
            return fm_fail(app, ret);
        }
        wait->bytes = held > wait->held ? held - wait->held : 0;
        if (unanswered <= wait->unanswered || wait->bytes >= MAX(wanted, 1)) {
            break;
        }
        if (g_get_monotonic_time() >= end) {
            fm_progress("", G_MAXUINT);
            return fm_not_done(app, "host %u has not answered within %d s; "
                               "the offer stands", order->host,
                               wait->seconds);
        }
        show("waiting for the host", wait->bytes, wanted);
        g_usleep(POLL_MS * 1000);
    }
    fm_progress("", G_MAXUINT);
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
        wait->bytes = wait->held > held ? wait->held - held : 0;
        if (wait->bytes >= wanted || !held) {
            break;
        }
        if (g_get_monotonic_time() >= end) {
            fm_progress("", G_MAXUINT);
            return fm_not_done(app, "host %u has released %s of %s within "
                               "%d s; the request stands", order->host,
                               fm_text_size(have, wait->bytes),
                               fm_text_size(want, wanted), wait->seconds);
        }
        show("waiting for the host", wait->bytes, wanted);
        g_usleep(POLL_MS * 1000);
    }
    fm_progress("", G_MAXUINT);
    return FM_DONE;
}
