/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tunnels: from a switch's two CCIs to the memory device behind a port and to
 * its logical device, and from the device's own endpoint to the latter.
 * Reference: CXL r3.2 7.6.7.3.1.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "tests/qtest/cxl/cxl-log-uuids.h"
#include "mctp-net.h"

/* -- what a tunnel refuses ------------------------------------------------ */

typedef struct Bad {
    const char *what;
    size_t len;
    uint16_t rc[3];         /* by cci */
    uint8_t in[24];
} Bad;

/*
 * Identifier, target, size; category, tag, -, opcode, length, ...; most enclose
 * Identify
 */
#define NOT_A_DEVICE { RC_INVALID, RC_INVALID, RC_INVALID }
#define ALL(rc) { rc, rc, rc }

static const Bad bad[] = {
    { "nothing", 0, ALL(RC_LENGTH) },
    { "no header", 4, ALL(RC_LENGTH), { 1, 0, 0 } },
    { "15 bytes", 15, ALL(RC_LENGTH), { 1, 0, 11, 0, 0, 0, 0, 1, 0 } },
    { "size 11", 16, ALL(RC_LENGTH), { 1, 0, 11, 0, 0, 0, 0, 1, 0 } },
    { "size 0", 16, ALL(RC_LENGTH), { 1, 0, 0, 0, 0, 0, 0, 1, 0 } },
    { "size 13 of 12", 16, ALL(RC_LENGTH),
      { 1, 0, 13, 0, 0, 0, 0, 1, 0 } },
    { "size 65535", 16, ALL(RC_LENGTH),
      { 1, 0, 0xff, 0xff, 0, 0, 0, 1, 0 } },
    { "size 12 of 13", 17, ALL(RC_LENGTH),
      { 1, 0, 12, 0, 0, 0, 0, 1, 0 } },
    { "a response", 16, ALL(RC_INVALID), { 1, 0, 12, 0, 1, 0, 0, 1, 0 } },
    { "category 15", 16, ALL(RC_INVALID),
      { 1, 0, 12, 0, 15, 0, 0, 1, 0 } },
    { "an LD pool", 16, ALL(RC_INVALID), { 1, 1, 12, 0, 0, 0, 0, 1, 0 } },
    { "target 2", 16, ALL(RC_INVALID), { 1, 2, 12, 0, 0, 0, 0, 1, 0 } },
    { "no such port", 16, NOT_A_DEVICE,
      { PORT_NONE, 0, 12, 0, 0, 0, 0, 1, 0 } },
    { "port 255", 16, NOT_A_DEVICE, { 255, 0, 12, 0, 0, 0, 0, 1, 0 } },
    { "empty port", 16, NOT_A_DEVICE,
      { PORT_EMPTY, 0, 12, 0, 0, 0, 0, 1, 0 } },
    { "no memory device", 16, NOT_A_DEVICE,
      { PORT_OTHER, 0, 12, 0, 0, 0, 0, 1, 0 } },
    { "LD 1, or the device", 16, { 0, 0, RC_INVALID },
      { 1, 0, 12, 0, 0, 0, 0, 1, 0 } },
    { "port 0, or the LD", 16, { RC_INVALID, RC_INVALID, 0 },
      { 0, 0, 12, 0, 0, 0, 0, 1, 0 } },
    { "enclosed length 1 of 0", 16, { RC_LENGTH, RC_LENGTH, RC_INVALID },
      { 1, 0, 12, 0, 0, 0, 0, 1, 0, 1 } },
    { "enclosed length 1 of 0, LD", 16, { RC_INVALID, RC_INVALID, RC_LENGTH },
      { 0, 0, 12, 0, 0, 0, 0, 1, 0, 1 } },
    { "enclosed length with bit 19", 16, { RC_LENGTH, RC_LENGTH, RC_INVALID },
      { 1, 0, 12, 0, 0, 0, 0, 1, 0, 0, 0, 8 } },
    { "enclosed length 0 of 1", 17, { RC_LENGTH, RC_LENGTH, RC_INVALID },
      { 1, 0, 13, 0, 0, 0, 0, 1, 0 } },
};

static void test_refused(LineTest *n, Line *l)
{
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        for (NetCCI d = NET_CCI_SWITCH_PCI; d <= NET_CCI_DEVICE_MCTP; d++) {
            Answer a = net_ask(n, d, 0x5300, bad[i].in, bad[i].len);

            g_test_message("%s, %s: %02x", door_name[d], bad[i].what,
                           a.ret_code);
            g_assert_cmphex(a.ret_code, ==, bad[i].rc[d]);
            g_assert_cmpint(a.payload->len > 0, ==, a.ret_code == 0);
            answer_clear(&a);
        }
    }
}

