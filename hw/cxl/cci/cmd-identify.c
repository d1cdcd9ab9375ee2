/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 40h: Identify Memory Device (CXL r3.2 8.2.10.9.1)
 */
#include "qemu/osdep.h"
#include "hw/cxl/cxl_dc.h"
#include "hw/cxl/cxl_events.h"
#include "hw/cxl/memdev/firmware.h"
#include "hw/cxl/cxl_memdev.h"
#include "hw/cxl/memdev/partition.h"
#include "hw/cxl/memdev/poison.h"
#include "hw/cxl/memdev/qos.h"
#include "cmd-sets.h"

/* Capacities travel in this unit; others cannot be reported */
#define CAPACITY_UNIT   CXL_DC_GRANULE

/* Poison handling: media is scanned; injected poison ends with the machine */
#define POISON_SCANS    (1u << 1)

bool cxl_cci_is_memdev(const CXLCCI *cci)
{
    return cci->memdev != NULL;
}

static CXLRetCode identify_memory_device(CXLCCI *cci, CXLReader *in,
                                         CXLWriter *out)
{
    CXLMemDev *d = cci->memdev;
    /* the host's logs on every CCI: the answer describes the device */
    const CXLEventLogs *logs = d->events;
    const CXLPoison *poison = d->poison;
    uint64_t vmem = cxl_memdev_volatile_size(d);
    uint64_t pmem = cxl_memdev_persistent_size(d);
    const CXLPartition *part = d->partition;
    const CXLFirmware *fw = d->firmware;
    char rev[CXL_FW_REVISION_LEN];
    int i;

    if (!QEMU_IS_ALIGNED(vmem, CAPACITY_UNIT) ||
        !QEMU_IS_ALIGNED(pmem, CAPACITY_UNIT)) {
        return CXL_RC_INTERNAL_ERROR;
    }
    cxl_firmware_revision(fw, fw->active, rev);
    cxl_put_bytes(out, rev, sizeof(rev));
    /* static capacity only; 4800h reports the dynamic one */
    cxl_put_le64(out, (vmem + pmem) / CAPACITY_UNIT);
    cxl_put_le64(out, (vmem - part->active) / CAPACITY_UNIT);
    cxl_put_le64(out, (pmem - (part->size - part->active)) / CAPACITY_UNIT);
    cxl_put_le64(out, part->size ? CXL_PARTITION_UNIT / CAPACITY_UNIT : 0);
    for (i = CXL_EVENT_LOG_INFO; i <= CXL_EVENT_LOG_FATAL_ERR; i++) {
        cxl_put_le16(out, logs->log[i].depth);
    }
    cxl_put_le32(out, d->config.lsa_size);
    cxl_put_le24(out, poison->limit);
    /* what is injected has to find room in the same list */
    cxl_put_le16(out, MIN(poison->limit, UINT16_MAX));
    cxl_put_u8(out, POISON_SCANS);
    cxl_put_u8(out, CXL_QOS_ALL);
    cxl_put_le16(out, logs->log[CXL_EVENT_LOG_DYNCAP].depth);
    return CXL_RC_SUCCESS;
}

static const CXLCmd rows[] = {
    CXL_ROW(0x4000, "Identify Memory Device",
            CXL_CCI_MAILBOX | CXL_CCI_FM | CXL_CCI_LD, CXL_LEN(0),
            identify_memory_device, .present = cxl_cci_is_memdev),
};

const CXLCmdSet cxl_cmds_identify = CXL_CMD_SET("Identify", rows);
