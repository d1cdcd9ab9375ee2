/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine with every kind of CCI that there is, and one way to speak to each
 */
#ifndef TESTS_CXL_ROBUST_CCIS_H
#define TESTS_CXL_ROBUST_CCIS_H

#include "tests/qtest/mctp/mctp-guest.h"

typedef struct RobustMachine {
    DwI2c i2c;
    Mailbox device, sw;
} RobustMachine;

/**
 * struct RobustCCI - one CCI
 * @kind: a bit of CXLCCIKind
 * @alive: command that always works, and the bytes of its answer
 * @slow: every byte takes several steps of the test
 */
typedef struct RobustCCI {
    const char *name;
    unsigned kind;
    uint16_t alive;
    unsigned alive_len;
    bool slow;
    Answer (*run)(RobustMachine *m, uint16_t opcode, const void *in,
                  size_t len);
} RobustCCI;

extern const RobustCCI robust_ccis[];
extern const unsigned robust_nr_ccis;

void robust_start(RobustMachine *m);
/** robust_start_args() - the same machine with @more arguments */
void robust_start_args(RobustMachine *m, const char *more);
/** robust_reset() - reset the machine and find everything again */
void robust_reset(RobustMachine *m);
void robust_stop(RobustMachine *m);

/** robust_run() - as run(), and what every answer has in common is checked */
Answer robust_run(RobustMachine *m, const RobustCCI *cci, uint16_t opcode,
                  const void *in, size_t len);
/** robust_rc() - return code alone */
uint16_t robust_rc(RobustMachine *m, const RobustCCI *cci, uint16_t opcode,
                   const void *in, size_t len);
/** robust_is_there() - does the machine have this CCI? */
bool robust_is_there(RobustMachine *m, const RobustCCI *cci);
/** robust_room() - bytes of the longest request */
unsigned robust_room(RobustMachine *m, const RobustCCI *cci);
/** robust_cel() - uint16_t opcodes of the effects log, ascending */
GArray *robust_cel(RobustMachine *m, const RobustCCI *cci);
bool robust_cel_has(const GArray *cel, unsigned opcode);
/** robust_bg_runs() - does a background operation run on this CCI? */
bool robust_bg_runs(RobustMachine *m, const RobustCCI *cci);

#endif
