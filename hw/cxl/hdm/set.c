/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interleaved memory in guest order: while the decoders of all levels spread a
 * range over devices by turns, its bytes are in one piece of RAM, as the guest
 * sees them, and else with the devices, see hdm-internal.h.  CXL r3.2 section
 * 9.18.1.3 has the arithmetic.  When they move is set-move.c's matter.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/range.h"
#include "qemu/timer.h"
#include "system/memory.h"
#include "exec/target_page.h"
#include "hw/boards.h"
#include "system/system.h"
#include "hdm-internal.h"
#include "trace/trace-hw_cxl.h"

/* -- sets ----------------------------------------------------------------- */

static void set_finalize(Object *obj)
{
    trace_cxl_set_gone(CXL_SET(obj)->len);
}

/* Owner of its RAM: who has that mapped, or does DMA to it, refers to it */
static const TypeInfo set_types[] = {
    {
        .name = TYPE_CXL_SET,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(CXLSet),
        .instance_finalize = set_finalize,
    },
};

DEFINE_TYPES(set_types)

static bool set_alloc(CXLSet *s, Error **errp)
{
    /* Where the host promises no more than it has, it is asked for all */
    return memory_region_init_ram_flags_nomigrate(&s->ram, OBJECT(s), "cxl-set",
                                                  s->len, RAM_NORESERVE,
                                                  NULL) ||
           memory_region_init_ram_flags_nomigrate(&s->ram, OBJECT(s), "cxl-set",
                                                  s->len, 0, errp);
}

static CXLSet *set_new(CXLDirect *d, const CXLSetShape *shape, uint64_t each)
{
    CXLSet *s = CXL_SET(object_new(TYPE_CXL_SET));
    Error *err = NULL;

    s->shape = *shape;
    s->rows = each / shape->granularity;
    s->len = each * shape->ways;
    if (!set_alloc(s, &err)) {
        warn_reportf_err(err, "CXL memory of 0x%" PRIx64 " bytes that is "
                         "interleaved stays slow: ", s->len);
        object_unref(OBJECT(s));
        return NULL;
    }
    s->memory = cxl_ram_cache(&s->ram);
    cxl_discard_manage(&s->ram);
    for (unsigned k = 0; k < shape->ways; k++) {
        memory_region_ref(shape->member[k].medium.memory->mrs.mr);
    }
    /* For the monitor to see; that reference is the one that there is */
    object_property_add_child(qdev_get_machine(), "cxl-set[*]", OBJECT(s));
    object_unref(OBJECT(s));
    QTAILQ_INSERT_TAIL(&d->set, s, next);
    trace_cxl_set_new(s->len, shape->ways, shape->granularity);
    return s;
}

void cxl_set_remove(CXLDirect *d, CXLSet *s)
{
    assert(!s->moved);
    QTAILQ_REMOVE(&d->set, s, next);
    for (unsigned k = 0; k < s->shape.ways; k++) {
        memory_region_unref(s->shape.member[k].medium.memory->mrs.mr);
    }
    object_unparent(OBJECT(s));
}

static bool set_same(const CXLSet *s, const CXLSetShape *shape, uint64_t each)
{
    if (s->len != each * shape->ways || s->shape.ways != shape->ways ||
        s->shape.granularity != shape->granularity) {
        return false;
    }
    for (unsigned k = 0; k < shape->ways; k++) {
        const CXLMedium *a = &s->shape.member[k].medium;
        const CXLMedium *b = &shape->member[k].medium;

        /* Memory is of one device, and has one address there */
        if (a->memory != b->memory || a->offset != b->offset) {
            return false;
        }
    }
    return true;
}

static bool set_overlaps(const CXLSet *s, const CXLSetShape *shape,
                         uint64_t each)
{
    for (unsigned i = 0; i < s->shape.ways; i++) {
        const CXLMedium *a = &s->shape.member[i].medium;

        for (unsigned k = 0; k < shape->ways; k++) {
            const CXLMedium *b = &shape->member[k].medium;

            if (a->memory == b->memory &&
                ranges_overlap(a->offset, s->len / s->shape.ways, b->offset,
                               each)) {
                return true;
            }
        }
    }
    return false;
}

