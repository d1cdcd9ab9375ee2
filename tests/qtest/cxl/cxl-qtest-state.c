/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * State of a running machine as bytes, see cxl-qtest-state.h
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "cxl-qtest-state.h"

/* As migration streams have them */
#define STREAM_MAGIC    0x5145564d
#define STREAM_VERSION  3
#define SECTION_FULL    0x04
#define SECTION_FOOTER  0x7e
/* Before the name, and behind it: instance and version */
#define SECTION_HEAD    6
#define SECTION_TAIL    8

/* -- snapshots ------------------------------------------------------------- */

static void run_job(QTestState *qts)
{
    for (;;) {
        QDict *r = qtest_qmp(qts, "{'execute': 'query-jobs'}");
        QDict *job = qobject_to(QDict, qlist_peek(qdict_get_qlist(r,
                                                                  "return")));
        bool done = g_str_equal(qdict_get_str(job, "status"), "concluded");

        g_assert_false(qdict_haskey(job, "error"));
        qobject_unref(r);
        if (done) {
            break;
        }
        g_usleep(1000);
    }
    qtest_qmp_assert_success(qts, "{'execute': 'job-dismiss', "
                             "'arguments': {'id': 'job'}}");
}

/* Clusters are as large as can be: a state is in one of them, in one piece */
static char *add_image(QTestState *qts)
{
    char *path;
    int fd = g_file_open_tmp("cxl-state-XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    qtest_qmp_assert_success(qts, "{'execute': 'blockdev-add', 'arguments': "
                             "{'node-name': 'file', 'driver': 'file', "
                             "'filename': %s}}", path);
    qtest_qmp_assert_success(qts, "{'execute': 'blockdev-create', 'arguments': "
                             "{'job-id': 'job', 'options': {'driver': 'qcow2',"
                             " 'file': 'file', 'size': 1048576,"
                             " 'cluster-size': 2097152}}}");
    run_job(qts);
    qtest_qmp_assert_success(qts, "{'execute': 'blockdev-add', 'arguments': "
                             "{'node-name': 'image', 'driver': 'qcow2', "
                             "'file': 'file'}}");
    qtest_qmp_assert_success(qts, "{'execute': 'migrate-set-capabilities', "
                             "'arguments': {'capabilities': [ { 'capability':"
                             " 'x-ignore-shared', 'state': true } ] } }");
    return path;
}

static void monitor(QTestState *qts, const char *command)
{
    g_autofree char *said = qtest_hmp(qts, "%s", command);

    g_assert_cmpstr(said, ==, "");
}

void state_save(State *s, QTestState *qts)
{
    g_autofree char *all = NULL;
    uint8_t magic[8];
    const char *at;
    gsize len;

    *s = (State) { .qts = qts, .image = add_image(qts) };
    monitor(qts, "savevm here");
    g_assert_true(g_file_get_contents(s->image, &all, &len, NULL));
    stl_be_p(magic, STREAM_MAGIC);
    stl_be_p(magic + 4, STREAM_VERSION);
    at = memmem(all, len, magic, sizeof(magic));
    g_assert_nonnull(at);
    s->at = at - all;
    s->len = MIN(len - s->at, 2 * 1024 * 1024);
    s->data = g_memdup2(at, s->len);
}

void state_free(State *s)
{
    unlink(s->image);
    g_free(s->image);
    g_free(s->data);
    g_free(s->said);
}

bool state_load(State *s, const void *data)
{
    int fd = open(s->image, O_WRONLY);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(pwrite(fd, data, s->len, s->at), ==, s->len);
    close(fd);
    g_free(s->said);
    s->said = qtest_hmp(s->qts, "loadvm here");
    qtest_qmp_assert_success(s->qts, "{'execute': 'cont'}");
    return !*s->said;
}

void state_again(QTestState *qts)
{
    monitor(qts, "savevm again");
    monitor(qts, "loadvm again");
    monitor(qts, "delvm again");
}

/* -- what is in them ------------------------------------------------------- */

static void free_section(gpointer data)
{
    StateSection *s = data;

    g_free(s->name);
}

/* The number of a section stands at its end too */
static bool section_at(const State *s, size_t at, StateSection *found)
{
    const uint8_t *b = s->data + at;
    size_t left = s->len - at, end;
    unsigned i, n;

    if (left < 256 + SECTION_HEAD + SECTION_TAIL || b[0] != SECTION_FULL) {
        return false;
    }
    n = b[5];
    if (!n) {
        return false;
    }
    for (i = 0; i < n; i++) {
        if (!g_ascii_isgraph(b[SECTION_HEAD + i])) {
            return false;
        }
    }
    for (end = SECTION_HEAD + n + SECTION_TAIL; end + 5 < left; end++) {
        if (b[end] == SECTION_FOOTER && !memcmp(b + end + 1, b + 1, 4) &&
            (b[end + 5] <= SECTION_FULL || b[end + 5] == 6)) {
            *found = (StateSection) {
                .name = g_strndup((char *)b + SECTION_HEAD, n),
                .start = at + SECTION_HEAD + n + SECTION_TAIL,
                .end = at + end,
            };
            return true;
        }
    }
    return false;
}

GArray *state_sections(const State *state, const char *what)
{
    GArray *found = g_array_new(false, false, sizeof(StateSection));
    size_t at;

    g_array_set_clear_func(found, free_section);
    for (at = 0; at < state->len; at++) {
        StateSection s;

        if (!section_at(state, at, &s)) {
            continue;
        }
        at = s.end;
        if (strstr(s.name, what)) {
            g_array_append_val(found, s);
        } else {
            g_free(s.name);
        }
    }
    g_assert_cmpuint(found->len, >=, 1);
    return found;
}

size_t state_find(const State *s, const void *pattern, size_t len)
{
    const uint8_t *first = memmem(s->data, s->len, pattern, len);
    size_t left;

    g_assert_nonnull(first);
    left = s->data + s->len - first - 1;
    g_assert_null(memmem(first + 1, left, pattern, len));
    return first - s->data;
}
