/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that make a device or a port interrupt its host, for qtests
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "hw/pci/pci_regs.h"
#include "reentry-requests.h"

#define LINE_BYTES      64

/* -- to the device -------------------------------------------------------- */

CxlReq reentry_capacity(uint8_t flags)
{
    CxlReq req = cxl_req(0x5604, 0, flags, 0, 0, 0, 1);

    req_extent(&req, REENTRY_DC_BASE, CXL_BLOCK, 0, 0);
    return req;
}

CxlReq reentry_region(uint64_t block)
{
    return cxl_req(0x5602, 0, block, 0);
}

CxlReq reentry_address(uint64_t dpa)
{
    return cxl_req(0x4301, dpa);
}

CxlReq reentry_scan(void)
{
    return cxl_req(0x4304, 0, 1 * MiB / LINE_BYTES, 0);
}

CxlReq reentry_overwrite(void)
{
    /* class sanitize, subclass write zeroes, one range */
    CxlReq req = cxl_req(0x4402, 1, 1, 1);

    req64(&req, 0);
    req64(&req, 1 * MiB);
    return req;
}

CxlReq reentry_firmware(void)
{
    CxlReq req = cxl_req(0x0201, 0, 2, 0);

    req_zero(&req, 256);
    return req;
}

CxlReq reentry_sparing(void)
{
    CxlReq req = { 0 };

    req8(&req, 2);
    req8(&req, 0);
    req_zero(&req, 14);
    return req;
}

CxlReq reentry_alert(uint8_t percent)
{
    return cxl_req(0x4202, 1, 1, percent, 0, 0, 0, 0);
}

/* -- to the switch -------------------------------------------------------- */

CxlReq reentry_tunnel(uint16_t op, const CxlReq *req)
{
    unsigned len = req ? req->len : 0;
    CxlReq t = cxl_req(0x5300, SWITCH_DSP_PORT(0), 0, 12 + len);

    /* a CCI message: request, tag */
    req8(&t, 0);
    req8(&t, 0x5a);
    req8(&t, 0);
    req16(&t, op);
    req16(&t, len);
    req_zero(&t, 1 + 2 + 2);
    if (len) {
        memcpy(t.data + t.len, req->data, len);
        t.len += len;
    }
    return t;
}

CxlReq reentry_config(unsigned reg, uint32_t value)
{
    return cxl_req(0x5301, SWITCH_DSP_PORT(0), reg | 0xf000, 0x80, 0, value);
}

CxlReq reentry_doorbell(Reentry *r)
{
    CxlReq req = cxl_req(0x5302, SWITCH_DSP_PORT(0), 0xf0, 0x80, 0, 4,
                         r->mem.bar[2] + REG_MB_CONTROL);

    req32(&req, 1);
    return req;
}

CxlReq reentry_control(uint8_t op)
{
    return cxl_req(0x5102, SWITCH_DSP_PORT(0), op);
}

CxlReq reentry_bind(void)
{
    return cxl_req(0x5201, 0, 1, SWITCH_DSP_PORT(0), NO_LD);
}

CxlReq reentry_unbind(uint8_t option)
{
    return cxl_req(0x5202, 0, 1, option);
}

CxlReq reentry_aer(uint32_t status)
{
    return cxl_req(0x5203, 0, 1, status, 0);
}

CxlReq reentry_slot_config(Reentry *r)
{
    unsigned reg = cfg_find_cap(&r->dsp[0], PCI_CAP_ID_EXP) + PCI_EXP_SLTCTL;

    return cxl_req(0x5103, SWITCH_DSP_PORT(0), reg | 0x3000, 0x80,
                   PCI_EXP_SLTCTL_PWR_IND_ON | PCI_EXP_SLTCTL_HPIE |
                   PCI_EXP_SLTCTL_CCIE);
}

/* -- ways ----------------------------------------------------------------- */

void reentry_by_mailbox(Reentry *r, uint16_t op, const CxlReq *req)
{
    reentry_send(&r->mem, op, req);
}

void reentry_by_line(Reentry *r, uint16_t op, const CxlReq *req)
{
    reentry_send_line(r, LINE_MEM, op, req);
}

void reentry_by_i2c(Reentry *r, uint16_t op, const CxlReq *req)
{
    reentry_send_i2c(r, false, op, req);
}

/* To a logical device: from the FM-owned side, port 0 is LD 0 */
void reentry_by_ld(Reentry *r, uint16_t op, const CxlReq *req)
{
    CxlReq tunnel = reentry_tunnel(op, req);

    tunnel.data[0] = 0;
    reentry_by_line(r, 0x5300, &tunnel);
}

void reentry_by_tunnel(Reentry *r, uint16_t op, const CxlReq *req)
{
    CxlReq tunnel = reentry_tunnel(op, req);

    reentry_by_switch_mailbox(r, 0x5300, &tunnel);
}

void reentry_by_line_tunnel(Reentry *r, uint16_t op, const CxlReq *req)
{
    CxlReq tunnel = reentry_tunnel(op, req);

    reentry_by_switch_line(r, 0x5300, &tunnel);
}

void reentry_by_i2c_tunnel(Reentry *r, uint16_t op, const CxlReq *req)
{
    CxlReq tunnel = reentry_tunnel(op, req);

    reentry_by_switch_i2c(r, 0x5300, &tunnel);
}

void reentry_by_switch_mailbox(Reentry *r, uint16_t op, const CxlReq *req)
{
    reentry_send(&r->sw, op, req);
}

void reentry_by_switch_line(Reentry *r, uint16_t op, const CxlReq *req)
{
    reentry_send_line(r, LINE_SWITCH, op, req);
}

void reentry_by_switch_i2c(Reentry *r, uint16_t op, const CxlReq *req)
{
    reentry_send_i2c(r, true, op, req);
}
