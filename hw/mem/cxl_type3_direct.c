/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL Type 3 memory device: what of its memory may be mapped, and when that
 * changes, see hw/cxl/cxl_mem_target.h
 */
#include "qemu/osdep.h"
#include "exec/target_page.h"
#include "hw/cxl/memdev/poison.h"
#include "hw/cxl/memdev/security.h"
#include "cxl_type3_internal.h"

/* -- runs of accepted dynamic capacity ------------------------------------ */

/*
 * Extents that touch make one run, and it would take a walk over all of them
 * to find that out at each change: so runs are kept, and all of them.  Only so
 * many can be mapped, but to forget the others would mean to walk over a
 * million extents when one of those that were known goes.  Those that could be
 * mapped are in a tree of their own: a million smaller ones are not in the way.
 */

/* The first run that ends at @dpa or behind it */
static CXLType3Run *run_find(CXLType3Direct *m, uint64_t dpa)
{
    IntervalTreeNode *n = interval_tree_iter_first(&m->run, dpa, UINT64_MAX);

    return n ? container_of(n, CXLType3Run, node) : NULL;
}

/* The same among those with a whole page */
static CXLType3Run *run_find_whole(CXLType3Direct *m, uint64_t dpa)
{
    IntervalTreeNode *n = interval_tree_iter_first(&m->whole, dpa, UINT64_MAX);

    return n ? container_of(n, CXLType3Run, whole) : NULL;
}

static bool run_has_whole_page(const CXLType3Run *r)
{
    uint64_t page = MIN(qemu_real_host_page_size(), qemu_target_page_size());
    uint64_t first = ROUND_UP(r->node.start, page);

    return first >= r->node.start && first <= r->node.last &&
           r->node.last - first >= page - 1;
}

static uint64_t run_len(const CXLType3Run *r)
{
    return r->node.last - r->node.start + 1;
}

static CXLType3Run *run_take(CXLType3Direct *m, CXLType3Run *r)
{
    interval_tree_remove(&r->node, &m->run);
    if (run_has_whole_page(r)) {
        interval_tree_remove(&r->whole, &m->whole);
    }
    return r;
}

static bool run_goes_on(const CXLType3Run *a, const CXLType3Run *b)
{
    return a && b && a->region == b->region &&
           a->node.last + 1 == b->node.start &&
           a->offset + run_len(a) == b->offset;
}

static void run_insert(CXLType3Direct *m, const CXLType3Run *run)
{
    CXLType3Run *copy = g_memdup2(run, sizeof(*run));

    interval_tree_insert(&copy->node, &m->run);
    if (run_has_whole_page(copy)) {
        copy->whole.start = copy->node.start;
        copy->whole.last = copy->node.last;
        interval_tree_insert(&copy->whole, &m->whole);
    }
}

static void run_add(CXLType3Direct *m, CXLType3Run run)
{
    uint64_t start = run.node.start;
    CXLType3Run *low = start ? run_find(m, start - 1) : NULL;
    CXLType3Run *high = run_find(m, start);

    if (run_goes_on(low, &run)) {
        run.node.start = low->node.start;
        run.offset = low->offset;
        g_free(run_take(m, low));
    }
    if (run_goes_on(&run, high)) {
        run.node.last = high->node.last;
        g_free(run_take(m, high));
    }
    run_insert(m, &run);
}

static void run_cut(CXLType3Direct *m, uint64_t dpa, uint64_t len)
{
    uint64_t last = dpa + (len - 1);
    CXLType3Run *r;

    while ((r = run_find(m, dpa)) && r->node.start <= last) {
        g_autofree CXLType3Run *old = run_take(m, r);
        CXLType3Run part = *old;

        if (old->node.start < dpa) {
            part.node.last = dpa - 1;
            run_insert(m, &part);
        }
        if (old->node.last > last) {
            part = *old;
            part.node.start = last + 1;
            part.offset += part.node.start - old->node.start;
            run_insert(m, &part);
        }
    }
}

static void run_forget(CXLType3Direct *m)
{
    CXLType3Run *r;

    while ((r = run_find(m, 0))) {
        g_free(run_take(m, r));
    }
}

/* @media: where the model has it; false if the backend has nothing there */
static bool run_add_range(CXLType3Dev *d, const CXLDCRange *range,
                          uint64_t media)
{
    CXLType3Run run = {
        .node.start = range->dpa,
        .node.last = range->dpa + (range->len - 1),
        .region = cxl_type3_dc_region_of(d, range->dpa, range->len),
    };

    if (!cxl_type3_dc_backend_offset(d, media, range->len, &run.offset)) {
        return false;
    }
    run_add(&d->direct, run);
    return true;
}

