/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL Type 3 memory device: its properties, each with what it is for, which
 * `-device cxl-type3,help` prints; and what no sensor measures, which the
 * monitor sets while the machine runs (CXL r3.2 8.2.10.9.3, 8.2.10.9.8)
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "qemu/units.h"
#include "hw/cxl/memdev/health.h"
#include "hw/cxl/memdev/qos.h"
#include "hw/qdev-properties-system.h"
#include "hw/qdev-properties.h"
#include "cxl_type3_internal.h"

#define BACKEND(name_, field_) \
    DEFINE_PROP_LINK(name_, CXLType3Dev, field_, TYPE_MEMORY_BACKEND, \
                     HostMemoryBackend *)

typedef struct CXLType3Property {
    Property property;
    const char *meaning;
} CXLType3Property;

static const CXLType3Property properties_of_device[] = {
    { BACKEND("memdev", memdev),
      "old name of persistent-memdev" },
    { BACKEND("persistent-memdev", pmem.hostmem),
      "memory backend of the persistent capacity; needs lsa" },
    { BACKEND("volatile-memdev", vmem.hostmem),
      "memory backend of the volatile capacity" },
    { BACKEND("lsa", lsa.hostmem),
      "memory backend of the label storage area" },
    { BACKEND("volatile-dc-memdev", dcmem.hostmem),
      "memory backend of all dynamic capacity regions; needs num-dc-regions" },
    { DEFINE_PROP_LINK("pool", CXLType3Dev, pool, TYPE_CXL_POOL, CXLPool *),
      "cxl-pool that this is a head of, and whose dynamic capacity it has" },
    { DEFINE_PROP_UINT16("head", CXLType3Dev, head, CXL_TYPE3_NO_HEAD),
      "which of the pool's heads this is, from 0" },
    { DEFINE_PROP_UINT64("sn", CXLType3Dev, sn, CXL_NO_SERIAL),
      "serial number; the default is none, or with persistent capacity one "
      "that follows from the device's place in the machine" },
    { DEFINE_PROP_STRING("cdat", CXLType3Dev, cxl.cdat.filename),
      "file that replaces the coherent device attribute table" },
    { DEFINE_PROP_PCIE_LINK_SPEED("x-speed", CXLType3Dev, speed,
                                  PCIE_LINK_SPEED_32),
      "fastest link, in GT/s: 2_5, 5, 8, 16, 32 or 64" },
    { DEFINE_PROP_PCIE_LINK_WIDTH("x-width", CXLType3Dev, width,
                                  PCIE_LINK_WIDTH_16),
      "widest link, in lanes: 1, 2, 4, 8, 12, 16 or 32" },
    { DEFINE_PROP_BOOL("x-256b-flit", CXLType3Dev, cxl.flit_256b, false),
      "the link has 256-byte flits if its other end can" },
    { DEFINE_PROP_BOOL("hdm-db", CXLType3Dev, cxl.hdm_db, false),
      "memory can be coherent by back-invalidate; needs x-256b-flit" },
    { DEFINE_PROP_UINT8("num-dc-regions", CXLType3Dev, nr_dc_regions, 0),
      "dynamic capacity regions, at most 8" },
    { DEFINE_PROP_UINT32("dc-extents-max", CXLType3Dev, dc_max_extents,
                         CXL_DC_DEFAULT_EXTENTS),
      "extents that are tracked for a host, offered and accepted ones" },
    { DEFINE_PROP_UINT32("dc-tags-max", CXLType3Dev, dc_max_tags,
                         CXL_DC_DEFAULT_TAGS),
      "tags that are tracked" },
    { DEFINE_PROP_UINT32("dc-event-log-depth", CXLType3Dev, dc_log_depth,
                         CXL_TYPE3_DC_LOG_DEPTH),
      "records that the dynamic capacity event log holds, 1 to 65535" },
    { DEFINE_PROP_BOOL("partitionable", CXLType3Dev, partitionable, false),
      "the host chooses how much persistent capacity is volatile" },
    { DEFINE_PROP_UINT32("direct-ranges-max", CXLType3Dev, direct.ranges,
                         CXL_DIRECT_RANGES_DEFAULT),
      "ranges that are mapped as RAM at most; 0 traps each access" },
    { DEFINE_PROP_BOOL("guest-order-files", CXLType3Dev, guest_order_files,
                       false),
      "interleaved memory of a shared file is RAM, and the file is up to date "
      "only when the machine stands" },
    { DEFINE_PROP_BOOL("fm-on-mailbox", CXLType3Dev, fm_on_mailbox, true),
      "commands of the Fabric Manager are also answered on the PCI mailbox; of "
      "a head only if its pool says so, too" },
    { DEFINE_PROP_SIZE32("mailbox-payload", CXLType3Dev, mailbox_payload,
                         CXL_MAILBOX_PAYLOAD_DEFAULT),
      "bytes of the mailbox's payload registers, a power of two from 256 to "
      "1M" },
    { DEFINE_PROP_UINT8("bg-time-scale", CXLType3Dev, bg_time_scale, 100),
      "percent of their time that background operations take; 0 ends them at "
      "once" },
};

