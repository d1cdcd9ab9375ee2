/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interleaved memory at the speed of RAM: a region per fixed memory window
 * that says for each page which backend it is in, as an IOMMU does, see
 * hdm-internal.h.  CXL r3.2 section 9.18.1.3 has the arithmetic.
 *
 * TCG asks once per TLB entry and goes straight to the backend then.  DMA and
 * the monitor ask at each access.
 */
#include "qemu/osdep.h"
#include "qemu/bitmap.h"
#include "qemu/main-loop.h"
#include "qemu/rcu.h"
#include "system/memory.h"
#include "exec/target_page.h"
#include "hdm-internal.h"
#include "trace/trace-hw_cxl.h"

/* -- where the region leads ----------------------------------------------- */

/*
 * An IOMMU leads into an address space.  This one has nothing but backends: a
 * TLB entry of TCG for I/O is a number of a section of the processor's own
 * address space, so I/O elsewhere would be mistaken for something else.
 *
 * Its addresses are none that a guest has, because vhost takes what an IOMMU
 * says for a guest's address: it finds nothing there.
 */
#define POOL_BASE       (1ULL << 62)
#define POOL_SLOT       (1ULL << 52)
/* Three backends per device, and PCI numbers 256 devices */
#define POOL_SLOTS      1024

/**
 * struct PoolSlot - a backend in the pool
 * @users: legs of tables that lead to it
 */
typedef struct PoolSlot {
    MemoryRegion alias;
    unsigned number;
    unsigned users;
} PoolSlot;

/**
 * struct CXLInterleavePool - backends of all windows, never freed
 * @slots: PoolSlot by MemoryRegion
 * @taken: numbers of slots
 */
typedef struct CXLInterleavePool {
    Object *owner;
    MemoryRegion root;
    AddressSpace as;
    GHashTable *slots;
    DECLARE_BITMAP(taken, POOL_SLOTS);
} CXLInterleavePool;

static CXLInterleavePool *pool_new(Object *owner)
{
    CXLInterleavePool *pool = g_new0(CXLInterleavePool, 1);

    pool->owner = owner;
    pool->slots = g_hash_table_new(NULL, NULL);
    memory_region_init(&pool->root, owner, "cxl-interleave-pool", UINT64_MAX);
    address_space_init(&pool->as, &pool->root, "cxl-interleave-pool");
    return pool;
}

/* Return: the address of @mr in the pool */
static hwaddr pool_get(CXLInterleavePool *pool, MemoryRegion *mr)
{
    PoolSlot *s = g_hash_table_lookup(pool->slots, mr);

    if (!s) {
        g_autofree char *name = NULL;

        s = g_new0(PoolSlot, 1);
        s->number = find_first_zero_bit(pool->taken, POOL_SLOTS);
        g_assert(s->number < POOL_SLOTS);
        set_bit(s->number, pool->taken);
        name = g_strdup_printf("cxl-interleave-%u", s->number);
        memory_region_init_alias(&s->alias, pool->owner, name, mr, 0,
                                 MIN(memory_region_size(mr), POOL_SLOT));
        memory_region_add_subregion(&pool->root,
                                    POOL_BASE + s->number * POOL_SLOT,
                                    &s->alias);
        g_hash_table_insert(pool->slots, mr, s);
    }
    s->users++;
    return POOL_BASE + s->number * POOL_SLOT;
}

static void pool_put(CXLInterleavePool *pool, MemoryRegion *mr)
{
    PoolSlot *s = g_hash_table_lookup(pool->slots, mr);

    if (--s->users) {
        return;
    }
    g_hash_table_remove(pool->slots, mr);
    clear_bit(s->number, pool->taken);
    memory_region_del_subregion(&pool->root, &s->alias);
    object_unparent(OBJECT(&s->alias));
    g_free(s);
}

/* -- what leads where ----------------------------------------------------- */

/**
 * struct Stretch - an interleaved piece of a window
 * @last: its last host physical address
 * @at: of each leg of @pattern, the address of its backend in the pool
 */
typedef struct Stretch {
    hwaddr first;
    hwaddr last;
    CXLPattern *pattern;
    hwaddr *at;
} Stretch;

typedef struct Table Table;

/**
 * struct Table - all of a window, ascending; only @before ever changes
 *
 * Processors read it without a lock.  One that still has the memory map of
 * before may ask for what only @before knows, until a grace period ended after
 * the new map was there; and @before is freed one later, when nobody can have
 * got to it any more.
 */
struct Table {
    struct rcu_head rcu;
    Table *before;
    Table *after;
    CXLInterleavePool *pool;
    hwaddr window;
    unsigned n;
    Stretch range[];
};

