/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cxl-poold: what commands ask PCI functions for, of which there are none here:
 * commands that would, find none on a CCI before that
 */
#include "qemu/osdep.h"
#include "hw/cxl/cci/switch-cci.h"
#include "hw/cxl/switch/io-request.h"
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

CXLCCI *cxl_switch_cci_at(const CXLCCI *cci, uint8_t port)
{
    g_assert_not_reached();
}

uint32_t cxl_io_config(PCIDevice *pci, uint32_t what, uint32_t data)
{
    g_assert_not_reached();
}

bool cxl_io_read(PCIDevice *pci, const CXLIOMemory *req, uint8_t *data)
{
    g_assert_not_reached();
}

bool cxl_io_write(PCIDevice *pci, const CXLIOMemory *req, const uint8_t *data)
{
    g_assert_not_reached();
}
