/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Component registers: memory regions, capability array, RAS registers,
 * dispatch of writes, reset and migration; and DVSECs in configuration space,
 * with the write mask of each field. CXL r3.2 sections 8.1 and 8.2.4.
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "hw/cxl/cxl_component.h"
#include "hw/cxl/cxl_fault.h"
#include "hw/cxl/cxl_ras.h"
#include "hw/pci-bridge/cxl_upstream_port.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pcie_doe.h"
#include "migration/qemu-file-types.h"
#include "hw/pci/pcie_port.h"
#include "migration/vmstate.h"
#include "trace.h"
#include "pci/bi.h"
#include "pci/msi.h"
#include "pci/port-vmstate.h"

#define W(offset)               ((offset) / 4)

static NotifierList decode_notifiers =
    NOTIFIER_LIST_INITIALIZER(decode_notifiers);

void cxl_decode_add_notifier(Notifier *n)
{
    notifier_list_add(&decode_notifiers, n);
}

static NotifierList component_notifiers =
    NOTIFIER_LIST_INITIALIZER(component_notifiers);

void cxl_component_add_notifier(Notifier *n)
{
    notifier_list_add(&component_notifiers, n);
}

static void cxl_component_decode_changed(CXLComponentState *cxl)
{
    notifier_list_notify(&decode_notifiers, cxl);
}

/* Capability array */

enum {
    HAS_RAS = 1 << 0,
    HAS_LINK = 1 << 1,
    HAS_HDM = 1 << 2,
    HAS_ROOT = 1 << 3,      /* extended security and snoop filter */
    HAS_BI_ROUTE = 1 << 4,
    HAS_BI_DECODER = 1 << 5,
};

static const struct {
    unsigned header;
    unsigned offset;
    uint8_t id;
    uint8_t version;
    uint8_t has;
} capabilities[] = {
    { CXL_CAP_RAS_HEADER, CXL_RAS_OFFSET, CXL_CAP_ID_RAS, 3, HAS_RAS },
    { CXL_CAP_LINK_HEADER, CXL_LINK_OFFSET, CXL_CAP_ID_LINK, 2, HAS_LINK },
    { CXL_CAP_HDM_HEADER, CXL_HDM_OFFSET, CXL_CAP_ID_HDM, 3, HAS_HDM },
    { CXL_CAP_EXT_SECURITY_HEADER, CXL_EXT_SECURITY_OFFSET,
      CXL_CAP_ID_EXT_SECURITY, 2, HAS_ROOT },
    { CXL_CAP_SNOOP_FILTER_HEADER, CXL_SNOOP_FILTER_OFFSET,
      CXL_CAP_ID_SNOOP_FILTER, 1, HAS_ROOT },
    { CXL_CAP_BI_ROUTE_HEADER, CXL_BI_ROUTE_OFFSET, CXL_CAP_ID_BI_ROUTE, 1,
      HAS_BI_ROUTE },
    { CXL_CAP_BI_DECODER_HEADER, CXL_BI_DECODER_OFFSET, CXL_CAP_ID_BI_DECODER,
      1, HAS_BI_DECODER },
};

static unsigned component_has(enum reg_type type)
{
    switch (type) {
    case CXL2_RC:
        return HAS_LINK | HAS_HDM | HAS_ROOT;
    case CXL2_ROOT_PORT:
        return HAS_RAS | HAS_LINK | HAS_ROOT;
    case CXL2_DOWNSTREAM_PORT:
        return HAS_RAS | HAS_LINK;
    case CXL2_UPSTREAM_PORT:
    case CXL2_TYPE3_DEVICE:
        return HAS_RAS | HAS_LINK | HAS_HDM;
    case CXL3_SWITCH_MAILBOX_CCI:
        return 0;
    }
    g_assert_not_reached();
}

/* Headers have fixed places: one that a component lacks reads as zero */
static void component_init_headers(uint32_t *regs, unsigned has)
{
    unsigned last = 0;

    for (int i = 0; i < ARRAY_SIZE(capabilities); i++) {
        if (capabilities[i].has & has) {
            regs[W(capabilities[i].header)] = capabilities[i].offset << 20 |
                                              capabilities[i].version << 16 |
                                              capabilities[i].id;
            last = W(capabilities[i].header);
        }
    }
    /* Version 1, of a CXL.cachemem block of version 1, and a count */
    regs[W(CXL_CAP_HEADER)] = last << 24 | 1 << 20 | 1 << 16 | CXL_CAP_ID_CXL;
}

