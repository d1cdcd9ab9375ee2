/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machines of many shapes are saved, loaded, moved, and have devices taken out
 * and put in again: memory of devices and of the machine of every kind, the one
 * smaller and larger than the other, in every order on the command line, below
 * root ports and switches.  Meanwhile a processor under TCG writes to all of
 * it, and knows what must be there.
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "cxl-qtest-cpu.h"
#include "cxl-qtest-image.h"
#include "cxl-qtest-map.h"

/* Each device has a window, a host bridge and a root port of its own */
enum { DEVICES = 2, BRIDGES = 16 };
#define ROOT_BUS(d)     (BRIDGES * (d) + BRIDGES)
#define DEVICE_SIZE     (256 * MiB)
#define WINDOW_SIZE     (256 * MiB)
#define BRIDGE_REGS     (64 * KiB)
#define MMIO(d)         (0xc0000000u + (d) * 16 * MiB)
#define DSP_PORT        3
#define KEEPER          0xa000
/* Rounds of the keeper that are waited for */
#define ROUNDS          1000
#define PAGES           16
#define STRETCH         (PAGES * 4 * KiB)
/* Of a migration, so that what the keeper writes between two is needed */
#define PASSES          4

/* Whether the machine's memory is the first, the last or not on the line */
enum Order { BEFORE, BEHIND, NOT_NAMED };

/**
 * struct Shape - a kind of machine
 * @kind: of all backends, less their size and names
 * @file: they are of files
 * @ram: MiB of the machine; devices have 256 MiB each
 */
typedef struct Shape {
    const char *kind;
    bool file;
    unsigned ram;
    enum Order order;
} Shape;

typedef struct Machine {
    const Shape *shape;
    QTestState *qts;
    char *args;
    GArray *files;
    uint64_t window[DEVICES];
} Machine;

/*
 * Adds one to a number in each of PAGES pages from each place of CPU_TABLE on,
 * and counts rounds in LOADS.  Every number is first compared with what it was
 * made to be, which a register knows.
 */
static const uint8_t keeper[] = {
    0x45, 0x31, 0xc0,                   /* xor %r8d, %r8d */
    /* next: */
    0x48, 0x8d, 0x77, CPU_TABLE,        /* lea CPU_TABLE(%rdi), %rsi */
    /* walk: */
    0x48, 0x8b, 0x0e,                   /* mov (%rsi), %rcx */
    0x48, 0x85, 0xc9, 0x74, 0x26,       /* none any more: round */
    0xba, PAGES, 0x00, 0x00, 0x00,      /* mov $PAGES, %edx */
    /* page: */
    0x4c, 0x39, 0x01, 0x74, 0x04,       /* cmp %r8, (%rcx): fine */
    0x48, 0xff, 0x47, WRONG,            /* incq WRONG(%rdi) */
    /* fine: */
    0x49, 0x8d, 0x40, 0x01,             /* lea 1(%r8), %rax */
    0x48, 0x89, 0x01,                   /* mov %rax, (%rcx) */
    0x48, 0x81, 0xc1, 0x00, 0x10, 0x00, 0x00, /* add $4096, %rcx */
    0xff, 0xca, 0x75, 0xe5,             /* dec %edx; jnz page */
    0x48, 0x83, 0xc6, 0x08, 0xeb, 0xd2, /* add $8, %rsi; jmp walk */
    /* round: */
    0x49, 0xff, 0xc0,                   /* inc %r8 */
    0x4c, 0x89, 0x47, LOADS,            /* mov %r8, LOADS(%rdi) */
    0x48, 0x39, 0x2f, 0x74, 0xc2,       /* TOLD is as it was: next */
    0xc3,
};

/* -- the machine ---------------------------------------------------------- */

static char *backend(Machine *m, const char *id, unsigned mib)
{
    g_autofree char *path = NULL;
    int fd;

    if (!m->shape->file) {
        return g_strdup_printf("%s,id=%s,size=%uM", m->shape->kind, id, mib);
    }
    fd = map_memory_file(mib * MiB, &path);
    g_array_append_val(m->files, fd);
    return g_strdup_printf("%s,id=%s,size=%uM,mem-path=%s", m->shape->kind, id,
                           mib, path);
}

