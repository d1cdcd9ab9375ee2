/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who can read and write dynamic capacity, through the host's window
 * (CXL r3.2 9.13.3, 8.2.10.9.9)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "cxl-qtest.h"

#define R0(k) (CXL_DC_BASE + (uint64_t)(k) * CXL_BLOCK)
#define R1(k) (CXL_DC_BASE + CXL_REGION + (uint64_t)(k) * CXL_BLOCK)
#define BLOCKS(k) ((uint64_t)(k) * CXL_BLOCK)
#define ALL_DPA (CXL_STATIC + 2 * CXL_REGION)
#define MARK 0x0123456789abcdefull

static void static_memory_reads_back(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    uint64_t hpa = cxl_map(dev, ALL_DPA);

    g_assert_cmphex(qtest_readq(qts, hpa), ==, 0);
    qtest_writeq(qts, hpa, MARK);
    qtest_writeb(qts, hpa + CXL_STATIC - 1, 0x5a);
    g_assert_cmphex(qtest_readq(qts, hpa), ==, MARK);
    g_assert_cmphex(qtest_readl(qts, hpa + 4), ==, MARK >> 32);
    g_assert_cmphex(qtest_readb(qts, hpa + CXL_STATIC - 1), ==, 0x5a);
}

static void capacity_that_is_not_held_reads_ones_and_drops_writes(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    const CxlExtent e = { R0(1), BLOCKS(1), 1 };
    uint64_t hpa = cxl_map(dev, ALL_DPA);

    g_assert_cmphex(qtest_readq(qts, hpa + R0(1)), ==, -1ull);
    qtest_writeq(qts, hpa + R0(1), MARK);
    g_assert_cmphex(fm_add_list(dev, &e, 1), ==, 0);
    /* offered is not held */
    qtest_writeq(qts, hpa + R0(1), MARK);
    g_assert_cmphex(qtest_readq(qts, hpa + R0(1)), ==, -1ull);
    g_assert_cmphex(host_answer(dev, 0x4802, &e, 1, false), ==, 0);
    g_assert_cmphex(qtest_readq(qts, hpa + R0(1)), ==, 0);
    qtest_writeq(qts, hpa + R0(1), MARK);
    g_assert_cmphex(qtest_readq(qts, hpa + R0(1)), ==, MARK);
    /* neighbours stay closed */
    g_assert_cmphex(qtest_readq(qts, hpa + R0(1) - 8), ==, -1ull);
    g_assert_cmphex(qtest_readq(qts, hpa + R0(2)), ==, -1ull);
}

/* Found in stock QEMU: only the first byte of an access was judged */
static void access_across_the_end_of_an_extent_is_refused(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    const CxlExtent e = { R0(1), BLOCKS(1), 1 };
    uint64_t hpa = cxl_map(dev, ALL_DPA);
    uint64_t end = hpa + R0(2);
    uint8_t bytes[8];

    cxl_hold(dev, &e, 1);
    qtest_writel(qts, end - 4, 0x11223344);
    qtest_memwrite(qts, end - 4, "\xee\xee\xee\xee\xee\xee\xee\xee", 8);
    qtest_memread(qts, end - 4, bytes, 8);
    g_assert_cmphex((uint32_t)ldl_le_p(bytes + 4), ==, 0xffffffff);
    g_assert_cmphex(qtest_readl(qts, end), ==, 0xffffffff);
}

static void release_ends_access_and_the_rest_stays(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    const CxlExtent e = { R0(0), BLOCKS(3), 1 };
    const CxlExtent middle = { R0(1), BLOCKS(1), 1 };
    uint64_t hpa = cxl_map(dev, ALL_DPA);
    unsigned i;

    cxl_hold(dev, &e, 1);
    for (i = 0; i < 3; i++) {
        qtest_writeq(qts, hpa + R0(i), MARK + i);
    }
    g_assert_cmphex(host_answer(dev, 0x4803, &middle, 1, false), ==, 0);
    g_assert_cmphex(qtest_readq(qts, hpa + R0(0)), ==, MARK);
    g_assert_cmphex(qtest_readq(qts, hpa + R0(1)), ==, -1ull);
    g_assert_cmphex(qtest_readq(qts, hpa + R0(2)), ==, MARK + 2);
    g_assert_cmphex(fm_release_tag(dev, REL_FORCED, BLOCKS(2), 1), ==, 0);
    g_assert_cmphex(qtest_readq(qts, hpa + R0(0)), ==, -1ull);
    g_assert_cmphex(qtest_readq(qts, hpa + R0(2)), ==, -1ull);
}

