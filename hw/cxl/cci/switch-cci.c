/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command interfaces of a CXL switch, see switch-cci.h (CXL r3.2 7.6.7)
 *
 * The upstream port is a file of the base; the one thing of ours inside it is
 * its embedded CCI.  No transport uses that one: it has no rows, and its
 * pointer to the switch is where the CCIs of the switch find each other.
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "hw/cxl/cxl_mem_target.h"
#include "switch-cci.h"

void cxl_switch_cci_init(CXLCCI *cci, CXLUpstreamPort *usp,
                         uint32_t payload_max)
{
    CXLSwitch *sw;

    if (!usp->swcci.sw) {
        usp->swcci.sw = cxl_switch_new(usp);
    }
    sw = usp->swcci.sw;
    g_ptr_array_add(sw->ccis, cci);
    cci->clock = &sw->clock;
    cci->events = &sw->events;
    cxl_cci_init(cci, CXL_CCI_SWITCH, DEVICE(usp), payload_max);
}

void cxl_switch_cci_destroy(CXLCCI *cci)
{
    CXLUpstreamPort *usp;
    CXLSwitch *sw;

    if (!cci->owner) {
        return;
    }
    usp = CXL_USP(cci->owner);
    sw = usp->swcci.sw;
    /* undoes a bind or unbind that only this CCI would have ended */
    cxl_cci_reset(cci);
    cxl_cci_destroy(cci);
    cci->owner = NULL;
    cci->clock = NULL;
    cci->events = NULL;
    g_ptr_array_remove(sw->ccis, cci);
    if (!sw->ccis->len) {
        usp->swcci.sw = NULL;
        cxl_switch_free(sw);
    }
}

void cxl_switch_cci_reset(CXLCCI *cci)
{
    cxl_cci_reset(cci);
    cxl_switch_forget_secret(CXL_USP(cci->owner)->swcci.sw);
}

CXLSwitch *cxl_cci_switch(const CXLCCI *cci)
{
    if (cci->kind != CXL_CCI_SWITCH || !cci->owner || !cci->owner->realized) {
        return NULL;
    }
    return CXL_USP(cci->owner)->swcci.sw;
}

CXLCCI *cxl_switch_cci_at(const CXLCCI *cci, uint8_t port)
{
    CXLSwitch *sw = cxl_cci_switch(cci);
    PCIDevice *d = sw ? cxl_switch_memdev(sw, port) : NULL;

    return d ? cxl_mem_target_cci(OBJECT(d)) : NULL;
}

static bool switch_cci_changes_binding(const CXLCCI *cci)
{
    return cci->bg.running && (cci->bg.opcode == CXL_OP_BIND_VPPB ||
                               cci->bg.opcode == CXL_OP_UNBIND_VPPB);
}

/* What no CCI works on would never end, and one CCI works on it */
int cxl_switch_cci_post_load(CXLCCI *cci)
{
    CXLSwitch *sw = cxl_cci_switch(cci);
    bool good = !switch_cci_changes_binding(cci) ||
                (sw && cci->bg.opcode == sw->op.opcode);
    unsigned i, n = 0;

    /* a mailbox outside the switch stays when that is unplugged */
    if (!sw) {
        return good ? 0 : -EINVAL;
    }
    for (i = 0; i < sw->ccis->len; i++) {
        n += switch_cci_changes_binding(g_ptr_array_index(sw->ccis, i));
    }
    if (++sw->loaded == sw->ccis->len) {
        good = good && n == (sw->op.opcode != 0);
    }
    if (!good) {
        error_report("cxl-switch: a bind or unbind that no CCI works on, or "
                     "more than one");
        cxl_switch_op_failed(sw);
    }
    return good ? 0 : -EINVAL;
}
