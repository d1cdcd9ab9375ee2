/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Live migration under writes that do not trap: memory of a device that is
 * plain RAM for the guest must still have its changes followed, also where the
 * mapping changes meanwhile (CXL r3.2 8.2.4.20, 9.13.3)
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "qobject/qdict.h"
#include "cxl-qtest-map.h"

#define PAGE 4096
#define STATIC { 0, CXL_STATIC }
#define MACHINE CXL_BACKENDS "-device " CXL_DCD_DEVICE

/*
 * Pages written in each round, a few in each MiB.  Slow enough a link, and next
 * to no pause allowed at the end: it cannot be done while we write.
 */
enum { PAGES = 512, PASSES = 4, SLOW = 4 * MiB };

/* Where the pages are: one half in static memory, one in dynamic */
static uint64_t place(unsigned i)
{
    return i < PAGES / 2 ?
        CXL_STATIC / (PAGES / 2) * i + i % 200 * PAGE :
        R0(1) + 2 * CXL_BLOCK / (PAGES / 2) * (i - PAGES / 2);
}

static void write_round(QTestState *qts, uint64_t hpa, unsigned round)
{
    for (unsigned i = 0; i < PAGES; i++) {
        qtest_writeq(qts, hpa + place(i) + 8 * (round % 8), MARK * round + i);
    }
}

static void hold(CxlDev *dev, unsigned block, unsigned n, uint8_t tag)
{
    const CxlExtent e = { R0(block), n * CXL_BLOCK, tag };

    cxl_hold(dev, &e, 1);
}

static int64_t info(QTestState *qts, char **status)
{
    QDict *rsp = qtest_qmp_assert_success_ref(
        qts, "{'execute': 'query-migrate'}");
    int64_t passes = 0;

    g_free(*status);
    *status = g_strdup(qdict_get_str(rsp, "status"));
    if (qdict_haskey(rsp, "ram")) {
        passes = qdict_get_int(qdict_get_qdict(rsp, "ram"),
                               "dirty-sync-count");
    }
    qobject_unref(rsp);
    g_assert_cmpstr(*status, !=, "failed");
    return passes;
}

static void parameters(QTestState *qts, int64_t bandwidth, int64_t pause)
{
    qtest_qmp_assert_success(
        qts, "{'execute': 'migrate-set-parameters', 'arguments': {"
        "'max-bandwidth': %" PRId64 ", 'downtime-limit': %" PRId64 "}}",
        bandwidth, pause);
}

static void wait_for(QTestState *qts, const char *what)
{
    g_autofree char *status = NULL;

    do {
        g_usleep(1000);
        info(qts, &status);
    } while (!g_str_equal(status, what));
}

static void writes_during_a_migration_are_not_lost(void)
{
    const CxlRange want[] = { STATIC, { R0(1), 2 * CXL_BLOCK },
                              { R0(5), CXL_BLOCK } };
    g_autofree char *dir = g_dir_make_tmp("cxl-live-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "link", NULL);
    g_autofree char *uri = g_strconcat("unix:", path, NULL);
    g_autofree char *args = cxl_args(MACHINE " -incoming defer");
    g_autofree char *status = NULL;
    unsigned round = 0, i, r;
    bool changed = false;
    int64_t passes;
    QTestState *from, *to;
    uint64_t hpa;
    CxlDev dev;

    from = cxl_start(MACHINE);
    cxl_probe(from, 0, &dev);
    to = qtest_init(args);
    hpa = cxl_map(&dev, ALL_DPA);
    hold(&dev, 1, 2, 1);
    hold(&dev, 7, 1, 7);
    map_trap_is(from, place(0), "direct");
    map_trap_is(from, place(PAGES - 1), "direct");
    write_round(from, hpa, ++round);

    /* Nothing that is written after it has stopped would count: hold it */
    qtest_qmp_assert_success(
        from, "{'execute': 'migrate-set-capabilities', 'arguments': {"
        "'capabilities': [{'capability': 'pause-before-switchover',"
        " 'state': true}]}}");
    parameters(from, SLOW, 1);
    qtest_qmp_assert_success(to, "{'execute': 'migrate-incoming', "
                             "'arguments': {'uri': %s}}", uri);
    qtest_qmp_assert_success(from, "{'execute': 'migrate', "
                             "'arguments': {'uri': %s}}", uri);
    do {
        write_round(from, hpa, ++round);
        passes = info(from, &status);
        if (passes >= 2 && !changed) {
            /* The mapping comes and goes while changes are followed */
            changed = true;
            hold(&dev, 5, 1, 5);
            qtest_writeq(from, hpa + R0(5) + PAGE, MARK);
            g_assert_cmphex(fm_release_tag(&dev, REL_FORCED, CXL_BLOCK, 7), ==,
                            0);
        }
    } while (passes < PASSES && !g_str_equal(status, "pre-switchover"));
    g_test_message("%u rounds, then %s", round, status);
    g_assert_true(changed);
    map_is(from, want, 3);
    parameters(from, 1 * GiB, 60000);
    wait_for(from, "pre-switchover");
    qtest_qmp_assert_success(from, "{'execute': 'migrate-continue', "
                             "'arguments': {'state': 'pre-switchover'}}");
    wait_for(from, "completed");
    qtest_qmp_eventwait(to, "RESUME");

    map_is(to, want, 3);
    for (r = MAX(round, 8) - 7; r <= round; r++) {
        for (i = 0; i < PAGES; i++) {
            g_assert_cmphex(qtest_readq(to, hpa + place(i) + 8 * (r % 8)), ==,
                            MARK * r + i);
        }
    }
    g_assert_cmphex(qtest_readq(to, hpa + R0(5) + PAGE), ==, MARK);
    g_assert_cmphex(qtest_readq(to, hpa + R0(7)), ==, -1ull);
    qtest_quit(from);
    qtest_quit(to);
    unlink(path);
    rmdir(dir);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/cxl/direct-migrate/writes_during_a_migration_are_not_lost",
                   writes_during_a_migration_are_not_lost);
    return g_test_run();
}
