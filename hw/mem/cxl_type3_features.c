/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL Type 3 memory device: what its features do to it: patrol scrub
 * (CXL r3.2 8.2.10.6, 8.2.10.9.11.1)
 */
#include "qemu/osdep.h"
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
    CXLEventRecord r;

    if (cxl_devregs_media(&d->regs) == CXL_MEDIA_DISABLED) {
        return;
    }
    cxl_event_general_media(&r, CXL_EVENT_LOG_FAIL, range->dpa,
                            range->dpa < d->vmem.size,
                            CXL_EVENT_GM_SCRUB_ECC, CXL_EVENT_BY_SCRUB);
    cxl_event_append(logs_for(d, range->dpa), CXL_EVENT_LOG_FAIL, &r);
}

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
}

void cxl_type3_features_exit(CXLType3Dev *d)
{
    cxl_scrub_destroy(&d->scrub);
}
