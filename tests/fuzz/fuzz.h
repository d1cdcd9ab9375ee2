/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random but structured operations against a machine with CXL devices
 *
 * A seed decides about a machine and every operation on it. Generators draw
 * random numbers and nothing else: what QEMU answers changes no operation, so
 * that any part of a run can be left out when it is run again.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "fuzz-link.h"
#include "fuzz-machine.h"

/* -- operations -- */

typedef enum FuzzClass {
    FUZZ_MAILBOX, FUZZ_TUNNEL, FUZZ_SERIAL, FUZZ_I2C, FUZZ_MMIO, FUZZ_CONFIG,
    FUZZ_DECODER, FUZZ_WINDOW, FUZZ_DOE, FUZZ_MONITOR, FUZZ_PLUG, FUZZ_RESET,
    FUZZ_INTERRUPT, FUZZ_CLOCK, FUZZ_STATE, FUZZ_REPAIR, FUZZ_CHECK,
    FUZZ_CLASSES,
} FuzzClass;

extern const char *const fuzz_class_names[FUZZ_CLASSES];

/* Operations whose text is kept: those that may be under way, and those told */
#define FUZZ_TOLD 50
#define FUZZ_LOG (LINK_PENDING + FUZZ_TOLD)

/**
 * struct FuzzTotal - what was done
 * @count: operations, of each class
 * @checked: answers and lists that checks looked at; @reached: devices
 * @launches: QEMUs started; @loads: streams that they were given
 * @faults: on purpose, armed
 */
typedef struct FuzzTotal {
    uint64_t count[FUZZ_CLASSES];
    uint64_t checked, reached;
    unsigned launches, loads, faults;
} FuzzTotal;

/**
 * struct Fuzz - one machine's run
 * @random: state of the generator of random numbers
 * @op: operations so far, which is the number of the next
 * @from: operations before it are not done, other than @kept
 * @skipped: one bit for each operation that is left out, or %NULL
 * @did: of this machine
 * @wrong: what a check found, or %NULL
 * @folder: for sockets and files
 * @kinds: of faults that QEMU has, as it lists them
 * @lied: faults on purpose were armed, which snapshots may keep
 * @lies: ... and some may be now
 * @refused: this QEMU refused one, so that it cannot be saved
 * @clock: ns of virtual time when the machine was saved
 */
typedef struct Fuzz {
    uint64_t seed, random;
    uint64_t op, from;
    const uint8_t *skipped;
    FuzzTotal did;
    char *wrong;
    QemuLink *link;
    FuzzMachine m;
    const char *folder;
    QDict *kinds;
    bool lied, lies;
    bool refused;
    uint64_t clock;
    int serial[FUZZ_SERIALS];
    char *log[FUZZ_LOG];
    bool echo;
} Fuzz;

/**
 * fuzz_op() - begin an operation
 *
 * Generators draw all of their random numbers first and do this next.
 * Return: is it to be done? False in parts of a run that are left out.
 */
bool fuzz_op(Fuzz *f, FuzzClass class, const char *fmt, ...)
    G_GNUC_PRINTF(3, 4);
