/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL Type 3 memory device: load that no sensor measures, as a property to be
 * set while the machine runs (CXL r3.2 8.2.10.9.8)
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "hw/cxl/memdev/qos.h"
#include "cxl_type3_internal.h"

static void get_backpressure(Object *obj, Visitor *v, const char *name,
                             void *opaque, Error **errp)
{
    uint8_t value = CXL_TYPE3(obj)->mem->qos->backpressure;

    visit_type_uint8(v, name, &value, errp);
}

static void set_backpressure(Object *obj, Visitor *v, const char *name,
                             void *opaque, Error **errp)
{
    CXLType3Dev *d = CXL_TYPE3(obj);
    uint8_t value;

    if (!visit_type_uint8(v, name, &value, errp)) {
        return;
    }
    if (value > CXL_QOS_PERCENT_MAX) {
        error_setg(errp, "property 'backpressure' is %u, but it is at most %d "
                   "percent", value, CXL_QOS_PERCENT_MAX);
        return;
    }
    if (!DEVICE(d)->realized) {
        error_setg(errp, "property 'backpressure' can be set once the device "
                   "works: use qom-set");
        return;
    }
    d->mem->qos->backpressure = value;
}

void cxl_type3_qos_add_properties(ObjectClass *oc)
{
    object_class_property_add(oc, "backpressure", "uint8", get_backpressure,
                              set_backpressure, NULL, NULL);
    object_class_property_set_description(oc, "backpressure",
        "average backpressure that Get SLD QoS Status tells, percent");
}
