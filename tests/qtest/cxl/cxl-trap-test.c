/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accesses that trap, on their short way: what was found out about a line just
 * before must not outlive a change (CXL r3.2 8.2.4.20, 8.2.10.9, 9.13.3)
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "qobject/qdict.h"
#include "cxl-qtest-image.h"
#include "cxl-qtest-pair.h"

#define NO_RAM ",direct-ranges-max=0"
#define LINE 64

/* A store and a load of it, so that whatever can be kept is kept */
static void know(QTestState *qts, uint64_t at, uint64_t value)
{
    qtest_writeq(qts, at, value);
    g_assert_cmphex(qtest_readq(qts, at), ==, value);
}

static QTestState *start(CxlDev *dev, uint64_t *hpa)
{
    QTestState *qts = cxl_start_dcd(dev, NO_RAM);

    *hpa = cxl_map(dev, ALL_DPA);
    map_is(qts, NULL, 0);
    return qts;
}

static void poison(CxlDev *dev, uint16_t op, uint64_t dpa)
{
    g_assert_cmphex(op == 0x4302 ? cxl_run(dev, NULL, op, dpa, 0)
                                 : cxl_run(dev, NULL, op, dpa), ==, 0);
}

static void reset(QTestState *qts)
{
    qtest_system_reset(qts);
}

static void a_decoder_of_the_device_or_above_it_changes(void)
{
    CxlDev dev;
    uint64_t at;
    QTestState *qts = start(&dev, &at);
    uint64_t bridge = map_bridge(qts), regs = dev.bar[0];

    know(qts, at, MARK);
    know(qts, at + CXL_STATIC - 8, MARK + 1);
    map_enable(qts, regs, false);
    g_assert_cmphex(qtest_readq(qts, at), ==, 0);
    qtest_writeq(qts, at, 1);
    map_enable(qts, regs, true);
    g_assert_cmphex(qtest_readq(qts, at), ==, MARK);
    map_control(qts, regs, 0, 0);
    g_assert_cmphex(qtest_readq(qts, at), ==, 0);
    qtest_writeq(qts, at, 1);
    map_control(qts, regs, 0, CXL_HDM_CTRL_COMMIT);
    g_assert_cmphex(qtest_readq(qts, at), ==, MARK);
    map_control(qts, bridge, 0, 0);
    g_assert_cmphex(qtest_readq(qts, at), ==, 0);
    qtest_writeq(qts, at, 1);
    map_control(qts, bridge, 0, CXL_HDM_CTRL_COMMIT);
    g_assert_cmphex(qtest_readq(qts, at), ==, MARK);

    /* The same address is another one of the device */
    map_control(qts, regs, 0, 0);
    qtest_writel(qts, regs + 0x1000 + CXL_HDM_DECODER(0) + CXL_HDM_SKIP_LO,
                 CXL_STATIC);
    map_control(qts, regs, 0, CXL_HDM_CTRL_COMMIT);
    g_assert_cmphex(qtest_readq(qts, at), ==, ONES);
    qtest_quit(qts);
}

/* A skip is as large as software likes */
/* A skip may be rewritten to anything: no address comes round to the first */
static void addresses_of_the_device_do_not_wrap(void)
{
    CxlDev dev;
    uint64_t at;
    QTestState *qts = start(&dev, &at);
    uint64_t regs = dev.bar[0], decoder = regs + 0x1000 + CXL_HDM_DECODER(0);

    know(qts, at, MARK);
    map_control(qts, regs, 0, 0);
    qtest_writel(qts, decoder + CXL_HDM_SKIP_LO, -CXL_STATIC);
    qtest_writel(qts, decoder + CXL_HDM_SKIP_HI, UINT32_MAX);
    map_control(qts, regs, 0, CXL_HDM_CTRL_COMMIT);
    g_assert_cmphex(qtest_readq(qts, at), ==, 0);
    qtest_writeq(qts, at, 1);
    qtest_writeq(qts, at + CXL_STATIC, 1);
    map_trap_is(qts, 0, "not-decoded");
    map_trap_is(qts, CXL_STATIC, "not-decoded");
    map_control(qts, regs, 0, 0);
    qtest_writel(qts, decoder + CXL_HDM_SKIP_LO, 0);
    qtest_writel(qts, decoder + CXL_HDM_SKIP_HI, 0);
    map_control(qts, regs, 0, CXL_HDM_CTRL_COMMIT);
    g_assert_cmphex(qtest_readq(qts, at), ==, MARK);
    qtest_quit(qts);
}

