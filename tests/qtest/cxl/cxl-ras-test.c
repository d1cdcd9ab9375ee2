/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Protocol errors at each component of a path: root port, both ports of a
 * switch, memory device.  What their RAS registers show of them, and which
 * message reaches the root port (CXL r3.2 8.2.4.17, 12.2; PCIe r6.2 6.2)
 */
#include "qemu/osdep.h"
#include "hw/cxl/cxl_component.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "cxl-qtest-vcs.h"

enum { RP, USP, DSP, MEM, PLACES };

static const char *const ids[PLACES] = { "rp0", "us0", "ds0", "cxl-mem0" };
static const uint16_t aer_at[PLACES] = { 0x100, 0x100, 0x100, 0x200 };

/* Register blocks, and the windows of bridges that lead to them */
#define RP_BLOCK        0xc8000000u
#define USP_BLOCK       0xc0000000u
#define DSP_BLOCK       0xc1000000u
#define MEM_BLOCK       0xc1100000u
#define RP_WINDOW       0xc1f0c000u
#define USP_WINDOW      0xc1f0c100u
#define DSP_WINDOW      0xc110c110u
/* In RAM: what the root port's interrupt message writes */
#define MESSAGE         0x04000000u
#define MESSAGE_DATA    0x1234

/**
 * struct Path - the functions from the root port to the device
 * @sw: the switch among them
 * @at: configuration space and bar[0]
 * @express: offset of the PCI Express capability
 */
typedef struct Path {
    QTestState *qts;
    CxlSwitch sw;
    CxlDev at[PLACES];
    unsigned express[PLACES];
} Path;

