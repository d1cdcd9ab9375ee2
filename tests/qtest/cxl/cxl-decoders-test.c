/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HDM decoders of host bridge, switch and device as firmware and Linux program
 * them: spare decoders of size 0, lock on commit, skipped capacity, granularity
 * that a decoder of one way does not use, and what is refused
 * (CXL r3.2 8.2.4.20)
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "cxl-qtest-tree.h"

#define UNIT            (256 * MiB)
#define CACHEMEM        0x1000

#define SWITCH_AND_DEVICE \
    "-device cxl-upstream,id=us0,bus=rp0,addr=0.0 " \
    "-device cxl-downstream,id=ds0,bus=us0,port=3,chassis=0,slot=4,addr=0.0 " \
    "-object memory-backend-ram,id=vm0,size=1G " \
    "-device cxl-type3,bus=ds0,id=m0,volatile-memdev=vm0 "

/* What is programmed, from the window down */
enum { BRIDGE, SWITCH, DEVICE, PLACES };

/* Port numbers that lead to the device; it has its skip there */
static const uint32_t target[PLACES] = { 0, 3, 0 };

/**
 * struct Chain - a window over a host bridge, a switch and a device
 * @regs: component registers of each
 */
typedef struct Chain {
    QTestState *qts;
    uint64_t window;
    uint64_t regs[PLACES];
} Chain;

static void chain_find(QTestState *qts, Chain *c)
{
    *c = (Chain) { .qts = qts };
    map_pci_bridge(qts, 52, 0, 53, 55, 0xc0000000, 32 * MiB);
    map_pci_bridge(qts, 53, 0, 54, 55, 0xc1000000, 16 * MiB);
    map_pci_bridge(qts, 54, 0, 55, 55, 0xc1100000, 1 * MiB);
    c->regs[SWITCH] = map_pci_bar(qts, 53, 0, 0xc0000000);
    c->regs[DEVICE] = map_pci_bar(qts, 55, 0, 0xc1100000);
    c->regs[BRIDGE] = map_bridge(qts);
    c->window = map_window(qts);
}

static void chain_start(Chain *c)
{
    chain_find(cxl_start(SWITCH_AND_DEVICE), c);
}

static uint64_t at(const Chain *c, unsigned place, unsigned n, unsigned reg)
{
    return c->regs[place] + CACHEMEM + CXL_HDM_DECODER(n) + reg;
}

static uint32_t reg(Chain *c, unsigned place, unsigned n, unsigned offset)
{
    return qtest_readl(c->qts, at(c, place, n, offset));
}

static uint32_t state(Chain *c, unsigned place, unsigned n)
{
    return reg(c, place, n, CXL_HDM_CONTROL) &
           (CXL_HDM_CTRL_COMMITTED | CXL_HDM_CTRL_ERROR);
}

/*
 * The order of Linux: base, size, targets or skip, each the upper half first,
 * and all of the control register at once
 */
static void program(Chain *c, unsigned place, unsigned n, uint64_t base,
                    uint64_t size, uint64_t targets, uint32_t control)
{
    const struct { unsigned at; uint64_t value; } pair[] = {
        { CXL_HDM_BASE_LO, base },
        { CXL_HDM_SIZE_LO, size },
        { CXL_HDM_TARGET_LO, targets },
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(pair); i++) {
        qtest_writel(c->qts, at(c, place, n, pair[i].at + 4),
                     pair[i].value >> 32);
        qtest_writel(c->qts, at(c, place, n, pair[i].at), pair[i].value);
    }
    qtest_writel(c->qts, at(c, place, n, CXL_HDM_CONTROL),
                 control | CXL_HDM_CTRL_COMMIT | CXL_HDM_CTRL_HOST_ONLY);
}

static void commit(Chain *c, unsigned place, unsigned n, uint64_t base,
                   uint64_t size, uint64_t targets, uint32_t control)
{
    program(c, place, n, base, size, targets, control);
    g_assert_cmphex(state(c, place, n), ==, CXL_HDM_CTRL_COMMITTED);
}

static void refused(Chain *c, unsigned place, unsigned n, uint64_t base,
                    uint64_t size, uint32_t control)
{
    program(c, place, n, base, size, target[place], control);
    g_assert_cmphex(state(c, place, n), ==, CXL_HDM_CTRL_ERROR);
    /* Linux takes the commit back, and the error goes */
    qtest_writel(c->qts, at(c, place, n, CXL_HDM_CONTROL), control);
    g_assert_cmphex(state(c, place, n), ==, 0);
}

static void uncommit(Chain *c, unsigned place, unsigned n)
{
    qtest_writel(c->qts, at(c, place, n, CXL_HDM_CONTROL), 0);
    g_assert_cmphex(state(c, place, n), ==, 0);
}

