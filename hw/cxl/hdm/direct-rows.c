/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Direct mapping of interleaved memory: which devices take part in a range,
 * and which rows of it, one chunk on each of them, are RAM on all of them, see
 * hdm-internal.h.  CXL r3.2 sections 9.13.1 and 9.18.1.3.
 *
 * Nothing here takes the decoders of two levels or devices to agree: each
 * chunk of a period is routed as an access to it would be.
 */
#include "qemu/osdep.h"
#include "hdm-internal.h"

/* -- who takes part ------------------------------------------------------- */

/*
 * The end of what @dec decodes from @hpa on.  A decoder before it in the list
 * takes precedence where it begins, should software have made them overlap.
 */
static hwaddr decoder_end(const uint32_t *regs, const CXLHDMDecoder *dec,
                          hwaddr hpa, hwaddr end)
{
    if (end - dec->base > dec->size) {
        end = dec->base + dec->size;
    }
    for (unsigned i = 0; i < dec->index; i++) {
        CXLHDMDecoder other;

        cxl_hdm_get(regs, i, &other);
        if (other.base > hpa) {
            end = MIN(end, other.base);
        }
    }
    return end;
}

/* Return: its number, negative if there is no room */
static int member_get(CXLShape *s, const CXLRoute *route, hwaddr hpa,
                      uint64_t dpa, const CXLHDMDecoder *dec)
{
    for (unsigned i = 0; i < s->nr; i++) {
        if (s->member[i].device == route->device) {
            return s->member[i].base == dec->base ? i : -1;
        }
    }
    if (s->nr == CXL_LEGS_MAX) {
        return -1;
    }
    s->member[s->nr] = (CXLMember) {
        .device = route->device,
        .ops = route->ops,
        .base = dec->base,
        .ways = dec->ways,
        .granularity = dec->granularity,
        .dpa = dpa - cxl_interleave_dpa_offset(hpa - dec->base, dec->ways,
                                               dec->granularity),
    };
    return s->nr++;
}

/*
 * Follows one period in steps of @s->chunk, and finds out if smaller ones are
 * taken.  If one chunk of a period can not be mapped, no row can, for as long
 * as the decoders on its own way stay the same.
 */
static bool follow(CXLFixedWindow *fw, hwaddr hpa, hwaddr end, unsigned page,
                   CXLShape *s, CxlMemoryTrap *why)
{
    unsigned step = s->chunk;

    s->nr = 0;
    s->end = end;
    for (hwaddr at = hpa; at - hpa < CXL_PERIOD; at += step) {
        CXLRoute route = cxl_route_hpa(fw, at);
        const uint32_t *regs;
        CXLHDMDecoder dec;
        hwaddr stop = MIN(end, route.end);
        uint64_t dpa;
        int leg;

        if (!route.device) {
            *why = CXL_MEMORY_TRAP_NO_DEVICE;
            s->end = stop;
            return false;
        }
        regs = route.ops->hdm_registers(route.device);
        if (!cxl_hdm_hpa_to_dpa(regs, at, &dpa, &dec)) {
            *why = CXL_MEMORY_TRAP_NOT_DECODED;
            /* Decoders begin and end at multiples of it */
            s->end = MIN(stop, ROUND_DOWN(at, CXL_HDM_GRANULE) +
                         CXL_HDM_GRANULE);
            return false;
        }
        stop = decoder_end(regs, &dec, at, stop);
        s->chunk = MIN(s->chunk, route.chunk);
        if (dec.ways > 1) {
            s->chunk = MIN(s->chunk, dec.granularity);
        }
        if (s->chunk < page) {
            *why = CXL_MEMORY_TRAP_SMALL_CHUNKS;
            s->end = stop;
            return false;
        }
        s->end = MIN(s->end, stop);
        leg = member_get(s, &route, at, dpa, &dec);
        if (leg < 0) {
            *why = CXL_MEMORY_TRAP_INTERLEAVED;
            return false;
        }
        s->leg_of[at / step % CXL_CHUNKS(step)] = leg;
    }
    return true;
}

bool cxl_shape_get(CXLFixedWindow *fw, hwaddr hpa, hwaddr end, unsigned page,
                   CXLShape *s, CxlMemoryTrap *why)
{
    unsigned step;

    s->chunk = CXL_CHUNK_MAX;
    do {
        step = s->chunk;
        if (!follow(fw, hpa, end, page, s, why)) {
            return false;
        }
    } while (s->chunk < step);
    if (hpa % CXL_CHUNK_MAX || s->end - hpa < CXL_PERIOD) {
        /* A window that does not begin as decoders do */
        *why = CXL_MEMORY_TRAP_INTERLEAVED;
        return false;
    }
    return true;
}

/* -- which rows ----------------------------------------------------------- */

