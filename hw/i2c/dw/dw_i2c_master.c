/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Synopsys DesignWare I2C controller, master side.
 *
 * Command words from DATA_CMD are executed at once, inside the register
 * write.  When another master has the bus, they stay in the TX FIFO and our
 * bottom half joins the bus's list of waiting masters: the guest sees a busy
 * controller instead of a lost arbitration, which its driver would log and
 * retry only a few times.
 */
#include "qemu/osdep.h"
#include "block/aio.h"
#include "dw_i2c_internal.h"
#include "hw/i2c/bus_contacts.h"
#include "hw/qdev-core.h"
#include "qemu/bswap.h"
#include "qemu/main-loop.h"
#include "trace.h"

static bool dw_i2c_master_owns_bus(const DWI2CState *s)
{
    return i2c_bus_is_master(s->bus, s->master.bh);
}

/* Every end of a transfer comes here, or the next master would never run. */
static void dw_i2c_master_give_up_bus(DWI2CState *s)
{
    if (dw_i2c_master_owns_bus(s)) {
        i2c_bus_release(s->bus);
    } else {
        i2c_schedule_pending_master(s->bus);
    }
}

static void dw_i2c_master_wait_for_bus(DWI2CState *s)
{
    if (!s->master.queued) {
        trace_dw_i2c_master_wait(fifo32_num_used(&s->tx));
        s->master.queued = true;
        i2c_bus_master(s->bus, s->master.bh);
    }
}

static void dw_i2c_master_end_transfer(DWI2CState *s)
{
    if (s->master.open && s->master.recv) {
        i2c_nack(s->bus);
    }
    s->master.open = false;
    i2c_end_transfer(s->bus);
}

static void dw_i2c_master_stop(DWI2CState *s)
{
    unsigned epoch = s->master.epoch;

    trace_dw_i2c_master_stop(dw_i2c_master_owns_bus(s));
    dw_i2c_master_end_transfer(s);
    if (s->master.epoch == epoch) {
        s->raw |= INTR_STOP_DET;
        dw_i2c_master_give_up_bus(s);
    }
}

void dw_i2c_master_fail(DWI2CState *s, uint32_t source)
{
    trace_dw_i2c_master_abort(source);
    fifo32_reset(&s->tx);
    s->abort_source |= source;
    s->raw |= INTR_TX_ABRT;
}

static void dw_i2c_master_fail_on_bus(DWI2CState *s, uint32_t source)
{
    dw_i2c_master_fail(s, source);
    dw_i2c_master_stop(s);
}

/* START or repeated START; on a refusal the transfer is over. */
static bool dw_i2c_master_start(DWI2CState *s, bool recv)
{
    unsigned epoch = s->master.epoch;
    bool again = s->master.open;
    uint32_t source = ABRT_7BIT_NACK;
    int nack;

    if (again) {
        if (s->con & CON_RESTART_EN) {
            if (s->master.recv) {
                i2c_nack(s->bus);
            }
        } else {
            dw_i2c_master_end_transfer(s);
            if (s->master.epoch != epoch) {
                return false;
            }
            s->raw |= INTR_STOP_DET;
            again = false;
        }
    }

    if ((s->con & CON_10BIT_MASTER) || (s->tar & TAR_10BIT)) {
        /* No device of the bus model has a ten-bit address. */
        source = ABRT_10BIT_NACK;
        nack = 1;
    } else {
        s->master.starting = true;
        nack = i2c_start_transfer(s->bus, s->tar & 0x7f, recv);
        s->master.starting = false;
    }
    if (s->master.epoch != epoch) {
        return false;
    }
    trace_dw_i2c_master_start(s->tar, recv, again, nack);
    if (nack) {
        /* The last data byte was answered above: no second NACK. */
        s->master.recv = false;
        dw_i2c_master_fail_on_bus(s, source);
        return false;
    }
    s->master.open = true;
    s->master.recv = recv;
    return true;
}

/*
 * A device on the bus may do anything when it is called, such as have us reset
 * or unplugged.  False if the words behind this one are not to be executed.
 */
static bool dw_i2c_master_execute(DWI2CState *s, uint32_t cmd)
{
    unsigned epoch = s->master.epoch;
    bool recv = cmd & CMD_READ;
    uint8_t byte = 0;
    int nack = 0;

    if (!s->master.open || s->master.recv != recv || (cmd & CMD_RESTART)) {
        if (!dw_i2c_master_start(s, recv)) {
            return false;
        }
    }
    if (recv) {
        byte = i2c_recv(s->bus);
    } else {
        nack = i2c_send(s->bus, cmd & 0xff);
    }
    if (s->master.epoch != epoch) {
        return false;
    }
    if (nack) {
        dw_i2c_master_fail_on_bus(s, ABRT_DATA_NACK);
        return false;
    }
    if (recv && fifo8_is_full(&s->rx)) {
        s->raw |= INTR_RX_OVER;
    } else if (recv) {
        fifo8_push(&s->rx, byte);
    }
    if (cmd & CMD_STOP) {
        dw_i2c_master_stop(s);
    }
    return s->master.epoch == epoch;
}

/* A word is in one piece: head and capacity are multiples of its size. */
static uint32_t dw_i2c_master_next_word(DWI2CState *s)
{
    return ldl_le_p(fifo8_peek_bufptr(&s->tx.fifo, sizeof(uint32_t), NULL));
}

