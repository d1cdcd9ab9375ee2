/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a machine calls of the CXL layer, for builds without CXL: there are no
 * properties, hence no windows and no host bridges.
 */
#include "qemu/osdep.h"
#include "qapi/qapi-commands-cxl.h"
#include "hw/cxl/cxl_host.h"

void cxl_machine_init(Object *obj, CXLState *state)
{
}

void cxl_fmws_link_targets(Error **errp)
{
}

hwaddr cxl_fmws_set_memmap(hwaddr base, hwaddr max_addr)
{
    return base;
}

void cxl_fmws_update_mmio(void)
{
}

void cxl_hook_up_pxb_registers(PCIBus *root, CXLState *state, Error **errp)
{
}

CxlBackInvalidateInfoList *qmp_query_cxl_back_invalidate(Error **errp)
{
    return NULL;
}

CxlMemoryWindowList *qmp_query_cxl_memory_map(bool has_start, uint64_t start,
                                              bool has_limit, uint32_t limit,
                                              Error **errp)
{
    return NULL;
}
