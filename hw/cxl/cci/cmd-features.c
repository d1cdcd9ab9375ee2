/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 05h: Features (CXL r3.2 8.2.10.6)
 *
 * Features belong to the device: whichever interface sets one, all see it.
 */
#include "qemu/osdep.h"
#include "hw/cxl/memdev/features.h"
#include "hw/cxl/cxl_memdev.h"
#include "cmd-sets.h"

#define FEATURE_KINDS   (CXL_CCI_MAILBOX | CXL_CCI_FM)

/* Get Supported Features: what comes before the entries, and an entry */
#define LIST_HEADER     8
#define LIST_ENTRY      0x30
#define ENTRY_RESERVED  0x12
/* Get Feature */
#define GET_SIZE        0x15
/* Set Feature: the data starts here */
#define SET_HEADER      0x20
#define SET_RESERVED    9
#define SET_ACTION      0x07u
#define SET_SAVE        (1u << 3)

static void features_put_entry(CXLWriter *out, const CXLFeatureDef *def,
                               uint16_t index)
{
    cxl_put_uuid(out, &def->uuid);
    cxl_put_le16(out, index);
    cxl_put_le16(out, def->get_size);
    cxl_put_le16(out, def->set_size);
    cxl_put_le32(out, def->attributes);
    cxl_put_u8(out, def->get_version);
    cxl_put_u8(out, def->set_version);
    cxl_put_le16(out, def->effects);
    cxl_put_zero(out, ENTRY_RESERVED);
}

static CXLRetCode features_get_supported(CXLCCI *cci, CXLReader *in,
                                         CXLWriter *out)
{
    const CXLFeatures *f = cci->memdev->features;
    uint32_t bytes = cxl_get_le32(in);
    uint16_t start = cxl_get_le16(in);
    size_t head = out->len;
    uint16_t n, i;

    if (bytes < LIST_HEADER || start >= f->n) {
        return CXL_RC_INVALID_INPUT;
    }
    cxl_put_le16(out, 0);
    cxl_put_le16(out, f->n);
    cxl_put_le32(out, 0);
    n = MIN((bytes - LIST_HEADER) / LIST_ENTRY, f->n - start);
    n = MIN(n, cxl_writer_fits(out, LIST_ENTRY, 0));
    for (i = start; i < start + n; i++) {
        features_put_entry(out, &f->def[i], i);
    }
    cxl_patch_le16(out, head, n);
    return CXL_RC_SUCCESS;
}

static CXLRetCode features_get(CXLCCI *cci, CXLReader *in,
                               CXLWriter *out)
{
    const CXLFeatures *f = cci->memdev->features;
    uint8_t data[CXL_FEATURE_GET_MAX];
    uint16_t offset, count, size;
    uint8_t selection;
    CXLRetCode rc;
    QemuUUID uuid;
    int feature;

    cxl_get_uuid(in, &uuid);
    offset = cxl_get_le16(in);
    count = cxl_get_le16(in);
    selection = cxl_get_u8(in);

    feature = cxl_features_find(f, &uuid);
    if (feature < 0) {
        return CXL_RC_UNSUPPORTED;
    }
    rc = cxl_features_get(f, feature, selection, data);
    if (rc != CXL_RC_SUCCESS) {
        return rc;
    }
    size = f->def[feature].get_size;
    if (offset >= size || (uint32_t)offset + count > cci->payload_max) {
        return CXL_RC_INVALID_INPUT;
    }
    if (cxl_features_in_transfer(f, feature)) {
        return CXL_RC_FEAT_XFER_IN_PROGRESS;
    }
    cxl_put_bytes(out, data + offset, MIN(count, size - offset));
    return CXL_RC_SUCCESS;
}

/* Done at once: Linux takes no "background operation started" here */
static CXLRetCode features_set(CXLCCI *cci, CXLReader *in,
                               CXLWriter *out)
{
    CXLFeaturePart part = { .from = cci->kind };
    uint32_t flags;

    cxl_get_uuid(in, &part.uuid);
    flags = cxl_get_le32(in);
    /* a flag that is not known here might have mattered */
    if (flags & ~(SET_ACTION | SET_SAVE)) {
        return CXL_RC_INVALID_INPUT;
    }
    part.action = flags & SET_ACTION;
    part.save = flags & SET_SAVE;
    part.offset = cxl_get_le16(in);
    part.version = cxl_get_u8(in);
    cxl_get_skip(in, SET_RESERVED);
    part.len = cxl_reader_left(in);
    part.data = cxl_reader_bytes(in, part.len);
    return cxl_features_set(cci->memdev->features, &part);
}

static const CXLCmd rows[] = {
    CXL_ROW(0x0500, "Get Supported Features", FEATURE_KINDS, CXL_LEN(8),
            features_get_supported, .present = cxl_cci_is_memdev),
    CXL_ROW(0x0501, "Get Feature", FEATURE_KINDS, CXL_LEN(GET_SIZE),
            features_get, .present = cxl_cci_is_memdev),
    CXL_ROW(0x0502, "Set Feature", FEATURE_KINDS, CXL_LEN_MIN(SET_HEADER),
            features_set,
            .effects = CXL_EFF_CONFIG_IMMEDIATE | CXL_EFF_DATA_IMMEDIATE |
                       CXL_EFF_POLICY_IMMEDIATE | CXL_EFF_LOG_IMMEDIATE |
                       CXL_EFF_SECURITY, .present = cxl_cci_is_memdev),
};

const CXLCmdSet cxl_cmds_features = CXL_CMD_SET("Features", rows);
