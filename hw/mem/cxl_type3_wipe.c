/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL Type 3 memory device: which of its memory is gone and has not been
 * overwritten yet, see hw/cxl/cxl_wipe.h
 */
#include "qemu/osdep.h"
#include "system/system.h"
#include "cxl_type3_internal.h"

/*
 * A place is a byte of the medium: those of all backends in one row, volatile,
 * persistent, dynamic, labels.  Up to the dynamic ones it is the address.
 */
static uint64_t wipe_place_of(const CXLType3Dev *d, const CXLBackend *m)
{
    return m == &d->vmem ? 0 :
           m == &d->pmem ? d->vmem.size :
           m == &d->dcmem ? cxl_memdev_static_size(d->mem) :
                            cxl_memdev_static_size(d->mem) + d->dcmem.size;
}

static uint64_t wipe_places(const CXLType3Dev *d)
{
    return wipe_place_of(d, &d->lsa) + d->lsa.size;
}

static CXLBackend *wipe_mem_at(CXLType3Dev *d, uint64_t place)
{
    return place < wipe_place_of(d, &d->pmem) ? &d->vmem :
           place < wipe_place_of(d, &d->dcmem) ? &d->pmem :
           place < wipe_place_of(d, &d->lsa) ? &d->dcmem : &d->lsa;
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

static uint64_t wipe_zero(void *opaque, uint64_t place, uint64_t len,
                          uint64_t *budget)
{
    CXLType3Dev *d = opaque;
    CXLBackend *m = wipe_mem_at(d, place);
    uint64_t offset = place - wipe_place_of(d, m);

    return cxl_backend_zero(m, offset, MIN(len, m->size - offset), budget);
}

static void wipe_done(void *opaque)
{
    CXLType3Dev *d = opaque;

    if (DEVICE(d)->realized) {
        cxl_type3_map_changed(d);
    } else {
        wipe_outlived(d);
    }
}

static uint64_t wipe_end(void *opaque)
{
    return wipe_places(opaque);
}

static const CXLWipeOps wipe_ops = {
    .zero = wipe_zero,
    .trap = cxl_type3_map_changed,
    .done = wipe_done,
    .end = wipe_end,
};

void cxl_type3_wipe(void *opaque, uint64_t dpa, uint64_t len)
{
    CXLType3Dev *d = opaque;
    uint64_t offset;

    if (!cxl_type3_dc_backend_offset(d, dpa, len, &offset)) {
        cxl_wipe_note(&d->wipe.set, dpa, len);
    } else if (d->pool) {
        cxl_wipe_note(cxl_pool_wipe(d->pool), offset, len);
    } else {
        cxl_wipe_note(&d->wipe.set, wipe_place_of(d, &d->dcmem) + offset, len);
    }
}

void cxl_type3_wipe_begin(void *opaque)
{
    CXLType3Dev *d = opaque;

    cxl_wipe_begin(&d->wipe.set);
    if (d->pool) {
        cxl_wipe_begin(cxl_pool_wipe(d->pool));
    }
}

void cxl_type3_wipe_all(void *opaque)
{
    CXLType3Dev *d = opaque;

    if (d->pool) {
        cxl_wipe_note(&d->wipe.set, 0, cxl_memdev_static_size(d->mem));
        cxl_wipe_note(&d->wipe.set, wipe_place_of(d, &d->lsa), d->lsa.size);
        cxl_type3_pool_wipe_all(d);
    } else {
        cxl_wipe_note(&d->wipe.set, 0, wipe_places(d));
    }
    cxl_type3_wipe_begin(d);
}

bool cxl_type3_is_wiping(void *opaque)
{
    CXLType3Dev *d = opaque;

    return d->wipe.set.left;
}

/* -- accesses ------------------------------------------------------------- */

bool cxl_type3_wipe_next(CXLType3Dev *d, const CXLBackend *m, uint64_t offset,
                         uint64_t *skip, uint64_t *len)
{
    const CXLWipe *pool = cxl_type3_pool_wipe_of(d, m);

    return pool ? cxl_wipe_next(pool, offset, skip, len) :
           cxl_wipe_next(&d->wipe.set, wipe_place_of(d, m) + offset, skip, len);
}

void cxl_type3_wipe_touch(CXLType3Dev *d, CXLBackend *m, uint64_t offset,
                          uint64_t n)
{
    CXLWipe *pool = cxl_type3_pool_wipe_of(d, m);
    uint64_t base = pool ? 0 : wipe_place_of(d, m);

    cxl_wipe_touch(pool ?: &d->wipe.set,
                   base + ROUND_DOWN(offset, CXL_WIPE_PIECE),
                   base + MIN(ROUND_UP(offset + n, CXL_WIPE_PIECE), m->size) -
                   1);
}

/* -- life ----------------------------------------------------------------- */

/*
 * Who shares a file with us, or opens it later, must not find old data.  What
 * another QEMU has taken over with the rest of the machine is that one's, also
 * to overwrite, and so is what this one has not taken over.
 */
static void wipe_finish_at_exit(Notifier *n, void *data)
{
    CXLType3Dev *d = container_of(n, CXLType3Dev, wipe.exit);
    CXLBackend *const all[] = { &d->vmem, &d->pmem, &d->dcmem, &d->lsa };

    if (cxl_backends_are_of_another()) {
        return;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
        if (all[i]->size && !cxl_backend_outlives_us(all[i])) {
            cxl_wipe_forget(&d->wipe.set, wipe_place_of(d, all[i]),
                            all[i]->size);
        }
    }
    cxl_wipe_finish(&d->wipe.set);
}

void cxl_type3_wipe_init(CXLType3Dev *d)
{
    cxl_wipe_init(&d->wipe.set, &wipe_ops, d);
    d->wipe.exit.notify = wipe_finish_at_exit;
    qemu_add_exit_notifier(&d->wipe.exit);
}

void cxl_type3_wipe_exit(CXLType3Dev *d)
{
    if (d->wipe.set.timer) {
        cxl_wipe_exit(&d->wipe.set);
        qemu_remove_exit_notifier(&d->wipe.exit);
    }
}

void cxl_type3_left_set(CXLMemTarget *t)
{
    CXLType3Dev *d;

    QLIST_FOREACH(d, &outliving, wipe.next) {
        if (d == CXL_TYPE3(t)) {
            if (!d->wipe.set.left) {
                wipe_outlived(d);
            }
            return;
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

static CXLType3Dev *wipe_outlives(const HostMemoryBackend *backend)
{
    CXLType3Dev *d;

    QLIST_FOREACH(d, &outliving, wipe.next) {
        if (d->vmem.hostmem == backend || d->pmem.hostmem == backend ||
            d->dcmem.hostmem == backend || d->lsa.hostmem == backend) {
            return d;
        }
    }
    return NULL;
}

/** cxl_type3_wipe_settle() - somebody wants @backend now */
void cxl_type3_wipe_settle(const HostMemoryBackend *backend)
{
    CXLType3Dev *d;

    if (!wipe_outlives(backend)) {
        return;
    }
    /* Devices that waited for nothing else are gone then */
    cxl_sets_settle();
    while ((d = wipe_outlives(backend))) {
        cxl_wipe_finish(&d->wipe.set);
        wipe_outlived(d);
    }
}
