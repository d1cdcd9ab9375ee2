/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All command sets of this build (CXL r3.2 Table 8-87)
 *
 * Apart from the core, so that a test can link the core with sets of its own.
 */
#include "qemu/osdep.h"
#include "cmd-sets.h"

const CXLCmdSet *const cxl_cmd_sets[] = {
    &cxl_cmds_infostat,
    &cxl_cmds_events,
    &cxl_cmds_firmware,
    &cxl_cmds_timestamp,
    &cxl_cmds_logs,
    &cxl_cmds_features,
    &cxl_cmds_maintenance,
    &cxl_cmds_identify,
    &cxl_cmds_capacity,
    &cxl_cmds_health,
    &cxl_cmds_media,
    &cxl_cmds_sanitize,
    &cxl_cmds_security,
    &cxl_cmds_security_protocol,
    &cxl_cmds_qos,
    &cxl_cmds_dcd,
    &cxl_cmds_fm_switch,
    &cxl_cmds_fm_vcs,
    &cxl_cmds_mld_port,
    &cxl_cmds_mld,
    &cxl_cmds_mhd,
    &cxl_cmds_fm_dcd,
    NULL,
};
