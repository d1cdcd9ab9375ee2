/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fixed memory windows as devices of a machine: their places among the host
 * physical addresses, and the host bridges behind them.  CXL r3.2 sections
 * 9.13.1 and 9.18.1.3.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "hw/pci/pci_bridge.h"
#include "hw/cxl/cxl_error.h"
#include "migration/vmstate-checked.h"
#include "hdm/hdm-internal.h"

static gint fmw_compare(gconstpointer a, gconstpointer b)
{
    const CXLFixedWindow *first = a, *second = b;

    return first->index < second->index ? -1 : first->index > second->index;
}

static int fmw_collect(Object *obj, void *opaque)
{
    GSList **windows = opaque;

    if (object_dynamic_cast(obj, TYPE_CXL_FMW)) {
        *windows = g_slist_insert_sorted(*windows, obj, fmw_compare);
    }
    return 0;
}

GSList *cxl_fmws_get_all_sorted(void)
{
    GSList *windows = NULL;

    object_child_foreach_recursive(object_get_root(), fmw_collect, &windows);
    return windows;
}

hwaddr cxl_fmws_set_memmap(hwaddr base, hwaddr max_addr)
{
    g_autoptr(GSList) windows = cxl_fmws_get_all_sorted();

    for (GSList *it = windows; it; it = it->next) {
        CXLFixedWindow *fw = it->data;

        fw->base = cxl_window_start(fw, base);
        if (fw->base > max_addr || fw->size > max_addr - fw->base) {
            error_setg(&error_fatal, "cxl-fmw.%u.size is 0x%" PRIx64
                       ", but addresses end at 0x%" PRIx64
                       " and the window begins at 0x%" PRIx64, fw->index,
                       fw->size, max_addr, fw->base);
        }
        base = fw->base + fw->size;
    }
    return base;
}

void cxl_fmws_update_mmio(void)
{
    g_autoptr(GSList) windows = cxl_fmws_get_all_sorted();

    for (GSList *it = windows; it; it = it->next) {
        sysbus_mmio_map(it->data, 0, CXL_FMW(it->data)->base);
    }
}

/* -- host bridges --------------------------------------------------------- */

/* Before the first reset of the machine, so its registers are to come */
static void fmw_allow_bi(PXBCXLDev *hb)
{
    PCIHostState *host = PCI_HOST_BRIDGE(hb->cxl_host_bridge);

    cxl_get_hb_cstate(host)->hdm_db = true;
}

static bool fmw_link(CXLFixedWindow *fw, Error **errp)
{
    for (int i = 0; i < fw->num_targets; i++) {
        Object *hb = object_resolve_path_type(fw->targets[i], TYPE_PXB_CXL_DEV,
                                              NULL);
        g_autofree char *name = cxl_echo(fw->targets[i]);

        if (!hb) {
            error_setg(errp, "Could not resolve CXLFM target %s: "
                       "cxl-fmw.%u.targets.%d must be the id of a pxb-cxl",
                       name, fw->index, i);
            return false;
        }
        for (int k = 0; k < i; k++) {
            /* Such a bridge would have to tell its two parts apart */
            if (OBJECT(fw->target_hbs[k]) == hb) {
                error_setg(errp, "cxl-fmw.%u.targets.%d is host bridge %s as "
                           "targets.%d is: name each bridge once", fw->index,
                           i, name, k);
                return false;
            }
        }
        fw->target_hbs[i] = PXB_CXL_DEV(hb);
        if (fw->restrictions & CXL_WINDOW_BI) {
            fmw_allow_bi(fw->target_hbs[i]);
        }
    }
    return true;
}

/* -- saved state ---------------------------------------------------------- */

/* What the guest has read in its CEDT, and its decoders stand on */
static char *fmw_text(void *opaque, const VMStateField *field)
{
    const CXLState *state = opaque;
    GString *s = g_string_new(NULL);

    for (GList *it = state->fixed_windows; it; it = it->next) {
        const CXLFixedWindow *fw = it->data;

        g_string_append_printf(
            s, "%s0x%" PRIx64 " bytes at 0x%" HWADDR_PRIx ", %u by %u, bus",
            s->len ? "; " : "", fw->size, fw->base, fw->num_targets,
            cxl_interleave_decode_granularity(fw->enc_int_gran));
        for (unsigned i = 0; i < fw->num_targets; i++) {
            g_string_append_printf(s, " %u",
                                   PXB_DEV(fw->target_hbs[i])->bus_nr);
        }
        if (fw->restrictions != CXL_WINDOW_DEFAULT) {
            g_string_append_printf(s, ", restrictions 0x%x", fw->restrictions);
        }
    }
    return g_string_free(s, false);
}

static const VMStateText fmw_same = {
    VMSTATE_TEXT_INFO,
    .text = fmw_text,
};

static const VMStateDescription vmstate_fmw = {
    .name = "cxl-fixed-memory-windows",
    .version_id = 1,
    .minimum_version_id = 1,
    /* before whatever has decoders */
    .priority = MIG_PRI_PCI_BUS,
    .fields = (const VMStateField[]) {
        VMSTATE_SAME_TEXT(fmw_same, CXLState, "cxl-fmw"),
        VMSTATE_END_OF_LIST()
    }
};

void cxl_fmws_link_targets(Error **errp)
{
    g_autoptr(GSList) windows = cxl_fmws_get_all_sorted();
    CXLState *state;

    if (!windows) {
        return;
    }
    for (GSList *it = windows; it; it = it->next) {
        if (!fmw_link(it->data, errp)) {
            return;
        }
    }
    state = CXL_FMW(windows->data)->state;
    vmstate_register(NULL, 0, &vmstate_fmw, state);
    cxl_direct_start(state);
}

/* -- ACPI ----------------------------------------------------------------- */

void cxl_window_put_restrictions(const CXLFixedWindow *fw, GArray *cedt)
{
    uint16_t le = cpu_to_le16(fw->restrictions);

    memcpy(&g_array_index(cedt, uint8_t, cedt->len - sizeof(le)), &le,
           sizeof(le));
}

/* -- device --------------------------------------------------------------- */

static void fmw_realize(DeviceState *dev, Error **errp)
{
    CXLFixedWindow *fw = CXL_FMW(dev);

    cxl_window_init(fw);
    memory_region_init_io(&fw->mr, OBJECT(dev), &cxl_window_ops, fw,
                          "cxl-fixed-memory-region", fw->size);
    sysbus_init_mmio(SYS_BUS_DEVICE(dev), &fw->mr);
}

static void fmw_finalize(Object *obj)
{
    CXLFixedWindow *fw = CXL_FMW(obj);

    for (int i = 0; i < fw->num_targets; i++) {
        g_free(fw->targets[i]);
    }
}

static void fmw_class_init(ObjectClass *oc, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);

    dc->desc = "CXL Fixed Memory Window";
    dc->realize = fmw_realize;
    /* the machine property "cxl-fmw" makes them */
    dc->user_creatable = false;
}

static const TypeInfo fmw_types[] = {
    {
        .name = TYPE_CXL_FMW,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(CXLFixedWindow),
        .instance_finalize = fmw_finalize,
        .class_init = fmw_class_init,
    },
};

DEFINE_TYPES(fmw_types)
