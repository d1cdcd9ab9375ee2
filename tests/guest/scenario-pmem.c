/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "pmem": persistent memory from a region to a file system and back,
 * with the programs that a distribution ships
 *
 * The same program runs before and after a reset, which a label and the files
 * survive.  The device has no serial number of the user's: labels go by one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dmesg.h"
#include "program.h"
#include "region.h"
#include "scenario.h"
#include "tap.h"

#define SETTLE_S    30
#define MEMDEV      "mem0"
/* The region is made again after the reset, as the same one */
#define REGION      "a3c1f0de-5a5a-4c4c-8d8d-0123456789ab"
#define WHERE       "/tmp/pmem"
#define FILE_PATH   WHERE "/file"
#define FILE_BYTES  (1 << 20)
#define LABELS      "/tmp/labels"

static const struct {
    const char *mode, *size, *dev, *options;
} spaces[] = {
    { "fsdax", "96M", "pmem0", "dax" },
    { "sector", "64M", "pmem0.1s", "" },
};

static unsigned char pattern(size_t i)
{
    return i * 131 >> 4;
}

static bool write_file(void)
{
    FILE *f = fopen(FILE_PATH, "w");
    size_t i;

    for (i = 0; f && i < FILE_BYTES; i++) {
        fputc(pattern(i), f);
    }
    return f && !fclose(f);
}

static bool file_is_whole(void)
{
    FILE *f = fopen(FILE_PATH, "r");
    size_t i;

    for (i = 0; f && i < FILE_BYTES && getc(f) == pattern(i); i++) {
        /* go on */
    }
    return f && !fclose(f) && i == FILE_BYTES;
}

static bool attach(unsigned i)
{
    char dev[64];

    mkdir(WHERE, 0755);
    snprintf(dev, sizeof(dev), "/dev/%s", spaces[i].dev);
    return tap_rc(mount(dev, WHERE, "ext4", 0, spaces[i].options) ? -errno : 0,
                  0, "%s can be mounted", spaces[i].dev);
}

static void detach(unsigned i)
{
    tap_rc(umount(WHERE) ? -errno : 0, 0, "%s can be unmounted",
           spaces[i].dev);
}

/* Did somebody write labels, before a reset? */
static bool has_labels(void)
{
    static const char mark[] = "NAMESPACE_INDEX";
    char start[sizeof(mark)] = "";
    FILE *f;

    program_run("cxl read-labels " MEMDEV " -o " LABELS);
    f = fopen(LABELS, "r");
    if (f) {
        fgets(start, sizeof(start), f);
        fclose(f);
    }
    return !strcmp(start, mark);
}

static bool make_region(void)
{
    return program_ok("cxl create-region -t pmem -d decoder0.0 -m " MEMDEV
                      " -U " REGION) &&
           tap_check(sys_await(SETTLE_S, "/sys/bus/nd/devices/region0/driver"),
                     "the region's driver is there");
}

static void make_file_systems(void)
{
    unsigned i;

    for (i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
        program_ok("ndctl create-namespace -r region0 -m %s -s %s",
                   spaces[i].mode, spaces[i].size);
        program_says("\"blockdev\":\"%s\"", spaces[i].dev);
        /* DAX wants blocks of a page, small file systems get others */
        program_ok("mkfs.ext4 -q -b 4096 /dev/%s", spaces[i].dev);
        if (attach(i)) {
            tap_check(write_file(), "a file is written");
            detach(i);
        }
    }
}

static void find_file_systems(void)
{
    unsigned i;

    for (i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
        program_ok("ndctl list -N");
        program_says("\"mode\":\"%s\"", spaces[i].mode);
        program_says("\"blockdev\":\"%s\"", spaces[i].dev);
        if (attach(i)) {
            tap_check(file_is_whole(), "%s has the file of before the reset",
                      spaces[i].mode);
            detach(i);
        }
    }
    program_ok("ndctl destroy-namespace -f all");
}

/* Memory, not a disk: to a program, to the kernel, and back */
static void use_as_memory(void)
{
    program_ok("ndctl create-namespace -r region0 -m devdax");
    program_says("\"chardev\":\"dax0.0\"");
    /* Kernels of distributions would take it by themselves, and for good */
    sys_write("offline", "/sys/devices/system/memory/auto_online_blocks");
    program_ok("daxctl reconfigure-device -m system-ram dax0.0");
    program_says("\"mode\":\"system-ram\"");
    program_ok("daxctl reconfigure-device -f -m devdax dax0.0");
    program_says("\"mode\":\"devdax\"");
    program_ok("ndctl destroy-namespace -f all");
}

void scenario_pmem(void)
{
    bool first;

    sys_await(SETTLE_S, CXL_SYS "/" MEMDEV "/driver");
    first = !has_labels();
    if (first) {
        tap_quiet();
    }
    if (!make_region()) {
        return;
    }
    if (first) {
        make_file_systems();
        tap_note("the machine starts anew");
        fflush(tap_out());
        sync();
        reboot(RB_AUTOBOOT);
        exit(1);
    }
    find_file_systems();
    tap_check(!dmesg_complaints(), "no warning in dmesg");
    /* the kernel warns of what is lost to the size of its memory blocks */
    use_as_memory();
    program_ok("cxl disable-region region0");
    program_ok("cxl destroy-region region0");
}
