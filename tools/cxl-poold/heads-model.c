/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cxl-poold: what the model of dynamic capacity asks and tells about a host,
 * whose head is in another process; see docs/interop/cxl-pool.rst
 */
#include "qemu/osdep.h"
#include "hw/cxl/cxl_memdev.h"
#include "poold.h"

/* Records that one host has been told of and not confirmed, at most */
#define OUTBOX_MAX  UINT16_MAX

static Head *head_at(void *opaque, uint16_t host)
{
    Poold *p = opaque;

    return &p->head[host];
}

/* An offer to nobody would wait for ever */
static uint32_t head_log_space(void *opaque, uint16_t host)
{
    const Head *h = head_at(opaque, host);

    return h->conn ? MIN(h->room, OUTBOX_MAX - MIN(h->outbox->len, OUTBOX_MAX))
                   : 0;
}

/* One that lives may come back, here or in another process, and is told then */
static bool head_present(void *opaque, uint16_t host)
{
    const Head *h = head_at(opaque, host);

    return h->process || !qemu_uuid_is_null(&h->handover);
}

void heads_pieces(const Head *h, uint64_t dpa, uint64_t last, GArray *pieces)
{
    CXLDCRange range;
    uint64_t media;

    while (cxl_dc_next(h->pool->dc, h->nr, dpa, &range, &media) &&
           range.dpa <= last) {
        CXLDCPiece piece = {
            .dpa = range.dpa,
            .len = MIN(range.len - 1, last - range.dpa) + 1,
            .media = media,
        };

        g_array_append_val(pieces, piece);
        if (last - range.dpa < range.len) {
            break;
        }
        dpa = range.dpa + range.len;
    }
}

static void head_access(void *opaque, uint16_t host, const CXLDCRange *range,
                        bool on)
{
    Head *h = head_at(opaque, host);
    g_autoptr(GArray) pieces = g_array_new(FALSE, FALSE, sizeof(CXLDCPiece));

    store_note(h->pool->store, h->nr,
               range->dpa - cxl_dc_host_base(h->pool->dc, h->nr), range->len);
    h->pool->changed_model = true;
    if (!h->conn) {
        return;
    }
    if (on) {
        heads_pieces(h, range->dpa, range->dpa + (range->len - 1), pieces);
        cxl_pool_put_ranges(h->conn->out, h->nr, CXL_POOL_MSG_ON, 0,
                            (CXLDCPiece *)pieces->data, pieces->len);
    } else {
        CXLDCPiece piece = {
            .dpa = range->dpa, .len = range->len, .media = range->dpa,
        };

        cxl_pool_put_ranges(h->conn->out, h->nr, CXL_POOL_MSG_OFF,
                            cxl_dc_last_ticket(h->pool->dc), &piece, 1);
    }
}

/* Done when that it has left the host is in the database: cxl_dc_next_wipe() */
static void head_sanitize(void *opaque, const CXLDCRange *range)
{
    Poold *p = opaque;

    p->changed_model = true;
}

static void head_log(void *opaque, const CXLDCEvent *event)
{
    Head *h = head_at(opaque, event->host);
    CXLEventRecord r;

    cxl_memdev_dc_record(&r, event);
    if (cxl_dc_event_is_for_fm(event->type)) {
        cxl_event_append(&h->pool->events, CXL_EVENT_LOG_DYNCAP, &r);
        h->pool->changed_log = true;
        return;
    }
    /* What is there no room for is lost, as it is when a log is full */
    if (!head_present(opaque, h->nr) || h->outbox->len >= OUTBOX_MAX) {
        return;
    }
    g_array_append_val(h->outbox, r);
    h->room -= !!h->room;
    if (h->conn) {
        cxl_pool_put_events(h->conn->out, h->nr, h->next_event, &r, 1);
    }
    h->next_event++;
    h->pool->changed_heads = true;
}

static bool head_next_kept(void *opaque, uint16_t host, CXLDCExtent *extent)
{
    Poold *p = opaque;

    return store_next_extent(p->store, host, extent);
}

const CXLDCOps heads_dc_ops = {
    .log_space = head_log_space,
    .present = head_present,
    .access = head_access,
    .sanitize = head_sanitize,
    .log = head_log,
    .next_kept = head_next_kept,
    .fenced = true,
};
