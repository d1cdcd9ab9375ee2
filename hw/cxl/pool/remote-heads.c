/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Heads of a pool that cxl-poold has: what they ask and are told
 * (docs/interop/cxl-pool.rst)
 *
 * The model of such a pool is a view: it shows what hosts may access, which the
 * daemon decides.  What a head has asked and not heard the answer to is kept,
 * and asked again when the connection was lost: a daemon that has answered
 * already knows by its number.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "hw/cxl/cxl_error.h"
#include "remote.h"
#include "hw/cxl/trace.h"

/* -- sending -------------------------------------------------------------- */

static uint32_t remote_log_room(const RemoteHead *h)
{
    const CXLPoolHead *head = &h->remote->pool->head[h->nr];

    return cxl_event_room(head->ld->events, CXL_EVENT_LOG_DYNCAP);
}

static void remote_send_credit(RemoteHead *h)
{
    const CXLPoolCredit credit = {
        .heard = h->heard, .room = remote_log_room(h),
    };

    if (h->attached) {
        cxl_pool_put_credit(h->remote->out, h->nr, &credit);
        cxl_remote_flush(h->remote);
    }
}

static void remote_log_drained(Notifier *n, void *data)
{
    if (*(CXLEventLogId *)data == CXL_EVENT_LOG_DYNCAP) {
        remote_send_credit(container_of(n, RemoteHead, drained));
    }
}

static void remote_send_request(RemoteHead *h, const RemoteRequest *q)
{
    const CXLPoolRequest request = {
        .id = q->id, .opcode = q->opcode, .room = q->room,
        .payload = q->payload->data, .len = q->payload->len,
    };

    cxl_pool_put_request(h->remote->out, h->nr, &request);
}

void cxl_remote_send_attach(RemoteHead *h)
{
    CXLPool *p = h->remote->pool;
    CXLPoolAttach attach = {
        .instance = h->instance,
        .base = h->leaves ? h->base : cxl_dc_host_base(p->dc, h->nr),
        .heard = h->heard,
        .room = h->leaves ? 0 : remote_log_room(h),
        .goes_on = h->lives,
    };

    for (unsigned i = 0; i < p->config.nr_regions; i++) {
        attach.dsmad[i] = cxl_dc_dsmad_handle(p->dc, h->nr, i);
    }
    h->owed = h->later = 0;
    g_array_set_size(h->view, 0);
    cxl_pool_put_attach(h->remote->out, h->nr, &attach);
    cxl_remote_flush(h->remote);
}

/* Nobody is there to answer, nor will be */
static void remote_fail(CXLCCIAnswered *done, void *opaque)
{
    if (done) {
        done(opaque, CXL_RC_INTERNAL_ERROR, "", 0);
    }
}

static void remote_ask(RemoteHead *h, uint16_t opcode, const void *payload,
                       size_t len, size_t room, CXLCCIAnswered *done,
                       void *opaque)
{
    RemoteRequest *q;

    if (h->lost) {
        remote_fail(done, opaque);
        return;
    }
    q = g_new0(RemoteRequest, 1);
    q->id = ++h->last_id;
    q->opcode = opcode;
    q->room = room;
    q->payload = g_byte_array_sized_new(len);
    g_byte_array_append(q->payload, payload, len);
    q->done = done;
    q->opaque = opaque;
    g_queue_push_tail(&h->requests, q);
    if (h->attached) {
        remote_send_request(h, q);
        cxl_remote_flush(h->remote);
    }
}

static void remote_request_free(gpointer opaque)
{
    RemoteRequest *q = opaque;

    g_byte_array_unref(q->payload);
    g_free(q);
}

void cxl_remote_forget_requests(RemoteHead *h)
{
    g_queue_clear_full(&h->requests, remote_request_free);
}

/*
 * Behind it the daemon says nothing more of this head: what it has said before
 * is taken, as if the head were attached, but nothing is answered.
 */
void cxl_remote_send_handover(RemoteHead *h)
{
    CXLPoolRemote *r = h->remote;

    cxl_dc_view_leave(r->pool->dc, h->nr, true);
    qemu_uuid_generate(&h->handover);
    h->handed = false;
    h->attached = false;
    h->parked = true;
    h->owed = h->later = 0;
    trace_cxl_pool_remote_handover(cxl_pool_id(r->pool), h->nr, false);
    cxl_pool_put_uuid(r->out, h->nr, CXL_POOL_MSG_HANDOVER, &h->handover);
    cxl_remote_flush(r);
}

