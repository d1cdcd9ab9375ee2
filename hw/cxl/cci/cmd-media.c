/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command set 43h: Media and Poison Management (CXL r3.2 8.2.10.9.4)
 *
 * A host reaches static capacity and the dynamic capacity it holds.  Poison
 * elsewhere is neither listed nor changed by it.
 */
#include "qemu/osdep.h"
#include "migration/vmstate-checked.h"
#include "hw/cxl/cxl_dc.h"
#include "hw/cxl/cxl_events.h"
#include "hw/cxl/memdev/media.h"
#include "hw/cxl/cxl_memdev.h"
#include "hw/cxl/memdev/poison.h"
#include "hw/cxl/memdev/security.h"
#include "cmd-sets.h"
#include "hw/cxl/trace.h"

#define MEDIA_KINDS     (CXL_CCI_MAILBOX | CXL_CCI_LD)
#define LINE            CXL_POISON_LINE

/* Media error record: address with source, lines, reserved */
#define RECORD_SIZE     0x10
#define LIST_MORE       (1u << 0)
#define LIST_OVERFLOW   (1u << 1)
#define LIST_SCANNING   (1u << 2)
#define RESULT_MORE     (1u << 0)
#define RESULT_STOPPED  (1u << 1)
#define SCAN_QUIET      (1u << 0)

/* 128 MB a second, the pace that earlier releases claimed */
#define LINES_PER_MS    2000
/* The command core bounds an operation by a day; no media takes so long */
#define MEDIA_MAX_MS    (12 * 3600 * 1000u)

/* -- ranges --------------------------------------------------------------- */

/* Two fields of a request: an address and a number of lines, made to bytes */
static CXLRetCode media_get_range(CXLReader *in, uint64_t end, uint64_t *dpa,
                                  uint64_t *len)
{
    uint64_t lines;

    *dpa = cxl_get_le64(in);
    lines = cxl_get_le64(in);
    if (*dpa % LINE) {
        return CXL_RC_INVALID_INPUT;
    }
    if (*dpa > end || lines > (end - *dpa) / LINE) {
        return CXL_RC_INVALID_PHYS_ADDR;
    }
    *len = lines * LINE;
    return CXL_RC_SUCCESS;
}

bool cxl_cci_accessible(const CXLCCI *cci, uint64_t dpa, uint64_t len,
                        bool write)
{
    return cxl_memdev_accessible(cci->memdev, cci->host_id, dpa, len, write);
}

/* Is part of it behind a passphrase? */
static bool media_is_denied(CXLCCI *cci, uint64_t dpa, uint64_t len)
{
    return cxl_security_denies(cci->memdev->security, dpa, len);
}

/* -- media error records -------------------------------------------------- */

/**
 * struct Listing - poison on its way into a response
 * @from, @end: what to list of; @from moves on with each record
 * @full: there is poison left for which there is no room
 */
typedef struct Listing {
    const CXLPoison *poison;
    CXLWriter *out;
    uint64_t from;
    uint64_t end;
    uint16_t count;
    bool full;
} Listing;

/* List what is between @from and both ends; false: the response is full */
static bool media_list_piece(Listing *l, uint64_t dpa, uint64_t end)
{
    CXLPoisonRange r;

    l->from = MAX(l->from, dpa);
    end = MIN(end, l->end);
    while (l->from < end && cxl_poison_next(l->poison, l->from, &r) &&
           r.dpa < end) {
        uint64_t lines = MIN(r.len, end - r.dpa) / LINE;

        if (l->count == UINT16_MAX ||
            !cxl_writer_fits(l->out, RECORD_SIZE, 0)) {
            l->from = r.dpa;
            l->full = true;
            return false;
        }
        /* what a record cannot count goes into the next one */
        lines = MIN(lines, UINT32_MAX);
        cxl_put_le64(l->out, r.dpa | r.source);
        cxl_put_le32(l->out, lines);
        cxl_put_le32(l->out, 0);
        l->count++;
        l->from = r.dpa + lines * LINE;
    }
    return true;
}

static bool media_list_extent(void *opaque, const CXLDCExtent *e)
{
    Listing *l = opaque;

    return e->dpa < l->end && media_list_piece(l, e->dpa, e->dpa + e->len);
}

