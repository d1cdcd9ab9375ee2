/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Synopsys DesignWare I2C controller: register block, interrupt line, reset
 * and migration.  The register set is what the Linux driver uses, other
 * offsets read 0 and ignore writes.
 */
#include "qemu/osdep.h"
#include "dw_i2c_internal.h"
#include "hw/i2c/bus_contacts.h"
#include "hw/qdev-core.h"
#include "migration/vmstate-checked.h"
#include "qapi/error.h"
#include "qemu/log.h"
#include "trace.h"

#define CON_RESET 0x7f
#define TAR_RESET 0x1055
#define SAR_RESET 0x55
#define INTR_MASK_RESET 0x8ff
#define SDA_HOLD_RESET 1
/* FIFO depths 256 in 23:16 and 15:8, high speed capable. */
#define COMP_PARAM_1_VALUE 0x00ffffae
/* "202*": recent enough for the SDA hold register to be used. */
#define COMP_VERSION_VALUE 0x3230312a
#define COMP_TYPE_VALUE 0x44570140

/* Registers whose read clears latched interrupt bits. */
static const struct {
    uint8_t offset;
    uint16_t bits;
} clear_on_read[] = {
    { DW_I2C_CLR_INTR, INTR_LATCHED },
    { DW_I2C_CLR_RX_UNDER, INTR_RX_UNDER },
    { DW_I2C_CLR_RX_OVER, INTR_RX_OVER },
    { DW_I2C_CLR_TX_OVER, INTR_TX_OVER },
    { DW_I2C_CLR_RD_REQ, INTR_RD_REQ },
    { DW_I2C_CLR_TX_ABRT, INTR_TX_ABRT },
    { DW_I2C_CLR_RX_DONE, INTR_RX_DONE },
    { DW_I2C_CLR_ACTIVITY, INTR_ACTIVITY },
    { DW_I2C_CLR_STOP_DET, INTR_STOP_DET },
    { DW_I2C_CLR_START_DET, INTR_START_DET },
    { DW_I2C_CLR_GEN_CALL, INTR_GEN_CALL },
    { DW_I2C_CLR_RESTART_DET, INTR_RESTART_DET },
};

static unsigned dw_i2c_tx_level(DWI2CState *s)
{
    return fifo32_num_used(&s->tx);
}

/* One of the two is always 0: a mode change needs a disable, which flushes. */
static unsigned dw_i2c_rx_level(DWI2CState *s)
{
    return fifo8_num_used(&s->rx) + dw_i2c_target_level(s);
}

static uint32_t dw_i2c_raw_status(DWI2CState *s)
{
    uint32_t raw = s->raw;

    if (!dw_i2c_enabled(s)) {
        return 0;
    }
    if (dw_i2c_rx_level(s) > s->rx_tl) {
        raw |= INTR_RX_FULL;
    }
    if (dw_i2c_is_master(s) && dw_i2c_tx_level(s) <= s->tx_tl) {
        raw |= INTR_TX_EMPTY;
    }
    if (s->master.open && !dw_i2c_tx_level(s)) {
        raw |= INTR_ON_HOLD;
    }
    return raw;
}

/*
 * The last thing that is done: what an interrupt sets off may unplug us. Who
 * calls from inside a transfer leaves it to the bottom half.
 */
void dw_i2c_update_irq(DWI2CState *s)
{
    uint32_t raw = dw_i2c_raw_status(s);
    bool level = raw & s->intr_mask;

    trace_dw_i2c_irq(level, raw, s->intr_mask);
    qemu_set_irq(s->irq, level);
}

static void dw_i2c_drive_line(void *opaque)
{
    dw_i2c_update_irq(opaque);
}

void dw_i2c_update_irq_later(DWI2CState *s)
{
    device_deferred_raise(&s->line);
}

