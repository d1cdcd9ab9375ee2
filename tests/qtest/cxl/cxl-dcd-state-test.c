/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity over reset, over save and load in every state, over unplug
 * and replug (CXL r3.2 9.13.3)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "qobject/qdict.h"
#include "cxl-qtest.h"

#define R0(k) (CXL_DC_BASE + (uint64_t)(k) * CXL_BLOCK)
#define R1(k) (CXL_DC_BASE + CXL_REGION + (uint64_t)(k) * CXL_BLOCK)
#define BLOCKS(k) ((uint64_t)(k) * CXL_BLOCK)
#define ALL_DPA (CXL_STATIC + 2 * CXL_REGION)
#define MARK 0xfeedc0de12345678ull

static void reset_keeps_held_capacity_and_its_data(CxlDev *dev)
{
    const CxlExtent e[] = { { R0(0), BLOCKS(2), 1 }, { R1(3), BLOCKS(1), 2 } };
    uint64_t hpa = cxl_map(dev, ALL_DPA);

    cxl_hold(dev, e, 2);
    qtest_writeq(dev->qts, hpa + R0(1), MARK);
    cxl_reset(dev);
    host_has(dev, e, 2);
    hpa = cxl_map(dev, ALL_DPA);
    g_assert_cmphex(qtest_readq(dev->qts, hpa + R0(1)), ==, MARK);
}

static void reset_drops_offers_records_and_policies(CxlDev *dev)
{
    static const uint8_t all_on[5] = { 1, 1, 1, 1, 1 };
    const CxlExtent e = { R0(0), BLOCKS(2), 1 };
    uint32_t avail = avail_extents(dev);
    CxlReq policy = { 0 };
    CxlRsp rsp;
    unsigned i;

    for (i = 0; i < 5; i++) {
        req8(&policy, all_on[i]);
    }
    g_assert_cmphex(cxl_cmd(dev, 0x0103, &policy, NULL), ==, 0);
    g_assert_cmphex(fm_add_list(dev, &e, 1), ==, 0);
    cxl_reset(dev);
    g_assert_cmpuint(avail_extents(dev), ==, avail);
    g_assert_cmphex(dev_readl(dev, REG_EVENT_STATUS), ==, 0);
    g_assert_cmpuint(drain_log(dev, 4), ==, 0);
    g_assert_cmphex(cxl_cmd(dev, 0x0102, NULL, &rsp), ==, 0);
    for (i = 0; i < 5; i++) {
        g_assert_cmphex(rsp.data[i] & 3, ==, 0);
    }
    g_assert_cmphex(host_answer(dev, 0x4802, &e, 1, false), ==, 0x0f);
    g_assert_cmphex(fm_add_list(dev, &e, 1), ==, 0);
}

static void reset_between_more_payloads_forgets_the_first(CxlDev *dev)
{
    const CxlExtent e[] = { { R0(0), BLOCKS(1), 1 }, { R0(2), BLOCKS(1), 1 } };

    g_assert_cmphex(fm_add_list(dev, e, 2), ==, 0);
    g_assert_cmphex(host_answer(dev, 0x4802, e, 1, true), ==, 0);
    cxl_reset(dev);
    g_assert_cmphex(fm_add_list(dev, e, 2), ==, 0);
    g_assert_cmphex(host_answer(dev, 0x4802, e + 1, 1, false), ==, 0);
    host_has(dev, e + 1, 1);
}

static void reset_takes_shared_capacity_back(CxlDev *dev)
{
    const CxlExtent own = { R1(0), BLOCKS(1), 2 };
    const CxlExtent shared = { R0(0), BLOCKS(1), 1 };
    uint32_t before, after;

    g_assert_cmphex(fm_add(dev, ADD_CONTIGUOUS, 0, BLOCKS(1), 1), ==, 0);
    g_assert_cmphex(host_answer(dev, 0x4802, &shared, 1, false), ==, 0);
    cxl_hold(dev, &own, 1);
    host_list(dev, NULL, 0, &before);
    cxl_reset(dev);
    host_has(dev, &own, 1);
    host_list(dev, NULL, 0, &after);
    g_assert_cmphex(after, !=, before);
    g_assert_cmpuint(drain_log(dev, 4), ==, 0);
}

