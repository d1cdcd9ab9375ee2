/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL Type 3 memory device: properties, construction, reset, and the answers it
 * gives to command sets (CXL r3.2 chapter 8; the rest is in cxl_type3_*.c)
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/module.h"
#include "hw/resettable.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pcie_port.h"
#include "hw/cxl/cxl_error.h"
#include "cxl_type3_internal.h"
#include "trace.h"

static void cxl_type3_bg_irq(void *opaque)
{
    cxl_type3_irq(opaque, CXL_TYPE3_VEC_BACKGROUND);
}

/* Bytes from DPA 0 to the last that is backed by something */
static uint64_t cxl_type3_medium_size(const CXLType3Dev *d)
{
    const CXLDCRegion *last;

    if (!d->dc_config.nr_regions) {
        return d->vmem.size + d->pmem.size;
    }
    last = &d->dc_config.region[d->dc_config.nr_regions - 1];
    return last->base + last->len;
}

static void cxl_type3_memdev_init(CXLType3Dev *d)
{
    const CXLMemDevConfig config = {
        .volatile_size = d->vmem.size,
        .persistent_size = d->pmem.size,
        .partitionable = d->partitionable,
        .lsa_size = d->lsa.size,
        .medium_size = cxl_type3_medium_size(d),
        .log_depth = CXL_TYPE3_LOG_DEPTH,
        .dc_log_depth = d->dc_log_depth,
    };
    uint8_t *msgnum;

    cxl_memdev_init(d->mem, &config);
    msgnum = d->mem->events->msgnum;
    msgnum[CXL_EVENT_LOG_INFO] = CXL_TYPE3_VEC_LOG_INFO;
    msgnum[CXL_EVENT_LOG_WARN] = CXL_TYPE3_VEC_LOG_WARN;
    msgnum[CXL_EVENT_LOG_FAIL] = CXL_TYPE3_VEC_LOG_FAIL;
    msgnum[CXL_EVENT_LOG_FATAL_ERR] = CXL_TYPE3_VEC_LOG_FATAL;
    msgnum[CXL_EVENT_LOG_DYNCAP] = CXL_TYPE3_VEC_LOG_DYNCAP;
}

void cxl_type3_models_forget(CXLType3Dev *d)
{
    cxl_cci_forget(&d->mailbox_cci);
    cxl_cci_forget(&d->fm_cci);
    cxl_cci_forget(&d->ld_cci);
    cxl_type3_dc_forget(d);
    cxl_memdev_forget(d->mem);
}

static void cxl_type3_cci_init(CXLType3Dev *d, CXLCCI *cci, CXLCCIKind kind,
                               CXLEventLogs *events, uint32_t payload)
{
    *cci = (CXLCCI) {
        .memdev = d->mem,
        .dc = d->dc,
        .host_id = d->mem->host_id,
        .fm_sets = d->fm_on_mailbox &&
                   (!d->pool || cxl_pool_fm_on_mailbox(d->pool)),
        .events = events,
        .clock = d->mem->clock,
        .bg_time_scale = &d->bg_time_scale,
    };
    if (d->pool && cxl_pool_is_remote(d->pool)) {
        /* Who manages the pool does it there; here is a view of it */
        cci->dc = kind == CXL_CCI_FM ? NULL : d->dc;
        cxl_pool_set_remote(d->pool, d->head, cci);
    }
    if (kind == CXL_CCI_FM) {
        cci->pool = d->pool && !cxl_pool_is_remote(d->pool) ?
                    cxl_pool_cci(d->pool) : NULL;
        cci->lds = &d->ld_cci;
        cci->nr_lds = CXL_MEMDEV_LDS;
    }
    cxl_cci_init(cci, kind, DEVICE(d), payload);
}

static void cxl_type3_ccis_init(CXLType3Dev *d)
{
    QEMU_BUILD_BUG_ON(CXL_MEMDEV_LDS != 1);
    cxl_type3_cci_init(d, &d->mailbox_cci, CXL_CCI_MAILBOX, d->mem->events,
                       d->mailbox_payload);
    cxl_type3_cci_init(d, &d->fm_cci, CXL_CCI_FM, d->mem->fm_events,
                       CXL_TYPE3_FM_PAYLOAD_SIZE);
    cxl_type3_cci_init(d, &d->ld_cci, CXL_CCI_LD, d->mem->events,
                       CXL_TYPE3_LD_PAYLOAD_SIZE);
}

