/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which parts of the fixed memory windows are plain RAM, see cxl-qtest-map.h
 */
#include "qemu/osdep.h"
#include "qemu/memfd.h"
#include "qapi/error.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "hw/pci/pci_regs.h"
#include "cxl-qtest-map.h"

#define CACHEMEM 0x1000
#define RANGES_MAX 20000

uint64_t map_window(QTestState *qts)
{
    return cxl_find_region(qts, "cxl-fixed-memory-region");
}

uint64_t map_bridge(QTestState *qts)
{
    return cxl_find_region(qts, "cxl_host_reg");
}

static QList *query(QTestState *qts)
{
    QDict *rsp = qtest_qmp(qts, "{'execute': 'query-cxl-memory-map',"
                           " 'arguments': {'limit': %u}}", RANGES_MAX);
    QList *windows = qdict_get_qlist(rsp, "return");

    g_assert_nonnull(windows);
    qobject_ref(windows);
    qobject_unref(rsp);
    return windows;
}

static void join(GArray *list, uint64_t base, uint64_t size)
{
    CxlRange r = { base, size };

    if (list->len) {
        CxlRange *last = &g_array_index(list, CxlRange, list->len - 1);

        g_assert_cmphex(base, >=, last->base + last->size);
        if (base == last->base + last->size) {
            last->size += size;
            return;
        }
    }
    g_array_append_val(list, r);
}

/* -- memory on its way ---------------------------------------------------- */

static bool is_moving(QTestState *qts)
{
    QList *windows = query(qts);
    const QListEntry *w, *e;
    bool moving = false;

    QLIST_FOREACH_ENTRY(windows, w) {
        QDict *window = qobject_to(QDict, qlist_entry_obj(w));

        QLIST_FOREACH_ENTRY(qdict_get_qlist(window, "ranges"), e) {
            QDict *r = qobject_to(QDict, qlist_entry_obj(e));

            moving |= !g_strcmp0(qdict_get_try_str(r, "trap"), "moving");
        }
    }
    qobject_unref(windows);
    return moving;
}

void map_settle(QTestState *qts)
{
    while (is_moving(qts)) {
        g_usleep(2000);
    }
}

bool map_has_sets(QTestState *qts)
{
    QDict *rsp = qtest_qmp(qts, "{'execute': 'qom-list', "
                           "'arguments': {'path': '/machine'}}");
    const QListEntry *e;
    bool found = false;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(rsp, "return"), e) {
        QDict *child = qobject_to(QDict, qlist_entry_obj(e));

        found |= g_str_equal(qdict_get_str(child, "type"), "child<cxl-set>");
    }
    qobject_unref(rsp);
    return found;
}

void map_sets_gone(QTestState *qts)
{
    while (map_has_sets(qts)) {
        g_usleep(2000);
    }
}

static gint by_number(gconstpointer a, gconstpointer b)
{
    return *(const int *)a - *(const int *)b;
}

/*
 * QEMU makes them one after the other, each with the lowest number that is
 * free.  Inodes do not tell: processors number them from batches of their own.
 */
int map_backend(QTestState *qts, unsigned n)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/fd", qtest_pid(qts));
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(int));
    g_autofree char *name = NULL;
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *entry;

    g_assert_nonnull(dir);
    while ((entry = g_dir_read_name(dir))) {
        g_autofree char *at = g_build_filename(path, entry, NULL);
        g_autofree char *to = g_file_read_link(at, NULL);
        int number = atoi(entry);

        if (to && strstr(to, "memfd:memory-backend-memfd")) {
            g_array_append_val(found, number);
        }
    }
    g_dir_close(dir);
    g_array_sort(found, by_number);
    g_assert_cmpuint(n, <, found->len);
    name = g_strdup_printf("%s/%d", path, g_array_index(found, int, n));
    return open(name, O_RDWR);
}

/* -- ranges ---------------------------------------------------------------- */

