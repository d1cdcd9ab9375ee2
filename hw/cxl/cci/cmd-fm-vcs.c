/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 52h: Virtual Switch (CXL r3.2 7.6.7.2)
 *
 * Bind and unbind are hot-plugs for the host: done by the slot of the
 * downstream port, with its interrupt and its attention button.  An unbind that
 * needs the host to do its part looks again and again whether it has.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/host-utils.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_aer.h"
#include "cmd-sets.h"
#include "switch-cci.h"
#include "hw/cxl/trace.h"

#define VCS_ENABLED         1
#define VCS_UNKNOWN         0xff
#define OPTION_MASK         0x0f
#define NO_LD               0xffff
#define TLP_HEADER_DWORDS   4

/* How long a change takes, and how often the host is looked at */
#define STEP_MS             100
/*
 * Linux lets five seconds pass between the attention button and its work.  A
 * host that has not let go by then will not, and the Fabric Manager may ask
 * again.
 */
#define HOST_MS             30000

/*
 * Correctable errors have a status register of their own.  Where both registers
 * use a bit, the request is taken to mean the uncorrectable one.
 */
#define CORRECTABLE_ONLY    (PCI_ERR_COR_RCVR | PCI_ERR_COR_BAD_TLP | \
                             PCI_ERR_COR_BAD_DLLP | PCI_ERR_COR_REP_ROLL)

static CXLRetCode fm_vcs_get_info(CXLCCI *cci, CXLReader *in,
                                  CXLWriter *out)
{
    CXLSwitch *sw = cxl_cci_switch(cci);
    unsigned start = cxl_get_u8(in);
    unsigned limit = cxl_get_u8(in);
    unsigned i, v, n = cxl_get_u8(in);
    unsigned total, end;

    if (!sw) {
        return CXL_RC_RETRY_REQUIRED;
    }
    total = cxl_switch_nr_vppbs(sw);
    end = MIN(total, start + limit);
    cxl_put_u8(out, n);
    cxl_put_zero(out, 3);
    for (v = 0; v < n; v++) {
        uint8_t vcs = cxl_get_u8(in);
        bool known = vcs == CXL_SWITCH_VCS;

        cxl_put_u8(out, vcs);
        cxl_put_u8(out, known ? VCS_ENABLED : VCS_UNKNOWN);
        cxl_put_u8(out, known ? cxl_switch_port_id(cxl_switch_upstream(sw))
                              : 0);
        cxl_put_u8(out, known ? MIN(total, UINT8_MAX) : 0);
        for (i = start; known && i < end; i++) {
            uint8_t binding[CXL_SWITCH_BINDING];

            cxl_switch_binding(sw, cxl_switch_vppb(sw, i), binding);
            cxl_put_bytes(out, binding, sizeof(binding));
        }
    }
    /* asked for more than one message holds */
    return out->overflow ? CXL_RC_INVALID_INPUT : CXL_RC_SUCCESS;
}

/* -- bind and unbind ------------------------------------------------------ */

/* The downstream port that a vPPB stands for, NULL for wrong numbers */
static PCIDevice *fm_vcs_vppb_to_bind(const CXLSwitch *sw, uint8_t vcs,
                                      uint8_t vppb)
{
    PCIDevice *port;

    if (vcs != CXL_SWITCH_VCS || vppb == 0) {
        return NULL;
    }
    port = cxl_switch_vppb(sw, vppb);
    return port && cxl_switch_can_hotplug(port) ? port : NULL;
}

static PCIDevice *fm_vcs_op_port(const CXLSwitch *sw)
{
    unsigned i, n = sw ? cxl_switch_nr_vppbs(sw) : 0;

    for (i = 1; i < n; i++) {
        PCIDevice *port = cxl_switch_vppb(sw, i);

        if (cxl_switch_port_is_busy(sw, port)) {
            return port;
        }
    }
    return NULL;
}

