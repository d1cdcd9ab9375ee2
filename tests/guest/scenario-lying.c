/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "lying": the driver meets a device that lies.  The runner arms
 * faults; here the device is probed, listed, mapped and listened to, with a
 * limit for each step, and all that the kernel says is passed on.  Scenario
 * "lying-mctp": a Fabric Manager's program meets an endpoint that does.
 *
 * tests/guest/lying.py makes reactions out of it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fm-cmds.h"
#include "mctp-control.h"
#include "mctp-link.h"
#include "program.h"
#include "region.h"
#include "scenario.h"
#include "tap.h"

#define DRIVER      "/sys/bus/pci/drivers/cxl_pci"
#define PCI         "/sys/bus/pci"
#define SANITIZE    CXL_SYS "/mem0/security/sanitize"
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

/* What Linux asks of a device when it finds it, not when a driver binds it */
static int step_rescan(void)
{
    return sys_write("1", PCI "/devices/%s/remove", address) ||
           sys_write("1", PCI "/rescan") || !find_memdev(5);
}

static int step_sanitize(void)
{
    return sys_write("1", SANITIZE) ||
           program_run("cxl wait-sanitize mem0 -t 60000");
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
        if (tap_ask("fault rescans")) {
            step("rescan", step_rescan);
        } else {
            step("bind", step_bind);
        }
        step("list", step_list);
        step("region", step_region);
        if (tap_ask("fault sanitizes")) {
            step("sanitize", step_sanitize);
        }
        tap_ask("fault events");
        step("listen", step_listen);
        step("list again", step_list);
        tap_ask("fault end");
        pass_messages(true);
        if (tap_ask("fault rescans")) {
            step("rescan", step_rescan);
        }
        /* is all well when the device tells the truth again? */
        step("unbind", step_unbind);
        step("bind", step_bind);
        if (!tap_check(find_memdev(SETTLE_S), "the device is back")) {
            return;
        }
        /* regions half made may be left: the next fault is not to meet them */
        if (step_region()) {
            tap_ask("fault spoilt");
            return;
        }
    }
}

/* -- an endpoint that lies ---------------------------------------------- */

#define GET_EID         0x02

static struct mctp_link link_up;
static struct mctp_peer peer = {
    .i2c = MCTP_FIRST_I2C, .eid = MCTP_FIRST_EID
};

/* What a program is told; its step fails if it is told anything */
static int client_says(int ret)
{
    if (ret > 0) {
        tap_note("client return code %02x", ret);
    } else if (ret) {
        tap_note("client %s", ret > -MCTP_CC_BASE ? strerror(-ret) :
                 "completion code of an error");
    }
    return ret != 0;
}

static int step_control(void)
{
    const struct mctp_addr_to to = { .eid = peer.eid };
    uint8_t answer[MCTP_CTRL_MAX];
    int ret = mctp_control(&to, GET_EID, NULL, 0, answer);

    return client_says(ret < 0 ? ret : 0);
}

static int step_command(void)
{
    struct cxl_conn *fm = mctp_link_connect(&peer);
    struct fm_identity id;

    return !fm || client_says(fm_identify(fm, &id));
}

static int step_long(void)
{
    struct cxl_conn *fm = mctp_link_connect(&peer);
    struct fm_cel cel;

    return !fm || client_says(fm_read_cel(fm, &cel));
}

void scenario_lying_mctp(void)
{
    if (!tap_check(mctp_link_present() && !mctp_link_up(&link_up) &&
                   !mctp_link_peer(&link_up, &peer),
                   "the MCTP link is up")) {
        return;
    }
    while (tap_ask("fault next")) {
        pass_messages(false);
        step("control", step_control);
        step("command", step_command);
        step("long answer", step_long);
        step("command again", step_command);
        tap_ask("fault end");
        pass_messages(true);
        /* what was held back may still come, and is nobody's */
        if (!tap_check(!step_control() && !step_command() && !step_long(),
                       "the endpoint is back")) {
            return;
        }
    }
}
