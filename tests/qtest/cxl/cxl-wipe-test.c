/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that is overwritten in slices: it reads as zeroes from the start, the
 * machine does other things between two slices, and resets, migration, unplug
 * and the end of QEMU bring no old data back (CXL r3.2 8.2.10.9.5, 9.13.3)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/cutils.h"
#include "qemu/units.h"
#include "qobject/qdict.h"
#include "cxl-qtest-map.h"

#define SLICE       (2 * MiB)
#define LSA_SIZE    (64 * MiB)
#define DC_BASE     (512 * MiB)
#define READY       0x14
#define DISABLED    0x1c

/* Preallocated memory keeps its pages: it has to be written */
#define BACKENDS \
    "-object memory-backend-ram,id=vm0,size=256M,prealloc=on " \
    "-object memory-backend-ram,id=pm0,size=256M,prealloc=on " \
    "-object memory-backend-ram,id=dc0,size=256M,prealloc=on " \
    "-object memory-backend-ram,id=lsa0,size=64M,prealloc=on "
#define DEVICE \
    "cxl-type3,bus=rp0,id=cxl-mem0,volatile-memdev=vm0,persistent-memdev=pm0," \
    "lsa=lsa0,volatile-dc-memdev=dc0,num-dc-regions=1"

/* Offsets from the window's start that hold something before it is wiped */
static const uint64_t place[] = {
    0, 64 * KiB, 100 * MiB + 8, 256 * MiB - 8, 256 * MiB, 400 * MiB + 4088,
    DC_BASE, DC_BASE + 128 * MiB - 8,
};

static uint64_t left(CxlDev *dev)
{
    QDict *rsp = qtest_qmp(dev->qts, "{'execute': 'qom-get', 'arguments': {"
                           "'path': '/machine/peripheral/cxl-mem0', "
                           "'property': 'wipe-left'}}");
    uint64_t n = qdict_get_int(rsp, "return");

    qobject_unref(rsp);
    return n;
}

static void hold_dc(CxlDev *dev)
{
    const CxlExtent held = { DC_BASE, 128 * MiB, 1 };

    cxl_hold(dev, &held, 1);
}

static void label(CxlDev *dev, uint32_t offset, uint8_t value)
{
    CxlReq lsa = cxl_req(0x4103, offset);

    req_tag(&lsa, value);
    g_assert_cmphex(cxl_cmd(dev, 0x4103, &lsa, NULL), ==, 0);
}

static void label_is(CxlDev *dev, uint32_t offset, uint64_t want)
{
    CxlRsp rsp;

    g_assert_cmphex(cxl_run(dev, &rsp, 0x4102, offset, 8), ==, 0);
    g_assert_cmphex(ldq_le_p(rsp.data), ==, want);
}

static void fill(CxlDev *dev, uint64_t at)
{
    for (unsigned i = 0; i < ARRAY_SIZE(place); i++) {
        qtest_writeq(dev->qts, at + place[i], 0x1234 + i);
        g_assert_cmphex(qtest_readq(dev->qts, at + place[i]), ==, 0x1234 + i);
    }
    label(dev, 0, 0x7e);
    label(dev, LSA_SIZE - 64, 0x7d);
}

static void reads_as_zeroes(CxlDev *dev, uint64_t at)
{
    for (unsigned i = 0; i < ARRAY_SIZE(place); i++) {
        g_assert_cmphex(qtest_readq(dev->qts, at + place[i]), ==, 0);
    }
    label_is(dev, 0, 0);
    label_is(dev, LSA_SIZE - 64, 0);
}

/* Return: where the window is */
static uint64_t start(CxlDev *dev)
{
    uint64_t at = cxl_map(dev, ALL_DPA);

    hold_dc(dev);
    fill(dev, at);
    return at;
}

/* One slice more; the device has time for something else then */
static uint64_t step(CxlDev *dev)
{
    uint64_t before = left(dev), after;

    qtest_clock_step_next(dev->qts);
    after = left(dev);
    g_assert_cmphex(after, <=, before);
    g_assert_cmphex(before - after, <=, SLICE);
    cxl_alive(dev);
    return after;
}

static void overwrite_all(CxlDev *dev)
{
    while (left(dev)) {
        qtest_clock_step_next(dev->qts);
    }
}

