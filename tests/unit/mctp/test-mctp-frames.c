/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MCTP framing on I2C and serial lines, against frames that Linux 7.3 sent
 * and took. Reference: DMTF DSP0237 (I2C), DSP0253 (serial).
 */
#include "qemu/osdep.h"
#include "mctp-test-util.h"
#include "hw/mctp/mctp_i2c_frame.h"
#include "hw/mctp/mctp_serial_frame.h"

static const struct {
    const char *name;
    uint8_t dest, source;
    const char *packet;
    const char *wire;
} i2c_frames[] = {
    { "get-eid", 0x20, 0x10, "01 00 08 c8 00 80 02",
      "40 0f 08 21 01 00 08 c8 00 80 02 5b" },
    { "get-eid-reply", 0x10, 0x20, "01 08 00 c0 00 00 02 00 00 00 00",
      "20 0f 0c 41 01 08 00 c0 00 00 02 00 00 00 00 21" },
    { "set-eid", 0x20, 0x10, "01 00 08 c8 00 81 01 00 09",
      "40 0f 0a 21 01 00 08 c8 00 81 01 00 09 31" },
    { "set-eid-reply", 0x10, 0x20, "01 08 09 c0 00 01 01 00 00 09 00",
      "20 0f 0c 41 01 08 09 c0 00 01 01 00 00 09 00 ab" },
    { "get-types", 0x20, 0x10, "01 09 08 c8 00 82 05",
      "40 0f 08 21 01 09 08 c8 00 82 05 02" },
    { "get-types-reply", 0x10, 0x20, "01 08 09 c0 00 02 05 00 02 07 08",
      "20 0f 0c 41 01 08 09 c0 00 02 05 00 02 07 08 67" },
    { "cci-identify", 0x20, 0x10,
      "01 09 08 c8 08 00 01 00 01 00 00 00 00 00 00 cd ab",
      "40 0f 12 21 01 09 08 c8 08 00 01 00 01 00 00 00 00 00 00 cd ab 8f" },
};

static void test_i2c_golden(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(i2c_frames); i++) {
        g_autoptr(GByteArray) packet = span(i2c_frames[i].packet);
        g_autoptr(GByteArray) wire = span(i2c_frames[i].wire);
        uint8_t out[MCTP_I2C_FRAME_MAX];
        MCTPI2CFrame frame;
        size_t n;

        g_test_message("%s", i2c_frames[i].name);
        n = mctp_i2c_encode(i2c_frames[i].dest, i2c_frames[i].source,
                            packet->data, packet->len, out);
        assert_span(out, n, i2c_frames[i].wire);
        g_assert_cmpint(mctp_i2c_decode(wire->data, wire->len, &frame), ==,
                        MCTP_I2C_OK);
        assert_span(frame.packet, frame.len, i2c_frames[i].packet);
        g_assert_cmphex(frame.source, ==, i2c_frames[i].source);
    }
}

static const struct {
    const char *wire;
    MCTPI2CError want;
} i2c_bad[] = {
    { "", MCTP_I2C_BAD_LENGTH },
    { "40", MCTP_I2C_BAD_LENGTH },
    { "40 0f", MCTP_I2C_BAD_LENGTH },
    { "40 01 08 21 01 00 08 c8 00 80 02 5b", MCTP_I2C_NOT_MCTP },
    { "40 10", MCTP_I2C_NOT_MCTP },
    /* header but no payload */
    { "40 0f 05 21 01 00 08 c8 00", MCTP_I2C_BAD_LENGTH },
    /* count one less, one more than there is */
    { "40 0f 07 21 01 00 08 c8 00 80 02 5b", MCTP_I2C_BAD_LENGTH },
    { "40 0f 09 21 01 00 08 c8 00 80 02 5b", MCTP_I2C_BAD_LENGTH },
    { "40 0f ff 21 01 00 08 c8 00 80 02 5b", MCTP_I2C_BAD_LENGTH },
    /* one byte cut off, one byte too many */
    { "40 0f 08 21 01 00 08 c8 00 80 02", MCTP_I2C_BAD_LENGTH },
    { "40 0f 08 21 01 00 08 c8 00 80 02 5b 00", MCTP_I2C_BAD_LENGTH },
    { "40 0f 08 21 01 00 08 c8 00 80 02 5b*300", MCTP_I2C_BAD_LENGTH },
    { "40 0f 08 21 01 00 08 c8 00 80 02 5a", MCTP_I2C_BAD_PEC },
    { "40 0f 08 21 01 00 08 c8 00 80 03 5b", MCTP_I2C_BAD_PEC },
    /* source address 0, the general call */
    { "40 0f 08 01 01 00 08 c8 00 80 02 35", MCTP_I2C_BAD_SOURCE },
    /* sent to another address */
    { "42 0f 08 21 01 00 08 c8 00 80 02 5b", MCTP_I2C_BAD_PEC },
};

