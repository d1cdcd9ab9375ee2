/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * State of a pool, for snapshots and migration; contents of its memory travel
 * as a RAM block, what a head has of its own with the head
 */
#include "qemu/osdep.h"
#include "migration/vmstate-checked.h"
#include "pool-internal.h"

static int pool_post_load(void *opaque, int version_id)
{
    cxl_pool_heads_reload(opaque);
    return 0;
}

static const VMStateDescription vmstate_state = {
    .name = "cxl-pool-state",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = pool_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT_POINTER(dc, CXLPool, vmstate_cxl_dc, CXLDynCap),
        VMSTATE_STRUCT(wipe, CXLPool, 0, vmstate_cxl_wipe, CXLWipe),
        VMSTATE_STRUCT(clock, CXLPool, 0, vmstate_cxl_timestamp, CXLTimestamp),
        VMSTATE_STRUCT(events, CXLPool, 0, vmstate_cxl_events, CXLEventLogs),
        VMSTATE_STRUCT(cci, CXLPool, 0, vmstate_cxl_cci, CXLCCI),
        VMSTATE_END_OF_LIST()
    },
};

static void pool_give_up(void *opaque)
{
    CXLPool *p = opaque;

    cxl_cci_forget(&p->cci);
    cxl_dc_forget(p->dc);
    cxl_wipe_forget(&p->wipe, 0, UINT64_MAX);
    p->clock = (CXLTimestamp) { };
    cxl_events_forget(&p->events);
    cxl_pool_heads_reload(p);
}

static const VMStateGuard pool_guard = {
    VMSTATE_GUARD_INFO,
    .vmsd = &vmstate_state,
    .give_up = pool_give_up,
};

#define SAME(field, property) VMSTATE_SAME(field, CXLPool, property)

const VMStateDescription vmstate_cxl_pool = {
    .name = TYPE_CXL_POOL,
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        SAME(nr_heads, "heads"),
        SAME(nr_regions, "num-dc-regions"),
        SAME(max_extents, "dc-extents-max"),
        SAME(max_tags, "dc-tags-max"),
        SAME(log_depth, "dc-event-log-depth"),
        SAME(sn, "sn"),
        SAME(fm_on_mailbox, "fm-on-mailbox"),
        VMSTATE_STRUCT(config, CXLPool, 0, vmstate_cxl_dc_regions,
                       CXLDCConfig),
        VMSTATE_GUARDED(pool_guard, CXLPool),
        VMSTATE_END_OF_LIST()
    },
};
