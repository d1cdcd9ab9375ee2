/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CCI core: order of checks, length rules, effects log, response limit,
 * background operation; with command sets of the test's own
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/module.h"
#include "qemu/timer.h"
#include "hw/cxl/cxl_cci.h"
#include "fake-clock.h"
#include "state-bytes.h"

#define PAYLOAD     1024
#define BG_MS       1000

enum {
    OP_EXACT        = 0x0100,   /* 4 bytes, echoed */
    OP_AT_LEAST     = 0x0101,
    OP_RANGE        = 0x0102,
    OP_LIST32       = 0x0110,   /* 8 + 18h * le32 at 0 */
    OP_LIST16       = 0x0111,   /* 6 + 10 * le16 at 2 */
    OP_LIST8        = 0x0112,   /* 3 + 2 * u8 at 2 */
    OP_MEDIA        = 0x0120,
    OP_FM_ONLY      = 0x0130,
    OP_ABSENT       = 0x0131,
    OP_FAILS        = 0x0140,   /* writes, then fails */
    OP_TOO_MUCH     = 0x0141,   /* writes more than there is room for */
    OP_FILL         = 0x0142,   /* answers with all the room it has */
    OP_NESTED       = 0x0143,   /* runs OP_EXACT on the same CCI */
    OP_BG           = 0x4400,
    OP_BG_ABORTABLE = 0x4401,
    OP_BG_MEDIA     = 0x4402,
    OP_BG_NOW       = 0x4403,   /* background-capable, but answers at once */
};

static unsigned handled, done, aborted, ended;
static bool media_is_disabled;
static CXLRetCode final_code;

static CXLRetCode echo(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    size_t n = cxl_reader_left(in);

    handled++;
    cxl_put_bytes(out, cxl_reader_bytes(in, n), n);
    return CXL_RC_SUCCESS;
}

static CXLRetCode fails(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    cxl_put_le64(out, UINT64_MAX);
    return CXL_RC_INVALID_LOG;
}

static CXLRetCode too_much(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    cxl_put_le64(out, UINT64_MAX);
    cxl_put_zero(out, out->size);
    return CXL_RC_SUCCESS;
}

static CXLRetCode fill(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    while (cxl_writer_fits(out, 1, 0)) {
        cxl_put_u8(out, 0xee);
    }
    return CXL_RC_SUCCESS;
}

static CXLRetCode nested(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    uint8_t inner[4];
    size_t len;

    g_assert_cmphex(cci->current->opcode, ==, OP_NESTED);
    g_assert_cmphex(cxl_cci_process(cci, OP_EXACT, "abcd", 4, inner,
                                    sizeof(inner), &len), ==, CXL_RC_SUCCESS);
    g_assert_cmphex(cci->current->opcode, ==, OP_NESTED);
    cxl_put_bytes(out, inner, len);
    return CXL_RC_SUCCESS;
}

static CXLRetCode start(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    handled++;
    cxl_put_le32(out, 0xffffffff);
    return cxl_cci_bg_start(cci, BG_MS);
}

/* how often bg_done finds that it has to come again */
static unsigned rounds_left;

static CXLRetCode bg_done(CXLCCI *cci)
{
    done++;
    if (rounds_left) {
        rounds_left--;
        return cxl_cci_bg_continue(cci, BG_MS);
    }
    return final_code;
}

static void bg_abort(CXLCCI *cci)
{
    aborted++;
}

static bool absent(const CXLCCI *cci)
{
    return cci->host_id == 7;
}

