/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests of features and of maintenance have in common
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "qemu/uuid.h"
#include "cxl-qtest-ras.h"

static const char *const uuids[] = {
    [RAS_SCRUB] = "96dad7d6-fde8-482b-a733-75774e06db8a",
    [RAS_ECS] = "e5b13f22-2328-4a14-b8ba-b9691e893386",
    [RAS_SOFT_PPR] = "892ba475-fad8-474e-9d3e-692c917568bb",
    [RAS_HARD_PPR] = "80ea4521-786f-4127-afb1-ec7459fb0e24",
    [RAS_CACHELINE] = "96c33386-91dd-44c7-9ecb-fdaf6503bac4",
    [RAS_ROW] = "450ebf67-b135-4f97-a498-c2d57f279bed",
    [RAS_BANK] = "78b79636-90ac-4b64-a4ef-faac5d18a863",
    [RAS_RANK] = "34dbaff5-0552-4281-8f76-da0b5e7a76a7",
};

static void req_bytes(CxlReq *r, const void *data, size_t len)
{
    memcpy(r->data + r->len, data, len);
    r->len += len;
}

static void req_feature(CxlReq *r, RasFeature f)
{
    QemuUUID uuid;

    g_assert_cmpint(qemu_uuid_parse(uuids[f], &uuid), ==, 0);
    req_bytes(r, uuid.data, sizeof(uuid.data));
}

uint16_t ras_get(CxlDev *dev, RasFeature f, uint8_t selection, uint16_t count,
                 CxlRsp *rsp)
{
    CxlReq r = { 0 };

    req_feature(&r, f);
    req16(&r, 0);
    req16(&r, count);
    req8(&r, selection);
    return cxl_cmd(dev, 0x0501, &r, rsp);
}

CxlReq ras_set_request(RasFeature f, uint32_t flags, uint8_t version)
{
    CxlReq r = { 0 };

    req_feature(&r, f);
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
