/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 44h: Sanitize and Media Operations (CXL r3.2 8.2.10.9.5)
 *
 * All that a running sanitize has to remember is the background operation and
 * the media status, and both migrate.
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "cmd-sets.h"
#include "trace.h"

#define SANITIZE_KINDS  (CXL_CCI_MAILBOX | CXL_CCI_FM | CXL_CCI_LD)

/* Records of what was wrong with the data that is gone; handles go on */
static void forget_events(CXLEventLogs *logs)
{
    CXLEventLogId log;

    for (log = 0; log < CXL_EVENT_LOGS; log++) {
        /* Offers of capacity are not about data, and wait for an answer */
        if (log != CXL_EVENT_LOG_DYNCAP) {
            cxl_event_forget(logs, log);
        }
    }
}

static void destroy_data(CXLType3Dev *d)
{
    cxl_type3_zero_all(d);
    cxl_poison_forget(cxl_type3_poison(d));
    cxl_media_forget(cxl_type3_media_state(d));
    forget_events(cxl_type3_events(d));
    forget_events(cxl_type3_fm_events(d));
}

/* How long it takes by static capacity; guests have come to expect these */
static uint64_t sanitize_ms(uint64_t size)
{
    static const struct {
        uint16_t gib;
        uint16_t seconds;
    } steps[] = {
        { 1, 8 }, { 2, 15 }, { 4, 30 }, { 8, 60 }, { 16, 120 }, { 32, 240 },
        { 64, 480 }, { 128, 900 }, { 256, 1800 }, { 512, 3600 },
        { 1024, 7200 },
    };
    unsigned i;

    if (size <= 512 * MiB) {
        return 4 * 1000;
    }
    for (i = 0; i < ARRAY_SIZE(steps); i++) {
        if (size <= steps[i].gib * GiB) {
            return steps[i].seconds * 1000;
        }
    }
    return 14400 * 1000;
}

/* Who set a passphrase wants to be asked before the data goes */
static bool is_protected(CXLType3Dev *d)
{
    return cxl_security_state(cxl_type3_security(d)) &
           (CXL_SECURITY_USER_SET | CXL_SECURITY_LOCKED);
}

static CXLRetCode sanitize(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    CXLType3Dev *d = cxl_cci_type3(cci);
    uint64_t size = cxl_type3_volatile_size(d) + cxl_type3_persistent_size(d);

    if (is_protected(d)) {
        return CXL_RC_INVALID_SECURITY_STATE;
    }
    cxl_type3_set_media(d, CXL_MEDIA_DISABLED);
    return cxl_cci_bg_start(cci, sanitize_ms(size));
}

static CXLRetCode sanitize_done(CXLCCI *cci)
{
    CXLType3Dev *d = cxl_cci_type3(cci);

    destroy_data(d);
    cxl_type3_set_media(d, CXL_MEDIA_READY);
    trace_cxl_sanitize_done(cxl_cci_kind_name(cci->kind));
    return CXL_RC_SUCCESS;
}

/*
 * Only a reset gets here, for the row is not abortable.  It must not bring back
 * data whose end was promised, so what was begun is done at once.
 */
static void sanitize_cut_short(CXLCCI *cci)
{
    sanitize_done(cci);
}

/* As if by a new key: nothing needs to be overwritten, so no time passes */
static CXLRetCode secure_erase(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    CXLType3Dev *d = cxl_cci_type3(cci);

    if (is_protected(d)) {
        return CXL_RC_INVALID_SECURITY_STATE;
    }
    destroy_data(d);
    trace_cxl_sanitize_done(cxl_cci_kind_name(cci->kind));
    return CXL_RC_SUCCESS;
}

static const CXLCmd rows[] = {
    {
        .opcode = CXL_OP_SANITIZE,
        .name = "Sanitize",
        .effects = CXL_EFF_DATA_IMMEDIATE | CXL_EFF_SECURITY |
                   CXL_EFF_BACKGROUND,
        .where = SANITIZE_KINDS,
        .flags = CXL_CMD_MEDIA | CXL_CMD_BG,
        .len = CXL_LEN(0),
        .handler = sanitize,
        .present = cxl_cci_is_type3,
        .bg_done = sanitize_done,
        .bg_abort = sanitize_cut_short,
    }, {
        .opcode = 0x4401,
        .name = "Secure Erase",
        .effects = CXL_EFF_DATA_IMMEDIATE | CXL_EFF_SECURITY,
        .where = SANITIZE_KINDS,
        .flags = CXL_CMD_MEDIA,
        .len = CXL_LEN(0),
        .handler = secure_erase,
        .present = cxl_cci_is_type3,
    },
};

const CXLCmdSet cxl_cmds_sanitize =
    CXL_CMD_SET("Sanitize and Media Operations", rows);
