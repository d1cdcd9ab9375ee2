/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CXL component behind an MCTP link: finds it, runs requests on its CCI,
 * lets go of it when it is unplugged. All links share this, on whatever bus.
 *
 * Reference: CXL r3.2 7.6.3, 9.19, 9.20; DMTF DSP0236 8; RFC 4122 4.3.
 */
#include "qemu/osdep.h"
#include "hw/cxl/cci/switch-cci.h"
#include "hw/cxl/cxl_error.h"
#include "hw/cxl/cxl_mem_target.h"
#include "component.h"
#include "hw/mctp/mctp_vmstate.h"
#include "migration/vmstate-checked.h"
#include "hw/pci/pcie.h"
#include "hw/resettable.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "system/runstate.h"
#include "trace/trace-hw_cxl.h"

/* No header names these: the memory device and the switch mailbox function */
#define TYPE_MEMORY_DEVICE  "cxl-type3"
#define TYPE_SWITCH_MAILBOX "cxl-switch-mailbox-cci"

/* Payload of a switch's CCI here; a memory device decides for itself */
#define SWITCH_PAYLOAD  4096

static void component_lose_component(MCTPCXLComponent *c);

/* The FM holds a component in reset (5102h): it cannot answer, the user can */
static void component_dropped_in_reset(MCTPCXLComponent *c, uint16_t opcode)
{
    const char *id = DEVICE(c->pci)->id ?: object_get_typename(OBJECT(c->pci));

    trace_mctp_cxl_component_held(c->link->id ?: "", id, opcode);
    if (!c->cci->hold_told) {
        c->cci->hold_told = true;
        warn_report("%s '%s': '%s' is held in reset (PERST), CXL commands to "
                    "it are dropped until it is released",
                    object_get_typename(OBJECT(c->link)), c->link->id ?: "",
                    id);
    }
}

static MCTPCXLRan component_answer_badly(MCTPCXLComponent *c, uint16_t opcode,
                                         const void *in, size_t in_len,
                                         void *out, size_t out_size,
                                         MCTPCXLAnswer *answer)
{
    CXLFaultCompletion how = { .opcode = opcode };

    answer->ret_code = cxl_fault_answer(c->faults, opcode, in, in_len, out,
                                        out_size, &answer->len,
                                        answer->ret_code);
    how.len = answer->len;
    cxl_fault_completion(c->faults, &how);
    if (how.never) {
        return MCTP_CXL_SILENT;
    }
    cxl_fault_doorbell_rings(c->faults, &how);
    answer->opcode = how.opcode;
    answer->announced = how.len;
    answer->vendor_status = how.vendor_status;
    return MCTP_CXL_ANSWERED;
}

/* A command can unplug the component, the link, or both: see @running */
static MCTPCXLRan component_run_on_cci(void *opaque, uint16_t opcode,
                                       const void *in, size_t in_len, void *out,
                                       size_t out_size, MCTPCXLAnswer *answer)
{
    MCTPCXLComponent *c = opaque;
    CXLCCI *cci = c->cci;
    MCTPCXLRan ran = MCTP_CXL_ANSWERED;

    if (!cci) {
        return MCTP_CXL_SILENT;
    }
    if (c->pci && resettable_is_in_reset(OBJECT(c->pci))) {
        component_dropped_in_reset(c, opcode);
        return MCTP_CXL_SILENT;
    }
    cci->hold_told = false;
    c->running = true;
    cci->transport = &c->notify.transport;
    answer->ret_code = cxl_cci_process(cci, opcode, in, in_len, out,
                                       out_size, &answer->len);
    cci->transport = NULL;
    answer->background = cci->bg.running;
    c->running = false;
    if (c->ep && c->faults) {
        ran = component_answer_badly(c, opcode, in, in_len, out, out_size,
                                     answer);
    }
    if (c->lost) {
        component_lose_component(c);
    }
    return c->ep ? ran : MCTP_CXL_GONE;
}

/*
 * Nothing of ours is on the stack here, and the link stays in memory until it
 * is left, whoever unplugs it.
 */
