/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 54h: MLD Components (CXL r3.2 7.6.7.4)
 *
 * A memory device here has one logical device, number 0, which has all of the
 * memory and belongs to the host.  Those of a multi-headed device have static
 * memory of their own.  So there is nothing to allocate anew.
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

static bool mld_lds_exist(const CXLCCI *cci, unsigned start, unsigned count)
{
    return start + count <= cxl_cci_nr_lds(cci);
}

/* A list may be asked for nothing, but whoever sets says of what */
static bool mld_lds_can_be_set(const CXLCCI *cci, unsigned start,
                               unsigned count)
{
    return count && mld_lds_exist(cci, start, count);
}

unsigned cxl_cci_nr_lds(const CXLCCI *cci)
{
    return cci->heads ? cci->heads->n : cci->nr_lds;
}

CXLCCI *cxl_cci_ld(const CXLCCI *cci, unsigned ld)
{
    if (ld >= cxl_cci_nr_lds(cci)) {
        return NULL;
    }
    return cci->heads ? cci->heads->ld(cci->heads, ld) : &cci->lds[ld];
}

bool cxl_get_lds(const CXLCCI *cci, CXLReader *in, uint8_t *start,
                 uint8_t *count)
{
    unsigned lds = cxl_cci_nr_lds(cci);

    *start = cxl_get_u8(in);
    *count = cxl_get_u8(in);
    if (*start >= lds) {
        return false;
    }
    *count = MIN(*count, lds - *start);
    return true;
}

/* -- memory --------------------------------------------------------------- */

/* Static capacity of one, volatile and persistent; none if it is not there */
static void mld_get_sizes(const CXLCCI *cci, unsigned ld, uint64_t *vmem,
                          uint64_t *pmem)
{
    const CXLHeads *heads = cci->heads;
    const CXLCCI *at = cxl_cci_ld(cci, ld);
    CXLHeadInfo info = { };

    if (at) {
        info.volatile_size = cxl_memdev_volatile_size(at->memdev);
        info.persistent_size = cxl_memdev_persistent_size(at->memdev);
    } else if (heads && heads->info && !heads->info(heads, ld, &info)) {
        info = (CXLHeadInfo) { };
    }
    *vmem = info.volatile_size;
    *pmem = info.persistent_size;
}

static CXLRetCode mld_get_info(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    uint64_t size = cci->dc ? cxl_dc_total_capacity(cci->dc) : 0;
    unsigned i, lds = cxl_cci_nr_lds(cci);

    for (i = 0; i < lds; i++) {
        uint64_t vmem, pmem;

        mld_get_sizes(cci, i, &vmem, &pmem);
        size += vmem + pmem;
    }
    cxl_put_le64(out, size);
    cxl_put_le16(out, lds);
    cxl_put_u8(out, cci->memdev ? CXL_QOS_ALL : 0);
    return CXL_RC_SUCCESS;
}

/*
 * The two ranges of the device DVSEC: volatile memory, then persistent.
 * Dynamic capacity comes and goes: it is nobody's allocation.
 */
static void mld_get_allocation(const CXLCCI *cci, unsigned ld,
                               uint64_t range[2])
{
    uint64_t vmem, pmem;

    mld_get_sizes(cci, ld, &vmem, &pmem);
    vmem /= GRANULARITY;
    pmem /= GRANULARITY;
    range[0] = vmem ?: pmem;
    range[1] = vmem ? pmem : 0;
}

static void mld_put_allocation(CXLWriter *out, const CXLCCI *cci, unsigned ld)
{
    uint64_t range[2];

    mld_get_allocation(cci, ld, range);
    cxl_put_le64(out, range[0]);
    cxl_put_le64(out, range[1]);
}

static CXLRetCode mld_get_allocations(CXLCCI *cci, CXLReader *in,
                                      CXLWriter *out)
{
    uint8_t start, count;
    unsigned i;

    if (!cxl_get_lds(cci, in, &start, &count)) {
        return CXL_RC_INVALID_INPUT;
    }
    count = MIN(count, cxl_writer_fits(out, ALLOCATION_SIZE, 4));
    cxl_put_u8(out, MIN(cxl_cci_nr_lds(cci), UINT8_MAX));
    cxl_put_u8(out, GRANULARITY_CODE);
    cxl_put_u8(out, start);
    cxl_put_u8(out, count);
    for (i = start; i < start + count; i++) {
        mld_put_allocation(out, cci, i);
    }
    return CXL_RC_SUCCESS;
}

