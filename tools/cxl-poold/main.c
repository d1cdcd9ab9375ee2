/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cxl-poold: a pool of CXL memory for hosts in several QEMUs
 */
#include "qemu/osdep.h"
#include <glib-unix.h>
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qom/object.h"
#include "poold.h"

static bool main_ends;

static gboolean main_end(gpointer opaque)
{
    main_ends = true;
    return G_SOURCE_CONTINUE;
}

/* Others can use what is in it, if it is for them, but not look around */
static bool main_make_dir(const PooldOptions *o, Error **errp)
{
    bool wide = access_is_wide(&o->allow_heads) || access_is_wide(&o->allow_fm);

    if (g_mkdir_with_parents(o->dir, wide ? 0711 : 0700)) {
        error_setg_errno(errp, errno, "cannot make '%s'", o->dir);
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    PooldOptions options = { };
    Error *err = NULL;
    Poold *p = NULL;
    int status;

    error_init(argv[0]);
    if (!options_parse(&options, argc, argv, &status)) {
        options_free(&options);
        return status;
    }
    module_call_init(MODULE_INIT_QOM);
    qemu_init_main_loop(&error_fatal);
    g_unix_signal_add(SIGTERM, main_end, NULL);
    g_unix_signal_add(SIGINT, main_end, NULL);
    if (main_make_dir(&options, &err)) {
        p = pool_new(&options, &err);
    }
    if (!p || !listen_open(p, &err)) {
        error_report_err(err);
        return EXIT_FAILURE;
    }
    while (!main_ends) {
        main_loop_wait(false);
    }
    pool_free(p);
    return EXIT_SUCCESS;
}
