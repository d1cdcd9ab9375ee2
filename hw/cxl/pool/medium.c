/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory of a pool: whose it is, and how it becomes zeroes
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "exec/cpu-common.h"
#include "migration/vmstate.h"
#include "system/ramblock.h"
#include "system/system.h"
#include "hw/cxl/cxl_error.h"
#include "hw/cxl/cxl_mem_target.h"
#include "pool-internal.h"

/* -- overwriting ---------------------------------------------------------- */

static uint64_t pool_zero(void *opaque, uint64_t offset, uint64_t len,
                          uint64_t *budget)
{
    CXLPool *p = opaque;

    return cxl_backend_zero(&p->medium, offset, len, budget);
}

static void pool_map_changed(void *opaque)
{
    cxl_direct_update();
}

static uint64_t pool_end(void *opaque)
{
    CXLPool *p = opaque;

    return p->medium.size;
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

    if ((p->remote || !cxl_backends_are_of_another()) &&
        cxl_backend_outlives_us(&p->medium)) {
        cxl_wipe_finish(&p->wipe);
    }
}

/* -- life ----------------------------------------------------------------- */

bool cxl_pool_medium_take(CXLPool *p, Error **errp)
{
    HostMemoryBackend *memdev = p->medium.hostmem;
    MemoryRegion *mr = memdev ? host_memory_backend_get_memory(memdev) : NULL;
    g_autofree char *block = NULL;

    if (!mr) {
        error_setg(errp, "property 'memdev' is not set: give the id of a "
                   "memory backend that comes before the cxl-pool");
        return false;
    }
    if (memory_region_is_rom(mr)) {
        g_autofree char *name = host_memory_backend_get_name(memdev);
        g_autofree char *shown = cxl_echo(name);

        error_setg(errp, "property 'memdev' names the read-only memory backend "
                   "'%s', but hosts and the pool write to it", shown);
        return false;
    }
    if (!cxl_backend_is_free(memdev, "memdev", errp)) {
        return false;
    }
    cxl_backend_claim(&p->medium);
    memory_region_set_nonvolatile(mr, false);
    /* Under the pool's name: the machine may have memory of the backend's */
    block = g_strconcat(TYPE_CXL_POOL "/", cxl_pool_id(p), NULL);
    qemu_ram_set_idstr(mr->ram_block, block, NULL);
    if (!p->remote) {
        qemu_ram_set_migratable(mr->ram_block);
    }
    cxl_wipe_init(&p->wipe, &pool_wipe_ops, p);
    p->exit.notify = pool_finish_at_exit;
    qemu_add_exit_notifier(&p->exit);
    return true;
}

void cxl_pool_medium_drop(CXLPool *p)
{
    if (p->medium.mr) {
        cxl_wipe_exit(&p->wipe);
        qemu_remove_exit_notifier(&p->exit);
        if (!p->remote) {
            vmstate_unregister_ram(p->medium.mr, NULL);
        }
        cxl_backend_release(&p->medium);
    }
}
