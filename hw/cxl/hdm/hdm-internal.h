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
 * struct CXLLeg - what one device adds to interleaved memory
 * @mr: memory of a backend; a pattern holds a reference
 * @base: host physical address at which the device's decoder begins
 * @ways, @granularity: of that decoder
 * @offset: where in @mr the first byte of the decoder would be, modulo 2^64
 */
typedef struct CXLLeg {
    MemoryRegion *mr;
    hwaddr base;
    unsigned ways;
    unsigned granularity;
    uint64_t offset;
} CXLLeg;

/**
 * struct CXLPattern - how interleaved memory goes to backends, immutable
 * @chunk: smallest aligned piece that no level splits, a page or more
 * @nr_legs: elements of @leg
 * @leg_of: which leg has a chunk, by its number modulo CXL_CHUNKS(@chunk)
 * @leg: devices, @leg_of is behind them
 */
typedef struct CXLPattern {
    unsigned chunk;
    unsigned nr_legs;
    uint8_t *leg_of;
    CXLLeg leg[];
} CXLPattern;

/* Sixteen ways of 16 KiB, and three: all ways and granularities divide it */
#define CXL_CHUNK_MAX   (16 << 10)
#define CXL_PERIOD      (3 * 16 * CXL_CHUNK_MAX)
#define CXL_CHUNKS(chunk) (CXL_PERIOD / (chunk))

/**
 * struct CXLDirectPiece - part of a window that is plain RAM
 * @hpa: host physical address, as @len in whole pages
 * @device: whose memory it is; mapped pieces keep it alive
 * @mr: memory of a backend
 * @offset: where in @mr it begins
 * @pattern: interleaved; instead of @device, @mr and @offset, owned
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
    CXLPattern *pattern;
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
 *
 * Freeing the array frees the patterns in it.
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

/* PCI numbers fewer functions 0 than this */
#define CXL_LEGS_MAX    255

/**
 * struct CXLMember - a device that takes part in an interleaved range
 * @ops: its methods
 * @base, @ways, @granularity: of its decoder
 * @dpa: where that begins in the device, modulo 2^64
 */
typedef struct CXLMember {
    CXLMemTarget *device;
    const CXLMemTargetClass *ops;
    hwaddr base;
    unsigned ways;
    unsigned granularity;
    uint64_t dpa;
} CXLMember;

/**
 * struct CXLShape - who takes part in a range, and where
 * @end: all decoders stay the same up to here
 * @chunk, @leg_of: as in CXLPattern
 * @member: @nr devices
 */
typedef struct CXLShape {
    hwaddr end;
    unsigned chunk;
    unsigned nr;
    CXLMember member[CXL_LEGS_MAX];
    uint8_t leg_of[CXL_PERIOD / 256];
} CXLShape;

/**
 * struct CXLRows - the fate of the first rows of a range
 * @len: bytes, in whole pages
 * @pattern: all of it is RAM like this; the caller's
 * @device: if @pattern is NULL: whose memory @why is about, or NULL
 */
typedef struct CXLRows {
    uint64_t len;
    CXLPattern *pattern;
    CXLMemTarget *device;
    CxlMemoryTrap why;
} CXLRows;

/**
 * cxl_shape_get() - follow the decoders of all levels from @hpa on
 * @end: of the range in question
 * @page: what is mapped begins and ends at multiples of it
 * @why: reason if there is nothing to map up to @s->end, which is set anyway
 */
bool cxl_shape_get(CXLFixedWindow *fw, hwaddr hpa, hwaddr end, unsigned page,
                   CXLShape *s, CxlMemoryTrap *why);

/**
 * cxl_rows() - the fate of what begins at @hpa, below @s->end
 * @why: exactly; else rows of one member's small extents are one range
 */
CXLRows cxl_rows(const CXLShape *s, hwaddr hpa, unsigned page, bool why);

CXLPattern *cxl_pattern_ref(CXLPattern *p);
void cxl_pattern_unref(CXLPattern *p);
/** cxl_pattern_same() - NULL is like NULL only */
bool cxl_pattern_same(const CXLPattern *a, const CXLPattern *b);

/* interleave.c */

/** cxl_interleave_region() - what pieces with a pattern are aliases of */
MemoryRegion *cxl_interleave_region(CXLFixedWindow *fw);

/**
 * cxl_interleave_update() - patterns of a window from now on
 * @plan: CXLDirectPiece, of all windows
 *
 * Before the memory transaction that maps the pieces.
 */
void cxl_interleave_update(CXLFixedWindow *fw, const GArray *plan);

/** cxl_interleave_settle() - that transaction has ended */
void cxl_interleave_settle(CXLFixedWindow *fw);

#endif /* HW_CXL_HDM_INTERNAL_H */
