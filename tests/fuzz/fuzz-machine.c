/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machines of the fuzzer: a switch with two memory devices beside a root
 * port with a third; two host bridges whose devices are interleaved; the same
 * with heads of one pool
 */
#include "qemu/osdep.h"
#include <sys/mman.h>
#include "qemu/bswap.h"
#include "hw/pci/pci.h"
#include "fuzz.h"

#define PXB_BUS 52
#define SECOND_BUS 64
#define MMIO_BASE 0xc0000000ull
#define MMIO_EACH (4ull << 20)
#define EXT_CAPS 0x100
#define BRIDGE_REGISTERS (64 << 10)
/*
 * A stream with gigabytes of memory takes the time of ten thousand other
 * operations: one machine in this many has such streams
 */
#define STREAMS_WITH_MEMORY 8

/*
 * Bridges before what is below them: then a bridge's window goes from the next
 * function to its last. "%" in a device stands for its dynamic capacity: a head
 * of the pool, or its own with properties of the variant.
 */
static const FuzzFn switch_fns[] = {
    { "rp0", "cxl-rp,bus=cxl.0,chassis=0,slot=0,port=0,addr=0.0",
      FUZZ_ROOT_PORT, 52, 0x00, 53, 56, .last = 6, .parent = -1 },
    { "us0", "cxl-upstream,bus=rp0,port=7,addr=0.0,multifunction=on,sn=0x11",
      FUZZ_UPSTREAM, 53, 0x00, 54, 56, .last = 6, .parent = 0, .port = 7 },
    { "sw0", "cxl-switch-mailbox-cci,bus=rp0,addr=0.1,target=us0",
      FUZZ_SWITCH_MAILBOX, 53, 0x01, .last = 2, .parent = 0 },
    { "ds0", "cxl-downstream,bus=us0,port=3,chassis=0,slot=4,addr=0.0",
      FUZZ_DOWNSTREAM, 54, 0x00, 55, 55, .last = 4, .parent = 1, .port = 3 },
    { "mem0", "cxl-type3,bus=ds0,volatile-memdev=vm0,persistent-memdev=pm0,"
      "lsa=lsa0,sn=0x21%",
      FUZZ_MEMORY, 55, 0x00, .last = 4, .parent = 3, .port = 3 },
    { "ds1", "cxl-downstream,bus=us0,port=4,chassis=0,slot=5,addr=1.0",
      FUZZ_DOWNSTREAM, 54, 0x08, 56, 56, .last = 6, .parent = 1, .port = 4 },
    { "mem1", "cxl-type3,bus=ds1,volatile-memdev=vm1,persistent-memdev=pm1,"
      "lsa=lsa1,sn=0x22%",
      FUZZ_MEMORY, 56, 0x00, .last = 6, .parent = 5, .port = 4 },
    { "rp1", "cxl-rp,bus=cxl.0,chassis=0,slot=1,port=1,addr=1.0",
      FUZZ_ROOT_PORT, 52, 0x08, 57, 57, .last = 8, .parent = -1,
      .port = 1 },
    { "mem2", "cxl-type3,bus=rp1,volatile-memdev=vm2,persistent-memdev=pm2,"
      "lsa=lsa2,sn=0x23%",
      FUZZ_MEMORY, 57, 0x00, .last = 8, .parent = 7 },
    { "dw", "dw-i2c-pci,bus=pcie.0,addr=5.0",
      FUZZ_CONTROLLER, 0, 0x28, .last = 9, .parent = -1 },
};

