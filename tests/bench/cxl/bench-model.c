/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What operations of the dynamic capacity model cost, by the number of extents
 * that are there already (CXL r3.2 9.13.3)
 *
 * Prints a line per figure: what, number of extents, value.  Times are in
 * nanoseconds.  Extents lie in every second block, so that there are as many
 * holes, and each has a tag of its own: the worst case for every index.
 *
 * Models of all sizes take turns, so that a machine that gets slower meanwhile
 * does so for all.  "-ratio" is what the largest takes against FEW extents, in
 * the same turn.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/module.h"
#include "qemu/timer.h"
#include "hw/cxl/cxl_dc.h"
#include "state-bytes.h"

#define FEW         1000
#define MOST        1000000
/* 100 of them, then ten times more each time */
#define SCALES      5
#define BLOCK_LEN   (64 * KiB)
/* Prime to every number of extents that is measured: a scattered order */
#define STRIDE      700001
/* Operations of a kind that one time is taken over; runs, median counts */
#define OPS         4000
#define RUNS        7
/* What fits in a mailbox of 2 KiB: 4801h and 5603h, 5608h */
#define EXTENTS_PAGE 50
#define TAGS_PAGE    24
/* A 5604h request of 1 MiB, the largest payload; 4802h answers of 2 KiB */
#define LARGEST     ((MiB - 0x20) / 0x28)
#define ANSWER      84

typedef struct Bench {
    CXLDynCap *dc;
    unsigned n;
    uint64_t order;
    unsigned seen;
} Bench;

/* Nothing of a group's order changes: the next index in the scattered order */
static unsigned next(Bench *b)
{
    b->order = (b->order + STRIDE) % b->n;
    return b->order;
}

static CXLDCExtent extent(unsigned i)
{
    CXLDCExtent e = { .dpa = 2ULL * i * BLOCK_LEN, .len = BLOCK_LEN };

    i++;
    memcpy(e.tag.data, &i, sizeof(i));
    return e;
}

static void must(CXLRetCode rc)
{
    if (rc != CXL_RC_SUCCESS) {
        error_report("the model answers %02xh", rc);
        exit(1);
    }
}

static CXLDynCap *model(unsigned max)
{
    static const CXLDCOps ops;
    CXLDCConfig config = {
        .nr_hosts = 1, .nr_regions = 1, .max_extents = max, .max_tags = max,
        .region[0] = {
            .base = 0, .decode_len = 512 * CXL_DC_GRANULE,
            .len = 512 * CXL_DC_GRANULE, .block_size = BLOCK_LEN,
            .block_mask = BLOCK_LEN,
        },
    };

    return cxl_dc_new(&config, &ops, NULL, &error_fatal);
}

static void offer(CXLDynCap *dc, const CXLDCExtent *e, size_t n)
{
    CXLDCAddRequest req = {
        .policy = CXL_DC_ADD_PRESCRIPTIVE, .extents = e, .nr_extents = n,
    };

    must(cxl_dc_add(dc, &req, NULL));
}

static void answer_all(CXLDynCap *dc, const CXLDCExtent *e, size_t n)
{
    CXLDCRange r[ANSWER];

    for (size_t at = 0; at < n; at += ANSWER) {
        size_t part = MIN(n - at, ANSWER);

        for (size_t i = 0; i < part; i++) {
            r[i] = (CXLDCRange) { e[at + i].dpa, e[at + i].len };
        }
        must(cxl_dc_host_respond(dc, 0, r, part, at + part < n));
    }
}

static void give(CXLDynCap *dc, unsigned i)
{
    CXLDCExtent e = extent(i);

    offer(dc, &e, 1);
    answer_all(dc, &e, 1);
}

static void take(CXLDynCap *dc, unsigned i)
{
    CXLDCRange r = { 2ULL * i * BLOCK_LEN, BLOCK_LEN };

    must(cxl_dc_host_release(dc, 0, &r, 1, false));
}

/* -- operations on a model that stays as large as it is ------------------- */

static bool see_extent(void *opaque, const CXLDCExtent *e)
{
    return ++*(unsigned *)opaque < EXTENTS_PAGE;
}

static void op_extent_page(Bench *b)
{
    unsigned from = next(b);

    b->seen = 0;
    cxl_dc_extents(b->dc, 0, MIN(from, b->n - EXTENTS_PAGE), see_extent,
                   &b->seen);
}

