/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL host side: machine properties and fixed memory windows. CXL r3.2 sections
 * 9.13 and 9.18.1.
 */
#ifndef HW_CXL_CXL_HOST_H
#define HW_CXL_CXL_HOST_H

#include "exec/memory.h"
#include "hw/cxl/cxl_hdm.h"
#include "qapi/qapi-types-machine.h"

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
 * @state: the machine's, whose window it is
 * @lanes: what the last accesses found out, NULL before the first one
 * @tree: what decoders say, NULL if they were changed since it was asked for
 * @interleave: region of interleaved memory, NULL if there never was any
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
    struct CXLState *state;
    struct CXLWindowLanes *lanes;
    struct CXLRouteTree *tree;
    struct CXLInterleaveRegion *interleave;
} CXLFixedWindow;

/**
 * struct CXLState - CXL part of a machine
 * @fixed_windows: list of CXLFixedWindow, in order of definition
 * @cfmw_list: what the machine property "cxl-fmw" was last set to
 * @is_enabled: machine property "cxl"
 * @next_mr_idx: free place in @host_mr
 * @host_mr: container of the host bridges' component registers
 * @direct: what of the windows is mapped, NULL until the machine is complete
 * @pool: backends of interleaved memory, NULL if there never was any
 */
typedef struct CXLState {
    GList *fixed_windows;
    CXLFixedMemoryWindowOptionsList *cfmw_list;
    bool is_enabled;
    unsigned next_mr_idx;
    MemoryRegion host_mr;
    struct CXLDirect *direct;
    struct CXLInterleavePool *pool;
} CXLState;

/**
 * cxl_machine_init - add the machine properties "cxl" and "cxl-fmw"
 * @obj: machine
 * @state: embedded in the machine
 */
void cxl_machine_init(Object *obj, CXLState *state);

/**
 * cxl_fmws_link_targets - resolve the host bridges of all windows
 * @state: CXL part of the machine
 * @errp: error
 */
void cxl_fmws_link_targets(CXLState *state, Error **errp);

/**
 * cxl_window_start - where a window can begin
 * @fw: window
 * @free: first free address, a multiple of 256 MiB
 *
 * Operating systems take the index of a chunk modulo 3, 6 or 12 from the start
 * of such a window, the window takes it from the address: both agree when the
 * window begins at a multiple of its ways.
 */
static inline hwaddr cxl_window_start(const CXLFixedWindow *fw, hwaddr free)
{
    hwaddr step = (fw->num_targets % 3 ? 1 : fw->num_targets) * CXL_HDM_GRANULE;

    return QEMU_ALIGN_UP(free, step);
}

/**
 * cxl_hook_up_pxb_registers - map the registers of all CXL host bridges
 * @bus: root bus
 * @state: CXL part of the machine
 * @errp: error; also if there is a CXL host bridge and CXL is off
 */
void cxl_hook_up_pxb_registers(PCIBus *bus, CXLState *state, Error **errp);

/* Accesses to a fixed window; the opaque pointer is the CXLFixedWindow */
extern const MemoryRegionOps cfmws_ops;

#endif /* HW_CXL_CXL_HOST_H */
