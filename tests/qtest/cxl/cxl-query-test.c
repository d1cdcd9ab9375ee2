/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many extents: what the monitor shows of them comes in pages, and the work of
 * mapping does not depend on how many there are that cannot be mapped
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include "qobject/qlist.h"
#include "cxl-qtest-map.h"

/* 64-byte blocks, one a page: none of it can be mapped */
#define LINE        64
#define STEP        (4 * KiB)
#define DEVICE \
    "-object memory-backend-ram,id=dc0,size=256M " \
    "-device cxl-type3,bus=rp0,id=cxl-mem0,volatile-dc-memdev=dc0," \
    "num-dc-regions=1,dc0-block-size=64"
#define READ_ONLY_DEVICE \
    "-object memory-backend-ram,id=dc0,size=256M " \
    "-device cxl-type3,bus=rp0,id=cxl-mem0,volatile-dc-memdev=dc0," \
    "num-dc-regions=1,dc0-block-size=4k,dc0-read-only=on"
/* As many as a 4802h holds in one payload */
#define BATCH       49
/* What a page has unless the caller says otherwise */
#define PAGE        256
#define EXTENTS     600
#define OFFERS      300

static CxlExtent extent(unsigned i, uint8_t tag)
{
    return (CxlExtent) { i * STEP, LINE, tag };
}

static void hold(CxlDev *dev, unsigned first, unsigned n)
{
    CxlExtent e[BATCH];

    for (unsigned i = 0; i < n; i += BATCH) {
        unsigned k, some = MIN(BATCH, n - i);

        for (k = 0; k < some; k++) {
            e[k] = extent(first + i + k, 0);
        }
        cxl_hold(dev, e, some);
        drain_log(dev, 4);
    }
}

static QDict *query(QTestState *qts, const char *arguments)
{
    g_autofree char *text = g_strdup_printf(
        "{'execute': 'query-cxl-dynamic-capacity', 'arguments': {"
        "'path': 'cxl-mem0'%s}}", arguments);
    QDict *rsp = qtest_qmp_assert_success_ref(qts, "%p",
                                              qobject_from_json(text, NULL));

    return rsp;
}

static QDict *first_host(QDict *info)
{
    return qobject_to(QDict, qlist_peek(qdict_get_qlist(info, "hosts")));
}

/* @list begins with what comes after @i, and has @n entries */
static void extents_are(QList *list, unsigned i, unsigned n)
{
    const QListEntry *e;
    unsigned seen = 0;

    QLIST_FOREACH_ENTRY(list, e) {
        QDict *r = qobject_to(QDict, qlist_entry_obj(e));

        g_assert_cmphex(qdict_get_int(r, "dpa"), ==, (i + seen) * STEP);
        seen++;
    }
    g_assert_cmpuint(seen, ==, n);
}

static void accepted_extents_come_in_pages(CxlDev *dev)
{
    static const struct {
        const char *arguments;
        unsigned from, n;
        bool more;
    } row[] = {
        { "", 0, PAGE, true },
        { ", 'start': 256", 256, PAGE, true },
        { ", 'start': 512", 512, EXTENTS - 512, false },
        { ", 'start': 344", 344, PAGE, false },
        { ", 'start': 343", 343, PAGE, true },
        { ", 'limit': 600", 0, EXTENTS, false },
        { ", 'limit': 599", 0, EXTENTS - 1, true },
        { ", 'limit': 4294967295, 'start': 1", 1, EXTENTS - 1, false },
        { ", 'limit': 0", 0, 0, true },
        { ", 'start': 600", 600, 0, false },
        { ", 'start': 4294967295", 0, 0, false },
    };

    hold(dev, 0, EXTENTS);
    for (unsigned i = 0; i < ARRAY_SIZE(row); i++) {
        QDict *info = query(dev->qts, row[i].arguments);
        QDict *host = first_host(info);

        extents_are(qdict_get_qlist(host, "accepted"), row[i].from, row[i].n);
        g_assert_cmpuint(qdict_get_int(host, "accepted-count"), ==, EXTENTS);
        g_assert_true(qdict_get_bool(info, "more") == row[i].more);
        qobject_unref(info);
    }
}

