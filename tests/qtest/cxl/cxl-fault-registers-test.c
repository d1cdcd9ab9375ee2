/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults of device registers, HDM decoders, configuration space, DOE and CDAT:
 * what software reads
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/pci/pci_regs.h"
#include "cxl-qtest-fault.h"

#define MEM             "cxl-mem0"
#define DOE             0x190
#define DVSEC_DEVICE    0
#define DVSEC_LOCATOR   8
#define CACHEMEM        0x1000
#define HDM             (CACHEMEM + 0x128)
#define HDM_CONTROL(n)  (HDM + 0x20 + 0x20 * (n))
#define COMMITTED       (1u << 10)
#define FAILED          (1u << 11)
/* Where an entry of the CDAT is in its data object, dwords */
#define ENTRY           3

typedef enum Where {
    DEVICE,             /* BAR 2 */
    COMPONENT,          /* BAR 0 */
    CONFIG,             /* configuration space */
    IN_DVSEC,           /* the same, in DVSEC @dvsec */
} Where;

/* @mask of what a read of 4 bytes gives is @value */
static const struct {
    const char *kind, *arguments;
    Where where;
    unsigned dvsec, at;
    uint32_t mask, value;
} rows[] = {
    { "mailbox-never-ready", "", DEVICE, 0, REG_MEMDEV_STATUS, 0x10, 0 },
    { "media-status", "", DEVICE, 0, REG_MEMDEV_STATUS, 0x1f, 0x10 },
    { "media-status", "'value': 3", DEVICE, 0, REG_MEMDEV_STATUS, 0x1f, 0x1c },
    { "media-status-flaps", "", DEVICE, 0, REG_MEMDEV_STATUS, 0x0c, 0x08 },
    { "device-fatal", "", DEVICE, 0, REG_MEMDEV_STATUS, 0x1f, 0x15 },
    { "firmware-halt", "", DEVICE, 0, REG_MEMDEV_STATUS, 0x1f, 0x16 },
    { "doorbell-stuck", "", DEVICE, 0, REG_MB_CONTROL, 1, 1 },
    { "mailbox-size", "", DEVICE, 0, REG_MB_CAPS, 0x3f, 0x1f },
    { "array-count", "", DEVICE, 0, 4, 0xffff, 0xffff },
    { "array-id", "", DEVICE, 0, 0, 0xffff, 0xffff },
    { "capability-id", "", DEVICE, 0, 0x20, 0xffffff, 0x1beef },
    { "capability-offset", "", DEVICE, 0, 0x24, 0xffffffff, 0xfffffff0 },
    { "capability-length", "", DEVICE, 0, 0x28, 0xffffffff, 0 },
    { "event-status", "", DEVICE, 0, REG_EVENT_STATUS, 0xffffffff, 0x1f },
    { "background-backwards", "", DEVICE, 0, REG_MB_BG_STATUS, 0x7f0000,
      0x630000 },
    { "hdm-count", "", COMPONENT, 0, HDM, 0xf, 0xf },
    { "hdm-missing", "", COMPONENT, 0, CACHEMEM + 0xc, 0xffff, 0xbeef },
    { "hdm-offset", "", COMPONENT, 0, CACHEMEM + 0xc, 0xfff00000,
      0xfff00000 },
    { "component-count", "", COMPONENT, 0, CACHEMEM, 0xff000000, 0xff000000 },
    { "memory-inactive", "", IN_DVSEC, DVSEC_DEVICE, 0x1c, 3, 1 },
    { "memory-invalid", "", IN_DVSEC, DVSEC_DEVICE, 0x1c, 3, 2 },
    { "range-size", "", IN_DVSEC, DVSEC_DEVICE, 0x1c, 0xf0000000,
      0xf0000000 },
    { "range-base", "", IN_DVSEC, DVSEC_DEVICE, 0x24, 0xf0000000,
      0xf0000000 },
    { "range-count", "", IN_DVSEC, DVSEC_DEVICE, 8, 0x300000, 0x300000 },
    { "not-mem-capable", "", IN_DVSEC, DVSEC_DEVICE, 8, 0x40000, 0 },
    { "locator-offset", "", IN_DVSEC, DVSEC_LOCATOR, 0x14, 0xffff0000,
      0xffff0000 },
    { "locator-bar", "", IN_DVSEC, DVSEC_LOCATOR, 0x14, 7, 5 },
    { "locator-block", "", IN_DVSEC, DVSEC_LOCATOR, 0x14, 0xff00, 0xff00 },
    { "doe-busy", "", CONFIG, 0, DOE + PCI_DOE_STATUS, 1, 1 },
    { "doe-error", "", CONFIG, 0, DOE + PCI_DOE_STATUS, 4, 4 },
};

