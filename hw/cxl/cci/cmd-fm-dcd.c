/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 56h: DCD Management, the Fabric Manager's side (CXL r3.2 7.6.7.6)
 *
 * Offered on the out-of-band CCI of a device with dynamic capacity, and on its
 * mailbox when the owner asks for it.  The out-of-band CCI has a small payload:
 * every list answers with as many entries as fit.
 */
#include "qemu/osdep.h"
#include "hw/cxl/cxl_dc.h"
#include "cmd-sets.h"

#define FM_REGION_SIZE  0x28
#define USAGE_SIZE      0x10
#define TAG_ENTRY_SIZE  0x54
/* 5604h and 5605h: up to the tag, and with the extent count */
#define REQUEST_SIZE    0x1c
#define REQUEST_LIST    0x20

#define POLICY_MASK     0x0f
#define FLAG_FORCED     0x10
#define FLAG_SANITIZE   0x20

/* Region attributes of 5601h stand where a DSMAS has them */
#define ATTR_NON_VOLATILE   (1 << 2)
#define ATTR_SHARABLE       (1 << 3)
#define ATTR_HW_COHERENT    (1 << 4)
#define ATTR_DYNAMIC        (1 << 5)
#define ATTR_READ_ONLY      (1 << 6)

static bool fm_has_dc(const CXLCCI *cci)
{
    return cci->dc && (cci->kind != CXL_CCI_MAILBOX || cci->fm_sets);
}

static CXLRetCode fm_dcd_get_info(CXLCCI *cci, CXLReader *in,
                                  CXLWriter *out)
{
    CXLDynCap *dc = cci->dc;
    unsigned n = cxl_dc_nr_regions(dc);
    uint8_t configurable = 0;
    unsigned i;

    for (i = 0; i < n; i++) {
        configurable |= cxl_dc_region(dc, i)->sanitize_configurable << i;
    }
    /*
     * The field has eight bits for up to 256 hosts.  More than 255 do not fit
     * and read as 255, which never promises a host that is not there.
     */
    cxl_put_u8(out, MIN(cxl_dc_nr_hosts(dc), UINT8_MAX));
    cxl_put_u8(out, n);
    cxl_put_zero(out, 2);
    cxl_put_le16(out, cxl_dc_add_policies(dc));
    cxl_put_zero(out, 2);
    cxl_put_le16(out, cxl_dc_release_policies(dc));
    cxl_put_u8(out, configurable);
    cxl_put_zero(out, 1);
    cxl_put_le64(out, cxl_dc_total_capacity(dc) / CXL_DC_GRANULE);
    for (i = 0; i < CXL_DC_MAX_REGIONS; i++) {
        cxl_put_le64(out, i < n ? cxl_dc_region(dc, i)->block_mask : 0);
    }
    return CXL_RC_SUCCESS;
}

static uint8_t fm_dcd_region_attributes(const CXLDCRegion *region)
{
    return ATTR_DYNAMIC |
           (region->non_volatile ? ATTR_NON_VOLATILE : 0) |
           (region->sharable ? ATTR_SHARABLE : 0) |
           (region->hw_coherent ? ATTR_HW_COHERENT : 0) |
           (region->read_only ? ATTR_READ_ONLY : 0);
}

static CXLRetCode fm_dcd_get_host_regions(CXLCCI *cci, CXLReader *in,
                                          CXLWriter *out)
{
    CXLDynCap *dc = cci->dc;
    unsigned total = cxl_dc_nr_regions(dc);
    uint16_t host = cxl_get_le16(in);
    unsigned count = cxl_get_u8(in);
    unsigned start = cxl_get_u8(in);
    unsigned i;

    if (host >= cxl_dc_nr_hosts(dc) || start >= total) {
        return CXL_RC_INVALID_INPUT;
    }
    cxl_put_le16(out, host);
    cxl_put_u8(out, total);
    cxl_put_u8(out, 0);
    count = MIN(count, total - start);
    count = MIN(count, cxl_writer_fits(out, FM_REGION_SIZE, USAGE_SIZE));
    cxl_patch_u8(out, 3, count);
    for (i = start; i < start + count; i++) {
        const CXLDCRegion *region = cxl_dc_region(dc, i);

        cxl_put_dc_geometry(out, dc, host, i);
        cxl_put_u8(out, fm_dcd_region_attributes(region));
        cxl_put_zero(out, 3);
        cxl_put_u8(out, region->sanitize);
        cxl_put_zero(out, 3);
    }
    cxl_put_dc_usage(out, dc, host);
    return CXL_RC_SUCCESS;
}

static CXLRetCode fm_dcd_set_region_config(CXLCCI *cci, CXLReader *in,
                                           CXLWriter *out)
{
    unsigned region = cxl_get_u8(in);
    uint64_t block_size;
    bool sanitize;

    cxl_get_skip(in, 3);
    block_size = cxl_get_le64(in);
    sanitize = cxl_get_u8(in) & 1;
    /*
     * The specification's table serves as request and as response; clients
     * expect an empty response, and get one.
     */
    return cxl_dc_set_region(cci->dc, region, block_size, sanitize,
                             NULL);
}

