/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cxl-poold: the memory of the pool
 *
 * A file that was named, or memory without a name.  The latter lives as long as
 * a process has it, which heads do over the daemon's end: a daemon that starts
 * again gets it back from them.  It looks for it in their descriptors, which it
 * may only for root and for processes of its own user; the others pass it when
 * they connect again.
 */
#include "qemu/osdep.h"
#include <linux/falloc.h>
#include <sys/mman.h>
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "poold.h"

/* In one step, some milliseconds: pages that are given back, or written */
#define PUNCH_BYTES (64 * MiB)
#define ZERO_BYTES  (1 * MiB)

static int medium_open_file(const PooldOptions *o, Error **errp)
{
    int fd = open(o->file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct stat st;

    if (fd < 0 || fstat(fd, &st)) {
        error_setg_errno(errp, errno, "--file: cannot open '%s'", o->file);
        return -1;
    }
    if (!S_ISREG(st.st_mode) || (st.st_size && st.st_size != o->size)) {
        error_setg(errp, "--file: '%s' is no file of 0x%" PRIx64 " bytes "
                   "(--size)", o->file, o->size);
        close(fd);
        return -1;
    }
    return fd;
}

/* What heads of the last life have; false: there was none */
static bool medium_last(const Poold *p, uint64_t *dev, uint64_t *ino)
{
    g_autofree char *text = store_get_text(p->store, "medium");
    g_auto(GStrv) word = g_strsplit(text ?: "", " ", 2);

    if (g_strv_length(word) != 2) {
        return false;
    }
    *dev = g_ascii_strtoull(word[0], NULL, 10);
    *ino = g_ascii_strtoull(word[1], NULL, 10);
    return true;
}

static int medium_find(const Poold *p)
{
    uint64_t dev, ino;
    int fd = -1;

    if (!medium_last(p, &dev, &ino)) {
        return -1;
    }
    for (unsigned i = 0; i < p->options.heads && fd < 0; i++) {
        const Head *h = &p->head[i];

        if (h->pid && process_start(h->pid) == h->start) {
            fd = process_find_file(h->pid, dev, ino);
        }
    }
    return fd;
}

bool medium_take(Poold *p, int fd)
{
    uint64_t dev, ino;
    struct stat st;

    if (fd < 0 || fstat(fd, &st) || !medium_last(p, &dev, &ino) ||
        st.st_dev != dev || st.st_ino != ino || st.st_size != p->options.size ||
        (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDWR) {
        return false;
    }
    p->medium_fd = fd;
    return true;
}

static bool medium_use(Poold *p, int fd, Error **errp)
{
    const PooldOptions *o = &p->options;
    g_autofree char *text = NULL;
    struct stat st;

    p->medium_fd = fd;
    if (ftruncate(fd, o->size) || fstat(fd, &st)) {
        error_setg_errno(errp, errno, "the medium cannot have 0x%" PRIx64
                         " bytes (--size)", o->size);
        return false;
    }
    text = g_strdup_printf("%" PRIu64 " %" PRIu64, (uint64_t)st.st_dev,
                           (uint64_t)st.st_ino);
    return store_set_text(p->store, "medium", text, errp);
}

bool medium_open(Poold *p, Error **errp)
{
    int fd = p->options.file ? medium_open_file(&p->options, errp)
                             : medium_find(p);

    return fd < 0 ? !p->options.file : medium_use(p, fd, errp);
}

bool medium_settle(Poold *p, Error **errp)
{
    bool huge = p->options.huge_pages;
    int fd;

    if (p->medium_fd >= 0 || heads_have_process(p)) {
        return true;
    }
    fd = memfd_create("cxl-pool", MFD_CLOEXEC | (huge ? MFD_HUGETLB : 0));
    if (fd < 0) {
        error_setg_errno(errp, errno, "cannot have memory%s",
                         huge ? " in huge pages" : "");
        return false;
    }
    return medium_use(p, fd, errp);
}

uint64_t medium_zero(Poold *p, uint64_t offset, uint64_t len)
{
    static uint8_t zeroes[ZERO_BYTES];
    uint64_t punched = MIN(len, PUNCH_BYTES);
    ssize_t n;

    if (!fallocate(p->medium_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                   offset, punched)) {
        return punched;
    }
    n = pwrite(p->medium_fd, zeroes, MIN(len, ZERO_BYTES), offset);
    if (!n || (n < 0 && errno != EINTR)) {
        /* Old data must not get to anybody */
        error_report("cannot overwrite the medium at 0x%" PRIx64 ": %s",
                     offset, strerror(errno));
        exit(EXIT_FAILURE);
    }
    return MAX(n, 0);
}

static gpointer medium_sync_run(gpointer opaque)
{
    Poold *p = opaque;
    int error = fdatasync(p->medium_fd) ? errno : 0;

    g_timeout_add(0, p->sync_done, p);
    return GINT_TO_POINTER(error);
}

void medium_sync(Poold *p, GSourceFunc done)
{
    p->sync_done = done;
    p->sync = g_thread_new("sync", medium_sync_run, p);
}

void medium_synced(Poold *p)
{
    int error = GPOINTER_TO_INT(g_thread_join(g_steal_pointer(&p->sync)));

    if (error) {
        error_report("cannot write the medium: %s", strerror(error));
        exit(EXIT_FAILURE);
    }
}
