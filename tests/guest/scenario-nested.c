/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "nested": programs that need KVM or VFIO, which the machine around
 * us may not have.  Each line of /nested/steps is "NAME COMMAND" for a shell;
 * what the command says in TAP becomes results of ours.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scenario.h"
#include "tap.h"

#define STEPS   "/nested/steps"
/* A step without an end is ended, with what it started */
#define STEP_S  600

static pid_t start(const char *command, int *out)
{
    int ends[2], null;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC)) {
        return -1;
    }
    pid = fork();
    if (!pid) {
        null = open("/dev/null", O_RDONLY);
        setpgid(0, 0);
        dup2(null, 0);
        dup2(ends[1], 1);
        dup2(ends[1], 2);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    *out = ends[0];
    return pid;
}

static pid_t running;

static void too_long(int number)
{
    (void)number;
    kill(-running, SIGKILL);
}

/* Return: is the line a result? */
static bool result(const char *step, const char *line)
{
    bool bad = !strncmp(line, "not ok ", 7);
    const char *name = strstr(line, " - ");

    if (!bad && strncmp(line, "ok ", 3)) {
        return false;
    }
    /* GLib has no dash */
    name = name ? name + 3 : strchr(line, '/');
    tap_check(!bad, "%s: %s", step, name ? name : line);
    return true;
}

static void step(const char *name, const char *command)
{
    unsigned results = 0, plan = 0;
    char *line = NULL;
    size_t room = 0;
    FILE *words;
    int status, out;
    /* what is read from goes on until its writers are dead */
    const struct sigaction act = {
        .sa_handler = too_long, .sa_flags = SA_RESTART,
    };

    running = start(command, &out);
    words = running < 0 ? NULL : fdopen(out, "r");
    if (!words) {
        tap_check(false, "%s: can be started", name);
        return;
    }
    sigaction(SIGALRM, &act, NULL);
    alarm(STEP_S);
    while (getline(&line, &room, words) > 0) {
        line[strcspn(line, "\r\n")] = '\0';
        if (result(name, line)) {
            results++;
        } else if (sscanf(line, "1..%u", &plan) != 1 &&
                   strncmp(line, "# starting QEMU", 15)) {
            tap_note("%s: %s", name, line);
        }
    }
    fclose(words);
    free(line);
    status = -1;
    while (waitpid(running, &status, 0) < 0 && errno == EINTR) {
        continue;
    }
    alarm(0);
    kill(-running, SIGKILL);
    tap_check(plan && results == plan && !status, "%s: all there", name);
    if (results != plan || status) {
        tap_note("%u results of %u, status 0x%x", results, plan, status);
    }
}

void scenario_nested(void)
{
    FILE *steps = fopen(STEPS, "re");
    char *line = NULL;
    size_t room = 0;

    if (!tap_check(steps, "there are steps")) {
        return;
    }
    while (getline(&line, &room, steps) > 0) {
        char *command = strchr(line, ' ');

        line[strcspn(line, "\n")] = '\0';
        if (command) {
            *command = '\0';
            step(line, command + 1);
        }
    }
    free(line);
    fclose(steps);
}