static CXLRetCode fm_dcd_get_extent_lists(CXLCCI *cci, CXLReader *in,
                                          CXLWriter *out)
{
    CXLDynCap *dc = cci->dc;
    uint16_t host = cxl_get_le16(in);
    uint32_t max, start, total;

    cxl_get_skip(in, 2);
    max = cxl_get_le32(in);
    start = cxl_get_le32(in);
    if (host >= cxl_dc_nr_hosts(dc)) {
        return CXL_RC_INVALID_INPUT;
    }
    total = cxl_dc_extent_count(dc, host);
    if (start > total) {
        return CXL_RC_INVALID_INPUT;
    }
    cxl_put_le16(out, host);
    cxl_put_zero(out, 2);
    cxl_put_le32(out, start);
    cxl_put_le32(out, 0);
    cxl_put_le32(out, total);
    cxl_put_le32(out, cxl_dc_generation(dc, host));
    cxl_put_zero(out, 4);
    cxl_patch_le32(out, 8, cxl_put_dc_extents(out, dc, host, start, max));
    return CXL_RC_SUCCESS;
}

/*
 * The extent list of a prescriptive request.  Other policies have no list;
 * their clients may send the count all the same.  An unknown policy has no
 * length to check: the model refuses it.
 */
static CXLRetCode fm_dcd_get_request_list(CXLReader *in, unsigned policies,
                                          unsigned policy,
                                          unsigned prescriptive,
                                          CXLDCExtent **list, size_t *nr)
{
    uint64_t count, i;

    if (!(policies & (1u << policy))) {
        return CXL_RC_SUCCESS;
    }
    if (policy != prescriptive) {
        return in->size == REQUEST_SIZE || in->size == REQUEST_LIST ?
               CXL_RC_SUCCESS : CXL_RC_INVALID_PAYLOAD_LENGTH;
    }
    count = cxl_get_le32(in);
    if (in->overrun || cxl_reader_left(in) != count * CXL_EXTENT_SIZE) {
        return CXL_RC_INVALID_PAYLOAD_LENGTH;
    }
    *nr = count;
    *list = g_new(CXLDCExtent, count);
    for (i = 0; i < count; i++) {
        CXLDCExtent *e = *list + i;

        e->dpa = cxl_get_le64(in);
        e->len = cxl_get_le64(in);
        cxl_get_uuid(in, &e->tag);
        e->seq = cxl_get_le16(in);
        cxl_get_skip(in, 6);
    }
    return CXL_RC_SUCCESS;
}

static CXLRetCode fm_dcd_initiate_add(CXLCCI *cci, CXLReader *in,
                                      CXLWriter *out)
{
    CXLDynCap *dc = cci->dc;
    g_autofree CXLDCExtent *list = NULL;
    CXLDCAddRequest req = { 0 };
    /* selection by tag has no bit in 5600h: it comes with sharable regions */
    unsigned policies = cxl_dc_add_policies(dc) | 1u << CXL_DC_ADD_SHARED;
    CXLRetCode rc;

    req.host = cxl_get_le16(in);
    req.policy = cxl_get_u8(in) & POLICY_MASK;
    req.region = cxl_get_u8(in);
    req.len = cxl_get_le64(in);
    cxl_get_uuid(in, &req.tag);
    rc = fm_dcd_get_request_list(in, policies, req.policy,
                                 CXL_DC_ADD_PRESCRIPTIVE, &list,
                                 &req.nr_extents);
    if (rc != CXL_RC_SUCCESS) {
        return rc;
    }
    req.extents = list;
    return cxl_dc_add(dc, &req, NULL);
}

static CXLRetCode fm_dcd_initiate_release(CXLCCI *cci, CXLReader *in,
                                          CXLWriter *out)
{
    CXLDynCap *dc = cci->dc;
    g_autofree CXLDCExtent *list = NULL;
    CXLDCReleaseRequest req = { 0 };
    uint8_t flags;
    CXLRetCode rc;

    req.host = cxl_get_le16(in);
    flags = cxl_get_u8(in);
    req.policy = flags & POLICY_MASK;
    req.forced = flags & FLAG_FORCED;
    req.sanitize = flags & FLAG_SANITIZE;
    cxl_get_skip(in, 1);
    req.len = cxl_get_le64(in);
    cxl_get_uuid(in, &req.tag);
    rc = fm_dcd_get_request_list(in, cxl_dc_release_policies(dc), req.policy,
                                 CXL_DC_RELEASE_PRESCRIPTIVE, &list,
                                 &req.nr_extents);
    if (rc != CXL_RC_SUCCESS) {
        return rc;
    }
    req.extents = list;
    return cxl_dc_release(dc, &req, NULL);
}

static CXLRetCode fm_dcd_add_reference(CXLCCI *cci, CXLReader *in,
                                       CXLWriter *out)
{
    QemuUUID tag;

    cxl_get_uuid(in, &tag);
    return cxl_dc_add_reference(cci->dc, &tag);
}

