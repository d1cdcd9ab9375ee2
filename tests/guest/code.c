/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machine code of x86-64, written into memory under test and run there: by all
 * processors at once, over the borders of pages and interleave chunks, while it
 * changes itself, and after another processor has changed it
 */
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "code.h"
#include "tap.h"

#define CPUS        2
/* Places all over the memory, calls at each, turns of writer and reader */
#define PLACES      24
#define CALLS       40
#define TURNS       100
/* A process that hangs is a failure, not the end of all tests */
#define LIMIT_S     60

typedef uint32_t code_fn(uint32_t x);

/* What "mix" computes, in 20 rounds of x = x * factor + term */
#define ROUNDS      20
#define FACTOR_AT   9
#define TERM_AT     14
static const uint8_t mix[] = {
    0x89, 0xf8,                             /* mov  eax, edi */
    0xb9, ROUNDS, 0, 0, 0,                  /* mov  ecx, 20 */
    0x69, 0xc0, 0, 0, 0, 0,                 /* imul eax, eax, factor */
    0x05, 0, 0, 0, 0,                       /* add  eax, term */
    0xff, 0xc9,                             /* dec  ecx */
    0x75, 0xf1,                             /* jnz  to the imul */
    0xc3,                                   /* ret */
};

/* Returns the lowest byte of its argument: the next instruction loads it */
static const uint8_t change_itself[] = {
    0x40, 0x88, 0x3d, 1, 0, 0, 0,           /* mov  [rip + 1], dil */
    0xb8, 0xee, 0, 0, 0,                    /* mov  eax, 0xee */
    0xc3,                                   /* ret */
};

/* The same constants for the code and for its model */
static uint32_t factor_of(unsigned seed)
{
    return seed * 0x9e3779b9u | 1;
}

static uint32_t term_of(unsigned seed)
{
    return ~seed * 0x85ebca6bu;
}

static uint32_t mix_model(uint32_t x, unsigned seed)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        x = x * factor_of(seed) + term_of(seed);
    }
    return x;
}

/* Byte by byte: constants and code lie across borders */
static void put(dev8_t *at, const void *from, size_t n)
{
    const uint8_t *bytes = from;

    for (size_t i = 0; i < n; i++) {
        at[i] = bytes[i];
    }
}

static void put_constants(dev8_t *at, unsigned seed)
{
    const uint32_t factor = factor_of(seed), term = term_of(seed);

    put(at + FACTOR_AT, &factor, sizeof(factor));
    put(at + TERM_AT, &term, sizeof(term));
}

static void put_mix(dev8_t *at, unsigned seed)
{
    put(at, mix, sizeof(mix));
    put_constants(at, seed);
}

static uint32_t call(dev8_t *at, uint32_t x)
{
    return ((code_fn *)(uintptr_t)at)(x);
}

/* A processor may run what it fetched before; this makes it fetch again */
static void serialize(void)
{
    uint32_t a = 0, b, c = 0, d;

    __asm__ volatile("cpuid" : "+a" (a), "=b" (b), "+c" (c), "=d" (d)
                     : : "memory");
}

/* Place @n: all over the memory, over a border, each with another cut */
static dev8_t *spot(const struct code_place *place, unsigned n)
{
    size_t chunks = place->size / place->chunk;
    size_t border = 1 + n * (chunks - 2) / (PLACES - 1);

    return place->mem + border * place->chunk - 1 - n % sizeof(mix);
}

static bool on_cpu(unsigned cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return !sched_setaffinity(0, sizeof(set), &set);
}

/* -- what runs on a processor; each returns the number of wrong results ---- */

static atomic_uint *board;      /* version of the code; version that was run */

static unsigned run_mix(const struct code_place *place, unsigned cpu)
{
    unsigned wrong = 0;

    for (unsigned i = 0; i < CALLS; i++) {
        for (unsigned n = 0; n < PLACES; n++) {
            uint32_t x = i * PLACES + n + cpu;

            wrong += call(spot(place, n), x) != mix_model(x, n);
        }
    }
    return wrong;
}

