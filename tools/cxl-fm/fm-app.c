/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the verbs of cxl-fm share: connection, complaints, whole lists, the
 * terminal
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fm-app.h"
#include "fm-explain.h"
#include "fm-message.h"
#include "fm-address.h"

/* What is no terminal is as wide as the oldest ones */
#define COLUMNS         80
#define COLUMNS_MIN     40
/* Bytes of a line in a hexadecimal dump */
#define DUMP_LINE       16
/* A list that changes under our hands is read anew this often */
#define LIST_TRIES      16

/* -- complaints --------------------------------------------------------- */

/* One line on the error stream, and an object for scripts */
static void complain(struct fm_app *app, const char *kind, int code,
                     const char *name, const char *text)
{
    g_printerr("cxl-fm%s%s: %s\n", app->verb ? " " : "",
               app->verb ? app->verb->name : "", text);
    if (app->json) {
        struct fm_json j = { .out = stdout };

        fm_json_begin(&j, NULL, '{');
        fm_json_begin(&j, "error", '{');
        fm_json_str(&j, "kind", kind);
        if (code >= 0) {
            fm_json_num(&j, "code", code);
        }
        if (name) {
            fm_json_str(&j, "name", name);
        }
        if (app->conn && code >= 0) {
            fm_json_fmt(&j, "opcode", "%04x", app->conn->last_opcode);
        }
        fm_json_str(&j, "message", text);
        fm_json_end(&j);
        fm_json_end(&j);
    }
}

int fm_usage(struct fm_app *app, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, format);
    text = g_strdup_vprintf(format, ap);
    va_end(ap);
    complain(app, "usage", -1, NULL, text);
    g_printerr("Run 'cxl-fm %s%s--help' for details.\n",
               app->verb ? app->verb->name : "", app->verb ? " " : "");
    return FM_USAGE;
}

void fm_complain(struct fm_app *app, const char *kind, const char *text)
{
    complain(app, kind, -1, NULL, text);
}

int fm_not_done(struct fm_app *app, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, format);
    text = g_strdup_vprintf(format, ap);
    va_end(ap);
    complain(app, "host", -1, NULL, text);
    return FM_NOT_DONE;
}

/* "5604h Initiate Dynamic Capacity Add" */
static char *command_text(uint16_t opcode)
{
    const char *name = fm_command_name(opcode);

    return g_strdup_printf("%04Xh%s%s", opcode, name ? " " : "",
                           name ? name : "");
}

int fm_refused(struct fm_app *app, uint16_t opcode, int rc, const char *why)
{
    g_autofree char *command = command_text(opcode);
    g_autofree char *text = NULL;

    text = g_strdup_printf("%s: the component answers %02Xh, %s%s%s", command,
                           rc, cxl_rc_name(rc), why ? ": " : "",
                           why ? why : "");
    app->conn->last_opcode = opcode;
    complain(app, "component", rc, cxl_rc_name(rc), text);
    return FM_REFUSED;
}

int fm_fail(struct fm_app *app, int ret)
{
    uint16_t opcode = app->conn->last_opcode;
    g_autofree char *command = command_text(opcode);
    g_autofree char *text = NULL;

    if (ret > 0) {
        return fm_refused(app, opcode, ret, fm_explain(opcode, ret));
    }
    switch (ret) {
    case -EBADMSG:
    case -EPROTO:
        text = g_strdup_printf("%s: the answer contradicts the specification",
                               command);
        complain(app, "answer", -1, NULL, text);
        return FM_BAD_ANSWER;
    case -EMSGSIZE:
        text = g_strdup_printf("%s: the request is longer than the component "
                               "takes (%zu bytes)", command,
                               app->conn->max_req);
        complain(app, "size", -1, NULL, text);
        return FM_USAGE;
    case -ETIMEDOUT:
        text = g_strdup_printf("%s: no answer from %s within %g s; does "
                               "another program use this connection?",
                               command, app->conn->name, app->timeout);
        break;
    case -ECONNRESET:
    case -EPIPE:
        text = g_strdup_printf("%s: %s was closed at the other end", command,
                               app->conn->name);
        break;
    default:
        text = g_strdup_printf("%s: %s: %s", command, app->conn->name,
                               g_strerror(-ret));
    }
    complain(app, "connection", -1, NULL, text);
    return FM_UNREACHABLE;
}

/* -- connection --------------------------------------------------------- */

/*
 * A component says how long a message it takes. Whether that counts the header
 * is read in two ways, so do as if it did.
 */
static int ask_limits(struct fm_app *app)
{
    struct cxl_conn *conn = app->conn;
    struct fm_identity id;
    int ret = fm_identify(conn, &id);
    size_t limit;

    if (ret) {
        return ret;
    }
    if (id.max_msg_log2 < 8 || id.max_msg_log2 > 20) {
        return -EBADMSG;
    }
    limit = ((size_t)1 << id.max_msg_log2) - FM_MESSAGE_HEADER;
    conn->max_req = MIN(conn->max_req, limit);
    conn->max_rsp = MIN(conn->max_rsp, limit);
    return 0;
}

