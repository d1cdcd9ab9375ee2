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
static const TypeInfo set_type = {
    .name = TYPE_CXL_SET,
    .parent = TYPE_OBJECT,
    .instance_size = sizeof(CXLSet),
    .instance_finalize = set_finalize,
};

static void register_types(void)
{
    type_register_static(&set_type);
}

type_init(register_types)

static bool set_alloc(CXLSet *s, Error **errp)
{
    /* Where the host promises no more than it has, it is asked for all */
    return memory_region_init_ram_flags_nomigrate(&s->ram, OBJECT(s), "cxl-set",
                                                  s->len, RAM_NORESERVE,
                                                  NULL) ||
           memory_region_init_ram_flags_nomigrate(&s->ram, OBJECT(s), "cxl-set",
                                                  s->len, 0, errp);
}

static CXLSet *set_new(CXLSets *all, const CXLSetShape *shape, uint64_t each)
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
        memory_region_ref(shape->member[k].mr);
        s->backend[k] = cxl_ram_cache(shape->member[k].mr);
    }
    /* For the monitor to see; that reference is the one that there is */
    object_property_add_child(qdev_get_machine(), "cxl-set[*]", OBJECT(s));
    object_unref(OBJECT(s));
    QTAILQ_INSERT_TAIL(&all->set, s, next);
    trace_cxl_set_new(s->len, shape->ways, shape->granularity);
    return s;
}

void cxl_set_remove(CXLSets *all, CXLSet *s)
{
    assert(!s->moved);
    QTAILQ_REMOVE(&all->set, s, next);
    for (unsigned k = 0; k < s->shape.ways; k++) {
        memory_region_unref(s->shape.member[k].mr);
    }
    object_unparent(OBJECT(s));
}

static bool member_same(const CXLMember *a, const CXLMember *b)
{
    return a->device == b->device && a->dpa == b->dpa && a->mr == b->mr &&
           a->offset == b->offset;
}

static bool set_same(const CXLSet *s, const CXLSetShape *shape, uint64_t each)
{
    if (s->len != each * shape->ways || s->shape.ways != shape->ways ||
        s->shape.granularity != shape->granularity) {
        return false;
    }
    for (unsigned k = 0; k < shape->ways; k++) {
        if (!member_same(&s->shape.member[k], &shape->member[k])) {
            return false;
        }
    }
    return true;
}

static bool set_overlaps(const CXLSet *s, const CXLSetShape *shape,
                         uint64_t each)
{
    uint64_t own = s->len / s->shape.ways;

    for (unsigned i = 0; i < s->shape.ways; i++) {
        const CXLMember *a = &s->shape.member[i];

        for (unsigned k = 0; k < shape->ways; k++) {
            const CXLMember *b = &shape->member[k];

            if (a->mr == b->mr && a->offset < b->offset + each &&
                b->offset < a->offset + own) {
                return true;
            }
        }
    }
    return false;
}

static bool set_writes_back(const CXLSetShape *shape)
{
    for (unsigned k = 0; k < shape->ways; k++) {
        if (shape->member[k].write_back) {
            return true;
        }
    }
    return false;
}

/* Return: NULL with @why if the bytes stay where they are */
static CXLSet *set_get(CXLSets *all, const CXLSetShape *shape, uint64_t each,
                       CxlMemoryTrap *why)
{
    CXLSet *s;

    *why = CXL_MEMORY_TRAP_MOVING;
    if (all->hold) {
        return NULL;
    }
    if (set_writes_back(shape) && cxl_backends_are_of_another()) {
        all->later = true;
        return NULL;
    }
    QTAILQ_FOREACH(s, &all->set, next) {
        if (set_same(s, shape, each)) {
            s->wanted = true;
            return s;
        }
    }
    QTAILQ_FOREACH(s, &all->set, next) {
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
    s = should_mlock(mlock_state) ? NULL : set_new(all, shape, each);
    if (s) {
        s->wanted = true;
    }
    return s;
}

/* -- what decoders say ---------------------------------------------------- */

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
        if (other.size && other.base > hpa) {
            end = MIN(end, other.base);
        }
    }
    return end;
}

static bool is_new(const CXLSetShape *shape, unsigned k, CXLMemTarget *device)
{
    for (unsigned i = 0; i < k; i++) {
        if (shape->member[i].device == device) {
            return false;
        }
    }
    return true;
}

/*
 * One row from @s->hpa on, each chunk routed as an access to it would be:
 * nothing takes the decoders of two levels or devices to agree.  If they do,
 * devices take turns as their own decoders say, and all rows are alike.
 *
 * Return: false with @s->why if they do not, up to @s->end at least
 */
