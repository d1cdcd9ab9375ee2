/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Short ways to sysfs files
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "sysfs.h"

#define EXPAND(buf, fmt) do {                                       \
        va_list ap_;                                                \
        va_start(ap_, fmt);                                         \
        vsnprintf(buf, sizeof(buf), fmt, ap_);                      \
        va_end(ap_);                                                \
    } while (0)

static ssize_t read_file(char *buf, size_t size, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    buf[0] = '\0';
    if (fd < 0) {
        return -errno;
    }
    n = read(fd, buf, size - 1);
    if (n < 0) {
        n = -errno;
    } else {
        buf[n] = '\0';
        buf[strcspn(buf, "\n")] = '\0';
    }
    close(fd);
    return n;
}

int sys_write(const char *text, const char *path, ...)
{
    char name[SYS_PATH];
    int ret = 0, fd;

    EXPAND(name, path);
    fd = open(name, O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    if (write(fd, text, strlen(text)) < 0) {
        ret = -errno;
    }
    close(fd);
    return ret;
}

int sys_read(char *buf, size_t size, const char *path, ...)
{
    char name[SYS_PATH];
    ssize_t n;

    EXPAND(name, path);
    n = read_file(buf, size, name);
    return n < 0 ? n : 0;
}

int sys_read_u64(uint64_t *value, const char *path, ...)
{
    char name[SYS_PATH], text[64];
    int64_t number;
    ssize_t n;

    EXPAND(name, path);
    n = read_file(text, sizeof(text), name);
    if (n < 0) {
        return n;
    }
    if (sscanf(text, "%" SCNi64, &number) != 1) {
        return -EINVAL;
    }
    *value = number;
    return 0;
}

bool sys_exists(const char *path, ...)
{
    char name[SYS_PATH];

    EXPAND(name, path);
    return !access(name, F_OK);
}

bool sys_is_arm(void)
{
    struct utsname name;

    return !uname(&name) && !strcmp(name.machine, "aarch64");
}

bool sys_await(unsigned seconds, const char *path, ...)
{
    char name[SYS_PATH];
    time_t limit = time(NULL) + seconds;

    EXPAND(name, path);
    while (access(name, F_OK)) {
        if (time(NULL) > limit) {
            return false;
        }
        usleep(20000);
    }
    return true;
}

int sys_link(char *buf, size_t size, const char *path, ...)
{
    char name[SYS_PATH], target[PATH_MAX];
    const char *last;
    ssize_t n;

    EXPAND(name, path);
    n = readlink(name, target, sizeof(target) - 1);
    if (n < 0) {
        return -errno;
    }
    target[n] = '\0';
    last = strrchr(target, '/');
    snprintf(buf, size, "%s", last ? last + 1 : target);
    return 0;
}

int sys_find(char *buf, size_t size, const char *dir, const char *prefix)
{
    struct dirent *entry;
    int ret = -ENOENT;
    DIR *d = opendir(dir);

    if (!d) {
        return -errno;
    }
    while (ret && (entry = readdir(d))) {
        if (!strncmp(entry->d_name, prefix, strlen(prefix))) {
            snprintf(buf, size, "%s", entry->d_name);
            ret = 0;
        }
    }
    closedir(d);
    return ret;
}
