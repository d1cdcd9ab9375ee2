/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Synopsys DesignWare I2C controller as a PCI function.
 *
 * It has the id of the Elkhart Lake PSE block, which Linux binds without
 * platform quirks.  The interrupt is INTx and there is no MSI: the line is a
 * level that a missed edge cannot lose.  There is no power management
 * capability either, so a runtime suspended controller keeps its registers.
 */
#include "qemu/osdep.h"
#include "hw/i2c/dw_i2c.h"
#include "hw/pci/pci_vmstate.h"
#include "hw/qdev-properties.h"
#include "qapi/error.h"
#include "qemu/module.h"

#define DW_I2C_PCI_DEVICE_ID 0x4bb9
/* Serial bus controller, other: the driver goes by the id. */
#define DW_I2C_PCI_CLASS 0x0c80

OBJECT_DECLARE_SIMPLE_TYPE(DWI2CPCIState, DW_I2C_PCI)

struct DWI2CPCIState {
    PCIDevice parent_obj;

    DWI2CState ctrl;
};

static void dw_i2c_pci_realize(PCIDevice *pci, Error **errp)
{
    DWI2CPCIState *d = DW_I2C_PCI(pci);
    qemu_irq irq;

    pci_config_set_interrupt_pin(pci->config, 1);
    irq = pci_allocate_irq(pci);
    if (!dw_i2c_realize(&d->ctrl, DEVICE(pci), irq, errp)) {
        qemu_free_irq(irq);
        return;
    }
    pci_register_bar(pci, 0, PCI_BASE_ADDRESS_SPACE_MEMORY, &d->ctrl.mmio);
}

static void dw_i2c_pci_exit(PCIDevice *pci)
{
    DWI2CPCIState *d = DW_I2C_PCI(pci);
    qemu_irq irq = d->ctrl.irq;

    dw_i2c_unrealize(&d->ctrl);
    qemu_free_irq(irq);
}

static void dw_i2c_pci_finalize(Object *obj)
{
    dw_i2c_finalize(&DW_I2C_PCI(obj)->ctrl);
}

static void dw_i2c_pci_reset_hold(Object *obj, ResetType type)
{
    dw_i2c_reset(&DW_I2C_PCI(obj)->ctrl);
}

static const VMStateDescription vmstate_dw_i2c_pci = {
    .name = TYPE_DW_I2C_PCI,
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_PCI_FUNCTION(parent_obj, DWI2CPCIState),
        VMSTATE_STRUCT(ctrl, DWI2CPCIState, 1, vmstate_dw_i2c, DWI2CState),
        VMSTATE_END_OF_LIST()
    }
};

static const Property dw_i2c_pci_props[] = {
    DEFINE_PROP_BOOL("hide-linux-races", DWI2CPCIState, ctrl.hide_linux_races,
                     false),
};

static void dw_i2c_pci_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);

    pc->realize = dw_i2c_pci_realize;
    pc->exit = dw_i2c_pci_exit;
    pc->vendor_id = PCI_VENDOR_ID_INTEL;
    pc->device_id = DW_I2C_PCI_DEVICE_ID;
    pc->class_id = DW_I2C_PCI_CLASS;

    rc->phases.hold = dw_i2c_pci_reset_hold;
    dc->vmsd = &vmstate_dw_i2c_pci;
    dc->desc = "Synopsys DesignWare I2C controller";
    device_class_set_props(dc, dw_i2c_pci_props);
    object_class_property_set_description(klass, "hide-linux-races",
        "let registers deviate where Linux's driver loses transfers");
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
}

static const TypeInfo dw_i2c_pci_type = {
    .name = TYPE_DW_I2C_PCI,
    .parent = TYPE_PCI_DEVICE,
    .instance_size = sizeof(DWI2CPCIState),
    .instance_finalize = dw_i2c_pci_finalize,
    .class_init = dw_i2c_pci_class_init,
    .interfaces = (const InterfaceInfo[]) {
        { INTERFACE_CONVENTIONAL_PCI_DEVICE },
        { },
    },
};

static void dw_i2c_pci_register(void)
{
    type_register_static(&dw_i2c_pci_type);
}

type_init(dw_i2c_pci_register)
