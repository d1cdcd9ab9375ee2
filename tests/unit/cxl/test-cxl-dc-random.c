/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random operations on the dynamic capacity model and on the oracle: return
 * codes, lists, counters, generations, events, access and offers must agree.
 *
 * DC_RANDOM_SEED repeats a run, DC_RANDOM_STEPS makes it longer.
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "qapi/error.h"
#include "dc-oracle.h"

#define STEPS   100000
#define NO_HOST ORACLE_HOSTS

typedef struct Run {
    GRand *rand;
    CXLDCConfig config;
    DCRecorder *rec;
    CXLDynCap *dc;
    Oracle *o;
    bool on[ORACLE_HOSTS][ORACLE_CELLS];    /* what ops->access told */
    uint32_t generation[ORACLE_HOSTS];
    uint32_t tag_generation;
    GArray *tag_list;                       /* CXLDCTagInfo */
    unsigned step;
    unsigned count[16][CXL_RC_COUNT];
    const char *what;
} Run;

static const CXLDCConfig small = {
    .nr_hosts = ORACLE_HOSTS,
    .nr_regions = 5,
    .max_extents = 30,
    .max_tags = 9,
    .region = {
        {   /* no gap to the next one */
            .base = 4 * CXL_DC_GRANULE, .decode_len = CXL_DC_GRANULE,
            .len = CXL_DC_GRANULE, .block_size = 8 * MiB,
            .block_mask = 8 * MiB | 16 * MiB,
        }, {
            .base = 5 * CXL_DC_GRANULE, .decode_len = CXL_DC_GRANULE,
            .len = 24 * MiB, .block_size = MiB, .block_mask = MiB,
            .sharable = true, .sanitize_configurable = true,
        }, {
            .base = 7 * CXL_DC_GRANULE, .decode_len = CXL_DC_GRANULE,
            .len = 16 * MiB, .block_size = 512 * KiB,
            .block_mask = 512 * KiB | MiB, .sharable = true,
            .read_only = true,
        }, {
            .base = 8 * CXL_DC_GRANULE, .decode_len = 2 * CXL_DC_GRANULE,
            .len = 128 * KiB, .block_size = 4 * KiB, .block_mask = 4 * KiB,
            .sanitize = true, .sanitize_configurable = true,
        }, {
            .base = 10 * CXL_DC_GRANULE, .decode_len = CXL_DC_GRANULE,
            .len = 1024, .block_size = 64, .block_mask = 64 | 128 | 256,
            .non_volatile = true, .read_only = true,
        },
    },
};

static int rnd(Run *run, int n)
{
    return g_rand_int_range(run->rand, 0, n);
}

static bool chance(Run *run, int percent)
{
    return rnd(run, 100) < percent;
}

/* -- comparison ------------------------------------------------------------------ */

static void same_extent(const CXLDCExtent *a, const CXLDCExtent *b)
{
    g_assert_cmphex(a->dpa, ==, b->dpa);
    g_assert_cmphex(a->len, ==, b->len);
    g_assert_cmpuint(a->seq, ==, b->seq);
    g_assert_cmpmem(&a->tag, 16, &b->tag, 16);
}

static void same_events(Run *run)
{
    const GArray *got = run->rec->events, *want = run->o->want->events;

    g_assert_cmpuint(got->len, ==, want->len);
    for (guint i = 0; i < got->len; i++) {
        const CXLDCEvent *a = &g_array_index(got, CXLDCEvent, i);
        const CXLDCEvent *b = &g_array_index(want, CXLDCEvent, i);

        g_assert_cmpint(a->type, ==, b->type);
        g_assert_cmpint(a->host, ==, b->host);
        g_assert_cmpint(a->region, ==, b->region);
        g_assert_cmpint(a->more, ==, b->more);
        g_assert_cmpint(a->avail_extents, ==, b->avail_extents);
        g_assert_cmpint(a->avail_tags, ==, b->avail_tags);
        same_extent(&a->extent, &b->extent);
    }
    g_assert_cmpuint(run->rec->answers->len, ==, run->o->want->answers->len);
    for (guint i = 0; i < run->rec->answers->len; i++) {
        const DCAnswer *a = &g_array_index(run->rec->answers, DCAnswer, i);
        const DCAnswer *b = &g_array_index(run->o->want->answers, DCAnswer, i);

        g_assert_cmpint(a->host, ==, b->host);
        g_assert_cmpint(a->what, ==, b->what);
        g_assert_cmpuint(a->n, ==, b->n);
    }
}

