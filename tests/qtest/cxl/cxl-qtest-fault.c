/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults on purpose, as tests arm them
 */
#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "cxl-qtest-fault.h"

static QDict *fault_inject(QTestState *qts, const char *path, const char *kind,
                           const char *arguments)
{
    g_autofree char *text = g_strdup_printf(
        "{'execute': 'cxl-inject-fault', 'arguments': { 'path': '%s', "
        "'kind': '%s'%s%s } }", path, kind, *arguments ? ", " : "", arguments);

    g_test_message("%s of %s: %s", kind, path, arguments);
    return qtest_qmp(qts, text, NULL);
}

uint32_t fault_arm(QTestState *qts, const char *path, const char *kind,
                   const char *arguments)
{
    QDict *rsp = fault_inject(qts, path, kind, arguments);
    const QDict *error = qdict_get_qdict(rsp, "error");
    uint32_t id;

    g_assert_cmpstr(error ? qdict_get_str(error, "desc") : NULL, ==, NULL);
    id = qdict_get_int(qdict_get_qdict(rsp, "return"), "id");
    qobject_unref(rsp);
    return id;
}

void fault_refused(QTestState *qts, const char *path, const char *kind,
                   const char *arguments, const char *want)
{
    QDict *rsp = fault_inject(qts, path, kind, arguments);
    const QDict *error = qdict_get_qdict(rsp, "error");

    g_assert_nonnull(error);
    g_assert_cmpstr(qdict_get_str(error, "desc"), ==, want);
    qobject_unref(rsp);
}

void fault_clear(QTestState *qts, const char *path)
{
    qtest_qmp_assert_success(qts, "{'execute': 'cxl-clear-fault', "
                             "'arguments': { 'path': %s } }", path);
}

int fault_hits(QTestState *qts, const char *path, uint32_t id)
{
    QDict *rsp = qtest_qmp(qts, "{'execute': 'query-cxl-faults', "
                           "'arguments': { 'path': %s } }", path);
    const QListEntry *e;
    int hits = -1;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(rsp, "return"), e) {
        QDict *fault = qobject_to(QDict, qlist_entry_obj(e));

        if (qdict_get_int(fault, "id") == id) {
            hits = qdict_get_int(fault, "hits");
        }
    }
    qobject_unref(rsp);
    return hits;
}

bool fault_is_in(const char *names, const char *kind)
{
    g_auto(GStrv) list = g_strsplit(names, " ", 0);

    return g_strv_contains((const char *const *)list, kind);
}

void fault_family_is_tested(QTestState *qts, const char *family,
                            bool (*is_tested)(const char *kind))
{
    QDict *rsp = qtest_qmp(qts, "{'execute': 'query-cxl-fault-kinds'}");
    const QListEntry *e;
    unsigned n = 0;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(rsp, "return"), e) {
        QDict *row = qobject_to(QDict, qlist_entry_obj(e));
        const char *kind = qdict_get_str(row, "kind");

        if (g_str_equal(qdict_get_str(row, "family"), family)) {
            g_test_message("%s", kind);
            g_assert_true(is_tested(kind));
            n++;
        }
    }
    /* or nothing was looked at */
    g_assert_cmpuint(n, >, 0);
    qobject_unref(rsp);
}
