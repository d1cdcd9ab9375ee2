/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usb-cxl-mctp: resets, unplugs and migration in the middle of transfers and
 * messages. Reference: DMTF DSP0236 8, DSP0283; USB 2.0 9; CXL r3.2 7.6.3.
 */
#include "qemu/osdep.h"
#include "tests/qtest/cxl/cxl-log-uuids.h"
#include "tests/qtest/cxl/cxl-qtest-image.h"
#include "hw/mctp/mctp_usb_frame.h"
#include "tests/qtest/cxl/cxl-qtest-switch.h"
#include "mctp-usb-line.h"

#define EID 0x42
#define PLUG \
    "'driver': 'usb-cxl-mctp', 'id': 'link0', 'bus': 'xhci.0', " \
    "'port': '1', 'target': 'us0', 'eid': 9"

/* Line 0 to a switch, line 1 to a memory device */
static const LineSetup setup = {
    .machine = MCTP_MACHINE
        "-object memory-backend-ram,id=vmem,size=256M "
        "-device cxl-type3,id=mem0,bus=pcie.0,addr=07.0,volatile-memdev=vmem,"
        "sn=0x99 ",
    .target = { "us0", "mem0" },
};

typedef enum Reset {
    PORT, CONFIGURATION, INTERFACE, MACHINE,
} Reset;

static Line *reset(LineTest *t, Reset kind)
{
    Line *l = line_of(t, 0);
    uint16_t none = 0;

    switch (kind) {
    case PORT:
        return line_anew(t, 0);
    case CONFIGURATION:
        xhci_configure(usb_device(l), 1);
        break;
    case INTERFACE:
        g_assert_cmpuint(xhci_control(usb_device(l), 0x01, 11, 0, 0, NULL,
                                      &none), ==, XHCI_SUCCESS);
        break;
    case MACHINE:
        line_reset(t);
        return line_of(t, 0);
    }
    l->eid = LINE_EID(0);
    return l;
}

/* Two requests in two packets each: both answers are ready */
static void ask_twice(Line *l)
{
    for (unsigned n = 0; n < 4; n++) {
        line_half(l, LINE_EID(0), n % 2);
    }
}

/* Each loses half a message, the assigned EID, and an answer that waits */
static void test_resets(LineTest *t, Line *l)
{
    for (Reset kind = PORT; kind <= MACHINE; kind++) {
        XhciDone done;

        line_assign(l, EID);
        line_half(l, EID, 0);
        line_quiet(l);
        l = reset(t, kind);
        line_quiet(l);
        line_has_forgotten(l, EID);

        /* the transfer that waits takes the first answer, nobody the other */
        ask_twice(l);
        done = xhci_wait(usb_device(l), XHCI_IN);
        g_assert_cmpuint(done.code, ==, XHCI_SHORT);
        qtest_readb(t->i2c.qts, 0);
        l = reset(t, kind);
        if (kind != PORT && kind != MACHINE) {
            usb_post(l, 512);
        }
        line_quiet(l);
    }
}

/* A guest that stops the endpoint whose transfer waits */
static void test_stop_endpoint(LineTest *t, Line *l)
{
    xhci_stop_endpoint(usb_device(l), XHCI_IN);
    xhci_wait(usb_device(l), XHCI_IN);
    usb_post(l, 512);
}

/* A transfer waits, half a message is there, an answer is not read */
static void test_unplug(LineTest *t, Line *l)
{
    for (int round = 0; round < 3; round++) {
        if (round == 1) {
            line_half(l, LINE_EID(0), 0);
        } else if (round == 2) {
            ask_twice(l);
        }
        line_unplug(t->i2c.qts, "link0");
        mctp_is_gone(t->i2c.qts, "link0");
        qtest_clock_step(t->i2c.qts, ANSWER_NS * 2);
        line_plug(t->i2c.qts, PLUG, NULL);
        l = line_anew(t, 0);
        line_quiet(l);
    }
}

static void start_behind_port(DwI2c *t)
{
    mctp_open_port(t->pci, QPCI_DEVFN(8, 0), 1);
    usb_start_at(t->qts, t->pci, 1 << 8);
}

/* The controller goes, and devices and transfers with it */
static void test_unplug_of_controller(LineTest *t, Line *l)
{
    line_quiet(l);
    ask_twice(l);
    line_half(l, LINE_EID(0), 0);
    mctp_unplug(&t->i2c, "p1", "xhci");
    mctp_is_gone(t->i2c.qts, "link0");
    qtest_clock_step(t->i2c.qts, ANSWER_NS * 2);
    line_drop(t, 0);
}

