/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity model: the object, its counters and lists, and how
 * consequences reach the owner (CXL r3.2 9.13.3, 8.2.10.9.9).
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "dc-internal.h"

static const CXLDCOps no_ops;

static CXLDynCap *dc_build(const CXLDCConfig *config, const CXLDCOps *ops,
                           void *opaque)
{
    CXLDynCap *dc = g_new0(CXLDynCap, 1);

    dc->config = *config;
    dc->ops = ops ? ops : &no_ops;
    dc->opaque = opaque;
    dc->region = g_new0(DCRegion, config->nr_regions);
    for (unsigned i = 0; i < config->nr_regions; i++) {
        DCRegion *r = &dc->region[i];

        r->pub = config->region[i];
        dc_free_range(dc, i, r->pub.base, r->pub.len);
    }
    dc->host = g_new0(DCHost, config->nr_hosts);
    for (unsigned h = 0; h < config->nr_hosts; h++) {
        QTAILQ_INIT(&dc->host[h].groups);
        dc->host[h].map = g_new0(DCMap, config->nr_regions);
        for (unsigned i = 0; i < config->nr_regions; i++) {
            dc->host[h].dsmad_handle[i] = config->region[i].dsmad_handle;
        }
    }
    dc_tags_init(dc);
    return dc;
}

CXLDynCap *cxl_dc_new(const CXLDCConfig *config, const CXLDCOps *ops,
                      void *opaque, Error **errp)
{
    if (!config->nr_hosts || config->nr_hosts > CXL_DC_MAX_HOSTS) {
        error_setg(errp, "%u hosts: a dynamic capacity device has 1..%d",
                   config->nr_hosts, CXL_DC_MAX_HOSTS);
        return NULL;
    }
    if (!config->nr_regions || config->nr_regions > CXL_DC_MAX_REGIONS) {
        error_setg(errp, "%u DC regions: there may be 1..%d",
                   config->nr_regions, CXL_DC_MAX_REGIONS);
        return NULL;
    }
    if (!config->max_extents) {
        error_setg(errp, "0 extents: at least one must be tracked");
        return NULL;
    }
    for (unsigned i = 0; i < config->nr_regions; i++) {
        if (!dc_check_region(config, i, errp)) {
            return NULL;
        }
    }
    return dc_build(config, ops, opaque);
}

CXLDynCap *dc_new_like(const CXLDynCap *dc)
{
    CXLDynCap *other = dc_build(&dc->config, NULL, NULL);

    for (unsigned h = 0; h < dc->config.nr_hosts; h++) {
        other->host[h].base = dc->host[h].base;
        memcpy(other->host[h].dsmad_handle, dc->host[h].dsmad_handle,
               sizeof(dc->host[h].dsmad_handle));
    }
    return other;
}

void dc_swap_content(CXLDynCap *a, CXLDynCap *b)
{
    CXLDynCap was_a = *a;

    *a = *b;
    a->ops = was_a.ops;
    a->opaque = was_a.opaque;
    was_a.ops = b->ops;
    was_a.opaque = b->opaque;
    *b = was_a;
    /* The list heads are inside the host arrays, which moved as a whole */
}

void cxl_dc_forget(CXLDynCap *dc)
{
    CXLDynCap *fresh = dc_new_like(dc);

    dc_swap_content(dc, fresh);
    cxl_dc_free(fresh);
}

void cxl_dc_free(CXLDynCap *dc)
{
    DCGroup *group, *next;

    if (!dc) {
        return;
    }
    for (unsigned h = 0; h < dc->config.nr_hosts; h++) {
        DCHost *host = &dc->host[h];

        QTAILQ_FOREACH_SAFE(group, &host->groups, next, next) {
            g_free(group);
        }
        dc_added_clear(dc, host);
        dc_set_clear(&host->pending);
        dc_set_clear(&host->release_pending);
        dc_partial_clear(host);
    }
    for (unsigned i = 0; i < dc->config.nr_regions; i++) {
        dc_set_clear(&dc->region[i].holes);
    }
    dc_tags_free(dc);
    dc_fence_free(dc);
    g_free(dc->host);
    g_free(dc->region);
    g_free(dc);
}

