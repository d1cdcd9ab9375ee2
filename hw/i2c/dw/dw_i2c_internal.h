/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Synopsys DesignWare I2C controller: registers and the calls between the
 * register block (dw_i2c.c), the master side (dw_i2c_master.c) and the target
 * side (dw_i2c_target.c).
 */
#ifndef HW_I2C_DW_INTERNAL_H
#define HW_I2C_DW_INTERNAL_H

#include "hw/i2c/dw_i2c.h"
#include "qemu/bitops.h"

enum {
    DW_I2C_CON = 0x00,
    DW_I2C_TAR = 0x04,
    DW_I2C_SAR = 0x08,
    DW_I2C_DATA_CMD = 0x10,
    DW_I2C_SCL_COUNT_FIRST = 0x14,
    DW_I2C_SCL_COUNT_LAST = 0x28,
    DW_I2C_INTR_STAT = 0x2c,
    DW_I2C_INTR_MASK = 0x30,
    DW_I2C_RAW_INTR_STAT = 0x34,
    DW_I2C_RX_TL = 0x38,
    DW_I2C_TX_TL = 0x3c,
    DW_I2C_CLR_INTR = 0x40,
    DW_I2C_CLR_RX_UNDER = 0x44,
    DW_I2C_CLR_RX_OVER = 0x48,
    DW_I2C_CLR_TX_OVER = 0x4c,
    DW_I2C_CLR_RD_REQ = 0x50,
    DW_I2C_CLR_TX_ABRT = 0x54,
    DW_I2C_CLR_RX_DONE = 0x58,
    DW_I2C_CLR_ACTIVITY = 0x5c,
    DW_I2C_CLR_STOP_DET = 0x60,
    DW_I2C_CLR_START_DET = 0x64,
    DW_I2C_CLR_GEN_CALL = 0x68,
    DW_I2C_ENABLE = 0x6c,
    DW_I2C_STATUS = 0x70,
    DW_I2C_TXFLR = 0x74,
    DW_I2C_RXFLR = 0x78,
    DW_I2C_SDA_HOLD = 0x7c,
    DW_I2C_TX_ABRT_SOURCE = 0x80,
    DW_I2C_ENABLE_STATUS = 0x9c,
    DW_I2C_CLR_RESTART_DET = 0xa8,
    DW_I2C_COMP_PARAM_1 = 0xf4,
    DW_I2C_COMP_VERSION = 0xf8,
    DW_I2C_COMP_TYPE = 0xfc,
};

#define CON_MASTER BIT(0)
#define CON_10BIT_MASTER BIT(4)
#define CON_RESTART_EN BIT(5)
#define CON_TARGET_DISABLE BIT(6)
#define CON_RX_FULL_HOLD BIT(9)
/*
 * Bits that keep what is written.  Bus clear (11) is not offered: the driver
 * would carry it into its master setup.
 */
#define CON_WRITABLE 0x3ff

#define TAR_10BIT BIT(12)
#define TAR_WRITABLE 0x1fff
#define SAR_WRITABLE 0x3ff
#define SCL_COUNT_WRITABLE 0xffff
#define SDA_HOLD_WRITABLE 0xffffff
#define FIFO_TL_WRITABLE 0xff

#define CMD_READ BIT(8)
#define CMD_STOP BIT(9)
#define CMD_RESTART BIT(10)
#define CMD_WRITABLE 0x7ff
#define DATA_FIRST_BYTE BIT(11)

#define INTR_RX_UNDER BIT(0)
#define INTR_RX_OVER BIT(1)
#define INTR_RX_FULL BIT(2)
#define INTR_TX_OVER BIT(3)
#define INTR_TX_EMPTY BIT(4)
#define INTR_RD_REQ BIT(5)
#define INTR_TX_ABRT BIT(6)
#define INTR_RX_DONE BIT(7)
#define INTR_ACTIVITY BIT(8)
#define INTR_STOP_DET BIT(9)
#define INTR_START_DET BIT(10)
#define INTR_GEN_CALL BIT(11)
#define INTR_RESTART_DET BIT(12)
#define INTR_ON_HOLD BIT(13)
#define INTR_MASK_WRITABLE 0x3fff
/* Bits kept in DWI2CState.raw; the others are levels or never set. */
#define INTR_LATCHED (INTR_RX_UNDER | INTR_RX_OVER | INTR_TX_OVER | \
                      INTR_TX_ABRT | INTR_STOP_DET)

#define ENABLE_ON BIT(0)
#define ENABLE_ABORT BIT(1)

#define STATUS_ACTIVITY BIT(0)
#define STATUS_TX_NOT_FULL BIT(1)
#define STATUS_TX_EMPTY BIT(2)
#define STATUS_RX_NOT_EMPTY BIT(3)
#define STATUS_RX_FULL BIT(4)
#define STATUS_MASTER_ACTIVITY BIT(5)
#define STATUS_TARGET_ACTIVITY BIT(6)
#define STATUS_MASTER_HOLD BIT(7)

#define ABRT_7BIT_NACK BIT(0)
#define ABRT_10BIT_NACK BIT(1)
#define ABRT_DATA_NACK BIT(3)
#define ABRT_MASTER_DISABLED BIT(11)
#define ABRT_ARB_LOST BIT(12)
#define ABRT_USER BIT(16)
#define ABRT_ALL (ABRT_7BIT_NACK | ABRT_10BIT_NACK | ABRT_DATA_NACK | \
                  ABRT_MASTER_DISABLED | ABRT_ARB_LOST | ABRT_USER)

