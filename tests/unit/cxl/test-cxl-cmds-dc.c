/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command sets 48h and 56h: layout of requests and responses, lengths, where
 * the commands exist.  The rules behind them are the model's, which has its
 * own tests.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "fake-type3.h"
#include "hw/cxl/cmd-sets.h"

const CXLCmdSet *const cxl_cmd_sets[] = {
    &cxl_cmds_events,
    &cxl_cmds_dcd,
    &cxl_cmds_fm_dcd,
    NULL,
};

#define BLOCK(region, n) (FAKE_REGION_BASE(region) + (n) * FAKE_BLOCK)

static const QemuUUID tag_a = { .data = "tag number one.." };
static const QemuUUID no_tag;

static void setup(CXLType3Dev *unused, gconstpointer data)
{
    fake.has_dc = true;
    fake.fm_on_mailbox = true;
    fake_type3_open();
}

static void put_add(uint8_t policy, uint8_t region, uint64_t len,
                    const QemuUUID *tag)
{
    cxl_put_le16(&rq, 0);
    cxl_put_u8(&rq, policy);
    cxl_put_u8(&rq, region);
    cxl_put_le64(&rq, len);
    cxl_put_uuid(&rq, tag);
}

static void put_list(uint32_t n)
{
    cxl_put_le32(&rq, n);
}

static void put_extent(uint64_t dpa, uint64_t len, const QemuUUID *tag,
                       uint16_t seq)
{
    cxl_put_le64(&rq, dpa);
    cxl_put_le64(&rq, len);
    cxl_put_uuid(&rq, tag);
    cxl_put_le16(&rq, seq);
    cxl_put_zero(&rq, 6);
}

static void put_answer(uint32_t n, bool more)
{
    cxl_put_le32(&rq, n);
    cxl_put_u8(&rq, more);
    cxl_put_zero(&rq, 3);
}

static void put_range(uint64_t dpa, uint64_t len)
{
    cxl_put_le64(&rq, dpa);
    cxl_put_le64(&rq, len);
    cxl_put_zero(&rq, 8);
}

/* A tag is live in one allocation only, so each has its own */
static QemuUUID nth_tag(unsigned n)
{
    QemuUUID tag = tag_a;

    tag.data[0] += n;
    return tag;
}

/* Offer and accept one block each at every second block from @first on */
static void add_blocks(unsigned first, unsigned n)
{
    unsigned i;

    for (i = 0; i < n; i++) {
        uint64_t dpa = BLOCK(0, first + 2 * i);
        QemuUUID tag = nth_tag(i);

        put_add(2, 0, 0, &no_tag);
        put_list(1);
        put_extent(dpa, FAKE_BLOCK, &tag, 0);
        assert_rc(send_request(&fake.fm, 0x5604), CXL_RC_SUCCESS);
        put_answer(1, false);
        put_range(dpa, FAKE_BLOCK);
        assert_rc(send_request(&fake.mailbox, 0x4802), CXL_RC_SUCCESS);
        cxl_event_forget(&fake.host_logs, CXL_EVENT_LOG_DYNCAP);
    }
}

/* -- where the commands exist ----------------------------------------- */

static void test_sets_follow_the_kind(CXLType3Dev *unused, gconstpointer data)
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
    fake_type3_close();

    fake.has_dc = true;
    fake_type3_open();
    g_assert_nonnull(cxl_cci_find(&fake.fm, 0x5600));
    assert_rc(send_bytes(&fake.mailbox, 0x5600, 0), CXL_RC_UNSUPPORTED);
    fake_type3_close();

    fake.fm_on_mailbox = true;
    fake_type3_open();
    assert_rc(send_bytes(&fake.mailbox, 0x4800, 2), CXL_RC_UNSUPPORTED);
    assert_rc(send_bytes(&fake.mailbox, 0x5600, 0), CXL_RC_UNSUPPORTED);
    assert_rc(send_bytes(&fake.fm, 0x5600, 0), CXL_RC_UNSUPPORTED);
}

static void test_effects(CXLType3Dev *unused, gconstpointer data)
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

static void test_wrong_lengths(CXLType3Dev *unused, gconstpointer data)
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

static void check_usage(uint32_t extents_available)
{
    g_assert_cmpuint(cxl_get_le32(&rs), ==, 1000);
    g_assert_cmpuint(cxl_get_le32(&rs), ==, extents_available);
    g_assert_cmpuint(cxl_get_le32(&rs), ==, 100);
    g_assert_cmpuint(cxl_get_le32(&rs), <=, 100);
    g_assert_cmpuint(cxl_reader_left(&rs), ==, 0);
}

