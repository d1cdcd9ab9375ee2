/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Heads of a pool: each is a dynamic capacity device to its host, and none has
 * what another one has (CXL r3.2 9.13.3, 7.6.7.6)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "qobject/qnum.h"
#include "qobject/qstring.h"
#include "cxl-qtest-pool.h"

static void the_manager_is_not_on_a_heads_mailbox(void)
{
    g_autofree char *args = pool_args("");
    Pool t;

    pool_attach(&t, qtest_init(args));
    cxl_refused(&t.head[0], 0x5600, NULL, 0x03);
    cxl_refused(&t.head[1], 0x5600, NULL, 0x03);
    g_assert_cmphex(cxl_run(&t.head[1], NULL, 0x4800, 8, 0), ==, 0);
    pool_stop(&t);
}

static void each_head_is_a_device_with_dynamic_capacity(Pool *t)
{
    CxlRsp rsp;

    for (unsigned h = 0; h < 2; h++) {
        g_assert_cmphex(cxl_run(&t->head[h], &rsp, 0x4800, 8, 0), ==, 0);
        g_assert_cmpuint(rsp.data[0], ==, POOL_REGIONS);
        for (unsigned i = 0; i < POOL_REGIONS; i++) {
            g_assert_cmphex(ldq_le_p(rsp.data + 8 + 0x28 * i), ==,
                            POOL_DPA(h, i, 0));
        }
        /* the Fabric Manager sees the same addresses, by host ID */
        g_assert_cmphex(cxl_run(&t->head[0], &rsp, 0x5601, h, 8, 0), ==, 0);
        g_assert_cmpuint(lduw_le_p(rsp.data), ==, h);
        g_assert_cmphex(ldq_le_p(rsp.data + 4), ==, POOL_DPA(h, 0, 0));
    }
    g_assert_cmphex(cxl_cmd(&t->head[0], 0x5600, NULL, &rsp), ==, 0);
    g_assert_cmpuint(rsp.data[0], ==, 2);
}

static void capacity_of_one_host_is_not_the_others(Pool *t)
{
    const CxlExtent own = { POOL_DPA(0, POOL_PLAIN, 1), BLOCKS(2), 1 };
    const CxlExtent same = { POOL_DPA(1, POOL_PLAIN, 1), BLOCKS(2), 2 };
    const CxlExtent next = { POOL_DPA(1, POOL_PLAIN, 3), BLOCKS(1), 3 };

    pool_hold(t, 0, &own, 1);
    host_has(&t->head[0], &own, 1);
    host_has(&t->head[1], NULL, 0);
    pool_writeq(t, 0, own.dpa, MARK);
    g_assert_cmphex(pool_readq(t, 0, own.dpa), ==, MARK);
    pool_writeq(t, 1, same.dpa, 1);
    g_assert_cmphex(pool_readq(t, 1, same.dpa), ==, UINT64_MAX);
    g_assert_cmphex(pool_readq(t, 0, own.dpa), ==, MARK);
    /* nor can it become so while it is */
    g_assert_cmphex(pool_add(t, 1, &same, 1), ==, 0x1e);
    pool_hold(t, 1, &next, 1);
    pool_writeq(t, 1, next.dpa, ~MARK);
    g_assert_cmphex(pool_readq(t, 1, next.dpa), ==, ~MARK);
    g_assert_cmphex(pool_readq(t, 0, POOL_DPA(0, POOL_PLAIN, 3)), ==,
                    UINT64_MAX);
    /* what one gives back the other one can have, with what is in it */
    g_assert_cmphex(host_answer(&t->head[0], 0x4803, &own, 1, false), ==, 0);
    pool_hold(t, 1, &same, 1);
    g_assert_cmphex(pool_readq(t, 1, same.dpa), ==, MARK);
    g_assert_cmphex(pool_readq(t, 0, own.dpa), ==, UINT64_MAX);
}

