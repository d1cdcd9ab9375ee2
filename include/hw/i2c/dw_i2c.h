/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Synopsys DesignWare I2C controller: state and the interface between the
 * register block and the bus front that carries it (hw/i2c/dw/dw_i2c_pci.c).
 *
 * One controller is master and target on the same bus.  The target side is
 * store and forward: a packet is taken from the bus as a whole, whatever the
 * guest is doing, and shown to it when its driver can take it.
 */
#ifndef HW_I2C_DW_I2C_H
#define HW_I2C_DW_I2C_H

#include "system/memory.h"
#include "hw/deferred.h"
#include "hw/i2c/i2c.h"
#include "hw/irq.h"
#include "qemu/fifo32.h"
#include "qemu/fifo8.h"
#include "qemu/timer.h"
#include "qom/object.h"
#include "system/runstate.h"

#define TYPE_DW_I2C_PCI "dw-i2c-pci"
#define TYPE_DW_I2C_TARGET "dw-i2c-target"

/* Register window; only the first 256 bytes decode to something. */
#define DW_I2C_MMIO_SIZE 0x1000

/* FIFO depths as told in COMP_PARAM_1, the largest the IP block can have. */
#define DW_I2C_FIFO_DEPTH 256

/* SCL timing counts: standard, fast and high speed, high and low phase. */
#define DW_I2C_NUM_SCL_COUNTS 6

/*
 * A packet that waits for the guest.  The longest MCTP write has 258 data
 * bytes; 512 leaves room for other senders.
 */
#define DW_I2C_PACKET_MAX 512

/* Sixteen waiting packets are a few MCTP messages of several endpoints. */
#define DW_I2C_QUEUE_LEN 16

/**
 * struct DWI2CPacket - data bytes of one write from another bus master
 * @len: number of valid bytes, 1..DW_I2C_PACKET_MAX once queued
 * @data: the bytes that followed the address byte
 */
typedef struct DWI2CPacket {
    uint16_t len;
    uint8_t data[DW_I2C_PACKET_MAX];
} DWI2CPacket;

/**
 * struct DWI2CTargetSide - store and forward queue and what the guest sees
 * @slot: ring of packets
 * @head: oldest packet, the one that is or will be presented
 * @count: complete packets in the ring
 * @receiving: a write is in progress, into the slot behind the last one
 * @overlong: that write exceeded DW_I2C_PACKET_MAX and will be discarded
 * @sar_written: the guest chose an address since reset
 * @armed: writes to that address are accepted
 * @presented: the head packet is in the guest's RX FIFO
 * @seen: a register has shown the presented packet to the guest
 * @stop_sent: STOP_DET of the presented packet was raised
 * @stop_seen: the guest read INTR_STAT with that STOP_DET
 * @overdue: the presented packet is no reason any more to wait with a transfer
 * @polled: a poll of STATUS found the presented packet in progress
 * @busy_since: virtual time in ns at which that progress began
 * @polled_at: virtual time in ns of the last such poll
 * @pos: bytes of the presented packet the guest has read
 * @holdoffs: how often a poll of STATUS put off presentation since the last
 *            enable; this and what follows only with hide-linux-races
 * @doublings: how often the settle time was too short since the last enable
 * @not_before: virtual time in ns before which nothing is presented
 * @handled: the guest was shown a packet, by INTR_STAT or DATA_CMD, since
 *           target mode was last enabled
 * @retry: the master side lost arbitration, the transfer will be tried again
 */
typedef struct DWI2CTargetSide {
    DWI2CPacket slot[DW_I2C_QUEUE_LEN];
    uint8_t head;
    uint8_t count;
    bool receiving;
    bool overlong;
    bool sar_written;
    bool armed;
    bool presented;
    bool seen;
    bool stop_sent;
    bool stop_seen;
    bool overdue;
    bool polled;
    int64_t busy_since;
    int64_t polled_at;
    uint16_t pos;
    uint8_t holdoffs;
    uint8_t doublings;
    int64_t not_before;
    bool handled;
    bool retry;
} DWI2CTargetSide;

