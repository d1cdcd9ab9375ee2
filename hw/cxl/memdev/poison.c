/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Poison of a medium, see poison.h (CXL r3.2 8.2.10.9.4)
 *
 * A sorted array of bounded length.  Search is binary, a change moves the tail.
 */
#include "qemu/osdep.h"
#include "migration/vmstate-checked.h"
#include "hw/cxl/memdev/poison.h"

static bool poison_in_lines(uint64_t dpa, uint64_t len)
{
    return QEMU_IS_ALIGNED(dpa | len, CXL_POISON_LINE) &&
           (!len || dpa + (len - 1) >= dpa);
}

/* Last byte; ranges never wrap, but one may end at the top of the space */
static uint64_t poison_last_of(const CXLPoisonRange *r)
{
    return r->dpa + (r->len - 1);
}

/* Index of the first range whose last byte is @dpa or above; n if none */
static uint32_t poison_lower_bound(const CXLPoison *p, uint64_t dpa)
{
    uint32_t lo = 0, hi = p->n;

    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;

        if (poison_last_of(&p->range[mid]) < dpa) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

static void poison_insert_at(CXLPoison *p, uint32_t i, const CXLPoisonRange *r)
{
    g_assert(p->n < CXL_POISON_RANGES_MAX);
    if (p->n == p->allocated) {
        p->allocated = MAX(16, p->allocated * 2);
        p->range = g_renew(CXLPoisonRange, p->range, p->allocated);
    }
    memmove(&p->range[i + 1], &p->range[i],
            (p->n - i) * sizeof(p->range[0]));
    p->range[i] = *r;
    p->n++;
    p->n_listed += r->listed;
}

static void poison_remove_at(CXLPoison *p, uint32_t i)
{
    p->n_listed -= p->range[i].listed;
    p->n--;
    memmove(&p->range[i], &p->range[i + 1],
            (p->n - i) * sizeof(p->range[0]));
}

static void poison_note_overflow(CXLPoison *p)
{
    if (!p->overflowed) {
        p->overflowed = true;
        p->overflow_ns = p->clock ? cxl_timestamp_get(p->clock) : 0;
    }
}

static void poison_end_overflow_if_all_listed(CXLPoison *p)
{
    if (p->n == p->n_listed) {
        p->overflowed = false;
        p->overflow_ns = 0;
    }
}

void cxl_poison_init(CXLPoison *p, uint32_t limit, const CXLTimestamp *clock)
{
    *p = (CXLPoison) { .limit = limit, .clock = clock };
}

static void poison_drop_all(CXLPoison *p)
{
    g_clear_pointer(&p->range, g_free);
    p->n = p->allocated = p->n_listed = 0;
    poison_end_overflow_if_all_listed(p);
}

static void poison_changed(const CXLPoison *p)
{
    if (p->changed) {
        p->changed(p->opaque);
    }
}

void cxl_poison_forget(CXLPoison *p)
{
    poison_drop_all(p);
    poison_changed(p);
}

void cxl_poison_destroy(CXLPoison *p)
{
    poison_drop_all(p);
    p->frozen = false;
}

bool cxl_poison_hits(const CXLPoison *p, uint64_t dpa, uint64_t len)
{
    uint32_t i;

    if (!p->n || !len) {
        return false;
    }
    i = poison_lower_bound(p, dpa);
    return i < p->n &&
           (p->range[i].dpa <= dpa || p->range[i].dpa - dpa < len);
}

bool cxl_poison_piece(const CXLPoison *p, uint64_t dpa, uint64_t len,
                      CXLPoisonRange *out)
{
    uint64_t last;

    if (!cxl_poison_hits(p, dpa, len)) {
        return false;
    }
    *out = p->range[poison_lower_bound(p, dpa)];
    last = MIN(poison_last_of(out), dpa + (len - 1));
    out->dpa = MAX(out->dpa, dpa);
    out->len = last - out->dpa + 1;
    return true;
}

CXLPoisonResult cxl_poison_found(CXLPoison *p, uint64_t dpa, uint64_t len,
                                 CXLPoisonSource source)
{
    CXLPoisonRange r = { .dpa = dpa, .len = len, .source = source };

    if (!poison_in_lines(dpa, len)) {
        return CXL_POISON_BAD_RANGE;
    }
    if (!len) {
        return CXL_POISON_DONE;
    }
    if (cxl_poison_hits(p, dpa, len)) {
        return CXL_POISON_ALREADY;
    }
    if (p->n == CXL_POISON_RANGES_MAX) {
        return CXL_POISON_FULL;
    }
    r.listed = p->n_listed < p->limit;
    if (!r.listed) {
        poison_note_overflow(p);
    }
    poison_insert_at(p, poison_lower_bound(p, dpa), &r);
    poison_changed(p);
    return CXL_POISON_DONE;
}

CXLPoisonResult cxl_poison_inject(CXLPoison *p, uint64_t dpa)
{
    if (!poison_in_lines(dpa, CXL_POISON_LINE)) {
        return CXL_POISON_BAD_RANGE;
    }
    if (p->frozen) {
        return CXL_POISON_FROZEN;
    }
    if (cxl_poison_hits(p, dpa, CXL_POISON_LINE)) {
        return CXL_POISON_ALREADY;
    }
    if (p->n_listed >= p->limit) {
        return CXL_POISON_FULL;
    }
    return cxl_poison_found(p, dpa, CXL_POISON_LINE, CXL_POISON_INJECTED);
}

/* Take @dpa to @dpa + @len out of the range at @i, which it overlaps */
static void poison_cut(CXLPoison *p, uint32_t i, uint64_t dpa, uint64_t len)
{
    CXLPoisonRange old = p->range[i], low = old, high = old;

    poison_remove_at(p, i);
    if (old.dpa < dpa) {
        low.len = dpa - old.dpa;
        poison_insert_at(p, i++, &low);
    }
    if (poison_last_of(&old) - dpa >= len) {
        high.dpa = dpa + len;
        high.len = poison_last_of(&old) - high.dpa + 1;
        high.listed = old.listed && p->n_listed < p->limit;
        if (old.listed && !high.listed) {
            poison_note_overflow(p);
        }
        poison_insert_at(p, i, &high);
    }
}

bool cxl_poison_can_wipe(const CXLPoison *p, uint64_t dpa, uint64_t len)
{
    const CXLPoisonRange *r;

    if (p->n < CXL_POISON_RANGES_MAX || !cxl_poison_hits(p, dpa, len)) {
        return true;
    }
    r = &p->range[poison_lower_bound(p, dpa)];
    return r->dpa >= dpa || poison_last_of(r) - dpa < len;
}

bool cxl_poison_wipe(CXLPoison *p, uint64_t dpa, uint64_t len)
{
    g_assert(poison_in_lines(dpa, len));
    if (!cxl_poison_can_wipe(p, dpa, len)) {
        return false;
    }
    while (cxl_poison_hits(p, dpa, len)) {
        poison_cut(p, poison_lower_bound(p, dpa), dpa, len);
    }
    poison_end_overflow_if_all_listed(p);
    poison_changed(p);
    return true;
}

CXLPoisonResult cxl_poison_clear(CXLPoison *p, uint64_t dpa)
{
    if (!poison_in_lines(dpa, CXL_POISON_LINE)) {
        return CXL_POISON_BAD_RANGE;
    }
    if (p->frozen) {
        return CXL_POISON_FROZEN;
    }
    return cxl_poison_wipe(p, dpa, CXL_POISON_LINE) ? CXL_POISON_DONE :
                                                      CXL_POISON_FULL;
}

bool cxl_poison_next(const CXLPoison *p, uint64_t from, CXLPoisonRange *out)
{
    uint32_t i;

    for (i = poison_lower_bound(p, from); i < p->n; i++) {
        if (p->range[i].listed) {
            *out = p->range[i];
            if (out->dpa < from) {
                out->len -= from - out->dpa;
                out->dpa = from;
            }
            return true;
        }
    }
    return false;
}

bool cxl_poison_unlisted(const CXLPoison *p, uint64_t dpa, uint64_t len,
                         uint64_t *at)
{
    uint32_t i;

    if (!len || p->n == p->n_listed) {
        return false;
    }
    for (i = poison_lower_bound(p, dpa); i < p->n; i++) {
        const CXLPoisonRange *r = &p->range[i];

        if (r->dpa > dpa && r->dpa - dpa >= len) {
            break;
        }
        if (!r->listed) {
            *at = MAX(r->dpa, dpa);
            return true;
        }
    }
    return false;
}

uint32_t cxl_poison_scan(CXLPoison *p, uint64_t dpa, uint64_t len)
{
    uint32_t before = p->n_listed;
    uint32_t i;

    if (!len) {
        return 0;
    }
    for (i = poison_lower_bound(p, dpa); i < p->n && p->n_listed < p->limit;
         i++) {
        CXLPoisonRange *r = &p->range[i];

        if (r->dpa > dpa && r->dpa - dpa >= len) {
            break;
        }
        if (!r->listed) {
            r->listed = true;
            p->n_listed++;
        }
    }
    poison_end_overflow_if_all_listed(p);
    return p->n_listed - before;
}

static int cxl_poison_pre_load(void *opaque)
{
    poison_drop_all(opaque);
    return 0;
}

static int cxl_poison_post_load(void *opaque, int version_id)
{
    CXLPoison *p = opaque;
    uint32_t i, listed = 0;

    p->allocated = p->n;
    for (i = 0; i < p->n; i++) {
        const CXLPoisonRange *r = &p->range[i];

        if (!r->len || !poison_in_lines(r->dpa, r->len) ||
            (i && poison_last_of(r - 1) >= r->dpa)) {
            poison_drop_all(p);
            return -EINVAL;
        }
        listed += r->listed;
    }
    if (listed > p->limit) {
        poison_drop_all(p);
        return -EINVAL;
    }
    p->n_listed = listed;
    return 0;
}

static const VMStateDescription vmstate_cxl_poison_range = {
    .name = "cxl-poison-range",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(dpa, CXLPoisonRange),
        VMSTATE_UINT64(len, CXLPoisonRange),
        VMSTATE_UINT8(source, CXLPoisonRange),
        VMSTATE_BOOL(listed, CXLPoisonRange),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateCounted poison_ranges = {
    VMSTATE_COUNTED_INFO(range, n, CXLPoison),
    .vmsd = &vmstate_cxl_poison_range,
    .size = sizeof(CXLPoisonRange),
    .max = CXL_POISON_RANGES_MAX,
};

const VMStateDescription vmstate_cxl_poison = {
    .name = "cxl-poison",
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_load = cxl_poison_pre_load,
    .post_load = cxl_poison_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32_EQUAL(limit, CXLPoison, "poison list limit differs"),
        VMSTATE_BOOL(frozen, CXLPoison),
        VMSTATE_BOOL(overflowed, CXLPoison),
        VMSTATE_UINT64(overflow_ns, CXLPoison),
        VMSTATE_COUNTED(range, CXLPoison, poison_ranges),
        VMSTATE_END_OF_LIST()
    },
};
