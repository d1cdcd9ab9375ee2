/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Capacity that hosts of a pool share: the same bytes, as long as one of them
 * or the Fabric Manager has it (CXL r3.2 9.13.3.2, 7.6.7.6.5 to 7.6.7.6.9)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/timer.h"
#include "cxl-qtest-pool.h"

#define TAG     7

/* Two extents, the second one in front of the first */
static const CxlExtent shared[] = {
    { POOL_DPA(0, POOL_SHARED, 8), BLOCKS(2), TAG, 0 },
    { POOL_DPA(0, POOL_SHARED, 4), BLOCKS(1), TAG, 1 },
};

static void share_start(Pool *t, const char *props)
{
    pool_start(t, props);
    pool_hold(t, 0, shared, 2);
    for (unsigned i = 0; i < 2; i++) {
        pool_writeq(t, 0, shared[i].dpa + 8, MARK + i);
    }
}

static void reference(Pool *t, bool add)
{
    CxlReq r = cxl_req(0x5606, TAG);

    g_assert_cmphex(cxl_cmd(&t->head[0], add ? 0x5606 : 0x5607, &r, NULL), ==,
                    0);
}

static unsigned nr_tags(Pool *t)
{
    CxlRsp rsp;

    g_assert_cmphex(cxl_run(&t->head[0], &rsp, 0x5608, 0, 8), ==, 0);
    return ldl_le_p(rsp.data + 4);
}

static void both_hosts_see_the_same_bytes(void)
{
    CxlExtent e[2];
    Pool t;

    share_start(&t, "");
    pool_share_hold(&t, 1, POOL_SHARED, TAG, e, 2);
    for (unsigned i = 0; i < 2; i++) {
        const CxlExtent want = {
            shared[i].dpa + POOL_STATIC, shared[i].len, TAG, i,
        };

        g_assert_cmpuint(e[i].seq, ==, i);
        g_assert_cmphex(e[i].dpa, ==, want.dpa);
        g_assert_cmphex(e[i].len, ==, want.len);
        g_assert_cmphex(pool_readq(&t, 1, e[i].dpa + 8), ==, MARK + i);
        pool_writeq(&t, 1, e[i].dpa + 16, ~MARK + i);
        g_assert_cmphex(pool_readq(&t, 0, shared[i].dpa + 16), ==, ~MARK + i);
    }
    host_has(&t.head[0], shared, 2);
    host_has(&t.head[1], e, 2);
    pool_stop(&t);
}

static void a_view_in_another_region_is_read_only(void)
{
    CxlExtent e[2];
    Pool t;

    share_start(&t, "");
    pool_share_hold(&t, 1, POOL_SHARED_RO, TAG, e, 2);
    for (unsigned i = 0; i < 2; i++) {
        g_assert_cmpuint(e[i].dpa, >=, POOL_DPA(1, POOL_SHARED_RO, 0));
        g_assert_cmphex(pool_readq(&t, 1, e[i].dpa + 8), ==, MARK + i);
        pool_writeq(&t, 1, e[i].dpa + 8, 0);
        g_assert_cmphex(pool_readq(&t, 1, e[i].dpa + 8), ==, MARK + i);
        /* what the writer changes is seen at once */
        pool_writeq(&t, 0, shared[i].dpa + 8, ~MARK);
        g_assert_cmphex(pool_readq(&t, 1, e[i].dpa + 8), ==, ~MARK);
    }
    map_trap_is(t.qts, 4 * GiB + e[0].dpa, "read-only");
    pool_stop(&t);
}

static void what_is_refused(void)
{
    CxlExtent e[2];
    Pool t;

    share_start(&t, "");
    /* a region that cannot be shared, an unknown tag, what it has already */
    g_assert_cmphex(pool_share(&t, 1, POOL_PLAIN, TAG), ==, 0x02);
    g_assert_cmphex(pool_share(&t, 1, POOL_SHARED, TAG + 1), ==, 0x02);
    g_assert_cmphex(pool_share(&t, 0, POOL_SHARED, TAG), ==, 0x02);
    pool_share_hold(&t, 1, POOL_SHARED, TAG, e, 2);
    /* one host cannot give back a part */
    g_assert_cmphex(host_answer(&t.head[1], 0x4803, e, 1, false), ==, 0x1e);
    pool_stop(&t);
}

static void it_ends_with_the_last_holder(void)
{
    CxlExtent e[2];
    Pool t;

    share_start(&t, "");
    pool_share_hold(&t, 1, POOL_SHARED, TAG, e, 2);
    g_assert_cmphex(host_answer(&t.head[0], 0x4803, shared, 2, false), ==, 0);
    g_assert_cmphex(pool_readq(&t, 0, shared[0].dpa + 8), ==, UINT64_MAX);
    g_assert_cmphex(pool_readq(&t, 1, e[0].dpa + 8), ==, MARK);
    g_assert_cmpuint(nr_tags(&t), ==, 1);
    g_assert_cmphex(pool_release_tag(&t, 1, REL_FORCED, BLOCKS(3), TAG), ==,
                    0);
    g_assert_cmphex(pool_readq(&t, 1, e[0].dpa + 8), ==, UINT64_MAX);
    g_assert_cmpuint(nr_tags(&t), ==, 0);
    pool_stop(&t);
}