static void component_init_ras(uint32_t *regs, uint32_t *mask)
{
    /* Everything is masked until software asks for it */
    regs[W(CXL_RAS_UNC_MASK)] = CXL_RAS_UNC_BITS;
    regs[W(CXL_RAS_UNC_SEVERITY)] = CXL_RAS_UNC_BITS;
    regs[W(CXL_RAS_COR_MASK)] = CXL_RAS_COR_BITS;
    regs[W(CXL_RAS_CONTROL)] = CXL_RAS_MULTIPLE_HEADERS;

    mask[W(CXL_RAS_UNC_STATUS)] = CXL_RAS_UNC_BITS;
    mask[W(CXL_RAS_UNC_MASK)] = CXL_RAS_UNC_BITS;
    mask[W(CXL_RAS_UNC_SEVERITY)] = CXL_RAS_UNC_BITS;
    mask[W(CXL_RAS_COR_STATUS)] = CXL_RAS_COR_BITS;
    mask[W(CXL_RAS_COR_MASK)] = CXL_RAS_COR_BITS;
}

static bool component_any_committed(const uint32_t *regs)
{
    unsigned count = cxl_hdm_count(regs);
    CXLHDMDecoder d;

    for (unsigned i = 0; i < count; i++) {
        cxl_hdm_get(regs, i, &d);
        if (d.committed) {
            return true;
        }
    }
    return false;
}

void cxl_component_register_init_common(uint32_t *regs, uint32_t *mask,
                                        enum reg_type type)
{
    ComponentRegisters *crb = container_of(regs, ComponentRegisters,
                                           cache_mem_registers[0]);
    bool was_decoding = component_any_committed(regs);
    unsigned has = component_has(type);

    if (cxl_bi_has_route_table(crb->owner, type)) {
        has |= HAS_BI_ROUTE;
    }
    if (cxl_bi_has_decoder(crb->owner, type)) {
        has |= HAS_BI_DECODER;
    }

    memset(regs, 0, CXL_CACHEMEM_SIZE);
    memset(mask, 0, CXL_CACHEMEM_SIZE);
    component_init_headers(regs, has);
    if (has & HAS_RAS) {
        component_init_ras(regs, mask);
    }
    if (has & HAS_HDM) {
        cxl_hdm_init(regs, mask, type == CXL2_TYPE3_DEVICE);
    }

    if (crb->owner) {
        cxl_ras_forget(crb->owner);
        cxl_bi_reset(crb->owner, type);
    }
    if (type == CXL2_UPSTREAM_PORT && crb->owner) {
        /* Resets of the base's port end here, but not at its exchange */
        pcie_doe_reset(&CXL_USP(crb->owner->pdev)->doe_cdat);
    }
    if (crb->owner && crb->owner->pdev) {
        cxl_msi_drop(crb->owner->pdev);
    }
    if (was_decoding && crb->owner) {
        cxl_component_decode_changed(crb->owner);
    }
}

/* Accesses */

/*
 * The block is one memory region.  Its CXL.io and implementation specific parts
 * are empty: they read as zero and take writes of any size without effect.
 */
static bool component_in_cachemem(hwaddr at)
{
    return at >= CXL_CACHEMEM_OFFSET &&
           at < CXL_CACHEMEM_OFFSET + CXL_CACHEMEM_SIZE;
}

static uint64_t component_block_read(void *opaque, hwaddr at, unsigned size)
{
    CXLComponentState *cxl = opaque;
    uint32_t value;

    if (!component_in_cachemem(at)) {
        return 0;
    }
    value = cxl->crb.cache_mem_registers[W(at - CXL_CACHEMEM_OFFSET)];
    return cxl->faults ? cxl_fault_read(cxl->faults, CXL_FAULT_COMPONENT,
                                        at - CXL_CACHEMEM_OFFSET, value) :
           value;
}

static void component_trace_decoder(CXLComponentState *cxl,
                                    const CXLHDMWrite *w)
{
    g_autofree char *path = NULL;
    CXLHDMDecoder d;

    if (!trace_event_get_state_backends(TRACE_CXL_HDM_COMMITTED) &&
        !trace_event_get_state_backends(TRACE_CXL_HDM_UNCOMMITTED) &&
        !trace_event_get_state_backends(TRACE_CXL_HDM_REFUSED)) {
        return;
    }
    path = object_get_canonical_path(
               memory_region_owner(&cxl->crb.component_registers));
    cxl_hdm_get(cxl->crb.cache_mem_registers, w->decoder, &d);
    if (w->refusal != CXL_HDM_OK) {
        trace_cxl_hdm_refused(path, d.index, d.base, d.size,
                              cxl_hdm_refusal_text(w->refusal));
    } else if (d.committed) {
        trace_cxl_hdm_committed(path, d.index, d.base, d.size, d.ways,
                                d.granularity);
    } else {
        trace_cxl_hdm_uncommitted(path, d.index, d.base, d.size);
    }
}

