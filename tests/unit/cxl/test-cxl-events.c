/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event logs: order, handles, overflow, clear rules, migration
 */
#include "qemu/osdep.h"
#include "qemu/bitmap.h"
#include "qemu/bswap.h"
#include "qemu/module.h"
#include "qemu/timer.h"
#include "hw/cxl/cxl_events.h"
#include "fake-clock.h"
#include "state-bytes.h"

#define DEPTH       8
#define HOST_TIME   1000000u

typedef struct Fixture {
    CXLTimestamp clock;
    CXLEventLogs logs;
    unsigned notified[CXL_EVENT_LOGS];
} Fixture;

static void notified(void *opaque, CXLEventLogId log)
{
    Fixture *f = opaque;

    f->notified[log]++;
}

static void setup_depth(Fixture *f, uint32_t depth)
{
    const uint32_t depths[] = { depth, depth, depth, depth, depth };

    memset(f, 0, sizeof(*f));
    cxl_timestamp_set(&f->clock, HOST_TIME);
    cxl_events_init(&f->logs, depths, &f->clock, notified, f);
}

static void setup(Fixture *f, gconstpointer data)
{
    setup_depth(f, DEPTH);
}

static void teardown(Fixture *f, gconstpointer data)
{
    cxl_events_destroy(&f->logs);
}

/* A record that can be told from others by @mark */
static bool append(Fixture *f, CXLEventLogId log, uint32_t mark)
{
    CXLEventRecord r;

    cxl_event_record_init(&r, &cxl_event_uuid_general_media, 0x123);
    stl_le_p(r.b + CXL_EVENT_OFF_BODY, mark);
    return cxl_event_append(&f->logs, log, &r);
}

static uint16_t handle_at(Fixture *f, CXLEventLogId log, uint32_t i)
{
    return lduw_le_p(cxl_event_at(&f->logs, log, i)->b + CXL_EVENT_OFF_HANDLE);
}

static uint32_t mark_at(Fixture *f, CXLEventLogId log, uint32_t i)
{
    return ldl_le_p(cxl_event_at(&f->logs, log, i)->b + CXL_EVENT_OFF_BODY);
}

static void clear_oldest(Fixture *f, CXLEventLogId log)
{
    uint16_t handle = handle_at(f, log, 0);

    g_assert_cmphex(cxl_event_clear(&f->logs, log, &handle, 1), ==,
                    CXL_RC_SUCCESS);
}

static void test_record_header(Fixture *f, gconstpointer data)
{
    const CXLEventRecord *r;

    fake_clock_step(77);
    append(f, CXL_EVENT_LOG_WARN, 0xcafe);
    r = cxl_event_at(&f->logs, CXL_EVENT_LOG_WARN, 0);
    g_assert_cmpmem(r->b, 16, cxl_event_uuid_general_media.data, 16);
    g_assert_cmphex(r->b[CXL_EVENT_OFF_LENGTH], ==, 0x80);
    g_assert_cmphex(lduw_le_p(r->b + CXL_EVENT_OFF_FLAGS), ==, 0x123);
    g_assert_cmphex(lduw_le_p(r->b + CXL_EVENT_OFF_HANDLE), ==, 1);
    g_assert_cmpuint(ldq_le_p(r->b + CXL_EVENT_OFF_TIMESTAMP), ==,
                     HOST_TIME + 77);
    g_assert_null(cxl_event_at(&f->logs, CXL_EVENT_LOG_WARN, 1));
    g_assert_null(cxl_event_at(&f->logs, CXL_EVENT_LOG_INFO, 0));
}

static void test_uuid_bytes_travel_in_printed_order(void)
{
    g_assert_cmphex(cxl_event_uuid_dynamic_capacity.data[0], ==, 0xca);
    g_assert_cmphex(cxl_event_uuid_dynamic_capacity.data[5], ==, 0x83);
    g_assert_cmphex(cxl_event_uuid_dynamic_capacity.data[15], ==, 0x2a);
}

