/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL Type 3 memory device: what became of offers and of accepted dynamic
 * capacity, told to the monitor (CXL r3.2 8.2.10.9.9.3, 8.2.10.9.9.4)
 *
 * A host can answer as fast as it likes, and may even hand itself the capacity
 * that it answers about; a client of the monitor must not be flooded by it.
 * Beyond a rate, events are counted instead of sent, and one event at the end
 * of the second tells their number: a Fabric Manager then asks for the state.
 * The base's own limit keeps only the last event, whatever device it is of.
 */
#include "qemu/osdep.h"
#include "qapi/qapi-events-cxl.h"
#include "migration/vmstate.h"
#include "cxl_type3_internal.h"
#include "hw/cxl/trace.h"

/* Events of one device in one second of the guest's time */
#define EVENTS_MAX          1000

CxlDynamicCapacityRange *cxl_type3_dc_range(const CXLType3Dev *d,
                                            const CXLDCExtent *e)
{
    CxlDynamicCapacityRange *r = g_new0(CxlDynamicCapacityRange, 1);
    int region = cxl_dc_region_of(d->dc, e->dpa, e->len);

    r->dpa = e->dpa;
    r->len = e->len;
    if (!qemu_uuid_is_null(&e->tag)) {
        r->tag = qemu_uuid_unparse_strdup(&e->tag);
    }
    if (region >= 0 && d->dc_config.region[region].sharable) {
        r->has_sequence = true;
        r->sequence = e->seq;
    }
    return r;
}

/* -- how many ------------------------------------------------------------- */

static void tell_of_lost(void *opaque)
{
    CXLType3Dev *d = opaque;
    CXLType3Tell *t = &d->tell;
    g_autofree char *path = object_get_canonical_path(OBJECT(d));
    uint64_t lost = t->lost;

    t->sent = 0;
    t->lost = 0;
    trace_cxl_type3_dc_untold(DEVICE(d)->id, lost);
    qapi_event_send_cxl_dynamic_capacity_untold(DEVICE(d)->id, path, lost);
}

static void await_end(CXLType3Dev *d)
{
    CXLType3Tell *t = &d->tell;

    if (!t->timer) {
        t->timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, tell_of_lost, d);
    }
    timer_mod_ns(t->timer, t->since + NANOSECONDS_PER_SECOND);
}

/* May one more event be sent?  If not, it is counted */
static bool may_tell(CXLType3Dev *d)
{
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    CXLType3Tell *t = &d->tell;

    if (!t->lost && (!t->sent || now - t->since >= NANOSECONDS_PER_SECOND)) {
        t->since = now;
        t->sent = 0;
    }
    if (!t->lost && t->sent < EVENTS_MAX) {
        t->sent++;
        return true;
    }
    if (!t->lost++) {
        await_end(d);
    }
    return false;
}

/**
 * struct CXLType3Report - what became of capacity, until the monitor hears it
 * @extents: the first of them
 * @n: number of all
 */
typedef struct CXLType3Report {
    CXLDCOutcome what;
    CxlDynamicCapacityReason why;
    uint16_t host;
    size_t n;
    CxlDynamicCapacityRangeList *extents;
} CXLType3Report;

static void report_free(gpointer opaque)
{
    CXLType3Report *r = opaque;

    qapi_free_CxlDynamicCapacityRangeList(r->extents);
    g_free(r);
}

/* Nobody was told yet of what is counted: where the machine goes on, it is */
static int tell_post_load(void *opaque, int version_id)
{
    CXLType3Tell *t = opaque;

    t->sent = 0;
    t->since = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    if (t->lost) {
        await_end(container_of(t, CXLType3Dev, tell));
    } else if (t->timer) {
        timer_del(t->timer);
    }
    return 0;
}

const VMStateDescription vmstate_cxl_type3_tell = {
    .name = "cxl-type3-tell",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = tell_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(lost, CXLType3Tell),
        VMSTATE_END_OF_LIST()
    },
};

/* -- what ----------------------------------------------------------------- */

static void tell_next(void *opaque)
{
    CXLType3Dev *d = opaque;
    CXLType3Report *r = g_queue_pop_head(&d->tell.queue);
    const char *id = DEVICE(d)->id;
    g_autofree char *path = object_get_canonical_path(OBJECT(d));

    if (!r) {
        return;
    }
    if (!g_queue_is_empty(&d->tell.queue)) {
        device_deferred_raise(&d->tell.deferred);
    }
    switch (r->what) {
    case CXL_DC_ACCEPTED:
        qapi_event_send_cxl_dynamic_capacity_accepted(id, path, r->host, r->n,
                                                      r->extents);
        break;
    case CXL_DC_REFUSED:
        qapi_event_send_cxl_dynamic_capacity_refused(id, path, r->host, r->why,
                                                     r->n, r->extents);
        break;
    case CXL_DC_RELEASED:
        qapi_event_send_cxl_dynamic_capacity_released(id, path, r->host,
                                                      r->why, r->n,
                                                      r->extents);
        break;
    }
    report_free(r);
}

static CxlDynamicCapacityReason reason_to_qapi(CXLDCReason why)
{
    switch (why) {
    case CXL_DC_BY_HOST:
        return CXL_DYNAMIC_CAPACITY_REASON_HOST;
    case CXL_DC_BY_ERROR:
        return CXL_DYNAMIC_CAPACITY_REASON_FAILED_ANSWER;
    case CXL_DC_BY_FM:
        return CXL_DYNAMIC_CAPACITY_REASON_FABRIC_MANAGER;
    case CXL_DC_BY_RESET:
        return CXL_DYNAMIC_CAPACITY_REASON_RESET;
    default:
        g_assert_not_reached();
    }
}

/*
 * What waits is not part of the state: it happened here, and the monitor that
 * hears of it is the one of here.
 */
void cxl_type3_dc_report(void *opaque, uint16_t host, CXLDCOutcome what,
                         CXLDCReason why, const CXLDCExtent *extents, size_t n)
{
    static const char *const words[] = {
        [CXL_DC_ACCEPTED] = "accepted",
        [CXL_DC_REFUSED] = "refused",
        [CXL_DC_RELEASED] = "released",
    };
    CXLType3Dev *d = opaque;
    CxlDynamicCapacityReason reason = reason_to_qapi(why);
    CxlDynamicCapacityRangeList **tail;
    CXLType3Report *r;
    size_t i;

    trace_cxl_type3_dc_report(DEVICE(d)->id, host, words[what],
                              CxlDynamicCapacityReason_str(reason), n);
    if (!may_tell(d)) {
        return;
    }
    r = g_new0(CXLType3Report, 1);
    r->what = what;
    r->why = reason;
    r->host = host;
    r->n = n;
    tail = &r->extents;
    for (i = 0; i < MIN(n, CXL_DC_REPORT_EXTENTS); i++) {
        QAPI_LIST_APPEND(tail, cxl_type3_dc_range(d, &extents[i]));
    }
    g_queue_push_tail(&d->tell.queue, r);
    device_deferred_raise(&d->tell.deferred);
}

/* -- life ----------------------------------------------------------------- */

void cxl_type3_dc_tell_init(CXLType3Dev *d)
{
    device_deferred_init(&d->tell.deferred, OBJECT(d), tell_next, d);
}

void cxl_type3_dc_tell_exit(CXLType3Dev *d)
{
    CXLType3Tell *t = &d->tell;

    device_deferred_cancel(&t->deferred);
    g_clear_pointer(&t->timer, timer_free);
    g_queue_clear_full(&t->queue, report_free);
    t->since = 0;
    t->sent = 0;
    t->lost = 0;
}
