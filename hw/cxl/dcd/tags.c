/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tags of the dynamic capacity model: who holds a named allocation, FM
 * references (CXL r3.2 7.6.7.6.7, 7.6.7.6.8), the list of tags (7.6.7.6.9), and
 * where shared capacity is seen (9.13.3.2).
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/host-utils.h"
#include "qemu/xxhash.h"
#include "dc-internal.h"
#include "trace/trace-hw_cxl.h"

/*
 * qemu_uuid_hash() gives one value to many of the names that an FM would count
 * up, and each look-up then compares with all tags of that value.
 */
static guint dc_tag_hash(gconstpointer tag)
{
    const QemuUUID *uuid = tag;

    return qemu_xxhash4(ldq_he_p(uuid->data), ldq_he_p(uuid->data + 8));
}

/* A tag begins with its UUID */
static gboolean dc_tag_equal(gconstpointer a, gconstpointer b)
{
    return qemu_uuid_is_equal(a, b);
}

DCTag *dc_tag_find(const CXLDynCap *dc, const QemuUUID *uuid)
{
    return qemu_uuid_is_null(uuid) ? NULL :
           g_hash_table_lookup(dc->tags, uuid);
}

char *dc_tag_name(const QemuUUID *uuid, Error **errp)
{
    return errp ? qemu_uuid_unparse_strdup(uuid) : NULL;
}

static size_t dc_tag_struct_bytes(const DCTag *tag)
{
    return sizeof(DCTag) +
           (tag->nr_parts > 1 ? tag->nr_parts * sizeof(CXLDCRange) : 0);
}

static size_t dc_alias_bytes(const DCTag *tag)
{
    return sizeof(DCAlias) + tag->nr_parts * sizeof(uint64_t);
}

static void dc_parts_free(DCTag *tag, CXLDCRange *part)
{
    if (part != &tag->only) {
        g_free(part);
    }
}

/* @part may be those that the tag has */
void dc_tag_set_parts(CXLDynCap *dc, DCTag *tag, const CXLDCRange *part,
                      uint32_t nr_parts)
{
    CXLDCRange *was = tag->part;

    dc->tag_bytes -= dc_tag_struct_bytes(tag);
    if (nr_parts > 1) {
        tag->part = g_memdup2(part, nr_parts * sizeof(*part));
    } else {
        tag->only = nr_parts ? part[0] : (CXLDCRange) { };
        tag->part = &tag->only;
    }
    tag->nr_parts = nr_parts;
    dc->tag_bytes += dc_tag_struct_bytes(tag);
    dc_parts_free(tag, was);
}

void dc_tag_grow(CXLDynCap *dc, DCTag *tag, uint64_t dpa, uint64_t len)
{
    uint32_t n = tag->nr_parts;
    CXLDCRange *last = n ? &tag->part[n - 1] : NULL;

    if (last && last->dpa + last->len == dpa) {
        last->len += len;
        return;
    }
    dc->tag_bytes -= dc_tag_struct_bytes(tag);
    if (n == 1) {
        tag->part = g_new(CXLDCRange, 2);
        tag->part[0] = tag->only;
    } else if (n && is_power_of_2(n)) {
        tag->part = g_renew(CXLDCRange, tag->part, 2 * n);
    }
    tag->part[n].dpa = dpa;
    tag->part[n].len = len;
    tag->nr_parts++;
    dc->tag_bytes += dc_tag_struct_bytes(tag);
}

DCTag *dc_tag_new(CXLDynCap *dc, const QemuUUID *uuid, unsigned region,
                  const CXLDCRange *part, uint32_t nr_parts)
{
    DCTag *tag = g_new0(DCTag, 1);
    DCRec rec = { .dpa = dc->next_tag_id++, .len = 1, .ref = tag };

    tag->uuid = *uuid;
    tag->id = rec.dpa;
    tag->ref = &tag->first;
    tag->region = region;
    tag->sharable = dc->region[region].pub.sharable;
    g_hash_table_add(dc->tags, tag);
    dc_set_insert(&dc->tag_list, &rec);
    if (tag->sharable) {
        dc_set_insert(&dc->shared_tags, &rec);
    }
    dc->tag_bytes += dc_tag_struct_bytes(tag);
    dc_tag_set_parts(dc, tag, part, nr_parts);
    dc->tag_generation++;
    return tag;
}

static void dc_tag_free(DCTag *tag)
{
    DCAlias *alias;

    while ((alias = tag->alias)) {
        tag->alias = alias->next;
        g_free(alias);
    }
    if (tag->ref != &tag->first) {
        g_free(tag->ref);
    }
    dc_parts_free(tag, tag->part);
    g_free(tag);
}

void dc_tags_init(CXLDynCap *dc)
{
    dc->tags = g_hash_table_new(dc_tag_hash, dc_tag_equal);
}

