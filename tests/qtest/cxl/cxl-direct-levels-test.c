/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way from a window to memory devices over host bridges and switches:
 * interleave at each level, and no mapping that outlives a decoder on the way
 * (CXL r3.2 8.2.4.20, 9.13.1, 9.18.1.3)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "cxl-qtest-map.h"

#define SIZE (256 * MiB)
#define MARK 0x0123456789abcdefull
#define DEVICES_MAX 12

/* Buses of host bridge @h: its own, then one per root port */
#define HB_BUS(h) (16 * ((h) + 1))
#define MMIO 0xc0000000u
#define MMIO_EACH (1 * MiB)

/**
 * struct Tree - a machine with @nr_hb host bridges, each with @nr_rp root ports
 * @regs: component registers of the device below root port r of bridge h, at
 *   h * nr_rp + r
 * @fd, @file: what is in the memory of that device
 */
typedef struct Tree {
    QTestState *qts;
    unsigned nr_hb, nr_rp;
    uint64_t window, bridge;
    uint64_t regs[DEVICES_MAX];
    int fd[DEVICES_MAX];
    char *file[DEVICES_MAX];
} Tree;

static void tree_start(Tree *t, unsigned nr_hb, unsigned nr_rp,
                       unsigned granularity, const char *props)
{
    g_autoptr(GString) args = g_string_new("-M q35,cxl=on");
    unsigned h, r;

    *t = (Tree) { .nr_hb = nr_hb, .nr_rp = nr_rp };
    for (h = 0; h < nr_hb; h++) {
        g_string_append_printf(args, ",cxl-fmw.0.targets.%u=hb%u", h, h);
    }
    g_string_append_printf(args, ",cxl-fmw.0.size=%uM,"
                           "cxl-fmw.0.interleave-granularity=%u -m 128M "
                           "-nodefaults -display none ",
                           256 * nr_hb * nr_rp, granularity);
    for (h = 0; h < nr_hb; h++) {
        g_string_append_printf(args, "-device pxb-cxl,id=hb%u,bus=pcie.0,"
                               "bus_nr=%u ", h, HB_BUS(h));
        for (r = 0; r < nr_rp; r++) {
            unsigned d = h * nr_rp + r;

            t->fd[d] = map_memory_file(SIZE, &t->file[d]);
            g_string_append_printf(
                args, "-object memory-backend-file,id=m%u,size=256M,share=on,"
                "mem-path=%s -device cxl-rp,id=rp%u,bus=hb%u,port=%u,chassis=0,"
                "slot=%u,addr=%x.0 -device cxl-type3,id=dev%u,bus=rp%u,"
                "volatile-memdev=m%u%s ", d, t->file[d], d, h, r, d, r, d, d,
                d, props);
        }
    }
    t->qts = qtest_init(args->str);
    for (h = 0; h < nr_hb; h++) {
        for (r = 0; r < nr_rp; r++) {
            unsigned d = h * nr_rp + r;

            map_pci_bridge(t->qts, HB_BUS(h), r, HB_BUS(h) + 1 + r,
                           HB_BUS(h) + 1 + r, MMIO + d * MMIO_EACH, MMIO_EACH);
            t->regs[d] = map_pci_bar(t->qts, HB_BUS(h) + 1 + r, 0,
                                     MMIO + d * MMIO_EACH);
        }
    }
    t->window = map_window(t->qts);
    t->bridge = map_bridge(t->qts);
}

static void tree_stop(Tree *t)
{
    qtest_quit(t->qts);
    for (unsigned d = 0; d < t->nr_hb * t->nr_rp; d++) {
        close(t->fd[d]);
        g_free(t->file[d]);
    }
}

static uint64_t in_file(Tree *t, unsigned d, uint64_t at)
{
    uint8_t b[8];

    g_assert_cmpint(pread(t->fd[d], b, sizeof(b), at), ==, sizeof(b));
    return ldq_le_p(b);
}

static uint32_t control(unsigned ways, unsigned granularity)
{
    static const uint8_t code[] = {
        [1] = 0, [2] = 1, [4] = 2, [8] = 3, [3] = 8, [6] = 9, [12] = 10
    };

    return code[ways] << CXL_HDM_CTRL_IW_SHIFT | ctz32(granularity / 256);
}

/* Root ports in turn, above them host bridges in turn: how bits are used up */
static void tree_interleave(Tree *t, unsigned granularity)
{
    unsigned ways = t->nr_hb * t->nr_rp, h, r;
    unsigned pow2 = t->nr_hb % 3 ? t->nr_hb : t->nr_hb / 3;

    for (h = 0; h < t->nr_hb; h++) {
        if (t->nr_rp > 1) {
            uint64_t d = t->bridge + h * 0x10000;

            /* All bridges alike: their order in memory is the machine's */
            qtest_writel(t->qts, d + 0x1000 + CXL_HDM_DECODER(0) +
                         CXL_HDM_TARGET_HI, 0x07060504);
            map_decode(t->qts, d, 0, t->window, ways * (uint64_t)SIZE,
                       control(t->nr_rp, granularity * pow2), 0x03020100);
        }
        for (r = 0; r < t->nr_rp; r++) {
            map_decode(t->qts, t->regs[h * t->nr_rp + r], 0, t->window,
                       ways * (uint64_t)SIZE, control(ways, granularity), 0);
        }
    }
}

