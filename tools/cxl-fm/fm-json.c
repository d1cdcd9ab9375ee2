/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A writer of JSON (RFC 8259). Text that is no UTF-8 is written byte by byte
 * as if it were Latin-1, so that the result is JSON whatever comes.
 */
#include <inttypes.h>

#include "fm-json.h"

static void put_string(FILE *out, const char *text)
{
    gboolean valid = g_utf8_validate(text, -1, NULL);

    fputc('"', out);
    for (const guchar *c = (const guchar *)text; *c; c++) {
        if (*c == '"' || *c == '\\') {
            fprintf(out, "\\%c", *c);
        } else if (*c < 0x20 || *c == 0x7f || (*c > 0x7f && !valid)) {
            fprintf(out, "\\u%04x", *c);
        } else {
            fputc(*c, out);
        }
    }
    fputc('"', out);
}

static void put_key(struct fm_json *j, const char *key)
{
    if (j->depth) {
        if (j->more[j->depth - 1]) {
            fputs(", ", j->out);
        }
        j->more[j->depth - 1] = TRUE;
    }
    if (key) {
        put_string(j->out, key);
        fputs(": ", j->out);
    }
}

void fm_json_begin(struct fm_json *j, const char *key, char kind)
{
    g_assert(j->depth < FM_JSON_DEPTH);
    put_key(j, key);
    fputc(kind, j->out);
    j->close[j->depth] = kind == '{' ? '}' : ']';
    j->more[j->depth++] = FALSE;
}

void fm_json_end(struct fm_json *j)
{
    g_assert(j->depth);
    fputc(j->close[--j->depth], j->out);
    if (!j->depth) {
        fputc('\n', j->out);
        fflush(j->out);
    }
}

void fm_json_num(struct fm_json *j, const char *key, guint64 value)
{
    put_key(j, key);
    fprintf(j->out, "%" PRIu64, value);
}

void fm_json_bool(struct fm_json *j, const char *key, gboolean value)
{
    put_key(j, key);
    fputs(value ? "true" : "false", j->out);
}

void fm_json_str(struct fm_json *j, const char *key, const char *value)
{
    put_key(j, key);
    if (value) {
        put_string(j->out, value);
    } else {
        fputs("null", j->out);
    }
}

void fm_json_fmt(struct fm_json *j, const char *key, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, format);
    text = g_strdup_vprintf(format, ap);
    va_end(ap);
    fm_json_str(j, key, text);
}
