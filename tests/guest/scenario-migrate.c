/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "migrate": the machine moves into another QEMU and nobody notices
 *
 * The runner does the moving, through a file, while the guest runs.
 */
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dcd-bench.h"
#include "dmesg.h"
#include "mctp-link.h"
#include "region.h"
#include "scenario.h"
#include "tap.h"

#define TRAFFIC_S   30
#define MEMDEV      "mem0"
#define STRIDE      (64ul << 10)
#define SEED        23
#define HELD_TAG    50
#define OFFERED_TAG 51
#define LATER_TAG   52

static struct dcd_bench bench;

static void offer(const struct cxl_extent *ext)
{
    struct fm_order order = {
        .policy = FM_ADD_PRESCRIPTIVE, .ext = ext, .n = 1,
    };

    tap_rc(fm_add(bench.fm, &order), 0, "an extent is offered");
}

/*
 * One extent is held and asked back, one offer's record was read but not
 * answered, one offer's record is still in the log.
 */
static void fill(const struct cxl_extent *held, const struct cxl_extent *open,
                 const struct cxl_extent *later)
{
    struct fm_order back = {
        .policy = FM_RELEASE_PRESCRIPTIVE | FM_RELEASE_SANITIZE, .ext = held,
        .n = 1,
    };
    dev8_t *mem = bench_mem(&bench, held->dpa);

    offer(held);
    bench_host(&bench, HOST_ACCEPT_ALL);
    bench_expect(&bench, "before", held, 1, true);
    if (tap_check(mem != NULL, "memory of the extent is in reach")) {
        memtest_fill(mem, held->len, STRIDE, SEED);
    }
    bench.agent.release = false;
    tap_rc(fm_release(bench.fm, &back), 0, "the extent is asked back");
    offer(open);
    bench_host(&bench, HOST_SILENT);
    bench_forget(&bench);
    offer(later);
    bench_expect_offer(&bench, "before", bench_tag(LATER_TAG), 2);
}

static void compare(const struct cxl_extent *held)
{
    struct fm_dcd_info info;
    struct fm_regions regions;
    dev8_t *mem = bench_mem(&bench, held->dpa);

    tap_check(!fm_get_dcd_info(bench.fm, &info) &&
              info.capacity == bench.info.capacity &&
              !fm_get_regions(bench.fm, 0, 8, 0, &regions) &&
              regions.n == bench.regions.n &&
              regions.region[0].block == bench.regions.region[0].block,
              "moved: 5600 and 5601 tell the same");
    bench_expect(&bench, "moved", held, 1, false);
    bench_expect_offer(&bench, "moved", bench_tag(OFFERED_TAG), 2);
    if (mem) {
        tap_check(!memtest_check(mem, held->len, STRIDE, SEED),
                  "moved: memory of the extent is the same");
        bench_memory_works(&bench, "moved", held->dpa, held->len);
    }
}

static void go_on(const struct cxl_extent *held, const struct cxl_extent *open,
                  const struct cxl_extent *later)
{
    struct cxl_range range[] = {
        { held->dpa, held->len }, { open->dpa, open->len },
    };
    struct cxl_extent two[] = { *held, *open };
    struct cxl_extent three[] = { *held, *open, *later };
    dev8_t *mem = bench_mem(&bench, held->dpa);

    bench_memory_absent(&bench, "moved, offered", open->dpa, open->len);
    tap_rc(host_respond(bench.host, &range[1], 1), 0,
           "the offer that was read before is accepted");
    bench_expect(&bench, "first answer", two, 2, true);
    bench_host(&bench, HOST_ACCEPT_ALL);
    bench_expect_records(&bench, "moved", CXL_EV_ADD, 1);
    bench_expect(&bench, "second answer", three, 3, true);
    tap_rc(host_release(bench.host, range, 1), 0,
           "what was asked back before is released");
    bench_expect(&bench, "released", &three[1], 2, true);
    bench_memory_absent(&bench, "released", held->dpa, held->len);
    offer(held);
    bench_host(&bench, HOST_ACCEPT_ALL);
    bench_expect(&bench, "held again", three, 3, true);
    if (mem) {
        tap_check(!memtest_is(mem, held->len, STRIDE, 0),
                  "the wish to sanitize moved, too");
    }
    if (bench.fm_log) {
        /* held, open, later, held released, held again */
        static struct cxl_dc_events events;
        unsigned n = 0;

        while (!fm_read_dc_events(bench.fm, &events) && events.n &&
               !fm_clear_dc_events(bench.fm, &events, events.n)) {
            n += events.n;
        }
        tap_check(n == 5, "the FM's log holds records of before and after");
    }
}

/** struct traffic - what a process asked while the machine moved */
struct traffic {
    volatile unsigned right, wrong; /* volatile: shared with that process */
    volatile bool stop;             /* volatile: the same */
};

static void ask_on(struct traffic *t, struct cxl_conn *conn)
{
    while (!t->stop) {
        struct fm_dcd_info info;

        if (fm_get_dcd_info(conn, &info) ||
            info.capacity != bench.info.capacity) {
            t->wrong++;
        } else {
            t->right++;
        }
    }
    _exit(0);
}

/* Messages are under way all the time, also in the moment of the move */
static bool move_under_traffic(void)
{
    struct mctp_peer peer = { .eid = MCTP_FIRST_EID };
    struct traffic *t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    unsigned before;
    pid_t pid;
    bool moved;

    if (!bench.fm_log || t == MAP_FAILED) {
        return tap_ask("migrate");
    }
    pid = fork();
    if (!pid) {
        ask_on(t, mctp_link_connect(&peer));
    }
    moved = tap_ask("migrate");
    before = t->right;
    for (unsigned i = 0; i < TRAFFIC_S * 10 && t->right < before + 10; i++) {
        usleep(100000);
    }
    t->stop = true;
    waitpid(pid, NULL, 0);
    tap_note("%u answers until the move was done, %u later, %u wrong", before,
             t->right - before, t->wrong);
    tap_check(before > 0 && t->right >= before + 10 && !t->wrong,
              "no message of another process was lost");
    return moved;
}

void scenario_migrate(void)
{
    struct cxl_extent held, open, later;
    struct cxl_conn *host = memdev_open(MEMDEV), *fm;

    fm = mctp_link_present() ? mctp_link_open_first() : host;
    if (!tap_check(host && fm, "FM and host have their transports")) {
        return;
    }
    region_of_static(MEMDEV);
    if (!bench_open(&bench, fm, host, MEMDEV, fm != host)) {
        return;
    }
    held = bench_extent(&bench, 0, 0, bench.step, HELD_TAG);
    open = bench_extent(&bench, 0, bench.step, bench.step, OFFERED_TAG);
    later = bench_extent(&bench, bench.regions.n - 1, 0, bench.step,
                         LATER_TAG);
    fill(&held, &open, &later);
    if (tap_check(move_under_traffic(), "the machine moves")) {
        compare(&held);
        go_on(&held, &open, &later);
    }
    tap_check(!dmesg_complaints(), "no warning in dmesg");
}
