/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hostile guest: it writes what resembles packets, reads into buffers of any
 * size, and disturbs the device in each way that its controller has. After any
 * of that, a guest that resets the port has a device that works.
 * Everything follows from the seed, which g_test's option --seed sets.
 * Reference: DMTF DSP0236, DSP0283 1.0; USB 2.0 9; xHCI 1.2.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/mctp/mctp_usb_frame.h"
#include "mctp-usb-line.h"

#define ROUNDS      60
#define ACTIONS     50
/* Transfers that wait to be filled; a ring has room for many more */
#define READS_MAX   8
#define LONGEST     1100

static LineTest *test;
static Line *line;
static unsigned reads;

static unsigned below(unsigned end)
{
    return g_test_rand_int_range(0, end);
}

/* A packet that may be one for the endpoint */
static void add_packet(GByteArray *bytes)
{
    uint8_t frame[MCTP_USB_FRAME_MAX] = { 0x1a, 0xb4, 0 };
    static const uint8_t wrong[] = { 0, 1, 3, 4, 7, 8, 254, 255 };
    static const uint8_t type[] = { 0, 0, 7, 8, 0x7e };
    static const uint16_t opcode[] = { 0x0001, 0x0401, 0x5100, 0x5101, 0xffff };
    unsigned len = below(4) ? 9 + below(30) : 8 + below(248);
    unsigned i;

    for (i = 4; i < len; i++) {
        frame[i] = below(256);
    }
    frame[3] = below(8) ? len : wrong[below(ARRAY_SIZE(wrong))];
    frame[4] = 1;
    frame[5] = below(3) ? line->eid : 0;
    frame[6] = PEER_EID + below(2);
    /* mostly whole messages of a requester */
    frame[7] = below(3) ? 0xc8 | below(8) : below(256);
    frame[8] = type[below(ARRAY_SIZE(type))];
    if (len >= 4 + 4 + CCI_OVERHEAD) {
        stw_le_p(frame + 12, opcode[below(ARRAY_SIZE(opcode))]);
        stw_le_p(frame + 14, below(2) ? len - 8 - CCI_OVERHEAD : below(65536));
    }
    g_byte_array_append(bytes, frame, len);
}

/* Ends of transfers; an endpoint that was halted begins anew */
static void take_ends(void)
{
    XhciDevice *d = usb_device(line);
    XhciDone done;

    for (unsigned n = XHCI_OUT; n <= XHCI_IN; n++) {
        bool halted = false;

        while (xhci_poll(d, n, &done)) {
            halted |= done.code == XHCI_BABBLE || done.code == XHCI_STALL;
            reads -= n == XHCI_IN && reads;
        }
        if (halted) {
            xhci_revive(d, n);
            if (n == XHCI_IN) {
                reads = 0;
            }
        }
    }
}

static void read_some(void)
{
    if (reads < READS_MAX) {
        usb_post(line, below(2) ? MCTP_USB_TRANSFER_MAX : below(LONGEST));
        reads++;
    }
}

static void write_some(void)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    XhciDone done;

    for (unsigned n = below(8); n; n--) {
        add_packet(bytes);
    }
    for (unsigned n = below(3); n && bytes->len; n--) {
        bytes->data[below(bytes->len)] = below(256);
    }
    if (!below(4)) {
        unsigned was = bytes->len;

        g_byte_array_set_size(bytes, below(LONGEST));
        for (unsigned i = was; i < bytes->len; i++) {
            bytes->data[i] = below(256);
        }
    }
    usb_queue(line, bytes->data, bytes->len);
    /* it waits for room: a guest that reads makes some */
    while (!xhci_poll(usb_device(line), XHCI_OUT, &done)) {
        take_ends();
        read_some();
    }
    g_assert_cmpuint(done.code, ==, XHCI_SUCCESS);
}

static void control(void)
{
    static const uint8_t type[] = {
        0x00, 0x01, 0x02, 0x80, 0x81, 0x82, 0x21, 0xa1, 0x40, 0xc0,
    };
    /* but SET_ADDRESS, which is the controller's own */
    static const uint8_t request[] = { 0, 1, 3, 6, 7, 8, 9, 10, 11, 12, 255 };
    uint8_t data[256] = { 0 };
    uint16_t len = below(2) ? below(sizeof(data)) : 0;

    xhci_control(usb_device(line), type[below(ARRAY_SIZE(type))],
                 request[below(ARRAY_SIZE(request))],
                 below(2) ? below(4) : below(65536),
                 below(2) ? below(4) : below(65536), data, &len);
}

static void sleep_a_while(void)
{
    const XhciDevice *d = usb_device(line);

    xhci_write_portsc(d->x, d->port,
                      XHCI_PORT_SET_LINK | XHCI_PORT_SUSPENDED);
    qtest_clock_step(test->i2c.qts, below(ANSWER_NS));
    xhci_write_portsc(d->x, d->port, XHCI_PORT_SET_LINK | XHCI_PORT_ACTIVE);
}

static void open_again(void)
{
    line = line_anew(test, 0);
    reads = 1;
}

static void plug_again(void)
{
    line_unplug(test->i2c.qts, "link0");
    line_plug(test->i2c.qts, "'driver': 'usb-cxl-mctp', 'id': 'link0',"
              " 'bus': 'xhci.0', 'port': '1', 'target': 'us0', 'eid': 9",
              NULL);
    open_again();
}

static void act(void)
{
    switch (below(20)) {
    case 0 ... 9:
        write_some();
        break;
    case 10 ... 12:
        read_some();
        break;
    case 13:
        xhci_stop_endpoint(usb_device(line), XHCI_IN_OF(1) - below(2));
        reads = 0;
        break;
    case 14 ... 15:
        control();
        break;
    case 16:
        xhci_configure(usb_device(line), below(2));
        break;
    case 17:
        sleep_a_while();
        break;
    case 18:
        qtest_clock_step(test->i2c.qts, below(ANSWER_NS) * (1 + below(2)));
        break;
    case 19:
        if (below(2)) {
            open_again();
        } else {
            plug_again();
        }
        break;
    }
    take_ends();
}

static void test_hostile_guest(LineTest *t, Line *l)
{
    test = t;
    line = l;
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned n = 0; n < ACTIONS; n++) {
            act();
        }
        open_again();
        line_quiet(line);
    }
}

int main(int argc, char **argv)
{
    static const LineSetup setup = {
        .machine = MCTP_MACHINE, .target = { "us0" },
    };

    g_test_init(&argc, &argv, NULL);
    line_add_test(&line_usb, "hostile-guest", &setup, test_hostile_guest);
    return line_test_main();
}
