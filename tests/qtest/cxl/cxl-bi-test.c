/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Back-invalidate of a device below a switch, in the order in which Linux
 * programs it, and 256-byte flits of its links (CXL r3.2 8.1.8, 8.2.4.20,
 * 8.2.4.26, 8.2.4.27)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/timer.h"
#include "hw/cxl/cxl_hdm.h"
#include "hw/pci/pci_regs.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "tests/qtest/libqos/fw_cfg.h"
#include "cxl-qtest.h"

#define ECAM            0xb0000000ull
#define CACHEMEM        0x1000
#define RP_BUS          52
#define LAST_BUS        60

#define CAP_ROUTE       0xb
#define CAP_DECODER     0xc
#define CONTROL         4
#define STATUS          8

#define FORWARD         1
#define ENABLE          2
#define DECODER_COMMIT  4
#define ROUTE_COMMIT    1
#define COMMITTED       1
#define ERROR           2
/* Both units of the time that a commit may take */
#define COMMIT_TIMEOUT  (2 * NANOSECONDS_PER_SECOND)

#define FLIT            ",x-256b-flit=on "
#define NO_FLIT         " "
/* Device-coherent, volatile, by back-invalidate */
#define WINDOW_DB       ",cxl-fmw.0.restrictions=0x25"
#define MACHINE(window, rp, us, ds) \
    "-M q35,cxl=on,cxl-fmw.0.targets.0=hb0,cxl-fmw.0.size=1G" window \
    " -m 128M -nodefaults -display none " \
    "-device pxb-cxl,id=hb0,bus=pcie.0,bus_nr=52,hdm_for_passthrough=on " \
    "-device cxl-rp,id=rp0,bus=hb0,chassis=0,slot=0" rp \
    "-device cxl-upstream,id=us0,bus=rp0,port=7" us \
    "-device cxl-downstream,id=ds0,bus=us0,port=3,chassis=0,slot=4,addr=0.0" ds\
    "-device cxl-downstream,id=ds1,bus=us0,port=4,chassis=0,slot=5,addr=1.0" ds\
    "-object memory-backend-ram,id=vm0,size=256M " \
    "-object memory-backend-ram,id=vm1,size=256M "
#define DEVICE(n, props) \
    "-device cxl-type3,id=m" #n ",bus=ds" #n ",volatile-memdev=vm" #n \
    ",sn=" #n props
#define DB              ",hdm-db=on" FLIT
#define ALL_FLIT        MACHINE(WINDOW_DB, FLIT, FLIT, FLIT)

/**
 * struct Fabric - a machine; of each function configuration space and BAR 0
 */
typedef struct Fabric {
    QTestState *qts;
    CxlDev rp;
    CxlDev us;
    CxlDev ds[2];
    CxlDev m[2];
} Fabric;

