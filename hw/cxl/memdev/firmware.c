/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Firmware slots of a component, see firmware.h (CXL r3.2 8.2.10.3)
 */
#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "qemu/units.h"
#include "migration/vmstate.h"
#include "hw/cxl/memdev/firmware.h"
#include "hw/cxl/trace.h"

#define FACTORY_IMAGE   1
/* Image numbers are shown with two digits, the factory's as 00 */
#define LAST_IMAGE      100

static uint8_t firmware_image_in(const CXLFirmware *fw, uint8_t slot)
{
    return slot >= 1 && slot <= CXL_FW_SLOTS ? fw->image[slot - 1] : 0;
}

static bool firmware_can_be_written(const CXLFirmware *fw, uint8_t slot)
{
    return slot >= 1 && slot <= CXL_FW_SLOTS && slot != fw->active;
}

static bool firmware_ends_transfer(uint8_t action)
{
    return action == CXL_FW_FULL || action == CXL_FW_END;
}

static uint64_t firmware_start_of(const CXLFirmwarePart *part)
{
    return (uint64_t)part->unit * CXL_FW_UNIT;
}

static uint64_t firmware_end_of(const CXLFirmwarePart *part)
{
    return firmware_start_of(part) + part->len;
}

void cxl_firmware_init(CXLFirmware *fw)
{
    *fw = (CXLFirmware) {
        .image[0] = FACTORY_IMAGE,
        .newest = FACTORY_IMAGE,
        .active = 1,
    };
}

static void firmware_run_slot(CXLFirmware *fw, uint8_t slot)
{
    fw->active = slot;
    if (fw->staged == slot) {
        fw->staged = 0;
    }
    trace_cxl_firmware_runs(slot, firmware_image_in(fw, slot));
}

void cxl_firmware_reset(CXLFirmware *fw)
{
    cxl_firmware_drop(fw);
    if (fw->staged) {
        firmware_run_slot(fw, fw->staged);
    }
}

void cxl_firmware_drop(CXLFirmware *fw)
{
    fw->open = false;
    fw->in_flight = false;
}

/* Checks of a part that goes on with the open transfer */
static CXLRetCode firmware_check_next(const CXLFirmware *fw,
                                      const CXLFirmwarePart *part)
{
    bool repeats = part->unit == fw->last.unit && part->len == fw->last.len;

    if (!fw->open) {
        return CXL_RC_INVALID_INPUT;
    }
    /* holes are let pass: the last part may know where they belong */
    if (!repeats && firmware_start_of(part) < firmware_end_of(&fw->last)) {
        return CXL_RC_FW_XFER_OUT_OF_ORDER;
    }
    return CXL_RC_SUCCESS;
}

static CXLRetCode firmware_check_part(CXLFirmware *fw,
                                      const CXLFirmwarePart *part, int64_t now)
{
    CXLRetCode rc;

    if (firmware_end_of(part) > CXL_FW_MAX_SIZE) {
        return CXL_RC_INVALID_INPUT;
    }
    if (fw->open && (part->action == CXL_FW_FULL ||
                     part->action == CXL_FW_START)) {
        return CXL_RC_FW_XFER_IN_PROGRESS;
    }
    if (fw->open && now - fw->last_ns > CXL_FW_TIMEOUT_NS) {
        cxl_firmware_drop(fw);
        return CXL_RC_INVALID_INPUT;
    }
    if (part->action == CXL_FW_CONTINUE || part->action == CXL_FW_END) {
        rc = firmware_check_next(fw, part);
        if (rc != CXL_RC_SUCCESS) {
            return rc;
        }
    }
    if (firmware_ends_transfer(part->action) &&
        !firmware_can_be_written(fw, part->slot)) {
        return CXL_RC_FW_INVALID_SLOT;
    }
    if (part->action == CXL_FW_START && part->unit) {
        return CXL_RC_INVALID_INPUT;
    }
    return part->action > CXL_FW_END ? CXL_RC_INVALID_INPUT : CXL_RC_SUCCESS;
}

