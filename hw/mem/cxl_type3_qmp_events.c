/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL Type 3 memory device: media events and poison injected through QMP
 * (CXL r3.2 8.2.10.2.1, 8.2.10.9.4)
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/qapi-commands-cxl.h"
#include "hw/cxl/cxl_error.h"
#include "hw/cxl/memdev/maintenance.h"
#include "hw/cxl/memdev/poison.h"
#include "cxl_type3_internal.h"
#include "trace.h"

/* Fields that the General Media and DRAM records begin with */
enum {
    REC_DPA             = 0x30,
    REC_DESCRIPTOR      = 0x38,
    REC_TYPE            = 0x39,
    REC_TRANSACTION     = 0x3a,
    REC_VALIDITY        = 0x3b,
    REC_CHANNEL         = 0x3d,
    REC_RANK            = 0x3e,
};

/* Memory Event Descriptor: a threshold was reached */
#define DESCRIPTOR_THRESHOLD    (1 << 1)

/* General Media (Table 8-57) */
enum {
    GM_DEVICE           = 0x3f,
    GM_COMPONENT_ID     = 0x42,
    GM_CME_FLAGS        = 0x52,
    GM_CME_COUNT        = 0x53,
    GM_SUB_TYPE         = 0x56,
};

enum {
    GM_HAS_CHANNEL      = 1 << 0,
    GM_HAS_RANK         = 1 << 1,
    GM_HAS_DEVICE       = 1 << 2,
    GM_HAS_COMPONENT    = 1 << 3,
    GM_HAS_PLDM         = 1 << 4,
};

/* DRAM (Table 8-58) */
enum {
    DRAM_NIBBLES        = 0x3f,
    DRAM_BANK_GROUP     = 0x42,
    DRAM_BANK           = 0x43,
    DRAM_ROW            = 0x44,
    DRAM_COLUMN         = 0x47,
    DRAM_CORRECTION     = 0x49,
    DRAM_MASKS          = 4,
    DRAM_COMPONENT_ID   = 0x69,
    DRAM_SUB_CHANNEL    = 0x79,
    DRAM_CME_FLAGS      = 0x7a,
    DRAM_CVME_COUNT     = 0x7b,
    DRAM_SUB_TYPE       = 0x7e,
};

enum {
    DRAM_HAS_CHANNEL    = 1 << 0,
    DRAM_HAS_RANK       = 1 << 1,
    DRAM_HAS_NIBBLES    = 1 << 2,
    DRAM_HAS_BANK_GROUP = 1 << 3,
    DRAM_HAS_BANK       = 1 << 4,
    DRAM_HAS_ROW        = 1 << 5,
    DRAM_HAS_COLUMN     = 1 << 6,
    DRAM_HAS_CORRECTION = 1 << 7,
    DRAM_HAS_COMPONENT  = 1 << 8,
    DRAM_HAS_PLDM       = 1 << 9,
    DRAM_HAS_SUB_CHANNEL = 1 << 10,
};

/* Memory Module (Table 8-59): type, then what Get Health Info answers */
enum {
    MM_TYPE             = 0x30,
    MM_HEALTH           = 0x31,
    MM_MEDIA            = 0x32,
    MM_ADDITIONAL       = 0x33,
    MM_LIFE_USED        = 0x34,
    MM_TEMPERATURE      = 0x35,
    MM_DIRTY_SHUTDOWNS  = 0x37,
    MM_VOLATILE_ERRORS  = 0x3b,
    MM_PMEM_ERRORS      = 0x3f,
    MM_VALIDITY         = 0x43,
    MM_COMPONENT_ID     = 0x45,
    MM_SUB_TYPE         = 0x55,
};

enum {
    MM_HAS_COMPONENT    = 1 << 0,
    MM_HAS_PLDM         = 1 << 1,
};

static int qmp_find_device(Object *obj, void *opaque)
{
    if (object_dynamic_cast(obj, TYPE_CXL_TYPE3) && DEVICE(obj)->realized) {
        g_ptr_array_add(opaque, obj);
    }
    return 0;
}