static void static_capacity_is_the_heads_own(Pool *t)
{
    const CxlExtent e = { POOL_DPA(1, POOL_PLAIN, 0), BLOCKS(1), 1 };

    pool_writeq(t, 1, 0, MARK);
    pool_hold(t, 1, &e, 1);
    pool_writeq(t, 1, e.dpa, ~MARK);
    g_assert_cmphex(pool_readq(t, 1, 0), ==, MARK);
    g_assert_cmphex(pool_readq(t, 1, e.dpa), ==, ~MARK);
}

static void each_head_is_mapped_as_ram(Pool *t)
{
    const CxlExtent a = { POOL_DPA(0, POOL_PLAIN, 0), CXL_REGION, 1 };
    const CxlExtent b = { POOL_DPA(1, POOL_SHARED, 0), CXL_REGION, 2 };
    CxlExtent seen;

    pool_hold(t, 0, &a, 1);
    pool_hold(t, 1, &b, 1);
    pool_share_hold(t, 0, POOL_SHARED, 2, &seen, 1);
    map_trap_is(t->qts, a.dpa, "direct");
    map_trap_is(t->qts, seen.dpa, "direct");
    map_trap_is(t->qts, 4 * GiB, "direct");
    map_trap_is(t->qts, 4 * GiB + b.dpa, "direct");
    map_trap_is(t->qts, POOL_DPA(0, POOL_SHARED_RO, 0), "not-accepted");
    g_assert_cmphex(pool_release(t, 0, REL_FORCED, &a, 1), ==, 0);
    map_trap_is(t->qts, a.dpa, "not-accepted");
    map_trap_is(t->qts, 4 * GiB + b.dpa, "direct");
}

static void forced_release_reaches_only_its_host(Pool *t)
{
    const CxlExtent a = { POOL_DPA(0, POOL_PLAIN, 0), BLOCKS(2), 1 };
    const CxlExtent b = { POOL_DPA(1, POOL_PLAIN, 4), BLOCKS(2), 2 };

    pool_hold(t, 0, &a, 1);
    pool_hold(t, 1, &b, 1);
    g_assert_cmphex(pool_release(t, 1, REL_FORCED, &a, 1), ==, 0x0f);
    g_assert_cmphex(pool_release(t, 1, REL_FORCED, &b, 1), ==, 0);
    host_has(&t->head[1], NULL, 0);
    host_has(&t->head[0], &a, 1);
    g_assert_cmpuint(drain_log(&t->head[0], 4), ==, 0);
    g_assert_cmpuint(drain_log(&t->head[1], 4), ==, 1);
}

static void reset_of_one_host_is_not_the_others(Pool *t)
{
    const CxlExtent a = { POOL_DPA(0, POOL_PLAIN, 0), BLOCKS(2), 1 };
    const CxlExtent b = { POOL_DPA(1, POOL_PLAIN, 4), BLOCKS(2), 2 };
    const CxlExtent offered[] = {
        { POOL_DPA(0, POOL_PLAIN, 8), BLOCKS(1), 3 },
        { POOL_DPA(1, POOL_PLAIN, 9), BLOCKS(1), 4 },
    };

    pool_hold(t, 0, &a, 1);
    pool_hold(t, 1, &b, 1);
    g_assert_cmphex(pool_add(t, 0, &offered[0], 1), ==, 0);
    g_assert_cmphex(pool_add(t, 1, &offered[1], 1), ==, 0);
    pool_reset(t, 1);
    host_has(&t->head[0], &a, 1);
    host_has(&t->head[1], &b, 1);
    g_assert_cmphex(host_answer(&t->head[1], 0x4802, &offered[1], 1, false), ==,
                    0x0f);
    g_assert_cmphex(host_answer(&t->head[0], 0x4802, &offered[0], 1, false), ==,
                    0);
}

static void unplug(Pool *t, unsigned h)
{
    qtest_qmp_assert_success(t->qts, "{'execute': 'device_del', "
                             "'arguments': {'id': %s}}", h ? "head1" : "head0");
    map_pci_slot(t->qts, 60, 0, false);
    qtest_qmp_eventwait(t->qts, "DEVICE_DELETED");
}

