/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Direct mapping of CXL memory: query-cxl-memory-map, see hdm-internal.h
 */
#include "qemu/osdep.h"
#include "qapi/qapi-commands-cxl.h"
#include "hdm-internal.h"

/* Some milliseconds of work */
#define RANGES_DEFAULT 256

/**
 * struct List - the ranges of a window in the making
 * @last: the range that is not in @tail yet
 * @left: ranges that the answer has room for, in this window and the next ones
 */
typedef struct List {
    CxlMemoryWindow *window;
    CxlMemoryRangeList **tail;
    CXLDirectRange last;
    uint32_t left;
} List;

/* Does @b say of the following bytes what @a says of its own? */
static bool query_goes_on(const CXLDirectRange *a, const CXLDirectRange *b)
{
    return a->len && a->device == b->device && a->direct == b->direct &&
           a->interleaved == b->interleaved &&
           (a->direct || a->why == b->why) &&
           (!a->device || a->interleaved ||
            a->why == CXL_MEMORY_TRAP_NOT_DECODED ||
            a->dpa + a->len == b->dpa);
}

/* Return: false if the list is full */
static bool query_put_last(List *l)
{
    const CXLDirectRange *f = &l->last;
    CxlMemoryRange *r;

    if (!f->len) {
        return true;
    }
    if (!l->left) {
        l->window->truncated = true;
        return false;
    }
    l->left--;
    r = g_new0(CxlMemoryRange, 1);
    r->base = f->hpa;
    r->size = f->len;
    r->direct = f->direct;
    if (!f->direct) {
        r->has_trap = true;
        r->trap = f->why;
    }
    if (f->device) {
        r->path = object_get_canonical_path(OBJECT(f->device));
        r->has_dpa = !f->interleaved &&
                     (f->direct || f->why != CXL_MEMORY_TRAP_NOT_DECODED);
        r->dpa = f->dpa;
    }
    QAPI_LIST_APPEND(l->tail, r);
    return true;
}

static bool query_put(void *opaque, const CXLDirectRange *range)
{
    List *l = opaque;

    if (query_goes_on(&l->last, range)) {
        l->last.len += range->len;
        return true;
    }
    if (!query_put_last(l)) {
        l->last.len = 0;
        return false;
    }
    l->last = *range;
    return true;
}

CxlMemoryWindowList *qmp_query_cxl_memory_map(bool has_start, uint64_t start,
                                              bool has_limit, uint32_t limit,
                                              Error **errp)
{
    CXLDirect *d = cxl_direct();
    CxlMemoryWindowList *all = NULL, **tail = &all;
    List list = { .left = has_limit ? limit : RANGES_DEFAULT };

    /* Who else uses memory slots or pins memory does not tell us */
    cxl_direct_update();
    for (GList *it = d ? d->state->fixed_windows : NULL; it; it = it->next) {
        CXLFixedWindow *fw = it->data;
        CxlMemoryWindow *window = g_new0(CxlMemoryWindow, 1);

        window->base = fw->base;
        window->size = fw->size;
        list.window = window;
        list.tail = &window->ranges;
        list.last = (CXLDirectRange) { };
        if (!has_start || start < fw->base + fw->size) {
            cxl_direct_explain(fw, has_start ? start : 0, query_put, &list);
            query_put_last(&list);
        }
        QAPI_LIST_APPEND(tail, window);
    }
    return all;
}
