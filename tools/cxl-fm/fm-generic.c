/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Generic component commands that a Fabric Manager needs around the 56xxh set:
 * Identify, logs, event records (CXL r3.2 8.2.10.1, 8.2.10.2, 8.2.10.5)
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fm-cmds.h"

#define OP_IDENTIFY         0x0001
#define OP_BACKGROUND       0x0002
#define OP_GET_EVENTS       0x0100
#define OP_CLEAR_EVENTS     0x0101
#define OP_GET_NOTICES      0x0104
#define OP_SET_NOTICES      0x0105
#define OP_SUPPORTED_LOGS   0x0400
#define OP_GET_LOG          0x0401

/* Command effects log 0da9c0b5-bf41-4b78-8f79-96b1623b3f17 */
static const uint8_t cel_uuid[16] = {
    0x0d, 0xa9, 0xc0, 0xb5, 0xbf, 0x41, 0x4b, 0x78,
    0x8f, 0x79, 0x96, 0xb1, 0x62, 0x3b, 0x3f, 0x17
};
/* Of a pool whose hosts are elsewhere: what they may still reach */
static const uint8_t leaving_uuid[16] = {
    0x6a, 0x5a, 0xa1, 0x4d, 0x4e, 0xc2, 0x4a, 0x94,
    0x8a, 0x75, 0xc5, 0x45, 0xbd, 0x61, 0xbe, 0xe5
};
#define LEAVING_ENTRY       24
#define LEAVING_WIPED       1

/* Dynamic capacity record ca95afa7-f183-4018-8c2f-95268e101a2a */
static const uint8_t dc_record_uuid[16] = {
    0xca, 0x95, 0xaf, 0xa7, 0xf1, 0x83, 0x40, 0x18,
    0x8c, 0x2f, 0x95, 0x26, 0x8e, 0x10, 0x1a, 0x2a
};

static const char *const rc_names[] = {
    [0x00] = "success", [0x01] = "background operation started",
    [0x02] = "invalid input", [0x03] = "unsupported",
    [0x04] = "internal error", [0x05] = "retry required", [0x06] = "busy",
    [0x07] = "media disabled", [0x08] = "firmware transfer in progress",
    [0x09] = "firmware transfer out of order",
    [0x0a] = "firmware authentication failed",
    [0x0b] = "invalid firmware slot", [0x0c] = "firmware rolled back",
    [0x0d] = "firmware needs a cold reset", [0x0e] = "invalid handle",
    [0x0f] = "invalid physical address", [0x10] = "poison limit reached",
    [0x11] = "permanent media failure", [0x12] = "aborted",
    [0x13] = "invalid security state", [0x14] = "incorrect passphrase",
    [0x15] = "unsupported on this CCI", [0x16] = "invalid payload length",
    [0x17] = "invalid log", [0x18] = "interrupted",
    [0x19] = "unsupported feature version",
    [0x1a] = "unsupported feature selection",
    [0x1b] = "feature transfer in progress",
    [0x1c] = "feature transfer out of order",
    [0x1d] = "resources exhausted", [0x1e] = "invalid extent list",
    [0x1f] = "transfer out of order", [0x20] = "no background abort",
};

const char *cxl_rc_name(int rc)
{
    if (rc < 0) {
        return strerror(-rc);
    }
    if ((size_t)rc < sizeof(rc_names) / sizeof(rc_names[0]) && rc_names[rc]) {
        return rc_names[rc];
    }
    return "other error";
}

int cxl_run(struct cxl_conn *conn, const struct cxl_req *req,
            struct cxl_rsp *rsp)
{
    int ret;

    conn->last_opcode = req->opcode;
    if (req->full || req->len > conn->max_req) {
        return -EMSGSIZE;
    }
    ret = conn->run(conn, req, rsp);
    return ret ? ret : rsp->rc;
}

int cxl_run_read(struct cxl_conn *conn, const struct cxl_req *req,
                 struct cxl_rsp *rsp, struct cxl_rd *rd)
{
    int ret = cxl_run(conn, req, rsp);

    if (!ret) {
        rd_start(rd, rsp->data, rsp->len);
    }
    return ret;
}

int cxl_run_silent(struct cxl_conn *conn, const struct cxl_req *req)
{
    struct cxl_rsp rsp;
    int ret = cxl_run(conn, req, &rsp);

    return !ret && rsp.len ? -EBADMSG : ret;
}

int rd_end(const struct cxl_rd *rd)
{
    return rd->bad || rd->left ? -EBADMSG : 0;
}

int fm_identify(struct cxl_conn *conn, struct fm_identity *id)
{
    struct cxl_req req;
    struct cxl_rsp rsp;
    struct cxl_rd rd;
    int ret;

    req_start(&req, OP_IDENTIFY);
    ret = cxl_run_read(conn, &req, &rsp, &rd);
    if (ret) {
        return ret;
    }
    id->vendor = rd_num(&rd, 2);
    id->device = rd_num(&rd, 2);
    id->subsys_vendor = rd_num(&rd, 2);
    id->subsys = rd_num(&rd, 2);
    id->serial = rd_num(&rd, 8);
    id->max_msg_log2 = rd_num(&rd, 1);
    id->type = rd_num(&rd, 1);
    return rd_end(&rd);
}

