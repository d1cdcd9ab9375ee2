/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults of the Coherent Device Attribute Table, as DOE table access gives it
 * (CXL r3.2 8.1.11; CDAT r1.04)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/cxl/cxl_cdat.h"
#include "fault-internal.h"

#define ENTRY           CXL_FAULT_CDAT_ENTRY
/* The entry that follows, in the header of a response */
#define RSP_NEXT        0x0a
/* Length of the data object, dwords */
#define OBJECT_LENGTH   0x04

static void cdat_loops(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultEntry *e = arg;

    stw_le_p(e->object + RSP_NEXT, e->handle);
}

static bool cdat_is_structure(const void *arg)
{
    const CXLFaultEntry *e = arg;

    return e->handle != 0;
}

#define CDAT(n, at, ...) \
    { .name = n, .family = "doe and cdat", .point = CXL_FAULT_CDAT, \
      .only = at, __VA_ARGS__ }
#define NUMBER(n, entry, at, width, change, v, ...) \
    CDAT(n, entry, .takes = CXL_FAULT_VALUE, .value = v, \
         .max = CXL_FAULT_MAX(width), \
         .field = { at, 0, width, CXL_FAULT_##change }, __VA_ARGS__)
#define HEADER          CXL_FAULT_CDAT_HEADER
#define DSMAS           CDAT_TYPE_DSMAS
#define DSMAS_AT(field) (ENTRY + offsetof(CDATDsmas, field))

static const CXLFaultKind kinds[] = {
    NUMBER("cdat-checksum", HEADER, ENTRY + 5, 8, FLIP, 0xff,
           .does = "bits of value are flipped in the checksum",
           .spec = "all bytes of the table add up to 0"),
    NUMBER("cdat-length", HEADER, ENTRY, 32, SET, UINT32_MAX,
           .does = "the table has value bytes",
           .spec = "as many as its entries have"),
    NUMBER("cdat-entry-length", CXL_FAULT_ANY, ENTRY + 2, 16, SET, 0,
           .suits = cdat_is_structure,
           .does = "an entry has value bytes",
           .spec = "as many as its type has"),
    NUMBER("cdat-object-length", CXL_FAULT_ANY, OBJECT_LENGTH, 32, SET,
           0x3ffff,
           .does = "the data object has value dwords",
           .spec = "as many as can be read (PCIe r6.2 6.30.1)"),
    CDAT("cdat-loops", CXL_FAULT_ANY, .suits = cdat_is_structure,
         .act = cdat_loops,
         .does = "the entry that follows an entry is that entry",
         .spec = "the last one says FFFFh (8.1.11.1)"),
    NUMBER("cdat-dsmas-missing", DSMAS, ENTRY, 8, SET, 0xee,
           .does = "a range of addresses has type value, which is unknown",
           .spec = "each range of the device has a DSMAS"),
    NUMBER("cdat-dsmas-handle", DSMAS, DSMAS_AT(dsmad_handle), 8, SET, 0xee,
           .does = "a range of addresses has handle value",
           .spec = "each has its own, which other entries repeat"),
    NUMBER("cdat-dsmas-sharable", DSMAS, DSMAS_AT(flags), 8, FLIP,
           CDAT_DSMAS_SHAREABLE,
           .does = "bits of value are flipped in the flags of a range: it is "
                   "sharable, or is not",
           .spec = "as dynamic capacity configuration says (9.13.3)"),
    NUMBER("cdat-dsmas-base", DSMAS, DSMAS_AT(dpa_base), 64, ADD, 1ull << 40,
           .does = "value is added to the base of a range",
           .spec = "as Identify and dynamic capacity configuration say"),
    NUMBER("cdat-dsmas-length", DSMAS, DSMAS_AT(dpa_length), 64, SET,
           UINT64_MAX,
           .does = "a range has value bytes",
           .spec = "as Identify and dynamic capacity configuration say"),
};

const CXLFaultSet cxl_faults_cdat = { kinds, ARRAY_SIZE(kinds) };
