/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "ras": scrub, error check and repair of memory as Linux's EDAC shows
 * them to administrators (CXL r3.2 8.2.10.7, 8.2.10.9.11)
 *
 * Everything is set and read through sysfs; only the poison list is read from
 * the device itself, for Linux shows it as trace events.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cxl-conn.h"
#include "cxl-wire.h"
#include "dmesg.h"
#include "region.h"
#include "scenario.h"
#include "tap.h"

#define SETTLE_S    30
#define MEMDEV      "mem0"
#define EDAC        "/sys/bus/edac/devices"
#define DEVICE      EDAC "/cxl_" MEMDEV
#define DEBUG_DIR   "/sys/kernel/debug/cxl/" MEMDEV
#define HOUR        3600
#define OP_POISON   0x4300
/* Of 256 MiB static and 512 MiB dynamic capacity; see cxl-commands.rst */
#define BANK        (6ul << 20)

/* Does @file read as @text? */
static bool reads(const char *text, const char *dir, const char *file)
{
    char got[64];

    if (sys_read(got, sizeof(got), "%s/%s", dir, file) >= 0 &&
        !strcmp(got, text)) {
        return true;
    }
    tap_note("%s/%s is \"%s\"", dir, file, got);
    return false;
}

static void check_scrub(const char *dir)
{
    char text[16];

    tap_check(reads("0", dir, "enable_background") &&
              reads("3600", dir, "min_cycle_duration") &&
              reads("918000", dir, "max_cycle_duration") &&
              reads("43200", dir, "current_cycle_duration"),
              "scrub is off and can take 1 to 255 hours");
    snprintf(text, sizeof(text), "%d", 24 * HOUR);
    tap_rc(sys_write(text, "%s/current_cycle_duration", dir), 0,
           "a scrub cycle of a day can be set");
    tap_check(reads(text, dir, "current_cycle_duration") &&
              reads("0", dir, "enable_background"),
              "the cycle is a day, and scrub is still off");
    tap_rc(sys_write("0", "%s/current_cycle_duration", dir), -EINVAL,
           "no cycle at all is refused");
    tap_rc(sys_write("1", "%s/enable_background", dir), 0,
           "scrub can be switched on");
    tap_check(reads("1", dir, "enable_background") &&
              reads(text, dir, "current_cycle_duration"), "scrub is on");
    tap_rc(sys_write("0", "%s/enable_background", dir), 0,
           "scrub can be switched off");
    tap_check(reads("0", dir, "enable_background"), "scrub is off");
}

static void check_ecs(void)
{
    const char *first = DEVICE "/ecs_fru0", *second = DEVICE "/ecs_fru1";

    tap_check(sys_exists(DEVICE "/ecs_fru2") && !sys_exists(DEVICE "/ecs_fru3"),
              "there are three FRUs");
    tap_check(reads("256", first, "threshold") && reads("0", first, "mode") &&
              reads("1", first, "log_entry_type"), "error check has defaults");
    tap_rc(sys_write("4096", "%s/threshold", first), 0,
           "an error threshold can be set");
    tap_rc(sys_write("1", "%s/mode", first), 0, "and what is counted");
    tap_rc(sys_write("1", "%s/reset", first), 0, "and counters be reset");
    tap_check(reads("4096", first, "threshold") && reads("1", first, "mode"),
              "both are in force");
    tap_check(reads("256", second, "threshold") && reads("0", second, "mode"),
              "another FRU keeps its values");
    tap_rc(sys_write("512", "%s/threshold", first), -EINVAL,
           "an unknown threshold is refused");
    tap_rc(sys_write("0", "%s/log_entry_type", first), 0,
           "what is logged can be set");
    tap_check(reads("0", second, "log_entry_type") &&
              reads("4096", first, "threshold"), "that holds for all FRUs");
}

/* Poison records of the static capacity, or a negative errno */
static int poisoned(struct cxl_conn *conn)
{
    static struct cxl_req req;
    static struct cxl_rsp rsp;
    int ret;

    req_start(&req, OP_POISON);
    req_num(&req, 0, 8);
    req_num(&req, (256ul << 20) / 64, 8);
    ret = cxl_run(conn, &req, &rsp);
    return ret ? -EIO : rsp.data[0x0a] | rsp.data[0x0b] << 8;
}

static void inject(uint64_t dpa)
{
    char text[32];

    snprintf(text, sizeof(text), "0x%" PRIx64, dpa);
    tap_rc(sys_write(text, DEBUG_DIR "/inject_poison"), 0,
           "poison can be injected at %s", text);
}

