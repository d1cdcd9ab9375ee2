/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Passphrases of persistent memory, see security.h (CXL r3.2 8.2.10.9.6)
 */
#include "qemu/osdep.h"
#include "migration/vmstate.h"
#include "hw/cxl/memdev/security.h"
#include "hw/cxl/trace.h"

void cxl_security_init(CXLSecurity *s, uint64_t dpa, uint64_t len,
                       CXLSecurityNotify *notify, void *opaque)
{
    *s = (CXLSecurity) {
        .dpa = dpa,
        .len = len,
        .notify = notify,
        .opaque = opaque,
    };
}

void cxl_security_cover(CXLSecurity *s, uint64_t dpa, uint64_t len)
{
    s->dpa = dpa;
    s->len = len;
}

bool cxl_security_has_what_it_locks(const CXLSecurity *s)
{
    return s->len || !(cxl_security_state(s) &
                       (CXL_SECURITY_USER_SET | CXL_SECURITY_MASTER_SET));
}

uint32_t cxl_security_state(const CXLSecurity *s)
{
    const CXLPassphrase *master = &s->pass[CXL_PASSPHRASE_MASTER];
    const CXLPassphrase *user = &s->pass[CXL_PASSPHRASE_USER];

    return (user->set ? CXL_SECURITY_USER_SET : 0) |
           (master->set ? CXL_SECURITY_MASTER_SET : 0) |
           (s->locked ? CXL_SECURITY_LOCKED : 0) |
           (s->frozen ? CXL_SECURITY_FROZEN : 0) |
           (user->failures == CXL_PASSPHRASE_TRIES ?
            CXL_SECURITY_USER_EXHAUSTED : 0) |
           (master->failures == CXL_PASSPHRASE_TRIES ?
            CXL_SECURITY_MASTER_EXHAUSTED : 0);
}

bool cxl_security_denies(const CXLSecurity *s, uint64_t dpa, uint64_t len)
{
    return s->locked && len &&
           (dpa < s->dpa ? len > s->dpa - dpa : dpa - s->dpa < s->len);
}

static void security_set_locked(CXLSecurity *s, bool locked)
{
    if (s->locked != locked) {
        s->locked = locked;
        if (s->notify) {
            s->notify(s->opaque, locked);
        }
    }
}

void cxl_security_reset(CXLSecurity *s)
{
    CXLPassphraseType type;

    for (type = 0; type < CXL_PASSPHRASE_TYPES; type++) {
        s->pass[type].failures = 0;
    }
    s->frozen = false;
    security_set_locked(s, s->pass[CXL_PASSPHRASE_USER].set);
}

/* -- commands ----------------------------------------------------------- */

static CXLRetCode security_done(const CXLSecurity *s, const char *what,
                                uint8_t type, CXLRetCode rc)
{
    static const char *const types[] = {
        [CXL_PASSPHRASE_MASTER] = "master", [CXL_PASSPHRASE_USER] = "user",
    };

    trace_cxl_security_command(what, CXL_NAME(types, type), cxl_rc_name(rc),
                               cxl_security_state(s));
    return rc;
}

/* What stands before every use of a passphrase of @type */
static CXLRetCode security_check_state(const CXLSecurity *s, uint8_t type)
{
    if (s->frozen) {
        return CXL_RC_INVALID_SECURITY_STATE;
    }
    if (type >= CXL_PASSPHRASE_TYPES) {
        return CXL_RC_INVALID_INPUT;
    }
    return s->pass[type].failures == CXL_PASSPHRASE_TRIES ?
           CXL_RC_INVALID_SECURITY_STATE : CXL_RC_SUCCESS;
}

/* Looks at every byte, right or wrong, so that time tells nothing of them */
static CXLRetCode security_try_secret(CXLPassphrase *p, const uint8_t *secret)
{
    uint8_t differs = 0;
    unsigned i;

    for (i = 0; i < CXL_PASSPHRASE_SIZE; i++) {
        differs |= p->secret[i] ^ secret[i];
    }
    if (differs) {
        p->failures++;
        return CXL_RC_BAD_PASSPHRASE;
    }
    p->failures = 0;
    return CXL_RC_SUCCESS;
}

static void security_forget_secret(CXLPassphrase *p)
{
    *p = (CXLPassphrase) { };
}

