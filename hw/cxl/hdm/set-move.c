/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes of interleaved sets on their way between backends and guest order, see
 * hdm-internal.h
 *
 * They move row by row: those below a mark are in guest order, those above it
 * are with the devices.  What is below the mark of a set that is wanted is
 * mapped, all else traps, and is found by the mark.  So nothing may change
 * behind our back: before bytes leave the set, nobody has it mapped any more,
 * nor does DMA to it; and before they come, each processor has the map in which
 * the backends are not.
 *
 * A slice ends after a few milliseconds, for all others wait for it.  They also
 * come while the machine is stopped: its contents stay the same.  Streams of
 * migration and snapshots have backends only: meanwhile there is no set.
 */
#include "qemu/osdep.h"
#include "block/block-global-state.h"
#include "system/memory.h"
#include "system/ramblock.h"
#include "hw/core/cpu.h"
#include "migration/misc.h"
#include "qemu/cutils.h"
#include "qemu/units.h"
#include "system/cpus.h"
#include "system/runstate.h"
#include "system/system.h"
#include "hdm-internal.h"
#include "trace/trace-hw_cxl.h"

#define SLICE_NS    (4 * SCALE_MS)
#define PAUSE_MS    5
/* Of a set: what is copied between two looks at the clock */
#define STEP        (1 * MiB)
/* What is skipped at once if it was never written */
#define STRIDE      (32 * MiB)
/* What is mapped anew at once */
#define STRETCH     (64 * MiB)
/* Pages are given back in pieces of it, so that huge ones can go */
#define PIECE       (2 * MiB)

/* -- what was never written ----------------------------------------------- */

#ifdef CONFIG_LINUX
/* Private memory without a file: a page is there, or was swapped out */
static bool move_anonymous_is_there(const void *host, uint64_t len)
{
    uint64_t page = qemu_real_host_page_size(), entry[512];
    uint64_t first = (uintptr_t)host / page;
    uint64_t end = DIV_ROUND_UP((uintptr_t)host + len, page);
    int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    bool there = fd < 0;

    while (first < end && !there) {
        size_t n = MIN(end - first, ARRAY_SIZE(entry)) * sizeof(entry[0]);

        there = pread(fd, entry, n, first * sizeof(entry[0])) != n;
        for (unsigned i = 0; i < n / sizeof(entry[0]) && !there; i++) {
            there = entry[i] >> 62;
        }
        first += n / sizeof(entry[0]);
    }
    if (fd >= 0) {
        close(fd);
    }
    return there;
}

static bool move_is_there(RAMBlock *rb, uint64_t offset, uint64_t len)
{
    int fd = qemu_ram_get_fd(rb);
    off_t at = rb->fd_offset + offset, data;

    if (fd < 0) {
        return qemu_ram_is_shared(rb) ||
               move_anonymous_is_there(qemu_ram_get_host_addr(rb) + offset,
                                       len);
    }
    if (!qemu_ram_is_shared(rb)) {
        return true;
    }
    data = lseek(fd, at, SEEK_DATA);
    return data < 0 ? errno != ENXIO : data < at + (off_t)len;
}
#else
static bool move_is_there(RAMBlock *rb, uint64_t offset, uint64_t len)
{
    return true;
}
#endif

/* Zeroes, and better not touched */
static bool move_is_blank(const MemoryRegionCache *c, uint64_t offset,
                          uint64_t len)
{
    return !move_is_there(c->mrs.mr->ram_block, offset, len) ||
           buffer_is_zero(c->ptr + offset, len);
}

static bool move_rows_are_there(const CXLSet *s, uint64_t row, uint64_t n)
{
    unsigned ways = s->shape.ways, g = s->shape.granularity;

    for (unsigned k = 0; k < ways; k++) {
        const CXLMedium *m = &s->shape.member[k].medium;

        if (move_is_there(m->memory->mrs.mr->ram_block, m->offset + row * g,
                          n * g)) {
            return true;
        }
    }
    return move_is_there(s->ram.ram_block, row * ways * g, n * ways * g);
}

/* -- moving --------------------------------------------------------------- */

