/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity commands of a host: 4800h..4803h (CXL r3.2 8.2.10.9.9)
 */
#include <errno.h>

#include "host-cmds.h"

#define OP_CONFIG   0x4800
#define OP_EXTENTS  0x4801
#define OP_RESPOND  0x4802
#define OP_RELEASE  0x4803

/* Head of a range list and one range in it */
#define LIST_HEAD   8
#define RANGE_SIZE  0x18
#define LIST_MORE   1

int host_get_regions(struct cxl_conn *conn, uint8_t count, uint8_t start,
                     struct host_regions *regions)
{
    struct cxl_req req;
    struct cxl_rsp rsp;
    struct cxl_rd rd;
    int ret;

    req_start(&req, OP_CONFIG);
    req_num(&req, count, 1);
    req_num(&req, start, 1);
    ret = cxl_run_read(conn, &req, &rsp, &rd);
    if (ret) {
        return ret;
    }
    regions->available = rd_num(&rd, 1);
    regions->n = rd_num(&rd, 1);
    rd_skip(&rd, 6);
    if (regions->n > count || regions->n > CXL_DC_REGIONS) {
        return -EBADMSG;
    }
    for (unsigned i = 0; i < regions->n; i++) {
        struct host_region *r = &regions->region[i];

        r->base = rd_num(&rd, 8);
        r->decode_len = rd_num(&rd, 8) * CXL_DC_UNIT;
        r->len = rd_num(&rd, 8);
        r->block = rd_num(&rd, 8);
        r->dsmad_handle = rd_num(&rd, 4);
        r->sanitize = rd_num(&rd, 1) & 1;
        rd_skip(&rd, 3);
    }
    rd_counts(&rd, &regions->counts);
    return rd_end(&rd);
}

int host_get_extents(struct cxl_conn *conn, uint32_t count, uint32_t start,
                     struct cxl_extent_page *page)
{
    struct cxl_req req;
    struct cxl_rsp rsp;
    struct cxl_rd rd;
    int ret;

    req_start(&req, OP_EXTENTS);
    req_num(&req, count, 4);
    req_num(&req, start, 4);
    ret = cxl_run_read(conn, &req, &rsp, &rd);
    if (ret) {
        return ret;
    }
    page->host = 0;
    page->start = start;
    page->n = rd_num(&rd, 4);
    page->total = rd_num(&rd, 4);
    page->generation = rd_num(&rd, 4);
    rd_skip(&rd, 4);
    if (page->n > count || page->n > CXL_PAGE_MAX) {
        return -EBADMSG;
    }
    for (uint32_t i = 0; i < page->n; i++) {
        rd_extent(&rd, &page->ext[i]);
    }
    return rd_end(&rd);
}

/* One operation may need several payloads; the last has no More flag */
static int run_ranges(struct cxl_conn *conn, uint16_t opcode,
                      const struct cxl_range *ranges, size_t n)
{
    size_t room = (conn->max_req - LIST_HEAD) / RANGE_SIZE;
    struct cxl_req req;
    int ret;

    do {
        size_t now = n < room ? n : room;

        n -= now;
        req_start(&req, opcode);
        req_num(&req, now, 4);
        req_num(&req, n ? LIST_MORE : 0, 1);
        req_zeros(&req, 3);
        for (; now; now--, ranges++) {
            req_num(&req, ranges->dpa, 8);
            req_num(&req, ranges->len, 8);
            req_zeros(&req, 8);
        }
        ret = cxl_run_silent(conn, &req);
    } while (!ret && n);
    return ret;
}

int host_respond(struct cxl_conn *conn, const struct cxl_range *ranges,
                 size_t n)
{
    return run_ranges(conn, OP_RESPOND, ranges, n);
}

int host_release(struct cxl_conn *conn, const struct cxl_range *ranges,
                 size_t n)
{
    return run_ranges(conn, OP_RELEASE, ranges, n);
}
