/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cxl-poold: the database, as its source files share it
 */
#ifndef CXL_POOLD_STORE_INTERNAL_H
#define CXL_POOLD_STORE_INTERNAL_H

#include <sqlite3.h>
#include "poold.h"

struct Store {
    sqlite3 *db;
    char *path;
    GHashTable *statements;     /* by their text */
    GArray *noted;              /* StoreNote */
    sqlite3_stmt *extents;      /* of a host, while they are read */
};

/* store.c */
bool store_fail(Store *s, Error **errp);
/* Ready for new values; NULL: the database is damaged */
sqlite3_stmt *store_statement(Store *s, const char *sql);
/* With numbers for its places */
bool store_run(Store *s, Error **errp, const char *sql, int n, ...);

/* store-extents.c */
void store_extents_init(Store *s);
/* Work in proportion to what has changed, not to what there is */
bool store_save_extents(Poold *p, Error **errp);

#endif
