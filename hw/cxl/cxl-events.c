/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event logs (CXL r3.2 8.2.10.2) and timestamp (8.2.10.4)
 *
 * Records leave a log only from its old end and handles are given in order, so
 * the handles in a log are always an unbroken run that ends before next_handle.
 * Clear Event Records is checked against that run, and so is a migration
 * stream.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/host-utils.h"
#include "qemu/timer.h"
#include "migration/qemu-file-types.h"
#include "migration/vmstate.h"
#include "hw/cxl/cxl_events.h"
#include "hw/cxl/cxl_fault.h"
#include "trace.h"

/* First allocation: most logs never hold more than a handful of records */
#define RING_MIN        8

/* Settings byte of 0102h/0103h: 0 off, 1 MSI, 2 firmware (not for log 4) */
#define POLICY_FIRMWARE 2

/* General Media record */
#define GM_DPA          0x30
#define GM_DESCRIPTOR   0x38
#define GM_UNCORRECTABLE    1
#define GM_TYPE         0x39
#define GM_TRANSACTION  0x3a

const QemuUUID cxl_event_uuid_general_media = {
    .data = UUID(0xfbcd0a77, 0xc260, 0x417f,
                 0x85, 0xa9, 0x08, 0x8b, 0x16, 0x21, 0xeb, 0xa6),
};

const QemuUUID cxl_event_uuid_dram = {
    .data = UUID(0x601dcbb3, 0x9c06, 0x4eab,
                 0xb8, 0xaf, 0x4e, 0x9b, 0xfb, 0x5c, 0x96, 0x24),
};

const QemuUUID cxl_event_uuid_memory_module = {
    .data = UUID(0xfe927475, 0xdd59, 0x4339,
                 0xa5, 0x86, 0x79, 0xba, 0xb1, 0x13, 0xb7, 0x74),
};

const QemuUUID cxl_event_uuid_memory_sparing = {
    .data = UUID(0xe71f3a40, 0x2d29, 0x4092,
                 0x8a, 0x39, 0x4d, 0x1c, 0x96, 0x6c, 0x7c, 0x65),
};

const QemuUUID cxl_event_uuid_dynamic_capacity = {
    .data = UUID(0xca95afa7, 0xf183, 0x4018,
                 0x8c, 0x2f, 0x95, 0x26, 0x8e, 0x10, 0x1a, 0x2a),
};

/* -- timestamp ---------------------------------------------------------- */

void cxl_timestamp_set(CXLTimestamp *t, uint64_t ns)
{
    t->is_set = true;
    t->host_ns = ns;
    t->set_at_ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

uint64_t cxl_timestamp_get(const CXLTimestamp *t)
{
    if (!t->is_set) {
        return 0;
    }
    return t->host_ns +
           (uint64_t)qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) -
           (uint64_t)t->set_at_ns;
}

const VMStateDescription vmstate_cxl_timestamp = {
    .name = "cxl-timestamp",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_BOOL(is_set, CXLTimestamp),
        VMSTATE_UINT64(host_ns, CXLTimestamp),
        VMSTATE_INT64(set_at_ns, CXLTimestamp),
        VMSTATE_END_OF_LIST()
    }
};

/* -- one log ------------------------------------------------------------ */

static uint16_t event_handle_after(uint16_t handle)
{
    return handle == UINT16_MAX ? 1 : handle + 1;
}

static CXLEventRecord *event_slot(const CXLEventLog *g, uint32_t index)
{
    return &g->ring[(g->head + index) & (g->allocated - 1)];
}

static uint16_t event_record_handle(const CXLEventRecord *r)
{
    return lduw_le_p(r->b + CXL_EVENT_OFF_HANDLE);
}

/* Room for @want records (at most the depth), the oldest at the ring's start */
static void ring_grow(CXLEventLog *g, uint32_t want)
{
    CXLEventRecord *ring;
    uint32_t size, i;

    if (want <= g->allocated) {
        return;
    }
    size = MAX(pow2ceil(want), RING_MIN);
    ring = g_new(CXLEventRecord, size);
    for (i = 0; i < g->count; i++) {
        ring[i] = *event_slot(g, i);
    }
    g_free(g->ring);
    g->ring = ring;
    g->allocated = size;
    g->head = 0;
}

static void log_forget_overflow(CXLEventLog *g)
{
    g->overflow_count = 0;
    g->overflow_first_ns = 0;
    g->overflow_last_ns = 0;
}

static void log_drop_oldest(CXLEventLog *g, uint32_t n)
{
    g->count -= n;
    g->head = g->count ? (g->head + n) & (g->allocated - 1) : 0;
    log_forget_overflow(g);
}

/* -- the set of logs ---------------------------------------------------- */

void cxl_events_init(CXLEventLogs *l, const uint32_t depth[CXL_EVENT_LOGS],
                     const CXLTimestamp *clock, CXLEventNotify *notify,
                     void *opaque)
{
    int i;

    *l = (CXLEventLogs) {
        .clock = clock,
        .notify = notify,
        .opaque = opaque,
    };
    for (i = 0; i < CXL_EVENT_LOGS; i++) {
        g_assert(depth[i] && depth[i] <= UINT16_MAX);
        l->log[i].depth = depth[i];
        l->log[i].next_handle = 1;
    }
}

