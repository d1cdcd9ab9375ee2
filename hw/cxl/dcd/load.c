/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity model: reading saved state (vmstate.c writes it).
 *
 * A stream is foreign input: it is loaded into a new model, under the rules
 * that hold for commands, and takes the old one's place when all was right.
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/host-utils.h"
#include "migration/qemu-file-types.h"
#include "dc-internal.h"

/**
 * struct Load - a stream of @from on its way into @dc
 * @tags: in the order of the list
 * @bad: what is wrong, once something is
 */
typedef struct Load {
    QEMUFile *f;
    const CXLDynCap *from;
    CXLDynCap *dc;
    GPtrArray *tags;
    const char *bad;
    bool relisted;              /* tags are in another order than before */
} Load;

static bool dc_load_fail(Load *l, const char *why)
{
    if (!l->bad) {
        l->bad = why;
    }
    return false;
}

/* 0 after a failure */
static uint64_t dc_load_uint(Load *l, uint64_t max, const char *what)
{
    uint64_t v = 0;

    for (unsigned shift = 0; !l->bad; shift += 7) {
        int byte = qemu_get_byte(l->f);
        uint64_t bits = byte & 0x7f;

        if (qemu_file_get_error(l->f)) {
            dc_load_fail(l, "the stream ends early");
        } else if (shift > 63 || bits << shift >> shift != bits) {
            dc_load_fail(l, "a number is too large");
        } else {
            v |= bits << shift;
            if (!(byte & 0x80)) {
                break;
            }
        }
    }
    if (v > max) {
        dc_load_fail(l, what);
    }
    return l->bad ? 0 : v;
}

static uint64_t dc_load_units(Load *l)
{
    return dc_load_uint(l, UINT64_MAX >> DC_STREAM_SHIFT,
                        "an address is too large") << DC_STREAM_SHIFT;
}

static bool dc_load_is_blocks(Load *l, uint64_t dpa, uint64_t len)
{
    int region = cxl_dc_region_of(l->dc, dpa, len);
    uint64_t block;

    if (region < 0) {
        return dc_load_fail(l, "a range is not in a region");
    }
    block = l->dc->region[region].pub.block_size;
    return (QEMU_IS_ALIGNED(dpa, block) && QEMU_IS_ALIGNED(len, block)) ||
           dc_load_fail(l, "a range is off the block size");
}

static bool dc_load_claim(Load *l, uint64_t dpa, uint64_t len)
{
    int region;

    if (!dc_load_is_blocks(l, dpa, len)) {
        return false;
    }
    region = dc_region_at(l->dc, dpa);
    if (!dc_range_is_free(l->dc, region, dpa, len)) {
        return dc_load_fail(l, "a range is in use twice");
    }
    dc_alloc_range(l->dc, region, dpa, len);
    return true;
}

static void dc_load_regions(Load *l)
{
    for (unsigned i = 0; i < l->dc->config.nr_regions; i++) {
        CXLDCRegion *r = &l->dc->region[i].pub;
        uint64_t block = dc_load_units(l);
        bool sanitize = dc_load_uint(l, 1, "a flag is not one");

        if (!is_power_of_2(block) || !(block & r->block_mask)) {
            dc_load_fail(l, "a block size is not supported");
        } else if (sanitize != r->sanitize && !r->sanitize_configurable) {
            dc_load_fail(l, "sanitize on release differs");
        } else {
            r->block_size = block;
            r->sanitize = sanitize;
        }
    }
}

