/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL.io requests of a Fabric Manager to a function: configuration and memory
 * (CXL r3.2 7.6.7.1.4, 7.6.7.3.2, 7.6.7.3.3; PCIe r6.2 2.2.5 for byte enables)
 */
#ifndef CXL_SWITCH_IO_REQUEST_H
#define CXL_SWITCH_IO_REQUEST_H

#include "hw/pci/pci_device.h"

/* The three bytes that say which register, what of it and which way */
#define CXL_IO_CONFIG_REGISTER(v)   ((v) & 0xfff)
#define CXL_IO_FIRST_BE(v)          ((v) >> 12 & 0xf)
#define CXL_IO_LAST_BE(v)           ((v) >> 16 & 0xf)
#define CXL_IO_WRITE                (1u << 23)

/* Longest request for memory in bytes: what a PCIe packet carries */
#define CXL_IO_MEMORY_MAX           4096

/**
 * cxl_io_config() - access one dword of a function's configuration space
 * @what: register in bytes, byte enables and direction, as in 5103h and 5301h;
 *        the low two bits of the register do not count
 * @data: to write
 *
 * Bytes side by side that are enabled are one access, as registers may want.
 * What the function refuses to change stays.
 *
 * Return: what was read, disabled bytes as zero; 0 after a write
 */
uint32_t cxl_io_config(PCIDevice *pci, uint32_t what, uint32_t data);

/**
 * struct CXLIOMemory - a request for memory
 * @addr: PCI memory address, of any alignment
 * @len: bytes, 1 to %CXL_IO_MEMORY_MAX
 * @first_be: which bytes of the first dword that the range touches
 * @last_be: of the last one, if there are two or more
 */
typedef struct CXLIOMemory {
    uint64_t addr;
    uint16_t len;
    uint8_t first_be;
    uint8_t last_be;
} CXLIOMemory;

/**
 * cxl_io_read(), cxl_io_write() - access memory of a function
 * @data: @req->len bytes; what is disabled reads as zero
 *
 * Return: false if no memory BAR of the function has all of the range, or
 * registers there do not take such accesses: nothing was done then.  Also
 * false if a register refuses a value, after those in front of it were done.
 */
bool cxl_io_read(PCIDevice *pci, const CXLIOMemory *req, uint8_t *data);
bool cxl_io_write(PCIDevice *pci, const CXLIOMemory *req, const uint8_t *data);

#endif /* CXL_SWITCH_IO_REQUEST_H */
