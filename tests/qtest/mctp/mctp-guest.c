/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest side of the MCTP tests. Reference: DMTF DSP0236, DSP0237.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "mctp-line.h"
#include "hw/mctp/mctp_i2c_frame.h"
#include "hw/pci/pci_regs.h"
#include "qobject/qdict.h"

#define STEP_NS 250000

/* ACPI PCI hot plug of q35 */
#define ACPI_EJECT 0xcc8
#define ACPI_BUS_SELECT 0xcd0

/* Mailbox registers behind the device capability array */
#define MAILBOX 0x88
#define MBOX_CONTROL (MAILBOX + 0x04)
#define MBOX_COMMAND (MAILBOX + 0x08)
#define MBOX_STATUS (MAILBOX + 0x10)
#define MBOX_PAYLOAD (MAILBOX + 0x20)
/* Reads of a doorbell that stays set until the main loop has gone around */
#define MBOX_SPINS 100000

void answer_clear(Answer *a)
{
    g_clear_pointer(&a->payload, g_byte_array_unref);
}

void answer_is(Answer a, uint16_t rc)
{
    g_assert_cmphex(a.ret_code, ==, rc);
    g_assert_true(rc == 0 || a.payload->len == 0);
    answer_clear(&a);
}

GByteArray *answer_bytes(Answer a)
{
    g_assert_cmphex(a.ret_code, ==, 0);
    return a.payload;
}

void answer_has(Answer a, size_t len)
{
    g_autoptr(GByteArray) bytes = answer_bytes(a);

    g_assert_cmpuint(bytes->len, ==, len);
}

void assert_answer(Answer a, uint16_t rc, const void *payload, size_t len)
{
    g_assert_cmphex(a.ret_code, ==, rc);
    g_assert_cmpmem(a.payload->data, a.payload->len, payload, len);
    answer_clear(&a);
}

void assert_equal_answers(const Answer *a, const Answer *b)
{
    g_assert_cmphex(a->ret_code, ==, b->ret_code);
    g_assert_cmpmem(a->payload->data, a->payload->len, b->payload->data,
                    b->payload->len);
}

void mctp_listen(DwI2c *t)
{
    dw_listen(t);
}

static void send_frame(DwI2c *t, const uint8_t *frame, size_t len)
{
    /* the controller sends the address byte by itself */
    dw_write_bytes(t, frame[0] >> 1, frame + 1, len - 1);
    dw_target_mode(t, OWN);
}

void mctp_send_packet(DwI2c *t, uint8_t address, const void *packet,
                      size_t len)
{
    uint8_t frame[MCTP_I2C_FRAME_MAX];
    size_t n = mctp_i2c_encode(address, OWN, packet, len, frame);

    g_assert_cmpuint(n, >, 0);
    send_frame(t, frame, n);
}

/* What the Linux handler does; see dw_take() */
static uint32_t interrupt(DwI2c *t)
{
    dw_rd(t, R_ENABLE);
    dw_rd(t, R_RAW_INTR_STAT);
    dw_rd(t, R_STATUS);
    return dw_rd(t, R_INTR_STAT);
}

GByteArray *mctp_receive_frame(DwI2c *t, int64_t ns)
{
    GByteArray *frame;
    uint8_t byte = OWN << 1;

    while (!dw_line(t)) {
        if (ns <= 0) {
            return NULL;
        }
        qtest_clock_step(t->qts, STEP_NS);
        dw_pump(t);
        ns -= STEP_NS;
    }
    g_assert_cmphex(interrupt(t), ==, I_RX_FULL);
    frame = g_byte_array_new();
    g_byte_array_append(frame, &byte, 1);
    do {
        uint32_t word = dw_rd(t, R_DATA_CMD);

        g_assert_cmpuint(!!(word & FIRST_BYTE), ==, frame->len == 1);
        byte = word;
        g_byte_array_append(frame, &byte, 1);
    } while (dw_rd(t, R_STATUS) & ST_RX_NOT_EMPTY);
    g_assert_cmphex(interrupt(t), ==, I_STOP_DET);
    dw_rd(t, R_CLR_STOP_DET);
    return frame;
}

