/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verbs about logs: log, commands, events, watch (CXL r3.2 8.2.10.5,
 * 8.2.10.2)
 */
#include <inttypes.h>

#include "fm-app.h"
#include "fm-explain.h"

#define INTERVAL_MS 500
#define INTERVAL_UNSET G_MININT
/*
 * Look this often although the component says when: somebody else can have
 * set another policy meanwhile, and a notice can be lost with a line
 */
#define TOLD_MS 10000

static char *opt_output;
static gboolean opt_keep, opt_map;
static int opt_host, opt_count, opt_interval = INTERVAL_UNSET;
static double opt_for;

static const struct {
    const char *name, *uuid;
} log_names[] = {
    { "cel", "0da9c0b5-bf41-4b78-8f79-96b1623b3f17" },
    { "vendor", "5e1819d9-11a9-400c-811f-d60719403d86" },
    { "component", "b3fab4cf-01b6-4332-943e-5e9962f23567" },
};

static const char *log_name(const char *uuid)
{
    for (gsize i = 0; i < G_N_ELEMENTS(log_names); i++) {
        if (!strcmp(log_names[i].uuid, uuid)) {
            return log_names[i].name;
        }
    }
    return NULL;
}

static int list_logs(struct fm_app *app)
{
    struct fm_logs logs;
    int ret = fm_supported_logs(app->conn, &logs);

    if (ret) {
        return fm_fail(app, ret);
    }
    if (app->json) {
        fm_json_begin(&app->j, NULL, '{');
        fm_json_begin(&app->j, "logs", '[');
    }
    for (unsigned i = 0; i < logs.n; i++) {
        char uuid[FM_TEXT];
        const char *name = log_name(fm_text_tag(uuid, logs.log[i].uuid));

        if (app->json) {
            fm_json_begin(&app->j, NULL, '{');
            fm_json_str(&app->j, "uuid", uuid);
            fm_json_str(&app->j, "name", name);
            fm_json_num(&app->j, "size", logs.log[i].size);
            fm_json_end(&app->j);
        } else {
            printf("%s  %-9s  %" PRIu32 " bytes\n", uuid, name ? name : "-",
                   logs.log[i].size);
        }
    }
    if (app->json) {
        fm_json_end(&app->j);
        fm_json_end(&app->j);
    }
    return FM_DONE;
}

/* What a log holds goes to a file, to the terminal or into JSON */
static int show_bytes(struct fm_app *app, const char *uuid,
                      const GByteArray *log)
{
    g_autoptr(GError) error = NULL;

    if (opt_output && !g_file_set_contents(opt_output,
                                           (const char *)log->data, log->len,
                                           &error)) {
        return fm_usage(app, "%s", error->message);
    }
    if (app->json) {
        fm_json_begin(&app->j, NULL, '{');
        fm_json_str(&app->j, "uuid", uuid);
        fm_json_num(&app->j, "size", log->len);
        if (!opt_output) {
            g_autofree char *text = fm_hex(log->data, log->len);

            fm_json_str(&app->j, "data", text);
        }
        fm_json_end(&app->j);
    } else if (opt_output) {
        printf("%u bytes written to %s\n", log->len, opt_output);
    } else {
        fm_dump(log->data, log->len);
    }
    return FM_DONE;
}

static int run_log(struct fm_app *app, int argc, char **argv)
{
    g_autoptr(GByteArray) log = NULL;
    struct fm_logs logs;
    char uuid[FM_TEXT] = "";
    guint8 id[16];
    unsigned i = 0;
    int ret;

    if (argc) {
        g_strlcpy(uuid, argv[0], sizeof(uuid));
        for (gsize k = 0; k < G_N_ELEMENTS(log_names); k++) {
            if (!strcmp(argv[0], log_names[k].name)) {
                g_strlcpy(uuid, log_names[k].uuid, sizeof(uuid));
            }
        }
        if (!g_uuid_string_is_valid(uuid) || !fm_arg_tag(uuid, id)) {
            return fm_usage(app, "%s: expected cel, vendor, component or a "
                            "UUID", argv[0]);
        }
    } else if (opt_output) {
        return fm_usage(app, "--output: a log is missing");
    }
    ret = fm_connect(app);
    if (ret || !argc) {
        return ret ? ret : list_logs(app);
    }
    ret = fm_supported_logs(app->conn, &logs);
    if (ret) {
        return fm_fail(app, ret);
    }
    while (i < logs.n && memcmp(logs.log[i].uuid, id, sizeof(id))) {
        i++;
    }
    log = g_byte_array_new();
    /* of a log that is not listed, ask a byte: the answer tells the reason */
    g_byte_array_set_size(log, i < logs.n ? logs.log[i].size : 1);
    ret = fm_read_log(app->conn, id, log->data, log->len);
    if (ret) {
        return fm_fail(app, ret);
    }
    return show_bytes(app, uuid, log);
}