/* What the command says, and the register has to say the same */
static unsigned percent(CxlDev *dev)
{
    CxlRsp rsp;

    g_assert_cmphex(cxl_cmd(dev, 0x0002, NULL, &rsp), ==, 0);
    g_assert_cmpuint(dev_readq(dev, REG_MB_BG_STATUS) >> 16 & 0x7f, ==,
                     rsp.data[0] >> 1);
    return rsp.data[0] >> 1;
}

static void sanitize_goes_in_slices(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    uint64_t at = start(dev), last;
    unsigned slices = 0, before = 0;

    g_assert_cmphex(cxl_cmd(dev, 0x4400, NULL, NULL), ==, 1);
    last = left(dev);
    g_assert_cmphex(last, ==, ALL_DPA + LSA_SIZE - SLICE);
    while (last) {
        /* it moves on, and never back */
        g_assert_cmpuint(percent(dev), >=, before);
        before = percent(dev);
        g_assert_cmphex(cxl_cmd(dev, 0x4400, NULL, NULL), ==, 6);
        g_assert_cmphex(cxl_cmd(dev, 0x4401, NULL, NULL), ==, 7);
        last = step(dev);
        slices++;
    }
    g_assert_cmpuint(slices, >=, (ALL_DPA + LSA_SIZE) / SLICE - 1);
    g_assert_cmphex(dev_readq(dev, REG_MEMDEV_STATUS), ==, DISABLED);
    qtest_clock_step(qts, 10 * SECOND);
    g_assert_cmpuint(percent(dev), ==, 100);
    g_assert_cmphex(dev_readq(dev, REG_MEMDEV_STATUS), ==, READY);
    reads_as_zeroes(dev, at);
}

static void erased_memory_reads_as_zeroes_at_once(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    uint64_t at = start(dev);

    map_trap_is(qts, 0, "direct");
    g_assert_cmphex(cxl_cmd(dev, 0x4401, NULL, NULL), ==, 0);
    g_assert_cmphex(left(dev), >=, ALL_DPA - SLICE);
    map_trap_is(qts, 100 * MiB, "wiped");
    map_trap_is(qts, DC_BASE, "wiped");
    reads_as_zeroes(dev, at);
    /* what is new stays, and so do the zeroes around it */
    for (unsigned i = 0; i < ARRAY_SIZE(place); i++) {
        qtest_writeq(qts, at + place[i], 0x5678 + i);
    }
    label(dev, 8 * MiB, 0x55);
    overwrite_all(dev);
    for (unsigned i = 0; i < ARRAY_SIZE(place); i++) {
        g_assert_cmphex(qtest_readq(qts, at + place[i]), ==, 0x5678 + i);
        qtest_writeq(qts, at + place[i], 0);
    }
    label_is(dev, 8 * MiB, 0x5555555555555555);
    reads_as_zeroes(dev, at);
    map_trap_is(qts, 0, "direct");
    map_trap_is(qts, 100 * MiB, "direct");
    map_trap_is(qts, DC_BASE, "direct");
}

static void a_reset_does_not_wait_for_the_rest(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    uint64_t at = start(dev), rest;

    g_assert_cmphex(cxl_cmd(dev, 0x4400, NULL, NULL), ==, 1);
    rest = step(dev);
    qtest_system_reset(qts);
    g_assert_cmphex(left(dev), ==, rest);
    cxl_probe(qts, 0, dev);
    g_assert_cmphex(dev_readq(dev, REG_MEMDEV_STATUS), ==, READY);
    cxl_map(dev, ALL_DPA);
    reads_as_zeroes(dev, at);
    qtest_writeq(qts, at + place[3], 1);
    overwrite_all(dev);
    g_assert_cmphex(qtest_readq(qts, at + place[3]), ==, 1);
    qtest_writeq(qts, at + place[3], 0);
    reads_as_zeroes(dev, at);
}

static void media_operation_goes_in_slices(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    uint64_t at = start(dev);
    unsigned before = 0, halfway = 0;
    CxlReq r = cxl_req(0x4402, 1, 1, 1);

    req64(&r, 64);
    req64(&r, 256 * MiB);
    g_assert_cmphex(cxl_cmd(dev, 0x4402, &r, NULL), ==, 1);
    for (; percent(dev) < 100; before = percent(dev)) {
        g_assert_cmpuint(percent(dev), >=, before);
        /* it is memory all the time, and others are served */
        map_trap_is(qts, 0, "direct");
        cxl_alive(dev);
        halfway += !qtest_readq(qts, at + place[1]) &&
                   qtest_readq(qts, at + place[2]);
        qtest_clock_step_next(qts);
    }
    /* the first slice was done and that of 100 MiB was not */
    g_assert_cmpuint(halfway, >=, 100 * MiB / SLICE - 1);
    g_assert_cmphex(dev_readq(dev, REG_MB_BG_STATUS) >> 32, ==, 0);
    g_assert_cmphex(qtest_readq(qts, at + place[0]), ==, 0x1234);
    for (unsigned i = 1; i <= 4; i++) {
        g_assert_cmphex(qtest_readq(qts, at + place[i]), ==, 0);
    }
    g_assert_cmphex(qtest_readq(qts, at + place[5]), ==, 0x1234 + 5);
}

