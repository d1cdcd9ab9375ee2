/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Volatile and persistent capacity as the host divides it: what commands,
 * configuration space and memory show before and after (CXL r3.2 8.2.10.9.2)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "cxl-qtest-state.h"

#define UNIT        (256 * MiB)
#define BACKENDS \
    "-object memory-backend-ram,id=vm0,size=256M " \
    "-object memory-backend-ram,id=pm0,size=512M " \
    "-object memory-backend-ram,id=lsa0,size=64K "
#define DEVICE \
    "-device cxl-type3,bus=rp0,id=cxl-mem0,volatile-memdev=vm0," \
    "persistent-memdev=pm0,lsa=lsa0,partitionable=on"
/* Size of range n in the device's DVSEC, which is at 100h without "sn" */
/* Behind the serial number, which a device with persistent memory has */
#define DVSEC_SIZE_HI(n)    (0x124 + 16 * (n))
#define DVSEC_SIZE_LO(n)    (0x128 + 16 * (n))

static uint16_t set_partition(CxlDev *dev, uint64_t units, uint8_t flags)
{
    return cxl_run(dev, NULL, 0x4101, units, flags);
}

static void partition_is(CxlDev *dev, unsigned vol, unsigned pers,
                         unsigned next_vol, unsigned next_pers)
{
    CxlRsp rsp;

    g_assert_cmphex(cxl_cmd(dev, 0x4100, NULL, &rsp), ==, 0);
    g_assert_cmpuint(ldq_le_p(rsp.data), ==, vol);
    g_assert_cmpuint(ldq_le_p(rsp.data + 8), ==, pers);
    g_assert_cmpuint(ldq_le_p(rsp.data + 16), ==, next_vol);
    g_assert_cmpuint(ldq_le_p(rsp.data + 24), ==, next_pers);
}

static uint64_t dvsec_size(CxlDev *dev, unsigned n)
{
    return (uint64_t)cfg_readl(dev, DVSEC_SIZE_HI(n)) << 32 |
           (cfg_readl(dev, DVSEC_SIZE_LO(n)) & 0xf0000000);
}

static QTestState *start(CxlDev *dev)
{
    QTestState *qts = cxl_start(BACKENDS DEVICE);

    cxl_probe(qts, 0, dev);
    return qts;
}

static void a_plan_is_done_at_reset(void)
{
    CxlDev dev;
    QTestState *qts = start(&dev);
    uint64_t at = cxl_map(&dev, 3 * UNIT);
    CxlRsp rsp;

    g_assert_cmphex(cxl_cmd(&dev, 0x4000, NULL, &rsp), ==, 0);
    g_assert_cmpuint(ldq_le_p(rsp.data + 0x10), ==, 3);
    g_assert_cmpuint(ldq_le_p(rsp.data + 0x18), ==, 1);
    g_assert_cmpuint(ldq_le_p(rsp.data + 0x20), ==, 0);
    g_assert_cmpuint(ldq_le_p(rsp.data + 0x28), ==, 1);
    qtest_writeq(qts, at, 1);
    qtest_writeq(qts, at + UNIT, 2);
    qtest_writeq(qts, at + 2 * UNIT, 3);
    g_assert_cmphex(set_partition(&dev, 1, 0), ==, 0);
    partition_is(&dev, 1, 2, 2, 1);
    g_assert_cmphex(qtest_readq(qts, at + UNIT), ==, 2);
    g_assert_cmphex(dvsec_size(&dev, 0), ==, UNIT);
    g_assert_cmphex(dvsec_size(&dev, 1), ==, 2 * UNIT);
    cxl_reset(&dev);
    partition_is(&dev, 2, 1, 0, 0);
    g_assert_cmphex(dvsec_size(&dev, 0), ==, 2 * UNIT);
    g_assert_cmphex(dvsec_size(&dev, 1), ==, UNIT);
    at = cxl_map(&dev, 3 * UNIT);
    g_assert_cmphex(qtest_readq(qts, at), ==, 1);
    g_assert_cmphex(qtest_readq(qts, at + UNIT), ==, 0);
    g_assert_cmphex(qtest_readq(qts, at + 2 * UNIT), ==, 3);
    /* the way back, all of it */
    g_assert_cmphex(set_partition(&dev, 0, 0), ==, 0);
    cxl_reset(&dev);
    partition_is(&dev, 1, 2, 0, 0);
    qtest_quit(qts);
}

