/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verb fault: faults on purpose, armed through the monitor of the QEMU that
 * has the component
 */
#include "fm-app.h"
#include "fm-qmp.h"

static char *opt_qmp;

/* What a command returns is an object, or a list of objects */
static gboolean fault_is_answer(JsonNode *result, gboolean list)
{
    JsonArray *array;

    if (!list || !JSON_NODE_HOLDS_ARRAY(result)) {
        return !list && JSON_NODE_HOLDS_OBJECT(result);
    }
    array = json_node_get_array(result);
    for (guint i = 0; i < json_array_get_length(array); i++) {
        if (!JSON_NODE_HOLDS_OBJECT(json_array_get_element(array, i))) {
            return FALSE;
        }
    }
    return TRUE;
}

/* Runs @command. Return: exit status, and what it returned */
static int fault_run(struct fm_app *app, const char *command,
                     JsonObject *arguments, JsonNode **result)
{
    const char *url = opt_qmp ? opt_qmp : g_getenv("CXL_FM_QMP");
    g_autoptr(GError) error = NULL;
    struct fm_qmp *q;

    *result = NULL;
    if (!url) {
        json_object_unref(arguments);
        return fm_usage(app, "which monitor? Give --qmp, or set CXL_FM_QMP");
    }
    q = fm_qmp_open(url, app->timeout, &error);
    if (!q) {
        json_object_unref(arguments);
    } else {
        *result = fm_qmp_run(q, command, arguments, &error);
        fm_qmp_close(q);
    }
    if (*result && fault_is_answer(*result, g_str_has_prefix(command,
                                                             "query-"))) {
        return FM_DONE;
    }
    if (*result) {
        fm_complain(app, "monitor", "the answer is none of QEMU's");
        return FM_BAD_ANSWER;
    }
    fm_complain(app, "monitor", error->message);
    return error->code == FM_QMP_REFUSED ? FM_REFUSED : FM_UNREACHABLE;
}

static void fault_print_json(JsonNode *result)
{
    g_autofree char *text = json_to_string(result, FALSE);

    puts(text);
}

/* Member @name of @object as text, whatever its type is; the caller frees it */
static char *fault_text(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);
    GString *text = g_string_new(NULL);
    JsonArray *list;

    if (node && JSON_NODE_HOLDS_ARRAY(node)) {
        list = json_node_get_array(node);
        for (guint i = 0; i < json_array_get_length(list); i++) {
            g_string_append_printf(text, "%s%s", i ? ", " : "",
                                   json_array_get_string_element(list, i));
        }
    } else if (node && json_node_get_value_type(node) == G_TYPE_INT64) {
        g_string_append_printf(text, "%" G_GINT64_FORMAT,
                               json_node_get_int(node));
    } else if (node && json_node_get_value_type(node) == G_TYPE_STRING) {
        g_string_append(text, json_node_get_string(node));
    }
    return g_string_free(text, FALSE);
}

struct fault_column {
    const char *member;
    const char *heading;
    int width;
};

/* Objects of a list as a table; the last column ends the line */
static void fault_print_table(JsonNode *result,
                              const struct fault_column *column, guint columns)
{
    JsonArray *list = json_node_get_array(result);

    for (guint c = 0; c < columns; c++) {
        printf("%-*s%s", column[c].width, column[c].heading,
               c + 1 < columns ? " " : "\n");
    }
    for (guint i = 0; i < json_array_get_length(list); i++) {
        JsonObject *row = json_array_get_object_element(list, i);

        for (guint c = 0; c < columns; c++) {
            g_autofree char *text = fault_text(row, column[c].member);

            printf("%-*s%s", column[c].width, text,
                   c + 1 < columns ? " " : "\n");
        }
    }
}

/* -- kinds -------------------------------------------------------------- */

static JsonObject *fault_find_kind(JsonNode *result, const char *name)
{
    JsonArray *list = json_node_get_array(result);

    for (guint i = 0; i < json_array_get_length(list); i++) {
        JsonObject *kind = json_array_get_object_element(list, i);

        g_autofree char *text = fault_text(kind, "kind");

        if (!strcmp(text, name)) {
            return kind;
        }
    }
    return NULL;
}

static void fault_print_kind(JsonObject *kind)
{
    static const char *const members[] = {
        "kind", "family", "place", "takes", "needs", "value", "does",
        "specification"
    };

    for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
        g_autofree char *text = fault_text(kind, members[i]);

        if (*text) {
            printf("%-14s %s\n", members[i], text);
        }
    }
}

static int fault_run_kinds(struct fm_app *app, int argc, char **argv)
{
    static const struct fault_column columns[] = {
        { "kind", "KIND", 22 }, { "family", "FAMILY", 9 },
        { "takes", "TAKES", 24 }, { "does", "DOES", 0 },
    };
    g_autoptr(JsonNode) result = NULL;
    JsonObject *kind;
    int ret = fault_run(app, "query-cxl-fault-kinds", json_object_new(),
                        &result);

    if (ret) {
        return ret;
    }
    if (!argc) {
        if (app->json) {
            fault_print_json(result);
        } else {
            fault_print_table(result, columns, G_N_ELEMENTS(columns));
        }
        return FM_DONE;
    }
    kind = fault_find_kind(result, argv[0]);
    if (!kind) {
        return fm_usage(app, "there is no kind '%s'; 'cxl-fm fault kinds' "
                        "lists those that there are", argv[0]);
    }
    if (app->json) {
        g_autoptr(JsonNode) one =
            json_node_init_object(json_node_alloc(), kind);

        fault_print_json(one);
    } else {
        fault_print_kind(kind);
    }
    return FM_DONE;
}

/* -- list, arm, clear --------------------------------------------------- */

