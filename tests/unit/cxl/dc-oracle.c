/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slow and obvious dynamic capacity: cells, tags, and what the FM asks for.
 */
#include "qemu/osdep.h"
#include "dc-oracle-internal.h"

Oracle *oracle_new(const CXLDCConfig *config, uint32_t *room)
{
    Oracle *o = g_new0(Oracle, 1);

    o->config = *config;
    for (unsigned r = 0; r < config->nr_regions; r++) {
        o->region[r] = config->region[r];
        o->unit[r] = config->region[r].block_mask &
                     -config->region[r].block_mask;
        o->first[r + 1] = o->first[r] + config->region[r].len / o->unit[r];
    }
    g_assert_cmpuint(o->first[config->nr_regions], <=, ORACLE_CELLS);
    g_assert_cmpuint(config->nr_hosts, <=, ORACLE_HOSTS);
    for (unsigned h = 0; h < ORACLE_HOSTS; h++) {
        o->groups[h] = g_array_new(FALSE, FALSE, sizeof(OGroup));
        o->held[h] = g_array_new(FALSE, FALSE, sizeof(CXLDCRange));
        for (unsigned c = 0; c < ORACLE_CELLS; c++) {
            o->cell[h][c].tag = -1;
        }
    }
    o->tags = g_array_new(FALSE, TRUE, sizeof(OTag));
    o->want = dc_recorder_new();
    o->room = room;
    return o;
}

void oracle_free(Oracle *o)
{
    for (unsigned h = 0; h < ORACLE_HOSTS; h++) {
        for (guint i = 0; i < o->groups[h]->len; i++) {
            g_array_free(g_array_index(o->groups[h], OGroup, i).parts, TRUE);
        }
        g_array_free(o->groups[h], TRUE);
        g_array_free(o->held[h], TRUE);
    }
    g_array_free(o->tags, TRUE);
    dc_recorder_free(o->want);
    g_free(o);
}

/* -- cells ---------------------------------------------------------------- */

int o_region_at(const Oracle *o, uint64_t dpa)
{
    for (unsigned r = 0; r < o->config.nr_regions; r++) {
        if (dpa >= o->region[r].base &&
            dpa < o->region[r].base + o->region[r].len) {
            return r;
        }
    }
    return -1;
}

int oracle_region_of_cell(const Oracle *o, unsigned cell)
{
    int r = 0;

    while (cell >= o->first[r + 1]) {
        r++;
    }
    return r;
}

uint64_t oracle_cell_dpa(const Oracle *o, unsigned cell)
{
    int r = oracle_region_of_cell(o, cell);

    return o->region[r].base + (cell - o->first[r]) * o->unit[r];
}

int oracle_cell_of(const Oracle *o, uint64_t dpa)
{
    int r = o_region_at(o, dpa);

    return r < 0 ? -1 : o->first[r] + (dpa - o->region[r].base) / o->unit[r];
}

bool o_inside(const Oracle *o, uint64_t dpa, uint64_t len)
{
    int r = o_region_at(o, dpa);

    return r >= 0 && len &&
           len <= o->region[r].base + o->region[r].len - dpa;
}

unsigned o_cells(const Oracle *o, uint64_t dpa, uint64_t len)
{
    return len / o->unit[o_region_at(o, dpa)];
}

bool o_off_block(const Oracle *o, uint64_t dpa, uint64_t len)
{
    int r = o_region_at(o, dpa);

    return r >= 0 && (dpa % o->region[r].block_size ||
                      len % o->region[r].block_size);
}

static int range_order(gconstpointer a, gconstpointer b)
{
    const CXLDCRange *ra = a, *rb = b;

    return ra->dpa < rb->dpa ? -1 : ra->dpa > rb->dpa;
}

void o_sort(GArray *ranges)
{
    g_array_sort(ranges, range_order);
}

bool o_any_overlap(const CXLDCRange *r, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++) {
            Int128 a = int128_make64(r[i].dpa), b = int128_make64(r[k].dpa);
            Int128 a_end = int128_add(a, int128_make64(r[i].len));
            Int128 b_end = int128_add(b, int128_make64(r[k].len));

            if (int128_lt(a, b_end) && int128_lt(b, a_end)) {
                return true;
            }
        }
    }
    return false;
}

