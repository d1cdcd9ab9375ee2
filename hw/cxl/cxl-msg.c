/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounded access to CXL command payloads (CXL r3.2 8.2.9, 9.19)
 *
 * Both cursors keep the invariant pos <= size, so that what is left is always a
 * plain subtraction and no length of the other side is ever added to anything.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/cxl/cxl_msg.h"

void cxl_reader_init(CXLReader *r, const void *data, size_t size)
{
    *r = (CXLReader) { .data = data, .size = size };
}

const uint8_t *cxl_reader_bytes(CXLReader *r, size_t n)
{
    const uint8_t *at;

    if (r->overrun || n > cxl_reader_left(r)) {
        r->pos = r->size;
        r->overrun = true;
        return NULL;
    }
    at = r->data + r->pos;
    r->pos += n;
    return at;
}

uint8_t cxl_get_u8(CXLReader *r)
{
    const uint8_t *at = cxl_reader_bytes(r, 1);

    return at ? *at : 0;
}

uint16_t cxl_get_le16(CXLReader *r)
{
    const uint8_t *at = cxl_reader_bytes(r, 2);

    return at ? lduw_le_p(at) : 0;
}

uint32_t cxl_get_le24(CXLReader *r)
{
    const uint8_t *at = cxl_reader_bytes(r, 3);

    return at ? lduw_le_p(at) | (uint32_t)at[2] << 16 : 0;
}

uint32_t cxl_get_le32(CXLReader *r)
{
    const uint8_t *at = cxl_reader_bytes(r, 4);

    return at ? ldl_le_p(at) : 0;
}

uint64_t cxl_get_le64(CXLReader *r)
{
    const uint8_t *at = cxl_reader_bytes(r, 8);

    return at ? ldq_le_p(at) : 0;
}

void cxl_get_bytes(CXLReader *r, void *dst, size_t n)
{
    const uint8_t *at = cxl_reader_bytes(r, n);

    if (!n) {
        return;
    }
    if (at) {
        memcpy(dst, at, n);
    } else {
        memset(dst, 0, n);
    }
}

void cxl_get_uuid(CXLReader *r, QemuUUID *uuid)
{
    cxl_get_bytes(r, uuid->data, sizeof(uuid->data));
}

void cxl_get_skip(CXLReader *r, size_t n)
{
    cxl_reader_bytes(r, n);
}

void cxl_writer_init(CXLWriter *w, void *data, size_t size)
{
    *w = (CXLWriter) { .data = data, .size = size };
    if (size) {
        memset(data, 0, size);
    }
}

uint8_t *cxl_put_space(CXLWriter *w, size_t n)
{
    uint8_t *at;

    if (w->overflow || n > w->size - w->len) {
        w->overflow = true;
        return NULL;
    }
    at = w->data + w->len;
    w->len += n;
    return at;
}

void cxl_put_u8(CXLWriter *w, uint8_t v)
{
    uint8_t *at = cxl_put_space(w, 1);

    if (at) {
        *at = v;
    }
}

void cxl_put_le16(CXLWriter *w, uint16_t v)
{
    uint8_t *at = cxl_put_space(w, 2);

    if (at) {
        stw_le_p(at, v);
    }
}

void cxl_put_le24(CXLWriter *w, uint32_t v)
{
    uint8_t *at = cxl_put_space(w, 3);

    if (at) {
        stw_le_p(at, v);
        at[2] = v >> 16;
    }
}

void cxl_put_le32(CXLWriter *w, uint32_t v)
{
    uint8_t *at = cxl_put_space(w, 4);

    if (at) {
        stl_le_p(at, v);
    }
}

void cxl_put_le64(CXLWriter *w, uint64_t v)
{
    uint8_t *at = cxl_put_space(w, 8);

    if (at) {
        stq_le_p(at, v);
    }
}

void cxl_put_bytes(CXLWriter *w, const void *src, size_t n)
{
    uint8_t *at = cxl_put_space(w, n);

    if (at && n) {
        memcpy(at, src, n);
    }
}

void cxl_put_uuid(CXLWriter *w, const QemuUUID *uuid)
{
    cxl_put_bytes(w, uuid->data, sizeof(uuid->data));
}

void cxl_put_zero(CXLWriter *w, size_t n)
{
    uint8_t *at = cxl_put_space(w, n);

    if (at && n) {
        memset(at, 0, n);
    }
}

