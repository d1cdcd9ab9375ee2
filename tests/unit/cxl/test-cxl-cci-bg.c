/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CCI core: background operation, and how it migrates
 */
#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "cci-rows.h"
#include "fake-clock.h"
#include "state-bytes.h"

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
    g_assert_cmpuint(cxl_cci_bg_percent(cci), ==, 99);
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

static void test_bg_time_is_scaled(CXLCCI *cci, gconstpointer data)
{
    uint8_t scale = 25;

    cci->bg_time_scale = &scale;
    rounds_left = 1;
    g_assert_cmphex(run_len(cci, OP_BG, 0), ==, CXL_RC_BG_STARTED);
    fake_clock_step(BG_MS / 4 * SCALE_MS - 1);
    g_assert_cmpuint(done, ==, 0);
    fake_clock_step(1);
    g_assert_cmpuint(done, ==, 1);
    /* so are the rounds behind the first one */
    fake_clock_step(BG_MS / 4 * SCALE_MS - 1);
    g_assert_true(cci->bg.running);
    fake_clock_step(1);
    g_assert_cmpuint(done, ==, 2);
    g_assert_false(cci->bg.running);

    scale = 0;
    g_assert_cmphex(run_len(cci, OP_BG, 0), ==, CXL_RC_BG_STARTED);
    fake_clock_step(0);
    g_assert_cmpuint(done, ==, 3);
    g_assert_false(cci->bg.running);
}

/* Slices of @first_ms do not change what was announced */
static void test_bg_in_slices(CXLCCI *cci, gconstpointer data)
{
    unsigned percent = 0, now;

    rounds_left = 7;
    slices = true;
    g_assert_cmphex(run_len(cci, OP_BG, 0), ==, CXL_RC_BG_STARTED);
    for (unsigned i = 1; i <= 8; i++) {
        for (unsigned k = 0; k < 8; k++) {
            fake_clock_step(BG_MS / 8 * SCALE_MS / 8);
            now = cxl_cci_bg_percent(cci);
            g_assert_cmpuint(now, >=, percent);
            percent = now;
        }
        g_assert_cmpuint(done, ==, i);
        if (i < 8) {
            g_assert_cmpuint(percent, ==, i * 100 / 8);
        }
    }
    g_assert_cmpuint(percent, ==, 100);
    g_assert_cmpuint(ended, ==, 1);
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

    cci_setup(&cci, NULL);
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
    to.bg_notify = cci_notify;
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
    cci->bg.due_ns = -1;
    refuse(cci);
    cci->bg.due_ns = INT64_MAX;
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

#define ADD(path, fn) \
    g_test_add("/cxl/cci/" path, CXLCCI, NULL, cci_setup, fn, cci_teardown)

int main(int argc, char **argv)
{
    cci_test_init(&argc, &argv);
    ADD("background/runs", test_bg_runs_and_ends);
    ADD("background/goes-on", test_bg_goes_on_until_done);
    ADD("background/scaled", test_bg_time_is_scaled);
    ADD("background/slices", test_bg_in_slices);
    ADD("background/one-at-a-time", test_bg_one_at_a_time);
    ADD("background/no-hooks", test_bg_without_row_hooks);
    ADD("background/abort", test_abort);
    ADD("background/reset", test_reset_drops_background);
    g_test_add_func("/cxl/cci/background/destroy", test_destroy_while_running);
    ADD("migration/background", test_background_survives_migration);
    ADD("migration/nonsense", test_migration_refuses_nonsense);
    return g_test_run();
}
