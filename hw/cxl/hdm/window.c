/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accesses to the fixed memory windows that trap: split where decoders may
 * split them, and sent to the device, or straight to its memory where the
 * device need not have a look.  CXL r3.2 sections 9.13.1 and 9.18.1.3.
 */
#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "qemu/units.h"
#include "hdm-internal.h"
#include "trace/trace-hw_cxl.h"

#define CHUNK                   CXL_INTERLEAVE_CHUNK
/* What is not on the short way must not make that longer */
#define COLD                    __attribute__((noinline))

/* -- lanes ---------------------------------------------------------------- */

/*
 * Which device has an address, and where, is arithmetic over the parts that
 * decoders make of a window.  Whether an access ends in memory is a matter of
 * poison, locks and extents as well: far more to look at than the access
 * itself.  What came out is kept in lanes, until anything changes that direct
 * mapping depends on, see cxl_direct_update().  The caller holds the BQL.
 *
 * A lane is about a stretch of a device at most, so that those of stretches far
 * apart can live side by side in a table without chains.
 */
#define STRETCH                 (2 * MiB)
#define LANES                   4096

/**
 * struct CXLWindowLane - what is known about some DPAs of a device
 * @member: the device, in a part of the window
 * @generation: of the machine, when it was found out
 * @from, @last: the DPAs
 * @memory: they are there, NULL if the device has to see each access
 * @offset: in @memory, less the DPA
 */
typedef struct CXLWindowLane {
    const CXLMember *member;
    uint64_t generation;
    uint64_t from;
    uint64_t last;
    MemoryRegionCache *memory;
    uint64_t offset;
} CXLWindowLane;

void cxl_window_init(CXLFixedWindow *fw)
{
    /* One part that leads nowhere, until decoders are looked at */
    fw->parts = g_array_set_size(g_array_new(false, true, sizeof(CXLPart)), 1);
    fw->lanes = g_new0(CXLWindowLane, LANES);
}

static COLD void lane_fill(CXLWindowLane *lane, uint64_t generation,
                           const CXLMember *m, uint64_t dpa)
{
    uint64_t from = ROUND_DOWN(dpa, STRETCH);
    CXLMemSpan span;

    m->ops->span(m->device, from, STRETCH, false, &span);
    if (span.len <= dpa - from) {
        from = dpa;
        m->ops->span(m->device, from, STRETCH - from % STRETCH, false, &span);
    }
    *lane = (CXLWindowLane) {
        .member = m, .generation = generation,
        .from = from, .last = from + (span.len - 1),
    };
    if (span.memory) {
        CXLMemPlace p = cxl_set_place(span.memory, span.offset + (dpa - from));

        lane->from = dpa - MIN(dpa - from, p.below);
        lane->last = dpa + MIN(lane->last - dpa, p.above);
        lane->memory = p.set ?: span.memory->ptr ? span.memory : NULL;
        lane->offset = p.at - dpa;
    }
}

/* -- accesses ------------------------------------------------------------- */

static inline const CXLPart *part_at(const CXLFixedWindow *fw, hwaddr hpa)
{
    guint low = 0, high = fw->parts->len;

    while (high - low > 1) {
        guint mid = (low + high) / 2;

        if (g_array_index(fw->parts, CXLPart, mid).hpa <= hpa) {
            low = mid;
        } else {
            high = mid;
        }
    }
    return &g_array_index(fw->parts, CXLPart, low);
}

/* Who of the devices of @part has @hpa, and at which @dpa? */
static inline unsigned member_at(const CXLPart *part, hwaddr hpa, uint64_t *dpa)
{
    unsigned ways = part->shape.ways, shift = ctz32(part->shape.granularity);
    uint64_t at = hpa - part->hpa;
    uint64_t chunk = at >> shift;
    uint64_t row = is_power_of_2(ways) ? chunk >> ctz32(ways) : chunk / ways;
    unsigned k = chunk - row * ways;

    *dpa = part->shape.member[k].dpa + (row << shift) +
           (at & (part->shape.granularity - 1));
    return k;
}

