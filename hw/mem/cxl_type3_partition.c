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
#include "hw/cxl/memdev/partition.h"
#include "cxl_type3_internal.h"

bool cxl_type3_shows_volatile(const CXLType3Dev *d)
{
    return d->vmem.mr || d->mem->partition->active;
}

bool cxl_type3_shows_persistent(const CXLType3Dev *d)
{
    return d->pmem.mr && !(d->pmem.size && !cxl_memdev_persistent_size(d->mem));
}

bool cxl_type3_is_decoded(void *opaque, uint64_t dpa, uint64_t len)
{
    CXLType3Dev *d = opaque;
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

void cxl_type3_partition_moved(void *opaque)
{
    CXLType3Dev *d = opaque;

    cxl_doe_cdat_release(&d->cxl);
    /* nothing is read from outside, and the shape has been built before */
    cxl_doe_cdat_init(&d->cxl, &error_abort);
    cxl_type3_pci_show_ranges(d);
}