static void test_i2c_bad(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(i2c_bad); i++) {
        g_autoptr(GByteArray) wire = span(i2c_bad[i].wire);
        MCTPI2CFrame frame;

        g_assert_cmpint(mctp_i2c_decode(wire->data, wire->len, &frame), ==,
                        i2c_bad[i].want);
    }
}

static void test_i2c_limits(void)
{
    uint8_t packet[MCTP_PACKET_MAX + 1] = { 1, 9, 8, 0xc8 };
    uint8_t out[MCTP_I2C_FRAME_MAX];
    MCTPI2CFrame frame;

    for (size_t len = 0; len <= sizeof(packet); len++) {
        size_t n = mctp_i2c_encode(0x20, 0x10, packet, len, out);

        if (len < 5 || len > MCTP_PACKET_MAX) {
            g_assert_cmpuint(n, ==, 0);
            continue;
        }
        g_assert_cmpuint(n, ==, len + 5);
        g_assert_cmpuint(out[2], ==, len + 1);
        g_assert_cmpint(mctp_i2c_decode(out, n, &frame), ==, MCTP_I2C_OK);
        g_assert_cmpmem(frame.packet, frame.len, packet, len);
        out[n / 2] ^= 1;
        g_assert_cmpint(mctp_i2c_decode(out, n, &frame), !=, MCTP_I2C_OK);
    }
    g_assert_cmpuint(out[2], ==, 255);
}

static void test_serial_encode_limits(void)
{
    uint8_t packet[MCTP_SERIAL_TX_MAX + 1];
    uint8_t out[MCTP_SERIAL_FRAME_MAX(MCTP_SERIAL_TX_MAX)];

    memset(packet, 0x7e, sizeof(packet));
    g_assert_cmpuint(mctp_serial_encode(packet, 4, out), ==, 0);
    g_assert_cmpuint(mctp_serial_encode(packet, sizeof(packet), out), ==, 0);
    g_assert_cmpuint(mctp_serial_encode(packet, MCTP_SERIAL_TX_MAX, out), ==,
                     sizeof(out));
}

/*
 * Line bytes in; packets out are marked by "= packet", errors by name;
 * @encodes: the line is what the packet is sent as
 */
static const struct {
    const char *name;
    const char *line;
    const char *out;
    bool encodes;
} serial_lines[] = {
    { "get-eid", "7e 01 07 01 00 08 c8 00 80 02 2b c1 7e",
      "=01 00 08 c8 00 80 02", true },
    { "escapes", "7e 01 08 01 09 08 c8 08 7d 5e 7d 5d 01 1b cd 7e",
      "=01 09 08 c8 08 7e 7d 01", true },
    { "two-frames", "7e 01 07 01 00 08 c8 00 80 02 2b c1 7e"
                    " 7e 01 07 01 00 08 c8 00 80 02 2b c1 7e",
      "=01 00 08 c8 00 80 02=01 00 08 c8 00 80 02" },
    { "shared-flag", "7e 01 07 01 00 08 c8 00 80 02 2b c1 7e"
                     " 01 07 01 00 08 c8 00 80 02 2b c1 7e",
      "=01 00 08 c8 00 80 02=01 00 08 c8 00 80 02" },
    { "idle-flags", "7e 7e 7e 01 07 01 00 08 c8 00 80 02 2b c1 7e 7e",
      "=01 00 08 c8 00 80 02" },
    { "noise-before", "00 ff 01 07 7e 01 07 01 00 08 c8 00 80 02 2b c1 7e",
      "=01 00 08 c8 00 80 02" },
    { "bad-fcs", "7e 01 07 01 00 08 c8 00 80 02 2b c0 7e", "F" },
    { "damaged-byte", "7e 01 07 01 00 08 c9 00 80 02 2b c1 7e", "F" },
    { "bad-fcs-then-good", "7e 01 07 01 00 08 c8 00 80 02 2b c0 7e"
                           " 7e 01 07 01 00 08 c8 00 80 02 2b c1 7e",
      "F=01 00 08 c8 00 80 02" },
    { "flag-in-data", "7e 01 07 01 00 08 7e"
                      " 01 07 01 00 08 c8 00 80 02 2b c1 7e",
      "A=01 00 08 c8 00 80 02" },
    { "flag-after-escape", "7e 01 07 01 00 7d 7e"
                           " 01 07 01 00 08 c8 00 80 02 2b c1 7e",
      "A=01 00 08 c8 00 80 02" },
    { "flag-as-length", "7e 01 7e 01 07 01 00 08 c8 00 80 02 2b c1 7e",
      "A=01 00 08 c8 00 80 02" },
    { "revision", "7e 02 07 01 00 08 c8 00 80 02 2b c1 7e", "H" },
    { "length-without-payload", "7e 01 04 01 00 08 c8 2b c1 7e", "H" },
    { "length-zero", "7e 01 00 7e", "H" },
    { "no-closing-flag", "7e 01 07 01 00 08 c8 00 80 02 2b c1 00"
                         " 7e 01 07 01 00 08 c8 00 80 02 2b c1 7e",
      "E=01 00 08 c8 00 80 02" },
    { "half-a-frame", "7e 01 07 01 00 08 c8 00", "" },
};

