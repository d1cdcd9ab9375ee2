/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usb-cxl-mctp and the guests that it may meet: descriptors, exact bytes,
 * transfers of every length and content, guests that never read.
 * Reference: DMTF DSP0236, DSP0283 1.0; USB 2.0 9; CXL r3.2 7.6.3.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "hw/mctp/mctp_usb_frame.h"
#include "tests/qtest/cxl/cxl-log-uuids.h"
#include "tests/unit/mctp/mctp-test-util.h"
#include "mctp-usb-line.h"

/* Get Endpoint ID as recorded from Linux, in a transfer, and what goes back */
#define GET_EID     "01 00 08 c8 00 80 02"
#define G           "1a b4 00 0b " GET_EID " "
#define ANSWER      "1a b4 00 0f 01 08 09 c0 00 00 02 00 09 02 00"

/* Line 0 to a switch, line 1 to a memory device */
#define SETUP(unit) { \
    .machine = MCTP_MACHINE \
        "-object memory-backend-ram,id=vmem,size=256M " \
        "-device cxl-type3,id=mem0,bus=pcie.0,addr=07.0," \
        "volatile-memdev=vmem,sn=0x99 " \
        "-device piix3-usb-uhci,id=full,bus=pcie.0,addr=03.0 " \
        "-device usb-ehci,id=fast,bus=pcie.0,addr=02.0 ", \
    .target = { "us0", "mem0" unit }, \
}

static const LineSetup setup = SETUP("");

static void write_span(Line *l, const char *text)
{
    g_autoptr(GByteArray) bytes = span(text);

    usb_write(l, bytes->data, bytes->len);
}

static void ends(Line *l, unsigned endpoint, unsigned code)
{
    g_assert_cmpuint(xhci_wait(usb_device(l), endpoint).code, ==, code);
}

static void expect_transfer(Line *l, const char *bytes)
{
    g_autoptr(GByteArray) transfer = usb_read(l);

    assert_span(transfer->data, transfer->len, bytes);
}

static void test_descriptors(LineTest *t, Line *l)
{
    static const uint8_t device[] = {
        18, 1, 0x00, 0x02, 0, 0, 0, 64, 0xf4, 0x46, 0x06, 0x00, 0x00, 0x01,
        1, 2, 3, 1,
    };
    static const uint8_t config[] = {
        9, 2, 32, 0, 1, 1, 0, 0xa0, 50,
        9, 4, 0, 0, 2, 0x14, 0x00, 0x01, 4,
        7, 5, 0x81, 2, 0x00, 0x02, 0,
        7, 5, 0x01, 2, 0x00, 0x02, 0,
    };
    uint8_t buf[255];

    for (int type = 1; type <= 2; type++) {
        uint16_t len = sizeof(buf);

        g_assert_cmpuint(xhci_control(usb_device(l), 0x80, 6, type << 8, 0,
                                      buf, &len), ==, XHCI_SUCCESS);
        if (type == 1) {
            g_assert_cmpmem(buf, len, device, sizeof(device));
        } else {
            g_assert_cmpmem(buf, len, config, sizeof(config));
        }
    }
    for (int string = 1; string <= 4; string++) {
        uint16_t len = sizeof(buf);

        g_assert_cmpuint(xhci_control(usb_device(l), 0x80, 6, 0x300 | string,
                                      0x409, buf, &len), ==, XHCI_SUCCESS);
        g_assert_cmpuint(len, >, 4);
    }
}

/* Requests that the device does not know are refused, and change nothing */
static void test_control_requests(LineTest *t, Line *l)
{
    static const struct {
        uint8_t type, request;
        uint16_t value, index, len;
    } unknown[] = {
        { 0x21, 1, 0, 0, 0 }, { 0xa1, 1, 0, 0, 8 }, { 0x40, 1, 0, 0, 0 },
        { 0xc0, 1, 0, 0, 8 }, { 0xc0, 'Q', 0, 4, 64 },
        { 0x80, 6, 0xff00, 0, 8 },
        { 0x01, 11, 1, 0, 0 }, { 0x01, 11, 0, 1, 0 },
        { 0x02, 1, 1, 0x81, 0 }, { 0x02, 3, 0, 0x81, 0 },
        { 0x80, 6, 0x600, 0, 10 }, { 0x80, 6, 0x100, 0, 4097 },
    };
    uint8_t buf[4097] = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
        uint16_t len = unknown[i].len;

        g_test_message("%02x %02x", unknown[i].type, unknown[i].request);
        g_assert_cmpuint(xhci_control(usb_device(l), unknown[i].type,
                                      unknown[i].request, unknown[i].value,
                                      unknown[i].index, buf, &len), ==,
                         XHCI_STALL);
        line_quiet(l);
    }
}

