/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors that the monitor injects: RAS registers and AER, media event records,
 * poison (CXL r3.2 8.2.4.17, 8.2.10.2.1, 8.2.10.9.4); and what the CDAT says
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "hw/cxl/cxl_component.h"
#include "hw/pci/pci_regs.h"
#include "qobject/qdict.h"
#include "cxl-qtest.h"

#define DOE     0x190
#define AER     0x200
#define PCIE    0x80
/* static capacity and two regions */
#define MEM_END (CXL_DC_BASE + 2 * CXL_REGION)

static uint32_t ras(CxlDev *dev, unsigned offset)
{
    return qtest_readl(dev->qts, dev->bar[0] + CXL_CACHEMEM_OFFSET + offset);
}

static void ras_write(CxlDev *dev, unsigned offset, uint32_t value)
{
    qtest_writel(dev->qts, dev->bar[0] + CXL_CACHEMEM_OFFSET + offset, value);
}

static unsigned first_error(CxlDev *dev)
{
    return ras(dev, CXL_RAS_CONTROL) & CXL_RAS_FIRST_ERROR;
}

static void inject_three(QTestState *qts)
{
    qtest_qmp_assert_success(qts,
        "{'execute': 'cxl-inject-uncorrectable-errors', 'arguments': {"
        " 'path': 'cxl-mem0', 'errors': ["
        " { 'type': 'cache-data-ecc', 'header': [ 1, 2 ] },"
        " { 'type': 'internal', 'header': [ 3 ] },"
        " { 'type': 'cache-data-ecc', 'header': [ 4 ] } ] } }");
}

static void inject_correctable(QTestState *qts, const char *type)
{
    qtest_qmp_assert_success(qts,
        "{'execute': 'cxl-inject-correctable-error', 'arguments': {"
        " 'path': 'cxl-mem0', 'type': %s } }", type);
}

static void uncorrectable_errors_wait_in_line(CxlDev *dev)
{
    /* All masked after reset */
    inject_three(dev->qts);
    g_assert_cmphex(ras(dev, CXL_RAS_UNC_STATUS), ==, 0);

    ras_write(dev, CXL_RAS_UNC_MASK, 0);
    inject_three(dev->qts);
    g_assert_cmphex(ras(dev, CXL_RAS_UNC_STATUS), ==, 1 << 3 | 1 << 14);
    g_assert_cmpuint(first_error(dev), ==, 3);
    g_assert_cmphex(ras(dev, CXL_RAS_HEADER_LOG), ==, 1);
    g_assert_cmphex(ras(dev, CXL_RAS_HEADER_LOG + 4), ==, 2);

    /* The first one leaves; the third keeps its bit set */
    ras_write(dev, CXL_RAS_UNC_STATUS, 1 << 3);
    g_assert_cmphex(ras(dev, CXL_RAS_UNC_STATUS), ==, 1 << 3 | 1 << 14);
    g_assert_cmpuint(first_error(dev), ==, 14);
    g_assert_cmphex(ras(dev, CXL_RAS_HEADER_LOG), ==, 3);
    g_assert_cmphex(ras(dev, CXL_RAS_HEADER_LOG + 4), ==, 0);

    ras_write(dev, CXL_RAS_UNC_STATUS, UINT32_MAX);
    g_assert_cmphex(ras(dev, CXL_RAS_UNC_STATUS), ==, 0);
    g_assert_cmpuint(first_error(dev), ==, CXL_RAS_FIRST_ERROR);
}