static void mark_wiped(Run *run, const GArray *list, bool *cells)
{
    for (guint i = 0; i < list->len; i++) {
        const CXLDCRange *r = &g_array_index(list, CXLDCRange, i);
        int c = oracle_cell_of(run->o, r->dpa);
        uint64_t unit;

        g_assert_cmpint(c, >=, 0);
        unit = run->o->unit[oracle_region_of_cell(run->o, c)];
        for (uint64_t k = 0; k < r->len / unit; k++) {
            g_assert_false(cells[c + k]);
            cells[c + k] = true;
        }
    }
}

static void same_wiped(Run *run)
{
    bool got[ORACLE_CELLS] = { }, want[ORACLE_CELLS] = { };

    mark_wiped(run, run->rec->wiped, got);
    mark_wiped(run, run->o->want->wiped, want);
    g_assert_cmpmem(got, sizeof(got), want, sizeof(want));
}

static void same_access(Run *run)
{
    Oracle *o = run->o;

    for (guint i = 0; i < run->rec->access->len; i++) {
        const DCAccessCall *a = &g_array_index(run->rec->access, DCAccessCall,
                                               i);
        int c = oracle_cell_of(o, a->range.dpa);
        uint64_t unit = o->unit[oracle_region_of_cell(o, c)];

        for (uint64_t k = 0; k < a->range.len / unit; k++) {
            g_assert_cmpint(run->on[a->host][c + k], !=, a->on);
            run->on[a->host][c + k] = a->on;
        }
    }
    for (unsigned h = 0; h < ORACLE_HOSTS; h++) {
        for (unsigned c = 0; c < o->first[o->config.nr_regions]; c++) {
            g_assert_cmpint(run->on[h][c], ==,
                            o->cell[h][c].state == O_ADDED);
        }
    }
}

typedef struct Walk {
    Run *run;
    const GArray *want;
    guint at;
    guint stop;
    unsigned host;
} Walk;

static bool walk_extent(void *opaque, const CXLDCExtent *e)
{
    Walk *w = opaque;

    g_assert_cmpuint(w->at, <, w->want->len);
    same_extent(e, &g_array_index(w->want, CXLDCExtent, w->at));
    return ++w->at != w->stop;
}

static void same_extents(Run *run, unsigned h)
{
    g_autoptr(GArray) want = oracle_extents(run->o, h);
    guint start = rnd(run, want->len + 2);
    Walk w = { .want = want };

    g_assert_cmpuint(cxl_dc_extent_count(run->dc, h), ==, want->len);
    cxl_dc_extents(run->dc, h, 0, walk_extent, &w);
    g_assert_cmpuint(w.at, ==, want->len);
    /* A page from the middle */
    w.at = start;
    w.stop = start + 1 + rnd(run, 4);
    cxl_dc_extents(run->dc, h, start, walk_extent, &w);
    g_assert_cmpuint(w.at, ==, MAX(start, MIN(w.stop, want->len)));
}

static bool walk_pending(void *opaque, unsigned group, bool dead,
                         const CXLDCExtent *e)
{
    Walk *w = opaque;
    unsigned at = w->at++;

    for (guint g = 0; g < w->run->o->groups[w->host]->len; g++) {
        const OGroup *og = &g_array_index(w->run->o->groups[w->host], OGroup,
                                          g);

        if (at < og->parts->len) {
            g_assert_cmpuint(group, ==, g);
            g_assert_cmpint(dead, ==, og->dead);
            same_extent(e, &g_array_index(og->parts, CXLDCExtent, at));
            return true;
        }
        at -= og->parts->len;
    }
    g_assert_not_reached();
}

static void same_pending(Run *run, unsigned h)
{
    Walk w = { .run = run, .host = h };
    guint want = 0;

    for (guint g = 0; g < run->o->groups[h]->len; g++) {
        want += g_array_index(run->o->groups[h], OGroup, g).parts->len;
    }
    cxl_dc_pending(run->dc, h, walk_pending, &w);
    g_assert_cmpuint(w.at, ==, want);
}

