/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 04h: Logs (CXL r3.2 8.2.10.5)
 *
 * A log is a row of the table below, with a size and a reader that ask the CCI;
 * a log of size 0 is not offered.  0402h to 0405h answer from the same rows.
 */
#include "qemu/osdep.h"
#include "cmd-sets.h"

#define LOG_ENTRY_SIZE  0x14

/* Capabilities of a log, 0402h */
#define LOG_CLEARABLE   (1u << 0)
#define LOG_POPULATABLE (1u << 1)

/**
 * struct LogSource - a log that some CCIs offer
 * @caps: LOG_* for 0402h
 * @size: bytes of the log on this CCI now, 0 if it has none
 * @read: bytes that lie inside the log
 * @clear: 0403h; needed with LOG_CLEARABLE
 * @populate: 0404h; needed with LOG_POPULATABLE
 */
typedef struct LogSource {
    QemuUUID uuid;
    uint32_t caps;
    size_t (*size)(const CXLCCI *cci);
    void (*read)(const CXLCCI *cci, size_t offset, size_t len, CXLWriter *out);
    CXLRetCode (*clear)(CXLCCI *cci);
    CXLRetCode (*populate)(CXLCCI *cci);
} LogSource;

static const LogSource log_sources[] = {
    {
        /* Command Effects Log */
        .uuid.data = UUID(0x0da9c0b5, 0xbf41, 0x4b78,
                          0x8f, 0x79, 0x96, 0xb1, 0x62, 0x3b, 0x3f, 0x17),
        .size = cxl_cci_cel_size,
        .read = cxl_cci_cel_read,
    },
};

static unsigned log_count(const CXLCCI *cci)
{
    unsigned i, n = 0;

    for (i = 0; i < ARRAY_SIZE(log_sources); i++) {
        n += log_sources[i].size(cci) != 0;
    }
    return n;
}

static const LogSource *log_find(const CXLCCI *cci, const QemuUUID *uuid)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(log_sources); i++) {
        if (qemu_uuid_is_equal(uuid, &log_sources[i].uuid) &&
            log_sources[i].size(cci)) {
            return &log_sources[i];
        }
    }
    return NULL;
}

/* At most @max entries from the @start-th on; as many as fit */
static unsigned put_entries(const CXLCCI *cci, unsigned start, unsigned max,
                            CXLWriter *out)
{
    unsigned i, index = 0, done = 0;

    max = MIN(max, cxl_writer_fits(out, LOG_ENTRY_SIZE, 0));
    for (i = 0; i < ARRAY_SIZE(log_sources) && done < max; i++) {
        size_t size = log_sources[i].size(cci);

        if (size && index++ >= start) {
            cxl_put_uuid(out, &log_sources[i].uuid);
            cxl_put_le32(out, size);
            done++;
        }
    }
    return done;
}

static CXLRetCode get_supported(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    cxl_put_le16(out, 0);
    cxl_put_zero(out, 6);
    cxl_patch_le16(out, 0, put_entries(cci, 0, UINT16_MAX, out));
    return CXL_RC_SUCCESS;
}

static CXLRetCode get_log(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    const LogSource *log;
    uint32_t offset, len;
    QemuUUID uuid;
    size_t size;

    cxl_get_uuid(in, &uuid);
    offset = cxl_get_le32(in);
    len = cxl_get_le32(in);
    log = log_find(cci, &uuid);
    if (!log) {
        return CXL_RC_INVALID_LOG;
    }
    size = log->size(cci);
    if (len > cxl_writer_fits(out, 1, 0) || offset > size ||
        len > size - offset) {
        return CXL_RC_INVALID_INPUT;
    }
    log->read(cci, offset, len, out);
    return CXL_RC_SUCCESS;
}

static CXLRetCode get_capabilities(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    const LogSource *log;
    QemuUUID uuid;

    cxl_get_uuid(in, &uuid);
    log = log_find(cci, &uuid);
    if (!log) {
        return CXL_RC_INVALID_LOG;
    }
    cxl_put_le32(out, log->caps);
    return CXL_RC_SUCCESS;
}

/* A log that does not offer the operation: 02, as for any wrong field */
static CXLRetCode clear_log(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    const LogSource *log;
    QemuUUID uuid;

    cxl_get_uuid(in, &uuid);
    log = log_find(cci, &uuid);
    if (!log) {
        return CXL_RC_INVALID_LOG;
    }
    return log->caps & LOG_CLEARABLE ? log->clear(cci) : CXL_RC_INVALID_INPUT;
}

static CXLRetCode populate_log(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    const LogSource *log;
    QemuUUID uuid;

    cxl_get_uuid(in, &uuid);
    log = log_find(cci, &uuid);
    if (!log) {
        return CXL_RC_INVALID_LOG;
    }
    return log->caps & LOG_POPULATABLE ? log->populate(cci) :
                                         CXL_RC_INVALID_INPUT;
}

static CXLRetCode get_sub_list(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    unsigned max = cxl_get_u8(in);
    unsigned start = cxl_get_u8(in);
    unsigned total = log_count(cci);

    if (start >= total) {
        return CXL_RC_INVALID_INPUT;
    }
    cxl_put_u8(out, 0);
    cxl_put_zero(out, 1);
    cxl_put_le16(out, total);
    cxl_put_u8(out, start);
    cxl_put_zero(out, 3);
    cxl_patch_u8(out, 0, put_entries(cci, start, max, out));
    return CXL_RC_SUCCESS;
}

static const CXLCmd rows[] = {
    {
        .opcode = 0x0400,
        .name = "Get Supported Logs",
        .where = CXL_CCI_ALL,
        .len = CXL_LEN(0),
        .handler = get_supported,
    }, {
        .opcode = 0x0401,
        .name = "Get Log",
        .where = CXL_CCI_ALL,
        .flags = CXL_CMD_MEDIA,
        .len = CXL_LEN(0x18),
        .handler = get_log,
    }, {
        .opcode = 0x0402,
        .name = "Get Log Capabilities",
        .where = CXL_CCI_ALL,
        .len = CXL_LEN(0x10),
        .handler = get_capabilities,
    }, {
        .opcode = 0x0403,
        .name = "Clear Log",
        .effects = CXL_EFF_LOG_IMMEDIATE,
        .where = CXL_CCI_ALL,
        .len = CXL_LEN(0x10),
        .handler = clear_log,
    }, {
        .opcode = 0x0404,
        .name = "Populate Log",
        .effects = CXL_EFF_LOG_IMMEDIATE,
        .where = CXL_CCI_ALL,
        .len = CXL_LEN(0x10),
        .handler = populate_log,
    }, {
        .opcode = 0x0405,
        .name = "Get Supported Logs Sub-List",
        .where = CXL_CCI_ALL,
        .len = CXL_LEN(2),
        .handler = get_sub_list,
    },
};

const CXLCmdSet cxl_cmds_logs = CXL_CMD_SET("Logs", rows);
