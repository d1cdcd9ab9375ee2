/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Synopsys DesignWare I2C controller, target side: store and forward.
 *
 * A driver that is master and target on one controller switches the mode for
 * each transfer and is deaf meanwhile.  So a write from another master is
 * stored as a whole, and put into the RX FIFO when the driver listens:
 * - a settle time after target mode was enabled: the driver may have more to
 *   set up, and Linux 7.3 has;
 * - from the first byte again, if the controller was disabled before the
 *   STOP condition of the packet was taken.
 * STOP_DET is raised after the data was read: with both in one interrupt Linux
 * handles them in the wrong order.  What it needs beyond that is in
 * dw_i2c_linux.c.
 */
#include "qemu/osdep.h"
#include "dw_i2c_internal.h"
#include "hw/qdev-properties.h"
#include "migration/vmstate.h"
#include "qapi/error.h"
#include "qemu/module.h"
#include "trace.h"

OBJECT_DECLARE_SIMPLE_TYPE(DWI2CPort, DW_I2C_TARGET)

struct DWI2CPort {
    I2CSlave parent_obj;

    DWI2CState *ctrl;
};

static bool (*match_by_address)(I2CSlave *, uint8_t, bool, I2CNodeList *);

bool dw_i2c_target_noticed(const DWI2CTargetSide *t)
{
    return t->seen || t->pos || t->stop_sent;
}

/* To be called before dw_i2c_target_noticed() becomes true. */
static void dw_i2c_target_note_progress(DWI2CTargetSide *t)
{
    if (!dw_i2c_target_noticed(t)) {
        t->busy_since = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    }
}

static DWI2CPacket *dw_i2c_target_head_packet(DWI2CTargetSide *t)
{
    return &t->slot[t->head];
}

/* Slot behind the queued packets; exists while the queue is not full. */
static DWI2CPacket *dw_i2c_target_open_packet(DWI2CTargetSide *t)
{
    return &t->slot[(t->head + t->count) % DW_I2C_QUEUE_LEN];
}

static void dw_i2c_target_drop_head(DWI2CTargetSide *t)
{
    t->head = (t->head + 1) % DW_I2C_QUEUE_LEN;
    t->count--;
}

void dw_i2c_target_withdraw(DWI2CTargetSide *t)
{
    t->presented = false;
    t->seen = false;
    t->stop_sent = false;
    t->stop_seen = false;
    t->overdue = false;
    t->polled = false;
    t->pos = 0;
}

unsigned dw_i2c_target_level(const DWI2CState *s)
{
    const DWI2CTargetSide *t = &s->target;

    return t->presented ? t->slot[t->head].len - t->pos : 0;
}

static bool dw_i2c_target_all_taken(const DWI2CState *s)
{
    return s->target.stop_sent && !(s->raw & INTR_STOP_DET) &&
           dw_i2c_target_level(s) == 0;
}

static bool dw_i2c_target_can_present(DWI2CState *s)
{
    DWI2CTargetSide *t = &s->target;

    if (t->presented || !t->count || !t->armed || !dw_i2c_is_listening(s)) {
        return false;
    }
    if (qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) < t->not_before) {
        timer_mod(s->present_timer, t->not_before);
        return false;
    }
    return true;
}

void dw_i2c_target_step(DWI2CState *s)
{
    DWI2CTargetSide *t = &s->target;

    if (t->presented && dw_i2c_target_all_taken(s)) {
        dw_i2c_target_drop_head(t);
        dw_i2c_target_withdraw(t);
        trace_dw_i2c_target_done(t->count);
    }
    if (dw_i2c_target_can_present(s)) {
        t->presented = true;
        trace_dw_i2c_target_present(dw_i2c_target_head_packet(t)->len);
    }
    /*
     * Not above the RX threshold means that RX_FULL is off, so both bits are
     * never on together.  Linux has threshold 0.
     */
    if (t->presented && !t->stop_sent && dw_i2c_target_level(s) <= s->rx_tl) {
        dw_i2c_target_note_progress(t);
        t->stop_sent = true;
        s->raw |= INTR_STOP_DET;
        trace_dw_i2c_target_stop(dw_i2c_target_level(s));
    }
}