static void uncorrectable_error_leaves_link_capabilities_alone(CxlDev *dev)
{
    uint32_t before = cfg_readl(dev, PCIE + PCI_EXP_LNKCAP);

    g_assert_cmphex(before & PCI_EXP_LNKCAP_SLS, ==, 5);
    ras_write(dev, CXL_RAS_UNC_MASK, 0);
    inject_three(dev->qts);
    cxl_settle(dev->qts);
    g_assert_cmphex(cfg_readw(dev, PCIE + PCI_EXP_DEVSTA) & PCI_EXP_DEVSTA_FED,
                    !=, 0);
    g_assert_cmphex(cfg_readl(dev, AER + PCI_ERR_UNCOR_STATUS), ==,
                    PCI_ERR_UNC_INTN);
    g_assert_cmphex(cfg_readl(dev, PCIE + PCI_EXP_LNKCAP), ==, before);
}

static void errors_survive_save_and_load(CxlDev *dev)
{
    ras_write(dev, CXL_RAS_UNC_MASK, 0);
    ras_write(dev, CXL_RAS_COR_MASK, 0);
    inject_three(dev->qts);
    inject_correctable(dev->qts, "physical");
    cxl_migrate_dcd(dev, "");
    g_assert_cmphex(ras(dev, CXL_RAS_COR_STATUS), ==, 1 << 6);
    g_assert_cmphex(ras(dev, CXL_RAS_HEADER_LOG), ==, 1);
    ras_write(dev, CXL_RAS_UNC_STATUS, 1 << 3);
    g_assert_cmpuint(first_error(dev), ==, 14);
    ras_write(dev, CXL_RAS_UNC_STATUS, 1 << 14);
    g_assert_cmpuint(first_error(dev), ==, 3);
    g_assert_cmphex(ras(dev, CXL_RAS_HEADER_LOG), ==, 4);
}

/* The only record of @log; the UUID of its type begins with @type */
static const uint8_t *only_record(CxlDev *dev, uint8_t log, uint32_t type,
                                  CxlRsp *rsp)
{
    g_assert_cmphex(cxl_run(dev, rsp, 0x0100, log), ==, 0);
    g_assert_cmpuint(lduw_le_p(rsp->data + 0x14), ==, 1);
    g_assert_cmphex((uint32_t)ldl_be_p(rsp->data + 0x20), ==, type);
    return rsp->data + 0x20;
}

static void general_media_record_carries_every_field(CxlDev *dev)
{
    static const uint8_t body[] = {
        0x01, 0x10, 0, 0, 0, 0, 0, 0, 0x02, 0x03, 0x04, 0x0d, 0x00, 0x05, 0x00,
        0x56, 0x34, 0x12,
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd',
        'e', 0, 0, 0, 0, 0, 0,
    };
    const uint8_t *rec;
    CxlRsp rsp;

    /* No rank, an identifier shorter than its field, flags that fill theirs */
    qtest_qmp_assert_success(dev->qts,
        "{'execute': 'cxl-inject-general-media-event', 'arguments': {"
        " 'path': 'cxl-mem0', 'log': 'fatal', 'flags': 8388615, 'dpa': 4097,"
        " 'descriptor': 2, 'type': 3, 'transaction-type': 4, 'channel': 5,"
        " 'device': 1193046, 'component-id': '0123456789abcde' } }");
    g_assert_cmphex(dev_readl(dev, REG_EVENT_STATUS), ==, 1 << 3);
    rec = only_record(dev, 3, 0xfbcd0a77, &rsp);
    g_assert_cmphex(ldl_le_p(rec + 0x10) >> 8 & 0xffffff, ==, 0x800007);
    g_assert_cmpmem(rec + 0x30, sizeof(body), body, sizeof(body));
}

