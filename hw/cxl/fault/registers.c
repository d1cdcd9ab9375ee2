/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults of what software reads: device registers, HDM decoders, configuration
 * space (CXL r3.2 8.1, 8.2.4, 8.2.8; PCIe r6.2 7.9.24)
 */
#include "qemu/osdep.h"
#include "hw/cxl/cxl_hdm.h"
#include "hw/pci/pci_regs.h"
#include "fault-internal.h"

/* Device registers, by 64-bit words */
#define DEV_ARRAY           0x00
#define DEV_CAP_MAILBOX     0x20    /* second capability: what and where */
#define DEV_CAP_MAILBOX_LEN 0x28
#define DEV_EVENT_STATUS    0x80
#define DEV_MAILBOX         0x88    /* capabilities, and control above */
#define DEV_STATUS          0x98
#define DEV_BG_STATUS       0xa0

#define BG_RUNNING          1u
#define BG_PERCENT_SHIFT    16
#define BG_CODE_SHIFT       32

/* Component registers: headers of the array, and of the decoders in it */
#define COMPONENT_ARRAY     0x000
#define COMPONENT_HDM       0x00c

/* DVSEC for devices, and register locator */
#define DVSEC_DEVICE(at)    (CXL_FAULT_CFG_DVSEC(0) | (at))
#define DVSEC_LOCATOR(at)   (CXL_FAULT_CFG_DVSEC(8) | (at))
#define DEVICE_CAP          0x08    /* above the identifier */
#define DEVICE_RANGE_SIZE   0x1c
#define DEVICE_RANGE_BASE   0x24
/* The second block, which is the device registers */
#define LOCATOR_SECOND      0x14

#define BAR_MIN             0x1000u

/* -- background operations ---------------------------------------------- */

static unsigned read_percent(const CXLFaultRead *r)
{
    return extract64(r->value, BG_PERCENT_SHIFT, 7);
}

static bool read_is_of_background(uint32_t place)
{
    return place == DEV_STATUS || place == DEV_BG_STATUS;
}

/* Some operation was there, which is what the register is about */
static bool read_has_ended(const void *arg)
{
    return read_percent(arg) == 100;
}

static void read_bg_endless(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultRead *r = arg;

    if (r->place == DEV_STATUS) {
        r->value |= BG_RUNNING;
    } else if (read_percent(r) == 100) {
        r->value = deposit64(r->value, BG_PERCENT_SHIFT, 7, 99);
        r->value = deposit64(r->value, BG_CODE_SHIFT, 16, 0);
    }
}

static void read_bg_backwards(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultRead *r = arg;

    r->value = deposit64(r->value, BG_PERCENT_SHIFT, 7,
                         100 - MIN(f->hits, 100));
}

/* -- HDM decoders ------------------------------------------------------- */

static bool read_is_hdm_control(uint32_t place)
{
    uint32_t first = CXL_HDM_DECODER(0) + CXL_HDM_CONTROL;
    uint32_t step = CXL_HDM_DECODER(1) - CXL_HDM_DECODER(0);

    return place >= first && (place - first) % step == 0 &&
           (place - first) / step < CXL_HDM_DECODERS;
}

static bool read_is_committed(const void *arg)
{
    const CXLFaultRead *r = arg;

    return r->value & CXL_HDM_CTRL_COMMITTED;
}

static void read_hdm_fails(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultRead *r = arg;

    r->value &= ~CXL_HDM_CTRL_COMMITTED;
    r->value |= CXL_HDM_CTRL_ERROR;
}

static void read_hdm_hangs(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultRead *r = arg;

    r->value &= ~(CXL_HDM_CTRL_COMMITTED | CXL_HDM_CTRL_ERROR);
}

/* Software has to see that it was: the first read is left as it is */
static void read_hdm_uncommits(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultRead *r = arg;
    uint64_t bit = BIT_ULL((r->place - CXL_HDM_DECODER(0)) / 0x20 % 64);

    if (f->memo & bit) {
        r->value &= ~(CXL_HDM_CTRL_COMMITTED | CXL_HDM_CTRL_COMMIT);
    }
    f->memo |= bit;
}

