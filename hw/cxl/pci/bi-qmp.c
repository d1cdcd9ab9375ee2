/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Back-invalidate: query-cxl-back-invalidate, see bi.h
 */
#include "qemu/osdep.h"
#include "qapi/qapi-commands-cxl.h"
#include "hw/pci/pci_device.h"
#include "hw/pci/pcie.h"
#include "bi.h"

static CxlBackInvalidateCommit bi_commit_of(CXLBICommit commit)
{
    switch (commit) {
    case CXL_BI_COMMIT_NONE:
        return CXL_BACK_INVALIDATE_COMMIT_NONE;
    case CXL_BI_COMMIT_RUNS:
        return CXL_BACK_INVALIDATE_COMMIT_IN_PROGRESS;
    case CXL_BI_COMMIT_DONE:
        return CXL_BACK_INVALIDATE_COMMIT_COMMITTED;
    case CXL_BI_COMMIT_FAILED:
        return CXL_BACK_INVALIDATE_COMMIT_FAILED;
    }
    g_assert_not_reached();
}

/* Those of a device that has a BI decoder */
static void bi_describe_device(CXLComponentState *cxl,
                               CxlBackInvalidateInfo *info)
{
    static const CxlBackInvalidateObstacle obstacles[] = {
        [CXL_BI_OFF] = CXL_BACK_INVALIDATE_OBSTACLE_OFF,
        [CXL_BI_LINK] = CXL_BACK_INVALIDATE_OBSTACLE_LINK,
        [CXL_BI_PORT] = CXL_BACK_INVALIDATE_OBSTACLE_PORT,
        [CXL_BI_COMMIT] = CXL_BACK_INVALIDATE_OBSTACLE_COMMIT,
        [CXL_BI_BUS] = CXL_BACK_INVALIDATE_OBSTACLE_BUS_NUMBER,
        [CXL_BI_ROUTE] = CXL_BACK_INVALIDATE_OBSTACLE_ROUTE_TABLE,
    };
    CXLBIObstacle why = cxl_bi_obstacle(cxl);

    if (why == CXL_BI_NONE) {
        info->has_bi_id = true;
        info->bi_id = pci_dev_bus_num(cxl->pdev);
    } else {
        info->has_obstacle = true;
        info->obstacle = obstacles[why];
    }
}

static int bi_describe(Object *obj, void *opaque)
{
    CxlBackInvalidateInfoList ***tail = opaque;
    CXLComponentState *cxl = NULL;
    CxlBackInvalidateInfo *info;
    CXLBIState state;

    if (object_dynamic_cast(obj, INTERFACE_CXL_DEVICE)) {
        cxl = cxl_component_of(obj);
    }
    if (!cxl || !cxl->flit_256b || !DEVICE(obj)->realized) {
        return 0;
    }
    cxl_bi_get(cxl, &state);
    info = g_new0(CxlBackInvalidateInfo, 1);
    info->path = object_get_canonical_path(obj);
    info->flit_256b = state.flit_256b;
    info->has_enable = info->has_forward = state.decoder;
    info->enable = state.enable;
    info->forward = state.forward;
    info->has_commit = cxl->bi != NULL;
    info->commit = bi_commit_of(state.commit);
    if (state.decoder && cxl->hdm_db) {
        bi_describe_device(cxl, info);
    }
    QAPI_LIST_APPEND(*tail, info);
    return 0;
}

CxlBackInvalidateInfoList *qmp_query_cxl_back_invalidate(Error **errp)
{
    CxlBackInvalidateInfoList *all = NULL, **tail = &all;

    object_child_foreach_recursive(object_get_root(), bi_describe, &tail);
    return all;
}
