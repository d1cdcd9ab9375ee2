/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Features of a memory device in a running machine: values over reset and
 * migration, and what patrol scrub finds (CXL r3.2 8.2.10.6, 8.2.10.9.11)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "cxl-qtest.h"

#define HOUR_NS     (3600 * 1000ll * 1000 * 1000)
#define LOG_FAIL    2

/* Set Feature flags: full transfer, and keep it over a reset */
#define FULL        0
#define START       1
#define SAVE        8

/* Get Feature selections */
enum { CURRENT, DEFAULT, SAVED };

static const uint8_t scrub_uuid[] = {
    0x96, 0xda, 0xd7, 0xd6, 0xfd, 0xe8, 0x48, 0x2b,
    0xa7, 0x33, 0x75, 0x77, 0x4e, 0x06, 0xdb, 0x8a,
};

static void req_bytes(CxlReq *r, const void *data, size_t len)
{
    memcpy(r->data + r->len, data, len);
    r->len += len;
}

static uint16_t get_scrub(CxlDev *dev, uint8_t selection, CxlRsp *rsp)
{
    CxlReq r = { 0 };

    req_bytes(&r, scrub_uuid, sizeof(scrub_uuid));
    req16(&r, 0);
    req16(&r, 4);
    req8(&r, selection);
    return cxl_cmd(dev, 0x0501, &r, rsp);
}

static void scrub_reads(CxlDev *dev, uint8_t selection, uint8_t hours, bool on)
{
    CxlRsp rsp;

    g_assert_cmphex(get_scrub(dev, selection, &rsp), ==, 0);
    g_assert_cmpuint(rsp.len, ==, 4);
    g_assert_cmpuint(rsp.data[1], ==, hours);
    g_assert_cmpuint(rsp.data[3], ==, on);
}

static CxlReq scrub_request(uint32_t flags, uint8_t version)
{
    CxlReq r = { 0 };

    req_bytes(&r, scrub_uuid, sizeof(scrub_uuid));
    req32(&r, flags);
    req16(&r, 0);
    req8(&r, version);
    req_zero(&r, 9);
    return r;
}

static void set_scrub(CxlDev *dev, uint32_t flags, uint8_t hours, bool on)
{
    CxlReq r = scrub_request(flags, 1);

    req8(&r, hours);
    req8(&r, on);
    g_assert_cmphex(cxl_cmd(dev, 0x0502, &r, NULL), ==, 0);
}

static void inject(CxlDev *dev, uint64_t dpa)
{
    CxlReq r = { 0 };

    req64(&r, dpa);
    g_assert_cmphex(cxl_cmd(dev, 0x4301, &r, NULL), ==, 0);
    drain_log(dev, 0);
}

static void read_log(CxlDev *dev, uint8_t log, CxlRsp *rsp)
{
    CxlReq r = { 0 };

    req8(&r, log);
    g_assert_cmphex(cxl_cmd(dev, 0x0100, &r, rsp), ==, 0);
}

static void reset(CxlDev *dev)
{
    qtest_system_reset(dev->qts);
    cxl_probe(dev->qts, 0, dev);
}

static void every_return_code(void)
{
    CxlDev dev;
    QTestState *qts = cxl_start_dcd(&dev, "");
    CxlReq list = { 0 }, unknown = { 0 }, r;
    CxlRsp rsp;

    /* 0500h: too few bytes for its header, a start behind the end */
    req32(&list, 7);
    req32(&list, 0);
    cxl_refused(&dev, 0x0500, &list, 0x02);
    list.len = 0;
    req32(&list, 8);
    req32(&list, 1000);
    cxl_refused(&dev, 0x0500, &list, 0x02);
    list.len = 0;
    req32(&list, 8);
    req32(&list, 0);
    g_assert_cmphex(cxl_cmd(&dev, 0x0500, &list, &rsp), ==, 0);
    g_assert_cmpuint(rsp.len, ==, 8);
    g_assert_cmpuint(lduw_le_p(rsp.data + 2), >=, 2);

    /* unknown feature, selection, version, value, transfers */
    req_zero(&unknown, 0x15);
    cxl_refused(&dev, 0x0501, &unknown, 0x03);
    req_zero(&unknown, 0x20);
    cxl_refused(&dev, 0x0502, &unknown, 0x03);
    g_assert_cmphex(get_scrub(&dev, 3, NULL), ==, 0x1a);
    r = scrub_request(FULL, 2);
    req16(&r, 0x0101);
    cxl_refused(&dev, 0x0502, &r, 0x19);
    r = scrub_request(FULL, 1);
    req16(&r, 0x0100);
    cxl_refused(&dev, 0x0502, &r, 0x02);
    r = scrub_request(FULL, 1);
    cxl_refused(&dev, 0x0502, &r, 0x16);
    r = scrub_request(2, 1);
    req8(&r, 1);
    cxl_refused(&dev, 0x0502, &r, 0x1c);
    r = scrub_request(START, 1);
    req8(&r, 1);
    g_assert_cmphex(cxl_cmd(&dev, 0x0502, &r, NULL), ==, 0);
    g_assert_cmphex(get_scrub(&dev, CURRENT, NULL), ==, 0x1b);
    cxl_refused(&dev, 0x0502, &r, 0x1b);
    r = scrub_request(4, 1);
    g_assert_cmphex(cxl_cmd(&dev, 0x0502, &r, NULL), ==, 0);
    scrub_reads(&dev, CURRENT, 12, false);
    qtest_quit(qts);
}

