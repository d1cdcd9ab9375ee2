/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory of a device that the guest reaches as plain RAM: exactly what it may
 * read and write, and only as long as it may (CXL r3.2 8.2.4.20, 9.13.3)
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "cxl-qtest-map.h"

#define PAGE 4096

#define STATIC { 0, CXL_STATIC }

static void nothing_is_mapped_before_decoders_are(CxlDev *dev)
{
    const CxlRange both[] = { STATIC };
    QTestState *qts = dev->qts;
    uint64_t window = map_window(qts), bridge = map_bridge(qts);

    map_is(qts, NULL, 0);
    map_trap_is(qts, 0, "no-device");
    map_decode(qts, bridge, 0, window, ALL_DPA, 0, 0);
    map_is(qts, NULL, 0);
    map_trap_is(qts, 0, "not-decoded");
    map_trap_is(qts, ALL_DPA, "no-device");
    map_decode(qts, dev->bar[0], 0, window, ALL_DPA, 0, 0);
    map_is(qts, both, 1);
    map_trap_is(qts, 0, "direct");
    map_trap_is(qts, CXL_STATIC, "not-accepted");
}

static void exactly_the_accepted_extents_are_mapped(CxlDev *dev)
{
    const CxlExtent first = { R0(1), BLOCKS(1), 1 };
    const CxlExtent next = { R0(2), BLOCKS(2), 2 };
    const CxlExtent far = { R1(5), BLOCKS(1), 3 };
    const CxlExtent middle = { R0(2), BLOCKS(1), 2 };
    const CxlRange one[] = { STATIC, { R0(1), BLOCKS(1) } };
    const CxlRange joined[] = { STATIC, { R0(1), BLOCKS(3) } };
    const CxlRange three[] = {
        STATIC, { R0(1), BLOCKS(3) }, { R1(5), BLOCKS(1) }
    };
    const CxlRange split[] = {
        STATIC, { R0(1), BLOCKS(1) }, { R0(3), BLOCKS(1) }, { R1(5), BLOCKS(1) }
    };
    const CxlRange left[] = { STATIC, { R0(3), BLOCKS(1) }, { R1(5), BLOCKS(1) }
    };
    QTestState *qts = dev->qts;
    uint64_t hpa = cxl_map(dev, ALL_DPA);
    unsigned i;

    g_assert_cmphex(fm_add_list(dev, &first, 1), ==, 0);
    map_is(qts, one, 1);                        /* offered is not accepted */
    g_assert_cmphex(host_answer(dev, 0x4802, &first, 1, false), ==, 0);
    map_is(qts, one, 2);
    cxl_hold(dev, &next, 1);
    map_is(qts, joined, 2);
    cxl_hold(dev, &far, 1);
    map_is(qts, three, 3);
    for (i = 1; i <= 3; i++) {
        qtest_writeq(qts, hpa + R0(i) + 8, MARK + i);
    }
    g_assert_cmphex(host_answer(dev, 0x4803, &middle, 1, false), ==, 0);
    map_is(qts, split, 4);
    map_trap_is(qts, R0(2), "not-accepted");
    g_assert_cmphex(qtest_readq(qts, hpa + R0(1) + 8), ==, MARK + 1);
    g_assert_cmphex(qtest_readq(qts, hpa + R0(2) + 8), ==, ONES);
    g_assert_cmphex(qtest_readq(qts, hpa + R0(3) + 8), ==, MARK + 3);

    /* The Fabric Manager does not ask */
    g_assert_cmphex(fm_release_tag(dev, REL_FORCED, BLOCKS(1), 1), ==, 0);
    map_is(qts, left, 3);
    g_assert_cmphex(qtest_readq(qts, hpa + R0(1) + 8), ==, ONES);
}

static void read_only_capacity_traps(CxlDev *dev)
{
    const CxlExtent e = { R1(0), BLOCKS(1), 1 };
    const CxlExtent rw = { R0(127), BLOCKS(1), 2 };
    const CxlRange writable[] = { STATIC, { R0(127), BLOCKS(1) } };
    QTestState *qts = dev->qts;

    cxl_map(dev, ALL_DPA);
    /* neighbours in two regions */
    cxl_hold(dev, &e, 1);
    cxl_hold(dev, &rw, 1);
    map_is(qts, writable, 2);
    map_trap_is(qts, R1(0), "read-only");
}

