/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Switch mailbox CCI: the PCI function through which a host talks to a CXL
 * switch (CXL r3.2 8.1.13, 8.2.8)
 *
 * Usually a further function beside the upstream port that "target" names.  It
 * has the same register block as a memory device, and no interrupts.
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "qapi/error.h"
#include "hw/pci/pci_vmstate.h"
#include "hw/pci/pcie.h"
#include "hw/qdev-properties.h"
#include "migration/vmstate-checked.h"
#include "hw/cxl/cxl_fault.h"
#include "hw/cxl/cxl_mailbox.h"
#include "hw/cxl/cci/switch-cci.h"
#include "pci/base-contacts.h"

#define TYPE_CXL_SWITCH_MAILBOX "cxl-switch-mailbox-cci"
OBJECT_DECLARE_SIMPLE_TYPE(CXLSwitchMailbox, CXL_SWITCH_MAILBOX)

/* Identity and layout that earlier releases showed */
#define SWITCH_MAILBOX_VENDOR   0x19e5
#define SWITCH_MAILBOX_DEVICE   0xa123
#define SWITCH_MAILBOX_CLASS    0x0c0b
#define SWITCH_MAILBOX_MSGNUM   3
#define PCIE_CAP_OFFSET         0x80
#define DVSEC_OFFSET            0x100
#define REGISTERS_BAR           0

/**
 * struct CXLSwitchMailbox - the function
 * @target: upstream port of the switch
 * @component: only for the register locator in configuration space
 */
struct CXLSwitchMailbox {
    PCIDevice parent_obj;

    CXLUpstreamPort *target;
    uint32_t payload_size;
    CXLComponentState component;
    CXLDeviceRegs regs;
    CXLCCI cci;
};

static void switch_mailbox_add_register_locator(CXLSwitchMailbox *s)
{
    CXLDVSECRegisterLocator locator = {
        .reg0_base_lo = RBI_CXL_DEVICE_REG | REGISTERS_BAR,
    };

    s->component.pdev = PCI_DEVICE(s);
    s->component.dvsec_offset = DVSEC_OFFSET;
    cxl_component_create_dvsec(&s->component, CXL2_UPSTREAM_PORT,
                               REG_LOC_DVSEC_LENGTH, REG_LOC_DVSEC,
                               REG_LOC_DVSEC_REVID, (uint8_t *)&locator);
}

static void switch_mailbox_realize(PCIDevice *pci, Error **errp)
{
    CXLSwitchMailbox *s = CXL_SWITCH_MAILBOX(pci);
    int ret;

    if (!s->target) {
        error_setg(errp, "property 'target' is not set: give the id of the "
                   "cxl-upstream port of the switch");
        return;
    }
    if (!cxl_mailbox_check_payload(s->payload_size, errp)) {
        return;
    }
    ret = pcie_endpoint_cap_init(pci, PCIE_CAP_OFFSET);
    if (ret < 0) {
        error_setg_errno(errp, -ret, "PCIe capability does not fit");
        return;
    }
    switch_mailbox_add_register_locator(s);
    cxl_switch_cci_init(&s->cci, s->target, s->payload_size);
    cxl_devregs_init(&s->regs, OBJECT(s), "cxl-switch-mailbox", &s->cci,
                     s->cci.events, SWITCH_MAILBOX_MSGNUM, NULL, NULL);
    pci_register_bar(pci, REGISTERS_BAR,
                     PCI_BASE_ADDRESS_SPACE_MEMORY |
                     PCI_BASE_ADDRESS_MEM_TYPE_64, &s->regs.mr);
}

static void switch_mailbox_exit(PCIDevice *pci)
{
    CXLSwitchMailbox *s = CXL_SWITCH_MAILBOX(pci);

    cxl_devregs_exit(&s->regs);
    cxl_switch_cci_destroy(&s->cci);
    pcie_cap_exit(pci);
}

static void switch_mailbox_finalize(Object *obj)
{
    cxl_devregs_finalize(&CXL_SWITCH_MAILBOX(obj)->regs);
}

static void switch_mailbox_reset(DeviceState *dev)
{
    CXLSwitchMailbox *s = CXL_SWITCH_MAILBOX(dev);

    cxl_switch_cci_reset(&s->cci);
    cxl_devregs_reset(&s->regs);
}

static void switch_mailbox_attach_faults(CXLFaultTarget *t, CXLFaults *faults)
{
    CXLSwitchMailbox *s = CXL_SWITCH_MAILBOX(t);

    s->regs.faults = faults;
    s->cci.faults = faults;
}

static int switch_mailbox_pre_load(void *opaque)
{
    cxl_fault_drop(OBJECT(opaque));
    return 0;
}

