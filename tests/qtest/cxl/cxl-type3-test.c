/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cxl-type3: properties and their errors, configuration space, component
 * registers, Identify (CXL r3.2 8.1, 8.2.4, 8.2.10.9.1)
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "hw/cxl/cxl_component.h"
#include "hw/pci/pci_regs.h"
#include "qobject/qdict.h"
#include "cxl-qtest.h"

#define BACKENDS CXL_BACKENDS \
    "-object memory-backend-ram,id=pm0,size=256M " \
    "-object memory-backend-ram,id=odd,size=100M " \
    "-object memory-backend-ram,id=lsa0,size=64K "

/* A device_add with @props must fail with exactly @text in its message */
static void refused_on(QTestState *qts, const char *props, const char *text)
{
    g_autofree char *json = g_strdup_printf(
        "{'execute': 'device_add', 'arguments': {'driver': 'cxl-type3', "
        "'id': 'm0', 'bus': 'rp0'%s}}", props);
    QDict *rsp = qtest_qmp(qts, json, NULL);
    const char *got;

    if (!qdict_haskey(rsp, "error")) {
        g_test_message("no error for %s", props);
    }
    g_assert_true(qdict_haskey(rsp, "error"));
    got = qdict_get_str(qdict_get_qdict(rsp, "error"), "desc");
    if (!strstr(got, text)) {
        g_test_message("wanted \"%s\" in \"%s\"", text, got);
    }
    g_assert_nonnull(strstr(got, text));
    qobject_unref(rsp);
}

static void refused_at_realize(const char *props, const char *text)
{
    QTestState *qts = cxl_start(BACKENDS);

    refused_on(qts, props, text);
    qtest_quit(qts);
}

#define DC "'volatile-dc-memdev': 'dc0'"

static void bad_properties_are_named_in_the_error(void)
{
    static const struct { const char *props, *text; } rows[] = {
        { "", "at least one memdev property must be set: volatile-memdev" },
        { ", " DC, "volatile-dc-memdev with num-dc-regions" },
        { ", 'memdev': 'pm0', 'persistent-memdev': 'pm0', 'lsa': 'lsa0'",
          "[memdev] cannot be used with new [persistent-memdev] property" },
        { ", 'persistent-memdev': 'pm0'",
          "lsa property must be set for persistent devices" },
        { ", 'num-dc-regions': 1",
          "dynamic capacity must have a backing device: set property "
          "'volatile-dc-memdev'" },
        { ", 'num-dc-regions': 9, " DC, "num-dc-regions" },
        { ", 'num-dc-regions': 255, " DC, "num-dc-regions" },
        { ", 'num-dc-regions': 3, " DC, "not multiple of region len: "
          "property 'num-dc-regions' is 3, and the 0x20000000 bytes" },
        { ", 'num-dc-regions': 1, 'volatile-dc-memdev': 'odd'",
          "not multiple of region len" },
        { ", 'num-dc-regions': 2, 'dc0-size': 536870912, " DC,
          "'dcN-size' leave nothing of volatile-dc-memdev for 1 region" },
        { ", 'num-dc-regions': 1, 'volatile-memdev': 'odd', " DC,
          "DC region base not aligned to 0x10000000: volatile-memdev and "
          "persistent-memdev have 0x6400000 bytes" },
        { ", 'volatile-memdev': 'dc0', 'num-dc-regions': 2, " DC,
          "memory backend dc0 can't be used multiple times: give property "
          "'volatile-dc-memdev'" },
        { ", 'num-dc-regions': 2, 'dc0-block-size': 3145728, " DC,
          "dc0-block-size" },
        { ", 'num-dc-regions': 2, 'dc1-block-size': 32, " DC,
          "dc1-block-size" },
        { ", 'num-dc-regions': 2, 'dc0-block-size': 536870912, " DC,
          "dc0-block-size" },
        { ", 'num-dc-regions': 1, 'dc1-size': 268435456, " DC,
          "property 'dc1-*' is set, but 'num-dc-regions' is 1" },
        { ", 'num-dc-regions': 1, 'dc0-size': 1073741824, " DC,
          "property 'dc0-size' is 0x40000000" },
        { ", 'num-dc-regions': 1, 'dc0-size': 1048576, " DC,
          "properties 'dcN-size' make 0x100000 bytes" },
        { ", 'num-dc-regions': 1, 'dc0-block-sizes': 1, " DC,
          "property 'dc0-block-sizes' is 0x1" },
        { ", 'num-dc-regions': 1, 'dc0-block-sizes': 4096, " DC,
          "property 'dc0-block-sizes' is 0x1000, which lacks" },
        { ", 'volatile-memdev': 'vm0', 'partitionable': true",
          "property 'partitionable' needs persistent-memdev" },
        { ", 'num-dc-regions': 2, 'dc-extents-max': 0, " DC,
          "dc-extents-max" },
        { ", 'num-dc-regions': 2, 'dc-event-log-depth': 0, " DC,
          "dc-event-log-depth" },
        { ", 'num-dc-regions': 2, 'dc-event-log-depth': 65536, " DC,
          "dc-event-log-depth" },
        { ", 'volatile-memdev': 'vm0', 'mailbox-payload': 3000",
          "property 'mailbox-payload' is 3000" },
        { ", 'volatile-memdev': 'vm0', 'bg-time-scale': 101",
          "property 'bg-time-scale' is 101" },
        { ", 'volatile-memdev': 'vm0', 'cdat': '/nonexistent'",
          "CDAT: File read failed" },
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(rows); i++) {
        refused_at_realize(rows[i].props, rows[i].text);
    }
}

