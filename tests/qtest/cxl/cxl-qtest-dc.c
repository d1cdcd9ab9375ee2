/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity as a Fabric Manager and a host use it (CXL r3.2 7.6.7.6,
 * 8.2.10.9.9): requests of the CXL qtests
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "cxl-qtest.h"

uint16_t fm_add(CxlDev *dev, unsigned policy, unsigned region, uint64_t len,
                uint8_t tag)
{
    return cxl_run(dev, NULL, 0x5604, 0, policy, region, len, tag, 0);
}

static uint16_t fm_list_cmd(CxlDev *dev, uint16_t op, uint8_t flags,
                            const CxlExtent *ext, unsigned n)
{
    /* 5605h is laid out alike */
    CxlReq r = cxl_req(0x5604, 0, flags, 0, 0, 0, n);
    unsigned i;

    for (i = 0; i < n; i++) {
        req_extent(&r, ext[i].dpa, ext[i].len, ext[i].tag, ext[i].seq);
    }
    return cxl_cmd(dev, op, &r, NULL);
}

uint16_t fm_add_list(CxlDev *dev, const CxlExtent *ext, unsigned n)
{
    return fm_list_cmd(dev, 0x5604, ADD_PRESCRIPTIVE, ext, n);
}

uint16_t fm_release_list(CxlDev *dev, unsigned flags, const CxlExtent *ext,
                         unsigned n)
{
    return fm_list_cmd(dev, 0x5605, REL_PRESCRIPTIVE | flags, ext, n);
}

uint16_t fm_release_tag(CxlDev *dev, unsigned flags, uint64_t len,
                        uint8_t tag)
{
    return cxl_run(dev, NULL, 0x5605, 0, REL_TAG | flags, len, tag, 0);
}

uint16_t host_answer(CxlDev *dev, uint16_t op, const CxlExtent *ext,
                     unsigned n, bool more)
{
    /* 4803h is laid out alike */
    CxlReq r = cxl_req(0x4802, n, more);
    unsigned i;

    for (i = 0; i < n; i++) {
        req_range(&r, ext[i].dpa, ext[i].len);
    }
    return cxl_cmd(dev, op, &r, NULL);
}

void cxl_hold(CxlDev *dev, const CxlExtent *ext, unsigned n)
{
    g_assert_cmphex(fm_add_list(dev, ext, n), ==, 0);
    g_assert_cmphex(host_answer(dev, 0x4802, ext, n, false), ==, 0);
}

static void parse_extent(const uint8_t *p, CxlExtent *e)
{
    unsigned i;

    e->dpa = ldq_le_p(p);
    e->len = ldq_le_p(p + 8);
    e->tag = p[16];
    for (i = 17; i < 32; i++) {
        g_assert_cmphex(p[i], ==, e->tag);
    }
    e->seq = lduw_le_p(p + 32);
    for (i = 34; i < 40; i++) {
        g_assert_cmphex(p[i], ==, 0);
    }
}

/* Both list commands page alike; they differ in where the fields stand */
static unsigned list(CxlDev *dev, uint16_t op, CxlExtent *ext, unsigned max,
                     uint32_t *gen)
{
    bool fm = op == 0x5603;
    unsigned at_n = fm ? 8 : 0, head = fm ? 0x18 : 0x10;
    unsigned seen = 0, total, i, n;
    uint32_t generation = 0;

    do {
        CxlReq r = { 0 };
        CxlRsp rsp;

        if (fm) {
            req32(&r, 0);
        }
        req32(&r, UINT32_MAX);
        req32(&r, seen);
        g_assert_cmphex(cxl_cmd(dev, op, &r, &rsp), ==, 0);
        n = ldl_le_p(rsp.data + at_n);
        total = ldl_le_p(rsp.data + at_n + 4);
        if (seen) {
            g_assert_cmphex(ldl_le_p(rsp.data + at_n + 8), ==, generation);
        }
        generation = ldl_le_p(rsp.data + at_n + 8);
        g_assert_cmpuint(rsp.len, ==, head + n * 40);
        for (i = 0; i < n; i++, seen++) {
            CxlExtent e;

            parse_extent(rsp.data + head + i * 40, &e);
            if (seen < max) {
                ext[seen] = e;
            }
        }
    } while (n && seen < total);
    g_assert_cmpuint(seen, ==, total);
    if (gen) {
        *gen = generation;
    }
    return total;
}

unsigned host_list(CxlDev *dev, CxlExtent *ext, unsigned max, uint32_t *gen)
{
    return list(dev, 0x4801, ext, max, gen);
}

unsigned fm_list(CxlDev *dev, CxlExtent *ext, unsigned max, uint32_t *gen)
{
    return list(dev, 0x5603, ext, max, gen);
}

void host_has(CxlDev *dev, const CxlExtent *ext, unsigned n)
{
    g_autofree CxlExtent *got = g_new0(CxlExtent, n + 1);
    unsigned i, j;

    g_assert_cmpuint(host_list(dev, got, n, NULL), ==, n);
    for (i = 0; i < n; i++) {
        for (j = 0; j < n && got[j].dpa != ext[i].dpa; j++) {
            /* look on */
        }
        g_assert_cmpuint(j, <, n);
        g_assert_cmphex(got[j].len, ==, ext[i].len);
        g_assert_cmphex(got[j].tag, ==, ext[i].tag);
        g_assert_cmphex(got[j].seq, ==, ext[i].seq);
    }
}

uint32_t avail_extents(CxlDev *dev)
{
    CxlRsp rsp;

    g_assert_cmphex(cxl_run(dev, &rsp, 0x4800, 0, 0), ==, 0);
    g_assert_cmpuint(rsp.len, ==, 8 + 16);
    return ldl_le_p(rsp.data + 12);
}

unsigned drain_log(CxlDev *dev, uint8_t log)
{
    unsigned total = 0;

    for (;;) {
        CxlReq clear;
        CxlRsp rsp;
        unsigned i, n;

        g_assert_cmphex(cxl_run(dev, &rsp, 0x0100, log), ==, 0);
        n = lduw_le_p(rsp.data + 0x14);
        if (!n) {
            return total;
        }
        clear = cxl_req(0x0101, log, 0, n);
        for (i = 0; i < n; i++) {
            req16(&clear, lduw_le_p(rsp.data + 0x20 + i * 0x80 + 0x14));
        }
        g_assert_cmphex(cxl_cmd(dev, 0x0101, &clear, NULL), ==, 0);
        total += n;
    }
}
