/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL switch as a component with command interfaces (CXL r3.2 7.6.7, 9.19)
 *
 * A switch is known by its upstream port.  Its doors - the mailbox function, an
 * MCTP endpoint - have a CCI each and share what is the switch's own.
 *
 * There is one virtual CXL switch, number 0.  Its vPPB 0 is the upstream port;
 * the others are the downstream ports by ascending device number.  A downstream
 * port is vPPB and physical port in one, so a vPPB can be bound to the port
 * that it stands for and to no other.
 */
#ifndef CXL_SWITCH_H
#define CXL_SWITCH_H

#include "hw/cxl/cxl_cci.h"
#include "hw/cxl/cxl_type3.h"
#include "hw/pci-bridge/cxl_upstream_port.h"

typedef struct CXLSwitch CXLSwitch;

/* Bytes that describe a physical port in 5101h and in event records */
#define CXL_SWITCH_PORT_BLOCK   0x10

/* Bytes that describe the binding of a vPPB in 5200h */
#define CXL_SWITCH_BINDING      0x04

/**
 * cxl_switch_cci_init() - open a door to a switch
 * @cci: zeroed, or closed by cxl_switch_cci_destroy()
 * @usp: its upstream port, which outlives @cci
 * @payload_max: bytes, 256 to 1 MiB
 *
 * What the doors share is created with the first of them and goes with the
 * last: timestamp, event logs, bindings.  A switch without doors has all of its
 * ports bound.
 */
void cxl_switch_cci_init(CXLCCI *cci, CXLUpstreamPort *usp,
                         uint32_t payload_max);
/** cxl_switch_cci_destroy() - close it; harmless on a zeroed CCI. */
void cxl_switch_cci_destroy(CXLCCI *cci);
/**
 * cxl_switch_cci_reset() - a conventional reset of the switch reached a door
 *
 * Ends the door's background operation and forgets the secret value that the
 * host set.  What the Fabric Manager decided stays: bindings, PERST, logs.
 */
void cxl_switch_cci_reset(CXLCCI *cci);

/**
 * cxl_switch_cci_post_load() - a door's state was loaded
 *
 * Compares it with what the switch's own says, which came before.  If they
 * disagree, the switch ends its operation, and the door is to do so.
 * Return: as a post_load
 */
int cxl_switch_cci_post_load(CXLCCI *cci);

/**
 * cxl_cci_switch() - the switch behind a CCI
 * Return: NULL if the CCI has none or its upstream port is being unplugged
 */
CXLSwitch *cxl_cci_switch(const CXLCCI *cci);

/** cxl_switch_upstream() - the upstream port. */
PCIDevice *cxl_switch_upstream(const CXLSwitch *sw);

/** cxl_switch_nr_vppbs() - vPPBs of virtual switch 0, the upstream's too. */
unsigned cxl_switch_nr_vppbs(const CXLSwitch *sw);
/** cxl_switch_vppb() - the port that vPPB @index stands for, or NULL. */
PCIDevice *cxl_switch_vppb(const CXLSwitch *sw, unsigned index);
/** cxl_switch_vppb_of() - index of the vPPB that is @port. */
unsigned cxl_switch_vppb_of(const CXLSwitch *sw, const PCIDevice *port);

/**
 * cxl_switch_port() - the physical port with a number
 *
 * The numbers are the user's ("port=").  Where several ports have one, it means
 * the first downstream port, then the upstream port.
 * Return: NULL if there is none
 */
PCIDevice *cxl_switch_port(const CXLSwitch *sw, uint8_t id);
/** cxl_switch_port_id() - number of a port. */
uint8_t cxl_switch_port_id(const PCIDevice *port);

/**
 * cxl_switch_device() - first function plugged into a downstream port
 *
 * Also while the port is unbound or PERST is asserted, and so no host sees it.
 * Return: NULL if the port is empty or the upstream port
 */
PCIDevice *cxl_switch_device(const CXLSwitch *sw, const PCIDevice *port);

/** cxl_switch_bound() - is the vPPB bound to its port? */
bool cxl_switch_bound(const CXLSwitch *sw, const PCIDevice *port);
/** cxl_switch_perst() - is PERST asserted on the port? */
bool cxl_switch_perst(const CXLSwitch *sw, const PCIDevice *port);
/** cxl_switch_link_up() - does the port have a link partner that runs? */
bool cxl_switch_link_up(const CXLSwitch *sw, const PCIDevice *port);
/** cxl_switch_port_block() - describe a port as 5101h does. */
void cxl_switch_port_block(const CXLSwitch *sw, PCIDevice *port,
                           uint8_t block[CXL_SWITCH_PORT_BLOCK]);

/** cxl_switch_binding() - describe what a vPPB is bound to as 5200h does. */
void cxl_switch_binding(const CXLSwitch *sw, PCIDevice *port,
                        uint8_t binding[CXL_SWITCH_BINDING]);

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

#endif /* CXL_SWITCH_H */
