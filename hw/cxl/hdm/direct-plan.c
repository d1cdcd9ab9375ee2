/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Direct mapping of CXL memory: which parts of the windows can be plain RAM,
 * and why the rest cannot, see hdm-internal.h
 */
#include "qemu/osdep.h"
#include "exec/target_page.h"
#include "hdm-internal.h"
#include "trace/trace-hw_cxl.h"

/* Decoders begin and end at multiples of it: inside, only interleave varies */
#define UNIT CXL_HDM_GRANULE

/*
 * Interleaved memory is RAM where all devices have RAM.  Should they hold a
 * million extents each and share none, nothing would be mapped and all of it
 * be looked at: so there is an end to what is looked at, for all windows.
 */
#define ROWS_MAX (16 * CXL_DIRECT_PIECES_MAX)

/**
 * struct Walk - one pass over the windows
 * @pieces: CXLDirectPiece found so far
 * @spent: how many of them each device has
 * @slots: how many there may be in all
 * @page: what is mapped begins and ends at multiples of it
 * @dynamic: dynamic capacity as well
 * @mapped: pieces that DMA may go to, NULL if none may; what they begin and end
 *   with stays what it is: DMA fails while a piece is mapped anew
 * @rows: ranges of rows seen so far
 * @asked: how often a device was asked what becomes of some of its memory
 * @refused: pieces that there was no room for
 * @tell: to be told everything from @from on, or NULL
 * @stop: nobody wants to hear more
 */
typedef struct Walk {
    GArray *pieces;
    GHashTable *spent;
    uint64_t slots;
    uint64_t page;
    bool dynamic;
    const GArray *mapped;
    unsigned rows;
    uint64_t asked;
    uint64_t refused;
    CXLDirectFateFn *tell;
    hwaddr from;
    void *opaque;
    bool stop;
} Walk;

static void walk_init(Walk *w, const CXLState *state, bool dynamic)
{
    *w = (Walk) {
        .pieces = g_array_new(false, false, sizeof(CXLDirectPiece)),
        .spent = g_hash_table_new(NULL, NULL),
        .slots = cxl_direct_slots(state),
        .page = MAX(qemu_real_host_page_size(), qemu_target_page_size()),
        .dynamic = dynamic,
        .mapped = ram_block_discard_is_disabled() ? state->direct->mapped
                                                  : NULL,
    };
}

/* The first address behind @hpa where a mapped piece begins or ends */
static hwaddr walk_edge(const Walk *w, hwaddr hpa)
{
    guint low = 0, high = w->mapped ? w->mapped->len : 0;
    const CXLDirectPiece *old;

    while (low < high) {
        guint mid = (low + high) / 2;

        old = &g_array_index(w->mapped, CXLDirectPiece, mid);
        if (old->hpa + old->len <= hpa) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    if (!w->mapped || low == w->mapped->len) {
        return HWADDR_MAX;
    }
    old = &g_array_index(w->mapped, CXLDirectPiece, low);
    return old->hpa > hpa ? old->hpa : old->hpa + old->len;
}

static uint32_t spent(Walk *w, CXLMemTarget *d)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(w->spent, d));
}

static void spend(Walk *w, CXLMemTarget *d)
{
    g_hash_table_insert(w->spent, d, GUINT_TO_POINTER(spent(w, d) + 1));
}

static void tell(Walk *w, CXLDirectFate fate)
{
    uint64_t below = w->from > fate.hpa ? w->from - fate.hpa : 0;

    if (w->tell && fate.len > below && !w->stop) {
        fate.hpa += below;
        fate.dpa += below;
        fate.len -= below;
        w->stop = !w->tell(w->opaque, &fate);
    }
}

static void traps(Walk *w, CXLMemTarget *d, hwaddr hpa, uint64_t len,
                  uint64_t dpa, CxlMemoryTrap why)
{
    tell(w, (CXLDirectFate) {
        .hpa = hpa, .len = len, .device = d, .dpa = dpa, .why = why,
    });
}

