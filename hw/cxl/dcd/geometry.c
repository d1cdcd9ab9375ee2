/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity regions from what a user says (CXL r3.2 7.6.7.6.1,
 * 8.2.10.9.9.1); see cxl_dc_geometry.h
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/host-utils.h"
#include "hw/cxl/cxl_dc_geometry.h"
#include "migration/vmstate-checked.h"

/*
 * Sizes that a Fabric Manager may choose from by default, as far as they divide
 * the region: 4 KiB, the page of most hosts, to 1 GiB.
 */
#define DEFAULT_BLOCKS MAKE_64BIT_MASK(12, 19)
/* All that can be shown at all (7.6.7.6.1) */
#define POSSIBLE_BLOCKS \
    MAKE_64BIT_MASK(CXL_DC_MIN_BLOCK_SHIFT, \
                    CXL_DC_MAX_BLOCK_SHIFT - CXL_DC_MIN_BLOCK_SHIFT + 1)

/* Sizes that cut both ends of the region at a block boundary */
static uint64_t dc_dividing_blocks(const CXLDCRegion *r)
{
    uint64_t ends = r->base | r->len;

    return POSSIBLE_BLOCKS & MAKE_64BIT_MASK(0, ctz64(ends) + 1);
}

bool cxl_dc_props_are_default(const CXLDCRegionProps *p)
{
    return !p->size && p->block_size == CXL_DC_DEFAULT_BLOCK &&
           !p->block_sizes && !p->sharable && !p->read_only &&
           !p->non_volatile && !p->hw_coherent && !p->sanitize &&
           p->sanitize_configurable;
}

static bool dc_check_unused(const CXLDCGeometry *g, Error **errp)
{
    for (unsigned i = g->nr_regions; i < CXL_DC_MAX_REGIONS; i++) {
        if (!cxl_dc_props_are_default(&g->props[i])) {
            error_setg(errp, "a property 'dc%u-*' is set, but 'num-dc-regions' "
                       "is %u: give it at least %u", i, g->nr_regions,
                       i + 1);
            return false;
        }
    }
    return true;
}

/* Regions without a size of their own get equal parts of what is left */
static bool dc_share_out(const CXLDCGeometry *g, CXLDCConfig *config,
                         Error **errp)
{
    uint64_t left = g->size;
    unsigned i, unset = 0;
    uint64_t share = 0;

    for (i = 0; i < g->nr_regions; i++) {
        uint64_t size = g->props[i].size;

        if (size > left) {
            error_setg(errp, "property 'dc%u-size' is 0x%" PRIx64 ", but "
                       "%s has only 0x%" PRIx64 " bytes left", i, size,
                       g->backend, left);
            return false;
        }
        left -= size;
        unset += !size;
    }
    if (unset) {
        share = left / unset;
        if (left % (unset * CXL_DC_GRANULE)) {
            error_setg(errp, "backend size is not multiple of region len: "
                       "property 'num-dc-regions' is %u, and the 0x%" PRIx64
                       " bytes of %s without a 'dcN-size' do not make %u "
                       "regions of a multiple of 256 MiB: give each "
                       "'dcN-size', or the backend a multiple of 0x%" PRIx64
                       " bytes", g->nr_regions, left, g->backend, unset,
                       (uint64_t)unset * CXL_DC_GRANULE);
            return false;
        }
        if (!share) {
            error_setg(errp, "the properties 'dcN-size' leave nothing of %s "
                       "for %u region(s) without one: make the backend "
                       "larger, or 'num-dc-regions' smaller", g->backend,
                       unset);
            return false;
        }
    }
    if (!unset && left) {
        warn_report("%s: the properties 'dcN-size' leave 0x%" PRIx64 " bytes "
                    "of %s in no region: leave out one of them, and it gets "
                    "the rest", g->owner, left, g->backend);
    }
    for (i = 0; i < g->nr_regions; i++) {
        config->region[i].len = g->props[i].size ?: share;
    }
    return true;
}

static bool dc_place(const CXLDCGeometry *g, CXLDCConfig *config,
                     uint64_t *place, Error **errp)
{
    uint64_t base = g->base;
    uint64_t offset = 0;
    unsigned i;

    for (i = 0; i < g->nr_regions; i++) {
        CXLDCRegion *r = &config->region[i];

        r->base = base;
        r->decode_len = ROUND_UP(r->len, CXL_DC_GRANULE);
        place[i] = offset;
        base += r->decode_len;
        offset += r->len;
    }
    if (offset % CXL_DC_GRANULE) {
        error_setg(errp, "properties 'dcN-size' make 0x%" PRIx64 " bytes of "
                   "dynamic capacity, which is no multiple of 256 MiB", offset);
        return false;
    }
    return true;
}

