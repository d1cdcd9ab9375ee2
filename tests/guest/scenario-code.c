/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenarios "code" and "code-interleaved": programs run from CXL memory
 *
 * Memory that is mapped directly runs code as RAM does.  Where loads and stores
 * trap, TCG fetches and runs one instruction at a time: slow, but it must be
 * right.  KVM cannot do that: the runner takes TCG, or says "cxlcode=direct".
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "code.h"
#include "dcd-bench.h"
#include "dmesg.h"
#include "region.h"
#include "scenario.h"
#include "tap.h"

#define SETTLE_S    30
#define PAGE        4096
#define NODE_BYTES  (4ul << 20)
/* linux/mempolicy.h */
#define MPOL_BIND   2
#define MPOL_F_NODE 1
#define MPOL_F_ADDR 2
#define FORCE_TAG   3
/* Pages with a poisoned line: enough that code has a border of its own each */
#define POISONED    32
#define RWX         (PROT_READ | PROT_WRITE | PROT_EXEC)

/* No code where accesses trap */
static bool only_direct(void)
{
    const char *what = getenv("cxlcode");

    return what && !strcmp(what, "direct");
}

static bool drivers_bind(unsigned n)
{
    return tap_check(sys_await(SETTLE_S, "/dev/cxl/mem%u", n) &&
                     sys_await(SETTLE_S, CXL_SYS "/mem%u/driver", n),
                     "drivers bind mem%u", n);
}

/* A line of each of mem0's first pages */
static bool poison_pages(const char *what)
{
    for (unsigned i = 0; i < POISONED; i++) {
        char text[32];

        snprintf(text, sizeof(text), "0x%x", i * PAGE + PAGE / 2);
        if (sys_write(text, "/sys/kernel/debug/cxl/mem0/%s", what)) {
            return false;
        }
    }
    return true;
}

/*
 * A page with a poisoned line traps, and with it those of other devices that
 * are in turn with it. Code beside the line runs all the same; once the line is
 * healed, the pages are RAM again.
 */
static void code_beside_poison(const char *name, dev8_t *mem, unsigned ways)
{
    struct code_place place = {
        .mem = mem, .size = POISONED * ways * PAGE, .chunk = PAGE,
    };
    char text[64];

    snprintf(text, sizeof(text), "%s, poisoned", name);
    place.name = text;
    tap_check(poison_pages("inject_poison") &&
              *(dev64_t *)(mem + PAGE / 2) == UINT64_MAX,
              "%s: lines of pages", text);
    code_test(&place);
    snprintf(text, sizeof(text), "%s, healed", name);
    tap_check(poison_pages("clear_poison") &&
              *(dev64_t *)(mem + PAGE / 2) == 0, "%s: lines of pages", text);
    code_test(&place);
}

/* In the device file of the region's memory */
static void code_in_dax(const char *name, const struct ram_region *region,
                        size_t chunk, unsigned ways)
{
    struct code_place place = {
        .name = name, .size = region->size, .chunk = chunk,
    };
    void *mem = region_map(region, place.size, RWX);

    if (tap_check(mem, "%s: it can be mapped for code", name)) {
        place.mem = mem;
        code_test(&place);
        if (chunk == PAGE && !only_direct()) {
            code_beside_poison(name, mem, ways);
        }
        munmap(mem, place.size);
    }
}

/* Is every page where it should be? A page of its own for each is there now */
static bool all_on_node(uint8_t *mem, size_t size, int node)
{
    for (size_t at = 0; at < size; at += PAGE) {
        int where = -1;

        mem[at] = 0;
        if (syscall(SYS_get_mempolicy, &where, NULL, 0, mem + at,
                    MPOL_F_NODE | MPOL_F_ADDR) || where != node) {
            tap_note("page %zu is on node %d, not %d", at / PAGE, where, node);
            return false;
        }
    }
    return true;
}

