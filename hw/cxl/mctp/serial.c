/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mctp-serial-cxl: a CXL component's MCTP endpoint at one end of a serial
 * line whose other end is outside: a socket, a pty, a pipe. So a Fabric
 * Manager need not run in the guest that uses the component.
 *
 * Reference: DMTF DSP0253 (MCTP serial binding); CXL r3.2 7.6.3, 9.20.
 */
#include "qemu/osdep.h"
#include "block/aio.h"
#include "chardev/char-fe.h"
#include "component.h"
#include "hw/mctp/mctp_serial_frame.h"
#include "hw/mctp/mctp_vmstate.h"
#include "hw/qdev-properties-system.h"
#include "migration/vmstate-checked.h"
#include "qapi/error.h"
#include "qemu/main-loop.h"
#include "qemu/module.h"
#include "qemu/timer.h"
#include "system/runstate.h"
#include "trace/trace-hw_cxl.h"

#define TYPE_MCTP_SERIAL_CXL "mctp-serial-cxl"
OBJECT_DECLARE_SIMPLE_TYPE(MCTPSerialCXL, MCTP_SERIAL_CXL)

/* A line has two ends, so there is nothing to tell peers apart by */
#define THE_PEER            0

/*
 * No frame that deserves an answer is shorter, with the flag before it taken
 * as the end of another: revision, length, header, type, FCS, flag.
 */
#define FRAME_MIN           (2 + MCTP_HEADER_BYTES + 1 + 2 + 1)

/*
 * Bytes in one write: 4 KiB of message, which is nearly every answer, when
 * no byte is escaped. These do not expire while a peer does not read, so
 * there are no more of them.
 */
#define OUT_BYTES           5120

/* Places in the transmit queue for what is not an answer */
#define TX_RESERVE          4

struct MCTPSerialCXL {
    DeviceState parent_obj;

    CharFrontend chr;
    MCTPCXLComponent cxl;
    MCTPSerialParser parser;

    /*
     * Frames on their way into the chardev: a message in one write, as each
     * write wakes the reader. They are sent as far as the machine goes, and
     * belong to the line: they are written to their end, over a reset or
     * loadvm too, since half a frame spoils the next one for some receivers.
     */
    uint8_t out[OUT_BYTES];
    size_t out_len;
    size_t out_pos;

    guint watch;                /* the chardev did not take all of it */
    QEMUBH *bh;                 /* something to send outside of a receive */
    VMChangeStateEntry *vmstate_handler;
    unsigned session;           /* counts connections */
    bool open;
};

static int64_t mctp_serial_now_ns(void)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

static const char *mctp_serial_name_of(const MCTPSerialCXL *s)
{
    return DEVICE(s)->id ?: "";
}

/* -- sending ------------------------------------------------------------ */

static void mctp_serial_pump(MCTPSerialCXL *s);

static void mctp_serial_stop_watch(MCTPSerialCXL *s)
{
    if (s->watch) {
        g_source_remove(s->watch);
        s->watch = 0;
    }
}

static gboolean mctp_serial_line_writable(void *do_not_use, GIOCondition cond,
                                          void *opaque)
{
    MCTPSerialCXL *s = opaque;

    s->watch = 0;
    mctp_serial_pump(s);
    return G_SOURCE_REMOVE;
}

/* What the line cannot take is lost, as are the messages behind it */
static void mctp_serial_give_up_output(MCTPSerialCXL *s)
{
    trace_mctp_serial_cxl_output_lost(mctp_serial_name_of(s), s->out_len -
                                      s->out_pos);
    s->out_len = s->out_pos = 0;
    mctp_txqueue_reset(mctp_endpoint_tx(s->cxl.ep));
}

/* Returns true if no byte of a frame is left to be written */
static bool mctp_serial_write_frames(MCTPSerialCXL *s)
{
    while (s->out_pos < s->out_len) {
        unsigned session = s->session;
        int n;

        if (s->watch) {
            return false;
        }
        n = qemu_chr_fe_write(&s->chr, s->out + s->out_pos,
                              s->out_len - s->out_pos);
        if (session != s->session || !s->open) {
            /* the write found out that the peer is gone */
            return false;
        }
        if (n > 0) {
            s->out_pos += n;
            continue;
        }
        if (n == 0 || errno == EAGAIN) {
            s->watch = qemu_chr_fe_add_watch(&s->chr, G_IO_OUT | G_IO_HUP,
                                             mctp_serial_line_writable, s);
        }
        if (!s->watch) {
            mctp_serial_give_up_output(s);
        }
        return false;
    }
    return true;
}

/* Frame what is queued, as much as there is room for */
static bool mctp_serial_fill_output(MCTPSerialCXL *s)
{
    const size_t room = MCTP_SERIAL_FRAME_MAX(MCTP_HEADER_BYTES +
                                              s->cxl.unit);
    int64_t now = mctp_serial_now_ns();
    MCTPTxPacket pkt;

    s->out_len = s->out_pos = 0;
    while (sizeof(s->out) - s->out_len >= room &&
           mctp_cxl_peek(&s->cxl, now, &pkt)) {
        size_t len = mctp_serial_encode(pkt.data, pkt.len,
                                        s->out + s->out_len);

        trace_mctp_serial_cxl_sending(mctp_serial_name_of(s), pkt.len, len);
        s->out_len += len;
        mctp_cxl_sent(&s->cxl, pkt.id, true, now);
    }
    return s->out_len;
}

