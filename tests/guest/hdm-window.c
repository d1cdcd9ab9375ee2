/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Program an HDM decoder by hand and map what it decodes (CXL r3.2 8.1.9,
 * 8.2.4.20)
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hdm-window.h"
#include "region.h"

/* PCIe: first extended capability, and the kind that CXL uses */
#define EXT_CAPS        0x100
#define EXT_CAP_DVSEC   0x23
#define CONFIG_SIZE     0x1000
#define VENDOR_CXL      0x1e98
/* DVSEC that tells where register blocks are, and the block looked for */
#define DVSEC_LOCATOR   8
#define BLOCK_COMPONENT 1

/* Component register block: CXL.cachemem part and its capability list */
#define BLOCK_SIZE      0x10000
#define CACHEMEM        0x1000
#define CAP_HDM         5

/* HDM decoder capability, byte offsets */
#define HDM_GLOBAL      0x04
#define HDM_ENABLE      (1u << 1)
#define HDM_DECODER(n)  (0x10 + 0x20 * (n))
#define DEC_BASE        0x00
#define DEC_SIZE        0x08
#define DEC_CTRL        0x10
#define DEC_SKIP        0x14
#define CTRL_COMMIT     (1u << 9)
#define CTRL_COMMITTED  (1u << 10)
#define CTRL_HOST_ONLY  (1u << 12)

#define UNIT            (256ull << 20)

struct hdm {
    dev8_t *reg;
    unsigned count;
};

static uint32_t get32(const dev8_t *at)
{
    return *(const dev32_t *)at;
}

static void set32(dev8_t *at, uint32_t value)
{
    *(dev32_t *)at = value;
}

static uint64_t get_pair(const dev8_t *at)
{
    return get32(at) | (uint64_t)get32(at + 4) << 32;
}

static void set_pair(dev8_t *at, uint64_t value)
{
    set32(at, value);
    set32(at + 4, value >> 32);
}

/* Find BAR and offset of the component registers in configuration space */
static int locate(const char *pci, unsigned *bar, uint64_t *offset)
{
    static uint8_t cfg[CONFIG_SIZE];
    char path[PATH_MAX + 16];
    unsigned at, next, hops = CONFIG_SIZE / 8;
    ssize_t n;
    int fd;

    snprintf(path, sizeof(path), "%s/config", pci);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    n = read(fd, cfg, sizeof(cfg));
    close(fd);
    if (n != CONFIG_SIZE) {
        return -EIO;
    }
    for (at = EXT_CAPS; at && at < CONFIG_SIZE - 12 && hops--; at = next) {
        unsigned len = get32(cfg + at + 4) >> 20;

        next = get32(cfg + at) >> 20;
        if ((get32(cfg + at) & 0xffff) != EXT_CAP_DVSEC ||
            (get32(cfg + at + 4) & 0xffff) != VENDOR_CXL ||
            (get32(cfg + at + 8) & 0xffff) != DVSEC_LOCATOR) {
            continue;
        }
        for (unsigned e = at + 0xc;
             e + 8 <= at + len && e + 8 <= CONFIG_SIZE; e += 8) {
            if (((get32(cfg + e) >> 8) & 0xff) == BLOCK_COMPONENT) {
                *bar = get32(cfg + e) & 7;
                *offset = (get32(cfg + e) & 0xffff0000u) |
                          (uint64_t)get32(cfg + e + 4) << 32;
                return 0;
            }
        }
    }
    return -ENOENT;
}

static int map_hdm(const char *memdev, struct hdm *hdm)
{
    char path[SYS_PATH], pci[PATH_MAX], file[PATH_MAX + 16];
    dev8_t *block;
    uint64_t offset = 0;
    unsigned bar = 0;
    int ret, fd;

    snprintf(path, sizeof(path), CXL_SYS "/%s", memdev);
    if (!realpath(path, pci)) {
        return -errno;
    }
    dirname(pci);
    ret = locate(pci, &bar, &offset);
    if (ret) {
        return ret;
    }
    snprintf(file, sizeof(file), "%s/resource%u", pci, bar);
    fd = open(file, O_RDWR | O_SYNC | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    block = mmap(NULL, BLOCK_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                 offset);
    close(fd);
    if (block == MAP_FAILED) {
        return -errno;
    }
    block += CACHEMEM;
    for (unsigned i = get32(block) >> 24; i; i--) {
        uint32_t cap = get32(block + 4 * i);

        if ((cap & 0xffff) == CAP_HDM) {
            hdm->reg = block + (cap >> 20);
            /* Codes: 0 is one decoder, n is 2 * n */
            hdm->count = get32(hdm->reg) & 0xf ?
                         (get32(hdm->reg) & 0xf) * 2 : 1;
            return 0;
        }
    }
    return -ENOENT;
}

/* Use the first uncommitted decoder; it must continue above the others */
static int program(struct hdm *hdm, struct hdm_window *win, uint64_t start,
                   uint64_t end)
{
    uint64_t hpa = start, dpa = 0;
    dev8_t *dec;
    unsigned n;

    for (n = 0; n < hdm->count; n++) {
        uint64_t top;

        dec = hdm->reg + HDM_DECODER(n);
        if (!(get32(dec + DEC_CTRL) & CTRL_COMMITTED)) {
            break;
        }
        top = get_pair(dec + DEC_BASE) + get_pair(dec + DEC_SIZE);
        hpa = top > hpa ? top : hpa;
        dpa += get_pair(dec + DEC_SKIP) + get_pair(dec + DEC_SIZE);
    }
    if (n == hdm->count || hpa > end || win->size > end - hpa ||
        win->dpa < dpa) {
        return -ENOSPC;
    }
    set_pair(dec + DEC_BASE, hpa);
    set_pair(dec + DEC_SIZE, win->size);
    set_pair(dec + DEC_SKIP, win->dpa - dpa);
    set32(hdm->reg + HDM_GLOBAL, get32(hdm->reg + HDM_GLOBAL) | HDM_ENABLE);
    set32(dec + DEC_CTRL, CTRL_HOST_ONLY | CTRL_COMMIT);
    win->hpa = hpa;
    win->decoder = n;
    return 0;
}

/* A component commits within 10 ms; give a loaded emulator much more */
static bool committed(struct hdm *hdm, unsigned n)
{
    dev8_t *ctrl = hdm->reg + HDM_DECODER(n) + DEC_CTRL;

    for (unsigned i = 0; i < 500; i++) {
        if (get32(ctrl) & CTRL_COMMITTED) {
            return true;
        }
        usleep(10000);
    }
    return false;
}

int hdm_window_open(struct hdm_window *win, const char *memdev,
                    const char *root, uint64_t dpa, uint64_t size)
{
    uint64_t start, length;
    struct hdm hdm;
    int fd, ret;

    if (dpa % UNIT || size % UNIT || !size) {
        return -EINVAL;
    }
    win->dpa = dpa;
    win->size = size;
    ret = sys_read_u64(&start, CXL_SYS "/%s/start", root);
    if (!ret) {
        ret = sys_read_u64(&length, CXL_SYS "/%s/size", root);
    }
    if (!ret) {
        ret = map_hdm(memdev, &hdm);
    }
    if (!ret) {
        ret = program(&hdm, win, start, start + length);
    }
    if (ret) {
        return ret;
    }
    if (!committed(&hdm, win->decoder)) {
        return -ETIMEDOUT;
    }
    fd = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    win->mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                    win->hpa);
    close(fd);
    return win->mem == MAP_FAILED ? -errno : 0;
}
