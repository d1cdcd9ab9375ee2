/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity regions as a user describes them: the properties dcN-* of
 * whoever owns a medium (CXL r3.2 7.6.7.6.1, 8.2.10.9.9.1)
 */
#ifndef CXL_DC_GEOMETRY_H
#define CXL_DC_GEOMETRY_H

#include "hw/cxl/cxl_dc.h"

/* Unit of allocation of a region that was given none */
#define CXL_DC_DEFAULT_BLOCK    (2 * MiB)

/**
 * struct CXLDCRegionProps - properties dcN-* of dynamic capacity region N
 *
 * A @size or @block_sizes of 0 stands for what the rest of the device decides.
 */
typedef struct CXLDCRegionProps {
    uint64_t size;
    uint64_t block_size;
    uint64_t block_sizes;
    bool sharable;
    bool read_only;
    bool non_volatile;
    bool hw_coherent;
    bool sanitize;
    bool sanitize_configurable;
} CXLDCRegionProps;

/**
 * struct CXLDCGeometry - what regions are made of
 * @owner: type of who has the properties, for warnings
 * @backend: name of the property that has the memory
 * @size: bytes of it
 * @base: where the first region begins
 * @any_base: hosts may see it anywhere, at a multiple of CXL_DC_GRANULE
 * @nr_regions: property num-dc-regions
 * @max_extents: property dc-extents-max
 * @props: of CXL_DC_MAX_REGIONS regions
 */
typedef struct CXLDCGeometry {
    const char *owner;
    const char *backend;
    uint64_t size;
    uint64_t base;
    bool any_base;
    unsigned nr_regions;
    uint32_t max_extents;
    const CXLDCRegionProps *props;
} CXLDCGeometry;

/** cxl_dc_props_are_default() - nobody has set one of them. */
bool cxl_dc_props_are_default(const CXLDCRegionProps *props);

/**
 * cxl_dc_geometry() - place the regions, and cut them into blocks
 * @config: its regions are filled
 * @place: where each region begins in the memory
 * @errp: names the property and its value
 */
bool cxl_dc_geometry(const CXLDCGeometry *g, CXLDCConfig *config,
                     uint64_t *place, Error **errp);

/*
 * Of a CXLDCConfig: what becomes of dcN-* must be the same on both sides of a
 * stream, whether it was given or follows from others
 */
extern const struct VMStateDescription vmstate_cxl_dc_regions;

#endif
