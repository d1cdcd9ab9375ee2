/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 42h: Health Information and Alerts (CXL r3.2 8.2.10.9.3)
 *
 * One state per device: an alert that one CCI arms is logged for all of them.
 */
#include "qemu/osdep.h"
#include "hw/cxl/memdev/health.h"
#include "hw/cxl/cxl_memdev.h"
#include "cmd-sets.h"

#define SHUTDOWN_DIRTY  0x01

static CXLRetCode health_get_info(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    bool ready = !cxl_cci_media_disabled(cci);
    uint8_t info[CXL_HEALTH_INFO_SIZE];

    cxl_health_info(cci->memdev->health, ready, info);
    cxl_put_bytes(out, info, sizeof(info));
    return CXL_RC_SUCCESS;
}

static CXLRetCode health_get_alerts(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    const CXLHealth *h = cci->memdev->health;

    cxl_put_u8(out, h->armed);
    cxl_put_u8(out, CXL_ALERT_ALL);
    cxl_put_u8(out, CXL_HEALTH_LIFE_CRITICAL);
    cxl_put_u8(out, h->warn.life_used);
    cxl_put_le16(out, CXL_HEALTH_OVER_CRITICAL);
    cxl_put_le16(out, CXL_HEALTH_UNDER_CRITICAL);
    cxl_put_le16(out, h->warn.over);
    cxl_put_le16(out, h->warn.under);
    cxl_put_le16(out, h->warn.volatile_errors);
    cxl_put_le16(out, h->warn.persistent_errors);
    return CXL_RC_SUCCESS;
}

static CXLRetCode health_set_alerts(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    CXLHealthWarnings warn;
    uint8_t which, on;

    which = cxl_get_u8(in);
    on = cxl_get_u8(in);
    warn.life_used = cxl_get_u8(in);
    cxl_get_skip(in, 1);
    warn.over = cxl_get_le16(in);
    warn.under = cxl_get_le16(in);
    warn.volatile_errors = cxl_get_le16(in);
    warn.persistent_errors = cxl_get_le16(in);
    return cxl_health_configure(cci->memdev->health, which, on, &warn) ?
           CXL_RC_SUCCESS : CXL_RC_INVALID_INPUT;
}

static CXLRetCode health_get_shutdown(CXLCCI *cci, CXLReader *in,
                                      CXLWriter *out)
{
    cxl_put_u8(out, cci->memdev->health->dirty ? SHUTDOWN_DIRTY : 0);
    return CXL_RC_SUCCESS;
}

static CXLRetCode health_set_shutdown(CXLCCI *cci, CXLReader *in,
                                      CXLWriter *out)
{
    uint8_t state = cxl_get_u8(in);

    /* unsure whether these must be refused, but a later one might matter */
    if (state & ~SHUTDOWN_DIRTY) {
        return CXL_RC_INVALID_INPUT;
    }
    cci->memdev->health->dirty = state & SHUTDOWN_DIRTY;
    return CXL_RC_SUCCESS;
}

static const CXLCmd rows[] = {
    CXL_ROW(0x4200, "Get Health Info",
            CXL_CCI_MAILBOX | CXL_CCI_FM | CXL_CCI_LD, CXL_LEN(0),
            health_get_info, .present = cxl_cci_is_memdev),
    CXL_ROW(0x4201, "Get Alert Configuration", CXL_CCI_MAILBOX | CXL_CCI_FM,
            CXL_LEN(0), health_get_alerts, .present = cxl_cci_is_memdev),
    CXL_ROW(0x4202, "Set Alert Configuration", CXL_CCI_MAILBOX | CXL_CCI_FM,
            CXL_LEN(12), health_set_alerts,
            .effects = CXL_EFF_POLICY_IMMEDIATE, .present = cxl_cci_is_memdev),
    CXL_ROW(0x4203, "Get Shutdown State", CXL_CCI_MAILBOX, CXL_LEN(0),
            health_get_shutdown, .present = cxl_cci_is_memdev),
    CXL_ROW(0x4204, "Set Shutdown State", CXL_CCI_MAILBOX, CXL_LEN(1),
            health_set_shutdown,
            .effects = CXL_EFF_POLICY_IMMEDIATE, .present = cxl_cci_is_memdev),
};

const CXLCmdSet cxl_cmds_health =
    CXL_CMD_SET("Health Information and Alerts", rows);