/*
 * The only allocations that can be set are those in force.  For others the
 * logical device is in use: unsure whether that is 06h, "try later"; it stays
 * in use, so it is 02h here.
 */
static CXLRetCode mld_set_allocations(CXLCCI *cci, CXLReader *in,
                                      CXLWriter *out)
{
    uint8_t count = cxl_get_u8(in);
    uint8_t start = cxl_get_u8(in);
    uint64_t range[2];
    unsigned i;

    cxl_get_skip(in, 2);
    if (!mld_lds_can_be_set(cci, start, count)) {
        return CXL_RC_INVALID_INPUT;
    }
    cxl_put_u8(out, count);
    cxl_put_u8(out, start);
    cxl_put_zero(out, 2);
    for (i = start; i < start + count; i++) {
        mld_get_allocation(cci, i, range);
        if (cxl_get_le64(in) != range[0] || cxl_get_le64(in) != range[1]) {
            trace_cxl_ld_in_use(i);
            return CXL_RC_INVALID_INPUT;
        }
        mld_put_allocation(out, cci, i);
    }
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
static CXLRetCode mld_fractions(const CXLCCI *cci, CXLReader *in,
                                CXLWriter *out, uint8_t *fraction, bool set)
{
    uint8_t count = cxl_get_u8(in);
    uint8_t start = cxl_get_u8(in);

    if (!(set ? mld_lds_can_be_set : mld_lds_exist)(cci, start, count)) {
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
    return mld_fractions(cci, in, out, cci->memdev->qos->fm.allocated, false);
}

static CXLRetCode mld_set_allocated(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    return mld_fractions(cci, in, out, cci->memdev->qos->fm.allocated, true);
}

static CXLRetCode mld_get_limit(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    return mld_fractions(cci, in, out, cci->memdev->qos->fm.limit, false);
}

static CXLRetCode mld_set_limit(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    return mld_fractions(cci, in, out, cci->memdev->qos->fm.limit, true);
}

static bool mld_has_lds(const CXLCCI *cci)
{
    return cxl_cci_nr_lds(cci);
}

#define LD_KINDS    (CXL_CCI_FM | CXL_CCI_MHD)
#define LDS         .present = mld_has_lds
/* A multi-headed device has none of its own */
#define QOS         .present = cxl_cci_is_memdev
/* What is set takes effect at once */
#define SET         .effects = CXL_EFF_CONFIG_IMMEDIATE

static const CXLCmd rows[] = {
    CXL_ROW(0x5400, "Get LD Info", LD_KINDS, CXL_LEN(0), mld_get_info, LDS),
    CXL_ROW(0x5401, "Get LD Allocations", LD_KINDS, CXL_LEN(2),
            mld_get_allocations, LDS),
    CXL_ROW(0x5402, "Set LD Allocations", LD_KINDS,
            CXL_LEN_LIST(4, ALLOCATION_SIZE, 0, 1), mld_set_allocations, LDS,
            SET),
    CXL_ROW(0x5403, "Get QoS Control", CXL_CCI_FM, CXL_LEN(0), mld_get_control,
            QOS),
    CXL_ROW(0x5404, "Set QoS Control", CXL_CCI_FM, CXL_LEN(7), mld_set_control,
            QOS, SET),
    CXL_ROW(0x5405, "Get QoS Status", CXL_CCI_FM, CXL_LEN(0), mld_get_status,
            QOS),
    CXL_ROW(0x5406, "Get QoS Allocated BW", CXL_CCI_FM, CXL_LEN(2),
            mld_get_allocated, QOS),
    CXL_ROW(0x5407, "Set QoS Allocated BW", CXL_CCI_FM,
            CXL_LEN_LIST(2, 1, 0, 1), mld_set_allocated, QOS, SET),
    CXL_ROW(0x5408, "Get QoS BW Limit", CXL_CCI_FM, CXL_LEN(2), mld_get_limit,
            QOS),
    CXL_ROW(0x5409, "Set QoS BW Limit", CXL_CCI_FM, CXL_LEN_LIST(2, 1, 0, 1),
            mld_set_limit, QOS, SET),
};

const CXLCmdSet cxl_cmds_mld = CXL_CMD_SET("MLD Components", rows);
