/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages that hit the function which sends them, for qtests
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "hw/cxl/cxl_component.h"
#include "hw/pci/pci_regs.h"
#include "qobject/qdict.h"
#include "reentry-requests.h"

/* cxl-qtest.c gives rp1's device the second MiB; this is above all of it */
#define PXB_BUS         52
#define LAST_BUS        60
#define OTHER_BUS       70
#define ROOT_BASE       0xc1000000u
#define ROOT_LAST       0xc13fffffu
#define USP_BASE        0xc1100000u
#define USP_LAST        0xc12fffffu
#define MAILBOX_BASE    0xc1080000u
#define MEM_BASE        0xc1100000u
#define MEM_LAST        0xc11fffffu
/* Of the device that comes to rp0's slot when the switch is gone */
#define NEW_BASE        0xc1000000u

#define VECTORS         8
#define BG_IRQ          4

#define POWERED_OFF     (PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_PCC)
#define HOT_PLUG        (PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_PDCE | \
                         PCI_EXP_SLTCTL_DLLSCE | PCI_EXP_SLTCTL_ABPE)

/* Tries, of 10 ms each, for what RCU does later */
#define PATIENCE        1000

#define MEM_PROPS \
    "'volatile-memdev': 'vm0', 'persistent-memdev': 'pm0', 'lsa': 'lsa0', " \
    "'volatile-dc-memdev': 'dc0', 'num-dc-regions': 2, 'sn': 153"
#define DEVICES SWITCH_PORTS SWITCH_MAILBOX \
    "-object memory-backend-ram,id=vm0,size=256M " \
    "-object memory-backend-ram,id=pm0,size=256M " \
    "-object memory-backend-ram,id=lsa0,size=64K " \
    "-object memory-backend-ram,id=dc0,size=512M " \
    "-device cxl-type3,bus=ds0,id=mem0,volatile-memdev=vm0," \
    "persistent-memdev=pm0,lsa=lsa0,volatile-dc-memdev=dc0," \
    "num-dc-regions=2,sn=153 " \
    "-object memory-backend-ram,id=vm1,size=256M " \
    "-device cxl-type3,bus=rp1,id=other,volatile-memdev=vm1 " \
    "-device dw-i2c-pci,id=dw,bus=pcie.0,addr=05.0 " \
    "-device i2c_mctp_cxl,bus=dw.0,address=0x20,target=us0,eid=19 " \
    "-device i2c_mctp_cxl,bus=dw.0,address=0x21,target=mem0,eid=20 "

const char *const reentry_aim_name[] = {
    [AIM_SLOT] = "own-slot-off",
    [AIM_RESET] = "own-bus-reset",
    [AIM_SWITCH] = "switch-slot-off",
    [AIM_SWITCH_RESET] = "switch-bus-reset",
    [AIM_DOORBELL] = "own-doorbell",
    [AIM_SWITCH_DOORBELL] = "switch-doorbell",
    [AIM_FLR] = "function-reset",
};

/* -- enumeration ---------------------------------------------------------- */

static CxlDev function(Reentry *r, unsigned bus, unsigned dev, unsigned fn)
{
    uint64_t ecam = r->other.cfg - ((uint64_t)r->other.bus << 20);

    return (CxlDev) {
        .qts = r->qts,
        .bus = bus,
        .cfg = ecam | (uint64_t)bus << 20 | dev << 15 | fn << 12,
    };
}

