/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity model: Initiate Dynamic Capacity Add (CXL r3.2 7.6.7.6.5)
 * with the policies free, contiguous and enable shared access.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "dc-internal.h"
#include "trace/trace-hw_cxl.h"

/* -- checks that all policies share --------------------------------------- */

CXLRetCode dc_check_space(CXLDynCap *dc, uint16_t host, uint64_t extents,
                          uint64_t tags, bool counted, Error **errp)
{
    const DCHost *h = &dc->host[host];
    uint64_t used_extents = dc_used_extents(dc, h);
    uint64_t used_tags = dc_used_tags(dc, h);

    if (counted) {
        used_extents -= extents;
        used_tags -= tags;
    }
    if (used_extents + extents > dc->config.max_extents) {
        error_setg(errp, "%" PRIu64 " extents: host %u uses %" PRIu64 " of %u"
                   " ('dc-extents-max')", extents, host, used_extents,
                   dc->config.max_extents);
        return CXL_RC_RESOURCES_EXHAUSTED;
    }
    if (tags && used_tags + tags > dc->config.max_tags) {
        error_setg(errp, "%" PRIu64 " tags: host %u uses %" PRIu64 " of %u"
                   " ('dc-tags-max')", tags, host, used_tags,
                   dc->config.max_tags);
        return CXL_RC_RESOURCES_EXHAUSTED;
    }
    if (!dc_log_has_space(dc, host, extents)) {
        error_setg(errp, "%" PRIu64 " records do not fit in the event log of "
                   "host %u now: try again when it has read some", extents,
                   host);
        return CXL_RC_RETRY_REQUIRED;
    }
    return CXL_RC_SUCCESS;
}

static int dc_part_compare(const void *a, const void *b)
{
    const DCPart *pa = a, *pb = b;

    return pa->dpa < pb->dpa ? -1 : pa->dpa > pb->dpa;
}

/*
 * Records come in the order in which 4801h and 5603h list what is accepted: a
 * host that lays out a tag's extents in the order it hears of them finds the
 * same layout after a reset.
 */
void dc_offer(CXLDynCap *dc, uint16_t host, DCGroup *group)
{
    DCEffects fx;

    qsort(group->part, group->nr_parts, sizeof(DCPart), dc_part_compare);
    dc_group_append(dc, host, group);
    dc_effects_init(&fx, host, CXL_DC_EV_ADD);
    for (uint32_t i = 0; i < group->nr_parts; i++) {
        const DCPart *part = &group->part[i];

        dc_effects_record(&fx, part->dpa, part->len, part->tag, part->seq);
    }
    trace_cxl_dc_offer(host, group->nr_parts, group->part[0].dpa);
    dc_effects_run(dc, &fx);
}

/* -- policies free and contiguous ----------------------------------------- */

/*
 * Takes @len bytes in at most @limit extents, the fewest that holes allow: one
 * hole that fits, else the longest ones.  Gives all back if it fails.
 */
static bool dc_pick_ranges(CXLDynCap *dc, unsigned region, uint64_t len,
                           uint32_t limit, GArray *ranges)
{
    DCSet *holes = &dc->region[region].holes;

    while (len) {
        const DCRec *hole = dc_set_first_fit(holes, len);
        CXLDCRange range;

        if (!hole) {
            hole = dc_set_longest(holes);
        }
        if (!hole || ranges->len == limit) {
            for (guint i = 0; i < ranges->len; i++) {
                range = g_array_index(ranges, CXLDCRange, i);
                dc_free_range(dc, region, range.dpa, range.len);
            }
            return false;
        }
        range.dpa = hole->dpa;
        range.len = MIN(hole->len, len);
        dc_alloc_range(dc, region, range.dpa, range.len);
        g_array_append_val(ranges, range);
        len -= range.len;
    }
    g_array_sort(ranges, dc_compare_range);
    return true;
}