static void describe(Machine *m)
{
    const Shape *s = m->shape;
    g_autofree char *ram = backend(m, "ram", s->ram);
    g_autofree char *one = backend(m, "vm0", DEVICE_SIZE / MiB);
    g_autofree char *two = backend(m, "vm1", DEVICE_SIZE / MiB);
    g_autofree char *rom = cpu_rom();
    int fd = open(rom, O_RDONLY);

    /* Gone with the test, however it ends */
    unlink(rom);
    g_array_append_val(m->files, fd);
    m->args = g_strdup_printf(
        "-accel tcg -cpu max -S -m %u -bios /proc/%d/fd/%d "
        "-M q35,cxl=on,cxl-fmw.0.targets.0=hb0,cxl-fmw.0.size=256M,"
        "cxl-fmw.1.targets.0=hb1,cxl-fmw.1.size=256M%s "
        "-nodefaults -display none%s%s -object %s -object %s%s%s "
        "-device pxb-cxl,id=hb0,bus=pcie.0,bus_nr=%u "
        "-device pxb-cxl,id=hb1,bus=pcie.0,bus_nr=%u "
        "-device cxl-rp,id=rp0,bus=hb0,chassis=0,slot=0,port=0 "
        "-device cxl-rp,id=rp1,bus=hb1,chassis=0,slot=1,port=0 "
        "-device cxl-upstream,id=us1,bus=rp1,addr=0.0 "
        "-device cxl-downstream,id=ds1,bus=us1,chassis=0,slot=2,port=%u "
        "-device cxl-type3,id=mem0,bus=rp0,volatile-memdev=vm0 "
        "-device cxl-type3,id=mem1,bus=ds1,volatile-memdev=vm1",
        s->ram, getpid(), fd,
        s->order == NOT_NAMED ? "" : ",memory-backend=ram",
        s->order == BEFORE ? " -object " : "", s->order == BEFORE ? ram : "",
        one, two,
        s->order == BEHIND ? " -object " : "", s->order == BEHIND ? ram : "",
        ROOT_BUS(0), ROOT_BUS(1), DSP_PORT);
}

static void probe(Machine *m)
{
    uint64_t bridge[DEVICES] = { 0, BRIDGE_REGS }, usp, regs;
    uint64_t window = map_window(m->qts);
    QTestState *qts = m->qts;

    for (unsigned d = 0; d < DEVICES; d++) {
        unsigned bus = ROOT_BUS(d);

        m->window[d] = window + d * WINDOW_SIZE;
        bridge[d] += map_bridge(qts);
        map_pci_bridge(qts, bus, 0, bus + 1, bus + 3, MMIO(d), 8 * MiB);
        bus++;
        if (d == 1) {
            usp = map_pci_bar(qts, bus, 0, MMIO(d));
            map_pci_bridge(qts, bus, 0, bus + 1, bus + 2, MMIO(d) + 2 * MiB,
                           6 * MiB);
            map_pci_bar(qts, bus + 1, 0, MMIO(d) + 2 * MiB);
            map_pci_bridge(qts, bus + 1, 0, bus + 2, bus + 2,
                           MMIO(d) + 4 * MiB, 4 * MiB);
            map_decode(qts, usp, 0, m->window[d], DEVICE_SIZE, 0, DSP_PORT);
            bus += 2;
        }
        regs = map_pci_bar(qts, bus, 0, MMIO(d) + 4 * MiB);
        map_decode(qts, regs, 0, m->window[d], DEVICE_SIZE, 0, 0);
    }
}

/* -- the keeper ----------------------------------------------------------- */

static void keeper_start(Machine *m)
{
    const uint64_t place[] = {
        2 * MiB, m->shape->ram * MiB - STRETCH,
        m->window[0] + 4 * KiB, m->window[0] + DEVICE_SIZE - STRETCH,
        m->window[1], m->window[1] + DEVICE_SIZE - 2 * STRETCH,
    };

    for (unsigned i = 0; i < ARRAY_SIZE(place); i++) {
        qtest_writeq(m->qts, MAILBOX(0) + CPU_TABLE + 8 * i, place[i]);
        qtest_memset(m->qts, place[i], 0, STRETCH);
    }
    qtest_writeq(m->qts, MAILBOX(0) + CPU_TABLE + 8 * ARRAY_SIZE(place), 0);
    cpu_tell(m->qts, 0, CALL, KEEPER, 0);
}

/* It has gone on since, and always found what it had left */
static void keeper_is_right(Machine *m)
{
    uint64_t end = qtest_readq(m->qts, MAILBOX(0) + LOADS) + ROUNDS;

    while (qtest_readq(m->qts, MAILBOX(0) + LOADS) < end) {
        g_usleep(50);
    }
    g_assert_cmpuint(qtest_readq(m->qts, MAILBOX(0) + WRONG), ==, 0);
}

static void keeper_end(Machine *m)
{
    /* it goes on until it is told anything, and must not be called again */
    cpu_tell(m->qts, 0, LOAD, 0, 0);
    cpu_wait(m->qts, 0);
}

