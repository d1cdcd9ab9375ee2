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

static void mhd_put_link(CXLWriter *out, const PCIDevice *pci)
{
    const uint8_t *exp = pci->config + pci->exp.exp_cap;
    uint32_t cap = pci_get_long(exp + PCI_EXP_LNKCAP);
    uint16_t status = pci_get_word(exp + PCI_EXP_LNKSTA);
    bool up = pci->enabled;

    cxl_put_u8(out, (cap & PCI_EXP_LNKCAP_PN) >> PCI_EXP_LNKCAP_PN_SHIFT);
    cxl_put_u8(out, (cap & PCI_EXP_LNKCAP_MLW) >> ctz32(PCI_EXP_LNKCAP_MLW));
    cxl_put_u8(out, up ? (status & PCI_EXP_LNKSTA_NLW) >>
                         ctz32(PCI_EXP_LNKSTA_NLW) : 0);
    cxl_put_u8(out, mhd_supported_speeds(exp));
    cxl_put_u8(out, cap & PCI_EXP_LNKCAP_SLS);
    cxl_put_u8(out, up ? status & PCI_EXP_LNKSTA_CLS : 0);
    cxl_put_u8(out, up ? LTSSM_L0 : LTSSM_DETECT);
    cxl_put_u8(out, 0);     /* first lane */
    cxl_put_u8(out, up ? FLAG_PRESENT : 0);
}

/* Of a head that is not plugged in: nothing is known but that it could be */
static void mhd_put_no_link(CXLWriter *out)
{
    cxl_put_zero(out, 6);
    cxl_put_u8(out, LTSSM_DETECT);
    cxl_put_zero(out, 2);
}

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
        CXLCCI *ld = cxl_cci_ld(cci, i);

        if (!ld) {
            mhd_put_no_link(out);
            continue;
        }
        if (!PCI_DEVICE(ld->owner)->exp.exp_cap) {
            return CXL_RC_INTERNAL_ERROR;
        }
        mhd_put_link(out, PCI_DEVICE(ld->owner));
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
