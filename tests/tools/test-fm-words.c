/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unit test of what cxl-fm reads and writes: URLs, JSON, words for codes.
 * Sizes, tags and extents are in tests/guest/test-cxl-fm.c.
 */
#include "fm-cmds.h"
#include "fm-explain.h"
#include "fm-json.h"
#include "fm-address.h"

static void url_good(void)
{
    static const struct {
        const char *text;
        struct fm_address address;
    } good[] = {
        { "unix:/tmp/fm.sock", { FM_ADDRESS_UNIX, (char *)"/tmp/fm.sock", 0, 0,
                                 0 } },
        { "unix:relative", { FM_ADDRESS_UNIX, (char *)"relative", 0, 0, 0 } },
        { "tcp:localhost:4321", { FM_ADDRESS_TCP, (char *)"localhost", 4321, 0,
                                  0 } },
        { "tcp:[::1]:65535", { FM_ADDRESS_TCP, (char *)"::1", 65535, 0, 0 } },
        { "tcp:::1:80", { FM_ADDRESS_TCP, (char *)"::1", 80, 0, 0 } },
        { "pty:/dev/pts/3", { FM_ADDRESS_PTY, (char *)"/dev/pts/3", 0, 0, 0 } },
        { "/dev/pts/3", { FM_ADDRESS_PTY, (char *)"/dev/pts/3", 0, 0, 0 } },
        { "/dev/ttyS1", { FM_ADDRESS_PTY, (char *)"/dev/ttyS1", 0, 0, 0 } },
        { "mctp:1,9", { FM_ADDRESS_MCTP, NULL, 0, 1, 9 } },
        { "mctp:11,254", { FM_ADDRESS_MCTP, NULL, 0, 11, 254 } },
        { "ioctl:/dev/cxl/mem0", { FM_ADDRESS_IOCTL, (char *)"/dev/cxl/mem0", 0,
                                   0, 0 } },
        { "/dev/cxl/mem0", { FM_ADDRESS_IOCTL, (char *)"/dev/cxl/mem0", 0, 0,
                             0 } },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GError) error = NULL;
        struct fm_address address;

        g_assert_true(fm_address_parse(good[i].text, &address, &error));
        g_assert_no_error(error);
        g_assert_cmpint(address.kind, ==, good[i].address.kind);
        g_assert_cmpstr(address.place, ==, good[i].address.place);
        g_assert_cmpuint(address.port, ==, good[i].address.port);
        g_assert_cmpuint(address.net, ==, good[i].address.net);
        g_assert_cmpuint(address.eid, ==, good[i].address.eid);
        fm_address_clear(&address);
    }
}

static void url_bad(void)
{
    static const char *const bad[] = {
        "", "unix:", "pty:", "ioctl:", "tcp:", "tcp:host", "tcp::80",
        "tcp:host:", "tcp:host:0", "tcp:host:65536", "tcp:host:http",
        "tcp:host:-1", "mctp:", "mctp:1", "mctp:1,7", "mctp:1,255",
        "mctp:1,9,9", "mctp:a,9", "mctp:1, 9", "mctp:-1,9", "udp:host:1",
        "mem0", "http://host",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        struct fm_address address;

        g_assert_false(fm_address_parse(bad[i], &address, &error));
        g_assert_nonnull(error);
        g_assert_nonnull(strstr(error->message, "expected") ?:
                         strstr(error->message, "missing"));
    }
}

static void url_nobody_there(void)
{
    static const char *const nobody[] = {
        "unix:/nonexistent/socket", "pty:/nonexistent/pty",
        "ioctl:/nonexistent/mem0", "pty:/dev/null",
        "unix:/0123456789012345678901234567890123456789012345678901234567890"
        "12345678901234567890123456789012345678901234567890",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(nobody); i++) {
        g_autoptr(GError) error = NULL;
        struct fm_address address;

        g_assert_true(fm_address_parse(nobody[i], &address, &error));
        g_assert_null(fm_address_open(&address, nobody[i], 1000, &error));
        g_assert_nonnull(error);
        g_assert_true(g_str_has_prefix(error->message, nobody[i]));
        fm_address_clear(&address);
    }
}

static void json(void)
{
    g_autofree char *text = NULL;
    gsize size;
    FILE *out = open_memstream(&text, &size);
    struct fm_json j = { .out = out };

    fm_json_begin(&j, NULL, '{');
    fm_json_num(&j, "n", G_MAXUINT64);
    fm_json_begin(&j, "list", '[');
    fm_json_end(&j);
    fm_json_begin(&j, "two", '[');
    fm_json_bool(&j, NULL, TRUE);
    fm_json_bool(&j, NULL, FALSE);
    fm_json_end(&j);
    fm_json_str(&j, "none", NULL);
    fm_json_str(&j, "quote", "a\"b\\c\n\x7f");
    fm_json_str(&j, "utf8", "\xc3\xa9");
    fm_json_str(&j, "latin1", "\xe9");
    fm_json_fmt(&j, "hex", "%04x", 0x5600);
    fm_json_end(&j);
    fclose(out);
    g_assert_cmpstr(text, ==,
                    "{\"n\": 18446744073709551615, \"list\": [], "
                    "\"two\": [true, false], \"none\": null, "
                    "\"quote\": \"a\\\"b\\\\c\\u000a\\u007f\", "
                    "\"utf8\": \"\xc3\xa9\", \"latin1\": \"\\u00e9\", "
                    "\"hex\": \"5600\"}\n");
}

/* Codes that facts list for the commands of a verb have their own words */
static void codes(void)
{
    static const struct {
        uint16_t opcode;
        uint8_t rc;
    } own[] = {
        { 0x5601, 0x02 }, { 0x5602, 0x02 }, { 0x5602, 0x03 },
        { 0x5603, 0x02 }, { 0x5604, 0x02 }, { 0x5604, 0x05 },
        { 0x5604, 0x1d }, { 0x5604, 0x1e }, { 0x5605, 0x02 },
        { 0x5605, 0x05 }, { 0x5605, 0x0f }, { 0x5605, 0x1d },
        { 0x5605, 0x1e }, { 0x5606, 0x02 }, { 0x5607, 0x02 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(own); i++) {
        const char *words = fm_explain(own[i].opcode, own[i].rc);

        g_assert_nonnull(words);
        /* not those of any command */
        g_assert_cmpstr(words, !=, fm_explain(0xffff, own[i].rc));
    }
    for (uint16_t opcode = 0x5600; opcode <= 0x5608; opcode++) {
        g_assert_nonnull(fm_command_name(opcode));
        g_assert_nonnull(fm_explain(opcode, CXL_RC_UNSUPPORTED));
    }
    /* also of commands that this program never sends */
    g_assert_cmpstr(fm_command_name(0x4400), ==, "Sanitize");
    g_assert_null(fm_command_name(0xffff));
    for (int rc = 0; rc <= 0x20; rc++) {
        g_assert_cmpstr(cxl_rc_name(rc), !=, "other error");
    }
    g_assert_cmpstr(cxl_rc_name(0x21), ==, "other error");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fm-words/url-good", url_good);
    g_test_add_func("/fm-words/url-bad", url_bad);
    g_test_add_func("/fm-words/url-nobody-there", url_nobody_there);
    g_test_add_func("/fm-words/json", json);
    g_test_add_func("/fm-words/codes", codes);
    return g_test_run();
}
