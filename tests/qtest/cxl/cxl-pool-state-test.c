/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pool over save and load: once, whatever number of heads there are
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "cxl-qtest-pool.h"

#define TAG     7

static void every_host_finds_what_it_had(Pool *t)
{
    const CxlExtent own = { POOL_DPA(0, POOL_PLAIN, 0), BLOCKS(2), 1 };
    const CxlExtent shared = { POOL_DPA(0, POOL_SHARED, 4), BLOCKS(1), TAG };
    const CxlExtent offered = { POOL_DPA(1, POOL_PLAIN, 9), BLOCKS(1), 3 };
    g_autofree char *args = pool_args(",fm-on-mailbox=on");
    uint32_t generation, again;
    CxlExtent seen;

    pool_hold(t, 0, &own, 1);
    pool_hold(t, 0, &shared, 1);
    pool_share_hold(t, 1, POOL_SHARED, TAG, &seen, 1);
    g_assert_cmphex(pool_add(t, 1, &offered, 1), ==, 0);
    pool_writeq(t, 0, own.dpa, MARK);
    pool_writeq(t, 0, shared.dpa, ~MARK);
    host_list(&t->head[1], NULL, 0, &generation);

    pool_attach(t, cxl_migrate(t->qts, args));
    host_has(&t->head[0], (const CxlExtent[]) { own, shared }, 2);
    host_has(&t->head[1], &seen, 1);
    host_list(&t->head[1], NULL, 0, &again);
    g_assert_cmphex(again, ==, generation);
    g_assert_cmphex(pool_readq(t, 0, own.dpa), ==, MARK);
    g_assert_cmphex(pool_readq(t, 1, seen.dpa), ==, ~MARK);
    map_trap_is(t->qts, own.dpa, "direct");
    map_trap_is(t->qts, 4 * GiB + seen.dpa, "direct");
    /* the offer and its record are there, too */
    g_assert_cmpuint(drain_log(&t->head[1], 4), ==, 1);
    g_assert_cmphex(host_answer(&t->head[1], 0x4802, &offered, 1, false), ==,
                    0);
}

static void what_is_to_be_wiped_travels(Pool *t)
{
    const CxlExtent e = { POOL_DPA(0, POOL_WIPED, 0), CXL_REGION, 1 };
    const CxlExtent next = { POOL_DPA(1, POOL_WIPED, 0), CXL_REGION, 2 };
    g_autofree char *args = pool_args(",fm-on-mailbox=on");

    pool_hold(t, 0, &e, 1);
    pool_writeq(t, 0, e.dpa + CXL_REGION - 8, MARK);
    g_assert_cmphex(host_answer(&t->head[0], 0x4803, &e, 1, false), ==, 0);
    pool_attach(t, cxl_migrate(t->qts, args));
    pool_hold(t, 1, &next, 1);
    g_assert_cmphex(pool_readq(t, 1, next.dpa + CXL_REGION - 8), ==, 0);
}

static void refused(const char *props, const char *says)
{
    g_autofree char *args = pool_args(props);
    g_autofree char *why = NULL;
    Pool t;

    pool_start(&t, "");
    why = cxl_migrate_refused(t.qts, args);
    if (!strstr(why, says)) {
        g_test_message("%s", why);
        g_test_fail();
    }
}

static void a_pool_of_other_properties_is_refused_by_name(void)
{
    refused(",fm-on-mailbox=off", "'fm-on-mailbox'");
    refused(",fm-on-mailbox=on,heads=3", "'heads'");
    refused(",fm-on-mailbox=on,dc0-sanitize=on", "'dc0-sanitize'");
    refused(",fm-on-mailbox=on,dc-tags-max=7", "'dc-tags-max'");
}

static void a_head_of_another_number_is_refused_by_name(void)
{
    g_autofree char *same = pool_args(",fm-on-mailbox=on,heads=3");
    g_autofree char *args = g_strdup(same);
    g_autofree char *why = NULL;
    char *at = strstr(args, "pool=pool0,head=1");

    at[strlen("pool=pool0,head=")] = '2';
    why = cxl_migrate_refused(qtest_init(same), args);
    g_assert_nonnull(strstr(why, "'head'"));
}

/* An endpoint of the pool's CCI is one of the same pool on the other side */
static void an_endpoint_of_the_pool_travels(void)
{
    static const char link[] = "-chardev null,id=fm0 "
                               "-device mctp-serial-cxl,chardev=fm0,target=";
    g_autofree char *machine = pool_args("");
    g_autofree char *to_pool = g_strconcat(machine, link, "pool0", NULL);
    g_autofree char *to_head = g_strconcat(machine, link, "head0", NULL);
    g_autofree char *why = NULL;

    qtest_quit(cxl_migrate(qtest_init(to_pool), to_pool));
    why = cxl_migrate_refused(qtest_init(to_pool), to_head);
    g_assert_nonnull(strstr(why, "property 'target'"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/pool-state/" #f, f)
#define POOL(f) pool_add_test("/cxl/pool-state/" #f, f, "")
    POOL(every_host_finds_what_it_had);
    POOL(what_is_to_be_wiped_travels);
    T(a_pool_of_other_properties_is_refused_by_name);
    T(an_endpoint_of_the_pool_travels);
    T(a_head_of_another_number_is_refused_by_name);
    return g_test_run();
}