/* -- what the daemon says ------------------------------------------------- */

static bool remote_ranges(RemoteHead *h, const CXLPoolMsg *msg)
{
    CXLDynCap *dc = h->remote->pool->dc;
    g_autofree CXLDCPiece *piece = NULL;
    CXLPoolRanges m;

    if (!cxl_pool_get_ranges(msg, &m)) {
        return false;
    }
    if (h->parked) {
        return true;
    }
    piece = g_new(CXLDCPiece, m.n);
    for (uint32_t i = 0; i < m.n; i++) {
        piece[i] = cxl_pool_wire_range(&m, i);
    }
    trace_cxl_pool_remote_ranges(cxl_pool_id(h->remote->pool), h->nr,
                                 msg->type == CXL_POOL_MSG_VIEW ? "view" :
                                 msg->type == CXL_POOL_MSG_ON ? "on" : "off",
                                 m.n);
    switch (msg->type) {
    case CXL_POOL_MSG_VIEW:
        g_array_append_vals(h->view, piece, m.n);
        return !h->attached &&
               h->view->len <= h->remote->pool->config.max_extents;
    case CXL_POOL_MSG_ON:
        return cxl_dc_view_on(dc, h->nr, piece, m.n);
    default:
        if (!cxl_dc_view_off(dc, h->nr, piece, m.n)) {
            return false;
        }
        cxl_remote_ended(h, m.ticket);
        return true;
    }
}

void cxl_remote_tell(void *opaque)
{
    RemoteHead *h = opaque;
    CXLHeadInfo info;

    if (h->attached && !h->leaves) {
        cxl_head_info(h->remote->pool->head[h->nr].ld, &info);
        cxl_pool_put_info(h->remote->out, h->nr, &info);
        cxl_remote_flush(h->remote);
    }
}

/* Its host is gone, and so is all that was said to it */
static bool remote_left(RemoteHead *h, const CXLPoolMsg *msg)
{
    if (msg->type == CXL_POOL_MSG_ATTACHED) {
        h->attached = true;
        cxl_remote_head_leaves(h);
    } else if (msg->type == CXL_POOL_MSG_REFUSED) {
        h->leaves = false;
        h->instance = (QemuUUID) { };
    }
    return true;
}

static bool remote_attached(RemoteHead *h, const CXLPoolMsg *msg)
{
    uint64_t ticket;

    if (!cxl_pool_get_number(msg, &ticket) || h->attached || h->parked ||
        !cxl_dc_view_become(h->remote->pool->dc, h->nr,
                            (CXLDCPiece *)h->view->data, h->view->len)) {
        return false;
    }
    g_array_set_size(h->view, 0);
    h->attached = true;
    h->lives = true;
    cxl_remote_ended(h, ticket);
    remote_send_credit(h);
    /* What is not answered yet, and what was asked since it attached */
    for (GList *it = h->requests.head; it; it = it->next) {
        remote_send_request(h, it->data);
    }
    cxl_remote_flush(h->remote);
    qemu_bh_schedule(h->tell);
    return true;
}

/* One that is not waited for was answered in a life before */
static bool remote_answered(RemoteHead *h, const CXLPoolMsg *msg)
{
    RemoteRequest *q = g_queue_peek_head(&h->requests);
    CXLPoolAnswer a;

    if (!cxl_pool_get_answer(msg, &a)) {
        return false;
    }
    /* Of those in front there is no answer any more, nor anybody who waits */
    while (q && q->id < a.id && !q->done) {
        remote_request_free(g_queue_pop_head(&h->requests));
        q = g_queue_peek_head(&h->requests);
    }
    if (!q || q->id != a.id || a.len > q->room) {
        return !q || a.id < q->id;
    }
    g_queue_pop_head(&h->requests);
    if (q->done) {
        q->done(q->opaque, a.rc, a.payload, a.len);
    }
    remote_request_free(q);
    return true;
}

static bool remote_events(RemoteHead *h, const CXLPoolMsg *msg)
{
    const CXLPoolHead *head = &h->remote->pool->head[h->nr];
    CXLPoolEvents m;

    if (!cxl_pool_get_events(msg, &m) || m.first > h->heard + 1) {
        return false;
    }
    for (uint32_t i = 0; i < m.n; i++) {
        CXLEventRecord r;

        if (m.first + i > h->heard) {
            cxl_pool_wire_record(&m, i, &r);
            cxl_event_append(head->ld->events, CXL_EVENT_LOG_DYNCAP, &r);
            h->heard = m.first + i;
        }
    }
    remote_send_credit(h);
    return true;
}

