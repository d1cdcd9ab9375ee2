/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 41h: Capacity Configuration and Label Storage
 * (CXL r3.2 8.2.10.9.2)
 *
 * The capacity cannot be partitioned (4000h reports alignment 0), so 4101h does
 * not exist here.
 */
#include "qemu/osdep.h"
#include "cmd-sets.h"

static CXLRetCode get_partition(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    CXLType3Dev *d = cxl_cci_type3(cci);
    uint64_t vmem = cxl_type3_volatile_size(d);
    uint64_t pmem = cxl_type3_persistent_size(d);

    if (!QEMU_IS_ALIGNED(vmem, CXL_DC_GRANULE) ||
        !QEMU_IS_ALIGNED(pmem, CXL_DC_GRANULE)) {
        return CXL_RC_INTERNAL_ERROR;
    }
    cxl_put_le64(out, vmem / CXL_DC_GRANULE);
    cxl_put_le64(out, pmem / CXL_DC_GRANULE);
    /* no change is pending */
    cxl_put_le64(out, 0);
    cxl_put_le64(out, 0);
    return CXL_RC_SUCCESS;
}

static bool lsa_holds(CXLType3Dev *d, uint64_t offset, uint64_t len)
{
    uint64_t size = cxl_type3_lsa_size(d);

    return size && offset <= size && len <= size - offset;
}

/*
 * Labels tell where the data is that a passphrase hides, and other persistent
 * memory keeps them to itself while it is locked; so does this device.
 */
static bool lsa_is_locked(CXLType3Dev *d)
{
    return cxl_security_state(cxl_type3_security(d)) & CXL_SECURITY_LOCKED;
}

static CXLRetCode get_lsa(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    CXLType3Dev *d = cxl_cci_type3(cci);
    uint32_t offset = cxl_get_le32(in);
    uint32_t len = cxl_get_le32(in);

    if (!lsa_holds(d, offset, len) || len > cxl_writer_fits(out, 1, 0)) {
        return CXL_RC_INVALID_INPUT;
    }
    if (lsa_is_locked(d)) {
        return CXL_RC_INVALID_SECURITY_STATE;
    }
    if (len) {
        cxl_type3_lsa_read(d, offset, cxl_put_space(out, len), len);
    }
    return CXL_RC_SUCCESS;
}

static CXLRetCode set_lsa(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    CXLType3Dev *d = cxl_cci_type3(cci);
    uint32_t offset = cxl_get_le32(in);
    size_t len;

    cxl_get_skip(in, 4);
    len = cxl_reader_left(in);
    if (!lsa_holds(d, offset, len)) {
        return CXL_RC_INVALID_INPUT;
    }
    if (lsa_is_locked(d)) {
        return CXL_RC_INVALID_SECURITY_STATE;
    }
    if (len) {
        cxl_type3_lsa_write(d, offset, cxl_reader_bytes(in, len), len);
    }
    return CXL_RC_SUCCESS;
}

#define CAPACITY_KINDS (CXL_CCI_MAILBOX | CXL_CCI_LD)

static const CXLCmd rows[] = {
    {
        .opcode = 0x4100,
        .name = "Get Partition Info",
        .where = CAPACITY_KINDS,
        .flags = CXL_CMD_MEDIA,
        .len = CXL_LEN(0),
        .handler = get_partition,
        .present = cxl_cci_is_type3,
    }, {
        .opcode = 0x4102,
        .name = "Get LSA",
        .where = CAPACITY_KINDS,
        .flags = CXL_CMD_MEDIA,
        .len = CXL_LEN(8),
        .handler = get_lsa,
        .present = cxl_cci_is_type3,
    }, {
        .opcode = 0x4103,
        .name = "Set LSA",
        .effects = CXL_EFF_CONFIG_IMMEDIATE | CXL_EFF_DATA_IMMEDIATE,
        .where = CAPACITY_KINDS,
        .flags = CXL_CMD_MEDIA,
        .len = CXL_LEN_MIN(8),
        .handler = set_lsa,
        .present = cxl_cci_is_type3,
    },
};

const CXLCmdSet cxl_cmds_capacity =
    CXL_CMD_SET("Capacity Configuration and Label Storage", rows);
