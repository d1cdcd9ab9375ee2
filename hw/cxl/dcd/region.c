/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Regions of the dynamic capacity model: configuration rules (CXL r3.2
 * 8.2.10.9.9.1, 7.6.7.6.1), the map of free blocks, and Set DC Region
 * Configuration (7.6.7.6.3).
 */
#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "qapi/error.h"
#include "dc-internal.h"
#include "trace/trace-hw_cxl.h"

#define BLOCK_MASK_VALID \
    MAKE_64BIT_MASK(CXL_DC_MIN_BLOCK_SHIFT, \
                    CXL_DC_MAX_BLOCK_SHIFT - CXL_DC_MIN_BLOCK_SHIFT + 1)

bool dc_check_region(const CXLDCConfig *config, unsigned i, Error **errp)
{
    const CXLDCRegion *r = &config->region[i];
    uint64_t largest;

    if (!r->decode_len || !QEMU_IS_ALIGNED(r->decode_len, CXL_DC_GRANULE)) {
        error_setg(errp, "DC region %u: decode length 0x%" PRIx64
                   " is not a multiple of 0x%" PRIx64, i, r->decode_len,
                   (uint64_t)CXL_DC_GRANULE);
        return false;
    }
    if (!QEMU_IS_ALIGNED(r->base, CXL_DC_GRANULE)) {
        error_setg(errp, "DC region %u: base 0x%" PRIx64
                   " is not a multiple of 0x%" PRIx64, i, r->base,
                   (uint64_t)CXL_DC_GRANULE);
        return false;
    }
    if (r->decode_len > UINT64_MAX - r->base) {
        error_setg(errp, "DC region %u: decode length 0x%" PRIx64
                   " from base 0x%" PRIx64 " leaves the address space", i,
                   r->decode_len, r->base);
        return false;
    }
    if (i && r->base < config->region[i - 1].base +
                       config->region[i - 1].decode_len) {
        error_setg(errp, "DC region %u: base 0x%" PRIx64
                   " is below the end of region %u", i, r->base, i - 1);
        return false;
    }
    if (!r->len || r->len > r->decode_len) {
        error_setg(errp, "DC region %u: length 0x%" PRIx64
                   " is not within 1..0x%" PRIx64 " (decode length)", i,
                   r->len, r->decode_len);
        return false;
    }
    if (!r->block_mask || (r->block_mask & ~BLOCK_MASK_VALID)) {
        error_setg(errp, "DC region %u: block size mask 0x%" PRIx64
                   " must name sizes from 2^%d to 2^%d only", i, r->block_mask,
                   CXL_DC_MIN_BLOCK_SHIFT, CXL_DC_MAX_BLOCK_SHIFT);
        return false;
    }
    if (!is_power_of_2(r->block_size) || !(r->block_size & r->block_mask)) {
        error_setg(errp, "DC region %u: block size 0x%" PRIx64
                   " is not in the block size mask 0x%" PRIx64, i,
                   r->block_size, r->block_mask);
        return false;
    }
    largest = 1ULL << (63 - clz64(r->block_mask));
    if (!QEMU_IS_ALIGNED(r->base, largest) ||
        !QEMU_IS_ALIGNED(r->len, largest)) {
        error_setg(errp, "DC region %u: base 0x%" PRIx64 " or length 0x%"
                   PRIx64 " is not a multiple of block size 0x%" PRIx64, i,
                   r->base, r->len, largest);
        return false;
    }
    return true;
}

int dc_region_at(const CXLDynCap *dc, uint64_t dpa)
{
    for (unsigned i = 0; i < dc->config.nr_regions; i++) {
        const CXLDCRegion *r = &dc->region[i].pub;

        if (dpa >= r->base && dpa - r->base < r->len) {
            return i;
        }
    }
    return -1;
}

int cxl_dc_region_of(const CXLDynCap *dc, uint64_t dpa, uint64_t len)
{
    int i = dc_region_at(dc, dpa);
    const CXLDCRegion *r;

    if (i < 0 || !len) {
        return -1;
    }
    r = &dc->region[i].pub;
    return len <= r->len && dpa - r->base <= r->len - len ? i : -1;
}

