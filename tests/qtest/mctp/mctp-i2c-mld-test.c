/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a memory device of one logical device and one head says of both, and
 * its settings of quality of service. Reference: CXL r3.2 7.6.7.4, 7.6.7.5.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "mctp-net.h"

/* 256 MiB static and 512 MiB dynamic */
#define ALL_MEMORY (768 * MiB)

#define BOTH_TELEMETRIES 3

typedef struct Case {
    uint16_t opcode;
    uint16_t rc;
    uint8_t len;
    uint8_t out_len;
    uint8_t in[40];
    uint8_t out[40];
} Case;

/* At the device's own CCI, and by both tunnels to it */
static Answer at(LineTest *n, unsigned turn, uint16_t opcode, const void *in,
                 size_t len)
{
    return turn ? net_through(n, to_device[turn - 1], opcode, in, len) :
           net_ask(n, NET_CCI_DEVICE_MCTP, opcode, in, len);
}

#define WAYS 3

static const Case info[] = {
    { 0x5400, 0, 0, 11, { 0 },
      { 0, 0, 0, ALL_MEMORY >> 24, 0, 0, 0, 0, 1, 0, BOTH_TELEMETRIES } },
};

static const Case allocations[] = {
    /* one LD with one unit of 256 MiB in its first range */
    { 0x5401, 0, 2, 20, { 0, 1 }, { 1, 0, 0, 1, 1 } },
    { 0x5401, 0, 2, 20, { 0, 255 }, { 1, 0, 0, 1, 1 } },
    { 0x5401, 0, 2, 4, { 0, 0 }, { 1, 0, 0, 0 } },
    { 0x5401, RC_INVALID, 2, 0, { 1, 1 } },
    { 0x5401, RC_INVALID, 2, 0, { 255, 255 } },
    /* what is in force can be set */
    { 0x5402, 0, 20, 20, { 1, 0, 0, 0, 1 }, { 1, 0, 0, 0, 1 } },
    { 0x5402, RC_INVALID, 4, 0, { 0, 0 } },
    { 0x5402, RC_INVALID, 20, 0, { 1, 1, 0, 0, 1 } },
    { 0x5402, RC_INVALID, 20, 0, { 1, 255, 0, 0, 1 } },
    { 0x5402, RC_INVALID, 36, 0, { 2, 0, 0, 0, 1 } },
    /* less, more, other, and more than there is */
    { 0x5402, RC_INVALID, 20, 0, { 1, 0, 0, 0, 0 } },
    { 0x5402, RC_INVALID, 20, 0, { 1, 0, 0, 0, 2 } },
    { 0x5402, RC_INVALID, 20, 0, { 1, 0, 0, 0, 1, [12] = 1 } },
    { 0x5402, RC_INVALID, 20, 0, { 1, 0, 0, 0, 1, [11] = 0x80 } },
    { 0x5402, RC_INVALID, 20, 0, { 1, 0, 0, 0, 1, [19] = 0xff } },
    { 0x5401, 0, 2, 20, { 0, 1 }, { 1, 0, 0, 1, 1 } },
};

#define DEFAULTS { 0, 10, 25, 8, 0, 0, 64 }
#define OTHERS { 3, 1, 100, 15, 0x34, 0x12, 255 }

static const Case control[] = {
    { 0x5404, 0, 7, 7, OTHERS, OTHERS },
    { 0x5403, 0, 0, 7, { 0 }, OTHERS },
    { 0x5404, RC_INVALID, 7, 0, { 4, 10, 25, 8, 0, 0, 64 } },
    { 0x5404, RC_INVALID, 7, 0, { 0, 0, 25, 8, 0, 0, 64 } },
    { 0x5404, RC_INVALID, 7, 0, { 0, 101, 25, 8, 0, 0, 64 } },
    { 0x5404, RC_INVALID, 7, 0, { 0, 10, 0, 8, 0, 0, 64 } },
    { 0x5404, RC_INVALID, 7, 0, { 0, 10, 101, 8, 0, 0, 64 } },
    { 0x5404, RC_INVALID, 7, 0, { 0, 10, 25, 16, 0, 0, 64 } },
    /* nothing of that was taken */
    { 0x5403, 0, 0, 7, { 0 }, OTHERS },
    { 0x5404, 0, 7, 7, { 0, 100, 1, 0 }, { 0, 100, 1, 0 } },
    { 0x5404, 0, 7, 7, DEFAULTS, DEFAULTS },
    { 0x5405, 0, 0, 1, { 0 }, { 0 } },
};

