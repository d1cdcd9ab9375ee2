/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity model: one that decides nothing, and shows what hosts of a
 * model elsewhere may access, see cxl_dc.h (CXL r3.2 9.13.3).
 *
 * Extents have no tags here.  One that is elsewhere on the medium than where
 * its host sees it has a tag of its own, which is in no list.
 */
#include "qemu/osdep.h"
#include "dc-internal.h"

static int view_by_dpa(gconstpointer a, gconstpointer b)
{
    const CXLDCPiece *x = a, *y = b;

    return x->dpa < y->dpa ? -1 : x->dpa > y->dpa;
}

/* Ascending and in the medium's addresses; NULL if they cannot be a host's */
static GArray *view_pieces(const CXLDynCap *dc, const DCHost *h,
                           const CXLDCPiece *piece, size_t n)
{
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(*piece));

    for (size_t i = 0; i < n; i++) {
        CXLDCPiece p = {
            .dpa = piece[i].dpa - h->base, .len = piece[i].len,
            .media = piece[i].media - h->base,
        };
        int region = cxl_dc_region_of(dc, p.dpa, p.len);

        if (region < 0 || cxl_dc_region_of(dc, p.media, p.len) < 0 ||
            (p.dpa != p.media && !dc->region[region].pub.sharable) ||
            !QEMU_IS_ALIGNED(p.dpa | p.len | p.media,
                             dc->region[region].pub.block_size)) {
            return NULL;
        }
        g_array_append_val(list, p);
    }
    g_array_sort(list, view_by_dpa);
    for (guint i = 1; i < list->len; i++) {
        const CXLDCPiece *p = &g_array_index(list, CXLDCPiece, i);

        if (p->dpa - p[-1].dpa < p[-1].len) {
            return NULL;
        }
    }
    return g_steal_pointer(&list);
}

static void view_insert(CXLDynCap *dc, DCHost *h, uint64_t dpa, uint64_t len,
                        uint64_t media)
{
    DCRec rec = { .dpa = dpa, .len = len };

    if (media != dpa) {
        DCTag *tag = g_new0(DCTag, 1);

        tag->sharable = true;
        tag->only = (CXLDCRange) { media, len };
        tag->part = &tag->only;
        tag->nr_parts = 1;
        rec.ref = tag;
    }
    dc_added_insert(dc, h, &rec);
}

/* Takes away what there is of a range */
static void view_cut(CXLDynCap *dc, DCHost *h, uint64_t dpa, uint64_t len,
                     DCEffects *fx)
{
    uint64_t end = dpa + len;
    const DCRec *rec;
    DCCursor cur;

    while ((rec = dc_set_from(&h->added, dpa, &cur)) && rec->dpa < end) {
        g_autoptr(GArray) gone = g_array_new(FALSE, FALSE, sizeof(DCFragment));
        uint64_t media = dc_rec_media(rec, rec->dpa);
        uint64_t from = MAX(rec->dpa, dpa), old_end = rec->dpa + rec->len;
        uint64_t to = MIN(old_end, end), old_dpa = rec->dpa;
        DCFragment whole = { .ext_dpa = rec->dpa, .ext_len = rec->len };
        DCTag *tag = rec->ref;

        g_array_append_val(gone, whole);
        dc_added_remove(dc, h, gone);
        g_free(tag);
        if (old_dpa < from) {
            view_insert(dc, h, old_dpa, from - old_dpa, media);
        }
        if (to < old_end) {
            view_insert(dc, h, to, old_end - to, media + (to - old_dpa));
        }
        dc_effects_range(dc, fx->off, from, to - from);
        dpa = to;
        if (dpa == end) {
            break;
        }
    }
}

/* Adds what is missing of a piece */
static void view_add(CXLDynCap *dc, DCHost *h, const CXLDCPiece *p,
                     DCEffects *fx)
{
    uint64_t dpa = p->dpa, end = p->dpa + p->len;

    while (dpa < end) {
        DCCursor cur;
        const DCRec *rec = dc_set_from(&h->added, dpa, &cur);
        uint64_t stop = rec ? MIN(MAX(rec->dpa, dpa), end) : end;

        if (stop > dpa) {
            view_insert(dc, h, dpa, stop - dpa, p->media + (dpa - p->dpa));
            dc_effects_range(dc, fx->on, dpa, stop - dpa);
            dpa = stop;
        } else {
            dpa = rec->dpa + rec->len;
        }
    }
}

