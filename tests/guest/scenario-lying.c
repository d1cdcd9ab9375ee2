/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "lying": the driver meets a device that lies.  The runner arms
 * faults; here the device is probed, listed, mapped and listened to, with a
 * limit for each step, and all that the kernel says is passed on.
 *
 * tests/guest/lying.py makes reactions out of it.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "program.h"
#include "region.h"
#include "scenario.h"
#include "tap.h"

#define DRIVER      "/sys/bus/pci/drivers/cxl_pci"
#define SETTLE_S    30
/* Linux itself waits a minute for a mailbox or for memory */
#define STEP_S      75
#define TEXT_MAX    8192

static char address[256], memdev[64];

static bool nap(unsigned ms)
{
    const struct timespec time = { .tv_nsec = ms * 1000000L };

    return !nanosleep(&time, NULL);
}

static bool find_memdev(unsigned seconds)
{
    for (unsigned i = 0; i < seconds * 20; i++) {
        if (!sys_find(memdev, sizeof(memdev), "/dev/cxl", "mem") &&
            sys_exists(CXL_SYS "/%s/driver", memdev)) {
            return true;
        }
        nap(50);
    }
    return false;
}

static bool find_address(void)
{
    DIR *dir = opendir(DRIVER);
    const struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        if (strchr(entry->d_name, ':')) {
            snprintf(address, sizeof(address), "%s", entry->d_name);
        }
    }
    if (dir) {
        closedir(dir);
    }
    return *address;
}

/* -- steps: each in a process of its own, which may never come back ----- */

static int step_unbind(void)
{
    return sys_write(address, DRIVER "/unbind") != 0;
}

static int step_bind(void)
{
    return sys_write(address, DRIVER "/bind") || !find_memdev(5);
}

static int step_list(void)
{
    int status = program_run("cxl list -vvv -LHIFA");

    return status || !program_count("\"memdev\"");
}

static int step_region(void)
{
    const char *root = "decoder0.0";
    struct ram_region region;
    int rc;

    if (!find_memdev(1)) {
        return 1;
    }
    rc = region_create(&region, root, memdev);
    if (!rc) {
        region_destroy(&region, root, &(struct region_plan) {
            .memdev = { memdev }, .ways = 1,
        });
    }
    return rc != 0;
}

/* Records come, and with them an interrupt */
static int step_listen(void)
{
    return !nap(500);
}

static void step(const char *name, int (*run)(void))
{
    time_t start = time(NULL);
    int status = 0;
    pid_t child;

    child = fork();
    if (!child) {
        exit(run());
    }
    while (waitpid(child, &status, WNOHANG) != child) {
        if (time(NULL) - start > STEP_S) {
            kill(child, SIGKILL);
            tap_note("step %s: hangs", name);
            return;
        }
        nap(20);
    }
    tap_note("step %s: %s", name,
             !WIFEXITED(status) ? "killed" :
             WEXITSTATUS(status) ? "fails" : "works");
}

/* -- what the kernel says ----------------------------------------------- */

static void pass_messages(bool show)
{
    static int kmsg = -1;
    char record[TEXT_MAX];
    ssize_t n;

    if (kmsg < 0) {
        kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    }
    while ((n = read(kmsg, record, sizeof(record) - 1)) > 0) {
        char *text;

        record[n] = '\0';
        text = strchr(record, ';');
        if (show && text) {
            text[strcspn(text, "\n")] = '\0';
            tap_note("kernel <%d> %s", atoi(record) & 7, text + 1);
        }
    }
}

void scenario_lying(void)
{
    if (!tap_check(find_address() && find_memdev(SETTLE_S),
                   "drivers bind the device")) {
        return;
    }
    while (tap_ask("fault next")) {
        pass_messages(false);
        step("unbind", step_unbind);
        /* two of a kind, which the driver finds when it binds */
        tap_ask("fault events");
        step("bind", step_bind);
        step("list", step_list);
        step("region", step_region);
        tap_ask("fault events");
        step("listen", step_listen);
        step("list again", step_list);
        tap_ask("fault end");
        pass_messages(true);
        /* is all well when the device tells the truth again? */
        step("unbind", step_unbind);
        step("bind", step_bind);
        if (!tap_check(find_memdev(SETTLE_S), "the device is back")) {
            return;
        }
    }
}