static void test_timestamp_counts_from_when_it_is_set(void)
{
    CXLTimestamp t = { 0 };

    g_assert_cmpuint(cxl_timestamp_get(&t), ==, 0);
    fake_clock_step(5);
    g_assert_cmpuint(cxl_timestamp_get(&t), ==, 0);
    cxl_timestamp_set(&t, 42);
    fake_clock_step(1000);
    g_assert_cmpuint(cxl_timestamp_get(&t), ==, 1042);
}

static void test_logs_count_their_own_handles(Fixture *f, gconstpointer data)
{
    append(f, CXL_EVENT_LOG_INFO, 0);
    append(f, CXL_EVENT_LOG_INFO, 1);
    append(f, CXL_EVENT_LOG_FATAL_ERR, 2);
    g_assert_cmpuint(handle_at(f, CXL_EVENT_LOG_INFO, 1), ==, 2);
    g_assert_cmpuint(handle_at(f, CXL_EVENT_LOG_FATAL_ERR, 0), ==, 1);
}

static void test_status_follows_the_logs(Fixture *f, gconstpointer data)
{
    g_assert_cmphex(cxl_event_status(&f->logs), ==, 0);
    append(f, CXL_EVENT_LOG_INFO, 0);
    append(f, CXL_EVENT_LOG_DYNCAP, 0);
    g_assert_cmphex(cxl_event_status(&f->logs), ==, 0x11);
    clear_oldest(f, CXL_EVENT_LOG_INFO);
    g_assert_cmphex(cxl_event_status(&f->logs), ==, 0x10);
}

static void test_notify_when_a_log_stops_being_empty(Fixture *f,
                                                     gconstpointer data)
{
    append(f, CXL_EVENT_LOG_FAIL, 0);
    append(f, CXL_EVENT_LOG_FAIL, 1);
    g_assert_cmpuint(f->notified[CXL_EVENT_LOG_FAIL], ==, 1);
    clear_oldest(f, CXL_EVENT_LOG_FAIL);
    append(f, CXL_EVENT_LOG_FAIL, 2);
    g_assert_cmpuint(f->notified[CXL_EVENT_LOG_FAIL], ==, 1);
    clear_oldest(f, CXL_EVENT_LOG_FAIL);
    clear_oldest(f, CXL_EVENT_LOG_FAIL);
    append(f, CXL_EVENT_LOG_FAIL, 3);
    g_assert_cmpuint(f->notified[CXL_EVENT_LOG_FAIL], ==, 2);
    g_assert_cmpuint(f->notified[CXL_EVENT_LOG_INFO], ==, 0);
}

static void fill(Fixture *f, CXLEventLogId log)
{
    unsigned i;

    for (i = 0; i < DEPTH; i++) {
        g_assert_cmpuint(cxl_event_room(&f->logs, log), ==, DEPTH - i);
        g_assert_true(append(f, log, i));
    }
    g_assert_cmpuint(cxl_event_room(&f->logs, log), ==, 0);
}

static void test_overflow_keeps_the_old_and_counts_the_new(Fixture *f,
                                                           gconstpointer data)
{
    const CXLEventLog *g = &f->logs.log[CXL_EVENT_LOG_INFO];

    fill(f, CXL_EVENT_LOG_INFO);
    fake_clock_step(10);
    g_assert_false(append(f, CXL_EVENT_LOG_INFO, 100));
    fake_clock_step(10);
    g_assert_false(append(f, CXL_EVENT_LOG_INFO, 101));
    g_assert_cmpuint(g->overflow_count, ==, 2);
    g_assert_cmpuint(g->overflow_first_ns, ==, HOST_TIME + 10);
    g_assert_cmpuint(g->overflow_last_ns, ==, HOST_TIME + 20);
    g_assert_cmpuint(mark_at(f, CXL_EVENT_LOG_INFO, DEPTH - 1), ==, DEPTH - 1);

    /* any clear ends the overflow; a lost record uses no handle */
    clear_oldest(f, CXL_EVENT_LOG_INFO);
    g_assert_cmpuint(g->overflow_count, ==, 0);
    g_assert_cmpuint(g->overflow_first_ns, ==, 0);
    g_assert_cmpuint(g->overflow_last_ns, ==, 0);
    append(f, CXL_EVENT_LOG_INFO, 102);
    g_assert_cmpuint(handle_at(f, CXL_EVENT_LOG_INFO, DEPTH - 1), ==,
                     DEPTH + 1);
}

