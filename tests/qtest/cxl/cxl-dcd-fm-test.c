/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fabric Manager DCD Management 5600h-5608h through the PCI mailbox
 * (CXL r3.2 7.6.7.6)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "cxl-qtest.h"

#define R0(k) (CXL_DC_BASE + (uint64_t)(k) * CXL_BLOCK)
#define R1(k) (CXL_DC_BASE + CXL_REGION + (uint64_t)(k) * CXL_BLOCK)
#define BLOCKS(k) ((uint64_t)(k) * CXL_BLOCK)

static void info_reports_what_the_device_can(CxlDev *dev)
{
    CxlRsp rsp;
    uint64_t mask;
    unsigned i;

    g_assert_cmphex(cxl_cmd(dev, 0x5600, NULL, &rsp), ==, 0);
    g_assert_cmpuint(rsp.len, ==, 0x54);
    g_assert_cmphex(rsp.data[0], ==, 1);
    g_assert_cmphex(rsp.data[1], ==, 2);
    g_assert_cmphex(lduw_le_p(rsp.data + 2), ==, 0);
    g_assert_cmphex(lduw_le_p(rsp.data + 4), ==, 7);
    g_assert_cmphex(lduw_le_p(rsp.data + 6), ==, 0);
    g_assert_cmphex(lduw_le_p(rsp.data + 8), ==, 3);
    g_assert_cmphex(rsp.data[11], ==, 0);
    g_assert_cmpuint(ldq_le_p(rsp.data + 12), ==, 2);
    for (i = 0; i < 8; i++) {
        mask = ldq_le_p(rsp.data + 0x14 + 8 * i);
        if (i < 2) {
            g_assert_cmphex(mask & CXL_BLOCK, !=, 0);
            g_assert_cmphex(mask & 0xfff000000000003full, ==, 0);
        } else {
            g_assert_cmphex(mask, ==, 0);
        }
    }
}

static void host_config_has_the_fm_record_layout(void)
{
    CxlDev dev;
    QTestState *qts = cxl_start_dcd(
        &dev, ",dc0-sharable=on,dc1-read-only=on,dc1-sanitize=on");
    CxlRsp rsp;
    const uint8_t *p = rsp.data + 4;

    g_assert_cmphex(cxl_run(&dev, &rsp, 0x5601, 0, 0xff, 0), ==, 0);
    g_assert_cmpuint(rsp.len, ==, 4 + 2 * 0x28 + 16);
    g_assert_cmphex(lduw_le_p(rsp.data), ==, 0);
    g_assert_cmphex(rsp.data[2], ==, 2);
    g_assert_cmphex(rsp.data[3], ==, 2);
    g_assert_cmphex(ldq_le_p(p), ==, R0(0));
    g_assert_cmphex(ldq_le_p(p + 8), ==, 1);
    g_assert_cmphex(ldq_le_p(p + 0x10), ==, CXL_REGION);
    g_assert_cmphex(ldq_le_p(p + 0x18), ==, CXL_BLOCK);
    g_assert_cmphex(ldl_le_p(p + 0x20), ==, 1 << 5 | 1 << 3);
    g_assert_cmphex(ldl_le_p(p + 0x24), ==, 0);
    p += 0x28;
    g_assert_cmphex(ldq_le_p(p), ==, R1(0));
    g_assert_cmphex(ldl_le_p(p + 0x20), ==, 1 << 5 | 1 << 6);
    g_assert_cmphex(ldl_le_p(p + 0x24), ==, 1);
    qtest_quit(qts);
}

static void every_command_with_a_host_id_checks_it(CxlDev *dev)
{
    static const uint16_t hosts[] = { 1, 5, 0xff, 0xffff };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(hosts); i++) {
        CxlReq add = { 0 }, release = { 0 };

        cxl_refuses(dev, 2, 0x5601, hosts[i], 1, 0);
        cxl_refuses(dev, 2, 0x5603, hosts[i], 0, 0);

        req16(&add, hosts[i]);
        req16(&add, 0);
        req64(&add, CXL_BLOCK);
        req_tag(&add, 0);
        cxl_refused(dev, 0x5604, &add, 2);

        req16(&release, hosts[i]);
        req16(&release, 0);
        req64(&release, CXL_BLOCK);
        req_tag(&release, 1);
        cxl_refused(dev, 0x5605, &release, 2);
    }
    g_assert_cmpuint(drain_log(dev, 4), ==, 0);
}

static uint16_t set_region(CxlDev *dev, uint8_t id, uint64_t block,
                           uint8_t flags)
{
    return cxl_run(dev, NULL, 0x5602, id, block, flags);
}

static uint64_t region_block(CxlDev *dev, uint8_t id)
{
    CxlRsp rsp;

    g_assert_cmphex(cxl_run(dev, &rsp, 0x4800, 1, id), ==, 0);
    return ldq_le_p(rsp.data + 8 + 0x18);
}