static CXLRetCode dc_check_sized(CXLDynCap *dc, const CXLDCAddRequest *req,
                                 Error **errp)
{
    const CXLDCRegion *r = &dc->region[req->region].pub;

    if (!req->len || !QEMU_IS_ALIGNED(req->len, r->block_size)) {
        error_setg(errp, "length 0x%" PRIx64 " is not a multiple of block size "
                   "0x%" PRIx64, req->len, r->block_size);
        return CXL_RC_INVALID_INPUT;
    }
    if (r->sharable && qemu_uuid_is_null(&req->tag)) {
        error_setg(errp, "region %u is sharable: a tag is needed",
                   req->region);
        return CXL_RC_INVALID_INPUT;
    }
    /*
     * Unsure whether a second allocation may use a live tag.  Hosts drop such
     * offers, and releases by tag would not know which one is meant: refused.
     */
    if (dc_tag_find(dc, &req->tag)) {
        g_autofree char *tag = dc_tag_name(&req->tag, errp);

        error_setg(errp, "tag %s is in use", tag);
        return CXL_RC_INVALID_INPUT;
    }
    return CXL_RC_SUCCESS;
}

static CXLRetCode dc_add_sized(CXLDynCap *dc, const CXLDCAddRequest *req,
                               Error **errp)
{
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(CXLDCRange));
    DCRegion *r = &dc->region[req->region];
    bool tagged = !qemu_uuid_is_null(&req->tag);
    CXLRetCode rc = dc_check_sized(dc, req, errp);
    DCTag *tag = NULL;
    CXLDCUsage usage;
    DCGroup *group;
    uint32_t limit, n;

    if (rc != CXL_RC_SUCCESS) {
        return rc;
    }
    cxl_dc_usage(dc, req->host, &usage);
    limit = usage.extents_available;
    if (req->policy == CXL_DC_ADD_CONTIGUOUS) {
        limit = MIN(limit, 1);
    }
    if (r->pub.sharable) {
        limit = MIN(limit, DC_MAX_SHARED_EXTENTS);
    }
    if (req->len > r->free ||
        !dc_pick_ranges(dc, req->region, req->len, limit, ranges)) {
        error_setg(errp, "length 0x%" PRIx64 ": region %u has 0x%" PRIx64
                   " bytes free, not all in %u extents", req->len, req->region,
                   r->free, limit);
        return CXL_RC_RESOURCES_EXHAUSTED;
    }
    n = ranges->len;
    rc = dc_check_space(dc, req->host, n, tagged, false, errp);
    if (rc != CXL_RC_SUCCESS) {
        for (uint32_t i = 0; i < n; i++) {
            const CXLDCRange *p = &g_array_index(ranges, CXLDCRange, i);

            dc_free_range(dc, req->region, p->dpa, p->len);
        }
        return rc;
    }

    if (tagged) {
        g_autofree CXLDCRange *spans = g_memdup2(ranges->data,
                                                 n * sizeof(*spans));

        if (!r->pub.sharable) {
            dc_merge_ranges(spans, &n);
        }
        tag = dc_tag_new(dc, &req->tag, req->region, spans, n);
    }
    group = dc_group_new(ranges->len);
    for (uint32_t i = 0; i < ranges->len; i++) {
        const CXLDCRange *p = &g_array_index(ranges, CXLDCRange, i);

        group->part[i].dpa = p->dpa;
        group->part[i].len = p->len;
        group->part[i].tag = tag;
        group->part[i].seq = r->pub.sharable ? i : 0;
    }
    dc_offer(dc, req->host, group);
    return CXL_RC_SUCCESS;
}

/* -- policy enable shared access ------------------------------------------ */

static CXLRetCode dc_check_share(CXLDynCap *dc, const CXLDCAddRequest *req,
                                 DCTag *tag, Error **errp)
{
    const CXLDCRegion *r = &dc->region[req->region].pub;
    g_autofree char *name = dc_tag_name(&req->tag, errp);

    if (!r->sharable) {
        error_setg(errp, "region %u is not sharable: property 'dc%u-sharable' "
                   "is off", req->region, req->region);
        return CXL_RC_INVALID_INPUT;
    }
    if (!tag || !tag->sharable) {
        error_setg(errp, "tag %s names no sharable capacity", name);
        return CXL_RC_INVALID_INPUT;
    }
    if (dc_tag_ref(tag, req->host)) {
        error_setg(errp, "tag %s: cannot add DPA already accessible to the "
                   "same LD or offered to it", name);
        return CXL_RC_INVALID_INPUT;
    }
    for (uint32_t i = 0; i < tag->nr_parts; i++) {
        if (!QEMU_IS_ALIGNED(tag->part[i].len, r->block_size)) {
            error_setg(errp, "tag %s: length 0x%" PRIx64 " is not a multiple "
                       "of block size 0x%" PRIx64 " of region %u", name,
                       tag->part[i].len, r->block_size, req->region);
            return CXL_RC_INVALID_INPUT;
        }
    }
    return CXL_RC_SUCCESS;
}

