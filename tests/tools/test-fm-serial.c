/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unit test of cxl-fm's own MCTP over a byte stream: streams that take nothing.
 * What comes back from one is in test-cxl-fm-addresses.py.
 */
#include <errno.h>
#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fm-serial.h"

/* Long enough for a busy machine; and what is waited out on purpose, ms */
#define PATIENT     60000
#define BRIEF       100

static int request(struct cxl_conn *conn)
{
    static struct cxl_req req;
    static struct cxl_rsp rsp;

    req_start(&req, 0x5600);
    req_zeros(&req, 1024);
    return cxl_run(conn, &req, &rsp);
}

/* The other end neither reads nor goes away, and the stream is full */
static void never_reads(void)
{
    static const uint8_t fill[4096];
    struct cxl_conn *conn;
    int pair[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair),
                    ==, 0);
    while (write(pair[0], fill, sizeof(fill)) > 0) {
        continue;
    }
    conn = cxl_conn_open_serial(pair[0], "stuck", BRIEF);
    g_assert_cmpint(request(conn), ==, -ETIMEDOUT);
    cxl_conn_close(conn);
    close(pair[1]);
}

/* Gone before the request: an error, and no signal that ends the program */
static void gone(void)
{
    struct cxl_conn *conn;
    int pair[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
    close(pair[1]);
    conn = cxl_conn_open_serial(pair[0], "gone", PATIENT);
    g_assert_cmpint(request(conn), ==, -EPIPE);
    cxl_conn_close(conn);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fm-serial/never-reads", never_reads);
    g_test_add_func("/fm-serial/gone", gone);
    return g_test_run();
}
