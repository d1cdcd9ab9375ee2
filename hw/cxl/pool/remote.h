/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connection of a pool to its cxl-poold: what its source files share
 */
#ifndef HW_CXL_POOL_REMOTE_H
#define HW_CXL_POOL_REMOTE_H

#include "chardev/char-fe.h"
#include "system/runstate.h"
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
 * @lives: the daemon knows @instance
 * @parked: reaches nothing, and does not attach before the machine runs: it was
 *          handed over, or comes with a migration
 * @handover: who attaches by it goes on, once the daemon has @handed it over
 * @lost: the daemon has refused it; its host has no dynamic capacity
 * @heard: number of the last event that it has logged
 * @view: CXLDCPiece; what comes before ATTACHED
 * @drained: there is room in its event log
 * @owed: ticket whose end is said once the walk over the medium is through, 0:
 *        none; @later: with the walk behind that
 * @leaves: it is gone, of which the daemon is told then, or once it is attached
 * @base: where its first region began, for that
 * @tell: says what a Fabric Manager sees of it, once that is set up
 */
typedef struct RemoteHead {
    CXLPoolRemote *remote;
    uint16_t nr;
    QemuUUID instance;
    bool attached;
    bool lives;
    bool parked;
    QemuUUID handover;
    bool handed;
    bool lost;
    uint64_t heard;
    uint64_t last_id;
    GQueue requests;
    GArray *view;
    Notifier drained;
    uint64_t owed;
    uint64_t later;
    bool leaves;
    uint64_t base;
    QEMUBH *tell;
} RemoteHead;

/**
 * struct CXLPoolRemote - the connection
 * @out: gathered, and what the daemon does not read yet; @watch: for its room
 * @fd: the medium; @dev, @ino: which file that is
 * @welcome: body of the daemon's, which must be the same next time
 * @nr_heads: length of @head
 * @plugs: head that is plugged, whose end a refusal is
 * @walk: overwrites, in slices, what hosts have sanitized and not reached since
 * @walked: how far it is
 * @runs: before the machine does
 * @migrates: when a migration begins
 * @section: name of its state in a stream
 * @left: the heads are in the stream that is being written
 */
struct CXLPoolRemote {
    CXLPool *pool;
    CharFrontend chr;
    GByteArray *in;
    GByteArray *out;
    guint watch;
    GByteArray *welcome;
    int fd;
    uint64_t dev;
    uint64_t ino;
    bool greeted;
    uint16_t nr_heads;
    RemoteHead *head;
    RemoteHead *plugs;
    QEMUTimer *walk;
    uint64_t walked;
    VMChangeStateEntry *runs;
    NotifierWithReturn migrates;
    char *section;
    bool left;
};

/* remote.c */
void cxl_remote_flush(CXLPoolRemote *r);
bool cxl_remote_welcomed(CXLPoolRemote *r, const CXLPoolMsg *msg, Error **errp);
/* When a daemon that the machine waits for must have answered */
int64_t cxl_remote_deadline(void);
bool cxl_remote_is_connected(const CXLPoolRemote *r);
/* Waits until @end for a message, and takes it */
bool cxl_remote_wait(CXLPoolRemote *r, int64_t end, Error **errp);
/* Waits until @end for a daemon that is away */
bool cxl_remote_connect(CXLPoolRemote *r, int64_t end, Error **errp);

/* remote-walk.c */
void cxl_remote_walk(void *opaque);
/* Tells the daemon now of heads that are gone */
void cxl_remote_leave(CXLPoolRemote *r);
/* A head is gone, of which the daemon is told when it may be */
void cxl_remote_head_leaves(RemoteHead *h);
/* Nobody here reaches what went up to @ticket: says so when it may be said */
void cxl_remote_ended(RemoteHead *h, uint64_t ticket);
/* Overwrites a slice of what is left */
void cxl_remote_overwrite(CXLPoolRemote *r);

/* remote-heads.c */
void cxl_remote_tell(void *opaque);
/* Tells the daemon of a head, on each connection */
void cxl_remote_send_attach(RemoteHead *h);
/* What the daemon says; false, and an error, if it makes no sense */
bool cxl_remote_message(CXLPoolRemote *r, const CXLPoolMsg *msg, Error **errp);
/* Hands a head over: nothing here reaches its capacity any more */
void cxl_remote_send_handover(RemoteHead *h);
/* Nobody has asked anything */
void cxl_remote_forget_requests(RemoteHead *h);

/* remote-migrate.c */
void cxl_remote_migrate_init(CXLPoolRemote *r);
void cxl_remote_migrate_exit(CXLPoolRemote *r);

#endif
