/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity model: Initiate Dynamic Capacity Release (CXL r3.2
 * 7.6.7.6.6), release requests, and the cutting of Added extents that FM, host
 * and reset share.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "dc-internal.h"
#include "trace/trace-hw_cxl.h"

/* -- release requests: maximal runs of equal flags ------------------------ */

static void dc_release_pending_insert(DCSet *requests, uint64_t dpa,
                                      uint64_t len, uint16_t flags)
{
    DCRec run = { .dpa = dpa, .len = len, .flags = flags };
    const DCRec *beside = dpa ? dc_set_find(requests, dpa - 1) : NULL;

    if (beside && beside->flags == flags) {
        run.dpa = beside->dpa;
        run.len += beside->len;
        dc_set_remove(requests, run.dpa);
    }
    beside = dc_set_find(requests, dpa + len);
    if (beside && beside->flags == flags) {
        run.len += beside->len;
        dc_set_remove(requests, beside->dpa);
    }
    dc_set_insert(requests, &run);
}

/* Did any of it have DC_REC_SANITIZE?  That goes to @wipe, unless NULL. */
static bool dc_release_pending_remove(CXLDynCap *dc, DCSet *requests,
                                      uint64_t dpa, uint64_t len, GArray *wipe)
{
    uint64_t end = dpa + len;
    bool sanitize = false;
    const DCRec *rec;
    DCCursor cur;

    while ((rec = dc_set_from(requests, dpa, &cur)) && rec->dpa < end) {
        DCRec run = *rec;
        uint64_t run_end = run.dpa + run.len;
        uint64_t from = MAX(dpa, run.dpa), to = MIN(end, run_end);

        dc_set_remove(requests, run.dpa);
        sanitize |= run.flags & DC_REC_SANITIZE;
        if (wipe && (run.flags & DC_REC_SANITIZE)) {
            dc_effects_range(dc, wipe, from, to - from);
        }
        if (run.dpa < from) {
            DCRec below = run;

            below.len = from - run.dpa;
            dc_set_insert(requests, &below);
        }
        if (to < run_end) {
            DCRec above = run;

            above.dpa = to;
            above.len = run_end - to;
            dc_set_insert(requests, &above);
        }
    }
    return sanitize;
}

static void dc_release_pending_add(CXLDynCap *dc, DCSet *requests, uint64_t dpa,
                                   uint64_t len, bool sanitize)
{
    uint64_t end = dpa + len;
    const DCRec *rec;
    DCCursor cur;

    if (sanitize) {
        dc_release_pending_remove(dc, requests, dpa, len, NULL);
        dc_release_pending_insert(requests, dpa, len, DC_REC_SANITIZE);
        return;
    }
    /* An earlier request's wish to sanitize stays */
    while (dpa < end) {
        uint64_t gap = end;

        rec = dc_set_from(requests, dpa, &cur);
        if (rec && rec->dpa <= dpa) {
            dpa = rec->dpa + rec->len;
            continue;
        }
        if (rec && rec->dpa < end) {
            gap = rec->dpa;
        }
        dc_release_pending_insert(requests, dpa, gap - dpa, 0);
        dpa = gap;
    }
}

/* -- fragments of Added extents ------------------------------------------- */

