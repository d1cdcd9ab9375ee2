/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Direct mapping as processors see it: what they keep of the way to memory must
 * not outlive the mapping.  Two processors under TCG, each of which loads from
 * a page all the time, and does an access when it is told to.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "hw/pci/pci_regs.h"
#include "cxl-qtest-cpu.h"
#include "cxl-qtest-pair.h"

#define CPUS 2
#define GRAIN 4096
#define LINE 64

#define WATCHER 0xa000

/* Loads from an I/O register that never changes, until it is told something */
static const uint8_t watcher[] = {
    0xba, 0x30, 0x00, 0xe0, 0xfe,               /* version of the local APIC */
    /* loop: wait for up to 8191 turns, another number each time */
    0x45, 0x69, 0xc9, 0x6d, 0x4e, 0xc6, 0x41,
    0x41, 0x81, 0xc1, 0x39, 0x30, 0x00, 0x00,
    0x45, 0x89, 0xc8, 0x41, 0xc1, 0xe8, 0x13,
    0x41, 0xff, 0xc8, 0x79, 0xfb,
    0x81, 0x3a, 0x14, 0x00, 0x05, 0x00,         /* 50014h? */
    0x74, 0x04, 0x48, 0xff, 0x47, 0x30,         /* else WRONG++ */
    0x48, 0xff, 0x47, 0x38,                     /* LOADS++ */
    0x48, 0x39, 0x2f, 0x74, 0xd1,               /* TOLD is as it was: loop */
    0xc3,
};

static void cpus_start(Pair *p, const char *props)
{
    g_autofree char *rom = cpu_rom();
    g_autofree char *more = g_strdup_printf(
        "-accel tcg,thread=multi -smp %u -cpu max -S -bios %s", CPUS, rom);

    pair_start(p, GRAIN, props, more);
    unlink(rom);
    cpu_start(p->qts, CPUS);
}

/* Load from a place in the window while there is nothing to do */
static void cpus_idle(Pair *p, uint64_t offset)
{
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        qtest_writeq(p->qts, MAILBOX(cpu) + IDLE, p->window + offset);
    }
}

static uint64_t cpu_do(Pair *p, unsigned cpu, int what, uint64_t offset,
                       uint64_t value)
{
    cpu_tell(p->qts, cpu, what, p->window + offset, value);
    return cpu_wait(p->qts, cpu);
}

static void all_load(Pair *p, uint64_t offset, uint64_t want)
{
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        g_assert_cmphex(cpu_do(p, cpu, LOAD, offset, 0), ==, want);
    }
}

static void turn(Pair *p, bool on)
{
    map_decode(p->qts, p->bridge, 0, p->window, PAIR_DEVICES * ALL_DPA,
               pair_control(GRAIN), on ? 0x0001 : 0x0100);
}

/* Each device has a mark of its own at the same place */
static void marks(Pair *p, uint64_t dpa)
{
    for (unsigned d = 0; d < PAIR_DEVICES; d++) {
        uint64_t at = pair_at(p, d, dpa);

        cpu_do(p, d % CPUS, STORE, at, MARK + d);
        all_load(p, at, MARK + d);
    }
}

static void marks_are(Pair *p, uint64_t dpa)
{
    for (unsigned d = 0; d < PAIR_DEVICES; d++) {
        g_assert_cmphex(pair_in_device(p, d, dpa), ==, MARK + d);
    }
}

/* -- tests ----------------------------------------------------------------- */

static void processors_reach_each_device(void)
{
    Pair p;

    cpus_start(&p, "");
    map_trap_is(p.qts, 0, "direct");
    for (unsigned i = 0; i < 40; i++) {
        marks(&p, i * 5 * GRAIN + i * 24);
    }
    marks_are(&p, 0);
    marks_are(&p, 39 * 5 * GRAIN + 39 * 24);
    map_trap_is(p.qts, 0, "direct");
    /* An access over the border of two chunks */
    cpu_do(&p, 0, STORE, 8 * GRAIN - 4, MARK);
    all_load(&p, 8 * GRAIN - 4, MARK);
    g_assert_cmphex(pair_in_device(&p, 0, 4 * GRAIN) & UINT32_MAX, ==,
                    MARK >> 32);
    pair_stop(&p);
}