/** fuzz_wrong() - a check failed; only the first is kept */
void fuzz_wrong(Fuzz *f, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
/** fuzz_over() - did QEMU die, or a check fail? */
bool fuzz_over(const Fuzz *f);

/* -- random numbers -- */

uint64_t fuzz_random(Fuzz *f);
/** fuzz_below() - 0 to @n - 1 */
unsigned fuzz_below(Fuzz *f, unsigned n);
/** fuzz_one_in() - true once in @n times */
bool fuzz_one_in(Fuzz *f, unsigned n);
/** fuzz_odd() - a number that is likely to be at some limit */
uint64_t fuzz_odd(Fuzz *f);
/** fuzz_pick() - a function of the machine; fuzz_pick_kind() - one of these */
FuzzFn *fuzz_pick(Fuzz *f);
const FuzzFn *fuzz_pick_kind(Fuzz *f, FuzzKind a, FuzzKind b);
/** fuzz_bytes() - mostly zeroes, ones, or anything */
void fuzz_bytes(Fuzz *f, uint8_t *bytes, size_t len);
#define FUZZ_PICK(f, list) ((list)[fuzz_below(f, ARRAY_SIZE(list))])

/* -- commands -- */

/* Bytes of the longest request that is made */
#define FUZZ_PAYLOAD 4096

typedef struct FuzzCommand {
    uint16_t opcode;
    unsigned len;
    uint8_t data[FUZZ_PAYLOAD];
} FuzzCommand;

/** fuzz_command() - a command of any kind, for a function like @fn */
void fuzz_command(Fuzz *f, const FuzzFn *fn, FuzzCommand *c);
/** fuzz_host_payload() - fill what is known of a device's command */
void fuzz_host_payload(Fuzz *f, const FuzzFn *fn, FuzzCommand *c);
/** fuzz_fm_payload() - fill what is known of an FM's command */
void fuzz_fm_payload(Fuzz *f, const FuzzFn *fn, FuzzCommand *c);
/** fuzz_tunnel() - put @c, made for @fn, into a tunnel to downstream @port */
void fuzz_tunnel(FuzzCommand *c, uint8_t port);
/** fuzz_dpa() - an address in @fn, few enough to meet again */
uint64_t fuzz_dpa(Fuzz *f, const FuzzFn *fn);
/** fuzz_host() - ID of a host, 0 where there is no other */
unsigned fuzz_host(Fuzz *f);
/** fuzz_extent() - one or a few blocks of dynamic capacity */
void fuzz_extent(Fuzz *f, const FuzzFn *fn, uint64_t *dpa, uint64_t *len);
/** fuzz_post_command() - through the mailbox of @fn */
void fuzz_post_command(Fuzz *f, const FuzzFn *fn, const FuzzCommand *c);

/* -- generators: each draws numbers and does one operation, or a few -- */

typedef void FuzzGenerator(Fuzz *f);
FuzzGenerator fuzz_gen_mailbox, fuzz_gen_tunnel, fuzz_gen_serial,
              fuzz_gen_i2c_register, fuzz_gen_i2c_packet, fuzz_gen_mmio,
              fuzz_gen_config, fuzz_gen_decoder, fuzz_gen_window, fuzz_gen_doe,
              fuzz_gen_monitor, fuzz_gen_plug, fuzz_gen_reset,
              fuzz_gen_interrupt, fuzz_gen_clock, fuzz_gen_snapshot,
              fuzz_gen_migrate, fuzz_gen_corrupt, fuzz_gen_repair,
              fuzz_gen_check;

/** fuzz_repair() - plug, bind, enumerate what is missing; interrupts off */
void fuzz_repair(Fuzz *f);
/** fuzz_enumerate() - bus numbers, BARs, command registers; interrupts off */
void fuzz_enumerate(Fuzz *f);
/** fuzz_missing() - is a function of the machine not there? */
bool fuzz_missing(Fuzz *f);
/** fuzz_check() - the invariants of all devices that can be reached */
void fuzz_check(Fuzz *f);
/** fuzz_serial_close() - cut all lines */
void fuzz_serial_close(Fuzz *f);

/* -- runs -- */

/**
 * struct FuzzRun - what is asked for
 * @ops: of the machine, or of each machine
 * @deadline: no operation begins after it, 0: none; us
 * @stop: nor once this is set, %NULL: never
 * @skipped: as of struct Fuzz
 * @echo: tell each operation
 */
typedef struct FuzzRun {
    uint64_t seed, ops, from;
    int64_t deadline;
    const bool *stop;
    const uint8_t *skipped;
    bool echo;
} FuzzRun;

/**
 * fuzz_run() - run one machine
 * @did: filled in; may be %NULL
 * @last: the operation that was at fault
 * Return: what went wrong, or %NULL
 */
char *fuzz_run(const FuzzRun *run, FuzzTotal *did, uint64_t *last);
/** fuzz_minimise() - leave out what is not needed for the fault */
void fuzz_minimise(const FuzzRun *run);

#endif
