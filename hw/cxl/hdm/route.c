/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way of a host physical address from a fixed memory window over a host
 * bridge, root port and switches to a memory device, and in it.
 * CXL r3.2 sections 9.13.1 and 9.18.1.3.
 */
#include "qemu/osdep.h"
#include "hw/pci/pci.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pcie_port.h"
#include "hdm-internal.h"

/* Every level takes two bus numbers of 256 */
#define SWITCH_LEVELS_MAX       128

static void route_interleave(CXLRoute *route, unsigned ways,
                             unsigned granularity)
{
    if (ways > 1) {
        route->chunk = MIN(route->chunk, granularity);
        route->period = cxl_interleave_period(route->period, ways, granularity);
    }
}

/* The port that the decoders of a host bridge or switch name for @hpa */
static PCIDevice *route_port(CXLRoute *route, const CXLComponentState *cxl,
                             PCIBus *bus, hwaddr hpa)
{
    const uint32_t *regs = cxl->crb.cache_mem_registers;
    unsigned count = cxl_hdm_count(regs);

    for (unsigned i = 0; i < count; i++) {
        PCIDevice *port = NULL;
        CXLHDMDecoder d;
        unsigned target;

        cxl_hdm_get(regs, i, &d);
        /* A spare decoder ends nothing where it says it is */
        if (!d.committed || !d.size) {
            continue;
        }
        if (hpa < d.base) {
            route->end = MIN(route->end, d.base);
            continue;
        }
        if (hpa - d.base >= d.size) {
            continue;
        }
        /* Software may resize it alive: it may reach beyond all addresses */
        if (route->end - d.base > d.size) {
            route->end = d.base + d.size;
        }
        route_interleave(route, d.ways, d.granularity);
        target = cxl_interleave_target(hpa, d.ways, d.granularity);
        if (target < CXL_HDM_TARGETS_MAX) {
            port = pcie_find_port_by_pn(bus, d.targets[target]);
        }
        route->miss = port ? NULL : "no such port";
        return port;
    }
    route->miss = "no committed decoder";
    return NULL;
}

/* What the decoders of the device make of @hpa */
static void route_decode(CXLRoute *route, hwaddr hpa)
{
    const uint32_t *regs = route->ops->hdm_registers(route->device);
    const CXLHDMDecoder *dec = &route->dec;
    unsigned others = cxl_hdm_count(regs);

    if (cxl_hdm_hpa_to_dpa(regs, hpa, &route->dpa, &route->dec)) {
        route->miss = NULL;
        others = dec->index;
        if (route->end - dec->base > dec->size) {
            route->end = dec->base + dec->size;
        }
    } else {
        route->miss = "no decoder of the device";
    }
    /* One before it takes precedence, should software have made them overlap */
    for (unsigned i = 0; i < others; i++) {
        CXLHDMDecoder other;

        cxl_hdm_get(regs, i, &other);
        if (other.size && other.base > hpa) {
            route->end = MIN(route->end, other.base);
        }
    }
}

/* A link ends at device 0 function 0: a device, or the port of a switch */
static PCIDevice *route_behind(PCIDevice *port)
{
    return pci_bridge_get_sec_bus(PCI_BRIDGE(port))->devices[0];
}

static bool route_is_device(PCIDevice *d)
{
    return d && object_dynamic_cast(OBJECT(d), TYPE_CXL_MEM_TARGET) &&
           CXL_MEM_TARGET_GET_CLASS(d)->hdm_registers((CXLMemTarget *)d);
}

CXLRoute cxl_route_hpa(const CXLFixedWindow *fw, hwaddr hpa)
{
    unsigned granularity = cxl_interleave_decode_granularity(fw->enc_int_gran);
    CXLRoute route = {
        .miss = "no host bridge", .chunk = UINT_MAX, .period = 1,
        .end = fw->base + fw->size,
    };
    PXBCXLDev *pxb = fw->target_hbs[cxl_interleave_target(hpa, fw->num_targets,
                                                          granularity)];
    PCIHostState *hb = pxb && pxb->cxl_host_bridge ?
                       PCI_HOST_BRIDGE(pxb->cxl_host_bridge) : NULL;
    PCIDevice *port, *d;

    route_interleave(&route, fw->num_targets, granularity);
    if (!hb || !hb->bus) {
        return route;
    }
    if (cxl_get_hb_passthrough(hb)) {
        route.miss = "no such port";
        port = pcie_find_port_first(hb->bus);
    } else {
        port = route_port(&route, cxl_get_hb_cstate(hb), hb->bus, hpa);
    }
    for (unsigned level = 0; port; level++) {
        d = route_behind(port);
        if (route_is_device(d)) {
            route.device = (CXLMemTarget *)d;
            route.ops = CXL_MEM_TARGET_GET_CLASS(d);
            route_decode(&route, hpa);
            break;
        }
        if (!d || !object_dynamic_cast(OBJECT(d), TYPE_CXL_USP)) {
            route.miss = "no memory device behind the port";
            break;
        }
        if (level == SWITCH_LEVELS_MAX) {
            route.miss = "too many switches";
            break;
        }
        port = route_port(&route, cxl_usp_to_cstate(CXL_USP(d)),
                          pci_bridge_get_sec_bus(PCI_BRIDGE(d)), hpa);
    }
    return route;
}

CXLCCI *cxl_mem_target_cci(Object *obj)
{
    return object_dynamic_cast(obj, TYPE_CXL_MEM_TARGET) ?
           CXL_MEM_TARGET_GET_CLASS(obj)->fm_cci((CXLMemTarget *)obj) : NULL;
}

static const TypeInfo route_types[] = {
    {
        .name = TYPE_CXL_MEM_TARGET,
        .parent = TYPE_INTERFACE,
        .class_size = sizeof(CXLMemTargetClass),
    },
};

DEFINE_TYPES(route_types)
