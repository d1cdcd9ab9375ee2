/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor's commands for faults, in builds without CXL
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/qapi-commands-cxl.h"

static void fault_no_cxl(Error **errp)
{
    error_setg(errp, "CXL support is not compiled in");
}

CxlFaultId *qmp_cxl_inject_fault(CxlFaultInjection *args, Error **errp)
{
    fault_no_cxl(errp);
    return NULL;
}

CxlFaultInfoList *qmp_query_cxl_faults(const char *path, Error **errp)
{
    fault_no_cxl(errp);
    return NULL;
}

void qmp_cxl_clear_fault(const char *path, bool has_id, uint32_t id,
                         Error **errp)
{
    fault_no_cxl(errp);
}

CxlFaultKindInfoList *qmp_query_cxl_fault_kinds(Error **errp)
{
    fault_no_cxl(errp);
    return NULL;
}
