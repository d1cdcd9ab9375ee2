/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Coherent Device Attribute Table (CDAT r1.04) and the DOE protocol that reads
 * it (CXL r3.2 section 8.1.11, table access).
 */
#ifndef HW_CXL_CXL_CDAT_H
#define HW_CXL_CXL_CDAT_H

#include "hw/pci/pcie_doe.h"

/* DOE data object type "table access" and what its messages may say */
#define CXL_DOE_TABLE_ACCESS            2
#define CXL_DOE_TAB_RSP                 0
#define CXL_DOE_TAB_TYPE_CDAT           0
/* Next entry handle of the last entry; no entry can have this handle */
#define CXL_DOE_TAB_ENT_MAX             0xffff

#define CXL_CDAT_REVISION               2

/* X port ID of a switch's upstream port in an SSLBE */
#define CDAT_PORT_ID_USP                0x100

enum {
    CDAT_TYPE_DSMAS = 0,        /* device scoped memory affinity */
    CDAT_TYPE_DSLBIS = 1,       /* device scoped latency and bandwidth */
    CDAT_TYPE_DSMSCIS = 2,      /* device scoped memory side cache */
    CDAT_TYPE_DSIS = 3,         /* device scoped initiator */
    CDAT_TYPE_DSEMTS = 4,       /* device scoped EFI memory type */
    CDAT_TYPE_SSLBIS = 5,       /* switch scoped latency and bandwidth */
};

/* DSMAS flags */
#define CDAT_DSMAS_NON_VOLATILE         (1 << 2)
#define CDAT_DSMAS_SHAREABLE            (1 << 3)
#define CDAT_DSMAS_HW_COHERENCY         (1 << 4)
#define CDAT_DSMAS_DYNAMIC_CAPACITY     (1 << 5)
#define CDAT_DSMAS_READ_ONLY            (1 << 6)

/** struct CDATTableHeader - first entry of every table, 16 bytes */
typedef struct CDATTableHeader {
    /** @length: bytes of the whole table */
    uint32_t length;
    /** @revision: %CXL_CDAT_REVISION */
    uint8_t revision;
    /** @checksum: makes the sum of all bytes 0 modulo 256 */
    uint8_t checksum;
    /** @reserved: zero */
    uint8_t reserved[6];
    /** @sequence: changes when the table changes */
    uint32_t sequence;
} QEMU_PACKED CDATTableHeader;
QEMU_BUILD_BUG_ON(sizeof(CDATTableHeader) != 16);

/**
 * struct CDATSubHeader - what every other entry begins with, 4 bytes
 * @type: CDAT_TYPE_*
 * @reserved: zero
 * @length: bytes of the entry, this header included
 */
typedef struct CDATSubHeader {
    uint8_t type;
    uint8_t reserved;
    uint16_t length;
} QEMU_PACKED CDATSubHeader;
QEMU_BUILD_BUG_ON(sizeof(CDATSubHeader) != 4);

/**
 * struct CDATDsmas - memory range of a device, 24 bytes
 * @header: type and length
 * @dsmad_handle: number that other entries refer to
 * @flags: CDAT_DSMAS_*
 * @reserved: zero
 * @dpa_base: first device physical address
 * @dpa_length: bytes
 */
typedef struct CDATDsmas {
    CDATSubHeader header;
    uint8_t dsmad_handle;
    uint8_t flags;
    uint16_t reserved;
    uint64_t dpa_base;
    uint64_t dpa_length;
} QEMU_PACKED CDATDsmas;
QEMU_BUILD_BUG_ON(sizeof(CDATDsmas) != 24);

/**
 * struct CDATDslbis - latency or bandwidth of a range, 24 bytes
 * @header: type and length
 * @handle: DSMAS handle
 * @flags: as in ACPI HMAT's latency and bandwidth structure
 * @data_type: likewise
 * @reserved: zero
 * @entry_base_unit: @entry counts in this: ps or MB/s
 * @entry: value; only the first is used for memory
 * @reserved2: zero
 */
typedef struct CDATDslbis {
    CDATSubHeader header;
    uint8_t handle;
    uint8_t flags;
    uint8_t data_type;
    uint8_t reserved;
    uint64_t entry_base_unit;
    uint16_t entry[3];
    uint16_t reserved2;
} QEMU_PACKED CDATDslbis;
QEMU_BUILD_BUG_ON(sizeof(CDATDslbis) != 24);

/**
 * struct CDATDsemts - how firmware should report a range, 24 bytes
 * @header: type and length
 * @dsmas_handle: DSMAS handle
 * @efi_memory_type_attr: 0 conventional, 1 specific purpose, 2 reserved
 * @reserved: zero
 * @dpa_offset: from the start of the DSMAS
 * @dpa_length: bytes
 */
typedef struct CDATDsemts {
    CDATSubHeader header;
    uint8_t dsmas_handle;
    uint8_t efi_memory_type_attr;
    uint16_t reserved;
    uint64_t dpa_offset;
    uint64_t dpa_length;
} QEMU_PACKED CDATDsemts;
QEMU_BUILD_BUG_ON(sizeof(CDATDsemts) != 24);