static void check_interleave(Tree *t, unsigned granularity)
{
    unsigned ways = t->nr_hb * t->nr_rp, i;
    unsigned pow2 = t->nr_hb % 3 ? t->nr_hb : t->nr_hb / 3;

    /* An odd stride goes through all targets and places in a chunk */
    for (i = 0; i < 64; i++) {
        uint64_t at = QEMU_ALIGN_DOWN(i * (ways * (uint64_t)SIZE / 64) +
                                      i * 5 * granularity + i * 24, 8);
        uint64_t hpa = t->window + at;
        unsigned h = hpa / granularity % t->nr_hb;
        unsigned r = hpa / (granularity * pow2) % t->nr_rp;
        uint64_t dpa = at / granularity / ways * granularity +
                       at % granularity;

        qtest_writeq(t->qts, hpa, MARK + i);
        g_assert_cmphex(qtest_readq(t->qts, hpa), ==, MARK + i);
        g_assert_cmphex(in_file(t, h * t->nr_rp + r, dpa), ==, MARK + i);
    }
}

static void an_access_over_two_chunks_is_split(Tree *t, unsigned granularity)
{
    uint64_t edge = t->window + granularity;
    uint8_t b[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, back[8];

    qtest_memwrite(t->qts, edge - 3, b, 8);
    qtest_memread(t->qts, edge - 3, back, 8);
    g_assert_cmpmem(b, 8, back, 8);
    g_assert_cmphex(qtest_readb(t->qts, edge - 1), ==, 3);
    g_assert_cmphex(qtest_readb(t->qts, edge), ==, 4);
}

static void interleave(unsigned nr_hb, unsigned nr_rp)
{
    static const unsigned few[] = { 256, 4096, 16384 };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(few); i++) {
        unsigned pow2 = nr_hb % 3 ? nr_hb : nr_hb / 3;
        Tree t;

        if (nr_rp > 1 && few[i] * pow2 > 16384) {
            continue;           /* what a bridge below cannot express */
        }
        tree_start(&t, nr_hb, nr_rp, few[i], "");
        tree_interleave(&t, few[i]);
        map_is(t.qts, NULL, 0);
        map_trap_is(t.qts, 0, "interleaved");
        check_interleave(&t, few[i]);
        an_access_over_two_chunks_is_split(&t, few[i]);
        tree_stop(&t);
    }
}

static void interleave_of_the_window(void)
{
    interleave(2, 1);
    interleave(4, 1);
    interleave(8, 1);
    interleave(3, 1);
    interleave(6, 1);
    interleave(12, 1);
}

static void interleave_of_a_bridge(void)
{
    interleave(1, 2);
    interleave(1, 4);
    interleave(1, 8);
}

static void interleave_of_both(void)
{
    interleave(2, 2);
    interleave(2, 4);
    interleave(3, 2);
    interleave(3, 4);
}

static void the_bridge_decides_which_device_it_is(void)
{
    const CxlRange all[] = { { 0, SIZE } };
    const CxlRange second[] = { { SIZE, SIZE } };
    Tree t;
    unsigned d;

    tree_start(&t, 1, 2, 256, "");
    for (d = 0; d < 2; d++) {
        map_decode(t.qts, t.regs[d], 0, t.window, SIZE, 0, 0);
        map_is(t.qts, NULL, 0);
    }
    for (d = 0; d < 2; d++) {
        map_decode(t.qts, t.bridge, 0, t.window, 2 * SIZE, 0, d);
        map_is(t.qts, all, 1);
        qtest_writeq(t.qts, t.window + 8, MARK + d);
        g_assert_cmphex(in_file(&t, d, 8), ==, MARK + d);
        g_assert_cmphex(in_file(&t, !d, 8), ==, d ? MARK : 0);
        map_control(t.qts, t.bridge, 0, 0);
        map_is(t.qts, NULL, 0);
        qtest_writeq(t.qts, t.window + 8, 0);
        g_assert_cmphex(in_file(&t, d, 8), ==, MARK + d);
    }
    map_decode(t.qts, t.bridge, 0, t.window, 2 * SIZE, 0, 1);

    /* The device's own decoder: enable, commit, another place */
    map_enable(t.qts, t.regs[1], false);
    map_is(t.qts, NULL, 0);
    map_trap_is(t.qts, 0, "not-decoded");
    map_enable(t.qts, t.regs[1], true);
    map_is(t.qts, all, 1);
    map_control(t.qts, t.regs[1], 0, 0);
    map_is(t.qts, NULL, 0);
    map_decode(t.qts, t.regs[1], 0, t.window + SIZE, SIZE, 0, 0);
    map_is(t.qts, second, 1);
    g_assert_cmphex(qtest_readq(t.qts, t.window + SIZE + 8), ==, MARK + 1);
    g_assert_cmphex(qtest_readq(t.qts, t.window + 8), ==, 0);

    /* Locked: stays until a reset */
    map_control(t.qts, t.regs[1], 0, 0);
    map_decode(t.qts, t.regs[1], 0, t.window, SIZE, CXL_HDM_CTRL_LOCK, 0);
    map_control(t.qts, t.regs[1], 0, 0);
    map_is(t.qts, all, 1);
    qtest_qmp_assert_success(t.qts, "{'execute': 'system_reset'}");
    qtest_qmp_eventwait(t.qts, "RESET");
    map_is(t.qts, NULL, 0);
    tree_stop(&t);
}

