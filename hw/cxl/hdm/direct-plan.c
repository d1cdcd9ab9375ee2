/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Direct mapping of CXL memory: which parts of the windows can be plain RAM,
 * and why the rest cannot, see hdm-internal.h
 */
#include "qemu/osdep.h"
#include "exec/target_page.h"
#include "hdm-internal.h"
#include "trace/trace-hw_cxl.h"

/*
 * Ranges of one part that are looked at.  Devices of a set may hold a million
 * extents each and share none, a device may hold as many that may only be read:
 * nothing would be mapped, and all of it be looked at.
 */
#define RANGES_MAX (16 * CXL_DIRECT_PIECES_MAX)

/**
 * struct Walk - one pass over the windows
 * @pieces: CXLDirectRange found so far
 * @spent: how many of them each device has
 * @slots: how many there may be in all
 * @page: what is mapped begins and ends at multiples of it
 * @mapped: pieces that DMA may go to, NULL if none may; what they begin and end
 *   with stays what it is: DMA fails while a piece is mapped anew
 * @asked: how often a device was asked what becomes of some of its memory
 * @refused: pieces that there was no room for
 * @tell: to be told everything from @from on, or NULL
 * @stop: nobody wants to hear more
 */
typedef struct Walk {
    const CXLDirect *d;
    GArray *pieces;
    GHashTable *spent;
    uint64_t slots;
    uint64_t page;
    const GArray *mapped;
    uint64_t asked;
    uint64_t refused;
    CXLDirectRangeFn *tell;
    hwaddr from;
    void *opaque;
    bool stop;
} Walk;

static void walk_init(Walk *w, const CXLDirect *d)
{
    *w = (Walk) {
        .d = d,
        .pieces = g_array_new(false, false, sizeof(CXLDirectRange)),
        .spent = g_hash_table_new(NULL, NULL),
        .slots = cxl_direct_slots(d),
        .page = MAX(qemu_real_host_page_size(), qemu_target_page_size()),
        .mapped = ram_block_discard_is_disabled() ? d->mapped : NULL,
    };
}

/* The first address behind @hpa where a mapped piece begins or ends */
static hwaddr walk_edge(const Walk *w, hwaddr hpa)
{
    guint low = 0, high = w->mapped ? w->mapped->len : 0;
    const CXLDirectRange *old;

    while (low < high) {
        guint mid = (low + high) / 2;

        old = &g_array_index(w->mapped, CXLDirectRange, mid);
        if (old->hpa + old->len <= hpa) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    if (!w->mapped || low == w->mapped->len) {
        return HWADDR_MAX;
    }
    old = &g_array_index(w->mapped, CXLDirectRange, low);
    return old->hpa > hpa ? old->hpa : old->hpa + old->len;
}

static uint32_t walk_spent(Walk *w, CXLMemTarget *d)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(w->spent, d));
}

static void walk_spend(Walk *w, CXLMemTarget *d)
{
    g_hash_table_insert(w->spent, d, GUINT_TO_POINTER(walk_spent(w, d) + 1));
}

static void walk_tell(Walk *w, CXLDirectRange range)
{
    uint64_t below = w->from > range.hpa ? w->from - range.hpa : 0;

    if (w->tell && range.len > below && !w->stop) {
        range.hpa += below;
        range.dpa += below;
        range.len -= below;
        w->stop = !w->tell(w->opaque, &range);
    }
}

/* Joins it to the piece before it if memory goes on there */
static bool walk_extends(Walk *w, const CXLDirectRange *p)
{
    CXLDirectRange *last;

    if (!w->pieces->len) {
        return false;
    }
    last = &g_array_index(w->pieces, CXLDirectRange, w->pieces->len - 1);
    if (last->fw != p->fw || last->device != p->device ||
        last->mr != p->mr || last->dynamic != p->dynamic ||
        last->hpa + last->len != p->hpa ||
        last->offset + last->len != p->offset ||
        walk_edge(w, p->hpa - 1) < p->hpa + p->len) {
        return false;
    }
    last->len += p->len;
    return true;
}

/* Whose limit is 0, or does not allow @pieces more? */
static CXLMemTarget *walk_is_limited(Walk *w, const CXLSetShape *s,
                                     unsigned pieces)
{
    for (unsigned k = 0; k < s->ways; k++) {
        CXLMemTarget *d = s->member[k].device;
        uint32_t limit = s->member[k].ops->map_limit(d);

        if (!limit || (uint64_t)walk_spent(w, d) + pieces > limit) {
            return d;
        }
    }
    return NULL;
}

/*
 * In parts, so that what is mapped of it stays as it is.  Where that would take
 * more pieces than there may be, DMA has to do with a moment's failure.
 */
static void walk_append_pieces(Walk *w, CXLDirectRange piece,
                               const CXLSetShape *s)
{
    hwaddr end = piece.hpa + piece.len;
    unsigned parts = 0;
    bool whole;

    for (hwaddr at = piece.hpa; at < end; at = walk_edge(w, at)) {
        parts++;
    }
    whole = w->pieces->len + parts > w->slots || walk_is_limited(w, s, parts);
    for (; piece.hpa < end; piece.hpa += piece.len, piece.offset += piece.len) {
        piece.len = (whole ? end : MIN(walk_edge(w, piece.hpa), end)) -
                    piece.hpa;
        g_array_append_val(w->pieces, piece);
        for (unsigned k = 0; k < s->ways; k++) {
            walk_spend(w, s->member[k].device);
        }
    }
}