/* Joins it to the piece before it if memory goes on there */
static bool extends(Walk *w, const CXLDirectPiece *p)
{
    CXLDirectPiece *last;

    if (!w->pieces->len) {
        return false;
    }
    last = &g_array_index(w->pieces, CXLDirectPiece, w->pieces->len - 1);
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

/* Whose limit is 0, or does not allow @pieces more */
static bool any_limit(Walk *w, const CXLMember *m, unsigned n, unsigned pieces,
                      CXLMemTarget **who)
{
    for (unsigned i = 0; i < n; i++) {
        uint32_t limit = m[i].ops->map_limit(m[i].device);

        if (!limit || (uint64_t)spent(w, m[i].device) + pieces > limit) {
            *who = m[i].device;
            return true;
        }
    }
    return false;
}

static void append_piece(Walk *w, const CXLDirectPiece *p, const CXLMember *m,
                         unsigned n)
{
    g_array_append_val(w->pieces, *p);
    for (unsigned i = 0; i < n; i++) {
        spend(w, m[i].device);
    }
}

/*
 * In parts, so that what is mapped of it stays as it is.  Where that would take
 * more pieces than there may be, DMA has to do with a moment's failure.
 */
static void append_parts(Walk *w, const CXLDirectPiece *p, const CXLMember *m,
                         unsigned n)
{
    hwaddr end = p->hpa + p->len;
    CXLDirectPiece part = *p;
    unsigned parts = 0;
    CXLMemTarget *who;

    for (hwaddr at = p->hpa; at < end; at = walk_edge(w, at)) {
        parts++;
    }
    if (w->pieces->len + parts > w->slots || any_limit(w, m, n, parts, &who)) {
        append_piece(w, p, m, n);
        return;
    }
    for (; part.hpa < end; part.hpa += part.len, part.offset += part.len) {
        part.len = MIN(walk_edge(w, part.hpa), end) - part.hpa;
        append_piece(w, &part, m, n);
    }
}

/*
 * The piece spends from the budgets of all @n members.
 *
 * Return: false with @why if it has to trap, because of @who
 */
static bool add_piece(Walk *w, const CXLDirectPiece *p, const CXLMember *m,
                      unsigned n, CxlMemoryTrap *why, CXLMemTarget **who)
{
    *who = m[0].device;
    /*
     * Of a guest_memfd, KVM would give the guest pages that the device does
     * not see: what sanitize, poison or a release does would not reach them.
     * By traps a confidential guest shares this memory, as with any device.
     * Where there is no guest_memfd (SEV, SEV-ES) memory is mapped as other
     * RAM is, and dynamic capacity is pinned by the base.
     */
    if (memory_region_has_guest_memfd(p->mr)) {
        *why = CXL_MEMORY_TRAP_CONFIDENTIAL;
    } else if (any_limit(w, m, n, 0, who)) {
        *why = CXL_MEMORY_TRAP_SWITCHED_OFF;
    } else if (p->dynamic && !w->dynamic) {
        *why = CXL_MEMORY_TRAP_PINNED;
    } else if (extends(w, p)) {
        return true;
    } else if (any_limit(w, m, n, 1, who)) {
        *why = CXL_MEMORY_TRAP_BUDGET;
    } else if (w->pieces->len >= w->slots) {
        *why = CXL_MEMORY_TRAP_NO_SLOTS;
    } else {
        append_parts(w, p, m, n);
        return true;
    }
    w->refused++;
    if (!w->tell) {
        trace_cxl_direct_refused(p->hpa, p->len, DEVICE(*who)->id,
                                 CxlMemoryTrap_str(*why),
                                 CXL_MEM_TARGET_GET_CLASS(*who)->map_limit(
                                     *who), w->slots);
    }
    return false;
}

/* A span that may be mapped, as far as it is whole pages */
static void memory_span(Walk *w, CXLFixedWindow *fw, hwaddr hpa,
                        const CXLRoute *route, uint64_t dpa,
                        const CXLMemSpan *span)
{
    CXLMemTarget *d = route->device;
    hwaddr from = ROUND_UP(hpa, w->page);
    hwaddr to = ROUND_DOWN(hpa + span->len, w->page);
    CXLDirectPiece p = {
        .fw = fw, .hpa = from, .device = d, .mr = span->mr,
        .offset = span->offset + (from - hpa), .dynamic = span->dynamic,
    };
    CxlMemoryTrap why = CXL_MEMORY_TRAP_PARTIAL_PAGE;
    CXLMember m = { .device = d, .ops = route->ops };
    CXLMemTarget *who;

    if (from >= to || p.offset % w->page) {
        traps(w, d, hpa, span->len, dpa, why);
        return;
    }
    p.len = to - from;
    traps(w, d, hpa, from - hpa, dpa, why);
    if (add_piece(w, &p, &m, 1, &why, &who)) {
        tell(w, (CXLDirectFate) {
            .hpa = from, .len = p.len, .device = d, .dpa = dpa + (from - hpa),
            .direct = true,
        });
    } else {
        traps(w, d, from, p.len, dpa + (from - hpa), why);
    }
    traps(w, d, to, hpa + span->len - to, dpa + (to - hpa),
          CXL_MEMORY_TRAP_PARTIAL_PAGE);
}

/* DPAs in one row */
static void linear(Walk *w, CXLFixedWindow *fw, hwaddr hpa, hwaddr end,
                   const CXLRoute *route, uint64_t dpa)
{
    uint64_t refused = w->refused;

    while (hpa < end && !w->stop) {
        hwaddr quiet = w->tell ? ROUND_DOWN(w->from, w->page) : end;
        bool whole_pages = hpa < quiet;
        CXLMemSpan span;

        w->asked++;
        route->ops->span(route->device, dpa,
                         (whole_pages ? MIN(end, quiet) : end) - hpa,
                         whole_pages, &span);
        if (span.mr && span.in_set) {
            traps(w, route->device, hpa, span.len, dpa,
                  CXL_MEMORY_TRAP_MOVING);
        } else if (span.mr) {
            memory_span(w, fw, hpa, route, dpa, &span);
        } else {
            traps(w, route->device, hpa, span.len, dpa, span.why);
        }
        hpa += span.len;
        dpa += span.len;
        /* What was refused here would be refused to all behind it */
        if (w->refused > refused && hpa < quiet) {
            dpa += MIN(end, quiet) - hpa;
            hpa = MIN(end, quiet);
        }
    }
}

/* Rows that are in guest order already may be mapped */
static void set_rows(Walk *w, const CXLSpread *s)
{
    const CXLSetShape *shape = &s->set->shape;
    /* While bytes move, what is mapped grows: DMA gets all of it at the end */
    uint64_t rows_moved = w->mapped && s->set->moved < s->set->rows ?
                          0 : s->set->moved;
    uint64_t end = ROUND_DOWN(rows_moved * shape->ways * shape->granularity,
                              w->page);
    uint64_t refused = w->refused, at = 0;

    while (at < end && !w->stop) {
        CXLRows rows = cxl_rows(s->set, at, end, w->page);
        CXLDirectPiece p = {
            .fw = s->fw, .hpa = s->hpa + at, .len = rows.len,
            .mr = &s->set->ram, .offset = at, .dynamic = rows.dynamic,
        };
        CXLDirectFate fate = {
            .hpa = p.hpa, .len = rows.len, .device = rows.device,
            .interleaved = true, .why = rows.why,
        };

        w->asked += shape->ways;
        if (w->rows++ >= ROWS_MAX) {
            traps(w, NULL, p.hpa, s->end - p.hpa, 0, CXL_MEMORY_TRAP_BUDGET);
            return;
        }
        if (rows.direct) {
            fate.direct = add_piece(w, &p, shape->member, shape->ways,
                                    &fate.why, &fate.device);
            if (fate.direct) {
                fate.device = NULL;
            }
        }
        tell(w, fate);
        /* As in linear() */
        if (w->refused > refused && !w->tell) {
            return;
        }
        at += rows.len;
    }
    traps(w, NULL, s->hpa + end, s->end - (s->hpa + end), 0,
          CXL_MEMORY_TRAP_MOVING);
}

/* All of the range goes one way: what do the device's decoders make of it? */
static void device_range(Walk *w, CXLFixedWindow *fw, hwaddr hpa, hwaddr end,
                         const CXLRoute *route)
{
    const uint32_t *regs = route->ops->hdm_registers(route->device);
    uint64_t refused = w->refused;

    while (hpa < end && !w->stop && (w->tell || w->refused == refused)) {
        hwaddr stop = MIN(end, ROUND_DOWN(hpa, UNIT) + UNIT);
        CXLHDMDecoder dec;
        uint64_t dpa;

        if (!cxl_hdm_hpa_to_dpa(regs, hpa, &dpa, &dec)) {
            traps(w, route->device, hpa, stop - hpa, 0,
                  CXL_MEMORY_TRAP_NOT_DECODED);
        } else if (dec.ways > 1) {
            tell(w, (CXLDirectFate) {
                .hpa = hpa, .len = stop - hpa, .interleaved = true,
                .why = CXL_MEMORY_TRAP_INTERLEAVED,
            });
        } else {
            linear(w, fw, hpa, stop, route, dpa);
        }
        hpa = stop;
    }
}

static void window(Walk *w, CXLFixedWindow *fw)
{
    hwaddr end = fw->base + fw->size;
    hwaddr hpa = fw->base;

    while (hpa < end && !w->stop) {
        CXLRoute route = cxl_route_hpa(fw, hpa);
        hwaddr stop = route.end;

        if (route.ways > 1) {
            const CXLSpread *s = cxl_spread_at(fw->state, fw, hpa);

            stop = s->end;
            if (s->set) {
                set_rows(w, s);
            } else {
                tell(w, (CXLDirectFate) {
                    .hpa = hpa, .len = stop - hpa, .device = s->device,
                    .interleaved = true, .why = s->why,
                });
            }
        } else if (route.device) {
            device_range(w, fw, hpa, stop, &route);
        } else {
            traps(w, NULL, hpa, stop - hpa, 0, CXL_MEMORY_TRAP_NO_DEVICE);
        }
        hpa = stop;
    }
}

GArray *cxl_direct_plan(const CXLState *state, bool dynamic)
{
    Walk w;

    walk_init(&w, state, dynamic);
    for (GList *it = state->fixed_windows; it; it = it->next) {
        window(&w, it->data);
    }
    trace_cxl_direct_plan(w.pieces->len, w.asked);
    g_hash_table_destroy(w.spent);
    return w.pieces;
}

void cxl_direct_explain(CXLFixedWindow *only, hwaddr from, CXLDirectFateFn *fn,
                        void *opaque)
{
    const CXLState *state = only->state;
    Walk w;

    /* All windows before it as well: they spend from the same budgets */
    walk_init(&w, state, cxl_direct_may_map_dynamic(state));
    w.from = from;
    w.opaque = opaque;
    for (GList *it = state->fixed_windows; it; it = it->next) {
        w.tell = it->data == only ? fn : NULL;
        window(&w, it->data);
        if (it->data == only) {
            break;
        }
    }
    g_hash_table_destroy(w.spent);
    g_array_free(w.pieces, TRUE);
}
