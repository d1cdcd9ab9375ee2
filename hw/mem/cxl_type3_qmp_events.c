/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL Type 3 memory device: media events and poison injected through QMP
 * (CXL r3.2 8.2.10.2.1, 8.2.10.9.4)
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/qapi-commands-cxl.h"
#include "cxl_type3_internal.h"
#include "hw/cxl/trace.h"

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

/* General Media (Table 8-57) */
enum {
    GM_DEVICE           = 0x3f,
    GM_COMPONENT_ID     = 0x42,
    GM_COMPONENT_LEN    = 0x10,
};

enum {
    GM_HAS_CHANNEL      = 1 << 0,
    GM_HAS_RANK         = 1 << 1,
    GM_HAS_DEVICE       = 1 << 2,
    GM_HAS_COMPONENT    = 1 << 3,
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
};

static int qmp_find_device(Object *obj, void *opaque)
{
    if (object_dynamic_cast(obj, TYPE_CXL_TYPE3) && DEVICE(obj)->realized) {
        g_ptr_array_add(opaque, object_get_canonical_path(obj));
    }
    return 0;
}

/* Without a path: the only device that there is */
static Object *qmp_only_device(Error **errp)
{
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *list = NULL;

    object_child_foreach_recursive(object_get_root(), qmp_find_device, paths);
    if (paths->len == 1) {
        return object_resolve_path(paths->pdata[0], NULL);
    }
    g_ptr_array_add(paths, NULL);
    list = g_strjoinv(", ", (char **)paths->pdata);
    error_setg(errp, "argument 'path' is missing, and there %s%s",
               *list ? "are several CXL Type 3 devices: " :
                       "is no CXL Type 3 device", list);
    return NULL;
}

CXLType3Dev *cxl_type3_from_path(const char *path, Error **errp)
{
    Object *obj = path ? object_resolve_path(path, NULL) :
                         qmp_only_device(errp);

    if (!obj && !path) {
        return NULL;
    }
    if (!obj) {
        error_setg(errp, "Unable to resolve path");
        return NULL;
    }
    obj = object_dynamic_cast(obj, TYPE_CXL_TYPE3);
    if (!obj || !DEVICE(obj)->realized) {
        error_setg(errp, "Path does not point to a CXL type 3 device");
        return NULL;
    }
    return CXL_TYPE3(obj);
}

static bool log_from_qmp(CxlEventLog qmp, CXLEventLogId *log, Error **errp)
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

static void append(CXLType3Dev *d, CXLEventLogId log, const CXLEventRecord *r)
{
    bool logged = cxl_event_append(&d->events, log, r);

    trace_cxl_type3_inject(DEVICE(d)->id, log, logged);
}

/* What General Media and DRAM records begin with */
static void media_record(CXLEventRecord *r, const QemuUUID *kind, uint8_t flags,
                         uint64_t dpa, uint8_t descriptor, uint8_t type,
                         uint8_t transaction_type)
{
    cxl_event_record_init(r, kind, flags);
    stq_le_p(r->b + REC_DPA, dpa);
    r->b[REC_DESCRIPTOR] = descriptor;
    r->b[REC_TYPE] = type;
    r->b[REC_TRANSACTION] = transaction_type;
}

/**
 * struct OptionalField - a field that the caller may leave out
 * @valid: the bit of the record that says it did not
 * @bytes: width; higher bits of @value are dropped
 */
typedef struct OptionalField {
    bool given;
    uint16_t valid;
    uint8_t at;
    uint8_t bytes;
    uint32_t value;
} OptionalField;

static void put_optional(CXLEventRecord *r, const OptionalField *field,
                         size_t n)
{
    uint16_t valid = lduw_le_p(r->b + REC_VALIDITY);
    unsigned i;

    for (; n; n--, field++) {
        if (!field->given) {
            continue;
        }
        for (i = 0; i < field->bytes; i++) {
            r->b[field->at + i] = field->value >> (8 * i);
        }
        valid |= field->valid;
    }
    stw_le_p(r->b + REC_VALIDITY, valid);
}

/* For a field that is no number: it is there */
static void mark_valid(CXLEventRecord *r, uint16_t bit)
{
    const OptionalField there = { .given = true, .valid = bit };

    put_optional(r, &there, 1);
}

/* A record of a medium's error asks for maintenance */
static void note_maintenance(CXLType3Dev *d, uint8_t flags, uint64_t dpa)
{
    if (flags & CXL_EVENT_FLAG_MAINTENANCE) {
        cxl_maintenance_note(&d->maintenance,
                             QEMU_ALIGN_DOWN(dpa, CXL_POISON_LINE),
                             CXL_POISON_LINE);
    }
}

void qmp_cxl_inject_general_media_event(
    const char *path, CxlEventLog log, uint8_t flags, uint64_t dpa,
    uint8_t descriptor, uint8_t type, uint8_t transaction_type,
    bool has_channel, uint8_t channel, bool has_rank, uint8_t rank,
    bool has_device, uint32_t device, const char *component_id, Error **errp)
{
    const OptionalField field[] = {
        { has_channel, GM_HAS_CHANNEL, REC_CHANNEL, 1, channel },
        { has_rank, GM_HAS_RANK, REC_RANK, 1, rank },
        { has_device, GM_HAS_DEVICE, GM_DEVICE, 3, device },
    };
    CXLType3Dev *d = cxl_type3_from_path(path, errp);
    CXLEventLogId id;
    CXLEventRecord r;

    if (!d || !log_from_qmp(log, &id, errp)) {
        return;
    }
    media_record(&r, &cxl_event_uuid_general_media, flags, dpa, descriptor,
                 type, transaction_type);
    put_optional(&r, field, ARRAY_SIZE(field));
    if (component_id) {
        /* One byte stays zero: readers may take the field for a string */
        memcpy(r.b + GM_COMPONENT_ID, component_id,
               strnlen(component_id, GM_COMPONENT_LEN - 1));
        mark_valid(&r, GM_HAS_COMPONENT);
    }
    append(d, id, &r);
    note_maintenance(d, flags, dpa);
}