static void poison(CxlDev *dev, uint16_t op, uint64_t dpa)
{
    CxlReq r = { 0 };

    req64(&r, dpa);
    if (op == 0x4302) {
        req_zero(&r, 64);
    }
    g_assert_cmphex(cxl_cmd(dev, op, &r, NULL), ==, 0);
}

static void pages_with_poison_trap(CxlDev *dev)
{
    const CxlRange whole[] = { STATIC };
    const CxlRange holes[] = {
        { 0, 3 * PAGE }, { 4 * PAGE, CXL_STATIC - 5 * PAGE }
    };
    const CxlRange one[] = { { 0, CXL_STATIC - PAGE } };
    QTestState *qts = dev->qts;
    uint64_t hpa = cxl_map(dev, ALL_DPA);

    qtest_writeq(qts, hpa + 3 * PAGE, MARK);
    qtest_writeq(qts, hpa + 3 * PAGE + 64, MARK);
    poison(dev, 0x4301, 3 * PAGE + 64);
    poison(dev, 0x4301, CXL_STATIC - 64);
    map_is(qts, holes, 2);
    map_trap_is(qts, 3 * PAGE, "poisoned");
    g_assert_cmphex(qtest_readq(qts, hpa + 3 * PAGE), ==, MARK);
    g_assert_cmphex(qtest_readq(qts, hpa + 3 * PAGE + 64), !=, MARK);
    poison(dev, 0x4302, 3 * PAGE + 64);
    map_is(qts, one, 1);
    g_assert_cmphex(qtest_readq(qts, hpa + 3 * PAGE + 64), ==, 0);
    poison(dev, 0x4302, CXL_STATIC - 64);
    map_is(qts, whole, 1);

    qtest_qmp_assert_success(qts, "{'execute': 'cxl-inject-poison', "
                             "'arguments': {'path': 'cxl-mem0', 'start': 0, "
                             "'length': 64}}");
    map_trap_is(qts, 0, "poisoned");
}

static void disabled_media_traps_and_comes_back(CxlDev *dev)
{
    const CxlRange whole[] = { STATIC, { R0(1), BLOCKS(1) } };
    const CxlExtent e = { R0(1), BLOCKS(1), 1 };
    QTestState *qts = dev->qts;
    uint64_t hpa = cxl_map(dev, ALL_DPA);

    cxl_hold(dev, &e, 1);
    map_is(qts, whole, 2);
    qtest_writeq(qts, hpa, MARK);
    g_assert_cmphex(cxl_cmd(dev, 0x4400, NULL, NULL), ==, 1);
    map_is(qts, NULL, 0);
    map_trap_is(qts, 0, "media-disabled");
    qtest_writeq(qts, hpa + 8, MARK);           /* lost */
    qtest_clock_step(qts, 60 * SECOND);
    map_is(qts, whole, 2);
    g_assert_cmphex(qtest_readq(qts, hpa), ==, 0);
    g_assert_cmphex(qtest_readq(qts, hpa + 8), ==, 0);
}