/* The folder of one way to repair, "" if there is none */
static void find_repair(char dir[SYS_PATH], const char *type)
{
    for (unsigned i = 0; i < 8; i++) {
        char got[64];

        snprintf(dir, SYS_PATH, DEVICE "/mem_repair%u", i);
        if (sys_read(got, sizeof(got), "%s/repair_type", dir) >= 0 &&
            !strcmp(got, type)) {
            return;
        }
    }
    dir[0] = '\0';
}

static void check_ppr(struct cxl_conn *conn)
{
    char dir[SYS_PATH];

    find_repair(dir, "ppr");
    if (!tap_check(dir[0], "soft post package repair is offered")) {
        return;
    }
    tap_check(reads("0", dir, "persist_mode") &&
              reads("1", dir, "repair_safe_when_in_use"),
              "it is soft, and memory may be in use");
    inject(0x1000);
    inject(0x1040);
    tap_rc(poisoned(conn), 2, "the device lists both lines");
    tap_rc(sys_write("0x1000", "%s/dpa", dir), 0, "an address can be set");
    tap_check(reads("0x1000", dir, "dpa"), "the address is there");
    tap_rc(sys_write("0xffffffffffffffc0", "%s/dpa", dir), -EINVAL,
           "an address beyond the device is refused");
    tap_rc(sys_write("1", "%s/repair", dir), 0, "the line is repaired");
    tap_rc(poisoned(conn), 1, "its poison is gone, the other's is not");
    tap_rc(sys_write("0x1040", "%s/dpa", dir), 0, "another address");
    tap_rc(sys_write("1", "%s/repair", dir), 0, "the other one is repaired");
    tap_rc(poisoned(conn), 0, "no poison is left");
}

static void check_sparing(struct cxl_conn *conn)
{
    static const char *const other[] = {
        "cacheline-sparing", "row-sparing", "rank-sparing",
    };
    char dir[SYS_PATH];

    for (unsigned i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
        find_repair(dir, other[i]);
        tap_check(dir[0], "%s is offered", other[i]);
    }
    find_repair(dir, "bank-sparing");
    if (!tap_check(dir[0], "bank sparing is offered")) {
        return;
    }
    inject(BANK);
    inject(2 * BANK - 64);
    inject(2 * BANK);
    tap_rc(poisoned(conn), 3, "the device lists three lines");
    tap_rc(sys_write("1", "%s/bank", dir), 0, "a bank can be chosen");
    tap_rc(sys_write("1", "%s/repair", dir), 0, "it is spared");
    tap_rc(poisoned(conn), 1, "poison of that bank is gone");
    tap_rc(sys_write("2", "%s/bank", dir), 0, "the next bank");
    tap_rc(sys_write("1", "%s/persist_mode", dir), 0, "and for good");
    tap_rc(sys_write("1", "%s/repair", dir), 0, "it is spared");
    tap_rc(poisoned(conn), 0, "no poison is left");
    /* there were two spares; Linux has one errno for what devices refuse */
    tap_check(sys_write("1", "%s/repair", dir) < 0,
              "without a spare the device refuses");
}

/* A region has a scrub of its own, which sets that of its devices */
static void check_region(void)
{
    struct ram_region region;
    char dir[SYS_PATH];

    if (!tap_rc(region_create(&region, "decoder0.0", MEMDEV), 0,
                "a ram region can be created")) {
        return;
    }
    snprintf(dir, sizeof(dir), EDAC "/cxl_%s/scrub0", region.name);
    if (!tap_check(sys_await(SETTLE_S, "%s", dir), "the region has a scrub")) {
        return;
    }
    tap_check(reads("86400", dir, "current_cycle_duration"),
              "it goes at the device's pace");
    tap_rc(sys_write("7200", "%s/current_cycle_duration", dir), 0,
           "another can be set");
    tap_check(reads("7200", DEVICE "/scrub0", "current_cycle_duration"),
              "the device goes at that pace");
}

void scenario_ras(void)
{
    struct cxl_conn *conn = memdev_open(MEMDEV);

    if (!tap_check(conn != NULL, "the mailbox can be reached") ||
        !tap_check(sys_await(SETTLE_S, DEVICE), "EDAC knows the device")) {
        cxl_conn_close(conn);
        return;
    }
    tap_check(!dmesg_complaints(), "binding leaves no warning in dmesg");
    check_scrub(DEVICE "/scrub0");
    check_ecs();
    check_ppr(conn);
    check_sparing(conn);
    check_region();
    tap_check(!dmesg_complaints(), "using it leaves no warning in dmesg");
    cxl_conn_close(conn);
}