static uint16_t fm_vcs_slot_reg(const PCIDevice *port, unsigned reg)
{
    return pci_get_word(port->config + port->exp.exp_cap + reg);
}

static uint16_t fm_vcs_power_indicator(const PCIDevice *port)
{
    return fm_vcs_slot_reg(port, PCI_EXP_SLTCTL) & PCI_EXP_SLTCTL_PIC;
}

static CXLRetCode fm_vcs_op_start(CXLCCI *cci, CXLSwitch *sw, PCIDevice *port,
                                  uint16_t opcode, uint8_t option)
{
    static const char *const options[] = {
        [CXL_UNBIND_WAIT_LINK_DOWN] = "wait for link down",
        [CXL_UNBIND_MANAGED] = "managed removal",
        [CXL_UNBIND_SURPRISE] = "surprise removal",
    };

    sw->op = (CXLSwitchOp) {
        .opcode = opcode,
        .devfn = port->devfn,
        .option = option,
        .host_began =
            fm_vcs_power_indicator(port) != PCI_EXP_SLTCTL_PWR_IND_OFF,
    };
    trace_cxl_switch_op_start(opcode, cxl_switch_vppb_of(sw, port),
                              opcode == CXL_OP_BIND_VPPB ? "bind" :
                              CXL_NAME(options, option));
    return cxl_cci_bg_start(cci, STEP_MS);
}

static CXLRetCode fm_vcs_op_end(CXLSwitch *sw, PCIDevice *port, CXLRetCode rc)
{
    uint16_t opcode = sw->op.opcode;

    sw->op = (CXLSwitchOp) { 0 };
    cxl_switch_keep_on_eject(sw, port, false);
    if (rc == CXL_RC_SUCCESS) {
        cxl_switch_map_set(sw->unbound, port, opcode == CXL_OP_UNBIND_VPPB);
        cxl_switch_refresh(sw, port, true);
        cxl_switch_log_vppb(sw, port, SWITCH_VPPB_BINDING_CHANGE);
        cxl_switch_log_port(sw, port, SWITCH_PORT_SLOT_CHANGE);
    }
    cxl_switch_release(sw, port);
    trace_cxl_switch_op_end(opcode, cxl_switch_vppb_of(sw, port),
                            cxl_rc_name(rc));
    return rc;
}

/* The CCI that asked is reset, or the port is gone: the binding stays */
static void fm_vcs_op_abort(CXLCCI *cci)
{
    CXLSwitch *sw = cxl_cci_switch(cci);
    PCIDevice *port = fm_vcs_op_port(sw);

    if (port) {
        fm_vcs_op_end(sw, port, CXL_RC_ABORTED);
    } else if (sw) {
        sw->op.opcode = 0;
    }
}

static CXLRetCode fm_vcs_bind_vppb(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    CXLSwitch *sw = cxl_cci_switch(cci);
    uint8_t vcs = cxl_get_u8(in);
    uint8_t vppb = cxl_get_u8(in);
    uint8_t id = cxl_get_u8(in);
    PCIDevice *port;
    uint16_t ld;

    cxl_get_skip(in, 1);
    ld = cxl_get_le16(in);
    if (!sw) {
        return CXL_RC_RETRY_REQUIRED;
    }
    port = fm_vcs_vppb_to_bind(sw, vcs, vppb);
    /* no port has a multi-logical device, so no LD can be bound */
    if (!port || port != cxl_switch_port(sw, id) || ld != NO_LD) {
        return CXL_RC_INVALID_INPUT;
    }
    if (sw->op.opcode) {
        return CXL_RC_BUSY;
    }
    if (cxl_switch_bound(sw, port)) {
        return CXL_RC_INVALID_INPUT;
    }
    return fm_vcs_op_start(cci, sw, port, CXL_OP_BIND_VPPB, 0);
}

