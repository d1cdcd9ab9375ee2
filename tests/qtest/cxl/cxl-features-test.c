/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Features of a memory device in a running machine: values over reset and
 * migration, and what patrol scrub finds (CXL r3.2 8.2.10.6, 8.2.10.9.11)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "cxl-qtest-ras.h"

#define LOG_FAIL    2

static void scrub_reads(CxlDev *dev, uint8_t selection, uint8_t hours, bool on)
{
    CxlRsp rsp;

    g_assert_cmphex(ras_get(dev, RAS_SCRUB, selection, 4, &rsp), ==, 0);
    g_assert_cmpuint(rsp.len, ==, 4);
    g_assert_cmpuint(rsp.data[1], ==, hours);
    g_assert_cmpuint(rsp.data[3], ==, on);
}

static void saved_values_survive_a_reset(CxlDev *dev)
{
    CxlReq r;

    ras_set_scrub(dev, RAS_FULL | RAS_SAVE, 6, true);
    ras_set_scrub(dev, RAS_FULL, 8, false);
    scrub_reads(dev, RAS_CURRENT, 8, false);
    scrub_reads(dev, RAS_DEFAULT, 12, false);
    scrub_reads(dev, RAS_SAVED, 6, true);
    r = ras_set_request(RAS_SCRUB, RAS_START, 1);
    req8(&r, 1);
    g_assert_cmphex(cxl_cmd(dev, 0x0502, &r, NULL), ==, 0);
    cxl_reset(dev);
    scrub_reads(dev, RAS_CURRENT, 6, true);
}

static void scrub_finds_poison(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    CxlRsp rsp;

    /* not while it is off */
    ras_poison(dev, 0x1000);
    qtest_clock_step(qts, 48 * RAS_HOUR_NS);
    g_assert_cmphex(dev_readl(dev, REG_EVENT_STATUS), ==, 0);

    ras_set_scrub(dev, RAS_FULL, 1, true);
    g_assert_cmphex(dev_readl(dev, REG_EVENT_STATUS), ==, 0);
    qtest_clock_step(qts, RAS_HOUR_NS);
    g_assert_cmphex(dev_readl(dev, REG_EVENT_STATUS), ==, 1 << LOG_FAIL);
    g_assert_cmpuint(ras_read_log(dev, LOG_FAIL, &rsp), ==, 1);
    /* General Media, failure, volatile, uncorrectable, scrub ECC, by scrub */
    g_assert_cmphex((uint32_t)ldl_be_p(rsp.data + 0x20), ==,
                    0xfbcd0a77);
    g_assert_cmphex(rsp.data[0x20 + 0x11] & 3, ==, 2);
    /* asks for maintenance: soft post package repair */
    g_assert_cmphex(rsp.data[0x20 + 0x11] & 0x48, ==, 0x48);
    g_assert_cmphex(lduw_le_p(rsp.data + 0x20 + 0x20), ==, 0x0001);
    g_assert_cmphex(ldq_le_p(rsp.data + 0x20 + 0x30), ==, 0x1001);
    g_assert_cmphex(rsp.data[0x20 + 0x38], ==, 1);
    g_assert_cmphex(rsp.data[0x20 + 0x39], ==, 4);
    g_assert_cmphex(rsp.data[0x20 + 0x3a], ==, 5);
    g_assert_cmpuint(drain_log(dev, LOG_FAIL), ==, 1);

    /* once in each cycle, until it is switched off */
    qtest_clock_step(qts, RAS_HOUR_NS);
    g_assert_cmpuint(drain_log(dev, LOG_FAIL), ==, 1);
    ras_set_scrub(dev, RAS_FULL, 1, false);
    qtest_clock_step(qts, 48 * RAS_HOUR_NS);
    g_assert_cmphex(dev_readl(dev, REG_EVENT_STATUS), ==, 0);
}

/* Poison of capacity that no host has is the Fabric Manager's business */
static void scrub_tells_who_may_use_the_memory(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    CxlExtent e = { .dpa = CXL_DC_BASE, .len = CXL_BLOCK };
    QDict *rsp;

    rsp = qtest_qmp(qts,
        "{'execute': 'cxl-inject-poison', 'arguments': {'path': "
        "'/machine/peripheral/cxl-mem0', 'start': %" PRIu64 ", 'length': 64}}",
        (uint64_t)CXL_DC_BASE);
    qobject_unref(rsp);
    ras_set_scrub(dev, RAS_FULL, 1, true);
    qtest_clock_step(qts, RAS_HOUR_NS);
    g_assert_cmphex(dev_readl(dev, REG_EVENT_STATUS), ==, 0);

    cxl_hold(dev, &e, 1);
    drain_log(dev, 4);
    qtest_clock_step(qts, RAS_HOUR_NS);
    g_assert_cmphex(dev_readl(dev, REG_EVENT_STATUS), ==, 1 << LOG_FAIL);
}

static void state_survives_save_and_load(CxlDev *dev)
{
    CxlReq r;

    ras_poison(dev, CXL_STATIC - 64);
    ras_set_scrub(dev, RAS_FULL | RAS_SAVE, 3, true);
    ras_set_scrub(dev, RAS_FULL, 2, true);
    r = ras_set_request(RAS_SCRUB, RAS_START, 1);
    req8(&r, 9);
    g_assert_cmphex(cxl_cmd(dev, 0x0502, &r, NULL), ==, 0);
    cxl_migrate_dcd(dev, "");
    cxl_probe(dev->qts, 0, dev);
    g_assert_cmphex(ras_get(dev, RAS_SCRUB, RAS_CURRENT, 4, NULL), ==, 0x1b);
    r = ras_set_request(RAS_SCRUB, RAS_ABORT, 1);
    g_assert_cmphex(cxl_cmd(dev, 0x0502, &r, NULL), ==, 0);
    scrub_reads(dev, RAS_CURRENT, 2, true);
    scrub_reads(dev, RAS_SAVED, 3, true);
    qtest_clock_step(dev->qts, 2 * RAS_HOUR_NS);
    g_assert_cmphex(dev_readl(dev, REG_EVENT_STATUS), ==, 1 << LOG_FAIL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define DCD(f) cxl_add_dcd_test("/cxl/features/" #f, f, "")
    DCD(saved_values_survive_a_reset);
    DCD(scrub_finds_poison);
    DCD(scrub_tells_who_may_use_the_memory);
    DCD(state_survives_save_and_load);
    return g_test_run();
}
