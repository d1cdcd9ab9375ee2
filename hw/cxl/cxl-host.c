/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machine side of CXL: properties "cxl" and "cxl-fmw", host bridges' register
 * space. CXL r3.2 section 9.18.1.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "hw/qdev-core.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci-bridge/pci_expander_bridge.h"
#include "hw/cxl/cxl_host.h"

#define DEFAULT_GRANULARITY     256

/* @index: N of "cxl-fmw.N", in this setting */
static CXLFixedWindow *host_window_new(CXLState *state,
                                       const CXLFixedMemoryWindowOptions *opts,
                                       unsigned index, Error **errp)
{
    unsigned num_targets = QAPI_LIST_LENGTH(opts->targets);
    int ways = cxl_interleave_encode_ways(num_targets);
    uint64_t bytes = opts->has_interleave_granularity ?
                     opts->interleave_granularity : DEFAULT_GRANULARITY;
    int granularity = cxl_interleave_encode_granularity(bytes);
    uint16_t restrictions = opts->has_restrictions ? opts->restrictions :
                            CXL_WINDOW_DEFAULT;
    const strList *t;
    CXLFixedWindow *fw;

    if (ways < 0) {
        error_setg(errp, "Interleave ways: %u not supported: give 1, 2, 3, 4, "
                   "6, 8, 12 or 16 host bridges in cxl-fmw.%u.targets",
                   num_targets, index);
        return NULL;
    }
    if (!opts->size || opts->size % CXL_HDM_GRANULE) {
        error_setg(errp, "Size of a CXL fixed memory window must be a "
                   "multiple of 256MiB: cxl-fmw.%u.size is 0x%" PRIx64, index,
                   opts->size);
        return NULL;
    }
    if (granularity < 0) {
        error_setg(errp, "Interleave granularity: %" PRIu64 " invalid: give "
                   "256, 512, 1k, 2k, 4k, 8k or 16k as "
                   "cxl-fmw.%u.interleave-granularity", bytes, index);
        return NULL;
    }

    if (restrictions & ~CXL_WINDOW_ALL ||
        !(restrictions & (CXL_WINDOW_DEVICE_COHERENT | CXL_WINDOW_HOST_ONLY)) ||
        (restrictions & CXL_WINDOW_BI &&
         !(restrictions & CXL_WINDOW_DEVICE_COHERENT))) {
        error_setg(errp, "cxl-fmw.%u.restrictions is 0x%x: give bits 0 to 5 "
                   "only, of which bit 0 or 1, and bit 5 with bit 0", index,
                   restrictions);
        return NULL;
    }

    fw = CXL_FMW(object_new(TYPE_CXL_FMW));
    fw->state = state;
    fw->size = opts->size;
    fw->enc_int_ways = ways;
    fw->enc_int_gran = granularity;
    fw->restrictions = restrictions;
    for (t = opts->targets; t; t = t->next) {
        fw->targets[fw->num_targets++] = g_strdup(t->value);
    }
    return fw;
}

/* Windows and bridges are placed when the machine is built, and never again */
static bool host_may_change(const char *name, Error **errp)
{
    if (phase_check(PHASE_MACHINE_INITIALIZED)) {
        error_setg(errp, "property '%s' of a machine that is built cannot be "
                   "changed: give it to -machine", name);
        return false;
    }
    return true;
}

static void host_get_enabled(Object *obj, Visitor *v, const char *name,
                             void *opaque, Error **errp)
{
    CXLState *state = opaque;

    visit_type_bool(v, name, &state->is_enabled, errp);
}

static void host_set_enabled(Object *obj, Visitor *v, const char *name,
                             void *opaque, Error **errp)
{
    CXLState *state = opaque;

    if (host_may_change(name, errp)) {
        visit_type_bool(v, name, &state->is_enabled, errp);
    }
}

static void host_get_windows(Object *obj, Visitor *v, const char *name,
                             void *opaque, Error **errp)
{
    CXLState *state = opaque;

    visit_type_CXLFixedMemoryWindowOptionsList(v, name, &state->cfmw_list,
                                               errp);
}

/* All windows of a setting are added, or none; earlier settings stay */
static void host_set_windows(Object *obj, Visitor *v, const char *name,
                             void *opaque, Error **errp)
{
    CXLState *state = opaque;
    CXLFixedMemoryWindowOptionsList *list = NULL;
    GList *windows = NULL;
    unsigned index = 0;

    if (!host_may_change(name, errp) ||
        !visit_type_CXLFixedMemoryWindowOptionsList(v, name, &list, errp)) {
        return;
    }
    for (CXLFixedMemoryWindowOptionsList *it = list; it; it = it->next) {
        CXLFixedWindow *fw = host_window_new(state, it->value, index++, errp);

        if (!fw) {
            g_list_free_full(windows, object_unref);
            qapi_free_CXLFixedMemoryWindowOptionsList(list);
            return;
        }
        windows = g_list_append(windows, fw);
    }

    index = g_list_length(state->fixed_windows);
    for (GList *it = windows; it; it = it->next) {
        CXLFixedWindow *fw = it->data;

        fw->index = index++;
        object_property_add_child(obj, "cxl-fmw[*]", OBJECT(fw));
        sysbus_realize_and_unref(SYS_BUS_DEVICE(fw), &error_abort);
    }
    state->fixed_windows = g_list_concat(state->fixed_windows, windows);
    qapi_free_CXLFixedMemoryWindowOptionsList(state->cfmw_list);
    state->cfmw_list = list;
}

void cxl_machine_init(Object *obj, CXLState *state)
{
    object_property_add(obj, "cxl", "bool", host_get_enabled, host_set_enabled,
                        NULL, state);
    object_property_set_description(obj, "cxl",
                                    "Set on/off to enable/disable CXL "
                                    "instantiation");

    object_property_add(obj, "cxl-fmw", "CXLFixedMemoryWindow",
                        host_get_windows, host_set_windows, NULL, state);
    object_property_set_description(obj, "cxl-fmw",
                                    "CXL Fixed Memory Windows (array)");
}

void cxl_hook_up_pxb_registers(PCIBus *root, CXLState *state, Error **errp)
{
    ERRP_GUARD();
    PCIBus *bus;

    QLIST_FOREACH(bus, &root->child, sibling) {
        if (!pci_bus_is_root(bus) || !pci_bus_is_cxl(bus)) {
            continue;
        }
        if (!state->is_enabled) {
            error_setg(errp, "CXL host bridges present, but cxl=off: give the "
                       "machine cxl=on");
            return;
        }
        /* The bridge's own check lets one through that ends up outside */
        if ((state->next_mr_idx + 1) * CXL_COMPONENT_BLOCK_SIZE >
            memory_region_size(&state->host_mr)) {
            error_setg(errp, "Insufficient space for pxb cxl host register "
                       "space: a machine has room for %" PRIu64 " pxb-cxl",
                       memory_region_size(&state->host_mr) /
                       CXL_COMPONENT_BLOCK_SIZE);
            return;
        }
        pxb_cxl_hook_up_registers(state, bus, errp);
        if (*errp) {
            return;
        }
    }
}