static CXLRetCode fm_vcs_bind_done(CXLCCI *cci)
{
    CXLSwitch *sw = cxl_cci_switch(cci);
    PCIDevice *port = fm_vcs_op_port(sw);

    if (!port) {
        fm_vcs_op_abort(cci);
        return CXL_RC_INTERNAL_ERROR;
    }
    return fm_vcs_op_end(sw, port, CXL_RC_SUCCESS);
}

static bool fm_vcs_host_listens(const PCIDevice *port)
{
    const uint16_t needs = PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_ABPE;

    return (fm_vcs_slot_reg(port, PCI_EXP_SLTCTL) & needs) == needs;
}

/*
 * A host that has done its part switches the slot off.  Without a power
 * controller, the power indicator blinks while the host works and goes off when
 * it is done.  It is off, too, in a slot that was filled when the host booted,
 * so there it means something only after it was not off.  A host that does not
 * hear the button has nothing to do.
 */
static bool fm_vcs_host_let_go(const CXLSwitch *sw, const PCIDevice *port)
{
    if (!(fm_vcs_slot_reg(port, PCI_EXP_SLTSTA) & PCI_EXP_SLTSTA_PDS)) {
        return true;
    }
    if (fm_vcs_power_indicator(port) != PCI_EXP_SLTCTL_PWR_IND_OFF) {
        return false;
    }
    if (fm_vcs_slot_reg(port, PCI_EXP_SLTCAP) & PCI_EXP_SLTCAP_PCP) {
        return fm_vcs_slot_reg(port, PCI_EXP_SLTCTL) & PCI_EXP_SLTCTL_PCC ||
               !fm_vcs_host_listens(port);
    }
    return sw->op.host_began || !fm_vcs_host_listens(port);
}

static CXLRetCode fm_vcs_unbind_vppb(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    CXLSwitch *sw = cxl_cci_switch(cci);
    uint8_t vcs = cxl_get_u8(in);
    uint8_t vppb = cxl_get_u8(in);
    uint8_t option = cxl_get_u8(in) & OPTION_MASK;
    PCIDevice *port;

    if (!sw) {
        return CXL_RC_RETRY_REQUIRED;
    }
    port = fm_vcs_vppb_to_bind(sw, vcs, vppb);
    if (!port || option > CXL_UNBIND_SURPRISE) {
        return CXL_RC_INVALID_INPUT;
    }
    if (sw->op.opcode) {
        return CXL_RC_BUSY;
    }
    if (!cxl_switch_bound(sw, port)) {
        return CXL_RC_INVALID_INPUT;
    }
    if (option == CXL_UNBIND_MANAGED && !fm_vcs_host_let_go(sw, port)) {
        if (fm_vcs_power_indicator(port) == PCI_EXP_SLTCTL_PWR_IND_BLINK) {
            /* the host is at it already, and the button would stop it */
            return CXL_RC_RETRY_REQUIRED;
        }
        cxl_switch_push_button(sw, port);
    }
    cxl_switch_hold(sw, port);
    cxl_switch_keep_on_eject(sw, port, true);
    return fm_vcs_op_start(cci, sw, port, CXL_OP_UNBIND_VPPB, option);
}

static bool fm_vcs_may_unbind(CXLSwitch *sw, const PCIDevice *port)
{
    if (fm_vcs_power_indicator(port) != PCI_EXP_SLTCTL_PWR_IND_OFF) {
        sw->op.host_began = true;
    }
    switch ((CXLUnbindOption)sw->op.option) {
    case CXL_UNBIND_WAIT_LINK_DOWN:
        return !cxl_switch_link_up(sw, port) ||
               !(fm_vcs_slot_reg(port, PCI_EXP_SLTSTA) & PCI_EXP_SLTSTA_PDS);
    case CXL_UNBIND_MANAGED:
        return fm_vcs_host_let_go(sw, port);
    case CXL_UNBIND_SURPRISE:
        return true;
    }
    return true;
}

