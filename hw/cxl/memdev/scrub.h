/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Patrol scrub: the medium is read through once in so many hours
 * (CXL r3.2 8.2.10.9.11.1)
 *
 * The patrol goes in steps on a timer of the virtual clock.  Nothing is read in
 * truth: what a step comes by is the poison in its part of the medium.  A
 * model: no QOM, no PCI; the caller holds the BQL.
 */
#ifndef CXL_SCRUB_H
#define CXL_SCRUB_H

#include "qemu/timer.h"
#include "hw/cxl/memdev/poison.h"

/* Steps of a cycle: one in 14 seconds at the fastest pace */
#define CXL_SCRUB_STEPS     256

/** CXLScrubFound - the patrol came by poison; what it says may be changed */
typedef void CXLScrubFound(void *opaque, const CXLPoisonRange *r);

/**
 * struct CXLScrub - a patrol
 * @size: bytes of the medium, from DPA 0
 * @on: it is under way
 * @hours: for a cycle, at least 1 while @on
 * @step: the one that comes next, below %CXL_SCRUB_STEPS
 * @next_ns: when, virtual clock
 */
typedef struct CXLScrub {
    CXLPoison *poison;
    uint64_t size;
    CXLScrubFound *found;
    void *opaque;
    QEMUTimer *timer;
    bool on;
    uint8_t hours;
    uint16_t step;
    int64_t next_ns;
} CXLScrub;

/** cxl_scrub_init() - a patrol of @poison that has not been switched on. */
void cxl_scrub_init(CXLScrub *s, CXLPoison *poison, uint64_t size,
                    CXLScrubFound *found, void *opaque);
void cxl_scrub_destroy(CXLScrub *s);

/**
 * cxl_scrub_set() - on or off, and how fast
 *
 * Switched on, a patrol starts at DPA 0.  One that is under way goes on from
 * where it is, at the new pace.
 */
void cxl_scrub_set(CXLScrub *s, bool on, uint8_t hours);

extern const struct VMStateDescription vmstate_cxl_scrub;

#endif /* CXL_SCRUB_H */
