/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From fixed memory windows to devices: what the files of this folder ask of
 * each other
 *
 * Direct mapping: what of the fixed memory windows the guest reaches as plain
 * RAM instead of by a trap.  CXL r3.2 sections 8.2.4.20 and 9.13.3 say who may
 * reach what; that an access need not trap is a matter of the emulation only.
 *
 * Everything that a trap would let through unchanged is mapped, as aliases of
 * the backends over the windows' I/O regions; all else keeps trapping.  One
 * plan for all windows is made afresh at each change and compared with what is
 * mapped, so that no mapping can outlive its reason.  The caller holds the BQL.
 */
#ifndef HW_CXL_HDM_INTERNAL_H
#define HW_CXL_HDM_INTERNAL_H

#include "hw/cxl/cxl_backend.h"
#include "hw/cxl/cxl_host.h"
#include "hw/cxl/cxl_mem_target.h"

/*
 * Mapped pieces in all: the memory core numbers fewer than 4096 sections of an
 * address space and aborts beyond that.  Each piece can leave a gap behind it,
 * which is a section too; half of them are for the rest of the machine.
 */
#define CXL_DIRECT_PIECES_MAX       1024
/* Slots left for what else the machine may map: ROMs, BARs, hot-plugged RAM */
#define CXL_DIRECT_SLOTS_RESERVED   32

/* route.c */

/**
 * struct CXLRoute - where an address goes
 * @miss: why it reaches no memory, in short English for a trace; else NULL
 * @device: memory device, NULL if there is none; no reference is taken
 * @ops: its methods
 * @dpa, @dec: where in the device, by its decoder, unless it has none
 * @chunk: smallest granularity of the levels above the device that interleave
 * @period: addresses that are so many chunks of %CXL_INTERLEAVE_CHUNK apart,
 *   and that the same decoders map, go the same way to the device; 1 if no
 *   level above it interleaves
 * @end: from here on other decoders may have a say; at most the end of the
 *   window
 */
typedef struct CXLRoute {
    const char *miss;
    CXLMemTarget *device;
    const CXLMemTargetClass *ops;
    uint64_t dpa;
    CXLHDMDecoder dec;
    unsigned chunk;
    unsigned period;
    hwaddr end;
} CXLRoute;

/**
 * cxl_route_hpa - follow window, host bridge, switches and device
 * @fw: window
 * @hpa: host physical address inside the window
 *
 * Over buses and registers: what is needed often is in @fw->parts.
 */
CXLRoute cxl_route_hpa(const CXLFixedWindow *fw, hwaddr hpa);

/* window.c */

/** cxl_window_init - before @fw can be accessed */
void cxl_window_init(CXLFixedWindow *fw);

/* Accesses to a fixed window; the opaque pointer is the CXLFixedWindow */
extern const MemoryRegionOps cxl_window_ops;

/* Sets of devices, and what is mapped */

/**
 * struct CXLMember - a device that takes part in interleaved memory
 * @ops: its methods
 * @dpa: its first address there
 * @medium: what it has there
 */
typedef struct CXLMember {
    CXLMemTarget *device;
    const CXLMemTargetClass *ops;
    uint64_t dpa;
    CXLMedium medium;
} CXLMember;

/**
 * struct CXLSetShape - who takes part in a set, and how
 * @member: @ways devices, in the order of their chunks of @granularity bytes
 */
typedef struct CXLSetShape {
    unsigned ways;
    unsigned granularity;
    CXLMember member[CXL_INTERLEAVE_WAYS_MAX];
} CXLSetShape;

#define TYPE_CXL_SET "cxl-set"
OBJECT_DECLARE_SIMPLE_TYPE(CXLSet, CXL_SET)

/**
 * struct CXLSet - interleaved memory in guest order
 * @ram: @len bytes, in the order of host physical addresses; anonymous, and
 *   no part of what is migrated
 * @memory: for loads and stores of it
 * @rows: of a chunk on each device
 * @moved: rows below it are here, the others are in the backends
 * @mapped: what @moved was when it was last mapped
 * @wanted: decoders spread memory like this, so all rows are to be here; or
 *   else in the backends
 */
struct CXLSet {
    Object parent_obj;
    MemoryRegion ram;
    uint64_t len;
    CXLSetShape shape;
    MemoryRegionCache memory;
    uint64_t rows;
    uint64_t moved;
    uint64_t mapped;
    bool wanted;
    QTAILQ_ENTRY(CXLSet) next;
};

