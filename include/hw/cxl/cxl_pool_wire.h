/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a head of a pool and cxl-poold say to each other, see
 * docs/interop/cxl-pool.rst
 *
 * Messages on a stream, each a header of eight bytes and a body: length of
 * both, 32 bits; type, 8 bits; reserved, 8 bits, zero; head, 16 bits.  All
 * numbers are little endian.  Neither end trusts the other: whatever is read
 * here is bounded before it is used.
 */
#ifndef CXL_POOL_WIRE_H
#define CXL_POOL_WIRE_H

#include "qemu/units.h"
#include "qemu/uuid.h"
#include "hw/cxl/cxl_cci.h"
#include "hw/cxl/cxl_dc.h"
#include "hw/cxl/cxl_events.h"

#define CXL_POOL_WIRE_MAGIC     0x4c505843  /* "CXPL" */
#define CXL_POOL_WIRE_VERSION   3
#define CXL_POOL_WIRE_HEADER    8
/* Longest message: a mailbox's largest payload and what goes in front */
#define CXL_POOL_WIRE_MAX       (1 * MiB + 64)
/* Bytes of a range and of a record in lists, and what precedes these */
#define CXL_POOL_WIRE_RANGE     24
#define CXL_POOL_WIRE_LIST      16
/* Entries that one message carries at most */
#define CXL_POOL_WIRE_RANGES    4096
#define CXL_POOL_WIRE_RECORDS   1024
/* Bytes of the sentence of an error */
#define CXL_POOL_WIRE_TEXT      512

typedef enum CXLPoolMsgType {
    /* head to daemon */
    CXL_POOL_MSG_HELLO      = 1,    /* CXLPoolHello */
    CXL_POOL_MSG_ATTACH     = 2,    /* CXLPoolAttach */
    CXL_POOL_MSG_DETACH     = 3,    /* nothing: the head is unplugged */
    CXL_POOL_MSG_REQUEST    = 4,    /* CXLPoolRequest */
    CXL_POOL_MSG_ENDED      = 5,    /* 64 bits: accesses up to this ended */
    CXL_POOL_MSG_CREDIT     = 6,    /* CXLPoolCredit */
    CXL_POOL_MSG_INFO       = 7,    /* CXLHeadInfo */
    CXL_POOL_MSG_HANDOVER   = 8,    /* UUID: who attaches by it goes on */
    CXL_POOL_MSG_REPLY      = 9,    /* CXLPoolAnswer, to TUNNEL */
    /* daemon to head */
    CXL_POOL_MSG_WELCOME    = 0x81, /* CXLPoolWelcome, and a descriptor */
    CXL_POOL_MSG_VIEW       = 0x82, /* CXLPoolRanges: some of what it has */
    CXL_POOL_MSG_ATTACHED   = 0x83, /* 64 bits: as ENDED; the view is whole */
    CXL_POOL_MSG_ANSWER     = 0x84, /* CXLPoolAnswer */
    CXL_POOL_MSG_ON         = 0x85, /* CXLPoolRanges: may be accessed */
    CXL_POOL_MSG_OFF        = 0x86, /* CXLPoolRanges: no more; ENDED follows */
    CXL_POOL_MSG_EVENTS     = 0x87, /* CXLPoolEvents */
    CXL_POOL_MSG_ERROR      = 0x88, /* text; the connection ends */
    CXL_POOL_MSG_HANDED     = 0x89, /* UUID: of the HANDOVER */
    CXL_POOL_MSG_TUNNEL     = 0x8a, /* CXLPoolRequest of a Fabric Manager */
    CXL_POOL_MSG_REFUSED    = 0x8b, /* text; to ATTACH, all else goes on */
} CXLPoolMsgType;

/**
 * struct CXLPoolMsg - one message of a stream
 * @type: &enum CXLPoolMsgType, or unknown
 * @head: that it is about; 0 where it is about none
 * @body: borrowed from the bytes that were read
 * @len: bytes of @body
 */
