/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Downstream port of a CXL switch (CXL r3.2 8.1, 8.2.4; PCIe r6.2 7.5.3)
 *
 * To the host it is a PCIe slot for hot-plug, with CXL's DVSECs and component
 * registers.  What a Fabric Manager does to it is in hw/cxl/cxl-switch*.c, and
 * what is saved of it in hw/cxl/pci/port-vmstate.c.
 */
#include "qemu/osdep.h"
#include "qemu/log.h"
#include "hw/cxl/cxl.h"
#include "hw/pci/msi.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_port.h"
#include "hw/qdev-properties-system.h"
#include "hw/qdev-properties.h"
#include "qapi/error.h"

/* Identity and places of capabilities: guests and saved machines know them */
#define DSP_VENDOR      0x19e5
#define DSP_DEVICE      0xa129
#define DSP_MSI         0x70
#define DSP_EXPRESS     0x90
#define DSP_AER         0x100
#define DSP_DVSECS      (DSP_AER + PCI_ERR_SIZEOF)

struct CXLDownstreamPort {
    PCIESlot parent_obj;

    CXLComponentState cxl_cstate;
};

/* -- registers ------------------------------------------------------------ */

static void dsp_add_dvsec(CXLDownstreamPort *dsp, uint16_t id, uint16_t len,
                          uint8_t revision, const void *body)
{
    cxl_component_create_dvsec(&dsp->cxl_cstate, CXL2_DOWNSTREAM_PORT, len, id,
                               revision, (uint8_t *)body);
}

static void dsp_add_dvsecs(CXLDownstreamPort *dsp)
{
    const CXLDVSECPortExt extensions = { 0 };
    const CXLDVSECPortFlexBus flexbus = {
        /* CXL.cache, CXL.io, CXL.mem, 68-byte flits and virtual hierarchies */
        .cap = 0x27,
        .ctrl = 0x02,
        .status = 0x26,
        .rcvd_mod_ts_data_phase1 = 0xef,
    };
    /* Scale 1 us, base 0 in the port's own notation */
    const CXLDVSECPortGPF gpf = { .phase1_ctrl = 1, .phase2_ctrl = 1 };
    const CXLDVSECRegisterLocator locator = {
        .reg0_base_lo = CXL_COMPONENT_REG_BAR_IDX | RBI_COMPONENT_REG,
    };

    dsp->cxl_cstate.pdev = PCI_DEVICE(dsp);
    dsp->cxl_cstate.dvsec_offset = DSP_DVSECS;
    dsp_add_dvsec(dsp, EXTENSIONS_PORT_DVSEC, EXTENSIONS_PORT_DVSEC_LENGTH,
                  EXTENSIONS_PORT_DVSEC_REVID, &extensions);
    dsp_add_dvsec(dsp, PCIE_FLEXBUS_PORT_DVSEC,
                  PCIE_CXL3_FLEXBUS_PORT_DVSEC_LENGTH,
                  PCIE_CXL3_FLEXBUS_PORT_DVSEC_REVID, &flexbus);
    dsp_add_dvsec(dsp, GPF_PORT_DVSEC, GPF_PORT_DVSEC_LENGTH,
                  GPF_PORT_DVSEC_REVID, &gpf);
    dsp_add_dvsec(dsp, REG_LOC_DVSEC, REG_LOC_DVSEC_LENGTH,
                  REG_LOC_DVSEC_REVID, &locator);
}

/* Bits of the extensions' control register that do nothing here */
static void dsp_note_unimplemented(CXLDownstreamPort *dsp, uint32_t address)
{
    uint64_t at = dsp->cxl_cstate.dvsecs[EXTENSIONS_PORT_DVSEC].lob +
                  PORT_CONTROL_OFFSET;
    uint16_t control;

    if (address != at) {
        return;
    }
    control = pci_get_word(PCI_DEVICE(dsp)->config + at);
    if (control & (PORT_CONTROL_UNMASK_SBR | PORT_CONTROL_ALT_MEMID_EN)) {
        qemu_log_mask(LOG_UNIMP, "%s: port control 0x%04x\n", TYPE_CXL_DSP,
                      control);
    }
}

/* Does the user or a Fabric Manager wait for the guest to let go? */
static bool dsp_removal_is_pending(PCIDevice *d)
{
    PCIBus *bus = pci_bridge_get_sec_bus(PCI_BRIDGE(d));

    for (unsigned i = 0; i < ARRAY_SIZE(bus->devices); i++) {
        if (bus->devices[i] &&
            DEVICE(bus->devices[i])->pending_deleted_event) {
            return true;
        }
    }
    return false;
}

static void dsp_config_write(PCIDevice *d, uint32_t address, uint32_t value,
                             int len)
{
    uint16_t control, status;

    pcie_cap_slot_get(d, &control, &status);
    if (!dsp_removal_is_pending(d)) {
        /*
         * A host may switch a slot off and on again, as Linux does when the
         * link went down in between: the device is still plugged then.  The
         * slot's logic removes it only when the slot was not off before.
         */
        control |= PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_PWR_OFF;
    }
    pci_bridge_write_config(d, address, value, len);
    pcie_cap_flr_write_config(d, address, value, len);
    pcie_cap_slot_write_config(d, control, status, address, value, len);
    pcie_aer_write_config(d, address, value, len);
    dsp_note_unimplemented(CXL_DSP(d), address);
}