/* A device writes to each of its backends: sanitize, labels, poison lists */
static void read_only_backends_are_refused_by_name(void)
{
    static const struct { const char *property, *rest; } rows[] = {
        { "memdev", ", 'lsa': 'lsa0'" },
        { "persistent-memdev", ", 'lsa': 'lsa0'" },
        { "volatile-memdev", "" },
        { "lsa", ", 'volatile-memdev': 'vm0'" },
        { "lsa", ", 'persistent-memdev': 'pm0'" },
        { "volatile-dc-memdev", ", 'num-dc-regions': 1" },
        { "volatile-dc-memdev",
          ", 'num-dc-regions': 1, 'dc0-read-only': true" },
    };
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("cxl-read-only-XXXXXX", &path, NULL);
    QTestState *qts;
    unsigned i;

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(ftruncate(fd, 256 * MiB), ==, 0);
    close(fd);
    qts = cxl_start(BACKENDS "-object memory-backend-file,id=ro,size=256M,"
                    "readonly=on,mem-path=%s "
                    "-object memory-backend-file,id=copy,size=256M,"
                    "readonly=on,rom=off,share=off,mem-path=%s ", path, path);
    for (i = 0; i < ARRAY_SIZE(rows); i++) {
        g_autofree char *props = g_strdup_printf(
            ", '%s': 'ro'%s", rows[i].property, rows[i].rest);
        g_autofree char *text = g_strdup_printf(
            "property '%s' names the read-only memory backend 'ro'",
            rows[i].property);

        refused_on(qts, props, text);
    }
    /* The cure that the error names */
    qtest_qmp_assert_success(qts, "{'execute': 'device_add', 'arguments': {"
                             "'driver': 'cxl-type3', 'id': 'm0', 'bus': 'rp0', "
                             "'volatile-memdev': 'vm0', 'lsa': 'copy'}}");
    qtest_quit(qts);
    unlink(path);
}

