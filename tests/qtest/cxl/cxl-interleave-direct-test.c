/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interleaved memory that the guest reaches as plain RAM: rows that all devices
 * have, as long as all of them have them (CXL r3.2 8.2.4.20, 9.13.1, 9.13.3).
 * More devices, and more levels, are in cxl-interleave-test and
 * cxl-decoders-test; what processors see is in cxl-direct-cpu-test.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "cxl-qtest-pair.h"

#define LINE 64

/* Static rows that are RAM on both */
#define STATIC { 0, PAIR_DEVICES * CXL_STATIC }

/* Each device is reached where it should be, and the other one is not */
static void leads_to_both(Pair *p, uint64_t dpa, uint64_t mark)
{
    for (unsigned d = 0; d < PAIR_DEVICES; d++) {
        pair_store(p, d, dpa, mark + d);
        g_assert_cmphex(pair_load(p, d, dpa), ==, mark + d);
    }
    for (unsigned d = 0; d < PAIR_DEVICES; d++) {
        g_assert_cmphex(pair_in_device(p, d, dpa), ==, mark + d);
    }
}

static void poison(CxlDev *dev, bool set, uint64_t dpa)
{
    CxlReq r = { 0 };

    req64(&r, dpa);
    if (!set) {
        req_zero(&r, LINE);
    }
    g_assert_cmphex(cxl_cmd(dev, set ? 0x4301 : 0x4302, &r, NULL), ==, 0);
}

/* The device that the query names for @offset, NULL if it names none */
static char *blamed(Pair *p, uint64_t offset)
{
    QDict *rsp = qtest_qmp(p->qts, "{'execute': 'query-cxl-memory-map'}");
    QDict *w = qobject_to(QDict, qlist_peek(qdict_get_qlist(rsp, "return")));
    char *path = NULL;
    const QListEntry *e;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(w, "ranges"), e) {
        QDict *r = qobject_to(QDict, qlist_entry_obj(e));

        if (p->window + offset - qdict_get_int(r, "base") <
            qdict_get_int(r, "size")) {
            g_assert_false(qdict_haskey(r, "dpa"));
            path = g_strdup(qdict_get_try_str(r, "path"));
        }
    }
    qobject_unref(rsp);
    return path;
}

static void blames(Pair *p, uint64_t offset, const char *want)
{
    g_autofree char *path = blamed(p, offset);

    g_assert_cmpstr(path, ==, want);
}

/* -- tests ----------------------------------------------------------------- */

static void chunks_of_any_size_are_ram(void)
{
    const CxlRange rows[] = { STATIC };

    for (unsigned grain = 256; grain <= 16384; grain *= 2) {
        Pair p;

        pair_start(&p, grain, "", "");
        map_is(p.qts, rows, 1);
        blames(&p, 0, NULL);
        leads_to_both(&p, 0, MARK);
        map_is(p.qts, rows, 1);
        leads_to_both(&p, grain - 8, MARK + 8);
        leads_to_both(&p, 5 * grain + 24, MARK + 16);
        leads_to_both(&p, CXL_STATIC - 8, MARK + 24);
        for (unsigned d = 0; d < PAIR_DEVICES; d++) {
            g_assert_cmphex(pair_load(&p, d, 0), ==, MARK + d);
        }
        pair_stop(&p);
    }
}

/* The second device's static capacity is a file, which the test has open too */
static int start_with_file(Pair *p, const char *props)
{
    g_autofree char *path = NULL, *devices = NULL;
    int fd = map_memory_file(CXL_STATIC, &path);

    devices = g_strdup_printf(
        " -object memory-backend-memfd,id=vm0,size=256M "
        "-object memory-backend-file,id=vm1,size=256M,share=on,mem-path=%s "
        "-object memory-backend-memfd,id=dc0,size=512M "
        "-object memory-backend-memfd,id=dc1,size=512M "
        "-device cxl-type3,bus=rp0,id=mem0,volatile-memdev=vm0,"
        "volatile-dc-memdev=dc0,num-dc-regions=2 "
        "-device cxl-type3,bus=rp1,id=mem1,volatile-memdev=vm1,"
        "volatile-dc-memdev=dc1,num-dc-regions=2%s", path, props);
    *p = (Pair) { .grain = 256 };
    p->args = cxl_args(devices);
    p->qts = qtest_init(p->args);
    pair_probe(p);
    pair_decode(p);
    return fd;
}

static uint64_t in_file(int fd, uint64_t at)
{
    uint64_t word;

    g_assert_cmpint(pread(fd, &word, 8, at), ==, 8);
    return le64_to_cpu(word);
}

