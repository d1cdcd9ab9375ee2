/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Passphrases of persistent memory: who may set, use and drop them, and whether
 * the data behind them can be reached (CXL r3.2 8.2.10.9.6)
 *
 * A user passphrase locks the data at each reset; a master passphrase can only
 * erase.  Passphrases are in QEMU's memory and in migration streams, never in a
 * trace or a log.  A model: no QOM, no PCI; the caller holds the BQL.
 */
#ifndef CXL_SECURITY_H
#define CXL_SECURITY_H

#include "hw/cxl/cxl_msg.h"

#define CXL_PASSPHRASE_SIZE     0x20

/* Wrong ones in a row until no more are looked at; Linux tests with as many */
#define CXL_PASSPHRASE_TRIES    3

/* Which passphrase, as commands number them */
typedef enum CXLPassphraseType {
    CXL_PASSPHRASE_MASTER   = 0,
    CXL_PASSPHRASE_USER     = 1,
    CXL_PASSPHRASE_TYPES    = 2,
} CXLPassphraseType;

/* Get Security State */
#define CXL_SECURITY_USER_SET           (1u << 0)
#define CXL_SECURITY_MASTER_SET         (1u << 1)
#define CXL_SECURITY_LOCKED             (1u << 2)
#define CXL_SECURITY_FROZEN             (1u << 3)
#define CXL_SECURITY_USER_EXHAUSTED     (1u << 4)
#define CXL_SECURITY_MASTER_EXHAUSTED   (1u << 5)

/**
 * struct CXLPassphrase - one of the two
 * @secret: meaningful while @set
 * @failures: wrong tries since the last right one or reset, at most
 *            %CXL_PASSPHRASE_TRIES
 */
typedef struct CXLPassphrase {
    uint8_t secret[CXL_PASSPHRASE_SIZE];
    bool set;
    uint8_t failures;
} CXLPassphrase;

/** CXLSecurityNotify - the protected bytes came into or went out of reach */
typedef void CXLSecurityNotify(void *opaque, bool locked);

/**
 * struct CXLSecurity - state
 * @dpa: first byte that passphrases protect
 * @len: how many bytes they protect; 0: nothing, and none is ever set
 * @pass: by CXLPassphraseType
 * @locked: the protected bytes are out of reach; only with a user passphrase
 * @frozen: nothing changes until the next reset
 */
typedef struct CXLSecurity {
    uint64_t dpa;
    uint64_t len;
    CXLPassphrase pass[CXL_PASSPHRASE_TYPES];
    bool locked;
    bool frozen;
    CXLSecurityNotify *notify;
    void *opaque;
} CXLSecurity;

/** cxl_security_init() - no passphrase set; @notify may be NULL. */
void cxl_security_init(CXLSecurity *s, uint64_t dpa, uint64_t len,
                       CXLSecurityNotify *notify, void *opaque);
/** cxl_security_cover() - other bytes are protected from now on. */
void cxl_security_cover(CXLSecurity *s, uint64_t dpa, uint64_t len);
/**
 * cxl_security_has_what_it_locks() - are there bytes for the passphrases set?
 * A stream may lack them; whoever loads it knows the bytes last of all.
 */
bool cxl_security_has_what_it_locks(const CXLSecurity *s);
/** cxl_security_reset() - tries start anew, and a user passphrase locks. */
void cxl_security_reset(CXLSecurity *s);

/** cxl_security_state() - CXL_SECURITY_* as of now. */
uint32_t cxl_security_state(const CXLSecurity *s);
/** cxl_security_denies() - does the range touch bytes that are locked away? */
bool cxl_security_denies(const CXLSecurity *s, uint64_t dpa, uint64_t len);

/*
 * The commands.  @type comes from the host as it is.  Each returns
 * %CXL_RC_SUCCESS, or changes nothing but the count of wrong tries:
 * %CXL_RC_INVALID_SECURITY_STATE: the state does not allow it, or the tries are
 * used up; %CXL_RC_BAD_PASSPHRASE: counted; %CXL_RC_INVALID_INPUT: no such
 * type.
 */

/** cxl_security_set() - a passphrase; @current counts if there was one. */
CXLRetCode cxl_security_set(CXLSecurity *s, uint8_t type,
                            const uint8_t current[CXL_PASSPHRASE_SIZE],
                            const uint8_t new[CXL_PASSPHRASE_SIZE]);
CXLRetCode cxl_security_disable(CXLSecurity *s, uint8_t type,
                                const uint8_t secret[CXL_PASSPHRASE_SIZE]);
CXLRetCode cxl_security_unlock(CXLSecurity *s,
                               const uint8_t secret[CXL_PASSPHRASE_SIZE]);
CXLRetCode cxl_security_freeze(CXLSecurity *s);
/**
 * cxl_security_erase() - drop the user passphrase together with the data
 *
 * On success the caller destroys the data, before anybody can look at it.
 * %CXL_RC_INVALID_INPUT also if there is no master passphrase to erase with.
 */
CXLRetCode cxl_security_erase(CXLSecurity *s, uint8_t type,
                              const uint8_t secret[CXL_PASSPHRASE_SIZE]);

extern const struct VMStateDescription vmstate_cxl_security;

#endif /* CXL_SECURITY_H */