/* A machine that starts, and says that something will not work */
static void warned(const char *args, const char *text)
{
    g_autofree char *log = NULL;
    g_autofree char *said = NULL;
    int fd = g_file_open_tmp("cxl-warned-XXXXXX", &log, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    qtest_quit(cxl_start(BACKENDS "%s 2>%s", args, log));
    g_assert_true(g_file_get_contents(log, &said, NULL, NULL));
    unlink(log);
    if (!text) {
        g_assert_null(strstr(said, "warning"));
    } else if (!strstr(said, text)) {
        g_test_message("wanted \"%s\" in \"%s\"", text, said);
        g_assert_not_reached();
    }
}

static void what_will_not_work_is_said(void)
{
#define DEVICE "-device cxl-type3,id=m0,volatile-memdev=vm0,"
    warned(DEVICE "bus=rp0", NULL);
    warned(DEVICE "bus=pcie.0",
           "cxl-type3 'm0': no host reaches it at bus=pcie.0");
    warned("-device cxl-rp,id=stray,bus=pcie.0,chassis=8,slot=8 "
           DEVICE "bus=stray", "cxl-rp 'stray': no host reaches it");
    warned("-device pcie-root-port,id=plain,bus=pcie.0,chassis=8,slot=8 "
           DEVICE "bus=plain", "cxl-type3 'm0': no host reaches it");
    warned("-device cxl-upstream,id=us0,bus=cxl.0",
           "cxl-upstream 'us0': no host reaches it");
    warned("-device cxl-downstream,id=ds0,bus=rp0,chassis=8,slot=8",
           "cxl-downstream 'ds0': no host reaches it");
    warned(DEVICE "bus=rp0,addr=0.1", "bus=rp0,addr=0.1");
    warned(DEVICE "bus=rp0,sn=7 -object memory-backend-ram,id=other,size=256M "
           "-device cxl-type3,id=m1,bus=rp1,volatile-memdev=other,sn=7",
           "cxl-type3 'm1': property 'sn' is 0x7 as that of 'm0'");
    warned(DEVICE "bus=rp0,volatile-dc-memdev=dc0",
           "'volatile-dc-memdev' is not used because 'num-dc-regions' is 0");
    warned(DEVICE "bus=rp0,volatile-dc-memdev=dc0,num-dc-regions=1,"
           "dc0-size=256M", "leave 0x10000000 bytes of volatile-dc-memdev");
    warned("-device cxl-rp,id=rp9,bus=cxl.0,port=0,chassis=9,slot=9",
           "cxl-rp 'rp9': property 'port' is 0 as that of 'rp0'");
    warned("-device cxl-upstream,id=us0,bus=rp0 "
           "-device cxl-downstream,id=ds0,bus=us0,port=3,chassis=9,slot=1 "
           "-device cxl-downstream,id=ds1,bus=us0,port=3,chassis=9,slot=2 ",
           "cxl-downstream 'ds1': property 'port' is 3 as that of 'ds0'");
#undef DEVICE
}

static void regions_have_their_own_geometry(CxlDev *dev)
{
    const CxlExtent small = { CXL_DC_BASE + 64 * KiB, 64 * KiB, 1 };
    const CxlExtent large = { CXL_DC_BASE + CXL_REGION + 128 * MiB, 128 * MiB,
                              2 };
    const CxlExtent both[] = { small, large };
    CxlRsp rsp;

    g_assert_cmphex(cxl_run(dev, &rsp, 0x4800, 8, 0), ==, 0);
    g_assert_cmphex(ldq_le_p(rsp.data + 8 + 0x18), ==, 64 * KiB);
    g_assert_cmphex(ldq_le_p(rsp.data + 8 + 0x28 + 0x18), ==, 128 * MiB);
    cxl_hold(dev, both, 2);
    host_has(dev, both, 2);
}

static void configuration_space_is_the_known_one(void)
{
    static const char *const sn[] = { "", ",sn=0x1234" };
    unsigned with;

    for (with = 0; with < 2; with++) {
        CxlDev dev;
        QTestState *qts = cxl_start_dcd(&dev, sn[with]);
        unsigned at = 0x100, first, end[64], n = 0, i;
        unsigned ids = 0, doe = 0, aer = 0;

        g_assert_cmphex(cfg_readl(&dev, 0), ==, 0x0d938086);
        g_assert_cmphex(cfg_readl(&dev, 8), ==, 0x05021001);
        g_assert_cmphex(cfg_readl(&dev, 0x2c), ==, 0x11001af4);
        g_assert_cmphex(cfg_find_cap(&dev, PCI_CAP_ID_MSIX), ==, 0x40);
        g_assert_cmphex(cfg_find_cap(&dev, PCI_CAP_ID_EXP), ==, 0x80);
        /* extended capabilities: every one found, none inside another */
        first = at;
        while (at) {
            uint32_t head = cfg_readl(&dev, at);
            unsigned id = head & 0xffff, len = 0x18;

            if (id == PCI_EXT_CAP_ID_DVSEC) {
                uint32_t hdr1 = cfg_readl(&dev, at + 4);

                g_assert_cmphex(hdr1 & 0xffff, ==, 0x1e98);
                len = hdr1 >> 20;
                ids |= 1u << cfg_readw(&dev, at + 8);
            } else if (id == PCI_EXT_CAP_ID_DSN) {
                g_assert_cmpuint(with, ==, 1);
                g_assert_cmphex(cfg_readl(&dev, at + 4), ==, 0x1234);
                len = 12;
            } else if (id == PCI_EXT_CAP_ID_DOE) {
                doe = at;
            } else if (id == PCI_EXT_CAP_ID_ERR) {
                aer = at;
                len = PCI_ERR_ROOT_COMMAND;
            }
            for (i = 0; i < n; i += 2) {
                g_assert_true(at >= end[i + 1] || at + len <= end[i]);
            }
            end[n++] = at;
            end[n++] = at + len;
            g_assert_cmpuint(n, <, ARRAY_SIZE(end));
            at = head >> 20;
        }
        g_assert_cmphex(first, ==, 0x100);
        g_assert_cmphex(doe, ==, 0x190);
        g_assert_cmphex(aer, ==, 0x200);
        /* device, GPF, flex bus, register locator */
        g_assert_cmphex(ids, ==, 1 << 0 | 1 << 5 | 1 << 7 | 1 << 8);
        qtest_quit(qts);
    }
}

/* What Linux reads: the Device Serial Number capability; 0 if there is none */
static uint64_t serial_of(const char *device)
{
    g_autofree char *args = g_strdup_printf(BACKENDS "-device cxl-type3,bus=rp0"
                                            ",%s", device);
    QTestState *qts = cxl_start("%s", args);
    uint64_t serial = 0;
    CxlDev dev;

    cxl_probe(qts, 0, &dev);
    if ((cfg_readl(&dev, 0x100) & 0xffff) == PCI_EXT_CAP_ID_DSN) {
        serial = (uint64_t)cfg_readl(&dev, 0x108) << 32 |
                 cfg_readl(&dev, 0x104);
    }
    qtest_quit(qts);
    return serial;
}

static void persistent_memory_has_a_stable_serial_number(void)
{
#define PMEM ",persistent-memdev=pm0,lsa=lsa0"
    uint64_t a = serial_of("id=a" PMEM);

    g_assert_cmphex(a >> 40, ==, 0x525400);
    g_assert_cmphex(serial_of("id=a" PMEM), ==, a);
    g_assert_cmphex(serial_of("id=b" PMEM) >> 40, ==, 0x525400);
    g_assert_cmphex(serial_of("id=b" PMEM), !=, a);
    /* a device without an id has a place, too */
    g_assert_cmphex(serial_of("memdev=pm0,lsa=lsa0") >> 40, ==, 0x525400);
    g_assert_cmphex(serial_of("id=a,sn=0x1234" PMEM), ==, 0x1234);
    g_assert_cmphex(serial_of("id=a,volatile-memdev=vm0"), ==, 0);
#undef PMEM
}

static void component_registers_show_four_decoders(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    uint64_t cm = dev->bar[0] + 0x1000;

    g_assert_cmphex(qtest_readl(qts, cm), ==, 0x03110001);
    g_assert_cmphex(qtest_readl(qts, cm + 4), ==, 0x08030002);
    g_assert_cmphex(qtest_readl(qts, cm + 8), ==, 0x0d820004);
    g_assert_cmphex(qtest_readl(qts, cm + 12), ==, 0x12830005);
    g_assert_cmphex(qtest_readl(qts, cm + 0x128), ==, 0x00001b12);
    qtest_writel(qts, cm + 0x128, 0);
    g_assert_cmphex(qtest_readl(qts, cm + 0x128), ==, 0x00001b12);
}

/* Around the CXL.cachemem part, whatever size; in it, dwords and more */
static void component_block_takes_all_accesses_but_narrow_ones(CxlDev *dev)
{
    QTestState *qts = dev->qts;
    static const unsigned empty[] = { 0, 0xff8, 0x2000, 0xfff8 };
    uint64_t block = dev->bar[0], mask = block + 0x1000 + CXL_RAS_UNC_MASK;
    uint32_t was = qtest_readl(qts, mask);
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(empty); i++) {
        qtest_writeb(qts, block + empty[i] + 7, 0xff);
        qtest_writew(qts, block + empty[i] + 2, 0xffff);
        qtest_writeq(qts, block + empty[i], UINT64_MAX);
        g_assert_cmphex(qtest_readb(qts, block + empty[i] + 7), ==, 0);
        g_assert_cmphex(qtest_readw(qts, block + empty[i] + 2), ==, 0);
        g_assert_cmphex(qtest_readl(qts, block + empty[i] + 4), ==, 0);
        g_assert_cmphex(qtest_readq(qts, block + empty[i]), ==, 0);
    }
    g_assert_cmphex(qtest_readq(qts, block + 0x1000), ==,
                    0x0803000203110001);

    g_assert_cmphex(was, !=, 0);
    qtest_writeb(qts, mask, 0);
    qtest_writew(qts, mask, 0);
    g_assert_cmphex(qtest_readl(qts, mask), ==, was);
    qtest_writel(qts, mask, 0);
    g_assert_cmphex(qtest_readl(qts, mask), ==, 0);
}

