/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bindings of a virtual switch as a Fabric Manager makes them (52h), and what
 * the host then sees below the switch of cxl-qtest-switch.h
 */
#ifndef TESTS_CXL_QTEST_VCS_H
#define TESTS_CXL_QTEST_VCS_H

#include "hw/pci/pci_regs.h"
#include "cxl-qtest-switch.h"

#define OP_INFO     0x5200
#define OP_BIND     0x5201
#define OP_UNBIND   0x5202
#define OP_AER      0x5203

/* What 5201h and 5202h answer: background operation, or why there is none */
#define RC_STARTED  0x01
#define RC_INPUT    0x02
#define RC_RETRY    0x05
#define RC_BUSY     0x06
#define RC_LENGTH   0x16

/* Options of 5202h, states of a vPPB in 5200h */
enum { WAIT_LINK_DOWN, MANAGED, SURPRISE };
enum { UNBOUND, CHANGING, BOUND };
#define NO_LD           0xffff

/* virtual time: more than a step, more than the switch waits for a host */
#define STEP_NS     (150 * 1000000ll)
#define HOST_NS     (31 * 1000000000ll)

/* Power indicator in a slot's control register */
#define PIC_ON      PCI_EXP_SLTCTL_PWR_IND_ON
#define PIC_BLINK   PCI_EXP_SLTCTL_PWR_IND_BLINK
#define PIC_OFF     PCI_EXP_SLTCTL_PWR_IND_OFF

/** vcs_info_request() - 5200h: @limit vPPBs from @start on of one @vcs */
void vcs_info_request(CxlReq *req, uint8_t start, uint8_t limit, uint8_t vcs);
/** vppb_binding() - what 5200h says of @vppb: state, port, LD, reserved */
void vppb_binding(CxlSwitch *sw, unsigned vppb, uint8_t status[4]);
uint8_t vppb_state(CxlSwitch *sw, unsigned vppb);

/** vppb_bind() - 5201h; vppb_unbind() - 5202h: the code it answers */
uint16_t vppb_bind(CxlSwitch *sw, uint8_t vcs, uint8_t vppb, uint8_t port,
                   uint16_t ld);
uint16_t vppb_unbind(CxlSwitch *sw, uint8_t vcs, uint8_t vppb, uint8_t option);
/** switch_busy() - does a background operation run? */
bool switch_busy(CxlSwitch *sw);
/** switch_ends() - that of @op does, and ends with @rc after a step */
void switch_ends(CxlSwitch *sw, uint16_t op, uint16_t rc);

/** host_sees() - is there a function below downstream port @n? */
bool host_sees(CxlSwitch *sw, unsigned n);

#endif