int fm_connect(struct fm_app *app)
{
    const char *text = app->connect ? app->connect : g_getenv("CXL_FM");
    g_autoptr(GError) error = NULL;
    struct fm_address address;
    int ret;

    if (!text) {
        return fm_usage(app, "which component? Give --connect, or set CXL_FM");
    }
    if (!fm_address_parse(text, &address, &error)) {
        return fm_usage(app, "%s", error->message);
    }
    app->conn = fm_address_open(&address, text, app->timeout * 1000, &error);
    ret = address.kind;
    fm_address_clear(&address);
    if (!app->conn) {
        complain(app, "connection", -1, NULL, error->message);
        return FM_UNREACHABLE;
    }
    /* of a mailbox, the kernel knows */
    if (ret != FM_ADDRESS_IOCTL) {
        ret = ask_limits(app);
        return ret ? fm_fail(app, ret) : FM_DONE;
    }
    return FM_DONE;
}

/* -- words -------------------------------------------------------------- */

gboolean fm_word_size(struct fm_app *app, const char *option,
                      const char *text, guint64 *bytes)
{
    if (!fm_arg_u64(text, bytes)) {
        fm_usage(app, "%s %s: expected a number of bytes such as 256M or "
                 "0x10000000", option, text);
        return FALSE;
    }
    return TRUE;
}

gboolean fm_word_tag(struct fm_app *app, const char *option, const char *text,
                     guint8 tag[16])
{
    if (!fm_arg_tag(text, tag)) {
        fm_usage(app, "%s %s: expected a UUID, or its first digits, or '-' "
                 "for none", option, text);
        return FALSE;
    }
    return TRUE;
}

gboolean fm_word_host(struct fm_app *app, int number)
{
    if (number < 0 || number > G_MAXUINT16) {
        fm_usage(app, "host %d: expected 0..%d", number, G_MAXUINT16);
        return FALSE;
    }
    return TRUE;
}

/* -- whole lists -------------------------------------------------------- */

/* One answer's part of a list */
struct piece {
    union {
        struct cxl_extent_page extents;
        struct fm_tags tags;
    } page;
    const void *item;
    uint32_t n;
    uint32_t total;
    uint32_t generation;
};

typedef int read_piece(struct cxl_conn *conn, uint16_t host, uint32_t first,
                       struct piece *piece);

static void fill_piece(struct piece *piece, const void *item, uint32_t n,
                       uint32_t total, uint32_t generation)
{
    piece->item = item;
    piece->n = n;
    piece->total = total;
    piece->generation = generation;
}

static int read_extents(struct cxl_conn *conn, uint16_t host, uint32_t first,
                        struct piece *piece)
{
    uint32_t room = (conn->max_rsp - 0x18) / CXL_EXTENT_SIZE;
    struct cxl_extent_page *page = &piece->page.extents;
    int ret = fm_get_extents(conn, host, MIN(room, CXL_PAGE_MAX), first,
                             page);

    if (!ret) {
        fill_piece(piece, page->ext, page->n, page->total, page->generation);
    }
    return ret;
}

static int read_tags(struct cxl_conn *conn, uint16_t host, uint32_t first,
                     struct piece *piece)
{
    uint32_t room = (conn->max_rsp - 0x10) / CXL_TAG_SIZE;
    struct fm_tags *page = &piece->page.tags;
    int ret = fm_list_tags(conn, first, MIN(room, FM_TAGS_MAX), page);

    if (!ret) {
        fill_piece(piece, page->entry, page->n, page->total, page->generation);
    }
    return ret;
}

/* All pieces of one generation: what changes meanwhile is read again */
static int whole_list(struct cxl_conn *conn, uint16_t host, guint item_size,
                      read_piece *read, GArray **list, uint32_t *generation)
{
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, item_size);
    unsigned tries = LIST_TRIES;
    struct piece piece;

    do {
        int ret = read(conn, host, all->len, &piece);
        gboolean changed;

        if (ret) {
            return ret;
        }
        changed = all->len && piece.generation != *generation;
        *generation = piece.generation;
        if (changed) {
            if (!--tries) {
                return -EAGAIN;
            }
            /* from the start, unless there is nothing any more */
            g_array_set_size(all, 0);
            continue;
        }
        g_array_append_vals(all, piece.item, piece.n);
        if (!piece.n && all->len != piece.total) {
            return -EBADMSG;
        }
    } while (all->len < piece.total);
    *list = g_steal_pointer(&all);
    return 0;
}

