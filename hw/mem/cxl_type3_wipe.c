/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL Type 3 memory device: memory whose contents are gone and have not been
 * overwritten yet (CXL r3.2 8.2.10.9.5, 8.2.10.9.6.6, 9.13.3)
 *
 * To overwrite memory takes time in proportion to its size, and nothing else of
 * the machine runs meanwhile.  So what shall be gone is noted, as if its key
 * had been thrown away: from then on it reads as zeroes for whoever gets it.
 * All accesses to it trap, and the first one to a piece overwrites that piece;
 * a timer overwrites the rest in slices.
 *
 * The timer is one of the virtual clock: memory must not change while a stopped
 * machine is saved.
 */
#include "qemu/osdep.h"
#include "system/ramblock.h"
#include "migration/qemu-file-types.h"
#include "migration/vmstate.h"
#include "system/runstate.h"
#include "system/system.h"
#include "cxl_type3_internal.h"
#include "trace.h"

/* What a range costs at least, in bytes: notes and calls for it */
#define WIPE_RANGE_COST (1 * KiB)
#define WIPE_PAUSE_MS   5
/* An access overwrites what shall be gone in a piece of this size around it */
#define WIPE_PIECE      (64 * KiB)

/*
 * A place is a byte of the medium: those of all backends in one row, volatile,
 * persistent, dynamic, labels.  Up to the dynamic ones it is the address.
 */
static uint64_t place_of(const CXLType3Dev *d, const CXLType3Mem *m)
{
    return m == &d->vmem ? 0 :
           m == &d->pmem ? d->vmem.size :
           m == &d->dcmem ? cxl_memdev_static_size(d->mem) :
                            cxl_memdev_static_size(d->mem) + d->dcmem.size;
}

static uint64_t places(const CXLType3Dev *d)
{
    return place_of(d, &d->lsa) + d->lsa.size;
}

static CXLType3Mem *mem_at(CXLType3Dev *d, uint64_t place)
{
    return place < place_of(d, &d->pmem) ? &d->vmem :
           place < place_of(d, &d->dcmem) ? &d->pmem :
           place < place_of(d, &d->lsa) ? &d->dcmem : &d->lsa;
}

/* -- the set -------------------------------------------------------------- */

static uint64_t range_len(const IntervalTreeNode *r)
{
    return r->last - r->start + 1;
}

static void set_insert(CXLType3Wipe *w, uint64_t from, uint64_t last)
{
    IntervalTreeNode *r = g_new0(IntervalTreeNode, 1);

    r->start = from;
    r->last = last;
    interval_tree_insert(r, &w->ranges);
    w->left += range_len(r);
}

static void set_remove(CXLType3Wipe *w, IntervalTreeNode *r)
{
    interval_tree_remove(r, &w->ranges);
    w->left -= range_len(r);
    g_free(r);
}

static void set_add(CXLType3Wipe *w, uint64_t from, uint64_t last)
{
    IntervalTreeNode *r;

    while ((r = interval_tree_iter_first(&w->ranges, from - !!from,
                                         last + 1))) {
        from = MIN(from, r->start);
        last = MAX(last, r->last);
        set_remove(w, r);
    }
    set_insert(w, from, last);
}

/* @from to @last lie in @r */
static void set_cut(CXLType3Wipe *w, IntervalTreeNode *r, uint64_t from,
                    uint64_t last)
{
    IntervalTreeNode old = *r;

    set_remove(w, r);
    if (old.start < from) {
        set_insert(w, old.start, from - 1);
    }
    if (old.last > last) {
        set_insert(w, last + 1, old.last);
    }
}

/* @len is not 0 */
static void set_forget(CXLType3Wipe *w, uint64_t from, uint64_t len)
{
    uint64_t last = from + (len - 1);
    IntervalTreeNode *r;

    while ((r = interval_tree_iter_first(&w->ranges, from, last))) {
        set_cut(w, r, MAX(r->start, from), MIN(r->last, last));
    }
}

/* -- overwriting ---------------------------------------------------------- */

static void slice(CXLType3Dev *d)
{
    CXLType3Wipe *w = &d->wipe;
    uint64_t left = CXL_MEMDEV_SLICE;
    IntervalTreeNode *r;

    while (left && (r = interval_tree_iter_first(&w->ranges, 0, UINT64_MAX))) {
        CXLType3Mem *m = mem_at(d, r->start);
        uint64_t offset = r->start - place_of(d, m);
        uint64_t before = left;
        uint64_t n = cxl_type3_mem_zero(m, offset,
                                        MIN(range_len(r), m->size - offset),
                                        &left);

        left = MIN(left, before - MIN(before, WIPE_RANGE_COST));
        set_cut(w, r, r->start, r->start + (n - 1));
    }
    trace_cxl_type3_wipe_slice(DEVICE(d)->id, w->left);
}