static void test_overflow_count_saturates(Fixture *f, gconstpointer data)
{
    unsigned i;

    fill(f, CXL_EVENT_LOG_WARN);
    for (i = 0; i < UINT16_MAX + 5; i++) {
        append(f, CXL_EVENT_LOG_WARN, 0);
    }
    g_assert_cmpuint(f->logs.log[CXL_EVENT_LOG_WARN].overflow_count, ==,
                     UINT16_MAX);
}

static void refused(Fixture *f, const uint16_t *handles, size_t n)
{
    uint32_t before = cxl_event_count(&f->logs, CXL_EVENT_LOG_INFO);

    g_assert_cmphex(cxl_event_clear(&f->logs, CXL_EVENT_LOG_INFO, handles, n),
                    ==, CXL_RC_INVALID_HANDLE);
    g_assert_cmpuint(cxl_event_count(&f->logs, CXL_EVENT_LOG_INFO), ==,
                     before);
}

static void test_clear_names_the_oldest_in_order(Fixture *f,
                                                 gconstpointer data)
{
    static const uint16_t good[] = { 1, 2, 3 };

    refused(f, (uint16_t[]) { 1 }, 1);              /* empty log */
    append(f, CXL_EVENT_LOG_INFO, 10);
    append(f, CXL_EVENT_LOG_INFO, 11);
    append(f, CXL_EVENT_LOG_INFO, 12);
    append(f, CXL_EVENT_LOG_INFO, 13);
    refused(f, (uint16_t[]) { 0 }, 1);
    refused(f, (uint16_t[]) { 2 }, 1);              /* not the oldest */
    refused(f, (uint16_t[]) { 1, 3 }, 2);           /* gap */
    refused(f, (uint16_t[]) { 2, 1 }, 2);           /* order */
    refused(f, (uint16_t[]) { 1, 1 }, 2);
    refused(f, (uint16_t[]) { 1, 2, 3, 4, 5 }, 5);  /* beyond the log */
    refused(f, (uint16_t[]) { 1, 2, 3, 4, 0 }, 5);
    g_assert_cmphex(cxl_event_clear(&f->logs, CXL_EVENT_LOG_INFO, good, 3), ==,
                    CXL_RC_SUCCESS);
    g_assert_cmpuint(cxl_event_count(&f->logs, CXL_EVENT_LOG_INFO), ==, 1);
    g_assert_cmpuint(mark_at(f, CXL_EVENT_LOG_INFO, 0), ==, 13);
}

static void test_clear_of_nothing_changes_nothing(Fixture *f,
                                                  gconstpointer data)
{
    fill(f, CXL_EVENT_LOG_INFO);
    append(f, CXL_EVENT_LOG_INFO, 99);
    g_assert_cmphex(cxl_event_clear(&f->logs, CXL_EVENT_LOG_INFO, NULL, 0), ==,
                    CXL_RC_SUCCESS);
    g_assert_cmpuint(f->logs.log[CXL_EVENT_LOG_INFO].overflow_count, ==, 1);
}

static void test_forget_ends_an_overflow(Fixture *f, gconstpointer data)
{
    fill(f, CXL_EVENT_LOG_INFO);
    append(f, CXL_EVENT_LOG_INFO, 99);
    cxl_event_forget(&f->logs, CXL_EVENT_LOG_INFO);
    g_assert_cmpuint(cxl_event_count(&f->logs, CXL_EVENT_LOG_INFO), ==, 0);
    g_assert_cmpuint(f->logs.log[CXL_EVENT_LOG_INFO].overflow_count, ==, 0);
    append(f, CXL_EVENT_LOG_INFO, 100);
    g_assert_cmpuint(handle_at(f, CXL_EVENT_LOG_INFO, 0), ==, DEPTH + 1);
}