uint32_t dw_i2c_target_pop(DWI2CState *s)
{
    DWI2CTargetSide *t = &s->target;
    uint32_t val = dw_i2c_target_head_packet(t)->data[t->pos];

    if (t->pos == 0) {
        val |= DATA_FIRST_BYTE;
    }
    dw_i2c_target_note_progress(t);
    t->pos++;
    t->handled = true;
    return val;
}

bool dw_i2c_target_active(const DWI2CState *s)
{
    return s->target.presented && !s->target.overdue;
}

void dw_i2c_target_shown(DWI2CState *s)
{
    DWI2CTargetSide *t = &s->target;

    if (t->presented) {
        dw_i2c_target_note_progress(t);
        t->seen = true;
    }
}

void dw_i2c_target_told(DWI2CState *s, uint32_t stat)
{
    DWI2CTargetSide *t = &s->target;

    if (t->presented && (stat & INTR_RX_FULL)) {
        dw_i2c_target_shown(s);
        t->handled = true;
    }
    if (t->presented && (stat & INTR_STOP_DET)) {
        t->stop_seen = true;
    }
}

void dw_i2c_target_enabled(DWI2CState *s)
{
    DWI2CTargetSide *t = &s->target;

    if (t->sar_written && !t->armed) {
        t->armed = true;
        trace_dw_i2c_target_armed(s->sar);
    }
    t->holdoffs = 0;
    t->doublings = 0;
    t->handled = false;
    /* The driver is about to start a lost transfer again: nothing between. */
    t->not_before = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
                    (t->retry ? DW_I2C_HOLDOFF_NS : DW_I2C_SETTLE_NS);
    t->retry = false;
    dw_i2c_target_step(s);
}

void dw_i2c_target_disabled(DWI2CState *s)
{
    DWI2CTargetSide *t = &s->target;

    timer_del(s->present_timer);
    t->holdoffs = 0;
    t->not_before = 0;
    if (!t->presented) {
        return;
    }
    if (t->stop_sent && (t->stop_seen || !(s->raw & INTR_STOP_DET))) {
        /* The guest took the STOP, what it left in the FIFO is its choice. */
        dw_i2c_target_drop_head(t);
        trace_dw_i2c_target_done(t->count);
    } else {
        trace_dw_i2c_target_rewind(t->pos);
    }
    dw_i2c_target_withdraw(t);
}

static void dw_i2c_target_drop_all(DWI2CState *s)
{
    DWI2CTargetSide *t = &s->target;

    timer_del(s->present_timer);
    if (t->presented) {
        s->raw &= ~INTR_STOP_DET;
        dw_i2c_target_withdraw(t);
    }
    t->count = 0;
    t->receiving = false;
}

void dw_i2c_target_disarm(DWI2CState *s)
{
    DWI2CTargetSide *t = &s->target;

    trace_dw_i2c_target_disarmed(t->count + t->receiving);
    dw_i2c_target_drop_all(s);
    t->armed = false;
}

void dw_i2c_target_set_address(DWI2CState *s, uint32_t sar)
{
    if (sar != s->sar) {
        dw_i2c_target_drop_all(s);
    }
    s->sar = sar;
    s->target.sar_written = true;
    i2c_slave_set_address(s->port, sar & 0x7f);
}

void dw_i2c_target_reset(DWI2CState *s)
{
    dw_i2c_target_drop_all(s);
    memset(&s->target, 0, sizeof(s->target));
    i2c_slave_set_address(s->port, s->sar & 0x7f);
}

static void dw_i2c_target_present_time(void *opaque)
{
    DWI2CState *s = opaque;

    dw_i2c_target_step(s);
    dw_i2c_update_irq(s);
}

/* The write has ended by STOP, or by a repeated START. */
static void dw_i2c_target_close_packet(DWI2CState *s)
{
    DWI2CTargetSide *t = &s->target;
    DWI2CPacket *p = dw_i2c_target_open_packet(t);

    if (!t->receiving) {
        return;
    }
    t->receiving = false;
    if (t->overlong) {
        trace_dw_i2c_target_discarded("too long");
        return;
    }
    if (!p->len) {
        trace_dw_i2c_target_discarded("no data");
        return;
    }
    t->count++;
    trace_dw_i2c_target_stored(p->len, t->count);
    dw_i2c_target_step(s);
    dw_i2c_update_irq_later(s);
}

