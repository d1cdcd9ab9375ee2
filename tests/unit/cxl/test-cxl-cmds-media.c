/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command sets 43h and 44h: each field and each return code
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "fake-clock.h"
#include "fake-memdev.h"
#include "state-bytes.h"
#include "hw/cxl/cci/cmd-sets.h"
#include "hw/cxl/memdev/media.h"
#include "hw/cxl/memdev/security.h"

#define LINE        CXL_POISON_LINE
#define VMEM        (512 * MiB)
#define STATIC_END  (2 * VMEM)
/* Behind the two regions of the fake */
#define SPACE_END   (FAKE_REGION_BASE(1) + 256 * MiB)
#define TOP_LINE    (UINT64_MAX - 63)
/* Records of one answer through the mailbox */
#define PER_ANSWER  ((FAKE_MBOX_PAYLOAD - 0x20) / 0x10)
#define SECOND      1000000000ll

const CXLCmdSet *const cxl_cmd_sets[] = {
    &cxl_cmds_infostat,
    &cxl_cmds_media,
    &cxl_cmds_sanitize,
    NULL,
};

static void setup(FakeMemDev *unused, gconstpointer data)
{
    fake.volatile_size = VMEM;
    fake.persistent_size = VMEM;
    fake.has_dc = true;
    fake_memdev_open();
}

/* The host takes one block of the first region */
static void take_block(unsigned n)
{
    CXLDCExtent e = {
        .dpa = FAKE_REGION_BASE(0) + n * FAKE_BLOCK, .len = FAKE_BLOCK,
    };
    CXLDCAddRequest add = {
        .policy = CXL_DC_ADD_PRESCRIPTIVE, .extents = &e, .nr_extents = 1,
        .len = e.len,
    };
    CXLDCRange range = { e.dpa, e.len };

    assert_rc(cxl_dc_add(fake.dc, &add, NULL), CXL_RC_SUCCESS);
    assert_rc(cxl_dc_host_respond(fake.dc, 0, &range, 1, false),
              CXL_RC_SUCCESS);
}

static void found(uint64_t dpa, uint64_t len)
{
    g_assert_cmpint(cxl_poison_found(fake.mem->poison, dpa, len,
                                     CXL_POISON_INTERNAL),
                    ==, CXL_POISON_DONE);
}

static CXLRetCode ask(uint16_t op, uint64_t dpa, uint64_t lines)
{
    cxl_put_le64(&rq, dpa);
    cxl_put_le64(&rq, lines);
    return send_request(&fake.mailbox, op);
}

static CXLRetCode list(uint64_t dpa, uint64_t lines)
{
    return ask(0x4300, dpa, lines);
}

/* Header of 4300h; @rs then stands at the first record */
static void list_is(uint8_t flags, uint64_t overflow_ns, uint16_t n)
{
    g_assert_cmpuint(rs.size, ==, 0x20 + n * 0x10);
    g_assert_cmphex(cxl_get_le16(&rs), ==, flags);
    g_assert_cmpuint(cxl_get_le64(&rs), ==, overflow_ns);
    g_assert_cmpuint(cxl_get_le16(&rs), ==, n);
    cxl_get_skip(&rs, 0x14);
}

static void record_is(uint64_t address, uint32_t lines)
{
    g_assert_cmphex(cxl_get_le64(&rs), ==, address);
    g_assert_cmphex(cxl_get_le32(&rs), ==, lines);
    g_assert_cmphex(cxl_get_le32(&rs), ==, 0);
}

static CXLRetCode inject(uint64_t dpa)
{
    return send_fields(&fake.mailbox, 0x4301, dpa);
}

static CXLRetCode clear(uint64_t dpa, uint8_t fill)
{
    uint8_t line[LINE];

    memset(line, fill, sizeof(line));
    cxl_put_le64(&rq, dpa);
    cxl_put_bytes(&rq, line, sizeof(line));
    return send_request(&fake.mailbox, 0x4302);
}

static CXLRetCode scan(uint64_t dpa, uint64_t lines, uint8_t flags)
{
    return send_fields(&fake.mailbox, 0x4304, dpa, lines, flags);
}

