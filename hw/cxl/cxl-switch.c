/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the doors to a CXL switch share (CXL r3.2 7.6.7)
 *
 * The upstream port is a file of the base; the one thing of ours inside it is
 * its embedded CCI.  No transport uses that one: it has no rows, and its clock
 * pointer is where the doors of the switch find each other.
 */
#include "qemu/osdep.h"
#include "hw/cxl/cxl_events.h"
#include "hw/cxl/cxl_switch.h"

typedef struct SwitchShared {
    CXLTimestamp clock;
    unsigned doors;
} SwitchShared;

static SwitchShared *shared_of(CXLUpstreamPort *usp)
{
    return container_of(usp->swcci.clock, SwitchShared, clock);
}

void cxl_switch_cci_init(CXLCCI *cci, CXLUpstreamPort *usp,
                         uint32_t payload_max)
{
    if (!usp->swcci.clock) {
        SwitchShared *shared = g_new0(SwitchShared, 1);

        usp->swcci.clock = &shared->clock;
    }
    shared_of(usp)->doors++;
    cci->clock = usp->swcci.clock;
    cxl_cci_init(cci, CXL_CCI_SWITCH, DEVICE(usp), payload_max);
}

void cxl_switch_cci_destroy(CXLCCI *cci)
{
    CXLUpstreamPort *usp;
    SwitchShared *shared;

    if (!cci->owner) {
        return;
    }
    usp = CXL_USP(cci->owner);
    shared = shared_of(usp);
    cxl_cci_destroy(cci);
    cci->owner = NULL;
    cci->clock = NULL;
    if (!--shared->doors) {
        usp->swcci.clock = NULL;
        g_free(shared);
    }
}