/* What other processes may see is where they look for it, and so traps */
static void shared_files_stay_in_the_order_of_devices(void)
{
    const CxlExtent e = { R0(1), BLOCKS(1), 1 };
    const CxlRange dynamic[] = { { 2 * R0(1), 2 * BLOCKS(1) } };
    Pair p;
    int fd = start_with_file(&p, "");

    map_is(p.qts, NULL, 0);
    map_trap_is(p.qts, 0, "interleaved");
    blames(&p, 0, "/machine/peripheral/mem1");
    pair_store(&p, 1, 264, MARK);
    g_assert_cmphex(pair_load(&p, 1, 264), ==, MARK);
    g_assert_cmphex(in_file(fd, 264), ==, MARK);
    /* Another backend of the same device is by itself */
    for (unsigned d = 0; d < PAIR_DEVICES; d++) {
        cxl_hold(&p.dev[d], &e, 1);
    }
    map_is(p.qts, dynamic, 1);
    pair_stop(&p);
    close(fd);
}

/* Unless the user says that the file may be behind while the machine runs */
static void shared_files_may_be_in_guest_order(void)
{
    const CxlRange rows[] = { STATIC };
    Pair p;
    int fd = start_with_file(&p, ",guest-order-files=on");

    map_is(p.qts, rows, 1);
    pair_store(&p, 1, 264, MARK);
    g_assert_cmphex(in_file(fd, 264), ==, 0);
    qtest_qmp_assert_success(p.qts, "{'execute': 'stop'}");
    g_assert_cmphex(in_file(fd, 264), ==, MARK);
    qtest_qmp_assert_success(p.qts, "{'execute': 'cont'}");
    map_is(p.qts, rows, 1);

    pair_store(&p, 1, 264, MARK + 1);
    map_control(p.qts, p.dev[1].bar[0], 0, 0);
    map_sets_gone(p.qts);
    g_assert_cmphex(in_file(fd, 264), ==, MARK + 1);
    pair_decode(&p);
    map_is(p.qts, rows, 1);
    g_assert_cmphex(pair_load(&p, 1, 264), ==, MARK + 1);

    pair_store(&p, 1, 264, MARK + 2);
    pair_stop(&p);
    g_assert_cmphex(in_file(fd, 264), ==, MARK + 2);
    close(fd);
}

/* It is another QEMU's then, and the one that was left does not touch it */
static void a_file_in_guest_order_goes_with_the_machine(void)
{
    const CxlRange rows[] = { STATIC };
    QTestState *was;
    Pair p;
    int fd = start_with_file(&p, ",guest-order-files=on");

    map_is(p.qts, rows, 1);
    pair_store(&p, 1, 264, MARK);
    was = p.qts;
    p.qts = cxl_migrate_beside(was, p.args);
    g_assert_cmphex(in_file(fd, 264), ==, MARK);
    map_is(p.qts, rows, 1);
    g_assert_cmphex(pair_load(&p, 1, 264), ==, MARK);
    pair_store(&p, 1, 264, MARK + 1);
    qtest_qmp_assert_success(p.qts, "{'execute': 'stop'}");
    qtest_quit(was);
    g_assert_cmphex(in_file(fd, 264), ==, MARK + 1);
    pair_stop(&p);
    close(fd);
}

/* Where the chunks of two decoders are not alike, all stays as it is */
static void decoders_that_do_not_agree_trap(void)
{
    Pair p;

    pair_start(&p, 4096, "", "");
    leads_to_both(&p, 5 * 4096, MARK);
    map_trap_is(p.qts, 0, "direct");
    for (unsigned grain = 2048; grain <= 8192; grain *= 4) {
        map_decode(p.qts, p.dev[1].bar[0], 0, p.window, PAIR_DEVICES * ALL_DPA,
                   pair_control(grain), 0);
        map_trap_is(p.qts, 0, "interleaved");
        g_assert_cmphex(pair_load(&p, 0, 5 * 4096), ==, MARK);
    }
    map_decode(p.qts, p.dev[1].bar[0], 0, p.window, PAIR_DEVICES * ALL_DPA,
               pair_control(4096), 0);
    map_trap_is(p.qts, 0, "direct");
    for (unsigned d = 0; d < PAIR_DEVICES; d++) {
        g_assert_cmphex(pair_load(&p, d, 5 * 4096), ==, MARK + d);
    }
    pair_stop(&p);
}

