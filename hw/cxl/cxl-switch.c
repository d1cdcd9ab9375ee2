/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the doors to a CXL switch share (CXL r3.2 7.6.7)
 *
 * The upstream port is a file of the base; the one thing of ours inside it is
 * its embedded CCI.  No transport uses that one: it has no rows, and its clock
 * pointer is where the doors of the switch find each other.
 */
#include "qemu/osdep.h"
#include "hw/cxl/cxl.h"
#include "hw/cxl/cxl_events.h"
#include "hw/cxl/cxl_switch.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pcie_port.h"
#include "hw/resettable.h"

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

static bool answers(PCIDevice *pci)
{
    return pci->enabled && DEVICE(pci)->realized &&
           !resettable_is_in_reset(OBJECT(pci));
}

CXLType3Dev *cxl_switch_type3_at(const CXLCCI *cci, uint8_t port)
{
    PCIDevice *dsp;
    PCIBus *bus;
    unsigned fn;

    /* a switch can be taken away below its mailbox function */
    if (!cci->owner->realized) {
        return NULL;
    }
    bus = pci_bridge_get_sec_bus(PCI_BRIDGE(cci->owner));
    dsp = pcie_find_port_by_pn(bus, port);
    if (!dsp || !object_dynamic_cast(OBJECT(dsp), TYPE_CXL_DSP)) {
        return NULL;
    }
    /* A port has one device; what matters may be any of its functions */
    bus = pci_bridge_get_sec_bus(PCI_BRIDGE(dsp));
    for (fn = 0; fn < PCI_FUNC_MAX; fn++) {
        PCIDevice *pci = bus->devices[fn];

        if (pci && object_dynamic_cast(OBJECT(pci), TYPE_CXL_TYPE3)) {
            return answers(pci) ? (CXLType3Dev *)pci : NULL;
        }
    }
    return NULL;
}