static void dram_record_carries_every_field(CxlDev *dev)
{
    const uint8_t *rec;
    CxlRsp rsp;

    qtest_qmp_assert_success(dev->qts,
        "{'execute': 'cxl-inject-dram-event', 'arguments': {"
        " 'path': 'cxl-mem0', 'log': 'informational', 'flags': 0, 'dpa': 64,"
        " 'descriptor': 1, 'type': 2, 'transaction-type': 3, 'rank': 4,"
        " 'nibble-mask': 1193046, 'bank-group': 5, 'bank': 6, 'row': 7,"
        " 'column': 2056, 'correction-mask': [ 9, 10, 11, 12 ] } }");
    rec = only_record(dev, 0, 0x601dcbb3, &rsp);
    g_assert_cmphex(ldq_le_p(rec + 0x30), ==, 64);
    g_assert_cmphex(lduw_le_p(rec + 0x3b), ==, 0xfe);
    g_assert_cmphex(rec[0x3d], ==, 0);
    g_assert_cmphex(rec[0x3e], ==, 4);
    g_assert_cmphex((uint32_t)ldl_le_p(rec + 0x3f), ==, 0x05123456);
    g_assert_cmphex(rec[0x43], ==, 6);
    g_assert_cmphex((uint32_t)ldl_le_p(rec + 0x44), ==, 0x08000007);
    g_assert_cmphex(lduw_le_p(rec + 0x47), ==, 0x0808);
    g_assert_cmphex(ldq_le_p(rec + 0x49), ==, 9);
    g_assert_cmphex(ldq_le_p(rec + 0x61), ==, 12);
    g_assert_cmphex(ldq_le_p(rec + 0x69), ==, 0);
}

static void memory_module_record_carries_every_field(CxlDev *dev)
{
    static const uint8_t body[] = {
        1, 2, 3, 4, 5, 0xfa, 0xff, 7, 0, 0, 0, 8, 0, 0, 0, 9, 0, 0, 0,
    };
    const uint8_t *rec;
    CxlRsp rsp;

    qtest_qmp_assert_success(dev->qts,
        "{'execute': 'cxl-inject-memory-module-event', 'arguments': {"
        " 'path': 'cxl-mem0', 'log': 'warning', 'flags': 1, 'type': 1,"
        " 'health-status': 2, 'media-status': 3, 'additional-status': 4,"
        " 'life-used': 5, 'temperature': -6, 'dirty-shutdown-count': 7,"
        " 'corrected-volatile-error-count': 8,"
        " 'corrected-persistent-error-count': 9 } }");
    rec = only_record(dev, 1, 0xfe927475, &rsp);
    g_assert_cmpmem(rec + 0x30, sizeof(body), body, sizeof(body));
}

static void poison_errors_come_in_order(CxlDev *dev)
{
    static const struct {
        const char *path;
        uint64_t start, length;
        const char *error;
    } row[] = {
        { "none", 0, 1, "Poison injection must be in multiples of 64 bytes" },
        { "none", 1, 64, "Poison start address must be 64 byte aligned" },
        { "none", 0, 64, "Unable to resolve path 'none'" },
        { "/machine", 0, 64,
          "Path does not point to a CXL type 3 device: '/machine'" },
        { "cxl-mem0", 64, 128, NULL },
        { "cxl-mem0", 128, 64,
          "Overlap with existing poisoned region not supported" },
        { "cxl-mem0", 0, 64, NULL },
        { "cxl-mem0", 192, 0, "Poison injection must be in multiples of 64 "
          "bytes, and of one at least: 'length' is 0x0" },
        { "cxl-mem0", MEM_END - 64, 64, NULL },
        { "cxl-mem0", MEM_END, 64, "Poison of 0x40 bytes at 0x30000000 exceeds "
          "the device, whose addresses end at 0x30000000" },
        { "cxl-mem0", MEM_END - 128, 192, "Poison of 0xc0 bytes at 0x2fffff80 "
          "exceeds the device, whose addresses end at 0x30000000" },
        { "cxl-mem0", 1ull << 52, 64, "Poison of 0x40 bytes at "
          "0x10000000000000 exceeds the device" },
        { "cxl-mem0", -64ull, 128, "Poison of 0x80 bytes at "
          "0xffffffffffffffc0 exceeds the device" },
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(row); i++) {
        QDict *rsp = qtest_qmp(dev->qts,
            "{'execute': 'cxl-inject-poison', 'arguments': {"
            " 'path': %s, 'start': %" PRIu64 ", 'length': %" PRIu64 " } }",
            row[i].path, row[i].start, row[i].length);
        const QDict *error = qdict_get_qdict(rsp, "error");

        g_assert_true(!row[i].error == !error);
        g_assert_true(!error || g_str_has_prefix(qdict_get_str(error, "desc"),
                                                 row[i].error));
        qobject_unref(rsp);
    }
    cxl_alive(dev);
}