static uint32_t dw_i2c_bus_status(DWI2CState *s)
{
    unsigned rx = dw_i2c_rx_level(s);
    unsigned tx = dw_i2c_tx_level(s);
    uint32_t status = 0;

    if (tx < DW_I2C_FIFO_DEPTH) {
        status |= STATUS_TX_NOT_FULL;
    }
    if (!tx) {
        status |= STATUS_TX_EMPTY;
    }
    if (rx) {
        status |= STATUS_RX_NOT_EMPTY;
    }
    if (rx >= DW_I2C_FIFO_DEPTH) {
        status |= STATUS_RX_FULL;
    }
    if (dw_i2c_master_active(s)) {
        status |= STATUS_ACTIVITY | STATUS_MASTER_ACTIVITY;
        if (!tx) {
            status |= STATUS_MASTER_HOLD;
        }
    }
    if (dw_i2c_target_active(s)) {
        status |= STATUS_ACTIVITY | STATUS_TARGET_ACTIVITY;
    }
    return status;
}

static uint32_t dw_i2c_read_data(DWI2CState *s)
{
    uint32_t val = 0;

    if (dw_i2c_target_level(s)) {
        val = dw_i2c_target_pop(s);
    } else if (!fifo8_is_empty(&s->rx)) {
        val = fifo8_pop(&s->rx);
        /* A read may have waited for this space. */
        dw_i2c_master_run(s);
    } else if (dw_i2c_enabled(s)) {
        s->raw |= INTR_RX_UNDER;
    }
    return val;
}

static uint32_t dw_i2c_clear_interrupts(DWI2CState *s, hwaddr offset)
{
    int i;

    for (i = 0; i < ARRAY_SIZE(clear_on_read); i++) {
        if (clear_on_read[i].offset == offset) {
            s->raw &= ~clear_on_read[i].bits;
            if (clear_on_read[i].bits & INTR_TX_ABRT) {
                s->abort_source = 0;
            }
            return 0;
        }
    }
    qemu_log_mask(LOG_UNIMP, "dw-i2c: read of offset 0x%" HWADDR_PRIx "\n",
                  offset);
    return 0;
}

static uint64_t dw_i2c_mmio_read(void *opaque, hwaddr offset, unsigned size)
{
    DWI2CState *s = opaque;
    uint32_t val;

    switch (offset) {
    case DW_I2C_CON:
        val = s->con;
        break;
    case DW_I2C_TAR:
        val = s->tar;
        break;
    case DW_I2C_SAR:
        val = s->sar;
        break;
    case DW_I2C_DATA_CMD:
        val = dw_i2c_read_data(s);
        break;
    case DW_I2C_SCL_COUNT_FIRST ... DW_I2C_SCL_COUNT_LAST:
        val = s->scl_count[(offset - DW_I2C_SCL_COUNT_FIRST) / 4];
        break;
    case DW_I2C_INTR_STAT:
        val = dw_i2c_raw_status(s) & s->intr_mask;
        s->mask_is_new = false;
        dw_i2c_target_told(s, val);
        break;
    case DW_I2C_INTR_MASK:
        val = s->intr_mask;
        break;
    case DW_I2C_RAW_INTR_STAT:
        dw_i2c_linux_handler_begins(s);
        val = dw_i2c_raw_status(s);
        dw_i2c_target_shown(s);
        break;
    case DW_I2C_RX_TL:
        val = s->rx_tl;
        break;
    case DW_I2C_TX_TL:
        val = s->tx_tl;
        break;
    case DW_I2C_ENABLE:
        s->told_last = s->last_read == DW_I2C_INTR_STAT;
        val = s->enable;
        break;
    case DW_I2C_ENABLE_STATUS:
        val = s->enable;
        break;
    case DW_I2C_STATUS:
        dw_i2c_linux_status_poll(s);
        val = dw_i2c_bus_status(s);
        dw_i2c_target_shown(s);
        break;
    case DW_I2C_TXFLR:
        val = dw_i2c_tx_level(s);
        break;
    case DW_I2C_RXFLR:
        /* A presented packet can be longer than the FIFO we tell of. */
        val = MIN(dw_i2c_rx_level(s), DW_I2C_FIFO_DEPTH);
        dw_i2c_target_shown(s);
        break;
    case DW_I2C_SDA_HOLD:
        val = s->sda_hold;
        break;
    case DW_I2C_TX_ABRT_SOURCE:
        val = s->abort_source;
        break;
    case DW_I2C_COMP_PARAM_1:
        val = COMP_PARAM_1_VALUE;
        break;
    case DW_I2C_COMP_VERSION:
        val = COMP_VERSION_VALUE;
        break;
    case DW_I2C_COMP_TYPE:
        val = COMP_TYPE_VALUE;
        break;
    default:
        val = dw_i2c_clear_interrupts(s, offset);
        break;
    }

    trace_dw_i2c_read(offset, val);
    s->last_read = offset;
    dw_i2c_target_step(s);
    dw_i2c_update_irq(s);
    return val;
}