#define EVERY (CXL_CCI_MAILBOX | CXL_CCI_FM)
#define ROW(op, eff, rule, fn, ...) \
    { .opcode = (op), .effects = (eff), .where = EVERY, .len = rule, \
      .name = #op, .handler = (fn), ## __VA_ARGS__ }

static const CXLCmd high_rows[] = {
    ROW(OP_BG, 0x64, CXL_LEN(0), start, .flags = CXL_CMD_BG,
        .bg_done = bg_done, .bg_abort = bg_abort),
    ROW(OP_BG_ABORTABLE, CXL_EFF_BACKGROUND | CXL_EFF_ABORTABLE, CXL_LEN(0),
        start, .flags = CXL_CMD_BG, .bg_done = bg_done, .bg_abort = bg_abort),
    ROW(OP_BG_MEDIA, 0x40, CXL_LEN(0), start,
        .flags = CXL_CMD_BG | CXL_CMD_MEDIA),
    ROW(OP_BG_NOW, 0x40, CXL_LEN(0), echo, .flags = CXL_CMD_BG),
};

static const CXLCmd low_rows[] = {
    ROW(OP_EXACT, 0x0001, CXL_LEN(4), echo),
    ROW(OP_AT_LEAST, 0x0002, CXL_LEN_MIN(3), echo),
    ROW(OP_RANGE, 0x0e07, CXL_LEN_RANGE(4, 5), echo),
    ROW(OP_LIST32, 0, CXL_LEN_LIST(8, 0x18, 0, 4), echo),
    ROW(OP_LIST16, 0, CXL_LEN_LIST(6, 10, 2, 2), echo),
    ROW(OP_LIST8, 0, CXL_LEN_LIST(3, 2, 2, 1), echo),
    ROW(OP_MEDIA, 0, CXL_LEN(0), echo, .flags = CXL_CMD_MEDIA),
    { .opcode = OP_FM_ONLY, .where = CXL_CCI_FM, .len = CXL_LEN(0),
      .name = "FM only", .handler = echo },
    ROW(OP_ABSENT, 0, CXL_LEN(0), echo, .present = absent),
    ROW(OP_FAILS, 0, CXL_LEN(0), fails),
    ROW(OP_TOO_MUCH, 0, CXL_LEN(0), too_much),
    ROW(OP_FILL, 0, CXL_LEN(0), fill),
    ROW(OP_NESTED, 0, CXL_LEN(0), nested),
};

static const CXLCmdSet high = CXL_CMD_SET("high", high_rows);
static const CXLCmdSet low = CXL_CMD_SET("low", low_rows);

/* out of order on purpose: the CCI sorts */
const CXLCmdSet *const cxl_cmd_sets[] = { &high, &low, NULL };

static bool media_disabled(const CXLCCI *cci)
{
    return media_is_disabled;
}

static void notify(CXLCCI *cci)
{
    g_assert_false(cci->bg.running);
    ended++;
}

static void setup(CXLCCI *cci, gconstpointer data)
{
    memset(cci, 0, sizeof(*cci));
    handled = done = aborted = ended = rounds_left = 0;
    media_is_disabled = false;
    final_code = CXL_RC_SUCCESS;
    cci->media_disabled = media_disabled;
    cci->bg_notify = notify;
    cxl_cci_init(cci, CXL_CCI_MAILBOX, NULL, PAYLOAD);
}

static void teardown(CXLCCI *cci, gconstpointer data)
{
    cxl_cci_destroy(cci);
}

static uint8_t out[PAYLOAD + 64];
static size_t out_len;

static CXLRetCode run(CXLCCI *cci, uint16_t op, const void *in, size_t len)
{
    memset(out, 0xcc, sizeof(out));
    out_len = SIZE_MAX;
    return cxl_cci_process(cci, op, in, len, out, sizeof(out), &out_len);
}

static CXLRetCode run_len(CXLCCI *cci, uint16_t op, size_t len)
{
    static const uint8_t zeroes[PAYLOAD * 2];

    return run(cci, op, zeroes, len);
}

/* -- dispatch -------------------------------------------------------------- */

static void test_unknown_opcode(CXLCCI *cci, gconstpointer data)
{
    static const uint16_t ops[] = { 0, 0x00ff, 0x0103, 0x4404, 0xffff };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(ops); i++) {
        g_assert_cmphex(run_len(cci, ops[i], 3), ==, CXL_RC_UNSUPPORTED);
        g_assert_cmpuint(out_len, ==, 0);
    }
}

