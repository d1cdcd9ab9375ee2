/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MCTP in USB bulk transfers: what is found in a transfer, and where its rest
 * is given up. Reference: DMTF DSP0283 1.0; verdicts as Linux 7.3 has them.
 */
#include "qemu/osdep.h"
#include "mctp-test-util.h"
#include "hw/mctp/mctp_usb_frame.h"

/* Get Endpoint ID, as a packet and in a transfer */
#define GET_EID     "01 00 08 c8 00 80 02"
#define G           "1a b4 00 0b " GET_EID " "

/*
 * Bytes of one transfer in; packets out are marked by "=", a bare header by
 * "-", and what ended the transfer by name: nothing, S(hort), I(D), L(ength)
 */
static const struct {
    const char *transfer;
    const char *out;
} transfers[] = {
    { "", "" },
    { G, "=" GET_EID },
    { G G G, "=" GET_EID "=" GET_EID "=" GET_EID },
    /* the header is not there, or not all of it */
    { "1a", "S" },
    { "1a b4", "S" },
    { "1a b4 00", "S" },
    { G "1a", "=" GET_EID "S" },
    { G "00 00 00", "=" GET_EID "S" },
    /* the identifier */
    { "1b b4 00 0b " GET_EID, "I" },
    { "1a b5 00 0b " GET_EID, "I" },
    { "b4 1a 00 0b " GET_EID, "I" },
    { "00*512", "I" },
    { G "00*501", "=" GET_EID "I" },
    /* no search for the next packet */
    { "1b b4 00 0b " GET_EID " " G, "I" },
    { G "1a b4 00 07 01 00 08 " G, "=" GET_EID "L" },
    /* lengths that leave no room for a packet */
    { "1a b4 00 00 01 00 08 c8 00 80 02", "L" },
    { "1a b4 00 01 01 00 08 c8 00 80 02", "L" },
    { "1a b4 00 03 01 00 08 c8 00 80 02", "L" },
    { "1a b4 00 04 01 00 08 c8 00 80 02", "L" },
    { "1a b4 00 07 01 00 08 c8 00 80 02", "L" },
    { "1a b4 00 04", "L" },
    /* ... or a bare header */
    { "1a b4 00 08 01 00 08 c8", "-" },
    { "1a b4 00 08 01 00 08 c8 " G, "-=" GET_EID },
    { "1a b4 00 09 01 00 08 c8 05", "=01 00 08 c8 05" },
    /* more than there is */
    { "1a b4 00 08", "L" },
    { "1a b4 00 0c " GET_EID, "L" },
    { "1a b4 00 ff " GET_EID, "L" },
    { "1a b4 00 ff", "L" },
    /* ... and less: the rest is no packet */
    { "1a b4 00 0a " GET_EID, "=01 00 08 c8 00 80S" },
    /* reserved bits, which are the length's in version 1.1 */
    { "1a b4 ff 0b " GET_EID, "=" GET_EID },
    { "1a b4 01 0b " GET_EID, "=" GET_EID },
};

static char *take_apart(const uint8_t *data, size_t len)
{
    GString *out = g_string_new(NULL);
    MCTPUSBVerdict verdict;
    MCTPUSBFrame f;

    while ((verdict = mctp_usb_decode(data, len, &f)) == MCTP_USB_PACKET) {
        g_autofree char *text = hex(f.packet, f.len);

        g_assert_true(f.packet == data + MCTP_USB_PREFIX);
        g_assert_cmpuint(f.taken, ==, MCTP_USB_PREFIX + f.len);
        g_assert_cmpuint(f.taken, <=, len);
        if (f.len == MCTP_HEADER_BYTES) {
            g_string_append_c(out, '-');
        } else {
            g_string_append_printf(out, "=%s", text);
        }
        data += f.taken;
        len -= f.taken;
    }
    if (verdict != MCTP_USB_END) {
        g_string_append_c(out, "..SIL"[verdict]);
    }
    return g_string_free(out, FALSE);
}