static void component_hdm_write(CXLComponentState *cxl, unsigned offset,
                                uint32_t value)
{
    ComponentRegisters *crb = &cxl->crb;
    CXLHDMWrite w = cxl_hdm_write(crb->cache_mem_registers,
                                  crb->cache_mem_regs_write_mask,
                                  offset, value);

    if (w.commit_changed || w.refusal != CXL_HDM_OK) {
        component_trace_decoder(cxl, &w);
    }
    if (w.decode_changed) {
        cxl_component_decode_changed(cxl);
    }
}

static void component_cachemem_write(CXLComponentState *cxl, unsigned offset,
                                     uint32_t value)
{
    uint32_t *reg = &cxl->crb.cache_mem_registers[W(offset)];
    uint32_t mask = cxl->crb.cache_mem_regs_write_mask[W(offset)];

    if (cxl_hdm_owns(cxl->crb.cache_mem_registers, offset)) {
        component_hdm_write(cxl, offset, value);
        return;
    }
    if (cxl_bi_owns(cxl, offset)) {
        cxl_bi_write(cxl, offset, value);
        return;
    }

    switch (offset) {
    case CXL_RAS_UNC_STATUS:
        cxl_ras_write_uncorrectable(cxl, value);
        break;
    case CXL_RAS_COR_STATUS:
        /* Write one to clear */
        *reg &= ~(value & mask);
        break;
    default:
        *reg = (value & mask) | (*reg & ~mask);
        break;
    }
}

static void component_block_write(void *opaque, hwaddr at, uint64_t value,
                                  unsigned size)
{
    if (component_in_cachemem(at)) {
        component_cachemem_write(opaque, at - CXL_CACHEMEM_OFFSET, value);
    }
}

static bool component_block_accepts(void *opaque, hwaddr at, unsigned size,
                                    bool is_write, MemTxAttrs attrs)
{
    return size >= 4 || !component_in_cachemem(at);
}

/* The registers are dwords; the memory core splits eight bytes into two */
static const MemoryRegionOps block_ops = {
    .read = component_block_read,
    .write = component_block_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {
        .min_access_size = 1,
        .max_access_size = 8,
        .accepts = component_block_accepts,
    },
    .impl = { .min_access_size = 4, .max_access_size = 4 },
};

/* A decoder's target list names ports by this number */
static void component_warn_of_same_number(Object *obj)
{
    PCIDevice *port = (PCIDevice *)object_dynamic_cast(obj, TYPE_PCIE_SLOT);

    for (unsigned i = 0; port && i < PCI_DEVFN_MAX; i++) {
        PCIDevice *other = pci_get_bus(port)->devices[i];

        if (other && other != port &&
            object_dynamic_cast(OBJECT(other), TYPE_PCIE_SLOT) &&
            PCIE_PORT(other)->port == PCIE_PORT(port)->port) {
            warn_report("%s '%s': property 'port' is %u as that of '%s' beside "
                        "it, so HDM decoders lead to one of them only: number "
                        "the ports below a bridge or switch differently",
                        object_get_typename(obj), DEVICE(port)->id ?: "(no id)",
                        PCIE_PORT(port)->port, DEVICE(other)->id ?: "(no id)");
            return;
        }
    }
}

/* A host reaches what is below such a port, NULL: on a CXL host bridge */
static const struct {
    const char *type;
    const char *above[2];
    const char *advice;
} component_place[] = {
    { "cxl-rp", { NULL }, "pxb-cxl" },
    { TYPE_CXL_DSP, { TYPE_CXL_USP }, "cxl-upstream" },
    { TYPE_CXL_USP, { "cxl-rp", TYPE_CXL_DSP },
      "cxl-rp or cxl-downstream, and no addr=" },
    { "cxl-type3", { "cxl-rp", TYPE_CXL_DSP },
      "cxl-rp or cxl-downstream, and no addr=" },
};

