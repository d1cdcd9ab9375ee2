/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "errors": protocol errors of a memory device, of both ports of the
 * switch above it and of the root port.  Linux hears of each, says so, and goes
 * on with the device (CXL r3.2 8.2.4.17, 12.2; PCIe r6.2 6.2, 7.8.4)
 *
 * Linux 7.3 reads the RAS registers of the device only; those of ports are for
 * the test to look at and to clear.  And it leaves internal errors masked, in
 * both capabilities, so the test opens them as an administrator would.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "cxl-conn.h"
#include "device-memory.h"
#include "dmesg.h"
#include "region.h"
#include "scenario.h"
#include "tap.h"

#define SETTLE_S        60
#define TRACING         "/sys/kernel/tracing"
#define OP_IDENTIFY     0x4000

/* Extended capability, and its registers */
#define AER             1
#define AER_UNC_STATUS  0x04
#define AER_UNC_MASK    0x08
#define AER_SEVERITY    0x0c
#define AER_COR_STATUS  0x10
#define AER_COR_MASK    0x14
#define UNC_INTERNAL    (1u << 22)
#define COR_INTERNAL    (1u << 14)

/* BAR 0 of each of them: CXL.cachemem registers, and RAS there, in words */
#define CACHEMEM        0x1000
#define RAS_UNC_STATUS  (0x80 / 4)
#define RAS_UNC_MASK    (0x84 / 4)
#define RAS_COR_STATUS  (0x8c / 4)
#define RAS_COR_MASK    (0x90 / 4)
/* Memory data, ECC: corrected, or not */
#define COR_MEM_ECC     (1u << 1)
#define UNC_MEM_ECC     (1u << 7)

/* The bus numbers that scripts/run-guest.py makes firmware give */
static const struct place {
    const char *id;
    const char *bdf;
    /* whose link is reset when something fatal happens here */
    const char *bridge;
} places[] = {
    { "mem0", "0000:0f:00.0", "0000:0e:00.0" },
    { "ds0", "0000:0e:00.0", "0000:0e:00.0" },
    { "us0", "0000:0d:00.0", "0000:0c:00.0" },
    { "rp0", "0000:0c:00.0", "0000:0c:00.0" },
};

enum severity { COR, NONFATAL, FATAL };

static const char *const severity_words[] = {
    "Correctable", "Uncorrectable (Non-Fatal)", "Uncorrectable (Fatal)",
};

/* -- registers ------------------------------------------------------------ */

static uint32_t config_get(int fd, unsigned at)
{
    uint32_t v = ~0u;

    return pread(fd, &v, sizeof(v), at) == sizeof(v) ? v : ~0u;
}

static void config_set(int fd, unsigned at, uint32_t clear, uint32_t set)
{
    uint32_t v = (config_get(fd, at) & ~clear) | set;

    if (pwrite(fd, &v, sizeof(v), at) != sizeof(v)) {
        tap_note("configuration register %x cannot be written", at);
    }
}

static unsigned find_aer(int fd)
{
    unsigned at = 0x100;

    while (at && (config_get(fd, at) & 0xffff) != AER) {
        at = config_get(fd, at) >> 20;
    }
    return at;
}

/* Registers of @p's BAR 0, NULL if there are none to be had */
static dev32_t *map_registers(const struct place *p)
{
    char path[SYS_PATH];
    void *at;
    int fd;

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", p->bdf);
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return NULL;
    }
    at = mmap(NULL, CACHEMEM, PROT_READ | PROT_WRITE, MAP_SHARED, fd, CACHEMEM);
    close(fd);
    return at == MAP_FAILED ? NULL : at;
}

/* As docs/system/devices/cxl-commands.rst says */
static void unmask(const struct place *p, dev32_t *regs, enum severity severity)
{
    char path[SYS_PATH];
    unsigned aer;
    int fd;

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", p->bdf);
    fd = open(path, O_RDWR | O_CLOEXEC);
    aer = find_aer(fd);
    config_set(fd, aer + AER_UNC_MASK, UNC_INTERNAL, 0);
    config_set(fd, aer + AER_COR_MASK, COR_INTERNAL, 0);
    config_set(fd, aer + AER_SEVERITY, UNC_INTERNAL,
               severity == FATAL ? UNC_INTERNAL : 0);
    close(fd);
    regs[RAS_UNC_MASK] = 0;
    regs[RAS_COR_MASK] = 0;
}

/* -- what Linux says ------------------------------------------------------ */

static void trace_clear(void)
{
    int fd = open(TRACING "/trace", O_WRONLY | O_TRUNC | O_CLOEXEC);

    if (fd >= 0) {
        close(fd);
    }
}