static void test_transfers(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(transfers); i++) {
        g_autoptr(GByteArray) bytes = span(transfers[i].transfer);
        /* memory of its own, so that a sanitizer sees a byte too many read */
        g_autofree uint8_t *copy = g_memdup2(bytes->data, bytes->len);
        g_autofree char *out = take_apart(copy, bytes->len);

        g_test_message("%s", transfers[i].transfer);
        g_assert_cmpstr(out, ==, transfers[i].out);
    }
}

static void test_limits(void)
{
    uint8_t packet[MCTP_USB_PACKET_MAX + 1] = { 1, 9, 8, 0xc8 };
    uint8_t out[MCTP_USB_FRAME_MAX];
    MCTPUSBFrame f;

    for (size_t len = 0; len <= sizeof(packet); len++) {
        size_t n = mctp_usb_encode(packet, len, out, sizeof(out));

        if (len < 5 || len > MCTP_USB_PACKET_MAX) {
            g_assert_cmpuint(n, ==, 0);
            continue;
        }
        g_assert_cmpuint(n, ==, len + 4);
        g_assert_cmphex(out[2], ==, 0);
        g_assert_cmpuint(out[3], ==, n);
        g_assert_cmpuint(mctp_usb_encode(packet, len, out, n), ==, n);
        g_assert_cmpuint(mctp_usb_encode(packet, len, out, n - 1), ==, 0);
        g_assert_cmpint(mctp_usb_decode(out, n, &f), ==, MCTP_USB_PACKET);
        g_assert_cmpmem(f.packet, f.len, packet, len);
        g_assert_cmpint(mctp_usb_decode(out, n - 1, &f), ==,
                        MCTP_USB_BAD_LENGTH);
    }
    g_assert_cmpuint(out[3], ==, 255);
}

/* Sizes of packets that fill transfers, and how many fit into each */
static const struct {
    unsigned len;
    unsigned fit;
} sizes[] = {
    { 5, 56 }, { 7, 46 }, { 68, 7 }, { 124, 4 }, { 125, 3 }, { 251, 2 },
};

static void test_packing(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        uint8_t transfer[MCTP_USB_TRANSFER_MAX], packet[MCTP_USB_PACKET_MAX];
        size_t at = 0, n, left;
        unsigned count = 0;
        MCTPUSBFrame f;

        do {
            memset(packet, count, sizeof(packet));
            n = mctp_usb_encode(packet, sizes[i].len, transfer + at,
                                sizeof(transfer) - at);
            at += n;
            count += n > 0;
        } while (n);
        g_assert_cmpuint(count, ==, sizes[i].fit);
        for (unsigned k = 0, from = 0; k < count; k++, from += f.taken) {
            left = at - from;
            g_assert_cmpint(mctp_usb_decode(transfer + from, left, &f), ==,
                            MCTP_USB_PACKET);
            g_assert_cmpuint(f.len, ==, sizes[i].len);
            g_assert_cmphex(f.packet[0], ==, k);
        }
    }
}

/* Whatever is spoilt, a walk over it ends inside of it */
static void test_spoilt(void)
{
    g_autoptr(GByteArray) sound = span(G "1a b4 00 48 5a*68 |" G);
    g_autoptr(GRand) rand = g_rand_new_with_seed(g_test_rand_int());

    for (unsigned round = 0; round < 20000; round++) {
        size_t len = g_rand_int_range(rand, 0, sound->len + 1);
        g_autofree uint8_t *bytes = g_memdup2(sound->data, len);

        for (unsigned n = g_rand_int_range(rand, 0, 4); n && len; n--) {
            bytes[g_rand_int_range(rand, 0, len)] = g_rand_int(rand);
        }
        g_free(take_apart(bytes, len));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mctp/usb/transfers", test_transfers);
    g_test_add_func("/mctp/usb/limits", test_limits);
    g_test_add_func("/mctp/usb/packing", test_packing);
    g_test_add_func("/mctp/usb/spoilt", test_spoilt);
    return g_test_run();
}