#define TYPE_CXL_INTERLEAVE_REGION "cxl-interleave-region"
OBJECT_DECLARE_SIMPLE_TYPE(CXLInterleaveRegion, CXL_INTERLEAVE_REGION)

/**
 * struct CXLInterleaveRegion - as large as the window, mapped by aliases only
 * @pool: where it leads
 * @window: where it begins
 * @table: NULL if nothing is interleaved and nothing was
 * @old: to be freed once the memory map is the new one
 *
 * Never freed, as each vCPU has a notifier that knows it.
 */
struct CXLInterleaveRegion {
    IOMMUMemoryRegion parent_obj;
    CXLInterleavePool *pool;
    hwaddr window;
    Table *table;
    Table *old;
};

static const Stretch *table_find(const Table *t, hwaddr hpa)
{
    unsigned lo = 0, hi = t->n;

    while (lo < hi) {
        unsigned mid = lo + (hi - lo) / 2;

        if (t->range[mid].last < hpa) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo < t->n && t->range[lo].first <= hpa ? &t->range[lo] : NULL;
}

static hwaddr range_translate(const Stretch *r, hwaddr hpa)
{
    const CXLPattern *p = r->pattern;
    unsigned i = p->leg_of[hpa / p->chunk % CXL_CHUNKS(p->chunk)];
    const CXLLeg *leg = &p->leg[i];

    return r->at[i] + leg->offset +
           cxl_interleave_dpa_offset(hpa - leg->base, leg->ways,
                                     leg->granularity);
}

/* The whole chunk if it lies in memory as it does in the window */
static hwaddr range_mask(const Stretch *r, hwaddr hpa, hwaddr to)
{
    hwaddr mask = r->pattern->chunk - 1;

    if ((hpa & mask) == (to & mask) && (hpa & ~mask) >= r->first &&
        (hpa | mask) <= r->last) {
        return mask;
    }
    return qemu_target_page_size() - 1;
}

/* In any thread, with or without the BQL */
static IOMMUTLBEntry translate(IOMMUMemoryRegion *iommu, hwaddr addr,
                               IOMMUAccessFlags flag, int index)
{
    CXLInterleaveRegion *region = CXL_INTERLEAVE_REGION(iommu);
    hwaddr hpa = region->window + addr;
    IOMMUTLBEntry e = {
        .target_as = &region->pool->as,
        .iova = addr,
        .addr_mask = qemu_target_page_size() - 1,
        .perm = IOMMU_NONE,
    };

    RCU_READ_LOCK_GUARD();
    for (const Table *t = qatomic_rcu_read(&region->table); t;
         t = qatomic_rcu_read(&t->before)) {
        const Stretch *r = table_find(t, hpa);

        if (r) {
            e.translated_addr = range_translate(r, hpa);
            e.addr_mask = range_mask(r, hpa, e.translated_addr);
            e.perm = IOMMU_RW;
            break;
        }
    }
    if (e.perm == IOMMU_NONE) {
        trace_cxl_interleave_no_range(hpa);
    }
    e.iova &= ~e.addr_mask;
    e.translated_addr &= ~e.addr_mask;
    return e;
}

/* TCG asks without a look whether there is somebody to answer */
static int attrs_to_index(IOMMUMemoryRegion *iommu, MemTxAttrs attrs)
{
    return 0;
}

static int num_indexes(IOMMUMemoryRegion *iommu)
{
    return 1;
}

/* The base changes the list of who wants to know; see base-corrections.toml */
static int notify_flag_changed(IOMMUMemoryRegion *iommu, IOMMUNotifierFlag old,
                               IOMMUNotifierFlag new, Error **errp)
{
    assert(bql_locked());
    return 0;
}

static void region_class_init(ObjectClass *oc, const void *data)
{
    IOMMUMemoryRegionClass *c = IOMMU_MEMORY_REGION_CLASS(oc);

    c->translate = translate;
    c->attrs_to_index = attrs_to_index;
    c->num_indexes = num_indexes;
    c->notify_flag_changed = notify_flag_changed;
}

static const TypeInfo region_type = {
    .name = TYPE_CXL_INTERLEAVE_REGION,
    .parent = TYPE_IOMMU_MEMORY_REGION,
    .instance_size = sizeof(CXLInterleaveRegion),
    .class_init = region_class_init,
};

static void register_types(void)
{
    type_register_static(&region_type);
}

type_init(register_types)

/* -- changes -------------------------------------------------------------- */

static CXLInterleaveRegion *region_get(CXLFixedWindow *fw)
{
    CXLInterleaveRegion *r = fw->interleave;
    Object *owner = memory_region_owner(&fw->mr);

    if (r) {
        return r;
    }
    if (!fw->state->pool) {
        fw->state->pool = pool_new(owner);
    }
    r = fw->interleave = g_new0(CXLInterleaveRegion, 1);
    memory_region_init_iommu(r, sizeof(*r), TYPE_CXL_INTERLEAVE_REGION, owner,
                             "cxl-interleave", fw->size);
    r->pool = fw->state->pool;
    r->window = fw->base;
    return r;
}

MemoryRegion *cxl_interleave_region(CXLFixedWindow *fw)
{
    return MEMORY_REGION(region_get(fw));
}

static void table_free(Table *t)
{
    memory_region_transaction_begin();
    for (unsigned i = 0; i < t->n; i++) {
        Stretch *r = &t->range[i];

        for (unsigned k = 0; k < r->pattern->nr_legs; k++) {
            pool_put(t->pool, r->pattern->leg[k].mr);
        }
        cxl_pattern_unref(r->pattern);
        g_free(r->at);
    }
    memory_region_transaction_commit();
    trace_cxl_interleave_retired(t->window, t->n);
    g_free(t);
}

/* All processors have the new memory map, or will when they look next */
static void table_retire(Table *t)
{
    qatomic_set(&t->after->before, NULL);
    call_rcu(t, table_free, rcu);
}

static bool is_ours(const CXLDirectPiece *p, const CXLFixedWindow *fw)
{
    return p->fw == fw && p->pattern;
}

static Table *table_new(const CXLFixedWindow *fw, const GArray *plan)
{
    unsigned n = 0;
    Table *t;

    for (guint i = 0; i < plan->len; i++) {
        n += is_ours(&g_array_index(plan, CXLDirectPiece, i), fw);
    }
    t = g_malloc0(sizeof(*t) + n * sizeof(t->range[0]));
    t->pool = fw->state->pool;
    t->window = fw->base;
    for (guint i = 0; i < plan->len; i++) {
        const CXLDirectPiece *p = &g_array_index(plan, CXLDirectPiece, i);
        Stretch *r = &t->range[t->n];

        if (!is_ours(p, fw)) {
            continue;
        }
        t->n++;
        r->first = p->hpa;
        r->last = p->hpa + (p->len - 1);
        r->pattern = cxl_pattern_ref(p->pattern);
        r->at = g_new(hwaddr, p->pattern->nr_legs);
        for (unsigned k = 0; k < p->pattern->nr_legs; k++) {
            r->at[k] = pool_get(t->pool, p->pattern->leg[k].mr);
        }
    }
    return t;
}

/* Does @t, or that there is none, say what @plan says? */
static bool table_is(const Table *t, CXLFixedWindow *fw, const GArray *plan)
{
    unsigned n = 0, all = t ? t->n : 0;

    for (guint i = 0; i < plan->len; i++) {
        const CXLDirectPiece *p = &g_array_index(plan, CXLDirectPiece, i);

        if (!is_ours(p, fw)) {
            continue;
        }
        if (n == all || t->range[n].first != p->hpa ||
            t->range[n].last != p->hpa + (p->len - 1) ||
            !cxl_pattern_same(t->range[n].pattern, p->pattern)) {
            return false;
        }
        n++;
    }
    return n == all;
}

/*
 * Nobody is notified.  TCG would flush its TLBs then; but a vCPU adds its
 * notifier when it first touches the region, without any lock, so the list may
 * not be walked while vCPUs run.  It flushes them at the end of each memory
 * transaction as well, if that changes anything: whose range is the same with
 * another pattern is mapped anew for that.  Whoever else would have to be told
 * does not live together with us, see cxl_direct_may_map_dynamic().
 */
void cxl_interleave_update(CXLFixedWindow *fw, const GArray *plan)
{
    CXLInterleaveRegion *r = fw->interleave;
    Table *t;

    if (table_is(r ? r->table : NULL, fw, plan)) {
        return;
    }
    r = region_get(fw);
    /*
     * Address spaces change one after the other, and other threads look on:
     * the pool has a backend before a table or the memory map leads to it.
     */
    memory_region_transaction_begin();
    t = table_new(fw, plan);
    memory_region_transaction_commit();
    trace_cxl_interleave_publish(fw->base, t->n);
    t->before = r->table;
    if (r->table) {
        r->table->after = t;
        r->old = r->table;
    }
    qatomic_rcu_set(&r->table, t);
}

void cxl_interleave_settle(CXLFixedWindow *fw)
{
    CXLInterleaveRegion *r = fw->interleave;

    if (r && r->old) {
        call_rcu(r->old, table_retire, rcu);
        r->old = NULL;
    }
}
