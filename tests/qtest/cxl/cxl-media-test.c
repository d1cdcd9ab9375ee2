/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Poison, media scan, sanitize and secure erase of a memory device: what a host
 * sees through mailbox, registers and memory (CXL r3.2 8.2.10.9.4, 8.2.10.9.5)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "hw/cxl/cxl_component.h"
#include "cxl-log-uuids.h"
#include "cxl-qtest.h"

#define LINE        64
#define READY       0x14
#define DISABLED    0x1c
/* 256 MiB volatile, as much persistent: sanitizing takes four seconds */
#define SANITIZE_S  4

#define DEVICE CXL_BACKENDS \
    "-object memory-backend-ram,id=pm0,size=256M " \
    "-object memory-backend-ram,id=lsa0,size=64K " \
    "-device " CXL_DCD_DEVICE ",persistent-memdev=pm0,lsa=lsa0"
#define DC_BASE     (512 * MiB)

static uint16_t line_cmd(CxlDev *dev, uint16_t op, uint64_t dpa, uint8_t fill)
{
    return op == 0x4302 ? cxl_run(dev, NULL, op, dpa, fill)
                        : cxl_run(dev, NULL, op, dpa);
}

static uint16_t list(CxlDev *dev, CxlRsp *rsp)
{
    return cxl_run(dev, rsp, 0x4300, 0, DC_BASE / LINE);
}

static uint16_t listed(CxlDev *dev)
{
    CxlRsp rsp;

    g_assert_cmphex(list(dev, &rsp), ==, 0);
    return lduw_le_p(rsp.data + 10);
}

static uint16_t scan(CxlDev *dev, uint64_t lines)
{
    return cxl_run(dev, NULL, 0x4304, 0, lines, 0);
}

static uint64_t bg_status(CxlDev *dev)
{
    return dev_readq(dev, REG_MB_BG_STATUS);
}

static void poison_shows_on_loads_until_it_is_cleared(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    uint64_t at;

    at = cxl_map(dev, DC_BASE);
    qtest_memset(qts, at, 0x11, 3 * LINE);
    g_assert_cmphex(line_cmd(dev, 0x4301, LINE, 0), ==, 0);
    g_assert_cmphex(qtest_readq(qts, at + LINE), ==, UINT64_MAX);
    g_assert_cmphex(qtest_readq(qts, at + 2 * LINE - 8), ==, UINT64_MAX);
    g_assert_cmphex(qtest_readq(qts, at + LINE - 8), ==, 0x1111111111111111);
    g_assert_cmphex(qtest_readq(qts, at + 2 * LINE), ==, 0x1111111111111111);
    /* less than a line does not heal it */
    qtest_writeq(qts, at + LINE, 0);
    g_assert_cmphex(qtest_readq(qts, at + LINE), ==, UINT64_MAX);
    g_assert_cmpuint(listed(dev), ==, 1);
    g_assert_cmphex(line_cmd(dev, 0x4302, LINE, 0x42), ==, 0);
    g_assert_cmphex(qtest_readq(qts, at + LINE), ==, 0x4242424242424242);
    g_assert_cmphex(qtest_readq(qts, at + 2 * LINE - 8), ==,
                    0x4242424242424242);
    g_assert_cmpuint(listed(dev), ==, 0);
    /* the first line of persistent memory is another backend */
    g_assert_cmphex(line_cmd(dev, 0x4302, CXL_STATIC, 0x24), ==, 0);
    g_assert_cmphex(qtest_readq(qts, at + CXL_STATIC), ==, 0x2424242424242424);
}