/* Without a path: the only device that there is */
static CXLType3Dev *qmp_only_device(Error **errp)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    g_autoptr(GString) list = g_string_new("");
    unsigned i;

    object_child_foreach_recursive(object_get_root(), qmp_find_device, found);
    if (found->len == 1) {
        return CXL_TYPE3(found->pdata[0]);
    }
    for (i = 0; i < found->len; i++) {
        g_autofree char *path = object_get_canonical_path(found->pdata[i]);
        g_autofree char *shown = cxl_echo(path);

        g_string_append_printf(list, "%s%s", i ? ", " : "", shown);
    }
    error_setg(errp, "argument 'path' is missing, and there %s%s",
               i ? "are several CXL Type 3 devices: " :
                   "is no CXL Type 3 device", list->str);
    return NULL;
}

CXLType3Dev *cxl_type3_from_path(const char *path, Error **errp)
{
    g_autofree char *shown = NULL;
    bool ambiguous = false;
    Object *obj;

    if (!path) {
        return qmp_only_device(errp);
    }
    /* A memory backend or a bus may have the same id as the device */
    obj = *path ? object_resolve_path_type(path, TYPE_CXL_TYPE3, NULL) : NULL;
    if (obj && DEVICE(obj)->realized) {
        return CXL_TYPE3(obj);
    }
    shown = cxl_echo(path);
    if (object_resolve_path(path, &ambiguous) || ambiguous) {
        error_setg(errp, "Path does not point to a CXL type 3 device: '%s'",
                   shown);
    } else {
        error_setg(errp, "Unable to resolve path '%s': give the id or QOM path "
                   "of a cxl-type3", shown);
    }
    return NULL;
}

static bool event_log_from_qmp(CxlEventLog qmp, CXLEventLogId *log,
                               Error **errp)
{
    switch (qmp) {
    case CXL_EVENT_LOG_INFORMATIONAL:
        *log = CXL_EVENT_LOG_INFO;
        return true;
    case CXL_EVENT_LOG_WARNING:
        *log = CXL_EVENT_LOG_WARN;
        return true;
    case CXL_EVENT_LOG_FAILURE:
        *log = CXL_EVENT_LOG_FAIL;
        return true;
    case CXL_EVENT_LOG_FATAL:
        *log = CXL_EVENT_LOG_FATAL_ERR;
        return true;
    default:
        error_setg(errp, "Unhandled error log type");
        return false;
    }
}

static void event_append(CXLType3Dev *d, CXLEventLogId log,
                         const CXLEventRecord *r)
{
    bool logged = cxl_event_append(d->mem->events, log, r);

    trace_cxl_type3_inject(DEVICE(d)->id, cxl_event_log_name(log), logged);
}

/* Does an argument fit into its field? */
static bool event_fits(const char *name, uint64_t value, unsigned bytes,
                       Error **errp)
{
    if (value >> (8 * bytes)) {
        error_setg(errp, "argument '%s' is 0x%" PRIx64 ", but its field has %u "
                   "bits", name, value, 8 * bytes);
        return false;
    }
    return true;
}

/**
 * struct RecordField - an argument that has a field of the record
 * @name: of the argument
 * @given: false if the caller left it out
 * @valid: the bit of the record that says so, 0 if there is none
 * @bytes: width of the field, at most 4
 */
typedef struct RecordField {
    const char *name;
    bool given;
    uint16_t valid;
    uint8_t at;
    uint8_t bytes;
    uint32_t value;
} RecordField;

/* Where a kind of record has what several kinds have, and its validity bits */
typedef struct RecordForm {
    const QemuUUID *kind;
    uint8_t validity;
    uint8_t component_id;
    uint8_t sub_type;
    uint16_t has_component;
    uint16_t has_pldm;
} RecordForm;

static void event_add_valid(CXLEventRecord *r, const RecordForm *form,
                            uint16_t valid)
{
    uint8_t *at = r->b + form->validity;

    stw_le_p(at, lduw_le_p(at) | valid);
}

