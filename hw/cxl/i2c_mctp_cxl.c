/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * i2c_mctp_cxl: a CXL component's MCTP endpoint on an I2C bus. It takes
 * requests as bus writes to its address, runs them on the component's CCI
 * and becomes bus master to write the answers to where they came from.
 *
 * Reference: DMTF DSP0237 (MCTP over SMBus/I2C); CXL r3.2 7.6.3, 9.20.
 */
#include "qemu/osdep.h"
#include "block/aio.h"
#include "hw/cxl/cxl_error.h"
#include "hw/i2c/bus_contacts.h"
#include "mctp/component.h"
#include "hw/mctp/mctp_i2c_frame.h"
#include "hw/qdev-properties.h"
#include "migration/vmstate-checked.h"
#include "qapi/error.h"
#include "qemu/main-loop.h"
#include "qemu/module.h"
#include "qemu/timer.h"
#include "system/runstate.h"
#include "trace.h"

#define TYPE_I2C_MCTP_CXL "i2c_mctp_cxl"
OBJECT_DECLARE_SIMPLE_TYPE(I2CMCTPCXL, I2C_MCTP_CXL)

/* 7-bit addresses that SMBus leaves to devices; 03h..07h work on Linux */
#define ADDRESS_FIRST   0x03
#define ADDRESS_LAST    0x77

/*
 * While we wait for the bus, look this often whether a controller forgot to
 * hand it on after its STOP condition.
 */
#define BUS_POLL_NS     (1 * SCALE_MS)

struct I2CMCTPCXL {
    I2CSlave parent_obj;

    MCTPCXLComponent cxl;

    /* One bus write as it comes in, address byte first */
    uint8_t frame[MCTP_I2C_FRAME_MAX];
    uint16_t frame_len;
    bool receiving;
    bool overlong;

    QEMUTimer *timer;           /* something to send, or the bus to ask for */
    QEMUBH *master;             /* run by the bus when it is ours */
    bool queued;                /* in the bus's list of waiting masters */
};

static I2CBus *i2c_mctp_cxl_bus_of(I2CMCTPCXL *s)
{
    return I2C_BUS(qdev_get_parent_bus(DEVICE(s)));
}

static int64_t i2c_mctp_cxl_now_ns(void)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

/* -- sending ------------------------------------------------------------ */

/*
 * Write one frame, of which the bus is ours for the first bytes; false if it
 * was refused, at whatever byte, or cut off. What a device on
 * the bus does about it may unplug the bus, and us; bus_granted() holds both.
 */
static bool i2c_mctp_cxl_write_frame(I2CBus *bus, const uint8_t *frame,
                                     size_t len, size_t ours)
{
    bool taken = ours == len;

    if (!ours || i2c_start_send(bus, frame[0] >> 1)) {
        return false;
    }
    for (size_t i = 1; i < ours; i++) {
        if (i2c_send(bus, frame[i])) {
            taken = false;
            break;
        }
    }
    i2c_end_transfer(bus);
    return taken;
}

static void i2c_mctp_cxl_withdraw_from_bus(I2CMCTPCXL *s)
{
    s->queued = false;
    i2c_bus_withdraw_master(i2c_mctp_cxl_bus_of(s), s->master);
}

static void i2c_mctp_cxl_ask_when_due(I2CMCTPCXL *s)
{
    int64_t when = mctp_txqueue_next(mctp_endpoint_tx(s->cxl.ep));

    if (when < 0) {
        timer_del(s->timer);
    } else {
        timer_mod(s->timer, MAX(when, i2c_mctp_cxl_now_ns()));
    }
}

/*
 * Join those who wait for the bus if a packet may go out. This is also called
 * inside a bus event: then the bus is busy, and whoever ends the transfer
 * hands it on to us.
 */
static void i2c_mctp_cxl_ask_for_bus(I2CMCTPCXL *s)
{
    MCTPTxPacket pkt;

    if (!mctp_cxl_peek(&s->cxl, i2c_mctp_cxl_now_ns(), &pkt)) {
        /* its time was up, or it is to be tried again later */
        i2c_mctp_cxl_withdraw_from_bus(s);
        i2c_mctp_cxl_ask_when_due(s);
        return;
    }
    if (!s->queued && !i2c_bus_is_master(i2c_mctp_cxl_bus_of(s), s->master)) {
        i2c_bus_master(i2c_mctp_cxl_bus_of(s), s->master);
        s->queued = true;
    }
    i2c_schedule_pending_master(i2c_mctp_cxl_bus_of(s));
    timer_mod(s->timer, i2c_mctp_cxl_now_ns() + BUS_POLL_NS);
}

