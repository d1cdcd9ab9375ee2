/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QoS telemetry and security protocols through the mailbox: settings, resets,
 * what the monitor measures, save and load (CXL r3.2 8.2.10.9.7, 8.2.10.9.8)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "qobject/qdict.h"
#include "cxl-qtest.h"

/* Control, moderate, severe, interval, as one number */
#define DEFAULTS    (10 << 8 | 25 << 16 | 8 << 24)
#define OTHER       (3 | 40 << 8 | 60 << 16 | 2 << 24)

static uint16_t set_control(CxlDev *dev, uint32_t control)
{
    CxlReq r = { 0 };

    req32(&r, control);
    return cxl_cmd(dev, 0x4701, &r, NULL);
}

static uint32_t get_control(CxlDev *dev)
{
    CxlRsp rsp;

    g_assert_cmphex(cxl_cmd(dev, 0x4700, NULL, &rsp), ==, 0);
    g_assert_cmpuint(rsp.len, ==, 4);
    return ldl_le_p(rsp.data);
}

static uint8_t get_status(CxlDev *dev)
{
    CxlRsp rsp;

    g_assert_cmphex(cxl_cmd(dev, 0x4702, NULL, &rsp), ==, 0);
    g_assert_cmpuint(rsp.len, ==, 1);
    return rsp.data[0];
}

static bool set_backpressure(QTestState *qts, int percent)
{
    QDict *rsp = qtest_qmp(qts, "{'execute': 'qom-set', 'arguments': {'path': "
                           "'/machine/peripheral/cxl-mem0', 'property': "
                           "'backpressure', 'value': %d}}", percent);
    bool ok = qdict_haskey(rsp, "return");

    qobject_unref(rsp);
    return ok;
}

static void settings_last_until_reset(CxlDev *dev)
{
    CxlRsp rsp;

    g_assert_cmphex(cxl_cmd(dev, 0x4000, NULL, &rsp), ==, 0);
    g_assert_cmphex(rsp.data[0x42], ==, 3);
    g_assert_cmphex(get_control(dev), ==, DEFAULTS);
    g_assert_cmphex(set_control(dev, OTHER), ==, 0);
    g_assert_cmphex(set_control(dev, OTHER | 4), ==, 2);
    g_assert_cmphex(set_control(dev, OTHER & 0xffff00ff), ==, 2);
    g_assert_cmphex(get_control(dev), ==, OTHER);
    cxl_reset(dev);
    g_assert_cmphex(get_control(dev), ==, DEFAULTS);
}

static void the_monitor_sets_what_is_measured(CxlDev *dev)
{
    QTestState *qts = dev->qts;

    g_assert_cmpuint(get_status(dev), ==, 0);
    g_assert_true(set_backpressure(qts, 100));
    g_assert_false(set_backpressure(qts, 101));
    g_assert_false(set_backpressure(qts, -1));
    g_assert_cmpuint(get_status(dev), ==, 100);
    /* no samples, no average */
    g_assert_cmphex(set_control(dev, DEFAULTS & 0xffffff), ==, 0);
    g_assert_cmpuint(get_status(dev), ==, 0);
}

static void settings_survive_save_and_load(CxlDev *dev)
{
    g_assert_cmphex(set_control(dev, OTHER), ==, 0);
    g_assert_true(set_backpressure(dev->qts, 33));
    cxl_migrate_dcd(dev, "");
    g_assert_cmphex(get_control(dev), ==, OTHER);
    g_assert_cmpuint(get_status(dev), ==, 33);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) cxl_add_dcd_test("/cxl/qos/" #f, f, "")
    T(settings_last_until_reset);
    T(the_monitor_sets_what_is_measured);
    T(settings_survive_save_and_load);
    return g_test_run();
}
