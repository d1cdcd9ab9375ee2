/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL host side: machine properties, fixed memory windows, and the way of an
 * address from a window to a device. CXL r3.2 sections 9.13 and 9.18.1.
 */
#ifndef HW_CXL_CXL_HOST_H
#define HW_CXL_CXL_HOST_H

#include "hw/cxl/cxl.h"
#include "hw/cxl/cxl_mem_target.h"

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

/**
 * enum CXLRouteMiss - why an address reaches no device
 * @CXL_ROUTE_OK: it does
 * @CXL_ROUTE_NO_BRIDGE: the window's target is not resolved
 * @CXL_ROUTE_NO_DECODER: no committed decoder of a bridge or switch has it
 * @CXL_ROUTE_NO_PORT: the decoder names a port that does not exist
 * @CXL_ROUTE_NO_DEVICE: nothing behind the port is a memory device
 * @CXL_ROUTE_TOO_DEEP: more switch levels than any bus numbering allows
 */
typedef enum CXLRouteMiss {
    CXL_ROUTE_OK,
    CXL_ROUTE_NO_BRIDGE,
    CXL_ROUTE_NO_DECODER,
    CXL_ROUTE_NO_PORT,
    CXL_ROUTE_NO_DEVICE,
    CXL_ROUTE_TOO_DEEP,
} CXLRouteMiss;

/**
 * struct CXLRoute - where an address goes
 * @device: memory device, NULL on a miss; no reference is taken
 * @ops: its methods
 * @miss: why there is none
 * @ways: product of all interleave ways from the window to the last port
 * @chunk: smallest granularity of those that interleave; with @ways 1 more
 *   than any
 * @end: addresses from here on may go another way, even if @ways and @chunk
 *   say they are of the same target; at most the end of the window
 * @period: addresses that are so many chunks of %CXL_INTERLEAVE_CHUNK apart,
 *   and that the same decoders map, go the same way
 */
typedef struct CXLRoute {
    CXLMemTarget *device;
    const CXLMemTargetClass *ops;
    CXLRouteMiss miss;
    unsigned ways;
    unsigned chunk;
    hwaddr end;
    unsigned period;
} CXLRoute;

/**
 * cxl_route_hpa - follow window, host bridge and switches to the device
 * @fw: window
 * @hpa: host physical address inside the window
 *
 * The device's own decoders are not consulted.
 */
CXLRoute cxl_route_hpa(CXLFixedWindow *fw, hwaddr hpa);

/**
 * cxl_route_forget - routes are to be worked out again
 *
 * To be called when any decoder of a bridge or switch changes, and when a
 * memory device is attached or on its way out.
 */
void cxl_route_forget(void);

/** cxl_route_miss_text - short English for a trace. */
const char *cxl_route_miss_text(CXLRouteMiss why);

/**
 * cxl_window_forget - the next access to any window finds its way anew
 *
 * To be called when anything changes that cxl_route_hpa() or the span() of a
 * memory device depends on.
 */
void cxl_window_forget(void);

/** cxl_window_exit - free what was kept about @fw, which is on its way out. */
void cxl_window_exit(CXLFixedWindow *fw);

#endif /* HW_CXL_CXL_HOST_H */
