/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors that a function reports by AER (PCIe r6.2 6.2, 7.8.4)
 */
#ifndef CXL_AER_H
#define CXL_AER_H

#include "hw/pci/pci_device.h"

/**
 * cxl_aer_inject() - let @pci have an error, by its own AER logic
 * @err: with one bit in its status
 *
 * As pcie_aer_inject_error(), but the interrupt message of the root port, which
 * may unplug @pci, comes last.  So it is the last thing that the caller does.
 *
 * Return: 0, or a negative errno if there is no such error
 */
int cxl_aer_inject(PCIDevice *pci, const PCIEAERErr *err);

#endif /* CXL_AER_H */
