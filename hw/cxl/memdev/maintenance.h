/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Maintenance of a medium: what needs repair, and spares to repair it with
 * (CXL r3.2 8.2.10.7: post package repair and memory sparing)
 *
 * A repair puts something sound in the place of a line, a row, a bank or a
 * rank: poison in there is gone, and so is the need for maintenance.  What DRAM
 * there is is made up: channels, ranks, bank groups, banks, rows and columns
 * follow each other in the address space, each of these in one piece.  A model:
 * no QOM, no PCI; the caller holds the BQL.
 */
#ifndef CXL_MAINTENANCE_H
#define CXL_MAINTENANCE_H

#include "hw/cxl/cxl_events.h"
#include "hw/cxl/memdev/features.h"
#include "hw/cxl/memdev/poison.h"

/* Classes of maintenance; subclasses are numbered in the order of the kinds */
#define CXL_MAINTENANCE_NONE        0
#define CXL_MAINTENANCE_PPR         1
#define CXL_MAINTENANCE_SPARING     2

/* Kinds of repair, in the order of their features */
typedef enum CXLRepairKind {
    CXL_REPAIR_SOFT_PPR,
    CXL_REPAIR_HARD_PPR,
    CXL_REPAIR_CACHELINE,
    CXL_REPAIR_ROW,
    CXL_REPAIR_BANK,
    CXL_REPAIR_RANK,
    CXL_REPAIR_KINDS
} CXLRepairKind;

/* Spares of a new device: few, so that a host comes to see the last of them */
#define CXL_SPARES_PPR              8
#define CXL_SPARES_CACHELINE        16
#define CXL_SPARES_ROW              8
#define CXL_SPARES_BANK             2
#define CXL_SPARES_RANK             1

/* A device has this much of everything; a column is a line of a row */
#define CXL_DRAM_CHANNELS           2
#define CXL_DRAM_RANKS              2
#define CXL_DRAM_BANK_GROUPS        8
#define CXL_DRAM_BANKS              4
#define CXL_DRAM_COLUMNS            128
#define CXL_DRAM_ROW_SIZE           (CXL_DRAM_COLUMNS * CXL_POISON_LINE)
#define CXL_DRAM_ALL_RANKS          (CXL_DRAM_CHANNELS * CXL_DRAM_RANKS)
#define CXL_DRAM_RANK_BANKS         (CXL_DRAM_BANK_GROUPS * CXL_DRAM_BANKS)
#define CXL_DRAM_ALL_BANKS          (CXL_DRAM_ALL_RANKS * CXL_DRAM_RANK_BANKS)

/** struct CXLDramPlace - where a line is */
typedef struct CXLDramPlace {
    uint32_t row;
    uint16_t column;
    uint8_t channel;
    uint8_t rank;
    uint8_t bank_group;
    uint8_t bank;
} CXLDramPlace;

/**
 * struct CXLRepair - what to do
 * @query: only tell whether there is a spare
 * @hard: of sparing: the spare is used up for good
 * @by_device: nobody asked for it
 * @has_nibbles: @nibble_mask is meant
 * @dpa, @len: bytes to repair, see cxl_maintenance_line() and _unit()
 */
typedef struct CXLRepair {
    CXLRepairKind kind;
    bool query;
    bool hard;
    bool by_device;
    bool has_nibbles;
    uint32_t nibble_mask;
    CXLDramPlace place;
    uint64_t dpa;
    uint64_t len;
} CXLRepair;

/**
 * struct CXLMaintenanceOps - what the owner does
 * @replaced: these bytes are on a sound medium now
 * @needed: some record's request for maintenance is open, or none is any more
 * @log: informational record, complete but for handle and time
 */
typedef struct CXLMaintenanceOps {
    void (*replaced)(void *opaque, uint64_t dpa, uint64_t len);
    void (*needed)(void *opaque, bool needed);
    void (*log)(void *opaque, const CXLEventRecord *r);
} CXLMaintenanceOps;

/**
 * struct CXLMaintenance - state
 * @size: bytes of the medium, from DPA 0, in whole rows of all banks
 * @features: says which repairs are logged or start by themselves
 * @left: spares that are free, by kind
 * @lent: spares in use that the next reset frees, by kind
 * @needed: ranges for which maintenance was asked; a set like that of poison
 */
typedef struct CXLMaintenance {
    uint64_t size;
    const CXLFeatures *features;
    const CXLMaintenanceOps *ops;
    void *opaque;
    uint16_t left[CXL_REPAIR_KINDS];
    uint16_t lent[CXL_REPAIR_KINDS];
    CXLPoison needed;
} CXLMaintenance;

/** cxl_maintenance_init() - a new medium of @size bytes with all its spares. */
void cxl_maintenance_init(CXLMaintenance *m, uint64_t size,
                          const CXLFeatures *features,
                          const CXLMaintenanceOps *ops, void *opaque);
void cxl_maintenance_destroy(CXLMaintenance *m);
/**
 * cxl_maintenance_reset() - soft repairs are undone
 *
 * Their spares are free again.  What was repaired is taken for sound until an
 * error shows again.
 */
void cxl_maintenance_reset(CXLMaintenance *m);
/** cxl_maintenance_forget() - no maintenance is needed any more (sanitize). */
void cxl_maintenance_forget(CXLMaintenance *m);

/**
 * cxl_maintenance_note() - a record asks for maintenance of a range
 * @dpa, @len: multiples of %CXL_POISON_LINE; beyond the medium: ignored
 */
void cxl_maintenance_note(CXLMaintenance *m, uint64_t dpa, uint64_t len);

/**
 * cxl_maintenance_line() - @r is to repair the line at @dpa
 * Return: false if that is beyond the medium
 */
bool cxl_maintenance_line(const CXLMaintenance *m, CXLRepair *r, uint64_t dpa);
/**
 * cxl_maintenance_unit() - @r is to repair what its kind and place say
 * Return: false if there is no such place
 */
bool cxl_maintenance_unit(const CXLMaintenance *m, CXLRepair *r);

/**
 * cxl_maintenance_repair() - use a spare, or ask for one
 * Return: CXL_RC_SUCCESS, CXL_RC_RESOURCES_EXHAUSTED
 */
CXLRetCode cxl_maintenance_repair(CXLMaintenance *m, const CXLRepair *r);

/**
 * cxl_maintenance_auto() - the device came by an error at @dpa
 *
 * Takes the smallest repair that hosts allowed it to start and that it has a
 * spare for.
 *
 * Return: false if there is none.
 */
bool cxl_maintenance_auto(CXLMaintenance *m, uint64_t dpa);

/* vmstate_cxl_maintenance - refuses more spares than a device has */
extern const struct VMStateDescription vmstate_cxl_maintenance;

#endif /* CXL_MAINTENANCE_H */
