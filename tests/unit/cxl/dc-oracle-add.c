/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slow and obvious dynamic capacity: what the FM adds.
 */
#include "qemu/osdep.h"
#include "dc-oracle-internal.h"

static CXLRetCode room_for(Oracle *o, unsigned extents, unsigned tags)
{
    if (extents > o->config.max_extents || tags > o->config.max_tags) {
        return CXL_RC_RESOURCES_EXHAUSTED;
    }
    return CXL_RC_SUCCESS;
}

static int cell_order(gconstpointer a, gconstpointer b)
{
    const CXLDCExtent *ea = a, *eb = b;

    return ea->dpa < eb->dpa ? -1 : ea->dpa > eb->dpa;
}

static void offer(Oracle *o, unsigned host, const GArray *parts,
                  const int *tags)
{
    OGroup g = { .id = ++o->next, .parts = g_array_copy((GArray *)parts) };

    for (guint i = 0; i < parts->len; i++) {
        const CXLDCExtent *e = &g_array_index(parts, CXLDCExtent, i);
        uint32_t extent = ++o->next;
        int c = oracle_cell_of(o, e->dpa);

        for (unsigned k = 0; k < o_cells(o, e->dpa, e->len); k++) {
            o->cell[host][c + k] = (OCell) {
                .state = O_PENDING, .extent = extent, .group = g.id,
                .tag = tags[i], .seq = e->seq,
            };
        }
    }
    g_array_sort(g.parts, cell_order);
    g_array_append_val(o->groups[host], g);
    o_log(o, CXL_DC_EV_ADD, host, g.parts);
}

static int new_tag(Oracle *o, const QemuUUID *uuid, unsigned region)
{
    OTag t = {
        .live = true, .uuid = *uuid, .region = region,
        .sharable = o->region[region].sharable,
    };

    t.seen_in[region] = true;
    g_array_append_val(o->tags, t);
    return o->tags->len - 1;
}

/*
 * Hole of @region in which @taken marks cells as gone: first of >= @want cells,
 * or the first of the longest if @want is 0.  Returns its cells.
 */
static unsigned find_hole(Oracle *o, unsigned region, const bool *taken,
                          unsigned want, unsigned *start)
{
    unsigned best = 0;

    for (unsigned c = o->first[region]; c < o->first[region + 1]; c++) {
        unsigned n = 0;

        while (c + n < o->first[region + 1] && o_free_cell(o, c + n) &&
               !taken[c + n]) {
            n++;
        }
        if (want ? !best && n >= want : n > best) {
            best = n;
            *start = c;
        }
        c += n;
    }
    return best;
}

static CXLRetCode add_sized(Oracle *o, const CXLDCAddRequest *req)
{
    g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(CXLDCExtent));
    const CXLDCRegion *r = &o->region[req->region];
    bool tagged = !qemu_uuid_is_null(&req->tag);
    unsigned used = o_used_extents(o, req->host), limit, left;
    bool taken[ORACLE_CELLS] = { };
    int tags[ORACLE_CELLS], tag = -1;
    CXLRetCode rc;

    if (!req->len || req->len % r->block_size || (r->sharable && !tagged) ||
        (tagged && o_find_tag(o, &req->tag) >= 0)) {
        return CXL_RC_INVALID_INPUT;
    }
    limit = used < o->config.max_extents ? o->config.max_extents - used : 0;
    if (req->policy == CXL_DC_ADD_CONTIGUOUS && limit) {
        limit = 1;
    }
    if (req->len / o->unit[req->region] > ORACLE_CELLS) {
        return CXL_RC_RESOURCES_EXHAUSTED;
    }
    for (left = req->len / o->unit[req->region]; left; ) {
        unsigned start = 0, n;
        CXLDCExtent e = { .tag = req->tag };

        n = find_hole(o, req->region, taken, left, &start);
        if (!n) {
            n = find_hole(o, req->region, taken, 0, &start);
        }
        if (!n || parts->len == limit) {
            return CXL_RC_RESOURCES_EXHAUSTED;
        }
        n = MIN(n, left);
        e.dpa = oracle_cell_dpa(o, start);
        e.len = n * o->unit[req->region];
        g_array_append_val(parts, e);
        memset(&taken[start], true, n);
        left -= n;
    }
    rc = room_for(o, 0, o_used_tags(o, req->host) + tagged);
    if (!tagged) {
        rc = CXL_RC_SUCCESS;
    }
    if (rc == CXL_RC_SUCCESS && parts->len > o->room[req->host]) {
        rc = CXL_RC_RETRY_REQUIRED;
    }
    if (rc != CXL_RC_SUCCESS) {
        return rc;
    }
    g_array_sort(parts, cell_order);
    if (tagged) {
        tag = new_tag(o, &req->tag, req->region);
    }
    for (guint i = 0; i < parts->len; i++) {
        CXLDCExtent *e = &g_array_index(parts, CXLDCExtent, i);

        tags[i] = tag;
        if (r->sharable) {
            OTag *t = o_tag(o, tag);

            e->seq = i;
            t->dpa[req->region][i] = e->dpa;
            t->len[i] = e->len;
            t->n = parts->len;
        }
    }
    offer(o, req->host, parts, tags);
    return CXL_RC_SUCCESS;
}

