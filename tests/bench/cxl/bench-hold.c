/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long one command, or one step of work that goes on behind it, keeps
 * everything else waiting: with as many extents as a device tracks, and with
 * preallocated memory to overwrite (CXL r3.2 9.13.3, 8.2.10.9.5)
 *
 * Machines without a guest, where one thread does all: commands, steps when the
 * clock is moved to them, the monitor.  The processor time that it takes for
 * one of them, less what the transport takes, is a hold of the global lock,
 * whatever else this host has to do.  Prints lines of name, number of extents
 * or MiB, and nanoseconds of the longest hold out of some.
 */
#include "qemu/osdep.h"
#include <math.h>
#include "qemu/units.h"
#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include "../../qtest/cxl/cxl-qtest.h"

/* As many as a device tracks, less what is added and taken away again */
#define EXTENTS     65464
#define LINE        64
/* No two of them in one page: nothing of it can be mapped */
#define STEP        (4 * KiB)
/* Of a 5604h and its 4802h */
#define BATCH       49
#define TURNS       20
#define LOG_DEPTH   UINT16_MAX
#define MEMORY      (2 * GiB)

static void tell(const char *what, unsigned n, double ns)
{
    printf("%s\t%u\t%.0f\n", what, n, ns);
    fflush(stdout);
}

/* Processor time of QEMU's first thread so far */
static double used(QTestState *qts)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/schedstat",
                                            qtest_pid(qts));
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return g_ascii_strtod(text, NULL);
}

/* What the road of a command takes: registers, payload, doorbell, answer */
static double nothing(CxlDev *dev)
{
    double least = INFINITY;

    for (unsigned i = 0; i < TURNS; i++) {
        double from = used(dev->qts);

        cxl_cmd(dev, 0x0300, NULL, NULL);
        least = MIN(least, used(dev->qts) - from);
    }
    return least;
}

/* @expr runs a command; @most becomes the longest that it has taken */
#define HOLD(dev, most, expr) do { \
        double from_ = used((dev)->qts); \
        expr; \
        most = MAX(most, used((dev)->qts) - from_); \
    } while (0)

static QTestState *start(CxlDev *dev, const char *backends, const char *props)
{
    g_autofree char *args = g_strdup_printf(
        "-M q35,cxl=on,cxl-fmw.0.targets.0=cxl.0,cxl-fmw.0.size=8G "
        "-m 128M -nodefaults -display none %s "
        "-device pxb-cxl,id=cxl.0,bus=pcie.0,bus_nr=52 "
        "-device cxl-rp,id=rp0,bus=cxl.0,chassis=0,slot=0,port=0 "
        "-device cxl-rp,id=rp1,bus=cxl.0,chassis=0,slot=1,port=1 "
        "-device cxl-type3,bus=rp0,id=cxl-mem0,%s", backends, props);
    QTestState *qts = qtest_init(args);

    cxl_probe(qts, 0, dev);
    return qts;
}

/* -- many extents --------------------------------------------------------- */

static void batch(CxlExtent *e, unsigned step, unsigned first, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        e[i] = (CxlExtent) { (uint64_t)(first + i) * step, LINE, 0 };
    }
}

static QTestState *start_lines(CxlDev *dev)
{
    QTestState *qts = start(
        dev, "-object memory-backend-ram,id=dc0,reserve=off,size=1G",
        "volatile-dc-memdev=dc0,num-dc-regions=1,dc0-block-size=64,"
        "dc-event-log-depth=65535");

    cxl_map(dev, GiB);
    return qts;
}

static void reset(CxlDev *dev)
{
    qtest_system_reset(dev->qts);
    cxl_probe(dev->qts, 0, dev);
    cxl_map(dev, GiB);
}

static void monitor(CxlDev *dev, const char *fmt)
{
    QDict *rsp = qtest_qmp(dev->qts, "%p", qobject_from_json(fmt, NULL));

    g_assert_true(qdict_haskey(rsp, "return"));
    qobject_unref(rsp);
}

/* As many extents as a payload of 2 KiB holds, from the middle of the list */
static void page(CxlDev *dev, uint16_t op, unsigned more)
{
    CxlReq r = { 0 };

    if (op == 0x5603) {
        req32(&r, 0);
    }
    req32(&r, BATCH);
    req32(&r, EXTENTS / 2 + more);
    g_assert_cmphex(cxl_cmd(dev, op, &r, NULL), ==, 0);
}

static void is_ok(uint16_t rc)
{
    g_assert_cmphex(rc, ==, 0);
}

