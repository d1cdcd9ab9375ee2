/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QOM interface of a memory device as its host and a Fabric Manager reach it:
 * what routing, trapped accesses and direct mapping ask of the device that an
 * address leads to, and where its commands run.  The device calls
 * cxl_direct_update() when answers are not as before.
 */
#ifndef CXL_MEM_TARGET_H
#define CXL_MEM_TARGET_H

#include "system/memory.h"
#include "qapi/qapi-types-cxl.h"
#include "qom/object.h"

#define TYPE_CXL_MEM_TARGET "cxl-mem-target"

/*
 * Mapped pieces per device unless told otherwise: each is a memory slot of
 * KVM, which has 509 in old kernels and 32764 in new ones, for all devices.
 */
#define CXL_DIRECT_RANGES_DEFAULT   256
typedef struct CXLCCI CXLCCI;

/* No structure: a device that has the interface */
typedef struct CXLMemTarget CXLMemTarget;
typedef struct CXLMemTargetClass CXLMemTargetClass;
DECLARE_CLASS_CHECKERS(CXLMemTargetClass, CXL_MEM_TARGET, TYPE_CXL_MEM_TARGET)

/**
 * struct CXLMemSpan - what becomes of accesses to some DPAs of a device
 * @len: bytes, from the address that was asked for on
 * @memory: they go to this backend, NULL if they trap
 * @offset: where in @memory; or in interleaved memory in guest order, see
 *   cxl_set_place()
 * @dynamic: can be taken from the host while the decoders stay as they are
 * @why: reason of the trap
 */
typedef struct CXLMemSpan {
    uint64_t len;
    MemoryRegionCache *memory;
    uint64_t offset;
    bool dynamic;
    CxlMemoryTrap why;
} CXLMemSpan;

/**
 * struct CXLMedium - the memory behind some DPAs, whoever may access it
 * @len: bytes, from the address that was asked for on
 * @memory: its backend, NULL if the bytes must stay where they are
 * @offset: where in @memory
 * @may_drop: pages that are given back to the host read as zeroes then
 * @write_back: others look at it, when the machine stands or is gone
 * @why: reason of traps if they stay
 */
typedef struct CXLMedium {
    uint64_t len;
    MemoryRegionCache *memory;
    uint64_t offset;
    bool may_drop;
    bool write_back;
    CxlMemoryTrap why;
} CXLMedium;

/**
 * struct CXLMemPlace - where a byte of a backend is
 * @set: memory in guest order, NULL if it is in the backend
 * @at: offset there
 * @below, @above: so many bytes before it and behind it lie before it and
 *   behind it there as well
 * @rest: so many bytes of the backend behind it are in the same @set as well
 */
typedef struct CXLMemPlace {
    MemoryRegionCache *set;
    uint64_t at;
    uint64_t below;
    uint64_t above;
    uint64_t rest;
} CXLMemPlace;

/**
 * struct CXLMemTargetClass - methods
 *
 * Callers keep the class beside the device: QOM looks it up by name, which
 * would take longer than an access does.
 */
struct CXLMemTargetClass {
    InterfaceClass parent_class;

    /** @fm_cci: for MCTP endpoints and tunnels */
    CXLCCI *(*fm_cci)(CXLMemTarget *t);

    /**
     * @hdm_registers: HDM decoders, in the CXL.cachemem registers; NULL of a
     * device that is not realized, or on its way out
     */
    const uint32_t *(*hdm_registers)(CXLMemTarget *t);

    /** @map_limit: how many pieces of it may be mapped at most */
    uint32_t (*map_limit)(CXLMemTarget *t);

    /**
     * @span: may @len DPAs from @dpa on be mapped?
     *
     * @len is not 0 and the end does not wrap. The answer is about the first
     * bytes, span->len <= @len. The one rule about it: all that makes an
     * access more than a load or store of the backend stands here.
     *
     * With @whole_pages nobody asks why: accepted capacity without a whole
     * page in it cannot be mapped anyway, and is part of the trap around it,
     * so that the work does not depend on how much there is.
     */
    void (*span)(CXLMemTarget *t, uint64_t dpa, uint64_t len, bool whole_pages,
                 CXLMemSpan *span);

    /**
     * @medium: where are @len DPAs from @dpa on?
     *
     * The answer is about the first bytes, as that of @span is.
     */
    void (*medium)(CXLMemTarget *t, uint64_t dpa, uint64_t len,
                   CXLMedium *medium);

    /** @left_set: there is one set less that had memory of it */
    void (*left_set)(CXLMemTarget *t);

    /**
     * @access: a load or store of up to 8 bytes in one 256-byte chunk
     *
     * @data: of a store the value, of a load the result
     */
    MemTxResult (*access)(CXLMemTarget *t, uint64_t dpa, uint64_t *data,
                          unsigned size, bool write);
};

/** cxl_mem_target_cci() - @fm_cci of any object, NULL if it is no device. */
CXLCCI *cxl_mem_target_cci(Object *obj);

/**
 * cxl_ram_cache - for loads and stores of RAM, as long as there is @mr
 *
 * Its pointer is NULL if stores are not possible.
 */
static inline MemoryRegionCache cxl_ram_cache(MemoryRegion *mr)
{
    return (MemoryRegionCache) {
        .ptr = memory_region_is_rom(mr) ? NULL : memory_region_get_ram_ptr(mr),
        .len = memory_region_size(mr),
        .mrs.mr = mr,
        .is_write = true,
    };
}

/** cxl_set_place - where is the byte at @offset of the backend @memory? */
CXLMemPlace cxl_set_place(const MemoryRegionCache *memory, uint64_t offset);

/** cxl_set_uses - is some of @memory in a set, or to get there? */
bool cxl_set_uses(const MemoryRegionCache *memory);

/** cxl_sets_settle - what is to leave its set does so at once */
void cxl_sets_settle(void);

/** cxl_discard_manage - parts of @mr are mapped, as the host may reach them */
void cxl_discard_manage(MemoryRegion *mr);
/** cxl_discard_leave - they are not any more: others may manage it */
void cxl_discard_leave(MemoryRegion *mr);

/**
 * cxl_direct_update - something changed: bring the mapping up to date
 *
 * The windows change in one memory transaction.  When it returns, nothing is
 * mapped any more that should trap.
 *
 * Return: false if something that does DMA to memory, as an assigned device, is
 * in the way of a new mapping: the processors have it, DMA does not get there
 */
bool cxl_direct_update(void);

/**
 * cxl_direct_topology_changed - the same, and routes may be others
 *
 * For a memory device that is attached or on its way out; decoders report by
 * themselves.
 */
void cxl_direct_topology_changed(void);

#endif /* CXL_MEM_TARGET_H */