/* Where in the list extents with the same tag as extent @i are */
static unsigned members(const CXLDCAddRequest *req, size_t i, size_t *at)
{
    unsigned n = 0;

    for (size_t k = 0; k < req->nr_extents; k++) {
        if (!memcmp(&req->extents[k].tag, &req->extents[i].tag, 16)) {
            at[n++] = k;
        }
    }
    return n;
}

static int tag_order(gconstpointer a, gconstpointer b, gpointer opaque)
{
    const CXLDCAddRequest *req = opaque;
    const size_t *ia = a, *ib = b;
    int order = memcmp(&req->extents[*ia].tag, &req->extents[*ib].tag, 16);

    return order ? order : *ia < *ib ? -1 : 1;
}

/* Fills seq of the list's sharable extents */
static CXLRetCode check_list_tag(Oracle *o, const CXLDCAddRequest *req,
                                 size_t i, uint16_t *seq)
{
    size_t at[ORACLE_CELLS];
    unsigned n = members(req, i, at);
    int region = o_region_at(o, req->extents[i].dpa);
    bool zero = true;

    if (o_find_tag(o, &req->extents[i].tag) >= 0) {
        return CXL_RC_INVALID_INPUT;
    }
    for (unsigned k = 0; k < n; k++) {
        if (o_region_at(o, req->extents[at[k]].dpa) != region) {
            return CXL_RC_INVALID_EXTENT_LIST;
        }
        zero &= !req->extents[at[k]].seq;
    }
    if (!o->region[region].sharable) {
        return CXL_RC_SUCCESS;
    }
    for (unsigned k = 0; k < n; k++) {
        seq[at[k]] = zero ? k : req->extents[at[k]].seq;
    }
    for (unsigned s = 0; s < n; s++) {
        unsigned count = 0;

        for (unsigned k = 0; k < n; k++) {
            count += seq[at[k]] == s;
        }
        if (count != 1) {
            return CXL_RC_INVALID_EXTENT_LIST;
        }
    }
    return CXL_RC_SUCCESS;
}

static CXLRetCode check_list(Oracle *o, const CXLDCAddRequest *req)
{
    g_autofree CXLDCRange *ranges = g_new(CXLDCRange, req->nr_extents + 1);

    for (size_t i = 0; i < req->nr_extents; i++) {
        const CXLDCExtent *e = &req->extents[i];

        ranges[i] = (CXLDCRange) { e->dpa, e->len };
        if (!e->len || o_off_block(o, e->dpa, e->len) ||
            !o_inside(o, e->dpa, e->len) ||
            (o->region[o_region_at(o, e->dpa)].sharable &&
             qemu_uuid_is_null(&e->tag))) {
            return CXL_RC_INVALID_EXTENT_LIST;
        }
    }
    if (!req->nr_extents || o_any_overlap(ranges, req->nr_extents)) {
        return CXL_RC_INVALID_EXTENT_LIST;
    }
    for (size_t i = 0; i < req->nr_extents; i++) {
        int c = oracle_cell_of(o, ranges[i].dpa);

        for (unsigned k = 0; k < o_cells(o, ranges[i].dpa, ranges[i].len);
             k++) {
            if (!o_free_cell(o, c + k)) {
                return CXL_RC_INVALID_EXTENT_LIST;
            }
        }
    }
    return CXL_RC_SUCCESS;
}

