/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 45h: Persistent Memory Data-at-rest Security
 * (CXL r3.2 8.2.10.9.6)
 *
 * The state can be read of any memory device, which is what Linux asks for
 * before it sanitizes; the rest exists where there is persistent capacity.
 */
#include "qemu/osdep.h"
#include "hw/cxl/cxl_memdev.h"
#include "hw/cxl/memdev/poison.h"
#include "hw/cxl/memdev/security.h"
#include "cmd-sets.h"

/* A type and what is reserved behind it */
#define TYPE_SIZE       0x20

static bool security_has_persistent(const CXLCCI *cci)
{
    return cxl_cci_is_memdev(cci) && cci->memdev->security->len;
}

static uint8_t security_get_type(CXLReader *in)
{
    uint8_t type = cxl_get_u8(in);

    cxl_get_skip(in, TYPE_SIZE - 1);
    return type;
}

static const uint8_t *security_get_secret(CXLReader *in)
{
    return cxl_reader_bytes(in, CXL_PASSPHRASE_SIZE);
}

static CXLRetCode security_get_state(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    cxl_put_le32(out, cxl_security_state(cci->memdev->security));
    return CXL_RC_SUCCESS;
}

static CXLRetCode security_set_passphrase(CXLCCI *cci, CXLReader *in,
                                          CXLWriter *out)
{
    uint8_t type = security_get_type(in);
    const uint8_t *current = security_get_secret(in);

    return cxl_security_set(cci->memdev->security, type, current,
                            security_get_secret(in));
}

static CXLRetCode security_disable_passphrase(CXLCCI *cci, CXLReader *in,
                                              CXLWriter *out)
{
    uint8_t type = security_get_type(in);

    return cxl_security_disable(cci->memdev->security, type,
                                security_get_secret(in));
}

static CXLRetCode security_unlock(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    return cxl_security_unlock(cci->memdev->security, security_get_secret(in));
}

static CXLRetCode security_freeze(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    return cxl_security_freeze(cci->memdev->security);
}

/*
 * The data goes as if its key had changed, within the command.  Volatile memory
 * was never behind a passphrase and may be in use; labels, which tell of
 * namespaces and hold no user data, stay too.
 */
static CXLRetCode security_erase(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    CXLMemDev *d = cci->memdev;
    CXLSecurity *s = cci->memdev->security;
    uint8_t type = security_get_type(in);
    CXLRetCode rc = cxl_security_erase(s, type, security_get_secret(in));

    if (rc == CXL_RC_SUCCESS) {
        d->ops->wipe(d->opaque, s->dpa, s->len);
        d->ops->wipe_begin(d->opaque);
        cxl_poison_wipe(d->poison, s->dpa, s->len);
    }
    return rc;
}

#define SECURE(op, title, eff, size, fn) \
    CXL_ROW(op, title, CXL_CCI_MAILBOX, CXL_LEN(size), fn, \
            .effects = CXL_EFF_SECURITY | (eff), \
            .present = security_has_persistent)

static const CXLCmd rows[] = {
    CXL_ROW(0x4500, "Get Security State", CXL_CCI_MAILBOX, CXL_LEN(0),
            security_get_state, .present = cxl_cci_is_memdev),
    SECURE(0x4501, "Set Passphrase", 0, TYPE_SIZE + 2 * CXL_PASSPHRASE_SIZE,
           security_set_passphrase),
    SECURE(0x4502, "Disable Passphrase", 0, TYPE_SIZE + CXL_PASSPHRASE_SIZE,
           security_disable_passphrase),
    SECURE(0x4503, "Unlock", 0, CXL_PASSPHRASE_SIZE, security_unlock),
    SECURE(0x4504, "Freeze Security State", 0, 0, security_freeze),
    SECURE(0x4505, "Passphrase Secure Erase", CXL_EFF_DATA_IMMEDIATE,
           TYPE_SIZE + CXL_PASSPHRASE_SIZE, security_erase),
};

const CXLCmdSet cxl_cmds_security =
    CXL_CMD_SET("Persistent Memory Data-at-rest Security", rows);
