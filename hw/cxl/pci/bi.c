/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Back-invalidate and 256-byte flits, see bi.h
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_port.h"
#include "migration/vmstate.h"
#include "bi.h"
#include "trace/trace-hw_cxl.h"

/* Registers of both capabilities */
#define BI_CAPABILITY           0x0
#define BI_CONTROL              0x4
#define BI_STATUS               0x8
#define BI_SIZE                 0xc

#define ROUTE_EXPLICIT_COMMIT   BIT(0)
#define ROUTE_COMMIT            BIT(0)

#define DECODER_EXPLICIT_COMMIT BIT(1)
#define DECODER_FORWARD         BIT(0)
#define DECODER_ENABLE          BIT(1)
#define DECODER_COMMIT          BIT(2)
#define DECODER_PASS            (DECODER_FORWARD | DECODER_ENABLE)

#define STATUS_COMMITTED        BIT(0)
#define STATUS_ERROR            BIT(1)
#define STATUS_DONE             (STATUS_COMMITTED | STATUS_ERROR)
/* Software waits for two units of 1 s at most */
#define STATUS_TIMEOUT          (2 << 12 | 6 << 8)

#define COMMIT_NS               SCALE_MS

/* PCI Express Capabilities: flit mode is supported */
#define EXP_FLAGS_FLIT          BIT(15)
/* Flex bus status: the link has 68-byte flits */
#define FLEXBUS_68B             BIT(5)

/* Frees the state with the component's object, which has no place for it */
#define PROPERTY "x-back-invalidate"

/**
 * struct CXLBackInvalidate - what a port of a switch knows of its commits
 * @cxl: the component
 * @commit: runs out when the commit in progress is done
 * @passes: of a downstream port: %DECODER_PASS as it was committed
 * @bus: its secondary bus number as it was committed
 * @routed: the route table has been committed since then
 */
struct CXLBackInvalidate {
    CXLComponentState *cxl;
    QEMUTimer commit;
    uint8_t passes;
    uint8_t bus;
    bool routed;
};

static uint32_t *bi_reg(const CXLComponentState *cxl, unsigned offset)
{
    return (uint32_t *)&cxl->crb.cache_mem_registers[offset / 4];
}

/* A component has one at most */
static unsigned bi_capability(const CXLComponentState *cxl)
{
    return *bi_reg(cxl, CXL_CAP_BI_ROUTE_HEADER) ? CXL_BI_ROUTE_OFFSET :
           *bi_reg(cxl, CXL_CAP_BI_DECODER_HEADER) ? CXL_BI_DECODER_OFFSET : 0;
}

static uint32_t bi_control(const CXLComponentState *cxl)
{
    return *bi_reg(cxl, bi_capability(cxl) + BI_CONTROL);
}

static uint32_t *bi_status_reg(const CXLComponentState *cxl)
{
    return bi_reg(cxl, bi_capability(cxl) + BI_STATUS);
}

/* 0: what is written counts at once */
static uint32_t bi_commit_bit(const CXLComponentState *cxl)
{
    uint32_t cap = *bi_reg(cxl, bi_capability(cxl) + BI_CAPABILITY);

    if (bi_capability(cxl) == CXL_BI_ROUTE_OFFSET) {
        return cap & ROUTE_EXPLICIT_COMMIT ? ROUTE_COMMIT : 0;
    }
    return bi_capability(cxl) && cap & DECODER_EXPLICIT_COMMIT ?
           DECODER_COMMIT : 0;
}

/* -- the way to the host -------------------------------------------------- */

static bool bi_is_port(PCIDevice *dev, uint8_t type)
{
    return dev && object_dynamic_cast(OBJECT(dev), TYPE_PCIE_PORT) &&
           pcie_cap_get_type(dev) == type;
}

/* The upper end of the link that @dev is the lower end of */
static PCIDevice *bi_port_above(PCIDevice *dev)
{
    PCIDevice *port = pci_bridge_get_device(pci_get_bus(dev));

    return bi_is_port(port, PCI_EXP_TYPE_ROOT_PORT) ||
           bi_is_port(port, PCI_EXP_TYPE_DOWNSTREAM) ? port : NULL;
}

