/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL Type 3 memory device: what follows when the border between volatile and
 * persistent capacity moves (CXL r3.2 8.2.10.9.2.2)
 *
 * The persistent backend is what can be partitioned, if a property says so.
 * Addresses stay where they are, so decoding does not care.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "cxl_type3_internal.h"

CXLPartition *cxl_type3_partition(CXLType3Dev *d)
{
    return &d->partition;
}

uint64_t cxl_type3_volatile_size(const CXLType3Dev *d)
{
    return d->vmem.size + d->partition.active;
}

uint64_t cxl_type3_persistent_size(const CXLType3Dev *d)
{
    return d->pmem.size - d->partition.active;
}

bool cxl_type3_shows_volatile(const CXLType3Dev *d)
{
    return d->vmem.mr || d->partition.active;
}

bool cxl_type3_shows_persistent(const CXLType3Dev *d)
{
    return d->pmem.mr &&
           !(d->partition.active && d->partition.active == d->pmem.size);
}

bool cxl_type3_is_decoded(CXLType3Dev *d, uint64_t dpa, uint64_t len)
{
    const uint32_t *regs = d->cxl.crb.cache_mem_registers;
    uint64_t at = 0;
    unsigned i;

    for (i = 0; i < cxl_hdm_count(regs); i++) {
        CXLHDMDecoder dec;
        uint64_t part;

        cxl_hdm_get(regs, i, &dec);
        if (!dec.committed) {
            continue;
        }
        at += dec.skip;
        part = dec.size / dec.ways;
        if (at < dpa + len && dpa < at + part) {
            return true;
        }
        at += part;
    }
    return false;
}

/* What else is told of the border */
void cxl_type3_partition_moved(CXLType3Dev *d)
{
    cxl_security_cover(&d->security, cxl_type3_volatile_size(d),
                       cxl_type3_persistent_size(d));
    cxl_doe_cdat_release(&d->cxl);
    /* nothing is read from outside, and the shape has been built before */
    cxl_doe_cdat_init(&d->cxl, &error_abort);
    cxl_type3_pci_show_ranges(d);
}

void cxl_type3_repartition(CXLType3Dev *d)
{
    uint64_t dpa, len;

    if (!cxl_partition_change(&d->partition, &dpa, &len)) {
        return;
    }
    /* Data must not come out from behind a passphrase as volatile memory */
    if (cxl_security_state(&d->security) &
        (CXL_SECURITY_USER_SET | CXL_SECURITY_MASTER_SET)) {
        cxl_partition_drop(&d->partition);
        return;
    }
    cxl_type3_wipe(d, dpa, len);
    cxl_type3_wipe_begin(d);
    cxl_poison_wipe(&d->poison, dpa, len);
    cxl_partition_apply(&d->partition);
    cxl_type3_partition_moved(d);
    /* What a passphrase locks has moved along */
    cxl_type3_map_changed(d);
}
