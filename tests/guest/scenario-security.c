/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "security": Linux's keys for persistent memory and the passphrases
 * of the device (CXL r3.2 8.2.10.9.6)
 *
 * The same program runs before and after a reset.  Before: a key becomes the
 * passphrase.  After: the device is locked until the driver finds the key.
 */
#include <linux/keyctl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dmesg.h"
#include "scenario.h"
#include "sysfs.h"
#include "tap.h"

#define SETTLE_S    30
#define DIMM        "/sys/bus/nd/devices/nmem0"
#define DRIVER      "/sys/bus/nd/drivers/nvdimm"
/* A passphrase has 32 bytes, given in hex; Linux keeps it encrypted */
#define MASTER      "cxl-test"
#define MASTER_KEY  "a master key of the test, 32 byte"
#define HEX_32      "00112233445566778899aabbccddeeff"

static long add_key(const char *type, const char *name, const char *payload)
{
    return syscall(SYS_add_key, type, name, payload, strlen(payload),
                   KEY_SPEC_SESSION_KEYRING);
}

/* The key of the device, under the name that the driver looks for */
static long make_key(void)
{
    char id[64], name[96];
    long key;

    if (!tap_check(!sys_read(id, sizeof(id), DIMM "/cxl/id"),
                   "the device has an id")) {
        return -1;
    }
    syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
    add_key("user", MASTER, MASTER_KEY);
    snprintf(name, sizeof(name), "nvdimm:%s", id);
    key = add_key("encrypted", name,
                  "new enc32 user:" MASTER " 32 " HEX_32 HEX_32);
    tap_check(key > 0, "there is a key");
    return key;
}

static bool state_is(const char *want)
{
    char state[32];

    sys_read(state, sizeof(state), DIMM "/security");
    if (strcmp(state, want)) {
        tap_note("security is \"%s\"", state);
    }
    return !strcmp(state, want);
}

/* @key 0: the order needs none */
static int order(const char *what, long key)
{
    char text[64];

    if (key) {
        snprintf(text, sizeof(text), "%s %ld", what, key);
    } else {
        snprintf(text, sizeof(text), "%s", what);
    }
    return sys_write(text, DIMM "/security");
}

static void before(void)
{
    long key = make_key();

    tap_rc(order("update 0", key), 0, "the key is the passphrase");
    tap_check(state_is("unlocked"), "the device is open until the reset");
    fflush(tap_out());
    sync();
    reboot(RB_AUTOBOOT);
    exit(1);
}

static void after(void)
{
    char frozen[8];
    long key;

    tap_check(state_is("locked"), "a reset locks the device");
    tap_check(!sys_exists(DIMM "/driver"),
              "labels of a locked device are not to be had");
    key = make_key();
    tap_rc(sys_write("nmem0", DRIVER "/bind"), 0, "the driver finds the key");
    tap_check(state_is("unlocked"), "the key opens the device");
    tap_rc(order("erase", key), 0, "the passphrase erases the data");
    tap_check(state_is("disabled"), "and is gone with it");
    tap_rc(order("update 0", key), 0, "a passphrase is set again");
    tap_rc(order("disable", key), 0, "a passphrase is dropped");
    tap_check(state_is("disabled"), "the device has none any more");
    /* Linux looks whether the state is frozen only if there is a passphrase */
    tap_rc(order("update 0", key), 0, "a passphrase is set once more");
    tap_rc(order("freeze", 0), 0, "the state is frozen");
    sys_read(frozen, sizeof(frozen), DIMM "/frozen");
    tap_check(!strcmp(frozen, "1"), "Linux knows that it is frozen");
    tap_check(order("disable", key) < 0 && state_is("unlocked"),
              "nothing changes any more");
    tap_check(!dmesg_complaints(), "no warning in dmesg");
}

void scenario_security(void)
{
    bool there = sys_await(SETTLE_S, DIMM "/security");
    char state[32];

    sys_read(state, sizeof(state), DIMM "/security");
    if (there && !strcmp(state, "disabled")) {
        tap_quiet();
        before();
    }
    if (tap_check(there, "persistent memory has a security state")) {
        after();
    }
}
