/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the CXL layer changes inside other modules of QEMU for want of a
 * function that does it; all of it, with the reason for each
 */
#ifndef CXL_BASE_CONTACTS_H
#define CXL_BASE_CONTACTS_H

#include "hw/pci/pci_device.h"

/**
 * cxl_base_hide_from_bus() - the host of the bus sees @dev no more
 *
 * An unbound device stays a child of its port's bus, since it is still plugged
 * and the Fabric Manager reaches it.  PCI has no state "plugged but not there":
 * the device leaves the table that configuration cycles are decoded with, and
 * its slot is reserved so that no other one can be plugged there.
 */
void cxl_base_hide_from_bus(PCIDevice *dev);
/** cxl_base_show_on_bus() - undo cxl_base_hide_from_bus(). */
void cxl_base_show_on_bus(PCIDevice *dev);
/**
 * cxl_base_release_slot() - @dev, which is hidden, is being unplugged
 *
 * The slot can be used again; the table of the bus is left alone.
 */
void cxl_base_release_slot(PCIDevice *dev);
/**
 * cxl_base_keep_on_eject() - does a slot that loses power keep @dev plugged?
 *
 * A guest that powers its slot off makes the port delete what is in it.  Two
 * flags, made for the failover of network devices, have the port leave the
 * device plugged and out of the guest's sight; nothing sets them from outside.
 */
void cxl_base_keep_on_eject(PCIDevice *dev, bool keep);
/**
 * cxl_base_give_up_pci() - loading the state of @dev has failed half way
 *
 * The error log keeps its count without the errors.
 */
void cxl_base_give_up_pci(PCIDevice *dev);

#endif /* CXL_BASE_CONTACTS_H */
