/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machines with lines of any kind, and tests that get one.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include "mctp-line.h"

static char *machine_args(const LineTest *t)
{
    GString *args = g_string_new(t->setup->machine);

    g_string_append(args, t->kind->machine);
    for (unsigned n = 0; n < LINES_MAX && t->setup->target[n]; n++) {
        g_autofree char *line = t->kind->args(n, t->setup->target[n]);

        g_string_append(args, line);
    }
    return g_string_free(args, FALSE);
}

static void find_mailbox(LineTest *t)
{
    mailbox_close(&t->mailbox);
    if (t->setup->devfn) {
        t->mailbox = mailbox_open(&t->i2c, t->setup->devfn, t->setup->bar);
    }
}

void line_test_start(LineTest *t, const LineSetup *setup,
                     const LineKind *kind)
{
    g_autofree char *args = NULL;

    *t = (LineTest) { .setup = setup, .kind = kind };
    args = machine_args(t);
    dw_start_args(&t->i2c, args);
    find_mailbox(t);
    if (kind->start) {
        kind->start(&t->i2c);
    }
}

void line_test_stop(LineTest *t)
{
    for (unsigned n = 0; n < LINES_MAX; n++) {
        if (t->line[n]) {
            line_quiet(t->line[n]);
            line_drop(t, n);
        }
    }
    g_assert_true(qtest_probe_child(t->i2c.qts));
    if (t->kind->stop) {
        t->kind->stop();
    }
    mailbox_close(&t->mailbox);
    dw_stop(&t->i2c);
}

Line *line_of(LineTest *t, unsigned n)
{
    if (!t->line[n]) {
        t->line[n] = t->kind->open(n);
    }
    return t->line[n];
}

void line_drop(LineTest *t, unsigned n)
{
    g_clear_pointer(&t->line[n], line_close);
}

Line *line_anew(LineTest *t, unsigned n)
{
    line_drop(t, n);
    return line_of(t, n);
}

void line_reset(LineTest *t)
{
    qtest_system_reset(t->i2c.qts);
    if (t->kind->start) {
        dw_map(&t->i2c);
        t->kind->start(&t->i2c);
    }
    for (unsigned n = 0; n < LINES_MAX; n++) {
        if (t->line[n] && t->kind->start) {
            line_anew(t, n);
        } else if (t->line[n]) {
            t->line[n]->eid = LINE_EID(n);
        }
    }
    find_mailbox(t);
}

/* A peer of a line that ends is on the new one before the state is loaded */
void line_migrate(LineTest *t)
{
    g_autofree char *args = machine_args(t);
    g_autofree char *path = dw_save(&t->i2c);
    QPCIBar bar = t->i2c.bar;

    g_clear_pointer(&t->mailbox.dev, g_free);
    dw_stop(&t->i2c);
    dw_start_incoming(&t->i2c, args);
    for (unsigned n = 0; n < LINES_MAX; n++) {
        if (t->line[n] && !t->kind->moved) {
            uint8_t eid = t->line[n]->eid;

            line_anew(t, n)->eid = eid;
        }
    }
    for (unsigned i = 0; i < 100; i++) {
        qtest_readb(t->i2c.qts, 0);
    }
    g_assert_true(dw_load_incoming(&t->i2c, path, bar));
    unlink(path);
    if (t->kind->moved) {
        t->kind->moved(&t->i2c);
    }
    if (t->setup->devfn) {
        t->mailbox.dev = qpci_device_find(t->i2c.pci, t->setup->devfn);
    }
}

typedef struct LineCase {
    const LineKind *kind;
    const LineSetup *setup;
    void (*run)(LineTest *t, Line *l);
} LineCase;

static void run_case(const void *data)
{
    const LineCase *c = data;
    LineTest t;

    line_test_start(&t, c->setup, c->kind);
    c->run(&t, line_of(&t, 0));
    line_test_stop(&t);
}

void line_add_test(const LineKind *kind, const char *name,
                   const LineSetup *setup,
                   void (*run)(LineTest *t, Line *l))
{
    g_autofree char *path = g_strdup_printf("/mctp-%s/%s", kind->name, name);
    LineCase *c = g_new(LineCase, 1);

    *c = (LineCase) { kind, setup, run };
    qtest_add_data_func_full(path, c, run_case, g_free);
}

int line_test_main(void)
{
    int ret = g_test_run();

    line_cleanup();
    return ret;
}

void line_plug(QTestState *qts, const char *props, const char *refusal)
{
    g_autofree char *text = g_strdup_printf("{%s}", props);
    QDict *rsp = qtest_qmp(qts, "{'execute': 'device_add',"
                           " 'arguments': %p}",
                           qobject_from_json(text, &error_abort));

    if (refusal) {
        const char *desc = qdict_get_str(qdict_get_qdict(rsp, "error"),
                                         "desc");

        g_test_message("%s", desc);
        g_assert_nonnull(strstr(desc, refusal));
    } else {
        g_assert_true(qdict_haskey(rsp, "return"));
    }
    qobject_unref(rsp);
}

void line_unplug(QTestState *qts, const char *id)
{
    qtest_qmp_assert_success(qts, "{'execute': 'device_del',"
                             " 'arguments': {'id': %s}}", id);
    qtest_qmp_eventwait(qts, "DEVICE_DELETED");
}
