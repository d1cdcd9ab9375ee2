/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL designated vendor-specific extended capabilities (DVSEC) in PCI
 * configuration space: identifiers, sizes, register layouts.
 * CXL r3.2 section 8.1; PCIe r6.2 section 7.9.6 for the common header.
 *
 * The body structures below are templates for cxl_component_create_dvsec():
 * the caller fills the fields behind @hdr, the function writes the header.
 * Values are in host order; fields sit at their offset from the capability.
 */
#ifndef HW_CXL_CXL_PCI_H
#define HW_CXL_CXL_PCI_H

#include "qemu/compiler.h"

#define CXL_VENDOR_ID                           0x1e98

/* Serial number that means "none": no Device Serial Number capability */
#define CXL_NO_SERIAL                           UINT64_MAX

/* BAR numbers that Linux and existing users find the registers behind */
#define CXL_COMPONENT_REG_BAR_IDX               0
#define CXL_DEVICE_REG_BAR_IDX                  2

/* DVSEC identifier, length in bytes and revision, per kind */
#define CXL_DEVICE_DVSEC                        0
#define CXL_DEVICE_DVSEC_LENGTH                 0x3c
#define CXL_DEVICE_DVSEC_REVID                  3

#define NON_CXL_FUNCTION_MAP_DVSEC              2

#define EXTENSIONS_PORT_DVSEC                   3
#define EXTENSIONS_PORT_DVSEC_LENGTH            0x28
#define EXTENSIONS_PORT_DVSEC_REVID             0

#define GPF_PORT_DVSEC                          4
#define GPF_PORT_DVSEC_LENGTH                   0x10
#define GPF_PORT_DVSEC_REVID                    0

#define GPF_DEVICE_DVSEC                        5
#define GPF_DEVICE_DVSEC_LENGTH                 0x10
#define GPF_DEVICE_DVSEC_REVID                  0

#define PCIE_FLEXBUS_PORT_DVSEC                 7
#define PCIE_CXL3_FLEXBUS_PORT_DVSEC_LENGTH     0x20
#define PCIE_CXL3_FLEXBUS_PORT_DVSEC_REVID      2

#define REG_LOC_DVSEC                           8
#define REG_LOC_DVSEC_LENGTH                    0x24
#define REG_LOC_DVSEC_REVID                     0

#define MLD_DVSEC                               9

/* One past the largest identifier a component here may create */
#define CXL_DVSEC_ID_COUNT                      10

/* Register block identifiers, bits 15:8 of a register locator entry */
#define RBI_EMPTY                               (0 << 8)
#define RBI_COMPONENT_REG                       (1 << 8)
#define RBI_BAR_VIRT_ACL                        (2 << 8)
#define RBI_CXL_DEVICE_REG                      (3 << 8)

/* Port control, in the port extension DVSEC (section 8.1.5.2) */
#define PORT_CONTROL_OFFSET                     0xc
#define PORT_CONTROL_UNMASK_SBR                 1
#define PORT_CONTROL_ALT_MEMID_EN               4

/**
 * struct CXLDVSECHeader - what every DVSEC begins with, 10 bytes
 * @cap_hdr: extended capability header: id 0x23, version, next pointer
 * @dv_hdr1: vendor 15:0, DVSEC revision 19:16, DVSEC length 31:20
 * @dv_hdr2: DVSEC identifier
 */
typedef struct CXLDVSECHeader {
    uint32_t cap_hdr;
    uint32_t dv_hdr1;
    uint16_t dv_hdr2;
} QEMU_PACKED CXLDVSECHeader;
QEMU_BUILD_BUG_ON(sizeof(CXLDVSECHeader) != 10);

/**
 * struct CXLDVSECRange - one HDM range of the device DVSEC, 16 bytes
 * @size_hi: bits 63:32 of the range length
 * @size_lo: bits 31:28 of the length, then valid, active, type and class
 * @base_hi: bits 63:32 of the host physical base
 * @base_lo: bits 31:28 of the host physical base
 */
typedef struct CXLDVSECRange {
    uint32_t size_hi;
    uint32_t size_lo;
    uint32_t base_hi;
    uint32_t base_lo;
} QEMU_PACKED CXLDVSECRange;

/**
 * struct CXLDVSECDevice - PCIe DVSEC for CXL devices, section 8.1.3
 * @hdr: common header
 * @cap: protocols, HDM count and other abilities
 * @ctrl: protocol enables
 * @status: viral status
 * @ctrl2: cache write back, reset and clear controls
 * @status2: cache invalid, reset complete
 * @lock: bit 0 locks the configuration
 * @cap2: cache size
 * @range: HDM ranges 1 and 2
 * @cap3: revision 3 abilities
 * @rsvd: pads the capability to its length
 */
typedef struct CXLDVSECDevice {
    CXLDVSECHeader hdr;
    uint16_t cap;
    uint16_t ctrl;
    uint16_t status;
    uint16_t ctrl2;
    uint16_t status2;
    uint16_t lock;
    uint16_t cap2;
    CXLDVSECRange range[2];
    uint16_t cap3;
    uint16_t rsvd;
} QEMU_PACKED CXLDVSECDevice;
QEMU_BUILD_BUG_ON(sizeof(CXLDVSECDevice) != CXL_DEVICE_DVSEC_LENGTH);