static void the_budget_is_kept_and_what_is_over_works(void)
{
    const CxlRange two[] = { STATIC, { R0(1), BLOCKS(1) } };
    const CxlRange other[] = { STATIC, { R0(3), BLOCKS(1) } };
    const CxlRange joined[] = { STATIC, { R0(1), BLOCKS(3) } };
    CxlDev dev;
    QTestState *qts = cxl_start_dcd(&dev, ",direct-ranges-max=2");
    uint64_t hpa = cxl_map(&dev, ALL_DPA);
    unsigned i;

    for (i = 1; i <= 7; i += 2) {
        const CxlExtent e = { R0(i), BLOCKS(1), i };

        cxl_hold(&dev, &e, 1);
        qtest_writeq(qts, hpa + R0(i), MARK + i);
    }
    map_is(qts, two, 2);
    map_trap_is(qts, R0(3), "budget");
    map_trap_is(qts, R0(7), "budget");
    map_trap_is(qts, R0(2), "not-accepted");
    for (i = 1; i <= 7; i += 2) {
        g_assert_cmphex(qtest_readq(qts, hpa + R0(i)), ==, MARK + i);
    }
    g_assert_cmphex(fm_release_tag(&dev, REL_FORCED, BLOCKS(1), 1), ==, 0);
    map_is(qts, other, 2);
    /* lower ones first, whenever they come; and what touches is one */
    for (i = 1; i <= 2; i++) {
        const CxlExtent e = { R0(i), BLOCKS(1), 8 + i };

        cxl_hold(&dev, &e, 1);
        map_is(qts, i == 1 ? two : joined, 2);
    }
    for (i = 3; i <= 7; i += 2) {
        g_assert_cmphex(qtest_readq(qts, hpa + R0(i)), ==, MARK + i);
    }
    qtest_quit(qts);

    qts = cxl_start_dcd(&dev, ",direct-ranges-max=0");
    hpa = cxl_map(&dev, ALL_DPA);
    map_is(qts, NULL, 0);
    map_trap_is(qts, 0, "switched-off");
    qtest_writeq(qts, hpa, MARK);
    g_assert_cmphex(qtest_readq(qts, hpa), ==, MARK);
    qtest_quit(qts);
}

static void locked_memory_traps(void)
{
    const CxlRange half[] = { STATIC }, both[] = { { 0, 2 * CXL_STATIC } };
    QTestState *qts = cxl_start(
        "-object memory-backend-ram,id=vm0,size=256M "
        "-object memory-backend-ram,id=pm0,size=256M "
        "-object memory-backend-ram,id=lsa0,size=64K "
        "-device cxl-type3,bus=rp0,id=m0,volatile-memdev=vm0,"
        "persistent-memdev=pm0,lsa=lsa0");
    CxlReq set = { 0 }, unlock = { 0 };
    CxlDev dev;

    cxl_probe(qts, 0, &dev);
    cxl_map(&dev, 2 * CXL_STATIC);
    map_is(qts, both, 1);
    req8(&set, 1);                              /* of the user */
    req_zero(&set, 31);
    req_zero(&set, 32);                         /* there was none */
    req_zero(&set, 32);
    set.data[64] = 'x';
    g_assert_cmphex(cxl_cmd(&dev, 0x4501, &set, NULL), ==, 0);
    map_is(qts, both, 1);
    qtest_qmp_assert_success(qts, "{'execute': 'system_reset'}");
    qtest_qmp_eventwait(qts, "RESET");
    cxl_probe(qts, 0, &dev);
    cxl_map(&dev, 2 * CXL_STATIC);
    map_is(qts, half, 1);
    map_trap_is(qts, CXL_STATIC, "locked");
    req_zero(&unlock, 32);
    unlock.data[0] = 'x';
    g_assert_cmphex(cxl_cmd(&dev, 0x4503, &unlock, NULL), ==, 0);
    map_is(qts, both, 1);
    qtest_quit(qts);
}

