/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A writer of JSON (RFC 8259): one value, written as it comes
 */
#ifndef FM_JSON_H
#define FM_JSON_H

#include <glib.h>
#include <stdio.h>

/* Deeper than any answer of a component is nested */
#define FM_JSON_DEPTH   8

/** struct fm_json - a value under way; all zero but @out is its start */
struct fm_json {
    FILE *out;
    unsigned depth;
    char close[FM_JSON_DEPTH];
    gboolean more[FM_JSON_DEPTH];
};

/*
 * In an object @key names the member, in an array it is NULL.
 */
/** fm_json_begin() - open an object, @kind '{', or an array, '['. */
void fm_json_begin(struct fm_json *j, const char *key, char kind);
/** fm_json_end() - close the innermost; the outermost ends the line. */
void fm_json_end(struct fm_json *j);
void fm_json_num(struct fm_json *j, const char *key, guint64 value);
void fm_json_bool(struct fm_json *j, const char *key, gboolean value);
/** fm_json_str() - @value may be NULL, which is null. */
void fm_json_str(struct fm_json *j, const char *key, const char *value);
/** fm_json_fmt() - a string, as printf() makes it. */
void fm_json_fmt(struct fm_json *j, const char *key, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

#endif /* FM_JSON_H */