static void rows_are_what_all_hosts_devices_accepted(void)
{
    const CxlExtent e = { R0(1), BLOCKS(2), 1 };
    const CxlExtent low = { R0(1), BLOCKS(1), 1 };
    const CxlRange none[] = { STATIC };
    const CxlRange both[] = { STATIC, { 2 * R0(1), 2 * BLOCKS(2) } };
    /* and the chunk of the other device before it */
    const CxlRange high[] = {
        STATIC, { 2 * R0(2) - 8192, 2 * BLOCKS(1) + 8192 }
    };
    Pair p;

    pair_start(&p, 8192, "", "");
    cxl_hold(&p.dev[0], &e, 1);
    map_is(p.qts, none, 1);
    map_trap_is(p.qts, 2 * R0(1), "not-accepted");
    blames(&p, 2 * R0(1), "/machine/peripheral/mem1");
    pair_store(&p, 0, R0(1), MARK);
    pair_store(&p, 1, R0(1), MARK);                  /* lost */
    g_assert_cmphex(pair_in_device(&p, 0, R0(1)), ==, MARK);
    g_assert_cmphex(pair_load(&p, 1, R0(1)), ==, ONES);

    cxl_hold(&p.dev[1], &e, 1);
    map_is(p.qts, both, 2);
    g_assert_cmphex(pair_load(&p, 0, R0(1)), ==, MARK);
    g_assert_cmphex(pair_load(&p, 1, R0(1)), ==, 0);
    leads_to_both(&p, R0(1), MARK + 2);
    leads_to_both(&p, R0(3) - 8, MARK + 4);

    /* The host gives half back on one, the FM takes the rest on the other */
    g_assert_cmphex(host_answer(&p.dev[0], 0x4803, &low, 1, false), ==, 0);
    map_is(p.qts, high, 2);
    blames(&p, 2 * R0(1), "/machine/peripheral/mem0");
    g_assert_cmphex(pair_load(&p, 0, R0(1)), ==, ONES);
    g_assert_cmphex(pair_load(&p, 1, R0(1)), ==, MARK + 3);
    g_assert_cmphex(pair_load(&p, 0, R0(3) - 8), ==, MARK + 4);
    g_assert_cmphex(fm_release_tag(&p.dev[1], REL_FORCED, BLOCKS(2), 1), ==,
                    0);
    map_is(p.qts, none, 1);
    g_assert_cmphex(pair_load(&p, 1, R0(3) - 8), ==, ONES);
    pair_store(&p, 1, R0(3) - 8, 0);
    g_assert_cmphex(pair_in_device(&p, 1, R0(3) - 8), !=, 0);
    g_assert_cmphex(pair_load(&p, 0, R0(3) - 8), ==, MARK + 4);
    pair_stop(&p);
}

/* Extents that differ: what both have, to the row */
static void extents_that_overlap_share_rows(void)
{
    const CxlExtent a = { R0(1), BLOCKS(3), 1 }, b = { R0(2), BLOCKS(4), 2 };
    const CxlRange want[] = { STATIC, { 2 * R0(2), 2 * BLOCKS(2) } };
    Pair p;

    pair_start(&p, 16384, "", "");
    cxl_hold(&p.dev[0], &a, 1);
    cxl_hold(&p.dev[1], &b, 1);
    map_is(p.qts, want, 2);
    blames(&p, 2 * R0(1), "/machine/peripheral/mem1");
    blames(&p, 2 * R0(4), "/machine/peripheral/mem0");
    leads_to_both(&p, R0(2), MARK);
    leads_to_both(&p, R0(4) - 8, MARK + 2);
    pair_stop(&p);
}

/* Blocks are smaller than a chunk, and extents begin in the middle of one */
static void pages_of_a_chunk_are_by_themselves(void)
{
    const unsigned grain = 16384;
    const CxlExtent e = { R0(0) + 4096, 3 * 16384, 1 };
    const CxlRange want[] = {
        STATIC, { 2 * R0(0) + 4096, grain - 4096 },
        { 2 * R0(0) + grain + 4096, 5 * grain }
    };
    Pair p;

    pair_start(&p, grain, ",dc0-block-size=4K", "");
    for (unsigned d = 0; d < PAIR_DEVICES; d++) {
        cxl_hold(&p.dev[d], &e, 1);
    }
    map_is(p.qts, want, 3);
    map_trap_is(p.qts, 2 * R0(0), "not-accepted");
    map_trap_is(p.qts, 2 * (R0(0) + 3 * grain) + 4096, "not-accepted");
    leads_to_both(&p, R0(0) + 4096, MARK);
    leads_to_both(&p, R0(0) + grain, MARK + 2);
    leads_to_both(&p, R0(0) + 3 * grain, MARK + 4);
    g_assert_cmphex(pair_load(&p, 0, R0(0)), ==, ONES);
    pair_stop(&p);
}

