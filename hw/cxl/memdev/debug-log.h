/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a memory device remembers for whoever has to find out what went wrong:
 * the last commands (Vendor Debug Log) and a picture of its state (Component
 * State Dump Log; CXL r3.2 8.2.10.5.2)
 *
 * No request or response is kept, so no passphrase either.  Both logs stay over
 * a reset, for that is when they are wanted.  The insides of both are this
 * device's own, little endian; docs/system/devices/cxl-commands.rst shows them.
 * A model: no QOM, no PCI; the caller holds the BQL.
 */
#ifndef CXL_DEBUG_LOG_H
#define CXL_DEBUG_LOG_H

#include "hw/cxl/cxl_events.h"
#include "hw/cxl/cxl_msg.h"

/* -- commands ----------------------------------------------------------- */

/* Commands that are remembered: the log fits one answer of 2 KiB */
#define CXL_HISTORY_RECORDS     64
#define CXL_HISTORY_HEAD        0x10
#define CXL_HISTORY_RECORD      0x18
#define CXL_HISTORY_SIZE \
    (CXL_HISTORY_HEAD + CXL_HISTORY_RECORDS * CXL_HISTORY_RECORD)

/**
 * struct CXLHistoryRecord - a command that was run
 * @when_ns: device time
 * @in_len, @out_len: bytes of payload
 * @kind: CXLCCIKind through which it came
 */
typedef struct CXLHistoryRecord {
    uint64_t when_ns;
    uint32_t in_len;
    uint32_t out_len;
    uint16_t opcode;
    uint16_t rc;
    uint8_t kind;
} CXLHistoryRecord;

/**
 * struct CXLHistory - the last commands
 * @total: commands since the log was cleared; the n-th, from 0, is in
 *         @record[n % CXL_HISTORY_RECORDS] until it is overwritten
 */
typedef struct CXLHistory {
    uint64_t total;
    CXLHistoryRecord record[CXL_HISTORY_RECORDS];
    const CXLTimestamp *clock;
} CXLHistory;

/** cxl_history_init() - none yet; @clock outlives the history. */
void cxl_history_init(CXLHistory *h, const CXLTimestamp *clock);
void cxl_history_clear(CXLHistory *h);
/** cxl_history_add() - one more, with the time of now instead of its own. */
void cxl_history_add(CXLHistory *h, const CXLHistoryRecord *record);
/** cxl_history_read() - @len bytes from @offset of %CXL_HISTORY_SIZE. */
void cxl_history_read(const CXLHistory *h, size_t offset, size_t len,
                      CXLWriter *out);

extern const struct VMStateDescription vmstate_cxl_history;

/* -- state -------------------------------------------------------------- */

#define CXL_DUMP_SIZE           0x2000
#define CXL_DUMP_HEAD           0x30
#define CXL_DUMP_SECTION_HEAD   8

/* Sections, in this order */
typedef enum CXLDumpSection {
    CXL_DUMP_DEVICE     = 1,
    CXL_DUMP_STATUS     = 2,
    CXL_DUMP_BACKGROUND = 3,
    CXL_DUMP_POISON     = 4,
    CXL_DUMP_EVENTS     = 5,
    CXL_DUMP_DECODERS   = 6,
    CXL_DUMP_DC         = 7,
    CXL_DUMP_REGISTERS  = 8,
} CXLDumpSection;

/** struct CXLDump - the log as it is read; all zeroes: not populated */
typedef struct CXLDump {
    uint8_t bytes[CXL_DUMP_SIZE];
} CXLDump;

void cxl_dump_clear(CXLDump *dump);

/*
 * Populating: begin, then for each section begin, put, end; then end.  A dump
 * that does not fit is a mistake of its maker.
 */
void cxl_dump_begin(CXLDump *dump, CXLWriter *w, uint64_t now_ns);
/** cxl_dump_section() - Return: for cxl_dump_section_end() */
size_t cxl_dump_section(CXLWriter *w, CXLDumpSection id);
void cxl_dump_section_end(CXLWriter *w, size_t section);
void cxl_dump_end(CXLWriter *w);

extern const struct VMStateDescription vmstate_cxl_dump;

#endif /* CXL_DEBUG_LOG_H */