bool dc_range_is_free(const CXLDynCap *dc, unsigned region, uint64_t dpa,
                      uint64_t len)
{
    const DCRec *hole = dc_set_find(&dc->region[region].holes, dpa);

    return hole && len <= hole->len - (dpa - hole->dpa);
}

void dc_alloc_range(CXLDynCap *dc, unsigned region, uint64_t dpa, uint64_t len)
{
    DCRegion *r = &dc->region[region];
    DCRec hole = *dc_set_find(&r->holes, dpa);
    DCRec above = { .dpa = dpa + len };
    uint64_t below = dpa - hole.dpa;

    above.len = hole.len - below - len;
    if (below) {
        dc_set_change(&r->holes, hole.dpa, hole.dpa, below);
        if (above.len) {
            dc_set_insert(&r->holes, &above);
        }
    } else if (above.len) {
        dc_set_change(&r->holes, hole.dpa, above.dpa, above.len);
    } else {
        dc_set_remove(&r->holes, hole.dpa);
    }
    r->free -= len;
}

void dc_free_range(CXLDynCap *dc, unsigned region, uint64_t dpa, uint64_t len)
{
    DCRegion *r = &dc->region[region];
    DCRec hole = { .dpa = dpa, .len = len };
    DCCursor cur;
    const DCRec *rec = dc_set_from(&r->holes, dpa - !!dpa, &cur);
    bool below = rec && rec->dpa < dpa;

    if (below) {
        hole.dpa = rec->dpa;
        hole.len += rec->len;
        rec = dc_set_next(&cur);
    }
    if (rec && rec->dpa == dpa + len) {
        uint64_t above = rec->dpa;

        hole.len += rec->len;
        if (below) {
            dc_set_remove(&r->holes, above);
        } else {
            dc_set_change(&r->holes, above, hole.dpa, hole.len);
        }
    } else if (!below) {
        dc_set_insert(&r->holes, &hole);
    }
    if (below) {
        dc_set_change(&r->holes, hole.dpa, hole.dpa, hole.len);
    }
    r->free += len;
}

CXLRetCode cxl_dc_set_region(CXLDynCap *dc, unsigned region,
                             uint64_t block_size, bool sanitize, Error **errp)
{
    DCRegion *r;

    /* Unsure between 02h and 03h for a region that is not there; 02h here */
    if (!cxl_dc_has_region(dc, region, errp)) {
        return CXL_RC_INVALID_INPUT;
    }
    r = &dc->region[region];
    /* Offered and referenced blocks count as not released (unsure) */
    if (r->free != r->pub.len) {
        error_setg(errp, "region %u has 0x%" PRIx64 " bytes in use", region,
                   r->pub.len - r->free);
        return CXL_RC_UNSUPPORTED;
    }
    if (sanitize != r->pub.sanitize && !r->pub.sanitize_configurable) {
        error_setg(errp, "region %u: sanitize on release is fixed to %s",
                   region, r->pub.sanitize ? "on" : "off");
        return CXL_RC_UNSUPPORTED;
    }
    if (!is_power_of_2(block_size) || !(block_size & r->pub.block_mask)) {
        error_setg(errp, "region %u: block size 0x%" PRIx64
                   " is not in the mask 0x%" PRIx64, region, block_size,
                   r->pub.block_mask);
        return CXL_RC_INVALID_INPUT;
    }
    for (unsigned h = 0; h < dc->config.nr_hosts; h++) {
        if (dc_host_is_present(dc, h) && !dc_log_has_space(dc, h, 1)) {
            error_setg(errp, "event log of host %u is full", h);
            return CXL_RC_RETRY_REQUIRED;
        }
    }

    r->pub.block_size = block_size;
    r->pub.sanitize = sanitize;
    trace_cxl_dc_set_region(region, block_size, sanitize);
    /*
     * A record for every success, also when nothing is new (unsure).  A host
     * that comes later asks by itself.
     */
    for (unsigned h = 0; h < dc->config.nr_hosts; h++) {
        const CXLDCExtent none = { };
        DCEffects fx;

        if (!dc_host_is_present(dc, h)) {
            continue;
        }
        dc_effects_init(&fx, h, CXL_DC_EV_REGION_UPDATED);
        fx.region = region;
        g_array_append_val(fx.records, none);
        dc_effects_run(dc, &fx);
    }
    return CXL_RC_SUCCESS;
}