static CXLRetCode add_list(Oracle *o, const CXLDCAddRequest *req)
{
    g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(CXLDCExtent));
    CXLRetCode rc = check_list(o, req);
    uint16_t seq[ORACLE_CELLS] = { };
    size_t order[ORACLE_CELLS];
    int tags[ORACLE_CELLS];
    unsigned fresh = 0;

    if (rc != CXL_RC_SUCCESS) {
        return rc;
    }
    if (req->nr_extents > o->config.max_extents) {
        return CXL_RC_RESOURCES_EXHAUSTED;
    }
    for (size_t i = 0; i < req->nr_extents; i++) {
        order[i] = i;
        tags[i] = -1;
    }
    g_qsort_with_data(order, req->nr_extents, sizeof(*order), tag_order,
                      (gpointer)req);
    for (size_t i = 0; i < req->nr_extents; i++) {
        size_t at[ORACLE_CELLS];

        members(req, order[i], at);
        if (at[0] != order[i] ||
            qemu_uuid_is_null(&req->extents[order[i]].tag)) {
            continue;
        }
        fresh++;
        rc = check_list_tag(o, req, order[i], seq);
        if (rc != CXL_RC_SUCCESS) {
            return rc;
        }
    }
    rc = room_for(o, o_used_extents(o, req->host) + req->nr_extents,
                  fresh ? o_used_tags(o, req->host) + fresh : 0);
    if (rc == CXL_RC_RESOURCES_EXHAUSTED) {
        return rc;
    }
    if (req->nr_extents > o->room[req->host]) {
        return CXL_RC_RETRY_REQUIRED;
    }
    for (size_t i = 0; i < req->nr_extents; i++) {
        const CXLDCExtent *e = &req->extents[order[i]];
        int tag = -1, region = o_region_at(o, e->dpa);

        if (!qemu_uuid_is_null(&e->tag)) {
            tag = o_find_tag(o, &e->tag);
            tag = tag < 0 ? new_tag(o, &e->tag, region) : tag;
            if (o->region[region].sharable) {
                OTag *t = o_tag(o, tag);

                t->dpa[region][seq[order[i]]] = e->dpa;
                t->len[seq[order[i]]] = e->len;
                t->n++;
            }
        }
        tags[order[i]] = tag;
    }
    for (size_t i = 0; i < req->nr_extents; i++) {
        CXLDCExtent e = req->extents[i];

        e.seq = seq[i];
        g_array_append_val(parts, e);
    }
    offer(o, req->host, parts, tags);
    return CXL_RC_SUCCESS;
}

static CXLRetCode add_shared(Oracle *o, const CXLDCAddRequest *req)
{
    g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(CXLDCExtent));
    int tag = o_find_tag(o, &req->tag), tags[ORACLE_CELLS];
    unsigned r = req->region, extents, nr_tags;
    bool taken[ORACLE_CELLS] = { };
    uint64_t at[ORACLE_PARTS];
    CXLRetCode rc;
    OTag *t;

    if (!o->region[r].sharable || tag < 0 || !o_tag(o, tag)->sharable ||
        o_holds(o, req->host, tag)) {
        return CXL_RC_INVALID_INPUT;
    }
    t = o_tag(o, tag);
    for (unsigned i = 0; i < t->n; i++) {
        if (t->len[i] % o->region[r].block_size) {
            return CXL_RC_INVALID_INPUT;
        }
    }
    extents = o_used_extents(o, req->host) + (o_orphan(o, tag) ? 0 : t->n);
    nr_tags = o_used_tags(o, req->host) + !o_orphan(o, tag);
    rc = room_for(o, extents, nr_tags);
    if (rc == CXL_RC_RESOURCES_EXHAUSTED) {
        return rc;
    }
    if (t->n > o->room[req->host]) {
        return CXL_RC_RETRY_REQUIRED;
    }
    for (unsigned i = 0; i < t->n; i++) {
        unsigned n = t->len[i] / o->unit[r], start = 0;

        if (t->seen_in[r]) {
            at[i] = t->dpa[r][i];
            continue;
        }
        if (!find_hole(o, r, taken, n, &start)) {
            return CXL_RC_RESOURCES_EXHAUSTED;
        }
        memset(&taken[start], true, n);
        at[i] = oracle_cell_dpa(o, start);
    }
    t->seen_in[r] = true;
    for (unsigned i = 0; i < t->n; i++) {
        CXLDCExtent e = o_extent(o, at[i], t->len[i], tag, i);

        t->dpa[r][i] = at[i];
        tags[i] = tag;
        g_array_append_val(parts, e);
    }
    offer(o, req->host, parts, tags);
    return CXL_RC_SUCCESS;
}

static void drop_dead_tags(Oracle *o)
{
    guint to = 0;

    for (guint from = 0; from < o->tags->len; from++) {
        if (!o_tag(o, from)->live) {
            continue;
        }
        for (unsigned h = 0; h < ORACLE_HOSTS; h++) {
            for (unsigned c = 0; c < ORACLE_CELLS; c++) {
                if (o->cell[h][c].tag == from) {
                    o->cell[h][c].tag = to;
                }
            }
        }
        memmove(o_tag(o, to++), o_tag(o, from), sizeof(OTag));
    }
    g_array_set_size(o->tags, to);
}

CXLRetCode oracle_add(Oracle *o, const CXLDCAddRequest *req)
{
    if (req->host >= o->config.nr_hosts || req->policy > CXL_DC_ADD_SHARED) {
        return CXL_RC_INVALID_INPUT;
    }
    drop_dead_tags(o);
    if (req->policy == CXL_DC_ADD_PRESCRIPTIVE) {
        return add_list(o, req);
    }
    if (req->region >= o->config.nr_regions) {
        return CXL_RC_INVALID_INPUT;
    }
    return req->policy == CXL_DC_ADD_SHARED ? add_shared(o, req)
                                            : add_sized(o, req);
}