static void interleave_begins_and_ends(void)
{
    Pair p;
    uint64_t at;

    pair_start(&p, 256, NO_RAM, "");
    at = p.window + 256;
    know(p.qts, p.window, MARK);
    know(p.qts, at, MARK + 1);
    know(p.qts, at + 256, MARK + 2);
    g_assert_cmphex(pair_in_device(&p, 1, 0), ==, MARK + 1);
    g_assert_cmphex(pair_in_device(&p, 0, 256), ==, MARK + 2);

    map_control(p.qts, p.bridge, 0, 0);
    map_control(p.qts, p.dev[0].bar[0], 0, 0);
    map_decode(p.qts, p.dev[0].bar[0], 0, p.window, ALL_DPA, 0, 0);
    map_decode(p.qts, p.bridge, 0, p.window, ALL_DPA, 0, 0);
    g_assert_cmphex(qtest_readq(p.qts, at), ==, MARK + 2);

    map_control(p.qts, p.bridge, 0, 0);
    p.grain = 1024;
    for (unsigned d = 0; d < PAIR_DEVICES; d++) {
        map_control(p.qts, p.dev[d].bar[0], 0, 0);
    }
    pair_decode(&p);
    g_assert_cmphex(qtest_readq(p.qts, at), ==, MARK + 2);
    g_assert_cmphex(qtest_readq(p.qts, p.window + 1024), ==, MARK + 1);
    pair_stop(&p);
}

/* What follows is of another row: its chunks are the same devices' as before */
static void a_region_ends_within_a_row(void)
{
    enum { GRAIN = 16 * KiB, REST = 4 * KiB };
    static const char *const ram[] = { "", NO_RAM };
    const CxlExtent end = {
        CXL_DC_BASE + 128 * MiB - GRAIN, GRAIN + REST, 1,
    };

    for (unsigned i = 0; i < ARRAY_SIZE(ram); i++) {
        g_autofree char *props = g_strdup_printf(
            ",dc0-size=%" PRIu64 ",dc0-block-size=4k"
            ",dc1-size=%" PRIu64 ",dc1-block-size=4k%s",
            (uint64_t)(128 * MiB + REST), (uint64_t)(384 * MiB - REST), ram[i]);
        Pair p;

        pair_start(&p, GRAIN, props, "");
        for (unsigned d = 0; d < PAIR_DEVICES; d++) {
            cxl_hold(&p.dev[d], &end, 1);
        }
        for (uint64_t at = 0; at < end.len; at += REST) {
            for (unsigned d = 0; d < PAIR_DEVICES; d++) {
                pair_store(&p, d, end.dpa + at, MARK + at + d);
            }
        }
        for (uint64_t at = 0; at < end.len; at += REST) {
            for (unsigned d = 0; d < PAIR_DEVICES; d++) {
                g_assert_cmphex(pair_load(&p, d, end.dpa + at), ==,
                                MARK + at + d);
                g_assert_cmphex(pair_in_device(&p, d, end.dpa + at), ==,
                                MARK + at + d);
            }
        }
        /* What is behind it is nobody's */
        g_assert_cmphex(pair_load(&p, 1, end.dpa + end.len), ==, ONES);
        pair_stop(&p);
    }
}

