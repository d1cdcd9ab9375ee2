/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "ndctl": the programs with which administrators of Linux look after
 * CXL memory, cxl and daxctl, as a distribution ships them
 *
 * The same program runs before and after a reset, for an image of firmware
 * takes over there.  After it, everything else.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>

#include "dmesg.h"
#include "program.h"
#include "region.h"
#include "scenario.h"
#include "tap.h"

#define SETTLE_S    30
#define MEMDEV      "mem0"
#define DEBUG_DIR   "/sys/kernel/debug/cxl/" MEMDEV
#define SECURITY    CXL_SYS "/" MEMDEV "/security"
/* What scripts/run-guest.py gives the device */
#define SIZE        "268435456"
#define SIZE_TWICE  "536870912"
#define LABEL_BYTES (256 << 10)
#define LABELS_IN   "/tmp/labels"
#define LABELS_OUT  "/tmp/labels.back"
#define IMAGE       "/tmp/firmware"
#define EVENTS      "/tmp/events"
/* Three parts of a transfer; each takes the device a while */
#define IMAGE_BYTES 4096
/* What it comes with */
#define FACTORY     "BWFW VERSION 00"

static bool make_file(const char *path, size_t size, unsigned seed)
{
    FILE *f = fopen(path, "w");
    size_t i;

    for (i = 0; f && i < size; i++) {
        fputc((i * seed) >> 3 & 0xff, f);
    }
    return f && !fclose(f);
}

static bool same_files(const char *a, const char *b)
{
    FILE *x = fopen(a, "r"), *y = fopen(b, "r");
    bool same = x && y;
    int c;

    while (same && (c = getc(x)) != EOF) {
        same = c == getc(y);
    }
    same = same && getc(y) == EOF;
    if (x) {
        fclose(x);
    }
    if (y) {
        fclose(y);
    }
    return same;
}

static bool file_has(const char *path, const char *text)
{
    char buf[64 << 10];
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(buf, 1, sizeof(buf) - 1, f) : 0;

    if (f) {
        fclose(f);
    }
    buf[n] = '\0';
    return strstr(buf, text);
}

/* The value of a JSON string of the last output; "" if there is none */
static void string_of(char *buf, size_t size, const char *key)
{
    char pattern[64];
    const char *at;

    snprintf(pattern, sizeof(pattern), "\"%s\":\"", key);
    at = strstr(program_output(), pattern);
    at = at ? at + strlen(pattern) : "";
    snprintf(buf, size, "%.*s", (int)strcspn(at, "\""), at);
}

/* -- firmware ------------------------------------------------------------- */

static void update_firmware(void)
{
    program_ok("cxl list -m " MEMDEV " -F");
    program_says("\"active_slot\":1");
    program_silent_on("\"staged_slot\"");
    tap_check(make_file(IMAGE, IMAGE_BYTES, 77), "there is an image");
    program_ok("cxl update-firmware " MEMDEV " -w -F " IMAGE);
    program_ok("cxl list -m " MEMDEV " -F");
    program_says("\"fw_update_in_progress\":false");
    program_says("\"active_slot\":1");
    program_says("\"staged_slot\":2");
}

static bool runs_new_firmware(void)
{
    char version[64];

    return !sys_read(version, sizeof(version), CXL_SYS "/" MEMDEV
                     "/firmware_version") && strcmp(version, FACTORY);
}

/* -- what the device is --------------------------------------------------- */

static void look(void)
{
    program_ok("cxl list -vvv");
    program_says("\"memdev\":\"" MEMDEV "\"");
    program_says("\"ram_size\":" SIZE);
    program_says("\"pmem_size\":" SIZE);
    program_says("\"serial\":%u", 0xc0de0000u);
    program_says("\"decoders:root0\"");
    program_ok("cxl list -m " MEMDEV " -HIFA");
    program_says("\"health\":{\"maintenance_needed\":false");
    program_says("\"volatile_only_size\":" SIZE);
    program_says("\"persistent_only_size\":0");
    program_says("\"num_slots\":2,\"active_slot\":2");
}