/* Set and get go in pairs; a change of one is none of the other */
static const Case bandwidth[] = {
    { 0x5406, 0, 2, 3, { 1, 0 }, { 1, 0, 0 } },
    { 0x5408, 0, 2, 3, { 1, 0 }, { 1, 0, 0 } },
    { 0x5407, 0, 3, 3, { 1, 0, 200 }, { 1, 0, 200 } },
    { 0x5409, 0, 3, 3, { 1, 0, 255 }, { 1, 0, 255 } },
    { 0x5406, 0, 2, 3, { 1, 0 }, { 1, 0, 200 } },
    { 0x5408, 0, 2, 3, { 1, 0 }, { 1, 0, 255 } },
    { 0x5406, 0, 2, 2, { 0, 0 }, { 0, 0 } },
    { 0x5408, 0, 2, 2, { 0, 0 }, { 0, 0 } },
    { 0x5407, RC_INVALID, 2, 0, { 0, 0 } },
    { 0x5409, RC_INVALID, 2, 0, { 0, 0 } },
    { 0x5406, RC_INVALID, 2, 0, { 2, 0 } },
    { 0x5406, RC_INVALID, 2, 0, { 1, 1 } },
    { 0x5406, RC_INVALID, 2, 0, { 255, 255 } },
    { 0x5408, RC_INVALID, 2, 0, { 2, 0 } },
    { 0x5408, RC_INVALID, 2, 0, { 1, 1 } },
    { 0x5407, RC_INVALID, 4, 0, { 2, 0, 1, 1 } },
    { 0x5407, RC_INVALID, 3, 0, { 1, 1, 1 } },
    { 0x5409, RC_INVALID, 4, 0, { 2, 0, 1, 1 } },
    { 0x5409, RC_INVALID, 3, 0, { 1, 255, 1 } },
    { 0x5406, 0, 2, 3, { 1, 0 }, { 1, 0, 200 } },
    { 0x5408, 0, 2, 3, { 1, 0 }, { 1, 0, 255 } },
    { 0x5407, 0, 3, 3, { 1, 0, 0 }, { 1, 0, 0 } },
    { 0x5409, 0, 3, 3, { 1, 0, 0 }, { 1, 0, 0 } },
};

static const Case heads[] = {
    { 0x5500, 0, 2, 9, { 0, 1 }, { 1, 1, 0, 0, 0, 1, 0, 0, 0 } },
    { 0x5500, 0, 2, 9, { 0, 255 }, { 1, 1, 0, 0, 0, 1, 0, 0, 0 } },
    { 0x5500, 0, 2, 8, { 0, 0 }, { 1, 1 } },
    { 0x5500, RC_INVALID, 2, 0, { 1, 1 } },
    { 0x5500, RC_INVALID, 2, 0, { 255, 0 } },
    /* 16 lanes, 32 GT/s, in L0, present */
    { 0x5501, 0, 2, 13, { 0, 1 },
      { 1, 0, 0, 0, 0, 16, 16, 0x1f, 5, 5, 4, 0, 4 } },
    { 0x5501, 0, 2, 4, { 0, 0 }, { 0 } },
    { 0x5501, RC_INVALID, 2, 0, { 0, 2 } },
    { 0x5501, RC_INVALID, 2, 0, { 1, 0 } },
    { 0x5501, RC_INVALID, 2, 0, { 1, 1 } },
    { 0x5501, RC_INVALID, 2, 0, { 255, 255 } },
};

