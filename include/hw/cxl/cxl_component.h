/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL component registers: the 64 KiB block of ports, host bridges and
 * devices, of which the CXL.cachemem part is implemented, and what a
 * component keeps about its DVSECs and its CDAT.
 * CXL r3.2 sections 8.1 and 8.2.4.
 */
#ifndef HW_CXL_CXL_COMPONENT_H
#define HW_CXL_CXL_COMPONENT_H

/* for files that include this one by way of hw/pci/pci_bridge.h */
#include "qapi/error.h"
#include "system/memory.h"
#include "hw/register.h"
#include "qemu/notify.h"
#include "qemu/range.h"
#include "hw/cxl/cxl_cdat.h"
#include "hw/cxl/cxl_hdm.h"
#include "hw/cxl/cxl_pci.h"

/* Layout of the component register block, bytes */
#define CXL_COMPONENT_BLOCK_SIZE        0x10000
#define CXL_CACHEMEM_OFFSET             0x1000
#define CXL_CACHEMEM_SIZE               0x1000
#define CXL_CACHEMEM_REGS               (CXL_CACHEMEM_SIZE / 4)

/* Capability identifiers in the CXL.cachemem block */
#define CXL_CAP_ID_CXL                  1
#define CXL_CAP_ID_RAS                  2
#define CXL_CAP_ID_LINK                 4
#define CXL_CAP_ID_HDM                  5
#define CXL_CAP_ID_EXT_SECURITY         6
#define CXL_CAP_ID_SNOOP_FILTER         8
#define CXL_CAP_ID_BI_ROUTE             11
#define CXL_CAP_ID_BI_DECODER           12

/* Headers of the capability array, offsets in the CXL.cachemem block */
#define CXL_CAP_HEADER                  0x000
#define CXL_CAP_RAS_HEADER              0x004
#define CXL_CAP_LINK_HEADER             0x008
#define CXL_CAP_HDM_HEADER              0x00c
#define CXL_CAP_EXT_SECURITY_HEADER     0x010
#define CXL_CAP_SNOOP_FILTER_HEADER     0x014
#define CXL_CAP_BI_ROUTE_HEADER         0x018
#define CXL_CAP_BI_DECODER_HEADER       0x01c

/* RAS capability, section 8.2.4.17 */
#define CXL_RAS_OFFSET                  0x080
#define CXL_RAS_UNC_STATUS              (CXL_RAS_OFFSET + 0x00)
#define CXL_RAS_UNC_MASK                (CXL_RAS_OFFSET + 0x04)
#define CXL_RAS_UNC_SEVERITY            (CXL_RAS_OFFSET + 0x08)
#define CXL_RAS_COR_STATUS              (CXL_RAS_OFFSET + 0x0c)
#define CXL_RAS_COR_MASK                (CXL_RAS_OFFSET + 0x10)
#define CXL_RAS_CONTROL                 (CXL_RAS_OFFSET + 0x14)
#define CXL_RAS_HEADER_LOG              (CXL_RAS_OFFSET + 0x18)
/* The capability has room for these and no more */
#define CXL_RAS_HEADER_LOG_DWORDS       16

/* Bits that exist: uncorrectable errors 0..11 and 14..16, correctable 0..6 */
#define CXL_RAS_UNC_BITS                0x1cfff
#define CXL_RAS_COR_BITS                0x7f
/* RAS control: first error pointer; several headers can be recorded */
#define CXL_RAS_FIRST_ERROR             0x3f
#define CXL_RAS_MULTIPLE_HEADERS        BIT(9)

/* Link capability: only its place is implemented */
#define CXL_LINK_OFFSET                 0x0d8

/* Behind the largest HDM decoder capability that the architecture allows */
#define CXL_EXT_SECURITY_OFFSET         0x540
#define CXL_SNOOP_FILTER_OFFSET         0x5c8

/* Back-invalidate, sections 8.2.4.26 and 8.2.4.27 */
#define CXL_BI_ROUTE_OFFSET             0xaa8
#define CXL_BI_DECODER_OFFSET           0xab4

/*
 * The two registers base files change fields of after
 * cxl_component_register_init_common(), as word index plus field.
 */
REG32(CXL_HDM_CAPABILITY_HEADER, 0x00c)
    FIELD(CXL_HDM_CAPABILITY_HEADER, ID, 0, 16)
REG32(CXL_HDM_DECODER_CAPABILITY, 0x128)
    FIELD(CXL_HDM_DECODER_CAPABILITY, TARGET_COUNT, 4, 4)

/**
 * enum reg_type - kinds of components
 * @CXL2_RC: host bridge
 * @CXL2_ROOT_PORT: root port
 * @CXL2_UPSTREAM_PORT: upstream port of a switch
 * @CXL2_DOWNSTREAM_PORT: downstream port of a switch
 * @CXL2_TYPE3_DEVICE: memory device
 * @CXL3_SWITCH_MAILBOX_CCI: mailbox function of a switch, DVSECs only
 */
enum reg_type {
    CXL2_RC,
    CXL2_ROOT_PORT,
    CXL2_UPSTREAM_PORT,
    CXL2_DOWNSTREAM_PORT,
    CXL2_TYPE3_DEVICE,
    CXL3_SWITCH_MAILBOX_CCI,
};

