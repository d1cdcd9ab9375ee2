/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CCI core: order of checks, length rules, effects log, response limit, with
 * command sets of the test's own
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "cci-rows.h"

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
    cci_memdev.media_status = CXL_MEDIA_DISABLED;
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
    unsigned i, rows = 0;
    CXLWriter w;

    for (i = 0; cxl_cmd_sets[i]; i++) {
        rows += cxl_cmd_sets[i]->nr_cmds;
    }
    g_assert_cmpuint(size, ==, 4 * (rows - ROWS_NOT_OF_A_MAILBOX));
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
    g_test_add("/cxl/cci/" path, CXLCCI, NULL, cci_setup, fn, cci_teardown)

int main(int argc, char **argv)
{
    cci_test_init(&argc, &argv);
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
    g_test_add_func("/cxl/cci/rc-names", test_rc_names);
    return g_test_run();
}
