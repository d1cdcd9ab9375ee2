/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "rounds" of the guest tests without a guest: the mailbox and the
 * reset of the device are what the program at the other end of the standard
 * output makes of requests there (test-rounds.py)
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "dmesg.h"
#include "fm-cmds.h"
#include "scenario.h"
#include "sysfs.h"
#include "tap.h"

/* Payload of the mailbox of the machine that runs with this */
#define PAYLOAD CXL_WIRE_MAX

static unsigned hex_digit(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* "# mailbox OPCODE DATA", answered by "RC DATA" */
static int double_run(struct cxl_conn *conn, const struct cxl_req *req,
                      struct cxl_rsp *rsp)
{
    static char line[16 + 2 * PAYLOAD];
    size_t n = 0, at = 5;

    (void)conn;
    printf("# mailbox %04x ", req->opcode);
    for (size_t i = 0; i < req->len; i++) {
        printf("%02x", req->data[i]);
    }
    putchar('\n');
    fflush(stdout);
    while (n < sizeof(line) && read(STDOUT_FILENO, &line[n], 1) == 1 &&
           line[n] != '\n') {
        n++;
    }
    if (n < at || n == sizeof(line)) {
        return -EPROTO;
    }
    rsp->rc = 0;
    for (unsigned i = 0; i < 4; i++) {
        rsp->rc = rsp->rc << 4 | hex_digit(line[i]);
    }
    for (rsp->len = 0; at + 1 < n; at += 2) {
        rsp->data[rsp->len++] = hex_digit(line[at]) << 4 |
                                hex_digit(line[at + 1]);
    }
    return 0;
}

static void double_close(struct cxl_conn *conn)
{
    (void)conn;
}

struct cxl_conn *cxl_conn_open_ioctl(const char *path)
{
    static struct cxl_conn conn = {
        .run = double_run, .close = double_close,
        .max_req = PAYLOAD, .max_rsp = PAYLOAD,
    };

    (void)path;
    return &conn;
}

/* The one file that the scenario writes to resets the device, always here */
int sys_write(const char *text, const char *path, ...)
{
    (void)text;
    (void)path;
    if (!tap_ask("reset")) {
        exit(EXIT_FAILURE);
    }
    return 0;
}

bool sys_await(unsigned seconds, const char *path, ...)
{
    (void)seconds;
    (void)path;
    return true;
}

int dmesg_complaints(void)
{
    return 0;
}

int main(void)
{
    scenario_rounds();
    return tap_finish() != 0;
}
