/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Creation of CXL DVSECs in PCI configuration space, with the write mask of
 * each field. CXL r3.2 section 8.1.
 */
#include "qemu/osdep.h"
#include "hw/pci/pci_device.h"
#include "hw/pci/pcie.h"
#include "hw/cxl/cxl.h"

/* PCIe r6.2 section 7.9.6 */
#define DVSEC_CAP_VERSION       1
#define DVSEC_HEADER1           0x04
#define DVSEC_HEADER2           0x08
#define DVSEC_BODY              sizeof(CXLDVSECHeader)

#define ALL                     UINT32_MAX

/* Kinds of components that have a field writable */
#define RP                      (1 << CXL2_ROOT_PORT)
#define USP                     (1 << CXL2_UPSTREAM_PORT)
#define DSP                     (1 << CXL2_DOWNSTREAM_PORT)
#define DEV                     (1 << CXL2_TYPE3_DEVICE)

#define PORTS                   (RP | USP | DSP)

static const struct {
    uint8_t id;
    uint8_t offset;
    uint8_t size;
    uint8_t kinds;
    uint32_t mask;
} writable[] = {
    /* Device: lock and the read-only-when-locked rule are the device's */
    { CXL_DEVICE_DVSEC, offsetof(CXLDVSECDevice, ctrl), 2, DEV, 0x4ffd },
    { CXL_DEVICE_DVSEC, offsetof(CXLDVSECDevice, ctrl2), 2, DEV, 0x000f },
    { CXL_DEVICE_DVSEC, offsetof(CXLDVSECDevice, lock), 2, DEV, 0x0001 },
    { CXL_DEVICE_DVSEC, offsetof(CXLDVSECDevice, range[0].base_hi), 4, DEV,
      ALL },
    { CXL_DEVICE_DVSEC, offsetof(CXLDVSECDevice, range[0].base_lo), 4, DEV,
      0xf0000000 },
    { CXL_DEVICE_DVSEC, offsetof(CXLDVSECDevice, range[1].base_hi), 4, DEV,
      ALL },
    { CXL_DEVICE_DVSEC, offsetof(CXLDVSECDevice, range[1].base_lo), 4, DEV,
      0xf0000000 },

    /* SBR, link disable, alternate memory and bus master; viral enable */
    { EXTENSIONS_PORT_DVSEC, offsetof(CXLDVSECPortExt, control), 2, PORTS,
      0x400f },
    { EXTENSIONS_PORT_DVSEC, offsetof(CXLDVSECPortExt, alt_bus_base), 1, PORTS,
      ALL },
    { EXTENSIONS_PORT_DVSEC, offsetof(CXLDVSECPortExt, alt_bus_limit), 1, PORTS,
      ALL },
    { EXTENSIONS_PORT_DVSEC, offsetof(CXLDVSECPortExt, alt_memory_base), 2,
      PORTS, 0xfff0 },
    { EXTENSIONS_PORT_DVSEC, offsetof(CXLDVSECPortExt, alt_memory_limit), 2,
      PORTS, 0xfff0 },
    { EXTENSIONS_PORT_DVSEC, offsetof(CXLDVSECPortExt, alt_prefetch_base), 2,
      PORTS, 0xfff0 },
    { EXTENSIONS_PORT_DVSEC, offsetof(CXLDVSECPortExt, alt_prefetch_limit), 2,
      PORTS, 0xfff0 },
    { EXTENSIONS_PORT_DVSEC, offsetof(CXLDVSECPortExt, alt_prefetch_base_high),
      4, PORTS, ALL },
    { EXTENSIONS_PORT_DVSEC, offsetof(CXLDVSECPortExt, alt_prefetch_limit_high),
      4, PORTS, ALL },
    /* Bit 0 enables, the block is 8 KiB aligned */
    { EXTENSIONS_PORT_DVSEC, offsetof(CXLDVSECPortExt, rcrb_base), 4, PORTS,
      0xffffe001 },
    { EXTENSIONS_PORT_DVSEC, offsetof(CXLDVSECPortExt, rcrb_base_high), 4,
      PORTS, ALL },

    /* Linux writes these time-outs when a persistent memory device binds */
    { GPF_PORT_DVSEC, offsetof(CXLDVSECPortGPF, phase1_ctrl), 2, RP | DSP,
      0x0f0f },
    { GPF_PORT_DVSEC, offsetof(CXLDVSECPortGPF, phase2_ctrl), 2, RP | DSP,
      0x0f0f },
    { GPF_DEVICE_DVSEC, offsetof(CXLDVSECDeviceGPF, phase2_duration), 2, DEV,
      0x0f0f },
    { GPF_DEVICE_DVSEC, offsetof(CXLDVSECDeviceGPF, phase2_power), 4, DEV,
      ALL },

    /* CXL.io (bit 1) cannot be switched off; a root port keeps bit 6, too */
    { PCIE_FLEXBUS_PORT_DVSEC, offsetof(CXLDVSECPortFlexBus, ctrl), 2, RP,
      0x00bd },
    { PCIE_FLEXBUS_PORT_DVSEC, offsetof(CXLDVSECPortFlexBus, ctrl), 2, DSP,
      0x00fd },
};

void cxl_component_create_dvsec(CXLComponentState *cxl, enum reg_type type,
                                uint16_t length, uint16_t id, uint8_t rev,
                                uint8_t *body)
{
    PCIDevice *pdev = cxl->pdev;
    uint16_t offset = cxl->dvsec_offset;
    uint8_t *config = pdev->config + offset;

    /* Called by realize functions with constants, not with outside input */
    assert(id < CXL_DVSEC_ID_COUNT && length > DVSEC_BODY);
    assert(offset >= PCI_CONFIG_SPACE_SIZE &&
           offset + length <= PCIE_CONFIG_SPACE_SIZE);

    pcie_add_capability(pdev, PCI_EXT_CAP_ID_DVSEC, DVSEC_CAP_VERSION,
                        offset, length);
    pci_set_long(config + DVSEC_HEADER1,
                 length << 20 | (rev & 0xf) << 16 | CXL_VENDOR_ID);
    pci_set_word(config + DVSEC_HEADER2, id);
    memcpy(config + DVSEC_BODY, body + DVSEC_BODY, length - DVSEC_BODY);

    for (int i = 0; i < ARRAY_SIZE(writable); i++) {
        if (writable[i].id == id && (writable[i].kinds & (1 << type))) {
            for (int byte = 0; byte < writable[i].size; byte++) {
                pdev->wmask[offset + writable[i].offset + byte] =
                    writable[i].mask >> (8 * byte);
            }
        }
    }

    range_init_nofail(&cxl->dvsecs[id], offset, length);
    cxl->dvsec_offset = offset + length;
}
