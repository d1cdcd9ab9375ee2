/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event logs and records (CXL r3.2 8.2.10.2), timestamp (8.2.10.4)
 *
 * A model: no QOM, no PCI.  Each log is a ring that grows on demand up to its
 * depth.  A set of five logs belongs to a CCI's point of view: the host's and
 * the Fabric Manager's are two sets.
 */
#ifndef CXL_EVENTS_H
#define CXL_EVENTS_H

#include "qemu/notify.h"
#include "qemu/uuid.h"
#include "hw/cxl/cxl_msg.h"

#define CXL_EVENT_RECORD_SIZE 0x80

typedef enum CXLEventLogId {
    CXL_EVENT_LOG_INFO,
    CXL_EVENT_LOG_WARN,
    CXL_EVENT_LOG_FAIL,
    CXL_EVENT_LOG_FATAL_ERR,    /* QAPI's CxlEventLog has ..._FATAL */
    CXL_EVENT_LOG_DYNCAP,
    CXL_EVENT_LOGS
} CXLEventLogId;

/* Offsets in every record (Table 8-55) */
#define CXL_EVENT_OFF_LENGTH     0x10
#define CXL_EVENT_OFF_FLAGS      0x11
#define CXL_EVENT_OFF_HANDLE     0x14
#define CXL_EVENT_OFF_RELATED    0x16
#define CXL_EVENT_OFF_TIMESTAMP  0x18
#define CXL_EVENT_OFF_CLASS      0x20
#define CXL_EVENT_OFF_SUBCLASS   0x21
#define CXL_EVENT_OFF_LD         0x22
#define CXL_EVENT_OFF_HEAD       0x24
#define CXL_EVENT_OFF_BODY       0x30

/* Offsets in a Dynamic Capacity Event Record (Table 8-62) */
enum {
    CXL_DC_REC_TYPE         = 0x30,
    CXL_DC_REC_VALIDITY     = 0x31,
    CXL_DC_REC_HOST         = 0x32,
    CXL_DC_REC_REGION       = 0x34,
    CXL_DC_REC_MORE         = 0x35,
    CXL_DC_REC_DPA          = 0x38,
    CXL_DC_REC_LEN          = 0x40,
    CXL_DC_REC_TAG          = 0x48,
    CXL_DC_REC_SEQUENCE     = 0x58,
    CXL_DC_REC_EXTENTS_LEFT = 0x78,
    CXL_DC_REC_TAGS_LEFT    = 0x7c,
};

/* Flags above the severity */
#define CXL_EVENT_FLAG_MAINTENANCE  (1u << 3)
#define CXL_EVENT_FLAG_SUBCLASS     (1u << 6)
#define CXL_EVENT_FLAG_LD           (1u << 7)
#define CXL_EVENT_FLAG_HEAD         (1u << 8)

/* Component identifiers in records of media and modules */
#define CXL_EVENT_COMPONENT_ID_SIZE 0x10

/** struct CXLEventRecord - a record as it travels, little endian */
typedef struct CXLEventRecord {
    uint8_t b[CXL_EVENT_RECORD_SIZE];
} CXLEventRecord;

/** struct CXLTimestamp - time as the host set it plus what has passed since */
typedef struct CXLTimestamp {
    bool is_set;
    uint64_t host_ns;       /* what Set Timestamp said */
    int64_t set_at_ns;      /* virtual clock then */
} CXLTimestamp;

void cxl_timestamp_set(CXLTimestamp *t, uint64_t ns);
/** cxl_timestamp_get() - ns since 1970-01-01; 0 until the host has set it. */
uint64_t cxl_timestamp_get(const CXLTimestamp *t);
extern const struct VMStateDescription vmstate_cxl_timestamp;

/**
 * struct CXLEventLog - one log
 * @depth: most records it holds
 * @ring: @allocated records, a power of two that grows up to cover @depth
 * @policy: interrupt settings byte of 0103h without the message number
 */
typedef struct CXLEventLog {
    uint32_t depth;
    uint32_t allocated;
    uint32_t head;
    uint32_t count;
    CXLEventRecord *ring;
    uint16_t next_handle;
    uint16_t overflow_count;
    uint64_t overflow_first_ns;
    uint64_t overflow_last_ns;
    uint8_t policy;
} CXLEventLog;

typedef struct CXLEventLogs CXLEventLogs;
struct CXLFaults;

/** CXLEventNotify - @log went from empty to non-empty */
typedef void CXLEventNotify(void *opaque, CXLEventLogId log);

