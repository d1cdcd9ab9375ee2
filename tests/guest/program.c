/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs of a distribution, run in the guest, and what they print
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.h"
#include "tap.h"

#define LINE_MAX_BYTES  512
#define WORDS_MAX       32
/* `cxl list` with everything is about 20 KiB here */
#define OUTPUT_MAX      (256 << 10)

static char output[OUTPUT_MAX];

static void become(char *line, int out)
{
    char *word[WORDS_MAX + 1], *at;
    char path[LINE_MAX_BYTES + 8];
    int null = open("/dev/null", O_RDONLY);
    unsigned n = 0;

    for (at = strtok(line, " "); at && n < WORDS_MAX; at = strtok(NULL, " ")) {
        word[n++] = at;
    }
    word[n] = NULL;
    dup2(null, 0);
    dup2(out, 1);
    dup2(out, 2);
    setenv("PATH", "/bin", 1);
    snprintf(path, sizeof(path), "/bin/%s", n ? word[0] : "");
    execv(path, word);
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    _exit(127);
}

static void take_output(int from)
{
    size_t used = 0;
    char spill[4096];
    ssize_t n;

    /* what does not fit is read and dropped: the writer must not wait */
    do {
        size_t room = sizeof(output) - 1 - used;

        n = room ? read(from, output + used, room) :
                   read(from, spill, sizeof(spill));
        used += n > 0 && room ? n : 0;
    } while (n > 0 || (n < 0 && errno == EINTR));
    output[used] = '\0';
}

static int run(const char *format, va_list ap)
{
    char line[LINE_MAX_BYTES];
    int ends[2], status;
    pid_t child;

    output[0] = '\0';
    vsnprintf(line, sizeof(line), format, ap);
    if (pipe2(ends, O_CLOEXEC)) {
        return -1;
    }
    child = fork();
    if (!child) {
        become(line, ends[1]);
    }
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return -1;
    }
    take_output(ends[0]);
    close(ends[0]);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
        continue;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int program_run(const char *line, ...)
{
    va_list ap;
    int status;

    va_start(ap, line);
    status = run(line, ap);
    va_end(ap);
    return status;
}

pid_t program_begin(const char *line)
{
    char words[LINE_MAX_BYTES];
    pid_t child = fork();

    if (!child) {
        snprintf(words, sizeof(words), "%s", line);
        become(words, open("/dev/null", O_WRONLY));
    }
    return child;
}

void program_end(pid_t child)
{
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
}

const char *program_output(void)
{
    return output;
}

void program_show(void)
{
    const char *at = output;

    while (*at) {
        int n = strcspn(at, "\n");

        tap_note("  %.*s", n, at);
        at += n + !!at[n];
    }
}

bool program_ok(const char *line, ...)
{
    char name[LINE_MAX_BYTES];
    va_list ap;
    int status;

    va_start(ap, line);
    vsnprintf(name, sizeof(name), line, ap);
    va_end(ap);
    va_start(ap, line);
    status = run(line, ap);
    va_end(ap);
    if (status) {
        tap_note("%s: status %d", name, status);
        program_show();
    }
    return tap_check(!status, "%s", name);
}

/* First character at or behind @at that is not blank */
static const char *dense(const char *at)
{
    while (isspace((unsigned char)*at)) {
        at++;
    }
    return at;
}

static bool starts_with(const char *at, const char *text)
{
    at = dense(at);
    text = dense(text);
    while (*text && *at == *text) {
        at = dense(at + 1);
        text = dense(text + 1);
    }
    return !*text;
}

unsigned program_count(const char *text)
{
    const char *at;
    unsigned n = 0;

    for (at = output; *at; at++) {
        n += !isspace((unsigned char)*at) && starts_with(at, text);
    }
    return n;
}

bool program_says(const char *text, ...)
{
    char wanted[LINE_MAX_BYTES];
    bool said;
    va_list ap;

    va_start(ap, text);
    vsnprintf(wanted, sizeof(wanted), text, ap);
    va_end(ap);
    said = program_count(wanted);
    if (!said) {
        program_show();
    }
    return tap_check(said, "it says %s", wanted);
}

bool program_silent_on(const char *text)
{
    bool said = program_count(text);

    if (said) {
        program_show();
    }
    return tap_check(!said, "it does not say %s", text);
}
