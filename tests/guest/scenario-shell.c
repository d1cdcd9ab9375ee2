/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "shell": no test, a person looks around
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scenario.h"

/* The runner packs a static busybox, cxl-fm and cxl-dc-host into /bin */
#define SHELL "/bin/busybox"

static void become_shell(void)
{
    int fd;

    setsid();
    fd = open("/dev/console", O_RDWR);
    if (fd >= 0) {
        ioctl(fd, TIOCSCTTY, 1);
        dup2(fd, 0);
        dup2(fd, 1);
        dup2(fd, 2);
    }
    setenv("PATH", "/bin", 1);
    setenv("PS1", "guest# ", 1);
    execl(SHELL, "sh", NULL);
    perror(SHELL);
    _exit(1);
}

void scenario_shell(void)
{
    pid_t shell;

    shell = fork();
    if (!shell) {
        become_shell();
    }
    /* As the first process also take leave of orphans */
    while (shell > 0 && wait(NULL) != shell) {
        continue;
    }
}
