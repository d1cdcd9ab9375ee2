/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that is mapped as far as the host may reach it, for those that do DMA
 * to it (VFIO, vDPA): each mapped piece is one section, which comes and goes as
 * a whole, see hdm-internal.h
 *
 * With a manager a piece that they cannot take is no end of QEMU: they say so,
 * and the host does not get it.  All of the memory counts as populated: what
 * the host may not reach is in no section, and streams carry it, since a Fabric
 * Manager may give it to the host again by its tag.
 */
#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "hdm-internal.h"
#include "trace/trace-hw_cxl.h"

#define TYPE_CXL_DISCARD "cxl-discard-manager"
OBJECT_DECLARE_SIMPLE_TYPE(CXLDiscard, CXL_DISCARD)

/**
 * struct CXLDiscard - of one memory region
 * @mr: does not outlive us
 * @listeners: RamDiscardListener, of each section
 */
struct CXLDiscard {
    Object parent_obj;
    MemoryRegion *mr;
    QLIST_HEAD(, RamDiscardListener) listeners;
};

/* They map in units of it at least, and take a section as one */
static uint64_t discard_granularity(const RamDiscardManager *rdm,
                                    const MemoryRegion *mr)
{
    return pow2ceil(memory_region_size(CXL_DISCARD(rdm)->mr));
}

static bool discard_is_populated(const RamDiscardManager *rdm,
                                 const MemoryRegionSection *section)
{
    return true;
}

static int discard_replay_populated(const RamDiscardManager *rdm,
                                    MemoryRegionSection *section,
                                    ReplayRamDiscardState fn, void *opaque)
{
    return fn(section, opaque);
}

/* There is nothing to tell */
static int discard_replay_discarded(const RamDiscardManager *rdm,
                                    MemoryRegionSection *section,
                                    ReplayRamDiscardState fn, void *opaque)
{
    return 0;
}

static void discard_register(RamDiscardManager *rdm, RamDiscardListener *rdl,
                             MemoryRegionSection *section)
{
    CXLDiscard *m = CXL_DISCARD(rdm);
    int ret;

    rdl->section = memory_region_section_new_copy(section);
    QLIST_INSERT_HEAD(&m->listeners, rdl, next);
    ret = rdl->notify_populate(rdl, rdl->section);
    if (ret) {
        trace_cxl_direct_no_dma(section->offset_within_address_space,
                                int128_get64(section->size), strerror(-ret));
        cxl_direct()->no_dma = true;
    }
}

static void discard_unregister(RamDiscardManager *rdm, RamDiscardListener *rdl)
{
    rdl->notify_discard(rdl, rdl->section);
    QLIST_REMOVE(rdl, next);
    memory_region_section_free_copy(rdl->section);
    rdl->section = NULL;
}

void cxl_discard_manage(MemoryRegion *mr)
{
    CXLDiscard *m;

    if (memory_region_has_ram_discard_manager(mr)) {
        return;
    }
    m = CXL_DISCARD(object_new(TYPE_CXL_DISCARD));
    m->mr = mr;
    object_property_add_child(memory_region_owner(mr), "cxl-discard",
                              OBJECT(m));
    object_unref(OBJECT(m));
    memory_region_set_ram_discard_manager(mr, RAM_DISCARD_MANAGER(m));
}

/* Who still has a section, in the midst of a change of the map, asks for it */
void cxl_discard_leave(MemoryRegion *mr)
{
    Object *rdm = OBJECT(memory_region_get_ram_discard_manager(mr));

    if (rdm && object_dynamic_cast(rdm, TYPE_CXL_DISCARD) &&
        QLIST_EMPTY(&CXL_DISCARD(rdm)->listeners)) {
        memory_region_set_ram_discard_manager(mr, NULL);
        object_unparent(rdm);
    }
}

static void discard_class_init(ObjectClass *oc, const void *data)
{
    RamDiscardManagerClass *rdmc = RAM_DISCARD_MANAGER_CLASS(oc);

    rdmc->get_min_granularity = discard_granularity;
    rdmc->is_populated = discard_is_populated;
    rdmc->replay_populated = discard_replay_populated;
    /* In QEMU 10.0 it has no result */
    rdmc->replay_discarded =
        (typeof(rdmc->replay_discarded))discard_replay_discarded;
    rdmc->register_listener = discard_register;
    rdmc->unregister_listener = discard_unregister;
}

static const TypeInfo discard_types[] = {
    {
        .name = TYPE_CXL_DISCARD,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(CXLDiscard),
        .class_init = discard_class_init,
        .interfaces = (const InterfaceInfo[]) {
            { TYPE_RAM_DISCARD_MANAGER },
            { }
        },
    },
};

DEFINE_TYPES(discard_types)