/* A read with the RX FIFO full holds the bus until the guest has read. */
static bool dw_i2c_master_must_hold(DWI2CState *s)
{
    return (s->con & CON_RX_FULL_HOLD) && fifo8_is_full(&s->rx) &&
           (dw_i2c_master_next_word(s) & CMD_READ);
}

void dw_i2c_master_run(DWI2CState *s)
{
    while (!fifo32_is_empty(&s->tx) && !s->master.queued &&
           !dw_i2c_master_must_hold(s)) {
        if (!s->master.open && !dw_i2c_master_owns_bus(s) &&
            i2c_bus_busy(s->bus)) {
            dw_i2c_master_wait_for_bus(s);
            break;
        }
        if (!dw_i2c_master_execute(s, fifo32_pop(&s->tx))) {
            break;
        }
    }
}

static void dw_i2c_master_granted(void *opaque)
{
    DWI2CState *s = opaque;
    Object *owner = memory_region_owner(&s->mmio);

    object_ref(owner);
    trace_dw_i2c_master_granted(fifo32_num_used(&s->tx));
    s->master.queued = false;
    dw_i2c_master_run(s);
    /* The guest may have given up while we waited. */
    if (!s->master.open && dw_i2c_master_owns_bus(s)) {
        i2c_bus_release(s->bus);
    }
    dw_i2c_update_irq(s);
    object_unref(owner);
}

void dw_i2c_master_command(DWI2CState *s, uint32_t cmd)
{
    /* Only a message after the first begins with a repeated START. */
    if ((cmd & CMD_RESTART) && dw_i2c_linux_loses_message(s)) {
        return;
    }
    s->master.commanded = true;
    if (fifo32_is_full(&s->tx)) {
        s->raw |= INTR_TX_OVER;
        return;
    }
    fifo32_push(&s->tx, cmd & CMD_WRITABLE);
    dw_i2c_master_run(s);
}

void dw_i2c_master_user_abort(DWI2CState *s)
{
    if (s->master.open) {
        dw_i2c_master_fail_on_bus(s, ABRT_USER);
    } else if (!fifo32_is_empty(&s->tx)) {
        dw_i2c_master_fail(s, ABRT_USER);
        s->raw |= INTR_STOP_DET;
    }
}

void dw_i2c_master_flush(DWI2CState *s)
{
    s->master.epoch++;
    fifo32_reset(&s->tx);
    fifo8_reset(&s->rx);
    s->master.commanded = false;
    if (s->master.open) {
        dw_i2c_master_end_transfer(s);
        dw_i2c_master_give_up_bus(s);
    }
}

bool dw_i2c_master_active(DWI2CState *s)
{
    return s->master.open || !fifo32_is_empty(&s->tx);
}

static bool dw_i2c_master_fifo_is_sane(const Fifo8 *fifo, uint32_t unit)
{
    return fifo->head < fifo->capacity && fifo->num <= fifo->capacity &&
           fifo->head % unit == 0 && fifo->num % unit == 0;
}

/* A load failed: who held the bus lets it go, what the stream said or not */
void dw_i2c_master_give_up(DWI2CState *s)
{
    fifo8_reset(&s->tx.fifo);
    fifo8_reset(&s->rx);
    s->master.open = dw_i2c_master_owns_bus(s);
    s->master.recv = false;
    s->master.commanded = false;
}

int dw_i2c_master_post_load(DWI2CState *s)
{
    bool working;

    if (!dw_i2c_master_fifo_is_sane(&s->tx.fifo, sizeof(uint32_t)) ||
        !dw_i2c_master_fifo_is_sane(&s->rx, 1)) {
        trace_dw_i2c_bad_stream("FIFO pointers");
        return -EINVAL;
    }
    working = dw_i2c_master_active(s) || !fifo8_is_empty(&s->rx);
    if (working && !(dw_i2c_enabled(s) && dw_i2c_is_master(s))) {
        trace_dw_i2c_bad_stream("transfer without an enabled master");
        return -EINVAL;
    }

    if (s->master.open) {
        /*
         * Hold the bus by ownership too: a device that does not migrate is
         * no longer addressed, and the bus would look free to the others.
         */
        i2c_bus_take(s->bus, s->master.bh);
    } else if (!fifo32_is_empty(&s->tx)) {
        /* Scheduled when the machine runs: the other devices load first. */
        dw_i2c_master_wait_for_bus(s);
    }
    return 0;
}

void dw_i2c_master_realize(DWI2CState *s, DeviceState *owner)
{
    fifo32_create(&s->tx, DW_I2C_FIFO_DEPTH);
    fifo8_create(&s->rx, DW_I2C_FIFO_DEPTH);
    /* The whole buffers migrate, and the heap's leftovers are not for that. */
    memset(s->tx.fifo.data, 0, s->tx.fifo.capacity);
    memset(s->rx.data, 0, s->rx.capacity);
    s->master.bh = qemu_bh_new_guarded(dw_i2c_master_granted, s,
                                       &owner->mem_reentrancy_guard);
}

void dw_i2c_master_unrealize(DWI2CState *s)
{
    s->master.epoch++;
    s->master.open = false;
    fifo32_reset(&s->tx);
    fifo8_reset(&s->rx);
    i2c_bus_drain(s->bus);
    qemu_bh_delete(s->master.bh);
}

void dw_i2c_master_finalize(DWI2CState *s)
{
    fifo32_destroy(&s->tx);
    fifo8_destroy(&s->rx);
}