/* Each processor has borders of its own: the code is the data as well */
static unsigned run_change_itself(const struct code_place *place,
                                  unsigned cpu)
{
    dev8_t *border = place->mem + (2 + 2 * cpu) * place->chunk;
    unsigned wrong = 0;

    for (unsigned cut = 0; cut <= sizeof(change_itself); cut++) {
        put(border - cut, change_itself, sizeof(change_itself));
        for (uint32_t x = 0; x < 8; x++) {
            wrong += call(border - cut, x * 31) != x * 31;
        }
    }
    return wrong;
}

static void await(atomic_uint *what, unsigned value)
{
    while (atomic_load(what) != value) {
        sched_yield();
    }
}

/* Processor 0 writes and 1 runs, then the other way round */
static unsigned take_turns(const struct code_place *place, unsigned cpu)
{
    dev8_t *at = spot(place, PLACES / 2);
    unsigned wrong = 0;

    for (unsigned turn = 1; turn <= 2 * TURNS; turn++) {
        if (cpu == turn / TURNS % CPUS) {
            put_constants(at, turn);
            atomic_store(&board[0], turn);
            await(&board[1], turn);
        } else {
            await(&board[0], turn);
            serialize();
            wrong += call(at, turn) != mix_model(turn, turn);
            atomic_store(&board[1], turn);
        }
    }
    return wrong;
}

/* A test: @what on all processors at the same time */
static void on_all(const struct code_place *place, const char *name,
                   unsigned (*what)(const struct code_place *, unsigned))
{
    unsigned failed = 0, left = 0;
    int status;

    fflush(tap_out());
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        pid_t pid = fork();

        if (!pid) {
            unsigned wrong;

            alarm(LIMIT_S);
            if (!on_cpu(cpu)) {
                _exit(1);
            }
            wrong = what(place, cpu);
            if (wrong) {
                tap_note("processor %u: %u wrong results", cpu, wrong);
                fflush(tap_out());
            }
            _exit(!!wrong);
        }
        left += pid > 0;
        failed += pid < 0;
    }
    while (left-- && wait(&status) > 0) {
        if (WIFSIGNALED(status)) {
            tap_note("ended by signal %d", WTERMSIG(status));
        }
        failed += status != 0;
    }
    tap_check(!failed, "%s: %s", place->name, name);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

void code_test(const struct code_place *place)
{
    double start = now();

    board = mmap(NULL, 2 * sizeof(*board), PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!tap_check(board != MAP_FAILED, "%s: processes can talk",
                   place->name)) {
        return;
    }
    for (unsigned n = 0; n < PLACES; n++) {
        put_mix(spot(place, n), n);
    }
    on_all(place, "all processors run it", run_mix);
    on_all(place, "code changes itself", run_change_itself);
    put_mix(spot(place, PLACES / 2), 0);
    on_all(place, "a processor runs what another one wrote", take_turns);
    munmap(board, 2 * sizeof(*board));
    tap_note("%s: %.2f s", place->name, now() - start);
}

int code_run_endlessly(dev8_t *at)
{
    static const uint8_t loop[] = { 0xeb, 0xfe };   /* jmp to itself */
    char byte;
    int ready[2];
    pid_t pid;

    put_mix(at, 1);
    put(at + sizeof(mix), loop, sizeof(loop));
    fflush(tap_out());
    if (pipe(ready)) {
        return -1;
    }
    pid = fork();
    if (!pid) {
        on_cpu(CPUS - 1);
        byte = call(at, 1) != mix_model(1, 1);
        if (!byte && write(ready[1], &byte, 1) == 1) {
            call(at + sizeof(mix), 0);
        }
        _exit(1);
    }
    close(ready[1]);
    if (pid > 0 && read(ready[0], &byte, 1) != 1) {
        waitpid(pid, NULL, 0);
        pid = -1;
    }
    close(ready[0]);
    return pid;
}

void code_died(int process, int sig, const char *name)
{
    double end = now() + LIMIT_S;
    int status = 0;
    pid_t pid = 0;

    while (process > 0 && !pid && now() < end) {
        pid = waitpid(process, &status, WNOHANG);
        usleep(10000);
    }
    tap_check(pid == process && WIFSIGNALED(status) &&
              WTERMSIG(status) == sig, "%s", name);
    if (process > 0 && !pid) {
        kill(process, SIGKILL);
        waitpid(process, NULL, 0);
    }
}