/* Addresses in another region than the medium's; NULL if they do not fit */
static DCAlias *dc_alias_new(CXLDynCap *dc, const DCTag *tag, unsigned region)
{
    DCAlias *alias = g_malloc0(sizeof(*alias) +
                               tag->nr_parts * sizeof(uint64_t));
    const DCRec *hole;

    alias->region = region;
    for (uint32_t i = 0; i < tag->nr_parts; i++) {
        hole = dc_set_first_fit(&dc->region[region].holes, tag->part[i].len);
        if (!hole) {
            while (i--) {
                dc_free_range(dc, region, alias->dpa[i], tag->part[i].len);
            }
            g_free(alias);
            return NULL;
        }
        alias->dpa[i] = hole->dpa;
        dc_alloc_range(dc, region, alias->dpa[i], tag->part[i].len);
    }
    return alias;
}

static CXLRetCode dc_add_shared(CXLDynCap *dc, const CXLDCAddRequest *req,
                                Error **errp)
{
    DCTag *tag = dc_tag_find(dc, &req->tag);
    CXLRetCode rc = dc_check_share(dc, req, tag, errp);
    DCAlias *alias;
    DCGroup *group;

    if (rc == CXL_RC_SUCCESS) {
        /* What the FM alone references is counted already */
        bool counted = tag->referenced && !tag->nr_refs;

        rc = dc_check_space(dc, req->host, tag->nr_parts, 1, counted, errp);
    }
    if (rc != CXL_RC_SUCCESS) {
        return rc;
    }
    if (req->region != tag->region && !dc_tag_alias(tag, req->region)) {
        alias = dc_alias_new(dc, tag, req->region);
        if (!alias) {
            error_setg(errp, "region %u has no room for %u extents of the tag",
                       req->region, tag->nr_parts);
            return CXL_RC_RESOURCES_EXHAUSTED;
        }
        dc_tag_add_alias(dc, tag, alias);
    }
    group = dc_group_new(tag->nr_parts);
    for (uint32_t i = 0; i < tag->nr_parts; i++) {
        group->part[i].dpa = dc_tag_dpa(tag, req->region, i);
        group->part[i].len = tag->part[i].len;
        group->part[i].tag = tag;
        group->part[i].seq = i;
    }
    dc_offer(dc, req->host, group);
    return CXL_RC_SUCCESS;
}

/* -- the command --------------------------------------------------------- */

CXLRetCode cxl_dc_add(CXLDynCap *dc, const CXLDCAddRequest *req, Error **errp)
{
    static const char *const policies[] = {
        [CXL_DC_ADD_FREE] = "free", [CXL_DC_ADD_CONTIGUOUS] = "contiguous",
        [CXL_DC_ADD_PRESCRIPTIVE] = "prescriptive",
        [CXL_DC_ADD_SHARED] = "shared",
    };
    CXLRetCode rc;

    if (!dc_has_host(dc, req->host, errp)) {
        rc = CXL_RC_INVALID_INPUT;
    } else if (req->policy > CXL_DC_ADD_SHARED) {
        error_setg(errp, "Selection policy not supported: %u", req->policy);
        rc = CXL_RC_INVALID_INPUT;
    } else if (req->policy == CXL_DC_ADD_PRESCRIPTIVE) {
        rc = dc_add_list(dc, req, errp);
    } else if (!cxl_dc_has_region(dc, req->region, errp)) {
        rc = CXL_RC_INVALID_INPUT;
    } else if (req->policy == CXL_DC_ADD_SHARED) {
        rc = dc_add_shared(dc, req, errp);
    } else {
        rc = dc_add_sized(dc, req, errp);
    }
    if (rc != CXL_RC_SUCCESS) {
        trace_cxl_dc_offer_refused(req->host, CXL_NAME(policies, req->policy),
                                   cxl_rc_name(rc));
    }
    return rc;
}

uint16_t cxl_dc_add_policies(const CXLDynCap *dc)
{
    /* The bit of "enable shared access" is reserved: regions tell */
    return 1u << CXL_DC_ADD_FREE | 1u << CXL_DC_ADD_CONTIGUOUS |
           1u << CXL_DC_ADD_PRESCRIPTIVE;
}