CXLRetCode cxl_firmware_part(CXLFirmware *fw, const CXLFirmwarePart *part)
{
    static const char *const actions[] = {
        [CXL_FW_FULL] = "all at once", [CXL_FW_START] = "start",
        [CXL_FW_CONTINUE] = "continue", [CXL_FW_END] = "end",
    };
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    CXLRetCode rc;

    /* another interface of the component may have sent it */
    if (fw->in_flight) {
        return CXL_RC_BUSY;
    }
    if (part->action == CXL_FW_ABORT) {
        cxl_firmware_drop(fw);
        return CXL_RC_SUCCESS;
    }
    rc = firmware_check_part(fw, part, now);
    trace_cxl_firmware_part(CXL_NAME(actions, part->action), part->slot,
                            firmware_start_of(part), part->len,
                            cxl_rc_name(rc));
    if (rc != CXL_RC_SUCCESS) {
        return rc;
    }
    fw->open = true;
    fw->in_flight = true;
    fw->last = *part;
    fw->last_ns = now;
    return CXL_RC_BG_STARTED;
}

CXLRetCode cxl_firmware_part_done(CXLFirmware *fw)
{
    if (!fw->in_flight) {
        return CXL_RC_INTERNAL_ERROR;
    }
    fw->in_flight = false;
    if (firmware_ends_transfer(fw->last.action)) {
        fw->open = false;
        fw->newest = fw->newest == LAST_IMAGE ? FACTORY_IMAGE + 1 :
                                                fw->newest + 1;
        fw->image[fw->last.slot - 1] = fw->newest;
        trace_cxl_firmware_stored(fw->last.slot, fw->newest);
    }
    return CXL_RC_SUCCESS;
}

CXLRetCode cxl_firmware_activate(CXLFirmware *fw, uint8_t when, uint8_t slot)
{
    if (fw->in_flight) {
        return CXL_RC_BUSY;
    }
    if (!firmware_can_be_written(fw, slot) || !firmware_image_in(fw, slot)) {
        return CXL_RC_FW_INVALID_SLOT;
    }
    switch (when) {
    case CXL_FW_ONLINE:
        firmware_run_slot(fw, slot);
        return CXL_RC_SUCCESS;
    case CXL_FW_AT_RESET:
        fw->staged = slot;
        return CXL_RC_SUCCESS;
    default:
        return CXL_RC_INVALID_INPUT;
    }
}

void cxl_firmware_revision(const CXLFirmware *fw, uint8_t slot,
                           char rev[CXL_FW_REVISION_LEN])
{
    uint8_t image = firmware_image_in(fw, slot);

    memset(rev, 0, CXL_FW_REVISION_LEN);
    if (image) {
        /* what guests have always read of the first image */
        snprintf(rev, CXL_FW_REVISION_LEN, "BWFW VERSION %02u",
                 (image - FACTORY_IMAGE) % LAST_IMAGE);
    }
}

/* -- migration ---------------------------------------------------------- */

static int firmware_post_load(void *opaque, int version_id)
{
    const CXLFirmware *fw = opaque;
    unsigned i;

    for (i = 0; i < CXL_FW_SLOTS; i++) {
        if (fw->image[i] > LAST_IMAGE) {
            return -EINVAL;
        }
    }
    if (fw->newest < FACTORY_IMAGE || fw->newest > LAST_IMAGE ||
        !firmware_image_in(fw, fw->active) ||
        (fw->staged &&
         (!firmware_image_in(fw, fw->staged) || fw->staged == fw->active))) {
        return -EINVAL;
    }
    if (fw->in_flight && !fw->open) {
        return -EINVAL;
    }
    if (fw->open &&
        (fw->last.action > CXL_FW_END || fw->last_ns < 0 ||
         firmware_end_of(&fw->last) > CXL_FW_MAX_SIZE ||
         (firmware_ends_transfer(fw->last.action) &&
          !(fw->in_flight && firmware_can_be_written(fw, fw->last.slot))))) {
        return -EINVAL;
    }
    return 0;
}

const VMStateDescription vmstate_cxl_firmware = {
    .name = "cxl-firmware",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = firmware_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8_ARRAY(image, CXLFirmware, CXL_FW_SLOTS),
        VMSTATE_UINT8(newest, CXLFirmware),
        VMSTATE_UINT8(active, CXLFirmware),
        VMSTATE_UINT8(staged, CXLFirmware),
        VMSTATE_BOOL(open, CXLFirmware),
        VMSTATE_BOOL(in_flight, CXLFirmware),
        VMSTATE_UINT8(last.action, CXLFirmware),
        VMSTATE_UINT8(last.slot, CXLFirmware),
        VMSTATE_UINT32(last.unit, CXLFirmware),
        VMSTATE_UINT32(last.len, CXLFirmware),
        VMSTATE_INT64(last_ns, CXLFirmware),
        VMSTATE_END_OF_LIST()
    },
};
