/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity model: capacity that a host may access no more, but perhaps
 * still does, because its access ends elsewhere (CXL r3.2 9.13.3).
 *
 * Until all such hosts have stopped, nobody is given the blocks: they are held,
 * neither free nor anybody's.  Those to be sanitized are wiped then, and still
 * nobody's until the owner says that it is done.
 */
#include "qemu/osdep.h"
#include "dc-internal.h"
#include "trace/trace-hw_cxl.h"

/** struct DCLeaving - what left a host at once, on the medium */
typedef struct DCLeaving {
    uint64_t ticket;
    uint16_t host;
    GArray *ranges;             /* CXLDCRange */
} DCLeaving;

static void fence_free_leaving(gpointer opaque)
{
    DCLeaving *l = opaque;

    g_array_free(l->ranges, TRUE);
    g_free(l);
}

static DCLeaving *fence_new_leaving(CXLDynCap *dc, uint16_t host,
                                    uint64_t ticket)
{
    DCLeaving *l = g_new0(DCLeaving, 1);

    l->ticket = ticket;
    l->host = host;
    l->ranges = g_array_new(FALSE, FALSE, sizeof(CXLDCRange));
    if (!dc->leaving) {
        dc->leaving = g_ptr_array_new_with_free_func(fence_free_leaving);
    }
    g_ptr_array_add(dc->leaving, l);
    return l;
}

void dc_fence_free(CXLDynCap *dc)
{
    g_clear_pointer(&dc->leaving, g_ptr_array_unref);
    dc_set_clear(&dc->held);
    dc_set_clear(&dc->wiping);
}

/*
 * Does some host still reach @dpa?  @len: how far that answer holds, within
 * what it was.
 */
static bool fence_is_reached(const CXLDynCap *dc, uint64_t dpa, uint64_t *len)
{
    for (guint i = 0; dc->leaving && i < dc->leaving->len; i++) {
        const DCLeaving *l = g_ptr_array_index(dc->leaving, i);

        for (guint k = 0; k < l->ranges->len; k++) {
            const CXLDCRange *r = &g_array_index(l->ranges, CXLDCRange, k);

            if (r->dpa <= dpa && dpa - r->dpa < r->len) {
                *len = MIN(*len, r->len - (dpa - r->dpa));
                return true;
            }
            if (r->dpa > dpa && r->dpa - dpa < *len) {
                *len = r->dpa - dpa;
            }
        }
    }
    return false;
}

void dc_fence_leave(CXLDynCap *dc, uint16_t host, GArray *media)
{
    if (dc->ops->fenced && media->len) {
        DCLeaving *l = fence_new_leaving(dc, host, ++dc->last_ticket);

        g_array_append_vals(l->ranges, media->data, media->len);
        trace_cxl_dc_leaving(host, l->ticket, media->len);
    }
}

void dc_give_back(CXLDynCap *dc, uint64_t dpa, uint64_t len)
{
    int region = dc_region_at(dc, dpa);

    while (len) {
        uint64_t n = len;

        if (fence_is_reached(dc, dpa, &n)) {
            DCRec rec = { .dpa = dpa, .len = n };

            dc_set_insert(&dc->held, &rec);
        } else {
            dc_free_range(dc, region, dpa, n);
        }
        dpa += n;
        len -= n;
    }
}

static void fence_wipe(CXLDynCap *dc, uint16_t host, uint64_t dpa,
                       uint64_t len)
{
    const DCRec rec = { .dpa = dpa, .len = len, .seq = host };

    dc_set_insert(&dc->wiping, &rec);
}

void dc_fence_sanitize(CXLDynCap *dc, uint16_t host, GArray *wipe)
{
    g_autoptr(GArray) now = NULL;

    if (!dc->ops->fenced || !dc->ops->sanitize) {
        return;
    }
    now = g_array_new(FALSE, FALSE, sizeof(CXLDCRange));
    for (guint i = 0; i < wipe->len; i++) {
        CXLDCRange r = g_array_index(wipe, CXLDCRange, i);

        while (r.len) {
            DCCursor cur;
            const DCRec *held = dc_set_from(&dc->held, r.dpa, &cur);
            uint64_t n = r.len;

            if (held && dc_rec_holds(held, r.dpa)) {
                DCRec rec = *held;

                /* What is held came by the pieces that are wiped or not */
                n = MIN(n, rec.len - (r.dpa - rec.dpa));
                rec.flags |= DC_REC_SANITIZE;
                dc_set_remove(&dc->held, rec.dpa);
                dc_set_insert(&dc->held, &rec);
            } else {
                n = held ? MIN(n, held->dpa - r.dpa) : n;
                dc_alloc_range(dc, dc_region_at(dc, r.dpa), r.dpa, n);
                fence_wipe(dc, host, r.dpa, n);
                dc_range_append(now, r.dpa, n);
            }
            r.dpa += n;
            r.len -= n;
        }
    }
    g_array_set_size(wipe, 0);
    g_array_append_vals(wipe, now->data, now->len);
}