static void offers_requests_and_tags_come_in_pages(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    CxlExtent e[3];
    QDict *info, *host;
    QList *list;

    hold(dev, 0, OFFERS);
    for (unsigned i = 0; i < OFFERS; i += 3) {
        for (unsigned k = 0; k < 3; k++) {
            /* requests that touch would be one */
            e[k] = extent(i + k, 0);
        }
        g_assert_cmphex(fm_release_list(dev, REL_PRESCRIPTIVE, e, 3), ==, 0);
        for (unsigned k = 0; k < 3; k++) {
            e[k] = extent(OFFERS + i + k, 1 + i / 3);
        }
        g_assert_cmphex(fm_add_list(dev, e, 3), ==, 0);
    }

    info = query(qts, "");
    host = first_host(info);
    g_assert_true(qdict_get_bool(info, "more"));
    g_assert_cmpuint(qdict_get_int(host, "pending-count"), ==, OFFERS);
    g_assert_cmpuint(qdict_get_int(host, "release-request-count"), ==, OFFERS);
    extents_are(qdict_get_qlist(host, "release-requests"), 0, PAGE);
    /* 85 offers of 3, and 1 of the next */
    g_assert_cmpuint(qlist_size(qdict_get_qlist(host, "pending")), ==, 86);
    g_assert_cmpuint(qlist_size(qdict_get_qlist(info, "tags")), ==,
                     OFFERS / 3);
    qobject_unref(info);

    info = query(qts, ", 'start': 256");
    host = first_host(info);
    g_assert_false(qdict_get_bool(info, "more"));
    extents_are(qdict_get_qlist(host, "release-requests"), 256, OFFERS - 256);
    list = qdict_get_qlist(host, "pending");
    g_assert_cmpuint(qlist_size(list), ==, OFFERS / 3 - 85);
    list = qdict_get_qlist(qobject_to(QDict, qlist_peek(list)), "extents");
    extents_are(list, OFFERS + 256, 2);
    g_assert_cmpuint(qlist_size(qdict_get_qlist(info, "tags")), ==, 0);
    qobject_unref(info);

    info = query(qts, ", 'start': 98, 'limit': 1");
    g_assert_true(qdict_get_bool(info, "more"));
    g_assert_cmpuint(qlist_size(qdict_get_qlist(info, "tags")), ==, 1);
    qobject_unref(info);
}

/* Appends ranges from @start on; the return value is where they end */
static uint64_t map_page(QTestState *qts, QList *all, uint64_t start,
                         unsigned limit, bool *truncated)
{
    QDict *rsp = qtest_qmp(qts, "{'execute': 'query-cxl-memory-map', "
                           "'arguments': {'start': %" PRIu64 ", 'limit': %u}}",
                           start, limit);
    QDict *w = qobject_to(QDict, qlist_peek(qdict_get_qlist(rsp, "return")));
    QList *list = qdict_get_qlist(w, "ranges");
    const QListEntry *e;

    *truncated = qdict_get_bool(w, "truncated");
    g_assert_cmpuint(qlist_size(list), <=, limit);
    QLIST_FOREACH_ENTRY(list, e) {
        QDict *r = qobject_to(QDict, qlist_entry_obj(e));

        g_assert_cmphex(qdict_get_int(r, "base"), ==, start);
        start += qdict_get_int(r, "size");
        qlist_append(all, qobject_ref(r));
    }
    qobject_unref(rsp);
    return start;
}

/* Whatever their size, pages of the memory map make the whole map */
static void memory_map_comes_in_pages(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    static const unsigned limit[] = { 1, 7, 256 };
    QList *all = qlist_new();
    uint64_t hpa, end;
    bool truncated;
    QDict *rsp, *w;

    hpa = cxl_map(dev, 256 * MiB);
    hold(dev, 0, BATCH);
    /* and some that can be mapped, but for the limit */
    for (unsigned i = 1; i < 60; i++) {
        const CxlExtent e = { i * MiB, (i + 1) * STEP + LINE, 0 };

        cxl_hold(dev, &e, 1);
    }
    end = map_page(qts, all, hpa, 10000, &truncated);
    g_assert_false(truncated);
    g_assert_cmpuint(qlist_size(all), >, 2 * BATCH);
    for (unsigned i = 0; i < ARRAY_SIZE(limit); i++) {
        QList *some = qlist_new();
        uint64_t at = hpa;

        do {
            at = map_page(qts, some, at, limit[i], &truncated);
        } while (truncated);
        g_assert_cmphex(at, ==, end);
        g_assert_true(qobject_is_equal(QOBJECT(all), QOBJECT(some)));
        qobject_unref(some);
    }
    qobject_unref(all);

    /* a page that nothing is accepted of, among others */
    cxl_hold(dev, (const CxlExtent[]) { extent(100, 0), extent(102, 0) }, 2);
    all = qlist_new();
    map_page(qts, all, hpa + 101 * STEP, 1, &truncated);
    rsp = qobject_to(QDict, qlist_peek(all));
    g_assert_cmpstr(qdict_get_str(rsp, "trap"), ==, "partial-page");
    qobject_unref(all);

    /* in the middle of a range, and behind everything */
    all = qlist_new();
    map_page(qts, all, hpa + MiB + STEP + 8, 1, &truncated);
    rsp = qobject_to(QDict, qlist_peek(all));
    g_assert_true(qdict_get_bool(rsp, "direct"));
    g_assert_cmphex(qdict_get_int(rsp, "dpa"), ==, MiB + STEP + 8);
    qobject_unref(all);
    rsp = qtest_qmp(qts, "{'execute': 'query-cxl-memory-map', 'arguments': {"
                    "'start': %" PRIu64 "}}", UINT64_MAX);
    w = qobject_to(QDict, qlist_peek(qdict_get_qlist(rsp, "return")));
    g_assert_cmpuint(qlist_size(qdict_get_qlist(w, "ranges")), ==, 0);
    g_assert_false(qdict_get_bool(w, "truncated"));
    qobject_unref(rsp);
    /* without arguments */
    rsp = qtest_qmp(qts, "{'execute': 'query-cxl-memory-map'}");
    w = qobject_to(QDict, qlist_peek(qdict_get_qlist(rsp, "return")));
    g_assert_cmpuint(qlist_size(qdict_get_qlist(w, "ranges")), >, 2 * BATCH);
    qobject_unref(rsp);
}

