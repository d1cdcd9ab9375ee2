/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What hot-unpluggable devices need of an I2C bus beside hw/i2c/i2c.h. The one
 * place where anything of ours looks inside a bus: hw/i2c/bus_contacts.c tells
 * for each why.
 */
#ifndef HW_I2C_BUS_CONTACTS_H
#define HW_I2C_BUS_CONTACTS_H

#include "hw/i2c/i2c.h"

/** i2c_bus_forget_vmstate() - @bus is about to go: no more migration state */
void i2c_bus_forget_vmstate(I2CBus *bus);

/** i2c_bus_is_master() - the bus was given to @bh and not released since */
bool i2c_bus_is_master(const I2CBus *bus, const QEMUBH *bh);

/**
 * i2c_bus_take() - give the bus to @bh unless another has it
 * @bus: a bus whose state was just loaded
 * @bh: of the master whose transfer is open
 *
 * Returns whether @bh has it now.
 */
bool i2c_bus_take(I2CBus *bus, QEMUBH *bh);

/** i2c_bus_in_transfer() - a device is being addressed */
bool i2c_bus_in_transfer(const I2CBus *bus);

/** i2c_bus_has_waiting() - a master waits for its turn */
bool i2c_bus_has_waiting(const I2CBus *bus);

/**
 * i2c_bus_withdraw_master() - undo i2c_bus_master(), also after it was granted
 * @bus: the bus
 * @bh: neither queued, nor scheduled, nor the bus's master afterwards
 */
void i2c_bus_withdraw_master(I2CBus *bus, QEMUBH *bh);

/** i2c_bus_drain() - @bus is about to go: nobody has it or waits for it */
void i2c_bus_drain(I2CBus *bus);

/** i2c_bus_forget_slave() - @slave is about to go: in no transfer any more */
void i2c_bus_forget_slave(I2CBus *bus, const I2CSlave *slave);

/**
 * i2c_bus_rejoin() - the states of @slave and of its bus were loaded
 * @slave: in the transfer that was going on, if it was in that one
 */
void i2c_bus_rejoin(I2CSlave *slave);

#endif