static CXLRetCode results(void)
{
    return send_request(&fake.mailbox, 0x4305);
}

static void results_are(uint64_t dpa, uint64_t lines, uint8_t flags, uint16_t n)
{
    assert_rc(results(), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 0x20 + n * 0x10);
    g_assert_cmphex(cxl_get_le64(&rs), ==, dpa);
    g_assert_cmphex(cxl_get_le64(&rs), ==, lines);
    g_assert_cmphex(cxl_get_le16(&rs), ==, flags);
    g_assert_cmpuint(cxl_get_le16(&rs), ==, n);
    cxl_get_skip(&rs, 0x0c);
}

static void test_wrong_lengths(FakeMemDev *unused, gconstpointer data)
{
    static const struct { uint16_t op, len; } rules[] = {
        { 0x4300, 0x10 }, { 0x4301, 8 }, { 0x4302, 0x48 }, { 0x4303, 0x10 },
        { 0x4304, 0x11 }, { 0x4305, 0 }, { 0x4400, 0 }, { 0x4401, 0 },
    };
    unsigned i, len;

    for (i = 0; i < ARRAY_SIZE(rules); i++) {
        for (len = 0; len < 128; len++) {
            if (len != rules[i].len) {
                assert_rc(send_bytes(&fake.mailbox, rules[i].op, len),
                          CXL_RC_INVALID_PAYLOAD_LENGTH);
            }
        }
        g_assert_nonnull(cxl_cci_find(&fake.ld, rules[i].op));
        g_assert_cmpint(!cxl_cci_find(&fake.fm, rules[i].op), ==,
                        rules[i].op < 0x4400);
    }
    g_assert_cmpuint(fake.zeroed, ==, 0);
}

static void test_ranges_are_checked(FakeMemDev *unused, gconstpointer data)
{
    static const uint16_t ops[] = { 0x4300, 0x4303 };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(ops); i++) {
        assert_rc(ask(ops[i], 32, 1), CXL_RC_INVALID_INPUT);
        assert_rc(ask(ops[i], UINT64_MAX, 1), CXL_RC_INVALID_INPUT);
        assert_rc(ask(ops[i], SPACE_END, 1), CXL_RC_INVALID_PHYS_ADDR);
        assert_rc(ask(ops[i], TOP_LINE, 1), CXL_RC_INVALID_PHYS_ADDR);
        assert_rc(ask(ops[i], TOP_LINE, 2), CXL_RC_INVALID_PHYS_ADDR);
        assert_rc(ask(ops[i], 0, UINT64_MAX), CXL_RC_INVALID_PHYS_ADDR);
        assert_rc(ask(ops[i], LINE, 1ull << 58), CXL_RC_INVALID_PHYS_ADDR);
        assert_rc(ask(ops[i], 0, STATIC_END / LINE), CXL_RC_SUCCESS);
    }
    /* an answer about nothing is no error, a scan of nothing is */
    assert_rc(list(SPACE_END, 0), CXL_RC_SUCCESS);
    list_is(0, 0, 0);
    assert_rc(ask(0x4303, 0, 0), CXL_RC_INVALID_INPUT);
    assert_rc(scan(0, 0, 0), CXL_RC_INVALID_INPUT);
    assert_rc(scan(1, 1, 0), CXL_RC_INVALID_INPUT);
    assert_rc(scan(0, 1, 2), CXL_RC_INVALID_INPUT);
    assert_rc(scan(TOP_LINE, 1, 0), CXL_RC_INVALID_PHYS_ADDR);
    assert_rc(inject(TOP_LINE), CXL_RC_INVALID_PHYS_ADDR);
    assert_rc(clear(TOP_LINE, 0), CXL_RC_INVALID_PHYS_ADDR);
    assert_rc(inject(63), CXL_RC_INVALID_INPUT);
    assert_rc(clear(1, 0), CXL_RC_INVALID_INPUT);
    assert_rc(inject(STATIC_END), CXL_RC_INVALID_PHYS_ADDR);
    assert_rc(clear(STATIC_END, 0), CXL_RC_INVALID_PHYS_ADDR);
    g_assert_cmpuint(fake.mem->poison->n, ==, 0);
    g_assert_false(fake.mem->media->running);
}