static void test_golden(LineTest *t, Line *l)
{
    write_span(l, G);
    expect_transfer(l, ANSWER);
}

/* Transfers, "/" between two, and how many Get Endpoint ID are answered */
static const struct {
    const char *transfers;
    unsigned answers;
} writes[] = {
    { "", 0 },
    { "1a", 0 }, { "1a b4", 0 }, { "1a b4 00", 0 },
    { "1b b4 00 0b " GET_EID, 0 },
    { "1a b5 00 0b " GET_EID, 0 },
    { "b4 1a 00 0b " GET_EID, 0 },
    { "1a b4 00 00 " GET_EID " 00", 0 },
    { "1a b4 00 01 " GET_EID " 00", 0 },
    { "1a b4 00 03 " GET_EID " 00", 0 },
    { "1a b4 00 04 " GET_EID " 00", 0 },
    { "1a b4 00 07 " GET_EID " 00", 0 },
    { "1a b4 00 08 01 00 08 c8", 0 },
    { "1a b4 00 08 01 00 08 c8 " G, 1 },
    { "1a b4 00 0c " GET_EID, 0 },
    { "1a b4 00 ff " GET_EID, 0 },
    { "1a b4 00 ff", 0 },
    { "1a b4 00 0a " GET_EID, 0 },
    { G "1a", 1 }, { G "00 00", 1 }, { G "00*501", 1 },
    { "00*11 " G, 0 },
    { G "1a b4 00 07 01 00 08 " G, 1 },
    { "1a b4 ff 0b " GET_EID, 1 },
    { "1a b4 00 0b 01 00 / 08 c8 00 80 02", 0 },
    { G "/ " G, 2 },
    /* sound frames, packets that are not for us: each is dropped alone */
    { "1a b4 00 0b 00 00 08 c8 00 80 02 " G, 1 },
    { "1a b4 00 0b 02 00 08 c8 00 80 02 " G, 1 },
    { "1a b4 00 0b 01 00 01 c8 00 80 02 " G, 1 },
    { "1a b4 00 0b 01 00 07 c8 00 80 02 " G, 1 },
    { "1a b4 00 0b 01 00 ff c8 00 80 02 " G, 1 },
    { "1a b4 00 0b 01 4d 08 c8 00 80 02 " G, 1 },
    { "1a b4 00 0b 01 00 08 c0 00 80 02 " G, 1 },
    { "1a b4 00 0b 01 00 08 48 00 80 02 " G, 1 },
    { "1a b4 00 0b 01 00 08 08 00 80 02 " G, 1 },
    /* two starts of one tag: the second is a message */
    { "1a b4 00 0b 01 00 08 88 00 80 02 " G, 1 },
    /* a gap in the sequence */
    { "1a b4 00 0a 01 00 08 88 00 80 1a b4 00 09 01 00 08 68 02", 0 },
};

static void test_writes(LineTest *t, Line *l)
{
    for (size_t i = 0; i < ARRAY_SIZE(writes); i++) {
        g_auto(GStrv) transfers = g_strsplit(writes[i].transfers, "/", 0);

        g_test_message("%s", writes[i].transfers);
        for (char **one = transfers; *one; one++) {
            write_span(l, *one);
        }
        if (!*transfers) {
            usb_write(l, NULL, 0);
        }
        for (unsigned n = 0; n < writes[i].answers; n++) {
            g_autoptr(GByteArray) packet = line_packet(l);

            assert_span(packet->data, packet->len,
                        "01 08 09 c0 00 00 02 00 09 02 00");
        }
        line_quiet(l);
    }
}

