/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accesses to the fixed memory windows that trap: split where decoders may
 * split them, and sent to the device, or straight to its memory where the
 * device need not have a look.  CXL r3.2 sections 9.13.1 and 9.18.1.3.
 */
#include "qemu/osdep.h"
#include "hdm-internal.h"
#include "trace/trace-hw_cxl.h"

#define CHUNK                   CXL_INTERLEAVE_CHUNK

/* -- lanes ---------------------------------------------------------------- */

/*
 * Where an access ends is a matter of decoders, poison, locks, extents: far
 * more to look at than the access itself.  What came out is kept in lanes.
 *
 * The pattern of all interleave below a window repeats itself after a period of
 * chunks; call one repetition a row.  The chunks at one place of their rows,
 * one below the other, go the same way: that is a lane.  They lie at equal
 * distances in the device, so a multiplication leads from the row to the
 * byte.  Without interleave a row is one chunk.
 *
 * A lane holds for some of its rows: for as many as the decoders and the device
 * treat alike, and for a stretch of ROWS at most, so that lanes of stretches
 * far apart can live side by side in a table without chains.
 *
 * One number for a window tells whether a lane is still true: everything that
 * changes direct mapping changes it too, see cxl_direct_update().  The caller
 * holds the BQL.
 */
#define ROWS                    8192    /* of one chunk: 2 MiB */
#define LANES                   4096

QEMU_BUILD_BUG_ON(LANES < CXL_INTERLEAVE_PERIOD_MAX);

/**
 * struct Lane - what is known about chunks at one place in their rows
 * @from, @last: addresses, with those of other lanes in between
 * @era: when it was found out
 * @device, @ops: they are its, NULL for nobody
 * @memory: they go there, NULL if @device has to see each access
 * @offset: in @memory, of row 0
 * @stride: in @memory, from one row to the next
 */
typedef struct Lane {
    hwaddr from;
    hwaddr last;
    uint64_t era;
    CXLMemTarget *device;
    const CXLMemTargetClass *ops;
    MemoryRegionCache *memory;
    uint64_t offset;
    uint32_t stride;
} Lane;

/**
 * struct CXLWindowLanes - lanes of one window
 * @era: of lanes that are true; those of era 0 were never filled
 * @period: chunks of a row
 * @shift: bits of @period if it is a power of two, else -1
 */
typedef struct CXLWindowLanes {
    uint64_t era;
    unsigned period;
    int shift;
    Lane lane[LANES];
} CXLWindowLanes;

void cxl_window_forget(CXLFixedWindow *fw)
{
    if (fw->lanes) {
        fw->lanes->era++;
    }
}

static inline uint64_t row_of(const CXLWindowLanes *lanes, hwaddr hpa)
{
    uint64_t chunk = hpa / CHUNK;

    return lanes->shift >= 0 ? chunk >> lanes->shift : chunk / lanes->period;
}

/* Lanes of one stretch never meet in one place: there are @period at most */
static inline unsigned place_of(const CXLWindowLanes *lanes, hwaddr hpa,
                                uint64_t row)
{
    uint64_t in_row = hpa / CHUNK - row * lanes->period;

    return (row / ROWS * lanes->period + in_row) % LANES;
}

/* Rows are as long as the longest pattern that anybody met so far */
static CXLWindowLanes *lanes_for(CXLFixedWindow *fw, const CXLRoute *route,
                                 const CXLMemTranslation *tr)
{
    CXLWindowLanes *lanes = fw->lanes;
    unsigned period = lanes ? lanes->period : 1;

    period = cxl_interleave_period(period, route->period, CHUNK);
    if (tr) {
        period = cxl_interleave_period(period, tr->ways,
                                       tr->granularity);
    }
    if (!lanes) {
        lanes = fw->lanes = g_new0(CXLWindowLanes, 1);
        lanes->era = 1;
    }
    if (period != lanes->period) {
        lanes->period = period;
        lanes->shift = is_power_of_2(period) ? ctz32(period) : -1;
        /* All that is known would be in other places now */
        cxl_window_forget(fw);
    }
    return lanes;
}

/*
 * Cuts a lane to what the device treats as it does @hpa.  The chunk of the next
 * row is @row_size further in the window and @stride further in the device.
 */
static void cut_to_span(Lane *lane, const CXLMemTranslation *tr, hwaddr hpa,
                        uint64_t row_size, uint64_t stride)
{
    hwaddr chunk = ROUND_DOWN(hpa, CHUNK);
    uint64_t in = hpa - chunk;
    uint64_t above = tr->above + in;
    uint64_t rows;

    if (tr->below < in) {
        lane->from = MAX(lane->from, hpa - tr->below);
    } else {
        /* whole chunks only: part of one more is not worth a rule */
        rows = (tr->below - in) / stride;
        if (rows <= (chunk - lane->from) / row_size) {
            lane->from = chunk - rows * row_size;
        }
    }
    rows = above / stride;
    if (rows <= (lane->last - chunk) / row_size) {
        lane->last = MIN(lane->last, chunk + rows * row_size +
                                     MIN(above % stride, CHUNK - 1));
    }
}