/** struct CXLDVSECPortExt - extensions DVSEC for ports, section 8.1.5 */
typedef struct CXLDVSECPortExt {
    /** @hdr: common header */
    CXLDVSECHeader hdr;
    /** @status: bit 0: port power management initialised */
    uint16_t status;
    /** @control: %PORT_CONTROL_UNMASK_SBR, %PORT_CONTROL_ALT_MEMID_EN */
    uint16_t control;
    /** @alt_bus_base: alternate bus range, first */
    uint8_t  alt_bus_base;
    /** @alt_bus_limit: alternate bus range, last */
    uint8_t  alt_bus_limit;
    /** @alt_memory_base: alternate memory range, first */
    uint16_t alt_memory_base;
    /** @alt_memory_limit: alternate memory range, last */
    uint16_t alt_memory_limit;
    /** @alt_prefetch_base: alternate prefetchable range, first */
    uint16_t alt_prefetch_base;
    /** @alt_prefetch_limit: alternate prefetchable range, last */
    uint16_t alt_prefetch_limit;
    /** @alt_prefetch_base_high: upper half of the above */
    uint32_t alt_prefetch_base_high;
    /** @alt_prefetch_limit_high: upper half of the above */
    uint32_t alt_prefetch_limit_high;
    /** @rcrb_base: root complex register block base */
    uint32_t rcrb_base;
    /** @rcrb_base_high: upper half of the above */
    uint32_t rcrb_base_high;
} QEMU_PACKED CXLDVSECPortExt;
QEMU_BUILD_BUG_ON(sizeof(CXLDVSECPortExt) != EXTENSIONS_PORT_DVSEC_LENGTH);

/**
 * struct CXLDVSECPortGPF - global persistent flush, ports, section 8.1.6
 * @hdr: common header
 * @rsvd: zero
 * @phase1_ctrl: time-out of phase 1: base 3:0, scale 11:8
 * @phase2_ctrl: the same for phase 2
 */
typedef struct CXLDVSECPortGPF {
    CXLDVSECHeader hdr;
    uint16_t rsvd;
    uint16_t phase1_ctrl;
    uint16_t phase2_ctrl;
} QEMU_PACKED CXLDVSECPortGPF;
QEMU_BUILD_BUG_ON(sizeof(CXLDVSECPortGPF) != GPF_PORT_DVSEC_LENGTH);

/**
 * struct CXLDVSECDeviceGPF - global persistent flush, devices, section 8.1.7
 * @hdr: common header
 * @phase2_duration: time base 3:0, scale 11:8
 * @phase2_power: mW
 */
typedef struct CXLDVSECDeviceGPF {
    CXLDVSECHeader hdr;
    uint16_t phase2_duration;
    uint32_t phase2_power;
} QEMU_PACKED CXLDVSECDeviceGPF;
QEMU_BUILD_BUG_ON(sizeof(CXLDVSECDeviceGPF) != GPF_DEVICE_DVSEC_LENGTH);

/** struct CXLDVSECPortFlexBus - flex bus port DVSEC, section 8.1.8 */
typedef struct CXLDVSECPortFlexBus {
    /** @hdr: common header */
    CXLDVSECHeader hdr;
    /** @cap: protocols the port can speak */
    uint16_t cap;
    /** @ctrl: protocols it may speak */
    uint16_t ctrl;
    /** @status: protocols it speaks */
    uint16_t status;
    /** @rcvd_mod_ts_data_phase1: received modified training set data */
    uint32_t rcvd_mod_ts_data_phase1;
    /** @cap2: further abilities */
    uint32_t cap2;
    /** @ctrl2: further enables */
    uint32_t ctrl2;
    /** @status2: further status */
    uint32_t status2;
} QEMU_PACKED CXLDVSECPortFlexBus;
QEMU_BUILD_BUG_ON(sizeof(CXLDVSECPortFlexBus) !=
                  PCIE_CXL3_FLEXBUS_PORT_DVSEC_LENGTH);

/** struct CXLDVSECRegisterLocator - where the register blocks are, 8.1.9 */
typedef struct CXLDVSECRegisterLocator {
    /** @hdr: common header */
    CXLDVSECHeader hdr;
    /** @rsvd: zero */
    uint16_t rsvd;
    /** @reg0_base_lo: BAR number 2:0, block identifier 15:8, offset 31:16 */
    uint32_t reg0_base_lo;
    /** @reg0_base_hi: upper half of the offset */
    uint32_t reg0_base_hi;
    /** @reg1_base_lo: second entry */
    uint32_t reg1_base_lo;
    /** @reg1_base_hi: second entry */
    uint32_t reg1_base_hi;
    /** @reg2_base_lo: third entry */
    uint32_t reg2_base_lo;
    /** @reg2_base_hi: third entry */
    uint32_t reg2_base_hi;
} QEMU_PACKED CXLDVSECRegisterLocator;
QEMU_BUILD_BUG_ON(sizeof(CXLDVSECRegisterLocator) != REG_LOC_DVSEC_LENGTH);

#endif /* HW_CXL_CXL_PCI_H */
