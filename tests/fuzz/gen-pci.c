/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registers as a guest reaches them: BARs at every width, configuration space
 * by both ways, data object exchange, interrupt messages to anywhere
 */
#include "qemu/osdep.h"
#include "hw/pci/pci_regs.h"
#include "fuzz.h"

#define SLOT_OFF \
    (PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_PCC)
#define DOE_CONTROL 0x08
#define DOE_STATUS 0x0c
#define DOE_WRITE 0x10
#define DOE_READ 0x14
#define MSIX_VECTORS 8

static const char widths[] = "bwlq";

/* Where each function has registers that do something */
static const struct {
    FuzzKind kind;
    uint8_t bar;
    uint32_t offset, size;
} areas[] = {
    { FUZZ_MEMORY, 0, 0x1000, 0x1000 },
    { FUZZ_MEMORY, 0, 0, 0x10000 },
    { FUZZ_MEMORY, 2, 0x80, 0x28 },
    { FUZZ_MEMORY, 2, 0x80, 0x40 },
    { FUZZ_MEMORY, 2, 0, 0x1000 },
    { FUZZ_MEMORY, 4, 0, 0x1000 },
    { FUZZ_SWITCH_MAILBOX, 0, 0x80, 0x28 },
    { FUZZ_SWITCH_MAILBOX, 0, 0, 0x1000 },
    { FUZZ_ROOT_PORT, 0, 0x1000, 0x300 },
    { FUZZ_UPSTREAM, 0, 0x1000, 0x300 },
    { FUZZ_DOWNSTREAM, 0, 0x1000, 0x300 },
    { FUZZ_CONTROLLER, 0, 0, 0x100 },
};

static void access_at(Fuzz *f, FuzzClass class, const char *what, uint64_t at)
{
    unsigned w = fuzz_below(f, 4);
    bool read = fuzz_one_in(f, 3), aligned = fuzz_below(f, 8);
    uint64_t value = fuzz_odd(f);

    at = aligned ? at & -(1ull << w) : at;
    value = w == 3 ? value : value & ((1ull << (8 << w)) - 1);
    if (!fuzz_op(f, class, "%s %s%c %" PRIx64 " %" PRIx64, what,
                 read ? "read" : "write", widths[w], at, value)) {
        return;
    }
    if (read) {
        link_post(f->link, "read%c 0x%" PRIx64, widths[w], at);
    } else {
        link_post(f->link, "write%c 0x%" PRIx64 " 0x%" PRIx64, widths[w], at,
                  value);
    }
}

void fuzz_gen_mmio(Fuzz *f)
{
    const FuzzFn *fn = fuzz_pick(f);
    unsigned n = fuzz_below(f, ARRAY_SIZE(areas));
    unsigned bridge = fuzz_below(f, f->m.nr_bridges);
    uint64_t off = fuzz_random(f);

    if (fuzz_one_in(f, 12)) {
        access_at(f, FUZZ_MMIO, "bridge", f->m.bridge[bridge] + off % 0x2000);
        return;
    }
    while (areas[n].kind != fn->kind) {
        n = (n + 1) % ARRAY_SIZE(areas);
    }
    access_at(f, FUZZ_MMIO, fn->id,
           fn->bar[areas[n].bar] + areas[n].offset + off % areas[n].size);
}

/* -- configuration space -- */

/* By the two ports, which reach the first 256 bytes only */
static void old_way(Fuzz *f, const FuzzFn *fn, unsigned at, uint32_t value)
{
    if (fuzz_op(f, FUZZ_CONFIG, "%s cf8 %x %x", fn->id, at, value)) {
        link_post(f->link, "outl 0xcf8 0x%x",
                  1u << 31 | fn->bus << 16 | fn->devfn << 8 | (at & 0xfc));
        if (value & 1) {
            link_post(f->link, "outl 0xcfc 0x%x", value);
        } else {
            link_post(f->link, "outw 0x%x 0x%x", 0xcfc + (at & 2),
                      value & 0xffff);
        }
        link_post(f->link, "inl 0xcfc");
    }
}

