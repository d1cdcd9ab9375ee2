/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 41h: Capacity Configuration and Label Storage
 * (CXL r3.2 8.2.10.9.2)
 *
 * Where nothing can be partitioned 4000h reports alignment 0, and there is no
 * 4101h.
 */
#include "qemu/osdep.h"
#include "hw/cxl/cxl_dc.h"
#include "hw/cxl/cxl_memdev.h"
#include "hw/cxl/memdev/partition.h"
#include "hw/cxl/memdev/security.h"
#include "cmd-sets.h"

/* Set Partition Info: not at the next reset, but at once */
#define PARTITION_NOW   0x01

static CXLRetCode capacity_get_partition(CXLCCI *cci, CXLReader *in,
                                         CXLWriter *out)
{
    CXLMemDev *d = cci->memdev;
    uint64_t vmem = cxl_memdev_volatile_size(d);
    uint64_t pmem = cxl_memdev_persistent_size(d);
    const CXLPartition *part = d->partition;

    if (!QEMU_IS_ALIGNED(vmem, CXL_DC_GRANULE) ||
        !QEMU_IS_ALIGNED(pmem, CXL_DC_GRANULE)) {
        return CXL_RC_INTERNAL_ERROR;
    }
    cxl_put_le64(out, vmem / CXL_DC_GRANULE);
    cxl_put_le64(out, pmem / CXL_DC_GRANULE);
    if (part->next == part->active) {
        /* no change is pending */
        cxl_put_le64(out, 0);
        cxl_put_le64(out, 0);
    } else {
        uint64_t others = vmem - part->active;

        cxl_put_le64(out, (others + part->next) / CXL_DC_GRANULE);
        cxl_put_le64(out, (vmem + pmem - others - part->next) /
                          CXL_DC_GRANULE);
    }
    return CXL_RC_SUCCESS;
}

static bool capacity_has_partition(const CXLCCI *cci)
{
    return cxl_cci_is_memdev(cci) &&
           cci->memdev->partition->size;
}

static CXLRetCode capacity_set_partition(CXLCCI *cci, CXLReader *in,
                                         CXLWriter *out)
{
    CXLMemDev *d = cci->memdev;
    CXLPartition *part = d->partition;
    uint64_t before = part->next;
    uint64_t units = cxl_get_le64(in), dpa, len;
    uint8_t flags = cxl_get_u8(in);

    if (cxl_security_state(d->security) &
        (CXL_SECURITY_USER_SET | CXL_SECURITY_MASTER_SET)) {
        return CXL_RC_INVALID_SECURITY_STATE;
    }
    if ((flags & ~PARTITION_NOW) || !cxl_partition_plan(part, units)) {
        return CXL_RC_INVALID_INPUT;
    }
    if (flags & PARTITION_NOW) {
        if (cxl_partition_change(part, &dpa, &len) &&
            d->ops->is_decoded(d->opaque, dpa, len)) {
            part->next = before;
            return CXL_RC_INVALID_INPUT;
        }
        cxl_memdev_repartition(d);
    }
    return CXL_RC_SUCCESS;
}

static bool capacity_lsa_holds(const CXLMemDev *d, uint64_t offset,
                               uint64_t len)
{
    uint64_t size = d->config.lsa_size;

    return size && offset <= size && len <= size - offset;
}

/*
 * Labels tell where the data is that a passphrase hides, and other persistent
 * memory keeps them to itself while it is locked; so does this device.
 */
static bool capacity_lsa_is_locked(CXLMemDev *d)
{
    return cxl_security_state(d->security) & CXL_SECURITY_LOCKED;
}

static CXLRetCode capacity_get_lsa(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    CXLMemDev *d = cci->memdev;
    uint32_t offset = cxl_get_le32(in);
    uint32_t len = cxl_get_le32(in);

    if (!capacity_lsa_holds(d, offset, len) ||
        len > cxl_writer_fits(out, 1, 0)) {
        return CXL_RC_INVALID_INPUT;
    }
    if (capacity_lsa_is_locked(d)) {
        return CXL_RC_INVALID_SECURITY_STATE;
    }
    if (len) {
        d->ops->lsa_read(d->opaque, offset, cxl_put_space(out, len), len);
    }
    return CXL_RC_SUCCESS;
}

static CXLRetCode capacity_set_lsa(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    CXLMemDev *d = cci->memdev;
    uint32_t offset = cxl_get_le32(in);
    size_t len;

    cxl_get_skip(in, 4);
    len = cxl_reader_left(in);
    if (!capacity_lsa_holds(d, offset, len)) {
        return CXL_RC_INVALID_INPUT;
    }
    if (capacity_lsa_is_locked(d)) {
        return CXL_RC_INVALID_SECURITY_STATE;
    }
    if (len) {
        d->ops->lsa_write(d->opaque, offset, cxl_reader_bytes(in, len), len);
    }
    return CXL_RC_SUCCESS;
}

#define CAPACITY_KINDS (CXL_CCI_MAILBOX | CXL_CCI_LD)

static const CXLCmd rows[] = {
    CXL_ROW(0x4100, "Get Partition Info", CAPACITY_KINDS, CXL_LEN(0),
            capacity_get_partition, .flags = CXL_CMD_MEDIA,
            .present = cxl_cci_is_memdev),
    /*
     * Not for logical devices, whose ranges a Fabric Manager allocates.  Linux
     * lets programs send a byte more than there is.
     */
    CXL_ROW(0x4101, "Set Partition Info", CXL_CCI_MAILBOX, CXL_LEN_RANGE(9, 10),
            capacity_set_partition, .flags = CXL_CMD_MEDIA,
            .present = capacity_has_partition,
            .effects = CXL_EFF_CONFIG_COLD_RESET | CXL_EFF_CONFIG_IMMEDIATE |
                       CXL_EFF_DATA_IMMEDIATE),
    CXL_ROW(0x4102, "Get LSA", CAPACITY_KINDS, CXL_LEN(8), capacity_get_lsa,
            .flags = CXL_CMD_MEDIA, .present = cxl_cci_is_memdev),
    CXL_ROW(0x4103, "Set LSA", CAPACITY_KINDS, CXL_LEN_MIN(8), capacity_set_lsa,
            .flags = CXL_CMD_MEDIA, .present = cxl_cci_is_memdev,
            .effects = CXL_EFF_CONFIG_IMMEDIATE | CXL_EFF_DATA_IMMEDIATE),
};

const CXLCmdSet cxl_cmds_capacity =
    CXL_CMD_SET("Capacity Configuration and Label Storage", rows);
