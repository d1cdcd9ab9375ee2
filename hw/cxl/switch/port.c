/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ports of a CXL switch: which there are, and what 5101h says of them (CXL r3.2
 * 7.6.7.1.2, Tables 7-19 to 7-21)
 *
 * Everything is read from the ports and the devices below them, at the time of
 * the question.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pcie_port.h"
#include "hw/resettable.h"
#include "hw/cxl/cxl_mem_target.h"
#include "hw/cxl/cxl_pci.h"
#include "switch.h"

/* Current port configuration state */
enum {
    STATE_BINDING       = 1,
    STATE_UNBINDING     = 2,
    STATE_DOWNSTREAM    = 3,
    STATE_UPSTREAM      = 4,
};

/* Connected device type */
enum {
    TYPE_NONE           = 0,
    TYPE_PCIE           = 1,
    TYPE_CXL_1          = 2,
    TYPE_CXL_2          = 3,
    TYPE_CXL_3_SLD      = 4,
    TYPE_A_SWITCH       = 6,
};

/* Connected device mode, and its place in the bitmap of supported modes */
#define MODE_NOT_CXL        0
#define MODE_68B_VH         2
#define SUPPORTS_68B_VH     (1 << 1)

#define LTSSM_DETECT        0
#define LTSSM_L0            4

#define FLAG_PERST          (1 << 1)
#define FLAG_PRESENT        (1 << 2)
/* Which way round is not said where it is described: 1 is "on" here */
#define FLAG_POWERED        (1 << 3)

/* Binding of a vPPB */
enum {
    NOT_BOUND           = 0,
    BINDING_CHANGES     = 1,
    BOUND_TO_PORT       = 2,
};
#define NO_LD               0xff

/* Flex bus port DVSEC: capability register, flit mode and virtual hierarchy */
#define FLEXBUS_CAP         0xa
#define FLEXBUS_68B_VH      (1 << 5)
/* Device DVSEC: capability register */
#define DEVICE_CAP          0xa
#define DEVICE_CAP_CACHE    (1 << 0)
#define DEVICE_CAP_MEM      (1 << 2)

static bool port_is_downstream(const PCIDevice *d)
{
    return d && object_dynamic_cast(OBJECT(d), TYPE_PCIE_PORT) &&
           d->exp.exp_cap &&
           pcie_cap_get_type(d) == PCI_EXP_TYPE_DOWNSTREAM;
}

static PCIBus *port_inner_bus(const CXLSwitch *sw)
{
    return pci_bridge_get_sec_bus(PCI_BRIDGE(sw->usp));
}

PCIDevice *cxl_switch_upstream(const CXLSwitch *sw)
{
    return PCI_DEVICE(sw->usp);
}

unsigned cxl_switch_nr_vppbs(const CXLSwitch *sw)
{
    PCIBus *bus = port_inner_bus(sw);
    unsigned n = 1;

    for (unsigned i = 0; i < ARRAY_SIZE(bus->devices); i++) {
        n += port_is_downstream(bus->devices[i]);
    }
    return n;
}

PCIDevice *cxl_switch_vppb(const CXLSwitch *sw, unsigned index)
{
    PCIBus *bus = port_inner_bus(sw);

    if (index == 0) {
        return cxl_switch_upstream(sw);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(bus->devices); i++) {
        if (port_is_downstream(bus->devices[i]) && --index == 0) {
            return bus->devices[i];
        }
    }
    return NULL;
}

unsigned cxl_switch_vppb_of(const CXLSwitch *sw, const PCIDevice *port)
{
    PCIBus *bus = port_inner_bus(sw);
    unsigned index = 0;

    if (port != cxl_switch_upstream(sw)) {
        for (unsigned i = 0; i <= port->devfn; i++) {
            index += port_is_downstream(bus->devices[i]);
        }
    }
    return index;
}

uint8_t cxl_switch_port_id(const PCIDevice *port)
{
    return PCIE_PORT(port)->port;
}

PCIDevice *cxl_switch_port(const CXLSwitch *sw, uint8_t id)
{
    PCIDevice *port = pcie_find_port_by_pn(port_inner_bus(sw), id);

    if (port_is_downstream(port)) {
        return port;
    }
    port = cxl_switch_upstream(sw);
    return cxl_switch_port_id(port) == id ? port : NULL;
}

PCIDevice *cxl_switch_device(const CXLSwitch *sw, const PCIDevice *port)
{
    PCIDevice *first = NULL;
    CXLSwitchHeld *h;
    PCIBus *bus;

    if (!port_is_downstream(port)) {
        return NULL;
    }
    QLIST_FOREACH(h, &sw->held, next) {
        if (h->port == port && (!first || h->dev->devfn < first->devfn)) {
            first = h->dev;
        }
    }
    bus = pci_bridge_get_sec_bus(PCI_BRIDGE(port));
    for (unsigned i = 0; !first && i < ARRAY_SIZE(bus->devices); i++) {
        first = bus->devices[i];
    }
    return first;
}

