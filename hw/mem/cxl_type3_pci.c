/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL Type 3 memory device: configuration space, BARs, MSI-X, AER, DOE and the
 * coherent device attribute table behind it (CXL r3.2 8.1; CDAT r1.04; PCIe
 * r6.2 7.5 to 7.9)
 *
 * The persistent backend is what can be partitioned, if a property says so.
 * Addresses stay where they are, so decoding does not care.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "hw/cxl/cxl_cdat.h"
#include "hw/cxl/cxl_error.h"
#include "hw/cxl/memdev/partition.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_doe.h"
#include "cxl_type3_internal.h"
#include "trace.h"

#define COMPONENT_BAR   CXL_COMPONENT_REG_BAR_IDX
#define DEVICE_BAR      CXL_DEVICE_REG_BAR_IDX
#define MSIX_BAR        4

/* Programming interface of a CXL memory device of r2.0 and later */
#define PROG_IF_CXL     0x10

/* Device DVSEC capability: .io, .mem, memory set up by hardware, one range */
#define DEV_CAP         0x001e
/* .mem is on from the start, .io always is */
#define DEV_CTRL        0x0002
#define DEV_STATUS2     0x0002
/* Range: information valid, memory active, class and media as CDAT tells */
#define RANGE_FLAGS     0x4b

/* Phase 2 may take 3 s and draws 51 mW */
#define GPF_DURATION    0x0603
#define GPF_POWER       0x33

#define FLEXBUS_CAP     0x0026  /* .mem, .io, 68 byte flits */
#define FLEXBUS_CTRL    0x0002
#define FLEXBUS_TS      0xef

/* -- coherent device attribute table --------------------------------------- */

static bool cxl_type3_shows_volatile(const CXLType3Dev *d)
{
    return d->vmem.mr || d->mem->partition->active;
}

static bool cxl_type3_shows_persistent(const CXLType3Dev *d)
{
    return d->pmem.mr && !(d->pmem.size && !cxl_memdev_persistent_size(d->mem));
}

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

static void *cdat_new_entry(GPtrArray *table, uint8_t type, size_t length)
{
    CDATSubHeader *h = g_malloc0(length);

    h->type = type;
    h->length = cpu_to_le16(length);
    g_ptr_array_add(table, h);
    return h;
}

/* All that the table says about one range of DPA space */
static void cdat_add_range(GPtrArray *table, uint8_t handle, uint8_t flags,
                           uint64_t base, uint64_t length)
{
    CDATDsmas *dsmas = cdat_new_entry(table, CDAT_TYPE_DSMAS, sizeof(*dsmas));
    CDATDsemts *dsemts;
    unsigned i;

    dsmas->dsmad_handle = handle;
    dsmas->flags = flags;
    dsmas->dpa_base = cpu_to_le64(base);
    dsmas->dpa_length = cpu_to_le64(length);

    for (i = 0; i < ARRAY_SIZE(cxl_type3_speed); i++) {
        CDATDslbis *lb = cdat_new_entry(table, CDAT_TYPE_DSLBIS, sizeof(*lb));

        lb->handle = handle;
        lb->data_type = cxl_type3_speed[i].type;
        lb->entry_base_unit = cpu_to_le64(cxl_type3_speed[i].unit);
        lb->entry[0] = cpu_to_le16(cxl_type3_speed[i].value);
    }

    dsemts = cdat_new_entry(table, CDAT_TYPE_DSEMTS, sizeof(*dsemts));
    dsemts->dsmas_handle = handle;
    dsemts->efi_memory_type_attr = flags & CDAT_DSMAS_NON_VOLATILE ?
                                   EFI_RESERVED : EFI_SPECIFIC_PURPOSE;
    dsemts->dpa_length = cpu_to_le64(length);
}

static uint8_t cdat_dc_flags(const CXLDCRegion *r)
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
        cdat_add_range(table, handle, 0, 0, cxl_memdev_volatile_size(d->mem));
    }
    /* Handles of regions behind must not depend on the partition */
    handle += d->vmem.mr || d->partitionable;
    if (cxl_type3_shows_persistent(d)) {
        cdat_add_range(table, handle, CDAT_DSMAS_NON_VOLATILE,
                       cxl_memdev_volatile_size(d->mem),
                       cxl_memdev_persistent_size(d->mem));
    }
    handle += d->pmem.mr != NULL;
    for (i = 0; i < d->dc_config.nr_regions; i++) {
        CXLDCRegion *r = &d->dc_config.region[i];

        r->dsmad_handle = handle++;
        cdat_add_range(table, r->dsmad_handle, cdat_dc_flags(r), r->base,
                       r->decode_len);
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
static bool cdat_adopt_handles(CXLType3Dev *d, Error **errp)
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
            g_autofree char *name = cxl_echo(cdat->filename);

            error_setg(errp, "CDAT: %s has no DSMAS with the dynamic capacity "
                       "flag at DPA 0x%" PRIx64 ", where region %u begins",
                       name, r->base, i);
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
    if (cdat->filename && !cdat_adopt_handles(d, errp)) {
        cxl_doe_cdat_release(&d->cxl);
        return false;
    }
    return true;
}