static void dynamic_capacity_must_be_held(CxlDev *dev)
{
    const CxlExtent held = { CXL_DC_BASE, CXL_BLOCK, 1 };

    g_assert_cmphex(line_cmd(dev, 0x4301, CXL_DC_BASE, 0), ==, 0xf);
    g_assert_cmphex(line_cmd(dev, 0x4302, CXL_DC_BASE, 0), ==, 0xf);
    g_assert_cmphex(fm_add_list(dev, &held, 1), ==, 0);
    g_assert_cmphex(line_cmd(dev, 0x4301, CXL_DC_BASE, 0), ==, 0xf);
    g_assert_cmphex(host_answer(dev, 0x4802, &held, 1, false), ==, 0);
    g_assert_cmphex(line_cmd(dev, 0x4301, CXL_DC_BASE, 0), ==, 0);
    g_assert_cmphex(line_cmd(dev, 0x4301, CXL_DC_BASE + CXL_BLOCK, 0), ==, 0xf);
    g_assert_cmphex(line_cmd(dev, 0x4302, UINT64_MAX - 63, 0), ==, 0xf);
    cxl_alive(dev);
}

static void a_scan_finds_what_management_injected(CxlDev *dev)
{
    CxlRsp rsp;
    unsigned i;

    cxl_refused(dev, 0x4305, NULL, 3);
    for (i = 0; i < 257; i++) {
        qtest_qmp_assert_success(dev->qts, "{'execute': 'cxl-inject-poison', "
                                 "'arguments': {'path': 'cxl-mem0', "
                                 "'start': %d, 'length': 64}}", i * 2 * LINE);
    }
    g_assert_cmphex(list(dev, &rsp), ==, 0);
    g_assert_cmphex(rsp.data[0], ==, 3);        /* more, overflow */
    g_assert_cmphex(line_cmd(dev, 0x4302, 0, 0), ==, 0);
    g_assert_cmphex(scan(dev, 4096), ==, 1);
    g_assert_cmphex(scan(dev, 4096), ==, 6);
    g_assert_cmphex(bg_status(dev) & 0xffff, ==, 0x4304);
    cxl_refused(dev, 0x4305, NULL, 5);
    qtest_clock_step(dev->qts, SECOND);
    g_assert_cmphex(bg_status(dev), ==, 0x4304 | 100 << 16);
    g_assert_cmphex(dev_readq(dev, REG_EVENT_STATUS), ==, 1 << 2);
    for (i = 0; ; i += lduw_le_p(rsp.data + 0x12)) {
        g_assert_cmphex(cxl_cmd(dev, 0x4305, NULL, &rsp), ==, 0);
        g_assert_cmphex(ldq_le_p(rsp.data + 0x20), ==, (i + 1) * 2 * LINE | 2);
        if (!(rsp.data[0x10] & 1)) {
            break;
        }
    }
    g_assert_cmpuint(i + lduw_le_p(rsp.data + 0x12), ==, 256);
}

/* A machine with something to lose everywhere; returns its window */
static uint64_t fill(CxlDev *dev)
{
    const CxlExtent held = { DC_BASE, CXL_BLOCK, 1 };
    uint64_t at = cxl_map(dev, 768 * MiB);
    CxlReq lsa;

    cxl_hold(dev, &held, 1);
    qtest_writeq(dev->qts, at, 1);
    qtest_writeq(dev->qts, at + CXL_STATIC, 2);
    qtest_writeq(dev->qts, at + DC_BASE + 8, 3);
    g_assert_cmphex(qtest_readq(dev->qts, at + DC_BASE + 8), ==, 3);
    lsa = cxl_req(0x4103, 0);
    req_tag(&lsa, 0x7e);
    g_assert_cmphex(cxl_cmd(dev, 0x4103, &lsa, NULL), ==, 0);
    g_assert_cmphex(line_cmd(dev, 0x4301, LINE, 0), ==, 0);
    return at;
}

static void nothing_is_left(CxlDev *dev, uint64_t at)
{
    CxlRsp rsp;

    g_assert_cmphex(dev_readq(dev, REG_MEMDEV_STATUS), ==, READY);
    g_assert_cmphex(qtest_readq(dev->qts, at), ==, 0);
    g_assert_cmphex(qtest_readq(dev->qts, at + LINE), ==, 0);
    g_assert_cmphex(qtest_readq(dev->qts, at + CXL_STATIC), ==, 0);
    g_assert_cmphex(qtest_readq(dev->qts, at + DC_BASE + 8), ==, 0);
    g_assert_cmphex(cxl_run(dev, &rsp, 0x4102, 0, 8), ==, 0);
    g_assert_cmphex(ldq_le_p(rsp.data), ==, 0);
    g_assert_cmpuint(listed(dev), ==, 0);
    g_assert_cmphex(dev_readq(dev, REG_EVENT_STATUS) & 0xf, ==, 0);
}

