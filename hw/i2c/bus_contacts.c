/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that devices of ours need of an I2C bus and that the core's interface
 * does not offer. The core's devices live as long as the machine and never give
 * up their turn; ours are unplugged.
 */
#include "qemu/osdep.h"
#include "hw/i2c/bus_contacts.h"
#include "migration/vmstate.h"
#include "qemu/main-loop.h"

/* The core registers the state of a bus and never takes it back. */
void i2c_bus_forget_vmstate(I2CBus *bus)
{
    vmstate_unregister(NULL, &vmstate_i2c_bus, bus);
}

/* The core only tells whether anybody has the bus. */
bool i2c_bus_is_master(const I2CBus *bus, const QEMUBH *bh)
{
    return bus->bh == bh;
}

/* The core only lets the head of the queue have the bus, and from idle. */
bool i2c_bus_take(I2CBus *bus, QEMUBH *bh)
{
    if (!bus->bh) {
        bus->bh = bh;
    }
    return bus->bh == bh;
}

/* i2c_bus_busy() is also true for a master between two transfers. */
bool i2c_bus_in_transfer(const I2CBus *bus)
{
    return !QLIST_EMPTY(&bus->current_devs);
}

bool i2c_bus_has_waiting(const I2CBus *bus)
{
    return !QSIMPLEQ_EMPTY(&bus->pending_masters);
}

/* i2c_bus_master() has no counterpart. */
void i2c_bus_withdraw_master(I2CBus *bus, QEMUBH *bh)
{
    I2CPendingMaster *node, *next;

    QSIMPLEQ_FOREACH_SAFE(node, &bus->pending_masters, entry, next) {
        if (node->bh == bh) {
            QSIMPLEQ_REMOVE(&bus->pending_masters, node, I2CPendingMaster,
                            entry);
            g_free(node);
        }
    }
    qemu_bh_cancel(bh);
    if (bus->bh == bh) {
        i2c_bus_release(bus);
    }
}

/* The queue is not freed with the bus. */
void i2c_bus_drain(I2CBus *bus)
{
    I2CPendingMaster *master;

    while ((master = QSIMPLEQ_FIRST(&bus->pending_masters))) {
        QSIMPLEQ_REMOVE_HEAD(&bus->pending_masters, entry);
        g_free(master);
    }
    bus->bh = NULL;
}

/* A transfer goes on without a device that is unplugged in the middle of it. */
void i2c_bus_forget_slave(I2CBus *bus, const I2CSlave *slave)
{
    I2CNode *node, *next;

    QLIST_FOREACH_SAFE(node, &bus->current_devs, next, next) {
        if (node->elt == slave) {
            QLIST_REMOVE(node, next);
            g_free(node);
        }
    }
}

/* vmstate_i2c_slave does it, but would load the address as well. */
void i2c_bus_rejoin(I2CSlave *slave)
{
    i2c_bus_forget_slave(I2C_BUS(qdev_get_parent_bus(DEVICE(slave))), slave);
    vmstate_i2c_slave.post_load(slave, vmstate_i2c_slave.version_id);
}