static void test_list_is_clipped(FakeMemDev *unused, gconstpointer data)
{
    found(4 * LINE, 4 * LINE);
    assert_rc(inject(16 * LINE), CXL_RC_SUCCESS);
    assert_rc(list(0, 64), CXL_RC_SUCCESS);
    list_is(0, 0, 2);
    record_is(4 * LINE | 2, 4);
    record_is(16 * LINE | 3, 1);
    assert_rc(list(5 * LINE, 2), CXL_RC_SUCCESS);
    list_is(0, 0, 1);
    record_is(5 * LINE | 2, 2);
    assert_rc(list(8 * LINE, 8), CXL_RC_SUCCESS);
    list_is(0, 0, 0);
}

static void test_list_splits(FakeMemDev *unused, gconstpointer data)
{
    unsigned i, at;

    for (i = 0; i < FAKE_POISON_LIMIT; i++) {
        found(i * 2 * LINE, LINE);
    }
    for (at = 0; at < FAKE_POISON_LIMIT; at += i) {
        unsigned n = MIN(PER_ANSWER, FAKE_POISON_LIMIT - at);

        assert_rc(list(0, 4096), CXL_RC_SUCCESS);
        list_is(at + n < FAKE_POISON_LIMIT, 0, n);
        for (i = 0; i < n; i++) {
            record_is((at + i) * 2 * LINE | 2, 1);
        }
    }
    /* told in full: the same question starts over */
    assert_rc(list(0, 4096), CXL_RC_SUCCESS);
    list_is(1, 0, PER_ANSWER);
    record_is(2, 1);
    /* another question, and then the first one anew */
    assert_rc(list(2 * LINE, 1), CXL_RC_SUCCESS);
    list_is(0, 0, 1);
    assert_rc(list(0, 4096), CXL_RC_SUCCESS);
    list_is(1, 0, PER_ANSWER);
    record_is(2, 1);
}

static void test_long_poison_is_cut(FakeMemDev *unused, gconstpointer data)
{
    const uint64_t most = UINT32_MAX * (uint64_t)LINE;

    /* without dynamic capacity, which lies lower in the fake */
    fake_memdev_close();
    fake.volatile_size = 512 * GiB;
    fake_memdev_open();
    found(0, most + 3 * LINE);
    assert_rc(list(0, 400 * GiB / LINE), CXL_RC_SUCCESS);
    list_is(0, 0, 2);
    record_is(2, UINT32_MAX);
    record_is(most | 2, 3);
}

static void test_dynamic_capacity(FakeMemDev *unused, gconstpointer data)
{
    const uint64_t base = FAKE_REGION_BASE(0);
    const uint64_t all = SPACE_END / LINE;

    found(base, 8 * FAKE_BLOCK);
    assert_rc(list(0, all), CXL_RC_SUCCESS);
    list_is(0, 0, 0);
    assert_rc(inject(base + 9 * FAKE_BLOCK), CXL_RC_INVALID_PHYS_ADDR);
    assert_rc(clear(base, 1), CXL_RC_INVALID_PHYS_ADDR);
    assert_rc(scan(base, 1, 0), CXL_RC_INVALID_PHYS_ADDR);

    take_block(1);
    take_block(3);
    assert_rc(list(0, all), CXL_RC_SUCCESS);
    list_is(0, 0, 2);
    record_is((base + FAKE_BLOCK) | 2, FAKE_BLOCK / LINE);
    record_is((base + 3 * FAKE_BLOCK) | 2, FAKE_BLOCK / LINE);
    assert_rc(scan(base + FAKE_BLOCK, FAKE_BLOCK / LINE + 1, 0),
              CXL_RC_INVALID_PHYS_ADDR);
    assert_rc(ask(0x4303, base + FAKE_BLOCK, FAKE_BLOCK / LINE),
              CXL_RC_SUCCESS);
    assert_rc(clear(base + FAKE_BLOCK, 1), CXL_RC_SUCCESS);
    g_assert_cmphex(fake.stored_dpa, ==, base + FAKE_BLOCK);
    assert_rc(inject(base + FAKE_BLOCK), CXL_RC_SUCCESS);
    assert_rc(list(base + FAKE_BLOCK, 1), CXL_RC_SUCCESS);
    list_is(0, 0, 1);
    record_is((base + FAKE_BLOCK) | 3, 1);
}