static void test_kind_and_presence_pick_rows(CXLCCI *cci, gconstpointer data)
{
    g_assert_cmphex(run_len(cci, OP_FM_ONLY, 0), ==, CXL_RC_UNSUPPORTED);
    g_assert_cmphex(run_len(cci, OP_ABSENT, 0), ==, CXL_RC_UNSUPPORTED);
    cci->host_id = 7;
    cxl_cci_init(cci, CXL_CCI_FM, NULL, PAYLOAD);
    g_assert_cmphex(run_len(cci, OP_FM_ONLY, 0), ==, CXL_RC_SUCCESS);
    g_assert_cmphex(run_len(cci, OP_ABSENT, 0), ==, CXL_RC_SUCCESS);
    cxl_cci_init(cci, CXL_CCI_SWITCH, NULL, PAYLOAD);
    g_assert_cmphex(run_len(cci, OP_EXACT, 4), ==, CXL_RC_UNSUPPORTED);
    g_assert_cmpuint(cxl_cci_cel_size(cci), ==, 0);
}

static void test_order_of_checks(CXLCCI *cci, gconstpointer data)
{
    g_assert_cmphex(run_len(cci, OP_BG, 0), ==, CXL_RC_BG_STARTED);
    media_is_disabled = true;
    /* unknown before length, length before busy, busy before media */
    g_assert_cmphex(run_len(cci, 0x4404, 5), ==, CXL_RC_UNSUPPORTED);
    g_assert_cmphex(run_len(cci, OP_BG_MEDIA, 1), ==,
                    CXL_RC_INVALID_PAYLOAD_LENGTH);
    g_assert_cmphex(run_len(cci, OP_BG_MEDIA, 0), ==, CXL_RC_BUSY);
    g_assert_cmphex(run_len(cci, OP_MEDIA, 1), ==,
                    CXL_RC_INVALID_PAYLOAD_LENGTH);
    g_assert_cmphex(run_len(cci, OP_MEDIA, 0), ==, CXL_RC_MEDIA_DISABLED);
    g_assert_cmphex(run_len(cci, OP_EXACT, 4), ==, CXL_RC_SUCCESS);
    g_assert_cmpuint(handled, ==, 2);
}

static void test_nested_request(CXLCCI *cci, gconstpointer data)
{
    g_assert_cmphex(run_len(cci, OP_NESTED, 0), ==, CXL_RC_SUCCESS);
    g_assert_cmpmem(out, out_len, "abcd", 4);
    g_assert_null(cci->current);
}

/* -- length rules ---------------------------------------------------------- */

static bool accepts(CXLCCI *cci, uint16_t op, const void *in, size_t len)
{
    unsigned before = handled;
    CXLRetCode rc = run(cci, op, in, len);

    if (rc == CXL_RC_SUCCESS) {
        g_assert_cmpuint(handled, ==, before + 1);
        return true;
    }
    g_assert_cmphex(rc, ==, CXL_RC_INVALID_PAYLOAD_LENGTH);
    g_assert_cmpuint(handled, ==, before);
    g_assert_cmpuint(out_len, ==, 0);
    return false;
}

static void test_fixed_lengths(CXLCCI *cci, gconstpointer data)
{
    static const uint8_t zeroes[PAYLOAD + 1];
    size_t len;

    for (len = 0; len <= PAYLOAD + 1; len++) {
        g_assert(accepts(cci, OP_EXACT, zeroes, len) == (len == 4));
        g_assert(accepts(cci, OP_RANGE, zeroes, len) ==
                 (len == 4 || len == 5));
        g_assert(accepts(cci, OP_AT_LEAST, zeroes, len) ==
                 (len >= 3 && len <= PAYLOAD));
    }
}

static void test_list_lengths(CXLCCI *cci, gconstpointer data)
{
    uint8_t in[PAYLOAD] = { 0 };
    size_t len, n;

    for (n = 0; n < 6; n++) {
        for (len = 0; len < 200; len++) {
            memset(in, 0, sizeof(in));
            stl_le_p(in, n);
            g_assert(accepts(cci, OP_LIST32, in, len) == (len == 8 + 24 * n));
            memset(in, 0xff, 2);
            stw_le_p(in + 2, n);
            g_assert(accepts(cci, OP_LIST16, in, len) == (len == 6 + 10 * n));
            memset(in, 0xff, 4);
            in[2] = n;
            g_assert(accepts(cci, OP_LIST8, in, len) == (len == 3 + 2 * n));
        }
    }
}

