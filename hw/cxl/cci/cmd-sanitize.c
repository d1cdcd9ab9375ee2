/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 44h: Sanitize and Media Operations (CXL r3.2 8.2.10.9.5)
 *
 * Sanitize and erase make the data unreadable at once, as if by a new key, and
 * the device overwrites it after that (wipe_all() of CXLMemDevOps).  All that a
 * running sanitize has to remember is the background operation and the media
 * status, and both migrate.  Media operations overwrite their ranges in slices
 * and keep what is left of them (memdev/media.h).
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "hw/cxl/cxl_events.h"
#include "hw/cxl/memdev/maintenance.h"
#include "hw/cxl/memdev/media.h"
#include "hw/cxl/cxl_memdev.h"
#include "hw/cxl/memdev/poison.h"
#include "hw/cxl/memdev/security.h"
#include "cmd-sets.h"
#include "hw/cxl/trace.h"

#define SANITIZE_KINDS  (CXL_CCI_MAILBOX | CXL_CCI_FM | CXL_CCI_LD)

/* From then on, a sanitize asks whether the device has overwritten all of it */
#define WIPE_POLL_MS    5
/* What a range costs of a slice at least: look-ups, poison, calls */
#define RANGE_COST      (1 * KiB)

/* Records of what was wrong with the data that is gone; handles go on */
static void sanitize_forget_events(CXLEventLogs *logs)
{
    CXLEventLogId log;

    for (log = 0; log < CXL_EVENT_LOGS; log++) {
        /* Offers of capacity are not about data, and wait for an answer */
        if (log != CXL_EVENT_LOG_DYNCAP) {
            cxl_event_forget(logs, log);
        }
    }
}

