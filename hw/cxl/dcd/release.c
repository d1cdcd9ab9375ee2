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

static void asked_insert(DCSet *asked, uint64_t dpa, uint64_t len,
                         uint16_t flags)
{
    DCRec run = { .dpa = dpa, .len = len, .flags = flags };
    const DCRec *beside = dpa ? dc_set_find(asked, dpa - 1) : NULL;

    if (beside && beside->flags == flags) {
        run.dpa = beside->dpa;
        run.len += beside->len;
        dc_set_remove(asked, run.dpa);
    }
    beside = dc_set_find(asked, dpa + len);
    if (beside && beside->flags == flags) {
        run.len += beside->len;
        dc_set_remove(asked, beside->dpa);
    }
    dc_set_insert(asked, &run);
}

/* Did any of it have DC_REC_SANITIZE?  That goes to @wipe, unless NULL. */
static bool asked_remove(CXLDynCap *dc, DCSet *asked, uint64_t dpa,
                         uint64_t len, GArray *wipe)
{
    uint64_t end = dpa + len;
    bool sanitize = false;
    const DCRec *rec;
    DCCursor cur;

    while ((rec = dc_set_from(asked, dpa, &cur)) && rec->dpa < end) {
        DCRec run = *rec;
        uint64_t run_end = run.dpa + run.len;
        uint64_t from = MAX(dpa, run.dpa), to = MIN(end, run_end);

        dc_set_remove(asked, run.dpa);
        sanitize |= run.flags & DC_REC_SANITIZE;
        if (wipe && (run.flags & DC_REC_SANITIZE)) {
            dc_effects_range(dc, wipe, from, to - from);
        }
        if (run.dpa < from) {
            DCRec below = run;

            below.len = from - run.dpa;
            dc_set_insert(asked, &below);
        }
        if (to < run_end) {
            DCRec above = run;

            above.dpa = to;
            above.len = run_end - to;
            dc_set_insert(asked, &above);
        }
    }
    return sanitize;
}

static void asked_add(CXLDynCap *dc, DCSet *asked, uint64_t dpa, uint64_t len,
                      bool sanitize)
{
    uint64_t end = dpa + len;
    const DCRec *rec;
    DCCursor cur;

    if (sanitize) {
        asked_remove(dc, asked, dpa, len, NULL);
        asked_insert(asked, dpa, len, DC_REC_SANITIZE);
        return;
    }
    /* An earlier request's wish to sanitize stays */
    while (dpa < end) {
        uint64_t gap = end;

        rec = dc_set_from(asked, dpa, &cur);
        if (rec && rec->dpa <= dpa) {
            dpa = rec->dpa + rec->len;
            continue;
        }
        if (rec && rec->dpa < end) {
            gap = rec->dpa;
        }
        asked_insert(asked, dpa, gap - dpa, 0);
        dpa = gap;
    }
}

/* -- pieces of Added extents ---------------------------------------------- */

bool dc_pieces_of(const DCHost *h, uint64_t dpa, uint64_t len, GArray *pieces,
                  GPtrArray *groups, uint64_t *missing)
{
    const DCRec *rec;
    DCCursor cur;

    for (rec = dc_set_from(&h->added, dpa, &cur); len;) {
        const DCRec *offered;
        uint64_t there;

        if (rec && dc_rec_holds(rec, dpa)) {
            DCPiece piece = {
                .dpa = dpa, .ext_dpa = rec->dpa, .ext_len = rec->len,
                .tag = rec->ref, .seq = rec->seq,
            };

            there = MIN(len, rec->len - (dpa - rec->dpa));
            piece.len = there;
            g_array_append_val(pieces, piece);
            rec = dc_set_next(&cur);
        } else {
            offered = groups ? dc_set_find(&h->pending, dpa) : NULL;
            if (!offered) {
                *missing = dpa;
                return false;
            }
            there = MIN(len, offered->len - (dpa - offered->dpa));
            g_ptr_array_add(groups, offered->ref);
        }
        dpa += there;
        len -= there;
    }
    return true;
}

/* Index after the last piece of the extent that @pieces[@i] belongs to */
static guint extent_end(const GArray *pieces, guint i)
{
    uint64_t ext = g_array_index(pieces, DCPiece, i).ext_dpa;

    while (i < pieces->len &&
           g_array_index(pieces, DCPiece, i).ext_dpa == ext) {
        i++;
    }
    return i;
}

