/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 56h: layout of requests and responses, lengths that depend on
 * the policy, and the two event logs
 */
#include "qemu/osdep.h"
#include "dc-commands.h"

static void test_dcd_info(FakeMemDev *unused, gconstpointer data)
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
    return send_fields(&fake.fm, 0x5601, host, count, start);
}

static void test_host_regions(FakeMemDev *unused, gconstpointer data)
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
    return send_fields(&fake.fm, 0x5602, region, block, sanitize);
}

static void test_set_region(FakeMemDev *unused, gconstpointer data)
{
    const CXLEventRecord *r;

    assert_rc(set_region(1, 4 * MiB, true), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 0);
    g_assert_cmphex(cxl_dc_region(fake.dc, 1)->block_size, ==, 4 * MiB);
    g_assert_true(cxl_dc_region(fake.dc, 1)->sanitize);
    r = cxl_event_at(fake.mem->events, CXL_EVENT_LOG_DYNCAP, 0);
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
    return send_fields(&fake.fm, 0x5603, host, max, start);
}

static void test_fm_extent_list(FakeMemDev *unused, gconstpointer data)
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
static void test_request_lengths(FakeMemDev *unused, gconstpointer data)
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

static void test_policy_is_four_bits(FakeMemDev *unused, gconstpointer data)
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

static void test_release_flags(FakeMemDev *unused, gconstpointer data)
{
    add_blocks(0, 2);
    /* a plain request leaves the list alone, a forced one does not */
    put_add(1, 0, 0, &no_tag);
    put_list(1);
    put_extent(BLOCK(0, 0), FAKE_BLOCK, &no_tag, 0);
    assert_rc(send_request(&fake.fm, 0x5605), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 0);
    g_assert_cmpuint(cxl_dc_extent_count(fake.dc, 0), ==, 2);
    g_assert_cmphex(cxl_event_at(fake.mem->events, CXL_EVENT_LOG_DYNCAP,
                                 0)->b[0x30], ==, CXL_DC_EV_RELEASE);
    put_add(0x11, 0, 0, &no_tag);
    put_list(1);
    put_extent(BLOCK(0, 2), FAKE_BLOCK, &no_tag, 0);
    assert_rc(send_request(&fake.fm, 0x5605), CXL_RC_SUCCESS);
    g_assert_cmpuint(cxl_dc_extent_count(fake.dc, 0), ==, 1);
    g_assert_cmphex(cxl_event_at(fake.mem->events, CXL_EVENT_LOG_DYNCAP,
                                 1)->b[0x30], ==, CXL_DC_EV_FORCED_RELEASE);
}

static void test_log_back_pressure(FakeMemDev *unused, gconstpointer data)
{
    unsigned room = cxl_event_room(fake.mem->events, CXL_EVENT_LOG_DYNCAP), i;

    for (i = 0; i < 2; i++) {
        unsigned n = room + 1 - i, k;

        put_add(2, 0, 0, &no_tag);
        put_list(n);
        for (k = 0; k < n; k++) {
            put_extent(BLOCK(0, 2 * k), FAKE_BLOCK, &no_tag, 0);
        }
        assert_rc(send_request(&fake.mailbox, 0x5604),
                  i ? CXL_RC_SUCCESS : CXL_RC_RETRY_REQUIRED);
        g_assert_cmpuint(cxl_event_count(fake.mem->events,
                                         CXL_EVENT_LOG_DYNCAP), ==,
                         i ? room : 0);
    }
}

static CXLRetCode tags(uint32_t start, uint32_t max)
{
    return send_fields(&fake.fm, 0x5608, start, max);
}

static void test_tags_and_references(FakeMemDev *unused, gconstpointer data)
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

static void test_fm_reads_its_own_log(FakeMemDev *unused, gconstpointer data)
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
    g_test_add("/cxl/cmds/dc/" path, FakeMemDev, NULL, dc_setup, fn, \
               fake_teardown)

int main(int argc, char **argv)
{
    fake_memdev_test_init(&argc, &argv);
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