static bool see_tag(void *opaque, const CXLDCTagInfo *info)
{
    return ++*(unsigned *)opaque < TAGS_PAGE;
}

static void op_tag_page(Bench *b)
{
    unsigned from = next(b);

    b->seen = 0;
    cxl_dc_tags(b->dc, MIN(from, b->n - TAGS_PAGE), see_tag, &b->seen);
}

static void op_access(Bench *b)
{
    CXLDCExtent e = extent(next(b));

    b->seen += cxl_dc_access(b->dc, 0, e.dpa, 64);
}

static void op_translate(Bench *b)
{
    CXLDCExtent e = extent(next(b));
    uint64_t media, len;

    b->seen += cxl_dc_translate(b->dc, 0, e.dpa, &media, &len);
}

/* -- time ----------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double median(double *value)
{
    qsort(value, RUNS, sizeof(*value), compare);
    return value[RUNS / 2];
}

static void tell(const char *what, unsigned n, double value)
{
    printf("%s\t%u\t%.3f\n", what, n, value);
    fflush(stdout);
}

/* Changes the order of @ns */
static void tell_scales(const char *what, const Bench *b,
                        double ns[SCALES][RUNS])
{
    g_autofree char *name = g_strconcat(what, "-ratio", NULL);
    double ratio[RUNS], *few = NULL, *most = NULL;

    for (unsigned s = 0; s < SCALES; s++) {
        few = b[s].n == FEW ? ns[s] : few;
        most = b[s].n == MOST ? ns[s] : most;
    }
    for (unsigned run = 0; run < RUNS; run++) {
        ratio[run] = most[run] / few[run];
    }
    tell(name, MOST, median(ratio));
    for (unsigned s = 0; s < SCALES; s++) {
        tell(what, b[s].n, median(ns[s]));
    }
}

static double repeat(Bench *b, void (*op)(Bench *b))
{
    int64_t start = get_clock();

    for (unsigned i = 0; i < OPS; i++) {
        op(b);
    }
    return (double)(get_clock() - start) / OPS;
}

static void measure(Bench *b, const char *what, void (*op)(Bench *b))
{
    double ns[SCALES][RUNS];

    for (unsigned run = 0; run < RUNS; run++) {
        for (unsigned s = 0; s < SCALES; s++) {
            /* caches hold something of the model before */
            repeat(&b[s], op);
            ns[s][run] = repeat(&b[s], op);
        }
    }
    tell_scales(what, b, ns);
}

/*
 * Add, accept and release one at a time: so many extents leave in a scattered
 * order, come back as offers, and are accepted, oldest first.
 */
enum { RELEASE, ADD, ACCEPT, CHANGES };

static void change(Bench *b, double *ns)
{
    unsigned count = MIN(OPS, b->n), at[OPS];
    unsigned rounds = OPS / count;

    memset(ns, 0, CHANGES * sizeof(*ns));
    for (unsigned round = 0; round < rounds; round++) {
        int64_t t[CHANGES + 1];

        for (unsigned i = 0; i < count; i++) {
            at[i] = next(b);
        }
        t[RELEASE] = get_clock();
        for (unsigned i = 0; i < count; i++) {
            take(b->dc, at[i]);
        }
        t[ADD] = get_clock();
        for (unsigned i = 0; i < count; i++) {
            CXLDCExtent e = extent(at[i]);

            offer(b->dc, &e, 1);
        }
        t[ACCEPT] = get_clock();
        for (unsigned i = 0; i < count; i++) {
            CXLDCExtent e = extent(at[i]);

            answer_all(b->dc, &e, 1);
        }
        t[CHANGES] = get_clock();
        for (unsigned i = 0; i < CHANGES; i++) {
            ns[i] += (double)(t[i + 1] - t[i]) / (rounds * count);
        }
    }
}

static void measure_change(Bench *b)
{
    static const char *const name[CHANGES] = { "release", "add", "accept" };
    double ns[CHANGES][SCALES][RUNS];

    for (unsigned run = 0; run < RUNS; run++) {
        for (unsigned s = 0; s < SCALES; s++) {
            double once[CHANGES];

            change(&b[s], once);
            change(&b[s], once);
            for (unsigned i = 0; i < CHANGES; i++) {
                ns[i][s][run] = once[i];
            }
        }
    }
    for (unsigned i = 0; i < CHANGES; i++) {
        tell_scales(name[i], b, ns[i]);
    }
}

