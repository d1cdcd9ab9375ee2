/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host memory backends: claiming and overwriting them, see cxl_backend.h.
 * Bytes may be in interleaved memory meanwhile, see hdm-internal.h.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/cutils.h"
#include "qemu/units.h"
#include "system/ramblock.h"
#include "system/runstate.h"
#include "hw/cxl/cxl_backend.h"
#include "hw/cxl/cxl_error.h"
#include "hw/cxl/cxl_mem_target.h"

/* Below this, giving pages back to the host costs more than clearing them */
#define DISCARD_MIN     (1 * MiB)
/*
 * Beyond it, so many bytes are given back in the time that clearing one takes.
 * The same machine as for CXL_MEMDEV_SLICE gave back 2.5 GB a second of a
 * memfd, ten times what it cleared at worst.
 */
#define DISCARD_SPEED   8

/* -- who has it ------------------------------------------------------------ */

/* A backend serves as one memory only; says so if it does already */
bool cxl_backend_is_free(HostMemoryBackend *backend, const char *property,
                         Error **errp)
{
    g_autofree char *name = NULL, *shown = NULL;

    if (!host_memory_backend_is_mapped(backend)) {
        return true;
    }
    name = host_memory_backend_get_name(backend);
    shown = cxl_echo(name);
    error_setg(errp, "memory backend %s can't be used multiple times: "
               "give property '%s' one of its own", shown, property);
    return false;
}

void cxl_backend_claim(CXLBackend *b)
{
    b->mr = host_memory_backend_get_memory(b->hostmem);
    b->size = memory_region_size(b->mr);
    b->memory = cxl_ram_cache(b->mr);
    cxl_discard_manage(b->mr);
    memory_region_set_enabled(b->mr, true);
    host_memory_backend_set_mapped(b->hostmem, true);
    b->claimed = true;
}

void cxl_backend_release(CXLBackend *b)
{
    if (b->claimed) {
        cxl_discard_leave(b->mr);
        host_memory_backend_set_mapped(b->hostmem, false);
        b->claimed = false;
    }
    b->mr = NULL;
    b->size = 0;
    b->keeps_pages = false;
}

bool cxl_backend_outlives_us(const CXLBackend *b)
{
    RAMBlock *rb = b->mr ? b->mr->ram_block : NULL;

    return rb && qemu_ram_get_fd(rb) >= 0 && qemu_ram_is_shared(rb);
}

bool cxl_backends_are_of_another(void)
{
    return runstate_check(RUN_STATE_POSTMIGRATE) ||
           runstate_check(RUN_STATE_INMIGRATE);
}

/* -- overwriting ---------------------------------------------------------- */

bool cxl_backend_can_discard(const CXLBackend *b)
{
    RAMBlock *rb = b->mr->ram_block;

    /*
     * Preallocated pages are there to stay, a device assigned to the guest may
     * have pinned them, and a private file mapping falls back to the file.
     */
    return rb && !b->keeps_pages && !b->hostmem->prealloc &&
           !ram_block_discard_is_disabled() && !memory_region_is_rom(b->mr) &&
           (qemu_ram_get_fd(rb) < 0 || qemu_ram_is_shared(rb));
}

/* Where a byte is that is stored to next, for @n bytes at most */
MemoryRegionCache *cxl_backend_at(CXLBackend *b, uint64_t *offset, uint64_t *n)
{
    CXLMemPlace p = cxl_set_place(&b->memory, *offset);

    *n = MIN(*n - 1, p.above) + 1;
    *offset = p.at;
    return p.set ?: &b->memory;
}

static void backend_clear(CXLBackend *b, uint64_t offset, uint64_t len)
{
    while (len && b->memory.ptr) {
        uint64_t at = offset, n = len;
        MemoryRegionCache *c = cxl_backend_at(b, &at, &n);

        /* In a set it may be there no more than what nobody wrote */
        if (c == &b->memory || !buffer_is_zero(c->ptr + at, n)) {
            memset(c->ptr + at, 0, n);
            /* for migration, and for code that was translated from there */
            address_space_cache_invalidate(c, at, n);
        }
        offset += n;
        len -= n;
    }
}

/* Return: bytes of the beginning that were dropped, for at most @budget */
static uint64_t backend_drop(CXLBackend *b, uint64_t offset, uint64_t len,
                         uint64_t budget)
{
    size_t page = qemu_ram_pagesize(b->mr->ram_block);
    uint64_t n = ROUND_DOWN(MIN(len, budget * DISCARD_SPEED), page);

    if (!n || offset % page) {
        return 0;
    }
    if (ram_block_discard_range(b->mr->ram_block, offset, n)) {
        b->keeps_pages = true;
        return 0;
    }
    address_space_cache_invalidate(&b->memory, offset, n);
    return n;
}

uint64_t cxl_backend_zero(CXLBackend *b, uint64_t offset, uint64_t len,
                            uint64_t *budget)
{
    CXLMemPlace p = cxl_set_place(&b->memory, offset);
    uint64_t n = 0;

    len = MIN(len - 1, p.rest) + 1;
    if (!p.set && len >= DISCARD_MIN && cxl_backend_can_discard(b)) {
        size_t page = qemu_ram_pagesize(b->mr->ram_block);

        n = backend_drop(b, offset, len, *budget);
        if (n) {
            *budget -= DIV_ROUND_UP(n, DISCARD_SPEED);
            return n;
        }
        /* up to the next page, or else to the end */
        n = ROUND_UP(offset, page) - offset;
    }
    n = MIN(MIN(n ?: len, len), *budget);
    backend_clear(b, offset, n);
    *budget -= n;
    return n;
}