static bool cxl_type3_cdat_doe(DOECap *doe)
{
    CXLComponentState *cxl = &CXL_TYPE3(doe->pdev)->cxl;
    const CDATReq *req = pcie_doe_get_write_mbox_ptr(doe);

    if (!cxl_cdat_respond(&cxl->cdat, doe)) {
        return false;
    }
    if (cxl->faults) {
        cxl_fault_cdat(cxl->faults, doe->read_mbox, doe->read_mbox_len,
                       le16_to_cpu(req->entry_handle));
    }
    return true;
}

/* -- configuration space and BARs ------------------------------------------ */

static const DOEProtocol cxl_type3_doe_protocols[] = {
    { CXL_VENDOR_ID, CXL_DOE_TABLE_ACCESS, cxl_type3_cdat_doe },
    { }
};

void cxl_type3_irq(void *opaque, unsigned vector)
{
    CXLType3Dev *d = opaque;
    PCIDevice *pci = PCI_DEVICE(d);
    unsigned times = 1;

    trace_cxl_type3_irq(DEVICE(d)->id, vector, msix_enabled(pci));
    if (d->cxl.faults) {
        times = cxl_fault_interrupt(d->cxl.faults, vector);
    }
    while (times-- && msix_enabled(pci)) {
        msix_notify(pci, vector);
    }
}

static uint32_t config_read_true(PCIDevice *pci, uint32_t addr, int size)
{
    uint32_t value;

    if (pcie_doe_read_config(&CXL_TYPE3(pci)->doe, addr, size, &value)) {
        return value;
    }
    return pci_default_read_config(pci, addr, size);
}

/* A place that faults know by another name than its address */
static uint32_t config_place(const CXLType3Dev *d, uint32_t addr)
{
    unsigned id;

    if (addr >= d->doe.offset && addr < d->doe.offset + PCI_DOE_CAP_SIZEOF) {
        return CXL_FAULT_CFG_DOE | (addr - d->doe.offset);
    }
    for (id = 0; id < ARRAY_SIZE(d->cxl.dvsecs); id++) {
        const Range *dvsec = &d->cxl.dvsecs[id];

        /* of those that are not there, all is 0 */
        if (dvsec->lob && range_contains(dvsec, addr)) {
            return CXL_FAULT_CFG_DVSEC(id) | (addr - dvsec->lob);
        }
    }
    return addr;
}

uint32_t cxl_type3_config_read(PCIDevice *pci, uint32_t addr, int size)
{
    CXLType3Dev *d = CXL_TYPE3(pci);
    uint32_t dword = addr & ~3u, value;

    if (!d->cxl.faults || size > 4 - addr % 4) {
        return config_read_true(pci, addr, size);
    }
    value = cxl_fault_read(d->cxl.faults, CXL_FAULT_CONFIG,
                           config_place(d, dword),
                           config_read_true(pci, dword, 4));
    return extract32(value, addr % 4 * 8, size * 8);
}

void cxl_type3_config_write(PCIDevice *pci, uint32_t addr, uint32_t value,
                            int size)
{
    CXLType3Dev *d = CXL_TYPE3(pci);

    pcie_doe_write_config(&d->doe, addr, value, size);
    pci_default_write_config(pci, addr, value, size);
    pcie_aer_write_config(pci, addr, value, size);
}

static void dvsec_fill_range(CXLDVSECRange *r, uint64_t size)
{
    r->size_hi = size >> 32;
    r->size_lo = (size & 0xf0000000) | RANGE_FLAGS;
}

/*
 * Two ranges exist when both kinds of static memory do, although the count in
 * the capability register says one: that is what guests have seen so far.
 */
