/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * i2c_mctp_cxl: reset, migration and unplug in the middle of messages.
 * Reference: DMTF DSP0236 8; CXL r3.2 7.6.3.
 */
#include "qemu/osdep.h"
#include "mctp-guest.h"
#include "hw/mctp/mctp_i2c_frame.h"
#include "hw/pci/pci_regs.h"

#define ENDPOINT 0x20
#define EID 9

#define MACHINE \
    MCTP_MACHINE "-device i2c_mctp_cxl,bus=dw.0,address=0x20,target=us0 "

/*
 * A request of two packets with a wrong length in its header: 100 bytes are
 * announced, 64 are there. The answer shows that the message came whole.
 */
#define HEAD_LEN (4 + 64)
#define TAIL_LEN (4 + 13)

static const uint8_t head[HEAD_LEN] = {
    1, EID, GUEST_EID, 0x88, 0x08, 0, 0x77, 0, 0x01, 0x00, 100,
};
static const uint8_t tail[TAIL_LEN] = { 1, EID, GUEST_EID, 0x58 };
static const uint8_t answer[] = {
    1, GUEST_EID, EID, 0xc0, 0x08, 1, 0x77, 0, 0x01, 0x00, 0, 0, 0, 0x16,
    0, 0, 0,
};

static void expect_answer(DwI2c *t, bool there)
{
    g_autoptr(GByteArray) frame = mctp_receive_frame(t, 10000000);
    MCTPI2CFrame f;

    if (!there) {
        g_assert_null(frame);
        return;
    }
    g_assert_nonnull(frame);
    g_assert_cmpint(mctp_i2c_decode(frame->data, frame->len, &f), ==,
                    MCTP_I2C_OK);
    g_assert_cmpmem(f.packet, f.len, answer, sizeof(answer));
}

static void start(DwI2c *t)
{
    dw_start_args(t, MACHINE);
    mctp_listen(t);
    mctp_assign(t, ENDPOINT, EID);
}

static void expect_eid(DwI2c *t, uint8_t eid)
{
    const uint8_t get[] = { 0x00, 0x80, 0x02 };
    g_autoptr(GByteArray) reply = mctp_exchange(t, ENDPOINT, 0, 64, get,
                                                sizeof(get));

    g_assert_nonnull(reply);
    g_assert_cmpuint(reply->len, ==, 7);
    g_assert_cmpuint(reply->data[4], ==, eid);
}

/* Undisturbed, the two packets are answered: what the tests below rely on */
static void test_whole_message(DwI2c *t)
{
    mctp_send_packet(t, ENDPOINT, head, sizeof(head));
    mctp_send_packet(t, ENDPOINT, tail, sizeof(tail));
    expect_answer(t, true);
    expect_answer(t, false);
}

static void test_reset_in_a_request(DwI2c *t)
{
    mctp_send_packet(t, ENDPOINT, head, sizeof(head));
    qtest_system_reset(t->qts);
    dw_map(t);
    mctp_listen(t);
    expect_eid(t, 0);
    mctp_assign(t, ENDPOINT, EID);
    mctp_send_packet(t, ENDPOINT, tail, sizeof(tail));
    expect_answer(t, false);
    mctp_send_packet(t, ENDPOINT, head, sizeof(head));
    mctp_send_packet(t, ENDPOINT, tail, sizeof(tail));
    expect_answer(t, true);
}

static void test_reset_with_an_answer_waiting(DwI2c *t)
{
    uint8_t frame[MCTP_I2C_FRAME_MAX];
    size_t len = mctp_i2c_encode(ENDPOINT, OWN, tail, sizeof(tail), frame);

    mctp_send_packet(t, ENDPOINT, head, sizeof(head));
    dw_write_bytes(t, ENDPOINT, frame + 1, len - 1);
    qtest_system_reset(t->qts);
    dw_map(t);
    mctp_listen(t);
    expect_answer(t, false);
}

/* Reset while a write to the endpoint is open on the bus */
static void test_reset_in_a_frame(DwI2c *t)
{
    dw_master_mode(t, CON_LINUX_MASTER, ENDPOINT);
    dw_wr(t, R_DATA_CMD, 0x0f);
    dw_wr(t, R_DATA_CMD, 0x08);
    qtest_system_reset(t->qts);
    dw_map(t);
    mctp_listen(t);
    expect_eid(t, 0);
}

static void test_migrate_in_a_request(DwI2c *t)
{
    mctp_send_packet(t, ENDPOINT, head, sizeof(head));
    dw_migrate(t, MACHINE);
    mctp_send_packet(t, ENDPOINT, tail, sizeof(tail));
    expect_answer(t, true);
    expect_eid(t, EID);
}

/* The answer is refused, waits, and comes after the migration */
static void test_migrate_with_an_answer_waiting(void)
{
    uint8_t get_eid[] = { 1, 0, 0x10, 0xc8, 0x00, 0x80, 0x02 };
    const uint8_t want[] = {
        1, 0x10, 0, 0xc0, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00,
    };
    uint8_t frame[MCTP_I2C_FRAME_MAX];
    size_t len = mctp_i2c_encode(ENDPOINT, OWN, get_eid, sizeof(get_eid),
                                 frame);
    g_autoptr(GByteArray) reply = NULL;
    MCTPI2CFrame f;
    DwI2c t;

    dw_start_args(&t, MACHINE);
    dw_write_bytes(&t, ENDPOINT, frame + 1, len - 1);
    dw_disable(&t);
    for (int i = 0; i < 100; i++) {
        qtest_clock_step(t.qts, 1000000);
        dw_pump(&t);
    }
    dw_migrate(&t, MACHINE);
    mctp_listen(&t);
    reply = mctp_receive_frame(&t, ANSWER_NS);
    g_assert_nonnull(reply);
    g_assert_cmpint(mctp_i2c_decode(reply->data, reply->len, &f), ==,
                    MCTP_I2C_OK);
    g_assert_cmpmem(f.packet, f.len, want, sizeof(want));
    dw_stop(&t);
}

