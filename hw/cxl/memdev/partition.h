/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Capacity that is volatile or persistent as the host likes (CXL r3.2
 * 8.2.10.9.2.1, 8.2.10.9.2.2)
 *
 * DPA space has volatile-only memory first, then what can be partitioned: its
 * volatile part, then its persistent part.  Moving the border moves no address:
 * the bytes on its way change their kind.  A model: no QOM, no PCI; the caller
 * holds the BQL.
 */
#ifndef CXL_PARTITION_H
#define CXL_PARTITION_H

#include "qemu/units.h"

/* The border is a multiple of this, the unit of the commands */
#define CXL_PARTITION_UNIT  (256 * MiB)

/**
 * struct CXLPartition - the border, now and after the next reset
 * @dpa: first byte that can be partitioned
 * @size: how many can be, a multiple of the unit; 0: nothing
 * @active: bytes from @dpa on that are volatile
 * @next: @active after the next reset
 */
typedef struct CXLPartition {
    uint64_t dpa;
    uint64_t size;
    uint64_t active;
    uint64_t next;
} CXLPartition;

/** cxl_partition_init() - all of it persistent. */
void cxl_partition_init(CXLPartition *p, uint64_t dpa, uint64_t size);
/**
 * cxl_partition_plan() - the border's place after the next reset
 * @units: volatile ones
 * Return: false, with nothing changed, if there are not so many
 */
bool cxl_partition_plan(CXLPartition *p, uint64_t units);
/**
 * cxl_partition_change() - what the plan would change
 * @dpa, @len: the bytes that get another kind
 * Return: false if none do
 */
bool cxl_partition_change(const CXLPartition *p, uint64_t *dpa, uint64_t *len);
/** cxl_partition_apply() - the plan is in force. */
void cxl_partition_apply(CXLPartition *p);
/** cxl_partition_drop() - no change at the next reset. */
void cxl_partition_drop(CXLPartition *p);

extern const struct VMStateDescription vmstate_cxl_partition;

#endif /* CXL_PARTITION_H */