static void a_poisoned_line_makes_its_page_trap(void)
{
    const unsigned grain = 8192;
    const uint64_t row = 5 * grain, bad = row + 4096 + LINE;
    const CxlRange whole[] = { STATIC };
    const CxlRange holes[] = {
        { 0, 2 * row + grain + 4096 },
        { 2 * (row + grain), 2 * (CXL_STATIC - row - grain) }
    };
    const CxlRange all_but_one[] = {
        { 0, 2 * CXL_STATIC - grain - 4096 }, { 2 * CXL_STATIC - grain, grain }
    };
    Pair p;

    pair_start(&p, grain, "", "");
    leads_to_both(&p, bad, MARK);
    leads_to_both(&p, bad + LINE, MARK + 2);
    poison(&p.dev[1], true, bad);
    map_is(p.qts, holes, 2);
    map_trap_is(p.qts, pair_at(&p, 0, row), "direct");
    map_trap_is(p.qts, pair_at(&p, 1, bad), "poisoned");
    blames(&p, pair_at(&p, 1, bad), "/machine/peripheral/mem1");
    g_assert_cmphex(pair_load(&p, 1, bad), !=, MARK + 1);
    g_assert_cmphex(pair_load(&p, 0, bad), ==, MARK);
    g_assert_cmphex(pair_load(&p, 1, bad + LINE), ==, MARK + 3);
    leads_to_both(&p, row - 8, MARK + 4);
    leads_to_both(&p, row + grain, MARK + 6);
    poison(&p.dev[1], false, bad);
    map_is(p.qts, whole, 1);
    g_assert_cmphex(pair_load(&p, 1, bad), ==, 0);
    /* The last line of one device is not in the way of the other's chunk */
    poison(&p.dev[0], true, CXL_STATIC - LINE);
    map_is(p.qts, all_but_one, 2);
    pair_stop(&p);
}

static void disabled_media_of_one_stops_all(void)
{
    const CxlRange whole[] = { STATIC };
    Pair p;

    pair_start(&p, 4096, "", "");
    leads_to_both(&p, 0, MARK);
    g_assert_cmphex(cxl_cmd(&p.dev[0], 0x4400, NULL, NULL), ==, 1);
    map_is(p.qts, NULL, 0);
    map_trap_is(p.qts, 0, "media-disabled");
    blames(&p, 0, "/machine/peripheral/mem0");
    pair_store(&p, 0, 8, MARK);                      /* lost */
    g_assert_cmphex(pair_load(&p, 1, 0), ==, MARK + 1);
    qtest_clock_step(p.qts, 60 * SECOND);
    map_is(p.qts, whole, 1);
    g_assert_cmphex(pair_load(&p, 0, 0), ==, 0);
    g_assert_cmphex(pair_load(&p, 0, 8), ==, 0);
    g_assert_cmphex(pair_load(&p, 1, 0), ==, MARK + 1);
    pair_stop(&p);
}

/* The same range all the time: only what it leads to changes */
static void another_way_takes_effect_at_once(void)
{
    const uint64_t size = PAIR_DEVICES * ALL_DPA;
    Pair p;

    pair_start(&p, 4096, "", "");
    leads_to_both(&p, 0, MARK);
    for (unsigned round = 0; round < 4; round++) {
        unsigned turned = !(round % 2);

        map_decode(p.qts, p.bridge, 0, p.window, size, pair_control(p.grain),
                   turned ? 0x0001 : 0x0100);
        map_trap_is(p.qts, 0, "direct");
        for (unsigned d = 0; d < PAIR_DEVICES; d++) {
            g_assert_cmphex(pair_load(&p, d, 0), ==, MARK + (d ^ turned));
        }
    }

    /* Both chunks on one device, and a granularity that the devices miss */
    map_decode(p.qts, p.bridge, 0, p.window, size, pair_control(p.grain),
               0x0101);
    map_trap_is(p.qts, 0, "interleaved");
    g_assert_cmphex(pair_load(&p, 0, 0), ==, MARK + 1);
    g_assert_cmphex(pair_load(&p, 1, 0), ==, MARK + 1);
    pair_store(&p, 0, 0, MARK + 9);
    g_assert_cmphex(pair_load(&p, 1, 0), ==, MARK + 9);
    g_assert_cmphex(pair_in_device(&p, 0, 0), ==, MARK);
    map_decode(p.qts, p.bridge, 0, p.window, size, pair_control(8192), 0x0100);
    map_trap_is(p.qts, 0, "interleaved");
    g_assert_cmphex(pair_load(&p, 0, 0), ==, MARK);
    g_assert_cmphex(pair_load(&p, 1, 0), ==, MARK);
    pair_store(&p, 0, p.grain, MARK + 10);
    g_assert_cmphex(pair_load(&p, 1, p.grain), ==, MARK + 10);
    g_assert_cmphex(pair_in_device(&p, 1, p.grain), ==, MARK + 10);
    map_decode(p.qts, p.bridge, 0, p.window, size, pair_control(p.grain),
               0x0100);
    g_assert_cmphex(pair_load(&p, 1, 0), ==, MARK + 9);
    pair_stop(&p);
}

