/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An xHCI driver, as little of one as the tests need.
 * Reference: eXtensible Host Controller Interface 1.2, 4 and 6.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "xhci.h"

/* Nothing of a machine without a guest is in its memory */
#define MEMORY              (64 * 1024 * 1024)
#define PAGE                4096

#define TRB                 16
#define RING_TRBS           (PAGE / TRB)
#define TRB_LENGTH_MAX      65536

#define TRB_CYCLE           (1u << 0)
#define TRB_TOGGLE          (1u << 1)
#define TRB_CHAIN           (1u << 4)
#define TRB_ON_COMPLETION   (1u << 5)
#define TRB_IMMEDIATE       (1u << 6)
#define TRB_DIR_IN          (1u << 16)
#define TRB_TYPE(n)         ((uint32_t)(n) << 10)
#define TRB_ENDPOINT(n)     ((uint32_t)(n) << 16)
#define TRB_SLOT(n)         ((uint32_t)(n) << 24)

enum {
    NORMAL = 1, SETUP = 2, DATA = 3, STATUS = 4, LINK = 6,
    ENABLE_SLOT = 9, DISABLE_SLOT = 10, ADDRESS_DEVICE = 11,
    CONFIGURE_ENDPOINT = 12, RESET_ENDPOINT = 14, STOP_ENDPOINT = 15,
    SET_DEQUEUE = 16,
    TRANSFER_EVENT = 32, COMMAND_EVENT = 33,
};

/* Registers; where the parts begin is in the capability registers */
#define CAPLENGTH           0x00
#define DBOFF               0x14
#define RTSOFF              0x18
#define USBCMD              0x00
#define USBSTS              0x04
#define CRCR                0x18
#define DCBAAP              0x30
#define CONFIG              0x38
#define PORTSC(n)           (0x400 + 0x10 * (n))
#define ERSTSZ              0x28
#define ERSTBA              0x30
#define ERDP                0x38

#define CMD_RUN             0x1
#define CMD_RESET           0x2
#define STS_HALTED          0x1
#define PORT_RESET          0x10
#define PORT_POWER          0x200

#define SLOTS               8
#define SPEED_HIGH          3
/* Bytes of a context; slot and endpoints follow the input control context */
#define CONTEXT             32

/* Each look passes the main loop, and takes no time of the machine */
#define LOOKS               2000

static unsigned oper(Xhci *x)
{
    return qpci_io_readb(x->dev, x->bar, CAPLENGTH);
}

static uint32_t rd(Xhci *x, unsigned reg)
{
    return qpci_io_readl(x->dev, x->bar, oper(x) + reg);
}

static void wr(Xhci *x, unsigned reg, uint32_t value)
{
    qpci_io_writel(x->dev, x->bar, oper(x) + reg, value);
}

static void wr_runtime(Xhci *x, unsigned reg, uint64_t value)
{
    unsigned at = qpci_io_readl(x->dev, x->bar, RTSOFF) + reg;

    qpci_io_writel(x->dev, x->bar, at, value);
    if (reg != ERSTSZ) {
        qpci_io_writel(x->dev, x->bar, at + 4, value >> 32);
    }
}

static void doorbell(Xhci *x, unsigned slot, unsigned target)
{
    qpci_io_writel(x->dev, x->bar,
                   qpci_io_readl(x->dev, x->bar, DBOFF) + 4 * slot, target);
}

uint64_t xhci_alloc(Xhci *x, size_t len)
{
    uint64_t at = x->free;

    x->free += ROUND_UP(len, PAGE);
    qtest_memset(x->qts, at, 0, len);
    return at;
}

uint32_t xhci_portsc(Xhci *x, unsigned port)
{
    return rd(x, PORTSC(port));
}

void xhci_write_portsc(Xhci *x, unsigned port, uint32_t value)
{
    wr(x, PORTSC(port), PORT_POWER | value);
}

/* -- rings -------------------------------------------------------------- */

static XhciRing ring_new(Xhci *x)
{
    return (XhciRing) { .base = xhci_alloc(x, PAGE), .cycle = TRB_CYCLE };
}

static uint64_t ring_put(Xhci *x, XhciRing *r, uint64_t param,
                         uint32_t status, uint32_t control)
{
    uint64_t at = r->base + r->at * TRB;
    uint8_t trb[TRB];

    stq_le_p(trb, param);
    stl_le_p(trb + 8, status);
    stl_le_p(trb + 12, control | r->cycle);
    qtest_memwrite(x->qts, at, trb, sizeof(trb));
    if (++r->at == RING_TRBS - 1) {
        stq_le_p(trb, r->base);
        stl_le_p(trb + 8, 0);
        stl_le_p(trb + 12, TRB_TYPE(LINK) | TRB_TOGGLE | r->cycle |
                 (control & TRB_CHAIN));
        qtest_memwrite(x->qts, r->base + r->at * TRB, trb, sizeof(trb));
        r->at = 0;
        r->cycle ^= TRB_CYCLE;
    }
    return at;
}

