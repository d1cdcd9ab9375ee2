/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which parts of the fixed memory windows are plain RAM: what the monitor's
 * query says, and what the machine's memory map says, must be one
 */
#ifndef TESTS_CXL_QTEST_MAP_H
#define TESTS_CXL_QTEST_MAP_H

#include "cxl-qtest.h"
#include "hw/cxl/cxl_hdm.h"

typedef struct CxlRange {
    uint64_t base;
    uint64_t size;
} CxlRange;

/** map_window(), map_bridge() - where window 0 and bridges' registers are */
uint64_t map_window(QTestState *qts);
uint64_t map_bridge(QTestState *qts);

/**
 * map_is() - exactly these @n ranges of window 0 are plain RAM, each beginning
 * @base bytes into it; neighbours count as one range
 */
void map_is(QTestState *qts, const CxlRange *want, unsigned n);

/** map_why() - what the query says about @offset: a trap, or "direct" */
char *map_why(QTestState *qts, uint64_t offset);
#define map_trap_is(qts, offset, why) do {                      \
        g_autofree char *why_ = map_why(qts, offset);           \
        g_assert_cmpstr(why_, ==, why);                         \
    } while (0)

/**
 * map_decode() - program and commit decoder @n
 * @regs: component registers
 * @control: interleave and lock bits
 * @targets: port numbers of a port, one byte each
 */
void map_decode(QTestState *qts, uint64_t regs, unsigned n, uint64_t base,
                uint64_t size, uint32_t control, uint32_t targets);
/** map_control() - write the control register of decoder @n */
void map_control(QTestState *qts, uint64_t regs, unsigned n, uint32_t value);
void map_enable(QTestState *qts, uint64_t regs, bool on);

/**
 * map_pci_bridge() - buses and memory window of a PCI bridge
 * @base: start of the window, a multiple of 1 MiB as its @size
 */
void map_pci_bridge(QTestState *qts, unsigned bus, unsigned dev, unsigned sec,
                    unsigned sub, uint32_t base, uint32_t size);
/**
 * map_pci_bar() - place BAR 0 of a function
 * Return: @base, the component registers
 */
uint64_t map_pci_bar(QTestState *qts, unsigned bus, unsigned dev,
                     uint32_t base);

/** map_pci_slot() - switch the slot of a port, as a guest does */
void map_pci_slot(QTestState *qts, unsigned bus, unsigned dev, bool on);

/**
 * map_memory_file() - memory that the test and a machine can share
 * @path: set to its name for memory-backend-file; g_free() it
 * Return: the file; its name is good until it is closed
 */
int map_memory_file(uint64_t size, char **path);

/**
 * map_backend() - the file of the @n-th memory-backend-memfd of a machine; the
 * bytes of an interleaved set are somewhere else, until map_sets_gone()
 */
int map_backend(QTestState *qts, unsigned n);

/** map_settle() - wait until no memory is on its way to where it belongs */
void map_settle(QTestState *qts);
/** map_has_sets() - is interleaved memory in guest order, or to get there? */
bool map_has_sets(QTestState *qts);
/** map_sets_gone() - no decoder interleaves any more: wait until it is back */
void map_sets_gone(QTestState *qts);

#endif