/**
 * struct CDATSslbisHeader - fixed part of an SSLBIS, 16 bytes
 * @header: type and length
 * @data_type: as in ACPI HMAT's latency and bandwidth structure
 * @reserved: zero
 * @entry_base_unit: ps or MB/s
 */
typedef struct CDATSslbisHeader {
    CDATSubHeader header;
    uint8_t data_type;
    uint8_t reserved[3];
    uint64_t entry_base_unit;
} QEMU_PACKED CDATSslbisHeader;
QEMU_BUILD_BUG_ON(sizeof(CDATSslbisHeader) != 16);

/**
 * struct CDATSslbe - one pair of ports, 8 bytes
 * @port_x_id: port number or %CDAT_PORT_ID_USP
 * @port_y_id: likewise
 * @latency_bandwidth: counts in the base unit
 * @reserved: zero
 */
typedef struct CDATSslbe {
    uint16_t port_x_id;
    uint16_t port_y_id;
    uint16_t latency_bandwidth;
    uint16_t reserved;
} QEMU_PACKED CDATSslbe;
QEMU_BUILD_BUG_ON(sizeof(CDATSslbe) != 8);

/**
 * struct CDATSslbis - latency or bandwidth through a switch
 * @sslbis_header: fixed part
 * @sslbe: as many as its length says
 */
typedef struct CDATSslbis {
    CDATSslbisHeader sslbis_header;
    CDATSslbe sslbe[];
} QEMU_PACKED CDATSslbis;

/**
 * struct CDATReq - table access request, 12 bytes
 * @header: DOE header
 * @req_code: 0, read entry
 * @table_type: %CXL_DOE_TAB_TYPE_CDAT
 * @entry_handle: 0 for the table header, then counting up
 */
typedef struct CDATReq {
    DOEHeader header;
    uint8_t req_code;
    uint8_t table_type;
    uint16_t entry_handle;
} QEMU_PACKED CDATReq;
QEMU_BUILD_BUG_ON(sizeof(CDATReq) != 12);

/**
 * struct CDATRsp - table access response, 12 bytes; the entry follows
 * @header: DOE header
 * @rsp_code: %CXL_DOE_TAB_RSP
 * @table_type: %CXL_DOE_TAB_TYPE_CDAT
 * @entry_handle: next handle or %CXL_DOE_TAB_ENT_MAX
 */
typedef struct CDATRsp {
    DOEHeader header;
    uint8_t rsp_code;
    uint8_t table_type;
    uint16_t entry_handle;
} QEMU_PACKED CDATRsp;
QEMU_BUILD_BUG_ON(sizeof(CDATRsp) != 12);

/**
 * struct CDATEntry - where one entry of a table lies
 * @base: first byte
 * @length: bytes
 */
typedef struct CDATEntry {
    void *base;
    uint32_t length;
} CDATEntry;

/**
 * struct CDATObject - a component's table
 * @filename: property: file to take the table from, NULL to build it
 * @build_cdat_table: makes the entries behind the header, each allocated on
 *   its own, and returns their number: 0 if it is too early, < 0 on failure
 * @free_cdat_table: frees what @build_cdat_table made
 * @private: argument of the two
 * @entry: what DOE answers with; entry 0 is the header
 * @entry_len: number of entries
 * @image: memory that @entry points into, owned
 * @provisional: built too early; build again at the next request
 */
typedef struct CDATObject {
    char *filename;
    int (*build_cdat_table)(CDATSubHeader ***cdat_table, void *priv);
    void (*free_cdat_table)(CDATSubHeader **cdat_table, int num, void *priv);
    void *private;
    CDATEntry *entry;
    int entry_len;
    uint8_t *image;
    bool provisional;
} CDATObject;

/**
 * cxl_cdat_sum - sum of bytes modulo 256
 * @data: table or part of one
 * @len: bytes
 *
 * Return: 0 for a table whose checksum is right.
 */
uint8_t cxl_cdat_sum(const void *data, size_t len);

/**
 * cxl_cdat_split - find and check the entries of a table
 * @image: whole table, header first; stays the caller's
 * @len: bytes
 * @count: number of entries
 * @errp: error
 *
 * Return: array of entries that point into @image, to be freed with g_free();
 * NULL and an error if @image is no well-formed table. The checksum is not
 * looked at.
 */
CDATEntry *cxl_cdat_split(uint8_t *image, size_t len, int *count, Error **errp);

/**
 * cxl_cdat_assemble - put a header before entries
 * @table: entries
 * @num: number of entries
 * @len: bytes of the result
 *
 * Return: table with right length and checksum, to be freed with g_free().
 */
uint8_t *cxl_cdat_assemble(CDATSubHeader **table, int num, size_t *len);

/**
 * cxl_cdat_respond - answer a table access request
 * @cdat: table
 * @doe: DOE capability whose write mailbox holds the request
 *
 * Return: false if the request is malformed or names no entry; the DOE core
 * then discards it.
 */
bool cxl_cdat_respond(const CDATObject *cdat, DOECap *doe);

#endif /* HW_CXL_CXL_CDAT_H */