/* What stays of an extent without pieces [@i, @end); @h: insert it there */
static unsigned extent_rest(const GArray *pieces, guint i, guint end,
                            CXLDynCap *dc, DCHost *h)
{
    const DCPiece *p = &g_array_index(pieces, DCPiece, i);
    uint64_t pos = p->ext_dpa, ext_end = p->ext_dpa + p->ext_len;
    unsigned rest = 0;

    for (; i <= end; i++, p++) {
        uint64_t stop = i < end ? p->dpa : ext_end;

        if (stop > pos) {
            rest++;
            if (h) {
                const DCPiece *e = &g_array_index(pieces, DCPiece, end - 1);
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

uint64_t dc_pieces_left(const DCHost *h, const GArray *pieces)
{
    uint64_t count = h->added.count;
    guint end;

    for (guint i = 0; i < pieces->len; i = end) {
        end = extent_end(pieces, i);
        count += extent_rest(pieces, i, end, NULL, NULL);
        count--;
    }
    return count;
}

bool dc_pieces_split_share(const CXLDynCap *dc, uint16_t host,
                           const GArray *pieces)
{
    bool split = false;

    if (!dc->host[host].nr_tags) {
        return false;
    }
    for (guint i = 0; i < pieces->len; i++) {
        const DCPiece *p = &g_array_index(pieces, DCPiece, i);

        if (p->tag && p->tag->sharable) {
            p->tag->scratch_bytes += p->len;
        }
    }
    for (guint i = 0; i < pieces->len; i++) {
        DCTag *tag = g_array_index(pieces, DCPiece, i).tag;

        if (tag && tag->sharable && tag->scratch_bytes) {
            split |= tag->scratch_bytes != dc_tag_hold(tag, host)->bytes;
            tag->scratch_bytes = 0;
        }
    }
    return split;
}

static void release_piece(CXLDynCap *dc, DCHost *h, const DCPiece *p,
                          bool sanitize, DCEffects *fx, GArray *free)
{
    bool shared = p->tag && p->tag->sharable;
    bool asked;

    sanitize |= dc->region[dc_region_at(dc, p->dpa)].pub.sanitize;
    dc_effects_range(dc, fx->off, p->dpa, p->len);
    dc_effects_record(fx, p->dpa, p->len, p->tag, p->seq);
    asked = asked_remove(dc, &h->asked, p->dpa, p->len,
                         shared || sanitize ? NULL : fx->wipe);
    if (shared) {
        /* Others may hold it still: the tag remembers until it ends */
        p->tag->sanitize |= sanitize || asked;
        return;
    }
    if (sanitize) {
        dc_effects_range(dc, fx->wipe, p->dpa, p->len);
    }
    dc_effects_range(dc, free, p->dpa, p->len);
}

void dc_pieces_release(CXLDynCap *dc, uint16_t host, const GArray *pieces,
                       bool sanitize, DCEffects *fx)
{
    g_autoptr(GArray) free = g_array_new(FALSE, FALSE, sizeof(CXLDCRange));
    DCHost *h = &dc->host[host];
    guint end;

    dc_added_remove(dc, h, pieces);
    for (guint i = 0; i < pieces->len; i = end) {
        const DCPiece *first = &g_array_index(pieces, DCPiece, i);
        DCTag *tag = first->tag;
        uint64_t bytes = 0;
        unsigned rest;

        end = extent_end(pieces, i);
        rest = extent_rest(pieces, i, end, dc, h);
        for (guint k = i; k < end; k++) {
            const DCPiece *p = &g_array_index(pieces, DCPiece, k);

            bytes += p->len;
            release_piece(dc, h, p, sanitize, fx, free);
        }
        if (tag) {
            dc_tag_cut(dc, tag, host, bytes, rest);
            dc_tag_settle(dc, tag, host, fx);
        }
    }
    for (guint i = 0; i < free->len; i++) {
        const CXLDCRange *r = &g_array_index(free, CXLDCRange, i);

        dc_give(dc, dc_region_at(dc, r->dpa), r->dpa, r->len);
    }
    if (pieces->len) {
        h->generation++;
    }
}

/* -- what the FM asks for ------------------------------------------------- */

typedef struct Plan {
    GArray *ranges;             /* CXLDCRange, ascending */
    GArray *pieces;             /* DCPiece, ascending */
    GPtrArray *groups;          /* DCGroup of offered parts, repeatedly */
} Plan;

static CXLRetCode plan_list(CXLDynCap *dc, const CXLDCReleaseRequest *req,
                            Plan *plan, Error **errp)
{
    if (!req->nr_extents) {
        error_setg(errp, "the list of extents is empty");
        return CXL_RC_INVALID_EXTENT_LIST;
    }
    for (size_t i = 0; i < req->nr_extents; i++) {
        const CXLDCExtent *e = &req->extents[i];
        int region = dc_region_at(dc, e->dpa);
        uint64_t block = region < 0 ? 1 : dc->region[region].pub.block_size;

        if (!e->len) {
            error_setg(errp, "extent with 0 length is not allowed: extent "
                       "%zu, DPA 0x%" PRIx64, i, e->dpa);
            return CXL_RC_INVALID_EXTENT_LIST;
        }
        if (!QEMU_IS_ALIGNED(e->dpa, block) ||
            !QEMU_IS_ALIGNED(e->len, block)) {
            error_setg(errp, "dpa or len is not aligned to region block size: "
                       "extent %zu, DPA 0x%" PRIx64 ", length 0x%" PRIx64
                       ", block size 0x%" PRIx64, i, e->dpa, e->len, block);
            return CXL_RC_INVALID_EXTENT_LIST;
        }
        /* An extent that starts outside of all regions is not backed: 0Fh */
        if (region >= 0 && cxl_dc_region_of(dc, e->dpa, e->len) < 0) {
            error_setg(errp, "extent range is beyond the region end: extent "
                       "%zu, DPA 0x%" PRIx64 ", length 0x%" PRIx64, i, e->dpa,
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
                       "DPA 0x%" PRIx64, r->dpa);
            return CXL_RC_INVALID_EXTENT_LIST;
        }
    }
    return CXL_RC_SUCCESS;
}

/*
 * Fills plan->ranges with the highest @req->len bytes that the host holds of
 * the tag, so that what stays is one piece from the start.
 */
static CXLRetCode plan_tag(CXLDynCap *dc, const CXLDCReleaseRequest *req,
                           Plan *plan, Error **errp)
{
    const DCHost *h = &dc->host[req->host];
    DCTag *tag = dc_tag_find(dc, &req->tag);
    DCHold *hold = tag ? dc_tag_hold(tag, req->host) : NULL;
    g_autofree char *name = dc_tag_name(&req->tag, errp);
    uint64_t block, drop;

    if (!hold) {
        error_setg(errp, "tag %s names no capacity of host %u", name,
                   req->host);
        return CXL_RC_INVALID_INPUT;
    }
    block = dc->region[hold->region].pub.block_size;
    if (!req->len || !QEMU_IS_ALIGNED(req->len, block)) {
        error_setg(errp, "length 0x%" PRIx64 " is not a multiple of block size "
                   "0x%" PRIx64, req->len, block);
        return CXL_RC_INVALID_INPUT;
    }
    if (req->len > hold->bytes) {
        error_setg(errp, "length 0x%" PRIx64 ": host %u has 0x%" PRIx64
                   " bytes of tag %s", req->len, req->host, hold->bytes, name);
        return CXL_RC_RESOURCES_EXHAUSTED;
    }
    if (tag->sharable && req->len < hold->bytes) {
        error_setg(errp, "length 0x%" PRIx64 ": shared tag %s of 0x%" PRIx64
                   " bytes can only be released whole", req->len, name,
                   hold->bytes);
        return CXL_RC_INVALID_INPUT;
    }

    for (uint32_t i = 0; i < tag->nr_parts; i++) {
        uint64_t dpa = tag->part[i].dpa, len = tag->part[i].len, end;
        const DCSet *set = hold->pending ? &h->pending : &h->added;
        const DCRec *rec;
        DCCursor cur;

        if (tag->sharable) {
            dpa = dc_tag_dpa(tag, hold->region, i);
        }
        end = dpa + len;
        rec = dc_set_from(set, dpa, &cur);
        for (; rec && rec->dpa < end; rec = dc_set_next(&cur)) {
            const DCGroup *group = rec->ref;

            if ((hold->pending ? group->part[rec->idx].tag : rec->ref) ==
                tag) {
                dc_range_append(plan->ranges, rec->dpa, rec->len);
            }
        }
    }
    g_array_sort(plan->ranges, dc_compare_range);
    for (drop = hold->bytes - req->len; drop; ) {
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
static CXLRetCode plan_pieces(CXLDynCap *dc, const CXLDCReleaseRequest *req,
                              Plan *plan, Error **errp)
{
    const DCHost *h = &dc->host[req->host];
    uint64_t missing, left;

    for (guint i = 0; i < plan->ranges->len; i++) {
        const CXLDCRange *r = &g_array_index(plan->ranges, CXLDCRange, i);

        if (dc_pieces_of(h, r->dpa, r->len, plan->pieces,
                         req->forced ? plan->groups : NULL, &missing)) {
            continue;
        }
        /* Unsure: 1Eh for free blocks inside a region; 0Fh for all here */
        error_setg(errp, dc_set_find(&h->pending, missing) ?
                   "cannot release extent with pending DPA range: DPA 0x%"
                   PRIx64 :
                   "cannot release extent with non-existing DPA range: DPA 0x%"
                   PRIx64, missing);
        return CXL_RC_INVALID_PHYS_ADDR;
    }
    if (dc_pieces_split_share(dc, req->host, plan->pieces)) {
        error_setg(errp, "shared capacity can only be released whole");
        return CXL_RC_INVALID_INPUT;
    }
    left = dc_pieces_left(h, plan->pieces);
    if (left > h->added.count && left + h->pending.count + dc->orphan_extents >
                                 dc->config.max_extents) {
        error_setg(errp, "%" PRIu64 " extents would remain: at most %u are "
                   "tracked ('dc-extents-max')", left, dc->config.max_extents);
        return CXL_RC_RESOURCES_EXHAUSTED;
    }
    if (!req->forced && h->asked.count + 2 * (uint64_t)plan->ranges->len >
                        dc_list_limit(dc)) {
        error_setg(errp, "%u release requests are open: wait for host %u to "
                   "answer some, or use force", h->asked.count, req->host);
        return CXL_RC_RESOURCES_EXHAUSTED;
    }
    if (!req->forced && !dc_log_has_room(dc, req->host, plan->pieces->len)) {
        error_setg(errp, "%u records do not fit in the event log of host %u "
                   "now: try again when it has read some", plan->pieces->len,
                   req->host);
        return CXL_RC_RETRY_REQUIRED;
    }
    return CXL_RC_SUCCESS;
}

static void ask(CXLDynCap *dc, const CXLDCReleaseRequest *req,
                const Plan *plan)
{
    DCHost *h = &dc->host[req->host];
    DCEffects fx;

    dc_effects_init(&fx, req->host, CXL_DC_EV_RELEASE);
    for (guint i = 0; i < plan->pieces->len; i++) {
        const DCPiece *p = &g_array_index(plan->pieces, DCPiece, i);

        asked_add(dc, &h->asked, p->dpa, p->len, req->sanitize);
        dc_effects_record(&fx, p->dpa, p->len, p->tag, p->seq);
    }
    trace_cxl_dc_release_request(req->host, plan->pieces->len, req->sanitize);
    dc_effects_run(dc, &fx);
}

static void force(CXLDynCap *dc, const CXLDCReleaseRequest *req,
                  const Plan *plan)
{
    DCEffects fx;

    for (guint i = 0; i < plan->groups->len; i++) {
        dc_group_withdraw(dc, req->host, g_ptr_array_index(plan->groups, i));
    }
    dc_effects_init(&fx, req->host, CXL_DC_EV_FORCED_RELEASE);
    dc_pieces_release(dc, req->host, plan->pieces, req->sanitize, &fx);
    dc_effects_report(&fx, CXL_DC_RELEASED, CXL_DC_BY_FM);
    trace_cxl_dc_forced_release(req->host, plan->pieces->len,
                                plan->groups->len);
    dc_effects_run(dc, &fx);
}

static CXLRetCode plan_release(CXLDynCap *dc, const CXLDCReleaseRequest *req,
                               Plan *plan, Error **errp)
{
    CXLRetCode rc;

    if (req->host >= dc->config.nr_hosts) {
        error_setg(errp, "host id %u: there are %u hosts", req->host,
                   dc->config.nr_hosts);
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
    rc = req->policy == CXL_DC_RELEASE_TAG ? plan_tag(dc, req, plan, errp)
                                           : plan_list(dc, req, plan, errp);
    return rc == CXL_RC_SUCCESS ? plan_pieces(dc, req, plan, errp) : rc;
}

CXLRetCode cxl_dc_release(CXLDynCap *dc, const CXLDCReleaseRequest *req,
                          Error **errp)
{
    Plan plan = {
        .ranges = g_array_new(FALSE, FALSE, sizeof(CXLDCRange)),
        .pieces = g_array_new(FALSE, FALSE, sizeof(DCPiece)),
        .groups = g_ptr_array_new(),
    };
    static const char *const policies[] = {
        [CXL_DC_RELEASE_TAG] = "tag-based",
        [CXL_DC_RELEASE_PRESCRIPTIVE] = "prescriptive",
    };
    CXLRetCode rc = plan_release(dc, req, &plan, errp);

    if (rc != CXL_RC_SUCCESS) {
        trace_cxl_dc_release_refused(req->host, CXL_NAME(policies, req->policy),
                                     cxl_rc_name(rc));
    } else if (req->forced) {
        force(dc, req, &plan);
    } else {
        ask(dc, req, &plan);
    }
    g_array_free(plan.ranges, TRUE);
    g_array_free(plan.pieces, TRUE);
    g_ptr_array_free(plan.groups, TRUE);
    return rc;
}

uint16_t cxl_dc_release_policies(const CXLDynCap *dc)
{
    return 1u << CXL_DC_RELEASE_TAG | 1u << CXL_DC_RELEASE_PRESCRIPTIVE;
}