static void test_inject_until_full(FakeMemDev *unused, gconstpointer data)
{
    const CXLEventRecord *r;
    unsigned i;

    for (i = 0; i < FAKE_POISON_LIMIT; i++) {
        assert_rc(inject(i * LINE), CXL_RC_SUCCESS);
    }
    assert_rc(inject(0), CXL_RC_SUCCESS);       /* is poisoned already */
    assert_rc(inject(i * LINE), CXL_RC_POISON_LIMIT);
    r = cxl_event_at(fake.mem->events, CXL_EVENT_LOG_INFO, 1);
    g_assert_nonnull(r);
    g_assert_cmpmem(r->b, 16, cxl_event_uuid_general_media.data, 16);
    g_assert_cmphex(ldq_le_p(r->b + 0x30), ==, LINE | 1);
    g_assert_cmphex(r->b[0x3a], ==, 4);
    assert_rc(clear(0, 0), CXL_RC_SUCCESS);
    assert_rc(inject(i * LINE), CXL_RC_SUCCESS);
}

static void test_clear_splits_and_writes(FakeMemDev *unused, gconstpointer d)
{
    found(0, 3 * LINE);
    assert_rc(clear(LINE, 0x5a), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 0);
    g_assert_cmphex(fake.stored_dpa, ==, LINE);
    g_assert_cmphex(fake.stored[0], ==, 0x5a);
    g_assert_cmphex(fake.stored[63], ==, 0x5a);
    assert_rc(list(0, 64), CXL_RC_SUCCESS);
    list_is(0, 0, 2);
    record_is(2, 1);
    record_is(2 * LINE | 2, 1);
    /* a line that is fine is written all the same */
    assert_rc(clear(STATIC_END - LINE, 0x33), CXL_RC_SUCCESS);
    g_assert_cmphex(fake.stored_dpa, ==, STATIC_END - LINE);
    g_assert_cmphex(fake.stored[7], ==, 0x33);
}

static void test_scan(FakeMemDev *unused, gconstpointer data)
{
    unsigned i;

    cxl_timestamp_set(fake.mem->clock, 7000);
    for (i = 0; i < FAKE_POISON_LIMIT + 3; i++) {
        found(i * 2 * LINE, LINE);
    }
    assert_rc(results(), CXL_RC_UNSUPPORTED);
    assert_rc(ask(0x4303, 0, STATIC_END / LINE), CXL_RC_SUCCESS);
    g_assert_cmpuint(cxl_get_le32(&rs), ==, STATIC_END / LINE / 2000);
    assert_rc(scan(0, 4096, 0), CXL_RC_BG_STARTED);
    assert_rc(scan(0, 4096, 0), CXL_RC_BUSY);
    assert_rc(results(), CXL_RC_RETRY_REQUIRED);
    /* the list is frozen, data is not */
    assert_rc(inject(STATIC_END - LINE), CXL_RC_SUCCESS);
    assert_rc(clear(0, 0x77), CXL_RC_SUCCESS);
    g_assert_cmphex(fake.stored[0], ==, 0x77);
    assert_rc(list(0, 1), CXL_RC_SUCCESS);
    list_is(2 | 4, 7000, 1);
    /* one CCI is busy, the device is for the other one, too */
    assert_rc(send_fields(&fake.ld, 0x4304, 0, 1, 0), CXL_RC_BUSY);

    fake_clock_step(SECOND);
    g_assert_false(fake.mailbox.bg.running);
    assert_rc(fake.mailbox.bg.ret_code, CXL_RC_SUCCESS);
    /* no room for the last three: it stopped at the first of them */
    for (i = 0; i < 2; i++) {
        results_are(512 * LINE, 4096 - 512, 3, PER_ANSWER);
        record_is(i * PER_ANSWER * 2 * LINE | 2, 1);
    }
    results_are(512 * LINE, 4096 - 512, 2, FAKE_POISON_LIMIT - 2 * PER_ANSWER);
    results_are(512 * LINE, 4096 - 512, 2, 0);

    for (i = 0; i < 3; i++) {
        assert_rc(clear(i * 2 * LINE, 0), CXL_RC_SUCCESS);
    }
    assert_rc(scan(512 * LINE, 4096 - 512, 0), CXL_RC_BG_STARTED);
    fake_clock_step(SECOND);
    results_are(0, 0, 0, 3);
    record_is(512 * LINE | 2, 1);
    g_assert_cmpuint(cxl_event_count(fake.mem->events, CXL_EVENT_LOG_FAIL),
                     ==, 3);
    g_assert_cmphex(cxl_event_at(fake.mem->events, CXL_EVENT_LOG_FAIL,
                                 0)->b[0x3a], ==, 3);
    assert_rc(list(0, 1), CXL_RC_SUCCESS);
    list_is(0, 0, 0);       /* all is listed: no overflow any more */
}

