/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine with up to four levels between a fixed memory window and memory
 * devices, all branches alike, whose memory the test sees from behind
 */
#ifndef TESTS_CXL_QTEST_TREE_H
#define TESTS_CXL_QTEST_TREE_H

#include "cxl-qtest-map.h"

#define TREE_UNIT       (256 * MiB)
#define TREE_DEVICES    16
#define TREE_PORTS      16
/* One window for each granularity */
#define TREE_GRAINS     7
#define TREE_GRAIN(code) (256u << (code))
/* Half of a device can be skipped by its decoder; in its file, a page */
#define TREE_DEVICE_SIZE (2 * TREE_UNIT)
#define TREE_PAGE       (4 * KiB)

/* Levels that spread memory over what is below them */
enum { TREE_WINDOW, TREE_BRIDGE, TREE_SWITCH, TREE_SWITCH2, TREE_LEVELS };

/**
 * struct Tree - a running machine
 * @ways: branches at each level. 0: no such switch, or one root port and no
 *   decoder; 1: one port and a decoder
 * @private: as given to tree_start()
 * @nr_devices: in the order of their branches, those of bridge hb0 first
 * @window: where each is. Window w names hb(w % n) first, then those after it
 * @window_size: room for a part of every device, and one more
 * @nr_ports, @port: component registers of all switches at a level; those of
 *   the bridges, in an order of the machine's own
 * @device: component registers
 * @fd, @file: memory of each device, shared with QEMU
 * @want: what should be in it
 * @touched: pages (uint64_t) of @want that may hold something
 */
typedef struct Tree {
    const uint8_t *ways;
    bool private;
    QTestState *qts;
    unsigned nr_devices;
    uint64_t window[TREE_GRAINS];
    uint64_t window_size;
    unsigned nr_ports[TREE_LEVELS];
    uint64_t port[TREE_LEVELS][TREE_PORTS];
    uint64_t device[TREE_DEVICES];
    int fd[TREE_DEVICES];
    uint8_t *file[TREE_DEVICES];
    uint8_t *want[TREE_DEVICES];
    GHashTable *touched[TREE_DEVICES];
    unsigned next_bus;
    uint32_t next_mmio;
} Tree;

/**
 * tree_start() - start it and enumerate it; no decoder is set
 * @ways: TREE_LEVELS of them, alive as long as @t
 * @private: no file that others could see, so what is interleaved can be RAM
 */
void tree_start(Tree *t, const uint8_t *ways, bool private);
void tree_stop(Tree *t);
/** tree_ports() - branches at a level, at least one */
unsigned tree_ports(const Tree *t, unsigned level);
/** tree_want() - from now on device @d should hold @byte at @dpa */
void tree_want(Tree *t, unsigned d, uint64_t dpa, uint8_t byte);
/** tree_check() - it does, and nothing else; then all memory is zeroed */
void tree_check(Tree *t);

#endif