void fuzz_gen_config(Fuzz *f)
{
    const FuzzFn *fn = fuzz_pick(f);
    unsigned how = fuzz_below(f, 16), n = fuzz_below(f, MAX(fn->nr_caps, 1));
    unsigned off = fuzz_below(f, 0x40);
    uint32_t any = fuzz_odd(f);
    unsigned at;

    if (fn->nr_caps && how < 9) {
        at = fn->caps[n] + off;
    } else if (how < 13) {
        at = off;
    } else {
        at = any & 0xfff;
    }
    if (fuzz_one_in(f, 6)) {
        old_way(f, fn, at, any);
    } else {
        access_at(f, FUZZ_CONFIG, fn->id, fuzz_cfg(fn) + at);
    }
}

/* -- data object exchange: reads a table, or tries to -- */

void fuzz_gen_doe(Fuzz *f)
{
    const FuzzFn *fn = fuzz_pick(f);
    unsigned n = fuzz_below(f, FUZZ_DOES), reads = fuzz_below(f, 24);
    uint32_t header = fuzz_below(f, 4) ? 0x00021e98 : fuzz_below(f, 4) ?
                      1 : fuzz_odd(f);
    uint32_t dwords = fuzz_below(f, 8) ? 3 : fuzz_odd(f);
    uint32_t handle = fuzz_one_in(f, 4) ? fuzz_odd(f) :
                      fuzz_below(f, 12) << 16;
    unsigned more = fuzz_one_in(f, 16) ? fuzz_below(f, 300) : 0;
    uint32_t control = fuzz_one_in(f, 8) ? fuzz_odd(f) : 1u << 31;
    uint64_t at = fuzz_cfg(fn) + fn->doe[n];

    if (!fn->doe[n] ||
        !fuzz_op(f, FUZZ_DOE, "%s %x: %x %x %x +%u, control %x, %u read",
                 fn->id, fn->doe[n], header, dwords, handle, more, control,
                 reads)) {
        return;
    }
    link_post(f->link, "writel 0x%" PRIx64 " 0x%x", at + DOE_WRITE, header);
    link_post(f->link, "writel 0x%" PRIx64 " 0x%x", at + DOE_WRITE, dwords);
    for (unsigned i = 0; i <= more; i++) {
        link_post(f->link, "writel 0x%" PRIx64 " 0x%x", at + DOE_WRITE,
                  handle);
    }
    link_post(f->link, "writel 0x%" PRIx64 " 0x%x", at + DOE_CONTROL,
              control);
    link_post(f->link, "readl 0x%" PRIx64, at + DOE_STATUS);
    for (unsigned i = 0; i < reads; i++) {
        link_post(f->link, "readl 0x%" PRIx64, at + DOE_READ);
        link_post(f->link, "writel 0x%" PRIx64 " 0x0", at + DOE_READ);
    }
}

/* -- interrupt messages -- */

/* A place where a store does something, best to the function itself */
static uint64_t target(Fuzz *f, const FuzzFn *fn, uint32_t *data)
{
    const FuzzFn *up = fn->parent < 0 ? fn : &f->m.fn[fn->parent];
    unsigned how = fuzz_below(f, 10);
    const FuzzFn *other = fuzz_pick(f);
    uint32_t any = fuzz_odd(f);

    if (fuzz_one_in(f, 3)) {
        up = other->parent < 0 ? other : &f->m.fn[other->parent];
    }
    if (up->parent >= 0 && fuzz_one_in(f, 3)) {
        up = &f->m.fn[up->parent];
    }
    switch (how) {
    case 0 ... 3:
        *data = SLOT_OFF;
        return fuzz_cfg(up) + up->express + PCI_EXP_SLTCTL;
    case 4: case 5:
        *data = PCI_BRIDGE_CTL_BUS_RESET;
        return fuzz_cfg(up) + PCI_BRIDGE_CONTROL;
    case 6:
        *data = 1;
        return fn->bar[fn->kind == FUZZ_MEMORY ? 2 : 0] + 0x8c;
    case 7:
        *data = any;
        return fuzz_cfg(other) + (any >> 8 & 0xffc);
    case 8:
        *data = any;
        return f->m.window + (any & 0xffffffc);
    default:
        *data = any;
        return any & 0x1fffffc;
    }
}