void cxl_writer_unput(CXLWriter *w, size_t n)
{
    g_assert(n <= w->len);
    w->len -= n;
    memset(w->data + w->len, 0, n);
}

/* Patches reach only what has been written; anything else is an overflow */
static uint8_t *msg_written_at(CXLWriter *w, size_t at, size_t n)
{
    if (w->overflow || at > w->len || n > w->len - at) {
        w->overflow = true;
        return NULL;
    }
    return w->data + at;
}

void cxl_patch_u8(CXLWriter *w, size_t at, uint8_t v)
{
    uint8_t *p = msg_written_at(w, at, 1);

    if (p) {
        *p = v;
    }
}

void cxl_patch_le16(CXLWriter *w, size_t at, uint16_t v)
{
    uint8_t *p = msg_written_at(w, at, 2);

    if (p) {
        stw_le_p(p, v);
    }
}

void cxl_patch_le32(CXLWriter *w, size_t at, uint32_t v)
{
    uint8_t *p = msg_written_at(w, at, 4);

    if (p) {
        stl_le_p(p, v);
    }
}

/* For traces and for messages to a human; nothing decides by them */
const char *cxl_rc_name(unsigned rc)
{
    static const char *const names[CXL_RC_COUNT] = {
        [CXL_RC_SUCCESS] = "Success",
        [CXL_RC_BG_STARTED] = "Background Command Started",
        [CXL_RC_INVALID_INPUT] = "Invalid Input",
        [CXL_RC_UNSUPPORTED] = "Unsupported",
        [CXL_RC_INTERNAL_ERROR] = "Internal Error",
        [CXL_RC_RETRY_REQUIRED] = "Retry Required",
        [CXL_RC_BUSY] = "Busy",
        [CXL_RC_MEDIA_DISABLED] = "Media Disabled",
        [CXL_RC_FW_XFER_IN_PROGRESS] = "FW Transfer in Progress",
        [CXL_RC_FW_XFER_OUT_OF_ORDER] = "FW Transfer Out of Order",
        [CXL_RC_FW_AUTH_FAILED] = "FW Authentication Failed",
        [CXL_RC_FW_INVALID_SLOT] = "Invalid Slot",
        [CXL_RC_FW_ROLLED_BACK] = "Activation Failed, FW Rolled Back",
        [CXL_RC_FW_COLD_RESET_NEEDED] =
            "Activation Failed, Cold Reset Required",
        [CXL_RC_INVALID_HANDLE] = "Invalid Handle",
        [CXL_RC_INVALID_PHYS_ADDR] = "Invalid Physical Address",
        [CXL_RC_POISON_LIMIT] = "Inject Poison Limit Reached",
        [CXL_RC_MEDIA_FAILURE] = "Permanent Media Failure",
        [CXL_RC_ABORTED] = "Aborted",
        [CXL_RC_INVALID_SECURITY_STATE] = "Invalid Security State",
        [CXL_RC_BAD_PASSPHRASE] = "Incorrect Passphrase",
        [CXL_RC_UNSUPPORTED_CCI] = "Unsupported Mailbox or CCI",
        [CXL_RC_INVALID_PAYLOAD_LENGTH] = "Invalid Payload Length",
        [CXL_RC_INVALID_LOG] = "Invalid Log",
        [CXL_RC_INTERRUPTED] = "Interrupted",
        [CXL_RC_FEAT_VERSION] = "Unsupported Feature Version",
        [CXL_RC_FEAT_SELECTION] = "Unsupported Feature Selection Value",
        [CXL_RC_FEAT_XFER_IN_PROGRESS] = "Feature Transfer in Progress",
        [CXL_RC_FEAT_XFER_OUT_OF_ORDER] = "Feature Transfer Out of Order",
        [CXL_RC_RESOURCES_EXHAUSTED] = "Resources Exhausted",
        [CXL_RC_INVALID_EXTENT_LIST] = "Invalid Extent List",
        [CXL_RC_XFER_OUT_OF_ORDER] = "Transfer Out of Order",
        [CXL_RC_NO_BG_ABORT] = "Request Abort Not Supported",
    };

    return rc < ARRAY_SIZE(names) && names[rc] ? names[rc] : "unknown code";
}