/* The memory core aborts at 4096 sections, whatever a user allows */
static void there_is_an_end_to_all_budgets(void)
{
    enum { EACH = 40, ROUNDS = 110, KEPT = 1024 };
    const uint64_t block = 64 * KiB;
    CxlDev dev;
    QTestState *qts = cxl_start_dcd(
        &dev, ",dc0-block-size=64K,dc1-block-size=64K,"
        "direct-ranges-max=4294967295,dc-event-log-depth=65535");
    uint64_t hpa = cxl_map(&dev, ALL_DPA);
    unsigned i, k;

    for (i = 0; i < ROUNDS; i++) {
        CxlExtent e[EACH];

        for (k = 0; k < EACH; k++) {
            e[k] = (CxlExtent) {
                R0(0) + (2 * (uint64_t)(i * EACH + k) + 1) * block, block,
                i + 1
            };
        }
        if (e[EACH - 1].dpa >= R1(0)) {
            break;
        }
        g_assert_cmphex(fm_add_list(&dev, e, EACH), ==, 0);
        g_assert_cmphex(host_answer(&dev, 0x4802, e, EACH, false), ==, 0);
    }
    g_assert_cmpuint(i * EACH, >, KEPT);
    map_trap_is(qts, R0(0) + block, "direct");
    map_trap_is(qts, R0(0) + (2 * (KEPT - 2) + 1) * block, "direct");
    map_trap_is(qts, R0(0) + (2 * (KEPT - 1) + 1) * block, "no-slots");
    qtest_writeq(qts, hpa + R0(0) + (2 * KEPT + 1) * block, MARK);
    g_assert_cmphex(qtest_readq(qts, hpa + R0(0) + (2 * KEPT + 1) * block),
                    ==, MARK);
    qtest_quit(qts);
}

/* Blocks can be smaller than a page */
static void parts_of_a_page_trap(CxlDev *dev)
{
    const uint64_t at = R0(0) + PAGE - 64;
    const CxlExtent e = { at, 2 * PAGE, 1 };
    const CxlRange inner[] = { STATIC, { R0(0) + PAGE, PAGE } };
    QTestState *qts = dev->qts;
    uint64_t hpa = cxl_map(dev, ALL_DPA);

    cxl_hold(dev, &e, 1);
    map_is(qts, inner, 2);
    map_trap_is(qts, at, "partial-page");
    map_trap_is(qts, R0(0) + 2 * PAGE, "partial-page");
    map_trap_is(qts, R0(0) + 3 * PAGE, "not-accepted");
    qtest_writeq(qts, hpa + at, MARK);
    qtest_writeq(qts, hpa + at + 64, MARK + 1);
    g_assert_cmphex(qtest_readq(qts, hpa + at), ==, MARK);
    g_assert_cmphex(qtest_readq(qts, hpa + at + 64), ==, MARK + 1);
}

static void a_reset_takes_all_and_a_new_commit_brings_it_back(CxlDev *dev)
{
    const CxlExtent e = { R0(1), BLOCKS(1), 1 };
    const CxlRange both[] = { STATIC, { R0(1), BLOCKS(1) } };
    QTestState *qts = dev->qts;
    uint64_t hpa = cxl_map(dev, ALL_DPA);

    cxl_hold(dev, &e, 1);
    qtest_writeq(qts, hpa + R0(1), MARK);
    map_is(qts, both, 2);
    qtest_qmp_assert_success(qts, "{'execute': 'system_reset'}");
    qtest_qmp_eventwait(qts, "RESET");
    map_is(qts, NULL, 0);
    g_assert_cmphex(qtest_readq(qts, hpa + R0(1)), ==, 0);
    cxl_probe(qts, 0, dev);
    cxl_map(dev, ALL_DPA);
    map_is(qts, both, 2);
    g_assert_cmphex(qtest_readq(qts, hpa + R0(1)), ==, MARK);
}

static void migration_maps_again_with_the_contents(void)
{
    const CxlExtent e = { R0(1), BLOCKS(2), 1 };
    const CxlRange want[] = {
        { PAGE, CXL_STATIC - PAGE }, { R0(1), BLOCKS(2) }
    };
    g_autofree char *args = cxl_args(CXL_BACKENDS "-device " CXL_DCD_DEVICE);
    CxlDev dev;
    QTestState *qts = cxl_start_dcd(&dev, "");
    uint64_t hpa = cxl_map(&dev, ALL_DPA);

    cxl_hold(&dev, &e, 1);
    poison(&dev, 0x4301, 0);
    qtest_writeq(qts, hpa + PAGE, MARK);
    qtest_writeq(qts, hpa + R0(1), MARK + 1);
    qts = cxl_migrate(qts, args);
    map_is(qts, want, 2);
    g_assert_cmphex(qtest_readq(qts, hpa + PAGE), ==, MARK);
    g_assert_cmphex(qtest_readq(qts, hpa + R0(1)), ==, MARK + 1);
    map_trap_is(qts, R0(0), "not-accepted");
    qtest_quit(qts);
}

