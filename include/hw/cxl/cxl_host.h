/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL host side: machine properties and fixed memory windows. CXL r3.2 sections
 * 9.13 and 9.18.1.
 */
#ifndef HW_CXL_CXL_HOST_H
#define HW_CXL_CXL_HOST_H

#include "system/memory.h"
#include "hw/sysbus.h"
#include "hw/cxl/cxl_hdm.h"
#include "qapi/qapi-types-machine.h"

/* In hw/pci/pci_bridge.h, which includes this file first */
typedef struct PXBCXLDev PXBCXLDev;

#define TYPE_CXL_FMW                    "cxl-fmw"
OBJECT_DECLARE_SIMPLE_TYPE(CXLFixedWindow, CXL_FMW)

/**
 * struct CXLFixedWindow - host physical range that goes to host bridges
 * @parent_obj: device of the machine
 * @index: N of "cxl-fmw.N"; counts on from one setting of the property to the
 *   next
 * @size: bytes, multiple of 256 MiB
 * @base: host physical address, chosen by the machine
 * @mr: region of the window in system memory
 * @targets: object ids of the host bridges, owned
 * @num_targets: number of interleave targets
 * @target_hbs: the host bridges, from cxl_fmws_link_targets() on
 * @enc_int_ways: interleave ways, encoded
 * @enc_int_gran: interleave granularity, encoded
 * @restrictions: what memory the window may have, as in the CEDT
 * @state: the machine's, whose window it is
 * @parts: CXLPart: what decoders make of it, ascending, without gaps
 * @lanes: what the last accesses found out
 */
struct CXLFixedWindow {
    SysBusDevice parent_obj;

    unsigned index;
    uint64_t size;
    hwaddr base;
    MemoryRegion mr;
    char *targets[CXL_INTERLEAVE_WAYS_MAX];
    uint8_t num_targets;
    PXBCXLDev *target_hbs[CXL_INTERLEAVE_WAYS_MAX];
    uint8_t enc_int_ways;
    uint8_t enc_int_gran;
    uint16_t restrictions;
    struct CXLState *state;
    GArray *parts;
    struct CXLWindowLane *lanes;
};

/**
 * struct CXLState - CXL part of a machine
 * @fixed_windows: list of CXLFixedWindow, in order of definition
 * @cfmw_list: what the machine property "cxl-fmw" was last set to
 * @is_enabled: machine property "cxl"
 * @next_mr_idx: free place in @host_mr
 * @host_mr: container of the host bridges' component registers
 * @direct: what of the windows is mapped, NULL until the machine is complete
 * @generation: goes up when anything changes that says who may touch what
 */
typedef struct CXLState {
    GList *fixed_windows;
    CXLFixedMemoryWindowOptionsList *cfmw_list;
    bool is_enabled;
    unsigned next_mr_idx;
    MemoryRegion host_mr;
    struct CXLDirect *direct;
    uint64_t generation;
} CXLState;

/**
 * cxl_machine_init - add the machine properties "cxl" and "cxl-fmw"
 * @obj: machine
 * @state: embedded in the machine
 */
void cxl_machine_init(Object *obj, CXLState *state);

/* Window restrictions: kinds of memory that it may have, section 9.18.1.3 */
#define CXL_WINDOW_DEVICE_COHERENT      BIT(0)
#define CXL_WINDOW_HOST_ONLY            BIT(1)
#define CXL_WINDOW_VOLATILE             BIT(2)
#define CXL_WINDOW_PERSISTENT           BIT(3)
#define CXL_WINDOW_FIXED                BIT(4)
#define CXL_WINDOW_BI                   BIT(5)
#define CXL_WINDOW_ALL                  MAKE_64BIT_MASK(0, 6)
/* All that needs no back-invalidate */
#define CXL_WINDOW_DEFAULT              0xf

/**
 * cxl_window_put_restrictions - of a CFMWS, in place of the default
 * @fw: window
 * @cedt: table that ends with the default, as two bytes
 */
void cxl_window_put_restrictions(const CXLFixedWindow *fw, GArray *cedt);

/* Where a window can begin: at a multiple of it */
static inline hwaddr cxl_window_alignment(const CXLFixedWindow *fw)
{
    return (fw->num_targets % 3 ? 1 : fw->num_targets) * CXL_HDM_GRANULE;
}

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
    return QEMU_ALIGN_UP(free, cxl_window_alignment(fw));
}

/**
 * cxl_window_span - bytes that a window takes at most, wherever it comes
 * @fw: window
 *
 * That is with what is left free before it.
 */
static inline uint64_t cxl_window_span(const CXLFixedWindow *fw)
{
    return fw->size + cxl_window_alignment(fw) - CXL_HDM_GRANULE;
}

/**
 * cxl_fmws_get_all_sorted - all windows of the machine, in order of definition
 *
 * Returns: a list that the caller frees, without its elements
 */
GSList *cxl_fmws_get_all_sorted(void);

/**
 * cxl_fmws_set_memmap - give each window its base
 * @base: first free address, a multiple of 256 MiB
 * @max_addr: last address that the machine has; ends QEMU with an error if a
 *   window does not fit below it
 *
 * Returns: first free address behind the windows
 */
hwaddr cxl_fmws_set_memmap(hwaddr base, hwaddr max_addr);

/** cxl_fmws_update_mmio - map each window at its base */
void cxl_fmws_update_mmio(void);

/**
 * cxl_fmws_link_targets - resolve the host bridges of all windows
 * @errp: error
 */
void cxl_fmws_link_targets(Error **errp);

/**
 * cxl_hook_up_pxb_registers - map the registers of all CXL host bridges
 * @bus: root bus
 * @state: CXL part of the machine
 * @errp: error; also if there is a CXL host bridge and CXL is off
 */
void cxl_hook_up_pxb_registers(PCIBus *bus, CXLState *state, Error **errp);

#endif /* HW_CXL_CXL_HOST_H */