static void test_get_config(CXLType3Dev *unused, gconstpointer data)
{
    unsigned i;

    cxl_put_u8(&rq, 0xff);
    cxl_put_u8(&rq, 0);
    assert_rc(send_request(&fake.mailbox, 0x4800), CXL_RC_SUCCESS);
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

    cxl_put_u8(&rq, 1);
    cxl_put_u8(&rq, 1);
    assert_rc(send_request(&fake.mailbox, 0x4800), CXL_RC_SUCCESS);
    g_assert_cmphex(cxl_get_le16(&rs), ==, 0x0102);
    cxl_get_skip(&rs, 6);
    g_assert_cmphex(cxl_get_le64(&rs), ==, FAKE_REGION_BASE(1));

    cxl_put_u8(&rq, 0);     /* none, and the counters behind nothing */
    cxl_put_u8(&rq, 0);
    assert_rc(send_request(&fake.mailbox, 0x4800), CXL_RC_SUCCESS);
    g_assert_cmphex(cxl_get_le16(&rs), ==, 0x0002);
    cxl_get_skip(&rs, 6);
    check_usage(1000);

    cxl_put_u8(&rq, 1);
    cxl_put_u8(&rq, 2);
    assert_rc(send_request(&fake.mailbox, 0x4800), CXL_RC_INVALID_INPUT);
}

static CXLRetCode host_list(uint32_t max, uint32_t start)
{
    cxl_put_le32(&rq, max);
    cxl_put_le32(&rq, start);
    return send_request(&fake.mailbox, 0x4801);
}

static void check_extent(uint64_t dpa, uint64_t len, const QemuUUID *tag)
{
    QemuUUID got;

    g_assert_cmphex(cxl_get_le64(&rs), ==, dpa);
    g_assert_cmphex(cxl_get_le64(&rs), ==, len);
    cxl_get_uuid(&rs, &got);
    g_assert_cmpmem(&got, 16, tag, 16);
    g_assert_cmphex(cxl_get_le64(&rs), ==, 0);
}

static void test_extent_list_pages(CXLType3Dev *unused, gconstpointer data)
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

static void test_host_answers(CXLType3Dev *unused, gconstpointer data)
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

