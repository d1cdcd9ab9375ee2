/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 54h: MLD Components (CXL r3.2 7.6.7.4)
 *
 * A memory device here has one logical device, number 0, which has all of the
 * memory and belongs to the host.  So there is nothing to allocate anew.
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "hw/cxl/cxl_dc.h"
#include "hw/cxl/cxl_memdev.h"
#include "hw/cxl/memdev/qos.h"
#include "cmd-sets.h"
#include "hw/cxl/trace.h"

#define GRANULARITY         (256 * MiB)
#define GRANULARITY_CODE    0
#define ALLOCATION_SIZE     0x10

static bool mld_lds_exist(unsigned start, unsigned count)
{
    return start + count <= CXL_MEMDEV_LDS;
}

/* A list may be asked for nothing, but whoever sets says of what */
static bool mld_lds_can_be_set(unsigned start, unsigned count)
{
    return count && mld_lds_exist(start, count);
}

bool cxl_get_lds(CXLReader *in, uint8_t *start, uint8_t *count)
{
    *start = cxl_get_u8(in);
    *count = cxl_get_u8(in);
    if (*start >= CXL_MEMDEV_LDS) {
        return false;
    }
    *count = MIN(*count, CXL_MEMDEV_LDS - *start);
    return true;
}

/* -- memory --------------------------------------------------------------- */

static CXLRetCode mld_get_info(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    cxl_put_le64(out, cxl_memdev_static_size(cci->memdev) +
                      (cci->dc ? cxl_dc_total_capacity(cci->dc) : 0));
    cxl_put_le16(out, CXL_MEMDEV_LDS);
    cxl_put_u8(out, CXL_QOS_ALL);
    return CXL_RC_SUCCESS;
}

/*
 * The two ranges of the device DVSEC: volatile memory, then persistent.
 * Dynamic capacity comes and goes: it is nobody's allocation.
 */
static void mld_get_allocation(CXLMemDev *d, uint64_t range[2])
{
    uint64_t vmem = cxl_memdev_volatile_size(d) / GRANULARITY;
    uint64_t pmem = cxl_memdev_persistent_size(d) / GRANULARITY;

    range[0] = vmem ?: pmem;
    range[1] = vmem ? pmem : 0;
}

static void mld_put_allocation(CXLWriter *out, CXLMemDev *d)
{
    uint64_t range[2];

    mld_get_allocation(d, range);
    cxl_put_le64(out, range[0]);
    cxl_put_le64(out, range[1]);
}

static CXLRetCode mld_get_allocations(CXLCCI *cci, CXLReader *in,
                                      CXLWriter *out)
{
    uint8_t i, start, count;

    if (!cxl_get_lds(in, &start, &count)) {
        return CXL_RC_INVALID_INPUT;
    }
    cxl_put_u8(out, CXL_MEMDEV_LDS);
    cxl_put_u8(out, GRANULARITY_CODE);
    cxl_put_u8(out, start);
    cxl_put_u8(out, count);
    for (i = 0; i < count; i++) {
        mld_put_allocation(out, cci->memdev);
    }
    return CXL_RC_SUCCESS;
}

/*
 * The only allocation that can be set is the one in force.  For another the
 * logical device is in use: unsure whether that is 06h, "try later"; it stays
 * in use, so it is 02h here.
 */
static CXLRetCode mld_set_allocations(CXLCCI *cci, CXLReader *in,
                                      CXLWriter *out)
{
    uint8_t count = cxl_get_u8(in);
    uint8_t start = cxl_get_u8(in);
    uint64_t range[2];

    cxl_get_skip(in, 2);
    if (!mld_lds_can_be_set(start, count)) {
        return CXL_RC_INVALID_INPUT;
    }
    mld_get_allocation(cci->memdev, range);
    if (cxl_get_le64(in) != range[0] || cxl_get_le64(in) != range[1]) {
        trace_cxl_ld_in_use(start);
        return CXL_RC_INVALID_INPUT;
    }
    cxl_put_u8(out, count);
    cxl_put_u8(out, start);
    cxl_put_zero(out, 2);
    mld_put_allocation(out, cci->memdev);
    return CXL_RC_SUCCESS;
}

/* -- quality of service --------------------------------------------------- */

static void mld_put_control(CXLWriter *out, const CXLQoS *q)
{
    cxl_put_u8(out, q->now.control);
    cxl_put_u8(out, q->now.moderate);
    cxl_put_u8(out, q->now.severe);
    cxl_put_u8(out, q->now.interval);
    cxl_put_le16(out, q->fm.completion_basis);
    cxl_put_u8(out, q->fm.completion_interval);
}

