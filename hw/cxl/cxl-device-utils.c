/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Device register block: capability array, device status, mailbox, memory
 * device status (CXL r3.2 8.2.8)
 *
 * The block is seen as 64-bit words: a read composes the words that it touches,
 * whatever its width and alignment, and cuts its bytes out of them; a write
 * changes the bytes that are writable and nothing else.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qapi/error.h"
#include "migration/vmstate.h"
#include "hw/cxl/cxl_fault.h"
#include "hw/cxl/cxl_mailbox.h"
#include "hw/cxl/cxl_memdev.h"
#include "trace.h"

#define WORD                8
#define OFF_COMMAND         (CXL_DEVREGS_OFF_MAILBOX + CXL_MAILBOX_OFF_COMMAND)
#define OFF_STATUS          (CXL_DEVREGS_OFF_MAILBOX + CXL_MAILBOX_OFF_STATUS)
#define OFF_BG_STATUS \
    (CXL_DEVREGS_OFF_MAILBOX + CXL_MAILBOX_OFF_BG_STATUS)
#define OFF_CONTROL         (CXL_DEVREGS_OFF_MAILBOX + CXL_MAILBOX_OFF_CONTROL)
#define OFF_PAYLOAD         (CXL_DEVREGS_OFF_MAILBOX + CXL_MAILBOX_OFF_PAYLOAD)

#define MEMDEV_LEN          8

/* Capability array (8.2.8.1) */
#define CAP_DEVICE_STATUS   0x0001
#define CAP_MAILBOX         0x0002
#define CAP_MEMDEV_STATUS   0x4000

/* Mailbox capabilities: background interrupt, message number */
#define CAPS_BG_IRQ         (1u << 6)
#define CAPS_MSGNUM_SHIFT   7

#define CONTROL_DOORBELL    (1u << 0)
#define CONTROL_DB_IRQ      (1u << 1)
#define CONTROL_BG_IRQ      (1u << 2)
#define CONTROL_KEPT        (CONTROL_DB_IRQ | CONTROL_BG_IRQ)

#define COMMAND_LEN_SHIFT   16
#define COMMAND_LEN_BITS    20
#define COMMAND_MASK        MAKE_64BIT_MASK(0, 36)

/* Status and background status hold the return code at the same place */
#define STATUS_BG_RUNNING   (1ull << 0)
#define STATUS_RC_SHIFT     32
#define STATUS_VENDOR_SHIFT 48
#define STATUS_RC_MASK      MAKE_64BIT_MASK(STATUS_RC_SHIFT, 32)
#define BG_PERCENT_SHIFT    16

#define MEMDEV_MEDIA_SHIFT  2
#define MEMDEV_MBOX_READY   (1u << 4)

/* -- the words ---------------------------------------------------------- */

typedef struct CapHeader {
    uint16_t id;
    uint8_t version;
    uint32_t offset;
    uint32_t length;
} CapHeader;

/* The end of the payload registers */
static unsigned devregs_off_memdev(const CXLDeviceRegs *r)
{
    return OFF_PAYLOAD + r->payload_size;
}

static uint64_t devregs_cap_array_word(const CXLDeviceRegs *r, unsigned offset)
{
    const CapHeader cap_headers[] = {
        { CAP_DEVICE_STATUS, 2, CXL_DEVREGS_OFF_STATUS, 8 },
        { CAP_MAILBOX, 1, CXL_DEVREGS_OFF_MAILBOX,
          CXL_MAILBOX_OFF_PAYLOAD + r->payload_size },
        { CAP_MEMDEV_STATUS, 1, devregs_off_memdev(r), MEMDEV_LEN },
    };
    const CapHeader *cap;

    if (offset < 16) {
        /* id 0, version 1, type by class code, number of headers */
        return offset ? 0 :
               1ull << 16 | (uint64_t)ARRAY_SIZE(cap_headers) << 32;
    }
    if (offset / 16 > ARRAY_SIZE(cap_headers)) {
        return 0;
    }
    cap = &cap_headers[offset / 16 - 1];
    return offset & WORD ? cap->length :
           cap->id | cap->version << 16 | (uint64_t)cap->offset << 32;
}

static uint64_t devregs_bg_status_word(const CXLDeviceRegs *r)
{
    const CXLCCIBackground *bg = &r->cci->bg;

    return bg->opcode |
           (uint64_t)cxl_cci_bg_percent(r->cci) << BG_PERCENT_SHIFT |
           (uint64_t)bg->ret_code << STATUS_RC_SHIFT |
           (uint64_t)bg->vendor_status << STATUS_VENDOR_SHIFT;
}