static bool event_put_fields(CXLEventRecord *r, const RecordForm *form,
                             const RecordField *field, size_t n, Error **errp)
{
    unsigned i;

    for (; n; n--, field++) {
        if (!field->given) {
            continue;
        }
        if (!event_fits(field->name, field->value, field->bytes, errp)) {
            return false;
        }
        for (i = 0; i < field->bytes; i++) {
            r->b[field->at + i] = field->value >> (8 * i);
        }
        event_add_valid(r, form, field->valid);
    }
    return true;
}

static bool event_put_component(CXLEventRecord *r, const RecordForm *form,
                                const CxlEventInjection *args, Error **errp)
{
    size_t len = args->component_id ? strlen(args->component_id) : 0;

    if (len > CXL_EVENT_COMPONENT_ID_SIZE) {
        g_autofree char *shown = cxl_echo(args->component_id);

        error_setg(errp, "argument 'component-id' is '%s' of %zu bytes, but "
                   "its field has %d", shown, len,
                   CXL_EVENT_COMPONENT_ID_SIZE);
        return false;
    }
    if (args->component_id) {
        memcpy(r->b + form->component_id, args->component_id, len);
        event_add_valid(r, form, form->has_component |
                        (args->has_is_comp_id_pldm && args->is_comp_id_pldm ?
                         form->has_pldm : 0));
    }
    return true;
}

/* What every record begins with */
static bool event_begin(CXLEventRecord *r, const RecordForm *form,
                        const CxlEventInjection *args, Error **errp)
{
    const RecordField field[] = {
        { "maint-op-class", args->has_maint_op_class, 0, CXL_EVENT_OFF_CLASS,
          1, args->maint_op_class },
        { "maint-op-subclass", args->has_maint_op_subclass, 0,
          CXL_EVENT_OFF_SUBCLASS, 1, args->maint_op_subclass },
        { "ld-id", args->has_ld_id, 0, CXL_EVENT_OFF_LD, 2, args->ld_id },
        { "head-id", args->has_head_id, 0, CXL_EVENT_OFF_HEAD, 1,
          args->head_id },
        { "sub-type", args->has_sub_type, 0, form->sub_type, 1,
          args->sub_type },
    };

    if (!event_fits("flags", args->flags,
                    CXL_EVENT_OFF_HANDLE - CXL_EVENT_OFF_FLAGS, errp)) {
        return false;
    }
    cxl_event_record_init(
        r, form->kind, args->flags |
        (args->has_maint_op_subclass ? CXL_EVENT_FLAG_SUBCLASS : 0) |
        (args->has_ld_id ? CXL_EVENT_FLAG_LD : 0) |
        (args->has_head_id ? CXL_EVENT_FLAG_HEAD : 0));
    return event_put_fields(r, form, field, ARRAY_SIZE(field), errp) &&
           event_put_component(r, form, args, errp);
}

/* What General Media and DRAM records go on with */
static bool event_begin_media(CXLType3Dev *d, CXLEventRecord *r,
                              const RecordForm *form,
                              const CxlMediaEventInjection *args,
                              bool has_count, Error **errp)
{
    uint64_t end = cxl_memdev_end(d->mem);

    if (args->dpa >= end) {
        error_setg(errp, "argument 'dpa' is 0x%" PRIx64 ", but the addresses "
                   "of the device end at 0x%" PRIx64, args->dpa, end);
        return false;
    }
    if (!event_begin(r, form, qapi_CxlMediaEventInjection_base(args), errp)) {
        return false;
    }
    stq_le_p(r->b + REC_DPA, args->dpa);
    r->b[REC_DESCRIPTOR] = args->descriptor |
                           (has_count ? DESCRIPTOR_THRESHOLD : 0);
    r->b[REC_TYPE] = args->type;
    r->b[REC_TRANSACTION] = args->transaction_type;
    return true;
}

/* A record of a medium's error asks for maintenance */
static void event_note_maintenance(CXLType3Dev *d, uint32_t flags, uint64_t dpa)
{
    if (flags & CXL_EVENT_FLAG_MAINTENANCE) {
        cxl_maintenance_note(d->mem->maintenance,
                             QEMU_ALIGN_DOWN(dpa, CXL_POISON_LINE),
                             CXL_POISON_LINE);
    }
}