static void test_handles_wrap_past_zero(Fixture *f, gconstpointer data)
{
    uint32_t i;

    for (i = 0; i < UINT16_MAX - 1; i++) {
        append(f, CXL_EVENT_LOG_INFO, i);
        clear_oldest(f, CXL_EVENT_LOG_INFO);
    }
    append(f, CXL_EVENT_LOG_INFO, 0);
    append(f, CXL_EVENT_LOG_INFO, 1);
    g_assert_cmphex(handle_at(f, CXL_EVENT_LOG_INFO, 0), ==, 0xffff);
    g_assert_cmphex(handle_at(f, CXL_EVENT_LOG_INFO, 1), ==, 1);
    refused(f, (uint16_t[]) { 0xffff, 0 }, 2);
    g_assert_cmphex(cxl_event_clear(&f->logs, CXL_EVENT_LOG_INFO,
                                    (uint16_t[]) { 0xffff, 1 }, 2), ==,
                    CXL_RC_SUCCESS);
}

static void test_ring_grows_around_its_wrap(void)
{
    Fixture f;
    uint32_t next = 0, oldest = 0, i, round;

    setup_depth(&f, 1000);
    g_assert_cmpuint(f.logs.log[CXL_EVENT_LOG_INFO].allocated, ==, 0);
    /* three in, two out: the head is somewhere else at every growth */
    for (round = 0; round < 900; round++) {
        for (i = 0; i < 3 && cxl_event_room(&f.logs, CXL_EVENT_LOG_INFO); i++) {
            g_assert_true(append(&f, CXL_EVENT_LOG_INFO, next++));
        }
        for (i = 0; i < 2; i++) {
            g_assert_cmpuint(mark_at(&f, CXL_EVENT_LOG_INFO, 0), ==, oldest);
            clear_oldest(&f, CXL_EVENT_LOG_INFO);
            oldest++;
        }
    }
    for (i = 0; i < cxl_event_count(&f.logs, CXL_EVENT_LOG_INFO); i++) {
        g_assert_cmpuint(mark_at(&f, CXL_EVENT_LOG_INFO, i), ==, oldest + i);
    }
    g_assert_cmpuint(f.logs.log[CXL_EVENT_LOG_INFO].allocated, ==, 1024);
    g_assert_cmpuint(f.logs.log[CXL_EVENT_LOG_WARN].allocated, ==, 0);
    teardown(&f, NULL);
}

static void test_deepest_log_has_a_handle_for_each(void)
{
    g_autofree unsigned long *seen = bitmap_new(UINT16_MAX + 1);
    Fixture f;
    uint32_t i;

    setup_depth(&f, UINT16_MAX);
    append(&f, CXL_EVENT_LOG_INFO, 0);
    clear_oldest(&f, CXL_EVENT_LOG_INFO);
    for (i = 0; i < UINT16_MAX; i++) {
        g_assert_true(append(&f, CXL_EVENT_LOG_INFO, i));
    }
    g_assert_false(append(&f, CXL_EVENT_LOG_INFO, i));
    for (i = 0; i < UINT16_MAX; i++) {
        uint16_t handle = handle_at(&f, CXL_EVENT_LOG_INFO, i);

        g_assert_cmpuint(handle, !=, 0);
        g_assert_false(test_and_set_bit(handle, seen));
    }
    teardown(&f, NULL);
}

