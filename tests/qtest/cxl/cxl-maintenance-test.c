/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Repair of memory: Perform Maintenance and what a host sees of it, the
 * device's own repairs, reset and migration (CXL r3.2 8.2.10.7)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "qobject/qdict.h"
#include "cxl-qtest-ras.h"

enum { PPR = 1, SPARING = 2 };
enum { SOFT, HARD };
enum { CACHELINE, ROW, BANK, RANK };

/* Flags of a request; all but the first of sparing */
#define QUERY           1
#define FOR_GOOD        2
#define SUB_CHANNEL     4
#define NIBBLES         8

/* The default device has 768 MiB: 128 banks of 6 MiB, rows of 8 KiB */
#define BANK_BYTES      (6 * MiB)

static CxlReq ppr_request(uint8_t kind, uint8_t flags, uint64_t dpa)
{
    CxlReq r = { 0 };

    req8(&r, PPR);
    req8(&r, kind);
    req8(&r, flags);
    req64(&r, dpa);
    req_zero(&r, 3);
    return r;
}

static uint16_t ppr(CxlDev *dev, uint8_t kind, uint8_t flags, uint64_t dpa)
{
    CxlReq r = ppr_request(kind, flags, dpa);

    return cxl_cmd(dev, 0x0600, &r, NULL);
}

static CxlReq spare_request(uint8_t kind, uint8_t flags, uint8_t rank,
                            uint8_t bank, uint32_t row, uint16_t column)
{
    CxlReq r = { 0 };

    req8(&r, SPARING);
    req8(&r, kind);
    req8(&r, flags);
    req8(&r, 0);
    req8(&r, rank);
    req_zero(&r, 3);
    req8(&r, 0);
    req8(&r, bank);
    req16(&r, row);
    req8(&r, row >> 16);
    req16(&r, column);
    req8(&r, 0);
    return r;
}

static uint16_t spare(CxlDev *dev, uint8_t kind, uint8_t flags, uint8_t rank,
                      uint8_t bank, uint32_t row, uint16_t column)
{
    CxlReq r = spare_request(kind, flags, rank, bank, row, column);

    return cxl_cmd(dev, 0x0600, &r, NULL);
}

static bool maintenance_needed(CxlDev *dev)
{
    CxlRsp rsp;

    g_assert_cmphex(cxl_cmd(dev, 0x4200, NULL, &rsp), ==, 0);
    return rsp.data[0] & 1;
}

static void record_asks_for_maintenance(CxlDev *dev, uint64_t dpa, bool asks)
{
    QDict *rsp = qtest_qmp(dev->qts,
        "{'execute': 'cxl-inject-dram-event', 'arguments': {'path': "
        "'/machine/peripheral/cxl-mem0', 'log': 'warning', 'flags': %d, "
        "'dpa': %" PRIu64 ", 'descriptor': 1, 'type': 0, "
        "'transaction-type': 0}}", asks ? 9 : 1, dpa);

    g_assert_true(qdict_haskey(rsp, "return"));
    qobject_unref(rsp);
    drain_log(dev, 1);
}

/* The informational log has one Memory Sparing record; it is taken away */
static void one_record(CxlDev *dev, uint8_t flags, uint8_t class,
                       uint8_t subclass, uint8_t result, uint16_t left,
                       uint16_t valid)
{
    CxlRsp rsp;
    const uint8_t *b = rsp.data + 0x20;

    g_assert_cmpuint(ras_read_log(dev, 0, &rsp), ==, 1);
    g_assert_cmphex((uint32_t)ldl_be_p(b), ==, 0xe71f3a40);
    g_assert_cmphex(b[0x11], ==, 0x40);
    g_assert_cmphex(b[0x20], ==, class);
    g_assert_cmphex(b[0x21], ==, subclass);
    g_assert_cmphex(b[0x32], ==, flags);
    g_assert_cmphex(b[0x33], ==, result);
    g_assert_cmphex(lduw_le_p(b + 0x34), ==, valid);
    g_assert_cmpuint(lduw_le_p(b + 0x3c), ==, left);
    drain_log(dev, 0);
}

static void ppr_mode(CxlDev *dev, RasFeature f, bool by_device, bool log)
{
    const uint8_t data[] = { by_device, 0, log };

    ras_set(dev, f, RAS_FULL, data, sizeof(data));
}

/* -- tests --------------------------------------------------------------- */