static void dc_load_aliases(Load *l, DCTag *tag)
{
    unsigned n = dc_load_uint(l, CXL_DC_MAX_REGIONS,
                              "a tag is in many regions");

    while (n-- && !l->bad) {
        unsigned region = dc_load_uint(l, l->dc->config.nr_regions - 1,
                                       "a tag is in no region");
        DCAlias *alias;

        if (!l->dc->region[region].pub.sharable || region == tag->region ||
            dc_tag_alias(tag, region)) {
            dc_load_fail(l, "a tag is not shared like that");
            return;
        }
        alias = g_malloc0(sizeof(*alias) + tag->nr_parts * sizeof(uint64_t));
        alias->region = region;
        dc_tag_add_alias(l->dc, tag, alias);
        for (uint32_t i = 0; i < tag->nr_parts && !l->bad; i++) {
            alias->dpa[i] = dc_load_units(l);
            if (cxl_dc_region_of(l->dc, alias->dpa[i], tag->part[i].len) !=
                region) {
                dc_load_fail(l, "shared capacity leaves its region");
            }
            dc_load_claim(l, alias->dpa[i], tag->part[i].len);
        }
    }
}

static void dc_load_shared_tag(Load *l, const QemuUUID *uuid, unsigned region)
{
    CXLDynCap *dc = l->dc;
    unsigned flags = dc_load_uint(l, DC_TAG_FLAGS, "a tag has unknown flags");
    uint32_t n = dc_load_uint(l, MIN(65536, dc->config.max_extents),
                              "a tag has too many extents");
    g_autofree CXLDCRange *part = g_new0(CXLDCRange, n);
    DCTag *tag;

    for (uint32_t i = 0; i < n && !l->bad; i++) {
        part[i].dpa = dc_load_units(l);
        part[i].len = dc_load_units(l);
        if (cxl_dc_region_of(dc, part[i].dpa, part[i].len) != region) {
            dc_load_fail(l, "an extent is not where its tag is");
        }
        dc_load_claim(l, part[i].dpa, part[i].len);
    }
    if (!n) {
        dc_load_fail(l, "a shared tag is empty");
    }
    if (l->bad) {
        return;
    }
    tag = dc_tag_new(dc, uuid, region, part, n);
    tag->sanitize = flags & DC_TAG_SANITIZE;
    tag->accessed_once = flags & DC_TAG_ACCESSED;
    if (flags & DC_TAG_REFERENCED) {
        tag->referenced = true;
        dc->orphan_extents += n;
        dc->orphan_tags++;
    }
    g_ptr_array_add(l->tags, tag);
    dc_load_aliases(l, tag);
}

static void dc_load_tags(Load *l)
{
    CXLDynCap *dc = l->dc;
    uint64_t n = dc_load_uint(l, (uint64_t)dc->config.max_tags *
                             dc->config.nr_hosts, "there are too many tags");

    while (n-- && !l->bad) {
        QemuUUID uuid;
        unsigned region;

        if (qemu_get_buffer(l->f, uuid.data, sizeof(uuid.data)) !=
            sizeof(uuid.data)) {
            dc_load_fail(l, "the stream ends early");
            return;
        }
        region = dc_load_uint(l, dc->config.nr_regions - 1,
                              "a tag is in no region");
        if (qemu_uuid_is_null(&uuid) || dc_tag_find(dc, &uuid)) {
            dc_load_fail(l, "a tag is zero or there twice");
        }
        if (l->bad) {
            return;
        }
        if (dc->region[region].pub.sharable) {
            dc_load_shared_tag(l, &uuid, region);
        } else {
            g_ptr_array_add(l->tags, dc_tag_new(dc, &uuid, region, NULL, 0));
        }
    }
}

/* An extent's tag and sequence */
static void dc_load_owner(Load *l, DCTag **owner, uint16_t *seq)
{
    uint32_t nr = dc_load_uint(l, l->tags->len, "an extent has an unknown tag");
    DCTag *tag = nr ? g_ptr_array_index(l->tags, nr - 1) : NULL;

    *owner = tag;
    *seq = 0;
    if (tag && tag->sharable) {
        *seq = dc_load_uint(l, UINT16_MAX, "a sequence number is too large");
    }
}