static CXLRetCode fm_vcs_unbind_done(CXLCCI *cci)
{
    CXLSwitch *sw = cxl_cci_switch(cci);
    PCIDevice *port = fm_vcs_op_port(sw);
    int64_t waited = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) -
                     cci->bg.started_ns;

    if (!port) {
        fm_vcs_op_abort(cci);
        return CXL_RC_INTERNAL_ERROR;
    }
    if (fm_vcs_may_unbind(sw, port)) {
        return fm_vcs_op_end(sw, port, CXL_RC_SUCCESS);
    }
    if (waited < HOST_MS * (int64_t)SCALE_MS) {
        return cxl_cci_bg_continue(cci, STEP_MS);
    }
    return fm_vcs_op_end(sw, port, CXL_RC_RETRY_REQUIRED);
}

/* -- errors --------------------------------------------------------------- */

static CXLRetCode fm_vcs_generate_aer(CXLCCI *cci, CXLReader *in,
                                      CXLWriter *out)
{
    CXLSwitch *sw = cxl_cci_switch(cci);
    uint8_t vcs = cxl_get_u8(in);
    uint8_t vppb = cxl_get_u8(in);
    PCIEAERErr err = { .flags = PCIE_AER_ERR_HEADER_VALID };
    PCIDevice *port;
    unsigned i;

    cxl_get_skip(in, 2);
    err.status = cxl_get_le32(in);
    for (i = 0; i < TLP_HEADER_DWORDS; i++) {
        uint8_t dword[4];

        /* the bytes come as they travel on the link, so does the header log */
        cxl_get_bytes(in, dword, sizeof(dword));
        err.header[i] = ldl_be_p(dword);
    }
    if (!sw) {
        return CXL_RC_RETRY_REQUIRED;
    }
    port = vcs == CXL_SWITCH_VCS ? cxl_switch_vppb(sw, vppb) : NULL;
    /* the base takes it for granted that there is one bit */
    if (!port || !is_power_of_2(err.status)) {
        return CXL_RC_INVALID_INPUT;
    }
    if (err.status & CORRECTABLE_ONLY) {
        err.flags = PCIE_AER_ERR_IS_CORRECTABLE;
    }
    err.source_id = pci_requester_id(port);
    trace_cxl_switch_aer(vppb, err.status, err.flags);
    /* the port's own AER logic: known bits, masks, message to the root */
    return pcie_aer_inject_error(port, &err) < 0 ? CXL_RC_INVALID_INPUT
                                                 : CXL_RC_SUCCESS;
}

#define BIND_EFFECTS (CXL_EFF_BACKGROUND | CXL_EFF_CONFIG_IMMEDIATE)

static const CXLCmd rows[] = {
    CXL_ROW(0x5200, "Get Virtual CXL Switch Info", CXL_CCI_SWITCH,
            CXL_LEN_LIST(3, 1, 2, 1), fm_vcs_get_info),
    CXL_ROW(CXL_OP_BIND_VPPB, "Bind vPPB", CXL_CCI_SWITCH, CXL_LEN(6),
            fm_vcs_bind_vppb,
            .effects = BIND_EFFECTS, .flags = CXL_CMD_BG,
            .bg_done = fm_vcs_bind_done, .bg_abort = fm_vcs_op_abort),
    CXL_ROW(CXL_OP_UNBIND_VPPB, "Unbind vPPB", CXL_CCI_SWITCH, CXL_LEN(3),
            fm_vcs_unbind_vppb,
            .effects = BIND_EFFECTS, .flags = CXL_CMD_BG,
            .bg_done = fm_vcs_unbind_done, .bg_abort = fm_vcs_op_abort),
    CXL_ROW(0x5203, "Generate AER Event", CXL_CCI_SWITCH, CXL_LEN(0x28),
            fm_vcs_generate_aer),
};

const CXLCmdSet cxl_cmds_fm_vcs = CXL_CMD_SET("Virtual Switch", rows);