/* Between two slices all others get their turn */
static void next_slice(CXLType3Wipe *w)
{
    timer_mod(w->timer, qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) + WIPE_PAUSE_MS);
}

/* Unplugged devices; each holds a reference to itself and its backends */
static QLIST_HEAD(, CXLType3Dev) outliving = QLIST_HEAD_INITIALIZER(outliving);

static void wipe_outlived(CXLType3Dev *d)
{
    if (cxl_type3_mem_in_set(d)) {
        return;
    }
    QLIST_REMOVE(d, wipe.next);
    cxl_type3_mem_exit(d);
    object_unref(OBJECT(d));
}

static void slice_timer(void *opaque)
{
    CXLType3Dev *d = opaque;

    slice(d);
    if (d->wipe.left) {
        next_slice(&d->wipe);
    } else if (DEVICE(d)->realized) {
        cxl_type3_map_changed(d);
    } else {
        wipe_outlived(d);
    }
}

/* All of it now: nobody will be there to do the rest */
static void wipe_finish(CXLType3Dev *d)
{
    while (d->wipe.left) {
        slice(d);
    }
}

static void note(CXLType3Wipe *w, uint64_t place, uint64_t len)
{
    if (len) {
        set_add(w, place, place + (len - 1));
        w->noted = true;
    }
}

void cxl_type3_wipe(void *opaque, uint64_t dpa, uint64_t len)
{
    CXLType3Dev *d = opaque;
    uint64_t offset;

    if (cxl_type3_dc_backend_offset(d, dpa, len, &offset)) {
        note(&d->wipe, place_of(d, &d->dcmem) + offset, len);
    } else {
        note(&d->wipe, dpa, len);
    }
}

void cxl_type3_wipe_begin(void *opaque)
{
    CXLType3Dev *d = opaque;

    if (d->wipe.noted) {
        d->wipe.noted = false;
        /* Processors do not stop for us: they must trap before the first */
        cxl_type3_map_changed(d);
        if (!timer_pending(d->wipe.timer)) {
            slice_timer(d);
        }
    }
}

void cxl_type3_wipe_all(void *opaque)
{
    CXLType3Dev *d = opaque;

    note(&d->wipe, 0, places(d));
    cxl_type3_wipe_begin(d);
}

bool cxl_type3_is_wiping(void *opaque)
{
    CXLType3Dev *d = opaque;

    return d->wipe.left;
}

/* -- accesses ------------------------------------------------------------- */

bool cxl_type3_wipe_next(CXLType3Dev *d, const CXLType3Mem *m, uint64_t offset,
                         uint64_t *skip, uint64_t *len)
{
    uint64_t place = place_of(d, m) + offset;
    IntervalTreeNode *r;

    if (likely(!d->wipe.left)) {
        return false;
    }
    r = interval_tree_iter_first(&d->wipe.ranges, place, UINT64_MAX);
    if (!r) {
        return false;
    }
    *skip = r->start - MIN(place, r->start);
    *len = r->last - MAX(place, r->start) + 1;
    return true;
}

void cxl_type3_wipe_touch(CXLType3Dev *d, CXLType3Mem *m, uint64_t offset,
                          uint64_t n)
{
    uint64_t base = place_of(d, m);
    uint64_t from = base + ROUND_DOWN(offset, WIPE_PIECE);
    uint64_t last = base + MIN(ROUND_UP(offset + n, WIPE_PIECE), m->size) - 1;
    IntervalTreeNode *r;

    while (unlikely(d->wipe.left) &&
           (r = interval_tree_iter_first(&d->wipe.ranges, from, last))) {
        uint64_t at = MAX(r->start, from);
        uint64_t end = MIN(r->last, last) + 1;
        uint64_t left = end - at;

        end = at + cxl_type3_mem_zero(m, at - base, end - at, &left);
        set_cut(&d->wipe, r, at, end - 1);
    }
}

/* -- life ----------------------------------------------------------------- */

static bool outlives_us(const CXLType3Mem *m)
{
    RAMBlock *rb = m->mr ? m->mr->ram_block : NULL;

    return rb && qemu_ram_get_fd(rb) >= 0 && qemu_ram_is_shared(rb);
}

/*
 * Who shares a file with us, or opens it later, must not find old data.  What
 * another QEMU has taken over with the rest of the machine is that one's, also
 * to overwrite, and so is what this one has not taken over.
 */