/* Function @fn of what is plugged into a downstream port, seen or not */
static PCIDevice *port_function_at(const CXLSwitch *sw, PCIDevice *port,
                                   unsigned fn)
{
    CXLSwitchHeld *h;

    QLIST_FOREACH(h, &sw->held, next) {
        if (h->port == port && h->dev->devfn == fn) {
            return h->dev;
        }
    }
    return pci_bridge_get_sec_bus(PCI_BRIDGE(port))->devices[fn];
}

PCIDevice *cxl_switch_memdev(const CXLSwitch *sw, uint8_t id)
{
    PCIDevice *port = cxl_switch_port(sw, id);

    if (!port_is_downstream(port) || !cxl_switch_link_up(sw, port)) {
        return NULL;
    }
    /* A port has one device; what matters may be any of its functions */
    for (unsigned fn = 0; fn < PCI_FUNC_MAX; fn++) {
        PCIDevice *d = port_function_at(sw, port, fn);

        if (d && object_dynamic_cast(OBJECT(d), TYPE_CXL_MEM_TARGET)) {
            return DEVICE(d)->realized && !resettable_is_in_reset(OBJECT(d)) ?
                   d : NULL;
        }
    }
    return NULL;
}

static bool cxl_switch_map_get(const uint8_t *map, const PCIDevice *port)
{
    uint8_t at = port->devfn;

    return map[at / 8] & 1u << at % 8;
}

void cxl_switch_map_set(uint8_t *map, const PCIDevice *port, bool value)
{
    uint8_t at = port->devfn;

    map[at / 8] = deposit32(map[at / 8], at % 8, 1, value);
}

bool cxl_switch_bound(const CXLSwitch *sw, const PCIDevice *port)
{
    return !port_is_downstream(port) || !cxl_switch_map_get(sw->unbound, port);
}

bool cxl_switch_perst(const CXLSwitch *sw, const PCIDevice *port)
{
    return port_is_downstream(port) && cxl_switch_map_get(sw->perst, port);
}

bool cxl_switch_slot_power(const PCIDevice *port)
{
    uint8_t *exp = port->config + port->exp.exp_cap;

    return !(pci_get_long(exp + PCI_EXP_SLTCAP) & PCI_EXP_SLTCAP_PCP) ||
           !(pci_get_word(exp + PCI_EXP_SLTCTL) & PCI_EXP_SLTCTL_PCC);
}

/* What the host does to its slot reaches the device while it is bound */
static bool port_powered(const CXLSwitch *sw, const PCIDevice *port,
                         const PCIDevice *dev)
{
    if (!cxl_switch_bound(sw, port)) {
        return true;
    }
    if (dev && !cxl_switch_perst(sw, port)) {
        return dev->enabled;
    }
    return cxl_switch_slot_power(port);
}

bool cxl_switch_link_up(const CXLSwitch *sw, const PCIDevice *port)
{
    PCIDevice *dev = cxl_switch_device(sw, port);

    if (!port_is_downstream(port)) {
        return true;
    }
    return dev && !cxl_switch_perst(sw, port) && port_powered(sw, port, dev);
}

/* Offset of a CXL DVSEC in configuration space, 0 if there is none */
static unsigned port_find_dvsec(const PCIDevice *d, uint16_t id)
{
    unsigned at = pci_is_express(d) ? PCI_CONFIG_SPACE_SIZE : 0;

    while (at) {
        uint32_t header = pci_get_long(d->config + at);

        if (PCI_EXT_CAP_ID(header) == PCI_EXT_CAP_ID_DVSEC &&
            pci_get_word(d->config + at + 4) == CXL_VENDOR_ID &&
            pci_get_word(d->config + at + 8) == id) {
            break;
        }
        at = header ? PCI_EXT_CAP_NEXT(header) : 0;
    }
    return at;
}

static bool port_speaks_68b_vh(const PCIDevice *d)
{
    unsigned at = port_find_dvsec(d, PCIE_FLEXBUS_PORT_DVSEC);

    return at && pci_get_word(d->config + at + FLEXBUS_CAP) & FLEXBUS_68B_VH;
}

static uint8_t port_device_type(const PCIDevice *d)
{
    unsigned at = port_find_dvsec(d, CXL_DEVICE_DVSEC);
    uint16_t cap = at ? pci_get_word(d->config + at + DEVICE_CAP) : 0;

    if (object_dynamic_cast(OBJECT(d), TYPE_PCIE_PORT)) {
        return TYPE_A_SWITCH;
    }
    switch (cap & (DEVICE_CAP_CACHE | DEVICE_CAP_MEM)) {
    case DEVICE_CAP_CACHE:
        return TYPE_CXL_1;
    case DEVICE_CAP_CACHE | DEVICE_CAP_MEM:
        return TYPE_CXL_2;
    case DEVICE_CAP_MEM:
        return TYPE_CXL_3_SLD;
    default:
        return TYPE_PCIE;
    }
}

