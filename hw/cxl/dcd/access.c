/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity model: what each host may touch, and where it is on the
 * medium (CXL r3.2 9.13.3).
 *
 * Every trapped load and store asks, so that an answer must not take longer the
 * more extents there are.  A map of blocks tells in one memory access what the
 * set of extents tells in one per level and more.
 */
#include "qemu/osdep.h"
#include "qemu/bitmap.h"
#include "qemu/host-utils.h"
#include "dc-internal.h"

/* -- the map beside the set ----------------------------------------------- */

static uint64_t dc_map_blocks(const CXLDCRegion *r)
{
    return r->len / r->block_size;
}

static uint64_t dc_map_bytes(const CXLDCRegion *r)
{
    return BITS_TO_LONGS(dc_map_blocks(r)) * sizeof(unsigned long);
}

/*
 * A region's block size changes only while all of it is free (5602h), so that a
 * map lives with one block size.  Without memory for it the set has to do.
 */
static void dc_map_set(CXLDynCap *dc, DCHost *h, uint64_t dpa, uint64_t len)
{
    unsigned region = dc_region_at(dc, dpa);
    const CXLDCRegion *r = &dc->region[region].pub;
    uint64_t blocks = len / r->block_size;
    DCMap *m = &h->map[region];

    if (!m->blocks && dc_map_bytes(r) <= DC_MAP_MAX_BYTES) {
        m->bit = bitmap_try_new(dc_map_blocks(r));
    }
    m->blocks += blocks;
    if (m->bit) {
        bitmap_set(m->bit, (dpa - r->base) / r->block_size, blocks);
    }
}

static void dc_map_clear(CXLDynCap *dc, DCHost *h, uint64_t dpa, uint64_t len)
{
    unsigned region = dc_region_at(dc, dpa);
    const CXLDCRegion *r = &dc->region[region].pub;
    uint64_t blocks = len / r->block_size;
    DCMap *m = &h->map[region];

    m->blocks -= blocks;
    if (!m->blocks) {
        g_free(m->bit);
        m->bit = NULL;
    } else if (m->bit) {
        bitmap_clear(m->bit, (dpa - r->base) / r->block_size, blocks);
    }
}

void dc_added_insert(CXLDynCap *dc, DCHost *h, const DCRec *rec)
{
    dc_set_insert(&h->added, rec);
    dc_map_set(dc, h, rec->dpa, rec->len);
}

/*
 * Where most extents go, those that stay make a new set; else they leave from
 * the end of it, where nothing moves up.
 */
void dc_added_remove(CXLDynCap *dc, DCHost *h, const GArray *fragments)
{
    const DCFragment *p = (const DCFragment *)fragments->data;
    DCSet stay = { 0 };
    uint32_t gone = 0;
    const DCRec *rec;
    DCCursor cur;
    guint i;

    for (i = 0; i < fragments->len; i++) {
        if (!i || p[i - 1].ext_dpa != p[i].ext_dpa) {
            dc_map_clear(dc, h, p[i].ext_dpa, p[i].ext_len);
            gone++;
        }
    }
    if (gone <= h->added.count / 2) {
        while (i--) {
            if (!i || p[i - 1].ext_dpa != p[i].ext_dpa) {
                dc_set_remove(&h->added, p[i].ext_dpa);
            }
        }
        return;
    }
    rec = dc_set_nth(&h->added, 0, &cur);
    for (i = 0; rec; rec = dc_set_next(&cur)) {
        while (i < fragments->len && p[i].ext_dpa < rec->dpa) {
            i++;
        }
        if (i == fragments->len || p[i].ext_dpa != rec->dpa) {
            dc_set_insert(&stay, rec);
        }
    }
    dc_set_clear(&h->added);
    h->added = stay;
}

void dc_added_clear(CXLDynCap *dc, DCHost *h)
{
    dc_set_clear(&h->added);
    for (unsigned i = 0; i < dc->config.nr_regions; i++) {
        g_free(h->map[i].bit);
    }
    g_free(h->map);
    h->map = NULL;
}

size_t dc_added_memory(const CXLDynCap *dc, const DCHost *h)
{
    size_t sum = dc_set_memory(&h->added) +
                 dc->config.nr_regions * sizeof(DCMap);

    for (unsigned i = 0; i < dc->config.nr_regions; i++) {
        sum += h->map[i].bit ? dc_map_bytes(&dc->region[i].pub) : 0;
    }
    return sum;
}