/* 0401h: the first bytes of the command effects log, or of the debug log */
static uint16_t get_log(CxlDev *dev, bool effects)
{
    static const uint8_t uuid[][CXL_LOG_UUID_BYTES] = {
        CXL_LOG_UUID_VENDOR, CXL_LOG_UUID_EFFECTS,
    };
    CxlReq r = { .len = sizeof(uuid[0]) };

    memcpy(r.data, uuid[effects], sizeof(uuid[0]));
    req32(&r, 0);
    req32(&r, 8);
    return cxl_cmd(dev, 0x0401, &r, NULL);
}

static void sanitize_disables_the_media_and_leaves_nothing(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    const CxlExtent held = { DC_BASE, CXL_BLOCK, 1 };
    const CxlExtent offer = { DC_BASE + CXL_BLOCK, CXL_BLOCK, 2 };
    uint64_t at;

    cxl_msix_enable(dev);
    at = fill(dev);
    dev_writel(dev, REG_MB_CONTROL, 4);
    g_assert_cmphex(fm_add_list(dev, &offer, 1), ==, 0);
    cxl_msix_fired(dev, 7);

    g_assert_cmphex(cxl_cmd(dev, 0x4400, NULL, NULL), ==, 1);
    g_assert_cmphex(dev_readq(dev, REG_MB_STATUS) & 1, ==, 1);
    g_assert_cmphex(dev_readq(dev, REG_MEMDEV_STATUS), ==, DISABLED);
    cxl_refused(dev, 0x4400, NULL, 6);
    cxl_refused(dev, 0x4100, NULL, 7);
    cxl_refused(dev, 0x4305, NULL, 7);
    cxl_refused(dev, 0x4401, NULL, 7);
    /* who looks for capabilities now still finds them */
    g_assert_cmphex(get_log(dev, true), ==, 0);
    g_assert_cmphex(get_log(dev, false), ==, 7);
    qtest_writeq(qts, at, 0x55);                /* lost */
    qtest_clock_step(qts, SANITIZE_S * SECOND / 2);
    g_assert_cmphex(bg_status(dev), ==, 0x4400 | 50 << 16);
    g_assert_false(cxl_msix_fired(dev, 7));

    qtest_clock_step(qts, SANITIZE_S * SECOND / 2);
    g_assert_cmphex(bg_status(dev), ==, 0x4400 | 100 << 16);
    g_assert_true(cxl_msix_fired(dev, 7));
    nothing_is_left(dev, at);
    /* capacity is the host's as before, and the offer can be answered */
    host_has(dev, &held, 1);
    g_assert_cmphex(dev_readq(dev, REG_EVENT_STATUS), ==, 1 << 4);
    g_assert_cmphex(host_answer(dev, 0x4802, &offer, 1, false), ==, 0);
}

/* No decoder, no answer: what the media is like does not matter there */
static void sanitize_answers_only_where_a_decoder_leads(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    uint64_t at, was;

    at = fill(dev);
    qtest_writel(qts, dev->bar[0] + CXL_CACHEMEM_OFFSET +
                 CXL_HDM_GLOBAL_CONTROL, 0);
    was = qtest_readq(qts, at);
    g_assert_cmphex(cxl_cmd(dev, 0x4400, NULL, NULL), ==, 1);
    g_assert_cmphex(qtest_readq(qts, at), ==, was);
    qtest_writel(qts, dev->bar[0] + CXL_CACHEMEM_OFFSET +
                 CXL_HDM_GLOBAL_CONTROL, CXL_HDM_GLOBAL_ENABLE);
    g_assert_cmphex(qtest_readq(qts, at), !=, qtest_readq(qts, at));
}

