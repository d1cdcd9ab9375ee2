/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cxl-poold: sockets that it listens on: those in its folder, unless whoever
 * has started it passes them (sd_listen_fds(3) is the protocol), and TCP
 */
#include "qemu/osdep.h"
#include <glib-unix.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "qapi/error.h"
#include "qapi/qapi-visit-sockets.h"
#include "qemu/error-report.h"
#include "qemu/sockets.h"
#include "qemu/systemd.h"
#include "poold.h"

#define LISTEN_BACKLOG  64

/**
 * struct ListenFor - whom sockets are for
 * @name: of one that is passed; in the folder it is NAME.sock
 * @access: offset of who may connect, in PooldOptions
 * @accepted: takes a connection
 */
typedef struct ListenFor {
    const char *name;
    size_t access;
    void (*accepted)(Poold *p, int fd);
} ListenFor;

static const ListenFor listen_heads = {
    "heads", offsetof(PooldOptions, allow_heads), heads_accepted,
};

static const ListenFor listen_fm = {
    "fm", offsetof(PooldOptions, allow_fm), fm_accepted,
};

typedef struct Listener {
    Poold *pool;
    const ListenFor *what;
} Listener;

static gboolean listen_event(gint fd, GIOCondition condition, gpointer opaque)
{
    Listener *l = opaque;
    int got = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (got >= 0) {
        l->what->accepted(l->pool, got);
        pool_turn_end(l->pool);
    } else if (errno == EMFILE || errno == ENFILE) {
        warn_report("cannot take one more connection: %s", strerror(errno));
        g_usleep(100 * 1000);
    }
    return G_SOURCE_CONTINUE;
}

static void listen_begin(Poold *p, int fd, const ListenFor *what)
{
    Listener *l = g_new(Listener, 1);

    *l = (Listener) { p, what };
    g_unix_set_fd_nonblocking(fd, true, NULL);
    g_unix_fd_add(fd, G_IO_IN, listen_event, l);
}

/* If others than the user may connect, it is for credentials to say who */
static bool listen_in_folder(Poold *p, const ListenFor *what, Error **errp)
{
    const PooldAccess *access = (void *)((char *)&p->options + what->access);
    g_autofree char *name = g_strconcat(what->name, ".sock", NULL);
    g_autofree char *path = g_build_filename(p->options.dir, name, NULL);
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    mode_t mask;
    int fd, ret;

    if (strlen(path) >= sizeof(addr.sun_path)) {
        error_setg(errp, "'%s' is longer than the %zu bytes of a unix "
                   "socket's name: choose another DIR", path,
                   sizeof(addr.sun_path) - 1);
        return false;
    }
    strcpy(addr.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* That nobody else has the directory is what the database's lock says */
    unlink(path);
    mask = umask(access_is_wide(access) ? 0111 : 0177);
    ret = bind(fd, (struct sockaddr *)&addr, sizeof(addr));
    umask(mask);
    if (ret || listen(fd, LISTEN_BACKLOG)) {
        error_setg_errno(errp, errno, "cannot listen on '%s'", path);
        close(fd);
        return false;
    }
    listen_begin(p, fd, what);
    return true;
}

static bool listen_on_tcp(Poold *p, const char *address, Error **errp)
{
    g_autoptr(SocketAddress) addr = g_new0(SocketAddress, 1);
    int fd;

    addr->type = SOCKET_ADDRESS_TYPE_INET;
    if (inet_parse(&addr->u.inet, address, errp) < 0) {
        error_prepend(errp, "--fm-tcp: ");
        return false;
    }
    fd = socket_listen(addr, LISTEN_BACKLOG, errp);
    if (fd < 0) {
        error_prepend(errp, "--fm-tcp: ");
        return false;
    }
    listen_begin(p, fd, &listen_fm);
    return true;
}

/* -- sockets that were passed --------------------------------------------- */

static int listen_option(int fd, int option)
{
    int value = 0;
    socklen_t len = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, option, &value, &len) ? -1 : value;
}

static const ListenFor *listen_passed(int fd, const char *name, Error **errp)
{
    const ListenFor *what = !strcmp(name, listen_heads.name) ? &listen_heads :
                            !strcmp(name, listen_fm.name) ? &listen_fm : NULL;

    if (!what) {
        error_setg(errp, "socket activation passes '%s': the names are heads "
                   "and fm (FileDescriptorName=)", name);
        return NULL;
    }
    if (listen_option(fd, SO_ACCEPTCONN) != 1 ||
        listen_option(fd, SO_TYPE) != SOCK_STREAM) {
        error_setg(errp, "socket activation: '%s' is no stream socket that "
                   "listens", name);
        return NULL;
    }
    if (what == &listen_heads && listen_option(fd, SO_DOMAIN) != AF_UNIX) {
        error_setg(errp, "socket activation: 'heads' is no unix socket, by "
                   "which heads could get the memory");
        return NULL;
    }
    return what;
}

/* @heads, @fm: there is such a one */
static bool listen_on_passed(Poold *p, bool *heads, bool *fm, Error **errp)
{
    g_autofree char *names = g_strdup(getenv("LISTEN_FDNAMES"));
    g_auto(GStrv) name = g_strsplit(names ?: "", ":", -1);
    unsigned n = check_socket_activation();

    if (n && n != g_strv_length(name)) {
        error_setg(errp, "socket activation passes %u sockets with %u names",
                   n, g_strv_length(name));
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        int fd = FIRST_SOCKET_ACTIVATION_FD + i;
        const ListenFor *what = listen_passed(fd, name[i], errp);

        if (!what) {
            return false;
        }
        *(what == &listen_heads ? heads : fm) = true;
        listen_begin(p, fd, what);
    }
    return true;
}

bool listen_open(Poold *p, Error **errp)
{
    const GPtrArray *tcp = p->options.fm_tcp;
    bool heads = false, fm = false;

    if (!listen_on_passed(p, &heads, &fm, errp)) {
        return false;
    }
    for (guint i = 0; tcp && i < tcp->len; i++) {
        if (!listen_on_tcp(p, g_ptr_array_index(tcp, i), errp)) {
            return false;
        }
    }
    return (heads || listen_in_folder(p, &listen_heads, errp)) &&
           (fm || listen_in_folder(p, &listen_fm, errp));
}