static void path_place(CxlDev *d, uint32_t block, uint32_t window)
{
    d->bar[0] = block;
    cfg_writel(d, PCI_BASE_ADDRESS_0, block);
    cfg_writel(d, PCI_BASE_ADDRESS_1, 0);
    if (window) {
        cfg_writel(d, PCI_MEMORY_BASE, window);
    }
    cfg_writew(d, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void path_find(QTestState *qts, Path *p)
{
    unsigned i;

    *p = (Path) { .qts = qts };
    switch_probe(qts, &p->sw);
    p->at[RP] = p->at[USP] = p->sw.usp;
    p->at[DSP] = p->sw.dsp[0];
    p->at[MEM] = p->sw.below[0];
    p->at[RP].cfg -= 1 << 20;
    p->at[RP].bus--;
    path_place(&p->at[RP], RP_BLOCK, RP_WINDOW);
    path_place(&p->at[USP], USP_BLOCK, USP_WINDOW);
    path_place(&p->at[DSP], DSP_BLOCK, DSP_WINDOW);
    path_place(&p->at[MEM], MEM_BLOCK, 0);
    for (i = 0; i < PLACES; i++) {
        p->express[i] = cfg_find_cap(&p->at[i], PCI_CAP_ID_EXP);
        g_assert_cmpuint(p->express[i], !=, 0);
    }
}

typedef struct PathTest {
    void (*run)(Path *p);
} PathTest;

static void path_test_run(const void *data)
{
    const PathTest *test = data;
    Path p;

    path_find(cxl_start(SWITCH_PORTS SWITCH_MAILBOX SWITCH_DEVICE), &p);
    test->run(&p);
    qtest_quit(p.qts);
}

static void path_add_test(const char *path, void (*run)(Path *p))
{
    PathTest *test = g_new(PathTest, 1);

    test->run = run;
    qtest_add_data_func_full(path, test, path_test_run, g_free);
}

static uint32_t ras(Path *p, unsigned i, unsigned offset)
{
    return qtest_readl(p->qts, p->at[i].bar[0] + CXL_CACHEMEM_OFFSET + offset);
}

static void ras_write(Path *p, unsigned i, unsigned offset, uint32_t value)
{
    qtest_writel(p->qts, p->at[i].bar[0] + CXL_CACHEMEM_OFFSET + offset,
                 value);
}

static uint32_t aer(Path *p, unsigned i, unsigned offset)
{
    return cfg_readl(&p->at[i], aer_at[i] + offset);
}

static void aer_write(Path *p, unsigned i, unsigned offset, uint32_t value)
{
    cfg_writel(&p->at[i], aer_at[i] + offset, value);
}

static QDict *inject(Path *p, unsigned i, bool correctable)
{
    return correctable ?
        qtest_qmp_assert_success_ref(p->qts,
            "{'execute': 'cxl-inject-correctable-error', 'arguments': {"
            " 'path': %s, 'type': 'mem-data-ecc' } }", ids[i]) :
        qtest_qmp_assert_success_ref(p->qts,
            "{'execute': 'cxl-inject-uncorrectable-errors', 'arguments': {"
            " 'path': %s, 'errors': ["
            " { 'type': 'mem-data-ecc', 'header': [ 1, 2, 3, 4, 5, 6, 7, 8, 9,"
            " 10, 11, 12, 13, 14, 15, 16 ] },"
            " { 'type': 'internal', 'header': [ 17 ] } ] } }", ids[i]);
}

static void unmask(Path *p)
{
    unsigned i;

    for (i = 0; i < PLACES; i++) {
        ras_write(p, i, CXL_RAS_UNC_MASK, 0);
        ras_write(p, i, CXL_RAS_COR_MASK, 0);
    }
}

static unsigned first_error(Path *p, unsigned i)
{
    return ras(p, i, CXL_RAS_CONTROL) & CXL_RAS_FIRST_ERROR;
}

static void registers_are_of_the_component_that_is_named(Path *p)
{
    unsigned i, k;

    unmask(p);
    for (i = 0; i < PLACES; i++) {
        qobject_unref(inject(p, i, false));
        qobject_unref(inject(p, i, true));
        for (k = 0; k < PLACES; k++) {
            g_assert_cmphex(ras(p, k, CXL_RAS_UNC_STATUS), ==,
                            k == i ? 1 << 7 | 1 << 14 : 0);
            g_assert_cmphex(ras(p, k, CXL_RAS_COR_STATUS), ==,
                            k == i ? 1 << 1 : 0);
        }
        g_assert_cmpuint(first_error(p, i), ==, 7);
        for (k = 0; k < CXL_RAS_HEADER_LOG_DWORDS; k++) {
            g_assert_cmpuint(ras(p, i, CXL_RAS_HEADER_LOG + 4 * k), ==, k + 1);
        }
        /* what is behind it stays */
        g_assert_cmphex(ras(p, i, CXL_LINK_OFFSET), ==, 0);

        /* a one clears, and the next error shows */
        ras_write(p, i, CXL_RAS_UNC_STATUS, 0);
        g_assert_cmphex(ras(p, i, CXL_RAS_UNC_STATUS), ==, 1 << 7 | 1 << 14);
        ras_write(p, i, CXL_RAS_UNC_STATUS, 1 << 7);
        g_assert_cmphex(ras(p, i, CXL_RAS_UNC_STATUS), ==, 1 << 14);
        g_assert_cmpuint(first_error(p, i), ==, 14);
        g_assert_cmpuint(ras(p, i, CXL_RAS_HEADER_LOG), ==, 17);
        g_assert_cmpuint(ras(p, i, CXL_RAS_HEADER_LOG + 4), ==, 0);
        ras_write(p, i, CXL_RAS_UNC_STATUS, UINT32_MAX);
        g_assert_cmphex(ras(p, i, CXL_RAS_UNC_STATUS), ==, 0);
        g_assert_cmphex(first_error(p, i), ==, CXL_RAS_FIRST_ERROR);
        ras_write(p, i, CXL_RAS_COR_STATUS, ~(1u << 1));
        g_assert_cmphex(ras(p, i, CXL_RAS_COR_STATUS), ==, 1 << 1);
        ras_write(p, i, CXL_RAS_COR_STATUS, 1 << 1);
        g_assert_cmphex(ras(p, i, CXL_RAS_COR_STATUS), ==, 0);
    }
}

/* -- the message ---------------------------------------------------------- */

typedef enum Severity { COR, NONFATAL, FATAL, SEVERITIES } Severity;

static const uint16_t severity_bit[] = { 1, 2, 4 };
static const uint32_t root_status[] = { 0x01, 0x24, 0x54 };

/* One thing each that keeps the guest from hearing of it */
typedef enum Gate {
    OPEN, RAS_MASK, AER_MASK, DEVICE_CONTROL, BRIDGE_CONTROL, ROOT_COMMAND,
    GATES
} Gate;

static const char *const gate_names[GATES] = {
    [DEVICE_CONTROL] = "device-control",
    [BRIDGE_CONTROL] = "bridge-control",
    [ROOT_COMMAND] = "root-error-command",
};

/* Everything open for errors of @severity at @source but @gate at @where */
static void gates_set(Path *p, unsigned source, Severity severity, Gate gate,
                      unsigned where)
{
    unsigned msi = cfg_find_cap(&p->at[RP], PCI_CAP_ID_MSI), i;
    bool cor = severity == COR;

    for (i = 0; i < PLACES; i++) {
        bool here = i == where;

        cfg_writew(&p->at[i], p->express[i] + PCI_EXP_DEVCTL,
                   gate == DEVICE_CONTROL && here ?
                   7 & ~severity_bit[severity] : severity_bit[severity]);
        cfg_writew(&p->at[i], p->express[i] + PCI_EXP_DEVSTA, 0xf);
        if (i != MEM) {
            cfg_writew(&p->at[i], PCI_BRIDGE_CONTROL,
                       gate == BRIDGE_CONTROL && here ? 0 :
                       PCI_BRIDGE_CTL_SERR);
        }
        aer_write(p, i, cor ? PCI_ERR_COR_MASK : PCI_ERR_UNCOR_MASK,
                  gate == AER_MASK && i == source ? 0x400000 | 0x4000 : 0);
        aer_write(p, i, PCI_ERR_UNCOR_SEVER,
                  severity == FATAL ? PCI_ERR_UNC_INTN : 0);
        aer_write(p, i, PCI_ERR_COR_STATUS, UINT32_MAX);
        aer_write(p, i, PCI_ERR_UNCOR_STATUS, UINT32_MAX);
        ras_write(p, i, cor ? CXL_RAS_COR_MASK : CXL_RAS_UNC_MASK,
                  gate == RAS_MASK && i == source ? UINT32_MAX : 0);
        ras_write(p, i, CXL_RAS_UNC_STATUS, UINT32_MAX);
        ras_write(p, i, CXL_RAS_COR_STATUS, UINT32_MAX);
    }
    aer_write(p, RP, PCI_ERR_ROOT_COMMAND, gate == ROOT_COMMAND ?
              7 & ~severity_bit[severity] : severity_bit[severity]);
    aer_write(p, RP, PCI_ERR_ROOT_STATUS, UINT32_MAX);
    cfg_writel(&p->at[RP], msi + PCI_MSI_ADDRESS_LO, MESSAGE);
    cfg_writew(&p->at[RP], msi + PCI_MSI_DATA_32, MESSAGE_DATA);
    cfg_writew(&p->at[RP], msi + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE);
    qtest_writel(p->qts, MESSAGE, 0);
}

/* The answer names @gate at @where and nothing else */
static void assert_answer(const QDict *answer, Severity severity, Gate gate,
                          unsigned where)
{
    QList *stops = qdict_get_qlist(answer, "stops");

    g_assert_cmpuint(qdict_size(answer), ==, gate != OPEN);
    g_assert_cmpint(qdict_get_try_int(answer, "ras-masked", 0), ==,
                    gate != RAS_MASK ? 0 : severity == COR ? 1 : 2);
    g_assert_true(qdict_get_try_bool(answer, "aer-masked", false) ==
                  (gate == AER_MASK));
    g_assert_true(!!stops == !!gate_names[gate]);
    if (stops) {
        g_autofree char *path = g_strdup_printf("/machine/peripheral/%s",
                                                ids[where]);
        const QDict *stop = qobject_to(QDict, qlist_peek(stops));

        g_assert_cmpuint(qlist_size(stops), ==, 1);
        g_assert_cmpstr(qdict_get_str(stop, "path"), ==, path);
        g_assert_cmpstr(qdict_get_str(stop, "by"), ==, gate_names[gate]);
    }
}

static void check_gate(Path *p, unsigned source, Severity severity, Gate gate,
                       unsigned where)
{
    bool reaches = gate == OPEN || gate == ROOT_COMMAND;
    uint16_t bdf = p->at[source].bus << 8;
    QDict *answer;

    gates_set(p, source, severity, gate, where);
    answer = inject(p, source, severity == COR);
    assert_answer(answer, severity, gate, where);
    qobject_unref(answer);
    cxl_settle(p->qts);
    g_assert_cmphex(aer(p, RP, PCI_ERR_ROOT_STATUS) & 0x7ffffff, ==,
                    reaches ? root_status[severity] : 0);
    if (reaches) {
        g_assert_cmphex(aer(p, RP, PCI_ERR_ROOT_ERR_SRC) >>
                        (severity == COR ? 0 : 16) & 0xffff, ==, bdf);
    }
    g_assert_cmphex(qtest_readl(p->qts, MESSAGE), ==,
                    gate == OPEN ? MESSAGE_DATA : 0);
    /* only one mask keeps it out of the component's own registers */
    g_assert_true(!!ras(p, source, severity == COR ? CXL_RAS_COR_STATUS :
                                                     CXL_RAS_UNC_STATUS) ==
                  (gate != RAS_MASK));
}

static void the_answer_tells_what_stops_the_message(Path *p)
{
    unsigned source, severity, where;

    for (source = 0; source < PLACES; source++) {
        for (severity = 0; severity < SEVERITIES; severity++) {
            check_gate(p, source, severity, OPEN, 0);
            check_gate(p, source, severity, RAS_MASK, source);
            check_gate(p, source, severity, AER_MASK, source);
            check_gate(p, source, severity, ROOT_COMMAND, RP);
            for (where = RP; where <= source; where++) {
                check_gate(p, source, severity, DEVICE_CONTROL, where);
                if (where != MEM) {
                    check_gate(p, source, severity, BRIDGE_CONTROL, where);
                }
            }
        }
    }
}

/* A guest that has set up nothing yet: the whole list, from below */
static void the_answer_tells_everything(Path *p)
{
    static const struct { unsigned where; Gate gate; } want[] = {
        { MEM, DEVICE_CONTROL }, { DSP, BRIDGE_CONTROL },
        { DSP, DEVICE_CONTROL }, { USP, BRIDGE_CONTROL },
        { USP, DEVICE_CONTROL }, { RP, BRIDGE_CONTROL },
        { RP, DEVICE_CONTROL }, { RP, ROOT_COMMAND },
    };
    const QListEntry *e;
    unsigned n = 0;
    QDict *answer;

    answer = inject(p, MEM, false);
    g_assert_cmpint(qdict_get_int(answer, "ras-masked"), ==, 2);
    g_assert_true(qdict_get_bool(answer, "aer-masked"));
    QLIST_FOREACH_ENTRY(qdict_get_qlist(answer, "stops"), e) {
        const QDict *stop = qobject_to(QDict, qlist_entry_obj(e));

        g_assert_cmpuint(n, <, ARRAY_SIZE(want));
        g_assert_true(g_str_has_suffix(qdict_get_str(stop, "path"),
                                       ids[want[n].where]));
        g_assert_cmpstr(qdict_get_str(stop, "by"), ==,
                        gate_names[want[n].gate]);
        n++;
    }
    g_assert_cmpuint(n, ==, ARRAY_SIZE(want));
    qobject_unref(answer);
}

/* -- life ----------------------------------------------------------------- */

static void errors_at_ports_move(Path *p)
{
    g_autofree char *args = cxl_args(SWITCH_PORTS SWITCH_MAILBOX
                                     SWITCH_DEVICE);
    unsigned i;

    unmask(p);
    for (i = 0; i < PLACES; i++) {
        qobject_unref(inject(p, i, false));
        qobject_unref(inject(p, i, true));
    }
    p->qts = cxl_migrate(p->qts, args);
    for (i = 0; i < PLACES; i++) {
        p->at[i].qts = p->qts;
        g_assert_cmphex(ras(p, i, CXL_RAS_UNC_STATUS), ==, 1 << 7 | 1 << 14);
        g_assert_cmphex(ras(p, i, CXL_RAS_COR_STATUS), ==, 1 << 1);
        g_assert_cmpuint(first_error(p, i), ==, 7);
        g_assert_cmpuint(ras(p, i, CXL_RAS_HEADER_LOG + 60), ==, 16);
        ras_write(p, i, CXL_RAS_UNC_STATUS, 1 << 7);
        g_assert_cmpuint(first_error(p, i), ==, 14);
        g_assert_cmpuint(ras(p, i, CXL_RAS_HEADER_LOG), ==, 17);
    }
}

/* Neither of them shows after the reset, nor before the next error */
static void a_reset_ends_errors_at_ports(Path *p)
{
    unsigned i;

    unmask(p);
    for (i = 0; i < PLACES; i++) {
        qobject_unref(inject(p, i, false));
        qobject_unref(inject(p, i, true));
    }
    qtest_system_reset(p->qts);
    path_find(p->qts, p);
    for (i = 0; i < PLACES; i++) {
        g_assert_cmphex(ras(p, i, CXL_RAS_UNC_STATUS), ==, 0);
        g_assert_cmphex(ras(p, i, CXL_RAS_UNC_MASK), ==, CXL_RAS_UNC_BITS);
        g_assert_cmphex(ras(p, i, CXL_RAS_COR_STATUS), ==, 0);
        ras_write(p, i, CXL_RAS_UNC_MASK, 0);
        qtest_qmp_assert_success(p->qts,
            "{'execute': 'cxl-inject-uncorrectable-errors', 'arguments': {"
            " 'path': %s, 'errors': ["
            " { 'type': 'cxl-ide-rx', 'header': [ 9 ] } ] } }", ids[i]);
        g_assert_cmphex(ras(p, i, CXL_RAS_UNC_STATUS), ==, 1 << 16);
        g_assert_cmpuint(first_error(p, i), ==, 16);
        g_assert_cmpuint(ras(p, i, CXL_RAS_HEADER_LOG), ==, 9);
    }
}

/* A Fabric Manager took the device away: its errors are no host's */
static void an_unbound_device_tells_no_host(Path *p)
{
    const QDict *stop;
    QDict *answer;

    g_assert_cmphex(vppb_unbind(&p->sw, 0, 1, SURPRISE), ==, RC_STARTED);
    switch_ends(&p->sw, OP_UNBIND, 0);
    g_assert_false(host_sees(&p->sw, 0));
    answer = inject(p, MEM, false);
    g_assert_cmpuint(qlist_size(qdict_get_qlist(answer, "stops")), ==, 1);
    stop = qobject_to(QDict, qlist_peek(qdict_get_qlist(answer, "stops")));
    g_assert_cmpstr(qdict_get_str(stop, "path"), ==,
                    "/machine/peripheral/cxl-mem0");
    g_assert_cmpstr(qdict_get_str(stop, "by"), ==, "unbound");
    qobject_unref(answer);
    /* its port has a host */
    answer = inject(p, DSP, false);
    g_assert_cmpuint(qlist_size(qdict_get_qlist(answer, "stops")), ==, 7);
    qobject_unref(answer);
}

static void others_have_no_ras_registers(Path *p)
{
    static const char *const paths[] = {
        "cxl.0", "sw0", "vm0", "/machine", "",
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(paths); i++) {
        QDict *rsp = qtest_qmp(p->qts,
            "{'execute': 'cxl-inject-correctable-error', 'arguments': {"
            " 'path': %s, 'type': 'physical' } }", paths[i]);
        const char *desc = qdict_get_str(qdict_get_qdict(rsp, "error"),
                                         "desc");

        g_assert_nonnull(strstr(desc, paths[i]));
        g_assert_true(g_str_has_prefix(desc, "Path does not point to a CXL "
                                       "type 3 device"));
        qobject_unref(rsp);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) path_add_test("/cxl/ras/" #f, f)
    T(registers_are_of_the_component_that_is_named);
    T(the_answer_tells_what_stops_the_message);
    T(the_answer_tells_everything);
    T(errors_at_ports_move);
    T(a_reset_ends_errors_at_ports);
    T(an_unbound_device_tells_no_host);
    T(others_have_no_ras_registers);
    return g_test_run();
}
