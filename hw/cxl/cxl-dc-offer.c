/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity model: Initiate Dynamic Capacity Add with its four policies
 * (CXL r3.2 7.6.7.6.5), and groups of offered extents.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "cxl-dc-internal.h"
#include "trace.h"

/* Sequence numbers have 16 bits */
#define MAX_SHARED_EXTENTS 65536

/* -- groups ----------------------------------------------------------------------- */

static size_t group_bytes(const DCGroup *group)
{
    return sizeof(*group) + group->nr_parts * sizeof(DCPart);
}

DCGroup *dc_group_new(uint32_t nr_parts)
{
    DCGroup *group = g_malloc0(sizeof(DCGroup) + nr_parts * sizeof(DCPart));

    group->nr_parts = nr_parts;
    return group;
}

void dc_group_append(CXLDynCap *dc, uint16_t host, DCGroup *group)
{
    DCHost *h = &dc->host[host];

    for (uint32_t i = 0; i < group->nr_parts; i++) {
        const DCPart *part = &group->part[i];
        DCRec rec = {
            .dpa = part->dpa, .len = part->len, .ref = group, .idx = i,
        };

        dc_set_insert(&h->pending, &rec);
        if (part->tag) {
            dc_tag_offer(dc, part->tag, host, dc_region_at(dc, part->dpa),
                         part->len);
        }
    }
    QTAILQ_INSERT_TAIL(&h->groups, group, next);
    h->group_bytes += group_bytes(group);
}

void dc_group_end(CXLDynCap *dc, uint16_t host, DCGroup *group,
                  const uint64_t *keep, DCEffects *fx)
{
    DCHost *h = &dc->host[host];

    for (uint32_t i = 0; i < group->nr_parts; i++) {
        const DCPart *part = &group->part[i];

        dc_set_remove(&h->pending, part->dpa);
        if (part->tag) {
            dc_tag_withdraw(dc, part->tag, host, part->len);
            part->tag->scratch = 1;
        }
        /* Shared blocks belong to the tag */
        if (!(part->tag && part->tag->sharable) &&
            !(keep && keep[i])) {
            dc_give(dc, dc_region_at(dc, part->dpa), part->dpa, part->len);
        }
    }
    /* A tag may end when it is settled: keep one mention of each */
    for (uint32_t i = 0; i < group->nr_parts; i++) {
        DCTag *tag = group->part[i].tag;

        if (tag && !tag->scratch) {
            group->part[i].tag = NULL;
        } else if (tag) {
            tag->scratch = 0;
        }
    }
    for (uint32_t i = 0; i < group->nr_parts; i++) {
        if (group->part[i].tag) {
            dc_tag_settle(dc, group->part[i].tag, host, fx);
        }
    }
    QTAILQ_REMOVE(&h->groups, group, next);
    h->group_bytes -= group_bytes(group);
    g_free(group);
}

/* Ascending, touching ranges joined */
void dc_merge_ranges(CXLDCRange *range, uint32_t *n)
{
    uint32_t out = 0;

    qsort(range, *n, sizeof(*range), dc_compare_range);
    for (uint32_t i = 0; i < *n; i++) {
        if (out && range[out - 1].dpa + range[out - 1].len == range[i].dpa) {
            range[out - 1].len += range[i].len;
        } else {
            range[out++] = range[i];
        }
    }
    *n = out;
}

/* -- checks that all policies share ------------------------------------------------- */

/* @counted: the capacity is counted for the host already, as referenced only */
static CXLRetCode check_room(CXLDynCap *dc, uint16_t host, uint64_t extents,
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
        error_setg(errp, "%" PRIu64 " extents: host %u uses %" PRIu64 " of %u",
                   extents, host, used_extents, dc->config.max_extents);
        return CXL_RC_RESOURCES_EXHAUSTED;
    }
    if (tags && used_tags + tags > dc->config.max_tags) {
        error_setg(errp, "%" PRIu64 " tags: host %u uses %" PRIu64 " of %u",
                   tags, host, used_tags, dc->config.max_tags);
        return CXL_RC_RESOURCES_EXHAUSTED;
    }
    if (!dc_log_has_room(dc, host, extents)) {
        error_setg(errp, "%" PRIu64 " records do not fit in the event log of "
                   "host %u now", extents, host);
        return CXL_RC_RETRY_REQUIRED;
    }
    return CXL_RC_SUCCESS;
}

