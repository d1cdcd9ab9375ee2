/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cxl-poold: state of the pool in an SQLite database, which is written before
 * anybody is told of what has changed
 *
 * A write-ahead log survives the end of the daemon at any instruction.  Where
 * the medium is a file, each transaction is on the disk as well.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "io/channel-buffer.h"
#include "migration/qemu-file-types.h"
#include "migration/vmstate.h"
#include "../migration/qemu-file.h"
#include "store-internal.h"

#define STORE_VERSION   3

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS setting(name TEXT PRIMARY KEY, value);"
    "CREATE TABLE IF NOT EXISTS head(nr INTEGER PRIMARY KEY, base, pid, start,"
    " instance, request, rc, answer, next_event, handover);"
    "CREATE TABLE IF NOT EXISTS info(nr INTEGER PRIMARY KEY, volatile,"
    " persistent, link);"
    "CREATE TABLE IF NOT EXISTS event(nr, number, record,"
    " PRIMARY KEY(nr, number));"
    "CREATE TABLE IF NOT EXISTS extent(nr, dpa, len, tag, seq,"
    " PRIMARY KEY(nr, dpa)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS leaving(nr, ticket, dpa, len);"
    "CREATE TABLE IF NOT EXISTS held(dpa, len, sanitize);";

/* -- statements ----------------------------------------------------------- */

bool store_fail(Store *s, Error **errp)
{
    error_setg(errp, "'%s': %s", s->path, sqlite3_errmsg(s->db));
    return false;
}

static bool store_exec(Store *s, const char *sql, Error **errp)
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
           store_fail(s, errp);
}

sqlite3_stmt *store_statement(Store *s, const char *sql)
{
    sqlite3_stmt *st = g_hash_table_lookup(s->statements, sql);

    if (!st) {
        if (sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) != SQLITE_OK) {
            return NULL;
        }
        g_hash_table_insert(s->statements, (gpointer)sql, st);
    }
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
    return st;
}

bool store_run(Store *s, Error **errp, const char *sql, int n, ...)
{
    sqlite3_stmt *st = store_statement(s, sql);
    va_list ap;
    bool done;

    va_start(ap, n);
    for (int i = 1; st && i <= n; i++) {
        sqlite3_bind_int64(st, i, va_arg(ap, uint64_t));
    }
    va_end(ap);
    done = st && sqlite3_step(st) == SQLITE_DONE;
    return done || store_fail(s, errp);
}

static bool store_set_blob(Store *s, const char *name, const void *data,
                           size_t len, Error **errp)
{
    sqlite3_stmt *st = store_statement(
        s, "INSERT OR REPLACE INTO setting VALUES(?, ?)");

    if (!st) {
        return store_fail(s, errp);
    }
    sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_blob64(st, 2, data, len, SQLITE_STATIC);
    return sqlite3_step(st) == SQLITE_DONE || store_fail(s, errp);
}

static GByteArray *store_get_blob(Store *s, const char *name)
{
    sqlite3_stmt *st = store_statement(
        s, "SELECT value FROM setting WHERE name = ?");
    GByteArray *blob = NULL;

    if (st) {
        sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
        if (sqlite3_step(st) == SQLITE_ROW) {
            blob = g_byte_array_new();
            g_byte_array_append(blob, sqlite3_column_blob(st, 0),
                                sqlite3_column_bytes(st, 0));
        }
        sqlite3_reset(st);
    }
    return blob;
}

bool store_set_text(Store *s, const char *name, const char *text,
                    Error **errp)
{
    return store_set_blob(s, name, text, strlen(text) + 1, errp);
}

char *store_get_text(Store *s, const char *name)
{
    g_autoptr(GByteArray) blob = store_get_blob(s, name);

    return blob && blob->len ? g_strndup((char *)blob->data, blob->len) : NULL;
}

/* -- life ----------------------------------------------------------------- */

static bool store_check_version(Store *s, Error **errp)
{
    sqlite3_stmt *st = store_statement(s, "PRAGMA user_version");
    int version = st && sqlite3_step(st) == SQLITE_ROW ?
                  sqlite3_column_int(st, 0) : -1;

    if (version < 0) {
        return store_fail(s, errp);
    }
    sqlite3_reset(st);
    if (version && version != STORE_VERSION) {
        error_setg(errp, "'%s' has state of version %d, not %d: another "
                   "cxl-poold has made it", s->path, version, STORE_VERSION);
        return false;
    }
    return store_exec(s, schema, errp) &&
           store_exec(s, "PRAGMA user_version = "
                      stringify(STORE_VERSION), errp);
}