static void test_serial_lines(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(serial_lines); i++) {
        g_autoptr(GByteArray) line = span(serial_lines[i].line);
        g_autoptr(GString) out = g_string_new(NULL);
        MCTPSerialParser p = { 0 };

        for (size_t n = 0; n < line->len; n++) {
            MCTPSerialEvent e = mctp_serial_feed(&p, line->data[n]);

            g_assert_true(mctp_serial_valid(&p));
            if (e == MCTP_SERIAL_PACKET) {
                g_autofree char *text = hex(p.packet, p.len);

                g_string_append_printf(out, "=%s", text);
            } else if (e != MCTP_SERIAL_MORE) {
                g_string_append_c(out, ".-NHAFE"[e]);
            }
        }
        g_test_message("%s", serial_lines[i].name);
        g_assert_cmpstr(out->str, ==, serial_lines[i].out);
        if (serial_lines[i].encodes) {
            uint8_t wire[MCTP_SERIAL_FRAME_MAX(MCTP_SERIAL_TX_MAX)];
            size_t n = mctp_serial_encode(p.packet, p.len, wire);

            assert_span(wire, n, serial_lines[i].line);
        }
    }
}

/* An FCS that looks like a flag or an escape is sent and taken as it is */
static void test_serial_fcs_is_not_escaped(void)
{
    unsigned flags = 0, escapes = 0;

    for (unsigned v = 0; v < 0x10000; v++) {
        const uint8_t packet[] = { 1, 9, 8, 0xc8, v >> 8, v & 0xff };
        uint8_t out[MCTP_SERIAL_FRAME_MAX(sizeof(packet))];
        size_t n = mctp_serial_encode(packet, sizeof(packet), out);
        MCTPSerialParser p = { 0 };
        MCTPSerialEvent e = MCTP_SERIAL_MORE;

        flags += out[n - 3] == 0x7e || out[n - 2] == 0x7e;
        escapes += out[n - 3] == 0x7d || out[n - 2] == 0x7d;
        for (size_t i = 0; i < n; i++) {
            g_assert_cmpint(e, ==, MCTP_SERIAL_MORE);
            e = mctp_serial_feed(&p, out[i]);
        }
        g_assert_cmpint(e, ==, MCTP_SERIAL_PACKET);
        g_assert_cmpmem(p.packet, p.len, packet, sizeof(packet));
    }
    g_assert_cmpuint(flags, >, 0);
    g_assert_cmpuint(escapes, >, 0);
}

/* Whatever came before, the second whole frame is understood */
static void test_serial_back_in_step(void)
{
    g_autoptr(GByteArray) frame =
        span("7e 01 07 01 00 08 c8 00 80 02 2b c1 7e");
    g_autoptr(GRand) rand = g_rand_new_with_seed(g_test_rand_int());

    for (unsigned round = 0; round < 2000; round++) {
        MCTPSerialParser p = { 0 };
        MCTPSerialEvent e = MCTP_SERIAL_MORE;
        unsigned noise = g_rand_int_range(rand, 0, 600);

        while (noise--) {
            mctp_serial_feed(&p, g_rand_int_range(rand, 0, 4) ?
                             g_rand_int(rand) : 0x7e);
            g_assert_true(mctp_serial_valid(&p));
        }
        /* a frame under way may swallow up to its 255 bytes and trailer */
        for (unsigned i = 0; i < 300; i++) {
            mctp_serial_feed(&p, 0x55);
        }
        for (unsigned i = 0; i < frame->len; i++) {
            e = mctp_serial_feed(&p, frame->data[i]);
        }
        g_assert_cmpint(e, ==, MCTP_SERIAL_PACKET);
    }
}