/* Adds what the model has from @dpa to @last */
static void run_fill(CXLType3Dev *d, uint64_t dpa, uint64_t last)
{
    CXLDCRange range;
    uint64_t media;

    while (cxl_dc_next(d->dc, d->mem->host_id, dpa, &range, &media) &&
           range.dpa <= last) {
        range.len = MIN(range.len - 1, last - range.dpa) + 1;
        dpa = range.dpa + range.len;
        if (!run_add_range(d, &range, media) || dpa - 1 == last) {
            return;
        }
    }
}

bool cxl_type3_direct_reserve(CXLType3Dev *d, const CXLDCRange *range,
                              const uint64_t *media, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        run_add_range(d, &range[i], media[i]);
    }
    if (!d->direct.attached || cxl_direct_update()) {
        return true;
    }
    for (size_t i = 0; i < n; i++) {
        run_cut(&d->direct, range[i].dpa, range[i].len);
    }
    cxl_direct_update();
    return false;
}

void cxl_type3_direct_access(CXLType3Dev *d, const CXLDCRange *range, bool on)
{
    d->direct.changed = true;
    /* What is on may have been reserved */
    run_cut(&d->direct, range->dpa, range->len);
    if (on) {
        run_fill(d, range->dpa, range->dpa + (range->len - 1));
    }
}

void cxl_type3_direct_settle(CXLType3Dev *d)
{
    if (d->direct.changed) {
        cxl_type3_map_changed(d);
    }
}

/* -- may it be mapped? ---------------------------------------------------- */

/* @span->len reaches no further than the memory itself */
static void span_of_memory(CXLType3Dev *d, CXLMemSpan *span, CXLBackend *m,
                           uint64_t offset)
{
    uint64_t skip, len;

    span->memory = &m->memory;
    span->offset = offset;
    if (cxl_type3_wipe_next(d, m, offset, &skip, &len)) {
        if (!skip) {
            span->memory = NULL;
            span->why = CXL_MEMORY_TRAP_WIPED;
            span->len = MIN(span->len, len);
        } else {
            span->len = MIN(span->len, skip);
        }
    }
}

static void span_of_dc(CXLType3Dev *d, uint64_t dpa, bool whole,
                       CXLMemSpan *span)
{
    const CXLType3Run *run = whole ? run_find_whole(&d->direct, dpa)
                                   : run_find(&d->direct, dpa);

    if (!run || run->node.start > dpa) {
        span->why = CXL_MEMORY_TRAP_NOT_ACCEPTED;
        if (run) {
            span->len = MIN(span->len, run->node.start - dpa);
        }
        return;
    }
    /* as long as run->node.last - dpa + 1, which may be no 64-bit number */
    span->len = MIN(span->len - 1, run->node.last - dpa) + 1;
    if (cxl_dc_region(d->dc, run->region)->read_only) {
        /* An alias can be read-only, but DMA does not care */
        span->why = CXL_MEMORY_TRAP_READ_ONLY;
        return;
    }
    span->dynamic = true;
    span_of_memory(d, span, &d->dcmem, run->offset + (dpa - run->node.start));
}

bool cxl_type3_is_barred(CXLType3Dev *d, uint64_t dpa, uint64_t *len,
                         CxlMemoryTrap *why)
{
    const CXLSecurity *security = d->mem->security;
    uint64_t end = cxl_memdev_end(d->mem);
    CXLPoisonRange bad;

    if (dpa >= end) {
        *why = CXL_MEMORY_TRAP_NO_CAPACITY;
        return true;
    }
    *len = MIN(*len, end - dpa);
    if (cxl_memdev_media_disabled(d->mem)) {
        *why = CXL_MEMORY_TRAP_MEDIA_DISABLED;
        return true;
    }
    if (cxl_security_denies(security, dpa, *len)) {
        if (dpa >= security->dpa) {
            *len = MIN(*len, security->len - (dpa - security->dpa));
            *why = CXL_MEMORY_TRAP_LOCKED;
            return true;
        }
        *len = security->dpa - dpa;
    }
    if (cxl_poison_piece(d->mem->poison, dpa, *len, &bad)) {
        if (bad.dpa == dpa) {
            *len = bad.len;
            *why = CXL_MEMORY_TRAP_POISONED;
            return true;
        }
        *len = bad.dpa - dpa;
    }
    return false;
}