static void i2c_mctp_cxl_timer_fired(void *opaque)
{
    i2c_mctp_cxl_ask_for_bus(opaque);
}

/* False if there is nothing to send now, or nobody any more */
static bool i2c_mctp_cxl_send_packet(I2CMCTPCXL *s, I2CBus *bus)
{
    uint8_t frame[MCTP_I2C_FRAME_MAX];
    MCTPTxPacket pkt;
    size_t len, ours;
    bool taken;

    if (!mctp_cxl_peek(&s->cxl, i2c_mctp_cxl_now_ns(), &pkt)) {
        return false;
    }
    len = mctp_i2c_encode(pkt.link, s->parent_obj.address, pkt.data, pkt.len,
                          frame);
    ours = s->cxl.faults ?
           cxl_fault_wire(s->cxl.faults, CXL_FAULT_FRAME, frame, len) : len;
    taken = i2c_mctp_cxl_write_frame(bus, frame, len, ours);
    trace_i2c_mctp_cxl_sent(s->parent_obj.address, pkt.link, len, taken);
    if (!s->cxl.ep) {
        return false;
    }
    mctp_cxl_sent(&s->cxl, pkt.id, taken, i2c_mctp_cxl_now_ns());
    return true;
}

/*
 * The bus is ours: one packet, then others have their turn, and the next one
 * when nobody waits. The write is synchronous, so no state is left between
 * two main loop events. A refused packet stays the next one; a cut off one
 * is repeated from its first byte.
 */
static void i2c_mctp_cxl_bus_granted(void *opaque)
{
    I2CMCTPCXL *s = opaque;
    I2CBus *bus = i2c_mctp_cxl_bus_of(s);
    bool more = true;

    s->queued = false;
    if (i2c_bus_in_transfer(bus)) {
        /* a master that does not look whether the bus is taken was faster */
        i2c_bus_release(bus);
        timer_mod(s->timer, i2c_mctp_cxl_now_ns() + BUS_POLL_NS);
        return;
    }
    object_ref(OBJECT(s));
    object_ref(OBJECT(bus));
    while (more) {
        more = i2c_mctp_cxl_send_packet(s, bus) && !i2c_bus_has_waiting(bus);
    }
    if (i2c_bus_is_master(bus, s->master)) {
        i2c_bus_release(bus);
    }
    if (s->cxl.ep) {
        i2c_mctp_cxl_ask_for_bus(s);
    }
    object_unref(OBJECT(bus));
    object_unref(OBJECT(s));
}

/* -- receiving ---------------------------------------------------------- */

static void i2c_mctp_cxl_frame_complete(I2CMCTPCXL *s)
{
    static const char *const errors[MCTP_I2C__COUNT] = {
        [MCTP_I2C_NOT_MCTP] = "no MCTP", [MCTP_I2C_BAD_LENGTH] = "length",
        [MCTP_I2C_BAD_PEC] = "PEC", [MCTP_I2C_BAD_SOURCE] = "source address",
    };
    MCTPI2CError error = MCTP_I2C_BAD_LENGTH;
    MCTPI2CFrame f;

    if (!s->receiving) {
        return;
    }
    s->receiving = false;
    if (!s->overlong) {
        error = mctp_i2c_decode(s->frame, s->frame_len, &f);
    }
    if (error != MCTP_I2C_OK) {
        trace_i2c_mctp_cxl_bad_frame(s->parent_obj.address, s->frame_len,
                                     errors[error]);
        return;
    }
    trace_i2c_mctp_cxl_received(s->parent_obj.address, f.source, f.len);
    mctp_endpoint_receive(s->cxl.ep, f.packet, f.len, f.source,
                          i2c_mctp_cxl_now_ns());
}

/* Whatever we are doing ourselves, our address is always acknowledged */
static void i2c_mctp_cxl_frame_begin(I2CMCTPCXL *s)
{
    /* a repeated START ends a write as well as a STOP does */
    i2c_mctp_cxl_frame_complete(s);
    s->receiving = true;
    s->overlong = false;
    s->frame[0] = s->parent_obj.address << 1;
    s->frame_len = 1;
}

static int i2c_mctp_cxl_event(I2CSlave *i2c, enum i2c_event event)
{
    I2CMCTPCXL *s = I2C_MCTP_CXL(i2c);

    switch (event) {
    case I2C_START_SEND:
        i2c_mctp_cxl_frame_begin(s);
        return 0;
    case I2C_START_SEND_ASYNC:
        i2c_mctp_cxl_frame_begin(s);
        i2c_ack(i2c_mctp_cxl_bus_of(s));
        return 0;
    case I2C_FINISH:
        /* also comes after a read that was refused, then nothing is open */
        i2c_mctp_cxl_frame_complete(s);
        return 0;
    case I2C_NACK:
        return 0;
    case I2C_START_RECV:
    default:
        /* the binding has no reads */
        return -1;
    }
}