/*
 * Frames of packets full of flags and escapes. Some are spoilt, with noise and
 * then flags behind, enough to be between frames wherever it was; the others
 * are @sound.
 */
static GByteArray *random_line(GRand *rand, GPtrArray *sound)
{
    GByteArray *line = g_byte_array_new();

    for (unsigned n = 0; n < 20; n++) {
        uint8_t packet[MCTP_SERIAL_TX_MAX];
        uint8_t out[MCTP_SERIAL_FRAME_MAX(sizeof(packet))];
        size_t len = g_rand_int_range(rand, 5, sizeof(packet) + 1), wire;
        int plain = g_rand_int_range(rand, 1, 40);

        for (size_t i = 0; i < len; i++) {
            packet[i] = g_rand_int_range(rand, 0, plain) ? g_rand_int(rand) :
                        0x7d + i % 2;
        }
        wire = mctp_serial_encode(packet, len, out);
        if (g_rand_int_range(rand, 0, 3)) {
            g_ptr_array_add(sound, g_byte_array_append(g_byte_array_new(),
                                                       packet, len));
            g_byte_array_append(line, out, wire);
        } else {
            unsigned noise = g_rand_int_range(rand, 1, 40);

            out[g_rand_int_range(rand, 0, wire)] ^=
                g_rand_int_range(rand, 1, 256);
            g_byte_array_append(line, out, wire);
            while (noise--) {
                uint8_t byte = g_rand_int(rand);

                g_byte_array_append(line, &byte, 1);
            }
            g_byte_array_append(line, (const uint8_t *)"~~~~", 4);
        }
    }
    return line;
}

/*
 * However a line is cut, it means what it means byte by byte: each sound frame
 * is given back, and whatever else is, is sound by its FCS
 */
static void test_serial_scan_is_feed(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(g_test_rand_int());
    unsigned errors = 0, others = 0;

    for (unsigned round = 0; round < 2500; round++) {
        g_autoptr(GPtrArray) sound = g_ptr_array_new_with_free_func(
            (GDestroyNotify)g_byte_array_unref);
        g_autoptr(GByteArray) line = random_line(rand, sound);
        MCTPSerialParser one = { 0 }, many = { 0 };
        unsigned found = 0;

        for (size_t at = 0; at < line->len;) {
            size_t piece = MIN(g_rand_int_range(rand, 1, 400),
                               line->len - at);
            MCTPSerialEvent e = MCTP_SERIAL_MORE, event;
            size_t taken = mctp_serial_scan(&many, line->data + at, piece,
                                            &event);

            g_assert_cmpuint(taken, >, 0);
            g_assert_cmpuint(taken, <=, piece);
            g_assert_true(taken == piece || event != MCTP_SERIAL_MORE);
            for (size_t i = 0; i < taken; i++) {
                g_assert_cmpint(e, ==, MCTP_SERIAL_MORE);
                e = mctp_serial_feed(&one, line->data[at + i]);
                g_assert_cmpint(e, <, MCTP_SERIAL__COUNT);
                g_assert_true(mctp_serial_valid(&one));
            }
            g_assert_cmpint(e, ==, event);
            g_assert_cmpmem(&one, sizeof(one), &many, sizeof(many));
            errors += e > MCTP_SERIAL_PACKET;
            at += taken;
            if (e == MCTP_SERIAL_PACKET) {
                const GByteArray *next = found == sound->len ? NULL :
                                         g_ptr_array_index(sound, found);
                bool is_next = next && one.len == next->len &&
                               !memcmp(one.packet, next->data, next->len);

                g_assert_cmpuint(one.len, >, MCTP_HEADER_BYTES);
                found += is_next;
                others += !is_next;
            }
        }
        g_assert_cmpuint(found, ==, sound->len);
    }
    g_assert_cmpuint(errors, >, 0);
    /* an FCS of 16 bits misses one in 65536 */
    g_assert_cmpuint(others, <, 20);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mctp/i2c/golden", test_i2c_golden);
    g_test_add_func("/mctp/i2c/bad", test_i2c_bad);
    g_test_add_func("/mctp/i2c/limits", test_i2c_limits);
    g_test_add_func("/mctp/serial/encode-limits", test_serial_encode_limits);
    g_test_add_func("/mctp/serial/lines", test_serial_lines);
    g_test_add_func("/mctp/serial/fcs-not-escaped",
                    test_serial_fcs_is_not_escaped);
    g_test_add_func("/mctp/serial/back-in-step", test_serial_back_in_step);
    g_test_add_func("/mctp/serial/scan-is-feed", test_serial_scan_is_feed);
    return g_test_run();
}
