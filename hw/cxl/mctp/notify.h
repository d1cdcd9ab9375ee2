/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event Notification: a component tells its FM that an event log has got
 * records or that a background operation has ended.
 *
 * Reference: CXL r3.2 8.2.10.2.6 to 8.2.10.2.8 (0104h, 0105h, 0106h).
 */
#ifndef CXL_MCTP_NOTIFY_H
#define CXL_MCTP_NOTIFY_H

#include "hw/cxl/cxl_cci.h"
#include "message.h"
#include "migration/vmstate.h"

/**
 * struct MCTPCXLNotify - the notices of one endpoint
 *
 * They go to the one requester that set the policy last through this
 * endpoint: its EID, at its address on the link.
 */
typedef struct MCTPCXLNotify {
    /** @transport: what the commands see; has the policy */
    CXLCCITransport transport;
    /** @ep: where notices leave; not owned */
    MCTPEndpoint *ep;
    /** @target: tells who asks, while it asks; not owned */
    const MCTPCXLTarget *target;
    /** @timer: the answer to a notice is overdue */
    QEMUTimer *timer;
    /** @logs: on the CCI's event logs */
    Notifier logs;
    /** @background: on the CCI */
    Notifier background;
    /** @watching: there is a CCI */
    bool watching;
    /** @link: where the requester is */
    uint32_t link;
    /** @eid: of the requester */
    uint8_t eid;
    /** @pending: conditions that no notice has told yet */
    uint16_t pending;
    /** @told: conditions in the notice under way; 0 if there is none */
    uint16_t told;
    /** @tries: how often it was sent */
    uint8_t tries;
    /** @tag: MCTP tag of it, -1 if it could not be queued */
    int16_t tag;
    /** @cci_tag: its tag as a CCI message */
    uint8_t cci_tag;
    /** @deadline: when its answer is overdue, ns */
    int64_t deadline;
} MCTPCXLNotify;

/** mctp_cxl_notify_init() - no policy; @ep and @target outlive @n */
void mctp_cxl_notify_init(MCTPCXLNotify *n, MCTPEndpoint *ep,
                          const MCTPCXLTarget *target);
/** mctp_cxl_notify_destroy() - harmless if it was never initialised */
void mctp_cxl_notify_destroy(MCTPCXLNotify *n);
/** mctp_cxl_notify_watch() - tell of what happens at @cci */
void mctp_cxl_notify_watch(MCTPCXLNotify *n, CXLCCI *cci);
/** mctp_cxl_notify_leave() - the CCI goes; harmless if there is none */
void mctp_cxl_notify_leave(MCTPCXLNotify *n);
/** mctp_cxl_notify_reset() - no policy, no notice under way */
void mctp_cxl_notify_reset(MCTPCXLNotify *n);
/** mctp_cxl_notify_response() - an answer came; hostile */
void mctp_cxl_notify_response(MCTPCXLNotify *n, uint8_t mctp_tag,
                              const CXLCCIMsg *msg);

/** vmstate_mctp_cxl_notify - after the endpoint's state, for VMSTATE_STRUCT */
extern const VMStateDescription vmstate_mctp_cxl_notify;

#endif