static void offer(CXLDynCap *dc, uint16_t host, DCGroup *group)
{
    DCEffects fx;

    dc_group_append(dc, host, group);
    dc_effects_init(&fx, host, CXL_DC_EV_ADD);
    for (uint32_t i = 0; i < group->nr_parts; i++) {
        const DCPart *part = &group->part[i];

        dc_effects_record(&fx, part->dpa, part->len, part->tag, part->seq);
    }
    trace_cxl_dc_offer(host, group->nr_parts, group->part[0].dpa);
    dc_effects_run(dc, &fx);
}

/* -- policies free and contiguous --------------------------------------------------- */

/*
 * Takes @len bytes in at most @limit extents, the fewest that holes allow: one
 * hole that fits, else the longest ones.  Gives all back if it fails.
 */
static bool pick(CXLDynCap *dc, unsigned region, uint64_t len, uint32_t limit,
                 GArray *ranges)
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
                dc_give(dc, region, range.dpa, range.len);
            }
            return false;
        }
        range.dpa = hole->dpa;
        range.len = MIN(hole->len, len);
        dc_take(dc, region, range.dpa, range.len);
        g_array_append_val(ranges, range);
        len -= range.len;
    }
    g_array_sort(ranges, dc_compare_range);
    return true;
}

static CXLRetCode check_sized(CXLDynCap *dc, const CXLDCAddRequest *req,
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
        g_autofree char *tag = qemu_uuid_unparse_strdup(&req->tag);

        error_setg(errp, "tag %s is in use", tag);
        return CXL_RC_INVALID_INPUT;
    }
    return CXL_RC_SUCCESS;
}

static CXLRetCode add_sized(CXLDynCap *dc, const CXLDCAddRequest *req,
                            Error **errp)
{
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(CXLDCRange));
    DCRegion *r = &dc->region[req->region];
    bool tagged = !qemu_uuid_is_null(&req->tag);
    CXLRetCode rc = check_sized(dc, req, errp);
    DCTag *tag = NULL;
    CXLDCUsage usage;
    CXLDCRange *spans;
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
        limit = MIN(limit, MAX_SHARED_EXTENTS);
    }
    if (req->len > r->free ||
        !pick(dc, req->region, req->len, limit, ranges)) {
        error_setg(errp, "length 0x%" PRIx64 ": region %u has 0x%" PRIx64
                   " bytes free, not all in %u extents", req->len, req->region,
                   r->free, limit);
        return CXL_RC_RESOURCES_EXHAUSTED;
    }
    n = ranges->len;
    rc = check_room(dc, req->host, n, tagged, false, errp);
    if (rc != CXL_RC_SUCCESS) {
        for (uint32_t i = 0; i < n; i++) {
            const CXLDCRange *p = &g_array_index(ranges, CXLDCRange, i);

            dc_give(dc, req->region, p->dpa, p->len);
        }
        return rc;
    }

    if (tagged) {
        spans = g_memdup2(ranges->data, n * sizeof(*spans));
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
    offer(dc, req->host, group);
    return CXL_RC_SUCCESS;
}

/* -- policy prescriptive -------------------------------------------------------------- */

static CXLRetCode check_extent(CXLDynCap *dc, const CXLDCExtent *e, size_t i,
                               Error **errp)
{
    int region = dc_region_at(dc, e->dpa);
    const CXLDCRegion *r = region < 0 ? NULL : &dc->region[region].pub;

    if (!e->len) {
        error_setg(errp, "extent with 0 length is not allowed: extent %zu, "
                   "DPA 0x%" PRIx64, i, e->dpa);
    } else if (r && !(QEMU_IS_ALIGNED(e->dpa, r->block_size) &&
                      QEMU_IS_ALIGNED(e->len, r->block_size))) {
        error_setg(errp, "dpa or len is not aligned to region block size: "
                   "extent %zu, DPA 0x%" PRIx64 ", length 0x%" PRIx64
                   ", block size 0x%" PRIx64, i, e->dpa, e->len,
                   r->block_size);
    } else if (cxl_dc_region_of(dc, e->dpa, e->len) < 0) {
        error_setg(errp, "extent range is beyond the region end: extent %zu, "
                   "DPA 0x%" PRIx64 ", length 0x%" PRIx64, i, e->dpa, e->len);
    } else if (r->sharable && qemu_uuid_is_null(&e->tag)) {
        /* Unsure between 1Eh and 02h: the list is what is wrong */
        error_setg(errp, "extent %zu at DPA 0x%" PRIx64
                   ": region %d is sharable, a tag is needed", i, e->dpa,
                   region);
    } else {
        return CXL_RC_SUCCESS;
    }
    return CXL_RC_INVALID_EXTENT_LIST;
}