static int run_commands(struct fm_app *app, int argc, char **argv)
{
    static struct fm_cel cel;
    int ret = fm_connect(app);

    if (ret) {
        return ret;
    }
    ret = fm_read_cel(app->conn, &cel);
    if (ret) {
        return fm_fail(app, ret);
    }
    if (app->json) {
        fm_json_begin(&app->j, NULL, '{');
        fm_json_begin(&app->j, "commands", '[');
    }
    for (size_t i = 0; i < cel.n; i++) {
        const char *name = fm_command_name(cel.entry[i].opcode);

        if (app->json) {
            fm_json_begin(&app->j, NULL, '{');
            fm_json_fmt(&app->j, "opcode", "%04x", cel.entry[i].opcode);
            fm_json_str(&app->j, "name", name);
            fm_json_num(&app->j, "effects", cel.entry[i].effects);
            fm_json_end(&app->j);
        } else {
            printf("%04x  effects %04x  %s\n", cel.entry[i].opcode,
                   cel.entry[i].effects, name ? name : "");
        }
    }
    if (app->json) {
        fm_json_end(&app->j);
        fm_json_end(&app->j);
    }
    return FM_DONE;
}

/* -- events ------------------------------------------------------------- */

static void tell_lost(struct fm_app *app, const struct cxl_dc_events *events)
{
    if (events->overflow && !app->json) {
        printf("the log was full: %u record%s lost\n", events->lost,
               events->lost == 1 ? " is" : "s are");
    }
}

/* Read, tell and clear what is there. Number of records or -1 with *@status */
static int drain(struct fm_app *app, gboolean lines, int limit, int *status)
{
    static struct cxl_dc_events events;
    int ret, told = 0;

    do {
        ret = fm_read_dc_events(app->conn, &events);
        if (ret) {
            break;
        }
        tell_lost(app, &events);
        if (limit && events.n > (unsigned)(limit - told)) {
            events.n = limit - told;
        }
        for (unsigned i = 0; i < events.n; i++, told++) {
            if (app->json) {
                fm_json_event(&app->j, &events.ev[i]);
            } else {
                fm_print_event(stdout, "", &events.ev[i]);
            }
        }
        if (events.n && !opt_keep) {
            ret = fm_clear_dc_events(app->conn, &events, events.n);
        }
    } while (!ret && events.n && !opt_keep && (!limit || told < limit));
    if (ret) {
        *status = fm_fail(app, ret);
        return -1;
    }
    if (lines) {
        fflush(stdout);
    }
    return told;
}

static int run_events(struct fm_app *app, int argc, char **argv)
{
    int status = fm_connect(app), told;

    if (status) {
        return status;
    }
    if (app->json) {
        /* gathered first: after a failure there is an error object instead */
        g_autofree char *text = NULL;
        gsize size;
        FILE *memory = open_memstream(&text, &size);

        app->j.out = memory;
        fm_json_begin(&app->j, NULL, '{');
        fm_json_begin(&app->j, "events", '[');
        told = drain(app, FALSE, 0, &status);
        fm_json_end(&app->j);
        fm_json_end(&app->j);
        fclose(memory);
        app->j.out = stdout;
        if (told >= 0) {
            fputs(text, stdout);
        }
        return status;
    }
    told = drain(app, FALSE, 0, &status);
    if (!told) {
        puts("no events");
    }
    return status;
}

/*
 * FALSE if this component says nothing by itself, or not to us. The connection
 * is made ready first, so that the first notice is not missed.
 */
static gboolean ask_for_notices(struct cxl_conn *conn, uint16_t *before)
{
    return conn->await && conn->await(conn, 0) >= 0 &&
           !fm_get_notices(conn, before) &&
           !fm_set_notices(conn, *before | FM_NOTICE_DC);
}

