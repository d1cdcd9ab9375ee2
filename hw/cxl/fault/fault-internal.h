/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults on purpose: what is armed, and the rows that say what there is
 */
#ifndef HW_CXL_FAULT_INTERNAL_H
#define HW_CXL_FAULT_INTERNAL_H

#include "hw/cxl/cxl_fault.h"

/* Faults on one target */
#define CXL_FAULTS_MAX          64
#define CXL_FAULT_NAME_MAX      48
/* When a packet is due: far from where time wraps */
#define CXL_FAULT_TIME_MAX      (INT64_MAX / 2)
/* Filters: one opcode, log, register or vector, or any */
#define CXL_FAULT_ANY           (-1)

/* Data object of a table access: the entry is behind its headers */
#define CXL_FAULT_CDAT_ENTRY    12

typedef struct CXLFault CXLFault;
typedef struct CXLFaultKind CXLFaultKind;

/* Arguments that a kind takes */
typedef enum CXLFaultArgument {
    CXL_FAULT_OPCODE    = 1 << 0,   /* only this command */
    CXL_FAULT_LOG       = 1 << 1,   /* only this event log */
    CXL_FAULT_VALUE     = 1 << 2,   /* row says what it is */
    CXL_FAULT_OFFSET    = 1 << 3,   /* byte of the payload or packet */
    CXL_FAULT_WIDTH     = 1 << 4,   /* bytes of the field: 1, 2, 4, 8 */
    CXL_FAULT_DELAY     = 1 << 5,   /* milliseconds */
    CXL_FAULT_SEED      = 1 << 6,   /* of random bytes */
    CXL_FAULT_VECTOR    = 1 << 7,   /* only this interrupt vector */
    CXL_FAULT_NOW       = 1 << 8,   /* none: it acts when it is armed */
} CXLFaultArgument;

/* How a field is changed */
typedef enum CXLFaultHow {
    CXL_FAULT_SET,
    CXL_FAULT_ADD,
    CXL_FAULT_FLIP,         /* exclusive or */
    CXL_FAULT_TURN_ON,
    CXL_FAULT_TURN_OFF,
    CXL_FAULT_ALTERNATE,    /* SET at every other hit */
} CXLFaultHow;

/**
 * struct CXLFaultField - @bits bits from bit @bit on of what starts at @offset
 *
 * @offset counts bytes in payloads and records; registers have 0 there.
 */
typedef struct CXLFaultField {
    uint16_t offset;
    uint8_t bit;
    uint8_t bits;
    CXLFaultHow how;
} CXLFaultField;

/**
 * struct CXLFaultKind - one fault that there is
 * @family: heading in lists
 * @point: where it acts
 * @takes: CXLFaultArgument it may be given; all take when, n, count, ...
 * @needs: of those, what has no default
 * @only: opcode, log, register or vector it is about, %CXL_FAULT_ANY if the
 *        user says, or if it is about all
 * @value: default of the argument, or of the delay
 * @max: its largest value, and that of offset; 0: any
 * @least: answers: bytes of payload that there must be
 * @failed: answers: also to commands that failed
 * @field: what is changed, unless there is @act
 * @fits: NULL, or tells whether it can do something at @place
 * @suits: NULL, or tells whether it can do something to @arg
 * @act: NULL, or does it; what @arg is depends on @point
 * @does: what it does, one line
 * @spec: what the specification wants instead, and where
 */
struct CXLFaultKind {
    const char *name;
    const char *family;
    CXLFaultPoint point;
    uint16_t takes;
    uint16_t needs;
    bool failed;
    int32_t only;
    uint64_t value;
    uint64_t max;
    uint16_t least;
    CXLFaultField field;
    bool (*fits)(uint32_t place);
    bool (*suits)(const void *arg);
    void (*act)(CXLFaults *fs, CXLFault *f, void *arg);
    const char *does;
    const char *spec;
};

/* The largest value of a field */
#define CXL_FAULT_MAX(bits)     (UINT64_MAX >> (64 - (bits)))

/* When an armed fault acts, of what it fits */
typedef enum CXLFaultWhen {
    CXL_FAULT_NEXT,         /* from the next on */
    CXL_FAULT_NTH,          /* from the n-th on */
    CXL_FAULT_EVERY_NTH,
    CXL_FAULT_PROBABLY,
    CXL_FAULT_WHENS
} CXLFaultWhen;

