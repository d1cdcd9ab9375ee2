/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL Type 3 memory device: dynamic capacity through QMP
 *
 * The monitor is one more Fabric Manager (CXL r3.2 7.6.7.6): it enters the
 * model by the same functions as commands 5604h and 5605h.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/qapi-commands-cxl.h"
#include "hw/cxl/cxl_error.h"
#include "cxl_type3_internal.h"

/* Entries of each list of a query unless the caller says otherwise */
#define QUERY_LIMIT 256

/**
 * struct DCTarget - whose capacity a command is about
 * @depth: records that the hosts' dynamic capacity logs hold; of a pool, which
 *         has none of a host, its own
 * @pool: that of a head, or the one that was named
 */
typedef struct DCTarget {
    CXLDynCap *dc;
    uint32_t depth;
    const CXLPool *pool;
} DCTarget;

static bool dc_is_here(const CXLPool *pool, Error **errp)
{
    if (cxl_pool_is_remote(pool)) {
        g_autofree char *id = cxl_echo(cxl_pool_id(pool));

        error_setg(errp, "cxl-pool '%s' is that of a cxl-poold: ask the daemon,"
                   " by its Fabric Manager", id);
        return false;
    }
    return true;
}

static bool dc_from_path(const char *path, DCTarget *t, Error **errp)
{
    Object *obj = path && *path ?
                  object_resolve_path_type(path, TYPE_CXL_POOL, NULL) : NULL;
    CXLType3Dev *d;

    if (obj && !dc_is_here(CXL_POOL(obj), errp)) {
        return false;
    }
    if (obj && cxl_pool_dc(CXL_POOL(obj))) {
        *t = (DCTarget) {
            .dc = cxl_pool_dc(CXL_POOL(obj)),
            .depth = cxl_pool_log_depth(CXL_POOL(obj)),
            .pool = CXL_POOL(obj),
        };
        return true;
    }
    d = cxl_type3_from_path(path, errp);
    if (d && !d->dc) {
        g_autofree char *id = cxl_echo(DEVICE(d)->id ?: "cxl-type3");

        error_setg(errp, "No dynamic capacity support from the device: the "
                   "property 'num-dc-regions' of '%s' is 0", id);
        return false;
    }
    if (d && d->pool && !dc_is_here(d->pool, errp)) {
        return false;
    }
    if (d) {
        *t = (DCTarget) {
            .dc = d->dc, .depth = d->dc_log_depth, .pool = d->pool,
        };
    }
    return d;
}

/* No tag and an empty string both mean: untagged */
static bool tag_from_qmp(const char *text, QemuUUID *tag, Error **errp)
{
    memset(tag, 0, sizeof(*tag));
    if (text && *text && qemu_uuid_parse(text, tag)) {
        g_autofree char *shown = cxl_echo(text);

        error_setg(errp, "tag '%s' is not a UUID: give 32 hexadecimal digits "
                   "as 8-4-4-4-12", shown);
        return false;
    }
    return true;
}

/*
 * Extents count from the start of a region, so that one beyond its end is an
 * error even if it would hit the next region.  The model checks the rest.
 */
static GArray *extents_from_qmp(const CXLDynCap *dc, uint16_t host,
                                unsigned region, const QemuUUID *tag,
                                const CxlDynamicCapacityExtentList *list,
                                Error **errp)
{
    const CXLDCRegion *r = cxl_dc_region(dc, region);
    g_autoptr(GArray) out = g_array_new(false, true, sizeof(CXLDCExtent));

    if (!cxl_dc_has_region(dc, region, errp)) {
        return NULL;
    }
    for (; list; list = list->next) {
        const CxlDynamicCapacityExtent *in = list->value;
        CXLDCExtent e = { .len = in->len, .tag = *tag };

        if (!in->len) {
            error_setg(errp, "extent with 0 length is not allowed: offset "
                       "0x%" PRIx64, in->offset);
            return NULL;
        }
        if ((in->offset | in->len) % r->block_size) {
            error_setg(errp, "dpa or len is not aligned to region block size: "
                       "offset 0x%" PRIx64 ", len 0x%" PRIx64 ", block size "
                       "0x%" PRIx64, in->offset, in->len, r->block_size);
            return NULL;
        }
        if (in->offset > r->len || in->len > r->len - in->offset) {
            error_setg(errp, "extent range is beyond the region end: offset "
                       "0x%" PRIx64 ", len 0x%" PRIx64 ", region length "
                       "0x%" PRIx64, in->offset, in->len, r->len);
            return NULL;
        }
        e.dpa = cxl_dc_host_base(dc, host) + r->base + in->offset;
        /* The caller has no way to number the parts of what is shared */
        e.seq = r->sharable ? out->len : 0;
        g_array_append_val(out, e);
    }
    return g_steal_pointer(&out);
}

