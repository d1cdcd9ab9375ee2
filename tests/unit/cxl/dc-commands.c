/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests and responses of command sets 48h and 56h, for their tests
 */
#include "qemu/osdep.h"
#include "dc-commands.h"
#include "hw/cxl/cci/cmd-sets.h"

const CXLCmdSet *const cxl_cmd_sets[] = {
    &cxl_cmds_events,
    &cxl_cmds_dcd,
    &cxl_cmds_fm_dcd,
    NULL,
};

const QemuUUID tag_a = { .data = "tag number one.." };
const QemuUUID no_tag;

void dc_setup(FakeMemDev *unused, gconstpointer data)
{
    fake.has_dc = true;
    fake.fm_on_mailbox = true;
    fake_memdev_open();
}

void put_add(uint8_t policy, uint8_t region, uint64_t len,
             const QemuUUID *tag)
{
    cxl_put_le16(&rq, 0);
    cxl_put_u8(&rq, policy);
    cxl_put_u8(&rq, region);
    cxl_put_le64(&rq, len);
    cxl_put_uuid(&rq, tag);
}

void put_list(uint32_t n)
{
    cxl_put_le32(&rq, n);
}

void put_extent(uint64_t dpa, uint64_t len, const QemuUUID *tag, uint16_t seq)
{
    cxl_put_le64(&rq, dpa);
    cxl_put_le64(&rq, len);
    cxl_put_uuid(&rq, tag);
    cxl_put_le16(&rq, seq);
    cxl_put_zero(&rq, 6);
}

void put_answer(uint32_t n, bool more)
{
    cxl_put_le32(&rq, n);
    cxl_put_u8(&rq, more);
    cxl_put_zero(&rq, 3);
}

void put_range(uint64_t dpa, uint64_t len)
{
    cxl_put_le64(&rq, dpa);
    cxl_put_le64(&rq, len);
    cxl_put_zero(&rq, 8);
}

QemuUUID nth_tag(unsigned n)
{
    QemuUUID tag = tag_a;

    tag.data[0] += n;
    return tag;
}

void add_blocks(unsigned first, unsigned n)
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
        cxl_event_forget(fake.mem->events, CXL_EVENT_LOG_DYNCAP);
    }
}

void check_usage(uint32_t extents_available)
{
    g_assert_cmpuint(cxl_get_le32(&rs), ==, 1000);
    g_assert_cmpuint(cxl_get_le32(&rs), ==, extents_available);
    g_assert_cmpuint(cxl_get_le32(&rs), ==, 100);
    g_assert_cmpuint(cxl_get_le32(&rs), <=, 100);
    g_assert_cmpuint(cxl_reader_left(&rs), ==, 0);
}

void check_extent(uint64_t dpa, uint64_t len, const QemuUUID *tag)
{
    QemuUUID got;

    g_assert_cmphex(cxl_get_le64(&rs), ==, dpa);
    g_assert_cmphex(cxl_get_le64(&rs), ==, len);
    cxl_get_uuid(&rs, &got);
    g_assert_cmpmem(&got, 16, tag, 16);
    g_assert_cmphex(cxl_get_le64(&rs), ==, 0);
}