void dc_tags_free(CXLDynCap *dc)
{
    const DCRec *rec;
    DCCursor cur;

    rec = dc_set_nth(&dc->tag_list, 0, &cur);
    for (; rec; rec = dc_set_next(&cur)) {
        dc_tag_free(rec->ref);
    }
    dc_set_clear(&dc->tag_list);
    dc_set_clear(&dc->shared_tags);
    g_hash_table_destroy(dc->tags);
}

/* -- holds ---------------------------------------------------------------- */

/* Index of the first hold whose host is not below @host */
static unsigned dc_tag_ref_index(const DCTag *tag, uint16_t host)
{
    unsigned lo = 0, hi = tag->nr_refs;

    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;

        if (tag->ref[mid].host < host) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

DCTagRef *dc_tag_ref(DCTag *tag, uint16_t host)
{
    unsigned i = dc_tag_ref_index(tag, host);

    return i < tag->nr_refs && tag->ref[i].host == host ? &tag->ref[i]
                                                          : NULL;
}

static DCTagRef *dc_tag_ref_get(CXLDynCap *dc, DCTag *tag, uint16_t host,
                                unsigned region)
{
    DCTagRef *ref = dc_tag_ref(tag, host);
    DCAlias *alias;
    unsigned i;

    if (ref) {
        return ref;
    }
    if (tag->nr_refs == 1) {
        tag->ref = g_new(DCTagRef, 2);
        tag->ref[0] = tag->first;
    } else if (tag->nr_refs > 1) {
        tag->ref = g_renew(DCTagRef, tag->ref, tag->nr_refs + 1);
    }
    i = dc_tag_ref_index(tag, host);
    memmove(&tag->ref[i + 1], &tag->ref[i],
            (tag->nr_refs - i) * sizeof(DCTagRef));
    ref = &tag->ref[i];
    memset(ref, 0, sizeof(*ref));
    ref->host = host;
    ref->region = region;
    alias = dc_tag_alias(tag, region);
    if (alias) {
        alias->users++;
    }
    if (!tag->nr_refs++ && tag->referenced) {
        dc->orphan_extents -= tag->nr_parts;
        dc->orphan_tags--;
    }
    dc->host[host].nr_tags++;
    return ref;
}

static void dc_tag_ref_put(CXLDynCap *dc, DCTag *tag, DCTagRef *ref)
{
    unsigned i = ref - tag->ref;

    dc->host[ref->host].nr_tags--;
    tag->nr_refs--;
    memmove(ref, ref + 1, (tag->nr_refs - i) * sizeof(DCTagRef));
    if (tag->nr_refs == 1) {
        tag->first = tag->ref[0];
        g_free(tag->ref);
        tag->ref = &tag->first;
    }
}

/* -- places --------------------------------------------------------------- */

DCAlias *dc_tag_alias(const DCTag *tag, unsigned region)
{
    DCAlias *alias = tag->alias;

    while (alias && alias->region != region) {
        alias = alias->next;
    }
    return alias;
}

void dc_tag_add_alias(CXLDynCap *dc, DCTag *tag, DCAlias *alias)
{
    alias->next = tag->alias;
    tag->alias = alias;
    dc->tag_bytes += dc_alias_bytes(tag);
}

static void dc_alias_put(CXLDynCap *dc, DCTag *tag, unsigned region)
{
    DCAlias **link = &tag->alias;
    DCAlias *alias;

    while (*link && (*link)->region != region) {
        link = &(*link)->next;
    }
    alias = *link;
    if (!alias || --alias->users) {
        return;
    }
    for (uint32_t i = 0; i < tag->nr_parts; i++) {
        dc_free_range(dc, region, alias->dpa[i], tag->part[i].len);
    }
    *link = alias->next;
    dc->tag_bytes -= dc_alias_bytes(tag);
    g_free(alias);
}

uint64_t dc_tag_dpa(const DCTag *tag, unsigned region, uint32_t seq)
{
    const DCAlias *alias = dc_tag_alias(tag, region);

    return alias ? alias->dpa[seq] : tag->part[seq].dpa;
}

/* -- changes of state ----------------------------------------------------- */

void dc_tag_offer(CXLDynCap *dc, DCTag *tag, uint16_t host, unsigned region,
                  uint64_t len)
{
    DCTagRef *ref = dc_tag_ref_get(dc, tag, host, region);

    dc->tag_generation += !ref->pending++;
    ref->bytes += len;
}

void dc_tag_withdraw(CXLDynCap *dc, DCTag *tag, uint16_t host)
{
    DCTagRef *ref = dc_tag_ref(tag, host);

    dc->tag_generation += !ref->withdrawn;
    ref->withdrawn = true;
}

void dc_tag_unoffer(CXLDynCap *dc, DCTag *tag, uint16_t host, uint64_t len)
{
    DCTagRef *ref = dc_tag_ref(tag, host);

    dc->tag_generation += !--ref->pending;
    ref->bytes -= len;
}

void dc_tag_accept(CXLDynCap *dc, DCTag *tag, uint16_t host, unsigned region,
                   uint64_t len)
{
    DCTagRef *ref = dc_tag_ref_get(dc, tag, host, region);

    dc->tag_generation += !ref->added++;
    ref->bytes += len;
    tag->accessed_once = true;
}

void dc_tag_cut(CXLDynCap *dc, DCTag *tag, uint16_t host, uint64_t len,
                unsigned left)
{
    DCTagRef *ref = dc_tag_ref(tag, host);

    ref->added += left;
    dc->tag_generation += !--ref->added;
    ref->bytes -= len;
}

/* Nobody holds it: the allocation ends, its medium is free again */
static void dc_tag_end(CXLDynCap *dc, DCTag *tag, DCEffects *fx)
{
    const CXLDCRegion *home = &dc->region[tag->region].pub;

    if (tag->sharable) {
        for (uint32_t i = 0; i < tag->nr_parts; i++) {
            const CXLDCRange *part = &tag->part[i];

            dc_give_back(dc, part->dpa, part->len);
            if (tag->accessed_once && (tag->sanitize || home->sanitize)) {
                dc_effects_range(dc, fx->wipe, part->dpa, part->len);
            }
        }
    }
    dc->tag_generation++;
    dc->tag_bytes -= dc_tag_struct_bytes(tag);
    dc_set_remove(&dc->tag_list, tag->id);
    if (tag->sharable) {
        dc_set_remove(&dc->shared_tags, tag->id);
    }
    g_hash_table_remove(dc->tags, tag);
    dc_tag_free(tag);
}

void dc_tag_put(CXLDynCap *dc, DCTag *tag, uint16_t host, DCEffects *fx)
{
    DCTagRef *ref = dc_tag_ref(tag, host);
    unsigned region;

    if (!ref || ref->pending || ref->added) {
        return;
    }
    region = ref->region;
    dc_tag_ref_put(dc, tag, ref);
    if (region != tag->region) {
        dc_alias_put(dc, tag, region);
    }
    if (tag->nr_refs) {
        return;
    }
    if (tag->referenced) {
        dc->orphan_extents += tag->nr_parts;
        dc->orphan_tags++;
    } else {
        dc_tag_end(dc, tag, fx);
    }
}

/* -- references ----------------------------------------------------------- */

CXLRetCode cxl_dc_add_reference(CXLDynCap *dc, const QemuUUID *uuid)
{
    DCTag *tag = dc_tag_find(dc, uuid);

    if (!tag || !tag->sharable) {
        return CXL_RC_INVALID_INPUT;
    }
    if (!tag->referenced) {
        tag->referenced = true;
        dc->tag_generation++;
        trace_cxl_dc_reference(tag->id, true);
    }
    return CXL_RC_SUCCESS;
}

CXLRetCode cxl_dc_remove_reference(CXLDynCap *dc, const QemuUUID *uuid)
{
    DCTag *tag = dc_tag_find(dc, uuid);
    DCEffects fx;

    if (!tag || !tag->sharable) {
        return CXL_RC_INVALID_INPUT;
    }
    /* Unsure whether a tag without a reference is an error; it is not here */
    if (!tag->referenced) {
        return CXL_RC_SUCCESS;
    }
    trace_cxl_dc_reference(tag->id, false);
    tag->referenced = false;
    dc->tag_generation++;
    if (!tag->nr_refs) {
        dc->orphan_extents -= tag->nr_parts;
        dc->orphan_tags--;
        dc_effects_init(&fx, 0, CXL_DC_EV_RELEASED);
        dc_tag_end(dc, tag, &fx);
        dc_effects_run(dc, &fx);
    }
    return CXL_RC_SUCCESS;
}

/* -- the list ------------------------------------------------------------- */

uint32_t cxl_dc_tag_count(const CXLDynCap *dc)
{
    return dc->tag_list.count;
}

uint32_t cxl_dc_tag_generation(const CXLDynCap *dc)
{
    return dc->tag_generation;
}

/* Oldest tag first */
void cxl_dc_tags(const CXLDynCap *dc, uint32_t start, CXLDCTagFn *fn,
                 void *opaque)
{
    CXLDCTagInfo info;
    const DCRec *rec;
    DCCursor cur;

    rec = dc_set_nth(&dc->tag_list, start, &cur);
    for (; rec; rec = dc_set_next(&cur)) {
        const DCTag *tag = rec->ref;

        memset(&info, 0, sizeof(info));
        info.tag = tag->uuid;
        info.referenced = tag->referenced;
        for (unsigned i = 0; i < tag->nr_refs; i++) {
            if (tag->ref[i].added) {
                set_bit(tag->ref[i].host, info.accepted);
            }
            if (tag->ref[i].pending && !tag->ref[i].withdrawn) {
                set_bit(tag->ref[i].host, info.pending);
            }
        }
        if (!fn(opaque, &info)) {
            return;
        }
    }
}