/* The next event, if there is one; sets its type */
static bool next_event(Xhci *x, XhciDone *e, unsigned *type)
{
    uint8_t trb[TRB];
    uint32_t control;

    qtest_memread(x->qts, x->event.base + x->event.at * TRB, trb,
                  sizeof(trb));
    control = ldl_le_p(trb + 12);
    if ((control & TRB_CYCLE) != x->event.cycle) {
        return false;
    }
    *type = control >> 10 & 0x3f;
    *e = (XhciDone) {
        .trb = ldq_le_p(trb),
        .code = ldl_le_p(trb + 8) >> 24,
        .left = ldl_le_p(trb + 8) & 0xffffff,
        .slot = control >> 24,
        .endpoint = control >> 16 & 0x1f,
    };
    if (++x->event.at == RING_TRBS) {
        x->event.at = 0;
        x->event.cycle ^= TRB_CYCLE;
    }
    wr_runtime(x, ERDP, x->event.base + x->event.at * TRB);
    return true;
}

/* Port status changes are of no interest; ends of transfers are kept */
static bool look(Xhci *x, XhciDone *e, unsigned *type)
{
    if (!next_event(x, e, type)) {
        return false;
    }
    if (*type == TRANSFER_EVENT) {
        g_queue_push_tail(x->done, g_memdup2(e, sizeof(*e)));
    }
    return true;
}

static XhciDone command(Xhci *x, unsigned type, uint64_t param,
                        uint32_t control)
{
    uint64_t trb = ring_put(x, &x->command, param, 0,
                            TRB_TYPE(type) | control);

    doorbell(x, 0, 0);
    for (unsigned n = 0; n < LOOKS; n++) {
        XhciDone e;
        unsigned found;

        if (look(x, &e, &found) && found == COMMAND_EVENT) {
            g_assert_cmphex(e.trb, ==, trb);
            return e;
        }
    }
    g_assert_not_reached();
}

static void command_ok(Xhci *x, unsigned type, uint64_t param,
                       uint32_t control)
{
    g_assert_cmpuint(command(x, type, param, control).code, ==, XHCI_SUCCESS);
}

/* -- controller --------------------------------------------------------- */

Xhci *xhci_start(QTestState *qts, QPCIBus *pci, int devfn)
{
    Xhci *x = g_new0(Xhci, 1);
    uint64_t size, table;
    uint8_t entry[16] = { 0 };

    x->qts = qts;
    x->free = MEMORY;
    x->done = g_queue_new();
    x->dev = qpci_device_find(pci, devfn);
    g_assert_nonnull(x->dev);
    qpci_device_enable(x->dev);
    x->bar = qpci_iomap(x->dev, 0, &size);
    wr(x, USBCMD, CMD_RESET);
    g_assert_cmphex(rd(x, USBSTS) & STS_HALTED, ==, STS_HALTED);

    x->contexts = xhci_alloc(x, PAGE);
    x->command = ring_new(x);
    x->event = ring_new(x);
    table = xhci_alloc(x, PAGE);
    stq_le_p(entry, x->event.base);
    stl_le_p(entry + 8, RING_TRBS);
    qtest_memwrite(qts, table, entry, sizeof(entry));
    wr(x, CONFIG, SLOTS);
    wr(x, DCBAAP, x->contexts);
    wr(x, DCBAAP + 4, x->contexts >> 32);
    wr(x, CRCR, x->command.base | TRB_CYCLE);
    wr(x, CRCR + 4, x->command.base >> 32);
    wr_runtime(x, ERSTSZ, 1);
    wr_runtime(x, ERSTBA, table);
    wr_runtime(x, ERDP, x->event.base);
    wr(x, USBCMD, CMD_RUN);
    g_assert_cmphex(rd(x, USBSTS) & STS_HALTED, ==, 0);
    return x;
}

void xhci_free(Xhci *x)
{
    g_queue_free_full(x->done, g_free);
    g_free(x->dev);
    g_free(x);
}

void xhci_move(Xhci *x, QTestState *qts, QPCIBus *pci, int devfn)
{
    g_free(x->dev);
    x->qts = qts;
    x->dev = qpci_device_find(pci, devfn);
    g_assert_nonnull(x->dev);
}

