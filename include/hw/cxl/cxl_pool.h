/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pool: dynamic capacity of one medium for several hosts (CXL r3.2 9.13.3,
 * 7.6.7.4 to 7.6.7.6)
 *
 * A user-creatable object that owns the medium, one dynamic capacity model, and
 * the CCI that a Fabric Manager has of it.  Each host reaches it by a head: a
 * memory device, which registers as an NVMe controller does with its subsystem.
 * A head has the logical device, and the host ID, of its own number.
 */
#ifndef CXL_POOL_H
#define CXL_POOL_H

#include "hw/cxl/cxl_cci.h"
#include "hw/cxl/cxl_dc_geometry.h"
#include "hw/cxl/cxl_wipe.h"
#include "qom/object.h"
#include "system/hostmem.h"

#define TYPE_CXL_POOL "cxl-pool"
OBJECT_DECLARE_SIMPLE_TYPE(CXLPool, CXL_POOL)

/**
 * struct CXLPoolHead - a head, as the pool knows it
 * @ops: what its host is told by the model; @sanitize is the pool's
 * @loaded: all of the host's capacity may be different
 * @opaque: for both
 * @ld: CCI of its logical device, whose owner is the head
 */
typedef struct CXLPoolHead {
    const CXLDCOps *ops;
    void (*loaded)(void *opaque);
    void *opaque;
    CXLCCI *ld;
} CXLPoolHead;

/** cxl_pool_config() - of the model; regions are where host base 0 has them. */
const CXLDCConfig *cxl_pool_config(const CXLPool *p);
/** cxl_pool_places() - where each region begins in the memory. */
const uint64_t *cxl_pool_places(const CXLPool *p);
HostMemoryBackend *cxl_pool_backend(const CXLPool *p);
CXLDynCap *cxl_pool_dc(const CXLPool *p);
/** cxl_pool_wipe() - by offset in the memory; heads ask before each access. */
CXLWipe *cxl_pool_wipe(CXLPool *p);
/** cxl_pool_cci() - of the Fabric Manager: the LD pool. */
CXLCCI *cxl_pool_cci(CXLPool *p);
/** cxl_pool_log_depth() - records that its dynamic capacity log holds. */
uint32_t cxl_pool_log_depth(const CXLPool *p);
/** cxl_pool_fm_on_mailbox() - may heads have the FM's commands there? */
bool cxl_pool_fm_on_mailbox(const CXLPool *p);
/** cxl_pool_id() - as the user named it. */
const char *cxl_pool_id(const CXLPool *p);
/** cxl_pool_head() - the head's PCI function, NULL if there is none. */
DeviceState *cxl_pool_head(const CXLPool *p, unsigned head);

/**
 * cxl_pool_can_add_head() - is @head a number of this pool, and free?
 * @errp: names the property
 */
bool cxl_pool_can_add_head(const CXLPool *p, unsigned head, Error **errp);
/**
 * cxl_pool_add_head() - the host of @head can be given capacity from now on
 * @base: where the first region begins in the host's address space
 */
bool cxl_pool_add_head(CXLPool *p, unsigned head, const CXLPoolHead *how,
                       uint64_t base, Error **errp);
/** cxl_pool_remove_head() - and all that its host has is free. */
void cxl_pool_remove_head(CXLPool *p, unsigned head);

/** cxl_pool_reset_head() - conventional or CXL reset of its host. */
void cxl_pool_reset_head(CXLPool *p, unsigned head);

/**
 * cxl_pool_is_remote() - does cxl-poold have it?
 *
 * Then the model is a view of what hosts may access (cxl_dc.h), and there is no
 * CCI for a Fabric Manager here.
 */
bool cxl_pool_is_remote(const CXLPool *p);
/** cxl_pool_set_remote() - commands to a head's mailbox go there, if so. */
void cxl_pool_set_remote(CXLPool *p, unsigned head, CXLCCI *cci);

/** cxl_pool_use() - somebody has its CCI, so that it cannot be deleted. */
void cxl_pool_use(CXLPool *p, bool on);

#endif
