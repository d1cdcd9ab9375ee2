/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity model: saved state, the writing side.
 *
 * One field of variable-length numbers (7 bits per byte, lowest first).
 * Addresses and lengths are in units of the smallest block, addresses of
 * ordered lists are the distance from the end of the last one.  An extent takes
 * some 6 bytes.
 */
#include "qemu/osdep.h"
#include "migration/vmstate.h"
#include "migration/qemu-file-types.h"
#include "dc-internal.h"

static void dc_save_uint(QEMUFile *f, uint64_t v)
{
    while (v >= 0x80) {
        qemu_put_byte(f, 0x80 | (v & 0x7f));
        v >>= 7;
    }
    qemu_put_byte(f, v);
}

static void dc_save_units(QEMUFile *f, uint64_t bytes)
{
    dc_save_uint(f, bytes >> DC_STREAM_SHIFT);
}

static void dc_save_set(QEMUFile *f, const DCSet *set, bool flags)
{
    uint64_t end = 0;
    const DCRec *rec;
    DCCursor cur;

    dc_save_uint(f, set->count);
    rec = dc_set_nth(set, 0, &cur);
    for (; rec; rec = dc_set_next(&cur)) {
        const DCTag *tag = flags ? NULL : rec->ref;

        dc_save_units(f, rec->dpa - end);
        dc_save_units(f, rec->len);
        end = rec->dpa + rec->len;
        if (flags) {
            dc_save_uint(f, rec->flags);
        } else {
            dc_save_uint(f, tag ? tag->marked : 0);
            if (tag && tag->sharable) {
                dc_save_uint(f, rec->seq);
            }
        }
    }
}

static void dc_save_host(QEMUFile *f, const DCHost *h, bool kept)
{
    static const DCSet none;
    uint32_t nr_groups = 0;
    const DCGroup *group;

    dc_save_uint(f, h->generation);
    dc_save_set(f, kept ? &none : &h->added, false);
    QTAILQ_FOREACH(group, &h->groups, next) {
        nr_groups++;
    }
    dc_save_uint(f, nr_groups);
    QTAILQ_FOREACH(group, &h->groups, next) {
        dc_save_uint(f, group->dead);
        dc_save_uint(f, group->nr_parts);
        for (uint32_t i = 0; i < group->nr_parts; i++) {
            const DCPart *p = &group->part[i];

            dc_save_units(f, p->dpa);
            dc_save_units(f, p->len);
            dc_save_uint(f, p->tag ? p->tag->marked : 0);
            if (p->tag && p->tag->sharable) {
                dc_save_uint(f, p->seq);
            }
        }
    }
    dc_save_set(f, &h->release_pending, true);
    dc_save_uint(f, h->chain);
    if (h->chain != DC_CHAIN_NONE) {
        dc_save_uint(f, h->partial->len);
        for (guint i = 0; i < h->partial->len; i++) {
            const CXLDCRange *r = &g_array_index(h->partial, CXLDCRange, i);

            /* As the host gave them: not checked yet */
            dc_save_uint(f, r->dpa);
            dc_save_uint(f, r->len);
        }
    }
}

static void dc_save_tag(QEMUFile *f, const DCTag *tag)
{
    const DCAlias *alias;
    uint32_t nr_aliases = 0;

    qemu_put_buffer(f, tag->uuid.data, sizeof(tag->uuid.data));
    dc_save_uint(f, tag->region);
    /* What is left of other allocations shows when their extents are loaded */
    if (!tag->sharable) {
        return;
    }
    dc_save_uint(f, (tag->referenced ? DC_TAG_REFERENCED : 0) |
                (tag->sanitize ? DC_TAG_SANITIZE : 0) |
                (tag->accessed_once ? DC_TAG_ACCESSED : 0));
    dc_save_uint(f, tag->nr_parts);
    for (uint32_t i = 0; i < tag->nr_parts; i++) {
        dc_save_units(f, tag->part[i].dpa);
        dc_save_units(f, tag->part[i].len);
    }
    for (alias = tag->alias; alias; alias = alias->next) {
        nr_aliases++;
    }
    dc_save_uint(f, nr_aliases);
    for (alias = tag->alias; alias; alias = alias->next) {
        dc_save_uint(f, alias->region);
        for (uint32_t i = 0; i < tag->nr_parts; i++) {
            dc_save_units(f, alias->dpa[i]);
        }
    }
}