static void enable(CxlDev *d)
{
    cfg_writew(d, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void set_bar(CxlDev *d, unsigned index, uint32_t base)
{
    d->bar[index] = base;
    cfg_writel(d, PCI_BASE_ADDRESS_0 + 4 * index, base);
    if (index != 4) {
        cfg_writel(d, PCI_BASE_ADDRESS_0 + 4 * index + 4, 0);
    }
}

static void set_bridge(CxlDev *d, unsigned secondary, unsigned last,
                       uint32_t from, uint32_t to)
{
    cfg_writel(d, PCI_PRIMARY_BUS, d->bus | secondary << 8 | last << 16);
    cfg_writel(d, PCI_MEMORY_BASE, (from >> 16 & 0xfff0) | (to & 0xfff00000));
    /* a message may have started a reset, which is over by now */
    cfg_writew(d, PCI_BRIDGE_CONTROL, 0);
    enable(d);
}

static unsigned express(CxlDev *d)
{
    unsigned cap = cfg_find_cap(d, PCI_CAP_ID_EXP);

    g_assert_cmpuint(cap, !=, 0);
    return cap;
}

static void set_slot(CxlDev *port, uint16_t control)
{
    unsigned exp = express(port);

    cfg_writew(port, exp + PCI_EXP_SLTCTL, control);
    cfg_writew(port, exp + PCI_EXP_SLTSTA,
               cfg_readw(port, exp + PCI_EXP_SLTSTA));
}

static void find_mem(Reentry *r, CxlDev *mem, uint32_t base)
{
    set_bar(mem, 0, base);
    set_bar(mem, 2, base + 0x10000);
    set_bar(mem, 4, base + 0x20000);
    enable(mem);
}

static void find_root(Reentry *r)
{
    r->root = function(r, PXB_BUS, 0, 0);
    set_bridge(&r->root, PXB_BUS + 1, LAST_BUS, ROOT_BASE, ROOT_LAST);
    set_slot(&r->root, PCI_EXP_SLTCTL_PWR_IND_ON);
}

void reentry_find(Reentry *r)
{
    unsigned bus = PXB_BUS + 1, i;

    find_root(r);
    r->usp = function(r, bus, 0, 0);
    r->sw = function(r, bus, 0, 1);
    set_bar(&r->usp, 0, ROOT_BASE);
    set_bridge(&r->usp, bus + 1, LAST_BUS, USP_BASE, USP_LAST);
    set_bar(&r->sw, 0, MAILBOX_BASE);
    /* where cxl_cmd() looks */
    r->sw.bar[2] = r->sw.bar[0];
    enable(&r->sw);
    for (i = 0; i < ARRAY_SIZE(r->dsp); i++) {
        r->dsp[i] = function(r, bus + 1, i, 0);
        set_bridge(&r->dsp[i], bus + 2 + i, bus + 2 + i,
                   i ? 0xfff00000 : MEM_BASE, i ? 0 : MEM_LAST);
        set_slot(&r->dsp[i], PCI_EXP_SLTCTL_PWR_IND_ON);
    }
    r->mem = function(r, bus + 2, 0, 0);
    find_mem(r, &r->mem, MEM_BASE);
}

static void find_other(Reentry *r)
{
    CxlDev port;

    cxl_probe(r->qts, 1, &r->other);
    /* its bus number is wanted below the other port */
    port = function(r, PXB_BUS, 1, 0);
    cfg_writel(&port, PCI_PRIMARY_BUS,
               PXB_BUS | OTHER_BUS << 8 | OTHER_BUS << 16);
    r->other.cfg = function(r, OTHER_BUS, 0, 0).cfg;
    r->other.bus = OTHER_BUS;
}

void reentry_start(Reentry *r, const char *more)
{
    g_autofree char *mem = line_args(LINE_MEM, "mem0");
    g_autofree char *sw = line_args(LINE_SWITCH, "us0");
    g_autofree char *devices = g_strconcat(DEVICES, mem, sw, more, NULL);
    g_autofree char *args = cxl_args(devices);
    unsigned i;

    memset(r, 0, sizeof(*r));
    dw_start_args(&r->i2c, args);
    r->qts = r->i2c.qts;
    find_other(r);
    reentry_find(r);
    mctp_listen(&r->i2c);
    for (i = 0; i < ARRAY_SIZE(r->line); i++) {
        r->line[i] = line_open(i);
    }
}

void reentry_stop(Reentry *r)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(r->line); i++) {
        line_close(r->line[i]);
    }
    dw_stop(&r->i2c);
}

