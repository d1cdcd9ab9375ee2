/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way of a host physical address from a fixed memory window over a host
 * bridge, root port and switches to a memory device.
 * CXL r3.2 sections 9.13.1 and 9.18.1.3.
 */
#include "qemu/osdep.h"
#include "hw/pci/pci.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pcie_port.h"
#include "hdm-internal.h"
#include "qemu/module.h"
#include "trace/trace-hw_cxl.h"

/* Every level takes two bus numbers of 256 */
#define SWITCH_LEVELS_MAX       128

/*
 * What the decoders say is worked out once and kept until one of them, or a
 * memory device, changes: a walk over buses and registers at each access would
 * cost many times what the access itself does.  Nothing is kept but memory
 * devices, which say when they go, and copies.
 */

typedef struct RouteNode RouteNode;
typedef struct CXLRouteTree CXLRouteTree;

/** struct RouteTarget - where a window or decoder leads to: one of three */
typedef struct RouteTarget {
    CXLMemTarget *device;
    const CXLMemTargetClass *ops;
    const RouteNode *node;
    CXLRouteMiss miss;
} RouteTarget;

typedef struct RouteHop {
    CXLHDMDecoder d;
    RouteTarget next[CXL_HDM_TARGETS_MAX];
} RouteHop;

/** struct RouteNode - the committed decoders of a host bridge or switch */
struct RouteNode {
    unsigned n;
    RouteHop hop[];
};

/**
 * struct CXLRouteTree - all ways from one window
 * @nodes: by component; owns them
 */
struct CXLRouteTree {
    RouteTarget target[CXL_INTERLEAVE_WAYS_MAX];
    GHashTable *nodes;
};

static const RouteNode *route_node_get(CXLRouteTree *t, CXLComponentState *cxl,
                                       PCIBus *bus, int level);

/* A link ends at device 0 function 0: a device, or the port of a switch */
static RouteTarget route_behind_port(CXLRouteTree *t, PCIDevice *port,
                                     int level)
{
    PCIDevice *d;

    if (!port) {
        return (RouteTarget) { .miss = CXL_ROUTE_NO_PORT };
    }
    d = pci_bridge_get_sec_bus(PCI_BRIDGE(port))->devices[0];
    if (d && object_dynamic_cast(OBJECT(d), TYPE_CXL_MEM_TARGET)) {
        RouteTarget next = {
            .device = (CXLMemTarget *)d,
            .ops = CXL_MEM_TARGET_GET_CLASS(d),
        };

        if (next.ops->is_attached(next.device)) {
            return next;
        }
    }
    if (!d || !object_dynamic_cast(OBJECT(d), TYPE_CXL_USP)) {
        return (RouteTarget) { .miss = CXL_ROUTE_NO_DEVICE };
    }
    if (level == SWITCH_LEVELS_MAX) {
        return (RouteTarget) { .miss = CXL_ROUTE_TOO_DEEP };
    }
    return (RouteTarget) {
        .node = route_node_get(t, cxl_usp_to_cstate(CXL_USP(d)),
                               pci_bridge_get_sec_bus(PCI_BRIDGE(d)),
                               level + 1),
    };
}

static const RouteNode *route_node_get(CXLRouteTree *t, CXLComponentState *cxl,
                                       PCIBus *bus, int level)
{
    const uint32_t *regs = cxl->crb.cache_mem_registers;
    unsigned count = cxl_hdm_count(regs);
    RouteNode *node = g_hash_table_lookup(t->nodes, cxl);

    if (node) {
        return node;
    }
    node = g_malloc0(sizeof(*node) + count * sizeof(node->hop[0]));
    g_hash_table_insert(t->nodes, cxl, node);
    for (unsigned i = 0; i < count; i++) {
        RouteHop *hop = &node->hop[node->n];

        cxl_hdm_get(regs, i, &hop->d);
        /* Codes can turn bad after a commit: it may be rewritten alive */
        if (!hop->d.committed || !hop->d.ways || !hop->d.granularity) {
            continue;
        }
        /* A spare decoder, which ends nothing where it says it is */
        if (!hop->d.size) {
            continue;
        }
        /* Sizes can turn bad, too */
        hop->d.size = MIN(hop->d.size - 1, UINT64_MAX - hop->d.base) + 1;
        node->n++;
        for (unsigned k = 0; k < MIN(hop->d.ways, CXL_HDM_TARGETS_MAX); k++) {
            hop->next[k] = route_behind_port(t, pcie_find_port_by_pn(
                                            bus, hop->d.targets[k]), level);
        }
    }
    return node;
}

