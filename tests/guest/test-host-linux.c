/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The stand-in for Linux takes and gives back what Linux does
 */
#include <glib.h>

#include "host-linux.h"

#define MIB     (1ull << 20)
#define BASE    (256 * MIB)
#define LEN     (256 * MIB)

static struct host_linux view;
static struct cxl_extent offer[300];
static struct cxl_range taken[HOST_GROUP_MAX];

static void begin(void)
{
    memset(&view, 0, sizeof(view));
    memset(offer, 0, sizeof(offer));
    view.base = BASE;
    view.len = LEN;
}

static struct cxl_extent extent(guint64 at, guint64 len, guint8 tag)
{
    struct cxl_extent ext = { .dpa = BASE + at, .len = len };

    memset(ext.tag, tag, sizeof(ext.tag));
    return ext;
}

static void expect(unsigned n, unsigned want)
{
    g_assert_cmpuint(host_linux_choose(&view, offer, n, taken), ==, want);
}

static void untagged_extents_are_judged_alone(void)
{
    begin();
    offer[0] = extent(0, 2 * MIB, 0);
    offer[1] = extent(4 * MIB, 3 * MIB, 0);
    offer[2] = extent(9 * MIB, 2 * MIB, 0);
    offer[3] = extent(LEN, 2 * MIB, 0);
    offer[4] = extent(LEN - 2 * MIB, 4 * MIB, 0);
    offer[5] = extent(16 * MIB, 4 * MIB, 0);
    expect(6, 2);
    g_assert_cmphex(taken[0].dpa, ==, BASE);
    g_assert_cmphex(taken[1].dpa, ==, BASE + 16 * MIB);
    offer[5].seq = 1;
    expect(6, 1);
}

static void a_tag_is_taken_whole_or_not_at_all(void)
{
    begin();
    offer[0] = extent(0, 2 * MIB, 1);
    offer[1] = extent(4 * MIB, 2 * MIB, 2);
    offer[2] = extent(8 * MIB, 2 * MIB, 1);
    expect(3, 3);
    offer[2].len = MIB;
    expect(3, 1);
    g_assert_cmphex(taken[0].dpa, ==, BASE + 4 * MIB);
}

static void sequence_numbers_are_complete_or_absent(void)
{
    static const guint16 good[][3] = { { 0, 0, 0 }, { 0, 1, 2 }, { 2, 0, 1 } };
    static const guint16 bad[][3] = { { 1, 2, 3 }, { 0, 1, 1 }, { 0, 0, 1 } };

    begin();
    for (unsigned i = 0; i < 3; i++) {
        offer[i] = extent(i * 4 * MIB, 2 * MIB, 1);
    }
    for (unsigned k = 0; k < G_N_ELEMENTS(good); k++) {
        for (unsigned i = 0; i < 3; i++) {
            offer[i].seq = good[k][i];
        }
        expect(3, 3);
        for (unsigned i = 0; i < 3; i++) {
            offer[i].seq = bad[k][i];
        }
        expect(3, 0);
    }
}

static void what_it_has_is_in_the_way(void)
{
    struct cxl_extent has = extent(0, 8 * MIB, 1);

    begin();
    g_assert_true(host_list_add(&view.has, &has));
    offer[0] = extent(6 * MIB, 4 * MIB, 0);
    offer[1] = extent(32 * MIB, 2 * MIB, 1);
    offer[2] = extent(8 * MIB, 2 * MIB, 2);
    expect(3, 1);
    g_assert_cmphex(taken[0].dpa, ==, BASE + 8 * MIB);
}

static void more_than_a_hundred_extents_drop_what_was_collected(void)
{
    static const struct { unsigned n, left; } cases[] = {
        { 100, 100 }, { 101, 0 }, { 128, 27 }, { 201, 100 },
    };

    for (unsigned k = 0; k < G_N_ELEMENTS(cases); k++) {
        unsigned n = 0;

        begin();
        for (unsigned i = 0; i < cases[k].n; i++) {
            struct cxl_extent ext = extent((i % 128) * 2 * MIB, 2 * MIB, 0);

            host_linux_collect(offer, &n, &ext);
        }
        g_assert_cmpuint(n, ==, cases[k].left);
    }
}

static void a_release_takes_the_whole_tag(void)
{
    const struct cxl_range part = { BASE + 2 * MIB, 2 * MIB };
    const struct cxl_extent has[] = {
        extent(0, 8 * MIB, 1), extent(16 * MIB, 2 * MIB, 0),
        extent(32 * MIB, 4 * MIB, 1), extent(64 * MIB, 2 * MIB, 2),
    };

    begin();
    for (unsigned i = 0; i < G_N_ELEMENTS(has); i++) {
        g_assert_true(host_list_add(&view.has, &has[i]));
    }
    g_assert_cmpuint(host_linux_release(&view, &part, taken), ==, 2);
    g_assert_cmphex(taken[0].dpa, ==, has[0].dpa);
    g_assert_cmphex(taken[0].len, ==, has[0].len);
    g_assert_cmphex(taken[1].dpa, ==, has[2].dpa);
    g_assert_cmpuint(view.has.n, ==, 2);
    /* it has let go, whatever becomes of the commands */
    g_assert_cmpuint(host_linux_release(&view, &part, taken), ==, 0);
}

static void lists_are_cut(void)
{
    static struct host_list list;
    const struct cxl_extent has[] = {
        extent(0, 8 * MIB, 1), extent(8 * MIB, 8 * MIB, 2),
    };
    const struct cxl_range middle = { BASE + 2 * MIB, 2 * MIB };
    const struct cxl_range across = { BASE + 6 * MIB, 4 * MIB };

    g_assert_true(host_list_add(&list, &has[0]));
    g_assert_true(host_list_add(&list, &has[1]));
    g_assert_true(host_list_cut(&list, &middle));
    g_assert_cmpuint(list.n, ==, 3);
    g_assert_true(host_list_cut(&list, &across));
    g_assert_cmpuint(list.n, ==, 3);
    g_assert_cmphex(list.ext[0].len, ==, 2 * MIB);
    g_assert_cmphex(list.ext[1].dpa, ==, BASE + 4 * MIB);
    g_assert_cmphex(list.ext[1].len, ==, 2 * MIB);
    g_assert_cmphex(list.ext[2].dpa, ==, BASE + 10 * MIB);
    g_assert_cmphex(list.ext[2].len, ==, 6 * MIB);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) g_test_add_func("/host-linux/" #f, f)
    T(untagged_extents_are_judged_alone);
    T(a_tag_is_taken_whole_or_not_at_all);
    T(sequence_numbers_are_complete_or_absent);
    T(what_it_has_is_in_the_way);
    T(more_than_a_hundred_extents_drop_what_was_collected);
    T(a_release_takes_the_whole_tag);
    T(lists_are_cut);
    return g_test_run();
}