/* -- addresses of a host -------------------------------------------------- */

bool cxl_dc_set_host_base(CXLDynCap *dc, uint16_t host, uint64_t base,
                          Error **errp)
{
    const CXLDCRegion *last = &dc->config.region[dc->config.nr_regions - 1];
    DCHost *h;

    if (!dc_has_host(dc, host, errp)) {
        return false;
    }
    h = &dc->host[host];
    if (h->added.count || !QTAILQ_EMPTY(&h->groups)) {
        error_setg(errp, "host %u has capacity or offers already", host);
        return false;
    }
    if (base > UINT64_MAX - last->base - last->decode_len) {
        error_setg(errp, "regions that begin at 0x%" PRIx64 " leave the "
                   "address space", base);
        return false;
    }
    for (unsigned i = 0; i < dc->config.nr_regions; i++) {
        uint64_t largest = pow2floor(dc->config.region[i].block_mask);

        if (!QEMU_IS_ALIGNED(base, largest)) {
            error_setg(errp, "0x%" PRIx64 " is not a multiple of 0x%" PRIx64
                       ", the largest block size that region %u may be given",
                       base, largest, i);
            return false;
        }
    }
    h->base = base;
    return true;
}

uint64_t cxl_dc_host_base(const CXLDynCap *dc, uint16_t host)
{
    return host < dc->config.nr_hosts ? dc->host[host].base : 0;
}

void cxl_dc_set_dsmad_handle(CXLDynCap *dc, uint16_t host, unsigned region,
                             uint32_t handle)
{
    dc->host[host].dsmad_handle[region] = handle;
}

uint32_t cxl_dc_dsmad_handle(const CXLDynCap *dc, uint16_t host,
                             unsigned region)
{
    return dc->host[host].dsmad_handle[region];
}

CXLDCRange *dc_ranges_of_host(const DCHost *h, const CXLDCRange **ranges,
                              size_t n)
{
    CXLDCRange *own;

    if (!h->base || !n) {
        return NULL;
    }
    *ranges = own = g_memdup2(*ranges, n * sizeof(*own));
    for (size_t i = 0; i < n; i++) {
        own[i].dpa -= h->base;
    }
    return own;
}

CXLDCExtent *dc_extents_of_host(const DCHost *h, const CXLDCExtent **extents,
                                size_t n)
{
    CXLDCExtent *own;

    if (!h->base || !n) {
        return NULL;
    }
    *extents = own = g_memdup2(*extents, n * sizeof(*own));
    for (size_t i = 0; i < n; i++) {
        own[i].dpa -= h->base;
    }
    return own;
}

/* -- questions ------------------------------------------------------------ */

uint16_t cxl_dc_nr_hosts(const CXLDynCap *dc)
{
    return dc->config.nr_hosts;
}

uint8_t cxl_dc_nr_regions(const CXLDynCap *dc)
{
    return dc->config.nr_regions;
}

const CXLDCRegion *cxl_dc_region(const CXLDynCap *dc, unsigned region)
{
    return region < dc->config.nr_regions ? &dc->region[region].pub : NULL;
}

bool dc_has_host(const CXLDynCap *dc, unsigned host, Error **errp)
{
    if (host >= dc->config.nr_hosts) {
        error_setg(errp, "host ID %u is not valid: the highest is %u", host,
                   dc->config.nr_hosts - 1);
        return false;
    }
    return true;
}

bool cxl_dc_has_region(const CXLDynCap *dc, unsigned region, Error **errp)
{
    if (region >= dc->config.nr_regions) {
        error_setg(errp, "region id is too large: %u, the highest is %u",
                   region, dc->config.nr_regions - 1);
        return false;
    }
    return true;
}

