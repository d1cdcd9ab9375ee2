/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command sets 00h, 01h, 03h, 40h and 41h: each field and each return code
 *
 * Identify (0001h) needs a PCI device and is left to the tests of devices.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/timer.h"
#include "fake-clock.h"
#include "fake-memdev.h"
#include "state-bytes.h"
#include "hw/cxl/cci/cmd-sets.h"
#include "hw/cxl/memdev/partition.h"
#include "hw/cxl/memdev/qos.h"
#include "hw/cxl/memdev/security.h"

enum {
    OP_BG_PLAIN = 0xc000,
    OP_BG_ABORTABLE = 0xc001,
};
#define BG_MS 1000

static CXLRetCode start(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    return cxl_cci_bg_start(cci, BG_MS);
}

/* Nothing in the sets under test runs in the background yet */
static const CXLCmd bg_rows[] = {
    { .opcode = OP_BG_PLAIN, .effects = CXL_EFF_BACKGROUND,
      .where = CXL_CCI_ALL, .flags = CXL_CMD_BG, .len = CXL_LEN(0),
      .name = "background", .handler = start },
    { .opcode = OP_BG_ABORTABLE, .where = CXL_CCI_ALL, .flags = CXL_CMD_BG,
      .effects = CXL_EFF_BACKGROUND | CXL_EFF_ABORTABLE, .len = CXL_LEN(0),
      .name = "abortable background", .handler = start },
};
static const CXLCmdSet bg_set = CXL_CMD_SET("background", bg_rows);

const CXLCmdSet *const cxl_cmd_sets[] = {
    &cxl_cmds_infostat,
    &cxl_cmds_events,
    &cxl_cmds_timestamp,
    &cxl_cmds_logs,
    &cxl_cmds_identify,
    &cxl_cmds_capacity,
    &bg_set,
    NULL,
};

static void setup(FakeMemDev *unused, gconstpointer data)
{
    fake.volatile_size = 2 * CXL_DC_GRANULE;
    fake.persistent_size = 3 * CXL_DC_GRANULE;
    fake.lsa_size = sizeof(fake.lsa);
    fake_memdev_open();
}

static void test_wrong_lengths(FakeMemDev *unused, gconstpointer data)
{
    static const struct {
        uint16_t op, min, max;
    } rules[] = {
        { 0x0002, 0, 0 }, { 0x0003, 0, 0 }, { 0x0004, 1, 1 }, { 0x0005, 0, 0 },
        { 0x0100, 1, 1 }, { 0x0101, 6, 6 },
        { 0x0300, 0, 0 }, { 0x0301, 8, 8 }, { 0x0400, 0, 0 },
        { 0x0401, 24, 24 }, { 0x0402, 16, 16 }, { 0x0403, 16, 16 },
        { 0x0404, 16, 16 }, { 0x0405, 2, 2 }, { 0x4000, 0, 0 },
    }, mailbox_rules[] = {
        { 0x0102, 0, 0 }, { 0x0103, 4, 5 }, { 0x4100, 0, 0 }, { 0x4102, 8, 8 },
        { 0x4103, 8, 0xffff },
    };
    unsigned i, len;

    for (len = 0; len < 64; len++) {
        for (i = 0; i < ARRAY_SIZE(rules); i++) {
            g_assert((send_bytes(&fake.fm, rules[i].op, len) ==
                      CXL_RC_INVALID_PAYLOAD_LENGTH) ==
                     (len < rules[i].min || len > rules[i].max));
        }
        for (i = 0; i < ARRAY_SIZE(mailbox_rules); i++) {
            g_assert((send_bytes(&fake.mailbox, mailbox_rules[i].op, len) ==
                      CXL_RC_INVALID_PAYLOAD_LENGTH) ==
                     (len < mailbox_rules[i].min ||
                      len > mailbox_rules[i].max));
        }
    }
}