static uint64_t devregs_true_word(const CXLDeviceRegs *r, unsigned offset)
{
    if (offset >= OFF_PAYLOAD && offset < devregs_off_memdev(r)) {
        return ldq_le_p(r->payload + (offset - OFF_PAYLOAD));
    }
    switch (offset) {
    case CXL_DEVREGS_OFF_STATUS:
        return r->events ? cxl_event_status(r->events) : 0;
    case CXL_DEVREGS_OFF_MAILBOX:
        return ctz32(r->payload_size) | CAPS_BG_IRQ |
               r->msgnum << CAPS_MSGNUM_SHIFT | (uint64_t)r->control << 32;
    case OFF_COMMAND:
        return r->command;
    case OFF_STATUS:
        return r->status | (r->cci->bg.running ? STATUS_BG_RUNNING : 0);
    case OFF_BG_STATUS:
        return devregs_bg_status_word(r);
    }
    if (offset == devregs_off_memdev(r) && r->cci->memdev) {
        return r->cci->memdev->media_status << MEMDEV_MEDIA_SHIFT |
               MEMDEV_MBOX_READY;
    }
    return offset < CXL_DEVREGS_OFF_STATUS ?
           devregs_cap_array_word(r, offset) : 0;
}

/* What software is told instead */
static uint64_t devregs_faulty_word(const CXLDeviceRegs *r, unsigned offset,
                                    uint64_t word)
{
    if (offset == CXL_DEVREGS_OFF_MAILBOX &&
        cxl_fault_doorbell_is_set(r->faults)) {
        word |= (uint64_t)CONTROL_DOORBELL << 32;
    }
    return cxl_fault_read(r->faults, CXL_FAULT_REGISTER,
                          offset == devregs_off_memdev(r) ?
                          CXL_FAULT_REG_MEMDEV : offset, word);
}

/* The eight bytes at @offset, a multiple of eight */
static uint64_t devregs_block_word(const CXLDeviceRegs *r, unsigned offset)
{
    uint64_t word = devregs_true_word(r, offset);

    return r->faults ? devregs_faulty_word(r, offset, word) : word;
}

/*
 * Background status moves between two reads of its halves.  Low half first is
 * safe: a code belongs to 100 percent, and only that is final.  High half first
 * would pair an old code with a new 100, so the low half as of then is kept for
 * the access that follows.
 */
static uint64_t devregs_latch_bg_status(CXLDeviceRegs *r, unsigned addr,
                                        unsigned size, uint64_t word)
{
    if (addr == OFF_BG_STATUS + 4 && size == 4) {
        r->bg_low = word;
        r->bg_low_held = true;
    } else if (r->bg_low_held) {
        r->bg_low_held = false;
        if (addr == OFF_BG_STATUS && size == 4) {
            return deposit64(word, 0, 32, r->bg_low);
        }
    }
    return word;
}

static uint64_t devregs_read(void *opaque, hwaddr addr, unsigned size)
{
    CXLDeviceRegs *r = opaque;
    unsigned start = addr & ~(hwaddr)(WORD - 1);
    unsigned shift = (addr - start) * 8;
    uint64_t word = devregs_latch_bg_status(r, addr, size,
                                            devregs_block_word(r, start));
    uint64_t value = word >> shift;

    if (shift + size * 8 > 64) {
        value |= devregs_block_word(r, start + WORD) << (64 - shift);
    }
    return size == 8 ? value : extract64(value, 0, size * 8);
}

/* -- commands ----------------------------------------------------------- */

static void devregs_hand_over_badly(CXLDeviceRegs *r, uint16_t opcode,
                                    size_t len)
{
    CXLFaultCompletion c = { .opcode = opcode, .len = len };

    cxl_fault_completion(r->faults, &c);
    cxl_fault_doorbell_rings(r->faults, &c);
    r->command = c.opcode | (uint64_t)c.len << COMMAND_LEN_SHIFT;
    r->command &= COMMAND_MASK;
    r->status |= (uint64_t)c.vendor_status << STATUS_VENDOR_SHIFT;
}

static uint32_t devregs_len(const CXLDeviceRegs *r)
{
    return extract64(r->command, COMMAND_LEN_SHIFT, COMMAND_LEN_BITS);
}

