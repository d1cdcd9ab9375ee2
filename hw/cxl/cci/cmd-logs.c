/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 04h: Logs (CXL r3.2 8.2.10.5)
 *
 * A log is a row of the table below, with a size and a reader that ask the CCI;
 * a log of size 0 is not offered.  0402h to 0405h answer from the same rows.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/cxl/cxl_dc.h"
#include "hw/cxl/memdev/debug-log.h"
#include "hw/cxl/cxl_memdev.h"
#include "cmd-sets.h"

#define LOG_ENTRY_SIZE  0x14

/* Capabilities of a log, 0402h */
#define LOG_CLEARABLE   (1u << 0)
#define LOG_POPULATABLE (1u << 1)
#define LOG_PERSISTENT  (1u << 3)   /* unsure: over a reset */

/**
 * struct LogSource - a log that some CCIs offer
 * @caps: LOG_* for 0402h
 * @always: also read while the media is disabled
 * @size: bytes of the log on this CCI now, 0 if it has none
 * @read: bytes that lie inside the log
 * @clear: 0403h; needed with LOG_CLEARABLE
 * @populate: 0404h; needed with LOG_POPULATABLE
 */
typedef struct LogSource {
    QemuUUID uuid;
    uint32_t caps;
    bool always;
    size_t (*size)(const CXLCCI *cci);
    void (*read)(const CXLCCI *cci, size_t offset, size_t len, CXLWriter *out);
    CXLRetCode (*clear)(CXLCCI *cci);
    CXLRetCode (*populate)(CXLCCI *cci);
} LogSource;

/* A host at one CCI has no business with what other CCIs carry */
static CXLMemDev *logs_memdev(const CXLCCI *cci)
{
    return cci->kind == CXL_CCI_LD ? NULL : cci->memdev;
}

static size_t logs_history_size(const CXLCCI *cci)
{
    return logs_memdev(cci) ? CXL_HISTORY_SIZE : 0;
}

static void logs_history_read(const CXLCCI *cci, size_t offset, size_t len,
                              CXLWriter *out)
{
    cxl_history_read(logs_memdev(cci)->history, offset, len, out);
}

static CXLRetCode logs_history_clear(CXLCCI *cci)
{
    cxl_history_clear(logs_memdev(cci)->history);
    return CXL_RC_SUCCESS;
}

static size_t logs_dump_size(const CXLCCI *cci)
{
    return logs_memdev(cci) ? CXL_DUMP_SIZE : 0;
}

static void logs_dump_read(const CXLCCI *cci, size_t offset, size_t len,
                           CXLWriter *out)
{
    cxl_put_bytes(out, logs_memdev(cci)->dump->bytes + offset, len);
}

static CXLRetCode logs_dump_clear(CXLCCI *cci)
{
    cxl_dump_clear(logs_memdev(cci)->dump);
    return CXL_RC_SUCCESS;
}

static CXLRetCode logs_dump_populate(CXLCCI *cci)
{
    CXLMemDev *d = logs_memdev(cci);

    d->ops->dump(d->opaque);
    return CXL_RC_SUCCESS;
}

/* -- capacity that hosts elsewhere may still reach ------------------------ */

#define LEAVING_HEAD    8
#define LEAVING_ENTRY   24
/* No host reaches it: it is being overwritten */
#define LEAVING_WIPED   1

static bool logs_count_leaving(void *opaque, uint16_t host, uint64_t ticket,
                               const CXLDCRange *range)
{
    ++*(uint32_t *)opaque;
    return true;
}

static uint32_t logs_leaving(const CXLCCI *cci)
{
    uint32_t n = 0;

    cxl_dc_leaving(cci->dc, logs_count_leaving, &n);
    return n;
}

/* That of the Fabric Manager, whose hosts are not in this process */
static size_t logs_leaving_size(const CXLCCI *cci)
{
    return cci->kind == CXL_CCI_MHD && cci->dc && cxl_dc_is_fenced(cci->dc) ?
           LEAVING_HEAD + LEAVING_ENTRY * (size_t)logs_leaving(cci) : 0;
}

