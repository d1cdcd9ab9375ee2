/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Round trips of 5600h and 5603h over a stream socket, and of as many bytes to
 * a process that only sends them back (CXL r3.2 7.6.7.6, DSP0253)
 *
 * usage: bench-link URL ECHO-PATH
 *
 * Both kinds take turns in short runs, so that a machine that gets slower or
 * faster meanwhile does so for both.  Prints lines of name, payload bytes of
 * the answer and nanoseconds.
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fm-cmds.h"
#include "fm-address.h"

#define PATIENCE_MS 10000
#define TURNS       15
#define TRIPS       400
/*
 * Bytes around a payload: message type and CCI header, then for each packet of
 * 64 bytes a header of 4 and a frame of 6.  Escapes are left out: few.
 */
#define MESSAGE     13
#define PACKET      64
#define AROUND      10

/* What the echo is told: bytes of the question, bytes of the answer */
struct sizes {
    uint32_t question, answer;
};

static void die(const char *why)
{
    fprintf(stderr, "bench-link: %s\n", why);
    exit(1);
}

static void put(int fd, const void *data, size_t n)
{
    if (send(fd, data, n, MSG_NOSIGNAL) != (ssize_t)n) {
        die("cannot write");
    }
}

/* false: the other end is gone */
static bool get(int fd, void *data, size_t n)
{
    for (size_t at = 0; at < n;) {
        ssize_t got = read(fd, (char *)data + at, n - at);

        if (got <= 0) {
            return false;
        }
        at += got;
    }
    return true;
}

static uint32_t wire_bytes(size_t payload)
{
    size_t n = MESSAGE + payload;

    return n + (n + PACKET - 1) / PACKET * AROUND;
}

static struct sockaddr_un address(const char *path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };

    if (strlen(path) >= sizeof(a.sun_path)) {
        die("the path is too long");
    }
    strcpy(a.sun_path, path);
    return a;
}

/* The other process: sizes, then as many answers as there are questions */
static void serve(int listener)
{
    static uint8_t data[2 * CXL_WIRE_MAX];
    int fd = accept(listener, NULL, NULL);
    struct sizes s;

    while (fd >= 0 && get(fd, &s, sizeof(s))) {
        for (unsigned i = 0; i < TRIPS && get(fd, data, s.question); i++) {
            put(fd, data, s.answer);
        }
    }
    _exit(0);
}

static int start_echo(const char *path, pid_t *child)
{
    struct sockaddr_un a = address(path);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (bind(listener, (struct sockaddr *)&a, sizeof(a)) ||
        listen(listener, 1)) {
        die("cannot listen");
    }
    *child = fork();
    if (!*child) {
        close(fd);
        serve(listener);
    }
    close(listener);
    if (*child < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a))) {
        die("no echo");
    }
    return fd;
}

static double echo_ns(int fd, size_t question, size_t answer)
{
    static uint8_t data[2 * CXL_WIRE_MAX];
    struct sizes s = { wire_bytes(question), wire_bytes(answer) };
    gint64 start;

    put(fd, &s, sizeof(s));
    start = g_get_monotonic_time();
    for (unsigned i = 0; i < TRIPS; i++) {
        put(fd, data, s.question);
        if (!get(fd, data, s.answer)) {
            die("the echo is gone");
        }
    }
    return 1000.0 * (g_get_monotonic_time() - start) / TRIPS;
}

static double command_ns(struct cxl_conn *conn, const struct cxl_req *req,
                         struct cxl_rsp *rsp)
{
    gint64 start = g_get_monotonic_time();

    for (unsigned i = 0; i < TRIPS; i++) {
        if (cxl_run(conn, req, rsp)) {
            die("the component answers an error");
        }
    }
    return 1000.0 * (g_get_monotonic_time() - start) / TRIPS;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double median(const double *value)
{
    double sorted[TURNS];

    memcpy(sorted, value, sizeof(sorted));
    qsort(sorted, TURNS, sizeof(*sorted), compare);
    return sorted[TURNS / 2];
}

static void race(const char *name, struct cxl_conn *conn, int echo,
                 const struct cxl_req *req)
{
    double command[TURNS], plain[TURNS], ratio[TURNS];
    static struct cxl_rsp rsp;

    command_ns(conn, req, &rsp);
    for (unsigned i = 0; i < TURNS; i++) {
        command[i] = command_ns(conn, req, &rsp);
        plain[i] = echo_ns(echo, req->len, rsp.len);
        ratio[i] = command[i] / plain[i];
    }
    printf("%s\t%zu\t%.0f\n", name, rsp.len, median(command));
    printf("%s-echo\t%zu\t%.0f\n", name, rsp.len, median(plain));
    printf("%s-ratio\t%zu\t%.3f\n", name, rsp.len, median(ratio));
}

int main(int argc, char **argv)
{
    static struct cxl_req req;
    struct fm_address address;
    struct cxl_conn *conn;
    GError *error = NULL;
    pid_t child;
    int echo;

    if (argc != 3) {
        die("usage: bench-link URL ECHO-PATH");
    }
    if (!fm_address_parse(argv[1], &address, &error)) {
        die(error->message);
    }
    conn = fm_address_open(&address, argv[1], PATIENCE_MS, &error);
    if (!conn) {
        die(error->message);
    }
    echo = start_echo(argv[2], &child);
    req_start(&req, 0x5600);
    race("5600", conn, echo, &req);
    /* host 0, as many extents as fit, from the first one on */
    req_start(&req, 0x5603);
    req_zeros(&req, 4);
    req_num(&req, CXL_PAGE_MAX, 4);
    req_zeros(&req, 4);
    race("5603", conn, echo, &req);
    close(echo);
    waitpid(child, NULL, 0);
    cxl_conn_close(conn);
    fm_address_clear(&address);
    return 0;
}
