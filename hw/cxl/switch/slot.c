/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a host sees below the downstream ports of a CXL switch (CXL r3.2
 * 7.6.7.1.3, 7.6.7.2; PCIe r6.2 6.7.3)
 *
 * A device below an unbound port, or one that PERST holds in reset, is still
 * plugged: for QEMU it stays a child of the port's bus, and the Fabric Manager
 * reaches it.  For the host it is gone: it has no power, no place in the table
 * of the bus, and the slot says that it was pulled.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "hw/hotplug.h"
#include "hw/cxl/cxl_error.h"
#include "hw/cxl/cxl_mem_target.h"
#include "hw/pci/msi.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_bus.h"
#include "hw/resettable.h"
#include "hw/cxl/pci/base-contacts.h"
#include "hw/cxl/pci/bi.h"
#include "switch.h"
#include "trace/trace-hw_cxl.h"

/* What a host is told of a slot that we fill or empty */
#define SLOT_EVENTS \
    (PCI_EXP_SLTSTA_ABP | PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_DLLSC)

static PCIBus *slot_bus_below(PCIDevice *port)
{
    return pci_bridge_get_sec_bus(PCI_BRIDGE(port));
}

/* -- device_del ----------------------------------------------------------- */

static CXLSwitchHeld *slot_held_record(CXLSwitch *sw, const PCIDevice *dev)
{
    CXLSwitchHeld *h;

    QLIST_FOREACH(h, &sw->held, next) {
        if (h->dev == dev) {
            return h;
        }
    }
    return NULL;
}

static CXLSwitchHeld *slot_hold(CXLSwitch *sw, PCIDevice *port, PCIDevice *dev)
{
    CXLSwitchHeld *h = slot_held_record(sw, dev);

    if (!h) {
        g_autofree char *id =
            cxl_echo(DEVICE(dev)->id ?: object_get_typename(OBJECT(dev)));

        h = g_new0(CXLSwitchHeld, 1);
        h->dev = dev;
        h->port = port;
        error_setg(&h->why, "a Fabric Manager has taken '%s' from its host or "
                   "is about to; it must be bound, without PERST, first", id);
        qdev_add_unplug_blocker(DEVICE(dev), h->why);
        QLIST_INSERT_HEAD(&sw->held, h, next);
    }
    return h;
}

static void slot_drop(CXLSwitchHeld *h)
{
    QLIST_REMOVE(h, next);
    qdev_del_unplug_blocker(DEVICE(h->dev), h->why);
    error_free(h->why);
    g_free(h);
}

void cxl_switch_hold(CXLSwitch *sw, PCIDevice *port)
{
    PCIBus *bus = slot_bus_below(port);

    for (unsigned i = 0; i < ARRAY_SIZE(bus->devices); i++) {
        if (bus->devices[i]) {
            slot_hold(sw, port, bus->devices[i]);
        }
    }
}

void cxl_switch_release(CXLSwitch *sw, PCIDevice *port)
{
    CXLSwitchHeld *h, *next;

    QLIST_FOREACH_SAFE(h, &sw->held, next, next) {
        if (h->port == port && !h->hidden) {
            slot_drop(h);
        }
    }
}

/* The last CCI goes: no FM could ever undo what is in force */
void cxl_switch_let_all_go(CXLSwitch *sw)
{
    CXLSwitchHeld *h, *next;

    memset(sw->unbound, 0, sizeof(sw->unbound));
    memset(sw->perst, 0, sizeof(sw->perst));
    QLIST_FOREACH_SAFE(h, &sw->held, next, next) {
        /* a port that is being unplugged has no slot to tell any more */
        if (h->hidden && DEVICE(h->port)->realized) {
            cxl_switch_refresh(sw, h->port, true);
            /* that may have dropped its neighbours too */
            next = QLIST_FIRST(&sw->held);
        } else {
            slot_drop(h);
        }
    }
}

void cxl_switch_keep_on_eject(CXLSwitch *sw, PCIDevice *port, bool keep)
{
    PCIBus *bus = slot_bus_below(port);

    for (unsigned i = 0; i < ARRAY_SIZE(bus->devices); i++) {
        PCIDevice *d = bus->devices[i];

        /* others may have set the flags of what we do not hold */
        if (d && (keep || slot_held_record(sw, d))) {
            cxl_base_keep_on_eject(d, keep);
        }
    }
}