static void test_reset_silences_and_drops_offers(Fixture *f,
                                                 gconstpointer data)
{
    int i;

    fill(f, CXL_EVENT_LOG_DYNCAP);
    append(f, CXL_EVENT_LOG_DYNCAP, 99);
    append(f, CXL_EVENT_LOG_FAIL, 98);
    for (i = 0; i < CXL_EVENT_LOGS; i++) {
        f->logs.log[i].policy = 1;
    }
    cxl_events_reset(&f->logs);
    g_assert_cmphex(cxl_event_status(&f->logs), ==, 1 << CXL_EVENT_LOG_FAIL);
    g_assert_cmpuint(f->logs.log[CXL_EVENT_LOG_DYNCAP].overflow_count, ==, 0);
    for (i = 0; i < CXL_EVENT_LOGS; i++) {
        g_assert_cmpuint(f->logs.log[i].policy, ==, 0);
    }
    append(f, CXL_EVENT_LOG_DYNCAP, 0);
    g_assert_cmpuint(handle_at(f, CXL_EVENT_LOG_DYNCAP, 0), ==, DEPTH + 1);
}

/* -- migration ------------------------------------------------------------- */

static void busy_logs(Fixture *f)
{
    fill(f, CXL_EVENT_LOG_INFO);
    clear_oldest(f, CXL_EVENT_LOG_INFO);
    clear_oldest(f, CXL_EVENT_LOG_INFO);
    append(f, CXL_EVENT_LOG_INFO, 50);
    append(f, CXL_EVENT_LOG_INFO, 51);
    fake_clock_step(3);
    append(f, CXL_EVENT_LOG_INFO, 52);
    append(f, CXL_EVENT_LOG_DYNCAP, 60);
    f->logs.log[CXL_EVENT_LOG_DYNCAP].policy = 1;
}

static void test_migration_keeps_everything(Fixture *f, gconstpointer data)
{
    g_autoptr(GByteArray) bytes = NULL;
    Fixture to;
    uint32_t i;

    busy_logs(f);
    bytes = state_save(&vmstate_cxl_events, &f->logs);
    setup_depth(&to, DEPTH);
    append(&to, CXL_EVENT_LOG_WARN, 1);     /* must not survive the load */
    to.notified[CXL_EVENT_LOG_WARN] = 0;
    g_assert_cmpint(state_load(&vmstate_cxl_events, &to.logs, bytes->data,
                               bytes->len), ==, 0);
    g_assert_cmphex(cxl_event_status(&to.logs), ==, 0x11);
    for (i = 0; i < DEPTH; i++) {
        g_assert_cmpmem(cxl_event_at(&to.logs, CXL_EVENT_LOG_INFO, i), 128,
                        cxl_event_at(&f->logs, CXL_EVENT_LOG_INFO, i), 128);
    }
    g_assert_cmpuint(to.logs.log[CXL_EVENT_LOG_INFO].overflow_count, ==, 1);
    g_assert_cmpuint(to.logs.log[CXL_EVENT_LOG_INFO].overflow_last_ns, ==,
                     f->logs.log[CXL_EVENT_LOG_INFO].overflow_last_ns);
    g_assert_cmpuint(to.logs.log[CXL_EVENT_LOG_DYNCAP].policy, ==, 1);
    clear_oldest(&to, CXL_EVENT_LOG_INFO);
    append(&to, CXL_EVENT_LOG_INFO, 53);
    g_assert_cmpuint(handle_at(&to, CXL_EVENT_LOG_INFO, DEPTH - 1), ==,
                     DEPTH + 3);
    for (i = 0; i < CXL_EVENT_LOGS; i++) {
        g_assert_cmpuint(to.notified[i], ==, 0);
    }
    teardown(&to, NULL);
}

static void test_migration_refuses_every_cut_stream(Fixture *f,
                                                    gconstpointer data)
{
    g_autoptr(GByteArray) bytes = NULL;
    guint len;

    busy_logs(f);
    bytes = state_save(&vmstate_cxl_events, &f->logs);
    for (len = 0; len < bytes->len; len++) {
        Fixture to;

        setup_depth(&to, DEPTH);
        g_assert_true(state_is_refused(&vmstate_cxl_events, &to.logs,
                                   bytes->data, len));
        teardown(&to, NULL);
    }
}

