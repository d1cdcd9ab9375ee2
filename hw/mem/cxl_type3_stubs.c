/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What other files call of the Type 3 device, for builds without it: the
 * monitor's CXL commands exist in every system emulator.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/qapi-commands-cxl.h"
#include "hw/cxl/cxl_type3.h"

static void not_compiled_in(Error **errp)
{
    error_setg(errp, "CXL Type 3 support is not compiled in");
}

void qmp_cxl_inject_general_media_event(CxlGeneralMediaEventInjection *args,
                                        Error **errp)
{
    not_compiled_in(errp);
}

void qmp_cxl_inject_dram_event(CxlDRAMEventInjection *args, Error **errp)
{
    not_compiled_in(errp);
}

void qmp_cxl_inject_memory_module_event(CxlMemoryModuleEventInjection *args,
                                        Error **errp)
{
    not_compiled_in(errp);
}

void qmp_cxl_inject_poison(const char *path, uint64_t start, uint64_t length,
                           Error **errp)
{
    not_compiled_in(errp);
}

CxlInjectedErrors *
qmp_cxl_inject_uncorrectable_errors(const char *path,
                                    CXLUncorErrorRecordList *errors,
                                    Error **errp)
{
    not_compiled_in(errp);
    return NULL;
}

CxlInjectedErrors *qmp_cxl_inject_correctable_error(const char *path,
                                                    CxlCorErrorType type,
                                                    Error **errp)
{
    not_compiled_in(errp);
    return NULL;
}

void qmp_cxl_add_dynamic_capacity(
    const char *path, uint16_t host_id, uint8_t region,
    CxlExtentSelectionPolicy selection_policy, bool has_length, uint64_t length,
    bool has_extents, CxlDynamicCapacityExtentList *extents, const char *tag,
    Error **errp)
{
    not_compiled_in(errp);
}

void qmp_cxl_release_dynamic_capacity(
    const char *path, uint16_t host_id, CxlExtentRemovalPolicy removal_policy,
    bool has_region, uint8_t region,
    bool has_extents, CxlDynamicCapacityExtentList *extents, const char *tag,
    bool has_length, uint64_t length,
    bool has_sanitize_on_release, bool sanitize_on_release,
    bool has_forced_removal, bool forced_removal, Error **errp)
{
    not_compiled_in(errp);
}

CxlDynamicCapacityInfo *qmp_query_cxl_dynamic_capacity(
    const char *path, bool has_start, uint32_t start, bool has_limit,
    uint32_t limit, Error **errp)
{
    not_compiled_in(errp);
    return NULL;
}

/* No device of the type exists: command sets get no handle of one ... */
CXLType3Dev *cxl_cci_type3(const CXLCCI *cci)
{
    return NULL;
}

/* ... and therefore call none of these; nor is an address routed to one */
CXLCCI *cxl_type3_fm_cci(CXLType3Dev *d)
{
    g_assert_not_reached();
}

CXLCCI *cxl_type3_ld_cci(CXLType3Dev *d, uint16_t ld)
{
    g_assert_not_reached();
}

PCIDevice *cxl_type3_pci(CXLType3Dev *d)
{
    g_assert_not_reached();
}

CXLDynCap *cxl_type3_dc(CXLType3Dev *d)
{
    g_assert_not_reached();
}

uint64_t cxl_type3_volatile_size(const CXLType3Dev *d)
{
    g_assert_not_reached();
}

uint64_t cxl_type3_persistent_size(const CXLType3Dev *d)
{
    g_assert_not_reached();
}

uint64_t cxl_type3_lsa_size(const CXLType3Dev *d)
{
    g_assert_not_reached();
}

void cxl_type3_lsa_read(CXLType3Dev *d, uint64_t offset, void *buf, size_t n)
{
    g_assert_not_reached();
}

void cxl_type3_lsa_write(CXLType3Dev *d, uint64_t offset, const void *buf,
                         size_t n)
{
    g_assert_not_reached();
}

CXLEventLogs *cxl_type3_events(CXLType3Dev *d)
{
    g_assert_not_reached();
}

CXLEventLogs *cxl_type3_fm_events(CXLType3Dev *d)
{
    g_assert_not_reached();
}

CXLPoison *cxl_type3_poison(CXLType3Dev *d)
{
    g_assert_not_reached();
}

CXLMediaState *cxl_type3_media_state(CXLType3Dev *d)
{
    g_assert_not_reached();
}

CXLFirmware *cxl_type3_firmware(CXLType3Dev *d)
{
    g_assert_not_reached();
}

bool cxl_type3_store_line(CXLType3Dev *d, uint64_t dpa, const uint8_t *line)
{
    g_assert_not_reached();
}

CXLFeatures *cxl_type3_features(CXLType3Dev *d)
{
    g_assert_not_reached();
}

CXLMaintenance *cxl_type3_maintenance(CXLType3Dev *d)
{
    g_assert_not_reached();
}

CXLHealth *cxl_type3_health(CXLType3Dev *d)
{
    g_assert_not_reached();
}

CXLSecurity *cxl_type3_security(CXLType3Dev *d)
{
    g_assert_not_reached();
}

CXLHistory *cxl_type3_history(CXLType3Dev *d)
{
    g_assert_not_reached();
}

CXLDump *cxl_type3_dump(CXLType3Dev *d)
{
    g_assert_not_reached();
}

void cxl_type3_populate_dump(CXLType3Dev *d)
{
    g_assert_not_reached();
}

CXLQoS *cxl_type3_qos(CXLType3Dev *d)
{
    g_assert_not_reached();
}

CXLPartition *cxl_type3_partition(CXLType3Dev *d)
{
    g_assert_not_reached();
}

void cxl_type3_repartition(CXLType3Dev *d)
{
    g_assert_not_reached();
}

bool cxl_type3_is_decoded(CXLType3Dev *d, uint64_t dpa, uint64_t len)
{
    g_assert_not_reached();
}

void cxl_type3_set_media(CXLType3Dev *d, CXLMediaStatus status)
{
    g_assert_not_reached();
}

uint64_t cxl_type3_zero(CXLType3Dev *d, uint64_t dpa, uint64_t len,
                        uint64_t *budget)
{
    g_assert_not_reached();
}

void cxl_type3_wipe(CXLType3Dev *d, uint64_t dpa, uint64_t len)
{
    g_assert_not_reached();
}

void cxl_type3_wipe_begin(CXLType3Dev *d)
{
    g_assert_not_reached();
}

void cxl_type3_wipe_all(CXLType3Dev *d)
{
    g_assert_not_reached();
}

bool cxl_type3_wiping(const CXLType3Dev *d)
{
    g_assert_not_reached();
}

bool cxl_type3_fm_on_mailbox(const CXLType3Dev *d)
{
    g_assert_not_reached();
}