int fm_background_status(struct cxl_conn *conn, struct fm_background *bg)
{
    struct cxl_req req;
    struct cxl_rsp rsp;
    struct cxl_rd rd;
    uint8_t status;
    int ret;

    req_start(&req, OP_BACKGROUND);
    ret = cxl_run_read(conn, &req, &rsp, &rd);
    if (ret) {
        return ret;
    }
    status = rd_num(&rd, 1);
    bg->running = status & 1;
    bg->percent = status >> 1;
    rd_skip(&rd, 1);
    bg->opcode = rd_num(&rd, 2);
    bg->rc = rd_num(&rd, 2);
    rd_skip(&rd, 2);
    return rd_end(&rd);
}

int fm_supported_logs(struct cxl_conn *conn, struct fm_logs *logs)
{
    struct cxl_req req;
    struct cxl_rsp rsp;
    struct cxl_rd rd;
    int ret;

    req_start(&req, OP_SUPPORTED_LOGS);
    ret = cxl_run_read(conn, &req, &rsp, &rd);
    if (ret) {
        return ret;
    }
    logs->n = rd_num(&rd, 2);
    rd_skip(&rd, 6);
    if (logs->n > FM_LOGS_MAX) {
        return -EBADMSG;
    }
    for (unsigned i = 0; i < logs->n; i++) {
        rd_copy(&rd, logs->log[i].uuid, sizeof(logs->log[i].uuid));
        logs->log[i].size = rd_num(&rd, 4);
        if (logs->log[i].size > FM_LOG_MAX) {
            return -EBADMSG;
        }
    }
    return rd_end(&rd);
}

int fm_read_log(struct cxl_conn *conn, const uint8_t uuid[16], void *to,
                uint32_t size)
{
    uint32_t piece = conn->max_rsp & ~3u, step;
    int ret = 0;

    for (uint32_t at = 0; !ret && at < size; at += step) {
        struct cxl_req req;
        struct cxl_rsp rsp;

        step = size - at < piece ? size - at : piece;
        req_start(&req, OP_GET_LOG);
        req_bytes(&req, uuid, 16);
        req_num(&req, at, 4);
        req_num(&req, step, 4);
        ret = cxl_run(conn, &req, &rsp);
        if (!ret && rsp.len != step) {
            ret = -EBADMSG;
        }
        if (!ret) {
            memcpy((uint8_t *)to + at, rsp.data, step);
        }
    }
    return ret;
}

static int parse_leaving(const uint8_t *bytes, uint32_t size,
                         struct fm_leaving **list, size_t *n)
{
    struct cxl_rd rd;
    uint32_t count;

    rd_start(&rd, bytes, size);
    count = rd_num(&rd, 4);
    rd_skip(&rd, 4);
    /* It may have changed between two pieces: there are as many as came */
    if (rd.bad || rd.left % LEAVING_ENTRY) {
        return -EBADMSG;
    }
    count = rd.left / LEAVING_ENTRY;
    *list = calloc(count, sizeof(**list));
    if (count && !*list) {
        return -ENOMEM;
    }
    for (*n = 0; *n < count; ++*n) {
        struct fm_leaving *l = &(*list)[*n];

        l->host = rd_num(&rd, 2);
        l->wiped = rd_num(&rd, 1) & LEAVING_WIPED;
        rd_skip(&rd, 5);
        l->dpa = rd_num(&rd, 8);
        l->len = rd_num(&rd, 8);
    }
    return 0;
}

static int read_leaving(struct cxl_conn *conn, struct fm_leaving **list,
                        size_t *n)
{
    uint32_t size = 0;
    struct fm_logs logs;
    uint8_t *bytes;
    int ret = fm_supported_logs(conn, &logs);

    for (unsigned i = 0; !ret && i < logs.n; i++) {
        if (!memcmp(logs.log[i].uuid, leaving_uuid, sizeof(leaving_uuid))) {
            size = logs.log[i].size;
        }
    }
    if (ret || !size) {
        /* A component without logs has nothing to say about it */
        return ret == CXL_RC_UNSUPPORTED ? 0 : ret;
    }
    bytes = malloc(size);
    if (!bytes) {
        return -ENOMEM;
    }
    ret = fm_read_log(conn, leaving_uuid, bytes, size);
    if (!ret) {
        ret = parse_leaving(bytes, size, list, n);
    }
    free(bytes);
    return ret;
}