static void test_list_counts_that_wrap(CXLCCI *cci, gconstpointer data)
{
    /* count * 18h is 8, 0 and -18h modulo 2^32 */
    static const uint32_t counts[] = { 0x0aaaaaab, 0x20000000, UINT32_MAX };
    uint8_t in[PAYLOAD] = { 0 };
    unsigned i;
    size_t len;

    for (i = 0; i < ARRAY_SIZE(counts); i++) {
        stl_le_p(in, counts[i]);
        for (len = 0; len <= PAYLOAD; len++) {
            g_assert_false(accepts(cci, OP_LIST32, in, len));
        }
    }
}

/* -- responses ------------------------------------------------------------- */

static void all_zero(size_t from, size_t to)
{
    for (; from < to; from++) {
        g_assert_cmphex(out[from], ==, 0);
    }
}

static void test_error_answers_nothing(CXLCCI *cci, gconstpointer data)
{
    g_assert_cmphex(run_len(cci, OP_FAILS, 0), ==, CXL_RC_INVALID_LOG);
    g_assert_cmpuint(out_len, ==, 0);
    all_zero(0, sizeof(out));
    g_assert_cmphex(run_len(cci, OP_TOO_MUCH, 0), ==, CXL_RC_INTERNAL_ERROR);
    g_assert_cmpuint(out_len, ==, 0);
    all_zero(0, sizeof(out));
    g_assert_cmphex(run_len(cci, OP_BG, 0), ==, CXL_RC_BG_STARTED);
    g_assert_cmpuint(out_len, ==, 0);
    all_zero(0, sizeof(out));
}

static void test_response_limits(CXLCCI *cci, gconstpointer data)
{
    uint8_t small[10];

    g_assert_cmphex(run_len(cci, OP_FILL, 0), ==, CXL_RC_SUCCESS);
    g_assert_cmpuint(out_len, ==, PAYLOAD);
    all_zero(PAYLOAD, sizeof(out));
    cci->response_limit = 8;
    g_assert_cmphex(run_len(cci, OP_FILL, 0), ==, CXL_RC_SUCCESS);
    g_assert_cmpuint(out_len, ==, 256);
    all_zero(256, sizeof(out));
    g_assert_cmphex(cxl_cci_process(cci, OP_FILL, NULL, 0, small,
                                    sizeof(small), &out_len), ==,
                    CXL_RC_SUCCESS);
    g_assert_cmpuint(out_len, ==, sizeof(small));
    /* a limit above the payload widens nothing */
    cci->response_limit = 20;
    g_assert_cmphex(run_len(cci, OP_FILL, 0), ==, CXL_RC_SUCCESS);
    g_assert_cmpuint(out_len, ==, PAYLOAD);
    g_assert_cmphex(cxl_cci_process(cci, OP_FILL, NULL, 0, NULL, 0, &out_len),
                    ==, CXL_RC_SUCCESS);
    g_assert_cmpuint(out_len, ==, 0);
}

/* -- effects log ----------------------------------------------------------- */

static void test_effects_log_lists_the_rows(CXLCCI *cci, gconstpointer data)
{
    size_t size = cxl_cci_cel_size(cci), at, len;
    uint8_t cel[256], part[256];
    uint16_t last = 0;
    CXLWriter w;

    /* all but "FM only" and "absent" */
    g_assert_cmpuint(size, ==, 4 * (ARRAY_SIZE(low_rows) - 2 +
                                    ARRAY_SIZE(high_rows)));
    cxl_writer_init(&w, cel, sizeof(cel));
    cxl_cci_cel_read(cci, 0, size, &w);
    g_assert_cmpuint(w.len, ==, size);
    for (at = 0; at < size; at += 4) {
        uint16_t op = lduw_le_p(cel + at);

        g_assert_cmpuint(op, >, last);
        g_assert_cmphex(op, !=, OP_FM_ONLY);
        g_assert_cmphex(op, !=, OP_ABSENT);
        g_assert_cmphex(lduw_le_p(cel + at + 2), ==,
                        cxl_cci_find(cci, op)->effects);
        last = op;
    }
    g_assert_cmphex(lduw_le_p(cel + 8), ==, OP_RANGE);
    g_assert_cmphex(lduw_le_p(cel + 10), ==, 0x0e07);

    for (at = 0; at <= size; at++) {
        for (len = 0; len <= size - at; len += 3) {
            cxl_writer_init(&w, part, sizeof(part));
            cxl_cci_cel_read(cci, at, len, &w);
            g_assert_cmpmem(part, w.len, cel + at, len);
        }
    }
}