static void set_alerts(void)
{
    program_ok("cxl set-alert-config " MEMDEV
               " -L 30 --life-used-alert on -O 60 --over-temperature-alert on");
    program_ok("cxl list -m " MEMDEV " -A");
    program_says("\"life_used_prog_warn_threshold\":30");
    program_says("\"dev_over_temperature_prog_warn_threshold\":60");
    program_ok("cxl set-alert-config " MEMDEV " --life-used-alert off");
}

/* Labels are the kernel's own while there is a bus with a bridge to nvdimm */
static void keep_labels(void)
{
    program_run("cxl write-labels " MEMDEV " -i /init");
    program_says("has active nvdimm bridge");
    program_ok("cxl disable-bus root0 -f");
    tap_check(make_file(LABELS_IN, LABEL_BYTES, 1021), "there are labels");
    program_ok("cxl write-labels " MEMDEV " -i " LABELS_IN);
    program_ok("cxl read-labels " MEMDEV " -o " LABELS_OUT);
    tap_check(same_files(LABELS_IN, LABELS_OUT), "labels come back as they "
              "were");
    program_ok("cxl zero-labels " MEMDEV);
    program_ok("cxl read-labels " MEMDEV " -o " LABELS_OUT);
    tap_check(!same_files(LABELS_IN, LABELS_OUT), "labels are gone");
    tap_rc(sys_write("ACPI0017:00", "/sys/bus/platform/drivers/cxl_acpi/bind"),
           0, "the bus comes back");
    program_run("cxl enable-memdev " MEMDEV);
    tap_check(sys_await(SETTLE_S, CXL_SYS "/" MEMDEV "/driver"),
              "the driver binds " MEMDEV " again");
}

/* -- media ---------------------------------------------------------------- */

static void poison(void)
{
    tap_rc(sys_write("0x1000", DEBUG_DIR "/inject_poison"), 0,
           "poison is put in");
    tap_rc(sys_write("0x10000040", DEBUG_DIR "/inject_poison"), 0,
           "poison is put into persistent memory");
    program_ok("cxl list -m " MEMDEV " -L");
    program_says("{\"offset\":4096,\"length\":64,\"source\":\"Injected\"");
    program_says("{\"offset\":268435520,\"length\":64,"
                 "\"source\":\"Injected\"");
    tap_rc(sys_write("0x1000", DEBUG_DIR "/clear_poison"), 0,
           "poison is taken out");
    program_ok("cxl list -m " MEMDEV " -L");
    program_silent_on("\"offset\":4096,");
    program_says("\"offset\":268435520");
}

/* Of the newest cxl: poison by its own commands, what the kernel tells */
static void newest(void)
{
    time_t limit = time(NULL) + SETTLE_S;
    bool told = false;
    pid_t monitor;

    program_run("cxl --list-cmds");
    if (!strstr(program_output(), "inject-media-poison")) {
        return;
    }
    monitor = program_begin("cxl monitor -l " EVENTS);
    program_ok("cxl inject-media-poison " MEMDEV " -a 0x3000");
    program_ok("cxl list -m " MEMDEV " -L");
    program_says("{\"offset\":12288,\"length\":64,\"source\":\"Injected\"");
    program_ok("cxl clear-media-poison " MEMDEV " -a 0x3000");
    /* it may have begun to listen just now */
    while (!told && time(NULL) < limit) {
        program_run("cxl inject-media-poison " MEMDEV " -a 0x3000");
        program_run("cxl clear-media-poison " MEMDEV " -a 0x3000");
        usleep(100000);
        told = file_has(EVENTS, "cxl_poison");
    }
    tap_check(told, "cxl monitor tells of it");
    program_end(monitor);
    program_ok("cxl list -m " MEMDEV " -L");
    program_silent_on("\"offset\":12288");
    tap_check(program_run("cxl inject-protocol-error " MEMDEV
                          " -p mem -s correctable") > 0,
              "an error of the protocol needs firmware that injects it");
}