/* Asked cells, and that runs are not cut without need */
typedef struct Asked {
    Run *run;
    int cell[ORACLE_CELLS];
    uint64_t end;
    bool sanitize;
} Asked;

static bool walk_asked(void *opaque, const CXLDCRange *r, bool sanitize)
{
    Asked *a = opaque;

    g_assert_true(r->dpa > a->end ||
                  (r->dpa == a->end && sanitize != a->sanitize));
    a->end = r->dpa + r->len;
    a->sanitize = sanitize;
    for (uint64_t dpa = r->dpa; dpa < a->end; ) {
        int c = oracle_cell_of(a->run->o, dpa);

        a->cell[c] = 1 + sanitize;
        dpa += a->run->o->unit[oracle_region_of_cell(a->run->o, c)];
    }
    return true;
}

static void same_asked(Run *run, unsigned h)
{
    Asked a = { .run = run };

    cxl_dc_release_requests(run->dc, h, walk_asked, &a);
    for (unsigned c = 0; c < ORACLE_CELLS; c++) {
        const OCell *cell = &run->o->cell[h][c];

        g_assert_cmpint(a.cell[c], ==,
                        cell->asked ? 1 + cell->asked_sanitize : 0);
    }
}

static bool walk_tag(void *opaque, const CXLDCTagInfo *info)
{
    g_array_append_vals(opaque, info, 1);
    return true;
}

static void same_tags(Run *run)
{
    GArray *got = g_array_new(FALSE, FALSE, sizeof(CXLDCTagInfo));
    CXLDCTagInfo want;
    guint n = 0;

    cxl_dc_tags(run->dc, 0, walk_tag, got);
    for (guint t = 0; t < run->o->tags->len; t++) {
        if (oracle_tag_info(run->o, t, &want)) {
            g_assert_cmpuint(n, <, got->len);
            g_assert_cmpmem(&g_array_index(got, CXLDCTagInfo, n), sizeof(want),
                            &want, sizeof(want));
            n++;
        }
    }
    g_assert_cmpuint(got->len, ==, n);
    g_assert_cmpuint(cxl_dc_tag_count(run->dc), ==, n);
    if (got->len != run->tag_list->len ||
        memcmp(got->data, run->tag_list->data, n * sizeof(want))) {
        g_assert_cmpuint(cxl_dc_tag_generation(run->dc), !=,
                         run->tag_generation);
    }
    run->tag_generation = cxl_dc_tag_generation(run->dc);
    g_array_free(run->tag_list, TRUE);
    run->tag_list = got;
}

static void same_access_at(Run *run, unsigned h)
{
    Oracle *o = run->o;
    unsigned c = rnd(run, o->first[o->config.nr_regions]);
    uint64_t unit = o->unit[oracle_region_of_cell(o, c)];
    uint64_t dpa = oracle_cell_dpa(o, c) + rnd(run, unit);
    uint64_t len = 1 + rnd(run, chance(run, 50) ? 64 : 4 * unit);
    CXLDCAccess want = CXL_DC_ACCESS_OK;

    for (uint64_t at = dpa; at - dpa < len && want != CXL_DC_ACCESS_NONE; ) {
        int r = -1, cell = oracle_cell_of(o, at);

        if (cell < 0 || o->cell[h][cell].state != O_ADDED) {
            want = CXL_DC_ACCESS_NONE;
            break;
        }
        r = oracle_region_of_cell(o, cell);
        if (o->region[r].read_only) {
            want = CXL_DC_ACCESS_READ_ONLY;
        }
        at += o->unit[r] - (at - oracle_cell_dpa(o, cell));
    }
    g_assert_cmpint(cxl_dc_access(run->dc, h, dpa, len), ==, want);
}

/* The medium behind each extent of the host */
static void same_medium(Run *run, unsigned h)
{
    Oracle *o = run->o;

    for (unsigned c = 0; c < o->first[o->config.nr_regions]; c++) {
        const OCell *cell = &o->cell[h][c];
        uint64_t dpa = oracle_cell_dpa(o, c), media, len, want = dpa;
        bool ok = cxl_dc_translate(run->dc, h, dpa, &media, &len);

        g_assert_cmpint(ok, ==, cell->state == O_ADDED);
        if (!ok) {
            continue;
        }
        if (cell->tag >= 0) {
            const OTag *t = &g_array_index(o->tags, OTag, cell->tag);
            int r = oracle_region_of_cell(o, c);

            if (t->sharable) {
                want = dpa - t->dpa[r][cell->seq] +
                       t->dpa[t->region][cell->seq];
            }
        }
        g_assert_cmphex(media, ==, want);
    }
}

