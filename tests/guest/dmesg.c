/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Did the kernel complain?  /dev/kmsg, one record a read
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dmesg.h"
#include "sysfs.h"
#include "tap.h"

/* Levels of the kernel's log, see syslog(2) */
#define LEVEL_WARNING   4
#define LEVEL_MASK      7

/*
 * Lines that say nothing about the devices under test, each with the reason why
 * it is expected.  Everything else that is a warning or worse counts.
 */
static const char *const harmless[] = {
    /* Raw mailbox commands are this test's way in; the kernel warns once */
    "raw command path used",
    /* ... and of every use of its file for poison */
    "poison inject dpa", "poison clear dpa",
    /* What cxl_pci says of each reset that sysfs is asked for */
    ": resetting",
    /* Parts of a processor that TCG's "max" model does not have */
    "Failed to access perfctr msr",
    "inconsistent fixed MTRR", "inconsistent variable MTRR",
    "inconsistent MTRRdefType",
    "microcode: AMD CPU family", "amd_pstate: the _CPC object is not present",
    /* A busy host delays the timers of its guests, and they notice */
    "tsc: ", "clocksource: ", "APIC calibration not consistent with PM-Timer",
    "8254 timer not connected to IO-APIC", "hrtimer: interrupt took ",
    "hpet: Lost ",
    "APIC timer disabled due to verification failure",
    /* How dw-i2c-pci starts a transfer again that the driver would skip */
    "lost arbitration",
    /* The machine has one node and its tables name none for the buses */
    "Unknown NUMA node; performance will be reduced",
};

static int kmsg = -1;

static bool is_harmless(const char *text)
{
    for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
        if (strstr(text, harmless[i])) {
            return true;
        }
    }
    return false;
}

/*
 * A WARN() is a block of lines between "cut here" and "end trace".  One block
 * counts once, and not at all if any of its lines is harmless.
 */
struct block {
    bool open, excused;
    char what[256];
};

static int take_line(struct block *b, int level, const char *text)
{
    if (strstr(text, "[ cut here ]")) {
        *b = (struct block) { .open = true };
        return 0;
    }
    if (b->open) {
        b->excused |= is_harmless(text);
        if (!strncmp(text, "WARNING", 7) || !b->what[0]) {
            strncpy(b->what, text, sizeof(b->what) - 1);
        }
        if (!strstr(text, "[ end trace")) {
            return 0;
        }
        b->open = false;
        if (!b->excused) {
            tap_note("kernel: %s", b->what);
        }
        return !b->excused;
    }
    if (level > LEVEL_WARNING || is_harmless(text)) {
        return 0;
    }
    tap_note("kernel <%d> %s", level, text);
    return 1;
}

static bool open_kmsg(void)
{
    if (kmsg < 0) {
        kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    }
    return kmsg >= 0;
}

/* The next line; NULL: none yet.  "" where lines were lost, or is no text */
static const char *next_line(char *record, size_t size, int *level)
{
    ssize_t n = read(kmsg, record, size - 1);
    char *text;

    *level = LEVEL_MASK;
    if (n < 0 && errno == EPIPE) {
        /* records were overwritten before they were read; go on behind */
        tap_note("kernel log overran");
        *level = 0;
        return "";
    }
    if (n <= 0) {
        return NULL;
    }
    record[n] = '\0';
    text = strchr(record, ';');
    if (!text) {
        return "";
    }
    text[strcspn(text, "\n")] = '\0';
    *level = atoi(record) & LEVEL_MASK;
    return text + 1;
}

int dmesg_complaints(void)
{
    struct block block = { .open = false };
    char record[8192];
    int found = 0, level;
    const char *text;

    if (!open_kmsg()) {
        return -errno;
    }
    while ((text = next_line(record, sizeof(record), &level))) {
        found += take_line(&block, level, text);
    }
    return found;
}

bool dmesg_await(unsigned seconds, const char *who, const char *what)
{
    time_t limit = time(NULL) + seconds;
    char record[8192];
    const char *text;
    int level;

    while (open_kmsg() && time(NULL) <= limit) {
        text = next_line(record, sizeof(record), &level);
        if (!text) {
            usleep(20000);
        } else if (strstr(text, who) && strstr(text, what)) {
            return true;
        }
    }
    return false;
}