static const FuzzFn pair_fns[] = {
    { "rp0", "cxl-rp,bus=cxl.0,chassis=0,slot=0,port=0,addr=0.0",
      FUZZ_ROOT_PORT, 52, 0x00, 53, 53, .last = 1, .parent = -1 },
    { "mem0", "cxl-type3,bus=rp0,volatile-memdev=vm0,persistent-memdev=pm0,"
      "lsa=lsa0,sn=0x21%",
      FUZZ_MEMORY, 53, 0x00, .last = 1, .parent = 0 },
    { "rp1", "cxl-rp,bus=cxl.0,chassis=0,slot=1,port=1,addr=1.0",
      FUZZ_ROOT_PORT, 52, 0x08, 54, 54, .last = 3, .parent = -1,
      .port = 1 },
    { "mem1", "cxl-type3,bus=rp1,volatile-memdev=vm1,persistent-memdev=pm1,"
      "lsa=lsa1,sn=0x22%",
      FUZZ_MEMORY, 54, 0x00, .last = 3, .parent = 2 },
    { "rp2", "cxl-rp,bus=cxl.1,chassis=1,slot=2,port=2,addr=0.0",
      FUZZ_ROOT_PORT, 64, 0x00, 65, 65, .last = 5, .parent = -1,
      .port = 2 },
    { "mem2", "cxl-type3,bus=rp2,volatile-memdev=vm2,persistent-memdev=pm2,"
      "lsa=lsa2,sn=0x23%",
      FUZZ_MEMORY, 65, 0x00, .last = 5, .parent = 4 },
    { "dw", "dw-i2c-pci,bus=pcie.0,addr=5.0",
      FUZZ_CONTROLLER, 0, 0x28, .last = 6, .parent = -1 },
};

#define POOL \
    "-object cxl-pool,id=" FUZZ_POOL ",memdev=dc0,heads=4,num-dc-regions=2," \
    "dc0-sanitize=on,dc1-sharable=on,dc1-sanitize-configurable=on "

/* @pool: NULL, or an object whose Fabric Manager has the first line */
static const struct {
    const FuzzFn *fns;
    unsigned nr_fns, nr_bridges;
    unsigned targets[FUZZ_SERIALS];
    const char *windows, *bridges, *pool;
} machines[FUZZ_MACHINES] = {
    { switch_fns, ARRAY_SIZE(switch_fns), 1, { 1, 4, 8 },
      "cxl-fmw.0.targets.0=cxl.0,cxl-fmw.0.size=4G",
      "-device pxb-cxl,id=cxl.0,bus=pcie.0,bus_nr=52 " },
    { pair_fns, ARRAY_SIZE(pair_fns), 2, { 1, 3, 5 },
      "cxl-fmw.0.targets.0=cxl.0,cxl-fmw.0.targets.1=cxl.1,cxl-fmw.0.size=4G,"
      "cxl-fmw.0.interleave-granularity=256,"
      "cxl-fmw.1.targets.0=cxl.0,cxl-fmw.1.size=2G",
      "-device pxb-cxl,id=cxl.0,bus=pcie.0,bus_nr=52 "
      "-device pxb-cxl,id=cxl.1,bus=pcie.0,bus_nr=64 " },
    { pair_fns, ARRAY_SIZE(pair_fns), 2, { 1, 3, 5 },
      "cxl-fmw.0.targets.0=cxl.0,cxl-fmw.0.size=4G,"
      "cxl-fmw.1.targets.0=cxl.1,cxl-fmw.1.size=2G",
      "-device pxb-cxl,id=cxl.0,bus=pcie.0,bus_nr=52 "
      "-device pxb-cxl,id=cxl.1,bus=pcie.0,bus_nr=64 ", POOL },
};

/* What a device is like besides, told by the machine's variant */
static const char *const variants[] = {
    "",
    ",fm-on-mailbox=off,dc-extents-max=20,dc-tags-max=4",
    ",dc1-sharable=on,dc1-sanitize-configurable=on,partitionable=on",
    ",dc-event-log-depth=8,dc0-read-only=on,dc1-sharable=on",
    ",direct-ranges-max=0,dc0-block-size=1M,dc1-non-volatile=on",
};