/* In memory that the kernel gives to programs */
static void code_in_node(const char *name, const struct ram_region *region)
{
    struct code_place place = {
        .name = name, .size = NODE_BYTES, .chunk = PAGE,
    };
    unsigned long mask[16] = { 0 };
    int node = region_node(region);
    void *mem;

    if (!tap_rc(region_system_ram(region), 0, "%s: the kernel takes it",
                name) ||
        !tap_check(node >= 0 && node < 64 * 16, "%s: it has a node", name)) {
        return;
    }
    mem = mmap(NULL, NODE_BYTES, RWX, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    mask[node / 64] = 1ul << node % 64;
    if (tap_check(mem != MAP_FAILED &&
                  !syscall(SYS_mbind, mem, NODE_BYTES, MPOL_BIND, mask,
                           sizeof(mask) * 8, 0) &&
                  all_on_node(mem, NODE_BYTES, node),
                  "%s: a program gets some of it", name)) {
        tap_check(!memtest_words(mem, NODE_BYTES, 8),
                  "%s: it keeps what is written", name);
        place.mem = mem;
        code_test(&place);
    }
    if (mem != MAP_FAILED) {
        munmap(mem, NODE_BYTES);
    }
}

static void hold(struct dcd_bench *b, const struct cxl_extent *ext)
{
    struct fm_order order = {
        .policy = FM_ADD_PRESCRIPTIVE, .ext = ext, .n = 1,
    };

    tap_rc(fm_add(b->fm, &order), 0, "an extent is offered");
    bench_host(b, HOST_ACCEPT_ALL);
    bench_expect(b, "held", ext, 1, true);
    bench_forget(b);
}

static int remove_by_force(struct dcd_bench *b, const struct cxl_extent *ext)
{
    struct fm_order order = {
        .policy = FM_RELEASE_PRESCRIPTIVE | FM_RELEASE_FORCED, .ext = ext,
        .n = 1,
    };

    return fm_release(b->fm, &order);
}

/* Memory goes away under a running program, and comes back for the next one */
static void code_in_extent(struct dcd_bench *b)
{
    struct cxl_extent ext = bench_extent(b, 0, b->step, b->step, FORCE_TAG);
    struct cxl_range range = { ext.dpa, ext.len };
    struct code_place place = {
        .name = "extent", .mem = bench_mem(b, ext.dpa), .size = ext.len,
        .chunk = PAGE,
    };
    int process;

    if (!tap_check(place.mem &&
                   !mprotect((void *)(uintptr_t)place.mem, ext.len, RWX),
                   "extent: it can be mapped for code")) {
        return;
    }
    hold(b, &ext);
    code_test(&place);
    if (only_direct()) {
        tap_rc(host_release(b->host, &range, 1), 0, "extent: given back");
        return;
    }

    process = code_run_endlessly(place.mem + PAGE);
    tap_check(process > 0, "extent: a program runs on and on");
    tap_rc(remove_by_force(b, &ext), 0, "extent: removed by force");
    /* All ones, which is no instruction */
    code_died(process, SIGILL, "extent: the program is stopped");
    bench_memory_absent(b, "extent", ext.dpa, ext.len);
    bench_host(b, HOST_SILENT);
    bench_expect(b, "removed by force", NULL, 0, true);
    bench_forget(b);

    hold(b, &ext);
    process = code_run_endlessly(place.mem + PAGE);
    tap_check(process > 0, "extent: a program runs again");
    tap_rc(host_release(b->host, &range, 1), 0, "extent: given back");
    code_died(process, SIGILL, "extent: that program is stopped");
    bench_expect(b, "given back", NULL, 0, true);
}

void scenario_code(void)
{
    static struct dcd_bench bench;
    struct ram_region region;
    struct cxl_conn *host;

    if (!drivers_bind(0) ||
        !tap_rc(region_create(&region, "decoder0.0", "mem0"), 0,
                "a ram region can be created")) {
        return;
    }
    code_in_dax("static", &region, PAGE, 1);
    code_in_node("node", &region);
    host = memdev_open("mem0");
    if (tap_check(host != NULL, "the mailbox can be reached") &&
        bench_open(&bench, host, host, "mem0", false)) {
        code_in_extent(&bench);
    }
    tap_check(!dmesg_complaints(), "no warning in dmesg");
}

void scenario_code_interleaved(void)
{
    struct region_plan plan = {
        .memdev = { "mem0", "mem1" }, .ways = 2, .granularity = 256,
    };
    struct ram_region region;

    if (!drivers_bind(0) || !drivers_bind(1)) {
        return;
    }
    if (tap_rc(region_create_as(&region, "decoder0.0", &plan), 0,
               "a region of two devices, 256 bytes in turn")) {
        code_in_dax("256", &region, 256, 2);
        code_in_node("256, node", &region);
        tap_rc(region_dax_device(&region), 0, "256, node: off line again");
        tap_rc(region_destroy(&region, "decoder0.0", &plan), 0,
               "the region is taken down");
    }
    plan.granularity = PAGE;
    if (tap_rc(region_create_as(&region, "decoder0.0", &plan), 0,
               "a region of two devices, 4096 bytes in turn")) {
        code_in_dax("4096", &region, PAGE, 2);
        code_in_node("node", &region);
    }
    tap_check(!dmesg_complaints(), "no warning in dmesg");
}
