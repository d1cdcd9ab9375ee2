/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL Type 3 memory device: host memory backends and the data path from host
 * window to memory (CXL r3.2 8.2.4.20 for decoding, 9.13.3 for capacity that
 * a host does not hold)
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/cutils.h"
#include "qemu/error-report.h"
#include "qemu/guest-random.h"
#include "exec/cpu-common.h"
#include "system/ramblock.h"
#include "migration/vmstate.h"
#include "system/hostmem.h"
#include "hw/cxl/cxl_error.h"
#include "hw/cxl/memdev/poison.h"
#include "cxl_type3_internal.h"
#include "trace.h"

/* -- backends ------------------------------------------------------------- */

/* Somebody makes it travel already */
static bool mem_is_registered(const MemoryRegion *mr)
{
    return qemu_ram_get_idstr(mr->ram_block)[0];
}

/*
 * Labels are claimed by their first user: several devices may share one file
 * of them, but not with somebody's memory.  It travels under the backend's own
 * name, as long as any of them is there.
 */
static GHashTable *lsa_users;

static void lsa_unregister(CXLBackend *m)
{
    uintptr_t users = (uintptr_t)g_hash_table_lookup(lsa_users, m->mr);

    if (users > 1) {
        g_hash_table_insert(lsa_users, m->mr, (gpointer)(users - 1));
    } else {
        g_hash_table_remove(lsa_users, m->mr);
        vmstate_unregister_ram(m->mr, NULL);
        host_memory_backend_set_mapped(m->hostmem, false);
    }
}

static void mem_unregister(CXLType3Dev *d, CXLBackend *m)
{
    if (!m->migrates) {
        return;
    }
    m->migrates = false;
    if (m == &d->lsa) {
        lsa_unregister(m);
    } else {
        vmstate_unregister_ram(m->mr, DEVICE(d));
    }
}

static void mem_release(CXLType3Dev *d, CXLBackend *m)
{
    mem_unregister(d, m);
    cxl_backend_release(m);
}

/**
 * mem_take() - use a backend
 * @property: that names it
 * @what: words for "... must have backing device"
 */
static bool mem_take(CXLType3Dev *d, CXLBackend *m, const char *property,
                     const char *what, Error **errp)
{
    m->mr = m->hostmem ? host_memory_backend_get_memory(m->hostmem) : NULL;
    if (!m->mr) {
        error_setg(errp, "%s must have %sbacking device: set property "
                   "'%s'", what, m == &d->dcmem ? "a " : "", property);
        return false;
    }
    cxl_type3_wipe_settle(m->hostmem);
    if (!cxl_backend_is_free(m->hostmem, property, errp)) {
        m->mr = NULL;
        return false;
    }
    cxl_backend_claim(m);
    /* The contents travel with the machine, like those of a DIMM */
    if (!mem_is_registered(m->mr)) {
        vmstate_register_ram(m->mr, DEVICE(d));
        m->migrates = true;
    }
    return true;
}

/*
 * Capacity is counted in 256 MiB everywhere a guest looks.  What is left over
 * at the end of a backend is not shown, rather than the device refused: such
 * command lines have started so far.
 */
static bool mem_trim(CXLBackend *m, const char *property, Error **errp)
{
    uint64_t size = QEMU_ALIGN_DOWN(m->size, CXL_TYPE3_GRANULE);

    if (!size && m->size) {
        error_setg(errp, "property '%s' has 0x%" PRIx64 " bytes: a device "
                   "shows multiples of 256 MiB, give it a larger backend",
                   property, m->size);
        return false;
    }
    if (size != m->size) {
        warn_report("cxl-type3: %s has 0x%" PRIx64 " bytes, no multiple of "
                    "256 MiB: the device shows 0x%" PRIx64, property, m->size,
                    size);
        m->size = size;
    }
    return true;
}

static bool lsa_take(CXLType3Dev *d, Error **errp)
{
    MemoryRegion *mr = d->lsa.hostmem ?
                       host_memory_backend_get_memory(d->lsa.hostmem) : NULL;
    uintptr_t users;

    if (!mr) {
        return true;
    }
    cxl_type3_wipe_settle(d->lsa.hostmem);
    if (!lsa_users) {
        lsa_users = g_hash_table_new(NULL, NULL);
    }
    d->lsa.mr = mr;
    d->lsa.memory = cxl_ram_cache(mr);
    d->lsa.size = memory_region_size(mr);
    users = (uintptr_t)g_hash_table_lookup(lsa_users, mr);
    if (!users) {
        const char *name = memory_region_name(mr);

        if (!cxl_backend_is_free(d->lsa.hostmem, "lsa", errp)) {
            d->lsa.mr = NULL;
            return false;
        }
        if (qemu_ram_block_by_name(name)) {
            g_autofree char *shown = cxl_echo(name);

            error_setg(errp, "property 'lsa' is '%s', but the machine has "
                       "other memory of that name: give the backend another id",
                       shown);
            d->lsa.mr = NULL;
            return false;
        }
        vmstate_register_ram(mr, NULL);
        host_memory_backend_set_mapped(d->lsa.hostmem, true);
    }
    g_hash_table_insert(lsa_users, mr, (gpointer)(users + 1));
    d->lsa.migrates = true;
    return true;
}

