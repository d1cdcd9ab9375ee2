/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Direct mapping beside an assigned PCI device: its DMA reaches what the host
 * has accepted, and nothing else.  Runs in the nested suite: it needs an IOMMU
 * and a PCI device that VFIO has, named by CXL_TEST_VFIO.
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "qobject/qdict.h"
#include "cxl-qtest-map.h"

#define RC_RESOURCES_EXHAUSTED 0x1d
#define STATIC { 0, CXL_STATIC }

static const char *host;

static void start(CxlDev *dev, const char *more)
{
    QTestState *qts = cxl_start(
        CXL_BACKENDS "-device " CXL_DCD_DEVICE " "
        "-device pcie-root-port,id=plug,bus=pcie.0,chassis=9 %s", more);

    cxl_probe(qts, 0, dev);
}

static void hold(CxlDev *dev, unsigned block)
{
    const CxlExtent e = { R0(block), CXL_BLOCK, block };

    cxl_hold(dev, &e, 1);
}

static void memory_works(QTestState *qts, uint64_t at)
{
    qtest_writeq(qts, at, MARK ^ at);
    g_assert_cmphex(qtest_readq(qts, at), ==, MARK ^ at);
}

/* -- QEMU's "edu", which the machine around has assigned to this one ------- */

#define EDU_DEVFN       0x28
#define EDU_BAR         0xf0000000u
#define EDU_DMA_SRC     0x80
#define EDU_DMA_DST     0x88
#define EDU_DMA_COUNT   0x90
#define EDU_DMA_CMD     0x98
#define EDU_DMA_RUN     1
#define EDU_DMA_TO_HOST 2
#define EDU_BUFFER      0x40000

static void edu_config(QTestState *qts, unsigned reg, uint32_t value)
{
    qtest_outl(qts, 0xcf8, 0x80000000u | EDU_DEVFN << 8 | reg);
    qtest_outl(qts, 0xcfc, value);
}

static void edu_probe(QTestState *qts)
{
    edu_config(qts, 0x10, EDU_BAR);
    edu_config(qts, 0x04, 0x6);
    g_assert_cmphex(qtest_readl(qts, EDU_BAR) & 0xff, ==, 0xed);
}

static void edu_dma(QTestState *qts, uint64_t src, uint64_t dst, unsigned cmd)
{
    qtest_writeq(qts, EDU_BAR + EDU_DMA_SRC, src);
    qtest_writeq(qts, EDU_BAR + EDU_DMA_DST, dst);
    qtest_writeq(qts, EDU_BAR + EDU_DMA_COUNT, 8);
    qtest_writeq(qts, EDU_BAR + EDU_DMA_CMD, cmd | EDU_DMA_RUN);
    while (qtest_readq(qts, EDU_BAR + EDU_DMA_CMD) & EDU_DMA_RUN) {
        g_usleep(10000);
    }
}

/* By DMA from one word to another one; both are reached, or neither is */
static void edu_copies(QTestState *qts, uint64_t from, uint64_t to)
{
    qtest_writeq(qts, from, MARK ^ from);
    qtest_writeq(qts, to, 0);
    edu_dma(qts, from, EDU_BUFFER, 0);
    edu_dma(qts, EDU_BUFFER, to, EDU_DMA_TO_HOST);
    g_assert_cmphex(qtest_readq(qts, to), ==, MARK ^ from);
}

static void start_with_edu(CxlDev *dev, const char *props)
{
    g_autofree char *args = g_strdup_printf(
        CXL_BACKENDS "-device " CXL_DCD_DEVICE "%s "
        "-device vfio-pci,host=%s,bus=pcie.0,addr=5", props, host);
    QTestState *qts = cxl_start("%s", args);

    cxl_probe(qts, 0, dev);
    edu_probe(qts);
}

/* -- tests ---------------------------------------------------------------- */

static void dma_reaches_what_the_host_has_accepted(void)
{
    const CxlRange two[] = { STATIC, { R0(1), CXL_BLOCK } };
    const CxlRange three[] = { STATIC, { R0(1), 2 * CXL_BLOCK } };
    const CxlRange last[] = { STATIC, { R0(2), CXL_BLOCK } };
    uint64_t hpa;
    CxlDev dev;

    start_with_edu(&dev, "");
    hpa = cxl_map(&dev, ALL_DPA);
    edu_copies(dev.qts, hpa + 64, hpa + 4096);
    hold(&dev, 1);
    map_is(dev.qts, two, 2);
    edu_copies(dev.qts, hpa + 64, hpa + R0(1));
    edu_copies(dev.qts, hpa + R0(1) + 64, hpa + 128);
    /* A neighbour comes, and the first one goes */
    hold(&dev, 2);
    map_is(dev.qts, three, 2);
    edu_copies(dev.qts, hpa + R0(1), hpa + R0(2));
    g_assert_cmphex(fm_release_tag(&dev, REL_FORCED, CXL_BLOCK, 1), ==, 0);
    map_is(dev.qts, last, 2);
    edu_copies(dev.qts, hpa + R0(2) + 8, hpa + 64);
    qtest_quit(dev.qts);
}