/**
 * struct CXLEventLogs - the logs of one point of view
 * @faults: what is armed to change records, NULL if nothing is
 */
struct CXLEventLogs {
    CXLEventLog log[CXL_EVENT_LOGS];
    const CXLTimestamp *clock;
    CXLEventNotify *notify;
    void *opaque;
    uint8_t msgnum[CXL_EVENT_LOGS]; /* MSI-X message of each log; 0102h */
    NotifierList watchers;          /* data is a CXLEventLogId */
    NotifierList drained;           /* the same, when a log has lost records */
    struct CXLFaults *faults;
};

/**
 * cxl_events_init() - five empty logs
 * @depth: records for each log, 1..65535 (Identify reports 16 bits)
 * @clock: for timestamps; outlives the logs
 * @notify: NULL, or called on empty -> non-empty whatever the policy says
 */
void cxl_events_init(CXLEventLogs *l, const uint32_t depth[CXL_EVENT_LOGS],
                     const CXLTimestamp *clock, CXLEventNotify *notify,
                     void *opaque);
void cxl_events_destroy(CXLEventLogs *l);
/** cxl_events_forget() - as after cxl_events_init(), whatever they hold. */
void cxl_events_forget(CXLEventLogs *l);
/**
 * cxl_events_watch() - be told as @notify of cxl_events_init() is
 * @n: its data is a pointer to the &CXLEventLogId; gone before @l is
 */
void cxl_events_watch(CXLEventLogs *l, Notifier *n);
/**
 * cxl_events_reset() - conventional reset of the host they belong to: no more
 * interrupts, dynamic capacity log empty, errors kept; handles go on (9.13.3)
 */
void cxl_events_reset(CXLEventLogs *l);

/** cxl_event_record_init() - zero record with UUID, length, flags (24 bit). */
void cxl_event_record_init(CXLEventRecord *r, const QemuUUID *uuid,
                           uint32_t flags);

/* General Media record: type, and what came by the error */
#define CXL_EVENT_GM_ECC        0
#define CXL_EVENT_GM_SCRUB_ECC  4
#define CXL_EVENT_BY_SCAN       3
#define CXL_EVENT_BY_INJECTION  4
#define CXL_EVENT_BY_SCRUB      5

/**
 * cxl_event_general_media() - record of an uncorrectable error
 * @flags: of the record's header; its severity is a log's number
 * @dpa: of the line; @is_volatile: what kind of memory that is
 * @type: CXL_EVENT_GM_*
 * @by: CXL_EVENT_BY_*
 */
void cxl_event_general_media(CXLEventRecord *r, uint32_t flags, uint64_t dpa,
                             bool is_volatile, uint8_t type, uint8_t by);

/**
 * cxl_event_append() - log a copy of @r with handle and timestamp filled in
 * Return: false if the log was full; the loss is counted (saturating)
 */
bool cxl_event_append(CXLEventLogs *l, CXLEventLogId log,
                      const CXLEventRecord *r);
uint32_t cxl_event_count(const CXLEventLogs *l, CXLEventLogId log);
/** cxl_event_room() - records that can be appended without a loss. */
uint32_t cxl_event_room(const CXLEventLogs *l, CXLEventLogId log);
/** cxl_event_at() - the @index-th oldest record, or NULL. Borrowed. */
const CXLEventRecord *cxl_event_at(const CXLEventLogs *l, CXLEventLogId log,
                                   uint32_t index);
/**
 * cxl_event_clear() - remove the @n oldest records, which @handles must name
 * Return: CXL_RC_SUCCESS; CXL_RC_INVALID_HANDLE with nothing cleared
 */
CXLRetCode cxl_event_clear(CXLEventLogs *l, CXLEventLogId log,
                           const uint16_t *handles, size_t n);
/** cxl_event_forget() - drop all records and an overflow; handles go on. */
void cxl_event_forget(CXLEventLogs *l, CXLEventLogId log);
/** cxl_event_log_name() - of one of them, for traces. */
const char *cxl_event_log_name(CXLEventLogId log);

/** cxl_event_status() - Event Status register: bit per non-empty log. */
uint32_t cxl_event_status(const CXLEventLogs *l);

extern const struct VMStateDescription vmstate_cxl_events;

/* Record UUIDs */
extern const QemuUUID cxl_event_uuid_general_media;
extern const QemuUUID cxl_event_uuid_dram;
extern const QemuUUID cxl_event_uuid_memory_module;
extern const QemuUUID cxl_event_uuid_memory_sparing;
extern const QemuUUID cxl_event_uuid_dynamic_capacity;

#endif /* CXL_EVENTS_H */