/*
 * A Fabric Manager's request to the logical device.  A machine that is stopped
 * does not answer: what it did then might not be in what is saved of it.
 */
static bool remote_tunnel(RemoteHead *h, const CXLPoolMsg *msg)
{
    CXLPoolRemote *r = h->remote;
    g_autofree uint8_t *out = NULL;
    CXLPoolAnswer a = { };
    CXLPoolRequest q;
    CXLCCI *ld;

    if (!cxl_pool_get_request(msg, &q)) {
        return false;
    }
    if (!runstate_is_running()) {
        return true;
    }
    ld = r->pool->head[h->nr].ld;
    out = g_malloc(q.room);
    a.id = q.id;
    a.rc = cxl_cci_process(ld, q.opcode, q.payload, q.len, out, q.room, &a.len);
    a.background = ld->bg.running;
    a.payload = out;
    trace_cxl_pool_remote_tunnel(cxl_pool_id(r->pool), h->nr, q.opcode,
                                 cxl_rc_name(a.rc), a.len);
    cxl_pool_put_reply(r->out, h->nr, &a);
    cxl_remote_flush(r);
    return true;
}

/* One that is not waited for any more was taken back */
static bool remote_handed(RemoteHead *h, const CXLPoolMsg *msg)
{
    QemuUUID uuid;

    if (!cxl_pool_get_uuid(msg, &uuid)) {
        return false;
    }
    h->handed |= qemu_uuid_is_equal(&uuid, &h->handover);
    trace_cxl_pool_remote_handover(cxl_pool_id(h->remote->pool), h->nr,
                                   h->handed);
    return true;
}

/* To its host it is as if all had been taken away by force */
static bool remote_refused(RemoteHead *h, const CXLPoolMsg *msg, Error **errp)
{
    CXLPoolRemote *r = h->remote;
    g_autofree char *text = cxl_pool_get_text(msg);
    g_autofree char *id = cxl_echo(cxl_pool_id(r->pool));
    RemoteRequest *q;

    h->lost = true;
    if (r->plugs == h) {
        error_setg(errp, "%s", text);
        return false;
    }
    error_report("cxl-pool '%s': head %u has lost its capacity, cxl-poold "
                 "says: %s", id, h->nr, text);
    cxl_dc_view_leave(r->pool->dc, h->nr, true);
    while ((q = g_queue_pop_head(&h->requests))) {
        remote_fail(q->done, q->opaque);
        remote_request_free(q);
    }
    return true;
}

bool cxl_remote_message(CXLPoolRemote *r, const CXLPoolMsg *msg, Error **errp)
{
    RemoteHead *h;
    bool done;

    if (msg->type == CXL_POOL_MSG_ERROR) {
        g_autofree char *text = cxl_pool_get_text(msg);

        error_setg(errp, "%s", text);
        return false;
    }
    if (msg->type == CXL_POOL_MSG_WELCOME) {
        return cxl_remote_welcomed(r, msg, errp);
    }
    h = r->head && msg->head < r->pool->nr_heads ? &r->head[msg->head] : NULL;
    if (!h || qemu_uuid_is_null(&h->instance)) {
        /* To a head that was unplugged when it was said */
        if (h) {
            return true;
        }
        error_setg(errp, "a message of type 0x%02x to head %u, which there "
                   "is not", msg->type, msg->head);
        return false;
    }
    if (h->leaves) {
        return remote_left(h, msg);
    }
    if (msg->type == CXL_POOL_MSG_REFUSED && !h->attached && !h->parked) {
        return remote_refused(h, msg, errp);
    }
    switch (msg->type) {
    case CXL_POOL_MSG_VIEW:
    case CXL_POOL_MSG_ON:
    case CXL_POOL_MSG_OFF:
        done = remote_ranges(h, msg);
        break;
    case CXL_POOL_MSG_ATTACHED:
        done = remote_attached(h, msg);
        break;
    case CXL_POOL_MSG_ANSWER:
        done = remote_answered(h, msg);
        break;
    case CXL_POOL_MSG_EVENTS:
        done = remote_events(h, msg);
        break;
    case CXL_POOL_MSG_TUNNEL:
        done = remote_tunnel(h, msg);
        break;
    case CXL_POOL_MSG_HANDED:
        done = remote_handed(h, msg);
        break;
    default:
        done = false;
    }
    if (!done) {
        error_setg(errp, "a message of type 0x%02x to head %u makes no sense",
                   msg->type, msg->head);
    }
    return done;
}

