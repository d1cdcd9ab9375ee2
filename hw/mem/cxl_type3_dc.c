/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL Type 3 memory device: dynamic capacity regions from properties, and what
 * the model's decisions do to the device and the monitor (CXL r3.2 9.13.3,
 * 8.2.10.9.9.3, 8.2.10.9.9.4)
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/qapi-events-cxl.h"
#include "qemu/error-report.h"
#include "migration/vmstate.h"
#include "cxl_type3_internal.h"
#include "trace.h"

/* -- geometry ------------------------------------------------------------- */

bool cxl_type3_dc_configure(CXLType3Dev *d, Error **errp)
{
    const CXLDCGeometry geometry = {
        .owner = TYPE_CXL_TYPE3,
        .backend = "volatile-dc-memdev",
        .size = d->dcmem.size,
        .base = d->vmem.size + d->pmem.size,
        .nr_regions = d->nr_dc_regions,
        .max_extents = d->dc_max_extents,
        .props = d->dc_prop,
    };

    d->dc_config = (CXLDCConfig) {
        .nr_hosts = 1,
        .nr_regions = d->nr_dc_regions,
        .max_extents = d->dc_max_extents,
        .max_tags = d->dc_max_tags,
    };
    if ((d->nr_dc_regions || d->pool) && geometry.base % CXL_DC_GRANULE) {
        error_setg(errp, "DC region base not aligned to 0x%" PRIx64 ": "
                   "volatile-memdev and persistent-memdev have 0x%" PRIx64
                   " bytes together, make that a multiple of 256 MiB",
                   (uint64_t)CXL_DC_GRANULE, geometry.base);
        return false;
    }
    if (d->pool) {
        cxl_type3_pool_configure(d, geometry.base);
        return true;
    }
    if (!cxl_dc_geometry(&geometry, &d->dc_config, d->dc_offset, errp)) {
        return false;
    }
    if (!d->nr_dc_regions && d->dcmem.hostmem) {
        warn_report("cxl-type3: property 'volatile-dc-memdev' is not used "
                    "because 'num-dc-regions' is 0");
    }
    return true;
}

int cxl_type3_dc_region_of(const CXLType3Dev *d, uint64_t dpa, uint64_t len)
{
    return cxl_dc_region_of(d->dc, dpa - cxl_dc_host_base(d->dc,
                                                          d->mem->host_id),
                            len);
}

/**
 * cxl_type3_dc_backend_offset() - where capacity lies in the backend
 * Return: false if the range is not inside one region
 */
bool cxl_type3_dc_backend_offset(const CXLType3Dev *d, uint64_t dpa,
                                 uint64_t len, uint64_t *offset)
{
    int region = d->dc ? cxl_type3_dc_region_of(d, dpa, len) : -1;

    if (region < 0) {
        return false;
    }
    *offset = d->dc_offset[region] + (dpa - d->dc_config.region[region].base);
    return true;
}

/* Events of one device in one second of the guest's time */
#define EVENTS_MAX          1000

CxlDynamicCapacityRange *cxl_type3_dc_range(const CXLDynCap *dc, uint16_t host,
                                            const CXLDCExtent *e)
{
    CxlDynamicCapacityRange *r = g_new0(CxlDynamicCapacityRange, 1);
    int region = cxl_dc_region_of(dc, e->dpa - cxl_dc_host_base(dc, host),
                                  e->len);

    r->dpa = e->dpa;
    r->len = e->len;
    if (!qemu_uuid_is_null(&e->tag)) {
        r->tag = qemu_uuid_unparse_strdup(&e->tag);
    }
    if (region >= 0 && cxl_dc_region(dc, region)->sharable) {
        r->has_sequence = true;
        r->sequence = e->seq;
    }
    return r;
}

/* -- monitor events: how many ---------------------------------------------- */

/*
 * A host can answer as fast as it likes, and may even hand itself the capacity
 * that it answers about; a client of the monitor must not be flooded by it.
 * Beyond a rate, events are counted instead of sent, and one event at the end
 * of the second tells their number: a Fabric Manager then asks for the state.
 * The base's own limit keeps only the last event, whatever device it is of.
 */

