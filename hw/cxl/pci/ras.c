/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Uncorrectable errors behind the RAS registers of a port or device, see
 * cxl_ras.h
 */
#include "qemu/osdep.h"
#include "hw/cxl/cxl_ras.h"
#include "hw/pci/pci_device.h"
#include "migration/vmstate-checked.h"

/* Frees CXLRASErrors with the component's object, which has no place for it */
#define PROPERTY "x-ras-errors"

/**
 * struct CXLRASErrors - what waits
 * @error: oldest first; the registers show the first
 */
struct CXLRASErrors {
    CXLRASError error[CXL_RAS_ERRORS_MAX];
    uint32_t n;
};

static uint32_t *ras_reg(const CXLComponentState *cxl, unsigned offset)
{
    return (uint32_t *)&cxl->crb.cache_mem_registers[offset / 4];
}

bool cxl_ras_present(const CXLComponentState *cxl)
{
    return *ras_reg(cxl, CXL_CAP_RAS_HEADER);
}

uint32_t cxl_ras_waiting(const CXLComponentState *cxl)
{
    return cxl->ras ? cxl->ras->n : 0;
}

void cxl_ras_forget(CXLComponentState *cxl)
{
    if (cxl->ras) {
        cxl->ras->n = 0;
    }
}

static void ras_release(Object *obj, const char *name, void *opaque)
{
    g_free(opaque);
}

static CXLRASErrors *ras_make(CXLComponentState *cxl)
{
    if (!cxl->ras) {
        cxl->ras = g_new0(CXLRASErrors, 1);
        object_property_add(OBJECT(cxl->pdev), PROPERTY, "struct", NULL, NULL,
                            ras_release, cxl->ras);
    }
    return cxl->ras;
}

/* Status, first error pointer and header log */
static void ras_show(CXLComponentState *cxl)
{
    const CXLRASErrors *ras = cxl->ras;
    uint32_t *control = ras_reg(cxl, CXL_RAS_CONTROL);
    unsigned i;

    for (i = 0; i < ras->n; i++) {
        *ras_reg(cxl, CXL_RAS_UNC_STATUS) |= 1u << ras->error[i].bit;
    }
    *control &= ~CXL_RAS_FIRST_ERROR;
    if (ras->n) {
        *control |= ras->error[0].bit;
        memcpy(ras_reg(cxl, CXL_RAS_HEADER_LOG), ras->error[0].header,
               sizeof(ras->error[0].header));
    } else {
        /* No error has this number */
        *control |= CXL_RAS_FIRST_ERROR;
    }
}

void cxl_ras_add(CXLComponentState *cxl, const CXLRASError *error, unsigned n)
{
    CXLRASErrors *ras = ras_make(cxl);

    g_assert(n <= CXL_RAS_ERRORS_MAX - ras->n);
    memcpy(&ras->error[ras->n], error, n * sizeof(error[0]));
    ras->n += n;
    ras_show(cxl);
}

void cxl_ras_write_uncorrectable(CXLComponentState *cxl, uint32_t value)
{
    CXLRASErrors *ras = cxl->ras;
    unsigned i, kept = 0;
    bool first;

    *ras_reg(cxl, CXL_RAS_UNC_STATUS) &= ~value;
    if (!cxl_ras_waiting(cxl)) {
        return;
    }
    first = value == 1u << ras->error[0].bit;
    for (i = first; i < ras->n; i++) {
        if (first || !(value & (1u << ras->error[i].bit))) {
            ras->error[kept++] = ras->error[i];
        }
    }
    ras->n = kept;
    ras_show(cxl);
}

/* -- migration ------------------------------------------------------------ */

static const VMStateDescription vmstate_ras_error = {
    .name = "cxl-ras-error",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8(bit, CXLRASError),
        VMSTATE_UINT32_ARRAY(header, CXLRASError, CXL_RAS_HEADER_LOG_DWORDS),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateCounted ras_errors = {
    VMSTATE_COUNTED_INFO(error, n, CXLRASErrors),
    .vmsd = &vmstate_ras_error,
    .size = sizeof(CXLRASError),
    .max = CXL_RAS_ERRORS_MAX,
    .in_place = true,
};

static int ras_errors_post_load(void *opaque, int version_id)
{
    CXLRASErrors *ras = opaque;
    unsigned i;

    for (i = 0; i < ras->n; i++) {
        if (ras->error[i].bit > 31 ||
            !(CXL_RAS_UNC_BITS & (1u << ras->error[i].bit))) {
            ras->n = 0;
            return -EINVAL;
        }
    }
    return 0;
}

static const VMStateDescription vmstate_ras_errors = {
    .name = "cxl-ras-errors",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = ras_errors_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_COUNTED(error, CXLRASErrors, ras_errors),
        VMSTATE_END_OF_LIST()
    },
};

static bool ras_needed(void *opaque)
{
    return cxl_ras_waiting(opaque);
}

static int ras_pre_load(void *opaque)
{
    CXLComponentState *cxl = opaque;

    /* A stream may say it of a component that has no such registers */
    if (!cxl->pdev || !cxl_ras_present(cxl)) {
        return -EINVAL;
    }
    ras_make(cxl);
    return 0;
}

const VMStateDescription vmstate_cxl_ras = {
    .name = "cxl-component/ras",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = ras_needed,
    .pre_load = ras_pre_load,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT_POINTER(ras, CXLComponentState, vmstate_ras_errors,
                               CXLRASErrors),
        VMSTATE_END_OF_LIST()
    },
};
