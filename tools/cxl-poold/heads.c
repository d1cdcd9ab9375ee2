/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cxl-poold: hosts, whose heads are in other processes; see
 * docs/interop/cxl-pool.rst
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "hw/cxl/cxl_memdev.h"
#include "poold.h"

bool heads_info(const CXLHeads *heads, unsigned head, CXLHeadInfo *info)
{
    const Head *h = &container_of(heads, Poold, heads)->head[head];

    *info = h->info;
    return h->process && h->known;
}

/* Where its regions begin says how much there may be in front of them */
bool heads_set_info(Head *h, const CXLHeadInfo *info)
{
    uint64_t base = cxl_dc_host_base(h->pool->dc, h->nr);

    if (info->volatile_size > base ||
        info->persistent_size > base - info->volatile_size) {
        return false;
    }
    h->info = *info;
    h->known = true;
    return true;
}

static void head_forget_info(Head *h)
{
    h->known = false;
    h->pool->changed_info = true;
}

/* -- life of a head ------------------------------------------------------- */

static void head_forget_events(Head *h)
{
    g_array_set_size(h->outbox, 0);
    h->pool->changed_heads = true;
}

/* Nobody reaches its memory any more; heads_settle() does the rest */
static void head_let_go(Head *h)
{
    fm_lost(h);
    process_unwatch(h->process);
    h->process = NULL;
    h->conn = NULL;
    h->pool->changed_heads = true;
}

static void head_end(Head *h)
{
    head_let_go(h);
    h->pid = 0;
    h->start = 0;
    h->instance = (QemuUUID) { };
    g_byte_array_set_size(h->answer, 0);
    h->last_request = 0;
    cxl_dc_reset_host(h->pool->dc, h->nr);
    head_forget_events(h);
    head_forget_info(h);
    h->pool->changed_model = true;
}

/* One that was handed over is no process's, but who had it has the memory */
bool heads_have_process(const Poold *p)
{
    for (unsigned i = 0; i < p->options.heads; i++) {
        const Head *h = &p->head[i];

        if (h->process || (h->pid && process_start(h->pid) == h->start)) {
            return true;
        }
    }
    return false;
}

static void head_process_ended(void *opaque)
{
    Head *h = opaque;

    head_end(h);
    /* With the last of them the memory of the last life has ended */
    medium_settle(h->pool, &error_fatal);
    pool_turn_end(h->pool);
}

bool heads_settle(Poold *p)
{
    bool some = false;

    for (unsigned i = 0; i < p->options.heads; i++) {
        if (!p->head[i].process) {
            some |= cxl_dc_access_ended(p->dc, i, UINT64_MAX);
        }
    }
    p->changed_model |= some;
    return some;
}

void heads_watch(Poold *p)
{
    for (unsigned i = 0; i < p->options.heads; i++) {
        Head *h = &p->head[i];

        if (h->pid && qemu_uuid_is_null(&h->handover)) {
            h->process = process_watch(h->pid, h->start, head_process_ended,
                                       h);
            if (!h->process) {
                head_end(h);
            }
        }
    }
}

void heads_init(Poold *p)
{
    p->head = g_new0(Head, p->options.heads);
    for (unsigned i = 0; i < p->options.heads; i++) {
        Head *h = &p->head[i];

        h->pool = p;
        h->nr = i;
        h->answer = g_byte_array_new();
        h->outbox = g_array_new(FALSE, FALSE, sizeof(CXLEventRecord));
        h->next_event = 1;
    }
}

/* -- messages ------------------------------------------------------------- */

static void G_GNUC_PRINTF(2, 3) head_refuse(Conn *c, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    cxl_pool_put_text(c->out, 0, CXL_POOL_MSG_ERROR, text);
    conn_end(c);
}

/* Others of the same connection are not to blame */
static bool G_GNUC_PRINTF(3, 4) head_decline(Conn *c, const Head *h,
                                             const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    cxl_pool_put_text(c->out, h->nr, CXL_POOL_MSG_REFUSED, text);
    return true;
}

static bool head_greet(Conn *c, const CXLPoolMsg *msg)
{
    Poold *p = c->pool;
    CXLPoolWelcome welcome = {
        .version = CXL_POOL_WIRE_VERSION,
        .size = p->options.size,
        .serial = p->options.serial,
        .config = p->config,
    };
    CXLPoolHello hello;
    uid_t user;

    if (c->opaque || !cxl_pool_get_hello(msg, &hello)) {
        return false;
    }
    if (hello.oldest > CXL_POOL_WIRE_VERSION ||
        hello.newest < CXL_POOL_WIRE_VERSION) {
        head_refuse(c, "this cxl-poold speaks version %d, not %u to %u",
                    CXL_POOL_WIRE_VERSION, hello.oldest, hello.newest);
        return true;
    }
    if (!access_allows(&p->options.allow_heads, c->fd, &user)) {
        head_refuse(c, "user %u may not have a head: cxl-poold --allow-heads "
                    "says who may", user);
        return true;
    }
    if (!c->start) {
        head_refuse(c, "cxl-poold cannot see the process at the other end: "
                    "both have to be in the same PID namespace");
        return true;
    }
    if (p->medium_fd < 0 && medium_take(p, c->taken_fd)) {
        c->taken_fd = -1;
    }
    /* Of one that has handed its head over, nobody hears when it ends */
    medium_settle(p, &error_fatal);
    if (p->medium_fd < 0) {
        head_refuse(c, "the memory of the pool is that of machines which have "
                    "not connected yet, since cxl-poold was started again: "
                    "try it again");
        return true;
    }
    c->takes_fd = false;
    memcpy(welcome.place, p->place, sizeof(p->place));
    cxl_pool_put_welcome(c->out, &welcome);
    c->attach_fd = p->medium_fd;
    c->opaque = p;
    return true;
}