/* -- configuration space ------------------------------------------------ */

/* What a BAR that was written with ones reads as: fewer address bits fixed */
static void read_bar_small(CXLFaults *fs, CXLFault *f, void *arg)
{
    CXLFaultRead *r = arg;

    r->value = (r->value & (BAR_MIN - 1)) | (uint32_t)-BAR_MIN;
}

static bool read_is_bar_size(const void *arg)
{
    const CXLFaultRead *r = arg;
    uint32_t fixed = r->value & -BAR_MIN;

    return fixed >> 24 == 0xff && is_power_of_2(-fixed);
}

#define READ(n, point_, at, ...) \
    { .name = n, .family = "registers", .point = CXL_FAULT_##point_, \
      .only = at, __VA_ARGS__ }
#define BITS(n, point_, at, first, width, change, v, ...) \
    READ(n, point_, at, .takes = CXL_FAULT_VALUE, .value = v, \
         .max = CXL_FAULT_MAX(width), \
         .field = { 0, first, width, CXL_FAULT_##change }, __VA_ARGS__)
/* One bit that is set or clear */
#define FLAG(n, point_, at, first, change, ...) \
    READ(n, point_, at, .value = 1, \
         .field = { 0, first, 1, CXL_FAULT_##change }, __VA_ARGS__)

#define SAID_OF_ARRAY       "8.2.8.1"
#define SAID_OF_MAILBOX     "8.2.8.4"
#define SAID_OF_MEMDEV      "8.2.8.5.1"
#define SAID_OF_HDM         "8.2.4.20"
#define SAID_OF_DVSEC       "8.1.3"
#define SAID_OF_LOCATOR     "8.1.9"
#define SAID_OF_DOE         "PCIe r6.2 6.30"

static const CXLFaultKind kinds[] = {
    FLAG("mailbox-never-ready", REGISTER, CXL_FAULT_REG_MEMDEV, 4, TURN_OFF,
         .does = "the mailbox interface is not ready",
         .spec = "it is ready some seconds after a reset "
                 "(" SAID_OF_MEMDEV ")"),
    BITS("media-status", REGISTER, CXL_FAULT_REG_MEMDEV, 2, 2, SET, 0,
         .does = "the media status is value: 0 not ready, 2 error, "
                 "3 disabled",
         .spec = "ready some time after a reset (" SAID_OF_MEMDEV ")"),
    BITS("media-status-flaps", REGISTER, CXL_FAULT_REG_MEMDEV, 2, 2,
         ALTERNATE, 2,
         .does = "every other read of the media status gives value",
         .spec = "it changes by resets and commands (" SAID_OF_MEMDEV ")"),
    FLAG("device-fatal", REGISTER, CXL_FAULT_REG_MEMDEV, 0, TURN_ON,
         .does = "the device says that it had a fatal error",
         .spec = "then it needs a reset (" SAID_OF_MEMDEV ")"),
    FLAG("firmware-halt", REGISTER, CXL_FAULT_REG_MEMDEV, 1, TURN_ON,
         .does = "the device says that its firmware halted",
         .spec = "then it needs a reset (" SAID_OF_MEMDEV ")"),
    FLAG("doorbell-stuck", REGISTER, DEV_MAILBOX, 32, TURN_ON,
         .does = "the doorbell is set whenever it is looked at, also after a "
                 "reset",
         .spec = "it is clear after a reset (" SAID_OF_MAILBOX ".4)"),
    BITS("mailbox-size", REGISTER, DEV_MAILBOX, 0, 5, SET, 31,
         .does = "the payload registers are 2 to the power of value bytes "
                 "long",
         .spec = "a power of two, 8 to 20 (" SAID_OF_MAILBOX ".3)"),
    BITS("array-count", REGISTER, DEV_ARRAY, 32, 16, SET, 0xffff,
         .does = "the capability array has value entries",
         .spec = "as many as there are (" SAID_OF_ARRAY ")"),
    BITS("array-id", REGISTER, DEV_ARRAY, 0, 16, SET, 0xffff,
         .does = "the capability array has identifier value",
         .spec = "0 (" SAID_OF_ARRAY ")"),
    BITS("capability-id", REGISTER, DEV_CAP_MAILBOX, 0, 16, SET, 0xbeef,
         .does = "in place of the mailbox there is capability value",
         .spec = "a memory device has a mailbox (" SAID_OF_ARRAY ")"),
    BITS("capability-offset", REGISTER, DEV_CAP_MAILBOX, 32, 32, SET,
         0xfffffff0,
         .does = "the mailbox is at offset value",
         .spec = "inside of the register block (" SAID_OF_ARRAY ")"),
    BITS("capability-length", REGISTER, DEV_CAP_MAILBOX_LEN, 0, 32, SET, 0,
         .does = "the mailbox has value bytes of registers",
         .spec = "at least 20h and the payload (" SAID_OF_ARRAY ")"),
    BITS("event-status", REGISTER, DEV_EVENT_STATUS, 0, 32, SET, 0x1f,
         .does = "the event status register is value, whatever is logged",
         .spec = "a bit for each log that is not empty (8.2.8.3.1)"),
    READ("background-endless", REGISTER, CXL_FAULT_ANY,
         .fits = read_is_of_background, .act = read_bg_endless,
         .does = "a background operation goes on, and does not get beyond "
                 "99 percent",
         .spec = "it ends (" SAID_OF_MAILBOX ".7)"),
    BITS("background-fails", REGISTER, DEV_BG_STATUS, BG_CODE_SHIFT, 16, SET,
         CXL_RC_INTERNAL_ERROR, .suits = read_has_ended,
         .does = "a background operation that has ended did so with code "
                 "value",
         .spec = "the code says how it ended (" SAID_OF_MAILBOX ".7)"),
    READ("background-backwards", REGISTER, DEV_BG_STATUS,
         .act = read_bg_backwards,
         .does = "the percentage of a background operation gets less with "
                 "each read",
         .spec = "it does not (" SAID_OF_MAILBOX ".7)"),
    READ("hdm-commit-fails", COMPONENT, CXL_FAULT_ANY,
         .fits = read_is_hdm_control, .suits = read_is_committed,
         .act = read_hdm_fails,
         .does = "a decoder that was committed says that it failed to",
         .spec = "it says so if its settings are wrong (" SAID_OF_HDM ".7)"),
    READ("hdm-commit-hangs", COMPONENT, CXL_FAULT_ANY,
         .fits = read_is_hdm_control, .suits = read_is_committed,
         .act = read_hdm_hangs,
         .does = "a decoder that was committed says neither that it is nor "
                 "that it failed to",
         .spec = "it takes 10 ms (" SAID_OF_HDM ".7)"),
    READ("hdm-uncommits", COMPONENT, CXL_FAULT_ANY,
         .fits = read_is_hdm_control, .suits = read_is_committed,
         .act = read_hdm_uncommits,
         .does = "a decoder says once that it is committed, and then that it "
                 "is not",
         .spec = "it stays until software or a reset ends it "
                 "(" SAID_OF_HDM ".7)"),
    BITS("hdm-count", COMPONENT, CXL_HDM_CAP, 0, 4, SET, 15,
         .does = "the number of decoders is encoded as value",
         .spec = "0 to 12 (" SAID_OF_HDM ".1)"),
    BITS("hdm-missing", COMPONENT, COMPONENT_HDM, 0, 16, SET, 0xbeef,
         .does = "in place of the HDM decoders there is capability value",
         .spec = "a memory device has decoders (8.2.4.1)"),
    BITS("hdm-offset", COMPONENT, COMPONENT_HDM, 20, 12, SET, 0xfff,
         .does = "the HDM decoders are at offset value",
         .spec = "inside of the register block (8.2.4.1)"),
    BITS("component-count", COMPONENT, COMPONENT_ARRAY, 24, 8, SET, 0xff,
         .does = "the component has value capabilities",
         .spec = "as many as there are (8.2.4.1)"),
    FLAG("memory-inactive", CONFIG, DVSEC_DEVICE(DEVICE_RANGE_SIZE), 1,
         TURN_OFF,
         .does = "memory of the first range is not active",
         .spec = "it is in the time that its timeout field gives "
                 "(" SAID_OF_DVSEC ".8)"),
    FLAG("memory-invalid", CONFIG, DVSEC_DEVICE(DEVICE_RANGE_SIZE), 0,
         TURN_OFF,
         .does = "what is said of the first range is not valid yet",
         .spec = "it is one second after a reset (" SAID_OF_DVSEC ".8)"),
    BITS("range-size", CONFIG, DVSEC_DEVICE(DEVICE_RANGE_SIZE), 28, 4, SET,
         15,
         .does = "the low bits of the size of the first range are value",
         .spec = "as Identify says (" SAID_OF_DVSEC ".8)"),
    BITS("range-base", CONFIG, DVSEC_DEVICE(DEVICE_RANGE_BASE), 28, 4, SET,
         15,
         .does = "the low bits of the base of the first range are value",
         .spec = "what software wrote (" SAID_OF_DVSEC ".8)"),
    BITS("range-count", CONFIG, DVSEC_DEVICE(DEVICE_CAP), 20, 2, SET, 3,
         .does = "the device has value ranges",
         .spec = "1 or 2 (" SAID_OF_DVSEC ".1)"),
    FLAG("not-mem-capable", CONFIG, DVSEC_DEVICE(DEVICE_CAP), 18, TURN_OFF,
         .does = "the device cannot do CXL.mem",
         .spec = "a memory device can (" SAID_OF_DVSEC ".1)"),
    BITS("locator-offset", CONFIG, DVSEC_LOCATOR(LOCATOR_SECOND), 16, 16, SET,
         0xffff,
         .does = "device registers are at value times 64 KiB in their BAR, "
                 "beyond its end",
         .spec = "inside of the BAR (" SAID_OF_LOCATOR ")"),
    BITS("locator-bar", CONFIG, DVSEC_LOCATOR(LOCATOR_SECOND), 0, 3, SET, 5,
         .does = "device registers are in BAR value",
         .spec = "in a BAR that there is (" SAID_OF_LOCATOR ")"),
    BITS("locator-block", CONFIG, DVSEC_LOCATOR(LOCATOR_SECOND), 8, 8, SET,
         0xff,
         .does = "in place of device registers there is block value",
         .spec = "a memory device has device registers "
                 "(" SAID_OF_LOCATOR ")"),
    READ("bar-small", CONFIG, PCI_BASE_ADDRESS_2, .suits = read_is_bar_size,
         .act = read_bar_small,
         .does = "the BAR of the device registers has 4 KiB when its size is "
                 "asked for",
         .spec = "as many as the registers take (PCIe r6.2 7.5.1.2.1)"),
    FLAG("doe-busy", CONFIG, CXL_FAULT_CFG_DOE | PCI_DOE_STATUS, 0, TURN_ON,
         .does = "the DOE mailbox is busy",
         .spec = "for one second at most (" SAID_OF_DOE ".2)"),
    FLAG("doe-error", CONFIG, CXL_FAULT_CFG_DOE | PCI_DOE_STATUS, 2, TURN_ON,
         .does = "the DOE mailbox has an error",
         .spec = "an abort ends it (" SAID_OF_DOE ".2)"),
    FLAG("doe-never-ready", CONFIG, CXL_FAULT_CFG_DOE | PCI_DOE_STATUS, 31,
         TURN_OFF,
         .does = "the DOE mailbox never has an answer",
         .spec = "it has in one second (" SAID_OF_DOE ".2)"),
    BITS("doe-data", CONFIG, CXL_FAULT_CFG_DOE | PCI_DOE_READ, 0, 32, FLIP,
         UINT32_MAX,
         .does = "bits of value are flipped in what is read of an answer",
         .spec = "the answer is what the protocol defines "
                 "(" SAID_OF_DOE ".1)"),
};

const CXLFaultSet cxl_faults_registers = { kinds, ARRAY_SIZE(kinds) };
