/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults of dynamic capacity: records of offers and releases, and what 48h
 * commands answer (CXL r3.2 8.2.10.2.1.6, 8.2.10.9.9, 9.13.3)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "fault-internal.h"

enum {
    OP_GET_CONFIG   = 0x4800,
    OP_GET_EXTENTS  = 0x4801,
};

enum {
    TYPE_ADD        = 0,
    TYPE_RELEASE    = 1,
    TYPE_FORCED     = 2,
    TYPE_CONFIG     = 3,
};

/* The list of extents: counts, generation, extents of 28h bytes */
enum {
    LIST_RETURNED   = 0x00,
    LIST_TOTAL      = 0x04,
    LIST_GENERATION = 0x08,
    LIST_EXTENT     = 0x10,
    LIST_ONE        = LIST_EXTENT + 0x28,
};

/* The first region */
enum {
    CONFIG_COUNT    = 0x00,
    CONFIG_BASE     = 0x08,
    CONFIG_DECODE   = 0x10,
    CONFIG_LEN      = 0x18,
    CONFIG_BLOCK    = 0x20,
    CONFIG_HANDLE   = 0x28,
};

static bool dc_is_offer(const void *arg)
{
    const CXLFaultRecord *record = arg;

    return record->r[CXL_DC_REC_TYPE] == TYPE_ADD;
}

static bool dc_is_last(const void *arg)
{
    const CXLFaultRecord *record = arg;

    return dc_is_offer(arg) && !(record->r[CXL_DC_REC_MORE] & 1);
}

static bool dc_is_release(const void *arg)
{
    const CXLFaultRecord *record = arg;

    return record->r[CXL_DC_REC_TYPE] == TYPE_RELEASE;
}

static void dc_tag(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultRecord *record = arg;

    memset(record->r + CXL_DC_REC_TAG, f->value, sizeof(QemuUUID));
}

static void dc_overlap(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultRecord *record = arg;

    stq_le_p(record->r + CXL_DC_REC_DPA, fs->extent);
}

/* All in one group, which the last one closes if this record would have */
static void dc_flood(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultRecord *record = arg;

    record->times = f->value;
    record->closes = !(record->r[CXL_DC_REC_MORE] & 1);
    record->r[CXL_DC_REC_MORE] |= 1;
}

static void dc_list_generation(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultAnswer *a = arg;
    uint8_t *at = a->out + LIST_GENERATION;

    stl_le_p(at, ldl_le_p(at) + f->hits);
}

static void dc_list_empty(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultAnswer *a = arg;

    stl_le_p(a->out + LIST_RETURNED, 0);
    stl_le_p(a->out + LIST_TOTAL, 0);
    a->len = LIST_EXTENT;
}

#define DC(n, point_, only_, ...) \
    { .name = n, .family = "dynamic capacity", .point = CXL_FAULT_##point_, \
      .only = only_, __VA_ARGS__ }