static void migration_goes_on_where_it_was(void)
{
    static const uint16_t op[] = { 0x4400, 0x4401 };

    for (unsigned i = 0; i < ARRAY_SIZE(op); i++) {
        g_autofree char *args = cxl_args(BACKENDS "-device " DEVICE);
        uint64_t at, rest;
        CxlDev dev;

        cxl_probe(qtest_init(args), 0, &dev);
        at = start(&dev);
        g_assert_cmphex(cxl_cmd(&dev, op[i], NULL, NULL), ==,
                        op[i] == 0x4400);
        step(&dev);
        rest = step(&dev);
        g_assert_cmphex(rest, >, 0);
        dev.qts = cxl_migrate(dev.qts, args);
        g_assert_cmphex(left(&dev), ==, rest);
        if (op[i] == 0x4400) {
            g_assert_cmphex(dev_readq(&dev, REG_MEMDEV_STATUS), ==, DISABLED);
            step(&dev);
            qtest_clock_step(dev.qts, 10 * SECOND);
            g_assert_cmpuint(percent(&dev), ==, 100);
        } else {
            map_trap_is(dev.qts, 100 * MiB, "wiped");
        }
        reads_as_zeroes(&dev, at);
        overwrite_all(&dev);
        reads_as_zeroes(&dev, at);
        qtest_quit(dev.qts);
    }
}

static void released_capacity_is_zeroes_for_the_next(CxlDev *dev)
{
    const CxlExtent part = { DC_BASE, 64 * MiB, 1 };
    const CxlExtent again = { DC_BASE, 64 * MiB, 2 };
    QTestState *qts = dev->qts;
    uint64_t at = start(dev);

    g_assert_cmphex(fm_release_list(dev, REL_PRESCRIPTIVE | REL_SANITIZE,
                                    &part, 1), ==, 0);
    g_assert_cmphex(host_answer(dev, 0x4803, &part, 1, false), ==, 0);
    g_assert_cmphex(left(dev), ==, 64 * MiB - SLICE);
    map_trap_is(qts, DC_BASE, "not-accepted");
    cxl_hold(dev, &again, 1);
    /* the first slice is done, the rest traps until it is */
    map_trap_is(qts, DC_BASE, "direct");
    map_trap_is(qts, DC_BASE + SLICE, "wiped");
    g_assert_cmphex(qtest_readq(qts, at + DC_BASE), ==, 0);
    qtest_writeq(qts, at + DC_BASE + 32 * MiB, 7);
    g_assert_cmphex(qtest_readq(qts, at + DC_BASE + 32 * MiB + 8), ==, 0);
    overwrite_all(dev);
    map_trap_is(qts, DC_BASE + SLICE, "direct");
    g_assert_cmphex(qtest_readq(qts, at + DC_BASE + 32 * MiB), ==, 7);
    /* what was not asked back is as it was */
    g_assert_cmphex(qtest_readq(qts, at + place[7]), ==, 0x1234 + 7);
}

static void memory_that_can_be_dropped_takes_fewer_slices(CxlDev *dev)
{
    unsigned slices = 0;

    g_assert_cmphex(cxl_cmd(dev, 0x4401, NULL, NULL), ==, 0);
    while (left(dev)) {
        qtest_clock_step_next(dev->qts);
        slices++;
    }
    g_assert_cmpuint(slices, >, 0);
    g_assert_cmpuint(slices, <, ALL_DPA / SLICE / 4);
}

static bool file_is_zeroes(const char *path)
{
    g_autofree char *text = NULL;
    size_t len;

    g_assert_true(g_file_get_contents(path, &text, &len, NULL));
    return buffer_is_zero(text, len);
}

