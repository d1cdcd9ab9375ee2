/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "boot": an unmodified kernel takes the device as it is
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dmesg.h"
#include "region.h"
#include "scenario.h"
#include "tap.h"

#define SETTLE_S        30
#define HUGE_ALIGN      (2ul << 20)
/* How much is touched word by word; the rest of the region by strides */
#define DENSE           (8ul << 20)
#define SPARSE_STRIDE   (64ul << 10)
/* What a program asks of the node once the kernel owns the memory */
#define NODE_BYTES      (16ul << 20)
#define MPOL_BIND       2
#define FOUR_GIB        (UINT64_C(4) << 30)

static void check_drivers(void)
{
    char driver[64], text[64];
    uint64_t ram = 0;

    tap_check(sys_await(SETTLE_S, "/dev/cxl/mem0"), "cxl_pci makes mem0");
    tap_check(sys_await(SETTLE_S, CXL_SYS "/mem0/driver") &&
              !sys_link(driver, sizeof(driver), CXL_SYS "/mem0/driver") &&
              !strcmp(driver, "cxl_mem"), "cxl_mem binds mem0");
    tap_check(!region_endpoint(text, sizeof(text), "mem0"),
              "mem0 has an endpoint port");
    tap_check(!sys_read_u64(&ram, CXL_SYS "/mem0/ram/size") && ram,
              "mem0 has volatile capacity");
    tap_check(!sys_read(text, sizeof(text), CXL_SYS "/mem0/firmware_version"),
              "mem0 tells its firmware version");
    tap_note("%" PRIu64 " MiB volatile, firmware \"%s\"", ram >> 20, text);
}

static void check_dax(const struct ram_region *region)
{
    size_t size = region->size & ~(HUGE_ALIGN - 1);
    void *mem = region_map(region, size, PROT_READ | PROT_WRITE);

    if (tap_check(mem, "the region becomes a dax device that can be mapped")) {
        tap_check(!memtest_widths(mem), "accesses of 1 to 8 bytes agree");
        tap_check(!memtest_words(mem, DENSE, 8), "%lu MiB keep every word",
                  DENSE >> 20);
        tap_check(!memtest_words(mem, size, SPARSE_STRIDE),
                  "all of the region keeps its words");
        munmap(mem, size);
    }
}

static void check_system_ram(const struct ram_region *region)
{
    unsigned long mask[16] = { 0 };
    int node = region_node(region);
    void *mem;

    if (!tap_rc(region_system_ram(region), 0,
                "the kernel takes the region as memory") ||
        !tap_check(node >= 0 && node < 64 * 16, "the region has a node")) {
        return;
    }
    mem = mmap(NULL, NODE_BYTES, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mask[node / 64] = 1ul << node % 64;
    if (tap_check(mem != MAP_FAILED &&
                  !syscall(SYS_mbind, mem, NODE_BYTES, MPOL_BIND, mask,
                           sizeof(mask) * 8, 0),
                  "a program binds memory to the region's node")) {
        tap_check(!memtest_words(mem, NODE_BYTES, 4096 + 8),
                  "pages of the node keep their words");
    }
    if (mem != MAP_FAILED) {
        munmap(mem, NODE_BYTES);
    }
}

void scenario_boot(void)
{
    struct ram_region region;

    check_drivers();
    tap_check(!dmesg_complaints(), "binding leaves no warning in dmesg");
    if (!tap_rc(region_create(&region, "decoder0.0", "mem0"), 0,
                "a ram region can be created")) {
        return;
    }
    tap_note("%s at 0x%" PRIx64 ", %" PRIu64 " MiB, %s", region.name,
             region.hpa, region.size >> 20, region.dax);
    tap_check(region.hpa >= FOUR_GIB, "its window is above 4 GiB");
    check_dax(&region);
    check_system_ram(&region);
    tap_check(!dmesg_complaints(), "using it leaves no warning in dmesg");
}