/*
 * Two tunnels around Identify with bytes that are anything, and cut or with
 * more behind: whatever comes of it, the next tunnel works
 */
#define MUTATIONS 3000
#define NEST 16

static void test_random(LineTest *n, Line *l)
{
    const uint8_t good[3 * NEST] = {
        /* a tunnel to the port, one to the LD, and the command */
        PORT_DEVICE, 0, 12 + NEST, 0, [7] = 0x00, [8] = 0x53, [9] = NEST,
        [NEST + 2] = 12, [NEST + 7] = 0x01,
    };
    unsigned through = 0;

    for (unsigned i = 0; i < MUTATIONS; i++) {
        size_t len = 2 * NEST;
        uint8_t in[3 * NEST];
        Answer a;

        memcpy(in, good, sizeof(in));
        for (int k = g_test_rand_int_range(0, 4); k > 0; k--) {
            in[g_test_rand_int_range(0, 2 * NEST)] =
                g_test_rand_bit() ? g_test_rand_int_range(0, 256) :
                g_test_rand_bit() ? 0xff : 0;
        }
        if (g_test_rand_int_range(0, 8) == 0) {
            len = g_test_rand_int_range(0, sizeof(in) + 1);
        }
        a = net_ask(n, NET_CCI_SWITCH_PCI, 0x5300, in, len);
        g_assert_true(a.ret_code == 0 || a.ret_code == RC_INVALID ||
                      a.ret_code == RC_LENGTH);
        through += a.ret_code == 0;
        answer_clear(&a);

        answer_has(net_through(n, to_ld[1], 0x0001, NULL, 0), 18);
    }
    g_test_message("%u of %u came through", through, MUTATIONS);
    g_assert_cmpuint(through, >, MUTATIONS / 10);
    g_assert_cmpuint(through, <, MUTATIONS);
}

/* -- what comes through --------------------------------------------------- */

typedef struct Request {
    uint16_t opcode;
    uint16_t len;
    uint8_t in[24];
} Request;

/* With effects among them, errors too, and what the other end does not know */
static const Request requests[] = {
    { 0x0001, 0 },
    { 0x0001, 1, { 0 } },
    { 0x0002, 0 },
    { 0x0003, 0 },
    { 0x0004, 1, { 9 } },
    { 0x0004, 1, { 7 } },
    { 0x0004, 1, { 21 } },
    { 0x0005, 0 },
    { 0x0100, 1, { 0 } },
    { 0x0100, 1, { 9 } },
    { 0x0300, 1, { 0 } },
    { 0x0400, 0 },
    { 0x0402, 16, { 0 } },
    { 0x0405, 2, { 4, 0 } },
    { 0x4000, 0 },
    { 0x4100, 0 },
    { 0x4102, 8, { 0 } },
    { 0x4200, 0 },
    { 0x4303, 16, { 0, 0, 0, 0, 0, 0, 0, 0, 16 } },
    { 0x4800, 2, { 1, 0 } },
    { 0x5100, 0 },
    { 0x5600, 0 },
    { 0x5601, 4, { 0, 0, 2, 0 } },
    { 0x5603, 12, { 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0 } },
    { 0x5605, 27, { 0 } },
    { 0xff42, 3, { 1, 2, 3 } },
};

/* @first is an answer; by each of @ways there is the same */
static void same_by(LineTest *n, const Request *r, Answer first,
                    const Way *ways, size_t num)
{
    g_test_message("%04x: return code %02x, %u bytes", r->opcode,
                   first.ret_code, first.payload->len);
    for (size_t w = 0; w < num; w++) {
        Answer a = net_through(n, ways[w], r->opcode, r->in, r->len);

        assert_same_answers(&first, &a);
        answer_clear(&a);
    }
    answer_clear(&first);
}

static void test_as_direct(LineTest *n, Line *l)
{
    for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
        const Request *r = &requests[i];

        same_by(n, r, net_ask(n, NET_CCI_DEVICE_MCTP, r->opcode, r->in,
                              r->len), to_device, ARRAY_SIZE(to_device));
    }
}

static void test_logical_device_from_everywhere(LineTest *n, Line *l)
{
    for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
        const Request *r = &requests[i];

        same_by(n, r, net_through(n, to_ld[0], r->opcode, r->in, r->len),
                to_ld + 1, ARRAY_SIZE(to_ld) - 1);
    }
}

