/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the media commands remember between two of them: the scan of 4304h and
 * 4305h, where a poison list of 4300h was cut (CXL r3.2 8.2.10.9.4), and what
 * 4402h is at work on (8.2.10.9.5.3)
 *
 * Poison itself is in poison.h.  A model: no QOM, no PCI; the caller holds
 * the BQL.
 */
#ifndef CXL_MEDIA_H
#define CXL_MEDIA_H

#include "hw/cxl/memdev/poison.h"

/* Background operations that leave their mark on the device */
#define CXL_OP_SCAN_MEDIA   0x4304
#define CXL_OP_SANITIZE     0x4400
#define CXL_OP_MEDIA_OPS    0x4402

/* Ranges of one 4402h: as many as a mailbox of the default size holds */
#define CXL_MEDIA_OP_RANGES 511

/** struct CXLMediaRange - bytes, in whole lines, not empty, not wrapping */
typedef struct CXLMediaRange {
    uint64_t dpa;
    uint64_t len;
} CXLMediaRange;

/**
 * struct CXLMediaState - one per device
 * @running: 4304h is at work; the poison list is frozen meanwhile
 * @ran: 4305h has something to tell
 * @quiet: the scan logs no events
 * @scan_dpa: first byte of the scan
 * @scan_end: the byte behind it
 * @next: up to here 4305h has given the results away
 * @stop: the scan got as far as this; @scan_end if it got through
 * @list_cci: kind of CCI that is owed the rest of a poison list, 0 for none
 * @list_dpa: that query's address ...
 * @list_lines: ... and length
 * @list_next: where its answer goes on
 * @op_ranges: ranges that 4402h is overwriting, 0 if it is not at work
 * @op_rc: what 4402h will answer: part of them could not be overwritten
 * @op_range: what is left of the ranges
 */
typedef struct CXLMediaState {
    bool running;
    bool ran;
    bool quiet;
    uint64_t scan_dpa;
    uint64_t scan_end;
    uint64_t next;
    uint64_t stop;
    uint8_t list_cci;
    uint64_t list_dpa;
    uint64_t list_lines;
    uint64_t list_next;
    uint32_t op_ranges;
    uint8_t op_rc;
    CXLMediaRange op_range[CXL_MEDIA_OP_RANGES];
} CXLMediaState;

/**
 * cxl_media_forget() - after a reset or a sanitize: no results, no list
 * A scan or a media operation that runs goes on.
 */
void cxl_media_forget(CXLMediaState *m);

/* vmstate_cxl_media - a stream whose ranges wrap or swap ends is refused */
extern const struct VMStateDescription vmstate_cxl_media;

#endif /* CXL_MEDIA_H */
