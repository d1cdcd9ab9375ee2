/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity model: groups of offered extents (CXL r3.2 9.13.3.3): the
 * extents of one FM add wait together for one answer of the host.
 */
#include "qemu/osdep.h"
#include "dc-internal.h"
#include "trace/trace-hw_cxl.h"

static size_t dc_group_bytes(const DCGroup *group)
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
    h->group_bytes += dc_group_bytes(group);
}

void dc_group_withdraw(CXLDynCap *dc, uint16_t host, DCGroup *group)
{
    if (group->dead) {
        return;
    }
    group->dead = true;
    for (uint32_t i = 0; i < group->nr_parts; i++) {
        if (group->part[i].tag) {
            dc_tag_withdraw(dc, group->part[i].tag, host);
        }
    }
    trace_cxl_dc_withdrawn(host, group->nr_parts);
}

void dc_group_end(CXLDynCap *dc, uint16_t host, DCGroup *group,
                  const uint64_t *keep, DCEffects *fx)
{
    DCHost *h = &dc->host[host];

    for (uint32_t i = 0; i < group->nr_parts; i++) {
        const DCPart *part = &group->part[i];

        dc_set_remove(&h->pending, part->dpa);
        if (part->tag) {
            dc_tag_unoffer(dc, part->tag, host, part->len);
            part->tag->marked = 1;
        }
        /* Shared blocks belong to the tag */
        if (!(part->tag && part->tag->sharable) &&
            !(keep && keep[i])) {
            dc_free_range(dc, dc_region_at(dc, part->dpa), part->dpa,
                          part->len);
        }
    }
    /* A tag may end when it is put: keep one mention of each */
    for (uint32_t i = 0; i < group->nr_parts; i++) {
        DCTag *tag = group->part[i].tag;

        if (tag && !tag->marked) {
            group->part[i].tag = NULL;
        } else if (tag) {
            tag->marked = 0;
        }
    }
    for (uint32_t i = 0; i < group->nr_parts; i++) {
        if (group->part[i].tag) {
            dc_tag_put(dc, group->part[i].tag, host, fx);
        }
    }
    QTAILQ_REMOVE(&h->groups, group, next);
    h->group_bytes -= dc_group_bytes(group);
    g_free(group);
}

void dc_group_refuse(CXLDynCap *dc, uint16_t host, DCGroup *group,
                     CXLDCReason why, DCEffects *fx)
{
    static const char *const words[] = {
        [CXL_DC_BY_HOST] = "refused by the host",
        [CXL_DC_BY_ERROR] = "the host's answer failed",
        [CXL_DC_BY_FM] = "it was withdrawn",
        [CXL_DC_BY_RESET] = "reset",
    };
    DCReport report = { CXL_DC_REFUSED, why, group->nr_parts };

    for (uint32_t i = 0; i < MIN(report.n, CXL_DC_REPORT_EXTENTS); i++) {
        const DCPart *part = &group->part[i];
        CXLDCExtent e;

        dc_fill_extent(&e, part->dpa, part->len, part->tag, part->seq);
        g_array_append_val(fx->reported, e);
    }
    g_array_append_val(fx->reports, report);
    trace_cxl_dc_refused(host, group->nr_parts, words[why]);
    dc_group_end(dc, host, group, NULL, fx);
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