static bool component_is_at_home(PCIDevice *pci, const char *const above[2])
{
    PCIBus *bus = pci_get_bus(pci);
    PCIDevice *port = pci_bridge_get_device(bus);

    if (!above[0]) {
        return pci_bus_is_cxl(bus);
    }
    for (int i = 0; port && i < 2; i++) {
        if (above[i] && object_dynamic_cast(OBJECT(port), above[i])) {
            /* a link ends at function 0 of device 0 */
            return !above[1] || !pci->devfn;
        }
    }
    return false;
}

static void component_warn_of_place(Object *obj)
{
    PCIDevice *pci = (PCIDevice *)object_dynamic_cast(obj, TYPE_PCI_DEVICE);

    for (size_t i = 0; pci && i < ARRAY_SIZE(component_place); i++) {
        if (object_dynamic_cast(obj, component_place[i].type) &&
            !component_is_at_home(pci, component_place[i].above)) {
            warn_report("%s '%s': no host reaches it at bus=%s,addr=%x.%x: "
                        "give it bus=, the id of a %s",
                        component_place[i].type, DEVICE(obj)->id ?: "(no id)",
                        BUS(pci_get_bus(pci))->name, PCI_SLOT(pci->devfn),
                        PCI_FUNC(pci->devfn), component_place[i].advice);
        }
    }
}

void cxl_component_register_block_init(Object *obj, CXLComponentState *cxl,
                                       const char *type)
{
    g_autofree char *block = g_strdup_printf("%s-component-registers", type);
    ComponentRegisters *crb = &cxl->crb;

    crb->owner = cxl;
    memory_region_init_io(&crb->component_registers, obj, &block_ops, cxl,
                          block, CXL_COMPONENT_BLOCK_SIZE);
    cxl_port_register_vmstate(obj, cxl);
    cxl_msi_init();
    cxl_bi_realize(cxl);
    component_warn_of_place(obj);
    component_warn_of_same_number(obj);
    notifier_list_notify(&component_notifiers, obj);
}

static int component_find_block(Object *child, void *opaque)
{
    MemoryRegion *mr = (MemoryRegion *)object_dynamic_cast(child,
                                                           TYPE_MEMORY_REGION);

    if (mr && mr->ops == &block_ops) {
        *(CXLComponentState **)opaque = mr->opaque;
    }
    return 0;
}

CXLComponentState *cxl_component_of(Object *obj)
{
    CXLComponentState *cxl = NULL;

    object_child_foreach(obj, component_find_block, &cxl);
    return cxl;
}

/* Migration */

/* Bits that change without a write to them */
static uint32_t component_changes_by_itself(const CXLComponentState *cxl,
                                            unsigned offset)
{
    if (offset == CXL_RAS_CONTROL) {
        return CXL_RAS_FIRST_ERROR;
    }
    if (offset >= CXL_RAS_HEADER_LOG &&
        offset < CXL_RAS_HEADER_LOG + CXL_RAS_HEADER_LOG_DWORDS * 4) {
        return UINT32_MAX;
    }
    return cxl_hdm_status(cxl->crb.cache_mem_registers, offset) |
           cxl_bi_status(cxl, offset);
}

/* Registers of a stream become those of the component all at once */
static int component_registers_get(QEMUFile *f, void *pv, size_t size,
                                   const VMStateField *field)
{
    ComponentRegisters *crb = container_of(pv, ComponentRegisters,
                                           cache_mem_registers[0]);
    const uint32_t *mask = crb->cache_mem_regs_write_mask;
    g_autofree uint32_t *regs = g_new(uint32_t, CXL_CACHEMEM_REGS);
    CXLHDMRefusal refusal;

    for (unsigned i = 0; i < CXL_CACHEMEM_REGS; i++) {
        uint32_t old = crb->cache_mem_registers[i];

        regs[i] = qemu_get_be32(f);
        if ((regs[i] ^ old) & ~mask[i] &
            ~component_changes_by_itself(crb->owner, i * 4)) {
            error_report("component register 0x%x is 0x%x, which read-only "
                         "bits of 0x%x do not allow", i * 4, regs[i], old);
            return -EINVAL;
        }
    }
    refusal = cxl_hdm_check(regs, mask);
    if (refusal != CXL_HDM_OK) {
        error_report("HDM decoder: %s", cxl_hdm_refusal_text(refusal));
        return -EINVAL;
    }
    if (qemu_file_get_error(f)) {
        return -EIO;
    }
    memcpy(crb->cache_mem_registers, regs, CXL_CACHEMEM_SIZE);
    return 0;
}

