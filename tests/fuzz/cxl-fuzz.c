/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random operations on machines with CXL devices, for as long as is wanted;
 * a short run of them is a test
 */
#include "qemu/osdep.h"
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "qemu/atomic.h"
#include "fuzz.h"

/* A machine is thrown away after so many operations: a replay has no more */
#define OPS 20000
/* Of the run that is a test, on each machine */
#define TEST_OPS 2500

static int64_t opt_seed = -1, opt_ops, opt_from, opt_seconds = 60;
static int opt_jobs = 1;
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
    { "jobs", 0, 0, G_OPTION_ARG_INT, &opt_jobs,
      "Machines at once: each of them often waits", "N" },
    { "minimise", 0, 0, G_OPTION_ARG_NONE, &opt_minimise,
      "After a fault, find the operations that it needs", NULL },
    { "echo", 0, 0, G_OPTION_ARG_NONE, &opt_echo,
      "Print each operation", NULL },
    { NULL }
};

/* -- machines side by side -- */

/* In memory of all processes: no operation begins any more */
static bool *stop;

static void stop_at_signal(int number)
{
    qatomic_set(stop, true);
}

/**
 * struct Report - what a process says of each machine that it ran
 * @last: the operation at fault, of a machine that is not @good
 */
typedef struct Report {
    uint64_t seed, last;
    FuzzTotal did;
    bool good;
} Report;

QEMU_BUILD_BUG_ON(sizeof(Report) > PIPE_BUF);

static FuzzRun run_of(uint64_t seed)
{
    return (FuzzRun) {
        .seed = seed, .ops = opt_ops ?: OPS, .from = opt_from,
        .echo = opt_echo,
    };
}

/* Each @jobs-th machine, from @seed on */
static void run_machines(uint64_t seed, unsigned jobs, int64_t deadline,
                         int to)
{
    Report r = { .good = true };

    for (; r.good && !qatomic_read(stop); seed += jobs) {
        g_autofree char *text = NULL;
        FuzzRun run = run_of(seed);

        if (!opt_ops && g_get_monotonic_time() >= deadline) {
            break;
        }
        run.deadline = opt_ops ? 0 : deadline;
        run.stop = stop;
        text = fuzz_run(&run, &r.did, &r.last);
        r.seed = seed;
        r.good = !text;
        if (text) {
            printf("%s", text);
            fflush(stdout);
        }
        if (write(to, &r, sizeof(r)) != sizeof(r) || opt_ops) {
            break;
        }
    }
}

static uint64_t operations(const FuzzTotal *t)
{
    uint64_t all = 0;

    for (unsigned i = 0; i < FUZZ_CLASSES; i++) {
        all += t->count[i];
    }
    return all;
}

static void add(FuzzTotal *to, const FuzzTotal *t)
{
    for (unsigned i = 0; i < FUZZ_CLASSES; i++) {
        to->count[i] += t->count[i];
    }
    to->checked += t->checked;
    to->reached += t->reached;
    to->launches += t->launches;
    to->loads += t->loads;
    to->faults += t->faults;
}

static void print_total(const FuzzTotal *t)
{
    for (unsigned i = 0; i < FUZZ_CLASSES; i++) {
        printf("%s%s %" PRIu64, i ? ", " : "", fuzz_class_names[i],
               t->count[i]);
    }
    printf("\n%" PRIu64 " answers checked on %" PRIu64 " devices, %u streams "
           "loaded, %u QEMUs started, %u faults armed\n", t->checked,
           t->reached, t->loads, t->launches, t->faults);
    fflush(stdout);
}

static int fuzz(void)
{
    unsigned jobs = opt_ops ? 1 : MAX(opt_jobs, 1);
    int64_t start = g_get_monotonic_time();
    int64_t deadline = start + opt_seconds * 1000000;
    uint64_t seed = opt_seed >= 0 ? opt_seed : start ^ g_get_real_time();
    const struct sigaction in_order = {
        .sa_handler = stop_at_signal, .sa_flags = SA_RESTART,
    };
    FuzzTotal total = { 0 };
    Report r, bad = { .good = true };
    bool failed = false;
    int reports[2], status;

    stop = mmap(NULL, sizeof(*stop), PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    g_assert(stop != MAP_FAILED && !pipe2(reports, O_CLOEXEC));
    /* machines are ended and their files removed */
    sigaction(SIGINT, &in_order, NULL);
    sigaction(SIGTERM, &in_order, NULL);
    for (unsigned i = 0; i < jobs; i++) {
        pid_t pid = fork();

        g_assert(pid >= 0);
        if (!pid) {
            prctl(PR_SET_PDEATHSIG, SIGTERM);
            close(reports[0]);
            run_machines(seed + i, jobs, deadline, reports[1]);
            exit(0);
        }
    }
    close(reports[1]);
    while (read(reports[0], &r, sizeof(r)) == sizeof(r)) {
        add(&total, &r.did);
        printf("seed %" PRIu64 ": %" PRIu64 " operations, %u QEMUs, %s; all: %"
               PRIu64 ", %.0f a second\n", r.seed, operations(&r.did),
               r.did.launches, r.good ? "no fault" : "FAULT",
               operations(&total), operations(&total) * 1e6 /
               MAX(g_get_monotonic_time() - start, 1));
        fflush(stdout);
        if (!r.good) {
            bad = bad.good ? r : bad;
            qatomic_set(stop, true);
        }
    }
    while (wait(&status) > 0) {
        if (status) {
            printf("a process of the fuzzer ended badly\n");
            failed = true;
        }
    }
    print_total(&total);
    if (!bad.good && opt_minimise) {
        FuzzRun run = run_of(bad.seed);

        run.ops = bad.last + 1;
        fuzz_minimise(&run);
    }
    return bad.good && !failed ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* -- the test -- */

static void a_fixed_seed_finds_nothing(const void *data)
{
    FuzzRun run = { .seed = GPOINTER_TO_UINT(data), .ops = TEST_OPS };
    FuzzTotal did;
    uint64_t last;
    g_autofree char *text = fuzz_run(&run, &did, &last);

    if (text) {
        g_test_message("%s", text);
        g_test_fail();
        return;
    }
    /* it did what it is for */
    g_assert_cmpuint(did.reached, >=, 3);
    for (unsigned i = 0; i < FUZZ_CLASSES; i++) {
        if (i != FUZZ_STATE) {
            g_assert_cmpuint(did.count[i], >, 0);
        }
    }
}

int main(int argc, char **argv)
{
    const struct sched_param none = { 0 };
    g_autoptr(GOptionContext) context = NULL;
    g_autoptr(GError) err = NULL;

    /* QEMU is not to wait for each answer's reader: a tenth less work */
    sched_setscheduler(0, SCHED_BATCH, &none);
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