uint64_t cxl_dc_total_capacity(const CXLDynCap *dc)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < dc->config.nr_regions; i++) {
        sum += dc->region[i].pub.len;
    }
    return sum;
}

uint64_t dc_used_extents(const CXLDynCap *dc, const DCHost *h)
{
    return (uint64_t)h->added.count + h->pending.count + dc->orphan_extents;
}

uint64_t dc_used_tags(const CXLDynCap *dc, const DCHost *h)
{
    return (uint64_t)h->nr_tags + dc->orphan_tags;
}

/*
 * What only the FM references counts for every host.  It was added under the
 * limits of others, so that the sum may exceed this host's limit: 0 then.
 */
void cxl_dc_usage(const CXLDynCap *dc, uint16_t host, CXLDCUsage *usage)
{
    uint64_t extents = 0, tags = 0;

    if (host < dc->config.nr_hosts) {
        extents = dc_used_extents(dc, &dc->host[host]);
        tags = dc_used_tags(dc, &dc->host[host]);
    }
    usage->extents_supported = dc->config.max_extents;
    usage->extents_available = dc->config.max_extents -
                               MIN(extents, dc->config.max_extents);
    usage->tags_supported = dc->config.max_tags;
    usage->tags_available = dc->config.max_tags -
                            MIN(tags, dc->config.max_tags);
}

uint32_t cxl_dc_extent_count(const CXLDynCap *dc, uint16_t host)
{
    return host < dc->config.nr_hosts ? dc->host[host].added.count : 0;
}

uint32_t cxl_dc_generation(const CXLDynCap *dc, uint16_t host)
{
    return host < dc->config.nr_hosts ? dc->host[host].generation : 0;
}

void dc_fill_extent(CXLDCExtent *e, uint64_t dpa, uint64_t len,
                    const DCTag *tag, uint16_t seq)
{
    memset(e, 0, sizeof(*e));
    e->dpa = dpa;
    e->len = len;
    e->seq = seq;
    if (tag) {
        e->tag = tag->uuid;
    }
}

/* From @rec on to the one that holds @last */
static void dc_walk_extents(const DCHost *h, const DCRec *rec, DCCursor *cur,
                            uint64_t last, CXLDCExtentFn *fn, void *opaque)
{
    CXLDCExtent extent;

    for (; rec && rec->dpa <= last; rec = dc_set_next(cur)) {
        dc_fill_extent(&extent, h->base + rec->dpa, rec->len, rec->ref,
                       rec->seq);
        if (!fn(opaque, &extent)) {
            return;
        }
    }
}

/* The list is in DPA order: what does not change keeps its order */
void cxl_dc_extents(const CXLDynCap *dc, uint16_t host, uint32_t start,
                    CXLDCExtentFn *fn, void *opaque)
{
    const DCRec *rec;
    const DCHost *h;
    DCCursor cur;

    if (host >= dc->config.nr_hosts) {
        return;
    }
    h = &dc->host[host];
    rec = dc_set_nth(&h->added, start, &cur);
    dc_walk_extents(h, rec, &cur, UINT64_MAX, fn, opaque);
}

void cxl_dc_extents_in(const CXLDynCap *dc, uint16_t host,
                       const CXLDCRange *range, CXLDCExtentFn *fn, void *opaque)
{
    const DCHost *h = &dc->host[host];
    uint64_t dpa = range->dpa - h->base;
    const DCRec *rec;
    DCCursor cur;

    rec = dc_set_from(&h->added, dpa, &cur);
    dc_walk_extents(h, rec, &cur, dpa + (range->len - 1), fn, opaque);
}

