/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL RAS capability of ports and devices: its registers and the uncorrectable
 * errors that wait behind them (CXL r3.2 8.2.4.17)
 */
#ifndef HW_CXL_CXL_RAS_H
#define HW_CXL_CXL_RAS_H

#include "hw/cxl/cxl_component.h"

/* Errors that may wait; a host that reads none leaves room for no more */
#define CXL_RAS_ERRORS_MAX 1024

/**
 * struct CXLRASError - an uncorrectable error that waits to be read
 * @bit: of the uncorrectable error status register
 * @header: what the header log shows
 */
typedef struct CXLRASError {
    uint8_t bit;
    uint32_t header[CXL_RAS_HEADER_LOG_DWORDS];
} CXLRASError;

/** cxl_ras_present() - does the component have the capability? */
bool cxl_ras_present(const CXLComponentState *cxl);

/** cxl_ras_waiting() - number of uncorrectable errors that wait */
uint32_t cxl_ras_waiting(const CXLComponentState *cxl);

/**
 * cxl_ras_add() - uncorrectable errors happened
 * @cxl: component that has the capability
 * @error: them, in order; none that is masked
 * @n: how many; with those that wait at most %CXL_RAS_ERRORS_MAX
 *
 * First error pointer and header log show the oldest error that waits.
 */
void cxl_ras_add(CXLComponentState *cxl, const CXLRASError *error, unsigned n);

/**
 * cxl_ras_write_uncorrectable() - software writes the status register
 *
 * Writing just the bit of the first error takes that error off, so that the
 * next header shows.  Any other write takes off all errors it has bits for.
 */
void cxl_ras_write_uncorrectable(CXLComponentState *cxl, uint32_t value);

/** cxl_ras_forget() - no error waits any more; registers stay as they are */
void cxl_ras_forget(CXLComponentState *cxl);

/* A subsection of vmstate_cxl_component */
extern const struct VMStateDescription vmstate_cxl_ras;

#endif /* HW_CXL_CXL_RAS_H */