static CXLRetCode check_extent_free(CXLDynCap *dc, const DCHost *h,
                                    const CXLDCExtent *e, size_t i,
                                    Error **errp)
{
    if (dc_is_free(dc, dc_region_at(dc, e->dpa), e->dpa, e->len)) {
        return CXL_RC_SUCCESS;
    }
    if (dc_set_overlaps(&h->added, e->dpa, e->len)) {
        error_setg(errp, "cannot add DPA already accessible to the same LD: "
                   "extent %zu, DPA 0x%" PRIx64 ", length 0x%" PRIx64, i,
                   e->dpa, e->len);
    } else if (dc_set_overlaps(&h->pending, e->dpa, e->len)) {
        /* Unsure between 1Eh and 05h */
        error_setg(errp, "cannot add DPA again while still pending: extent "
                   "%zu, DPA 0x%" PRIx64 ", length 0x%" PRIx64, i, e->dpa,
                   e->len);
    } else {
        error_setg(errp, "cannot add DPA in use by another LD or under an FM "
                   "reference: extent %zu, DPA 0x%" PRIx64 ", length 0x%"
                   PRIx64, i, e->dpa, e->len);
    }
    return CXL_RC_INVALID_EXTENT_LIST;
}

static CXLRetCode check_overlap(const CXLDCAddRequest *req, Error **errp)
{
    g_autofree CXLDCRange *range = g_new(CXLDCRange, req->nr_extents);

    for (size_t i = 0; i < req->nr_extents; i++) {
        range[i].dpa = req->extents[i].dpa;
        range[i].len = req->extents[i].len;
    }
    qsort(range, req->nr_extents, sizeof(*range), dc_compare_range);
    for (size_t i = 1; i < req->nr_extents; i++) {
        if (range[i].dpa - range[i - 1].dpa < range[i - 1].len) {
            error_setg(errp, "duplicate or overlapped extents are detected: "
                       "DPA 0x%" PRIx64, range[i].dpa);
            return CXL_RC_INVALID_EXTENT_LIST;
        }
    }
    return CXL_RC_SUCCESS;
}

static int compare_by_tag(gconstpointer a, gconstpointer b, gpointer opaque)
{
    const uint32_t *ia = a, *ib = b;
    const CXLDCExtent *extents = opaque;
    int order = memcmp(&extents[*ia].tag, &extents[*ib].tag, sizeof(QemuUUID));

    return order ? order : *ia < *ib ? -1 : *ia > *ib;
}

/*
 * One named allocation of the list: members @index[0..n).  Fills @seq (by list
 * position) of sharable ones.
 *
 * Unsure who sets the sequence: an FM that numbers its extents must number them
 * 0..n-1; one that leaves all zero gets them numbered in the order of the list.
 */
static CXLRetCode check_allocation(CXLDynCap *dc, const CXLDCExtent *extents,
                                   const uint32_t *index, uint32_t n,
                                   uint16_t *seq, Error **errp)
{
    const CXLDCExtent *first = &extents[index[0]];
    g_autofree char *name = qemu_uuid_unparse_strdup(&first->tag);
    g_autofree unsigned long *seen = NULL;
    int region = dc_region_at(dc, first->dpa);
    bool numbered = false;

    if (dc_tag_find(dc, &first->tag)) {
        error_setg(errp, "tag %s is in use", name);
        return CXL_RC_INVALID_INPUT;
    }
    for (uint32_t i = 1; i < n; i++) {
        /* Sharable and other capacity do not mix; hosts drop such groups */
        if (dc_region_at(dc, extents[index[i]].dpa) != region) {
            error_setg(errp, "tag %s is in more than one region", name);
            return CXL_RC_INVALID_EXTENT_LIST;
        }
    }
    if (!dc->region[region].pub.sharable) {
        return CXL_RC_SUCCESS;
    }
    if (n > MAX_SHARED_EXTENTS) {
        error_setg(errp, "tag %s has %u extents, at most %d can be numbered",
                   name, n, MAX_SHARED_EXTENTS);
        return CXL_RC_RESOURCES_EXHAUSTED;
    }
    for (uint32_t i = 0; i < n; i++) {
        numbered |= extents[index[i]].seq != 0;
    }
    seen = bitmap_new(n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t s = numbered ? extents[index[i]].seq : i;

        if (s >= n || test_and_set_bit(s, seen)) {
            error_setg(errp, "tag %s: sequence number %u is not once in 0..%u",
                       name, s, n - 1);
            return CXL_RC_INVALID_EXTENT_LIST;
        }
        seq[index[i]] = s;
    }
    return CXL_RC_SUCCESS;
}

