/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usb-cxl-mctp: a CXL component's MCTP endpoint as a USB device, for a Fabric
 * Manager in the guest. It has one interface with a pair of bulk endpoints;
 * the guest writes requests and reads answers in transfers of whole packets.
 *
 * What the guest's controller hands over is taken or answered at once, or
 * refused (NAK), which makes the controller come again: no packet of the USB
 * layer is kept.
 *
 * Reference: DMTF DSP0283 1.0 (MCTP USB binding); USB 2.0 9; CXL r3.2 7.6.3.
 */
#include "qemu/osdep.h"
#include "component.h"
#include "hw/mctp/mctp_usb_frame.h"
#include "hw/usb.h"
#include "hw/usb/desc.h"
#include "migration/vmstate-checked.h"
#include "qapi/error.h"
#include "qemu/module.h"
#include "qemu/timer.h"
#include "system/runstate.h"
#include "trace/trace-hw_cxl.h"

#define TYPE_USB_CXL_MCTP "usb-cxl-mctp"
OBJECT_DECLARE_SIMPLE_TYPE(USBCXLMCTP, USB_CXL_MCTP)

/* A pair of endpoints has one host, so there is nothing to tell peers by */
#define THE_HOST            0

/* Places in the transmit queue for what is not an answer */
#define TX_RESERVE          4

#define BULK_ENDPOINT       1

#define VENDOR_QEMU         0x46f4
#define PRODUCT_MCTP        0x0006

#define CLASS_MCTP          0x14
#define SUBCLASS_ENDPOINT   0x00
#define PROTOCOL_MCTP_1     0x01

struct USBCXLMCTP {
    USBDevice parent_obj;

    MCTPCXLComponent cxl;
    USBEndpoint *in;
    USBEndpoint *out;

    /*
     * What the guest wrote in one transfer, as far as it counts. It is taken
     * apart at once unless there is no place for more answers; the guest's
     * next transfer waits until this one is done with.
     */
    uint8_t rx[MCTP_USB_TRANSFER_MAX];
    uint16_t rx_len;
    uint16_t rx_pos;
    int64_t rx_time;
    /*
     * A transfer of the guest waits. It is not migrated: controllers come by
     * themselves after that.
     */
    bool refused;

    /* The controller's turn: something to read, or a place to write to */
    DeviceDeferred readable;
    DeviceDeferred writable;
    VMChangeStateEntry *vmstate_handler;
};

/* -- descriptors -------------------------------------------------------- */

enum {
    STR_MANUFACTURER = 1,
    STR_PRODUCT,
    STR_SERIAL,
    STR_INTERFACE,
};

static const USBDescStrings usb_cxl_mctp_strings = {
    [STR_MANUFACTURER] = "QEMU",
    [STR_PRODUCT] = "CXL component, MCTP endpoint",
    [STR_SERIAL] = "cxl",
    [STR_INTERFACE] = "MCTP over USB",
};

static const USBDescIface usb_cxl_mctp_iface = {
    .bInterfaceNumber = 0,
    .bNumEndpoints = 2,
    .bInterfaceClass = CLASS_MCTP,
    .bInterfaceSubClass = SUBCLASS_ENDPOINT,
    .bInterfaceProtocol = PROTOCOL_MCTP_1,
    .iInterface = STR_INTERFACE,
    .eps = (USBDescEndpoint[]) {
        {
            .bEndpointAddress = USB_DIR_IN | BULK_ENDPOINT,
            .bmAttributes = USB_ENDPOINT_XFER_BULK,
            .wMaxPacketSize = MCTP_USB_TRANSFER_MAX,
        },
        {
            .bEndpointAddress = USB_DIR_OUT | BULK_ENDPOINT,
            .bmAttributes = USB_ENDPOINT_XFER_BULK,
            .wMaxPacketSize = MCTP_USB_TRANSFER_MAX,
        },
    },
};

static const USBDescDevice usb_cxl_mctp_high = {
    .bcdUSB = 0x0200,
    .bMaxPacketSize0 = 64,
    .bNumConfigurations = 1,
    .confs = (USBDescConfig[]) {
        {
            .bNumInterfaces = 1,
            .bConfigurationValue = 1,
            /* event notifications may wake a port that sleeps */
            .bmAttributes = USB_CFG_ATT_ONE | USB_CFG_ATT_WAKEUP,
            .bMaxPower = 50,
            .nif = 1,
            .ifs = &usb_cxl_mctp_iface,
        },
    },
};

/* The binding is defined for high speed alone */
static const USBDesc usb_cxl_mctp_desc = {
    .id = {
        .idVendor = VENDOR_QEMU,
        .idProduct = PRODUCT_MCTP,
        .bcdDevice = 0x0100,
        .iManufacturer = STR_MANUFACTURER,
        .iProduct = STR_PRODUCT,
        .iSerialNumber = STR_SERIAL,
    },
    .high = &usb_cxl_mctp_high,
    .str = usb_cxl_mctp_strings,
};