static void a_turned_bridge_is_seen_at_once(void)
{
    Pair p;

    cpus_start(&p, "");
    marks(&p, 0);
    cpus_idle(&p, 0);
    for (unsigned round = 1; round <= 30; round++) {
        unsigned turned = round % 2;

        turn(&p, turned);
        all_load(&p, pair_at(&p, 0, 0), MARK + turned);
        all_load(&p, pair_at(&p, 1, 0), MARK + !turned);
        cpu_do(&p, 0, STORE, pair_at(&p, 0, 8), round);
        g_assert_cmphex(pair_in_device(&p, turned, 8), ==, round);
    }
    pair_stop(&p);
}

static void what_traps_is_not_reached_by_old_ways(void)
{
    const CxlExtent e = { R0(1), BLOCKS(1), 1 };
    CxlReq r = { 0 };
    Pair p;

    cpus_start(&p, "");
    for (unsigned d = 0; d < PAIR_DEVICES; d++) {
        cxl_hold(&p.dev[d], &e, 1);
    }
    marks(&p, R0(1));
    cpus_idle(&p, pair_at(&p, 1, R0(1)));
    g_assert_cmphex(fm_release_tag(&p.dev[1], REL_FORCED, BLOCKS(1), 1),
                    ==, 0);
    all_load(&p, pair_at(&p, 1, R0(1)), ONES);
    all_load(&p, pair_at(&p, 0, R0(1)), MARK);
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        cpu_do(&p, cpu, STORE, pair_at(&p, 1, R0(1)), 0);
    }
    g_assert_cmphex(pair_in_device(&p, 1, R0(1)), ==, MARK + 1);

    marks(&p, LINE);
    marks(&p, 2 * LINE);
    cpus_idle(&p, pair_at(&p, 0, LINE));
    req64(&r, LINE);
    g_assert_cmphex(cxl_cmd(&p.dev[0], 0x4301, &r, NULL), ==, 0);
    all_load(&p, pair_at(&p, 0, LINE), ONES);
    all_load(&p, pair_at(&p, 0, 2 * LINE), MARK);
    all_load(&p, pair_at(&p, 1, LINE), MARK + 1);

    map_enable(p.qts, p.dev[1].bar[0], false);
    all_load(&p, pair_at(&p, 1, LINE), 0);
    map_enable(p.qts, p.dev[1].bar[0], true);
    all_load(&p, pair_at(&p, 1, LINE), MARK + 1);
    pair_stop(&p);
}

/* What was translated of the one device's code is not run for the other's */
static void programs_run_from_interleaved_memory(void)
{
    Pair p;

    cpus_start(&p, "");
    for (unsigned d = 0; d < PAIR_DEVICES; d++) {
        /* mov $d + 5, %eax; ret */
        cpu_do(&p, 0, STORE, pair_at(&p, d, 0), 0xc300000000b8 | (d + 5) << 8);
    }
    for (unsigned round = 0; round < 8; round++) {
        turn(&p, round % 2);
        for (unsigned cpu = 0; cpu < CPUS; cpu++) {
            for (unsigned d = 0; d < PAIR_DEVICES; d++) {
                g_assert_cmphex(cpu_do(&p, cpu, CALL, pair_at(&p, d, 0), 0), ==,
                                5 + (d ^ round % 2));
            }
        }
    }
    pair_stop(&p);
}

/* Mappings come and go below processors that load from them */
static void processors_survive_any_change(void)
{
    const CxlExtent e = { R0(0), BLOCKS(1), 1 };
    Pair p;

    cpus_start(&p, "");
    marks(&p, 0);
    for (unsigned d = 0; d < PAIR_DEVICES; d++) {
        qtest_writeq(p.qts, MAILBOX(d) + IDLE, p.window + pair_at(&p, d, 0));
        cxl_hold(&p.dev[d], &e, 1);
    }
    for (unsigned round = 0; round < 100; round++) {
        turn(&p, round % 2);
        map_control(p.qts, p.dev[round % 2].bar[0], 0, 0);
        pair_decode(&p);
    }
    all_load(&p, pair_at(&p, 0, 0), MARK);
    all_load(&p, pair_at(&p, 1, 0), MARK + 1);

    qtest_qmp_device_del_send(p.qts, "mem1");
    cxl_slot_power(p.qts, 1, false);
    all_load(&p, pair_at(&p, 1, 0), 0);
    /* Nobody interrupts these processors, so no grace period would end */
    qtest_qmp_assert_success(p.qts, "{'execute': 'stop'}");
    qtest_qmp_eventwait(p.qts, "DEVICE_DELETED");
    qtest_qmp_assert_success(p.qts, "{'execute': 'object-del', "
                             "'arguments': {'id': 'vm1'}}");
    qtest_qmp_assert_success(p.qts, "{'execute': 'cont'}");
    all_load(&p, pair_at(&p, 1, 0), 0);
    all_load(&p, pair_at(&p, 0, 0), MARK);
    qtest_qmp_assert_success(p.qts, "{'execute': 'system_reset'}");
    qtest_qmp_eventwait(p.qts, "RESET");
    pair_stop(&p);
}