/*
 * Send as much as the chardev takes. While the machine is stopped its state
 * stands still: only the bytes of frames begun go on.
 */
static void mctp_serial_pump(MCTPSerialCXL *s)
{
    bool progress = false;

    while (s->open && mctp_serial_write_frames(s) && runstate_is_running() &&
           mctp_serial_fill_output(s)) {
        progress = true;
    }
    if (progress) {
        /* there may be room for more requests now */
        qemu_chr_fe_accept_input(&s->chr);
    }
}

static void mctp_serial_pump_bh(void *opaque)
{
    mctp_serial_pump(opaque);
}

static void mctp_serial_kick(void *opaque)
{
    MCTPSerialCXL *s = opaque;

    qemu_bh_schedule(s->bh);
}

/* The answers are there already when a bottom half of their own would be */
static void mctp_serial_requests_ran(DeviceState *dev)
{
    MCTPSerialCXL *s = MCTP_SERIAL_CXL(dev);

    qemu_bh_cancel(s->bh);
    mctp_serial_pump(s);
}

/* -- receiving ---------------------------------------------------------- */

/*
 * So many bytes that every request in them finds a place for its answer. A
 * peer that does not read its answers is no longer listened to when all
 * places are taken; its chardev then makes it wait.
 */
static int mctp_serial_line_can_receive(void *opaque)
{
    MCTPSerialCXL *s = opaque;
    unsigned room = mctp_txqueue_room(mctp_endpoint_tx(s->cxl.ep));
    unsigned taken = TX_RESERVE + s->cxl.cxl.num_waiting;

    if (!runstate_is_running() || room <= taken) {
        return 0;
    }
    /* one frame may lack no more than its last byte */
    return 1 + (room - taken - 1) * FRAME_MIN;
}

/* Sends nothing: what is answered at once leaves from a bottom half too */
static void mctp_serial_line_receive(void *opaque, const uint8_t *buf, int size)
{
    static const char *const events[MCTP_SERIAL__COUNT] = {
        [MCTP_SERIAL_NOISE] = "noise", [MCTP_SERIAL_BAD_HEADER] = "header",
        [MCTP_SERIAL_ABORTED] = "flag in a frame",
        [MCTP_SERIAL_BAD_FCS] = "FCS", [MCTP_SERIAL_NO_END] = "no flag",
    };
    MCTPSerialCXL *s = opaque;
    const uint8_t *end = buf + size;
    MCTPSerialEvent event;

    while (buf < end) {
        buf += mctp_serial_scan(&s->parser, buf, end - buf, &event);
        if (event == MCTP_SERIAL_PACKET) {
            trace_mctp_serial_cxl_received(mctp_serial_name_of(s),
                                           s->parser.len);
            mctp_endpoint_receive(s->cxl.ep, s->parser.packet, s->parser.len,
                                  THE_PEER, mctp_serial_now_ns());
        } else if (event != MCTP_SERIAL_MORE) {
            trace_mctp_serial_cxl_bad_frame(mctp_serial_name_of(s),
                                            events[event]);
        }
    }
}

/*
 * A new peer has nothing to do with the old one's messages. The endpoint ID
 * stays: a line that is plugged again reaches the same endpoint.
 */
static void mctp_serial_line_changed(MCTPSerialCXL *s, bool open)
{
    trace_mctp_serial_cxl_line(mctp_serial_name_of(s), open);
    s->session++;
    s->open = open;
    mctp_serial_stop_watch(s);
    s->out_len = s->out_pos = 0;
    mctp_serial_reset(&s->parser);
    mctp_endpoint_flush(s->cxl.ep);
}

/* May be called from inside a write */
static void mctp_serial_line_event(void *opaque, QEMUChrEvent event)
{
    MCTPSerialCXL *s = opaque;

    switch (event) {
    case CHR_EVENT_OPENED:
        mctp_serial_line_changed(s, true);
        break;
    case CHR_EVENT_CLOSED:
        mctp_serial_line_changed(s, false);
        break;
    case CHR_EVENT_BREAK:
        mctp_serial_reset(&s->parser);
        break;
    case CHR_EVENT_MUX_IN:
    case CHR_EVENT_MUX_OUT:
        break;
    }
}

/* -- device ------------------------------------------------------------- */

static void mctp_serial_vm_state_changed(void *opaque, bool running,
                                         RunState state)
{
    MCTPSerialCXL *s = opaque;

    if (running) {
        qemu_bh_schedule(s->bh);
        qemu_chr_fe_accept_input(&s->chr);
    }
}

