/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command sets 48h and 56h: where they exist and what they do to the device;
 * layout of requests and responses and lengths of 48h.  The rules behind them
 * are the model's, which has its own tests.
 */
#include "qemu/osdep.h"
#include "dc-commands.h"

/* -- where the commands exist ----------------------------------------- */

static void test_sets_follow_the_kind(FakeMemDev *unused, gconstpointer data)
{
    uint16_t op;

    for (op = 0x4800; op <= 0x4803; op++) {
        g_assert_nonnull(cxl_cci_find(&fake.mailbox, op));
        /* prohibited where MCTP carries the messages */
        g_assert_null(cxl_cci_find(&fake.fm, op));
        g_assert_null(cxl_cci_find(&fake.ld, op));
    }
    for (op = 0x5600; op <= 0x5608; op++) {
        g_assert_nonnull(cxl_cci_find(&fake.mailbox, op));
        g_assert_nonnull(cxl_cci_find(&fake.fm, op));
        g_assert_null(cxl_cci_find(&fake.ld, op));
    }
    fake_memdev_close();

    fake.has_dc = true;
    fake_memdev_open();
    g_assert_nonnull(cxl_cci_find(&fake.fm, 0x5600));
    assert_rc(send_bytes(&fake.mailbox, 0x5600, 0), CXL_RC_UNSUPPORTED);
    fake_memdev_close();

    fake.fm_on_mailbox = true;
    fake_memdev_open();
    assert_rc(send_bytes(&fake.mailbox, 0x4800, 2), CXL_RC_UNSUPPORTED);
    assert_rc(send_bytes(&fake.mailbox, 0x5600, 0), CXL_RC_UNSUPPORTED);
    assert_rc(send_bytes(&fake.fm, 0x5600, 0), CXL_RC_UNSUPPORTED);
}

static void test_effects(FakeMemDev *unused, gconstpointer data)
{
    static const struct {
        uint16_t op, effects;
    } expected[] = {
        { 0x4800, 0 }, { 0x4801, 0 }, { 0x4802, 2 }, { 0x4803, 2 },
        { 0x5600, 0 }, { 0x5601, 0 }, { 0x5602, 0xe07 }, { 0x5603, 0 },
        { 0x5604, 0xe07 }, { 0x5605, 0xe07 }, { 0x5606, 0xe03 },
        { 0x5607, 0xe03 }, { 0x5608, 0 },
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(expected); i++) {
        g_assert_cmphex(cxl_cci_find(&fake.mailbox, expected[i].op)->effects,
                        ==, expected[i].effects);
    }
}

static void test_wrong_lengths(FakeMemDev *unused, gconstpointer data)
{
    static const struct {
        uint16_t op, len;
    } exact[] = {
        { 0x4800, 2 }, { 0x4801, 8 }, { 0x4802, 8 }, { 0x4803, 8 },
        { 0x5600, 0 }, { 0x5601, 4 }, { 0x5602, 16 }, { 0x5603, 12 },
        { 0x5606, 16 }, { 0x5607, 16 }, { 0x5608, 8 },
    };
    unsigned i, len;

    for (i = 0; i < ARRAY_SIZE(exact); i++) {
        for (len = 0; len < 64; len++) {
            g_assert((send_bytes(&fake.mailbox, exact[i].op, len) !=
                      CXL_RC_INVALID_PAYLOAD_LENGTH) == (len == exact[i].len));
        }
    }
}

/* -- 48h -------------------------------------------------------------- */

static void test_get_config(FakeMemDev *unused, gconstpointer data)
{
    unsigned i;

    assert_rc(send_fields(&fake.mailbox, 0x4800, 0xff, 0), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 8 + 2 * 0x28 + 16);
    g_assert_cmpuint(cxl_get_u8(&rs), ==, 2);
    g_assert_cmpuint(cxl_get_u8(&rs), ==, 2);
    cxl_get_skip(&rs, 6);
    for (i = 0; i < 2; i++) {
        g_assert_cmphex(cxl_get_le64(&rs), ==, FAKE_REGION_BASE(i));
        g_assert_cmpuint(cxl_get_le64(&rs), ==, 1);
        g_assert_cmphex(cxl_get_le64(&rs), ==, 256 * MiB);
        g_assert_cmphex(cxl_get_le64(&rs), ==, FAKE_BLOCK);
        g_assert_cmpuint(cxl_get_le32(&rs), ==, 4 + i);
        g_assert_cmphex(cxl_get_le32(&rs), ==, 0);
    }
    check_usage(1000);

    assert_rc(send_fields(&fake.mailbox, 0x4800, 1, 1), CXL_RC_SUCCESS);
    g_assert_cmphex(cxl_get_le16(&rs), ==, 0x0102);
    cxl_get_skip(&rs, 6);
    g_assert_cmphex(cxl_get_le64(&rs), ==, FAKE_REGION_BASE(1));

    cxl_put_u8(&rq, 0);     /* none, and the counters behind nothing */
    cxl_put_u8(&rq, 0);
    assert_rc(send_request(&fake.mailbox, 0x4800), CXL_RC_SUCCESS);
    g_assert_cmphex(cxl_get_le16(&rs), ==, 0x0002);
    cxl_get_skip(&rs, 6);
    check_usage(1000);

    assert_rc(send_fields(&fake.mailbox, 0x4800, 1, 2), CXL_RC_INVALID_INPUT);
}

static CXLRetCode host_list(uint32_t max, uint32_t start)
{
    return send_fields(&fake.mailbox, 0x4801, max, start);
}

