/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Short ways to sysfs files
 *
 * Paths are printf formats.  Errors are negative errno values.
 */
#ifndef GUEST_SYSFS_H
#define GUEST_SYSFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SYS_PATH 256

/** sys_write() - write @text to a file. */
int sys_write(const char *text, const char *path, ...)
    __attribute__((format(printf, 2, 3)));
/** sys_read() - first line without its end; @buf is empty on errors. */
int sys_read(char *buf, size_t size, const char *path, ...)
    __attribute__((format(printf, 3, 4)));
/** sys_read_u64() - a number in any C notation. */
int sys_read_u64(uint64_t *value, const char *path, ...)
    __attribute__((format(printf, 2, 3)));
/** sys_is_arm() - a kernel for 64-bit Arm? */
bool sys_is_arm(void);
/** sys_exists() - is there a file of this name? */
bool sys_exists(const char *path, ...) __attribute__((format(printf, 1, 2)));
/** sys_await() - sys_exists(), but give the kernel @seconds to make it. */
bool sys_await(unsigned seconds, const char *path, ...)
    __attribute__((format(printf, 2, 3)));
/** sys_link() - last part of a symbolic link's target. */
int sys_link(char *buf, size_t size, const char *path, ...)
    __attribute__((format(printf, 3, 4)));
/** sys_find() - first entry of @dir whose name starts with @prefix. */
int sys_find(char *buf, size_t size, const char *dir, const char *prefix);

#endif /* GUEST_SYSFS_H */