/* -- which commands are where --------------------------------------------- */

static const uint8_t cel_uuid[] = CXL_LOG_UUID_EFFECTS;

/* Reads the log in pieces that pass through two tunnels */
static GHashTable *opcodes(LineTest *n, Way way)
{
    GHashTable *set = g_hash_table_new(NULL, NULL);
    g_autoptr(GByteArray) logs =
        answer_bytes(net_through(n, way, 0x0400, NULL, 0));
    const uint32_t size = ldl_le_p(logs->data + 24), step = 64;

    g_assert_cmpmem(logs->data + 8, 16, cel_uuid, 16);
    for (uint32_t at = 0; at < size; at += step) {
        uint32_t some = MIN(step, size - at);
        g_autoptr(GByteArray) part = NULL;
        uint8_t get[24];

        memcpy(get, cel_uuid, 16);
        stl_le_p(get + 16, at);
        stl_le_p(get + 20, some);
        part = answer_bytes(net_through(n, way, 0x0401, get, sizeof(get)));
        g_assert_cmpuint(part->len, ==, some);
        for (uint32_t i = 0; i < some; i += 4) {
            g_hash_table_add(set, GUINT_TO_POINTER(
                lduw_le_p(part->data + i)));
        }
    }
    return set;
}

static void assert_has(GHashTable *set, const uint16_t *ops, size_t n,
                       bool has)
{
    for (size_t i = 0; i < n; i++) {
        if (g_hash_table_contains(set, GUINT_TO_POINTER(ops[i])) != has) {
            g_test_message("%04x", ops[i]);
            g_test_fail();
        }
    }
}

static void test_command_sets(LineTest *n, Line *l)
{
    static const uint16_t both[] = {
        0x0001, 0x0003, 0x0004, 0x0005, 0x0100, 0x0101, 0x0400, 0x0401,
        0x0402, 0x0403, 0x0404, 0x0405, 0x4000, 0x4200, 0x4400, 0x4401,
    };
    static const uint16_t manager_only[] = {
        0x0002, 0x0300, 0x0301, 0x4201, 0x4202, 0x5300, 0x5600, 0x5601,
        0x5602, 0x5603, 0x5604, 0x5605, 0x5606, 0x5607, 0x5608,
    };
    static const uint16_t ld_only[] = {
        0x4100, 0x4102, 0x4103, 0x4300, 0x4301, 0x4302, 0x4303, 0x4304,
        0x4305,
    };
    static const uint16_t neither[] = {
        0x0102, 0x0103, 0x4203, 0x4204, 0x4800, 0x4801, 0x4802, 0x4803,
        0x5100, 0x5200, 0x5301, 0x5302,
    };
    g_autoptr(GHashTable) device = opcodes(n, to_device[0]);
    g_autoptr(GHashTable) ld = opcodes(n, to_ld[1]);

    assert_has(device, both, ARRAY_SIZE(both), true);
    assert_has(ld, both, ARRAY_SIZE(both), true);
    assert_has(device, manager_only, ARRAY_SIZE(manager_only), true);
    /* all but the status of background operations, which it runs as well */
    assert_has(ld, manager_only + 1, ARRAY_SIZE(manager_only) - 1, false);
    assert_has(ld, ld_only, ARRAY_SIZE(ld_only), true);
    assert_has(device, ld_only, ARRAY_SIZE(ld_only), false);
    assert_has(device, neither, ARRAY_SIZE(neither), false);
    assert_has(ld, neither, ARRAY_SIZE(neither), false);
}

/* -- limits --------------------------------------------------------------- */

static uint8_t limit_of(LineTest *n, Way way)
{
    g_autoptr(GByteArray) id =
        answer_bytes(net_through(n, way, 0x0001, NULL, 0));

    g_assert_cmpuint(id->len, ==, 18);
    return id->data[16];
}

/* An end has a limit of its own, and says so inside */
static void test_payload_limits(LineTest *n, Line *l)
{
    const Way ways[] = { to_ld[0], to_ld[2] };

    for (size_t w = 0; w < ARRAY_SIZE(ways); w++) {
        const size_t limit = 1u << limit_of(n, ways[w]);
        g_autofree uint8_t *in = g_malloc0(limit + 1);

        answer_is(net_through(n, ways[w], 0x4103, in, limit + 1), RC_LENGTH);
        /* there are no labels to write, but the length is right */
        answer_is(net_through(n, ways[w], 0x4103, in, limit), RC_INVALID);
    }
}