void fuzz_machine_choose(Fuzz *f)
{
    FuzzMachine *m = &f->m;

    m->kind = f->seed % FUZZ_MACHINES;
    m->variant = f->seed / FUZZ_MACHINES % ARRAY_SIZE(variants);
    m->nr_fns = machines[m->kind].nr_fns;
    m->nr_bridges = machines[m->kind].nr_bridges;
    m->nr_targets = FUZZ_SERIALS;
    m->has_pool = machines[m->kind].pool;
    for (unsigned i = 0; i < FUZZ_MEMORIES; i++) {
        m->memory[i] = -1;
        if ((f->seed / FUZZ_MACHINES + 1) % STREAMS_WITH_MEMORY) {
            /* not closed in QEMU, which opens it by its number */
            m->memory[i] = memfd_create("fuzz", 0);
            g_assert(m->memory[i] >= 0);
        }
    }
    memcpy(m->fn, machines[m->kind].fns, m->nr_fns * sizeof(m->fn[0]));
    memcpy(m->targets, machines[m->kind].targets, sizeof(m->targets));
    for (unsigned i = 0, memories = 0; i < m->nr_fns; i++) {
        FuzzFn *fn = &m->fn[i];

        fn->base = MMIO_BASE + i * MMIO_EACH;
        fn->bar[0] = fn->base;
        if (fn->kind == FUZZ_MEMORY) {
            fn->number = memories++;
            fn->bar[2] = fn->base + (2 << 20);
            fn->bar[4] = fn->base + (1 << 20);
        }
    }
}

char *fuzz_machine_props(const FuzzMachine *m, const FuzzFn *fn)
{
    size_t len = strcspn(fn->device, "%");
    unsigned variant = (m->variant + (fn - m->fn)) % ARRAY_SIZE(variants);
    g_autofree char *capacity =
        !fn->device[len] ? g_strdup("") :
        m->has_pool ? g_strdup_printf(",pool=" FUZZ_POOL ",head=%u",
                                      fn->number) :
        g_strdup_printf(",volatile-dc-memdev=dc%u,num-dc-regions=2%s",
                        fn->number, variants[variant]);

    return g_strdup_printf("%.*s%s,id=%s", (int)len, fn->device, capacity,
                           fn->id);
}

char *fuzz_end_props(const FuzzMachine *m, unsigned n, bool i2c)
{
    g_autofree char *where =
        i2c ? g_strdup_printf("i2c_mctp_cxl,id=i2c%u,bus=dw.0,address=0x%x", n,
                              FUZZ_I2C_FIRST + n) :
        g_strdup_printf("mctp-serial-cxl,id=link%u,chardev=chr%u", n, n);

    return g_strdup_printf("%s,target=%s,eid=%u", where, fuzz_target(m, n),
                           FUZZ_EID_FIRST + n);
}

const char *fuzz_target(const FuzzMachine *m, unsigned n)
{
    return n == 0 && m->has_pool ? FUZZ_POOL : m->fn[m->targets[n]].id;
}

char *fuzz_serial_path(Fuzz *f, unsigned launch, unsigned n)
{
    return g_strdup_printf("%s/line%u-%u", f->folder, launch, n);
}

static void add_memory(GString *args, const FuzzMachine *m)
{
    static const struct { const char *name, *size; } kinds[] = {
        { "vm", "256M" }, { "pm", "256M" }, { "dc", "512M" },
    };
    unsigned i, k;

    for (i = 0; i < FUZZ_MEMORIES; i++) {
        k = i % ARRAY_SIZE(kinds);
        if (m->memory[i] < 0) {
            g_string_append(args, "-object memory-backend-ram");
        } else {
            g_string_append_printf(args, "-object memory-backend-file,"
                                   "share=on,mem-path=/proc/self/fd/%d",
                                   m->memory[i]);
        }
        g_string_append_printf(args, ",id=%s%u,size=%s ", kinds[k].name,
                               i / (unsigned)ARRAY_SIZE(kinds), kinds[k].size);
    }
    for (i = 0; i < FUZZ_MEMORIES / ARRAY_SIZE(kinds); i++) {
        g_string_append_printf(args, "-object memory-backend-ram,id=lsa%u,"
                               "size=64K ", i);
    }
}

