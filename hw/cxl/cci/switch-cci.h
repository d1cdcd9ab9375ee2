/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command interfaces of a CXL switch (CXL r3.2 7.6.7, 9.19)
 *
 * The transports of a switch - mailbox function, MCTP endpoint - have a CCI
 * each and share what is the switch's own.
 */
#ifndef CXL_SWITCH_CCI_H
#define CXL_SWITCH_CCI_H

#include "hw/cxl/cxl_cci.h"
#include "hw/cxl/switch/switch.h"

/**
 * cxl_switch_cci_init() - another CCI of a switch
 * @cci: zeroed, or closed by cxl_switch_cci_destroy()
 * @usp: its upstream port, which outlives @cci
 * @payload_max: bytes, 256 to 1 MiB
 *
 * What the CCIs share is created with the first of them and goes with the
 * last: timestamp, event logs, bindings.  A switch without a CCI has all of its
 * ports bound.
 */
void cxl_switch_cci_init(CXLCCI *cci, CXLUpstreamPort *usp,
                         uint32_t payload_max);
/** cxl_switch_cci_destroy() - close it; harmless on a zeroed CCI. */
void cxl_switch_cci_destroy(CXLCCI *cci);
/**
 * cxl_switch_cci_reset() - a conventional reset of the switch reached a CCI
 *
 * Ends its background operation and forgets the secret value that the
 * host set.  What the Fabric Manager decided stays: bindings, PERST, logs.
 */
void cxl_switch_cci_reset(CXLCCI *cci);

/**
 * cxl_switch_cci_post_load() - the state of a CCI was loaded
 *
 * Compares it with what the switch's own says, which came before.  If they
 * disagree, the switch ends its operation, and the CCI is to do so.
 * Return: as a post_load
 */
int cxl_switch_cci_post_load(CXLCCI *cci);

/**
 * cxl_cci_switch() - the switch behind a CCI
 * Return: NULL if the CCI has none or its upstream port is being unplugged
 */
CXLSwitch *cxl_cci_switch(const CXLCCI *cci);

/**
 * cxl_switch_cci_at() - out-of-band CCI of a memory device below a switch
 * @cci: of the switch
 * @port: number of a downstream port
 *
 * Binding does not matter: what no host sees is reached too.
 * Return: NULL if there is no such port, no memory device behind it, or it is
 * without power or held in reset
 */
CXLCCI *cxl_switch_cci_at(const CXLCCI *cci, uint8_t port);

#endif /* CXL_SWITCH_CCI_H */
