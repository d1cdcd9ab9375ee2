/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshots, migration into another QEMU, and streams that are not what was
 * saved: they are refused or taken, and the machine goes on
 */
#include "qemu/osdep.h"
#include <glib/gstdio.h>
#include "qobject/qjson.h"
#include "fuzz.h"

/* Milliseconds for all of a machine's memory, sanitizers and all */
#define PATIENCE_MS 120000

/* -- snapshots -- */

static bool run_job(Fuzz *f)
{
    for (unsigned i = 0; i < PATIENCE_MS; i++) {
        QDict *answer = link_qmp(f->link, "{\"execute\": \"query-jobs\"}");
        g_autoptr(GString) text = answer ? qobject_to_json(QOBJECT(answer)) :
                                           NULL;

        qobject_unref(answer);
        if (!text || strstr(text->str, "concluded")) {
            break;
        }
        g_usleep(1000);
    }
    return link_qmp_ok(f->link, "{\"execute\": \"job-dismiss\", "
                       "\"arguments\": {\"id\": \"fuzz\"}}");
}

/* An image for snapshots; there may be one already */
static void add_image(Fuzz *f)
{
    g_autofree char *path = g_strdup_printf("%s/image%u", f->folder,
                                            f->did.launches);
    g_autofree char *file = g_strdup_printf(
        "{\"execute\": \"blockdev-add\", \"arguments\": {\"node-name\": "
        "\"file\", \"driver\": \"file\", \"filename\": \"%s\"}}", path);

    if (g_file_test(path, G_FILE_TEST_EXISTS)) {
        return;
    }
    g_file_set_contents(path, "", 0, NULL);
    link_qmp_ok(f->link, file);
    link_qmp_ok(f->link, "{\"execute\": \"blockdev-create\", \"arguments\": "
                "{\"job-id\": \"fuzz\", \"options\": {\"driver\": \"qcow2\", "
                "\"file\": \"file\", \"size\": 1048576}}}");
    run_job(f);
    link_qmp_ok(f->link, "{\"execute\": \"blockdev-add\", \"arguments\": "
                "{\"node-name\": \"image\", \"driver\": \"qcow2\", "
                "\"file\": \"file\"}}");
}

void fuzz_gen_snapshot(Fuzz *f)
{
    static const char *const whats[] = {
        "savevm", "loadvm", "loadvm", "loadvm", "delvm",
    };
    const char *what = FUZZ_PICK(f, whats);
    bool go_on = fuzz_below(f, 4);

    if (fuzz_op(f, FUZZ_STATE, "%s%s", what, go_on ? "" : ", left so")) {
        g_autofree char *said = NULL;

        add_image(f);
        f->lies |= f->lied;
        said = link_hmp(f->link, "%s fuzz", what);
        if (f->echo) {
            fprintf(stderr, "# %s\n", said);
        }
        if (go_on) {
            link_qmp_ok(f->link, "{\"execute\": \"cont\"}");
        }
    }
}

/* -- migration -- */

/* How it ended, with the reason; %NULL if QEMU did */
static char *migration_end(QemuLink *l)
{
    for (unsigned i = 0; i < PATIENCE_MS && l->fault == LINK_FINE; i++) {
        QDict *answer = link_qmp(l, "{\"execute\": \"query-migrate\"}");
        QDict *info = answer ? qdict_get_qdict(answer, "return") : NULL;
        const char *status = info ? qdict_get_try_str(info, "status") : NULL;
        char *end = NULL;

        if (status && g_str_equal(status, "completed")) {
            end = g_strdup("completed");
        } else if (status && g_str_equal(status, "failed")) {
            end = g_strdup_printf("failed: %s", qdict_get_try_str(
                                      info, "error-desc") ?: "");
        }
        qobject_unref(answer);
        if (end) {
            return end;
        }
        g_usleep(1000);
    }
    return NULL;
}

static char *stream_path(Fuzz *f)
{
    return g_strdup_printf("%s/stream", f->folder);
}

static char *save_stream(Fuzz *f)
{
    g_autofree char *path = stream_path(f);
    g_autofree char *json = g_strdup_printf(
        "{\"execute\": \"migrate\", \"arguments\": {\"uri\": \"file:%s\"}}",
        path);

    unlink(path);
    /* the clock of a machine without processors is no part of its state */
    f->clock = link_ask(f->link, "clock_step 1");
    return link_qmp_ok(f->link, json) ? migration_end(f->link) :
                                        g_strdup("refused");
}