void qmp_cxl_inject_dram_event(
    const char *path, CxlEventLog log, uint8_t flags, uint64_t dpa,
    uint8_t descriptor, uint8_t type, uint8_t transaction_type,
    bool has_channel, uint8_t channel, bool has_rank, uint8_t rank,
    bool has_nibble_mask, uint32_t nibble_mask,
    bool has_bank_group, uint8_t bank_group, bool has_bank, uint8_t bank,
    bool has_row, uint32_t row, bool has_column, uint16_t column,
    bool has_correction_mask, uint64List *correction_mask, Error **errp)
{
    const OptionalField field[] = {
        { has_channel, DRAM_HAS_CHANNEL, REC_CHANNEL, 1, channel },
        { has_rank, DRAM_HAS_RANK, REC_RANK, 1, rank },
        { has_nibble_mask, DRAM_HAS_NIBBLES, DRAM_NIBBLES, 3, nibble_mask },
        { has_bank_group, DRAM_HAS_BANK_GROUP, DRAM_BANK_GROUP, 1, bank_group },
        { has_bank, DRAM_HAS_BANK, DRAM_BANK, 1, bank },
        { has_row, DRAM_HAS_ROW, DRAM_ROW, 3, row },
        { has_column, DRAM_HAS_COLUMN, DRAM_COLUMN, 2, column },
    };
    CXLType3Dev *d = cxl_type3_from_path(path, errp);
    CXLEventLogId id;
    CXLEventRecord r;
    unsigned i;

    if (!d || !log_from_qmp(log, &id, errp)) {
        return;
    }
    media_record(&r, &cxl_event_uuid_dram, flags, dpa, descriptor, type,
                 transaction_type);
    put_optional(&r, field, ARRAY_SIZE(field));
    if (has_correction_mask) {
        const uint64List *mask = correction_mask;

        for (i = 0; mask && i < DRAM_MASKS; i++, mask = mask->next) {
            stq_le_p(r.b + DRAM_CORRECTION + i * sizeof(uint64_t), mask->value);
        }
        mark_valid(&r, DRAM_HAS_CORRECTION);
    }
    append(d, id, &r);
    note_maintenance(d, flags, dpa);
}

void qmp_cxl_inject_memory_module_event(
    const char *path, CxlEventLog log, uint8_t flags, uint8_t type,
    uint8_t health_status, uint8_t media_status, uint8_t additional_status,
    uint8_t life_used, int16_t temperature, uint32_t dirty_shutdown_count,
    uint32_t corrected_volatile_errors, uint32_t corrected_persistent_errors,
    Error **errp)
{
    CXLType3Dev *d = cxl_type3_from_path(path, errp);
    CXLEventLogId id;
    CXLEventRecord r;

    if (!d || !log_from_qmp(log, &id, errp)) {
        return;
    }
    cxl_event_record_init(&r, &cxl_event_uuid_memory_module, flags);
    r.b[MM_TYPE] = type;
    r.b[MM_HEALTH] = health_status;
    r.b[MM_MEDIA] = media_status;
    r.b[MM_ADDITIONAL] = additional_status;
    r.b[MM_LIFE_USED] = life_used;
    stw_le_p(r.b + MM_TEMPERATURE, temperature);
    stl_le_p(r.b + MM_DIRTY_SHUTDOWNS, dirty_shutdown_count);
    stl_le_p(r.b + MM_VOLATILE_ERRORS, corrected_volatile_errors);
    stl_le_p(r.b + MM_PMEM_ERRORS, corrected_persistent_errors);
    append(d, id, &r);
}

void qmp_cxl_inject_poison(const char *path, uint64_t start, uint64_t length,
                           Error **errp)
{
    CXLType3Dev *d;

    if (length % CXL_POISON_LINE) {
        error_setg(errp, "Poison injection must be in multiples of %d bytes",
                   CXL_POISON_LINE);
        return;
    }
    if (start % CXL_POISON_LINE) {
        error_setg(errp, "Poison start address must be %d byte aligned",
                   CXL_POISON_LINE);
        return;
    }
    d = cxl_type3_from_path(path, errp);
    if (!d) {
        return;
    }
    switch (cxl_poison_found(&d->poison, start, length,
                             CXL_POISON_INTERNAL)) {
    case CXL_POISON_DONE:
        trace_cxl_type3_poison(DEVICE(d)->id, start, length,
                               d->poison.overflowed);
        break;
    case CXL_POISON_ALREADY:
        error_setg(errp,
                   "Overlap with existing poisoned region not supported");
        break;
    case CXL_POISON_FULL:
        error_setg(errp, "The device has %d poisoned ranges, and keeps no more",
                   CXL_POISON_RANGES_MAX);
        break;
    default:
        error_setg(errp, "Poison of 0x%" PRIx64 " bytes at 0x%" PRIx64
                   " exceeds the address space", length, start);
        break;
    }
}
