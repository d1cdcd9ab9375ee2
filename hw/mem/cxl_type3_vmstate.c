/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CXL Type 3 memory device: state for snapshots and migration
 *
 * Both sides start from the same properties; what follows from those is built
 * at realize and not sent.  Contents of memory travel as RAM blocks.
 */
#include "qemu/osdep.h"
#include "hw/pci/msix.h"
#include "hw/pci/pcie_aer.h"
#include "migration/vmstate.h"
#include "cxl_type3_internal.h"

/* As many as QMP lets wait, see cxl_type3_ras.c */
#define STREAM_RAS_ERRORS_MAX 1024
/* Goes on in the background while the firmware model has a part in flight */
#define OP_TRANSFER_FW 0x0201

static bool has_dc(void *opaque, int version_id)
{
    const CXLType3Dev *d = opaque;

    return d->dc != NULL;
}

static bool ras_count_is_sane(void *opaque, int version_id)
{
    const CXLType3Dev *d = opaque;

    return d->nr_ras_errors <= STREAM_RAS_ERRORS_MAX;
}

static int cxl_type3_pre_load(void *opaque)
{
    /* The list below is allocated as it arrives */
    cxl_type3_ras_exit(opaque);
    return 0;
}

static bool is_running(const CXLCCI *cci, uint16_t opcode)
{
    return cci->bg.running && cci->bg.opcode == opcode;
}

/* A list frozen or media disabled by nothing that runs would stay so forever */
static bool operations_agree(const CXLType3Dev *d)
{
    bool scans = is_running(&d->mailbox_cci, CXL_OP_SCAN_MEDIA) ||
                 is_running(&d->ld_cci, CXL_OP_SCAN_MEDIA);
    bool sanitizes = is_running(&d->mailbox_cci, CXL_OP_SANITIZE) ||
                     is_running(&d->fm_cci, CXL_OP_SANITIZE) ||
                     is_running(&d->ld_cci, CXL_OP_SANITIZE);
    bool overwrites = is_running(&d->mailbox_cci, CXL_OP_MEDIA_OPS) ||
                      is_running(&d->ld_cci, CXL_OP_MEDIA_OPS);

    return d->media.running == scans && d->poison.frozen == scans &&
           (d->media.op_ranges != 0) == overwrites &&
           (d->regs.media_status == CXL_MEDIA_DISABLED) == sanitizes;
}

static bool stores_firmware(const CXLCCI *cci)
{
    return cci->bg.running && cci->bg.opcode == OP_TRANSFER_FW;
}

static int cxl_type3_post_load(void *opaque, int version_id)
{
    CXLType3Dev *d = opaque;
    unsigned i;

    if (!operations_agree(d)) {
        return -EINVAL;
    }
    if (d->partition.size) {
        cxl_type3_partition_moved(d);
    }
    for (i = 0; i < d->nr_ras_errors; i++) {
        if (d->ras_error[i].bit > 31 ||
            !(CXL_RAS_UNC_BITS & (1u << d->ras_error[i].bit))) {
            return -EINVAL;
        }
    }
    /* A part that no CCI works on would never be done */
    if (d->firmware.in_flight != (stores_firmware(&d->mailbox_cci) ||
                                  stores_firmware(&d->fm_cci))) {
        return -EINVAL;
    }
    cxl_type3_direct_reload(d);
    return 0;
}