static void devregs_finish(CXLDeviceRegs *r, uint32_t len, CXLRetCode rc,
                           size_t out_len)
{
    uint16_t opcode = r->command;

    r->command = deposit64(r->command, COMMAND_LEN_SHIFT, COMMAND_LEN_BITS,
                           out_len);
    r->status = (uint64_t)rc << STATUS_RC_SHIFT;
    if (r->faults) {
        devregs_hand_over_badly(r, opcode, out_len);
    }
    trace_cxl_mailbox_doorbell(opcode, len, cxl_rc_name(rc), out_len);
}

static size_t devregs_room(const CXLDeviceRegs *r)
{
    /* the length register cannot say 1 MiB */
    return MIN(r->payload_size, MAKE_64BIT_MASK(0, COMMAND_LEN_BITS));
}

/* What another process was asked; a reset would have cancelled it */
static void devregs_answered(void *opaque, CXLRetCode rc, const void *out,
                             size_t out_len)
{
    CXLDeviceRegs *r = opaque;
    uint32_t len = devregs_len(r);

    r->waits = false;
    r->control &= ~CONTROL_DOORBELL;
    memcpy(r->payload, out, out_len);
    devregs_finish(r, len, rc, out_len);
}

static void devregs_cancel(CXLDeviceRegs *r)
{
    if (r->waits) {
        r->waits = false;
        r->cci->remote->cancel(r->cci->remote_opaque);
    }
}

static void devregs_run_command(CXLDeviceRegs *r)
{
    /* handlers see copies: no command can write its own input or registers */
    g_autofree uint8_t *in = NULL;
    g_autofree uint8_t *out = NULL;
    size_t room = devregs_room(r);
    uint16_t opcode = r->command;
    uint32_t len = devregs_len(r);
    CXLRetCode rc = CXL_RC_INVALID_PAYLOAD_LENGTH;
    size_t out_len = 0;

    if (len <= r->payload_size) {
        in = g_malloc(r->payload_size);
        out = g_malloc(room);
        memcpy(in, r->payload, len);
        rc = cxl_cci_process(r->cci, opcode, in, len, out, room, &out_len);
        memcpy(r->payload, out, out_len);
    }
    devregs_finish(r, len, rc, out_len);
}

/* The owner may have been reset or unplugged by the command it ran here */
static void devregs_run_deferred(void *opaque)
{
    CXLDeviceRegs *r = opaque;

    r->control &= ~CONTROL_DOORBELL;
    devregs_run_command(r);
}

static void devregs_doorbell(CXLDeviceRegs *r)
{
    if ((r->control & CONTROL_DOORBELL) ||
        (r->faults && cxl_fault_doorbell_is_set(r->faults))) {
        return;
    }
    if (cxl_cci_is_remote(r->cci, r->command) &&
        devregs_len(r) <= r->payload_size) {
        r->control |= CONTROL_DOORBELL;
        r->waits = true;
        r->cci->remote->submit(r->cci->remote_opaque, r->command, r->payload,
                               devregs_len(r), devregs_room(r),
                               devregs_answered, r);
    } else if (cxl_cci_is_io(r->cci, r->command)) {
        r->control |= CONTROL_DOORBELL;
        device_deferred_raise(&r->deferred);
    } else {
        devregs_run_command(r);
    }
}

static void devregs_control_write(CXLDeviceRegs *r, uint32_t value)
{
    /*
     * Linux enables the completion interrupt once and then rings the doorbell
     * with a plain 1, yet waits for the interrupt: a write that rings leaves
     * the enables alone.  Most commands are over when the write returns, and
     * the doorbell is clear again.
     */
    if (value & CONTROL_DOORBELL) {
        devregs_doorbell(r);
    } else {
        r->control = (r->control & CONTROL_DOORBELL) | (value & CONTROL_KEPT);
    }
}

static void devregs_bg_done(CXLCCI *cci)
{
    CXLDeviceRegs *r = cci->bg_opaque;
    bool irq = r->bg_irq && (r->control & CONTROL_BG_IRQ);

    trace_cxl_mailbox_bg_done(cci->bg.opcode, irq);
    if (irq) {
        r->bg_irq(r->opaque);
    }
}

