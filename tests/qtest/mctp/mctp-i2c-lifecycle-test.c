/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * i2c_mctp_cxl: reset, migration and unplug in the middle of frames, and with
 * answers that wait for the bus; for messages see mctp-line-life-test.c.
 * Reference: DMTF DSP0236 8; CXL r3.2 7.6.3.
 */
#include "qemu/osdep.h"
#include "mctp-line.h"
#include "hw/mctp/mctp_i2c_frame.h"

#define ENDPOINT LINE_ADDRESS(0)

static const LineSetup setup = {
    .machine = MCTP_MACHINE, .target = { "us0" },
};

/* Bytes of a frame that follow the address byte */
static size_t frame_of(const void *packet, size_t len, uint8_t *bytes)
{
    uint8_t frame[MCTP_I2C_FRAME_MAX];
    size_t n = mctp_i2c_encode(ENDPOINT, OWN, packet, len, frame);

    g_assert_cmpuint(n, >, 1);
    memcpy(bytes, frame + 1, n - 1);
    return n - 1;
}

/* That of the second packet of line_halves() */
static size_t second_half(Line *l, uint8_t *bytes)
{
    g_autoptr(GPtrArray) packets = line_halves(l->eid);
    const GByteArray *packet = g_ptr_array_index(packets, 1);

    return frame_of(packet->data, packet->len, bytes);
}

static size_t get_eid(uint8_t *bytes)
{
    const uint8_t packet[] = { 1, 0, PEER_EID, 0xc8, 0x00, 0x80, 0x02 };

    return frame_of(packet, sizeof(packet), bytes);
}

static void put(DwI2c *t, const uint8_t *bytes, size_t from, size_t to,
                uint32_t last)
{
    for (size_t i = from; i < to; i++) {
        dw_wr(t, R_DATA_CMD, bytes[i] | (i == to - 1 ? last : 0));
    }
}

static void test_reset_with_an_answer_waiting(LineTest *t, Line *l)
{
    uint8_t bytes[MCTP_I2C_FRAME_MAX];
    size_t len = second_half(l, bytes);

    line_half(l, l->eid, 0);
    dw_write_bytes(&t->i2c, ENDPOINT, bytes, len);
    line_reset(t);
    g_assert_null(mctp_receive_frame(&t->i2c, 10000000));
}

/* Reset while a write to the endpoint is open on the bus */
static void test_reset_in_a_frame(LineTest *t, Line *l)
{
    dw_master_mode(&t->i2c, CON_LINUX_MASTER, ENDPOINT);
    dw_wr(&t->i2c, R_DATA_CMD, 0x0f);
    dw_wr(&t->i2c, R_DATA_CMD, 0x08);
    line_reset(t);
}

/* The answer is refused, waits, and comes after the migration */
static void test_migrate_with_an_answer_waiting(LineTest *t, Line *l)
{
    uint8_t bytes[MCTP_I2C_FRAME_MAX];
    size_t len = second_half(l, bytes);

    line_half(l, l->eid, 0);
    /* a driver that shuts down */
    dw_wr(&t->i2c, R_CON, CON_LINUX_TARGET | CON_TARGET_DISABLE);
    dw_write_bytes(&t->i2c, ENDPOINT, bytes, len);
    dw_disable(&t->i2c);
    for (int i = 0; i < 100; i++) {
        qtest_clock_step(t->i2c.qts, 1000000);
        dw_pump(&t->i2c);
    }
    line_migrate(t);
    mctp_listen(&t->i2c);
    line_whole(l);
}

/* The frame itself is half written: its rest goes to the destination */
static void test_migrate_in_a_frame(LineTest *t, Line *l)
{
    uint8_t bytes[MCTP_I2C_FRAME_MAX];
    size_t len = second_half(l, bytes);

    line_half(l, l->eid, 0);
    dw_master_mode(&t->i2c, CON_LINUX_MASTER, ENDPOINT);
    put(&t->i2c, bytes, 0, len / 2, 0);
    line_migrate(t);
    put(&t->i2c, bytes, len / 2, len, CMD_STOP);
    g_assert_cmphex(dw_rd(&t->i2c, R_TX_ABRT_SOURCE), ==, 0);
    dw_target_mode(&t->i2c, OWN);
    line_whole(l);
}

#define UNPLUG_MACHINE \
    "-M q35,cxl=on -nodefaults -display none " \
    "-device pcie-root-port,id=p1,bus=pcie.0,addr=08.0,chassis=7,slot=7 " \
    "-device dw-i2c-pci,id=dw,bus=p1 " \
    "-device pxb-cxl,id=hb0,bus=pcie.0,bus_nr=52 " \
    "-device cxl-rp,id=rp0,bus=hb0,port=0,chassis=0,slot=0 " \
    "-device cxl-upstream,id=us0,bus=rp0,addr=0.0 " \
    "-device i2c_mctp_cxl,bus=dw.0,address=0x20,target=us0,eid=9"

/* The controller in a slot that lets go of it */
static void start_behind_port(DwI2c *t)
{
    *t = (DwI2c) { .qts = qtest_init(UNPLUG_MACHINE) };
    t->pci = qpci_new_pc(t->qts, NULL);
    mctp_find_behind_port(t, QPCI_DEVFN(8, 0), 1);
    line_i2c.start(t);
}

/*
 * The controller goes, and its bus and the endpoint with it: half a message
 * received, half a frame written, or an answer waiting for the bus.
 */
static void test_unplug(void)
{
    static const char *const stage[] = { "message", "frame", "answer" };
    uint8_t bytes[MCTP_I2C_FRAME_MAX];
    size_t len = get_eid(bytes);

    for (size_t i = 0; i < ARRAY_SIZE(stage); i++) {
        Line *l;
        DwI2c t;

        g_test_message("%s", stage[i]);
        start_behind_port(&t);
        l = line_i2c.open(0);
        line_half(l, l->eid, 0);
        if (i > 0) {
            dw_master_mode(&t, CON_LINUX_MASTER, ENDPOINT);
        }
        if (i == 2) {
            /* a repeated START ends the request, but not our transfer */
            put(&t, bytes, 0, len, 0);
            dw_wr(&t, R_DATA_CMD, 0x0f | CMD_RESTART);
            qtest_clock_step(t.qts, 2000000);
        } else if (i == 1) {
            dw_wr(&t, R_DATA_CMD, 0x0f);
        }
        mctp_unplug(&t, "p1", "dw");
        qtest_qmp_eventwait(t.qts, "DEVICE_DELETED");
        qtest_clock_step(t.qts, ANSWER_NS * 2);
        line_close(l);
        dw_stop(&t);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) line_add_test(&line_i2c, "lifecycle/" #f, &setup, test_ ## f)
    T(reset_with_an_answer_waiting);
    T(reset_in_a_frame);
    T(migrate_with_an_answer_waiting);
    T(migrate_in_a_frame);
    qtest_add_func("/mctp-i2c/lifecycle/unplug", test_unplug);
    return line_test_main();
}