static void every_return_code(CxlDev *dev)
{
    CxlReq r = { 0 };
    unsigned i;

    /* nothing to do; unknown classes and subclasses; lengths */
    req16(&r, 0);
    g_assert_cmphex(cxl_cmd(dev, 0x0600, &r, NULL), ==, 0);
    cxl_refused(dev, 0x0600, NULL, 0x16);
    r = ppr_request(2, 0, 0);
    cxl_refused(dev, 0x0600, &r, 0x02);
    r = spare_request(4, 0, 0, 0, 0, 0);
    cxl_refused(dev, 0x0600, &r, 0x02);
    r.data[0] = 3;
    cxl_refused(dev, 0x0600, &r, 0x02);
    r = ppr_request(SOFT, 0, 0);
    r.len--;
    cxl_refused(dev, 0x0600, &r, 0x16);
    r.len += 2;
    cxl_refused(dev, 0x0600, &r, 0x16);
    r = spare_request(ROW, 0, 0, 0, 0, 0);
    r.len--;
    cxl_refused(dev, 0x0600, &r, 0x16);

    /* addresses: not a line, beyond all, capacity that the host has not */
    g_assert_cmphex(ppr(dev, SOFT, 0, 0x20), ==, 0x02);
    g_assert_cmphex(ppr(dev, SOFT, 2, 0), ==, 0x02);
    g_assert_cmphex(ppr(dev, SOFT, 0, 768 * MiB), ==, 0x0f);
    g_assert_cmphex(ppr(dev, SOFT, 0, -64ull), ==, 0x0f);
    g_assert_cmphex(ppr(dev, SOFT, 0, CXL_DC_BASE), ==, 0x0f);
    g_assert_cmphex(ppr(dev, SOFT, 0, CXL_STATIC - 64), ==, 0);

    /* places */
    g_assert_cmphex(spare(dev, RANK, 0, 2, 0, 0, 0), ==, 0x02);
    g_assert_cmphex(spare(dev, BANK, 0, 0, 4, 0, 0), ==, 0x02);
    g_assert_cmphex(spare(dev, ROW, 0, 0, 0, 768, 0), ==, 0x02);
    g_assert_cmphex(spare(dev, CACHELINE, 0, 0, 0, 0, 128), ==, 0x02);
    g_assert_cmphex(spare(dev, CACHELINE, 0x10, 0, 0, 0, 0), ==, 0x02);
    r = spare_request(CACHELINE, SUB_CHANNEL, 0, 0, 0, 0);
    r.data[r.len - 1] = 1;
    cxl_refused(dev, 0x0600, &r, 0x02);
    g_assert_cmphex(spare(dev, CACHELINE, SUB_CHANNEL | NIBBLES, 0, 3, 767,
                          127), ==, 0);

    /* spares run out, and a question takes none */
    for (i = 0; i < 8; i++) {
        g_assert_cmphex(ppr(dev, HARD, QUERY, 0), ==, 0);
        g_assert_cmphex(ppr(dev, HARD, 0, 64 * i), ==, 0);
    }
    g_assert_cmphex(ppr(dev, HARD, QUERY, 0), ==, 0x1d);
    r = ppr_request(HARD, 0, 0);
    cxl_refused(dev, 0x0600, &r, 0x1d);
    g_assert_cmphex(ppr(dev, SOFT, QUERY, 0), ==, 0);

    /* a scan is under way in the background */
    g_assert_cmphex(cxl_run(dev, NULL, 0x4304, 0, CXL_STATIC / 64, 0), ==,
                    0x01);
    g_assert_cmphex(ppr(dev, SOFT, 0, 0), ==, 0x06);
}

static void post_package_repair_ends_poison(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    uint64_t hpa = cxl_map(dev, CXL_STATIC);
    unsigned kind;

    for (kind = SOFT; kind <= HARD; kind++) {
        qtest_writeq(qts, hpa, 0x1234);
        qtest_writeq(qts, hpa + 64, 0x5678);
        ras_poison(dev, 0);
        ras_poison(dev, 64);
        g_assert_cmphex(qtest_readq(qts, hpa), ==, UINT64_MAX);
        g_assert_cmphex(ppr(dev, kind, QUERY, 0), ==, 0);
        g_assert_cmpuint(ras_poisoned(dev), ==, 2);
        g_assert_cmphex(ppr(dev, kind, 0, 0), ==, 0);
        g_assert_cmpuint(ras_poisoned(dev), ==, 1);
        /* what was lost is zero, and works */
        g_assert_cmphex(qtest_readq(qts, hpa), ==, 0);
        qtest_writeq(qts, hpa, 0x9abc);
        g_assert_cmphex(qtest_readq(qts, hpa), ==, 0x9abc);
        g_assert_cmphex(qtest_readq(qts, hpa + 64), ==, UINT64_MAX);
        /* sound data stays */
        g_assert_cmphex(ppr(dev, kind, 0, 0), ==, 0);
        g_assert_cmphex(qtest_readq(qts, hpa), ==, 0x9abc);
        g_assert_cmphex(ppr(dev, kind, 0, 64), ==, 0);
    }
    g_assert_cmphex(dev_readl(dev, REG_EVENT_STATUS), ==, 0);
}

