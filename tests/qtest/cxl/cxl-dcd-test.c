/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity through the PCI mailbox: what the host reads of its regions
 * (CXL r3.2 8.2.10.9.9), what a Fabric Manager sets (7.6.7.6), event records,
 * logs and their interrupts (8.2.10.2)
 *
 * Which requests and answers are refused, and with which code, is in the tests
 * of the model and of the command sets: test-cxl-dc-* and test-cxl-cmds-dc.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "cxl-qtest.h"

#define LOG_DC 4
#define RECORD(rsp, i) ((rsp).data + 0x20 + (i) * 0x80)

static void config_reports_regions_and_counters(CxlDev *dev)
{
    CxlRsp rsp;
    unsigned i;

    g_assert_cmphex(cxl_run(dev, &rsp, 0x4800, 255, 0), ==, 0);
    g_assert_cmpuint(rsp.len, ==, 8 + 2 * 0x28 + 16);
    g_assert_cmphex(rsp.data[0], ==, 2);
    g_assert_cmphex(rsp.data[1], ==, 2);
    for (i = 0; i < 2; i++) {
        const uint8_t *p = rsp.data + 8 + 0x28 * i;

        g_assert_cmphex(ldq_le_p(p), ==, CXL_DC_BASE + i * CXL_REGION);
        g_assert_cmphex(ldq_le_p(p + 8), ==, 1);
        g_assert_cmphex(ldq_le_p(p + 0x10), ==, CXL_REGION);
        g_assert_cmphex(ldq_le_p(p + 0x18), ==, CXL_BLOCK);
        /* DSMADs follow that of the volatile memory */
        g_assert_cmphex(ldl_le_p(p + 0x20), ==, i + 1);
        g_assert_cmphex(ldl_le_p(p + 0x24), ==, 0);
    }
    g_assert_cmpuint(ldl_le_p(rsp.data + 0x58), >=, 65536);
    g_assert_cmpuint(ldl_le_p(rsp.data + 0x5c), ==,
                     ldl_le_p(rsp.data + 0x58));
    g_assert_cmpuint(ldl_le_p(rsp.data + 0x60), >=, 65536);
    g_assert_cmpuint(ldl_le_p(rsp.data + 0x64), ==,
                     ldl_le_p(rsp.data + 0x60));
}

