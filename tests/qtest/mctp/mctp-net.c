/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A switch with a memory device, and the ways to both. Reference: CXL r3.2
 * 7.6.3, 7.6.7.3.1.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "mctp-net.h"

#define CCI_HEADER 12
#define TUNNEL_HEAD 4

const char *const door_name[] = {
    "switch mailbox", "switch endpoint", "device endpoint",
};

const LineSetup net_setup = {
    .machine = MCTP_MACHINE
        "-device cxl-downstream,id=ds1,bus=us0,port=1,chassis=0,slot=4 "
        "-device cxl-downstream,id=ds2,bus=us0,port=2,chassis=0,slot=5 "
        "-device cxl-downstream,id=ds3,bus=us0,port=3,chassis=0,slot=6 "
        "-device cxl-switch-mailbox-cci,id=sw0,bus=pcie.0,addr=06.0,"
        "target=us0 "
        "-object memory-backend-ram,id=vmem,size=256M "
        "-object memory-backend-ram,id=dcmem,size=512M "
        "-device cxl-type3,id=mem0,bus=ds1,volatile-memdev=vmem,"
        "volatile-dc-memdev=dcmem,num-dc-regions=2,sn=0x99 "
        "-device pci-testdev,bus=ds3 ",
    .target = { "us0", "mem0" },
    .devfn = QPCI_DEVFN(6, 0),
};

Answer net_ask(LineTest *n, NetCCI cci, uint16_t opcode, const void *in,
               size_t len)
{
    if (cci == NET_CCI_SWITCH_PCI) {
        return mailbox_command(&n->mailbox, opcode, in, len);
    }
    return line_command(line_of(n, cci == NET_CCI_DEVICE_MCTP), opcode, in,
                        len);
}

/* -- tunnels -------------------------------------------------------------- */

static GByteArray *enclose(uint8_t id, uint8_t tag, uint16_t opcode,
                           const void *in, size_t len)
{
    uint8_t head[TUNNEL_HEAD + CCI_HEADER] = { id };
    GByteArray *a = g_byte_array_new();

    stw_le_p(head + 2, CCI_HEADER + len);
    head[TUNNEL_HEAD + 1] = tag;
    stw_le_p(head + TUNNEL_HEAD + 3, opcode);
    stw_le_p(head + TUNNEL_HEAD + 5, len);
    g_byte_array_append(a, head, sizeof(head));
    if (len) {
        g_byte_array_append(a, in, len);
    }
    return a;
}

/* Checks what encloses the answer, every byte of it */
static Answer disclose(Answer *outer, uint8_t tag, uint16_t opcode)
{
    const uint8_t *p = outer->payload->data;
    size_t size = outer->payload->len;
    Answer a = { .payload = g_byte_array_new() };
    const uint8_t *msg = p + TUNNEL_HEAD;

    g_assert_cmphex(outer->ret_code, ==, 0);
    g_assert_cmpuint(size, >=, TUNNEL_HEAD + CCI_HEADER);
    g_assert_cmpuint(lduw_le_p(p), ==, size - TUNNEL_HEAD);
    g_assert_cmphex(lduw_le_p(p + 2), ==, 0);
    g_assert_cmphex(msg[0], ==, 1);
    g_assert_cmphex(msg[1], ==, tag);
    g_assert_cmphex(msg[2], ==, 0);
    g_assert_cmphex(lduw_le_p(msg + 3), ==, opcode);
    g_assert_cmphex(msg[7] & 0x7f, ==, 0);
    g_assert_cmpuint(lduw_le_p(msg + 5), ==, size - TUNNEL_HEAD - CCI_HEADER);
    g_assert_cmphex(lduw_le_p(msg + 10), ==, 0);
    a.ret_code = lduw_le_p(msg + 8);
    a.background = msg[7] & 0x80;
    g_byte_array_append(a.payload, msg + CCI_HEADER,
                        size - TUNNEL_HEAD - CCI_HEADER);
    if (a.ret_code) {
        g_assert_cmpuint(a.payload->len, ==, 0);
    }
    answer_clear(outer);
    return a;
}

Answer net_through(LineTest *n, Way way, uint16_t opcode, const void *in,
                   size_t len)
{
    static uint8_t next_tag = 0x50;
    const uint8_t tag = next_tag++;
    g_autoptr(GByteArray) one = NULL;
    g_autoptr(GByteArray) two = NULL;
    Answer a;

    if (way.ld < 0) {
        one = enclose(way.port, tag, opcode, in, len);
        a = net_ask(n, way.cci, 0x5300, one->data, one->len);
        return disclose(&a, tag, opcode);
    }
    one = enclose(way.ld, tag, opcode, in, len);
    if (way.cci == NET_CCI_DEVICE_MCTP) {
        a = net_ask(n, way.cci, 0x5300, one->data, one->len);
    } else {
        two = enclose(way.port, tag + 1, 0x5300, one->data, one->len);
        a = net_ask(n, way.cci, 0x5300, two->data, two->len);
        a = disclose(&a, tag + 1, 0x5300);
    }
    return disclose(&a, tag, opcode);
}

const Way to_device[2] = {
    { NET_CCI_SWITCH_PCI, PORT_DEVICE, -1 },
    { NET_CCI_SWITCH_MCTP, PORT_DEVICE, -1 },
};

const Way to_ld[3] = {
    { NET_CCI_DEVICE_MCTP, -1, 0 },
    { NET_CCI_SWITCH_PCI, PORT_DEVICE, 0 },
    { NET_CCI_SWITCH_MCTP, PORT_DEVICE, 0 },
};

void assert_same_answers(const Answer *a, const Answer *b)
{
    assert_equal_answers(a, b);
    g_assert_cmpint(a->background, ==, b->background);
}
