/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cxl-poold: streams on sockets
 */
#include "qemu/osdep.h"
#include <glib-unix.h>
#include <sys/socket.h>
#include "poold.h"

/* Read at once, and kept; and what is gathered for who does not read it */
#define IN_BYTES    (64 * KiB)
#define IN_PAUSE    (2 * MiB)
#define OUT_PAUSE   (4 * MiB)
#define OUT_MAX     (256 * MiB)

/* One descriptor that is passed */
typedef union ConnControl {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
} ConnControl;

static gboolean conn_event(gint fd, GIOCondition what, gpointer opaque);

/* Who does not read what it is told is not listened to either */
static void conn_wait(Conn *c)
{
    bool listens = !conn_is_full(c) && c->in->len < IN_PAUSE && !c->ends;
    GIOCondition waits = (c->out->len ? G_IO_OUT : 0) |
                         (listens ? G_IO_IN : 0);

    if (c->source && waits == c->waits) {
        return;
    }
    if (c->source) {
        g_source_remove(c->source);
    }
    c->waits = waits;
    c->source = g_unix_fd_add(c->fd, waits | G_IO_HUP | G_IO_ERR, conn_event,
                              c);
}

/* What is not taken now is offered again when something was sent */
void conn_take(Conn *c)
{
    size_t pos = 0;
    ssize_t n;

    while (pos < c->in->len && !c->dead && !c->ends) {
        n = c->ops->take(c, c->in->data + pos, c->in->len - pos);
        if (n < 0) {
            conn_end(c);
        } else if (!n) {
            break;
        } else {
            pos += n;
        }
    }
    g_byte_array_remove_range(c->in, 0, pos);
}

/* One descriptor is kept, the last one, of who may pass some */
static void conn_take_fd(Conn *c, struct msghdr *msg)
{
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);
    int fd;

    if (!cmsg || cmsg->cmsg_level != SOL_SOCKET ||
        cmsg->cmsg_type != SCM_RIGHTS ||
        cmsg->cmsg_len != CMSG_LEN(sizeof(fd))) {
        return;
    }
    memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
    if (c->taken_fd >= 0) {
        close(c->taken_fd);
    }
    c->taken_fd = fd;
}

static void conn_receive(Conn *c)
{
    size_t was = c->in->len;
    struct iovec iov = { .iov_len = IN_BYTES };
    ConnControl control;
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1,
        /* Without room for them the kernel closes what is passed */
        .msg_control = c->takes_fd ? control.bytes : NULL,
        .msg_controllen = c->takes_fd ? CMSG_LEN(sizeof(int)) : 0,
    };
    ssize_t n;

    g_byte_array_set_size(c->in, was + IN_BYTES);
    iov.iov_base = c->in->data + was;
    n = recvmsg(c->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n >= 0) {
        conn_take_fd(c, &msg);
    }
    g_byte_array_set_size(c->in, was + MAX(n, 0));
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        conn_kill(c);
        return;
    }
    conn_take(c);
}

static void conn_send(Conn *c)
{
    struct iovec iov = { c->out->data, c->out->len };
    ConnControl control = { };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    ssize_t n;

    if (!c->out->len || c->dead) {
        return;
    }
    if (c->attach_fd >= 0) {
        struct cmsghdr *cmsg;

        msg.msg_control = control.bytes;
        msg.msg_controllen = sizeof(control.bytes);
        cmsg = CMSG_FIRSTHDR(&msg);
        cmsg->cmsg_len = CMSG_LEN(sizeof(int));
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        memcpy(CMSG_DATA(cmsg), &c->attach_fd, sizeof(int));
    }
    n = sendmsg(c->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) {
        c->attach_fd = -1;
        g_byte_array_remove_range(c->out, 0, n);
    } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
        conn_kill(c);
    }
    if (c->out->len > OUT_MAX) {
        conn_kill(c);
    }
}

static gboolean conn_event(gint fd, GIOCondition what, gpointer opaque)
{
    Conn *c = opaque;

    if (what & G_IO_OUT) {
        conn_send(c);
        conn_take(c);
    }
    if (what & G_IO_IN) {
        conn_receive(c);
    } else if (what & (G_IO_HUP | G_IO_ERR)) {
        conn_kill(c);
    }
    pool_turn_end(c->pool);
    return G_SOURCE_CONTINUE;
}

Conn *conn_new(Poold *p, int fd, const ConnOps *ops, void *opaque)
{
    Conn *c = g_new0(Conn, 1);

    c->pool = p;
    c->ops = ops;
    c->opaque = opaque;
    c->fd = fd;
    c->in = g_byte_array_new();
    c->out = g_byte_array_new();
    c->attach_fd = -1;
    c->taken_fd = -1;
    c->pid = process_of_peer(fd);
    c->start = c->pid ? process_start(c->pid) : 0;
    g_ptr_array_add(p->conns, c);
    conn_wait(c);
    return c;
}

bool conn_is_full(const Conn *c)
{
    return c->out->len >= OUT_PAUSE;
}

void conn_end(Conn *c)
{
    c->ends = true;
}

void conn_kill(Conn *c)
{
    c->dead = true;
}

void conn_turn(Poold *p)
{
    for (guint i = p->conns->len; i--;) {
        Conn *c = g_ptr_array_index(p->conns, i);

        conn_send(c);
        if (!c->dead && !c->out->len && c->ops->ready) {
            c->ops->ready(c);
            conn_send(c);
        }
        if (!c->dead && !(c->ends && !c->out->len)) {
            conn_wait(c);
            continue;
        }
        g_ptr_array_remove_index(p->conns, i);
        c->ops->closed(c);
        g_source_remove(c->source);
        close(c->fd);
        if (c->taken_fd >= 0) {
            close(c->taken_fd);
        }
        g_byte_array_unref(c->in);
        g_byte_array_unref(c->out);
        g_free(c);
    }
}