/* -- what happens to machines --------------------------------------------- */

static void move(Machine *m, unsigned passes)
{
    m->qts = cxl_migrate_passes(m->qts, m->args, passes);
    qtest_qmp_assert_success(m->qts, "{'execute': 'cont'}");
}

static void add(Machine *m, unsigned d)
{
    g_autofree char *id = g_strdup_printf("vm%u", d);
    g_autofree char *words = backend(m, id, DEVICE_SIZE / MiB);
    g_autofree char *dev = g_strdup_printf("mem%u", d);
    g_autofree char *said = qtest_hmp(m->qts, "object_add %s", words);

    g_assert_cmpstr(said, ==, "");
    qtest_qmp_device_add(m->qts, "cxl-type3", dev, "{'bus': %s, "
                         "'volatile-memdev': %s}", d ? "ds1" : "rp0", id);
}

static void take_out(Machine *m, unsigned d)
{
    g_autofree char *dev = g_strdup_printf("mem%u", d);
    g_autofree char *id = g_strdup_printf("vm%u", d);

    qtest_qmp_device_del_send(m->qts, dev);
    map_pci_slot(m->qts, d ? ROOT_BUS(d) + 2 : ROOT_BUS(d), 0, false);
    qtest_qmp_eventwait(m->qts, "DEVICE_DELETED");
    qtest_qmp_assert_success(m->qts, "{'execute': 'object-del', "
                             "'arguments': {'id': %s}}", id);
}

static void survives(const void *data)
{
    Machine m = { .shape = data,
                  .files = g_array_new(false, false, sizeof(int)) };
    g_autofree char *image = NULL;

    describe(&m);
    m.qts = qtest_init(m.args);
    probe(&m);
    qtest_memwrite(m.qts, KEEPER, keeper, sizeof(keeper));
    image = image_add(m.qts);
    cpu_start(m.qts, 1);
    keeper_start(&m);
    keeper_is_right(&m);
    image_save(m.qts);
    keeper_is_right(&m);
    image_load(m.qts);
    unlink(image);
    keeper_is_right(&m);
    move(&m, PASSES);
    keeper_is_right(&m);
    keeper_end(&m);

    /* Nobody interrupts the processor, so no grace period would end */
    qtest_qmp_assert_success(m.qts, "{'execute': 'stop'}");
    for (unsigned d = 0; d < DEVICES; d++) {
        take_out(&m, d);
    }
    qtest_qmp_assert_success(m.qts, "{'execute': 'cont'}");
    /* Back in another order than before */
    for (unsigned d = DEVICES; d-- > 0; ) {
        add(&m, d);
        map_pci_slot(m.qts, d ? ROOT_BUS(d) + 2 : ROOT_BUS(d), 0, true);
    }
    probe(&m);
    keeper_start(&m);
    keeper_is_right(&m);
    move(&m, 0);
    keeper_is_right(&m);
    qtest_quit(m.qts);
    for (unsigned i = 0; i < m.files->len; i++) {
        close(g_array_index(m.files, int, i));
    }
    g_array_free(m.files, true);
    g_free(m.args);
}

int main(int argc, char **argv)
{
    static const struct { const char *name, *kind; bool file; } kinds[] = {
        { "ram", "memory-backend-ram" },
        { "memfd", "memory-backend-memfd" },
        { "file", "memory-backend-file,share=on", true },
        { "private-file", "memory-backend-file,share=off", true },
    };
    static const char *const orders[] = {
        [BEFORE] = "before", [BEHIND] = "behind", [NOT_NAMED] = "default",
    };

    g_test_init(&argc, &argv, NULL);
    if (!qtest_has_accel("tcg")) {
        g_test_message("built without TCG");
        return g_test_run();
    }
    for (unsigned k = 0; k < ARRAY_SIZE(kinds); k++) {
        for (unsigned ram = 128; ram <= 384; ram += 256) {
            for (unsigned o = 0; o < ARRAY_SIZE(orders); o++) {
                g_autofree char *path = NULL;
                Shape *s;

                /* All of one kind, and two of each other */
                if (k && o != (ram < 256 ? BEHIND : BEFORE)) {
                    continue;
                }
                s = g_new(Shape, 1);
                *s = (Shape) { kinds[k].kind, kinds[k].file, ram, o };
                path = g_strdup_printf("/cxl/shapes/%s/%uM/%s", kinds[k].name,
                                       ram, orders[o]);
                qtest_add_data_func_full(path, s, survives, g_free);
            }
        }
    }
    return g_test_run();
}
