/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Migration of host bridges, root ports and switch ports. Their own files,
 * which belong to the base, save nothing: after a snapshot was loaded, bus
 * numbers, bridge windows and decoders would be those of a reset.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "hw/pci/pci_host.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_aer.h"
#include "hw/pci/pcie_port.h"
#include "hw/pci/pci_vmstate.h"
#include "hw/pci-bridge/cxl_upstream_port.h"
#include "migration/vmstate-checked.h"
#include "base-contacts.h"
#include "port-vmstate.h"

static int slot_post_load(void *opaque, int version_id)
{
    return pcie_cap_slot_post_load(opaque, version_id);
}

/* -- properties ----------------------------------------------------------- */

/* What a port was given; a host bridge has what its expander bridge was */
static char *port_property(void *opaque, const VMStateField *field)
{
    Object *obj = OBJECT(opaque);

    if (object_dynamic_cast(obj, TYPE_PXB_CXL_HOST)) {
        obj = OBJECT(PCI_HOST_BRIDGE(obj)->bus->parent_dev);
    }
    return object_property_find(obj, field->err_hint) ?
           object_property_print(obj, field->err_hint, false, &error_abort) :
           NULL;
}

static const VMStateText port_same = {
    VMSTATE_TEXT_INFO,
    .text = port_property,
};

/* What a guest reads somewhere in a port or host bridge */
#define PORT_SAME(name) VMSTATE_SAME_TEXT(port_same, DeviceState, name)

/* Most machines have none, and their streams are as they were without it */
static bool port_has_flits(void *opaque)
{
    const CXLComponentState *cxl = cxl_component_of(opaque);

    return cxl && cxl->flit_256b;
}

static const VMStateDescription vmstate_port_flit = {
    .name = "cxl-port-properties/flit",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = port_has_flits,
    .fields = (const VMStateField[]) {
        PORT_SAME("x-256b-flit"),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_port_properties = {
    .name = "cxl-port-properties",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        PORT_SAME("port"),
        PORT_SAME("slot"),
        PORT_SAME("sn"),
        PORT_SAME("x-speed"),
        PORT_SAME("x-width"),
        PORT_SAME("hotplug"),
        PORT_SAME("power_controller_present"),
        PORT_SAME("hdm_for_passthrough"),
        VMSTATE_END_OF_LIST()
    },
    .subsections = (const VMStateDescription *const []) {
        &vmstate_port_flit,
        NULL
    }
};

/* -- registers ------------------------------------------------------------ */

/* Registers of a port change as a whole; these two have counts of their own */
static void port_give_up(void *opaque)
{
    PCIDevice *port = opaque;

    cxl_base_give_up_pci(port);
    if (object_dynamic_cast(OBJECT(port), TYPE_CXL_USP)) {
        pcie_doe_reset(&CXL_USP(port)->doe_cdat);
    }
}

static VMStateDescription *port_new_description(const char *name,
                                                const VMStateField *fields)
{
    VMStateDescription *vmsd;

    vmsd = g_new0(VMStateDescription, 1);
    vmsd->name = name;
    vmsd->version_id = 1;
    vmsd->minimum_version_id = 1;
    vmsd->fields = fields;
    return vmsd;
}

/*
 * The component lies at another place in each type, so the description cannot
 * be a constant. It lives as long as the class it is made for.
 */
static const VMStateDescription *port_describe(Object *obj,
                                               CXLComponentState *cxl)
{
    bool slot = object_dynamic_cast(obj, TYPE_PCIE_SLOT);
    bool upstream = object_dynamic_cast(obj, TYPE_CXL_USP);
    VMStateField *f = g_new0(VMStateField, 6), *all = g_new0(VMStateField, 2);
    VMStateGuard *guard = g_new0(VMStateGuard, 1);
    unsigned n = 4;
    VMStateDescription *vmsd;

    f[0] = (VMStateField) VMSTATE_ALL(DeviceState, vmstate_port_properties);
    f[1] = (VMStateField) VMSTATE_PCI_FUNCTION(parent_obj, PCIBridge);
    f[2] = (VMStateField) {
        .name = "aer-log",
        .vmsd = &vmstate_pcie_aer_log,
        .offset = offsetof(PCIDevice, exp.aer_log),
        .size = sizeof(PCIEAERLog),
        .flags = VMS_STRUCT,
    };
    f[3] = (VMStateField) {
        .name = "component",
        .vmsd = &vmstate_cxl_component,
        .offset = (char *)cxl - (char *)obj,
        .size = sizeof(*cxl),
        .flags = VMS_STRUCT,
    };
    if (upstream) {
        f[n++] = (VMStateField) {
            .name = "doe",
            .vmsd = &vmstate_pcie_doe,
            .offset = offsetof(CXLUpstreamPort, doe_cdat),
            .size = sizeof(DOECap),
            .flags = VMS_STRUCT,
        };
    }
    f[n] = (VMStateField) VMSTATE_END_OF_LIST();

    *guard = (VMStateGuard) {
        VMSTATE_GUARD_INFO,
        .vmsd = port_new_description("cxl-port", f),
        .give_up = port_give_up,
    };
    all[0] = (VMStateField) VMSTATE_GUARDED(*guard, PCIDevice);
    all[1] = (VMStateField) VMSTATE_END_OF_LIST();
    vmsd = port_new_description(object_get_typename(obj), all);
    vmsd->priority = MIG_PRI_PCI_BUS;
    vmsd->post_load = slot ? slot_post_load : NULL;
    return vmsd;
}

void cxl_port_register_vmstate(Object *obj, CXLComponentState *cxl)
{
    DeviceClass *dc = DEVICE_GET_CLASS(obj);

    if (object_dynamic_cast(obj, TYPE_PXB_CXL_HOST)) {
        /* Cannot be unplugged, hence never unregistered */
        vmstate_register(VMSTATE_IF(obj), VMSTATE_INSTANCE_ID_ANY,
                         &vmstate_port_properties, obj);
        vmstate_register(VMSTATE_IF(obj), VMSTATE_INSTANCE_ID_ANY,
                         &vmstate_cxl_component, cxl);
    } else if (object_dynamic_cast(obj, TYPE_PCIE_PORT) && !dc->vmsd) {
        /* Called from realize: the device registers it right afterwards */
        dc->vmsd = port_describe(obj, cxl);
    }
}