/* -- data --------------------------------------------------------------- */

static int64_t usb_cxl_mctp_now_ns(void)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

static const char *usb_cxl_mctp_name_of(const USBCXLMCTP *s)
{
    return DEVICE(s)->id ?: "";
}

/* Is there a place for the answer to one more request? */
static bool usb_cxl_mctp_has_room(USBCXLMCTP *s)
{
    return mctp_txqueue_room(mctp_endpoint_tx(s->cxl.ep)) >
           TX_RESERVE + s->cxl.cxl.num_waiting;
}

/* Take packets of the guest's transfer while there is room for answers */
static void usb_cxl_mctp_take_packets(USBCXLMCTP *s)
{
    static const char *const errors[MCTP_USB__COUNT] = {
        [MCTP_USB_SHORT] = "header", [MCTP_USB_BAD_ID] = "identifier",
        [MCTP_USB_BAD_LENGTH] = "length",
    };
    int64_t now = usb_cxl_mctp_now_ns();

    if (now - s->rx_time > MCTP_REPLY_LIMIT_NS) {
        /* nobody waits for answers to these any more */
        s->rx_pos = s->rx_len;
    }
    while (s->rx_pos < s->rx_len && usb_cxl_mctp_has_room(s)) {
        const uint8_t *data = s->rx + s->rx_pos;
        size_t left = s->rx_len - s->rx_pos;
        MCTPUSBFrame f;
        MCTPUSBVerdict verdict = mctp_usb_decode(data, left, &f);

        if (verdict != MCTP_USB_PACKET) {
            trace_usb_cxl_mctp_bad_transfer(usb_cxl_mctp_name_of(s), s->rx_len,
                                            left, errors[verdict]);
            s->rx_pos = s->rx_len;
            break;
        }
        s->rx_pos += f.taken;
        trace_usb_cxl_mctp_received(usb_cxl_mctp_name_of(s), f.len);
        mctp_endpoint_receive(s->cxl.ep, f.packet, f.len, THE_HOST, now);
    }
}

/* The same for a transfer that had to wait */
static void usb_cxl_mctp_take_on(USBCXLMCTP *s)
{
    if (s->rx_pos < s->rx_len) {
        usb_cxl_mctp_take_packets(s);
        if (s->rx_pos == s->rx_len) {
            device_deferred_raise(&s->writable);
        }
    }
}

/* A transfer of any length; what is beyond the longest legal one is ignored */
static void usb_cxl_mctp_write(USBCXLMCTP *s, USBPacket *p)
{
    size_t size = usb_packet_size(p);

    if (s->rx_pos < s->rx_len) {
        s->refused = true;
        p->status = USB_RET_NAK;
        return;
    }
    s->refused = false;
    s->rx_pos = 0;
    s->rx_len = MIN(size, sizeof(s->rx));
    s->rx_time = usb_cxl_mctp_now_ns();
    usb_packet_copy(p, s->rx, s->rx_len);
    p->actual_length = MIN(size, INT_MAX);
    usb_cxl_mctp_take_packets(s);
}

/*
 * As many packets as fit. A buffer that is too small for the first one is an
 * error of the guest, as it would be on a wire; it can come with a larger one.
 */
static void usb_cxl_mctp_read(USBCXLMCTP *s, USBPacket *p)
{
    uint8_t transfer[MCTP_USB_TRANSFER_MAX];
    size_t room = MIN(usb_packet_size(p), sizeof(transfer)), len = 0;
    int64_t now = usb_cxl_mctp_now_ns();
    MCTPTxPacket pkt;

    p->status = USB_RET_NAK;
    while (mctp_cxl_peek(&s->cxl, now, &pkt)) {
        size_t n = mctp_usb_encode(pkt.data, pkt.len, transfer + len,
                                   room - len);

        if (n == 0) {
            p->status = len ? USB_RET_SUCCESS : USB_RET_BABBLE;
            break;
        }
        p->status = USB_RET_SUCCESS;
        trace_usb_cxl_mctp_sending(usb_cxl_mctp_name_of(s), pkt.len, len);
        len += n;
        mctp_cxl_sent(&s->cxl, pkt.id, true, now);
    }
    if (len && s->cxl.faults) {
        len = cxl_fault_wire(s->cxl.faults, CXL_FAULT_TRANSFER, transfer, len);
    }
    usb_packet_copy(p, transfer, len);
    /* messages have left, or have become too old */
    usb_cxl_mctp_take_on(s);
}