/* Frees, or wipes, what nobody reaches any more since @host does not */
static void fence_let_go(CXLDynCap *dc, uint16_t host)
{
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(DCRec));
    g_autoptr(GArray) free = g_array_new(FALSE, FALSE, sizeof(CXLDCRange));
    const DCRec *rec;
    DCCursor cur;

    rec = dc_set_nth(&dc->held, 0, &cur);
    for (; rec; rec = dc_set_next(&cur)) {
        g_array_append_vals(all, rec, 1);
    }
    dc_set_clear(&dc->held);
    for (guint i = 0; i < all->len; i++) {
        DCRec r = g_array_index(all, DCRec, i), part = r;

        for (; r.len; r.dpa += part.len, r.len -= part.len) {
            part.dpa = r.dpa;
            part.len = r.len;
            if (fence_is_reached(dc, part.dpa, &part.len)) {
                dc_set_insert(&dc->held, &part);
                continue;
            }
            if ((r.flags & DC_REC_SANITIZE) && dc->ops->sanitize) {
                CXLDCRange range = { part.dpa, part.len };

                fence_wipe(dc, host, part.dpa, part.len);
                dc->ops->sanitize(dc->opaque, &range);
                continue;
            }
            dc_range_append(free, part.dpa, part.len);
        }
    }
    for (guint i = 0; i < free->len; i++) {
        const CXLDCRange *r = &g_array_index(free, CXLDCRange, i);

        dc_free_range(dc, dc_region_at(dc, r->dpa), r->dpa, r->len);
    }
}

/* -- for the owner -------------------------------------------------------- */

uint64_t cxl_dc_last_ticket(const CXLDynCap *dc)
{
    return dc->last_ticket;
}

bool cxl_dc_access_ended(CXLDynCap *dc, uint16_t host, uint64_t ticket)
{
    bool some = false;

    for (guint i = dc->leaving ? dc->leaving->len : 0; i--;) {
        const DCLeaving *l = g_ptr_array_index(dc->leaving, i);

        if (l->host == host && l->ticket <= ticket) {
            g_ptr_array_remove_index(dc->leaving, i);
            some = true;
        }
    }
    if (some) {
        fence_let_go(dc, host);
        trace_cxl_dc_access_ended(host, ticket, dc->held.count);
    }
    return some;
}

bool cxl_dc_next_wipe(const CXLDynCap *dc, CXLDCRange *range)
{
    DCCursor cur;
    const DCRec *rec = dc_set_nth(&dc->wiping, 0, &cur);

    if (rec) {
        *range = (CXLDCRange) { rec->dpa, rec->len };
    }
    return rec;
}

void cxl_dc_wiped(CXLDynCap *dc, const CXLDCRange *range)
{
    const DCRec *rec = dc_set_find(&dc->wiping, range->dpa);
    uint64_t rest;

    g_assert(rec && rec->dpa == range->dpa && rec->len >= range->len);
    rest = rec->len - range->len;
    if (rest) {
        dc_set_change(&dc->wiping, range->dpa, range->dpa + range->len, rest);
    } else {
        dc_set_remove(&dc->wiping, range->dpa);
    }
    dc_free_range(dc, dc_region_at(dc, range->dpa), range->dpa, range->len);
    trace_cxl_dc_wiped(range->dpa, range->len, dc->wiping.count);
}

bool cxl_dc_is_fenced(const CXLDynCap *dc)
{
    return dc->ops->fenced;
}

void cxl_dc_leaving(const CXLDynCap *dc, CXLDCLeavingFn *fn, void *opaque)
{
    const DCRec *rec;
    DCCursor cur;

    for (guint i = 0; dc->leaving && i < dc->leaving->len; i++) {
        const DCLeaving *l = g_ptr_array_index(dc->leaving, i);

        for (guint k = 0; k < l->ranges->len; k++) {
            if (!fn(opaque, l->host, l->ticket,
                    &g_array_index(l->ranges, CXLDCRange, k))) {
                return;
            }
        }
    }
    rec = dc_set_nth(&dc->wiping, 0, &cur);
    for (; rec; rec = dc_set_next(&cur)) {
        CXLDCRange range = { rec->dpa, rec->len };

        if (!fn(opaque, rec->seq, CXL_DC_TICKET_WIPE, &range)) {
            return;
        }
    }
}

void cxl_dc_held(const CXLDynCap *dc, CXLDCRangeFn *fn, void *opaque)
{
    const DCRec *rec;
    DCCursor cur;

    rec = dc_set_nth(&dc->held, 0, &cur);
    for (; rec; rec = dc_set_next(&cur)) {
        CXLDCRange range = { rec->dpa, rec->len };

        if (!fn(opaque, &range, rec->flags & DC_REC_SANITIZE)) {
            return;
        }
    }
}

/* Takes what is free: it was nobody's */
static bool fence_restore(CXLDynCap *dc, const CXLDCRange *range)
{
    int region = cxl_dc_region_of(dc, range->dpa, range->len);

    if (region < 0 || !dc_range_is_free(dc, region, range->dpa, range->len)) {
        return false;
    }
    dc_alloc_range(dc, region, range->dpa, range->len);
    return true;
}

bool cxl_dc_restore_leaving(CXLDynCap *dc, uint16_t host, uint64_t ticket,
                            const CXLDCRange *range)
{
    DCLeaving *last = dc->leaving && dc->leaving->len ?
        g_ptr_array_index(dc->leaving, dc->leaving->len - 1) : NULL;

    if (host >= dc->config.nr_hosts ||
        cxl_dc_region_of(dc, range->dpa, range->len) < 0) {
        return false;
    }
    if (ticket == CXL_DC_TICKET_WIPE) {
        if (fence_restore(dc, range)) {
            fence_wipe(dc, host, range->dpa, range->len);
            return true;
        }
        return false;
    }
    if (!last || last->host != host || last->ticket != ticket) {
        last = fence_new_leaving(dc, host, ticket);
    }
    dc_range_append(last->ranges, range->dpa, range->len);
    dc->last_ticket = MAX(dc->last_ticket, ticket);
    return true;
}

bool cxl_dc_restore_held(CXLDynCap *dc, const CXLDCRange *range, bool sanitize)
{
    DCRec rec = {
        .dpa = range->dpa, .len = range->len,
        .flags = sanitize ? DC_REC_SANITIZE : 0,
    };

    if (!fence_restore(dc, range)) {
        return false;
    }
    dc_set_insert(&dc->held, &rec);
    return true;
}
