/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A QEMU of the fuzzer, see fuzz-link.h
 */
#include "qemu/osdep.h"
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "qobject/qjson.h"
#include "qobject/qstring.h"
#include "fuzz-link.h"

/* Only a fault makes anything take so long, sanitizers and all */
#define LINK_PATIENCE_MS 120000
/* Enough that QEMU always finds the next request, little enough to go back */
#define LINK_BATCH 6000

static void link_fail(QemuLink *l, LinkFault fault)
{
    if (l->fault != LINK_FINE) {
        return;
    }
    l->fault = fault;
    l->culprit = l->asked > l->answered ?
                 l->pending[l->answered % LINK_PENDING].op : l->op;
    if (fault == LINK_HANG) {
        /* the sanitizer shows where it is */
        kill(l->pid, SIGABRT);
    }
    for (unsigned i = 0; i < 300; i++) {
        if (waitpid(l->pid, &l->status, WNOHANG) == l->pid) {
            l->pid = 0;
            return;
        }
        g_usleep(100000);
    }
    kill(l->pid, SIGKILL);
    waitpid(l->pid, &l->status, 0);
    l->pid = 0;
}

/* -- the process -- */

static void link_exec(const char *args, const char *errors, int qtest_fd,
                      int qmp_fd)
{
    const char *qemu = g_getenv("QTEST_QEMU_BINARY") ?: "./qemu-system-x86_64";
    g_autofree char *line = g_strdup_printf(
        "%s -display none -accel qtest -qtest-log none "
        "-chardev socket,id=fuzzq,fd=%d -qtest chardev:fuzzq "
        "-chardev socket,id=fuzzm,fd=%d -mon chardev=fuzzm,mode=control %s",
        qemu, qtest_fd, qmp_fd, args);
    int fd = open(errors, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    char **argv;

    if (fd < 0 || !g_shell_parse_argv(line, NULL, &argv, NULL)) {
        _exit(126);
    }
    dup2(fd, STDERR_FILENO);
    dup2(fd, STDOUT_FILENO);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* what a terminal sends is for the fuzzer, which ends QEMU in order */
    setpgid(0, 0);
    execv(argv[0], argv);
    _exit(127);
}

QemuLink *link_start(const char *args, const char *errors)
{
    QemuLink *l = g_new0(QemuLink, 1);
    int qtest[2], qmp[2];
    QDict *greeting;

    g_assert(!socketpair(AF_UNIX, SOCK_STREAM, 0, qtest));
    g_assert(!socketpair(AF_UNIX, SOCK_STREAM, 0, qmp));
    l->errors = g_strdup(errors);
    l->pid = fork();
    g_assert(l->pid >= 0);
    if (!l->pid) {
        close(qtest[0]);
        close(qmp[0]);
        link_exec(args, errors, qtest[1], qmp[1]);
    }
    close(qtest[1]);
    close(qmp[1]);
    l->qtest_fd = qtest[0];
    l->qmp_fd = qmp[0];
    qemu_set_cloexec(l->qtest_fd);
    qemu_set_cloexec(l->qmp_fd);
    l->out = g_string_new("");
    l->in = g_string_new("");
    l->qmp_in = g_string_new("");
    greeting = link_qmp(l, "{\"execute\": \"qmp_capabilities\"}");
    qobject_unref(greeting);
    return l;
}

bool link_stop(QemuLink *l)
{
    bool good = false;

    if (l->fault == LINK_FINE) {
        link_qmp_ok(l, "{\"execute\": \"quit\"}");
    }
    for (unsigned i = 0; l->pid && i < LINK_PATIENCE_MS; i++) {
        if (waitpid(l->pid, &l->status, WNOHANG) == l->pid) {
            good = l->fault == LINK_FINE && l->status == 0;
            l->pid = 0;
        } else {
            g_usleep(1000);
        }
    }
    if (l->pid) {
        kill(l->pid, SIGKILL);
        waitpid(l->pid, &l->status, 0);
    }
    close(l->qtest_fd);
    close(l->qmp_fd);
    g_string_free(l->out, true);
    g_string_free(l->in, true);
    g_string_free(l->qmp_in, true);
    g_free(l->errors);
    g_free(l);
    return good;
}

/* -- the qtest protocol -- */

/* "OK 0x" and two digits for each byte */
static bool link_bytes(const char *line, uint8_t *to, size_t len)
{
    bool good = strlen(line) == 5 + 2 * len;

    for (size_t i = 0; i < len && good; i++) {
        int high = g_ascii_xdigit_value(line[5 + 2 * i]);
        int low = g_ascii_xdigit_value(line[6 + 2 * i]);

        good = high >= 0 && low >= 0;
        to[i] = high << 4 | low;
    }
    return good;
}

static void link_answer(QemuLink *l, const char *line)
{
    LinkPending *p = &l->pending[l->answered % LINK_PENDING];

    /* no timer is armed: clock_step alone has nowhere to go */
    bool no_timer = g_str_has_prefix(line, "FAIL cannot advance clock");

    if ((!g_str_has_prefix(line, "OK") && !no_timer) ||
        l->answered == l->asked ||
        (p->to && !link_bytes(line, p->to, p->len))) {
        fprintf(stderr, "qtest says: %s\n", line);
        link_fail(l, LINK_CONFUSED);
        return;
    }
    l->value = !no_timer && line[2] ? g_ascii_strtoull(line + 3, NULL, 0) : 0;
    if (p->seen) {
        p->seen(l->opaque, l->value);
    }
    l->answered++;
}

static void link_take(QemuLink *l, char *bytes, size_t len)
{
    char *end;

    g_string_append_len(l->in, bytes, len);
    bytes = l->in->str;
    while (l->fault == LINK_FINE && (end = strchr(bytes, '\n'))) {
        *end = '\0';
        link_answer(l, bytes);
        bytes = end + 1;
    }
    g_string_erase(l->in, 0, bytes - l->in->str);
}

/* Send what can be sent, take what is there; wait until either goes on */
static void link_pump(QemuLink *l)
{
    bool more = l->sent < l->out->len;
    struct pollfd p = {
        .fd = l->qtest_fd, .events = POLLIN | (more ? POLLOUT : 0),
    };
    char bytes[16384];
    ssize_t n;

    n = poll(&p, 1, LINK_PATIENCE_MS);
    if (n == 0) {
        link_fail(l, LINK_HANG);
    }
    if (n <= 0) {
        return;
    }
    if (p.revents & POLLIN) {
        n = recv(l->qtest_fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (n > 0) {
            link_take(l, bytes, n);
        } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            link_fail(l, LINK_DEAD);
            return;
        }
    }
    if (more) {
        n = send(l->qtest_fd, l->out->str + l->sent, l->out->len - l->sent,
                 MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0) {
            l->sent += n;
        } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
            link_fail(l, LINK_DEAD);
        }
        if (l->sent == l->out->len) {
            g_string_truncate(l->out, 0);
            l->sent = 0;
        }
    }
}

