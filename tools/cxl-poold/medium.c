/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cxl-poold: the memory of the pool
 *
 * A file that was named, or memory without a name.  The latter lives as long as
 * a process has it, which heads do over the daemon's end: a daemon that starts
 * again gets it back from them.
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

/* What heads of the last life have */
static int medium_find(Poold *p)
{
    g_autofree char *text = store_get_text(p->store, "medium");
    g_auto(GStrv) word = g_strsplit(text ?: "", " ", 2);
    int fd = -1;

    if (g_strv_length(word) == 2) {
        uint64_t dev = g_ascii_strtoull(word[0], NULL, 10);
        uint64_t ino = g_ascii_strtoull(word[1], NULL, 10);

        for (unsigned i = 0; i < p->options.heads && fd < 0; i++) {
            const Head *h = &p->head[i];

            if (h->pid && process_start(h->pid) == h->start) {
                fd = process_find_file(h->pid, dev, ino);
            }
        }
    }
    return fd;
}

bool medium_open(Poold *p, Error **errp)
{
    const PooldOptions *o = &p->options;
    g_autofree char *text = NULL;
    struct stat st;
    int fd;

    if (o->file) {
        fd = medium_open_file(o, errp);
        if (fd < 0) {
            return false;
        }
    } else {
        fd = medium_find(p);
        if (fd < 0) {
            fd = memfd_create("cxl-pool", MFD_CLOEXEC |
                              (o->huge_pages ? MFD_HUGETLB : 0));
        }
        if (fd < 0) {
            error_setg_errno(errp, errno, "cannot have memory%s",
                             o->huge_pages ? " in huge pages" : "");
            return false;
        }
    }
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
