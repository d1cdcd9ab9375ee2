/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * i2c_mctp_cxl on the bus: enumeration, frames that are wrong, answers that
 * are refused. Reference: DMTF DSP0236, DSP0237.
 */
#include "qemu/osdep.h"
#include "mctp-guest.h"
#include "hw/mctp/mctp_i2c_frame.h"

#define ENDPOINT 0x20

#define ONE_ENDPOINT \
    MCTP_MACHINE "-device i2c_mctp_cxl,id=ep0,bus=dw.0,address=0x20,target=us0"

/* Get Endpoint ID as recorded from Linux, and the answer */
#define GET_EID "40 0f 08 21 01 00 08 c8 00 80 02 5b"
#define NO_EID "20 0f 0c 41 01 08 00 c0 00 00 02 00 00 00 00 21"

/* The guest's driver is not bound yet */
static void start_deaf(DwI2c *t)
{
    dw_start_args(t, ONE_ENDPOINT);
}

static void start(DwI2c *t)
{
    start_deaf(t);
    mctp_listen(t);
}

static GByteArray *from_hex(const char *text)
{
    GByteArray *out = g_byte_array_new();
    g_auto(GStrv) word = g_strsplit(text, " ", -1);

    for (size_t i = 0; word[i]; i++) {
        uint8_t byte = g_ascii_strtoull(word[i], NULL, 16);

        g_byte_array_append(out, &byte, 1);
    }
    return out;
}

/* A frame as it goes over the wire, address byte first */
static void send_wire(DwI2c *t, const char *wire)
{
    g_autoptr(GByteArray) bytes = from_hex(wire);

    dw_write_bytes(t, bytes->data[0] >> 1, bytes->data + 1, bytes->len - 1);
    dw_target_mode(t, OWN);
}

static void expect_wire(DwI2c *t, const char *wire)
{
    g_autoptr(GByteArray) frame = mctp_receive_frame(t, ANSWER_NS);
    g_autoptr(GByteArray) want = from_hex(wire);

    g_assert_nonnull(frame);
    g_assert_cmpmem(frame->data, frame->len, want->data, want->len);
}

static void expect_nothing(DwI2c *t)
{
    g_autoptr(GByteArray) frame = mctp_receive_frame(t, 10000000);

    g_assert_null(frame);
}

/* Frames that were recorded from an unmodified Linux with mctpd */
static void test_enumeration(DwI2c *t)
{
    send_wire(t, GET_EID);
    expect_wire(t, NO_EID);
    send_wire(t, "40 0f 0a 21 01 00 08 c8 00 81 01 00 09 31");
    expect_wire(t, "20 0f 0c 41 01 08 09 c0 00 01 01 00 00 09 00 ab");
    send_wire(t, "40 0f 08 21 01 09 08 c8 00 82 05 02");
    expect_wire(t, "20 0f 0c 41 01 08 09 c0 00 02 05 00 02 07 08 67");
}

/*
 * Nothing of a write is refused, as Linux would not send it again; nothing
 * wrong is answered, and the endpoint goes on working. dw_write_bytes()
 * asserts that every byte was acknowledged.
 */
static void test_bad_frames(DwI2c *t)
{
    static const char *const bad[] = {
        /* PEC, count too small, count too large, no payload */
        "40 0f 08 21 01 00 08 c8 00 80 02 5c",
        "40 0f 07 21 01 00 08 c8 00 80 02 5b",
        "40 0f 09 21 01 00 08 c8 00 80 02 5b",
        "40 0f 05 21 01 00 08 c8 00",
        /* another SMBus command, nearly nothing */
        "40 01 08 21 01 00 08 c8 00 80 02 5b",
        "40 0f",
        "40 00",
        /* source address 0, the general call */
        "40 0f 08 01 01 00 08 c8 00 80 02 35",
    };
    uint8_t longest[600];

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        send_wire(t, bad[i]);
        expect_nothing(t);
    }
    memset(longest, 0x0f, sizeof(longest));
    dw_write_bytes(t, ENDPOINT, longest, sizeof(longest));
    dw_target_mode(t, OWN);
    expect_nothing(t);

    send_wire(t, GET_EID);
    expect_wire(t, NO_EID);
}

static void test_reads_are_refused(DwI2c *t)
{
    dw_master_mode(t, CON_LINUX_MASTER, ENDPOINT);
    dw_wr(t, R_DATA_CMD, CMD_READ | CMD_STOP);
    g_assert_cmphex(dw_rd(t, R_TX_ABRT_SOURCE), ==, 1);
    dw_rd(t, R_CLR_TX_ABRT);
    mctp_listen(t);
    send_wire(t, GET_EID);
    expect_wire(t, NO_EID);
}

/* Two requests back to back before the first answer is taken */
static void test_second_request_while_answering(DwI2c *t)
{
    send_wire(t, GET_EID);
    send_wire(t, "40 0f 0a 21 01 00 08 c9 00 81 01 00 09 18");
    expect_wire(t, NO_EID);
    expect_wire(t, "20 0f 0c 41 01 08 09 c1 00 01 01 00 00 09 00 b8");
    expect_nothing(t);
}