/* Each has a dispatch table, made anew at each change of the memory map */
static void idle_device_has_no_address_space_per_backend(CxlDev *dev)
{
    g_autofree char *tree = qtest_hmp(dev->qts, "info mtree");

    g_assert_nonnull(strstr(tree, "address-space: cxl-type3"));
    g_assert_null(strstr(tree, "-dpa-"));
    cxl_alive(dev);
}

static void identify_reports_static_capacity_and_logs(CxlDev *dev)
{
    CxlRsp rsp;

    g_assert_cmphex(cxl_cmd(dev, 0x4000, NULL, &rsp), ==, 0);
    g_assert_cmpuint(rsp.len, ==, 0x45);
    g_assert_cmpuint(ldq_le_p(rsp.data + 0x10), ==, 1);
    g_assert_cmpuint(ldq_le_p(rsp.data + 0x18), ==, 1);
    g_assert_cmpuint(ldq_le_p(rsp.data + 0x20), ==, 0);
    g_assert_cmpuint(ldq_le_p(rsp.data + 0x28), ==, 0);
    g_assert_cmpuint(ldl_le_p(rsp.data + 0x38), ==, 0);
    g_assert_cmpuint(lduw_le_p(rsp.data + 0x43), ==, 77);
    g_assert_cmphex(dev_readq(dev, REG_MEMDEV_STATUS), ==, 0x14);
}

