/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults of event records, of how they are read, and of interrupts (CXL r3.2
 * 8.2.10.2)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "fault-internal.h"

enum {
    OP_GET_EVENTS   = 0x0100,
    OP_CLEAR_EVENTS = 0x0101,
};

#define LIST            0x20
#define LIST_COUNT      0x14
#define RECORD          CXL_EVENT_RECORD_SIZE
#define FLAG_OVERFLOW   1
#define FLAG_MORE       2

void cxl_fault_event_lost(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultRecord *record = arg;

    record->times = 0;
}

static void event_doubled(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultRecord *record = arg;

    record->times++;
}

static void event_type(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultRecord *record = arg;

    memset(record->r, f->value, sizeof(QemuUUID));
}

/* It lies in the record: fault_least() */
static void event_field(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultRecord *record = arg;

    stn_le_p(record->r + f->offset, f->width, f->value);
}

static void events_swap(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultAnswer *a = arg;
    uint8_t first[RECORD];

    memcpy(first, a->out + LIST, RECORD);
    memcpy(a->out + LIST, a->out + LIST + RECORD, RECORD);
    memcpy(a->out + LIST + RECORD, first, RECORD);
}

static void events_same_handle(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultAnswer *a = arg;

    memcpy(a->out + LIST + RECORD + CXL_EVENT_OFF_HANDLE,
           a->out + LIST + CXL_EVENT_OFF_HANDLE, 2);
}

static void events_overflow(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultAnswer *a = arg;

    a->out[0] |= FLAG_OVERFLOW;
    stw_le_p(a->out + 2, f->value);
    stw_le_p(a->out + LIST_COUNT, 0);
    a->len = LIST;
}

static bool events_are_read(uint32_t opcode)
{
    return opcode == OP_GET_EVENTS || opcode == OP_CLEAR_EVENTS;
}

/* Get and Clear go together: a record that cannot be cleared ends the lie */
static void events_endless(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultAnswer *a = arg;
    uint8_t *r = a->out + LIST;

    if (a->opcode == OP_CLEAR_EVENTS) {
        a->rc = CXL_RC_SUCCESS;
        a->len = 0;
    } else if (!a->rc && a->len == LIST && a->room >= LIST + RECORD) {
        memset(r, 0, RECORD);
        memset(r, 0xee, sizeof(QemuUUID));
        r[CXL_EVENT_OFF_LENGTH] = RECORD;
        f->memo = f->memo % UINT16_MAX + 1;
        stw_le_p(r + CXL_EVENT_OFF_HANDLE, f->memo);
        stw_le_p(a->out + LIST_COUNT, 1);
        a->len = LIST + RECORD;
    }
}

static void interrupt_lost(CXLFaults *fs, CXLFault *f, void *arg)
{
    *(unsigned *)arg = 0;
}

static void interrupt_doubled(CXLFaults *fs, CXLFault *f, void *arg)
{
    *(unsigned *)arg *= 2;
}

#define EVENT(n, ...) \
    { .name = n, .family = "events", .point = CXL_FAULT_EVENT, \
      .only = CXL_FAULT_ANY, __VA_ARGS__ }
#define READ(n, ...) \
    { .name = n, .family = "events", .point = CXL_FAULT_ANSWER, \
      .only = OP_GET_EVENTS, __VA_ARGS__ }
#define INTERRUPT(n, ...) \
    { .name = n, .family = "events", .point = CXL_FAULT_INTERRUPT, \
      .only = CXL_FAULT_ANY, .takes = CXL_FAULT_VECTOR, __VA_ARGS__ }

#define SAID_OF_RECORDS     "8.2.10.2.1"
#define SAID_OF_GET         "8.2.10.2.2"

