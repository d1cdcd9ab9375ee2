/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults on purpose: the monitor's commands
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/qapi-commands-cxl.h"
#include "qemu/cutils.h"
#include "hw/cxl/cxl_error.h"
#include "hw/qdev-core.h"
#include "fault-internal.h"
#include "trace/trace-hw_cxl.h"

#define VECTOR_MAX      7
#define DELAY_MAX       (3600 * 1000)

static const char *const fault_places[CXL_FAULT_POINTS] = {
    [CXL_FAULT_ANSWER] = "answers of commands",
    [CXL_FAULT_COMPLETION] = "completion of commands",
    [CXL_FAULT_REGISTER] = "device registers",
    [CXL_FAULT_COMPONENT] = "component registers",
    [CXL_FAULT_CONFIG] = "configuration space",
    [CXL_FAULT_CDAT] = "the CDAT",
    [CXL_FAULT_EVENT] = "event records",
    [CXL_FAULT_INTERRUPT] = "interrupts",
    [CXL_FAULT_PACKET] = "MCTP packets",
    [CXL_FAULT_FRAME] = "I2C frames",
    [CXL_FAULT_TRANSFER] = "USB transfers",
};

static const struct {
    CXLFaultArgument bit;
    const char *name;
} fault_arguments[] = {
    { CXL_FAULT_OPCODE, "opcode" },
    { CXL_FAULT_LOG, "log" },
    { CXL_FAULT_VECTOR, "vector" },
    { CXL_FAULT_VALUE, "value" },
    { CXL_FAULT_OFFSET, "offset" },
    { CXL_FAULT_WIDTH, "width" },
    { CXL_FAULT_DELAY, "delay" },
    { CXL_FAULT_SEED, "seed" },
};

static Object *fault_find_target(const char *path, Error **errp)
{
    g_autofree char *shown = cxl_echo(path);
    Object *obj = *path ? object_resolve_path_type(path, TYPE_DEVICE, NULL)
                        : NULL;

    if (obj && DEVICE(obj)->realized && cxl_fault_points(obj)) {
        return obj;
    }
    error_setg(errp, "argument 'path' is '%s': give the id or QOM path of a "
               "CXL memory device, port, switch mailbox or MCTP endpoint",
               shown);
    return NULL;
}

/* -- arming ------------------------------------------------------------- */

/* Bits of the arguments that there are */
static uint16_t fault_given(const CxlFaultInjection *args)
{
    return (args->has_opcode ? CXL_FAULT_OPCODE : 0) |
           (args->has_log ? CXL_FAULT_LOG : 0) |
           (args->has_vector ? CXL_FAULT_VECTOR : 0) |
           (args->has_value ? CXL_FAULT_VALUE : 0) |
           (args->has_offset ? CXL_FAULT_OFFSET : 0) |
           (args->has_width ? CXL_FAULT_WIDTH : 0) |
           (args->has_delay ? CXL_FAULT_DELAY : 0) |
           (args->has_seed ? CXL_FAULT_SEED : 0);
}

static bool fault_check_arguments(const CXLFaultKind *kind, uint16_t given,
                                  Error **errp)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(fault_arguments); i++) {
        uint16_t bit = fault_arguments[i].bit;

        if (given & ~kind->takes & bit) {
            error_setg(errp, "argument '%s' is given, which a fault of kind "
                       "'%s' does not take", fault_arguments[i].name,
                       kind->name);
            return false;
        }
        if (kind->needs & ~given & bit) {
            error_setg(errp, "argument '%s' is missing, which a fault of kind "
                       "'%s' needs", fault_arguments[i].name, kind->name);
            return false;
        }
    }
    return true;
}

static bool fault_check_range(const char *name, uint64_t value, uint64_t min,
                              uint64_t max, Error **errp)
{
    if (value < min || value > max) {
        error_setg(errp, "argument '%s' is %" PRIu64 ": give a number from "
                   "%" PRIu64 " to %" PRIu64, name, value, min, max);
        return false;
    }
    return true;
}