/* Decoder @n of all three leads there */
static void commit_way(Chain *c, unsigned n, uint64_t base, uint64_t size,
                       uint64_t skip, uint32_t control)
{
    unsigned place;

    for (place = 0; place < PLACES; place++) {
        commit(c, place, n, base, size, place == DEVICE ? skip : target[place],
               control);
    }
}

static void leads_to_memory(Chain *c, uint64_t from, uint64_t size)
{
    const CxlRange all = { from, size };

    qtest_writeq(c->qts, c->window + from, MARK);
    qtest_writeq(c->qts, c->window + from + size - 8, ~MARK);
    g_assert_cmphex(qtest_readq(c->qts, c->window + from), ==, MARK);
    g_assert_cmphex(qtest_readq(c->qts, c->window + from + size - 8), ==,
                    ~MARK);
    map_is(c->qts, &all, 1);
}

/* -- decoders of size 0 -- */

/* Wherever a spare decoder says it is: nowhere, or amid what others decode */
static void spare_decoders_take_no_part(void)
{
    static const uint64_t bases[] = { 0, 2 * UNIT, 3 * UNIT, 5 * UNIT };
    unsigned i, place, n;
    Chain c;

    chain_start(&c);
    map_enable(c.qts, c.regs[DEVICE], true);
    for (i = 0; i < ARRAY_SIZE(bases); i++) {
        uint64_t base = bases[i] ? c.window + bases[i] : 0;

        for (place = 0; place < PLACES; place++) {
            commit(&c, place, 0, base, 0, 0, 0);
            commit(&c, place, 1, base, 0, 0, 0);
        }
        map_is(c.qts, NULL, 0);
        commit_way(&c, 2, c.window + 2 * UNIT, 2 * UNIT, 0, 0);
        leads_to_memory(&c, 2 * UNIT, 2 * UNIT);
        /* one behind it, and what begins where the one before ended */
        for (place = 0; place < PLACES; place++) {
            commit(&c, place, 3, base, 0, 0, 0);
        }
        leads_to_memory(&c, 2 * UNIT, 2 * UNIT);
        for (n = CXL_HDM_DECODERS; n-- > 0; ) {
            for (place = 0; place < PLACES; place++) {
                uncommit(&c, place, n);
            }
        }
    }
    qtest_quit(c.qts);
}

/* What firmware does with decoders that nobody shall use */
static void a_locked_spare_decoder_stays_until_a_reset(void)
{
    g_autofree char *args = cxl_args(SWITCH_AND_DEVICE);
    unsigned place, offset;
    Chain c;

    chain_start(&c);
    map_enable(c.qts, c.regs[DEVICE], true);
    for (place = 0; place < PLACES; place++) {
        commit(&c, place, 0, 0, 0, 0, CXL_HDM_CTRL_LOCK);
    }
    commit_way(&c, 1, c.window, UNIT, 0, 0);
    leads_to_memory(&c, 0, UNIT);
    c.qts = cxl_migrate(c.qts, args);
    for (place = 0; place < PLACES; place++) {
        uint32_t control = reg(&c, place, 0, CXL_HDM_CONTROL);

        g_assert_cmphex(control, ==, CXL_HDM_CTRL_LOCK | CXL_HDM_CTRL_COMMIT |
                        CXL_HDM_CTRL_COMMITTED | CXL_HDM_CTRL_HOST_ONLY);
        for (offset = 0; offset < 0x20; offset += 4) {
            uint32_t was = reg(&c, place, 0, offset);

            qtest_writel(c.qts, at(&c, place, 0, offset), ~was);
            g_assert_cmphex(reg(&c, place, 0, offset), ==, was);
        }
    }
    leads_to_memory(&c, 0, UNIT);
    qtest_system_reset(c.qts);
    chain_find(c.qts, &c);
    for (place = 0; place < PLACES; place++) {
        g_assert_cmphex(reg(&c, place, 0, CXL_HDM_CONTROL), ==, 0);
        commit(&c, place, 0, c.window, UNIT, target[place], 0);
    }
    qtest_quit(c.qts);
}

/* The set of three ways could not be RAM if a spare decoder cut it in two */
static void spare_decoders_do_not_cut_a_set(void)
{
    static const uint8_t ways[TREE_LEVELS] = { 3, 1, 1 };
    uint64_t base, size, spare;
    unsigned i, l;
    Tree t;

    tree_start(&t, ways, true);
    base = t.window[0];
    size = 3 * (uint64_t)TREE_UNIT;
    spare = base + TREE_UNIT;
    for (l = TREE_BRIDGE; l <= TREE_SWITCH; l++) {
        for (i = 0; i < t.nr_ports[l]; i++) {
            map_decode(t.qts, t.port[l][i], 0, spare, 0, 0, 0);
            map_decode(t.qts, t.port[l][i], 1, base, size, 0, 0);
        }
    }
    for (i = 0; i < t.nr_devices; i++) {
        map_decode(t.qts, t.device[i], 0, spare, 0, 0, 0);
        map_decode(t.qts, t.device[i], 1, base, size,
                   8 << CXL_HDM_CTRL_IW_SHIFT, 0);
    }
    map_settle(t.qts);
    map_trap_is(t.qts, 0, "direct");
    map_trap_is(t.qts, size - 1, "direct");
    tree_stop(&t);
}