int fm_read_leaving(struct cxl_conn *conn, struct fm_leaving **list, size_t *n)
{
    int ret = CXL_RC_INVALID_INPUT;

    *list = NULL;
    *n = 0;
    /* Shorter than it was said to be: something has left meanwhile */
    for (int tries = 8; tries-- && ret == CXL_RC_INVALID_INPUT; ) {
        ret = read_leaving(conn, list, n);
    }
    return ret;
}

int fm_read_cel(struct cxl_conn *conn, struct fm_cel *cel)
{
    uint8_t bytes[FM_CEL_MAX * 4];
    uint32_t size = 0;
    struct fm_logs logs;
    struct cxl_rd rd;
    int ret = fm_supported_logs(conn, &logs);

    cel->n = 0;
    for (unsigned i = 0; !ret && i < logs.n; i++) {
        if (!memcmp(logs.log[i].uuid, cel_uuid, sizeof(cel_uuid))) {
            size = logs.log[i].size;
        }
    }
    if (!ret && (!size || size % 4 || size > sizeof(bytes))) {
        ret = -EBADMSG;
    }
    if (!ret) {
        ret = fm_read_log(conn, cel_uuid, bytes, size);
    }
    if (ret) {
        return ret;
    }
    rd_start(&rd, bytes, size);
    while (rd.left) {
        struct fm_cel_entry *e = &cel->entry[cel->n++];

        e->opcode = rd_num(&rd, 2);
        e->effects = rd_num(&rd, 2);
    }
    return 0;
}

const struct fm_cel_entry *fm_cel_find(const struct fm_cel *cel,
                                       uint16_t opcode)
{
    for (size_t i = 0; i < cel->n; i++) {
        if (cel->entry[i].opcode == opcode) {
            return &cel->entry[i];
        }
    }
    return NULL;
}

static void rd_dc_event(struct cxl_rd *rd, struct cxl_dc_event *ev)
{
    uint8_t uuid[16];

    rd_copy(rd, uuid, sizeof(uuid));
    if (memcmp(uuid, dc_record_uuid, sizeof(uuid)) ||
        rd_num(rd, 1) != CXL_EVENT_SIZE) {
        rd->bad = true;
    }
    ev->flags = rd_num(rd, 3);
    ev->handle = rd_num(rd, 2);
    rd_skip(rd, 2);
    ev->timestamp = rd_num(rd, 8);
    rd_skip(rd, 0x10);
    ev->type = rd_num(rd, 1);
    ev->validity = rd_num(rd, 1);
    ev->host = rd_num(rd, 2);
    ev->region = rd_num(rd, 1);
    ev->more = rd_num(rd, 1) & 1;
    rd_skip(rd, 2);
    rd_extent(rd, &ev->extent);
    rd_skip(rd, 0x18);
    ev->avail_extents = rd_num(rd, 4);
    ev->avail_tags = rd_num(rd, 4);
}

int fm_read_dc_events(struct cxl_conn *conn, struct cxl_dc_events *events)
{
    struct cxl_req req;
    struct cxl_rsp rsp;
    struct cxl_rd rd;
    unsigned flags;
    int ret;

    req_start(&req, OP_GET_EVENTS);
    req_num(&req, CXL_LOG_DC, 1);
    ret = cxl_run_read(conn, &req, &rsp, &rd);
    if (ret) {
        return ret;
    }
    flags = rd_num(&rd, 1);
    events->overflow = flags & 1;
    events->more = flags & 2;
    rd_skip(&rd, 1);
    events->lost = rd_num(&rd, 2);
    rd_skip(&rd, 16);
    events->n = rd_num(&rd, 2);
    rd_skip(&rd, 10);
    if (events->n > CXL_EVENTS_MAX) {
        return -EBADMSG;
    }
    for (unsigned i = 0; i < events->n; i++) {
        rd_dc_event(&rd, &events->ev[i]);
    }
    return rd_end(&rd);
}

int fm_clear_dc_events(struct cxl_conn *conn,
                       const struct cxl_dc_events *events, unsigned n)
{
    struct cxl_req req;

    req_start(&req, OP_CLEAR_EVENTS);
    req_num(&req, CXL_LOG_DC, 1);
    req_num(&req, 0, 1);
    req_num(&req, n, 1);
    req_zeros(&req, 3);
    for (unsigned i = 0; i < n; i++) {
        req_num(&req, events->ev[i].handle, 2);
    }
    return cxl_run_silent(conn, &req);
}

int fm_get_notices(struct cxl_conn *conn, uint16_t *policy)
{
    struct cxl_req req;
    struct cxl_rsp rsp;
    struct cxl_rd rd;
    int ret;

    req_start(&req, OP_GET_NOTICES);
    ret = cxl_run_read(conn, &req, &rsp, &rd);
    if (ret) {
        return ret;
    }
    *policy = rd_num(&rd, 2);
    return rd_end(&rd);
}

int fm_set_notices(struct cxl_conn *conn, uint16_t policy)
{
    struct cxl_req req;

    req_start(&req, OP_SET_NOTICES);
    req_num(&req, policy, 2);
    return cxl_run_silent(conn, &req);
}