static void a_head_that_is_unplugged_leaves_its_capacity(Pool *t)
{
    const CxlExtent e = { POOL_DPA(1, POOL_PLAIN, 0), BLOCKS(4), 1 };
    const CxlExtent there = { POOL_DPA(0, POOL_PLAIN, 0), BLOCKS(4), 2 };

    pool_hold(t, 1, &e, 1);
    pool_writeq(t, 1, e.dpa, MARK);
    unplug(t, 1);
    /* its records would reach nobody */
    g_assert_cmphex(pool_add(t, 1, &there, 1), ==, 0x05);
    cxl_refuses(&t->head[0], 0x02, 0x5601, 2, 8, 0);
    pool_hold(t, 0, &there, 1);
    g_assert_cmphex(pool_readq(t, 0, there.dpa), ==, MARK);
    /* the next one may be another device: without static capacity */
    qtest_qmp_assert_success(t->qts, "{'execute': 'device_add', 'arguments': {"
                             "'driver': 'cxl-type3', 'id': 'other', "
                             "'bus': 'rp1', 'pool': 'pool0', 'head': 1}}");
    map_pci_slot(t->qts, 60, 0, true);
    cxl_probe_below(t->qts, 60, 0, 1, &t->head[1]);
    host_has(&t->head[1], NULL, 0);
    g_assert_cmphex(host_answer(&t->head[0], 0x4803, &there, 1, false), ==, 0);
    pool_hold(t, 1, &there, 1);
    host_has(&t->head[1], &there, 1);
}

static uint16_t set_block_size(Pool *t, uint8_t region, uint64_t size)
{
    return cxl_run(&t->head[0], NULL, 0x5602, region, size, 0);
}

/* Bytes of a block of the first region, as 4800h tells the host */
static uint64_t block_size(Pool *t, unsigned h)
{
    CxlRsp rsp;

    g_assert_cmphex(cxl_run(&t->head[h], &rsp, 0x4800, 1, 0), ==, 0);
    return ldq_le_p(rsp.data + 8 + 0x18);
}

static void a_region_changes_while_a_head_is_not_there(Pool *t)
{
    unplug(t, 1);
    g_assert_cmphex(set_block_size(t, 0, BLOCKS(2)), ==, 0);
    g_assert_cmphex(block_size(t, 0), ==, BLOCKS(2));
    qtest_qmp_assert_success(t->qts, "{'execute': 'device_add', 'arguments': {"
                             "'driver': 'cxl-type3', 'id': 'other', "
                             "'bus': 'rp1', 'pool': 'pool0', 'head': 1}}");
    map_pci_slot(t->qts, 60, 0, true);
    cxl_probe_below(t->qts, 60, 0, 1, &t->head[1]);
    g_assert_cmphex(block_size(t, 1), ==, BLOCKS(2));
}

static QDict *query(Pool *t, const char *path)
{
    return qtest_qmp_assert_success_ref(
        t->qts, "{'execute': 'query-cxl-dynamic-capacity', 'arguments': {"
        "'path': %s}}", path);
}

static void check_query(Pool *t, const char *path)
{
    g_autoptr(QDict) info = query(t, path);
    QList *hosts = qdict_get_qlist(info, "hosts");
    QDict *host;

    g_assert_cmpuint(qlist_size(hosts), ==, 2);
    host = qobject_to(QDict, qlist_entry_obj(qlist_first(hosts)));
    g_assert_cmpint(qdict_get_int(host, "dpa-base"), ==, 0);
    g_assert_cmpint(qdict_get_int(host, "pending-count"), ==, 0);
    g_assert_cmpstr(qdict_get_str(host, "head"), ==,
                    "/machine/peripheral/head0");
    host = qobject_to(QDict, qlist_entry_obj(
                          qlist_next(qlist_first(hosts))));
    g_assert_cmpint(qdict_get_int(host, "dpa-base"), ==, POOL_STATIC);
    g_assert_cmpint(qdict_get_int(host, "pending-count"), ==, 1);
    g_assert_cmpstr(qdict_get_str(host, "head"), ==,
                    "/machine/peripheral/head1");
}

