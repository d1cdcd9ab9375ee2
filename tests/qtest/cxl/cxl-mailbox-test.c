/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device register block and the mailbox as any guest may treat them
 * (CXL r3.2 8.2.8)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/host-utils.h"
#include "qemu/units.h"
#include "hw/pci/pci_regs.h"
#include "cxl-qtest.h"

#define MB_LAST (REG_MB_PAYLOAD + CXL_PAYLOAD)
#define BLOCK (16 * KiB)

/* Memory device status is behind a payload of any size */
static void capability_array_follows_the_payload(gconstpointer data)
{
    uint32_t size = GPOINTER_TO_UINT(data);
    const struct { uint16_t id; uint8_t version; uint32_t off, len; } want[] = {
        { 0x0001, 2, 0x080, 0x008 },
        { 0x0002, 1, 0x088, 0x20 + size },
        { 0x4000, 1, 0x0a8 + size, 0x008 },
    };
    g_autofree char *props = g_strdup_printf(",mailbox-payload=%u", size);
    CxlDev dev;
    QTestState *qts = cxl_start_dcd(&dev, props);
    uint32_t block = MAX(4096, pow2ceil(size + 0xb0));
    unsigned i;

    cfg_writel(&dev, PCI_BASE_ADDRESS_2, 0xffffffff);
    g_assert_cmphex(cfg_readl(&dev, PCI_BASE_ADDRESS_2) & ~0xf, ==, -block);
    /* it is aligned to its size; what else the device has lies below */
    dev.bar[2] = dev.bar[0] + 512 * KiB;
    cfg_writel(&dev, PCI_BASE_ADDRESS_2, dev.bar[2]);
    g_assert_cmphex(dev_readl(&dev, REG_MB_CAPS) & 0x7ff, ==,
                    0x3c0 | ctz32(size));
    g_assert_cmphex(dev_readq(&dev, 0xa8 + size), ==, 0x14);

    g_assert_cmphex(dev_readq(&dev, 0) & 0xffff00ffffff, ==, 0x300010000);
    for (i = 0; i < ARRAY_SIZE(want); i++) {
        uint32_t head = dev_readl(&dev, 0x10 * (i + 1));

        g_assert_cmphex(head & 0xffff, ==, want[i].id);
        g_assert_cmphex(head >> 16 & 0xff, ==, want[i].version);
        g_assert_cmphex(dev_readl(&dev, 0x10 * (i + 1) + 4), ==, want[i].off);
        g_assert_cmphex(dev_readl(&dev, 0x10 * (i + 1) + 8), ==, want[i].len);
    }
    cxl_alive(&dev);
    qtest_quit(qts);
}

#define ARGS CXL_BACKENDS "-device " CXL_DCD_DEVICE

static void payload_stays_over_a_migration(CxlDev *dev)
{
    unsigned last = REG_MB_PAYLOAD + 16 * KiB - 8;

    dev_writeq(dev, last, 0x1122334455667788ull);
    cxl_migrate_dcd(dev, ",mailbox-payload=16K");
    g_assert_cmphex(dev_readq(dev, last), ==, 0x1122334455667788ull);
    g_assert_cmphex(dev_readl(dev, REG_MB_CAPS) & 0x1f, ==, 14);
    cxl_alive(dev);
}

static void stream_of_another_payload_is_refused_by_name(void)
{
    g_autofree char *said = NULL;
    CxlDev dev;
    QTestState *qts = cxl_start_dcd(&dev, ",mailbox-payload=4K");
    g_autofree char *args = cxl_args(ARGS ",mailbox-payload=16K");

    said = cxl_migrate_refused(qts, args);
    g_assert_nonnull(strstr(said, "mailbox-payload"));
}

static void capabilities_show_8_kib_and_the_background_interrupt(CxlDev *dev)
{
    g_assert_cmphex(dev_readl(dev, REG_MB_CAPS) & 0x7ff, ==, 0x3cd);
}

/* Stock QEMU died of the first 1-byte write below the payload */
static void every_width_at_every_offset_is_harmless(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    uint64_t base = dev->bar[2];
    unsigned off;

    for (off = 0; off < 0xc0; off++) {
        qtest_writeb(qts, base + off, 0xfe);
        qtest_writew(qts, base + off, 0xfefe);
        qtest_writel(qts, base + off, 0xfefefefe);
        qtest_writeq(qts, base + off, 0xfefefefefefefefeull);
        qtest_readb(qts, base + off);
        qtest_readw(qts, base + off);
        qtest_readl(qts, base + off);
        qtest_readq(qts, base + off);
    }
    for (off = MB_LAST - 16; off < BLOCK; off++) {
        qtest_writeb(qts, base + off, 0xfe);
        qtest_readb(qts, base + off);
    }
    qtest_writeq(qts, base + BLOCK - 8, -1);
    qtest_readq(qts, base + BLOCK - 8);
    cxl_alive(dev);
}

static void fm_sets_can_be_taken_off_the_mailbox(CxlDev *dev)
{
    cxl_refused(dev, 0x5600, NULL, 3);
    g_assert_cmphex(fm_add(dev, ADD_FREE, 0, CXL_BLOCK, 0), ==, 3);
    g_assert_cmpuint(avail_extents(dev), >, 0);
}

int main(int argc, char **argv)
{
    static const unsigned payloads[] = {
        256, 2 * KiB, CXL_PAYLOAD, 64 * KiB,
    };
    unsigned i;

    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/mailbox/" #f, f)
#define DCD(f, props) cxl_add_dcd_test("/cxl/mailbox/" #f, f, props)
    for (i = 0; i < ARRAY_SIZE(payloads); i++) {
        g_autofree char *path = g_strdup_printf(
            "/cxl/mailbox/capability_array_follows_the_payload/%u",
            payloads[i]);

        qtest_add_data_func(path, GUINT_TO_POINTER(payloads[i]),
                            capability_array_follows_the_payload);
    }
    DCD(payload_stays_over_a_migration, ",mailbox-payload=16K");
    T(stream_of_another_payload_is_refused_by_name);
    DCD(capabilities_show_8_kib_and_the_background_interrupt, "");
    DCD(every_width_at_every_offset_is_harmless, "");
    DCD(fm_sets_can_be_taken_off_the_mailbox, ",fm-on-mailbox=off");
    return g_test_run();
}
