/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Passphrases of persistent memory as a host uses them: what is locked, what
 * opens it, what is gone afterwards (CXL r3.2 8.2.10.9.6)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "cxl-qtest.h"

#define PMEM        CXL_STATIC      /* DPA where persistent memory starts */
#define DEVICE \
    "-object memory-backend-ram,id=vm0,size=256M " \
    "-object memory-backend-ram,id=pm0,size=256M " \
    "-object memory-backend-ram,id=lsa0,size=64K " \
    "-device cxl-type3,bus=rp0,id=cxl-mem0,volatile-memdev=vm0," \
    "persistent-memdev=pm0,lsa=lsa0"

enum { MASTER, USER };
enum { USER_SET = 1, LOCKED = 4 };

static uint16_t set(CxlDev *dev, uint8_t type, uint8_t current, uint8_t new)
{
    return cxl_run(dev, NULL, 0x4501, type, current, new);
}

static uint16_t erase(CxlDev *dev, uint8_t type, uint8_t secret)
{
    return cxl_run(dev, NULL, 0x4505, type, secret);
}

static uint16_t unlock(CxlDev *dev, uint8_t secret)
{
    return cxl_run(dev, NULL, 0x4503, secret);
}

static uint32_t state(CxlDev *dev)
{
    CxlRsp rsp;

    g_assert_cmphex(cxl_cmd(dev, 0x4500, NULL, &rsp), ==, 0);
    g_assert_cmpuint(rsp.len, ==, 4);
    return ldl_le_p(rsp.data);
}

/* Reset, and decode the window again; returns where DPA 0 is */
static uint64_t reset(CxlDev *dev)
{
    cxl_reset(dev);
    return cxl_map(dev, 512 * MiB);
}

static uint64_t start(CxlDev *dev, uint8_t passphrase)
{
    QTestState *qts = cxl_start(DEVICE);
    uint64_t at;

    cxl_probe(qts, 0, dev);
    at = cxl_map(dev, 512 * MiB);
    qtest_writeq(qts, at + PMEM - 8, 0x1111);
    qtest_writeq(qts, at + PMEM, 0x2222);
    g_assert_cmphex(set(dev, USER, 0, passphrase), ==, 0);
    g_assert_cmphex(state(dev), ==, USER_SET);
    return at;
}

static void a_reset_locks_and_the_passphrase_opens(void)
{
    CxlDev dev;
    uint64_t at = start(&dev, 1);
    QTestState *qts = dev.qts;
    CxlReq label = cxl_req(0x4102, 0, 8);

    g_assert_cmphex(qtest_readq(qts, at + PMEM), ==, 0x2222);
    at = reset(&dev);
    g_assert_cmphex(state(&dev), ==, USER_SET | LOCKED);
    g_assert_cmphex(qtest_readq(qts, at + PMEM), ==, UINT64_MAX);
    qtest_writeq(qts, at + PMEM, 0x3333);
    /* across the boundary: only the persistent half is locked */
    qtest_writeq(qts, at + PMEM - 4, 0x4444444455555555);
    g_assert_cmphex(qtest_readq(qts, at + PMEM - 8), ==, 0x5555555500001111);
    cxl_refused(&dev, 0x4102, &label, 0x13);
    cxl_refused(&dev, 0x4103, &label, 0x13);
    g_assert_cmphex(unlock(&dev, 2), ==, 0x14);
    g_assert_cmphex(qtest_readq(qts, at + PMEM), ==, UINT64_MAX);
    g_assert_cmphex(unlock(&dev, 1), ==, 0);
    g_assert_cmphex(state(&dev), ==, USER_SET);
    g_assert_cmphex(qtest_readq(qts, at + PMEM), ==, 0x2222);
    qtest_writeq(qts, at + PMEM, 0x6666);
    g_assert_cmphex(qtest_readq(qts, at + PMEM), ==, 0x6666);
    g_assert_cmphex(cxl_cmd(&dev, 0x4102, &label, NULL), ==, 0);
    qtest_quit(qts);
}

static void an_erase_leaves_only_volatile_memory(void)
{
    CxlDev dev;
    uint64_t at = start(&dev, 1);

    at = reset(&dev);
    g_assert_cmphex(erase(&dev, USER, 2), ==, 0x14);
    g_assert_cmphex(erase(&dev, MASTER, 1), ==, 2);
    g_assert_cmphex(erase(&dev, USER, 1), ==, 0);
    g_assert_cmphex(state(&dev), ==, 0);
    g_assert_cmphex(qtest_readq(dev.qts, at + PMEM), ==, 0);
    g_assert_cmphex(qtest_readq(dev.qts, at + PMEM - 8), ==, 0x1111);
    at = reset(&dev);
    g_assert_cmphex(state(&dev), ==, 0);
    g_assert_cmphex(qtest_readq(dev.qts, at + PMEM), ==, 0);
    qtest_quit(dev.qts);
}

static void a_locked_device_moves_locked(void)
{
    g_autofree char *args = cxl_args(DEVICE);
    CxlDev dev;
    uint64_t at = start(&dev, 1);

    at = reset(&dev);
    dev.qts = cxl_migrate(dev.qts, args);
    g_assert_cmphex(state(&dev), ==, USER_SET | LOCKED);
    g_assert_cmphex(qtest_readq(dev.qts, at + PMEM), ==, UINT64_MAX);
    g_assert_cmphex(unlock(&dev, 1), ==, 0);
    g_assert_cmphex(qtest_readq(dev.qts, at + PMEM), ==, 0x2222);
    qtest_quit(dev.qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/security/" #f, f)
    T(a_reset_locks_and_the_passphrase_opens);
    T(an_erase_leaves_only_volatile_memory);
    T(a_locked_device_moves_locked);
    return g_test_run();
}