static void test_where_commands_are(FakeMemDev *unused, gconstpointer data)
{
    g_assert_null(cxl_cci_find(&fake.mailbox, 0x0003));
    g_assert_null(cxl_cci_find(&fake.mailbox, 0x0004));
    g_assert_null(cxl_cci_find(&fake.fm, 0x0103));
    g_assert_null(cxl_cci_find(&fake.fm, 0x4100));
    g_assert_null(cxl_cci_find(&fake.ld, 0x0300));
    g_assert_nonnull(cxl_cci_find(&fake.ld, 0x4102));
    /* without logs or a clock there are no commands for them */
    fake.fm.events = NULL;
    fake.fm.clock = NULL;
    cxl_cci_init(&fake.fm, CXL_CCI_FM, NULL, FAKE_FM_PAYLOAD);
    assert_rc(send_bytes(&fake.fm, 0x0100, 1), CXL_RC_UNSUPPORTED);
    assert_rc(send_bytes(&fake.fm, 0x0300, 0), CXL_RC_UNSUPPORTED);
}

/* -- 00h ------------------------------------------------------------------- */

static void check_bg_status(uint8_t byte, uint16_t op, uint16_t rc)
{
    assert_rc(send_request(&fake.fm, 0x0002), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 8);
    g_assert_cmphex(cxl_get_le16(&rs), ==, byte);
    g_assert_cmphex(cxl_get_le16(&rs), ==, op);
    g_assert_cmphex(cxl_get_le16(&rs), ==, rc);
    g_assert_cmphex(cxl_get_le16(&rs), ==, 0);
}

static void test_background_status(FakeMemDev *unused, gconstpointer data)
{
    check_bg_status(0, 0, 0);
    assert_rc(send_request(&fake.fm, OP_BG_PLAIN), CXL_RC_BG_STARTED);
    check_bg_status(1, OP_BG_PLAIN, 0);
    fake_clock_step(BG_MS / 2 * SCALE_MS);
    check_bg_status(1 | 50 << 1, OP_BG_PLAIN, 0);
    assert_rc(send_request(&fake.fm, 0x0005), CXL_RC_NO_BG_ABORT);
    fake_clock_step(BG_MS / 2 * SCALE_MS);
    check_bg_status(100 << 1, OP_BG_PLAIN, 0);

    assert_rc(send_request(&fake.fm, 0x0005), CXL_RC_SUCCESS);
    assert_rc(send_request(&fake.fm, OP_BG_ABORTABLE), CXL_RC_BG_STARTED);
    assert_rc(send_request(&fake.fm, 0x0005), CXL_RC_SUCCESS);
    check_bg_status(100 << 1, OP_BG_ABORTABLE, CXL_RC_ABORTED);
}

static CXLRetCode set_limit(uint8_t shift)
{
    cxl_put_u8(&rq, shift);
    return send_request(&fake.fm, 0x0004);
}

static void test_response_limit(FakeMemDev *unused, gconstpointer data)
{
    unsigned i;

    assert_rc(send_request(&fake.fm, 0x0003), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 1);
    g_assert_cmpuint(cxl_get_u8(&rs), ==, 9);
    assert_rc(set_limit(7), CXL_RC_INVALID_INPUT);
    assert_rc(set_limit(10), CXL_RC_INVALID_INPUT);
    assert_rc(set_limit(255), CXL_RC_INVALID_INPUT);
    assert_rc(set_limit(8), CXL_RC_SUCCESS);
    g_assert_cmpuint(cxl_get_u8(&rs), ==, 8);
    assert_rc(send_request(&fake.fm, 0x0003), CXL_RC_SUCCESS);
    g_assert_cmpuint(cxl_get_u8(&rs), ==, 8);

    /* one record fits in 256 bytes, three in 512 */
    for (i = 0; i < 4; i++) {
        CXLEventRecord r;

        cxl_event_record_init(&r, &cxl_event_uuid_dram, 0);
        cxl_event_append(fake.mem->fm_events, CXL_EVENT_LOG_INFO, &r);
    }
    assert_rc(send_fields(&fake.fm, 0x0100, 0), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 0x20 + 0x80);
    assert_rc(set_limit(9), CXL_RC_SUCCESS);
    assert_rc(send_fields(&fake.fm, 0x0100, 0), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 0x20 + 3 * 0x80);
}

