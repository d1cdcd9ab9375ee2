/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest side of the MCTP tests. Reference: DMTF DSP0236, DSP0237.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "mctp-guest.h"
#include "hw/mctp/mctp_assembler.h"
#include "hw/mctp/mctp_i2c_frame.h"
#include "hw/mctp/mctp_txqueue.h"
#include "qobject/qdict.h"

#define STEP_NS 250000

#define CCI_OVERHEAD 13

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

GByteArray *mctp_exchange(DwI2c *t, uint8_t address, uint8_t eid,
                          unsigned unit, const void *body, size_t len)
{
    static uint8_t next_tag;
    const uint8_t tag = next_tag++ & 7;
    const MCTPPath path = {
        .remote = eid,
        .local = GUEST_EID,
        .tag = tag,
        .to = true,
    };
    g_autofree MCTPTxQueue *tx = g_new0(MCTPTxQueue, 1);
    g_autofree MCTPAssembler *rx = g_new0(MCTPAssembler, 1);
    MCTPStats stats = { 0 };
    MCTPAssembled done = { 0 };
    MCTPTxPacket pkt;

    mctp_txqueue_init(tx, &stats);
    mctp_assembler_init(rx, MCTP_MESSAGE_MAX, &stats);
    g_assert_cmpint(mctp_txqueue_push(tx, &path, unit, body, len, 0), ==, 0);
    while (mctp_txqueue_peek(tx, 0, &pkt)) {
        mctp_send_packet(t, address, pkt.data, pkt.len);
        mctp_txqueue_sent(tx, pkt.id, 0);
    }
    while (!done.body) {
        g_autoptr(GByteArray) frame = mctp_receive_frame(t, ANSWER_NS);
        MCTPI2CFrame f;
        MCTPHeader hdr;

        if (!frame) {
            break;
        }
        g_assert_cmpint(mctp_i2c_decode(frame->data, frame->len, &f), ==,
                        MCTP_I2C_OK);
        g_assert_cmphex(f.source, ==, address);
        /* the endpoint keeps to the size that needs no negotiation */
        g_assert_cmpuint(f.len, <=, MCTP_HEADER_BYTES + MCTP_UNIT_BASELINE);
        g_assert_cmpint(mctp_header_decode(f.packet, f.len, &hdr), ==, 0);
        g_assert_cmpuint(hdr.dest, ==, GUEST_EID);
        if (eid) {
            g_assert_cmpuint(hdr.src, ==, eid);
        }
        g_assert_cmpuint(hdr.tag, ==, tag);
        g_assert_false(hdr.to);
        g_assert_cmpint(mctp_assembler_feed(rx, &hdr, f.source, f.packet + 4,
                                            f.len - 4, 0, &done), ==, 0);
    }
    mctp_assembler_reset(rx);
    return done.body;
}

void mctp_assign(DwI2c *t, uint8_t address, uint8_t eid)
{
    const uint8_t set[] = { 0x00, 0x81, 0x01, 0x00, eid };
    const uint8_t done[] = { 0x00, 0x01, 0x01, 0x00, 0x00, eid, 0x00 };
    g_autoptr(GByteArray) reply = mctp_exchange(t, address, 0, 64, set,
                                                sizeof(set));

    g_assert_nonnull(reply);
    g_assert_cmpmem(reply->data, reply->len, done, sizeof(done));
}

Answer mctp_command(DwI2c *t, uint8_t address, uint8_t eid, uint16_t opcode,
                    const void *in, size_t len)
{
    static uint8_t next_tag = 0x30;
    const uint8_t tag = next_tag++;
    const uint8_t type = opcode >= 0x5100 && opcode < 0x6000 ? 7 : 8;
    g_autofree uint8_t *body = g_malloc0(CCI_OVERHEAD + len);
    g_autoptr(GByteArray) reply = NULL;
    Answer a = { .ret_code = NO_ANSWER, .payload = g_byte_array_new() };

    body[0] = type;
    body[2] = tag;
    stw_le_p(body + 4, opcode);
    stw_le_p(body + 6, len);
    /* as libcxlmi has it; of no meaning in a request */
    stw_le_p(body + 11, 0xabcd);
    if (len) {
        memcpy(body + CCI_OVERHEAD, in, len);
    }
    reply = mctp_exchange(t, address, eid, 64, body, CCI_OVERHEAD + len);
    if (!reply) {
        return a;
    }
    g_assert_cmpuint(reply->len, >=, CCI_OVERHEAD);
    g_assert_cmphex(reply->data[0], ==, type);
    g_assert_cmphex(reply->data[1], ==, 1);
    g_assert_cmphex(reply->data[2], ==, tag);
    g_assert_cmphex(reply->data[3], ==, 0);
    g_assert_cmphex(lduw_le_p(reply->data + 4), ==, opcode);
    g_assert_cmphex(reply->data[8] & 0x70, ==, 0);
    g_assert_cmpuint(lduw_le_p(reply->data + 6) |
                     (reply->data[8] & 0x0f) << 16, ==,
                     reply->len - CCI_OVERHEAD);
    g_assert_cmphex(lduw_le_p(reply->data + 11), ==, 0);
    a.ret_code = lduw_le_p(reply->data + 9);
    a.background = reply->data[8] & 0x80;
    g_byte_array_append(a.payload, reply->data + CCI_OVERHEAD,
                        reply->len - CCI_OVERHEAD);
    return a;
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

    rsp = qtest_qmp(t->qts, "{'execute': 'qom-get', 'arguments': {"
                    " 'path': %s, 'property': 'realized'}}", id);
    g_assert_true(qdict_haskey(rsp, "error"));
    qobject_unref(rsp);
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
