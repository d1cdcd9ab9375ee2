/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For LD_PRELOAD of a cxl-poold: its medium is on a file system that cannot
 * punch holes, and that writes nothing while the file $SLOW_MEDIUM is there
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A database's page is less than that */
#define MEDIUM_WRITE    (64 * 1024)

int fallocate64(int fd, int mode, off64_t at, off64_t len)
{
    errno = EOPNOTSUPP;
    return -1;
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at)
{
    const char *held = getenv("SLOW_MEDIUM");

    if (len >= MEDIUM_WRITE && held && !access(held, F_OK)) {
        errno = EINTR;
        return -1;
    }
    return syscall(SYS_pwrite64, fd, data, len, at);
}
