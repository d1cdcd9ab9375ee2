/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Component Command Interface core: rows of a CCI, dispatch, Command Effects
 * Log, background operation (CXL r3.2 8.2.9, 9.19)
 *
 * Knows no device and no command.  Everything that differs between components
 * is data: which sets are built (cci/cmd-sets.c), which rows a kind of CCI has,
 * and what the owner's models say in a row's present().
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/host-utils.h"
#include "migration/vmstate.h"
#include "hw/cxl/cxl_cci.h"
#include "hw/cxl/cxl_fault.h"
#include "hw/cxl/memdev/debug-log.h"
#include "hw/cxl/cxl_memdev.h"
#include "trace.h"

/* Effects log entries: opcode and effects word, 16 bits each */
#define CEL_ENTRY_SIZE      4
/*
 * An operation this far is left to end by itself: what 0005h could still
 * prevent is less than what it would have to undo.
 */
#define BG_TOO_LATE_PERCENT 85
/* Longest operation: sanitizing the largest media takes four hours */
#define BG_MAX_NS           (24 * 3600 * (int64_t)NANOSECONDS_PER_SECOND)

const char *cxl_cci_kind_name(CXLCCIKind kind)
{
    switch (kind) {
    case CXL_CCI_MAILBOX:
        return "mailbox";
    case CXL_CCI_FM:
        return "fm";
    case CXL_CCI_LD:
        return "ld";
    case CXL_CCI_SWITCH:
        return "switch";
    case CXL_CCI_MHD:
        return "mhd";
    }
    return "none";
}

/* -- rows --------------------------------------------------------------- */

static gint cci_by_opcode(gconstpointer a, gconstpointer b)
{
    const CXLCmd *x = *(const CXLCmd *const *)a;
    const CXLCmd *y = *(const CXLCmd *const *)b;

    return x->opcode - y->opcode;
}