static int component_registers_put(QEMUFile *f, void *pv, size_t size,
                                   const VMStateField *field,
                                   JSONWriter *vmdesc)
{
    const uint32_t *regs = pv;

    for (unsigned i = 0; i < CXL_CACHEMEM_REGS; i++) {
        qemu_put_be32(f, regs[i]);
    }
    return 0;
}

static const VMStateInfo vmstate_info_registers = {
    .name = "cxl-component-registers",
    .get = component_registers_get,
    .put = component_registers_put,
};

static Object *component_object(const CXLComponentState *cxl)
{
    return memory_region_owner((MemoryRegion *)&cxl->crb.component_registers);
}

static int component_pre_load(void *opaque)
{
    cxl_ras_forget(opaque);
    cxl_bi_forget(opaque);
    cxl_fault_drop(component_object(opaque));
    return 0;
}

static bool component_has_faults(void *opaque)
{
    CXLComponentState *cxl = opaque;

    return cxl->faults;
}

static int component_faults_pre_load(void *opaque)
{
    cxl_fault_make(component_object(opaque));
    return 0;
}

static const VMStateDescription vmstate_component_faults = {
    .name = "cxl-component/faults",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = component_has_faults,
    .pre_load = component_faults_pre_load,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT_POINTER(faults, CXLComponentState, vmstate_cxl_faults,
                               CXLFaults),
        VMSTATE_END_OF_LIST()
    },
};

static int component_post_load(void *opaque, int version_id)
{
    CXLComponentState *cxl = opaque;

    if (!cxl_bi_check(cxl)) {
        error_report("back-invalidate: committed and error do not answer "
                     "commit");
        return -EINVAL;
    }
    if (cxl->pdev) {
        cxl_flit_train_both(cxl->pdev);
    }
    cxl_component_decode_changed(opaque);
    return 0;
}

const VMStateDescription vmstate_cxl_component = {
    .name = "cxl-component",
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_load = component_pre_load,
    .post_load = component_post_load,
    .fields = (const VMStateField[]) {
        {
            .name = "crb.cache_mem_registers",
            .info = &vmstate_info_registers,
            .size = CXL_CACHEMEM_SIZE,
            .flags = VMS_SINGLE,
            .offset = offsetof(CXLComponentState, crb.cache_mem_registers),
        },
        VMSTATE_END_OF_LIST()
    },
    .subsections = (const VMStateDescription *const []) {
        &vmstate_cxl_ras,
        &vmstate_component_faults,
        &vmstate_cxl_bi,
        NULL
    },
};

/* -- DVSECs --------------------------------------------------------------- */

/* PCIe r6.2 section 7.9.6 */
#define DVSEC_CAP_VERSION       1
#define DVSEC_HEADER1           0x04
#define DVSEC_HEADER2           0x08
#define DVSEC_BODY              sizeof(CXLDVSECHeader)

#define ALL                     UINT32_MAX

/* Kinds of components that have a field writable */
#define RP                      (1 << CXL2_ROOT_PORT)
#define USP                     (1 << CXL2_UPSTREAM_PORT)
#define DSP                     (1 << CXL2_DOWNSTREAM_PORT)
#define DEV                     (1 << CXL2_TYPE3_DEVICE)

#define PORTS                   (RP | USP | DSP)