static void a_line_is_poisoned_and_healed(void)
{
    CxlDev dev;
    uint64_t hpa, at;
    QTestState *qts = start(&dev, &hpa);
    uint8_t half[8];

    at = hpa + 5 * LINE;
    for (int i = -1; i <= 1; i++) {
        know(qts, at + i * LINE, MARK + i);
    }
    poison(&dev, 0x4301, 5 * LINE);
    g_assert_cmphex(qtest_readq(qts, at), ==, ONES);
    g_assert_cmphex(qtest_readq(qts, at - LINE), ==, MARK - 1);
    g_assert_cmphex(qtest_readq(qts, at + LINE), ==, MARK + 1);
    qtest_writel(qts, at - 4, 0x5a5a5a5a);
    qtest_memread(qts, at - 4, half, sizeof(half));
    g_assert_cmpmem(half, sizeof(half), "ZZZZ\xff\xff\xff\xff", 8);
    poison(&dev, 0x4302, 5 * LINE);
    g_assert_cmphex(qtest_readq(qts, at), ==, 0);

    know(qts, at, MARK);
    qtest_qmp_assert_success(qts, "{'execute': 'cxl-inject-poison', "
                             "'arguments': {'path': 'cxl-mem0', 'start': %u, "
                             "'length': 64}}", 5 * LINE);
    g_assert_cmphex(qtest_readq(qts, at), ==, ONES);
    qtest_quit(qts);
}

/* Beside bad lines, at both ends of a chunk and in the middle, all is kept */
static void poison_and_data_mixed_at_random(void)
{
    enum { CHUNKS = 12, ROUNDS = 6000, BAD_MAX = 40 };
    const unsigned lines = CHUNKS * 256 / LINE;
    g_autofree uint64_t *want = g_new0(uint64_t, CHUNKS * 256 / 8);
    g_autofree bool *bad = g_new0(bool, lines);
    g_autoptr(GRand) r = g_rand_new_with_seed(20);
    unsigned nr_bad = 0;
    Pair p;

    pair_start(&p, 256, NO_RAM, "");
    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned word = g_rand_int_range(r, 0, CHUNKS * 256 / 8);
        unsigned line = word / 8, chunk = word / 32;
        uint64_t dpa = chunk / 2 * 256 + line % 4 * LINE;
        unsigned what = g_rand_int_range(r, 0, 100);

        if (what < 4 && !bad[line] && nr_bad < BAD_MAX) {
            poison(&p.dev[chunk % 2], 0x4301, dpa);
            bad[line] = true;
            nr_bad++;
        } else if (what < 8 && bad[line]) {
            poison(&p.dev[chunk % 2], 0x4302, dpa);
            memset(&want[line * 8], 0, LINE);
            bad[line] = false;
            nr_bad--;
        } else if (what < 50) {
            want[word] = (uint64_t)g_rand_int(r) << 32 | i;
            qtest_writeq(p.qts, p.window + 8 * word, want[word]);
        } else {
            g_assert_cmphex(qtest_readq(p.qts, p.window + 8 * word), ==,
                            bad[line] ? ONES : want[word]);
        }
    }
    pair_stop(&p);
}

static void capacity_comes_and_goes(void)
{
    const CxlExtent low = { R0(1), BLOCKS(1), 1 };
    const CxlExtent high = { R0(2), BLOCKS(1), 2 };
    CxlDev dev;
    uint64_t hpa;
    QTestState *qts = start(&dev, &hpa);
    uint64_t a = hpa + R0(1), b = hpa + R0(2);

    g_assert_cmphex(qtest_readq(qts, a), ==, ONES);
    g_assert_cmphex(qtest_readq(qts, b), ==, ONES);
    cxl_hold(&dev, &high, 1);
    know(qts, b, MARK);
    g_assert_cmphex(qtest_readq(qts, a), ==, ONES);
    cxl_hold(&dev, &low, 1);
    know(qts, a, MARK + 1);
    g_assert_cmphex(qtest_readq(qts, b - 8), ==, 0);
    g_assert_cmphex(host_answer(&dev, 0x4803, &low, 1, false), ==, 0);
    g_assert_cmphex(qtest_readq(qts, a), ==, ONES);
    qtest_writeq(qts, a, 1);
    g_assert_cmphex(qtest_readq(qts, b), ==, MARK);

    /* The Fabric Manager does not ask */
    g_assert_cmphex(fm_release_tag(&dev, REL_FORCED, BLOCKS(1), 2), ==, 0);
    g_assert_cmphex(qtest_readq(qts, b), ==, ONES);
    qtest_writeq(qts, b, 1);
    cxl_hold(&dev, &low, 1);
    cxl_hold(&dev, &high, 1);
    g_assert_cmphex(qtest_readq(qts, a), ==, MARK + 1);
    g_assert_cmphex(qtest_readq(qts, b), ==, MARK);

    g_assert_cmphex(fm_release_list(&dev, REL_FORCED | REL_SANITIZE, &high, 1),
                    ==, 0);
    cxl_hold(&dev, &high, 1);
    g_assert_cmphex(qtest_readq(qts, b), ==, 0);
    qtest_quit(qts);
}