/* -- background operation -------------------------------------------------- */

static void test_bg_runs_and_ends(CXLCCI *cci, gconstpointer data)
{
    final_code = CXL_RC_MEDIA_FAILURE;
    g_assert_cmphex(run_len(cci, OP_BG, 0), ==, CXL_RC_BG_STARTED);
    g_assert_true(cci->bg.running);
    g_assert_cmphex(cci->bg.opcode, ==, OP_BG);
    g_assert_cmpuint(cxl_cci_bg_percent(cci), ==, 0);
    fake_clock_step(BG_MS / 4 * SCALE_MS);
    g_assert_cmpuint(cxl_cci_bg_percent(cci), ==, 25);
    fake_clock_step(BG_MS * 3 / 4 * SCALE_MS - 1);
    g_assert_cmpuint(cxl_cci_bg_percent(cci), ==, 99);
    g_assert_cmpuint(done, ==, 0);
    fake_clock_step(1);
    g_assert_cmpuint(done, ==, 1);
    g_assert_cmpuint(ended, ==, 1);
    g_assert_false(cci->bg.running);
    g_assert_cmpuint(cxl_cci_bg_percent(cci), ==, 100);
    g_assert_cmphex(cci->bg.ret_code, ==, CXL_RC_MEDIA_FAILURE);
    g_assert_cmphex(cci->bg.opcode, ==, OP_BG);

    /* the next one starts from 0 with a clean code */
    g_assert_cmphex(run_len(cci, OP_BG_ABORTABLE, 0), ==, CXL_RC_BG_STARTED);
    g_assert_cmpuint(cxl_cci_bg_percent(cci), ==, 0);
    g_assert_cmphex(cci->bg.ret_code, ==, CXL_RC_SUCCESS);
}

static void test_bg_goes_on_until_done(CXLCCI *cci, gconstpointer data)
{
    rounds_left = 2;
    g_assert_cmphex(run_len(cci, OP_BG, 0), ==, CXL_RC_BG_STARTED);
    fake_clock_step(BG_MS * SCALE_MS);
    g_assert_cmpuint(done, ==, 1);
    g_assert_cmpuint(ended, ==, 0);
    g_assert_cmphex(run_len(cci, OP_BG, 0), ==, CXL_RC_BUSY);
    g_assert_cmpuint(cxl_cci_bg_percent(cci), ==, 50);
    fake_clock_step(BG_MS * SCALE_MS);
    g_assert_cmpuint(done, ==, 2);
    g_assert_true(cci->bg.running);
    fake_clock_step(BG_MS * SCALE_MS - 1);
    g_assert_cmpuint(done, ==, 2);
    fake_clock_step(1);
    g_assert_cmpuint(done, ==, 3);
    g_assert_cmpuint(ended, ==, 1);
    g_assert_false(cci->bg.running);
    g_assert_cmpuint(cxl_cci_bg_percent(cci), ==, 100);
    g_assert_cmphex(cci->bg.ret_code, ==, CXL_RC_SUCCESS);
}

static void test_bg_one_at_a_time(CXLCCI *cci, gconstpointer data)
{
    g_assert_cmphex(run_len(cci, OP_BG, 0), ==, CXL_RC_BG_STARTED);
    g_assert_cmphex(run_len(cci, OP_BG, 0), ==, CXL_RC_BUSY);
    g_assert_cmphex(run_len(cci, OP_BG_NOW, 0), ==, CXL_RC_BUSY);
    fake_clock_step(BG_MS * SCALE_MS);
    g_assert_cmphex(run_len(cci, OP_BG_NOW, 0), ==, CXL_RC_SUCCESS);
    g_assert_cmphex(cci->bg.opcode, ==, OP_BG);
}

static void test_bg_without_row_hooks(CXLCCI *cci, gconstpointer data)
{
    g_assert_cmphex(run_len(cci, OP_BG_MEDIA, 0), ==, CXL_RC_BG_STARTED);
    fake_clock_step(BG_MS * SCALE_MS);
    g_assert_false(cci->bg.running);
    g_assert_cmphex(cci->bg.ret_code, ==, CXL_RC_SUCCESS);
}