void cxl_dc_pending(const CXLDynCap *dc, uint16_t host, CXLDCPendingFn *fn,
                    void *opaque)
{
    const DCGroup *group;
    CXLDCExtent extent;
    unsigned nr = 0;
    const DCHost *h;

    if (host >= dc->config.nr_hosts) {
        return;
    }
    h = &dc->host[host];
    QTAILQ_FOREACH(group, &h->groups, next) {
        for (uint32_t i = 0; i < group->nr_parts; i++) {
            const DCPart *part = &group->part[i];

            dc_fill_extent(&extent, h->base + part->dpa, part->len, part->tag,
                           part->seq);
            if (!fn(opaque, nr, group->dead, &extent)) {
                return;
            }
        }
        nr++;
    }
}

void cxl_dc_release_requests(const CXLDynCap *dc, uint16_t host,
                             CXLDCRangeFn *fn, void *opaque)
{
    const DCRec *rec;
    const DCHost *h;
    DCCursor cur;

    if (host >= dc->config.nr_hosts) {
        return;
    }
    h = &dc->host[host];
    rec = dc_set_nth(&h->release_pending, 0, &cur);
    for (; rec; rec = dc_set_next(&cur)) {
        CXLDCRange range = { h->base + rec->dpa, rec->len };

        if (!fn(opaque, &range, rec->flags & DC_REC_SANITIZE)) {
            return;
        }
    }
}

size_t cxl_dc_memory(const CXLDynCap *dc)
{
    size_t sum = sizeof(*dc) + dc->config.nr_regions * sizeof(DCRegion) +
                 dc->config.nr_hosts * sizeof(DCHost);

    for (unsigned i = 0; i < dc->config.nr_regions; i++) {
        sum += dc_set_memory(&dc->region[i].holes);
    }
    for (unsigned h = 0; h < dc->config.nr_hosts; h++) {
        const DCHost *host = &dc->host[h];

        sum += dc_added_memory(dc, host) + dc_set_memory(&host->pending) +
               dc_set_memory(&host->release_pending) + host->group_bytes;
        if (host->partial) {
            sum += host->partial->len * sizeof(CXLDCRange);
        }
    }
    /* glib's table: a pointer and a hash, and as much again to grow into */
    sum += dc->tag_list.count * 24;
    sum += dc_set_memory(&dc->tag_list) + dc_set_memory(&dc->shared_tags);
    return sum + dc->tag_bytes;
}

/* -- consequences --------------------------------------------------------- */

int dc_compare_range(gconstpointer a, gconstpointer b)
{
    const CXLDCRange *ra = a, *rb = b;

    return ra->dpa < rb->dpa ? -1 : ra->dpa > rb->dpa;
}

bool dc_host_is_present(CXLDynCap *dc, uint16_t host)
{
    return !dc->ops->present || dc->ops->present(dc->opaque, host);
}

/* @records is 64 bit: a count out of a payload must not wrap */
bool dc_log_has_space(CXLDynCap *dc, uint16_t host, uint64_t records)
{
    return !dc->ops->log_space ||
           records <= dc->ops->log_space(dc->opaque, host);
}

void dc_effects_init(DCEffects *fx, uint16_t host, CXLDCEventType type)
{
    memset(fx, 0, sizeof(*fx));
    fx->host = host;
    fx->type = type;
    fx->on = g_array_new(FALSE, FALSE, sizeof(CXLDCRange));
    fx->off = g_array_new(FALSE, FALSE, sizeof(CXLDCRange));
    fx->wipe = g_array_new(FALSE, FALSE, sizeof(CXLDCRange));
    fx->records = g_array_new(FALSE, FALSE, sizeof(CXLDCExtent));
    fx->reports = g_array_new(FALSE, FALSE, sizeof(DCReport));
    fx->reported = g_array_new(FALSE, FALSE, sizeof(CXLDCExtent));
}

void dc_range_append(GArray *list, uint64_t dpa, uint64_t len)
{
    CXLDCRange range = { dpa, len };

    g_array_append_val(list, range);
}

