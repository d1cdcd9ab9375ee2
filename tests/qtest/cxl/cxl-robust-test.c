/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every opcode with every kind of wrong payload: the device answers a code of
 * the specification and lives on
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "cxl-qtest.h"

#define PAYLOAD CXL_PAYLOAD
/* The highest return code that Linux can name (its table ends there) */
#define LAST_RC 0x1e
/* ... and what 0005h, which Linux does not send, may say of a sanitize */
#define OP_ABORT        0x0005
#define RC_NO_ABORT     0x20
/* No background operation lasts longer, in ns of virtual time */
#define A_DAY           (24ll * 3600 * 1000000000)

static const uint32_t lengths[] = {
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 24, 27, 28, 29, 31, 32, 33,
    63, 64, 72, 73, 127, 128, 129, 512, 2047, 2048,
    PAYLOAD - 1, PAYLOAD,
};

static void try_all(CxlDev *dev, uint8_t fill, bool count_fits)
{
    g_autofree uint8_t *in = g_malloc(PAYLOAD);
    unsigned set, cmd, k;

    for (set = 0; set < 256; set++) {
        for (cmd = 0; cmd < 10; cmd++) {
            uint16_t op = set << 8 | cmd;

            for (k = 0; k < ARRAY_SIZE(lengths); k++) {
                CxlRsp rsp;

                memset(in, fill, PAYLOAD);
                if (count_fits) {
                    /* 4802h, 4803h: a count for which the length is right */
                    stl_le_p(in, lengths[k] < 8 ? 0 : (lengths[k] - 8) / 24);
                }
                cxl_raw(dev, op, lengths[k], in, lengths[k], &rsp);
                if (op != OP_ABORT || rsp.rc != RC_NO_ABORT) {
                    g_assert_cmphex(rsp.rc, <=, LAST_RC);
                }
                if (rsp.rc > 1) {
                    g_assert_cmpuint(rsp.len, ==, 0);
                }
                if (rsp.rc == 3) {
                    break;
                }
            }
            if (k == ARRAY_SIZE(lengths)) {
                cxl_alive(dev);
            }
        }
    }
}

static void any_payload_gets_an_answer(void)
{
    static const uint8_t fills[] = { 0x00, 0xff, 0x01, 0x80 };
    const CxlExtent held = { CXL_DC_BASE, CXL_BLOCK, 1 };
    const CxlExtent offer = { CXL_DC_BASE + 4 * CXL_BLOCK, CXL_BLOCK, 2 };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(fills); i++) {
        CxlDev dev;
        QTestState *qts = cxl_start(
            CXL_BACKENDS
            "-object memory-backend-ram,id=pm0,size=256M "
            "-object memory-backend-ram,id=lsa0,size=64K "
            "-device " CXL_DCD_DEVICE ",persistent-memdev=pm0,lsa=lsa0");
        CxlExtent h = held, o = offer;

        cxl_probe(qts, 0, &dev);
        h.dpa += 256 * MiB;
        o.dpa += 256 * MiB;
        cxl_hold(&dev, &h, 1);
        g_assert_cmphex(fm_add_list(&dev, &o, 1), ==, 0);
        /*
         * A scan or a sanitize begins on the way; time stands still, so the
         * opcodes that follow, and all of the second pass, meet it running.
         */
        try_all(&dev, fills[i], false);
        g_assert_cmphex(dev_readq(&dev, REG_MB_STATUS) & 1, ==, 1);
        try_all(&dev, fills[i], true);
        cxl_alive(&dev);
        qtest_clock_step(qts, A_DAY);
        g_assert_cmphex(dev_readq(&dev, REG_MB_STATUS) & 1, ==, 0);
        g_assert_cmphex(dev_readq(&dev, REG_MEMDEV_STATUS), ==, 0x14);
        try_all(&dev, fills[i], true);
        cxl_alive(&dev);
        qtest_quit(qts);
    }
}

/* Random register traffic, doorbell included; the seed is printed */
static void random_register_traffic_is_harmless(void)
{
    CxlDev dev;
    QTestState *qts = cxl_start_dcd(&dev, "");
    unsigned i;

    for (i = 0; i < 20000; i++) {
        unsigned bar = g_test_rand_bit() ? 2 : 0;
        uint64_t at = dev.bar[bar] +
                      g_test_rand_int_range(0, bar ? 0x4000 : 0x3000);
        uint64_t v = (uint64_t)g_test_rand_int() << 32 |
                     (uint32_t)g_test_rand_int();

        switch (g_test_rand_int_range(0, 5)) {
        case 0:
            qtest_writeb(qts, at, v);
            break;
        case 1:
            qtest_writew(qts, at & ~1ull, v);
            break;
        case 2:
            qtest_writel(qts, at & ~3ull, v);
            break;
        case 3:
            qtest_writeq(qts, at & ~7ull, v);
            break;
        default:
            qtest_readq(qts, at & ~7ull);
            break;
        }
        if (i % 64 == 0) {
            dev_writel(&dev, REG_MB_CONTROL, 1);
        }
    }
    cxl_alive(&dev);
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/robust/" #f, f)
    T(any_payload_gets_an_answer);
    T(random_register_traffic_is_harmless);
    return g_test_run();
}