#define EVENTS 3
#define EVENT_HEAD 0x20
#define EVENT_SIZE 0x80
#define MORE_RECORDS 2

/* A short answer around makes for a short list inside */
static void events_are(LineTest *n, unsigned count, uint8_t flags)
{
    const uint8_t log = 0;
    g_autoptr(GByteArray) list =
        answer_bytes(net_through(n, to_ld[2], 0x0100, &log, 1));

    g_assert_cmpuint(list->len, ==, EVENT_HEAD + count * EVENT_SIZE);
    g_assert_cmphex(list->data[0] & MORE_RECORDS, ==, flags);
}

static void test_lists_come_shorter(LineTest *n, Line *l)
{
    const uint8_t limit = 8;

    for (unsigned i = 0; i < EVENTS; i++) {
        qtest_qmp_assert_success(n->i2c.qts,
            "{'execute': 'cxl-inject-general-media-event', 'arguments': {"
            " 'path': 'mem0', 'log': 'informational', 'flags': 1, 'dpa': 64,"
            " 'descriptor': 0, 'type': 0, 'transaction-type': 0}}");
    }
    events_are(n, EVENTS, 0);
    answer_is(net_ask(n, NET_CCI_SWITCH_MCTP, 0x0004, &limit, 1), 0);
    events_are(n, 1, MORE_RECORDS);
}

/* -- background operations ------------------------------------------------ */

/* Of a CCI, and whether its answers say that something runs */
static void background_is(LineTest *n, Way way, uint8_t status,
                          uint16_t opcode, bool runs)
{
    Answer a = net_through(n, way, 0x0002, NULL, 0);
    g_autoptr(GByteArray) bytes = answer_bytes(a);

    g_assert_cmpint(a.background, ==, runs);
    g_assert_cmphex(bytes->data[0], ==, status);
    g_assert_cmphex(lduw_le_p(bytes->data + 2), ==, opcode);
    g_assert_cmphex(lduw_le_p(bytes->data + 4), ==, 0);
}

static void test_background(LineTest *n, Line *l)
{
    const uint8_t scan[17] = { [8] = 16 };
    Answer a;

    background_is(n, to_ld[1], 0, 0, false);
    a = net_through(n, to_ld[1], 0x4304, scan, sizeof(scan));
    g_assert_true(a.background);
    answer_is(a, RC_BG_STARTED);

    /* it runs on the LD, not on the device around it */
    a = net_through(n, to_ld[2], 0x4304, scan, sizeof(scan));
    g_assert_true(a.background);
    answer_is(a, RC_BUSY);
    background_is(n, to_device[0], 0, 0, false);

    qtest_clock_step(n->i2c.qts, 1000000000);
    background_is(n, to_ld[1], 100 << 1, 0x4304, false);
}

/* -- state ---------------------------------------------------------------- */

static void limit_is(LineTest *n, uint8_t limit, bool background)
{
    Answer a = net_through(n, to_ld[1], 0x0003, NULL, 0);

    g_assert_cmpint(a.background, ==, background);
    assert_answer(a, 0, &limit, 1);
}

static void set_limit_and_sanitize(LineTest *n, uint8_t limit)
{
    answer_is(net_through(n, to_ld[1], 0x0004, &limit, 1), 0);
    answer_is(net_through(n, to_ld[1], 0x4400, NULL, 0), RC_BG_STARTED);
}

/* A limit that was set and a sanitize that runs come along */
static void test_migrate(LineTest *n, Line *l)
{
    set_limit_and_sanitize(n, 8);
    line_migrate(n);
    limit_is(n, 8, true);
    qtest_clock_step(n->i2c.qts, 5000000000);
    background_is(n, to_ld[1], 100 << 1, 0x4400, false);
}

/* A reset ends what runs on the LD and its limit */
static void test_reset(LineTest *n, Line *l)
{
    const uint8_t before = limit_of(n, to_ld[1]);

    set_limit_and_sanitize(n, 8);
    line_reset(n);
    limit_is(n, before, false);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) line_add_test(&line_i2c, "tunnel/" #f, &net_setup, test_ ## f)
    T(refused);
    T(random);
    T(as_direct);
    T(logical_device_from_everywhere);
    T(command_sets);
    T(payload_limits);
    T(lists_come_shorter);
    T(background);
    T(migrate);
    T(reset);
    return line_test_main();
}