/* All of it that the host of @cci may see, by ascending address */
static void media_list_poison(CXLCCI *cci, Listing *l)
{
    CXLMemDev *d = cci->memdev;
    CXLDynCap *dc = cci->dc;
    uint64_t fixed = cxl_memdev_static_size(d);

    l->poison = d->poison;
    if (l->from < fixed && !media_list_piece(l, 0, fixed)) {
        return;
    }
    if (dc && l->end > fixed) {
        cxl_dc_extents(dc, cci->host_id, 0, media_list_extent, l);
    }
}

static void media_log_event(CXLMemDev *d, CXLEventLogId log, uint64_t dpa,
                            uint8_t by)
{
    CXLEventRecord r;

    /* a log's number is the severity of what it holds */
    cxl_event_general_media(&r, log, dpa, dpa < cxl_memdev_volatile_size(d),
                            CXL_EVENT_GM_ECC, by);
    cxl_event_append(d->events, log, &r);
}

/* -- poison --------------------------------------------------------------- */

static CXLRetCode media_get_poison_list(CXLCCI *cci, CXLReader *in,
                                        CXLWriter *out)
{
    CXLMemDev *d = cci->memdev;
    const CXLPoison *p = d->poison;
    CXLMediaState *m = d->media;
    Listing l = { .out = out };
    uint64_t dpa, len, lines;
    size_t head = out->len;
    CXLRetCode rc = media_get_range(in, cxl_memdev_end(d), &dpa, &len);

    if (rc != CXL_RC_SUCCESS) {
        return rc;
    }
    lines = len / LINE;
    l.from = dpa;
    l.end = dpa + len;
    if (m->list_cci == cci->kind && m->list_dpa == dpa &&
        m->list_lines == lines) {
        l.from = m->list_next;
    }
    cxl_put_u8(out, 0);
    cxl_put_u8(out, 0);
    cxl_put_le64(out, p->overflow_ns);
    cxl_put_le16(out, 0);
    cxl_put_zero(out, 0x14);
    media_list_poison(cci, &l);
    cxl_patch_u8(out, head, (l.full ? LIST_MORE : 0) |
                            (p->overflowed ? LIST_OVERFLOW : 0) |
                            (m->running ? LIST_SCANNING : 0));
    cxl_patch_le16(out, head + 0x0a, l.count);

    m->list_cci = l.full ? cci->kind : 0;
    m->list_dpa = dpa;
    m->list_lines = lines;
    m->list_next = l.from;
    return CXL_RC_SUCCESS;
}

/* The line that 4301h and 4302h name, if the host may change it */
static CXLRetCode media_get_line(CXLCCI *cci, CXLReader *in, uint64_t *dpa)
{
    *dpa = cxl_get_le64(in);
    if (*dpa % LINE) {
        return CXL_RC_INVALID_INPUT;
    }
    if (!cxl_cci_accessible(cci, *dpa, LINE, true)) {
        return CXL_RC_INVALID_PHYS_ADDR;
    }
    return media_is_denied(cci, *dpa, LINE) ? CXL_RC_INVALID_SECURITY_STATE :
                                     CXL_RC_SUCCESS;
}

static const char *const poison_results[] = {
    [CXL_POISON_DONE] = "done",
    [CXL_POISON_ALREADY] = "was poisoned before",
    [CXL_POISON_FULL] = "no room",
    [CXL_POISON_FROZEN] = "a scan holds the list",
    [CXL_POISON_BAD_RANGE] = "bad range",
};

static CXLRetCode media_inject_poison(CXLCCI *cci, CXLReader *in,
                                      CXLWriter *out)
{
    CXLMemDev *d = cci->memdev;
    CXLPoisonResult result;
    uint64_t dpa;
    CXLRetCode rc = media_get_line(cci, in, &dpa);

    if (rc != CXL_RC_SUCCESS) {
        return rc;
    }
    result = cxl_poison_inject(d->poison, dpa);
    trace_cxl_media_inject(dpa, CXL_NAME(poison_results, result));
    if (result == CXL_POISON_FULL) {
        return CXL_RC_POISON_LIMIT;
    }
    if (result == CXL_POISON_DONE) {
        media_log_event(d, CXL_EVENT_LOG_INFO, dpa,
                        CXL_EVENT_BY_INJECTION);
    }
    /* While a scan holds the list, success without effect: so guests know it */
    return CXL_RC_SUCCESS;
}

