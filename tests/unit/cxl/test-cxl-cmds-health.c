/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 42h: readings, alerts and their records, shutdown, migration
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "fake-memdev.h"
#include "state-bytes.h"
#include "hw/cxl/cci/cmd-sets.h"
#include "hw/cxl/memdev/health.h"

const CXLCmdSet *const cxl_cmd_sets[] = {
    &cxl_cmds_health,
    NULL,
};

static void setup(FakeMemDev *unused, gconstpointer data)
{
    fake_memdev_open();
}

static CXLRetCode set_alerts(uint8_t which, uint8_t on, uint8_t life,
                             int16_t over, int16_t under, uint16_t vol,
                             uint16_t pers)
{
    return send_fields(&fake.mailbox, 0x4202, which, on, life, over, under, vol,
                       pers);
}

/* The oldest record of @log is of @kind and shows @status; it is taken away */
static void take_record(CXLEventLogId log, uint8_t kind, uint8_t status)
{
    const CXLEventRecord *r = cxl_event_at(fake.mem->events, log, 0);
    uint16_t handle;

    g_assert_nonnull(r);
    g_assert_cmphex(r->b[CXL_EVENT_OFF_FLAGS] & 3, ==, log);
    g_assert_cmphex(r->b[0x30], ==, kind);
    g_assert_cmphex(r->b[0x33], ==, status);
    g_assert_cmphex(r->b[0x34], ==, fake.mem->health->now.life_used);
    g_assert_cmphex(lduw_le_p(r->b + 0x35), ==,
                    (uint16_t)fake.mem->health->now.temperature);
    handle = lduw_le_p(r->b + CXL_EVENT_OFF_HANDLE);
    assert_rc(cxl_event_clear(fake.mem->events, log, &handle, 1),
              CXL_RC_SUCCESS);
}

static void no_records(void)
{
    g_assert_cmphex(cxl_event_status(fake.mem->events), ==, 0);
}

static void test_lengths(FakeMemDev *unused, gconstpointer data)
{
    static const uint8_t right[] = { 0, 0, 12, 0, 1 };
    unsigned i, len;

    for (i = 0; i < ARRAY_SIZE(right); i++) {
        for (len = 0; len < 32; len++) {
            g_assert_cmphex(send_bytes(&fake.mailbox, 0x4200 + i, len), ==,
                            len == right[i] ? CXL_RC_SUCCESS :
                                              CXL_RC_INVALID_PAYLOAD_LENGTH);
        }
    }
    assert_rc(send_bytes(&fake.fm, 0x4203, 0), CXL_RC_UNSUPPORTED);
    assert_rc(send_bytes(&fake.ld, 0x4201, 0), CXL_RC_UNSUPPORTED);
    assert_rc(send_bytes(&fake.ld, 0x4200, 0), CXL_RC_SUCCESS);
}

static void test_info(FakeMemDev *unused, gconstpointer data)
{
    CXLHealthReadings now = {
        .life_used = 96, .temperature = -11,
        .volatile_errors = 0x11223344, .persistent_errors = 0x55667788,
    };

    cxl_health_set(fake.mem->health, &now);
    fake.mem->media_status = CXL_MEDIA_DISABLED;
    assert_rc(send_request(&fake.fm, 0x4200), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 0x12);
    g_assert_cmphex(cxl_get_u8(&rs), ==, 4);
    g_assert_cmphex(cxl_get_u8(&rs), ==, 1);
    g_assert_cmphex(cxl_get_u8(&rs), ==, 2 | 2 << 2);
    g_assert_cmphex(cxl_get_u8(&rs), ==, 96);
    g_assert_cmphex(cxl_get_le16(&rs), ==, (uint16_t)-11);
    g_assert_cmphex(cxl_get_le32(&rs), ==, 0);
    g_assert_cmphex(cxl_get_le32(&rs), ==, 0x11223344);
    g_assert_cmphex(cxl_get_le32(&rs), ==, 0x55667788);
}

static void test_configuration(FakeMemDev *unused, gconstpointer data)
{
    assert_rc(set_alerts(0x1f, 0x15, 50, 60, -5, 7, 8), CXL_RC_SUCCESS);
    assert_rc(send_request(&fake.fm, 0x4201), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 0x10);
    g_assert_cmphex(cxl_get_u8(&rs), ==, 0x15);
    g_assert_cmphex(cxl_get_u8(&rs), ==, 0x1f);
    g_assert_cmpuint(cxl_get_u8(&rs), ==, 95);
    g_assert_cmpuint(cxl_get_u8(&rs), ==, 50);
    g_assert_cmpint((int16_t)cxl_get_le16(&rs), ==, 85);
    g_assert_cmpint((int16_t)cxl_get_le16(&rs), ==, -10);
    g_assert_cmpint((int16_t)cxl_get_le16(&rs), ==, 70);
    g_assert_cmpint((int16_t)cxl_get_le16(&rs), ==, -5);
    g_assert_cmpuint(cxl_get_le16(&rs), ==, 100);
    g_assert_cmpuint(cxl_get_le16(&rs), ==, 8);
    /* bits that are not valid change nothing */
    assert_rc(set_alerts(0x01, 0x1e, 0, 0, 0, 0, 0), CXL_RC_SUCCESS);
    g_assert_cmphex(fake.mem->health->armed, ==, 0x14);
    g_assert_cmpint(fake.mem->health->warn.life_used, ==, 50);
}