Store *store_open(const char *dir, bool durable, Error **errp)
{
    Store *s = g_new0(Store, 1);
    mode_t mask = umask(0077);
    int rc;

    s->path = g_build_filename(dir, "pool.db", NULL);
    store_extents_init(s);
    s->statements = g_hash_table_new_full(NULL, NULL, NULL,
                                          (GDestroyNotify)sqlite3_finalize);
    rc = sqlite3_open(s->path, &s->db);
    umask(mask);
    if (rc != SQLITE_OK) {
        store_fail(s, errp);
    } else if (sqlite3_exec(s->db, "PRAGMA locking_mode = EXCLUSIVE;"
                            "PRAGMA journal_mode = WAL;"
                            "BEGIN IMMEDIATE; COMMIT", NULL, NULL,
                            NULL) == SQLITE_BUSY) {
        error_setg(errp, "'%s' is that of another cxl-poold that runs", dir);
    } else if (store_exec(s, durable ? "PRAGMA synchronous = FULL" :
                          "PRAGMA synchronous = OFF", errp) &&
               store_check_version(s, errp)) {
        return s;
    }
    store_close(s);
    return NULL;
}

void store_close(Store *s)
{
    g_hash_table_unref(s->statements);
    sqlite3_close(s->db);
    g_array_unref(s->noted);
    g_free(s->path);
    g_free(s);
}

/* -- models --------------------------------------------------------------- */

static bool store_save_state(Store *s, const char *name,
                             const VMStateDescription *vmsd, void *state,
                             Error **errp)
{
    QIOChannelBuffer *channel = qio_channel_buffer_new(4 * KiB);
    QEMUFile *f = qemu_file_new_output(QIO_CHANNEL(channel));
    bool done;

    done = !vmstate_save_state(f, vmsd, state, NULL, errp);
    /* loading looks one byte ahead for a subsection */
    qemu_put_byte(f, 0);
    if (done && qemu_fflush(f)) {
        error_setg(errp, "%s cannot be kept in memory", name);
        done = false;
    }
    done = done && store_set_blob(s, name, channel->data, channel->usage,
                                  errp);
    qemu_fclose(f);
    object_unref(OBJECT(channel));
    return done;
}

static bool store_load_state(Store *s, const char *name,
                             const VMStateDescription *vmsd, void *state,
                             Error **errp)
{
    g_autoptr(GByteArray) blob = store_get_blob(s, name);
    QIOChannelBuffer *channel;
    QEMUFile *f;
    bool done;

    if (!blob) {
        return true;
    }
    channel = qio_channel_buffer_new(blob->len + 1);
    memcpy(channel->data, blob->data, blob->len);
    channel->usage = blob->len;
    f = qemu_file_new_input(QIO_CHANNEL(channel));
    done = !vmstate_load_state(f, vmsd, state, vmsd->version_id, errp) &&
           !qemu_file_get_error(f);
    qemu_fclose(f);
    object_unref(OBJECT(channel));
    if (!done && !*errp) {
        error_setg(errp, "'%s': %s is damaged", s->path, name);
    }
    return done;
}

/*
 * The model has its address in a pointer, as it has in a device; these are
 * whole descriptions because a stream begins with one.
 */
static const VMStateDescription vmstate_model = {
    .name = "cxl-poold-model",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT_POINTER(dc, Poold, vmstate_cxl_dc, CXLDynCap),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_log = {
    .name = "cxl-poold-log",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(events, Poold, 0, vmstate_cxl_events, CXLEventLogs),
        VMSTATE_END_OF_LIST()
    },
};

/* -- saving --------------------------------------------------------------- */

typedef struct Saving {
    Store *store;
    Error **errp;
    bool done;
} Saving;

static bool store_save_leaving(void *opaque, uint16_t host, uint64_t ticket,
                               const CXLDCRange *range)
{
    Saving *saving = opaque;

    saving->done = store_run(saving->store, saving->errp,
                             "INSERT INTO leaving VALUES(?, ?, ?, ?)", 4,
                             (uint64_t)host, ticket, range->dpa, range->len);
    return saving->done;
}

static bool store_save_held(void *opaque, const CXLDCRange *range,
                            bool sanitize)
{
    Saving *saving = opaque;

    saving->done = store_run(saving->store, saving->errp,
                             "INSERT INTO held VALUES(?, ?, ?)", 3,
                             range->dpa, range->len, (uint64_t)sanitize);
    return saving->done;
}