static void usb_cxl_mctp_handle_data(USBDevice *dev, USBPacket *p)
{
    USBCXLMCTP *s = USB_CXL_MCTP(dev);

    if (p->ep == s->out) {
        usb_cxl_mctp_write(s, p);
    } else if (p->ep == s->in) {
        usb_cxl_mctp_read(s, p);
    } else {
        p->status = USB_RET_STALL;
    }
}

/*
 * usb_wakeup() lets the controller come with its transfers at once, and run
 * interrupts and whatever hangs on them. So nothing follows it, and nothing
 * but a bottom half calls it. While the machine is stopped its memory stands
 * still: the controller is called when it goes on. A port that sleeps is
 * resumed if the guest allows it, so there must be a reason.
 */
static void usb_cxl_mctp_is_readable(void *opaque)
{
    USBCXLMCTP *s = opaque;
    MCTPTxPacket pkt;

    if (runstate_is_running() &&
        mctp_cxl_peek(&s->cxl, usb_cxl_mctp_now_ns(), &pkt)) {
        usb_wakeup(s->in, 0);
    }
}

static void usb_cxl_mctp_is_writable(void *opaque)
{
    USBCXLMCTP *s = opaque;

    if (runstate_is_running() && s->refused) {
        usb_wakeup(s->out, 0);
    }
}

static void usb_cxl_mctp_kick(void *opaque)
{
    USBCXLMCTP *s = opaque;

    device_deferred_raise(&s->readable);
}

/* Called from a bottom half: the answers need not wait for another one */
static void usb_cxl_mctp_requests_ran(DeviceState *dev)
{
    USBCXLMCTP *s = USB_CXL_MCTP(dev);

    /* some may have had no answer */
    usb_cxl_mctp_take_on(s);
    device_deferred_cancel(&s->readable);
    usb_cxl_mctp_is_readable(s);
}

static void usb_cxl_mctp_vm_state_changed(void *opaque, bool running,
                                          RunState state)
{
    USBCXLMCTP *s = opaque;

    if (running) {
        device_deferred_raise(&s->readable);
        device_deferred_raise(&s->writable);
    }
}

/* -- control ------------------------------------------------------------ */

static void usb_cxl_mctp_drop_all(USBCXLMCTP *s)
{
    trace_usb_cxl_mctp_reset(usb_cxl_mctp_name_of(s));
    s->rx_len = s->rx_pos = 0;
    s->refused = false;
    mctp_cxl_component_reset(&s->cxl);
}

static void usb_cxl_mctp_handle_control(USBDevice *dev, USBPacket *p,
                                        int request, int value, int index,
                                        int length, uint8_t *data)
{
    USBCXLMCTP *s = USB_CXL_MCTP(dev);
    int ret = usb_desc_handle_control(dev, p, request, value, index, length,
                                      data);

    switch (request) {
    case DeviceOutRequest | USB_REQ_SET_CONFIGURATION:
    case InterfaceOutRequest | USB_REQ_SET_INTERFACE:
        if (ret >= 0) {
            usb_cxl_mctp_drop_all(s);
        }
        break;
    case EndpointOutRequest | USB_REQ_CLEAR_FEATURE:
        /* ENDPOINT_HALT; it was the controller that halted it */
        ret = value == 0 ? 0 : -1;
        break;
    }
    if (ret < 0) {
        p->status = USB_RET_STALL;
    }
}

/* The guest resets the port: before each enumeration, at least */
static void usb_cxl_mctp_handle_reset(USBDevice *dev)
{
    usb_cxl_mctp_drop_all(USB_CXL_MCTP(dev));
}

/* -- device ------------------------------------------------------------- */

static void usb_cxl_mctp_realize(USBDevice *dev, Error **errp)
{
    USBCXLMCTP *s = USB_CXL_MCTP(dev);

    s->cxl.ran = usb_cxl_mctp_requests_ran;
    if (!mctp_cxl_component_open(&s->cxl, DEVICE(dev), usb_cxl_mctp_kick,
                                 MCTP_USB_UNIT_MAX, errp)) {
        return;
    }
    usb_desc_create_serial(dev);
    usb_desc_init(dev);
    s->in = usb_ep_get(dev, USB_TOKEN_IN, BULK_ENDPOINT);
    s->out = usb_ep_get(dev, USB_TOKEN_OUT, BULK_ENDPOINT);
    device_deferred_init(&s->readable, OBJECT(dev), usb_cxl_mctp_is_readable,
                         s);
    device_deferred_init(&s->writable, OBJECT(dev), usb_cxl_mctp_is_writable,
                         s);
    s->vmstate_handler = qemu_add_vm_change_state_handler(
        usb_cxl_mctp_vm_state_changed, s);
}

static void usb_cxl_mctp_unrealize(USBDevice *dev)
{
    USBCXLMCTP *s = USB_CXL_MCTP(dev);

    qemu_del_vm_change_state_handler(s->vmstate_handler);
    device_deferred_cancel(&s->readable);
    device_deferred_cancel(&s->writable);
    mctp_cxl_component_close(&s->cxl);
}