static void test_abort(CXLCCI *cci, gconstpointer data)
{
    g_assert_cmphex(cxl_cci_bg_abort(cci), ==, CXL_RC_SUCCESS);
    g_assert_cmpuint(ended, ==, 0);

    run_len(cci, OP_BG, 0);
    g_assert_cmphex(cxl_cci_bg_abort(cci), ==, CXL_RC_NO_BG_ABORT);
    g_assert_true(cci->bg.running);
    fake_clock_step(BG_MS * SCALE_MS);
    g_assert_cmpuint(done, ==, 1);

    run_len(cci, OP_BG_ABORTABLE, 0);
    fake_clock_step(BG_MS / 2 * SCALE_MS);
    g_assert_cmphex(cxl_cci_bg_abort(cci), ==, CXL_RC_SUCCESS);
    g_assert_false(cci->bg.running);
    g_assert_cmphex(cci->bg.ret_code, ==, CXL_RC_ABORTED);
    g_assert_cmpuint(aborted, ==, 1);
    g_assert_cmpuint(ended, ==, 2);
    fake_clock_step(BG_MS * SCALE_MS);
    g_assert_cmpuint(done, ==, 1);

    /* too late: it completes */
    run_len(cci, OP_BG_ABORTABLE, 0);
    fake_clock_step(BG_MS * 9 / 10 * SCALE_MS);
    g_assert_cmphex(cxl_cci_bg_abort(cci), ==, CXL_RC_SUCCESS);
    g_assert_true(cci->bg.running);
    fake_clock_step(BG_MS * SCALE_MS);
    g_assert_cmphex(cci->bg.ret_code, ==, CXL_RC_SUCCESS);
    g_assert_cmpuint(done, ==, 2);
    g_assert_cmpuint(aborted, ==, 1);
}

static void test_reset_drops_background(CXLCCI *cci, gconstpointer data)
{
    cci->response_limit = 9;
    run_len(cci, OP_BG, 0);
    cxl_cci_reset(cci);
    g_assert_cmpuint(aborted, ==, 1);
    g_assert_cmpuint(cci->response_limit, ==, 0);
    g_assert_false(cci->bg.running);
    g_assert_cmphex(cci->bg.opcode, ==, 0);
    g_assert_cmpuint(cxl_cci_bg_percent(cci), ==, 0);
    fake_clock_step(BG_MS * 2 * SCALE_MS);
    g_assert_cmpuint(done, ==, 0);
    g_assert_cmpuint(ended, ==, 0);
    g_assert_cmphex(run_len(cci, OP_BG, 0), ==, CXL_RC_BG_STARTED);
    fake_clock_step(BG_MS * SCALE_MS);
    g_assert_cmpuint(done, ==, 1);
}

static void test_destroy_while_running(void)
{
    CXLCCI cci;

    setup(&cci, NULL);
    run_len(&cci, OP_BG, 0);
    cxl_cci_destroy(&cci);
    cxl_cci_destroy(&cci);
    fake_clock_step(BG_MS * 2 * SCALE_MS);
    g_assert_cmpuint(done, ==, 0);
    g_assert_cmphex(run_len(&cci, OP_EXACT, 4), ==, CXL_RC_UNSUPPORTED);
}

/* -- migration ------------------------------------------------------------- */

static void test_background_survives_migration(CXLCCI *cci, gconstpointer data)
{
    g_autoptr(GByteArray) bytes = NULL;
    CXLCCI to = { 0 };

    run_len(cci, OP_BG, 0);
    cci->response_limit = 9;
    fake_clock_step(BG_MS / 2 * SCALE_MS);
    bytes = state_save(&vmstate_cxl_cci, cci);
    cxl_cci_reset(cci);
    to.bg_notify = notify;
    cxl_cci_init(&to, CXL_CCI_MAILBOX, NULL, PAYLOAD);
    g_assert_cmpint(state_load(&vmstate_cxl_cci, &to, bytes->data, bytes->len),
                    ==, 0);
    g_assert_cmpuint(to.response_limit, ==, 9);
    g_assert_cmpuint(cxl_cci_bg_percent(&to), ==, 50);
    g_assert_cmphex(run_len(&to, OP_BG_NOW, 0), ==, CXL_RC_BUSY);
    final_code = CXL_RC_INTERRUPTED;
    fake_clock_step(BG_MS / 2 * SCALE_MS - 1);
    g_assert_cmpuint(done, ==, 0);
    fake_clock_step(1);
    g_assert_cmpuint(done, ==, 1);
    g_assert_cmpuint(ended, ==, 1);
    g_assert_cmphex(to.bg.ret_code, ==, CXL_RC_INTERRUPTED);
    cxl_cci_destroy(&to);
}