static const Lane *lane_fill(CXLFixedWindow *fw, hwaddr hpa, uint64_t *row)
{
    CXLRoute route = cxl_route_hpa(fw, hpa);
    CXLMemTranslation tr;
    bool known = route.device && route.ops->translate(route.device, hpa, &tr);
    CXLWindowLanes *lanes = lanes_for(fw, &route, known ? &tr : NULL);
    uint64_t row_size = (uint64_t)lanes->period * CHUNK;
    hwaddr granule = ROUND_DOWN(hpa, CXL_HDM_GRANULE);
    hwaddr stretch;
    Lane *lane;

    *row = row_of(lanes, hpa);
    stretch = ROUND_DOWN(*row, ROWS) * row_size;
    lane = &lanes->lane[place_of(lanes, hpa, *row)];
    *lane = (Lane) {
        .from = MAX(granule, stretch),
        .last = MIN(granule + (CXL_HDM_GRANULE - 1),
                    stretch + (ROWS * row_size - 1)),
        .era = lanes->era,
        .device = route.device,
        .ops = route.ops,
    };
    if (known) {
        uint64_t stride = row_size / tr.ways;

        cut_to_span(lane, &tr, hpa, row_size, stride);
        lane->memory = tr.memory;
        lane->stride = stride;
        lane->offset = tr.offset - hpa % CHUNK - *row * stride;
    }
    return lane;
}

/* The lane of @hpa, good until anything changes */
static inline const Lane *lane_get(CXLFixedWindow *fw, hwaddr hpa,
                                   uint64_t *row)
{
    const CXLWindowLanes *lanes = fw->lanes;
    const Lane *lane;

    if (likely(lanes)) {
        *row = row_of(lanes, hpa);
        lane = &lanes->lane[place_of(lanes, hpa, *row)];
        if (likely(lane->era == lanes->era &&
                   hpa >= lane->from && hpa <= lane->last)) {
            return lane;
        }
    }
    return lane_fill(fw, hpa, row);
}

/* Is all of an access in memory, and where? */
static inline bool in_memory(const Lane *lane, hwaddr hpa, unsigned size,
                             uint64_t row, uint64_t *offset)
{
    *offset = lane->offset + row * lane->stride + hpa % CHUNK;
    return lane->memory && size - 1 <= lane->last - hpa;
}

/* -- accesses ------------------------------------------------------------- */

static void miss(CXLFixedWindow *fw, const char *what, hwaddr hpa,
                 unsigned size)
{
    trace_cxl_window_miss(what, hpa, size, cxl_route_miss_text(
                              cxl_route_hpa(fw, hpa).miss));
}

/* Neighbouring chunks may belong to different devices, regions or blocks */
static bool crosses_chunk(hwaddr hpa, unsigned size)
{
    return hpa % CHUNK + size > CHUNK;
}

static inline MemTxResult read_piece(CXLFixedWindow *fw, hwaddr hpa,
                                     uint64_t *data, unsigned size,
                                     MemTxAttrs attrs)
{
    uint64_t row, at;
    const Lane *lane = lane_get(fw, hpa, &row);

    if (likely(in_memory(lane, hpa, size, row, &at))) {
        *data = ldn_le_p(lane->memory->ptr + at, size);
        return MEMTX_OK;
    }
    if (lane->device) {
        return lane->ops->read(lane->device, hpa, data, size, attrs);
    }
    *data = 0;
    miss(fw, "read", hpa, size);
    return MEMTX_ERROR;
}

static inline MemTxResult write_piece(CXLFixedWindow *fw, hwaddr hpa,
                                      uint64_t data, unsigned size,
                                      MemTxAttrs attrs)
{
    uint64_t row, at;
    const Lane *lane = lane_get(fw, hpa, &row);

    if (likely(in_memory(lane, hpa, size, row, &at))) {
        stn_le_p(lane->memory->ptr + at, size, data);
        /* for migration, and for code that was translated from there */
        address_space_cache_invalidate(lane->memory, at, size);
        return MEMTX_OK;
    }
    if (lane->device) {
        return lane->ops->write(lane->device, hpa, data, size, attrs);
    }
    /* A posted write has nobody to tell */
    miss(fw, "write", hpa, size);
    return MEMTX_OK;
}

static MemTxResult read_bytes(CXLFixedWindow *fw, hwaddr hpa, uint64_t *data,
                              unsigned size, MemTxAttrs attrs)
{
    MemTxResult result = MEMTX_OK;
    uint64_t all = 0;

    for (unsigned i = 0; i < size; i++) {
        uint64_t byte;

        result |= read_piece(fw, hpa + i, &byte, 1, attrs);
        all |= (byte & 0xff) << (8 * i);
    }
    *data = result == MEMTX_OK ? all : 0;
    return result;
}

static MemTxResult write_bytes(CXLFixedWindow *fw, hwaddr hpa, uint64_t data,
                               unsigned size, MemTxAttrs attrs)
{
    MemTxResult result = MEMTX_OK;

    for (unsigned i = 0; i < size; i++) {
        result |= write_piece(fw, hpa + i, data >> (8 * i) & 0xff, 1, attrs);
    }
    return result;
}

static MemTxResult window_read(void *opaque, hwaddr offset, uint64_t *data,
                               unsigned size, MemTxAttrs attrs)
{
    CXLFixedWindow *fw = opaque;
    hwaddr hpa = fw->base + offset;

    return likely(!crosses_chunk(hpa, size)) ?
           read_piece(fw, hpa, data, size, attrs) :
           read_bytes(fw, hpa, data, size, attrs);
}

static MemTxResult window_write(void *opaque, hwaddr offset, uint64_t data,
                                unsigned size, MemTxAttrs attrs)
{
    CXLFixedWindow *fw = opaque;
    hwaddr hpa = fw->base + offset;

    return likely(!crosses_chunk(hpa, size)) ?
           write_piece(fw, hpa, data, size, attrs) :
           write_bytes(fw, hpa, data, size, attrs);
}

const MemoryRegionOps cxl_window_ops = {
    .read_with_attrs = window_read,
    .write_with_attrs = window_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};