static void read_only_capacity_takes_no_store(void)
{
    const CxlExtent e = { R0(0), BLOCKS(1), 1 };
    CxlDev dev;
    QTestState *qts = cxl_start_dcd(&dev, NO_RAM ",dc0-read-only=on");
    uint64_t at = cxl_map(&dev, ALL_DPA) + R0(0);

    cxl_hold(&dev, &e, 1);
    g_assert_cmphex(qtest_readq(qts, at), ==, 0);
    qtest_writeq(qts, at, MARK);
    g_assert_cmphex(qtest_readq(qts, at), ==, 0);
    qtest_quit(qts);
}

static void media_are_disabled_by_a_sanitize(void)
{
    CxlDev dev;
    uint64_t at;
    QTestState *qts = start(&dev, &at);

    know(qts, at, MARK);
    g_assert_cmphex(cxl_cmd(&dev, 0x4400, NULL, NULL), ==, 1);
    g_assert_cmphex(qtest_readq(qts, at), !=, qtest_readq(qts, at));
    qtest_writeq(qts, at, MARK + 1);
    qtest_clock_step(qts, 60 * SECOND);
    g_assert_cmphex(qtest_readq(qts, at), ==, 0);
    know(qts, at, MARK);
    qtest_quit(qts);
}

static void a_passphrase_locks_and_unlocks(void)
{
    QTestState *qts = cxl_start(
        "-object memory-backend-ram,id=pm0,size=256M "
        "-object memory-backend-ram,id=lsa0,size=64K "
        "-device cxl-type3,bus=rp0,id=m0,persistent-memdev=pm0,lsa=lsa0"
        NO_RAM);
    CxlReq set = { 0 }, unlock;
    CxlDev dev;
    uint64_t at;

    cxl_probe(qts, 0, &dev);
    at = cxl_map(&dev, CXL_STATIC);
    know(qts, at, MARK);
    req8(&set, 1);                              /* of the user */
    req_zero(&set, 31 + 32 + 32);
    set.data[64] = 'x';
    g_assert_cmphex(cxl_cmd(&dev, 0x4501, &set, NULL), ==, 0);
    g_assert_cmphex(qtest_readq(qts, at), ==, MARK);
    reset(qts);
    g_assert_cmphex(qtest_readq(qts, at), ==, 0);   /* no decoder */
    cxl_probe(qts, 0, &dev);
    at = cxl_map(&dev, CXL_STATIC);
    g_assert_cmphex(qtest_readq(qts, at), ==, ONES);
    qtest_writeq(qts, at, 1);
    unlock = cxl_req(0x4503, 0);
    unlock.data[0] = 'x';
    g_assert_cmphex(cxl_cmd(&dev, 0x4503, &unlock, NULL), ==, 0);
    g_assert_cmphex(qtest_readq(qts, at), ==, MARK);
    qtest_quit(qts);
}