int fm_all_extents(struct cxl_conn *conn, uint16_t host, GArray **list,
                   uint32_t *generation)
{
    return whole_list(conn, host, sizeof(struct cxl_extent), read_extents,
                      list, generation);
}

int fm_all_tags(struct cxl_conn *conn, GArray **list, uint32_t *generation)
{
    return whole_list(conn, 0, sizeof(struct fm_tag), read_tags, list,
                      generation);
}

int fm_find_tag(struct cxl_conn *conn, const guint8 tag[16],
                struct fm_tag *entry, gboolean *found)
{
    g_autoptr(GArray) list = NULL;
    uint32_t generation;
    int ret = fm_all_tags(conn, &list, &generation);

    *found = FALSE;
    for (guint i = 0; !ret && !*found && i < list->len; i++) {
        const struct fm_tag *t = &g_array_index(list, struct fm_tag, i);

        if (!memcmp(t->tag, tag, sizeof(t->tag))) {
            *entry = *t;
            *found = TRUE;
        }
    }
    return ret;
}

/* -- pieces of JSON ----------------------------------------------------- */

void fm_json_tag(struct fm_json *j, const char *key, const uint8_t tag[16])
{
    char text[FM_TEXT];

    fm_text_tag(text, tag);
    fm_json_str(j, key, strcmp(text, "-") ? text : NULL);
}

void fm_json_extent(struct fm_json *j, const char *key,
                    const struct cxl_extent *ext)
{
    fm_json_begin(j, key, '{');
    fm_json_num(j, "dpa", ext->dpa);
    fm_json_num(j, "length", ext->len);
    fm_json_tag(j, "tag", ext->tag);
    fm_json_num(j, "sequence", ext->seq);
    fm_json_end(j);
}

void fm_json_event(struct fm_json *j, const struct cxl_dc_event *ev)
{
    fm_json_begin(j, NULL, '{');
    fm_json_num(j, "handle", ev->handle);
    fm_json_num(j, "timestamp", ev->timestamp);
    fm_json_num(j, "type", ev->type);
    fm_json_str(j, "name", fm_event_name(ev->type));
    if (ev->type == CXL_EV_REGION_UPDATED) {
        fm_json_num(j, "region", ev->region);
    } else {
        fm_json_num(j, "host", ev->host);
        fm_json_extent(j, "extent", &ev->extent);
    }
    fm_json_bool(j, "more", ev->more);
    if (ev->validity & 1) {
        fm_json_num(j, "available_extents", ev->avail_extents);
        fm_json_num(j, "available_tags", ev->avail_tags);
    }
    fm_json_end(j);
}

void fm_json_hosts(struct fm_json *j, const char *key, const uint8_t map[32])
{
    fm_json_begin(j, key, '[');
    for (unsigned k = 0; k < 256; k++) {
        if (map[k / 8] >> k % 8 & 1) {
            fm_json_num(j, NULL, k);
        }
    }
    fm_json_end(j);
}

/* -- bytes -------------------------------------------------------------- */

char *fm_hex(const guint8 *data, gsize len)
{
    GString *text = g_string_sized_new(2 * len + 1);

    for (gsize i = 0; i < len; i++) {
        g_string_append_printf(text, "%02x", data[i]);
    }
    return g_string_free(text, FALSE);
}

void fm_dump(const guint8 *data, gsize len)
{
    for (gsize at = 0; at < len; at += DUMP_LINE) {
        printf("%06zx ", at);
        for (gsize i = at; i < MIN(len, at + DUMP_LINE); i++) {
            printf(" %02x", data[i]);
        }
        putchar('\n');
    }
}

/* -- terminal ----------------------------------------------------------- */

/* https://no-color.org: any value but the empty one switches colour off */
gboolean fm_colour(const struct fm_app *app, FILE *out)
{
    const char *no = g_getenv("NO_COLOR");

    if (app->color && strcmp(app->color, "auto")) {
        return !strcmp(app->color, "always");
    }
    return isatty(fileno(out)) && !(no && *no) &&
           g_strcmp0(g_getenv("TERM"), "dumb");
}

unsigned fm_columns(FILE *out)
{
    struct winsize size;

    if (isatty(fileno(out)) && !ioctl(fileno(out), TIOCGWINSZ, &size) &&
        size.ws_col) {
        return MAX(size.ws_col, COLUMNS_MIN);
    }
    return COLUMNS;
}

void fm_progress(const char *what, unsigned percent)
{
    static unsigned last_tenth;

    if (isatty(STDERR_FILENO)) {
        if (percent > 100) {
            g_printerr("\r%*s\r", COLUMNS - 1, "");
        } else {
            g_printerr("\r%s: %3u %%", what, percent);
        }
    } else if (percent <= 100 && percent / 10 > last_tenth) {
        last_tenth = percent / 10;
        g_printerr("%s: %u %%\n", what, percent);
    }
}