static void function_at(Fabric *f, CxlDev *dev, unsigned bus, unsigned slot,
                        uint32_t bar)
{
    *dev = (CxlDev) {
        .qts = f->qts,
        .bus = bus,
        .cfg = ECAM + ((uint64_t)bus << 20) + (slot << 15),
        .bar[0] = bar,
    };
    cfg_writel(dev, PCI_BASE_ADDRESS_0, bar);
    cfg_writel(dev, PCI_BASE_ADDRESS_1, 0);
    cfg_writew(dev, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void bridge_buses(CxlDev *bridge, unsigned secondary, unsigned last)
{
    cfg_writel(bridge, PCI_PRIMARY_BUS,
               bridge->bus | secondary << 8 | last << 16);
}

static void bridge_window(CxlDev *bridge, uint32_t base, uint32_t limit)
{
    cfg_writel(bridge, PCI_MEMORY_BASE,
               (base >> 16 & 0xfff0) | (limit & 0xfff00000));
}

static void device_probe(Fabric *f, unsigned n, unsigned bus)
{
    uint32_t base = 0xc0200000 + n * MiB;

    bridge_buses(&f->ds[n], bus, bus);
    bridge_window(&f->ds[n], base, base + MiB - 1);
    function_at(f, &f->m[n], bus, 0, base);
}

static void fabric_probe(Fabric *f, QTestState *qts)
{
    unsigned n;

    f->qts = qts;
    qtest_outl(qts, 0xcf8, 0x80000064);
    qtest_outl(qts, 0xcfc, 0);
    qtest_outl(qts, 0xcf8, 0x80000060);
    qtest_outl(qts, 0xcfc, (uint32_t)ECAM | 1);

    function_at(f, &f->rp, RP_BUS, 0, 0xc8000000);
    bridge_buses(&f->rp, RP_BUS + 1, LAST_BUS);
    bridge_window(&f->rp, 0xc0000000, 0xc7ffffff);
    function_at(f, &f->us, RP_BUS + 1, 0, 0xc0000000);
    bridge_buses(&f->us, RP_BUS + 2, LAST_BUS);
    bridge_window(&f->us, 0xc0100000, 0xc7ffffff);
    for (n = 0; n < 2; n++) {
        function_at(f, &f->ds[n], RP_BUS + 2, n, 0xc0100000 + n * 64 * KiB);
        device_probe(f, n, RP_BUS + 3 + n);
    }
}

static void fabric_start(Fabric *f, const char *args)
{
    fabric_probe(f, qtest_init(args));
}

static uint32_t reg_read(CxlDev *dev, unsigned offset)
{
    return qtest_readl(dev->qts, dev->bar[0] + CACHEMEM + offset);
}

static void reg_write(CxlDev *dev, unsigned offset, uint32_t value)
{
    qtest_writel(dev->qts, dev->bar[0] + CACHEMEM + offset, value);
}

/* As a driver finds it: through the capability array; 0 if there is none */
static unsigned find_cap(CxlDev *dev, unsigned id)
{
    unsigned n = reg_read(dev, 0) >> 24;

    for (unsigned i = 1; i <= n; i++) {
        uint32_t header = reg_read(dev, 4 * i);

        if ((header & 0xffff) == id) {
            g_assert_cmphex(header >> 16 & 0xf, ==, 1);
            return header >> 20;
        }
    }
    return 0;
}

static unsigned decoder(CxlDev *dev)
{
    unsigned at = find_cap(dev, CAP_DECODER);

    g_assert_cmphex(at, !=, 0);
    return at;
}

static unsigned route_table(CxlDev *dev)
{
    unsigned at = find_cap(dev, CAP_ROUTE);

    g_assert_cmphex(at, !=, 0);
    return at;
}

/* -- as the Linux series does it ------------------------------------------ */

/* Return: COMMITTED or ERROR; 0 if there was neither in time */
static unsigned commit(CxlDev *dev, unsigned at, uint32_t bit)
{
    uint32_t control = reg_read(dev, at + CONTROL);
    uint32_t status = reg_read(dev, at + STATUS);
    uint64_t waited = 0;

    g_assert_cmphex(status >> 8 & 0xff, ==, 0x26);
    reg_write(dev, at + CONTROL, control & ~bit);
    reg_write(dev, at + CONTROL, control | bit);
    do {
        status = reg_read(dev, at + STATUS) & (COMMITTED | ERROR);
        if (status) {
            return status;
        }
        qtest_clock_step(dev->qts, COMMIT_TIMEOUT / 10);
        waited += COMMIT_TIMEOUT / 10;
    } while (waited <= COMMIT_TIMEOUT);
    return 0;
}

static unsigned commit_decoder(CxlDev *dev)
{
    return commit(dev, decoder(dev), DECODER_COMMIT);
}

static unsigned commit_routes(Fabric *f)
{
    return commit(&f->us, route_table(&f->us), ROUTE_COMMIT);
}

static void decoder_set(CxlDev *dev, uint32_t bits)
{
    uint32_t control = reg_read(dev, decoder(dev) + CONTROL);

    control &= ~(FORWARD | ENABLE);
    reg_write(dev, decoder(dev) + CONTROL, control | bits);
    g_assert_cmphex(reg_read(dev, decoder(dev) + CONTROL), ==, control | bits);
}

static void port_set(Fabric *f, unsigned n, uint32_t bits)
{
    decoder_set(&f->ds[n], bits);
    g_assert_cmphex(commit_decoder(&f->ds[n]), ==, COMMITTED);
    g_assert_cmphex(commit_routes(f), ==, COMMITTED);
}

static void device_enable(Fabric *f, unsigned n)
{
    port_set(f, n, ENABLE);
    decoder_set(&f->rp, FORWARD);
    g_assert_cmphex(reg_read(&f->m[n], decoder(&f->m[n]) + CONTROL), ==, 0);
    decoder_set(&f->m[n], ENABLE);
}

/* -- what the monitor says ------------------------------------------------ */

static QDict *query(QTestState *qts, const char *id)
{
    QDict *rsp = qtest_qmp(qts, "{'execute': 'query-cxl-back-invalidate'}");
    g_autofree char *path = g_strdup_printf("/machine/peripheral/%s", id);
    QDict *found = NULL;
    QListEntry *e;

    g_assert_true(qdict_haskey(rsp, "return"));
    QLIST_FOREACH_ENTRY(qdict_get_qlist(rsp, "return"), e) {
        QDict *info = qobject_to(QDict, qlist_entry_obj(e));

        if (g_str_equal(qdict_get_str(info, "path"), path)) {
            found = qobject_ref(info);
        }
    }
    qobject_unref(rsp);
    return found;
}

static void expect_text(Fabric *f, const char *id, const char *key,
                        const char *want)
{
    QDict *info = query(f->qts, id);

    g_assert_nonnull(info);
    g_assert_cmpstr(qdict_get_try_str(info, key), ==, want);
    qobject_unref(info);
}

static void expect_obstacle(Fabric *f, const char *want)
{
    expect_text(f, "m0", "obstacle", want);
}

static void expect_id(Fabric *f, const char *device, int want)
{
    QDict *info = query(f->qts, device);

    g_assert_nonnull(info);
    g_assert_cmpint(qdict_get_try_int(info, "bi-id", -1), ==, want);
    qobject_unref(info);
}

static void expect_flit(Fabric *f, CxlDev *dev, const char *id, bool want)
{
    unsigned cap = cfg_find_cap(dev, PCI_CAP_ID_EXP);
    QDict *info = query(f->qts, id);
    unsigned at;

    g_assert_cmphex(cfg_readw(dev, cap + PCI_EXP_LNKSTA2) & 0x400, ==,
                    want ? 0x400 : 0);
    if (info) {
        g_assert_cmpint(qdict_get_bool(info, "flit-256b"), ==, want);
        qobject_unref(info);
    }
    for (at = 0x100; at; at = cfg_readl(dev, at) >> 20) {
        if ((cfg_readl(dev, at) & 0xffff) == 0x23 &&
            cfg_readw(dev, at + 8) == 7) {
            g_assert_cmphex(cfg_readw(dev, at + 0xe), ==,
                            want ? 0x06 : 0x26);
            return;
        }
    }
    g_assert_not_reached();
}

/* -- tests ---------------------------------------------------------------- */

static void only_bits_that_exist_are_writable(Fabric *f)
{
    const struct {
        CxlDev *dev;
        unsigned id;
        uint32_t cap;
        uint32_t control;
    } want[] = {
        { &f->rp, CAP_DECODER, 0, FORWARD | ENABLE },
        { &f->us, CAP_ROUTE, 1, ROUTE_COMMIT },
        { &f->ds[0], CAP_DECODER, 2, FORWARD | ENABLE | DECODER_COMMIT },
        { &f->m[0], CAP_DECODER, 0, ENABLE },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(want); i++) {
        CxlDev *dev = want[i].dev;
        unsigned at = find_cap(dev, want[i].id);

        g_assert_cmphex(at, !=, 0);
        g_assert_cmphex(reg_read(dev, at), ==, want[i].cap);
        g_assert_cmphex(reg_read(dev, at + CONTROL), ==, 0);
        g_assert_cmphex(reg_read(dev, at + STATUS), ==, 0x2600);
        for (unsigned reg = 0; reg <= STATUS; reg += 4) {
            reg_write(dev, at + reg, UINT32_MAX);
        }
        g_assert_cmphex(reg_read(dev, at), ==, want[i].cap);
        g_assert_cmphex(reg_read(dev, at + CONTROL), ==, want[i].control);
        g_assert_cmphex(reg_read(dev, at + STATUS), ==, 0x2600);
        reg_write(dev, at + CONTROL, 0);
        g_assert_cmphex(reg_read(dev, at + CONTROL), ==, 0);
        g_assert_cmphex(find_cap(dev, want[i].id ^ CAP_ROUTE ^ CAP_DECODER),
                        ==, 0);
    }
    /* host-only and device-coherent */
    g_assert_cmphex(reg_read(&f->m[0], CXL_HDM_CAP), ==, 0x601b12);
    g_assert_cmphex(reg_read(&f->us, CXL_HDM_CAP), ==, 0x382);
}

static void without_properties_nothing_is_there(Fabric *f)
{
    CxlDev *all[] = { &f->rp, &f->us, &f->ds[0], &f->m[0] };
    const uint32_t first[] = { 0x05110001, 0x03110001, 0x02110001, 0x03110001 };
    QDict *rsp;

    for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
        unsigned cap = cfg_find_cap(all[i], PCI_CAP_ID_EXP);

        g_assert_cmphex(reg_read(all[i], 0), ==, first[i]);
        for (unsigned at = 0x18; at < 0x80; at += 4) {
            g_assert_cmphex(reg_read(all[i], at), ==, 0);
        }
        for (unsigned at = 0xaa8; at < 0xac0; at += 4) {
            reg_write(all[i], at, UINT32_MAX);
            g_assert_cmphex(reg_read(all[i], at), ==, 0);
        }
        g_assert_cmphex(cfg_readw(all[i], cap + PCI_EXP_FLAGS) & 0x8000, ==,
                        0);
        expect_flit(f, all[i], "", false);
    }
    reg_write(&f->m[0], CXL_HDM_DECODER(0) + CXL_HDM_CONTROL, CXL_HDM_CTRL_BI);
    g_assert_cmphex(reg_read(&f->m[0], CXL_HDM_DECODER(0) + CXL_HDM_CONTROL),
                    ==, 0);
    g_assert_cmphex(reg_read(&f->m[0], CXL_HDM_CAP), ==, 0x1b12);
    rsp = qtest_qmp(f->qts, "{'execute': 'query-cxl-back-invalidate'}");
    g_assert_true(qlist_empty(qdict_get_qlist(rsp, "return")));
    qobject_unref(rsp);
}

static void linux_enables_from_leaf_to_root(Fabric *f)
{
    unsigned cap;

    cap = cfg_find_cap(&f->m[0], PCI_CAP_ID_EXP);
    g_assert_cmphex(cfg_readw(&f->m[0], cap + PCI_EXP_FLAGS) & 0x8000, !=, 0);
    expect_obstacle(f, "off");

    decoder_set(&f->ds[0], ENABLE);
    g_assert_cmphex(commit_decoder(&f->ds[0]), ==, COMMITTED);
    decoder_set(&f->m[0], ENABLE);
    expect_obstacle(f, "route-table");
    decoder_set(&f->m[0], 0);
    g_assert_cmphex(commit_routes(f), ==, COMMITTED);
    decoder_set(&f->rp, FORWARD);
    decoder_set(&f->m[0], ENABLE);
    expect_obstacle(f, NULL);
    expect_id(f, "m0", RP_BUS + 3);

    /* a second one shares the root port, and the first one goes */
    device_enable(f, 1);
    expect_id(f, "m1", RP_BUS + 4);
    decoder_set(&f->m[0], 0);
    port_set(f, 0, 0);
    expect_obstacle(f, "off");
    expect_id(f, "m1", RP_BUS + 4);
    decoder_set(&f->m[0], ENABLE);
    expect_obstacle(f, "port");
    decoder_set(&f->m[1], 0);
    port_set(f, 1, 0);
    decoder_set(&f->rp, 0);
}

static void a_commit_takes_its_time(Fabric *f)
{
    unsigned at;

    at = decoder(&f->ds[0]);
    reg_write(&f->ds[0], at + CONTROL, ENABLE | DECODER_COMMIT);
    g_assert_cmphex(reg_read(&f->ds[0], at + STATUS), ==, 0x2600);
    expect_text(f, "ds0", "commit", "in-progress");
    qtest_clock_step(f->qts, COMMIT_TIMEOUT);
    g_assert_cmphex(reg_read(&f->ds[0], at + STATUS), ==, 0x2600 | COMMITTED);
    expect_text(f, "ds0", "commit", "committed");
    /* it is the edge that counts */
    reg_write(&f->ds[0], at + CONTROL, ENABLE | DECODER_COMMIT);
    g_assert_cmphex(reg_read(&f->ds[0], at + STATUS), ==, 0x2600 | COMMITTED);
    reg_write(&f->ds[0], at + CONTROL, ENABLE);
    g_assert_cmphex(reg_read(&f->ds[0], at + STATUS), ==, 0x2600 | COMMITTED);
    reg_write(&f->ds[0], at + CONTROL, ENABLE | DECODER_COMMIT);
    g_assert_cmphex(reg_read(&f->ds[0], at + STATUS), ==, 0x2600);

    /* nothing of it is left after a reset */
    qtest_system_reset(f->qts);
    fabric_probe(f, f->qts);
    g_assert_cmphex(reg_read(&f->ds[0], at + CONTROL), ==, 0);
    qtest_clock_step(f->qts, COMMIT_TIMEOUT);
    g_assert_cmphex(reg_read(&f->ds[0], at + STATUS), ==, 0x2600);
    expect_text(f, "ds0", "commit", "none");
    expect_flit(f, &f->m[0], "m0", true);
}

static void expect_failure(Fabric *f, unsigned n, uint32_t bits)
{
    decoder_set(&f->ds[n], bits);
    g_assert_cmphex(commit_decoder(&f->ds[n]), ==, ERROR);
    expect_text(f, n ? "ds1" : "ds0", "commit", "failed");
    /* what Linux rolls back with */
    decoder_set(&f->ds[n], 0);
    g_assert_cmphex(commit_decoder(&f->ds[n]), ==, COMMITTED);
}

static void a_commit_without_its_way_fails(void)
{
    Fabric f;

    /* nobody is there; it cannot do it; enabled and passed on; one way only */
    fabric_start(&f, ALL_FLIT DEVICE(0, FLIT));
    expect_failure(&f, 1, ENABLE);
    expect_failure(&f, 1, FORWARD);
    expect_failure(&f, 0, ENABLE);
    qtest_quit(f.qts);

    fabric_start(&f, ALL_FLIT DEVICE(0, DB));
    expect_failure(&f, 0, ENABLE | FORWARD);
    /* a route table does not take what is not committed */
    decoder_set(&f.ds[0], ENABLE);
    g_assert_cmphex(commit_routes(&f), ==, ERROR);
    g_assert_cmphex(commit_decoder(&f.ds[0]), ==, COMMITTED);
    g_assert_cmphex(commit_routes(&f), ==, COMMITTED);
    qtest_quit(f.qts);

    /* 68-byte flits above the switch */
    fabric_start(&f, MACHINE(WINDOW_DB, NO_FLIT, FLIT, FLIT) DEVICE(0, DB));
    expect_failure(&f, 0, ENABLE);
    g_assert_cmphex(commit_routes(&f), ==, COMMITTED);
    decoder_set(&f.m[0], ENABLE);
    expect_obstacle(&f, "link");
    qtest_quit(f.qts);
}

static void a_link_has_the_flits_of_both_ends(Fabric *f)
{
    expect_flit(f, &f->rp, "rp0", false);
    expect_flit(f, &f->us, "us0", false);
    expect_flit(f, &f->ds[0], "ds0", true);
    expect_flit(f, &f->m[0], "m0", true);
    expect_flit(f, &f->ds[1], "ds1", false);
    expect_flit(f, &f->m[1], "m1", false);
    qtest_system_reset(f->qts);
    fabric_probe(f, f->qts);
    expect_flit(f, &f->ds[0], "ds0", true);
    expect_flit(f, &f->ds[1], "ds1", false);
}

static void slot_power(CxlDev *port, bool on)
{
    unsigned cap = cfg_find_cap(port, PCI_CAP_ID_EXP);

    cfg_writew(port, cap + PCI_EXP_SLTCTL,
               on ? PCI_EXP_SLTCTL_PWR_IND_ON :
               PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_PCC);
}

static void what_is_plugged_later_trains_its_link(Fabric *f)
{
    for (unsigned round = 0; round < 2; round++) {
        expect_flit(f, &f->ds[0], "ds0", false);
        qtest_qmp_device_add(f->qts, "cxl-type3", "m0",
                             "{'bus': 'ds0', 'volatile-memdev': 'vm0', "
                             "'x-256b-flit': true, 'hdm-db': true}");
        slot_power(&f->ds[0], true);
        device_probe(f, 0, RP_BUS + 3);
        expect_flit(f, &f->ds[0], "ds0", true);
        expect_flit(f, &f->m[0], "m0", true);
        device_enable(f, 0);
        expect_id(f, "m0", RP_BUS + 3);

        /* pulled while it is in use, in the middle of a commit */
        reg_write(&f->ds[0], decoder(&f->ds[0]) + CONTROL, ENABLE);
        reg_write(&f->ds[0], decoder(&f->ds[0]) + CONTROL,
                  ENABLE | DECODER_COMMIT);
        qtest_qmp_device_del_send(f->qts, "m0");
        slot_power(&f->ds[0], false);
        qtest_qmp_eventwait(f->qts, "DEVICE_DELETED");
        qtest_clock_step(f->qts, COMMIT_TIMEOUT);
        g_assert_cmphex(reg_read(&f->ds[0], decoder(&f->ds[0]) + STATUS), ==,
                        0x2600 | ERROR);
        port_set(f, 0, 0);
    }
}

static void another_bus_number_needs_another_commit(Fabric *f)
{
    device_enable(f, 0);
    expect_id(f, "m0", RP_BUS + 3);
    device_probe(f, 0, RP_BUS + 6);
    expect_obstacle(f, "bus-number");
    g_assert_cmphex(commit_routes(f), ==, COMMITTED);
    expect_obstacle(f, "bus-number");
    g_assert_cmphex(commit_decoder(&f->ds[0]), ==, COMMITTED);
    expect_obstacle(f, "route-table");
    g_assert_cmphex(commit_routes(f), ==, COMMITTED);
    expect_id(f, "m0", RP_BUS + 6);
    decoder_set(&f->ds[0], 0);
    decoder_set(&f->ds[0], ENABLE);
    expect_id(f, "m0", RP_BUS + 6);
    decoder_set(&f->ds[0], FORWARD);
    expect_obstacle(f, "port");
}

static void commits_move_with_the_machine(void)
{
    static const char args[] = ALL_FLIT DEVICE(0, DB) DEVICE(1, DB);
    unsigned at;
    Fabric f;

    fabric_start(&f, args);
    device_enable(&f, 0);
    at = decoder(&f.ds[1]);
    reg_write(&f.ds[1], at + CONTROL, ENABLE | DECODER_COMMIT);
    f.qts = cxl_migrate(f.qts, args);
    f.rp.qts = f.us.qts = f.ds[0].qts = f.ds[1].qts = f.qts;
    f.m[0].qts = f.m[1].qts = f.qts;
    expect_id(&f, "m0", RP_BUS + 3);
    expect_flit(&f, &f.ds[1], "ds1", true);
    expect_flit(&f, &f.m[1], "m1", true);
    g_assert_cmphex(reg_read(&f.ds[1], at + STATUS), ==, 0x2600);
    qtest_clock_step(f.qts, COMMIT_TIMEOUT);
    g_assert_cmphex(reg_read(&f.ds[1], at + STATUS), ==, 0x2600 | COMMITTED);
    g_assert_cmphex(commit_routes(&f), ==, COMMITTED);
    decoder_set(&f.m[1], ENABLE);
    expect_id(&f, "m1", RP_BUS + 4);
    qtest_quit(f.qts);
}

static void both_sides_have_the_same_flits(void)
{
    g_autofree char *said = NULL, *again = NULL;

    said = cxl_migrate_refused(
        qtest_init(ALL_FLIT DEVICE(0, DB)),
        ALL_FLIT DEVICE(0, FLIT));
    g_assert_nonnull(strstr(said, "hdm-db"));
    again = cxl_migrate_refused(
        qtest_init(ALL_FLIT),
        MACHINE(WINDOW_DB, FLIT, NO_FLIT, FLIT));
    g_assert_nonnull(strstr(again, "x-256b-flit"));
}

/* Of the decoder 0; also with what else Linux writes there */
static uint32_t commit_hdm(CxlDev *dev, uint64_t base, uint32_t control)
{
    reg_write(dev, CXL_HDM_DECODER(0) + CXL_HDM_BASE_LO, base);
    reg_write(dev, CXL_HDM_DECODER(0) + CXL_HDM_BASE_HI, base >> 32);
    reg_write(dev, CXL_HDM_DECODER(0) + CXL_HDM_SIZE_LO, CXL_REGION);
    reg_write(dev, CXL_HDM_DECODER(0) + CXL_HDM_CONTROL,
              control | CXL_HDM_CTRL_COMMIT);
    return reg_read(dev, CXL_HDM_DECODER(0) + CXL_HDM_CONTROL);
}

static void decoders_have_back_invalidate(Fabric *f)
{
    CxlDev hb;
    CxlDev *all[] = { &hb, &f->us, &f->m[0] };
    uint64_t window = 4 * GiB + 256 * MiB;

    hb = (CxlDev) { .qts = f->qts, .bar[0] = 4 * GiB };
    for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
        g_assert_cmphex(commit_hdm(all[i], window, CXL_HDM_CTRL_BI |
                                   CXL_HDM_CTRL_HOST_ONLY), ==,
                        CXL_HDM_CTRL_BI | CXL_HDM_CTRL_HOST_ONLY |
                        CXL_HDM_CTRL_COMMIT | CXL_HDM_CTRL_ERROR);
        g_assert_cmphex(commit_hdm(all[i], window, CXL_HDM_CTRL_BI), ==,
                        CXL_HDM_CTRL_BI | CXL_HDM_CTRL_COMMIT |
                        CXL_HDM_CTRL_COMMITTED);
        if (all[i] != &f->m[0]) {
            reg_write(all[i], CXL_HDM_DECODER(0) + CXL_HDM_CONTROL, 0);
            reg_write(all[i], CXL_HDM_DECODER(0) + CXL_HDM_TARGET_LO,
                      all[i] == &hb ? 0 : 3);
            commit_hdm(all[i], window, CXL_HDM_CTRL_BI);
        }
    }
    reg_write(&f->m[0], CXL_HDM_GLOBAL_CONTROL, CXL_HDM_GLOBAL_ENABLE);
    qtest_writeq(f->qts, window + 64, 0x1122334455667788);
    g_assert_cmphex(qtest_readq(f->qts, window + 64), ==, 0x1122334455667788);
}

