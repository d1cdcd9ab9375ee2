/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CXL component behind an MCTP link: what a device on any bus or line
 * embeds to be the endpoint of a memory device or of a switch.
 *
 * Reference: CXL r3.2 7.6.3, 9.19, 9.20; DMTF DSP0236 8.
 */
#ifndef CXL_MCTP_COMPONENT_H
#define CXL_MCTP_COMPONENT_H

#include "hw/cxl/cxl_cci.h"
#include "hw/cxl/cxl_pool.h"
#include "hw/deferred.h"
#include "hw/cxl/cxl_fault.h"
#include "message.h"
#include "notify.h"
#include "hw/pci/pci_device.h"
#include "hw/qdev-properties.h"
#include "migration/vmstate.h"
#include "system/runstate.h"

/* For links that are on no other bus, see link-bus.c */
#define TYPE_MCTP_LINK_BUS  "mctp-link-bus"

/**
 * struct MCTPCXLComponent - a component and one endpoint of it
 *
 * Embedded by the device that is the link (the link). Its first members are
 * its properties, the rest belongs to the functions below.
 */
typedef struct MCTPCXLComponent {
    /** @target_id: property, a string: devices and pools have no common type */
    char *target_id;
    /** @eid: static endpoint ID, 0 for none */
    uint8_t eid;
    /** @unit: payload bytes in a packet */
    uint8_t unit;
    /** @ep: the endpoint, from realize to unrealize */
    MCTPEndpoint *ep;

    /** @target: what that named; %NULL once it was unplugged */
    Object *target;
    /**
     * @pci: @target, or the upstream port that a mailbox function manages;
     * %NULL if @target is no PCI function, or gone
     */
    PCIDevice *pci;
    /** @cci: where commands run; %NULL once the component is gone */
    CXLCCI *cci;
    /** @switch_cci: a switch has one for each link */
    CXLCCI switch_cci;
    /** @cxl: what the endpoint's message types were given */
    MCTPCXLTarget cxl;
    /** @notify: what is sent to the FM without being asked */
    MCTPCXLNotify notify;
    /** @listener: tells when the component goes */
    DeviceListener listener;
    /** @link: the device that embeds this */
    DeviceState *link;
    /** @ran: set by @link, or %NULL: requests were run and may be answered */
    void (*ran)(DeviceState *link);
    /** @work: runs the requests that wait */
    DeviceDeferred work;
    /** @kick: there is something to send */
    void (*kick)(void *link);
    /** @faults: what is armed to change what is sent, or %NULL */
    CXLFaults *faults;
    /** @held: kicks when a packet is due that these hold back */
    QEMUTimer *held;
    /** @vmstate_handler: they do not run while the machine is stopped */
    VMChangeStateEntry *vmstate_handler;
    /** @running: a command is on the stack */
    bool running;
    /** @lost: the component went meanwhile */
    bool lost;
} MCTPCXLComponent;

/**
 * MCTP_CXL_PROP_TARGET(), ..._EID(), ..._UNIT() - rows of the link's properties
 * @S: type of the link
 * @f: its &struct MCTPCXLComponent
 */
#define MCTP_CXL_PROP_TARGET(S, f) \
    DEFINE_PROP_STRING("target", S, f.target_id)
#define MCTP_CXL_PROP_EID(S, f) \
    DEFINE_PROP_UINT8("eid", S, f.eid, MCTP_EID_NULL)
#define MCTP_CXL_PROP_UNIT(S, f) \
    DEFINE_PROP_UINT8("x-transmission-unit", S, f.unit, MCTP_UNIT_BASELINE)

/** mctp_cxl_component_describe() - say what these properties are for */
void mctp_cxl_component_describe(ObjectClass *klass);

/**
 * mctp_cxl_component_open() - find the component and make its endpoint
 * @c: with its properties set
 * @link: the device that embeds @c, being realized
 * @kick: there is something to send; its argument is @link
 * @unit_max: bytes of a packet's payload that frames of the link can carry
 * @errp: names the property that is wrong and its value
 *
 * Returns false if it failed; then there is nothing to close.
 */
bool mctp_cxl_component_open(MCTPCXLComponent *c, DeviceState *link,
                             void (*kick)(void *link), uint8_t unit_max,
                             Error **errp);

/**
 * mctp_cxl_component_close() - free the endpoint and let the component go
 * @c: opened
 */
void mctp_cxl_component_close(MCTPCXLComponent *c);

/**
 * mctp_cxl_component_reset() - the endpoint's power-on state
 * @c: opened
 *
 * Takes along what this link alone has of a switch. The component itself is
 * reset by its own bus.
 */
void mctp_cxl_component_reset(MCTPCXLComponent *c);

/**
 * mctp_cxl_component_give_up() - the same after a load that failed
 * @c: opened
 *
 * What a background operation of this link worked on was given up as well.
 */
void mctp_cxl_component_give_up(MCTPCXLComponent *c);

/**
 * vmstate_mctp_cxl_component - endpoint and link state, for VMSTATE_STRUCT()
 *
 * The link kicks transmission after loading.
 */
extern const VMStateDescription vmstate_mctp_cxl_component;

/* sending.c */

/**
 * mctp_cxl_peek() - the packet to send now
 * @c: opened
 * @now: time, ns
 * @pkt: filled if there is one
 *
 * As mctp_txqueue_peek() of its queue, unless faults are armed.
 */
bool mctp_cxl_peek(MCTPCXLComponent *c, int64_t now, MCTPTxPacket *pkt);

/**
 * mctp_cxl_sent() - the link has taken the packet, or has refused it
 * @c: opened
 * @id: from mctp_cxl_peek()
 * @taken: which of the two
 * @now: time, ns
 */
void mctp_cxl_sent(MCTPCXLComponent *c, uint64_t id, bool taken, int64_t now);

/** mctp_cxl_sending_init() - when @c is opened */
void mctp_cxl_sending_init(MCTPCXLComponent *c);
/** mctp_cxl_attach_faults() - of the link; %NULL: there are none any more */
void mctp_cxl_attach_faults(MCTPCXLComponent *c, CXLFaults *faults);
extern const VMStateDescription vmstate_mctp_cxl_sending;

#endif
