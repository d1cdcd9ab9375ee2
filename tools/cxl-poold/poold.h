/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cxl-poold: a pool of CXL memory whose hosts are in other processes, see
 * docs/system/devices/cxl-pool.rst
 *
 * One thread, but for the one that brings the medium to the disk.  What
 * arrives is handled in turns: a turn changes the model and the state of
 * heads, and gathers what is to be sent; at its end all that changed is in
 * the database, in one transaction, before a byte of it leaves.
 */
#ifndef CXL_POOLD_H
#define CXL_POOLD_H

#include "hw/cxl/cxl_cci.h"
#include "hw/cxl/cxl_dc_geometry.h"
#include "hw/cxl/cxl_events.h"
#include "hw/cxl/cxl_pool_wire.h"

typedef struct Conn Conn;
typedef struct Poold Poold;
typedef struct Store Store;

/* -- options.c ------------------------------------------------------------ */

/**
 * struct PooldAccess - who may connect besides the daemon's user and root
 * @users, @groups: their numbers, NULL: none
 */
typedef struct PooldAccess {
    GArray *users;
    GArray *groups;
} PooldAccess;

/**
 * struct PooldOptions - what the pool is made of
 * @dir: of sockets and state
 * @allow_heads, @allow_fm: whose heads, and whose Fabric Managers
 * @fm_tcp: addresses for Fabric Managers, NULL: none
 * @file: the medium, NULL for memory
 * @given: some of the options that the state keeps were given
 */
typedef struct PooldOptions {
    char *dir;
    PooldAccess allow_heads;
    PooldAccess allow_fm;
    GPtrArray *fm_tcp;
    char *file;
    bool huge_pages;
    bool given;
    uint64_t size;
    uint64_t serial;
    uint16_t heads;
    uint8_t regions;
    uint32_t max_extents;
    uint32_t max_tags;
    uint32_t log_depth;
    CXLDCRegionProps region[CXL_DC_MAX_REGIONS];
} PooldOptions;

/**
 * options_parse() - from a command line
 * Return: false: the program ends with @status, what there was to say is said
 */
bool options_parse(PooldOptions *o, int argc, char **argv, int *status);
void options_free(PooldOptions *o);
/** options_text() - what the state keeps of them, one a line; g_free() it */
char *options_text(const PooldOptions *o);
/** options_load() - from such a text; what it does not keep stays */
bool options_load(PooldOptions *o, const char *text, Error **errp);

/* -- access.c: who is allowed --------------------------------------------- */

/** access_add() - @who is user:NAME or group:NAME, or a number in its place */
bool access_add(PooldAccess *a, const char *who, Error **errp);
void access_clear(PooldAccess *a);
/** access_is_wide() - somebody else than the daemon's user and root may */
bool access_is_wide(const PooldAccess *a);
/**
 * access_allows() - the process that has connected to a unix socket
 * @user: who that was
 */
bool access_allows(const PooldAccess *a, int fd, uid_t *user);

/* -- listen.c ------------------------------------------------------------- */

/** listen_open() - all sockets for heads and Fabric Managers */
bool listen_open(Poold *p, Error **errp);

/* -- conn.c: a stream to somebody ----------------------------------------- */

/**
 * struct ConnOps - whom it is to
 * @take: some of @len bytes; Return: how many, or -1: it is not worth going on
 * @ready: NULL, or there is room to send: gather more
 * @closed: it is gone; @conn is freed behind this
 */
typedef struct ConnOps {
    ssize_t (*take)(Conn *conn, const uint8_t *data, size_t len);
    void (*ready)(Conn *conn);
    void (*closed)(Conn *conn);
} ConnOps;

/**
 * struct Conn - one stream
 * @out: gathered; sent at the end of a turn
 * @attach_fd: descriptor to send with the first byte, or -1
 * @takes_fd: the other end may pass one
 * @taken_fd: that it has passed, or -1
 * @pid, @start: of the process at the other end
 * @ends: once @out is sent
 */
struct Conn {
    Poold *pool;
    const ConnOps *ops;
    void *opaque;
    int fd;
    guint source;
    GIOCondition waits;
    GByteArray *in;
    GByteArray *out;
    int attach_fd;
    bool takes_fd;
    int taken_fd;
    pid_t pid;
    uint64_t start;
    bool ends;
    bool dead;
};

Conn *conn_new(Poold *p, int fd, const ConnOps *ops, void *opaque);
/** conn_take() - has what was not taken when it came taken now */
void conn_take(Conn *c);
/** conn_is_full() - who is there does not read what was gathered */
bool conn_is_full(const Conn *c);
/** conn_end() - when what was gathered is sent */
void conn_end(Conn *c);
/** conn_kill() - at the end of this turn */
void conn_kill(Conn *c);
/** conn_turn() - of all: sends what was gathered, frees those that ended */
void conn_turn(Poold *p);

/* -- process.c: who is at the other end ----------------------------------- */

/** process_start() - when it began, in clock ticks; 0: there is none */
uint64_t process_start(pid_t pid);
/** process_of_peer() - 0 if it cannot be seen from here */
pid_t process_of_peer(int fd);
/**
 * process_watch() - hear once of its end
 * Return: to be removed with process_unwatch(); NULL: it has ended already
 */
typedef struct Process Process;
Process *process_watch(pid_t pid, uint64_t start, void (*ended)(void *opaque),
                       void *opaque);
void process_unwatch(Process *process);
/** process_find_file() - a file that the process has open; -1: none */
int process_find_file(pid_t pid, uint64_t dev, uint64_t ino);

/* -- medium.c ------------------------------------------------------------- */