static CXLRetCode fm_dcd_remove_reference(CXLCCI *cci, CXLReader *in,
                                          CXLWriter *out)
{
    QemuUUID tag;

    cxl_get_uuid(in, &tag);
    return cxl_dc_remove_reference(cci->dc, &tag);
}

static void fm_dcd_put_hosts(CXLWriter *out, const unsigned long *map)
{
    unsigned byte, bit;

    for (byte = 0; byte < CXL_DC_MAX_HOSTS / 8; byte++) {
        uint8_t v = 0;

        for (bit = 0; bit < 8; bit++) {
            v |= test_bit(byte * 8 + bit, map) << bit;
        }
        cxl_put_u8(out, v);
    }
}

static bool fm_dcd_put_tag(void *opaque, const CXLDCTagInfo *info)
{
    CXLListPart *part = opaque;

    cxl_put_uuid(part->out, &info->tag);
    cxl_put_u8(part->out, info->referenced);
    cxl_put_zero(part->out, 3);
    fm_dcd_put_hosts(part->out, info->accepted);
    fm_dcd_put_hosts(part->out, info->pending);
    return ++part->done < part->max;
}

static CXLRetCode fm_dcd_list_tags(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    CXLDynCap *dc = cci->dc;
    uint32_t total = cxl_dc_tag_count(dc);
    uint32_t start = cxl_get_le32(in);
    uint32_t max = cxl_get_le32(in);
    CXLListPart part = { .out = out };

    if (start > total) {
        return CXL_RC_INVALID_INPUT;
    }
    cxl_put_le32(out, cxl_dc_tag_generation(dc));
    cxl_put_le32(out, total);
    cxl_put_le32(out, 0);
    /* reference and pending bitmaps are both valid */
    cxl_put_u8(out, 3);
    cxl_put_zero(out, 3);
    part.max = MIN(max, cxl_writer_fits(out, TAG_ENTRY_SIZE, 0));
    if (part.max) {
        cxl_dc_tags(dc, start, fm_dcd_put_tag, &part);
    }
    cxl_patch_le32(out, 8, part.done);
    return CXL_RC_SUCCESS;
}

#define FM_KINDS        (CXL_CCI_FM | CXL_CCI_MAILBOX | CXL_CCI_MHD)
/* Assignments change at once and are kept or lost by every kind of reset */
#define EFF_REFERENCE \
    (CXL_EFF_CONFIG_COLD_RESET | CXL_EFF_CONFIG_IMMEDIATE | \
     CXL_EFF_RESET_BITS_VALID | CXL_EFF_CONFIG_CONV_RESET | \
     CXL_EFF_CONFIG_CXL_RESET)
#define EFF_CAPACITY    (EFF_REFERENCE | CXL_EFF_DATA_IMMEDIATE)

static const CXLCmd rows[] = {
    CXL_ROW(0x5600, "Get DCD Info", FM_KINDS, CXL_LEN(0), fm_dcd_get_info,
            .present = fm_has_dc),
    CXL_ROW(0x5601, "Get Host DC Region Configuration", FM_KINDS, CXL_LEN(4),
            fm_dcd_get_host_regions, .present = fm_has_dc),
    CXL_ROW(0x5602, "Set DC Region Configuration", FM_KINDS, CXL_LEN(0x10),
            fm_dcd_set_region_config, .effects = EFF_CAPACITY,
            .present = fm_has_dc),
    CXL_ROW(0x5603, "Get DC Region Extent Lists", FM_KINDS, CXL_LEN(0xc),
            fm_dcd_get_extent_lists, .present = fm_has_dc),
    CXL_ROW(0x5604, "Initiate Dynamic Capacity Add", FM_KINDS,
            CXL_LEN_MIN(REQUEST_SIZE), fm_dcd_initiate_add,
            .effects = EFF_CAPACITY, .present = fm_has_dc),
    CXL_ROW(0x5605, "Initiate Dynamic Capacity Release", FM_KINDS,
            CXL_LEN_MIN(REQUEST_SIZE), fm_dcd_initiate_release,
            .effects = EFF_CAPACITY, .present = fm_has_dc),
    CXL_ROW(0x5606, "Dynamic Capacity Add Reference", FM_KINDS, CXL_LEN(0x10),
            fm_dcd_add_reference, .effects = EFF_REFERENCE,
            .present = fm_has_dc),
    CXL_ROW(0x5607, "Dynamic Capacity Remove Reference", FM_KINDS,
            CXL_LEN(0x10), fm_dcd_remove_reference,
            .effects = EFF_REFERENCE, .present = fm_has_dc),
    CXL_ROW(0x5608, "Dynamic Capacity List Tags", FM_KINDS, CXL_LEN(8),
            fm_dcd_list_tags, .present = fm_has_dc),
};

const CXLCmdSet cxl_cmds_fm_dcd = CXL_CMD_SET("DCD Management", rows);