#define RECORD(n, ...) DC(n, EVENT, CXL_EVENT_LOG_DYNCAP, __VA_ARGS__)
#define RECORD_FIELD(n, at, width, change, v, ...) \
    RECORD(n, .takes = CXL_FAULT_VALUE, .value = v, \
           .max = CXL_FAULT_MAX(width), \
           .field = { at, 0, width, CXL_FAULT_##change }, __VA_ARGS__)
#define ANSWER_FIELD(n, op, at, width, change, v, ...) \
    DC(n, ANSWER, op, .takes = CXL_FAULT_VALUE, .value = v, \
       .max = CXL_FAULT_MAX(width), \
       .field = { at, 0, width, CXL_FAULT_##change }, __VA_ARGS__)

#define SAID_OF_RECORDS     "8.2.10.2.1.6"
#define SAID_OF_CONFIG      "8.2.10.9.9.1"
#define SAID_OF_LIST        "8.2.10.9.9.2"

static const CXLFaultKind kinds[] = {
    RECORD_FIELD("dc-chain-open", CXL_DC_REC_MORE, 8, TURN_ON, 1,
                 .suits = dc_is_last,
                 .does = "the last record of an offer says that more follow",
                 .spec = "the last one ends the group (" SAID_OF_RECORDS ")"),
    RECORD_FIELD("dc-chain-closed", CXL_DC_REC_MORE, 8, TURN_OFF, 1,
                 .suits = dc_is_offer,
                 .does = "a record says that it is the last of its offer; for "
                         "one in the middle the group ends twice",
                 .spec = "the last one ends the group (" SAID_OF_RECORDS ")"),
    RECORD("dc-last-lost", .suits = dc_is_last, .act = cxl_fault_event_lost,
           .does = "the last record of an offer is not logged",
           .spec = "all records of a group are there, or none (9.13.3)"),
    RECORD_FIELD("dc-sequence", CXL_DC_REC_SEQUENCE, 16, SET, 1,
                 .suits = dc_is_offer,
                 .does = "the shared extent sequence number is value",
                 .spec = "from 0 on in sharable regions, else 0 (9.13.3.2)"),
    RECORD_FIELD("dc-sequence-hole", CXL_DC_REC_SEQUENCE, 16, ADD, 1,
                 .suits = dc_is_offer,
                 .does = "value is added to the sequence number",
                 .spec = "numbers of a tag follow each other (9.13.3.2)"),
    RECORD_FIELD("dc-sequence-doubled", CXL_DC_REC_SEQUENCE, 16, ADD, 0xffff,
                 .suits = dc_is_offer,
                 .does = "the sequence number is that of the extent before",
                 .spec = "a number is there once (9.13.3.2)"),
    RECORD("dc-tag", .takes = CXL_FAULT_VALUE, .value = 0x11,
           .max = UINT8_MAX, .suits = dc_is_offer, .act = dc_tag,
           .does = "each byte of the tag is value: two offers have the same",
           .spec = "a tag is that of one allocation (9.13.3)"),
    RECORD("dc-tag-null", .suits = dc_is_offer, .act = dc_tag,
           .does = "the extent has no tag",
           .spec = "extents of sharable regions have one (9.13.3.2)"),
    RECORD_FIELD("dc-extent", CXL_DC_REC_DPA, 64, SET, 0, .suits = dc_is_offer,
                 .does = "the extent begins at DPA value: one that the host "
                         "has accepted, or is to accept",
                 .spec = "offers do not overlap (9.13.3)"),
    RECORD("dc-extent-again", .suits = dc_is_offer, .act = dc_overlap,
           .does = "the extent begins where that of the record before did",
           .spec = "offers do not overlap (9.13.3)"),
    RECORD_FIELD("dc-extent-misaligned", CXL_DC_REC_DPA, 64, ADD, 1,
                 .suits = dc_is_offer,
                 .does = "value is added to the DPA of the extent",
                 .spec = "extents are aligned to the region's blocks "
                         "(9.13.3)"),
    RECORD_FIELD("dc-extent-outside", CXL_DC_REC_DPA, 64, ADD, 1ull << 50,
                 .suits = dc_is_offer,
                 .does = "the extent is outside of all regions, value bytes "
                         "further",
                 .spec = "an extent is inside one region (9.13.3)"),
    RECORD_FIELD("dc-extent-empty", CXL_DC_REC_LEN, 64, SET, 0,
                 .suits = dc_is_offer,
                 .does = "the extent has value bytes",
                 .spec = "an extent has at least one block (9.13.3)"),
    RECORD_FIELD("dc-extent-long", CXL_DC_REC_LEN, 64, ADD, 256ull << 20,
                 .suits = dc_is_offer,
                 .does = "the extent has value bytes more and reaches the next "
                         "region",
                 .spec = "an extent is inside one region (9.13.3)"),
    RECORD("dc-flood", .takes = CXL_FAULT_VALUE, .value = 101, .max = 4096,
           .suits = dc_is_offer, .act = dc_flood,
           .does = "the record is logged value times in one group",
           .spec = "nothing bounds a group but the log (9.13.3)"),
    RECORD_FIELD("dc-region", CXL_DC_REC_REGION, 8, SET, 7,
                 .does = "the record is about region value",
                 .spec = "the region that the extent is in "
                         "(" SAID_OF_RECORDS ")"),
    RECORD_FIELD("dc-host", CXL_DC_REC_HOST, 16, SET, 0xffff,
                 .does = "the record is about host value",
                 .spec = "reserved where the FM has no part "
                         "(" SAID_OF_RECORDS ")"),
    RECORD_FIELD("dc-type", CXL_DC_REC_TYPE, 8, SET, 0xff,
                 .does = "the type of the record is value",
                 .spec = "software ignores types it does not know "
                         "(" SAID_OF_RECORDS ")"),
    RECORD_FIELD("dc-release-unknown", CXL_DC_REC_TYPE, 8, SET, TYPE_RELEASE,
                 .suits = dc_is_offer,
                 .does = "instead of an offer, release is asked of what the "
                         "host does not have",
                 .spec = "release is asked of accepted extents (9.13.3)"),
    RECORD_FIELD("dc-forced-unknown", CXL_DC_REC_TYPE, 8, SET, TYPE_FORCED,
                 .suits = dc_is_offer,
                 .does = "instead of an offer, capacity is said to be gone "
                         "that the host does not have",
                 .spec = "forced release is of accepted extents (9.13.3)"),
    RECORD_FIELD("dc-forced", CXL_DC_REC_TYPE, 8, SET, TYPE_FORCED,
                 .suits = dc_is_release,
                 .does = "a request for release says that the capacity is "
                         "gone, which it is not",
                 .spec = "after a forced release it is (9.13.3)"),
    RECORD_FIELD("dc-region-updated", CXL_DC_REC_TYPE, 8, SET, TYPE_CONFIG,
                 .suits = dc_is_offer,
                 .does = "the record says that the configuration of a region, "
                         "which may be mapped, is another one",
                 .spec = "only of a region without extents (9.13.3)"),
    DC("dc-list-generation", ANSWER, OP_GET_EXTENTS, .least = LIST_EXTENT,
       .act = dc_list_generation,
       .does = "each part of the list is of another generation",
       .spec = "it changes with the list (" SAID_OF_LIST ")"),
    ANSWER_FIELD("dc-list-total", OP_GET_EXTENTS, LIST_TOTAL, 32, ADD, 1,
                 .does = "the list is said to be value longer than it is",
                 .spec = "repeated commands give all of it "
                         "(" SAID_OF_LIST ")"),
    ANSWER_FIELD("dc-list-returned", OP_GET_EXTENTS, LIST_RETURNED, 32, SET,
                 UINT32_MAX,
                 .does = "the answer is said to have value extents",
                 .spec = "as many follow (" SAID_OF_LIST ")"),
    DC("dc-list-empty", ANSWER, OP_GET_EXTENTS, .least = LIST_EXTENT,
       .act = dc_list_empty,
       .does = "the host is said to have no extents",
       .spec = "it has those that it accepted (" SAID_OF_LIST ")"),
    ANSWER_FIELD("dc-list-extent", OP_GET_EXTENTS, LIST_EXTENT, 64, ADD,
                 2ull << 20, .least = LIST_ONE,
                 .does = "value is added to the DPA of the first extent",
                 .spec = "the list agrees with what was accepted "
                         "(" SAID_OF_LIST ")"),
    ANSWER_FIELD("dc-config-count", OP_GET_CONFIG, CONFIG_COUNT, 8, SET, 9,
                 .does = "there are said to be value regions",
                 .spec = "1 to 8 (" SAID_OF_CONFIG ")"),
    ANSWER_FIELD("dc-config-base", OP_GET_CONFIG, CONFIG_BASE, 64, ADD, 1,
                 .does = "value is added to the base of the first region",
                 .spec = "aligned to 256 MiB, as the CDAT says "
                         "(" SAID_OF_CONFIG ")"),
    ANSWER_FIELD("dc-config-decode", OP_GET_CONFIG, CONFIG_DECODE, 64, SET, 0,
                 .does = "decoders for the first region have value times "
                         "256 MiB",
                 .spec = "no less than its length (" SAID_OF_CONFIG ")"),
    ANSWER_FIELD("dc-config-length", OP_GET_CONFIG, CONFIG_LEN, 64, SET,
                 1ull << 60,
                 .does = "the first region has value bytes",
                 .spec = "no more than is decoded (" SAID_OF_CONFIG ")"),
    ANSWER_FIELD("dc-config-block", OP_GET_CONFIG, CONFIG_BLOCK, 64, SET, 3,
                 .does = "blocks of the first region have value bytes",
                 .spec = "a power of two and 64 at least "
                         "(" SAID_OF_CONFIG ")"),
    ANSWER_FIELD("dc-config-handle", OP_GET_CONFIG, CONFIG_HANDLE, 32, SET,
                 0xee,
                 .does = "the first region has DSMAS handle value",
                 .spec = "that of its entry in the CDAT "
                         "(" SAID_OF_CONFIG ")"),
};

const CXLFaultSet cxl_faults_dc = { kinds, ARRAY_SIZE(kinds) };