static void dw_i2c_write_con(DWI2CState *s, uint32_t val)
{
    if (!dw_i2c_enabled(s)) {
        s->con = val & CON_WRITABLE;
    } else if (val & ~s->con & CON_TARGET_DISABLE) {
        /*
         * The one change the driver makes while enabled: at shutdown, to
         * refuse other masters at once.
         */
        s->con |= CON_TARGET_DISABLE;
        dw_i2c_target_disarm(s);
    }
}

static void dw_i2c_write_enable(DWI2CState *s, uint32_t val)
{
    bool on = val & ENABLE_ON;

    s->mask_is_new &= on;
    if (on != dw_i2c_enabled(s)) {
        trace_dw_i2c_enable(on, dw_i2c_is_master(s) ? "master" :
                                dw_i2c_is_target(s) ? "target" : "nothing");
        if (on) {
            s->enable = ENABLE_ON;
            if (dw_i2c_is_target(s)) {
                dw_i2c_target_enabled(s);
            }
        } else {
            dw_i2c_target_disabled(s);
            dw_i2c_master_flush(s);
            s->enable = 0;
            s->raw = 0;
            s->abort_source = 0;
        }
    }
    /*
     * Done before the write returns.  In target mode the disable that
     * follows does all that is needed.
     */
    if (on && (val & ENABLE_ABORT) && dw_i2c_is_master(s)) {
        dw_i2c_master_user_abort(s);
    }
}

static void dw_i2c_write_intr_mask(DWI2CState *s, uint32_t val)
{
    uint32_t gone = s->intr_mask & ~val;

    if (!val && dw_i2c_linux_ignores_mask(s)) {
        return;
    }
    s->intr_mask = val;
    s->mask_is_new = val;
    if (val && (gone & INTR_TX_EMPTY) && dw_i2c_enabled(s) &&
        dw_i2c_is_master(s)) {
        dw_i2c_linux_loses_message(s);
    }
    /*
     * Who masks while target mode is set up but not enabled is going away, for
     * a suspend or for good; on the way to a transfer master mode is set up.
     */
    if (!val && !dw_i2c_enabled(s) && dw_i2c_is_target(s)) {
        dw_i2c_target_disarm(s);
    }
}

static void dw_i2c_write_data_cmd(DWI2CState *s, uint32_t val)
{
    if (!dw_i2c_enabled(s) || (s->raw & INTR_TX_ABRT)) {
        return;
    }
    if (!dw_i2c_is_master(s)) {
        dw_i2c_master_fail(s, ABRT_MASTER_DISABLED);
        return;
    }
    dw_i2c_master_command(s, val);
}