static void compare(Run *run)
{
    for (unsigned h = 0; h < ORACLE_HOSTS; h++) {
        uint32_t generation = cxl_dc_generation(run->dc, h);
        CXLDCUsage got, want;

        cxl_dc_usage(run->dc, h, &got);
        oracle_usage(run->o, h, &want);
        g_assert_cmpmem(&got, sizeof(got), &want, sizeof(want));
        g_assert_cmpint(generation != run->generation[h], ==,
                        run->o->list_changed[h]);
        run->generation[h] = generation;
        run->o->list_changed[h] = false;
        same_extents(run, h);
        same_pending(run, h);
        same_asked(run, h);
        same_access_at(run, h);
        same_medium(run, h);
    }
    same_tags(run);
    same_events(run);
    same_wiped(run);
    same_access(run);
    for (unsigned r = 0; r < small.nr_regions; r++) {
        g_assert_cmphex(cxl_dc_region(run->dc, r)->block_size, ==,
                        run->o->region[r].block_size);
        g_assert_cmpint(cxl_dc_region(run->dc, r)->sanitize, ==,
                        run->o->region[r].sanitize);
    }
    dc_recorder_clear(run->rec);
    dc_recorder_clear(run->o->want);
}

/* -- random requests ----------------------------------------------------------------- */

static unsigned any_host(Run *run)
{
    return chance(run, 1) ? NO_HOST : rnd(run, ORACLE_HOSTS);
}

static void any_tag(Run *run, QemuUUID *tag)
{
    memset(tag, 0, sizeof(*tag));
    if (chance(run, 85)) {
        tag->data[rnd(run, 100) < 5 ? 3 : 15] = 1 + rnd(run, 14);
    }
}

/* Sometimes near an edge, sometimes nonsense */
static uint64_t spoil(Run *run, uint64_t v)
{
    static const uint64_t odd[] = {
        0, 1, 63, 64, 4096, CXL_DC_GRANULE, UINT64_MAX, UINT64_MAX - 63,
        1ULL << 63,
    };

    switch (rnd(run, 160)) {
    case 0:
        return odd[rnd(run, ARRAY_SIZE(odd))];
    case 1:
        return v + odd[rnd(run, ARRAY_SIZE(odd))];
    case 2:
        return v - odd[rnd(run, ARRAY_SIZE(odd))];
    default:
        return v;
    }
}

static CXLDCRange any_blocks(Run *run)
{
    Oracle *o = run->o;
    int r = rnd(run, small.nr_regions);
    uint64_t block = o->region[r].block_size;
    uint64_t blocks = o->region[r].len / block;
    uint64_t at = rnd(run, blocks);
    CXLDCRange range = {
        .dpa = spoil(run, o->region[r].base + at * block),
        .len = spoil(run, (1 + rnd(run, MIN(blocks - at, 5))) * block),
    };

    return range;
}

static CXLRetCode do_add(Run *run)
{
    Oracle *o = run->o;
    CXLDCExtent list[8];
    CXLDCAddRequest req = {
        .host = any_host(run),
        .policy = chance(run, 2) ? rnd(run, 256) : rnd(run, 4),
        .region = chance(run, 1) ? rnd(run, 256) : rnd(run, small.nr_regions),
        .extents = list,
        .nr_extents = chance(run, 2) ? 0 : 1 + rnd(run, 5),
    };
    bool one_tag = chance(run, 60), numbered = chance(run, 30);
    CXLRetCode got, want;
    Error *err = NULL;

    any_tag(run, &req.tag);
    if (req.region < small.nr_regions) {
        req.len = spoil(run, (1 + rnd(run, 8)) *
                             o->region[req.region].block_size);
    }
    for (size_t i = 0; i < req.nr_extents; i++) {
        CXLDCRange r = any_blocks(run);

        memset(&list[i], 0, sizeof(list[i]));
        list[i].dpa = r.dpa;
        list[i].len = r.len;
        list[i].seq = numbered ? (chance(run, 95) ? req.nr_extents - 1 - i
                                                  : rnd(run, 4)) : 0;
        if (one_tag) {
            list[i].tag = req.tag;
            if (i && chance(run, 80) && list[0].len < 64 * MiB) {
                /* in one region, more often than not free */
                list[i].dpa = list[i - 1].dpa + list[i - 1].len;
                list[i].len = list[0].len;
            }
        } else {
            any_tag(run, &list[i].tag);
        }
    }
    run->what = "add";
    got = cxl_dc_add(run->dc, &req, &err);
    g_assert_true(!!err == (got != CXL_RC_SUCCESS));
    error_free(err);
    want = oracle_add(o, &req);
    g_assert_cmphex(got, ==, want);
    return got;
}