/* @kept: to those backends only that keep their bytes in a set as well */
static void move_copy_rows(CXLSet *s, uint64_t row, uint64_t n, bool kept,
                           bool to_set)
{
    unsigned ways = s->shape.ways, g = s->shape.granularity;
    uint64_t in_set = row * ways * g, all = n * ways * g;
    bool blank = move_is_blank(&s->memory, in_set, all);

    for (unsigned k = 0; k < ways; k++) {
        const CXLMedium *m = &s->shape.member[k].medium;
        MemoryRegionCache *b = m->memory;
        uint64_t offset = m->offset + row * g;
        uint8_t *a = s->memory.ptr + in_set + k * g;

        if ((kept && !m->write_back) ||
            (blank && move_is_blank(b, offset, n * g))) {
            continue;
        }
        for (uint64_t i = 0; i < n; i++, a += ways * g) {
            uint8_t *c = b->ptr + offset + i * g;

            memcpy(to_set ? a : c, to_set ? c : a, g);
        }
        if (!to_set) {
            address_space_cache_invalidate(b, offset, n * g);
        }
    }
    /*
     * Also when they leave: TCG finds translated code by the number of a byte
     * of RAM, and the next set gets the numbers of this one.
     */
    if (!kept) {
        address_space_cache_invalidate(&s->memory, in_set, all);
    }
}

/* Pages of a place that nothing is in any more, between two marks */
static void move_give_back(MemoryRegionCache *c, uint64_t from, uint64_t to)
{
    if (from < to && !ram_block_discard_is_disabled() &&
        !ram_block_discard_range(c->mrs.mr->ram_block, from, to - from)) {
        /* Code that was translated from there is not there any more */
        address_space_cache_invalidate(c, from, to - from);
    }
}

/* @row to @row + @n have left the backends; rows below them had before */
static void move_give_back_backends(CXLSet *s, uint64_t row, uint64_t n)
{
    unsigned g = s->shape.granularity;

    for (unsigned k = 0; k < s->shape.ways; k++) {
        const CXLMedium *m = &s->shape.member[k].medium;
        uint64_t page = qemu_ram_pagesize(m->memory->mrs.mr->ram_block);
        uint64_t piece = MAX(page, PIECE);
        uint64_t from = ROUND_DOWN(m->offset + row * g, piece);
        uint64_t to = m->offset + (row + n) * g;

        if (m->may_drop) {
            move_give_back(m->memory, MAX(from, ROUND_UP(m->offset, page)),
                           ROUND_DOWN(to, row + n == s->rows ? page : piece));
        }
    }
}

/* @row to @row + @n have left the set; rows above them had before */
static void move_give_back_set(CXLSet *s, uint64_t row, uint64_t n)
{
    uint64_t size = (uint64_t)s->shape.ways * s->shape.granularity;

    move_give_back(&s->memory, ROUND_UP(row * size, PIECE),
                   MIN(ROUND_UP((row + n) * size, PIECE),
                       ROUND_DOWN(s->len, qemu_real_host_page_size())));
}

/*
 * Rows of @bytes, at least one, and of each device in whole pages: what shares
 * a page with the next rows would make these look as if they were written.
 */
static uint64_t move_rows_of(const CXLSet *s, uint64_t bytes)
{
    unsigned g = s->shape.granularity;

    return ROUND_DOWN(bytes / (s->shape.ways * g),
                      MAX(qemu_real_host_page_size() / g, 1));
}

static void move_step(CXLSet *s)
{
    uint64_t left = s->wanted ? s->rows - s->moved : s->moved;
    uint64_t n = MIN(left, move_rows_of(s, STRIDE));
    uint64_t row = s->wanted ? s->moved : s->moved - n;

    if (move_rows_are_there(s, row, n)) {
        n = MIN(left, move_rows_of(s, STEP));
        row = s->wanted ? s->moved : s->moved - n;
        move_copy_rows(s, row, n, false, s->wanted);
        if (s->wanted) {
            move_give_back_backends(s, row, n);
        } else {
            move_give_back_set(s, row, n);
        }
    }
    s->moved = s->wanted ? row + n : row;
}

static bool move_is_done(const CXLSet *s)
{
    return s->moved == (s->wanted ? s->rows : 0);
}

/* A set that has moved back; devices may have waited for that */
static void move_leave(CXLDirect *d, CXLSet *s)
{
    object_ref(OBJECT(s));
    cxl_set_remove(d, s);
    for (unsigned k = 0; k < s->shape.ways; k++) {
        s->shape.member[k].ops->left_set(s->shape.member[k].device);
    }
    object_unref(OBJECT(s));
}

/* -- slices --------------------------------------------------------------- */

/* All have flushed what they knew of the map before, also under TCG */
static bool move_cpus_have_the_map(void)
{
    CPUState *cpu;

    CPU_FOREACH(cpu) {
        if (!cpu_work_list_empty(cpu)) {
            return false;
        }
    }
    return true;
}

/* Maps that have it, processors that hold these maps, DMA that goes on */
static bool move_is_in_use(CXLSet *s)
{
    return qatomic_read(&OBJECT(s)->ref) > 1;
}

/* A map is forgotten when each processor has stopped for a moment */
static void move_kick_cpus(void)
{
    CPUState *cpu;

    CPU_FOREACH(cpu) {
        qemu_cpu_kick(cpu);
    }
}