/* No row has moved, since none does before a stream has come: nobody waits */
static void a_decoder_is_shrunk_before_rows_move(void)
{
    Pair p;
    uint64_t regs;

    pair_start(&p, 4096, "", "-incoming defer");
    regs = p.dev[0].bar[0];
    g_assert_true(map_has_sets(p.qts));
    map_control(p.qts, regs, 0, 0);
    g_assert_false(map_has_sets(p.qts));
    pair_decode(&p);
    g_assert_true(map_has_sets(p.qts));
    qtest_writel(p.qts, regs + 0x1000 + CXL_HDM_DECODER(0) + CXL_HDM_SIZE_LO,
                 CXL_HDM_GRANULE);
    g_assert_true(map_has_sets(p.qts));
    pair_stop(&p);
}

static void a_decoder_that_ends_ends_the_mapping(void)
{
    const CxlRange whole[] = { STATIC };
    Pair p;

    pair_start(&p, 4096, "", "");
    leads_to_both(&p, 0, MARK);

    map_control(p.qts, p.bridge, 0, 0);
    map_is(p.qts, NULL, 0);
    map_trap_is(p.qts, 0, "no-device");
    g_assert_cmphex(pair_load(&p, 0, 0), ==, 0);
    pair_decode(&p);
    map_is(p.qts, whole, 1);

    for (unsigned d = 0; d < PAIR_DEVICES; d++) {
        uint64_t regs = p.dev[d].bar[0];

        map_enable(p.qts, regs, false);
        map_is(p.qts, NULL, 0);
        map_trap_is(p.qts, 0, "not-decoded");
        g_assert_cmphex(pair_load(&p, d, 0), ==, 0);
        g_assert_cmphex(pair_load(&p, !d, 0), ==, MARK + !d);
        map_enable(p.qts, regs, true);
        map_is(p.qts, whole, 1);
        map_control(p.qts, regs, 0, 0);
        map_is(p.qts, NULL, 0);
        pair_store(&p, d, 0, 0);
        g_assert_cmphex(pair_in_device(&p, d, 0), ==, MARK + d);
        pair_decode(&p);
        map_is(p.qts, whole, 1);
        g_assert_cmphex(pair_load(&p, d, 0), ==, MARK + d);
    }

    /* Locked until a reset */
    for (unsigned d = 0; d < PAIR_DEVICES; d++) {
        map_control(p.qts, p.dev[d].bar[0], 0,
                    pair_control(p.grain) | CXL_HDM_CTRL_COMMIT |
                    CXL_HDM_CTRL_LOCK);
        map_control(p.qts, p.dev[d].bar[0], 0, 0);
    }
    map_is(p.qts, whole, 1);
    qtest_qmp_assert_success(p.qts, "{'execute': 'system_reset'}");
    qtest_qmp_eventwait(p.qts, "RESET");
    map_is(p.qts, NULL, 0);
    pair_probe(&p);
    pair_decode(&p);
    map_is(p.qts, whole, 1);
    leads_to_both(&p, 0, MARK + 2);
    pair_stop(&p);
}

