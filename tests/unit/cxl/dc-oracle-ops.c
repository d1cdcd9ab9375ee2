/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slow and obvious dynamic capacity: releases, host answers, the rest.
 */
#include "qemu/osdep.h"
#include "dc-oracle-internal.h"

/* -- release -------------------------------------------------------------- */

/* The host's cells of the tag, without the lowest that exceed @len bytes */
static CXLRetCode tag_ranges(Oracle *o, const CXLDCReleaseRequest *req,
                             GArray *ranges)
{
    int tag = qemu_uuid_is_null(&req->tag) ? -1 : o_find_tag(o, &req->tag);
    uint64_t have, drop;
    int region = -1;

    if (tag < 0 || !o_holds(o, req->host, tag)) {
        return CXL_RC_INVALID_INPUT;
    }
    for (unsigned c = 0; c < ORACLE_CELLS; c++) {
        if (o->cell[req->host][c].tag == tag) {
            region = oracle_region_of_cell(o, c);
        }
    }
    if (!req->len || req->len % o->region[region].block_size) {
        return CXL_RC_INVALID_INPUT;
    }
    have = o_tag_bytes(o, req->host, tag, O_PENDING) +
           o_tag_bytes(o, req->host, tag, O_ADDED);
    if (req->len > have) {
        return CXL_RC_RESOURCES_EXHAUSTED;
    }
    drop = have - req->len;
    if (drop && o_tag(o, tag)->sharable) {
        return CXL_RC_INVALID_INPUT;
    }
    for (unsigned c = 0; c < ORACLE_CELLS; c++) {
        if (o->cell[req->host][c].tag == tag) {
            CXLDCRange r = { oracle_cell_dpa(o, c), o->unit[region] };

            if (drop) {
                drop -= r.len;
            } else if (ranges->len &&
                       o->cell[req->host][c - 1].tag == tag &&
                       o->cell[req->host][c - 1].extent ==
                       o->cell[req->host][c].extent) {
                g_array_index(ranges, CXLDCRange, ranges->len - 1).len +=
                    r.len;
            } else {
                g_array_append_val(ranges, r);
            }
        }
    }
    return CXL_RC_SUCCESS;
}

static CXLRetCode list_ranges(Oracle *o, const CXLDCReleaseRequest *req,
                              GArray *ranges)
{
    if (!req->nr_extents) {
        return CXL_RC_INVALID_EXTENT_LIST;
    }
    for (size_t i = 0; i < req->nr_extents; i++) {
        const CXLDCExtent *e = &req->extents[i];
        CXLDCRange r = { e->dpa, e->len };

        if (!e->len || o_off_block(o, e->dpa, e->len) ||
            (o_region_at(o, e->dpa) >= 0 && !o_inside(o, e->dpa, e->len))) {
            return CXL_RC_INVALID_EXTENT_LIST;
        }
        g_array_append_val(ranges, r);
    }
    return o_any_overlap((CXLDCRange *)ranges->data, ranges->len) ?
           CXL_RC_INVALID_EXTENT_LIST : CXL_RC_SUCCESS;
}

static bool backed(Oracle *o, unsigned host, uint64_t dpa, uint64_t len,
                   bool pending_too)
{
    if (!o_inside(o, dpa, len)) {
        return false;
    }
    for (unsigned k = 0; k < o_cells(o, dpa, len); k++) {
        OState s = o->cell[host][oracle_cell_of(o, dpa) + k].state;

        if (s == O_FREE || (s == O_PENDING && !pending_too)) {
            return false;
        }
    }
    return true;
}