/* -- heads ---------------------------------------------------------------- */

static void remote_submit(void *opaque, uint16_t opcode, const void *in,
                          size_t len, size_t room, CXLCCIAnswered *done,
                          void *done_opaque)
{
    remote_ask(opaque, opcode, in, len, room, done, done_opaque);
}

static void remote_cancel(void *opaque)
{
    RemoteHead *h = opaque;

    for (GList *it = h->requests.head; it; it = it->next) {
        ((RemoteRequest *)it->data)->done = NULL;
    }
}

static const CXLCCIRemoteOps remote_cci_ops = {
    .submit = remote_submit,
    .cancel = remote_cancel,
};

static void remote_begin(RemoteHead *h)
{
    qemu_uuid_generate(&h->instance);
    h->handover = (QemuUUID) { };
    h->lives = false;
    h->lost = false;
    h->heard = 0;
    h->last_id = 0;
}

static bool remote_plug(RemoteHead *h, Error **errp)
{
    CXLPoolRemote *r = h->remote;
    int64_t end = cxl_remote_deadline();

    r->plugs = h;
    cxl_remote_send_attach(h);
    while (!h->attached && cxl_remote_wait(r, end, errp)) {
        ;
    }
    r->plugs = NULL;
    if (!h->attached && !h->lost && cxl_remote_is_connected(r)) {
        /* It may be attached yet, as one that has lost the connection */
        qemu_chr_fe_disconnect(&r->chr);
    }
    return h->attached;
}

bool cxl_pool_remote_add_head(CXLPool *p, unsigned head, Error **errp)
{
    CXLPoolRemote *r = p->remote;
    RemoteHead *h = &r->head[head];
    g_autofree char *id = cxl_echo(cxl_pool_id(p));
    Error *err = NULL;

    if (h->leaves) {
        error_setg(errp, "property 'head' is %u of cxl-pool '%s', which its "
                   "last device has not left yet: try again", head, id);
        return false;
    }
    remote_begin(h);
    h->drained.notify = remote_log_drained;
    notifier_list_add(&p->head[head].ld->events->drained, &h->drained);
    /* Whose it is may be in the stream */
    h->parked = runstate_check(RUN_STATE_INMIGRATE);
    if (h->parked || remote_plug(h, &err)) {
        return true;
    }
    h->instance = (QemuUUID) { };
    notifier_remove(&h->drained);
    error_propagate_prepend(errp, err, "property 'head' is %u of cxl-pool "
                            "'%s': ", head, id);
    return false;
}

void cxl_pool_remote_remove_head(CXLPool *p, unsigned head)
{
    RemoteHead *h = &p->remote->head[head];

    if (qemu_uuid_is_null(&h->instance)) {
        return;
    }
    cxl_dc_view_leave(p->dc, head, true);
    notifier_remove(&h->drained);
    h->base = cxl_dc_host_base(p->dc, head);
    h->leaves = h->lives && !h->parked && !h->lost;
    h->parked = false;
    h->owed = h->later = 0;
    cxl_remote_forget_requests(h);
    if (!h->leaves) {
        h->instance = (QemuUUID) { };
    } else {
        cxl_remote_head_leaves(h);
    }
}

void cxl_pool_remote_reset_head(CXLPool *p, unsigned head)
{
    RemoteHead *h = &p->remote->head[head];

    if (h->lost) {
        /* Its host starts anew: perhaps nobody else has it any more */
        remote_begin(h);
        if (p->remote->greeted) {
            cxl_remote_send_attach(h);
        }
        return;
    }
    cxl_dc_view_leave(p->dc, head, false);
    remote_ask(h, CXL_POOL_REQUEST_RESET, NULL, 0, 0, NULL, NULL);
    qemu_bh_schedule(h->tell);
}

void cxl_pool_remote_cci(CXLPool *p, unsigned head, CXLCCI *cci)
{
    cci->remote = &remote_cci_ops;
    cci->remote_opaque = &p->remote->head[head];
}