static void aborted_sanitize_gives_the_media_back(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    uint64_t at;

    at = fill(dev);
    g_assert_cmphex(cxl_cmd(dev, 0x4400, NULL, NULL), ==, 1);
    qtest_clock_step(qts, SANITIZE_S * SECOND / 2);
    g_assert_cmphex(cxl_cmd(dev, 0x0005, NULL, NULL), ==, 0);
    g_assert_cmphex(bg_status(dev), ==,
                    0x4400 | 100 << 16 | (uint64_t)0x12 << 32);
    g_assert_cmphex(dev_readq(dev, REG_MEMDEV_STATUS) & 0xc, ==, 4);
    qtest_writeq(qts, at, 0x55);
    g_assert_cmphex(qtest_readq(qts, at), ==, 0x55);
    qtest_clock_step(qts, SANITIZE_S * SECOND);
    g_assert_cmphex(qtest_readq(qts, at), ==, 0x55);
}

static void background_time_can_be_scaled(void)
{
    static const struct { const char *scale; int64_t ns; } rows[] = {
        { "50", SANITIZE_S * SECOND / 2 }, { "25", SANITIZE_S * SECOND / 4 },
    };
    CxlReq all = cxl_req(0x4303, 0, CXL_STATIC / LINE);
    CxlDev dev;
    CxlRsp rsp;
    QTestState *qts;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(rows); i++) {
        g_autofree char *args = g_strdup_printf(
            DEVICE ",bg-time-scale=%s", rows[i].scale);

        qts = cxl_start("%s", args);
        cxl_probe(qts, 0, &dev);
        g_assert_cmphex(cxl_cmd(&dev, 0x4400, NULL, NULL), ==, 1);
        qtest_clock_step(qts, rows[i].ns - 1);
        g_assert_cmphex(dev_readq(&dev, REG_MEMDEV_STATUS), ==, DISABLED);
        qtest_clock_step(qts, 1);
        g_assert_cmphex(dev_readq(&dev, REG_MEMDEV_STATUS), ==, READY);
        qtest_quit(qts);
    }

    /* no time at all, and that is what a scan is told to take */
    qts = cxl_start(DEVICE ",bg-time-scale=0");
    cxl_probe(qts, 0, &dev);
    g_assert_cmphex(cxl_cmd(&dev, 0x4303, &all, &rsp), ==, 0);
    g_assert_cmpuint(ldl_le_p(rsp.data), ==, 0);
    g_assert_cmphex(scan(&dev, CXL_STATIC / LINE), ==, 1);
    qtest_clock_step(qts, 1);
    g_assert_cmphex(bg_status(&dev), ==, 0x4304 | 100 << 16);
    qtest_quit(qts);
}

/* 4402h: class 1, @subclass, over @n ranges of two numbers each */
static uint16_t media_op(CxlDev *dev, uint8_t subclass, const uint64_t *range,
                         unsigned n)
{
    CxlReq r = cxl_req(0x4402, 1, subclass, n);
    unsigned i;

    for (i = 0; i < 2 * n; i++) {
        req64(&r, range[i]);
    }
    return cxl_cmd(dev, 0x4402, &r, NULL);
}