/* A device whose file is being erased, and has old data still */
static QTestState *start_erasing(const char *path)
{
    QTestState *qts = cxl_start(
        "-object memory-backend-file,id=vm0,size=256M,share=on,prealloc=on,"
        "mem-path=%s -device cxl-type3,bus=rp0,id=cxl-mem0,volatile-memdev=vm0",
        path);
    CxlDev dev;

    cxl_probe(qts, 0, &dev);
    qtest_writeq(qts, cxl_map(&dev, 256 * MiB) + 200 * MiB, 0x1234);
    g_assert_cmphex(cxl_cmd(&dev, 0x4401, NULL, NULL), ==, 0);
    g_assert_cmphex(left(&dev), >, 0);
    return qts;
}

/* Who opens the file of an erased device later finds nothing in it */
static void an_end_of_qemu_leaves_no_old_data(void)
{
    g_autofree char *path = NULL;
    int fd = map_memory_file(256 * MiB, &path);
    QTestState *qts = start_erasing(path);

    g_assert_false(file_is_zeroes(path));
    qtest_quit(qts);
    g_assert_true(file_is_zeroes(path));
    close(fd);
}

/* What another QEMU has taken over is that one's to overwrite, or to keep */
static void an_end_after_a_migration_writes_nothing(void)
{
    g_autofree char *path = NULL, *stream = NULL;
    int fd = map_memory_file(256 * MiB, &path);
    QTestState *qts = start_erasing(path);

    stream = cxl_save(qts, 0);
    g_assert_false(file_is_zeroes(path));
    unlink(stream);
    close(fd);
}

static void erase_and_unplug(CxlDev *dev, QTestState *qts)
{
    g_assert_cmphex(cxl_cmd(dev, 0x4401, NULL, NULL), ==, 0);
    cxl_slot_power(qts, 0, true);
    qtest_qmp_assert_success(qts, "{'execute': 'device_del', "
                             "'arguments': {'id': 'cxl-mem0'}}");
    cxl_slot_power(qts, 0, false);
}

static bool delete_backend(QTestState *qts)
{
    QDict *rsp = qtest_qmp(qts, "{'execute': 'object-del', "
                           "'arguments': {'id': 'pm0'}}");
    bool done = qdict_haskey(rsp, "return");

    qobject_unref(rsp);
    return done;
}

static void an_unplug_does_not_wait_for_the_rest(CxlDev *dev)
{
    unsigned slices = 0;
    QTestState *qts = dev->qts;

    start(dev);
    erase_and_unplug(dev, qts);
    while (!delete_backend(qts)) {
        qtest_clock_step_next(qts);
        slices++;
        g_assert_cmpuint(slices, <, 1000);
    }
    g_assert_cmpuint(slices, >, 10);
    qtest_qmp_eventwait(qts, "DEVICE_DELETED");
}

static void unplugged_memory_has_no_old_data(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    uint64_t at = start(dev);

    erase_and_unplug(dev, qts);
    qtest_qmp_assert_success(
        qts, "{'execute': 'device_add', 'arguments': {'driver': 'cxl-type3', "
        "'bus': 'rp0', 'id': 'cxl-mem0', 'volatile-memdev': 'vm0', "
        "'persistent-memdev': 'pm0', 'lsa': 'lsa0', "
        "'volatile-dc-memdev': 'dc0', 'num-dc-regions': 1}}");
    qtest_qmp_eventwait(qts, "DEVICE_DELETED");
    cxl_slot_power(qts, 0, true);
    cxl_probe(qts, 0, dev);
    cxl_map(dev, ALL_DPA);
    hold_dc(dev);
    reads_as_zeroes(dev, at);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/wipe/" #f, f)
#define DEV(f) \
    cxl_add_device_test("/cxl/wipe/" #f, f, BACKENDS "-device " DEVICE)
    DEV(sanitize_goes_in_slices);
    DEV(erased_memory_reads_as_zeroes_at_once);
    DEV(a_reset_does_not_wait_for_the_rest);
    DEV(media_operation_goes_in_slices);
    T(migration_goes_on_where_it_was);
    DEV(released_capacity_is_zeroes_for_the_next);
    cxl_add_dcd_test("/cxl/wipe/memory_that_can_be_dropped_takes_fewer_slices",
                     memory_that_can_be_dropped_takes_fewer_slices, "");
    T(an_end_of_qemu_leaves_no_old_data);
    T(an_end_after_a_migration_writes_nothing);
    DEV(an_unplug_does_not_wait_for_the_rest);
    DEV(unplugged_memory_has_no_old_data);
    return g_test_run();
}
