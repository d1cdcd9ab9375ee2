/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verb raw: any command, its payload as bytes; waits for a background
 * operation that it starts (CXL r3.2 8.2.10.1.2)
 */
#include <stdlib.h>

#include "fm-app.h"
#include "fm-explain.h"

#define POLL_MS     100

static char *opt_input, *opt_output;
static gboolean opt_no_wait;

/* Bytes as the user typed them: "00 01ff", 0x before a word is allowed */
static gboolean word_bytes(struct fm_app *app, const char *text,
                           GByteArray *to)
{
    const char *digit = g_str_has_prefix(text, "0x") ? text + 2 : text;

    if (!*digit || strlen(digit) % 2) {
        fm_usage(app, "%s: expected pairs of hexadecimal digits", text);
        return FALSE;
    }
    for (; *digit; digit += 2) {
        int high = g_ascii_xdigit_value(digit[0]);
        int low = g_ascii_xdigit_value(digit[1]);
        guint8 byte;

        if (high < 0 || low < 0) {
            fm_usage(app, "%s: expected pairs of hexadecimal digits", text);
            return FALSE;
        }
        byte = high << 4 | low;
        g_byte_array_append(to, &byte, 1);
    }
    return TRUE;
}

static gboolean word_payload(struct fm_app *app, int argc, char **argv,
                             GByteArray *to)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *data = NULL;
    gsize len;

    for (int i = 1; i < argc; i++) {
        if (!word_bytes(app, argv[i], to)) {
            return FALSE;
        }
    }
    if (opt_input) {
        if (!g_file_get_contents(opt_input, &data, &len, &error)) {
            fm_usage(app, "%s", error->message);
            return FALSE;
        }
        g_byte_array_append(to, (guint8 *)data, MIN(len, CXL_WIRE_MAX + 1));
    }
    if (to->len > CXL_WIRE_MAX) {
        fm_usage(app, "more than %d bytes of payload", CXL_WIRE_MAX);
        return FALSE;
    }
    return TRUE;
}

/* Poll 0002h to the end. The operation's own code, or negative */
static int follow(struct fm_app *app, uint16_t opcode, int *status)
{
    g_autofree char *what = g_strdup_printf("%04Xh in background", opcode);

    for (;;) {
        struct fm_background bg;
        int ret = fm_background_status(app->conn, &bg);

        if (ret) {
            fm_progress("", G_MAXUINT);
            *status = fm_fail(app, ret);
            return -1;
        }
        if (!bg.running) {
            fm_progress(what, 100);
            fm_progress("", G_MAXUINT);
            return bg.rc;
        }
        fm_progress(what, bg.percent);
        g_usleep(POLL_MS * 1000);
    }
}

static int show(struct fm_app *app, const struct cxl_rsp *rsp)
{
    g_autofree char *text = fm_hex(rsp->data, rsp->len);
    g_autoptr(GError) error = NULL;

    if (opt_output && !g_file_set_contents(opt_output,
                                           (const char *)rsp->data, rsp->len,
                                           &error)) {
        return fm_usage(app, "%s", error->message);
    }
    if (app->json) {
        fm_json_begin(&app->j, NULL, '{');
        fm_json_num(&app->j, "code", rsp->rc);
        fm_json_str(&app->j, "name", cxl_rc_name(rsp->rc));
        fm_json_num(&app->j, "length", rsp->len);
        fm_json_str(&app->j, "payload", text);
        fm_json_end(&app->j);
    } else {
        printf("%s, %zu bytes\n", cxl_rc_name(rsp->rc), rsp->len);
        if (!opt_output) {
            fm_dump(rsp->data, rsp->len);
        }
    }
    return FM_DONE;
}

static int run_raw(struct fm_app *app, int argc, char **argv)
{
    g_autoptr(GByteArray) payload = g_byte_array_new();
    struct cxl_req req;
    struct cxl_rsp rsp;
    guint64 opcode;
    int ret;

    if (!g_ascii_string_to_unsigned(g_str_has_prefix(argv[0], "0x") ?
                                    argv[0] + 2 : argv[0], 16, 0, G_MAXUINT16,
                                    &opcode, NULL)) {
        return fm_usage(app, "%s: expected an opcode of four hexadecimal "
                        "digits", argv[0]);
    }
    if (!word_payload(app, argc, argv, payload)) {
        return FM_USAGE;
    }
    ret = fm_connect(app);
    if (ret) {
        return ret;
    }
    req_start(&req, opcode);
    if (payload->len) {
        req_bytes(&req, payload->data, payload->len);
    }
    ret = cxl_run(app->conn, &req, &rsp);
    if (ret == CXL_RC_BACKGROUND && !opt_no_wait) {
        int status = FM_DONE;

        ret = follow(app, opcode, &status);
        if (ret < 0) {
            return status;
        }
        app->conn->last_opcode = opcode;
        rsp.rc = ret;
    }
    if (ret && ret != CXL_RC_BACKGROUND) {
        return fm_fail(app, ret);
    }
    return show(app, &rsp);
}

static const GOptionEntry raw_options[] = {
    { "input", 'i', 0, G_OPTION_ARG_FILENAME, &opt_input,
      "Payload from a file, after that of the command line", "FILE" },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &opt_output,
      "Write the answer's payload to a file", "FILE" },
    { "no-wait", 0, 0, G_OPTION_ARG_NONE, &opt_no_wait,
      "Do not wait for a background operation", NULL },
    { NULL }
};

const struct fm_verb fm_verbs_raw[] = {
    { "raw", "OPCODE [HEX...]", 1, G_MAXINT, "Send any command",
      "Examples:\n"
      "  cxl-fm raw 0001\n"
      "  cxl-fm raw 5601 0000 08 00\n"
      "  cxl-fm raw 4400\n\n"
      "An operation that goes on in the background is waited for, and its "
      "progress\nshown.", raw_options, run_raw },
    { NULL }
};
