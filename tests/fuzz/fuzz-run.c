/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One machine's run, and the search for the operations that a fault needs
 */
#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "fuzz.h"

/* Operations between two repairs, and between two checks */
#define REPAIR_EVERY 250
#define CHECK_EVERY 1000

/* How often each comes; of what there is one per register there is more */
static const struct {
    FuzzGenerator *generate;
    unsigned weight;
} generators[] = {
    { fuzz_gen_mailbox, 4000 },
    { fuzz_gen_tunnel, 1000 },
    { fuzz_gen_serial, 250 },
    { fuzz_gen_i2c_packet, 150 },
    { fuzz_gen_i2c_register, 800 },
    { fuzz_gen_mmio, 2000 },
    { fuzz_gen_config, 1000 },
    { fuzz_gen_decoder, 300 },
    { fuzz_gen_window, 1500 },
    { fuzz_gen_doe, 600 },
    { fuzz_gen_monitor, 350 },
    { fuzz_gen_plug, 30 },
    { fuzz_gen_reset, 40 },
    { fuzz_gen_interrupt, 400 },
    { fuzz_gen_clock, 500 },
    { fuzz_gen_snapshot, 2 },
    { fuzz_gen_migrate, 1 },
    { fuzz_gen_corrupt, 1 },
};

static void generate(Fuzz *f)
{
    static unsigned total;
    unsigned n, i;

    if (!total) {
        for (i = 0; i < ARRAY_SIZE(generators); i++) {
            total += generators[i].weight;
        }
    }
    n = fuzz_below(f, total);
    for (i = 0; n >= generators[i].weight; i++) {
        n -= generators[i].weight;
    }
    generators[i].generate(f);
}

static void start(Fuzz *f, const FuzzRun *run, const char *folder)
{
    *f = (Fuzz) {
        .seed = run->seed, .random = run->seed, .from = run->from,
        .skipped = run->skipped, .echo = run->echo, .folder = folder,
        .serial = { -1, -1, -1 },
    };
    fuzz_machine_choose(f);
    fuzz_machine_launch(f, "");
    /* the same in each run, as the commands that there are */
    f->kinds = link_qmp(f->link, "{\"execute\": \"query-cxl-fault-kinds\"}");
    fuzz_enumerate(f);
    fuzz_machine_probe(f);
    fuzz_enumerate(f);
    link_flush(f->link);
}

/* What the sanitizer, or QEMU itself, has said last */
static char *last_words(const char *path)
{
    g_autofree char *text = NULL;
    const char *at;

    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        return g_strdup("");
    }
    /* an abort that UBSan makes has a report of its own, of no use */
    at = strstr(text, "runtime error");
    at = at ?: strstr(text, "==ERROR");
    at = at ?: text + MAX((ssize_t)strlen(text) - 3000, 0);
    while (at > text && at[-1] != '\n') {
        at--;
    }
    return g_strndup(at, 8000);
}

static char *reason(Fuzz *f)
{
    g_autofree char *said = NULL;

    said = last_words(f->link->errors);
    if (f->wrong) {
        return g_strdup_printf("%s\n%s", f->wrong, said);
    }
    switch (f->link->fault) {
    case LINK_DEAD:
        return g_strdup_printf("QEMU ended, wait status %x\n%s",
                               f->link->status, said);
    case LINK_HANG:
        return g_strdup_printf("QEMU does not answer\n%s", said);
    case LINK_CONFUSED:
        return g_strdup_printf("QEMU answers nonsense\n%s", said);
    default:
        return NULL;
    }
}

static void remove_folder(const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *file = g_build_filename(path, name, NULL);

        unlink(file);
    }
    if (dir) {
        g_dir_close(dir);
    }
    rmdir(path);
}

