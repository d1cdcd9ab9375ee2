/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Firmware slots of a component (CXL r3.2 8.2.10.3)
 *
 * What hosts can see of a firmware update: parts that arrive in order and in
 * time, slots that fill, an image that takes over.  The bytes of an image are
 * not kept, for nothing here runs them; an image is known by its number.  A
 * model: no QOM, no PCI; the caller holds the BQL.
 */
#ifndef CXL_FIRMWARE_H
#define CXL_FIRMWARE_H

#include "hw/cxl/cxl_msg.h"

/* One to run from and one to write to */
#define CXL_FW_SLOTS            2
/* Slots that Get FW Info has room for */
#define CXL_FW_INFO_SLOTS       4
#define CXL_FW_REVISION_LEN     0x10
/* Largest image */
#define CXL_FW_MAX_SIZE         (32 * MiB)
/* Offsets of parts are counted in this unit */
#define CXL_FW_UNIT             128
/* A transfer that waits longer than this for its next part is lost */
#define CXL_FW_TIMEOUT_NS       (30 * (int64_t)NANOSECONDS_PER_SECOND)

typedef enum CXLFirmwareAction {
    CXL_FW_FULL,
    CXL_FW_START,
    CXL_FW_CONTINUE,
    CXL_FW_END,
    CXL_FW_ABORT,
} CXLFirmwareAction;

typedef enum CXLFirmwareActivation {
    CXL_FW_ONLINE,
    CXL_FW_AT_RESET,
} CXLFirmwareActivation;

/**
 * struct CXLFirmwarePart - one part of an image
 * @action: CXLFirmwareAction, unchecked
 * @slot: where the image goes, 1 is the first; for FULL and END
 * @unit: offset in units of %CXL_FW_UNIT
 * @len: bytes
 */
typedef struct CXLFirmwarePart {
    uint8_t action;
    uint8_t slot;
    uint32_t unit;
    uint32_t len;
} CXLFirmwarePart;

/**
 * struct CXLFirmware - slots, and the one transfer into them
 * @image: number of the image in each slot, 0 none; the factory's is 1
 * @newest: number given to the last image that arrived
 * @active: slot that runs, from 1
 * @staged: slot that runs after the next reset, 0 none
 * @open: a transfer was started and not ended
 * @in_flight: its @last part is being worked on in the background
 * @last: the part accepted last
 * @last_ns: when that was, virtual clock
 */
typedef struct CXLFirmware {
    uint8_t image[CXL_FW_SLOTS];
    uint8_t newest;
    uint8_t active;
    uint8_t staged;
    bool open;
    bool in_flight;
    CXLFirmwarePart last;
    int64_t last_ns;
} CXLFirmware;

/** cxl_firmware_init() - the factory's image in the first slot, which runs. */
void cxl_firmware_init(CXLFirmware *fw);
/** cxl_firmware_reset() - a staged slot takes over, a transfer is dropped. */
void cxl_firmware_reset(CXLFirmware *fw);

/**
 * cxl_firmware_part() - a part arrives
 * Return: CXL_RC_BG_STARTED: accepted, and in flight until
 * cxl_firmware_part_done() or cxl_firmware_drop(); CXL_RC_SUCCESS: the transfer
 * was aborted as asked; else an error.  A transfer survives errors, but not
 * its timeout.
 */
CXLRetCode cxl_firmware_part(CXLFirmware *fw, const CXLFirmwarePart *part);
/** cxl_firmware_part_done() - the part in flight is stored. */
CXLRetCode cxl_firmware_part_done(CXLFirmware *fw);
/** cxl_firmware_drop() - forget the transfer and what is in flight of it. */
void cxl_firmware_drop(CXLFirmware *fw);

/**
 * cxl_firmware_activate() - @slot runs now or after the next reset
 * @when: CXLFirmwareActivation, unchecked
 * Return: CXL_RC_SUCCESS; with nothing changed CXL_RC_BUSY while a part is in
 * flight, CXL_RC_FW_INVALID_SLOT or CXL_RC_INVALID_INPUT
 */
CXLRetCode cxl_firmware_activate(CXLFirmware *fw, uint8_t when, uint8_t slot);

/**
 * cxl_firmware_revision() - text that names the image in @slot
 * @rev: gets the text, zero padded; all zeroes for a slot without an image
 */
void cxl_firmware_revision(const CXLFirmware *fw, uint8_t slot,
                           char rev[CXL_FW_REVISION_LEN]);

extern const struct VMStateDescription vmstate_cxl_firmware;

#endif /* CXL_FIRMWARE_H */
