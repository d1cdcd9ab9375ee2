/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QoS telemetry of a single logical device: settings and the one measurement
 * (CXL r3.2 8.2.10.9.8, 7.6.7.4, 3.3.4)
 *
 * An emulated medium is never too busy: what would be measured is told from
 * outside, as readings of health are.  A model: no QOM, no PCI; the caller
 * holds the BQL.
 */
#ifndef CXL_QOS_H
#define CXL_QOS_H

/* What a device can tell the host of its load, in Identify and in @control */
#define CXL_QOS_EGRESS_CONGESTION   (1u << 0)
#define CXL_QOS_THROUGHPUT          (1u << 1)
#define CXL_QOS_ALL                 0x03u

#define CXL_QOS_PERCENT_MAX         100
#define CXL_QOS_INTERVAL_MAX        15

/**
 * struct CXLQoSControl - settings, as the commands carry them
 * @control: CXL_QOS_* that are enabled
 * @moderate, @severe: egress congestion from here on, 1..100 percent
 * @interval: of samples of backpressure, 0 to take none, at most 15
 */
typedef struct CXLQoSControl {
    uint8_t control;
    uint8_t moderate;
    uint8_t severe;
    uint8_t interval;
} CXLQoSControl;

/* Logical devices of a memory device */
#define CXL_QOS_LDS                 1

/**
 * struct CXLQoSManaged - settings that only a Fabric Manager sees; they have no
 * effect, because nothing here competes for bandwidth
 * @completion_basis: requests completed per interval, 0 for no limits
 * @completion_interval: of counting them
 * @allocated, @limit: of each logical device, in 1/256 of the bandwidth
 */
typedef struct CXLQoSManaged {
    uint16_t completion_basis;
    uint8_t completion_interval;
    uint8_t allocated[CXL_QOS_LDS];
    uint8_t limit[CXL_QOS_LDS];
} CXLQoSManaged;

/**
 * struct CXLQoS - state
 * @now: settings in force
 * @fm: those of sets of the Fabric Manager
 * @backpressure: average that a sensor would see, 0..100 percent
 */
typedef struct CXLQoS {
    CXLQoSControl now;
    CXLQoSManaged fm;
    uint8_t backpressure;
} CXLQoS;

/** cxl_qos_init() - default settings, no backpressure. */
void cxl_qos_init(CXLQoS *q);
/** cxl_qos_reset() - default settings. */
void cxl_qos_reset(CXLQoS *q);
/** cxl_qos_set() - Return: false, with nothing changed, if one is bad. */
bool cxl_qos_set(CXLQoS *q, const CXLQoSControl *to);
/** cxl_qos_backpressure() - average in percent; 0 if no samples are taken. */
uint8_t cxl_qos_backpressure(const CXLQoS *q);

extern const struct VMStateDescription vmstate_cxl_qos;

#endif /* CXL_QOS_H */