/* Ends what poison() left */
static void sanitize(void)
{
    char state[32];

    tap_rc(sys_write("1", SECURITY "/sanitize"), 0, "sanitize begins");
    program_ok("cxl wait-sanitize " MEMDEV " -t 60000");
    tap_rc(sys_read(state, sizeof(state), SECURITY "/state"), 0,
           "the device tells its security state");
    tap_check(!strcmp(state, "disabled"), "sanitize is over");
    program_ok("cxl list -m " MEMDEV " -L");
    program_silent_on("\"offset\":");
    tap_rc(sys_write("1", SECURITY "/erase"), 0, "secure erase");
}

/* Persistent memory is planned to become volatile, and the plan is dropped */
static void set_partition(void)
{
    program_ok("cxl list -m " MEMDEV " -I");
    program_says("\"partition_alignment_size\":" SIZE);
    program_ok("cxl disable-memdev " MEMDEV " -f");
    program_ok("cxl set-partition " MEMDEV " -t pmem -s 0");
    program_says("\"active_persistent_size\":" SIZE);
    program_says("\"next_volatile_size\":" SIZE_TWICE);
    program_ok("cxl set-partition " MEMDEV " -t pmem -s " SIZE);
    program_says("\"active_volatile_size\":" SIZE);
    program_silent_on("\"next_volatile_size\":" SIZE_TWICE);
    program_ok("cxl enable-memdev " MEMDEV);
}

/* -- regions -------------------------------------------------------------- */

static void region(const char *type)
{
    char name[32];

    program_ok("cxl create-region -t %s -d decoder0.0 -m " MEMDEV, type);
    string_of(name, sizeof(name), "region");
    program_says("\"size\":" SIZE);
    program_says("\"decode_state\":\"commit\"");
    program_ok("cxl list -R -vvv");
    program_says("\"type\":\"%s\"", type);
    if (!strcmp(type, "ram")) {
        sys_await(SETTLE_S, "/sys/bus/dax/devices/dax0.0/driver");
        program_ok("daxctl list -D");
        program_says("\"chardev\":\"dax0.0\"");
        program_ok("daxctl reconfigure-device -m system-ram dax0.0");
        program_says("\"mode\":\"system-ram\"");
        program_ok("daxctl list -D");
        program_says("\"online_memblocks\":2");
        /* on to mode devdax it would ask for a module; here all are built in */
        program_ok("daxctl offline-memory dax0.0");
    }
    program_ok("cxl disable-region %s", name);
    program_ok("cxl destroy-region %s", name);
    tap_check(!sys_exists(CXL_SYS "/%s", name), "%s is gone", name);
}

static void come_and_go(void)
{
    program_ok("cxl disable-memdev " MEMDEV " -f");
    program_run("cxl list -M");
    program_silent_on("\"memdev\":\"" MEMDEV "\"");
    program_ok("cxl enable-memdev " MEMDEV);
    program_ok("cxl list -M");
    program_says("\"memdev\":\"" MEMDEV "\"");
}

static void start_anew(void)
{
    fflush(tap_out());
    sync();
    reboot(RB_AUTOBOOT);
    exit(1);
}

void scenario_ndctl(void)
{
    if (sys_await(SETTLE_S, CXL_SYS "/" MEMDEV "/driver") &&
        !runs_new_firmware()) {
        tap_quiet();
        update_firmware();
        tap_note("the machine starts anew");
        start_anew();
    }
    if (!tap_check(runs_new_firmware(),
                   "the new firmware runs after a reset")) {
        return;
    }
    look();
    set_alerts();
    keep_labels();
    poison();
    newest();
    sanitize();
    set_partition();
    region("ram");
    region("pmem");
    come_and_go();
    tap_check(!dmesg_complaints(), "no warning in dmesg");
}