static const CXLFaultKind kinds[] = {
    EVENT("event-lost", .takes = CXL_FAULT_LOG, .act = cxl_fault_event_lost,
          .does = "a record does not get into the log, and is not counted "
                  "as lost",
          .spec = "an overflow counts it (" SAID_OF_GET ")"),
    EVENT("event-doubled", .takes = CXL_FAULT_LOG, .act = event_doubled,
          .does = "a record is logged twice, with two handles",
          .spec = "one record for each event (" SAID_OF_RECORDS ")"),
    EVENT("event-type", .takes = CXL_FAULT_LOG | CXL_FAULT_VALUE,
          .value = 0xee, .max = UINT8_MAX, .act = event_type,
          .does = "each byte of the UUID that says what a record is, is value",
          .spec = "software takes records whose format it does not know "
                  "(" SAID_OF_RECORDS ")"),
    EVENT("event-length", .takes = CXL_FAULT_LOG | CXL_FAULT_VALUE,
          .max = UINT8_MAX,
          .field = { CXL_EVENT_OFF_LENGTH, 0, 8, CXL_FAULT_SET },
          .does = "a record says that it has value bytes",
          .spec = "a record has 80h bytes (" SAID_OF_RECORDS ")"),
    EVENT("event-time", .takes = CXL_FAULT_LOG | CXL_FAULT_VALUE,
          .value = UINT64_MAX,
          .field = { CXL_EVENT_OFF_TIMESTAMP, 0, 64, CXL_FAULT_SET },
          .does = "a record's timestamp is value, which may be the future",
          .spec = "nanoseconds since 1970, or 0 (8.2.10.4)"),
    EVENT("event-field",
          .takes = CXL_FAULT_LOG | CXL_FAULT_VALUE | CXL_FAULT_OFFSET |
                   CXL_FAULT_WIDTH,
          .needs = CXL_FAULT_VALUE | CXL_FAULT_OFFSET, .act = event_field,
          .does = "width bytes of a record at offset are value; handles are "
                  "given later",
          .spec = "records are as their format says (" SAID_OF_RECORDS ")"),
    READ("events-swapped", .least = LIST + 2 * RECORD, .act = events_swap,
         .does = "the second record comes before the first",
         .spec = "the oldest comes first, and is cleared first "
                 "(" SAID_OF_GET ")"),
    READ("events-same-handle", .least = LIST + 2 * RECORD,
         .act = events_same_handle,
         .does = "the second record has the handle of the first",
         .spec = "a handle tells a record from all others in the log "
                 "(" SAID_OF_RECORDS ")"),
    READ("events-count", .takes = CXL_FAULT_VALUE, .value = 0xffff,
         .max = UINT16_MAX, .field = { LIST_COUNT, 0, 16, CXL_FAULT_SET },
         .does = "the answer is said to have value records",
         .spec = "as many records follow (" SAID_OF_GET ")"),
    READ("events-overflow", .least = LIST, .takes = CXL_FAULT_VALUE,
         .value = 0xffff, .max = UINT16_MAX, .act = events_overflow,
         .does = "the log is said to have lost value records, and is empty",
         .spec = "a log overflows when it is full (" SAID_OF_GET ")"),
    READ("events-more", .takes = CXL_FAULT_VALUE, .value = FLAG_MORE,
         .max = UINT8_MAX, .field = { 0, 0, 8, CXL_FAULT_TURN_ON },
         .does = "the flags of value are set: more records follow",
         .spec = "the flag is for what did not fit (" SAID_OF_GET ")"),
    { .name = "events-endless", .family = "events", .point = CXL_FAULT_ANSWER,
      .only = CXL_FAULT_ANY, .failed = true, .fits = events_are_read,
      .act = events_endless,
      .does = "a log fills faster than it is read: whenever it is empty, there "
              "is one record more, and any can be cleared",
      .spec = "nothing bounds how fast a device logs (" SAID_OF_GET ")" },
    INTERRUPT("interrupt-lost", .act = interrupt_lost,
              .does = "an interrupt is not sent",
              .spec = "one is sent when a log becomes not empty "
                      "(8.2.10.2.4)"),
    INTERRUPT("interrupt-doubled", .act = interrupt_doubled,
              .does = "an interrupt is sent twice",
              .spec = "one for each change; software must bear spurious ones "
                      "(8.2.10.2.4)"),
    INTERRUPT("interrupt-spurious", .needs = CXL_FAULT_VECTOR,
              .takes = CXL_FAULT_VECTOR | CXL_FAULT_NOW,
              .does = "an interrupt is sent at once, though nothing happened: "
                      "its log may be empty",
              .spec = "one is sent when a log becomes not empty "
                      "(8.2.10.2.4)"),
};

const CXLFaultSet cxl_faults_events = { kinds, ARRAY_SIZE(kinds) };
