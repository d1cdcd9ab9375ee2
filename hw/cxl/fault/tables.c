/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults of what a device says of itself: identity, logs, features, poison.
 * Most of them are one field of one answer (CXL r3.2 8.2.10).
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "fault-internal.h"

enum {
    OP_GET_SUPPORTED_LOGS   = 0x0400,
    OP_GET_LOG              = 0x0401,
    OP_GET_FEATURES         = 0x0500,
    OP_GET_FEATURE          = 0x0501,
    OP_IDENTIFY             = 0x4000,
    OP_GET_PARTITION        = 0x4100,
    OP_GET_POISON           = 0x4300,
    OP_GET_SCAN_RESULTS     = 0x4305,
};

#define CEL_ENTRY           4
#define POISON_LIST         0x20
#define POISON_RECORD       0x10
#define POISON_COUNT        0x0a

static bool table_is_cel(const void *arg)
{
    static const QemuUUID cel = { .data = CXL_LOG_UUID_CEL };
    const CXLFaultAnswer *a = arg;

    return a->in_len >= sizeof(QemuUUID) &&
           !memcmp(a->in, cel.data, sizeof(QemuUUID));
}

static void cel_duplicate(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultAnswer *a = arg;

    memcpy(a->out + CEL_ENTRY, a->out, CEL_ENTRY);
}

/* Whoever looks for it finds a command of the vendor in its place */
static void cel_missing(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultAnswer *a = arg;
    size_t at;

    for (at = 0; at + CEL_ENTRY <= a->len; at += CEL_ENTRY) {
        if (lduw_le_p(a->out + at) == f->value) {
            stw_le_p(a->out + at, 0xc0de);
        }
    }
}

static void table_odd(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultAnswer *a = arg;

    a->len--;
}

static void log_changes(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultAnswer *a = arg;
    size_t i;

    for (i = 0; i < a->len; i++) {
        a->out[i] ^= f->hits;
    }
}

static bool poison_has_records(const void *arg)
{
    const CXLFaultAnswer *a = arg;

    return lduw_le_p(a->out + POISON_COUNT) != 0;
}

/* An error in the line at DPA 0, again and again */
static void poison_endless(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultAnswer *a = arg;

    if (!lduw_le_p(a->out + POISON_COUNT)) {
        if (a->room < POISON_LIST + POISON_RECORD) {
            return;
        }
        memset(a->out + POISON_LIST, 0, POISON_RECORD);
        stl_le_p(a->out + POISON_LIST + 8, 1);
        stw_le_p(a->out + POISON_COUNT, 1);
        a->len = POISON_LIST + POISON_RECORD;
    }
    a->out[0] |= 1;
}

static void poison_overlap(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultAnswer *a = arg;

    if (a->room < a->len + POISON_RECORD) {
        return;
    }
    memcpy(a->out + a->len, a->out + POISON_LIST, POISON_RECORD);
    a->len += POISON_RECORD;
    stw_le_p(a->out + POISON_COUNT, lduw_le_p(a->out + POISON_COUNT) + 1);
}

/* Where it stopped is where it began */
static void scan_restart(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultAnswer *a = arg;

    stq_le_p(a->out, 0);
    stq_le_p(a->out + 8, 1);
    a->out[0x10] |= 2;
}

