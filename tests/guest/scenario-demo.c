/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario "demo": a story for people.  A Fabric Manager gives memory to a host
 * and takes it back; every command is shown with its decoded answer
 */
#include <inttypes.h>
#include <stdarg.h>
#include <sys/utsname.h>

#include "dcd-bench.h"
#include "fm-print.h"
#include "mctp-link.h"
#include "region.h"
#include "scenario.h"
#include "tap.h"

#define SETTLE_S    30
#define MEMDEV      "mem0"
#define MIB         (UINT64_C(1) << 20)
#define MAP_WIDTH   64
#define INDENT      "        "

static struct dcd_bench bench;

static void chapter(const char *title)
{
    fprintf(tap_out(), "\n== %s\n", title);
}

static void line(const char *who, const char *text, ...)
    __attribute__((format(printf, 2, 3)));

static void line(const char *who, const char *text, ...)
{
    va_list ap;

    fprintf(tap_out(), "%-5s", who);
    va_start(ap, text);
    vfprintf(tap_out(), text, ap);
    va_end(ap);
    fputc('\n', tap_out());
}

/* The host's side of the story, called by the agent for every record */
static void host_tells(struct host_agent *agent,
                       const struct cxl_dc_event *ev, const char *answer)
{
    fm_print_event(tap_out(), "HOST reads ", ev);
    if (answer) {
        line("HOST", "%s: %s -> %s", answer,
             ev->type == CXL_EV_RELEASE ? "4803" : "4802",
             cxl_rc_name(agent->last_rc));
        tap_rc(agent->last_rc, 0, "the host's answer is taken");
    }
    if (bench.nr_rec < BENCH_RECORDS) {
        bench.rec[bench.nr_rec++] = *ev;
    }
}

static void fm_did(int rc, const char *what)
{
    line("FM", "%s -> %s", what, cxl_rc_name(rc));
    tap_rc(rc, 0, "%s", what);
}

static void host_turn(enum host_policy policy)
{
    bench_forget(&bench);
    bench.agent.policy = policy;
    tap_check(host_agent_run(&bench.agent) > 0, "the host finds an event");
}

/* 5603h, and a picture of it */
static void show(void)
{
    static struct cxl_extent_page page;
    struct fm_map map = { .regions = &bench.regions, .ext = page.ext };
    int rc = fm_get_extents(bench.fm, 0, CXL_PAGE_MAX, 0, &page);

    if (!tap_rc(rc, 0, "5603 answers")) {
        return;
    }
    line("FM", "5603 Get Extent Lists -> %" PRIu32 " extent%s, generation %"
         PRIu32, page.total, page.total == 1 ? "" : "s", page.generation);
    map.nr_ext = page.n;
    fm_print_map(tap_out(), INDENT, &map, MAP_WIDTH);
}

static void topology(bool over_mctp, const struct ram_region *region)
{
    struct utsname uts;
    struct fm_identity id;

    uname(&uts);
    chapter("Topology");
    fprintf(tap_out(),
            INDENT "q35 - pxb-cxl - root port - cxl-type3 (" MEMDEV
            ": %" PRIu64 " MiB static as %s, %" PRIu64 " MiB dynamic)\n",
            region->size / MIB, region->name, bench.info.capacity / MIB);
    fprintf(tap_out(), INDENT "host: Linux %s, PCI mailbox /dev/cxl/" MEMDEV
            "\n", uts.release);
    fprintf(tap_out(), INDENT "FM:   %s %s\n",
            over_mctp ? "MCTP over I2C," : "the same mailbox,",
            bench.fm->name);
    if (over_mctp && tap_rc(fm_identify(bench.fm, &id), 0, "0001 answers")) {
        line("FM", "0001 Identify");
        fm_print_identity(tap_out(), INDENT, &id);
    }
    line("FM", "5600 Get DCD Info");
    fm_print_info(tap_out(), INDENT, &bench.info);
    line("FM", "5601 Get Host DC Region Configuration");
    fm_print_regions(tap_out(), INDENT, &bench.regions);
}

