/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL switch: what its CCIs share, and what hosts see of what is plugged into
 * its downstream ports (CXL r3.2 7.6.7.1, 7.6.7.2)
 *
 * A switch is known by its upstream port.  There is one virtual CXL switch.
 * Its vPPB 0 is the upstream port; the others are the downstream ports by
 * ascending device number.  A downstream port is vPPB and physical port in one,
 * so a vPPB can be bound to the port that it stands for and to no other.
 */
#ifndef CXL_SWITCH_H
#define CXL_SWITCH_H

#include "qemu/queue.h"
#include "qemu/uuid.h"
#include "hw/cxl/cxl_events.h"
#include "hw/pci-bridge/cxl_upstream_port.h"

typedef struct CXLSwitch CXLSwitch;

/* Number of the virtual CXL switch */
#define CXL_SWITCH_VCS          0

/* Bytes that describe a physical port in 5101h and in event records */
#define CXL_SWITCH_PORT_BLOCK   0x10

/* Bytes that describe the binding of a vPPB in 5200h */
#define CXL_SWITCH_BINDING      0x04

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
 * One for the whole switch, whichever CCI asked for it.
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
    GPtrArray *ccis;           /* CXLCCI */
    unsigned loaded;            /* ccis that were loaded after all of this */
    CXLEventLogs events;
    bool sv_set;                /* domain validation secret value */
    QemuUUID sv;
    uint8_t unbound[SWITCH_MAP_BYTES];
    uint8_t perst[SWITCH_MAP_BYTES];
    CXLSwitchOp op;
    QLIST_HEAD(, CXLSwitchHeld) held;
    DeviceListener listener;
};

/** cxl_switch_new(), _free() - what CCIs share; the pointer is the caller's. */
CXLSwitch *cxl_switch_new(CXLUpstreamPort *usp);
void cxl_switch_free(CXLSwitch *sw);
/** cxl_switch_forget_secret() - the secret value that the host set. */
void cxl_switch_forget_secret(CXLSwitch *sw);
/** cxl_switch_op_failed() - end the operation that no CCI works on. */
void cxl_switch_op_failed(CXLSwitch *sw);

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
 * cxl_switch_memdev() - a memory device below a switch
 * @id: number of a downstream port
 *
 * Binding does not matter: what no host sees is found too.
 * Return: NULL if there is no such port, no memory device behind it, or it is
 * without power or held in reset
 */
PCIDevice *cxl_switch_memdev(const CXLSwitch *sw, uint8_t id);

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

#endif /* CXL_SWITCH_H */