static void head_send_all(Head *h)
{
    g_autoptr(GArray) pieces = g_array_new(FALSE, FALSE, sizeof(CXLDCPiece));

    heads_pieces(h, 0, UINT64_MAX, pieces);
    cxl_pool_put_ranges(h->conn->out, h->nr, CXL_POOL_MSG_VIEW, 0,
                        (CXLDCPiece *)pieces->data, pieces->len);
    cxl_pool_put_number(h->conn->out, h->nr, CXL_POOL_MSG_ATTACHED,
                        cxl_dc_last_ticket(h->pool->dc));
    cxl_pool_put_events(h->conn->out, h->nr, h->next_event - h->outbox->len,
                        (CXLEventRecord *)h->outbox->data, h->outbox->len);
}

/* What it has heard need not be kept; @heard is the host's word */
static bool head_heard(Head *h, uint64_t heard, uint32_t room)
{
    uint64_t first = h->next_event - h->outbox->len;

    if (heard >= h->next_event) {
        return false;
    }
    if (heard >= first) {
        g_array_remove_range(h->outbox, 0, heard - first + 1);
    }
    h->room = room - MIN(room, h->outbox->len);
    return true;
}

/* As what it was handed over, or as what it was and is again */
static void head_go_on(Head *h, const QemuUUID *instance)
{
    if (qemu_uuid_is_equal(&h->handover, instance)) {
        h->instance = h->handover;
        h->last_request = 0;
        g_byte_array_set_size(h->answer, 0);
    }
}

static void head_begin(Head *h, const QemuUUID *instance)
{
    h->instance = *instance;
    h->last_request = 0;
    h->next_event = 1;
    cxl_dc_reset_host(h->pool->dc, h->nr);
    head_forget_events(h);
    head_forget_info(h);
}

static bool head_attach(Conn *c, Head *h, const CXLPoolMsg *msg)
{
    Poold *p = c->pool;
    CXLPoolAttach a;
    Error *err = NULL;
    bool known;

    if (!cxl_pool_get_attach(msg, &a)) {
        return false;
    }
    if (h->conn || (h->process && (h->pid != c->pid || h->start != c->start))) {
        return head_decline(c, h, "head %u is that of process %d already",
                            h->nr, (int)h->pid);
    }
    known = qemu_uuid_is_equal(&h->instance, &a.instance) ||
            qemu_uuid_is_equal(&h->handover, &a.instance);
    if (a.goes_on && !known) {
        return head_decline(c, h, "head %u has gone on elsewhere, or is that "
                            "of another machine since", h->nr);
    }
    if (known && a.heard >= h->next_event) {
        return head_decline(c, h, "head %u was sent no event %" PRIu64, h->nr,
                            a.heard);
    }
    if (a.base != cxl_dc_host_base(p->dc, h->nr)) {
        if (!cxl_dc_set_host_base(p->dc, h->nr, a.base, &err)) {
            head_decline(c, h, "head %u cannot have 0x%" PRIx64 " bytes of "
                         "static capacity: %s", h->nr, a.base,
                         error_get_pretty(err));
            error_free(err);
            return true;
        }
        head_forget_info(h);
    }
    if (!h->process) {
        h->process = process_watch(c->pid, c->start, head_process_ended, h);
        if (!h->process) {
            return false;
        }
        h->pid = c->pid;
        h->start = c->start;
    }
    if (known) {
        head_go_on(h, &a.instance);
    } else {
        head_begin(h, &a.instance);
        a.heard = 0;
    }
    h->handover = (QemuUUID) { };
    head_heard(h, a.heard, a.room);
    for (unsigned i = 0; i < p->config.nr_regions; i++) {
        cxl_dc_set_dsmad_handle(p->dc, h->nr, i, a.dsmad[i]);
    }
    h->conn = c;
    p->changed_heads = true;
    head_send_all(h);
    return true;
}

/* Its host lives, and will be in another process: nothing of it ends */
static bool head_hand_over(Head *h, const CXLPoolMsg *msg)
{
    QemuUUID uuid;

    if (!cxl_pool_get_uuid(msg, &uuid) ||
        qemu_uuid_is_equal(&uuid, &h->instance)) {
        return false;
    }
    cxl_pool_put_uuid(h->conn->out, h->nr, CXL_POOL_MSG_HANDED, &uuid);
    h->handover = uuid;
    head_let_go(h);
    return true;
}

