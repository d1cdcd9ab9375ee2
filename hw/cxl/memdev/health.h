/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Health of a memory device: readings, alerts, shutdown state
 * (CXL r3.2 8.2.10.9.3; record of an alert: 8.2.10.2.1.3)
 *
 * Readings change from outside (the monitor stands in for a sensor), warning
 * thresholds by command.  Whichever brings a reading beyond a threshold makes
 * one Memory Module record.  A model: no QOM, no PCI; the caller holds the BQL.
 */
#ifndef CXL_HEALTH_H
#define CXL_HEALTH_H

#include "hw/cxl/cxl_events.h"

/* Critical thresholds; fixed, unlike those of warnings */
#define CXL_HEALTH_LIFE_CRITICAL    95      /* percent */
#define CXL_HEALTH_OVER_CRITICAL    85      /* degrees Celsius */
#define CXL_HEALTH_UNDER_CRITICAL   (-10)

#define CXL_HEALTH_LIFE_MAX         100

/* Bytes of Get Health Info, and of the same in a Memory Module record */
#define CXL_HEALTH_INFO_SIZE        0x12

/* Warnings that can be armed */
#define CXL_ALERT_LIFE              (1u << 0)
#define CXL_ALERT_OVER              (1u << 1)
#define CXL_ALERT_UNDER             (1u << 2)
#define CXL_ALERT_VOLATILE          (1u << 3)
#define CXL_ALERT_PERSISTENT        (1u << 4)
#define CXL_ALERT_ALL               0x1fu

/**
 * struct CXLHealthReadings - what a device measures of itself
 * @volatile_errors, @persistent_errors: corrected ones, counted
 * @temperature: degrees Celsius
 * @life_used: percent, at most %CXL_HEALTH_LIFE_MAX
 */
typedef struct CXLHealthReadings {
    uint32_t volatile_errors;
    uint32_t persistent_errors;
    int16_t temperature;
    uint8_t life_used;
} CXLHealthReadings;

/** struct CXLHealthWarnings - where warnings begin, in units of the readings */
typedef struct CXLHealthWarnings {
    int16_t over;
    int16_t under;
    uint16_t volatile_errors;
    uint16_t persistent_errors;
    uint8_t life_used;
} CXLHealthWarnings;

/** CXLHealthNotify - @r, complete but for handle and time, belongs in @log */
typedef void CXLHealthNotify(void *opaque, CXLEventLogId log,
                             const CXLEventRecord *r);

/**
 * struct CXLHealth - state
 * @now: current readings
 * @warn: thresholds; those of alerts that are not @armed have no effect
 * @armed: CXL_ALERT_*
 * @dirty: the host has data on its way to persistent memory
 * @maintenance: some maintenance is needed
 * @dirty_shutdowns: resets that came while @dirty, saturating
 */
typedef struct CXLHealth {
    CXLHealthReadings now;
    CXLHealthWarnings warn;
    uint8_t armed;
    bool dirty;
    bool maintenance;
    uint32_t dirty_shutdowns;
    CXLHealthNotify *notify;
    void *opaque;
} CXLHealth;

/** cxl_health_init() - a new device at room temperature, no alert armed. */
void cxl_health_init(CXLHealth *h, CXLHealthNotify *notify, void *opaque);
/**
 * cxl_health_reset() - power was lost: count it if the state was dirty
 *
 * Readings and alert configuration stay.
 */
void cxl_health_reset(CXLHealth *h);

/** cxl_health_set() - new readings; life used must be in its range. */
void cxl_health_set(CXLHealth *h, const CXLHealthReadings *now);

/**
 * cxl_health_configure() - arm and disarm alerts
 * @which: alerts to change
 * @on: those of them to arm, with the thresholds of @warn; the rest is disarmed
 * Return: false, with nothing changed, if an alert does not exist or the
 * threshold of one to arm is not on the near side of the critical one
 */
bool cxl_health_configure(CXLHealth *h, uint8_t which, uint8_t on,
                          const CXLHealthWarnings *warn);

/** cxl_health_set_maintenance() - is some maintenance needed? */
void cxl_health_set_maintenance(CXLHealth *h, bool needed);

/** cxl_health_info() - what Get Health Info answers. */
void cxl_health_info(const CXLHealth *h, bool media_ready,
                     uint8_t info[CXL_HEALTH_INFO_SIZE]);

extern const struct VMStateDescription vmstate_cxl_health;

#endif /* CXL_HEALTH_H */
