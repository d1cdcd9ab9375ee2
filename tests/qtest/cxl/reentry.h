/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupts as a weapon: a guest writes the address of a register into an MSI
 * or MSI-X message, and the function that raises the interrupt takes its own
 * slot's power away, resets its own bus or rings its own doorbell
 *
 *   rp0 - us0 + - ds0 - mem0        mem0 and the switch are the victims
 *         sw0 |   - ds1
 *   rp1 - other                     nobody touches it: it must go on
 */
#ifndef TESTS_CXL_REENTRY_H
#define TESTS_CXL_REENTRY_H

#include "cxl-qtest-switch.h"
#include "tests/qtest/mctp/mctp-line.h"

/* I2C addresses and EIDs of the endpoints of mem0 and of the switch */
#define REENTRY_I2C_MEM     0x21
#define REENTRY_I2C_SWITCH  0x20
#define REENTRY_EID_MEM     20
#define REENTRY_EID_SWITCH  19

/* Lines to mem0 and to the switch */
enum { LINE_MEM, LINE_SWITCH };

/* Size of a block of dynamic capacity, and where the first is */
#define REENTRY_DC_BASE     (512 * MiB)

/**
 * enum ReentryAim - what the message does
 * @AIM_SLOT: power off ds0's slot, with mem0 in it
 * @AIM_RESET: reset the bus below ds0; an MSI's 16 bits of data do not reach
 *   that bit
 * @AIM_SWITCH: power off rp0's slot, with the whole switch in it
 * @AIM_SWITCH_RESET: reset the bus below rp0; not by MSI either
 * @AIM_DOORBELL: ring the doorbell of mem0's mailbox
 * @AIM_SWITCH_DOORBELL: ring that of the switch's mailbox
 * @AIM_FLR: reset the function ds0
 */
typedef enum ReentryAim {
    AIM_SLOT,
    AIM_RESET,
    AIM_SWITCH,
    AIM_SWITCH_RESET,
    AIM_DOORBELL,
    AIM_SWITCH_DOORBELL,
    AIM_FLR,
    AIM__COUNT,
} ReentryAim;

extern const char *const reentry_aim_name[AIM__COUNT];

/* Sets of aims */
#define AIMS_MSIX   (1u << AIM_SLOT | 1u << AIM_RESET | 1u << AIM_SWITCH | \
                     1u << AIM_SWITCH_RESET | 1u << AIM_DOORBELL)
#define AIMS_MSI    (1u << AIM_SLOT | 1u << AIM_SWITCH | \
                     1u << AIM_SWITCH_DOORBELL | 1u << AIM_FLR)

/**
 * struct Reentry - the machine
 * @held: mem0 is out of its host's sight when the message comes, so that no
 *   slot's power takes it
 * @asks: the test asks for mem0's removal, which otherwise arming does
 */
typedef struct Reentry {
    DwI2c i2c;
    QTestState *qts;
    ReentryAim aim;
    bool held;
    bool asks;
    CxlDev root, usp, sw, dsp[2], mem, other;
    Line *line[2];
} Reentry;

/** reentry_start() - the machine, enumerated, with @more arguments */
void reentry_start(Reentry *r, const char *more);
void reentry_stop(Reentry *r);
/** reentry_find() - enumerate what is below rp0 */
void reentry_find(Reentry *r);

/**
 * reentry_arm_mem() - all of mem0's vectors do @aim, all its interrupts are on
 *
 * Event logs are emptied, because only the first record of one interrupts.
 */
void reentry_arm_mem(Reentry *r, ReentryAim aim);
/** reentry_arm_errors() - errors of mem0 and of the ports get to rp0 */
void reentry_arm_errors(Reentry *r);
/** reentry_arm_msi() - the MSI of @port does @aim, hot-plug raises it */
void reentry_arm_msi(Reentry *r, CxlDev *port, ReentryAim aim);
/** reentry_disarm() - @dev, if it is there, sends no messages any more */
void reentry_disarm(CxlDev *dev);

/**
 * reentry_send() - write a command into a mailbox and ring, and no more
 *
 * What comes of it may be that the mailbox is gone.
 */
void reentry_send(CxlDev *mailbox, uint16_t op, const CxlReq *req);
/** reentry_send_line() - the same through a line; the answer is not read */
void reentry_send_line(Reentry *r, unsigned line, uint16_t op,
                       const CxlReq *req);
/** reentry_send_i2c() - the same through I2C, to mem0 or the switch */
void reentry_send_i2c(Reentry *r, bool to_switch, uint16_t op,
                      const CxlReq *req);

/**
 * reentry_after() - the machine lives, and so does or will what was hit
 *
 * What was unplugged is gone for good and can be plugged again; what was reset
 * works once it is enumerated.
 *
 * Return: did the message come?
 */
bool reentry_after(Reentry *r);

#endif
