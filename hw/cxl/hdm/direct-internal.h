/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Direct mapping of CXL memory: what its files ask of each other, see
 * cxl_direct.h
 */
#ifndef HW_CXL_DIRECT_INTERNAL_H
#define HW_CXL_DIRECT_INTERNAL_H

#include "hw/cxl/cxl_direct.h"

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
GList *cxl_direct_windows(void);
unsigned cxl_direct_mapped(void);
bool cxl_direct_may_map_dynamic(void);

/* direct-slots.c */

/** cxl_direct_slots() - how many pieces may be mapped in all */
uint64_t cxl_direct_slots(void);

/* direct-plan.c */

/**
 * cxl_direct_plan() - all pieces that should be mapped, ascending
 * @dynamic: dynamic capacity as well
 *
 * Freeing the array frees the patterns in it.
 */
GArray *cxl_direct_plan(bool dynamic);

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

#endif /* HW_CXL_DIRECT_INTERNAL_H */