typedef struct CXLComponentState CXLComponentState;
typedef struct CXLRASErrors CXLRASErrors;
typedef struct CXLBackInvalidate CXLBackInvalidate;

/**
 * struct ComponentRegisters - the register block
 * @component_registers: the whole block; what a BAR or a host bridge maps
 * @cache_mem_registers: registers of its CXL.cachemem part
 * @cache_mem_regs_write_mask: bits that software may change
 * @owner: component the block belongs to; NULL before
 *   cxl_component_register_block_init()
 */
typedef struct ComponentRegisters {
    MemoryRegion component_registers;
    uint32_t cache_mem_registers[CXL_CACHEMEM_REGS];
    uint32_t cache_mem_regs_write_mask[CXL_CACHEMEM_REGS];
    CXLComponentState *owner;
} ComponentRegisters;

/**
 * struct CXLComponentState - a CXL component; embed it in the device
 * @crb: component registers
 * @pdev: PCI function, NULL for a host bridge
 * @dvsec_offset: where the next DVSEC goes in configuration space
 * @dvsecs: where each DVSEC lies, by identifier
 * @cdat: coherent device attribute table
 * @ras: errors that wait to be read, NULL before there was one
 * @faults: what is armed to change what is read, NULL if nothing is
 * @bi: commits of back-invalidate, NULL if it has nothing to commit
 * @flit_256b: property: its links may have 256-byte flits
 * @hdm_db: of a device a property: its memory may be coherent by
 *   back-invalidate (HDM-DB); of a host bridge: a window to it allows that
 */
struct CXLComponentState {
    ComponentRegisters crb;
    PCIDevice *pdev;
    uint16_t dvsec_offset;
    Range dvsecs[CXL_DVSEC_ID_COUNT];
    CDATObject cdat;
    CXLRASErrors *ras;
    struct CXLFaults *faults;
    CXLBackInvalidate *bi;
    bool flit_256b;
    bool hdm_db;
};

/**
 * cxl_component_register_block_init - create the memory region
 * @obj: owner
 * @cxl: component
 * @type: type name, the region is named after it
 *
 * It is one region with nothing inside: a container would keep its owner from
 * ever being unplugged, and each subregion has all address spaces of the
 * machine laid out anew.
 */
void cxl_component_register_block_init(Object *obj, CXLComponentState *cxl,
                                       const char *type);

/** cxl_component_of - the component that @obj has, NULL if it is none. */
CXLComponentState *cxl_component_of(Object *obj);

/**
 * cxl_component_register_init_common - reset registers and write masks
 * @regs: ComponentRegisters.cache_mem_registers
 * @mask: ComponentRegisters.cache_mem_regs_write_mask
 * @type: kind of component
 *
 * Listeners hear of it if a committed decoder goes away. For that @regs must
 * lie in a ComponentRegisters.
 */
void cxl_component_register_init_common(uint32_t *regs, uint32_t *mask,
                                        enum reg_type type);

/**
 * cxl_component_create_dvsec - append a DVSEC to configuration space
 * @cxl: component; its dvsec_offset advances, its dvsecs[] gains a row
 * @type: kind of component
 * @length: bytes, header included
 * @id: DVSEC identifier, below %CXL_DVSEC_ID_COUNT
 * @rev: DVSEC revision
 * @body: template of @length bytes; its header part is ignored
 *
 * Sets the write mask of every field that the kind of component has writable.
 */
void cxl_component_create_dvsec(CXLComponentState *cxl, enum reg_type type,
                                uint16_t length, uint16_t id, uint8_t rev,
                                uint8_t *body);

/**
 * cxl_decode_add_notifier - hear of every decoding change of any component
 * @n: notifier; its data argument is the CXLComponentState
 *
 * For users that cache a path from window to device. Remove it with
 * notifier_remove().
 */
void cxl_decode_add_notifier(Notifier *n);

/**
 * cxl_component_add_notifier - hear of every component that is realized
 * @n: notifier; its data argument is the component's object
 */
void cxl_component_add_notifier(Notifier *n);

/**
 * cxl_doe_cdat_init - load or build the table
 * @cxl: component; the filename or the callbacks of its cdat are set
 * @errp: error
 *
 * Return: false on error.
 */
bool cxl_doe_cdat_init(CXLComponentState *cxl, Error **errp);

/**
 * cxl_doe_cdat_update - build the table if that was too early before
 * @cxl: component
 * @errp: error
 *
 * Afterwards the table has at least a header.
 */
void cxl_doe_cdat_update(CXLComponentState *cxl, Error **errp);

/**
 * cxl_doe_cdat_release - free the table
 * @cxl: component
 */
void cxl_doe_cdat_release(CXLComponentState *cxl);

/* Migration of the registers; for a VMSTATE_STRUCT() of the device */
extern const struct VMStateDescription vmstate_cxl_component;

/* Of base files: the component inside a host bridge or an upstream port */
CXLComponentState *cxl_get_hb_cstate(PCIHostState *hb);
bool cxl_get_hb_passthrough(PCIHostState *hb);
typedef struct CXLUpstreamPort CXLUpstreamPort;
CXLComponentState *cxl_usp_to_cstate(CXLUpstreamPort *usp);

#endif /* HW_CXL_CXL_COMPONENT_H */