static void a_reference_keeps_it_for_the_next_host(void)
{
    CxlExtent e[2];
    Pool t;

    share_start(&t, ",dc1-sanitize=on");
    reference(&t, true);
    g_assert_cmphex(host_answer(&t.head[0], 0x4803, shared, 2, false), ==, 0);
    g_assert_cmpuint(nr_tags(&t), ==, 1);
    pool_share_hold(&t, 1, POOL_SHARED_RO, TAG, e, 2);
    g_assert_cmphex(pool_readq(&t, 1, e[1].dpa + 8), ==, MARK + 1);
    reference(&t, false);
    g_assert_cmphex(pool_readq(&t, 1, e[1].dpa + 8), ==, MARK + 1);
    g_assert_cmphex(host_answer(&t.head[1], 0x4803, e, 2, false), ==, 0);
    g_assert_cmpuint(nr_tags(&t), ==, 0);
    pool_stop(&t);
}

static void a_reset_takes_it_from_one_host(void)
{
    CxlExtent e[2];
    Pool t;

    share_start(&t, "");
    pool_share_hold(&t, 1, POOL_SHARED, TAG, e, 2);
    pool_reset(&t, 1);
    host_has(&t.head[1], NULL, 0);
    host_has(&t.head[0], shared, 2);
    g_assert_cmphex(pool_readq(&t, 1, e[0].dpa + 8), ==, UINT64_MAX);
    g_assert_cmphex(pool_readq(&t, 0, shared[0].dpa + 8), ==, MARK);
    pool_share_hold(&t, 1, POOL_SHARED, TAG, e, 2);
    g_assert_cmphex(pool_readq(&t, 1, e[0].dpa + 8), ==, MARK);
    pool_stop(&t);
}

static void it_is_sanitized_after_the_last_holder(void)
{
    CxlExtent e[2];
    Pool t;

    share_start(&t, ",dc1-sanitize=on");
    pool_share_hold(&t, 1, POOL_SHARED, TAG, e, 2);
    g_assert_cmphex(host_answer(&t.head[0], 0x4803, shared, 2, false), ==, 0);
    g_assert_cmphex(pool_readq(&t, 1, e[0].dpa + 8), ==, MARK);
    g_assert_cmphex(host_answer(&t.head[1], 0x4803, e, 2, false), ==, 0);
    /* whoever is next finds zeroes, however soon */
    pool_hold(&t, 1, (const CxlExtent[]) {
        { e[0].dpa, e[0].len, TAG, 0 }, { e[1].dpa, e[1].len, TAG, 1 },
    }, 2);
    g_assert_cmphex(pool_readq(&t, 1, e[0].dpa + 8), ==, 0);
    g_assert_cmphex(pool_readq(&t, 1, e[1].dpa + 8), ==, 0);
    pool_stop(&t);
}

static void what_is_sanitized_is_so_for_the_next_host(void)
{
    const CxlExtent e = { POOL_DPA(0, POOL_WIPED, 0), CXL_REGION, 1 };
    const CxlExtent next = { POOL_DPA(1, POOL_WIPED, 0), CXL_REGION, 2 };
    uint64_t last = CXL_REGION - 8;
    Pool t;

    pool_start(&t, "");
    pool_hold(&t, 0, &e, 1);
    pool_writeq(&t, 0, e.dpa, MARK);
    pool_writeq(&t, 0, e.dpa + last, MARK);
    g_assert_cmphex(host_answer(&t.head[0], 0x4803, &e, 1, false), ==, 0);
    pool_hold(&t, 1, &next, 1);
    g_assert_cmphex(pool_readq(&t, 1, next.dpa + last), ==, 0);
    pool_writeq(&t, 1, next.dpa + last, ~MARK);
    qtest_clock_step(t.qts, 10 * NANOSECONDS_PER_SECOND);
    /* and what it writes then stays */
    g_assert_cmphex(pool_readq(&t, 1, next.dpa), ==, 0);
    g_assert_cmphex(pool_readq(&t, 1, next.dpa + last), ==, ~MARK);
    map_trap_is(t.qts, 4 * GiB + next.dpa, "direct");
    pool_stop(&t);
}

static void sanitize_of_a_head_is_of_what_it_has_alone(void)
{
    const CxlExtent own = { POOL_DPA(1, POOL_PLAIN, 0), BLOCKS(1), 1 };
    const CxlExtent others = { POOL_DPA(0, POOL_PLAIN, 1), BLOCKS(1), 2 };
    CxlExtent e[2];
    Pool t;

    share_start(&t, "");
    pool_share_hold(&t, 1, POOL_SHARED, TAG, e, 2);
    pool_hold(&t, 1, &own, 1);
    pool_hold(&t, 0, &others, 1);
    pool_writeq(&t, 1, 0, MARK);
    pool_writeq(&t, 1, own.dpa, MARK);
    pool_writeq(&t, 0, others.dpa, MARK);
    g_assert_cmphex(cxl_cmd(&t.head[1], 0x4400, NULL, NULL), ==, 1);
    qtest_clock_step(t.qts, 3600 * (int64_t)NANOSECONDS_PER_SECOND);
    g_assert_cmphex(pool_readq(&t, 1, 0), ==, 0);
    g_assert_cmphex(pool_readq(&t, 1, own.dpa), ==, 0);
    g_assert_cmphex(pool_readq(&t, 0, others.dpa), ==, MARK);
    g_assert_cmphex(pool_readq(&t, 0, shared[0].dpa + 8), ==, MARK);
    pool_stop(&t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/pool-share/" #f, f)
    T(both_hosts_see_the_same_bytes);
    T(a_view_in_another_region_is_read_only);
    T(what_is_refused);
    T(it_ends_with_the_last_holder);
    T(a_reference_keeps_it_for_the_next_host);
    T(a_reset_takes_it_from_one_host);
    T(it_is_sanitized_after_the_last_holder);
    T(what_is_sanitized_is_so_for_the_next_host);
    T(sanitize_of_a_head_is_of_what_it_has_alone);
    return g_test_run();
}