void qmp_cxl_inject_general_media_event(CxlGeneralMediaEventInjection *args,
                                        Error **errp)
{
    static const RecordForm form = {
        .kind = &cxl_event_uuid_general_media,
        .validity = REC_VALIDITY,
        .component_id = GM_COMPONENT_ID,
        .sub_type = GM_SUB_TYPE,
        .has_component = GM_HAS_COMPONENT,
        .has_pldm = GM_HAS_PLDM,
    };
    const RecordField field[] = {
        { "channel", args->has_channel, GM_HAS_CHANNEL, REC_CHANNEL, 1,
          args->channel },
        { "rank", args->has_rank, GM_HAS_RANK, REC_RANK, 1, args->rank },
        { "device", args->has_device, GM_HAS_DEVICE, GM_DEVICE, 3,
          args->device },
        { "cme-ev-flags", args->has_cme_ev_flags, 0, GM_CME_FLAGS, 1,
          args->cme_ev_flags },
        { "cme-count", args->has_cme_count, 0, GM_CME_COUNT, 3,
          args->cme_count },
    };
    CXLType3Dev *d = cxl_type3_from_path(args->path, errp);
    const CxlMediaEventInjection *media =
        qapi_CxlGeneralMediaEventInjection_base(args);
    CXLEventLogId id;
    CXLEventRecord r;

    if (!d || !event_log_from_qmp(args->log, &id, errp) ||
        !event_begin_media(d, &r, &form, media, args->has_cme_count, errp) ||
        !event_put_fields(&r, &form, field, ARRAY_SIZE(field), errp)) {
        return;
    }
    event_append(d, id, &r);
    event_note_maintenance(d, args->flags, args->dpa);
}

static bool event_put_masks(CXLEventRecord *r, const RecordForm *form,
                            const uint64List *mask, Error **errp)
{
    size_t n = QAPI_LIST_LENGTH(mask);
    unsigned i;

    if (n > DRAM_MASKS) {
        error_setg(errp, "argument 'correction-mask' has %zu masks, but its "
                   "field has room for %d", n, DRAM_MASKS);
        return false;
    }
    for (i = 0; mask; i++, mask = mask->next) {
        stq_le_p(r->b + DRAM_CORRECTION + i * sizeof(uint64_t), mask->value);
    }
    event_add_valid(r, form, DRAM_HAS_CORRECTION);
    return true;
}

void qmp_cxl_inject_dram_event(CxlDRAMEventInjection *args, Error **errp)
{
    static const RecordForm form = {
        .kind = &cxl_event_uuid_dram,
        .validity = REC_VALIDITY,
        .component_id = DRAM_COMPONENT_ID,
        .sub_type = DRAM_SUB_TYPE,
        .has_component = DRAM_HAS_COMPONENT,
        .has_pldm = DRAM_HAS_PLDM,
    };
    const RecordField field[] = {
        { "channel", args->has_channel, DRAM_HAS_CHANNEL, REC_CHANNEL, 1,
          args->channel },
        { "rank", args->has_rank, DRAM_HAS_RANK, REC_RANK, 1, args->rank },
        { "nibble-mask", args->has_nibble_mask, DRAM_HAS_NIBBLES, DRAM_NIBBLES,
          3, args->nibble_mask },
        { "bank-group", args->has_bank_group, DRAM_HAS_BANK_GROUP,
          DRAM_BANK_GROUP, 1, args->bank_group },
        { "bank", args->has_bank, DRAM_HAS_BANK, DRAM_BANK, 1, args->bank },
        { "row", args->has_row, DRAM_HAS_ROW, DRAM_ROW, 3, args->row },
        { "column", args->has_column, DRAM_HAS_COLUMN, DRAM_COLUMN, 2,
          args->column },
        { "sub-channel", args->has_sub_channel, DRAM_HAS_SUB_CHANNEL,
          DRAM_SUB_CHANNEL, 1, args->sub_channel },
        { "cme-ev-flags", args->has_cme_ev_flags, 0, DRAM_CME_FLAGS, 1,
          args->cme_ev_flags },
        { "cvme-count", args->has_cvme_count, 0, DRAM_CVME_COUNT, 3,
          args->cvme_count },
    };
    CXLType3Dev *d = cxl_type3_from_path(args->path, errp);
    const CxlMediaEventInjection *media = qapi_CxlDRAMEventInjection_base(args);
    CXLEventLogId id;
    CXLEventRecord r;

    if (!d || !event_log_from_qmp(args->log, &id, errp) ||
        !event_begin_media(d, &r, &form, media, args->has_cvme_count, errp) ||
        !event_put_fields(&r, &form, field, ARRAY_SIZE(field), errp) ||
        (args->has_correction_mask &&
         !event_put_masks(&r, &form, args->correction_mask, errp))) {
        return;
    }
    event_append(d, id, &r);
    event_note_maintenance(d, args->flags, args->dpa);
}

