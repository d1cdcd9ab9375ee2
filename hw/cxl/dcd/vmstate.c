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

static void put_uint(QEMUFile *f, uint64_t v)
{
    while (v >= 0x80) {
        qemu_put_byte(f, 0x80 | (v & 0x7f));
        v >>= 7;
    }
    qemu_put_byte(f, v);
}

static void put_units(QEMUFile *f, uint64_t bytes)
{
    put_uint(f, bytes >> DC_STREAM_SHIFT);
}

static void put_set(QEMUFile *f, const DCSet *set, bool flags)
{
    uint64_t end = 0;
    const DCRec *rec;
    DCCursor cur;

    put_uint(f, set->count);
    rec = dc_set_nth(set, 0, &cur);
    for (; rec; rec = dc_set_next(&cur)) {
        const DCTag *tag = flags ? NULL : rec->ref;

        put_units(f, rec->dpa - end);
        put_units(f, rec->len);
        end = rec->dpa + rec->len;
        if (flags) {
            put_uint(f, rec->flags);
        } else {
            put_uint(f, tag ? tag->scratch : 0);
            if (tag && tag->sharable) {
                put_uint(f, rec->seq);
            }
        }
    }
}

static void put_host(QEMUFile *f, const DCHost *h)
{
    uint32_t nr_groups = 0;
    const DCGroup *group;

    put_uint(f, h->generation);
    put_set(f, &h->added, false);
    QTAILQ_FOREACH(group, &h->groups, next) {
        nr_groups++;
    }
    put_uint(f, nr_groups);
    QTAILQ_FOREACH(group, &h->groups, next) {
        put_uint(f, group->dead);
        put_uint(f, group->nr_parts);
        for (uint32_t i = 0; i < group->nr_parts; i++) {
            const DCPart *p = &group->part[i];

            put_units(f, p->dpa);
            put_units(f, p->len);
            put_uint(f, p->tag ? p->tag->scratch : 0);
            if (p->tag && p->tag->sharable) {
                put_uint(f, p->seq);
            }
        }
    }
    put_set(f, &h->asked, true);
    put_uint(f, h->chain);
    if (h->chain != DC_CHAIN_NONE) {
        put_uint(f, h->held->len);
        for (guint i = 0; i < h->held->len; i++) {
            const CXLDCRange *r = &g_array_index(h->held, CXLDCRange, i);

            /* As the host gave them: not checked yet */
            put_uint(f, r->dpa);
            put_uint(f, r->len);
        }
    }
}

static void put_tag(QEMUFile *f, const DCTag *tag)
{
    const DCAlias *alias;
    uint32_t nr_aliases = 0;

    qemu_put_buffer(f, tag->uuid.data, sizeof(tag->uuid.data));
    put_uint(f, tag->region);
    /* What is left of other allocations shows when their extents are loaded */
    if (!tag->sharable) {
        return;
    }
    put_uint(f, (tag->referenced ? DC_TAG_REFERENCED : 0) |
                (tag->sanitize ? DC_TAG_SANITIZE : 0) |
                (tag->touched ? DC_TAG_TOUCHED : 0));
    put_uint(f, tag->nr_parts);
    for (uint32_t i = 0; i < tag->nr_parts; i++) {
        put_units(f, tag->part[i].dpa);
        put_units(f, tag->part[i].len);
    }
    for (alias = tag->alias; alias; alias = alias->next) {
        nr_aliases++;
    }
    put_uint(f, nr_aliases);
    for (alias = tag->alias; alias; alias = alias->next) {
        put_uint(f, alias->region);
        for (uint32_t i = 0; i < tag->nr_parts; i++) {
            put_units(f, alias->dpa[i]);
        }
    }
}

static int dc_put(QEMUFile *f, void *pv, size_t size,
                  const VMStateField *field, JSONWriter *vmdesc)
{
    CXLDynCap *dc = pv;
    const DCRec *rec;
    uint32_t nr = 0;
    DCCursor cur;

    put_uint(f, dc->config.nr_hosts);
    put_uint(f, dc->config.nr_regions);
    for (unsigned i = 0; i < dc->config.nr_regions; i++) {
        put_units(f, dc->region[i].pub.block_size);
        put_uint(f, dc->region[i].pub.sanitize);
    }
    put_uint(f, dc->tag_list.count);
    rec = dc_set_nth(&dc->tag_list, 0, &cur);
    for (; rec; rec = dc_set_next(&cur)) {
        DCTag *tag = rec->ref;

        /* Extents name their tag by its place in the list, from 1 */
        tag->scratch = ++nr;
        put_tag(f, tag);
    }
    put_uint(f, dc->tag_generation);
    for (unsigned h = 0; h < dc->config.nr_hosts; h++) {
        put_host(f, &dc->host[h]);
    }
    rec = dc_set_nth(&dc->tag_list, 0, &cur);
    for (; rec; rec = dc_set_next(&cur)) {
        ((DCTag *)rec->ref)->scratch = 0;
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
