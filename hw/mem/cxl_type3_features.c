/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL Type 3 memory device: what its features do to it: patrol scrub,
 * repair (CXL r3.2 8.2.10.6, 8.2.10.7, 8.2.10.9.11.1)
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "cxl_type3_internal.h"

CXLFeatures *cxl_type3_features(CXLType3Dev *d)
{
    return &d->features;
}

/* Who may use the memory is told, and the Fabric Manager if nobody may */
static CXLEventLogs *logs_for(CXLType3Dev *d, uint64_t dpa)
{
    if (dpa >= cxl_type3_static_size(d) && d->dc &&
        cxl_dc_access(d->dc, 0, dpa, CXL_POISON_LINE) == CXL_DC_ACCESS_NONE) {
        return &d->fm_events;
    }
    return &d->events;
}

static void scrub_found(void *opaque, const CXLPoisonRange *range)
{
    CXLType3Dev *d = opaque;
    CXLPoisonRange bad;
    CXLEventRecord r;

    if (cxl_devregs_media(&d->regs) == CXL_MEDIA_DISABLED) {
        return;
    }
    cxl_event_general_media(&r, CXL_EVENT_LOG_FAIL |
                            CXL_EVENT_FLAG_MAINTENANCE |
                            CXL_EVENT_FLAG_SUBCLASS, range->dpa,
                            range->dpa < cxl_type3_volatile_size(d),
                            CXL_EVENT_GM_SCRUB_ECC, CXL_EVENT_BY_SCRUB);
    /* the smallest repair will do: a soft one, which is subclass 0 */
    r.b[CXL_EVENT_OFF_CLASS] = CXL_MAINTENANCE_PPR;
    cxl_event_append(logs_for(d, range->dpa), CXL_EVENT_LOG_FAIL, &r);
    cxl_maintenance_note(&d->maintenance, range->dpa, range->len);

    /* A repair ends poison, so each turn finds the next piece */
    while (!d->poison.frozen &&
           cxl_poison_piece(&d->poison, range->dpa, range->len, &bad) &&
           !cxl_security_denies(&d->security, bad.dpa, CXL_POISON_LINE) &&
           cxl_poison_can_wipe(&d->poison, bad.dpa, CXL_POISON_LINE) &&
           cxl_maintenance_auto(&d->maintenance, bad.dpa)) {
        continue;
    }
}

/* -- repair -------------------------------------------------------------- */

/* Capacity that no host holds is cleared in pieces of this size */
#define PIECE   (4 * KiB)

/* Data that was poison is lost: zeroes, rather than what it once was */
static void zero_lost_data(CXLType3Dev *d, uint64_t dpa, uint64_t len)
{
    uint64_t fixed = cxl_type3_static_size(d);

    while (len) {
        uint64_t media, n;

        if (dpa < fixed) {
            media = dpa;
            n = fixed - dpa;
        } else if (!d->dc || !cxl_dc_translate(d->dc, 0, dpa, &media, &n)) {
            media = dpa;
            n = PIECE - dpa % PIECE;
        }
        n = MIN(n, len);
        cxl_type3_wipe(d, media, n);
        dpa += n;
        len -= n;
    }
}

static void replaced(void *opaque, uint64_t dpa, uint64_t len)
{
    CXLType3Dev *d = opaque;
    CXLPoisonRange bad;

    while (cxl_poison_piece(&d->poison, dpa, len, &bad) &&
           cxl_poison_can_wipe(&d->poison, bad.dpa, bad.len)) {
        zero_lost_data(d, bad.dpa, bad.len);
        cxl_poison_wipe(&d->poison, bad.dpa, bad.len);
    }
    cxl_type3_wipe_begin(d);
}

static void needed(void *opaque, bool needed)
{
    CXLType3Dev *d = opaque;

    cxl_health_set_maintenance(&d->health, needed);
}

static void log_repair(void *opaque, const CXLEventRecord *r)
{
    CXLType3Dev *d = opaque;

    cxl_event_append(&d->events, CXL_EVENT_LOG_INFO, r);
}

static const CXLMaintenanceOps maintenance_ops = {
    .replaced = replaced,
    .needed = needed,
    .log = log_repair,
};

CXLMaintenance *cxl_type3_maintenance(CXLType3Dev *d)
{
    return &d->maintenance;
}

/* -- life ---------------------------------------------------------------- */

static void changed(void *opaque, unsigned feature)
{
    CXLType3Dev *d = opaque;
    const uint8_t *data = cxl_features_current(&d->features, feature);

    if (feature == CXL_FEATURE_PATROL_SCRUB) {
        cxl_scrub_set(&d->scrub, data[CXL_SCRUB_SET_ENABLE],
                      data[CXL_SCRUB_SET_HOURS]);
    }
}

/* Bytes from DPA 0 to the last that is backed by something */
static uint64_t medium_size(const CXLType3Dev *d)
{
    const CXLDCRegion *last;

    if (!d->dc_config.nr_regions) {
        return cxl_type3_static_size(d);
    }
    last = &d->dc_config.region[d->dc_config.nr_regions - 1];
    return last->base + last->len;
}

void cxl_type3_features_init(CXLType3Dev *d)
{
    cxl_features_init(&d->features, cxl_memdev_features, CXL_MEMDEV_FEATURES,
                      changed, d);
    cxl_scrub_init(&d->scrub, &d->poison, medium_size(d), scrub_found, d);
    cxl_maintenance_init(&d->maintenance, medium_size(d), &d->features,
                         &maintenance_ops, d);
}

void cxl_type3_features_exit(CXLType3Dev *d)
{
    cxl_maintenance_destroy(&d->maintenance);
    cxl_scrub_destroy(&d->scrub);
}
