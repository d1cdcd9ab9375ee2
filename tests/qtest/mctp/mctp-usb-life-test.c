/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usb-cxl-mctp: resets, unplugs and migration in the middle of transfers and
 * messages. Reference: DMTF DSP0236 8, DSP0283; USB 2.0 9; CXL r3.2 7.6.3.
 */
#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "tests/qtest/cxl/cxl-log-uuids.h"
#include "tests/qtest/cxl/cxl-qtest-image.h"
#include "hw/mctp/mctp_usb_frame.h"
#include "hw/pci/pci_regs.h"
#include "tests/qtest/cxl/cxl-qtest-switch.h"
#include "mctp-usb-line.h"

#define EID 0x42

static DwI2c machine;

/* Line 0 to a switch, line 1 to a memory device that can be unplugged */
static char *machine_args(void)
{
    g_autofree char *sw = usb_args(0, "us0");
    g_autofree char *mem = usb_args(1, "mem0");

    return g_strconcat(MCTP_MACHINE
        "-object memory-backend-ram,id=vmem,size=256M "
        "-device pcie-root-port,id=p1,bus=pcie.0,addr=08.0,chassis=7,slot=7 "
        "-device cxl-type3,id=mem0,bus=p1,volatile-memdev=vmem,sn=0x99 ",
        line_usb.machine, sw, mem, NULL);
}

static void start(void)
{
    g_autofree char *args = machine_args();

    dw_start_args(&machine, args);
    usb_start(machine.qts, machine.pci);
}

static void stop(void)
{
    g_assert_true(qtest_probe_child(machine.qts));
    usb_stop();
    dw_stop(&machine);
}

static Line *start_line(void)
{
    start();
    return usb_open(0);
}

static void stop_line(Line *l)
{
    line_quiet(l);
    line_close(l);
    stop();
}

static void assign(Line *l)
{
    static const uint8_t set_eid[] = {
        1, 0, PEER_EID, 0xc8, 0, 0x80, 1, 0, EID,
    };
    g_autoptr(GByteArray) body = NULL;
    MCTPHeader hdr;

    line_send_packet(l, set_eid, sizeof(set_eid));
    body = line_message(l, &hdr);
    g_assert_cmphex(body->data[3], ==, 0);
    l->eid = EID;
}

/* A request of two packets that is answered with an error of its length */
static GPtrArray *two_packets(uint8_t eid)
{
    static const uint8_t in[100];

    return line_packets(eid, PEER_EID, 3, 0x55, 1, in, sizeof(in));
}

static void send_part(Line *l, GPtrArray *packets, unsigned n)
{
    const GByteArray *packet = g_ptr_array_index(packets, n);

    line_send_packet(l, packet->data, packet->len);
}

static void expect_length_error(Line *l)
{
    MCTPHeader hdr;
    g_autoptr(GByteArray) body = line_message(l, &hdr);
    Answer a = line_answer(body, 0x55, 1);

    g_assert_cmphex(a.ret_code, ==, 0x16);
    g_assert_cmphex(hdr.src, ==, l->eid);
    answer_clear(&a);
}

/* Undisturbed, the two packets are answered: what the tests below rely on */
static void test_whole_message(void)
{
    g_autoptr(GPtrArray) packets = two_packets(EID);
    Line *l = start_line();

    assign(l);
    send_part(l, packets, 0);
    line_quiet(l);
    send_part(l, packets, 1);
    expect_length_error(l);
    stop_line(l);
}

typedef enum Reset {
    PORT, CONFIGURATION, INTERFACE, MACHINE,
} Reset;

static Line *reset(Line *l, Reset kind)
{
    uint16_t none = 0;

    switch (kind) {
    case PORT:
        line_close(l);
        return usb_open(0);
    case CONFIGURATION:
        xhci_configure(usb_device(l), 1);
        break;
    case INTERFACE:
        g_assert_cmpuint(xhci_control(usb_device(l), 0x01, 11, 0, 0, NULL,
                                      &none), ==, XHCI_SUCCESS);
        break;
    case MACHINE:
        line_close(l);
        qtest_system_reset(machine.qts);
        dw_map(&machine);
        usb_start(machine.qts, machine.pci);
        return usb_open(0);
    }
    l->eid = LINE_EID(0);
    return l;
}