/* What is known about data that is gone */
static void sanitize_forget_data(CXLMemDev *d)
{
    cxl_poison_forget(d->poison);
    cxl_media_forget(d->media);
    cxl_maintenance_forget(d->maintenance);
    sanitize_forget_events(d->events);
    sanitize_forget_events(d->fm_events);
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
static bool sanitize_is_protected(CXLMemDev *d)
{
    return cxl_security_state(d->security) &
           (CXL_SECURITY_USER_SET | CXL_SECURITY_LOCKED);
}

static CXLRetCode sanitize_start(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    CXLMemDev *d = cci->memdev;
    uint64_t size = cxl_memdev_static_size(d);

    if (sanitize_is_protected(d)) {
        return CXL_RC_INVALID_SECURITY_STATE;
    }
    cxl_memdev_set_media(d, CXL_MEDIA_DISABLED);
    d->ops->wipe_all(d->opaque);
    return cxl_cci_bg_start(cci, sanitize_ms(size));
}

static void sanitize_end(CXLCCI *cci)
{
    CXLMemDev *d = cci->memdev;

    sanitize_forget_data(d);
    cxl_memdev_set_media(d, CXL_MEDIA_READY);
    trace_cxl_sanitize_done(cxl_cci_kind_name(cci->kind));
}

static CXLRetCode sanitize_done(CXLCCI *cci)
{
    CXLMemDev *d = cci->memdev;

    if (d->ops->is_wiping(d->opaque)) {
        return cxl_cci_bg_continue(cci, WIPE_POLL_MS);
    }
    sanitize_end(cci);
    return CXL_RC_SUCCESS;
}

/* 0005h: what was noted reads as zeroes, whatever is overwritten by now */
static void sanitize_aborted(CXLCCI *cci)
{
    cxl_memdev_set_media(cci->memdev, CXL_MEDIA_READY);
}

/*
 * What is not yet overwritten reads as zeroes all the same: a reset must not
 * bring back data whose end was promised.
 */
static void sanitize_cut_short(CXLCCI *cci)
{
    sanitize_end(cci);
}

/* As if by a new key: nothing needs to be overwritten, so no time passes */
static CXLRetCode secure_erase(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    CXLMemDev *d = cci->memdev;

    if (sanitize_is_protected(d)) {
        return CXL_RC_INVALID_SECURITY_STATE;
    }
    d->ops->wipe_all(d->opaque);
    sanitize_forget_data(d);
    trace_cxl_sanitize_done(cxl_cci_kind_name(cci->kind));
    return CXL_RC_SUCCESS;
}

/* -- media operations ----------------------------------------------------- */

/* Class and subclass of a media operation; the first one lists the others */
#define CLASS_GENERAL       0
#define DISCOVERY           0
#define CLASS_SANITIZE      1
#define SANITIZE_RANGES     0
#define WRITE_ZEROS         1

#define OPS_HEAD            8
#define OPS_RANGE           0x10
#define OPS_DISCOVERY       4

QEMU_BUILD_BUG_ON(CXL_MEDIA_OP_RANGES <
                  (CXL_MAILBOX_PAYLOAD_DEFAULT - OPS_HEAD) / OPS_RANGE);

static const struct {
    uint8_t class;
    uint8_t subclass;
} media_ops[] = {
    { CLASS_SANITIZE, SANITIZE_RANGES },
    { CLASS_SANITIZE, WRITE_ZEROS },
};

static CXLRetCode sanitize_discover(CXLReader *in, uint32_t nr_ranges,
                                    CXLWriter *out)
{
    unsigned start, count, i;
    size_t head = out->len;

    if (cxl_reader_left(in) != OPS_DISCOVERY) {
        return CXL_RC_INVALID_PAYLOAD_LENGTH;
    }
    start = cxl_get_le16(in);
    count = cxl_get_le16(in);
    if (nr_ranges || start >= ARRAY_SIZE(media_ops)) {
        return CXL_RC_INVALID_INPUT;
    }
    count = MIN(count, ARRAY_SIZE(media_ops) - start);
    cxl_put_le64(out, CXL_POISON_LINE);
    cxl_put_le16(out, ARRAY_SIZE(media_ops));
    cxl_put_le16(out, 0);
    for (i = 0; i < count; i++) {
        cxl_put_u8(out, media_ops[start + i].class);
        cxl_put_u8(out, media_ops[start + i].subclass);
    }
    cxl_patch_le16(out, head + 10, count);
    return CXL_RC_SUCCESS;
}

static void sanitize_get_range(CXLReader *in, CXLMediaRange *r)
{
    r->dpa = cxl_get_le64(in);
    r->len = cxl_get_le64(in);
}

/* Whole lines that the host may write */
static CXLRetCode sanitize_check_range(CXLCCI *cci, const CXLMediaRange *r)
{
    CXLSecurity *security = cci->memdev->security;

    if (!r->len || (r->dpa | r->len) % CXL_POISON_LINE ||
        !cxl_cci_accessible(cci, r->dpa, r->len, true)) {
        return CXL_RC_INVALID_INPUT;
    }
    return cxl_security_denies(security, r->dpa, r->len) ?
           CXL_RC_INVALID_SECURITY_STATE : CXL_RC_SUCCESS;
}

static CXLRetCode media_operations(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    CXLMediaState *m = cci->memdev->media;
    uint8_t class = cxl_get_u8(in);
    uint8_t subclass = cxl_get_u8(in);
    CXLReader ranges;
    uint64_t total = 0;
    uint32_t n, i;

    cxl_get_skip(in, 2);
    n = cxl_get_le32(in);
    if (class == CLASS_GENERAL && subclass == DISCOVERY) {
        return sanitize_discover(in, n, out);
    }
    /* Both leave zeroes: a sanitize has no older copy here to destroy */
    if (class != CLASS_SANITIZE ||
        (subclass != SANITIZE_RANGES && subclass != WRITE_ZEROS)) {
        return CXL_RC_UNSUPPORTED;
    }
    if (cxl_reader_left(in) != (uint64_t)n * OPS_RANGE) {
        return CXL_RC_INVALID_PAYLOAD_LENGTH;
    }
    if (m->op_ranges) {
        return CXL_RC_BUSY;     /* started through another CCI */
    }
    if (n > CXL_MEDIA_OP_RANGES) {
        return CXL_RC_RESOURCES_EXHAUSTED;
    }
    ranges = *in;
    for (i = 0; i < n; i++) {
        CXLMediaRange r;
        CXLRetCode rc;

        sanitize_get_range(in, &r);
        rc = sanitize_check_range(cci, &r);
        if (rc != CXL_RC_SUCCESS) {
            return rc;
        }
        total += r.len;
    }
    if (!n) {
        return CXL_RC_SUCCESS;
    }
    for (i = 0; i < n; i++) {
        sanitize_get_range(&ranges, &m->op_range[i]);
    }
    m->op_ranges = n;
    m->op_rc = CXL_RC_SUCCESS;
    return cxl_cci_bg_start_slices(cci, cxl_media_ms(total),
                                   cxl_media_ms(MIN(total, CXL_MEMDEV_SLICE)));
}

/*
 * Where on the medium the first bytes of a range are that may be written.
 * Return: how many of them follow each other there, at most @r->len
 */
static uint64_t sanitize_find_media(CXLCCI *cci, const CXLMediaRange *r,
                                    uint64_t *media)
{
    return MIN(r->len, cxl_memdev_translate(cci->memdev, cci->host_id, r->dpa,
                                            media));
}

/* The first @n bytes are done */
static void sanitize_advance(CXLMediaState *m, uint64_t n)
{
    CXLMediaRange *r = &m->op_range[0];

    r->dpa += n;
    r->len -= n;
    if (!r->len) {
        m->op_ranges--;
        memmove(r, r + 1, m->op_ranges * sizeof(*r));
    }
}

/* Return: bytes overwritten, 0 with m->op_rc set if this must not be done */
static uint64_t sanitize_overwrite(CXLCCI *cci, const CXLMediaRange *r,
                                   uint64_t *budget)
{
    CXLMemDev *d = cci->memdev;
    CXLMediaState *m = d->media;
    uint64_t n, media;

    /* Dynamic capacity that the host lost meanwhile is left alone */
    if (sanitize_check_range(cci, r) != CXL_RC_SUCCESS) {
        m->op_rc = CXL_RC_INVALID_PHYS_ADDR;
        return 0;
    }
    /* All of it with the first slice: a piece might not fit into the list */
    if (!cxl_poison_wipe(d->poison, r->dpa, r->len)) {
        m->op_rc = CXL_RC_INTERNAL_ERROR;
        return 0;
    }
    n = sanitize_find_media(cci, r, &media);
    if (n) {
        n = d->ops->zero(d->opaque, media, n, budget);
    }
    if (!n) {
        m->op_rc = CXL_RC_INVALID_PHYS_ADDR;
    }
    return n;
}

/* Return: bytes overwritten or given up */
static uint64_t media_slice(CXLCCI *cci)
{
    CXLMediaState *m = cci->memdev->media;
    uint64_t budget = CXL_MEMDEV_SLICE, done = 0;

    while (m->op_ranges && budget) {
        uint64_t before = budget;
        uint64_t n = sanitize_overwrite(cci, &m->op_range[0], &budget);

        if (!n) {
            n = m->op_range[0].len;
        }
        budget = MIN(budget, before - MIN(before, RANGE_COST));
        budget = ROUND_DOWN(budget, CXL_POISON_LINE);
        done += n;
        sanitize_advance(m, n);
    }
    return done;
}

static CXLRetCode media_operations_done(CXLCCI *cci)
{
    CXLMediaState *m = cci->memdev->media;
    uint64_t done = media_slice(cci);
    CXLRetCode rc;

    if (m->op_ranges) {
        return cxl_cci_bg_continue(cci, cxl_media_ms(done));
    }
    rc = m->op_rc;
    trace_cxl_media_operations_done(cxl_rc_name(rc));
    return rc;
}

/*
 * As a sanitize, by a reset or by 0005h: data whose end was promised, and whose
 * poison is forgotten, must not come back
 */
static void media_operations_cut_short(CXLCCI *cci)
{
    CXLMemDev *d = cci->memdev;
    CXLMediaState *m = d->media;

    while (m->op_ranges) {
        const CXLMediaRange *r = &m->op_range[0];
        uint64_t n = r->len, media;

        if (sanitize_check_range(cci, r) == CXL_RC_SUCCESS) {
            n = sanitize_find_media(cci, r, &media);
            cxl_poison_wipe(d->poison, r->dpa, n);
            d->ops->wipe(d->opaque, media, n);
        }
        sanitize_advance(m, n);
    }
    d->ops->wipe_begin(d->opaque);
}

/* -- rows ----------------------------------------------------------------- */

static const CXLCmd rows[] = {
    CXL_ROW(CXL_OP_SANITIZE, "Sanitize", SANITIZE_KINDS, CXL_LEN(0),
            sanitize_start,
            .effects = CXL_EFF_DATA_IMMEDIATE | CXL_EFF_SECURITY |
                       CXL_EFF_BACKGROUND | CXL_EFF_ABORTABLE,
            .flags = CXL_CMD_MEDIA | CXL_CMD_BG, .present = cxl_cci_is_memdev,
            .bg_done = sanitize_done, .bg_abort = sanitize_aborted,
            .bg_reset = sanitize_cut_short),
    CXL_ROW(0x4401, "Secure Erase", SANITIZE_KINDS, CXL_LEN(0), secure_erase,
            .effects = CXL_EFF_DATA_IMMEDIATE | CXL_EFF_SECURITY,
            .flags = CXL_CMD_MEDIA, .present = cxl_cci_is_memdev),
    CXL_ROW(CXL_OP_MEDIA_OPS, "Media Operations",
            CXL_CCI_MAILBOX | CXL_CCI_LD, CXL_LEN_MIN(OPS_HEAD),
            media_operations,
            .effects = CXL_EFF_DATA_IMMEDIATE | CXL_EFF_BACKGROUND |
                       CXL_EFF_ABORTABLE,
            .flags = CXL_CMD_MEDIA | CXL_CMD_BG, .present = cxl_cci_is_memdev,
            .bg_done = media_operations_done,
            .bg_abort = media_operations_cut_short),
};

const CXLCmdSet cxl_cmds_sanitize =
    CXL_CMD_SET("Sanitize and Media Operations", rows);