/* A policy must not ignore what the caller says */
static bool dc_is_left_out(bool given, const char *name, const char *kind,
                           const char *policy, Error **errp)
{
    if (given) {
        error_setg(errp, "argument '%s' does not belong to %s policy '%s'",
                   name, kind, policy);
    }
    return !given;
}

static bool add_policy(CxlExtentSelectionPolicy in, uint8_t *out, Error **errp)
{
    switch (in) {
    case CXL_EXTENT_SELECTION_POLICY_FREE:
        *out = CXL_DC_ADD_FREE;
        return true;
    case CXL_EXTENT_SELECTION_POLICY_CONTIGUOUS:
        *out = CXL_DC_ADD_CONTIGUOUS;
        return true;
    case CXL_EXTENT_SELECTION_POLICY_PRESCRIPTIVE:
        *out = CXL_DC_ADD_PRESCRIPTIVE;
        return true;
    case CXL_EXTENT_SELECTION_POLICY_ENABLE_SHARED_ACCESS:
        *out = CXL_DC_ADD_SHARED;
        return true;
    default:
        error_setg(errp, "Selection policy not supported");
        return false;
    }
}

/* The model explains every refusal; its code says the same to a machine */
static void dc_error(CXLRetCode rc, Error *err, Error **errp)
{
    if (rc != CXL_RC_SUCCESS && !err) {
        error_setg(&err, "%s", cxl_rc_name(rc));
    }
    error_propagate(errp, err);
}

void qmp_cxl_add_dynamic_capacity(
    const char *path, uint16_t host_id, uint8_t region,
    CxlExtentSelectionPolicy selection_policy, bool has_length, uint64_t length,
    bool has_extents, CxlDynamicCapacityExtentList *extents, const char *tag,
    Error **errp)
{
    CXLDCAddRequest req = { .host = host_id, .region = region, .len = length };
    const char *policy = CxlExtentSelectionPolicy_str(selection_policy);
    g_autoptr(GArray) list = NULL;
    Error *err = NULL;
    CXLRetCode rc;
    DCTarget t;

    if (!dc_from_path(path, &t, errp) ||
        !add_policy(selection_policy, &req.policy, errp) ||
        !tag_from_qmp(tag, &req.tag, errp)) {
        return;
    }
    if (!dc_is_left_out(has_length && (req.policy == CXL_DC_ADD_PRESCRIPTIVE ||
                                       req.policy == CXL_DC_ADD_SHARED),
                        "length", "selection", policy, errp) ||
        !dc_is_left_out(has_extents && req.policy != CXL_DC_ADD_PRESCRIPTIVE,
                        "extents", "selection", policy, errp)) {
        return;
    }
    switch (req.policy) {
    case CXL_DC_ADD_PRESCRIPTIVE:
        list = extents_from_qmp(t.dc, host_id, region, &req.tag, extents,
                                errp);
        if (!list) {
            return;
        }
        req.extents = (const CXLDCExtent *)list->data;
        req.nr_extents = list->len;
        break;
    case CXL_DC_ADD_SHARED:
        if (!tag || !*tag) {
            error_setg(errp, "selection policy 'enable-shared-access' needs "
                       "argument 'tag'");
            return;
        }
        break;
    default:
        if (!has_length) {
            error_setg(errp, "selection policy '%s' needs argument 'length'",
                       policy);
            return;
        }
        break;
    }
    rc = cxl_dc_add(t.dc, &req, &err);
    dc_error(rc, err, errp);
}

typedef struct TagSum {
    const QemuUUID *tag;
    uint64_t len;
} TagSum;

static bool sum_accepted(void *opaque, const CXLDCExtent *e)
{
    TagSum *sum = opaque;

    if (qemu_uuid_is_equal(&e->tag, sum->tag)) {
        sum->len += e->len;
    }
    return true;
}

static bool sum_pending(void *opaque, unsigned group, bool dead,
                        const CXLDCExtent *e)
{
    return sum_accepted(opaque, e);
}

/* All that a host has under a tag, accepted or (for force) only offered */
static uint64_t tagged_len(const CXLDynCap *dc, uint16_t host,
                           const QemuUUID *tag, bool forced)
{
    TagSum sum = { .tag = tag };

    if (host < cxl_dc_nr_hosts(dc)) {
        cxl_dc_extents(dc, host, 0, sum_accepted, &sum);
        if (forced) {
            cxl_dc_pending(dc, host, sum_pending, &sum);
        }
    }
    return sum.len;
}

