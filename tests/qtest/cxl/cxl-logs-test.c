/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debug logs of a memory device: the commands it ran, and a picture of its
 * state, compared with what registers and other commands say (CXL r3.2
 * 8.2.10.5)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "cxl-log-uuids.h"
#include "cxl-qtest.h"

#define HISTORY_SIZE    (0x10 + 64 * 0x18)
#define DUMP_SIZE       0x2000
#define DUMP_HEAD       0x30
/* CXL.cachemem registers: behind as many bytes of BAR 0 */
#define CACHEMEM        0x1000

static const uint8_t history_uuid[] = CXL_LOG_UUID_VENDOR;
static const uint8_t dump_uuid[] = CXL_LOG_UUID_DUMP;

static void read_log(CxlDev *dev, const uint8_t *uuid, uint8_t *to,
                     uint32_t size)
{
    uint32_t at, n;

    for (at = 0; at < size; at += n) {
        CxlReq r = { 0 };
        CxlRsp rsp;

        n = MIN(size - at, 2048);
        memcpy(r.data, uuid, 16);
        r.len = 16;
        req32(&r, at);
        req32(&r, n);
        g_assert_cmphex(cxl_cmd(dev, 0x0401, &r, &rsp), ==, 0);
        g_assert_cmpuint(rsp.len, ==, n);
        memcpy(to + at, rsp.data, n);
    }
}

static uint16_t log_op(CxlDev *dev, uint16_t op, const uint8_t *uuid)
{
    CxlReq r = { .len = 16 };

    memcpy(r.data, uuid, 16);
    return cxl_cmd(dev, op, &r, NULL);
}

static const uint8_t *section(const uint8_t *dump, uint16_t id, uint32_t *len)
{
    const uint8_t *at = dump + DUMP_HEAD;
    const uint8_t *end = at + ldl_le_p(dump);

    while (at < end) {
        *len = ldl_le_p(at + 4);
        if (lduw_le_p(at) == id) {
            return at + 8;
        }
        at += 8 + *len;
    }
    g_assert_not_reached();
}

static void the_last_commands_are_remembered(CxlDev *dev)
{
    uint8_t log[HISTORY_SIZE];
    const uint8_t *last;

    g_assert_cmphex(log_op(dev, 0x0403, history_uuid), ==, 0);
    g_assert_cmphex(cxl_cmd(dev, 0x4000, NULL, NULL), ==, 0);
    g_assert_cmphex(cxl_cmd(dev, 0x4242, NULL, NULL), ==, 3);
    read_log(dev, history_uuid, log, sizeof(log));
    g_assert_cmpuint(ldl_le_p(log + 4), ==, 3);
    last = log + 0x10 + 2 * 0x18;
    g_assert_cmphex(lduw_le_p(last + 8), ==, 0x4242);
    g_assert_cmphex(lduw_le_p(last + 10), ==, 3);
    g_assert_cmphex(lduw_le_p(last - 0x18 + 8), ==, 0x4000);
    g_assert_cmpuint(ldl_le_p(last - 0x18 + 16), ==, 0x45);
    /* what came before a reset is what one wants to know after it */
    cxl_reset(dev);
    read_log(dev, history_uuid, log, sizeof(log));
    g_assert_cmpuint(ldl_le_p(log + 4), ==, 3);
}

