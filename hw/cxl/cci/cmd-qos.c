/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 47h: SLD QoS Telemetry (CXL r3.2 8.2.10.9.8)
 */
#include "qemu/osdep.h"
#include "hw/cxl/cxl_memdev.h"
#include "hw/cxl/memdev/qos.h"
#include "cmd-sets.h"

static CXLRetCode qos_get_control(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    const CXLQoSControl *now = &cci->memdev->qos->now;

    cxl_put_u8(out, now->control);
    cxl_put_u8(out, now->moderate);
    cxl_put_u8(out, now->severe);
    cxl_put_u8(out, now->interval);
    return CXL_RC_SUCCESS;
}

static CXLRetCode qos_set_control(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    CXLQoSControl to;

    to.control = cxl_get_u8(in);
    to.moderate = cxl_get_u8(in);
    to.severe = cxl_get_u8(in);
    to.interval = cxl_get_u8(in);
    return cxl_qos_set(cci->memdev->qos, &to) ?
           CXL_RC_SUCCESS : CXL_RC_INVALID_INPUT;
}

static CXLRetCode qos_get_status(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    cxl_put_u8(out, cxl_qos_backpressure(cci->memdev->qos));
    return CXL_RC_SUCCESS;
}

static const CXLCmd rows[] = {
    CXL_ROW(0x4700, "Get SLD QoS Control", CXL_CCI_MAILBOX, CXL_LEN(0),
            qos_get_control, .present = cxl_cci_is_memdev),
    CXL_ROW(0x4701, "Set SLD QoS Control", CXL_CCI_MAILBOX, CXL_LEN(4),
            qos_set_control, .present = cxl_cci_is_memdev,
            .effects = CXL_EFF_CONFIG_IMMEDIATE | CXL_EFF_POLICY_IMMEDIATE),
    CXL_ROW(0x4702, "Get SLD QoS Status", CXL_CCI_MAILBOX, CXL_LEN(0),
            qos_get_status, .present = cxl_cci_is_memdev),
};

const CXLCmdSet cxl_cmds_qos = CXL_CMD_SET("SLD QoS Telemetry", rows);
