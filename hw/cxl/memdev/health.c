/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Health of a memory device, see health.h (CXL r3.2 8.2.10.9.3)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "migration/vmstate.h"
#include "hw/cxl/memdev/health.h"
#include "hw/cxl/trace.h"

/* What a device without a reason for another one reads */
#define ROOM_TEMPERATURE    25

/* Thresholds that a reading is beyond: CXL_ALERT_* for warnings, and these */
#define CRITICAL_LIFE       (1u << 8)
#define CRITICAL_OVER       (1u << 9)
#define CRITICAL_UNDER      (1u << 10)

/* Get Health Info */
#define HEALTH_MAINTENANCE  0x01
#define HEALTH_REPLACE      0x04
#define MEDIA_NORMAL        0
#define MEDIA_NOT_READY     1
#define STATUS_LIFE_SHIFT   0
#define STATUS_TEMP_SHIFT   2
#define STATUS_VOLATILE     0x10
#define STATUS_PERSISTENT   0x20

/* Memory Module record: kinds, and a flag of the header */
#define MODULE_HEALTH       0
#define MODULE_LIFE         2
#define MODULE_TEMPERATURE  3
#define FLAG_REPLACE        0x20

/* One row per alert; those on corrected errors never become critical */
static const struct {
    uint16_t warning;
    uint16_t critical;
    uint8_t kind;
} alerts[] = {
    { CXL_ALERT_LIFE, CRITICAL_LIFE, MODULE_LIFE },
    { CXL_ALERT_OVER, CRITICAL_OVER, MODULE_TEMPERATURE },
    { CXL_ALERT_UNDER, CRITICAL_UNDER, MODULE_TEMPERATURE },
    { CXL_ALERT_VOLATILE, 0, MODULE_HEALTH },
    { CXL_ALERT_PERSISTENT, 0, MODULE_HEALTH },
};

static uint16_t health_beyond(const CXLHealth *h)
{
    const CXLHealthReadings *now = &h->now;
    const CXLHealthWarnings *warn = &h->warn;
    uint16_t set = 0;

    set |= now->life_used >= warn->life_used ? CXL_ALERT_LIFE : 0;
    set |= now->temperature >= warn->over ? CXL_ALERT_OVER : 0;
    set |= now->temperature <= warn->under ? CXL_ALERT_UNDER : 0;
    set |= now->volatile_errors >= warn->volatile_errors ?
           CXL_ALERT_VOLATILE : 0;
    set |= now->persistent_errors >= warn->persistent_errors ?
           CXL_ALERT_PERSISTENT : 0;
    set &= h->armed;

    set |= now->life_used >= CXL_HEALTH_LIFE_CRITICAL ? CRITICAL_LIFE : 0;
    set |= now->temperature >= CXL_HEALTH_OVER_CRITICAL ? CRITICAL_OVER : 0;
    set |= now->temperature <= CXL_HEALTH_UNDER_CRITICAL ? CRITICAL_UNDER : 0;
    return set;
}

/* 0 normal, 1 warning, 2 critical */
static uint8_t health_level(uint16_t set, uint16_t warning, uint16_t critical)
{
    return set & critical ? 2 : set & warning ? 1 : 0;
}

void cxl_health_info(const CXLHealth *h, bool media_ready,
                     uint8_t info[CXL_HEALTH_INFO_SIZE])
{
    uint16_t set = health_beyond(h);

    info[0] = (set & CRITICAL_LIFE ? HEALTH_REPLACE : 0) |
              (h->maintenance ? HEALTH_MAINTENANCE : 0);
    info[1] = media_ready ? MEDIA_NORMAL : MEDIA_NOT_READY;
    info[2] = health_level(set, CXL_ALERT_LIFE,
                           CRITICAL_LIFE) << STATUS_LIFE_SHIFT |
              health_level(set, CXL_ALERT_OVER | CXL_ALERT_UNDER,
                           CRITICAL_OVER |
                           CRITICAL_UNDER) << STATUS_TEMP_SHIFT |
              (set & CXL_ALERT_VOLATILE ? STATUS_VOLATILE : 0) |
              (set & CXL_ALERT_PERSISTENT ? STATUS_PERSISTENT : 0);
    info[3] = h->now.life_used;
    stw_le_p(info + 4, h->now.temperature);
    stl_le_p(info + 6, h->dirty_shutdowns);
    stl_le_p(info + 0xa, h->now.volatile_errors);
    stl_le_p(info + 0xe, h->now.persistent_errors);
}

static void health_report(CXLHealth *h, CXLEventLogId log, uint8_t kind,
                          uint32_t flags)
{
    static const char *const kinds[] = {
        [MODULE_HEALTH] = "health", [MODULE_LIFE] = "life used",
        [MODULE_TEMPERATURE] = "temperature",
    };
    CXLEventRecord r;

    /* severities are numbered like the logs */
    cxl_event_record_init(&r, &cxl_event_uuid_memory_module, log | flags);
    r.b[CXL_EVENT_OFF_BODY] = kind;
    cxl_health_info(h, true, r.b + CXL_EVENT_OFF_BODY + 1);
    trace_cxl_health_alert(cxl_event_log_name(log), CXL_NAME(kinds, kind),
                           h->now.life_used, h->now.temperature,
                           h->now.volatile_errors, h->now.persistent_errors);
    if (h->notify) {
        h->notify(h->opaque, log, &r);
    }
}