OTag *o_tag(Oracle *o, int tag)
{
    return &g_array_index(o->tags, OTag, tag);
}

static bool in_tag(Oracle *o, int tag, unsigned region, uint64_t dpa)
{
    OTag *t = o_tag(o, tag);

    for (unsigned i = 0; t->seen_in[region] && i < t->n; i++) {
        if (dpa >= t->dpa[region][i] && dpa < t->dpa[region][i] + t->len[i]) {
            return true;
        }
    }
    return false;
}

bool o_free_cell(Oracle *o, unsigned cell)
{
    for (unsigned h = 0; h < ORACLE_HOSTS; h++) {
        if (o->cell[h][cell].state != O_FREE) {
            return false;
        }
    }
    for (guint t = 0; t < o->tags->len; t++) {
        if (o_tag(o, t)->live && o_tag(o, t)->sharable &&
            in_tag(o, t, oracle_region_of_cell(o, cell),
                   oracle_cell_dpa(o, cell))) {
            return false;
        }
    }
    return true;
}

bool oracle_region_busy(Oracle *o, unsigned region)
{
    for (unsigned c = o->first[region]; c < o->first[region + 1]; c++) {
        if (!o_free_cell(o, c)) {
            return true;
        }
    }
    return false;
}

/* -- tags ----------------------------------------------------------------- */

int o_find_tag(Oracle *o, const QemuUUID *uuid)
{
    for (guint t = 0; t < o->tags->len; t++) {
        if (o_tag(o, t)->live && !memcmp(&o_tag(o, t)->uuid, uuid, 16)) {
            return t;
        }
    }
    return -1;
}

uint64_t o_tag_bytes(Oracle *o, unsigned host, int tag, OState state)
{
    uint64_t sum = 0;

    for (unsigned c = 0; c < o->first[o->config.nr_regions]; c++) {
        if (o->cell[host][c].tag == tag && o->cell[host][c].state == state) {
            sum += o->unit[oracle_region_of_cell(o, c)];
        }
    }
    return sum;
}

bool o_holds(Oracle *o, unsigned host, int tag)
{
    return o_tag_bytes(o, host, tag, O_PENDING) ||
           o_tag_bytes(o, host, tag, O_ADDED);
}

bool o_orphan(Oracle *o, int tag)
{
    for (unsigned h = 0; h < ORACLE_HOSTS; h++) {
        if (o_holds(o, h, tag)) {
            return false;
        }
    }
    return o_tag(o, tag)->live;
}

void o_wipe(Oracle *o, uint64_t dpa, uint64_t len)
{
    CXLDCRange range = { dpa, len };

    g_array_append_val(o->want->wiped, range);
}

/* Tags that nobody needs any more end here, and aliases that nobody sees */
void o_settle(Oracle *o)
{
    for (guint i = 0; i < o->tags->len; i++) {
        OTag *t = o_tag(o, i);

        for (unsigned r = 0; t->live && r < o->config.nr_regions; r++) {
            bool seen = r == t->region;

            for (unsigned c = o->first[r]; c < o->first[r + 1]; c++) {
                for (unsigned h = 0; h < ORACLE_HOSTS; h++) {
                    seen |= o->cell[h][c].tag == i;
                }
            }
            t->seen_in[r] &= seen;
        }
        if (!t->live || t->referenced || !o_orphan(o, i)) {
            continue;
        }
        t->live = false;
        for (unsigned p = 0; t->sharable && p < t->n; p++) {
            if (t->touched && (t->sanitize || o->region[t->region].sanitize)) {
                o_wipe(o, t->dpa[t->region][p], t->len[p]);
            }
        }
    }
}

/* Is the tag offered in a group that the FM has withdrawn? */
static bool withdrawn(Oracle *o, unsigned host, int tag)
{
    for (unsigned c = 0; c < o->first[o->config.nr_regions]; c++) {
        const OCell *cell = &o->cell[host][c];

        for (guint g = 0; g < o->groups[host]->len; g++) {
            const OGroup *group = &g_array_index(o->groups[host], OGroup, g);

            if (cell->tag == tag && cell->state == O_PENDING &&
                cell->group == group->id && group->dead) {
                return true;
            }
        }
    }
    return false;
}