static void dw_i2c_mmio_write(void *opaque, hwaddr offset, uint64_t val,
                              unsigned size)
{
    DWI2CState *s = opaque;

    trace_dw_i2c_write(offset, val);

    switch (offset) {
    case DW_I2C_CON:
        dw_i2c_write_con(s, val);
        break;
    case DW_I2C_TAR:
        s->tar = val & TAR_WRITABLE;
        break;
    case DW_I2C_SAR:
        if (!dw_i2c_enabled(s)) {
            dw_i2c_target_set_address(s, val & SAR_WRITABLE);
        }
        break;
    case DW_I2C_DATA_CMD:
        dw_i2c_write_data_cmd(s, val);
        break;
    case DW_I2C_SCL_COUNT_FIRST ... DW_I2C_SCL_COUNT_LAST:
        s->scl_count[(offset - DW_I2C_SCL_COUNT_FIRST) / 4] =
            val & SCL_COUNT_WRITABLE;
        break;
    case DW_I2C_INTR_MASK:
        dw_i2c_write_intr_mask(s, val & INTR_MASK_WRITABLE);
        break;
    case DW_I2C_RX_TL:
        s->rx_tl = val & FIFO_TL_WRITABLE;
        break;
    case DW_I2C_TX_TL:
        s->tx_tl = val & FIFO_TL_WRITABLE;
        break;
    case DW_I2C_ENABLE:
        dw_i2c_write_enable(s, val);
        break;
    case DW_I2C_SDA_HOLD:
        s->sda_hold = val & SDA_HOLD_WRITABLE;
        break;
    default:
        qemu_log_mask(LOG_UNIMP, "dw-i2c: write of offset 0x%" HWADDR_PRIx
                      "\n", offset);
        break;
    }

    s->last_read = NO_READ;
    dw_i2c_target_step(s);
    dw_i2c_update_irq(s);
}

static const MemoryRegionOps dw_i2c_ops = {
    .read = dw_i2c_mmio_read,
    .write = dw_i2c_mmio_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {
        .min_access_size = 4,
        .max_access_size = 4,
    },
    .impl = {
        .min_access_size = 4,
        .max_access_size = 4,
    },
};

void dw_i2c_reset(DWI2CState *s)
{
    dw_i2c_master_flush(s);
    s->con = CON_RESET;
    s->tar = TAR_RESET;
    s->sar = SAR_RESET;
    memset(s->scl_count, 0, sizeof(s->scl_count));
    s->raw = 0;
    s->intr_mask = INTR_MASK_RESET;
    s->rx_tl = 0;
    s->tx_tl = 0;
    s->enable = 0;
    s->sda_hold = SDA_HOLD_RESET;
    s->abort_source = 0;
    s->mask_is_new = false;
    s->last_read = NO_READ;
    dw_i2c_target_reset(s);
    dw_i2c_update_irq(s);
}

static int dw_i2c_post_load(void *opaque, int version_id)
{
    DWI2CState *s = opaque;
    int ret;

    if ((s->con & ~CON_WRITABLE) || (s->tar & ~TAR_WRITABLE) ||
        (s->sar & ~SAR_WRITABLE) || (s->raw & ~INTR_LATCHED) ||
        (s->intr_mask & ~INTR_MASK_WRITABLE) || (s->enable & ~ENABLE_ON) ||
        (s->rx_tl & ~FIFO_TL_WRITABLE) || (s->tx_tl & ~FIFO_TL_WRITABLE) ||
        (s->sda_hold & ~SDA_HOLD_WRITABLE) || (s->abort_source & ~ABRT_ALL)) {
        trace_dw_i2c_bad_stream("register bits");
        return -EINVAL;
    }
    if (!dw_i2c_enabled(s) && (s->raw || s->abort_source)) {
        trace_dw_i2c_bad_stream("interrupts while disabled");
        return -EINVAL;
    }
    ret = dw_i2c_target_post_load(s);
    return ret ? ret : dw_i2c_master_post_load(s);
}

static void dw_i2c_give_up(void *opaque)
{
    DWI2CState *s = opaque;

    dw_i2c_master_give_up(s);
    memset(&s->target, 0, sizeof(s->target));
    dw_i2c_reset(s);
}

