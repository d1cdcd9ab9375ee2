/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Migration of the CXL requests that wait to be run. One can wait when the
 * machine is saved: it came in the same turn of the main loop.
 *
 * Reference: none, this is QEMU's own format.
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "message.h"
#include "hw/mctp/mctp_vmstate.h"

static int waiting_pre_load(void *opaque)
{
    mctp_cxl_forget(opaque);
    return 0;
}

static bool request_is_sound(const MCTPCXLWaiting *w)
{
    CXLCCIMsg head;

    if (!w->body || !w->body->len || w->total < w->body->len ||
        !w->request.serial) {
        return false;
    }
    return w->body->data[0] == MCTP_TYPE_CONTROL ||
           ((w->body->data[0] == MCTP_TYPE_CXL_FMAPI ||
             w->body->data[0] == MCTP_TYPE_CXL_CCI) &&
            cxl_cci_msg_decode(w->body->data + 1, w->body->len - 1, &head) &&
            head.category == CXL_CCI_MSG_REQUEST);
}

static int waiting_post_load(void *opaque, int version_id)
{
    MCTPCXLTarget *target = opaque;
    bool good = target->num_waiting <= MCTP_CXL_WAITING_MAX;

    for (size_t i = 0; good && i < MCTP_CXL_WAITING_MAX; i++) {
        const MCTPCXLWaiting *w = &target->waiting[i];

        good = i < target->num_waiting ? request_is_sound(w) : !w->body;
    }
    if (!good) {
        error_report("MCTP: impossible waiting request in the stream");
        mctp_cxl_forget(target);
        return -EINVAL;
    }
    return 0;
}

static const VMStateDescription vmstate_mctp_cxl_waiting_one = {
    .name = "mctp-cxl-waiting/one",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(request, MCTPCXLWaiting, 1, vmstate_mctp_request,
                       MCTPRequest),
        VMSTATE_UINT32(total, MCTPCXLWaiting),
        VMSTATE_MCTP_BODY(body, MCTPCXLWaiting),
        VMSTATE_END_OF_LIST()
    },
};

const VMStateDescription vmstate_mctp_cxl_waiting = {
    .name = "mctp-cxl-waiting",
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_load = waiting_pre_load,
    .post_load = waiting_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT_ARRAY(waiting, MCTPCXLTarget, MCTP_CXL_WAITING_MAX, 1,
                             vmstate_mctp_cxl_waiting_one, MCTPCXLWaiting),
        /* last: until it is there nothing waits */
        VMSTATE_UINT32(num_waiting, MCTPCXLTarget),
        VMSTATE_END_OF_LIST()
    },
};
