/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 02h: Firmware Update (CXL r3.2 8.2.10.3)
 *
 * The slots belong to the device, so its mailbox and its out-of-band CCI see
 * the same ones; only one part of a transfer is worked on at a time.
 */
#include "qemu/osdep.h"
#include "hw/cxl/memdev/firmware.h"
#include "hw/cxl/cxl_memdev.h"
#include "cmd-sets.h"

#define CAP_ONLINE_ACTIVATION   0x01
#define STAGED_SHIFT            3

/* Transfer FW: the data starts here */
#define PART_HEADER             0x80
#define PART_RESERVED           0x78
/* How long a whole image and a part of one take to store */
#define FULL_MS                 10000
#define PART_MS                 2000

static CXLRetCode firmware_get_info(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    const CXLFirmware *fw = cci->memdev->firmware;
    unsigned slot;

    cxl_put_u8(out, CXL_FW_SLOTS);
    cxl_put_u8(out, fw->active | fw->staged << STAGED_SHIFT);
    cxl_put_u8(out, CAP_ONLINE_ACTIVATION);
    cxl_put_zero(out, 13);
    for (slot = 1; slot <= CXL_FW_INFO_SLOTS; slot++) {
        char rev[CXL_FW_REVISION_LEN];

        cxl_firmware_revision(fw, slot, rev);
        cxl_put_bytes(out, rev, sizeof(rev));
    }
    return CXL_RC_SUCCESS;
}

static CXLRetCode firmware_transfer(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    CXLFirmwarePart part;
    CXLRetCode rc;

    part.action = cxl_get_u8(in);
    part.slot = cxl_get_u8(in);
    cxl_get_skip(in, 2);
    part.unit = cxl_get_le32(in);
    cxl_get_skip(in, PART_RESERVED);
    part.len = cxl_reader_left(in);

    rc = cxl_firmware_part(cci->memdev->firmware, &part);
    if (rc == CXL_RC_BG_STARTED) {
        rc = cxl_cci_bg_start(cci, part.action == CXL_FW_FULL ? FULL_MS :
                                                                PART_MS);
    }
    return rc;
}

static CXLRetCode firmware_transfer_done(CXLCCI *cci)
{
    return cxl_firmware_part_done(cci->memdev->firmware);
}

static void firmware_transfer_abort(CXLCCI *cci)
{
    cxl_firmware_drop(cci->memdev->firmware);
}

/* Done at once: Linux takes no "background operation started" here */
static CXLRetCode firmware_activate(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    uint8_t when = cxl_get_u8(in);
    uint8_t slot = cxl_get_u8(in);

    return cxl_firmware_activate(cci->memdev->firmware, when, slot);
}

#define FIRMWARE_KINDS (CXL_CCI_MAILBOX | CXL_CCI_FM)

static const CXLCmd rows[] = {
    CXL_ROW(0x0200, "Get FW Info", FIRMWARE_KINDS, CXL_LEN(0),
            firmware_get_info, .present = cxl_cci_is_memdev),
    CXL_ROW(0x0201, "Transfer FW", FIRMWARE_KINDS, CXL_LEN_MIN(PART_HEADER),
            firmware_transfer,
            .effects = CXL_EFF_BACKGROUND | CXL_EFF_ABORTABLE,
            .flags = CXL_CMD_BG, .present = cxl_cci_is_memdev,
            .bg_done = firmware_transfer_done,
            .bg_abort = firmware_transfer_abort),
    CXL_ROW(0x0202, "Activate FW", FIRMWARE_KINDS, CXL_LEN(2),
            firmware_activate, .effects = CXL_EFF_BACKGROUND,
            .flags = CXL_CMD_BG, .present = cxl_cci_is_memdev),
};

const CXLCmdSet cxl_cmds_firmware = CXL_CMD_SET("Firmware Update", rows);
