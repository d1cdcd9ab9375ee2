/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I/O of TCG's processors while the memory map changes, as CXL makes it change
 * in running machines: extents come and go, ports are bound, decoders commit.
 *
 * What a processor keeps of the way to I/O is the number of a section, and the
 * base looks it up in the map of the moment.  Another thread that changes the
 * map publishes it first and tells the processors then; what one of them does
 * in between goes to whatever has the number by now: an end of interrupt is
 * lost, and the processor with it, or QEMU ends in an assertion.  So numbers
 * are given out here, and stand for sections of the map that the processor saw
 * when it asked.  The linker lets our two functions stand in for those of the
 * base, see meson.build.
 */
#include "qemu/osdep.h"
#include "exec/address-spaces.h"
#include "exec/cputlb.h"
#include "exec/target_page.h"
#include "hw/core/cpu.h"
#include "qemu/module.h"
#include "system/system.h"
#include "system/tcg.h"
#include "cxl-tcg-io.h"

/**
 * struct Numbers - the sections that one processor may ask for
 * @section: by number
 * @number: by section, plus one
 *
 * They are those of all maps since its TLB was last flushed for a change: of
 * the map of now, or of one that ended while the processor ran code of the guest,
 * which is one RCU critical section, and keeps it alive until the flush.
 */
typedef struct Numbers {
    GPtrArray *section;
    GHashTable *number;
} Numbers;

static void numbers_free(gpointer opaque)
{
    Numbers *n = opaque;

    g_ptr_array_unref(n->section);
    g_hash_table_destroy(n->number);
    g_free(n);
}

static void all_free(gpointer opaque)
{
    g_hash_table_destroy(opaque);
}

/* Numbers by CPUState: one thread may run several processors */
static GPrivate all = G_PRIVATE_INIT(all_free);
static __thread CPUState *last_cpu;
static __thread Numbers *last;

/* In the processor's own thread only */
static Numbers *numbers_of(CPUState *cpu)
{
    GHashTable *map;

    if (likely(cpu == last_cpu)) {
        return last;
    }
    map = g_private_get(&all);
    if (!map) {
        map = g_hash_table_new_full(NULL, NULL, NULL, numbers_free);
        g_private_set(&all, map);
    }
    last = g_hash_table_lookup(map, cpu);
    if (!last) {
        last = g_new0(Numbers, 1);
        last->section = g_ptr_array_new();
        last->number = g_hash_table_new(NULL, NULL);
        g_hash_table_insert(map, cpu, last);
    }
    last_cpu = cpu;
    return last;
}

static void numbers_forget(Numbers *n)
{
    g_ptr_array_set_size(n->section, 0);
    g_hash_table_remove_all(n->number);
}

hwaddr __wrap_memory_region_section_get_iotlb(CPUState *cpu,
                                              MemoryRegionSection *section)
{
    Numbers *n = numbers_of(cpu);
    gpointer known = g_hash_table_lookup(n->number, section);

    if (known) {
        return GPOINTER_TO_UINT(known) - 1;
    }
    /* The number shares a word with the address of a page */
    if (n->section->len == qemu_target_page_size()) {
        tlb_flush(cpu);
        numbers_forget(n);
    }
    g_ptr_array_add(n->section, section);
    g_hash_table_insert(n->number, section,
                        GUINT_TO_POINTER(n->section->len));
    return n->section->len - 1;
}

MemoryRegionSection *__wrap_iotlb_to_section(CPUState *cpu, hwaddr index,
                                             MemTxAttrs attrs)
{
    return g_ptr_array_index(numbers_of(cpu)->section,
                             index & ~qemu_target_page_mask());
}

static void forget(CPUState *cpu, run_on_cpu_data data)
{
    numbers_forget(numbers_of(cpu));
}

/*
 * The base asks each processor for a flush at this occasion.  Both wait for it
 * to take the BQL, which the caller has; neither is without the other.
 */
static void map_changed(MemoryListener *listener)
{
    CPUState *cpu;

    CPU_FOREACH(cpu) {
        if (cpu->halt_cond) {
            async_run_on_cpu(cpu, forget, RUN_ON_CPU_NULL);
        }
    }
}

static MemoryListener listener = {
    .name = "cxl-tcg-io",
    .commit = map_changed,
};

static void machine_done(Notifier *notifier, void *opaque)
{
    if (tcg_enabled()) {
        memory_listener_register(&listener, &address_space_memory);
    }
}

static Notifier done = { .notify = machine_done };

static void init(void)
{
    qemu_add_machine_init_done_notifier(&done);
}

type_init(init)