/* Two parts of the window, with chunks and DPAs of their own */
static void each_decoder_has_its_own_pattern(void)
{
    const uint64_t size = PAIR_DEVICES * CXL_STATIC, second = 3 * CXL_STATIC;
    const CxlExtent e = { R0(1), BLOCKS(1), 1 };
    const CxlRange want[] = {
        { 0, size }, { second + 2 * BLOCKS(1), 2 * BLOCKS(1) }
    };
    Pair p;

    pair_start(&p, 16384, "", "");
    for (unsigned d = 0; d <= PAIR_DEVICES; d++) {
        uint64_t regs = d < PAIR_DEVICES ? p.dev[d].bar[0] : p.bridge;
        uint32_t targets = d < PAIR_DEVICES ? 0 : 0x0001;

        map_control(p.qts, regs, 0, 0);
        map_decode(p.qts, regs, 0, p.window, size, pair_control(4096), targets);
        map_decode(p.qts, regs, 1, p.window + second, size, pair_control(16384),
                   targets);
    }
    for (unsigned d = 0; d < PAIR_DEVICES; d++) {
        cxl_hold(&p.dev[d], &e, 1);
    }
    map_is(p.qts, want, 2);
    for (unsigned d = 0; d < PAIR_DEVICES; d++) {
        /* The ports are in reverse order */
        p.grain = 4096;
        pair_store(&p, !d, 5 * 4096 + 8, MARK + d);
        p.grain = 16384;
        qtest_writeq(p.qts, p.window + second +
                     pair_at(&p, !d, BLOCKS(1) + 8), MARK + 2 + d);
        g_assert_cmphex(pair_in_device(&p, d, 5 * 4096 + 8), ==, MARK + d);
        g_assert_cmphex(pair_in_device(&p, d, R0(1) + 8), ==, MARK + 2 + d);
    }
    pair_stop(&p);
}

/* Guests may write anything into a live decoder */
static void a_size_that_wraps_ends_at_the_end(void)
{
    uint64_t d;
    Pair p;

    pair_start(&p, 4096, "", "");
    leads_to_both(&p, 0, MARK);
    for (unsigned i = 0; i <= PAIR_DEVICES; i++) {
        uint64_t regs = i < PAIR_DEVICES ? p.dev[i].bar[0] : p.bridge;

        d = regs + 0x1000 + CXL_HDM_DECODER(0);
        qtest_writel(p.qts, d + CXL_HDM_SIZE_HI, UINT32_MAX);
        map_trap_is(p.qts, 0, "direct");
        g_assert_cmphex(pair_load(&p, 0, 0), ==, MARK);
        g_assert_cmphex(pair_load(&p, 1, 0), ==, MARK + 1);
    }
    /* Without interleave there is the same arithmetic */
    map_control(p.qts, p.bridge, 0, 0);
    map_control(p.qts, p.dev[0].bar[0], 0, 0);
    map_decode(p.qts, p.bridge, 0, p.window, ALL_DPA, 0, 0);
    map_decode(p.qts, p.dev[0].bar[0], 0, p.window, ALL_DPA, 0, 0);
    qtest_writel(p.qts, p.bridge + 0x1000 + CXL_HDM_DECODER(0) +
                 CXL_HDM_SIZE_HI, UINT32_MAX);
    map_trap_is(p.qts, 0, "direct");
    g_assert_cmphex(qtest_readq(p.qts, p.window), ==, MARK);
    pair_stop(&p);
}

static void budgets_are_those_of_each_device(void)
{
    const CxlExtent e = { R0(1), BLOCKS(1), 1 };
    const CxlRange one[] = { STATIC };
    Pair p;

    pair_start(&p, 4096, ",direct-ranges-max=1", "");
    for (unsigned d = 0; d < PAIR_DEVICES; d++) {
        cxl_hold(&p.dev[d], &e, 1);
    }
    map_is(p.qts, one, 1);
    map_trap_is(p.qts, 2 * R0(1), "budget");
    leads_to_both(&p, R0(1), MARK);
    pair_stop(&p);

    pair_start(&p, 4096, ",direct-ranges-max=0", "");
    map_is(p.qts, NULL, 0);
    map_trap_is(p.qts, 0, "switched-off");
    leads_to_both(&p, 0, MARK);
    pair_stop(&p);
}

static void migration_brings_rows_and_contents(void)
{
    const CxlExtent e = { R0(1), BLOCKS(1), 1 };
    const CxlRange want[] = {
        { 0, 4096 }, { 2 * 4096, 2 * (CXL_STATIC - 4096) },
        { 2 * R0(1), 2 * BLOCKS(1) }
    };
    Pair p;

    pair_start(&p, 4096, "", "");
    for (unsigned d = 0; d < PAIR_DEVICES; d++) {
        cxl_hold(&p.dev[d], &e, 1);
    }
    poison(&p.dev[1], true, 0);
    leads_to_both(&p, 4096, MARK);
    leads_to_both(&p, R0(1), MARK + 2);
    p.qts = cxl_migrate(p.qts, p.args);
    map_is(p.qts, want, 3);
    for (unsigned d = 0; d < PAIR_DEVICES; d++) {
        g_assert_cmphex(pair_load(&p, d, 4096), ==, MARK + d);
        g_assert_cmphex(pair_load(&p, d, R0(1)), ==, MARK + 2 + d);
    }
    pair_stop(&p);
}