/* -- device physical addresses -- */

/* Skips add up, those of decoders of size 0 as well */
static void skipped_capacity_belongs_to_no_decoder(void)
{
    unsigned n, place;
    Chain c;

    chain_start(&c);
    map_enable(c.qts, c.regs[DEVICE], true);
    commit_way(&c, 0, c.window, 0, UNIT, 0);
    commit_way(&c, 1, c.window, UNIT, 0, 0);
    commit_way(&c, 2, c.window + UNIT, UNIT, UNIT, 0);
    qtest_writeq(c.qts, c.window, MARK);
    qtest_writeq(c.qts, c.window + UNIT, ~MARK);
    /* a low part of the skip register is not there */
    g_assert_cmphex(reg(&c, DEVICE, 2, CXL_HDM_SKIP_LO), ==, UNIT);
    for (n = 3; n-- > 0; ) {
        for (place = 0; place < PLACES; place++) {
            uncommit(&c, place, n);
        }
    }
    commit_way(&c, 0, c.window, 4 * UNIT, 0, 0);
    g_assert_cmphex(qtest_readq(c.qts, c.window), ==, 0);
    g_assert_cmphex(qtest_readq(c.qts, c.window + UNIT), ==, MARK);
    g_assert_cmphex(qtest_readq(c.qts, c.window + 2 * UNIT), ==, 0);
    g_assert_cmphex(qtest_readq(c.qts, c.window + 3 * UNIT), ==, ~MARK);
    qtest_quit(c.qts);
}

/* Behind the end of the capacity there is nothing, and a device says so */
static void a_skip_beyond_the_capacity_leads_nowhere(void)
{
    Chain c;

    chain_start(&c);
    map_enable(c.qts, c.regs[DEVICE], true);
    commit_way(&c, 0, c.window, UNIT, 0xfffffff0ull << 32, 0);
    qtest_writeq(c.qts, c.window, MARK);
    g_assert_cmphex(qtest_readq(c.qts, c.window), !=, MARK);
    map_is(c.qts, NULL, 0);
    qtest_quit(c.qts);
}

/* -- one way -- */

/*
 * A level that passes on all it gets ignores its granularity.  Below a window
 * of N ways of 16 KiB it would be N * 16 KiB, for which there is no code: Linux
 * programs some code, and each level may have another one.
 */
static void one_way_has_no_granularity(void)
{
    unsigned ig, place;
    Chain c;

    chain_start(&c);
    map_enable(c.qts, c.regs[DEVICE], true);
    for (ig = 0; ig < TREE_GRAINS; ig++) {
        for (place = 0; place < PLACES; place++) {
            commit(&c, place, 0, c.window, UNIT, target[place],
                   (ig + 3 * place) % TREE_GRAINS);
        }
        leads_to_memory(&c, 0, UNIT);
        for (place = 0; place < PLACES; place++) {
            uncommit(&c, place, 0);
        }
    }
    qtest_quit(c.qts);
}

/* -- what is refused -- */

static void reserved_codes_are_refused(void)
{
    /* Encoded ways: bit map of what a port and a device may have */
    static const uint16_t good_ways[PLACES] = { 0x000f, 0x000f, 0x071f };
    unsigned place, code;
    Chain c;

    chain_start(&c);
    for (place = 0; place < PLACES; place++) {
        for (code = 0; code < 16; code++) {
            uint32_t ways = code << CXL_HDM_CTRL_IW_SHIFT;

            /* a multiple of all numbers of ways */
            if (good_ways[place] & BIT(code)) {
                commit(&c, place, 0, 0, 48 * UNIT, 0, ways);
                uncommit(&c, place, 0);
            } else {
                refused(&c, place, 0, 0, 48 * UNIT, ways);
                refused(&c, place, 0, 0, 0, ways);
            }
            if (code < TREE_GRAINS) {
                commit(&c, place, 0, 0, UNIT, 0, code);
                uncommit(&c, place, 0);
            } else {
                /* of one way, too: Linux has no port with such a code */
                refused(&c, place, 0, 0, UNIT, code);
                refused(&c, place, 0, 0, 2 * UNIT,
                        1 << CXL_HDM_CTRL_IW_SHIFT | code);
            }
        }
    }
    qtest_quit(c.qts);
}

