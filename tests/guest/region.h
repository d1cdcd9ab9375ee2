/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Static CXL memory of the guest: create ram regions, use them
 */
#ifndef GUEST_REGION_H
#define GUEST_REGION_H

#include <stddef.h>
#include <stdint.h>

#include "cxl-conn.h"
#include "device-memory.h"
#include "sysfs.h"

#define CXL_SYS "/sys/bus/cxl/devices"
#define DAX_SYS "/sys/bus/dax"

/* Devices of one region: more than any test has */
#define REGION_WAYS 8

/**
 * struct ram_region - a region over one memory device or several
 * @name: "region0"
 * @dax: "dax0.0"
 * @hpa: host physical address, bytes
 * @size: bytes
 */
struct ram_region {
    char name[32];
    char dax[32];
    uint64_t hpa;
    uint64_t size;
};

/**
 * struct region_plan - what a region shall be
 * @memdev: its devices, "mem0", in the order of their chunks
 * @ways: number of them
 * @granularity: bytes of a chunk
 * @each: bytes of each device, 0: all volatile capacity
 */
struct region_plan {
    const char *memdev[REGION_WAYS];
    unsigned ways, granularity;
    uint64_t each;
};

/**
 * memdev_open() - mailbox of a memory device, "mem0"
 * Return: NULL if its drivers do not bind
 */
struct cxl_conn *memdev_open(const char *memdev);

/** region_endpoint() - port of a memory device, "endpoint2" for "mem0". */
int region_endpoint(char *buf, size_t size, const char *memdev);

/**
 * region_create() - all volatile capacity of @memdev as one region
 * @root: root decoder that covers the window, "decoder0.0"
 * Return: 0 or negative errno; the step that failed is noted in the results
 */
int region_create(struct ram_region *region, const char *root,
                  const char *memdev);

/** region_create_as() - the same, interleaved or of part of the capacity */
int region_create_as(struct ram_region *region, const char *root,
                     const struct region_plan *plan);
/**
 * region_destroy() - undo the newest of these; nobody may use the memory
 * @plan: what it was made from
 */
int region_destroy(const struct ram_region *region, const char *root,
                   const struct region_plan *plan);

/** region_of_static() - a test: such a region, if there is any capacity. */
void region_of_static(const char *memdev);

/** region_dax_device() - bind the region's memory to /dev/daxX.Y. */
int region_dax_device(const struct ram_region *region);
/** region_map() - the same, mapped; NULL with a note if it cannot be. */
void *region_map(const struct ram_region *region, size_t size, int prot);
/** region_system_ram() - give the region's memory to the kernel. */
int region_system_ram(const struct ram_region *region);
/** region_node() - NUMA node of the region's memory, or negative errno. */
int region_node(const struct ram_region *region);

/* -- memtest.c ---------------------------------------------------------- */

/**
 * memtest_words() - write every 64-bit word, read all back, twice
 * @stride: bytes between the words that are touched, a multiple of 8
 * Return: number of words that came back wrong; the first few are noted
 */
uint64_t memtest_words(dev8_t *mem, size_t size, size_t stride);
/** memtest_widths() - 1, 2, 4 and 8 byte accesses, also unaligned. */
uint64_t memtest_widths(dev8_t *mem);
/** memtest_is() - number of words in the range that do not equal @value. */
uint64_t memtest_is(const dev8_t *mem, size_t size, size_t stride,
                    uint64_t value);
/** memtest_fill() - write words that follow from @seed and their place. */
void memtest_fill(dev8_t *mem, size_t size, size_t stride,
                  uint64_t seed);
/** memtest_check() - words that differ from what memtest_fill() wrote. */
uint64_t memtest_check(const dev8_t *mem, size_t size, size_t stride,
                       uint64_t seed);

#endif /* GUEST_REGION_H */