#define FIELD(n, op, at, first, width, change, v, ...) \
    { .name = n, .family = "tables", .point = CXL_FAULT_ANSWER, \
      .takes = CXL_FAULT_VALUE, .only = op, .value = v, \
      .max = CXL_FAULT_MAX(width), \
      .field = { at, first, width, CXL_FAULT_##change }, __VA_ARGS__ }
#define TABLE(n, op, ...) \
    { .name = n, .family = "tables", .point = CXL_FAULT_ANSWER, .only = op, \
      __VA_ARGS__ }

#define SAID_OF_IDENTIFY    "8.2.10.9.1.1"
#define SAID_OF_LOGS        "8.2.10.5"
#define SAID_OF_FEATURES    "8.2.10.6"
#define SAID_OF_POISON      "8.2.10.9.4.1"

static const CXLFaultKind kinds[] = {
    FIELD("cel-unknown", OP_GET_LOG, 0, 0, 16, SET, 0xffff,
          .suits = table_is_cel,
          .does = "the first command of the Command Effects Log has opcode "
                  "value",
          .spec = "software skips commands that it does not know "
                  "(" SAID_OF_LOGS ".2.1)"),
    TABLE("cel-duplicate", OP_GET_LOG, .least = 2 * CEL_ENTRY,
          .suits = table_is_cel, .act = cel_duplicate,
          .does = "the first command of the log is there twice, the second is "
                  "not",
          .spec = "each command has one entry (" SAID_OF_LOGS ".2.1)"),
    TABLE("cel-missing", OP_GET_LOG, .takes = CXL_FAULT_VALUE,
          .value = OP_IDENTIFY, .max = UINT16_MAX, .suits = table_is_cel,
          .act = cel_missing,
          .does = "the command with opcode value, which there is, is not in "
                  "the log",
          .spec = "each command that the device has is there, mandatory ones "
                  "too (" SAID_OF_LOGS ".2.1)"),
    TABLE("cel-odd", OP_GET_LOG, .least = 1, .suits = table_is_cel,
          .act = table_odd,
          .does = "the last byte of the log is missing",
          .spec = "an entry has four bytes (" SAID_OF_LOGS ".2.1)"),
    FIELD("logs-size", OP_GET_SUPPORTED_LOGS, 0x18, 0, 32, SET, UINT32_MAX,
          .does = "the Command Effects Log is said to have value bytes",
          .spec = "Get Supported Logs gives its size (" SAID_OF_LOGS ".1)"),
    FIELD("logs-count", OP_GET_SUPPORTED_LOGS, 0, 0, 16, SET, 0xffff,
          .does = "there are said to be value logs",
          .spec = "as many entries follow (" SAID_OF_LOGS ".1)"),
    TABLE("log-changes", OP_GET_LOG, .act = log_changes,
          .does = "each read of a log gives other bytes",
          .spec = "a log stays the same unless a command clears or populates "
                  "it (" SAID_OF_LOGS ".2)"),
    FIELD("features-count", OP_GET_FEATURES, 0, 0, 16, SET, 0xffff,
          .does = "the answer is said to have value entries",
          .spec = "as many entries follow (" SAID_OF_FEATURES ".1)"),
    FIELD("features-total", OP_GET_FEATURES, 2, 0, 16, SET, 0xffff,
          .does = "the device is said to have value features",
          .spec = "software finds all of them with repeated commands "
                  "(" SAID_OF_FEATURES ".1)"),
    FIELD("feature-get-size", OP_GET_FEATURES, 8 + 0x12, 0, 16, SET, 0xffff,
          .does = "value bytes can be got of the first feature",
          .spec = "Get Feature gives so many (" SAID_OF_FEATURES ".1)"),
    FIELD("feature-set-size", OP_GET_FEATURES, 8 + 0x14, 0, 16, SET, 0xffff,
          .does = "value bytes can be set of the first feature",
          .spec = "Set Feature takes so many (" SAID_OF_FEATURES ".1)"),
    TABLE("feature-long", OP_GET_FEATURE, .takes = CXL_FAULT_VALUE,
          .value = 64, .max = UINT32_MAX, .act = cxl_fault_answer_long,
          .does = "value more bytes of a feature are given than were asked "
                  "for",
          .spec = "no more than the count of the request "
                  "(" SAID_OF_FEATURES ".2)"),
    FIELD("identify-capacity", OP_IDENTIFY, 0x10, 0, 64, SET, 0,
          .does = "total capacity is value times 256 MiB",
          .spec = "the sum of all that is static (" SAID_OF_IDENTIFY ")"),
    FIELD("identify-huge", OP_IDENTIFY, 0x10, 0, 64, SET, UINT64_MAX,
          .does = "total capacity in bytes does not fit in 64 bits",
          .spec = "no address space is so large (" SAID_OF_IDENTIFY ")"),
    FIELD("identify-volatile", OP_IDENTIFY, 0x18, 0, 64, SET, 1ull << 40,
          .does = "capacity that is volatile only is value times 256 MiB",
          .spec = "a part of the total (" SAID_OF_IDENTIFY ")"),
    FIELD("identify-persistent", OP_IDENTIFY, 0x20, 0, 64, SET, 1ull << 40,
          .does = "capacity that is persistent only is value times 256 MiB",
          .spec = "a part of the total (" SAID_OF_IDENTIFY ")"),
    FIELD("identify-partition-unit", OP_IDENTIFY, 0x28, 0, 64, SET, 3,
          .does = "partitions are aligned to value times 256 MiB",
          .spec = "0 if the device cannot be partitioned "
                  "(" SAID_OF_IDENTIFY ")"),
    FIELD("identify-labels", OP_IDENTIFY, 0x38, 0, 32, SET, UINT32_MAX,
          .does = "the label storage area has value bytes",
          .spec = "0 if there is none (" SAID_OF_IDENTIFY ")"),
    FIELD("identify-poison-limit", OP_IDENTIFY, 0x3c, 0, 24, SET, 0xffffff,
          .does = "the poison list holds value records",
          .spec = "at least 256 (" SAID_OF_IDENTIFY ")"),
    FIELD("partition-volatile", OP_GET_PARTITION, 0, 0, 64, SET, 1ull << 40,
          .does = "active volatile capacity is value times 256 MiB",
          .spec = "what Identify says, and what partitioning adds "
                  "(8.2.10.9.2.1)"),
    FIELD("partition-persistent", OP_GET_PARTITION, 8, 0, 64, SET, 1ull << 40,
          .does = "active persistent capacity is value times 256 MiB",
          .spec = "what Identify says, and what partitioning adds "
                  "(8.2.10.9.2.1)"),
    TABLE("poison-endless", OP_GET_POISON, .least = POISON_LIST,
          .act = poison_endless,
          .does = "the list has one more record each time it is read, and "
                  "says that more follow",
          .spec = "the list ends at the limit of Identify "
                  "(" SAID_OF_POISON ")"),
    FIELD("poison-count", OP_GET_POISON, POISON_COUNT, 0, 16, SET, 0xffff,
          .does = "the answer is said to have value records",
          .spec = "as many records follow (" SAID_OF_POISON ")"),
    FIELD("poison-wraps", OP_GET_POISON, POISON_LIST, 6, 58, SET,
          CXL_FAULT_MAX(58), .suits = poison_has_records,
          .does = "the first record is about line value, and behind the last "
                  "one there is no more address space",
          .spec = "records are about addresses of the request "
                  "(" SAID_OF_POISON ")"),
    FIELD("poison-length", OP_GET_POISON, POISON_LIST + 8, 0, 32, SET,
          UINT32_MAX, .suits = poison_has_records,
          .does = "the first record is about value lines",
          .spec = "records are about addresses of the request "
                  "(" SAID_OF_POISON ")"),
    TABLE("poison-overlap", OP_GET_POISON, .least = POISON_LIST,
          .suits = poison_has_records, .act = poison_overlap,
          .does = "the first record follows once more, behind the last",
          .spec = "no line is in two records (" SAID_OF_POISON ")"),
    TABLE("scan-restart", OP_GET_SCAN_RESULTS, .least = POISON_LIST,
          .act = scan_restart,
          .does = "the scan stopped, and has to be started again at DPA 0",
          .spec = "it goes on where it stopped (8.2.10.9.4.6)"),
};

const CXLFaultSet cxl_faults_tables = { kinds, ARRAY_SIZE(kinds) };