/* One table access; returns the next handle */
static unsigned read_entry(CxlDev *dev, unsigned handle, GByteArray *out)
{
    uint32_t word[64];
    unsigned i, n;

    cfg_writel(dev, DOE + 0x10, 0x00021e98);
    cfg_writel(dev, DOE + 0x10, 3);
    cfg_writel(dev, DOE + 0x10, handle << 16);
    cfg_writel(dev, DOE + 0x08, 1u << 31);
    g_assert_cmphex(cfg_readl(dev, DOE + 0x0c), ==, 1u << 31);
    for (i = 0, n = 2; i < n; i++) {
        word[i] = cfg_readl(dev, DOE + 0x14);
        cfg_writel(dev, DOE + 0x14, 0);
        if (i == 1) {
            n = word[1];
            g_assert_cmpuint(n, <=, ARRAY_SIZE(word));
        }
    }
    for (i = 3; i < n; i++) {
        uint32_t le = cpu_to_le32(word[i]);

        g_byte_array_append(out, (uint8_t *)&le, sizeof(le));
    }
    return word[2] >> 16;
}

static void cdat_describes_each_range(void)
{
    static const struct {
        uint8_t flags;
        uint64_t base, length;
    } want[] = {
        { 0x00, 0, CXL_STATIC },
        { 0x24, CXL_DC_BASE, CXL_REGION },
        { 0x78, CXL_DC_BASE + CXL_REGION, CXL_REGION },
    };
    CxlDev dev;
    QTestState *qts = cxl_start_dcd(&dev, ",dc0-non-volatile=on,"
                                    "dc1-sharable=on,dc1-read-only=on,"
                                    "dc1-hw-coherent=on");
    g_autoptr(GByteArray) table = g_byte_array_new();
    unsigned handle = 0, at, ranges = 0;
    uint8_t sum = 0;

    do {
        handle = read_entry(&dev, handle, table);
    } while (handle != 0xffff);
    g_assert_cmpuint(ldl_le_p(table->data), ==, table->len);
    for (at = 0; at < table->len; at++) {
        sum += table->data[at];
    }
    g_assert_cmpuint(sum, ==, 0);

    for (at = 16; at < table->len; at += lduw_le_p(table->data + at + 2)) {
        const uint8_t *e = table->data + at;

        if (e[0] == 0) {
            g_assert_cmpuint(ranges, <, ARRAY_SIZE(want));
            g_assert_cmpuint(e[4], ==, ranges);
            g_assert_cmphex(e[5], ==, want[ranges].flags);
            g_assert_cmphex(ldq_le_p(e + 8), ==, want[ranges].base);
            g_assert_cmphex(ldq_le_p(e + 16), ==, want[ranges].length);
            ranges++;
        }
    }
    g_assert_cmpuint(ranges, ==, ARRAY_SIZE(want));
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/type3-errors/" #f, f)
#define DCD(f) cxl_add_dcd_test("/cxl/type3-errors/" #f, f, "")
    DCD(uncorrectable_errors_wait_in_line);
    DCD(uncorrectable_error_leaves_link_capabilities_alone);
    DCD(errors_survive_save_and_load);
    DCD(general_media_record_carries_every_field);
    DCD(dram_record_carries_every_field);
    DCD(memory_module_record_carries_every_field);
    DCD(poison_errors_come_in_order);
    T(cdat_describes_each_range);
    return g_test_run();
}