typedef struct CXLPoolMsg {
    uint8_t type;
    uint16_t head;
    const uint8_t *body;
    size_t len;
} CXLPoolMsg;

/** struct CXLPoolHello - versions that a head's side speaks */
typedef struct CXLPoolHello {
    uint16_t oldest;
    uint16_t newest;
} CXLPoolHello;

/**
 * struct CXLPoolWelcome - version that is spoken, and what the pool is made of
 * @size: bytes of the medium, whose descriptor comes along
 * @config: regions as a host with base 0 sees them
 * @place: where each region begins in the medium
 */
typedef struct CXLPoolWelcome {
    uint16_t version;
    uint64_t size;
    uint64_t serial;
    CXLDCConfig config;
    uint64_t place[CXL_DC_MAX_REGIONS];
} CXLPoolWelcome;

/**
 * struct CXLPoolAttach - a head is there, for the first time or again
 * @instance: never of another life of a machine: what it has asked and heard
 *            is that of this one
 * @base: where its first region begins
 * @dsmad: handle of each region in the CDAT
 * @heard: number of the last event that it has logged
 * @room: records that fit in its event log behind that one
 * @goes_on: as an instance that the daemon knows, or not at all
 */
typedef struct CXLPoolAttach {
    QemuUUID instance;
    uint64_t base;
    uint32_t dsmad[CXL_DC_MAX_REGIONS];
    uint64_t heard;
    uint32_t room;
    bool goes_on;
} CXLPoolAttach;

/* In place of an opcode: the host is reset (9.13.3) */
#define CXL_POOL_REQUEST_RESET  0

/**
 * struct CXLPoolRequest - a command of the host, or for its logical device
 * @id: larger than that of all before of the same instance, or of the same
 *      connection; 0 is none
 * @opcode: of the host of set 48h, or CXL_POOL_REQUEST_RESET
 * @room: bytes that the answer's payload may have
 * @payload, @len: of the request; borrowed
 */
typedef struct CXLPoolRequest {
    uint64_t id;
    uint16_t opcode;
    uint32_t room;
    const uint8_t *payload;
    size_t len;
} CXLPoolRequest;

/**
 * struct CXLPoolAnswer - to the request of that @id; @payload is borrowed
 * @background: a background operation runs there; REPLY only
 */
typedef struct CXLPoolAnswer {
    uint64_t id;
    uint16_t rc;
    bool background;
    const uint8_t *payload;
    size_t len;
} CXLPoolAnswer;

/** struct CXLPoolCredit - see CXLPoolAttach */
typedef struct CXLPoolCredit {
    uint64_t heard;
    uint32_t room;
} CXLPoolCredit;

/**
 * struct CXLPoolRanges - some of what a host may or may no more access
 * @ticket: OFF: to be named by ENDED
 * @n: so many, not 0
 * @list: as they travel; cxl_pool_wire_range()
 */
typedef struct CXLPoolRanges {
    uint64_t ticket;
    uint32_t n;
    const uint8_t *list;
} CXLPoolRanges;

/**
 * struct CXLPoolEvents - records for the host's log
 * @first: number of the first one; the others follow
 */
typedef struct CXLPoolEvents {
    uint64_t first;
    uint32_t n;
    const uint8_t *list;
} CXLPoolEvents;

/**
 * cxl_pool_wire_next() - the first message of what was received
 * @data, @len: hostile
 * @msg: filled if there is one
 * Return: its bytes; 0: it is not complete yet; -1: it never will be, with
 *         nothing in front of which a message could be found again
 */
ssize_t cxl_pool_wire_next(const uint8_t *data, size_t len, CXLPoolMsg *msg);
/** cxl_pool_wire_missing() - bytes that complete it; 0: header is not whole */
size_t cxl_pool_wire_missing(const uint8_t *data, size_t len);

