/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults on purpose, on their way to another QEMU: kinds travel by name
 */
#include "qemu/osdep.h"
#include "migration/vmstate-checked.h"
#include "fault-internal.h"

static int fault_post_load(void *opaque, int version_id)
{
    CXLFault *f = opaque;

    if (f->name[CXL_FAULT_NAME_MAX - 1] || f->when >= CXL_FAULT_WHENS ||
        !f->n || f->percent > 100 || f->offset > UINT16_MAX ||
        f->only < CXL_FAULT_ANY) {
        return -EINVAL;
    }
    if (f->width != 1 && f->width != 2 && f->width != 4 && f->width != 8) {
        return -EINVAL;
    }
    f->kind = cxl_fault_find((const char *)f->name);
    return f->kind && (!f->kind->max || f->value <= f->kind->max) ? 0 : -EINVAL;
}

static const VMStateDescription vmstate_fault = {
    .name = "cxl-fault",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = fault_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8_ARRAY(name, CXLFault, CXL_FAULT_NAME_MAX),
        VMSTATE_UINT32(id, CXLFault),
        VMSTATE_UINT8(when, CXLFault),
        VMSTATE_UINT8(percent, CXLFault),
        VMSTATE_UINT8(width, CXLFault),
        VMSTATE_INT32(only, CXLFault),
        VMSTATE_UINT32(n, CXLFault),
        VMSTATE_UINT32(count, CXLFault),
        VMSTATE_UINT32(offset, CXLFault),
        VMSTATE_UINT32(delay_ms, CXLFault),
        VMSTATE_UINT64(value, CXLFault),
        VMSTATE_UINT64(random, CXLFault),
        VMSTATE_UINT64(seen, CXLFault),
        VMSTATE_UINT64(hits, CXLFault),
        VMSTATE_UINT64(memo, CXLFault),
        VMSTATE_END_OF_LIST()
    },
};

static int fault_packet_post_load(void *opaque, int version_id)
{
    CXLFaultPacket *p = opaque;

    return p->len >= CXL_FAULT_PACKET_MIN && p->len <= CXL_FAULT_PACKET_MAX &&
           p->due >= 0 && p->due <= CXL_FAULT_TIME_MAX &&
           p->until >= p->due ? 0 : -EINVAL;
}

static const VMStateDescription vmstate_packet = {
    .name = "cxl-fault-packet",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = fault_packet_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_INT64(due, CXLFaultPacket),
        VMSTATE_INT64(until, CXLFaultPacket),
        VMSTATE_UINT32(link, CXLFaultPacket),
        VMSTATE_UINT32(len, CXLFaultPacket),
        VMSTATE_UINT8_ARRAY(data, CXLFaultPacket, CXL_FAULT_PACKET_MAX),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateCounted fault_counted = {
    VMSTATE_COUNTED_INFO(fault, n, CXLFaults),
    .vmsd = &vmstate_fault,
    .size = sizeof(CXLFault),
    .max = CXL_FAULTS_MAX,
    .in_place = true,
};

static const VMStateCounted held_counted = {
    VMSTATE_COUNTED_INFO(held, nr_held, CXLFaults),
    .vmsd = &vmstate_packet,
    .size = sizeof(CXLFaultPacket),
    .max = CXL_FAULT_HELD_MAX,
    .in_place = true,
};

const VMStateDescription vmstate_cxl_faults = {
    .name = "cxl-faults",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_COUNTED(fault, CXLFaults, fault_counted),
        VMSTATE_UINT32(last_id, CXLFaults),
        VMSTATE_INT64(doorbell_until, CXLFaults),
        VMSTATE_UINT64(extent, CXLFaults),
        VMSTATE_COUNTED(held, CXLFaults, held_counted),
        VMSTATE_END_OF_LIST()
    },
};
