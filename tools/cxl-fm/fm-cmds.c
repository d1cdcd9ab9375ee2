/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic capacity management commands 5600h..5608h (CXL r3.2 7.6.7.6)
 *
 * Answers are taken only at their exact length: a device that sends a byte more
 * or less than the tables say is at fault and the caller shall know.
 */
#include <errno.h>

#include "fm-cmds.h"

enum {
    OP_DCD_INFO         = 0x5600,
    OP_HOST_REGIONS     = 0x5601,
    OP_SET_REGION       = 0x5602,
    OP_HOST_EXTENTS     = 0x5603,
    OP_ADD              = 0x5604,
    OP_RELEASE          = 0x5605,
    OP_ADD_REFERENCE    = 0x5606,
    OP_REMOVE_REFERENCE = 0x5607,
    OP_LIST_TAGS        = 0x5608,
};

/* Low bits of the policy byte of 5604h and 5605h */
#define POLICY_MASK     0x0f

void rd_extent(struct cxl_rd *rd, struct cxl_extent *ext)
{
    ext->dpa = rd_num(rd, 8);
    ext->len = rd_num(rd, 8);
    rd_copy(rd, ext->tag, sizeof(ext->tag));
    ext->seq = rd_num(rd, 2);
    rd_skip(rd, 6);
}

static void req_extent(struct cxl_req *req, const struct cxl_extent *ext)
{
    req_num(req, ext->dpa, 8);
    req_num(req, ext->len, 8);
    req_bytes(req, ext->tag, sizeof(ext->tag));
    req_num(req, ext->seq, 2);
    req_zeros(req, 6);
}

void rd_counts(struct cxl_rd *rd, struct cxl_dc_counts *counts)
{
    counts->extents = rd_num(rd, 4);
    counts->extents_free = rd_num(rd, 4);
    counts->tags = rd_num(rd, 4);
    counts->tags_free = rd_num(rd, 4);
}

int fm_get_dcd_info(struct cxl_conn *conn, struct fm_dcd_info *info)
{
    struct cxl_req req;
    struct cxl_rsp rsp;
    struct cxl_rd rd;
    int ret;

    req_start(&req, OP_DCD_INFO);
    ret = cxl_run_read(conn, &req, &rsp, &rd);
    if (ret) {
        return ret;
    }
    info->hosts = rd_num(&rd, 1);
    info->regions = rd_num(&rd, 1);
    rd_skip(&rd, 2);
    info->add_policies = rd_num(&rd, 2);
    rd_skip(&rd, 2);
    info->release_policies = rd_num(&rd, 2);
    info->sanitize_mask = rd_num(&rd, 1);
    rd_skip(&rd, 1);
    info->capacity = rd_num(&rd, 8) * CXL_DC_UNIT;
    for (unsigned r = 0; r < CXL_DC_REGIONS; r++) {
        info->block_mask[r] = rd_num(&rd, 8);
    }
    return rd_end(&rd);
}

bool fm_may_have_host(const struct fm_dcd_info *info, uint16_t host)
{
    return host < info->hosts || (info->hosts == UINT8_MAX &&
                                  host == UINT8_MAX);
}

int fm_get_regions(struct cxl_conn *conn, uint16_t host, uint8_t count,
                   uint8_t start, struct fm_regions *regions)
{
    struct cxl_req req;
    struct cxl_rsp rsp;
    struct cxl_rd rd;
    int ret;

    req_start(&req, OP_HOST_REGIONS);
    req_num(&req, host, 2);
    req_num(&req, count, 1);
    req_num(&req, start, 1);
    ret = cxl_run_read(conn, &req, &rsp, &rd);
    if (ret) {
        return ret;
    }
    regions->host = rd_num(&rd, 2);
    regions->available = rd_num(&rd, 1);
    regions->n = rd_num(&rd, 1);
    if (regions->n > count || regions->n > CXL_DC_REGIONS) {
        return -EBADMSG;
    }
    for (unsigned i = 0; i < regions->n; i++) {
        struct fm_region *r = &regions->region[i];

        r->base = rd_num(&rd, 8);
        r->decode_len = rd_num(&rd, 8) * CXL_DC_UNIT;
        r->len = rd_num(&rd, 8);
        r->block = rd_num(&rd, 8);
        r->attributes = rd_num(&rd, 1);
        rd_skip(&rd, 3);
        r->sanitize = rd_num(&rd, 1) & 1;
        rd_skip(&rd, 3);
    }
    rd_counts(&rd, &regions->counts);
    return rd_end(&rd);
}

int fm_set_region(struct cxl_conn *conn, uint8_t region, uint64_t block,
                  bool sanitize)
{
    struct cxl_req req;

    req_start(&req, OP_SET_REGION);
    req_num(&req, region, 1);
    req_zeros(&req, 3);
    req_num(&req, block, 8);
    req_num(&req, sanitize, 1);
    req_zeros(&req, 3);
    return cxl_run_silent(conn, &req);
}