/* Ranges made of what the host has in @state, or nonsense */
static size_t pick_ranges(Run *run, unsigned h, OState state, CXLDCRange *r)
{
    Oracle *o = run->o;
    bool whole = chance(run, 60), all = chance(run, 25);
    int skip = 1 + rnd(run, 4);
    size_t n = 0;

    for (unsigned c = 0; c < o->first[small.nr_regions] && n < 12; ) {
        const OCell *cell = &o->cell[h][c];
        unsigned len = 1, from = 0, to;

        if (cell->state != state) {
            c++;
            continue;
        }
        while (o->cell[h][c + len].state == state &&
               o->cell[h][c + len].extent == cell->extent &&
               c + len < o->first[small.nr_regions]) {
            len++;
        }
        to = len;
        if (!whole) {
            from = rnd(run, len);
            to = from + 1 + rnd(run, len - from);
            if (chance(run, 20)) {
                to += rnd(run, 3);
            }
        }
        if (all || rnd(run, skip) == 0) {
            uint64_t unit = o->unit[oracle_region_of_cell(o, c)];

            r[n].dpa = spoil(run, oracle_cell_dpa(o, c + from));
            r[n++].len = spoil(run, (to - from) * unit);
        }
        c += len;
    }
    if (chance(run, 5) && n < 12) {
        r[n++] = any_blocks(run);
    }
    for (size_t i = 1; i < n; i++) {
        size_t k = rnd(run, i + 1);
        CXLDCRange swap = r[i];

        r[i] = r[k];
        r[k] = swap;
    }
    return n;
}

static CXLRetCode do_release(Run *run)
{
    CXLDCExtent list[12];
    CXLDCRange r[12];
    CXLDCReleaseRequest req = {
        .host = any_host(run),
        .policy = chance(run, 2) ? rnd(run, 256) : rnd(run, 2),
        .forced = chance(run, 40),
        .sanitize = chance(run, 30),
        .extents = list,
    };
    CXLRetCode got, want;
    Error *err = NULL;

    any_tag(run, &req.tag);
    memset(list, 0, sizeof(list));
    if (req.host < ORACLE_HOSTS) {
        req.nr_extents = pick_ranges(run, req.host,
                                     chance(run, 75) ? O_ADDED : O_PENDING, r);
    }
    for (size_t i = 0; i < req.nr_extents; i++) {
        list[i].dpa = r[i].dpa;
        list[i].len = r[i].len;
    }
    /* A length that may be right for some tag */
    if (req.host < ORACLE_HOSTS) {
        for (guint t = 0; t < run->o->tags->len; t++) {
            OTag *tag = &g_array_index(run->o->tags, OTag, t);

            if (tag->live && chance(run, 20)) {
                req.tag = tag->uuid;
                req.len = 0;
                for (unsigned c = 0; c < ORACLE_CELLS; c++) {
                    if (run->o->cell[req.host][c].tag == t) {
                        req.len +=
                            run->o->unit[oracle_region_of_cell(run->o, c)];
                    }
                }
                if (chance(run, 30)) {
                    req.len = spoil(run, req.len / 2);
                }
            }
        }
    }
    run->what = "release";
    got = cxl_dc_release(run->dc, &req, &err);
    g_assert_true(!!err == (got != CXL_RC_SUCCESS));
    error_free(err);
    want = oracle_release(run->o, &req);
    g_assert_cmphex(got, ==, want);
    return got;
}

