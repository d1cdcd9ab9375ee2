/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 03h: Timestamp (CXL r3.2 8.2.10.4)
 */
#include "qemu/osdep.h"
#include "hw/cxl/cxl_events.h"
#include "cmd-sets.h"

static bool timestamp_has_clock(const CXLCCI *cci)
{
    return cci->clock != NULL;
}

static CXLRetCode timestamp_get(CXLCCI *cci, CXLReader *in,
                                CXLWriter *out)
{
    cxl_put_le64(out, cxl_timestamp_get(cci->clock));
    return CXL_RC_SUCCESS;
}

static CXLRetCode timestamp_set(CXLCCI *cci, CXLReader *in,
                                CXLWriter *out)
{
    cxl_timestamp_set(cci->clock, cxl_get_le64(in));
    return CXL_RC_SUCCESS;
}

#define CLOCK_KINDS (CXL_CCI_ALL & ~CXL_CCI_LD)

static const CXLCmd rows[] = {
    CXL_ROW(0x0300, "Get Timestamp", CLOCK_KINDS, CXL_LEN(0),
            timestamp_get, .present = timestamp_has_clock),
    CXL_ROW(0x0301, "Set Timestamp", CLOCK_KINDS, CXL_LEN(8),
            timestamp_set, .effects = CXL_EFF_POLICY_IMMEDIATE,
            .present = timestamp_has_clock),
};

const CXLCmdSet cxl_cmds_timestamp = CXL_CMD_SET("Timestamp", rows);