static void cxl_type3_ccis_exit(CXLType3Dev *d)
{
    cxl_cci_destroy(&d->ld_cci);
    cxl_cci_destroy(&d->fm_cci);
    cxl_cci_destroy(&d->mailbox_cci);
}

/*
 * The device promises that data can be destroyed and labels be written, and it
 * clears memory by itself: none of its backends may be read-only, not even that
 * of a region that hosts only read.
 */
static bool cxl_type3_check_writable(CXLType3Dev *d, Error **errp)
{
    const struct {
        const char *property;
        HostMemoryBackend *backend;
    } all[] = {
        { "memdev", d->memdev },
        { "persistent-memdev", d->pmem.hostmem },
        { "volatile-memdev", d->vmem.hostmem },
        { "volatile-dc-memdev", d->dcmem.hostmem },
        { "lsa", d->lsa.hostmem },
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(all); i++) {
        MemoryRegion *mr = all[i].backend ?
            host_memory_backend_get_memory(all[i].backend) : NULL;

        if (mr && memory_region_is_rom(mr)) {
            g_autofree char *name =
                host_memory_backend_get_name(all[i].backend);
            g_autofree char *shown = cxl_echo(name);

            error_setg(errp, "property '%s' names the read-only memory backend "
                       "'%s', but the device has to write to it: give the "
                       "backend readonly=off, or readonly=on,rom=off,share=off "
                       "for a copy that is gone when QEMU ends",
                       all[i].property, shown);
            return false;
        }
    }
    return true;
}

/*
 * Labels of persistent memory name the device by its serial number, and Linux
 * does not look at those of a device without one.  So a device that got none
 * has one that is the same whenever the machine starts: it follows from the
 * device's place in the machine, behind QEMU's OUI.
 */
static uint64_t cxl_type3_default_serial(CXLType3Dev *d)
{
    g_autofree char *path = object_get_canonical_path(OBJECT(d));
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256,
                                                         path, -1);

    sum[10] = '\0';
    return 0x525400ull << 40 | g_ascii_strtoull(sum, NULL, 16);
}

static bool cxl_type3_check_properties(CXLType3Dev *d, Error **errp)
{
    if (!cxl_type3_pool_check(d, errp)) {
        return false;
    }
    if (!d->memdev && !d->vmem.hostmem && !d->pmem.hostmem &&
        !d->nr_dc_regions && !d->pool) {
        error_setg(errp, "at least one memdev property must be set: "
                   "volatile-memdev, persistent-memdev, or volatile-dc-memdev "
                   "with num-dc-regions");
        return false;
    }
    if (d->memdev && d->pmem.hostmem) {
        error_setg(errp, "[memdev] cannot be used with new "
                         "[persistent-memdev] property: leave out memdev, "
                         "which is the old name");
        return false;
    }
    if (!cxl_type3_check_writable(d, errp)) {
        return false;
    }
    if (d->memdev) {
        /* The reference moves along: a backend must not be dropped twice */
        d->pmem.hostmem = g_steal_pointer(&d->memdev);
    }
    if (d->pmem.hostmem && d->sn == CXL_NO_SERIAL) {
        d->sn = cxl_type3_default_serial(d);
    }
    if (d->pmem.hostmem && !d->lsa.hostmem) {
        error_setg(errp, "lsa property must be set for persistent devices: "
                   "give it a memory backend of its own for labels");
        return false;
    }
    if (d->partitionable && (!d->pmem.hostmem || d->cxl.cdat.filename)) {
        error_setg(errp, "property 'partitionable' needs persistent-memdev and "
                   "a CDAT that is not from a file");
        return false;
    }
    if (d->cxl.hdm_db && !d->cxl.flit_256b) {
        error_setg(errp, "hdm-db requires operating in 256b flit: give the "
                   "device and each port above it x-256b-flit=on");
        return false;
    }
    if (d->nr_dc_regions > CXL_DC_MAX_REGIONS) {
        error_setg(errp, "property 'num-dc-regions' is %u, but a device has at "
                   "most %d dynamic capacity regions", d->nr_dc_regions,
                   CXL_DC_MAX_REGIONS);
        return false;
    }
    if (d->dc_log_depth < 1 || d->dc_log_depth > UINT16_MAX) {
        error_setg(errp, "property 'dc-event-log-depth' is %" PRIu32 ", but "
                   "a log holds 1 to %d records", d->dc_log_depth, UINT16_MAX);
        return false;
    }
    if (!cxl_mailbox_check_payload(d->mailbox_payload, errp)) {
        return false;
    }
    if (d->bg_time_scale > 100) {
        error_setg(errp, "property 'bg-time-scale' is %u: give a percentage "
                   "from 0, background operations end at once, to 100",
                   d->bg_time_scale);
        return false;
    }
    return true;
}

