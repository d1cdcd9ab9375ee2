/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pool that cxl-poold has: the connection to it, and its memory
 * (docs/interop/cxl-pool.rst)
 */
#include "qemu/osdep.h"
#include <sys/ioctl.h>
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/sockets.h"
#include "chardev/char.h"
#include "chardev/char-socket.h"
#include "hw/cxl/cxl_error.h"
#include "remote.h"
#include "hw/cxl/trace.h"

/* Read at once */
#define IN_BYTES    (64 * KiB)
/* Longer than a daemon takes that does something for somebody else first */
#define PATIENCE_MS 10000
/* Between two looks whether it is there again */
#define AWAY_US     20000

/* -- the pool, and again -------------------------------------------------- */

static gboolean remote_writable(void *do_not_use, GIOCondition what,
                                void *opaque)
{
    CXLPoolRemote *r = opaque;

    r->watch = 0;
    cxl_remote_flush(r);
    return G_SOURCE_REMOVE;
}

/* A daemon that does not read must not keep the machine */
void cxl_remote_flush(CXLPoolRemote *r)
{
    int n;

    while (r->out->len &&
           (n = qemu_chr_fe_write(&r->chr, r->out->data, r->out->len)) > 0) {
        g_byte_array_remove_range(r->out, 0, n);
    }
    if (r->out->len && !r->watch) {
        r->watch = qemu_chr_fe_add_watch(&r->chr, G_IO_OUT | G_IO_HUP,
                                         remote_writable, r);
    }
    if (!r->watch) {
        /* Whoever attaches says all of it again */
        g_byte_array_set_size(r->out, 0);
    }
}

/* Is it the pool of before, with its memory? */
static bool remote_check_again(CXLPoolRemote *r, const CXLPoolMsg *msg, int fd,
                               Error **errp)
{
    struct stat st;

    if (msg->len != r->welcome->len ||
        memcmp(msg->body, r->welcome->data, msg->len)) {
        error_setg(errp, "the pool is made of something else now");
        return false;
    }
    if (fstat(fd, &st) || st.st_dev != r->dev || st.st_ino != r->ino) {
        error_setg(errp, "the daemon has lost the memory of its pool");
        return false;
    }
    return true;
}

bool cxl_remote_welcomed(CXLPoolRemote *r, const CXLPoolMsg *msg, Error **errp)
{
    int fd = qemu_chr_fe_get_msgfd(&r->chr);
    bool same;

    if (fd < 0 || r->greeted) {
        error_setg(errp, "a welcome without memory, or for the second time");
        return false;
    }
    r->greeted = true;
    if (r->welcome) {
        same = remote_check_again(r, msg, fd, errp);
        close(fd);
        for (unsigned i = 0; same && i < r->pool->nr_heads; i++) {
            RemoteHead *h = &r->head[i];

            if (!qemu_uuid_is_null(&h->instance) && !h->parked && !h->lost) {
                cxl_remote_send_attach(h);
            }
        }
        return same;
    }
    r->fd = fd;
    r->welcome = g_byte_array_new();
    g_byte_array_append(r->welcome, msg->body, msg->len);
    return true;
}

/* -- the line ------------------------------------------------------------- */

static void remote_forget_out(CXLPoolRemote *r)
{
    g_clear_handle_id(&r->watch, g_source_remove);
    g_byte_array_set_size(r->out, 0);
}

static void remote_hello(CXLPoolRemote *r)
{
    const CXLPoolHello hello = {
        CXL_POOL_WIRE_VERSION, CXL_POOL_WIRE_VERSION,
    };

    g_byte_array_set_size(r->in, 0);
    remote_forget_out(r);
    r->greeted = false;
    if (r->fd >= 0) {
        /* A daemon that has started again may not have the memory any more */
        qemu_chr_fe_set_msgfds(&r->chr, &r->fd, 1);
    }
    cxl_pool_put_hello(r->out, &hello);
    cxl_remote_flush(r);
}

static void remote_broken(CXLPoolRemote *r, Error *err)
{
    g_autofree char *id = cxl_echo(cxl_pool_id(r->pool));

    error_reportf_err(err, "cxl-pool '%s': cxl-poold says: ", id);
    qemu_chr_fe_disconnect(&r->chr);
}

static int remote_can_receive(void *opaque)
{
    return IN_BYTES;
}

static void remote_receive(void *opaque, const uint8_t *buf, int size)
{
    CXLPoolRemote *r = opaque;
    size_t pos = 0;
    CXLPoolMsg msg;
    Error *err = NULL;
    ssize_t n = 0;

    g_byte_array_append(r->in, buf, size);
    while (!err && (n = cxl_pool_wire_next(r->in->data + pos, r->in->len - pos,
                                           &msg)) > 0) {
        cxl_remote_message(r, &msg, &err);
        pos += n;
    }
    if (n < 0) {
        error_setg(&err, "something that is no message");
    }
    g_byte_array_remove_range(r->in, 0, pos);
    if (err) {
        remote_broken(r, err);
    }
}

