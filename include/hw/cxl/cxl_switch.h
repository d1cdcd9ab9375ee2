/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL switch as a component with command interfaces (CXL r3.2 7.6.7, 9.19)
 *
 * A switch is known by its upstream port.  Its doors - the mailbox function, an
 * MCTP endpoint - have a CCI each and share what is the switch's own.
 */
#ifndef CXL_SWITCH_H
#define CXL_SWITCH_H

#include "hw/cxl/cxl_cci.h"
#include "hw/cxl/cxl_type3.h"
#include "hw/pci-bridge/cxl_upstream_port.h"

/**
 * cxl_switch_cci_init() - open a door to a switch
 * @cci: zeroed, or closed by cxl_switch_cci_destroy()
 * @usp: its upstream port, which outlives @cci
 * @payload_max: bytes, 256 to 1 MiB
 *
 * The timestamp is one for all doors; it is created with the first of them and
 * goes with the last.
 */
void cxl_switch_cci_init(CXLCCI *cci, CXLUpstreamPort *usp,
                         uint32_t payload_max);
/** cxl_switch_cci_destroy() - close it; harmless on a zeroed CCI. */
void cxl_switch_cci_destroy(CXLCCI *cci);

/**
 * cxl_switch_type3_at() - the memory device that a switch reaches
 * @cci: a door to the switch
 * @port: number of a downstream port
 *
 * Return: NULL if there is no such port, no memory device behind it, or it is
 * without power or held in reset
 */
CXLType3Dev *cxl_switch_type3_at(const CXLCCI *cci, uint8_t port);

#endif /* CXL_SWITCH_H */