/* The next link's upper end, if @port is not the last one before the host */
static PCIDevice *bi_next_port(PCIDevice *port)
{
    PCIDevice *usp = pci_bridge_get_device(pci_get_bus(port));

    return bi_is_port(port, PCI_EXP_TYPE_DOWNSTREAM) &&
           bi_is_port(usp, PCI_EXP_TYPE_UPSTREAM) ? bi_port_above(usp) : NULL;
}

static PCIBus *bi_bus_below(PCIDevice *port)
{
    return pci_bridge_get_sec_bus(PCI_BRIDGE(port));
}

static CXLComponentState *bi_component(PCIDevice *dev)
{
    return dev ? cxl_component_of(OBJECT(dev)) : NULL;
}

/* A link ends at function 0 of device 0 */
static CXLComponentState *bi_partner(PCIDevice *port)
{
    return bi_component(bi_bus_below(port)->devices[0]);
}

/* -- 256-byte flits ------------------------------------------------------- */

static uint8_t *flit_link_status(PCIDevice *dev)
{
    return dev->config + dev->exp.exp_cap + PCI_EXP_LNKSTA2;
}

static bool flit_runs(PCIDevice *dev)
{
    return pci_get_word(flit_link_status(dev)) & PCI_EXP_LNKSTA2_FLIT;
}

static unsigned flit_flexbus_status(const CXLComponentState *cxl)
{
    return cxl->dvsecs[PCIE_FLEXBUS_PORT_DVSEC].lob +
           offsetof(CXLDVSECPortFlexBus, status);
}

static void flit_show(CXLComponentState *cxl, bool runs)
{
    PCIDevice *dev = cxl->pdev;
    uint8_t *flexbus = dev->config + flit_flexbus_status(cxl);

    if (!cxl->flit_256b || runs == flit_runs(dev)) {
        return;
    }
    if (runs) {
        pci_word_test_and_set_mask(flit_link_status(dev),
                                   PCI_EXP_LNKSTA2_FLIT);
        pci_word_test_and_clear_mask(flexbus, FLEXBUS_68B);
    } else {
        pci_word_test_and_clear_mask(flit_link_status(dev),
                                     PCI_EXP_LNKSTA2_FLIT);
        pci_word_test_and_set_mask(flexbus, FLEXBUS_68B);
    }
    trace_cxl_flit_link(DEVICE(dev)->id ?: "", runs);
}

void cxl_flit_train(PCIDevice *port)
{
    CXLComponentState *upper = bi_component(port), *lower;
    bool runs;

    if (!upper || (!bi_is_port(port, PCI_EXP_TYPE_ROOT_PORT) &&
                   !bi_is_port(port, PCI_EXP_TYPE_DOWNSTREAM))) {
        return;
    }
    lower = bi_partner(port);
    runs = lower && lower->flit_256b && upper->flit_256b;
    flit_show(upper, runs);
    if (lower) {
        flit_show(lower, runs);
    }
}

void cxl_flit_train_both(PCIDevice *dev)
{
    PCIDevice *port = bi_port_above(dev);

    if (port) {
        cxl_flit_train(port);
    }
    cxl_flit_train(dev);
}

static bool flit_on_the_way(PCIDevice *port)
{
    for (; port; port = bi_next_port(port)) {
        if (!flit_runs(port)) {
            return false;
        }
        if (bi_is_port(port, PCI_EXP_TYPE_ROOT_PORT)) {
            return true;
        }
    }
    return false;
}

static void flit_device_went(DeviceListener *listener, DeviceState *dev)
{
    PCIDevice *port;

    if (object_dynamic_cast(OBJECT(dev), INTERFACE_CXL_DEVICE)) {
        port = bi_port_above(PCI_DEVICE(dev));
        if (port) {
            cxl_flit_train(port);
        }
    }
}

static DeviceListener flit_listener = {
    .unrealize = flit_device_went,
};

/* -- commits -------------------------------------------------------------- */

/* Do requests go up through @port as its decoder is committed? */
static bool bi_is_in_order(const CXLComponentState *port)
{
    return *bi_status_reg(port) & STATUS_COMMITTED &&
           port->bi->passes == (bi_control(port) & DECODER_PASS);
}