static const struct {
    const char *name;
    const Case *cases;
    size_t num;
} tables[] = {
    { "info", info, ARRAY_SIZE(info) },
    { "allocations", allocations, ARRAY_SIZE(allocations) },
    { "control", control, ARRAY_SIZE(control) },
    { "bandwidth", bandwidth, ARRAY_SIZE(bandwidth) },
    { "heads", heads, ARRAY_SIZE(heads) },
};

/* Wrong lengths are sent by cxl-robust-cci-test */
static void test_answers(LineTest *n, Line *l)
{
    for (size_t k = 0; k < ARRAY_SIZE(tables); k++) {
        for (size_t i = 0; i < tables[k].num * WAYS; i++) {
            const Case *c = &tables[k].cases[i / WAYS];

            g_test_message("%s %zu: %04x", tables[k].name, i / WAYS,
                           c->opcode);
            assert_answer(at(n, i % WAYS, c->opcode, c->in, c->len), c->rc,
                          c->out, c->out_len);
        }
    }
}

static void test_status(LineTest *n, Line *l)
{
    qtest_qmp_assert_success(n->i2c.qts, "{'execute': 'qom-set',"
                             "'arguments': {"
                             "'path': 'mem0', 'property': 'backpressure',"
                             "'value': 42}}");
    for (unsigned turn = 0; turn < WAYS; turn++) {
        assert_answer(at(n, turn, 0x5405, NULL, 0), 0, (uint8_t[]) { 42 }, 1);
    }
}

/* The sets are the manager's: neither a switch nor the LD has them */
static void test_elsewhere(LineTest *n, Line *l)
{
    static const uint16_t opcodes[] = {
        0x5400, 0x5401, 0x5402, 0x5403, 0x5404, 0x5405, 0x5406, 0x5407,
        0x5408, 0x5409, 0x5500, 0x5501, 0x540a, 0x5502,
    };

    for (size_t i = 0; i < ARRAY_SIZE(opcodes); i++) {
        answer_is(net_ask(n, NET_CCI_SWITCH_PCI, opcodes[i], NULL, 0),
                  RC_UNSUPPORTED);
        answer_is(net_ask(n, NET_CCI_SWITCH_MCTP, opcodes[i], NULL, 0),
                  RC_UNSUPPORTED);
        answer_is(net_through(n, to_ld[0], opcodes[i], NULL, 0),
                  RC_UNSUPPORTED);
    }
}

/* -- state ---------------------------------------------------------------- */

static const uint8_t others[] = OTHERS;
static const uint8_t defaults[] = DEFAULTS;
static const uint8_t one[] = { 1, 0 };

static void change_all(LineTest *n)
{
    const uint8_t allocated[] = { 1, 0, 11 };
    const uint8_t limit[] = { 1, 0, 22 };

    assert_answer(at(n, 0, 0x5404, others, sizeof(others)), 0, others,
                  sizeof(others));
    assert_answer(at(n, 1, 0x5407, allocated, sizeof(allocated)), 0, allocated,
                  sizeof(allocated));
    assert_answer(at(n, 2, 0x5409, limit, sizeof(limit)), 0, limit,
                  sizeof(limit));
}

static void expect_all(LineTest *n, const uint8_t *settings, uint8_t allocated,
                       uint8_t limit)
{
    assert_answer(at(n, 1, 0x5403, NULL, 0), 0, settings, sizeof(others));
    assert_answer(at(n, 1, 0x5406, one, sizeof(one)), 0,
                  (uint8_t[]) { 1, 0, allocated }, 3);
    assert_answer(at(n, 1, 0x5408, one, sizeof(one)), 0,
                  (uint8_t[]) { 1, 0, limit }, 3);
}

static void test_migrate(LineTest *n, Line *l)
{
    change_all(n);
    line_migrate(n);
    expect_all(n, others, 11, 22);
}

static void test_reset(LineTest *n, Line *l)
{
    change_all(n);
    expect_all(n, others, 11, 22);
    line_reset(n);
    expect_all(n, defaults, 0, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) line_add_test(&line_i2c, "mld/" #f, &net_setup, test_ ## f)
    T(answers);
    T(status);
    T(migrate);
    T(reset);
    T(elsewhere);
    return line_test_main();
}
