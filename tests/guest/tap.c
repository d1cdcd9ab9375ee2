/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Results of the guest's tests, in TAP, on the results port
 */
#include <fcntl.h>
#include <stdarg.h>
#include <termios.h>
#include <unistd.h>

#include "fm-cmds.h"
#include "tap.h"

static FILE *port_stream;
static unsigned nr_tests, nr_failed;
static bool quiet;

FILE *tap_out(void)
{
    return port_stream ? port_stream : stdout;
}

void tap_open(const char *port)
{
    struct termios tio;
    char path[64];
    int fd;

    if (!port) {
        return;
    }
    snprintf(path, sizeof(path), "/dev/%s", port);
    fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || tcgetattr(fd, &tio)) {
        perror(path);
        return;
    }
    cfmakeraw(&tio);
    cfsetspeed(&tio, B115200);
    tcsetattr(fd, TCSANOW, &tio);
    port_stream = fdopen(fd, "r+");
    if (port_stream) {
        setvbuf(port_stream, NULL, _IOLBF, 0);
    }
}

void tap_quiet(void)
{
    quiet = true;
}

static void result(bool ok, const char *name, va_list ap)
{
    if (ok && quiet) {
        return;
    }
    fprintf(tap_out(), "%s %u - ", ok ? "ok" : "not ok", ++nr_tests);
    vfprintf(tap_out(), name, ap);
    fputc('\n', tap_out());
    nr_failed += !ok;
}

bool tap_check(bool ok, const char *name, ...)
{
    va_list ap;

    va_start(ap, name);
    result(ok, name, ap);
    va_end(ap);
    return ok;
}

bool tap_rc(int got, int want, const char *name, ...)
{
    va_list ap;

    va_start(ap, name);
    result(got == want, name, ap);
    va_end(ap);
    if (got != want) {
        tap_note("got %s0x%x (%s), expected 0x%x (%s)", got < 0 ? "-" : "",
                 got < 0 ? -got : got, cxl_rc_name(got), want,
                 cxl_rc_name(want));
    }
    return got == want;
}

void tap_say(const char *text, ...)
{
    va_list ap;

    va_start(ap, text);
    vfprintf(tap_out(), text, ap);
    va_end(ap);
    fputc('\n', tap_out());
    fflush(tap_out());
}

void tap_note(const char *text, ...)
{
    va_list ap;

    va_start(ap, text);
    fputs("# ", tap_out());
    vfprintf(tap_out(), text, ap);
    fputc('\n', tap_out());
    va_end(ap);
}

void tap_skip(const char *name, const char *why)
{
    if (quiet) {
        return;
    }
    fprintf(tap_out(), "ok %u - %s # SKIP %s\n", ++nr_tests, name, why);
}

bool tap_ask(const char *what)
{
    char answer[80];
    size_t n = 0;

    fprintf(tap_out(), "# runner: %s\n", what);
    fflush(tap_out());
    /* Byte by byte: nothing that follows the line may be taken */
    while (n < sizeof(answer) - 1 &&
           read(fileno(tap_out()), &answer[n], 1) == 1 && answer[n] != '\n') {
        n++;
    }
    answer[n] = '\0';
    return !strcmp(answer, "ok");
}

unsigned tap_finish(void)
{
    fprintf(tap_out(), "1..%u\n", nr_tests);
    fflush(tap_out());
    tcdrain(fileno(tap_out()));
    return nr_failed;
}