/* Decoders of several levels contradict each other, or lead to no device */
static COLD MemTxResult window_access_by_route(CXLFixedWindow *fw, hwaddr hpa,
                                               uint64_t *data, unsigned size,
                                               bool write)
{
    CXLRoute r = cxl_route_hpa(fw, hpa);

    if (!r.miss) {
        return r.ops->access(r.device, r.dpa, data, size, write);
    }
    trace_cxl_window_miss(write ? "write" : "read", hpa, size, r.miss);
    if (write) {
        /* Who posts a write is told by a device at most */
        return r.device ? MEMTX_ERROR : MEMTX_OK;
    }
    *data = 0;
    return MEMTX_ERROR;
}

static inline QEMU_ALWAYS_INLINE
MemTxResult window_access_in_chunk(CXLFixedWindow *fw, hwaddr hpa,
                                   uint64_t *data, unsigned size, bool write)
{
    uint64_t generation = fw->state->generation, dpa;
    const CXLPart *part = part_at(fw, hpa);
    const CXLMember *m;
    CXLWindowLane *lane;
    unsigned k;

    if (unlikely(!part->shape.ways)) {
        return window_access_by_route(fw, hpa, data, size, write);
    }
    k = member_at(part, hpa, &dpa);
    m = &part->shape.member[k];
    lane = &fw->lanes[(dpa / STRETCH * part->shape.ways + k) % LANES];
    if (unlikely(lane->generation != generation || lane->member != m ||
                 dpa < lane->from || dpa > lane->last)) {
        lane_fill(lane, generation, m, dpa);
    }
    if (unlikely(!lane->memory || size - 1 > lane->last - dpa)) {
        return m->ops->access(m->device, dpa, data, size, write);
    }
    if (write) {
        stn_le_p(lane->memory->ptr + lane->offset + dpa, size, *data);
        /* for migration, and for code that was translated from there */
        address_space_cache_invalidate(lane->memory, lane->offset + dpa, size);
    } else {
        *data = ldn_le_p(lane->memory->ptr + lane->offset + dpa, size);
    }
    return MEMTX_OK;
}

/*
 * Neighbouring chunks may belong to different devices, regions or blocks.  What
 * lies across the end of the window comes here as one access, too, and has no
 * part there.
 */
static COLD MemTxResult window_access_by_bytes(CXLFixedWindow *fw, hwaddr hpa,
                                               uint64_t *data, unsigned size,
                                               bool write)
{
    MemTxResult result = MEMTX_OK;
    uint64_t all = 0;

    for (unsigned i = 0; i < size; i++) {
        uint64_t byte = *data >> (8 * i) & 0xff;

        result |= hpa + i - fw->base < fw->size ?
                  window_access_in_chunk(fw, hpa + i, &byte, 1, write) :
                  window_access_by_route(fw, hpa + i, &byte, 1, write);
        all |= (byte & 0xff) << (8 * i);
    }
    *data = result == MEMTX_OK ? all : 0;
    return result;
}

static MemTxResult window_read(void *opaque, hwaddr offset, uint64_t *data,
                               unsigned size, MemTxAttrs attrs)
{
    CXLFixedWindow *fw = opaque;
    hwaddr hpa = fw->base + offset;

    return likely(hpa % CHUNK + size <= CHUNK) ?
           window_access_in_chunk(fw, hpa, data, size, false) :
           window_access_by_bytes(fw, hpa, data, size, false);
}

static MemTxResult window_write(void *opaque, hwaddr offset, uint64_t data,
                                unsigned size, MemTxAttrs attrs)
{
    CXLFixedWindow *fw = opaque;
    hwaddr hpa = fw->base + offset;

    return likely(hpa % CHUNK + size <= CHUNK) ?
           window_access_in_chunk(fw, hpa, &data, size, true) :
           window_access_by_bytes(fw, hpa, &data, size, true);
}

const MemoryRegionOps cxl_window_ops = {
    .read_with_attrs = window_read,
    .write_with_attrs = window_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};