static bool bi_commit_decoder(CXLBackInvalidate *bi)
{
    PCIDevice *port = bi->cxl->pdev;
    uint32_t passes = bi_control(bi->cxl) & DECODER_PASS;
    CXLComponentState *partner = bi_partner(port);

    bi->routed = false;
    bi->passes = 0;
    if (passes && (passes == DECODER_PASS || !flit_on_the_way(port) ||
                   !partner || !bi_capability(partner))) {
        return false;
    }
    bi->passes = passes;
    bi->bus = pci_bus_num(bi_bus_below(port));
    return true;
}

static bool bi_commit_routes(CXLBackInvalidate *bi)
{
    PCIDevice *usp = bi->cxl->pdev;
    PCIBus *bus = bi_bus_below(usp);
    PCIDevice *above = bi_port_above(usp);
    bool any = false;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(bus->devices); i++) {
        CXLComponentState *port = bi_component(bus->devices[i]);

        if (port && port->bi && bi_control(port) & DECODER_PASS) {
            any = true;
            if (!bi_is_in_order(port)) {
                return false;
            }
        }
    }
    if (any && !(above && flit_on_the_way(above))) {
        return false;
    }
    for (i = 0; i < ARRAY_SIZE(bus->devices); i++) {
        PCIDevice *port = bus->devices[i];
        CXLComponentState *cxl = bi_component(port);

        if (cxl && cxl->bi) {
            cxl->bi->routed = cxl->bi->bus == pci_bus_num(bi_bus_below(port));
        }
    }
    return true;
}

static void bi_commit_done(void *opaque)
{
    CXLBackInvalidate *bi = opaque;
    CXLComponentState *cxl = bi->cxl;
    bool done;

    if (!DEVICE(cxl->pdev)->realized) {
        return;
    }
    done = bi_capability(cxl) == CXL_BI_ROUTE_OFFSET ? bi_commit_routes(bi) :
           bi_commit_decoder(bi);
    *bi_status_reg(cxl) |= done ? STATUS_COMMITTED : STATUS_ERROR;
    trace_cxl_bi_commit(DEVICE(cxl->pdev)->id ?: "", bi_control(cxl), done);
}

static void bi_release(Object *obj, const char *name, void *opaque)
{
    CXLBackInvalidate *bi = opaque;

    timer_del(&bi->commit);
    g_free(bi);
}

static void bi_make(CXLComponentState *cxl)
{
    cxl->bi = g_new0(CXLBackInvalidate, 1);
    cxl->bi->cxl = cxl;
    timer_init_ns(&cxl->bi->commit, QEMU_CLOCK_VIRTUAL, bi_commit_done,
                  cxl->bi);
    object_property_add(OBJECT(cxl->pdev), PROPERTY, "struct", NULL, NULL,
                        bi_release, cxl->bi);
}

void cxl_bi_forget(CXLComponentState *cxl)
{
    if (cxl->bi) {
        timer_del(&cxl->bi->commit);
        cxl->bi->passes = 0;
        cxl->bi->bus = 0;
        cxl->bi->routed = false;
    }
}

/* -- registers ------------------------------------------------------------ */

bool cxl_bi_has_route_table(const CXLComponentState *cxl, enum reg_type type)
{
    return cxl && cxl->flit_256b && type == CXL2_UPSTREAM_PORT;
}

bool cxl_bi_has_decoder(const CXLComponentState *cxl, enum reg_type type)
{
    switch (type) {
    case CXL2_ROOT_PORT:
    case CXL2_DOWNSTREAM_PORT:
        return cxl && cxl->flit_256b;
    case CXL2_TYPE3_DEVICE:
        return cxl && cxl->hdm_db;
    default:
        return false;
    }
}

bool cxl_bi_owns(const CXLComponentState *cxl, unsigned offset)
{
    unsigned at = bi_capability(cxl);

    return at && offset >= at && offset < at + BI_SIZE;
}

