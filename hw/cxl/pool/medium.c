/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory of a pool: whose it is, and how it becomes zeroes
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/units.h"
#include "exec/cpu-common.h"
#include "migration/vmstate.h"
#include "system/memory.h"
#include "system/ramblock.h"
#include "system/runstate.h"
#include "system/system.h"
#include "hw/cxl/cxl_error.h"
#include "hw/cxl/cxl_mem_target.h"
#include "pool-internal.h"

/* Below this, giving pages back to the host costs more than clearing them */
#define POOL_DISCARD_MIN    (1 * MiB)
/* Beyond it, so many bytes are given back while one is cleared */
#define POOL_DISCARD_SPEED  8

/* -- overwriting ---------------------------------------------------------- */

static bool pool_can_discard(const CXLPool *p)
{
    RAMBlock *rb = p->mr->ram_block;

    /* as of the memory of a device: pinned, preallocated or a file's stay */
    return !p->keeps_pages && !p->memdev->prealloc &&
           !ram_block_discard_is_disabled() &&
           (qemu_ram_get_fd(rb) < 0 || qemu_ram_is_shared(rb));
}

static uint64_t pool_drop(CXLPool *p, uint64_t offset, uint64_t len,
                          uint64_t budget)
{
    size_t page = qemu_ram_pagesize(p->mr->ram_block);
    uint64_t n = ROUND_DOWN(MIN(len, budget * POOL_DISCARD_SPEED), page);

    if (!n || offset % page) {
        return 0;
    }
    if (ram_block_discard_range(p->mr->ram_block, offset, n)) {
        p->keeps_pages = true;
        return 0;
    }
    return n;
}

static uint64_t pool_zero(void *opaque, uint64_t offset, uint64_t len,
                          uint64_t *budget)
{
    CXLPool *p = opaque;
    uint64_t n = 0;

    if (len >= POOL_DISCARD_MIN && pool_can_discard(p)) {
        n = pool_drop(p, offset, len, *budget);
        *budget -= DIV_ROUND_UP(n, POOL_DISCARD_SPEED);
    }
    if (!n) {
        uint64_t page = qemu_ram_pagesize(p->mr->ram_block);

        /* up to the next page, or else to the end */
        n = ROUND_UP(offset, page) - offset;
        n = MIN(MIN(n ?: len, len), *budget);
        memset(p->memory.ptr + offset, 0, n);
        *budget -= n;
    }
    /* for migration, and for code that was translated from there */
    address_space_cache_invalidate(&p->memory, offset, n);
    return n;
}

static void pool_map_changed(void *opaque)
{
    cxl_direct_update();
}

static uint64_t pool_end(void *opaque)
{
    CXLPool *p = opaque;

    return memory_region_size(p->mr);
}

static const CXLWipeOps pool_wipe_ops = {
    .zero = pool_zero,
    .trap = pool_map_changed,
    .done = pool_map_changed,
    .end = pool_end,
};

CXLWipe *cxl_pool_wipe(CXLPool *p)
{
    return &p->wipe;
}

/* Who shares a file with us, or opens it later, must not find old data */
static void pool_finish_at_exit(Notifier *n, void *data)
{
    CXLPool *p = container_of(n, CXLPool, exit);
    RAMBlock *rb = p->mr->ram_block;

    if (!runstate_check(RUN_STATE_POSTMIGRATE) &&
        !runstate_check(RUN_STATE_INMIGRATE) &&
        qemu_ram_get_fd(rb) >= 0 && qemu_ram_is_shared(rb)) {
        cxl_wipe_finish(&p->wipe);
    }
}

/* -- life ----------------------------------------------------------------- */

bool cxl_pool_medium_take(CXLPool *p, Error **errp)
{
    MemoryRegion *mr = p->memdev ? host_memory_backend_get_memory(p->memdev)
                                 : NULL;
    g_autofree char *name = NULL, *shown = NULL, *block = NULL;

    if (!mr) {
        error_setg(errp, "property 'memdev' is not set: give the id of a "
                   "memory backend that comes before the cxl-pool");
        return false;
    }
    name = host_memory_backend_get_name(p->memdev);
    shown = cxl_echo(name);
    if (memory_region_is_rom(mr)) {
        error_setg(errp, "property 'memdev' names the read-only memory backend "
                   "'%s', but hosts and the pool write to it", shown);
        return false;
    }
    if (host_memory_backend_is_mapped(p->memdev)) {
        error_setg(errp, "memory backend %s can't be used multiple times: "
                   "give property '%s' one of its own", shown, "memdev");
        return false;
    }
    p->mr = mr;
    p->memory = cxl_ram_cache(mr);
    cxl_discard_manage(mr);
    memory_region_set_nonvolatile(mr, false);
    memory_region_set_enabled(mr, true);
    host_memory_backend_set_mapped(p->memdev, true);
    /* Under the pool's name: the machine may have memory of the backend's */
    block = g_strconcat(TYPE_CXL_POOL "/", cxl_pool_id(p), NULL);
    qemu_ram_set_idstr(mr->ram_block, block, NULL);
    qemu_ram_set_migratable(mr->ram_block);
    cxl_wipe_init(&p->wipe, &pool_wipe_ops, p);
    p->exit.notify = pool_finish_at_exit;
    qemu_add_exit_notifier(&p->exit);
    return true;
}

void cxl_pool_medium_drop(CXLPool *p)
{
    if (p->mr) {
        cxl_wipe_exit(&p->wipe);
        qemu_remove_exit_notifier(&p->exit);
        vmstate_unregister_ram(p->mr, NULL);
        host_memory_backend_set_mapped(p->memdev, false);
        p->mr = NULL;
    }
}
