/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules of the dynamic capacity series for Linux (v11), for a host whose
 * kernel does not have it
 */
#include "host-linux.h"

/* Start and length of an extent */
#define LINUX_ALIGN (2ull << 20)

static const uint8_t no_tag[16];

static bool same_tag(const struct cxl_extent *a, const struct cxl_extent *b)
{
    return !memcmp(a->tag, b->tag, sizeof(a->tag));
}

static bool tagged(const struct cxl_extent *ext)
{
    return memcmp(ext->tag, no_tag, sizeof(no_tag)) != 0;
}

static bool touches(const struct cxl_extent *ext, uint64_t dpa, uint64_t len)
{
    return ext->dpa < dpa ? dpa - ext->dpa < ext->len : ext->dpa - dpa < len;
}

/* -- lists ---------------------------------------------------------------- */

bool host_list_add(struct host_list *list, const struct cxl_extent *ext)
{
    if (list->n == HOST_GROUP_MAX) {
        return false;
    }
    list->ext[list->n++] = *ext;
    return true;
}

bool host_list_cut(struct host_list *list, const struct cxl_range *range)
{
    uint64_t end = range->dpa + range->len;
    unsigned n = list->n;
    bool room = true;

    for (unsigned i = 0; i < n; i++) {
        struct cxl_extent ext = list->ext[i];
        uint64_t ext_end = ext.dpa + ext.len;

        if (!touches(&ext, range->dpa, range->len)) {
            continue;
        }
        /* what is below stays here, what is above is one more */
        list->ext[i].len = ext.dpa < range->dpa ? range->dpa - ext.dpa : 0;
        if (ext_end > end) {
            ext.dpa = end;
            ext.len = ext_end - end;
            room &= host_list_add(list, &ext);
        }
    }
    n = 0;
    for (unsigned i = 0; i < list->n; i++) {
        if (list->ext[i].len) {
            list->ext[n++] = list->ext[i];
        }
    }
    list->n = n;
    return room;
}

/* -- offers --------------------------------------------------------------- */

void host_linux_collect(struct cxl_extent *group, unsigned *n,
                        const struct cxl_extent *ext)
{
    if (*n == HOST_LINUX_GROUP) {
        *n = 0;
    } else {
        group[(*n)++] = *ext;
    }
}

static bool fits(const struct host_linux *l, const struct cxl_extent *ext)
{
    if (ext->dpa % LINUX_ALIGN || ext->len % LINUX_ALIGN || !ext->len ||
        ext->dpa < l->base || ext->dpa - l->base >= l->len ||
        ext->len > l->len - (ext->dpa - l->base)) {
        return false;
    }
    for (unsigned i = 0; i < l->has.n; i++) {
        if (touches(&l->has.ext[i], ext->dpa, ext->len) ||
            (tagged(ext) && same_tag(&l->has.ext[i], ext))) {
            return false;
        }
    }
    return true;
}

/* All extents of the tag that extent @at has: does Linux take them? */
static bool tag_fits(const struct host_linux *l,
                     const struct cxl_extent *offer, unsigned n, unsigned at)
{
    unsigned members = 0, zeroes = 0, numbered = 0;

    for (unsigned i = 0; i < n; i++) {
        if (same_tag(&offer[i], &offer[at])) {
            members++;
            zeroes += !offer[i].seq;
            if (!fits(l, &offer[i])) {
                return false;
            }
        }
    }
    for (unsigned seq = 0; seq < members; seq++) {
        unsigned found = 0;

        for (unsigned i = 0; i < n; i++) {
            found += same_tag(&offer[i], &offer[at]) && offer[i].seq == seq;
        }
        numbered += found == 1;
    }
    /* outside of sharable regions none has a number, in them each has one */
    return zeroes == members || numbered == members;
}

unsigned host_linux_choose(const struct host_linux *l,
                           const struct cxl_extent *offer, unsigned n,
                           struct cxl_range *ranges)
{
    unsigned taken = 0;

    for (unsigned i = 0; i < n; i++) {
        if (tagged(&offer[i]) ? tag_fits(l, offer, n, i)
                              : fits(l, &offer[i]) && !offer[i].seq) {
            ranges[taken].dpa = offer[i].dpa;
            ranges[taken++].len = offer[i].len;
        }
    }
    return taken;
}

/* -- releases ------------------------------------------------------------- */

unsigned host_linux_release(struct host_linux *l,
                            const struct cxl_range *range,
                            struct cxl_range *ranges)
{
    struct host_list stay = { 0 };
    unsigned n = 0;

    for (unsigned i = 0; i < l->has.n; i++) {
        const struct cxl_extent *ext = &l->has.ext[i];
        bool go = touches(ext, range->dpa, range->len);

        for (unsigned k = 0; tagged(ext) && k < l->has.n; k++) {
            go |= same_tag(ext, &l->has.ext[k]) &&
                  touches(&l->has.ext[k], range->dpa, range->len);
        }
        if (go) {
            ranges[n].dpa = ext->dpa;
            ranges[n++].len = ext->len;
        } else {
            host_list_add(&stay, ext);
        }
    }
    l->has = stay;
    return n;
}
