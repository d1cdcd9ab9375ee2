/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Direct mapping of CXL memory: from a plan to aliases in the windows, see
 * hdm-internal.h
 */
#include "qemu/osdep.h"
#include "system/memory.h"
#include "hw/cxl/cxl_component.h"
#include "system/reset.h"
#include "system/runstate.h"
#include "hdm-internal.h"
#include "trace/trace-hw_cxl.h"

/* Devices know no machine; it has its state in a property of its own */
CXLState *cxl_direct_state(void)
{
    ObjectProperty *cxl = object_property_find(qdev_get_machine(), "cxl");
    CXLState *state = cxl ? cxl->opaque : NULL;

    return state && state->direct ? state : NULL;
}

unsigned cxl_direct_mapped(const CXLState *state)
{
    return state->direct->mapped->len;
}

static bool same_piece(const CXLDirectPiece *a, const CXLDirectPiece *b)
{
    return a->hpa == b->hpa && a->len == b->len && a->device == b->device &&
           a->mr == b->mr && a->offset == b->offset;
}

static void unmap(CXLDirectPiece *p)
{
    trace_cxl_direct_unmap(p->hpa, p->len);
    memory_region_del_subregion(&p->fw->mr, p->alias);
    object_unparent(OBJECT(p->alias));
    g_clear_pointer(&p->alias, g_free);
}

static void map(CXLDirectPiece *p)
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
static void apply(CXLState *state, GArray *plan)
{
    CXLDirect *d = state->direct;
    guint i = 0, k = 0;

    memory_region_transaction_begin();
    while (i < d->mapped->len || k < plan->len) {
        CXLDirectPiece *old = i < d->mapped->len ?
            &g_array_index(d->mapped, CXLDirectPiece, i) : NULL;
        CXLDirectPiece *new = k < plan->len ?
            &g_array_index(plan, CXLDirectPiece, k) : NULL;

        if (old && new && same_piece(old, new)) {
            new->alias = old->alias;
            i++;
            k++;
        } else if (old && (!new || old->hpa <= new->hpa)) {
            unmap(old);
            i++;
        } else {
            map(new);
            k++;
        }
    }
    memory_region_transaction_commit();
    g_array_free(d->mapped, TRUE);
    d->mapped = plan;
}

static bool any_dynamic(const GArray *plan)
{
    for (guint i = 0; i < plan->len; i++) {
        if (g_array_index(plan, CXLDirectPiece, i).dynamic) {
            return true;
        }
    }
    return false;
}

bool cxl_direct_update(void)
{
    CXLState *state = cxl_direct_state();
    CXLDirect *d;

    if (!state) {
        return true;
    }
    d = state->direct;
    state->generation++;
    /*
     * Dynamic capacity comes and goes.  Who does DMA to it follows, see
     * discard.c; who locks all memory once and for all cannot, and it is either
     * us or them: they are refused while we map, and while they are there, it
     * traps.
     */
    d->may_map_dynamic = d->dynamic ||
                         ram_block_coordinated_discard_require(true) == 0;
    d->no_dma = false;
    apply(state, cxl_direct_plan(state));
    d->dynamic = any_dynamic(d->mapped);
    if (d->may_map_dynamic && !d->dynamic) {
        ram_block_coordinated_discard_require(false);
    }
    return !d->no_dma;
}

void cxl_direct_topology_changed(void)
{
    CXLState *state = cxl_direct_state();

    if (state) {
        cxl_sets_topology_changed(state);
        cxl_direct_update();
    }
}

static void decode_changed(Notifier *n, void *component)
{
    cxl_direct_topology_changed();
}

/*
 * A host bridge with one root port finds out at its reset that it has one, and
 * passes on from then.  Its reset comes before this, which is registered later.
 */
static void after_reset(void *opaque)
{
    CXLState *state = opaque;

    cxl_direct_topology_changed();
    /* A snapshot is going to be loaded, it may be, and backends with it */
    if (!runstate_is_live(runstate_get())) {
        cxl_sets_finish(state);
    }
}

void cxl_direct_start(CXLState *state)
{
    CXLDirect *d;

    if (state->direct) {
        return;
    }
    state->sets = cxl_sets_new(state);
    state->direct = d = g_new0(CXLDirect, 1);
    d->mapped = g_array_new(false, false, sizeof(CXLDirectPiece));
    d->decode.notify = decode_changed;
    cxl_decode_add_notifier(&d->decode);
    qemu_register_reset(after_reset, state);
    cxl_direct_topology_changed();
}
