/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QoS telemetry of a single logical device, see qos.h (CXL r3.2 8.2.10.9.8)
 */
#include "qemu/osdep.h"
#include "migration/vmstate.h"
#include "hw/cxl/memdev/qos.h"
#include "hw/cxl/trace.h"

void cxl_qos_reset(CXLQoS *q)
{
    q->now = (CXLQoSControl) {
        .moderate = 10,
        .severe = 25,
        .interval = 8,
    };
    q->fm = (CXLQoSManaged) { .completion_interval = 64 };
}

void cxl_qos_init(CXLQoS *q)
{
    q->backpressure = 0;
    cxl_qos_reset(q);
}

static bool qos_is_percent(uint8_t value)
{
    return value >= 1 && value <= CXL_QOS_PERCENT_MAX;
}

static bool qos_is_sane(const CXLQoSControl *c)
{
    return !(c->control & ~CXL_QOS_ALL) && qos_is_percent(c->moderate) &&
           qos_is_percent(c->severe) && c->interval <= CXL_QOS_INTERVAL_MAX;
}

bool cxl_qos_set(CXLQoS *q, const CXLQoSControl *to)
{
    if (!qos_is_sane(to)) {
        return false;
    }
    q->now = *to;
    trace_cxl_qos_set(to->control, to->moderate, to->severe, to->interval);
    return true;
}

uint8_t cxl_qos_backpressure(const CXLQoS *q)
{
    return q->now.interval ? q->backpressure : 0;
}

static int qos_post_load(void *opaque, int version_id)
{
    const CXLQoS *q = opaque;

    return qos_is_sane(&q->now) && q->backpressure <= CXL_QOS_PERCENT_MAX ?
           0 : -EINVAL;
}

const VMStateDescription vmstate_cxl_qos = {
    .name = "cxl-qos",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = qos_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8(now.control, CXLQoS),
        VMSTATE_UINT8(now.moderate, CXLQoS),
        VMSTATE_UINT8(now.severe, CXLQoS),
        VMSTATE_UINT8(now.interval, CXLQoS),
        VMSTATE_UINT16(fm.completion_basis, CXLQoS),
        VMSTATE_UINT8(fm.completion_interval, CXLQoS),
        VMSTATE_UINT8_ARRAY(fm.allocated, CXLQoS, CXL_QOS_LDS),
        VMSTATE_UINT8_ARRAY(fm.limit, CXLQoS, CXL_QOS_LDS),
        VMSTATE_UINT8(backpressure, CXLQoS),
        VMSTATE_END_OF_LIST()
    },
};
