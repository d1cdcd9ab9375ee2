/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vendor Debug Log and Component State Dump Log, see debug-log.h
 * (CXL r3.2 8.2.10.5.2)
 */
#include "qemu/osdep.h"
#include "migration/vmstate.h"
#include "hw/cxl/memdev/debug-log.h"

/* Layout of the vendor debug log that follows */
#define HISTORY_VERSION 1

/* Layout of a dump: 2694d085-9001-4114-805e-50812353f2e7 */
static const QemuUUID dump_format = {
    .data =
    UUID(0x2694d085, 0x9001, 0x4114,
         0x80, 0x5e, 0x50, 0x81, 0x23, 0x53, 0xf2, 0xe7)
};

void cxl_history_init(CXLHistory *h, const CXLTimestamp *clock)
{
    *h = (CXLHistory) { .clock = clock };
}

void cxl_history_clear(CXLHistory *h)
{
    cxl_history_init(h, h->clock);
}

void cxl_history_add(CXLHistory *h, const CXLHistoryRecord *record)
{
    CXLHistoryRecord *r = &h->record[h->total++ % CXL_HISTORY_RECORDS];

    *r = *record;
    r->when_ns = cxl_timestamp_get(h->clock);
}

static void debug_log_put_record(CXLWriter *w, const CXLHistoryRecord *r)
{
    cxl_put_le64(w, r->when_ns);
    cxl_put_le16(w, r->opcode);
    cxl_put_le16(w, r->rc);
    cxl_put_le32(w, r->in_len);
    cxl_put_le32(w, r->out_len);
    cxl_put_u8(w, r->kind);
    cxl_put_zero(w, 3);
}

void cxl_history_read(const CXLHistory *h, size_t offset, size_t len,
                      CXLWriter *out)
{
    uint64_t kept = MIN(h->total, CXL_HISTORY_RECORDS), i;
    uint8_t bytes[CXL_HISTORY_SIZE];
    CXLWriter w;

    g_assert(offset <= sizeof(bytes) && len <= sizeof(bytes) - offset);
    cxl_writer_init(&w, bytes, sizeof(bytes));
    cxl_put_le16(&w, HISTORY_VERSION);
    cxl_put_le16(&w, CXL_HISTORY_RECORD);
    cxl_put_le32(&w, kept);
    cxl_put_le64(&w, h->total);
    for (i = h->total - kept; i < h->total; i++) {
        debug_log_put_record(&w, &h->record[i % CXL_HISTORY_RECORDS]);
    }
    cxl_put_bytes(out, bytes + offset, len);
}

void cxl_dump_clear(CXLDump *dump)
{
    memset(dump, 0, sizeof(*dump));
}

void cxl_dump_begin(CXLDump *dump, CXLWriter *w, uint64_t now_ns)
{
    cxl_writer_init(w, dump->bytes, sizeof(dump->bytes));
    cxl_put_le32(w, 0);
    cxl_put_zero(w, 4);
    cxl_put_le64(w, now_ns);
    cxl_put_uuid(w, &dump_format);
    cxl_put_zero(w, CXL_DUMP_HEAD - w->len);
}

size_t cxl_dump_section(CXLWriter *w, CXLDumpSection id)
{
    size_t section = w->len;

    cxl_put_le16(w, id);
    cxl_put_le16(w, 1);     /* version */
    cxl_put_le32(w, 0);
    return section;
}

void cxl_dump_section_end(CXLWriter *w, size_t section)
{
    cxl_patch_le32(w, section + 4, w->len - section - CXL_DUMP_SECTION_HEAD);
}

void cxl_dump_end(CXLWriter *w)
{
    g_assert(!w->overflow);
    cxl_patch_le32(w, 0, w->len - CXL_DUMP_HEAD);
}

/* -- migration ---------------------------------------------------------- */

static const VMStateDescription vmstate_cxl_history_record = {
    .name = "cxl-history-record",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(when_ns, CXLHistoryRecord),
        VMSTATE_UINT32(in_len, CXLHistoryRecord),
        VMSTATE_UINT32(out_len, CXLHistoryRecord),
        VMSTATE_UINT16(opcode, CXLHistoryRecord),
        VMSTATE_UINT16(rc, CXLHistoryRecord),
        VMSTATE_UINT8(kind, CXLHistoryRecord),
        VMSTATE_END_OF_LIST()
    },
};

/* Nobody acts on what a log says: there is nothing to check on arrival */
const VMStateDescription vmstate_cxl_history = {
    .name = "cxl-history",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(total, CXLHistory),
        VMSTATE_STRUCT_ARRAY(record, CXLHistory, CXL_HISTORY_RECORDS, 1,
                             vmstate_cxl_history_record, CXLHistoryRecord),
        VMSTATE_END_OF_LIST()
    },
};

const VMStateDescription vmstate_cxl_dump = {
    .name = "cxl-dump",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8_ARRAY(bytes, CXLDump, CXL_DUMP_SIZE),
        VMSTATE_END_OF_LIST()
    },
};
