/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity host commands 4800h-4803h through the PCI mailbox
 * (CXL r3.2 8.2.10.9.9)
 *
 * Which answers are refused, and with which code, is in the tests of the model
 * and of the command sets: test-cxl-dc-host, -return and test-cxl-cmds-dc.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "cxl-qtest.h"

/* The k-th block of region 0 */
#define R0(k) (CXL_DC_BASE + (uint64_t)(k) * CXL_BLOCK)
#define BLOCKS(k) ((uint64_t)(k) * CXL_BLOCK)

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

/* Found in stock QEMU: this ended the virtual machine */
static void empty_answer_with_nothing_pending_is_refused(CxlDev *dev)
{
    g_assert_cmphex(host_answer(dev, 0x4802, NULL, 0, false), ==, 2);
    cxl_alive(dev);
}

static void accept_keeps_tag_and_changes_generation(CxlDev *dev)
{
    const CxlExtent e[] = {
        { R0(0), BLOCKS(4), 0x11 }, { R0(8), BLOCKS(1), 0x22 },
    };
    uint32_t before, offered, after;

    host_list(dev, NULL, 0, &before);
    g_assert_cmphex(fm_add_list(dev, e, 2), ==, 0);
    g_assert_cmpuint(host_list(dev, NULL, 0, &offered), ==, 0);
    g_assert_cmphex(offered, ==, before);
    g_assert_cmphex(host_answer(dev, 0x4802, e, 2, false), ==, 0);
    host_has(dev, e, 2);
    host_list(dev, NULL, 0, &after);
    g_assert_cmphex(after, !=, before);
}

/* Region 0 with every odd block taken: capacity comes in single blocks */
static void fragmented_group_is_answered_in_two_payloads(CxlDev *dev)
{
    enum { PIECES = 60 };
    CxlExtent taken[PIECES / 2], piece[PIECES];
    uint32_t avail = avail_extents(dev);
    unsigned half, i;

    for (half = 0; half < 2; half++) {
        for (i = 0; i < PIECES / 2; i++) {
            unsigned k = half * PIECES / 2 + i;

            taken[i] = (CxlExtent) { R0(2 * k + 1), BLOCKS(1), 0 };
            piece[k] = (CxlExtent) { R0(2 * k), BLOCKS(1), 0x61 };
        }
        cxl_hold(dev, taken, i);
    }
    drain_log(dev, 4);
    /* sixty single blocks and the eight behind them */
    g_assert_cmphex(fm_add(dev, ADD_FREE, 0, BLOCKS(PIECES + 8), 0x61), ==, 0);
    g_assert_cmpuint(drain_log(dev, 4), ==, PIECES + 1);
    g_assert_cmphex(host_answer(dev, 0x4802, piece, 40, true), ==, 0);
    g_assert_cmphex(host_answer(dev, 0x4802, piece + 40, PIECES - 40, false),
                    ==, 0);
    g_assert_cmpuint(avail_extents(dev), ==, avail - 2 * PIECES);
}

static void release_from_the_middle_splits_and_keeps_the_tag(CxlDev *dev)
{
    const CxlExtent e = { R0(0), BLOCKS(8), 0x77 };
    const CxlExtent middle = { R0(3), BLOCKS(2) };
    const CxlExtent rest[] = {
        { R0(0), BLOCKS(3), 0x77 }, { R0(5), BLOCKS(3), 0x77 },
    };
    uint32_t avail = avail_extents(dev);

    cxl_hold(dev, &e, 1);
    g_assert_cmphex(host_answer(dev, 0x4803, &middle, 1, false), ==, 0);
    host_has(dev, rest, 2);
    g_assert_cmpuint(avail_extents(dev), ==, avail - 2);
    g_assert_cmphex(host_answer(dev, 0x4803, &middle, 1, false), ==, 0x0f);
    g_assert_cmphex(host_answer(dev, 0x4803, rest, 2, false), ==, 0);
    g_assert_cmpuint(avail_extents(dev), ==, avail);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define DCD(f) cxl_add_dcd_test("/cxl/dcd-host/" #f, f, "")
    DCD(config_reports_regions_and_counters);
    DCD(empty_answer_with_nothing_pending_is_refused);
    DCD(accept_keeps_tag_and_changes_generation);
    DCD(fragmented_group_is_answered_in_two_payloads);
    DCD(release_from_the_middle_splits_and_keeps_the_tag);
#undef DCD
    return g_test_run();
}
