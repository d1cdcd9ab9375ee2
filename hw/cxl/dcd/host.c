/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity model: what hosts say (CXL r3.2 8.2.10.9.9.3 Add Dynamic
 * Capacity Response, 8.2.10.9.9.4 Release Dynamic Capacity), in one payload or
 * in a chain of payloads with More.
 */
#include "qemu/osdep.h"
#include "dc-internal.h"
#include "trace/trace-hw_cxl.h"

/* Malformed list of ranges: empty range, off block size, overlap */
static bool dc_ranges_malformed(const CXLDynCap *dc, const CXLDCRange *range,
                                size_t n)
{
    g_autofree CXLDCRange *sorted = g_memdup2(range, n * sizeof(*range));

    for (size_t i = 0; i < n; i++) {
        int region = dc_region_at(dc, range[i].dpa);
        uint64_t block = region < 0 ? 1 : dc->region[region].pub.block_size;

        if (!range[i].len || !QEMU_IS_ALIGNED(range[i].dpa, block) ||
            !QEMU_IS_ALIGNED(range[i].len, block)) {
            return true;
        }
    }
    if (n) {
        qsort(sorted, n, sizeof(*sorted), dc_compare_range);
    }
    for (size_t i = 1; i < n; i++) {
        if (sorted[i].dpa - sorted[i - 1].dpa < sorted[i - 1].len) {
            return true;
        }
    }
    return false;
}

/* -- chains --------------------------------------------------------------- */

void dc_partial_clear(DCHost *h)
{
    if (h->partial) {
        g_array_free(h->partial, TRUE);
        h->partial = NULL;
    }
    h->chain = DC_CHAIN_NONE;
}

/*
 * Joins a payload to those of its chain, which is *@list from then on, also if
 * it is too long.  Nothing else is judged before the last payload.
 */
static CXLRetCode dc_partial_join(CXLDynCap *dc, DCHost *h, DCChain chain,
                                  const CXLDCRange *ranges, size_t n, bool more,
                                  const CXLDCRange **list, size_t *total)
{
    bool fits;

    if (h->chain != chain) {
        dc_partial_clear(h);
    }
    fits = n + (h->partial ? h->partial->len : 0) <= dc_list_limit(dc);
    if (!h->partial && !(more && fits)) {
        *list = ranges;
        *total = n;
        return fits ? CXL_RC_SUCCESS : CXL_RC_RESOURCES_EXHAUSTED;
    }
    h->chain = chain;
    if (!h->partial) {
        h->partial = g_array_new(FALSE, FALSE, sizeof(CXLDCRange));
    }
    if (n) {
        g_array_append_vals(h->partial, ranges, n);
    }
    *list = (const CXLDCRange *)h->partial->data;
    *total = h->partial->len;
    return fits ? CXL_RC_SUCCESS : CXL_RC_RESOURCES_EXHAUSTED;
}

/* -- Add Dynamic Capacity Response ---------------------------------------- */

/* The offer of the first offered byte that the range touches, or NULL */
static DCGroup *dc_group_touched(const DCHost *h, const CXLDCRange *range)
{
    DCCursor cur;
    const DCRec *rec = dc_set_from(&h->pending, range->dpa, &cur);

    return rec && (dc_rec_holds(rec, range->dpa) ||
                   rec->dpa - range->dpa < range->len) ? rec->ref : NULL;
}

/*
 * The offer that the answer is about: the oldest one that was not withdrawn, or
 * a withdrawn one before it.  NULL: it is about none of these.
 */
static DCGroup *dc_group_answered(const DCHost *h, const CXLDCRange *range,
                                  size_t n)
{
    DCGroup *group = QTAILQ_FIRST(&h->groups), *touched;

    for (size_t i = 0; i < n; i++) {
        touched = dc_group_touched(h, &range[i]);
        if (touched) {
            touched->meant = true;
        }
    }
    while (n && group && !group->meant) {
        group = group->dead ? QTAILQ_NEXT(group, next) : NULL;
    }
    for (size_t i = 0; i < n; i++) {
        touched = dc_group_touched(h, &range[i]);
        if (touched) {
            touched->meant = false;
        }
    }
    return group;
}