static void media_operations_overwrite_ranges(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    const uint64_t range[] = {
        0, 2 * LINE, CXL_STATIC - LINE, 2 * LINE, DC_BASE, LINE,
    };
    const uint64_t not_held[] = { DC_BASE, CXL_BLOCK + LINE };
    uint64_t at;
    unsigned subclass;

    at = fill(dev);
    g_assert_cmphex(media_op(dev, 0, not_held, 1), ==, 2);
    g_assert_cmphex(media_op(dev, 2, range, 1), ==, 3);
    for (subclass = 0; subclass < 2; subclass++) {
        qtest_memset(qts, at, 0x11, 4 * LINE);
        qtest_memset(qts, at + CXL_STATIC - 2 * LINE, 0x22, 4 * LINE);
        qtest_writeq(qts, at + DC_BASE + 8, 3);
        qtest_writeq(qts, at + DC_BASE + LINE, 4);
        g_assert_cmphex(media_op(dev, subclass, range, 3), ==, 1);
        g_assert_cmphex(media_op(dev, subclass, range, 3), ==, 6);
        g_assert_cmphex(qtest_readq(qts, at), ==, 0x1111111111111111);
        g_assert_cmphex(dev_readq(dev, REG_MEMDEV_STATUS), ==, READY);
        qtest_clock_step(qts, SECOND);
        g_assert_cmphex(bg_status(dev), ==, 0x4402 | 100 << 16);
        g_assert_cmphex(qtest_readq(qts, at), ==, 0);
        g_assert_cmphex(qtest_readq(qts, at + LINE), ==, 0);
        g_assert_cmpuint(listed(dev), ==, 0);
        g_assert_cmphex(qtest_readq(qts, at + 2 * LINE), ==,
                        0x1111111111111111);
        g_assert_cmphex(qtest_readq(qts, at + CXL_STATIC - 2 * LINE), ==,
                        0x2222222222222222);
        g_assert_cmphex(qtest_readq(qts, at + CXL_STATIC - LINE), ==, 0);
        g_assert_cmphex(qtest_readq(qts, at + CXL_STATIC), ==, 0);
        g_assert_cmphex(qtest_readq(qts, at + CXL_STATIC + LINE), ==,
                        0x2222222222222222);
        g_assert_cmphex(qtest_readq(qts, at + DC_BASE + 8), ==, 0);
        g_assert_cmphex(qtest_readq(qts, at + DC_BASE + LINE), ==, 4);
    }
}

/* @op: 4304h or 4400h, at half time when the machine moves */
static void moves(uint16_t op)
{
    g_autofree char *args = cxl_args(DEVICE);
    CxlDev dev;
    QTestState *qts = qtest_init(args);
    uint64_t at;
    CxlRsp rsp;

    cxl_probe(qts, 0, &dev);
    at = fill(&dev);
    g_assert_cmphex(op == 0x4400 ? cxl_cmd(&dev, op, NULL, NULL) :
                    scan(&dev, DC_BASE / LINE), ==, 1);
    dev.qts = cxl_migrate(qts, args);
    g_assert_cmphex(bg_status(&dev) & 0xffff, ==, op);
    g_assert_cmphex(dev_readq(&dev, REG_MB_STATUS) & 1, ==, 1);
    g_assert_cmphex(dev_readq(&dev, REG_MEMDEV_STATUS), ==,
                    op == 0x4400 ? DISABLED : READY);
    qtest_clock_step(dev.qts, (SANITIZE_S + 1) * SECOND);
    g_assert_cmphex(bg_status(&dev), ==, op | 100 << 16);
    if (op == 0x4400) {
        nothing_is_left(&dev, at);
    } else {
        g_assert_cmphex(cxl_cmd(&dev, 0x4305, NULL, &rsp), ==, 0);
        g_assert_cmpuint(lduw_le_p(rsp.data + 0x12), ==, 1);
        g_assert_cmphex(ldq_le_p(rsp.data + 0x20), ==, LINE | 3);
    }
    qtest_quit(dev.qts);
}

static void background_work_survives_migration(void)
{
    moves(0x4304);
    moves(0x4400);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define DEV(f) cxl_add_device_test("/cxl/media/" #f, f, DEVICE)
#define T(f) qtest_add_func("/cxl/media/" #f, f)
#define DCD(f, props) cxl_add_dcd_test("/cxl/media/" #f, f, props)
    DEV(poison_shows_on_loads_until_it_is_cleared);
    DCD(dynamic_capacity_must_be_held, "");
    DCD(a_scan_finds_what_management_injected, ",mailbox-payload=2K");
    DEV(sanitize_disables_the_media_and_leaves_nothing);
    DEV(sanitize_answers_only_where_a_decoder_leads);
    DEV(aborted_sanitize_gives_the_media_back);
    T(background_time_can_be_scaled);
    DEV(media_operations_overwrite_ranges);
    T(background_work_survives_migration);
    return g_test_run();
}