static bool follow_row(CXLSpread *s, CXLSetShape *shape)
{
    CXLHDMDecoder first = { .ways = 1 };
    uint64_t row = 0;

    for (unsigned k = 0; k < first.ways; k++) {
        hwaddr at = s->hpa + k * (uint64_t)first.granularity;
        CXLRoute route = cxl_route_hpa(s->fw, at);
        hwaddr stop = MIN(s->fw->base + s->fw->size, route.end);
        const uint32_t *regs;
        CXLHDMDecoder dec;
        uint64_t dpa;

        s->why = CXL_MEMORY_TRAP_NO_DEVICE;
        if (!route.device) {
            s->end = stop;
            return false;
        }
        regs = route.ops->hdm_registers(route.device);
        if (!cxl_hdm_hpa_to_dpa(regs, at, &dpa, &dec)) {
            s->why = CXL_MEMORY_TRAP_NOT_DECODED;
            /* Decoders begin and end at multiples of it */
            s->end = MIN(stop, ROUND_DOWN(at, CXL_HDM_GRANULE) +
                               CXL_HDM_GRANULE);
            return false;
        }
        s->end = MIN(s->end, decoder_end(regs, &dec, at, stop));
        if (!k) {
            first = dec;
            row = (uint64_t)dec.ways * dec.granularity;
        }
        s->why = CXL_MEMORY_TRAP_INTERLEAVED;
        if (dec.ways < 2 || dec.ways != first.ways ||
            dec.granularity != first.granularity || dec.base != first.base ||
            (s->hpa - dec.base) % row || route.chunk < dec.granularity ||
            row % ((uint64_t)route.period * CXL_INTERLEAVE_CHUNK) ||
            !is_new(shape, k, route.device)) {
            return false;
        }
        shape->member[k] = (CXLMember) {
            .device = route.device, .ops = route.ops, .dpa = dpa,
        };
    }
    shape->ways = first.ways;
    shape->granularity = first.granularity;
    return (s->end - s->hpa) % row == 0;
}

/* A set has one piece of one backend of each device: one for each such part */
static void spread_over(CXLSets *all, CXLSpread *s, CXLSetShape *shape)
{
    uint64_t each = (s->end - s->hpa) / shape->ways, len;
    uint64_t unit = MAX(MAX(qemu_real_host_page_size(),
                            qemu_target_page_size()), shape->granularity);
    hwaddr hpa = s->hpa;

    for (; each; each -= len, hpa = s->end) {
        s->set = NULL;
        s->device = NULL;
        len = each;
        for (unsigned k = 0; k < shape->ways; k++) {
            CXLMember *m = &shape->member[k];
            CXLMedium part;

            m->ops->medium(m->device, m->dpa, len, &part);
            if (!m->ops->map_limit(m->device)) {
                part.mr = NULL;
                part.why = CXL_MEMORY_TRAP_SWITCHED_OFF;
            }
            if (!part.mr && !s->device) {
                s->device = m->device;
                s->why = part.why;
            }
            m->mr = part.mr;
            m->offset = part.offset;
            m->may_drop = part.may_drop;
            m->write_back = part.write_back;
            len = part.len;
        }
        s->hpa = hpa;
        s->end = hpa + len * shape->ways;
        if (!s->device && (len % unit || hpa % unit)) {
            s->why = CXL_MEMORY_TRAP_INTERLEAVED;
        } else if (!s->device) {
            s->set = set_get(all, shape, len, &s->why);
        }
        g_array_append_val(all->spread, *s);
        for (unsigned k = 0; k < shape->ways; k++) {
            shape->member[k].dpa += len;
        }
    }
}

static void window_spread(CXLSets *all, CXLFixedWindow *fw)
{
    hwaddr end = fw->base + fw->size, hpa = fw->base;

    while (hpa < end) {
        CXLRoute route = cxl_route_hpa(fw, hpa);
        CXLSpread s = { .fw = fw, .hpa = hpa, .end = end };
        CXLSetShape shape = { 0 };

        if (route.ways == 1) {
            hpa = route.end;
            continue;
        }
        if (follow_row(&s, &shape)) {
            spread_over(all, &s, &shape);
        } else {
            g_array_append_val(all->spread, s);
        }
        hpa = s.end;
    }
}

void cxl_sets_topology_changed(CXLState *state)
{
    CXLSets *all = state->sets;
    CXLSet *s, *next;

    QTAILQ_FOREACH(s, &all->set, next) {
        s->wanted = false;
    }
    g_array_set_size(all->spread, 0);
    all->later = false;
    for (GList *it = state->fixed_windows; it; it = it->next) {
        window_spread(all, it->data);
    }
    QTAILQ_FOREACH_SAFE(s, &all->set, next, next) {
        if (!s->wanted && !s->moved) {
            cxl_set_remove(all, s);
        } else {
            s->mapped = s->moved;
        }
    }
    cxl_sets_go(all);
}

const CXLSpread *cxl_spread_at(const CXLState *state, const CXLFixedWindow *fw,
                               hwaddr hpa)
{
    const GArray *list = state->sets->spread;

    for (guint i = 0; i < list->len; i++) {
        const CXLSpread *s = &g_array_index(list, CXLSpread, i);

        if (s->fw == fw && hpa >= s->hpa && hpa < s->end) {
            return s;
        }
    }
    g_assert_not_reached();
}

/* -- where bytes are ------------------------------------------------------ */

CXLMemPlace cxl_set_place(const MemoryRegion *mr, uint64_t offset)
{
    CXLState *state = cxl_direct_state();
    CXLMemPlace p = {
        .at = offset, .below = offset, .above = UINT64_MAX, .rest = UINT64_MAX,
    };
    CXLSet *s;

    if (!state) {
        return p;
    }
    QTAILQ_FOREACH(s, &state->sets->set, next) {
        unsigned ways = s->shape.ways, g = s->shape.granularity;
        uint64_t moved = s->moved * g;

        for (unsigned k = 0; moved && k < ways; k++) {
            const CXLMember *m = &s->shape.member[k];
            uint64_t x = offset - m->offset;

            if (m->mr != mr) {
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

bool cxl_set_uses(const MemoryRegion *mr)
{
    CXLState *state = cxl_direct_state();
    CXLSet *s;

    if (state && mr) {
        QTAILQ_FOREACH(s, &state->sets->set, next) {
            for (unsigned k = 0; k < s->shape.ways; k++) {
                if (s->shape.member[k].mr == mr) {
                    return true;
                }
            }
        }
    }
    return false;
}