static void finish_at_exit(Notifier *n, void *data)
{
    CXLType3Dev *d = container_of(n, CXLType3Dev, wipe.exit);
    CXLType3Mem *const all[] = { &d->vmem, &d->pmem, &d->dcmem, &d->lsa };

    if (runstate_check(RUN_STATE_POSTMIGRATE) ||
        runstate_check(RUN_STATE_INMIGRATE)) {
        return;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
        if (all[i]->size && !outlives_us(all[i])) {
            set_forget(&d->wipe, place_of(d, all[i]), all[i]->size);
        }
    }
    wipe_finish(d);
}

void cxl_type3_wipe_init(CXLType3Dev *d)
{
    d->wipe.timer = timer_new_ms(QEMU_CLOCK_VIRTUAL, slice_timer, d);
    d->wipe.exit.notify = finish_at_exit;
    qemu_add_exit_notifier(&d->wipe.exit);
}

void cxl_type3_wipe_exit(CXLType3Dev *d)
{
    if (d->wipe.timer) {
        wipe_finish(d);
        qemu_remove_exit_notifier(&d->wipe.exit);
        timer_free(d->wipe.timer);
        d->wipe.timer = NULL;
    }
}

void cxl_type3_left_set(CXLMemTarget *t)
{
    CXLType3Dev *d, *next;

    QLIST_FOREACH_SAFE(d, &outliving, wipe.next, next) {
        if (d == CXL_TYPE3(t) && !d->wipe.left) {
            wipe_outlived(d);
        }
    }
}

/**
 * cxl_type3_wipe_outlive() - a device is unplugged that has not overwritten all
 * or whose memory is in interleaved sets
 *
 * It goes on until it has, and the user hears DEVICE_DELETED only then: its
 * backends are in use.  They are no longer memory of the machine; what is saved
 * or migrated meanwhile has none of it.
 */
void cxl_type3_wipe_outlive(CXLType3Dev *d)
{
    object_ref(OBJECT(d));
    QLIST_INSERT_HEAD(&outliving, d, wipe.next);
}

/** cxl_type3_wipe_settle() - somebody wants @backend now */
void cxl_type3_wipe_settle(const HostMemoryBackend *backend)
{
    CXLType3Dev *d, *next;

    QLIST_FOREACH_SAFE(d, &outliving, wipe.next, next) {
        if (d->vmem.hostmem == backend || d->pmem.hostmem == backend ||
            d->dcmem.hostmem == backend || d->lsa.hostmem == backend) {
            cxl_sets_settle();
            wipe_finish(d);
            wipe_outlived(d);
        }
    }
}

static int wipe_put(QEMUFile *f, void *pv, size_t size,
                    const VMStateField *field, JSONWriter *vmdesc)
{
    const CXLType3Wipe *w = pv;
    const IntervalTreeNode *r;
    uint64_t at = 0;

    /* A length of 0 ends the list */
    while ((r = interval_tree_iter_first((IntervalTreeRoot *)&w->ranges, at,
                                         UINT64_MAX))) {
        qemu_put_be64(f, range_len(r));
        qemu_put_be64(f, r->start);
        at = r->last + 1;
    }
    qemu_put_be64(f, 0);
    return 0;
}

static int wipe_get(QEMUFile *f, void *pv, size_t size,
                    const VMStateField *field)
{
    CXLType3Wipe *w = pv;
    CXLType3Dev *d = container_of(w, CXLType3Dev, wipe);
    uint64_t end = places(d), at = 0, len;

    set_forget(w, 0, UINT64_MAX);
    timer_del(w->timer);
    while ((len = qemu_get_be64(f))) {
        uint64_t from = qemu_get_be64(f);

        if (qemu_file_get_error(f) || from < at || from > end ||
            len > end - from) {
            set_forget(w, 0, UINT64_MAX);
            return -EINVAL;
        }
        set_insert(w, from, from + (len - 1));
        at = from + len;
    }
    if (w->left) {
        next_slice(w);
    }
    return 0;
}

static const VMStateInfo vmstate_info_wipe = {
    .name = "cxl-type3-wipe",
    .get = wipe_get,
    .put = wipe_put,
};

const VMStateDescription vmstate_cxl_type3_wipe = {
    .name = "cxl-type3-wipe",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        {
            .name = "ranges",
            .version_id = 1,
            .size = sizeof(CXLType3Wipe),
            .info = &vmstate_info_wipe,
            .flags = VMS_SINGLE,
        },
        VMSTATE_END_OF_LIST()
    },
};
