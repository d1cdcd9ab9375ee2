/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Back-invalidate: the capabilities BI Route Table and BI Decoder of ports and
 * devices, CXL r3.2 sections 8.2.4.26 and 8.2.4.27; and 256-byte flits, without
 * which no link carries it, PCIe r6.2 7.5.3.2, 7.5.3.20 and CXL r3.2 8.1.8.
 *
 * Private to hw/cxl.  Software enables BI in the decoders of a device and of
 * all ports above it.  In switches a change counts from the commit on: first of
 * the downstream port's decoder, then of the upstream port's route table.  A
 * device is known by the number of its bus, which a commit takes note of.
 */
#ifndef HW_CXL_BI_H
#define HW_CXL_BI_H

#include "hw/cxl/cxl_component.h"

/**
 * cxl_bi_has_route_table() - does a component have that capability?
 * @cxl: component, NULL: one that is not realized
 * @type: kind of component
 */
bool cxl_bi_has_route_table(const CXLComponentState *cxl, enum reg_type type);
/** cxl_bi_has_decoder() - the same for the BI decoder. */
bool cxl_bi_has_decoder(const CXLComponentState *cxl, enum reg_type type);

/**
 * cxl_bi_realize() - what a component shows in configuration space
 * @cxl: component whose PCI Express capability and DVSECs are there
 */
void cxl_bi_realize(CXLComponentState *cxl);

/**
 * cxl_bi_reset() - registers, write masks, and the link as after a reset
 * @cxl: component whose other registers have been reset
 * @type: kind of component
 *
 * A commit in progress is dropped.
 */
void cxl_bi_reset(CXLComponentState *cxl, enum reg_type type);

/** cxl_bi_owns() - does an offset belong to a BI capability of @cxl? */
bool cxl_bi_owns(const CXLComponentState *cxl, unsigned offset);

/**
 * cxl_bi_write() - write a register
 * @cxl: component
 * @offset: dword aligned, cxl_bi_owns() is true for it
 * @value: what software wrote
 *
 * A commit bit that goes from 0 to 1 begins a commit: the status is neither
 * committed nor error until it is done, whatever is written meanwhile.
 */
void cxl_bi_write(CXLComponentState *cxl, unsigned offset, uint32_t value);

/** cxl_bi_status() - bits of a register that change by themselves. */
uint32_t cxl_bi_status(const CXLComponentState *cxl, unsigned offset);

/**
 * cxl_flit_train() - both ends of a link learn whether it has 256-byte flits
 * @port: root port or downstream port above it; others are left alone
 *
 * It does if both ends can.  Called whenever either end changes.
 */
void cxl_flit_train(PCIDevice *port);
/** cxl_flit_train_both() - the links above and below @dev. */
void cxl_flit_train_both(PCIDevice *dev);

/** cxl_bi_forget() - no commit is in progress, none has been. */
void cxl_bi_forget(CXLComponentState *cxl);
/** cxl_bi_check() - can software have brought the registers to this? */
bool cxl_bi_check(const CXLComponentState *cxl);
/* A subsection of vmstate_cxl_component */
extern const VMStateDescription vmstate_cxl_bi;

/**
 * enum CXLBIObstacle - why back-invalidates of a device do not get to the host
 * @CXL_BI_NONE: they do
 * @CXL_BI_OFF: its own decoder does not enable them
 * @CXL_BI_LINK: a link on the way has no 256-byte flits
 * @CXL_BI_PORT: the decoder of a port on the way does not let them through
 * @CXL_BI_COMMIT: it does, but that has not been committed
 * @CXL_BI_BUS: a bus has another number than at the commit
 * @CXL_BI_ROUTE: a route table on the way has not been committed since then
 */
typedef enum CXLBIObstacle {
    CXL_BI_NONE,
    CXL_BI_OFF,
    CXL_BI_LINK,
    CXL_BI_PORT,
    CXL_BI_COMMIT,
    CXL_BI_BUS,
    CXL_BI_ROUTE,
} CXLBIObstacle;

/**
 * cxl_bi_obstacle() - the first one from a device up
 * @cxl: component with a BI decoder that is a device's
 */
CXLBIObstacle cxl_bi_obstacle(CXLComponentState *cxl);

/**
 * enum CXLBICommit - what became of a commit
 * @CXL_BI_COMMIT_NONE: the capability needs none, or there has been none
 * @CXL_BI_COMMIT_RUNS: it is in progress
 */
typedef enum CXLBICommit {
    CXL_BI_COMMIT_NONE,
    CXL_BI_COMMIT_RUNS,
    CXL_BI_COMMIT_DONE,
    CXL_BI_COMMIT_FAILED,
} CXLBICommit;

/**
 * struct CXLBIState - a component's part, for the monitor
 * @flit_256b: the link that it is an end of has 256-byte flits; of a switch's
 *   upstream port, the one above
 * @decoder: it has a BI decoder
 * @enable, @forward: what the decoder's control register says
 * @commit: of its decoder or route table
 */
typedef struct CXLBIState {
    bool flit_256b;
    bool decoder;
    bool enable;
    bool forward;
    CXLBICommit commit;
} CXLBIState;

/** cxl_bi_get() - fill @state. */
void cxl_bi_get(CXLComponentState *cxl, CXLBIState *state);

#endif /* HW_CXL_BI_H */