const CXLCmd *cxl_cci_find(const CXLCCI *cci, uint16_t opcode)
{
    unsigned low = 0, high = cci->cmds ? cci->cmds->len : 0;

    while (low < high) {
        unsigned mid = low + (high - low) / 2;
        const CXLCmd *cmd = g_ptr_array_index(cci->cmds, mid);

        if (cmd->opcode == opcode) {
            return cmd;
        }
        if (cmd->opcode < opcode) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return NULL;
}

bool cxl_cci_is_remote(const CXLCCI *cci, uint16_t opcode)
{
    const CXLCmd *cmd = cci->remote ? cxl_cci_find(cci, opcode) : NULL;

    return cmd && (cmd->flags & CXL_CMD_POOL);
}

bool cxl_cci_is_io(const CXLCCI *cci, uint16_t opcode)
{
    const CXLCmd *cmd = cxl_cci_find(cci, opcode);

    return cmd && cmd->flags & CXL_CMD_IO;
}

static bool cci_length_is_right(const CXLLenRule *rule, const void *in,
                                size_t len)
{
    const uint8_t *at = in;
    uint64_t count;

    switch ((CXLLenKind)rule->kind) {
    case CXL_LEN_IS_EXACT:
        return len == rule->min;
    case CXL_LEN_IS_AT_LEAST:
        return len >= rule->min;
    case CXL_LEN_IS_RANGE:
        return len >= rule->min && len <= rule->max;
    case CXL_LEN_IS_LIST:
        if (len < rule->min) {
            return false;
        }
        count = ldn_le_p(at + rule->count_at, rule->count_size);
        return len == rule->min + count * rule->record;
    }
    return false;
}

/* -- dispatch ----------------------------------------------------------- */

bool cxl_cci_media_disabled(const CXLCCI *cci)
{
    return cci->memdev && cxl_memdev_media_disabled(cci->memdev);
}

static size_t cci_response_room(const CXLCCI *cci, size_t out_size)
{
    size_t room = MIN(out_size, cci->payload_max);

    if (cci->response_limit) {
        room = MIN(room, (size_t)1 << cci->response_limit);
    }
    return room;
}

static CXLRetCode cci_run(CXLCCI *cci, const CXLCmd *cmd, const void *in,
                          size_t in_len, CXLWriter *w)
{
    const CXLCmd *outer = cci->current;
    CXLReader r;
    CXLRetCode rc;

    if (in_len > cci->payload_max ||
        !cci_length_is_right(&cmd->len, in, in_len)) {
        return CXL_RC_INVALID_PAYLOAD_LENGTH;
    }
    if ((cmd->flags & CXL_CMD_BG) && cci->bg.running) {
        return CXL_RC_BUSY;
    }
    if ((cmd->flags & CXL_CMD_MEDIA) && cxl_cci_media_disabled(cci)) {
        return CXL_RC_MEDIA_DISABLED;
    }

    cxl_reader_init(&r, in, in_len);
    cci->current = cmd;
    rc = cmd->handler(cci, &r, w);
    cci->current = outer;
    if (rc == CXL_RC_SUCCESS && w->overflow) {
        rc = CXL_RC_INTERNAL_ERROR;
    }
    return rc;
}

CXLRetCode cxl_cci_process(CXLCCI *cci, uint16_t opcode,
                           const void *in, size_t in_len,
                           void *out, size_t out_size, size_t *out_len)
{
    const CXLCmd *cmd = cxl_cci_find(cci, opcode);
    size_t room = cci_response_room(cci, out_size);
    CXLRetCode rc = CXL_RC_UNSUPPORTED;
    CXLWriter w;

    cxl_writer_init(&w, out, room);
    if (out_size > room) {
        memset((uint8_t *)out + room, 0, out_size - room);
    }
    if (cmd) {
        rc = cci_run(cci, cmd, in, in_len, &w);
    }
    if (rc != CXL_RC_SUCCESS) {
        /* whatever a failing handler wrote stays inside */
        cxl_writer_init(&w, out, w.len);
    }
    *out_len = w.len;
    trace_cxl_cci_command(cxl_cci_kind_name(cci->kind), opcode,
                          cmd ? cmd->name : "unknown", in_len, rc,
                          cxl_rc_name(rc), w.len);
    if (cci->memdev && opcode != CXL_OP_GET_LOG) {
        const CXLHistoryRecord r = {
            .in_len = in_len,
            .out_len = w.len,
            .opcode = opcode,
            .rc = rc,
            .kind = cci->kind,
        };

        cxl_history_add(cci->memdev->history, &r);
    }
    if (cci->faults) {
        rc = cxl_fault_answer(cci->faults, opcode, in, in_len, out, room,
                              out_len, rc);
    }
    return rc;
}

/* -- Command Effects Log (8.2.10.5.2.1) --------------------------------- */

size_t cxl_cci_cel_size(const CXLCCI *cci)
{
    return cci->cmds ? (size_t)cci->cmds->len * CEL_ENTRY_SIZE : 0;
}

void cxl_cci_cel_read(const CXLCCI *cci, size_t offset, size_t len,
                      CXLWriter *out)
{
    size_t size = cxl_cci_cel_size(cci);
    g_autofree uint8_t *cel = g_malloc(size);
    size_t i;

    g_assert(offset <= size && len <= size - offset);
    for (i = 0; i < size / CEL_ENTRY_SIZE; i++) {
        const CXLCmd *cmd = g_ptr_array_index(cci->cmds, i);

        stw_le_p(cel + i * CEL_ENTRY_SIZE, cmd->opcode);
        stw_le_p(cel + i * CEL_ENTRY_SIZE + 2, cmd->effects);
    }
    cxl_put_bytes(out, cel + offset, len);
}

/* -- background operation (8.2.9.4.6) ----------------------------------- */

static void cci_bg_finish(CXLCCI *cci, CXLRetCode rc)
{
    cci->bg.running = false;
    /* also for an aborted one: a host polls for 100 to see the code */
    cci->bg.percent = 100;
    cci->bg.ret_code = rc;
    trace_cxl_cci_bg_end(cxl_cci_kind_name(cci->kind), cci->bg.opcode, rc,
                         cxl_rc_name(rc));
    if (cci->bg_notify) {
        cci->bg_notify(cci);
    }
    notifier_list_notify(&cci->bg_watchers, cci);
}

static void cci_bg_expired(void *opaque)
{
    CXLCCI *cci = opaque;
    const CXLCmd *cmd = cxl_cci_find(cci, cci->bg.opcode);
    CXLRetCode rc = CXL_RC_SUCCESS;

    if (cci->bg.running) {
        if (cmd && cmd->bg_done) {
            rc = cmd->bg_done(cci);
        }
        if (rc != CXL_RC_BG_STARTED) {
            cci_bg_finish(cci, rc);
        }
    }
}

int64_t cxl_cci_bg_ns(const CXLCCI *cci, uint64_t ms)
{
    g_assert(ms <= BG_MAX_NS / SCALE_MS);
    return ms * (SCALE_MS / 100) *
           (cci->bg_time_scale ? *cci->bg_time_scale : 100);
}

static void cci_bg_arm(CXLCCIBackground *bg)
{
    timer_mod_ns(bg->timer, bg->started_ns + bg->due_ns);
}

CXLRetCode cxl_cci_bg_start_slices(CXLCCI *cci, uint64_t duration_ms,
                                   uint64_t first_ms)
{
    CXLCCIBackground *bg = &cci->bg;

    g_assert(cci->current && (cci->current->flags & CXL_CMD_BG));
    g_assert(first_ms <= duration_ms);

    bg->opcode = cci->current->opcode;
    bg->ret_code = CXL_RC_SUCCESS;
    bg->vendor_status = 0;
    bg->percent = 0;
    bg->running = true;
    bg->started_ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    bg->duration_ns = cxl_cci_bg_ns(cci, duration_ms);
    bg->due_ns = cxl_cci_bg_ns(cci, first_ms);
    cci_bg_arm(bg);
    trace_cxl_cci_bg_start(cxl_cci_kind_name(cci->kind), bg->opcode,
                           bg->duration_ns / SCALE_MS);
    return CXL_RC_BG_STARTED;
}

CXLRetCode cxl_cci_bg_start(CXLCCI *cci, uint64_t duration_ms)
{
    return cxl_cci_bg_start_slices(cci, duration_ms, duration_ms);
}

CXLRetCode cxl_cci_bg_continue(CXLCCI *cci, uint64_t more_ms)
{
    CXLCCIBackground *bg = &cci->bg;
    int64_t passed = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) - bg->started_ns;
    /* however it is scaled: others have a turn between two slices */
    int64_t more_ns = MAX(cxl_cci_bg_ns(cci, more_ms), SCALE_MS);

    g_assert(bg->running && passed >= 0);
    g_assert(more_ms && passed <= BG_MAX_NS - more_ns);

    bg->due_ns = passed + more_ns;
    cci_bg_arm(bg);
    return CXL_RC_BG_STARTED;
}

