/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest's MCTP driver on usb-cxl-mctp: one transfer waits for packets, as
 * many packets as fit go into a transfer.
 * Reference: DMTF DSP0283; Linux's mctp-usb.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "mctp-usb-line.h"
#include "hw/mctp/mctp_usb_frame.h"

#define XHCI_PCI_SLOT   4
#define MAX_TRANSFER    (4 * 1024 * 1024)

typedef struct UsbLine {
    Line line;
    XhciDevice *d;
    uint64_t out;
    uint64_t in;
    size_t in_len;
    /* packets that were read and that nobody has asked for yet */
    GQueue *packets;
} UsbLine;

static Xhci *controller;
/* Of each port, for what is written to the device there */
static uint64_t out[XHCI_PORTS];

static struct {
    Xhci controller;
    XhciDevice device;
    UsbLine line;
} kept;

static char *usb_args(unsigned n, const char *target)
{
    return g_strdup_printf(
        "-device usb-cxl-mctp,id=link%u,bus=xhci.0,port=%u,target=%s,eid=%u ",
        n, n + 1, target, LINE_EID(n));
}

static void usb_stop(void)
{
    g_clear_pointer(&controller, xhci_free);
}

void usb_start_at(QTestState *qts, QPCIBus *pci, int bdf)
{
    usb_stop();
    controller = xhci_start(qts, pci, bdf);
    memset(out, 0, sizeof(out));
}

static void usb_start(DwI2c *t)
{
    usb_start_at(t->qts, t->pci, QPCI_DEVFN(XHCI_PCI_SLOT, 0));
}

static void usb_moved(DwI2c *t)
{
    xhci_move(controller, t->qts, t->pci, QPCI_DEVFN(XHCI_PCI_SLOT, 0));
}

static UsbLine *usb_of(Line *l)
{
    g_assert_true(l->kind == &line_usb);
    return container_of(l, UsbLine, line);
}

static bool usb_nothing_to_read(Line *l)
{
    return g_queue_is_empty(controller->done) &&
           g_queue_is_empty(usb_of(l)->packets);
}

void usb_keep(Line *l)
{
    g_assert_true(usb_nothing_to_read(l));
    kept.controller = *controller;
    kept.device = *usb_of(l)->d;
    kept.line = *usb_of(l);
}

void usb_restore(Line *l)
{
    g_assert_true(usb_nothing_to_read(l));
    *controller = kept.controller;
    *usb_of(l) = kept.line;
    *usb_of(l)->d = kept.device;
}

XhciDevice *usb_device(Line *l)
{
    return usb_of(l)->d;
}

uint64_t usb_post(Line *l, size_t len)
{
    UsbLine *u = usb_of(l);

    u->in = xhci_alloc(controller, MAX(len, 1));
    u->in_len = len;
    xhci_queue(u->d, XHCI_IN, u->in, len);
    return u->in;
}

static Line *usb_open(unsigned n)
{
    UsbLine *u = g_new0(UsbLine, 1);

    u->line.kind = &line_usb;
    u->line.eid = LINE_EID(n);
    u->packets = g_queue_new();
    u->d = xhci_connect(controller, n);
    xhci_enable_bulk(u->d, 1);
    xhci_configure(u->d, 1);
    if (!out[n]) {
        out[n] = xhci_alloc(controller, MAX_TRANSFER);
    }
    u->out = out[n];
    usb_post(&u->line, MCTP_USB_TRANSFER_MAX);
    return &u->line;
}

/* The controller may be gone already, and the machine with it */
static void usb_close(Line *l)
{
    UsbLine *u = usb_of(l);

    g_queue_free_full(u->packets, (GDestroyNotify)g_byte_array_unref);
    g_free(u->d);
    g_free(u);
}

uint64_t usb_queue(Line *l, const void *data, size_t len)
{
    UsbLine *u = usb_of(l);

    g_assert_cmpuint(len, <=, MAX_TRANSFER);
    if (data && len) {
        qtest_memwrite(controller->qts, u->out, data, len);
    }
    return xhci_queue(u->d, XHCI_OUT, u->out, len);
}

void usb_write(Line *l, const void *data, size_t len)
{
    XhciDone done;

    usb_queue(l, data, len);
    done = xhci_wait(usb_device(l), XHCI_OUT);
    g_assert_cmpuint(done.code, ==, XHCI_SUCCESS);
    g_assert_cmpuint(done.left, ==, 0);
}

static void usb_send(Line *l, const GPtrArray *packets)
{
    uint8_t transfer[MCTP_USB_TRANSFER_MAX];
    size_t at = 0;

    for (unsigned i = 0; i < packets->len; i++) {
        const GByteArray *packet = g_ptr_array_index(packets, i);
        size_t n = mctp_usb_encode(packet->data, packet->len, transfer + at,
                                   sizeof(transfer) - at);

        if (n == 0) {
            usb_write(l, transfer, at);
            at = 0;
            n = mctp_usb_encode(packet->data, packet->len, transfer,
                                sizeof(transfer));
            g_assert_cmpuint(n, >, 0);
        }
        at += n;
    }
    usb_write(l, transfer, at);
}

GByteArray *usb_read(Line *l)
{
    UsbLine *u = usb_of(l);
    GByteArray *bytes = g_byte_array_new();
    XhciDone done = xhci_wait(u->d, XHCI_IN);

    g_assert_true(done.code == XHCI_SHORT || done.code == XHCI_SUCCESS);
    g_byte_array_set_size(bytes, u->in_len - done.left);
    qtest_memread(controller->qts, u->in, bytes->data, bytes->len);
    usb_post(l, MCTP_USB_TRANSFER_MAX);
    return bytes;
}

/* Whole packets and nothing else make a transfer */
static GByteArray *usb_packet(Line *l)
{
    UsbLine *u = usb_of(l);

    if (g_queue_is_empty(u->packets)) {
        g_autoptr(GByteArray) bytes = usb_read(l);
        MCTPUSBFrame f;

        g_assert_cmpuint(bytes->len, >, 0);
        g_assert_cmpuint(bytes->len, <=, MCTP_USB_TRANSFER_MAX);
        for (size_t at = 0; at < bytes->len; at += f.taken) {
            g_assert_cmpint(mctp_usb_decode(bytes->data + at, bytes->len - at,
                                            &f), ==, MCTP_USB_PACKET);
            g_assert_cmphex(bytes->data[at + 2], ==, 0);
            g_queue_push_tail(u->packets,
                              g_byte_array_append(g_byte_array_new(),
                                                  f.packet, f.len));
        }
    }
    return g_queue_pop_head(u->packets);
}

const LineKind line_usb = {
    .name = "usb",
    .machine = "-device qemu-xhci,id=xhci,bus=pcie.0,addr=04.0,p2=8,p3=8 ",
    .args = usb_args,
    .start = usb_start,
    .stop = usb_stop,
    .moved = usb_moved,
    .open = usb_open,
    .close = usb_close,
    .send = usb_send,
    .packet = usb_packet,
};