static void remote_line_event(void *opaque, QEMUChrEvent event)
{
    CXLPoolRemote *r = opaque;

    if (event == CHR_EVENT_OPENED || event == CHR_EVENT_CLOSED) {
        trace_cxl_pool_remote_line(cxl_pool_id(r->pool),
                                   event == CHR_EVENT_OPENED);
    }
    if (event == CHR_EVENT_CLOSED) {
        r->greeted = false;
        remote_forget_out(r);
        for (unsigned i = 0; i < r->pool->nr_heads; i++) {
            r->head[i].attached = false;
        }
    } else if (event == CHR_EVENT_OPENED && !r->greeted) {
        remote_hello(r);
    }
}

/* -- while the machine waits ---------------------------------------------- */

static SocketChardev *remote_socket(const CXLPoolRemote *r)
{
    return SOCKET_CHARDEV(r->chr.chr);
}

bool cxl_remote_is_connected(const CXLPoolRemote *r)
{
    return remote_socket(r)->state == TCP_CHARDEV_STATE_CONNECTED;
}

int64_t cxl_remote_deadline(void)
{
    return qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + PATIENCE_MS;
}

/* Bytes that are there, 0 at the end of the stream; -1: nothing until @end */
static int remote_readable(CXLPoolRemote *r, int64_t end)
{
    int bytes = 0;

    while (cxl_remote_is_connected(r)) {
        int64_t left = end - qemu_clock_get_ms(QEMU_CLOCK_REALTIME);
        GPollFD line = {
            .fd = remote_socket(r)->sioc->fd,
            .events = G_IO_IN | (r->out->len ? G_IO_OUT : 0),
        };

        if (RETRY_ON_EINTR(g_poll(&line, 1, MAX(left, 0))) <= 0) {
            return -1;
        }
        if (line.revents & G_IO_OUT) {
            cxl_remote_flush(r);
        }
        if (line.revents & ~G_IO_OUT) {
            ioctl(line.fd, FIONREAD, &bytes);
            break;
        }
    }
    return bytes;
}

static bool remote_wait(CXLPoolRemote *r, CXLPoolMsg *msg, int64_t end,
                        Error **errp)
{
    size_t pos = r->in->len, want = CXL_POOL_WIRE_HEADER;
    ssize_t n;

    while (!(n = cxl_pool_wire_next(r->in->data, r->in->len, msg))) {
        size_t more = pos < want ? want - pos :
                      cxl_pool_wire_missing(r->in->data, pos);
        int got, ready = remote_readable(r, end);

        if (ready < 0) {
            error_setg(errp, "cxl-poold does not answer");
            return false;
        }
        more = MIN(more, MAX(ready, 1));
        g_byte_array_set_size(r->in, pos + more);
        got = qemu_chr_fe_read_all(&r->chr, r->in->data + pos, more);
        g_byte_array_set_size(r->in, pos + MAX(got, 0));
        if (got <= 0) {
            error_setg(errp, "cxl-poold has ended the connection");
            return false;
        }
        pos += got;
    }
    if (n < 0) {
        error_setg(errp, "what answers is no cxl-poold");
    }
    return n > 0;
}

bool cxl_remote_wait(CXLPoolRemote *r, int64_t end, Error **errp)
{
    CXLPoolMsg msg;
    bool done;

    if (!remote_wait(r, &msg, end, errp)) {
        return false;
    }
    done = cxl_remote_message(r, &msg, errp);
    g_byte_array_remove_range(r->in, 0, CXL_POOL_WIRE_HEADER + msg.len);
    return done;
}

bool cxl_remote_connect(CXLPoolRemote *r, int64_t end, Error **errp)
{
    SocketChardev *s = remote_socket(r);

    while (!cxl_remote_is_connected(r)) {
        Error *err = NULL;
        int fd = s->is_listen ? -1 : socket_connect(s->addr, &err);

        if (fd >= 0) {
            /* The character device itself would wait for ever */
            close(fd);
            if (qemu_chr_fe_wait_connected(&r->chr, errp) < 0) {
                return false;
            }
        } else if (!s->reconnect_time_ms ||
                   qemu_clock_get_ms(QEMU_CLOCK_REALTIME) >= end) {
            error_free(err);
            error_setg(errp, "cxl-poold is away");
            return false;
        } else {
            error_free(err);
            g_usleep(AWAY_US);
        }
    }
    return true;
}

/* -- life ----------------------------------------------------------------- */