static void at_once_only_what_is_not_decoded(void)
{
    CxlDev dev;
    QTestState *qts = start(&dev);

    /* a decoder for volatile memory is in nobody's way */
    cxl_map(&dev, UNIT);
    g_assert_cmphex(set_partition(&dev, 2, 1), ==, 0);
    partition_is(&dev, 3, 0, 0, 0);
    g_assert_cmphex(dvsec_size(&dev, 0), ==, 3 * UNIT);
    g_assert_cmphex(dvsec_size(&dev, 1), ==, 0);
    cxl_reset(&dev);
    partition_is(&dev, 3, 0, 0, 0);
    cxl_map(&dev, 2 * UNIT);
    g_assert_cmphex(set_partition(&dev, 0, 1), ==, 2);
    partition_is(&dev, 3, 0, 0, 0);
    g_assert_cmphex(set_partition(&dev, 1, 1), ==, 0);
    partition_is(&dev, 2, 1, 0, 0);
    qtest_quit(qts);
}

static uint16_t set_passphrase(CxlDev *dev)
{
    return cxl_run(dev, NULL, 0x4501, 1, 0, 0);
}

static void passphrases_protect_the_persistent_part(void)
{
    CxlDev dev;
    QTestState *qts = start(&dev);
    uint64_t at;

    g_assert_cmphex(set_partition(&dev, 2, 1), ==, 0);
    g_assert_cmphex(set_passphrase(&dev), ==, 0x13);    /* for what? */
    g_assert_cmphex(set_partition(&dev, 1, 1), ==, 0);
    g_assert_cmphex(set_partition(&dev, 0, 0), ==, 0);
    g_assert_cmphex(set_passphrase(&dev), ==, 0);
    g_assert_cmphex(set_partition(&dev, 2, 0), ==, 0x13);
    /* the plan from before the passphrase is dropped */
    cxl_reset(&dev);
    partition_is(&dev, 2, 1, 0, 0);
    at = cxl_map(&dev, 3 * UNIT);
    qtest_writeq(qts, at + 2 * UNIT - 8, 5);
    g_assert_cmphex(qtest_readq(qts, at + 2 * UNIT - 8), ==, 5);
    g_assert_cmphex(qtest_readq(qts, at + 2 * UNIT), ==, UINT64_MAX);
    qtest_quit(qts);
}

static void a_partition_moves_with_the_machine(void)
{
    g_autofree char *args = cxl_args(BACKENDS DEVICE);
    CxlDev dev;
    QTestState *qts = start(&dev);

    g_assert_cmphex(set_partition(&dev, 1, 1), ==, 0);
    g_assert_cmphex(set_partition(&dev, 2, 0), ==, 0);
    g_assert_cmphex(set_passphrase(&dev), ==, 0);
    dev.qts = cxl_migrate(qts, args);
    partition_is(&dev, 2, 1, 3, 0);
    g_assert_cmphex(dvsec_size(&dev, 0), ==, 2 * UNIT);
    cxl_reset(&dev);
    partition_is(&dev, 2, 1, 0, 0);
    qtest_quit(dev.qts);
}

/* The machine has no persistent memory when the passphrase for it is loaded */
static void a_snapshot_brings_partition_and_passphrase_back(void)
{
    QTestState *qts = cxl_start(STATE_RAM("128M") STATE_MEMORY("vm0", "256M")
                                STATE_MEMORY("pm0", "512M")
                                STATE_MEMORY("lsa0", "64K") DEVICE);
    CxlDev dev;
    State state;

    cxl_probe(qts, 0, &dev);
    g_assert_cmphex(set_partition(&dev, 1, 1), ==, 0);
    g_assert_cmphex(set_passphrase(&dev), ==, 0);
    state_save(&state, qts);
    g_assert_cmphex(cxl_run(&dev, NULL, 0x4502, 1, 0), ==, 0);
    g_assert_cmphex(set_partition(&dev, 2, 1), ==, 0);
    partition_is(&dev, 3, 0, 0, 0);
    g_assert_true(state_load(&state, state.data));
    partition_is(&dev, 2, 1, 0, 0);
    /* it is set, so there is no other without it */
    g_assert_cmphex(set_partition(&dev, 2, 0), ==, 0x13);
    state_free(&state);
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/partition/" #f, f)
    T(a_plan_is_done_at_reset);
    T(at_once_only_what_is_not_decoded);
    T(passphrases_protect_the_persistent_part);
    T(a_partition_moves_with_the_machine);
    T(a_snapshot_brings_partition_and_passphrase_back);
    return g_test_run();
}