static unsigned find_dvsec(CxlDev *dev, unsigned id)
{
    unsigned at = 0x100;

    while (at) {
        uint32_t head = cfg_readl(dev, at);

        if ((head & 0xffff) == 0x23 &&
            cfg_readl(dev, at + 4) << 16 == 0x1e98u << 16 &&
            cfg_readw(dev, at + 8) == id) {
            return at;
        }
        at = head >> 20;
    }
    g_assert_not_reached();
}

static uint32_t comp(CxlDev *dev, unsigned at)
{
    return qtest_readl(dev->qts, dev->bar[0] + at);
}

static uint32_t look(CxlDev *dev, unsigned row, unsigned dvsec)
{
    switch (rows[row].where) {
    case DEVICE:
        return dev_readl(dev, rows[row].at);
    case COMPONENT:
        return comp(dev, rows[row].at);
    case CONFIG:
        return cfg_readl(dev, rows[row].at);
    case IN_DVSEC:
        return cfg_readl(dev, dvsec + rows[row].at);
    }
    g_assert_not_reached();
}

static void each_register_is_as_the_fault_has_it(CxlDev *dev)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(rows); i++) {
        /* found before: looking for it is reading as well */
        unsigned dvsec = find_dvsec(dev, rows[i].dvsec);
        uint32_t mask = rows[i].mask, good = look(dev, i, dvsec), bad;

        g_assert_cmphex(good & mask, !=, rows[i].value);
        fault_arm(dev->qts, MEM, rows[i].kind, rows[i].arguments);
        bad = look(dev, i, dvsec);
        g_assert_cmphex(bad & mask, ==, rows[i].value);
        g_assert_cmphex(bad & ~mask, ==, good & ~mask);
        g_assert_cmphex(look(dev, i, dvsec), ==, good);
        fault_clear(dev->qts, MEM);
        cxl_alive(dev);
    }
}

static void every_width_is_lied_to_alike(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    unsigned locator = find_dvsec(dev, DVSEC_LOCATOR) + 0x14;

    fault_arm(qts, MEM, "locator-offset", "'count': 0, 'value': 4660");
    g_assert_cmphex(cfg_readw(dev, locator + 2), ==, 0x1234);
    g_assert_cmphex(qtest_readb(qts, dev->cfg + locator + 3), ==, 0x12);
    g_assert_cmphex(qtest_readb(qts, dev->cfg + locator), ==, 2);
    fault_arm(qts, MEM, "capability-offset", "'count': 0, 'value': 305419896");
    g_assert_cmphex(dev_readq(dev, 0x20) >> 32, ==, 0x12345678);
    g_assert_cmphex(qtest_readw(qts, dev->bar[2] + 0x26), ==, 0x1234);
}

static void a_status_can_flap(CxlDev *dev)
{
    unsigned i;

    fault_arm(dev->qts, MEM, "media-status-flaps", "'count': 0, 'value': 3");
    for (i = 0; i < 6; i++) {
        g_assert_cmphex(dev_readl(dev, REG_MEMDEV_STATUS) >> 2 & 3, ==, i % 2 ?
                        1 : 3);
    }
}

static void a_bar_can_look_small(CxlDev *dev)
{
    uint32_t old = cfg_readl(dev, PCI_BASE_ADDRESS_2);
    uint32_t id = fault_arm(dev->qts, MEM, "bar-small", "'count': 0");

    g_assert_cmphex(cfg_readl(dev, PCI_BASE_ADDRESS_2), ==, old);
    g_assert_cmpint(fault_hits(dev->qts, MEM, id), ==, 0);
    cfg_writel(dev, PCI_BASE_ADDRESS_2, 0xffffffff);
    g_assert_cmphex(cfg_readl(dev, PCI_BASE_ADDRESS_2) & 0xfffffff0, ==,
                    0xfffff000);
}