void cxl_bi_write(CXLComponentState *cxl, unsigned offset, uint32_t value)
{
    uint32_t *reg = bi_reg(cxl, offset);
    uint32_t mask = cxl->crb.cache_mem_regs_write_mask[offset / 4];
    uint32_t old = *reg;

    *reg = (value & mask) | (old & ~mask);
    if (*reg & ~old & mask & bi_commit_bit(cxl)) {
        *bi_status_reg(cxl) &= ~STATUS_DONE;
        timer_mod(&cxl->bi->commit,
                  qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + COMMIT_NS);
    }
}

uint32_t cxl_bi_status(const CXLComponentState *cxl, unsigned offset)
{
    return bi_commit_bit(cxl) && offset == bi_capability(cxl) + BI_STATUS ?
           STATUS_DONE : 0;
}

void cxl_bi_reset(CXLComponentState *cxl, enum reg_type type)
{
    unsigned at = bi_capability(cxl);
    uint32_t *regs = bi_reg(cxl, at);
    uint32_t *mask = &cxl->crb.cache_mem_regs_write_mask[at / 4];
    bool device = type == CXL2_TYPE3_DEVICE;

    if (cxl->pdev) {
        cxl_flit_train_both(cxl->pdev);
    }
    if (type == CXL2_UPSTREAM_PORT ? cxl->flit_256b : cxl->hdm_db) {
        cxl_hdm_allow_bi(cxl->crb.cache_mem_registers,
                         cxl->crb.cache_mem_regs_write_mask, device);
    }
    if (!at) {
        return;
    }

    regs[BI_STATUS / 4] = STATUS_TIMEOUT;
    if (at == CXL_BI_ROUTE_OFFSET) {
        regs[BI_CAPABILITY / 4] = ROUTE_EXPLICIT_COMMIT;
        mask[BI_CONTROL / 4] = ROUTE_COMMIT;
    } else {
        mask[BI_CONTROL / 4] = device ? DECODER_ENABLE : DECODER_PASS;
        if (type == CXL2_DOWNSTREAM_PORT) {
            regs[BI_CAPABILITY / 4] = DECODER_EXPLICIT_COMMIT;
            mask[BI_CONTROL / 4] |= DECODER_COMMIT;
        }
    }
    if (bi_commit_bit(cxl) && !cxl->bi) {
        bi_make(cxl);
    }
    cxl_bi_forget(cxl);
}

/* A property of one end of a way is of no use without the others' */
static void bi_warn_of_way(PCIDevice *dev)
{
    PCIDevice *port;

    for (port = bi_port_above(dev); port; port = bi_next_port(port)) {
        PCIDevice *usp = pci_bridge_get_device(pci_get_bus(port));
        PCIDevice *ends[] = {
            port, bi_is_port(usp, PCI_EXP_TYPE_UPSTREAM) ? usp : NULL,
        };

        for (unsigned i = 0; i < ARRAY_SIZE(ends); i++) {
            CXLComponentState *cxl = bi_component(ends[i]);

            if (cxl && !cxl->flit_256b) {
                warn_report("%s '%s': property 'hdm-db' is on, but a link to "
                            "the host has 68-byte flits: give %s '%s' "
                            "x-256b-flit=on, too",
                            object_get_typename(OBJECT(dev)),
                            DEVICE(dev)->id ?: "(no id)",
                            object_get_typename(OBJECT(ends[i])),
                            DEVICE(ends[i])->id ?: "(no id)");
                return;
            }
        }
    }
}

void cxl_bi_realize(CXLComponentState *cxl)
{
    static bool listens;
    PCIDevice *dev = cxl->pdev;

    if (!dev || !cxl->flit_256b) {
        return;
    }
    pci_word_test_and_set_mask(dev->config + dev->exp.exp_cap + PCI_EXP_FLAGS,
                               EXP_FLAGS_FLIT);
    /* Both sides of a migration train their links by themselves */
    pci_word_test_and_clear_mask(dev->cmask + dev->exp.exp_cap +
                                 PCI_EXP_LNKSTA2, PCI_EXP_LNKSTA2_FLIT);
    pci_word_test_and_clear_mask(dev->cmask + flit_flexbus_status(cxl),
                                 FLEXBUS_68B);
    if (cxl->hdm_db) {
        bi_warn_of_way(dev);
    }
    if (!listens) {
        listens = true;
        device_listener_register(&flit_listener);
    }
}

