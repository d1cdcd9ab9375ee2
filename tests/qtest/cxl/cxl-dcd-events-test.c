/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity event records, the event logs and their interrupts through
 * the PCI mailbox (CXL r3.2 8.2.10.2)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "cxl-qtest.h"

#define R0(k) (CXL_DC_BASE + (uint64_t)(k) * CXL_BLOCK)
#define BLOCKS(k) ((uint64_t)(k) * CXL_BLOCK)
#define LOG_DC 4
#define RECORD(rsp, i) ((rsp).data + 0x20 + (i) * 0x80)

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

static void release_groups_have_their_types(CxlDev *dev)
{
    const CxlExtent e[] = {
        { R0(0), BLOCKS(2), 1 }, { R0(4), BLOCKS(2), 1 },
    };
    unsigned forced, i;
    CxlRsp rsp;

    cxl_hold(dev, e, 2);
    drain_log(dev, LOG_DC);
    for (forced = 0; forced < 2; forced++) {
        g_assert_cmphex(fm_release_list(dev, forced ? REL_FORCED : 0, e, 2), ==,
                        0);
        get_log(dev, LOG_DC, &rsp);
        g_assert_cmpuint(lduw_le_p(rsp.data + 0x14), ==, 2);
        for (i = 0; i < 2; i++) {
            g_assert_cmphex(RECORD(rsp, i)[0x30], ==, forced ? 2 : 1);
            g_assert_cmphex(RECORD(rsp, i)[0x35], ==, i == 0);
            g_assert_cmphex(ldq_le_p(RECORD(rsp, i) + 0x38), ==, e[i].dpa);
            g_assert_cmphex(RECORD(rsp, i)[0x48], ==, 1);
        }
        drain_log(dev, LOG_DC);
    }
    /* what the FM's own log gets never shows up in the host's */
    g_assert_cmpuint(drain_log(dev, LOG_DC), ==, 0);
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
#define DCD(f, props) cxl_add_dcd_test("/cxl/dcd-events/" #f, f, props)
    DCD(add_records_carry_every_field, "");
    DCD(release_groups_have_their_types, "");
    DCD(forced_release_overflows_and_clear_all_recovers,
        ",dc-event-log-depth=4");
    DCD(interrupt_comes_when_the_log_fills_from_empty, "");
    DCD(interrupt_policy_off_means_silence, "");
#undef DCD
    return g_test_run();
}
