/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 55h: Multi-Headed Devices (CXL r3.2 7.6.7.5)
 *
 * A memory device has one head, number 0: its PCIe link.  The heads of a
 * multi-headed device are devices of their own, each with one logical device of
 * the pool, and the same number.
 */
#include "qemu/osdep.h"
#include "hw/pci/pci_device.h"
#include "hw/pci/pcie.h"
#include "hw/cxl/cxl_memdev.h"
#include "cmd-sets.h"

/* Link of a head: state of the training, and what the link says of itself */
#define LTSSM_DETECT    0
#define LTSSM_L0        4
#define FLAG_PRESENT    (1 << 2)

/* What a head answers is of all heads */
static CXLCCI *mhd_of(CXLCCI *cci)
{
    return cci->pool ?: cci;
}

static CXLRetCode mhd_get_info(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    uint8_t i, start, count;

    unsigned heads;

    cci = mhd_of(cci);
    heads = cxl_cci_nr_lds(cci);
    if (!cxl_get_lds(cci, in, &start, &count)) {
        return CXL_RC_INVALID_INPUT;
    }
    cxl_put_u8(out, MIN(heads, UINT8_MAX));
    cxl_put_u8(out, MIN(heads, UINT8_MAX));
    cxl_put_zero(out, 2);
    cxl_put_u8(out, start);
    cxl_put_u8(out, count);
    cxl_put_zero(out, 2);
    for (i = 0; i < count; i++) {
        cxl_put_u8(out, start + i);
    }
    return CXL_RC_SUCCESS;
}

/* Link speeds as a vector whose bit 0 is 2.5 GT/s */
static uint8_t mhd_supported_speeds(const uint8_t *exp)
{
    uint32_t vector = pci_get_long(exp + PCI_EXP_LNKCAP2) >> 1 & 0x7f;
    unsigned fastest = pci_get_long(exp + PCI_EXP_LNKCAP) & PCI_EXP_LNKCAP_SLS;

    /* up to 5 GT/s the second register may be left out */
    return vector ?: (1u << MIN(fastest, 7)) - 1;
}

static void mhd_get_link(const PCIDevice *pci, uint8_t link[CXL_HEAD_LINK])
{
    const uint8_t *exp = pci->config + pci->exp.exp_cap;
    uint32_t cap = pci_get_long(exp + PCI_EXP_LNKCAP);
    uint16_t status = pci_get_word(exp + PCI_EXP_LNKSTA);
    bool up = pci->enabled;

    link[0] = (cap & PCI_EXP_LNKCAP_PN) >> PCI_EXP_LNKCAP_PN_SHIFT;
    link[1] = (cap & PCI_EXP_LNKCAP_MLW) >> ctz32(PCI_EXP_LNKCAP_MLW);
    link[2] = up ? (status & PCI_EXP_LNKSTA_NLW) >> ctz32(PCI_EXP_LNKSTA_NLW)
                 : 0;
    link[3] = mhd_supported_speeds(exp);
    link[4] = cap & PCI_EXP_LNKCAP_SLS;
    link[5] = up ? status & PCI_EXP_LNKSTA_CLS : 0;
    link[6] = up ? LTSSM_L0 : LTSSM_DETECT;
    link[7] = 0;            /* first lane */
    link[8] = up ? FLAG_PRESENT : 0;
}

void cxl_head_info(const CXLCCI *ld, CXLHeadInfo *info)
{
    *info = (CXLHeadInfo) {
        .volatile_size = cxl_memdev_volatile_size(ld->memdev),
        .persistent_size = cxl_memdev_persistent_size(ld->memdev),
    };
    mhd_get_link(PCI_DEVICE(ld->owner), info->link);
}

/* Of a head that is not plugged in: nothing is known but that it could be */
static const uint8_t mhd_no_link[CXL_HEAD_LINK] = { [6] = LTSSM_DETECT };

static CXLRetCode mhd_get_head_info(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    uint8_t start = cxl_get_u8(in);
    uint8_t count = cxl_get_u8(in);
    unsigned heads, i;

    cci = mhd_of(cci);
    heads = cxl_cci_nr_lds(cci);
    if (start >= heads || start + count > heads) {
        return CXL_RC_INVALID_INPUT;
    }
    cxl_put_u8(out, count);
    cxl_put_zero(out, 3);
    for (i = start; i < start + count; i++) {
        const CXLHeads *of = cci->heads;
        CXLCCI *ld = cxl_cci_ld(cci, i);
        CXLHeadInfo info;

        if (!ld && !(of && of->info && of->info(of, i, &info))) {
            cxl_put_bytes(out, mhd_no_link, CXL_HEAD_LINK);
            continue;
        }
        if (ld && !PCI_DEVICE(ld->owner)->exp.exp_cap) {
            return CXL_RC_INTERNAL_ERROR;
        }
        if (ld) {
            mhd_get_link(PCI_DEVICE(ld->owner), info.link);
        }
        cxl_put_bytes(out, info.link, CXL_HEAD_LINK);
    }
    return CXL_RC_SUCCESS;
}

#define MHD_KINDS   (CXL_CCI_FM | CXL_CCI_MHD)

static bool mhd_has_heads(const CXLCCI *cci)
{
    return cxl_cci_nr_lds(cci);
}

static const CXLCmd rows[] = {
    CXL_ROW(0x5500, "Get Multi-Headed Info", MHD_KINDS, CXL_LEN(2),
            mhd_get_info, .present = mhd_has_heads),
    CXL_ROW(0x5501, "Get Head Info", MHD_KINDS, CXL_LEN(2), mhd_get_head_info,
            .present = mhd_has_heads),
};

const CXLCmdSet cxl_cmds_mhd = CXL_CMD_SET("Multi-Headed Devices", rows);
