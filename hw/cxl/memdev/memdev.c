/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A memory device: its models, and what they ask of each other: patrol scrub,
 * repair, alerts, the border between volatile and persistent capacity
 * (CXL r3.2 8.2.10.6, 8.2.10.7, 8.2.10.9; see cxl_memdev.h)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "migration/vmstate.h"
#include "hw/cxl/cxl_dc.h"
#include "hw/cxl/memdev/debug-log.h"
#include "hw/cxl/cxl_events.h"
#include "hw/cxl/memdev/features.h"
#include "hw/cxl/memdev/firmware.h"
#include "hw/cxl/memdev/health.h"
#include "hw/cxl/memdev/maintenance.h"
#include "hw/cxl/memdev/media.h"
#include "hw/cxl/cxl_memdev.h"
#include "hw/cxl/memdev/partition.h"
#include "hw/cxl/memdev/poison.h"
#include "hw/cxl/memdev/qos.h"
#include "hw/cxl/memdev/scrub.h"
#include "hw/cxl/memdev/security.h"
#include "hw/cxl/trace.h"

/* Capacity that the host does not hold is cleared in pieces of this size */
#define LOST_PIECE   (4 * KiB)

/** struct MemDevModels - what the pointers of @m point to */
typedef struct MemDevModels {
    CXLMemDev m;
    CXLTimestamp clock;
    CXLEventLogs events;
    CXLEventLogs fm_events;
    CXLPoison poison;
    CXLMediaState media;
    CXLFirmware firmware;
    CXLHealth health;
    CXLPartition partition;
    CXLSecurity security;
    CXLFeatures features;
    CXLScrub scrub;
    CXLMaintenance maintenance;
    CXLQoS qos;
    CXLHistory history;
    CXLDump dump;
} MemDevModels;

CXLMemDev *cxl_memdev_new(const CXLMemDevOps *ops, void *opaque)
{
    MemDevModels *all = g_new0(MemDevModels, 1);

    all->m = (CXLMemDev) {
        .ops = ops,
        .opaque = opaque,
        .clock = &all->clock,
        .events = &all->events,
        .fm_events = &all->fm_events,
        .poison = &all->poison,
        .media = &all->media,
        .firmware = &all->firmware,
        .health = &all->health,
        .partition = &all->partition,
        .security = &all->security,
        .features = &all->features,
        .scrub = &all->scrub,
        .maintenance = &all->maintenance,
        .qos = &all->qos,
        .history = &all->history,
        .dump = &all->dump,
    };
    return &all->m;
}

void cxl_memdev_free(CXLMemDev *m)
{
    g_free(container_of(m, MemDevModels, m));
}

/* -- capacity ------------------------------------------------------------- */

uint64_t cxl_memdev_volatile_size(const CXLMemDev *m)
{
    return m->config.volatile_size + m->partition->active;
}

uint64_t cxl_memdev_persistent_size(const CXLMemDev *m)
{
    return m->config.persistent_size - m->partition->active;
}

uint64_t cxl_memdev_static_size(const CXLMemDev *m)
{
    return m->config.volatile_size + m->config.persistent_size;
}

uint64_t cxl_memdev_end(const CXLMemDev *m)
{
    const CXLDCRegion *last;

    if (!m->dc) {
        return cxl_memdev_static_size(m);
    }
    last = cxl_dc_region(m->dc, cxl_dc_nr_regions(m->dc) - 1);
    return cxl_dc_host_base(m->dc, m->host_id) + last->base + last->decode_len;
}

bool cxl_memdev_accessible(const CXLMemDev *m, uint16_t host, uint64_t dpa,
                           uint64_t len, bool write)
{
    uint64_t fixed = cxl_memdev_static_size(m);
    CXLDCAccess may;

    if (dpa < fixed) {
        uint64_t n = MIN(len, fixed - dpa);

        dpa += n;
        len -= n;
    }
    if (!len) {
        return true;
    }
    if (!m->dc || dpa > UINT64_MAX - len) {
        return false;
    }
    may = cxl_dc_access(m->dc, host, dpa, len);
    return may == CXL_DC_ACCESS_OK ||
           (may == CXL_DC_ACCESS_READ_ONLY && !write);
}

uint64_t cxl_memdev_translate(const CXLMemDev *m, uint16_t host, uint64_t dpa,
                              uint64_t *media)
{
    uint64_t fixed = cxl_memdev_static_size(m), len;

    if (dpa < fixed) {
        *media = dpa;
        return fixed - dpa;
    }
    return m->dc && cxl_dc_translate(m->dc, host, dpa, media, &len) ? len : 0;
}

