/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 51h: Physical Switch (CXL r3.2 7.6.7.1)
 *
 * Answers come from the PCIe ports of the switch, and control acts on them.
 */
#include "qemu/osdep.h"
#include "hw/cxl/cxl_hdm.h"
#include "hw/cxl/switch/io-request.h"
#include "cmd-sets.h"
#include "switch-cci.h"
#include "hw/cxl/trace.h"

/* Port and vPPB numbers are bytes; a bit for each in 5100h */
#define PORT_MAP_BYTES      32

/* 5102h */
enum {
    PERST_ASSERT            = 0,
    PERST_DEASSERT          = 1,
    PORT_RESET              = 2,
};
#define CONTROL_OP_MASK     0x0f

static void fm_switch_put_map(CXLWriter *out, const uint8_t map[PORT_MAP_BYTES])
{
    cxl_put_bytes(out, map, PORT_MAP_BYTES);
}

static CXLRetCode fm_switch_identify(CXLCCI *cci, CXLReader *in,
                                     CXLWriter *out)
{
    CXLSwitch *sw = cxl_cci_switch(cci);
    uint8_t ports[PORT_MAP_BYTES] = { 0 };
    uint8_t vcss[PORT_MAP_BYTES] = { 1 << CXL_SWITCH_VCS };
    unsigned i, n, bound = 0;
    CXLComponentState *cxl;

    if (!sw) {
        return CXL_RC_RETRY_REQUIRED;
    }
    n = cxl_switch_nr_vppbs(sw);
    for (i = 0; i < n; i++) {
        PCIDevice *port = cxl_switch_vppb(sw, i);
        uint8_t id = cxl_switch_port_id(port);

        ports[id / 8] |= 1u << id % 8;
        bound += cxl_switch_bound(sw, port);
    }
    cxl = cxl_usp_to_cstate(CXL_USP(cxl_switch_upstream(sw)));
    /* a side-band transport has no number of its own and gives this one too */
    cxl_put_u8(out, cxl_switch_port_id(cxl_switch_upstream(sw)));
    cxl_put_zero(out, 1);
    cxl_put_u8(out, MIN(n, UINT8_MAX));
    cxl_put_u8(out, 1);
    fm_switch_put_map(out, ports);
    fm_switch_put_map(out, vcss);
    cxl_put_le16(out, n);
    cxl_put_le16(out, bound);
    cxl_put_u8(out, cxl_hdm_count(cxl->crb.cache_mem_registers));
    return CXL_RC_SUCCESS;
}

static CXLRetCode fm_switch_get_port_state(CXLCCI *cci, CXLReader *in,
                                           CXLWriter *out)
{
    CXLSwitch *sw = cxl_cci_switch(cci);
    unsigned i, n = cxl_get_u8(in);

    if (!sw) {
        return CXL_RC_RETRY_REQUIRED;
    }
    cxl_put_u8(out, n);
    cxl_put_zero(out, 3);
    /* all that was asked for or nothing: the answer has no way to say less */
    if (n > cxl_writer_fits(out, CXL_SWITCH_PORT_BLOCK, 0)) {
        return CXL_RC_INVALID_INPUT;
    }
    for (i = 0; i < n; i++) {
        PCIDevice *port = cxl_switch_port(sw, cxl_get_u8(in));
        uint8_t block[CXL_SWITCH_PORT_BLOCK];

        if (!port) {
            return CXL_RC_INVALID_INPUT;
        }
        cxl_switch_port_block(sw, port, block);
        cxl_put_bytes(out, block, sizeof(block));
    }
    return CXL_RC_SUCCESS;
}

static CXLRetCode fm_switch_control_port(CXLCCI *cci, CXLReader *in,
                                         CXLWriter *out)
{
    CXLSwitch *sw = cxl_cci_switch(cci);
    uint8_t id = cxl_get_u8(in);
    uint8_t op = cxl_get_u8(in) & CONTROL_OP_MASK;
    static const char *const ops[] = {
        [PERST_ASSERT] = "assert PERST", [PERST_DEASSERT] = "deassert PERST",
        [PORT_RESET] = "reset",
    };
    PCIDevice *port;
    bool asserted;

    if (!sw) {
        return CXL_RC_RETRY_REQUIRED;
    }
    port = cxl_switch_port(sw, id);
    if (!port || port == cxl_switch_upstream(sw) || op > PORT_RESET) {
        return CXL_RC_INVALID_INPUT;
    }
    if (cxl_switch_port_is_busy(sw, port)) {
        return CXL_RC_BUSY;
    }
    asserted = cxl_switch_perst(sw, port);
    if (asserted != (op == PERST_DEASSERT)) {
        return CXL_RC_INTERNAL_ERROR;
    }
    trace_cxl_switch_port_control(id, ops[op]);
    if (op == PORT_RESET) {
        cxl_switch_reset_link(sw, port);
    } else {
        cxl_switch_map_set(sw->perst, port, op == PERST_ASSERT);
        cxl_switch_refresh(sw, port, true);
    }
    cxl_switch_log_port(sw, port, SWITCH_PORT_LINK_CHANGE);
    return CXL_RC_SUCCESS;
}

