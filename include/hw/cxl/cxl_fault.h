/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults on purpose: what a component shows of itself is changed on its way
 * out, so that drivers and Fabric Managers can be tested with a device that
 * lies.  The models never change.
 *
 * A component has a pointer to its faults, NULL unless some are armed; places
 * where they act test it and call one of the functions below.  Which faults
 * there are is data: rows of &CXLFaultKind in hw/cxl/fault/.
 */
#ifndef HW_CXL_FAULT_H
#define HW_CXL_FAULT_H

#include "hw/cxl/cxl_events.h"
#include "hw/cxl/cxl_msg.h"
#include "qom/object.h"

typedef struct CXLFaults CXLFaults;

/* Places where faults act; a target has some of them */
typedef enum CXLFaultPoint {
    CXL_FAULT_ANSWER,       /* return code and payload of a command */
    CXL_FAULT_COMPLETION,   /* how an answer is handed over */
    CXL_FAULT_REGISTER,     /* device registers as they are read */
    CXL_FAULT_COMPONENT,    /* component registers as they are read */
    CXL_FAULT_CONFIG,       /* configuration space as it is read */
    CXL_FAULT_CDAT,         /* answers to DOE table access requests */
    CXL_FAULT_EVENT,        /* event records on their way into the host's log */
    CXL_FAULT_INTERRUPT,    /* interrupts of the device */
    CXL_FAULT_PACKET,       /* MCTP packets on their way out */
    CXL_FAULT_FRAME,        /* I2C frames on their way out */
    CXL_FAULT_TRANSFER,     /* USB transfers on their way out */
    CXL_FAULT_POINTS
} CXLFaultPoint;

/**
 * cxl_fault_answer() - a command is done
 * @in: its request of @in_len bytes
 * @out: @len bytes of response in a buffer of @room
 * Return: what the requester is told
 */
CXLRetCode cxl_fault_answer(CXLFaults *fs, uint16_t opcode, const uint8_t *in,
                            size_t in_len, uint8_t *out, size_t room,
                            size_t *len, CXLRetCode rc);

/**
 * struct CXLFaultCompletion - how an answer is handed over
 * @opcode: of the command, and what the answer repeats of it
 * @len: bytes of payload as they are announced; 20 bits
 * @vendor_status: vendor specific extended status
 * @late_ns: time until the requester sees that it is there
 * @never: it never is
 */
typedef struct CXLFaultCompletion {
    uint16_t opcode;
    uint32_t len;
    uint16_t vendor_status;
    int64_t late_ns;
    bool never;
} CXLFaultCompletion;

void cxl_fault_completion(CXLFaults *fs, CXLFaultCompletion *c);
/** cxl_fault_doorbell_rings() - note until when it does; and does it still? */
void cxl_fault_doorbell_rings(CXLFaults *fs, const CXLFaultCompletion *c);
bool cxl_fault_doorbell_is_set(const CXLFaults *fs);
/** cxl_fault_reset() - what a component has not done yet is not done at all */
void cxl_fault_reset(CXLFaults *fs);

/* Where a device register is that lies behind others of any size */
#define CXL_FAULT_REG_MEMDEV        0xfffff
/* Places in configuration space by DVSEC and dword, and DOE registers */
#define CXL_FAULT_CFG_DVSEC(id)     (0x10000 | (id) << 8)
#define CXL_FAULT_CFG_DOE           0x20000

/**
 * cxl_fault_read() - software reads @value
 * @point: %CXL_FAULT_REGISTER, %CXL_FAULT_COMPONENT or %CXL_FAULT_CONFIG
 * @place: offset of the 64-bit device register, offset of the dword in the
 *         CXL.cachemem block, or place in configuration space
 * Return: what it gets
 */
uint64_t cxl_fault_read(CXLFaults *fs, CXLFaultPoint point, uint32_t place,
                        uint64_t value);

/* What an entry of the CDAT is of, if it is no structure: the table's header */
#define CXL_FAULT_CDAT_HEADER       0x100

/**
 * cxl_fault_cdat() - a data object leaves for software
 * @object: it, @dwords long: header, table access response, entry
 * @handle: of the entry
 */
