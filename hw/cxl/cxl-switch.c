/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the doors to a CXL switch share: its life, reset and migration (CXL r3.2
 * 7.6.7)
 *
 * The upstream port is a file of the base; the one thing of ours inside it is
 * its embedded CCI.  No transport uses that one: it has no rows, and its pointer
 * to the switch is where the doors of the switch find each other.
 */
#include "qemu/osdep.h"
#include "hw/pci/pci_bridge.h"
#include "migration/vmstate.h"
#include "system/reset.h"
#include "cxl-switch-internal.h"

/* Records in each log: a burst of changes on all ports of a large switch */
#define EVENT_DEPTH     64

#define TYPE_CXL_SWITCH_STATE "cxl-switch-state"
OBJECT_DECLARE_SIMPLE_TYPE(CXLSwitch, CXL_SWITCH_STATE)

static const VMStateDescription vmstate_switch;

/* -- what comes and goes below the downstream ports ---------------------- */

static bool is_port_of(CXLSwitch *sw, DeviceState *dev)
{
    return object_dynamic_cast(OBJECT(dev), TYPE_PCIE_SLOT) &&
           pci_bridge_get_device(pci_get_bus(PCI_DEVICE(dev))) ==
           PCI_DEVICE(sw->usp);
}

/* The downstream port of this switch that @dev is plugged into, or NULL */
static PCIDevice *port_above(CXLSwitch *sw, DeviceState *dev)
{
    PCIDevice *port;

    if (!object_dynamic_cast(OBJECT(dev), TYPE_PCI_DEVICE) ||
        !dev->parent_bus) {
        return NULL;
    }
    port = pci_bridge_get_device(pci_get_bus(PCI_DEVICE(dev)));
    return port && is_port_of(sw, DEVICE(port)) ? port : NULL;
}

static void device_came(DeviceListener *listener, DeviceState *dev)
{
    CXLSwitch *sw = container_of(listener, CXLSwitch, listener);
    PCIDevice *port = port_above(sw, dev);

    if (is_port_of(sw, dev)) {
        cxl_switch_slot_setup(PCI_DEVICE(dev));
    }
    if (port) {
        cxl_switch_plugged(sw, port, PCI_DEVICE(dev));
    }
}

static void device_went(DeviceListener *listener, DeviceState *dev)
{
    CXLSwitch *sw = container_of(listener, CXLSwitch, listener);
    PCIDevice *port = port_above(sw, dev);

    if (port) {
        cxl_switch_unplugged(sw, port, PCI_DEVICE(dev));
    }
}

/* -- life ---------------------------------------------------------------- */

static void forget_secret(CXLSwitch *sw)
{
    sw->sv_set = false;
    memset(&sw->sv, 0, sizeof(sw->sv));
}

/* What the ports' own reset does not know */
static void switch_reset(void *opaque)
{
    CXLSwitch *sw = opaque;
    unsigned i;

    forget_secret(sw);
    memset(sw->slot_events, 0, sizeof(sw->slot_events));
    device_deferred_cancel(&sw->deferred, DEVICE_DEFERRED_ALL);
    for (i = 1; i < cxl_switch_nr_vppbs(sw); i++) {
        cxl_switch_slot_reset(cxl_switch_vppb(sw, i));
    }
}

static CXLSwitch *switch_new(CXLUpstreamPort *usp)
{
    CXLSwitch *sw = CXL_SWITCH_STATE(object_new(TYPE_CXL_SWITCH_STATE));
    uint32_t depth[CXL_EVENT_LOGS];
    unsigned i;

    for (i = 0; i < CXL_EVENT_LOGS; i++) {
        depth[i] = EVENT_DEPTH;
    }
    sw->usp = usp;
    device_deferred_init(&sw->deferred, OBJECT(sw), 1,
                         cxl_switch_slot_run_deferred, sw);
    cxl_events_init(&sw->events, depth, &sw->clock, NULL, NULL);
    QLIST_INIT(&sw->held);
    sw->listener.realize = device_came;
    sw->listener.unrealize = device_went;
    device_listener_register(&sw->listener);
    for (i = 1; i < cxl_switch_nr_vppbs(sw); i++) {
        cxl_switch_slot_setup(cxl_switch_vppb(sw, i));
    }
    qemu_register_reset(switch_reset, sw);
    vmstate_register(VMSTATE_IF(usp), VMSTATE_INSTANCE_ID_ANY,
                     &vmstate_switch, sw);
    return sw;
}

/* The ports and what is in them may be gone already */
static void switch_free(CXLSwitch *sw)
{
    vmstate_unregister(VMSTATE_IF(sw->usp), &vmstate_switch, sw);
    qemu_unregister_reset(switch_reset, sw);
    device_listener_unregister(&sw->listener);
    cxl_switch_let_all_go(sw);
    /* hosts whose slots are filled by that will still hear of it */
    sw->kept = object_ref(OBJECT(sw->usp));
    cxl_events_destroy(&sw->events);
    object_unref(OBJECT(sw));
}