unsigned cxl_cci_bg_percent(const CXLCCI *cci)
{
    const CXLCCIBackground *bg = &cci->bg;
    int64_t passed;

    if (!bg->running) {
        return bg->percent;
    }
    passed = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) - bg->started_ns;
    if (passed < 0 || !bg->duration_ns) {
        return 0;
    }
    /* 100 is what the end looks like, and only bg_finish() may say so */
    return passed >= bg->duration_ns ? 99 :
           MIN(99, passed * 100 / bg->duration_ns);
}

static void cci_bg_cut_short(CXLCCI *cci, void (*hook)(CXLCCI *cci))
{
    timer_del(cci->bg.timer);
    if (hook) {
        hook(cci);
    }
}

CXLRetCode cxl_cci_bg_abort(CXLCCI *cci)
{
    const CXLCmd *cmd = cxl_cci_find(cci, cci->bg.opcode);

    if (!cci->bg.running) {
        return CXL_RC_SUCCESS;
    }
    if (!cmd || !(cmd->effects & CXL_EFF_ABORTABLE)) {
        return CXL_RC_NO_BG_ABORT;
    }
    if (cxl_cci_bg_percent(cci) < BG_TOO_LATE_PERCENT) {
        cci_bg_cut_short(cci, cmd->bg_abort);
        cci_bg_finish(cci, CXL_RC_ABORTED);
    }
    return CXL_RC_SUCCESS;
}

