/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cxl-poold: what commands ask PCI functions for, of which there are none here:
 * commands that would, find none on a CCI before that
 */
#include "qemu/osdep.h"
#include "hw/pci/pci.h"
#include "hw/pci/pcie.h"

uint8_t pci_find_capability(PCIDevice *pci, uint8_t id)
{
    g_assert_not_reached();
}

uint16_t pcie_find_capability(PCIDevice *pci, uint16_t id)
{
    g_assert_not_reached();
}
