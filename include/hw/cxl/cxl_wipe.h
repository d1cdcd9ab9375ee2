/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory whose contents are gone and have not been overwritten yet (CXL r3.2
 * 8.2.10.9.5, 8.2.10.9.6.6, 9.13.3)
 *
 * To overwrite memory takes time in proportion to its size, and nothing else of
 * the machine runs meanwhile.  So what shall be gone is noted, as if its key
 * had been thrown away: from then on it reads as zeroes for whoever gets it.
 * All accesses to it trap, and the first one to a piece overwrites that piece;
 * a timer overwrites the rest in slices.
 *
 * The timer is one of the virtual clock: memory must not change while a stopped
 * machine is saved.
 */
#ifndef CXL_WIPE_H
#define CXL_WIPE_H

#include "qemu/interval-tree.h"
#include "qemu/timer.h"

/* An access overwrites what shall be gone in a piece of this size around it */
#define CXL_WIPE_PIECE (64 * KiB)

/**
 * struct CXLWipeOps - who owns the memory
 * @zero: overwrite the beginning of @len bytes at @place, at least one of them;
 *        writing costs @budget, which is not 0, a byte for a byte, dropping
 *        pages costs less.  Returns the bytes that read as zeroes now.
 * @trap: processors and devices may reach other memory than before
 * @done: the timer has overwritten the last of it
 * @end: the place behind the last
 */
typedef struct CXLWipeOps {
    uint64_t (*zero)(void *opaque, uint64_t place, uint64_t len,
                     uint64_t *budget);
    void (*trap)(void *opaque);
    void (*done)(void *opaque);
    uint64_t (*end)(void *opaque);
} CXLWipeOps;

/**
 * struct CXLWipe - what reads as zeroes, but is not overwritten yet
 * @ranges: IntervalTreeNodes, by place
 * @left: bytes in them
 * @noted: some of them, since cxl_wipe_begin() was called
 * @timer: of the next slice; NULL if it is not initialised
 */
typedef struct CXLWipe {
    const CXLWipeOps *ops;
    void *opaque;
    IntervalTreeRoot ranges;
    uint64_t left;
    bool noted;
    QEMUTimer *timer;
} CXLWipe;

void cxl_wipe_init(CXLWipe *w, const CXLWipeOps *ops, void *opaque);
/** cxl_wipe_exit() - overwrites what is left at once; harmless to repeat. */
void cxl_wipe_exit(CXLWipe *w);
/** cxl_wipe_finish() - all of it now: nobody will be there to do the rest. */
void cxl_wipe_finish(CXLWipe *w);
/**
 * cxl_wipe_slice() - a slice of what is left from @at on
 * @at: 0 at first; moves on, so that what is noted meanwhile delays nobody
 * Return: true if all is overwritten that was noted when @at was 0
 */
bool cxl_wipe_slice(CXLWipe *w, uint64_t *at);
/** cxl_wipe_note() - @len may be 0 */
void cxl_wipe_note(CXLWipe *w, uint64_t place, uint64_t len);
/** cxl_wipe_begin() - before anybody can see what was noted */
void cxl_wipe_begin(CXLWipe *w);
/** cxl_wipe_forget() - @len bytes, not 0, shall not be overwritten any more. */
void cxl_wipe_forget(CXLWipe *w, uint64_t place, uint64_t len);
/**
 * cxl_wipe_next() - after @skip bytes from @place, @len must not be reached
 * Return: false if there is nothing from there on
 */
bool cxl_wipe_next(const CXLWipe *w, uint64_t place, uint64_t *skip,
                   uint64_t *len);
/** cxl_wipe_touch() - before an access to @from to @last, of one memory */
void cxl_wipe_touch(CXLWipe *w, uint64_t from, uint64_t last);

extern const struct VMStateDescription vmstate_cxl_wipe;

#endif