static const VMStateDescription vmstate_state = {
    .name = "dw-i2c-state",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = dw_i2c_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(con, DWI2CState),
        VMSTATE_UINT32(tar, DWI2CState),
        VMSTATE_UINT32(sar, DWI2CState),
        VMSTATE_UINT32_ARRAY(scl_count, DWI2CState, DW_I2C_NUM_SCL_COUNTS),
        VMSTATE_UINT32(raw, DWI2CState),
        VMSTATE_UINT32(intr_mask, DWI2CState),
        VMSTATE_UINT32(rx_tl, DWI2CState),
        VMSTATE_UINT32(tx_tl, DWI2CState),
        VMSTATE_UINT32(enable, DWI2CState),
        VMSTATE_UINT32(sda_hold, DWI2CState),
        VMSTATE_UINT32(abort_source, DWI2CState),
        VMSTATE_FIFO32(tx, DWI2CState),
        VMSTATE_FIFO8(rx, DWI2CState),
        VMSTATE_BOOL(master.open, DWI2CState),
        VMSTATE_BOOL(master.recv, DWI2CState),
        VMSTATE_STRUCT(target, DWI2CState, 1, vmstate_dw_i2c_target_side,
                       DWI2CTargetSide),
        VMSTATE_BOOL(master.commanded, DWI2CState),
        VMSTATE_BOOL(mask_is_new, DWI2CState),
        VMSTATE_UINT32(last_read, DWI2CState),
        VMSTATE_UINT8_EQUAL(migrated_hides, DWI2CState,
                            "property hide-linux-races differs"),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateGuard dw_i2c_guard = {
    VMSTATE_GUARD_INFO,
    .vmsd = &vmstate_state,
    .give_up = dw_i2c_give_up,
};

const VMStateDescription vmstate_dw_i2c = {
    .name = "dw-i2c",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_GUARDED(dw_i2c_guard, DWI2CState),
        VMSTATE_END_OF_LIST()
    }
};

static void dw_i2c_machine_runs(void *opaque, bool running, RunState state)
{
    DWI2CState *s = opaque;

    /*
     * Masters that were queued again by a load wait for this, and so may a
     * line whose bottom half had not run when the machine was saved.
     */
    if (running) {
        i2c_schedule_pending_master(s->bus);
        dw_i2c_update_irq_later(s);
    }
}

bool dw_i2c_realize(DWI2CState *s, DeviceState *owner, qemu_irq irq,
                    Error **errp)
{
    s->irq = irq;
    s->bus = i2c_init_bus(owner, NULL);
    object_ref(OBJECT(s->bus));
    if (!dw_i2c_target_realize(s, errp)) {
        i2c_bus_forget_vmstate(s->bus);
        return false;
    }
    dw_i2c_master_realize(s, owner);
    s->migrated_hides = s->hide_linux_races;
    device_deferred_init(&s->line, OBJECT(owner), dw_i2c_drive_line, s);
    s->vmse = qemu_add_vm_change_state_handler(dw_i2c_machine_runs, s);
    memory_region_init_io(&s->mmio, OBJECT(owner), &dw_i2c_ops, s, "dw-i2c",
                          DW_I2C_MMIO_SIZE);
    return true;
}

/*
 * This may happen inside a transfer of ours, which then goes on with a disabled
 * controller on a bus without devices.
 */
void dw_i2c_unrealize(DWI2CState *s)
{
    qemu_del_vm_change_state_handler(s->vmse);
    device_deferred_cancel(&s->line);
    dw_i2c_master_unrealize(s);
    dw_i2c_target_disarm(s);
    s->enable = 0;
    s->raw = 0;
    i2c_bus_forget_vmstate(s->bus);
    s->irq = NULL;
}

void dw_i2c_finalize(DWI2CState *s)
{
    dw_i2c_target_finalize(s);
    dw_i2c_master_finalize(s);
    object_unref(OBJECT(s->bus));
}
