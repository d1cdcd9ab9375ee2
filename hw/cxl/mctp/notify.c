/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event Notification (0106h) from a component to its FM. One notice at a
 * time is under way; what happens meanwhile is told by the next one.
 *
 * Reference: CXL r3.2 8.2.10.2.6 to 8.2.10.2.8; DMTF DSP0236 8.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/cxl/cxl_events.h"
#include "notify.h"
#include "migration/vmstate-checked.h"
#include "trace/trace-hw_cxl.h"

#define OP_EVENT_NOTIFICATION   0x0106

/*
 * An FM that does not answer is told again. After so many times it is not
 * there, and can read the logs when it is back; the next condition starts
 * anew. The time is what FM software itself waits for an answer.
 */
#define ANSWER_NS               MCTP_REPLY_LIMIT_NS
#define TRIES                   3

static int64_t notify_now_ns(void)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

static void notify_send_notice(MCTPCXLNotify *n)
{
    uint8_t payload[sizeof(uint16_t)];

    stw_le_p(payload, n->told);
    n->tries++;
    n->deadline = notify_now_ns() + ANSWER_NS;
    /* without room for it now, there may be at the next try */
    n->tag = mctp_cxl_send(n->ep, n->link, n->eid, n->cci_tag,
                           OP_EVENT_NOTIFICATION, payload, sizeof(payload),
                           notify_now_ns());
    trace_mctp_cxl_notice(n->eid, n->told, n->tries, n->tag);
    timer_mod_ns(n->timer, n->deadline);
}

static void notify_next_notice(MCTPCXLNotify *n)
{
    if (n->told || !n->pending) {
        return;
    }
    n->told = n->pending;
    n->pending = 0;
    n->tries = 0;
    n->cci_tag++;
    notify_send_notice(n);
}

static void notify_end_notice(MCTPCXLNotify *n)
{
    if (n->tag >= 0) {
        mctp_endpoint_withdraw(n->ep, n->tag);
    }
    n->tag = -1;
    n->told = 0;
    timer_del(n->timer);
}

static void notify_answer_overdue(void *opaque)
{
    MCTPCXLNotify *n = opaque;
    uint16_t told = n->told;
    uint8_t tries = n->tries;

    if (!told) {
        return;
    }
    notify_end_notice(n);
    if (tries < TRIES) {
        n->told = told;
        notify_send_notice(n);
    } else {
        trace_mctp_cxl_notice_given_up(n->eid, told);
        notify_next_notice(n);
    }
}

static void notify_report(MCTPCXLNotify *n, uint16_t condition)
{
    n->pending |= condition & n->transport.policy;
    notify_next_notice(n);
}

static void notify_log_filled(Notifier *notifier, void *data)
{
    const CXLEventLogId *log = data;

    notify_report(container_of(notifier, MCTPCXLNotify, logs), 1u << *log);
}

static void notify_background_ended(Notifier *notifier, void *data)
{
    notify_report(container_of(notifier, MCTPCXLNotify, background),
                  CXL_NOTICE_BACKGROUND);
}

static void notify_set_policy(CXLCCITransport *transport, uint16_t policy)
{
    MCTPCXLNotify *n = container_of(transport, MCTPCXLNotify, transport);

    /* a notice to somebody else, or of what is not wanted any more */
    if (n->told && (n->link != n->target->from.link ||
                    n->eid != n->target->from.remote ||
                    (n->told & ~policy))) {
        notify_end_notice(n);
    }
    n->transport.policy = policy;
    n->pending &= policy;
    n->link = n->target->from.link;
    n->eid = n->target->from.remote;
    notify_next_notice(n);
}

void mctp_cxl_notify_response(MCTPCXLNotify *n, uint8_t mctp_tag,
                              const CXLCCIMsg *msg)
{
    if (!n->told || n->tag != mctp_tag || msg->tag != n->cci_tag ||
        msg->opcode != OP_EVENT_NOTIFICATION) {
        return;
    }
    /* with any return code it was heard; repeating it would not help */
    trace_mctp_cxl_notice_answered(n->eid, n->told, msg->ret_code);
    notify_end_notice(n);
    notify_next_notice(n);
}

