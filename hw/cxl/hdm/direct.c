/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Direct mapping of CXL memory: from a plan to aliases in the windows, see
 * hdm-internal.h
 */
#include "qemu/osdep.h"
#include "qemu/rcu.h"
#include "system/address-spaces.h"
#include "system/kvm.h"
#include "system/memory.h"
#include "system/reset.h"
#include "system/runstate.h"
#include "hw/cxl/cxl_component.h"
#include "hw/virtio/vhost.h"
#include "hdm-internal.h"
#include "trace/trace-hw_cxl.h"

/* Devices know no machine; it has its state in a property of its own */
CXLDirect *cxl_direct(void)
{
    ObjectProperty *cxl = object_property_find(qdev_get_machine(), "cxl");
    CXLState *state = cxl ? cxl->opaque : NULL;

    return state ? state->direct : NULL;
}

/* -- slots ---------------------------------------------------------------- */

/**
 * struct Others - sections of RAM outside the windows of @d
 * @n: how many, what goes on at the next address of the same memory as one
 * @mr: memory of the last section
 * @at: guest physical address behind it
 * @offset: offset in @mr behind it
 */
typedef struct Others {
    const CXLDirect *d;
    uint64_t n;
    const MemoryRegion *mr;
    hwaddr at;
    hwaddr offset;
} Others;

static bool direct_in_a_window(const CXLDirect *d, hwaddr hpa)
{
    for (GList *it = d->state->fixed_windows; it; it = it->next) {
        CXLFixedWindow *fw = it->data;

        if (hpa >= fw->base && hpa - fw->base < fw->size) {
            return true;
        }
    }
    return false;
}

static bool direct_count(Int128 start, Int128 len, const MemoryRegion *region,
                         hwaddr offset, void *opaque)
{
    /* the callback has it const, the questions are asked of any */
    MemoryRegion *mr = (MemoryRegion *)region;
    hwaddr at = int128_getlo(start);
    Others *o = opaque;

    if (!memory_region_is_ram(mr) || memory_region_is_rom(mr) ||
        direct_in_a_window(o->d, at)) {
        return false;
    }
    if (o->mr != region || o->at != at || o->offset != offset) {
        o->n++;
    }
    o->mr = region;
    o->at = at + int128_getlo(len);
    o->offset = offset + int128_getlo(len);
    return false;
}

/*
 * A vhost back end tells how many slots it has, and QEMU how many of them are
 * free, but not whether it counts us: vhost-user takes memory with a file
 * descriptor only.  What is free would grow and shrink with what we map, so the
 * rest of the machine is counted instead, and each piece as one.
 */
static uint64_t direct_vhost_slots(const CXLDirect *d)
{
    uint64_t max = vhost_get_max_memslots(), keep;
    Others others = { .d = d };

    if (max >= INT_MAX) {
        return UINT64_MAX;
    }
    WITH_RCU_READ_LOCK_GUARD() {
        flatview_for_each_range(address_space_to_flatview(
                                    &address_space_memory),
                                direct_count, &others);
    }
    /* Some have eight slots, but for those nothing should be left over */
    keep = others.n + MIN(max / 4, CXL_DIRECT_SLOTS_RESERVED);
    return max - MIN(max, keep);
}

/* Here each piece is a slot as soon as it is mapped */
static uint64_t direct_kvm_slots(const CXLDirect *d)
{
    uint64_t slots;

    if (!kvm_enabled()) {
        return UINT64_MAX;
    }
    slots = (uint64_t)kvm_get_free_memslots() + d->mapped->len;
    return slots - MIN(slots, CXL_DIRECT_SLOTS_RESERVED);
}

uint64_t cxl_direct_slots(const CXLDirect *d)
{
    return MIN(MIN(direct_vhost_slots(d), direct_kvm_slots(d)),
               CXL_DIRECT_PIECES_MAX);
}

/* -- mapping -------------------------------------------------------------- */

static bool direct_same_piece(const CXLDirectRange *a, const CXLDirectRange *b)
{
    return a->hpa == b->hpa && a->len == b->len && a->device == b->device &&
           a->mr == b->mr && a->offset == b->offset;
}

