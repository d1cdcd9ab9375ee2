/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL Type 3 memory device: its structure, and what its files ask of each other
 *
 * Only hw/mem/cxl_type3*.c include this; all others use cxl_mem_target.h.
 */
#ifndef HW_MEM_CXL_TYPE3_INTERNAL_H
#define HW_MEM_CXL_TYPE3_INTERNAL_H

#include "qapi/qapi-types-cxl.h"
#include "qemu/interval-tree.h"
#include "hw/cxl/cxl.h"
#include "hw/cxl/cxl_backend.h"
#include "hw/cxl/cxl_component.h"
#include "hw/cxl/cxl_dc_geometry.h"
#include "hw/cxl/cxl_events.h"
#include "hw/cxl/cxl_fault.h"
#include "hw/cxl/cxl_mailbox.h"
#include "hw/cxl/cxl_mem_target.h"
#include "hw/cxl/cxl_memdev.h"
#include "hw/cxl/cxl_pool.h"
#include "hw/cxl/cxl_wipe.h"
#include "hw/deferred.h"
#include "hw/pci/msix.h"
#include "hw/pci/pci_device.h"
#include "qom/object.h"

#define TYPE_CXL_TYPE3 "cxl-type3"
OBJECT_DECLARE_SIMPLE_TYPE(CXLType3Dev, CXL_TYPE3)

/*
 * Largest payload of the device's out-of-band CCI: what a switch takes at its
 * endpoint as well.  101 extents fit, and a tunnel for the longest command of
 * the mailbox.  MCTP itself ends at %MCTP_MESSAGE_MAX; but a message of 4109
 * bytes is 65 packets, half a second on a slow bus, and clients give up after
 * two.
 */
#define CXL_TYPE3_FM_PAYLOAD_SIZE 4096
/*
 * Largest payload of a logical device's CCI: half, because a tunnel takes 16
 * bytes of the other's, and a power of two.
 */
#define CXL_TYPE3_LD_PAYLOAD_SIZE (CXL_TYPE3_FM_PAYLOAD_SIZE / 2)

/* Capacity is counted and HDM decoders are sized in this unit */
#define CXL_TYPE3_GRANULE       (256 * MiB)

/* Property head of a device that is none */
#define CXL_TYPE3_NO_HEAD       UINT16_MAX

/* Configuration space: where guests of earlier releases found things */
#define CXL_TYPE3_CFG_PCIE      0x80
#define CXL_TYPE3_CFG_DSN       0x100
#define CXL_TYPE3_CFG_DOE       0x190
#define CXL_TYPE3_CFG_AER       0x200

/* Records that each log of errors holds; the dynamic capacity log has a knob */
#define CXL_TYPE3_LOG_DEPTH     8
#define CXL_TYPE3_DC_LOG_DEPTH  1024

/*
 * MSI-X vectors.  Message number fields have four bits, and guests were given
 * eight vectors so far.  Vector 1 stays unused.
 */
typedef enum CXLType3Vector {
    CXL_TYPE3_VEC_DOE           = 0,
    CXL_TYPE3_VEC_LOG_INFO      = 2,
    CXL_TYPE3_VEC_LOG_WARN      = 3,
    CXL_TYPE3_VEC_LOG_FAIL      = 4,
    CXL_TYPE3_VEC_LOG_FATAL     = 5,
    CXL_TYPE3_VEC_LOG_DYNCAP    = 6,
    CXL_TYPE3_VEC_BACKGROUND    = 7,
    CXL_TYPE3_VECTORS           = 8,
} CXLType3Vector;

/**
 * struct CXLType3Wipe - what reads as zeroes, but is not overwritten yet
 * @set: of places, see cxl_type3_wipe.c
 * @exit: QEMU is about to end
 * @next: in the list of unplugged devices that have not overwritten all
 */
typedef struct CXLType3Wipe {
    CXLWipe set;
    Notifier exit;
    QLIST_ENTRY(CXLType3Dev) next;
} CXLType3Wipe;

/**
 * struct CXLType3Run - accepted dynamic capacity in one row
 * @node: first and last address
 * @whole: the same, if there is a whole page in it
 * @offset: where it begins in the backend
 * @region: all of it is in this region
 */
typedef struct CXLType3Run {
    IntervalTreeNode node;
    IntervalTreeNode whole;
    uint64_t offset;
    int region;
} CXLType3Run;

/**
 * struct CXLType3Direct - what the device keeps for direct mapping
 * @attached: between realize and exit
 * @changed: in the middle of an operation that changes who may access what
 * @ranges: property: how many pieces may be mapped at most
 * @run: every CXLType3Run; none goes on in another one
 * @whole: those with a whole page in them
 */
