/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pool's heads, and how what the model decides reaches the one that it is
 * about (CXL r3.2 9.13.3)
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "hw/cxl/cxl_error.h"
#include "hw/qdev-core.h"
#include "pool-internal.h"
#include "hw/cxl/trace.h"

static CXLPoolHead *pool_head_of(CXLPool *p, uint16_t host)
{
    return p->head[host].ops ? &p->head[host] : NULL;
}

/* -- consequences --------------------------------------------------------- */

static bool pool_present(void *opaque, uint16_t host)
{
    return pool_head_of(opaque, host);
}

/* Nobody could read the records of a host that has no head */
static uint32_t pool_log_space(void *opaque, uint16_t host)
{
    CXLPoolHead *head = pool_head_of(opaque, host);

    return head ? head->ops->log_space(head->opaque, host) : 0;
}

static bool pool_reserve(void *opaque, uint16_t host, const CXLDCRange *range,
                         const uint64_t *media, size_t n)
{
    CXLPoolHead *head = pool_head_of(opaque, host);

    return !head || head->ops->reserve(head->opaque, host, range, media, n);
}

static void pool_access(void *opaque, uint16_t host, const CXLDCRange *range,
                        bool on)
{
    CXLPool *p = opaque;
    CXLPoolHead *head = pool_head_of(p, host);

    if (head) {
        p->touched = head;
        head->ops->access(head->opaque, host, range, on);
    }
}

static void pool_commit(void *opaque)
{
    CXLPool *p = opaque;
    CXLPoolHead *head = p->touched;

    if (head) {
        p->touched = NULL;
        head->ops->commit(head->opaque);
    }
    cxl_wipe_begin(&p->wipe);
}

static void pool_sanitize(void *opaque, const CXLDCRange *range)
{
    CXLPool *p = opaque;
    int region = cxl_dc_region_of(p->dc, range->dpa, range->len);

    trace_cxl_pool_sanitize(cxl_pool_id(p), range->dpa, range->len);
    cxl_wipe_note(&p->wipe, p->place[region] +
                  (range->dpa - p->config.region[region].base), range->len);
}

static void pool_log(void *opaque, const CXLDCEvent *event)
{
    CXLPool *p = opaque;
    CXLPoolHead *head = pool_head_of(p, event->host);

    if (cxl_dc_event_is_for_fm(event->type)) {
        CXLEventRecord r;

        cxl_memdev_dc_record(&r, event);
        cxl_event_append(&p->events, CXL_EVENT_LOG_DYNCAP, &r);
    } else if (head) {
        head->ops->log(head->opaque, event);
    }
}

static void pool_report(void *opaque, uint16_t host, CXLDCOutcome what,
                        CXLDCReason why, const CXLDCExtent *extents, size_t n)
{
    CXLPoolHead *head = pool_head_of(opaque, host);

    if (head) {
        head->ops->report(head->opaque, host, what, why, extents, n);
    }
}

const CXLDCOps cxl_pool_dc_ops = {
    .log_space = pool_log_space,
    .present = pool_present,
    .reserve = pool_reserve,
    .access = pool_access,
    .commit = pool_commit,
    .sanitize = pool_sanitize,
    .log = pool_log,
    .report = pool_report,
};

/* -- heads come and go ---------------------------------------------------- */

CXLCCI *cxl_pool_ld(const CXLHeads *heads, unsigned head)
{
    return container_of(heads, CXLPool, heads)->head[head].ld;
}

DeviceState *cxl_pool_head(const CXLPool *p, unsigned head)
{
    return head < p->nr_heads && p->head[head].ld ? p->head[head].ld->owner
                                                  : NULL;
}

bool cxl_pool_has_heads(const CXLPool *p)
{
    for (unsigned i = 0; i < p->nr_heads; i++) {
        if (p->head[i].ops) {
            return true;
        }
    }
    return false;
}

bool cxl_pool_can_add_head(const CXLPool *p, unsigned head, Error **errp)
{
    g_autofree char *pool = cxl_echo(cxl_pool_id(p));

    if (head >= p->nr_heads) {
        error_setg(errp, "property 'head' is %u, but cxl-pool '%s' has heads 0 "
                   "to %u", head, pool, p->nr_heads - 1);
        return false;
    }
    if (p->head[head].ops) {
        DeviceState *dev = cxl_pool_head(p, head);
        g_autofree char *other = cxl_echo(dev && dev->id ? dev->id : "(no id)");

        error_setg(errp, "property 'head' is %u, but that head of cxl-pool "
                   "'%s' is '%s' already", head, pool, other);
        return false;
    }
    return true;
}

bool cxl_pool_add_head(CXLPool *p, unsigned head, const CXLPoolHead *how,
                       uint64_t base, Error **errp)
{
    Error *err = NULL;

    if (!cxl_pool_can_add_head(p, head, errp)) {
        return false;
    }
    if (!cxl_dc_set_host_base(p->dc, head, base, &err)) {
        error_propagate_prepend(errp, err, "static capacity in front of "
                                "cxl-pool '%s': ", cxl_pool_id(p));
        return false;
    }
    p->head[head] = *how;
    if (p->remote && !cxl_pool_remote_add_head(p, head, errp)) {
        p->head[head] = (CXLPoolHead) { };
        return false;
    }
    trace_cxl_pool_head(cxl_pool_id(p), head, base, true);
    return true;
}

void cxl_pool_remove_head(CXLPool *p, unsigned head)
{
    if (p->remote) {
        cxl_pool_remote_remove_head(p, head);
    } else {
        cxl_dc_remove_host(p->dc, head);
    }
    p->head[head] = (CXLPoolHead) { };
    cxl_dc_set_host_base(p->dc, head, 0, &error_abort);
    trace_cxl_pool_head(cxl_pool_id(p), head, 0, false);
}

void cxl_pool_reset_head(CXLPool *p, unsigned head)
{
    if (p->remote) {
        cxl_pool_remote_reset_head(p, head);
    } else {
        cxl_dc_reset_host(p->dc, head);
    }
}

void cxl_pool_set_remote(CXLPool *p, unsigned head, CXLCCI *cci)
{
    if (p->remote) {
        cxl_pool_remote_cci(p, head, cci);
    }
}

bool cxl_pool_is_remote(const CXLPool *p)
{
    return p->remote;
}

void cxl_pool_heads_reload(CXLPool *p)
{
    for (unsigned i = 0; i < p->nr_heads; i++) {
        if (p->head[i].ops) {
            p->head[i].loaded(p->head[i].opaque);
        }
    }
}
