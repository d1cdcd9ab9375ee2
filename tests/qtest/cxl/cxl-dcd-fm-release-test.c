/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity that the Fabric Manager takes back, tags and references
 * (CXL r3.2 7.6.7.6.6 to 7.6.7.6.9)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "cxl-qtest.h"

#define R0(k) (CXL_DC_BASE + (uint64_t)(k) * CXL_BLOCK)
#define BLOCKS(k) ((uint64_t)(k) * CXL_BLOCK)

static void release_is_a_request_until_the_host_acts(CxlDev *dev)
{
    const CxlExtent e = { R0(0), BLOCKS(4), 9 };
    const CxlExtent part = { R0(1), BLOCKS(1), 9 };
    uint32_t before, after;

    cxl_hold(dev, &e, 1);
    drain_log(dev, 4);
    host_list(dev, NULL, 0, &before);
    g_assert_cmphex(fm_release_list(dev, 0, &part, 1), ==, 0);
    g_assert_cmphex(fm_release_list(dev, 0, &part, 1), ==, 0);
    g_assert_cmphex(fm_release_tag(dev, 0, BLOCKS(4), 9), ==, 0);
    host_has(dev, &e, 1);
    host_list(dev, NULL, 0, &after);
    g_assert_cmphex(after, ==, before);
    g_assert_cmpuint(drain_log(dev, 4), ==, 3);
    g_assert_cmphex(host_answer(dev, 0x4803, &part, 1, false), ==, 0);
}

static void forced_release_acts_at_once(CxlDev *dev)
{
    const CxlExtent e = { R0(0), BLOCKS(4), 1 };
    const CxlExtent part = { R0(1), BLOCKS(1), 1 };
    const CxlExtent rest[] = {
        { R0(0), BLOCKS(1), 1 }, { R0(2), BLOCKS(2), 1 },
    };
    uint32_t before, after;

    cxl_hold(dev, &e, 1);
    host_list(dev, NULL, 0, &before);
    g_assert_cmphex(fm_release_list(dev, REL_FORCED, &part, 1), ==, 0);
    host_has(dev, rest, 2);
    host_list(dev, NULL, 0, &after);
    g_assert_cmphex(after, !=, before);
    g_assert_cmphex(host_answer(dev, 0x4803, &part, 1, false), ==, 0x0f);
    g_assert_cmphex(fm_release_tag(dev, REL_FORCED, BLOCKS(3), 1), ==, 0);
    host_has(dev, NULL, 0);
}

static void references_and_tags(CxlDev *dev)
{
    const CxlExtent e = { R0(0), BLOCKS(2), 0x5e };
    CxlReq tag, other, list;
    uint32_t gen;
    CxlRsp rsp;

    tag = cxl_req(0x5606, 0x5e);
    other = cxl_req(0x5606, 0x11);
    cxl_refused(dev, 0x5606, &tag, 2);
    cxl_refused(dev, 0x5607, &tag, 2);
    list = cxl_req(0x5608, 0, 8);
    g_assert_cmphex(cxl_cmd(dev, 0x5608, &list, &rsp), ==, 0);
    g_assert_cmpuint(rsp.len, ==, 0x10);
    g_assert_cmpuint(ldl_le_p(rsp.data + 4), ==, 0);
    gen = ldl_le_p(rsp.data);

    g_assert_cmphex(fm_add(dev, ADD_CONTIGUOUS, 0, BLOCKS(2), 0x5e), ==, 0);
    g_assert_cmphex(cxl_cmd(dev, 0x5608, &list, &rsp), ==, 0);
    g_assert_cmpuint(rsp.len, ==, 0x10 + 0x54);
    g_assert_cmphex(ldl_le_p(rsp.data), !=, gen);
    g_assert_cmpuint(ldl_le_p(rsp.data + 4), ==, 1);
    g_assert_cmpuint(ldl_le_p(rsp.data + 8), ==, 1);
    g_assert_cmphex(rsp.data[12], ==, 3);
    g_assert_cmpmem(rsp.data + 0x10, 16, tag.data, 16);
    g_assert_cmphex(rsp.data[0x20], ==, 0);
    g_assert_cmphex(rsp.data[0x24], ==, 0);
    g_assert_cmphex(rsp.data[0x44], ==, 1);

    g_assert_cmphex(host_answer(dev, 0x4802, &e, 1, false), ==, 0);
    g_assert_cmphex(cxl_cmd(dev, 0x5606, &tag, &rsp), ==, 0);
    g_assert_cmpuint(rsp.len, ==, 0);
    g_assert_cmphex(cxl_cmd(dev, 0x5606, &tag, NULL), ==, 0);
    cxl_refused(dev, 0x5606, &other, 2);
    g_assert_cmphex(cxl_cmd(dev, 0x5608, &list, &rsp), ==, 0);
    g_assert_cmphex(rsp.data[0x20], ==, 1);
    g_assert_cmphex(rsp.data[0x24], ==, 1);
    g_assert_cmphex(rsp.data[0x44], ==, 0);

    /* referenced capacity outlives its last host */
    g_assert_cmphex(host_answer(dev, 0x4803, &e, 1, false), ==, 0);
    g_assert_cmphex(cxl_cmd(dev, 0x5608, &list, &rsp), ==, 0);
    g_assert_cmpuint(ldl_le_p(rsp.data + 4), ==, 1);
    g_assert_cmphex(fm_add(dev, ADD_CONTIGUOUS, 0, CXL_REGION, 0x11), ==, 0x1d);
    g_assert_cmphex(fm_add(dev, ADD_SHARED, 0, 0, 0x5e), ==, 0);
    g_assert_cmphex(host_answer(dev, 0x4802, &e, 1, false), ==, 0);
    g_assert_cmphex(fm_add(dev, ADD_SHARED, 0, 0, 0x5e), ==, 2);
    g_assert_cmphex(host_answer(dev, 0x4803, &e, 1, false), ==, 0);
    g_assert_cmphex(cxl_cmd(dev, 0x5607, &tag, NULL), ==, 0);
    g_assert_cmphex(cxl_cmd(dev, 0x5608, &list, &rsp), ==, 0);
    g_assert_cmpuint(ldl_le_p(rsp.data + 4), ==, 0);
    cxl_refused(dev, 0x5607, &tag, 2);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define DCD(f, props) cxl_add_dcd_test("/cxl/dcd-fm-release/" #f, f, props)
    DCD(release_is_a_request_until_the_host_acts, "");
    DCD(forced_release_acts_at_once, "");
    DCD(references_and_tags, ",dc0-sharable=on");
#undef DCD
    return g_test_run();
}
