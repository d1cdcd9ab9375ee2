/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounds of the payload reader and writer
 */
#include "qemu/osdep.h"
#include "hw/cxl/cxl_msg.h"

#define CANARY 0xa5

static const uint8_t bytes[] = {
    0x01, 0x03, 0x02, 0x06, 0x05, 0x04, 0x0a, 0x09, 0x08, 0x07,
    0x12, 0x11, 0x10, 0x0f, 0x0e, 0x0d, 0x0c, 0x0b,
};

static void test_reader_is_little_endian(void)
{
    CXLReader r;

    cxl_reader_init(&r, bytes, sizeof(bytes));
    g_assert_cmphex(cxl_get_u8(&r), ==, 0x01);
    g_assert_cmphex(cxl_get_le16(&r), ==, 0x0203);
    g_assert_cmphex(cxl_get_le24(&r), ==, 0x040506);
    g_assert_cmphex(cxl_get_le32(&r), ==, 0x0708090a);
    g_assert_cmphex(cxl_get_le64(&r), ==, 0x0b0c0d0e0f101112);
    g_assert_false(r.overrun);
    g_assert_cmpuint(cxl_reader_left(&r), ==, 0);
}

static void test_reader_overrun_sticks(void)
{
    CXLReader r;

    cxl_reader_init(&r, bytes, 5);
    g_assert_cmphex(cxl_get_le32(&r), ==, 0x06020301);
    /* one byte is left: a wider read gets nothing of it */
    g_assert_cmphex(cxl_get_le16(&r), ==, 0);
    g_assert_true(r.overrun);
    g_assert_cmpuint(cxl_reader_left(&r), ==, 0);
    g_assert_cmphex(cxl_get_u8(&r), ==, 0);
    g_assert_cmphex(cxl_get_le24(&r), ==, 0);
    g_assert_cmphex(cxl_get_le64(&r), ==, 0);
    g_assert_true(r.overrun);
}

static void test_reader_refuses_every_width_at_the_end(void)
{
    size_t n;

    for (n = 0; n < 8; n++) {
        CXLReader r;

        cxl_reader_init(&r, bytes, n);
        g_assert_cmphex(cxl_get_le64(&r), ==, 0);
        g_assert_true(r.overrun);
    }
}

static void test_reader_huge_lengths(void)
{
    CXLReader r;

    cxl_reader_init(&r, bytes, sizeof(bytes));
    cxl_get_u8(&r);
    g_assert_null(cxl_reader_bytes(&r, SIZE_MAX));
    g_assert_true(r.overrun);

    cxl_reader_init(&r, bytes, sizeof(bytes));
    cxl_get_skip(&r, SIZE_MAX - 1);
    g_assert_true(r.overrun);
    g_assert_cmpuint(r.pos, ==, sizeof(bytes));
}

static void test_reader_copies_or_zeroes(void)
{
    uint8_t dst[4];
    QemuUUID uuid;
    CXLReader r;

    cxl_reader_init(&r, bytes, sizeof(bytes));
    cxl_get_uuid(&r, &uuid);
    g_assert_cmpmem(uuid.data, 16, bytes, 16);
    memset(dst, CANARY, sizeof(dst));
    cxl_get_bytes(&r, dst, 3);
    g_assert_true(r.overrun);
    g_assert_cmpmem(dst, 4, ((uint8_t[]) { 0, 0, 0, CANARY }), 4);
}

static void test_reader_without_data(void)
{
    CXLReader r;

    cxl_reader_init(&r, NULL, 0);
    cxl_get_bytes(&r, NULL, 0);
    g_assert_false(r.overrun);
    cxl_get_u8(&r);
    g_assert_true(r.overrun);
}

static void test_writer_is_little_endian(void)
{
    uint8_t buf[sizeof(bytes)];
    CXLWriter w;

    cxl_writer_init(&w, buf, sizeof(buf));
    cxl_put_u8(&w, 0x01);
    cxl_put_le16(&w, 0x0203);
    cxl_put_le24(&w, 0xff040506);
    cxl_put_le32(&w, 0x0708090a);
    cxl_put_le64(&w, 0x0b0c0d0e0f101112);
    g_assert_false(w.overflow);
    g_assert_cmpmem(buf, w.len, bytes, sizeof(bytes));
}