static bool remote_take_medium(CXLPool *p, uint64_t size, Error **errp)
{
    CXLPoolRemote *r = p->remote;
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", r->fd);
    g_autofree char *bytes = g_strdup_printf("%" PRIu64, size);
    struct stat st;
    Object *obj;

    if (fstat(r->fd, &st) || st.st_size < size) {
        error_setg(errp, "the memory of cxl-poold is no file of 0x%" PRIx64
                   " bytes", size);
        return false;
    }
    r->dev = st.st_dev;
    r->ino = st.st_ino;
    obj = object_new_with_props("memory-backend-file", OBJECT(p), "memory",
                                errp, "mem-path", path, "size", bytes,
                                "share", "on", NULL);
    if (!obj) {
        return false;
    }
    /* what property "memdev" holds it lets go of */
    p->medium.hostmem = MEMORY_BACKEND(object_ref(obj));
    return true;
}

/* Blocks in a view may be as small as the FM could make them some day */
static bool remote_configure(CXLPool *p, Error **errp)
{
    CXLPoolMsg msg = {
        .body = p->remote->welcome->data, .len = p->remote->welcome->len,
    };
    CXLPoolWelcome welcome;

    if (!cxl_pool_get_welcome(&msg, &welcome)) {
        error_setg(errp, "cxl-poold has a pool that there cannot be");
        return false;
    }
    p->config = welcome.config;
    for (unsigned i = 0; i < p->config.nr_regions; i++) {
        CXLDCRegion *region = &p->config.region[i];

        region->block_size = region->block_mask & -region->block_mask;
    }
    memcpy(p->place, welcome.place, sizeof(p->place));
    p->nr_heads = p->config.nr_hosts;
    p->nr_regions = p->config.nr_regions;
    p->sn = welcome.serial;
    return remote_take_medium(p, welcome.size, errp);
}

bool cxl_pool_remote_open(CXLPool *p, Error **errp)
{
    g_autofree char *shown = cxl_echo(p->chardev);
    Chardev *chr = qemu_chr_find(p->chardev);
    CXLPoolRemote *r;

    if (!chr) {
        error_setg(errp, "property 'chardev' is '%s', but there is no such "
                   "-chardev", shown);
        return false;
    }
    if (!object_dynamic_cast(OBJECT(chr), TYPE_CHARDEV_SOCKET)) {
        error_setg(errp, "property 'chardev' is '%s', which is no socket",
                   shown);
        return false;
    }
    r = p->remote = g_new0(CXLPoolRemote, 1);
    r->pool = p;
    r->fd = -1;
    r->in = g_byte_array_new();
    r->out = g_byte_array_new();
    if (!qemu_chr_fe_init(&r->chr, chr, errp) ||
        qemu_chr_fe_wait_connected(&r->chr, errp) < 0) {
        return false;
    }
    remote_hello(r);
    if (!cxl_remote_wait(r, cxl_remote_deadline(), errp)) {
        error_prepend(errp, "property 'chardev' is '%s': ", shown);
        return false;
    }
    if (!r->welcome) {
        error_setg(errp, "property 'chardev' is '%s', but what answers is no "
                   "cxl-poold", shown);
        return false;
    }
    return remote_configure(p, errp);
}

void cxl_pool_remote_start(CXLPool *p)
{
    CXLPoolRemote *r = p->remote;

    r->walk = timer_new_ms(QEMU_CLOCK_REALTIME, cxl_remote_walk, r);
    r->nr_heads = p->nr_heads;
    r->head = g_new0(RemoteHead, p->nr_heads);
    for (unsigned i = 0; i < p->nr_heads; i++) {
        r->head[i].remote = r;
        r->head[i].nr = i;
        r->head[i].view = g_array_new(FALSE, FALSE, sizeof(CXLDCPiece));
        r->head[i].tell = qemu_bh_new(cxl_remote_tell, &r->head[i]);
    }
    qemu_chr_fe_set_handlers(&r->chr, remote_can_receive, remote_receive,
                             remote_line_event, NULL, r, NULL, true);
    cxl_remote_migrate_init(r);
}

void cxl_pool_remote_close(CXLPool *p)
{
    CXLPoolRemote *r = g_steal_pointer(&p->remote);

    if (!r) {
        return;
    }
    if (r->head) {
        cxl_remote_migrate_exit(r);
        cxl_remote_leave(r);
        timer_free(r->walk);
    }
    remote_forget_out(r);
    qemu_chr_fe_deinit(&r->chr, false);
    for (unsigned i = 0; r->head && i < p->nr_heads; i++) {
        g_array_unref(r->head[i].view);
        qemu_bh_delete(r->head[i].tell);
    }
    g_free(r->head);
    g_byte_array_unref(r->in);
    g_byte_array_unref(r->out);
    if (r->welcome) {
        g_byte_array_unref(r->welcome);
    }
    if (r->fd >= 0) {
        close(r->fd);
    }
    g_free(r);
}