static bool head_tell(Head *h, const CXLPoolMsg *msg)
{
    CXLHeadInfo info;

    h->pool->changed_info = true;
    return cxl_pool_get_info(msg, &info) && heads_set_info(h, &info);
}

/* The host is there no more, and nothing of it reaches the memory */
static void head_detach(Head *h)
{
    h->conn = NULL;
    cxl_dc_remove_host(h->pool->dc, h->nr);
    head_end(h);
}

static void head_answer(Head *h)
{
    const CXLPoolAnswer answer = {
        .id = h->last_request,
        .rc = h->rc,
        .payload = h->answer->data,
        .len = h->answer->len,
    };

    cxl_pool_put_answer(h->conn->out, h->nr, &answer);
}

static void head_run(Head *h, const CXLPoolRequest *r)
{
    const CXLCmd *cmd = cxl_cci_find(&h->cci, r->opcode);
    size_t len = 0;

    g_byte_array_set_size(h->answer, r->room);
    if (r->opcode == CXL_POOL_REQUEST_RESET) {
        cxl_dc_reset_host(h->pool->dc, h->nr);
        head_forget_events(h);
        h->rc = CXL_RC_SUCCESS;
    } else if (r->opcode >> 8 != 0x48) {
        h->rc = CXL_RC_UNSUPPORTED;
    } else {
        h->rc = cxl_cci_process(&h->cci, r->opcode, r->payload, r->len,
                                h->answer->data, r->room, &len);
    }
    g_byte_array_set_size(h->answer, len);
    h->pool->changed_model |= !cmd || cmd->effects;
    h->pool->changed_heads = true;
    h->last_request = r->id;
    head_answer(h);
}

static bool head_request(Head *h, const CXLPoolMsg *msg)
{
    CXLPoolRequest r;

    if (!cxl_pool_get_request(msg, &r)) {
        return false;
    }
    if (r.id > h->last_request) {
        head_run(h, &r);
    } else if (r.id == h->last_request) {
        /* The connection was lost before it was heard */
        head_answer(h);
    }
    return true;
}

static bool head_message(Conn *c, const CXLPoolMsg *msg)
{
    Poold *p = c->pool;
    CXLPoolCredit credit;
    CXLPoolAnswer answer;
    uint64_t ticket;
    Head *h;

    if (msg->type == CXL_POOL_MSG_HELLO) {
        return head_greet(c, msg);
    }
    if (!c->opaque) {
        return false;
    }
    if (msg->head >= p->options.heads) {
        head_refuse(c, "there is no head %u: the pool has heads 0 to %u",
                    msg->head, p->options.heads - 1);
        return true;
    }
    h = &p->head[msg->head];
    if (msg->type == CXL_POOL_MSG_ATTACH) {
        return head_attach(c, h, msg);
    }
    if (h->conn != c) {
        return false;
    }
    switch (msg->type) {
    case CXL_POOL_MSG_DETACH:
        if (!cxl_pool_get_number(msg, &ticket)) {
            return false;
        }
        head_detach(h);
        return true;
    case CXL_POOL_MSG_HANDOVER:
        return head_hand_over(h, msg);
    case CXL_POOL_MSG_REQUEST:
        return head_request(h, msg);
    case CXL_POOL_MSG_ENDED:
        if (!cxl_pool_get_number(msg, &ticket)) {
            return false;
        }
        p->changed_model |= cxl_dc_access_ended(p->dc, h->nr, ticket);
        return true;
    case CXL_POOL_MSG_INFO:
        return head_tell(h, msg);
    case CXL_POOL_MSG_REPLY:
        return cxl_pool_get_answer(msg, &answer) && fm_replied(h, &answer);
    case CXL_POOL_MSG_CREDIT:
        return cxl_pool_get_credit(msg, &credit) &&
               head_heard(h, credit.heard, credit.room);
    default:
        return false;
    }
}

static ssize_t head_take(Conn *c, const uint8_t *data, size_t len)
{
    CXLPoolMsg msg;
    ssize_t n = cxl_pool_wire_next(data, len, &msg);

    if (n < 0 || (n > 0 && !head_message(c, &msg))) {
        head_refuse(c, "cxl-poold does not understand that");
        return -1;
    }
    return n;
}

/* The process may reach the memory until it ends, or says otherwise */
static void head_closed(Conn *c)
{
    for (unsigned i = 0; i < c->pool->options.heads; i++) {
        Head *h = &c->pool->head[i];

        if (h->conn == c) {
            h->conn = NULL;
            fm_lost(h);
        }
    }
}

static const ConnOps head_ops = {
    .take = head_take,
    .closed = head_closed,
};

void heads_accepted(Poold *p, int fd)
{
    conn_new(p, fd, &head_ops, NULL)->takes_fd = true;
}