/**
 * struct CXLFault - one that is armed
 * @name: of its kind, as it travels
 * @only: of the kind, or as the user said
 * @percent: for %CXL_FAULT_PROBABLY
 * @random: state of its numbers, which begins with the seed
 * @count: times it acts at most; 0: no limit
 * @seen: what it fitted
 * @hits: times it acted
 * @memo: of the kind
 */
struct CXLFault {
    const CXLFaultKind *kind;
    uint8_t name[CXL_FAULT_NAME_MAX];
    uint32_t id;
    uint8_t when;
    uint8_t percent;
    uint8_t width;
    int32_t only;
    uint32_t n;
    uint32_t count;
    uint32_t offset;
    uint32_t delay_ms;
    uint64_t value;
    uint64_t random;
    uint64_t seen;
    uint64_t hits;
    uint64_t memo;
};

/**
 * struct CXLFaults - of one target
 * @last_id: of the fault that was armed last
 * @doorbell_until: it seems to be set until then; 0: it does not
 * @extent: where the last record of dynamic capacity said that it begins
 * @held: packets that wait, in the order in which they came
 */
struct CXLFaults {
    uint32_t n;
    CXLFault fault[CXL_FAULTS_MAX];
    uint32_t last_id;
    int64_t doorbell_until;
    uint64_t extent;
    uint32_t nr_held;
    CXLFaultPacket held[CXL_FAULT_HELD_MAX];
};

/* At %CXL_FAULT_ANSWER; the request is only looked at */
typedef struct CXLFaultAnswer {
    uint16_t opcode;
    const uint8_t *in;
    size_t in_len;
    uint8_t *out;
    size_t room;
    size_t len;
    unsigned rc;
} CXLFaultAnswer;

/* At %CXL_FAULT_REGISTER, %CXL_FAULT_COMPONENT and %CXL_FAULT_CONFIG */
typedef struct CXLFaultRead {
    uint32_t place;
    uint64_t value;
} CXLFaultRead;

/* At %CXL_FAULT_CDAT: a data object with the entry behind two headers */
typedef struct CXLFaultEntry {
    uint8_t *object;
    size_t len;
    uint16_t handle;
} CXLFaultEntry;

/* At %CXL_FAULT_EVENT; @closes: the last of @times is the end of its group */
typedef struct CXLFaultRecord {
    uint8_t *r;
    unsigned times;
    bool closes;
} CXLFaultRecord;

/*
 * At %CXL_FAULT_PACKET; at %CXL_FAULT_FRAME and %CXL_FAULT_TRANSFER only bytes
 * and their number
 */
typedef struct CXLFaultSending {
    uint8_t *data;
    uint32_t len;
    unsigned times;
    int64_t late_ns;
} CXLFaultSending;

/* A set of rows; cxl_fault_sets is all of them, NULL terminated */
typedef struct CXLFaultSet {
    const CXLFaultKind *kinds;
    unsigned n;
} CXLFaultSet;

extern const CXLFaultSet cxl_faults_answers;
extern const CXLFaultSet cxl_faults_tables;
extern const CXLFaultSet cxl_faults_events;
extern const CXLFaultSet cxl_faults_dc;
extern const CXLFaultSet cxl_faults_registers;
extern const CXLFaultSet cxl_faults_cdat;
extern const CXLFaultSet cxl_faults_mctp;
extern const CXLFaultSet *const cxl_fault_sets[];

const CXLFaultKind *cxl_fault_find(const char *name);
uint64_t cxl_fault_random(CXLFault *f);
/* The faults themselves, not who has them */
CXLFaults *cxl_faults_new(void);
/* Adds a copy with an id of its own; there is room */
CXLFault *cxl_faults_add(CXLFaults *fs, const CXLFault *f);
/* Nothing is held back any more; returns false if there is no such id */
bool cxl_faults_remove(CXLFaults *fs, uint32_t id);

/* What rows of several sets do */
void cxl_fault_event_lost(CXLFaults *fs, CXLFault *f, void *arg);
void cxl_fault_answer_long(CXLFaults *fs, CXLFault *f, void *arg);

/* target.c */
/* NULL if @target has none */
CXLFaults *cxl_fault_of(Object *target);
/* CXLFaultPoint bits, 0 if @target is no target */
uint32_t cxl_fault_points(Object *target);

#endif /* HW_CXL_FAULT_INTERNAL_H */