static void a_dump_shows_the_state(CxlDev *dev)
{
    const CxlExtent held = { CXL_DC_BASE, CXL_BLOCK, 1 };
    g_autofree uint8_t *dump = g_malloc(DUMP_SIZE);
    const uint8_t *at;
    uint64_t window;
    uint32_t len, i;

    window = cxl_map(dev, CXL_STATIC);
    cxl_hold(dev, &held, 1);
    g_assert_cmphex(cxl_run(dev, NULL, 0x4301, 64), ==, 0);
    read_log(dev, dump_uuid, dump, DUMP_SIZE);
    g_assert_cmphex(ldl_le_p(dump), ==, 0);
    g_assert_cmphex(log_op(dev, 0x0404, dump_uuid), ==, 0);
    read_log(dev, dump_uuid, dump, DUMP_SIZE);

    at = section(dump, 1, &len);
    g_assert_cmpuint(len, ==, 40);
    g_assert_cmphex(ldq_le_p(at), ==, 0x1234);
    g_assert_cmphex(ldq_le_p(at + 8), ==, CXL_STATIC);
    g_assert_cmphex(ldq_le_p(at + 24), ==, 2 * CXL_REGION);
    at = section(dump, 2, &len);
    g_assert_cmphex(ldl_le_p(at), ==, 0);
    g_assert_cmphex(at[4], ==, 1);              /* media ready */
    g_assert_cmphex(at[5], ==, 1);              /* firmware slot */
    g_assert_cmpint((int16_t)lduw_le_p(at + 12), ==, 25);
    at = section(dump, 4, &len);
    g_assert_cmpuint(ldl_le_p(at), ==, 1);
    at = section(dump, 5, &len);
    g_assert_cmpuint(len, ==, 10 * 16);
    g_assert_cmpuint(ldl_le_p(at), ==, 1);      /* host: poison injected */
    g_assert_cmpuint(ldl_le_p(at + 9 * 16), ==, 1); /* FM: capacity accepted */
    at = section(dump, 6, &len);
    g_assert_cmphex(ldq_le_p(at), ==, window);
    g_assert_cmphex(ldq_le_p(at + 8), ==, CXL_STATIC);
    g_assert_cmpuint(at[28], ==, 1);
    g_assert_cmpuint(at[29], ==, 1);
    at = section(dump, 7, &len);
    g_assert_cmpuint(len, ==, 16 + 2 * 24);
    g_assert_cmpuint(ldl_le_p(at), ==, 1);
    g_assert_cmphex(ldq_le_p(at + 16), ==, CXL_DC_BASE);
    at = section(dump, 8, &len);
    for (i = 0; i < len; i += 4) {
        g_assert_cmphex(ldl_le_p(at + i), ==, qtest_readl(dev->qts, dev->bar[0]
                                                          + CACHEMEM + i));
    }
    g_assert_cmpuint(len, ==, 0x1000);
}

static void a_running_operation_shows(CxlDev *dev)
{
    g_autofree uint8_t *dump = g_malloc(DUMP_SIZE);
    const uint8_t *at;
    uint32_t len;

    g_assert_cmphex(cxl_cmd(dev, 0x4400, NULL, NULL), ==, 1);
    qtest_clock_step(dev->qts, 2000000000ll);
    g_assert_cmphex(log_op(dev, 0x0404, dump_uuid), ==, 0);
    qtest_clock_step(dev->qts, 2000000000ll);
    read_log(dev, dump_uuid, dump, DUMP_SIZE);
    at = section(dump, 3, &len);
    g_assert_cmpuint(len, ==, 3 * 8);
    g_assert_cmphex(ldl_le_p(at), ==, 1 | 1 << 8 | 50 << 16);
    g_assert_cmphex(lduw_le_p(at + 4), ==, 0x4400);
    g_assert_cmphex(section(dump, 2, &len)[4], ==, 3);
    g_assert_cmphex(log_op(dev, 0x0403, dump_uuid), ==, 0);
    read_log(dev, dump_uuid, dump, DUMP_SIZE);
    g_assert_cmphex(ldl_le_p(dump), ==, 0);
}

static void logs_survive_save_and_load(CxlDev *dev)
{
    g_autofree uint8_t *before = g_malloc(DUMP_SIZE);
    g_autofree uint8_t *after = g_malloc(DUMP_SIZE);
    uint8_t log[HISTORY_SIZE];

    g_assert_cmphex(log_op(dev, 0x0404, dump_uuid), ==, 0);
    read_log(dev, dump_uuid, before, DUMP_SIZE);
    cxl_migrate_dcd(dev, "");
    read_log(dev, dump_uuid, after, DUMP_SIZE);
    g_assert_cmpmem(before, DUMP_SIZE, after, DUMP_SIZE);
    read_log(dev, history_uuid, log, sizeof(log));
    g_assert_cmpuint(ldl_le_p(log + 4), ==, 1);
    g_assert_cmphex(lduw_le_p(log + 0x10 + 8), ==, 0x0404);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define DCD(f, props) cxl_add_dcd_test("/cxl/logs/" #f, f, props)
    DCD(the_last_commands_are_remembered, "");
    DCD(a_dump_shows_the_state, ",sn=0x1234");
    DCD(a_running_operation_shows, "");
    DCD(logs_survive_save_and_load, "");
    return g_test_run();
}
