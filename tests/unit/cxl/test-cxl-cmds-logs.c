/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 04h: which logs there are, reading, clearing and populating them,
 * and what the two debug logs hold
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "tests/qtest/cxl/cxl-log-uuids.h"
#include "fake-clock.h"
#include "fake-memdev.h"
#include "state-bytes.h"
#include "hw/cxl/cci/cmd-sets.h"
#include "hw/cxl/memdev/debug-log.h"

enum { CEL, HISTORY, DUMP, LOGS };

static const uint8_t uuid[LOGS][16] = {
    CXL_LOG_UUID_EFFECTS, CXL_LOG_UUID_VENDOR, CXL_LOG_UUID_DUMP,
};

const CXLCmdSet *const cxl_cmd_sets[] = {
    &cxl_cmds_timestamp,
    &cxl_cmds_logs,
    NULL,
};

static void setup(FakeMemDev *unused, gconstpointer data)
{
    fake_memdev_open();
}

static CXLRetCode get_log(CXLCCI *cci, const uint8_t *id, uint32_t offset,
                          uint32_t len)
{
    cxl_put_bytes(&rq, id, 16);
    cxl_put_le32(&rq, offset);
    cxl_put_le32(&rq, len);
    return send_request(cci, 0x0401);
}

static CXLRetCode with_uuid(uint16_t op, const uint8_t *id)
{
    cxl_put_bytes(&rq, id, 16);
    return send_request(&fake.mailbox, op);
}

static void entry_is(unsigned log, uint32_t size)
{
    g_assert_cmpmem(cxl_reader_bytes(&rs, 16), 16, uuid[log], 16);
    g_assert_cmphex(cxl_get_le32(&rs), ==, size);
}

static void test_list(FakeMemDev *unused, gconstpointer data)
{
    assert_rc(send_request(&fake.fm, 0x0400), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 8 + LOGS * 0x14);
    g_assert_cmpuint(cxl_get_le64(&rs), ==, LOGS);
    entry_is(CEL, cxl_cci_cel_size(&fake.fm));
    entry_is(HISTORY, CXL_HISTORY_SIZE);
    entry_is(DUMP, CXL_DUMP_SIZE);
    /* one host among several sees nothing of the others */
    assert_rc(send_request(&fake.ld, 0x0400), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 8 + 0x14);
    g_assert_cmpuint(cxl_get_le64(&rs), ==, 1);
    entry_is(CEL, cxl_cci_cel_size(&fake.ld));
    assert_rc(get_log(&fake.ld, uuid[HISTORY], 0, 4), CXL_RC_INVALID_LOG);
    assert_rc(get_log(&fake.ld, uuid[DUMP], 0, 4), CXL_RC_INVALID_LOG);
}

static CXLRetCode sub_list(uint8_t max, uint8_t start)
{
    cxl_put_u8(&rq, max);
    cxl_put_u8(&rq, start);
    return send_request(&fake.fm, 0x0405);
}

static void test_sub_list(FakeMemDev *unused, gconstpointer data)
{
    assert_rc(sub_list(255, 1), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 8 + 2 * 0x14);
    g_assert_cmphex(cxl_get_le64(&rs), ==, 2 | LOGS << 16 | 1ull << 32);
    entry_is(HISTORY, CXL_HISTORY_SIZE);
    entry_is(DUMP, CXL_DUMP_SIZE);
    assert_rc(sub_list(1, 0), CXL_RC_SUCCESS);
    g_assert_cmphex(cxl_get_le64(&rs), ==, 1 | LOGS << 16);
    entry_is(CEL, cxl_cci_cel_size(&fake.fm));
    assert_rc(sub_list(0, 0), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 8);
    assert_rc(sub_list(1, LOGS), CXL_RC_INVALID_INPUT);
    assert_rc(sub_list(1, 255), CXL_RC_INVALID_INPUT);
}

static void test_get(FakeMemDev *unused, gconstpointer data)
{
    static const uint8_t other[16] = { 1 };
    uint32_t size = cxl_cci_cel_size(&fake.fm), at;

    assert_rc(get_log(&fake.fm, uuid[CEL], 0, size), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, size);
    for (at = 0; at < size; at += 4) {
        uint16_t op = cxl_get_le16(&rs);

        g_assert_cmphex(cxl_get_le16(&rs), ==,
                        cxl_cci_find(&fake.fm, op)->effects);
    }
    assert_rc(get_log(&fake.fm, uuid[CEL], 4, 3), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 3);
    assert_rc(get_log(&fake.fm, other, 0, 4), CXL_RC_INVALID_LOG);
    assert_rc(get_log(&fake.fm, uuid[CEL], 0, FAKE_FM_PAYLOAD + 1),
              CXL_RC_INVALID_INPUT);
}

