/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupt messages of CXL functions, sent after the operation is over
 *
 * A message is a write to an address that the guest chose.  It may unplug the
 * function that sends it, or one above, in the middle of whatever raised the
 * interrupt: a command, a write to a register, a hot-plug by the user, an error
 * that a port passes on.  So a message is queued, whoever raises it, and leaves
 * from a bottom half while the machine runs.
 */
#ifndef CXL_MSI_H
#define CXL_MSI_H

#include "hw/pci/pci_device.h"

/**
 * cxl_msi_init() - from now on messages of CXL functions are queued
 *
 * Called when one is realized; later calls do nothing.  It holds for every
 * function with INTERFACE_CXL_DEVICE and the ports above one.  What is queued
 * is part of the machine's state.
 */
void cxl_msi_init(void);

/** cxl_msi_drop() - forget what @dev has queued, as its reset does */
void cxl_msi_drop(PCIDevice *dev);

#endif /* CXL_MSI_H */
