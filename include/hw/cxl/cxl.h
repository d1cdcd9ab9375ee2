/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Umbrella header of the CXL layer: what machines, bridges and PCI code know
 * of it. Included by hw/pci/pci_bridge.h, hence by nearly all PCI code: keep
 * it free of target-specific names.
 */
#ifndef HW_CXL_CXL_H
#define HW_CXL_CXL_H

#include "qapi/qapi-types-machine.h"
#include "qapi/qapi-visit-machine.h"
#include "hw/pci/pci_host.h"
#include "hw/cxl/cxl_pci.h"
#include "hw/cxl/cxl_component.h"
#include "hw/cxl/cxl_cci.h"

#define TYPE_PXB_CXL_HOST               "pxb-cxl-host"
#define TYPE_CXL_USP                    "cxl-upstream"
#define TYPE_CXL_DSP                    "cxl-downstream"

/* In hw/pci/pci_bridge.h, which includes this file first */
typedef struct PXBCXLDev PXBCXLDev;

/**
 * struct CXLFixedWindow - host physical range that goes to host bridges
 * @size: bytes, multiple of 256 MiB
 * @base: host physical address, chosen by the machine
 * @mr: region of the window in system memory
 * @targets: object ids of the host bridges, owned
 * @num_targets: number of interleave targets
 * @target_hbs: the host bridges, from cxl_fmws_link_targets() on
 * @enc_int_ways: interleave ways, encoded
 * @enc_int_gran: interleave granularity, encoded
 * @lanes: what the last accesses found out, owned; NULL before the first one
 */
typedef struct CXLFixedWindow {
    uint64_t size;
    hwaddr base;
    MemoryRegion mr;
    char *targets[CXL_INTERLEAVE_WAYS_MAX];
    uint8_t num_targets;
    PXBCXLDev *target_hbs[CXL_INTERLEAVE_WAYS_MAX];
    uint8_t enc_int_ways;
    uint8_t enc_int_gran;
    struct CXLWindowLanes *lanes;
} CXLFixedWindow;

/**
 * struct CXLState - CXL part of a machine
 * @fixed_windows: list of CXLFixedWindow, in order of definition
 * @cfmw_list: what the machine property "cxl-fmw" was last set to
 * @is_enabled: machine property "cxl"
 * @next_mr_idx: free place in @host_mr
 * @host_mr: container of the host bridges' component registers
 */
typedef struct CXLState {
    GList *fixed_windows;
    CXLFixedMemoryWindowOptionsList *cfmw_list;
    bool is_enabled;
    unsigned next_mr_idx;
    MemoryRegion host_mr;
} CXLState;

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
