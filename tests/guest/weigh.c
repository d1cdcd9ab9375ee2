/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What memory costs, as a guest sees it
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"
#include "weigh.h"

#define LINE        64
/* What a dax device maps is a multiple of its huge pages */
#define DAX_BYTES   (2u << 20)
/* Memory that nobody has touched, behind what is weighed */
#define FRESH_BYTES (64u << 20)
#define PAGE_BYTES  4096
/*
 * Loads in random order stay within half of the pages that TCG's TLB has room
 * for at its smallest: how large it is just then would be measured otherwise
 */
#define LOAD_BYTES  (32u << 12)
/* Plain memory and the other take turns, so many times for so long at least */
#define TURNS       7
#define TURN_NS     30000000ull

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
    const unsigned lines = LOAD_BYTES / LINE;
    unsigned at = 0;

    for (unsigned i = 0; i < lines; i++) {
        /* full period over a power of two */
        at = (at * 1664525u + 1013904223u) % lines;
        (void)mem[at * (LINE / sizeof(*mem))];
    }
}

static double pass_ns(void (*pass)(dev64_t *mem), dev64_t *mem)
{
    uint64_t start = weigh_now(), passed;
    unsigned n = 0;

    do {
        pass(mem);
        n++;
        passed = weigh_now() - start;
    } while (passed < TURN_NS);
    return (double)passed / n;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

double weigh_median(double *value, unsigned n)
{
    qsort(value, n, sizeof(*value), compare);
    return value[n / 2];
}

/* @part: divides a pass; what takes more time has the larger ratio */
static void race(const char *where, const char *what, dev64_t *plain,
                 dev64_t *mem, void (*pass)(dev64_t *mem), unsigned part)
{
    double ns[TURNS], base[TURNS], ratio[TURNS];
    char name[32];

    pass(plain);
    pass(mem);
    for (unsigned i = 0; i < TURNS; i++) {
        base[i] = pass_ns(pass, plain) / part;
        ns[i] = pass_ns(pass, mem) / part;
        ratio[i] = ns[i] / base[i];
    }
    weigh_figure(where, what, weigh_median(ns, TURNS));
    snprintf(name, sizeof(name), "%s-plain", what);
    weigh_figure(where, name, weigh_median(base, TURNS));
    snprintf(name, sizeof(name), "%s-ratio", what);
    weigh_figure(where, name, weigh_median(ratio, TURNS));
}

void weigh(const char *where, dev8_t *mem)
{
    void *plain = mmap(NULL, WEIGH_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    dev64_t *words = (dev64_t *)mem;

    if (!tap_check(plain != MAP_FAILED, "there is plain memory")) {
        return;
    }
    race(where, "write", plain, words, write_pass, 1);
    race(where, "read", plain, words, read_pass, 1);
    race(where, "load", plain, words, line_pass, LOAD_BYTES / LINE);
    munmap(plain, WEIGH_BYTES);
}

/* What the host does for a page that it has to give */
static void touch(const char *where, dev8_t *mem)
{
    uint64_t start = weigh_now();

    for (unsigned at = 0; at < FRESH_BYTES; at += PAGE_BYTES) {
        mem[at] = 1;
    }
    weigh_figure(where, "touch", (double)(weigh_now() - start) /
                 (FRESH_BYTES / PAGE_BYTES));
}

/*
 * By its dax device: Linux makes system memory of a region in the background,
 * and /dev/mem has been seen to end the kernel while it does.
 */
void weigh_region(const char *where, const struct ram_region *region)
{
    void *mem = region_map(region, DAX_BYTES + FRESH_BYTES,
                           PROT_READ | PROT_WRITE);

    if (tap_check(mem, "there is memory of %s", where)) {
        weigh(where, mem);
        touch(where, (dev8_t *)mem + DAX_BYTES);
        munmap(mem, DAX_BYTES + FRESH_BYTES);
    }
}
