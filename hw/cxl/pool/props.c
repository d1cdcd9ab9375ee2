/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Properties of a pool: those of a memory device with dynamic capacity, as far
 * as they are about the medium
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "pool-internal.h"

typedef enum PoolPropType {
    POOL_BOOL,
    POOL_UINT8,
    POOL_UINT16,
    POOL_UINT32,
    POOL_UINT64,
    POOL_SIZE,
} PoolPropType;

typedef struct PoolProp {
    const char *name;
    PoolPropType type;
    size_t offset;
    const char *meaning;
} PoolProp;

#define PROP(name_, type_, field_, meaning_) \
    { name_, type_, offsetof(CXLPool, field_), meaning_ }

static const PoolProp props_of_pool[] = {
    PROP("heads", POOL_UINT16, nr_heads,
         "heads that it has, and so hosts, 1 to 256"),
    PROP("num-dc-regions", POOL_UINT8, nr_regions,
         "dynamic capacity regions, 1 to 8"),
    PROP("dc-extents-max", POOL_UINT32, max_extents,
         "extents that are tracked for a host, offered and accepted ones"),
    PROP("dc-tags-max", POOL_UINT32, max_tags, "tags that are tracked"),
    PROP("dc-event-log-depth", POOL_UINT32, log_depth,
         "records that the Fabric Manager's dynamic capacity event log holds, "
         "1 to 65535"),
    PROP("sn", POOL_UINT64, sn, "serial number that it identifies itself by"),
    PROP("fm-on-mailbox", POOL_BOOL, fm_on_mailbox,
         "commands of the Fabric Manager are also answered on the PCI mailbox "
         "of each head"),
};

/* Of region N, with "dcN-" in front of the name */
static const PoolProp props_of_region[] = {
    PROP("size", POOL_SIZE, region[0].size,
         "bytes of memdev; 0 for an equal part of what regions with a size "
         "leave"),
    PROP("block-size", POOL_SIZE, region[0].block_size,
         "unit of allocation, a power of two from 64"),
    PROP("block-sizes", POOL_UINT64, region[0].block_sizes,
         "bit mask of the block sizes that a Fabric Manager may choose from; 0 "
         "for those from 4 KiB to 256 MiB that divide the region"),
    PROP("sharable", POOL_BOOL, region[0].sharable,
         "several hosts can have the same capacity; extents need a tag"),
    PROP("read-only", POOL_BOOL, region[0].read_only,
         "hosts' writes are ignored"),
    PROP("non-volatile", POOL_BOOL, region[0].non_volatile,
         "shown as non-volatile in the CDAT and to the Fabric Manager"),
    PROP("hw-coherent", POOL_BOOL, region[0].hw_coherent,
         "shown as coherent among sharing hosts"),
    PROP("sanitize", POOL_BOOL, region[0].sanitize,
         "released capacity is overwritten with zeroes before anybody gets it"),
    PROP("sanitize-configurable", POOL_BOOL, region[0].sanitize_configurable,
         "a Fabric Manager may change the region's sanitize"),
};

static const char *const props_type_name[] = {
    [POOL_BOOL] = "bool",
    [POOL_UINT8] = "uint8",
    [POOL_UINT16] = "uint16",
    [POOL_UINT32] = "uint32",
    [POOL_UINT64] = "uint64",
    [POOL_SIZE] = "size",
};

static bool props_visit(const PoolProp *prop, Visitor *v, const char *name,
                        void *at, Error **errp)
{
    switch (prop->type) {
    case POOL_BOOL:
        return visit_type_bool(v, name, at, errp);
    case POOL_UINT8:
        return visit_type_uint8(v, name, at, errp);
    case POOL_UINT16:
        return visit_type_uint16(v, name, at, errp);
    case POOL_UINT32:
        return visit_type_uint32(v, name, at, errp);
    case POOL_UINT64:
        return visit_type_uint64(v, name, at, errp);
    case POOL_SIZE:
        return visit_type_size(v, name, at, errp);
    }
    g_assert_not_reached();
}