/* Until it is time to look again. Return: exit status */
static int wait_for_more(struct fm_app *app, gboolean notices, gint64 end)
{
    gint64 ms = notices ? TOLD_MS :
                opt_interval == INTERVAL_UNSET ? INTERVAL_MS : opt_interval;
    int ret;

    if (opt_for > 0) {
        /* the last look is when the time is over */
        gint64 left = (end - g_get_monotonic_time()) / 1000 + 1;

        ms = CLAMP(left, 1, ms);
    }
    if (!notices) {
        g_usleep(ms * 1000ul);
        return FM_DONE;
    }
    ret = app->conn->await(app->conn, ms);
    return ret < 0 ? fm_fail(app, ret) : FM_DONE;
}

static int run_watch(struct fm_app *app, int argc, char **argv)
{
    gint64 end = g_get_monotonic_time() + opt_for * G_USEC_PER_SEC;
    gboolean notices = FALSE;
    uint16_t before = 0;
    int status, told = 0;

    if ((opt_interval < 1 && opt_interval != INTERVAL_UNSET) ||
        opt_count < 0 || opt_for < 0) {
        return fm_usage(app, "--interval, --count and --for are positive "
                        "numbers");
    }
    if (opt_map && app->json) {
        return fm_usage(app, "--map draws, --json writes objects: take one");
    }
    status = fm_word_host(app, opt_host) ? fm_connect(app) : FM_USAGE;
    if (!status && opt_map) {
        status = fm_draw_map(app, opt_host, stdout);
        fflush(stdout);
    }
    if (!status && opt_interval == INTERVAL_UNSET) {
        notices = ask_for_notices(app->conn, &before);
    }
    while (!status) {
        int n = drain(app, TRUE, opt_count ? opt_count - told : 0, &status);

        if (n < 0) {
            break;
        }
        told += n;
        if (n && opt_map) {
            status = fm_draw_map(app, opt_host, stdout);
            fflush(stdout);
        }
        if ((opt_count && told >= opt_count) ||
            (opt_for > 0 && g_get_monotonic_time() >= end)) {
            break;
        }
        status = status ? status : wait_for_more(app, notices, end);
    }
    if (notices && !status) {
        /* it need say no more than before */
        fm_set_notices(app->conn, before);
    }
    return status;
}

static const GOptionEntry log_options[] = {
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &opt_output,
      "Write the log's bytes to a file", "FILE" },
    { NULL }
};

static const GOptionEntry events_options[] = {
    { "keep", 'k', 0, G_OPTION_ARG_NONE, &opt_keep,
      "Leave the records in the log; shows the oldest that fit one answer",
      NULL },
    { NULL }
};

static const GOptionEntry watch_options[] = {
    { "count", 'n', 0, G_OPTION_ARG_INT, &opt_count,
      "End after N records", "N" },
    { "for", 0, 0, G_OPTION_ARG_DOUBLE, &opt_for,
      "End after this time", "SECONDS" },
    { "interval", 'i', 0, G_OPTION_ARG_INT, &opt_interval,
      "How often to look [when the component notifies, else 500]", "MS" },
    { "map", 'm', 0, G_OPTION_ARG_NONE, &opt_map,
      "Draw the map at the start and after every change", NULL },
    { "host", 'H', 0, G_OPTION_ARG_INT, &opt_host,
      "Host (LD-ID) of the map [0]", "N" },
    { NULL }
};

const struct fm_verb fm_verbs_log[] = {
    { "log", "[cel|vendor|component|UUID]", 0, 1,
      "List the component's logs, or read one", NULL, log_options, run_log },
    { "commands", "", 0, 0, "Commands that this interface has, with effects",
      NULL, NULL, run_commands },
    { "events", "", 0, 0, "Read the FM's own event log and clear it",
      "The log holds what hosts did: extents accepted, extents released.",
      events_options, run_events },
    { "watch", "", 0, 0, "Follow the FM's own event log",
      "Records are cleared as they are shown. With --json every record is a "
      "line of\nits own. The component is asked to notify of new records, "
      "unless it cannot\nor --interval is given.",
      watch_options, run_watch },
    { NULL }
};
