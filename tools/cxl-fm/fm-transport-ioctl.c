/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Transport: the mailbox of a memory device (CXL r3.2 8.2.9.4), reached through
 * Linux's CXL_MEM_SEND_COMMAND with raw opcodes
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/cxl_mem.h>

#include "cxl-conn.h"

/* The kernel refuses buffers that are larger than the mailbox's payload area */
#define DEFAULT_PAYLOAD 2048

struct ioctl_conn {
    struct cxl_conn conn;
    int fd;
};

static int ioctl_run(struct cxl_conn *conn, const struct cxl_req *req,
                     struct cxl_rsp *rsp)
{
    struct ioctl_conn *c = (struct ioctl_conn *)conn;
    struct cxl_send_command cmd = {
        .id = CXL_MEM_COMMAND_ID_RAW,
        .raw = { .opcode = req->opcode },
        .in = { .size = req->len, .payload = (uintptr_t)req->data },
        .out = { .size = conn->max_rsp, .payload = (uintptr_t)rsp->data },
    };

    if (ioctl(c->fd, CXL_MEM_SEND_COMMAND, &cmd) < 0) {
        return -errno;
    }
    if (cmd.out.size > sizeof(rsp->data)) {
        return -EPROTO;
    }
    rsp->rc = cmd.retval;
    rsp->len = cmd.out.size;
    return 0;
}

static void ioctl_close(struct cxl_conn *conn)
{
    struct ioctl_conn *c = (struct ioctl_conn *)conn;

    close(c->fd);
    free(c);
}

/* /sys/bus/cxl/devices/memN/payload_max */
static size_t payload_max(const char *path)
{
    const char *base = strrchr(path, '/');
    char file[128];
    size_t n = 0;
    FILE *f;

    snprintf(file, sizeof(file), "/sys/bus/cxl/devices/%s/payload_max",
             base ? base + 1 : path);
    f = fopen(file, "r");
    if (f) {
        if (fscanf(f, "%zu", &n) != 1) {
            n = 0;
        }
        fclose(f);
    }
    if (!n) {
        return DEFAULT_PAYLOAD;
    }
    return n < CXL_WIRE_MAX ? n : CXL_WIRE_MAX;
}

struct cxl_conn *cxl_conn_open_ioctl(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    struct ioctl_conn *c;

    if (fd < 0) {
        return NULL;
    }
    c = calloc(1, sizeof(*c));
    if (!c) {
        close(fd);
        return NULL;
    }
    c->fd = fd;
    c->conn.run = ioctl_run;
    c->conn.close = ioctl_close;
    c->conn.max_req = c->conn.max_rsp = payload_max(path);
    snprintf(c->conn.name, sizeof(c->conn.name), "%s", path);
    return &c->conn;
}
