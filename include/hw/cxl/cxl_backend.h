/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host memory backend as the medium of a memory device or a pool: who has it,
 * where its bytes are, and how they become zeroes
 */
#ifndef CXL_BACKEND_H
#define CXL_BACKEND_H

#include "system/hostmem.h"
#include "system/memory.h"

/**
 * struct CXLBackend - a backend and what its user made of it
 * @hostmem: property
 * @mr: its memory, NULL if it is not used
 * @memory: for loads and stores; see cxl_set_place()
 * @size: bytes that are shown as capacity
 * @claimed: by cxl_backend_claim()
 * @migrates: its user registered the memory for migration
 * @keeps_pages: they could not be given back to the host
 */
typedef struct CXLBackend {
    HostMemoryBackend *hostmem;
    MemoryRegion *mr;
    MemoryRegionCache memory;
    uint64_t size;
    bool claimed;
    bool migrates;
    bool keeps_pages;
} CXLBackend;

/**
 * cxl_backend_is_free() - a backend serves as one memory only
 * @property: that names it, for the error
 */
bool cxl_backend_is_free(HostMemoryBackend *backend, const char *property,
                         Error **errp);
/** cxl_backend_claim() - @b->hostmem is nobody else's memory from now on */
void cxl_backend_claim(CXLBackend *b);
/** cxl_backend_release() - @b has no memory now; nothing of it is mapped */
void cxl_backend_release(CXLBackend *b);

/** cxl_backend_can_discard() - pages that are given back read as zeroes */
bool cxl_backend_can_discard(const CXLBackend *b);
/** cxl_backend_outlives_us() - others can see it when QEMU has ended */
bool cxl_backend_outlives_us(const CXLBackend *b);
/** cxl_backends_are_of_another() - a QEMU has them, or still has them */
bool cxl_backends_are_of_another(void);

/**
 * cxl_backend_at() - where is a byte that is stored to next?
 * @offset: of it; where it is in the memory that is returned
 * @n: bytes; so many of them follow it there
 */
MemoryRegionCache *cxl_backend_at(CXLBackend *b, uint64_t *offset, uint64_t *n);

/**
 * cxl_backend_zero() - overwrite the beginning of @len bytes at @offset
 * @budget: bytes that may be written, not 0; dropping pages costs less
 * Return: bytes that read as zeroes now, at least one
 */
uint64_t cxl_backend_zero(CXLBackend *b, uint64_t offset, uint64_t len,
                          uint64_t *budget);

#endif
