/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupt messages of a function, kept until the base is done with it
 */
#include "qemu/osdep.h"
#include "hw/cxl/cxl_held_msi.h"
#include "trace.h"

static QLIST_HEAD(, CXLHeldMSI) held_msi = QLIST_HEAD_INITIALIZER(held_msi);

static CXLHeldMSI *held_msi_of(const PCIDevice *pci)
{
    CXLHeldMSI *h;

    QLIST_FOREACH(h, &held_msi, next) {
        if (h->pci == pci) {
            break;
        }
    }
    return h;
}

static void held_msi_trigger(PCIDevice *pci, MSIMessage msg)
{
    CXLHeldMSI *h = held_msi_of(pci);
    unsigned i;

    for (i = 0; i < h->nr; i++) {
        if (h->msg[i].address == msg.address && h->msg[i].data == msg.data) {
            return;
        }
    }
    if (h->nr == CXL_HELD_MSI_MAX) {
        trace_cxl_held_msi_lost(DEVICE(pci)->id ?: "", msg.address);
        return;
    }
    h->msg[h->nr++] = msg;
}

void cxl_msi_hold(CXLHeldMSI *h, PCIDevice *pci)
{
    h->pci = PCI_DEVICE(object_ref(OBJECT(pci)));
    h->send = pci->msi_trigger;
    h->nr = 0;
    pci->msi_trigger = held_msi_trigger;
    QLIST_INSERT_HEAD(&held_msi, h, next);
}

void cxl_msi_release(CXLHeldMSI *h)
{
    PCIDevice *pci = h->pci;
    unsigned i;

    QLIST_REMOVE(h, next);
    pci->msi_trigger = h->send;
    /* an earlier message may have unplugged it */
    for (i = 0; i < h->nr && DEVICE(pci)->realized; i++) {
        h->send(pci, h->msg[i]);
    }
    object_unref(OBJECT(pci));
}
