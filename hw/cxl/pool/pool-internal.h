/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of a pool: what its source files share with nobody else
 */
#ifndef HW_CXL_POOL_INTERNAL_H
#define HW_CXL_POOL_INTERNAL_H

#include "hw/cxl/cxl_backend.h"
#include "hw/cxl/cxl_events.h"
#include "hw/cxl/cxl_memdev.h"
#include "hw/cxl/cxl_pool.h"

/* Unless a property says otherwise */
#define POOL_HEADS 2

typedef struct CXLPoolRemote CXLPoolRemote;

/**
 * struct CXLPool - see cxl_pool.h
 * @medium: its memory; none if the object is not complete
 * @exit: QEMU is about to end
 * @head: of each, zeroes while there is none
 * @touched: head whose access has changed since the last commit, or NULL
 * @users: of the CCI
 * @chardev: property, NULL: the pool is here
 * @remote: connection to the daemon that has it; @dc is a view then
 */
struct CXLPool {
    Object parent_obj;

    /* properties */
    CXLBackend medium;
    uint16_t nr_heads;
    uint8_t nr_regions;
    uint32_t max_extents;
    uint32_t max_tags;
    uint32_t log_depth;
    uint64_t sn;
    bool fm_on_mailbox;
    CXLDCRegionProps region[CXL_DC_MAX_REGIONS];

    /* medium.c */
    CXLWipe wipe;
    Notifier exit;

    CXLDCConfig config;
    uint64_t place[CXL_DC_MAX_REGIONS];
    CXLDynCap *dc;

    /* heads.c */
    CXLPoolHead *head;
    CXLPoolHead *touched;
    CXLHeads heads;

    /* Fabric Manager */
    CXLTimestamp clock;
    CXLEventLogs events;
    CXLCCI cci;
    unsigned users;

    /* remote.c */
    char *chardev;
    CXLPoolRemote *remote;
};

/* props.c */
void cxl_pool_add_properties(ObjectClass *oc);
void cxl_pool_default_properties(CXLPool *p);

/* heads.c */
extern const CXLDCOps cxl_pool_dc_ops;
CXLCCI *cxl_pool_ld(const CXLHeads *heads, unsigned head);
bool cxl_pool_has_heads(const CXLPool *p);
void cxl_pool_heads_reload(CXLPool *p);

/* remote.c */
/* Asks the daemon what the pool is made of: @config, @place and @medium */
bool cxl_pool_remote_open(CXLPool *p, Error **errp);
void cxl_pool_remote_start(CXLPool *p);
void cxl_pool_remote_close(CXLPool *p);
bool cxl_pool_remote_add_head(CXLPool *p, unsigned head, Error **errp);
void cxl_pool_remote_remove_head(CXLPool *p, unsigned head);
void cxl_pool_remote_reset_head(CXLPool *p, unsigned head);
void cxl_pool_remote_cci(CXLPool *p, unsigned head, CXLCCI *cci);
/* The daemon has yet to hear that a head is gone */
bool cxl_pool_remote_is_left(const CXLPool *p);

/* medium.c */
bool cxl_pool_medium_take(CXLPool *p, Error **errp);
void cxl_pool_medium_drop(CXLPool *p);

/* vmstate.c */
extern const struct VMStateDescription vmstate_cxl_pool;

#endif