static void component_run_requests(void *opaque)
{
    MCTPCXLComponent *c = opaque;

    /* a command that waits for something may let this run again */
    if (c->running || !runstate_is_running()) {
        return;
    }
    if (mctp_cxl_run(c->ep, &c->cxl,
                     qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL)) && c->ran) {
        c->ran(c->link);
    }
}

static void component_request_arrived(void *opaque)
{
    MCTPCXLComponent *c = opaque;

    device_deferred_raise(&c->work);
}

static void component_vm_state_changed(void *opaque, bool running,
                                       RunState state)
{
    MCTPCXLComponent *c = opaque;

    if (running && c->cxl.num_waiting) {
        device_deferred_raise(&c->work);
    }
}

static void component_response(void *opaque, uint8_t mctp_tag,
                               const CXLCCIMsg *msg)
{
    MCTPCXLComponent *c = opaque;

    mctp_cxl_notify_response(&c->notify, mctp_tag, msg);
}

/*
 * The UUID tells a bus owner that endpoints on several buses are the same
 * component, and that it is still the same after a restart. So it is made
 * (RFC 4122 version 5) from what identifies the component: its serial number,
 * or its place in the machine if it has none.
 */
static void component_uuid(const MCTPCXLComponent *c, uint8_t *uuid)
{
    static const char name_space[] = "QEMU CXL component";
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA1);
    PCIDevice *pci = c->pci;
    g_autofree char *path = object_get_canonical_path(pci ? OBJECT(pci)
                                                          : c->target);
    uint16_t dsn = pci ? pcie_find_capability(pci, PCI_EXT_CAP_ID_DSN) : 0;
    uint8_t digest[20];
    gsize len = sizeof(digest);

    g_checksum_update(sum, (const guchar *)name_space, sizeof(name_space));
    if (pci) {
        g_checksum_update(sum, pci->config + PCI_VENDOR_ID, 4);
    }
    if (dsn) {
        /* behind the capability header, the two halves of the number */
        g_checksum_update(sum, pci->config + dsn + 4, 8);
    } else {
        g_checksum_update(sum, (const guchar *)path, strlen(path));
    }
    g_checksum_get_digest(sum, digest, &len);
    memcpy(uuid, digest, sizeof(QemuUUID));
    uuid[6] = (uuid[6] & 0x0f) | 0x50;
    uuid[8] = (uuid[8] & 0x3f) | 0x80;
}

static bool component_find_component(MCTPCXLComponent *c, Error **errp)
{
    g_autofree char *id = cxl_echo(c->target_id ?: "");
    Object *obj, *named;

    if (!*id) {
        error_setg(errp, "property 'target' is not set: give the id of a "
                   TYPE_MEMORY_DEVICE ", " TYPE_CXL_USP ", "
                   TYPE_SWITCH_MAILBOX " or " TYPE_CXL_POOL);
        return false;
    }
    /* A memory backend or a bus may have the same id */
    obj = object_resolve_path_type(c->target_id, TYPE_PCI_DEVICE, NULL) ?:
          object_resolve_path_type(c->target_id, TYPE_CXL_POOL, NULL) ?:
          object_resolve_path(c->target_id, NULL);
    if (!obj) {
        error_setg(errp, "property 'target' is '%s', but there is no such "
                   "device", id);
        return false;
    }
    if (object_dynamic_cast(obj, TYPE_CXL_POOL) &&
        cxl_pool_is_remote(CXL_POOL(obj))) {
        error_setg(errp, "property 'target' is '%s', which is the pool of a "
                   "cxl-poold: Fabric Managers connect to the daemon", id);
        return false;
    }
    if (object_dynamic_cast(obj, TYPE_CXL_POOL)) {
        c->target = object_ref(obj);
        cxl_pool_use(CXL_POOL(obj), true);
        c->cci = cxl_pool_cci(CXL_POOL(obj));
        return true;
    }
    named = obj;
    if (object_dynamic_cast(obj, TYPE_SWITCH_MAILBOX)) {
        obj = object_property_get_link(obj, "target", NULL);
    }
    if (object_dynamic_cast(obj, TYPE_CXL_USP)) {
        cxl_switch_cci_init(&c->switch_cci, CXL_USP(obj), SWITCH_PAYLOAD);
        c->cci = &c->switch_cci;
    } else {
        c->cci = cxl_mem_target_cci(obj);
    }
    if (!c->cci) {
        error_setg(errp, "property 'target' is '%s', which is a %s: give the "
                   "id of a " TYPE_MEMORY_DEVICE ", " TYPE_CXL_USP ", "
                   TYPE_SWITCH_MAILBOX " or " TYPE_CXL_POOL, id,
                   object_get_typename(named));
        return false;
    }
    c->target = object_ref(named);
    c->pci = PCI_DEVICE(object_ref(obj));
    return true;
}