/* ... by a command that came through it */
static void test_command_that_unplugs_its_controller(void)
{
    enum { PXB_BUS = 52, USB_BUS = 62, RP1 = PXB_BUS << 8 | 1 << 3 };
    uint8_t transfer[MCTP_USB_FRAME_MAX], req[8];
    g_autoptr(GPtrArray) packets = NULL;
    const GByteArray *packet;
    CxlSwitch sw;
    CxlDev port;
    size_t len;
    DwI2c t;
    Line *l;

    switch_probe(cxl_start(SWITCH_PORTS "-device qemu-xhci,id=xhci,bus=rp1 "
                           "-device usb-cxl-mctp,id=link0,bus=xhci.0,port=1,"
                           "target=us0,eid=9 "), &sw);
    t = (DwI2c) { .qts = sw.qts, .pci = qpci_new_pc(sw.qts, NULL) };
    mctp_open_port(t.pci, RP1, USB_BUS);
    usb_start_at(t.qts, t.pci, USB_BUS << 8);
    l = line_usb.open(0);
    line_quiet(l);
    port = sw.usp;
    port.cfg -= (uint64_t)sw.usp.bus << 20;
    port.cfg += (uint64_t)RP1 << 12;
    switch_aim(&sw, &port);
    switch_slot_request(&sw, req);
    packets = line_packets(l->eid, PEER_EID, 1, 1, 0x5103, req, sizeof(req));
    packet = g_ptr_array_index(packets, 0);
    len = mctp_usb_encode(packet->data, packet->len, transfer,
                          sizeof(transfer));
    usb_queue(l, transfer, len);
    qtest_qmp_eventwait(sw.qts, "DEVICE_DELETED");
    mctp_is_gone(sw.qts, "xhci");
    mctp_is_gone(sw.qts, "link0");
    qtest_clock_step(sw.qts, ANSWER_NS * 2);
    g_assert_cmphex(slot_control(&sw, 0) & SWITCH_SLOT_EVENTS, ==,
                    SWITCH_SLOT_EVENTS);
    line_close(l);
    g_assert_true(qtest_probe_child(sw.qts));
    line_usb.stop();
    dw_stop(&t);
}

/* savevm, and back to it from wherever the endpoint has come since */
static void test_snapshot_of_half_a_message(LineTest *t, Line *l)
{
    g_autofree char *image = NULL;

    line_assign(l, EID);
    line_half(l, EID, 0);
    line_quiet(l);
    image = image_add(t->i2c.qts);
    image_save(t->i2c.qts);
    usb_keep(l);
    for (int round = 0; round < 3; round++) {
        line_half(l, EID, 1);
        line_whole(l);
        if (round == 1) {
            /* half of another message, and the EID is gone */
            line_half(l, EID, 0);
            l = reset(t, CONFIGURATION);
            line_quiet(l);
        }
        image_load(t->i2c.qts);
        usb_restore(l);
    }
    unlink(image);
}

/* The first transfer of an answer was read, the others are not */
static void test_migrate_half_an_answer(LineTest *t, Line *unused)
{
    static const struct {
        uint8_t uuid[CXL_LOG_UUID_BYTES], offset[4], length[4];
    } log = { .uuid = CXL_LOG_UUID_VENDOR, .length = { 0, 4 } };
    Line *l = line_of(t, 1);

    line_request(l, PEER_EID, 1, 1, 0x0401, &log, sizeof(log));
    /* the end of the transfer is in the guest's memory, which comes along */
    for (int i = 0; i < 100; i++) {
        qtest_readb(t->i2c.qts, 0);
    }
    line_migrate(t);
    answer_has(line_next(l, 1, 0x0401), 1024);
}

/* Places for answers are taken, the rest of a transfer waits for them */
static void test_migrate_half_a_transfer(LineTest *t, Line *l)
{
    enum { REQUESTS = 46, TRANSFERS = 2 };

    for (unsigned n = 0; n < REQUESTS * TRANSFERS;) {
        g_autoptr(GByteArray) transfer = g_byte_array_new();

        do {
            const uint8_t bytes[] = {
                0x1a, 0xb4, 0, 11, 1, 0, 8 + n / 8, 0xc8 | n % 8, 0, 0x80, 2,
            };

            g_byte_array_append(transfer, bytes, sizeof(bytes));
        } while (++n % REQUESTS);
        usb_write(l, transfer->data, transfer->len);
    }
    line_migrate(t);
    for (unsigned n = 0; n < REQUESTS * TRANSFERS; n++) {
        g_autoptr(GByteArray) packet = line_packet(l);

        g_assert_cmphex(packet->data[1], ==, 8 + n / 8);
        g_assert_cmphex(packet->data[3], ==, 0xc0 | n % 8);
    }
}

int main(int argc, char **argv)
{
    static const LineSetup alone = {
        .machine = MCTP_MACHINE, .target = { "us0" },
    };
    static LineKind behind_port;

    g_test_init(&argc, &argv, NULL);
    behind_port = line_usb;
    behind_port.machine =
        "-device pcie-root-port,id=p1,bus=pcie.0,addr=08.0,chassis=7,slot=7 "
        "-device qemu-xhci,id=xhci,bus=p1 ";
    behind_port.start = start_behind_port;
#define T(f) line_add_test(&line_usb, "life/" #f, &setup, test_ ## f)
    T(resets);
    T(stop_endpoint);
    T(unplug);
    T(snapshot_of_half_a_message);
    T(migrate_half_an_answer);
    T(migrate_half_a_transfer);
    line_add_test(&behind_port, "life/unplug_of_controller", &alone,
                  test_unplug_of_controller);
    qtest_add_func("/mctp-usb/life/command_that_unplugs_its_controller",
                   test_command_that_unplugs_its_controller);
    return line_test_main();
}
