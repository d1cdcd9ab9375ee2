/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Poison of a medium: which 64-byte lines are known to be bad
 * (CXL r3.2 8.2.10.9.4: media error records of 4300h, 4301h, 4302h, 4305h)
 *
 * One ordered set of ranges that never overlap says what is poisoned.  Up to
 * @limit of them are listed: a host sees those.  Poison that found no room is
 * kept as unlisted, the overflow is flagged, and a media scan lists it once
 * there is room again.  A model: no QOM, no PCI; the caller holds the BQL.
 */
#ifndef CXL_POISON_H
#define CXL_POISON_H

#include "hw/cxl/cxl_events.h"

/* Bytes that are poisoned or cleared at once */
#define CXL_POISON_LINE             64
/* Records that a device lists unless told otherwise (4000h reports 24 bits) */
#define CXL_POISON_DEFAULT_LIMIT    256
/*
 * Ranges that a set holds, listed or not: what it costs to keep and to search
 * them must not grow as far as a host that clears every other line likes.
 */
#define CXL_POISON_RANGES_MAX       65536

/* Error source, bits 2:0 of a media error record's address */
typedef enum CXLPoisonSource {
    CXL_POISON_UNKNOWN  = 0,
    CXL_POISON_EXTERNAL = 1,
    CXL_POISON_INTERNAL = 2,
    CXL_POISON_INJECTED = 3,
    CXL_POISON_VENDOR   = 7,
} CXLPoisonSource;

/**
 * struct CXLPoisonRange - poisoned bytes
 * @dpa: multiple of %CXL_POISON_LINE
 * @len: multiple of %CXL_POISON_LINE, never 0
 * @source: CXLPoisonSource
 * @listed: a host may see it
 */
typedef struct CXLPoisonRange {
    uint64_t dpa;
    uint64_t len;
    uint8_t source;
    bool listed;
} CXLPoisonRange;

/**
 * struct CXLPoison - the set
 * @range: @n ranges by ascending address, room for @allocated; at most
 *   %CXL_POISON_RANGES_MAX
 * @n_listed: those that are listed, at most @limit
 * @frozen: a scan runs: hosts neither add nor clear
 * @overflowed: poison was found that could not be listed
 * @overflow_ns: device time when @overflowed was set
 * @changed: set by the owner: other bytes are poisoned than before; not called
 *   for cxl_poison_destroy() and after a load
 */
typedef struct CXLPoison {
    CXLPoisonRange *range;
    uint32_t n;
    uint32_t allocated;
    uint32_t n_listed;
    uint32_t limit;
    bool frozen;
    bool overflowed;
    uint64_t overflow_ns;
    const CXLTimestamp *clock;
    void (*changed)(void *opaque);
    void *opaque;
} CXLPoison;

/**
 * cxl_poison_init() - nothing is poisoned
 * @limit: records that may be listed, at least 1
 * @clock: dates overflows; outlives the set
 */
void cxl_poison_init(CXLPoison *p, uint32_t limit, const CXLTimestamp *clock);
void cxl_poison_destroy(CXLPoison *p);
/** cxl_poison_forget() - nothing is poisoned any more (sanitize). */
void cxl_poison_forget(CXLPoison *p);

/**
 * cxl_poison_can_wipe() - is there room for what a wipe leaves?
 *
 * Return: false if the range lies in the middle of poison, of which two pieces
 * would be left, and the set is full.
 */
bool cxl_poison_can_wipe(const CXLPoison *p, uint64_t dpa, uint64_t len);

/**
 * cxl_poison_wipe() - a range was overwritten as a whole, so it is fine now
 * @dpa, @len: multiples of %CXL_POISON_LINE that do not wrap
 *
 * Works while a scan runs.  What is left above the range of what went into it
 * from below may become unlisted for want of room.
 *
 * Return: cxl_poison_can_wipe(); if false, nothing has changed.
 */
bool cxl_poison_wipe(CXLPoison *p, uint64_t dpa, uint64_t len);

/** cxl_poison_hits() - is any byte of the range poisoned, listed or not? */
bool cxl_poison_hits(const CXLPoison *p, uint64_t dpa, uint64_t len);

/**
 * cxl_poison_piece() - first poison of a range, listed or not
 * @out: what of it lies in @dpa to @dpa + @len, which may not wrap
 * Return: false if there is none.
 */
bool cxl_poison_piece(const CXLPoison *p, uint64_t dpa, uint64_t len,
                      CXLPoisonRange *out);

/** enum CXLPoisonResult - what became of an attempt to poison or clear */
typedef enum CXLPoisonResult {
    CXL_POISON_DONE,
    CXL_POISON_ALREADY,     /* some of it was poisoned before */
    CXL_POISON_FULL,        /* list or set has no room; nothing changed */
    CXL_POISON_FROZEN,      /* a scan runs; nothing changed */
    CXL_POISON_BAD_RANGE,   /* not in whole lines, or wraps */
} CXLPoisonResult;

/**
 * cxl_poison_found() - the medium itself turns out to be bad
 *
 * What cannot be listed is kept unlisted and sets the overflow.  Works while a
 * scan runs.
 *
 * Return: DONE, ALREADY, FULL or BAD_RANGE.  Length 0 is DONE.
 */
CXLPoisonResult cxl_poison_found(CXLPoison *p, uint64_t dpa, uint64_t len,
                                 CXLPoisonSource source);

/**
 * cxl_poison_inject() - a host poisons one line (4301h)
 * Return: DONE, ALREADY, FULL, FROZEN or BAD_RANGE
 */
CXLPoisonResult cxl_poison_inject(CXLPoison *p, uint64_t dpa);

/**
 * cxl_poison_clear() - a host heals one line (4302h)
 *
 * Splitting a range may leave its upper part unlisted for want of room.
 *
 * Return: DONE (also if the line was fine), FULL, FROZEN or BAD_RANGE
 */
CXLPoisonResult cxl_poison_clear(CXLPoison *p, uint64_t dpa);

/**
 * cxl_poison_next() - first listed range that ends behind @from
 * @out: that range, clipped so that it starts at @from or above
 *
 * To walk: continue with @from = out->dpa + out->len.
 *
 * Return: false if there is none.
 */
bool cxl_poison_next(const CXLPoison *p, uint64_t from, CXLPoisonRange *out);

/**
 * cxl_poison_unlisted() - first unlisted poison of a range
 * @at: its first byte in the range
 *
 * Return: false, with @at unchanged, if there is none.
 */
bool cxl_poison_unlisted(const CXLPoison *p, uint64_t dpa, uint64_t len,
                         uint64_t *at);

/**
 * cxl_poison_scan() - a media scan of a range has come to its end
 *
 * Lists the unlisted poison in it as long as there is room.  The overflow is
 * over when nothing is left unlisted.
 *
 * Return: number of ranges that became listed.
 */
uint32_t cxl_poison_scan(CXLPoison *p, uint64_t dpa, uint64_t len);

/*
 * vmstate_cxl_poison - state of a set made with the same limit; a stream that
 * breaks the order or the limit is refused
 */
extern const struct VMStateDescription vmstate_cxl_poison;

#endif /* CXL_POISON_H */