CXLRetCode oracle_release(Oracle *o, const CXLDCReleaseRequest *req)
{
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(CXLDCRange));
    g_autoptr(GArray) pieces = NULL;
    unsigned host = req->host, left;
    CXLRetCode rc;

    if (host >= o->config.nr_hosts ||
        req->policy > CXL_DC_RELEASE_PRESCRIPTIVE) {
        return CXL_RC_INVALID_INPUT;
    }
    rc = req->policy == CXL_DC_RELEASE_TAG ? tag_ranges(o, req, ranges)
                                           : list_ranges(o, req, ranges);
    if (rc != CXL_RC_SUCCESS) {
        return rc;
    }
    o_sort(ranges);
    for (guint i = 0; i < ranges->len; i++) {
        const CXLDCRange *r = &g_array_index(ranges, CXLDCRange, i);

        if (!backed(o, host, r->dpa, r->len, req->forced)) {
            return CXL_RC_INVALID_PHYS_ADDR;
        }
    }
    pieces = o_pieces(o, host, ranges);
    if (o_splits_share(o, host, pieces)) {
        return CXL_RC_INVALID_INPUT;
    }
    left = o_count_without(o, host, pieces);
    if (left > o_added(o, host) && o_used_extents(o, host) - o_added(o, host) +
                                   left > o->config.max_extents) {
        return CXL_RC_RESOURCES_EXHAUSTED;
    }
    if (!req->forced) {
        if (pieces->len > o->room[host]) {
            return CXL_RC_RETRY_REQUIRED;
        }
        for (guint i = 0; i < pieces->len; i++) {
            const CXLDCExtent *e = &g_array_index(pieces, CXLDCExtent, i);
            int c = oracle_cell_of(o, e->dpa);

            for (unsigned k = 0; k < o_cells(o, e->dpa, e->len); k++) {
                o->cell[host][c + k].asked = true;
                o->cell[host][c + k].asked_sanitize |= req->sanitize;
            }
        }
        o_log(o, CXL_DC_EV_RELEASE, host, pieces);
        return CXL_RC_SUCCESS;
    }
    for (guint i = 0; i < ranges->len; i++) {
        const CXLDCRange *r = &g_array_index(ranges, CXLDCRange, i);
        int c = oracle_cell_of(o, r->dpa);

        for (unsigned k = 0; k < o_cells(o, r->dpa, r->len); k++) {
            for (guint g = 0; g < o->groups[host]->len; g++) {
                OGroup *group = &g_array_index(o->groups[host], OGroup, g);

                if (o->cell[host][c + k].state == O_PENDING &&
                    o->cell[host][c + k].group == group->id) {
                    group->dead = true;
                }
            }
        }
    }
    o_remove(o, host, pieces, req->sanitize);
    o_log(o, CXL_DC_EV_FORCED_RELEASE, host, pieces);
    o_report(o, host, CXL_DC_RELEASED, CXL_DC_BY_FM, pieces->len);
    return CXL_RC_SUCCESS;
}

/* -- hosts ---------------------------------------------------------------- */

static bool malformed(Oracle *o, const CXLDCRange *r, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!r[i].len || o_off_block(o, r[i].dpa, r[i].len)) {
            return true;
        }
    }
    return o_any_overlap(r, n);
}

/* Index of the part that holds the range, or -1 */
static int part_of(const OGroup *g, const CXLDCRange *r)
{
    for (guint i = 0; i < g->parts->len; i++) {
        const CXLDCExtent *e = &g_array_index(g->parts, CXLDCExtent, i);

        if (r->dpa >= e->dpa && r->dpa - e->dpa < e->len &&
            r->len <= e->len - (r->dpa - e->dpa)) {
            return i;
        }
    }
    return -1;
}

static bool shares_in_part(Oracle *o, unsigned host, const OGroup *g,
                           const CXLDCRange *r, size_t n)
{
    for (guint t = 0; t < o->tags->len; t++) {
        unsigned offered = 0, taken = 0;

        if (!o_tag(o, t)->live || !o_tag(o, t)->sharable) {
            continue;
        }
        for (guint i = 0; i < g->parts->len; i++) {
            const CXLDCExtent *e = &g_array_index(g->parts, CXLDCExtent, i);

            if (o->cell[host][oracle_cell_of(o, e->dpa)].tag != t) {
                continue;
            }
            offered++;
            for (size_t k = 0; k < n; k++) {
                if (part_of(g, &r[k]) == i) {
                    taken++;
                    if (r[k].len != e->len) {
                        return true;
                    }
                }
            }
        }
        if (taken && taken != offered) {
            return true;
        }
    }
    return false;
}

/* Does the range touch a byte of the group, and none below of another one? */
static bool touches(Oracle *o, unsigned host, const OGroup *g,
                    const CXLDCRange *r)
{
    for (unsigned c = 0; c < o->first[o->config.nr_regions]; c++) {
        const OCell *cell = &o->cell[host][c];
        uint64_t dpa = oracle_cell_dpa(o, c);
        uint64_t unit = o->unit[oracle_region_of_cell(o, c)];

        if (cell->state == O_PENDING &&
            (dpa >= r->dpa ? dpa - r->dpa < MAX(r->len, 1)
                           : r->dpa - dpa < unit)) {
            return cell->group == g->id;
        }
    }
    return false;
}

/* How many withdrawn groups are before the one that is meant; or -1 */
static int groups_passed(Oracle *o, unsigned host, const CXLDCRange *r,
                         size_t n)
{
    for (guint i = 0; i < o->groups[host]->len; i++) {
        const OGroup *g = &g_array_index(o->groups[host], OGroup, i);
        bool meant = !n;

        for (size_t k = 0; k < n; k++) {
            meant |= touches(o, host, g, &r[k]);
        }
        if (meant) {
            return i;
        }
        if (!g->dead) {
            break;
        }
    }
    return -1;
}

