/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Direct mapping of CXL memory: how many pieces there is room for beside the
 * rest of the machine's memory, see hdm-internal.h
 */
#include "qemu/osdep.h"
#include "system/address-spaces.h"
#include "system/memory.h"
#include "hw/virtio/vhost.h"
#include "qemu/rcu.h"
#include "system/kvm.h"
#include "hdm-internal.h"

/**
 * struct Others - sections of RAM outside the windows of @state
 * @n: how many, what goes on at the next address of the same memory as one
 * @mr: memory of the last section
 * @at: guest physical address behind it
 * @offset: offset in @mr behind it
 */
typedef struct Others {
    const CXLState *state;
    uint64_t n;
    const MemoryRegion *mr;
    Int128 at;
    hwaddr offset;
} Others;

static bool in_a_window(const CXLState *state, Int128 at)
{
    hwaddr hpa = int128_getlo(at);

    if (int128_gethi(at)) {
        return false;
    }
    for (GList *it = state->fixed_windows; it; it = it->next) {
        CXLFixedWindow *fw = it->data;

        if (hpa >= fw->base && hpa - fw->base < fw->size) {
            return true;
        }
    }
    return false;
}

static bool count(Int128 start, Int128 len, const MemoryRegion *region,
                  hwaddr offset, void *opaque)
{
    /* the callback has it const, the questions are asked of any */
    MemoryRegion *mr = (MemoryRegion *)region;
    Others *o = opaque;

    if (!memory_region_is_ram(mr) || memory_region_is_rom(mr) ||
        in_a_window(o->state, start)) {
        return false;
    }
    if (o->mr != region || !int128_eq(o->at, start) || o->offset != offset) {
        o->n++;
    }
    o->mr = region;
    o->at = int128_add(start, len);
    o->offset = offset + int128_get64(len);
    return false;
}

/*
 * A vhost back end tells how many slots it has, and QEMU how many of them are
 * free, but not whether it counts us: vhost-user takes memory with a file
 * descriptor only.  What is free would grow and shrink with what we map, so the
 * rest of the machine is counted instead, and each piece as one.
 */
static uint64_t vhost_slots(const CXLState *state)
{
    uint64_t max = vhost_get_max_memslots(), keep;
    Others others = { .state = state };

    if (max >= INT_MAX) {
        return UINT64_MAX;
    }
    WITH_RCU_READ_LOCK_GUARD() {
        flatview_for_each_range(address_space_to_flatview(
                                    &address_space_memory), count, &others);
    }
    /* Some have eight slots, but for those nothing should be left over */
    keep = others.n + MIN(max / 4, CXL_DIRECT_SLOTS_RESERVED);
    return max - MIN(max, keep);
}

/* Here each piece is a slot as soon as it is mapped */
static uint64_t kvm_slots(const CXLState *state)
{
    uint64_t slots;

    if (!kvm_enabled()) {
        return UINT64_MAX;
    }
    slots = (uint64_t)kvm_get_free_memslots() + cxl_direct_mapped(state);
    return slots - MIN(slots, CXL_DIRECT_SLOTS_RESERVED);
}

uint64_t cxl_direct_slots(const CXLState *state)
{
    return MIN(MIN(vhost_slots(state), kvm_slots(state)),
               CXL_DIRECT_PIECES_MAX);
}