CXLRetCode cxl_security_set(CXLSecurity *s, uint8_t type,
                            const uint8_t current[CXL_PASSPHRASE_SIZE],
                            const uint8_t new[CXL_PASSPHRASE_SIZE])
{
    CXLRetCode rc = security_check_state(s, type);
    CXLPassphrase *p;

    if (rc != CXL_RC_SUCCESS) {
        return security_done(s, "set", type, rc);
    }
    /* All of it may have been made volatile */
    if (!s->len) {
        return security_done(s, "set", type, CXL_RC_INVALID_SECURITY_STATE);
    }
    /*
     * A master passphrase can erase what the user's protects, so it cannot come
     * after that.  Unsure for a locked device: who cannot unlock it must not
     * change the lock.
     */
    if (s->locked || (type == CXL_PASSPHRASE_MASTER &&
                      s->pass[CXL_PASSPHRASE_USER].set)) {
        return security_done(s, "set", type, CXL_RC_INVALID_SECURITY_STATE);
    }
    p = &s->pass[type];
    if (p->set) {
        rc = security_try_secret(p, current);
    }
    if (rc == CXL_RC_SUCCESS) {
        memcpy(p->secret, new, sizeof(p->secret));
        p->set = true;
    }
    return security_done(s, "set", type, rc);
}

CXLRetCode cxl_security_disable(CXLSecurity *s, uint8_t type,
                                const uint8_t secret[CXL_PASSPHRASE_SIZE])
{
    CXLRetCode rc = security_check_state(s, type);

    if (rc == CXL_RC_SUCCESS) {
        rc = s->pass[type].set ? security_try_secret(&s->pass[type], secret) :
                                 CXL_RC_INVALID_SECURITY_STATE;
    }
    if (rc == CXL_RC_SUCCESS) {
        security_forget_secret(&s->pass[type]);
        if (type == CXL_PASSPHRASE_USER) {
            security_set_locked(s, false);
        }
    }
    return security_done(s, "disable", type, rc);
}

CXLRetCode cxl_security_unlock(CXLSecurity *s,
                               const uint8_t secret[CXL_PASSPHRASE_SIZE])
{
    const uint8_t type = CXL_PASSPHRASE_USER;
    CXLRetCode rc = security_check_state(s, type);

    if (rc == CXL_RC_SUCCESS) {
        rc = s->locked ? security_try_secret(&s->pass[type], secret) :
                         CXL_RC_INVALID_SECURITY_STATE;
    }
    if (rc == CXL_RC_SUCCESS) {
        security_set_locked(s, false);
    }
    return security_done(s, "unlock", type, rc);
}

CXLRetCode cxl_security_freeze(CXLSecurity *s)
{
    s->frozen = true;
    return security_done(s, "freeze", CXL_PASSPHRASE_USER, CXL_RC_SUCCESS);
}

CXLRetCode cxl_security_erase(CXLSecurity *s, uint8_t type,
                              const uint8_t secret[CXL_PASSPHRASE_SIZE])
{
    CXLRetCode rc = security_check_state(s, type);

    if (rc == CXL_RC_SUCCESS) {
        if (s->pass[type].set) {
            rc = security_try_secret(&s->pass[type], secret);
        } else if (type == CXL_PASSPHRASE_MASTER) {
            rc = CXL_RC_INVALID_INPUT;
        }
    }
    if (rc == CXL_RC_SUCCESS) {
        security_forget_secret(&s->pass[CXL_PASSPHRASE_USER]);
        security_set_locked(s, false);
    }
    return security_done(s, "erase", type, rc);
}

/* -- migration ---------------------------------------------------------- */

static int security_post_load(void *opaque, int version_id)
{
    CXLSecurity *s = opaque;
    CXLPassphraseType type;

    for (type = 0; type < CXL_PASSPHRASE_TYPES; type++) {
        if (s->pass[type].failures > CXL_PASSPHRASE_TRIES) {
            return -EINVAL;
        }
    }
    return s->locked && !s->pass[CXL_PASSPHRASE_USER].set ? -EINVAL : 0;
}

static const VMStateDescription vmstate_cxl_passphrase = {
    .name = "cxl-passphrase",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8_ARRAY(secret, CXLPassphrase, CXL_PASSPHRASE_SIZE),
        VMSTATE_BOOL(set, CXLPassphrase),
        VMSTATE_UINT8(failures, CXLPassphrase),
        VMSTATE_END_OF_LIST()
    },
};

const VMStateDescription vmstate_cxl_security = {
    .name = "cxl-security",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = security_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT_ARRAY(pass, CXLSecurity, CXL_PASSPHRASE_TYPES, 1,
                             vmstate_cxl_passphrase, CXLPassphrase),
        VMSTATE_BOOL(locked, CXLSecurity),
        VMSTATE_BOOL(frozen, CXLSecurity),
        VMSTATE_END_OF_LIST()
    },
};
