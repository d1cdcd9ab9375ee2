/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unit test of cxl-fm's own MCTP over a byte stream: requests and answers of
 * every size, and an other end that does everything wrong
 */
#include <errno.h>
#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fm-serial.h"
#include "serial-double.h"

/* Long enough for a busy machine; and what is waited out on purpose, ms */
#define PATIENT     60000
#define BRIEF       100

static int echo(struct cxl_conn *conn, uint16_t opcode, size_t len,
                struct cxl_rsp *rsp)
{
    static struct cxl_req req;

    req_start(&req, opcode);
    for (size_t i = 0; i < len; i++) {
        /* flags and escapes of the frame among them */
        req_num(&req, i % 3 ? 0x7d + i % 3 : i * 7, 1);
    }
    g_assert_false(req.full);
    rsp->len = 0;
    return cxl_run(conn, &req, rsp);
}

static void sizes(void)
{
    static const size_t lengths[] = { 0, 1, 50, 51, 52, 115, 512, 1024,
                                      CXL_WIRE_MAX - 1, CXL_WIRE_MAX };
    struct serial_double *d = double_start(DOUBLE_FINE, 0);
    struct cxl_conn *conn = double_connect(d, PATIENT);
    static struct cxl_rsp rsp;

    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_assert_cmpint(echo(conn, i % 2 ? 0x5600 : 0x0001, lengths[i], &rsp),
                        ==, 0);
        g_assert_cmpuint(rsp.len, ==, lengths[i]);
        for (size_t k = 0; k < rsp.len; k++) {
            g_assert_cmphex(rsp.data[k], ==,
                            (k % 3 ? 0x7d + k % 3 : k * 7) & 0xff);
        }
    }
    g_assert_cmphex(conn->last_opcode, ==, 0x5600);
    cxl_conn_close(conn);
    double_stop(d);
}

/* All tags, CCI and MCTP, several times around */
static void many(void)
{
    struct serial_double *d = double_start(DOUBLE_FINE, 0x1d);
    struct cxl_conn *conn = double_connect(d, PATIENT);
    static struct cxl_rsp rsp;

    for (unsigned i = 0; i < 1000; i++) {
        g_assert_cmpint(echo(conn, 0x5604, i % 100, &rsp), ==, 0x1d);
        g_assert_cmpuint(rsp.len, ==, i % 100);
    }
    cxl_conn_close(conn);
    double_stop(d);
}

static const struct {
    const char *name;
    enum double_fault fault;
    int result;
} faults[] = {
    { "silent", DOUBLE_SILENT, -ETIMEDOUT },
    { "closes", DOUBLE_CLOSES, -ECONNRESET },
    { "closes-early", DOUBLE_CLOSES_EARLY, -ECONNRESET },
    { "damages", DOUBLE_DAMAGES, -ETIMEDOUT },
    { "drips", DOUBLE_DRIPS, 0 },
    { "noise-first", DOUBLE_NOISE_FIRST, 0 },
    { "notifies-first", DOUBLE_NOTIFIES_FIRST, 0 },
    { "stale-first", DOUBLE_STALE_FIRST, 0 },
    { "other-opcode", DOUBLE_OTHER_OPCODE, -EPROTO },
    { "long-length", DOUBLE_LONG_LENGTH, -EPROTO },
    { "short-length", DOUBLE_SHORT_LENGTH, -EPROTO },
    { "no-header", DOUBLE_NO_HEADER, -EPROTO },
    { "is-request", DOUBLE_IS_REQUEST, -EPROTO },
};

G_STATIC_ASSERT(G_N_ELEMENTS(faults) == DOUBLE__COUNT - 1);

static void fault(gconstpointer data)
{
    unsigned i = GPOINTER_TO_UINT(data);
    struct serial_double *d = double_start(faults[i].fault, 0);
    struct cxl_conn *conn = double_connect(
        d, faults[i].result == -ETIMEDOUT ? BRIEF : PATIENT);
    static struct cxl_rsp rsp;

    g_assert_cmpint(echo(conn, 0x5600, 20, &rsp), ==, faults[i].result);
    if (!faults[i].result) {
        g_assert_cmpuint(rsp.len, ==, 20);
        /* and the connection is still good for more */
        g_assert_cmpint(echo(conn, 0x5600, 21, &rsp), ==, 0);
        g_assert_cmpuint(rsp.len, ==, 21);
        /* what it said by itself meanwhile is kept, and told once */
        g_assert_cmpint(conn->await(conn, 0), ==,
                        faults[i].fault == DOUBLE_NOTIFIES_FIRST ? 0x10 : 0);
        g_assert_cmpint(conn->await(conn, 1), ==, 0);
    }
    cxl_conn_close(conn);
    double_stop(d);
}

/* The other end neither reads nor goes away, and the stream is full */
static void never_reads(void)
{
    static const uint8_t fill[4096];
    static struct cxl_rsp rsp;
    struct cxl_conn *conn;
    int pair[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair),
                    ==, 0);
    while (write(pair[0], fill, sizeof(fill)) > 0) {
        continue;
    }
    conn = cxl_conn_open_serial(pair[0], "stuck", BRIEF);
    g_assert_cmpint(echo(conn, 0x5600, 1024, &rsp), ==, -ETIMEDOUT);
    cxl_conn_close(conn);
    close(pair[1]);
}

/* Gone before the request: an error, and no signal that ends the program */
static void gone(void)
{
    static struct cxl_rsp rsp;
    struct cxl_conn *conn;
    int pair[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
    close(pair[1]);
    conn = cxl_conn_open_serial(pair[0], "gone", PATIENT);
    g_assert_cmpint(echo(conn, 0x5600, 1024, &rsp), ==, -EPIPE);
    cxl_conn_close(conn);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fm-serial/sizes", sizes);
    g_test_add_func("/fm-serial/many", many);
    g_test_add_func("/fm-serial/never-reads", never_reads);
    g_test_add_func("/fm-serial/gone", gone);
    for (unsigned i = 0; i < G_N_ELEMENTS(faults); i++) {
        g_autofree char *path = g_strdup_printf("/fm-serial/fault/%s",
                                                faults[i].name);

        g_test_add_data_func(path, GUINT_TO_POINTER(i), fault);
    }
    return g_test_run();
}
