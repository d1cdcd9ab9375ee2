/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usb-cxl-mctp on a port that sleeps: what becomes ready meanwhile is there
 * when the guest resumes the port, or resumes it. Drivers end the transfers
 * of a device before they suspend its port, and post new ones afterwards.
 * Reference: USB 2.0 7.1.7.7, 9.4.5; xHCI 1.2 4.15; CXL r3.2 7.6.3.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/mctp/mctp_usb_frame.h"
#include "mctp-usb-line.h"

#define SET_POLICY          0x0105
#define NOTICE              0x0106
#define BACKGROUND          0x8000
#define TRANSFER_FIRMWARE   0x0201

#define SUCCESS             0
#define STARTED             1

/* What the transfer of a whole package takes */
#define FIRMWARE_NS         10000000000LL

static const LineSetup setup = {
    .machine = MCTP_MACHINE
        "-object memory-backend-ram,id=vmem,size=256M "
        "-device cxl-type3,id=mem0,bus=pcie.0,addr=07.0,volatile-memdev=vmem,"
        "sn=0x99 ",
    .target = { "mem0" },
};

/* SET_FEATURE or CLEAR_FEATURE(DEVICE_REMOTE_WAKEUP) */
static void set_remote_wakeup(Line *l, bool on)
{
    uint16_t none = 0;

    g_assert_cmpuint(xhci_control(usb_device(l), 0x00, on ? 3 : 1, 1, 0, NULL,
                                  &none), ==, XHCI_SUCCESS);
}

static void expect_link(Line *l, uint32_t state)
{
    const XhciDevice *d = usb_device(l);

    g_assert_cmphex(xhci_portsc(d->x, d->port) & XHCI_PORT_LINK, ==, state);
}

static void set_link(Line *l, uint32_t state)
{
    const XhciDevice *d = usb_device(l);

    xhci_write_portsc(d->x, d->port, XHCI_PORT_SET_LINK | state);
    expect_link(l, state);
}

static void end_transfers(Line *l)
{
    xhci_stop_endpoint(usb_device(l), XHCI_IN);
    xhci_wait(usb_device(l), XHCI_IN);
}

static void suspend(Line *l)
{
    end_transfers(l);
    set_link(l, XHCI_PORT_SUSPENDED);
}

static void resume(Line *l)
{
    set_link(l, XHCI_PORT_ACTIVE);
    usb_post(l, MCTP_USB_TRANSFER_MAX);
}

static void command(Line *l, uint16_t opcode, const void *in, size_t len,
                    uint16_t want)
{
    answer_is(line_command(l, opcode, in, len), want);
}

/* From now on it takes ten seconds until the FM is told of the end */
static void start_operation(Line *l)
{
    const uint8_t transfer_firmware[0x80 + 128] = { 0, 2 };
    uint8_t policy[2];

    stw_le_p(policy, BACKGROUND);
    command(l, SET_POLICY, policy, sizeof(policy), SUCCESS);
    command(l, TRANSFER_FIRMWARE, transfer_firmware,
            sizeof(transfer_firmware), STARTED);
}

static void expect_notice(Line *l)
{
    MCTPHeader hdr;
    g_autoptr(GByteArray) body = line_message(l, &hdr);

    g_assert_true(hdr.to);
    g_assert_cmpuint(body->len, ==, CCI_OVERHEAD + 2);
    g_assert_cmphex(lduw_le_p(body->data + 4), ==, NOTICE);
    g_assert_cmphex(lduw_le_p(body->data + CCI_OVERHEAD), ==, BACKGROUND);
}

/* An answer that was not read before the port went to sleep */
static void test_answer(LineTest *t, Line *l)
{
    end_transfers(l);
    line_request(l, PEER_EID, 1, 1, 0x0001, NULL, 0);
    set_link(l, XHCI_PORT_SUSPENDED);
    qtest_clock_step(t->i2c.qts, ANSWER_NS - 1);
    resume(l);
    answer_is(line_next(l, 1, 0x0001), SUCCESS);
    line_request(l, PEER_EID, 2, 2, 0x0001, NULL, 0);
    answer_is(line_next(l, 2, 0x0001), SUCCESS);
}

