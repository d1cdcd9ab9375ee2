/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Return codes and effects of commands, and bounded access to their payloads
 * (CXL r3.2 Tables 8-50 and 8-87, 8.2.9, 9.19).  All that models know of
 * commands.
 *
 * Every byte of a request comes from a guest, a Fabric Manager or a tunnel.  A
 * handler sees it only through a reader, and answers only through a writer, so
 * that no length field of the other side ever becomes an address here.
 */
#ifndef CXL_MSG_H
#define CXL_MSG_H

#include "qemu/uuid.h"

/* The Command Effects Log, as Get Log asks for it (8.2.10.5.2.1) */
#define CXL_LOG_UUID_CEL \
    UUID(0x0da9c0b5, 0xbf41, 0x4b78, \
         0x8f, 0x79, 0x96, 0xb1, 0x62, 0x3b, 0x3f, 0x17)

typedef enum CXLRetCode {
    CXL_RC_SUCCESS                  = 0x00,
    CXL_RC_BG_STARTED               = 0x01,
    CXL_RC_INVALID_INPUT            = 0x02,
    CXL_RC_UNSUPPORTED              = 0x03,
    CXL_RC_INTERNAL_ERROR           = 0x04,
    CXL_RC_RETRY_REQUIRED           = 0x05,
    CXL_RC_BUSY                     = 0x06,
    CXL_RC_MEDIA_DISABLED           = 0x07,
    CXL_RC_FW_XFER_IN_PROGRESS      = 0x08,
    CXL_RC_FW_XFER_OUT_OF_ORDER     = 0x09,
    CXL_RC_FW_AUTH_FAILED           = 0x0a,
    CXL_RC_FW_INVALID_SLOT          = 0x0b,
    CXL_RC_FW_ROLLED_BACK           = 0x0c,
    CXL_RC_FW_COLD_RESET_NEEDED     = 0x0d,
    CXL_RC_INVALID_HANDLE           = 0x0e,
    CXL_RC_INVALID_PHYS_ADDR        = 0x0f,
    CXL_RC_POISON_LIMIT             = 0x10,
    CXL_RC_MEDIA_FAILURE            = 0x11,
    CXL_RC_ABORTED                  = 0x12,
    CXL_RC_INVALID_SECURITY_STATE   = 0x13,
    CXL_RC_BAD_PASSPHRASE           = 0x14,
    CXL_RC_UNSUPPORTED_CCI          = 0x15,
    CXL_RC_INVALID_PAYLOAD_LENGTH   = 0x16,
    CXL_RC_INVALID_LOG              = 0x17,
    CXL_RC_INTERRUPTED              = 0x18,
    CXL_RC_FEAT_VERSION             = 0x19,
    CXL_RC_FEAT_SELECTION           = 0x1a,
    CXL_RC_FEAT_XFER_IN_PROGRESS    = 0x1b,
    CXL_RC_FEAT_XFER_OUT_OF_ORDER   = 0x1c,
    CXL_RC_RESOURCES_EXHAUSTED      = 0x1d,
    CXL_RC_INVALID_EXTENT_LIST      = 0x1e,
    CXL_RC_XFER_OUT_OF_ORDER        = 0x1f,
    CXL_RC_NO_BG_ABORT              = 0x20,
    CXL_RC_COUNT
} CXLRetCode;

/** cxl_rc_name() - the specification's name of a return code; never NULL. */
const char *cxl_rc_name(unsigned rc);

/* What a trace calls number @i, which a guest may have chosen */
#define CXL_NAME(names, i) \
    ((i) < ARRAY_SIZE(names) && (names)[i] ? (names)[i] : "unknown")

/* Command Effects Log bits */
#define CXL_EFF_CONFIG_COLD_RESET   (1u << 0)
#define CXL_EFF_CONFIG_IMMEDIATE    (1u << 1)
#define CXL_EFF_DATA_IMMEDIATE      (1u << 2)
#define CXL_EFF_POLICY_IMMEDIATE    (1u << 3)
#define CXL_EFF_LOG_IMMEDIATE       (1u << 4)
#define CXL_EFF_SECURITY            (1u << 5)
#define CXL_EFF_BACKGROUND          (1u << 6)
#define CXL_EFF_SECONDARY_MBOX      (1u << 7)
#define CXL_EFF_ABORTABLE           (1u << 8)
#define CXL_EFF_RESET_BITS_VALID    (1u << 9)
#define CXL_EFF_CONFIG_CONV_RESET   (1u << 10)
#define CXL_EFF_CONFIG_CXL_RESET    (1u << 11)