static void test_list_length_must_match(CXLType3Dev *unused,
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

/* -- 56h -------------------------------------------------------------- */

static void test_dcd_info(CXLType3Dev *unused, gconstpointer data)
{
    unsigned i;

    assert_rc(send_request(&fake.fm, 0x5600), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 0x54);
    g_assert_cmpuint(cxl_get_u8(&rs), ==, 1);
    g_assert_cmpuint(cxl_get_u8(&rs), ==, 2);
    g_assert_cmphex(cxl_get_le16(&rs), ==, 0);
    g_assert_cmphex(cxl_get_le16(&rs), ==, cxl_dc_add_policies(fake.dc));
    g_assert_cmphex(cxl_get_le16(&rs), ==, 0);
    g_assert_cmphex(cxl_get_le16(&rs), ==, cxl_dc_release_policies(fake.dc));
    g_assert_cmphex(cxl_get_u8(&rs), ==, 2);
    g_assert_cmphex(cxl_get_u8(&rs), ==, 0);
    g_assert_cmpuint(cxl_get_le64(&rs), ==, 2);
    for (i = 0; i < 8; i++) {
        g_assert_cmphex(cxl_get_le64(&rs), ==, i < 2 ? 6 * MiB : 0);
    }
}

static CXLRetCode fm_regions(uint16_t host, uint8_t count, uint8_t start)
{
    cxl_put_le16(&rq, host);
    cxl_put_u8(&rq, count);
    cxl_put_u8(&rq, start);
    return send_request(&fake.fm, 0x5601);
}

static void test_host_regions(CXLType3Dev *unused, gconstpointer data)
{
    assert_rc(fm_regions(0, 0xff, 0), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 4 + 2 * 0x28 + 16);
    g_assert_cmphex(cxl_get_le32(&rs), ==, 0x02020000);
    cxl_get_skip(&rs, 0x20);
    g_assert_cmphex(cxl_get_le32(&rs), ==, 0x20);   /* dynamic */
    g_assert_cmphex(cxl_get_le32(&rs), ==, 0);
    g_assert_cmphex(cxl_get_le64(&rs), ==, FAKE_REGION_BASE(1));
    g_assert_cmpuint(cxl_get_le64(&rs), ==, 1);
    g_assert_cmphex(cxl_get_le64(&rs), ==, 256 * MiB);
    g_assert_cmphex(cxl_get_le64(&rs), ==, FAKE_BLOCK);
    g_assert_cmphex(cxl_get_le32(&rs), ==, 0x28);   /* and sharable */
    g_assert_cmphex(cxl_get_le32(&rs), ==, 0);
    check_usage(1000);

    assert_rc(fm_regions(0, 1, 1), CXL_RC_SUCCESS);
    g_assert_cmphex(cxl_get_le32(&rs), ==, 0x01020000);
    assert_rc(fm_regions(1, 1, 0), CXL_RC_INVALID_INPUT);
    assert_rc(fm_regions(0xffff, 1, 0), CXL_RC_INVALID_INPUT);
    assert_rc(fm_regions(0, 1, 2), CXL_RC_INVALID_INPUT);
}

static CXLRetCode set_region(uint8_t region, uint64_t block, bool sanitize)
{
    cxl_put_u8(&rq, region);
    cxl_put_zero(&rq, 3);
    cxl_put_le64(&rq, block);
    cxl_put_u8(&rq, sanitize);
    cxl_put_zero(&rq, 3);
    return send_request(&fake.fm, 0x5602);
}

static void test_set_region(CXLType3Dev *unused, gconstpointer data)
{
    const CXLEventRecord *r;

    assert_rc(set_region(1, 4 * MiB, true), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 0);
    g_assert_cmphex(cxl_dc_region(fake.dc, 1)->block_size, ==, 4 * MiB);
    g_assert_true(cxl_dc_region(fake.dc, 1)->sanitize);
    r = cxl_event_at(&fake.host_logs, CXL_EVENT_LOG_DYNCAP, 0);
    g_assert_nonnull(r);
    g_assert_cmphex(r->b[0x30], ==, CXL_DC_EV_REGION_UPDATED);
    assert_rc(fm_regions(0, 1, 1), CXL_RC_SUCCESS);
    cxl_get_skip(&rs, 4 + 0x24);
    g_assert_cmphex(cxl_get_u8(&rs), ==, 1);

    assert_rc(set_region(2, FAKE_BLOCK, false), CXL_RC_INVALID_INPUT);
    assert_rc(set_region(200, FAKE_BLOCK, false), CXL_RC_INVALID_INPUT);
    assert_rc(set_region(0, 0, false), CXL_RC_INVALID_INPUT);
    assert_rc(set_region(0, 3 * MiB, false), CXL_RC_INVALID_INPUT);
    assert_rc(set_region(0, FAKE_BLOCK, true), CXL_RC_UNSUPPORTED);
}

static CXLRetCode fm_list(uint16_t host, uint32_t max, uint32_t start)
{
    cxl_put_le16(&rq, host);
    cxl_put_zero(&rq, 2);
    cxl_put_le32(&rq, max);
    cxl_put_le32(&rq, start);
    return send_request(&fake.fm, 0x5603);
}

static void test_fm_extent_list(CXLType3Dev *unused, gconstpointer data)
{
    const QemuUUID tag_1 = nth_tag(1);

    add_blocks(0, 20);
    assert_rc(fm_list(0, UINT32_MAX, 1), CXL_RC_SUCCESS);
    /* 512 bytes carry the header and 12 extents */
    g_assert_cmpuint(rs.size, ==, 0x18 + 12 * 0x28);
    g_assert_cmphex(cxl_get_le32(&rs), ==, 0);
    g_assert_cmpuint(cxl_get_le32(&rs), ==, 1);
    g_assert_cmpuint(cxl_get_le32(&rs), ==, 12);
    g_assert_cmpuint(cxl_get_le32(&rs), ==, 20);
    g_assert_cmpuint(cxl_get_le32(&rs), ==, cxl_dc_generation(fake.dc, 0));
    g_assert_cmphex(cxl_get_le32(&rs), ==, 0);
    check_extent(BLOCK(0, 2), FAKE_BLOCK, &tag_1);

    fake.fm.response_limit = 8;
    assert_rc(fm_list(0, UINT32_MAX, 0), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 0x18 + 5 * 0x28);
    fake.fm.response_limit = 0;

    assert_rc(fm_list(0, 0, 0), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 0x18);
    assert_rc(fm_list(0, 1, 20), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 0x18);
    assert_rc(fm_list(0, 1, 21), CXL_RC_INVALID_INPUT);
    assert_rc(fm_list(1, 1, 0), CXL_RC_INVALID_INPUT);
}

/* Lengths of 5604h and 5605h depend on the policy in the request */
static void test_request_lengths(CXLType3Dev *unused, gconstpointer data)
{
    size_t len;

    for (len = 0; len < 0x80; len++) {
        bool tag_form = len == 0x1c || len == 0x20;

        new_request();
        put_add(0, 0, FAKE_BLOCK, &no_tag);
        g_assert((send_bytes(&fake.fm, 0x5604, len) == CXL_RC_SUCCESS) ==
                 tag_form);
        new_request();
        put_add(0, 0, FAKE_BLOCK, &tag_a);      /* no such tag: 02 */
        g_assert((send_bytes(&fake.fm, 0x5605, len) == CXL_RC_INVALID_INPUT)
                 == tag_form);
        new_request();
        put_add(2, 0, 0, &no_tag);
        put_list(1);
        put_extent(BLOCK(0, 8), FAKE_BLOCK, &no_tag, 0);
        if (len != 0x20 + 0x28) {
            assert_rc(send_bytes(&fake.fm, 0x5604, len),
                      CXL_RC_INVALID_PAYLOAD_LENGTH);
        }
        new_request();
        put_add(1, 0, 0, &no_tag);
        put_list(1);
        put_extent(BLOCK(0, 8), FAKE_BLOCK, &no_tag, 0);
        if (len != 0x20 + 0x28) {
            assert_rc(send_bytes(&fake.fm, 0x5605, len),
                      CXL_RC_INVALID_PAYLOAD_LENGTH);
        }
    }
    new_request();
    put_add(2, 0, 0, &no_tag);
    put_list(0x06666667);                       /* 28h * n wraps to 18h */
    cxl_put_zero(&rq, 0x18);
    assert_rc(send_request(&fake.fm, 0x5604), CXL_RC_INVALID_PAYLOAD_LENGTH);
    put_add(2, 0, 0, &no_tag);
    put_list(0);
    assert_rc(send_request(&fake.fm, 0x5604), CXL_RC_INVALID_EXTENT_LIST);
    put_add(1, 0, 0, &no_tag);
    put_list(0);
    assert_rc(send_request(&fake.fm, 0x5605), CXL_RC_INVALID_EXTENT_LIST);
}

static void test_policy_is_four_bits(CXLType3Dev *unused, gconstpointer data)
{
    put_add(0xf2, 0, 0, &no_tag);               /* reserved bits are ignored */
    put_list(1);
    put_extent(BLOCK(0, 0), FAKE_BLOCK, &no_tag, 0);
    assert_rc(send_request(&fake.fm, 0x5604), CXL_RC_SUCCESS);
    put_add(9, 0, 0, &no_tag);                  /* 9 is not 1 */
    put_list(1);
    put_extent(BLOCK(0, 0), FAKE_BLOCK, &no_tag, 0);
    assert_rc(send_request(&fake.fm, 0x5605), CXL_RC_INVALID_INPUT);
    put_add(4, 0, FAKE_BLOCK, &no_tag);
    assert_rc(send_request(&fake.fm, 0x5604), CXL_RC_INVALID_INPUT);
    put_add(3, 0, FAKE_BLOCK, &tag_a);          /* nothing shared here */
    assert_rc(send_request(&fake.fm, 0x5604), CXL_RC_INVALID_INPUT);
}

static void test_release_flags(CXLType3Dev *unused, gconstpointer data)
{
    add_blocks(0, 2);
    /* a plain request leaves the list alone, a forced one does not */
    put_add(1, 0, 0, &no_tag);
    put_list(1);
    put_extent(BLOCK(0, 0), FAKE_BLOCK, &no_tag, 0);
    assert_rc(send_request(&fake.fm, 0x5605), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 0);
    g_assert_cmpuint(cxl_dc_extent_count(fake.dc, 0), ==, 2);
    g_assert_cmphex(cxl_event_at(&fake.host_logs, CXL_EVENT_LOG_DYNCAP,
                                 0)->b[0x30], ==, CXL_DC_EV_RELEASE);
    put_add(0x11, 0, 0, &no_tag);
    put_list(1);
    put_extent(BLOCK(0, 2), FAKE_BLOCK, &no_tag, 0);
    assert_rc(send_request(&fake.fm, 0x5605), CXL_RC_SUCCESS);
    g_assert_cmpuint(cxl_dc_extent_count(fake.dc, 0), ==, 1);
    g_assert_cmphex(cxl_event_at(&fake.host_logs, CXL_EVENT_LOG_DYNCAP,
                                 1)->b[0x30], ==, CXL_DC_EV_FORCED_RELEASE);
}

static void test_log_back_pressure(CXLType3Dev *unused, gconstpointer data)
{
    unsigned room = cxl_event_room(&fake.host_logs, CXL_EVENT_LOG_DYNCAP), i;

    for (i = 0; i < 2; i++) {
        unsigned n = room + 1 - i, k;

        put_add(2, 0, 0, &no_tag);
        put_list(n);
        for (k = 0; k < n; k++) {
            put_extent(BLOCK(0, 2 * k), FAKE_BLOCK, &no_tag, 0);
        }
        assert_rc(send_request(&fake.mailbox, 0x5604),
                  i ? CXL_RC_SUCCESS : CXL_RC_RETRY_REQUIRED);
        g_assert_cmpuint(cxl_event_count(&fake.host_logs,
                                         CXL_EVENT_LOG_DYNCAP), ==,
                         i ? room : 0);
    }
}

static CXLRetCode tags(uint32_t start, uint32_t max)
{
    cxl_put_le32(&rq, start);
    cxl_put_le32(&rq, max);
    return send_request(&fake.fm, 0x5608);
}

static void test_tags_and_references(CXLType3Dev *unused, gconstpointer data)
{
    QemuUUID got;
    unsigned i;

    assert_rc(tags(0, 10), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 16);
    cxl_put_uuid(&rq, &tag_a);
    assert_rc(send_request(&fake.fm, 0x5606), CXL_RC_INVALID_INPUT);
    cxl_put_uuid(&rq, &tag_a);
    assert_rc(send_request(&fake.fm, 0x5607), CXL_RC_INVALID_INPUT);

    put_add(0, 1, FAKE_BLOCK, &tag_a);
    assert_rc(send_request(&fake.fm, 0x5604), CXL_RC_SUCCESS);
    cxl_put_uuid(&rq, &tag_a);
    assert_rc(send_request(&fake.fm, 0x5606), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 0);

    assert_rc(tags(0, 10), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 16 + 0x54);
    g_assert_cmpuint(cxl_get_le32(&rs), ==,
                     cxl_dc_tag_generation(fake.dc));
    g_assert_cmpuint(cxl_get_le32(&rs), ==, 1);
    g_assert_cmpuint(cxl_get_le32(&rs), ==, 1);
    g_assert_cmphex(cxl_get_le32(&rs), ==, 3);
    cxl_get_uuid(&rs, &got);
    g_assert_cmpmem(&got, 16, &tag_a, 16);
    g_assert_cmphex(cxl_get_le32(&rs), ==, 1);
    for (i = 0; i < 64; i++) {      /* accepted by none, pending at host 0 */
        g_assert_cmphex(cxl_get_u8(&rs), ==, i == 32);
    }

    assert_rc(tags(0, 0), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 16);
    assert_rc(tags(1, 1), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 16);
    assert_rc(tags(2, 1), CXL_RC_INVALID_INPUT);
    cxl_put_uuid(&rq, &tag_a);
    assert_rc(send_request(&fake.fm, 0x5607), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 0);
}

static void test_fm_reads_its_own_log(CXLType3Dev *unused, gconstpointer data)
{
    add_blocks(0, 1);
    /* the host's log holds the offer (forgotten here), the FM's the answer */
    cxl_put_u8(&rq, CXL_EVENT_LOG_DYNCAP);
    assert_rc(send_request(&fake.mailbox, 0x0100), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 0x20);
    cxl_put_u8(&rq, CXL_EVENT_LOG_DYNCAP);
    assert_rc(send_request(&fake.fm, 0x0100), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 0x20 + 0x80);
    g_assert_cmphex(rs.data[0x20 + 0x30], ==, CXL_DC_EV_ADD_RESPONSE);
}

#define ADD(path, fn) \
    g_test_add("/cxl/cmds/dc/" path, CXLType3Dev, NULL, setup, fn, \
               fake_teardown)

int main(int argc, char **argv)
{
    fake_type3_test_init(&argc, &argv);
    ADD("presence", test_sets_follow_the_kind);
    ADD("effects", test_effects);
    ADD("wrong-lengths", test_wrong_lengths);
    ADD("4800", test_get_config);
    ADD("4801", test_extent_list_pages);
    ADD("4802-4803", test_host_answers);
    ADD("4802-4803/length", test_list_length_must_match);
    ADD("5600", test_dcd_info);
    ADD("5601", test_host_regions);
    ADD("5602", test_set_region);
    ADD("5603", test_fm_extent_list);
    ADD("5604-5605/length", test_request_lengths);
    ADD("5604-5605/policy", test_policy_is_four_bits);
    ADD("5605/flags", test_release_flags);
    ADD("5604/log-room", test_log_back_pressure);
    ADD("5606-5608", test_tags_and_references);
    ADD("fm-log", test_fm_reads_its_own_log);
    return g_test_run();
}