void link_flush(QemuLink *l)
{
    while (l->fault == LINK_FINE && l->answered < l->asked) {
        link_pump(l);
    }
}

static void link_queue(QemuLink *l, LinkPending pending)
{
    g_string_append_c(l->out, '\n');
    l->pending[l->asked++ % LINK_PENDING] = pending;
    while (l->fault == LINK_FINE &&
           (l->asked - l->answered == LINK_PENDING ||
            l->out->len - l->sent > LINK_BATCH)) {
        link_pump(l);
    }
}

static void link_vpost(QemuLink *l, LinkSeen *seen, const char *fmt,
                       va_list ap) G_GNUC_PRINTF(3, 0);

static void link_vpost(QemuLink *l, LinkSeen *seen, const char *fmt,
                       va_list ap)
{
    if (l->fault == LINK_FINE) {
        g_string_append_vprintf(l->out, fmt, ap);
        link_queue(l, (LinkPending) { .op = l->op, .seen = seen });
    }
}

void link_post(QemuLink *l, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    link_vpost(l, NULL, fmt, ap);
    va_end(ap);
}

void link_post_seen(QemuLink *l, LinkSeen *seen, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    link_vpost(l, seen, fmt, ap);
    va_end(ap);
}

void link_post_bytes(QemuLink *l, uint64_t addr, const void *data, size_t len)
{
    const uint8_t *byte = data;

    if (l->fault == LINK_FINE && len) {
        g_string_append_printf(l->out, "write 0x%" PRIx64 " 0x%zx 0x", addr,
                               len);
        for (size_t i = 0; i < len; i++) {
            static const char digit[] = "0123456789abcdef";

            g_string_append_c(l->out, digit[byte[i] >> 4]);
            g_string_append_c(l->out, digit[byte[i] & 15]);
        }
        link_queue(l, (LinkPending) { .op = l->op });
    }
}