static char *failed(Fuzz *f, uint64_t culprit)
{
    g_autofree char *why = reason(f);
    GString *text = g_string_new("");
    uint64_t op = culprit > FUZZ_TOLD ? culprit - FUZZ_TOLD : 0;

    g_string_append_printf(text, "seed %" PRIu64 ", operation %" PRIu64
                           ", machine %u, variant %u: %s\n", f->seed, culprit,
                           f->m.kind, f->m.variant, why);
    for (; op <= culprit; op++) {
        const char *said = f->log[op % FUZZ_LOG];

        if (said && g_ascii_strtoull(said, NULL, 10) == op) {
            g_string_append_printf(text, "  %s\n", said);
        }
    }
    g_string_append_printf(text, "again: cxl-fuzz --seed=%" PRIu64 " --ops=%"
                           PRIu64 "; less of it: --minimise\n", f->seed,
                           culprit + 1);
    return g_string_free(text, false);
}

static bool go_on(const Fuzz *f, const FuzzRun *run)
{
    return f->op < run->ops && !fuzz_over(f) &&
           !(run->stop && qatomic_read(run->stop)) &&
           (!run->deadline || g_get_monotonic_time() < run->deadline);
}

char *fuzz_run(const FuzzRun *run, FuzzTotal *did, uint64_t *last)
{
    g_autoptr(GError) err = NULL;
    g_autofree char *folder = g_dir_make_tmp("cxl-fuzz-XXXXXX", &err);
    g_autofree Fuzz *f = g_new0(Fuzz, 1);
    uint64_t repaired = 0, checked = 0, culprit;
    char *text = NULL;

    g_assert_no_error(err);
    start(f, run, folder);
    while (go_on(f, run)) {
        if (f->op - checked >= CHECK_EVERY) {
            checked = repaired = f->op;
            fuzz_gen_check(f);
        } else if (f->op - repaired >= REPAIR_EVERY) {
            repaired = f->op;
            fuzz_gen_repair(f);
        } else {
            generate(f);
        }
    }
    link_flush(f->link);
    if (!fuzz_over(f)) {
        fuzz_check(f);
    }
    culprit = f->link->fault == LINK_FINE ? f->op - 1 : f->link->culprit;
    if (fuzz_over(f)) {
        text = failed(f, culprit);
    }
    *last = culprit;
    fuzz_serial_close(f);
    if (!link_stop(f->link) && !text) {
        text = g_strdup_printf("seed %" PRIu64 ": QEMU ended badly\n",
                               f->seed);
    }
    for (unsigned i = 0; i < FUZZ_LOG; i++) {
        g_free(f->log[i]);
    }
    if (did) {
        *did = f->did;
    }
    g_free(f->wrong);
    qobject_unref(f->kinds);
    fuzz_machine_end(f);
    remove_folder(folder);
    return text;
}

/* -- less of it -- */

static bool fails(const FuzzRun *run, const uint8_t *skipped, uint64_t *last)
{
    FuzzRun less = *run;
    g_autofree char *text = NULL;

    less.skipped = skipped;
    less.deadline = 0;
    less.echo = false;
    text = fuzz_run(&less, NULL, last);
    return text;
}

void fuzz_minimise(const FuzzRun *run)
{
    g_autofree uint8_t *skipped = g_malloc0(run->ops / 8 + 1);
    g_autofree uint8_t *less = g_malloc0(run->ops / 8 + 1);
    FuzzRun now = *run;
    uint64_t last, chunk, at, i;

    if (!fails(&now, skipped, &last)) {
        fprintf(stderr, "no fault in a second run\n");
        return;
    }
    now.ops = last + 1;
    for (chunk = MAX(now.ops / 2, 1); chunk; chunk /= 2) {
        unsigned left = 0;

        for (at = 0; at < now.ops; at += chunk) {
            uint64_t end = MIN(at + chunk, now.ops);
            bool some = false;

            memcpy(less, skipped, now.ops / 8 + 1);
            for (i = at; i < end; i++) {
                some |= !(less[i / 8] & 1 << i % 8);
                less[i / 8] |= 1 << i % 8;
            }
            if (some && fails(&now, less, &last)) {
                memcpy(skipped, less, now.ops / 8 + 1);
                now.ops = MIN(now.ops, last + 1);
            }
        }
        for (i = 0; i < now.ops; i++) {
            left += !(skipped[i / 8] & 1 << i % 8);
        }
        fprintf(stderr, "%u operations left, by %" PRIu64 "\n", left, chunk);
    }
    now.skipped = skipped;
    now.echo = true;
    g_free(fuzz_run(&now, NULL, &last));
}