void cxl_memdev_set_media(CXLMemDev *m, CXLMediaStatus status)
{
    m->media_status = status;
    m->ops->map_changed(m->opaque);
}

/* -- the border between volatile and persistent capacity ------------------ */

static void memdev_partition_moved(CXLMemDev *m)
{
    cxl_security_cover(m->security, cxl_memdev_volatile_size(m),
                       cxl_memdev_persistent_size(m));
    m->ops->partition_moved(m->opaque);
}

void cxl_memdev_repartition(CXLMemDev *m)
{
    uint64_t dpa, len;

    if (!cxl_partition_change(m->partition, &dpa, &len)) {
        return;
    }
    /* Data must not come out from behind a passphrase as volatile memory */
    if (cxl_security_state(m->security) &
        (CXL_SECURITY_USER_SET | CXL_SECURITY_MASTER_SET)) {
        cxl_partition_drop(m->partition);
        return;
    }
    m->ops->wipe(m->opaque, dpa, len);
    m->ops->wipe_begin(m->opaque);
    cxl_poison_wipe(m->poison, dpa, len);
    cxl_partition_apply(m->partition);
    memdev_partition_moved(m);
    /* What a passphrase locks has moved along */
    m->ops->map_changed(m->opaque);
}

/* -- events --------------------------------------------------------------- */

/* A log is no longer empty: interrupt the host if it asked for that */
static void memdev_event_notify(void *opaque, CXLEventLogId log)
{
    CXLMemDev *m = opaque;

    if ((m->events->log[log].policy & 3) == 1) {
        m->ops->interrupt(m->opaque, m->events->msgnum[log]);
    }
}

/* The host sees an alert, and so does the Fabric Manager, who may arm it too */
static void memdev_alert(void *opaque, CXLEventLogId log,
                         const CXLEventRecord *r)
{
    CXLMemDev *m = opaque;

    cxl_event_append(m->events, log, r);
    cxl_event_append(m->fm_events, log, r);
}

/* Validity flag: both "left" fields hold something */
#define DC_REC_LEFT_VALID 1

void cxl_memdev_dc_record(CXLEventRecord *r, const CXLDCEvent *event)
{
    cxl_event_record_init(r, &cxl_event_uuid_dynamic_capacity, 0);
    r->b[CXL_DC_REC_TYPE] = event->type;
    r->b[CXL_DC_REC_VALIDITY] = DC_REC_LEFT_VALID;
    if (cxl_dc_event_is_for_fm(event->type)) {
        stw_le_p(r->b + CXL_DC_REC_HOST, event->host);
    }
    r->b[CXL_DC_REC_REGION] = event->region;
    r->b[CXL_DC_REC_MORE] = event->more;
    stq_le_p(r->b + CXL_DC_REC_DPA, event->extent.dpa);
    stq_le_p(r->b + CXL_DC_REC_LEN, event->extent.len);
    memcpy(r->b + CXL_DC_REC_TAG, event->extent.tag.data,
           sizeof(event->extent.tag.data));
    stw_le_p(r->b + CXL_DC_REC_SEQUENCE, event->extent.seq);
    stl_le_p(r->b + CXL_DC_REC_EXTENTS_LEFT, event->avail_extents);
    stl_le_p(r->b + CXL_DC_REC_TAGS_LEFT, event->avail_tags);
}

bool cxl_memdev_log_dc(CXLMemDev *m, const CXLDCEvent *event)
{
    bool fm = cxl_dc_event_is_for_fm(event->type);
    CXLEventRecord r;

    cxl_memdev_dc_record(&r, event);
    return cxl_event_append(fm ? m->fm_events : m->events,
                            CXL_EVENT_LOG_DYNCAP, &r);
}

/* -- patrol scrub and repair ---------------------------------------------- */

/* The host is told what it may use, the Fabric Manager what no host may */
static CXLEventLogs *memdev_logs_for(CXLMemDev *m, uint64_t dpa)
{
    if (dpa >= cxl_memdev_static_size(m) && m->dc &&
        cxl_dc_access(m->dc, m->host_id, dpa, CXL_POISON_LINE) ==
        CXL_DC_ACCESS_NONE) {
        return m->fm_events;
    }
    return m->events;
}

