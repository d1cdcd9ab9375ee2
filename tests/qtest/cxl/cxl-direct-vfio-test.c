/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Direct mapping beside an assigned PCI device: memory that stays is mapped for
 * its DMA too, memory that comes and goes is not.  Runs in the nested suite: it
 * needs an IOMMU and a PCI device that VFIO has, named by CXL_TEST_VFIO.
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "qobject/qdict.h"
#include "cxl-qtest-map.h"

#define R0(k) (CXL_DC_BASE + (uint64_t)(k) * CXL_BLOCK)
#define ALL_DPA (CXL_STATIC + 2 * CXL_REGION)
#define MARK 0x0123456789abcdefull
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

static void only_memory_that_stays_is_mapped_for_dma(void)
{
    const CxlRange only[] = { STATIC };
    g_autofree char *log = NULL, *said = NULL, *args = NULL, *want = NULL;
    int fd = g_file_open_tmp("cxl-trace-XXXXXX", &log, NULL);
    uint64_t hpa;
    CxlDev dev;

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    args = g_strdup_printf("-device vfio-pci,host=%s,bus=plug -D %s "
                           "-trace vfio_listener_region_*", host, log);
    start(&dev, args);
    hpa = cxl_map(&dev, ALL_DPA);
    hold(&dev, 1);
    map_is(dev.qts, only, 1);
    map_trap_is(dev.qts, R0(1), "pinned");
    memory_works(dev.qts, hpa + 64);
    memory_works(dev.qts, hpa + R0(1));
    g_assert_cmphex(fm_release_tag(&dev, REL_FORCED, CXL_BLOCK, 1), ==, 0);
    g_assert_cmphex(qtest_readq(dev.qts, hpa + R0(1)), ==, -1ull);
    qtest_quit(dev.qts);

    g_assert_true(g_file_get_contents(log, &said, NULL, NULL));
    want = g_strdup_printf("region_add [ram] 0x%" PRIx64 " - 0x%" PRIx64,
                           hpa, hpa + CXL_STATIC - 1);
    g_assert_nonnull(strstr(said, want));
    unlink(log);
}

static QDict *plug(QTestState *qts)
{
    return qtest_qmp(qts, "{'execute': 'device_add', 'arguments': {'driver':"
                     " 'vfio-pci', 'id': 'edu', 'host': %s, 'bus': 'plug'}}",
                     host);
}

static void a_device_is_refused_while_dynamic_memory_is_mapped(void)
{
    const CxlRange both[] = { STATIC, { R0(1), CXL_BLOCK } };
    const CxlRange only[] = { STATIC };
    uint64_t hpa;
    CxlDev dev;
    QDict *rsp;

    start(&dev, "");
    hpa = cxl_map(&dev, ALL_DPA);
    hold(&dev, 1);
    map_is(dev.qts, both, 2);
    rsp = plug(dev.qts);
    g_assert_true(qdict_haskey(rsp, "error"));
    g_test_message("%s", qdict_get_str(qdict_get_qdict(rsp, "error"), "desc"));
    g_assert_nonnull(strstr(qdict_get_str(qdict_get_qdict(rsp, "error"),
                                          "desc"), "discarding of RAM"));
    qobject_unref(rsp);
    map_is(dev.qts, both, 2);
    memory_works(dev.qts, hpa + R0(1));

    /* Once there is none, the device may come, and then it is the other way */
    g_assert_cmphex(fm_release_tag(&dev, REL_FORCED, CXL_BLOCK, 1), ==, 0);
    rsp = plug(dev.qts);
    g_assert_false(qdict_haskey(rsp, "error"));
    qobject_unref(rsp);
    hold(&dev, 2);
    map_is(dev.qts, only, 1);
    map_trap_is(dev.qts, R0(2), "pinned");
    memory_works(dev.qts, hpa + R0(2));
    memory_works(dev.qts, hpa);
    qtest_quit(dev.qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    host = g_getenv("CXL_TEST_VFIO");
    g_assert_nonnull(host);
#define T(f) qtest_add_func("/cxl/direct-vfio/" #f, f)
    T(only_memory_that_stays_is_mapped_for_dma);
    T(a_device_is_refused_while_dynamic_memory_is_mapped);
#undef T
    return g_test_run();
}