/* A QEMU that loads the stream; it is the machine from here on */
static char *load_stream(Fuzz *f)
{
    g_autofree char *path = stream_path(f);
    g_autofree char *json = g_strdup_printf(
        "{\"execute\": \"migrate-incoming\", \"arguments\": {\"uri\": "
        "\"file:%s\", \"exit-on-error\": false}}", path);
    char *end;

    fuzz_serial_close(f);
    if (!link_stop(f->link)) {
        fuzz_wrong(f, "QEMU ended badly after a migration");
    }
    fuzz_machine_launch(f, "-incoming defer");
    link_post(f->link, "clock_set %" PRIu64, f->clock);
    link_qmp_ok(f->link, json);
    end = migration_end(f->link);
    link_qmp_ok(f->link, "{\"execute\": \"cont\"}");
    unlink(path);
    return end;
}

/* Only a machine that is whole fits its command line */
static bool can_save(Fuzz *f)
{
    fuzz_repair(f);
    return !f->refused && !fuzz_missing(f) && !fuzz_over(f);
}

void fuzz_gen_migrate(Fuzz *f)
{
    g_autofree char *saved = NULL, *loaded = NULL;

    if (!fuzz_op(f, FUZZ_STATE, "migrate") || !can_save(f)) {
        return;
    }
    saved = save_stream(f);
    if (!saved || strcmp(saved, "completed")) {
        fuzz_wrong(f, "the machine cannot be saved: %s", saved);
        return;
    }
    loaded = load_stream(f);
    if (loaded && strcmp(loaded, "completed")) {
        fuzz_wrong(f, "what was saved is not loaded: %s", loaded);
    }
    f->did.loads++;
}

/* -- streams that are not what was saved -- */

typedef struct Corruption {
    unsigned place, how, bytes;
    uint64_t any;
    uint8_t value;
} Corruption;

/* The @n-th place in the stream that names state of ours */
static size_t find_state(const char *stream, size_t len, unsigned n)
{
    static const char *const names[] = { "cxl", "mctp", "dw-i2c", "pcie" };
    g_autoptr(GArray) places = g_array_new(false, false, sizeof(size_t));

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        const char *at = stream;

        while ((at = memmem(at, stream + len - at, names[i],
                            strlen(names[i])))) {
            size_t place = at++ - stream;

            g_array_append_val(places, place);
        }
    }
    return places->len ? g_array_index(places, size_t, n % places->len) : 0;
}

static void corrupt(char *stream, size_t *len, const Corruption *c)
{
    size_t at = find_state(stream, *len, c->place), n;

    /* most fields are near the name of their model */
    at += (c->any & 0xffff) % (c->any >> 16 & 3 ? 128 : 6000);
    at = MIN(at, *len - 1);
    n = MIN(c->bytes, *len - at);
    switch (c->how) {
    case 0:
        *len = at;
        break;
    case 1:
        memmove(stream + at, stream + at + n, *len - at - n);
        *len -= n;
        break;
    case 2: case 3:
        stream[at] ^= 1 << (c->value & 7);
        break;
    case 4:
        memset(stream + at, 0xff, n);
        break;
    default:
        memset(stream + at, c->value, MIN(n, 1 + (c->how & 3)));
    }
}

void fuzz_gen_corrupt(Fuzz *f)
{
    unsigned place = fuzz_below(f, 1 << 16), how = fuzz_below(f, 10);
    unsigned bytes = 1 + fuzz_below(f, 8);
    uint64_t any = fuzz_random(f), value = fuzz_odd(f);
    const Corruption c = { place, how, bytes, any, value };
    g_autofree char *path = stream_path(f), *end = NULL, *stream = NULL;
    size_t len;

    if (!fuzz_op(f, FUZZ_STATE, "migrate, corrupt at %u, way %u, %u bytes, "
                 "%" PRIx64 " %x", c.place, c.how, c.bytes, c.any, c.value) ||
        !can_save(f)) {
        return;
    }
    end = save_stream(f);
    if (!end || strcmp(end, "completed") ||
        !g_file_get_contents(path, &stream, &len, NULL) || !len) {
        fuzz_wrong(f, "the machine cannot be saved: %s", end);
        return;
    }
    corrupt(stream, &len, &c);
    g_file_set_contents(path, stream, len, NULL);
    g_free(end);
    end = load_stream(f);
    f->refused = end && strcmp(end, "completed");
    f->did.loads++;
    if (f->echo) {
        fprintf(stderr, "# %s\n", end);
    }
    link_qmp_ok(f->link, "{\"execute\": \"system_reset\"}");
    fuzz_enumerate(f);
}