static void a_reset_ends_access(void)
{
    const CxlExtent e = { R0(1), BLOCKS(1), 1 };
    CxlDev dev;
    uint64_t hpa;
    QTestState *qts = start(&dev, &hpa);

    cxl_hold(&dev, &e, 1);
    know(qts, hpa, MARK);
    know(qts, hpa + R0(1), MARK + 1);
    reset(qts);
    g_assert_cmphex(qtest_readq(qts, hpa), ==, 0);
    g_assert_cmphex(qtest_readq(qts, hpa + R0(1)), ==, 0);
    qtest_writeq(qts, hpa, 1);
    cxl_probe(qts, 0, &dev);
    cxl_map(&dev, ALL_DPA);
    g_assert_cmphex(qtest_readq(qts, hpa), ==, MARK);
    g_assert_cmphex(qtest_readq(qts, hpa + R0(1)), ==, MARK + 1);
    qtest_quit(qts);
}

/* Another backend takes the place of the one that was known */
static void a_device_is_replaced(void)
{
    CxlDev dev;
    QTestState *qts = cxl_start(
        "-object memory-backend-ram,id=vm0,size=256M "
        "-object memory-backend-ram,id=vm1,size=256M");
    uint64_t at;

    for (unsigned round = 0; round < 4; round++) {
        qtest_qmp_device_add(qts, "cxl-type3", "hot", "{'bus': 'rp0', "
                             "'volatile-memdev': %s, 'direct-ranges-max': 0}",
                             round % 2 ? "vm1" : "vm0");
        cxl_slot_power(qts, 0, true);
        cxl_probe(qts, 0, &dev);
        at = cxl_map(&dev, CXL_STATIC);
        g_assert_cmphex(qtest_readq(qts, at), ==,
                        round < 2 ? 0 : MARK + round - 2);
        know(qts, at, MARK + round);
        qtest_qmp_device_del_send(qts, "hot");
        cxl_slot_power(qts, 0, false);
        qtest_qmp_eventwait(qts, "DEVICE_DELETED");
        g_assert_cmphex(qtest_readq(qts, at), ==, 0);
        qtest_writeq(qts, at, 1);
    }
    /* Nothing holds on to the memory */
    qtest_qmp_assert_success(qts, "{'execute': 'object-del', "
                             "'arguments': {'id': 'vm0'}}");
    qtest_quit(qts);
}

static void await_migration(QTestState *qts, const char *wanted)
{
    for (;;) {
        QDict *info = qtest_qmp_assert_success_ref(
            qts, "{'execute': 'query-migrate'}");
        g_autofree char *status = g_strdup(qdict_get_try_str(info, "status"));

        qobject_unref(info);
        if (g_strcmp0(status, wanted) == 0) {
            return;
        }
        g_assert_cmpstr(status, !=, "failed");
        g_usleep(1000);
    }
}

