/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connection of a pool to its cxl-poold: what its source files share
 */
#ifndef HW_CXL_POOL_REMOTE_H
#define HW_CXL_POOL_REMOTE_H

#include "chardev/char-fe.h"
#include "hw/cxl/cxl_pool_wire.h"
#include "pool-internal.h"

/**
 * struct RemoteRequest - asked, and not answered yet
 * @done: NULL: nobody waits for the answer any more
 */
typedef struct RemoteRequest {
    uint64_t id;
    uint16_t opcode;
    uint32_t room;
    GByteArray *payload;
    CXLCCIAnswered *done;
    void *opaque;
} RemoteRequest;

/**
 * struct RemoteHead - a head that is there, as the daemon knows it
 * @instance: all zero while there is none
 * @attached: on this connection
 * @heard: number of the last event that it has logged
 * @view: CXLDCPiece; what comes before ATTACHED
 * @drained: there is room in its event log
 * @owed: ticket whose end is said once the walk over the medium is through, 0:
 *        none; @later: with the walk behind that
 * @leaves: it is gone, of which the daemon is told then
 * @tell: says what a Fabric Manager sees of it, once that is set up
 */
typedef struct RemoteHead {
    CXLPoolRemote *remote;
    uint16_t nr;
    QemuUUID instance;
    bool attached;
    uint64_t heard;
    uint64_t last_id;
    GQueue requests;
    GArray *view;
    Notifier drained;
    uint64_t owed;
    uint64_t later;
    bool leaves;
    QEMUBH *tell;
} RemoteHead;

/**
 * struct CXLPoolRemote - the connection
 * @fd: the medium; @dev, @ino: which file that is
 * @welcome: body of the daemon's, which must be the same next time
 * @walk: overwrites, in slices, what hosts have sanitized and not reached since
 * @walked: how far it is
 */
struct CXLPoolRemote {
    CXLPool *pool;
    CharFrontend chr;
    GByteArray *in;
    GByteArray *out;
    GByteArray *welcome;
    int fd;
    dev_t dev;
    ino_t ino;
    bool greeted;
    RemoteHead *head;
    QEMUTimer *walk;
    uint64_t walked;
    Error *blocker;
};

/* remote.c */
void cxl_remote_flush(CXLPoolRemote *r);
bool cxl_remote_welcomed(CXLPoolRemote *r, const CXLPoolMsg *msg, Error **errp);
/* Waits for a message, and takes it */
bool cxl_remote_wait(CXLPoolRemote *r, Error **errp);

/* remote-heads.c */
void cxl_remote_walk(void *opaque);
void cxl_remote_tell(void *opaque);
/* Tells the daemon now of heads that are gone */
void cxl_remote_leave(CXLPoolRemote *r);
/* Tells the daemon of a head, on each connection */
void cxl_remote_send_attach(RemoteHead *h);
/* What the daemon says; false, and an error, if it makes no sense */
bool cxl_remote_message(CXLPoolRemote *r, const CXLPoolMsg *msg, Error **errp);

#endif
