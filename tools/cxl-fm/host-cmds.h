/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity commands of a host: 4800h..4803h (CXL r3.2 8.2.10.9.9)
 *
 * Return values as in fm-cmds.h.
 */
#ifndef HOST_CMDS_H
#define HOST_CMDS_H

#include "fm-cmds.h"

struct host_region {
    uint64_t base, decode_len, len, block;
    uint32_t dsmad_handle;
    bool sanitize;
};

struct host_regions {
    uint8_t available, n;
    struct host_region region[CXL_DC_REGIONS];
    struct cxl_dc_counts counts;
};

/** struct cxl_range - the "updated extent" of 4802h and 4803h */
struct cxl_range {
    uint64_t dpa, len;
};

int host_get_regions(struct cxl_conn *conn, uint8_t count, uint8_t start,
                     struct host_regions *regions);
int host_get_extents(struct cxl_conn *conn, uint32_t count, uint32_t start,
                     struct cxl_extent_page *page);

/**
 * host_respond() - answer the oldest offer, 4802h
 * @n: 0 refuses the offer.  A list that is longer than a payload goes out as
 *     several with the More flag
 */
int host_respond(struct cxl_conn *conn, const struct cxl_range *ranges,
                 size_t n);
/** host_release() - give capacity back, 4803h; @n as above but not 0. */
int host_release(struct cxl_conn *conn, const struct cxl_range *ranges,
                 size_t n);

#endif /* HOST_CMDS_H */