static void memdev_scrub_found(void *opaque, const CXLPoisonRange *range)
{
    CXLMemDev *m = opaque;
    CXLPoisonRange bad;
    CXLEventRecord r;

    if (cxl_memdev_media_disabled(m)) {
        return;
    }
    cxl_event_general_media(&r, CXL_EVENT_LOG_FAIL |
                            CXL_EVENT_FLAG_MAINTENANCE |
                            CXL_EVENT_FLAG_SUBCLASS, range->dpa,
                            range->dpa < cxl_memdev_volatile_size(m),
                            CXL_EVENT_GM_SCRUB_ECC, CXL_EVENT_BY_SCRUB);
    /* the smallest repair will do: a soft one, which is subclass 0 */
    r.b[CXL_EVENT_OFF_CLASS] = CXL_MAINTENANCE_PPR;
    cxl_event_append(memdev_logs_for(m, range->dpa), CXL_EVENT_LOG_FAIL, &r);
    cxl_maintenance_note(m->maintenance, range->dpa, range->len);

    /* A repair ends poison, so each turn finds the next piece */
    while (!m->poison->frozen &&
           cxl_poison_piece(m->poison, range->dpa, range->len, &bad) &&
           !cxl_security_denies(m->security, bad.dpa, CXL_POISON_LINE) &&
           cxl_poison_can_wipe(m->poison, bad.dpa, CXL_POISON_LINE) &&
           cxl_maintenance_auto(m->maintenance, bad.dpa)) {
        continue;
    }
}

/* Data that was poison is lost: zeroes, rather than what it once was */
static void memdev_zero_lost_data(CXLMemDev *m, uint64_t dpa, uint64_t len)
{
    while (len) {
        uint64_t media = dpa;
        uint64_t n = cxl_memdev_translate(m, m->host_id, dpa, &media) ?:
                     LOST_PIECE - dpa % LOST_PIECE;

        n = MIN(n, len);
        m->ops->wipe(m->opaque, media, n);
        dpa += n;
        len -= n;
    }
}

static void memdev_replaced(void *opaque, uint64_t dpa, uint64_t len)
{
    CXLMemDev *m = opaque;
    CXLPoisonRange bad;

    while (cxl_poison_piece(m->poison, dpa, len, &bad) &&
           cxl_poison_can_wipe(m->poison, bad.dpa, bad.len)) {
        memdev_zero_lost_data(m, bad.dpa, bad.len);
        cxl_poison_wipe(m->poison, bad.dpa, bad.len);
    }
    m->ops->wipe_begin(m->opaque);
}

static void memdev_maintenance_needed(void *opaque, bool needed)
{
    CXLMemDev *m = opaque;

    cxl_health_set_maintenance(m->health, needed);
}

static void memdev_log_repair(void *opaque, const CXLEventRecord *r)
{
    CXLMemDev *m = opaque;

    cxl_event_append(m->events, CXL_EVENT_LOG_INFO, r);
}

static const CXLMaintenanceOps memdev_maintenance_ops = {
    .replaced = memdev_replaced,
    .needed = memdev_maintenance_needed,
    .log = memdev_log_repair,
};

static void memdev_feature_changed(void *opaque, unsigned feature)
{
    CXLMemDev *m = opaque;
    const uint8_t *data = cxl_features_current(m->features, feature);

    if (feature == CXL_FEATURE_PATROL_SCRUB) {
        cxl_scrub_set(m->scrub, data[CXL_SCRUB_SET_ENABLE],
                      data[CXL_SCRUB_SET_HOURS]);
    }
}

/* -- life ----------------------------------------------------------------- */

static void memdev_lock_notify(void *opaque, bool locked)
{
    CXLMemDev *m = opaque;

    trace_cxl_memdev_locked(locked);
    m->ops->map_changed(m->opaque);
}

/* All but the logs and the poison, which others watch */
static void memdev_power_on(CXLMemDev *m)
{
    const CXLMemDevConfig *c = &m->config;

    *m->clock = (CXLTimestamp) { 0 };
    *m->media = (CXLMediaState) { 0 };
    m->media_status = CXL_MEDIA_READY;
    cxl_firmware_init(m->firmware);
    cxl_health_init(m->health, memdev_alert, m);
    cxl_partition_init(m->partition, c->volatile_size,
                       c->partitionable ? c->persistent_size : 0);
    cxl_security_init(m->security, c->volatile_size, c->persistent_size,
                      memdev_lock_notify, m);
    cxl_qos_init(m->qos);
    cxl_history_init(m->history, m->clock);
    cxl_dump_clear(m->dump);
    cxl_features_init(m->features, cxl_memdev_features, CXL_MEMDEV_FEATURES,
                      memdev_feature_changed, m);
    cxl_scrub_init(m->scrub, m->poison, c->medium_size, memdev_scrub_found, m);
    cxl_maintenance_init(m->maintenance, c->medium_size, m->features,
                         &memdev_maintenance_ops, m);
}

