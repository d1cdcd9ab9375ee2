/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity model: Initiate Dynamic Capacity Add with the prescriptive
 * policy (CXL r3.2 7.6.7.6.5), where the FM names every extent.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "dc-internal.h"

/* @dpa: as the FM gave it, for a sentence */
static CXLRetCode dc_check_extent(CXLDynCap *dc, const CXLDCExtent *e,
                                  uint64_t dpa, size_t i, Error **errp)
{
    int region = dc_region_at(dc, e->dpa);
    const CXLDCRegion *r = region < 0 ? NULL : &dc->region[region].pub;

    if (!e->len) {
        error_setg(errp, "extent with 0 length is not allowed: extent %zu, "
                   "DPA 0x%" PRIx64, i, dpa);
    } else if (r && !(QEMU_IS_ALIGNED(e->dpa, r->block_size) &&
                      QEMU_IS_ALIGNED(e->len, r->block_size))) {
        error_setg(errp, "dpa or len is not aligned to region block size: "
                   "extent %zu, DPA 0x%" PRIx64 ", length 0x%" PRIx64
                   ", block size 0x%" PRIx64, i, dpa, e->len,
                   r->block_size);
    } else if (cxl_dc_region_of(dc, e->dpa, e->len) < 0) {
        error_setg(errp, "extent range is beyond the region end: extent %zu, "
                   "DPA 0x%" PRIx64 ", length 0x%" PRIx64, i, dpa, e->len);
    } else if (r->sharable && qemu_uuid_is_null(&e->tag)) {
        /* Unsure between 1Eh and 02h: the list is what is wrong */
        error_setg(errp, "extent %zu at DPA 0x%" PRIx64
                   ": region %d is sharable, a tag is needed", i, dpa,
                   region);
    } else {
        return CXL_RC_SUCCESS;
    }
    return CXL_RC_INVALID_EXTENT_LIST;
}

static CXLRetCode dc_check_extent_free(CXLDynCap *dc, const DCHost *h,
                                       const CXLDCExtent *e, size_t i,
                                       Error **errp)
{
    uint64_t dpa = h->base + e->dpa;

    if (dc_range_is_free(dc, dc_region_at(dc, e->dpa), e->dpa, e->len)) {
        return CXL_RC_SUCCESS;
    }
    if (dc_set_overlaps(&h->added, e->dpa, e->len)) {
        error_setg(errp, "cannot add DPA already accessible to the same LD: "
                   "extent %zu, DPA 0x%" PRIx64 ", length 0x%" PRIx64, i,
                   dpa, e->len);
    } else if (dc_set_overlaps(&h->pending, e->dpa, e->len)) {
        /* Unsure between 1Eh and 05h */
        error_setg(errp, "cannot add DPA again while still pending: extent "
                   "%zu, DPA 0x%" PRIx64 ", length 0x%" PRIx64, i, dpa, e->len);
    } else {
        error_setg(errp, "cannot add DPA in use by another LD or under an FM "
                   "reference: extent %zu, DPA 0x%" PRIx64 ", length 0x%"
                   PRIx64, i, dpa, e->len);
    }
    return CXL_RC_INVALID_EXTENT_LIST;
}

static CXLRetCode dc_check_overlap(const CXLDCAddRequest *req, Error **errp)
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

static int dc_compare_by_tag(gconstpointer a, gconstpointer b, gpointer opaque)
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
static CXLRetCode dc_check_allocation(CXLDynCap *dc, const CXLDCExtent *extents,
                                      const uint32_t *index, uint32_t n,
                                      uint16_t *seq, Error **errp)
{
    const CXLDCExtent *first = &extents[index[0]];
    g_autofree char *name = dc_tag_name(&first->tag, errp);
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
    if (n > DC_MAX_SHARED_EXTENTS) {
        error_setg(errp, "tag %s has %u extents, at most %d can be numbered",
                   name, n, DC_MAX_SHARED_EXTENTS);
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

static DCTag *dc_allocation_tag(CXLDynCap *dc, const CXLDCExtent *extents,
                                const uint32_t *index, uint32_t n,
                                const uint16_t *seq)
{
    int region = dc_region_at(dc, extents[index[0]].dpa);
    bool sharable = dc->region[region].pub.sharable;
    g_autofree CXLDCRange *part = g_new(CXLDCRange, n);

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
static uint32_t dc_allocation_end(const CXLDCExtent *extents,
                                  const uint32_t *index, uint32_t i, uint32_t n)
{
    uint32_t end = i + 1;

    while (end < n && qemu_uuid_is_equal(&extents[index[end]].tag,
                                         &extents[index[i]].tag)) {
        end++;
    }
    return end;
}

CXLRetCode dc_add_list(CXLDynCap *dc, const CXLDCAddRequest *req,
                       Error **errp)
{
    const DCHost *h = &dc->host[req->host];
    const CXLDCExtent *e = req->extents;
    g_autofree CXLDCExtent *own = dc_extents_of_host(h, &e, req->nr_extents);
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
        rc = dc_check_extent(dc, &e[i], req->extents[i].dpa, i, errp);
    }
    if (rc == CXL_RC_SUCCESS) {
        rc = dc_check_overlap(req, errp);
    }
    for (size_t i = 0; rc == CXL_RC_SUCCESS && i < req->nr_extents; i++) {
        rc = dc_check_extent_free(dc, h, &e[i], i, errp);
    }
    /* Bounds the list to 32 bits, too */
    if (rc == CXL_RC_SUCCESS && req->nr_extents > dc->config.max_extents) {
        rc = dc_check_space(dc, req->host, req->nr_extents, 0, false, errp);
    }
    if (rc != CXL_RC_SUCCESS) {
        return rc;
    }

    index = g_new(uint32_t, n);
    seq = g_new0(uint16_t, n);
    for (uint32_t i = 0; i < n; i++) {
        index[i] = i;
    }
    g_qsort_with_data(index, n, sizeof(*index), dc_compare_by_tag, (gpointer)e);
    for (uint32_t i = 0; i < n; i = end) {
        end = dc_allocation_end(e, index, i, n);
        if (!qemu_uuid_is_null(&e[index[i]].tag)) {
            tags++;
            rc = dc_check_allocation(dc, e, &index[i], end - i, seq, errp);
            if (rc != CXL_RC_SUCCESS) {
                return rc;
            }
        }
    }
    rc = dc_check_space(dc, req->host, n, tags, false, errp);
    if (rc != CXL_RC_SUCCESS) {
        return rc;
    }

    group = dc_group_new(n);
    for (uint32_t i = 0; i < n; i = end) {
        DCTag *tag = NULL;

        end = dc_allocation_end(e, index, i, n);
        if (!qemu_uuid_is_null(&e[index[i]].tag)) {
            tag = dc_allocation_tag(dc, e, &index[i], end - i, seq);
        }
        for (uint32_t k = i; k < end; k++) {
            const CXLDCExtent *from = &e[index[k]];
            DCPart *part = &group->part[index[k]];

            part->dpa = from->dpa;
            part->len = from->len;
            part->tag = tag;
            part->seq = seq[index[k]];
            dc_alloc_range(dc, dc_region_at(dc, part->dpa), part->dpa,
                           part->len);
        }
    }
    dc_offer(dc, req->host, group);
    return CXL_RC_SUCCESS;
}