static void test_media_disabled(FakeMemDev *unused, gconstpointer data)
{
    fake.mem->media_status = CXL_MEDIA_DISABLED;
    assert_rc(get_log(&fake.mailbox, uuid[CEL], 0, 4), CXL_RC_SUCCESS);
    assert_rc(get_log(&fake.mailbox, uuid[HISTORY], 0, 4),
              CXL_RC_MEDIA_DISABLED);
    assert_rc(get_log(&fake.mailbox, uuid[DUMP], 0, 4), CXL_RC_MEDIA_DISABLED);
}

static void test_bounds(FakeMemDev *unused, gconstpointer data)
{
    const uint32_t sizes[LOGS] = {
        cxl_cci_cel_size(&fake.mailbox), CXL_HISTORY_SIZE, CXL_DUMP_SIZE,
    };
    unsigned log;

    for (log = 0; log < LOGS; log++) {
        const uint8_t *id = uuid[log];
        uint32_t size = sizes[log];

        assert_rc(get_log(&fake.mailbox, id, size, 0), CXL_RC_SUCCESS);
        g_assert_cmpuint(rs.size, ==, 0);
        assert_rc(get_log(&fake.mailbox, id, size - 1, 1), CXL_RC_SUCCESS);
        g_assert_cmpuint(rs.size, ==, 1);
        assert_rc(get_log(&fake.mailbox, id, size - 1, 2),
                  CXL_RC_INVALID_INPUT);
        assert_rc(get_log(&fake.mailbox, id, size + 1, 0),
                  CXL_RC_INVALID_INPUT);
        assert_rc(get_log(&fake.mailbox, id, 4, UINT32_MAX),
                  CXL_RC_INVALID_INPUT);
        assert_rc(get_log(&fake.mailbox, id, UINT32_MAX, 4),
                  CXL_RC_INVALID_INPUT);
    }
}

static void test_operations(FakeMemDev *unused, gconstpointer data)
{
    static const uint32_t caps[LOGS] = { 0, 0x9, 0xb };
    static const uint8_t none[16];
    unsigned log;
    uint16_t op;

    for (log = 0; log < LOGS; log++) {
        assert_rc(with_uuid(0x0402, uuid[log]), CXL_RC_SUCCESS);
        g_assert_cmpuint(rs.size, ==, 4);
        g_assert_cmphex(cxl_get_le32(&rs), ==, caps[log]);
        assert_rc(with_uuid(0x0403, uuid[log]),
                  caps[log] & 1 ? CXL_RC_SUCCESS : CXL_RC_INVALID_INPUT);
        assert_rc(with_uuid(0x0404, uuid[log]),
                  caps[log] & 2 ? CXL_RC_SUCCESS : CXL_RC_INVALID_INPUT);
    }
    for (op = 0x0402; op <= 0x0404; op++) {
        assert_rc(with_uuid(op, none), CXL_RC_INVALID_LOG);
    }
}

/* Head of the vendor debug log; @rs then stands at its first record */
static void get_history(uint32_t kept, uint64_t total)
{
    assert_rc(get_log(&fake.mailbox, uuid[HISTORY], 0, CXL_HISTORY_SIZE),
              CXL_RC_SUCCESS);
    g_assert_cmphex(cxl_get_le16(&rs), ==, 1);
    g_assert_cmpuint(cxl_get_le16(&rs), ==, 24);
    g_assert_cmpuint(cxl_get_le32(&rs), ==, kept);
    g_assert_cmpuint(cxl_get_le64(&rs), ==, total);
}

static void record_is(CXLCCIKind kind, uint16_t op, uint16_t rc, uint32_t in,
                      uint32_t out)
{
    g_assert_cmphex(cxl_get_le16(&rs), ==, op);
    g_assert_cmphex(cxl_get_le16(&rs), ==, rc);
    g_assert_cmpuint(cxl_get_le32(&rs), ==, in);
    g_assert_cmpuint(cxl_get_le32(&rs), ==, out);
    g_assert_cmphex(cxl_get_u8(&rs), ==, kind);
    cxl_get_skip(&rs, 3);
}

