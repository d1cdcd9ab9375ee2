/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The border between volatile and persistent capacity, see partition.h
 * (CXL r3.2 8.2.10.9.2)
 */
#include "qemu/osdep.h"
#include "migration/vmstate.h"
#include "hw/cxl/memdev/partition.h"
#include "hw/cxl/trace.h"

void cxl_partition_init(CXLPartition *p, uint64_t dpa, uint64_t size)
{
    *p = (CXLPartition) {
        .dpa = dpa,
        .size = QEMU_ALIGN_DOWN(size, CXL_PARTITION_UNIT),
    };
}

bool cxl_partition_plan(CXLPartition *p, uint64_t units)
{
    if (units > p->size / CXL_PARTITION_UNIT) {
        return false;
    }
    p->next = units * CXL_PARTITION_UNIT;
    trace_cxl_partition_plan(p->active, p->next, p->size);
    return true;
}

bool cxl_partition_change(const CXLPartition *p, uint64_t *dpa, uint64_t *len)
{
    *dpa = p->dpa + MIN(p->active, p->next);
    *len = MAX(p->active, p->next) - MIN(p->active, p->next);
    return *len != 0;
}

void cxl_partition_apply(CXLPartition *p)
{
    trace_cxl_partition_apply(p->active, p->next, p->size);
    p->active = p->next;
}

void cxl_partition_drop(CXLPartition *p)
{
    p->next = p->active;
}

static int partition_post_load(void *opaque, int version_id)
{
    const CXLPartition *p = opaque;

    return p->active > p->size || p->next > p->size ||
           (p->active | p->next) % CXL_PARTITION_UNIT ? -EINVAL : 0;
}

const VMStateDescription vmstate_cxl_partition = {
    .name = "cxl-partition",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = partition_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64_EQUAL(size, CXLPartition, "'partitionable' differs"),
        VMSTATE_UINT64(active, CXLPartition),
        VMSTATE_UINT64(next, CXLPartition),
        VMSTATE_END_OF_LIST()
    },
};