/*
 * From the enabling of target mode to the first packet.  A vCPU needs less for
 * the instructions between, but it can lose its time slice there.  With all
 * doublings the times together make 10 ms; the last is repeated.
 */
#define DW_I2C_SETTLE_NS (40 * SCALE_US)
#define DW_I2C_SETTLE_DOUBLINGS 7
/*
 * The disable that follows a poll of STATUS ends it, a few register accesses
 * later; but on a busy host the vCPU can lose its time slice between, and then
 * 1 ms was not enough.
 */
#define DW_I2C_HOLDOFF_NS (100 * SCALE_MS)

/* DWI2CState.last_read when the last access was a write */
#define NO_READ UINT32_MAX

static inline bool dw_i2c_enabled(const DWI2CState *s)
{
    return s->enable & ENABLE_ON;
}

static inline bool dw_i2c_is_master(const DWI2CState *s)
{
    return s->con & CON_MASTER;
}

static inline bool dw_i2c_is_target(const DWI2CState *s)
{
    return !(s->con & (CON_MASTER | CON_TARGET_DISABLE));
}

static inline bool dw_i2c_is_listening(const DWI2CState *s)
{
    return dw_i2c_enabled(s) && dw_i2c_is_target(s);
}

/* dw_i2c.c: drive the interrupt line from the current state ... */
void dw_i2c_update_irq(DWI2CState *s);
/* ... or as it is then, when nothing of ours is on the stack any more. */
void dw_i2c_update_irq_later(DWI2CState *s);

/* dw_i2c_master.c */
void dw_i2c_master_realize(DWI2CState *s, DeviceState *owner);
void dw_i2c_master_unrealize(DWI2CState *s);
void dw_i2c_master_finalize(DWI2CState *s);
/* Execute what is in the TX FIFO as far as bus and RX FIFO allow. */
void dw_i2c_master_run(DWI2CState *s);
/* The guest asked for an abort; a transfer or waiting commands end in it. */
void dw_i2c_master_user_abort(DWI2CState *s);
/* A command word arrives; the master side is enabled and not aborted. */
void dw_i2c_master_command(DWI2CState *s, uint32_t cmd);
/* TX_ABRT for a reason that needs no bus cycle. */
void dw_i2c_master_fail(DWI2CState *s, uint32_t source);
/* Disable or reset: both FIFOs are flushed, an open transfer ends. */
void dw_i2c_master_flush(DWI2CState *s);
/* A transfer is open or waits for the bus. */
bool dw_i2c_master_active(DWI2CState *s);
int dw_i2c_master_post_load(DWI2CState *s);
void dw_i2c_master_give_up(DWI2CState *s);

/* dw_i2c_target.c */
bool dw_i2c_target_realize(DWI2CState *s, Error **errp);
void dw_i2c_target_finalize(DWI2CState *s);
void dw_i2c_target_reset(DWI2CState *s);
/* ENABLE went from 0 to 1 in target mode. */
void dw_i2c_target_enabled(DWI2CState *s);
/* ENABLE went from 1 to 0: an unfinished packet will be presented again. */
void dw_i2c_target_disabled(DWI2CState *s);
/* The guest gave up its address: forget all packets, refuse new ones. */
void dw_i2c_target_disarm(DWI2CState *s);
/* SAR was written; packets for another address are dropped. */
void dw_i2c_target_set_address(DWI2CState *s, uint32_t sar);
/* Move on: complete, present or end a packet when its conditions hold. */
void dw_i2c_target_step(DWI2CState *s);
/* Bytes in the RX FIFO that belong to the presented packet. */
unsigned dw_i2c_target_level(const DWI2CState *s);
/* Next DATA_CMD value; the level must not be 0. */
uint32_t dw_i2c_target_pop(DWI2CState *s);
/* The presented packet counts as activity for a poll of STATUS. */
bool dw_i2c_target_active(const DWI2CState *s);
/* The guest has read a register that tells of a presented packet. */
void dw_i2c_target_shown(DWI2CState *s);
/* It has read these bits of INTR_STAT, and will act upon them. */
void dw_i2c_target_told(DWI2CState *s, uint32_t stat);
/* The guest has begun to take the presented packet. */
bool dw_i2c_target_noticed(const DWI2CTargetSide *t);
/* Present it again later. */
void dw_i2c_target_withdraw(DWI2CTargetSide *t);
int dw_i2c_target_post_load(DWI2CState *s);
extern const VMStateDescription vmstate_dw_i2c_target_side;

/* dw_i2c_linux.c: nothing of it without property hide-linux-races */
/* The guest is about to read STATUS. */
void dw_i2c_linux_status_poll(DWI2CState *s);
/* The guest is about to read RAW_INTR_STAT. */
void dw_i2c_linux_handler_begins(DWI2CState *s);
/* A mask of 0 is not meant for what it would mask. */
bool dw_i2c_linux_ignores_mask(DWI2CState *s);
/* The driver skipped a message: it is told of a lost arbitration. */
bool dw_i2c_linux_loses_message(DWI2CState *s);

#endif /* HW_I2C_DW_INTERNAL_H */
