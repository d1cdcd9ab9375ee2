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

/* route.c, window.c */

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
 * cxl_route_forget - routes from @fw are to be worked out again
 *
 * To be called when any decoder of a bridge or switch changes, and when a
 * memory device is attached or on its way out.
 */
void cxl_route_forget(CXLFixedWindow *fw);

/** cxl_route_miss_text - short English for a trace. */
const char *cxl_route_miss_text(CXLRouteMiss why);

/* Accesses to a fixed window; the opaque pointer is the CXLFixedWindow */
extern const MemoryRegionOps cxl_window_ops;

/**
 * cxl_window_forget - the next access to @fw finds its way anew
 *
 * To be called when anything changes that cxl_route_hpa() or the span() of a
 * memory device depends on.
 */
void cxl_window_forget(CXLFixedWindow *fw);

/* direct*.c */

/**
 * struct CXLMember - a device that takes part in interleaved memory
 * @ops: its methods
 * @dpa: its first address there
 * @mr: backend, as @offset and the rest as in CXLMedium
 */
typedef struct CXLMember {
    CXLMemTarget *device;
    const CXLMemTargetClass *ops;
    uint64_t dpa;
    MemoryRegion *mr;
    uint64_t offset;
    bool may_drop;
    bool write_back;
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
 * @memory, @backend: for loads and stores of it and of each backend
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
    MemoryRegionCache backend[CXL_INTERLEAVE_WAYS_MAX];
    uint64_t rows;
    uint64_t moved;
    uint64_t mapped;
    bool wanted;
    QTAILQ_ENTRY(CXLSet) next;
};

/**
 * struct CXLSpread - a part of a window that levels above devices interleave
 * @set: its memory in guest order, that begins at @hpa; NULL if there is none
 * @why: it traps, because of @device or else NULL
 */
typedef struct CXLSpread {
    CXLFixedWindow *fw;
    hwaddr hpa;
    hwaddr end;
    CXLSet *set;
    CXLMemTarget *device;
    CxlMemoryTrap why;
} CXLSpread;

/**
 * struct CXLSets - all of a machine
 * @set: no byte of a backend is in two of them
 * @spread: CXLSpread, by window and ascending
 * @timer: of the next slice
 * @hold: a stream is made: everything goes back, and stays
 * @later: some set cannot be until the machine runs
 * @exit: QEMU ends
 */
typedef struct CXLSets {
    CXLState *state;
    QTAILQ_HEAD(, CXLSet) set;
    GArray *spread;
    QEMUTimer *timer;
    bool hold;
    bool later;
    NotifierWithReturn stream;
    Notifier exit;
} CXLSets;

/**
 * struct CXLDirectPiece - part of a window that is plain RAM
 * @hpa: host physical address, as @len in whole pages
 * @device: whose memory it is, NULL if it is that of a set; mapped pieces keep
 *   it alive
 * @mr: memory of a backend or a set
 * @offset: where in @mr it begins
 * @dynamic: as in CXLMemSpan
 * @alias: in the window, once it is mapped
 */
typedef struct CXLDirectPiece {
    CXLFixedWindow *fw;
    hwaddr hpa;
    uint64_t len;
    CXLMemTarget *device;
    MemoryRegion *mr;
    uint64_t offset;
    bool dynamic;
    MemoryRegion *alias;
} CXLDirectPiece;

/**
 * struct CXLDirectFate - what becomes of a range of a window
 * @device: where it leads, NULL for nowhere or to several; if it is
 *   @interleaved, the first one that has no RAM for it
 * @dpa: its first byte there, unless it is @interleaved
 * @direct: plain RAM
 * @why: reason if it is not
 */
typedef struct CXLDirectFate {
    hwaddr hpa;
    uint64_t len;
    CXLMemTarget *device;
    uint64_t dpa;
    bool direct;
    bool interleaved;
    CxlMemoryTrap why;
} CXLDirectFate;

/* direct.c */

/**
 * struct CXLDirect - what is mapped
 * @mapped: CXLDirectPiece, as they are in the windows
 * @decode: tells that a decoder has changed
 * @dynamic: we keep others from pinning memory for good
 * @no_dma: something that does DMA could not take a piece
 */
typedef struct CXLDirect {
    GArray *mapped;
    Notifier decode;
    bool dynamic;
    bool no_dma;
} CXLDirect;

/**
 * cxl_direct_start - the machine is complete: begin to map
 * @state: CXL part of the machine, windows linked
 */
void cxl_direct_start(CXLState *state);

/** cxl_direct_state - of a machine that cxl_direct_start() was told of. */
CXLState *cxl_direct_state(void);
unsigned cxl_direct_mapped(const CXLState *state);
bool cxl_direct_may_map_dynamic(const CXLState *state);

/* direct-slots.c */

/** cxl_direct_slots() - how many pieces may be mapped in all */
uint64_t cxl_direct_slots(const CXLState *state);

/* direct-plan.c */

/**
 * cxl_direct_plan() - all pieces that should be mapped, ascending
 * @dynamic: dynamic capacity as well
 */
GArray *cxl_direct_plan(const CXLState *state, bool dynamic);

/* Return false to end the walk */
typedef bool CXLDirectFateFn(void *opaque, const CXLDirectFate *fate);

/**
 * cxl_direct_explain() - the same, and why all else traps
 * @from: tell of what is there and above
 *
 * What is below @from takes no longer than it does in cxl_direct_plan().
 */
void cxl_direct_explain(CXLFixedWindow *fw, hwaddr from, CXLDirectFateFn *fn,
                        void *opaque);

/* direct-rows.c */

/**
 * struct CXLRows - the fate of the first bytes of a part of a set
 * @len: bytes, in whole pages
 * @direct: all of it is RAM
 * @dynamic: as in CXLMemSpan
 * @device: if it traps: whose memory @why is about
 */
typedef struct CXLRows {
    uint64_t len;
    bool direct;
    bool dynamic;
    CXLMemTarget *device;
    CxlMemoryTrap why;
} CXLRows;

/**
 * cxl_rows() - the fate of what begins at @at in @s
 * @end: of what may be mapped, as @at a multiple of @page, rows below @s->moved
 */
CXLRows cxl_rows(const CXLSet *s, uint64_t at, uint64_t end, unsigned page);

/* set.c */

/**
 * cxl_sets_topology_changed() - routes or decoders of devices may be others
 *
 * Before the memory transaction that maps what is there.
 */
void cxl_sets_topology_changed(CXLState *state);

/** cxl_spread_at() - the part with @hpa, where routes have several ways */
const CXLSpread *cxl_spread_at(const CXLState *state, const CXLFixedWindow *fw,
                               hwaddr hpa);

/** cxl_set_remove() - none of its rows is in it */
void cxl_set_remove(CXLSets *all, CXLSet *s);

/* set-move.c */

CXLSets *cxl_sets_new(CXLState *state);

/** cxl_sets_go() - some set may have rows to move */
void cxl_sets_go(CXLSets *all);

/** cxl_sets_finish() - what is to leave its set does so at once */
void cxl_sets_finish(CXLState *state);

#endif /* HW_CXL_HDM_INTERNAL_H */
