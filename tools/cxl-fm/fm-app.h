/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cxl-fm as a program: what its verbs share
 *
 * A verb checks its own words, connects, runs commands and prints the result
 * as text or as one line of JSON. It returns the exit status.
 */
#ifndef FM_APP_H
#define FM_APP_H

#include <glib.h>

#include "fm-args.h"
#include "fm-json.h"
#include "fm-print.h"

/* Exit status, as the manual page has them */
enum fm_exit {
    FM_DONE         = 0,
    FM_REFUSED      = 1,        /* the component answered an error */
    FM_USAGE        = 2,        /* usage error */
    FM_UNREACHABLE  = 3,        /* no connection, or no answer */
    FM_BAD_ANSWER   = 4,        /* an answer that no component may give */
    FM_NOT_DONE     = 5,        /* the host did not do it, or not in time */
};

struct fm_app;

/** struct fm_verb - a word that the user can say */
struct fm_verb {
    const char *name;
    const char *args;           /* after its options, for the usage line */
    int min_args, max_args;
    const char *summary;        /* one line */
    const char *details;        /* examples and the like, or NULL */
    const GOptionEntry *options;
    int (*run)(struct fm_app *app, int argc, char **argv);
};

/** struct fm_app - one call of the program */
struct fm_app {
    const struct fm_verb *verb;
    struct cxl_conn *conn;      /* after fm_connect() */
    char *connect;
    char *color;
    gboolean json;
    double timeout;             /* of a command, seconds */
    struct fm_json j;           /* where a verb writes JSON */
};

/* Families of verbs, each ended by a NULL name */
extern const struct fm_verb fm_verbs_show[], fm_verbs_hosts[], fm_verbs_map[],
                            fm_verbs_change[], fm_verbs_setup[],
                            fm_verbs_log[], fm_verbs_raw[], fm_verbs_fault[];

/** fm_usage() - complain about the command line. Return: FM_USAGE */
int fm_usage(struct fm_app *app, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** fm_complain() - complain of what is none of the others. @kind: for JSON */
void fm_complain(struct fm_app *app, const char *kind, const char *text);

/** fm_connect() - connect, and ask how long messages may be. */
int fm_connect(struct fm_app *app);

/**
 * fm_fail() - tell why the last command failed
 * @ret: what a command function returned, not 0
 * Return: exit status
 */
int fm_fail(struct fm_app *app, int ret);

/** fm_refused() - the same for a code, with a reason that the caller knows. */
int fm_refused(struct fm_app *app, uint16_t opcode, int rc, const char *why);

/** fm_not_done() - tell what the host did not do. Return: FM_NOT_DONE */
int fm_not_done(struct fm_app *app, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

/* -- words: FALSE after a complaint ------------------------------------- */

gboolean fm_word_size(struct fm_app *app, const char *option,
                      const char *text, guint64 *bytes);
gboolean fm_word_tag(struct fm_app *app, const char *option, const char *text,
                     guint8 tag[16]);
gboolean fm_word_host(struct fm_app *app, int number);

/* -- whole lists -------------------------------------------------------- */

/**
 * fm_all_extents() - every page of 5603h, from one generation of the list
 * @list: struct cxl_extent; the caller frees it if 0 is returned
 */
int fm_all_extents(struct cxl_conn *conn, uint16_t host, GArray **list,
                   uint32_t *generation);
/** fm_all_tags() - every page of 5608h; struct fm_tag. */
int fm_all_tags(struct cxl_conn *conn, GArray **list, uint32_t *generation);
/** fm_find_tag() - 5608h's entry of a tag. @found: FALSE if there is none */
int fm_find_tag(struct cxl_conn *conn, const guint8 tag[16],
                struct fm_tag *entry, gboolean *found);

/* -- pieces of JSON ----------------------------------------------------- */

void fm_json_extent(struct fm_json *j, const char *key,
                    const struct cxl_extent *ext);
void fm_json_tag(struct fm_json *j, const char *key, const uint8_t tag[16]);
void fm_json_event(struct fm_json *j, const struct cxl_dc_event *ev);
/** fm_json_hosts() - numbers of the bits that are set in a host bitmap. */
void fm_json_hosts(struct fm_json *j, const char *key, const uint8_t map[32]);

/** fm_hex() - bytes as hexadecimal digits; the caller frees them. */
char *fm_hex(const guint8 *data, gsize len);
/** fm_dump() - bytes for people, on the standard output. */
void fm_dump(const guint8 *data, gsize len);

/* -- terminal ----------------------------------------------------------- */

gboolean fm_colour(const struct fm_app *app, FILE *out);
/** fm_columns() - width of the terminal, 80 for what is none. */
unsigned fm_columns(FILE *out);
/**
 * fm_progress() - how far something is, on the standard error stream
 * @percent: a line that changes on a terminal, else a line for every tenth;
 *           above 100 takes the line away again
 */
void fm_progress(const char *what, unsigned percent);

/** fm_draw_map() - the picture of one host's capacity, for map and watch. */
int fm_draw_map(struct fm_app *app, uint16_t host, FILE *out);

#endif /* FM_APP_H */