static DCTag *make_tag(CXLDynCap *dc, const CXLDCExtent *extents,
                       const uint32_t *index, uint32_t n, const uint16_t *seq)
{
    int region = dc_region_at(dc, extents[index[0]].dpa);
    bool sharable = dc->region[region].pub.sharable;
    CXLDCRange *part = g_new(CXLDCRange, n);

    for (uint32_t i = 0; i < n; i++) {
        CXLDCRange *p = &part[sharable ? seq[index[i]] : i];

        p->dpa = extents[index[i]].dpa;
        p->len = extents[index[i]].len;
    }
    if (!sharable) {
        dc_merge_ranges(part, &n);
    }
    return dc_tag_new(dc, &extents[index[0]].tag, region, part, n);
}

/* End of the run of equal tags that starts at index[@i] */
static uint32_t run_end(const CXLDCExtent *extents, const uint32_t *index,
                        uint32_t i, uint32_t n)
{
    uint32_t end = i + 1;

    while (end < n && qemu_uuid_is_equal(&extents[index[end]].tag,
                                         &extents[index[i]].tag)) {
        end++;
    }
    return end;
}

static CXLRetCode add_prescriptive(CXLDynCap *dc, const CXLDCAddRequest *req,
                                   Error **errp)
{
    const DCHost *h = &dc->host[req->host];
    const CXLDCExtent *e = req->extents;
    g_autofree uint32_t *index = NULL;
    g_autofree uint16_t *seq = NULL;
    CXLRetCode rc = CXL_RC_SUCCESS;
    uint32_t n = req->nr_extents, end, tags = 0;
    DCGroup *group;

    if (!req->nr_extents) {
        error_setg(errp, "the list of extents is empty");
        return CXL_RC_INVALID_EXTENT_LIST;
    }
    for (size_t i = 0; rc == CXL_RC_SUCCESS && i < req->nr_extents; i++) {
        rc = check_extent(dc, &e[i], i, errp);
    }
    if (rc == CXL_RC_SUCCESS) {
        rc = check_overlap(req, errp);
    }
    for (size_t i = 0; rc == CXL_RC_SUCCESS && i < req->nr_extents; i++) {
        rc = check_extent_free(dc, h, &e[i], i, errp);
    }
    /* Bounds the list to 32 bits, too */
    if (rc == CXL_RC_SUCCESS && req->nr_extents > dc->config.max_extents) {
        rc = check_room(dc, req->host, req->nr_extents, 0, false, errp);
    }
    if (rc != CXL_RC_SUCCESS) {
        return rc;
    }

    index = g_new(uint32_t, n);
    seq = g_new0(uint16_t, n);
    for (uint32_t i = 0; i < n; i++) {
        index[i] = i;
    }
    g_qsort_with_data(index, n, sizeof(*index), compare_by_tag, (gpointer)e);
    for (uint32_t i = 0; i < n; i = end) {
        end = run_end(e, index, i, n);
        if (!qemu_uuid_is_null(&e[index[i]].tag)) {
            tags++;
            rc = check_allocation(dc, e, &index[i], end - i, seq, errp);
            if (rc != CXL_RC_SUCCESS) {
                return rc;
            }
        }
    }
    rc = check_room(dc, req->host, n, tags, false, errp);
    if (rc != CXL_RC_SUCCESS) {
        return rc;
    }

    group = dc_group_new(n);
    for (uint32_t i = 0; i < n; i = end) {
        DCTag *tag = NULL;

        end = run_end(e, index, i, n);
        if (!qemu_uuid_is_null(&e[index[i]].tag)) {
            tag = make_tag(dc, e, &index[i], end - i, seq);
        }
        for (uint32_t k = i; k < end; k++) {
            const CXLDCExtent *from = &e[index[k]];
            DCPart *part = &group->part[index[k]];

            part->dpa = from->dpa;
            part->len = from->len;
            part->tag = tag;
            part->seq = seq[index[k]];
            dc_take(dc, dc_region_at(dc, part->dpa), part->dpa, part->len);
        }
    }
    offer(dc, req->host, group);
    return CXL_RC_SUCCESS;
}