/* Each loses half a message, the assigned EID, and an answer that waits */
static void test_resets(void)
{
    g_autoptr(GPtrArray) packets = two_packets(EID);
    g_autoptr(GPtrArray) again = two_packets(LINE_EID(0));
    Line *l = start_line();

    for (Reset kind = PORT; kind <= MACHINE; kind++) {
        XhciDone done;

        assign(l);
        send_part(l, packets, 0);
        line_quiet(l);
        l = reset(l, kind);
        line_quiet(l);
        send_part(l, packets, 1);
        send_part(l, again, 1);
        line_quiet(l);
        send_part(l, again, 0);
        send_part(l, again, 1);
        expect_length_error(l);

        /* the transfer that waits takes the first answer, nobody the other */
        send_part(l, again, 0);
        send_part(l, again, 1);
        done = xhci_wait(usb_device(l), XHCI_IN);
        g_assert_cmpuint(done.code, ==, XHCI_SHORT);
        send_part(l, again, 0);
        send_part(l, again, 1);
        qtest_readb(machine.qts, 0);
        l = reset(l, kind);
        if (kind != PORT && kind != MACHINE) {
            usb_post(l, 512);
        }
        line_quiet(l);
    }
    stop_line(l);
}

/* A guest that stops the endpoint whose transfer waits */
static void test_stop_endpoint(void)
{
    Line *l = start_line();

    xhci_stop_endpoint(usb_device(l), XHCI_IN);
    xhci_wait(usb_device(l), XHCI_IN);
    usb_post(l, 512);
    stop_line(l);
}

static void expect_gone(const char *id)
{
    g_autofree char *path = g_strdup_printf("/machine/peripheral/%s", id);
    QDict *rsp = qtest_qmp(machine.qts, "{'execute': 'qom-list',"
                           " 'arguments': {'path': %s}}", path);

    g_assert_true(qdict_haskey(rsp, "error"));
    qobject_unref(rsp);
}

/* A transfer waits, half a message is there, an answer is not read */
static void test_unplug(void)
{
    g_autoptr(GPtrArray) packets = two_packets(LINE_EID(0));
    Line *l = start_line();

    for (int round = 0; round < 3; round++) {
        if (round == 1) {
            send_part(l, packets, 0);
        }
        if (round == 2) {
            for (int i = 0; i < 2; i++) {
                send_part(l, packets, 0);
                send_part(l, packets, 1);
            }
        }
        qtest_qmp_assert_success(machine.qts, "{'execute': 'device_del',"
                                 " 'arguments': {'id': 'link0'}}");
        qtest_qmp_eventwait(machine.qts, "DEVICE_DELETED");
        expect_gone("link0");
        qtest_clock_step(machine.qts, ANSWER_NS * 2);
        qtest_qmp_assert_success(machine.qts, "{'execute': 'device_add',"
                                 " 'arguments': {'driver': 'usb-cxl-mctp',"
                                 " 'id': 'link0', 'bus': 'xhci.0',"
                                 " 'port': '1', 'target': 'us0',"
                                 " 'eid': 9}}");
        line_close(l);
        l = usb_open(0);
        line_quiet(l);
    }
    stop_line(l);
}

