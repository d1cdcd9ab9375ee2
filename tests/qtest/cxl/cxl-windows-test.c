/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fixed memory windows: what a machine refuses, and where it puts them
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "cxl-qtest.h"

/* The first place behind RAM and the registers of host bridges */
#define WINDOW          (4 * GiB + 256 * MiB)

/* The machine refuses @args and says why */
static void assert_refused(const char *args, const char *why)
{
    g_autofree char *command = g_strdup_printf(
        "%s -accel qtest -display none -nodefaults %s",
        getenv("QTEST_QEMU_BINARY"), args);
    g_autofree char *err = NULL;
    int status;

    g_assert_true(g_spawn_command_line_sync(command, NULL, &err, &status,
                                            NULL));
    g_assert_cmpint(status, !=, 0);
    if (!strstr(err, why)) {
        g_test_message("%s: said %s", args, err);
    }
    g_assert_nonnull(strstr(err, why));
}

#define HB(n) "-device pxb-cxl,id=hb" #n ",bus=pcie.0,bus_nr=" #n "0 "

static void test_refused_windows(void)
{
    assert_refused("-M q35,cxl=on,cxl-fmw.0.targets.0=hb1,"
                   "cxl-fmw.0.size=300M",
                   "Size of a CXL fixed memory window must be a multiple of "
                   "256MiB: cxl-fmw.0.size is 0x12c00000");
    assert_refused("-M q35,cxl=on,cxl-fmw.0.targets.0=hb1,cxl-fmw.0.size=0",
                   "multiple of 256MiB");
    assert_refused("-M q35,cxl=on,cxl-fmw.0.targets.0=hb1,cxl-fmw.0.size=1G,"
                   "cxl-fmw.1.targets.0=hb1,cxl-fmw.1.size=1M",
                   "cxl-fmw.1.size is 0x100000");
    assert_refused("-M q35,cxl=on,cxl-fmw.0.targets.0=a,cxl-fmw.0.targets.1=b,"
                   "cxl-fmw.0.targets.2=c,cxl-fmw.0.targets.3=d,"
                   "cxl-fmw.0.targets.4=e,cxl-fmw.0.size=1G",
                   "Interleave ways: 5 not supported: give 1, 2, 3, 4, 6, 8, "
                   "12 or 16 host bridges in cxl-fmw.0.targets");
    assert_refused("-M q35,cxl=on,cxl-fmw.0.targets.0=hb1,cxl-fmw.0.size=1G,"
                   "cxl-fmw.0.interleave-granularity=300",
                   "Interleave granularity: 300 invalid: give 256, 512, 1k, "
                   "2k, 4k, 8k or 16k as cxl-fmw.0.interleave-granularity");
    assert_refused("-M q35,cxl=on,cxl-fmw.0.targets.0=hb1,cxl-fmw.0.size=1G,"
                   "cxl-fmw.0.restrictions=0x4d",
                   "cxl-fmw.0.restrictions is 0x4d: give bits 0 to 5 only");
    assert_refused("-M q35,cxl=on,cxl-fmw.0.targets.0=hb1,cxl-fmw.0.size=1G,"
                   "cxl-fmw.0.restrictions=0x2e", "bit 5 with bit 0");
    assert_refused("-M q35,cxl=on,cxl-fmw.0.targets.0=hb1,cxl-fmw.0.size=1G,"
                   "cxl-fmw.0.restrictions=0xc", "of which bit 0 or 1");
    assert_refused("-M q35,cxl=on,cxl-fmw.0.targets.0=hb9,cxl-fmw.0.size=1G "
                   HB(1), "Could not resolve CXLFM target hb9: "
                   "cxl-fmw.0.targets.0 must be the id of a pxb-cxl");
    assert_refused("-M q35,cxl=on,cxl-fmw.0.targets.0=hb1,"
                   "cxl-fmw.0.targets.1=hb1,cxl-fmw.0.size=1G " HB(1),
                   "cxl-fmw.0.targets.1 is host bridge hb1 as targets.0 is");
    assert_refused("-M q35 " HB(1),
                   "CXL host bridges present, but cxl=off: give the machine "
                   "cxl=on");
}

/* All windows, in ascending order; returns their number */
static unsigned find_windows(QTestState *s, uint64_t *base, unsigned max)
{
    g_autofree char *tree = qtest_hmp(s, "info mtree -f");
    const char *at = strstr(tree, "FlatView");
    unsigned n = 0;

    for (; at && (at = strstr(at, ": cxl-fixed-memory-region")); at++) {
        const char *begin = at;

        while (begin > tree && begin[-1] != '\n') {
            begin--;
        }
        base[n] = g_ascii_strtoull(begin + strspn(begin, " "), NULL, 16);
        /* every address space shows the same ones again */
        if (n && base[n] <= base[n - 1]) {
            break;
        }
        g_assert_cmpuint(++n, <, max);
    }
    return n;
}

#define TARGET(w, t) "cxl-fmw." #w ".targets." #t "=hb" #t ","

