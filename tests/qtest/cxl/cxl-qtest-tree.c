/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine of several levels of interleave, see cxl-qtest-tree.h
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include <sys/mman.h>
#include "cxl-qtest-tree.h"

/* Below 4 GiB, clear of RAM and ROM */
#define MMIO            0xc0000000u
#define MMIO_EACH       MiB
#define BRIDGE_REGS     (64 * KiB)

unsigned tree_ports(const Tree *t, unsigned level)
{
    return MAX(1, t->ways[level]);
}

static bool has_switch(const Tree *t, unsigned level)
{
    return level < TREE_LEVELS && t->ways[level];
}

static void map_device(Tree *t, unsigned d)
{
    t->file[d] = mmap(NULL, TREE_DEVICE_SIZE, PROT_READ | PROT_WRITE,
                      MAP_SHARED, t->fd[d], 0);
    g_assert_true(t->file[d] != MAP_FAILED);
}

static void add_device(Tree *t, GString *args, const char *bus)
{
    unsigned d = t->nr_devices++;
    g_autofree char *backend = NULL;

    if (t->private) {
        backend = g_strdup("memory-backend-memfd");
    } else {
        g_autofree char *path = NULL;

        t->fd[d] = map_memory_file(TREE_DEVICE_SIZE, &path);
        map_device(t, d);
        backend = g_strdup_printf("memory-backend-file,share=on,mem-path=%s",
                                  path);
    }
    t->want[d] = mmap(NULL, TREE_DEVICE_SIZE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    g_assert_true(t->want[d] != MAP_FAILED);
    t->touched[d] = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
                                          NULL);
    g_string_append_printf(args,
                           "-object %s,id=m%u,size=%uM "
                           "-device cxl-type3,id=dev%u,bus=%s,"
                           "volatile-memdev=m%u ", backend, d,
                           (unsigned)(TREE_DEVICE_SIZE / MiB), d, bus, d);
}

/* Ports of @level on @bus, and all that is below them */
static void add_ports(Tree *t, GString *args, unsigned level, const char *bus)
{
    for (unsigned i = 0; i < tree_ports(t, level); i++) {
        g_autofree char *id = g_strdup_printf("%s_%u", bus, i);
        g_autofree char *up = g_strdup_printf("%su", id);

        g_string_append_printf(args, "-device %s,id=%s,bus=%s,port=%u,"
                               "chassis=0,slot=%u,addr=%x.0 ",
                               level == TREE_BRIDGE ? "cxl-rp" :
                                                      "cxl-downstream",
                               id, bus, i, t->next_bus++, i);
        if (has_switch(t, level + 1)) {
            g_string_append_printf(args, "-device cxl-upstream,id=%s,bus=%s,"
                                   "addr=0.0 ", up, id);
            t->next_bus++;
            add_ports(t, args, level + 1, up);
        } else {
            add_device(t, args, id);
        }
    }
}

/* The same way again, with buses and addresses for all */
static void probe_ports(Tree *t, unsigned level, unsigned bus)
{
    for (unsigned i = 0; i < tree_ports(t, level); i++) {
        unsigned sec = t->next_bus++;
        uint32_t mmio = t->next_mmio, below;

        t->next_mmio += MMIO_EACH;
        /* All buses may be below, until it is known */
        map_pci_bridge(t->qts, bus, i, sec, 0xff, mmio, MMIO_EACH);
        if (has_switch(t, level + 1)) {
            unsigned inner = t->next_bus++;

            t->port[level + 1][t->nr_ports[level + 1]++] =
                map_pci_bar(t->qts, sec, 0, mmio);
            below = t->next_mmio;
            map_pci_bridge(t->qts, sec, 0, inner, 0xff, below, MMIO_EACH);
            probe_ports(t, level + 1, inner);
            map_pci_bridge(t->qts, sec, 0, inner, t->next_bus - 1, below,
                           t->next_mmio - below);
        } else {
            t->device[t->nr_devices++] = map_pci_bar(t->qts, sec, 0, mmio);
        }
        map_pci_bridge(t->qts, bus, i, sec, t->next_bus - 1, mmio,
                       t->next_mmio - mmio);
    }
}

