/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PID 1 of the test guest
 *
 * Mounts what the tests need, runs the scenario that the kernel command line
 * names ("cxltest=boot") and powers the machine off.  The kernel hands words
 * with '=' that it does not know to its first process as environment.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "scenario.h"
#include "sysfs.h"
#include "tap.h"

static const struct {
    const char *type, *where;
} mounts[] = {
    { "proc", "/proc" },
    { "sysfs", "/sys" },
    { "devtmpfs", "/dev" },
    { "debugfs", "/sys/kernel/debug" },
    { "tracefs", "/sys/kernel/tracing" },
    { "tmpfs", "/tmp" },
};

static const struct {
    const char *name;
    void (*run)(void);
} scenarios[] = {
    { "bench", scenario_bench },
    { "bench-pair", scenario_bench_pair },
    { "boot", scenario_boot },
#ifdef GUEST_MACHINE_CODE
    /* made of machine code of x86-64 */
    { "code", scenario_code },
    { "code-interleaved", scenario_code_interleaved },
#endif
    { "dcd", scenario_dcd },
    { "demo", scenario_demo },
    { "errors", scenario_errors },
    { "hang", scenario_hang },
    { "host", scenario_host },
    { "i2c", scenario_i2c },
    { "lines", scenario_lines },
    { "lying", scenario_lying },
    { "lying-mctp", scenario_lying_mctp },
    { "managed", scenario_managed },
    { "manager", scenario_manager },
    { "mctp", scenario_mctp },
    { "migrate", scenario_migrate },
    { "ndctl", scenario_ndctl },
    { "nested", scenario_nested },
    { "noise", scenario_noise },
    { "pages", scenario_pages },
    { "pmem", scenario_pmem },
    { "pool", scenario_pool },
    { "ras", scenario_ras },
    { "replug", scenario_replug },
    { "reset", scenario_reset },
    { "rounds", scenario_rounds },
    { "security", scenario_security },
    { "shell", scenario_shell },
    { "switch", scenario_switch },
};

static void mount_all(void)
{
    for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
        mkdir(mounts[i].where, 0755);
        if (mount(mounts[i].type, mounts[i].where, mounts[i].type, 0, NULL) &&
            errno != EBUSY) {
            perror(mounts[i].where);
        }
    }
}

/* A kernel of a distribution has its drivers in files, here listed in order */
static void load_modules(void)
{
    FILE *list = fopen("/modules.load", "re");
    char path[PATH_MAX];

    while (list && fgets(path, sizeof(path), list)) {
        int fd;

        path[strcspn(path, "\n")] = '\0';
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || syscall(SYS_finit_module, fd, "", 0)) {
            tap_note("%s: %s", path, strerror(errno));
        }
        if (fd >= 0) {
            close(fd);
        }
    }
    if (list) {
        fclose(list);
    }
}

static void run(const char *name)
{
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        if (!strcmp(scenarios[i].name, name)) {
            scenarios[i].run();
            return;
        }
    }
    tap_check(false, "scenario %s is known", name);
}

static void power_off(void)
{
    sync();
    reboot(RB_POWER_OFF);
    /* Only if the kernel could not; the runner's time limit ends the machine */
    for (;;) {
        pause();
    }
}

int main(void)
{
    const char *name = getenv("cxltest");

    if (getpid() != 1) {
        fprintf(stderr, "to be run as the first process of a guest\n");
        return 2;
    }
    mount_all();
    tap_open(getenv("cxlout"));
    load_modules();
    /* Raw access to commands that the kernel keeps to itself */
    sys_write("1", "/sys/kernel/debug/cxl/mbox/raw_allow_all");
    run(name ? name : "boot");
    tap_finish();
    power_off();
}