void cxl_events_destroy(CXLEventLogs *l)
{
    int i;

    for (i = 0; i < CXL_EVENT_LOGS; i++) {
        CXLEventLog *g = &l->log[i];

        g_clear_pointer(&g->ring, g_free);
        g->allocated = 0;
        g->count = 0;
        g->head = 0;
    }
}

void cxl_events_forget(CXLEventLogs *l)
{
    int i;

    for (i = 0; i < CXL_EVENT_LOGS; i++) {
        l->log[i].policy = 0;
        l->log[i].next_handle = 1;
        cxl_event_forget(l, i);
    }
}

void cxl_events_watch(CXLEventLogs *l, Notifier *n)
{
    notifier_list_add(&l->watchers, n);
}

/* Nobody listens any more; what errors say is true all the same */
void cxl_events_reset(CXLEventLogs *l)
{
    int i;

    for (i = 0; i < CXL_EVENT_LOGS; i++) {
        l->log[i].policy = 0;
    }
    /* Offers ended with the reset, so must the records of them (9.13.3) */
    cxl_event_forget(l, CXL_EVENT_LOG_DYNCAP);
}

void cxl_event_record_init(CXLEventRecord *r, const QemuUUID *uuid,
                           uint32_t flags)
{
    memset(r, 0, sizeof(*r));
    memcpy(r->b, uuid->data, sizeof(uuid->data));
    r->b[CXL_EVENT_OFF_LENGTH] = CXL_EVENT_RECORD_SIZE;
    stw_le_p(r->b + CXL_EVENT_OFF_FLAGS, flags);
    r->b[CXL_EVENT_OFF_FLAGS + 2] = flags >> 16;
}

void cxl_event_general_media(CXLEventRecord *r, uint32_t flags, uint64_t dpa,
                             bool is_volatile, uint8_t type, uint8_t by)
{
    cxl_event_record_init(r, &cxl_event_uuid_general_media, flags);
    stq_le_p(r->b + GM_DPA, dpa | is_volatile);
    r->b[GM_DESCRIPTOR] = GM_UNCORRECTABLE;
    r->b[GM_TYPE] = type;
    r->b[GM_TRANSACTION] = by;
}

/* The timestamp is there, the handle is the log's affair */
static bool event_append_as_is(CXLEventLogs *l, CXLEventLogId log,
                               const CXLEventRecord *r, uint64_t now)
{
    CXLEventLog *g = &l->log[log];
    CXLEventRecord *at;

    if (g->count == g->depth) {
        if (!g->overflow_count) {
            g->overflow_first_ns = now;
        }
        g->overflow_last_ns = now;
        g->overflow_count += g->overflow_count < UINT16_MAX;
        trace_cxl_event_lost(l, cxl_event_log_name(log), g->overflow_count);
        return false;
    }

    ring_grow(g, g->count + 1);
    at = event_slot(g, g->count++);
    *at = *r;
    stw_le_p(at->b + CXL_EVENT_OFF_HANDLE, g->next_handle);
    g->next_handle = event_handle_after(g->next_handle);
    trace_cxl_event_appended(l, cxl_event_log_name(log),
                             event_record_handle(at), g->count);
    if (g->count == 1) {
        if (l->notify) {
            l->notify(l->opaque, log);
        }
        notifier_list_notify(&l->watchers, &log);
    }
    return true;
}

/* What a fault makes of a record @r: none, many, or one that is spoilt */
static bool event_append_faulty(CXLEventLogs *l, CXLEventLogId log,
                                CXLEventRecord *r, uint64_t now)
{
    CXLEventRecord last;
    unsigned times = cxl_fault_event(l->faults, log, r, &last);

    for (; times > 1; times--) {
        event_append_as_is(l, log, r, now);
    }
    return !times || event_append_as_is(l, log, &last, now);
}

bool cxl_event_append(CXLEventLogs *l, CXLEventLogId log,
                      const CXLEventRecord *r)
{
    uint64_t now = l->clock ? cxl_timestamp_get(l->clock) : 0;
    CXLEventRecord copy = *r;

    stq_le_p(copy.b + CXL_EVENT_OFF_TIMESTAMP, now);
    if (l->faults) {
        return event_append_faulty(l, log, &copy, now);
    }
    return event_append_as_is(l, log, &copy, now);
}

uint32_t cxl_event_count(const CXLEventLogs *l, CXLEventLogId log)
{
    return l->log[log].count;
}

uint32_t cxl_event_room(const CXLEventLogs *l, CXLEventLogId log)
{
    return l->log[log].depth - l->log[log].count;
}

const CXLEventRecord *cxl_event_at(const CXLEventLogs *l, CXLEventLogId log,
                                   uint32_t index)
{
    const CXLEventLog *g = &l->log[log];

    return index < g->count ? event_slot(g, index) : NULL;
}