static void refuse(CXLCCI *cci)
{
    g_autoptr(GByteArray) bytes = state_save(&vmstate_cxl_cci, cci);
    CXLCCI to = { 0 };

    cxl_cci_init(&to, CXL_CCI_MAILBOX, NULL, PAYLOAD);
    g_assert_true(state_is_refused(&vmstate_cxl_cci, &to,
                                   bytes->data, bytes->len));
    cxl_cci_destroy(&to);
}

static void test_migration_refuses_nonsense(CXLCCI *cci, gconstpointer data)
{
    CXLCCI good;

    run_len(cci, OP_BG, 0);
    good = *cci;
    cci->bg.opcode = OP_EXACT;          /* runs never in the background */
    refuse(cci);
    cci->bg.opcode = 0xffff;
    refuse(cci);
    cci->bg = good.bg;
    cci->bg.duration_ns = -1;
    refuse(cci);
    cci->bg.duration_ns = INT64_MAX;
    refuse(cci);
    cci->bg = good.bg;
    cci->bg.started_ns = INT64_MAX;     /* the end would wrap */
    refuse(cci);
    cci->bg.started_ns = -1;
    refuse(cci);
    cci->bg = good.bg;
    cci->bg.percent = 101;
    refuse(cci);
    cci->bg = good.bg;
    cci->bg.ret_code = CXL_RC_COUNT;
    refuse(cci);
    cci->bg = good.bg;
    cci->response_limit = 7;
    refuse(cci);
    cci->response_limit = 11;           /* beyond the payload */
    refuse(cci);
    cci->response_limit = 0;
}

static void test_rc_names(void)
{
    unsigned rc;

    for (rc = 0; rc < CXL_RC_COUNT; rc++) {
        g_assert_cmpstr(cxl_rc_name(rc), !=, "unknown code");
    }
    g_assert_cmpstr(cxl_rc_name(CXL_RC_COUNT), ==, "unknown code");
    g_assert_cmpstr(cxl_rc_name(UINT_MAX), ==, "unknown code");
}

#define ADD(path, fn) \
    g_test_add("/cxl/cci/" path, CXLCCI, NULL, setup, fn, teardown)

int main(int argc, char **argv)
{
    module_call_init(MODULE_INIT_QOM);
    g_test_init(&argc, &argv, NULL);
    fake_clock_init();
    ADD("dispatch/unknown", test_unknown_opcode);
    ADD("dispatch/kind-and-presence", test_kind_and_presence_pick_rows);
    ADD("dispatch/order", test_order_of_checks);
    ADD("dispatch/nested", test_nested_request);
    ADD("length/fixed", test_fixed_lengths);
    ADD("length/list", test_list_lengths);
    ADD("length/list-wraps", test_list_counts_that_wrap);
    ADD("response/error", test_error_answers_nothing);
    ADD("response/limits", test_response_limits);
    ADD("effects-log", test_effects_log_lists_the_rows);
    ADD("background/runs", test_bg_runs_and_ends);
    ADD("background/goes-on", test_bg_goes_on_until_done);
    ADD("background/one-at-a-time", test_bg_one_at_a_time);
    ADD("background/no-hooks", test_bg_without_row_hooks);
    ADD("background/abort", test_abort);
    ADD("background/reset", test_reset_drops_background);
    g_test_add_func("/cxl/cci/background/destroy", test_destroy_while_running);
    ADD("migration/background", test_background_survives_migration);
    ADD("migration/nonsense", test_migration_refuses_nonsense);
    g_test_add_func("/cxl/cci/rc-names", test_rc_names);
    return g_test_run();
}