/* Restrictions of the first window in the CEDT */
static uint16_t window_restrictions(const char *args)
{
    QTestState *qts = qtest_init(args);
    QFWCFG *fw_cfg = pc_fw_cfg_init(qts);
    size_t size = 128 * KiB;
    g_autofree uint8_t *tables = g_malloc0(size);
    const uint8_t *cedt, *record;
    uint16_t found;

    size = qfw_cfg_get_file(fw_cfg, "etc/acpi/tables", tables, size);
    cedt = memmem(tables, size, "CEDT", 4);
    g_assert_nonnull(cedt);
    for (record = cedt + 36; *record != 1; record += lduw_le_p(record + 2)) {
        g_assert_cmpuint(record - cedt, <, ldl_le_p(cedt + 4));
    }
    found = lduw_le_p(record + 32);
    pc_fw_cfg_uninit(fw_cfg);
    qtest_quit(qts);
    return found;
}

static void a_window_says_what_it_allows(void)
{
    g_assert_cmphex(window_restrictions(
        MACHINE("", NO_FLIT, NO_FLIT, NO_FLIT)), ==, 0x0f);
    g_assert_cmphex(window_restrictions(ALL_FLIT), ==, 0x25);
}

static void any_write_is_harmless(Fabric *f)
{
    CxlDev *all[] = { &f->rp, &f->us, &f->ds[0], &f->ds[1], &f->m[0] };
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);

    for (unsigned round = 0; round < 4000; round++) {
        CxlDev *dev = all[g_rand_int_range(rand, 0, ARRAY_SIZE(all))];
        uint64_t at = dev->bar[0] + CACHEMEM + 0xaa0 +
                      g_rand_int_range(rand, 0, 0x28);
        uint32_t value = g_rand_int(rand);

        switch (g_rand_int_range(rand, 0, 6)) {
        case 0:
            qtest_writeb(f->qts, at, value);
            break;
        case 1:
            qtest_writew(f->qts, at, value);
            break;
        case 2:
            qtest_writel(f->qts, at, value);
            break;
        case 3:
            qtest_writeq(f->qts, at & ~3, (uint64_t)value << 32 | value);
            break;
        case 4:
            qtest_clock_step(f->qts, value % SCALE_MS);
            break;
        default:
            qtest_writel(f->qts, at & ~3, value & 7);
            break;
        }
    }
    expect_flit(f, &f->ds[0], "ds0", true);
    qtest_clock_step(f->qts, COMMIT_TIMEOUT);
    decoder_set(&f->ds[1], 0);
    g_assert_cmphex(commit_decoder(&f->ds[1]), ==, COMMITTED);
    port_set(f, 0, ENABLE);
}