static void props_get(Object *obj, Visitor *v, const char *name, void *opaque,
                      Error **errp)
{
    const PoolProp *prop = opaque;

    props_visit(prop, v, name, (char *)obj + prop->offset, errp);
}

static bool props_may_change(const CXLPool *p, const char *name, Error **errp)
{
    if (p->medium.mr) {
        error_setg(errp, "property '%s' of a cxl-pool cannot be changed",
                   name);
    }
    return !p->medium.mr;
}

static void props_set(Object *obj, Visitor *v, const char *name, void *opaque,
                      Error **errp)
{
    const PoolProp *prop = opaque;

    if (!props_may_change(CXL_POOL(obj), name, errp)) {
        return;
    }
    props_visit(prop, v, name, (char *)obj + prop->offset, errp);
}

static void props_check_memdev(const Object *obj, const char *name,
                               Object *memdev, Error **errp)
{
    props_may_change(CXL_POOL(obj), name, errp);
}

static char *props_get_chardev(Object *obj, Error **errp)
{
    return g_strdup(CXL_POOL(obj)->chardev);
}

static void props_set_chardev(Object *obj, const char *value, Error **errp)
{
    CXLPool *p = CXL_POOL(obj);

    if (props_may_change(p, "chardev", errp)) {
        g_free(p->chardev);
        p->chardev = g_strdup(value);
    }
}

static void props_get_wipe_left(Object *obj, Visitor *v, const char *name,
                                void *opaque, Error **errp)
{
    visit_type_uint64(v, name, &CXL_POOL(obj)->wipe.left, errp);
}

static void props_add(ObjectClass *oc, const PoolProp *prop)
{
    object_class_property_add(oc, prop->name, props_type_name[prop->type],
                              props_get, props_set, NULL, (void *)prop);
    object_class_property_set_description(oc, prop->name, prop->meaning);
}

void cxl_pool_add_properties(ObjectClass *oc)
{
    const size_t each = ARRAY_SIZE(props_of_region);
    /* lives as long as the class */
    PoolProp *all = g_new(PoolProp, each * CXL_DC_MAX_REGIONS);

    object_class_property_add_link(oc, "memdev", TYPE_MEMORY_BACKEND,
                                   offsetof(CXLPool, medium.hostmem),
                                   props_check_memdev,
                                   OBJ_PROP_LINK_STRONG);
    object_class_property_set_description(
        oc, "memdev", "memory backend of all dynamic capacity regions");
    object_class_property_add_str(oc, "chardev", props_get_chardev,
                                  props_set_chardev);
    object_class_property_set_description(
        oc, "chardev", "id of a character device to the cxl-poold that has the "
        "pool");
    for (unsigned i = 0; i < ARRAY_SIZE(props_of_pool); i++) {
        props_add(oc, &props_of_pool[i]);
    }
    for (unsigned i = 0; i < each * CXL_DC_MAX_REGIONS; i++) {
        unsigned region = i / each;

        all[i] = props_of_region[i % each];
        all[i].name = g_strdup_printf("dc%u-%s", region, all[i].name);
        all[i].offset += region * sizeof(CXLDCRegionProps);
        props_add(oc, &all[i]);
    }
    object_class_property_add(oc, "wipe-left", "uint64", props_get_wipe_left,
                              NULL, NULL, NULL);
    object_class_property_set_description(oc, "wipe-left",
        "bytes that read as zeroes and are still to be overwritten (read only)");
}

void cxl_pool_default_properties(CXLPool *p)
{
    p->nr_heads = POOL_HEADS;
    p->nr_regions = 1;
    p->max_extents = CXL_DC_DEFAULT_EXTENTS;
    p->max_tags = CXL_DC_DEFAULT_TAGS;
    p->log_depth = 1024;
    for (unsigned i = 0; i < CXL_DC_MAX_REGIONS; i++) {
        p->region[i].block_size = CXL_DC_DEFAULT_BLOCK;
        p->region[i].sanitize_configurable = true;
    }
}