/* As many extents as follow each other in a region are one consequence */
void dc_effects_range(const CXLDynCap *dc, GArray *list, uint64_t dpa,
                      uint64_t len)
{
    CXLDCRange *last = list->len ? &g_array_index(list, CXLDCRange,
                                                  list->len - 1) : NULL;

    if (last && last->dpa + last->len == dpa &&
        dc->region[dc_region_at(dc, dpa)].pub.base != dpa) {
        last->len += len;
    } else {
        dc_range_append(list, dpa, len);
    }
}

void dc_effects_record(DCEffects *fx, uint64_t dpa, uint64_t len,
                       const DCTag *tag, uint16_t seq)
{
    CXLDCExtent extent;

    dc_fill_extent(&extent, dpa, len, tag, seq);
    g_array_append_val(fx->records, extent);
}

void dc_effects_report(DCEffects *fx, CXLDCOutcome what, CXLDCReason why)
{
    DCReport report = { what, why, fx->records->len };

    if (report.n) {
        g_array_append_val(fx->reports, report);
        g_array_append_vals(fx->reported, fx->records->data,
                            MIN(report.n, CXL_DC_REPORT_EXTENTS));
    }
}

static void dc_run_access(CXLDynCap *dc, uint16_t host, const GArray *list,
                          bool on)
{
    for (guint i = 0; dc->ops->access && i < list->len; i++) {
        CXLDCRange range = g_array_index(list, CXLDCRange, i);

        range.dpa += dc->host[host].base;
        dc->ops->access(dc->opaque, host, &range, on);
    }
    if (dc->ops->commit && list->len) {
        dc->ops->commit(dc->opaque);
    }
}

static void dc_run_log(CXLDynCap *dc, const DCEffects *fx)
{
    CXLDCEvent event = {
        .type = fx->type, .host = fx->host, .region = fx->region,
    };
    CXLDCUsage usage;

    if (!dc->ops->log) {
        return;
    }
    cxl_dc_usage(dc, fx->host, &usage);
    event.avail_extents = usage.extents_available;
    event.avail_tags = usage.tags_available;
    for (guint i = 0; i < fx->records->len; i++) {
        event.extent = g_array_index(fx->records, CXLDCExtent, i);
        if (fx->type != CXL_DC_EV_REGION_UPDATED) {
            event.extent.dpa += dc->host[fx->host].base;
        }
        /* Groups exist in what goes to hosts; the FM's records stand alone */
        event.more = !cxl_dc_event_is_for_fm(fx->type) &&
                     i + 1 < fx->records->len;
        dc->ops->log(dc->opaque, &event);
    }
}

static void dc_run_report(CXLDynCap *dc, const DCEffects *fx)
{
    CXLDCExtent *e = (CXLDCExtent *)fx->reported->data;

    for (guint i = 0; i < fx->reported->len; i++) {
        e[i].dpa += dc->host[fx->host].base;
    }
    for (guint i = 0; dc->ops->report && i < fx->reports->len; i++) {
        const DCReport *r = &g_array_index(fx->reports, DCReport, i);

        dc->ops->report(dc->opaque, fx->host, r->what, r->why, e, r->n);
        e += MIN(r->n, CXL_DC_REPORT_EXTENTS);
    }
}

void dc_effects_run(CXLDynCap *dc, DCEffects *fx)
{
    dc_run_access(dc, fx->host, fx->off, false);
    dc_fence_sanitize(dc, fx->host, fx->wipe);
    for (guint i = 0; dc->ops->sanitize && i < fx->wipe->len; i++) {
        dc->ops->sanitize(dc->opaque, &g_array_index(fx->wipe, CXLDCRange, i));
    }
    if (dc->ops->commit && fx->wipe->len) {
        dc->ops->commit(dc->opaque);
    }
    dc_run_access(dc, fx->host, fx->on, true);
    dc_run_log(dc, fx);
    dc_run_report(dc, fx);
    g_array_free(fx->on, TRUE);
    g_array_free(fx->off, TRUE);
    g_array_free(fx->wipe, TRUE);
    g_array_free(fx->records, TRUE);
    g_array_free(fx->reports, TRUE);
    g_array_free(fx->reported, TRUE);
}
