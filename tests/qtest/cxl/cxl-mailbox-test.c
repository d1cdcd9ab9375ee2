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
#include "cxl-log-uuids.h"
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

static void cel_lists_what_the_mailbox_answers(CxlDev *dev)
{
    static const uint8_t cel_uuid[] = CXL_LOG_UUID_EFFECTS;
    static const struct { uint16_t op, effects; } want[] = {
        { 0x4800, 0 }, { 0x4801, 0 }, { 0x4802, 2 }, { 0x4803, 2 },
        { 0x5600, 0 }, { 0x5601, 0 }, { 0x5602, 0x0e07 }, { 0x5603, 0 },
        { 0x5604, 0x0e07 }, { 0x5605, 0x0e07 }, { 0x5606, 0x0e03 },
        { 0x5607, 0x0e03 }, { 0x5608, 0 }, { 0x0100, 0 }, { 0x0101, 0x10 },
        { 0x0102, 0 }, { 0x0103, 2 }, { 0x0300, 0 }, { 0x0301, 8 },
        { 0x0400, 0 }, { 0x0401, 0 }, { 0x4000, 0 }, { 0x4100, 0 },
        { 0x4102, 0 }, { 0x4103, 6 },
    };
    CxlReq r = { 0 };
    CxlRsp logs, cel;
    uint32_t size;
    unsigned i, k;

    g_assert_cmphex(cxl_cmd(dev, 0x0400, NULL, &logs), ==, 0);
    g_assert_cmpmem(logs.data + 8, 16, cel_uuid, 16);
    size = ldl_le_p(logs.data + 24);
    memcpy(r.data, cel_uuid, 16);
    r.len = 16;
    req32(&r, 0);
    req32(&r, size);
    g_assert_cmphex(cxl_cmd(dev, 0x0401, &r, &cel), ==, 0);
    g_assert_cmpuint(cel.len, ==, size);
    for (i = 0; i < ARRAY_SIZE(want); i++) {
        for (k = 0; k < size && lduw_le_p(cel.data + k) != want[i].op;
             k += 4) {
            /* look on */
        }
        g_assert_cmpuint(k, <, size);
        g_assert_cmphex(lduw_le_p(cel.data + k + 2), ==, want[i].effects);
    }
    for (k = 4; k < size; k += 4) {
        g_assert_cmphex(lduw_le_p(cel.data + k), >,
                        lduw_le_p(cel.data + k - 4));
    }
}

static void fm_sets_can_be_taken_off_the_mailbox(CxlDev *dev)
{
    cxl_refused(dev, 0x5600, NULL, 3);
    g_assert_cmphex(fm_add(dev, ADD_FREE, 0, CXL_BLOCK, 0), ==, 3);
    g_assert_cmpuint(avail_extents(dev), >, 0);
}

static void a_device_without_dc_has_no_dc_commands(void)
{
    static const uint16_t ops[] = {
        0x4800, 0x4801, 0x4802, 0x4803, 0x5600, 0x5601, 0x5602, 0x5603,
        0x5604, 0x5605, 0x5606, 0x5607, 0x5608,
    };
    QTestState *qts = cxl_start(
        "-object memory-backend-ram,id=vm0,size=256M "
        "-device cxl-type3,bus=rp0,id=m0,volatile-memdev=vm0");
    CxlDev dev;
    unsigned i;

    cxl_probe(qts, 0, &dev);
    for (i = 0; i < ARRAY_SIZE(ops); i++) {
        g_assert_cmphex(cxl_cmd(&dev, ops[i], NULL, NULL), ==, 3);
    }
    cxl_alive(&dev);
    qtest_quit(qts);
}

static void lsa_reads_back_and_refuses_what_lies_outside(void)
{
    static const struct { uint32_t off, len; uint16_t rc; } rows[] = {
        { 0, 0, 0 }, { 0, CXL_PAYLOAD, 0 }, { 0, CXL_PAYLOAD + 1, 2 },
        { 0x10000 - 8, 8, 0 }, { 0x10000 - 8, 9, 2 }, { 0x10000, 1, 2 },
        { 0xffffffff, 1, 2 }, { 0xfffffff0, 0x20, 2 },
    };
    QTestState *qts = cxl_start(
        "-object memory-backend-ram,id=pm0,size=256M "
        "-object memory-backend-ram,id=lsa0,size=64K "
        "-device cxl-type3,bus=rp0,id=m0,persistent-memdev=pm0,lsa=lsa0");
    CxlReq set;
    CxlRsp rsp;
    CxlDev dev;
    unsigned i;

    cxl_probe(qts, 0, &dev);
    set = cxl_req(0x4103, 0x1000);
    req_tag(&set, 0x7e);
    g_assert_cmphex(cxl_cmd(&dev, 0x4103, &set, NULL), ==, 0);
    for (i = 0; i < ARRAY_SIZE(rows); i++) {
        g_assert_cmphex(cxl_run(&dev, &rsp, 0x4102, rows[i].off, rows[i].len),
                        ==, rows[i].rc);
        g_assert_cmpuint(rsp.len, ==, rows[i].rc ? 0 : rows[i].len);
    }
    {
        g_assert_cmphex(cxl_run(&dev, &rsp, 0x4102, 0x1000 + 15, 2), ==, 0);
        g_assert_cmphex(rsp.data[0], ==, 0x7e);
        g_assert_cmphex(rsp.data[1], ==, 0);
    }
    set.len = 7;
    cxl_refused(&dev, 0x4103, &set, 0x16);
    set.len = 8;
    g_assert_cmphex(cxl_cmd(&dev, 0x4103, &set, NULL), ==, 0);
    stl_le_p(set.data, 0xfffffff8);
    set.len = 24;
    cxl_refused(&dev, 0x4103, &set, 2);
    qtest_quit(qts);
}

static void timestamp_counts_from_what_the_host_set(CxlDev *dev)
{
    CxlRsp rsp;

    g_assert_cmphex(cxl_cmd(dev, 0x0300, NULL, &rsp), ==, 0);
    g_assert_cmphex(ldq_le_p(rsp.data), ==, 0);
    g_assert_cmphex(cxl_run(dev, NULL, 0x0301, 0x1122334455667788ull), ==, 0);
    qtest_clock_step(dev->qts, 1000);
    g_assert_cmphex(cxl_cmd(dev, 0x0300, NULL, &rsp), ==, 0);
    g_assert_cmphex(ldq_le_p(rsp.data), ==, 0x1122334455667788ull + 1000);
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
    DCD(cel_lists_what_the_mailbox_answers, "");
    DCD(fm_sets_can_be_taken_off_the_mailbox, ",fm-on-mailbox=off");
    T(a_device_without_dc_has_no_dc_commands);
    T(lsa_reads_back_and_refuses_what_lies_outside);
    DCD(timestamp_counts_from_what_the_host_set, "");
#undef DCD
#undef T
    return g_test_run();
}