/* -- 01h ------------------------------------------------------------------- */

static void append(unsigned n)
{
    CXLEventRecord r;
    unsigned i;

    for (i = 0; i < n; i++) {
        cxl_event_record_init(&r, &cxl_event_uuid_general_media, 2);
        r.b[CXL_EVENT_OFF_BODY] = i;
        cxl_event_append(fake.mem->events, CXL_EVENT_LOG_FAIL, &r);
    }
}

/* Header of 0100h for the failure log: flags, overflow, count */
static void get_records(uint8_t flags, uint16_t lost, uint16_t count)
{
    cxl_put_u8(&rq, CXL_EVENT_LOG_FAIL);
    assert_rc(send_request(&fake.mailbox, 0x0100), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 0x20 + 0x80 * count);
    g_assert_cmphex(cxl_get_le16(&rs), ==, flags);
    g_assert_cmpuint(cxl_get_le16(&rs), ==, lost);
    cxl_get_skip(&rs, 16);
    g_assert_cmpuint(cxl_get_le16(&rs), ==, count);
    cxl_get_skip(&rs, 10);
}

static void test_get_event_records(FakeMemDev *unused, gconstpointer data)
{
    unsigned log, i;

    get_records(0, 0, 0);
    append(3);
    get_records(0, 0, 3);       /* all of them: no "more" */
    for (i = 0; i < 3; i++) {
        const uint8_t *r = cxl_reader_bytes(&rs, 0x80);

        g_assert_cmphex(lduw_le_p(r + CXL_EVENT_OFF_HANDLE), ==, i + 1);
        g_assert_cmphex(r[CXL_EVENT_OFF_BODY], ==, i);
    }
    get_records(0, 0, 3);       /* reading removes nothing */

    append(FAKE_LOG_DEPTH);
    cxl_put_u8(&rq, CXL_EVENT_LOG_FAIL);
    assert_rc(send_request(&fake.mailbox, 0x0100), CXL_RC_SUCCESS);
    /* 16 are there, 15 fit in 2 KiB, 3 were lost */
    g_assert_cmpuint(rs.size, ==, 0x20 + 15 * 0x80);
    g_assert_cmphex(cxl_get_u8(&rs), ==, 3);
    for (log = CXL_EVENT_LOGS; log < 256; log++) {
        cxl_put_u8(&rq, log);
        assert_rc(send_request(&fake.mailbox, 0x0100), CXL_RC_INVALID_INPUT);
    }
}

static void test_overflow_timestamps(FakeMemDev *unused, gconstpointer data)
{
    cxl_timestamp_set(fake.mem->clock, 5000);
    append(FAKE_LOG_DEPTH);
    fake_clock_step(100);
    append(1);
    fake_clock_step(100);
    append(1);
    cxl_put_u8(&rq, CXL_EVENT_LOG_FAIL);
    assert_rc(send_request(&fake.mailbox, 0x0100), CXL_RC_SUCCESS);
    cxl_get_skip(&rs, 2);
    g_assert_cmpuint(cxl_get_le16(&rs), ==, 2);
    g_assert_cmpuint(cxl_get_le64(&rs), ==, 5100);
    g_assert_cmpuint(cxl_get_le64(&rs), ==, 5200);
}

static CXLRetCode clear(uint8_t log, uint8_t flags, uint8_t n, unsigned present,
                        const uint16_t *handles)
{
    unsigned i;

    cxl_put_u8(&rq, log);
    cxl_put_u8(&rq, flags);
    cxl_put_u8(&rq, n);
    cxl_put_zero(&rq, 3);
    for (i = 0; i < present; i++) {
        cxl_put_le16(&rq, handles[i]);
    }
    return send_request(&fake.mailbox, 0x0101);
}