void qmp_cxl_inject_memory_module_event(CxlMemoryModuleEventInjection *args,
                                        Error **errp)
{
    static const RecordForm form = {
        .kind = &cxl_event_uuid_memory_module,
        .validity = MM_VALIDITY,
        .component_id = MM_COMPONENT_ID,
        .sub_type = MM_SUB_TYPE,
        .has_component = MM_HAS_COMPONENT,
        .has_pldm = MM_HAS_PLDM,
    };
    CXLType3Dev *d = cxl_type3_from_path(args->path, errp);
    CxlEventInjection *common = qapi_CxlMemoryModuleEventInjection_base(args);
    CXLEventLogId id;
    CXLEventRecord r;

    if (!d || !event_log_from_qmp(args->log, &id, errp) ||
        !event_begin(&r, &form, common, errp)) {
        return;
    }
    r.b[MM_TYPE] = args->type;
    r.b[MM_HEALTH] = args->health_status;
    r.b[MM_MEDIA] = args->media_status;
    r.b[MM_ADDITIONAL] = args->additional_status;
    r.b[MM_LIFE_USED] = args->life_used;
    stw_le_p(r.b + MM_TEMPERATURE, args->temperature);
    stl_le_p(r.b + MM_DIRTY_SHUTDOWNS, args->dirty_shutdown_count);
    stl_le_p(r.b + MM_VOLATILE_ERRORS, args->corrected_volatile_error_count);
    stl_le_p(r.b + MM_PMEM_ERRORS, args->corrected_persistent_error_count);
    event_append(d, id, &r);
}

void qmp_cxl_inject_poison(const char *path, uint64_t start, uint64_t length,
                           Error **errp)
{
    CXLType3Dev *d;
    uint64_t end;

    if (!length || length % CXL_POISON_LINE) {
        error_setg(errp, "Poison injection must be in multiples of %d bytes, "
                   "and of one at least: 'length' is 0x%" PRIx64,
                   CXL_POISON_LINE, length);
        return;
    }
    if (start % CXL_POISON_LINE) {
        error_setg(errp, "Poison start address must be %d byte aligned: "
                   "'start' is 0x%" PRIx64, CXL_POISON_LINE, start);
        return;
    }
    d = cxl_type3_from_path(path, errp);
    if (!d) {
        return;
    }
    end = cxl_memdev_end(d->mem);
    if (start > end || length > end - start) {
        error_setg(errp, "Poison of 0x%" PRIx64 " bytes at 0x%" PRIx64
                   " exceeds the device, whose addresses end at 0x%" PRIx64,
                   length, start, end);
        return;
    }
    switch (cxl_poison_found(d->mem->poison, start, length,
                             CXL_POISON_INTERNAL)) {
    case CXL_POISON_DONE:
        trace_cxl_type3_poison(DEVICE(d)->id, start, length,
                               d->mem->poison->overflowed);
        break;
    case CXL_POISON_ALREADY:
        error_setg(errp, "Overlap with existing poisoned region not "
                   "supported: 0x%" PRIx64 " bytes at 0x%" PRIx64, length,
                   start);
        break;
    case CXL_POISON_FULL:
        error_setg(errp, "The device has %d poisoned ranges, and keeps no "
                   "more: clear some (4302h)", CXL_POISON_RANGES_MAX);
        break;
    default:
        g_assert_not_reached();
    }
}
