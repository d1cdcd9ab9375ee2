/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL Type 3 memory device: coherent device attribute table
 * (CDAT r1.04; CXL r3.2 8.1.11 for the way to the host)
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "hw/cxl/cxl_cdat.h"
#include "hw/pci/pcie_doe.h"
#include "cxl_type3_internal.h"

/* HMAT data types, and what every range of this device claims */
static const struct {
    uint8_t type;
    uint16_t value;
    uint64_t unit;
} cxl_type3_speed[] = {
    { 1, 15, 10000 },   /* read latency: 150 ns, in ps */
    { 2, 25, 10000 },   /* write latency: 250 ns */
    { 4, 16, 1000 },    /* read bandwidth: 16 GB/s, in MB/s */
    { 5, 16, 1000 },    /* write bandwidth */
};

/* EFI memory type attributes of a DSEMTS */
#define EFI_SPECIFIC_PURPOSE    1
#define EFI_RESERVED            2

static void *new_entry(GPtrArray *table, uint8_t type, size_t length)
{
    CDATSubHeader *h = g_malloc0(length);

    h->type = type;
    h->length = cpu_to_le16(length);
    g_ptr_array_add(table, h);
    return h;
}

/* All that the table says about one range of DPA space */
static void add_range(GPtrArray *table, uint8_t handle, uint8_t flags,
                      uint64_t base, uint64_t length)
{
    CDATDsmas *dsmas = new_entry(table, CDAT_TYPE_DSMAS, sizeof(*dsmas));
    CDATDsemts *dsemts;
    unsigned i;

    dsmas->dsmad_handle = handle;
    dsmas->flags = flags;
    dsmas->dpa_base = cpu_to_le64(base);
    dsmas->dpa_length = cpu_to_le64(length);

    for (i = 0; i < ARRAY_SIZE(cxl_type3_speed); i++) {
        CDATDslbis *lb = new_entry(table, CDAT_TYPE_DSLBIS, sizeof(*lb));

        lb->handle = handle;
        lb->data_type = cxl_type3_speed[i].type;
        lb->entry_base_unit = cpu_to_le64(cxl_type3_speed[i].unit);
        lb->entry[0] = cpu_to_le16(cxl_type3_speed[i].value);
    }

    dsemts = new_entry(table, CDAT_TYPE_DSEMTS, sizeof(*dsemts));
    dsemts->dsmas_handle = handle;
    dsemts->efi_memory_type_attr = flags & CDAT_DSMAS_NON_VOLATILE ?
                                   EFI_RESERVED : EFI_SPECIFIC_PURPOSE;
    dsemts->dpa_length = cpu_to_le64(length);
}

static uint8_t dc_flags(const CXLDCRegion *r)
{
    return CDAT_DSMAS_DYNAMIC_CAPACITY |
           (r->non_volatile ? CDAT_DSMAS_NON_VOLATILE : 0) |
           (r->sharable ? CDAT_DSMAS_SHAREABLE : 0) |
           (r->hw_coherent ? CDAT_DSMAS_HW_COHERENCY : 0) |
           (r->read_only ? CDAT_DSMAS_READ_ONLY : 0);
}

static int cxl_type3_cdat_build(CDATSubHeader ***out, void *opaque)
{
    CXLType3Dev *d = opaque;
    GPtrArray *table = g_ptr_array_new();
    uint8_t handle = 0;
    unsigned i, n;

    if (cxl_type3_shows_volatile(d)) {
        add_range(table, handle, 0, 0, cxl_memdev_volatile_size(d->mem));
    }
    /* Handles of regions behind must not depend on the partition */
    handle += d->vmem.mr || d->partitionable;
    if (cxl_type3_shows_persistent(d)) {
        add_range(table, handle, CDAT_DSMAS_NON_VOLATILE,
                  cxl_memdev_volatile_size(d->mem),
                  cxl_memdev_persistent_size(d->mem));
    }
    handle += d->pmem.mr != NULL;
    for (i = 0; i < d->dc_config.nr_regions; i++) {
        CXLDCRegion *r = &d->dc_config.region[i];

        r->dsmad_handle = handle++;
        add_range(table, r->dsmad_handle, dc_flags(r), r->base, r->decode_len);
    }
    n = table->len;
    *out = (CDATSubHeader **)g_ptr_array_free(table, false);
    return n;
}

static void cxl_type3_cdat_free(CDATSubHeader **table, int num, void *opaque)
{
    int i;

    for (i = 0; i < num; i++) {
        g_free(table[i]);
    }
    g_free(table);
}

/*
 * A table from a file numbers the ranges its own way, and the host looks up a
 * region by the number that 4800h gives.
 */
static bool adopt_handles(CXLType3Dev *d, Error **errp)
{
    const CDATObject *cdat = &d->cxl.cdat;
    unsigned i;
    int e;

    for (i = 0; i < d->dc_config.nr_regions; i++) {
        CXLDCRegion *r = &d->dc_config.region[i];

        for (e = 1; e < cdat->entry_len; e++) {
            const CDATDsmas *dsmas = cdat->entry[e].base;

            if (cdat->entry[e].length == sizeof(*dsmas) &&
                dsmas->header.type == CDAT_TYPE_DSMAS &&
                dsmas->flags & CDAT_DSMAS_DYNAMIC_CAPACITY &&
                le64_to_cpu(dsmas->dpa_base) == r->base) {
                r->dsmad_handle = dsmas->dsmad_handle;
                break;
            }
        }
        if (e == cdat->entry_len) {
            error_setg(errp, "CDAT: %s has no DSMAS with the dynamic capacity "
                       "flag at DPA 0x%" PRIx64 ", where region %u begins",
                       cdat->filename, r->base, i);
            return false;
        }
    }
    return true;
}

bool cxl_type3_cdat_realize(CXLType3Dev *d, Error **errp)
{
    CDATObject *cdat = &d->cxl.cdat;

    cdat->build_cdat_table = cxl_type3_cdat_build;
    cdat->free_cdat_table = cxl_type3_cdat_free;
    cdat->private = d;
    if (!cxl_doe_cdat_init(&d->cxl, errp)) {
        return false;
    }
    if (cdat->filename && !adopt_handles(d, errp)) {
        cxl_doe_cdat_release(&d->cxl);
        return false;
    }
    return true;
}

bool cxl_type3_cdat_doe(DOECap *doe)
{
    return cxl_cdat_respond(&CXL_TYPE3(doe->pdev)->cxl.cdat, doe);
}