/* -- life ----------------------------------------------------------------- */

static void dsp_reset(DeviceState *dev)
{
    ComponentRegisters *regs = &CXL_DSP(dev)->cxl_cstate.crb;
    PCIDevice *d = PCI_DEVICE(dev);

    pci_bridge_reset(dev);
    pcie_cap_arifwd_reset(d);
    pcie_cap_deverr_reset(d);
    pcie_cap_slot_reset(d);
    cxl_component_register_init_common(regs->cache_mem_registers,
                                       regs->cache_mem_regs_write_mask,
                                       CXL2_DOWNSTREAM_PORT);
}

/* PCI Express, slot and AER; on failure nothing of it is left */
static bool dsp_init_slot(PCIDevice *d, Error **errp)
{
    PCIESlot *slot = PCIE_SLOT(d);

    if (pcie_cap_init(d, DSP_EXPRESS, PCI_EXP_TYPE_DOWNSTREAM,
                      PCIE_PORT(d)->port, errp) < 0) {
        return false;
    }
    pcie_cap_arifwd_init(d);
    pcie_cap_deverr_init(d);
    pcie_cap_flr_init(d);
    pcie_cap_slot_init(d, slot);

    pcie_chassis_create(slot->chassis);
    if (pcie_chassis_add_slot(slot) < 0) {
        error_setg(errp, "chassis=%u has a port with slot=%u already",
                   slot->chassis, slot->slot);
    } else if (pcie_aer_init(d, PCI_ERR_VER, DSP_AER, PCI_ERR_SIZEOF,
                             errp) < 0) {
        pcie_chassis_del_slot(slot);
    } else {
        return true;
    }
    pcie_cap_exit(d);
    return false;
}

static void dsp_realize(PCIDevice *d, Error **errp)
{
    CXLDownstreamPort *dsp = CXL_DSP(d);

    pci_bridge_initfn(d, TYPE_PCIE_BUS);
    pcie_port_init_reg(d);
    if (msi_init(d, DSP_MSI, 1, true, true, errp) < 0) {
        pci_bridge_exitfn(d);
        return;
    }
    if (!dsp_init_slot(d, errp)) {
        msi_uninit(d);
        pci_bridge_exitfn(d);
        return;
    }
    dsp_add_dvsecs(dsp);
    cxl_component_register_block_init(OBJECT(d), &dsp->cxl_cstate,
                                      TYPE_CXL_DSP);
    pci_register_bar(d, CXL_COMPONENT_REG_BAR_IDX,
                     PCI_BASE_ADDRESS_MEM_TYPE_64,
                     &dsp->cxl_cstate.crb.component_registers);
}

static void dsp_exit(PCIDevice *d)
{
    pcie_aer_exit(d);
    pcie_chassis_del_slot(PCIE_SLOT(d));
    pcie_cap_exit(d);
    msi_uninit(d);
    pci_bridge_exitfn(d);
}

static const Property dsp_properties[] = {
    DEFINE_PROP_BIT(COMPAT_PROP_PCP, PCIDevice, cap_present,
                    QEMU_PCIE_SLTCAP_PCP_BITNR, true),
    DEFINE_PROP_BOOL("x-256b-flit", CXLDownstreamPort, cxl_cstate.flit_256b,
                     false),
    DEFINE_PROP_PCIE_LINK_WIDTH("x-width", PCIESlot, width,
                                PCIE_LINK_WIDTH_16),
    DEFINE_PROP_PCIE_LINK_SPEED("x-speed", PCIESlot, speed,
                                PCIE_LINK_SPEED_64),
};

static void dsp_class_init(ObjectClass *oc, const void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(oc);
    DeviceClass *dc = DEVICE_CLASS(oc);

    dc->desc = "CXL Switch Downstream Port";
    set_bit(DEVICE_CATEGORY_BRIDGE, dc->categories);
    device_class_set_legacy_reset(dc, dsp_reset);
    device_class_set_props(dc, dsp_properties);
    object_class_property_set_description(
        oc, COMPAT_PROP_PCP, "the guest can switch the slot's power, without "
        "which device_del of what is in it does not end");
    object_class_property_set_description(
        oc, "x-256b-flit", "the link has 256-byte flits if its other end can");
    object_class_property_set_description(
        oc, "x-speed", "fastest link, in GT/s");
    object_class_property_set_description(
        oc, "x-width", "widest link, in lanes");

    pc->vendor_id = DSP_VENDOR;
    pc->device_id = DSP_DEVICE;
    pc->realize = dsp_realize;
    pc->exit = dsp_exit;
    pc->config_write = dsp_config_write;
}

static const TypeInfo dsp_types[] = {
    {
        .name = TYPE_CXL_DSP,
        .parent = TYPE_PCIE_SLOT,
        .instance_size = sizeof(CXLDownstreamPort),
        .class_init = dsp_class_init,
        .interfaces = (const InterfaceInfo[]) {
            { INTERFACE_CXL_DEVICE },
            { INTERFACE_PCIE_DEVICE },
            { }
        },
    },
};

DEFINE_TYPES(dsp_types)
