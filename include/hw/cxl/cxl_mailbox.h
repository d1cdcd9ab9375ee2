/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Device register block: capability array, device status, mailbox, memory
 * device status (CXL r3.2 8.2.8)
 *
 * Memory device status follows the payload registers, whose size is a property
 * of the component.  Used by the memory device (BAR2) and by the switch mailbox
 * function (BAR0).
 */
#ifndef CXL_MAILBOX_H
#define CXL_MAILBOX_H

#include "qemu/units.h"
#include "system/memory.h"
#include "hw/cxl/cxl_cci.h"
#include "hw/cxl/cxl_events.h"
#include "hw/deferred.h"

#define CXL_DEVREGS_OFF_STATUS      0x080
#define CXL_DEVREGS_OFF_MAILBOX     0x088

/* Mailbox registers, from the start of the mailbox capability (8.2.8.4) */
#define CXL_MAILBOX_OFF_CAPS        0x00
#define CXL_MAILBOX_OFF_CONTROL     0x04
#define CXL_MAILBOX_OFF_COMMAND     0x08
#define CXL_MAILBOX_OFF_STATUS      0x10
#define CXL_MAILBOX_OFF_BG_STATUS   0x18
#define CXL_MAILBOX_OFF_PAYLOAD     0x20

/** CXLMailboxIrq - a background operation ended */
typedef void CXLMailboxIrq(void *opaque);

/**
 * struct CXLDeviceRegs - the register block
 * @mr: the block, for the owner's BAR
 * @cci: where the doorbell delivers to
 * @events: source of the Event Status register, or NULL
 * @msgnum: message number shown in the mailbox capabilities
 * @bg_irq: NULL, or raises the background-complete interrupt; called only while
 *          the host has it enabled
 * @bg_low: low half of background status as of a read of the high half
 * @bg_low_held: @bg_low answers the access that follows
 * @deferred: the command of a doorbell that is set, see CXL_CMD_IO
 * @waits: the doorbell is set until another process answers (CXL_CMD_POOL)
 * @faults: what is armed to change what is read, NULL if nothing is
 * @payload: the payload registers
 * @payload_size: their number of bytes
 */
typedef struct CXLDeviceRegs {
    MemoryRegion mr;
    CXLCCI *cci;
    const CXLEventLogs *events;
    uint8_t msgnum;
    CXLMailboxIrq *bg_irq;
    void *opaque;
    uint32_t control;
    uint64_t command;
    uint64_t status;
    uint32_t bg_low;
    bool bg_low_held;
    DeviceDeferred deferred;
    bool waits;
    struct CXLFaults *faults;
    uint8_t *payload;
    uint32_t payload_size;
} CXLDeviceRegs;

/** cxl_mailbox_check_payload() - can property "mailbox-payload" be @size? */
bool cxl_mailbox_check_payload(uint32_t size, Error **errp);

/**
 * cxl_devregs_init() - make the block
 * @owner: of the memory region, and of @r
 * @cci: initialised before; its payload limit is the size of the payload
 *       registers, its completion hook (bg_notify) becomes this block's
 *
 * The memory device status capability is there if @cci has a memory device.
 *
 * Free with cxl_devregs_finalize(), when nobody can access the block any more.
 */
void cxl_devregs_init(CXLDeviceRegs *r, Object *owner, const char *name,
                      CXLCCI *cci, const CXLEventLogs *events, uint8_t msgnum,
                      CXLMailboxIrq *bg_irq, void *opaque);
void cxl_devregs_finalize(CXLDeviceRegs *r);
void cxl_devregs_reset(CXLDeviceRegs *r);
/** cxl_devregs_exit() - the owner is unrealized: nothing is run any more. */
void cxl_devregs_exit(CXLDeviceRegs *r);

extern const struct VMStateDescription vmstate_cxl_devregs;

#endif /* CXL_MAILBOX_H */