static void dc_list_tag(GPtrArray *tags, DCTag *tag)
{
    if (tag && !tag->marked) {
        g_ptr_array_add(tags, tag);
        tag->marked = 1;
    }
}

static void dc_list_set(GPtrArray *tags, const DCSet *set)
{
    const DCRec *rec;
    DCCursor cur;

    rec = dc_set_nth(set, 0, &cur);
    for (; rec; rec = dc_set_next(&cur)) {
        dc_list_tag(tags, rec->ref);
    }
}

static int dc_compare_tags(gconstpointer a, gconstpointer b)
{
    const DCTag *x = *(DCTag *const *)a, *y = *(DCTag *const *)b;

    return x->id < y->id ? -1 : x->id > y->id;
}

/* Of a tag that nobody shares, extents tell that the owner keeps */
static void dc_list_tags(CXLDynCap *dc, GPtrArray *tags)
{
    if (!dc->ops->next_kept) {
        dc_list_set(tags, &dc->tag_list);
        return;
    }
    dc_list_set(tags, &dc->shared_tags);
    for (unsigned h = 0; h < dc->config.nr_hosts; h++) {
        const DCGroup *group;

        QTAILQ_FOREACH(group, &dc->host[h].groups, next) {
            for (uint32_t i = 0; i < group->nr_parts; i++) {
                dc_list_tag(tags, group->part[i].tag);
            }
        }
    }
    g_ptr_array_sort(tags, dc_compare_tags);
}

static int dc_put(QEMUFile *f, void *pv, size_t size,
                  const VMStateField *field, JSONWriter *vmdesc)
{
    CXLDynCap *dc = pv;
    g_autoptr(GPtrArray) tags = g_ptr_array_new();

    dc_save_uint(f, dc->config.nr_hosts);
    dc_save_uint(f, dc->config.nr_regions);
    for (unsigned i = 0; i < dc->config.nr_regions; i++) {
        dc_save_units(f, dc->region[i].pub.block_size);
        dc_save_uint(f, dc->region[i].pub.sanitize);
    }
    dc_list_tags(dc, tags);
    dc_save_uint(f, tags->len);
    for (guint i = 0; i < tags->len; i++) {
        DCTag *tag = g_ptr_array_index(tags, i);

        /* Extents name their tag by its place in the list, from 1 */
        tag->marked = i + 1;
        dc_save_tag(f, tag);
    }
    dc_save_uint(f, dc->tag_generation);
    for (unsigned h = 0; h < dc->config.nr_hosts; h++) {
        dc_save_host(f, &dc->host[h], dc->ops->next_kept);
    }
    for (guint i = 0; i < tags->len; i++) {
        ((DCTag *)g_ptr_array_index(tags, i))->marked = 0;
    }
    return 0;
}

static int dc_get(QEMUFile *f, void *pv, size_t size,
                  const VMStateField *field)
{
    return dc_load(pv, f);
}

static const VMStateInfo vmstate_info_dc = {
    .name = "cxl-dynamic-capacity",
    .get = dc_get,
    .put = dc_put,
};

const VMStateDescription vmstate_cxl_dc = {
    .name = "cxl-dynamic-capacity",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        {
            .name = "model",
            .version_id = 1,
            .size = sizeof(CXLDynCap),
            .info = &vmstate_info_dc,
            .flags = VMS_SINGLE,
        },
        VMSTATE_END_OF_LIST()
    }
};