static void dc_report_dropped(void *opaque)
{
    CXLType3Dev *d = opaque;
    CXLType3Reports *t = &d->reports;
    g_autofree char *path = object_get_canonical_path(OBJECT(d));
    uint64_t lost = t->lost;

    t->sent = 0;
    t->lost = 0;
    trace_cxl_type3_dc_events_dropped(DEVICE(d)->id, lost);
    qapi_event_send_cxl_dynamic_capacity_events_dropped(DEVICE(d)->id, path,
                                                        lost);
}

static void dc_await_end(CXLType3Dev *d)
{
    CXLType3Reports *t = &d->reports;

    if (!t->timer) {
        t->timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, dc_report_dropped, d);
    }
    timer_mod_ns(t->timer, t->since + NANOSECONDS_PER_SECOND);
}

/* May one more event be sent?  If not, it is counted */
static bool dc_report_allowed(CXLType3Dev *d)
{
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    CXLType3Reports *t = &d->reports;

    if (!t->lost && (!t->sent || now - t->since >= NANOSECONDS_PER_SECOND)) {
        t->since = now;
        t->sent = 0;
    }
    if (!t->lost && t->sent < EVENTS_MAX) {
        t->sent++;
        return true;
    }
    if (!t->lost++) {
        dc_await_end(d);
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

static void dc_report_free(gpointer opaque)
{
    CXLType3Report *r = opaque;

    qapi_free_CxlDynamicCapacityRangeList(r->extents);
    g_free(r);
}

/* Nobody was told yet of what is counted: where the machine goes on, it is */
static int dc_reports_post_load(void *opaque, int version_id)
{
    CXLType3Reports *t = opaque;

    t->sent = 0;
    t->since = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    if (t->lost) {
        dc_await_end(container_of(t, CXLType3Dev, reports));
    } else if (t->timer) {
        timer_del(t->timer);
    }
    return 0;
}

const VMStateDescription vmstate_cxl_type3_reports = {
    .name = "cxl-type3-reports",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = dc_reports_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(lost, CXLType3Reports),
        VMSTATE_END_OF_LIST()
    },
};

/* -- monitor events: what -------------------------------------------------- */

static void dc_report_next(void *opaque)
{
    CXLType3Dev *d = opaque;
    CXLType3Report *r = g_queue_pop_head(&d->reports.queue);
    const char *id = DEVICE(d)->id;
    g_autofree char *path = object_get_canonical_path(OBJECT(d));

    if (!r) {
        return;
    }
    if (!g_queue_is_empty(&d->reports.queue)) {
        device_deferred_raise(&d->reports.deferred);
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
    dc_report_free(r);
}

static CxlDynamicCapacityReason dc_reason_to_qapi(CXLDCReason why)
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
static void dc_report(void *opaque, uint16_t host, CXLDCOutcome what,
                      CXLDCReason why, const CXLDCExtent *extents, size_t n)
{
    static const char *const words[] = {
        [CXL_DC_ACCEPTED] = "accepted",
        [CXL_DC_REFUSED] = "refused",
        [CXL_DC_RELEASED] = "released",
    };
    CXLType3Dev *d = opaque;
    CxlDynamicCapacityReason reason = dc_reason_to_qapi(why);
    CxlDynamicCapacityRangeList **tail;
    CXLType3Report *r;
    size_t i;

    trace_cxl_type3_dc_report(DEVICE(d)->id, host, words[what],
                              CxlDynamicCapacityReason_str(reason), n);
    if (!dc_report_allowed(d)) {
        return;
    }
    r = g_new0(CXLType3Report, 1);
    r->what = what;
    r->why = reason;
    r->host = host;
    r->n = n;
    tail = &r->extents;
    for (i = 0; i < MIN(n, CXL_DC_REPORT_EXTENTS); i++) {
        QAPI_LIST_APPEND(tail, cxl_type3_dc_range(d->dc, host, &extents[i]));
    }
    g_queue_push_tail(&d->reports.queue, r);
    device_deferred_raise(&d->reports.deferred);
}

/* -- consequences --------------------------------------------------------- */

static uint32_t dc_log_space(void *opaque, uint16_t host)
{
    CXLType3Dev *d = opaque;

    return cxl_event_room(d->mem->events, CXL_EVENT_LOG_DYNCAP);
}

static void dc_log(void *opaque, const CXLDCEvent *event)
{
    static const char *const types[] = {
        [CXL_DC_EV_ADD] = "add",
        [CXL_DC_EV_RELEASE] = "release",
        [CXL_DC_EV_FORCED_RELEASE] = "forced release",
        [CXL_DC_EV_REGION_UPDATED] = "region updated",
        [CXL_DC_EV_ADD_RESPONSE] = "accepted",
        [CXL_DC_EV_RELEASED] = "released",
    };
    CXLType3Dev *d = opaque;
    bool logged = cxl_memdev_log_dc(d->mem, event);

    trace_cxl_type3_dc_record(DEVICE(d)->id, types[event->type],
                              event->extent.dpa, event->extent.len,
                              event->more, logged);
}

/* Who does DMA to memory takes it before the host hears that it may */
static bool dc_reserve(void *opaque, uint16_t host, const CXLDCRange *range,
                       const uint64_t *media, size_t n)
{
    CXLType3Dev *d = opaque;

    if (!ram_block_discard_is_disabled() ||
        cxl_type3_direct_reserve(d, range, media, n)) {
        return true;
    }
    trace_cxl_type3_dc_no_dma(DEVICE(d)->id, host, n);
    return false;
}

static void dc_access(void *opaque, uint16_t host, const CXLDCRange *range,
                      bool on)
{
    CXLType3Dev *d = opaque;

    trace_cxl_type3_dc_access(DEVICE(d)->id, host, range->dpa, range->len, on);
    cxl_type3_direct_access(d, range, on);
}

static void dc_sanitize(void *opaque, const CXLDCRange *range)
{
    CXLType3Dev *d = opaque;

    trace_cxl_type3_dc_sanitize(DEVICE(d)->id, range->dpa, range->len);
    cxl_type3_wipe(d, range->dpa, range->len);
}

static void dc_commit(void *opaque)
{
    cxl_type3_direct_settle(opaque);
    cxl_type3_wipe_begin(opaque);
}

static const CXLDCOps cxl_type3_dc_ops = {
    .log_space = dc_log_space,
    .reserve = dc_reserve,
    .access = dc_access,
    .commit = dc_commit,
    .sanitize = dc_sanitize,
    .log = dc_log,
    .report = dc_report,
};

/* -- life ----------------------------------------------------------------- */

static void dc_reports_exit(CXLType3Dev *d)
{
    CXLType3Reports *t = &d->reports;

    device_deferred_cancel(&t->deferred);
    g_clear_pointer(&t->timer, timer_free);
    g_queue_clear_full(&t->queue, dc_report_free);
    t->since = 0;
    t->sent = 0;
    t->lost = 0;
}

bool cxl_type3_dc_realize(CXLType3Dev *d, Error **errp)
{
    if (!d->nr_dc_regions && !d->pool) {
        return true;
    }
    device_deferred_init(&d->reports.deferred, OBJECT(d), dc_report_next, d);
    if (d->pool) {
        d->mem->host_id = d->head;
        if (!cxl_type3_pool_realize(d, &cxl_type3_dc_ops, errp)) {
            return false;
        }
        d->mem->dc = d->dc;
        return true;
    }
    d->dc = cxl_dc_new(&d->dc_config, &cxl_type3_dc_ops, d, errp);
    d->mem->dc = d->dc;
    return d->dc != NULL;
}

void cxl_type3_dc_exit(CXLType3Dev *d)
{
    if (d->pool) {
        /* What leaves the host with its head is told while there is a head */
        cxl_type3_pool_exit(d);
        while (!g_queue_is_empty(&d->reports.queue)) {
            dc_report_next(d);
        }
    }
    dc_reports_exit(d);
    d->mem->dc = NULL;
    g_clear_pointer(&d->dc, cxl_dc_free);
}

void cxl_type3_dc_forget(CXLType3Dev *d)
{
    dc_reports_exit(d);
    if (d->dc && !d->pool) {
        cxl_dc_forget(d->dc);
    }
}

void cxl_type3_dc_reset(CXLType3Dev *d)
{
    if (d->pool && d->dc) {
        cxl_pool_reset_head(d->pool, d->head);
    } else if (d->dc) {
        cxl_dc_reset_host(d->dc, d->mem->host_id);
    }
}