/* The command line; serial lines have the number @launch */
static char *machine_args(Fuzz *f, unsigned launch)
{
    FuzzMachine *m = &f->m;
    /* a timer of the board that ticks makes an hour of a device last long */
    GString *args = g_string_new("-nodefaults -m 32M -action "
                                 "shutdown=pause,panic=pause -M q35,cxl=on,"
                                 "pit=off,hpet=off,sata=off,smbus=off,");
    unsigned i;

    g_string_append_printf(args, "%s %s", machines[m->kind].windows,
                           machines[m->kind].bridges);
    add_memory(args, m);
    g_string_append(args, machines[m->kind].pool ?: "");
    for (i = 0; i < m->nr_fns; i++) {
        g_autofree char *props = fuzz_machine_props(m, &m->fn[i]);

        g_string_append_printf(args, "-device %s ", props);
    }
    for (i = 0; i < m->nr_targets; i++) {
        g_autofree char *path = fuzz_serial_path(f, launch, i);
        g_autofree char *line = fuzz_end_props(m, i, false);
        g_autofree char *i2c = fuzz_end_props(m, i, true);

        g_string_append_printf(
            args, "-chardev socket,id=chr%u,path=%s,server=on,wait=off "
            "-device %s -device %s ", i, path, line, i2c);
    }
    return g_string_free(args, false);
}

void fuzz_machine_launch(Fuzz *f, const char *more)
{
    g_autofree char *args = machine_args(f, ++f->did.launches);
    g_autofree char *line = g_strdup_printf("%s %s", args, more);
    g_autofree char *errors = g_strdup_printf("%s/errors%u", f->folder,
                                              f->did.launches);

    f->link = link_start(line, errors);
    f->link->opaque = f;
    f->link->op = f->op ? f->op - 1 : 0;
    if (f->m.memory[0] >= 0) {
        link_qmp_ok(f->link, "{\"execute\": \"migrate-set-capabilities\", "
                    "\"arguments\": {\"capabilities\": [{\"capability\": "
                    "\"x-ignore-shared\", \"state\": true}]}}");
    }
}

void fuzz_machine_end(Fuzz *f)
{
    for (unsigned i = 0; i < FUZZ_MEMORIES; i++) {
        if (f->m.memory[i] >= 0) {
            close(f->m.memory[i]);
        }
    }
}

/* -- enumeration -- */

/*
 * Where a register is not @value, it becomes so: most writes of what is there
 * already have QEMU make its memory map anew
 */
static void settle(Fuzz *f, const uint8_t *cfg, const FuzzFn *fn, unsigned at,
                   unsigned size, uint32_t value)
{
    uint32_t is = size == 4 ? ldl_le_p(cfg + at) : lduw_le_p(cfg + at);

    if (is != value) {
        link_post(f->link, "write%c 0x%" PRIx64 " 0x%x", size == 4 ? 'l' : 'w',
                  fuzz_cfg(fn) + at, value);
    }
}

static void enumerate_bridge(Fuzz *f, const uint8_t *cfg, const FuzzFn *fn)
{
    uint64_t base = fn->base + MMIO_EACH;
    uint64_t end = f->m.fn[fn->last].base + MMIO_EACH - 1;

    settle(f, cfg, fn, PCI_PRIMARY_BUS, 4,
           fn->bus | fn->sec << 8 | fn->sub << 16);
    settle(f, cfg, fn, PCI_MEMORY_BASE, 4,
           (unsigned)((base >> 16 & 0xfff0) | (end & 0xfff00000)));
    settle(f, cfg, fn, PCI_BRIDGE_CONTROL, 2, 0);
}