/**
 * struct CXLReader - cursor over a request payload
 * @data: first byte, owned by the transport for the time of the call
 * @size: bytes at @data
 * @pos: next byte to read
 * @overrun: a read went past the end; it gave zeroes and @pos stands at @size
 *
 * The error is sticky: a handler may read all of its fields and ask once.
 */
typedef struct CXLReader {
    const uint8_t *data;
    size_t size;
    size_t pos;
    bool overrun;
} CXLReader;

void cxl_reader_init(CXLReader *r, const void *data, size_t size);
uint8_t cxl_get_u8(CXLReader *r);
uint16_t cxl_get_le16(CXLReader *r);
uint32_t cxl_get_le24(CXLReader *r);
uint32_t cxl_get_le32(CXLReader *r);
uint64_t cxl_get_le64(CXLReader *r);
/** cxl_get_bytes() - copy @n bytes out; zeroes if there are fewer. */
void cxl_get_bytes(CXLReader *r, void *dst, size_t n);
/** cxl_get_uuid() - 16 bytes in RFC 4122 order, in which CXL sends them. */
void cxl_get_uuid(CXLReader *r, QemuUUID *uuid);
void cxl_get_skip(CXLReader *r, size_t n);

static inline size_t cxl_reader_left(const CXLReader *r)
{
    return r->size - r->pos;
}

/** cxl_reader_bytes() - @n contiguous bytes, or NULL and overrun. Borrowed. */
const uint8_t *cxl_reader_bytes(CXLReader *r, size_t n);

/**
 * struct CXLWriter - cursor over a response buffer
 * @data: first byte, owned by the transport
 * @size: room: what this CCI may answer, after its response limit
 * @len: bytes written
 * @overflow: a write did not fit; it was dropped, and so is all that follows
 *
 * The buffer starts zeroed up to @size, so skipping is writing zeroes.  An
 * overflow that reaches the dispatcher becomes "Internal Error": handlers size
 * their lists with cxl_writer_fits() first.
 */
typedef struct CXLWriter {
    uint8_t *data;
    size_t size;
    size_t len;
    bool overflow;
} CXLWriter;

/** cxl_writer_init() - start at @data, which gets zeroed. */
void cxl_writer_init(CXLWriter *w, void *data, size_t size);
void cxl_put_u8(CXLWriter *w, uint8_t v);
void cxl_put_le16(CXLWriter *w, uint16_t v);
void cxl_put_le24(CXLWriter *w, uint32_t v);
void cxl_put_le32(CXLWriter *w, uint32_t v);
void cxl_put_le64(CXLWriter *w, uint64_t v);
void cxl_put_bytes(CXLWriter *w, const void *src, size_t n);
void cxl_put_uuid(CXLWriter *w, const QemuUUID *uuid);
void cxl_put_zero(CXLWriter *w, size_t n);
/** cxl_patch_le16() / _le32() / _u8() - fill in a count that is known late. */
void cxl_patch_u8(CXLWriter *w, size_t at, uint8_t v);
void cxl_patch_le16(CXLWriter *w, size_t at, uint16_t v);
void cxl_patch_le32(CXLWriter *w, size_t at, uint32_t v);
/** cxl_put_space() - @n bytes to be filled by the caller, or NULL. Borrowed. */
uint8_t *cxl_put_space(CXLWriter *w, size_t n);
/** cxl_writer_unput() - take the last @n bytes back; they read as zeroes. */
void cxl_writer_unput(CXLWriter *w, size_t n);

/**
 * cxl_writer_fits() - how many records of @record bytes fit behind what is
 * written, when @tail bytes must follow them
 */
static inline size_t cxl_writer_fits(const CXLWriter *w, size_t record,
                                     size_t tail)
{
    size_t room = w->size - w->len;

    return room < tail ? 0 : (room - tail) / record;
}

#endif /* CXL_MSG_H */