/* As in cxl-direct-test: no map_is() while the device is there */
static void unplug_of_one_ends_the_mapping(void)
{
    Pair p;

    pair_start(&p, 4096, "", "");
    for (unsigned round = 0; round < 2; round++) {
        map_trap_is(p.qts, 0, "direct");
        leads_to_both(&p, 0, MARK + 2 * round);
        qtest_qmp_device_del_send(p.qts, "mem1");
        cxl_slot_power(p.qts, 1, false);
        qtest_qmp_eventwait(p.qts, "DEVICE_DELETED");
        map_trap_is(p.qts, 0, "no-device");
        g_assert_cmphex(pair_load(&p, 1, 0), ==, 0);
        pair_store(&p, 1, 0, 0);
        g_assert_cmphex(pair_in_device(&p, 1, 0), ==, MARK + 2 * round + 1);
        g_assert_cmphex(pair_load(&p, 0, 0), ==, MARK + 2 * round);
        if (round) {
            break;
        }
        qtest_qmp_device_add(p.qts, "cxl-type3", "mem1", "{'bus': 'rp1', "
                             "'volatile-memdev': 'vm1', "
                             "'volatile-dc-memdev': 'dc1', "
                             "'num-dc-regions': 2}");
        cxl_slot_power(p.qts, 1, true);
        cxl_probe(p.qts, 1, &p.dev[1]);
        map_trap_is(p.qts, 0, "not-decoded");
        pair_decode(&p);
    }
    /* Tables that lead there are not in the way, and the other one goes on */
    qtest_qmp_assert_success(p.qts, "{'execute': 'object-del', "
                             "'arguments': {'id': 'vm1'}}");
    g_assert_cmphex(pair_load(&p, 0, 0), ==, MARK + 2);
    pair_stop(&p);
}

/* The device that had it goes as soon as its bytes are back, which is now */
static void a_backend_can_be_had_while_bytes_move_back(void)
{
    Pair p;

    pair_start(&p, 4096, "", "");
    map_trap_is(p.qts, 0, "direct");
    qtest_memset(p.qts, p.window, 0x11, 64 * MiB);
    leads_to_both(&p, 0, MARK);
    map_trap_is(p.qts, 0, "direct");
    qtest_qmp_device_del_send(p.qts, "mem1");
    cxl_slot_power(p.qts, 1, false);
    qtest_qmp_device_add(p.qts, "cxl-type3", "again", "{'bus': 'rp1', "
                         "'volatile-memdev': 'vm1', "
                         "'volatile-dc-memdev': 'dc1', 'num-dc-regions': 2}");
    qtest_qmp_eventwait(p.qts, "DEVICE_DELETED");
    cxl_slot_power(p.qts, 1, true);
    cxl_probe(p.qts, 1, &p.dev[1]);
    pair_decode(&p);
    g_assert_cmphex(pair_load(&p, 0, 0), ==, MARK);
    g_assert_cmphex(pair_load(&p, 1, 0), ==, MARK + 1);
    pair_stop(&p);
}

/* A range that begins and ends in the midst of chunks, of one device */
static void commands_find_bytes_in_guest_order(void)
{
    const uint64_t from = 192, len = 1024, size = 64 * KiB;
    CxlReq r = { 0 };
    Pair p;

    pair_start(&p, 256, "", "");
    map_trap_is(p.qts, 0, "direct");
    qtest_memset(p.qts, p.window, 0x11, size);
    req8(&r, 1);
    req8(&r, 1);                                    /* zeroes */
    req16(&r, 0);
    req32(&r, 1);
    req64(&r, from);
    req64(&r, len);
    g_assert_cmphex(cxl_cmd(&p.dev[1], 0x4402, &r, NULL), ==, 1);
    qtest_clock_step(p.qts, 60 * SECOND);
    map_trap_is(p.qts, 0, "direct");
    for (unsigned pass = 0; pass < 2; pass++) {
        for (uint64_t dpa = 0; dpa < size / PAIR_DEVICES; dpa += 8) {
            bool gone = dpa >= from && dpa < from + len;

            g_assert_cmphex(pair_load(&p, 0, dpa), ==, 0x1111111111111111);
            g_assert_cmphex(pair_load(&p, 1, dpa), ==,
                            gone ? 0 : 0x1111111111111111);
        }
        g_assert_cmphex(pair_in_device(&p, 1, from), ==, 0);
        g_assert_cmphex(pair_in_device(&p, 1, from + len), ==,
                        0x1111111111111111);
    }
    pair_stop(&p);
}

