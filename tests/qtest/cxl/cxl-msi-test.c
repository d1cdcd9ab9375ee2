/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An interrupt message leaves after the operation, and only while the machine
 * runs: what waits is saved, and gone after a reset
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "cxl-qtest-state.h"

#define LOG_DC  4
/* there is no static memory */
#define BLOCK_AT(k) { (k) * CXL_BLOCK, CXL_BLOCK, (k) + 1 }

/* A machine that is stopped, in which an event record has interrupted */
static QTestState *start_with_message(CxlDev *dev, unsigned *vector)
{
    const CxlExtent e = BLOCK_AT(0);
    QTestState *qts = cxl_start("%s", STATE_RAM("128M")
                                STATE_MEMORY("dc0", "512M")
                                "-device cxl-type3,bus=rp0,id=cxl-mem0,"
                                "volatile-dc-memdev=dc0,num-dc-regions=2");
    CxlReq policy = { 0 };
    CxlRsp rsp;

    cxl_probe(qts, 0, dev);
    for (unsigned i = 0; i < LOG_DC + 1; i++) {
        req8(&policy, 1);
    }
    cxl_msix_enable(dev);
    g_assert_cmphex(cxl_cmd(dev, 0x0103, &policy, NULL), ==, 0);
    g_assert_cmphex(cxl_cmd(dev, 0x0102, NULL, &rsp), ==, 0);
    *vector = rsp.data[LOG_DC] >> 4;

    qtest_qmp_assert_success(qts, "{'execute': 'stop'}");
    g_assert_cmphex(fm_add_list(dev, &e, 1), ==, 0);
    g_assert_false(cxl_msix_fired(dev, *vector));
    return qts;
}

static void go_on(QTestState *qts)
{
    qtest_qmp_assert_success(qts, "{'execute': 'cont'}");
}

static void waits_while_the_machine_is_stopped(void)
{
    unsigned vector;
    CxlDev dev;
    QTestState *qts = start_with_message(&dev, &vector);

    go_on(qts);
    g_assert_true(cxl_msix_fired(&dev, vector));
    g_assert_false(cxl_msix_fired(&dev, vector));
    qtest_quit(qts);
}

static void is_there_after_a_load(void)
{
    unsigned vector;
    CxlDev dev;
    QTestState *qts = start_with_message(&dev, &vector);
    State s;

    state_save(&s, qts);
    go_on(qts);
    g_assert_true(cxl_msix_fired(&dev, vector));
    g_assert_true(state_load(&s, s.data));
    g_assert_true(cxl_msix_fired(&dev, vector));
    g_assert_false(cxl_msix_fired(&dev, vector));
    state_free(&s);
    qtest_quit(qts);
}

static void is_not_there_after_a_load_of_a_state_without(void)
{
    unsigned vector;
    CxlDev dev;
    QTestState *qts = start_with_message(&dev, &vector);
    const CxlExtent e = BLOCK_AT(1);
    State s;

    go_on(qts);
    g_assert_true(cxl_msix_fired(&dev, vector));
    drain_log(&dev, LOG_DC);
    state_save(&s, qts);
    qtest_qmp_assert_success(qts, "{'execute': 'stop'}");
    g_assert_cmphex(fm_add_list(&dev, &e, 1), ==, 0);
    g_assert_true(state_load(&s, s.data));
    g_assert_false(cxl_msix_fired(&dev, vector));
    state_free(&s);
    qtest_quit(qts);
}

static void is_gone_after_a_reset(void)
{
    unsigned vector;
    CxlDev dev;
    QTestState *qts = start_with_message(&dev, &vector);

    qtest_qmp_assert_success(qts, "{'execute': 'system_reset'}");
    qtest_qmp_eventwait(qts, "RESET");
    go_on(qts);
    g_assert_false(cxl_msix_fired(&dev, vector));
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/msi/" #f, f)
    T(waits_while_the_machine_is_stopped);
    T(is_there_after_a_load);
    T(is_not_there_after_a_load_of_a_state_without);
    T(is_gone_after_a_reset);
    return g_test_run();
}