const VMStateDescription vmstate_cxl_type3 = {
    .name = TYPE_CXL_TYPE3,
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_load = cxl_type3_pre_load,
    .post_load = cxl_type3_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8_EQUAL(nr_dc_regions, CXLType3Dev,
                            "'num-dc-regions' differs"),
        VMSTATE_UINT64_EQUAL(vmem.size, CXLType3Dev,
                             "size of volatile memory differs"),
        VMSTATE_UINT64_EQUAL(pmem.size, CXLType3Dev,
                             "size of persistent memory differs"),

        VMSTATE_PCI_DEVICE(parent_obj, CXLType3Dev),
        VMSTATE_MSIX(parent_obj, CXLType3Dev),
        VMSTATE_STRUCT(parent_obj.exp.aer_log, CXLType3Dev, 0,
                       vmstate_pcie_aer_log, PCIEAERLog),
        VMSTATE_STRUCT(doe, CXLType3Dev, 0, vmstate_pcie_doe, DOECap),
        VMSTATE_DEVICE_DEFERRED(deferred, CXLType3Dev),
        VMSTATE_STRUCT(cxl, CXLType3Dev, 0, vmstate_cxl_component,
                       CXLComponentState),

        VMSTATE_STRUCT(clock, CXLType3Dev, 0, vmstate_cxl_timestamp,
                       CXLTimestamp),
        VMSTATE_STRUCT(events, CXLType3Dev, 0, vmstate_cxl_events,
                       CXLEventLogs),
        VMSTATE_STRUCT(fm_events, CXLType3Dev, 0, vmstate_cxl_events,
                       CXLEventLogs),
        VMSTATE_STRUCT(poison, CXLType3Dev, 0, vmstate_cxl_poison, CXLPoison),
        VMSTATE_STRUCT(media, CXLType3Dev, 0, vmstate_cxl_media,
                       CXLMediaState),
        VMSTATE_STRUCT(firmware, CXLType3Dev, 0, vmstate_cxl_firmware,
                       CXLFirmware),
        VMSTATE_STRUCT(health, CXLType3Dev, 0, vmstate_cxl_health, CXLHealth),
        VMSTATE_STRUCT(partition, CXLType3Dev, 0, vmstate_cxl_partition,
                       CXLPartition),
        VMSTATE_STRUCT(security, CXLType3Dev, 0, vmstate_cxl_security,
                       CXLSecurity),
        VMSTATE_STRUCT(features, CXLType3Dev, 0, vmstate_cxl_features,
                       CXLFeatures),
        VMSTATE_STRUCT(scrub, CXLType3Dev, 0, vmstate_cxl_scrub, CXLScrub),
        VMSTATE_STRUCT(qos, CXLType3Dev, 0, vmstate_cxl_qos, CXLQoS),
        VMSTATE_STRUCT(history, CXLType3Dev, 0, vmstate_cxl_history,
                       CXLHistory),
        VMSTATE_STRUCT(dump, CXLType3Dev, 0, vmstate_cxl_dump, CXLDump),
        VMSTATE_STRUCT(maintenance, CXLType3Dev, 0, vmstate_cxl_maintenance,
                       CXLMaintenance),
        VMSTATE_STRUCT_POINTER_TEST(dc, CXLType3Dev, has_dc, vmstate_cxl_dc,
                                    CXLDynCap),

        VMSTATE_STRUCT(tell, CXLType3Dev, 0, vmstate_cxl_type3_tell,
                       CXLType3Tell),
        VMSTATE_STRUCT(mailbox_cci, CXLType3Dev, 0, vmstate_cxl_cci, CXLCCI),
        VMSTATE_STRUCT(fm_cci, CXLType3Dev, 0, vmstate_cxl_cci, CXLCCI),
        VMSTATE_STRUCT(ld_cci, CXLType3Dev, 0, vmstate_cxl_cci, CXLCCI),
        VMSTATE_STRUCT(regs, CXLType3Dev, 0, vmstate_cxl_devregs,
                       CXLDeviceRegs),

        VMSTATE_UINT32(nr_ras_errors, CXLType3Dev),
        VMSTATE_VALIDATE("number of RAS errors", ras_count_is_sane),
        {
            /* As VMSTATE_STRUCT_VARRAY_ALLOC(), which knows no unsigned n */
            .name = "ras_error",
            .num_offset = vmstate_offset_value(CXLType3Dev, nr_ras_errors,
                                               uint32_t),
            .vmsd = &vmstate_cxl_type3_ras_error,
            .size = sizeof(CXLType3RasError),
            .flags = VMS_STRUCT | VMS_VARRAY_UINT32 | VMS_POINTER | VMS_ALLOC,
            .offset = vmstate_offset_pointer(CXLType3Dev, ras_error,
                                             CXLType3RasError),
        },
        VMSTATE_END_OF_LIST()
    },
};