static void host_config_has_the_fm_record_layout(CxlDev *dev)
{
    CxlRsp rsp;
    const uint8_t *p = rsp.data + 4;

    g_assert_cmphex(cxl_run(dev, &rsp, 0x5601, 0, 0xff, 0), ==, 0);
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

static void get_log(CxlDev *dev, uint8_t log, CxlRsp *rsp)
{
    g_assert_cmphex(cxl_run(dev, rsp, 0x0100, log), ==, 0);
    g_assert_cmpuint(rsp->len, ==, 0x20 + 0x80 * lduw_le_p(rsp->data + 0x14));
}

static uint16_t clear_log(CxlDev *dev, uint8_t log, uint8_t flags,
                          const uint16_t *handles, uint8_t n)
{
    CxlReq r = cxl_req(0x0101, log, flags, n);
    unsigned i;

    for (i = 0; i < n; i++) {
        req16(&r, handles[i]);
    }
    return cxl_cmd(dev, 0x0101, &r, NULL);
}

static uint32_t status(CxlDev *dev)
{
    return dev_readl(dev, REG_EVENT_STATUS);
}

static void add_records_carry_every_field(CxlDev *dev)
{
    static const uint8_t uuid[16] = {
        0xca, 0x95, 0xaf, 0xa7, 0xf1, 0x83, 0x40, 0x18,
        0x8c, 0x2f, 0x95, 0x26, 0x8e, 0x10, 0x1a, 0x2a,
    };
    const CxlExtent e[] = {
        { R0(0), BLOCKS(2), 0x31 }, { R0(4), BLOCKS(1), 0x32 },
    };
    uint32_t avail = avail_extents(dev);
    CxlRsp rsp;
    unsigned i, k;

    g_assert_cmphex(status(dev), ==, 0);
    g_assert_cmphex(fm_add_list(dev, e, 2), ==, 0);
    g_assert_cmphex(status(dev), ==, 1 << LOG_DC);
    get_log(dev, LOG_DC, &rsp);
    g_assert_cmphex(rsp.data[0], ==, 0);
    g_assert_cmpuint(lduw_le_p(rsp.data + 0x14), ==, 2);
    for (i = 0; i < 2; i++) {
        const uint8_t *p = RECORD(rsp, i);

        g_assert_cmpmem(p, 16, uuid, 16);
        g_assert_cmphex(p[0x10], ==, 0x80);
        g_assert_cmphex(p[0x11] | p[0x12] | p[0x13], ==, 0);
        g_assert_cmphex(lduw_le_p(p + 0x14), ==, i + 1);
        g_assert_cmphex(lduw_le_p(p + 0x16), ==, 0);
        g_assert_cmphex(p[0x30], ==, 0);
        g_assert_cmphex(p[0x31], ==, 1);
        g_assert_cmphex(lduw_le_p(p + 0x32), ==, 0);
        g_assert_cmphex(p[0x34], ==, 0);
        g_assert_cmphex(p[0x35], ==, i == 0);
        g_assert_cmphex(ldq_le_p(p + 0x38), ==, e[i].dpa);
        g_assert_cmphex(ldq_le_p(p + 0x40), ==, e[i].len);
        for (k = 0; k < 16; k++) {
            g_assert_cmphex(p[0x48 + k], ==, e[i].tag);
        }
        g_assert_cmphex(lduw_le_p(p + 0x58), ==, 0);
        for (k = 0x5a; k < 0x78; k++) {
            g_assert_cmphex(p[k], ==, 0);
        }
        g_assert_cmpuint(ldl_le_p(p + 0x78), ==, avail - 2);
        g_assert_cmpuint(ldl_le_p(p + 0x7c), >, 0);
    }
    /* reading does not remove */
    g_assert_cmphex(status(dev), ==, 1 << LOG_DC);
    g_assert_cmpuint(drain_log(dev, LOG_DC), ==, 2);
    g_assert_cmphex(status(dev), ==, 0);
}

/* Forced release goes on with a full log; the loss shows as overflow */
static void forced_release_overflows_and_clear_all_recovers(CxlDev *dev)
{
    CxlExtent e[4];
    unsigned i;
    CxlRsp rsp;

    for (i = 0; i < 4; i++) {
        e[i] = (CxlExtent) { R0(2 * i), BLOCKS(1), 1 };
    }
    cxl_hold(dev, e, 4);
    g_assert_cmphex(fm_release_list(dev, 0, e, 1), ==, 5);
    g_assert_cmphex(fm_release_list(dev, REL_FORCED, e, 2), ==, 0);
    host_has(dev, e + 2, 2);
    get_log(dev, LOG_DC, &rsp);
    g_assert_cmpuint(lduw_le_p(rsp.data + 0x14), ==, 4);
    g_assert_cmphex(rsp.data[0] & 1, ==, 1);
    g_assert_cmpuint(lduw_le_p(rsp.data + 2), ==, 2);
    g_assert_cmphex(RECORD(rsp, 3)[0x30], ==, 0);
    g_assert_cmphex(clear_log(dev, LOG_DC, 1, NULL, 0), ==, 0);
    get_log(dev, LOG_DC, &rsp);
    g_assert_cmpuint(lduw_le_p(rsp.data + 0x14), ==, 0);
    g_assert_cmphex(rsp.data[0], ==, 0);
    g_assert_cmpuint(lduw_le_p(rsp.data + 2), ==, 0);
    g_assert_cmphex(status(dev), ==, 0);
}

static void set_policy(CxlDev *dev, const uint8_t *modes, unsigned n)
{
    CxlReq r = { 0 };
    unsigned i;

    for (i = 0; i < n; i++) {
        req8(&r, modes[i]);
    }
    g_assert_cmphex(cxl_cmd(dev, 0x0103, &r, NULL), ==, 0);
}

static void interrupt_comes_when_the_log_fills_from_empty(CxlDev *dev)
{
    static const uint8_t on[] = { 1, 1, 1, 1, 1 };
    const CxlExtent e[] = { { R0(0), BLOCKS(1), 1 }, { R0(2), BLOCKS(1), 2 } };
    unsigned vector;
    CxlRsp rsp;

    cxl_msix_enable(dev);
    set_policy(dev, on, 5);
    g_assert_cmphex(cxl_cmd(dev, 0x0102, NULL, &rsp), ==, 0);
    g_assert_cmpuint(rsp.len, ==, 5);
    g_assert_cmphex(rsp.data[4] & 0xf, ==, 1);
    vector = rsp.data[4] >> 4;
    g_assert_cmpuint(vector, >, 0);
    g_assert_cmpuint(vector, <, 8);

    g_assert_cmphex(fm_add_list(dev, e, 1), ==, 0);
    g_assert_true(cxl_msix_fired(dev, vector));
    /* not empty: no second message */
    g_assert_cmphex(fm_add_list(dev, e + 1, 1), ==, 0);
    g_assert_false(cxl_msix_fired(dev, vector));
    drain_log(dev, LOG_DC);
    g_assert_cmphex(host_answer(dev, 0x4802, e, 1, false), ==, 0);
    g_assert_cmphex(fm_release_list(dev, 0, e, 1), ==, 0);
    g_assert_true(cxl_msix_fired(dev, vector));
}

static void interrupt_policy_off_means_silence(CxlDev *dev)
{
    static const uint8_t on4[] = { 1, 1, 1, 1 };
    static const uint8_t off[] = { 0, 0, 0, 0, 0 };
    const CxlExtent e = { R0(0), BLOCKS(1), 1 };
    CxlReq reserved = { 0 };
    unsigned v;
    CxlRsp rsp;

    cxl_msix_enable(dev);
    /* four bytes leave the setting of the fifth log alone */
    set_policy(dev, off, 5);
    set_policy(dev, on4, 4);
    g_assert_cmphex(cxl_cmd(dev, 0x0102, NULL, &rsp), ==, 0);
    g_assert_cmphex(rsp.data[0] & 3, ==, 1);
    g_assert_cmphex(rsp.data[4] & 3, ==, 0);
    g_assert_cmphex(fm_add_list(dev, &e, 1), ==, 0);
    for (v = 0; v < 8; v++) {
        g_assert_false(cxl_msix_fired(dev, v));
    }
    req_zero(&reserved, 4);
    req8(&reserved, 3);
    cxl_refused(dev, 0x0103, &reserved, 2);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define DCD(f, props) cxl_add_dcd_test("/cxl/dcd/" #f, f, props)
    DCD(config_reports_regions_and_counters, "");
    DCD(host_config_has_the_fm_record_layout,
        ",dc0-sharable=on,dc1-read-only=on,dc1-sanitize=on");
    DCD(set_region_changes_blocks_and_tells_the_host, "");
    DCD(sanitize_setting_changes_only_where_configurable,
        ",dc1-sanitize-configurable=off");
    DCD(pending_offers_count_against_the_limit, ",dc-extents-max=3");
    DCD(add_records_carry_every_field, "");
    DCD(forced_release_overflows_and_clear_all_recovers,
        ",dc-event-log-depth=4");
    DCD(interrupt_comes_when_the_log_fills_from_empty, "");
    DCD(interrupt_policy_off_means_silence, "");
    return g_test_run();
}
