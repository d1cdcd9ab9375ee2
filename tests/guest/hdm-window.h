/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A view of a device's memory that no driver gives
 *
 * Linux 7.3 does not map dynamic capacity.  The next free HDM decoder of the
 * device is programmed by hand, behind the driver's back, and the range of the
 * host's window that it decodes is mapped through /dev/mem
 * (CONFIG_STRICT_DEVMEM=n).
 */
#ifndef GUEST_HDM_WINDOW_H
#define GUEST_HDM_WINDOW_H

#include <stdint.h>

#include "device-memory.h"

/**
 * struct hdm_window - device addresses [dpa, dpa + size) at mem
 * @decoder: index of the decoder that was programmed
 * @hpa: where the host sees them
 */
struct hdm_window {
    dev8_t *mem;
    uint64_t hpa, dpa, size;
    unsigned decoder;
};

/**
 * hdm_window_open() - decode and map a range of device addresses
 * @memdev: "mem0"; its host bridge must have one root port only, since the
 *          bridge's own decoders are left alone
 * @root: root decoder whose window is used, "decoder0.0"
 * @dpa, @size: multiples of 256 MiB, above what earlier decoders cover
 * Return: 0 or negative errno
 */
int hdm_window_open(struct hdm_window *win, const char *memdev,
                    const char *root, uint64_t dpa, uint64_t size);

#endif /* GUEST_HDM_WINDOW_H */
