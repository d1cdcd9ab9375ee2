/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Umbrella header of the CXL layer: what machines, bridges and PCI code know
 * of it. Included by hw/pci/pci_bridge.h, hence by nearly all PCI code: keep
 * it free of target-specific names.
 */
#ifndef HW_CXL_CXL_H
#define HW_CXL_CXL_H

#include "qapi/qapi-visit-machine.h"
#include "hw/pci/pci_host.h"
#include "hw/cxl/cxl_pci.h"
#include "hw/cxl/cxl_component.h"
#include "hw/cxl/cxl_cci.h"
#include "hw/cxl/cxl_host.h"

#define TYPE_PXB_CXL_HOST               "pxb-cxl-host"
#define TYPE_CXL_USP                    "cxl-upstream"
#define TYPE_CXL_DSP                    "cxl-downstream"

/**
 * struct CXLHost - host bridge behind a pxb-cxl device
 * @parent_obj: PCI host bridge
 * @cxl_cstate: component registers
 * @passthrough: has a single root port, all traffic goes there undecoded
 */
typedef struct CXLHost {
    PCIHostState parent_obj;

    CXLComponentState cxl_cstate;
    bool passthrough;
} CXLHost;

DECLARE_INSTANCE_CHECKER(CXLHost, PXB_CXL_HOST, TYPE_PXB_CXL_HOST)
OBJECT_DECLARE_SIMPLE_TYPE(CXLUpstreamPort, CXL_USP)
OBJECT_DECLARE_SIMPLE_TYPE(CXLDownstreamPort, CXL_DSP)

#endif /* HW_CXL_CXL_H */