/* What is longer than a transfer can be is taken, what is too much ignored */
static void test_long_writes(LineTest *t, Line *l)
{
    static const size_t len[] = {
        513, 1 * KiB, 64 * KiB, 64 * KiB + 1, 2 * MiB,
    };
    g_autoptr(GByteArray) request = span(G);
    g_autoptr(GByteArray) sound = span(G);
    g_autoptr(GByteArray) empty = span("1a b4 00 08 01 00 08 c8");
    g_autoptr(GByteArray) last = span("1a b4 00 0d 02 00 08 c8 5a*5");

    for (int i = 0; i < 61; i++) {
        g_byte_array_append(sound, empty->data, empty->len);
    }
    g_byte_array_append(sound, last->data, last->len);
    g_assert_cmpuint(sound->len, ==, 512);
    g_byte_array_append(sound, request->data, request->len);
    for (size_t i = 0; i < ARRAY_SIZE(len); i++) {
        g_autofree uint8_t *bytes = g_malloc0(len[i]);

        /* one request, packets that nobody takes up to 512, one more */
        memcpy(bytes, sound->data, MIN(sound->len, len[i]));
        usb_write(l, bytes, len[i]);
        expect_transfer(l, ANSWER);
        line_quiet(l);
    }
    xhci_queue_immediate(usb_device(l), XHCI_OUT, 0xc80800010b00b41aULL);
    ends(l, XHCI_OUT, XHCI_SUCCESS);
}

/* A message of 448 bytes in one transfer, in seven, and in all ways between */
static void test_packets_of_a_message(LineTest *t, Line *l)
{
    uint8_t in[448 - CCI_OVERHEAD] = { 0 };

    for (unsigned each = 1; each <= 7; each++) {
        g_autoptr(GPtrArray) packets = line_packets(l->eid, PEER_EID, 1, each,
                                                    0x0001, in, sizeof(in));

        g_assert_cmpuint(packets->len, ==, 7);
        for (unsigned i = 0; i < packets->len; i += each) {
            g_autoptr(GPtrArray) some = g_ptr_array_new();

            for (unsigned k = i; k < MIN(i + each, packets->len); k++) {
                g_ptr_array_add(some, g_ptr_array_index(packets, k));
            }
            line_usb.send(l, some);
        }
        /* all of it was there: the length is wrong, not the message */
        answer_is(line_next(l, each, 0x0001), 0x16);
    }
}

/* Packets of the largest size, as they come at an MTU of 251 */
static void test_large_packets(LineTest *t, Line *l)
{
    uint8_t transfer[2 * MCTP_USB_FRAME_MAX] = { 0 };

    for (unsigned n = 0; n < 2; n++) {
        const uint8_t head[] = {
            0x1a, 0xb4, 0, MCTP_USB_FRAME_MAX, 1, LINE_EID(0), PEER_EID,
            0xc8 | n, 8, 0, n, 0, 1, 0,
            MCTP_USB_UNIT_MAX - CCI_OVERHEAD,
        };

        memcpy(transfer + n * MCTP_USB_FRAME_MAX, head, sizeof(head));
    }
    usb_write(l, transfer, sizeof(transfer));
    for (unsigned n = 0; n < 2; n++) {
        /* it came whole: Identify has no payload */
        answer_is(line_next(l, n, 0x0001), 0x16);
    }
}

/* The @n-th request of many: no two that can be under way share a path */
static void add_request(GByteArray *transfer, unsigned n)
{
    const uint8_t bytes[] = {
        0x1a, 0xb4, 0, 11, 1, 0, 8 + n / 8 % 200, 0xc8 | n % 8, 0, 0x80, 2,
    };

    g_byte_array_append(transfer, bytes, sizeof(bytes));
}

#define REQUESTS 46

static GByteArray *many_requests(unsigned from)
{
    GByteArray *transfer = g_byte_array_new();

    for (unsigned n = 0; n < REQUESTS; n++) {
        add_request(transfer, from + n);
    }
    return transfer;
}

static unsigned answer_number(Line *l)
{
    g_autoptr(GByteArray) packet = line_packet(l);
    unsigned who = packet->data[1] - 8;

    g_assert_cmpuint(packet->len, ==, 11);
    g_assert_cmphex(packet->data[5], ==, 0);
    return who * 8 + (packet->data[3] & 7);
}