/* -- policy enable shared access --------------------------------------------------- */

static CXLRetCode check_share(CXLDynCap *dc, const CXLDCAddRequest *req,
                              DCTag *tag, Error **errp)
{
    const CXLDCRegion *r = &dc->region[req->region].pub;
    g_autofree char *name = qemu_uuid_unparse_strdup(&req->tag);

    if (!r->sharable) {
        error_setg(errp, "region %u is not sharable", req->region);
        return CXL_RC_INVALID_INPUT;
    }
    if (!tag || !tag->sharable) {
        error_setg(errp, "tag %s names no sharable capacity", name);
        return CXL_RC_INVALID_INPUT;
    }
    if (dc_tag_hold(tag, req->host)) {
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
static DCAlias *make_alias(CXLDynCap *dc, const DCTag *tag, unsigned region)
{
    DCAlias *alias = g_malloc0(sizeof(*alias) +
                               tag->nr_parts * sizeof(uint64_t));
    const DCRec *hole;

    alias->region = region;
    for (uint32_t i = 0; i < tag->nr_parts; i++) {
        hole = dc_set_first_fit(&dc->region[region].holes, tag->part[i].len);
        if (!hole) {
            while (i--) {
                dc_give(dc, region, alias->dpa[i], tag->part[i].len);
            }
            g_free(alias);
            return NULL;
        }
        alias->dpa[i] = hole->dpa;
        dc_take(dc, region, alias->dpa[i], tag->part[i].len);
    }
    return alias;
}

static CXLRetCode add_shared(CXLDynCap *dc, const CXLDCAddRequest *req,
                             Error **errp)
{
    DCTag *tag = dc_tag_find(dc, &req->tag);
    CXLRetCode rc = check_share(dc, req, tag, errp);
    DCAlias *alias;
    DCGroup *group;

    if (rc == CXL_RC_SUCCESS) {
        /* What the FM alone references is counted already */
        bool counted = tag->referenced && !tag->nr_holds;

        rc = check_room(dc, req->host, tag->nr_parts, 1, counted, errp);
    }
    if (rc != CXL_RC_SUCCESS) {
        return rc;
    }
    if (req->region != tag->region && !dc_tag_alias(tag, req->region)) {
        alias = make_alias(dc, tag, req->region);
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
    offer(dc, req->host, group);
    return CXL_RC_SUCCESS;
}

/* -- the door ------------------------------------------------------------------------ */

CXLRetCode cxl_dc_add(CXLDynCap *dc, const CXLDCAddRequest *req, Error **errp)
{
    CXLRetCode rc;

    if (req->host >= dc->config.nr_hosts) {
        error_setg(errp, "host id %u: there are %u hosts", req->host,
                   dc->config.nr_hosts);
        rc = CXL_RC_INVALID_INPUT;
    } else if (req->policy > CXL_DC_ADD_SHARED) {
        error_setg(errp, "Selection policy not supported: %u", req->policy);
        rc = CXL_RC_INVALID_INPUT;
    } else if (req->policy == CXL_DC_ADD_PRESCRIPTIVE) {
        rc = add_prescriptive(dc, req, errp);
    } else if (req->region >= dc->config.nr_regions) {
        error_setg(errp, "region id is too large: %u of %u", req->region,
                   dc->config.nr_regions);
        rc = CXL_RC_INVALID_INPUT;
    } else if (req->policy == CXL_DC_ADD_SHARED) {
        rc = add_shared(dc, req, errp);
    } else {
        rc = add_sized(dc, req, errp);
    }
    if (rc != CXL_RC_SUCCESS) {
        trace_cxl_dc_offer_refused(req->host, req->policy, rc);
    }
    return rc;
}

uint16_t cxl_dc_add_policies(const CXLDynCap *dc)
{
    /* The bit of "enable shared access" is reserved: regions tell */
    return 1u << CXL_DC_ADD_FREE | 1u << CXL_DC_ADD_CONTIGUOUS |
           1u << CXL_DC_ADD_PRESCRIPTIVE;
}
