/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Health and firmware of a memory device: alerts that the monitor's readings
 * set off, dirty shutdowns, firmware over reset and migration
 * (CXL r3.2 8.2.10.9.3, 8.2.10.3)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "qobject/qdict.h"
#include "cxl-qtest.h"

/* Virtual time that storing a whole image takes */
#define FULL_NS     (10 * 1000 * 1000 * 1000ll)

static bool set_reading(QTestState *qts, const char *name, int64_t value)
{
    QDict *rsp = qtest_qmp(qts,
        "{'execute': 'qom-set', 'arguments': {'path': "
        "'/machine/peripheral/cxl-mem0', 'property': %s, 'value': %" PRId64
        "}}", name, value);
    bool ok = qdict_haskey(rsp, "return");

    qobject_unref(rsp);
    return ok;
}

static void arm_temperature(CxlDev *dev, uint16_t over)
{
    g_assert_cmphex(cxl_run(dev, NULL, 0x4202, 2, 2, 0, over, 0, 0, 0), ==, 0);
}

static uint32_t dirty_count(CxlDev *dev)
{
    CxlRsp rsp;

    g_assert_cmphex(cxl_cmd(dev, 0x4200, NULL, &rsp), ==, 0);
    g_assert_cmpuint(rsp.len, ==, 0x12);
    return ldl_le_p(rsp.data + 6);
}

static void set_dirty(CxlDev *dev)
{
    g_assert_cmphex(cxl_run(dev, NULL, 0x4204, 1), ==, 0);
}

static void a_passed_threshold_makes_one_record(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    CxlRsp rsp;

    arm_temperature(dev, 60);
    g_assert_true(set_reading(qts, "temperature", 59));
    g_assert_cmphex(dev_readl(dev, REG_EVENT_STATUS), ==, 0);
    g_assert_true(set_reading(qts, "temperature", 60));
    g_assert_true(set_reading(qts, "temperature", 61));
    g_assert_cmphex(dev_readl(dev, REG_EVENT_STATUS), ==, 1 << 1);
    g_assert_cmphex(cxl_run(dev, &rsp, 0x0100, 1), ==, 0);
    g_assert_cmpuint(lduw_le_p(rsp.data + 0x14), ==, 1);
    g_assert_cmphex(rsp.data[0x20 + 0x30], ==, 3);
    g_assert_cmphex(rsp.data[0x20 + 0x33], ==, 1 << 2);
    g_assert_cmpuint(lduw_le_p(rsp.data + 0x20 + 0x35), ==, 60);
}

static void impossible_readings_are_refused(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    CxlRsp rsp;

    g_assert_false(set_reading(qts, "life-used", 101));
    g_assert_false(set_reading(qts, "life-used", -1));
    g_assert_false(set_reading(qts, "temperature", 0x7fff));
    g_assert_false(set_reading(qts, "corrected-volatile-errors", 1ll << 32));
    g_assert_true(set_reading(qts, "life-used", 100));
    g_assert_true(set_reading(qts, "temperature", -40));
    g_assert_cmphex(cxl_cmd(dev, 0x4200, NULL, &rsp), ==, 0);
    g_assert_cmpuint(rsp.data[3], ==, 100);
    g_assert_cmpint((int16_t)lduw_le_p(rsp.data + 4), ==, -40);
}

static void a_reset_counts_a_dirty_shutdown(CxlDev *dev)
{
    CxlRsp rsp;

    g_assert_cmpuint(dirty_count(dev), ==, 0);
    set_dirty(dev);
    cxl_reset(dev);
    g_assert_cmpuint(dirty_count(dev), ==, 1);
    g_assert_cmphex(cxl_cmd(dev, 0x4203, NULL, &rsp), ==, 0);
    g_assert_cmphex(rsp.data[0], ==, 0);
    cxl_reset(dev);
    g_assert_cmpuint(dirty_count(dev), ==, 1);
}

static void upload(CxlDev *dev)
{
    CxlReq r = { 0 };

    req8(&r, 0);
    req8(&r, 2);
    req_zero(&r, 0x7e + 256);
    g_assert_cmphex(cxl_cmd(dev, 0x0201, &r, NULL), ==, 1);
}

static void check_revision(CxlDev *dev, const char *text)
{
    char got[17] = "";
    CxlRsp rsp;

    g_assert_cmphex(cxl_cmd(dev, 0x4000, NULL, &rsp), ==, 0);
    memcpy(got, rsp.data, 16);
    g_assert_cmpstr(got, ==, text);
}

static void stage(CxlDev *dev)
{
    g_assert_cmphex(cxl_run(dev, NULL, 0x0202, 1, 2), ==, 0);
}

static void staged_firmware_runs_after_reset(CxlDev *dev)
{
    upload(dev);
    qtest_clock_step(dev->qts, FULL_NS);
    stage(dev);
    check_revision(dev, "BWFW VERSION 00");
    cxl_reset(dev);
    check_revision(dev, "BWFW VERSION 01");
    cxl_reset(dev);
    check_revision(dev, "BWFW VERSION 01");
}

static void state_survives_save_and_load(CxlDev *dev)
{
    set_dirty(dev);
    upload(dev);
    cxl_migrate_dcd(dev, "");
    cxl_probe(dev->qts, 0, dev);
    g_assert_cmpuint(dirty_count(dev), ==, 0);
    qtest_clock_step(dev->qts, FULL_NS);
    stage(dev);
    cxl_reset(dev);
    g_assert_cmpuint(dirty_count(dev), ==, 1);
    check_revision(dev, "BWFW VERSION 01");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define DCD(f) cxl_add_dcd_test("/cxl/health/" #f, f, "")
    DCD(a_passed_threshold_makes_one_record);
    DCD(impossible_readings_are_refused);
    DCD(a_reset_counts_a_dirty_shutdown);
    DCD(staged_firmware_runs_after_reset);
    DCD(state_survives_save_and_load);
    return g_test_run();
}