static void test_quiet_scan(FakeMemDev *unused, gconstpointer data)
{
    unsigned i;

    for (i = 0; i < FAKE_POISON_LIMIT + 1; i++) {
        found(i * 2 * LINE, LINE);
    }
    assert_rc(clear(0, 0), CXL_RC_SUCCESS);
    assert_rc(scan(0, 4096, 1), CXL_RC_BG_STARTED);
    fake_clock_step(SECOND);
    results_are(0, 0, 1, PER_ANSWER);
    g_assert_cmpuint(cxl_event_status(fake.mem->events), ==, 0);
}

static void test_scan_ends_early(FakeMemDev *unused, gconstpointer data)
{
    found(0, LINE);
    assert_rc(scan(0, STATIC_END / LINE, 0), CXL_RC_BG_STARTED);
    assert_rc(send_request(&fake.mailbox, 0x0005), CXL_RC_SUCCESS);
    assert_rc(fake.mailbox.bg.ret_code, CXL_RC_ABORTED);
    g_assert_false(fake.mem->poison->frozen);
    results_are(0, STATIC_END / LINE, 2, 0);

    /* media goes away under it: the scan would take 4.2 s, the sanitize 8 */
    assert_rc(scan(0, VMEM / LINE, 0), CXL_RC_BG_STARTED);
    assert_rc(send_request(&fake.fm, 0x4400), CXL_RC_BG_STARTED);
    fake_clock_step(9 * SECOND / 2);
    assert_rc(fake.mailbox.bg.ret_code, CXL_RC_ABORTED);
    fake_clock_step(4 * SECOND);
    g_assert_false(cxl_memdev_media_disabled(fake.mem));
    g_assert_false(fake.mem->poison->frozen);

    assert_rc(scan(0, STATIC_END / LINE, 0), CXL_RC_BG_STARTED);
    cxl_cci_reset(&fake.mailbox);
    cxl_media_forget(fake.mem->media);
    g_assert_false(fake.mem->poison->frozen);
    assert_rc(results(), CXL_RC_UNSUPPORTED);
}

static void test_media_state_migrates(FakeMemDev *unused, gconstpointer data)
{
    CXLMediaState to = { 0 };
    GByteArray *state;

    assert_rc(scan(LINE, 5, 1), CXL_RC_BG_STARTED);
    state = state_save(&vmstate_cxl_media, fake.mem->media);
    g_assert_cmpint(state_load(&vmstate_cxl_media, &to, state->data,
                               state->len), ==, 0);
    g_assert_true(to.running && to.quiet && !to.ran);
    g_assert_cmphex(to.scan_dpa, ==, LINE);
    g_assert_cmphex(to.scan_end, ==, 6 * LINE);
    g_byte_array_unref(state);

    fake.mem->media->stop = fake.mem->media->scan_end + LINE;
    state = state_save(&vmstate_cxl_media, fake.mem->media);
    g_assert_true(state_is_refused(&vmstate_cxl_media, &to, state->data,
                                   state->len));
    g_byte_array_unref(state);
    fake.mem->media->stop = fake.mem->media->next;
    fake.mem->media->scan_end++;
    state = state_save(&vmstate_cxl_media, fake.mem->media);
    g_assert_true(state_is_refused(&vmstate_cxl_media, &to, state->data,
                                   state->len));
    g_byte_array_unref(state);
}

