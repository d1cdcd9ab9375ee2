/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 06h: Maintenance (CXL r3.2 8.2.10.7)
 *
 * A repair takes no time: Linux takes no "background operation started" here.
 */
#include "qemu/osdep.h"
#include "hw/cxl/memdev/maintenance.h"
#include "hw/cxl/cxl_memdev.h"
#include "hw/cxl/memdev/poison.h"
#include "hw/cxl/memdev/security.h"
#include "cmd-sets.h"

/* Bytes behind class and subclass */
#define PPR_SIZE            12
#define SPARING_SIZE        14

#define FLAG_QUERY          (1u << 0)
/* Of sparing */
#define FLAG_HARD           (1u << 1)
#define FLAG_SUB_CHANNEL    (1u << 2)
#define FLAG_NIBBLES        (1u << 3)
#define PPR_FLAGS           FLAG_QUERY
#define SPARING_FLAGS       (FLAG_QUERY | FLAG_HARD | FLAG_SUB_CHANNEL | \
                             FLAG_NIBBLES)

static CXLRetCode maintenance_get_ppr(CXLCCI *cci, CXLReader *in, CXLRepair *r)
{
    const CXLMaintenance *m = cci->memdev->maintenance;
    uint8_t flags = cxl_get_u8(in);
    uint64_t dpa = cxl_get_le64(in);

    r->nibble_mask = cxl_get_le24(in);
    r->has_nibbles = r->nibble_mask;
    r->query = flags & FLAG_QUERY;
    if ((flags & ~PPR_FLAGS) || dpa % CXL_POISON_LINE) {
        return CXL_RC_INVALID_INPUT;
    }
    return cxl_cci_accessible(cci, dpa, CXL_POISON_LINE, true) &&
           cxl_maintenance_line(m, r, dpa) ?
           CXL_RC_SUCCESS : CXL_RC_INVALID_PHYS_ADDR;
}

static CXLRetCode maintenance_get_sparing(CXLCCI *cci, CXLReader *in,
                                          CXLRepair *r)
{
    const CXLMaintenance *m = cci->memdev->maintenance;
    uint8_t flags = cxl_get_u8(in);
    uint8_t sub_channel;

    r->query = flags & FLAG_QUERY;
    r->hard = flags & FLAG_HARD;
    r->has_nibbles = flags & FLAG_NIBBLES;
    r->place.channel = cxl_get_u8(in);
    r->place.rank = cxl_get_u8(in);
    r->nibble_mask = cxl_get_le24(in);
    r->place.bank_group = cxl_get_u8(in);
    r->place.bank = cxl_get_u8(in);
    r->place.row = cxl_get_le24(in);
    r->place.column = cxl_get_le16(in);
    sub_channel = cxl_get_u8(in);
    /* a channel is not divided here: there is sub-channel 0 only */
    if ((flags & ~SPARING_FLAGS) ||
        ((flags & FLAG_SUB_CHANNEL) && sub_channel)) {
        return CXL_RC_INVALID_INPUT;
    }
    return cxl_maintenance_unit(m, r) ? CXL_RC_SUCCESS : CXL_RC_INVALID_INPUT;
}

/* What the request is about; first its kind, on which its length depends */
static CXLRetCode maintenance_get_repair(CXLCCI *cci, CXLReader *in,
                                         uint8_t class, uint8_t subclass,
                                         CXLRepair *r)
{
    switch (class) {
    case CXL_MAINTENANCE_PPR:
        r->kind = CXL_REPAIR_SOFT_PPR + subclass;
        if (r->kind > CXL_REPAIR_HARD_PPR) {
            return CXL_RC_INVALID_INPUT;
        }
        return cxl_reader_left(in) == PPR_SIZE ?
               maintenance_get_ppr(cci, in, r) : CXL_RC_INVALID_PAYLOAD_LENGTH;
    case CXL_MAINTENANCE_SPARING:
        r->kind = CXL_REPAIR_CACHELINE + subclass;
        if (r->kind > CXL_REPAIR_RANK) {
            return CXL_RC_INVALID_INPUT;
        }
        return cxl_reader_left(in) == SPARING_SIZE ?
               maintenance_get_sparing(cci, in,
                                       r) : CXL_RC_INVALID_PAYLOAD_LENGTH;
    default:
        return CXL_RC_INVALID_INPUT;
    }
}

static CXLRetCode maintenance_perform(CXLCCI *cci, CXLReader *in,
                                      CXLWriter *out)
{
    CXLMemDev *d = cci->memdev;
    uint8_t class = cxl_get_u8(in);
    uint8_t subclass = cxl_get_u8(in);
    CXLRepair r = { 0 };
    CXLRetCode rc;

    if (class == CXL_MAINTENANCE_NONE) {
        return subclass ? CXL_RC_INVALID_INPUT : CXL_RC_SUCCESS;
    }
    rc = maintenance_get_repair(cci, in, class, subclass, &r);
    if (rc != CXL_RC_SUCCESS) {
        return rc;
    }
    if (!r.query) {
        if (cxl_security_denies(d->security, r.dpa, r.len)) {
            return CXL_RC_INVALID_SECURITY_STATE;
        }
        /* a scan through another interface has the poison list in its hands */
        if (d->poison->frozen) {
            return CXL_RC_BUSY;
        }
    }
    return cxl_maintenance_repair(d->maintenance, &r);
}

static const CXLCmd rows[] = {
    CXL_ROW(0x0600, "Perform Maintenance", CXL_CCI_MAILBOX, CXL_LEN_MIN(2),
            maintenance_perform,
            .effects = CXL_EFF_CONFIG_IMMEDIATE | CXL_EFF_DATA_IMMEDIATE |
                       CXL_EFF_LOG_IMMEDIATE | CXL_EFF_BACKGROUND,
            .flags = CXL_CMD_BG | CXL_CMD_MEDIA, .present = cxl_cci_is_memdev),
};

const CXLCmdSet cxl_cmds_maintenance = CXL_CMD_SET("Maintenance", rows);
