/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the CCIs of a CXL switch share: its life, reset and migration (CXL r3.2
 * 7.6.7)
 */
#include "qemu/osdep.h"
#include "hw/pci/pci_bridge.h"
#include "migration/vmstate-checked.h"
#include "system/reset.h"
#include "switch.h"

/* Records in each log: a burst of changes on all ports of a large switch */
#define EVENT_DEPTH     64

static const VMStateDescription vmstate_switch;

/* -- what comes and goes below the downstream ports ---------------------- */

static bool switch_is_port_of(CXLSwitch *sw, DeviceState *dev)
{
    return object_dynamic_cast(OBJECT(dev), TYPE_PCIE_SLOT) &&
           pci_bridge_get_device(pci_get_bus(PCI_DEVICE(dev))) ==
           PCI_DEVICE(sw->usp);
}

/* The downstream port of this switch that @dev is plugged into, or NULL */
static PCIDevice *switch_port_above(CXLSwitch *sw, DeviceState *dev)
{
    PCIDevice *port;

    if (!object_dynamic_cast(OBJECT(dev), TYPE_PCI_DEVICE) ||
        !dev->parent_bus) {
        return NULL;
    }
    port = pci_bridge_get_device(pci_get_bus(PCI_DEVICE(dev)));
    return port && switch_is_port_of(sw, DEVICE(port)) ? port : NULL;
}

static void switch_device_came(DeviceListener *listener, DeviceState *dev)
{
    CXLSwitch *sw = container_of(listener, CXLSwitch, listener);
    PCIDevice *port = switch_port_above(sw, dev);

    if (switch_is_port_of(sw, dev)) {
        cxl_switch_slot_setup(PCI_DEVICE(dev));
    }
    if (port) {
        cxl_switch_plugged(sw, port, PCI_DEVICE(dev));
    }
}

static void switch_device_went(DeviceListener *listener, DeviceState *dev)
{
    CXLSwitch *sw = container_of(listener, CXLSwitch, listener);
    PCIDevice *port = switch_port_above(sw, dev);

    if (port) {
        cxl_switch_unplugged(sw, port, PCI_DEVICE(dev));
    }
}

/* -- life ---------------------------------------------------------------- */

void cxl_switch_forget_secret(CXLSwitch *sw)
{
    sw->sv_set = false;
    memset(&sw->sv, 0, sizeof(sw->sv));
}

/* What the ports' own reset does not know */
static void switch_reset(void *opaque)
{
    CXLSwitch *sw = opaque;
    unsigned i;

    cxl_switch_forget_secret(sw);
    for (i = 1; i < cxl_switch_nr_vppbs(sw); i++) {
        cxl_switch_slot_reset(cxl_switch_vppb(sw, i));
    }
}

CXLSwitch *cxl_switch_new(CXLUpstreamPort *usp)
{
    CXLSwitch *sw = g_new0(CXLSwitch, 1);
    uint32_t depth[CXL_EVENT_LOGS];
    unsigned i;

    for (i = 0; i < CXL_EVENT_LOGS; i++) {
        depth[i] = EVENT_DEPTH;
    }
    sw->usp = usp;
    sw->ccis = g_ptr_array_new();
    cxl_events_init(&sw->events, depth, &sw->clock, NULL, NULL);
    QLIST_INIT(&sw->held);
    sw->listener.realize = switch_device_came;
    sw->listener.unrealize = switch_device_went;
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
void cxl_switch_free(CXLSwitch *sw)
{
    vmstate_unregister(VMSTATE_IF(sw->usp), &vmstate_switch, sw);
    qemu_unregister_reset(switch_reset, sw);
    device_listener_unregister(&sw->listener);
    cxl_switch_let_all_go(sw);
    cxl_events_destroy(&sw->events);
    g_ptr_array_unref(sw->ccis);
    g_free(sw);
}

/* -- migration ----------------------------------------------------------- */

/* Its port may be unplugged by now: then the operation is about to fail */
static bool switch_op_is_sane(const CXLSwitch *sw)
{
    return !sw->op.opcode ||
           ((sw->op.opcode == CXL_OP_BIND_VPPB ||
             sw->op.opcode == CXL_OP_UNBIND_VPPB) &&
            sw->op.option <= CXL_UNBIND_SURPRISE);
}

/* Hide and hold what bindings, PERST and the operation say */
static void switch_settle(CXLSwitch *sw)
{
    unsigned i;

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
}

/*
 * This comes before the state of the ports and of what is plugged into them, so
 * that their own state overwrites what a reset does to them here.
 */
static int switch_post_load(void *opaque, int version_id)
{
    CXLSwitch *sw = opaque;

    if (!switch_op_is_sane(sw)) {
        return -EINVAL;
    }
    sw->loaded = 0;
    switch_settle(sw);
    return 0;
}

void cxl_switch_op_failed(CXLSwitch *sw)
{
    sw->op = (CXLSwitchOp) { 0 };
    switch_settle(sw);
}

static void switch_give_up(void *opaque)
{
    CXLSwitch *sw = opaque;

    sw->clock = (CXLTimestamp) { 0 };
    cxl_events_forget(&sw->events);
    cxl_switch_forget_secret(sw);
    memset(sw->unbound, 0, sizeof(sw->unbound));
    memset(sw->perst, 0, sizeof(sw->perst));
    cxl_switch_op_failed(sw);
}

static const VMStateDescription vmstate_switch_state = {
    .name = "cxl-switch-state",
    .version_id = 1,
    .minimum_version_id = 1,
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
        VMSTATE_UINT16(op.opcode, CXLSwitch),
        VMSTATE_UINT8(op.devfn, CXLSwitch),
        VMSTATE_UINT8(op.option, CXLSwitch),
        VMSTATE_BOOL(op.host_began, CXLSwitch),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateGuard switch_guard = {
    VMSTATE_GUARD_INFO,
    .vmsd = &vmstate_switch_state,
    .give_up = switch_give_up,
};

static const VMStateDescription vmstate_switch = {
    .name = "cxl-switch",
    .version_id = 1,
    .minimum_version_id = 1,
    /* before ports and devices, see above */
    .priority = MIG_PRI_PCI_BUS,
    .fields = (const VMStateField[]) {
        VMSTATE_GUARDED(switch_guard, CXLSwitch),
        VMSTATE_END_OF_LIST()
    }
};