/* -- life --------------------------------------------------------------- */

void cxl_cci_init(CXLCCI *cci, CXLCCIKind kind, DeviceState *owner,
                  uint32_t payload_max)
{
    const CXLCmdSet *const *set;
    unsigned i;

    g_assert(payload_max >= 1u << CXL_CCI_MIN_PAYLOAD_SHIFT &&
             payload_max <= 1u << CXL_CCI_MAX_PAYLOAD_SHIFT);
    cxl_cci_destroy(cci);
    cci->kind = kind;
    cci->owner = owner;
    cci->payload_max = payload_max;
    cci->cmds = g_ptr_array_new();
    for (set = cxl_cmd_sets; *set; set++) {
        for (i = 0; i < (*set)->nr_cmds; i++) {
            const CXLCmd *cmd = &(*set)->cmds[i];

            if ((cmd->where & kind) && (!cmd->present || cmd->present(cci))) {
                g_ptr_array_add(cci->cmds, (gpointer)cmd);
            }
        }
    }
    g_ptr_array_sort(cci->cmds, cci_by_opcode);
    cci->bg.timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, cci_bg_expired, cci);
}

void cxl_cci_destroy(CXLCCI *cci)
{
    g_clear_pointer(&cci->cmds, g_ptr_array_unref);
    timer_free(cci->bg.timer);
    memset(&cci->bg, 0, sizeof(cci->bg));
    cci->response_limit = 0;
}

void cxl_cci_reset(CXLCCI *cci)
{
    if (cci->bg.running) {
        const CXLCmd *cmd = cxl_cci_find(cci, cci->bg.opcode);

        cci_bg_cut_short(cci, cmd->bg_reset ?: cmd->bg_abort);
    }
    cxl_cci_forget(cci);
}

void cxl_cci_forget(CXLCCI *cci)
{
    QEMUTimer *timer = cci->bg.timer;

    timer_del(timer);
    cci->bg = (CXLCCIBackground) { .timer = timer };
    cci->response_limit = 0;
    cci->hold_told = false;
}

/* -- migration ---------------------------------------------------------- */

static bool cci_bg_state_is_sane(CXLCCI *cci)
{
    const CXLCCIBackground *bg = &cci->bg;
    const CXLCmd *cmd = cxl_cci_find(cci, bg->opcode);

    if (bg->ret_code >= CXL_RC_COUNT || bg->percent > 100) {
        return false;
    }
    return !bg->running ||
           (cmd && (cmd->flags & CXL_CMD_BG) &&
            bg->duration_ns >= 0 && bg->duration_ns <= BG_MAX_NS &&
            bg->due_ns >= 0 && bg->due_ns <= BG_MAX_NS &&
            bg->started_ns >= 0 && bg->started_ns <= INT64_MAX - BG_MAX_NS);
}

static int cci_post_load(void *opaque, int version_id)
{
    CXLCCI *cci = opaque;

    if (cci->response_limit &&
        (cci->response_limit < CXL_CCI_MIN_PAYLOAD_SHIFT ||
         cci->response_limit > 31 - clz32(cci->payload_max))) {
        return -EINVAL;
    }
    if (!cci_bg_state_is_sane(cci)) {
        return -EINVAL;
    }
    if (cci->bg.running) {
        cci_bg_arm(&cci->bg);
    } else {
        timer_del(cci->bg.timer);
    }
    return 0;
}

const VMStateDescription vmstate_cxl_cci = {
    .name = "cxl-cci",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = cci_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8(response_limit, CXLCCI),
        VMSTATE_UINT16(bg.opcode, CXLCCI),
        VMSTATE_UINT16(bg.ret_code, CXLCCI),
        VMSTATE_UINT16(bg.vendor_status, CXLCCI),
        VMSTATE_UINT8(bg.percent, CXLCCI),
        VMSTATE_BOOL(bg.running, CXLCCI),
        VMSTATE_INT64(bg.started_ns, CXLCCI),
        VMSTATE_INT64(bg.duration_ns, CXLCCI),
        VMSTATE_INT64(bg.due_ns, CXLCCI),
        VMSTATE_END_OF_LIST()
    }
};