/* What is wrong with an answer to the oldest group */
static CXLRetCode judge(Oracle *o, unsigned host, const CXLDCRange *r,
                        size_t n)
{
    OGroup *g = &g_array_index(o->groups[host], OGroup, 0);

    if (malformed(o, r, n)) {
        return CXL_RC_INVALID_EXTENT_LIST;
    }
    for (size_t i = 0; i < n; i++) {
        if (g->dead || part_of(g, &r[i]) < 0) {
            return CXL_RC_INVALID_PHYS_ADDR;
        }
    }
    if (shares_in_part(o, host, g, r, n)) {
        return CXL_RC_INVALID_EXTENT_LIST;
    }
    if (n > g->parts->len && o_used_extents(o, host) - g->parts->len + n >
                             o->config.max_extents) {
        return CXL_RC_RESOURCES_EXHAUSTED;
    }
    return CXL_RC_SUCCESS;
}

static CXLRetCode respond(Oracle *o, unsigned host, const CXLDCRange *r,
                          size_t n)
{
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(CXLDCExtent));
    int passed = groups_passed(o, host, r, n);
    CXLRetCode rc;

    if (passed < 0) {
        return malformed(o, r, n) ? CXL_RC_INVALID_EXTENT_LIST :
                                    CXL_RC_INVALID_PHYS_ADDR;
    }
    while (passed--) {
        o_refuse(o, host, CXL_DC_BY_FM);
    }
    o_settle(o);
    rc = judge(o, host, r, n);
    if (!n || rc != CXL_RC_SUCCESS) {
        o_refuse(o, host, n ? CXL_DC_BY_ERROR : CXL_DC_BY_HOST);
        o_settle(o);
        return rc;
    }
    for (size_t i = 0; i < n; i++) {
        int c = oracle_cell_of(o, r[i].dpa);
        uint32_t extent = ++o->next;
        OCell *cell = &o->cell[host][c];
        CXLDCExtent e = o_extent(o, r[i].dpa, r[i].len, cell->tag, cell->seq);

        if (cell->tag >= 0) {
            o_tag(o, cell->tag)->touched = true;
        }
        for (unsigned k = 0; k < o_cells(o, r[i].dpa, r[i].len); k++) {
            cell[k].state = O_ADDED;
            cell[k].extent = extent;
        }
        g_array_append_val(list, e);
        o->list_changed[host] = true;
    }
    o_group_end(o, host);
    o_settle(o);
    o_log(o, CXL_DC_EV_ADD_RESPONSE, host, list);
    o_report(o, host, CXL_DC_ACCEPTED, CXL_DC_BY_HOST, n);
    return CXL_RC_SUCCESS;
}

/* Pieces of one of @ranges that the FM hears of as one, see cxl_dc.h */
static GArray *heard(Oracle *o, const GArray *ranges, const GArray *pieces)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(CXLDCExtent));

    for (guint i = 0; i < pieces->len; i++) {
        CXLDCExtent e = g_array_index(pieces, CXLDCExtent, i);
        CXLDCExtent *last = list->len ? &g_array_index(list, CXLDCExtent,
                                                       list->len - 1) : NULL;
        bool begins = !last || !qemu_uuid_is_equal(&last->tag, &e.tag) ||
                      o->region[oracle_region_of_cell(
                          o, oracle_cell_of(o, e.dpa))].sharable;

        for (guint r = 0; r < ranges->len; r++) {
            begins |= g_array_index(ranges, CXLDCRange, r).dpa == e.dpa;
        }
        if (begins) {
            g_array_append_val(list, e);
        } else {
            last->len += e.len;
        }
    }
    return list;
}

static CXLRetCode give_back(Oracle *o, unsigned host, const CXLDCRange *r,
                            size_t n)
{
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(CXLDCRange));
    g_autoptr(GArray) pieces = NULL, list = NULL;
    unsigned left;

    if (malformed(o, r, n)) {
        return CXL_RC_INVALID_EXTENT_LIST;
    }
    for (size_t i = 0; i < n; i++) {
        if (!backed(o, host, r[i].dpa, r[i].len, false)) {
            return CXL_RC_INVALID_PHYS_ADDR;
        }
    }
    g_array_append_vals(ranges, r, n);
    o_sort(ranges);
    pieces = o_pieces(o, host, ranges);
    if (o_splits_share(o, host, pieces)) {
        return CXL_RC_INVALID_EXTENT_LIST;
    }
    left = o_count_without(o, host, pieces);
    if (left > o_added(o, host) && o_used_extents(o, host) - o_added(o, host) +
                                   left > o->config.max_extents) {
        return CXL_RC_RESOURCES_EXHAUSTED;
    }
    list = heard(o, ranges, pieces);
    o_remove(o, host, pieces, false);
    o_log(o, CXL_DC_EV_RELEASED, host, list);
    o_report(o, host, CXL_DC_RELEASED, CXL_DC_BY_HOST, list->len);
    return CXL_RC_SUCCESS;
}