int fm_get_extents(struct cxl_conn *conn, uint16_t host, uint32_t count,
                   uint32_t start, struct cxl_extent_page *page)
{
    struct cxl_req req;
    struct cxl_rsp rsp;
    struct cxl_rd rd;
    int ret;

    req_start(&req, OP_HOST_EXTENTS);
    req_num(&req, host, 2);
    req_zeros(&req, 2);
    req_num(&req, count, 4);
    req_num(&req, start, 4);
    ret = cxl_run_read(conn, &req, &rsp, &rd);
    if (ret) {
        return ret;
    }
    page->host = rd_num(&rd, 2);
    rd_skip(&rd, 2);
    page->start = rd_num(&rd, 4);
    page->n = rd_num(&rd, 4);
    page->total = rd_num(&rd, 4);
    page->generation = rd_num(&rd, 4);
    rd_skip(&rd, 4);
    if (page->n > count || page->n > CXL_PAGE_MAX || page->start != start) {
        return -EBADMSG;
    }
    for (uint32_t i = 0; i < page->n; i++) {
        rd_extent(&rd, &page->ext[i]);
    }
    return rd_end(&rd);
}

/* 5604h and 5605h differ in the byte after the policy; a release has none */
static int run_order(struct cxl_conn *conn, uint16_t opcode,
                     const struct fm_order *order, bool prescriptive)
{
    struct cxl_req req;

    req_start(&req, opcode);
    req_num(&req, order->host, 2);
    req_num(&req, order->policy, 1);
    req_num(&req, opcode == OP_ADD ? order->region : 0, 1);
    req_num(&req, order->len, 8);
    if (order->tag) {
        req_bytes(&req, order->tag, 16);
    } else {
        req_zeros(&req, 16);
    }
    /* By the letter absent for other policies, yet most clients send it */
    req_num(&req, prescriptive ? order->n : 0, 4);
    if (prescriptive) {
        for (uint32_t i = 0; i < order->n && !req.full; i++) {
            req_extent(&req, &order->ext[i]);
        }
    }
    return cxl_run_silent(conn, &req);
}

int fm_add(struct cxl_conn *conn, const struct fm_order *order)
{
    return run_order(conn, OP_ADD, order,
                     (order->policy & POLICY_MASK) == FM_ADD_PRESCRIPTIVE);
}

int fm_release(struct cxl_conn *conn, const struct fm_order *order)
{
    return run_order(conn, OP_RELEASE, order,
                     (order->policy & POLICY_MASK) == FM_RELEASE_PRESCRIPTIVE);
}

int fm_add_reference(struct cxl_conn *conn, const uint8_t tag[16])
{
    struct cxl_req req;

    req_start(&req, OP_ADD_REFERENCE);
    req_bytes(&req, tag, 16);
    return cxl_run_silent(conn, &req);
}

int fm_remove_reference(struct cxl_conn *conn, const uint8_t tag[16])
{
    struct cxl_req req;

    req_start(&req, OP_REMOVE_REFERENCE);
    req_bytes(&req, tag, 16);
    return cxl_run_silent(conn, &req);
}

/* 5608h: references and offers are in its answer */
#define TAGS_VALID 3

static bool no_host(const uint8_t map[32])
{
    unsigned bits = 0;

    for (unsigned i = 0; i < 32; i++) {
        bits |= map[i];
    }
    return !bits;
}

int fm_list_tags(struct cxl_conn *conn, uint32_t start, uint32_t max,
                 struct fm_tags *tags)
{
    struct cxl_req req;
    struct cxl_rsp rsp;
    struct cxl_rd rd;
    int ret;

    req_start(&req, OP_LIST_TAGS);
    req_num(&req, start, 4);
    req_num(&req, max, 4);
    ret = cxl_run_read(conn, &req, &rsp, &rd);
    if (ret) {
        return ret;
    }
    tags->generation = rd_num(&rd, 4);
    tags->total = rd_num(&rd, 4);
    tags->n = rd_num(&rd, 4);
    tags->validity = rd_num(&rd, 1);
    rd_skip(&rd, 3);
    if (tags->n > max || tags->n > FM_TAGS_MAX) {
        return -EBADMSG;
    }
    for (uint32_t i = 0; i < tags->n; i++) {
        struct fm_tag *t = &tags->entry[i];

        rd_copy(&rd, t->tag, sizeof(t->tag));
        t->referenced = rd_num(&rd, 1) & 1;
        rd_skip(&rd, 3);
        rd_copy(&rd, t->accepted, sizeof(t->accepted));
        rd_copy(&rd, t->pending, sizeof(t->pending));
        t->withdrawn = (tags->validity & TAGS_VALID) == TAGS_VALID &&
                       !t->referenced && no_host(t->accepted) &&
                       no_host(t->pending);
    }
    return rd_end(&rd);
}