/* The query covers the window without gaps */
static GArray *from_query(QTestState *qts, uint64_t *start, uint64_t *end)
{
    QList *windows = (map_settle(qts), query(qts));
    QDict *w = qobject_to(QDict, qlist_peek(windows));
    GArray *list = g_array_new(false, false, sizeof(CxlRange));
    const QListEntry *e;
    uint64_t at;

    *start = at = qdict_get_int(w, "base");
    *end = *start + qdict_get_int(w, "size");
    g_assert_false(qdict_get_bool(w, "truncated"));
    QLIST_FOREACH_ENTRY(qdict_get_qlist(w, "ranges"), e) {
        QDict *r = qobject_to(QDict, qlist_entry_obj(e));

        g_assert_cmphex(qdict_get_int(r, "base"), ==, at);
        g_assert_cmphex(qdict_get_bool(r, "direct"), !=,
                        qdict_haskey(r, "trap"));
        if (qdict_get_bool(r, "direct")) {
            join(list, at, qdict_get_int(r, "size"));
        }
        at += qdict_get_int(r, "size");
    }
    g_assert_cmphex(at, ==, *end);
    qobject_unref(windows);
    return list;
}

static GArray *from_machine(QTestState *qts, uint64_t start, uint64_t end)
{
    g_autofree char *text = qtest_hmp(qts, "info mtree -f");
    g_auto(GStrv) views = g_strsplit(text, "FlatView #", 0);
    GArray *list = g_array_new(false, false, sizeof(CxlRange));

    for (int v = 0; views[v]; v++) {
        g_auto(GStrv) lines = g_strsplit(views[v], "\n", 0);

        if (!strstr(views[v], "AS \"memory\"")) {
            continue;
        }
        for (int i = 0; lines[i]; i++) {
            unsigned long long from, to;

            if (sscanf(lines[i], " %llx-%llx", &from, &to) == 2 &&
                from >= start && from < end && strstr(lines[i], "ram)")) {
                join(list, from, to - from + 1);
            }
        }
    }
    return list;
}

void map_is(QTestState *qts, const CxlRange *want, unsigned n)
{
    uint64_t start, end;
    GArray *said = from_query(qts, &start, &end);
    GArray *is = from_machine(qts, start, end);

    for (unsigned i = 0; i < MAX(said->len, is->len); i++) {
        const CxlRange none = { 0, 0 };
        const CxlRange *a = i < said->len ? &g_array_index(said, CxlRange, i)
                                          : &none;
        const CxlRange *b = i < is->len ? &g_array_index(is, CxlRange, i)
                                        : &none;

        g_assert_cmphex(a->base, ==, b->base);
        g_assert_cmphex(a->size, ==, b->size);
        g_assert_cmpuint(i, <, n);
        g_assert_cmphex(b->base - start, ==, want[i].base);
        g_assert_cmphex(b->size, ==, want[i].size);
    }
    g_assert_cmpuint(is->len, ==, n);
    g_array_free(said, TRUE);
    g_array_free(is, TRUE);
}

char *map_why(QTestState *qts, uint64_t offset)
{
    QList *windows = (map_settle(qts), query(qts));
    QDict *first = qobject_to(QDict, qlist_peek(windows));
    uint64_t at = qdict_get_int(first, "base") + offset;
    const QListEntry *w, *e;
    char *why = NULL;

    QLIST_FOREACH_ENTRY(windows, w) {
        QDict *window = qobject_to(QDict, qlist_entry_obj(w));

        QLIST_FOREACH_ENTRY(qdict_get_qlist(window, "ranges"), e) {
            QDict *r = qobject_to(QDict, qlist_entry_obj(e));

            if (at - qdict_get_int(r, "base") < qdict_get_int(r, "size")) {
                why = g_strdup(qdict_get_bool(r, "direct") ? "direct" :
                               qdict_get_str(r, "trap"));
            }
        }
    }
    qobject_unref(windows);
    return why;
}

static uint64_t hdm(uint64_t regs, unsigned offset)
{
    return regs + CACHEMEM + offset;
}