/* Its command interface goes only when no command is running there */
static void component_lose_component(MCTPCXLComponent *c)
{
    c->lost = c->running;
    if (c->lost) {
        return;
    }
    mctp_cxl_notify_leave(&c->notify);
    /* harmless if there is no switch */
    cxl_switch_cci_destroy(&c->switch_cci);
    if (c->cci && !c->pci) {
        cxl_pool_use(CXL_POOL(c->target), false);
    }
    c->cci = NULL;
    object_unref(OBJECT(c->pci));
    c->pci = NULL;
    object_unref(g_steal_pointer(&c->target));
}

/*
 * The component is being unplugged. References of ours, the one of the link
 * property among them, would keep it from ever being reported as deleted.
 */
static void component_device_gone(DeviceListener *listener, DeviceState *dev)
{
    MCTPCXLComponent *c = container_of(listener, MCTPCXLComponent, listener);

    if (c->pci && (OBJECT(dev) == c->target || dev == DEVICE(c->pci))) {
        trace_mctp_cxl_component_gone(c->link->id ?: "", dev->id ?: "");
        component_lose_component(c);
    }
}

void mctp_cxl_component_describe(ObjectClass *klass)
{
    object_class_property_set_description(
        klass, "target", "id of the CXL component that this is part of");
    object_class_property_set_description(
        klass, "eid", "endpoint id from 8 to 254; 0: a bus owner assigns one");
    object_class_property_set_description(
        klass, "x-transmission-unit", "payload bytes in a packet, from 64");
}

bool mctp_cxl_component_open(MCTPCXLComponent *c, DeviceState *link,
                             void (*kick)(void *link), uint8_t unit_max,
                             Error **errp)
{
    uint8_t uuid[sizeof(QemuUUID)];
    /* .medium stays 0: no fair arbitration (SMBus), undefined elsewhere */
    MCTPEndpointConfig config = {
        .kick = kick,
        .kick_opaque = link,
        .unit = c->unit,
        .uuid = uuid,
        .static_eid = c->eid,
    };

    c->link = link;
    c->kick = kick;
    if (c->unit < MCTP_UNIT_BASELINE || c->unit > unit_max) {
        error_setg(errp, "property 'x-transmission-unit' is %u: give a number "
                   "from %u to %u", c->unit, MCTP_UNIT_BASELINE, unit_max);
        return false;
    }
    if (c->eid != MCTP_EID_NULL && !mctp_eid_unicast(c->eid)) {
        error_setg(errp, "property 'eid' is %u: give a number from %u to %u, "
                   "or 0 for none", c->eid, MCTP_EID_FIRST, MCTP_EID_LAST);
        return false;
    }
    if (!component_find_component(c, errp)) {
        return false;
    }
    component_uuid(c, uuid);
    config.max_message = mctp_cxl_message_max(c->cci->payload_max);
    c->cxl = (MCTPCXLTarget) {
        .run = component_run_on_cci,
        .arrived = component_request_arrived,
        .opaque = c,
        .payload_max = c->cci->payload_max,
        .response = component_response,
    };
    c->ep = mctp_endpoint_new(&config);
    mctp_cxl_attach(c->ep, &c->cxl);
    mctp_cxl_notify_init(&c->notify, c->ep, &c->cxl);
    mctp_cxl_notify_watch(&c->notify, c->cci);
    device_deferred_init(&c->work, OBJECT(link), component_run_requests, c);
    mctp_cxl_sending_init(c);
    c->vmstate_handler = qemu_add_vm_change_state_handler(
        component_vm_state_changed, c);
    c->listener.unrealize = component_device_gone;
    device_listener_register(&c->listener);
    return true;
}

