/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Heads of a pool that cxl-poold has: what their hosts have sanitized is
 * overwritten before the daemon hears that they reach it no more, for it is
 * somebody else's then (docs/interop/cxl-pool.rst)
 */
#include "qemu/osdep.h"
#include "remote.h"
#include "hw/cxl/trace.h"

/* Between two slices of a walk all others get their turn */
#define REMOTE_PAUSE_MS 5

static void remote_send_ended(RemoteHead *h, uint64_t ticket)
{
    if (h->attached && ticket) {
        cxl_pool_put_number(h->remote->out, h->nr, CXL_POOL_MSG_ENDED, ticket);
        cxl_remote_flush(h->remote);
    }
}

/* Where the connection is lost, it is said on the next one */
static void remote_send_detach(RemoteHead *h)
{
    if (h->attached) {
        cxl_pool_put_number(h->remote->out, h->nr, CXL_POOL_MSG_DETACH, 0);
        cxl_remote_flush(h->remote);
        h->attached = false;
        h->leaves = false;
        h->instance = (QemuUUID) { };
    }
}

static bool remote_walks(const CXLPoolRemote *r)
{
    return timer_pending(r->walk);
}

static void remote_walk_begin(CXLPoolRemote *r)
{
    r->walked = 0;
    timer_mod(r->walk, qemu_clock_get_ms(QEMU_CLOCK_REALTIME));
}

/* What hosts had sanitized when it began is overwritten */
static void remote_walk_end(CXLPoolRemote *r)
{
    bool again = false;

    for (unsigned i = 0; i < r->pool->nr_heads; i++) {
        RemoteHead *h = &r->head[i];

        if (h->leaves) {
            remote_send_detach(h);
        }
        remote_send_ended(h, h->owed);
        h->owed = h->later;
        h->later = 0;
        again |= h->owed;
    }
    if (again) {
        remote_walk_begin(r);
    }
}

void cxl_remote_walk(void *opaque)
{
    CXLPoolRemote *r = opaque;
    bool through = cxl_wipe_slice(&r->pool->wipe, &r->walked);

    trace_cxl_pool_remote_walk(cxl_pool_id(r->pool), r->walked, through);
    if (through) {
        remote_walk_end(r);
    } else {
        timer_mod(r->walk, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) +
                  REMOTE_PAUSE_MS);
    }
}

/*
 * The share of a migration that goes on: its thread lets all others have their
 * turn between two slices
 */
void cxl_remote_overwrite(CXLPoolRemote *r)
{
    uint64_t at = 0;

    if (r->pool->wipe.left) {
        cxl_wipe_slice(&r->pool->wipe, &at);
        trace_cxl_pool_remote_overwrite(cxl_pool_id(r->pool),
                                        r->pool->wipe.left);
    }
}

void cxl_remote_head_leaves(RemoteHead *h)
{
    CXLPoolRemote *r = h->remote;

    if (!r->pool->wipe.left) {
        remote_send_detach(h);
    } else if (!remote_walks(r)) {
        remote_walk_begin(r);
    }
}

bool cxl_pool_remote_is_left(const CXLPool *p)
{
    for (unsigned i = 0; p->remote && i < p->nr_heads; i++) {
        if (p->remote->head[i].leaves) {
            return true;
        }
    }
    return false;
}

void cxl_remote_leave(CXLPoolRemote *r)
{
    cxl_wipe_finish(&r->pool->wipe);
    for (unsigned i = 0; i < r->pool->nr_heads; i++) {
        if (r->head[i].leaves) {
            remote_send_detach(&r->head[i]);
        }
    }
}

void cxl_remote_ended(RemoteHead *h, uint64_t ticket)
{
    CXLPoolRemote *r = h->remote;

    if (!r->pool->wipe.left) {
        remote_send_ended(h, ticket);
    } else if (remote_walks(r)) {
        h->later = ticket;
    } else {
        h->owed = ticket;
        remote_walk_begin(r);
    }
}