bool cxl_type3_mem_realize(CXLType3Dev *d, Error **errp)
{
    if (d->vmem.hostmem) {
        if (!mem_take(d, &d->vmem, "volatile-memdev", "volatile memdev",
                      errp)) {
            goto undo;
        }
        memory_region_set_nonvolatile(d->vmem.mr, false);
    }
    if (d->pmem.hostmem) {
        if (!mem_take(d, &d->pmem, "persistent-memdev", "persistent memdev",
                      errp)) {
            goto undo;
        }
        memory_region_set_nonvolatile(d->pmem.mr, true);
    }
    if (d->pool) {
        cxl_type3_pool_mem_take(d);
    } else if (d->nr_dc_regions) {
        if (!mem_take(d, &d->dcmem, "volatile-dc-memdev", "dynamic capacity",
                      errp)) {
            goto undo;
        }
        memory_region_set_nonvolatile(d->dcmem.mr, false);
    } else if (!mem_trim(&d->vmem, "volatile-memdev", errp) ||
               !mem_trim(&d->pmem, "persistent-memdev", errp)) {
        /* Dynamic capacity starts behind static, so it needs it exact */
        goto undo;
    }

    if (!lsa_take(d, errp)) {
        goto undo;
    }
    cxl_type3_wipe_init(d);
    return true;

undo:
    cxl_type3_mem_exit(d);
    return false;
}

bool cxl_type3_mem_in_set(const CXLType3Dev *d)
{
    return cxl_set_uses(&d->vmem.memory) || cxl_set_uses(&d->pmem.memory) ||
           cxl_set_uses(&d->dcmem.memory);
}

void cxl_type3_mem_unplug(CXLType3Dev *d)
{
    if (!cxl_type3_is_wiping(d) && !cxl_type3_mem_in_set(d)) {
        cxl_type3_mem_exit(d);
        return;
    }
    mem_unregister(d, &d->vmem);
    mem_unregister(d, &d->pmem);
    mem_unregister(d, &d->dcmem);
    mem_unregister(d, &d->lsa);
    cxl_type3_pool_mem_drop(d);
    cxl_type3_wipe_outlive(d);
}

void cxl_type3_mem_exit(CXLType3Dev *d)
{
    cxl_type3_wipe_exit(d);
    mem_release(d, &d->lsa);
    mem_release(d, &d->dcmem);
    mem_release(d, &d->pmem);
    mem_release(d, &d->vmem);
    cxl_type3_pool_mem_drop(d);
}

/* -- labels --------------------------------------------------------------- */

static uint8_t *lsa_at(CXLType3Dev *d, uint64_t offset, size_t n)
{
    assert(offset <= d->lsa.size && n <= d->lsa.size - offset);
    cxl_type3_wipe_touch(d, &d->lsa, offset, n);
    return (uint8_t *)memory_region_get_ram_ptr(d->lsa.mr) + offset;
}

void cxl_type3_lsa_read(void *opaque, uint64_t offset, void *buf, size_t n)
{
    if (n) {
        memcpy(buf, lsa_at(opaque, offset, n), n);
    }
}

void cxl_type3_lsa_write(void *opaque, uint64_t offset, const void *buf,
                         size_t n)
{
    CXLType3Dev *d = opaque;

    if (n) {
        memcpy(lsa_at(d, offset, n), buf, n);
        memory_region_set_dirty(d->lsa.mr, offset, n);
    }
}

/* -- the medium ----------------------------------------------------------- */

CXLBackend *cxl_type3_static_at(CXLType3Dev *d, uint64_t dpa, uint64_t *len,
                                uint64_t *offset)
{
    CXLBackend *m = dpa < d->vmem.size ? &d->vmem : &d->pmem;

    if (dpa >= cxl_memdev_static_size(d->mem)) {
        return NULL;
    }
    *offset = m == &d->vmem ? dpa : dpa - d->vmem.size;
    *len = MIN(*len, m->size - *offset);
    return m;
}

/* Where a range of the medium is; @len gets shorter if it is in two places */
static CXLBackend *mem_find(CXLType3Dev *d, uint64_t dpa, uint64_t *len,
                            uint64_t *offset)
{
    return cxl_type3_dc_backend_offset(d, dpa, *len, offset) ? &d->dcmem :
           cxl_type3_static_at(d, dpa, len, offset);
}

uint64_t cxl_type3_zero(void *opaque, uint64_t dpa, uint64_t len,
                        uint64_t *budget)
{
    uint64_t offset;
    CXLBackend *m = mem_find(opaque, dpa, &len, &offset);

    return m ? cxl_backend_zero(m, offset, len, budget) : 0;
}