static void decoders_commit_in_order(void)
{
    unsigned place, n;
    Chain c;

    chain_start(&c);
    map_enable(c.qts, c.regs[DEVICE], true);
    for (place = 0; place < PLACES; place++) {
        for (n = 1; n < CXL_HDM_DECODERS; n++) {
            refused(&c, place, n, c.window + n * UNIT, UNIT, 0);
            refused(&c, place, n, 0, 0, 0);
            refused(&c, place, n, 0, 0, CXL_HDM_CTRL_LOCK);
        }
    }
    for (n = 0; n < CXL_HDM_DECODERS; n++) {
        commit_way(&c, n, c.window + n * UNIT, UNIT, 0, 0);
        leads_to_memory(&c, 0, (n + 1) * UNIT);
    }
    /* lower ones decode lower addresses */
    for (place = 0; place < PLACES; place++) {
        uncommit(&c, place, 3);
        refused(&c, place, 3, c.window + 2 * UNIT, UNIT, 0);
        refused(&c, place, 3, c.window, UNIT, 0);
        refused(&c, place, 3, -2ull * UNIT, 3ull * UNIT, 0);
    }
    leads_to_memory(&c, 0, 3 * UNIT);
    qtest_quit(c.qts);
}

/* -- a switch above two devices -- */

#define SW_MMIO 0xc0000000u
/* chunks of 512 bytes */
#define TWO_WAYS (1 << CXL_HDM_CTRL_IW_SHIFT | 1)
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
    const CxlRange all[] = { { 0, UNIT } }, both[] = { { 0, 2 * UNIT } };
    QTestState *qts = qtest_init(SW_MACHINE);
    uint64_t window = map_window(qts), usp, dev[2];
    unsigned d;

    map_pci_bridge(qts, 16, 0, 17, 20, SW_MMIO, 4 * MiB);
    map_pci_bridge(qts, 17, 0, 18, 20, SW_MMIO + 1 * MiB, 2 * MiB);
    usp = map_pci_bar(qts, 17, 0, SW_MMIO);
    for (d = 0; d < 2; d++) {
        map_pci_bridge(qts, 18, d, 19 + d, 19 + d, SW_MMIO + (d + 1) * MiB,
                       MiB);
        dev[d] = map_pci_bar(qts, 19 + d, 0, SW_MMIO + (d + 1) * MiB);
        map_decode(qts, dev[d], 0, window, UNIT, 0, 0);
        map_is(qts, NULL, 0);
    }
    for (d = 0; d < 2; d++) {
        map_decode(qts, usp, 0, window, UNIT, 0, d);
        map_is(qts, all, 1);
        g_assert_cmphex(qtest_readq(qts, window), ==, 0);
        qtest_writeq(qts, window, MARK + d);
        map_control(qts, usp, 0, 0);
        map_is(qts, NULL, 0);
        map_trap_is(qts, 0, "no-device");
    }
    /* One behind the other, then interleaved */
    map_control(qts, dev[1], 0, 0);
    map_decode(qts, dev[1], 0, window + UNIT, UNIT, 0, 0);
    map_decode(qts, usp, 0, window, UNIT, 0, 0);
    map_decode(qts, usp, 1, window + UNIT, UNIT, 0, 1);
    map_is(qts, both, 1);
    g_assert_cmphex(qtest_readq(qts, window), ==, MARK);
    g_assert_cmphex(qtest_readq(qts, window + UNIT), ==, MARK + 1);
    map_control(qts, usp, 1, 0);
    map_is(qts, all, 1);
    map_control(qts, usp, 0, 0);
    for (d = 0; d < 2; d++) {
        map_control(qts, dev[d], 0, 0);
        map_decode(qts, dev[d], 0, window, 2 * UNIT, TWO_WAYS, 0);
    }
    map_decode(qts, usp, 0, window, 2 * UNIT, TWO_WAYS, 0x0100);
    map_is(qts, both, 1);
    g_assert_cmphex(qtest_readq(qts, window), ==, MARK);
    g_assert_cmphex(qtest_readq(qts, window + 512), ==, MARK + 1);
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/decoders/" #f, f)
    T(spare_decoders_take_no_part);
    T(a_locked_spare_decoder_stays_until_a_reset);
    T(spare_decoders_do_not_cut_a_set);
    T(skipped_capacity_belongs_to_no_decoder);
    T(a_skip_beyond_the_capacity_leads_nowhere);
    T(one_way_has_no_granularity);
    T(reserved_codes_are_refused);
    T(decoders_commit_in_order);
    T(the_switch_decides_which_device_it_is);
    return g_test_run();
}