/* -- messages ------------------------------------------------------------- */

typedef struct Message {
    uint64_t address;
    uint32_t data;
} Message;

static CxlDev *victim_port(Reentry *r)
{
    return r->aim == AIM_SWITCH || r->aim == AIM_SWITCH_RESET ? &r->root
                                                              : &r->dsp[0];
}

static Message message(Reentry *r)
{
    CxlDev *port = victim_port(r);

    switch (r->aim) {
    case AIM_SLOT:
    case AIM_SWITCH:
        return (Message) { port->cfg + express(port) + PCI_EXP_SLTCTL,
                           POWERED_OFF };
    case AIM_RESET:
    case AIM_SWITCH_RESET:
        /* bridge control is the upper half of a dword */
        return (Message) { port->cfg + PCI_BRIDGE_CONTROL - 2,
                           PCI_BRIDGE_CTL_BUS_RESET << 16 };
    case AIM_DOORBELL:
        return (Message) { r->mem.bar[2] + REG_MB_CONTROL, 1 };
    case AIM_SWITCH_DOORBELL:
        return (Message) { r->sw.bar[2] + REG_MB_CONTROL, 1 };
    case AIM_FLR:
        return (Message) { port->cfg + express(port) + PCI_EXP_DEVCTL,
                           PCI_EXP_DEVCTL_BCR_FLR };
    default:
        g_assert_not_reached();
    }
}

static void aim_msix(Reentry *r, CxlDev *dev)
{
    unsigned cap = cfg_find_cap(dev, PCI_CAP_ID_MSIX);
    Message m = message(r);
    uint32_t table;
    unsigned v;

    g_assert_cmpuint(cap, !=, 0);
    table = cfg_readl(dev, cap + PCI_MSIX_TABLE);
    for (v = 0; v < VECTORS; v++) {
        uint64_t entry = dev->bar[table & 7] + (table & ~7u) + v * 16;

        qtest_writel(r->qts, entry, m.address);
        qtest_writel(r->qts, entry + 4, 0);
        qtest_writel(r->qts, entry + 8, m.data);
        qtest_writel(r->qts, entry + 12, 0);
    }
    cfg_writew(dev, cap + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE);
}

/* A downstream port removes only what somebody wants removed */
static void want_removal(Reentry *r)
{
    QDict *rsp;

    if (r->aim == AIM_SLOT && !r->asks) {
        /* an error if it is wanted already, or hidden from the host */
        rsp = qtest_qmp(r->qts, "{'execute': 'device_del', 'arguments': {"
                        "'id': 'mem0'}}");
        qobject_unref(rsp);
    }
}

void reentry_arm_mem(Reentry *r, ReentryAim aim)
{
    CxlReq policy = { 5, { 1, 1, 1, 1, 1 } };
    unsigned log;

    r->aim = aim;
    for (log = 0; log < 5; log++) {
        drain_log(&r->mem, log);
    }
    g_assert_cmphex(cxl_cmd(&r->mem, 0x0103, &policy, NULL), ==, 0);
    dev_writel(&r->mem, REG_MB_CONTROL, BG_IRQ);
    cfg_writel(&r->mem, MEM_DOE + DOE_CONTROL, DOE_INT_EN);
    want_removal(r);
    aim_msix(r, &r->mem);
    if (aim == AIM_DOORBELL) {
        /* a second ring shows: Identify's answer has another length */
        dev_writeq(&r->mem, REG_MB_COMMAND, 0x4000);
    }
}