/* Tests that get a machine of their own with these arguments */
typedef struct FabricTest {
    const char *path;
    void (*run)(Fabric *f);
    const char *args;
} FabricTest;

#define F(f, args) { "/cxl/bi/" #f, f, args }
static const FabricTest fabric_tests[] = {
    F(only_bits_that_exist_are_writable, ALL_FLIT DEVICE(0, DB)),
    F(without_properties_nothing_is_there,
      MACHINE("", NO_FLIT, NO_FLIT, NO_FLIT) DEVICE(0, " ")),
    F(linux_enables_from_leaf_to_root, ALL_FLIT DEVICE(0, DB) DEVICE(1, DB)),
    F(a_commit_takes_its_time, ALL_FLIT DEVICE(0, DB)),
    F(a_link_has_the_flits_of_both_ends,
      MACHINE("", FLIT, NO_FLIT, FLIT) DEVICE(0, FLIT) DEVICE(1, " ")),
    F(what_is_plugged_later_trains_its_link, ALL_FLIT),
    F(another_bus_number_needs_another_commit, ALL_FLIT DEVICE(0, DB)),
    F(decoders_have_back_invalidate, ALL_FLIT DEVICE(0, DB)),
    F(any_write_is_harmless, ALL_FLIT DEVICE(0, DB)),
};
#undef F

static void run_on_fabric(const void *data)
{
    const FabricTest *test = data;
    Fabric f;

    fabric_start(&f, test->args);
    test->run(&f);
    qtest_quit(f.qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(fabric_tests); i++) {
        qtest_add_data_func(fabric_tests[i].path, &fabric_tests[i],
                            run_on_fabric);
    }
#define T(f) qtest_add_func("/cxl/bi/" #f, f)
    T(a_commit_without_its_way_fails);
    T(commits_move_with_the_machine);
    T(both_sides_have_the_same_flits);
    T(a_window_says_what_it_allows);
    return g_test_run();
}
