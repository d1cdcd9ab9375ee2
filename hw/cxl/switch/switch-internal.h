/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of a CXL switch: what its doors share, and who may see what is plugged
 * into its downstream ports (CXL r3.2 7.6.7.1, 7.6.7.2)
 */
#ifndef CXL_SWITCH_INTERNAL_H
#define CXL_SWITCH_INTERNAL_H

#include "qemu/queue.h"
#include "qemu/uuid.h"
#include "hw/cxl/cxl_events.h"
#include "hw/cxl/cxl_switch.h"

/* A bit per device and function number of the bus below the upstream port */
#define SWITCH_MAP_BYTES    (256 / 8)

/* Event types of physical and virtual switch records */
#define SWITCH_PORT_LINK_CHANGE     0
#define SWITCH_PORT_SLOT_CHANGE     1
#define SWITCH_VPPB_BINDING_CHANGE  0

/* Commands that run in the background */
#define CXL_OP_BIND_VPPB            0x5201
#define CXL_OP_UNBIND_VPPB          0x5202

/* How 5202h takes the device from the host */
typedef enum CXLUnbindOption {
    CXL_UNBIND_WAIT_LINK_DOWN   = 0,
    CXL_UNBIND_MANAGED          = 1,
    CXL_UNBIND_SURPRISE         = 2,
} CXLUnbindOption;

/**
 * struct CXLSwitchHeld - a function below a port that device_del must not take
 * @port: where it is plugged
 * @hidden: taken off its bus: the host does not see it
 * @in_reset: PERST holds it
 */
typedef struct CXLSwitchHeld {
    PCIDevice *dev;
    PCIDevice *port;
    Error *why;
    bool hidden;
    bool in_reset;
    QLIST_ENTRY(CXLSwitchHeld) next;
} CXLSwitchHeld;

/**
 * struct CXLSwitchOp - the bind or unbind that runs
 * @opcode: 0 if none does
 * @devfn: of the downstream port
 * @option: CXLUnbindOption
 * @host_began: the slot's power indicator was not off at some time
 *
 * One for the whole switch, whichever door asked for it.
 */
typedef struct CXLSwitchOp {
    uint16_t opcode;
    uint8_t devfn;
    uint8_t option;
    bool host_began;
} CXLSwitchOp;

struct CXLSwitch {
    CXLTimestamp clock;
    CXLUpstreamPort *usp;
    GPtrArray *doors;           /* CXLCCI */
    unsigned loaded;            /* doors that were loaded after all of this */
    CXLEventLogs events;
    bool sv_set;                /* domain validation secret value */
    QemuUUID sv;
    uint8_t unbound[SWITCH_MAP_BYTES];
    uint8_t perst[SWITCH_MAP_BYTES];
    CXLSwitchOp op;
    QLIST_HEAD(, CXLSwitchHeld) held;
    DeviceListener listener;
};

/** cxl_switch_can_hotplug() - does the port have hot-plug logic? */
bool cxl_switch_can_hotplug(const PCIDevice *port);

/** cxl_switch_port_is_busy() - is a bind or unbind under way there? */
bool cxl_switch_port_is_busy(const CXLSwitch *sw, const PCIDevice *port);

/* A map's bit for a port */
void cxl_switch_map_set(uint8_t *map, const PCIDevice *port, bool value);

/* -- what the host sees (slot.c) -- */

/** cxl_switch_slot_setup(), _reset() - link events of a downstream port. */
void cxl_switch_slot_setup(PCIDevice *port);
void cxl_switch_slot_reset(PCIDevice *port);
/** cxl_switch_slot_power() - does the host let the slot have power? */
bool cxl_switch_slot_power(const PCIDevice *port);
/** cxl_switch_push_button() - ask the host to give the slot's device away. */
void cxl_switch_push_button(CXLSwitch *sw, PCIDevice *port);
/** cxl_switch_hold() - from now on device_del leaves what is on @port alone. */
void cxl_switch_hold(CXLSwitch *sw, PCIDevice *port);
/** cxl_switch_release() - the opposite, for what is not hidden. */
void cxl_switch_release(CXLSwitch *sw, PCIDevice *port);
/**
 * cxl_switch_refresh() - let the host see or not see what is on a port
 * @tell: act as the slot of the port does on a hot-plug, interrupt included
 *
 * Follows from binding and PERST; what changes is reset on the way.
 */
void cxl_switch_refresh(CXLSwitch *sw, PCIDevice *port, bool tell);
/** cxl_switch_reset_link() - hot reset below a port, seen as a replug. */
void cxl_switch_reset_link(CXLSwitch *sw, PCIDevice *port);
/** cxl_switch_plugged(), _unplugged() - a device came, or is no more. */
void cxl_switch_plugged(CXLSwitch *sw, PCIDevice *port, PCIDevice *dev);
void cxl_switch_unplugged(CXLSwitch *sw, PCIDevice *port, PCIDevice *dev);
/** cxl_switch_let_all_go() - hosts see everything again. */
void cxl_switch_let_all_go(CXLSwitch *sw);
/** cxl_switch_keep_on_eject() - a guest's slot power-off deletes nothing. */
void cxl_switch_keep_on_eject(CXLSwitch *sw, PCIDevice *port, bool keep);

/* -- event records (events.c) -- */

void cxl_switch_log_port(CXLSwitch *sw, PCIDevice *port, uint8_t type);
void cxl_switch_log_vppb(CXLSwitch *sw, PCIDevice *port, uint8_t type);

#endif /* CXL_SWITCH_INTERNAL_H */
