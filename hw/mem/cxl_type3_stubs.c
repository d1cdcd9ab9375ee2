/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What other files call of the Type 3 device, for builds without it: the
 * monitor's CXL commands exist in every system emulator.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/qapi-commands-cxl.h"

static void stubs_not_compiled_in(Error **errp)
{
    error_setg(errp, "CXL Type 3 support is not compiled in");
}

void qmp_cxl_inject_general_media_event(CxlGeneralMediaEventInjection *args,
                                        Error **errp)
{
    stubs_not_compiled_in(errp);
}

void qmp_cxl_inject_dram_event(CxlDRAMEventInjection *args, Error **errp)
{
    stubs_not_compiled_in(errp);
}

void qmp_cxl_inject_memory_module_event(CxlMemoryModuleEventInjection *args,
                                        Error **errp)
{
    stubs_not_compiled_in(errp);
}

void qmp_cxl_inject_poison(const char *path, uint64_t start, uint64_t length,
                           Error **errp)
{
    stubs_not_compiled_in(errp);
}

CxlInjectedErrors *
qmp_cxl_inject_uncorrectable_errors(const char *path,
                                    CXLUncorErrorRecordList *errors,
                                    Error **errp)
{
    stubs_not_compiled_in(errp);
    return NULL;
}

CxlInjectedErrors *qmp_cxl_inject_correctable_error(const char *path,
                                                    CxlCorErrorType type,
                                                    Error **errp)
{
    stubs_not_compiled_in(errp);
    return NULL;
}

void qmp_cxl_add_dynamic_capacity(
    const char *path, uint16_t host_id, uint8_t region,
    CxlExtentSelectionPolicy selection_policy, bool has_length, uint64_t length,
    bool has_extents, CxlDynamicCapacityExtentList *extents, const char *tag,
    Error **errp)
{
    stubs_not_compiled_in(errp);
}

void qmp_cxl_release_dynamic_capacity(
    const char *path, uint16_t host_id, CxlExtentRemovalPolicy removal_policy,
    bool has_region, uint8_t region,
    bool has_extents, CxlDynamicCapacityExtentList *extents, const char *tag,
    bool has_length, uint64_t length,
    bool has_sanitize_on_release, bool sanitize_on_release,
    bool has_forced_removal, bool forced_removal, Error **errp)
{
    stubs_not_compiled_in(errp);
}

CxlDynamicCapacityInfo *qmp_query_cxl_dynamic_capacity(
    const char *path, bool has_start, uint32_t start, bool has_limit,
    uint32_t limit, Error **errp)
{
    stubs_not_compiled_in(errp);
    return NULL;
}