void cxl_switch_cci_init(CXLCCI *cci, CXLUpstreamPort *usp,
                         uint32_t payload_max)
{
    CXLSwitch *sw;

    if (!usp->swcci.sw) {
        usp->swcci.sw = switch_new(usp);
    }
    sw = usp->swcci.sw;
    sw->doors++;
    cci->clock = &sw->clock;
    cci->events = &sw->events;
    cxl_cci_init(cci, CXL_CCI_SWITCH, DEVICE(usp), payload_max);
}

void cxl_switch_cci_destroy(CXLCCI *cci)
{
    CXLUpstreamPort *usp;
    CXLSwitch *sw;

    if (!cci->owner) {
        return;
    }
    usp = CXL_USP(cci->owner);
    sw = usp->swcci.sw;
    /* undoes a bind or unbind that only this door would have ended */
    cxl_cci_reset(cci);
    cxl_cci_destroy(cci);
    cci->owner = NULL;
    cci->clock = NULL;
    cci->events = NULL;
    if (!--sw->doors) {
        usp->swcci.sw = NULL;
        switch_free(sw);
    }
}

void cxl_switch_cci_reset(CXLCCI *cci)
{
    cxl_cci_reset(cci);
    forget_secret(CXL_USP(cci->owner)->swcci.sw);
}

CXLSwitch *cxl_cci_switch(const CXLCCI *cci)
{
    if (cci->kind != CXL_CCI_SWITCH || !cci->owner || !cci->owner->realized) {
        return NULL;
    }
    return CXL_USP(cci->owner)->swcci.sw;
}

/* -- migration ----------------------------------------------------------- */

static bool op_is_sane(const CXLSwitch *sw)
{
    unsigned i;

    if (!sw->op.opcode) {
        return true;
    }
    if ((sw->op.opcode != CXL_OP_BIND_VPPB &&
         sw->op.opcode != CXL_OP_UNBIND_VPPB) ||
        sw->op.option > CXL_UNBIND_SURPRISE) {
        return false;
    }
    for (i = 1; i < cxl_switch_nr_vppbs(sw); i++) {
        if (cxl_switch_vppb(sw, i)->devfn == sw->op.devfn) {
            return true;
        }
    }
    return false;
}

/*
 * This comes before the state of the ports and of what is plugged into them, so
 * that their own state overwrites what a reset does to them here.
 */
static int switch_post_load(void *opaque, int version_id)
{
    CXLSwitch *sw = opaque;
    unsigned i;

    if (!op_is_sane(sw)) {
        sw->op.opcode = 0;
        return -EINVAL;
    }
    for (i = 1; i < cxl_switch_nr_vppbs(sw); i++) {
        PCIDevice *port = cxl_switch_vppb(sw, i);
        bool busy = sw->op.opcode && sw->op.devfn == port->devfn;

        cxl_switch_refresh(sw, port, false);
        cxl_switch_keep_on_eject(sw, port, busy);
        if (busy) {
            cxl_switch_hold(sw, port);
        } else {
            cxl_switch_release(sw, port);
        }
    }
    return 0;
}

static const VMStateDescription vmstate_switch = {
    .name = "cxl-switch",
    .version_id = 1,
    .minimum_version_id = 1,
    /* before ports and devices, see above */
    .priority = MIG_PRI_PCI_BUS,
    .post_load = switch_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(clock, CXLSwitch, 1, vmstate_cxl_timestamp,
                       CXLTimestamp),
        VMSTATE_STRUCT(events, CXLSwitch, 1, vmstate_cxl_events,
                       CXLEventLogs),
        VMSTATE_BOOL(sv_set, CXLSwitch),
        VMSTATE_UINT8_ARRAY(sv.data, CXLSwitch, sizeof_field(QemuUUID, data)),
        VMSTATE_UINT8_ARRAY(unbound, CXLSwitch, SWITCH_MAP_BYTES),
        VMSTATE_UINT8_ARRAY(perst, CXLSwitch, SWITCH_MAP_BYTES),
        VMSTATE_UINT8_ARRAY(slot_events, CXLSwitch, SWITCH_MAP_BYTES),
        VMSTATE_DEVICE_DEFERRED(deferred, CXLSwitch),
        VMSTATE_UINT16(op.opcode, CXLSwitch),
        VMSTATE_UINT8(op.devfn, CXLSwitch),
        VMSTATE_UINT8(op.option, CXLSwitch),
        VMSTATE_BOOL(op.host_began, CXLSwitch),
        VMSTATE_END_OF_LIST()
    }
};

/* -- an object, so that what is deferred can keep it in memory ------------- */

static void switch_finalize(Object *obj)
{
    object_unref(CXL_SWITCH_STATE(obj)->kept);
}

static const TypeInfo switch_state_info = {
    .name = TYPE_CXL_SWITCH_STATE,
    .parent = TYPE_OBJECT,
    .instance_size = sizeof(CXLSwitch),
    .instance_finalize = switch_finalize,
};

static void switch_state_register(void)
{
    type_register_static(&switch_state_info);
}
type_init(switch_state_register)
