/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL Type 3 memory device: what of its memory may be mapped, and when that
 * changes, see hw/cxl/cxl_direct.h
 */
#include "qemu/osdep.h"
#include "hw/cxl/cxl_direct.h"
#include "cxl_type3_internal.h"

/* The only host of a device with a single logical device */
#define THE_HOST 0

/* -- runs of accepted dynamic capacity ------------------------------------ */

/*
 * Extents that touch make one run, and it would take a walk over all of them
 * to find that out at each change: so runs are kept.  But there may be a
 * million, and only so many can be mapped: the lowest of them are kept.
 */

static CXLType3Run *run_at(const CXLType3Direct *m, guint i)
{
    return &g_array_index(m->run, CXLType3Run, i);
}

/* Index of the first run that ends behind @dpa */
static guint run_find(const CXLType3Direct *m, uint64_t dpa)
{
    guint lo = 0, hi = m->run->len;

    while (lo < hi) {
        guint mid = lo + (hi - lo) / 2;
        const CXLType3Run *r = run_at(m, mid);

        if (r->dpa + (r->len - 1) < dpa) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

static bool run_goes_on(const CXLType3Run *a, const CXLType3Run *b)
{
    return a->region == b->region && a->dpa + a->len == b->dpa &&
           a->offset + a->len == b->offset;
}

static void run_add(CXLType3Direct *m, const CXLType3Run *run)
{
    guint i = run_find(m, run->dpa);

    if (i && run_goes_on(run_at(m, i - 1), run)) {
        run_at(m, --i)->len += run->len;
    } else {
        g_array_insert_val(m->run, i, *run);
    }
    if (i + 1 < m->run->len && run_goes_on(run_at(m, i), run_at(m, i + 1))) {
        run_at(m, i)->len += run_at(m, i + 1)->len;
        g_array_remove_index(m->run, i + 1);
    }
    if (m->run->len > m->ranges) {
        m->known = run_at(m, m->ranges)->dpa;
        g_array_set_size(m->run, m->ranges);
    }
}

static void run_cut(CXLType3Direct *m, uint64_t dpa, uint64_t len)
{
    uint64_t last = dpa + (len - 1);
    guint i = run_find(m, dpa);

    while (i < m->run->len && run_at(m, i)->dpa <= last) {
        CXLType3Run low = *run_at(m, i), high = low;

        g_array_remove_index(m->run, i);
        if (low.dpa < dpa) {
            low.len = dpa - low.dpa;
            g_array_insert_val(m->run, i, low);
            i++;
        }
        if (high.dpa + (high.len - 1) > last) {
            uint64_t skip = last + 1 - high.dpa;

            high.dpa += skip;
            high.len -= skip;
            high.offset += skip;
            g_array_insert_val(m->run, i, high);
            i++;
        }
    }
}

/* The first accepted bytes at @dpa or above */
static bool run_of_model(const CXLType3Dev *d, uint64_t dpa, CXLType3Run *run)
{
    CXLDCRange range;
    uint64_t media;

    if (!cxl_dc_next(d->dc, THE_HOST, dpa, &range, &media)) {
        return false;
    }
    run->dpa = range.dpa;
    run->len = range.len;
    run->region = cxl_dc_region_of(d->dc, range.dpa, range.len);
    return cxl_type3_dc_backend_offset(d, media, range.len, &run->offset);
}

/* Adds what the model has from @dpa to @last */
static void run_fill(CXLType3Dev *d, uint64_t dpa, uint64_t last)
{
    CXLType3Direct *m = &d->direct;
    CXLType3Run run;

    while (dpa <= last && dpa < m->known && run_of_model(d, dpa, &run) &&
           run.dpa <= last) {
        run.len = MIN(run.len - 1, last - run.dpa) + 1;
        run_add(m, &run);
        dpa = run.dpa + run.len;
    }
}

/* There is room again for runs that were forgotten */
static void run_refill(CXLType3Dev *d)
{
    CXLType3Direct *m = &d->direct;
    uint64_t from = m->known;

    if (from != UINT64_MAX && m->run->len <= m->ranges / 2) {
        m->known = UINT64_MAX;
        run_fill(d, from, UINT64_MAX);
    }
}

void cxl_type3_direct_access(CXLType3Dev *d, const CXLDCRange *range, bool on)
{
    d->direct.changed = true;
    if (on) {
        run_fill(d, range->dpa, range->dpa + (range->len - 1));
    } else {
        run_cut(&d->direct, range->dpa, range->len);
    }
}

void cxl_type3_direct_settle(CXLType3Dev *d)
{
    if (d->direct.changed) {
        run_refill(d);
        cxl_type3_map_changed(d);
    }
}

/* -- may it be mapped? ---------------------------------------------------- */

static void span_of_backend(CXLMemSpan *span, const CXLType3Mem *m,
                            uint64_t offset)
{
    span->mr = m->mr;
    span->offset = offset;
    span->len = MIN(span->len, m->size - offset);
}

static bool dc_run(const CXLType3Dev *d, uint64_t dpa, CXLType3Run *run)
{
    const CXLType3Direct *m = &d->direct;
    guint i;

    if (dpa >= m->known) {
        return run_of_model(d, dpa, run);
    }
    i = run_find(m, dpa);
    if (i < m->run->len) {
        *run = *run_at(m, i);
        return true;
    }
    return m->known != UINT64_MAX && run_of_model(d, m->known, run);
}

static void span_of_dc(const CXLType3Dev *d, uint64_t dpa, CXLMemSpan *span)
{
    CXLType3Run run;

    if (!dc_run(d, dpa, &run)) {
        span->why = CXL_MEMORY_TRAP_NOT_ACCEPTED;
        return;
    }
    if (run.dpa > dpa) {
        span->why = CXL_MEMORY_TRAP_NOT_ACCEPTED;
        span->len = MIN(span->len, run.dpa - dpa);
        return;
    }
    span->len = MIN(span->len, run.len - (dpa - run.dpa));
    if (cxl_dc_region(d->dc, run.region)->read_only) {
        /* An alias can be read-only, but DMA does not care */
        span->why = CXL_MEMORY_TRAP_READ_ONLY;
        return;
    }
    span->mr = d->dcmem.mr;
    span->offset = run.offset + (dpa - run.dpa);
    span->dynamic = true;
}

void cxl_type3_span(PCIDevice *pci, uint64_t dpa, uint64_t len,
                    CXLMemSpan *span)
{
    CXLType3Dev *d = CXL_TYPE3(pci);
    CXLPoisonRange bad;
    uint64_t dc_end = 0;

    *span = (CXLMemSpan) { .len = len };
    if (cxl_devregs_media(&d->regs) == CXL_MEDIA_DISABLED) {
        span->why = CXL_MEMORY_TRAP_MEDIA_DISABLED;
        return;
    }
    if (cxl_security_denies(&d->security, dpa, len)) {
        if (dpa >= d->security.dpa) {
            span->len = MIN(len, d->security.len - (dpa - d->security.dpa));
            span->why = CXL_MEMORY_TRAP_LOCKED;
            return;
        }
        span->len = len = d->security.dpa - dpa;
    }
    if (cxl_poison_piece(&d->poison, dpa, len, &bad)) {
        if (bad.dpa == dpa) {
            span->len = bad.len;
            span->why = CXL_MEMORY_TRAP_POISONED;
            return;
        }
        span->len = bad.dpa - dpa;
    }
    if (d->dc) {
        const CXLDCRegion *last = cxl_dc_region(d->dc, d->nr_dc_regions - 1);

        dc_end = last->base + last->decode_len;
    }

    if (dpa < d->vmem.size) {
        span_of_backend(span, &d->vmem, dpa);
    } else if (dpa < cxl_type3_static_size(d)) {
        span_of_backend(span, &d->pmem, dpa - d->vmem.size);
    } else if (dpa < dc_end) {
        span->len = MIN(span->len, dc_end - dpa);
        span_of_dc(d, dpa, span);
    } else {
        span->why = CXL_MEMORY_TRAP_NO_CAPACITY;
    }
}

const uint32_t *cxl_type3_hdm(PCIDevice *pci)
{
    return CXL_TYPE3(pci)->cxl.crb.cache_mem_registers;
}

uint32_t cxl_type3_direct_ranges(PCIDevice *pci)
{
    return CXL_TYPE3(pci)->direct.ranges;
}

/* -- life ----------------------------------------------------------------- */

bool cxl_type3_attached(PCIDevice *pci)
{
    return CXL_TYPE3(pci)->direct.attached;
}

void cxl_type3_map_changed(CXLType3Dev *d)
{
    d->direct.changed = false;
    if (d->direct.attached) {
        cxl_direct_update();
    }
}

static void poison_changed(void *opaque)
{
    cxl_type3_map_changed(opaque);
}

void cxl_type3_direct_reload(CXLType3Dev *d)
{
    g_array_set_size(d->direct.run, 0);
    d->direct.known = UINT64_MAX;
    if (d->dc) {
        run_fill(d, 0, UINT64_MAX);
    }
    cxl_type3_map_changed(d);
}

void cxl_type3_direct_attach(CXLType3Dev *d)
{
    d->direct.run = g_array_new(false, false, sizeof(CXLType3Run));
    d->direct.attached = true;
    cxl_type3_decode_forget(d);
    d->poison.changed = poison_changed;
    d->poison.opaque = d;
    cxl_type3_direct_reload(d);
    cxl_direct_topology_changed();
}

void cxl_type3_direct_detach(CXLType3Dev *d)
{
    d->direct.attached = false;
    cxl_direct_topology_changed();
    g_array_free(d->direct.run, TRUE);
    d->direct.run = NULL;
}