bool oracle_tag_info(Oracle *o, unsigned tag, CXLDCTagInfo *info)
{
    memset(info, 0, sizeof(*info));
    if (!o_tag(o, tag)->live) {
        return false;
    }
    info->tag = o_tag(o, tag)->uuid;
    info->referenced = o_tag(o, tag)->referenced;
    for (unsigned h = 0; h < ORACLE_HOSTS; h++) {
        if (o_tag_bytes(o, h, tag, O_ADDED)) {
            set_bit(h, info->accepted);
        }
        if (o_tag_bytes(o, h, tag, O_PENDING) && !withdrawn(o, h, tag)) {
            set_bit(h, info->pending);
        }
    }
    return true;
}

/* -- lists ---------------------------------------------------------------- */

CXLDCExtent o_extent(Oracle *o, uint64_t dpa, uint64_t len, int tag,
                     uint16_t seq)
{
    CXLDCExtent e = { .dpa = dpa, .len = len, .seq = seq };

    if (tag >= 0) {
        e.tag = o_tag(o, tag)->uuid;
    }
    return e;
}

GArray *oracle_extents(Oracle *o, unsigned host)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(CXLDCExtent));
    uint32_t last = 0;

    for (unsigned c = 0; c < o->first[o->config.nr_regions]; c++) {
        const OCell *cell = &o->cell[host][c];
        uint64_t unit = o->unit[oracle_region_of_cell(o, c)];

        if (cell->state != O_ADDED) {
            last = 0;
        } else if (cell->extent == last) {
            g_array_index(list, CXLDCExtent, list->len - 1).len += unit;
        } else {
            CXLDCExtent e = o_extent(o, oracle_cell_dpa(o, c), unit,
                                     cell->tag, cell->seq);

            g_array_append_val(list, e);
            last = cell->extent;
        }
    }
    return list;
}

unsigned o_added(Oracle *o, unsigned host)
{
    g_autoptr(GArray) list = oracle_extents(o, host);

    return list->len;
}

unsigned o_used_extents(Oracle *o, unsigned host)
{
    unsigned n = o_added(o, host);

    for (guint g = 0; g < o->groups[host]->len; g++) {
        n += g_array_index(o->groups[host], OGroup, g).parts->len;
    }
    for (guint t = 0; t < o->tags->len; t++) {
        n += o_orphan(o, t) ? o_tag(o, t)->n : 0;
    }
    return n;
}

unsigned o_used_tags(Oracle *o, unsigned host)
{
    unsigned n = 0;

    for (guint t = 0; t < o->tags->len; t++) {
        n += o_holds(o, host, t) || o_orphan(o, t);
    }
    return n;
}

void oracle_usage(Oracle *o, unsigned host, CXLDCUsage *u)
{
    unsigned extents = o_used_extents(o, host), tags = o_used_tags(o, host);

    u->extents_supported = o->config.max_extents;
    u->tags_supported = o->config.max_tags;
    u->extents_available = extents > o->config.max_extents ?
                           0 : o->config.max_extents - extents;
    u->tags_available = tags > o->config.max_tags ?
                        0 : o->config.max_tags - tags;
}

void o_log(Oracle *o, CXLDCEventType type, unsigned host, const GArray *list)
{
    CXLDCUsage u;

    oracle_usage(o, host, &u);
    for (guint i = 0; i < list->len; i++) {
        CXLDCEvent e = {
            .type = type, .host = host,
            .extent = g_array_index(list, CXLDCExtent, i),
            .more = i + 1 < list->len && type < CXL_DC_EV_ADD_RESPONSE,
            .avail_extents = u.extents_available,
            .avail_tags = u.tags_available,
        };

        g_array_append_val(o->want->events, e);
    }
}

void o_report(Oracle *o, unsigned host, CXLDCOutcome what, CXLDCReason why,
              size_t n)
{
    DCReported report = { host, what, why, n };

    if (n) {
        g_array_append_val(o->want->reports, report);
    }
}