/* In a line of 64 bytes, which is in one place */
static MemTxResult mem_rw(CXLType3Dev *d, CXLBackend *m, uint64_t offset,
                          void *buf, uint64_t n, bool write)
{
    MemoryRegionCache *c;

    cxl_type3_wipe_touch(d, m, offset, n);
    c = cxl_backend_at(m, &offset, &n);
    if (!write) {
        memcpy(buf, (uint8_t *)memory_region_get_ram_ptr(c->mrs.mr) + offset,
               n);
    } else if (c->ptr) {
        memcpy(c->ptr + offset, buf, n);
        address_space_cache_invalidate(c, offset, n);
    } else {
        return MEMTX_DECODE_ERROR;
    }
    return MEMTX_OK;
}

bool cxl_type3_store_line(void *opaque, uint64_t dpa, const uint8_t *line)
{
    CXLType3Dev *d = opaque;
    uint64_t n = CXL_POISON_LINE, media, offset;
    uint8_t buf[CXL_POISON_LINE];
    CXLBackend *m;

    if (!cxl_memdev_translate(d->mem, d->mem->host_id, dpa, &media)) {
        return false;
    }
    m = mem_find(d, media, &n, &offset);
    memcpy(buf, line, sizeof(buf));
    return m && mem_rw(d, m, offset, buf, sizeof(buf), true) == MEMTX_OK;
}

/* -- loads and stores ----------------------------------------------------- */

/*
 * Dynamic capacity that the host does not hold reads as all ones and takes
 * writes without effect, as capacity no decoder maps (9.13.3).
 */
static MemTxResult mem_access_dc(CXLType3Dev *d, uint64_t dpa, uint8_t *buf,
                                 unsigned n, bool write)
{
    CXLDCAccess may = cxl_dc_access(d->dc, d->mem->host_id, dpa, n);
    uint64_t media, row, offset;

    /* Blocks begin at line boundaries: a piece is in one row on the medium */
    if (may == CXL_DC_ACCESS_NONE ||
        !cxl_dc_translate(d->dc, d->mem->host_id, dpa, &media, &row) ||
        row < n ||
        !cxl_type3_dc_backend_offset(d, media, n, &offset)) {
        trace_cxl_type3_no_capacity(DEVICE(d)->id, dpa, n, write);
        if (!write) {
            memset(buf, 0xff, n);
        }
        return MEMTX_OK;
    }
    if (write && may == CXL_DC_ACCESS_READ_ONLY) {
        trace_cxl_type3_read_only(DEVICE(d)->id, dpa, n);
        return MEMTX_OK;
    }
    return mem_rw(d, &d->dcmem, offset, buf, n, write);
}

/* A piece lies in one 64-byte line, so all of it shares one fate */
static MemTxResult mem_access_piece(CXLType3Dev *d, uint64_t dpa, uint8_t *buf,
                                    unsigned n, bool write)
{
    uint64_t len = n, offset;
    CxlMemoryTrap why;
    CXLBackend *m;

    switch (cxl_type3_is_barred(d, dpa, &len, &why) ? why :
            CXL_MEMORY_TRAP__MAX) {
    case CXL_MEMORY_TRAP_NO_CAPACITY:
        trace_cxl_type3_beyond(DEVICE(d)->id, dpa, write);
        return MEMTX_ERROR;
    case CXL_MEMORY_TRAP_MEDIA_DISABLED:
        if (!write) {
            qemu_guest_getrandom_nofail(buf, n);
        }
        return MEMTX_OK;
    case CXL_MEMORY_TRAP_LOCKED:
        trace_cxl_type3_denied(DEVICE(d)->id, dpa, n, write);
        if (!write) {
            memset(buf, 0xff, n);
        }
        return MEMTX_ERROR;
    case CXL_MEMORY_TRAP_POISONED:
        trace_cxl_type3_poisoned(DEVICE(d)->id, dpa, n, write);
        /*
         * A real host takes a machine check.  Here the data is not to be had:
         * processors load all ones, a device's DMA sees its read fail.  Stores
         * cover less than a line, so they do not heal it.
         */
        if (!write) {
            memset(buf, 0xff, n);
            return MEMTX_ERROR;
        }
        break;
    default:
        break;
    }
    m = cxl_type3_static_at(d, dpa, &len, &offset);
    return m ? mem_rw(d, m, offset, buf, n, write) :
               mem_access_dc(d, dpa, buf, n, write);
}

MemTxResult cxl_type3_access(CXLMemTarget *t, uint64_t dpa, uint64_t *data,
                             unsigned size, bool write)
{
    MemTxResult result = MEMTX_OK;
    uint8_t buf[8] = { 0 };
    unsigned n;

    assert(size <= sizeof(buf));
    if (write) {
        stq_le_p(buf, *data);
    }
    /*
     * Blocks and regions all begin at line boundaries: cut there, an unaligned
     * access is judged byte by byte.
     */
    for (unsigned i = 0; i < size; i += n, dpa += n) {
        n = MIN(size - i, CXL_POISON_LINE - dpa % CXL_POISON_LINE);
        result |= mem_access_piece(CXL_TYPE3(t), dpa, buf + i, n, write);
    }
    if (!write) {
        *data = ldq_le_p(buf);
    }
    return result;
}