static void measure_state(Bench *b)
{
    int64_t start = get_clock();
    g_autoptr(GByteArray) bytes = state_save(&vmstate_cxl_dc, b->dc);
    CXLDynCap *other = model(MOST);
    int ret;

    tell("save", b->n, get_clock() - start);
    tell("saved-bytes", b->n, bytes->len);
    start = get_clock();
    ret = state_load(&vmstate_cxl_dc, other, bytes->data, bytes->len);
    tell("load", b->n, get_clock() - start);
    if (ret || cxl_dc_extent_count(other, 0) != b->n) {
        error_report("what was saved does not load");
        exit(1);
    }
    cxl_dc_free(other);
}

static void fill(Bench *b, unsigned n)
{
    size_t empty;

    *b = (Bench) { .dc = model(MOST), .n = n };
    empty = cxl_dc_memory(b->dc);
    for (unsigned i = 0; i < n; i++) {
        give(b->dc, next(b));
    }
    tell("bytes-per-extent", n, (double)(cxl_dc_memory(b->dc) - empty) / n);
}

static void measure_scales(void)
{
    Bench b[SCALES];
    unsigned n = 100;

    for (unsigned s = 0; s < SCALES; s++, n *= 10) {
        fill(&b[s], n);
    }
    measure_change(b);
    measure(b, "extent-page", op_extent_page);
    measure(b, "tag-page", op_tag_page);
    measure(b, "access", op_access);
    measure(b, "translate", op_translate);
    for (unsigned s = 0; s < SCALES; s++) {
        measure_state(&b[s]);
        cxl_dc_free(b[s].dc);
    }
}

/* -- groups --------------------------------------------------------------- */

typedef struct Group {
    CXLDynCap *dc;
    CXLDCExtent *e;
    unsigned n;
} Group;

static void group_open(Group *g, unsigned n, unsigned others)
{
    *g = (Group) { model(MOST), g_new(CXLDCExtent, n), n };
    for (unsigned i = 0; i < n; i++) {
        /* spread among the others */
        g->e[i] = extent((uint64_t)i * MOST / n);
        g->e[i].tag = (QemuUUID) { };
    }
    for (unsigned i = 0, next = 0; i < others; i++) {
        if (next < n && 2ULL * i * BLOCK_LEN == g->e[next].dpa) {
            next++;
        } else {
            give(g->dc, i);
        }
    }
}

/* One 5604h is offered and answered: nanoseconds per extent */
static double group_cycle(Group *g)
{
    int64_t start = get_clock(), end;

    offer(g->dc, g->e, g->n);
    answer_all(g->dc, g->e, g->n);
    end = get_clock();
    for (unsigned i = 0; i < g->n; i++) {
        CXLDCRange r = { g->e[i].dpa, g->e[i].len };

        must(cxl_dc_host_release(g->dc, 0, &r, 1, false));
    }
    return (double)(end - start) / g->n;
}

static void measure_groups(const char *what, unsigned others)
{
    static const unsigned size[] = { 100, FEW, 10000, LARGEST };
    g_autofree char *name = g_strconcat(what, "-ratio", NULL);
    double ns[ARRAY_SIZE(size)][RUNS], ratio[RUNS];
    Group g[ARRAY_SIZE(size)];

    for (unsigned i = 0; i < ARRAY_SIZE(size); i++) {
        group_open(&g[i], size[i], others);
    }
    for (unsigned run = 0; run < RUNS; run++) {
        for (unsigned i = 0; i < ARRAY_SIZE(size); i++) {
            group_cycle(&g[i]);
            ns[i][run] = group_cycle(&g[i]);
        }
        ratio[run] = ns[3][run] / ns[1][run];
    }
    for (unsigned i = 0; i < ARRAY_SIZE(size); i++) {
        tell(what, size[i], median(ns[i]));
        cxl_dc_free(g[i].dc);
        g_free(g[i].e);
    }
    tell(name, LARGEST, median(ratio));
}

int main(int argc, char **argv)
{
    module_call_init(MODULE_INIT_QOM);
    measure_scales();
    measure_groups("group", 0);
    measure_groups("group-among-a-million", MOST);
    return 0;
}