void o_refuse(Oracle *o, unsigned host, CXLDCReason why)
{
    OGroup *g = &g_array_index(o->groups[host], OGroup, 0);

    o_report(o, host, CXL_DC_REFUSED, g->dead ? CXL_DC_BY_FM : why,
             g->parts->len);
    o_group_end(o, host);
}

void o_group_end(Oracle *o, unsigned host)
{
    OGroup *g = &g_array_index(o->groups[host], OGroup, 0);

    for (unsigned c = 0; c < ORACLE_CELLS; c++) {
        OCell *cell = &o->cell[host][c];

        if (cell->state == O_PENDING && cell->group == g->id) {
            memset(cell, 0, sizeof(*cell));
            cell->tag = -1;
        }
    }
    g_array_free(g->parts, TRUE);
    g_array_remove_index(o->groups[host], 0);
}

/* -- removal of Added cells ----------------------------------------------- */

/* Extents that ranges cut out of what the host has, in ascending order */
GArray *o_pieces(Oracle *o, unsigned host, const GArray *ranges)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(CXLDCExtent));

    for (guint i = 0; i < ranges->len; i++) {
        const CXLDCRange *r = &g_array_index(ranges, CXLDCRange, i);
        uint32_t last = 0;

        for (uint64_t dpa = r->dpa; dpa < r->dpa + r->len; ) {
            int region = o_region_at(o, dpa);
            const OCell *cell = &o->cell[host][oracle_cell_of(o, dpa)];

            if (cell->state != O_ADDED) {
                last = 0;
            } else if (cell->extent == last) {
                g_array_index(list, CXLDCExtent, list->len - 1).len +=
                    o->unit[region];
            } else {
                CXLDCExtent e = o_extent(o, dpa, o->unit[region], cell->tag,
                                         cell->seq);

                g_array_append_val(list, e);
                last = cell->extent;
            }
            dpa += o->unit[region];
        }
    }
    return list;
}

bool o_splits_share(Oracle *o, unsigned host, const GArray *pieces)
{
    for (guint t = 0; t < o->tags->len; t++) {
        uint64_t sum = 0;

        for (guint i = 0; i < pieces->len; i++) {
            const CXLDCExtent *e = &g_array_index(pieces, CXLDCExtent, i);

            if (o->cell[host][oracle_cell_of(o, e->dpa)].tag == t) {
                sum += e->len;
            }
        }
        if (o_tag(o, t)->sharable && sum &&
            sum != o_tag_bytes(o, host, t, O_ADDED)) {
            return true;
        }
    }
    return false;
}

/* How many extents the host had if the pieces went: tried on a copy */
unsigned o_count_without(Oracle *o, unsigned host, const GArray *pieces)
{
    OCell saved[ORACLE_CELLS];
    unsigned count;

    memcpy(saved, o->cell[host], sizeof(saved));
    for (guint i = 0; i < pieces->len; i++) {
        const CXLDCExtent *e = &g_array_index(pieces, CXLDCExtent, i);
        int c = oracle_cell_of(o, e->dpa);

        for (unsigned k = 0; k < o_cells(o, e->dpa, e->len); k++) {
            o->cell[host][c + k].state = O_FREE;
        }
    }
    count = o_added(o, host);
    memcpy(o->cell[host], saved, sizeof(saved));
    return count;
}

void o_remove(Oracle *o, unsigned host, const GArray *pieces, bool sanitize)
{
    for (guint i = 0; i < pieces->len; i++) {
        const CXLDCExtent *e = &g_array_index(pieces, CXLDCExtent, i);
        int region = o_region_at(o, e->dpa);
        int c = oracle_cell_of(o, e->dpa);

        for (unsigned k = 0; k < o_cells(o, e->dpa, e->len); k++) {
            OCell *cell = &o->cell[host][c + k];
            bool wipe = sanitize || o->region[region].sanitize ||
                        (cell->asked && cell->asked_sanitize);

            if (cell->tag >= 0 && o_tag(o, cell->tag)->sharable) {
                o_tag(o, cell->tag)->sanitize |= wipe;
            } else if (wipe) {
                o_wipe(o, oracle_cell_dpa(o, c + k), o->unit[region]);
            }
            memset(cell, 0, sizeof(*cell));
            cell->tag = -1;
        }
        o->list_changed[host] = true;
    }
    o_settle(o);
}
