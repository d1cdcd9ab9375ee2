/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words after --connect: the address of a component, read and opened
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "fm-address.h"
#include "fm-serial.h"

/* Unicast endpoint IDs of MCTP */
#define EID_FIRST   8
#define EID_LAST    254

static const char *const schemes[] = {
    [FM_ADDRESS_UNIX] = "unix:", [FM_ADDRESS_TCP] = "tcp:",
    [FM_ADDRESS_PTY] = "pty:",
    [FM_ADDRESS_MCTP] = "mctp:", [FM_ADDRESS_IOCTL] = "ioctl:",
};

static gboolean fail(GError **error, int code, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static gboolean fail(GError **error, int code, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    g_propagate_error(error, g_error_new_valist(G_FILE_ERROR, code, format,
                                                ap));
    va_end(ap);
    return FALSE;
}

/* "HOST:PORT"; an IPv6 address stands in brackets */
static gboolean parse_tcp(const char *rest, struct fm_address *address,
                          GError **error)
{
    const char *colon = strrchr(rest, ':');
    size_t len = colon ? colon - rest : 0;
    guint64 port;

    if (!len || !g_ascii_string_to_unsigned(colon + 1, 10, 1, G_MAXUINT16,
                                            &port, NULL)) {
        return fail(error, EINVAL, "tcp:%s: expected tcp:HOST:PORT with a "
                    "port of 1..65535", rest);
    }
    if (rest[0] == '[' && colon[-1] == ']') {
        rest++;
        len -= 2;
    }
    address->place = g_strndup(rest, len);
    address->port = port;
    return TRUE;
}

static gboolean parse_mctp(const char *rest, struct fm_address *address,
                           GError **error)
{
    g_auto(GStrv) part = g_strsplit(rest, ",", -1);
    guint64 net, eid;

    if (g_strv_length(part) != 2 ||
        !g_ascii_string_to_unsigned(part[0], 10, 0, G_MAXINT, &net, NULL) ||
        !g_ascii_string_to_unsigned(part[1], 10, EID_FIRST, EID_LAST, &eid,
                                    NULL)) {
        return fail(error, EINVAL, "mctp:%s: expected mctp:NET,EID with an "
                    "endpoint ID of %d..%d", rest, EID_FIRST, EID_LAST);
    }
    address->net = net;
    address->eid = eid;
    return TRUE;
}

/* A bare path tells by its kind of file what it is */
static gboolean parse_path(const char *path, struct fm_address *address,
                           GError **error)
{
    struct stat st;

    if (path[0] == '/' || path[0] == '.') {
        address->kind = FM_ADDRESS_IOCTL;
        if (!stat(path, &st) && S_ISSOCK(st.st_mode)) {
            address->kind = FM_ADDRESS_UNIX;
        } else if (g_str_has_prefix(path, "/dev/pts/") ||
                   g_str_has_prefix(path, "/dev/tty")) {
            address->kind = FM_ADDRESS_PTY;
        }
        address->place = g_strdup(path);
        return TRUE;
    }
    return fail(error, EINVAL, "%s: expected unix:PATH, tcp:HOST:PORT, "
                "pty:PATH, mctp:NET,EID or ioctl:PATH", path);
}

gboolean fm_address_parse(const char *text, struct fm_address *address,
                          GError **error)
{
    memset(address, 0, sizeof(*address));
    for (gsize i = 0; i < G_N_ELEMENTS(schemes); i++) {
        const char *rest = text + strlen(schemes[i]);

        if (!g_str_has_prefix(text, schemes[i])) {
            continue;
        }
        address->kind = i;
        if (i == FM_ADDRESS_TCP) {
            return parse_tcp(rest, address, error);
        }
        if (i == FM_ADDRESS_MCTP) {
            return parse_mctp(rest, address, error);
        }
        if (!*rest) {
            return fail(error, EINVAL, "%s: the path is missing", text);
        }
        address->place = g_strdup(rest);
        return TRUE;
    }
    return parse_path(text, address, error);
}

void fm_address_clear(struct fm_address *address)
{
    g_clear_pointer(&address->place, g_free);
}

/* Connect within the time; the socket is left non-blocking. 0 or -errno */
static int connect_within(int fd, const struct sockaddr *to, socklen_t len,
                          unsigned timeout_ms)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    int problem = 0;
    socklen_t size = sizeof(problem);

    if (!connect(fd, to, len)) {
        return 0;
    }
    if (errno != EINPROGRESS && errno != EAGAIN) {
        return -errno;
    }
    if (poll(&p, 1, timeout_ms) != 1) {
        return -ETIMEDOUT;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size)) {
        return -errno;
    }
    return -problem;
}

static int open_unix(const char *path, unsigned timeout_ms)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    int fd, ret;

    if (g_strlcpy(to.sun_path, path, sizeof(to.sun_path)) >=
        sizeof(to.sun_path)) {
        return -ENAMETOOLONG;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -errno;
    }
    ret = connect_within(fd, (struct sockaddr *)&to, sizeof(to), timeout_ms);
    if (ret) {
        close(fd);
    }
    return ret ? ret : fd;
}

static int open_tcp(const struct fm_address *address, unsigned timeout_ms,
                    const char **why)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    g_autofree char *port = g_strdup_printf("%u", address->port);
    struct addrinfo *list, *a;
    int one = 1, ret = getaddrinfo(address->place, port, &hints, &list);

    if (ret) {
        *why = gai_strerror(ret);
        return -EINVAL;
    }
    ret = -EADDRNOTAVAIL;
    for (a = list; a && ret < 0; a = a->ai_next) {
        int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC |
                        SOCK_NONBLOCK, a->ai_protocol);

        if (fd < 0) {
            ret = -errno;
            continue;
        }
        ret = connect_within(fd, a->ai_addr, a->ai_addrlen, timeout_ms);
        if (ret) {
            close(fd);
        } else {
            /* a command waits for its answer: packets must not wait */
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
            ret = fd;
        }
    }
    freeaddrinfo(list);
    return ret;
}

static int open_pty(const char *path)
{
    struct termios t;
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    int ret;

    if (fd < 0) {
        return -errno;
    }
    if (tcgetattr(fd, &t)) {
        ret = -errno;
        close(fd);
        return ret;
    }
    cfmakeraw(&t);
    t.c_cflag |= CLOCAL | CREAD;
    if (tcsetattr(fd, TCSANOW, &t)) {
        ret = -errno;
        close(fd);
        return ret;
    }
    return fd;
}

struct cxl_conn *fm_address_open(const struct fm_address *address,
                                 const char *text,
                                 unsigned timeout_ms, GError **error)
{
    struct cxl_conn *conn = NULL;
    const char *why = NULL;
    int fd = -EINVAL;

    switch (address->kind) {
    case FM_ADDRESS_UNIX:
        fd = open_unix(address->place, timeout_ms);
        break;
    case FM_ADDRESS_TCP:
        fd = open_tcp(address, timeout_ms, &why);
        break;
    case FM_ADDRESS_PTY:
        fd = open_pty(address->place);
        break;
    case FM_ADDRESS_MCTP:
        conn = cxl_conn_open_mctp(address->net, address->eid, CXL_WIRE_MAX);
        fd = -errno;
        break;
    case FM_ADDRESS_IOCTL:
        conn = cxl_conn_open_ioctl(address->place);
        fd = -errno;
        break;
    }
    if (!conn && fd >= 0) {
        conn = cxl_conn_open_serial(fd, text, timeout_ms);
    }
    if (!conn) {
        fail(error, -fd, "%s: %s", text, why ? why : g_strerror(-fd));
    }
    return conn;
}