static void move_pause_timer(CXLDirect *d)
{
    timer_mod(d->timer, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + PAUSE_MS);
}

static void move_slice(void *opaque)
{
    CXLDirect *d = opaque;
    int64_t end = get_clock() + SLICE_NS;
    bool map = false, left = false, again = false;
    CXLSet *s, *next;

    if (!move_cpus_have_the_map() || runstate_check(RUN_STATE_INMIGRATE) ||
        migration_in_incoming_postcopy()) {
        move_pause_timer(d);
        return;
    }
    QTAILQ_FOREACH_SAFE(s, &d->set, next, next) {
        if (!s->wanted && move_is_in_use(s)) {
            move_kick_cpus();
            again = true;
            continue;
        }
        while (!move_is_done(s) && get_clock() < end) {
            move_step(s);
        }
        trace_cxl_set_slice(s->len, s->moved, s->rows, s->wanted);
        again = again || !move_is_done(s);
        if (s->wanted &&
            (s->moved - s->mapped) * s->shape.ways * s->shape.granularity >=
            (move_is_done(s) ? 1 : STRETCH)) {
            s->mapped = s->moved;
            map = true;
        }
        if (!s->wanted && move_is_done(s)) {
            move_leave(d, s);
            left = true;
        }
    }
    /* Bytes are elsewhere now */
    d->state->generation++;
    if (left) {
        cxl_direct_topology_changed();
    } else if (map) {
        cxl_direct_update();
    }
    if (again) {
        move_pause_timer(d);
    }
}

/*
 * Nobody waits here for processors that have an old map: what they store went
 * to a device that is gone, or they stand, as they do when streams are made.
 */
void cxl_sets_settle(void)
{
    CXLDirect *d = cxl_direct();
    bool left = false;
    CXLSet *s, *next;

    if (!d) {
        return;
    }
    QTAILQ_FOREACH_SAFE(s, &d->set, next, next) {
        if (s->wanted) {
            continue;
        }
        while (!move_is_done(s)) {
            move_step(s);
        }
        move_leave(d, s);
        left = true;
    }
    if (left) {
        cxl_direct_topology_changed();
    }
}

/* -- files that others look at -------------------------------------------- */

/*
 * All that is in guest order is copied, for nothing tells what was written; it
 * stays there.  QEMU waits for it: processors stand anyhow.
 */
static void move_write_back(CXLDirect *d)
{
    CXLSet *s;

    if (cxl_backends_are_of_another()) {
        return;
    }
    QTAILQ_FOREACH(s, &d->set, next) {
        uint64_t n, most = move_rows_of(s, STEP);

        for (uint64_t row = 0; row < s->moved; row += n) {
            n = MIN(most, s->moved - row);
            move_copy_rows(s, row, n, true, false);
        }
    }
}

/* -- streams -------------------------------------------------------------- */

/*
 * Stopped, with all devices, and what they had begun is done.  Without the lock
 * of the block layer it would be done a moment later.
 */
static void move_vm_changed(void *opaque, bool running, RunState now)
{
    CXLDirect *d = opaque;

    if (running && d->later) {
        cxl_direct_topology_changed();
    } else if (!running && d->hold) {
        bdrv_drain_all();
        cxl_sets_settle();
    } else if (!running) {
        move_write_back(d);
    }
}

/* After it, devices overwrite in backends what they still have to */
static void move_qemu_ends(Notifier *n, void *data)
{
    CXLDirect *d = container_of(n, CXLDirect, exit);
    CXLSet *s;

    move_write_back(d);
    QTAILQ_FOREACH(s, &d->set, next) {
        s->moved = 0;
    }
}

static int move_stream_changed(NotifierWithReturn *n, void *data, Error **errp)
{
    CXLDirect *d = container_of(n, CXLDirect, stream);
    PrecopyNotifyData *what = data;

    if (what->reason == PRECOPY_NOTIFY_SETUP ||
        what->reason == PRECOPY_NOTIFY_CLEANUP) {
        d->hold = what->reason == PRECOPY_NOTIFY_SETUP;
        cxl_direct_topology_changed();
        if (d->hold && !runstate_is_live(runstate_get())) {
            cxl_sets_settle();
        }
    }
    return 0;
}

void cxl_sets_start(CXLDirect *d)
{
    QTAILQ_INIT(&d->set);
    d->timer = timer_new_ms(QEMU_CLOCK_REALTIME, move_slice, d);
    d->stream.notify = move_stream_changed;
    precopy_add_notifier(&d->stream);
    d->exit.notify = move_qemu_ends;
    qemu_add_exit_notifier(&d->exit);
    /* The last one to hear that the machine stops */
    qemu_add_vm_change_state_handler_prio(move_vm_changed, d, INT_MIN);
}