bool dc_split_range(const DCHost *h, uint64_t dpa, uint64_t len,
                    GArray *fragments, GPtrArray *groups, uint64_t *missing)
{
    const DCTag *before = NULL;
    bool joins = false;
    const DCRec *rec;
    DCCursor cur;

    for (rec = dc_set_from(&h->added, dpa, &cur); len;) {
        const DCRec *offered;
        uint64_t there;

        if (rec && dc_rec_holds(rec, dpa)) {
            DCFragment fragment = {
                .dpa = dpa, .ext_dpa = rec->dpa, .ext_len = rec->len,
                .tag = rec->ref, .seq = rec->seq,
            };

            fragment.joins = joins && fragment.tag == before &&
                             !(before && before->sharable);
            before = fragment.tag;
            joins = true;
            there = MIN(len, rec->len - (dpa - rec->dpa));
            fragment.len = there;
            g_array_append_val(fragments, fragment);
            rec = dc_set_next(&cur);
        } else {
            offered = groups ? dc_set_find(&h->pending, dpa) : NULL;
            if (!offered) {
                *missing = dpa;
                return false;
            }
            there = MIN(len, offered->len - (dpa - offered->dpa));
            g_ptr_array_add(groups, offered->ref);
            joins = false;
        }
        dpa += there;
        len -= there;
    }
    return true;
}

/* Index after the last fragment of the extent that @fragments[@i] belongs to */
static guint dc_fragments_extent_end(const GArray *fragments, guint i)
{
    uint64_t ext = g_array_index(fragments, DCFragment, i).ext_dpa;

    while (i < fragments->len &&
           g_array_index(fragments, DCFragment, i).ext_dpa == ext) {
        i++;
    }
    return i;
}

/* What stays of an extent without fragments [@i, @end); @h: insert it there */
static unsigned dc_fragments_extent_rest(const GArray *fragments, guint i,
                                         guint end, CXLDynCap *dc, DCHost *h)
{
    const DCFragment *p = &g_array_index(fragments, DCFragment, i);
    uint64_t pos = p->ext_dpa, ext_end = p->ext_dpa + p->ext_len;
    unsigned rest = 0;

    for (; i <= end; i++, p++) {
        uint64_t stop = i < end ? p->dpa : ext_end;

        if (stop > pos) {
            rest++;
            if (h) {
                const DCFragment *e = &g_array_index(fragments, DCFragment,
                                                     end - 1);
                DCRec rec = {
                    .dpa = pos, .len = stop - pos, .ref = e->tag,
                    .seq = e->seq,
                };

                dc_added_insert(dc, h, &rec);
            }
        }
        if (i < end) {
            pos = p->dpa + p->len;
        }
    }
    return rest;
}

bool dc_fragments_fit(const CXLDynCap *dc, const DCHost *h,
                      const GArray *fragments, uint64_t *left)
{
    uint64_t count = h->added.count;
    guint end;

    for (guint i = 0; i < fragments->len; i = end) {
        end = dc_fragments_extent_end(fragments, i);
        count += dc_fragments_extent_rest(fragments, i, end, NULL, NULL);
        count--;
    }
    *left = count;
    return count <= h->added.count ||
           count + h->pending.count + dc->orphan_extents <=
           dc->config.max_extents;
}

bool dc_fragments_split_share(const CXLDynCap *dc, uint16_t host,
                              const GArray *fragments)
{
    bool split = false;

    if (!dc->host[host].nr_tags) {
        return false;
    }
    for (guint i = 0; i < fragments->len; i++) {
        const DCFragment *p = &g_array_index(fragments, DCFragment, i);

        if (p->tag && p->tag->sharable) {
            p->tag->marked_bytes += p->len;
        }
    }
    for (guint i = 0; i < fragments->len; i++) {
        DCTag *tag = g_array_index(fragments, DCFragment, i).tag;

        if (tag && tag->sharable && tag->marked_bytes) {
            split |= tag->marked_bytes != dc_tag_ref(tag, host)->bytes;
            tag->marked_bytes = 0;
        }
    }
    return split;
}

/*
 * Fragments [@i, @end) are one range of one allocation, just one if that is
 * shared.  What a host gives back as one the FM hears of as one.
 */
