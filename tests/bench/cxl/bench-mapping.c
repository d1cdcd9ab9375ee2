/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What it costs to give and take one extent while direct mapping is on, by the
 * number of extents that the host holds (CXL r3.2 9.13.3)
 *
 * A machine without a guest.  The host's command runs while its doorbell is
 * written: the time of that write, less that of a command that does nothing,
 * is what is told.  Prints lines of name, number of extents and nanoseconds.
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "../../qtest/cxl/cxl-qtest.h"

#define MOST        1000000
#define BLOCK_LEN   (64 * KiB)
/* Extents of a 5604h and of its 4802h; records that the host's log holds */
#define BATCH       50
#define LOG_DEPTH   UINT16_MAX
/* Ranges that a device has mapped at most unless told otherwise */
#define MAPPED      256
/* Medians are over so many */
#define TURNS       101
/* More than MAPPED / 2 of them, so that some ranges have to be left out */
#define HOLES       300

/*
 * Extents with a block between each two are ranges of their own, of which the
 * lowest are mapped.  Without it they are one range.
 */
typedef struct Bench {
    CxlDev dev;
    QTestState *qts;
    unsigned step;
    uint64_t size;
    unsigned n;
    unsigned logged;
    uint64_t random;
} Bench;

enum { ACCEPT, RELEASE, FORCED, KINDS };
static const char *const kind[KINDS] = { "accept", "release", "forced" };

static CxlExtent extent(const Bench *b, unsigned i)
{
    return (CxlExtent) { (uint64_t)i * b->step * BLOCK_LEN, BLOCK_LEN, 0 };
}

static unsigned some(Bench *b, unsigned from, unsigned to)
{
    b->random = b->random * 6364136223846793005ull + 1442695040888963407ull;
    return from + (b->random >> 33) % (to - from);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double median(double *value)
{
    qsort(value, TURNS, sizeof(*value), compare);
    return value[TURNS / 2];
}

static void tell(const char *where, const char *what, unsigned n, double value)
{
    printf("%s-%s\t%u\t%.0f\n", where, what, n, value);
    fflush(stdout);
}

/* -- commands ------------------------------------------------------------- */

static double took(Bench *b, uint16_t rc)
{
    g_assert_cmphex(rc, ==, 0);
    return b->dev.doorbell_ns;
}

static double command(Bench *b, unsigned what, unsigned i)
{
    CxlExtent e = extent(b, i);

    b->logged++;
    switch (what) {
    case ACCEPT:
        took(b, fm_add_list(&b->dev, &e, 1));
        return took(b, host_answer(&b->dev, 0x4802, &e, 1, false));
    case RELEASE:
        return took(b, host_answer(&b->dev, 0x4803, &e, 1, false));
    default:
        return took(b, fm_release_list(&b->dev, REL_FORCED, &e, 1));
    }
}

/* Empties the event log faster than its reader can; extents survive it */
static void reset(Bench *b)
{
    qtest_system_reset(b->qts);
    cxl_probe(b->qts, 0, &b->dev);
    cxl_map(&b->dev, b->size);
    b->logged = 0;
}

static void grow(Bench *b, unsigned n)
{
    CxlExtent e[BATCH];
    unsigned offers = 0;

    for (; b->n < n; b->n += offers) {
        offers = MIN(BATCH, n - b->n);
        if (b->logged + offers > LOG_DEPTH) {
            reset(b);
        }
        for (unsigned i = 0; i < offers; i++) {
            e[i] = extent(b, b->n + i);
        }
        took(b, fm_add_list(&b->dev, e, offers));
        took(b, host_answer(&b->dev, 0x4802, e, offers, false));
        b->logged += offers;
    }
    reset(b);
}

/* -- measurements --------------------------------------------------------- */

static double nothing(Bench *b)
{
    return took(b, cxl_cmd(&b->dev, 0x0300, NULL, NULL));
}

/* One of these extents leaves and comes back */
static void measure(Bench *b, const char *where, unsigned from, unsigned to)
{
    double ns[KINDS][TURNS], none[TURNS];

    for (unsigned i = 0; i < TURNS; i++) {
        unsigned at = some(b, from, to);

        none[i] = nothing(b);
        ns[RELEASE][i] = command(b, RELEASE, at);
        command(b, ACCEPT, at);
        ns[FORCED][i] = command(b, FORCED, at);
        ns[ACCEPT][i] = command(b, ACCEPT, at);
    }
    for (unsigned k = 0; k < KINDS; k++) {
        tell(where, kind[k], b->n, median(ns[k]) - median(none));
    }
}

/* More holes than can be mapped around, then none again: means over all */
static void measure_holes(Bench *b)
{
    double ns[KINDS] = { 0 }, none[TURNS];
    unsigned apart = (b->n - 2) / HOLES;

    for (unsigned i = 0; i < HOLES; i++) {
        ns[RELEASE] += command(b, RELEASE, 1 + i * apart);
    }
    for (unsigned i = 0; i < HOLES; i++) {
        ns[ACCEPT] += command(b, ACCEPT, 1 + i * apart);
    }
    for (unsigned i = 0; i < TURNS; i++) {
        none[i] = nothing(b);
    }
    tell("holes", kind[RELEASE], b->n, ns[RELEASE] / HOLES - median(none));
    tell("holes", kind[ACCEPT], b->n, ns[ACCEPT] / HOLES - median(none));
}

/* -- machines ------------------------------------------------------------- */

static void start(Bench *b, unsigned step)
{
    const uint64_t size = ROUND_UP((uint64_t)MOST * step * BLOCK_LEN, GiB);
    g_autofree char *args = g_strdup_printf(
        "-M q35,cxl=on,cxl-fmw.0.targets.0=cxl.0,cxl-fmw.0.size=%" PRIu64
        " -m 128M -nodefaults -display none "
        "-object memory-backend-ram,id=dc0,reserve=off,size=%" PRIu64
        " -device pxb-cxl,id=cxl.0,bus=pcie.0,bus_nr=52 "
        "-device cxl-rp,id=rp0,bus=cxl.0,chassis=0,slot=0,port=0 "
        "-device cxl-rp,id=rp1,bus=cxl.0,chassis=0,slot=1,port=1 "
        "-device cxl-type3,bus=rp0,id=cxl-mem0,volatile-dc-memdev=dc0,"
        "num-dc-regions=1,dc0-block-size=%d,dc-extents-max=%d,"
        "dc-event-log-depth=%d",
        size, size, (int)BLOCK_LEN, MOST, LOG_DEPTH);

    *b = (Bench) { .qts = qtest_init(args), .step = step, .size = size };
    cxl_probe(b->qts, 0, &b->dev);
    cxl_map(&b->dev, size);
}

int main(int argc, char **argv)
{
    unsigned n;
    Bench b;

    g_test_init(&argc, &argv, NULL);
    start(&b, 2);
    for (n = 100; n <= MOST; n *= 10) {
        grow(&b, n);
        measure(&b, "apart", 0, MIN(n, MAPPED));
        if (n > MAPPED) {
            measure(&b, "beyond", MAPPED, n);
        }
    }
    qtest_quit(b.qts);
    start(&b, 1);
    for (n = 100; n <= MOST; n *= 10) {
        grow(&b, n);
        measure(&b, "row", 1, n - 1);
        if (n > HOLES) {
            measure_holes(&b);
        }
    }
    qtest_quit(b.qts);
    return 0;
}
