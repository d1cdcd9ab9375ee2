/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machines of the fuzzer
 */
#ifndef TESTS_FUZZ_MACHINE_H
#define TESTS_FUZZ_MACHINE_H

#define ECAM_BASE 0xb0000000u
#define FUZZ_FNS 12
#define FUZZ_SERIALS 3
#define FUZZ_REGIONS 2
#define FUZZ_STATIC (UINT64_C(512) << 20)
#define FUZZ_REGION (UINT64_C(256) << 20)
#define FUZZ_BLOCK (UINT64_C(2) << 20)
#define FUZZ_DOES 3
/* Memory of all devices */
#define FUZZ_MEMORIES 9

/* Where there is one, its heads are the memory devices */
#define FUZZ_POOL "pool0"

/* I2C addresses of endpoints; the guest's own */
#define FUZZ_I2C_FIRST 0x20
#define FUZZ_I2C_OWN 0x10
#define FUZZ_EID_FIRST 9
#define FUZZ_EID_OWN 8

/* Registers of a mailbox */
#define MAILBOX_CONTROL 0x8c
#define MAILBOX_COMMAND 0x90
#define MAILBOX_STATUS 0x98
#define MAILBOX_PAYLOAD 0xa8

typedef enum FuzzKind {
    FUZZ_ROOT_PORT, FUZZ_UPSTREAM, FUZZ_DOWNSTREAM, FUZZ_SWITCH_MAILBOX,
    FUZZ_MEMORY, FUZZ_CONTROLLER,
} FuzzKind;

/**
 * struct FuzzFn - one PCI function
 * @id: of the device; @device: its driver and properties
 * @kind, @bus, @devfn: where it is
 * @sec, @sub: buses below a bridge; @last: index of the last function there
 * @parent: index of the bridge above, or -1
 * @port: number of a switch's port
 * @number: of a memory device; of its head and host, in a pool
 * @base: guest address of its 4 MiB of registers
 * @bar: guest address of each BAR, or 0
 * @express, @msi, @msix, @aer, @doe: offsets of capabilities, or 0
 * @caps: offsets of all capabilities
 */
typedef struct FuzzFn {
    const char *id;
    const char *device;
    FuzzKind kind;
    uint8_t bus, devfn, sec, sub;
    int last, parent;
    uint8_t port, number;
    uint64_t base;
    uint64_t bar[6];
    uint16_t express, msi, msix, aer, doe[FUZZ_DOES];
    uint16_t caps[48];
    unsigned nr_caps;
} FuzzFn;

/**
 * struct FuzzMachine - one of them
 * @memory: files with the memory of devices, which a migration leaves where it
 *   is; none, that is -1, of a machine whose memory is in the stream
 * @targets: functions with endpoints, for serial lines and the I2C bus; the
 *   first of them is the pool's instead where @has_pool
 * @window: guest address of the fixed windows; @window_size: all of them
 * @bridge: component registers of the host bridges
 */
typedef struct FuzzMachine {
    unsigned kind, variant;
    unsigned nr_fns;
    FuzzFn fn[FUZZ_FNS];
    int memory[FUZZ_MEMORIES];
    unsigned nr_targets;
    unsigned targets[FUZZ_SERIALS];
    bool has_pool;
    uint64_t window, window_size;
    uint64_t bridge[2];
    unsigned nr_bridges;
} FuzzMachine;

struct Fuzz;

#define FUZZ_MACHINES 3

/** fuzz_machine_choose() - fill in all that the seed decides */
void fuzz_machine_choose(struct Fuzz *f);
/** fuzz_machine_launch() - run it; @more: arguments for QEMU */
void fuzz_machine_launch(struct Fuzz *f, const char *more);
/** fuzz_machine_end() - let its memory go */
void fuzz_machine_end(struct Fuzz *f);
/** fuzz_machine_props() - @fn's driver and properties */
char *fuzz_machine_props(const FuzzMachine *m, const FuzzFn *fn);
/** fuzz_end_props() - driver and properties of MCTP's end @n, on I2C or not */
char *fuzz_end_props(const FuzzMachine *m, unsigned n, bool i2c);
/** fuzz_target() - what line @n is of: a function, or the pool */
const char *fuzz_target(const FuzzMachine *m, unsigned n);
/** fuzz_machine_probe() - find capabilities, after fuzz_enumerate() */
void fuzz_machine_probe(struct Fuzz *f);
/** fuzz_serial_path() - the socket of line @n */
char *fuzz_serial_path(struct Fuzz *f, unsigned launch, unsigned n);

static inline uint64_t fuzz_ecam(unsigned bus, unsigned devfn)
{
    return ECAM_BASE | (uint64_t)bus << 20 | devfn << 12;
}

/* Guest address of the registers of a device's mailbox */
static inline uint64_t fuzz_registers(const FuzzFn *fn)
{
    return fn->bar[fn->kind == FUZZ_MEMORY ? 2 : 0];
}

static inline uint64_t fuzz_cfg(const FuzzFn *fn)
{
    return fuzz_ecam(fn->bus, fn->devfn);
}

#endif
