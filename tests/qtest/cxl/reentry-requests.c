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
    CxlReq req = { 0 };

    req16(&req, 0);
    req8(&req, flags);
    req_zero(&req, 1 + 8 + 16);
    req32(&req, 1);
    req_extent(&req, REENTRY_DC_BASE, CXL_BLOCK, 0, 0);
    return req;
}

CxlReq reentry_region(uint64_t block)
{
    CxlReq req = { 0 };

    req8(&req, 0);
    req_zero(&req, 3);
    req64(&req, block);
    req_zero(&req, 4);
    return req;
}

CxlReq reentry_address(uint64_t dpa)
{
    CxlReq req = { 0 };

    req64(&req, dpa);
    return req;
}

CxlReq reentry_scan(void)
{
    CxlReq req = { 0 };

    req64(&req, 0);
    req64(&req, 1 * MiB / LINE_BYTES);
    req8(&req, 0);
    return req;
}

CxlReq reentry_overwrite(void)
{
    CxlReq req = { 0 };

    /* class sanitize, subclass write zeroes, one range */
    req8(&req, 1);
    req8(&req, 1);
    req16(&req, 0);
    req32(&req, 1);
    req64(&req, 0);
    req64(&req, 1 * MiB);
    return req;
}

CxlReq reentry_firmware(void)
{
    CxlReq req = { 0 };

    req8(&req, 0);
    req8(&req, 2);
    req_zero(&req, 0x7e + 256);
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
    CxlReq req = { 0 };

    req8(&req, 1);
    req8(&req, 1);
    req8(&req, percent);
    req_zero(&req, 9);
    return req;
}

/* -- to the switch -------------------------------------------------------- */

CxlReq reentry_tunnel(uint16_t op, const CxlReq *req)
{
    unsigned len = req ? req->len : 0;
    CxlReq t = { 0 };

    req8(&t, SWITCH_DSP_PORT(0));
    req8(&t, 0);
    req16(&t, 12 + len);
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
    CxlReq req = { 0 };

    req8(&req, SWITCH_DSP_PORT(0));
    req8(&req, reg);
    req8(&req, reg >> 8 | 0xf0);
    req8(&req, 0x80);
    req16(&req, 0);
    req_zero(&req, 2);
    req32(&req, value);
    return req;
}

CxlReq reentry_doorbell(Reentry *r)
{
    CxlReq req = { 0 };

    req8(&req, SWITCH_DSP_PORT(0));
    req_zero(&req, 1);
    req8(&req, 0xf0);
    req8(&req, 0x80);
    req16(&req, 0);
    req16(&req, 4);
    req64(&req, r->mem.bar[2] + REG_MB_CONTROL);
    req32(&req, 1);
    return req;
}

CxlReq reentry_control(uint8_t op)
{
    CxlReq req = { 0 };

    req8(&req, SWITCH_DSP_PORT(0));
    req8(&req, op);
    return req;
}

CxlReq reentry_bind(void)
{
    CxlReq req = { 0 };

    req8(&req, 0);
    req8(&req, 1);
    req8(&req, SWITCH_DSP_PORT(0));
    req8(&req, 0);
    req16(&req, NO_LD);
    return req;
}

CxlReq reentry_unbind(uint8_t option)
{
    CxlReq req = { 0 };

    req8(&req, 0);
    req8(&req, 1);
    req8(&req, option);
    return req;
}

CxlReq reentry_aer(uint32_t status)
{
    CxlReq req = { 0 };

    req8(&req, 0);
    req8(&req, 1);
    req16(&req, 0);
    req32(&req, status);
    req_zero(&req, 32);
    return req;
}

CxlReq reentry_slot_config(Reentry *r)
{
    unsigned reg = cfg_find_cap(&r->dsp[0], PCI_CAP_ID_EXP) + PCI_EXP_SLTCTL;
    CxlReq req = { 0 };

    req8(&req, SWITCH_DSP_PORT(0));
    req8(&req, reg);
    req8(&req, reg >> 8 | 0x30);
    req8(&req, 0x80);
    req32(&req, PCI_EXP_SLTCTL_PWR_IND_ON | PCI_EXP_SLTCTL_HPIE |
          PCI_EXP_SLTCTL_CCIE);
    return req;
}