static bool fault_check_values(const CXLFault *f, const CxlFaultInjection *args,
                               Error **errp)
{
    uint64_t max = f->kind->takes & CXL_FAULT_WIDTH ?
                   MAKE_64BIT_MASK(0, f->width * 8) :
                   f->kind->max ?: UINT64_MAX;

    if (f->width != 1 && f->width != 2 && f->width != 4 && f->width != 8) {
        error_setg(errp, "argument 'width' is %u: give 1, 2, 4 or 8",
                   f->width);
        return false;
    }
    return fault_check_range("value", args->has_value ? f->value : 0, 0, max,
                             errp) &&
           fault_check_range("offset", f->offset, 0, UINT16_MAX, errp) &&
           fault_check_range("delay", f->delay_ms, 0, DELAY_MAX, errp) &&
           fault_check_range("log", args->has_log ? args->log : 0, 0,
                             CXL_EVENT_LOGS - 1, errp) &&
           fault_check_range("vector", args->has_vector ? args->vector : 0, 0,
                             VECTOR_MAX, errp) &&
           fault_check_range("n", f->n, 1, UINT32_MAX, errp) &&
           fault_check_range("probability", f->percent, 0, 100, errp);
}

static void fault_fill(CXLFault *f, const CXLFaultKind *kind,
                       const CxlFaultInjection *args)
{
    CxlFaultWhen when = args->has_when ? args->when : CXL_FAULT_WHEN_NEXT;
    bool repeats = when == CXL_FAULT_WHEN_EVERY_NTH ||
                   when == CXL_FAULT_WHEN_PROBABLY;

    *f = (CXLFault) {
        .kind = kind,
        .when = when,
        .only = args->has_opcode ? args->opcode :
                args->has_log ? args->log :
                args->has_vector ? args->vector : kind->only,
        .n = args->has_n ? args->n : 1,
        .percent = args->has_probability ? args->probability : 50,
        .count = args->has_count ? args->count : repeats ? 0 : 1,
        .value = args->has_value ? args->value : kind->value,
        .offset = args->has_offset ? args->offset : 0,
        .width = args->has_width ? args->width : 1,
        .delay_ms = args->has_delay ? args->delay :
                    kind->takes & CXL_FAULT_DELAY ? kind->value : 0,
        .random = args->has_seed ? args->seed : 1,
    };
    pstrcpy((char *)f->name, sizeof(f->name), kind->name);
}

static const CXLFaultKind *fault_check_kind(Object *target,
                                            const CxlFaultInjection *args,
                                            Error **errp)
{
    const CXLFaultKind *kind = cxl_fault_find(args->kind);
    uint16_t given = fault_given(args);

    if (!kind) {
        g_autofree char *shown = cxl_echo(args->kind);

        error_setg(errp, "argument 'kind' is '%s': query-cxl-fault-kinds lists "
                   "those that there are", shown);
        return NULL;
    }
    if (!(cxl_fault_points(target) & 1u << kind->point)) {
        error_setg(errp, "argument 'kind' is '%s', a fault of %s, which a %s "
                   "does not have", kind->name, fault_places[kind->point],
                   object_get_typename(target));
        return NULL;
    }
    if (args->has_when && args->when == CXL_FAULT_WHEN_PROBABLY) {
        given &= ~CXL_FAULT_SEED;
    }
    return fault_check_arguments(kind, given, errp) ? kind : NULL;
}

CxlFaultId *qmp_cxl_inject_fault(CxlFaultInjection *args, Error **errp)
{
    Object *target = fault_find_target(args->path, errp);
    const CXLFaultKind *kind = target ? fault_check_kind(target, args, errp)
                                      : NULL;
    CxlFaultId *id;
    CXLFaults *fs;
    CXLFault f;

    if (!kind) {
        return NULL;
    }
    fault_fill(&f, kind, args);
    if (!fault_check_values(&f, args, errp)) {
        return NULL;
    }
    fs = cxl_fault_of(target);
    if (fs && fs->n == CXL_FAULTS_MAX) {
        error_setg(errp, "argument 'path' is '%s', where %d faults are armed "
                   "and no more can be: clear some", args->path,
                   CXL_FAULTS_MAX);
        return NULL;
    }
    fs = cxl_fault_make(target);
    if (kind->takes & CXL_FAULT_NOW) {
        f.seen = f.hits = f.count = 1;
    }
    id = g_new0(CxlFaultId, 1);
    id->id = cxl_faults_add(fs, &f)->id;
    trace_cxl_fault_armed(args->path, kind->name, id->id);
    if (kind->takes & CXL_FAULT_NOW) {
        CXL_FAULT_TARGET_GET_CLASS(target)->interrupt(CXL_FAULT_TARGET(target),
                                                      f.only);
    }
    return id;
}

