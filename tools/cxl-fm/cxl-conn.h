/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection to one component command interface (CCI)
 *
 * Commands know nothing of how their bytes travel.  A transport is one function
 * that carries a request there and an answer back.
 */
#ifndef CXL_CONN_H
#define CXL_CONN_H

#include "cxl-wire.h"

/**
 * struct cxl_conn - an open transport
 * @run: sends @req and fills @rsp.  0: an answer came (its rc may be an error);
 *       negative errno: none came.  -EPROTO: the answer broke the protocol
 * @await: waits until the component says by itself that something happened
 *         (Event Notification, 0106h) and acknowledges it.  > 0: the conditions
 *         that it told since the last call; 0: none within @ms milliseconds;
 *         < 0: negative errno, the component cannot be heard.  NULL where it
 *         cannot speak first
 * @close: frees the connection
 * @name: for messages, e.g. "/dev/cxl/mem0"
 * @max_req: largest request payload in bytes
 * @max_rsp: largest answer payload in bytes
 * @last_opcode: of the request that cxl_run() sent last, for messages
 */
struct cxl_conn {
    int (*run)(struct cxl_conn *conn, const struct cxl_req *req,
               struct cxl_rsp *rsp);
    int (*await)(struct cxl_conn *conn, unsigned ms);
    void (*close)(struct cxl_conn *conn);
    char name[64];
    size_t max_req;
    size_t max_rsp;
    uint16_t last_opcode;
};

/**
 * cxl_conn_open_ioctl() - the mailbox of a memory device, through Linux's raw
 * command ioctl (needs CONFIG_CXL_MEM_RAW_COMMANDS)
 * @path: character device, "/dev/cxl/memN"
 * Return: owned by the caller; NULL with errno set
 */
struct cxl_conn *cxl_conn_open_ioctl(const char *path);

/**
 * cxl_conn_open_mctp() - a CCI behind an MCTP endpoint (DSP0234, DSP0281)
 * @net: Linux's MCTP network number, usually 1
 * @eid: endpoint, 8..254
 * @max_payload: largest payload that the endpoint takes and gives
 */
struct cxl_conn *cxl_conn_open_mctp(unsigned net, uint8_t eid,
                                    size_t max_payload);

/**
 * cxl_run() - send a request
 * Return: 0 success; > 0 the component's return code; < 0 negative errno
 */
int cxl_run(struct cxl_conn *conn, const struct cxl_req *req,
            struct cxl_rsp *rsp);
/** cxl_run_read() - the same; after a success @rd is at @rsp's first byte */
int cxl_run_read(struct cxl_conn *conn, const struct cxl_req *req,
                 struct cxl_rsp *rsp, struct cxl_rd *rd);
/** cxl_run_silent() - success carries no payload; -EBADMSG if it does */
int cxl_run_silent(struct cxl_conn *conn, const struct cxl_req *req);

static inline void cxl_conn_close(struct cxl_conn *conn)
{
    if (conn) {
        conn->close(conn);
    }
}

#endif /* CXL_CONN_H */