/* Every error of mem0 and of the ports gets to the root port */
void reentry_arm_errors(Reentry *r)
{
    CxlDev *way[] = { &r->mem, &r->dsp[0], &r->usp, &r->root };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(way); i++) {
        unsigned aer = i ? PORT_AER : MEM_AER;

        cfg_writew(way[i], express(way[i]) + PCI_EXP_DEVCTL,
                   PCI_EXP_DEVCTL_CERE | PCI_EXP_DEVCTL_NFERE |
                   PCI_EXP_DEVCTL_FERE);
        cfg_writel(way[i], aer + PCI_ERR_UNCOR_MASK, 0);
        cfg_writel(way[i], aer + PCI_ERR_COR_MASK, 0);
        if (i) {
            cfg_writew(way[i], PCI_BRIDGE_CONTROL, PCI_BRIDGE_CTL_SERR);
        }
    }
    cfg_writel(&r->root, PORT_AER + PCI_ERR_ROOT_COMMAND,
               PCI_ERR_ROOT_CMD_COR_EN | PCI_ERR_ROOT_CMD_NONFATAL_EN |
               PCI_ERR_ROOT_CMD_FATAL_EN);
    qtest_writel(r->qts, r->mem.bar[0] + CXL_CACHEMEM_OFFSET +
                 CXL_RAS_UNC_MASK, 0);
    qtest_writel(r->qts, r->mem.bar[0] + CXL_CACHEMEM_OFFSET +
                 CXL_RAS_COR_MASK, 0);
}

void reentry_arm_msi(Reentry *r, CxlDev *port, ReentryAim aim)
{
    unsigned cap = cfg_find_cap(port, PCI_CAP_ID_MSI);
    bool wide = cfg_readw(port, cap + PCI_MSI_FLAGS) & PCI_MSI_FLAGS_64BIT;
    Message m;

    r->aim = aim;
    m = message(r);
    g_assert_cmpuint(cap, !=, 0);
    g_assert_cmphex(m.data, <=, UINT16_MAX);
    want_removal(r);
    set_slot(port, PCI_EXP_SLTCTL_PWR_IND_ON | HOT_PLUG);
    cfg_writel(port, cap + PCI_MSI_ADDRESS_LO, m.address);
    if (wide) {
        cfg_writel(port, cap + PCI_MSI_ADDRESS_HI, 0);
    }
    cfg_writew(port, cap + (wide ? PCI_MSI_DATA_64 : PCI_MSI_DATA_32), m.data);
    cfg_writew(port, cap + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE);
    if (aim == AIM_SWITCH_DOORBELL) {
        dev_writeq(&r->sw, REG_MB_COMMAND, 0x0001);
    }
}

void reentry_disarm(CxlDev *dev)
{
    unsigned msi = cfg_find_cap(dev, PCI_CAP_ID_MSI);
    unsigned msix = cfg_find_cap(dev, PCI_CAP_ID_MSIX);

    if (msi) {
        cfg_writew(dev, msi + PCI_MSI_FLAGS, 0);
    }
    if (msix) {
        cfg_writew(dev, msix + PCI_MSIX_FLAGS, 0);
    }
}

/* -- commands ------------------------------------------------------------- */

void reentry_send(CxlDev *mailbox, uint16_t op, const CxlReq *req)
{
    unsigned len = req ? req->len : 0;

    if (len) {
        qtest_memwrite(mailbox->qts, mailbox->bar[2] + REG_MB_PAYLOAD,
                       req->data, len);
    }
    dev_writeq(mailbox, REG_MB_COMMAND, op | (uint64_t)len << 16);
    /* the interrupt enables stay: a write that rings leaves them alone */
    dev_writel(mailbox, REG_MB_CONTROL, 1);
}

void reentry_send_line(Reentry *r, unsigned line, uint16_t op,
                       const CxlReq *req)
{
    Line *l = r->line[line];
    unsigned serial = l->serial++;
    g_autoptr(GByteArray) frames =
        line_cci(l->eid, PEER_EID, serial & 7, serial, op,
                 req ? req->data : NULL, req ? req->len : 0);

    line_write(l, frames->data, frames->len);
}

