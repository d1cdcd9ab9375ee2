/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors that the Fabric Manager makes a virtual switch report: 5203h
 * (CXL r3.2 7.6.7.2)
 */
#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "hw/pci/pci_regs.h"
#include "cxl-qtest-switch.h"

#define RC_INPUT    0x02

static uint16_t generate_aer(CxlSwitch *sw, uint8_t vcs, uint8_t vppb,
                             uint32_t status)
{
    CxlReq req = { 0 };
    unsigned i;

    req8(&req, vcs);
    req8(&req, vppb);
    req16(&req, 0);
    req32(&req, status);
    for (i = 0; i < 32; i++) {
        req8(&req, 0xa0 + i);
    }
    return cxl_cmd(&sw->mailbox, 0x5203, &req, NULL);
}

/* AER stands first in the ports' extended configuration space */
#define AER(reg)    (0x100 + (reg))

static void aer_goes_through_the_port(CxlSwitch *sw)
{
    uint32_t link[2];
    unsigned cap;

    cap = cfg_find_cap(&sw->dsp[0], PCI_CAP_ID_EXP);
    g_assert_cmphex(cfg_readw(&sw->dsp[0], cap + PCI_EXP_DEVSTA) & 0xf, ==, 0);
    link[0] = cfg_readl(&sw->usp, cap + PCI_EXP_LNKCAP);
    link[1] = cfg_readl(&sw->dsp[0], cap + PCI_EXP_LNKCAP);
    cfg_writew(&sw->dsp[0], cap + PCI_EXP_DEVCTL,
               PCI_EXP_DEVCTL_CERE | PCI_EXP_DEVCTL_NFERE |
               PCI_EXP_DEVCTL_FERE);

    g_assert_cmphex(generate_aer(sw, 0, 1, PCI_ERR_UNC_COMP_TIME), ==, 0);
    g_assert_cmphex(cfg_readl(&sw->dsp[0], AER(PCI_ERR_UNCOR_STATUS)), ==,
                    PCI_ERR_UNC_COMP_TIME);
    g_assert_cmphex(cfg_readw(&sw->dsp[0], cap + PCI_EXP_DEVSTA) & 0xf, ==,
                    PCI_EXP_DEVSTA_NFED);
    /* most significant byte of the register first, as on the link */
    g_assert_cmphex(GUINT32_FROM_BE(cfg_readl(&sw->dsp[0],
                                              AER(PCI_ERR_HEADER_LOG))), !=,
                    0);
    g_assert_cmphex(generate_aer(sw, 0, 1, PCI_ERR_COR_BAD_TLP), ==, 0);
    g_assert_cmphex(cfg_readl(&sw->dsp[0], AER(PCI_ERR_COR_STATUS)), ==,
                    PCI_ERR_COR_BAD_TLP);
    g_assert_cmphex(cfg_readw(&sw->dsp[0], cap + PCI_EXP_DEVSTA) & 0xf, ==,
                    PCI_EXP_DEVSTA_NFED | PCI_EXP_DEVSTA_CED);

    /* the upstream port is a vPPB too */
    g_assert_cmphex(generate_aer(sw, 0, 0, PCI_ERR_UNC_DLP), ==, 0);
    g_assert_cmphex(cfg_readl(&sw->usp, AER(PCI_ERR_UNCOR_STATUS)), ==,
                    PCI_ERR_UNC_DLP);

    /* what lies behind Device Status stays as it is */
    g_assert_cmphex(cfg_readl(&sw->usp, cap + PCI_EXP_LNKCAP), ==, link[0]);
    g_assert_cmphex(cfg_readl(&sw->dsp[0], cap + PCI_EXP_LNKCAP), ==, link[1]);

    g_assert_cmphex(generate_aer(sw, 1, 1, PCI_ERR_UNC_DLP), ==, RC_INPUT);
    g_assert_cmphex(generate_aer(sw, 0, 3, PCI_ERR_UNC_DLP), ==, RC_INPUT);
    g_assert_cmphex(generate_aer(sw, 0, 2, 0), ==, RC_INPUT);
    g_assert_cmphex(generate_aer(sw, 0, 2, PCI_ERR_UNC_DLP |
                                 PCI_ERR_UNC_COMP_TIME), ==, RC_INPUT);
    g_assert_cmphex(generate_aer(sw, 0, 2, PCI_ERR_UNC_DLP | 2), ==, RC_INPUT);
    g_assert_cmphex(generate_aer(sw, 0, 2, 2), ==, RC_INPUT);
    g_assert_cmphex(generate_aer(sw, 0, 2, 0xffffffff), ==, RC_INPUT);
    g_assert_cmphex(cfg_readl(&sw->dsp[1], AER(PCI_ERR_UNCOR_STATUS)), ==, 0);
}

/* A host that reads its log after it has moved finds all of it */
static void a_reported_error_moves(CxlSwitch *sw)
{
    g_autofree char *args = cxl_args(SWITCH_PORTS SWITCH_MAILBOX
                                     SWITCH_DEVICE);
    static const unsigned log[] = {
        PCI_ERR_CAP, PCI_ERR_HEADER_LOG, PCI_ERR_HEADER_LOG + 12,
        PCI_ERR_ROOT_STATUS, PCI_ERR_ROOT_ERR_SRC,
    };
    uint32_t was[3][ARRAY_SIZE(log)];
    CxlDev ports[3];
    unsigned i, k;

    ports[0] = ports[1] = sw->usp;
    ports[0].cfg -= 1 << 20;
    ports[2] = sw->dsp[0];
    for (i = 0; i < ARRAY_SIZE(ports); i++) {
        unsigned cap = cfg_find_cap(&ports[i], PCI_CAP_ID_EXP);

        cfg_writew(&ports[i], PCI_BRIDGE_CONTROL, PCI_BRIDGE_CTL_SERR);
        cfg_writew(&ports[i], PCI_COMMAND, PCI_COMMAND_MEMORY |
                   PCI_COMMAND_MASTER | PCI_COMMAND_SERR);
        cfg_writew(&ports[i], cap + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_CERE |
                   PCI_EXP_DEVCTL_NFERE | PCI_EXP_DEVCTL_FERE);
    }
    g_assert_cmphex(generate_aer(sw, 0, 1, PCI_ERR_UNC_COMP_TIME), ==, 0);
    g_assert_cmphex(generate_aer(sw, 0, 0, PCI_ERR_UNC_POISON_TLP), ==, 0);
    cxl_settle(sw->qts);
    for (i = 0; i < ARRAY_SIZE(ports); i++) {
        for (k = 0; k < ARRAY_SIZE(log); k++) {
            was[i][k] = cfg_readl(&ports[i], AER(log[k]));
        }
    }
    /* the source, the numbers of the errors */
    g_assert_cmphex(was[0][4] >> 16, !=, 0);
    g_assert_cmphex(was[1][0] & 0x1f, ==, ctz32(PCI_ERR_UNC_POISON_TLP));
    g_assert_cmphex(was[2][0] & 0x1f, ==, ctz32(PCI_ERR_UNC_COMP_TIME));
    sw->qts = cxl_migrate(sw->qts, args);
    for (i = 0; i < ARRAY_SIZE(ports); i++) {
        ports[i].qts = sw->qts;
        for (k = 0; k < ARRAY_SIZE(log); k++) {
            g_assert_cmphex(cfg_readl(&ports[i], AER(log[k])), ==, was[i][k]);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) switch_add_test("/cxl/vcs/" #f, f, SWITCH_DEVICE)
    T(aer_goes_through_the_port);
    T(a_reported_error_moves);
    return g_test_run();
}