static void an_operation_can_have_no_end(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    uint64_t status;

    g_assert_cmphex(cxl_run(dev, NULL, 0x4304, 0, 1, 0), ==, 1);
    qtest_clock_step(qts, 1000000000);
    g_assert_cmphex(dev_readq(dev, REG_MB_BG_STATUS), ==, 0x00644304);
    fault_arm(qts, MEM, "background-endless", "'count': 0");
    g_assert_cmphex(dev_readq(dev, REG_MB_BG_STATUS), ==, 0x00634304);
    g_assert_cmphex(dev_readq(dev, REG_MB_STATUS) & 1, ==, 1);
    fault_clear(qts, MEM);
    g_assert_cmphex(dev_readq(dev, REG_MB_STATUS) & 1, ==, 0);
    fault_arm(qts, MEM, "background-fails", "'value': 17");
    status = dev_readq(dev, REG_MB_BG_STATUS);
    g_assert_cmphex(status, ==, 0x1100644304);
    g_assert_cmphex(dev_readq(dev, REG_MB_BG_STATUS), ==, 0x00644304);
}

static void a_decoder_can_lie_about_its_commit(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    uint64_t hpa = cxl_map(dev, CXL_STATIC);

    g_assert_cmphex(comp(dev, HDM_CONTROL(0)) & (COMMITTED | FAILED), ==,
                    COMMITTED);
    fault_arm(qts, MEM, "hdm-commit-fails", "");
    g_assert_cmphex(comp(dev, HDM_CONTROL(0)) & (COMMITTED | FAILED), ==,
                    FAILED);
    fault_arm(qts, MEM, "hdm-commit-hangs", "");
    g_assert_cmphex(comp(dev, HDM_CONTROL(0)) & (COMMITTED | FAILED), ==, 0);
    fault_arm(qts, MEM, "hdm-uncommits", "'count': 0");
    g_assert_cmphex(comp(dev, HDM_CONTROL(0)) & COMMITTED, ==, COMMITTED);
    g_assert_cmphex(comp(dev, HDM_CONTROL(0)) & COMMITTED, ==, 0);
    g_assert_cmphex(comp(dev, HDM_CONTROL(0)) & COMMITTED, ==, 0);
    /* another one is not committed, and does not count */
    g_assert_cmphex(comp(dev, HDM_CONTROL(1)) & COMMITTED, ==, 0);
    /* it decodes all the while */
    qtest_writel(qts, hpa, 0x12345678);
    g_assert_cmphex(qtest_readl(qts, hpa), ==, 0x12345678);
}

/* -- DOE ------------------------------------------------------------------- */

static bool doe_is_ready(CxlDev *dev)
{
    return cfg_readl(dev, DOE + PCI_DOE_STATUS) >> 31;
}

/* One entry of the CDAT, as its data object; dwords of it */
static unsigned get_entry(CxlDev *dev, unsigned handle, uint32_t *object)
{
    const uint32_t request[] = { 0x21e98, 3, handle << 16 };
    unsigned i, n;

    for (i = 0; i < 3; i++) {
        cfg_writel(dev, DOE + PCI_DOE_WRITE, request[i]);
    }
    cfg_writel(dev, DOE + PCI_DOE_CTRL, 0x80000000);
    for (n = 0; doe_is_ready(dev); n++) {
        g_assert_cmpuint(n, <, 64);
        object[n] = cfg_readl(dev, DOE + PCI_DOE_READ);
        cfg_writel(dev, DOE + PCI_DOE_READ, 0);
    }
    return n;
}

/* @mask of dword @at of entry @handle is @value; entry 1 is a DSMAS */
static const struct {
    const char *kind;
    unsigned handle, at;
    uint32_t mask, value;
} entries[] = {
    { "cdat-length", 0, ENTRY, 0xffffffff, 0xffffffff },
    { "cdat-entry-length", 1, ENTRY, 0xffff0000, 0 },
    { "cdat-object-length", 1, 1, 0xffffffff, 0x3ffff },
    { "cdat-loops", 1, 2, 0xffff0000, 0x00010000 },
    { "cdat-loops", 2, 2, 0xffff0000, 0x00020000 },
    { "cdat-dsmas-missing", 1, ENTRY, 0xff, 0xee },
    { "cdat-dsmas-handle", 1, ENTRY + 1, 0xff, 0xee },
    { "cdat-dsmas-sharable", 1, ENTRY + 1, 0xff00, 0x0800 },
    { "cdat-dsmas-base", 1, ENTRY + 3, 0xffffffff, 1u << 8 },
    { "cdat-dsmas-length", 1, ENTRY + 4, 0xffffffff, 0xffffffff },
    { "doe-data", 1, 0, 0xffffffff, ~0x21e98u },
};