/* Everything at once: held, offered, dead, asked back, half answered, logged */
static void every_state_survives_save_and_load(CxlDev *dev)
{
    const CxlExtent held[] = {
        { R0(0), BLOCKS(4), 1 }, { R0(8), BLOCKS(1), 2 },
    };
    const CxlExtent dead = { R0(20), BLOCKS(1), 3 };
    const CxlExtent offer[] = {
        { R0(30), BLOCKS(1), 4 }, { R0(32), BLOCKS(2), 4 },
    };
    const CxlExtent shared = { R1(0), BLOCKS(2), 5 };
    uint32_t gen, after, avail;
    CxlReq list;
    CxlRsp tags, tags_after;
    uint64_t hpa = cxl_map(dev, ALL_DPA);

    cxl_hold(dev, held, 2);
    qtest_writeq(dev->qts, hpa + R0(8), MARK);
    g_assert_cmphex(fm_add(dev, ADD_CONTIGUOUS, 1, BLOCKS(2), 5), ==, 0);
    g_assert_cmphex(host_answer(dev, 0x4802, &shared, 1, false), ==, 0);
    g_assert_cmphex(cxl_run(dev, NULL, 0x5606, 5), ==, 0);
    g_assert_cmphex(fm_release_list(dev, REL_SANITIZE, held + 1, 1), ==, 0);
    drain_log(dev, 4);
    g_assert_cmphex(fm_add_list(dev, &dead, 1), ==, 0);
    g_assert_cmphex(fm_release_list(dev, REL_FORCED, &dead, 1), ==, 0);
    g_assert_cmphex(fm_add_list(dev, offer, 2), ==, 0);
    g_assert_cmphex(host_answer(dev, 0x4802, NULL, 0, false), ==, 0);
    g_assert_cmphex(fm_add_list(dev, &dead, 1), ==, 0);
    g_assert_cmphex(fm_release_list(dev, REL_FORCED, &dead, 1), ==, 0);
    g_assert_cmphex(host_answer(dev, 0x4802, offer, 1, true), ==, 0);
    host_list(dev, NULL, 0, &gen);
    avail = avail_extents(dev);
    list = cxl_req(0x5608, 0, 8);
    g_assert_cmphex(cxl_cmd(dev, 0x5608, &list, &tags), ==, 0);

    cxl_migrate_dcd(dev, ",dc1-sharable=on");

    host_list(dev, NULL, 0, &after);
    g_assert_cmphex(after, ==, gen);
    g_assert_cmpuint(avail_extents(dev), ==, avail);
    g_assert_cmphex(cxl_cmd(dev, 0x5608, &list, &tags_after), ==, 0);
    g_assert_cmpmem(&tags, sizeof(tags), &tags_after, sizeof(tags_after));
    g_assert_cmphex(qtest_readq(dev->qts, hpa + R0(8)), ==, MARK);
    g_assert_cmphex(qtest_readq(dev->qts, hpa + R0(9)), ==, -1ull);
    /* the second half of the answer completes the operation */
    g_assert_cmphex(host_answer(dev, 0x4802, offer + 1, 1, false), ==, 0);
    {
        const CxlExtent all[] = {
            held[0], held[1], shared, offer[0], offer[1],
        };

        host_has(dev, all, 5);
    }
    /* the next group in line is the dead one */
    g_assert_cmphex(host_answer(dev, 0x4802, NULL, 0, false), ==, 0);
    g_assert_cmphex(host_answer(dev, 0x4802, NULL, 0, false), ==, 2);
    g_assert_cmpuint(drain_log(dev, 4), ==, 4);
    /* the sanitize that the FM asked for before the move */
    g_assert_cmphex(host_answer(dev, 0x4803, held + 1, 1, false), ==, 0);
    cxl_hold(dev, held + 1, 1);
    g_assert_cmphex(qtest_readq(dev->qts, hpa + R0(8)), ==, 0);
}