static bool set_writes_back(const CXLSetShape *shape)
{
    bool any = false;

    for (unsigned k = 0; k < shape->ways; k++) {
        any |= shape->member[k].medium.write_back;
    }
    return any;
}

/* Return: NULL with @why if the bytes stay where they are */
static CXLSet *set_get(CXLDirect *d, const CXLSetShape *shape, uint64_t each,
                       CxlMemoryTrap *why)
{
    CXLSet *s;

    *why = CXL_MEMORY_TRAP_MOVING;
    if (d->hold) {
        return NULL;
    }
    if (set_writes_back(shape) && cxl_backends_are_of_another()) {
        d->later = true;
        return NULL;
    }
    QTAILQ_FOREACH(s, &d->set, next) {
        if (set_same(s, shape, each)) {
            s->wanted = true;
            return s;
        }
        if (set_overlaps(s, shape, each)) {
            return NULL;
        }
    }
    if (MACHINE(qdev_get_machine())->cgs) {
        /* What a guest has encrypted is good at its address only */
        *why = CXL_MEMORY_TRAP_CONFIDENTIAL;
        return NULL;
    }
    *why = CXL_MEMORY_TRAP_INTERLEAVED;
    /* All of new memory would be cleared and locked, there and then */
    s = should_mlock(mlock_state) ? NULL : set_new(d, shape, each);
    if (s) {
        s->wanted = true;
    }
    return s;
}

/* -- what decoders say ---------------------------------------------------- */

static bool set_is_new(const CXLSetShape *shape, unsigned k,
                       CXLMemTarget *device)
{
    for (unsigned i = 0; i < k; i++) {
        if (shape->member[i].device == device) {
            return false;
        }
    }
    return true;
}

/*
 * One row from @p->hpa on, each chunk routed as an access to it would be:
 * nothing takes the decoders of two levels or devices to agree.  If they do,
 * devices take turns as their own decoders say, and all rows are alike.  What
 * nobody interleaves is a row of one device.
 *
 * Return: false with @p->why if they do not, up to @p->end
 */
static bool part_follow_row(CXLFixedWindow *fw, CXLPart *p)
{
    CXLSetShape *shape = &p->shape;
    CXLHDMDecoder first = { .ways = 1 };
    uint64_t row = 0;

    for (unsigned k = 0; k < first.ways; k++) {
        CXLRoute r = cxl_route_hpa(fw, p->hpa +
                                       k * (uint64_t)first.granularity);

        p->end = MIN(p->end, r.end);
        p->interleaved |= r.period > 1 || r.dec.ways > 1;
        if (r.miss) {
            p->why = r.device ? CXL_MEMORY_TRAP_NOT_DECODED :
                                CXL_MEMORY_TRAP_NO_DEVICE;
            p->device = p->interleaved ? NULL : r.device;
            return false;
        }
        if (!k) {
            first = r.dec;
            row = (uint64_t)first.ways * first.granularity;
        }
        p->why = CXL_MEMORY_TRAP_INTERLEAVED;
        if (r.dec.ways != first.ways || r.dec.base != first.base ||
            r.dec.granularity != first.granularity ||
            r.chunk < first.granularity || (p->hpa - first.base) % row ||
            row % ((uint64_t)r.period * CXL_INTERLEAVE_CHUNK) ||
            !set_is_new(shape, k, r.device)) {
            return false;
        }
        shape->member[k] = (CXLMember) {
            .device = r.device, .ops = r.ops, .dpa = r.dpa,
        };
    }
    if ((p->end - p->hpa) % row) {
        return false;
    }
    shape->ways = first.ways;
    shape->granularity = first.granularity;
    return true;
}

