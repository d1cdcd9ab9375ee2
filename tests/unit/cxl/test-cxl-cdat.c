/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Form of the Coherent Device Attribute Table: assembling, checksum, and each
 * way a table from a file can be malformed (CDAT r1.04).
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qapi/error.h"
#include "hw/cxl/cxl_cdat.h"

static GByteArray *table_new(void)
{
    static const uint8_t header[sizeof(CDATTableHeader)] = { [4] = 2 };
    GByteArray *t = g_byte_array_new();

    return g_byte_array_append(t, header, sizeof(header));
}

static void add_entry(GByteArray *t, uint8_t type, uint16_t length,
                      size_t bytes)
{
    g_autofree uint8_t *e = g_malloc0(MAX(bytes, 4));

    e[0] = type;
    stw_le_p(e + 2, length);
    g_byte_array_append(t, e, bytes);
}

static void assert_error(GByteArray *t, const char *text)
{
    Error *err = NULL;
    int count = -1;

    g_assert_null(cxl_cdat_split(t->data, t->len, &count, &err));
    g_assert_nonnull(err);
    g_assert_cmpstr(error_get_pretty(err), ==, text);
    g_assert_cmpint(count, ==, -1);
    error_free(err);
    g_byte_array_unref(t);
}

static void test_header_alone(void)
{
    g_autoptr(GByteArray) t = table_new();
    g_autofree CDATEntry *e = NULL;
    int count;

    e = cxl_cdat_split(t->data, t->len, &count, &error_abort);
    g_assert_cmpint(count, ==, 1);
    g_assert_true(e[0].base == t->data);
    g_assert_cmpuint(e[0].length, ==, 16);
}

static void test_every_type(void)
{
    static const struct { uint8_t type; uint16_t length; } rows[] = {
        { CDAT_TYPE_DSMAS, 24 }, { CDAT_TYPE_DSLBIS, 24 },
        { CDAT_TYPE_DSMSCIS, 20 }, { CDAT_TYPE_DSIS, 8 },
        { CDAT_TYPE_DSEMTS, 24 }, { CDAT_TYPE_SSLBIS, 16 },
        { CDAT_TYPE_SSLBIS, 24 }, { CDAT_TYPE_SSLBIS, 16 + 8 * 255 },
    };
    g_autoptr(GByteArray) t = table_new();
    g_autofree CDATEntry *e = NULL;
    int count;

    for (int i = 0; i < ARRAY_SIZE(rows); i++) {
        add_entry(t, rows[i].type, rows[i].length, rows[i].length);
    }
    e = cxl_cdat_split(t->data, t->len, &count, &error_abort);
    g_assert_cmpint(count, ==, 1 + ARRAY_SIZE(rows));
    for (int i = 0; i < ARRAY_SIZE(rows); i++) {
        g_assert_cmpuint(e[i + 1].length, ==, rows[i].length);
        g_assert_cmpuint(*(uint8_t *)e[i + 1].base, ==, rows[i].type);
    }
}

static void test_wrong_length_of_a_type(void)
{
    static const struct { uint8_t type; uint16_t length; } rows[] = {
        { CDAT_TYPE_DSMAS, 20 }, { CDAT_TYPE_DSLBIS, 28 },
        { CDAT_TYPE_DSMSCIS, 24 }, { CDAT_TYPE_DSIS, 4 },
        { CDAT_TYPE_DSEMTS, 16 }, { CDAT_TYPE_SSLBIS, 12 },
        { CDAT_TYPE_SSLBIS, 20 },
    };

    for (int i = 0; i < ARRAY_SIZE(rows); i++) {
        g_autofree char *text = g_strdup_printf(
            "CDAT: Type %u cannot have length %u", rows[i].type,
            rows[i].length);
        GByteArray *t = table_new();

        add_entry(t, rows[i].type, rows[i].length, rows[i].length);
        assert_error(t, text);
    }
}

static void test_malformed(void)
{
    GByteArray *t;

    t = table_new();
    assert_error(g_byte_array_set_size(t, 15),
                 "CDAT: File too short: 15 bytes, but the header has 16");
    t = table_new();
    assert_error(g_byte_array_set_size(t, 0),
                 "CDAT: File too short: 0 bytes, but the header has 16");

    /* Less than an entry's header at the end */
    t = table_new();
    add_entry(t, CDAT_TYPE_DSMAS, 24, 24);
    add_entry(t, CDAT_TYPE_DSMAS, 24, 3);
    assert_error(t, "CDAT: File length mismatch: 3 bytes at 40 are no entry");

    /* An entry that ends behind the file */
    t = table_new();
    add_entry(t, CDAT_TYPE_DSMAS, 24, 23);
    assert_error(t, "CDAT: Truncated table: the entry at 16 has length 24, "
                 "but there are 23 bytes");
    t = table_new();
    add_entry(t, CDAT_TYPE_SSLBIS, 0xfff8, 16);
    assert_error(t, "CDAT: Truncated table: the entry at 16 has length 65528, "
                 "but there are 16 bytes");

    /* Entries that would not get on */
    t = table_new();
    add_entry(t, CDAT_TYPE_DSMAS, 0, 24);
    assert_error(t, "CDAT: Truncated table: the entry at 16 has length 0, "
                 "but there are 24 bytes");
    t = table_new();
    add_entry(t, CDAT_TYPE_DSMAS, 3, 24);
    assert_error(t, "CDAT: Truncated table: the entry at 16 has length 3, "
                 "but there are 24 bytes");

    t = table_new();
    add_entry(t, 6, 24, 24);
    assert_error(t, "CDAT: Type 6 is reserved");
    t = table_new();
    add_entry(t, 255, 24, 24);
    assert_error(t, "CDAT: Type 255 is reserved");
}