/* Whoever of those that share them is there brings them along */
static void labels_migrate_without_the_first_of_two_devices(void)
{
    static const char second[] =
        "-object memory-backend-ram,id=pm1,size=256M "
        "-object memory-backend-ram,id=lsa0,size=64K "
        "-device cxl-type3,id=b,bus=rp1,persistent-memdev=pm1,lsa=lsa0 ";
    g_autofree char *args = cxl_args(second);
    CxlReq set = { 0 };
    CxlDev dev;
    CxlRsp rsp;
    QTestState *qts = cxl_start(
        "-object memory-backend-ram,id=pm0,size=256M "
        "-object memory-backend-ram,id=pm1,size=256M "
        "-object memory-backend-ram,id=lsa0,size=64K "
        "-device cxl-type3,id=a,bus=rp0,persistent-memdev=pm0,lsa=lsa0 "
        "-device cxl-type3,id=b,bus=rp1,persistent-memdev=pm1,lsa=lsa0 ");

    cxl_probe(qts, 1, &dev);
    req64(&set, 4096);
    req64(&set, 0x1122334455667788);
    g_assert_cmphex(cxl_cmd(&dev, 0x4103, &set, NULL), ==, 0);
    qtest_qmp_device_del_send(qts, "a");
    cxl_slot_power(qts, 0, true);
    cxl_slot_power(qts, 0, false);
    qtest_qmp_eventwait(qts, "DEVICE_DELETED");
    qtest_qmp_assert_success(qts, "{'execute': 'object-del', 'arguments': "
                             "{'id': 'pm0'}}");

    dev.qts = cxl_migrate(qts, args);
    g_assert_cmphex(cxl_run(&dev, &rsp, 0x4102, 4096, 8), ==, 0);
    g_assert_cmphex(ldq_le_p(rsp.data), ==, 0x1122334455667788);

    /* and when all of them are gone, the backend can go */
    qtest_qmp_device_del_send(dev.qts, "b");
    cxl_slot_power(dev.qts, 1, true);
    cxl_slot_power(dev.qts, 1, false);
    qtest_qmp_eventwait(dev.qts, "DEVICE_DELETED");
    qtest_qmp_assert_success(dev.qts, "{'execute': 'object-del', 'arguments': "
                             "{'id': 'lsa0'}}");
    qtest_quit(dev.qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(f) qtest_add_func("/cxl/type3/" #f, f)
#define DCD(f, props) cxl_add_dcd_test("/cxl/type3/" #f, f, props)
    T(bad_properties_are_named_in_the_error);
    T(read_only_backends_are_refused_by_name);
    T(what_will_not_work_is_said);
    DCD(regions_have_their_own_geometry,
        ",dc0-block-size=64K,dc1-block-size=128M,dc1-non-volatile=on");
    T(configuration_space_is_the_known_one);
    T(persistent_memory_has_a_stable_serial_number);
    DCD(component_registers_show_four_decoders, "");
    DCD(component_block_takes_all_accesses_but_narrow_ones, "");
    DCD(idle_device_has_no_address_space_per_backend, "");
    DCD(identify_reports_static_capacity_and_logs, ",dc-event-log-depth=77");
    T(labels_migrate_without_the_first_of_two_devices);
    return g_test_run();
}
