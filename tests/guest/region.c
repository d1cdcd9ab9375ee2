/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Static CXL memory of the guest: a ram region through sysfs (Linux's
 * Documentation/ABI/testing/sysfs-bus-cxl)
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "region.h"
#include "tap.h"

/* Time for drivers to bind; a slow emulator needs a few seconds of it */
#define SETTLE_S    30
#define GRANULARITY 256

/* "endpoint2" -> "2", the number in the names of its decoders */
static const char *number_of(const char *name)
{
    return name + strcspn(name, "0123456789");
}

struct cxl_conn *memdev_open(const char *memdev)
{
    char path[96];

    snprintf(path, sizeof(path), "/dev/cxl/%s", memdev);
    return sys_await(SETTLE_S, "%s", path) &&
           sys_await(SETTLE_S, CXL_SYS "/%s/driver", memdev) ?
           cxl_conn_open_ioctl(path) : NULL;
}

int region_endpoint(char *buf, size_t size, const char *memdev)
{
    char name[64], parent[64];

    /* Ports are numbered in the order of their discovery: look at all */
    for (unsigned i = 1; i < 64; i++) {
        snprintf(name, sizeof(name), "endpoint%u", i);
        if (!sys_link(parent, sizeof(parent), CXL_SYS "/%s/uport", name) &&
            !strcmp(parent, memdev)) {
            snprintf(buf, size, "%s", name);
            return 0;
        }
    }
    return -ENOENT;
}

/* One step of the creation: write and say what failed */
#define STEP(text, ...) do {                                            \
        int step_ = sys_write(text, __VA_ARGS__);                       \
        if (step_) {                                                    \
            char path_[SYS_PATH];                                       \
            snprintf(path_, sizeof(path_), __VA_ARGS__);                \
            tap_note("%s > %s: %s", text, path_, strerror(-step_));     \
            return step_;                                               \
        }                                                               \
    } while (0)

/* The device's next decoder without capacity, "decoder2.1" */
static int free_decoder(char *buf, size_t size, const char *memdev)
{
    char endpoint[64];
    uint64_t used;
    int ret = region_endpoint(endpoint, sizeof(endpoint), memdev);

    for (unsigned i = 0; !ret; i++) {
        snprintf(buf, size, "decoder%s.%u", number_of(endpoint), i);
        ret = sys_read_u64(&used, CXL_SYS "/%s/dpa_size", buf);
        if (!ret && !used) {
            return 0;
        }
    }
    return ret;
}

int region_create(struct ram_region *region, const char *root,
                  const char *memdev)
{
    const struct region_plan plan = {
        .memdev = { memdev }, .ways = 1, .granularity = GRANULARITY,
    };

    return region_create_as(region, root, &plan);
}

int region_create_as(struct ram_region *region, const char *root,
                     const struct region_plan *plan)
{
    char decoder[REGION_WAYS][80], text[32], dir[SYS_PATH];
    uint64_t each = plan->each;
    int ret = 0;

    if (!each) {
        ret = sys_read_u64(&each, CXL_SYS "/%s/ram/size", plan->memdev[0]);
    }
    for (unsigned i = 0; i < plan->ways && !ret; i++) {
        ret = free_decoder(decoder[i], sizeof(decoder[i]), plan->memdev[i]);
    }
    if (!ret) {
        ret = sys_read(region->name, sizeof(region->name),
                       CXL_SYS "/%s/create_ram_region", root);
    }
    if (ret) {
        return ret;
    }
    region->size = each * plan->ways;

    STEP(region->name, CXL_SYS "/%s/create_ram_region", root);
    snprintf(text, sizeof(text), "%u", plan->ways);
    STEP(text, CXL_SYS "/%s/interleave_ways", region->name);
    snprintf(text, sizeof(text), "%u", plan->granularity);
    STEP(text, CXL_SYS "/%s/interleave_granularity", region->name);
    snprintf(text, sizeof(text), "0x%" PRIx64, each);
    for (unsigned i = 0; i < plan->ways; i++) {
        STEP("ram", CXL_SYS "/%s/mode", decoder[i]);
        STEP(text, CXL_SYS "/%s/dpa_size", decoder[i]);
    }
    snprintf(text, sizeof(text), "0x%" PRIx64, region->size);
    STEP(text, CXL_SYS "/%s/size", region->name);
    for (unsigned i = 0; i < plan->ways; i++) {
        STEP(decoder[i], CXL_SYS "/%s/target%u", region->name, i);
    }
    STEP("1", CXL_SYS "/%s/commit", region->name);
    STEP(region->name, "/sys/bus/cxl/drivers/cxl_region/bind");

    ret = sys_read_u64(&region->hpa, CXL_SYS "/%s/resource", region->name);
    if (ret) {
        return ret;
    }
    snprintf(dir, sizeof(dir), CXL_SYS "/%s/dax_region%s", region->name,
             number_of(region->name));
    if (!sys_await(SETTLE_S, "%s", dir)) {
        tap_note("%s does not appear", dir);
        return -ENODEV;
    }
    snprintf(region->dax, sizeof(region->dax), "dax%s.0",
             number_of(region->name));
    return sys_await(SETTLE_S, DAX_SYS "/devices/%s", region->dax) ? 0 :
           -ENODEV;
}

