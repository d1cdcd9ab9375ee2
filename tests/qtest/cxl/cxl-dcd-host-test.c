/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity host commands 4800h-4803h through the PCI mailbox
 * (CXL r3.2 8.2.10.9.9)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "cxl-qtest.h"

/* The k-th block of region 0 and 1 */
#define R0(k) (CXL_DC_BASE + (uint64_t)(k) * CXL_BLOCK)
#define R1(k) (CXL_DC_BASE + CXL_REGION + (uint64_t)(k) * CXL_BLOCK)
#define BLOCKS(k) ((uint64_t)(k) * CXL_BLOCK)
/* A range beyond every region of the default device */
#define NOWHERE (CXL_DC_BASE + 2 * CXL_REGION)

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

static void config_pages_by_count_and_start(CxlDev *dev)
{
    static const struct { uint8_t count, start; uint16_t rc; uint8_t n; }
    rows[] = {
        { 1, 0, 0, 1 }, { 1, 1, 0, 1 }, { 9, 1, 0, 1 }, { 0, 0, 0, 0 },
        { 0, 1, 0, 0 }, { 1, 2, 2, 0 }, { 1, 255, 2, 0 },
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(rows); i++) {
        CxlRsp rsp;

        g_assert_cmphex(cxl_run(dev, &rsp, 0x4800, rows[i].count,
                                rows[i].start), ==, rows[i].rc);
        if (rows[i].rc) {
            g_assert_cmpuint(rsp.len, ==, 0);
            continue;
        }
        g_assert_cmpuint(rsp.len, ==, 8 + 0x28 * rows[i].n + 16);
        g_assert_cmphex(rsp.data[0], ==, 2);
        g_assert_cmphex(rsp.data[1], ==, rows[i].n);
        if (rows[i].n) {
            g_assert_cmphex(ldq_le_p(rsp.data + 8), ==,
                            CXL_DC_BASE + rows[i].start * CXL_REGION);
        }
    }
}

/* Found in stock QEMU: this ended the virtual machine */
static void empty_answer_with_nothing_pending_is_refused(CxlDev *dev)
{
    g_assert_cmphex(host_answer(dev, 0x4802, NULL, 0, false), ==, 2);
    cxl_alive(dev);
}

