/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What it costs to give and take one extent while direct mapping is on, by the
 * number of extents that the host holds (CXL r3.2 9.13.3)
 *
 * Machines without a guest, which take turns.  The host's command runs while
 * its doorbell is written: the time of that write, less that of a command that
 * does nothing, is what is told.  Prints lines of name, number of extents and
 * nanoseconds; "-ratio" is what MOST takes against FEW extents.
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "../../qtest/cxl/cxl-qtest.h"

#define FEW         1000
#define MOST        1000000
/* 100 of them, then ten times more each time */
#define SCALES      5
#define BLOCK_LEN   (64 * KiB)
/* Extents of a 5604h and of its 4802h; records that the host's log holds */
#define BATCH       50
#define LOG_DEPTH   UINT16_MAX
/* Ranges that a device has mapped at most unless told otherwise */
#define MAPPED      256
/* Medians are over so many */
#define TURNS       101
#define HOLE_TURNS  3
/* More than can be mapped around */
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

static double median(const double *value, unsigned n)
{
    g_autofree double *sorted = g_memdup2(value, n * sizeof(*value));

    qsort(sorted, n, sizeof(*sorted), compare);
    return sorted[n / 2];
}

/* @ns: of each machine from @first on, the first @turns of them */
static void tell(const char *where, const char *what, const Bench *b,
                 unsigned first, double ns[SCALES][TURNS], unsigned turns)
{
    double ratio[TURNS];
    unsigned few = first;

    for (unsigned s = first; s < SCALES; s++) {
        few = b[s].n == FEW ? s : few;
        printf("%s-%s\t%u\t%.0f\n", where, what, b[s].n,
               median(ns[s], turns));
    }
    for (unsigned i = 0; i < turns; i++) {
        ratio[i] = ns[SCALES - 1][i] / ns[few][i];
    }
    printf("%s-%s-ratio\t%u\t%.3f\n", where, what, MOST,
           median(ratio, turns));
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

/* What the transport alone takes; it is part of every other time */
static double nothing(Bench *b)
{
    double ns[5];

    for (unsigned i = 0; i < ARRAY_SIZE(ns); i++) {
        ns[i] = took(b, cxl_cmd(&b->dev, 0x0300, NULL, NULL));
    }
    return median(ns, ARRAY_SIZE(ns));
}

enum { APART, BEYOND, ROW };

static unsigned pick(Bench *b, unsigned place)
{
    switch (place) {
    case APART:
        return some(b, 0, MIN(b->n, MAPPED));
    case BEYOND:
        return some(b, MAPPED, b->n);
    default:
        return some(b, 1, b->n - 1);
    }
}

/* One extent leaves and comes back, on one machine after the other */
static void measure(Bench *b, const char *where, unsigned place)
{
    unsigned first = place == BEYOND ? 1 : 0;
    double ns[KINDS][SCALES][TURNS];

    for (unsigned i = 0; i < TURNS; i++) {
        for (unsigned s = first; s < SCALES; s++) {
            unsigned at = pick(&b[s], place);
            double none;

            /* caches hold something of the machine before */
            command(&b[s], RELEASE, at);
            command(&b[s], ACCEPT, at);
            none = nothing(&b[s]);
            ns[RELEASE][s][i] = command(&b[s], RELEASE, at) - none;
            command(&b[s], ACCEPT, at);
            ns[FORCED][s][i] = command(&b[s], FORCED, at) - none;
            ns[ACCEPT][s][i] = command(&b[s], ACCEPT, at) - none;
        }
    }
    for (unsigned k = 0; k < KINDS; k++) {
        tell(where, kind[k], b, first, ns[k], TURNS);
    }
}

static double holes(Bench *b, unsigned what)
{
    unsigned apart = (b->n - 2) / HOLES;
    double sum = 0;

    for (unsigned i = 0; i < HOLES; i++) {
        sum += command(b, what, 1 + i * apart);
    }
    return sum / HOLES;
}

/* More holes than can be mapped around, then none again: means over all */
static void measure_holes(Bench *b)
{
    double ns[KINDS][SCALES][TURNS];

    for (unsigned i = 0; i < HOLE_TURNS; i++) {
        for (unsigned s = 1; s < SCALES; s++) {
            double none = nothing(&b[s]);

            ns[RELEASE][s][i] = holes(&b[s], RELEASE) - none;
            ns[ACCEPT][s][i] = holes(&b[s], ACCEPT) - none;
        }
    }
    tell("holes", kind[RELEASE], b, 1, ns[RELEASE], HOLE_TURNS);
    tell("holes", kind[ACCEPT], b, 1, ns[ACCEPT], HOLE_TURNS);
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

static void start_all(Bench *b, unsigned step)
{
    unsigned n = 100;

    for (unsigned s = 0; s < SCALES; s++, n *= 10) {
        start(&b[s], step);
        grow(&b[s], n);
    }
}

static void end_all(Bench *b)
{
    for (unsigned s = 0; s < SCALES; s++) {
        qtest_quit(b[s].qts);
    }
}

int main(int argc, char **argv)
{
    Bench b[SCALES];

    g_test_init(&argc, &argv, NULL);
    start_all(b, 2);
    measure(b, "apart", APART);
    measure(b, "beyond", BEYOND);
    end_all(b);
    start_all(b, 1);
    measure(b, "row", ROW);
    measure_holes(b);
    end_all(b);
    return 0;
}