/* Is that the tag's?  Takes the medium of what is not shared */
static bool dc_load_take(Load *l, unsigned host, uint64_t dpa, uint64_t len,
                         DCTag *tag, uint16_t seq)
{
    CXLDynCap *dc = l->dc;
    DCTagRef *ref = tag ? dc_tag_ref(tag, host) : NULL;
    int region;

    if (tag && tag->sharable ? seq >= tag->nr_parts : seq) {
        dc_load_fail(l, "a sequence number is too large");
    }
    if (l->bad || !dc_load_is_blocks(l, dpa, len)) {
        return false;
    }
    region = dc_region_at(dc, dpa);
    if (dc->region[region].pub.sharable != (tag && tag->sharable)) {
        return dc_load_fail(l, "an extent's tag does not fit its region");
    }
    if (tag && tag->sharable) {
        if (region != tag->region && !dc_tag_alias(tag, region)) {
            return dc_load_fail(l, "a tag is not shared in an extent's region");
        }
        if (dpa != dc_tag_dpa(tag, region, seq) ||
            len != tag->part[seq].len || (ref && ref->region != region)) {
            return dc_load_fail(l, "a shared extent is not where its tag is");
        }
        return true;
    }
    if (tag && (region != tag->region || (!ref && tag->nr_refs))) {
        return dc_load_fail(l, "an extent is not where its tag is");
    }
    if (!dc_load_claim(l, dpa, len)) {
        return false;
    }
    if (tag) {
        dc_tag_grow(dc, tag, dpa, len);
    }
    return true;
}

/* Behind the one that ends at @end */
static bool dc_load_extent(Load *l, unsigned host, uint64_t end,
                           const DCRec *rec)
{
    DCTag *tag = rec->ref;

    if (rec->dpa < end ||
        !dc_load_take(l, host, rec->dpa, rec->len, tag, rec->seq)) {
        return dc_load_fail(l, "an extent is out of order");
    }
    dc_added_insert(l->dc, &l->dc->host[host], rec);
    if (tag) {
        dc_tag_accept(l->dc, tag, host, dc_region_at(l->dc, rec->dpa),
                      rec->len);
    }
    return true;
}

/* One that is not shared is known by its extents alone */
static DCTag *dc_load_kept_tag(Load *l, const CXLDCExtent *e)
{
    DCTag *tag = dc_tag_find(l->dc, &e->tag);
    int region = cxl_dc_region_of(l->dc, e->dpa, e->len);

    if (!tag && region >= 0 && !l->dc->region[region].pub.sharable) {
        tag = dc_tag_new(l->dc, &e->tag, region, NULL, 0);
        g_ptr_array_add(l->tags, tag);
        l->relisted = true;
    }
    if (!tag) {
        dc_load_fail(l, "an extent has an unknown tag");
    }
    return tag;
}

/* What the owner keeps is as foreign as the stream */
static void dc_load_kept(Load *l, unsigned host)
{
    const DCHost *h = &l->dc->host[host];
    uint64_t end = 0;
    CXLDCExtent e;

    while (!l->bad && l->from->ops->next_kept(l->from->opaque, host, &e)) {
        DCRec rec = { .dpa = e.dpa, .len = e.len, .seq = e.seq };

        if (!qemu_uuid_is_null(&e.tag)) {
            rec.ref = dc_load_kept_tag(l, &e);
        }
        if (h->added.count == l->dc->config.max_extents) {
            dc_load_fail(l, "there are too many extents");
        }
        if (!l->bad && dc_load_extent(l, host, end, &rec)) {
            end = rec.dpa + rec.len;
        }
    }
}

static void dc_load_added(Load *l, unsigned host)
{
    CXLDynCap *dc = l->dc;
    uint32_t n = dc_load_uint(l, dc->config.max_extents,
                              "there are too many extents");
    uint64_t end = 0;

    while (n-- && !l->bad) {
        uint64_t gap = dc_load_units(l), len = dc_load_units(l);
        DCRec rec = { .dpa = end + gap, .len = len };
        DCTag *tag;

        dc_load_owner(l, &tag, &rec.seq);
        rec.ref = tag;
        if (dc_load_extent(l, host, end, &rec)) {
            end = rec.dpa + len;
        }
    }
}

