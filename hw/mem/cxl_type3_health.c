/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL Type 3 memory device: health readings as properties, alerts as events
 * (CXL r3.2 8.2.10.9.3)
 *
 * No sensor exists, so the monitor sets what one would measure, with qom-set.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "hw/cxl/memdev/health.h"
#include "cxl_type3_internal.h"

/**
 * struct Reading - a property
 * @offset, @size: of its field in CXLHealthReadings; a single signed one is 2
 * bytes
 */
typedef struct Reading {
    const char *name;
    const char *description;
    size_t offset;
    size_t size;
    int64_t min;
    int64_t max;
} Reading;

#define READING(field) \
    .offset = offsetof(CXLHealthReadings, field), \
    .size = sizeof_field(CXLHealthReadings, field)

static const Reading readings[] = {
    {
        .name = "life-used",
        .description = "percent of the device's life that is used up",
        READING(life_used),
        .max = CXL_HEALTH_LIFE_MAX,
    }, {
        .name = "temperature",
        .description = "device temperature in degrees Celsius",
        READING(temperature),
        .min = INT16_MIN,
        /* the highest value says that there is no sensor */
        .max = INT16_MAX - 1,
    }, {
        .name = "corrected-volatile-errors",
        .description = "corrected errors of volatile memory so far",
        READING(volatile_errors),
        .max = UINT32_MAX,
    }, {
        .name = "corrected-persistent-errors",
        .description = "corrected errors of persistent memory so far",
        READING(persistent_errors),
        .max = UINT32_MAX,
    },
};

static void get_reading(Object *obj, Visitor *v, const char *name,
                        void *opaque, Error **errp)
{
    const Reading *reading = opaque;
    const CXLHealth *health = CXL_TYPE3(obj)->mem->health;
    const char *at = (const char *)&health->now + reading->offset;
    int64_t value;

    switch (reading->size) {
    case sizeof(uint8_t):
        value = *(const uint8_t *)at;
        break;
    case sizeof(int16_t):
        value = *(const int16_t *)at;
        break;
    default:
        value = *(const uint32_t *)at;
        break;
    }
    visit_type_int(v, name, &value, errp);
}

static void set_reading(Object *obj, Visitor *v, const char *name,
                        void *opaque, Error **errp)
{
    CXLType3Dev *d = CXL_TYPE3(obj);
    const Reading *reading = opaque;
    CXLHealthReadings now = d->mem->health->now;
    char *at = (char *)&now + reading->offset;
    int64_t value;

    if (!visit_type_int(v, name, &value, errp)) {
        return;
    }
    if (!DEVICE(d)->realized) {
        error_setg(errp, "property '%s' can be set once the device works: use "
                   "qom-set", reading->name);
        return;
    }
    if (value < reading->min || value > reading->max) {
        error_setg(errp, "property '%s' is %" PRId64 ", but it ranges from %"
                   PRId64 " to %" PRId64, reading->name, value, reading->min,
                   reading->max);
        return;
    }
    switch (reading->size) {
    case sizeof(uint8_t):
        *(uint8_t *)at = value;
        break;
    case sizeof(int16_t):
        *(int16_t *)at = value;
        break;
    default:
        *(uint32_t *)at = value;
        break;
    }
    cxl_health_set(d->mem->health, &now);
}

void cxl_type3_health_add_properties(ObjectClass *oc)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(readings); i++) {
        object_class_property_add(oc, readings[i].name, "int", get_reading,
                                  set_reading, NULL, (void *)&readings[i]);
        object_class_property_set_description(oc, readings[i].name,
                                              readings[i].description);
    }
}