static void dvsec_fill_ranges(const CXLType3Dev *d, CXLDVSECRange range[2])
{
    int n = 0;

    if (cxl_type3_shows_volatile(d)) {
        dvsec_fill_range(&range[n++], cxl_memdev_volatile_size(d->mem));
    }
    if (cxl_type3_shows_persistent(d)) {
        dvsec_fill_range(&range[n++], cxl_memdev_persistent_size(d->mem));
    }
    if (!n) {
        /* Dynamic capacity only: Linux wants a valid, active range, of 0 */
        dvsec_fill_range(&range[0], 0);
    }
}

/* Sizes of volatile and persistent memory in the device's DVSEC */
static void cxl_type3_pci_show_ranges(CXLType3Dev *d)
{
    PCIDevice *pci = PCI_DEVICE(d);
    CXLDVSECRange range[2] = { };
    unsigned i;

    dvsec_fill_ranges(d, range);
    for (i = 0; i < ARRAY_SIZE(range); i++) {
        unsigned hi = d->cxl.dvsecs[CXL_DEVICE_DVSEC].lob +
                      offsetof(CXLDVSECDevice, range[i].size_hi);
        unsigned lo = d->cxl.dvsecs[CXL_DEVICE_DVSEC].lob +
                      offsetof(CXLDVSECDevice, range[i].size_lo);

        pci_set_long(pci->config + hi, range[i].size_hi);
        pci_set_long(pci->config + lo, range[i].size_lo);
        /* A device that loads state may differ here until it has it all */
        pci_set_long(pci->cmask + hi, 0);
        pci_set_long(pci->cmask + lo, 0);
    }
}

static void dvsec_create_device(CXLType3Dev *d)
{
    CXLDVSECDevice dv = {
        .cap = DEV_CAP,
        .ctrl = DEV_CTRL,
        .status2 = DEV_STATUS2,
    };

    dvsec_fill_ranges(d, dv.range);
    cxl_component_create_dvsec(&d->cxl, CXL2_TYPE3_DEVICE,
                               CXL_DEVICE_DVSEC_LENGTH, CXL_DEVICE_DVSEC,
                               CXL_DEVICE_DVSEC_REVID, (uint8_t *)&dv);
    if (d->partitionable) {
        cxl_type3_pci_show_ranges(d);
    }
}

static void dvsec_create_all(CXLType3Dev *d)
{
    CXLDVSECRegisterLocator locator = {
        .reg0_base_lo = RBI_COMPONENT_REG | COMPONENT_BAR,
        .reg1_base_lo = RBI_CXL_DEVICE_REG | DEVICE_BAR,
    };
    CXLDVSECDeviceGPF gpf = {
        .phase2_duration = GPF_DURATION,
        .phase2_power = GPF_POWER,
    };
    CXLDVSECPortFlexBus flexbus = {
        .cap = FLEXBUS_CAP,
        .ctrl = FLEXBUS_CTRL,
        .status = FLEXBUS_CAP,
        .rcvd_mod_ts_data_phase1 = FLEXBUS_TS,
    };

    dvsec_create_device(d);
    cxl_component_create_dvsec(&d->cxl, CXL2_TYPE3_DEVICE,
                               REG_LOC_DVSEC_LENGTH, REG_LOC_DVSEC,
                               REG_LOC_DVSEC_REVID, (uint8_t *)&locator);
    cxl_component_create_dvsec(&d->cxl, CXL2_TYPE3_DEVICE,
                               GPF_DEVICE_DVSEC_LENGTH, GPF_DEVICE_DVSEC,
                               GPF_DEVICE_DVSEC_REVID, (uint8_t *)&gpf);

    /*
     * The four fill the space below DOE to the last byte.  A serial number
     * capability in front pushes the last one out; behind DOE there is room.
     */
    if (d->cxl.dvsec_offset + PCIE_CXL3_FLEXBUS_PORT_DVSEC_LENGTH >
        CXL_TYPE3_CFG_DOE) {
        d->cxl.dvsec_offset = CXL_TYPE3_CFG_DOE + PCI_DOE_SIZEOF;
    }
    cxl_component_create_dvsec(&d->cxl, CXL2_TYPE3_DEVICE,
                               PCIE_CXL3_FLEXBUS_PORT_DVSEC_LENGTH,
                               PCIE_FLEXBUS_PORT_DVSEC,
                               PCIE_CXL3_FLEXBUS_PORT_DVSEC_REVID,
                               (uint8_t *)&flexbus);
    assert(d->cxl.dvsec_offset <= CXL_TYPE3_CFG_AER);
}

