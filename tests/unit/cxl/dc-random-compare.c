/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything that can be seen of a dynamic capacity model, against its oracle.
 */
#include "qemu/osdep.h"
#include "dc-random.h"
#include "../../../hw/cxl/dcd/dc-internal.h"

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
    got = run->rec->reports;
    want = run->o->want->reports;
    g_assert_cmpuint(got->len, ==, want->len);
    for (guint i = 0; i < got->len; i++) {
        const DCReported *a = &g_array_index(got, DCReported, i);
        const DCReported *b = &g_array_index(want, DCReported, i);

        g_assert_cmpint(a->host, ==, b->host);
        g_assert_cmpint(a->what, ==, b->what);
        g_assert_cmpint(a->why, ==, b->why);
        g_assert_cmpuint(a->n, ==, b->n);
        if (a->what == CXL_DC_REFUSED) {
            run->refused[a->why]++;
            run->passed += a->why == CXL_DC_BY_FM &&
                           i + 1 < got->len &&
                           g_str_equal(run->what, "answer");
        }
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

/* What CXLDCOps promises; letters of DCRecorder.order */
static void in_order(Run *run)
{
    g_assert_true(g_regex_match_simple("^(os)?(ws)?(ns)?l?r?$",
                                       run->rec->order->str, 0, 0));
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
        (n && memcmp(got->data, run->tag_list->data, n * sizeof(want)))) {
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

/* The map of blocks and the set of extents tell the same */
static void same_map(Run *run, unsigned h)
{
    const DCHost *host = &run->dc->host[h];

    for (unsigned r = 0; r < run->config.nr_regions; r++) {
        const CXLDCRegion *region = &run->dc->region[r].pub;
        uint64_t blocks = region->len / region->block_size, added = 0;
        g_autofree unsigned long *want = bitmap_new(blocks);
        const DCMap *map = &host->map[r];
        const DCRec *rec;
        DCCursor cur;

        rec = dc_set_from(&host->added, region->base, &cur);
        for (; rec && rec->dpa - region->base < region->len;
             rec = dc_set_next(&cur)) {
            uint64_t n = rec->len / region->block_size;

            bitmap_set(want, (rec->dpa - region->base) / region->block_size,
                       n);
            added += n;
        }
        g_assert_cmpuint(map->blocks, ==, added);
        g_assert_true(!map->bit == !added);
        g_assert_true(!map->bit || bitmap_equal(map->bit, want, blocks));
    }
}

/* What cxl_dc_next() finds from any address on */
static void same_next(Run *run, unsigned h)
{
    g_autoptr(GArray) want = oracle_extents(run->o, h);
    unsigned cells = run->o->first[run->config.nr_regions];
    uint64_t dpa = chance(run, 10) ? 0 :
                   oracle_cell_dpa(run->o, rnd(run, cells)) +
                   rnd(run, 4096);
    uint64_t media, at, row;
    CXLDCRange got;
    guint i = 0;

    while (i < want->len &&
           dpa > g_array_index(want, CXLDCExtent, i).dpa +
                 g_array_index(want, CXLDCExtent, i).len - 1) {
        i++;
    }
    g_assert_cmpint(cxl_dc_next(run->dc, h, dpa, &got, &media), ==,
                    i < want->len);
    if (i < want->len) {
        const CXLDCExtent *e = &g_array_index(want, CXLDCExtent, i);

        g_assert_cmphex(got.dpa, ==, MAX(dpa, e->dpa));
        g_assert_cmphex(got.dpa + got.len, ==, e->dpa + e->len);
        g_assert_true(cxl_dc_translate(run->dc, h, got.dpa, &at, &row));
        g_assert_cmphex(media, ==, at);
    }
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
        g_assert_cmpuint(len, >=, o->unit[oracle_region_of_cell(o, c)]);
        g_assert_cmpint(cxl_dc_access(run->dc, h, dpa, len), !=,
                        CXL_DC_ACCESS_NONE);
    }
}

void random_compare(Run *run)
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
        same_next(run, h);
        same_map(run, h);
    }
    same_tags(run);
    same_events(run);
    same_wiped(run);
    same_access(run);
    in_order(run);
    for (unsigned r = 0; r < run->config.nr_regions; r++) {
        g_assert_cmphex(cxl_dc_region(run->dc, r)->block_size, ==,
                        run->o->region[r].block_size);
        g_assert_cmpint(cxl_dc_region(run->dc, r)->sanitize, ==,
                        run->o->region[r].sanitize);
    }
    dc_recorder_clear(run->rec);
    dc_recorder_clear(run->o->want);
}