typedef struct CXLType3Direct {
    bool attached;
    bool changed;
    uint32_t ranges;
    IntervalTreeRoot run;
    IntervalTreeRoot whole;
} CXLType3Direct;

/**
 * struct CXLType3Reports - monitor events about a host's answers
 * @timer: ends the second in which there were too many; NULL if none was
 * @since: begin of the current second, virtual clock
 * @sent: events sent in it
 * @lost: events not sent in it
 * @queue: CXLType3Report of events to be sent after the operation
 * @deferred: sends them
 */
typedef struct CXLType3Reports {
    QEMUTimer *timer;
    int64_t since;
    uint32_t sent;
    uint64_t lost;
    GQueue queue;
    DeviceDeferred deferred;
} CXLType3Reports;

struct CXLType3Dev {
    /*< private >*/
    PCIDevice parent_obj;

    /* properties */
    HostMemoryBackend *memdev;
    CXLBackend vmem;
    CXLBackend pmem;
    CXLBackend lsa;
    CXLBackend dcmem;
    CXLPool *pool;
    uint16_t head;
    uint64_t sn;
    PCIExpLinkSpeed speed;
    PCIExpLinkWidth width;
    uint8_t nr_dc_regions;
    uint32_t dc_max_extents;
    uint32_t dc_max_tags;
    uint32_t dc_log_depth;
    bool fm_on_mailbox;
    uint32_t mailbox_payload;
    uint8_t bg_time_scale;
    bool partitionable;
    bool guest_order_files;
    CXLDCRegionProps dc_prop[CXL_DC_MAX_REGIONS];

    /* registers and command interfaces */
    CXLComponentState cxl;
    CXLDeviceRegs regs;
    DOECap doe;
    CXLCCI mailbox_cci;
    CXLCCI fm_cci;
    CXLCCI ld_cci;

    /* models */
    CXLMemDev *mem;
    CXLDCConfig dc_config;
    uint64_t dc_offset[CXL_DC_MAX_REGIONS]; /* of each region in dcmem */
    CXLDynCap *dc;
    CXLType3Reports reports;
    CXLType3Direct direct;
    CXLType3Wipe wipe;

    uint32_t cdat_sum;          /* of a table from a file, for migration */
};

/* cxl_type3.c */
/* Every model as at power-on, whatever it holds: a load has failed */
void cxl_type3_models_forget(CXLType3Dev *d);

/* cxl_type3_pci.c */
bool cxl_type3_pci_realize(CXLType3Dev *d, Error **errp);
void cxl_type3_pci_exit(CXLType3Dev *d);
void cxl_type3_pci_reset(CXLType3Dev *d);
uint32_t cxl_type3_config_read(PCIDevice *pci, uint32_t addr, int size);
void cxl_type3_config_write(PCIDevice *pci, uint32_t addr, uint32_t value,
                            int size);
bool cxl_type3_cdat_realize(CXLType3Dev *d, Error **errp);
/* Members of CXLMemDevOps */
void cxl_type3_partition_moved(void *opaque);
void cxl_type3_irq(void *opaque, unsigned vector);

/* cxl_type3_mem.c */
bool cxl_type3_mem_realize(CXLType3Dev *d, Error **errp);
void cxl_type3_mem_unplug(CXLType3Dev *d);
void cxl_type3_mem_exit(CXLType3Dev *d);
/* Some of it is not in its backend */
bool cxl_type3_mem_in_set(const CXLType3Dev *d);
/* Static capacity: the backend of @dpa, or NULL; @len ends with it at most */
CXLBackend *cxl_type3_static_at(CXLType3Dev *d, uint64_t dpa, uint64_t *len,
                                uint64_t *offset);
/* Method of CXLMemTargetClass */
MemTxResult cxl_type3_access(CXLMemTarget *t, uint64_t dpa, uint64_t *data,
                             unsigned size, bool write);
/* Members of CXLMemDevOps */
uint64_t cxl_type3_zero(void *opaque, uint64_t dpa, uint64_t len,
                        uint64_t *budget);
bool cxl_type3_store_line(void *opaque, uint64_t dpa, const uint8_t *line);
void cxl_type3_lsa_read(void *opaque, uint64_t offset, void *buf, size_t n);
void cxl_type3_lsa_write(void *opaque, uint64_t offset, const void *buf,
                         size_t n);