/**
 * struct CXLPart - part of a window, all of which decoders treat alike
 * @shape: devices that have it by turns, or just one; of no ways if decoders of
 *   several levels contradict each other, or lead nowhere
 * @interleaved: some level does
 * @set: its memory in guest order, that begins at @hpa; NULL if there is none
 * @device, @why: why all of it traps, unless there is a @set or one device
 */
typedef struct CXLPart {
    hwaddr hpa;
    hwaddr end;
    CXLSetShape shape;
    bool interleaved;
    CXLSet *set;
    CXLMemTarget *device;
    CxlMemoryTrap why;
} CXLPart;

/**
 * struct CXLDirectRange - range of a window, and what becomes of it
 * @hpa: host physical address; @len and it are whole pages if it is @direct
 * @device: where it leads, NULL for nowhere or to several; if it is
 *   @interleaved, the first one that has no RAM for it.  What is mapped keeps
 *   it alive.
 * @dpa: its first byte there, unless it is @interleaved
 * @interleaved: devices have it by turns
 * @direct: plain RAM
 * @why: reason if it is not
 * @mr: or else memory of a backend or a set
 * @offset: where in @mr it begins
 * @dynamic: as in CXLMemSpan
 * @alias: in the window, once it is mapped
 */
typedef struct CXLDirectRange {
    CXLFixedWindow *fw;
    hwaddr hpa;
    uint64_t len;
    CXLMemTarget *device;
    uint64_t dpa;
    bool interleaved;
    bool direct;
    CxlMemoryTrap why;
    MemoryRegion *mr;
    uint64_t offset;
    bool dynamic;
    MemoryRegion *alias;
} CXLDirectRange;

/* direct.c */

/**
 * struct CXLDirect - what is mapped, and which interleaved memory there is
 * @state: of the machine
 * @mapped: CXLDirectRange, as they are in the windows
 * @decode: tells that a decoder has changed
 * @may_map_dynamic: nobody had pinned memory for good at the last update
 * @dynamic: we keep others from that
 * @no_dma: something that does DMA could not take a piece
 * @set: no byte of a backend is in two of them
 * @timer: of the next slice
 * @hold: a stream is made: all sets go back, and stay
 * @later: some set cannot be until the machine runs
 * @stream: tells that one begins or has ended
 * @exit: QEMU ends
 */
typedef struct CXLDirect {
    CXLState *state;
    GArray *mapped;
    Notifier decode;
    bool may_map_dynamic;
    bool dynamic;
    bool no_dma;
    QTAILQ_HEAD(, CXLSet) set;
    QEMUTimer *timer;
    bool hold;
    bool later;
    NotifierWithReturn stream;
    Notifier exit;
} CXLDirect;

/**
 * cxl_direct_start - the machine is complete: begin to map
 * @state: CXL part of the machine, windows linked
 */
void cxl_direct_start(CXLState *state);

/** cxl_direct - of a machine that cxl_direct_start() was told of, or NULL */
CXLDirect *cxl_direct(void);

/** cxl_direct_slots() - how many pieces may be mapped in all */
uint64_t cxl_direct_slots(const CXLDirect *d);

/* direct-plan.c */

/** cxl_direct_plan() - all pieces that should be mapped, ascending */
GArray *cxl_direct_plan(const CXLDirect *d);

/* Return false to end the walk */
typedef bool CXLDirectRangeFn(void *opaque, const CXLDirectRange *range);

/**
 * cxl_direct_explain() - the same, and why all else traps
 * @from: tell of what is there and above
 *
 * What is below @from takes no longer than it does in cxl_direct_plan().
 */
void cxl_direct_explain(CXLFixedWindow *fw, hwaddr from, CXLDirectRangeFn *fn,
                        void *opaque);

/* set.c */

/**
 * cxl_sets_topology_changed() - routes or decoders of devices may be others
 *
 * Finds the parts of all windows.  Before the memory transaction that maps what
 * is there.
 */
void cxl_sets_topology_changed(CXLDirect *d);

/** cxl_set_remove() - none of its rows is in it */
void cxl_set_remove(CXLDirect *d, CXLSet *s);

/* set-move.c */

/** cxl_sets_start() - @d->timer is good from then on */
void cxl_sets_start(CXLDirect *d);

#endif /* HW_CXL_HDM_INTERNAL_H */