/**
 * struct MemberRows - what one member makes of the rows from an address on
 * @end: first address with another fate, may be beyond the range
 * @offset: as in CXLLeg
 */
typedef struct MemberRows {
    hwaddr end;
    MemoryRegion *mr;
    uint64_t offset;
    CxlMemoryTrap why;
} MemberRows;

static MemberRows member_rows(const CXLMember *m, hwaddr hpa, hwaddr end,
                              unsigned page, bool why)
{
    /* Without interleave of its own any row will do */
    uint64_t chunk = m->ways > 1 ? m->granularity : page;
    uint64_t row = chunk * m->ways;
    uint64_t n = (hpa - m->base) / row;
    hwaddr from = m->base + n * row;
    uint64_t dpa = m->dpa + n * chunk;
    /* Guests choose where decoders begin: DPAs may wrap */
    uint64_t len = MIN(DIV_ROUND_UP(end - from, row) * chunk - 1,
                       UINT64_MAX - dpa) + 1;
    MemberRows r;
    CXLMemSpan span;

    m->ops->span(m->device, dpa, len, !why, &span);
    r.mr = span.mr;
    r.offset = span.offset - n * chunk;
    r.why = span.why;
    r.end = from + DIV_ROUND_UP(span.len, chunk) * row;
    if (span.mr && span.offset % page) {
        r.mr = NULL;
        r.why = CXL_MEMORY_TRAP_PARTIAL_PAGE;
    } else if (span.mr && span.len < chunk) {
        /* A row ends in something else: what? */
        m->ops->span(m->device, dpa + span.len, chunk - span.len, false,
                     &span);
        r.mr = NULL;
        r.why = span.mr ? CXL_MEMORY_TRAP_PARTIAL_PAGE : span.why;
        r.end = from + row;
    } else if (span.mr) {
        r.end = from + span.len / chunk * row;
    }
    return r;
}

CXLRows cxl_rows(const CXLShape *s, hwaddr hpa, unsigned page, bool why)
{
    CXLPattern *p = g_atomic_rc_box_alloc0(sizeof(*p) +
                                           s->nr * sizeof(p->leg[0]) +
                                           CXL_CHUNKS(s->chunk));
    hwaddr direct = s->end, traps = hpa;
    CXLRows rows = { 0 };

    p->chunk = s->chunk;
    p->leg_of = (uint8_t *)&p->leg[s->nr];
    memcpy(p->leg_of, s->leg_of, CXL_CHUNKS(s->chunk));
    for (unsigned i = 0; i < s->nr; i++) {
        const CXLMember *m = &s->member[i];
        MemberRows r = member_rows(m, hpa, s->end, page, why);

        if (r.mr) {
            direct = MIN(direct, r.end);
        } else if (MIN(r.end, s->end) > traps) {
            traps = MIN(r.end, s->end);
            rows.device = m->device;
            rows.why = r.why;
        }
        p->leg[i] = (CXLLeg) {
            .mr = r.mr,
            .base = m->base,
            .ways = m->ways,
            .granularity = m->granularity,
            .offset = r.offset,
        };
    }
    if (rows.device) {
        rows.len = traps - hpa;
        cxl_pattern_unref(p);
        return rows;
    }
    for (unsigned i = 0; i < s->nr; i++) {
        memory_region_ref(p->leg[i].mr);
    }
    p->nr_legs = s->nr;
    rows.pattern = p;
    rows.len = direct - hpa;
    return rows;
}

/* -- patterns ------------------------------------------------------------- */

static void pattern_clear(gpointer opaque)
{
    CXLPattern *p = opaque;

    for (unsigned i = 0; i < p->nr_legs; i++) {
        memory_region_unref(p->leg[i].mr);
    }
}

CXLPattern *cxl_pattern_ref(CXLPattern *p)
{
    return p ? g_atomic_rc_box_acquire(p) : NULL;
}

void cxl_pattern_unref(CXLPattern *p)
{
    if (p) {
        g_atomic_rc_box_release_full(p, pattern_clear);
    }
}

static bool leg_same(const CXLLeg *a, const CXLLeg *b)
{
    return a->mr == b->mr && a->base == b->base && a->ways == b->ways &&
           a->granularity == b->granularity && a->offset == b->offset;
}

bool cxl_pattern_same(const CXLPattern *a, const CXLPattern *b)
{
    if (a == b) {
        return true;
    }
    if (!a || !b || a->chunk != b->chunk || a->nr_legs != b->nr_legs ||
        memcmp(a->leg_of, b->leg_of, CXL_CHUNKS(a->chunk))) {
        return false;
    }
    for (unsigned i = 0; i < a->nr_legs; i++) {
        if (!leg_same(&a->leg[i], &b->leg[i])) {
            return false;
        }
    }
    return true;
}