static void set_region_changes_blocks_and_tells_the_host(CxlDev *dev)
{
    const CxlExtent small = { R0(0) + 4 * MiB, 4 * MiB, 1 };
    const CxlExtent odd = { R0(0) + 2 * MiB, 2 * MiB, 1 };
    CxlRsp rsp;

    g_assert_cmphex(set_region(dev, 0, 4 * MiB, 0), ==, 0);
    g_assert_cmphex(region_block(dev, 0), ==, 4 * MiB);
    g_assert_cmphex(region_block(dev, 1), ==, CXL_BLOCK);
    g_assert_cmphex(cxl_run(dev, &rsp, 0x0100, 4), ==, 0);
    g_assert_cmpuint(lduw_le_p(rsp.data + 0x14), ==, 1);
    g_assert_cmphex(rsp.data[0x20 + 0x30], ==, 3);
    g_assert_cmphex(rsp.data[0x20 + 0x34], ==, 0);
    g_assert_cmphex(fm_add_list(dev, &odd, 1), ==, 0x1e);
    g_assert_cmphex(fm_add_list(dev, &small, 1), ==, 0);
}

static void sanitize_setting_changes_only_where_configurable(CxlDev *dev)
{
    g_assert_cmphex(set_region(dev, 0, CXL_BLOCK, 1), ==, 0);
    g_assert_cmphex(set_region(dev, 1, CXL_BLOCK, 1), ==, 3);
    g_assert_cmphex(set_region(dev, 1, CXL_BLOCK, 0), ==, 0);
}

static void fm_list_equals_the_hosts_list(CxlDev *dev)
{
    const CxlExtent e[] = {
        { R0(0), BLOCKS(1), 1 }, { R0(2), BLOCKS(3), 2 },
        { R1(9), BLOCKS(1), 0 },
    };
    CxlExtent host[3], fm[3];
    uint32_t host_gen, fm_gen;

    g_assert_cmphex(fm_add_list(dev, e, 3), ==, 0);
    g_assert_cmpuint(fm_list(dev, fm, 3, NULL), ==, 0);
    g_assert_cmphex(host_answer(dev, 0x4802, e, 3, false), ==, 0);
    g_assert_cmpuint(host_list(dev, host, 3, &host_gen), ==, 3);
    g_assert_cmpuint(fm_list(dev, fm, 3, &fm_gen), ==, 3);
    g_assert_cmpmem(host, sizeof(host), fm, sizeof(fm));
    g_assert_cmphex(host_gen, ==, fm_gen);
}

/* 2 KiB hold 50 records behind the header; nobody gets half a record */
static void long_lists_come_in_pages(CxlDev *dev)
{
    enum { N = 100 };
    CxlExtent e[N], got[N];
    CxlRsp rsp;
    unsigned i;

    for (i = 0; i < N; i++) {
        e[i] = (CxlExtent) { i & 1 ? R1(i) : R0(i), BLOCKS(1), i };
    }
    cxl_hold(dev, e, N / 2);
    cxl_hold(dev, e + N / 2, N / 2);
    g_assert_cmphex(cxl_run(dev, &rsp, 0x5603, 0, N, 0), ==, 0);
    g_assert_cmpuint(ldl_le_p(rsp.data + 8), ==, (2 * KiB - 0x18) / 0x28);
    g_assert_cmpuint(ldl_le_p(rsp.data + 12), ==, N);
    g_assert_cmpuint(fm_list(dev, got, N, NULL), ==, N);
    host_has(dev, e, N);
}

static void pending_offers_count_against_the_limit(CxlDev *dev)
{
    const CxlExtent e[] = {
        { R0(0), BLOCKS(1), 1 }, { R0(2), BLOCKS(1), 1 },
        { R0(4), BLOCKS(1), 2 }, { R0(6), BLOCKS(1), 2 },
    };

    g_assert_cmpuint(avail_extents(dev), ==, 3);
    g_assert_cmphex(fm_add_list(dev, e, 4), ==, 0x1d);
    g_assert_cmphex(fm_add_list(dev, e, 2), ==, 0);
    g_assert_cmpuint(avail_extents(dev), ==, 1);
    g_assert_cmphex(fm_add_list(dev, e + 2, 2), ==, 0x1d);
    /* all three slots in use by one group: it can be accepted */
    g_assert_cmphex(fm_add_list(dev, e + 2, 1), ==, 0);
    g_assert_cmphex(host_answer(dev, 0x4802, e, 2, false), ==, 0);
    g_assert_cmphex(host_answer(dev, 0x4802, e + 2, 1, false), ==, 0);
    g_assert_cmpuint(avail_extents(dev), ==, 0);
    host_has(dev, e, 3);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/dcd-fm/" #f, f)
#define DCD(f, props) cxl_add_dcd_test("/cxl/dcd-fm/" #f, f, props)
    DCD(info_reports_what_the_device_can, "");
    T(host_config_has_the_fm_record_layout);
    DCD(every_command_with_a_host_id_checks_it, "");
    DCD(set_region_changes_blocks_and_tells_the_host, "");
    DCD(sanitize_setting_changes_only_where_configurable,
        ",dc1-sanitize-configurable=off");
    DCD(fm_list_equals_the_hosts_list, "");
    DCD(long_lists_come_in_pages, ",mailbox-payload=2K");
    DCD(pending_offers_count_against_the_limit, ",dc-extents-max=3");
#undef DCD
#undef T
    return g_test_run();
}