static void mailbox_and_events_survive_save_and_load(CxlDev *dev)
{
    const CxlExtent e[] = { { R0(0), BLOCKS(1), 1 }, { R0(2), BLOCKS(1), 2 } };
    uint64_t command, payload;
    unsigned vector;
    CxlRsp rsp;

    cxl_msix_enable(dev);
    g_assert_cmphex(cxl_run(dev, NULL, 0x0103, 1, 1, 1, 1, 1), ==, 0);
    g_assert_cmphex(cxl_cmd(dev, 0x0102, NULL, &rsp), ==, 0);
    vector = rsp.data[4] >> 4;
    g_assert_cmphex(fm_add_list(dev, e, 1), ==, 0);
    g_assert_true(cxl_msix_fired(dev, vector));
    g_assert_cmphex(cxl_run(dev, NULL, 0x0301, MARK), ==, 0);
    g_assert_cmphex(cxl_cmd(dev, 0x4000, NULL, &rsp), ==, 0);
    command = dev_readq(dev, REG_MB_COMMAND);
    payload = dev_readq(dev, REG_MB_PAYLOAD);

    cxl_migrate_dcd(dev, "");
    g_assert_cmphex(dev_readq(dev, REG_MB_COMMAND), ==, command);
    g_assert_cmphex(dev_readq(dev, REG_MB_PAYLOAD), ==, payload);
    g_assert_cmphex(dev_readl(dev, REG_EVENT_STATUS), ==, 1 << 4);
    g_assert_cmphex(cxl_cmd(dev, 0x0300, NULL, &rsp), ==, 0);
    g_assert_cmphex(ldq_le_p(rsp.data), >=, MARK);
    g_assert_cmpuint(drain_log(dev, 4), ==, 1);
    g_assert_cmphex(fm_add_list(dev, e + 1, 1), ==, 0);
    g_assert_true(cxl_msix_fired(dev, vector));
}

static void unplug_and_replug_start_clean(void)
{
    const CxlExtent e = { R0(0), BLOCKS(1), 1 };
    unsigned round;
    CxlDev dev;
    QTestState *qts = cxl_start(CXL_BACKENDS);

    for (round = 0; round < 3; round++) {
        qtest_qmp_device_add(qts, "cxl-type3", "hot",
                             "{'bus': 'rp0', 'volatile-memdev': 'vm0', "
                             "'volatile-dc-memdev': 'dc0', "
                             "'num-dc-regions': 2}");
        cxl_slot_power(qts, 0, true);
        cxl_probe(qts, 0, &dev);
        host_has(&dev, NULL, 0);
        cxl_hold(&dev, &e, 1);
        g_assert_cmphex(fm_add(&dev, ADD_FREE, 1, BLOCKS(2), 3), ==, 0);
        qtest_qmp_device_del_send(qts, "hot");
        cxl_slot_power(qts, 0, false);
        qtest_qmp_eventwait(qts, "DEVICE_DELETED");
    }
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/dcd-state/" #f, f)
#define DCD(f, props) cxl_add_dcd_test("/cxl/dcd-state/" #f, f, props)
    DCD(reset_keeps_held_capacity_and_its_data, "");
    DCD(reset_drops_offers_records_and_policies, "");
    DCD(reset_between_more_payloads_forgets_the_first, "");
    DCD(reset_takes_shared_capacity_back, ",dc0-sharable=on");
    DCD(every_state_survives_save_and_load, ",dc1-sharable=on");
    DCD(mailbox_and_events_survive_save_and_load, "");
    T(unplug_and_replug_start_clean);
#undef DCD
#undef T
    return g_test_run();
}
