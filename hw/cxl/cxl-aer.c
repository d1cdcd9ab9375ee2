/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors that a function reports by AER (PCIe r6.2 6.2, 7.8.4)
 */
#include "qemu/osdep.h"
#include "hw/cxl/cxl_aer.h"
#include "hw/cxl/cxl_held_msi.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pcie.h"

/* The root port that error messages of @pci go to, NULL if there is none */
static PCIDevice *aer_root_port(PCIDevice *pci)
{
    while (pci && pci_is_express(pci) &&
           pcie_cap_get_type(pci) != PCI_EXP_TYPE_ROOT_PORT) {
        pci = pci_bridge_get_device(pci_get_bus(pci));
    }
    return pci && pci_is_express(pci) ? pci : NULL;
}

int cxl_aer_inject(PCIDevice *pci, const PCIEAERErr *err)
{
    PCIDevice *root = aer_root_port(pci);
    CXLHeldMSI held;
    int ret;

    if (root) {
        cxl_msi_hold(&held, root);
    }
    ret = pcie_aer_inject_error(pci, err);
    if (root) {
        cxl_msi_release(&held);
    }
    return ret;
}