void reentry_send_i2c(Reentry *r, bool to_switch, uint16_t op,
                      const CxlReq *req)
{
    Answer a = mctp_command(&r->i2c,
                            to_switch ? REENTRY_I2C_SWITCH : REENTRY_I2C_MEM,
                            to_switch ? REENTRY_EID_SWITCH : REENTRY_EID_MEM,
                            op, req ? req->data : NULL, req ? req->len : 0);

    answer_clear(&a);
}

/* -- what came of it ------------------------------------------------------ */

static bool is_there(Reentry *r, const char *id)
{
    QDict *rsp = qtest_qmp(r->qts, "{'execute': 'qom-get', 'arguments': {"
                           "'path': %s, 'property': 'realized'}}", id);
    bool there = qdict_haskey(rsp, "return");

    qobject_unref(rsp);
    return there;
}

static void await_end(Reentry *r, const char *id)
{
    unsigned i;

    for (i = 0; is_there(r, id); i++) {
        g_assert_cmpuint(i, <, PATIENCE);
        g_usleep(10000);
    }
}

static void plug(Reentry *r, const char *bus, CxlDev *port, uint32_t base)
{
    await_end(r, "mem0");
    qtest_qmp_device_add(r->qts, "cxl-type3", "mem0",
                         "{'bus': %s, " MEM_PROPS "}", bus);
    set_slot(port, PCI_EXP_SLTCTL_PWR_IND_ON);
    find_mem(r, &r->mem, base);
    cxl_alive(&r->mem);
}

static uint16_t slot_control_of(CxlDev *port)
{
    return cfg_readw(port, express(port) + PCI_EXP_SLTCTL);
}

static bool is_off(CxlDev *port)
{
    return (slot_control_of(port) & PCI_EXP_SLTCTL_PIC) ==
           PCI_EXP_SLTCTL_PWR_IND_OFF;
}

static bool is_reset(CxlDev *port)
{
    return cfg_readw(port, PCI_BRIDGE_CONTROL) & PCI_BRIDGE_CTL_BUS_RESET;
}

/*
 * What waited in the mailbox ran: a command that was put there, with @answer
 * bytes, or the last one again, now with the length of its answer.
 */
static bool rang(CxlDev *mailbox, unsigned answer)
{
    return dev_readq(mailbox, REG_MB_COMMAND) >> 16 == answer ||
           (dev_readq(mailbox, REG_MB_STATUS) >> 32 & 0xffff) == RC_LENGTH;
}

bool reentry_after(Reentry *r)
{
    CxlDev *port = victim_port(r);
    bool hit = false;

    cxl_settle(r->qts);
    cxl_alive(&r->other);
    switch (r->aim) {
    case AIM_SLOT:
        hit = is_off(port);
        if (hit && !r->held) {
            plug(r, "ds0", port, MEM_BASE);
        }
        break;
    case AIM_SWITCH:
        hit = is_off(port);
        if (hit) {
            await_end(r, "us0");
            find_root(r);
            r->mem = function(r, PXB_BUS + 1, 0, 0);
            plug(r, "rp0", port, NEW_BASE);
        }
        break;
    case AIM_RESET:
    case AIM_SWITCH_RESET:
        hit = is_reset(port);
        if (hit) {
            reentry_find(r);
        }
        break;
    case AIM_DOORBELL:
        hit = rang(&r->mem, 0x45);
        break;
    case AIM_SWITCH_DOORBELL:
        hit = rang(&r->sw, 0x12);
        break;
    case AIM_FLR:
        /* the bus numbers are gone */
        hit = !(cfg_readl(port, PCI_PRIMARY_BUS) & 0xffffff);
        if (hit) {
            reentry_find(r);
        }
        break;
    default:
        g_assert_not_reached();
    }
    cxl_alive(&r->other);
    return hit;
}