static bool switch_mailbox_has_faults(void *opaque)
{
    CXLSwitchMailbox *s = opaque;

    return s->regs.faults;
}

static int switch_mailbox_faults_pre_load(void *opaque)
{
    cxl_fault_make(OBJECT(opaque));
    return 0;
}

static const VMStateDescription vmstate_switch_mailbox_faults = {
    .name = "cxl-switch-mailbox-cci-state/faults",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = switch_mailbox_has_faults,
    .pre_load = switch_mailbox_faults_pre_load,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT_POINTER(regs.faults, CXLSwitchMailbox,
                               vmstate_cxl_faults, CXLFaults),
        VMSTATE_END_OF_LIST()
    }
};

static int switch_mailbox_post_load(void *opaque, int version_id)
{
    CXLSwitchMailbox *s = opaque;

    return cxl_switch_cci_post_load(&s->cci);
}

static void switch_mailbox_give_up(void *opaque)
{
    CXLSwitchMailbox *s = opaque;

    cxl_base_give_up_pci(PCI_DEVICE(s));
    cxl_cci_forget(&s->cci);
    cxl_devregs_reset(&s->regs);
}

static const VMStateDescription vmstate_switch_mailbox_state = {
    .name = "cxl-switch-mailbox-cci-state",
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_load = switch_mailbox_pre_load,
    .post_load = switch_mailbox_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_SAME(payload_size, CXLSwitchMailbox, "mailbox-payload"),
        VMSTATE_PCI_SAME(target, CXLSwitchMailbox, "target"),
        VMSTATE_PCI_FUNCTION(parent_obj, CXLSwitchMailbox),
        VMSTATE_STRUCT(regs, CXLSwitchMailbox, 1, vmstate_cxl_devregs,
                       CXLDeviceRegs),
        VMSTATE_STRUCT(cci, CXLSwitchMailbox, 1, vmstate_cxl_cci, CXLCCI),
        VMSTATE_END_OF_LIST()
    },
    .subsections = (const VMStateDescription *const []) {
        &vmstate_switch_mailbox_faults,
        NULL
    }
};

static const VMStateGuard switch_mailbox_guard = {
    VMSTATE_GUARD_INFO,
    .vmsd = &vmstate_switch_mailbox_state,
    .give_up = switch_mailbox_give_up,
};

static const VMStateDescription vmstate_switch_mailbox = {
    .name = TYPE_CXL_SWITCH_MAILBOX,
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_GUARDED(switch_mailbox_guard, CXLSwitchMailbox),
        VMSTATE_END_OF_LIST()
    }
};

static const Property switch_mailbox_properties[] = {
    DEFINE_PROP_LINK("target", CXLSwitchMailbox, target, TYPE_CXL_USP,
                     CXLUpstreamPort *),
    DEFINE_PROP_SIZE32("mailbox-payload", CXLSwitchMailbox, payload_size,
                       CXL_MAILBOX_PAYLOAD_DEFAULT),
};

static void switch_mailbox_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);
    CXLFaultTargetClass *fc = CXL_FAULT_TARGET_CLASS(klass);

    fc->points = 1u << CXL_FAULT_ANSWER | 1u << CXL_FAULT_COMPLETION |
                 1u << CXL_FAULT_REGISTER;
    fc->attach = switch_mailbox_attach_faults;
    dc->desc = "CXL Switch Mailbox CCI";
    dc->vmsd = &vmstate_switch_mailbox;
    device_class_set_props(dc, switch_mailbox_properties);
    object_class_property_set_description(
        klass, "target", "id of the upstream port of the switch to manage");
    object_class_property_set_description(
        klass, "mailbox-payload", "bytes of the mailbox's payload registers, a "
        "power of two from 256 to 1M");
    device_class_set_legacy_reset(dc, switch_mailbox_reset);
    pc->vendor_id = SWITCH_MAILBOX_VENDOR;
    pc->device_id = SWITCH_MAILBOX_DEVICE;
    pc->class_id = SWITCH_MAILBOX_CLASS;
    pc->realize = switch_mailbox_realize;
    pc->exit = switch_mailbox_exit;
}

static const TypeInfo switch_mailbox_info = {
    .name = TYPE_CXL_SWITCH_MAILBOX,
    .parent = TYPE_PCI_DEVICE,
    .instance_size = sizeof(CXLSwitchMailbox),
    .instance_finalize = switch_mailbox_finalize,
    .class_init = switch_mailbox_class_init,
    .interfaces = (const InterfaceInfo[]) {
        { INTERFACE_PCIE_DEVICE },
        { TYPE_CXL_FAULT_TARGET },
        { }
    },
};

static void switch_mailbox_register(void)
{
    type_register_static(&switch_mailbox_info);
}
type_init(switch_mailbox_register)