static void test_extent_list_pages(FakeMemDev *unused, gconstpointer data)
{
    const QemuUUID tag_3 = nth_tag(3), tag_4 = nth_tag(4);
    uint32_t generation;

    assert_rc(host_list(10, 0), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 16);
    g_assert_cmpuint(cxl_get_le64(&rs), ==, 0);
    assert_rc(host_list(10, 1), CXL_RC_INVALID_INPUT);

    add_blocks(0, 60);
    assert_rc(host_list(0, 0), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 16);
    g_assert_cmpuint(cxl_get_le32(&rs), ==, 0);
    g_assert_cmpuint(cxl_get_le32(&rs), ==, 60);
    generation = cxl_get_le32(&rs);
    g_assert_cmpuint(generation, ==, cxl_dc_generation(fake.dc, 0));

    assert_rc(host_list(2, 3), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 16 + 2 * 0x28);
    g_assert_cmpuint(cxl_get_le32(&rs), ==, 2);
    cxl_get_skip(&rs, 12);
    check_extent(BLOCK(0, 6), FAKE_BLOCK, &tag_3);
    check_extent(BLOCK(0, 8), FAKE_BLOCK, &tag_4);

    /* a 2 KiB mailbox carries 50 of them */
    assert_rc(host_list(UINT32_MAX, 0), CXL_RC_SUCCESS);
    g_assert_cmpuint(cxl_get_le32(&rs), ==, 50);
    g_assert_cmpuint(rs.size, ==, 16 + 50 * 0x28);
    assert_rc(host_list(UINT32_MAX, 50), CXL_RC_SUCCESS);
    g_assert_cmpuint(cxl_get_le32(&rs), ==, 10);
    assert_rc(host_list(UINT32_MAX, 60), CXL_RC_SUCCESS);
    g_assert_cmpuint(cxl_get_le32(&rs), ==, 0);
    assert_rc(host_list(UINT32_MAX, 61), CXL_RC_INVALID_INPUT);
    assert_rc(host_list(UINT32_MAX, UINT32_MAX), CXL_RC_INVALID_INPUT);
}

static void test_host_answers(FakeMemDev *unused, gconstpointer data)
{
    put_answer(0, false);
    assert_rc(send_request(&fake.mailbox, 0x4802), CXL_RC_INVALID_INPUT);

    put_add(2, 0, 0, &no_tag);
    put_list(2);
    put_extent(BLOCK(0, 0), FAKE_BLOCK, &tag_a, 0);
    put_extent(BLOCK(0, 4), 2 * FAKE_BLOCK, &no_tag, 0);
    assert_rc(send_request(&fake.fm, 0x5604), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 0);

    /* two payloads of one answer: nothing shows before the second */
    put_answer(1, true);
    put_range(BLOCK(0, 0), FAKE_BLOCK);
    assert_rc(send_request(&fake.mailbox, 0x4802), CXL_RC_SUCCESS);
    assert_rc(host_list(10, 0), CXL_RC_SUCCESS);
    g_assert_cmpuint(cxl_get_le32(&rs), ==, 0);
    put_answer(1, false);
    put_range(BLOCK(0, 4), 2 * FAKE_BLOCK);
    assert_rc(send_request(&fake.mailbox, 0x4802), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 0);
    assert_rc(host_list(10, 0), CXL_RC_SUCCESS);
    g_assert_cmpuint(cxl_get_le32(&rs), ==, 2);
    cxl_get_skip(&rs, 12);
    check_extent(BLOCK(0, 0), FAKE_BLOCK, &tag_a);
    check_extent(BLOCK(0, 4), 2 * FAKE_BLOCK, &no_tag);

    put_answer(0, false);
    assert_rc(send_request(&fake.mailbox, 0x4803), CXL_RC_INVALID_INPUT);
    put_answer(1, false);
    put_range(BLOCK(0, 5), FAKE_BLOCK);
    assert_rc(send_request(&fake.mailbox, 0x4803), CXL_RC_SUCCESS);
    assert_rc(host_list(10, 1), CXL_RC_SUCCESS);
    g_assert_cmpuint(cxl_get_le32(&rs), ==, 1);
    cxl_get_skip(&rs, 12);
    check_extent(BLOCK(0, 4), FAKE_BLOCK, &no_tag);
}

static void test_list_length_must_match(FakeMemDev *unused,
                                        gconstpointer data)
{
    uint16_t op;

    for (op = 0x4802; op <= 0x4803; op++) {
        put_answer(1, false);
        put_range(BLOCK(0, 0), FAKE_BLOCK);
        cxl_put_zero(&rq, 16);                  /* trailing bytes */
        assert_rc(send_request(&fake.mailbox, op),
                  CXL_RC_INVALID_PAYLOAD_LENGTH);
        put_answer(10, false);                  /* nine are missing */
        put_range(BLOCK(0, 0), FAKE_BLOCK);
        assert_rc(send_request(&fake.mailbox, op),
                  CXL_RC_INVALID_PAYLOAD_LENGTH);
        put_answer(0x0aaaaaab, false);          /* 18h * n wraps to 8 */
        cxl_put_zero(&rq, 8);
        assert_rc(send_request(&fake.mailbox, op),
                  CXL_RC_INVALID_PAYLOAD_LENGTH);
    }
}

#define ADD(path, fn) \
    g_test_add("/cxl/cmds/dc/" path, FakeMemDev, NULL, dc_setup, fn, \
               fake_teardown)

int main(int argc, char **argv)
{
    fake_memdev_test_init(&argc, &argv);
    ADD("presence", test_sets_follow_the_kind);
    ADD("effects", test_effects);
    ADD("wrong-lengths", test_wrong_lengths);
    ADD("4800", test_get_config);
    ADD("4801", test_extent_list_pages);
    ADD("4802-4803", test_host_answers);
    ADD("4802-4803/length", test_list_length_must_match);
    return g_test_run();
}
