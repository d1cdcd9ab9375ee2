/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets of an endpoint on their way to the link.  With faults armed they go
 * by way of these, which hold them back, change them or drop them; the queue
 * believes that each was sent.
 */
#include "qemu/osdep.h"
#include "component.h"

bool mctp_cxl_peek(MCTPCXLComponent *c, int64_t now, MCTPTxPacket *pkt)
{
    MCTPTxQueue *tx = mctp_endpoint_tx(c->ep);
    const CXLFaultPacket *held;
    int64_t next;

    QEMU_BUILD_BUG_ON(MCTP_PACKET_MAX != CXL_FAULT_PACKET_MAX);
    if (!c->faults) {
        return mctp_txqueue_peek(tx, now, pkt);
    }
    while (!cxl_fault_held_full(c->faults) && mctp_txqueue_peek(tx, now, pkt)) {
        CXLFaultPacket p = { .due = now, .link = pkt->link, .len = pkt->len };

        memcpy(p.data, pkt->data, pkt->len);
        mctp_txqueue_sent(tx, pkt->id, now);
        cxl_fault_packet(c->faults, &p);
    }
    held = cxl_fault_held(c->faults, now);
    if (!held) {
        next = cxl_fault_held_next(c->faults);
        if (next >= 0) {
            timer_mod(c->held, next);
        }
        return false;
    }
    *pkt = (MCTPTxPacket) { .link = held->link, .len = held->len };
    memcpy(pkt->data, held->data, held->len);
    return true;
}

void mctp_cxl_sent(MCTPCXLComponent *c, uint64_t id, bool taken, int64_t now)
{
    MCTPTxQueue *tx = mctp_endpoint_tx(c->ep);

    /* no message has this one */
    if (!id) {
        if (c->faults) {
            cxl_fault_held_done(c->faults, taken, now);
        }
    } else if (taken) {
        mctp_txqueue_sent(tx, id, now);
    } else {
        mctp_txqueue_refused(tx, id, now);
    }
}

static void sending_kick(void *opaque)
{
    MCTPCXLComponent *c = opaque;

    c->kick(c->link);
}

void mctp_cxl_sending_init(MCTPCXLComponent *c)
{
    c->held = timer_new_ns(QEMU_CLOCK_VIRTUAL, sending_kick, c);
}

void mctp_cxl_attach_faults(MCTPCXLComponent *c, CXLFaults *faults)
{
    c->faults = faults;
    if (!faults && c->held) {
        timer_del(c->held);
    }
}

/* -- migration ---------------------------------------------------------- */

static bool sending_has_faults(void *opaque)
{
    MCTPCXLComponent *c = opaque;

    return c->faults;
}

static int sending_pre_load(void *opaque)
{
    MCTPCXLComponent *c = opaque;

    cxl_fault_make(OBJECT(c->link));
    return 0;
}

static int sending_post_load(void *opaque, int version_id)
{
    MCTPCXLComponent *c = opaque;

    /* the link made room for packets of its own unit */
    if (!cxl_fault_held_fit(c->faults, MCTP_HEADER_BYTES + c->unit)) {
        cxl_fault_reset(c->faults);
        return -EINVAL;
    }
    timer_mod(c->held, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL));
    return 0;
}

const VMStateDescription vmstate_mctp_cxl_sending = {
    .name = "mctp-cxl-component/faults",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = sending_has_faults,
    .pre_load = sending_pre_load,
    .post_load = sending_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT_POINTER(faults, MCTPCXLComponent, vmstate_cxl_faults,
                               CXLFaults),
        VMSTATE_END_OF_LIST()
    },
};