/* As master only, nobody is at the source address: the answer is refused */
static void send_deaf(DwI2c *t)
{
    g_autoptr(GByteArray) get_eid =
        from_hex("0f 08 21 01 00 08 c8 00 80 02 5b");

    dw_write_bytes(t, ENDPOINT, get_eid->data, get_eid->len);
    dw_disable(t);
}

static void pass_time(DwI2c *t, int64_t ns)
{
    for (; ns > 0; ns -= 1000000) {
        qtest_clock_step(t->qts, MIN(ns, 1000000));
        dw_pump(t);
    }
}

static void test_refused_answer_comes_again(DwI2c *t)
{
    send_deaf(t);
    pass_time(t, 1500 * 1000000LL);
    mctp_listen(t);
    expect_wire(t, NO_EID);
    expect_nothing(t);
}

static void test_refused_answer_is_given_up(DwI2c *t)
{
    send_deaf(t);
    pass_time(t, 2010 * 1000000LL);
    mctp_listen(t);
    expect_nothing(t);
    /* and the next one is a fresh start */
    send_wire(t, GET_EID);
    expect_wire(t, NO_EID);
}

/*
 * A repeated START ends the request, but the guest keeps the bus: the answer
 * has to wait, and must neither disturb the transfer nor be lost.
 */
static void test_bus_is_taken(DwI2c *t)
{
    g_autoptr(GByteArray) get_eid =
        from_hex("0f 08 21 01 00 08 c8 00 80 02 5b");

    dw_master_mode(t, CON_LINUX_MASTER, ENDPOINT);
    for (size_t i = 0; i < get_eid->len; i++) {
        dw_wr(t, R_DATA_CMD, get_eid->data[i]);
    }
    dw_wr(t, R_DATA_CMD, get_eid->data[0] | CMD_RESTART);
    pass_time(t, 20 * 1000000);
    g_assert_cmphex(dw_rd(t, R_STATUS) & ST_MASTER, ==, ST_MASTER);
    /* the open write is a request as good as the first */
    for (size_t i = 1; i < get_eid->len; i++) {
        dw_wr(t, R_DATA_CMD, get_eid->data[i] |
              (i == get_eid->len - 1 ? CMD_STOP : 0));
    }
    g_assert_cmphex(dw_rd(t, R_TX_ABRT_SOURCE), ==, 0);
    dw_target_mode(t, OWN);
    /* same tag: the newer request has taken the place of the older */
    expect_wire(t, NO_EID);
    expect_nothing(t);
}

static const struct {
    const char *name;
    const char *args;
    const char *error;
} bad_args[] = {
    { "no-target", "address=5", "property 'target' is not set" },
    { "no-address", "target=us0",
      "'address' is 0x00: give one from 0x03 to 0x77" },
    { "address", "address=0x78,target=us0",
      "'address' is 0x78: give one from 0x03 to 0x77" },
    { "address-taken", "id=ep1,address=0x20,target=us0",
      "'address' of 'ep1' is 0x20, which 'ep0' on the same bus has" },
    { "address-taken-no-id", "address=0x20,target=us0",
      "'address' of '(no id)' is 0x20, which 'ep0' on the same bus has" },
    { "eid-taken",
      "id=ep1,address=0x21,target=us0,eid=20 "
      "-device i2c_mctp_cxl,id=ep2,bus=dw.0,address=0x22,target=us0,eid=20",
      "'eid' of 'ep2' is 20, which 'ep1' on the same bus has" },
    { "target", "address=5,target=rp0",
      "'target' is 'rp0', which is a cxl-rp" },
    { "eid-reserved", "address=5,target=us0,eid=7",
      "'eid' is 7: give a number from 8 to 254" },
    { "eid-broadcast", "address=5,target=us0,eid=255",
      "'eid' is 255: give a number from 8 to 254" },
    { "unit-small", "address=5,target=us0,x-transmission-unit=63",
      "'x-transmission-unit' is 63: give a number from 64 to 250" },
    { "unit-large", "address=5,target=us0,x-transmission-unit=251",
      "'x-transmission-unit' is 251: give a number from 64 to 250" },
};

static void test_bad_arguments(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(bad_args); i++) {
        g_autofree char *line = g_strdup_printf(
            "%s " ONE_ENDPOINT " -S -device i2c_mctp_cxl,bus=dw.0,%s",
            getenv("QTEST_QEMU_BINARY"), bad_args[i].args);
        g_autofree char *err = NULL;
        int status = 0;

        g_assert_true(g_spawn_command_line_sync(line, NULL, &err, &status,
                                                NULL));
        g_test_message("%s", bad_args[i].name);
        g_assert_true(WIFEXITED(status));
        g_assert_cmpint(WEXITSTATUS(status), ==, 1);
        g_assert_nonnull(strstr(err, bad_args[i].error));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define DEAF(f) dw_add_test("/mctp-i2c/" #f, test_ ## f, start_deaf)
#define LISTENING(f) dw_add_test("/mctp-i2c/" #f, test_ ## f, start)
    LISTENING(enumeration);
    LISTENING(bad_frames);
    DEAF(reads_are_refused);
    LISTENING(second_request_while_answering);
    DEAF(refused_answer_comes_again);
    DEAF(refused_answer_is_given_up);
    LISTENING(bus_is_taken);
    qtest_add_func("/mctp-i2c/bad_arguments", test_bad_arguments);
    return g_test_run();
}