/*
 * No map_is() while the device is there: the "info mtree -f" in it leaks a
 * reference to the memory map, which would keep the device
 */
static void unplug_leaves_nothing_behind(void)
{
    CxlDev dev;
    QTestState *qts = cxl_start(CXL_BACKENDS);
    uint64_t hpa;
    int round;

    for (round = 0; round < 2; round++) {
        qtest_qmp_device_add(qts, "cxl-type3", "hot", "{'bus': 'rp0', "
                             "'volatile-memdev': 'vm0', "
                             "'volatile-dc-memdev': 'dc0', "
                             "'num-dc-regions': 2}");
        cxl_slot_power(qts, 0, true);
        cxl_probe(qts, 0, &dev);
        map_trap_is(qts, 0, round ? "not-decoded" : "no-device");
        hpa = cxl_map(&dev, ALL_DPA);
        map_trap_is(qts, 0, "direct");
        g_assert_cmphex(qtest_readq(qts, hpa), ==, round ? MARK : 0);
        qtest_writeq(qts, hpa, MARK);
        qtest_qmp_device_del_send(qts, "hot");
        cxl_slot_power(qts, 0, false);
        qtest_qmp_eventwait(qts, "DEVICE_DELETED");
        map_trap_is(qts, 0, "no-device");
        g_assert_cmphex(qtest_readq(qts, hpa), ==, 0);
    }
    map_is(qts, NULL, 0);
    /* Nobody holds the memory any more */
    qtest_qmp_assert_success(qts, "{'execute': 'object-del', "
                             "'arguments': {'id': 'vm0'}}");
    qtest_quit(qts);
}

/* virtio-mem has a RamDiscardManager of its own, of which there is only one */
static void a_backend_is_as_any_other_afterwards(void)
{
    CxlDev dev;
    QTestState *qts = cxl_start_dcd(
        &dev, " -m 128M,maxmem=4G,slots=2 "
        "-device pcie-root-port,id=plug,bus=pcie.0,chassis=9");

    cxl_map(&dev, ALL_DPA);
    qtest_qmp_device_del_send(qts, "cxl-mem0");
    cxl_slot_power(qts, 0, false);
    qtest_qmp_eventwait(qts, "DEVICE_DELETED");
    qtest_qmp_device_add(qts, "virtio-mem-pci", "vmem",
                         "{'bus': 'plug', 'memdev': 'vm0'}");
    qtest_quit(qts);
}

static void the_query_can_be_cut_short(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    QDict *rsp, *w;

    cxl_map(dev, ALL_DPA);
    rsp = qtest_qmp(qts, "{'execute': 'query-cxl-memory-map', "
                    "'arguments': {'limit': 1}}");
    w = qobject_to(QDict, qlist_peek(qdict_get_qlist(rsp, "return")));
    g_assert_true(qdict_get_bool(w, "truncated"));
    g_assert_cmpuint(qlist_size(qdict_get_qlist(w, "ranges")), ==, 1);
    qobject_unref(rsp);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/direct/" #f, f)
#define DCD(f, props) cxl_add_dcd_test("/cxl/direct/" #f, f, props)
    DCD(nothing_is_mapped_before_decoders_are, "");
    DCD(exactly_the_accepted_extents_are_mapped, "");
    DCD(read_only_capacity_traps, ",dc1-read-only=on");
    DCD(pages_with_poison_trap, "");
    DCD(disabled_media_traps_and_comes_back, "");
    T(locked_memory_traps);
    T(the_budget_is_kept_and_what_is_over_works);
    T(there_is_an_end_to_all_budgets);
    DCD(parts_of_a_page_trap, ",dc0-block-size=64");
    DCD(a_reset_takes_all_and_a_new_commit_brings_it_back, "");
    T(migration_maps_again_with_the_contents);
    T(unplug_leaves_nothing_behind);
    T(a_backend_is_as_any_other_afterwards);
    DCD(the_query_can_be_cut_short, "");
    return g_test_run();
}