/* How often a device was asked about its memory in the last plan */
static unsigned last_plan(const char *log)
{
    g_autofree char *text = NULL;
    const char *last;
    unsigned pieces, asked;

    g_assert_true(g_file_get_contents(log, &text, NULL, NULL));
    last = g_strrstr(text, "cxl_direct_plan ");
    g_assert_nonnull(last);
    g_assert_cmpint(sscanf(last, "cxl_direct_plan %u pieces, devices asked %u",
                           &pieces, &asked), ==, 2);
    g_assert_cmpuint(pieces, ==, 0);
    return asked;
}

static void small_extents_are_no_work_to_map(void)
{
    g_autofree char *log = NULL;
    int fd = g_file_open_tmp("cxl-trace-XXXXXX", &log, NULL);
    unsigned few;
    CxlDev dev;
    QTestState *qts;

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    qts = cxl_start(DEVICE " -trace enable=cxl_direct_plan -D %s", log);
    cxl_probe(qts, 0, &dev);
    cxl_map(&dev, 256 * MiB);
    hold(&dev, 0, 1);
    few = last_plan(log);
    hold(&dev, 1, EXTENTS);
    g_assert_cmpuint(last_plan(log), ==, few);
    qtest_quit(qts);
    unlink(log);
}

/* Each extent that may only be read is a range, and what is between two */
static void the_work_to_map_has_an_end(void)
{
    enum { RANGES = 16 * 1024 };
    QList *all = qlist_new();
    unsigned n = 0;
    const QListEntry *e;
    bool truncated;
    CxlDev dev[2];
    QTestState *qts = cxl_start(
        READ_ONLY_DEVICE " -object memory-backend-ram,id=vm1,size=256M "
        "-device cxl-type3,bus=rp1,id=cxl-mem1,volatile-memdev=vm1");
    uint64_t hpa, bridge = map_bridge(qts);

    cxl_probe(qts, 0, &dev[0]);
    cxl_probe(qts, 1, &dev[1]);
    hpa = cxl_map(&dev[0], 256 * MiB);
    for (unsigned d = 0; d < 2; d++) {
        map_decode(qts, bridge, d, hpa + d * 256 * MiB, 256 * MiB, 0, d);
        map_decode(qts, dev[d].bar[0], 0, hpa + d * 256 * MiB, 256 * MiB, 0, 0);
    }
    for (unsigned i = 0; i <= RANGES / 2; i += BATCH) {
        CxlExtent some[BATCH];

        for (unsigned k = 0; k < BATCH; k++) {
            some[k] = (CxlExtent) { (i + k) * 2 * STEP, STEP, 0 };
        }
        cxl_hold(&dev[0], some, BATCH);
        drain_log(&dev[0], 4);
    }
    map_page(qts, all, hpa, 2 * RANGES, &truncated);
    g_assert_false(truncated);
    QLIST_FOREACH_ENTRY(all, e) {
        QDict *r = qobject_to(QDict, qlist_entry_obj(e));
        const char *why = n == RANGES ? "budget" :
                          n > RANGES + 1 ? "no-device" :
                          n % 2 ? "not-accepted" : "read-only";

        /* what the other device has behind it is in nobody's way */
        g_assert_true(qdict_get_bool(r, "direct") == (n == RANGES + 1));
        g_assert_cmpstr(qdict_get_try_str(r, "trap"), ==,
                        n == RANGES + 1 ? NULL : why);
        n++;
    }
    g_assert_cmpuint(n, ==, RANGES + 3);
    qobject_unref(all);
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define DEV(f, args) cxl_add_device_test("/cxl/query/" #f, f, args)
#define T(f) qtest_add_func("/cxl/query/" #f, f)
    DEV(accepted_extents_come_in_pages, DEVICE);
    DEV(offers_requests_and_tags_come_in_pages, DEVICE);
    DEV(memory_map_comes_in_pages, DEVICE ",direct-ranges-max=5");
    T(the_work_to_map_has_an_end);
    T(small_extents_are_no_work_to_map);
    return g_test_run();
}
