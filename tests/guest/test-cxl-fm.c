/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unit test of the Fabric Manager's commands: bytes of requests, answers of
 * every length, words of the command line
 */
#include <errno.h>
#include <glib.h>

#include "fm-args.h"
#include "fm-print.h"
#include "host-cmds.h"

/** struct fake - a component that answers what it was told to */
struct fake {
    struct cxl_conn conn;
    struct cxl_req seen;
    struct cxl_rsp answer;
    unsigned runs;
};

static int fake_run(struct cxl_conn *conn, const struct cxl_req *req,
                    struct cxl_rsp *rsp)
{
    struct fake *fake = (struct fake *)conn;

    fake->seen = *req;
    fake->runs++;
    *rsp = fake->answer;
    return 0;
}

static void fake_start(struct fake *fake, size_t answer_len)
{
    memset(fake, 0, sizeof(*fake));
    fake->conn.run = fake_run;
    fake->conn.max_req = fake->conn.max_rsp = 2048;
    fake->answer.len = answer_len;
}

/* One call of each command, with arguments that ask for nothing variable */
static int call(struct cxl_conn *conn, unsigned which)
{
    static struct cxl_dc_events events;
    static struct cxl_extent_page page;
    static struct fm_tags tags;
    struct host_regions host;
    struct fm_regions regions;
    struct fm_dcd_info info;
    struct fm_identity id;
    struct fm_order order = { .policy = FM_ADD_FREE };
    static const uint8_t tag[16];

    switch (which) {
    case 0: return fm_identify(conn, &id);
    case 1: return fm_read_dc_events(conn, &events);
    case 2: return fm_get_dcd_info(conn, &info);
    case 3: return fm_get_regions(conn, 0, 8, 0, &regions);
    case 4: return fm_set_region(conn, 0, 64, false);
    case 5: return fm_get_extents(conn, 0, 8, 0, &page);
    case 6: return fm_add(conn, &order);
    case 7: return fm_release(conn, &order);
    case 8: return fm_add_reference(conn, tag);
    case 9: return fm_remove_reference(conn, tag);
    case 10: return fm_list_tags(conn, 0, 8, &tags);
    case 11: return host_get_regions(conn, 8, 0, &host);
    case 12: return host_get_extents(conn, 8, 0, &page);
    default: return host_respond(conn, NULL, 0);
    }
}

static const struct {
    uint16_t opcode;
    uint8_t request, answer;    /* lengths by the tables of r3.2 */
} commands[] = {
    { 0x0001, 0, 18 }, { 0x0100, 1, 32 }, { 0x5600, 0, 84 },
    { 0x5601, 4, 20 }, { 0x5602, 16, 0 }, { 0x5603, 12, 24 },
    { 0x5604, 32, 0 }, { 0x5605, 32, 0 }, { 0x5606, 16, 0 },
    { 0x5607, 16, 0 }, { 0x5608, 8, 16 }, { 0x4800, 2, 24 },
    { 0x4801, 8, 16 }, { 0x4802, 8, 0 },
};

static void lengths(void)
{
    static struct fake fake;

    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++) {
        for (size_t len = 0; len <= 100; len++) {
            fake_start(&fake, len);
            g_assert_cmpint(call(&fake.conn, i), ==,
                            len == commands[i].answer ? 0 : -EBADMSG);
        }
        g_assert_cmphex(fake.seen.opcode, ==, commands[i].opcode);
        g_assert_cmpuint(fake.seen.len, ==, commands[i].request);
    }
}

static void return_codes(void)
{
    static struct fake fake;

    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++) {
        fake_start(&fake, 0);
        fake.answer.rc = CXL_RC_BUSY;
        g_assert_cmpint(call(&fake.conn, i), ==, CXL_RC_BUSY);
    }
}

/* An answer that claims more entries than it has, or than were asked for */
static void lying_counts(void)
{
    static struct fake fake;
    static struct cxl_extent_page page;

    fake_start(&fake, 0x18);
    fake.answer.data[8] = 1;
    g_assert_cmpint(fm_get_extents(&fake.conn, 0, 8, 0, &page), ==, -EBADMSG);
    fake_start(&fake, 0x18 + CXL_EXTENT_SIZE);
    fake.answer.data[8] = 1;
    g_assert_cmpint(fm_get_extents(&fake.conn, 0, 8, 0, &page), ==, 0);
    g_assert_cmpint(fm_get_extents(&fake.conn, 0, 0, 0, &page), ==, -EBADMSG);
    fake_start(&fake, 0x18);
    fake.answer.data[11] = 0x80;
    g_assert_cmpint(fm_get_extents(&fake.conn, 0, UINT32_MAX, 0, &page), ==,
                    -EBADMSG);
}