static void forget(Oracle *o, unsigned host)
{
    g_array_set_size(o->held[host], 0);
    o->chain[host] = 0;
}

static CXLRetCode chained(Oracle *o, unsigned host, int chain,
                          const CXLDCRange *r, size_t n, bool more,
                          CXLRetCode (*last)(Oracle *, unsigned,
                                             const CXLDCRange *, size_t))
{
    CXLRetCode rc = CXL_RC_SUCCESS;

    if (o->chain[host] != chain) {
        forget(o, host);
    }
    o->chain[host] = chain;
    if (n) {
        g_array_append_vals(o->held[host], r, n);
    }
    if (!more) {
        rc = last(o, host, (CXLDCRange *)o->held[host]->data,
                  o->held[host]->len);
        forget(o, host);
    }
    return rc;
}

CXLRetCode oracle_respond(Oracle *o, unsigned host, const CXLDCRange *r,
                          size_t n, bool more)
{
    if (host >= o->config.nr_hosts) {
        return CXL_RC_INVALID_INPUT;
    }
    if (!o->groups[host]->len) {
        forget(o, host);
        return n ? CXL_RC_INVALID_PHYS_ADDR : CXL_RC_INVALID_INPUT;
    }
    return chained(o, host, 1, r, n, more, respond);
}

CXLRetCode oracle_give_back(Oracle *o, unsigned host, const CXLDCRange *r,
                            size_t n, bool more)
{
    if (host >= o->config.nr_hosts) {
        return CXL_RC_INVALID_INPUT;
    }
    if (!n) {
        forget(o, host);
        return CXL_RC_INVALID_INPUT;
    }
    return chained(o, host, 2, r, n, more, give_back);
}

/* -- the rest ------------------------------------------------------------- */

CXLRetCode oracle_reference(Oracle *o, const QemuUUID *uuid, bool on)
{
    int tag = qemu_uuid_is_null(uuid) ? -1 : o_find_tag(o, uuid);

    if (tag < 0 || !o_tag(o, tag)->sharable) {
        return CXL_RC_INVALID_INPUT;
    }
    o_tag(o, tag)->referenced = on;
    o_settle(o);
    return CXL_RC_SUCCESS;
}

CXLRetCode oracle_set_region(Oracle *o, unsigned region, uint64_t block,
                             bool sanitize)
{
    CXLDCRegion *r;

    if (region >= o->config.nr_regions) {
        return CXL_RC_INVALID_INPUT;
    }
    r = &o->region[region];
    if (oracle_region_busy(o, region) ||
        (sanitize != r->sanitize && !r->sanitize_configurable)) {
        return CXL_RC_UNSUPPORTED;
    }
    if (!block || (block & (block - 1)) || !(block & r->block_mask)) {
        return CXL_RC_INVALID_INPUT;
    }
    for (unsigned h = 0; h < o->config.nr_hosts; h++) {
        if (!o->room[h]) {
            return CXL_RC_RETRY_REQUIRED;
        }
    }
    r->block_size = block;
    r->sanitize = sanitize;
    for (unsigned h = 0; h < o->config.nr_hosts; h++) {
        CXLDCUsage u;
        CXLDCEvent e = {
            .type = CXL_DC_EV_REGION_UPDATED, .host = h, .region = region,
        };

        oracle_usage(o, h, &u);
        e.avail_extents = u.extents_available;
        e.avail_tags = u.tags_available;
        g_array_append_val(o->want->events, e);
    }
    return CXL_RC_SUCCESS;
}

void oracle_reset(Oracle *o, unsigned host, bool all)
{
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(CXLDCRange));
    g_autoptr(GArray) pieces = NULL;

    forget(o, host);
    while (o->groups[host]->len) {
        o_refuse(o, host, CXL_DC_BY_RESET);
    }
    o_settle(o);
    for (unsigned c = 0; c < o->first[o->config.nr_regions]; c++) {
        const OCell *cell = &o->cell[host][c];
        CXLDCRange r = {
            oracle_cell_dpa(o, c), o->unit[oracle_region_of_cell(o, c)],
        };

        if (cell->state != O_ADDED ||
            (!all && (cell->tag < 0 || !o_tag(o, cell->tag)->sharable))) {
            continue;
        }
        if (ranges->len && c && cell[-1].extent == cell->extent) {
            g_array_index(ranges, CXLDCRange, ranges->len - 1).len += r.len;
        } else {
            g_array_append_val(ranges, r);
        }
    }
    pieces = o_pieces(o, host, ranges);
    o_remove(o, host, pieces, false);
    o_report(o, host, CXL_DC_RELEASED, CXL_DC_BY_RESET, pieces->len);
}
