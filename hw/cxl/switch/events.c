/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event records of a CXL switch (CXL r3.2 7.6.8.1 and 7.6.8.2)
 *
 * The order of the fields behind the common header is that of the answers to
 * 5101h and 5200h; no other source for it was at hand.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/cxl/cxl_events.h"
#include "switch.h"
#include "trace/trace-hw_cxl.h"

static const QemuUUID physical_switch = {
    .data = UUID(0x77cf9271, 0x9c02, 0x470b,
                 0x9f, 0xe4, 0xbc, 0x7b, 0x75, 0xf2, 0xda, 0x97),
};

/* Sources differ in the last bytes; this is what libcxlmi compares with */
static const QemuUUID virtual_switch = {
    .data = UUID(0x40d26425, 0x3396, 0x4c4d,
                 0xa5, 0xda, 0x3d, 0x47, 0x26, 0x3a, 0xf4, 0x25),
};

void cxl_switch_log_port(CXLSwitch *sw, PCIDevice *port, uint8_t type)
{
    static const char *const types[] = {
        [SWITCH_PORT_LINK_CHANGE] = "link change",
        [SWITCH_PORT_SLOT_CHANGE] = "slot change",
    };
    uint8_t *exp = port->config + port->exp.exp_cap;
    uint8_t block[CXL_SWITCH_PORT_BLOCK];
    CXLEventRecord r;
    uint8_t *body = r.b + CXL_EVENT_OFF_BODY;
    bool logged;

    cxl_event_record_init(&r, &physical_switch, CXL_EVENT_LOG_INFO);
    cxl_switch_port_block(sw, port, block);
    body[0] = block[0];
    body[1] = type;
    stw_le_p(body + 2, pci_get_word(exp + PCI_EXP_SLTSTA));
    /* a reserved byte, then the block without the port's number */
    memcpy(body + 5, block + 1, sizeof(block) - 1);
    logged = cxl_event_append(&sw->events, CXL_EVENT_LOG_INFO, &r);
    trace_cxl_switch_port_event(block[0], CXL_NAME(types, type), logged);
}

void cxl_switch_log_vppb(CXLSwitch *sw, PCIDevice *port, uint8_t type)
{
    uint8_t *exp = port->config + port->exp.exp_cap;
    static const char *const bindings[] = {
        "not bound", "being bound or unbound", "bound",
    };
    unsigned vppb = cxl_switch_vppb_of(sw, port);
    uint8_t binding[CXL_SWITCH_BINDING];
    CXLEventRecord r;
    uint8_t *body = r.b + CXL_EVENT_OFF_BODY;
    bool logged;

    cxl_event_record_init(&r, &virtual_switch, CXL_EVENT_LOG_INFO);
    cxl_switch_binding(sw, port, binding);
    body[0] = 0;                /* the one virtual switch */
    body[1] = vppb;
    body[2] = type;
    /* state, port, logical device */
    memcpy(body + 3, binding, 3);
    stw_le_p(body + 6, pci_get_word(exp + PCI_EXP_LNKCTL));
    stw_le_p(body + 8, pci_get_word(exp + PCI_EXP_SLTCTL));
    logged = cxl_event_append(&sw->events, CXL_EVENT_LOG_INFO, &r);
    trace_cxl_switch_vppb_event(vppb, CXL_NAME(bindings, binding[0]), logged);
}
