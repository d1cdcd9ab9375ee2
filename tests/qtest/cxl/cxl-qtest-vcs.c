/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bindings of a virtual switch, for qtests: commands 52h and the background
 * operations that they start
 */
#include "qemu/osdep.h"
#include "cxl-qtest-vcs.h"

void vcs_info_request(CxlReq *req, uint8_t start, uint8_t limit, uint8_t vcs)
{
    *req = (CxlReq) { 0 };
    req8(req, start);
    req8(req, limit);
    req8(req, 1);
    req8(req, vcs);
}

void vppb_binding(CxlSwitch *sw, unsigned vppb, uint8_t status[4])
{
    CxlReq req;
    CxlRsp rsp;

    vcs_info_request(&req, vppb, 1, 0);
    g_assert_cmphex(cxl_cmd(&sw->mailbox, OP_INFO, &req, &rsp), ==, 0);
    g_assert_cmpuint(rsp.len, ==, 4 + 4 + 4);
    memcpy(status, rsp.data + 8, 4);
}

uint8_t vppb_state(CxlSwitch *sw, unsigned vppb)
{
    uint8_t status[4];

    vppb_binding(sw, vppb, status);
    return status[0];
}

uint16_t vppb_bind(CxlSwitch *sw, uint8_t vcs, uint8_t vppb, uint8_t port,
                   uint16_t ld)
{
    return cxl_run(&sw->mailbox, NULL, OP_BIND, vcs, vppb, port, ld);
}

uint16_t vppb_unbind(CxlSwitch *sw, uint8_t vcs, uint8_t vppb, uint8_t option)
{
    return cxl_run(&sw->mailbox, NULL, OP_UNBIND, vcs, vppb, option);
}

bool switch_busy(CxlSwitch *sw)
{
    return dev_readq(&sw->mailbox, REG_MB_STATUS) & 1;
}

void switch_ends(CxlSwitch *sw, uint16_t op, uint16_t rc)
{
    uint64_t bg;

    g_assert_true(switch_busy(sw));
    qtest_clock_step(sw->qts, STEP_NS);
    g_assert_false(switch_busy(sw));
    bg = dev_readq(&sw->mailbox, REG_MB_BG_STATUS);
    g_assert_cmphex(bg & 0xffff, ==, op);
    g_assert_cmphex(bg >> 16 & 0x7f, ==, 100);
    g_assert_cmphex(bg >> 32 & 0xffff, ==, rc);
}

bool host_sees(CxlSwitch *sw, unsigned n)
{
    return cfg_readl(&sw->below[n], 0) != 0xffffffff;
}