/* ... is dropped when nobody can be waiting for it any more */
static void test_answer_too_late(LineTest *t, Line *l)
{
    end_transfers(l);
    line_request(l, PEER_EID, 1, 1, 0x0001, NULL, 0);
    set_link(l, XHCI_PORT_SUSPENDED);
    qtest_clock_step(t->i2c.qts, ANSWER_NS + 1);
    resume(l);
    line_quiet(l);
    command(l, 0x0001, NULL, 0, SUCCESS);
}

/*
 * What comes to pass during the sleep is told after it, or at once if the guest
 * allows the device to resume the port. A reset of the port takes that back.
 * In another QEMU the port sleeps on, and the device can wake it there.
 */
static const struct {
    const char *name;
    bool allowed, reset, moved;
    uint32_t link;
} sleeps[] = {
    /* first, as the other QEMU's time begins anew */
    { "moved", true, false, true, XHCI_PORT_RESUMING },
    { "not allowed", false, false, false, XHCI_PORT_SUSPENDED },
    { "allowed", true, false, false, XHCI_PORT_RESUMING },
    { "not any more", false, false, false, XHCI_PORT_SUSPENDED },
    { "taken back", true, true, false, XHCI_PORT_SUSPENDED },
};

static void test_remote_wakeup(LineTest *t, Line *l)
{
    for (size_t i = 0; i < ARRAY_SIZE(sleeps); i++) {
        g_test_message("%s", sleeps[i].name);
        set_remote_wakeup(l, sleeps[i].allowed);
        if (sleeps[i].reset) {
            l = line_anew(t, 0);
        }
        start_operation(l);
        suspend(l);
        if (sleeps[i].moved) {
            line_migrate(t);
            expect_link(l, XHCI_PORT_SUSPENDED);
        }
        qtest_clock_step(t->i2c.qts, FIRMWARE_NS);
        expect_link(l, sleeps[i].link);
        resume(l);
        expect_notice(l);
        l = line_anew(t, 0);
    }
}

/* Only what the guest can read is a reason to resume its port */
static void test_sleep_undisturbed(LineTest *t, Line *l)
{
    set_remote_wakeup(l, true);
    suspend(l);
    qtest_qmp_assert_success(t->i2c.qts, "{'execute': 'stop'}");
    qtest_qmp_assert_success(t->i2c.qts, "{'execute': 'cont'}");
    qtest_clock_step(t->i2c.qts, 2 * ANSWER_NS);
    expect_link(l, XHCI_PORT_SUSPENDED);
    resume(l);
}

/* An answer that waits for the end of the sleep comes along */
static void test_migrate_an_answer(LineTest *t, Line *l)
{
    end_transfers(l);
    line_request(l, PEER_EID, 1, 1, 0x0001, NULL, 0);
    set_link(l, XHCI_PORT_SUSPENDED);
    line_migrate(t);
    expect_link(l, XHCI_PORT_SUSPENDED);
    resume(l);
    answer_is(line_next(l, 1, 0x0001), SUCCESS);
}

/* The guest resets the port in place of resuming it: nothing is left */
static void test_reset(LineTest *t, Line *l)
{
    start_operation(l);
    suspend(l);
    qtest_clock_step(t->i2c.qts, FIRMWARE_NS);
    l = line_anew(t, 0);
    expect_link(l, XHCI_PORT_ACTIVE);
    line_quiet(l);
}

static void test_unplug(LineTest *t, Line *l)
{
    start_operation(l);
    set_remote_wakeup(l, true);
    suspend(l);
    line_unplug(t->i2c.qts, "link0");
    qtest_clock_step(t->i2c.qts, FIRMWARE_NS);
    line_plug(t->i2c.qts, "'driver': 'usb-cxl-mctp', 'id': 'link0',"
              " 'bus': 'xhci.0', 'port': '1', 'target': 'mem0', 'eid': 9",
              NULL);
    line_anew(t, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) line_add_test(&line_usb, "suspend/" #f, &setup, test_ ## f)
    T(answer);
    T(answer_too_late);
    T(remote_wakeup);
    T(sleep_undisturbed);
    T(migrate_an_answer);
    T(reset);
    T(unplug);
    return line_test_main();
}
