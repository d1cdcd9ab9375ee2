/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the linker puts in place of memory_region_section_get_iotlb() and
 * iotlb_to_section() of the base, see cxl-tcg-io.c
 */
#ifndef HW_CXL_TCG_IO_H
#define HW_CXL_TCG_IO_H

#include "exec/memory.h"

/**
 * __wrap_memory_region_section_get_iotlb() - a number for an I/O section
 * Return: less than the size of a page, good until @cpu's TLB is flushed
 *   because the memory map changed
 */
hwaddr __wrap_memory_region_section_get_iotlb(CPUState *cpu,
                                              MemoryRegionSection *section);

/** __wrap_iotlb_to_section() - the section with that number, never NULL */
MemoryRegionSection *__wrap_iotlb_to_section(CPUState *cpu, hwaddr index,
                                             MemTxAttrs attrs);

#endif /* HW_CXL_TCG_IO_H */
