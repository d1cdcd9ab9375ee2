/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory whose contents are gone and have not been overwritten yet, see
 * cxl_wipe.h
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "migration/qemu-file-types.h"
#include "migration/vmstate.h"
#include "hw/cxl/cxl_memdev.h"
#include "hw/cxl/cxl_wipe.h"
#include "trace.h"

/* What a range costs at least, in bytes: notes and calls for it */
#define WIPE_RANGE_COST (1 * KiB)
#define WIPE_PAUSE_MS   5

/* -- the set -------------------------------------------------------------- */

static uint64_t wipe_range_len(const IntervalTreeNode *r)
{
    return r->last - r->start + 1;
}

static void wipe_insert(CXLWipe *w, uint64_t from, uint64_t last)
{
    IntervalTreeNode *r = g_new0(IntervalTreeNode, 1);

    r->start = from;
    r->last = last;
    interval_tree_insert(r, &w->ranges);
    w->left += wipe_range_len(r);
}

static void wipe_remove(CXLWipe *w, IntervalTreeNode *r)
{
    interval_tree_remove(r, &w->ranges);
    w->left -= wipe_range_len(r);
    g_free(r);
}

static void wipe_add(CXLWipe *w, uint64_t from, uint64_t last)
{
    IntervalTreeNode *r;

    while ((r = interval_tree_iter_first(&w->ranges, from - !!from,
                                         last + 1))) {
        from = MIN(from, r->start);
        last = MAX(last, r->last);
        wipe_remove(w, r);
    }
    wipe_insert(w, from, last);
}

/* @from to @last lie in @r */
static void wipe_cut(CXLWipe *w, IntervalTreeNode *r, uint64_t from,
                     uint64_t last)
{
    IntervalTreeNode old = *r;

    wipe_remove(w, r);
    if (old.start < from) {
        wipe_insert(w, old.start, from - 1);
    }
    if (old.last > last) {
        wipe_insert(w, last + 1, old.last);
    }
}

void cxl_wipe_forget(CXLWipe *w, uint64_t place, uint64_t len)
{
    uint64_t last = place + (len - 1);
    IntervalTreeNode *r;

    while ((r = interval_tree_iter_first(&w->ranges, place, last))) {
        wipe_cut(w, r, MAX(r->start, place), MIN(r->last, last));
    }
}

/* -- overwriting ---------------------------------------------------------- */

bool cxl_wipe_slice(CXLWipe *w, uint64_t *at)
{
    uint64_t left = CXL_MEMDEV_SLICE;
    IntervalTreeNode *r;

    while ((r = interval_tree_iter_first(&w->ranges, *at, UINT64_MAX)) &&
           left) {
        uint64_t before = left, from = MAX(r->start, *at);
        uint64_t n = w->ops->zero(w->opaque, from, r->last - from + 1, &left);

        left = MIN(left, before - MIN(before, WIPE_RANGE_COST));
        wipe_cut(w, r, from, from + (n - 1));
        *at = from + n;
    }
    trace_cxl_wipe_slice(w->opaque, w->left);
    return !r;
}

static void wipe_slice(CXLWipe *w)
{
    uint64_t at = 0;

    cxl_wipe_slice(w, &at);
}

/* Between two slices all others get their turn */
static void wipe_next_slice(CXLWipe *w)
{
    timer_mod(w->timer, qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) + WIPE_PAUSE_MS);
}

static void wipe_timer(void *opaque)
{
    CXLWipe *w = opaque;

    wipe_slice(w);
    if (w->left) {
        wipe_next_slice(w);
    } else {
        w->ops->done(w->opaque);
    }
}

void cxl_wipe_finish(CXLWipe *w)
{
    while (w->left) {
        wipe_slice(w);
    }
}

void cxl_wipe_note(CXLWipe *w, uint64_t place, uint64_t len)
{
    if (len) {
        wipe_add(w, place, place + (len - 1));
        w->noted = true;
    }
}

void cxl_wipe_begin(CXLWipe *w)
{
    if (w->noted) {
        w->noted = false;
        /* Processors do not stop for us: they must trap before the first */
        w->ops->trap(w->opaque);
        if (!timer_pending(w->timer)) {
            wipe_timer(w);
        }
    }
}

/* -- accesses ------------------------------------------------------------- */

bool cxl_wipe_next(const CXLWipe *w, uint64_t place, uint64_t *skip,
                   uint64_t *len)
{
    IntervalTreeNode *r;

    if (likely(!w->left)) {
        return false;
    }
    r = interval_tree_iter_first((IntervalTreeRoot *)&w->ranges, place,
                                 UINT64_MAX);
    if (!r) {
        return false;
    }
    *skip = r->start - MIN(place, r->start);
    *len = r->last - MAX(place, r->start) + 1;
    return true;
}

void cxl_wipe_touch(CXLWipe *w, uint64_t from, uint64_t last)
{
    IntervalTreeNode *r;

    while (unlikely(w->left) &&
           (r = interval_tree_iter_first(&w->ranges, from, last))) {
        uint64_t at = MAX(r->start, from);
        uint64_t left = MIN(r->last, last) - at + 1;
        uint64_t n = w->ops->zero(w->opaque, at, left, &left);

        wipe_cut(w, r, at, at + (n - 1));
    }
}

/* -- life ----------------------------------------------------------------- */

void cxl_wipe_init(CXLWipe *w, const CXLWipeOps *ops, void *opaque)
{
    w->ops = ops;
    w->opaque = opaque;
    w->timer = timer_new_ms(QEMU_CLOCK_VIRTUAL, wipe_timer, w);
}

void cxl_wipe_exit(CXLWipe *w)
{
    if (w->timer) {
        cxl_wipe_finish(w);
        g_clear_pointer(&w->timer, timer_free);
    }
}

static int wipe_put(QEMUFile *f, void *pv, size_t size,
                    const VMStateField *field, JSONWriter *vmdesc)
{
    const CXLWipe *w = pv;
    const IntervalTreeNode *r;
    uint64_t at = 0;

    /* A length of 0 ends the list */
    while ((r = interval_tree_iter_first((IntervalTreeRoot *)&w->ranges, at,
                                         UINT64_MAX))) {
        qemu_put_be64(f, wipe_range_len(r));
        qemu_put_be64(f, r->start);
        at = r->last + 1;
    }
    qemu_put_be64(f, 0);
    return 0;
}

static int wipe_get(QEMUFile *f, void *pv, size_t size,
                    const VMStateField *field)
{
    CXLWipe *w = pv;
    uint64_t end = w->ops->end(w->opaque), at = 0, len;

    cxl_wipe_forget(w, 0, UINT64_MAX);
    timer_del(w->timer);
    while ((len = qemu_get_be64(f))) {
        uint64_t from = qemu_get_be64(f);

        if (qemu_file_get_error(f) || from < at || from > end ||
            len > end - from) {
            cxl_wipe_forget(w, 0, UINT64_MAX);
            return -EINVAL;
        }
        wipe_insert(w, from, from + (len - 1));
        at = from + len;
    }
    if (w->left) {
        wipe_next_slice(w);
    }
    return 0;
}

static const VMStateInfo vmstate_info_wipe = {
    .name = "cxl-wipe",
    .get = wipe_get,
    .put = wipe_put,
};

const VMStateDescription vmstate_cxl_wipe = {
    .name = "cxl-wipe",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        {
            .name = "ranges",
            .version_id = 1,
            .size = sizeof(CXLWipe),
            .info = &vmstate_info_wipe,
            .flags = VMS_SINGLE,
        },
        VMSTATE_END_OF_LIST()
    },
};