/* All of where BARs are placed is behind a port, and the controller */
static void start_behind_port(int port_bdf, uint8_t secondary)
{
    QPCIDevice *port = qpci_device_find(machine.pci, port_bdf);

    g_assert_nonnull(port);
    qpci_config_writeb(port, PCI_PRIMARY_BUS, port_bdf >> 8);
    qpci_config_writeb(port, PCI_SECONDARY_BUS, secondary);
    qpci_config_writeb(port, PCI_SUBORDINATE_BUS, secondary);
    qpci_config_writew(port, PCI_MEMORY_BASE, 0xe000);
    qpci_config_writew(port, PCI_MEMORY_LIMIT, 0xefff);
    qpci_config_writew(port, PCI_COMMAND,
                       PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    g_free(port);
    usb_start_at(machine.qts, machine.pci, secondary << 8);
}

/* The controller goes, and devices and transfers with it */
static void test_unplug_of_controller(void)
{
    g_autofree char *sw = usb_args(0, "us0");
    g_autofree char *args = g_strconcat(MCTP_MACHINE
        "-device pcie-root-port,id=p1,bus=pcie.0,addr=08.0,chassis=7,slot=7 "
        "-device qemu-xhci,id=xhci,bus=p1 ", sw, NULL);
    g_autoptr(GPtrArray) packets = two_packets(LINE_EID(0));
    Line *l;

    dw_start_args(&machine, args);
    start_behind_port(QPCI_DEVFN(8, 0), 1);
    l = usb_open(0);
    line_quiet(l);
    for (int i = 0; i < 2; i++) {
        send_part(l, packets, 0);
        send_part(l, packets, 1);
    }
    send_part(l, packets, 0);
    mctp_unplug(&machine, "p1", "xhci");
    expect_gone("link0");
    qtest_clock_step(machine.qts, ANSWER_NS * 2);
    line_close(l);
    stop();
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
    Line *l;

    switch_probe(cxl_start(SWITCH_PORTS "-device qemu-xhci,id=xhci,bus=rp1 "
                           "-device usb-cxl-mctp,id=link0,bus=xhci.0,port=1,"
                           "target=us0,eid=9 "), &sw);
    machine.qts = sw.qts;
    machine.pci = qpci_new_pc(sw.qts, NULL);
    start_behind_port(RP1, USB_BUS);
    l = usb_open(0);
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
    expect_gone("xhci");
    expect_gone("link0");
    qtest_clock_step(sw.qts, ANSWER_NS * 2);
    g_assert_cmphex(slot_control(&sw, 0) & SWITCH_SLOT_EVENTS, ==,
                    SWITCH_SLOT_EVENTS);
    line_close(l);
    stop();
}

/* With nothing behind it the endpoint still is one */
static void test_target_unplugged(void)
{
    g_autoptr(Line) l = NULL;

    start();
    l = usb_open(1);
    answer_is(line_command(l, 1, NULL, 0), 0);
    mctp_unplug(&machine, "p1", "mem0");
    qtest_qmp_eventwait(machine.qts, "DEVICE_DELETED");
    line_request(l, PEER_EID, 3, 0x55, 1, NULL, 0);
    line_quiet(l);
    stop();
}

/* -- migration ---------------------------------------------------------- */

static void migrate(void)
{
    g_autofree char *args = machine_args();

    dw_migrate(&machine, args);
    usb_move(machine.qts, machine.pci);
}

static void test_migrate_a_waiting_transfer(void)
{
    Line *l = start_line();

    assign(l);
    migrate();
    line_quiet(l);
    stop_line(l);
}

static void test_migrate_half_a_message(void)
{
    g_autoptr(GPtrArray) packets = two_packets(EID);
    Line *l = start_line();

    assign(l);
    send_part(l, packets, 0);
    migrate();
    send_part(l, packets, 1);
    expect_length_error(l);
    stop_line(l);
}

/* savevm, and back to it from wherever the endpoint has come since */
static void test_snapshot_of_half_a_message(void)
{
    g_autoptr(GPtrArray) packets = two_packets(EID);
    g_autofree char *image = NULL;
    Line *l = start_line();

    assign(l);
    send_part(l, packets, 0);
    line_quiet(l);
    image = image_add(machine.qts);
    image_save(machine.qts);
    usb_keep(l);
    for (int round = 0; round < 3; round++) {
        send_part(l, packets, 1);
        expect_length_error(l);
        if (round == 1) {
            /* half of another message, and the EID is gone */
            send_part(l, packets, 0);
            l = reset(l, CONFIGURATION);
            line_quiet(l);
        }
        image_load(machine.qts);
        usb_restore(l);
    }
    unlink(image);
    stop_line(l);
}

/* The first transfer of an answer was read, the others are not */
static void test_migrate_half_an_answer(void)
{
    static const struct {
        uint8_t uuid[CXL_LOG_UUID_BYTES], offset[4], length[4];
    } log = { .uuid = CXL_LOG_UUID_VENDOR, .length = { 0, 4 } };
    g_autoptr(GByteArray) body = NULL;
    MCTPHeader hdr;
    Answer a;
    Line *l;

    start();
    l = usb_open(1);
    line_request(l, PEER_EID, 1, 1, 0x0401, &log, sizeof(log));
    /* the end of the transfer is in the guest's memory, which comes along */
    for (int i = 0; i < 100; i++) {
        qtest_readb(machine.qts, 0);
    }
    migrate();
    body = line_message(l, &hdr);
    a = line_answer(body, 1, 0x0401);
    g_assert_cmphex(a.ret_code, ==, 0);
    g_assert_cmpuint(a.payload->len, ==, 1024);
    answer_clear(&a);
    stop_line(l);
}

/* Places for answers are taken, the rest of a transfer waits for them */
static void test_migrate_half_a_transfer(void)
{
    enum { REQUESTS = 46, TRANSFERS = 2 };
    Line *l = start_line();

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
    migrate();
    for (unsigned n = 0; n < REQUESTS * TRANSFERS; n++) {
        g_autoptr(GByteArray) packet = line_packet(l);

        g_assert_cmphex(packet->data[1], ==, 8 + n / 8);
        g_assert_cmphex(packet->data[3], ==, 0xc0 | n % 8);
    }
    stop_line(l);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/mctp-usb-life/" #f, test_ ## f)
    T(whole_message);
    T(resets);
    T(stop_endpoint);
    T(unplug);
    T(unplug_of_controller);
    T(command_that_unplugs_its_controller);
    T(target_unplugged);
    T(migrate_a_waiting_transfer);
    T(migrate_half_a_message);
    T(snapshot_of_half_a_message);
    T(migrate_half_an_answer);
    T(migrate_half_a_transfer);
    return g_test_run();
}