/**
 * struct DWI2CMasterSide - transfer the guest drives
 * @open: START was acknowledged, STOP not yet sent
 * @recv: direction of the open transfer, true for a read
 * @commanded: the guest has written a command word since the last enable
 * @starting: our own START is being offered to the devices of the bus
 * @epoch: counts flushes: a transfer that was ended inside a call to the bus
 *         does not go on after it
 * @queued: @bh is in the bus's list of waiting masters (not migrated: it is
 *          rebuilt from the other fields)
 * @bh: run by the bus core when the bus is granted
 */
typedef struct DWI2CMasterSide {
    bool open;
    bool recv;
    bool commanded;
    bool starting;
    bool queued;
    unsigned epoch;
    QEMUBH *bh;
} DWI2CMasterSide;

/**
 * struct DWI2CState - one controller
 * @mmio: register window, to be mapped by the front
 * @irq: level output, owned by the front
 * @bus: bus the controller sits on, child of the front's device
 * @port: the controller's own presence on @bus as a target
 * @vmse: restarts waiting masters when the machine starts to run
 * @line: drives @irq after a packet came, when the other master is done
 * @present_timer: fires when settle or hold-off time is over
 * @hide_linux_races: property of the front, see dw_i2c_linux.c
 * @migrated_hides: the same, as the stream has it
 * @con: control, mode bits
 * @tar: address of the device the master side talks to
 * @sar: own address
 * @scl_count: SCL timing, storage only
 * @raw: interrupt bits that are latched; level bits are computed
 * @intr_mask: 1 lets the bit drive @irq
 * @rx_tl: RX_FULL when the RX level is above
 * @tx_tl: TX_EMPTY when the TX level is not above
 * @enable: bit 0 of ENABLE
 * @sda_hold: storage only
 * @abort_source: reasons of the last TX_ABRT
 * @mask_is_new: @intr_mask was set since INTR_STAT was read
 * @last_read: offset of the last access if it was a read
 * @told_last: INTR_STAT was read just before the last read of ENABLE (not
 *             migrated: it is about a handler that will begin again)
 * @tx: command words that wait for the bus
 * @rx: bytes the master side has read
 * @master: master side
 * @target: target side
 */
typedef struct DWI2CState {
    MemoryRegion mmio;
    qemu_irq irq;
    I2CBus *bus;
    I2CSlave *port;
    VMChangeStateEntry *vmse;
    DeviceDeferred line;
    QEMUTimer *present_timer;
    bool hide_linux_races;
    uint8_t migrated_hides;

    uint32_t con;
    uint32_t tar;
    uint32_t sar;
    uint32_t scl_count[DW_I2C_NUM_SCL_COUNTS];
    uint32_t raw;
    uint32_t intr_mask;
    uint32_t rx_tl;
    uint32_t tx_tl;
    uint32_t enable;
    uint32_t sda_hold;
    uint32_t abort_source;
    bool mask_is_new;
    uint32_t last_read;
    bool told_last;
    Fifo32 tx;
    Fifo8 rx;

    DWI2CMasterSide master;
    DWI2CTargetSide target;
} DWI2CState;

/**
 * dw_i2c_realize() - set up the controller inside a device
 * @s: zeroed state, part of @owner
 * @owner: device that carries the controller; becomes parent of the bus, so
 *         that the bus is named after its id
 * @irq: level interrupt output, stays property of the caller
 * @errp: set on failure
 *
 * Return: true, or false with what dw_i2c_finalize() frees.
 */
bool dw_i2c_realize(DWI2CState *s, DeviceState *owner, qemu_irq irq,
                    Error **errp);

/**
 * dw_i2c_unrealize() - undo dw_i2c_realize(), devices on the bus are gone
 * @s: controller; a transfer of its own may be on the stack
 */
void dw_i2c_unrealize(DWI2CState *s);

/**
 * dw_i2c_finalize() - free what a controller holds, realized or not
 * @s: controller, with the device that it is part of
 */
void dw_i2c_finalize(DWI2CState *s);

/**
 * dw_i2c_reset() - state after power-on; frees the bus, drops all packets
 * @s: controller
 */
void dw_i2c_reset(DWI2CState *s);

extern const VMStateDescription vmstate_dw_i2c;

#endif /* HW_I2C_DW_I2C_H */