static bool cxl_type3_build(CXLType3Dev *d, Error **errp)
{
    if (!cxl_type3_mem_realize(d, errp)) {
        return false;
    }
    if (!cxl_type3_dc_configure(d, errp)) {
        goto undo_mem;
    }
    cxl_type3_memdev_init(d);

    if (!cxl_type3_cdat_realize(d, errp)) {
        goto undo_models;
    }
    if (!cxl_type3_dc_realize(d, errp)) {
        goto undo_cdat;
    }
    cxl_type3_ccis_init(d);
    cxl_devregs_init(&d->regs, OBJECT(d), TYPE_CXL_TYPE3 "-device-registers",
                     &d->mailbox_cci, d->mem->events, CXL_TYPE3_VEC_BACKGROUND,
                     cxl_type3_bg_irq, d);
    if (cxl_type3_pci_realize(d, errp)) {
        return true;
    }

    cxl_type3_ccis_exit(d);
    cxl_type3_dc_exit(d);
undo_cdat:
    cxl_doe_cdat_release(&d->cxl);
undo_models:
    cxl_memdev_destroy(d->mem);
undo_mem:
    cxl_type3_mem_exit(d);
    return false;
}

/* Linux tells memory devices apart by it when it puts a region together */
static int cxl_type3_warn_of_serial(Object *obj, void *opaque)
{
    CXLType3Dev *d = opaque;
    CXLType3Dev *other = (CXLType3Dev *)object_dynamic_cast(obj,
                                                            TYPE_CXL_TYPE3);

    if (!other || other == d || other->sn != d->sn ||
        !other->direct.attached) {
        return 0;
    }
    warn_report("cxl-type3 '%s': property 'sn' is 0x%" PRIx64 " as that of "
                "'%s', which Linux takes for the same device: give each its "
                "own", DEVICE(d)->id ?: "(no id)", d->sn,
                DEVICE(other)->id ?: "(no id)");
    return 1;
}

static void cxl_type3_realize(PCIDevice *pci, Error **errp)
{
    CXLType3Dev *d = CXL_TYPE3(pci);
    bool built;

    if (!cxl_type3_check_properties(d, errp)) {
        return;
    }
    /* All address spaces of the machine are laid out once, not per region */
    memory_region_transaction_begin();
    built = cxl_type3_build(d, errp);
    memory_region_transaction_commit();
    if (built) {
        if (d->sn != CXL_NO_SERIAL) {
            object_child_foreach_recursive(qdev_get_machine(),
                                           cxl_type3_warn_of_serial, d);
        }
        cxl_type3_direct_attach(d);
    }
}

static void cxl_type3_exit(PCIDevice *pci)
{
    CXLType3Dev *d = CXL_TYPE3(pci);

    cxl_type3_direct_detach(d);
    cxl_devregs_exit(&d->regs);
    cxl_type3_pci_exit(d);
    cxl_type3_ccis_exit(d);
    cxl_type3_dc_exit(d);
    cxl_doe_cdat_release(&d->cxl);
    cxl_memdev_destroy(d->mem);
    cxl_type3_mem_unplug(d);
}

static const CXLMemDevOps cxl_type3_memdev_ops = {
    .zero = cxl_type3_zero,
    .wipe = cxl_type3_wipe,
    .wipe_begin = cxl_type3_wipe_begin,
    .wipe_all = cxl_type3_wipe_all,
    .is_wiping = cxl_type3_is_wiping,
    .store_line = cxl_type3_store_line,
    .lsa_read = cxl_type3_lsa_read,
    .lsa_write = cxl_type3_lsa_write,
    .is_decoded = cxl_type3_is_decoded,
    .partition_moved = cxl_type3_partition_moved,
    .map_changed = cxl_type3_map_changed,
    .interrupt = cxl_type3_irq,
    .dump = cxl_type3_populate_dump,
};

