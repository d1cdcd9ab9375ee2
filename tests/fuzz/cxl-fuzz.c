/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random operations on machines with CXL devices, for as long as is wanted;
 * a short run of them is a test
 */
#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "fuzz.h"

/* A machine is thrown away after so many operations: a replay has no more */
#define OPS 20000
/* Of the run that is a test, on each machine */
#define TEST_OPS 2500

static int64_t opt_seed = -1, opt_ops, opt_from, opt_seconds = 60;
static gboolean opt_minimise, opt_echo;

static const GOptionEntry options[] = {
    { "seed", 0, 0, G_OPTION_ARG_INT64, &opt_seed,
      "First seed; each machine has the next [time]", "N" },
    { "ops", 0, 0, G_OPTION_ARG_INT64, &opt_ops,
      "Operations, on one machine", "N" },
    { "from", 0, 0, G_OPTION_ARG_INT64, &opt_from,
      "Leave out the operations before N", "N" },
    { "seconds", 0, 0, G_OPTION_ARG_INT64, &opt_seconds,
      "End after so many seconds", "N" },
    { "minimise", 0, 0, G_OPTION_ARG_NONE, &opt_minimise,
      "After a fault, find the operations that it needs", NULL },
    { "echo", 0, 0, G_OPTION_ARG_NONE, &opt_echo,
      "Print each operation", NULL },
    { NULL }
};

static void print_counts(const Fuzz *total, unsigned machines, int64_t us)
{
    uint64_t all = 0;

    for (unsigned i = 0; i < FUZZ_CLASSES; i++) {
        all += total->count[i];
    }
    printf("%" PRIu64 " operations on %u machines, %.0f a second:", all,
           machines, all * 1e6 / MAX(us, 1));
    for (unsigned i = 0; i < FUZZ_CLASSES; i++) {
        printf(" %s %" PRIu64, fuzz_class_names[i], total->count[i]);
    }
    printf("; %" PRIu64 " answers checked on %" PRIu64 " devices, %u streams "
           "loaded\n", total->checked, total->reached, total->loads);
    fflush(stdout);
}

static int fuzz(void)
{
    g_autofree Fuzz *total = g_new0(Fuzz, 1);
    int64_t start = g_get_monotonic_time();
    uint64_t seed = opt_seed >= 0 ? opt_seed : start ^ g_get_real_time();
    unsigned machines = 0;

    for (;; seed++) {
        FuzzRun run = {
            .seed = seed, .ops = opt_ops ?: OPS, .from = opt_from,
            .echo = opt_echo,
            .deadline = opt_ops ? 0 : start + opt_seconds * 1000000,
        };
        uint64_t last;
        g_autofree char *text = fuzz_run(&run, total, &last);
        int64_t us = g_get_monotonic_time() - start;

        machines++;
        if (text) {
            printf("%s", text);
        }
        print_counts(total, machines, us);
        if (text && opt_minimise) {
            run.ops = last + 1;
            fuzz_minimise(&run);
        }
        if (text) {
            return EXIT_FAILURE;
        }
        if (opt_ops || us > opt_seconds * 1000000) {
            return EXIT_SUCCESS;
        }
    }
}

/* -- the test -- */

static void a_fixed_seed_finds_nothing(const void *data)
{
    FuzzRun run = { .seed = GPOINTER_TO_UINT(data), .ops = TEST_OPS };
    g_autofree Fuzz *total = g_new0(Fuzz, 1);
    uint64_t last;
    g_autofree char *text = fuzz_run(&run, total, &last);

    if (text) {
        g_test_message("%s", text);
        g_test_fail();
        return;
    }
    /* it did what it is for */
    g_assert_cmpuint(total->reached, >=, 3);
    for (unsigned i = 0; i < FUZZ_CLASSES; i++) {
        if (i != FUZZ_STATE) {
            g_assert_cmpuint(total->count[i], >, 0);
        }
    }
}

int main(int argc, char **argv)
{
    g_autoptr(GOptionContext) context = NULL;
    g_autoptr(GError) err = NULL;

    if (argc > 1 && g_str_equal(argv[1], "--tap")) {
        g_test_init(&argc, &argv, NULL);
        for (unsigned seed = 0; seed < FUZZ_MACHINES; seed++) {
            g_autofree char *name = g_strdup_printf("/cxl/fuzz/machine%u",
                                                    seed);

            g_test_add_data_func(name, GUINT_TO_POINTER(seed),
                                 a_fixed_seed_finds_nothing);
        }
        return g_test_run();
    }
    context = g_option_context_new("- random operations on CXL devices");
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &err)) {
        fprintf(stderr, "%s\n", err->message);
        return 2;
    }
    return fuzz();
}