static void test_more_entries_than_handles(void)
{
    g_autoptr(GByteArray) t = table_new();
    g_autofree CDATEntry *e = NULL;
    int count;

    for (int i = 1; i < CXL_DOE_TAB_ENT_MAX; i++) {
        add_entry(t, CDAT_TYPE_DSIS, 8, 8);
    }
    e = cxl_cdat_split(t->data, t->len, &count, &error_abort);
    g_assert_cmpint(count, ==, CXL_DOE_TAB_ENT_MAX);

    add_entry(t, CDAT_TYPE_DSIS, 8, 8);
    assert_error(g_steal_pointer(&t), "CDAT: More than 65535 entries");
}

static void test_assemble(void)
{
    CDATDsmas dsmas = {
        .header = { .type = CDAT_TYPE_DSMAS, .length = sizeof(dsmas) },
        .dsmad_handle = 3,
        .flags = CDAT_DSMAS_NON_VOLATILE,
        .dpa_base = 0x10000000,
        .dpa_length = 0x20000000,
    };
    CDATDsemts dsemts = {
        .header = { .type = CDAT_TYPE_DSEMTS, .length = sizeof(dsemts) },
        .dsmas_handle = 3,
        .dpa_length = 0xfedcba9876543210,
    };
    CDATSubHeader *rows[] = { &dsmas.header, &dsemts.header };

    for (int num = 0; num <= ARRAY_SIZE(rows); num++) {
        g_autofree CDATEntry *e = NULL;
        g_autofree uint8_t *image = NULL;
        size_t len;
        int count;

        image = cxl_cdat_assemble(rows, num, &len);
        g_assert_cmpuint(len, ==, 16 + 24 * num);
        g_assert_cmpuint(ldl_le_p(image), ==, len);
        g_assert_cmpuint(image[4], ==, CXL_CDAT_REVISION);
        g_assert_cmpuint(cxl_cdat_sum(image, len), ==, 0);
        /* One wrong byte shows */
        image[len - 1] ^= 0x40;
        g_assert_cmpuint(cxl_cdat_sum(image, len), !=, 0);
        image[len - 1] ^= 0x40;

        e = cxl_cdat_split(image, len, &count, &error_abort);
        g_assert_cmpint(count, ==, num + 1);
        for (int i = 0; i < num; i++) {
            g_assert_cmpmem(e[i + 1].base, e[i + 1].length, rows[i],
                            rows[i]->length);
        }
    }
}

static void test_random_tables(void)
{
    GRand *rand = g_rand_new_with_seed(0xcda7);

    for (int i = 0; i < 20000; i++) {
        uint32_t len = g_rand_int_range(rand, 0, 120);
        g_autofree uint8_t *image = g_malloc(MAX(len, 1));
        g_autofree CDATEntry *e = NULL;
        Error *err = NULL;
        uint32_t sum = 0;
        int count;

        for (uint32_t at = 0; at < len; at++) {
            /* Mostly zero: more tables get past their first entry */
            image[at] = g_rand_int_range(rand, 0, 3) ? 0 :
                        g_rand_int_range(rand, 0, 32);
        }
        e = cxl_cdat_split(image, len, &count, &err);
        g_assert_true(!e == !!err);
        error_free(err);
        for (int n = 0; e && n < count; n++) {
            g_assert_true((uint8_t *)e[n].base == image + sum);
            sum += e[n].length;
        }
        g_assert_true(!e || sum == len);
    }
    g_rand_free(rand);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cxl/cdat/header-alone", test_header_alone);
    g_test_add_func("/cxl/cdat/every-type", test_every_type);
    g_test_add_func("/cxl/cdat/wrong-length", test_wrong_length_of_a_type);
    g_test_add_func("/cxl/cdat/malformed", test_malformed);
    g_test_add_func("/cxl/cdat/handles", test_more_entries_than_handles);
    g_test_add_func("/cxl/cdat/assemble", test_assemble);
    g_test_add_func("/cxl/cdat/random", test_random_tables);
    return g_test_run();
}