static void devregs_write(void *opaque, hwaddr addr, uint64_t value,
                          unsigned size)
{
    CXLDeviceRegs *r = opaque;
    uint32_t control = r->control;
    bool ring = false;
    unsigned taken = 0, i;

    r->bg_low_held = false;
    for (i = 0; i < size; i++) {
        hwaddr at = addr + i;
        uint8_t byte = value >> (i * 8);

        if (at >= OFF_PAYLOAD && at < devregs_off_memdev(r)) {
            r->payload[at - OFF_PAYLOAD] = byte;
        } else if (at >= OFF_COMMAND && at < OFF_STATUS) {
            r->command = deposit64(r->command, (at - OFF_COMMAND) * 8, 8, byte);
            r->command &= COMMAND_MASK;
        } else if (at == OFF_CONTROL) {
            /* its other bytes are reserved */
            control = byte;
            ring = true;
        } else if (at < OFF_CONTROL || at >= OFF_COMMAND) {
            continue;
        }
        taken++;
    }
    if (!taken) {
        trace_cxl_mailbox_bad_write(addr, value, size);
    }
    /* last, for a write that covers control and the command behind it */
    if (ring) {
        devregs_control_write(r, control);
    }
}

static const MemoryRegionOps devregs_ops = {
    .endianness = DEVICE_LITTLE_ENDIAN,
    .read = devregs_read,
    .write = devregs_write,
    /* whatever a host does reaches the two functions as it is */
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};

/* -- life --------------------------------------------------------------- */

bool cxl_mailbox_check_payload(uint32_t size, Error **errp)
{
    if (!is_power_of_2(size) || size < 1u << CXL_CCI_MIN_PAYLOAD_SHIFT ||
        size > 1u << CXL_CCI_MAX_PAYLOAD_SHIFT) {
        error_setg(errp, "property 'mailbox-payload' is %" PRIu32 ": give a "
                   "power of two from 256 to 1M", size);
        return false;
    }
    return true;
}

void cxl_devregs_init(CXLDeviceRegs *r, Object *owner, const char *name,
                      CXLCCI *cci, const CXLEventLogs *events, uint8_t msgnum,
                      CXLMailboxIrq *bg_irq, void *opaque)
{
    r->cci = cci;
    r->events = events;
    r->msgnum = msgnum;
    r->bg_irq = bg_irq;
    r->opaque = opaque;
    cci->bg_notify = devregs_bg_done;
    cci->bg_opaque = r;
    device_deferred_init(&r->deferred, owner, devregs_run_deferred, r);
    r->payload_size = cci->payload_max;
    g_free(r->payload);
    r->payload = g_malloc(r->payload_size);
    cxl_devregs_reset(r);
    memory_region_init_io(&r->mr, owner, &devregs_ops, r, name,
                          pow2ceil(MAX(devregs_off_memdev(r) + MEMDEV_LEN,
                                       4 * KiB)));
}

void cxl_devregs_finalize(CXLDeviceRegs *r)
{
    g_clear_pointer(&r->payload, g_free);
}

void cxl_devregs_reset(CXLDeviceRegs *r)
{
    r->control = 0;
    r->command = 0;
    r->status = 0;
    r->bg_low_held = false;
    memset(r->payload, 0, r->payload_size);
    if (r->faults) {
        cxl_fault_reset(r->faults);
    }
    devregs_cancel(r);
    device_deferred_cancel(&r->deferred);
}

void cxl_devregs_exit(CXLDeviceRegs *r)
{
    devregs_cancel(r);
    device_deferred_cancel(&r->deferred);
}

static int devregs_post_load(void *opaque, int version_id)
{
    CXLDeviceRegs *r = opaque;

    /* a doorbell that nothing answers would stay set */
    if ((r->control & ~CONTROL_KEPT) !=
        (r->deferred.due ? CONTROL_DOORBELL : 0) ||
        (r->command & ~COMMAND_MASK) ||
        (r->status & ~STATUS_RC_MASK)) {
        cxl_devregs_reset(r);
        return -EINVAL;
    }
    r->bg_low_held = false;
    return 0;
}

const VMStateDescription vmstate_cxl_devregs = {
    .name = "cxl-device-registers",
    .version_id = 3,
    .minimum_version_id = 3,
    .post_load = devregs_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(control, CXLDeviceRegs),
        VMSTATE_UINT64(command, CXLDeviceRegs),
        VMSTATE_UINT64(status, CXLDeviceRegs),
        VMSTATE_VBUFFER_UINT32(payload, CXLDeviceRegs, 0, NULL, payload_size),
        VMSTATE_DEVICE_DEFERRED(deferred, CXLDeviceRegs),
        VMSTATE_END_OF_LIST()
    }
};