/* What of it is not in the list, or elsewhere on the medium, goes to @gone */
static void view_compare(const DCRec *rec, const GArray *list, guint *at,
                         GArray *gone)
{
    uint64_t pos = rec->dpa, end = rec->dpa + rec->len;
    uint64_t shift = dc_rec_media(rec, rec->dpa) - rec->dpa;

    for (; *at < list->len; ++*at) {
        const CXLDCPiece *p = &g_array_index(list, CXLDCPiece, *at);

        if (p->dpa >= end) {
            break;
        }
        if (p->dpa + p->len > pos && p->media - p->dpa == shift) {
            if (p->dpa > pos) {
                dc_range_append(gone, pos, p->dpa - pos);
            }
            pos = MIN(p->dpa + p->len, end);
        }
        if (p->dpa + p->len > end) {
            break;
        }
    }
    if (pos < end) {
        dc_range_append(gone, pos, end - pos);
    }
}

/* -- for the owner -------------------------------------------------------- */

bool cxl_dc_view_on(CXLDynCap *dc, uint16_t host, const CXLDCPiece *piece,
                    size_t n)
{
    DCHost *h = &dc->host[host];
    g_autoptr(GArray) list = view_pieces(dc, h, piece, n);
    DCEffects fx;

    for (guint i = 0; list && i < list->len; i++) {
        const CXLDCPiece *p = &g_array_index(list, CXLDCPiece, i);

        if (dc_set_overlaps(&h->added, p->dpa, p->len)) {
            return false;
        }
    }
    if (!list) {
        return false;
    }
    dc_effects_init(&fx, host, CXL_DC_EV_ADD);
    for (guint i = 0; i < list->len; i++) {
        view_add(dc, h, &g_array_index(list, CXLDCPiece, i), &fx);
    }
    dc_effects_run(dc, &fx);
    return true;
}

bool cxl_dc_view_off(CXLDynCap *dc, uint16_t host, const CXLDCPiece *piece,
                     size_t n)
{
    DCHost *h = &dc->host[host];
    g_autoptr(GArray) list = view_pieces(dc, h, piece, n);
    DCEffects fx;

    if (!list) {
        return false;
    }
    dc_effects_init(&fx, host, CXL_DC_EV_RELEASE);
    for (guint i = 0; i < list->len; i++) {
        const CXLDCPiece *p = &g_array_index(list, CXLDCPiece, i);

        view_cut(dc, h, p->dpa, p->len, &fx);
    }
    dc_effects_run(dc, &fx);
    return true;
}

bool cxl_dc_view_become(CXLDynCap *dc, uint16_t host, const CXLDCPiece *piece,
                        size_t n)
{
    g_autoptr(GArray) gone = g_array_new(FALSE, FALSE, sizeof(CXLDCRange));
    DCHost *h = &dc->host[host];
    g_autoptr(GArray) list = view_pieces(dc, h, piece, n);
    const DCRec *rec;
    DCCursor cur;
    DCEffects fx;
    guint at = 0;

    if (!list) {
        return false;
    }
    rec = dc_set_nth(&h->added, 0, &cur);
    for (; rec; rec = dc_set_next(&cur)) {
        view_compare(rec, list, &at, gone);
    }
    dc_effects_init(&fx, host, CXL_DC_EV_ADD);
    for (guint i = 0; i < gone->len; i++) {
        const CXLDCRange *r = &g_array_index(gone, CXLDCRange, i);

        view_cut(dc, h, r->dpa, r->len, &fx);
    }
    for (guint i = 0; i < list->len; i++) {
        view_add(dc, h, &g_array_index(list, CXLDCPiece, i), &fx);
    }
    dc_effects_run(dc, &fx);
    return true;
}

void cxl_dc_view_leave(CXLDynCap *dc, uint16_t host, bool all)
{
    DCHost *h = &dc->host[host];
    DCEffects fx;

    dc_effects_init(&fx, host, CXL_DC_EV_RELEASE);
    for (unsigned i = 0; i < dc->config.nr_regions; i++) {
        const CXLDCRegion *r = &dc->region[i].pub;

        if (all || r->sharable) {
            view_cut(dc, h, r->base, r->len, &fx);
        }
    }
    dc_effects_run(dc, &fx);
}