/* The oldest offer as it was made, or part of it, or something else */
static size_t pick_answer(Run *run, unsigned h, CXLDCRange *r)
{
    Oracle *o = run->o;
    const OGroup *g;
    size_t n = 0;

    if (!o->groups[h]->len || chance(run, 15)) {
        return pick_ranges(run, h, chance(run, 80) ? O_PENDING : O_ADDED, r);
    }
    g = &g_array_index(o->groups[h], OGroup, 0);
    if (chance(run, 10)) {
        return 0;
    }
    for (guint i = 0; i < g->parts->len && n < 30; i++) {
        const CXLDCExtent *e = &g_array_index(g->parts, CXLDCExtent, i);
        int region = oracle_region_of_cell(o, oracle_cell_of(o, e->dpa));
        uint64_t block = o->region[region].block_size;

        if (chance(run, 8)) {
            continue;
        }
        r[n].dpa = e->dpa;
        r[n++].len = e->len;
        if (e->len > block && chance(run, 10)) {
            /* two parts of one extent, perhaps with a hole between */
            r[n - 1].len = block;
            r[n].dpa = e->dpa + e->len - block;
            r[n++].len = block;
        }
    }
    return n;
}

static CXLRetCode do_host(Run *run, bool answer)
{
    unsigned h = any_host(run);
    CXLDCRange r[32];
    CXLRetCode got, want;
    size_t n = 0, sent = 0;

    if (h < ORACLE_HOSTS) {
        n = answer ? pick_answer(run, h, r)
                   : pick_ranges(run, h, chance(run, 97) ? O_ADDED
                                                         : O_PENDING, r);
    }
    do {
        size_t part = chance(run, 75) ? n - sent : rnd(run, n - sent + 1);
        /* Sometimes the chain breaks off, or starts with nothing */
        bool more = sent + part < n || chance(run, 3);

        run->what = answer ? "answer" : "give back";
        if (answer) {
            got = cxl_dc_host_respond(run->dc, h, r + sent, part, more);
            want = oracle_respond(run->o, h, r + sent, part, more);
        } else {
            got = cxl_dc_host_release(run->dc, h, r + sent, part, more);
            want = oracle_give_back(run->o, h, r + sent, part, more);
        }
        g_assert_cmphex(got, ==, want);
        sent += part;
    } while (sent < n && got == CXL_RC_SUCCESS && !chance(run, 3));
    return got;
}

static CXLRetCode do_reference(Run *run)
{
    bool on = chance(run, 60);
    CXLRetCode got, want;
    QemuUUID tag;

    run->what = "reference";
    any_tag(run, &tag);
    got = on ? cxl_dc_add_reference(run->dc, &tag)
             : cxl_dc_remove_reference(run->dc, &tag);
    want = oracle_reference(run->o, &tag, on);
    g_assert_cmphex(got, ==, want);
    return got;
}

static CXLRetCode do_set_region(Run *run)
{
    unsigned r = chance(run, 5) ? rnd(run, 256) : rnd(run, small.nr_regions);
    uint64_t block = chance(run, 10) ? g_rand_int(run->rand)
                                     : 1ULL << rnd(run, 30);
    bool sanitize = chance(run, 50);
    CXLRetCode got, want;
    Error *err = NULL;

    if (r < small.nr_regions && chance(run, 70)) {
        block = small.region[r].block_mask;
        while (block & (block - 1)) {
            block &= chance(run, 50) ? block - 1 : -block;
        }
        if (chance(run, 70)) {
            sanitize = run->o->region[r].sanitize;
        }
    }
    run->what = "set region";
    got = cxl_dc_set_region(run->dc, r, block, sanitize, &err);
    g_assert_true(!!err == (got != CXL_RC_SUCCESS));
    error_free(err);
    want = oracle_set_region(run->o, r, block, sanitize);
    g_assert_cmphex(got, ==, want);
    return got;
}

static CXLRetCode do_reset(Run *run)
{
    unsigned h = rnd(run, ORACLE_HOSTS);

    run->what = "reset";
    cxl_dc_reset_host(run->dc, h);
    oracle_reset(run->o, h);
    return CXL_RC_SUCCESS;
}