/** struct LeavingPart - a piece of the log: @left bytes behind @skip others */
typedef struct LeavingPart {
    const CXLCCI *cci;
    CXLWriter *out;
    size_t skip;
    size_t left;
} LeavingPart;

static void logs_put_part(LeavingPart *part, const uint8_t *bytes, size_t len)
{
    size_t skip = MIN(part->skip, len);
    size_t n = MIN(len - skip, part->left);

    cxl_put_bytes(part->out, bytes + skip, n);
    part->skip -= skip;
    part->left -= n;
}

static bool logs_put_leaving(void *opaque, uint16_t host, uint64_t ticket,
                             const CXLDCRange *range)
{
    LeavingPart *part = opaque;
    uint8_t entry[LEAVING_ENTRY] = { };

    stw_le_p(entry, host);
    entry[2] = ticket == CXL_DC_TICKET_WIPE ? LEAVING_WIPED : 0;
    stq_le_p(entry + 8, range->dpa + cxl_dc_host_base(part->cci->dc, host));
    stq_le_p(entry + 16, range->len);
    logs_put_part(part, entry, sizeof(entry));
    return part->left;
}

static void logs_leaving_read(const CXLCCI *cci, size_t offset, size_t len,
                              CXLWriter *out)
{
    LeavingPart part = { cci, out, offset, len };
    uint8_t head[LEAVING_HEAD] = { };

    stl_le_p(head, logs_leaving(cci));
    logs_put_part(&part, head, sizeof(head));
    cxl_dc_leaving(cci->dc, logs_put_leaving, &part);
}

static const LogSource log_sources[] = {
    {
        /* Command Effects Log */
        .uuid.data = CXL_LOG_UUID_CEL,
        .always = true,
        .size = cxl_cci_cel_size,
        .read = cxl_cci_cel_read,
    }, {
        /* Vendor Debug Log */
        .uuid.data = UUID(0x5e1819d9, 0x11a9, 0x400c,
                          0x81, 0x1f, 0xd6, 0x07, 0x19, 0x40, 0x3d, 0x86),
        .caps = LOG_CLEARABLE | LOG_PERSISTENT,
        .size = logs_history_size,
        .read = logs_history_read,
        .clear = logs_history_clear,
    }, {
        /* Component State Dump Log */
        .uuid.data = UUID(0xb3fab4cf, 0x01b6, 0x4332,
                          0x94, 0x3e, 0x5e, 0x99, 0x62, 0xf2, 0x35, 0x67),
        .caps = LOG_CLEARABLE | LOG_POPULATABLE | LOG_PERSISTENT,
        .size = logs_dump_size,
        .read = logs_dump_read,
        .clear = logs_dump_clear,
        .populate = logs_dump_populate,
    }, {
        /* Capacity that leaves hosts, docs/system/devices/cxl-commands.rst */
        .uuid.data = UUID(0x6a5aa14d, 0x4ec2, 0x4a94,
                          0x8a, 0x75, 0xc5, 0x45, 0xbd, 0x61, 0xbe, 0xe5),
        .always = true,
        .size = logs_leaving_size,
        .read = logs_leaving_read,
    },
};

static unsigned logs_count(const CXLCCI *cci)
{
    unsigned i, n = 0;

    for (i = 0; i < ARRAY_SIZE(log_sources); i++) {
        n += log_sources[i].size(cci) != 0;
    }
    return n;
}

static const LogSource *logs_find(const CXLCCI *cci, const QemuUUID *uuid)
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
static unsigned logs_put_entries(const CXLCCI *cci, unsigned start,
                                 unsigned max, CXLWriter *out)
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

static CXLRetCode logs_get_supported(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    cxl_put_le16(out, 0);
    cxl_put_zero(out, 6);
    cxl_patch_le16(out, 0, logs_put_entries(cci, 0, UINT16_MAX, out));
    return CXL_RC_SUCCESS;
}