static void test_clear_event_records(FakeMemDev *unused, gconstpointer data)
{
    static const uint16_t h[] = { 1, 2, 3, 4 };
    static const uint16_t none[] = { 0 };
    static const uint16_t gap[] = { 1, 3 };

    append(3);
    assert_rc(clear(2, 0, 2, 1, h), CXL_RC_INVALID_PAYLOAD_LENGTH);
    assert_rc(clear(2, 0, 1, 2, h), CXL_RC_INVALID_PAYLOAD_LENGTH);
    assert_rc(clear(2, 0, 255, 0, h), CXL_RC_INVALID_PAYLOAD_LENGTH);
    assert_rc(clear(5, 0, 1, 1, h), CXL_RC_INVALID_INPUT);
    assert_rc(clear(2, 0, 1, 1, none), CXL_RC_INVALID_HANDLE);
    assert_rc(clear(2, 0, 2, 2, gap), CXL_RC_INVALID_HANDLE);
    assert_rc(clear(2, 0, 4, 4, h), CXL_RC_INVALID_HANDLE);
    assert_rc(clear(1, 0, 1, 1, h), CXL_RC_INVALID_HANDLE);
    get_records(0, 0, 3);
    assert_rc(clear(2, 0, 2, 2, h), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 0);
    get_records(0, 0, 1);
    /* clear all: with records, with none, after an overflow */
    assert_rc(clear(2, 1, 0, 0, h), CXL_RC_SUCCESS);
    get_records(0, 0, 0);
    assert_rc(clear(2, 1, 0, 0, h), CXL_RC_SUCCESS);
    append(FAKE_LOG_DEPTH + 1);
    assert_rc(clear(2, 1, 7, 1, h), CXL_RC_SUCCESS);
    get_records(0, 0, 0);
    assert_rc(clear(5, 1, 0, 0, h), CXL_RC_INVALID_INPUT);
}

static void check_policy(const uint8_t policy[5])
{
    assert_rc(send_request(&fake.mailbox, 0x0102), CXL_RC_SUCCESS);
    g_assert_cmpmem(rs.data, rs.size, policy, 5);
}

static CXLRetCode set_policy(const uint8_t *policy, size_t n)
{
    cxl_put_bytes(&rq, policy, n);
    return send_request(&fake.mailbox, 0x0103);
}

#define POLICY(...) ((const uint8_t []) { __VA_ARGS__ })

static void test_interrupt_policy(FakeMemDev *unused, gconstpointer data)
{
    static const uint8_t messages[] = { 2, 3, 4, 5, 6 };

    memcpy(fake.mem->events->msgnum, messages, sizeof(messages));
    check_policy(POLICY(0, 0, 0, 0, 0));
    assert_rc(set_policy(POLICY(1, 1, 1, 1, 1), 5), CXL_RC_SUCCESS);
    check_policy(POLICY(0x21, 0x31, 0x41, 0x51, 0x61));
    /* what Linux sends: four, and the fifth stays */
    assert_rc(set_policy(POLICY(1, 0, 2, 1), 4), CXL_RC_SUCCESS);
    check_policy(POLICY(0x21, 0, 2, 0x51, 0x61));
    /* the message number is the device's */
    assert_rc(set_policy(POLICY(0xf1, 0, 0, 0, 0), 5), CXL_RC_SUCCESS);
    check_policy(POLICY(0x21, 0, 0, 0, 0));
    /* reserved modes change nothing at all */
    assert_rc(set_policy(POLICY(1, 1, 1, 3), 4), CXL_RC_INVALID_INPUT);
    assert_rc(set_policy(POLICY(1, 1, 1, 1, 2), 5), CXL_RC_INVALID_INPUT);
    assert_rc(set_policy(POLICY(1, 1, 1, 1, 3), 5), CXL_RC_INVALID_INPUT);
    check_policy(POLICY(0x21, 0, 0, 0, 0));
}

/* -- 03h ------------------------------------------------------------------- */

static uint64_t get_timestamp(CXLCCI *cci)
{
    assert_rc(send_request(cci, 0x0300), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 8);
    return cxl_get_le64(&rs);
}

static void test_timestamp(FakeMemDev *unused, gconstpointer data)
{
    g_assert_cmpuint(get_timestamp(&fake.mailbox), ==, 0);
    cxl_put_le64(&rq, 0x1122334455667788);
    assert_rc(send_request(&fake.mailbox, 0x0301), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 0);
    fake_clock_step(9);
    /* one for the device, whoever asks */
    g_assert_cmphex(get_timestamp(&fake.mailbox), ==, 0x1122334455667791);
    g_assert_cmphex(get_timestamp(&fake.fm), ==, 0x1122334455667791);
}