/* What memdev_power_on() would lose */
static void memdev_power_off(CXLMemDev *m)
{
    cxl_maintenance_destroy(m->maintenance);
    cxl_scrub_destroy(m->scrub);
}

void cxl_memdev_init(CXLMemDev *m, const CXLMemDevConfig *config)
{
    const uint32_t depth[CXL_EVENT_LOGS] = {
        [CXL_EVENT_LOG_INFO] = config->log_depth,
        [CXL_EVENT_LOG_WARN] = config->log_depth,
        [CXL_EVENT_LOG_FAIL] = config->log_depth,
        [CXL_EVENT_LOG_FATAL_ERR] = config->log_depth,
        [CXL_EVENT_LOG_DYNCAP] = config->dc_log_depth,
    };

    m->config = *config;
    cxl_events_init(m->events, depth, m->clock, memdev_event_notify, m);
    /* The Fabric Manager has no interrupt here: it polls */
    cxl_events_init(m->fm_events, depth, m->clock, NULL, NULL);
    cxl_poison_init(m->poison, CXL_POISON_DEFAULT_LIMIT, m->clock);
    m->poison->changed = m->ops->map_changed;
    m->poison->opaque = m->opaque;
    memdev_power_on(m);
}

void cxl_memdev_destroy(CXLMemDev *m)
{
    memdev_power_off(m);
    cxl_poison_destroy(m->poison);
    cxl_events_destroy(m->fm_events);
    cxl_events_destroy(m->events);
}

void cxl_memdev_forget(CXLMemDev *m)
{
    memdev_power_off(m);
    memdev_power_on(m);
    cxl_poison_destroy(m->poison);
    cxl_events_forget(m->fm_events);
    cxl_events_forget(m->events);
    if (m->partition->size) {
        memdev_partition_moved(m);
    }
}

void cxl_memdev_reset(CXLMemDev *m)
{
    cxl_media_forget(m->media);
    cxl_events_reset(m->events);
    cxl_firmware_reset(m->firmware);
    cxl_health_reset(m->health);
    cxl_memdev_repartition(m);
    cxl_security_reset(m->security);
    cxl_qos_reset(m->qos);
    cxl_features_reset(m->features);
    cxl_maintenance_reset(m->maintenance);
    cxl_memdev_set_media(m, CXL_MEDIA_READY);
}

/* -- state ---------------------------------------------------------------- */

static int memdev_post_load(void *opaque, int version_id)
{
    CXLMemDev *m = opaque;

    if (m->media_status > CXL_MEDIA_DISABLED) {
        return -EINVAL;
    }
    if (m->partition->size) {
        memdev_partition_moved(m);
    }
    return cxl_security_has_what_it_locks(m->security) ? 0 : -EINVAL;
}

#define MODEL(field, type) \
    VMSTATE_STRUCT_POINTER(field, CXLMemDev, vmstate_cxl_##field, type)

const VMStateDescription vmstate_cxl_memdev = {
    .name = "cxl-memory-device",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = memdev_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT_POINTER(clock, CXLMemDev, vmstate_cxl_timestamp,
                               CXLTimestamp),
        MODEL(events, CXLEventLogs),
        VMSTATE_STRUCT_POINTER(fm_events, CXLMemDev, vmstate_cxl_events,
                               CXLEventLogs),
        MODEL(poison, CXLPoison),
        MODEL(media, CXLMediaState),
        MODEL(firmware, CXLFirmware),
        MODEL(health, CXLHealth),
        MODEL(partition, CXLPartition),
        MODEL(security, CXLSecurity),
        MODEL(features, CXLFeatures),
        MODEL(scrub, CXLScrub),
        MODEL(qos, CXLQoS),
        MODEL(history, CXLHistory),
        MODEL(dump, CXLDump),
        MODEL(maintenance, CXLMaintenance),
        VMSTATE_UINT8(media_status, CXLMemDev),
        VMSTATE_END_OF_LIST()
    },
};