/* -- device ------------------------------------------------------------- */

static void write_context(XhciDevice *d, unsigned n, uint32_t a, uint32_t b,
                          uint64_t c, uint32_t e)
{
    uint8_t ctx[CONTEXT] = { 0 };

    stl_le_p(ctx, a);
    stl_le_p(ctx + 4, b);
    stq_le_p(ctx + 8, c);
    stl_le_p(ctx + 16, e);
    qtest_memwrite(d->x->qts, d->input + n * CONTEXT, ctx, sizeof(ctx));
}

static void write_endpoint(XhciDevice *d, unsigned n, unsigned type,
                           unsigned packet)
{
    enum { ERRORS = 3 };

    d->ring[n] = ring_new(d->x);
    write_context(d, 1 + n, 0, packet << 16 | type << 3 | ERRORS << 1,
                  d->ring[n].base | TRB_CYCLE, 8);
}

static void write_slot(XhciDevice *d, unsigned last)
{
    write_context(d, 1, last << 27 | SPEED_HIGH << 20, (d->port + 1) << 16, 0,
                  0);
}

/* Ports of USB 3 come first on this controller, as many as there are of 2 */
static unsigned portsc_of(Xhci *x, unsigned port)
{
    unsigned ports = qpci_io_readl(x->dev, x->bar, 4) >> 24;

    return ports / 2 + port;
}

/* Nobody will ask for the ends of its transfers */
static void disable_slot(Xhci *x, unsigned slot)
{
    GList *next;

    command_ok(x, DISABLE_SLOT, 0, TRB_SLOT(slot));
    for (GList *i = x->done->head; i; i = next) {
        next = i->next;
        if (((XhciDone *)i->data)->slot == slot) {
            g_free(i->data);
            g_queue_delete_link(x->done, i);
        }
    }
}

XhciDevice *xhci_connect(Xhci *x, unsigned port)
{
    enum { TYPE_CONTROL = 4, PACKET_CONTROL = 64 };
    XhciDevice *d = g_new0(XhciDevice, 1);
    XhciDone e;

    g_assert_cmpuint(port, <, XHCI_PORTS);
    if (x->slot[port]) {
        disable_slot(x, x->slot[port]);
    }
    d->x = x;
    d->port = portsc_of(x, port);
    g_assert_cmphex(xhci_portsc(x, d->port) & XHCI_PORT_CONNECTED, !=, 0);
    xhci_write_portsc(x, d->port, PORT_RESET);
    e = command(x, ENABLE_SLOT, 0, 0);
    g_assert_cmpuint(e.code, ==, XHCI_SUCCESS);
    d->slot = x->slot[port] = e.slot;
    qtest_writeq(x->qts, x->contexts + 8 * d->slot, xhci_alloc(x, PAGE));
    d->input = xhci_alloc(x, PAGE);
    write_context(d, 0, 0, 3, 0, 0);
    write_slot(d, 1);
    write_endpoint(d, XHCI_CONTROL, TYPE_CONTROL, PACKET_CONTROL);
    command_ok(x, ADDRESS_DEVICE, d->input, TRB_SLOT(d->slot));
    return d;
}

void xhci_enable_bulk(XhciDevice *d, unsigned nr)
{
    enum { TYPE_OUT = 2, TYPE_IN = 6, PACKET_BULK = 512 };

    g_assert_cmpuint(XHCI_IN_OF(nr), <, XHCI_ENDPOINTS);
    write_context(d, 0, 0, 1 | 1 << XHCI_OUT_OF(nr) | 1 << XHCI_IN_OF(nr), 0,
                  0);
    write_slot(d, XHCI_IN_OF(nr));
    write_endpoint(d, XHCI_OUT_OF(nr), TYPE_OUT, PACKET_BULK);
    write_endpoint(d, XHCI_IN_OF(nr), TYPE_IN, PACKET_BULK);
    command_ok(d->x, CONFIGURE_ENDPOINT, d->input, TRB_SLOT(d->slot));
}

/* -- transfers ---------------------------------------------------------- */

bool xhci_poll(XhciDevice *d, unsigned endpoint, XhciDone *done)
{
    XhciDone e;
    unsigned type;

    while (look(d->x, &e, &type)) {
        /* all that is there */
    }
    for (GList *i = d->x->done->head; i; i = i->next) {
        XhciDone *found = i->data;

        if (found->slot == d->slot && found->endpoint == endpoint) {
            *done = *found;
            g_free(found);
            g_queue_delete_link(d->x->done, i);
            return true;
        }
    }
    return false;
}