/* -- 40h and 41h ---------------------------------------------------------- */

static CXLRetCode set_partition(uint64_t units, uint8_t flags)
{
    return send_fields(&fake.mailbox, 0x4101, units, flags);
}

static void partition_is(uint64_t vol, uint64_t pers, uint64_t next_vol,
                         uint64_t next_pers)
{
    assert_rc(send_request(&fake.mailbox, 0x4100), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 0x20);
    g_assert_cmpuint(cxl_get_le64(&rs), ==, vol);
    g_assert_cmpuint(cxl_get_le64(&rs), ==, pers);
    g_assert_cmpuint(cxl_get_le64(&rs), ==, next_vol);
    g_assert_cmpuint(cxl_get_le64(&rs), ==, next_pers);
}

/* 2 units are volatile, 3 may be either */
static void test_partition(FakeMemDev *unused, gconstpointer data)
{
    assert_rc(set_partition(0, 0), CXL_RC_UNSUPPORTED);
    fake_memdev_close();
    fake.partitionable = true;
    setup(unused, data);

    assert_rc(send_request(&fake.mailbox, 0x4000), CXL_RC_SUCCESS);
    cxl_get_skip(&rs, 0x10);
    g_assert_cmpuint(cxl_get_le64(&rs), ==, 5);
    g_assert_cmpuint(cxl_get_le64(&rs), ==, 2);
    g_assert_cmpuint(cxl_get_le64(&rs), ==, 0);
    g_assert_cmpuint(cxl_get_le64(&rs), ==, 1);
    partition_is(2, 3, 0, 0);
    assert_rc(set_partition(4, 0), CXL_RC_INVALID_INPUT);
    assert_rc(set_partition(UINT64_MAX, 1), CXL_RC_INVALID_INPUT);
    assert_rc(set_partition(1, 2), CXL_RC_INVALID_INPUT);
    assert_rc(set_partition(1, 0), CXL_RC_SUCCESS);
    partition_is(2, 3, 3, 2);
    assert_rc(set_partition(3, 0), CXL_RC_SUCCESS);
    partition_is(2, 3, 5, 0);
    /* what is decoded does not change under the host; the plan stays */
    fake.is_decoded = true;
    assert_rc(set_partition(1, 1), CXL_RC_INVALID_INPUT);
    partition_is(2, 3, 5, 0);
    fake.is_decoded = false;
    assert_rc(set_partition(1, 1), CXL_RC_SUCCESS);
    partition_is(3, 2, 0, 0);
    fake.mem->security->pass[CXL_PASSPHRASE_MASTER].set = true;
    assert_rc(set_partition(0, 0), CXL_RC_INVALID_SECURITY_STATE);
    fake.mem->security->pass[CXL_PASSPHRASE_MASTER].set = false;
    cxl_put_zero(&rq, 10);  /* as Linux makes it */
    assert_rc(send_request(&fake.mailbox, 0x4101), CXL_RC_SUCCESS);
    partition_is(3, 2, 2, 3);
    assert_rc(send_bytes(&fake.mailbox, 0x4101, 8),
              CXL_RC_INVALID_PAYLOAD_LENGTH);
    assert_rc(send_bytes(&fake.mailbox, 0x4101, 11),
              CXL_RC_INVALID_PAYLOAD_LENGTH);
    fake.mem->media_status = CXL_MEDIA_DISABLED;
    assert_rc(set_partition(0, 0), CXL_RC_MEDIA_DISABLED);
}