/* Lanes and speed that both ends can have; the partner's registers know */
static void port_negotiated(const PCIDevice *port, const PCIDevice *dev,
                            uint8_t *width, uint8_t *speed)
{
    uint32_t cap = pci_get_long(port->config + port->exp.exp_cap +
                                PCI_EXP_LNKCAP);
    uint8_t max_width = (cap & PCI_EXP_LNKCAP_MLW) >> 4;
    uint8_t max_speed = cap & PCI_EXP_LNKCAP_SLS;
    uint16_t status;

    if (!dev->exp.exp_cap) {
        *width = QEMU_PCI_EXP_LNK_X1;
        *speed = QEMU_PCI_EXP_LNK_2_5GT;
        return;
    }
    status = pci_get_word(dev->config + dev->exp.exp_cap + PCI_EXP_LNKSTA);
    *width = MIN(max_width, (status & PCI_EXP_LNKSTA_NLW) >> 4);
    *speed = MIN(max_speed, status & PCI_EXP_LNKSTA_CLS);
}

bool cxl_switch_port_is_busy(const CXLSwitch *sw, const PCIDevice *port)
{
    return port_is_downstream(port) && sw->op.opcode &&
           sw->op.devfn == port->devfn;
}

static uint8_t port_config_state(const CXLSwitch *sw, const PCIDevice *port)
{
    if (!port_is_downstream(port)) {
        return STATE_UPSTREAM;
    }
    if (cxl_switch_port_is_busy(sw, port)) {
        return sw->op.opcode == CXL_OP_BIND_VPPB ? STATE_BINDING
                                                 : STATE_UNBINDING;
    }
    return STATE_DOWNSTREAM;
}

void cxl_switch_port_block(const CXLSwitch *sw, PCIDevice *port,
                           uint8_t b[CXL_SWITCH_PORT_BLOCK])
{
    uint8_t *exp = port->config + port->exp.exp_cap;
    uint32_t cap = pci_get_long(exp + PCI_EXP_LNKCAP);
    uint32_t speeds = pci_get_long(exp + PCI_EXP_LNKCAP2);
    bool up = cxl_switch_link_up(sw, port);
    PCIDevice *dev = cxl_switch_device(sw, port);
    uint16_t flags = 0;

    memset(b, 0, CXL_SWITCH_PORT_BLOCK);
    b[0x0] = cxl_switch_port_id(port);
    b[0x1] = port_config_state(sw, port);
    b[0x5] = port_speaks_68b_vh(port) ? SUPPORTS_68B_VH : 0;
    b[0x6] = (cap & PCI_EXP_LNKCAP_MLW) >> 4;
    b[0x9] = cap & PCI_EXP_LNKCAP_SLS;
    /* up to 5 GT/s a port needs no vector: all up to the fastest are meant */
    b[0x8] = (speeds & 0xfe) >> 1 ?: MAKE_64BIT_MASK(0, b[0x9]);
    b[0xb] = up ? LTSSM_L0 : LTSSM_DETECT;

    if (!port_is_downstream(port)) {
        /* the host's side; it is no device, so it has a mode but no type */
        b[0x2] = port_speaks_68b_vh(port) ? MODE_68B_VH : MODE_NOT_CXL;
        port_negotiated(port, port, &b[0x7], &b[0xa]);
        flags = FLAG_PRESENT | FLAG_POWERED;
    } else {
        if (up) {
            b[0x2] = port_speaks_68b_vh(port) && port_speaks_68b_vh(dev) ?
                     MODE_68B_VH : MODE_NOT_CXL;
            b[0x4] = port_device_type(dev);
            port_negotiated(port, dev, &b[0x7], &b[0xa]);
        }
        flags = (cxl_switch_perst(sw, port) ? FLAG_PERST : 0) |
                (dev ? FLAG_PRESENT : 0) |
                (port_powered(sw, port, dev) ? FLAG_POWERED : 0);
    }
    /* lanes are never reversed and start at 0; no device has further LDs */
    stw_le_p(b + 0xd, flags);
}

void cxl_switch_binding(const CXLSwitch *sw, PCIDevice *port,
                        uint8_t b[CXL_SWITCH_BINDING])
{
    bool bound = cxl_switch_bound(sw, port);

    if (cxl_switch_port_is_busy(sw, port)) {
        b[0] = BINDING_CHANGES;
    } else {
        b[0] = bound ? BOUND_TO_PORT : NOT_BOUND;
    }
    b[1] = bound ? cxl_switch_port_id(port) : 0;
    b[2] = NO_LD;
    b[3] = 0;
}

bool cxl_switch_can_hotplug(const PCIDevice *port)
{
    return pci_get_long(port->config + port->exp.exp_cap + PCI_EXP_SLTCAP) &
           PCI_EXP_SLTCAP_HPC;
}