static void dc_fragments_release_run(CXLDynCap *dc, DCHost *h,
                                     const GArray *fragments, guint i,
                                     guint end, bool sanitize, DCEffects *fx,
                                     GArray *free)
{
    const DCFragment *p = &g_array_index(fragments, DCFragment, i);
    const DCFragment *last = &g_array_index(fragments, DCFragment, end - 1);
    bool shared = p->tag && p->tag->sharable;
    uint64_t dpa = p->dpa, len = last->dpa + last->len - dpa;
    bool asked;

    sanitize |= dc->region[dc_region_at(dc, dpa)].pub.sanitize;
    dc_effects_range(dc, fx->off, dpa, len);
    if (fx->type == CXL_DC_EV_RELEASED) {
        dc_effects_record(fx, dpa, len, p->tag, p->seq);
    } else {
        for (const DCFragment *k = p; k <= last; k++) {
            dc_effects_record(fx, k->dpa, k->len, k->tag, k->seq);
        }
    }
    asked = dc_release_pending_remove(dc, &h->release_pending, dpa, len,
                                      shared || sanitize ? NULL : fx->wipe);
    if (shared) {
        /* Others may hold it still: the tag remembers until it ends */
        p->tag->sanitize |= sanitize || asked;
        return;
    }
    if (sanitize) {
        dc_effects_range(dc, fx->wipe, dpa, len);
    }
    dc_effects_range(dc, free, dpa, len);
}

/* Where they are on the medium, which the host may reach for a while */
static void dc_fragments_leave(CXLDynCap *dc, uint16_t host,
                               const GArray *fragments)
{
    g_autoptr(GArray) media = g_array_new(FALSE, FALSE, sizeof(CXLDCRange));

    for (guint i = 0; dc->ops->fenced && i < fragments->len; i++) {
        const DCFragment *p = &g_array_index(fragments, DCFragment, i);
        DCRec ext = { .dpa = p->ext_dpa, .ref = p->tag, .seq = p->seq };

        dc_effects_range(dc, media, dc_rec_media(&ext, p->dpa), p->len);
    }
    dc_fence_leave(dc, host, media);
}

void dc_fragments_release(CXLDynCap *dc, uint16_t host, const GArray *fragments,
                          bool sanitize, DCEffects *fx)
{
    g_autoptr(GArray) free = g_array_new(FALSE, FALSE, sizeof(CXLDCRange));
    DCHost *h = &dc->host[host];
    guint end;

    dc_added_remove(dc, h, fragments);
    dc_fragments_leave(dc, host, fragments);
    for (guint i = 0; i < fragments->len; i = end) {
        end = i + 1;
        while (end < fragments->len &&
               g_array_index(fragments, DCFragment, end).joins) {
            end++;
        }
        dc_fragments_release_run(dc, h, fragments, i, end, sanitize, fx, free);
    }
    for (guint i = 0; i < fragments->len; i = end) {
        DCTag *tag = g_array_index(fragments, DCFragment, i).tag;
        uint64_t bytes = 0;
        unsigned rest;

        end = dc_fragments_extent_end(fragments, i);
        rest = dc_fragments_extent_rest(fragments, i, end, dc, h);
        if (tag) {
            for (guint k = i; k < end; k++) {
                bytes += g_array_index(fragments, DCFragment, k).len;
            }
            dc_tag_cut(dc, tag, host, bytes, rest);
            dc_tag_put(dc, tag, host, fx);
        }
    }
    for (guint i = 0; i < free->len; i++) {
        const CXLDCRange *r = &g_array_index(free, CXLDCRange, i);

        dc_give_back(dc, r->dpa, r->len);
    }
    if (fragments->len) {
        h->generation++;
    }
}

/* -- what the FM asks for ------------------------------------------------- */

typedef struct Plan {
    GArray *ranges;             /* CXLDCRange, ascending */
    GArray *fragments;          /* DCFragment, ascending */
    GPtrArray *groups;          /* DCGroup of offered parts, repeatedly */
} Plan;

