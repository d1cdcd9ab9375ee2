/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Enumeration of a CXL switch and its commands, for qtests
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "hw/pci/pci_regs.h"
#include "cxl-qtest-switch.h"

#define LAST_BUS    60

/* The function at another place of the same configuration space */
static CxlDev function(const CxlDev *from, unsigned bus, unsigned dev,
                       unsigned fn)
{
    CxlDev d = *from;

    d.cfg -= (uint64_t)from->bus << 20;
    d.cfg += (uint64_t)bus << 20 | dev << 15 | fn << 12;
    d.bus = bus;
    return d;
}

static void number_bridge(CxlDev *bridge, unsigned secondary, unsigned last)
{
    cfg_writel(bridge, PCI_PRIMARY_BUS,
               bridge->bus | secondary << 8 | last << 16);
    cfg_writew(bridge, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

void switch_probe(QTestState *qts, CxlSwitch *sw)
{
    CxlDev first, root;
    uint64_t base;
    unsigned i, bus;

    cxl_probe(qts, 0, &first);
    base = first.bar[2];
    bus = first.bus;
    root = function(&first, bus - 1, 0, 0);
    number_bridge(&root, bus, LAST_BUS);

    *sw = (CxlSwitch) {
        .qts = qts,
        .usp = function(&first, bus, 0, 0),
        .mailbox = function(&first, bus, 0, 1),
    };
    number_bridge(&sw->usp, bus + 1, LAST_BUS);
    /* no register of the ports is used, nor memory below them */
    cfg_writel(&sw->usp, PCI_BASE_ADDRESS_0, first.bar[0]);
    cfg_writel(&sw->usp, PCI_BASE_ADDRESS_1, 0);
    cfg_writel(&sw->usp, PCI_MEMORY_BASE, 0x0000fff0);
    for (i = 0; i < ARRAY_SIZE(sw->dsp); i++) {
        sw->dsp[i] = function(&first, bus + 1, i, 0);
        number_bridge(&sw->dsp[i], bus + 2 + i, bus + 2 + i);
        sw->below[i] = function(&first, bus + 2 + i, 0, 0);
    }
    sw->mailbox.bar[2] = base + 64 * KiB;
    cfg_writel(&sw->mailbox, PCI_BASE_ADDRESS_0, sw->mailbox.bar[2]);
    cfg_writel(&sw->mailbox, PCI_BASE_ADDRESS_1, 0);
    cfg_writew(&sw->mailbox, PCI_COMMAND,
               PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

void switch_start(CxlSwitch *sw, const char *more)
{
    switch_probe(cxl_start(SWITCH_PORTS SWITCH_MAILBOX "%s", more), sw);
}

typedef struct SwitchTest {
    void (*run)(CxlSwitch *sw);
    const char *more;
} SwitchTest;

static void switch_test_run(const void *data)
{
    const SwitchTest *test = data;
    CxlSwitch sw;

    switch_start(&sw, test->more);
    test->run(&sw);
    qtest_quit(sw.qts);
}

void switch_add_test(const char *path, void (*run)(CxlSwitch *sw),
                     const char *more)
{
    SwitchTest *test = g_new(SwitchTest, 1);

    *test = (SwitchTest) { run, more };
    qtest_add_data_func_full(path, test, switch_test_run, g_free);
}

static unsigned express(CxlDev *port)
{
    unsigned cap = cfg_find_cap(port, PCI_CAP_ID_EXP);

    g_assert_cmpuint(cap, !=, 0);
    return cap;
}

uint16_t slot_control(CxlSwitch *sw, unsigned n)
{
    return cfg_readw(&sw->dsp[n], express(&sw->dsp[n]) + PCI_EXP_SLTCTL);
}

uint16_t slot_status(CxlSwitch *sw, unsigned n)
{
    return cfg_readw(&sw->dsp[n], express(&sw->dsp[n]) + PCI_EXP_SLTSTA);
}

uint16_t link_status(CxlSwitch *sw, unsigned n)
{
    return cfg_readw(&sw->dsp[n], express(&sw->dsp[n]) + PCI_EXP_LNKSTA);
}

void slot_set_control(CxlSwitch *sw, unsigned n, uint16_t v)
{
    cfg_writew(&sw->dsp[n], express(&sw->dsp[n]) + PCI_EXP_SLTCTL, v);
}

void slot_clear_status(CxlSwitch *sw, unsigned n)
{
    cfg_writew(&sw->dsp[n], express(&sw->dsp[n]) + PCI_EXP_SLTSTA,
               slot_status(sw, n) & (0x1f | PCI_EXP_SLTSTA_DLLSC));
}

void switch_refused(CxlSwitch *sw, uint16_t op, const CxlReq *req, uint16_t rc)
{
    CxlRsp rsp;

    g_assert_cmphex(cxl_cmd(&sw->mailbox, op, req, &rsp), ==, rc);
    g_assert_cmpuint(rsp.len, ==, 0);
    g_assert_cmphex(cxl_cmd(&sw->mailbox, 0x0001, NULL, &rsp), ==, 0);
    g_assert_cmpuint(rsp.len, ==, 0x12);
}

void switch_port(CxlSwitch *sw, uint8_t id, uint8_t block[16])
{
    CxlRsp rsp;

    g_assert_cmphex(cxl_run(&sw->mailbox, &rsp, 0x5101, 1, id), ==, 0);
    g_assert_cmpuint(rsp.len, ==, 20);
    g_assert_cmpuint(rsp.data[0], ==, 1);
    memcpy(block, rsp.data + 4, 16);
    g_assert_cmpuint(block[0], ==, id);
}

uint16_t switch_control(CxlSwitch *sw, uint8_t port, uint8_t op)
{
    return cxl_run(&sw->mailbox, NULL, 0x5102, port, op);
}

/* Value that switches a slot off, as a message carries it */
#define POWER_OFF   (PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_PCC)

void switch_aim(CxlSwitch *sw, CxlDev *port)
{
    CxlDev *ds = &sw->dsp[0];
    unsigned msi = cfg_find_cap(ds, PCI_CAP_ID_MSI);
    unsigned slot = express(port) + PCI_EXP_SLTCTL;
    uint16_t flags = cfg_readw(ds, msi + PCI_MSI_FLAGS);
    bool wide = flags & PCI_MSI_FLAGS_64BIT;

    g_assert_cmpuint(msi, !=, 0);
    cfg_writew(port, slot, PCI_EXP_SLTCTL_PWR_IND_ON);
    cfg_writel(ds, msi + PCI_MSI_ADDRESS_LO, port->cfg + slot);
    if (wide) {
        cfg_writel(ds, msi + PCI_MSI_ADDRESS_HI, 0);
    }
    cfg_writew(ds, msi + (wide ? PCI_MSI_DATA_64 : PCI_MSI_DATA_32),
               POWER_OFF);
    cfg_writew(ds, msi + PCI_MSI_FLAGS, flags | PCI_MSI_FLAGS_ENABLE);
}

void switch_slot_request(CxlSwitch *sw, uint8_t req[8])
{
    unsigned slot = express(&sw->dsp[0]) + PCI_EXP_SLTCTL;

    g_assert_cmpuint(slot & 3, ==, 0);
    stl_le_p(req, SWITCH_DSP_PORT(0) | (slot | 3 << 12 | 1 << 23) << 8);
    stl_le_p(req + 4, SWITCH_SLOT_EVENTS);
}