static RouteTarget route_from_bridge(CXLRouteTree *t, PXBCXLDev *pxb)
{
    PCIHostState *hb = pxb && pxb->cxl_host_bridge ?
                       PCI_HOST_BRIDGE(pxb->cxl_host_bridge) : NULL;

    if (!hb || !hb->bus) {
        return (RouteTarget) { .miss = CXL_ROUTE_NO_BRIDGE };
    }
    if (cxl_get_hb_passthrough(hb)) {
        return route_behind_port(t, pcie_find_port_first(hb->bus), 0);
    }
    return (RouteTarget) {
        .node = route_node_get(t, cxl_get_hb_cstate(hb), hb->bus, 0),
    };
}

static const CXLRouteTree *route_tree_get(CXLFixedWindow *fw)
{
    CXLRouteTree *t = fw->tree;

    if (!t) {
        t = fw->tree = g_new0(CXLRouteTree, 1);
        t->nodes = g_hash_table_new_full(NULL, NULL, NULL, g_free);
        for (unsigned i = 0; i < fw->num_targets; i++) {
            t->target[i] = route_from_bridge(t, fw->target_hbs[i]);
        }
    }
    return t;
}

void cxl_route_forget(CXLFixedWindow *fw)
{
    if (fw->tree) {
        g_hash_table_destroy(fw->tree->nodes);
        g_clear_pointer(&fw->tree, g_free);
    }
}

/* Where @hpa goes from a bridge or switch */
static RouteTarget route_at_node(const RouteNode *node, hwaddr hpa,
                                 CXLRoute *route)
{
    for (unsigned i = 0; i < node->n; i++) {
        const RouteHop *hop = &node->hop[i];
        unsigned target;

        if (hpa < hop->d.base) {
            route->end = MIN(route->end, hop->d.base);
            continue;
        }
        if (hpa - hop->d.base >= hop->d.size) {
            continue;
        }
        route->end = MIN(route->end - 1, hop->d.base + (hop->d.size - 1)) + 1;
        if (hop->d.ways == 1) {
            return hop->next[0];
        }
        route->ways *= hop->d.ways;
        route->chunk = MIN(route->chunk, hop->d.granularity);
        route->period = cxl_interleave_period(route->period, hop->d.ways,
                                              hop->d.granularity);
        target = cxl_interleave_target(hpa, hop->d.ways, hop->d.granularity);
        return target < CXL_HDM_TARGETS_MAX ? hop->next[target]
                                            : (RouteTarget) {
                                            .miss = CXL_ROUTE_NO_PORT };
    }
    return (RouteTarget) { .miss = CXL_ROUTE_NO_DECODER };
}

CXLRoute cxl_route_hpa(CXLFixedWindow *fw, hwaddr hpa)
{
    unsigned granularity = cxl_interleave_decode_granularity(fw->enc_int_gran);
    const CXLRouteTree *t = route_tree_get(fw);
    CXLRoute route = {
        .ways = fw->num_targets,
        .chunk = fw->num_targets > 1 ? granularity : UINT_MAX,
        .end = fw->base + fw->size,
        .period = cxl_interleave_period(1, fw->num_targets, granularity),
    };
    RouteTarget next = t->target[cxl_interleave_target(hpa, fw->num_targets,
                                                       granularity)];

    while (next.node) {
        next = route_at_node(next.node, hpa, &route);
    }
    route.device = next.device;
    route.ops = next.ops;
    route.miss = next.miss;
    return route;
}

const char *cxl_route_miss_text(CXLRouteMiss why)
{
    switch (why) {
    case CXL_ROUTE_OK:
        return "none";
    case CXL_ROUTE_NO_BRIDGE:
        return "no host bridge";
    case CXL_ROUTE_NO_DECODER:
        return "no committed decoder";
    case CXL_ROUTE_NO_PORT:
        return "no such port";
    case CXL_ROUTE_NO_DEVICE:
        return "no memory device behind the port";
    case CXL_ROUTE_TOO_DEEP:
        return "too many switches";
    }
    g_assert_not_reached();
}

CXLCCI *cxl_mem_target_cci(Object *obj)
{
    return object_dynamic_cast(obj, TYPE_CXL_MEM_TARGET) ?
           CXL_MEM_TARGET_GET_CLASS(obj)->fm_cci((CXLMemTarget *)obj) : NULL;
}

static const TypeInfo cxl_mem_target_type = {
    .name = TYPE_CXL_MEM_TARGET,
    .parent = TYPE_INTERFACE,
    .class_size = sizeof(CXLMemTargetClass),
};

static void cxl_route_register_types(void)
{
    type_register_static(&cxl_mem_target_type);
}

type_init(cxl_route_register_types)