static CXLRetCode dc_plan_list(CXLDynCap *dc, const CXLDCReleaseRequest *req,
                               Plan *plan, Error **errp)
{
    const DCHost *h = &dc->host[req->host];
    const CXLDCExtent *list = req->extents;
    g_autofree CXLDCExtent *own = dc_extents_of_host(h, &list,
                                                     req->nr_extents);

    if (!req->nr_extents) {
        error_setg(errp, "the list of extents is empty");
        return CXL_RC_INVALID_EXTENT_LIST;
    }
    for (size_t i = 0; i < req->nr_extents; i++) {
        const CXLDCExtent *e = &list[i];
        uint64_t dpa = req->extents[i].dpa;
        int region = dc_region_at(dc, e->dpa);
        uint64_t block = region < 0 ? 1 : dc->region[region].pub.block_size;

        if (!e->len) {
            error_setg(errp, "extent with 0 length is not allowed: extent "
                       "%zu, DPA 0x%" PRIx64, i, dpa);
            return CXL_RC_INVALID_EXTENT_LIST;
        }
        if (!QEMU_IS_ALIGNED(e->dpa, block) ||
            !QEMU_IS_ALIGNED(e->len, block)) {
            error_setg(errp, "dpa or len is not aligned to region block size: "
                       "extent %zu, DPA 0x%" PRIx64 ", length 0x%" PRIx64
                       ", block size 0x%" PRIx64, i, dpa, e->len, block);
            return CXL_RC_INVALID_EXTENT_LIST;
        }
        /* An extent that starts outside of all regions is not backed: 0Fh */
        if (region >= 0 && cxl_dc_region_of(dc, e->dpa, e->len) < 0) {
            error_setg(errp, "extent range is beyond the region end: extent "
                       "%zu, DPA 0x%" PRIx64 ", length 0x%" PRIx64, i, dpa,
                       e->len);
            return CXL_RC_INVALID_EXTENT_LIST;
        }
        dc_range_append(plan->ranges, e->dpa, e->len);
    }
    g_array_sort(plan->ranges, dc_compare_range);
    for (guint i = 1; i < plan->ranges->len; i++) {
        const CXLDCRange *r = &g_array_index(plan->ranges, CXLDCRange, i);

        if (r->dpa - r[-1].dpa < r[-1].len) {
            error_setg(errp, "duplicate or overlapped extents are detected: "
                       "DPA 0x%" PRIx64, h->base + r->dpa);
            return CXL_RC_INVALID_EXTENT_LIST;
        }
    }
    return CXL_RC_SUCCESS;
}

/*
 * Fills plan->ranges with the highest @req->len bytes that the host holds of
 * the tag, so that what stays is one piece from the start.
 */