static void test_writer_overflow_sticks(void)
{
    uint8_t buf[8];
    CXLWriter w;

    memset(buf, CANARY, sizeof(buf));
    cxl_writer_init(&w, buf, 5);
    cxl_put_le32(&w, 0x11223344);
    cxl_put_le16(&w, 0xffff);
    g_assert_true(w.overflow);
    g_assert_cmpuint(w.len, ==, 4);
    /* would fit, but what precedes it is missing */
    cxl_put_u8(&w, 0xff);
    g_assert_cmpuint(w.len, ==, 4);
    g_assert_null(cxl_put_space(&w, 0));
    g_assert_cmpmem(buf, 8, ((uint8_t[]) { 0x44, 0x33, 0x22, 0x11, 0, CANARY,
                                           CANARY, CANARY }), 8);
}

static void test_writer_huge_lengths(void)
{
    uint8_t buf[4];
    CXLWriter w;

    cxl_writer_init(&w, buf, sizeof(buf));
    cxl_put_u8(&w, 1);
    g_assert_null(cxl_put_space(&w, SIZE_MAX));
    g_assert_true(w.overflow);
    cxl_writer_init(&w, buf, sizeof(buf));
    cxl_put_zero(&w, SIZE_MAX - 2);
    g_assert_true(w.overflow);
}

static void test_writer_patches_what_is_written(void)
{
    uint8_t buf[8];
    CXLWriter w;

    memset(buf, CANARY, sizeof(buf));
    cxl_writer_init(&w, buf, 8);
    cxl_put_zero(&w, 6);
    cxl_patch_le32(&w, 2, 0x04030201);
    cxl_patch_le16(&w, 0, 0x0605);
    cxl_patch_u8(&w, 5, 0x07);
    g_assert_false(w.overflow);
    g_assert_cmpmem(buf, 6, ((uint8_t[]) { 5, 6, 1, 2, 3, 7 }), 6);
    cxl_patch_le32(&w, 3, UINT32_MAX);
    g_assert_true(w.overflow);
    g_assert_cmpmem(buf, 8, ((uint8_t[]) { 5, 6, 1, 2, 3, 7, 0, 0 }), 8);

    cxl_writer_init(&w, buf, 8);
    cxl_put_zero(&w, 4);
    cxl_patch_u8(&w, SIZE_MAX, 1);
    g_assert_true(w.overflow);
}

/* What was taken back leaves nothing behind, and is room again */
static void test_writer_takes_back(void)
{
    uint8_t buf[8];
    uint8_t *space;
    CXLWriter w;

    cxl_writer_init(&w, buf, 8);
    cxl_put_le16(&w, 0x0201);
    space = cxl_put_space(&w, 6);
    memset(space, CANARY, 6);
    cxl_writer_unput(&w, 4);
    g_assert_cmpuint(w.len, ==, 4);
    g_assert_cmpmem(buf, 8, ((uint8_t[]) { 1, 2, CANARY, CANARY, 0, 0, 0, 0 }),
                    8);
    cxl_writer_unput(&w, 0);
    g_assert_cmpuint(w.len, ==, 4);
    g_assert_cmpuint(cxl_writer_fits(&w, 1, 0), ==, 4);
    cxl_put_le32(&w, 0x06050403);
    g_assert_false(w.overflow);
    cxl_writer_unput(&w, 8);
    g_assert_cmpuint(w.len, ==, 0);
    g_assert_cmpmem(buf, 8, ((uint8_t[8]) { 0 }), 8);
}

static void test_writer_fits(void)
{
    uint8_t buf[100];
    CXLWriter w;

    cxl_writer_init(&w, buf, sizeof(buf));
    g_assert_cmpuint(cxl_writer_fits(&w, 10, 0), ==, 10);
    g_assert_cmpuint(cxl_writer_fits(&w, 10, 1), ==, 9);
    cxl_put_zero(&w, 80);
    g_assert_cmpuint(cxl_writer_fits(&w, 10, 11), ==, 0);
    g_assert_cmpuint(cxl_writer_fits(&w, 10, 21), ==, 0);
    cxl_put_zero(&w, 20);
    g_assert_cmpuint(cxl_writer_fits(&w, 1, 0), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) g_test_add_func("/cxl/msg/" #f, test_ ## f)
    T(reader_is_little_endian);
    T(reader_overrun_sticks);
    T(reader_refuses_every_width_at_the_end);
    T(reader_huge_lengths);
    T(reader_copies_or_zeroes);
    T(reader_without_data);
    T(writer_is_little_endian);
    T(writer_overflow_sticks);
    T(writer_huge_lengths);
    T(writer_patches_what_is_written);
    T(writer_takes_back);
    T(writer_fits);
    return g_test_run();
}