static void refuse_stream(const GByteArray *bytes)
{
    Fixture to;

    setup_depth(&to, DEPTH);
    g_assert_true(state_is_refused(&vmstate_cxl_events, &to.logs,
                                   bytes->data, bytes->len));
    teardown(&to, NULL);
}

/* The stream starts with log 0: its count and that many records */
static void test_migration_refuses_nonsense(Fixture *f, gconstpointer data)
{
    enum {
        RECORD = 4,
        HANDLE = RECORD + CXL_EVENT_OFF_HANDLE,
        NEXT_HANDLE = RECORD + DEPTH * CXL_EVENT_RECORD_SIZE,
        POLICY = NEXT_HANDLE + 2 + 2 + 8 + 8,
    };
    static const uint32_t counts[] = { DEPTH + 1, 0x80000000, UINT32_MAX };
    g_autoptr(GByteArray) bytes = NULL;
    unsigned i;

    busy_logs(f);
    bytes = state_save(&vmstate_cxl_events, &f->logs);
    g_assert_cmpuint(ldl_be_p(bytes->data), ==, DEPTH);
    for (i = 0; i < ARRAY_SIZE(counts); i++) {
        stl_be_p(bytes->data, counts[i]);
        refuse_stream(bytes);
    }
    stl_be_p(bytes->data, DEPTH);

    bytes->data[HANDLE] ^= 1;               /* gap behind the first */
    refuse_stream(bytes);
    bytes->data[HANDLE] ^= 1;

    g_assert_cmpuint(lduw_be_p(bytes->data + NEXT_HANDLE), ==, DEPTH + 3);
    stw_be_p(bytes->data + NEXT_HANDLE, 0);
    refuse_stream(bytes);
    stw_be_p(bytes->data + NEXT_HANDLE, 1); /* would repeat a handle */
    refuse_stream(bytes);
    stw_be_p(bytes->data + NEXT_HANDLE, DEPTH + 3);

    bytes->data[POLICY] = 3;
    refuse_stream(bytes);
    bytes->data[POLICY] = 0x10;
    refuse_stream(bytes);
    bytes->data[POLICY] = 0;
    /* what was spoiled is whole again: it was not something else */
    g_assert_cmpint(state_load(&vmstate_cxl_events, &f->logs, bytes->data,
                               bytes->len), ==, 0);
}

#define ADD(path, fn) \
    g_test_add("/cxl/events/" path, Fixture, NULL, setup, fn, teardown)

int main(int argc, char **argv)
{
    module_call_init(MODULE_INIT_QOM);
    g_test_init(&argc, &argv, NULL);
    fake_clock_init();
    ADD("record-header", test_record_header);
    g_test_add_func("/cxl/events/uuid-order",
                    test_uuid_bytes_travel_in_printed_order);
    g_test_add_func("/cxl/events/timestamp",
                    test_timestamp_counts_from_when_it_is_set);
    ADD("handles-per-log", test_logs_count_their_own_handles);
    ADD("status", test_status_follows_the_logs);
    ADD("notify", test_notify_when_a_log_stops_being_empty);
    ADD("overflow", test_overflow_keeps_the_old_and_counts_the_new);
    ADD("overflow-saturates", test_overflow_count_saturates);
    ADD("clear/order", test_clear_names_the_oldest_in_order);
    ADD("clear/nothing", test_clear_of_nothing_changes_nothing);
    ADD("forget", test_forget_ends_an_overflow);
    ADD("handles-wrap", test_handles_wrap_past_zero);
    g_test_add_func("/cxl/events/ring-grows", test_ring_grows_around_its_wrap);
    g_test_add_func("/cxl/events/deepest",
                    test_deepest_log_has_a_handle_for_each);
    ADD("reset", test_reset_silences_and_drops_offers);
    ADD("migration/whole", test_migration_keeps_everything);
    ADD("migration/cut", test_migration_refuses_every_cut_stream);
    ADD("migration/nonsense", test_migration_refuses_nonsense);
    return g_test_run();
}