static void add_windows(Tree *t, GString *args)
{
    unsigned bridges = tree_ports(t, TREE_WINDOW), units = 1;

    for (unsigned l = 0; l < TREE_LEVELS; l++) {
        units *= tree_ports(t, l);
    }
    t->window_size = (units + 1) * (uint64_t)TREE_UNIT;
    for (unsigned w = 0; w < TREE_GRAINS; w++) {
        g_string_append_printf(args, ",cxl-fmw.%u.size=%" PRIu64 "M,"
                               "cxl-fmw.%u.interleave-granularity=%u", w,
                               t->window_size / MiB, w, TREE_GRAIN(w));
        for (unsigned h = 0; h < bridges; h++) {
            g_string_append_printf(args, ",cxl-fmw.%u.targets.%u=hb%u", w, h,
                                   (h + w) % bridges);
        }
    }
}

void tree_start(Tree *t, const uint8_t *ways, bool private)
{
    g_autoptr(GString) args = g_string_new("-M q35,cxl=on");
    unsigned bus[TREE_PORTS], h, w;
    uint64_t bridges, windows;

    *t = (Tree) {
        .ways = ways, .private = private, .next_bus = 1, .next_mmio = MMIO
    };
    add_windows(t, args);
    g_string_append(args, " -m 128M -nodefaults -display none ");
    for (h = 0; h < tree_ports(t, TREE_WINDOW); h++) {
        g_autofree char *id = g_strdup_printf("hb%u", h);

        bus[h] = t->next_bus++;
        g_string_append_printf(args, "-device pxb-cxl,id=%s,bus=pcie.0,"
                               "bus_nr=%u%s ", id, bus[h],
                               ways[TREE_BRIDGE] == 1 ?
                               ",hdm_for_passthrough=on" : "");
        add_ports(t, args, TREE_BRIDGE, id);
    }

    t->qts = qtest_init(args->str);
    bridges = map_bridge(t->qts);
    windows = map_window(t->qts);
    t->nr_devices = 0;
    for (h = 0; h < tree_ports(t, TREE_WINDOW); h++) {
        t->port[TREE_BRIDGE][t->nr_ports[TREE_BRIDGE]++] =
            bridges + h * BRIDGE_REGS;
        t->next_bus = bus[h] + 1;
        probe_ports(t, TREE_BRIDGE, bus[h]);
    }
    for (w = 0; w < TREE_GRAINS; w++) {
        /* one of 3, 6 or 12 ways begins at a multiple of so many units */
        if (h % 3 == 0) {
            windows = QEMU_ALIGN_UP(windows, h * (uint64_t)TREE_UNIT);
        }
        t->window[w] = windows;
        windows += t->window_size;
    }
    for (unsigned d = 0; d < t->nr_devices && private; d++) {
        t->fd[d] = map_backend(t->qts, d);
        map_device(t, d);
    }
}

void tree_stop(Tree *t)
{
    qtest_quit(t->qts);
    for (unsigned d = 0; d < t->nr_devices; d++) {
        munmap(t->file[d], TREE_DEVICE_SIZE);
        munmap(t->want[d], TREE_DEVICE_SIZE);
        close(t->fd[d]);
        g_hash_table_destroy(t->touched[d]);
    }
}

void tree_want(Tree *t, unsigned d, uint64_t dpa, uint8_t byte)
{
    uint64_t page = dpa / TREE_PAGE;

    t->want[d][dpa] = byte;
    if (!g_hash_table_contains(t->touched[d], &page)) {
        g_hash_table_add(t->touched[d], g_memdup2(&page, sizeof(page)));
    }
}

void tree_check(Tree *t)
{
    for (unsigned d = 0; d < t->nr_devices; d++) {
        off_t from = 0, to;
        GHashTableIter iter;
        uint64_t *page;

        while ((from = lseek(t->fd[d], from, SEEK_DATA)) >= 0) {
            to = lseek(t->fd[d], from, SEEK_HOLE);
            g_assert_cmpint(to, >, from);
            g_assert_cmpmem(t->file[d] + from, to - from,
                            t->want[d] + from, to - from);
            from = to;
        }
        g_hash_table_iter_init(&iter, t->touched[d]);
        while (g_hash_table_iter_next(&iter, (gpointer *)&page, NULL)) {
            uint64_t at = *page * TREE_PAGE;

            g_assert_cmpmem(t->file[d] + at, TREE_PAGE, t->want[d] + at,
                            TREE_PAGE);
            memset(t->file[d] + at, 0, TREE_PAGE);
            memset(t->want[d] + at, 0, TREE_PAGE);
        }
        g_hash_table_remove_all(t->touched[d]);
    }
}
