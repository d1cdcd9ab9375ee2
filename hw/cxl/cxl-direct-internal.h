/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Direct mapping of CXL memory: what its files ask of each other, see
 * cxl_direct.h
 */
#ifndef HW_CXL_DIRECT_INTERNAL_H
#define HW_CXL_DIRECT_INTERNAL_H

#include "hw/cxl/cxl_direct.h"
#include "hw/cxl/cxl_type3.h"

/**
 * struct CXLDirectPiece - part of a window that is plain RAM
 * @hpa: host physical address, as @len in whole pages
 * @device: whose memory it is; mapped pieces keep it alive
 * @mr: memory of a backend
 * @offset: where in @mr it begins
 * @dynamic: as in CXLMemSpan
 * @alias: in the window, once it is mapped
 */
typedef struct CXLDirectPiece {
    CXLFixedWindow *fw;
    hwaddr hpa;
    uint64_t len;
    PCIDevice *device;
    MemoryRegion *mr;
    uint64_t offset;
    bool dynamic;
    MemoryRegion *alias;
} CXLDirectPiece;

/**
 * struct CXLDirectFate - what becomes of a range of a window
 * @device: where it leads, NULL for nowhere or to several
 * @dpa: its first byte there
 * @direct: plain RAM
 * @why: reason if it is not
 */
typedef struct CXLDirectFate {
    hwaddr hpa;
    uint64_t len;
    PCIDevice *device;
    uint64_t dpa;
    bool direct;
    CxlMemoryTrap why;
} CXLDirectFate;

/* cxl-direct.c */
GList *cxl_direct_windows(void);
unsigned cxl_direct_mapped(void);
bool cxl_direct_may_map_dynamic(void);

/* cxl-direct-plan.c */

/**
 * cxl_direct_plan() - all pieces that should be mapped, ascending
 * @dynamic: dynamic capacity as well
 */
GArray *cxl_direct_plan(bool dynamic);

/* Return false to end the walk */
typedef bool CXLDirectFateFn(void *opaque, const CXLDirectFate *fate);

/** cxl_direct_explain() - the same, and why all else traps */
void cxl_direct_explain(CXLFixedWindow *fw, CXLDirectFateFn *fn, void *opaque);

#endif /* HW_CXL_DIRECT_INTERNAL_H */