static void usb_cxl_mctp_reset_hold(Object *obj, ResetType type)
{
    /* not every controller passes a reset of the machine on as one of ports */
    usb_cxl_mctp_drop_all(USB_CXL_MCTP(obj));
}

/* -- migration ---------------------------------------------------------- */

static int usb_cxl_mctp_post_load(void *opaque, int version_id)
{
    USBCXLMCTP *s = opaque;

    s->refused = false;
    if (s->rx_len > sizeof(s->rx) || s->rx_pos > s->rx_len) {
        s->rx_len = s->rx_pos = 0;
        return -EINVAL;
    }
    return 0;
}

static void usb_cxl_mctp_give_up(void *opaque)
{
    USBCXLMCTP *s = opaque;

    s->rx_len = s->rx_pos = 0;
    mctp_cxl_component_give_up(&s->cxl);
}

static const VMStateDescription vmstate_state = {
    .name = "usb-cxl-mctp-state",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = usb_cxl_mctp_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8_ARRAY(rx, USBCXLMCTP, MCTP_USB_TRANSFER_MAX),
        VMSTATE_UINT16(rx_len, USBCXLMCTP),
        VMSTATE_UINT16(rx_pos, USBCXLMCTP),
        VMSTATE_INT64(rx_time, USBCXLMCTP),
        VMSTATE_STRUCT(cxl, USBCXLMCTP, 1, vmstate_mctp_cxl_component,
                       MCTPCXLComponent),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateGuard usb_cxl_mctp_guard = {
    VMSTATE_GUARD_INFO,
    .vmsd = &vmstate_state,
    .give_up = usb_cxl_mctp_give_up,
};

static const VMStateDescription vmstate_usb_cxl_mctp = {
    .name = TYPE_USB_CXL_MCTP,
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_USB_DEVICE(parent_obj, USBCXLMCTP),
        VMSTATE_SAME(cxl.eid, USBCXLMCTP, "eid"),
        VMSTATE_SAME(cxl.unit, USBCXLMCTP, "x-transmission-unit"),
        VMSTATE_GUARDED(usb_cxl_mctp_guard, USBCXLMCTP),
        VMSTATE_END_OF_LIST()
    },
};

static const Property usb_cxl_mctp_props[] = {
    MCTP_CXL_PROP_TARGET(USBCXLMCTP, cxl),
    MCTP_CXL_PROP_EID(USBCXLMCTP, cxl),
    MCTP_CXL_PROP_UNIT(USBCXLMCTP, cxl),
};

static void usb_cxl_mctp_attach_faults(CXLFaultTarget *t, CXLFaults *faults)
{
    mctp_cxl_attach_faults(&USB_CXL_MCTP(t)->cxl, faults);
}

static void usb_cxl_mctp_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);
    USBDeviceClass *uc = USB_DEVICE_CLASS(klass);
    CXLFaultTargetClass *fc = CXL_FAULT_TARGET_CLASS(klass);

    fc->points = 1u << CXL_FAULT_ANSWER | 1u << CXL_FAULT_COMPLETION |
                 1u << CXL_FAULT_PACKET | 1u << CXL_FAULT_TRANSFER;
    fc->attach = usb_cxl_mctp_attach_faults;

    uc->product_desc = "CXL component, MCTP endpoint";
    uc->usb_desc = &usb_cxl_mctp_desc;
    uc->realize = usb_cxl_mctp_realize;
    uc->unrealize = usb_cxl_mctp_unrealize;
    /* takes the descriptors of the port's speed */
    uc->handle_attach = usb_desc_attach;
    uc->handle_reset = usb_cxl_mctp_handle_reset;
    uc->handle_control = usb_cxl_mctp_handle_control;
    uc->handle_data = usb_cxl_mctp_handle_data;

    rc->phases.hold = usb_cxl_mctp_reset_hold;
    dc->vmsd = &vmstate_usb_cxl_mctp;
    dc->desc = "MCTP endpoint of a CXL component on USB";
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    device_class_set_props(dc, usb_cxl_mctp_props);
    mctp_cxl_component_describe(klass);
}

static const TypeInfo usb_cxl_mctp_type = {
    .name = TYPE_USB_CXL_MCTP,
    .parent = TYPE_USB_DEVICE,
    .instance_size = sizeof(USBCXLMCTP),
    .class_init = usb_cxl_mctp_class_init,
    .interfaces = (const InterfaceInfo[]) {
        { TYPE_CXL_FAULT_TARGET },
        { }
    },
};

static void usb_cxl_mctp_register(void)
{
    type_register_static(&usb_cxl_mctp_type);
}

type_init(usb_cxl_mctp_register)
