/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL Type 3 memory device: its properties, each with what it is for, which
 * `-device cxl-type3,help` prints.  Reference: none, this is QEMU's own.
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "hw/qdev-properties.h"
#include "hw/qdev-properties-system.h"
#include "hw/cxl/cxl_direct.h"
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
    { DEFINE_PROP_UINT64("sn", CXLType3Dev, sn, CXL_TYPE3_NO_SERIAL),
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
    { DEFINE_PROP_BOOL("fm-on-mailbox", CXLType3Dev, fm_on_mailbox, true),
      "commands of the Fabric Manager are also answered on the PCI mailbox" },
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
                       CXL_TYPE3_DC_BLOCK),
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
        all[i].offset += region * sizeof(CXLType3DCProps);
    }
    device_class_set_props_n(dc, all, total);
    for (i = 0; i < total; i++) {
        object_class_property_set_description(
            OBJECT_CLASS(dc), all[i].name,
            i < fixed ? properties_of_device[i].meaning :
                        properties_of_region[(i - fixed) % each].meaning);
    }
}