/* -- 44h ------------------------------------------------------------------- */

static void log_in_all(CXLEventLogs *logs)
{
    CXLEventLogId log;
    CXLEventRecord r;

    cxl_event_record_init(&r, &cxl_event_uuid_dram, 0);
    for (log = 0; log < CXL_EVENT_LOGS; log++) {
        cxl_event_append(logs, log, &r);
    }
}

static void all_is_forgotten(void)
{
    g_assert_cmpuint(fake.zeroed, ==, 1);
    g_assert_cmpuint(fake.mem->poison->n, ==, 0);
    g_assert_false(fake.mem->poison->overflowed);
    g_assert_false(fake.mem->media->ran);
    /* what is left is about capacity */
    g_assert_cmphex(cxl_event_status(fake.mem->events), ==, 1 << 4);
    g_assert_cmphex(cxl_event_status(fake.mem->fm_events), ==, 1 << 4);
}

static void make_history(void)
{
    found(0, LINE);
    assert_rc(scan(0, 1, 0), CXL_RC_BG_STARTED);
    fake_clock_step(SECOND);
    log_in_all(fake.mem->events);
    log_in_all(fake.mem->fm_events);
}

static void test_sanitize(FakeMemDev *unused, gconstpointer data)
{
    static const struct { uint16_t op, len; } refused[] = {
        { 0x4300, 0x10 }, { 0x4301, 8 }, { 0x4302, 0x48 }, { 0x4303, 0x10 },
        { 0x4305, 0 }, { 0x4401, 0 },
    };
    unsigned i;

    make_history();
    assert_rc(send_request(&fake.mailbox, 0x4400), CXL_RC_BG_STARTED);
    g_assert_true(cxl_memdev_media_disabled(fake.mem));
    for (i = 0; i < ARRAY_SIZE(refused); i++) {
        assert_rc(send_bytes(&fake.mailbox, refused[i].op, refused[i].len),
                  CXL_RC_MEDIA_DISABLED);
    }
    assert_rc(send_request(&fake.mailbox, 0x4400), CXL_RC_BUSY);
    assert_rc(scan(0, 1, 0), CXL_RC_BUSY);
    assert_rc(send_request(&fake.fm, 0x4400), CXL_RC_MEDIA_DISABLED);
    g_assert_cmpuint(fake.zeroed, ==, 1);
    fake_clock_step(8 * SECOND - 1);        /* up to 1 GiB */
    /* too late for that: it ends by itself */
    assert_rc(send_request(&fake.mailbox, 0x0005), CXL_RC_SUCCESS);
    g_assert_true(cxl_memdev_media_disabled(fake.mem));
    fake_clock_step(1);
    g_assert_false(cxl_memdev_media_disabled(fake.mem));
    assert_rc(fake.mailbox.bg.ret_code, CXL_RC_SUCCESS);
    all_is_forgotten();
}

static void test_sanitize_is_aborted(FakeMemDev *unused, gconstpointer data)
{
    make_history();
    assert_rc(send_request(&fake.mailbox, 0x4400), CXL_RC_BG_STARTED);
    fake_clock_step(2 * SECOND);
    assert_rc(send_request(&fake.mailbox, 0x0005), CXL_RC_SUCCESS);
    assert_rc(fake.mailbox.bg.ret_code, CXL_RC_ABORTED);
    g_assert_false(cxl_memdev_media_disabled(fake.mem));
    fake_clock_step(8 * SECOND);
    g_assert_cmpuint(fake.zeroed, ==, 1);
    g_assert_cmpuint(fake.mem->poison->n, !=, 0);
    fake.zeroed = 0;
    assert_rc(send_request(&fake.mailbox, 0x4400), CXL_RC_BG_STARTED);
    fake_clock_step(8 * SECOND);
    all_is_forgotten();
}