static void test_partition_migration(FakeMemDev *unused, gconstpointer data)
{
    g_autoptr(GByteArray) state = NULL;
    CXLPartition p, q;
    uint64_t dpa, len;

    cxl_partition_init(&p, CXL_DC_GRANULE, 3 * CXL_DC_GRANULE + 1);
    g_assert_true(cxl_partition_plan(&p, 2));
    cxl_partition_apply(&p);
    g_assert_true(cxl_partition_plan(&p, 1));
    state = state_save(&vmstate_cxl_partition, &p);
    cxl_partition_init(&q, CXL_DC_GRANULE, 3 * CXL_DC_GRANULE);
    g_assert_cmpint(state_load(&vmstate_cxl_partition, &q, state->data,
                               state->len), ==, 0);
    g_assert_true(cxl_partition_change(&q, &dpa, &len));
    g_assert_cmphex(dpa, ==, 2 * CXL_DC_GRANULE);
    g_assert_cmphex(len, ==, CXL_DC_GRANULE);
    cxl_partition_drop(&q);
    g_assert_false(cxl_partition_change(&q, &dpa, &len));
    g_assert_cmphex(q.active, ==, 2 * CXL_DC_GRANULE);
    /* another device, and a border where none can be */
    cxl_partition_init(&q, CXL_DC_GRANULE, CXL_DC_GRANULE);
    g_assert_true(state_is_refused(&vmstate_cxl_partition, &q, state->data,
                                   state->len));
    g_clear_pointer(&state, g_byte_array_unref);
    p.next++;
    state = state_save(&vmstate_cxl_partition, &p);
    cxl_partition_init(&q, CXL_DC_GRANULE, 3 * CXL_DC_GRANULE);
    g_assert_true(state_is_refused(&vmstate_cxl_partition, &q, state->data,
                                   state->len));
}

static void test_identify(FakeMemDev *unused, gconstpointer data)
{
    CXLCCI *ccis[] = { &fake.mailbox, &fake.fm, &fake.ld };
    unsigned i, k;

    for (i = 0; i < ARRAY_SIZE(ccis); i++) {
        assert_rc(send_request(ccis[i], 0x4000), CXL_RC_SUCCESS);
        g_assert_cmpuint(rs.size, ==, 0x45);
        g_assert_cmpmem(cxl_reader_bytes(&rs, 16), 16,
                        "BWFW VERSION 00\0", 16);
        g_assert_cmpuint(cxl_get_le64(&rs), ==, 5);
        g_assert_cmpuint(cxl_get_le64(&rs), ==, 2);
        g_assert_cmpuint(cxl_get_le64(&rs), ==, 3);
        g_assert_cmpuint(cxl_get_le64(&rs), ==, 0);
        for (k = 0; k < 4; k++) {
            g_assert_cmpuint(cxl_get_le16(&rs), ==, FAKE_LOG_DEPTH);
        }
        g_assert_cmpuint(cxl_get_le32(&rs), ==, sizeof(fake.lsa));
        /* poison: list size, inject limit, media is scanned */
        g_assert_cmpuint(cxl_get_le24(&rs), ==, FAKE_POISON_LIMIT);
        g_assert_cmpuint(cxl_get_le16(&rs), ==, FAKE_POISON_LIMIT);
        g_assert_cmphex(cxl_get_u8(&rs), ==, 2);
        g_assert_cmphex(cxl_get_u8(&rs), ==, CXL_QOS_ALL);
        g_assert_cmpuint(cxl_get_le16(&rs), ==, 2 * FAKE_LOG_DEPTH);
    }
    /* cannot be said in units of 256 MiB */
    fake.mem->config.persistent_size++;
    assert_rc(send_request(&fake.mailbox, 0x4000), CXL_RC_INTERNAL_ERROR);
    assert_rc(send_request(&fake.mailbox, 0x4100), CXL_RC_INTERNAL_ERROR);
}

static void test_partition_info(FakeMemDev *unused, gconstpointer data)
{
    assert_rc(send_request(&fake.mailbox, 0x4100), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 0x20);
    g_assert_cmpuint(cxl_get_le64(&rs), ==, 2);
    g_assert_cmpuint(cxl_get_le64(&rs), ==, 3);
    g_assert_cmpuint(cxl_get_le64(&rs), ==, 0);
    g_assert_cmpuint(cxl_get_le64(&rs), ==, 0);
}

static CXLRetCode get_lsa(uint32_t offset, uint32_t len)
{
    return send_fields(&fake.mailbox, 0x4102, offset, len);
}