/*
 * RAM becomes a piece, which spends from the budgets of all devices of @s.  If
 * it has to trap, @p tells why, and because of whom.
 */
static void walk_add_piece(Walk *w, CXLDirectRange *p, const CXLSetShape *s)
{
    CXLMemTarget *off = walk_is_limited(w, s, 0);
    CXLMemTarget *full = walk_is_limited(w, s, 1);
    CXLMemTarget *who = s->member->device;

    /*
     * Of a guest_memfd, KVM would give the guest pages that the device does
     * not see: what sanitize, poison or a release does would not reach them.
     * By traps a confidential guest shares this memory, as with any device.
     * Where there is no guest_memfd (SEV, SEV-ES) memory is mapped as other
     * RAM is, and dynamic capacity is pinned by the base.
     */
    if (memory_region_has_guest_memfd(p->mr)) {
        p->why = CXL_MEMORY_TRAP_CONFIDENTIAL;
    } else if (off) {
        who = off;
        p->why = CXL_MEMORY_TRAP_SWITCHED_OFF;
    } else if (p->dynamic && !w->d->may_map_dynamic) {
        p->why = CXL_MEMORY_TRAP_PINNED;
    } else if (walk_extends(w, p)) {
        return;
    } else if (full) {
        who = full;
        p->why = CXL_MEMORY_TRAP_BUDGET;
    } else if (w->pieces->len >= w->slots) {
        p->why = CXL_MEMORY_TRAP_NO_SLOTS;
    } else {
        walk_append_pieces(w, *p, s);
        return;
    }
    p->direct = false;
    p->device = who;
    w->refused++;
    if (!w->tell) {
        trace_cxl_direct_refused(p->hpa, p->len, DEVICE(who)->id,
                                 CxlMemoryTrap_str(p->why),
                                 CXL_MEM_TARGET_GET_CLASS(who)->map_limit(who),
                                 w->slots);
    }
}

/* The first byte of member @k at @at or behind it: offset in its share */
static uint64_t walk_share_from(const CXLSetShape *s, unsigned k, uint64_t at)
{
    uint64_t g = s->granularity, n = at / (s->ways * g);
    uint64_t in_row = at % (s->ways * g);

    return n * g + (in_row < k * g ? 0 : MIN(in_row - k * g, g));
}

static uint64_t walk_in_part(const CXLSetShape *s, unsigned k, uint64_t share)
{
    return cxl_interleave_hpa_offset(share, k, s->ways, s->granularity);
}

/* What a member has in @len bytes of its share; no memory that is not here */
static CXLMemSpan walk_span(Walk *w, const CXLPart *part, const CXLMember *m,
                            uint64_t share, uint64_t len)
{
    CXLMemSpan span;
    CXLMemPlace p;

    w->asked++;
    m->ops->span(m->device, m->dpa + share, len, true, &span);
    if (!span.memory) {
        return span;
    }
    if (part->set) {
        if (span.memory != m->medium.memory ||
            span.offset != m->medium.offset + share) {
            span.memory = NULL;
            span.why = CXL_MEMORY_TRAP_INTERLEAVED;
        }
    } else {
        p = cxl_set_place(span.memory, span.offset);
        span.len = MIN(span.len - 1, p.rest) + 1;
        if (p.set || (span.offset - share) % w->page) {
            span.memory = NULL;
            span.why = p.set ? CXL_MEMORY_TRAP_MOVING :
                               CXL_MEMORY_TRAP_PARTIAL_PAGE;
        }
    }
    return span;
}

/*
 * What becomes of the first bytes at @at of a part, in whole pages: RAM, if all
 * bytes in them are RAM on the devices that they belong to.  Behind @end, which
 * is a multiple of a page as @at is, nothing is mapped.  What lies between two
 * bytes of one member that trap, traps as well: chunks of the others would be
 * pieces by themselves.
 */