/*
 * Each returns false for a body that is not one: too short or too long, or a
 * number in it that none of that kind can be.  What is borrowed lives as long
 * as the message.
 */
bool cxl_pool_get_hello(const CXLPoolMsg *msg, CXLPoolHello *m);
bool cxl_pool_get_attach(const CXLPoolMsg *msg, CXLPoolAttach *m);
bool cxl_pool_get_request(const CXLPoolMsg *msg, CXLPoolRequest *m);
bool cxl_pool_get_number(const CXLPoolMsg *msg, uint64_t *number);
bool cxl_pool_get_uuid(const CXLPoolMsg *msg, QemuUUID *uuid);
bool cxl_pool_get_credit(const CXLPoolMsg *msg, CXLPoolCredit *m);
bool cxl_pool_get_welcome(const CXLPoolMsg *msg, CXLPoolWelcome *m);
bool cxl_pool_get_answer(const CXLPoolMsg *msg, CXLPoolAnswer *m);
bool cxl_pool_get_ranges(const CXLPoolMsg *msg, CXLPoolRanges *m);
bool cxl_pool_get_events(const CXLPoolMsg *msg, CXLPoolEvents *m);
/** cxl_pool_get_text() - what can be printed of it; g_free() it. */
char *cxl_pool_get_text(const CXLPoolMsg *msg);

/** cxl_pool_wire_range() - entry @i of a list */
CXLDCPiece cxl_pool_wire_range(const CXLPoolRanges *m, uint32_t i);
/** cxl_pool_wire_record() - entry @i of a list */
void cxl_pool_wire_record(const CXLPoolEvents *m, uint32_t i,
                          CXLEventRecord *r);

/* Each appends one message to @out. */
void cxl_pool_put_hello(GByteArray *out, const CXLPoolHello *m);
void cxl_pool_put_attach(GByteArray *out, uint16_t head,
                         const CXLPoolAttach *m);
void cxl_pool_put_request(GByteArray *out, uint16_t head,
                          const CXLPoolRequest *m);
void cxl_pool_put_reply(GByteArray *out, uint16_t head,
                        const CXLPoolAnswer *m);
/** cxl_pool_put_number() - DETACH (no number), ENDED or ATTACHED */
void cxl_pool_put_number(GByteArray *out, uint16_t head, CXLPoolMsgType type,
                         uint64_t number);
/** cxl_pool_put_uuid() - HANDOVER or HANDED */
void cxl_pool_put_uuid(GByteArray *out, uint16_t head, CXLPoolMsgType type,
                       const QemuUUID *uuid);
void cxl_pool_put_info(GByteArray *out, uint16_t head, const CXLHeadInfo *m);
bool cxl_pool_get_info(const CXLPoolMsg *msg, CXLHeadInfo *m);
void cxl_pool_put_credit(GByteArray *out, uint16_t head,
                         const CXLPoolCredit *m);
void cxl_pool_put_welcome(GByteArray *out, const CXLPoolWelcome *m);
void cxl_pool_put_answer(GByteArray *out, uint16_t head,
                         const CXLPoolAnswer *m);
void cxl_pool_put_tunnel(GByteArray *out, uint16_t head,
                         const CXLPoolRequest *m);
/** cxl_pool_put_ranges() - VIEW, ON or OFF, as many messages as it takes */
void cxl_pool_put_ranges(GByteArray *out, uint16_t head, CXLPoolMsgType type,
                         uint64_t ticket, const CXLDCPiece *range, size_t n);
/** cxl_pool_put_events() - as many messages as it takes */
void cxl_pool_put_events(GByteArray *out, uint16_t head, uint64_t first,
                         const CXLEventRecord *r, size_t n);
/** cxl_pool_put_text() - ERROR or REFUSED */
void cxl_pool_put_text(GByteArray *out, uint16_t head, CXLPoolMsgType type,
                       const char *text);

#endif
