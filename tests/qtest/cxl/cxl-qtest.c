/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machine, enumeration, mailbox and MSI-X helpers of the CXL qtests
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/timer.h"
#include "qemu/units.h"
#include "hw/pci/pci_regs.h"
#include "qobject/qdict.h"
#include "cxl-qtest.h"

/* Where the tests put things; free on a q35 with 128 MiB of RAM */
#define ECAM_BASE       0xb0000000ull
#define ECAM_REG        0x60
#define MMIO_BASE       0xc0000000ull
#define MMIO_PER_PORT   (1 * MiB)
#define PXB_BUS         52
#define MSI_MARKS       (64 * MiB)
#define MSI_PER_PORT    0x100
#define MSI_VECTORS     8
#define MSI_MARK        0xc0de0000u
#define SETTLE_ACCESSES 32

static uint64_t ecam(unsigned bus, unsigned devfn)
{
    return ECAM_BASE | (uint64_t)bus << 20 | devfn << 12;
}

char *cxl_args(const char *devices)
{
    return g_strdup_printf(
        "-M q35,cxl=on,cxl-fmw.0.targets.0=cxl.0,cxl-fmw.0.size=4G -m 128M "
        "-nodefaults -display none "
        "-device pxb-cxl,id=cxl.0,bus=pcie.0,bus_nr=%d "
        "-device cxl-rp,id=rp0,bus=cxl.0,chassis=0,slot=0,port=0 "
        "-device cxl-rp,id=rp1,bus=cxl.0,chassis=0,slot=1,port=1 %s",
        PXB_BUS, devices);
}

QTestState *cxl_start(const char *fmt, ...)
{
    g_autofree char *devices = NULL;
    g_autofree char *args = NULL;
    va_list ap;

    va_start(ap, fmt);
    devices = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    args = cxl_args(devices);
    return qtest_init(args);
}

QTestState *cxl_start_dcd(CxlDev *dev, const char *props)
{
    QTestState *qts = cxl_start(CXL_BACKENDS "-device " CXL_DCD_DEVICE "%s",
                                props);

    cxl_probe(qts, 0, dev);
    return qts;
}

typedef struct DeviceTest {
    void (*run)(CxlDev *dev);
    char *args;
} DeviceTest;

static void device_test_run(const void *data)
{
    const DeviceTest *test = data;
    CxlDev dev;

    cxl_probe(qtest_init(test->args), 0, &dev);
    test->run(&dev);
    qtest_quit(dev.qts);
}

static void device_test_free(void *data)
{
    DeviceTest *test = data;

    g_free(test->args);
    g_free(test);
}

void cxl_add_device_test(const char *path, void (*run)(CxlDev *dev),
                         const char *args)
{
    DeviceTest *test = g_new(DeviceTest, 1);

    *test = (DeviceTest) { run, cxl_args(args) };
    qtest_add_data_func_full(path, test, device_test_run, device_test_free);
}

static char *dcd_args(const char *props)
{
    return g_strconcat(CXL_BACKENDS "-device " CXL_DCD_DEVICE, props, NULL);
}

void cxl_add_dcd_test(const char *path, void (*run)(CxlDev *dev),
                      const char *props)
{
    g_autofree char *args = dcd_args(props);

    cxl_add_device_test(path, run, args);
}

static void enable_ecam(QTestState *qts)
{
    qtest_outl(qts, 0xcf8, 0x80000000u | (ECAM_REG + 4));
    qtest_outl(qts, 0xcfc, 0);
    qtest_outl(qts, 0xcf8, 0x80000000u | ECAM_REG);
    qtest_outl(qts, 0xcfc, (uint32_t)ECAM_BASE | 1);
}

void cxl_slot_power(QTestState *qts, unsigned rp, bool on)
{
    CxlDev port = { .qts = qts, .cfg = ecam(PXB_BUS, rp << 3) };
    unsigned cap;

    enable_ecam(qts);
    cap = cfg_find_cap(&port, PCI_CAP_ID_EXP);
    g_assert_cmpuint(cap, !=, 0);
    cfg_writew(&port, cap + PCI_EXP_SLTCTL,
               on ? PCI_EXP_SLTCTL_PWR_IND_ON
                  : PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_PCC);
}

