/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 00h: Information and Status (CXL r3.2 8.2.10.1)
 */
#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "hw/pci/pci_device.h"
#include "hw/pci/pci_regs.h"
#include "hw/pci/pcie.h"
#include "hw/cxl/cxl_pci.h"
#include "cmd-sets.h"

#define COMPONENT_SWITCH    0x00
#define COMPONENT_TYPE3     0x03
/* Device Serial Number capability: the two halves follow the header */
#define DSN_LOW             4
#define DSN_HIGH            8

/* log2 of the largest message of this CCI, as 0001h and 0003h report it */
static uint8_t infostat_message_shift(const CXLCCI *cci)
{
    return 31 - clz32(cci->payload_max);
}

static uint8_t infostat_response_shift(const CXLCCI *cci)
{
    return cci->response_limit ?: infostat_message_shift(cci);
}

static uint64_t infostat_serial_number(PCIDevice *pci)
{
    uint16_t at = pcie_find_capability(pci, PCI_EXT_CAP_ID_DSN);

    if (!at) {
        return CXL_NO_SERIAL;
    }
    return pci_get_long(pci->config + at + DSN_LOW) |
           (uint64_t)pci_get_long(pci->config + at + DSN_HIGH) << 32;
}

static bool infostat_pci_is_bridge(PCIDevice *pci)
{
    return (pci->config[PCI_HEADER_TYPE] & PCI_HEADER_TYPE_MASK) ==
           PCI_HEADER_TYPE_BRIDGE;
}

static bool infostat_has_identity(const CXLCCI *cci)
{
    return cci->heads ||
           object_dynamic_cast(OBJECT(cci->owner), TYPE_PCI_DEVICE) != NULL;
}

/* The pool of logical devices is no PCI function, its heads are */
static CXLRetCode infostat_identify_pool(CXLCCI *cci, CXLWriter *out)
{
    cxl_put_le16(out, cci->heads->vendor);
    cxl_put_le16(out, cci->heads->device);
    cxl_put_zero(out, 4);
    cxl_put_le64(out, cci->heads->serial);
    cxl_put_u8(out, infostat_message_shift(cci));
    cxl_put_u8(out, COMPONENT_TYPE3);
    return CXL_RC_SUCCESS;
}

static CXLRetCode infostat_identify(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    PCIDevice *pci;
    uint16_t ssvid = 0, ssid = 0;

    if (cci->heads) {
        return infostat_identify_pool(cci, out);
    }
    pci = PCI_DEVICE(cci->owner);
    /* a switch port can be taken away below its mailbox function */
    if (!cci->owner->realized) {
        return CXL_RC_RETRY_REQUIRED;
    }
    /* a bridge keeps its subsystem in a capability, if it has one */
    if (infostat_pci_is_bridge(pci)) {
        uint8_t at = pci_find_capability(pci, PCI_CAP_ID_SSVID);

        if (at) {
            ssvid = pci_get_word(pci->config + at + PCI_SSVID_VENDOR_ID);
            ssid = pci_get_word(pci->config + at + PCI_SSVID_DEVICE_ID);
        }
    } else {
        ssvid = pci_get_word(pci->config + PCI_SUBSYSTEM_VENDOR_ID);
        ssid = pci_get_word(pci->config + PCI_SUBSYSTEM_ID);
    }

    cxl_put_le16(out, pci_get_word(pci->config + PCI_VENDOR_ID));
    cxl_put_le16(out, pci_get_word(pci->config + PCI_DEVICE_ID));
    cxl_put_le16(out, ssvid);
    cxl_put_le16(out, ssid);
    cxl_put_le64(out, infostat_serial_number(pci));
    cxl_put_u8(out, infostat_message_shift(cci));
    cxl_put_u8(out, cci->kind == CXL_CCI_SWITCH ? COMPONENT_SWITCH :
                                                  COMPONENT_TYPE3);
    return CXL_RC_SUCCESS;
}

static CXLRetCode infostat_bg_status(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    cxl_put_u8(out, cci->bg.running | cxl_cci_bg_percent(cci) << 1);
    cxl_put_zero(out, 1);
    cxl_put_le16(out, cci->bg.opcode);
    cxl_put_le16(out, cci->bg.ret_code);
    cxl_put_le16(out, cci->bg.vendor_status);
    return CXL_RC_SUCCESS;
}

static CXLRetCode infostat_get_limit(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    cxl_put_u8(out, infostat_response_shift(cci));
    return CXL_RC_SUCCESS;
}

static CXLRetCode infostat_set_limit(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    uint8_t wanted = cxl_get_u8(in);

    if (wanted < CXL_CCI_MIN_PAYLOAD_SHIFT ||
        wanted > infostat_message_shift(cci)) {
        return CXL_RC_INVALID_INPUT;
    }
    cci->response_limit = wanted;
    cxl_put_u8(out, wanted);
    return CXL_RC_SUCCESS;
}

static CXLRetCode infostat_abort_background(CXLCCI *cci, CXLReader *in,
                                            CXLWriter *out)
{
    return cxl_cci_bg_abort(cci);
}

/* A mailbox's message size is fixed by its registers: no 0003h/0004h there */
#define MESSAGE_KINDS   (CXL_CCI_ALL & ~CXL_CCI_MAILBOX)

static const CXLCmd rows[] = {
    CXL_ROW(0x0001, "Identify", CXL_CCI_ALL, CXL_LEN(0), infostat_identify,
            .present = infostat_has_identity),
    CXL_ROW(0x0002, "Background Operation Status", CXL_CCI_ALL, CXL_LEN(0),
            infostat_bg_status),
    CXL_ROW(0x0003, "Get Response Message Limit", MESSAGE_KINDS, CXL_LEN(0),
            infostat_get_limit),
    CXL_ROW(0x0004, "Set Response Message Limit", MESSAGE_KINDS, CXL_LEN(1),
            infostat_set_limit),
    CXL_ROW(0x0005, "Request Abort Background Operation", CXL_CCI_ALL,
            CXL_LEN(0), infostat_abort_background),
};

const CXLCmdSet cxl_cmds_infostat = CXL_CMD_SET("Information and Status", rows);