/** medium_open() - a file, or memory of the last life that can be found */
bool medium_open(Poold *p, Error **errp);
/** medium_settle() - there is a medium, or a process that has it */
bool medium_settle(Poold *p, Error **errp);
/**
 * medium_take() - a process passes what may be the memory of the last life
 * @fd: or -1; taken over if it is
 */
bool medium_take(Poold *p, int fd);
/**
 * medium_zero() - a step of overwriting @len bytes at @offset
 * Return: so many read as zeroes now, 0 if it has to be tried again
 */
uint64_t medium_zero(Poold *p, uint64_t offset, uint64_t len);
/**
 * medium_sync() - what was overwritten is to outlast a loss of power
 * @done: runs in the main loop then, and calls medium_synced() first
 *
 * It takes as long as it takes to write all that hosts have changed, so it is
 * done by a thread.
 */
void medium_sync(Poold *p, GSourceFunc done);
void medium_synced(Poold *p);

/* -- heads.c -------------------------------------------------------------- */

/**
 * struct Head - a head and the host that has it
 * @conn: NULL: nobody is there now
 * @process: that may reach its capacity, NULL: none
 * @pid, @start: of it, or of the one that has handed the head over and may
 *               still have the memory
 * @instance: whose requests and events these are
 * @handover: as what it goes on in another process; all zero: in none
 * @last_request: number of the one that was answered last, by @rc and @answer
 * @next_event: number that the next record gets
 * @outbox: records that it may not have heard yet, the last is @next_event - 1
 * @room: records that its log holds behind those in @outbox
 * @info: what a Fabric Manager sees of it, if it is @known
 */
typedef struct Head {
    Poold *pool;
    uint16_t nr;
    Conn *conn;
    Process *process;
    pid_t pid;
    uint64_t start;
    QemuUUID instance;
    QemuUUID handover;
    CXLCCI cci;
    uint64_t last_request;
    uint16_t rc;
    GByteArray *answer;
    uint64_t next_event;
    GArray *outbox;
    uint32_t room;
    CXLHeadInfo info;
    bool known;
} Head;

extern const CXLDCOps heads_dc_ops;
void heads_init(Poold *p);
/** heads_pieces() - where the bytes of a range are that is accessible */
void heads_pieces(const Head *h, uint64_t dpa, uint64_t last, GArray *pieces);
/** heads_set_info() - false for what there cannot be */
bool heads_set_info(Head *h, const CXLHeadInfo *info);
/** heads_info() - as of CXLHeads, while its process lives */
bool heads_info(const CXLHeads *heads, unsigned head, CXLHeadInfo *info);
/** heads_settle() - those whose process is gone reach nothing any more */
bool heads_settle(Poold *p);
/** heads_watch() - processes of the last life */
void heads_watch(Poold *p);
/** heads_have_process() - does one of them live that has a head? */
bool heads_have_process(const Poold *p);
void heads_accepted(Poold *p, int fd);

/* -- fm.c ----------------------------------------------------------------- */

void fm_accepted(Poold *p, int fd);
/** fm_tunnel() - as of CXLHeads, for a request that fm.c runs */
CXLRetCode fm_tunnel(const CXLHeads *heads, unsigned head,
                     const struct CXLCCIMsg *request, const uint8_t *payload,
                     size_t room);
/** fm_replied() - by a head; false: to what it was not asked */
bool fm_replied(const Head *h, const CXLPoolAnswer *answer);
/** fm_lost() - no head is there any more to reply */
void fm_lost(const Head *h);

/* -- store.c -------------------------------------------------------------- */

/** store_open() - the database in the directory; made if there is none */
Store *store_open(const char *dir, bool durable, Error **errp);
void store_close(Store *s);
/** store_get_text() - a setting; NULL: there is none */
char *store_get_text(Store *s, const char *name);
bool store_set_text(Store *s, const char *name, const char *text,
                    Error **errp);
/** store_load() - all of the last life */
bool store_load(Poold *p, Error **errp);
/** store_note() - extents of a host have changed there, its base being 0 */
void store_note(Store *s, uint16_t host, uint64_t dpa, uint64_t len);
/** store_next_extent() - for CXLDCOps.next_kept, while store_load() runs */
bool store_next_extent(Store *s, uint16_t host, CXLDCExtent *extent);
/** store_save() - what has changed, in one transaction */
bool store_save(Poold *p, Error **errp);

/* -- pool.c --------------------------------------------------------------- */

/**
 * struct Poold - the pool
 * @medium_fd: -1: processes of the last life have it, see medium_take()
 * @wipe: some of the medium that is being overwritten, if its length is not 0
 * @wiped: so many bytes of it are
 * @wipe_timer: goes on with that, or 0
 * @sync: writes the medium, and @sync_done goes on with that; or NULL
 * @last_tunnel: number of the last request to a logical device
 * @changed_model, @changed_log, @changed_heads, @changed_info: since the last
 *          save
 */
struct Poold {
    PooldOptions options;
    Store *store;
    int medium_fd;
    CXLDCConfig config;
    uint64_t place[CXL_DC_MAX_REGIONS];
    CXLDynCap *dc;
    Head *head;
    CXLHeads heads;
    CXLTimestamp clock;
    CXLEventLogs events;
    CXLCCI cci;
    CXLDCRange wipe;
    uint64_t wiped;
    guint wipe_timer;
    GThread *sync;
    GSourceFunc sync_done;
    GPtrArray *conns;
    uint64_t last_tunnel;
    bool changed_model;
    bool changed_log;
    bool changed_heads;
    bool changed_info;
    bool in_turn;
};

Poold *pool_new(PooldOptions *o, Error **errp);
void pool_free(Poold *p);
/** pool_turn_end() - save, then send; ends the program if it cannot be saved */
void pool_turn_end(Poold *p);

#endif