static CXLRetCode media_clear_poison(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    CXLMemDev *d = cci->memdev;
    CXLPoison *p = d->poison;
    CXLPoisonResult result;
    uint64_t dpa;
    CXLRetCode rc = media_get_line(cci, in, &dpa);

    if (rc != CXL_RC_SUCCESS) {
        return rc;
    }
    if (!cxl_poison_can_wipe(p, dpa, LINE) ||
        !d->ops->store_line(d->opaque, dpa, cxl_reader_bytes(in, LINE))) {
        return CXL_RC_INTERNAL_ERROR;
    }
    /* While a scan holds the list, only the data changes */
    result = cxl_poison_clear(p, dpa);
    trace_cxl_media_clear(dpa, CXL_NAME(poison_results, result));
    return CXL_RC_SUCCESS;
}

/* -- scan ----------------------------------------------------------------- */

static CXLRetCode media_get_scan_range(CXLCCI *cci, CXLReader *in,
                                       uint64_t *dpa, uint64_t *len)
{
    CXLRetCode rc = media_get_range(in, cxl_memdev_end(cci->memdev), dpa, len);

    if (rc != CXL_RC_SUCCESS) {
        return rc;
    }
    if (!*len) {
        return CXL_RC_INVALID_INPUT;
    }
    return cxl_cci_accessible(cci, *dpa, *len, false) ? CXL_RC_SUCCESS :
                                                  CXL_RC_INVALID_PHYS_ADDR;
}

uint32_t cxl_media_ms(uint64_t len)
{
    return MIN(MAX(1, len / LINE / LINES_PER_MS), MEDIA_MAX_MS);
}

static CXLRetCode media_get_scan_caps(CXLCCI *cci, CXLReader *in,
                                      CXLWriter *out)
{
    uint64_t dpa, len;
    CXLRetCode rc = media_get_scan_range(cci, in, &dpa, &len);

    if (rc == CXL_RC_SUCCESS) {
        cxl_put_le32(out, cxl_cci_bg_ns(cci, cxl_media_ms(len)) / SCALE_MS);
    }
    return rc;
}

static CXLRetCode media_scan(CXLCCI *cci, CXLReader *in, CXLWriter *out)
{
    CXLMemDev *d = cci->memdev;
    CXLMediaState *m = d->media;
    uint64_t dpa, len;
    CXLRetCode rc = media_get_scan_range(cci, in, &dpa, &len);
    uint8_t flags = cxl_get_u8(in);

    if (rc != CXL_RC_SUCCESS) {
        return rc;
    }
    if (flags & ~SCAN_QUIET) {
        return CXL_RC_INVALID_INPUT;
    }
    if (media_is_denied(cci, dpa, len)) {
        return CXL_RC_INVALID_SECURITY_STATE;
    }
    if (m->running) {
        return CXL_RC_BUSY;     /* started through another CCI */
    }
    m->running = true;
    m->ran = false;
    m->quiet = flags & SCAN_QUIET;
    m->scan_dpa = m->next = m->stop = dpa;
    m->scan_end = dpa + len;
    d->poison->frozen = true;
    return cxl_cci_bg_start(cci, cxl_media_ms(len));
}

/* Results exist now: listed poison from the start of the scan to @stop */
static void media_scan_end(CXLCCI *cci, uint64_t stop)
{
    CXLMemDev *d = cci->memdev;
    CXLMediaState *m = d->media;

    d->poison->frozen = false;
    m->running = false;
    m->ran = true;
    m->stop = stop;
    trace_cxl_media_scanned(m->scan_dpa, m->scan_end, stop);
}