/* cxl_type3_wipe.c */
/* Members of CXLMemDevOps */
void cxl_type3_wipe(void *opaque, uint64_t dpa, uint64_t len);
void cxl_type3_wipe_begin(void *opaque);
void cxl_type3_wipe_all(void *opaque);
bool cxl_type3_is_wiping(void *opaque);
void cxl_type3_wipe_init(CXLType3Dev *d);
/* Overwrites what is left at once */
void cxl_type3_wipe_exit(CXLType3Dev *d);
void cxl_type3_wipe_outlive(CXLType3Dev *d);
void cxl_type3_wipe_settle(const HostMemoryBackend *backend);
/* Before the device itself loads or stores, for a trap or a command */
void cxl_type3_wipe_touch(CXLType3Dev *d, CXLBackend *m, uint64_t offset,
                          uint64_t n);
/* Method of CXLMemTargetClass */
void cxl_type3_left_set(CXLMemTarget *t);
/* After @skip bytes from @offset, @len must not be reached as RAM */
bool cxl_type3_wipe_next(CXLType3Dev *d, const CXLBackend *m, uint64_t offset,
                         uint64_t *skip, uint64_t *len);

/* cxl_type3_dc.c */
bool cxl_type3_dc_configure(CXLType3Dev *d, Error **errp);
bool cxl_type3_dc_realize(CXLType3Dev *d, Error **errp);
void cxl_type3_dc_exit(CXLType3Dev *d);
void cxl_type3_dc_reset(CXLType3Dev *d);
void cxl_type3_dc_forget(CXLType3Dev *d);
bool cxl_type3_dc_backend_offset(const CXLType3Dev *d, uint64_t dpa,
                                 uint64_t len, uint64_t *offset);
/* Region that holds all of the range, or -1 */
int cxl_type3_dc_region_of(const CXLType3Dev *d, uint64_t dpa, uint64_t len);
/* An extent of @host as the monitor shows it; the caller frees it */
CxlDynamicCapacityRange *cxl_type3_dc_range(const CXLDynCap *dc, uint16_t host,
                                            const CXLDCExtent *e);
extern const VMStateDescription vmstate_cxl_type3_reports;

/* cxl_type3_pool.c: what is different in a head of a pool */
bool cxl_type3_pool_check(CXLType3Dev *d, Error **errp);
void cxl_type3_pool_mem_take(CXLType3Dev *d);
void cxl_type3_pool_mem_drop(CXLType3Dev *d);
/* Of memory that is the pool's, else NULL */
CXLWipe *cxl_type3_pool_wipe_of(CXLType3Dev *d, const CXLBackend *m);
void cxl_type3_pool_wipe_all(CXLType3Dev *d);
/* @base: where the first region begins */
void cxl_type3_pool_configure(CXLType3Dev *d, uint64_t base);
bool cxl_type3_pool_realize(CXLType3Dev *d, const CXLDCOps *ops, Error **errp);
void cxl_type3_pool_exit(CXLType3Dev *d);

/* cxl_type3_direct.c */
void cxl_type3_direct_class_init(ObjectClass *oc);
void cxl_type3_direct_attach(CXLType3Dev *d);
void cxl_type3_direct_detach(CXLType3Dev *d);
/* Dynamic capacity was accepted or is gone; cxl_type3_direct_settle() maps */
void cxl_type3_direct_access(CXLType3Dev *d, const CXLDCRange *range, bool on);
/*
 * All of it as far as it is mapped, for DMA too; false, and none, if what does
 * DMA cannot have it
 */
bool cxl_type3_direct_reserve(CXLType3Dev *d, const CXLDCRange *range,
                              const uint64_t *media, size_t n);
void cxl_type3_direct_settle(CXLType3Dev *d);
/*
 * Is the byte at @dpa no memory for any host, and @why?  @len: bytes of which
 * that is asked, and then how many from @dpa on are alike
 */
bool cxl_type3_is_barred(CXLType3Dev *d, uint64_t dpa, uint64_t *len,
                         CxlMemoryTrap *why);
/* Members of CXLMemDevOps */
bool cxl_type3_is_decoded(void *opaque, uint64_t dpa, uint64_t len);
void cxl_type3_map_changed(void *opaque);
/* All of it may be different: a state was loaded */
void cxl_type3_direct_reload(CXLType3Dev *d);

/* cxl_type3_qmp_events.c */
/* @path NULL: the only device */
CXLType3Dev *cxl_type3_from_path(const char *path, Error **errp);

/* cxl_type3_props.c */
void cxl_type3_add_properties(DeviceClass *dc);

/* cxl_type3_vmstate.c */
extern const VMStateDescription vmstate_cxl_type3;
/* A member of CXLMemDevOps */
void cxl_type3_populate_dump(void *opaque);

#endif /* HW_MEM_CXL_TYPE3_INTERNAL_H */