/* The copy takes over; it has to be the same to all further steps */
static CXLRetCode do_save_and_load(Run *run)
{
    g_autoptr(GByteArray) bytes = dc_save(run->dc), again = NULL;
    CXLDynCap *copy = cxl_dc_new(&run->config, &dc_recorder_ops, run->rec,
                                 &error_abort);

    run->what = "save and load";
    g_assert_cmpint(dc_load_bytes(copy, bytes->data, bytes->len), ==, 0);
    again = dc_save(copy);
    g_assert_cmpmem(bytes->data, bytes->len, again->data, again->len);
    g_assert_cmpuint(cxl_dc_tag_generation(copy), ==,
                     cxl_dc_tag_generation(run->dc));
    cxl_dc_free(run->dc);
    run->dc = copy;
    return CXL_RC_SUCCESS;
}

static void one_step(Run *run)
{
    int dice = rnd(run, 1000), op;
    CXLRetCode rc;

    for (unsigned h = 0; h < ORACLE_HOSTS; h++) {
        run->rec->room[h] = chance(run, 90) ? UINT32_MAX : rnd(run, 6);
    }
    if (dice < 330) {
        rc = do_add(run);
        op = 0;
    } else if (dice < 480) {
        rc = do_release(run);
        op = 1;
    } else if (dice < 790) {
        rc = do_host(run, true);
        op = 2;
    } else if (dice < 940) {
        rc = do_host(run, false);
        op = 3;
    } else if (dice < 965) {
        rc = do_reference(run);
        op = 4;
    } else if (dice < 985) {
        rc = do_set_region(run);
        op = 5;
    } else if (dice < 990) {
        rc = do_reset(run);
        op = 6;
    } else {
        rc = do_save_and_load(run);
        op = 7;
    }
    run->count[op][rc]++;
    compare(run);
}

static void report(Run *run)
{
    static const char *const name[] = {
        "add", "release", "answer", "give back", "reference", "set region",
        "reset", "save and load",
    };

    for (unsigned op = 0; op < ARRAY_SIZE(name); op++) {
        g_autoptr(GString) line = g_string_new(name[op]);

        for (unsigned rc = 0; rc < CXL_RC_COUNT; rc++) {
            if (run->count[op][rc]) {
                g_string_append_printf(line, " %02x:%u", rc,
                                       run->count[op][rc]);
            }
        }
        g_test_message("%s", line->str);
    }
}

static void test_random(void)
{
    const char *seed_text = g_getenv("DC_RANDOM_SEED");
    const char *steps_text = g_getenv("DC_RANDOM_STEPS");
    uint32_t seed = seed_text ? strtoul(seed_text, NULL, 0)
                              : g_test_rand_int();
    unsigned steps = steps_text ? strtoul(steps_text, NULL, 0) : STEPS;
    Run run = { .config = small };

    g_test_message("DC_RANDOM_SEED=%u", seed);
    run.rand = g_rand_new_with_seed(seed);
    run.rec = dc_recorder_new();
    run.tag_list = g_array_new(FALSE, FALSE, sizeof(CXLDCTagInfo));
    run.dc = cxl_dc_new(&run.config, &dc_recorder_ops, run.rec, &error_abort);
    run.o = oracle_new(&run.config, run.rec->room);
    for (run.step = 0; run.step < steps; run.step++) {
        one_step(&run);
    }
    report(&run);
    /* Every code of the lists was seen, or the test is blind */
    g_assert_cmpuint(run.count[0][CXL_RC_SUCCESS], >, steps / 100);
    g_assert_cmpuint(run.count[0][CXL_RC_RETRY_REQUIRED], >, 0);
    g_assert_cmpuint(run.count[0][CXL_RC_RESOURCES_EXHAUSTED], >, 0);
    g_assert_cmpuint(run.count[1][CXL_RC_SUCCESS], >, steps / 100);
    g_assert_cmpuint(run.count[2][CXL_RC_SUCCESS], >, steps / 100);
    g_assert_cmpuint(run.count[3][CXL_RC_SUCCESS], >, steps / 100);
    g_assert_cmpuint(run.count[4][CXL_RC_SUCCESS], >, 0);
    g_assert_cmpuint(run.count[5][CXL_RC_SUCCESS], >, 0);
    cxl_dc_free(run.dc);
    oracle_free(run.o);
    dc_recorder_free(run.rec);
    g_array_free(run.tag_list, TRUE);
    g_rand_free(run.rand);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    module_call_init(MODULE_INIT_QOM);
    g_test_add_func("/cxl/dc/random/like-oracle", test_random);
    return g_test_run();
}