static CXLRetCode dc_plan_tag(CXLDynCap *dc, const CXLDCReleaseRequest *req,
                              Plan *plan, Error **errp)
{
    const DCHost *h = &dc->host[req->host];
    DCTag *tag = dc_tag_find(dc, &req->tag);
    DCTagRef *ref = tag ? dc_tag_ref(tag, req->host) : NULL;
    g_autofree char *name = dc_tag_name(&req->tag, errp);
    uint64_t block, drop;

    if (!ref) {
        error_setg(errp, "tag %s names no capacity of host %u", name,
                   req->host);
        return CXL_RC_INVALID_INPUT;
    }
    block = dc->region[ref->region].pub.block_size;
    if (!req->len || !QEMU_IS_ALIGNED(req->len, block)) {
        error_setg(errp, "length 0x%" PRIx64 " is not a multiple of block size "
                   "0x%" PRIx64, req->len, block);
        return CXL_RC_INVALID_INPUT;
    }
    if (req->len > ref->bytes) {
        error_setg(errp, "length 0x%" PRIx64 ": host %u has 0x%" PRIx64
                   " bytes of tag %s", req->len, req->host, ref->bytes, name);
        return CXL_RC_RESOURCES_EXHAUSTED;
    }
    if (tag->sharable && req->len < ref->bytes) {
        error_setg(errp, "length 0x%" PRIx64 ": shared tag %s of 0x%" PRIx64
                   " bytes can only be released whole", req->len, name,
                   ref->bytes);
        return CXL_RC_INVALID_INPUT;
    }

    for (uint32_t i = 0; i < tag->nr_parts; i++) {
        uint64_t dpa = tag->part[i].dpa, len = tag->part[i].len, end;
        const DCSet *set = ref->pending ? &h->pending : &h->added;
        const DCRec *rec;
        DCCursor cur;

        if (tag->sharable) {
            dpa = dc_tag_dpa(tag, ref->region, i);
        }
        end = dpa + len;
        rec = dc_set_from(set, dpa, &cur);
        for (; rec && rec->dpa < end; rec = dc_set_next(&cur)) {
            const DCGroup *group = rec->ref;

            if ((ref->pending ? group->part[rec->idx].tag : rec->ref) ==
                tag) {
                dc_range_append(plan->ranges, rec->dpa, rec->len);
            }
        }
    }
    g_array_sort(plan->ranges, dc_compare_range);
    for (drop = ref->bytes - req->len; drop; ) {
        CXLDCRange *r = &g_array_index(plan->ranges, CXLDCRange, 0);
        guint whole = 0;

        while (r->len <= drop) {
            drop -= r->len;
            whole++;
            r++;
        }
        r->dpa += drop;
        r->len -= drop;
        drop = 0;
        g_array_remove_range(plan->ranges, 0, whole);
    }
    return CXL_RC_SUCCESS;
}

/* Every byte must be the host's: Added, or offered if @req->forced */
static CXLRetCode dc_plan_fragments(CXLDynCap *dc,
                                    const CXLDCReleaseRequest *req, Plan *plan,
                                    Error **errp)
{
    const DCHost *h = &dc->host[req->host];
    uint64_t missing, left;

    for (guint i = 0; i < plan->ranges->len; i++) {
        const CXLDCRange *r = &g_array_index(plan->ranges, CXLDCRange, i);

        if (dc_split_range(h, r->dpa, r->len, plan->fragments,
                           req->forced ? plan->groups : NULL, &missing)) {
            continue;
        }
        /* Unsure: 1Eh for free blocks inside a region; 0Fh for all here */
        error_setg(errp, dc_set_find(&h->pending, missing) ?
                   "cannot release extent with pending DPA range: DPA 0x%"
                   PRIx64 :
                   "cannot release extent with non-existing DPA range: DPA 0x%"
                   PRIx64, h->base + missing);
        return CXL_RC_INVALID_PHYS_ADDR;
    }
    if (dc_fragments_split_share(dc, req->host, plan->fragments)) {
        error_setg(errp, "shared capacity can only be released whole");
        return CXL_RC_INVALID_INPUT;
    }
    if (!dc_fragments_fit(dc, h, plan->fragments, &left)) {
        error_setg(errp, "%" PRIu64 " extents would remain: at most %u are "
                   "tracked ('dc-extents-max')", left, dc->config.max_extents);
        return CXL_RC_RESOURCES_EXHAUSTED;
    }
    if (!req->forced &&
        h->release_pending.count + 2 * (uint64_t)plan->ranges->len >
        dc_list_limit(dc)) {
        error_setg(errp, "%u release requests are open: wait for host %u to "
                   "answer some, or use force", h->release_pending.count,
                   req->host);
        return CXL_RC_RESOURCES_EXHAUSTED;
    }
    if (!req->forced &&
        !dc_log_has_space(dc, req->host, plan->fragments->len)) {
        error_setg(errp, "%u records do not fit in the event log of host %u "
                   "now: try again when it has read some", plan->fragments->len,
                   req->host);
        return CXL_RC_RETRY_REQUIRED;
    }
    return CXL_RC_SUCCESS;
}