/* -- what the monitor shows ----------------------------------------------- */

CXLBIObstacle cxl_bi_obstacle(CXLComponentState *cxl)
{
    PCIDevice *port = bi_port_above(cxl->pdev), *at;
    bool direct = true;

    if (!(bi_control(cxl) & DECODER_ENABLE)) {
        return CXL_BI_OFF;
    }
    if (!port || !flit_on_the_way(port)) {
        return CXL_BI_LINK;
    }
    for (at = port; at; at = bi_next_port(at), direct = false) {
        CXLComponentState *up = bi_component(at);
        uint32_t passes = bi_control(up) & DECODER_PASS;

        if (passes != DECODER_FORWARD &&
            !(direct && passes == DECODER_ENABLE)) {
            return CXL_BI_PORT;
        }
        if (!up->bi) {
            continue;
        }
        if (direct && passes != DECODER_ENABLE) {
            return CXL_BI_PORT;
        }
        if (!bi_is_in_order(up)) {
            return CXL_BI_COMMIT;
        }
        if (up->bi->bus != pci_bus_num(bi_bus_below(at))) {
            return CXL_BI_BUS;
        }
        if (!up->bi->routed) {
            return CXL_BI_ROUTE;
        }
    }
    return CXL_BI_NONE;
}

void cxl_bi_get(CXLComponentState *cxl, CXLBIState *state)
{
    *state = (CXLBIState) {
        .flit_256b = flit_runs(cxl->pdev),
        .decoder = bi_capability(cxl) == CXL_BI_DECODER_OFFSET,
    };
    if (state->decoder) {
        state->enable = bi_control(cxl) & DECODER_ENABLE;
        state->forward = bi_control(cxl) & DECODER_FORWARD;
    }
    if (cxl->bi) {
        uint32_t status = *bi_status_reg(cxl);

        state->commit = timer_pending(&cxl->bi->commit) ? CXL_BI_COMMIT_RUNS :
                        status & STATUS_COMMITTED ? CXL_BI_COMMIT_DONE :
                        status & STATUS_ERROR ? CXL_BI_COMMIT_FAILED :
                        CXL_BI_COMMIT_NONE;
    }
}

/* -- migration ------------------------------------------------------------ */

/* A commit that is asked for is done, or will be */
bool cxl_bi_check(const CXLComponentState *cxl)
{
    uint32_t done;

    if (!cxl->bi) {
        return true;
    }
    done = *bi_status_reg(cxl) & STATUS_DONE;
    if (timer_pending(&cxl->bi->commit)) {
        return !done;
    }
    return done != STATUS_DONE &&
           (done || !(bi_control(cxl) & bi_commit_bit(cxl)));
}

static bool bi_needed(void *opaque)
{
    const CXLComponentState *cxl = opaque;

    return cxl->bi && (timer_pending(&cxl->bi->commit) || cxl->bi->passes ||
                       cxl->bi->bus || cxl->bi->routed);
}

static int bi_pre_load(void *opaque)
{
    const CXLComponentState *cxl = opaque;

    return cxl->bi ? 0 : -EINVAL;
}

static int bi_state_post_load(void *opaque, int version_id)
{
    const CXLBackInvalidate *bi = opaque;

    return bi->passes & ~DECODER_PASS ? -EINVAL : 0;
}

static const VMStateDescription vmstate_bi_state = {
    .name = "cxl-back-invalidate",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = bi_state_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_TIMER(commit, CXLBackInvalidate),
        VMSTATE_UINT8(passes, CXLBackInvalidate),
        VMSTATE_UINT8(bus, CXLBackInvalidate),
        VMSTATE_BOOL(routed, CXLBackInvalidate),
        VMSTATE_END_OF_LIST()
    },
};

const VMStateDescription vmstate_cxl_bi = {
    .name = "cxl-component/back-invalidate",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = bi_needed,
    .pre_load = bi_pre_load,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT_POINTER(bi, CXLComponentState, vmstate_bi_state,
                               CXLBackInvalidate),
        VMSTATE_END_OF_LIST()
    },
};