/* Linux counts from the start of the window, the window from address 0 */
static void test_odd_windows_are_aligned_to_their_ways(void)
{
    static const struct { unsigned ways; uint64_t size; } want[] = {
        { 1, 256 * MiB }, { 3, 768 * MiB }, { 2, 256 * MiB }, { 6, 1536 * MiB },
    };
    QTestState *s = qtest_init(
        "-M q35,cxl=on," TARGET(0, 0) "cxl-fmw.0.size=256M,"
        TARGET(1, 0) TARGET(1, 1) TARGET(1, 2) "cxl-fmw.1.size=768M,"
        TARGET(2, 0) TARGET(2, 1) "cxl-fmw.2.size=256M,"
        TARGET(3, 0) TARGET(3, 1) TARGET(3, 2) TARGET(3, 3) TARGET(3, 4)
        TARGET(3, 5) "cxl-fmw.3.size=1536M -m 128M -nodefaults -display none "
        "-device pxb-cxl,id=hb0,bus=pcie.0,bus_nr=20 "
        "-device pxb-cxl,id=hb1,bus=pcie.0,bus_nr=40 "
        "-device pxb-cxl,id=hb2,bus=pcie.0,bus_nr=60 "
        "-device pxb-cxl,id=hb3,bus=pcie.0,bus_nr=80 "
        "-device pxb-cxl,id=hb4,bus=pcie.0,bus_nr=100 "
        "-device pxb-cxl,id=hb5,bus=pcie.0,bus_nr=120 ");
    uint64_t base[ARRAY_SIZE(want) + 2], end = WINDOW;
    QDict *hole;
    unsigned i;

    g_assert_cmpuint(find_windows(s, base, ARRAY_SIZE(base)), ==,
                     ARRAY_SIZE(want));
    for (i = 0; i < ARRAY_SIZE(want); i++) {
        uint64_t step = 256 * MiB * (want[i].ways % 3 ? 1 : want[i].ways);

        /* at the first place that is good */
        g_assert_cmphex(base[i], ==, QEMU_ALIGN_UP(end, step));
        end = base[i] + want[i].size;
    }
    /* and PCI memory begins behind the last one */
    hole = qtest_qmp(s, "{'execute': 'qom-get', 'arguments': {"
                     "'path': '/machine/q35', 'property': 'pci-hole64-start'}}");
    g_assert_cmphex(qdict_get_int(hole, "return"), >=, end);
    qobject_unref(hole);
    qtest_quit(s);
}

static void expect_built(QTestState *qts, const char *property,
                         const char *value)
{
    g_autofree char *json = g_strdup_printf(
        "{'execute': 'qom-set', 'arguments': { 'path': '/machine', "
        "'property': '%s', 'value': %s } }", property, value);
    QDict *rsp = qtest_qmp(qts, json, NULL);
    const QDict *error = qdict_get_qdict(rsp, "error");

    g_test_message("%s", json);
    g_assert_nonnull(error);
    g_assert_nonnull(strstr(qdict_get_str(error, "desc"), "of a machine that "
                            "is built cannot be changed"));
    qobject_unref(rsp);
}

/* A window that comes later has no place, no bridges, and is in no CEDT */
static void test_fixed_once_built(void)
{
    QTestState *qts = qtest_init("-M q35,cxl=on,cxl-fmw.0.targets.0=hb1,"
                                 "cxl-fmw.0.size=1G -m 128M " HB(1));
    QDict *rsp;

    expect_built(qts, "cxl-fmw", "[ { 'targets': [ 'hb1' ], "
                 "'size': 1073741824 } ]");
    expect_built(qts, "cxl-fmw", "[ { 'targets': [ 'nothing' ], "
                 "'size': 1073741824 } ]");
    expect_built(qts, "cxl", "false");
    rsp = qtest_qmp(qts, "{'execute': 'query-cxl-memory-map'}");
    g_assert_cmpuint(qlist_size(qdict_get_qlist(rsp, "return")), ==, 1);
    qobject_unref(rsp);
    qtest_quit(qts);
}

#define TWO(more) \
    "-M q35,cxl=on,cxl-fmw.0.targets.0=hb1,cxl-fmw.0.targets.1=hb2," \
    "cxl-fmw.0.size=512M" more " -nodefaults -display none " HB(1) HB(2)

/* The guest has read them in its CEDT, and its decoders stand on them */
static void test_same_windows(void)
{
    static const struct {
        const char *args, *says;
    } other[] = {
        { TWO(",cxl-fmw.0.interleave-granularity=4k") "-m 128M", "2 by 4096" },
        { TWO("") "-m 128M,maxmem=10G,slots=1", "bytes at 0x" },
        { "-M q35,cxl=on,cxl-fmw.0.targets.0=hb2,cxl-fmw.0.targets.1=hb1,"
          "cxl-fmw.0.size=512M -nodefaults -display none -m 128M " HB(1) HB(2),
          "bus 20 10" },
        { "-M q35,cxl=on,cxl-fmw.0.targets.0=hb1,cxl-fmw.0.size=512M "
          "-nodefaults -display none -m 128M " HB(1) HB(2),
          "1 by 256, bus 10" },
    };

    qtest_quit(cxl_migrate(qtest_init(TWO("") "-m 128M"), TWO("") "-m 128M"));
    for (unsigned i = 0; i < ARRAY_SIZE(other); i++) {
        g_autofree char *said = cxl_migrate_refused(
            qtest_init(TWO("") "-m 128M"), other[i].args);

        g_test_message("%s", said);
        g_assert_nonnull(strstr(said, "property 'cxl-fmw' is '"));
        g_assert_nonnull(strstr(said, other[i].says));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/cxl/windows/refused", test_refused_windows);
    qtest_add_func("/cxl/windows/fixed-once-built", test_fixed_once_built);
    qtest_add_func("/cxl/windows/odd",
                   test_odd_windows_are_aligned_to_their_ways);
    qtest_add_func("/cxl/windows/same-on-both-sides", test_same_windows);
    return g_test_run();
}