static void post_msi(Fuzz *f, const FuzzFn *fn, uint64_t to, uint32_t data)
{
    uint64_t at = fuzz_cfg(fn) + fn->msi;
    uint16_t flags = PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_64BIT;

    link_post(f->link, "writel 0x%" PRIx64 " 0x%x", at + PCI_MSI_ADDRESS_LO,
              (unsigned)to);
    link_post(f->link, "writel 0x%" PRIx64 " 0x%x", at + PCI_MSI_ADDRESS_HI,
              (unsigned)(to >> 32));
    link_post(f->link, "writew 0x%" PRIx64 " 0x%x", at + PCI_MSI_DATA_64,
              data & 0xffff);
    link_post(f->link, "writew 0x%" PRIx64 " 0x%x", at + PCI_MSI_FLAGS,
              flags);
    /* hot-plug and error interrupts */
    if (fn->express && fn->sec) {
        link_post(f->link, "writew 0x%" PRIx64 " 0x103f",
                  fuzz_cfg(fn) + fn->express + PCI_EXP_SLTCTL);
        link_post(f->link, "writew 0x%" PRIx64 " 0x7",
                  fuzz_cfg(fn) + fn->express + PCI_EXP_RTCTL);
    }
    if (fn->aer) {
        link_post(f->link, "writel 0x%" PRIx64 " 0x7",
                  fuzz_cfg(fn) + fn->aer + PCI_ERR_ROOT_COMMAND);
        link_post(f->link, "writel 0x%" PRIx64 " 0x0",
                  fuzz_cfg(fn) + fn->aer + PCI_ERR_UNCOR_MASK);
        link_post(f->link, "writew 0x%" PRIx64 " 0xf",
                  fuzz_cfg(fn) + fn->express + PCI_EXP_DEVCTL);
    }
}

static void post_msix(Fuzz *f, const FuzzFn *fn, uint64_t to, uint32_t data,
                      unsigned vectors)
{
    FuzzCommand policy = { .opcode = 0x0103, .len = 5 };

    for (unsigned v = 0; v < MSIX_VECTORS; v++) {
        uint64_t at = fn->bar[4] + 16 * v;

        if (vectors & 1 << v) {
            link_post(f->link, "writel 0x%" PRIx64 " 0x%x", at, (unsigned)to);
            link_post(f->link, "writel 0x%" PRIx64 " 0x%x", at + 4,
                      (unsigned)(to >> 32));
            link_post(f->link, "writel 0x%" PRIx64 " 0x%x", at + 8, data);
            link_post(f->link, "writel 0x%" PRIx64 " 0x0", at + 12);
        }
    }
    link_post(f->link, "writew 0x%" PRIx64 " 0x%x",
              fuzz_cfg(fn) + fn->msix + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE);
    if (fn->kind == FUZZ_MEMORY) {
        memset(policy.data, 1, policy.len);
        fuzz_post_command(f, fn, &policy);
    }
}

void fuzz_gen_interrupt(Fuzz *f)
{
    const FuzzFn *fn = fuzz_pick(f);
    uint32_t data;
    uint64_t to = target(f, fn, &data);
    unsigned vectors = fuzz_one_in(f, 2) ? 0xff : fuzz_random(f) & 0xff;

    if ((fn->msi || fn->msix) &&
        fuzz_op(f, FUZZ_INTERRUPT, "%s sends %x to %" PRIx64 ", vectors %x",
                fn->id, data, to, vectors)) {
        if (fn->msix && fn->bar[4]) {
            post_msix(f, fn, to, data, vectors);
        } else if (fn->msi) {
            post_msi(f, fn, to, data);
        }
    }
}