static CXLRetCode media_scan_done(CXLCCI *cci)
{
    CXLMemDev *d = cci->memdev;
    CXLMediaState *m = d->media;
    CXLPoison *p = d->poison;
    uint64_t at = m->scan_dpa;

    if (cxl_cci_media_disabled(cci)) {
        /* a sanitize came between: there was nothing to read */
        media_scan_end(cci, m->scan_dpa);
        return CXL_RC_ABORTED;
    }
    while (cxl_poison_unlisted(p, at, m->scan_end - at, &at) &&
           cxl_poison_scan(p, at, LINE)) {
        if (!m->quiet) {
            media_log_event(d, CXL_EVENT_LOG_FAIL, at, CXL_EVENT_BY_SCAN);
        }
    }
    /* The list is full: the host makes room and starts again from there */
    media_scan_end(cci, cxl_poison_unlisted(p, m->scan_dpa,
                                            m->scan_end - m->scan_dpa, &at) ?
                  at : m->scan_end);
    return CXL_RC_SUCCESS;
}

static void media_scan_abort(CXLCCI *cci)
{
    media_scan_end(cci, cci->memdev->media->scan_dpa);
}

/*
 * Results are read out of the poison list when they are asked for: what was
 * healed since the scan is not reported.  Each is given once.
 */
static CXLRetCode media_get_scan_results(CXLCCI *cci, CXLReader *in,
                                         CXLWriter *out)
{
    CXLMediaState *m = cci->memdev->media;
    Listing l = { .out = out, .from = m->next, .end = m->stop };
    bool stopped = m->stop != m->scan_end;
    size_t head = out->len;

    if (m->running) {
        return CXL_RC_RETRY_REQUIRED;
    }
    if (!m->ran) {
        return CXL_RC_UNSUPPORTED;
    }
    cxl_put_le64(out, stopped ? m->stop : 0);
    cxl_put_le64(out, stopped ? (m->scan_end - m->stop) / LINE : 0);
    cxl_put_u8(out, 0);
    cxl_put_u8(out, 0);
    cxl_put_le16(out, 0);
    cxl_put_zero(out, 0x0c);
    media_list_poison(cci, &l);
    cxl_patch_u8(out, head + 0x10, (l.full ? RESULT_MORE : 0) |
                                   (stopped ? RESULT_STOPPED : 0));
    cxl_patch_le16(out, head + 0x12, l.count);
    m->next = l.full ? l.from : m->stop;
    return CXL_RC_SUCCESS;
}

/* -- rows ----------------------------------------------------------------- */

static const CXLCmd rows[] = {
    CXL_ROW(0x4300, "Get Poison List", MEDIA_KINDS, CXL_LEN(0x10),
            media_get_poison_list, .flags = CXL_CMD_MEDIA,
            .present = cxl_cci_is_memdev),
    CXL_ROW(0x4301, "Inject Poison", MEDIA_KINDS, CXL_LEN(8),
            media_inject_poison, .flags = CXL_CMD_MEDIA,
            .present = cxl_cci_is_memdev),
    CXL_ROW(0x4302, "Clear Poison", MEDIA_KINDS, CXL_LEN(8 + LINE),
            media_clear_poison, .flags = CXL_CMD_MEDIA,
            .present = cxl_cci_is_memdev),
    CXL_ROW(0x4303, "Get Scan Media Capabilities", MEDIA_KINDS, CXL_LEN(0x10),
            media_get_scan_caps, .flags = CXL_CMD_MEDIA,
            .present = cxl_cci_is_memdev),
    CXL_ROW(CXL_OP_SCAN_MEDIA, "Scan Media", MEDIA_KINDS, CXL_LEN(0x11),
            media_scan,
            .effects = CXL_EFF_BACKGROUND | CXL_EFF_ABORTABLE,
            .flags = CXL_CMD_MEDIA | CXL_CMD_BG, .present = cxl_cci_is_memdev,
            .bg_done = media_scan_done, .bg_abort = media_scan_abort),
    CXL_ROW(0x4305, "Get Scan Media Results", MEDIA_KINDS, CXL_LEN(0),
            media_get_scan_results,
            .flags = CXL_CMD_MEDIA, .present = cxl_cci_is_memdev),
};

const CXLCmdSet cxl_cmds_media =
    CXL_CMD_SET("Media and Poison Management", rows);