static int dw_i2c_target_port_start_write(DWI2CState *s)
{
    DWI2CTargetSide *t = &s->target;

    dw_i2c_target_close_packet(s);
    if (!t->armed) {
        trace_dw_i2c_target_refused("not armed");
        return -1;
    }
    if (t->count == DW_I2C_QUEUE_LEN) {
        trace_dw_i2c_target_refused("queue full");
        return -1;
    }
    t->receiving = true;
    t->overlong = false;
    dw_i2c_target_open_packet(t)->len = 0;
    return 0;
}

static int dw_i2c_target_port_event(I2CSlave *port, enum i2c_event event)
{
    DWI2CState *s = DW_I2C_TARGET(port)->ctrl;

    switch (event) {
    case I2C_START_SEND:
        return dw_i2c_target_port_start_write(s);
    case I2C_START_SEND_ASYNC:
        if (dw_i2c_target_port_start_write(s)) {
            return -1;
        }
        i2c_ack(s->bus);
        return 0;
    case I2C_FINISH:
        /* Also comes after a refused START, then nothing is open. */
        dw_i2c_target_close_packet(s);
        return 0;
    case I2C_NACK:
        return 0;
    case I2C_START_RECV:
    default:
        /* Reads would need the guest to stretch the clock. */
        trace_dw_i2c_target_refused("read");
        return -1;
    }
}

static int dw_i2c_target_port_send(I2CSlave *port, uint8_t byte)
{
    DWI2CTargetSide *t = &DW_I2C_TARGET(port)->ctrl->target;
    DWI2CPacket *p = dw_i2c_target_open_packet(t);

    if (!t->receiving) {
        return -1;
    }
    if (t->overlong || p->len == DW_I2C_PACKET_MAX) {
        t->overlong = true;
        return -1;
    }
    p->data[p->len++] = byte;
    return 0;
}

static void dw_i2c_target_port_send_async(I2CSlave *port, uint8_t byte)
{
    /* There is no NACK for these: acknowledge, and discard at the end. */
    dw_i2c_target_port_send(port, byte);
    i2c_ack(DW_I2C_TARGET(port)->ctrl->bus);
}

static bool dw_i2c_target_port_match(I2CSlave *port, uint8_t address,
                                     bool broadcast, I2CNodeList *devs)
{
    DWI2CState *s = DW_I2C_TARGET(port)->ctrl;

    /* No general call, and the controller does not answer itself. */
    if (broadcast || !s->target.armed || s->sar != address ||
        s->master.open || s->master.starting) {
        return false;
    }
    return match_by_address(port, address, false, devs);
}

static const VMStateDescription vmstate_dw_i2c_packet = {
    .name = "dw-i2c-packet",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT16(len, DWI2CPacket),
        VMSTATE_UINT8_ARRAY(data, DWI2CPacket, DW_I2C_PACKET_MAX),
        VMSTATE_END_OF_LIST()
    }
};

const VMStateDescription vmstate_dw_i2c_target_side = {
    .name = "dw-i2c-target-side",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT_ARRAY(slot, DWI2CTargetSide, DW_I2C_QUEUE_LEN, 1,
                             vmstate_dw_i2c_packet, DWI2CPacket),
        VMSTATE_UINT8(head, DWI2CTargetSide),
        VMSTATE_UINT8(count, DWI2CTargetSide),
        VMSTATE_BOOL(receiving, DWI2CTargetSide),
        VMSTATE_BOOL(overlong, DWI2CTargetSide),
        VMSTATE_BOOL(sar_written, DWI2CTargetSide),
        VMSTATE_BOOL(armed, DWI2CTargetSide),
        VMSTATE_BOOL(presented, DWI2CTargetSide),
        VMSTATE_BOOL(seen, DWI2CTargetSide),
        VMSTATE_BOOL(stop_sent, DWI2CTargetSide),
        VMSTATE_UINT16(pos, DWI2CTargetSide),
        VMSTATE_UINT8(holdoffs, DWI2CTargetSide),
        VMSTATE_UINT8(doublings, DWI2CTargetSide),
        VMSTATE_INT64(not_before, DWI2CTargetSide),
        VMSTATE_BOOL(handled, DWI2CTargetSide),
        VMSTATE_BOOL(stop_seen, DWI2CTargetSide),
        VMSTATE_BOOL(overdue, DWI2CTargetSide),
        VMSTATE_BOOL(polled, DWI2CTargetSide),
        VMSTATE_INT64(busy_since, DWI2CTargetSide),
        VMSTATE_INT64(polled_at, DWI2CTargetSide),
        VMSTATE_BOOL(retry, DWI2CTargetSide),
        VMSTATE_END_OF_LIST()
    }
};