void qmp_cxl_release_dynamic_capacity(
    const char *path, uint16_t host_id, CxlExtentRemovalPolicy removal_policy,
    bool has_region, uint8_t region,
    bool has_extents, CxlDynamicCapacityExtentList *extents, const char *tag,
    bool has_length, uint64_t length,
    bool has_sanitize_on_release, bool sanitize_on_release,
    bool has_forced_removal, bool forced_removal, Error **errp)
{
    CXLDCReleaseRequest req = {
        .host = host_id,
        .forced = forced_removal,
        .sanitize = sanitize_on_release,
    };
    const char *policy = CxlExtentRemovalPolicy_str(removal_policy);
    g_autoptr(GArray) list = NULL;
    Error *err = NULL;
    CXLRetCode rc;
    DCTarget t;

    if (!dc_from_path(path, &t, errp) ||
        !tag_from_qmp(tag, &req.tag, errp)) {
        return;
    }
    switch (removal_policy) {
    case CXL_EXTENT_REMOVAL_POLICY_TAG_BASED:
        if (!dc_is_left_out(has_region, "region", "removal", policy, errp) ||
            !dc_is_left_out(has_extents, "extents", "removal", policy, errp)) {
            return;
        }
        if (!tag || !*tag) {
            error_setg(errp, "removal policy 'tag-based' needs argument 'tag'");
            return;
        }
        req.policy = CXL_DC_RELEASE_TAG;
        req.len = has_length ? length
                             : tagged_len(t.dc, host_id, &req.tag, req.forced);
        if (!has_length && !req.len && host_id < cxl_dc_nr_hosts(t.dc)) {
            error_setg(errp, "host %u has accepted nothing with tag '%s'%s",
                       host_id, tag,
                       req.forced ? ", and was offered nothing" : "");
            return;
        }
        break;
    case CXL_EXTENT_REMOVAL_POLICY_PRESCRIPTIVE:
        if (!dc_is_left_out(has_length, "length", "removal", policy, errp)) {
            return;
        }
        if (!has_region) {
            error_setg(errp, "removal policy 'prescriptive' needs argument "
                       "'region'");
            return;
        }
        list = extents_from_qmp(t.dc, host_id, region, &req.tag, extents,
                                errp);
        if (!list) {
            return;
        }
        req.policy = CXL_DC_RELEASE_PRESCRIPTIVE;
        req.extents = (const CXLDCExtent *)list->data;
        req.nr_extents = list->len;
        break;
    default:
        error_setg(errp, "Removal policy not supported");
        return;
    }
    rc = cxl_dc_release(t.dc, &req, &err);
    dc_error(rc, err, errp);
}

/* -- query ---------------------------------------------------------------- */

static CxlDynamicCapacityRegion *query_region(const CXLDCRegion *r)
{
    CxlDynamicCapacityRegion *out = g_new0(CxlDynamicCapacityRegion, 1);

    out->base = r->base;
    out->decode_length = r->decode_len;
    out->length = r->len;
    out->block_size = r->block_size;
    out->block_sizes = r->block_mask;
    out->dsmad_handle = r->dsmad_handle;
    out->sanitize = r->sanitize;
    out->sanitize_configurable = r->sanitize_configurable;
    out->non_volatile = r->non_volatile;
    out->sharable = r->sharable;
    out->hw_coherent = r->hw_coherent;
    out->read_only = r->read_only;
    return out;
}

/**
 * struct QueryList - a list under construction
 * @skip: entries before the first one that is wanted
 * @left: entries still wanted
 * @total: entries seen
 */
typedef struct QueryList {
    const CXLDynCap *dc;
    uint16_t host;
    uint32_t skip;
    uint32_t left;
    uint32_t total;
    CxlDynamicCapacityRangeList **ranges;
    CxlDynamicCapacityRequestList **requests;
    CxlDynamicCapacityOfferList **offers;
    CxlDynamicCapacityTagList **tags;
    CxlDynamicCapacityOffer *offer;
    unsigned group;
} QueryList;

/* Is the next entry one of those that the caller wants to see? */
static bool query_wants(QueryList *q)
{
    bool wants = q->total >= q->skip && q->left;

    q->total++;
    q->left -= wants;
    return wants;
}

static bool query_extent(void *opaque, const CXLDCExtent *e)
{
    QueryList *q = opaque;

    if (!query_wants(q)) {
        return false;
    }
    QAPI_LIST_APPEND(q->ranges, cxl_type3_dc_range(q->dc, q->host, e));
    return true;
}

static bool query_pending(void *opaque, unsigned group, bool dead,
                          const CXLDCExtent *e)
{
    QueryList *q = opaque;

    if (!query_wants(q)) {
        return true;    /* to count them all */
    }
    if (!q->offer || q->group != group) {
        q->offer = g_new0(CxlDynamicCapacityOffer, 1);
        q->offer->withdrawn = dead;
        q->group = group;
        q->ranges = &q->offer->extents;
        QAPI_LIST_APPEND(q->offers, q->offer);
    }
    QAPI_LIST_APPEND(q->ranges, cxl_type3_dc_range(q->dc, q->host, e));
    return true;
}