static void each_entry_is_as_the_fault_has_it(CxlDev *dev)
{
    unsigned i, k, n;

    for (i = 0; i < ARRAY_SIZE(entries); i++) {
        uint32_t good[64] = { }, bad[64] = { }, after[64] = { };
        uint32_t mask = entries[i].mask;

        n = get_entry(dev, entries[i].handle, good);
        fault_arm(dev->qts, MEM, entries[i].kind, "");
        g_assert_cmpuint(get_entry(dev, entries[i].handle, bad), ==, n);
        g_assert_cmphex(bad[entries[i].at] & mask, ==, entries[i].value);
        for (k = 0; k < n; k++) {
            if (k != entries[i].at && k != entries[i].at + 1) {
                g_assert_cmphex(bad[k], ==, good[k]);
            }
        }
        g_assert_cmpuint(get_entry(dev, entries[i].handle, after), ==, n);
        g_assert_cmpmem(good, sizeof(good), after, sizeof(after));
        fault_clear(dev->qts, MEM);
    }
}

static void a_checksum_can_be_wrong(CxlDev *dev)
{
    uint32_t good[64], bad[64];

    get_entry(dev, 0, good);
    fault_arm(dev->qts, MEM, "cdat-checksum", "'value': 1");
    get_entry(dev, 0, bad);
    g_assert_cmphex(good[ENTRY + 1] ^ bad[ENTRY + 1], ==, 0x100);
}

static void an_answer_can_never_be_ready(CxlDev *dev)
{
    uint32_t object[64];

    fault_arm(dev->qts, MEM, "doe-never-ready", "'count': 0");
    g_assert_cmpuint(get_entry(dev, 0, object), ==, 0);
    fault_clear(dev->qts, MEM);
    g_assert_true(doe_is_ready(dev));
}

static void a_port_can_lie_too(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    uint32_t id = fault_arm(qts, "rp0", "hdm-count", "'count': 0");

    /* the device has faults of its own */
    g_assert_cmphex(comp(dev, HDM) & 0xf, !=, 0xf);
    g_assert_cmpint(fault_hits(qts, "rp0", id), ==, 0);
    qtest_writel(qts, dev->cfg - ((uint64_t)dev->bus << 20) + (52ull << 20) +
                 PCI_BASE_ADDRESS_0, 0xc0050000);
    g_assert_cmphex(qtest_readl(qts, 0xc0050000 + HDM) & 0xf, ==, 0xf);
    g_assert_cmpint(fault_hits(qts, "rp0", id), ==, 1);
}

static bool is_tested(const char *kind)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(rows); i++) {
        if (g_str_equal(rows[i].kind, kind)) {
            return true;
        }
    }
    for (i = 0; i < ARRAY_SIZE(entries); i++) {
        if (g_str_equal(entries[i].kind, kind)) {
            return true;
        }
    }
    /* functions of their own */
    return fault_is_in("bar-small background-endless background-fails "
                       "hdm-commit-fails hdm-commit-hangs hdm-uncommits "
                       "cdat-checksum doe-never-ready", kind);
}

static void each_kind_is_tested(CxlDev *dev)
{
    fault_family_is_tested(dev->qts, "registers", is_tested);
    fault_family_is_tested(dev->qts, "doe and cdat", is_tested);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define DCD(f, props) cxl_add_dcd_test("/cxl/fault-registers/" #f, f, props)
    DCD(each_register_is_as_the_fault_has_it, "");
    DCD(every_width_is_lied_to_alike, "");
    DCD(a_status_can_flap, "");
    DCD(a_bar_can_look_small, "");
    DCD(an_operation_can_have_no_end, ",bg-time-scale=0");
    DCD(a_decoder_can_lie_about_its_commit, "");
    DCD(each_entry_is_as_the_fault_has_it, "");
    DCD(a_checksum_can_be_wrong, "");
    DCD(an_answer_can_never_be_ready, "");
    DCD(a_port_can_lie_too, "");
    DCD(each_kind_is_tested, "");
    return g_test_run();
}