void mctp_cxl_component_close(MCTPCXLComponent *c)
{
    device_listener_unregister(&c->listener);
    qemu_del_vm_change_state_handler(c->vmstate_handler);
    device_deferred_cancel(&c->work);
    timer_free(g_steal_pointer(&c->held));
    mctp_cxl_forget(&c->cxl);
    mctp_cxl_notify_destroy(&c->notify);
    mctp_endpoint_free(c->ep);
    c->ep = NULL;
    component_lose_component(c);
}

void mctp_cxl_component_reset(MCTPCXLComponent *c)
{
    mctp_cxl_notify_reset(&c->notify);
    mctp_cxl_forget(&c->cxl);
    mctp_endpoint_reset(c->ep);
    if (c->faults) {
        cxl_fault_reset(c->faults);
    }
    if (c->cci == &c->switch_cci) {
        cxl_cci_reset(&c->switch_cci);
    }
}

static bool component_has_switch_cci(void *opaque)
{
    MCTPCXLComponent *c = opaque;

    return c->cci == &c->switch_cci;
}

static int component_switch_cci_post_load(void *opaque, int version_id)
{
    MCTPCXLComponent *c = opaque;

    return cxl_switch_cci_post_load(&c->switch_cci);
}

static const VMStateDescription vmstate_switch_cci = {
    .name = "mctp-cxl-component/switch-cci",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = component_has_switch_cci,
    .post_load = component_switch_cci_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(switch_cci, MCTPCXLComponent, 1, vmstate_cxl_cci,
                       CXLCCI),
        VMSTATE_END_OF_LIST()
    },
};

void mctp_cxl_component_give_up(MCTPCXLComponent *c)
{
    if (c->cci == &c->switch_cci) {
        cxl_cci_forget(&c->switch_cci);
    }
    mctp_cxl_component_reset(c);
}

static bool component_requests_wait(void *opaque)
{
    MCTPCXLComponent *c = opaque;

    return c->cxl.num_waiting;
}

static const VMStateDescription vmstate_waiting = {
    .name = "mctp-cxl-component/waiting",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = component_requests_wait,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(cxl, MCTPCXLComponent, 1, vmstate_mctp_cxl_waiting,
                       MCTPCXLTarget),
        VMSTATE_END_OF_LIST()
    },
};

static int component_pre_load(void *opaque)
{
    MCTPCXLComponent *c = opaque;

    mctp_cxl_forget(&c->cxl);
    cxl_fault_drop(OBJECT(c->link));
    return 0;
}

/* A function by its place, as VMSTATE_PCI_SAME(), a pool by its name */
static char *component_target_text(void *opaque, const VMStateField *field)
{
    MCTPCXLComponent *c = opaque;

    if (c->pci) {
        return DEVICE(c->pci)->realized ? qdev_get_dev_path(DEVICE(c->pci))
                                        : NULL;
    }
    return c->cci ? g_strdup_printf(TYPE_CXL_POOL " %s",
                                    cxl_pool_id(CXL_POOL(c->target))) : NULL;
}

static const VMStateText component_target = {
    VMSTATE_TEXT_INFO,
    .text = component_target_text,
};

const VMStateDescription vmstate_mctp_cxl_component = {
    .name = "mctp-cxl-component",
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_load = component_pre_load,
    .fields = (const VMStateField[]) {
        VMSTATE_SAME_TEXT(component_target, MCTPCXLComponent, "target"),
        VMSTATE_STRUCT_POINTER(ep, MCTPCXLComponent, vmstate_mctp_endpoint,
                               MCTPEndpoint),
        VMSTATE_STRUCT(notify, MCTPCXLComponent, 1, vmstate_mctp_cxl_notify,
                       MCTPCXLNotify),
        VMSTATE_END_OF_LIST()
    },
    .subsections = (const VMStateDescription *const []) {
        &vmstate_switch_cci,
        &vmstate_waiting,
        &vmstate_mctp_cxl_sending,
        NULL
    },
};