/* -- questions ------------------------------------------------------------ */

/*
 * @bytes: so many from @dpa on are Added, as far as one word of the map tells.
 * False: there is no map, the set knows.
 */
static bool dc_map_contiguous(const CXLDynCap *dc, const DCHost *h,
                              unsigned region, uint64_t dpa, uint64_t *bytes)
{
    const CXLDCRegion *r = &dc->region[region].pub;
    const DCMap *m = &h->map[region];
    unsigned shift = ctz64(r->block_size);
    uint64_t at = dpa - r->base, block = at >> shift;
    unsigned long word;

    if (!m->bit) {
        *bytes = 0;
        return !m->blocks;
    }
    word = m->bit[BIT_WORD(block)] >> (block % BITS_PER_LONG);
    *bytes = word & 1 ? ((uint64_t)ctol(word) << shift) -
                        (at & (r->block_size - 1)) : 0;
    return true;
}

CXLDCAccess cxl_dc_access(const CXLDynCap *dc, uint16_t host, uint64_t dpa,
                          uint64_t len)
{
    CXLDCAccess access = CXL_DC_ACCESS_OK;
    const DCRec *rec;
    DCCursor cur;
    uint64_t bytes;
    int region;

    if (host >= dc->config.nr_hosts || !len || len - 1 > UINT64_MAX - dpa) {
        return CXL_DC_ACCESS_NONE;
    }
    dpa -= dc->host[host].base;
    region = dc_region_at(dc, dpa);
    if (region < 0) {
        return CXL_DC_ACCESS_NONE;
    }
    if (dc_map_contiguous(dc, &dc->host[host], region, dpa, &bytes) &&
        (!bytes || bytes >= len)) {
        return !bytes ? CXL_DC_ACCESS_NONE :
               dc->region[region].pub.read_only ? CXL_DC_ACCESS_READ_ONLY :
                                                  CXL_DC_ACCESS_OK;
    }
    rec = dc_set_from(&dc->host[host].added, dpa, &cur);
    for (;;) {
        uint64_t there;

        if (!rec || !dc_rec_holds(rec, dpa)) {
            return CXL_DC_ACCESS_NONE;
        }
        region = dc_region_at(dc, dpa);
        if (region < 0 || dc->region[region].pub.read_only) {
            access = CXL_DC_ACCESS_READ_ONLY;
        }
        there = rec->len - (dpa - rec->dpa);
        if (there >= len) {
            return access;
        }
        dpa += there;
        len -= there;
        rec = dc_set_next(&cur);
    }
}

uint64_t dc_rec_media(const DCRec *rec, uint64_t dpa)
{
    const DCTag *tag = rec->ref;

    return tag && tag->sharable ? tag->part[rec->seq].dpa + (dpa - rec->dpa)
                                : dpa;
}

bool cxl_dc_translate(const CXLDynCap *dc, uint16_t host, uint64_t dpa,
                      uint64_t *media, uint64_t *len)
{
    const DCRec *rec;
    const DCHost *h;
    int region;

    if (host >= dc->config.nr_hosts) {
        return false;
    }
    h = &dc->host[host];
    dpa -= h->base;
    region = dc_region_at(dc, dpa);
    if (region < 0) {
        return false;
    }
    if (!dc->region[region].pub.sharable &&
        dc_map_contiguous(dc, h, region, dpa, len)) {
        *media = h->base + dpa;
        return *len;
    }
    rec = dc_set_find(&h->added, dpa);
    if (!rec) {
        return false;
    }
    *media = h->base + dc_rec_media(rec, dpa);
    *len = rec->len - (dpa - rec->dpa);
    return true;
}

bool cxl_dc_next(const CXLDynCap *dc, uint16_t host, uint64_t dpa,
                 CXLDCRange *range, uint64_t *media)
{
    const DCRec *rec;
    const DCHost *h;
    DCCursor cur;

    if (host >= dc->config.nr_hosts) {
        return false;
    }
    h = &dc->host[host];
    dpa -= MIN(dpa, h->base);
    rec = dc_set_from(&h->added, dpa, &cur);
    if (!rec) {
        return false;
    }
    range->dpa = MAX(dpa, rec->dpa);
    range->len = rec->len - (range->dpa - rec->dpa);
    *media = h->base + dc_rec_media(rec, range->dpa);
    range->dpa += h->base;
    return true;
}