static bool store_save_model(Poold *p, Error **errp)
{
    Saving saving = { p->store, errp, true };

    if (!store_save_extents(p, errp) ||
        !store_save_state(p->store, "model", &vmstate_model, p, errp) ||
        !store_run(p->store, errp, "DELETE FROM leaving", 0) ||
        !store_run(p->store, errp, "DELETE FROM held", 0)) {
        return false;
    }
    cxl_dc_leaving(p->dc, store_save_leaving, &saving);
    if (saving.done) {
        cxl_dc_held(p->dc, store_save_held, &saving);
    }
    return saving.done;
}

static bool store_save_head(Poold *p, const Head *h, Error **errp)
{
    Store *s = p->store;
    uint64_t first = h->next_event - h->outbox->len;
    sqlite3_stmt *st = store_statement(
        s, "INSERT OR REPLACE INTO head VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

    if (!st) {
        return store_fail(s, errp);
    }
    sqlite3_bind_int64(st, 1, h->nr);
    sqlite3_bind_int64(st, 2, cxl_dc_host_base(p->dc, h->nr));
    sqlite3_bind_int64(st, 3, h->pid);
    sqlite3_bind_int64(st, 4, h->start);
    sqlite3_bind_blob(st, 5, h->instance.data, sizeof(h->instance.data),
                      SQLITE_STATIC);
    sqlite3_bind_int64(st, 6, h->last_request);
    sqlite3_bind_int64(st, 7, h->rc);
    sqlite3_bind_blob(st, 8, h->answer->data, h->answer->len, SQLITE_STATIC);
    sqlite3_bind_int64(st, 9, h->next_event);
    sqlite3_bind_blob(st, 10, h->handover.data, sizeof(h->handover.data),
                      SQLITE_STATIC);
    if (sqlite3_step(st) != SQLITE_DONE) {
        return store_fail(s, errp);
    }
    if (!store_run(s, errp, "DELETE FROM event WHERE nr = ?", 1,
                   (uint64_t)h->nr)) {
        return false;
    }
    for (guint i = 0; i < h->outbox->len; i++) {
        st = store_statement(s, "INSERT INTO event VALUES(?, ?, ?)");
        if (!st) {
            return store_fail(s, errp);
        }
        sqlite3_bind_int64(st, 1, h->nr);
        sqlite3_bind_int64(st, 2, first + i);
        sqlite3_bind_blob(st, 3, &g_array_index(h->outbox, CXLEventRecord, i),
                          sizeof(CXLEventRecord), SQLITE_STATIC);
        if (sqlite3_step(st) != SQLITE_DONE) {
            return store_fail(s, errp);
        }
    }
    return true;
}

static bool store_save_info(Poold *p, const Head *h, Error **errp)
{
    Store *s = p->store;
    sqlite3_stmt *st;

    if (!h->known) {
        return store_run(s, errp, "DELETE FROM info WHERE nr = ?", 1,
                         (uint64_t)h->nr);
    }
    st = store_statement(s, "INSERT OR REPLACE INTO info VALUES(?, ?, ?, ?)");
    if (!st) {
        return store_fail(s, errp);
    }
    sqlite3_bind_int64(st, 1, h->nr);
    sqlite3_bind_int64(st, 2, h->info.volatile_size);
    sqlite3_bind_int64(st, 3, h->info.persistent_size);
    sqlite3_bind_blob(st, 4, h->info.link, CXL_HEAD_LINK, SQLITE_STATIC);
    return sqlite3_step(st) == SQLITE_DONE || store_fail(s, errp);
}

bool store_save(Poold *p, Error **errp)
{
    Store *s = p->store;
    bool done = store_exec(s, "BEGIN", errp);

    if (done && p->changed_model) {
        done = store_save_model(p, errp);
    }
    if (done && p->changed_log) {
        done = store_save_state(s, "log", &vmstate_log, p, errp);
    }
    for (unsigned i = 0; done && p->changed_heads && i < p->options.heads;
         i++) {
        done = store_save_head(p, &p->head[i], errp);
    }
    for (unsigned i = 0; done && p->changed_info && i < p->options.heads; i++) {
        done = store_save_info(p, &p->head[i], errp);
    }
    return done && store_exec(s, "COMMIT", errp);
}

/* -- loading -------------------------------------------------------------- */

static bool store_damaged(Store *s, const char *what, Error **errp)
{
    error_setg(errp, "'%s': %s is damaged", s->path, what);
    return false;
}

static bool store_load_head(Poold *p, sqlite3_stmt *st, Error **errp)
{
    uint64_t nr = sqlite3_column_int64(st, 0);
    uint64_t base = sqlite3_column_int64(st, 1);
    Head *h;

    if (nr >= p->options.heads ||
        sqlite3_column_bytes(st, 4) != sizeof(h->instance.data) ||
        sqlite3_column_int64(st, 6) >= CXL_RC_COUNT ||
        sqlite3_column_int64(st, 8) < 1 ||
        sqlite3_column_bytes(st, 9) != sizeof(h->handover.data)) {
        return store_damaged(p->store, "a head", errp);
    }
    h = &p->head[nr];
    h->pid = sqlite3_column_int64(st, 2);
    h->start = sqlite3_column_int64(st, 3);
    memcpy(h->instance.data, sqlite3_column_blob(st, 4),
           sizeof(h->instance.data));
    h->last_request = sqlite3_column_int64(st, 5);
    h->rc = sqlite3_column_int64(st, 6);
    g_byte_array_append(h->answer, sqlite3_column_blob(st, 7),
                        sqlite3_column_bytes(st, 7));
    h->next_event = sqlite3_column_int64(st, 8);
    memcpy(h->handover.data, sqlite3_column_blob(st, 9),
           sizeof(h->handover.data));
    return cxl_dc_set_host_base(p->dc, nr, base, errp);
}

static bool store_load_info(Poold *p, sqlite3_stmt *st, Error **errp)
{
    uint64_t nr = sqlite3_column_int64(st, 0);
    CXLHeadInfo info = {
        .volatile_size = sqlite3_column_int64(st, 1),
        .persistent_size = sqlite3_column_int64(st, 2),
    };

    if (nr >= p->options.heads ||
        sqlite3_column_bytes(st, 3) != CXL_HEAD_LINK) {
        return store_damaged(p->store, "what is known of a head", errp);
    }
    memcpy(info.link, sqlite3_column_blob(st, 3), CXL_HEAD_LINK);
    return heads_set_info(&p->head[nr], &info) ||
           store_damaged(p->store, "what is known of a head", errp);
}

/* They come in order, the last is the one before the next */
static bool store_load_event(Poold *p, sqlite3_stmt *st, Error **errp)
{
    uint64_t nr = sqlite3_column_int64(st, 0);

    if (nr >= p->options.heads ||
        sqlite3_column_bytes(st, 2) != sizeof(CXLEventRecord)) {
        return store_damaged(p->store, "an event", errp);
    }
    g_array_append_vals(p->head[nr].outbox, sqlite3_column_blob(st, 2), 1);
    return true;
}

static bool store_load_leaving(Poold *p, sqlite3_stmt *st, Error **errp)
{
    const CXLDCRange range = {
        .dpa = sqlite3_column_int64(st, 2), .len = sqlite3_column_int64(st, 3),
    };

    return cxl_dc_restore_leaving(p->dc, sqlite3_column_int64(st, 0),
                                  sqlite3_column_int64(st, 1), &range) ||
           store_damaged(p->store, "what leaves a host", errp);
}

static bool store_load_held(Poold *p, sqlite3_stmt *st, Error **errp)
{
    const CXLDCRange range = {
        .dpa = sqlite3_column_int64(st, 0), .len = sqlite3_column_int64(st, 1),
    };

    return cxl_dc_restore_held(p->dc, &range, sqlite3_column_int64(st, 2)) ||
           store_damaged(p->store, "what is held", errp);
}

static bool store_load_rows(Poold *p, const char *sql,
                            bool (*row)(Poold *, sqlite3_stmt *, Error **),
                            Error **errp)
{
    sqlite3_stmt *st = store_statement(p->store, sql);
    bool done = st != NULL;
    int rc = SQLITE_DONE;

    while (done && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        done = row(p, st, errp);
    }
    if (!st || (done && rc != SQLITE_DONE)) {
        return store_fail(p->store, errp);
    }
    sqlite3_reset(st);
    return done;
}

bool store_load(Poold *p, Error **errp)
{
    ERRP_GUARD();

    /* Where hosts see their regions, before they have something there */
    return store_load_rows(p, "SELECT * FROM head", store_load_head, errp) &&
           store_load_rows(p, "SELECT * FROM info", store_load_info, errp) &&
           store_load_state(p->store, "model", &vmstate_model, p, errp) &&
           store_load_state(p->store, "log", &vmstate_log, p, errp) &&
           store_load_rows(p, "SELECT * FROM event ORDER BY nr, number",
                           store_load_event, errp) &&
           store_load_rows(p, "SELECT * FROM leaving ORDER BY rowid",
                           store_load_leaving, errp) &&
           store_load_rows(p, "SELECT * FROM held", store_load_held, errp);
}
