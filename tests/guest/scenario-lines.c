/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "lines": a machine of tests/lines/shapes.toml, shown by `cxl list`
 *
 * The kernel's command line has cxlmemdevs=N and cxlwindows=N, what there
 * should be, and cxlshare=TAG if a file system of the host's can be mounted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "dmesg.h"
#include "program.h"
#include "region.h"
#include "scenario.h"
#include "tap.h"

#define SETTLE_S    30
#define SHARE       "/tmp/share"

static unsigned number_of(const char *name)
{
    const char *text = getenv(name);
    unsigned n;

    return text && sscanf(text, "%u", &n) == 1 ? n : 0;
}

static void count(const char *line, const char *what, unsigned wanted)
{
    unsigned n;

    program_ok("%s", line);
    n = program_count(what);
    if (!tap_check(n == wanted, "%u of %u are there", n, wanted)) {
        program_show();
    }
}

void scenario_lines(void)
{
    unsigned memdevs = number_of("cxlmemdevs"), i, bound = 0;
    const char *share = getenv("cxlshare");

    for (i = 0; i < memdevs; i++) {
        bound += sys_await(SETTLE_S, CXL_SYS "/mem%u/driver", i);
    }
    tap_check(memdevs && bound == memdevs, "%u of %u devices are bound", bound,
              memdevs);
    count("cxl list -M", "\"memdev\":\"mem", memdevs);
    count("cxl list -D -d root", "\"decoder\":\"decoder",
          number_of("cxlwindows"));
    if (share) {
        mkdir(SHARE, 0755);
        tap_check(!mount(share, SHARE, "9p", 0, "trans=virtio") &&
                  sys_exists(SHARE "/hello"), "files of the host can be read");
    }
    tap_check(!dmesg_complaints(), "no warning in dmesg");
}