void map_control(QTestState *qts, uint64_t regs, unsigned n, uint32_t value)
{
    qtest_writel(qts, hdm(regs, CXL_HDM_DECODER(n) + CXL_HDM_CONTROL), value);
}

void map_enable(QTestState *qts, uint64_t regs, bool on)
{
    qtest_writel(qts, hdm(regs, CXL_HDM_GLOBAL_CONTROL),
                 on ? CXL_HDM_GLOBAL_ENABLE : 0);
}

void map_decode(QTestState *qts, uint64_t regs, unsigned n, uint64_t base,
                uint64_t size, uint32_t control, uint32_t targets)
{
    uint64_t d = hdm(regs, CXL_HDM_DECODER(n));

    map_enable(qts, regs, true);
    qtest_writel(qts, d + CXL_HDM_BASE_LO, base);
    qtest_writel(qts, d + CXL_HDM_BASE_HI, base >> 32);
    qtest_writel(qts, d + CXL_HDM_SIZE_LO, size);
    qtest_writel(qts, d + CXL_HDM_SIZE_HI, size >> 32);
    qtest_writel(qts, d + CXL_HDM_TARGET_LO, targets);
    map_control(qts, regs, n, control | CXL_HDM_CTRL_COMMIT);
    g_assert_cmphex(qtest_readl(qts, d + CXL_HDM_CONTROL) &
                    CXL_HDM_CTRL_COMMITTED, !=, 0);
}

static uint32_t cfg_read(QTestState *qts, unsigned bus, unsigned dev,
                         unsigned off)
{
    qtest_outl(qts, 0xcf8, 1u << 31 | bus << 16 | dev << 11 | off);
    return qtest_inl(qts, 0xcfc);
}

static void cfg_write(QTestState *qts, unsigned bus, unsigned dev,
                      unsigned off, uint32_t v)
{
    qtest_outl(qts, 0xcf8, 1u << 31 | bus << 16 | dev << 11 | off);
    qtest_outl(qts, 0xcfc, v);
}

void map_pci_bridge(QTestState *qts, unsigned bus, unsigned dev, unsigned sec,
                    unsigned sub, uint32_t base, uint32_t size)
{
    cfg_write(qts, bus, dev, PCI_PRIMARY_BUS, sub << 16 | sec << 8 | bus);
    cfg_write(qts, bus, dev, PCI_MEMORY_BASE,
              (base >> 16 & 0xfff0) | ((base + size - 1) & 0xfff00000));
    cfg_write(qts, bus, dev, PCI_COMMAND,
              PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

uint64_t map_pci_bar(QTestState *qts, unsigned bus, unsigned dev,
                     uint32_t base)
{
    cfg_write(qts, bus, dev, PCI_BASE_ADDRESS_0, base);
    cfg_write(qts, bus, dev, PCI_BASE_ADDRESS_1, 0);
    cfg_write(qts, bus, dev, PCI_COMMAND,
              PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    return base;
}

void map_pci_slot(QTestState *qts, unsigned bus, unsigned dev, bool on)
{
    unsigned at = cfg_read(qts, bus, dev, PCI_CAPABILITY_LIST) & 0xff;

    while ((cfg_read(qts, bus, dev, at) & 0xff) != PCI_CAP_ID_EXP) {
        at = cfg_read(qts, bus, dev, at) >> 8 & 0xff;
        g_assert_cmpuint(at, !=, 0);
    }
    /* The status behind it stays as it is: its bits go when they are written */
    cfg_write(qts, bus, dev, at + PCI_EXP_SLTCTL,
              on ? PCI_EXP_SLTCTL_PWR_IND_ON
                 : PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_PCC);
}

int map_memory_file(uint64_t size, char **path)
{
    /* A file on a disk would be read ahead, megabytes for every page */
    int fd = qemu_memfd_create("device", size, false, 0, 0, &error_abort);

    *path = g_strdup_printf("/proc/%d/fd/%d", getpid(), fd);
    return fd;
}