/* -- the slot ------------------------------------------------------------- */

/*
 * The ports of the base have no event for the link.  A host that sees an
 * attention button, as Linux, listens to nothing else when a device goes
 * unasked, because it takes changes of presence for what follows the button.
 */
void cxl_switch_slot_setup(PCIDevice *port)
{
    unsigned exp = port->exp.exp_cap;

    pci_word_test_and_set_mask(port->wmask + exp + PCI_EXP_SLTCTL,
                               PCI_EXP_SLTCTL_DLLSCE);
    pci_word_test_and_set_mask(port->w1cmask + exp + PCI_EXP_SLTSTA,
                               PCI_EXP_SLTSTA_DLLSC);
}

void cxl_switch_slot_reset(PCIDevice *port)
{
    uint8_t *exp = port->config + port->exp.exp_cap;

    pci_word_test_and_clear_mask(exp + PCI_EXP_SLTCTL, PCI_EXP_SLTCTL_DLLSCE);
    pci_word_test_and_clear_mask(exp + PCI_EXP_SLTSTA, PCI_EXP_SLTSTA_DLLSC);
}

/*
 * Raise the port's hot-plug interrupt for what its slot status says.  Where it
 * is a level, the port's own logic lowers it when the host clears the status.
 */
static void slot_send_interrupt(PCIDevice *port)
{
    uint8_t *exp = port->config + port->exp.exp_cap;
    uint16_t ctl = pci_get_word(exp + PCI_EXP_SLTCTL);
    uint16_t sta = pci_get_word(exp + PCI_EXP_SLTSTA);

    if (!(ctl & PCI_EXP_SLTCTL_HPIE) || !(ctl & sta & SLOT_EVENTS)) {
        return;
    }
    if (msi_enabled(port)) {
        msi_notify(port, pcie_cap_flags_get_vector(port));
    } else if (pci_intx(port) != -1) {
        pci_irq_assert(port);
    }
}

static void slot_event(CXLSwitch *sw, PCIDevice *port, uint16_t events)
{
    uint8_t *exp = port->config + port->exp.exp_cap;

    pci_word_test_and_set_mask(exp + PCI_EXP_SLTSTA, events);
    slot_send_interrupt(port);
}

void cxl_switch_push_button(CXLSwitch *sw, PCIDevice *port)
{
    slot_event(sw, port, PCI_EXP_SLTSTA_ABP);
}

static void slot_emptied(CXLSwitch *sw, PCIDevice *port)
{
    uint8_t *exp = port->config + port->exp.exp_cap;

    pci_word_test_and_clear_mask(exp + PCI_EXP_SLTSTA, PCI_EXP_SLTSTA_PDS);
    pci_word_test_and_clear_mask(exp + PCI_EXP_LNKSTA, PCI_EXP_LNKSTA_DLLLA);
    slot_event(sw, port, PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_DLLSC);
}

/* As the port's own logic does for a hot-plug */
static void slot_filled(CXLSwitch *sw, PCIDevice *port, PCIDevice *dev)
{
    uint8_t *exp = port->config + port->exp.exp_cap;

    pci_word_test_and_set_mask(exp + PCI_EXP_SLTSTA, PCI_EXP_SLTSTA_PDS);
    if (dev->cap_present & QEMU_PCIE_LNKSTA_DLLLA ||
        pci_get_long(exp + PCI_EXP_LNKCAP) & PCI_EXP_LNKCAP_DLLLARC) {
        pci_word_test_and_set_mask(exp + PCI_EXP_LNKSTA,
                                   PCI_EXP_LNKSTA_DLLLA);
    }
    slot_event(sw, port, SLOT_EVENTS);
}

static void slot_hide(CXLSwitch *sw, PCIDevice *port, PCIDevice *dev)
{
    CXLSwitchHeld *h = slot_hold(sw, port, dev);

    cxl_base_keep_on_eject(dev, false);
    pci_set_power(dev, false);
    cxl_base_hide_from_bus(dev);
    h->hidden = true;
    cxl_flit_train(port);
    cxl_direct_topology_changed();
    trace_cxl_switch_hidden(DEVICE(port)->id ?: "", DEVICE(dev)->id ?: "");
}