/* The frame itself is half written: its rest goes to the destination */
static void test_migrate_in_a_frame(DwI2c *t)
{
    uint8_t frame[MCTP_I2C_FRAME_MAX];
    size_t len = mctp_i2c_encode(ENDPOINT, OWN, tail, sizeof(tail), frame);

    mctp_send_packet(t, ENDPOINT, head, sizeof(head));
    dw_master_mode(t, CON_LINUX_MASTER, ENDPOINT);
    for (size_t i = 1; i < len / 2; i++) {
        dw_wr(t, R_DATA_CMD, frame[i]);
    }
    dw_migrate(t, MACHINE);
    for (size_t i = len / 2; i < len; i++) {
        dw_wr(t, R_DATA_CMD, frame[i] | (i == len - 1 ? CMD_STOP : 0));
    }
    g_assert_cmphex(dw_rd(t, R_TX_ABRT_SOURCE), ==, 0);
    dw_target_mode(t, OWN);
    expect_answer(t, true);
}

#define ROOT_PORT QPCI_DEVFN(8, 0)
#define SECONDARY_BUS 1

#define UNPLUG_MACHINE \
    "-M q35,cxl=on -nodefaults -display none " \
    "-device pcie-root-port,id=p1,bus=pcie.0,addr=08.0,chassis=7,slot=7 " \
    "-device dw-i2c-pci,id=dw,bus=p1 " \
    "-device pxb-cxl,id=hb0,bus=pcie.0,bus_nr=52 " \
    "-device cxl-rp,id=rp0,bus=hb0,port=0,chassis=0,slot=0 " \
    "-device cxl-upstream,id=us0,bus=rp0,addr=0.0 " \
    "-device i2c_mctp_cxl,bus=dw.0,address=0x20,target=us0"

/* The controller in a slot that lets go of it */
static void start_behind_port(DwI2c *t)
{
    QPCIDevice *port;
    uint64_t size;

    memset(t, 0, sizeof(*t));
    t->qts = qtest_init(UNPLUG_MACHINE);
    t->pci = qpci_new_pc(t->qts, NULL);
    port = qpci_device_find(t->pci, ROOT_PORT);
    g_assert_nonnull(port);
    qpci_config_writeb(port, PCI_SECONDARY_BUS, SECONDARY_BUS);
    qpci_config_writeb(port, PCI_SUBORDINATE_BUS, SECONDARY_BUS);
    t->dev = qpci_device_find(t->pci, SECONDARY_BUS << 8);
    g_assert_nonnull(t->dev);
    qpci_device_enable(t->dev);
    t->bar = qpci_iomap(t->dev, 0, &size);
    qpci_config_writew(port, PCI_MEMORY_BASE, t->bar.addr >> 16 & 0xfff0);
    qpci_config_writew(port, PCI_MEMORY_LIMIT, t->bar.addr >> 16 & 0xfff0);
    qpci_device_enable(port);
    g_free(port);
}

/*
 * The controller goes, and its bus and the endpoint with it: half a message
 * received, half a frame written, or an answer waiting for the bus.
 */
static void test_unplug(void)
{
    static const char *const stage[] = { "message", "frame", "answer" };
    uint8_t get_eid[] = { 1, 0, GUEST_EID, 0xc8, 0x00, 0x80, 0x02 };
    uint8_t frame[MCTP_I2C_FRAME_MAX];
    size_t len = mctp_i2c_encode(ENDPOINT, OWN, get_eid, sizeof(get_eid),
                                 frame);

    for (size_t i = 0; i < ARRAY_SIZE(stage); i++) {
        DwI2c t;

        g_test_message("%s", stage[i]);
        start_behind_port(&t);
        mctp_listen(&t);
        mctp_assign(&t, ENDPOINT, EID);
        mctp_send_packet(&t, ENDPOINT, head, sizeof(head));
        switch (i) {
        case 1:
            dw_master_mode(&t, CON_LINUX_MASTER, ENDPOINT);
            dw_wr(&t, R_DATA_CMD, 0x0f);
            break;
        case 2:
            /* a repeated START ends the request, but not our transfer */
            dw_master_mode(&t, CON_LINUX_MASTER, ENDPOINT);
            for (size_t b = 1; b < len; b++) {
                dw_wr(&t, R_DATA_CMD, frame[b]);
            }
            dw_wr(&t, R_DATA_CMD, 0x0f | CMD_RESTART);
            qtest_clock_step(t.qts, 2000000);
            break;
        }
        mctp_unplug(&t, "p1", "dw");
        qtest_qmp_eventwait(t.qts, "DEVICE_DELETED");
        qtest_clock_step(t.qts, ANSWER_NS * 2);
        dw_stop(&t);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/mctp-i2c-lifecycle/" #f, test_ ## f)
#define LISTENING(f) dw_add_test("/mctp-i2c-lifecycle/" #f, test_ ## f, start)
    LISTENING(whole_message);
    LISTENING(reset_in_a_request);
    LISTENING(reset_with_an_answer_waiting);
    LISTENING(reset_in_a_frame);
    LISTENING(migrate_in_a_request);
    T(migrate_with_an_answer_waiting);
    LISTENING(migrate_in_a_frame);
    T(unplug);
    return g_test_run();
}