/* -- endpoints as lines ------------------------------------------------- */

typedef struct I2cLine {
    Line line;
    DwI2c *t;
    uint8_t address;
    /* packets that were taken while another endpoint's were waited for */
    GQueue *packets;
} I2cLine;

static DwI2c *i2c_guest;
static I2cLine *i2c_at[0x80];

static char *i2c_args(unsigned n, const char *target)
{
    return g_strdup_printf(
        "-device i2c_mctp_cxl,id=link%u,bus=dw.0,address=0x%02x,target=%s,"
        "eid=%u ", n, LINE_ADDRESS(n), target, LINE_EID(n));
}

static void i2c_start(DwI2c *t)
{
    i2c_guest = t;
    mctp_listen(t);
}

static void i2c_moved(DwI2c *t)
{
    /* its driver is as it was */
}

static Line *i2c_line(DwI2c *t, uint8_t address, uint8_t eid)
{
    I2cLine *u = g_new0(I2cLine, 1);

    *u = (I2cLine) {
        .line = { .kind = &line_i2c, .eid = eid },
        .t = t, .address = address, .packets = g_queue_new(),
    };
    g_assert_null(i2c_at[address]);
    i2c_at[address] = u;
    return &u->line;
}

static Line *i2c_open(unsigned n)
{
    return i2c_line(i2c_guest, LINE_ADDRESS(n), LINE_EID(n));
}

static void i2c_close(Line *l)
{
    I2cLine *u = container_of(l, I2cLine, line);

    i2c_at[u->address] = NULL;
    g_queue_free_full(u->packets, (GDestroyNotify)g_byte_array_unref);
    g_free(u);
}

static void i2c_send(Line *l, const GPtrArray *packets)
{
    I2cLine *u = container_of(l, I2cLine, line);

    for (unsigned i = 0; i < packets->len; i++) {
        const GByteArray *packet = g_ptr_array_index(packets, i);

        mctp_send_packet(u->t, u->address, packet->data, packet->len);
    }
}

static GByteArray *i2c_packet(Line *l)
{
    I2cLine *u = container_of(l, I2cLine, line);

    while (g_queue_is_empty(u->packets)) {
        g_autoptr(GByteArray) frame = mctp_receive_frame(u->t, ANSWER_NS);
        MCTPI2CFrame f;

        if (!frame) {
            return NULL;
        }
        g_assert_cmpint(mctp_i2c_decode(frame->data, frame->len, &f), ==,
                        MCTP_I2C_OK);
        /* the endpoint keeps to the size that needs no negotiation */
        g_assert_cmpuint(f.len, <=, MCTP_HEADER_BYTES + MCTP_UNIT_BASELINE);
        g_assert_nonnull(i2c_at[f.source]);
        g_queue_push_tail(i2c_at[f.source]->packets,
                          g_byte_array_append(g_byte_array_new(), f.packet,
                                              f.len));
    }
    return g_queue_pop_head(u->packets);
}

const LineKind line_i2c = {
    .name = "i2c",
    .machine = "",
    .args = i2c_args,
    .start = i2c_start,
    .moved = i2c_moved,
    .open = i2c_open,
    .close = i2c_close,
    .send = i2c_send,
    .packet = i2c_packet,
};

void mctp_assign(DwI2c *t, uint8_t address, uint8_t eid)
{
    g_autoptr(Line) l = i2c_line(t, address, 0);

    line_assign(l, eid);
}

Answer mctp_command(DwI2c *t, uint8_t address, uint8_t eid, uint16_t opcode,
                    const void *in, size_t len)
{
    static unsigned serial;
    g_autoptr(Line) l = i2c_line(t, address, eid);

    l->serial = serial++;
    return line_try_command(l, opcode, in, len);
}

