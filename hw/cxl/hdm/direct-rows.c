/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Direct mapping of interleaved memory: which pages of a set are RAM, because
 * all bytes in them are RAM on the devices that they belong to, see
 * hdm-internal.h
 */
#include "qemu/osdep.h"
#include "hdm-internal.h"

/* The first byte of member @k at @at or behind it: offset in its part */
static uint64_t part_from(const CXLSetShape *s, unsigned k, uint64_t at)
{
    uint64_t g = s->granularity, n = at / (s->ways * g);
    uint64_t in_row = at % (s->ways * g);

    return n * g + (in_row < k * g ? 0 : MIN(in_row - k * g, g));
}

static uint64_t in_set(const CXLSetShape *s, unsigned k, uint64_t part)
{
    return cxl_interleave_hpa_offset(part, k, s->ways, s->granularity);
}

/* What traps in the midst of pages?  Those are asked for that are too small */
static CxlMemoryTrap reason(const CXLMember *m, uint64_t part, uint64_t len)
{
    CXLMemSpan span;

    m->ops->span(m->device, m->dpa + part, len, false, &span);
    return span.memory ? CXL_MEMORY_TRAP_PARTIAL_PAGE : span.why;
}

/*
 * What is between two bytes of one member that trap traps as well: chunks of
 * the others would be pieces by themselves.
 */
CXLDirectFate cxl_rows(const CXLSet *set, uint64_t at, uint64_t end,
                       unsigned page)
{
    const CXLSetShape *s = &set->shape;
    uint64_t good = end, bad = at;
    CXLDirectFate rows = { .interleaved = true };

    for (unsigned k = 0; k < s->ways; k++) {
        const CXLMember *m = &s->member[k];
        uint64_t part = part_from(s, k, at);
        uint64_t left = part_from(s, k, end) - part, from, to;
        CXLMemSpan span;

        if (!left) {
            continue;
        }
        m->ops->span(m->device, m->dpa + part, left, true, &span);
        from = in_set(s, k, part);
        to = span.len == left ? end : in_set(s, k, part + span.len - 1) + 1;
        if (span.memory == m->medium.memory &&
            span.offset == m->medium.offset + part) {
            rows.dynamic |= span.dynamic;
            if (span.len == left) {
                continue;
            }
            part += span.len;
            left -= span.len;
            from = in_set(s, k, part);
            to = from + 1;
        }
        if (from >= at + page) {
            good = MIN(good, from);
        } else if (MIN(ROUND_UP(to, page), end) > bad) {
            bad = MIN(ROUND_UP(to, page), end);
            rows.device = m->device;
            rows.why = reason(m, part, left);
        }
    }
    rows.direct = bad == at;
    rows.len = (rows.direct ? ROUND_DOWN(good, page) : bad) - at;
    return rows;
}