/* Offered extents overlap neither each other nor what is Added */
static bool dc_parts_are_apart(const DCHost *h, const DCPart *part, uint32_t n)
{
    g_autofree CXLDCRange *range = g_new(CXLDCRange, n);

    for (uint32_t i = 0; i < n; i++) {
        range[i].dpa = part[i].dpa;
        range[i].len = part[i].len;
        if (dc_set_overlaps(&h->added, part[i].dpa, part[i].len) ||
            dc_set_overlaps(&h->pending, part[i].dpa, part[i].len)) {
            return false;
        }
    }
    qsort(range, n, sizeof(*range), dc_compare_range);
    for (uint32_t i = 1; i < n; i++) {
        if (range[i].dpa - range[i - 1].dpa < range[i - 1].len) {
            return false;
        }
    }
    return true;
}

static void dc_load_group(Load *l, unsigned host)
{
    CXLDynCap *dc = l->dc;
    DCHost *h = &dc->host[host];
    g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(DCPart));
    bool dead = dc_load_uint(l, 1, "a flag is not one");
    uint32_t left = dc->config.max_extents - h->added.count -
                    h->pending.count;
    uint32_t n = dc_load_uint(l, left, "there are too many extents");
    DCGroup *group;

    if (!n) {
        dc_load_fail(l, "an offer is empty");
    }
    for (uint32_t i = 0; i < n && !l->bad; i++) {
        uint64_t dpa = dc_load_units(l), len = dc_load_units(l);
        DCPart p = { .dpa = dpa, .len = len };
        DCTagRef *ref;

        dc_load_owner(l, &p.tag, &p.seq);
        if (!dc_load_take(l, host, p.dpa, p.len, p.tag, p.seq)) {
            return;
        }
        ref = p.tag ? dc_tag_ref(p.tag, host) : NULL;
        if (ref) {
            dc_load_fail(l, "a tag is in two offers, or offered and accepted");
        }
        g_array_append_val(parts, p);
    }
    if (!l->bad &&
        !dc_parts_are_apart(h, (const DCPart *)parts->data, parts->len)) {
        dc_load_fail(l, "offers overlap");
    }
    if (l->bad) {
        return;
    }
    group = dc_group_new(n);
    memcpy(group->part, parts->data, n * sizeof(DCPart));
    dc_group_append(dc, host, group);
    if (dead) {
        dc_group_withdraw(dc, host, group);
    }
}

static void dc_load_release_pending(Load *l, DCHost *h)
{
    uint64_t n = dc_load_uint(l, dc_list_limit(l->dc),
                              "there are too many release requests");
    g_autoptr(GArray) fragments = g_array_new(FALSE, FALSE, sizeof(DCFragment));
    DCRec last = { .len = 0 };

    while (n-- && !l->bad) {
        uint64_t gap = dc_load_units(l), end = last.dpa + last.len, missing;
        DCRec rec = { .dpa = end + gap };

        rec.len = dc_load_units(l);
        rec.flags = dc_load_uint(l, DC_REC_SANITIZE, "a flag is not one");
        /* Runs are as long as they can be */
        if (!rec.len || rec.dpa < end || rec.len > UINT64_MAX - rec.dpa ||
            (last.len && !gap && last.flags == rec.flags)) {
            dc_load_fail(l, "release requests are out of order");
            return;
        }
        g_array_set_size(fragments, 0);
        if (!dc_split_range(h, rec.dpa, rec.len, fragments, NULL, &missing)) {
            dc_load_fail(l, "a release request is for what is not there");
        }
        for (guint i = 0; i < fragments->len && !l->bad; i++) {
            const DCFragment *p = &g_array_index(fragments, DCFragment, i);

            dc_load_is_blocks(l, p->dpa, p->len);
        }
        dc_set_insert(&h->release_pending, &rec);
        last = rec;
    }
}

