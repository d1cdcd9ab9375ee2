/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two hosts of a pool in one machine, see cxl-qtest-pool.h
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/pci/pci_regs.h"
#include "cxl-qtest-pool.h"

#define BUS(h) (52 + 8 * (h))

char *pool_args(const char *props)
{
    return g_strdup_printf(
        "-M q35,cxl=on,cxl-fmw.0.targets.0=hb0,cxl-fmw.0.size=4G,"
        "cxl-fmw.1.targets.0=hb1,cxl-fmw.1.size=4G -m 128M "
        "-nodefaults -display none "
        "-device pxb-cxl,id=hb0,bus=pcie.0,bus_nr=%d "
        "-device cxl-rp,id=rp0,bus=hb0,chassis=0,slot=0,port=0 "
        "-device pxb-cxl,id=hb1,bus=pcie.0,bus_nr=%d "
        "-device cxl-rp,id=rp1,bus=hb1,chassis=0,slot=1,port=0 "
        "-object memory-backend-ram,id=dc,size=1G "
        "-object memory-backend-ram,id=vm,size=256M "
        "-object cxl-pool,id=pool0,memdev=dc,heads=2,num-dc-regions=4,"
        "dc1-sharable=on,dc2-sharable=on,dc2-read-only=on,dc3-sanitize=on%s "
        "-device cxl-type3,id=head0,bus=rp0,pool=pool0,head=0 "
        "-device cxl-type3,id=head1,bus=rp1,pool=pool0,head=1,"
        "volatile-memdev=vm ", BUS(0), BUS(1), props);
}

void pool_probe(Pool *t, unsigned h)
{
    uint64_t size = h * POOL_STATIC + POOL_SIZE;

    cxl_probe_below(t->qts, BUS(h), 0, h, &t->head[h]);
    map_decode(t->qts, t->head[h].bar[0], 0, t->window[h], size, 0, 0);
    map_enable(t->qts, t->head[h].bar[0], true);
}

void pool_attach(Pool *t, QTestState *qts)
{
    t->qts = qts;
    t->window[0] = map_window(qts);
    t->window[1] = t->window[0] + 4 * GiB;
    pool_probe(t, 0);
    pool_probe(t, 1);
}

void pool_start(Pool *t, const char *props)
{
    g_autofree char *more = g_strconcat(",fm-on-mailbox=on", props, NULL);
    g_autofree char *args = pool_args(more);

    pool_attach(t, qtest_init(args));
}

void pool_stop(Pool *t)
{
    qtest_quit(t->qts);
}

typedef struct PoolTest {
    void (*run)(Pool *t);
    const char *props;
} PoolTest;

static void pool_test_run(const void *data)
{
    const PoolTest *test = data;
    Pool t;

    pool_start(&t, test->props);
    test->run(&t);
    pool_stop(&t);
}

void pool_add_test(const char *path, void (*run)(Pool *t), const char *props)
{
    PoolTest *test = g_new(PoolTest, 1);

    *test = (PoolTest) { run, props };
    qtest_add_data_func_full(path, test, pool_test_run, g_free);
}

static uint16_t pool_list(Pool *t, uint16_t op, unsigned h, uint8_t flags,
                          const CxlExtent *e, unsigned n)
{
    /* 5605h is laid out alike */
    CxlReq r = cxl_req(0x5604, h, flags, 0, 0, 0, n);

    for (unsigned i = 0; i < n; i++) {
        req_extent(&r, e[i].dpa, e[i].len, e[i].tag, e[i].seq);
    }
    return cxl_cmd(&t->head[0], op, &r, NULL);
}

uint16_t pool_add(Pool *t, unsigned h, const CxlExtent *e, unsigned n)
{
    return pool_list(t, 0x5604, h, ADD_PRESCRIPTIVE, e, n);
}

uint16_t pool_share(Pool *t, unsigned h, unsigned region, uint8_t tag)
{
    return cxl_run(&t->head[0], NULL, 0x5604, h, ADD_SHARED, region, 0, tag, 0);
}

uint16_t pool_release(Pool *t, unsigned h, unsigned flags, const CxlExtent *e,
                      unsigned n)
{
    return pool_list(t, 0x5605, h, REL_PRESCRIPTIVE | flags, e, n);
}

uint16_t pool_release_tag(Pool *t, unsigned h, unsigned flags, uint64_t len,
                          uint8_t tag)
{
    return cxl_run(&t->head[0], NULL, 0x5605, h, REL_TAG | flags, len, tag, 0);
}

void pool_hold(Pool *t, unsigned h, const CxlExtent *e, unsigned n)
{
    g_assert_cmphex(pool_add(t, h, e, n), ==, 0);
    g_assert_cmphex(host_answer(&t->head[h], 0x4802, e, n, false), ==, 0);
    drain_log(&t->head[h], 4);
}

/* The records of the offer tell the host where it is */
static unsigned pool_offered(CxlDev *dev, CxlExtent *e, unsigned max)
{
    CxlRsp rsp;
    unsigned n;

    g_assert_cmphex(cxl_run(dev, &rsp, 0x0100, 4), ==, 0);
    n = lduw_le_p(rsp.data + 0x14);
    g_assert_cmpuint(n, <=, max);
    for (unsigned i = 0; i < n; i++) {
        const uint8_t *rec = rsp.data + 0x20 + i * 0x80;

        g_assert_cmpuint(rec[0x30], ==, 0);
        e[i] = (CxlExtent) {
            .dpa = ldq_le_p(rec + 0x38), .len = ldq_le_p(rec + 0x40),
            .tag = rec[0x48], .seq = lduw_le_p(rec + 0x58),
        };
    }
    drain_log(dev, 4);
    return n;
}

static int pool_by_number(const void *a, const void *b)
{
    const CxlExtent *x = a, *y = b;

    return x->seq - y->seq;
}

void pool_share_hold(Pool *t, unsigned h, unsigned region, uint8_t tag,
                     CxlExtent *e, unsigned n)
{
    g_assert_cmphex(pool_share(t, h, region, tag), ==, 0);
    g_assert_cmpuint(pool_offered(&t->head[h], e, n), ==, n);
    g_assert_cmphex(host_answer(&t->head[h], 0x4802, e, n, false), ==, 0);
    qsort(e, n, sizeof(*e), pool_by_number);
}

uint64_t pool_readq(Pool *t, unsigned h, uint64_t dpa)
{
    return qtest_readq(t->qts, t->window[h] + dpa);
}

void pool_writeq(Pool *t, unsigned h, uint64_t dpa, uint64_t v)
{
    qtest_writeq(t->qts, t->window[h] + dpa, v);
}

void pool_reset(Pool *t, unsigned h)
{
    /* one bus above the head */
    CxlDev port = { .qts = t->qts, .cfg = t->head[h].cfg - (1 << 20) };
    uint16_t control = cfg_readw(&port, PCI_BRIDGE_CONTROL);

    cfg_writew(&port, PCI_BRIDGE_CONTROL, control | PCI_BRIDGE_CTL_BUS_RESET);
    cfg_writew(&port, PCI_BRIDGE_CONTROL, control);
    pool_probe(t, h);
}
