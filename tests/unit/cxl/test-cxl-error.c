/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an error repeats of a user's text
 */
#include "qemu/osdep.h"
#include "hw/cxl/cxl_error.h"

static void a_text_that_fits_is_told_whole(void)
{
    g_autofree char *text = g_strnfill(CXL_ECHO_MAX, 'a');
    g_autofree char *whole = cxl_echo(text);
    g_autofree char *nothing = cxl_echo("");

    g_assert_cmpstr(whole, ==, text);
    g_assert_cmpstr(nothing, ==, "");
}

static void a_long_text_keeps_its_ends(void)
{
    g_autofree char *middle = g_strnfill(10000, 'a');
    g_autofree char *text = g_strdup_printf("/machine%s.bin", middle);
    g_autofree char *cut = cxl_echo(text);

    g_assert_cmpuint(strlen(cut), <=, CXL_ECHO_MAX);
    g_assert_true(g_str_has_prefix(cut, "/machinea"));
    g_assert_true(g_str_has_suffix(cut, "a.bin"));
    g_assert_nonnull(strstr(cut, "a...a"));
}

/* Characters of one to four bytes, moved byte by byte over both cuts */
static void no_character_is_cut(void)
{
    static const char *const letters[] = { "a", "\u00e9", "\u20ac",
                                           "\U0001f600" };
    unsigned i, k;

    for (i = 0; i < ARRAY_SIZE(letters); i++) {
        for (k = 0; k < 8; k++) {
            GString *text = g_string_new_len("12345678", k);
            g_autofree char *cut = NULL;

            while (text->len <= 2 * CXL_ECHO_MAX) {
                g_string_append(text, letters[i]);
            }
            g_string_append_len(text, "12345678", k / 2);
            cut = cxl_echo(text->str);
            g_assert_true(g_utf8_validate(cut, -1, NULL));
            g_assert_cmpuint(strlen(cut), <=, CXL_ECHO_MAX);
            g_assert_cmpuint(strlen(cut), >, CXL_ECHO_MAX - 10);
            g_string_free(text, true);
        }
    }
}

static void bytes_that_are_no_characters_are_bounded(void)
{
    g_autofree char *text = g_strnfill(10000, '\x80');
    g_autofree char *cut = cxl_echo(text);

    g_assert_cmpstr(cut, ==, "...");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) g_test_add_func("/cxl/error/" #f, f)
    T(a_text_that_fits_is_told_whole);
    T(a_long_text_keeps_its_ends);
    T(no_character_is_cut);
    T(bytes_that_are_no_characters_are_bounded);
    return g_test_run();
}