static void direct_unmap(CXLDirectRange *p)
{
    trace_cxl_direct_unmap(p->hpa, p->len);
    memory_region_del_subregion(&p->fw->mr, p->alias);
    object_unparent(OBJECT(p->alias));
    g_clear_pointer(&p->alias, g_free);
}

static void direct_map(CXLDirectRange *p)
{
    /* A name of its own: one that repeats makes the object search for a free */
    g_autofree char *name = g_strdup_printf("cxl-direct-%" PRIx64, p->hpa);
    hwaddr at = p->hpa - p->fw->base;

    p->alias = g_new0(MemoryRegion, 1);
    trace_cxl_direct_map(p->hpa, p->len, p->device ? DEVICE(p->device)->id : "",
                         p->offset);
    memory_region_init_alias(p->alias, p->device ? OBJECT(p->device) :
                             memory_region_owner(&p->fw->mr), name, p->mr,
                             p->offset, p->len);
    /* Or DMA to it would fail when a neighbour comes, for a moment */
    memory_region_set_unmergeable(p->alias, true);
    memory_region_add_subregion(&p->fw->mr, at, p->alias);
}

/* Both lists ascend: what is in both of them is left alone */
static void direct_apply(CXLDirect *d, GArray *plan)
{
    guint i = 0, k = 0;

    memory_region_transaction_begin();
    while (i < d->mapped->len || k < plan->len) {
        CXLDirectRange *old = i < d->mapped->len ?
            &g_array_index(d->mapped, CXLDirectRange, i) : NULL;
        CXLDirectRange *new = k < plan->len ?
            &g_array_index(plan, CXLDirectRange, k) : NULL;

        if (old && new && direct_same_piece(old, new)) {
            new->alias = old->alias;
            i++;
            k++;
        } else if (old && (!new || old->hpa <= new->hpa)) {
            direct_unmap(old);
            i++;
        } else {
            direct_map(new);
            k++;
        }
    }
    memory_region_transaction_commit();
    g_array_free(d->mapped, TRUE);
    d->mapped = plan;
}

static bool direct_any_dynamic(const GArray *plan)
{
    for (guint i = 0; i < plan->len; i++) {
        if (g_array_index(plan, CXLDirectRange, i).dynamic) {
            return true;
        }
    }
    return false;
}

bool cxl_direct_update(void)
{
    CXLDirect *d = cxl_direct();

    if (!d) {
        return true;
    }
    d->state->generation++;
    /*
     * Dynamic capacity comes and goes.  Who does DMA to it follows, see
     * discard.c; who locks all memory once and for all cannot, and it is either
     * us or them: they are refused while we map, and while they are there, it
     * traps.
     */
    d->dynamic = d->dynamic || ram_block_coordinated_discard_require(true) == 0;
    d->may_map_dynamic = d->dynamic;
    d->no_dma = false;
    direct_apply(d, cxl_direct_plan(d));
    if (d->dynamic && !direct_any_dynamic(d->mapped)) {
        ram_block_coordinated_discard_require(false);
        d->dynamic = false;
    }
    return !d->no_dma;
}

void cxl_direct_topology_changed(void)
{
    CXLDirect *d = cxl_direct();

    if (d) {
        cxl_sets_topology_changed(d);
        cxl_direct_update();
    }
}

static void direct_decode_changed(Notifier *n, void *component)
{
    cxl_direct_topology_changed();
}

/*
 * A host bridge with one root port finds out at its reset that it has one, and
 * passes on from then.  Its reset comes before this, which is registered later.
 */
static void direct_after_reset(void *opaque)
{
    cxl_direct_topology_changed();
    /* A snapshot is going to be loaded, it may be, and backends with it */
    if (!runstate_is_live(runstate_get())) {
        cxl_sets_settle();
    }
}

void cxl_direct_start(CXLState *state)
{
    CXLDirect *d;

    if (state->direct) {
        return;
    }
    state->direct = d = g_new0(CXLDirect, 1);
    d->state = state;
    d->mapped = g_array_new(false, false, sizeof(CXLDirectRange));
    cxl_sets_start(d);
    d->decode.notify = direct_decode_changed;
    cxl_decode_add_notifier(&d->decode);
    qemu_register_reset(direct_after_reset, NULL);
    cxl_direct_topology_changed();
}