/*
 * Of dynamic capacity region N, with "dcN-" in front of the name; flat, because
 * the command line has no nested arrays
 */
static const CXLType3Property properties_of_region[] = {
    { DEFINE_PROP_SIZE("size", CXLType3Dev, dc_prop[0].size, 0),
      "bytes of volatile-dc-memdev; 0 for an equal part of what regions with a "
      "size leave" },
    { DEFINE_PROP_SIZE("block-size", CXLType3Dev, dc_prop[0].block_size,
                       CXL_DC_DEFAULT_BLOCK),
      "unit of allocation, a power of two from 64" },
    { DEFINE_PROP_UINT64("block-sizes", CXLType3Dev, dc_prop[0].block_sizes, 0),
      "bit mask of the block sizes that a Fabric Manager may choose from; 0 for "
      "those from 4 KiB to 1 GiB that divide the region" },
    { DEFINE_PROP_BOOL("sharable", CXLType3Dev, dc_prop[0].sharable, false),
      "several hosts can have the same capacity; extents need a tag" },
    { DEFINE_PROP_BOOL("read-only", CXLType3Dev, dc_prop[0].read_only, false),
      "the host's writes are ignored" },
    { DEFINE_PROP_BOOL("non-volatile", CXLType3Dev, dc_prop[0].non_volatile,
                       false),
      "shown as non-volatile in the CDAT and to the Fabric Manager" },
    { DEFINE_PROP_BOOL("hw-coherent", CXLType3Dev, dc_prop[0].hw_coherent,
                       false),
      "shown as coherent among sharing hosts" },
    { DEFINE_PROP_BOOL("sanitize", CXLType3Dev, dc_prop[0].sanitize, false),
      "released capacity is overwritten with zeroes before anybody gets it" },
    { DEFINE_PROP_BOOL("sanitize-configurable", CXLType3Dev,
                       dc_prop[0].sanitize_configurable, true),
      "a Fabric Manager may change the region's sanitize" },
};

/* -- while the machine runs ----------------------------------------------- */

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

static void props_get_reading(Object *obj, Visitor *v, const char *name,
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

static void props_set_reading(Object *obj, Visitor *v, const char *name,
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

static void props_add_readings(ObjectClass *oc)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(readings); i++) {
        object_class_property_add(oc, readings[i].name, "int",
                                  props_get_reading, props_set_reading, NULL,
                                  (void *)&readings[i]);
        object_class_property_set_description(oc, readings[i].name,
                                              readings[i].description);
    }
}

static void props_get_backpressure(Object *obj, Visitor *v, const char *name,
                                   void *opaque, Error **errp)
{
    uint8_t value = CXL_TYPE3(obj)->mem->qos->backpressure;

    visit_type_uint8(v, name, &value, errp);
}

static void props_set_backpressure(Object *obj, Visitor *v, const char *name,
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

static void props_get_wipe_left(Object *obj, Visitor *v, const char *name,
                                void *opaque, Error **errp)
{
    CXLType3Dev *d = CXL_TYPE3(obj);

    visit_type_uint64(v, name, &d->wipe.set.left, errp);
}

/* -- class ---------------------------------------------------------------- */

void cxl_type3_add_properties(DeviceClass *dc)
{
    const size_t fixed = ARRAY_SIZE(properties_of_device);
    const size_t each = ARRAY_SIZE(properties_of_region);
    const size_t total = fixed + each * CXL_DC_MAX_REGIONS;
    Property *all = g_new(Property, total); /* lives as long as the class */
    size_t i;

    for (i = 0; i < fixed; i++) {
        all[i] = properties_of_device[i].property;
    }
    for (; i < total; i++) {
        unsigned region = (i - fixed) / each;

        all[i] = properties_of_region[(i - fixed) % each].property;
        all[i].name = g_strdup_printf("dc%u-%s", region, all[i].name);
        all[i].offset += region * sizeof(CXLDCRegionProps);
    }
    device_class_set_props_n(dc, all, total);
    for (i = 0; i < total; i++) {
        object_class_property_set_description(
            OBJECT_CLASS(dc), all[i].name,
            i < fixed ? properties_of_device[i].meaning :
                        properties_of_region[(i - fixed) % each].meaning);
    }
    props_add_readings(OBJECT_CLASS(dc));
    object_class_property_add(OBJECT_CLASS(dc), "backpressure", "uint8",
                              props_get_backpressure, props_set_backpressure,
                              NULL, NULL);
    object_class_property_set_description(OBJECT_CLASS(dc), "backpressure",
        "average backpressure that Get SLD QoS Status tells, percent");
    object_class_property_add(OBJECT_CLASS(dc), "wipe-left", "uint64",
                              props_get_wipe_left, NULL, NULL, NULL);
    object_class_property_set_description(OBJECT_CLASS(dc), "wipe-left",
        "bytes that read as zeroes and are still to be overwritten (read only)");
}