int region_destroy(const struct ram_region *region, const char *root,
                   const struct region_plan *plan)
{
    char decoder[80];
    unsigned index;
    int ret;

    STEP(region->name, "/sys/bus/cxl/drivers/cxl_region/unbind");
    STEP("0", CXL_SYS "/%s/commit", region->name);
    STEP(region->name, CXL_SYS "/%s/delete_region", root);
    /* Capacity of decoders is given back from the last one */
    for (unsigned i = 0; i < plan->ways; i++) {
        ret = free_decoder(decoder, sizeof(decoder), plan->memdev[i]);
        if (ret) {
            return ret;
        }
        index = atoi(strchr(decoder, '.') + 1);
        if (!index) {
            return -ENOENT;
        }
        STEP("0", CXL_SYS "/%.*s.%u/dpa_size",
             (int)strcspn(decoder, "."), decoder, index - 1);
    }
    return 0;
}

void region_of_static(const char *memdev)
{
    struct ram_region region;
    uint64_t size = 0;

    /* Linux 7.3 shows the size of a device without partitions as 1 */
    if (!sys_read_u64(&size, CXL_SYS "/%s/ram/size", memdev) && size <= 1) {
        tap_skip("a region takes the static capacity", "there is none");
        return;
    }
    tap_rc(region_create(&region, "decoder0.0", memdev), 0,
           "a region takes the static capacity");
}

#define BLOCK_STATE "/sys/devices/system/memory/memory%" PRIu64 "/state"

/* Blocks of memory that the kernel makes of the region: [*first, *end) */
static int memory_blocks(const struct ram_region *region, uint64_t *first,
                         uint64_t *end)
{
    char text[32];
    int ret = sys_read(text, sizeof(text),
                       "/sys/devices/system/memory/block_size_bytes");
    uint64_t size;

    if (ret) {
        return ret;
    }
    if (sscanf(text, "%" SCNx64, &size) != 1 || !size) {
        return -EINVAL;
    }
    *first = region->hpa / size;
    *end = (region->hpa + region->size) / size;
    return 0;
}

static bool is_online(uint64_t block)
{
    char state[32];

    return !sys_read(state, sizeof(state), BLOCK_STATE, block) &&
           !strcmp(state, "online");
}

/* Has the kernel put memory of the region to use? */
static bool memory_in_use(const struct ram_region *region)
{
    uint64_t block, end;

    if (memory_blocks(region, &block, &end)) {
        return false;
    }
    while (block < end && !is_online(block)) {
        block++;
    }
    return block < end;
}

/* A dax device is memory for the kernel (kmem) or for programs (device_dax) */
static int bind_dax(const struct ram_region *region, const char *driver)
{
    char now[64];
    int ret;

    /*
     * Linux makes the device in the background, and shows a driver before that
     * one is done.  To unbind it is to wait for it.
     */
    sys_await(SETTLE_S, DAX_SYS "/devices/%s/driver", region->dax);
    if (!sys_link(now, sizeof(now), DAX_SYS "/devices/%s/driver",
                  region->dax)) {
        if (!strcmp(now, driver) && memory_in_use(region)) {
            return 0;
        }
        STEP(region->dax, DAX_SYS "/drivers/%s/unbind", now);
    }
    /* new_id also binds; where it did not, bind by hand */
    ret = sys_write(region->dax, DAX_SYS "/drivers/%s/new_id", driver);
    if (ret && ret != -EEXIST) {
        return ret;
    }
    if (sys_exists(DAX_SYS "/drivers/%s/%s", driver, region->dax)) {
        return 0;
    }
    STEP(region->dax, DAX_SYS "/drivers/%s/bind", driver);
    return 0;
}

int region_dax_device(const struct ram_region *region)
{
    uint64_t block, end;

    /* Memory that the kernel uses must be taken off line first */
    if (!memory_blocks(region, &block, &end)) {
        for (; block < end; block++) {
            sys_write("offline", BLOCK_STATE, block);
        }
    }
    return bind_dax(region, "device_dax");
}

void *region_map(const struct ram_region *region, size_t size, int prot)
{
    char path[64];
    void *mem = MAP_FAILED;
    int fd = -1;

    if (!region_dax_device(region)) {
        snprintf(path, sizeof(path), "/dev/%s", region->dax);
        sys_await(SETTLE_S, "%s", path);
        fd = open(path, O_RDWR | O_CLOEXEC);
        mem = mmap(NULL, size, prot, MAP_SHARED, fd, 0);
    }
    if (mem == MAP_FAILED) {
        tap_note("%s: %s", region->dax, strerror(errno));
    }
    close(fd);
    return mem == MAP_FAILED ? NULL : mem;
}

int region_system_ram(const struct ram_region *region)
{
    uint64_t block, end;
    int ret = bind_dax(region, "kmem");

    if (!ret) {
        ret = memory_blocks(region, &block, &end);
    }
    for (; !ret && block < end; block++) {
        if (sys_exists(BLOCK_STATE, block) && !is_online(block)) {
            STEP("online_movable", BLOCK_STATE, block);
        }
    }
    return ret;
}

int region_node(const struct ram_region *region)
{
    char text[32];
    int ret = sys_read(text, sizeof(text), DAX_SYS "/devices/%s/target_node",
                       region->dax);

    return ret ? ret : atoi(text);
}