static const struct {
    uint8_t id;
    uint8_t offset;
    uint8_t size;
    uint8_t kinds;
    uint32_t mask;
} writable[] = {
    /* Device: lock and the read-only-when-locked rule are the device's */
    { CXL_DEVICE_DVSEC, offsetof(CXLDVSECDevice, ctrl), 2, DEV, 0x4ffd },
    { CXL_DEVICE_DVSEC, offsetof(CXLDVSECDevice, ctrl2), 2, DEV, 0x000f },
    { CXL_DEVICE_DVSEC, offsetof(CXLDVSECDevice, lock), 2, DEV, 0x0001 },
    { CXL_DEVICE_DVSEC, offsetof(CXLDVSECDevice, range[0].base_hi), 4, DEV,
      ALL },
    { CXL_DEVICE_DVSEC, offsetof(CXLDVSECDevice, range[0].base_lo), 4, DEV,
      0xf0000000 },
    { CXL_DEVICE_DVSEC, offsetof(CXLDVSECDevice, range[1].base_hi), 4, DEV,
      ALL },
    { CXL_DEVICE_DVSEC, offsetof(CXLDVSECDevice, range[1].base_lo), 4, DEV,
      0xf0000000 },

    /* SBR, link disable, alternate memory and bus master; viral enable */
    { EXTENSIONS_PORT_DVSEC, offsetof(CXLDVSECPortExt, control), 2, PORTS,
      0x400f },
    { EXTENSIONS_PORT_DVSEC, offsetof(CXLDVSECPortExt, alt_bus_base), 1, PORTS,
      ALL },
    { EXTENSIONS_PORT_DVSEC, offsetof(CXLDVSECPortExt, alt_bus_limit), 1, PORTS,
      ALL },
    { EXTENSIONS_PORT_DVSEC, offsetof(CXLDVSECPortExt, alt_memory_base), 2,
      PORTS, 0xfff0 },
    { EXTENSIONS_PORT_DVSEC, offsetof(CXLDVSECPortExt, alt_memory_limit), 2,
      PORTS, 0xfff0 },
    { EXTENSIONS_PORT_DVSEC, offsetof(CXLDVSECPortExt, alt_prefetch_base), 2,
      PORTS, 0xfff0 },
    { EXTENSIONS_PORT_DVSEC, offsetof(CXLDVSECPortExt, alt_prefetch_limit), 2,
      PORTS, 0xfff0 },
    { EXTENSIONS_PORT_DVSEC, offsetof(CXLDVSECPortExt, alt_prefetch_base_high),
      4, PORTS, ALL },
    { EXTENSIONS_PORT_DVSEC, offsetof(CXLDVSECPortExt, alt_prefetch_limit_high),
      4, PORTS, ALL },
    /* Bit 0 enables, the block is 8 KiB aligned */
    { EXTENSIONS_PORT_DVSEC, offsetof(CXLDVSECPortExt, rcrb_base), 4, PORTS,
      0xffffe001 },
    { EXTENSIONS_PORT_DVSEC, offsetof(CXLDVSECPortExt, rcrb_base_high), 4,
      PORTS, ALL },

    /* Linux writes these time-outs when a persistent memory device binds */
    { GPF_PORT_DVSEC, offsetof(CXLDVSECPortGPF, phase1_ctrl), 2, RP | DSP,
      0x0f0f },
    { GPF_PORT_DVSEC, offsetof(CXLDVSECPortGPF, phase2_ctrl), 2, RP | DSP,
      0x0f0f },
    { GPF_DEVICE_DVSEC, offsetof(CXLDVSECDeviceGPF, phase2_duration), 2, DEV,
      0x0f0f },
    { GPF_DEVICE_DVSEC, offsetof(CXLDVSECDeviceGPF, phase2_power), 4, DEV,
      ALL },

    /* CXL.io (bit 1) cannot be switched off; a root port keeps bit 6, too */
    { PCIE_FLEXBUS_PORT_DVSEC, offsetof(CXLDVSECPortFlexBus, ctrl), 2, RP,
      0x00bd },
    { PCIE_FLEXBUS_PORT_DVSEC, offsetof(CXLDVSECPortFlexBus, ctrl), 2, DSP,
      0x00fd },
};

void cxl_component_create_dvsec(CXLComponentState *cxl, enum reg_type type,
                                uint16_t length, uint16_t id, uint8_t rev,
                                uint8_t *body)
{
    PCIDevice *pdev = cxl->pdev;
    uint16_t offset = cxl->dvsec_offset;
    uint8_t *config = pdev->config + offset;

    /* Called by realize functions with constants, not with outside input */
    assert(id < CXL_DVSEC_ID_COUNT && length > DVSEC_BODY);
    assert(offset >= PCI_CONFIG_SPACE_SIZE &&
           offset + length <= PCIE_CONFIG_SPACE_SIZE);

    pcie_add_capability(pdev, PCI_EXT_CAP_ID_DVSEC, DVSEC_CAP_VERSION,
                        offset, length);
    pci_set_long(config + DVSEC_HEADER1,
                 length << 20 | (rev & 0xf) << 16 | CXL_VENDOR_ID);
    pci_set_word(config + DVSEC_HEADER2, id);
    memcpy(config + DVSEC_BODY, body + DVSEC_BODY, length - DVSEC_BODY);

    for (int i = 0; i < ARRAY_SIZE(writable); i++) {
        if (writable[i].id == id && (writable[i].kinds & (1 << type))) {
            for (int byte = 0; byte < writable[i].size; byte++) {
                pdev->wmask[offset + writable[i].offset + byte] =
                    writable[i].mask >> (8 * byte);
            }
        }
    }

    range_init_nofail(&cxl->dvsecs[id], offset, length);
    cxl->dvsec_offset = offset + length;
}