static void use_memory(const struct cxl_extent *ext)
{
    dev8_t *mem = bench_mem(&bench, ext->dpa);
    bool ok;

    if (!mem) {
        return;
    }
    ok = !memtest_words(mem, ext->len, 64 << 10);
    line("HOST", "writes and reads the new memory at 0x%" PRIx64 " -> %s",
         bench.win.hpa + ext->dpa - bench.win.dpa, ok ? "intact" : "BROKEN");
    tap_check(ok, "the new memory keeps what is written");
}

static struct cxl_extent add_contiguous(void)
{
    struct fm_order order = {
        .policy = FM_ADD_CONTIGUOUS, .region = 0, .len = 64 * MIB,
        .tag = bench_tag(1),
    };

    chapter("The FM adds 64 MiB, the host takes all");
    fm_did(fm_add(bench.fm, &order),
           "5604 Add, contiguous, region 0, 64 MiB");
    host_turn(HOST_ACCEPT_ALL);
    use_memory(&bench.rec[0].extent);
    return bench.rec[0].extent;
}

static void add_and_halve(void)
{
    struct cxl_extent ext[] = {
        bench_extent(&bench, bench.regions.n - 1, 160 * MIB, 48 * MIB, 2),
        bench_extent(&bench, bench.regions.n - 1, 32 * MIB, 64 * MIB, 2),
    };
    struct fm_order order = {
        .policy = FM_ADD_PRESCRIPTIVE, .ext = ext, .n = 2,
    };

    chapter("The FM prescribes two extents, the host takes half of the first");
    fm_did(fm_add(bench.fm, &order), "5604 Add, prescriptive, 2 extents");
    show();
    host_turn(HOST_ACCEPT_PART);
    show();
}

static void add_and_refuse(void)
{
    struct fm_order order = {
        .policy = FM_ADD_FREE, .region = bench.regions.n - 1,
        .len = 128 * MIB, .tag = bench_tag(3),
    };

    chapter("The FM offers 128 MiB more, the host wants none");
    fm_did(fm_add(bench.fm, &order), "5604 Add, free, last region, 128 MiB");
    host_turn(HOST_REFUSE);
}

static void take_back(const struct cxl_extent *first)
{
    struct fm_order by_tag = {
        .policy = FM_RELEASE_TAG | FM_RELEASE_SANITIZE, .len = first->len,
        .tag = first->tag,
    };
    struct fm_order forced = {
        .policy = FM_RELEASE_TAG | FM_RELEASE_FORCED, .len = 24 * MIB,
        .tag = bench_tag(2),
    };
    static struct fm_tags tags;

    chapter("The FM takes everything back: one tag by request, one by force");
    fm_did(fm_release(bench.fm, &by_tag), "5605 Release by tag, sanitize");
    host_turn(HOST_ACCEPT_ALL);
    fm_did(fm_release(bench.fm, &forced), "5605 Release by tag, forced");
    host_turn(HOST_ACCEPT_ALL);
    if (tap_rc(fm_list_tags(bench.fm, 0, FM_TAGS_MAX, &tags), 0,
               "5608 answers")) {
        line("FM", "5608 List Tags");
        for (uint32_t i = 0; i < tags.n; i++) {
            fm_print_tag(tap_out(), INDENT, &tags.entry[i]);
        }
    }
    show();
}

void scenario_demo(void)
{
    struct ram_region region = { .name = "" };
    struct cxl_conn *host, *fm = NULL;
    struct cxl_extent first;

    if (!tap_check(sys_await(SETTLE_S, "/dev/cxl/" MEMDEV) &&
                   sys_await(SETTLE_S, CXL_SYS "/" MEMDEV "/driver"),
                   "drivers bind " MEMDEV)) {
        return;
    }
    tap_rc(region_create(&region, "decoder0.0", MEMDEV), 0,
           "a region takes the static capacity");
    host = cxl_conn_open_ioctl("/dev/cxl/" MEMDEV);
    if (mctp_link_present()) {
        fm = mctp_link_open_first();
        tap_check(fm != NULL, "the FM's endpoint can be reached");
    }
    if (!tap_check(host != NULL, "the mailbox can be reached") ||
        !bench_open(&bench, fm ? fm : host, host, MEMDEV, fm != NULL)) {
        return;
    }
    bench.agent.told = host_tells;
    topology(fm != NULL, &region);
    show();
    first = add_contiguous();
    add_and_halve();
    add_and_refuse();
    take_back(&first);
}