static void sparing_ends_poison_of_the_unit(CxlDev *dev)
{
    static const uint64_t bad[] = {
        0, 64, 8 * KiB - 64, 8 * KiB, BANK_BYTES - 64, BANK_BYTES,
        192 * MiB - 64, 192 * MiB,
    };
    static const unsigned left[] = { 7, 5, 3, 1 };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(bad); i++) {
        ras_poison(dev, bad[i]);
    }
    for (i = CACHELINE; i <= RANK; i++) {
        g_assert_cmphex(spare(dev, i, 0, 0, 0, 0, 0), ==, 0);
        g_assert_cmpuint(ras_poisoned(dev), ==, left[i]);
    }
    g_assert_cmphex(spare(dev, CACHELINE, 0, 1, 0, 0, 0), ==, 0);
    g_assert_cmpuint(ras_poisoned(dev), ==, 0);
}

static void repairs_are_logged_where_asked_for(CxlDev *dev)
{
    CxlReq r = ppr_request(HARD, 0, 0);

    g_assert_cmphex(ppr(dev, HARD, 0, 0), ==, 0);
    g_assert_cmphex(dev_readl(dev, REG_EVENT_STATUS), ==, 0);
    ppr_mode(dev, RAS_HARD_PPR, false, true);
    g_assert_cmphex(ppr(dev, SOFT, 0, 0), ==, 0);
    g_assert_cmphex(dev_readl(dev, REG_EVENT_STATUS), ==, 0);
    r.data[11] = 0x0f;
    g_assert_cmphex(cxl_cmd(dev, 0x0600, &r, NULL), ==, 0);
    one_record(dev, FOR_GOOD, PPR, HARD, 0, 6, 0x7f);

    g_assert_cmphex(spare(dev, RANK, QUERY, 1, 0, 0, 0), ==, 0);
    one_record(dev, QUERY, SPARING, RANK, 0, 1, 0x03);
    g_assert_cmphex(spare(dev, RANK, FOR_GOOD, 1, 0, 0, 0), ==, 0);
    one_record(dev, FOR_GOOD, SPARING, RANK, 0, 0, 0x03);
    g_assert_cmphex(spare(dev, RANK, 0, 1, 0, 0, 0), ==, 0x1d);
    one_record(dev, 0, SPARING, RANK, 0x1d, 0, 0x03);
    g_assert_cmphex(spare(dev, ROW, NIBBLES, 1, 0, 5, 0), ==, 0);
    one_record(dev, 0, SPARING, ROW, 0, 7, 0x3f);
}

static void repair_ends_the_need_for_maintenance(CxlDev *dev)
{
    record_asks_for_maintenance(dev, 0x1000, false);
    g_assert_false(maintenance_needed(dev));
    record_asks_for_maintenance(dev, 0x1001, true);
    record_asks_for_maintenance(dev, 0x1001, true);
    record_asks_for_maintenance(dev, BANK_BYTES, true);
    g_assert_true(maintenance_needed(dev));
    g_assert_cmphex(ppr(dev, SOFT, 0, 0x1000), ==, 0);
    g_assert_true(maintenance_needed(dev));
    g_assert_cmphex(ppr(dev, SOFT, 0, 0x1000), ==, 0);
    g_assert_true(maintenance_needed(dev));
    g_assert_cmphex(spare(dev, BANK, 0, 0, 1, 0, 0), ==, 0);
    g_assert_false(maintenance_needed(dev));

    /* scrub asks for it, too; data that is gone needs none */
    ras_poison(dev, 0);
    ras_set_scrub(dev, RAS_FULL, 1, true);
    qtest_clock_step(dev->qts, RAS_HOUR_NS);
    g_assert_true(maintenance_needed(dev));
    g_assert_cmphex(cxl_cmd(dev, 0x4401, NULL, NULL), ==, 0);
    g_assert_false(maintenance_needed(dev));
}