static void accept_with_nothing_pending_is_outside_the_offer(CxlDev *dev)
{
    const CxlExtent e = { R0(0), CXL_BLOCK };

    g_assert_cmphex(host_answer(dev, 0x4802, &e, 1, false), ==, 0x0f);
    host_has(dev, NULL, 0);
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

static void accept_part_frees_the_rest(CxlDev *dev)
{
    const CxlExtent offer = { R0(0), BLOCKS(8), 0x33 };
    const CxlExtent part[] = {
        { R0(1), BLOCKS(2), 0x33 }, { R0(5), BLOCKS(1), 0x33 },
    };
    const CxlExtent again = { R0(3), BLOCKS(2), 0x44 };
    uint32_t avail = avail_extents(dev);

    g_assert_cmphex(fm_add_list(dev, &offer, 1), ==, 0);
    g_assert_cmpuint(avail_extents(dev), ==, avail - 1);
    g_assert_cmphex(host_answer(dev, 0x4802, part, 2, false), ==, 0);
    host_has(dev, part, 2);
    g_assert_cmpuint(avail_extents(dev), ==, avail - 2);
    /* what was not taken can be offered again, what was taken cannot */
    g_assert_cmphex(fm_add_list(dev, &again, 1), ==, 0);
    g_assert_cmphex(fm_add_list(dev, part, 1), ==, 0x1e);
}

static void refusal_frees_the_group_and_keeps_the_generation(CxlDev *dev)
{
    const CxlExtent e = { R0(0), BLOCKS(2), 1 };
    uint32_t before, after;
    uint32_t avail = avail_extents(dev);

    host_list(dev, NULL, 0, &before);
    g_assert_cmphex(fm_add_list(dev, &e, 1), ==, 0);
    g_assert_cmphex(host_answer(dev, 0x4802, NULL, 0, false), ==, 0);
    host_list(dev, NULL, 0, &after);
    g_assert_cmphex(after, ==, before);
    g_assert_cmpuint(avail_extents(dev), ==, avail);
    g_assert_cmphex(host_answer(dev, 0x4802, &e, 1, false), ==, 0x0f);
}

static void groups_are_answered_oldest_first(CxlDev *dev)
{
    const CxlExtent a = { R0(0), BLOCKS(1), 1 }, b = { R0(4), BLOCKS(1), 2 };

    g_assert_cmphex(fm_add_list(dev, &a, 1), ==, 0);
    g_assert_cmphex(fm_add_list(dev, &b, 1), ==, 0);
    g_assert_cmphex(host_answer(dev, 0x4802, &b, 1, false), ==, 0x0f);
    host_has(dev, NULL, 0);
    g_assert_cmphex(host_answer(dev, 0x4802, &a, 1, false), ==, 0);
    g_assert_cmphex(host_answer(dev, 0x4802, &b, 1, false), ==, 0);
    {
        const CxlExtent both[] = { a, b };

        host_has(dev, both, 2);
    }
}

/* An answer in several payloads commits once, at the last of them */
static void more_collects_and_commits_once(CxlDev *dev)
{
    const CxlExtent e[] = {
        { R0(0), BLOCKS(1), 7 }, { R0(2), BLOCKS(1), 7 },
        { R1(0), BLOCKS(3), 8 },
    };
    uint32_t before, middle, after;

    g_assert_cmphex(fm_add_list(dev, e, 3), ==, 0);
    host_list(dev, NULL, 0, &before);
    g_assert_cmphex(host_answer(dev, 0x4802, e, 1, true), ==, 0);
    g_assert_cmphex(host_answer(dev, 0x4802, e + 1, 1, true), ==, 0);
    host_has(dev, NULL, 0);
    host_list(dev, NULL, 0, &middle);
    g_assert_cmphex(middle, ==, before);
    g_assert_cmphex(host_answer(dev, 0x4802, e + 2, 1, false), ==, 0);
    host_has(dev, e, 3);
    host_list(dev, NULL, 0, &after);
    g_assert_cmphex(after, !=, before);

    g_assert_cmphex(host_answer(dev, 0x4803, e, 2, true), ==, 0);
    host_has(dev, e, 3);
    g_assert_cmphex(host_answer(dev, 0x4803, e + 2, 1, false), ==, 0);
    host_has(dev, NULL, 0);
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

/* Rows: what is wrong with a list that answers an offer of R0(0), 8 blocks */
static const struct BadList {
    const char *why;
    CxlExtent e[2];
    unsigned n;
    uint16_t rc;
    bool elsewhere;             /* no range touches the offer R0(0..7) */
} bad_lists[] = {
    { "length zero", { { R0(0), 0 } }, 1, 0x1e },
    { "unaligned start", { { R0(0) + 64, CXL_BLOCK } }, 1, 0x1e },
    { "unaligned length", { { R0(0), CXL_BLOCK - 64 } }, 1, 0x1e },
    { "overlap in the list",
      { { R0(0), BLOCKS(2) }, { R0(1), BLOCKS(2) } }, 2, 0x1e },
    { "the same twice",
      { { R0(0), BLOCKS(1) }, { R0(0), BLOCKS(1) } }, 2, 0x1e },
    { "wraps", { { R0(0), -(uint64_t)BLOCKS(16) } }, 1, 0x0f },
    { "partly outside", { { R0(4), BLOCKS(8) } }, 1, 0x0f },
    { "elsewhere in the region", { { R0(20), BLOCKS(1) } }, 1, 0x0f, true },
    { "beyond every region", { { NOWHERE, BLOCKS(1) } }, 1, 0x0f, true },
    { "static memory", { { 0, BLOCKS(1) } }, 1, 0x0f, true },
};

static void answers_that_fail_refuse_what_they_are_about(CxlDev *dev)
{
    const CxlExtent offer = { R0(0), BLOCKS(8), 5 };
    uint32_t avail = avail_extents(dev);
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(bad_lists); i++) {
        uint16_t rc;

        g_assert_cmphex(fm_add_list(dev, &offer, 1), ==, 0);
        drain_log(dev, 4);
        rc = host_answer(dev, 0x4802, bad_lists[i].e, bad_lists[i].n, false);
        if (rc != bad_lists[i].rc) {
            g_test_message("%s", bad_lists[i].why);
        }
        g_assert_cmphex(rc, ==, bad_lists[i].rc);
        host_has(dev, NULL, 0);
        cxl_alive(dev);
        if (bad_lists[i].elsewhere) {
            /* the group is still there for a proper answer */
            g_assert_cmphex(host_answer(dev, 0x4802, &offer, 1, false), ==, 0);
            g_assert_cmphex(host_answer(dev, 0x4803, &offer, 1, false), ==, 0);
        }
        g_assert_cmpuint(avail_extents(dev), ==, avail);
    }
}

static void malformed_releases_change_nothing(CxlDev *dev)
{
    const CxlExtent held = { R0(0), BLOCKS(8), 5 };
    const CxlExtent pending = { R0(16), BLOCKS(1), 6 };
    uint32_t gen, after;
    unsigned i;

    cxl_hold(dev, &held, 1);
    g_assert_cmphex(fm_add_list(dev, &pending, 1), ==, 0);
    host_list(dev, NULL, 0, &gen);
    for (i = 0; i < ARRAY_SIZE(bad_lists); i++) {
        g_assert_cmphex(host_answer(dev, 0x4803, bad_lists[i].e, bad_lists[i].n,
                                    false), ==, bad_lists[i].rc);
    }
    g_assert_cmphex(host_answer(dev, 0x4803, NULL, 0, false), ==, 2);
    g_assert_cmphex(host_answer(dev, 0x4803, &pending, 1, false), ==, 0x0f);
    host_has(dev, &held, 1);
    host_list(dev, NULL, 0, &after);
    g_assert_cmphex(after, ==, gen);
    cxl_alive(dev);
}

static void accepted_capacity_cannot_be_accepted_again(CxlDev *dev)
{
    const CxlExtent e = { R0(0), BLOCKS(1), 1 }, f = { R0(2), BLOCKS(1), 2 };

    cxl_hold(dev, &e, 1);
    g_assert_cmphex(fm_add_list(dev, &f, 1), ==, 0);
    g_assert_cmphex(host_answer(dev, 0x4802, &e, 1, false), ==, 0x0f);
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

static void release_spans_adjacent_extents(CxlDev *dev)
{
    const CxlExtent e[] = {
        { R0(0), BLOCKS(2), 1 }, { R0(2), BLOCKS(2), 2 },
    };
    const CxlExtent across = { R0(1), BLOCKS(2) };
    const CxlExtent rest[] = {
        { R0(0), BLOCKS(1), 1 }, { R0(3), BLOCKS(1), 2 },
    };

    cxl_hold(dev, e, 2);
    g_assert_cmphex(host_answer(dev, 0x4803, &across, 1, false), ==, 0);
    host_has(dev, rest, 2);
}

/* Both orders of the same two ranges have the same final count */
static void tracking_limit_judges_the_final_count(void)
{
    const CxlExtent whole[] = {
        { R0(0), BLOCKS(4), 1 }, { R0(8), BLOCKS(1), 2 },
    };
    const CxlExtent split_first[] = {
        { R0(1), BLOCKS(1) }, { R0(8), BLOCKS(1) },
    };
    const CxlExtent whole_first[] = {
        { R0(8), BLOCKS(1) }, { R0(1), BLOCKS(1) },
    };
    unsigned order;

    for (order = 0; order < 2; order++) {
        CxlDev dev;
        QTestState *qts = cxl_start_dcd(&dev, ",dc-extents-max=2");

        cxl_hold(&dev, whole, 2);
        g_assert_cmphex(host_answer(&dev, 0x4803, split_first, 1, false),
                        ==, 0x1d);
        g_assert_cmphex(host_answer(&dev, 0x4803,
                                    order ? whole_first : split_first, 2,
                                    false), ==, 0);
        g_assert_cmpuint(host_list(&dev, NULL, 0, NULL), ==, 2);
        qtest_quit(qts);
    }
}

static void extent_list_pages_by_start_and_count(CxlDev *dev)
{
    static const struct { uint32_t count, start; uint16_t rc; uint32_t n; }
    rows[] = {
        { 0, 0, 0, 0 }, { 1, 0, 0, 1 }, { 2, 1, 0, 2 }, { 9, 2, 0, 1 },
        { 9, 3, 0, 0 }, { 1, 4, 2, 0 }, { 1, 0xffffffff, 2, 0 },
        { 0xffffffff, 0, 0, 3 }, { 0, 3, 0, 0 },
    };
    const CxlExtent e[] = {
        { R0(0), BLOCKS(1), 1 }, { R0(2), BLOCKS(1), 2 },
        { R1(0), BLOCKS(1), 3 },
    };
    unsigned i;

    cxl_hold(dev, e, 3);
    for (i = 0; i < ARRAY_SIZE(rows); i++) {
        CxlRsp rsp;

        g_assert_cmphex(cxl_run(dev, &rsp, 0x4801, rows[i].count,
                                rows[i].start), ==, rows[i].rc);
        if (!rows[i].rc) {
            g_assert_cmpuint(rsp.len, ==, 0x10 + rows[i].n * 0x28);
            g_assert_cmpuint(ldl_le_p(rsp.data), ==, rows[i].n);
            g_assert_cmpuint(ldl_le_p(rsp.data + 4), ==, 3);
            g_assert_cmphex(ldl_le_p(rsp.data + 12), ==, 0);
        }
    }
}

/* The length must be the one that the count asks for, in 64-bit arithmetic */
static void list_length_must_match_the_count(CxlDev *dev)
{
    static const struct { uint32_t count; uint32_t len; } rows[] = {
        { 1, 8 }, { 1, 8 + 0x17 }, { 1, 8 + 0x19 }, { 1, 8 + 0x28 },
        { 0, 8 + 0x18 }, { 10, 8 + 0x18 }, { 0xffffffff, 8 + 0x18 },
        { 0x0aaaaaab, 8 + 0x08 }, { 0, 7 }, { 0, 0 }, { 342, CXL_PAYLOAD },
    };
    const CxlExtent offer = { R0(0), BLOCKS(8), 5 };
    unsigned i;

    g_assert_cmphex(fm_add_list(dev, &offer, 1), ==, 0);
    for (i = 0; i < ARRAY_SIZE(rows); i++) {
        CxlReq r = cxl_req(0x4802, rows[i].count, 0);

        req_range(&r, R0(0), BLOCKS(1));
        req_zero(&r, CXL_PAYLOAD - r.len);
        r.len = rows[i].len;
        cxl_refused(dev, 0x4802, &r, 0x16);
        cxl_refused(dev, 0x4803, &r, 0x16);
    }
    g_assert_cmphex(host_answer(dev, 0x4802, &offer, 1, false), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/dcd-host/" #f, f)
#define DCD(f) cxl_add_dcd_test("/cxl/dcd-host/" #f, f, "")
    DCD(config_reports_regions_and_counters);
    DCD(config_pages_by_count_and_start);
    DCD(empty_answer_with_nothing_pending_is_refused);
    DCD(accept_with_nothing_pending_is_outside_the_offer);
    DCD(accept_keeps_tag_and_changes_generation);
    DCD(accept_part_frees_the_rest);
    DCD(refusal_frees_the_group_and_keeps_the_generation);
    DCD(groups_are_answered_oldest_first);
    DCD(more_collects_and_commits_once);
    DCD(fragmented_group_is_answered_in_two_payloads);
    DCD(answers_that_fail_refuse_what_they_are_about);
    DCD(malformed_releases_change_nothing);
    DCD(accepted_capacity_cannot_be_accepted_again);
    DCD(release_from_the_middle_splits_and_keeps_the_tag);
    DCD(release_spans_adjacent_extents);
    T(tracking_limit_judges_the_final_count);
    DCD(extent_list_pages_by_start_and_count);
    DCD(list_length_must_match_the_count);
#undef DCD
#undef T
    return g_test_run();
}