/* The host is not told of the end while the device still overwrites */
static void test_sanitize_waits(FakeMemDev *unused, gconstpointer data)
{
    make_history();
    fake.wiping = true;
    assert_rc(send_request(&fake.mailbox, 0x4400), CXL_RC_BG_STARTED);
    fake_clock_step(20 * SECOND);
    g_assert_true(cxl_memdev_media_disabled(fake.mem));
    g_assert_true(fake.mailbox.bg.running);
    g_assert_cmpuint(cxl_cci_bg_percent(&fake.mailbox), ==, 99);
    assert_rc(send_request(&fake.mailbox, 0x4400), CXL_RC_BUSY);
    fake.wiping = false;
    fake_clock_step(SECOND);
    g_assert_false(cxl_memdev_media_disabled(fake.mem));
    assert_rc(fake.mailbox.bg.ret_code, CXL_RC_SUCCESS);
    all_is_forgotten();
}

static void test_reset_completes_sanitize(FakeMemDev *unused, gconstpointer d)
{
    make_history();
    assert_rc(send_request(&fake.fm, 0x4400), CXL_RC_BG_STARTED);
    cxl_cci_reset(&fake.fm);
    g_assert_false(cxl_memdev_media_disabled(fake.mem));
    all_is_forgotten();
    fake_clock_step(9 * SECOND);
    g_assert_cmpuint(fake.zeroed, ==, 1);
}

static void test_sanitize_takes_its_time(FakeMemDev *unused, gconstpointer d)
{
    static const struct { uint64_t size; unsigned seconds; } rows[] = {
        { 0, 4 }, { 512 * MiB, 4 }, { 768 * MiB, 8 }, { 2 * GiB, 15 },
        { 4 * GiB, 30 }, { 4 * GiB + 256 * MiB, 60 }, { 64 * GiB, 480 },
        { 65 * GiB, 900 }, { 512 * GiB, 3600 }, { 1 * TiB, 7200 },
        { 1 * TiB + 1, 14400 },
    };
    unsigned i;

    fake.mem->config.persistent_size = 0;
    for (i = 0; i < ARRAY_SIZE(rows); i++) {
        fake.mem->config.volatile_size = rows[i].size;
        assert_rc(send_request(&fake.mailbox, 0x4400), CXL_RC_BG_STARTED);
        fake_clock_step(rows[i].seconds * SECOND - 1);
        g_assert_true(cxl_memdev_media_disabled(fake.mem));
        fake_clock_step(1);
        g_assert_false(cxl_memdev_media_disabled(fake.mem));
    }
}

static void test_secure_erase(FakeMemDev *unused, gconstpointer data)
{
    make_history();
    assert_rc(send_request(&fake.mailbox, 0x4401), CXL_RC_SUCCESS);
    g_assert_cmpuint(rs.size, ==, 0);
    g_assert_false(cxl_memdev_media_disabled(fake.mem));
    all_is_forgotten();
    assert_rc(results(), CXL_RC_UNSUPPORTED);
}

#define ADD(path, fn) \
    g_test_add("/cxl/cmds-media/" path, FakeMemDev, NULL, setup, fn, \
               fake_teardown)

int main(int argc, char **argv)
{
    fake_memdev_test_init(&argc, &argv);
    ADD("wrong-lengths", test_wrong_lengths);
    ADD("ranges", test_ranges_are_checked);
    ADD("4300/clipped", test_list_is_clipped);
    ADD("4300/split", test_list_splits);
    ADD("4300/long", test_long_poison_is_cut);
    ADD("dynamic-capacity", test_dynamic_capacity);
    ADD("4301", test_inject_until_full);
    ADD("4302", test_clear_splits_and_writes);
    ADD("4303-4305", test_scan);
    ADD("4304/quiet", test_quiet_scan);
    ADD("4304/ends-early", test_scan_ends_early);
    ADD("vmstate", test_media_state_migrates);
    ADD("4400", test_sanitize);
    ADD("4400/abort", test_sanitize_is_aborted);
    ADD("4400/waits", test_sanitize_waits);
    ADD("4400/reset", test_reset_completes_sanitize);
    ADD("4400/duration", test_sanitize_takes_its_time);
    ADD("4401", test_secure_erase);
    return g_test_run();
}