static CXLRetCode mld_get_control(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    mld_put_control(out, cci->memdev->qos);
    return CXL_RC_SUCCESS;
}

/* The host of the only logical device sees the first four in 4700h */
static CXLRetCode mld_set_control(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    CXLQoS *q = cci->memdev->qos;
    CXLQoSControl to;

    to.control = cxl_get_u8(in);
    to.moderate = cxl_get_u8(in);
    to.severe = cxl_get_u8(in);
    to.interval = cxl_get_u8(in);
    if (!cxl_qos_set(q, &to)) {
        return CXL_RC_INVALID_INPUT;
    }
    q->fm.completion_basis = cxl_get_le16(in);
    q->fm.completion_interval = cxl_get_u8(in);
    mld_put_control(out, q);
    return CXL_RC_SUCCESS;
}

static CXLRetCode mld_get_status(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    cxl_put_u8(out, cxl_qos_backpressure(cci->memdev->qos));
    return CXL_RC_SUCCESS;
}

/* Fractions of bandwidth, a byte for each logical device */
static CXLRetCode mld_fractions(CXLReader *in, CXLWriter *out,
                                uint8_t *fraction, bool set)
{
    uint8_t count = cxl_get_u8(in);
    uint8_t start = cxl_get_u8(in);

    if (!(set ? mld_lds_can_be_set : mld_lds_exist)(start, count)) {
        return CXL_RC_INVALID_INPUT;
    }
    if (set) {
        cxl_get_bytes(in, fraction + start, count);
        trace_cxl_qos_fractions(start, count);
    }
    cxl_put_u8(out, count);
    cxl_put_u8(out, start);
    cxl_put_bytes(out, fraction + start, count);
    return CXL_RC_SUCCESS;
}

static CXLRetCode mld_get_allocated(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    return mld_fractions(in, out, cci->memdev->qos->fm.allocated, false);
}

static CXLRetCode mld_set_allocated(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    return mld_fractions(in, out, cci->memdev->qos->fm.allocated, true);
}

static CXLRetCode mld_get_limit(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    return mld_fractions(in, out, cci->memdev->qos->fm.limit, false);
}

static CXLRetCode mld_set_limit(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    return mld_fractions(in, out, cci->memdev->qos->fm.limit, true);
}

#define MLD         .present = cxl_cci_is_memdev
/* What is set takes effect at once */
#define MLD_SET     MLD, .effects = CXL_EFF_CONFIG_IMMEDIATE

static const CXLCmd rows[] = {
    CXL_ROW(0x5400, "Get LD Info", CXL_CCI_FM, CXL_LEN(0), mld_get_info, MLD),
    CXL_ROW(0x5401, "Get LD Allocations", CXL_CCI_FM, CXL_LEN(2),
            mld_get_allocations, MLD),
    CXL_ROW(0x5402, "Set LD Allocations", CXL_CCI_FM,
            CXL_LEN_LIST(4, ALLOCATION_SIZE, 0, 1), mld_set_allocations,
            MLD_SET),
    CXL_ROW(0x5403, "Get QoS Control", CXL_CCI_FM, CXL_LEN(0), mld_get_control,
            MLD),
    CXL_ROW(0x5404, "Set QoS Control", CXL_CCI_FM, CXL_LEN(7), mld_set_control,
            MLD_SET),
    CXL_ROW(0x5405, "Get QoS Status", CXL_CCI_FM, CXL_LEN(0), mld_get_status,
            MLD),
    CXL_ROW(0x5406, "Get QoS Allocated BW", CXL_CCI_FM, CXL_LEN(2),
            mld_get_allocated, MLD),
    CXL_ROW(0x5407, "Set QoS Allocated BW", CXL_CCI_FM,
            CXL_LEN_LIST(2, 1, 0, 1), mld_set_allocated, MLD_SET),
    CXL_ROW(0x5408, "Get QoS BW Limit", CXL_CCI_FM, CXL_LEN(2), mld_get_limit,
            MLD),
    CXL_ROW(0x5409, "Set QoS BW Limit", CXL_CCI_FM, CXL_LEN_LIST(2, 1, 0, 1),
            mld_set_limit, MLD_SET),
};

const CXLCmdSet cxl_cmds_mld = CXL_CMD_SET("MLD Components", rows);