/* All memory was sent once: only what is marked dirty is sent again */
static void a_store_during_migration_is_not_lost(void)
{
    g_autofree char *args = cxl_args(CXL_BACKENDS "-device " CXL_DCD_DEVICE
                                     NO_RAM);
    g_autofree char *path = NULL, *uri = NULL, *incoming = NULL;
    CxlDev dev;
    uint64_t at;
    QTestState *from = start(&dev, &at), *to;
    int fd = g_file_open_tmp("cxl-trap-XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    uri = g_strconcat("file:", path, NULL);
    incoming = g_strdup_printf("%s -incoming defer", args);
    know(from, at, MARK);
    qtest_qmp_assert_success(from, "{'execute': 'migrate-set-capabilities', "
                             "'arguments': {'capabilities': [{'capability': "
                             "'pause-before-switchover', 'state': true}]}}");
    qtest_qmp_assert_success(from, "{'execute': 'migrate', 'arguments': "
                             "{'uri': %s}}", uri);
    await_migration(from, "pre-switchover");
    know(from, at, MARK + 1);
    qtest_qmp_assert_success(from, "{'execute': 'migrate-continue', "
                             "'arguments': {'state': 'pre-switchover'}}");
    await_migration(from, "completed");
    qtest_quit(from);

    to = qtest_init(incoming);
    qtest_qmp_assert_success(to, "{'execute': 'migrate-incoming', "
                             "'arguments': {'uri': %s}}", uri);
    await_migration(to, "completed");
    g_assert_cmphex(qtest_readq(to, at), ==, MARK + 1);
    know(to, at, MARK + 2);
    unlink(path);
    qtest_quit(to);
}

static void a_snapshot_is_loaded_into_the_same_machine(void)
{
    const CxlExtent held = { R0(1), BLOCKS(1), 1 };
    const CxlExtent later = { R0(4), BLOCKS(1), 2 };
    CxlDev dev;
    uint64_t hpa;
    QTestState *qts = start(&dev, &hpa);
    g_autofree char *path = image_add(qts);

    cxl_hold(&dev, &held, 1);
    know(qts, hpa, MARK);
    know(qts, hpa + R0(1), MARK + 1);
    image_save(qts);
    cxl_hold(&dev, &later, 1);
    g_assert_cmphex(host_answer(&dev, 0x4803, &held, 1, false), ==, 0);
    poison(&dev, 0x4301, LINE);
    know(qts, hpa, MARK + 2);
    know(qts, hpa + R0(4), MARK + 3);
    g_assert_cmphex(qtest_readq(qts, hpa + R0(1)), ==, ONES);
    g_assert_cmphex(qtest_readq(qts, hpa + LINE), ==, ONES);
    image_load(qts);
    g_assert_cmphex(qtest_readq(qts, hpa), ==, MARK);
    g_assert_cmphex(qtest_readq(qts, hpa + LINE), ==, 0);
    g_assert_cmphex(qtest_readq(qts, hpa + R0(1)), ==, MARK + 1);
    g_assert_cmphex(qtest_readq(qts, hpa + R0(4)), ==, ONES);

    map_control(qts, dev.bar[0], 0, 0);
    g_assert_cmphex(qtest_readq(qts, hpa), ==, 0);
    image_load(qts);
    g_assert_cmphex(qtest_readq(qts, hpa), ==, MARK);
    unlink(path);
    qtest_quit(qts);
}

/* Of each size, at each place beside the end of a chunk and of an extent */
static void sizes_and_edges(void)
{
    const CxlExtent e = { R0(1), BLOCKS(1), 1 };
    Pair p;

    pair_start(&p, 256, NO_RAM, "");
    cxl_hold(&p.dev[0], &e, 1);
    cxl_hold(&p.dev[1], &e, 1);
    for (unsigned end = 0; end < 3; end++) {
        /* in the first row, between two chunks; behind the last row */
        uint64_t edge = p.window + (end == 0 ? 256 :
                                    end == 1 ? pair_at(&p, 0, R0(1)) :
                                    pair_at(&p, 0, R0(2)));

        for (unsigned size = 1; size <= 8; size *= 2) {
            for (unsigned before = 0; before <= size; before++) {
                uint8_t in[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, out[8], want[8];

                qtest_memwrite(p.qts, edge - before, in, size);
                qtest_memread(p.qts, edge - before, out, size);
                for (unsigned i = 0; i < size; i++) {
                    bool there = end == 0 || (end == 1) == (i >= before);

                    want[i] = there ? in[i] : 0xff;
                }
                g_assert_cmpmem(out, size, want, size);
            }
        }
    }
    pair_stop(&p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/trap/" #f, f)
    T(a_decoder_of_the_device_or_above_it_changes);
    T(addresses_of_the_device_do_not_wrap);
    T(interleave_begins_and_ends);
    T(a_region_ends_within_a_row);
    T(a_line_is_poisoned_and_healed);
    T(poison_and_data_mixed_at_random);
    T(capacity_comes_and_goes);
    T(read_only_capacity_takes_no_store);
    T(media_are_disabled_by_a_sanitize);
    T(a_passphrase_locks_and_unlocks);
    T(a_reset_ends_access);
    T(a_device_is_replaced);
    T(a_store_during_migration_is_not_lost);
    T(a_snapshot_is_loaded_into_the_same_machine);
    T(sizes_and_edges);
    return g_test_run();
}