static void a_device_may_repair_what_scrub_finds(CxlDev *dev)
{
    unsigned i;

    for (i = 0; i < 10; i++) {
        ras_poison(dev, 128 * i);
    }
    ppr_mode(dev, RAS_SOFT_PPR, true, true);
    ras_set_scrub(dev, RAS_FULL, 1, true);
    qtest_clock_step(dev->qts, RAS_HOUR_NS);
    /* it had eight spares, each repair has a record, and so has each error */
    g_assert_cmpuint(ras_poisoned(dev), ==, 2);
    g_assert_cmphex(ppr(dev, SOFT, QUERY, 0), ==, 0x1d);
    g_assert_true(maintenance_needed(dev));
    g_assert_cmpuint(drain_log(dev, 0), ==, 8);
    g_assert_cmpuint(drain_log(dev, 2), ==, 8);

    /* one row holds what is left */
    ras_set(dev, RAS_ROW, RAS_FULL, (const uint8_t[]) { 1, 0 }, 2);
    qtest_clock_step(dev->qts, RAS_HOUR_NS);
    g_assert_cmpuint(ras_poisoned(dev), ==, 0);
    g_assert_false(maintenance_needed(dev));
    one_record(dev, 4, SPARING, ROW, 0, 7, 0x3b);
}

static void soft_spares_come_back_with_a_reset(CxlDev *dev)
{
    ppr_mode(dev, RAS_SOFT_PPR, false, true);
    record_asks_for_maintenance(dev, 0, true);
    g_assert_cmphex(spare(dev, BANK, 0, 1, 0, 0, 0), ==, 0);
    g_assert_cmphex(spare(dev, BANK, FOR_GOOD, 1, 0, 0, 0), ==, 0);
    g_assert_cmphex(spare(dev, BANK, QUERY, 1, 0, 0, 0), ==, 0x1d);
    g_assert_cmphex(spare(dev, RANK, FOR_GOOD, 1, 0, 0, 0), ==, 0);
    drain_log(dev, 0);
    cxl_reset(dev);
    g_assert_cmphex(spare(dev, RANK, QUERY, 1, 0, 0, 0), ==, 0x1d);
    drain_log(dev, 0);
    g_assert_cmphex(spare(dev, BANK, QUERY, 1, 0, 0, 0), ==, 0);
    one_record(dev, QUERY, SPARING, BANK, 0, 1, 0x1b);
    g_assert_true(maintenance_needed(dev));
    /* how repair works is not among what survives */
    g_assert_cmphex(ppr(dev, SOFT, 0, 0), ==, 0);
    g_assert_cmphex(dev_readl(dev, REG_EVENT_STATUS), ==, 0);
}

static void state_survives_save_and_load(CxlDev *dev)
{
    record_asks_for_maintenance(dev, 0x1000, true);
    g_assert_cmphex(spare(dev, BANK, 0, 1, 0, 0, 0), ==, 0);
    g_assert_cmphex(spare(dev, RANK, FOR_GOOD, 1, 0, 0, 0), ==, 0);
    drain_log(dev, 0);
    cxl_migrate_dcd(dev, "");
    cxl_probe(dev->qts, 0, dev);
    g_assert_cmphex(spare(dev, RANK, QUERY, 1, 0, 0, 0), ==, 0x1d);
    drain_log(dev, 0);
    g_assert_cmphex(spare(dev, BANK, QUERY, 1, 0, 0, 0), ==, 0);
    one_record(dev, QUERY, SPARING, BANK, 0, 1, 0x1b);
    g_assert_true(maintenance_needed(dev));
    g_assert_cmphex(ppr(dev, SOFT, 0, 0x1000), ==, 0);
    g_assert_false(maintenance_needed(dev));
    cxl_reset(dev);
    g_assert_cmphex(spare(dev, BANK, QUERY, 1, 0, 0, 0), ==, 0);
    one_record(dev, QUERY, SPARING, BANK, 0, 2, 0x1b);
}

/* Dynamic capacity: while the host has it; a unit's poison goes in any case */
static void repair_of_dynamic_capacity(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    CxlExtent e = { .dpa = CXL_DC_BASE, .len = CXL_BLOCK };
    uint64_t hpa = cxl_map(dev, 3 * CXL_REGION);

    cxl_hold(dev, &e, 1);
    drain_log(dev, 4);
    qtest_writeq(qts, hpa + e.dpa, 0x1234);
    ras_poison(dev, e.dpa);
    g_assert_cmphex(qtest_readq(qts, hpa + e.dpa), ==, UINT64_MAX);
    g_assert_cmphex(ppr(dev, SOFT, 0, e.dpa), ==, 0);
    g_assert_cmphex(qtest_readq(qts, hpa + e.dpa), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define DCD(f) cxl_add_dcd_test("/cxl/maintenance/" #f, f, "")
    DCD(every_return_code);
    DCD(post_package_repair_ends_poison);
    DCD(sparing_ends_poison_of_the_unit);
    DCD(repairs_are_logged_where_asked_for);
    DCD(repair_ends_the_need_for_maintenance);
    DCD(a_device_may_repair_what_scrub_finds);
    DCD(soft_spares_come_back_with_a_reset);
    DCD(state_survives_save_and_load);
    DCD(repair_of_dynamic_capacity);
    return g_test_run();
}
