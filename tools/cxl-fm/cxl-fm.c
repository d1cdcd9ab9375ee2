/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Fabric Manager for the command line (CXL r3.2 7.6.7.6): "cxl-fm VERB" with
 * options before and after the verb
 */
#include <locale.h>

#include "fm-app.h"

/* A command's time: Linux keeps an MCTP tag for 6 s, components take 2 s */
#define TIMEOUT_S   5
#define TIMEOUT_MAX 3600

static struct fm_app app = { .timeout = TIMEOUT_S };
static gboolean opt_version;

static const struct fm_verb *const families[] = {
    fm_verbs_show, fm_verbs_hosts, fm_verbs_map, fm_verbs_change,
    fm_verbs_setup, fm_verbs_log,
    fm_verbs_raw,
#ifdef CXL_FM_ON_HOST
    fm_verbs_fault,
#endif
};

static const GOptionEntry common_options[] = {
    { "connect", 'c', 0, G_OPTION_ARG_FILENAME, &app.connect,
      "Transport and address of the component [environment CXL_FM]", "URL" },
    { "json", 'j', 0, G_OPTION_ARG_NONE, &app.json,
      "Write JSON for scripts", NULL },
    { "timeout", 0, 0, G_OPTION_ARG_DOUBLE, &app.timeout,
      "Give up on a command after this time [5]", "SECONDS" },
    { "color", 0, 0, G_OPTION_ARG_STRING, &app.color,
      "auto, always or never [auto]", "WHEN" },
    { NULL }
};

static const GOptionEntry version_options[] = {
    { "version", 0, 0, G_OPTION_ARG_NONE, &opt_version,
      "Print the version and exit", NULL },
    { NULL }
};

static const struct fm_verb *find_verb(const char *name)
{
    for (gsize f = 0; f < G_N_ELEMENTS(families); f++) {
        for (const struct fm_verb *v = families[f]; v->name; v++) {
            if (!strcmp(v->name, name)) {
                return v;
            }
        }
    }
    return NULL;
}

static char *verb_list(void)
{
    GString *text = g_string_new("Verbs:\n");

    for (gsize f = 0; f < G_N_ELEMENTS(families); f++) {
        for (const struct fm_verb *v = families[f]; v->name; v++) {
            g_string_append_printf(text, "  %-11s %s\n", v->name, v->summary);
        }
    }
    g_string_append(text, "\nRun 'cxl-fm VERB --help' for details.\n\n"
        "URL is where the component's MCTP endpoint or mailbox is:\n"
        "  unix:PATH      serial frames on a UNIX socket (-chardev socket)\n"
        "  tcp:HOST:PORT  serial frames on a TCP connection\n"
        "  pty:PATH       serial frames on a terminal (-chardev pty)\n"
        "  mctp:NET,EID   an endpoint that the kernel's MCTP reaches\n"
        "  ioctl:PATH     a mailbox, /dev/cxl/memN of the Linux CXL driver\n\n"
        "Exit status: 0 done, 1 the component refused, 2 usage error, 3 no "
        "answer,\n4 a wrong answer, 5 the host did not do it.");
    return g_string_free(text, FALSE);
}

/*
 * The words before the verb. TRUE: argv[1] is the verb; FALSE: it is all over,
 * with *@status
 */
static gboolean parse_common(int *argc, char ***argv, int *status)
{
    g_autoptr(GOptionContext) ctx = g_option_context_new("VERB [OPTION…]");
    g_autoptr(GError) error = NULL;
    g_autofree char *verbs = verb_list();

    g_option_context_set_summary(ctx, "Manages the dynamic capacity of "
                                 "CXL memory devices as a Fabric Manager.");
    g_option_context_set_description(ctx, verbs);
    g_option_context_add_main_entries(ctx, common_options, NULL);
    g_option_context_add_main_entries(ctx, version_options, NULL);
    g_option_context_set_strict_posix(ctx, TRUE);
    if (!g_option_context_parse(ctx, argc, argv, &error)) {
        *status = fm_usage(&app, "%s", error->message);
        return FALSE;
    }
    if (opt_version) {
        puts("cxl-fm " CXL_FM_VERSION);
        *status = FM_DONE;
        return FALSE;
    }
    if (*argc < 2) {
        g_autofree char *help = g_option_context_get_help(ctx, TRUE, NULL);

        g_printerr("%s", help);
        *status = FM_USAGE;
        return FALSE;
    }
    return TRUE;
}

/* The words after the verb; what is left are those that are no options */
static int parse_verb(int *argc, char ***argv)
{
    g_autoptr(GOptionContext) ctx = g_option_context_new(app.verb->args);
    g_autofree char *name = g_strdup_printf("cxl-fm %s", app.verb->name);
    g_autofree char *summary = g_strdup_printf("%s.", app.verb->summary);
    g_autoptr(GError) error = NULL;

    g_set_prgname(name);
    g_option_context_set_summary(ctx, summary);
    g_option_context_set_description(ctx, app.verb->details);
    if (app.verb->options) {
        g_option_context_add_main_entries(ctx, app.verb->options, NULL);
    }
    g_option_context_add_main_entries(ctx, common_options, NULL);
    if (!g_option_context_parse(ctx, argc, argv, &error)) {
        return fm_usage(&app, "%s", error->message);
    }
    return FM_DONE;
}

int main(int argc, char **argv)
{
    int ret;

    setlocale(LC_ALL, "");
    /* numbers in what we print are for programs too */
    setlocale(LC_NUMERIC, "C");
    g_set_prgname("cxl-fm");
    app.j.out = stdout;
    if (!parse_common(&argc, &argv, &ret)) {
        return ret;
    }
    app.verb = find_verb(argv[1]);
    if (!app.verb) {
        return fm_usage(&app, "there is no verb '%s'", argv[1]);
    }
    argc--;
    argv++;
    ret = parse_verb(&argc, &argv);
    if (ret) {
        return ret;
    }
    if (argc - 1 < app.verb->min_args || argc - 1 > app.verb->max_args) {
        return fm_usage(&app, argc - 1 > app.verb->max_args ?
                        "too many arguments" : "an argument is missing");
    }
    if (app.color && strcmp(app.color, "auto") &&
        strcmp(app.color, "always") && strcmp(app.color, "never")) {
        return fm_usage(&app, "--color %s: expected auto, always or never",
                        app.color);
    }
    if (!(app.timeout > 0 && app.timeout <= TIMEOUT_MAX)) {
        return fm_usage(&app, "--timeout: expected up to %d seconds",
                        TIMEOUT_MAX);
    }
    ret = app.verb->run(&app, argc - 1, argv + 1);
    cxl_conn_close(app.conn);
    if (fflush(stdout)) {
        perror("cxl-fm");
        return ret ? ret : FM_USAGE;
    }
    return ret;
}
