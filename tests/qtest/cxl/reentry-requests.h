/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that make a device or a port interrupt its host, for qtests
 */
#ifndef TESTS_CXL_REENTRY_REQUESTS_H
#define TESTS_CXL_REENTRY_REQUESTS_H

#include "cxl-qtest-vcs.h"
#include "reentry.h"

/* 5102h */
enum { PERST_ASSERT, PERST_DEASSERT, PORT_RESET };

/* Advanced error reporting of a port, and of a memory device */
#define PORT_AER        0x100
#define MEM_AER         0x200

/* Data Object Exchange of a memory device, in its configuration space */
#define MEM_DOE         0x190
#define DOE_CONTROL     0x08
#define DOE_WRITE       0x10
#define DOE_INT_EN      2
#define DOE_GO          0x80000000u

/* -- to mem0 -- */

/** reentry_capacity() - 5604h, 5605h: the first block, prescriptive */
CxlReq reentry_capacity(uint8_t flags);
/** reentry_region() - 5602h: region 0 gets blocks of @block bytes */
CxlReq reentry_region(uint64_t block);
/** reentry_address() - 4301h */
CxlReq reentry_address(uint64_t dpa);
/** reentry_scan() - 4304h over the first MiB */
CxlReq reentry_scan(void);
/** reentry_overwrite() - 4402h over the same */
CxlReq reentry_overwrite(void);
/** reentry_firmware() - 0201h, an image in one piece */
CxlReq reentry_firmware(void);
/** reentry_sparing() - 0600h: a cache line is spared, which is logged */
CxlReq reentry_sparing(void);
/** reentry_alert() - 4202h: warn of a life that is used up by @percent */
CxlReq reentry_alert(uint8_t percent);

/* -- to the switch, at port ds0 -- */

/** reentry_tunnel() - 5300h to the device, with @op inside */
CxlReq reentry_tunnel(uint16_t op, const CxlReq *req);
/** reentry_config() - 5301h: write @value to the device's register */
CxlReq reentry_config(unsigned reg, uint32_t value);
/** reentry_doorbell() - 5302h: ring its doorbell */
CxlReq reentry_doorbell(Reentry *r);
/** reentry_control() - 5102h */
CxlReq reentry_control(uint8_t op);
/** reentry_slot_config() - 5103h: a slot's "command completed" interrupts */
CxlReq reentry_slot_config(Reentry *r);
/** reentry_bind() - 5201h; reentry_unbind() - 5202h */
CxlReq reentry_bind(void);
CxlReq reentry_unbind(uint8_t option);
/** reentry_aer() - 5203h */
CxlReq reentry_aer(uint32_t status);

/* -- ways -- */

/**
 * ReentrySend - send a request by one way, and no more: see reentry_send()
 *
 * To mem0: its mailbox, the line to it, I2C; as its logical device 0; through
 * the switch, with a tunnel by the switch's mailbox, line or I2C address.
 */
typedef void ReentrySend(Reentry *r, uint16_t op, const CxlReq *req);
ReentrySend reentry_by_mailbox, reentry_by_line, reentry_by_i2c, reentry_by_ld;
ReentrySend reentry_by_tunnel, reentry_by_line_tunnel, reentry_by_i2c_tunnel;
/* To the switch */
ReentrySend reentry_by_switch_mailbox, reentry_by_switch_line;
ReentrySend reentry_by_switch_i2c;

#endif