static void cxl_type3_create_bars(CXLType3Dev *d)
{
    PCIDevice *pci = PCI_DEVICE(d);

    cxl_component_register_block_init(OBJECT(d), &d->cxl, TYPE_CXL_TYPE3);
    pci_register_bar(pci, COMPONENT_BAR,
                     PCI_BASE_ADDRESS_SPACE_MEMORY |
                     PCI_BASE_ADDRESS_MEM_TYPE_64,
                     &d->cxl.crb.component_registers);
    pci_register_bar(pci, DEVICE_BAR,
                     PCI_BASE_ADDRESS_SPACE_MEMORY |
                     PCI_BASE_ADDRESS_MEM_TYPE_64,
                     &d->regs.mr);
}

void cxl_type3_partition_moved(void *opaque)
{
    CXLType3Dev *d = opaque;

    cxl_doe_cdat_release(&d->cxl);
    /* nothing is read from outside, and the shape has been built before */
    cxl_doe_cdat_init(&d->cxl, &error_abort);
    cxl_type3_pci_show_ranges(d);
}

bool cxl_type3_pci_realize(CXLType3Dev *d, Error **errp)
{
    PCIDevice *pci = PCI_DEVICE(d);
    unsigned vector;

    pci_config_set_prog_interface(pci->config, PROG_IF_CXL);
    pcie_endpoint_cap_init(pci, CXL_TYPE3_CFG_PCIE);

    d->cxl.pdev = pci;
    d->cxl.dvsec_offset = CXL_TYPE3_CFG_DSN;
    if (d->sn != CXL_NO_SERIAL) {
        pcie_dev_ser_num_init(pci, CXL_TYPE3_CFG_DSN, d->sn);
        d->cxl.dvsec_offset += PCI_EXT_CAP_DSN_SIZEOF;
    }
    dvsec_create_all(d);
    cxl_type3_create_bars(d);

    if (msix_init_exclusive_bar(pci, CXL_TYPE3_VECTORS, MSIX_BAR, errp)) {
        goto undo_bars;
    }
    for (vector = 0; vector < CXL_TYPE3_VECTORS; vector++) {
        msix_vector_use(pci, vector);
    }

    pcie_doe_init(pci, &d->doe, CXL_TYPE3_CFG_DOE, cxl_type3_doe_protocols,
                  true, CXL_TYPE3_VEC_DOE);

    /* Device Control and Status say which errors to report and which were */
    pcie_cap_deverr_init(pci);
    if (pcie_aer_init(pci, PCI_ERR_VER, CXL_TYPE3_CFG_AER, PCI_ERR_SIZEOF,
                      errp)) {
        goto undo_doe;
    }
    return true;

undo_doe:
    pcie_doe_fini(&d->doe);
    msix_uninit_exclusive_bar(pci);
undo_bars:
    pcie_cap_exit(pci);
    return false;
}

void cxl_type3_pci_exit(CXLType3Dev *d)
{
    PCIDevice *pci = PCI_DEVICE(d);

    pcie_aer_exit(pci);
    pcie_doe_fini(&d->doe);
    msix_uninit_exclusive_bar(pci);
    pcie_cap_exit(pci);
}

/*
 * What software set in the device DVSEC is gone after a conventional reset
 * (8.1.3); ranges that stay enabled with old bases make Linux refuse the device
 * at its next start.
 */
static void dvsec_reset_device(CXLType3Dev *d)
{
    uint8_t *dv = PCI_DEVICE(d)->config + d->cxl.dvsecs[CXL_DEVICE_DVSEC].lob;
    int i;

    pci_set_word(dv + offsetof(CXLDVSECDevice, ctrl), DEV_CTRL);
    pci_set_word(dv + offsetof(CXLDVSECDevice, ctrl2), 0);
    pci_set_word(dv + offsetof(CXLDVSECDevice, lock), 0);
    for (i = 0; i < 2; i++) {
        pci_set_long(dv + offsetof(CXLDVSECDevice, range[i].base_hi), 0);
        pci_set_long(dv + offsetof(CXLDVSECDevice, range[i].base_lo), 0);
    }
}

void cxl_type3_pci_reset(CXLType3Dev *d)
{
    dvsec_reset_device(d);
    cxl_component_register_init_common(d->cxl.crb.cache_mem_registers,
                                       d->cxl.crb.cache_mem_regs_write_mask,
                                       CXL2_TYPE3_DEVICE);
    pcie_cap_fill_link_ep_usp(PCI_DEVICE(d), d->width, d->speed);
    pcie_cap_deverr_reset(PCI_DEVICE(d));
    pcie_doe_reset(&d->doe);
}
