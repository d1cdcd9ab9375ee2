/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way of a host physical address from a fixed memory window over a host
 * bridge, root port and switches to a Type 3 device.
 * CXL r3.2 sections 9.13.1 and 9.18.1.3.
 */
#include "qemu/osdep.h"
#include "hw/pci/pci.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pcie_port.h"
#include "hw/cxl/cxl_host.h"
#include "hw/cxl/cxl_type3.h"
#include "trace.h"

/* Every level takes two bus numbers of 256 */
#define SWITCH_LEVELS_MAX       128

/* Smallest interleave granularity: no decoder splits an aligned piece of it */
#define CHUNK                   256

static CXLRoute miss(CXLRouteMiss why)
{
    return (CXLRoute) { .miss = why };
}

/* A link ends at device 0 function 0: a device, or the port of a switch */
static PCIDevice *behind(PCIDevice *port)
{
    return pci_bridge_get_sec_bus(PCI_BRIDGE(port))->devices[0];
}

/* Port on @bus that the decoders of @cxl choose */
static PCIDevice *decode_port(CXLComponentState *cxl, PCIBus *bus, hwaddr hpa,
                              CXLRoute *route)
{
    PCIDevice *port = NULL;
    CXLHDMDecoder d;
    int number;

    if (!cxl_hdm_find(cxl->crb.cache_mem_registers, hpa, &d)) {
        route->miss = CXL_ROUTE_NO_DECODER;
        return NULL;
    }
    route->ways *= d.ways;
    number = cxl_hdm_target_port(&d, hpa);
    if (number >= 0) {
        port = pcie_find_port_by_pn(bus, number);
    }
    if (!port) {
        route->miss = CXL_ROUTE_NO_PORT;
    }
    return port;
}

CXLRoute cxl_route_hpa(CXLFixedWindow *fw, hwaddr hpa)
{
    unsigned granularity = cxl_interleave_decode_granularity(fw->enc_int_gran);
    unsigned target = cxl_interleave_target(hpa, fw->num_targets, granularity);
    PXBCXLDev *pxb = fw->target_hbs[target];
    CXLRoute route = { .ways = fw->num_targets };
    PCIHostState *hb;
    PCIDevice *port;

    if (!pxb || !pxb->cxl_host_bridge) {
        return miss(CXL_ROUTE_NO_BRIDGE);
    }
    hb = PCI_HOST_BRIDGE(pxb->cxl_host_bridge);
    if (!hb->bus) {
        return miss(CXL_ROUTE_NO_BRIDGE);
    }

    if (cxl_get_hb_passthrough(hb)) {
        port = pcie_find_port_first(hb->bus);
        if (!port) {
            return miss(CXL_ROUTE_NO_PORT);
        }
    } else {
        port = decode_port(cxl_get_hb_cstate(hb), hb->bus, hpa, &route);
    }

    for (int level = 0; port; level++) {
        PCIDevice *d = behind(port);

        if (!d) {
            return miss(CXL_ROUTE_NO_DEVICE);
        }
        if (object_dynamic_cast(OBJECT(d), TYPE_CXL_TYPE3)) {
            route.device = d;
            return route;
        }
        if (!object_dynamic_cast(OBJECT(d), TYPE_CXL_USP)) {
            return miss(CXL_ROUTE_NO_DEVICE);
        }
        if (level == SWITCH_LEVELS_MAX) {
            return miss(CXL_ROUTE_TOO_DEEP);
        }
        port = decode_port(cxl_usp_to_cstate(CXL_USP(d)),
                           pci_bridge_get_sec_bus(PCI_BRIDGE(d)), hpa, &route);
    }
    return miss(route.miss);
}

static const char *miss_text(CXLRouteMiss why)
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

/* Neighbouring chunks may belong to different devices, regions or blocks */
static bool crosses_chunk(hwaddr hpa, unsigned size)
{
    return hpa % CHUNK + size > CHUNK;
}

static MemTxResult read_piece(CXLFixedWindow *fw, hwaddr hpa, uint64_t *data,
                              unsigned size, MemTxAttrs attrs)
{
    CXLRoute route = cxl_route_hpa(fw, hpa);

    *data = 0;
    if (!route.device) {
        trace_cxl_window_miss("read", hpa, size, miss_text(route.miss));
        return MEMTX_ERROR;
    }
    return cxl_type3_read(route.device, hpa, data, size, attrs);
}

static MemTxResult write_piece(CXLFixedWindow *fw, hwaddr hpa, uint64_t data,
                               unsigned size, MemTxAttrs attrs)
{
    CXLRoute route = cxl_route_hpa(fw, hpa);

    if (!route.device) {
        /* A posted write has nobody to tell */
        trace_cxl_window_miss("write", hpa, size, miss_text(route.miss));
        return MEMTX_OK;
    }
    return cxl_type3_write(route.device, hpa, data, size, attrs);
}

static MemTxResult window_read(void *opaque, hwaddr offset, uint64_t *data,
                               unsigned size, MemTxAttrs attrs)
{
    CXLFixedWindow *fw = opaque;
    hwaddr hpa = fw->base + offset;
    MemTxResult result = MEMTX_OK;
    uint64_t all = 0;

    if (!crosses_chunk(hpa, size)) {
        return read_piece(fw, hpa, data, size, attrs);
    }
    for (unsigned i = 0; i < size; i++) {
        uint64_t byte;

        result |= read_piece(fw, hpa + i, &byte, 1, attrs);
        all |= (byte & 0xff) << (8 * i);
    }
    *data = result == MEMTX_OK ? all : 0;
    return result;
}

static MemTxResult window_write(void *opaque, hwaddr offset, uint64_t data,
                                unsigned size, MemTxAttrs attrs)
{
    CXLFixedWindow *fw = opaque;
    hwaddr hpa = fw->base + offset;
    MemTxResult result = MEMTX_OK;

    if (!crosses_chunk(hpa, size)) {
        return write_piece(fw, hpa, data, size, attrs);
    }
    for (unsigned i = 0; i < size; i++) {
        result |= write_piece(fw, hpa + i, data >> (8 * i) & 0xff, 1, attrs);
    }
    return result;
}

const MemoryRegionOps cfmws_ops = {
    .read_with_attrs = window_read,
    .write_with_attrs = window_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};