static int i2c_mctp_cxl_send(I2CSlave *i2c, uint8_t byte)
{
    I2CMCTPCXL *s = I2C_MCTP_CXL(i2c);

    /* too long a write is acknowledged to its end too, and thrown away */
    if (s->frame_len == sizeof(s->frame)) {
        s->overlong = true;
    } else {
        s->frame[s->frame_len++] = byte;
    }
    return 0;
}

static void i2c_mctp_cxl_send_async(I2CSlave *i2c, uint8_t byte)
{
    i2c_mctp_cxl_send(i2c, byte);
    i2c_ack(i2c_mctp_cxl_bus_of(I2C_MCTP_CXL(i2c)));
}

/* -- device ------------------------------------------------------------- */

static void i2c_mctp_cxl_kick(void *opaque)
{
    if (runstate_is_running()) {
        i2c_mctp_cxl_ask_for_bus(opaque);
    } else {
        /* the timer rests with the machine */
        i2c_mctp_cxl_ask_when_due(opaque);
    }
}

static bool i2c_mctp_cxl_check_properties(I2CMCTPCXL *s, Error **errp)
{
    uint8_t address = s->parent_obj.address;
    g_autofree char *id = cxl_echo(DEVICE(s)->id ?: "(no id)");
    BusChild *kid;

    if (address < ADDRESS_FIRST || address > ADDRESS_LAST) {
        error_setg(errp, "property 'address' is 0x%02x: give one from 0x%02x "
                   "to 0x%02x", address, ADDRESS_FIRST, ADDRESS_LAST);
        return false;
    }
    QTAILQ_FOREACH(kid, &i2c_mctp_cxl_bus_of(s)->qbus.children, sibling) {
        g_autofree char *other_id = cxl_echo(kid->child->id ?: "(no id)");
        const I2CMCTPCXL *other;

        if (kid->child == DEVICE(s) || !kid->child->realized ||
            !object_dynamic_cast(OBJECT(kid->child), TYPE_I2C_MCTP_CXL)) {
            continue;
        }
        other = I2C_MCTP_CXL(kid->child);
        if (other->parent_obj.address == address) {
            error_setg(errp, "property 'address' of '%s' is 0x%02x, which "
                       "'%s' on the same bus has: give another one", id,
                       address, other_id);
            return false;
        }
        /* one bus is one MCTP network */
        if (s->cxl.eid && other->cxl.eid == s->cxl.eid) {
            error_setg(errp, "property 'eid' of '%s' is %u, which '%s' on the "
                       "same bus has: give another one, or 0 for none", id,
                       s->cxl.eid, other_id);
            return false;
        }
    }
    return true;
}

static void i2c_mctp_cxl_realize(DeviceState *dev, Error **errp)
{
    I2CMCTPCXL *s = I2C_MCTP_CXL(dev);

    if (!i2c_mctp_cxl_check_properties(s, errp) ||
        !mctp_cxl_component_open(&s->cxl, dev, i2c_mctp_cxl_kick, MCTP_UNIT_MAX,
                                 errp)) {
        return;
    }
    s->timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, i2c_mctp_cxl_timer_fired, s);
    s->master = qemu_bh_new_guarded(i2c_mctp_cxl_bus_granted, s,
                                    &dev->mem_reentrancy_guard);
}

static void i2c_mctp_cxl_unrealize(DeviceState *dev)
{
    I2CMCTPCXL *s = I2C_MCTP_CXL(dev);

    i2c_mctp_cxl_withdraw_from_bus(s);
    /* the guest may be in the middle of a write to us */
    i2c_bus_forget_slave(i2c_mctp_cxl_bus_of(s), &s->parent_obj);
    timer_free(s->timer);
    qemu_bh_delete(s->master);
    mctp_cxl_component_close(&s->cxl);
}

static void i2c_mctp_cxl_reset_hold(Object *obj, ResetType type)
{
    I2CMCTPCXL *s = I2C_MCTP_CXL(obj);

    i2c_mctp_cxl_withdraw_from_bus(s);
    timer_del(s->timer);
    mctp_cxl_component_reset(&s->cxl);
    s->receiving = false;
    s->overlong = false;
    s->frame_len = 0;
}

/* -- migration ---------------------------------------------------------- */