/*
 * Finds for each range the offered extent that contains it.
 *
 * Unsure: a range over two offered extents is refused, because it would have
 * two sequence numbers; ranges of a later group get 0Fh like all others that
 * the oldest group does not offer, never 02h.
 */
static CXLRetCode dc_match_ranges(const DCHost *h, const DCGroup *group,
                                  const CXLDCRange *range, size_t n,
                                  uint32_t *part, uint64_t *keep)
{
    for (size_t i = 0; i < n; i++) {
        const DCRec *rec = dc_set_find(&h->pending, range[i].dpa);

        if (!rec || rec->ref != group ||
            range[i].len > rec->len - (range[i].dpa - rec->dpa)) {
            return CXL_RC_INVALID_PHYS_ADDR;
        }
        part[i] = rec->idx;
        keep[rec->idx] += range[i].len;
    }
    return CXL_RC_SUCCESS;
}

/* Shared tags are taken whole, extent by extent, or not at all */
static bool dc_accepts_part_of_share(uint16_t host, const DCGroup *group,
                                     const CXLDCRange *range, size_t n,
                                     const uint32_t *part)
{
    bool some = false;

    for (size_t i = 0; i < n; i++) {
        const DCPart *p = &group->part[part[i]];

        if (p->tag && p->tag->sharable) {
            some |= range[i].len != p->len;
            p->tag->marked++;
        }
    }
    for (size_t i = 0; i < n; i++) {
        DCTag *tag = group->part[part[i]].tag;

        if (tag && tag->marked) {
            some |= tag->marked != dc_tag_ref(tag, host)->pending;
            tag->marked = 0;
        }
    }
    return some;
}