static void direct_span(CXLMemTarget *t, uint64_t dpa, uint64_t len,
                        bool whole_pages, CXLMemSpan *span)
{
    CXLType3Dev *d = CXL_TYPE3(t);
    uint64_t offset;
    CXLBackend *m;

    *span = (CXLMemSpan) { .len = len };
    if (cxl_type3_is_barred(d, dpa, &span->len, &span->why)) {
        return;
    }
    m = cxl_type3_static_at(d, dpa, &span->len, &offset);
    if (m) {
        span_of_memory(d, span, m, offset);
    } else {
        span_of_dc(d, dpa, whole_pages, span);
    }
}

/* Bytes that others may see stay where these look for them, or come back */
static bool direct_is_shared_file(const CXLBackend *m)
{
    return qemu_ram_is_shared(m->mr->ram_block) &&
           object_dynamic_cast(OBJECT(m->hostmem), "memory-backend-file");
}

static void direct_medium(CXLMemTarget *t, uint64_t dpa, uint64_t len,
                          CXLMedium *medium)
{
    CXLType3Dev *d = CXL_TYPE3(t);
    CXLBackend *m;

    *medium = (CXLMedium) { .len = len, .why = CXL_MEMORY_TRAP_NO_CAPACITY };
    m = cxl_type3_static_at(d, dpa, &medium->len, &medium->offset);
    if (!m && cxl_type3_dc_backend_offset(d, dpa, 1, &medium->offset)) {
        int region = cxl_type3_dc_region_of(d, dpa, 1);
        const CXLDCRegion *r = &d->dc_config.region[region];

        medium->len = MIN(len, r->base + r->len - dpa);
        /* nor what another head may be given */
        m = d->pool || r->sharable || r->read_only ? NULL : &d->dcmem;
        medium->why = CXL_MEMORY_TRAP_INTERLEAVED;
    } else if (!m && dpa < cxl_memdev_end(d->mem)) {
        /* between two regions, which begin at multiples of it */
        medium->len = MIN(len, CXL_TYPE3_GRANULE - dpa % CXL_TYPE3_GRANULE);
    }
    if (m && !memory_region_is_rom(m->mr) &&
        (!direct_is_shared_file(m) || d->guest_order_files)) {
        medium->memory = &m->memory;
        medium->write_back = direct_is_shared_file(m);
        medium->may_drop = !medium->write_back &&
                           cxl_backend_can_discard(m);
    } else if (m) {
        medium->why = CXL_MEMORY_TRAP_INTERLEAVED;
    }
}

bool cxl_type3_is_decoded(void *opaque, uint64_t dpa, uint64_t len)
{
    CXLType3Dev *d = opaque;

    return cxl_hdm_maps_dpa(d->cxl.crb.cache_mem_registers, dpa, len);
}

/* -- life ----------------------------------------------------------------- */

void cxl_type3_map_changed(void *opaque)
{
    CXLType3Dev *d = opaque;

    d->direct.changed = false;
    if (d->direct.attached) {
        cxl_direct_update();
    }
}

void cxl_type3_direct_reload(CXLType3Dev *d)
{
    run_forget(&d->direct);
    if (d->dc) {
        run_fill(d, 0, UINT64_MAX);
    }
    cxl_type3_map_changed(d);
}

void cxl_type3_direct_attach(CXLType3Dev *d)
{
    d->direct.attached = true;
    cxl_type3_direct_reload(d);
    cxl_direct_topology_changed();
}

void cxl_type3_direct_detach(CXLType3Dev *d)
{
    d->direct.attached = false;
    cxl_direct_topology_changed();
    run_forget(&d->direct);
}

/* -- the interface of the host's side ------------------------------------- */

static CXLCCI *direct_fm_cci(CXLMemTarget *t)
{
    return &CXL_TYPE3(t)->fm_cci;
}

static const uint32_t *direct_hdm_registers(CXLMemTarget *t)
{
    CXLType3Dev *d = CXL_TYPE3(t);

    return d->direct.attached ? d->cxl.crb.cache_mem_registers : NULL;
}

static uint32_t direct_map_limit(CXLMemTarget *t)
{
    return CXL_TYPE3(t)->direct.ranges;
}

void cxl_type3_direct_class_init(ObjectClass *oc)
{
    CXLMemTargetClass *tc = CXL_MEM_TARGET_CLASS(oc);

    tc->fm_cci = direct_fm_cci;
    tc->hdm_registers = direct_hdm_registers;
    tc->map_limit = direct_map_limit;
    tc->span = direct_span;
    tc->medium = direct_medium;
    tc->left_set = cxl_type3_left_set;
    tc->access = cxl_type3_access;
}