static CXLRetCode logs_get(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    const LogSource *log;
    uint32_t offset, len;
    QemuUUID uuid;
    size_t size;

    cxl_get_uuid(in, &uuid);
    offset = cxl_get_le32(in);
    len = cxl_get_le32(in);
    log = logs_find(cci, &uuid);
    if (!log) {
        return CXL_RC_INVALID_LOG;
    }
    if (!log->always && cxl_cci_media_disabled(cci)) {
        return CXL_RC_MEDIA_DISABLED;
    }
    size = log->size(cci);
    if (len > cxl_writer_fits(out, 1, 0) || offset > size ||
        len > size - offset) {
        return CXL_RC_INVALID_INPUT;
    }
    log->read(cci, offset, len, out);
    return CXL_RC_SUCCESS;
}

/* The request of 0402h to 0404h: a UUID */
static const LogSource *logs_get_source(const CXLCCI *cci, CXLReader *in)
{
    QemuUUID uuid;

    cxl_get_uuid(in, &uuid);
    return logs_find(cci, &uuid);
}

static CXLRetCode logs_get_capabilities(CXLCCI *cci, CXLReader *in,
                                        CXLWriter *out)
{
    const LogSource *log = logs_get_source(cci, in);

    if (!log) {
        return CXL_RC_INVALID_LOG;
    }
    cxl_put_le32(out, log->caps);
    return CXL_RC_SUCCESS;
}

/* A log that does not offer the operation: 02, as for any wrong field */
static CXLRetCode logs_clear(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    const LogSource *log = logs_get_source(cci, in);

    if (!log) {
        return CXL_RC_INVALID_LOG;
    }
    return log->caps & LOG_CLEARABLE ? log->clear(cci) : CXL_RC_INVALID_INPUT;
}

static CXLRetCode logs_populate(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    const LogSource *log = logs_get_source(cci, in);

    if (!log) {
        return CXL_RC_INVALID_LOG;
    }
    return log->caps & LOG_POPULATABLE ? log->populate(cci) :
                                         CXL_RC_INVALID_INPUT;
}

static CXLRetCode logs_get_sub_list(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    unsigned max = cxl_get_u8(in);
    unsigned start = cxl_get_u8(in);
    unsigned total = logs_count(cci);

    if (start >= total) {
        return CXL_RC_INVALID_INPUT;
    }
    cxl_put_u8(out, 0);
    cxl_put_zero(out, 1);
    cxl_put_le16(out, total);
    cxl_put_u8(out, start);
    cxl_put_zero(out, 3);
    cxl_patch_u8(out, 0, logs_put_entries(cci, start, max, out));
    return CXL_RC_SUCCESS;
}

static const CXLCmd rows[] = {
    CXL_ROW(0x0400, "Get Supported Logs", CXL_CCI_ALL, CXL_LEN(0),
            logs_get_supported),
    CXL_ROW(CXL_OP_GET_LOG, "Get Log", CXL_CCI_ALL, CXL_LEN(0x18),
            logs_get),
    CXL_ROW(0x0402, "Get Log Capabilities", CXL_CCI_ALL, CXL_LEN(0x10),
            logs_get_capabilities),
    CXL_ROW(0x0403, "Clear Log", CXL_CCI_ALL, CXL_LEN(0x10), logs_clear,
            .effects = CXL_EFF_LOG_IMMEDIATE),
    CXL_ROW(0x0404, "Populate Log", CXL_CCI_ALL, CXL_LEN(0x10),
            logs_populate, .effects = CXL_EFF_LOG_IMMEDIATE),
    CXL_ROW(0x0405, "Get Supported Logs Sub-List", CXL_CCI_ALL, CXL_LEN(2),
            logs_get_sub_list),
};

const CXLCmdSet cxl_cmds_logs = CXL_CMD_SET("Logs", rows);