static void cxl_type3_instance_init(Object *obj)
{
    CXL_TYPE3(obj)->mem = cxl_memdev_new(&cxl_type3_memdev_ops, obj);
}

static void cxl_type3_finalize(Object *obj)
{
    CXLType3Dev *d = CXL_TYPE3(obj);

    cxl_devregs_finalize(&d->regs);
    cxl_memdev_free(d->mem);
}

/*
 * Conventional reset.  A sanitize that runs ends: what is not overwritten yet
 * reads as zeroes, and is overwritten while the device works.  Contents of
 * memory and labels, the Fabric Manager's log, non-shared dynamic capacity and
 * what cxl_memdev_reset() lists survive it.
 */
static void cxl_type3_reset_hold(Object *obj, ResetType type)
{
    CXLType3Dev *d = CXL_TYPE3(obj);

    cxl_type3_pci_reset(d);
    cxl_cci_reset(&d->mailbox_cci);
    cxl_cci_reset(&d->fm_cci);
    cxl_cci_reset(&d->ld_cci);
    cxl_devregs_reset(&d->regs);
    cxl_type3_dc_reset(d);
    trace_cxl_type3_reset(DEVICE(d)->id,
                          cxl_event_count(d->mem->events,
                                          CXL_EVENT_LOG_DYNCAP));
    cxl_memdev_reset(d->mem);
}

static void cxl_type3_attach_faults(CXLFaultTarget *t, CXLFaults *faults)
{
    CXLType3Dev *d = CXL_TYPE3(t);

    d->mailbox_cci.faults = faults;
    d->fm_cci.faults = faults;
    d->ld_cci.faults = faults;
    d->regs.faults = faults;
    d->mem->events->faults = faults;
}

static void cxl_type3_interrupt_at_once(CXLFaultTarget *t, unsigned vector)
{
    cxl_type3_irq(CXL_TYPE3(t), vector);
}

static void cxl_type3_class_init(ObjectClass *oc, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(oc);
    ResettableClass *rc = RESETTABLE_CLASS(oc);
    CXLFaultTargetClass *fc = CXL_FAULT_TARGET_CLASS(oc);

    fc->points = 1u << CXL_FAULT_ANSWER | 1u << CXL_FAULT_COMPLETION |
                 1u << CXL_FAULT_REGISTER | 1u << CXL_FAULT_COMPONENT |
                 1u << CXL_FAULT_CONFIG | 1u << CXL_FAULT_CDAT |
                 1u << CXL_FAULT_EVENT | 1u << CXL_FAULT_INTERRUPT;
    fc->attach = cxl_type3_attach_faults;
    fc->interrupt = cxl_type3_interrupt_at_once;
    pc->realize = cxl_type3_realize;
    pc->exit = cxl_type3_exit;
    pc->config_read = cxl_type3_config_read;
    pc->config_write = cxl_type3_config_write;
    pc->vendor_id = PCI_VENDOR_ID_INTEL;
    /* Number that earlier releases picked and scripts match on */
    pc->device_id = CXL_TYPE3_DEVICE_ID;
    pc->revision = 1;
    pc->class_id = PCI_CLASS_MEMORY_CXL;

    dc->desc = "CXL Memory Device (Type 3)";
    dc->vmsd = &vmstate_cxl_type3;
    set_bit(DEVICE_CATEGORY_STORAGE, dc->categories);
    cxl_type3_add_properties(dc);
    cxl_type3_direct_class_init(oc);
    rc->phases.hold = cxl_type3_reset_hold;
}

static const TypeInfo cxl_type3_type = {
    .name = TYPE_CXL_TYPE3,
    .parent = TYPE_PCI_DEVICE,
    .instance_size = sizeof(CXLType3Dev),
    .instance_init = cxl_type3_instance_init,
    .instance_finalize = cxl_type3_finalize,
    .class_init = cxl_type3_class_init,
    .interfaces = (const InterfaceInfo[]) {
        { INTERFACE_CXL_DEVICE },
        { TYPE_CXL_MEM_TARGET },
        { TYPE_CXL_FAULT_TARGET },
        { INTERFACE_PCIE_DEVICE },
        { }
    },
};

static void cxl_type3_register_types(void)
{
    type_register_static(&cxl_type3_type);
}

type_init(cxl_type3_register_types)