static void a_bridge_with_one_port_needs_no_decoder(void)
{
    const CxlRange all[] = { { 0, SIZE } };
    Tree t;

    tree_start(&t, 1, 1, 256, "");
    map_is(t.qts, NULL, 0);
    map_decode(t.qts, t.regs[0], 0, t.window, SIZE, 0, 0);
    map_is(t.qts, all, 1);
    qtest_writeq(t.qts, t.window, MARK);
    g_assert_cmphex(in_file(&t, 0, 0), ==, MARK);
    tree_stop(&t);
}

#define SW_MACHINE \
    "-M q35,cxl=on,cxl-fmw.0.targets.0=hb0,cxl-fmw.0.size=512M -m 128M " \
    "-nodefaults -display none -device pxb-cxl,id=hb0,bus=pcie.0,bus_nr=16 " \
    "-device cxl-rp,id=rp0,bus=hb0,port=0,chassis=0,slot=0,addr=0.0 " \
    "-device cxl-upstream,id=us0,bus=rp0,addr=0.0 " \
    "-device cxl-downstream,id=ds0,bus=us0,port=0,chassis=0,slot=4,addr=0.0 " \
    "-device cxl-downstream,id=ds1,bus=us0,port=1,chassis=0,slot=5,addr=1.0 " \
    "-object memory-backend-ram,id=m0,size=256M " \
    "-object memory-backend-ram,id=m1,size=256M " \
    "-device cxl-type3,id=dev0,bus=ds0,volatile-memdev=m0 " \
    "-device cxl-type3,id=dev1,bus=ds1,volatile-memdev=m1 "

static void the_switch_decides_which_device_it_is(void)
{
    const CxlRange all[] = { { 0, SIZE } }, both[] = { { 0, 2 * SIZE } };
    QTestState *qts = qtest_init(SW_MACHINE);
    uint64_t window = map_window(qts), usp, dev[2];
    unsigned d;

    map_pci_bridge(qts, 16, 0, 17, 20, MMIO, 4 * MiB);
    map_pci_bridge(qts, 17, 0, 18, 20, MMIO + 1 * MiB, 2 * MiB);
    usp = map_pci_bar(qts, 17, 0, MMIO);
    for (d = 0; d < 2; d++) {
        map_pci_bridge(qts, 18, d, 19 + d, 19 + d, MMIO + (d + 1) * MiB, MiB);
        dev[d] = map_pci_bar(qts, 19 + d, 0, MMIO + (d + 1) * MiB);
        map_decode(qts, dev[d], 0, window, SIZE, 0, 0);
        map_is(qts, NULL, 0);
    }
    for (d = 0; d < 2; d++) {
        map_decode(qts, usp, 0, window, SIZE, 0, d);
        map_is(qts, all, 1);
        g_assert_cmphex(qtest_readq(qts, window), ==, 0);
        qtest_writeq(qts, window, MARK + d);
        map_control(qts, usp, 0, 0);
        map_is(qts, NULL, 0);
        map_trap_is(qts, 0, "no-device");
    }
    /* One behind the other, then interleaved */
    map_control(qts, dev[1], 0, 0);
    map_decode(qts, dev[1], 0, window + SIZE, SIZE, 0, 0);
    map_decode(qts, usp, 0, window, SIZE, 0, 0);
    map_decode(qts, usp, 1, window + SIZE, SIZE, 0, 1);
    map_is(qts, both, 1);
    g_assert_cmphex(qtest_readq(qts, window), ==, MARK);
    g_assert_cmphex(qtest_readq(qts, window + SIZE), ==, MARK + 1);
    map_control(qts, usp, 1, 0);
    map_is(qts, all, 1);
    map_control(qts, usp, 0, 0);
    for (d = 0; d < 2; d++) {
        map_control(qts, dev[d], 0, 0);
        map_decode(qts, dev[d], 0, window, 2 * SIZE, control(2, 512), 0);
    }
    map_decode(qts, usp, 0, window, 2 * SIZE, control(2, 512), 0x0100);
    map_is(qts, both, 1);
    g_assert_cmphex(qtest_readq(qts, window), ==, MARK);
    g_assert_cmphex(qtest_readq(qts, window + 512), ==, MARK + 1);
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/direct-levels/" #f, f)
    T(the_bridge_decides_which_device_it_is);
    T(a_bridge_with_one_port_needs_no_decoder);
    T(the_switch_decides_which_device_it_is);
    T(interleave_of_the_window);
    T(interleave_of_a_bridge);
    T(interleave_of_both);
#undef T
    return g_test_run();
}