static void dc_accept(CXLDynCap *dc, uint16_t host, DCGroup *group,
                      const CXLDCRange *range, size_t n, const uint32_t *part,
                      const uint64_t *keep, DCEffects *fx)
{
    DCHost *h = &dc->host[host];
    uint32_t offered = group->nr_parts;

    for (size_t i = 0; i < n; i++) {
        const DCPart *p = &group->part[part[i]];
        DCRec rec = {
            .dpa = range[i].dpa, .len = range[i].len, .ref = p->tag,
            .seq = p->seq,
        };

        dc_added_insert(dc, h, &rec);
        if (p->tag) {
            dc_tag_accept(dc, p->tag, host, dc_region_at(dc, rec.dpa),
                          rec.len);
        }
        dc_effects_range(dc, fx->on, rec.dpa, rec.len);
        dc_effects_record(fx, rec.dpa, rec.len, p->tag, p->seq);
    }
    dc_effects_report(fx, CXL_DC_ACCEPTED, CXL_DC_BY_HOST);
    /* Extents taken in part: give back all, then take what was accepted */
    for (uint32_t i = 0; i < offered; i++) {
        const DCPart *p = &group->part[i];

        if (keep[i] && keep[i] != p->len) {
            dc_free_range(dc, dc_region_at(dc, p->dpa), p->dpa, p->len);
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (keep[part[i]] != group->part[part[i]].len) {
            dc_alloc_range(dc, dc_region_at(dc, range[i].dpa), range[i].dpa,
                           range[i].len);
        }
    }
    dc_group_end(dc, host, group, keep, fx);
    h->generation++;
    trace_cxl_dc_accept(host, n, offered);
}

/* Does the owner let the host have what it accepts? */
static bool dc_reserve(CXLDynCap *dc, uint16_t host, const DCGroup *group,
                       const CXLDCRange *range, size_t n, const uint32_t *part)
{
    uint64_t base = dc->host[host].base;
    g_autofree CXLDCRange *seen = NULL;
    g_autofree uint64_t *media = NULL;

    if (!dc->ops->reserve) {
        return true;
    }
    seen = g_memdup2(range, n * sizeof(*seen));
    media = g_new(uint64_t, n);
    for (size_t i = 0; i < n; i++) {
        const DCPart *p = &group->part[part[i]];
        DCRec rec = { .dpa = range[i].dpa, .ref = p->tag, .seq = p->seq };

        media[i] = base + dc_rec_media(&rec, rec.dpa);
        seen[i].dpa += base;
    }
    return dc->ops->reserve(dc->opaque, host, seen, media, n);
}

/* Accepts @n > 0 ranges of the offer, or changes nothing */
static CXLRetCode dc_accept_ranges(CXLDynCap *dc, uint16_t host, DCGroup *group,
                                   const CXLDCRange *range, size_t n,
                                   DCEffects *fx)
{
    const DCHost *h = &dc->host[host];
    g_autofree uint64_t *keep = g_new0(uint64_t, group->nr_parts);
    g_autofree uint32_t *part = g_new(uint32_t, n);
    CXLRetCode rc = dc_match_ranges(h, group, range, n, part, keep);

    if (rc != CXL_RC_SUCCESS) {
        return rc;
    }
    if (dc_accepts_part_of_share(host, group, range, n, part)) {
        return CXL_RC_INVALID_EXTENT_LIST;
    }
    /* The group is counted already: what counts is the sum afterwards */
    if (n > group->nr_parts && dc_used_extents(dc, h) - group->nr_parts + n >
                               dc->config.max_extents) {
        return CXL_RC_RESOURCES_EXHAUSTED;
    }
    if (!dc_reserve(dc, host, group, range, n, part)) {
        return CXL_RC_RESOURCES_EXHAUSTED;
    }
    dc_accept(dc, host, group, range, n, part, keep, fx);
    return CXL_RC_SUCCESS;
}

/* @rc: what is known to be wrong with the answer already */
static CXLRetCode dc_host_respond(CXLDynCap *dc, uint16_t host,
                                  const CXLDCRange *range, size_t n,
                                  CXLRetCode rc)
{
    DCHost *h = &dc->host[host];
    DCGroup *group = dc_group_answered(h, range, n), *passed;
    DCEffects fx;

    if (rc == CXL_RC_SUCCESS && dc_ranges_malformed(dc, range, n)) {
        rc = CXL_RC_INVALID_EXTENT_LIST;
    }
    if (rc == CXL_RC_SUCCESS && n && (!group || group->dead)) {
        rc = CXL_RC_INVALID_PHYS_ADDR;
    }
    if (!group) {
        return rc;
    }
    dc_effects_init(&fx, host, CXL_DC_EV_ADD_RESPONSE);
    while ((passed = QTAILQ_FIRST(&h->groups)) != group) {
        dc_group_refuse(dc, host, passed, CXL_DC_BY_FM, &fx);
    }
    if (rc == CXL_RC_SUCCESS && n) {
        rc = dc_accept_ranges(dc, host, group, range, n, &fx);
    }
    if (rc != CXL_RC_SUCCESS || !n) {
        dc_group_refuse(dc, host, group, group->dead ? CXL_DC_BY_FM :
                        n ? CXL_DC_BY_ERROR : CXL_DC_BY_HOST, &fx);
    }
    dc_effects_run(dc, &fx);
    return rc;
}

CXLRetCode cxl_dc_host_respond(CXLDynCap *dc, uint16_t host,
                               const CXLDCRange *ranges, size_t n, bool more)
{
    g_autofree CXLDCRange *own = NULL;
    const CXLDCRange *list;
    CXLRetCode rc;
    size_t total;
    DCHost *h;

    if (host >= dc->config.nr_hosts) {
        return CXL_RC_INVALID_INPUT;
    }
    h = &dc->host[host];
    own = dc_ranges_of_host(h, &ranges, n);
    if (QTAILQ_EMPTY(&h->groups)) {
        /* Unsure what a host hears that answers nothing */
        dc_partial_clear(h);
        rc = n ? CXL_RC_INVALID_PHYS_ADDR : CXL_RC_INVALID_INPUT;
    } else {
        rc = dc_partial_join(dc, h, DC_CHAIN_RESPOND, ranges, n, more, &list,
                             &total);
        if (rc != CXL_RC_SUCCESS || !more) {
            rc = dc_host_respond(dc, host, list, total, rc);
            dc_partial_clear(h);
        }
    }
    if (rc != CXL_RC_SUCCESS) {
        trace_cxl_dc_accept_refused(host, n, cxl_rc_name(rc));
    }
    return rc;
}

/* -- Release Dynamic Capacity --------------------------------------------- */

static CXLRetCode dc_host_release(CXLDynCap *dc, uint16_t host,
                                  const CXLDCRange *range, size_t n,
                                  GArray *sorted, GArray *fragments)
{
    DCHost *h = &dc->host[host];
    uint64_t left, missing;
    DCEffects fx;

    if (dc_ranges_malformed(dc, range, n)) {
        return CXL_RC_INVALID_EXTENT_LIST;
    }
    g_array_append_vals(sorted, range, n);
    g_array_sort(sorted, dc_compare_range);
    for (size_t i = 0; i < n; i++) {
        const CXLDCRange *r = &g_array_index(sorted, CXLDCRange, i);

        /*
         * Unsure whether capacity that was force-released is an error; it is
         * not in the list any more and gets 0Fh like all that is not.
         */
        if (cxl_dc_region_of(dc, r->dpa, r->len) < 0 ||
            !dc_split_range(h, r->dpa, r->len, fragments, NULL, &missing)) {
            return CXL_RC_INVALID_PHYS_ADDR;
        }
    }
    if (dc_fragments_split_share(dc, host, fragments)) {
        return CXL_RC_INVALID_EXTENT_LIST;
    }
    if (!dc_fragments_fit(dc, h, fragments, &left)) {
        return CXL_RC_RESOURCES_EXHAUSTED;
    }

    dc_effects_init(&fx, host, CXL_DC_EV_RELEASED);
    dc_fragments_release(dc, host, fragments, false, &fx);
    dc_effects_report(&fx, CXL_DC_RELEASED, CXL_DC_BY_HOST);
    trace_cxl_dc_host_release(host, n, h->added.count);
    dc_effects_run(dc, &fx);
    return CXL_RC_SUCCESS;
}

CXLRetCode cxl_dc_host_release(CXLDynCap *dc, uint16_t host,
                               const CXLDCRange *ranges, size_t n, bool more)
{
    g_autofree CXLDCRange *own = NULL;
    const CXLDCRange *list;
    CXLRetCode rc;
    size_t total;
    DCHost *h;

    if (host >= dc->config.nr_hosts) {
        return CXL_RC_INVALID_INPUT;
    }
    h = &dc->host[host];
    own = dc_ranges_of_host(h, &ranges, n);
    if (!n) {
        rc = CXL_RC_INVALID_INPUT;
    } else {
        rc = dc_partial_join(dc, h, DC_CHAIN_RELEASE, ranges, n, more, &list,
                             &total);
    }
    if (rc != CXL_RC_SUCCESS) {
        dc_partial_clear(h);
    } else if (!more) {
        g_autoptr(GArray) sorted = g_array_new(FALSE, FALSE,
                                               sizeof(CXLDCRange));
        g_autoptr(GArray) fragments = g_array_new(FALSE, FALSE,
                                                  sizeof(DCFragment));

        rc = dc_host_release(dc, host, list, total, sorted, fragments);
        dc_partial_clear(h);
    }
    if (rc != CXL_RC_SUCCESS) {
        trace_cxl_dc_host_release_refused(host, n, cxl_rc_name(rc));
    }
    return rc;
}
