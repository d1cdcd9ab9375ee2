/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host's program for dynamic capacity, while its kernel has no driver for it:
 * answers offers and release requests of one device by a policy
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "fm-print.h"
#include "host-agent.h"

/* How often the log is looked at; the kernel does not pass its interrupt on */
#define POLL_MS 50
#define USAGE   2

static void told(struct host_agent *agent, const struct cxl_dc_event *ev,
                 const char *answer)
{
    fm_print_event(stdout, "", ev);
    if (answer) {
        printf("  %s: %s\n", answer, cxl_rc_name(agent->last_rc));
    }
    fflush(stdout);
}

static int usage(void)
{
    puts("usage: cxl-dc-host [--once] accept|part|refuse|linux /dev/cxl/memN\n"
         "  answers events of the device until it is stopped, with --once\n"
         "  only those that are there\n"
         "  linux: as the dynamic capacity series for Linux does, whole tags,\n"
         "  region 0 only, in units of 2 MiB, at most 100 extents in an offer");
    return USAGE;
}

int main(int argc, char **argv)
{
    static const char *const names[] = {
        "accept", "part", "refuse", "linux"
    };
    const struct timespec nap = { .tv_nsec = POLL_MS * 1000000l };
    static struct host_agent agent;
    bool once = argc > 1 && !strcmp(argv[1], "--once");
    enum host_policy policy = HOST_ACCEPT_ALL;
    struct cxl_conn *conn;
    int ret;

    argc -= once;
    argv += once;
    if (argc != 3) {
        return usage();
    }
    while (policy < HOST_SILENT && strcmp(argv[1], names[policy])) {
        policy++;
    }
    if (policy == HOST_SILENT) {
        return usage();
    }
    conn = cxl_conn_open_ioctl(argv[2]);
    if (!conn) {
        perror(argv[2]);
        return 1;
    }
    host_agent_init(&agent, conn, policy);
    agent.told = told;
    while ((ret = host_agent_run(&agent)) >= 0 && !once) {
        nanosleep(&nap, NULL);
    }
    if (ret < 0) {
        fprintf(stderr, "%s: %s\n", argv[2], strerror(-ret));
    }
    cxl_conn_close(conn);
    return ret < 0;
}