uint64_t link_ask(QemuLink *l, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    link_vpost(l, NULL, fmt, ap);
    va_end(ap);
    link_flush(l);
    return l->fault == LINK_FINE ? l->value : UINT64_MAX;
}

bool link_read(QemuLink *l, uint64_t addr, void *data, size_t len)
{
    if (l->fault == LINK_FINE && len) {
        g_string_append_printf(l->out, "read 0x%" PRIx64 " 0x%zx", addr, len);
        link_queue(l, (LinkPending) { .op = l->op, .to = data, .len = len });
        link_flush(l);
    }
    return l->fault == LINK_FINE;
}

/* -- the monitor -- */

static char *link_qmp_line(QemuLink *l)
{
    char bytes[16384], *end, *line;

    while (l->fault == LINK_FINE) {
        struct pollfd p = { .fd = l->qmp_fd, .events = POLLIN };
        ssize_t n;

        end = strchr(l->qmp_in->str, '\n');
        if (end) {
            line = g_strndup(l->qmp_in->str, end - l->qmp_in->str);
            g_string_erase(l->qmp_in, 0, end + 1 - l->qmp_in->str);
            return line;
        }
        n = poll(&p, 1, LINK_PATIENCE_MS);
        if (n == 0) {
            link_fail(l, LINK_HANG);
            break;
        }
        n = n < 0 ? n : recv(l->qmp_fd, bytes, sizeof(bytes), 0);
        if (n > 0) {
            g_string_append_len(l->qmp_in, bytes, n);
        } else if (n == 0 || errno != EINTR) {
            link_fail(l, LINK_DEAD);
        }
    }
    return NULL;
}

/* Without spaces between tokens: QEMU wakes up for each byte of it */
static char *link_dense(const char *json)
{
    char *dense = g_malloc(strlen(json) + 1), *to = dense;
    bool quoted = false;

    for (; *json; json++) {
        if (*json == '"') {
            quoted = !quoted;
        } else if (*json == '\\' && json[1]) {
            *to++ = *json++;
        }
        if (quoted || *json != ' ') {
            *to++ = *json;
        }
    }
    *to = '\0';
    return dense;
}

/* The answer as text; events are passed over */
static char *link_qmp_text(QemuLink *l, const char *json)
{
    g_autofree char *dense = link_dense(json);
    size_t len = strlen(dense), at = 0;
    char *line;

    link_flush(l);
    while (l->fault == LINK_FINE && at < len) {
        ssize_t n = send(l->qmp_fd, dense + at, len - at, MSG_NOSIGNAL);

        if (n < 0 && errno != EINTR) {
            link_fail(l, LINK_DEAD);
        } else if (n > 0) {
            at += n;
        }
    }
    while ((line = link_qmp_line(l))) {
        if (g_str_has_prefix(line, "{\"return\"") ||
            g_str_has_prefix(line, "{\"error\"")) {
            return line;
        }
        g_free(line);
    }
    return NULL;
}

QDict *link_qmp(QemuLink *l, const char *json)
{
    g_autofree char *line = link_qmp_text(l, json);

    return line ? qobject_to(QDict, qobject_from_json(line, NULL)) : NULL;
}

bool link_qmp_ok(QemuLink *l, const char *json)
{
    g_autofree char *line = link_qmp_text(l, json);

    return line && g_str_has_prefix(line, "{\"return\"");
}

char *link_hmp(QemuLink *l, const char *fmt, ...)
{
    QDict *command = qdict_new(), *args = qdict_new(), *answer;
    g_autoptr(GString) json = NULL;
    g_autofree char *line = NULL;
    char *said = NULL;
    va_list ap;

    va_start(ap, fmt);
    line = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    qdict_put_str(args, "command-line", line);
    qdict_put_str(command, "execute", "human-monitor-command");
    qdict_put(command, "arguments", args);
    json = qobject_to_json(QOBJECT(command));
    qobject_unref(command);
    answer = link_qmp(l, json->str);
    if (answer) {
        said = g_strdup(qdict_get_try_str(answer, "return") ?: "");
        qobject_unref(answer);
    }
    return said;
}
