/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command sets of the tests' own: rows for each rule of the command core
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "hw/cxl/memdev/debug-log.h"
#include "cci-rows.h"
#include "fake-clock.h"

unsigned handled, done, aborted, ended;
unsigned rounds_left;
bool slices;
static CXLTimestamp rows_clock;
static CXLHistory history;
CXLMemDev cci_memdev = { .history = &history };
CXLRetCode final_code;

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
    if (slices) {
        return cxl_cci_bg_start_slices(cci, BG_MS, BG_MS / 8);
    }
    return cxl_cci_bg_start(cci, BG_MS);
}

static CXLRetCode bg_done(CXLCCI *cci)
{
    done++;
    if (rounds_left) {
        rounds_left--;
        return cxl_cci_bg_continue(cci, slices ? BG_MS / 8 : BG_MS);
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

void cci_notify(CXLCCI *cci)
{
    g_assert_false(cci->bg.running);
    ended++;
}

void cci_setup(CXLCCI *cci, gconstpointer data)
{
    memset(cci, 0, sizeof(*cci));
    handled = done = aborted = ended = rounds_left = 0;
    slices = false;
    cci_memdev.media_status = CXL_MEDIA_READY;
    cxl_history_init(&history, &rows_clock);
    final_code = CXL_RC_SUCCESS;
    cci->memdev = &cci_memdev;
    cci->bg_notify = cci_notify;
    cxl_cci_init(cci, CXL_CCI_MAILBOX, NULL, PAYLOAD);
}

void cci_teardown(CXLCCI *cci, gconstpointer data)
{
    cxl_cci_destroy(cci);
}

void cci_test_init(int *argc, char ***argv)
{
    module_call_init(MODULE_INIT_QOM);
    g_test_init(argc, argv, NULL);
    fake_clock_init();
}

uint8_t out[PAYLOAD + 64];
size_t out_len;

CXLRetCode run(CXLCCI *cci, uint16_t op, const void *in, size_t len)
{
    memset(out, 0xcc, sizeof(out));
    out_len = SIZE_MAX;
    return cxl_cci_process(cci, op, in, len, out, sizeof(out), &out_len);
}

CXLRetCode run_len(CXLCCI *cci, uint16_t op, size_t len)
{
    static const uint8_t zeroes[PAYLOAD * 2];

    return run(cci, op, zeroes, len);
}