static int fault_run_list(struct fm_app *app, int argc, char **argv)
{
    static const struct fault_column columns[] = {
        { "path", "TARGET", 26 }, { "id", "ID", 3 }, { "kind", "KIND", 22 },
        { "when", "WHEN", 9 }, { "count", "COUNT", 5 }, { "seen", "SEEN", 6 },
        { "hits", "HITS", 0 },
    };
    JsonObject *arguments = json_object_new();
    g_autoptr(JsonNode) result = NULL;
    int ret;

    if (argc) {
        json_object_set_string_member(arguments, "path", argv[0]);
    }
    ret = fault_run(app, "query-cxl-faults", arguments, &result);
    if (!ret && app->json) {
        fault_print_json(result);
    } else if (!ret) {
        fault_print_table(result, columns, G_N_ELEMENTS(columns));
    }
    return ret;
}

/* NAME=VALUE: numbers, but for when=WORD. What names there are QEMU knows */
static gboolean fault_add_argument(struct fm_app *app, const char *word,
                                   JsonObject *arguments)
{
    const char *equals = strchr(word, '=');
    g_autofree char *name = equals ? g_strndup(word, equals - word) : NULL;
    guint64 value;

    if (!equals || !*name || !equals[1]) {
        fm_usage(app, "%s: expected NAME=VALUE, such as value=0x10", word);
        return FALSE;
    }
    if (!strcmp(name, "when")) {
        json_object_set_string_member(arguments, name, equals + 1);
        return TRUE;
    }
    if (!fm_arg_u64(equals + 1, &value)) {
        fm_usage(app, "%s: expected a number such as 16 or 0x10", word);
        return FALSE;
    }
    /* the monitor takes the same 64 bits with a sign */
    json_object_set_int_member(arguments, name, value);
    return TRUE;
}

static int fault_run_arm(struct fm_app *app, int argc, char **argv)
{
    JsonObject *arguments;
    g_autoptr(JsonNode) result = NULL;
    int ret;

    if (argc < 2) {
        return fm_usage(app, "arm: which TARGET, and which KIND?");
    }
    arguments = json_object_new();
    json_object_set_string_member(arguments, "path", argv[0]);
    json_object_set_string_member(arguments, "kind", argv[1]);
    for (int i = 2; i < argc; i++) {
        if (!fault_add_argument(app, argv[i], arguments)) {
            json_object_unref(arguments);
            return FM_USAGE;
        }
    }
    ret = fault_run(app, "cxl-inject-fault", arguments, &result);
    if (!ret && app->json) {
        fault_print_json(result);
    } else if (!ret) {
        g_autofree char *id = fault_text(json_node_get_object(result), "id");

        printf("fault %s of %s is armed: %s\n", id, argv[0], argv[1]);
    }
    return ret;
}

static int fault_run_clear(struct fm_app *app, int argc, char **argv)
{
    JsonObject *arguments;
    g_autoptr(JsonNode) result = NULL;
    guint64 id = 0;
    int ret;

    if (argc > 1 && (!fm_arg_u64(argv[1], &id) || id > G_MAXUINT32)) {
        return fm_usage(app, "%s: expected the ID of a fault", argv[1]);
    }
    arguments = json_object_new();
    if (argc) {
        json_object_set_string_member(arguments, "path", argv[0]);
    }
    if (argc > 1) {
        json_object_set_int_member(arguments, "id", id);
    }
    ret = fault_run(app, "cxl-clear-fault", arguments, &result);
    if (!ret && app->json) {
        fault_print_json(result);
    }
    return ret;
}

/* -- the verb ----------------------------------------------------------- */

static int run_fault(struct fm_app *app, int argc, char **argv)
{
    static const struct {
        const char *name;
        int max_args;
        int (*run)(struct fm_app *app, int argc, char **argv);
    } actions[] = {
        { "kinds", 1, fault_run_kinds },
        { "list", 1, fault_run_list },
        { "arm", G_MAXINT, fault_run_arm },
        { "clear", 2, fault_run_clear },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(actions); i++) {
        if (!strcmp(actions[i].name, argv[0])) {
            if (argc - 1 > actions[i].max_args) {
                return fm_usage(app, "too many arguments");
            }
            return actions[i].run(app, argc - 1, argv + 1);
        }
    }
    return fm_usage(app, "%s: expected kinds, list, arm or clear", argv[0]);
}

static const GOptionEntry fault_options[] = {
    { "qmp", 0, 0, G_OPTION_ARG_STRING, &opt_qmp,
      "The monitor of the QEMU that has the component: unix:PATH or "
      "tcp:HOST:PORT [environment CXL_FM_QMP]", "URL" },
    { NULL }
};

const struct fm_verb fm_verbs_fault[] = {
    { "fault", "kinds|list|arm|clear [ARGUMENT...]", 1, G_MAXINT,
      "Have a component lie, to test drivers and Fabric Managers",
      "  kinds [KIND]                     which faults there are, or all of "
      "one\n"
      "  list [TARGET]                    which are armed, and how often they "
      "acted\n"
      "  arm TARGET KIND [NAME=VALUE...]  arm one\n"
      "  clear [TARGET [ID]]              forget all, those of a target, or "
      "one\n\n"
      "TARGET is the id or QOM path of a device of QEMU. Every kind takes\n"
      "when=next|nth|every-nth|probably, n, probability, seed and count.\n\n"
      "Examples:\n"
      "  cxl-fm fault kinds answer-code\n"
      "  cxl-fm fault arm mem0 answer-code opcode=0x4000 value=4\n"
      "  cxl-fm fault arm link0 packet-drop when=every-nth n=10\n"
      "  cxl-fm fault clear mem0", fault_options, run_fault },
    { NULL }
};