/* The port's own rules for writes hold, as they do for the host */
static CXLRetCode fm_switch_send_config(CXLCCI *cci, CXLReader *in,
                                        CXLWriter *out)
{
    CXLSwitch *sw = cxl_cci_switch(cci);
    uint8_t id = cxl_get_u8(in);
    uint32_t what = cxl_get_le24(in);
    uint32_t value = cxl_get_le32(in);
    PCIDevice *port;

    if (!sw) {
        return CXL_RC_RETRY_REQUIRED;
    }
    port = cxl_switch_port(sw, id);
    if (!port) {
        return CXL_RC_INVALID_INPUT;
    }
    trace_cxl_switch_config(id, what, value);
    cxl_put_le32(out, cxl_io_config(port, what, value));
    return CXL_RC_SUCCESS;
}

/*
 * Domain validation.  The host sets the secret value of its virtual switch,
 * once after a conventional reset; the Fabric Manager reads it by number.
 */
static CXLRetCode fm_switch_get_own_sv_state(CXLCCI *cci, CXLReader *in,
                                             CXLWriter *out)
{
    CXLSwitch *sw = cxl_cci_switch(cci);

    if (!sw) {
        return CXL_RC_RETRY_REQUIRED;
    }
    cxl_put_u8(out, sw->sv_set);
    return CXL_RC_SUCCESS;
}

static CXLRetCode fm_switch_set_sv(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    CXLSwitch *sw = cxl_cci_switch(cci);

    if (!sw) {
        return CXL_RC_RETRY_REQUIRED;
    }
    if (sw->sv_set) {
        return CXL_RC_INVALID_INPUT;
    }
    cxl_get_uuid(in, &sw->sv);
    sw->sv_set = true;
    return CXL_RC_SUCCESS;
}

static CXLRetCode fm_switch_get_vcs_sv_state(CXLCCI *cci, CXLReader *in,
                                             CXLWriter *out)
{
    if (cxl_get_u8(in) != CXL_SWITCH_VCS) {
        return CXL_RC_INVALID_INPUT;
    }
    return fm_switch_get_own_sv_state(cci, in, out);
}

/* A value that was never set reads as zeroes; the state tells the difference */
static CXLRetCode fm_switch_get_sv(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    CXLSwitch *sw = cxl_cci_switch(cci);

    if (!sw) {
        return CXL_RC_RETRY_REQUIRED;
    }
    if (cxl_get_u8(in) != CXL_SWITCH_VCS) {
        return CXL_RC_INVALID_INPUT;
    }
    cxl_put_uuid(out, &sw->sv);
    return CXL_RC_SUCCESS;
}

static const CXLCmd rows[] = {
    CXL_ROW(0x5100, "Identify Switch Device", CXL_CCI_SWITCH, CXL_LEN(0),
            fm_switch_identify),
    CXL_ROW(0x5101, "Get Physical Port State", CXL_CCI_SWITCH,
            CXL_LEN_LIST(1, 1, 0, 1), fm_switch_get_port_state),
    CXL_ROW(0x5102, "Physical Port Control", CXL_CCI_SWITCH, CXL_LEN(2),
            fm_switch_control_port),
    CXL_ROW(0x5103, "Send PPB CXL.io Configuration Request", CXL_CCI_SWITCH,
            CXL_LEN(8), fm_switch_send_config),
    CXL_ROW(0x5104, "Get Domain Validation SV State", CXL_CCI_SWITCH,
            CXL_LEN(0), fm_switch_get_own_sv_state),
    CXL_ROW(0x5105, "Set Domain Validation SV", CXL_CCI_SWITCH,
            CXL_LEN(sizeof_field(QemuUUID, data)), fm_switch_set_sv,
            .effects = CXL_EFF_CONFIG_IMMEDIATE),
    CXL_ROW(0x5106, "Get VCS Domain Validation SV State", CXL_CCI_SWITCH,
            CXL_LEN(1), fm_switch_get_vcs_sv_state),
    CXL_ROW(0x5107, "Get Domain Validation SV", CXL_CCI_SWITCH, CXL_LEN(1),
            fm_switch_get_sv),
};

const CXLCmdSet cxl_cmds_fm_switch = CXL_CMD_SET("Physical Switch", rows);