static void slot_show(CXLSwitchHeld *h)
{
    cxl_base_show_on_bus(h->dev);
    h->hidden = false;
    /* a host that has switched its slot off switches it on when it is told */
    pci_set_power(h->dev, cxl_switch_slot_power(h->port));
    cxl_flit_train(h->port);
    cxl_direct_topology_changed();
    trace_cxl_switch_shown(DEVICE(h->port)->id ?: "", DEVICE(h->dev)->id ?: "");
}

static bool slot_hide_all(CXLSwitch *sw, PCIDevice *port)
{
    PCIBus *bus = slot_bus_below(port);
    bool any = false;

    for (unsigned i = 0; i < ARRAY_SIZE(bus->devices); i++) {
        if (bus->devices[i]) {
            slot_hide(sw, port, bus->devices[i]);
            any = true;
        }
    }
    return any;
}

static bool slot_show_all(CXLSwitch *sw, PCIDevice *port)
{
    CXLSwitchHeld *h, *next;
    bool any = false;

    QLIST_FOREACH_SAFE(h, &sw->held, next, next) {
        if (h->port == port && h->hidden) {
            slot_show(h);
            any = true;
        }
    }
    if (any) {
        cxl_switch_release(sw, port);
    }
    return any;
}

/* Held devices are in reset exactly while PERST is asserted */
static void slot_follow_perst(CXLSwitch *sw, PCIDevice *port)
{
    bool asserted = cxl_switch_perst(sw, port);
    CXLSwitchHeld *h;

    QLIST_FOREACH(h, &sw->held, next) {
        if (h->port != port || h->in_reset == asserted) {
            continue;
        }
        h->in_reset = asserted;
        if (asserted) {
            resettable_assert_reset(OBJECT(h->dev), RESET_TYPE_COLD);
        } else {
            resettable_release_reset(OBJECT(h->dev), RESET_TYPE_COLD);
        }
    }
}

void cxl_switch_refresh(CXLSwitch *sw, PCIDevice *port, bool tell)
{
    if (!cxl_switch_bound(sw, port) || cxl_switch_perst(sw, port)) {
        bool changed = slot_hide_all(sw, port);

        slot_follow_perst(sw, port);
        if (changed && tell) {
            slot_emptied(sw, port);
        }
    } else {
        slot_follow_perst(sw, port);
        if (slot_show_all(sw, port) && tell) {
            slot_filled(sw, port, cxl_switch_device(sw, port));
        }
    }
}

void cxl_switch_reset_link(CXLSwitch *sw, PCIDevice *port)
{
    PCIDevice *dev = cxl_switch_device(sw, port);

    if (!dev) {
        return;
    }
    if (!cxl_switch_bound(sw, port)) {
        bus_cold_reset(BUS(slot_bus_below(port)));
        return;
    }
    slot_hide_all(sw, port);
    slot_emptied(sw, port);
    slot_show_all(sw, port);
    slot_filled(sw, port, dev);
}

/* -- plugged and unplugged by the user ------------------------------------ */

void cxl_switch_plugged(CXLSwitch *sw, PCIDevice *port, PCIDevice *dev)
{
    if (!cxl_switch_bound(sw, port) || cxl_switch_perst(sw, port)) {
        /*
         * Being realized, it cannot be put into reset by us as well; it will
         * be reset at the end of this, and again before a host sees it.
         */
        slot_hide(sw, port, dev);
    }
    /* what the machine is made with is no change */
    if (DEVICE(dev)->hotplugged) {
        cxl_switch_log_port(sw, port, SWITCH_PORT_LINK_CHANGE);
    }
}

void cxl_switch_unplugged(CXLSwitch *sw, PCIDevice *port, PCIDevice *dev)
{
    CXLSwitchHeld *h = slot_held_record(sw, dev);

    if (h) {
        /* with the port or the whole switch: nothing else may take it */
        cxl_base_release_slot(dev);
        slot_drop(h);
    }
    cxl_switch_log_port(sw, port, SWITCH_PORT_LINK_CHANGE);
}