/* More requests in one transfer than there are places for answers */
static void test_many_requests(LineTest *t, Line *l)
{
    g_autoptr(GByteArray) transfer = many_requests(0);

    usb_write(l, transfer->data, transfer->len);
    for (unsigned n = 0; n < REQUESTS; n++) {
        g_assert_cmpuint(answer_number(l), ==, n);
    }
}

/* Write until a transfer is not taken; returns how many there are then */
static unsigned flood(Line *l)
{
    for (unsigned n = 0; n < 100; n++) {
        g_autoptr(GByteArray) transfer = many_requests(n * REQUESTS);
        XhciDone done;

        usb_queue(l, transfer->data, transfer->len);
        for (unsigned i = 0; !xhci_poll(usb_device(l), XHCI_OUT, &done); i++) {
            if (i == 100) {
                return n + 1;
            }
        }
    }
    g_assert_not_reached();
}

/* A guest that writes and does not read is made to wait; nothing is lost */
static void test_flood(LineTest *t, Line *l)
{
    unsigned n = flood(l);

    g_assert_cmpuint(n, >, 1);
    for (unsigned i = 0; i < n * REQUESTS; i++) {
        g_assert_cmpuint(answer_number(l), ==, i);
    }
    ends(l, XHCI_OUT, XHCI_SUCCESS);
}

/*
 * ... but when it reads so late that nobody can still be waiting. One transfer
 * was waiting to be filled, so it has the first answers; the last to come are
 * of what was written last, which was not taken before.
 */
static void test_flood_too_late(LineTest *t, Line *l)
{
    unsigned n = flood(l), answers = 0, at;

    qtest_clock_step(t->i2c.qts, ANSWER_NS + 1);
    do {
        at = answer_number(l);
        answers++;
    } while (at != n * REQUESTS - 1);
    g_assert_cmpuint(answers, >=, REQUESTS);
    g_assert_cmpuint(answers, <, 2 * REQUESTS);
    ends(l, XHCI_OUT, XHCI_SUCCESS);
}

/* Buffers that are too small for an answer, and those that are not */
static void test_reads(LineTest *t, Line *l)
{
    static const size_t small[] = { 0, 1, 8, 14 };
    static const size_t large[] = { 15, 16, 511, 512, 513, 8192 };

    for (size_t i = 0; i < ARRAY_SIZE(small); i++) {
        /* the transfer of 512 that waits */
        write_span(l, G);
        ends(l, XHCI_IN, XHCI_SHORT);
        write_span(l, G);
        usb_post(l, small[i]);
        ends(l, XHCI_IN, XHCI_BABBLE);
        xhci_revive(usb_device(l), XHCI_IN);
        /* nothing was changed by it */
        usb_post(l, 512);
        expect_transfer(l, ANSWER);
        line_quiet(l);
    }
    for (size_t i = 0; i < ARRAY_SIZE(large); i++) {
        write_span(l, G);
        ends(l, XHCI_IN, XHCI_SHORT);
        write_span(l, G);
        usb_post(l, large[i]);
        expect_transfer(l, ANSWER);
        line_quiet(l);
    }
}

/* Two answers that are ready, and room for one and a half */
static void test_read_of_whole_packets(LineTest *t, Line *l)
{
    write_span(l, G);
    ends(l, XHCI_IN, XHCI_SHORT);
    for (unsigned n = 0; n < 2; n++) {
        g_autoptr(GByteArray) one = g_byte_array_new();

        add_request(one, n);
        usb_write(l, one->data, one->len);
    }
    usb_post(l, 29);
    for (unsigned n = 0; n < 2; n++) {
        g_assert_cmpuint(answer_number(l), ==, n);
    }
}

/* Packets of a long answer: as many as fit, all but the last of one size */
static const struct {
    LineSetup setup;
    unsigned size, fit;
} units[] = {
    { SETUP(""), 64, 7 },
    { SETUP(",x-transmission-unit=65"), 65, 7 },
    { SETUP(",x-transmission-unit=247"), 247, 2 },
};