void mctp_is_gone(QTestState *qts, const char *id)
{
    QDict *rsp = qtest_qmp(qts, "{'execute': 'qom-get', 'arguments': {"
                           " 'path': %s, 'property': 'realized'}}", id);

    g_assert_true(qdict_haskey(rsp, "error"));
    qobject_unref(rsp);
}

void mctp_open_port(QPCIBus *pci, int bdf, uint8_t secondary)
{
    QPCIDevice *port = qpci_device_find(pci, bdf);

    g_assert_nonnull(port);
    qpci_config_writeb(port, PCI_PRIMARY_BUS, bdf >> 8);
    qpci_config_writeb(port, PCI_SECONDARY_BUS, secondary);
    qpci_config_writeb(port, PCI_SUBORDINATE_BUS, secondary);
    qpci_config_writew(port, PCI_MEMORY_BASE, 0xe000);
    qpci_config_writew(port, PCI_MEMORY_LIMIT, 0xefff);
    qpci_config_writew(port, PCI_COMMAND,
                       PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    g_free(port);
}

void mctp_find_behind_port(DwI2c *t, int bdf, uint8_t secondary)
{
    mctp_open_port(t->pci, bdf, secondary);
    t->dev = qpci_device_find(t->pci, secondary << 8);
    g_assert_nonnull(t->dev);
    qpci_device_enable(t->dev);
    t->bar = qpci_iomap(t->dev, 0, NULL);
}

void mctp_unplug(DwI2c *t, const char *port, const char *id)
{
    /* the bus has the name of the port that it is a child of */
    g_autofree char *path = g_strdup_printf("/machine/peripheral/%s/%s",
                                            port, port);
    QDict *rsp = qtest_qmp(t->qts, "{'execute': 'qom-get', 'arguments': {"
                           " 'path': %s, 'property': 'acpi-pcihp-bsel'}}",
                           path);

    g_assert_true(qdict_haskey(rsp, "return"));
    qtest_qmp_device_del_send(t->qts, id);
    qtest_outl(t->qts, ACPI_BUS_SELECT, qdict_get_int(rsp, "return"));
    qtest_outl(t->qts, ACPI_EJECT, 1);
    qobject_unref(rsp);
    mctp_is_gone(t->qts, id);
}

Mailbox mailbox_open(DwI2c *t, int devfn, int bar)
{
    Mailbox m = { .dev = qpci_device_find(t->pci, devfn) };
    uint64_t size;

    g_assert_nonnull(m.dev);
    qpci_device_enable(m.dev);
    m.bar = qpci_iomap(m.dev, bar, &size);
    return m;
}

void mailbox_close(Mailbox *m)
{
    g_clear_pointer(&m->dev, g_free);
}

Answer mailbox_command(Mailbox *m, uint16_t opcode, const void *in,
                       size_t len)
{
    Answer a = { .payload = g_byte_array_new() };
    uint64_t command;
    unsigned spins;

    if (len) {
        qpci_memwrite(m->dev, m->bar, MBOX_PAYLOAD, in, len);
    }
    qpci_io_writeq(m->dev, m->bar, MBOX_COMMAND,
                   opcode | (uint64_t)len << 16);
    qpci_io_writel(m->dev, m->bar, MBOX_CONTROL, 1);
    for (spins = 0; qpci_io_readl(m->dev, m->bar, MBOX_CONTROL) & 1; spins++) {
        g_assert_cmpuint(spins, <, MBOX_SPINS);
    }
    a.ret_code = qpci_io_readq(m->dev, m->bar, MBOX_STATUS) >> 32;
    command = qpci_io_readq(m->dev, m->bar, MBOX_COMMAND);
    /* of an error too: that there is none is for the test to see */
    g_byte_array_set_size(a.payload, (command >> 16) & 0xfffff);
    qpci_memread(m->dev, m->bar, MBOX_PAYLOAD, a.payload->data,
                 a.payload->len);
    return a;
}