static void add_bytes(void)
{
    static struct fake fake;
    struct cxl_extent ext = {
        .dpa = 0x1122334455667788, .len = 0x200000, .tag = { 0xaa, 0xbb },
        .seq = 0x0102,
    };
    struct fm_order order = {
        .host = 0x0304, .policy = FM_ADD_PRESCRIPTIVE, .region = 1,
        .ext = &ext, .n = 1,
    };
    static const uint8_t want[] = {
        0x04, 0x03, 0x02, 0x01, [28] = 1,
        [32] = 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,
        [42] = 0x20, [48] = 0xaa, 0xbb, [64] = 0x02, 0x01, [71] = 0,
    };

    fake_start(&fake, 0);
    g_assert_cmpint(fm_add(&fake.conn, &order), ==, 0);
    g_assert_cmpmem(fake.seen.data, fake.seen.len, want, sizeof(want));
}

/* More extents than a payload carries are refused before anything is sent */
static void too_long(void)
{
    static struct fake fake;
    static struct cxl_extent ext[200];
    struct fm_order order = {
        .policy = FM_ADD_PRESCRIPTIVE, .ext = ext, .n = 200,
    };

    fake_start(&fake, 0);
    g_assert_cmpint(fm_add(&fake.conn, &order), ==, -EMSGSIZE);
    order.n = 51;
    g_assert_cmpint(fm_add(&fake.conn, &order), ==, -EMSGSIZE);
    g_assert_cmpuint(fake.runs, ==, 0);
    order.n = 50;
    g_assert_cmpint(fm_add(&fake.conn, &order), ==, 0);
}

/* A host's answer is one operation in several payloads */
static void more_flag(void)
{
    static struct fake fake;
    static struct cxl_range ranges[200];

    fake_start(&fake, 0);
    g_assert_cmpint(host_respond(&fake.conn, ranges, 200), ==, 0);
    g_assert_cmpuint(fake.runs, ==, 3);
    g_assert_cmpuint(fake.seen.data[0], ==, 200 - 2 * 85);
    g_assert_cmpuint(fake.seen.data[4], ==, 0);
}

static void words(void)
{
    struct cxl_extent ext;
    uint8_t tag[16];
    uint64_t n;

    g_assert_true(fm_arg_u64("64M", &n) && n == 64 << 20);
    g_assert_true(fm_arg_u64("0x10k", &n) && n == 16384);
    g_assert_true(fm_arg_u64("18446744073709551615", &n) && n == UINT64_MAX);
    g_assert_false(fm_arg_u64("18446744073709551616", &n));
    g_assert_false(fm_arg_u64("16777216T", &n));
    g_assert_false(fm_arg_u64("", &n));
    g_assert_false(fm_arg_u64("-1", &n));
    g_assert_false(fm_arg_u64("5x", &n));
    g_assert_true(fm_arg_tag("abcd", tag) && tag[0] == 0xab && tag[1] == 0xcd);
    g_assert_true(fm_arg_tag("00112233-4455-6677-8899-aabbccddeeff", tag) &&
                  tag[15] == 0xff);
    g_assert_false(fm_arg_tag("00112233-4455-6677-8899-aabbccddeeff0", tag));
    g_assert_false(fm_arg_tag("xyz", tag));
    g_assert_false(fm_arg_tag("", tag));
    g_assert_false(fm_arg_tag("0011-22", tag));
    g_assert_false(fm_arg_tag("00112233-4455-6677-8899", tag));
    g_assert_false(fm_arg_tag("001122334455-6677-8899-aabbccddeeff", tag));
    g_assert_false(fm_arg_tag("00112233--455-6677-8899-aabbccddeeff", tag));
    g_assert_true(fm_arg_tag("-", tag) && tag[0] == 0);
    g_assert_true(fm_arg_extent("0x10000000+32M:12", &ext) &&
                  ext.dpa == 0x10000000 && ext.len == 32 << 20 &&
                  ext.tag[0] == 0x12);
    g_assert_false(fm_arg_extent("0x10000000", &ext));
}

static void picture(void)
{
    struct fm_regions regions = {
        .n = 1, .region = { { .base = 0x1000, .len = 0x800, .block = 0x100 } }
    };
    struct cxl_extent held[] = {
        { .dpa = 0x1100, .len = 0x100, .tag = { 1 } },
        { .dpa = 0x1300, .len = 0x100 },
    };
    struct fm_map map = { .regions = &regions, .ext = held, .nr_ext = 2 };
    char text[1024] = "";
    FILE *out = fmemopen(text, sizeof(text), "w");

    fm_print_map(out, "", &map, 8);
    fm_print_map(out, "", &map, 4);
    map.colour = true;
    fm_print_map(out, "", &map, 8);
    fclose(out);
    g_assert_nonnull(strstr(text, "\n|.A.#....|\n"));
    g_assert_nonnull(strstr(text, "\n|++..|\n"));
    g_assert_nonnull(strstr(text, "\n|.\x1b[31mA\x1b[0m.#....|\n"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cxl-fm/lengths", lengths);
    g_test_add_func("/cxl-fm/return-codes", return_codes);
    g_test_add_func("/cxl-fm/lying-counts", lying_counts);
    g_test_add_func("/cxl-fm/add-bytes", add_bytes);
    g_test_add_func("/cxl-fm/too-long", too_long);
    g_test_add_func("/cxl-fm/more-flag", more_flag);
    g_test_add_func("/cxl-fm/words", words);
    g_test_add_func("/cxl-fm/picture", picture);
    return g_test_run();
}
