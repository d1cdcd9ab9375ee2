/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cxl-poold: extents of hosts, a row each, of which a transaction writes those
 * that have changed: there can be a million, and a command changes a few
 *
 * Rows have addresses as if the host's base were 0: those fit in SQLite's
 * numbers, and the base can change.
 */
#include "qemu/osdep.h"
#include "store-internal.h"

/* Extents have changed there since the last transaction */
typedef struct StoreNote {
    uint16_t host;
    uint64_t from;
    uint64_t to;
} StoreNote;

/* -- saving --------------------------------------------------------------- */

typedef struct ExtentSaving {
    Store *store;
    Error **errp;
    bool done;
    uint16_t host;
    uint64_t base;
} ExtentSaving;

void store_extents_init(Store *s)
{
    s->noted = g_array_new(FALSE, FALSE, sizeof(StoreNote));
}

void store_note(Store *s, uint16_t host, uint64_t dpa, uint64_t len)
{
    const StoreNote note = { host, dpa, dpa + len };

    g_array_append_val(s->noted, note);
}

static bool store_save_extent(void *opaque, const CXLDCExtent *e)
{
    ExtentSaving *saving = opaque;
    Store *s = saving->store;
    sqlite3_stmt *st = store_statement(
        s, "INSERT OR REPLACE INTO extent VALUES(?, ?, ?, ?, ?)");

    if (st) {
        sqlite3_bind_int64(st, 1, saving->host);
        sqlite3_bind_int64(st, 2, e->dpa - saving->base);
        sqlite3_bind_int64(st, 3, e->len);
        sqlite3_bind_blob(st, 4, e->tag.data, sizeof(e->tag.data),
                          SQLITE_STATIC);
        sqlite3_bind_int64(st, 5, e->seq);
    }
    saving->done = (st && sqlite3_step(st) == SQLITE_DONE) ||
                   store_fail(s, saving->errp);
    return saving->done;
}

/*
 * SQLITE_ROW: the row that holds @dpa, or else the one behind it; SQLITE_DONE:
 * there is none
 */
static int store_find_extent(Store *s, uint16_t host, uint64_t dpa,
                             CXLDCRange *row)
{
    sqlite3_stmt *st = store_statement(
        s, "SELECT dpa, len FROM extent WHERE nr = ?1 AND dpa + len > ?2 AND"
        " dpa >= COALESCE((SELECT MAX(dpa) FROM extent WHERE nr = ?1 AND"
        " dpa <= ?2), 0) ORDER BY dpa LIMIT 1");
    int rc = SQLITE_ERROR;

    if (st) {
        sqlite3_bind_int64(st, 1, host);
        sqlite3_bind_int64(st, 2, dpa);
        rc = sqlite3_step(st);
        if (rc == SQLITE_ROW) {
            row->dpa = sqlite3_column_int64(st, 0);
            row->len = sqlite3_column_int64(st, 1);
        }
        sqlite3_reset(st);
    }
    return rc;
}

/*
 * All of a row goes that a change touches: of an extent that the host has given
 * back in part, what is left is outside of the change.
 */
static bool store_delete_noted(Store *s, StoreNote *note, Error **errp)
{
    uint64_t at = note->from;
    CXLDCRange row;

    while (at < note->to) {
        int rc = store_find_extent(s, note->host, at, &row);

        if (rc != SQLITE_ROW) {
            return rc == SQLITE_DONE || store_fail(s, errp);
        }
        if (row.dpa >= note->to) {
            return true;
        }
        if (!store_run(s, errp,
                       "DELETE FROM extent WHERE nr = ? AND dpa = ?", 2,
                       (uint64_t)note->host, row.dpa)) {
            return false;
        }
        at = row.dpa + row.len;
        note->from = MIN(note->from, row.dpa);
        note->to = MAX(note->to, at);
    }
    return true;
}

static bool store_insert_noted(Poold *p, const StoreNote *note, Error **errp)
{
    uint64_t base = cxl_dc_host_base(p->dc, note->host);
    const CXLDCRange range = { base + note->from, note->to - note->from };
    ExtentSaving saving = { p->store, errp, true, note->host, base };

    cxl_dc_extents_in(p->dc, note->host, &range, store_save_extent, &saving);
    return saving.done;
}

bool store_save_extents(Poold *p, Error **errp)
{
    GArray *noted = p->store->noted;
    bool done = true;

    for (guint i = 0; done && i < noted->len; i++) {
        done = store_delete_noted(p->store,
                                  &g_array_index(noted, StoreNote, i), errp);
    }
    for (guint i = 0; done && i < noted->len; i++) {
        done = store_insert_noted(p, &g_array_index(noted, StoreNote, i), errp);
    }
    g_array_set_size(noted, 0);
    return done;
}

/* -- loading -------------------------------------------------------------- */

/* What is damaged is an extent that no model takes */
bool store_next_extent(Store *s, uint16_t host, CXLDCExtent *extent)
{
    int rc;

    *extent = (CXLDCExtent) { };
    if (!s->extents) {
        s->extents = store_statement(
            s, "SELECT dpa, len, tag, seq FROM extent WHERE nr = ?"
            " ORDER BY dpa");
        if (!s->extents) {
            return true;
        }
        sqlite3_bind_int64(s->extents, 1, host);
    }
    rc = sqlite3_step(s->extents);
    if (rc == SQLITE_ROW &&
        sqlite3_column_bytes(s->extents, 2) == sizeof(extent->tag.data) &&
        sqlite3_column_int64(s->extents, 3) <= UINT16_MAX) {
        extent->dpa = sqlite3_column_int64(s->extents, 0);
        extent->len = sqlite3_column_int64(s->extents, 1);
        memcpy(extent->tag.data, sqlite3_column_blob(s->extents, 2),
               sizeof(extent->tag.data));
        extent->seq = sqlite3_column_int64(s->extents, 3);
    } else if (rc == SQLITE_DONE) {
        sqlite3_reset(s->extents);
        s->extents = NULL;
        return false;
    }
    return true;
}
