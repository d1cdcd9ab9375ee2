/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "pages": what pages of the documentation say to type in a guest
 *
 * The file /pages has a command in each line; '!' in front says that it fails,
 * '#' begins a note.  There is no shell: of its language only what the pages
 * need is understood, export, echo into a file, and '&'.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dmesg.h"
#include "program.h"
#include "region.h"
#include "scenario.h"
#include "tap.h"

#define SETTLE_S    30
#define SCRIPT      "/pages"

/* Return: 0 if it did what it should, as the exit status of a program */
static int run_line(char *line)
{
    size_t end = strlen(line);
    char *value = strchr(line, '='), *file = strstr(line, " > ");

    if (!strncmp(line, "export ", 7) && value) {
        *value = '\0';
        return setenv(line + 7, value + 1, 1);
    }
    if (!strncmp(line, "echo ", 5) && file) {
        *file = '\0';
        return sys_write(line + 5, "%s", file + 3);
    }
    if (end > 2 && !strcmp(line + end - 2, " &")) {
        line[end - 2] = '\0';
        if (!fork()) {
            _exit(program_run("%s", line));
        }
        return 0;
    }
    return program_run("%s", line);
}

void scenario_pages(void)
{
    FILE *script = fopen(SCRIPT, "r");
    char line[512], name[512];

    tap_check(sys_await(SETTLE_S, CXL_SYS "/mem0/driver"), "mem0 is bound");
    while (script && fgets(line, sizeof(line), script)) {
        bool fails = line[0] == '!';
        char *command = line + fails;
        int status;

        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#') {
            tap_note("%s", line + 1);
            continue;
        }
        strcpy(name, command);
        status = run_line(command);
        if (!tap_check(!status == !fails, "%s%s", name,
                       fails ? " (fails)" : "")) {
            tap_note("status %d", status);
            program_show();
        }
    }
    tap_check(script && feof(script), "all lines were typed in");
    tap_check(!dmesg_complaints(), "no warning in dmesg");
}