void mctp_cxl_notify_init(MCTPCXLNotify *n, MCTPEndpoint *ep,
                          const MCTPCXLTarget *target)
{
    *n = (MCTPCXLNotify) {
        .transport.set_policy = notify_set_policy,
        .ep = ep,
        .target = target,
        .timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, notify_answer_overdue, n),
        .logs.notify = notify_log_filled,
        .background.notify = notify_background_ended,
        .tag = -1,
    };
}

void mctp_cxl_notify_watch(MCTPCXLNotify *n, CXLCCI *cci)
{
    if (cci->events) {
        cxl_events_watch(cci->events, &n->logs);
    }
    notifier_list_add(&cci->bg_watchers, &n->background);
    n->watching = true;
}

void mctp_cxl_notify_leave(MCTPCXLNotify *n)
{
    if (n->watching) {
        if (n->logs.node.le_prev) {
            notifier_remove(&n->logs);
        }
        notifier_remove(&n->background);
        n->watching = false;
    }
}

void mctp_cxl_notify_reset(MCTPCXLNotify *n)
{
    notify_end_notice(n);
    n->transport.policy = 0;
    n->pending = 0;
    n->link = 0;
    n->eid = MCTP_EID_NULL;
    n->tries = 0;
    n->deadline = 0;
}

void mctp_cxl_notify_destroy(MCTPCXLNotify *n)
{
    mctp_cxl_notify_leave(n);
    timer_free(n->timer);
    n->timer = NULL;
}

static int notify_post_load(void *opaque, int version_id)
{
    MCTPCXLNotify *n = opaque;
    const uint16_t known = CXL_NOTICE_BACKGROUND |
                           ((1u << CXL_EVENT_LOGS) - 1);

    if ((n->transport.policy & ~known) || (n->pending & ~n->transport.policy) ||
        (n->told & ~n->transport.policy) || n->tries > TRIES ||
        n->tag < -1 || n->tag > 7 ||
        (n->eid != MCTP_EID_NULL && !mctp_eid_unicast(n->eid)) ||
        n->deadline < 0 || n->deadline > INT64_MAX / 2) {
        return -EINVAL;
    }
    if (n->told) {
        timer_mod_ns(n->timer, n->deadline);
    } else {
        timer_del(n->timer);
    }
    return 0;
}

/* A tag of a stream that failed is nobody's */
static void notify_give_up(void *opaque)
{
    MCTPCXLNotify *n = opaque;

    n->tag = -1;
    mctp_cxl_notify_reset(n);
}

static const VMStateDescription vmstate_notify_state = {
    .name = "mctp-cxl-notify-state",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = notify_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT16(transport.policy, MCTPCXLNotify),
        VMSTATE_UINT32(link, MCTPCXLNotify),
        VMSTATE_UINT8(eid, MCTPCXLNotify),
        VMSTATE_UINT16(pending, MCTPCXLNotify),
        VMSTATE_UINT16(told, MCTPCXLNotify),
        VMSTATE_UINT8(tries, MCTPCXLNotify),
        VMSTATE_INT16(tag, MCTPCXLNotify),
        VMSTATE_UINT8(cci_tag, MCTPCXLNotify),
        VMSTATE_INT64(deadline, MCTPCXLNotify),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateGuard notify_guard = {
    VMSTATE_GUARD_INFO,
    .vmsd = &vmstate_notify_state,
    .give_up = notify_give_up,
};

const VMStateDescription vmstate_mctp_cxl_notify = {
    .name = "mctp-cxl-notify",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_GUARDED(notify_guard, MCTPCXLNotify),
        VMSTATE_END_OF_LIST()
    },
};