/* Without interleave there is no table, but the same promise */
static void a_single_way_that_ends_is_seen_at_once(void)
{
    Pair p;

    cpus_start(&p, "");
    marks(&p, 0);
    for (unsigned d = 0; d < PAIR_DEVICES; d++) {
        map_control(p.qts, p.dev[d].bar[0], 0, 0);
        map_decode(p.qts, p.dev[d].bar[0], 0, p.window, ALL_DPA, 0, 0);
    }
    for (unsigned round = 0; round < 20; round++) {
        unsigned d = round % PAIR_DEVICES;

        map_decode(p.qts, p.bridge, 0, p.window, ALL_DPA, 0, d);
        map_trap_is(p.qts, 0, "direct");
        all_load(&p, 0, MARK + d);
        map_control(p.qts, p.dev[d].bar[0], 0, 0);
        all_load(&p, 0, 0);
        map_decode(p.qts, p.dev[d].bar[0], 0, p.window, ALL_DPA, 0, 0);
    }
    pair_stop(&p);
}

/*
 * Whoever changes the map tells processors after the fact.  A device that comes
 * or goes below the APIC gives all that is above it another place in the map.
 */
static void io_reaches_its_device_whatever_comes_or_goes(void)
{
    Pair p;

    cpus_start(&p, "");
    marks(&p, 0);
    qtest_memwrite(p.qts, WATCHER, watcher, sizeof(watcher));
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        cpu_tell(p.qts, cpu, CALL, WATCHER, 0);
    }
    g_assert_cmphex(p.dev[0].bar[0], <, 0xfee00000);
    for (unsigned round = 0; round < 4000; round++) {
        cfg_writew(&p.dev[0], PCI_COMMAND,
                   PCI_COMMAND_MASTER | (round % 2 ? PCI_COMMAND_MEMORY : 0));
    }
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        uint64_t box = MAILBOX(cpu);

        g_assert_cmphex(cpu_do(&p, cpu, LOAD, pair_at(&p, cpu, 0), 0), ==,
                        MARK + cpu);
        g_assert_cmpuint(qtest_readq(p.qts, box + LOADS), >, 0);
        g_assert_cmpuint(qtest_readq(p.qts, box + WRONG), ==, 0);
    }
    pair_stop(&p);
}

/*
 * What is freed after a grace period needs all processors, also those that
 * spin.  One begins about 50 ms after the first thing that waits for it.
 */
static void a_refused_device_waits_for_no_spinning_processor(void)
{
    Pair p;

    cpus_start(&p, "");
    for (unsigned round = 0; round < 64; round++) {
        QDict *rsp;

        qtest_qmp_assert_success(
            p.qts, "{'execute': 'object-add', 'arguments': {"
            "'qom-type': 'memory-backend-ram', 'id': 'm', 'size': 1048576}}");
        qtest_qmp_assert_success(p.qts, "{'execute': 'object-del',"
                                 "'arguments': {'id': 'm'}}");
        g_usleep(46000 + round % 16 * 1000);
        rsp = qtest_qmp(p.qts, "{'execute': 'device_add', 'arguments': {"
                        "'driver': 'cxl-type3', 'bus': 'pcie.0'}}");
        qmp_expect_error_and_unref(rsp, "GenericError");
    }
    pair_stop(&p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (!qtest_has_accel("tcg")) {
        g_test_message("built without TCG");
        return g_test_run();
    }
#define T(f) qtest_add_func("/cxl/direct-cpu/" #f, f)
    T(processors_reach_each_device);
    T(a_turned_bridge_is_seen_at_once);
    T(what_traps_is_not_reached_by_old_ways);
    T(programs_run_from_interleaved_memory);
    T(processors_survive_any_change);
    T(a_single_way_that_ends_is_seen_at_once);
    T(io_reaches_its_device_whatever_comes_or_goes);
    T(a_refused_device_waits_for_no_spinning_processor);
    return g_test_run();
}