static bool query_request(void *opaque, const CXLDCRange *range, bool sanitize)
{
    QueryList *q = opaque;
    CxlDynamicCapacityRequest *out;

    if (!query_wants(q)) {
        return true;
    }
    out = g_new0(CxlDynamicCapacityRequest, 1);
    out->dpa = range->dpa;
    out->len = range->len;
    out->sanitize = sanitize;
    QAPI_LIST_APPEND(q->requests, out);
    return true;
}

/* Sets *@more if some list goes on behind what is shown */
static CxlDynamicCapacityHost *query_host(const DCTarget *t, uint16_t host,
                                          uint32_t start, uint32_t limit,
                                          bool *more)
{
    CxlDynamicCapacityHost *out = g_new0(CxlDynamicCapacityHost, 1);
    const CXLDynCap *dc = t->dc;
    QueryList accepted = {
        .dc = dc, .host = host, .left = limit, .ranges = &out->accepted,
    };
    QueryList pending = {
        .dc = dc, .host = host, .skip = start, .left = limit,
        .offers = &out->pending,
    };
    QueryList asked = {
        .skip = start, .left = limit, .requests = &out->release_requests,
    };
    uint64_t end = (uint64_t)start + limit;
    CXLDCUsage usage;

    cxl_dc_usage(dc, host, &usage);
    out->host_id = host;
    out->dpa_base = cxl_dc_host_base(dc, host);
    if (t->pool) {
        DeviceState *head = cxl_pool_head(t->pool, host);

        out->head = head ? object_get_canonical_path(OBJECT(head)) : NULL;
    }
    out->generation = cxl_dc_generation(dc, host);
    out->accepted_count = cxl_dc_extent_count(dc, host);
    out->extents_supported = usage.extents_supported;
    out->extents_available = usage.extents_available;
    out->tags_supported = usage.tags_supported;
    out->tags_available = usage.tags_available;
    cxl_dc_extents(dc, host, start, query_extent, &accepted);
    cxl_dc_pending(dc, host, query_pending, &pending);
    cxl_dc_release_requests(dc, host, query_request, &asked);
    out->pending_count = pending.total;
    out->release_request_count = asked.total;
    *more |= out->accepted_count > end || pending.total > end ||
             asked.total > end;
    return out;
}

static uint16List *query_bitmap(const unsigned long *map)
{
    uint16List *list = NULL, **tail = &list;
    unsigned host;

    for (host = find_first_bit(map, CXL_DC_MAX_HOSTS); host < CXL_DC_MAX_HOSTS;
         host = find_next_bit(map, CXL_DC_MAX_HOSTS, host + 1)) {
        QAPI_LIST_APPEND(tail, host);
    }
    return list;
}

static bool query_tag(void *opaque, const CXLDCTagInfo *info)
{
    QueryList *q = opaque;
    CxlDynamicCapacityTag *out;

    if (!query_wants(q)) {
        return false;
    }
    out = g_new0(CxlDynamicCapacityTag, 1);
    out->tag = qemu_uuid_unparse_strdup(&info->tag);
    out->referenced = info->referenced;
    out->accepted = query_bitmap(info->accepted);
    out->pending = query_bitmap(info->pending);
    QAPI_LIST_APPEND(q->tags, out);
    return true;
}

CxlDynamicCapacityInfo *qmp_query_cxl_dynamic_capacity(
    const char *path, bool has_start, uint32_t start, bool has_limit,
    uint32_t limit, Error **errp)
{
    CxlDynamicCapacityRegionList **regions;
    CxlDynamicCapacityHostList **hosts;
    CxlDynamicCapacityInfo *out;
    QueryList tags = { 0 };
    DCTarget t;
    unsigned i;

    if (!dc_from_path(path, &t, errp)) {
        return NULL;
    }
    if (!has_start) {
        start = 0;
    }
    if (!has_limit) {
        limit = QUERY_LIMIT;
    }
    out = g_new0(CxlDynamicCapacityInfo, 1);
    out->tag_generation = cxl_dc_tag_generation(t.dc);
    out->tag_count = cxl_dc_tag_count(t.dc);
    out->log_depth = t.depth;

    regions = &out->regions;
    for (i = 0; i < cxl_dc_nr_regions(t.dc); i++) {
        QAPI_LIST_APPEND(regions, query_region(cxl_dc_region(t.dc, i)));
    }
    hosts = &out->hosts;
    for (i = 0; i < cxl_dc_nr_hosts(t.dc); i++) {
        QAPI_LIST_APPEND(hosts, query_host(&t, i, start, limit, &out->more));
    }
    tags.tags = &out->tags;
    tags.left = limit;
    cxl_dc_tags(t.dc, start, query_tag, &tags);
    out->more |= out->tag_count > (uint64_t)start + limit;
    return out;
}
