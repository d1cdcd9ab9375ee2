/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who can read and write dynamic capacity, through the host's window
 * (CXL r3.2 9.13.3, 8.2.10.9.9); what is left of it over reset, over save and
 * load in every state, over unplug and replug
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "cxl-qtest.h"

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

/* The workflow of 9.13.3.2: one writes, then it is shared for reading */
static void initialised_capacity_is_shared_read_only(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    const CxlExtent first = { R0(0), BLOCKS(2), 7 };
    uint64_t hpa = cxl_map(dev, ALL_DPA);
    CxlExtent second;
    CxlRsp rsp;

    g_assert_cmphex(fm_add(dev, ADD_CONTIGUOUS, 0, BLOCKS(2), 7), ==, 0);
    g_assert_cmphex(host_answer(dev, 0x4802, &first, 1, false), ==, 0);
    qtest_writeq(qts, hpa + R0(1), MARK);
    g_assert_cmphex(cxl_run(dev, NULL, 0x5606, 7), ==, 0);
    g_assert_cmphex(host_answer(dev, 0x4803, &first, 1, false), ==, 0);
    drain_log(dev, 4);

    g_assert_cmphex(fm_add(dev, ADD_SHARED, 1, 0, 7), ==, 0);
    g_assert_cmphex(cxl_run(dev, &rsp, 0x0100, 4), ==, 0);
    second = (CxlExtent) {
        ldq_le_p(rsp.data + 0x20 + 0x38), ldq_le_p(rsp.data + 0x20 + 0x40), 7
    };
    g_assert_cmphex(second.dpa, >=, R1(0));
    g_assert_cmphex(second.len, ==, BLOCKS(2));
    g_assert_cmphex(host_answer(dev, 0x4802, &second, 1, false), ==, 0);
    g_assert_cmphex(qtest_readq(qts, hpa + second.dpa + CXL_BLOCK), ==, MARK);
    qtest_writeq(qts, hpa + second.dpa + CXL_BLOCK, 0);
    g_assert_cmphex(qtest_readq(qts, hpa + second.dpa + CXL_BLOCK), ==, MARK);
    g_assert_cmphex(qtest_readq(qts, hpa + R0(1)), ==, -1ull);
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
#define T(f) qtest_add_func("/cxl/dcd-memory/" #f, f)
#define DCD(f, props) cxl_add_dcd_test("/cxl/dcd-memory/" #f, f, props)
    DCD(access_across_the_end_of_an_extent_is_refused, "");
    T(sanitize_is_done_when_asked);
    DCD(initialised_capacity_is_shared_read_only,
        ",dc0-sharable=on,dc1-sharable=on,dc1-read-only=on");
    T(device_without_static_capacity_works);
    DCD(reset_keeps_held_capacity_and_its_data, "");
    DCD(reset_drops_offers_records_and_policies, "");
    DCD(every_state_survives_save_and_load, ",dc1-sharable=on");
    DCD(mailbox_and_events_survive_save_and_load, "");
    T(unplug_and_replug_start_clean);
    return g_test_run();
}