static void dc_release_ask(CXLDynCap *dc, const CXLDCReleaseRequest *req,
                           const Plan *plan)
{
    DCHost *h = &dc->host[req->host];
    DCEffects fx;

    dc_effects_init(&fx, req->host, CXL_DC_EV_RELEASE);
    for (guint i = 0; i < plan->fragments->len; i++) {
        const DCFragment *p = &g_array_index(plan->fragments, DCFragment, i);

        dc_release_pending_add(dc, &h->release_pending, p->dpa, p->len,
                               req->sanitize);
        dc_effects_record(&fx, p->dpa, p->len, p->tag, p->seq);
    }
    trace_cxl_dc_release_request(req->host, plan->fragments->len,
                                 req->sanitize);
    dc_effects_run(dc, &fx);
}

static void dc_release_force(CXLDynCap *dc, const CXLDCReleaseRequest *req,
                             const Plan *plan)
{
    DCEffects fx;

    for (guint i = 0; i < plan->groups->len; i++) {
        dc_group_withdraw(dc, req->host, g_ptr_array_index(plan->groups, i));
    }
    dc_effects_init(&fx, req->host, CXL_DC_EV_FORCED_RELEASE);
    dc_fragments_release(dc, req->host, plan->fragments, req->sanitize, &fx);
    dc_effects_report(&fx, CXL_DC_RELEASED, CXL_DC_BY_FM);
    trace_cxl_dc_forced_release(req->host, plan->fragments->len,
                                plan->groups->len);
    dc_effects_run(dc, &fx);
}

static CXLRetCode dc_plan_release(CXLDynCap *dc, const CXLDCReleaseRequest *req,
                                  Plan *plan, Error **errp)
{
    CXLRetCode rc;

    if (!dc_has_host(dc, req->host, errp)) {
        return CXL_RC_INVALID_INPUT;
    }
    if (req->policy > CXL_DC_RELEASE_PRESCRIPTIVE) {
        error_setg(errp, "Removal policy not supported: %u", req->policy);
        return CXL_RC_INVALID_INPUT;
    }
    if (req->sanitize && !dc->ops->sanitize) {
        error_setg(errp, "sanitize on release is not supported");
        return CXL_RC_INVALID_INPUT;
    }
    rc = req->policy == CXL_DC_RELEASE_TAG ? dc_plan_tag(dc, req, plan, errp)
                                           : dc_plan_list(dc, req, plan, errp);
    return rc == CXL_RC_SUCCESS ? dc_plan_fragments(dc, req, plan, errp) : rc;
}

CXLRetCode cxl_dc_release(CXLDynCap *dc, const CXLDCReleaseRequest *req,
                          Error **errp)
{
    Plan plan = {
        .ranges = g_array_new(FALSE, FALSE, sizeof(CXLDCRange)),
        .fragments = g_array_new(FALSE, FALSE, sizeof(DCFragment)),
        .groups = g_ptr_array_new(),
    };
    static const char *const policies[] = {
        [CXL_DC_RELEASE_TAG] = "tag-based",
        [CXL_DC_RELEASE_PRESCRIPTIVE] = "prescriptive",
    };
    CXLRetCode rc = dc_plan_release(dc, req, &plan, errp);

    if (rc != CXL_RC_SUCCESS) {
        trace_cxl_dc_release_refused(req->host, CXL_NAME(policies, req->policy),
                                     cxl_rc_name(rc));
    } else if (req->forced) {
        dc_release_force(dc, req, &plan);
    } else {
        dc_release_ask(dc, req, &plan);
    }
    g_array_free(plan.ranges, TRUE);
    g_array_free(plan.fragments, TRUE);
    g_ptr_array_free(plan.groups, TRUE);
    return rc;
}

uint16_t cxl_dc_release_policies(const CXLDynCap *dc)
{
    return 1u << CXL_DC_RELEASE_TAG | 1u << CXL_DC_RELEASE_PRESCRIPTIVE;
}