/* The next owner sees old data unless somebody asked for sanitize */
static void sanitize_is_done_when_asked(void)
{
    enum { PLAIN, FLAG_OF_REGION, FLAG_OF_REQUEST, FORCED_REQUEST, CASES };
    const CxlExtent e = { R0(0), BLOCKS(2), 1 };
    unsigned how;

    for (how = 0; how < CASES; how++) {
        CxlDev dev;
        QTestState *qts = cxl_start_dcd(
            &dev, how == FLAG_OF_REGION ? ",dc0-sanitize=on" : "");
        uint64_t hpa = cxl_map(&dev, ALL_DPA);

        cxl_hold(&dev, &e, 1);
        qtest_writeq(qts, hpa + R0(0), MARK);
        qtest_writeq(qts, hpa + R0(2) - 8, MARK);
        if (how == FLAG_OF_REQUEST) {
            g_assert_cmphex(fm_release_list(&dev, REL_SANITIZE, &e, 1),
                            ==, 0);
            g_assert_cmphex(qtest_readq(qts, hpa + R0(0)), ==, MARK);
        }
        if (how == FORCED_REQUEST) {
            g_assert_cmphex(fm_release_list(&dev, REL_SANITIZE | REL_FORCED,
                                            &e, 1), ==, 0);
        } else {
            g_assert_cmphex(host_answer(&dev, 0x4803, &e, 1, false), ==, 0);
        }
        cxl_hold(&dev, &e, 1);
        g_assert_cmphex(qtest_readq(qts, hpa + R0(0)), ==,
                        how == PLAIN ? MARK : 0);
        g_assert_cmphex(qtest_readq(qts, hpa + R0(2) - 8), ==,
                        how == PLAIN ? MARK : 0);
        qtest_quit(qts);
    }
}

static void read_only_region_drops_writes(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    const CxlExtent e = { R1(0), BLOCKS(1), 1 };
    uint64_t hpa = cxl_map(dev, ALL_DPA);

    cxl_hold(dev, &e, 1);
    g_assert_cmphex(qtest_readq(qts, hpa + R1(0)), ==, 0);
    qtest_writeq(qts, hpa + R1(0), MARK);
    g_assert_cmphex(qtest_readq(qts, hpa + R1(0)), ==, 0);
}

/* The workflow of 9.13.3.2: one writes, then it is shared for reading */
static void initialised_capacity_is_shared_read_only(void)
{
    CxlDev dev;
    QTestState *qts = cxl_start_dcd(
        &dev, ",dc0-sharable=on,dc1-sharable=on,dc1-read-only=on");
    const CxlExtent first = { R0(0), BLOCKS(2), 7 };
    uint64_t hpa = cxl_map(&dev, ALL_DPA);
    CxlExtent second;
    CxlRsp rsp;

    g_assert_cmphex(fm_add(&dev, ADD_CONTIGUOUS, 0, BLOCKS(2), 7), ==, 0);
    g_assert_cmphex(host_answer(&dev, 0x4802, &first, 1, false), ==, 0);
    qtest_writeq(qts, hpa + R0(1), MARK);
    g_assert_cmphex(cxl_run(&dev, NULL, 0x5606, 7), ==, 0);
    g_assert_cmphex(host_answer(&dev, 0x4803, &first, 1, false), ==, 0);
    drain_log(&dev, 4);

    g_assert_cmphex(fm_add(&dev, ADD_SHARED, 1, 0, 7), ==, 0);
    g_assert_cmphex(cxl_run(&dev, &rsp, 0x0100, 4), ==, 0);
    second = (CxlExtent) {
        ldq_le_p(rsp.data + 0x20 + 0x38), ldq_le_p(rsp.data + 0x20 + 0x40), 7
    };
    g_assert_cmphex(second.dpa, >=, R1(0));
    g_assert_cmphex(second.len, ==, BLOCKS(2));
    g_assert_cmphex(host_answer(&dev, 0x4802, &second, 1, false), ==, 0);
    g_assert_cmphex(qtest_readq(qts, hpa + second.dpa + CXL_BLOCK), ==, MARK);
    qtest_writeq(qts, hpa + second.dpa + CXL_BLOCK, 0);
    g_assert_cmphex(qtest_readq(qts, hpa + second.dpa + CXL_BLOCK), ==, MARK);
    g_assert_cmphex(qtest_readq(qts, hpa + R0(1)), ==, -1ull);
    qtest_quit(qts);
}

static void device_without_static_capacity_works(void)
{
    QTestState *qts = cxl_start(
        "-object memory-backend-ram,id=dc0,size=512M "
        "-device cxl-type3,bus=rp0,id=m0,volatile-dc-memdev=dc0,"
        "num-dc-regions=2");
    CxlExtent e = { 4 * CXL_BLOCK, BLOCKS(1), 1 };
    uint64_t hpa;
    CxlDev dev;

    cxl_probe(qts, 0, &dev);
    hpa = cxl_map(&dev, 2 * CXL_REGION);
    cxl_hold(&dev, &e, 1);
    qtest_writeq(qts, hpa + e.dpa, MARK);
    g_assert_cmphex(qtest_readq(qts, hpa + e.dpa), ==, MARK);
    g_assert_cmphex(qtest_readq(qts, hpa), ==, -1ull);
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/dcd-memory/" #f, f)
#define DCD(f, props) cxl_add_dcd_test("/cxl/dcd-memory/" #f, f, props)
    DCD(static_memory_reads_back, "");
    DCD(capacity_that_is_not_held_reads_ones_and_drops_writes, "");
    DCD(access_across_the_end_of_an_extent_is_refused, "");
    DCD(release_ends_access_and_the_rest_stays, "");
    T(sanitize_is_done_when_asked);
    DCD(read_only_region_drops_writes, ",dc1-read-only=on");
    T(initialised_capacity_is_shared_read_only);
    T(device_without_static_capacity_works);
#undef DCD
#undef T
    return g_test_run();
}