/* A set has one piece of one backend of each device: one for each such part */
static void part_spread(CXLDirect *d, CXLFixedWindow *fw, CXLPart *p)
{
    CXLSetShape *shape = &p->shape;
    uint64_t each = (p->end - p->hpa) / shape->ways, len;
    uint64_t unit = MAX(MAX(qemu_real_host_page_size(),
                            qemu_target_page_size()), shape->granularity);
    bool in_one_place;

    for (; each; each -= len, p->hpa = p->end) {
        p->set = NULL;
        p->device = NULL;
        len = each;
        for (unsigned k = 0; k < shape->ways; k++) {
            CXLMember *m = &shape->member[k];

            m->ops->medium(m->device, m->dpa, len, &m->medium);
            if (!m->ops->map_limit(m->device)) {
                m->medium.memory = NULL;
                m->medium.why = CXL_MEMORY_TRAP_SWITCHED_OFF;
            }
            if (!m->medium.memory && !p->device) {
                p->device = m->device;
                p->why = m->medium.why;
            }
            len = m->medium.len;
        }
        /* Parts begin with a row; one that lies in two places is one alone */
        in_one_place = len >= shape->granularity;
        len = MAX(ROUND_DOWN(len, shape->granularity), shape->granularity);
        p->end = p->hpa + len * shape->ways;
        if (!p->device && (!in_one_place || len % unit || p->hpa % unit)) {
            p->why = CXL_MEMORY_TRAP_INTERLEAVED;
        } else if (!p->device) {
            p->set = set_get(d, shape, len, &p->why);
        }
        g_array_append_val(fw->parts, *p);
        for (unsigned k = 0; k < shape->ways; k++) {
            shape->member[k].dpa += len;
        }
    }
}

static void window_divide(CXLDirect *d, CXLFixedWindow *fw)
{
    hwaddr end = fw->base + fw->size;

    g_array_set_size(fw->parts, 0);
    for (hwaddr hpa = fw->base; hpa < end; ) {
        CXLPart p = { .hpa = hpa, .end = end };

        if (part_follow_row(fw, &p) && p.shape.ways > 1) {
            part_spread(d, fw, &p);
        } else {
            g_array_append_val(fw->parts, p);
        }
        hpa = p.end;
    }
}

/* Return: true if something was in the way of a set, and is not any more */
static bool sets_divide_windows(CXLDirect *d)
{
    bool gone = false;
    CXLSet *s, *next;

    QTAILQ_FOREACH(s, &d->set, next) {
        s->wanted = false;
    }
    d->later = false;
    for (GList *it = d->state->fixed_windows; it; it = it->next) {
        window_divide(d, it->data);
    }
    QTAILQ_FOREACH_SAFE(s, &d->set, next, next) {
        if (!s->wanted && !s->moved) {
            cxl_set_remove(d, s);
            gone = true;
        } else {
            s->mapped = s->moved;
        }
    }
    return gone;
}

void cxl_sets_topology_changed(CXLDirect *d)
{
    while (sets_divide_windows(d)) {
        /* One set goes each time, and what comes is wanted */
    }
    /* Some may have rows to move */
    if (!QTAILQ_EMPTY(&d->set)) {
        timer_mod(d->timer, qemu_clock_get_ms(QEMU_CLOCK_REALTIME));
    }
}

/* -- where bytes are ------------------------------------------------------ */

CXLMemPlace cxl_set_place(const MemoryRegionCache *memory, uint64_t offset)
{
    CXLDirect *d = cxl_direct();
    CXLMemPlace p = {
        .at = offset, .below = offset, .above = UINT64_MAX, .rest = UINT64_MAX,
    };
    CXLSet *s;

    if (!d) {
        return p;
    }
    QTAILQ_FOREACH(s, &d->set, next) {
        unsigned ways = s->shape.ways, g = s->shape.granularity;
        uint64_t moved = s->moved * g;

        for (unsigned k = 0; moved && k < ways; k++) {
            const CXLMedium *m = &s->shape.member[k].medium;
            uint64_t x = offset - m->offset;

            if (m->memory != memory) {
                continue;
            }
            if (offset < m->offset) {
                p.above = p.rest = MIN(p.above, m->offset - offset - 1);
            } else if (x >= moved) {
                p.below = MIN(p.below, x - moved);
            } else {
                return (CXLMemPlace) {
                    .set = &s->memory,
                    .at = cxl_interleave_hpa_offset(x, k, ways, g),
                    .below = x % g,
                    .above = g - 1 - x % g,
                    .rest = moved - 1 - x,
                };
            }
        }
    }
    return p;
}

bool cxl_set_uses(const MemoryRegionCache *memory)
{
    CXLDirect *d = cxl_direct();
    CXLSet *s;

    if (!d) {
        return false;
    }
    QTAILQ_FOREACH(s, &d->set, next) {
        for (unsigned k = 0; k < s->shape.ways; k++) {
            if (s->shape.member[k].medium.memory == memory) {
                return true;
            }
        }
    }
    return false;
}