static bool trace_has(const char *event, const char *what)
{
    FILE *f = fopen(TRACING "/trace", "re");
    char line[1024];
    bool found = false;

    while (f && !found && fgets(line, sizeof(line), f)) {
        found = strstr(line, event) && strstr(line, what);
    }
    if (f) {
        fclose(f);
    }
    return found;
}

/* The event comes after the kernel's words */
static bool trace_await(const char *event, const char *what)
{
    time_t limit = time(NULL) + SETTLE_S;
    bool found;

    while (!(found = trace_has(event, what)) && time(NULL) <= limit) {
        usleep(20000);
    }
    return found;
}

static bool await_driver(void)
{
    return sys_await(SETTLE_S, CXL_SYS "/mem0/driver");
}

/*
 * When Linux lets go of the device it queues work that does so again.  On a
 * busy machine that comes when the device has been taken back already.
 */
static bool driver_is_back(void)
{
    sys_write("1", "/sys/bus/cxl/flush");
    if (!sys_exists(CXL_SYS "/mem0/driver")) {
        tap_note("Linux has let go of the device once more");
        sys_write("mem0", "/sys/bus/cxl/drivers/cxl_mem/bind");
    }
    return await_driver();
}

static bool device_answers(void)
{
    struct cxl_conn *conn = memdev_open("mem0");
    static struct cxl_req req;
    static struct cxl_rsp rsp;
    bool ok;

    if (!conn) {
        return false;
    }
    req_start(&req, OP_IDENTIFY);
    ok = !cxl_run(conn, &req, &rsp);
    cxl_conn_close(conn);
    return ok;
}

static bool ask_for(const struct place *p, enum severity severity)
{
    char words[96];

    snprintf(words, sizeof(words), "error %s %s mem-data-ecc", p->id,
             severity == COR ? "correctable" : "uncorrectable");
    return tap_ask(words);
}

/* Ports keep it; of the device Linux reads and clears it, or a reset does */
static void check_status(const struct place *p, dev32_t *regs,
                         enum severity severity)
{
    unsigned at = severity == COR ? RAS_COR_STATUS : RAS_UNC_STATUS;
    uint32_t bit = severity == COR ? COR_MEM_ECC : UNC_MEM_ECC;
    bool reset = severity == FATAL && strcmp(p->bdf, p->bridge);

    if (p == &places[0] || reset) {
        tap_check(!regs[at], "%s: no error is left in its RAS registers",
                  p->id);
        return;
    }
    tap_check(regs[at] == bit, "%s: its RAS registers say which error", p->id);
    regs[at] = bit;
    tap_check(!regs[at], "%s: a one clears it", p->id);
}

static void check_error(const struct place *p, enum severity severity)
{
    const char *event = severity == COR ? "cxl_aer_correctable_error" :
                                          "cxl_aer_uncorrectable_error";
    dev32_t *regs = map_registers(p);
    char said[96];

    if (!tap_check(regs != NULL, "%s: its registers can be reached", p->id)) {
        return;
    }
    if (severity == COR) {
        tap_check(!ask_for(p, severity), "%s: a masked error is told to be",
                  p->id);
    }
    unmask(p, regs, severity);
    trace_clear();
    tap_check(ask_for(p, severity), "%s: %s error, which nothing stops", p->id,
              severity_words[severity]);
    snprintf(said, sizeof(said), "CXL Bus Error: severity=%s",
             severity_words[severity]);
    tap_check(dmesg_await(SETTLE_S, p->bdf, said), "%s: Linux reports it: %s",
              p->id, said);
    if (severity != COR) {
        tap_check(dmesg_await(SETTLE_S, p->bridge,
                              "device recovery successful"),
                  "%s: Linux has recovered", p->id);
    }
    tap_check(driver_is_back() && device_answers(), "the device is in use");
    if (p == &places[0]) {
        tap_check(trace_await(event, "Memory Data ECC Error"),
                  "the driver tells which error it was");
    }
    check_status(p, regs, severity);
    munmap((void *)regs, CACHEMEM);
}

void scenario_errors(void)
{
    if (!tap_check(await_driver() && sys_await(SETTLE_S, "/dev/cxl/mem0"),
                   "drivers bind the device") ||
        !tap_rc(sys_write("1", TRACING "/events/cxl/enable"), 0,
                "events of the driver can be traced")) {
        return;
    }
    tap_check(!dmesg_complaints(), "binding leaves no warning in dmesg");
    for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        for (enum severity s = COR; s <= FATAL; s++) {
            check_error(&places[i], s);
        }
    }
}