CXLRetCode cxl_event_clear(CXLEventLogs *l, CXLEventLogId log,
                           const uint16_t *handles, size_t n)
{
    CXLEventLog *g = &l->log[log];
    size_t i;

    for (i = 0; i < n; i++) {
        uint16_t oldest = i < g->count ?
                          event_record_handle(event_slot(g, i)) : 0;

        if (!handles[i] || handles[i] != oldest) {
            trace_cxl_event_clear_refused(l, cxl_event_log_name(log),
                                          handles[i], oldest);
            return CXL_RC_INVALID_HANDLE;
        }
    }
    if (n) {
        log_drop_oldest(g, n);
        trace_cxl_event_cleared(l, cxl_event_log_name(log), n, g->count);
        notifier_list_notify(&l->drained, &log);
    }
    return CXL_RC_SUCCESS;
}

void cxl_event_forget(CXLEventLogs *l, CXLEventLogId log)
{
    CXLEventLog *g = &l->log[log];
    uint32_t n = g->count;

    log_drop_oldest(g, n);
    trace_cxl_event_cleared(l, cxl_event_log_name(log), n, 0);
    notifier_list_notify(&l->drained, &log);
}

const char *cxl_event_log_name(CXLEventLogId log)
{
    static const char *const names[CXL_EVENT_LOGS] = {
        [CXL_EVENT_LOG_INFO] = "informational",
        [CXL_EVENT_LOG_WARN] = "warning",
        [CXL_EVENT_LOG_FAIL] = "failure",
        [CXL_EVENT_LOG_FATAL_ERR] = "fatal",
        [CXL_EVENT_LOG_DYNCAP] = "dynamic capacity",
    };

    return names[log];
}

uint32_t cxl_event_status(const CXLEventLogs *l)
{
    uint32_t status = 0;
    int i;

    for (i = 0; i < CXL_EVENT_LOGS; i++) {
        if (l->log[i].count) {
            status |= 1u << i;
        }
    }
    return status;
}

/* -- migration ---------------------------------------------------------- */

/*
 * The ring travels as a count and that many records, oldest first.  A field of
 * its own kind, because the count must be checked before it sizes anything.
 */
static int ring_put(QEMUFile *f, void *pv, size_t size,
                    const VMStateField *field, JSONWriter *desc)
{
    CXLEventLog *g = pv;
    uint32_t i;

    qemu_put_be32(f, g->count);
    for (i = 0; i < g->count; i++) {
        qemu_put_buffer(f, event_slot(g, i)->b, CXL_EVENT_RECORD_SIZE);
    }
    return 0;
}

static int ring_get(QEMUFile *f, void *pv, size_t size,
                    const VMStateField *field)
{
    CXLEventLog *g = pv;
    uint32_t count = qemu_get_be32(f);
    uint32_t i;

    if (count > g->depth) {
        return -EINVAL;
    }
    g->count = 0;
    g->head = 0;
    ring_grow(g, count);
    for (i = 0; i < count; i++) {
        if (qemu_get_buffer(f, g->ring[i].b, CXL_EVENT_RECORD_SIZE) !=
            CXL_EVENT_RECORD_SIZE) {
            return -EINVAL;
        }
    }
    g->count = count;
    return 0;
}

static const VMStateInfo vmstate_info_ring = {
    .name = "cxl event ring",
    .get = ring_get,
    .put = ring_put,
};

static int log_post_load(void *opaque, int version_id)
{
    CXLEventLog *g = opaque;
    uint16_t expected;
    uint32_t i;

    if (!g->next_handle || (g->policy & ~3) || g->policy > POLICY_FIRMWARE ||
        (g->overflow_count && !g->count)) {
        return -EINVAL;
    }
    expected = g->count ? event_record_handle(event_slot(g, 0))
                        : g->next_handle;
    for (i = 0; i < g->count; i++) {
        if (!expected || event_record_handle(event_slot(g, i)) != expected) {
            return -EINVAL;
        }
        expected = event_handle_after(expected);
    }
    return expected == g->next_handle ? 0 : -EINVAL;
}

static const VMStateDescription vmstate_log = {
    .name = "cxl-event-log",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = log_post_load,
    .fields = (const VMStateField[]) {
        {
            .name = "ring",
            .info = &vmstate_info_ring,
            .size = sizeof(CXLEventLog),
            .flags = VMS_SINGLE,
            .offset = 0,
        },
        VMSTATE_UINT16(next_handle, CXLEventLog),
        VMSTATE_UINT16(overflow_count, CXLEventLog),
        VMSTATE_UINT64(overflow_first_ns, CXLEventLog),
        VMSTATE_UINT64(overflow_last_ns, CXLEventLog),
        VMSTATE_UINT8(policy, CXLEventLog),
        VMSTATE_END_OF_LIST()
    }
};

const VMStateDescription vmstate_cxl_events = {
    .name = "cxl-event-logs",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT_ARRAY(log, CXLEventLogs, CXL_EVENT_LOGS, 1,
                             vmstate_log, CXLEventLog),
        VMSTATE_END_OF_LIST()
    }
};
