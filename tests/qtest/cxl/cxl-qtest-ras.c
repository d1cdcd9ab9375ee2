/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests of features and of maintenance have in common
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "cxl-qtest-ras.h"

static const uint8_t uuids[][16] = {
    [RAS_SCRUB] = {
        0x96, 0xda, 0xd7, 0xd6, 0xfd, 0xe8, 0x48, 0x2b,
        0xa7, 0x33, 0x75, 0x77, 0x4e, 0x06, 0xdb, 0x8a,
    },
    [RAS_ECS] = {
        0xe5, 0xb1, 0x3f, 0x22, 0x23, 0x28, 0x4a, 0x14,
        0xb8, 0xba, 0xb9, 0x69, 0x1e, 0x89, 0x33, 0x86,
    },
    [RAS_SOFT_PPR] = {
        0x89, 0x2b, 0xa4, 0x75, 0xfa, 0xd8, 0x47, 0x4e,
        0x9d, 0x3e, 0x69, 0x2c, 0x91, 0x75, 0x68, 0xbb,
    },
    [RAS_HARD_PPR] = {
        0x80, 0xea, 0x45, 0x21, 0x78, 0x6f, 0x41, 0x27,
        0xaf, 0xb1, 0xec, 0x74, 0x59, 0xfb, 0x0e, 0x24,
    },
    [RAS_CACHELINE] = {
        0x96, 0xc3, 0x33, 0x86, 0x91, 0xdd, 0x44, 0xc7,
        0x9e, 0xcb, 0xfd, 0xaf, 0x65, 0x03, 0xba, 0xc4,
    },
    [RAS_ROW] = {
        0x45, 0x0e, 0xbf, 0x67, 0xb1, 0x35, 0x4f, 0x97,
        0xa4, 0x98, 0xc2, 0xd5, 0x7f, 0x27, 0x9b, 0xed,
    },
    [RAS_BANK] = {
        0x78, 0xb7, 0x96, 0x36, 0x90, 0xac, 0x4b, 0x64,
        0xa4, 0xef, 0xfa, 0xac, 0x5d, 0x18, 0xa8, 0x63,
    },
    [RAS_RANK] = {
        0x34, 0xdb, 0xaf, 0xf5, 0x05, 0x52, 0x42, 0x81,
        0x8f, 0x76, 0xda, 0x0b, 0x5e, 0x7a, 0x76, 0xa7,
    },
};

static void req_bytes(CxlReq *r, const void *data, size_t len)
{
    memcpy(r->data + r->len, data, len);
    r->len += len;
}

uint16_t ras_get(CxlDev *dev, RasFeature f, uint8_t selection, uint16_t count,
                 CxlRsp *rsp)
{
    CxlReq r = { 0 };

    req_bytes(&r, uuids[f], sizeof(uuids[f]));
    req16(&r, 0);
    req16(&r, count);
    req8(&r, selection);
    return cxl_cmd(dev, 0x0501, &r, rsp);
}

CxlReq ras_set_request(RasFeature f, uint32_t flags, uint8_t version)
{
    CxlReq r = { 0 };

    req_bytes(&r, uuids[f], sizeof(uuids[f]));
    req32(&r, flags);
    req16(&r, 0);
    req8(&r, version);
    req_zero(&r, 9);
    return r;
}

void ras_set(CxlDev *dev, RasFeature f, uint32_t flags, const uint8_t *data,
             size_t len)
{
    CxlReq r = ras_set_request(f, flags, 1);

    req_bytes(&r, data, len);
    g_assert_cmphex(cxl_cmd(dev, 0x0502, &r, NULL), ==, 0);
}

void ras_set_scrub(CxlDev *dev, uint32_t flags, uint8_t hours, bool on)
{
    const uint8_t data[] = { hours, on };

    ras_set(dev, RAS_SCRUB, flags, data, sizeof(data));
}

void ras_poison(CxlDev *dev, uint64_t dpa)
{
    g_assert_cmphex(cxl_run(dev, NULL, 0x4301, dpa), ==, 0);
    drain_log(dev, 0);
}

unsigned ras_poisoned(CxlDev *dev)
{
    CxlRsp rsp;

    g_assert_cmphex(cxl_run(dev, &rsp, 0x4300, 0, CXL_STATIC / 64), ==, 0);
    return lduw_le_p(rsp.data + 0x0a);
}

unsigned ras_read_log(CxlDev *dev, uint8_t log, CxlRsp *rsp)
{
    g_assert_cmphex(cxl_run(dev, rsp, 0x0100, log), ==, 0);
    return lduw_le_p(rsp->data + 0x14);
}
