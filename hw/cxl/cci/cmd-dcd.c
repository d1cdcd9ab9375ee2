/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 48h: Dynamic Capacity, the host's side (CXL r3.2 8.2.10.9.9)
 *
 * The set belongs to the device's mailbox; on MCTP-based CCIs it is prohibited.
 * Parsing and answering only: the rules are those of the model (cxl_dc.h).
 */
#include "qemu/osdep.h"
#include "hw/cxl/cxl_dc.h"
#include "cmd-sets.h"

#define REGION_SIZE     0x28
#define USAGE_SIZE      0x10
/* An "updated extent" of 4802h and 4803h: no tag and no sequence */
#define RANGE_SIZE      0x18
#define FLAG_MORE       0x01

static bool dcd_has_dc(const CXLCCI *cci)
{
    return cci->dc != NULL;
}

void cxl_put_dc_usage(CXLWriter *out, const CXLDynCap *dc, uint16_t host)
{
    CXLDCUsage usage;

    cxl_dc_usage(dc, host, &usage);
    cxl_put_le32(out, usage.extents_supported);
    cxl_put_le32(out, usage.extents_available);
    cxl_put_le32(out, usage.tags_supported);
    cxl_put_le32(out, usage.tags_available);
}

void cxl_put_dc_geometry(CXLWriter *out, const CXLDynCap *dc, uint16_t host,
                         unsigned nr)
{
    const CXLDCRegion *region = cxl_dc_region(dc, nr);

    cxl_put_le64(out, cxl_dc_host_base(dc, host) + region->base);
    cxl_put_le64(out, region->decode_len / CXL_DC_GRANULE);
    cxl_put_le64(out, region->len);
    cxl_put_le64(out, region->block_size);
}

static bool dcd_put_extent(void *opaque, const CXLDCExtent *e)
{
    CXLListPart *part = opaque;

    cxl_put_le64(part->out, e->dpa);
    cxl_put_le64(part->out, e->len);
    cxl_put_uuid(part->out, &e->tag);
    cxl_put_le16(part->out, e->seq);
    cxl_put_zero(part->out, 6);
    return ++part->done < part->max;
}

uint32_t cxl_put_dc_extents(CXLWriter *out, const CXLDynCap *dc, uint16_t host,
                            uint32_t start, uint32_t max)
{
    CXLListPart part = {
        .out = out,
        .max = MIN(max, cxl_writer_fits(out, CXL_EXTENT_SIZE, 0)),
    };

    if (part.max) {
        cxl_dc_extents(dc, host, start, dcd_put_extent, &part);
    }
    return part.done;
}

static CXLRetCode dcd_get_config(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    CXLDynCap *dc = cci->dc;
    unsigned total = cxl_dc_nr_regions(dc);
    unsigned count = cxl_get_u8(in);
    unsigned start = cxl_get_u8(in);
    unsigned i;

    if (start >= total) {
        return CXL_RC_INVALID_INPUT;
    }
    cxl_put_u8(out, total);
    cxl_put_u8(out, 0);
    cxl_put_zero(out, 6);
    count = MIN(count, total - start);
    count = MIN(count, cxl_writer_fits(out, REGION_SIZE, USAGE_SIZE));
    cxl_patch_u8(out, 1, count);
    for (i = start; i < start + count; i++) {
        cxl_put_dc_geometry(out, dc, cci->host_id, i);
        cxl_put_le32(out, cxl_dc_dsmad_handle(dc, cci->host_id, i));
        cxl_put_u8(out, cxl_dc_region(dc, i)->sanitize);
        cxl_put_zero(out, 3);
    }
    cxl_put_dc_usage(out, dc, cci->host_id);
    return CXL_RC_SUCCESS;
}

static CXLRetCode dcd_get_extent_list(CXLCCI *cci, CXLReader *in,
                                      CXLWriter *out)
{
    CXLDynCap *dc = cci->dc;
    uint32_t total = cxl_dc_extent_count(dc, cci->host_id);
    uint32_t max = cxl_get_le32(in);
    uint32_t start = cxl_get_le32(in);

    if (start > total) {
        return CXL_RC_INVALID_INPUT;
    }
    cxl_put_le32(out, 0);
    cxl_put_le32(out, total);
    cxl_put_le32(out, cxl_dc_generation(dc, cci->host_id));
    cxl_put_zero(out, 4);
    cxl_patch_le32(out, 0, cxl_put_dc_extents(out, dc, cci->host_id, start,
                                              max));
    return CXL_RC_SUCCESS;
}

typedef CXLRetCode HostAnswer(CXLDynCap *dc, uint16_t host,
                              const CXLDCRange *ranges, size_t n, bool more);

/* 4802h and 4803h differ in what the model does with the list */
static CXLRetCode dcd_host_answer(CXLCCI *cci, CXLReader *in,
                                  HostAnswer *answer)
{
    uint32_t n = cxl_get_le32(in);
    bool more = cxl_get_u8(in) & FLAG_MORE;
    g_autofree CXLDCRange *ranges = NULL;
    uint32_t i;

    cxl_get_skip(in, 3);
    /* the length rule has tied n to bytes that are really here */
    ranges = g_new(CXLDCRange, n);
    for (i = 0; i < n; i++) {
        ranges[i].dpa = cxl_get_le64(in);
        ranges[i].len = cxl_get_le64(in);
        cxl_get_skip(in, 8);
    }
    return answer(cci->dc, cci->host_id, ranges, n, more);
}

static CXLRetCode dcd_add_response(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    return dcd_host_answer(cci, in, cxl_dc_host_respond);
}

static CXLRetCode dcd_release(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    return dcd_host_answer(cci, in, cxl_dc_host_release);
}

#define DC  .flags = CXL_CMD_POOL, .present = dcd_has_dc

static const CXLCmd rows[] = {
    CXL_ROW(0x4800, "Get Dynamic Capacity Configuration", CXL_CCI_MAILBOX,
            CXL_LEN(2), dcd_get_config, DC),
    CXL_ROW(0x4801, "Get Dynamic Capacity Extent List", CXL_CCI_MAILBOX,
            CXL_LEN(8), dcd_get_extent_list, DC),
    CXL_ROW(0x4802, "Add Dynamic Capacity Response", CXL_CCI_MAILBOX,
            CXL_LEN_LIST(8, RANGE_SIZE, 0, 4), dcd_add_response,
            .effects = CXL_EFF_CONFIG_IMMEDIATE, DC),
    CXL_ROW(0x4803, "Release Dynamic Capacity", CXL_CCI_MAILBOX,
            CXL_LEN_LIST(8, RANGE_SIZE, 0, 4), dcd_release,
            .effects = CXL_EFF_CONFIG_IMMEDIATE, DC),
};

const CXLCmdSet cxl_cmds_dcd = CXL_CMD_SET("Dynamic Capacity", rows);