static void extents(void)
{
    double add = 0, accept = 0, give = 0, force = 0, list = 0, fm = 0;
    double query = 0, map = 0, again = 0, none;
    CxlExtent e[BATCH];
    CxlDev dev;
    QTestState *qts = start_lines(&dev);
    unsigned i;

    for (i = 0; i < EXTENTS; i += BATCH) {
        unsigned n = MIN(BATCH, EXTENTS - i);

        batch(e, STEP, i, n);
        HOLD(&dev, add, is_ok(fm_add_list(&dev, e, n)));
        HOLD(&dev, accept, is_ok(host_answer(&dev, 0x4802, e, n, false)));
    }
    reset(&dev);
    none = nothing(&dev);
    for (i = 0; i < TURNS; i++) {
        batch(e, STEP, EXTENTS / 2, BATCH);
        HOLD(&dev, give, is_ok(host_answer(&dev, 0x4803, e, BATCH, false)));
        HOLD(&dev, add, is_ok(fm_add_list(&dev, e, BATCH)));
        HOLD(&dev, accept, is_ok(host_answer(&dev, 0x4802, e, BATCH, false)));
        HOLD(&dev, force, is_ok(fm_release_list(
                                    &dev, REL_PRESCRIPTIVE | REL_FORCED, e,
                                    BATCH)));
        HOLD(&dev, add, is_ok(fm_add_list(&dev, e, BATCH)));
        HOLD(&dev, accept, is_ok(host_answer(&dev, 0x4802, e, BATCH, false)));
        HOLD(&dev, list, page(&dev, 0x4801, i));
        HOLD(&dev, fm, page(&dev, 0x5603, i));
        HOLD(&dev, query,
             monitor(&dev, "{'execute': 'query-cxl-dynamic-capacity', "
                     "'arguments': { 'path': 'cxl-mem0' } }"));
        HOLD(&dev, map, monitor(&dev, "{'execute': 'query-cxl-memory-map'}"));
    }
    tell("4802", EXTENTS, accept - none);
    tell("4803", EXTENTS, give - none);
    tell("5604", EXTENTS, add - none);
    tell("5605-forced", EXTENTS, force - none);
    tell("4801", EXTENTS, list - none);
    tell("5603", EXTENTS, fm - none);
    tell("query-cxl-dynamic-capacity", EXTENTS, query);
    tell("query-cxl-memory-map", EXTENTS, map);
    HOLD(&dev, again, qtest_system_reset(qts));
    tell("reset-extents", EXTENTS, again);
    qtest_quit(qts);
}

/* All extents in one row: a range of one command covers them */
static void row(void)
{
    const CxlExtent all = { 0, (uint64_t)EXTENTS * LINE, 0 };
    CxlExtent e[BATCH];
    double give = 0;
    CxlDev dev;
    QTestState *qts = start_lines(&dev);

    for (unsigned i = 0; i < EXTENTS; i += BATCH) {
        unsigned n = MIN(BATCH, EXTENTS - i);

        batch(e, LINE, i, n);
        is_ok(fm_add_list(&dev, e, n));
        is_ok(host_answer(&dev, 0x4802, e, n, false));
    }
    reset(&dev);
    HOLD(&dev, give, is_ok(host_answer(&dev, 0x4803, &all, 1, false)));
    tell("4803-row", EXTENTS, give);
    qtest_quit(qts);
}

/* -- memory to overwrite -------------------------------------------------- */

/* A background operation runs, or memory is left to overwrite */
static bool busy(CxlDev *dev)
{
    QDict *rsp = qtest_qmp(dev->qts, "{'execute': 'qom-get', 'arguments': {"
                           "'path': '/machine/peripheral/cxl-mem0', "
                           "'property': 'wipe-left'}}");
    bool left = qdict_get_try_int(rsp, "return", 0);

    qobject_unref(rsp);
    return left || (dev_readq(dev, REG_MB_STATUS) & 1);
}

/* The longest of all steps of the work that goes on */
static double steps(CxlDev *dev, double most)
{
    while (busy(dev)) {
        HOLD(dev, most, qtest_clock_step_next(dev->qts));
    }
    return most;
}

static void overwriting(const char *name, const char *backend)
{
    const CxlExtent all = { MEMORY, MEMORY, 0 };
    g_autofree char *backends = g_strdup_printf(
        "-object %s,id=vm0,size=2G -object %s,id=dc0,size=2G", backend,
        backend);
    g_autofree char *what = NULL;
    CxlReq r = { 0 };
    CxlDev dev;
    QTestState *qts = start(
        &dev, backends, "volatile-memdev=vm0,volatile-dc-memdev=dc0,"
        "num-dc-regions=1");
    double none, ns;
    uint64_t at = cxl_map(&dev, 2 * MEMORY);

    none = nothing(&dev);
    qtest_memset(qts, at, 0x11, MEMORY);

#define TELL(words) do { \
        g_free(what); \
        what = g_strdup_printf("%s-%s", words, name); \
        tell(what, MEMORY / MiB, steps(&dev, ns - none)); \
        ns = 0; \
    } while (0)

    ns = 0;
    HOLD(&dev, ns, g_assert_cmphex(cxl_cmd(&dev, 0x4400, NULL, NULL), ==, 1));
    TELL("4400");

    g_assert_cmphex(cxl_cmd(&dev, 0x4400, NULL, NULL), ==, 1);
    qtest_clock_step(qts, 1000000);
    HOLD(&dev, ns, qtest_system_reset(qts));
    cxl_probe(qts, 0, &dev);
    TELL("4400-reset");
    cxl_map(&dev, 2 * MEMORY);

    HOLD(&dev, ns, is_ok(cxl_cmd(&dev, 0x4401, NULL, NULL)));
    TELL("4401");

    req8(&r, 1);
    req8(&r, 0);
    req16(&r, 0);
    req32(&r, 1);
    req64(&r, 0);
    req64(&r, MEMORY);
    HOLD(&dev, ns, g_assert_cmphex(cxl_cmd(&dev, 0x4402, &r, NULL), ==, 1));
    TELL("4402");

    cxl_hold(&dev, &all, 1);
    HOLD(&dev, ns, is_ok(fm_release_list(&dev, REL_PRESCRIPTIVE | REL_FORCED |
                                         REL_SANITIZE, &all, 1)));
    TELL("5605-sanitize");
#undef TELL
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    extents();
    row();
    overwriting("preallocated", "memory-backend-ram,prealloc=on");
    overwriting("file", "memory-backend-file,share=on,mem-path=/dev/shm,"
                "prealloc=on");
    overwriting("private", "memory-backend-file,share=off,mem-path=/dev/shm,"
                "prealloc=on");
    overwriting("plain", "memory-backend-ram");
    return 0;
}
