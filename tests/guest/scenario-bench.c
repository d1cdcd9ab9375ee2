/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "bench": what memory and commands cost, as a guest sees it
 *
 * Figures are notes ("figure: NAME VALUE") for scripts/bench.py; nothing is
 * judged here but that there is something to measure.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "dcd-bench.h"
#include "mctp-link.h"
#include "region.h"
#include "scenario.h"
#include "tap.h"

#define SETTLE_S    30
#define MEMDEV      "mem0"
#define EXTENT_TAG  1
/* Memory that one pass touches, and the time that passes are made for */
#define CHUNK       (1u << 20)
#define LINE        64
#define ENOUGH_NS   300000000ull
/* Commands per road */
#define COMMANDS    100

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void figure(const char *where, const char *what, double value)
{
    tap_note("figure: %s-%s %.3f", where, what, value);
}

static void write_pass(dev64_t *mem)
{
    for (unsigned i = 0; i < CHUNK / sizeof(*mem); i++) {
        mem[i] = i;
    }
}

static void read_pass(dev64_t *mem)
{
    for (unsigned i = 0; i < CHUNK / sizeof(*mem); i++) {
        (void)mem[i];
    }
}

/* One load of each line, in an order that nothing can guess */
static void line_pass(dev64_t *mem)
{
    const unsigned lines = CHUNK / LINE;
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
    start = now_ns();
    do {
        pass(mem);
        n++;
        passed = now_ns() - start;
    } while (passed < ENOUGH_NS);
    return (double)passed / n;
}

static void weigh(const char *where, dev8_t *mem)
{
    dev64_t *words = (dev64_t *)mem;

    /* bytes per nanosecond to 10^6 bytes per second */
    figure(where, "write", 1000.0 * CHUNK / pass_ns(write_pass, words));
    figure(where, "read", 1000.0 * CHUNK / pass_ns(read_pass, words));
    figure(where, "load", pass_ns(line_pass, words) / (CHUNK / LINE));
}

static void weigh_plain(void)
{
    void *mem = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    if (tap_check(mem != MAP_FAILED, "there is plain memory")) {
        weigh("plain", mem);
    }
}

static void weigh_static(void)
{
    struct ram_region region;
    void *mem = MAP_FAILED;
    int fd;

    if (!tap_rc(region_create(&region, "decoder0.0", MEMDEV), 0,
                "a region takes the static capacity")) {
        return;
    }
    fd = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
    if (fd >= 0) {
        mem = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                   region.hpa);
        close(fd);
    }
    if (tap_check(mem != MAP_FAILED, "there is static memory")) {
        weigh("static", mem);
    }
}

static void weigh_dynamic(struct dcd_bench *b)
{
    struct cxl_extent ext = bench_extent(b, 0, 0, b->step, EXTENT_TAG);
    struct fm_order order = {
        .policy = FM_ADD_PRESCRIPTIVE, .ext = &ext, .n = 1,
    };
    dev8_t *mem = bench_mem(b, ext.dpa);

    if (!tap_rc(fm_add(b->fm, &order), 0, "an extent is offered")) {
        return;
    }
    bench_host(b, HOST_ACCEPT_ALL);
    if (tap_check(mem != NULL, "there is dynamic memory")) {
        weigh("dynamic", mem);
        /* what is not there reads as ones, by way of a trap each time */
        weigh("absent", mem + b->step);
    }
}

static void time_commands(const char *road, struct cxl_conn *conn)
{
    static struct cxl_extent_page page;
    struct fm_dcd_info info;
    uint64_t start = now_ns();
    int rc = 0;

    for (unsigned i = 0; i < COMMANDS && !rc; i++) {
        rc = fm_get_dcd_info(conn, &info);
    }
    figure(road, "5600", (double)(now_ns() - start) / COMMANDS);
    start = now_ns();
    for (unsigned i = 0; i < COMMANDS && !rc; i++) {
        rc = fm_get_extents(conn, 0, CXL_PAGE_MAX, 0, &page);
    }
    figure(road, "5603", (double)(now_ns() - start) / COMMANDS);
    tap_rc(rc, 0, "commands run by way of %s", road);
}

void scenario_bench(void)
{
    static struct dcd_bench bench;
    struct cxl_conn *fm, *host;

    if (!tap_check(sys_await(SETTLE_S, "/dev/cxl/" MEMDEV) &&
                   sys_await(SETTLE_S, CXL_SYS "/" MEMDEV "/driver"),
                   "drivers bind " MEMDEV)) {
        return;
    }
    weigh_plain();
    weigh_static();
    host = cxl_conn_open_ioctl("/dev/cxl/" MEMDEV);
    fm = mctp_link_open_first();
    if (!tap_check(host && fm, "FM and host have their roads")) {
        return;
    }
    if (bench_open(&bench, fm, host, MEMDEV, true)) {
        weigh_dynamic(&bench);
    }
    time_commands("mailbox", host);
    time_commands("i2c", fm);
    cxl_conn_close(fm);
    cxl_conn_close(host);
}