/* Tell of each threshold that is passed now and was not, the worst only */
static void health_report_new(CXLHealth *h, uint16_t before)
{
    uint16_t set = health_beyond(h);
    uint16_t new = set & ~before;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(alerts); i++) {
        if (new & alerts[i].critical) {
            health_report(h, CXL_EVENT_LOG_FAIL, alerts[i].kind,
                          alerts[i].critical == CRITICAL_LIFE ? FLAG_REPLACE :
                          0);
        } else if ((new & alerts[i].warning) && !(set & alerts[i].critical)) {
            health_report(h, CXL_EVENT_LOG_WARN, alerts[i].kind, 0);
        }
    }
}

void cxl_health_init(CXLHealth *h, CXLHealthNotify *notify, void *opaque)
{
    *h = (CXLHealth) {
        .now.temperature = ROOM_TEMPERATURE,
        /* where a host that arms them would likely put them */
        .warn = {
            .life_used = 75,
            .over = 70,
            .under = 0,
            .volatile_errors = 100,
            .persistent_errors = 100,
        },
        .notify = notify,
        .opaque = opaque,
    };
}

void cxl_health_reset(CXLHealth *h)
{
    if (h->dirty) {
        h->dirty = false;
        h->dirty_shutdowns += h->dirty_shutdowns < UINT32_MAX;
        trace_cxl_health_dirty_shutdown(h->dirty_shutdowns);
    }
}

void cxl_health_set(CXLHealth *h, const CXLHealthReadings *now)
{
    uint16_t before = health_beyond(h);

    g_assert(now->life_used <= CXL_HEALTH_LIFE_MAX);
    h->now = *now;
    health_report_new(h, before);
}

void cxl_health_set_maintenance(CXLHealth *h, bool needed)
{
    h->maintenance = needed;
    trace_cxl_health_maintenance(needed);
}

/* Are the thresholds of @armed less bad than critical ones? */
static bool health_warnings_are_sane(uint8_t armed,
                                     const CXLHealthWarnings *warn)
{
    return !(armed & ~CXL_ALERT_ALL) &&
           (!(armed & CXL_ALERT_LIFE) ||
            warn->life_used < CXL_HEALTH_LIFE_CRITICAL) &&
           (!(armed & CXL_ALERT_OVER) ||
            warn->over < CXL_HEALTH_OVER_CRITICAL) &&
           (!(armed & CXL_ALERT_UNDER) ||
            warn->under > CXL_HEALTH_UNDER_CRITICAL);
}

bool cxl_health_configure(CXLHealth *h, uint8_t which, uint8_t on,
                          const CXLHealthWarnings *warn)
{
    uint16_t before = health_beyond(h);

    /* clients send no threshold with an alert that they disarm: keep it */
    on &= which;
    if ((which & ~CXL_ALERT_ALL) || !health_warnings_are_sane(on, warn)) {
        return false;
    }
    if (on & CXL_ALERT_LIFE) {
        h->warn.life_used = warn->life_used;
    }
    if (on & CXL_ALERT_OVER) {
        h->warn.over = warn->over;
    }
    if (on & CXL_ALERT_UNDER) {
        h->warn.under = warn->under;
    }
    if (on & CXL_ALERT_VOLATILE) {
        h->warn.volatile_errors = warn->volatile_errors;
    }
    if (on & CXL_ALERT_PERSISTENT) {
        h->warn.persistent_errors = warn->persistent_errors;
    }
    h->armed = (h->armed & ~which) | on;
    trace_cxl_health_armed(h->armed);
    health_report_new(h, before);
    return true;
}

/* -- migration ---------------------------------------------------------- */

static int health_post_load(void *opaque, int version_id)
{
    const CXLHealth *h = opaque;

    return h->now.life_used <= CXL_HEALTH_LIFE_MAX &&
           health_warnings_are_sane(h->armed, &h->warn) ? 0 : -EINVAL;
}

const VMStateDescription vmstate_cxl_health = {
    .name = "cxl-health",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = health_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(now.volatile_errors, CXLHealth),
        VMSTATE_UINT32(now.persistent_errors, CXLHealth),
        VMSTATE_INT16(now.temperature, CXLHealth),
        VMSTATE_UINT8(now.life_used, CXLHealth),
        VMSTATE_INT16(warn.over, CXLHealth),
        VMSTATE_INT16(warn.under, CXLHealth),
        VMSTATE_UINT16(warn.volatile_errors, CXLHealth),
        VMSTATE_UINT16(warn.persistent_errors, CXLHealth),
        VMSTATE_UINT8(warn.life_used, CXLHealth),
        VMSTATE_UINT8(armed, CXLHealth),
        VMSTATE_BOOL(dirty, CXLHealth),
        VMSTATE_BOOL(maintenance, CXLHealth),
        VMSTATE_UINT32(dirty_shutdowns, CXLHealth),
        VMSTATE_END_OF_LIST()
    },
};
