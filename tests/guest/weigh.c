/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What memory costs, as a guest sees it
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"
#include "weigh.h"

#define LINE        64
/* The time that passes are made for */
#define ENOUGH_NS   300000000ull

uint64_t weigh_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

void weigh_figure(const char *where, const char *what, double value)
{
    tap_note("figure: %s-%s %.3f", where, what, value);
}

static void write_pass(dev64_t *mem)
{
    for (unsigned i = 0; i < WEIGH_BYTES / sizeof(*mem); i++) {
        mem[i] = i;
    }
}

static void read_pass(dev64_t *mem)
{
    for (unsigned i = 0; i < WEIGH_BYTES / sizeof(*mem); i++) {
        (void)mem[i];
    }
}

/* One load of each line, in an order that nothing can guess */
static void line_pass(dev64_t *mem)
{
    const unsigned lines = WEIGH_BYTES / LINE;
    unsigned at = 0;

    for (unsigned i = 0; i < lines; i++) {
        /* full period over a power of two */
        at = (at * 1664525u + 1013904223u) % lines;
        (void)mem[at * (LINE / sizeof(*mem))];
    }
}

static double pass_ns(void (*pass)(dev64_t *mem), dev64_t *mem)
{
    uint64_t start, passed;
    unsigned n = 0;

    pass(mem);
    start = weigh_now();
    do {
        pass(mem);
        n++;
        passed = weigh_now() - start;
    } while (passed < ENOUGH_NS);
    return (double)passed / n;
}

void weigh(const char *where, dev8_t *mem)
{
    dev64_t *words = (dev64_t *)mem;

    /* bytes per nanosecond to 10^6 bytes per second */
    weigh_figure(where, "write", 1000.0 * WEIGH_BYTES / pass_ns(write_pass, words));
    weigh_figure(where, "read", 1000.0 * WEIGH_BYTES / pass_ns(read_pass, words));
    weigh_figure(where, "load", pass_ns(line_pass, words) / (WEIGH_BYTES / LINE));
}

void weigh_plain(void)
{
    void *mem = mmap(NULL, WEIGH_BYTES, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    if (tap_check(mem != MAP_FAILED, "there is plain memory")) {
        weigh("plain", mem);
    }
}

void weigh_region(const char *where, const struct ram_region *region)
{
    int fd = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
    void *mem = MAP_FAILED;

    if (fd >= 0) {
        mem = mmap(NULL, WEIGH_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                   region->hpa);
        close(fd);
    }
    if (tap_check(mem != MAP_FAILED, "there is memory of %s", where)) {
        weigh(where, mem);
        munmap(mem, WEIGH_BYTES);
    }
}
