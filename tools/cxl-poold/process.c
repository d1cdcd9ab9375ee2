/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cxl-poold: processes at the other end of sockets, which reach memory of the
 * pool as long as they live
 */
#include "qemu/osdep.h"
#include <glib-unix.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include "poold.h"

struct Process {
    int fd;
    guint source;
    void (*ended)(void *opaque);
    void *opaque;
};

/* The 22nd word; the second one is in parentheses and may hold anything */
uint64_t process_start(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
    g_autofree char *text = NULL;
    uint64_t start = 0;
    char *at;

    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        return 0;
    }
    at = strrchr(text, ')');
    for (int word = 2; at && word < 22; word++) {
        at = strchr(at + 1, ' ');
    }
    if (at) {
        start = g_ascii_strtoull(at, NULL, 10);
    }
    return start;
}

pid_t process_of_peer(int fd)
{
    struct ucred cred = { };
    socklen_t len = sizeof(cred);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) ? 0 : cred.pid;
}

static gboolean process_event(gint fd, GIOCondition what, gpointer opaque)
{
    Process *process = opaque;

    process->source = 0;
    process->ended(process->opaque);
    return G_SOURCE_REMOVE;
}

Process *process_watch(pid_t pid, uint64_t start, void (*ended)(void *opaque),
                       void *opaque)
{
    int fd = syscall(SYS_pidfd_open, pid, 0);
    Process *process;

    /* Compared once the descriptor is there: its number may be another's now */
    if (fd < 0 || process_start(pid) != start) {
        close(fd);
        return NULL;
    }
    process = g_new0(Process, 1);
    process->fd = fd;
    process->ended = ended;
    process->opaque = opaque;
    process->source = g_unix_fd_add(fd, G_IO_IN, process_event, process);
    return process;
}

void process_unwatch(Process *process)
{
    if (process) {
        if (process->source) {
            g_source_remove(process->source);
        }
        close(process->fd);
        g_free(process);
    }
}

int process_find_file(pid_t pid, uint64_t dev, uint64_t ino)
{
    g_autofree char *folder = g_strdup_printf("/proc/%d/fd", (int)pid);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        struct stat st;

        if (!stat(path, &st) && st.st_dev == dev && st.st_ino == ino) {
            return open(path, O_RDWR | O_CLOEXEC);
        }
    }
    return -1;
}