static void mctp_serial_cxl_realize(DeviceState *dev, Error **errp)
{
    MCTPSerialCXL *s = MCTP_SERIAL_CXL(dev);

    if (!qemu_chr_fe_backend_connected(&s->chr)) {
        error_setg(errp, "property 'chardev' is not set: give the id of a "
                   "-chardev");
        return;
    }
    s->cxl.ran = mctp_serial_requests_ran;
    if (!mctp_cxl_component_open(&s->cxl, dev, mctp_serial_kick,
                                 MCTP_SERIAL_UNIT_MAX, errp)) {
        return;
    }
    s->bh = qemu_bh_new_guarded(mctp_serial_pump_bh, s,
                                &dev->mem_reentrancy_guard);
    s->vmstate_handler = qemu_add_vm_change_state_handler(
        mctp_serial_vm_state_changed, s);
    qemu_chr_fe_set_handlers(&s->chr, mctp_serial_line_can_receive,
                             mctp_serial_line_receive, mctp_serial_line_event,
                             NULL, s, NULL, true);
}

static void mctp_serial_cxl_unrealize(DeviceState *dev)
{
    MCTPSerialCXL *s = MCTP_SERIAL_CXL(dev);

    mctp_serial_stop_watch(s);
    qemu_chr_fe_deinit(&s->chr, false);
    qemu_del_vm_change_state_handler(s->vmstate_handler);
    qemu_bh_delete(s->bh);
    mctp_cxl_component_close(&s->cxl);
}

static void mctp_serial_cxl_reset_hold(Object *obj, ResetType type)
{
    MCTPSerialCXL *s = MCTP_SERIAL_CXL(obj);

    mctp_cxl_component_reset(&s->cxl);
    mctp_serial_reset(&s->parser);
}

static int mctp_serial_cxl_post_load(void *opaque, int version_id)
{
    MCTPSerialCXL *s = opaque;

    qemu_bh_schedule(s->bh);
    return 0;
}

static void mctp_serial_cxl_give_up(void *opaque)
{
    MCTPSerialCXL *s = opaque;

    mctp_cxl_component_give_up(&s->cxl);
    mctp_serial_reset(&s->parser);
}

static const VMStateDescription vmstate_state = {
    .name = "mctp-serial-cxl-state",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = mctp_serial_cxl_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(parser, MCTPSerialCXL, 1, vmstate_mctp_serial_parser,
                       MCTPSerialParser),
        VMSTATE_STRUCT(cxl, MCTPSerialCXL, 1, vmstate_mctp_cxl_component,
                       MCTPCXLComponent),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateGuard mctp_serial_cxl_guard = {
    VMSTATE_GUARD_INFO,
    .vmsd = &vmstate_state,
    .give_up = mctp_serial_cxl_give_up,
};

static const VMStateDescription vmstate_mctp_serial_cxl = {
    .name = TYPE_MCTP_SERIAL_CXL,
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_SAME(cxl.eid, MCTPSerialCXL, "eid"),
        VMSTATE_SAME(cxl.unit, MCTPSerialCXL, "x-transmission-unit"),
        VMSTATE_GUARDED(mctp_serial_cxl_guard, MCTPSerialCXL),
        VMSTATE_END_OF_LIST()
    },
};

static const Property mctp_serial_cxl_props[] = {
    DEFINE_PROP_CHR("chardev", MCTPSerialCXL, chr),
    MCTP_CXL_PROP_TARGET(MCTPSerialCXL, cxl),
    MCTP_CXL_PROP_EID(MCTPSerialCXL, cxl),
    MCTP_CXL_PROP_UNIT(MCTPSerialCXL, cxl),
};

static void mctp_serial_attach_faults(CXLFaultTarget *t, CXLFaults *faults)
{
    mctp_cxl_attach_faults(&MCTP_SERIAL_CXL(t)->cxl, faults);
}

static void mctp_serial_cxl_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);
    CXLFaultTargetClass *fc = CXL_FAULT_TARGET_CLASS(klass);

    fc->points = 1u << CXL_FAULT_ANSWER | 1u << CXL_FAULT_COMPLETION |
                 1u << CXL_FAULT_PACKET;
    fc->attach = mctp_serial_attach_faults;
    rc->phases.hold = mctp_serial_cxl_reset_hold;
    dc->realize = mctp_serial_cxl_realize;
    dc->unrealize = mctp_serial_cxl_unrealize;
    dc->vmsd = &vmstate_mctp_serial_cxl;
    dc->bus_type = TYPE_MCTP_LINK_BUS;
    dc->desc = "MCTP endpoint of a CXL component on a serial line";
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    device_class_set_props(dc, mctp_serial_cxl_props);
    object_class_property_set_description(
        klass, "chardev", "id of the character device that is the line");
    mctp_cxl_component_describe(klass);
}

static const TypeInfo mctp_serial_cxl_type = {
    .name = TYPE_MCTP_SERIAL_CXL,
    .parent = TYPE_DEVICE,
    .instance_size = sizeof(MCTPSerialCXL),
    .class_init = mctp_serial_cxl_class_init,
    .interfaces = (const InterfaceInfo[]) {
        { TYPE_CXL_FAULT_TARGET },
        { }
    },
};

static void mctp_serial_cxl_register(void)
{
    type_register_static(&mctp_serial_cxl_type);
}

type_init(mctp_serial_cxl_register)
