/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults on purpose: who can have some.  They live in a property of the target,
 * which frees them with it.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/module.h"
#include "hw/cxl/cxl_component.h"
#include "fault-internal.h"

#define PROPERTY "x-armed-faults"

CXLFaults *cxl_fault_of(Object *target)
{
    ObjectProperty *prop = object_property_find(target, PROPERTY);

    return prop ? prop->opaque : NULL;
}

static CXLFaultTargetClass *fault_target_class(Object *target)
{
    return object_dynamic_cast(target, TYPE_CXL_FAULT_TARGET) ?
           CXL_FAULT_TARGET_GET_CLASS(target) : NULL;
}

uint32_t cxl_fault_points(Object *target)
{
    CXLFaultTargetClass *klass = fault_target_class(target);

    return klass ? klass->points :
           cxl_component_of(target) ? 1u << CXL_FAULT_COMPONENT : 0;
}

static void fault_attach(Object *target, CXLFaults *fs)
{
    CXLFaultTargetClass *klass = fault_target_class(target);
    CXLComponentState *cxl = cxl_component_of(target);

    if (cxl) {
        cxl->faults = fs;
    }
    if (klass) {
        klass->attach(CXL_FAULT_TARGET(target), fs);
    }
}

static void fault_release(Object *target, const char *name, void *opaque)
{
    g_free(opaque);
}

CXLFaults *cxl_fault_make(Object *target)
{
    CXLFaults *fs = cxl_fault_of(target);

    if (!fs) {
        fs = cxl_faults_new();
        object_property_add(target, PROPERTY, "struct", NULL, NULL,
                            fault_release, fs);
        fault_attach(target, fs);
    }
    return fs;
}

void cxl_fault_drop(Object *target)
{
    if (cxl_fault_of(target)) {
        fault_attach(target, NULL);
        object_property_del(target, PROPERTY);
    }
}

static const TypeInfo fault_target_info = {
    .name = TYPE_CXL_FAULT_TARGET,
    .parent = TYPE_INTERFACE,
    .class_size = sizeof(CXLFaultTargetClass),
};

static void fault_target_register(void)
{
    type_register_static(&fault_target_info);
}

type_init(fault_target_register)