static void test_history(FakeMemDev *unused, gconstpointer data)
{
    unsigned i;

    get_history(0, 0);
    g_assert_cmphex(cxl_get_le64(&rs), ==, 0);
    assert_rc(send_fields(&fake.mailbox, 0x0301, 1000), CXL_RC_SUCCESS);
    fake_clock_step(50);
    assert_rc(send_bytes(&fake.fm, 0x0301, 7), CXL_RC_INVALID_PAYLOAD_LENGTH);
    assert_rc(send_bytes(&fake.mailbox, 0x9999, 3), CXL_RC_UNSUPPORTED);
    assert_rc(send_bytes(&fake.mailbox, 0x0300, 0), CXL_RC_SUCCESS);
    get_history(4, 4);
    g_assert_cmpuint(cxl_get_le64(&rs), ==, 1000);
    record_is(CXL_CCI_MAILBOX, 0x0301, 0, 8, 0);
    g_assert_cmpuint(cxl_get_le64(&rs), ==, 1050);
    record_is(CXL_CCI_FM, 0x0301, 0x16, 7, 0);
    cxl_get_skip(&rs, 8);
    record_is(CXL_CCI_MAILBOX, 0x9999, 3, 3, 0);
    cxl_get_skip(&rs, 8);
    record_is(CXL_CCI_MAILBOX, 0x0300, 0, 0, 8);
    g_assert_cmphex(cxl_get_le64(&rs), ==, 0);

    assert_rc(with_uuid(0x0403, uuid[HISTORY]), CXL_RC_SUCCESS);
    /* the last that a full log keeps, oldest first */
    for (i = 0; i < CXL_HISTORY_RECORDS + 5; i++) {
        assert_rc(send_bytes(&fake.mailbox, 0x9900 + i, 0),
                  CXL_RC_UNSUPPORTED);
    }
    get_history(CXL_HISTORY_RECORDS, CXL_HISTORY_RECORDS + 6);
    for (i = 5; i < CXL_HISTORY_RECORDS + 5; i++) {
        cxl_get_skip(&rs, 8);
        record_is(CXL_CCI_MAILBOX, 0x9900 + i, 3, 0, 0);
    }
    g_assert_cmpuint(cxl_reader_left(&rs), ==, 0);
}

static void dump_is(uint32_t len, uint64_t when)
{
    assert_rc(get_log(&fake.mailbox, uuid[DUMP], 0, 0x40), CXL_RC_SUCCESS);
    g_assert_cmpuint(cxl_get_le32(&rs), ==, len);
    g_assert_cmpuint(cxl_get_le32(&rs), ==, 0);
    g_assert_cmpuint(cxl_get_le64(&rs), ==, when);
}

static void test_dump(FakeMemDev *unused, gconstpointer data)
{
    dump_is(0, 0);
    g_assert_cmphex(cxl_get_le64(&rs), ==, 0);
    assert_rc(send_fields(&fake.mailbox, 0x0301, 2000), CXL_RC_SUCCESS);
    assert_rc(with_uuid(0x0404, uuid[DUMP]), CXL_RC_SUCCESS);
    fake_clock_step(1);
    /* it shows what was, until it is populated again */
    dump_is(9, 2000);
    g_assert_cmphex(cxl_get_u8(&rs), ==, 0x26);
    cxl_get_skip(&rs, 0x1f);
    g_assert_cmphex(cxl_get_le32(&rs), ==, CXL_DUMP_STATUS | 1 << 16);
    g_assert_cmphex(cxl_get_le32(&rs), ==, 1);
    g_assert_cmphex(cxl_get_le64(&rs), ==, 0x5a);
    assert_rc(with_uuid(0x0403, uuid[DUMP]), CXL_RC_SUCCESS);
    dump_is(0, 0);
}

static void test_migration(FakeMemDev *unused, gconstpointer data)
{
    g_autoptr(GByteArray) history = NULL;
    g_autoptr(GByteArray) dump = NULL;

    assert_rc(with_uuid(0x0404, uuid[DUMP]), CXL_RC_SUCCESS);
    history = state_save(&vmstate_cxl_history, fake.mem->history);
    dump = state_save(&vmstate_cxl_dump, fake.mem->dump);
    cxl_history_clear(fake.mem->history);
    cxl_dump_clear(fake.mem->dump);
    g_assert_cmpint(state_load(&vmstate_cxl_history, fake.mem->history,
                               history->data, history->len), ==, 0);
    g_assert_cmpint(state_load(&vmstate_cxl_dump, fake.mem->dump, dump->data,
                               dump->len), ==, 0);
    get_history(1, 1);
    cxl_get_skip(&rs, 8);
    record_is(CXL_CCI_MAILBOX, 0x0404, 0, 16, 0);
    dump_is(9, 0);
}

#define ADD(path, fn) \
    g_test_add("/cxl/cmds/logs/" path, FakeMemDev, NULL, setup, fn, \
               fake_teardown)

int main(int argc, char **argv)
{
    fake_memdev_test_init(&argc, &argv);
    ADD("0400", test_list);
    ADD("0401", test_get);
    ADD("0401/bounds", test_bounds);
    ADD("0401/media-disabled", test_media_disabled);
    ADD("0402-0404", test_operations);
    ADD("0405", test_sub_list);
    ADD("vendor-debug", test_history);
    ADD("state-dump", test_dump);
    ADD("migration", test_migration);
    return g_test_run();
}