/* -- looking and clearing ----------------------------------------------- */

static CxlFaultInfo *fault_info(Object *target, const CXLFault *f)
{
    CxlFaultInfo *info = g_new0(CxlFaultInfo, 1);

    info->path = object_get_canonical_path(target);
    info->id = f->id;
    info->kind = g_strdup(f->kind->name);
    info->when = (CxlFaultWhen)f->when;
    info->count = f->count;
    info->seen = f->seen;
    info->hits = f->hits;
    return info;
}

static int fault_collect(Object *target, void *opaque)
{
    CxlFaultInfoList ***tail = opaque;
    CXLFaults *fs = cxl_fault_of(target);
    uint32_t i;

    for (i = 0; fs && i < fs->n; i++) {
        QAPI_LIST_APPEND(*tail, fault_info(target, &fs->fault[i]));
    }
    return 0;
}

CxlFaultInfoList *qmp_query_cxl_faults(const char *path, Error **errp)
{
    CxlFaultInfoList *list = NULL, **tail = &list;
    Object *target;

    if (path) {
        target = fault_find_target(path, errp);
        if (target) {
            fault_collect(target, &tail);
        }
    } else {
        object_child_foreach_recursive(object_get_root(), fault_collect, &tail);
    }
    return list;
}

static int fault_clear_all(Object *target, void *opaque)
{
    if (cxl_fault_of(target)) {
        trace_cxl_fault_cleared(object_get_typename(target), 0);
        cxl_fault_drop(target);
    }
    return 0;
}

void qmp_cxl_clear_fault(const char *path, bool has_id, uint32_t id,
                         Error **errp)
{
    Object *target;
    CXLFaults *fs;

    if (!path) {
        if (has_id) {
            error_setg(errp, "argument 'path' is missing, which 'id' needs");
            return;
        }
        object_child_foreach_recursive(object_get_root(), fault_clear_all,
                                       NULL);
        return;
    }
    target = fault_find_target(path, errp);
    if (!target) {
        return;
    }
    if (!has_id) {
        fault_clear_all(target, NULL);
        return;
    }
    fs = cxl_fault_of(target);
    if (!fs || !cxl_faults_remove(fs, id)) {
        error_setg(errp, "argument 'id' is %" PRIu32 ": no such fault is armed "
                   "on '%s'", id, path);
        return;
    }
    trace_cxl_fault_cleared(path, id);
    if (!fs->n) {
        cxl_fault_drop(target);
    }
}

static CxlFaultKindInfo *fault_kind_info(const CXLFaultKind *kind)
{
    CxlFaultKindInfo *info = g_new0(CxlFaultKindInfo, 1);
    strList **takes = &info->takes, **needs = &info->needs;
    unsigned i;

    info->kind = g_strdup(kind->name);
    info->family = g_strdup(kind->family);
    info->place = g_strdup(fault_places[kind->point]);
    info->does = g_strdup(kind->does);
    info->specification = g_strdup(kind->spec);
    for (i = 0; i < ARRAY_SIZE(fault_arguments); i++) {
        if (kind->takes & fault_arguments[i].bit) {
            QAPI_LIST_APPEND(takes, g_strdup(fault_arguments[i].name));
        }
        if (kind->needs & fault_arguments[i].bit) {
            QAPI_LIST_APPEND(needs, g_strdup(fault_arguments[i].name));
        }
    }
    info->has_value = (kind->takes & CXL_FAULT_VALUE) &&
                      !(kind->needs & CXL_FAULT_VALUE);
    info->value = kind->value;
    return info;
}

CxlFaultKindInfoList *qmp_query_cxl_fault_kinds(Error **errp)
{
    CxlFaultKindInfoList *list = NULL, **tail = &list;
    const CXLFaultSet *const *set;
    unsigned i;

    for (set = cxl_fault_sets; *set; set++) {
        for (i = 0; i < (*set)->n; i++) {
            QAPI_LIST_APPEND(tail, fault_kind_info(&(*set)->kinds[i]));
        }
    }
    return list;
}