static bool dc_cut(const CXLDCGeometry *g, CXLDCConfig *config, unsigned i,
                   Error **errp)
{
    const CXLDCRegionProps *p = &g->props[i];
    CXLDCRegion *r = &config->region[i];
    uint64_t fits = dc_dividing_blocks(r);

    r->block_size = p->block_size;
    if (!is_power_of_2(r->block_size) || !(r->block_size & fits)) {
        error_setg(errp, "property 'dc%u-block-size' is 0x%" PRIx64 ", which "
                   "is no power of two from 64 to 2^51 that divides the "
                   "region's base 0x%" PRIx64 " and length 0x%" PRIx64,
                   i, r->block_size, r->base, r->len);
        return false;
    }
    if (p->block_sizes & ~fits) {
        error_setg(errp, "property 'dc%u-block-sizes' is 0x%" PRIx64 ", but "
                   "only sizes in 0x%" PRIx64 " divide the region", i,
                   p->block_sizes, fits);
        return false;
    }
    if (p->block_sizes && !(p->block_sizes & r->block_size)) {
        error_setg(errp, "property 'dc%u-block-sizes' is 0x%" PRIx64 ", which "
                   "lacks the block size 0x%" PRIx64, i, p->block_sizes,
                   r->block_size);
        return false;
    }
    /* Where hosts put the region is not known yet, but what divides it */
    if (g->any_base) {
        fits &= MAKE_64BIT_MASK(0, ctz64(CXL_DC_GRANULE) + 1);
    }
    r->block_mask = p->block_sizes ?: (DEFAULT_BLOCKS & fits) | r->block_size;
    r->sharable = p->sharable;
    r->read_only = p->read_only;
    r->non_volatile = p->non_volatile;
    r->hw_coherent = p->hw_coherent;
    r->sanitize = p->sanitize;
    r->sanitize_configurable = p->sanitize_configurable;
    return true;
}


bool cxl_dc_geometry(const CXLDCGeometry *g, CXLDCConfig *config,
                     uint64_t *place, Error **errp)
{
    if (!dc_check_unused(g, errp)) {
        return false;
    }
    if (!g->nr_regions) {
        return true;
    }
    if (!g->max_extents) {
        error_setg(errp, "property 'dc-extents-max' is 0: a device tracks at "
                   "least one extent");
        return false;
    }
    if (!dc_share_out(g, config, errp) || !dc_place(g, config, place, errp)) {
        return false;
    }
    for (unsigned i = 0; i < g->nr_regions; i++) {
        if (!dc_cut(g, config, i, errp)) {
            return false;
        }
    }
    return true;
}

/* -- state ---------------------------------------------------------------- */

#define SAME(n, field, property) \
    VMSTATE_SAME(region[n].field, CXLDCConfig, "dc" #n "-" property)

#define REGION(n) { \
    .name = "dc" #n, \
    .version_id = 1, \
    .minimum_version_id = 1, \
    .fields = (const VMStateField[]) { \
        SAME(n, len, "size"), \
        SAME(n, block_size, "block-size"), \
        SAME(n, block_mask, "block-sizes"), \
        SAME(n, sharable, "sharable"), \
        SAME(n, read_only, "read-only"), \
        SAME(n, non_volatile, "non-volatile"), \
        SAME(n, hw_coherent, "hw-coherent"), \
        SAME(n, sanitize, "sanitize"), \
        SAME(n, sanitize_configurable, "sanitize-configurable"), \
        VMSTATE_END_OF_LIST() \
    }, \
}

static const VMStateDescription vmstate_region[CXL_DC_MAX_REGIONS] = {
    REGION(0), REGION(1), REGION(2), REGION(3),
    REGION(4), REGION(5), REGION(6), REGION(7),
};

QEMU_BUILD_BUG_ON(CXL_DC_MAX_REGIONS != 8);

const VMStateDescription vmstate_cxl_dc_regions = {
    .name = "cxl-dc-regions",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_ALL(CXLDCConfig, vmstate_region[0]),
        VMSTATE_ALL(CXLDCConfig, vmstate_region[1]),
        VMSTATE_ALL(CXLDCConfig, vmstate_region[2]),
        VMSTATE_ALL(CXLDCConfig, vmstate_region[3]),
        VMSTATE_ALL(CXLDCConfig, vmstate_region[4]),
        VMSTATE_ALL(CXLDCConfig, vmstate_region[5]),
        VMSTATE_ALL(CXLDCConfig, vmstate_region[6]),
        VMSTATE_ALL(CXLDCConfig, vmstate_region[7]),
        VMSTATE_END_OF_LIST()
    },
};
