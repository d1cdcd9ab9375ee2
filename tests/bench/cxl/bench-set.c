/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What it takes to bring interleaved memory into guest order and back: two
 * devices of 256 MiB, ways of 256 bytes (CXL r3.2 8.2.4.20)
 *
 * A machine without a guest.  Prints lines of name, MiB of the set, and a
 * figure: nanoseconds until the memory is plain RAM after the commit of the
 * last decoder, or is back with the devices after one is off again; bytes of
 * memory of the host that are in use meanwhile beyond those before.
 */
#include "qemu/osdep.h"
#include <math.h>
#include "qemu/units.h"
#include "../../qtest/cxl/cxl-qtest-pair.h"

#define GRAIN       256
#define SET_MIB     (PAIR_DEVICES * CXL_STATIC / MiB)
#define TURNS       5
#define SAMPLE_US   1000

static void tell(const char *what, double value)
{
    printf("%s\t%u\t%.0f\n", what, (unsigned)SET_MIB, value);
    fflush(stdout);
}

/* -- memory of the host ---------------------------------------------------- */

typedef struct Sampler {
    GThread *thread;
    pid_t qemu;
    int fd[PAIR_DEVICES];
    uint64_t most;
    bool end;
} Sampler;

/* QEMU's own memory, a set among it, and that of the devices */
static uint64_t in_use(const Sampler *s)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", s->qemu);
    g_autofree char *text = NULL;
    uint64_t sum, kib = 0;
    const char *row;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    row = strstr(text, "RssAnon:");
    g_assert_nonnull(row);
    g_assert_cmpint(sscanf(row, "RssAnon: %" SCNu64, &kib), ==, 1);
    sum = kib * KiB;
    for (unsigned d = 0; d < PAIR_DEVICES; d++) {
        struct stat st;

        g_assert_cmpint(fstat(s->fd[d], &st), ==, 0);
        sum += st.st_blocks * 512;
    }
    return sum;
}

static void *sample(void *opaque)
{
    Sampler *s = opaque;

    while (!qatomic_read(&s->end)) {
        s->most = MAX(s->most, in_use(s));
        g_usleep(SAMPLE_US);
    }
    return NULL;
}

static void sampler_start(Sampler *s)
{
    s->most = 0;
    s->end = false;
    s->thread = g_thread_new("sample", sample, s);
}

static uint64_t sampler_stop(Sampler *s)
{
    qatomic_set(&s->end, true);
    g_thread_join(s->thread);
    return s->most;
}

/* -- there and back -------------------------------------------------------- */

static void devices_off(Pair *p)
{
    for (unsigned d = 0; d < PAIR_DEVICES; d++) {
        map_control(p->qts, p->dev[d].bar[0], 0, 0);
    }
    map_sets_gone(p->qts);
}

static void fill(const Sampler *s, bool written)
{
    g_autofree uint8_t *page = g_malloc(MiB);

    memset(page, 0xa5, MiB);
    for (unsigned d = 0; d < PAIR_DEVICES; d++) {
        g_assert_cmpint(fallocate(s->fd[d],
                                  FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                  0, CXL_STATIC), ==, 0);
        for (uint64_t at = 0; written && at < CXL_STATIC; at += MiB) {
            g_assert_cmpint(pwrite(s->fd[d], page, MiB, at), ==, MiB);
        }
    }
}

static void there_and_back(Pair *p, Sampler *s, bool written)
{
    const char *what = written ? "written" : "blank";
    double least_there = INFINITY, least_back = INFINITY, most = 0;
    g_autofree char *name = NULL;

    for (unsigned i = 0; i < TURNS; i++) {
        uint64_t before;
        int64_t from;

        devices_off(p);
        fill(s, written);
        before = in_use(s);
        sampler_start(s);
        from = g_get_monotonic_time();
        pair_decode(p);
        map_settle(p->qts);
        least_there = MIN(least_there, g_get_monotonic_time() - from);
        map_trap_is(p->qts, PAIR_DEVICES * CXL_STATIC - 1, "direct");
        from = g_get_monotonic_time();
        devices_off(p);
        least_back = MIN(least_back, g_get_monotonic_time() - from);
        most = MAX(most, (double)sampler_stop(s) - before);
    }
    name = g_strdup_printf("commit-%s", what);
    tell(name, least_there * 1000);
    g_free(name);
    name = g_strdup_printf("uncommit-%s", what);
    tell(name, least_back * 1000);
    g_free(name);
    name = g_strdup_printf("memory-%s", what);
    tell(name, most);
}

int main(void)
{
    Sampler s = { 0 };
    Pair p;

    pair_start(&p, GRAIN, "", "");
    s.qemu = qtest_pid(p.qts);
    for (unsigned d = 0; d < PAIR_DEVICES; d++) {
        s.fd[d] = map_backend(p.qts, PAIR_KINDS * d);
    }
    there_and_back(&p, &s, false);
    there_and_back(&p, &s, true);
    for (unsigned d = 0; d < PAIR_DEVICES; d++) {
        close(s.fd[d]);
    }
    pair_stop(&p);
    return 0;
}