static void enumerate_function(Fuzz *f, const FuzzFn *fn)
{
    uint8_t cfg[PCI_CONFIG_SPACE_SIZE];

    if (!link_read(f->link, fuzz_cfg(fn), cfg, sizeof(cfg))) {
        return;
    }
    if (fn->sec) {
        enumerate_bridge(f, cfg, fn);
    }
    for (unsigned b = 0; b < 6; b++) {
        unsigned at = PCI_BASE_ADDRESS_0 + 4 * b;
        bool wide = (cfg[at] & PCI_BASE_ADDRESS_MEM_TYPE_MASK) ==
                    PCI_BASE_ADDRESS_MEM_TYPE_64;

        if (fn->bar[b]) {
            settle(f, cfg, fn, at, 4, fn->bar[b] | (cfg[at] & 15));
            if (wide) {
                settle(f, cfg, fn, at + 4, 4, 0);
            }
        }
    }
    if (fn->msi) {
        settle(f, cfg, fn, fn->msi + PCI_MSI_FLAGS, 2, 0);
    }
    if (fn->msix) {
        settle(f, cfg, fn, fn->msix + PCI_MSIX_FLAGS, 2, 0);
    }
    settle(f, cfg, fn, PCI_COMMAND, 2,
           PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

void fuzz_enumerate(Fuzz *f)
{
    QemuLink *l = f->link;

    /* the ECAM, by way of the host bridge's register for it */
    link_post(l, "outl 0xcf8 0x80000064");
    if (link_ask(l, "inl 0xcfc")) {
        link_post(l, "outl 0xcfc 0x0");
    }
    link_post(l, "outl 0xcf8 0x80000060");
    if (link_ask(l, "inl 0xcfc") != (ECAM_BASE | 1)) {
        link_post(l, "outl 0xcfc 0x%x", ECAM_BASE | 1);
    }
    for (unsigned i = 0; i < f->m.nr_fns; i++) {
        enumerate_function(f, &f->m.fn[i]);
    }
}

static void probe_function(Fuzz *f, FuzzFn *fn)
{
    uint64_t cfg = fuzz_cfg(fn);
    unsigned at, hops, n;

    at = link_ask(f->link, "readb 0x%" PRIx64, cfg + PCI_CAPABILITY_LIST);
    for (hops = 0; at && at < 0xfc && hops < 16; hops++) {
        uint16_t head = link_ask(f->link, "readw 0x%" PRIx64, cfg + at);

        fn->caps[fn->nr_caps++] = at;
        switch (head & 0xff) {
        case PCI_CAP_ID_EXP:
            fn->express = at;
            break;
        case PCI_CAP_ID_MSI:
            fn->msi = at;
            break;
        case PCI_CAP_ID_MSIX:
            fn->msix = at;
            break;
        }
        at = head >> 8 & 0xfc;
    }
    at = EXT_CAPS;
    for (hops = n = 0; at && hops < 24; hops++) {
        uint32_t head = link_ask(f->link, "readl 0x%" PRIx64, cfg + at);

        if (!head || head == UINT32_MAX) {
            break;
        }
        fn->caps[fn->nr_caps++] = at;
        if ((head & 0xffff) == PCI_EXT_CAP_ID_ERR) {
            fn->aer = at;
        } else if ((head & 0xffff) == PCI_EXT_CAP_ID_DOE && n < FUZZ_DOES) {
            fn->doe[n++] = at;
        }
        at = head >> 20 & 0xffc;
    }
}

/* The first regions of a name in the memory map, each only once */
static unsigned find_regions(const char *tree, const char *name,
                             uint64_t *base, uint64_t *end, unsigned max)
{
    g_auto(GStrv) lines = g_strsplit(tree, "\n", 0);
    unsigned n = 0, i, k;

    for (i = 0; lines[i]; i++) {
        unsigned long long from, to;

        if (strstr(lines[i], name) &&
            sscanf(lines[i], " %llx-%llx", &from, &to) == 2) {
            for (k = 0; k < n && base[k] != from; k++) {
                continue;
            }
            if (k == n && n < max) {
                base[n] = from;
                end[n++] = to;
            }
        }
    }
    return n;
}

void fuzz_machine_probe(Fuzz *f)
{
    g_autofree char *tree = link_hmp(f->link, "info mtree");
    FuzzMachine *m = &f->m;
    uint64_t base[4], end[4];
    unsigned n;

    for (unsigned i = 0; i < m->nr_fns; i++) {
        probe_function(f, &m->fn[i]);
    }
    if (!tree) {
        return;
    }
    n = find_regions(tree, "cxl-fixed-memory-region", base, end, 4);
    g_assert(n);
    m->window = base[0];
    m->window_size = end[n - 1] + 1 - base[0];
    n = find_regions(tree, "cxl_host_reg", base, end, 1);
    g_assert(n);
    for (unsigned b = 0; b < m->nr_bridges; b++) {
        m->bridge[b] = base[0] + b * BRIDGE_REGISTERS;
    }
}
