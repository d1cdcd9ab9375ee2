/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the CXL layer changes inside other modules of QEMU; the header has the
 * reasons
 */
#include "qemu/osdep.h"
#include "hw/pci/pci_bus.h"
#include "base-contacts.h"

void cxl_base_hide_from_bus(PCIDevice *dev)
{
    PCIBus *bus = pci_get_bus(dev);

    bus->devices[dev->devfn] = NULL;
    pci_bus_set_slot_reserved_mask(bus, 1u << PCI_SLOT(dev->devfn));
}

void cxl_base_show_on_bus(PCIDevice *dev)
{
    pci_get_bus(dev)->devices[dev->devfn] = dev;
    cxl_base_release_slot(dev);
}

void cxl_base_release_slot(PCIDevice *dev)
{
    pci_bus_clear_slot_reserved_mask(pci_get_bus(dev),
                                     1u << PCI_SLOT(dev->devfn));
}

void cxl_base_keep_on_eject(PCIDevice *dev, bool keep)
{
    dev->partially_hotplugged = keep;
    dev->qdev.pending_deleted_event = keep;
}

void cxl_base_give_up_pci(PCIDevice *dev)
{
    dev->exp.aer_log.log_num = 0;
}