static QDict *plug(QTestState *qts)
{
    return qtest_qmp(qts, "{'execute': 'device_add', 'arguments': {'driver':"
                     " 'vfio-pci', 'id': 'edu', 'host': %s, 'bus': 'plug'}}",
                     host);
}

static void a_device_comes_while_dynamic_memory_is_mapped(void)
{
    const CxlRange both[] = { STATIC, { R0(1), CXL_BLOCK } };
    uint64_t hpa;
    CxlDev dev;
    QDict *rsp;

    start(&dev, "");
    hpa = cxl_map(&dev, ALL_DPA);
    hold(&dev, 1);
    map_is(dev.qts, both, 2);
    rsp = plug(dev.qts);
    g_assert_false(qdict_haskey(rsp, "error"));
    qobject_unref(rsp);
    map_is(dev.qts, both, 2);
    memory_works(dev.qts, hpa + R0(1));
    g_assert_cmphex(fm_release_tag(&dev, REL_FORCED, CXL_BLOCK, 1), ==, 0);
    g_assert_cmphex(qtest_readq(dev.qts, hpa + R0(1)), ==, -1ull);
    qtest_quit(dev.qts);
}

/* What is mapped already stays one piece, and what follows is another */
static void pieces_are_left_alone_under_dma(void)
{
    g_autofree char *log = NULL, *said = NULL, *args = NULL;
    int fd = g_file_open_tmp("cxl-trace-XXXXXX", &log, NULL);
    CxlDev dev;

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    args = g_strdup_printf(" -D %s -trace cxl_direct_map "
                           "-trace cxl_direct_unmap", log);
    start_with_edu(&dev, args);
    cxl_map(&dev, ALL_DPA);
    for (unsigned block = 1; block < 5; block++) {
        hold(&dev, block);
    }
    qtest_quit(dev.qts);

    g_assert_true(g_file_get_contents(log, &said, NULL, NULL));
    g_assert_nonnull(strstr(said, "cxl_direct_map"));
    g_assert_null(strstr(said, "cxl_direct_unmap"));
    unlink(log);
}

#define ENTRIES "/sys/module/vfio_iommu_type1/parameters/dma_entry_limit"

static void entries_are(const char *n)
{
    FILE *f = fopen(ENTRIES, "w");

    g_assert_nonnull(f);
    g_assert_cmpint(fprintf(f, "%s\n", n), >, 0);
    g_assert_cmpint(fclose(f), ==, 0);
}

/* The kernel keeps so many mappings and no more: then the answer fails */
static void what_dma_cannot_have_is_not_accepted(void)
{
    CxlExtent e = { R0(1), CXL_BLOCK, 1 };
    unsigned held = 0;
    uint64_t hpa;
    uint16_t rc;
    CxlDev dev;

    entries_are("48");
    start_with_edu(&dev, "");
    hpa = cxl_map(&dev, ALL_DPA);
    for (;; held++) {
        e.dpa = R0(1 + 2 * held);
        e.tag = 1 + held;
        g_assert_cmphex(fm_add_list(&dev, &e, 1), ==, 0);
        rc = host_answer(&dev, 0x4802, &e, 1, false);
        if (rc) {
            break;
        }
        g_assert_cmpuint(held, <, 48);
    }
    g_assert_cmpuint(held, >, 0);
    g_assert_cmphex(rc, ==, RC_RESOURCES_EXHAUSTED);
    map_trap_is(dev.qts, e.dpa, "not-accepted");
    g_assert_cmphex(qtest_readq(dev.qts, hpa + e.dpa), ==, -1ull);
    edu_copies(dev.qts, hpa + R0(1), hpa + R0(2 * held - 1));
    /* With one that goes there is room for another one */
    g_assert_cmphex(fm_release_tag(&dev, REL_FORCED, CXL_BLOCK, 1), ==, 0);
    hold(&dev, 2 * held + 1);
    edu_copies(dev.qts, hpa + e.dpa, hpa + e.dpa + 64);
    qtest_quit(dev.qts);
    entries_are("65535");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    host = g_getenv("CXL_TEST_VFIO");
    g_assert_nonnull(host);
#define T(f) qtest_add_func("/cxl/direct-vfio/" #f, f)
    T(dma_reaches_what_the_host_has_accepted);
    T(a_device_comes_while_dynamic_memory_is_mapped);
    T(pieces_are_left_alone_under_dma);
    T(what_dma_cannot_have_is_not_accepted);
    return g_test_run();
}