static void expect_long_answer(LineTest *t, unsigned size, unsigned fit)
{
    static const struct {
        uint8_t uuid[CXL_LOG_UUID_BYTES], offset[4], length[4];
    } log = { .uuid = CXL_LOG_UUID_VENDOR, .length = { 0, 4 } };
    Line *l = line_of(t, 1);
    unsigned left = CCI_OVERHEAD + 1024;

    line_request(l, PEER_EID, 1, 1, 0x0401, &log, sizeof(log));
    while (left) {
        g_autoptr(GByteArray) transfer = usb_read(l);
        unsigned packets = MIN(DIV_ROUND_UP(left, size), fit);

        g_assert_cmpuint(transfer->len, ==, packets * (4 + 4) +
                         MIN(packets * size, left));
        g_assert_cmphex(transfer->data[3], ==, 8 + MIN(size, left));
        left -= MIN(packets * size, left);
    }
    answer_has(line_command(l, 0x0401, &log, sizeof(log)), 1024);
}

static void test_long_answers(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
        LineTest t;

        line_test_start(&t, &units[i].setup, &line_usb);
        expect_long_answer(&t, units[i].size, units[i].fit);
        line_test_stop(&t);
    }
}

/* Endpoints that the device does not have */
static void test_other_endpoints(LineTest *t, Line *l)
{
    XhciDevice *d = usb_device(l);
    uint64_t buffer = xhci_alloc(d->x, 512);

    xhci_enable_bulk(d, 2);
    for (unsigned n = XHCI_OUT_OF(2); n <= XHCI_IN_OF(2); n++) {
        xhci_queue(d, n, buffer, 512);
        g_assert_cmpuint(xhci_wait(d, n).code, ==, XHCI_STALL);
        xhci_revive(d, n);
        line_quiet(l);
    }
}

/* A guest that does not configure the device before it uses it */
static void test_not_configured(LineTest *t, Line *l)
{
    g_autoptr(GByteArray) request = span(G);
    XhciDevice *d = usb_device(l);

    xhci_configure(d, 0);
    usb_queue(l, request->data, request->len);
    xhci_wait(d, XHCI_OUT);
    expect_transfer(l, ANSWER);
    xhci_configure(d, 1);
}

/* Each is refused by name, and leaves port and target free */
static void test_properties(LineTest *t, Line *l)
{
    static const struct {
        const char *place, *more, *refusal;
    } rows[] = {
        { "'bus': 'xhci.0', 'port': '3'", "", "property 'target'" },
        { "'bus': 'xhci.0', 'port': '3'", ", 'target': 'hb0'",
          "property 'target' is 'hb0', which is a pxb-cxl" },
        { "'bus': 'xhci.0', 'port': '3'", ", 'target': 'us0', 'eid': 7",
          "property 'eid' is 7" },
        { "'bus': 'xhci.0', 'port': '3'", ", 'target': 'us0', 'eid': 255",
          "property 'eid' is 255" },
        { "'bus': 'xhci.0', 'port': '3'",
          ", 'target': 'us0', 'x-transmission-unit': 63",
          "property 'x-transmission-unit' is 63: give a number from 64 "
          "to 247" },
        { "'bus': 'xhci.0', 'port': '3'",
          ", 'target': 'us0', 'x-transmission-unit': 248",
          "property 'x-transmission-unit' is 248" },
        { "'bus': 'xhci.0', 'port': '1'", ", 'target': 'us0'", "in use" },
        { "'bus': 'full.0'", ", 'target': 'us0'", "speed mismatch" },
        { "'bus': 'fast.0'", ", 'target': 'us0'" },
        { "'bus': 'xhci.0', 'port': '3'", ", 'target': 'us0', 'eid': 11" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        g_autofree char *props = g_strconcat(
            "'driver': 'usb-cxl-mctp', 'id': 'new', ", rows[i].place,
            rows[i].more, NULL);

        line_plug(t->i2c.qts, props, rows[i].refusal);
        if (!rows[i].refusal && i < ARRAY_SIZE(rows) - 1) {
            qtest_qmp_device_del(t->i2c.qts, "new");
        }
    }
    line_quiet(line_of(t, 2));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) line_add_test(&line_usb, #f, &setup, test_ ## f)
    T(descriptors);
    T(control_requests);
    T(golden);
    T(writes);
    T(long_writes);
    T(packets_of_a_message);
    T(large_packets);
    T(many_requests);
    T(flood);
    T(flood_too_late);
    T(reads);
    T(read_of_whole_packets);
    T(other_endpoints);
    T(not_configured);
    T(properties);
    qtest_add_func("/mctp-usb/long_answers", test_long_answers);
    return line_test_main();
}