static int i2c_mctp_cxl_post_load(void *opaque, int version_id)
{
    I2CMCTPCXL *s = opaque;

    if (s->frame_len > sizeof(s->frame) ||
        (s->receiving && s->frame_len == 0)) {
        s->receiving = false;
        s->frame_len = 0;
        return -EINVAL;
    }
    i2c_bus_rejoin(I2C_SLAVE(s));
    /* a place in the bus's queue is not migrated: ask for the bus anew */
    i2c_mctp_cxl_withdraw_from_bus(s);
    i2c_mctp_cxl_ask_when_due(s);
    return 0;
}

static void i2c_mctp_cxl_give_up(void *opaque)
{
    I2CMCTPCXL *s = opaque;

    mctp_cxl_component_give_up(&s->cxl);
    i2c_mctp_cxl_reset_hold(OBJECT(s), RESET_TYPE_COLD);
}

static const VMStateDescription vmstate_state = {
    .name = "i2c_mctp_cxl-state",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = i2c_mctp_cxl_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8_ARRAY(frame, I2CMCTPCXL, MCTP_I2C_FRAME_MAX),
        VMSTATE_UINT16(frame_len, I2CMCTPCXL),
        VMSTATE_BOOL(receiving, I2CMCTPCXL),
        VMSTATE_BOOL(overlong, I2CMCTPCXL),
        VMSTATE_STRUCT(cxl, I2CMCTPCXL, 1, vmstate_mctp_cxl_component,
                       MCTPCXLComponent),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateGuard i2c_mctp_cxl_guard = {
    VMSTATE_GUARD_INFO,
    .vmsd = &vmstate_state,
    .give_up = i2c_mctp_cxl_give_up,
};

static const VMStateDescription vmstate_i2c_mctp_cxl = {
    .name = TYPE_I2C_MCTP_CXL,
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        /* all that there is to an I2C slave */
        VMSTATE_SAME(parent_obj.address, I2CMCTPCXL, "address"),
        VMSTATE_SAME(cxl.eid, I2CMCTPCXL, "eid"),
        VMSTATE_SAME(cxl.unit, I2CMCTPCXL, "x-transmission-unit"),
        VMSTATE_GUARDED(i2c_mctp_cxl_guard, I2CMCTPCXL),
        VMSTATE_END_OF_LIST()
    },
};

static const Property i2c_mctp_cxl_props[] = {
    MCTP_CXL_PROP_TARGET(I2CMCTPCXL, cxl),
    MCTP_CXL_PROP_EID(I2CMCTPCXL, cxl),
    MCTP_CXL_PROP_UNIT(I2CMCTPCXL, cxl),
};

static void i2c_mctp_cxl_attach_faults(CXLFaultTarget *t, CXLFaults *faults)
{
    mctp_cxl_attach_faults(&I2C_MCTP_CXL(t)->cxl, faults);
}

static void i2c_mctp_cxl_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);
    I2CSlaveClass *sc = I2C_SLAVE_CLASS(klass);
    CXLFaultTargetClass *fc = CXL_FAULT_TARGET_CLASS(klass);

    fc->points = 1u << CXL_FAULT_ANSWER | 1u << CXL_FAULT_COMPLETION |
                 1u << CXL_FAULT_PACKET | 1u << CXL_FAULT_FRAME;
    fc->attach = i2c_mctp_cxl_attach_faults;

    sc->event = i2c_mctp_cxl_event;
    sc->send = i2c_mctp_cxl_send;
    sc->send_async = i2c_mctp_cxl_send_async;

    rc->phases.hold = i2c_mctp_cxl_reset_hold;
    dc->realize = i2c_mctp_cxl_realize;
    dc->unrealize = i2c_mctp_cxl_unrealize;
    dc->vmsd = &vmstate_i2c_mctp_cxl;
    dc->desc = "MCTP endpoint of a CXL component on I2C";
    device_class_set_props(dc, i2c_mctp_cxl_props);
    mctp_cxl_component_describe(klass);
}

static const TypeInfo i2c_mctp_cxl_type = {
    .name = TYPE_I2C_MCTP_CXL,
    .parent = TYPE_I2C_SLAVE,
    .instance_size = sizeof(I2CMCTPCXL),
    .class_init = i2c_mctp_cxl_class_init,
    .interfaces = (const InterfaceInfo[]) {
        { TYPE_CXL_FAULT_TARGET },
        { }
    },
};

static void i2c_mctp_cxl_register(void)
{
    type_register_static(&i2c_mctp_cxl_type);
}

type_init(i2c_mctp_cxl_register)
