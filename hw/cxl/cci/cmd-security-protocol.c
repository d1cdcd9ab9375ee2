/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 46h: Security Passthrough (CXL r3.2 8.2.10.9.7)
 *
 * The way in for protocols of the SCSI security commands.  The one that each
 * device must have lists them; this device has no other, so there is nothing
 * yet that Security Send could deliver to.
 */
#include "qemu/osdep.h"
#include "cmd-sets.h"

#define PROTOCOL_INFO       0
/* Of that protocol: the list of protocols */
#define INFO_LIST           0

#define HEAD_SIZE           8
#define PASSTHROUGH_KINDS   (CXL_CCI_MAILBOX | CXL_CCI_FM)

static const uint8_t protocols[] = { PROTOCOL_INFO };

static CXLRetCode security_send(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    /* the only protocol takes no data, and others are unknown */
    return CXL_RC_INVALID_INPUT;
}

static CXLRetCode security_receive(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    uint8_t protocol = cxl_get_u8(in);
    uint16_t specific = cxl_get_le16(in);

    if (protocol != PROTOCOL_INFO || specific != INFO_LIST) {
        return CXL_RC_INVALID_INPUT;
    }
    cxl_put_zero(out, 6);
    /* SCSI numbers have their high byte in front */
    cxl_put_u8(out, ARRAY_SIZE(protocols) >> 8);
    cxl_put_u8(out, ARRAY_SIZE(protocols) & 0xff);
    cxl_put_bytes(out, protocols, sizeof(protocols));
    return CXL_RC_SUCCESS;
}

static const CXLCmd rows[] = {
    CXL_ROW(0x4600, "Security Send", PASSTHROUGH_KINDS, CXL_LEN_MIN(HEAD_SIZE),
            security_send, .present = cxl_cci_is_memdev),
    CXL_ROW(0x4601, "Security Receive", PASSTHROUGH_KINDS, CXL_LEN(HEAD_SIZE),
            security_receive, .present = cxl_cci_is_memdev),
};

const CXLCmdSet cxl_cmds_security_protocol =
    CXL_CMD_SET("Security Passthrough", rows);