int dw_i2c_target_post_load(DWI2CState *s)
{
    DWI2CTargetSide *t = &s->target;
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    bool listening = dw_i2c_is_listening(s) && t->armed;
    int i;

    if (t->head >= DW_I2C_QUEUE_LEN ||
        t->count + t->receiving > DW_I2C_QUEUE_LEN ||
        (!t->armed && (t->count || t->receiving))) {
        trace_dw_i2c_bad_stream("packet queue");
        return -EINVAL;
    }
    for (i = 0; i < t->count + t->receiving; i++) {
        DWI2CPacket *p = &t->slot[(t->head + i) % DW_I2C_QUEUE_LEN];

        if (p->len > DW_I2C_PACKET_MAX || (i < t->count && !p->len)) {
            trace_dw_i2c_bad_stream("packet length");
            return -EINVAL;
        }
    }
    if (t->presented) {
        if (!t->count || !listening ||
            t->pos > dw_i2c_target_head_packet(t)->len) {
            trace_dw_i2c_bad_stream("presented packet");
            return -EINVAL;
        }
    } else {
        dw_i2c_target_withdraw(t);
    }

    /* No delay is longer than this, whatever the stream says. */
    t->not_before = MIN(t->not_before, now + DW_I2C_HOLDOFF_NS);
    i2c_slave_set_address(s->port, s->sar & 0x7f);
    timer_del(s->present_timer);
    if (listening && t->count && !t->presented) {
        timer_mod(s->present_timer, MAX(t->not_before, now));
    }
    return 0;
}

bool dw_i2c_target_realize(DWI2CState *s, Error **errp)
{
    DWI2CPort *port;

    s->present_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL,
                                    dw_i2c_target_present_time, s);
    s->port = i2c_slave_new(TYPE_DW_I2C_TARGET, 0);
    port = DW_I2C_TARGET(s->port);
    port->ctrl = s;
    return i2c_slave_realize_and_unref(s->port, s->bus, errp);
}

void dw_i2c_target_finalize(DWI2CState *s)
{
    timer_free(s->present_timer);
}

static const VMStateDescription vmstate_dw_i2c_port = {
    .name = TYPE_DW_I2C_TARGET,
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_I2C_SLAVE(parent_obj, DWI2CPort),
        VMSTATE_END_OF_LIST()
    }
};

static void dw_i2c_port_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    I2CSlaveClass *sc = I2C_SLAVE_CLASS(klass);

    match_by_address = sc->match_and_add;
    sc->match_and_add = dw_i2c_target_port_match;
    sc->event = dw_i2c_target_port_event;
    sc->send = dw_i2c_target_port_send;
    sc->send_async = dw_i2c_target_port_send_async;

    dc->vmsd = &vmstate_dw_i2c_port;
    dc->desc = "DesignWare I2C controller as seen by other masters";
    /* Part of the controller; the bus lets nobody unplug it alone. */
    dc->user_creatable = false;
}

static const TypeInfo dw_i2c_port_type = {
    .name = TYPE_DW_I2C_TARGET,
    .parent = TYPE_I2C_SLAVE,
    .instance_size = sizeof(DWI2CPort),
    .class_init = dw_i2c_port_class_init,
};

static void dw_i2c_port_register(void)
{
    type_register_static(&dw_i2c_port_type);
}

type_init(dw_i2c_port_register)