static void the_monitor_manages_the_pool_and_by_any_head(Pool *t)
{
    static const char *const paths[] = { "pool0", "head0", "head1" };

    for (unsigned i = 0; i < ARRAY_SIZE(paths); i++) {
        const CxlExtent e = { POOL_DPA(1, POOL_WIPED, 3), BLOCKS(1) };

        qtest_qmp_assert_success(
            t->qts, "{'execute': 'cxl-add-dynamic-capacity', 'arguments': {"
            "'path': %s, 'host-id': 1, 'region': 3, "
            "'selection-policy': 'prescriptive', 'extents': [{"
            "'offset': %u, 'len': %u}]}}", paths[i], 3 * (unsigned)CXL_BLOCK,
            (unsigned)CXL_BLOCK);
        check_query(t, paths[i]);
        g_assert_cmphex(host_answer(&t->head[1], 0x4802, &e, 1, false), ==, 0);
        qtest_qmp_assert_success(
            t->qts, "{'execute': 'cxl-release-dynamic-capacity', 'arguments': {"
            "'path': %s, 'host-id': 1, 'region': 3, "
            "'removal-policy': 'prescriptive', 'forced-removal': true, "
            "'extents': [{'offset': %u, 'len': %u}]}}", paths[i],
            3 * (unsigned)CXL_BLOCK, (unsigned)CXL_BLOCK);
        host_has(&t->head[1], NULL, 0);
    }
}

static void a_pool_lives_as_long_as_its_heads(Pool *t)
{
    static const char *const fixed[] = { "memdev", "heads", "dc0-size" };
    QDict *rsp;

    rsp = qtest_qmp(t->qts, "{'execute': 'object-del', 'arguments': {"
                    "'id': 'pool0'}}");
    g_assert_nonnull(qdict_get_qdict(rsp, "error"));
    qobject_unref(rsp);
    for (unsigned i = 0; i < ARRAY_SIZE(fixed); i++) {
        rsp = qtest_qmp(t->qts, "{'execute': 'qom-set', 'arguments': {"
                        "'path': 'pool0', 'property': %s, 'value': %p}}",
                        fixed[i], i ? QOBJECT(qnum_from_int(1)) :
                                      QOBJECT(qstring_from_str("vm")));
        g_assert_nonnull(strstr(qdict_get_str(qdict_get_qdict(rsp, "error"),
                                              "desc"), "cannot be changed"));
        qobject_unref(rsp);
    }
    /* one without heads comes and goes, and leaves its memory to the next */
    for (unsigned i = 0; i < 2; i++) {
        if (!i) {
            qtest_qmp_assert_success(
                t->qts, "{'execute': 'object-add', 'arguments': {'qom-type': "
                "'memory-backend-ram', 'id': 'more', 'size': %u}}",
                (unsigned)CXL_REGION);
        }
        qtest_qmp_assert_success(
            t->qts, "{'execute': 'object-add', 'arguments': {'qom-type': "
            "'cxl-pool', 'id': 'pool1', 'memdev': 'more', 'heads': 256}}");
        qtest_qmp_assert_success(t->qts, "{'execute': 'object-del', "
                                 "'arguments': {'id': 'pool1'}}");
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/pool/" #f, f)
#define POOL(f) pool_add_test("/cxl/pool/" #f, f, "")
    T(the_manager_is_not_on_a_heads_mailbox);
    POOL(each_head_is_a_device_with_dynamic_capacity);
    POOL(capacity_of_one_host_is_not_the_others);
    POOL(static_capacity_is_the_heads_own);
    POOL(each_head_is_mapped_as_ram);
    POOL(forced_release_reaches_only_its_host);
    POOL(reset_of_one_host_is_not_the_others);
    POOL(a_head_that_is_unplugged_leaves_its_capacity);
    POOL(a_region_changes_while_a_head_is_not_there);
    POOL(the_monitor_manages_the_pool_and_by_any_head);
    POOL(a_pool_lives_as_long_as_its_heads);
    return g_test_run();
}
