/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL Type 3 memory device as a head of a pool: static capacity of its own,
 * dynamic capacity of the pool, see hw/cxl/cxl_pool.h (CXL r3.2 2.5, 9.13.3)
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "hw/cxl/cxl_error.h"
#include "cxl_type3_internal.h"

/* A property that is about the medium, whose owner the pool is */
static bool pool_check_foreign(CXLType3Dev *d, Error **errp)
{
    g_autofree char *id = cxl_echo(cxl_pool_id(d->pool));
    const char *name = d->dcmem.hostmem ? "volatile-dc-memdev" :
                       d->nr_dc_regions ? "num-dc-regions" :
                       d->dc_max_extents != CXL_DC_DEFAULT_EXTENTS ?
                       "dc-extents-max" :
                       d->dc_max_tags != CXL_DC_DEFAULT_TAGS ? "dc-tags-max" :
                       NULL;

    for (unsigned i = 0; !name && i < CXL_DC_MAX_REGIONS; i++) {
        if (!cxl_dc_props_are_default(&d->dc_prop[i])) {
            name = "dcN-*";
        }
    }
    if (name) {
        error_setg(errp, "property '%s' is set, but dynamic capacity is that "
                   "of cxl-pool '%s': give it to the pool", name, id);
    }
    return !name;
}

bool cxl_type3_pool_check(CXLType3Dev *d, Error **errp)
{
    g_autofree char *id = NULL;

    if (!d->pool) {
        if (d->head != CXL_TYPE3_NO_HEAD) {
            error_setg(errp, "property 'head' is %u, but 'pool' is not set: "
                       "give it the id of a cxl-pool", d->head);
            return false;
        }
        return true;
    }
    id = cxl_echo(cxl_pool_id(d->pool));
    if (d->head == CXL_TYPE3_NO_HEAD) {
        error_setg(errp, "property 'pool' is '%s', but 'head' is not set: give "
                   "it the number of one of its heads", id);
        return false;
    }
    return pool_check_foreign(d, errp) &&
           cxl_pool_can_add_head(d->pool, d->head, errp);
}

/* -- memory ---------------------------------------------------------------- */

/* The pool has claimed it, and makes it travel */
void cxl_type3_pool_mem_take(CXLType3Dev *d)
{
    CXLBackend *m = &d->dcmem;

    m->hostmem = cxl_pool_backend(d->pool);
    m->mr = host_memory_backend_get_memory(m->hostmem);
    m->size = memory_region_size(m->mr);
    m->memory = cxl_ram_cache(m->mr);
}

/* The link property, which would drop a reference, never had it */
void cxl_type3_pool_mem_drop(CXLType3Dev *d)
{
    if (d->pool) {
        d->dcmem.hostmem = NULL;
    }
}

CXLWipe *cxl_type3_pool_wipe_of(CXLType3Dev *d, const CXLBackend *m)
{
    return d->pool && m == &d->dcmem ? cxl_pool_wipe(d->pool) : NULL;
}

/*
 * Sanitize is about what this logical device has alone: what others may see
 * stays.
 */
void cxl_type3_pool_wipe_all(CXLType3Dev *d)
{
    uint64_t dpa = 0, media, offset;
    CXLDCRange range;

    while (cxl_dc_next(d->dc, d->mem->host_id, dpa, &range, &media)) {
        int region = cxl_type3_dc_region_of(d, range.dpa, range.len);

        if (!d->dc_config.region[region].sharable &&
            cxl_type3_dc_backend_offset(d, media, range.len, &offset)) {
            cxl_wipe_note(cxl_pool_wipe(d->pool), offset, range.len);
        }
        dpa = range.dpa + range.len;
    }
}

/* -- dynamic capacity ------------------------------------------------------ */

void cxl_type3_pool_configure(CXLType3Dev *d, uint64_t base)
{
    d->dc_config = *cxl_pool_config(d->pool);
    for (unsigned i = 0; i < d->dc_config.nr_regions; i++) {
        d->dc_config.region[i].base += base;
        d->dc_offset[i] = cxl_pool_places(d->pool)[i];
    }
}

static void pool_loaded(void *opaque)
{
    cxl_type3_direct_reload(opaque);
}

bool cxl_type3_pool_realize(CXLType3Dev *d, const CXLDCOps *ops, Error **errp)
{
    const CXLPoolHead head = {
        .ops = ops,
        .loaded = pool_loaded,
        .opaque = d,
        .ld = &d->ld_cci,
    };

    CXLDynCap *dc = cxl_pool_dc(d->pool);

    if (!cxl_pool_can_add_head(d->pool, d->head, errp)) {
        return false;
    }
    for (unsigned i = 0; i < d->dc_config.nr_regions; i++) {
        cxl_dc_set_dsmad_handle(dc, d->head, i,
                                d->dc_config.region[i].dsmad_handle);
    }
    /* A view may show something at once */
    d->dc = dc;
    d->ld_cci.events = d->mem->events;
    if (!cxl_pool_add_head(d->pool, d->head, &head,
                           cxl_memdev_static_size(d->mem), errp)) {
        d->dc = NULL;
    }
    return d->dc;
}

void cxl_type3_pool_exit(CXLType3Dev *d)
{
    if (d->dc) {
        cxl_pool_remove_head(d->pool, d->head);
        d->dc = NULL;
    }
}