void cxl_reset(CxlDev *dev)
{
    qtest_system_reset(dev->qts);
    cxl_probe(dev->qts, 0, dev);
}

void cxl_probe(QTestState *qts, unsigned rp, CxlDev *dev)
{
    cxl_probe_below(qts, PXB_BUS, rp, rp, dev);
}

void cxl_probe_below(QTestState *qts, unsigned pxb, unsigned slot, unsigned n,
                     CxlDev *dev)
{
    static const struct { unsigned index; uint32_t offset; } bars[] = {
        { 0, 0x00000 }, { 2, 0x10000 }, { 4, 0x14000 },
    };
    uint64_t base = MMIO_BASE + n * MMIO_PER_PORT;
    uint64_t limit = base + MMIO_PER_PORT - 1;
    uint64_t port;
    unsigned i, bus = pxb + 1 + slot;

    enable_ecam(qts);
    port = ecam(pxb, slot << 3);
    g_assert_cmphex(qtest_readl(qts, port), !=, 0xffffffff);
    qtest_writel(qts, port + PCI_PRIMARY_BUS,
                 pxb | bus << 8 | bus << 16);
    qtest_writel(qts, port + PCI_MEMORY_BASE,
                 (base >> 16 & 0xfff0) | (limit & 0xfff00000));
    qtest_writew(qts, port + PCI_COMMAND,
                 PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);

    *dev = (CxlDev) { .qts = qts, .bus = bus, .cfg = ecam(bus, 0) };
    for (i = 0; i < ARRAY_SIZE(bars); i++) {
        unsigned reg = PCI_BASE_ADDRESS_0 + 4 * bars[i].index;

        dev->bar[bars[i].index] = base + bars[i].offset;
        cfg_writel(dev, reg, base + bars[i].offset);
        if (bars[i].index != 4) {
            cfg_writel(dev, reg + 4, 0);
        }
    }
    cfg_writew(dev, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

uint32_t cfg_readl(CxlDev *dev, unsigned off)
{
    return qtest_readl(dev->qts, dev->cfg + off);
}

uint16_t cfg_readw(CxlDev *dev, unsigned off)
{
    return qtest_readw(dev->qts, dev->cfg + off);
}

void cfg_writew(CxlDev *dev, unsigned off, uint16_t v)
{
    qtest_writew(dev->qts, dev->cfg + off, v);
}

void cfg_writel(CxlDev *dev, unsigned off, uint32_t v)
{
    qtest_writel(dev->qts, dev->cfg + off, v);
}

unsigned cfg_find_cap(CxlDev *dev, uint8_t id)
{
    unsigned at = cfg_readw(dev, PCI_CAPABILITY_LIST) & 0xfc;
    unsigned hops;

    for (hops = 0; at && hops < 48; hops++) {
        uint16_t head = cfg_readw(dev, at);

        if ((head & 0xff) == id) {
            return at;
        }
        at = head >> 8 & 0xfc;
    }
    return 0;
}

uint64_t dev_readq(CxlDev *dev, unsigned off)
{
    return qtest_readq(dev->qts, dev->bar[2] + off);
}

uint32_t dev_readl(CxlDev *dev, unsigned off)
{
    return qtest_readl(dev->qts, dev->bar[2] + off);
}

void dev_writeq(CxlDev *dev, unsigned off, uint64_t v)
{
    qtest_writeq(dev->qts, dev->bar[2] + off, v);
}

void dev_writel(CxlDev *dev, unsigned off, uint32_t v)
{
    qtest_writel(dev->qts, dev->bar[2] + off, v);
}

/* -- requests -- */

static uint8_t *req_take(CxlReq *r, size_t n)
{
    uint8_t *at = r->data + r->len;

    g_assert_cmpuint(r->len + n, <=, sizeof(r->data));
    r->len += n;
    return at;
}

CxlReq cxl_req_fields(uint16_t op, const uint64_t *values, size_t n)
{
    CxlReq r = { 0 };

    r.len = cxl_request_pack(r.data, sizeof(r.data), op, values, n);
    return r;
}

void req8(CxlReq *r, uint8_t v)
{
    *req_take(r, 1) = v;
}

void req16(CxlReq *r, uint16_t v)
{
    stw_le_p(req_take(r, 2), v);
}

void req32(CxlReq *r, uint32_t v)
{
    stl_le_p(req_take(r, 4), v);
}

void req64(CxlReq *r, uint64_t v)
{
    stq_le_p(req_take(r, 8), v);
}

void req_zero(CxlReq *r, size_t n)
{
    memset(req_take(r, n), 0, n);
}

void req_tag(CxlReq *r, uint8_t tag)
{
    memset(req_take(r, 16), tag, 16);
}

void req_extent(CxlReq *r, uint64_t dpa, uint64_t len, uint8_t tag,
                uint16_t seq)
{
    req64(r, dpa);
    req64(r, len);
    req_tag(r, tag);
    req16(r, seq);
    req_zero(r, 6);
}

void req_range(CxlReq *r, uint64_t dpa, uint64_t len)
{
    req64(r, dpa);
    req64(r, len);
    req_zero(r, 8);
}

/* -- mailbox -- */

uint16_t cxl_raw(CxlDev *dev, uint16_t op, uint32_t len, const void *in,
                 size_t n, CxlRsp *rsp)
{
    CxlRsp scratch;
    uint64_t command;
    unsigned spins;
    int64_t start;

    rsp = rsp ?: &scratch;
    memset(rsp, 0, sizeof(*rsp));
    if (n) {
        qtest_memwrite(dev->qts, dev->bar[2] + REG_MB_PAYLOAD, in, n);
    }
    dev_writeq(dev, REG_MB_COMMAND, op | (uint64_t)(len & 0xfffff) << 16);
    start = get_clock();
    dev_writel(dev, REG_MB_CONTROL, 1);
    dev->doorbell_ns = get_clock() - start;
    for (spins = 0; dev_readl(dev, REG_MB_CONTROL) & 1; spins++) {
        g_assert_cmpuint(spins, <, 100000);
    }
    rsp->rc = dev_readq(dev, REG_MB_STATUS) >> 32;
    command = dev_readq(dev, REG_MB_COMMAND);
    rsp->len = command >> 16 & 0xfffff;
    g_assert_cmpuint(rsp->len, <=, sizeof(rsp->data));
    if (rsp->len) {
        qtest_memread(dev->qts, dev->bar[2] + REG_MB_PAYLOAD, rsp->data,
                      rsp->len);
    }
    return rsp->rc;
}

uint16_t cxl_cmd(CxlDev *dev, uint16_t op, const CxlReq *req, CxlRsp *rsp)
{
    return cxl_raw(dev, op, req ? req->len : 0, req ? req->data : NULL,
                   req ? MIN(req->len, CXL_PAYLOAD) : 0, rsp);
}

uint16_t cxl_run_fields(CxlDev *dev, CxlRsp *rsp, uint16_t op,
                        const uint64_t *values, size_t n)
{
    CxlReq r = cxl_req_fields(op, values, n);

    return cxl_cmd(dev, op, &r, rsp);
}

void cxl_alive(CxlDev *dev)
{
    CxlRsp rsp;

    g_assert_cmphex(cxl_cmd(dev, 0x4000, NULL, &rsp), ==, 0);
    g_assert_cmphex(rsp.len, ==, 0x45);
}

void cxl_refused(CxlDev *dev, uint16_t op, const CxlReq *req, uint16_t rc)
{
    CxlRsp rsp;

    g_assert_cmphex(cxl_cmd(dev, op, req, &rsp), ==, rc);
    g_assert_cmpuint(rsp.len, ==, 0);
    cxl_alive(dev);
}

void cxl_refuses_fields(CxlDev *dev, uint16_t rc, uint16_t op,
                        const uint64_t *values, size_t n)
{
    CxlReq r = cxl_req_fields(op, values, n);

    cxl_refused(dev, op, &r, rc);
}

/* -- interrupts -- */

/*
 * The main loop goes around for each access, so bottom halves run between two
 * of them. One that schedules another makes a chain, but not one this long.
 */
void cxl_settle(QTestState *qts)
{
    unsigned i;

    for (i = 0; i < SETTLE_ACCESSES; i++) {
        qtest_readb(qts, 0);
    }
}

static uint64_t msi_mark_addr(CxlDev *dev, unsigned vector)
{
    return MSI_MARKS + (dev->bus - PXB_BUS) * MSI_PER_PORT + vector * 4;
}

void cxl_msix_enable(CxlDev *dev)
{
    unsigned cap = cfg_find_cap(dev, PCI_CAP_ID_MSIX);
    uint32_t table;
    unsigned v;

    g_assert_cmpuint(cap, !=, 0);
    table = cfg_readl(dev, cap + PCI_MSIX_TABLE);
    for (v = 0; v < MSI_VECTORS; v++) {
        uint64_t entry = dev->bar[table & 7] + (table & ~7u) + v * 16;

        qtest_writel(dev->qts, entry, msi_mark_addr(dev, v));
        qtest_writel(dev->qts, entry + 4, 0);
        qtest_writel(dev->qts, entry + 8, MSI_MARK | v);
        qtest_writel(dev->qts, entry + 12, 0);
    }
    cfg_writew(dev, cap + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE);
}

bool cxl_msix_fired(CxlDev *dev, unsigned vector)
{
    uint64_t at = msi_mark_addr(dev, vector);
    uint32_t mark;

    cxl_settle(dev->qts);
    mark = qtest_readl(dev->qts, at);
    g_assert(!mark || mark == (MSI_MARK | vector));
    qtest_writel(dev->qts, at, 0);
    return mark;
}

/* -- memory -- */

uint64_t cxl_find_region(QTestState *qts, const char *name)
{
    g_autofree char *tree = qtest_hmp(qts, "info mtree");
    const char *at = strstr(tree, name);

    g_assert_nonnull(at);
    while (at > tree && at[-1] != '\n') {
        at--;
    }
    return g_ascii_strtoull(g_strchug((char *)at), NULL, 16);
}

/* Component registers: CXL.cachemem starts at 1000h, the HDM block at 128h */
#define HDM             (0x1000 + 0x128)
#define HDM_GLOBAL      (HDM + 0x04)
#define HDM_BASE_LO     (HDM + 0x10)
#define HDM_BASE_HI     (HDM + 0x14)
#define HDM_SIZE_LO     (HDM + 0x18)
#define HDM_SIZE_HI     (HDM + 0x1c)
#define HDM_CONTROL     (HDM + 0x20)
#define HDM_TARGETS_LO  (HDM + 0x24)
#define HDM_COMMIT      (1u << 9)
#define HDM_COMMITTED   (1u << 10)
#define HDM_TYPE_HOST   (1u << 12)
#define HDM_ENABLE      2

static void commit_decoder(QTestState *qts, uint64_t regs, uint64_t base,
                           uint64_t size, uint32_t target)
{
    qtest_writel(qts, regs + HDM_GLOBAL, HDM_ENABLE);
    qtest_writel(qts, regs + HDM_BASE_LO, base);
    qtest_writel(qts, regs + HDM_BASE_HI, base >> 32);
    qtest_writel(qts, regs + HDM_SIZE_LO, size);
    qtest_writel(qts, regs + HDM_SIZE_HI, size >> 32);
    qtest_writel(qts, regs + HDM_TARGETS_LO, target);
    qtest_writel(qts, regs + HDM_CONTROL, HDM_TYPE_HOST | HDM_COMMIT);
    g_assert_cmphex(qtest_readl(qts, regs + HDM_CONTROL) & HDM_COMMITTED, !=,
                    0);
}

uint64_t cxl_map(CxlDev *dev, uint64_t size)
{
    uint64_t window = cxl_find_region(dev->qts, "cxl-fixed-memory-region");
    uint64_t bridge = cxl_find_region(dev->qts, "cxl_host_reg");

    commit_decoder(dev->qts, bridge, window, size, dev->bus - PXB_BUS - 1);
    commit_decoder(dev->qts, dev->bar[0], window, size, 0);
    return window;
}

/* -- save and load -- */

/*
 * With a page a millisecond at the end, and one of them to be done in, it has
 * no end; and it is slow, so that the machine runs in between.
 */
static void end_migration(QTestState *qts, bool may)
{
    qtest_qmp_assert_success(
        qts, "{'execute': 'migrate-set-parameters', 'arguments': {"
        "'avail-switchover-bandwidth': %d, 'downtime-limit': %d, "
        "'max-bandwidth': %d}}",
        may ? 0 : 4096 * 1000, may ? 60000 : 1, may ? 0 : 8 << 20);
}

static char *save(QTestState *from, unsigned passes)
{
    char *path;
    g_autofree char *uri = NULL;
    int fd = g_file_open_tmp("cxl-state-XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    uri = g_strconcat("file:", path, NULL);
    if (passes) {
        end_migration(from, false);
    }
    qtest_qmp_assert_success(from, "{'execute': 'migrate', 'arguments': "
                             "{'uri': %s}}", uri);
    for (;;) {
        QDict *info = qtest_qmp_assert_success_ref(
            from, "{'execute': 'query-migrate'}");
        g_autofree char *status = g_strdup(qdict_get_str(info, "status"));
        QDict *ram = qdict_get_qdict(info, "ram");
        bool enough = ram && qdict_get_int(ram, "dirty-sync-count") >= passes;

        qobject_unref(info);
        g_assert_cmpstr(status, !=, "failed");
        if (g_str_equal(status, "completed")) {
            break;
        }
        if (passes && enough) {
            end_migration(from, true);
            passes = 0;
        }
        g_usleep(1000);
    }
    return path;
}

char *cxl_save(QTestState *from, unsigned passes)
{
    char *path = save(from, passes);

    qtest_quit(from);
    return path;
}

char *cxl_migrate_refused(QTestState *from, const char *args)
{
    g_autofree char *path = cxl_save(from, 0);
    g_autofree char *log = g_strconcat(path, ".log", NULL);
    g_autofree char *uri = g_strconcat("file:", path, NULL);
    g_autofree char *incoming = g_strdup_printf("%s -incoming defer 2>%s", args,
                                                log);
    QTestState *to = qtest_init(incoming);
    bool failed;
    char *said;

    qtest_qmp_assert_success(to, "{'execute': 'migrate-incoming', 'arguments': "
                             "{'uri': %s, 'exit-on-error': false}}", uri);
    do {
        QDict *info = qtest_qmp_assert_success_ref(
            to, "{'execute': 'query-migrate'}");
        const char *status = qdict_get_try_str(info, "status") ?: "none";

        g_assert_cmpstr(status, !=, "completed");
        failed = g_str_equal(status, "failed");
        qobject_unref(info);
        g_usleep(1000);
    } while (!failed);
    qtest_quit(to);
    g_assert_true(g_file_get_contents(log, &said, NULL, NULL));
    unlink(log);
    unlink(path);
    return said;
}

static QTestState *load(const char *path, const char *args)
{
    g_autofree char *uri = g_strconcat("file:", path, NULL);
    g_autofree char *incoming = g_strdup_printf("%s -incoming defer", args);
    QTestState *to = qtest_init(incoming);

    qtest_qmp_assert_success(to, "{'execute': 'migrate-incoming', "
                             "'arguments': {'uri': %s}}", uri);
    for (;;) {
        QDict *state = qtest_qmp_assert_success_ref(
            to, "{'execute': 'query-status'}");
        g_autofree char *status = g_strdup(qdict_get_str(state, "status"));

        qobject_unref(state);
        if (g_str_equal(status, "running") || g_str_equal(status, "paused") ||
            g_str_equal(status, "prelaunch")) {
            break;
        }
        g_assert_cmpstr(status, ==, "inmigrate");
        g_usleep(1000);
    }
    unlink(path);
    return to;
}

QTestState *cxl_migrate_passes(QTestState *from, const char *args,
                               unsigned passes)
{
    g_autofree char *path = cxl_save(from, passes);

    return load(path, args);
}

QTestState *cxl_migrate_beside(QTestState *from, const char *args)
{
    g_autofree char *path = save(from, 0);

    return load(path, args);
}

QTestState *cxl_migrate(QTestState *from, const char *args)
{
    return cxl_migrate_passes(from, args, 0);
}

void cxl_migrate_dcd(CxlDev *dev, const char *props)
{
    g_autofree char *device = dcd_args(props);
    g_autofree char *args = cxl_args(device);

    dev->qts = cxl_migrate(dev->qts, args);
}
