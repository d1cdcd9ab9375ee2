/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For LD_PRELOAD of a cxl-poold: its medium is on a file system that cannot
 * punch holes, that writes nothing while the file $SLOW_MEDIUM is there, and
 * brings nothing to the disk while $SLOW_DISK is
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A database's page is less than that, and its file less than the medium */
#define MEDIUM_WRITE    (64 * 1024)
#define MEDIUM_SIZE     (64 * 1024 * 1024)
#define NAP_US          1000

static int is_held(const char *name)
{
    const char *held = getenv(name);

    return held && !access(held, F_OK);
}

int fallocate64(int fd, int mode, off64_t at, off64_t len)
{
    errno = EOPNOTSUPP;
    return -1;
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at)
{
    if (len >= MEDIUM_WRITE && is_held("SLOW_MEDIUM")) {
        errno = EINTR;
        return -1;
    }
    return syscall(SYS_pwrite64, fd, data, len, at);
}

int fdatasync(int fd)
{
    struct stat st;

    if (!fstat(fd, &st) && st.st_size >= MEDIUM_SIZE) {
        while (is_held("SLOW_DISK")) {
            usleep(NAP_US);
        }
    }
    return syscall(SYS_fdatasync, fd);
}