XhciDone xhci_wait(XhciDevice *d, unsigned endpoint)
{
    XhciDone done;

    for (unsigned n = 0; n < LOOKS; n++) {
        if (xhci_poll(d, endpoint, &done)) {
            return done;
        }
    }
    g_assert_not_reached();
}

unsigned xhci_control(XhciDevice *d, uint8_t type, uint8_t request,
                      uint16_t value, uint16_t index, void *data,
                      uint16_t *len)
{
    const uint64_t setup = type | request << 8 | (uint32_t)value << 16 |
                           (uint64_t)index << 32 | (uint64_t)*len << 48;
    const bool in = type & 0x80;
    const uint64_t buffer = xhci_alloc(d->x, MAX(*len, 1));
    XhciRing *r = &d->ring[XHCI_CONTROL];
    uint32_t kind = *len == 0 ? 0 : in ? 3 : 2;
    uint64_t trb = 0;
    XhciDone e;

    ring_put(d->x, r, setup, 8, TRB_TYPE(SETUP) | TRB_IMMEDIATE | kind << 16);
    if (*len) {
        if (!in) {
            qtest_memwrite(d->x->qts, buffer, data, *len);
        }
        trb = ring_put(d->x, r, buffer, *len, TRB_TYPE(DATA) |
                       (in ? TRB_DIR_IN : 0) | TRB_ON_COMPLETION);
    }
    ring_put(d->x, r, 0, 0, TRB_TYPE(STATUS) | TRB_ON_COMPLETION |
             (in && *len ? 0 : TRB_DIR_IN));
    doorbell(d->x, d->slot, XHCI_CONTROL);
    do {
        e = xhci_wait(d, XHCI_CONTROL);
        if (trb && e.trb == trb) {
            *len -= e.left;
        }
    } while ((e.code == XHCI_SUCCESS || e.code == XHCI_SHORT) &&
             e.trb == trb);
    if (e.code != XHCI_SUCCESS) {
        *len = 0;
        xhci_revive(d, XHCI_CONTROL);
    } else if (in && *len) {
        qtest_memread(d->x->qts, buffer, data, *len);
    }
    return e.code;
}

void xhci_configure(XhciDevice *d, uint8_t value)
{
    uint16_t none = 0;

    g_assert_cmpuint(xhci_control(d, 0x00, 0x09, value, 0, NULL, &none), ==,
                     XHCI_SUCCESS);
}

uint64_t xhci_queue(XhciDevice *d, unsigned endpoint, uint64_t buffer,
                    size_t len)
{
    XhciRing *r = &d->ring[endpoint];
    uint64_t trb;

    while (len > TRB_LENGTH_MAX) {
        ring_put(d->x, r, buffer, TRB_LENGTH_MAX,
                 TRB_TYPE(NORMAL) | TRB_CHAIN);
        buffer += TRB_LENGTH_MAX;
        len -= TRB_LENGTH_MAX;
    }
    trb = ring_put(d->x, r, buffer, len,
                   TRB_TYPE(NORMAL) | TRB_ON_COMPLETION);
    doorbell(d->x, d->slot, endpoint);
    return trb;
}

uint64_t xhci_queue_immediate(XhciDevice *d, unsigned endpoint,
                              uint64_t bytes)
{
    uint64_t trb = ring_put(d->x, &d->ring[endpoint], bytes, 8,
                            TRB_TYPE(NORMAL) | TRB_IMMEDIATE |
                            TRB_ON_COMPLETION);

    doorbell(d->x, d->slot, endpoint);
    return trb;
}

void xhci_stop_endpoint(XhciDevice *d, unsigned endpoint)
{
    command_ok(d->x, STOP_ENDPOINT, 0,
               TRB_SLOT(d->slot) | TRB_ENDPOINT(endpoint));
}

void xhci_revive(XhciDevice *d, unsigned endpoint)
{
    uint16_t none = 0;

    command_ok(d->x, RESET_ENDPOINT, 0,
               TRB_SLOT(d->slot) | TRB_ENDPOINT(endpoint));
    d->ring[endpoint] = ring_new(d->x);
    command_ok(d->x, SET_DEQUEUE, d->ring[endpoint].base | TRB_CYCLE,
               TRB_SLOT(d->slot) | TRB_ENDPOINT(endpoint));
    if (endpoint != XHCI_CONTROL) {
        /* CLEAR_FEATURE(ENDPOINT_HALT) */
        g_assert_cmpuint(xhci_control(d, 0x02, 0x01, 0,
                                      endpoint >> 1 | (endpoint & 1) << 7,
                                      NULL, &none), ==, XHCI_SUCCESS);
    }
}