static void test_thresholds(FakeMemDev *unused, gconstpointer data)
{
    assert_rc(set_alerts(0x20, 0, 0, 0, 0, 0, 0), CXL_RC_INVALID_INPUT);
    assert_rc(set_alerts(1, 1, 95, 0, 0, 0, 0), CXL_RC_INVALID_INPUT);
    assert_rc(set_alerts(1, 1, 94, 0, 0, 0, 0), CXL_RC_SUCCESS);
    assert_rc(set_alerts(2, 2, 0, 85, 0, 0, 0), CXL_RC_INVALID_INPUT);
    assert_rc(set_alerts(2, 2, 0, 84, 0, 0, 0), CXL_RC_SUCCESS);
    assert_rc(set_alerts(4, 4, 0, 0, -10, 0, 0), CXL_RC_INVALID_INPUT);
    assert_rc(set_alerts(4, 4, 0, 0, -9, 0, 0), CXL_RC_SUCCESS);
    /* one bad threshold: none of them is taken */
    assert_rc(set_alerts(0x1f, 0x1f, 95, 1, 1, 1, 1), CXL_RC_INVALID_INPUT);
    g_assert_cmphex(fake.mem->health->armed, ==, 7);
    g_assert_cmpint(fake.mem->health->warn.over, ==, 84);
}

static void test_records(FakeMemDev *unused, gconstpointer data)
{
    CXLHealthReadings now = fake.mem->health->now;

    now.life_used = 80;
    cxl_health_set(fake.mem->health, &now);
    no_records();   /* not armed */
    assert_rc(set_alerts(0x1f, 0x1f, 80, 60, 0, 10, 20), CXL_RC_SUCCESS);
    take_record(CXL_EVENT_LOG_WARN, 2, 1);
    now.temperature = 59;
    cxl_health_set(fake.mem->health, &now);
    no_records();
    now.temperature = 60;
    cxl_health_set(fake.mem->health, &now);
    take_record(CXL_EVENT_LOG_WARN, 3, 1 | 1 << 2);
    now.temperature = 61;
    cxl_health_set(fake.mem->health, &now);
    no_records();   /* passed before */
    now.temperature = 85;
    cxl_health_set(fake.mem->health, &now);
    take_record(CXL_EVENT_LOG_FAIL, 3, 1 | 2 << 2);
    now.temperature = 0;
    cxl_health_set(fake.mem->health, &now);
    take_record(CXL_EVENT_LOG_WARN, 3, 1 | 1 << 2);
    now.temperature = 20;
    now.volatile_errors = 10;
    cxl_health_set(fake.mem->health, &now);
    take_record(CXL_EVENT_LOG_WARN, 0, 1 | 0x10);
    now.persistent_errors = 20;
    cxl_health_set(fake.mem->health, &now);
    take_record(CXL_EVENT_LOG_WARN, 0, 1 | 0x30);
    no_records();
}

static void set_shutdown(uint8_t state, CXLRetCode rc)
{
    assert_rc(send_fields(&fake.mailbox, 0x4204, state), rc);
}

static void check_shutdown(uint8_t state, uint32_t count)
{
    assert_rc(send_request(&fake.mailbox, 0x4203), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 1);
    g_assert_cmphex(cxl_get_u8(&rs), ==, state);
    assert_rc(send_request(&fake.mailbox, 0x4200), CXL_RC_SUCCESS);
    cxl_get_skip(&rs, 6);
    g_assert_cmphex(cxl_get_le32(&rs), ==, count);
}

static void test_shutdown(FakeMemDev *unused, gconstpointer data)
{
    check_shutdown(0, 0);
    set_shutdown(2, CXL_RC_INVALID_INPUT);
    set_shutdown(0x81, CXL_RC_INVALID_INPUT);
    check_shutdown(0, 0);
    cxl_health_reset(fake.mem->health);
    check_shutdown(0, 0);
    set_shutdown(1, CXL_RC_SUCCESS);
    check_shutdown(1, 0);
    cxl_health_reset(fake.mem->health);
    check_shutdown(0, 1);
    set_shutdown(1, CXL_RC_SUCCESS);
    set_shutdown(0, CXL_RC_SUCCESS);
    cxl_health_reset(fake.mem->health);
    check_shutdown(0, 1);
    fake.mem->health->dirty_shutdowns = UINT32_MAX;
    set_shutdown(1, CXL_RC_SUCCESS);
    cxl_health_reset(fake.mem->health);
    check_shutdown(0, UINT32_MAX);
}

static void test_migration(FakeMemDev *unused, gconstpointer data)
{
    g_autoptr(GByteArray) state = NULL;
    CXLHealth other;

    assert_rc(set_alerts(3, 3, 50, -3, 0, 0, 0), CXL_RC_SUCCESS);
    set_shutdown(1, CXL_RC_SUCCESS);
    state = state_save(&vmstate_cxl_health, fake.mem->health);
    cxl_health_init(&other, NULL, NULL);
    g_assert_cmpint(state_load(&vmstate_cxl_health, &other, state->data,
                               state->len), ==, 0);
    g_assert_cmphex(other.armed, ==, 3);
    g_assert_cmpint(other.warn.over, ==, -3);
    g_assert_true(other.dirty);

    other.now.life_used = 101;
    g_clear_pointer(&state, g_byte_array_unref);
    state = state_save(&vmstate_cxl_health, &other);
    g_assert_true(state_is_refused(&vmstate_cxl_health, fake.mem->health,
                                   state->data, state->len));
}

#define ADD(path, fn) \
    g_test_add("/cxl/cmds/health/" path, FakeMemDev, NULL, setup, fn, \
               fake_teardown)

int main(int argc, char **argv)
{
    fake_memdev_test_init(&argc, &argv);
    ADD("wrong-lengths", test_lengths);
    ADD("4200", test_info);
    ADD("4201-4202", test_configuration);
    ADD("4202/thresholds", test_thresholds);
    ADD("4202/records", test_records);
    ADD("4203-4204", test_shutdown);
    ADD("migration", test_migration);
    return g_test_run();
}