static CXLRetCode set_lsa(uint32_t offset, const char *bytes)
{
    cxl_put_le32(&rq, offset);
    cxl_put_zero(&rq, 4);
    cxl_put_bytes(&rq, bytes, strlen(bytes));
    return send_request(&fake.mailbox, 0x4103);
}

static void test_label_storage(FakeMemDev *unused, gconstpointer data)
{
    const uint32_t size = sizeof(fake.lsa);

    assert_rc(set_lsa(size - 4, "wxyz"), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 0);
    assert_rc(get_lsa(size - 4, 4), CXL_RC_SUCCESS);
    g_assert_cmpmem(rs.data, rs.size, "wxyz", 4);
    assert_rc(get_lsa(0, size), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, size);

    assert_rc(set_lsa(size - 3, "abcd"), CXL_RC_INVALID_INPUT);
    assert_rc(set_lsa(UINT32_MAX, "a"), CXL_RC_INVALID_INPUT);
    assert_rc(get_lsa(size - 3, 4), CXL_RC_INVALID_INPUT);
    assert_rc(get_lsa(4, UINT32_MAX), CXL_RC_INVALID_INPUT);
    assert_rc(get_lsa(UINT32_MAX, 4), CXL_RC_INVALID_INPUT);
    g_assert_cmpmem(fake.lsa + size - 4, 4, "wxyz", 4);

    /* nothing to read or write is no error, wherever it lies inside */
    assert_rc(get_lsa(size, 0), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 0);
    assert_rc(set_lsa(0, ""), CXL_RC_SUCCESS);
    assert_rc(get_lsa(size + 1, 0), CXL_RC_INVALID_INPUT);

    fake.mem->config.lsa_size = 1 << 20;    /* more than a mailbox carries */
    assert_rc(get_lsa(0, 2049), CXL_RC_INVALID_INPUT);
    fake.mem->config.lsa_size = 0;
    assert_rc(get_lsa(0, 0), CXL_RC_INVALID_INPUT);
    assert_rc(set_lsa(0, ""), CXL_RC_INVALID_INPUT);
}

static void test_media_disabled(FakeMemDev *unused, gconstpointer data)
{
    static const struct {
        uint16_t op, len;
    } refused[] = {
        { 0x0100, 1 }, { 0x4100, 0 }, { 0x4102, 8 }, { 0x4103, 8 },
    }, allowed[] = {
        { 0x0102, 0 }, { 0x0300, 0 }, { 0x0400, 0 }, { 0x4000, 0 },
    };
    unsigned i;

    fake.mem->media_status = CXL_MEDIA_DISABLED;
    for (i = 0; i < ARRAY_SIZE(refused); i++) {
        assert_rc(send_bytes(&fake.mailbox, refused[i].op, refused[i].len),
                  CXL_RC_MEDIA_DISABLED);
    }
    for (i = 0; i < ARRAY_SIZE(allowed); i++) {
        assert_rc(send_bytes(&fake.mailbox, allowed[i].op, allowed[i].len),
                  CXL_RC_SUCCESS);
    }
}

#define ADD(path, fn) \
    g_test_add("/cxl/cmds/" path, FakeMemDev, NULL, setup, fn, fake_teardown)

int main(int argc, char **argv)
{
    fake_memdev_test_init(&argc, &argv);
    ADD("wrong-lengths", test_wrong_lengths);
    ADD("presence", test_where_commands_are);
    ADD("0002-0005", test_background_status);
    ADD("0003-0004", test_response_limit);
    ADD("0100", test_get_event_records);
    ADD("0100/overflow", test_overflow_timestamps);
    ADD("0101", test_clear_event_records);
    ADD("0102-0103", test_interrupt_policy);
    ADD("0300-0301", test_timestamp);
    ADD("4000", test_identify);
    ADD("4100", test_partition_info);
    ADD("4102-4103", test_label_storage);
    ADD("media-disabled", test_media_disabled);
    ADD("4101", test_partition);
    ADD("4101/migration", test_partition_migration);
    return g_test_run();
}