static void saved_values_survive_a_reset(void)
{
    CxlDev dev;
    QTestState *qts = cxl_start_dcd(&dev, "");
    CxlReq r;

    set_scrub(&dev, FULL | SAVE, 6, true);
    set_scrub(&dev, FULL, 8, false);
    scrub_reads(&dev, CURRENT, 8, false);
    scrub_reads(&dev, DEFAULT, 12, false);
    scrub_reads(&dev, SAVED, 6, true);
    r = scrub_request(START, 1);
    req8(&r, 1);
    g_assert_cmphex(cxl_cmd(&dev, 0x0502, &r, NULL), ==, 0);
    reset(&dev);
    scrub_reads(&dev, CURRENT, 6, true);
    qtest_quit(qts);
}

static void scrub_finds_poison(void)
{
    CxlDev dev;
    QTestState *qts = cxl_start_dcd(&dev, "");
    CxlRsp rsp;

    /* not while it is off */
    inject(&dev, 0x1000);
    qtest_clock_step(qts, 48 * HOUR_NS);
    g_assert_cmphex(dev_readl(&dev, REG_EVENT_STATUS), ==, 0);

    set_scrub(&dev, FULL, 1, true);
    g_assert_cmphex(dev_readl(&dev, REG_EVENT_STATUS), ==, 0);
    qtest_clock_step(qts, HOUR_NS);
    g_assert_cmphex(dev_readl(&dev, REG_EVENT_STATUS), ==, 1 << LOG_FAIL);
    read_log(&dev, LOG_FAIL, &rsp);
    g_assert_cmpuint(lduw_le_p(rsp.data + 0x14), ==, 1);
    /* General Media, failure, volatile, uncorrectable, scrub ECC, by scrub */
    g_assert_cmphex((uint32_t)ldl_be_p(rsp.data + 0x20), ==,
                    0xfbcd0a77);
    g_assert_cmphex(rsp.data[0x20 + 0x11] & 3, ==, 2);
    g_assert_cmphex(ldq_le_p(rsp.data + 0x20 + 0x30), ==, 0x1001);
    g_assert_cmphex(rsp.data[0x20 + 0x38], ==, 1);
    g_assert_cmphex(rsp.data[0x20 + 0x39], ==, 4);
    g_assert_cmphex(rsp.data[0x20 + 0x3a], ==, 5);
    g_assert_cmpuint(drain_log(&dev, LOG_FAIL), ==, 1);

    /* once in each cycle, until it is switched off */
    qtest_clock_step(qts, HOUR_NS);
    g_assert_cmpuint(drain_log(&dev, LOG_FAIL), ==, 1);
    set_scrub(&dev, FULL, 1, false);
    qtest_clock_step(qts, 48 * HOUR_NS);
    g_assert_cmphex(dev_readl(&dev, REG_EVENT_STATUS), ==, 0);
    qtest_quit(qts);
}

/* Poison of capacity that no host has is the Fabric Manager's business */
static void scrub_tells_who_may_use_the_memory(void)
{
    CxlDev dev;
    QTestState *qts = cxl_start_dcd(&dev, "");
    CxlExtent e = { .dpa = CXL_DC_BASE, .len = CXL_BLOCK };
    QDict *rsp;

    rsp = qtest_qmp(qts,
        "{'execute': 'cxl-inject-poison', 'arguments': {'path': "
        "'/machine/peripheral/cxl-mem0', 'start': %" PRIu64 ", 'length': 64}}",
        (uint64_t)CXL_DC_BASE);
    qobject_unref(rsp);
    set_scrub(&dev, FULL, 1, true);
    qtest_clock_step(qts, HOUR_NS);
    g_assert_cmphex(dev_readl(&dev, REG_EVENT_STATUS), ==, 0);

    g_assert_cmphex(fm_add_list(&dev, &e, 1), ==, 0);
    g_assert_cmphex(host_answer(&dev, 0x4802, &e, 1, false), ==, 0);
    drain_log(&dev, 4);
    qtest_clock_step(qts, HOUR_NS);
    g_assert_cmphex(dev_readl(&dev, REG_EVENT_STATUS), ==, 1 << LOG_FAIL);
    qtest_quit(qts);
}

static void state_survives_save_and_load(void)
{
    g_autofree char *args = cxl_args(CXL_BACKENDS "-device " CXL_DCD_DEVICE);
    CxlDev dev;
    QTestState *qts = cxl_start_dcd(&dev, "");
    CxlReq r;

    inject(&dev, CXL_STATIC - 64);
    set_scrub(&dev, FULL | SAVE, 3, true);
    set_scrub(&dev, FULL, 2, true);
    r = scrub_request(START, 1);
    req8(&r, 9);
    g_assert_cmphex(cxl_cmd(&dev, 0x0502, &r, NULL), ==, 0);
    qts = cxl_migrate(qts, args);
    cxl_probe(qts, 0, &dev);
    g_assert_cmphex(get_scrub(&dev, CURRENT, NULL), ==, 0x1b);
    r = scrub_request(4, 1);
    g_assert_cmphex(cxl_cmd(&dev, 0x0502, &r, NULL), ==, 0);
    scrub_reads(&dev, CURRENT, 2, true);
    scrub_reads(&dev, SAVED, 3, true);
    qtest_clock_step(qts, 2 * HOUR_NS);
    g_assert_cmphex(dev_readl(&dev, REG_EVENT_STATUS), ==, 1 << LOG_FAIL);
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/features/" #f, f)
    T(every_return_code);
    T(saved_values_survive_a_reset);
    T(scrub_finds_poison);
    T(scrub_tells_who_may_use_the_memory);
    T(state_survives_save_and_load);
#undef T
    return g_test_run();
}
