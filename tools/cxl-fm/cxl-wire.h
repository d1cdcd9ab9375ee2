/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes on a CXL component command interface (CXL r3.2 7.6.3, 8.2.10)
 *
 * A request is built and an answer is read through these helpers only: they
 * know the end of their buffer, so that a short or a lying answer becomes an
 * error and never a read behind it.  Everything on the wire is little endian.
 */
#ifndef CXL_WIRE_H
#define CXL_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Room for a payload: twice what QEMU's mailboxes offer */
#define CXL_WIRE_MAX    4096

/**
 * struct cxl_req - a request under construction
 * @full: an item did not fit; such a request is not sent
 */
struct cxl_req {
    uint16_t opcode;
    bool full;
    size_t len;
    uint8_t data[CXL_WIRE_MAX];
};

/**
 * struct cxl_rsp - what came back
 * @rc: return code of the component (CXL r3.2 table 8-34), 0 is success
 */
struct cxl_rsp {
    uint16_t rc;
    size_t len;
    uint8_t data[CXL_WIRE_MAX];
};

/** struct cxl_rd - reading position in an answer; @bad once it was too short */
struct cxl_rd {
    const uint8_t *at;
    size_t left;
    bool bad;
};

static inline void req_start(struct cxl_req *req, uint16_t opcode)
{
    req->opcode = opcode;
    req->full = false;
    req->len = 0;
}

static inline void req_num(struct cxl_req *req, uint64_t value, unsigned bytes)
{
    if (bytes > sizeof(req->data) - req->len) {
        req->full = true;
        return;
    }
    while (bytes--) {
        req->data[req->len++] = value & 0xff;
        value >>= 8;
    }
}

static inline void req_bytes(struct cxl_req *req, const void *from, size_t n)
{
    if (n > sizeof(req->data) - req->len) {
        req->full = true;
        return;
    }
    memcpy(req->data + req->len, from, n);
    req->len += n;
}

static inline void req_zeros(struct cxl_req *req, size_t n)
{
    while (n--) {
        req_num(req, 0, 1);
    }
}

static inline void rd_start(struct cxl_rd *rd, const void *from, size_t n)
{
    rd->at = from;
    rd->left = n;
    rd->bad = false;
}

static inline const uint8_t *rd_take(struct cxl_rd *rd, size_t n)
{
    const uint8_t *at = rd->at;

    if (rd->bad || n > rd->left) {
        rd->bad = true;
        return NULL;
    }
    rd->at += n;
    rd->left -= n;
    return at;
}

static inline uint64_t rd_num(struct cxl_rd *rd, unsigned bytes)
{
    const uint8_t *at = rd_take(rd, bytes);
    uint64_t value = 0;

    while (at && bytes--) {
        value = value << 8 | at[bytes];
    }
    return value;
}

static inline void rd_copy(struct cxl_rd *rd, void *to, size_t n)
{
    const uint8_t *at = rd_take(rd, n);

    if (at) {
        memcpy(to, at, n);
    } else {
        memset(to, 0, n);
    }
}

static inline void rd_skip(struct cxl_rd *rd, size_t n)
{
    rd_take(rd, n);
}

#endif /* CXL_WIRE_H */