void cxl_fault_cdat(CXLFaults *fs, uint32_t *object, uint32_t dwords,
                    uint16_t handle);

/**
 * cxl_fault_event() - a record is about to be logged
 * @r: it; timestamp is filled in already
 * @last: what the last of them is: always filled in
 * Return: how many of them are logged
 */
unsigned cxl_fault_event(CXLFaults *fs, CXLEventLogId log, CXLEventRecord *r,
                         CXLEventRecord *last);

/** cxl_fault_interrupt() - how many times does @vector leave the device? */
unsigned cxl_fault_interrupt(CXLFaults *fs, unsigned vector);

/* Bytes of an MCTP packet: header, and payload of one at least */
#define CXL_FAULT_PACKET_MIN        5
#define CXL_FAULT_PACKET_MAX        254
/* Packets that wait to be sent; more are dropped */
#define CXL_FAULT_HELD_MAX          64

/**
 * struct CXLFaultPacket - an MCTP packet on its way out
 * @due: when it leaves, virtual clock
 * @until: when it is given up if the link does not take it
 */
typedef struct CXLFaultPacket {
    int64_t due;
    int64_t until;
    uint32_t link;
    uint32_t len;
    uint8_t data[CXL_FAULT_PACKET_MAX];
} CXLFaultPacket;

/** cxl_fault_held_fit() - is none of those that wait longer than @max? */
bool cxl_fault_held_fit(const CXLFaults *fs, uint32_t max);
/** cxl_fault_held_full() - no more packets can wait */
bool cxl_fault_held_full(const CXLFaults *fs);
/** cxl_fault_packet() - @p is sent, some time or other, or not, or twice */
void cxl_fault_packet(CXLFaults *fs, const CXLFaultPacket *p);
/** cxl_fault_held() - the packet that leaves now, or NULL.  Borrowed. */
CXLFaultPacket *cxl_fault_held(CXLFaults *fs, int64_t now);
/** cxl_fault_held_done() - the link took it, or did not and shall try again */
void cxl_fault_held_done(CXLFaults *fs, bool taken, int64_t now);
/** cxl_fault_held_next() - when one leaves, -1: there is none */
int64_t cxl_fault_held_next(const CXLFaults *fs);

/**
 * cxl_fault_wire() - what packets became leaves by the wire
 * @point: %CXL_FAULT_FRAME or %CXL_FAULT_TRANSFER
 * @data: frame or transfer of @len bytes
 * Return: bytes of it that leave
 */
size_t cxl_fault_wire(CXLFaults *fs, CXLFaultPoint point, uint8_t *data,
                      size_t len);

/* -- targets ------------------------------------------------------------ */

#define TYPE_CXL_FAULT_TARGET "cxl-fault-target"
typedef struct CXLFaultTargetClass CXLFaultTargetClass;
typedef struct CXLFaultTarget CXLFaultTarget;
DECLARE_CLASS_CHECKERS(CXLFaultTargetClass, CXL_FAULT_TARGET,
                       TYPE_CXL_FAULT_TARGET)
#define CXL_FAULT_TARGET(obj) \
    INTERFACE_CHECK(CXLFaultTarget, (obj), TYPE_CXL_FAULT_TARGET)

/**
 * struct CXLFaultTargetClass - something that faults can be armed on
 * @points: bits of &CXLFaultPoint
 * @attach: hand the pointer on to all parts that test it; NULL: no more faults
 * @interrupt: NULL, or raise a vector that nothing is behind
 */
struct CXLFaultTargetClass {
    InterfaceClass parent_class;

    uint32_t points;
    void (*attach)(CXLFaultTarget *t, CXLFaults *fs);
    void (*interrupt)(CXLFaultTarget *t, unsigned vector);
};

/** cxl_fault_make() - the faults of @target, which has them from now on */
CXLFaults *cxl_fault_make(Object *target);
/** cxl_fault_drop() - it has none any more, and nothing of them waits */
void cxl_fault_drop(Object *target);

/*
 * For a subsection of the target: needed where the pointer is not NULL, with
 * cxl_fault_make() before the load.  A load begins with cxl_fault_drop().
 */
extern const struct VMStateDescription vmstate_cxl_faults;

#endif /* HW_CXL_FAULT_H */
