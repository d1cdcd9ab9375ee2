/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupt messages of a function, kept until the base is done with it
 *
 * The base's ports send a message in the middle of what they do: in a write to
 * slot control, before a second error message of one error.  It goes where the
 * guest wants it, and may unplug the port that the base goes on with.
 */
#ifndef CXL_HELD_MSI_H
#define CXL_HELD_MSI_H

#include "hw/pci/msi.h"
#include "hw/pci/pci_device.h"

/* As many as a function without MSI-X has vectors */
#define CXL_HELD_MSI_MAX    32

/**
 * struct CXLHeldMSI - messages of one function
 * @pci: the function; a reference is held
 * @send: what sends them otherwise
 * @msg: the first @nr are in use; none is there twice
 */
typedef struct CXLHeldMSI {
    PCIDevice *pci;
    MSITriggerFunc *send;
    unsigned nr;
    MSIMessage msg[CXL_HELD_MSI_MAX];
    QLIST_ENTRY(CXLHeldMSI) next;
} CXLHeldMSI;

/**
 * cxl_msi_hold() - from now on @pci sends no message
 * @h: on the caller's stack
 *
 * Each is followed by cxl_msi_release(); for one function they nest.
 */
void cxl_msi_hold(CXLHeldMSI *h, PCIDevice *pci);

/**
 * cxl_msi_release() - send what was held
 *
 * The last thing that its caller does: afterwards the function, and those that
 * it depends on, may be gone.
 */
void cxl_msi_release(CXLHeldMSI *h);

#endif /* CXL_HELD_MSI_H */