/* -- on the way ------------------------------------------------------------ */

/* Places all over both devices, at an odd distance */
#define SPOTS 61
#define SPOT(i) ((i) * (CXL_STATIC / SPOTS & ~7ull))

static void spots_are(Pair *p, uint64_t mark)
{
    for (unsigned i = 0; i < SPOTS; i++) {
        for (unsigned d = 0; d < PAIR_DEVICES; d++) {
            g_assert_cmphex(pair_load(p, d, SPOT(i)), ==, mark + 2 * i + d);
        }
    }
}

static void spots_set(Pair *p, uint64_t mark)
{
    for (unsigned i = 0; i < SPOTS; i++) {
        for (unsigned d = 0; d < PAIR_DEVICES; d++) {
            pair_store(p, d, SPOT(i), mark + 2 * i + d);
        }
    }
}

static void undecode(Pair *p)
{
    for (unsigned d = 0; d < PAIR_DEVICES; d++) {
        map_control(p->qts, p->dev[d].bar[0], 0, 0);
    }
}

/* Nobody waits for memory that moves, and finds it wherever it is just now */
static void memory_on_its_way_is_found(void)
{
    const uint64_t all = PAIR_DEVICES * CXL_STATIC;
    uint64_t mark = MARK;
    Pair p;

    pair_start(&p, 256, "", "");
    qtest_memset(p.qts, p.window, 0x5a, all);
    spots_set(&p, mark);
    for (unsigned round = 0; round < 8; round++) {
        undecode(&p);
        g_usleep(round * 40000);
        pair_decode(&p);
        g_usleep(round % 3 * 30000);
        spots_are(&p, mark);
        mark += 1000;
        spots_set(&p, mark);
        spots_are(&p, mark);
    }

    /* Without interleave, one device after the other, in between */
    for (unsigned d = 0; d < PAIR_DEVICES; d++) {
        undecode(&p);
        map_decode(p.qts, p.bridge, 0, p.window, ALL_DPA, 0, d);
        map_decode(p.qts, p.dev[d].bar[0], 0, p.window, ALL_DPA, 0, 0);
        for (unsigned i = 0; i < SPOTS; i++) {
            g_assert_cmphex(qtest_readq(p.qts, p.window + SPOT(i)), ==,
                            mark + 2 * i + d);
            qtest_writeq(p.qts, p.window + SPOT(i), mark + 1000 + 2 * i + d);
        }
        g_usleep(100000);
        for (unsigned i = 0; i < SPOTS; i++) {
            g_assert_cmphex(qtest_readq(p.qts, p.window + SPOT(i)), ==,
                            mark + 1000 + 2 * i + d);
        }
    }
    undecode(&p);
    pair_decode(&p);
    mark += 1000;
    spots_are(&p, mark);
    map_trap_is(p.qts, 0, "direct");
    spots_are(&p, mark);
    for (unsigned d = 0; d < PAIR_DEVICES; d++) {
        g_assert_cmphex(pair_in_device(&p, d, SPOT(60)), ==, mark + 120 + d);
        g_assert_cmphex(pair_in_device(&p, d, SPOT(7) + 8), ==,
                        0x5a5a5a5a5a5a5a5aull);
    }
    pair_stop(&p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/interleave-direct/" #f, f)
    T(chunks_of_any_size_are_ram);
    T(shared_files_stay_in_the_order_of_devices);
    T(shared_files_may_be_in_guest_order);
    T(a_file_in_guest_order_goes_with_the_machine);
    T(decoders_that_do_not_agree_trap);
    T(rows_are_what_all_hosts_devices_accepted);
    T(extents_that_overlap_share_rows);
    T(pages_of_a_chunk_are_by_themselves);
    T(a_poisoned_line_makes_its_page_trap);
    T(disabled_media_of_one_stops_all);
    T(another_way_takes_effect_at_once);
    T(a_decoder_is_shrunk_before_rows_move);
    T(a_decoder_that_ends_ends_the_mapping);
    T(each_decoder_has_its_own_pattern);
    T(a_size_that_wraps_ends_at_the_end);
    T(budgets_are_those_of_each_device);
    T(migration_brings_rows_and_contents);
    T(unplug_of_one_ends_the_mapping);
    T(a_backend_can_be_had_while_bytes_move_back);
    T(commands_find_bytes_in_guest_order);
    T(memory_on_its_way_is_found);
    return g_test_run();
}