static void dc_load_partial(Load *l, DCHost *h)
{
    uint64_t n;

    h->chain = dc_load_uint(l, DC_CHAIN_RELEASE, "a chain is of unknown kind");
    if (h->chain == DC_CHAIN_NONE) {
        return;
    }
    h->partial = g_array_new(FALSE, FALSE, sizeof(CXLDCRange));
    n = dc_load_uint(l, dc_list_limit(l->dc), "a chain is too long");
    while (n-- && !l->bad) {
        uint64_t dpa = dc_load_uint(l, UINT64_MAX, "");

        dc_range_append(h->partial, dpa, dc_load_uint(l, UINT64_MAX, ""));
    }
    if (h->chain == DC_CHAIN_RESPOND && QTAILQ_EMPTY(&h->groups)) {
        dc_load_fail(l, "a chain answers no offer");
    }
}

static void dc_load_host(Load *l, unsigned host)
{
    DCHost *h = &l->dc->host[host];
    uint32_t generation = dc_load_uint(l, UINT32_MAX,
                                       "a generation is too large");
    uint32_t n;

    dc_load_added(l, host);
    if (l->from->ops->next_kept) {
        dc_load_kept(l, host);
    }
    n = dc_load_uint(l, l->dc->config.max_extents, "there are too many offers");
    while (n-- && !l->bad) {
        dc_load_group(l, host);
    }
    dc_load_release_pending(l, h);
    dc_load_partial(l, h);
    h->generation = generation;
    if (h->nr_tags > l->dc->config.max_tags) {
        dc_load_fail(l, "there are too many tags");
    }
}

/* What only all extents together tell */
static void dc_load_check_tag(Load *l, DCTag *tag)
{
    const DCAlias *alias;

    if (!tag->nr_refs && !tag->referenced) {
        dc_load_fail(l, "a tag has no holder");
    }
    for (unsigned i = 0; tag->sharable && i < tag->nr_refs; i++) {
        if (tag->ref[i].added + tag->ref[i].pending != tag->nr_parts) {
            dc_load_fail(l, "a host has a part of shared capacity");
        }
    }
    for (alias = tag->alias; alias; alias = alias->next) {
        if (!alias->users) {
            dc_load_fail(l, "shared capacity is seen by nobody");
        }
    }
    if (!tag->sharable && tag->nr_parts) {
        uint32_t n = tag->nr_parts;

        dc_merge_ranges(tag->part, &n);
        dc_tag_set_parts(l->dc, tag, tag->part, n);
    }
}

static void dc_load_all(Load *l)
{
    uint32_t tag_generation;

    if (dc_load_uint(l, UINT16_MAX, "") != l->dc->config.nr_hosts ||
        dc_load_uint(l, UINT8_MAX, "") != l->dc->config.nr_regions) {
        dc_load_fail(l, "the number of hosts or regions differs");
    }
    dc_load_regions(l);
    dc_load_tags(l);
    tag_generation = dc_load_uint(l, UINT32_MAX, "a generation is too large");
    for (unsigned h = 0; h < l->dc->config.nr_hosts && !l->bad; h++) {
        dc_load_host(l, h);
    }
    for (guint i = 0; i < l->tags->len; i++) {
        dc_load_check_tag(l, g_ptr_array_index(l->tags, i));
    }
    l->dc->tag_generation = tag_generation + l->relisted;
}

int dc_load(CXLDynCap *dc, QEMUFile *f)
{
    Load l = {
        .f = f, .from = dc, .dc = dc_new_like(dc), .tags = g_ptr_array_new(),
    };

    dc_load_all(&l);
    if (l.bad) {
        error_report("dynamic capacity state refused: %s", l.bad);
        cxl_dc_forget(dc);
    } else {
        dc_swap_content(dc, l.dc);
    }
    cxl_dc_free(l.dc);
    g_ptr_array_free(l.tags, TRUE);
    return l.bad ? -EINVAL : 0;
}
