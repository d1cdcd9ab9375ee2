/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Direct mapping: what of the fixed memory windows the guest reaches as plain
 * RAM instead of by a trap.  CXL r3.2 sections 8.2.4.20 and 9.13.3 say who may
 * reach what; that an access need not trap is a matter of the emulation only.
 *
 * Everything that a trap would let through unchanged is mapped, as aliases of
 * the backends over the windows' I/O regions; all else keeps trapping.  One
 * plan for all windows is made afresh at each change and compared with what is
 * mapped, so that no mapping can outlive its reason.  The caller holds the BQL.
 */
#ifndef HW_CXL_CXL_DIRECT_H
#define HW_CXL_CXL_DIRECT_H

#include "hw/cxl/cxl_host.h"

/*
 * Mapped pieces per device unless told otherwise: each is a memory slot of
 * KVM, which has 509 in old kernels and 32764 in new ones, for all devices.
 */
#define CXL_DIRECT_RANGES_DEFAULT   256
/*
 * Mapped pieces in all: the memory core numbers fewer than 4096 sections of an
 * address space and aborts beyond that.  Each piece can leave a gap behind it,
 * which is a section too; half of them are for the rest of the machine.
 */
#define CXL_DIRECT_PIECES_MAX       1024
/* Slots left for what else the machine may map: ROMs, BARs, hot-plugged RAM */
#define CXL_DIRECT_SLOTS_RESERVED   32

/**
 * cxl_direct_start - the machine is complete: begin to map
 * @state: CXL part of the machine, windows linked
 */
void cxl_direct_start(CXLState *state);

/**
 * cxl_direct_update - something changed: bring the mapping up to date
 *
 * The windows change in one memory transaction.  When it returns, nothing is
 * mapped any more that should trap.
 */
void cxl_direct_update(void);

/**
 * cxl_direct_topology_changed - the same, and routes may be others
 *
 * For a memory device that is attached or on its way out; decoders report by
 * themselves.
 */
void cxl_direct_topology_changed(void);

#endif /* HW_CXL_CXL_DIRECT_H */