static CXLDirectRange walk_range(Walk *w, const CXLPart *part, uint64_t at,
                                 uint64_t end)
{
    const CXLSetShape *s = &part->shape;
    uint64_t good = end, bad = at;
    CXLDirectRange r = {
        .hpa = part->hpa + at, .dpa = s->member->dpa + at,
        .device = part->set ? NULL : s->member->device,
        .interleaved = part->set,
    };

    for (unsigned k = 0; k < s->ways; k++) {
        const CXLMember *m = &s->member[k];
        uint64_t share = walk_share_from(s, k, at);
        uint64_t left = walk_share_from(s, k, end) - share, from, to;
        CXLMemSpan span;
        bool partly;

        if (!left) {
            continue;
        }
        span = walk_span(w, part, m, share, left);
        partly = span.memory;
        if (partly) {
            r.mr = part->set ? &part->set->ram : span.memory->mrs.mr;
            r.offset = part->set ? at : span.offset;
            r.dynamic |= span.dynamic;
            if (span.len == left) {
                continue;
            }
            share += span.len;
            left -= span.len;
        }
        from = walk_in_part(s, k, share);
        if (from >= at + w->page) {
            good = MIN(good, from);
            continue;
        }
        if (partly) {
            span = walk_span(w, part, m, share, left);
        }
        /* Should nothing of it be left, no chunk of the others is worth it */
        to = !partly && span.len == left ? end :
             walk_in_part(s, k, share + span.len - 1) + 1;
        partly = partly || to < at + w->page;
        if (span.memory ||
            (partly && span.why == CXL_MEMORY_TRAP_NOT_ACCEPTED)) {
            span.why = CXL_MEMORY_TRAP_PARTIAL_PAGE;
            to = 0;
        }
        to = MIN(MAX(ROUND_DOWN(to, w->page), at + w->page), end);
        if (to > bad) {
            bad = to;
            r.device = m->device;
            r.why = span.why;
        }
    }
    r.direct = bad == at;
    r.len = (r.direct ? ROUND_DOWN(good, w->page) : bad) - at;
    return r;
}

/*
 * Of what is not accepted, less than a page may be: that does not matter to
 * what is mapped, but to who wants to know why.  From there on to the end it is
 * one range: the work does not depend on how much there is.
 */
static void walk_tell_gap(Walk *w, const CXLMember *m, CXLDirectRange r)
{
    uint64_t len = r.len;
    CXLMemSpan any;

    m->ops->span(m->device, r.dpa, len, false, &any);
    r.len = any.memory ? 0 : ROUND_DOWN(any.len, w->page);
    walk_tell(w, r);
    r.hpa += r.len;
    r.dpa += r.len;
    r.len = len - r.len;
    r.why = CXL_MEMORY_TRAP_PARTIAL_PAGE;
    walk_tell(w, r);
}

static void walk_part(Walk *w, CXLFixedWindow *fw, const CXLPart *part)
{
    const CXLSetShape *shape = &part->shape;
    const CXLSet *s = part->set;
    uint64_t len = part->end - part->hpa, end = len, at = 0;
    uint64_t told = !w->tell ? len : w->from < part->hpa ? 0 :
                    ROUND_DOWN(MIN(w->from - part->hpa, len), w->page);
    uint64_t refused = w->refused;
    const CXLMember *one = shape->ways == 1 ? shape->member : NULL;
    CxlMemoryTrap why = part->why;
    unsigned ranges = 0;

    if (s) {
        /* While bytes move, what is mapped grows: DMA gets it at the end */
        uint64_t rows = w->mapped && s->moved < s->rows ? 0 : s->moved;

        end = ROUND_DOWN(rows * shape->ways * shape->granularity, w->page);
        why = CXL_MEMORY_TRAP_MOVING;
    } else if (!one) {
        end = 0;
    }
    while (at < end && !w->stop) {
        CXLDirectRange r = walk_range(w, part, at, end);

        if (ranges++ >= RANGES_MAX) {
            why = CXL_MEMORY_TRAP_BUDGET;
            break;
        }
        r.fw = fw;
        if (r.direct) {
            walk_add_piece(w, &r, shape);
        }
        if (w->tell && one && r.why == CXL_MEMORY_TRAP_NOT_ACCEPTED) {
            walk_tell_gap(w, one, r);
        } else {
            walk_tell(w, r);
        }
        at += r.len;
        /* What was refused here would be refused to all behind it */
        if (w->refused > refused && at < told) {
            at = told;
        }
    }
    at = MIN(at, end);
    walk_tell(w, (CXLDirectRange) {
        .hpa = part->hpa + at, .len = len - at,
        .device = one ? one->device : part->device,
        .dpa = one ? one->dpa + at : 0,
        .interleaved = part->interleaved, .why = why,
    });
}

static void walk_window(Walk *w, CXLFixedWindow *fw)
{
    for (guint i = 0; i < fw->parts->len && !w->stop; i++) {
        walk_part(w, fw, &g_array_index(fw->parts, CXLPart, i));
    }
}

GArray *cxl_direct_plan(const CXLDirect *d)
{
    Walk w;

    walk_init(&w, d);
    for (GList *it = d->state->fixed_windows; it; it = it->next) {
        walk_window(&w, it->data);
    }
    trace_cxl_direct_plan(w.pieces->len, w.asked);
    g_hash_table_destroy(w.spent);
    return w.pieces;
}

void cxl_direct_explain(CXLFixedWindow *only, hwaddr from, CXLDirectRangeFn *fn,
                        void *opaque)
{
    Walk w;

    /* All windows before it as well: they spend from the same budgets */
    walk_init(&w, only->state->direct);
    w.from = from;
    w.opaque = opaque;
    for (GList *it = only->state->fixed_windows; it && !w.tell; it = it->next) {
        w.tell = it->data == only ? fn : NULL;
        walk_window(&w, it->data);
    }
    g_hash_table_destroy(w.spent);
    g_array_free(w.pieces, TRUE);
}
